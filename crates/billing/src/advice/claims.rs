//! Claims: which offering covers which good, in the order in which a biller applies them.
//!
//! For one account the rounds of settlement (`settle/round.rs`) come down to one list. An offering
//! has one place in it: that of its stage, and there that of its owner, or of the depth of its
//! scope and its term. Reserved machines take their goods one after the other; plans of one place
//! are mixed, those goods first of which the largest share is saved. A test holds the outcome against
//! the biller.

use std::cmp::Reverse;

use crate::account::Account;
use crate::commitment::{Benefit, Commitment, CommitmentStage, PlanPrice};
use crate::terms::{AccountTerms, Sharing};
use crate::units::{Id, Rate};

use super::demand::{FutureDemand, Good};
use crate::offering::Offering;

/// What an offering covers of a good.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfferingClaim {
    pub(super) offering: usize,
    pub(super) good: usize,
    /// Units of the offering that a unit of the good takes in an hour; 0 where it is free.
    pub(super) per: f64,
}

/// Place of an offering among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PlaceKey {
    stage: CommitmentStage,
    longest_first: Reverse<i64>,
    narrowest_first: Reverse<u32>,
    others: bool,
}

/// Place of a good within a round: of reserved machines the commitment counts first, of plans the
/// saving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum TurnKey {
    Reserved { offering: usize, weight: u64, good: Good },
    Plan { paid: u64, price: Rate, good: Good, offering: usize },
}

/// All claims on the demand of an account, in order. Offerings of which a unit is nothing, or
/// whose scope does not hold the account, have none.
pub(super) fn claims(
    demand: &FutureDemand,
    terms: &AccountTerms,
    account: Id<Account>,
    offerings: &[Offering],
) -> Vec<OfferingClaim> {
    let mut keyed = Vec::new();
    for (number, offering) in offerings.iter().enumerate() {
        let unit = offering.buy(1, 0);
        if offering.hours <= 0
            || unit.benefit.of_an_hour() <= 0
            || !terms.accounts.within(account, offering.scope)
        {
            continue;
        }
        let sharing = sharing_of(terms, &offering.provider);
        let place = place_of(&unit, sharing, terms, account);
        for (row, good) in demand.goods.iter().enumerate() {
            if let Some((per, turn)) = turn_of(&unit, number, sharing, demand, *good) {
                keyed.push((place, turn, OfferingClaim { offering: number, good: row, per }));
            }
        }
    }
    keyed.sort_by_key(|(place, turn, _)| (*place, *turn));
    keyed.into_iter().map(|(_, _, claim)| claim).collect()
}

fn sharing_of(terms: &AccountTerms, provider: &str) -> Sharing {
    let found = terms.sharing.iter().find(|(name, _)| name == provider);
    found.map_or_else(Sharing::default, |(_, sharing)| *sharing)
}

fn place_of(
    unit: &Commitment,
    sharing: Sharing,
    terms: &AccountTerms,
    account: Id<Account>,
) -> PlaceKey {
    let stage = unit.stage();
    let (longest, depth, others) = match (sharing, &unit.benefit) {
        (Sharing::OwnerFirst, _) => (0, 0, unit.owner != account),
        (Sharing::NarrowestFirst, Benefit::Reserved { .. }) => {
            (0, terms.accounts.depth(unit.scope), false)
        }
        (Sharing::NarrowestFirst, Benefit::Spending { .. }) => {
            (unit.hours(), terms.accounts.depth(unit.scope), false)
        }
    };
    PlaceKey { stage, longest_first: Reverse(longest), narrowest_first: Reverse(depth), others }
}

/// Units of the offering per unit of the good, and its turn; `None` where it does not cover it.
fn turn_of(
    unit: &Commitment,
    offering: usize,
    sharing: Sharing,
    demand: &FutureDemand,
    good: Good,
) -> Option<(f64, TurnKey)> {
    let product = &demand.products[good.product];
    let of = demand.part_of(good.product);
    if !unit.covers_sold(product, of) {
        return None;
    }
    match &unit.benefit {
        Benefit::Reserved { weight, .. } => {
            let per = product.weight as f64 / *weight as f64;
            let weight = match sharing {
                Sharing::OwnerFirst => product.weight,
                // Whoever came first: within an hour, in the order of products.
                Sharing::NarrowestFirst => 0,
            };
            Some((per, TurnKey::Reserved { offering, weight, good }))
        }
        Benefit::Spending { hourly, .. } => {
            let (paid, price) = price_of(unit.benefit.price_sold(product, of)?, good);
            let per = price.picos() as f64 / (hourly.nanos() as f64 * 1_000.0);
            Some((per.max(0.0), TurnKey::Plan { paid, price, good, offering }))
        }
    }
}

/// Share of the list price that is paid under a plan, in parts of 2^63, and that price; as
/// `settle/spending.rs` has it.
fn price_of(plan: PlanPrice, Good { list, contracted, .. }: Good) -> (u64, Rate) {
    let price = plan.of(list);
    let share = |part: i64, whole: i64| match part < whole {
        true => ((i128::from(part) << 63) / i128::from(whole)) as u64,
        false => 1 << 63,
    };
    if contracted < price {
        return (share(contracted.picos(), list.picos()), contracted);
    }
    match plan {
        PlanPrice::Fixed(price) => (share(price.picos(), list.picos()), price),
        PlanPrice::Share(millionths) => (share(i64::from(millionths), 1_000_000), price),
    }
}

/// Differences of units that are none.
pub(super) const NEAR: f64 = 1e-9;

/// Applies claims to what is left of each good, as far as each purse of units goes.
#[inline]
pub(super) fn apply(claims: &[OfferingClaim], left: &mut [f64], purse: &mut [f64]) {
    for claim in claims {
        let (rest, units) = (&mut left[claim.good], &mut purse[claim.offering]);
        if *rest <= 0.0 || *units <= NEAR {
            continue;
        }
        let need = *rest * claim.per;
        if need <= *units {
            *units -= need;
            *rest = 0.0;
        } else {
            *rest -= *units / claim.per;
            *units = 0.0;
        }
    }
}

/// Dollars per unit of a good, by contract.
pub(super) fn dollars(good: Good) -> f64 {
    good.contracted.picos() as f64 / 1e12
}
