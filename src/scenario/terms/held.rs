//! Commitments of the terms as policies see them.

use crate::billing::commitment::{Benefit, Commitment, PlanPrice};
use crate::billing::rules::shipped;
use crate::billing::usage::{Product, Sale, Service, UsageUnit};
use crate::model::{CommitmentTake, HeldCommitment, Market, Offer, World};
use crate::units::{Id, Money};

use super::{BillingTerms, Kept, matching_of};

impl BillingTerms {
    /// Commitments and kept capacity that the account which pays for a run shares in, in the order in
    /// which they cover what runs: capacity that is kept, then by the provider's order, and of one stage
    /// what saves the largest share of a price first. Plans in another currency are left out, as their
    /// amount changes by the hour.
    pub fn held(&self, world: &World) -> Vec<HeldCommitment> {
        let products: Vec<(Id<Offer>, Product)> = world
            .offers
            .iter()
            .filter(|(_, facts)| facts.market == Market::OnDemand)
            .map(|(offer, _)| (offer, product_of(world, offer)))
            .collect();
        let payer = self.terms.accounts.iter().next().map(|(account, _)| account);
        let shares = |held: &&Commitment| {
            let is_steady = match held.benefit {
                Benefit::Reserved { .. } => true,
                Benefit::Spending { .. } => held.currency.is_none(),
            };
            is_steady && payer.is_some_and(|payer| self.terms.accounts.within(payer, held.scope))
        };
        let mut held: Vec<&Commitment> =
            self.terms.commitments.iter().map(|(_, one)| one).filter(shares).collect();
        held.sort_by_key(|one| (one.stage(), least_share(one)));
        let kept = self.kept.iter().filter(|kept| Some(kept.account) == payer);
        let kept = kept.map(|kept| kept.held(world, &products));
        let held = held.into_iter().map(|one| self.of(one, world, &products));
        kept.chain(held).filter(|held| !held.takes.is_empty()).collect()
    }

    fn of(
        &self,
        commitment: &Commitment,
        world: &World,
        products: &[(Id<Offer>, Product)],
    ) -> HeldCommitment {
        let take = |(offer, product): &(Id<Offer>, Product)| {
            let take = match commitment.plan_price(product) {
                _ if !commitment.covers(product) => return None,
                None => CommitmentTake::Units(product.weight),
                Some(price) => self.spending(price, product),
            };
            Some((*offer, take))
        };
        HeldCommitment {
            name: commitment.name.clone(),
            from: world.calendar.time(commitment.from.micros()),
            until: world.calendar.time(commitment.until.micros()),
            is_kept: false,
            amount: match &commitment.benefit {
                Benefit::Reserved { weight, .. } => i128::from(*weight),
                Benefit::Spending { hourly, .. } => picos(*hourly),
            },
            takes: products.iter().filter_map(take).collect(),
        }
    }

    /// What an instance takes of a plan: its price there, or the negotiated price where that is lower.
    fn spending(&self, price: PlanPrice, product: &Product) -> CommitmentTake {
        let negotiated = u32::try_from(self.terms.paid(product)).unwrap_or(1_000_000);
        match price {
            PlanPrice::Fixed(rate) => {
                CommitmentTake::Spending { fixed: Some(rate), share: negotiated }
            }
            PlanPrice::Share(share) => {
                CommitmentTake::Spending { fixed: None, share: share.min(negotiated) }
            }
        }
    }
}

impl Kept {
    fn held(&self, world: &World, products: &[(Id<Offer>, Product)]) -> HeldCommitment {
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
