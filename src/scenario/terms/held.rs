//! Commitments of the terms as policies see them.

use crate::billing::commitment::{Benefit, Commitment, PlanPrice, hour_of, start_of};
use crate::billing::currency::Currency;
use crate::billing::feed::hour_after;
use crate::billing::rules::shipped;
use crate::billing::terms::AccountTerms;
use crate::billing::usage::{Product, Sale, Service, UsageUnit};
use crate::model::{CommitmentTake, HeldCommitment, Market, Offer, World};
use crate::units::{Id, Money, Time};

use super::{BillingTerms, Kept, matching_of};

/// Offers on demand, with what an instance of each is for bills.
type OfferedProducts = [(Id<Offer>, Product)];

impl BillingTerms {
    /// Commitments and kept capacity of which the account that pays for a run has the benefit.
    pub fn held(&self, world: &World) -> Vec<HeldCommitment> {
        let products = on_demand(world);
        let payer = self.terms.accounts.iter().next().map(|(account, _)| account);
        let kept = self.kept.iter().filter(|kept| Some(kept.account) == payer).enumerate();
        let kept = kept.map(|(row, kept)| kept.held(row, world, &products));
        let kept = kept.filter(|held| !held.takes.is_empty());
        let held = self.terms.commitments.iter();
        kept.chain(held.flat_map(|(id, one)| held_of(&self.terms, (id, one), world, &products)))
            .collect()
    }
}

/// The offers on demand of a world.
pub fn on_demand(world: &World) -> Vec<(Id<Offer>, Product)> {
    let offers = world.offers.iter().filter(|(_, facts)| facts.market == Market::OnDemand);
    offers.map(|(offer, _)| (offer, product_of(world, offer))).collect()
}

/// A commitment as the policies of a run see it, in each stretch of its term in which its currency is worth
/// the same: none, where the account that pays for the run has no benefit of it, or it covers no offer.
/// What a currency will be worth is not known before.
pub fn held_of(
    terms: &AccountTerms,
    (id, commitment): (Id<Commitment>, &Commitment),
    world: &World,
    products: &OfferedProducts,
) -> Vec<HeldCommitment> {
    let payer = terms.accounts.iter().next().map(|(account, _)| account);
    if !payer.is_some_and(|payer| terms.accounts.within(payer, commitment.scope)) {
        return Vec::new();
    }
    let time = |at: Time| world.calendar.time(at.micros());
    let mut stretches = vec![commitment.from];
    stretches.extend(changes_of_worth(terms, commitment));
    let until = stretches.iter().skip(1).copied().chain([commitment.until]);
    let stretches = stretches.iter().copied().zip(until);
    let held = stretches.map(|(from, until)| {
        let one = terms.in_dollars(commitment, hour_of(from));
        let takes = products.iter();
        let takes =
            takes.filter_map(|(offer, product)| Some((*offer, take(terms, &one, product)?)));
        HeldCommitment {
            name: one.name.clone(),
            from: time(from),
            until: time(until),
            ends: time(commitment.until),
            known: foreign(commitment).map(|_| time(from)),
            order: [1 + one.stage() as u32, least_share(&one), id.raw()],
            is_kept: false,
            amount: match &one.benefit {
                Benefit::Reserved { weight, .. } => i128::from(*weight),
                Benefit::Spending { hourly, .. } => picos(*hourly),
            },
            takes: takes.collect(),
        }
    });
    held.filter(|held| !held.takes.is_empty()).collect()
}

/// The currency of a plan that is in another than the dollar.
const fn foreign(commitment: &Commitment) -> Option<Id<Currency>> {
    match commitment.benefit {
        Benefit::Reserved { .. } => None,
        Benefit::Spending { .. } => commitment.currency,
    }
}

/// The clock hours within its term from which on the currency of a plan is worth another amount.
fn changes_of_worth(terms: &AccountTerms, commitment: &Commitment) -> Vec<Time> {
    let Some(currency) = foreign(commitment) else { return Vec::new() };
    let dates = terms.currencies[currency].worth.iter();
    let hours = dates.map(|(date, _)| hour_after(*date));
    let mut hours: Vec<Time> = hours.map(start_of).collect();
    hours.retain(|at| commitment.from < *at && *at < commitment.until);
    hours.dedup();
    hours
}

/// What an instance of the product takes of a commitment in dollars.
fn take(terms: &AccountTerms, one: &Commitment, product: &Product) -> Option<CommitmentTake> {
    if !one.covers(product) {
        return None;
    }
    let Some(price) = one.plan_price(product) else {
        return Some(CommitmentTake::Units(product.weight));
    };
    // Its price under the plan, or the negotiated price where that is lower.
    let negotiated = u32::try_from(terms.paid(product)).unwrap_or(1_000_000);
    Some(match price {
        PlanPrice::Fixed(rate) => CommitmentTake::Spending { fixed: Some(rate), share: negotiated },
        PlanPrice::Share(share) => {
            CommitmentTake::Spending { fixed: None, share: share.min(negotiated) }
        }
    })
}

impl Kept {
    /// As policies see it; the `row`-th of those that are kept.
    fn held(&self, row: usize, world: &World, products: &OfferedProducts) -> HeldCommitment {
        /// Thousandths of a machine.
        const MACHINE: u64 = 1_000;
        let matching = matching_of(&self.product);
        let runs_in = |(_, product): &&(Id<Offer>, Product)| {
            product.provider == self.product.provider && matching.covers(product)
        };
        let offers = products.iter().filter(runs_in);
        HeldCommitment {
            name: self.name.clone(),
            from: world.calendar.time(self.from.micros()),
            until: world.calendar.time(self.until.micros()),
            ends: world.calendar.time(self.until.micros()),
            known: None,
            order: [0, 0, row as u32],
            is_kept: true,
            amount: i128::from(self.machines) * i128::from(MACHINE),
            takes: offers.map(|&(offer, _)| (offer, CommitmentTake::Units(MACHINE))).collect(),
        }
    }
}

/// Pico-dollars.
const fn picos(money: Money) -> i128 {
    money.nanos().saturating_mul(1_000)
}

/// The smallest share of a price that is paid under the plan, in millionths; 0 of what is reserved.
fn least_share(commitment: &Commitment) -> u32 {
    match &commitment.benefit {
        Benefit::Reserved { .. } => 0,
        Benefit::Spending { rates, .. } => {
            let shares = rates.iter().map(|rate| match rate.price {
                PlanPrice::Fixed(_) => 0,
                PlanPrice::Share(share) => share,
            });
            shares.min().unwrap_or(0)
        }
    }
}

/// The product that an instance of the offer is, as bills have it.
pub fn product_of(world: &World, offer: Id<Offer>) -> Product {
    let (zone, kind) = (&world.zones[world.offers[offer].zone], world.type_of(offer));
    let region = &world.regions[zone.region];
    let provider = world.providers[region.provider].name.clone();
    Product {
        currency: String::new(),
        service: Service::Compute,
        region: region.name.clone(),
        zone: zone.name.clone(),
        family: shipped().family_of(&provider, &kind.name),
        size: kind.name.clone(),
        system: "linux".to_owned(),
        tenancy: "default".to_owned(),
        sale: match world.offers[offer].market {
            Market::OnDemand | Market::Owned => Sale::OnDemand,
            Market::Spot => Sale::Spot,
        },
        unit: UsageUnit::Hour,
        weight: shipped().weight_of(&provider, &kind.name).unwrap_or(0),
        provider,
    }
}
