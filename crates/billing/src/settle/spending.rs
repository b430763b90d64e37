//! Spending plans are applied: to what they save the largest share of first, and of equal shares
//! to the lowest price under the plan, until what is committed is spent.

use crate::commitment::{Commitment, PlanPrice};
use crate::rate;
use crate::terms::Terms;
use crate::units::{Id, IdVec, Money, Rate};
use crate::usage::{Product, Unit};

use super::hour::Hour;
use super::round::Step;

/// A line that a plan may cover, in the order in which it is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    /// Share of the list price that is paid, in parts of 2^63.
    paid: u64,
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
                let plan = commitment.plan_price(&products[*product])?;
                let (paid, price) = price_of(plan, line.list, line.contracted);
                Some(Candidate { paid, price, row, step: number as u32 })
            }));
        }
    }
    candidates.sort_unstable();
    for candidate in candidates {
        let unit = products[hour.lines[candidate.row as usize].product].unit;
        cover(hour, steps[candidate.step as usize].commitment, candidate, unit);
    }
}

/// Share of the list price that is paid under a plan, in parts of 2^63, and that price. A negotiated
/// price that is lower is paid instead, and uses the commitment up.
fn price_of(plan: PlanPrice, list: Rate, contracted: Rate) -> (u64, Rate) {
    let price = plan.of(list);
    let share = |part: i64, whole: i64| match part < whole {
        true => ((i128::from(part) << 63) / i128::from(whole)) as u64,
        false => 1 << 63,
    };
    match plan {
        _ if contracted < price => (share(contracted.picos(), list.picos()), contracted),
        PlanPrice::Fixed(price) => (share(price.picos(), list.picos()), price),
        // Not that of the price, which is rounded: equal shares are equal at any price.
        PlanPrice::Share(millionths) => (share(i64::from(millionths), 1_000_000), price),
    }
}

fn cover(hour: &mut Hour, commitment: Id<Commitment>, candidate: Candidate, unit: Unit) {
    let line = hour.lines[candidate.row as usize];
    let left = line.quantity - line.covered;
    let purse = hour.purse(commitment);
    let (money, price) = (purse.left(), i128::from(candidate.price.picos()));
    if money == 0 || left == 0 {
        return;
    }
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
