//! Reserved machines are applied, until what is reserved is used up: the smallest sizes first, or
//! whoever came first.

use crate::charge::Origin;
use crate::commitment::Stage;
use crate::terms::{Sharing, Terms};

use super::hour::Hour;
use super::round::{CoveredProduct, Rounds, Step};

/// Vectors that are used again in each hour.
#[derive(Debug, Default)]
pub(super) struct Queue {
    products: Vec<CoveredProduct>,
    /// Lines and their weights.
    rows: Vec<(u32, u64)>,
}

/// Applies the reservations of a round, one after the other.
pub(super) fn apply(
    hour: &mut Hour,
    terms: &Terms,
    rounds: &Rounds,
    steps: &[Step],
    queue: &mut Queue,
) {
    for step in steps {
        if hour.purse(step.commitment).left() == 0 {
            continue;
        }
        rounds.reach(step.commitment, hour.touched(), &mut queue.products);
        match terms.sharing(step.commitment) {
            Sharing::OwnerFirst => smallest_first(hour, terms, *step, queue),
            Sharing::NarrowestFirst => first_come(hour, terms, *step, queue),
        }
    }
}

fn smallest_first(hour: &mut Hour, terms: &Terms, step: Step, queue: &Queue) {
    for CoveredProduct { weight, product, .. } in &queue.products {
        for place in hour.open_places(*product) {
            // What is left pays for no machine of this size, or of a larger one.
            if hour.purse(step.commitment).left() < i128::from(*weight) {
                return;
            }
            let row = hour.lines_of(*product)[place];
            cover(hour, terms, step, row, *weight);
        }
    }
}

fn first_come(hour: &mut Hour, terms: &Terms, step: Step, queue: &mut Queue) {
    queue.rows.clear();
    for CoveredProduct { weight, product, .. } in &queue.products {
        let open = hour.open_places(*product);
        queue.rows.extend(hour.lines_of(*product)[open].iter().map(|row| (*row, *weight)));
    }
    queue.rows.sort_unstable();
    for (row, weight) in &queue.rows {
        cover(hour, terms, step, *row, *weight);
    }
}

/// Covers what can be covered of a line. Reserved machines of a zone take nothing off the price of
/// capacity that does not run.
fn cover(hour: &mut Hour, terms: &Terms, step: Step, row: u32, weight: u64) {
    let commitment = &terms.commitments[step.commitment];
    let line = &hour.lines[row as usize];
    let left = line.quantity - line.covered;
    let idle = matches!(line.origin, Origin::Reservation(_));
    if left == 0
        || !step.serves(commitment, line.account, terms)
        || (idle && commitment.stage() == Stage::Zonal)
    {
        return;
    }
    let purse = hour.purse(step.commitment);
    let most = purse.left() / i128::from(weight);
    let quantity = left.min(most);
    if quantity > 0 {
        let cost = purse.spend(quantity * i128::from(weight));
        hour.piece(row, step.commitment, quantity, cost);
    }
}
