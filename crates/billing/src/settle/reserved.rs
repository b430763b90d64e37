//! Reserved machines are applied: the smallest sizes first, until what is reserved is used up.

use crate::terms::Terms;

use super::hour::Hour;
use super::round::{Rounds, Step};

/// Applies the reservations of a round, one after the other.
pub(super) fn apply(hour: &mut Hour, terms: &Terms, rounds: &Rounds, steps: &[Step]) {
    for step in steps {
        let commitment = &terms.commitments[step.commitment];
        for (weight, product) in rounds.products(step.commitment) {
            let weight = i128::from(*weight);
            for place in 0..hour.lines_of(*product).len() {
                let row = hour.lines_of(*product)[place];
                let line = hour.lines[row as usize];
                let served = match step.own {
                    true => line.account == commitment.owner,
                    false => terms.accounts.within(line.account, commitment.scope),
                };
                let left = line.quantity - line.covered;
                if !served || left == 0 {
                    continue;
                }
                let purse = hour.purse(step.commitment);
                let quantity = left.min(purse.left() / weight);
                if quantity > 0 {
                    let cost = purse.spend(quantity * weight);
                    hour.piece(row, step.commitment, quantity, cost);
                }
            }
            if hour.purse(step.commitment).left() == 0 {
                break;
            }
        }
    }
}
