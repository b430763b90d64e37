//! Reserved machines are applied, until what is reserved is used up: the smallest sizes first, or
//! whoever came first.

use std::ops::ControlFlow;

use crate::charge::Origin;
use crate::commitment::{Commitment, CommitmentStage};
use crate::terms::{AccountTerms, Sharing};
use crate::units::Id;

use super::coverage::{Coverages, CoveredProduct};
use super::hour::Hour;
use super::line::ProductLine;
use super::purse::Purse;
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
                let held = &terms.commitments[step.commitment];
                let mut purse = *hour.purse(step.commitment);
                for (line, weight) in &queue.lines {
                    if step.serves(held, line.account, terms) {
                        cover(hour, held, step.commitment, line.row, *weight, &mut purse);
                    }
                }
                *hour.purse(step.commitment) = purse;
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
    let open = hour.open_places(known.product);
    let lines = hour.take_lines(known.product);
    let mut purse = *hour.purse(step.commitment);
    let held = &terms.commitments[step.commitment];
    let mut flow = ControlFlow::Continue(());
    for line in &lines[open] {
        if purse.left() < i128::from(known.weight) {
            flow = ControlFlow::Break(());
            break;
        }
        if step.serves(held, line.account, terms) {
            cover(hour, held, step.commitment, line.row, known.weight, &mut purse);
        }
    }
    *hour.purse(step.commitment) = purse;
    hour.give_lines(known.product, lines);
    flow
}

/// Covers what can be covered of a line. Reserved machines of a zone take nothing off the price of
/// capacity that does not run.
#[inline]
fn cover(
    hour: &mut Hour,
    held: &Commitment,
    by: Id<Commitment>,
    row: u32,
    weight: u64,
    purse: &mut Purse,
) {
    let line = &hour.lines[row as usize];
    let left = line.quantity - line.covered;
    let idle = matches!(line.origin, Origin::Reservation(_));
    if left == 0 || (idle && held.stage() == CommitmentStage::Zonal) {
        return;
    }
    let all = match u64::try_from(left) {
        Ok(left) => i128::try_from(u128::from(left) * u128::from(weight)).unwrap_or(i128::MAX),
        Err(_) => left.saturating_mul(i128::from(weight)),
    };
    let weight = i128::from(weight);
    let quantity = if all <= purse.left() { left } else { purse.left() / weight };
    if quantity > 0 {
        let cost = purse.spend(quantity * weight);
        hour.piece(row, by, quantity, cost);
    }
}
