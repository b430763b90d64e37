//! What a policy buys of the commitments that are for sale, while its run goes on.

use std::collections::BTreeSet;

use crate::billing::commitment::{Benefit, PlanPrice, hour_of};
use crate::billing::offering::Offering;
use crate::billing::settle::Biller;
use crate::billing::usage::Product;
use crate::model::{HeldCommitment, Offer, World};
use crate::purchase::{PurchaseSpec, Purchaser, UnitCosts};
use crate::scenario::{held_of, on_demand, product_of};
use crate::units::{Id, Money, Rate, Stream, Time};

/// Somebody who buys of what is for sale.
#[derive(Clone, Debug)]
pub struct Purchasing {
    offerings: Vec<Offering>,
    policy: PurchaseSpec,
    seed: u64,
    /// What can be rented on demand, as bills have it.
    products: Vec<(Id<Offer>, Product)>,
}

impl Purchasing {
    /// Buys of these by that policy; what it draws follows from the seed.
    pub fn new(offerings: Vec<Offering>, policy: PurchaseSpec, seed: u64) -> Self {
        Self { offerings, policy, seed, products: Vec::new() }
    }

    /// Has the biller ask it at the end of each hour. An hour of what one unit covers costs on demand
    /// what it does in the mean over the offers of the world that it covers. Of offerings that cover
    /// the same offer the one that saves the largest share counts, and of equals the first: two who
    /// look at one demand would both buy for it. What is in a currency costs what it does as the run begins.
    pub(super) fn begin(&mut self, world: &World, biller: &mut Biller) {
        self.products = on_demand(world);
        let mut found: Vec<(f64, usize, UnitCosts)> = Vec::new();
        let covers = |offering: &Offering| -> Vec<(Id<Offer>, f64)> {
            let worth = |offer| worth(world, offer, offering).map(|worth| (offer, worth));
            world.offers.ids().filter_map(worth).collect()
        };
        let begins = hour_of(Time::from_micros(world.calendar.unix_micros(Time::ZERO)));
        let in_dollars = |offering: &Offering| {
            offering.in_dollars(biller.terms().exchange(offering.currency, begins))
        };
        let offerings: Vec<Offering> = self.offerings.iter().map(in_dollars).collect();
        let covered: Vec<Vec<(Id<Offer>, f64)>> = offerings.iter().map(covers).collect();
        for (row, offering) in offerings.iter().enumerate() {
            let worth = covered[row].iter().map(|(_, worth)| worth);
            let mean = worth.sum::<f64>() / covered[row].len() as f64;
            if mean > 0.0 {
                let costs = offering.unit_costs(Money::from_nanos(libm::round(mean) as i128));
                let paid = offering.cost().dollars() * 1e9 / (mean * offering.hours as f64);
                found.push((paid, row, costs));
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut taken: BTreeSet<Id<Offer>> = BTreeSet::new();
        found.retain(|(_, row, _)| {
            let is_free = covered[*row].iter().all(|(offer, _)| !taken.contains(offer));
            taken.extend(covered[*row].iter().filter(|_| is_free).map(|(offer, _)| *offer));
            is_free
        });
        for (_, row, costs) in found {
            let draw = Stream::of(self.seed, "purchases", row as u64).uniform();
            biller.offer(self.offerings[row].clone(), Purchaser::new(&self.policy, costs, draw));
        }
    }

    /// What is bought for the hour that comes in, as policies see it from then on.
    pub(super) fn decided(&self, world: &World, biller: &mut Biller) -> Vec<HeldCommitment> {
        let decided = biller.decide().to_vec();
        let ids = biller.terms().commitments.len() as u32..;
        let bought = ids.zip(&decided).flat_map(|(id, (_, commitment))| {
            held_of(biller.terms(), (Id::new(id), commitment), world, &self.products)
        });
        bought.collect()
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
            let (of, price) = match unit.plan_price(&product)? {
                PlanPrice::Fixed(price) => (list * 1e3, price.picos()),
                share @ PlanPrice::Share(_) => {
                    (1e9, share.of(Rate::from_picos(1_000_000_000)).picos())
                }
            };
            Some(hourly.nanos() as f64 * of / price.max(1) as f64)
        }
    }
}
