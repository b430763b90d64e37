//! What a policy buys of the commitments that are for sale, while its run goes on.

use crate::billing::commitment::Benefit;
use crate::billing::offering::Offering;
use crate::billing::rules::shipped;
use crate::billing::settle::Biller;
use crate::billing::usage::{Product, Sale, Service, UsageUnit};
use crate::model::{Market, Offer, World};
use crate::purchase::{PurchaseSpec, Purchaser};
use crate::units::{Id, Money, Rate, Stream, Time};

/// Somebody who buys of what is for sale.
#[derive(Clone, Debug)]
pub struct Purchasing {
    offerings: Vec<Offering>,
    policy: PurchaseSpec,
    seed: u64,
}

impl Purchasing {
    /// Buys of these by that policy; what it draws follows from the seed.
    pub const fn new(offerings: Vec<Offering>, policy: PurchaseSpec, seed: u64) -> Self {
        Self { offerings, policy, seed }
    }

    /// Has the biller ask it at the end of each hour. An hour of what one unit covers costs on demand
    /// what it does in the mean over the offers of the world that it covers; where there are none,
    /// there is nothing to buy for.
    pub(super) fn begin(&self, world: &World, biller: &mut Biller) {
        for (row, offering) in (0..).zip(&self.offerings) {
            let worth: Vec<f64> =
                world.offers.ids().filter_map(|offer| worth(world, offer, offering)).collect();
            if worth.is_empty() {
                continue;
            }
            let mean = worth.iter().sum::<f64>() / worth.len() as f64;
            let costs = offering.unit_costs(Money::from_nanos(libm::round(mean) as i128));
            let draw = Stream::of(self.seed, "purchases", row).uniform();
            biller.offer(offering.clone(), Purchaser::new(&self.policy, costs, draw));
        }
    }
}

/// Nano-dollars that an hour of what one unit covers costs on demand on that offer; `None` where it
/// covers none of it.
fn worth(world: &World, offer: Id<Offer>, offering: &Offering) -> Option<f64> {
    let product = product_of(world, offer);
    let unit = offering.buy(1, 0);
    let list = world.offers[offer].price.at(Time::ZERO);
    if !unit.covers(&product) || list == Rate::ZERO {
        return None;
    }
    let list = list.picos() as f64 / 1e3;
    match &offering.benefit {
        Benefit::Reserved { weight, .. } => {
            (product.weight > 0).then(|| list * *weight as f64 / product.weight as f64)
        }
        Benefit::Spending { hourly, .. } => {
            let price = unit.plan_price(&product)?.of(Rate::from_picos(1_000_000_000));
            Some(hourly.nanos() as f64 * 1e9 / price.picos().max(1) as f64)
        }
    }
}

/// The product that an instance of the offer is, as bills have it.
pub(super) fn product_of(world: &World, offer: Id<Offer>) -> Product {
    let (zone, kind) = (&world.zones[world.offers[offer].zone], world.type_of(offer));
    let region = &world.regions[zone.region];
    let provider = world.providers[region.provider].name.clone();
    Product {
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
