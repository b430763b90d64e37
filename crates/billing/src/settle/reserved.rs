//! Reserved machines are applied, until what is reserved is used up: the smallest sizes first, or
//! whoever came first.

use crate::charge::Origin;
use crate::commitment::Stage;
use crate::terms::{Sharing, Terms};

use super::hour::Hour;
use super::round::{Rounds, Step};

/// Applies the reservations of a round, one after the other.
pub(super) fn apply(hour: &mut Hour, terms: &Terms, rounds: &Rounds, steps: &[Step]) {
    for step in steps {
        match terms.sharing(step.commitment) {
            Sharing::OwnerFirst => {
                for (weight, product) in rounds.products(step.commitment) {
                    for place in 0..hour.lines_of(*product).len() {
                        let row = hour.lines_of(*product)[place];
                        cover(hour, terms, *step, row, *weight);
                    }
                }
            }
            Sharing::NarrowestFirst => {
                let mut rows: Vec<(u32, u64)> = Vec::new();
                for (weight, product) in rounds.products(step.commitment) {
                    rows.extend(hour.lines_of(*product).iter().map(|row| (*row, *weight)));
                }
                rows.sort_unstable();
                for (row, weight) in rows {
                    cover(hour, terms, *step, row, weight);
                }
            }
        }
    }
}

/// Covers what can be covered of a line. Reserved machines of a zone take nothing off the price of
/// capacity that does not run.
fn cover(hour: &mut Hour, terms: &Terms, step: Step, row: u32, weight: u64) {
    let commitment = &terms.commitments[step.commitment];
    let line = hour.lines[row as usize];
    let served = match step.own {
        true => line.account == commitment.owner,
        false => terms.accounts.within(line.account, commitment.scope),
    };
    let idle = matches!(line.origin, Origin::Reservation(_));
    if !served || (idle && commitment.stage() == Stage::Zonal) {
        return;
    }
    let (left, weight) = (line.quantity - line.covered, i128::from(weight));
    let purse = hour.purse(step.commitment);
    let quantity = left.min(purse.left() / weight);
    if quantity > 0 {
        let cost = purse.spend(quantity * weight);
        hour.piece(row, step.commitment, quantity, cost);
    }
}
