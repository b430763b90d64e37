//! Reserved machines are applied, until what is reserved is used up: the smallest sizes first, or
//! whoever came first.

use std::ops::ControlFlow;

use crate::charge::Origin;
use crate::commitment::CommitmentStage;
use crate::terms::{AccountTerms, Sharing};

use super::coverage::{Coverages, CoveredProduct};
use super::hour::{Hour, ProductLine};
use super::round::Step;

/// Vectors that are used again in each hour.
#[derive(Debug, Default)]
pub(super) struct ProductQueue {
    /// Lines and the weights of their products.
    lines: Vec<(ProductLine, u64)>,
}

/// Applies the reservations of a round, one after the other.
pub(super) fn apply(
    hour: &mut Hour,
    terms: &AccountTerms,
    coverages: &Coverages,
    steps: &[Step],
    queue: &mut ProductQueue,
) {
    for step in steps {
        if hour.purse(step.commitment).left() == 0 {
            continue;
        }
        // Not while its products are served, for that changes the hour.
        let touched = hour.take_touched();
        match terms.sharing(step.commitment) {
            Sharing::OwnerFirst => {
                let serve = |known| smallest_first(hour, terms, *step, known);
                coverages.reach(step.coverage, &touched, serve);
            }
            Sharing::NarrowestFirst => {
                queue.lines.clear();
                coverages.reach(step.coverage, &touched, |known| queue.add(hour, known));
                queue.lines.sort_unstable_by_key(|(line, _)| line.row);
                for (line, weight) in &queue.lines {
                    cover(hour, terms, *step, *line, *weight);
                }
            }
        }
        hour.give_touched(touched);
    }
}

impl ProductQueue {
    fn add(&mut self, hour: &mut Hour, known: CoveredProduct) -> ControlFlow<()> {
        let open = hour.open_places(known.product);
        let lines = hour.lines_of(known.product)[open].iter();
        self.lines.extend(lines.map(|line| (*line, known.weight)));
        ControlFlow::Continue(())
    }
}

/// Covers lines of a product, until what is left pays for no machine of this size, or of a larger
/// one.
fn smallest_first(
    hour: &mut Hour,
    terms: &AccountTerms,
    step: Step,
    known: CoveredProduct,
) -> ControlFlow<()> {
    for place in hour.open_places(known.product) {
        if hour.purse(step.commitment).left() < i128::from(known.weight) {
            return ControlFlow::Break(());
        }
        let line = hour.lines_of(known.product)[place];
        cover(hour, terms, step, line, known.weight);
    }
    ControlFlow::Continue(())
}

/// Covers what can be covered of a line. Reserved machines of a zone take nothing off the price of
/// capacity that does not run.
fn cover(hour: &mut Hour, terms: &AccountTerms, step: Step, known: ProductLine, weight: u64) {
    let commitment = &terms.commitments[step.commitment];
    if !step.serves(commitment, known.account, terms) {
        return;
    }
    let line = &hour.lines[known.row as usize];
    let left = line.quantity - line.covered;
    let idle = matches!(line.origin, Origin::Reservation(_));
    if left == 0 || (idle && commitment.stage() == CommitmentStage::Zonal) {
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
