//! Spending plans are applied: to what they save the largest share of first, and of equal shares
//! to the lowest price under the plan, until what is committed is spent.

use std::cmp::Reverse;

use crate::commitment::Commitment;
use crate::rate;
use crate::terms::Terms;
use crate::units::{Id, IdVec, Money, Rate};
use crate::usage::{Product, Unit};

use super::hour::Hour;
use super::round::Step;

/// A line that a plan may cover, in the order in which it is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    saving: Reverse<u64>,
    price: Rate,
    row: u32,
    step: u32,
}

/// Applies the plans of a round together.
pub(super) fn apply(hour: &mut Hour, terms: &Terms, products: &IdVec<Product>, steps: &[Step]) {
    let mut candidates = Vec::new();
    for product in hour.touched() {
        for (number, step) in steps.iter().enumerate() {
            let commitment = &terms.commitments[step.commitment];
            if !commitment.covers(&products[*product]) {
                continue;
            }
            let rows = hour.lines_of(*product).iter().copied();
            let served = rows.filter(|row| {
                let line = &hour.lines[*row as usize];
                line.covered < line.quantity
                    && match step.own {
                        true => line.account == commitment.owner,
                        false => terms.accounts.within(line.account, commitment.scope),
                    }
            });
            candidates.extend(served.filter_map(|row| {
                let line = &hour.lines[row as usize];
                let plan = commitment.plan_price(&products[*product], line.list)?;
                let price = plan.min(line.contracted);
                Some(Candidate {
                    saving: Reverse(saving(price, line.list)),
                    price,
                    row,
                    step: number as u32,
                })
            }));
        }
    }
    candidates.sort_unstable();
    for candidate in candidates {
        let unit = products[hour.lines[candidate.row as usize].product].unit;
        cover(hour, steps[candidate.step as usize].commitment, candidate, unit);
    }
}

/// Share of the list price that is saved, in billionths; rounded down.
fn saving(price: Rate, list: Rate) -> u64 {
    let (price, list) = (i128::from(price.picos()), i128::from(list.picos()));
    match list {
        0 => 0,
        list => ((list - price).max(0) * 1_000_000_000 / list) as u64,
    }
}

fn cover(hour: &mut Hour, commitment: Id<Commitment>, candidate: Candidate, unit: Unit) {
    let line = hour.lines[candidate.row as usize];
    let left = line.quantity - line.covered;
    let purse = hour.purse(commitment);
    let (money, price) = (purse.left(), i128::from(candidate.price.picos()));
    let need = rate::amount(left, unit, candidate.price);
    let (quantity, spent) = match need <= Money::from_nanos(money) {
        true => (left, need.nanos()),
        // All that is left of the commitment goes into the part of the line that it pays for.
        false => ((money * 1_000 * unit.whole() / price).min(left), money),
    };
    if quantity > 0 {
        let cost = purse.spend(spent);
        hour.piece(candidate.row, commitment, quantity, cost);
    }
}
