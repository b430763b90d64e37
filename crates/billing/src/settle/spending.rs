//! Spending plans are applied: to what they save the largest share of first, and of equal shares
//! to the lowest price under the plan, until what is committed is spent.

use std::ops::ControlFlow;

use crate::commitment::{Commitment, PlanPrice};
use crate::rate;
use crate::terms::AccountTerms;
use crate::units::{Id, Money, Rate};
use crate::usage::Product;

use super::coverage::Coverages;
use super::hour::Hour;
use super::line::LineRun;
use super::round::Step;

/// Lines of one product at one price that follow each other, and a plan that may cover them, in
/// the order in which they are covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PlanCandidate {
    /// Share of the list price that is paid, in parts of 2^63.
    paid: u64,
    price: Rate,
    product: Id<Product>,
    /// The first of those like it that has money left, and its step.
    first: Id<Commitment>,
    step: u32,
    /// Places among the lines of the product.
    from: u32,
    until: u32,
}

/// Vectors that are used again in each hour.
#[derive(Debug, Default)]
pub(super) struct PlanQueue {
    candidates: Vec<PlanCandidate>,
    next: Vec<u32>,
}

/// Applies the plans of a round together.
pub(super) fn apply(
    hour: &mut Hour,
    terms: &AccountTerms,
    coverages: &Coverages,
    (now, steps): (i64, &[Step]),
    queue: &mut PlanQueue,
) {
    queue.candidates.clear();
    // By step, the next of its twins that has money left: those before it have none.
    queue.next.clear();
    queue.next.extend(0..steps.len() as u32);
    for (number, step) in steps.iter().enumerate().filter(|(_, step)| !step.is_twin) {
        let next = next_of(hour, steps, number as u32, &mut queue.next);
        let Some(next) = next else { continue };
        let first = (steps[next as usize].commitment, next);
        let worth = terms.exchange(terms.commitments[first.0].currency, now);
        let touched = hour.take_touched();
        coverages.reach(step.coverage, &touched, |covered| {
            if let Some(plan) = covered.price {
                let plan = plan.in_dollars(worth);
                candidates(hour, covered.product, plan, first, &mut queue.candidates);
            }
            ControlFlow::Continue(())
        });
        hour.give_touched(touched);
    }
    queue.candidates.sort_unstable();
    for candidate in &queue.candidates {
        if next_of(hour, steps, candidate.step, &mut queue.next).is_none() {
            continue;
        }
        // Whom one of those that are alike serves, all of them serve.
        let step = steps[candidate.step as usize];
        let held = &terms.commitments[step.commitment];
        let lines = hour.take_lines(candidate.product);
        'lines: for line in &lines[candidate.from as usize..candidate.until as usize] {
            if !step.serves(held, line.account, terms) {
                continue;
            }
            // What one of them could not pay for is left to its twins.
            loop {
                let next = next_of(hour, steps, candidate.step, &mut queue.next);
                let Some(next) = next else { break 'lines };
                let by = steps[next as usize].commitment;
                cover(hour, by, line.row, candidate.price);
                if hour.purse(by).left() > 0 {
                    break;
                }
            }
        }
        hour.give_lines(candidate.product, lines);
    }
}

/// The first step from `head` on, of those like it, that has money left.
fn next_of(hour: &mut Hour, steps: &[Step], head: u32, next: &mut [u32]) -> Option<u32> {
    let at = &mut next[head as usize];
    loop {
        let step = steps.get(*at as usize).filter(|step| *at == head || step.is_twin)?;
        if hour.purse(step.commitment).left() > 0 {
            return Some(*at);
        }
        *at += 1;
    }
}

/// Adds the lines of a product that are not covered. What is free needs no cover.
fn candidates(
    hour: &mut Hour,
    product: Id<Product>,
    plan: PlanPrice,
    (first, step): (Id<Commitment>, u32),
    into: &mut Vec<PlanCandidate>,
) {
    let mut from = hour.open_places(product).start as u32;
    for LineRun { list, contracted, until } in hour.runs_of(product) {
        let places = from.min(*until)..*until;
        from = from.max(*until);
        if !places.is_empty() && *contracted != Rate::ZERO {
            let (paid, price) = price_of(plan, *list, *contracted);
            let (from, until) = (places.start, places.end);
            into.push(PlanCandidate { paid, price, product, first, step, from, until });
        }
    }
}

/// Share of the list price that is paid under a plan, in parts of 2^63, and that price. A negotiated
/// price that is lower is paid instead, and uses the commitment up.
pub(super) fn price_of(plan: PlanPrice, list: Rate, contracted: Rate) -> (u64, Rate) {
    let price = plan.of(list);
    let share = |part: i64, whole: i64| match part < whole {
        true => ((i128::from(part) << 63) / i128::from(whole)) as u64,
        false => 1 << 63,
    };
    match plan {
        _ if contracted < price => (share(contracted.picos(), list.picos()), contracted),
        PlanPrice::Fixed(price) => (share(price.picos(), list.picos()), price),
        // Not that of the price, which is rounded: equal shares are equal at any price.
        PlanPrice::Share(millionths) => (parts_of(millionths), price),
    }
}

/// Millionths, in parts of 2^63, rounded down. No share is more than the whole.
const fn parts_of(millionths: u32) -> u64 {
    const WHOLE: u64 = 1 << 63;
    match millionths {
        // Of the whole millionths of 2^63 and of what is left of it: both fit a machine word.
        ..1_000_000 => {
            let millionths = millionths as u64;
            millionths * (WHOLE / 1_000_000) + millionths * (WHOLE % 1_000_000) / 1_000_000
        }
        1_000_000.. => WHOLE,
    }
}

#[inline]
fn cover(hour: &mut Hour, by: Id<Commitment>, row: u32, price: Rate) {
    let line = &hour.lines[row as usize];
    let (left, unit) = (line.quantity - line.covered, line.unit);
    if left == 0 {
        return;
    }
    let purse = hour.purse(by);
    let (money, need) = (purse.left(), rate::amount(left, unit, price));
    let (quantity, spent) = match need <= Money::from_nanos(money) {
        true => (left, need.nanos()),
        // All that is left of the commitment goes into the part of the line that it pays for.
        false => (rate::quantity(Money::from_nanos(money), unit, price).min(left), money),
    };
    if quantity > 0 {
        let cost = purse.spend(spent);
        hour.piece(row, by, quantity, cost);
    }
}
