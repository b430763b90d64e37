//! Reserved machines are applied, until what is reserved is used up: the smallest sizes first, or
//! whoever came first.

use crate::charge::Origin;
use crate::commitment::Stage;
use crate::terms::{Sharing, Terms};

use super::hour::{Hour, ProductLine};
use super::round::{CoveredProduct, Rounds, Step};

/// Vectors that are used again in each hour.
#[derive(Debug, Default)]
pub(super) struct Queue {
    products: Vec<CoveredProduct>,
    /// Lines and the weights of their products.
    lines: Vec<(ProductLine, u64)>,
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
            let line = hour.lines_of(*product)[place];
            cover(hour, terms, step, line, *weight);
        }
    }
}

fn first_come(hour: &mut Hour, terms: &Terms, step: Step, queue: &mut Queue) {
    queue.lines.clear();
    for CoveredProduct { weight, product, .. } in &queue.products {
        let open = hour.open_places(*product);
        queue.lines.extend(hour.lines_of(*product)[open].iter().map(|line| (*line, *weight)));
    }
    queue.lines.sort_unstable_by_key(|(line, _)| line.row);
    for (line, weight) in &queue.lines {
        cover(hour, terms, step, *line, *weight);
    }
}

/// Covers what can be covered of a line. Reserved machines of a zone take nothing off the price of
/// capacity that does not run.
fn cover(hour: &mut Hour, terms: &Terms, step: Step, known: ProductLine, weight: u64) {
    let commitment = &terms.commitments[step.commitment];
    if !step.serves(commitment, known.account, terms) {
        return;
    }
    let line = &hour.lines[known.row as usize];
    let left = line.quantity - line.covered;
    let idle = matches!(line.origin, Origin::Reservation(_));
    if left == 0 || (idle && commitment.stage() == Stage::Zonal) {
        return;
    }
    let weight = i128::from(weight);
    let purse = hour.purse(step.commitment);
    let all = left.saturating_mul(weight);
    let quantity = if all <= purse.left() { left } else { purse.left() / weight };
    if quantity > 0 {
        let cost = purse.spend(quantity * weight);
        hour.piece(known.row, step.commitment, quantity, cost);
    }
}
