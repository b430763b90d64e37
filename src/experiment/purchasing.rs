//! What a policy buys of the commitments that are for sale, while its run goes on.

use std::collections::BTreeSet;

use crate::billing::commitment::{Benefit, PlanPrice, hour_of};
use crate::billing::offering::Offering;
use crate::billing::parts::MachinePart;
use crate::billing::settle::Biller;
use crate::billing::usage::Product;
use crate::model::{HeldCommitment, Offer, World};
use crate::purchase::{PurchaseSpec, Purchaser, UnitCosts};
use crate::scenario::{held_of, on_demand};
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
    /// what it does in the mean over the machines on demand, or their parts, that it covers. Of offerings that cover
    /// the same the one that saves the largest share counts, and of equals the first: two who
    /// look at one demand would both buy for it. What is in a currency costs what it does as the run begins.
    pub(super) fn begin(&mut self, world: &World, biller: &mut Biller) {
        self.products = on_demand(world);
        let mut found: Vec<(f64, usize, UnitCosts)> = Vec::new();
        let sold = self.sold(world, biller);
        let covers = |offering: &Offering| -> Vec<(usize, f64)> {
            let worth = |(row, one)| worth(one, offering).map(|worth| (row, worth));
            sold.iter().enumerate().filter_map(worth).collect()
        };
        let begins = hour_of(Time::from_micros(world.calendar.unix_micros(Time::ZERO)));
        let in_dollars = |offering: &Offering| {
            offering.in_dollars(biller.terms().exchange(offering.currency, begins))
        };
        let offerings: Vec<Offering> = self.offerings.iter().map(in_dollars).collect();
        let covered: Vec<Vec<(usize, f64)>> = offerings.iter().map(covers).collect();
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
        let mut taken: BTreeSet<usize> = BTreeSet::new();
        found.retain(|(_, row, _)| {
            let is_free = covered[*row].iter().all(|(one, _)| !taken.contains(one));
            taken.extend(covered[*row].iter().filter(|_| is_free).map(|(one, _)| *one));
            is_free
        });
        for (_, row, costs) in found {
            let draw = Stream::of(self.seed, "purchases", row as u64).uniform();
            biller.offer(self.offerings[row].clone(), Purchaser::new(&self.policy, costs, draw));
        }
    }

    /// What machines on demand are sold as, with the list price of an hour of it: where they are taken
    /// apart, their parts.
    fn sold(&self, world: &World, biller: &Biller) -> Vec<OnSale> {
        let products = self.products.iter();
        let sold = products.flat_map(|(offer, product)| {
            let list = world.offers[*offer].price.at(Time::ZERO);
            let parts = biller.terms().parts_of(product).map(|made| {
                let prices = made.prices_of(list);
                let parts = MachinePart::both(product, made).into_iter().zip(prices);
                parts
                    .map(|(of, list)| OnSale { product: of.product(), of: Some(of), list })
                    .collect()
            });
            parts.unwrap_or_else(|| vec![OnSale { product: product.clone(), of: None, list }])
        });
        sold.collect()
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

/// Something that a commitment may cover, and its list price.
struct OnSale {
    product: Product,
    /// The part of a machine that it is, if it is one.
    of: Option<MachinePart>,
    list: Rate,
}

/// Nano-dollars that an hour of what one unit covers costs on demand there; `None` where it covers none
/// of it.
fn worth(sold: &OnSale, offering: &Offering) -> Option<f64> {
    let OnSale { product, of, list } = sold;
    let (unit, of) = (offering.buy(1, 0), of.as_ref());
    if !unit.covers_sold(product, of) || *list == Rate::ZERO {
        return None;
    }
    let list = list.picos() as f64 / 1e3;
    match &offering.benefit {
        Benefit::Reserved { weight, .. } => {
            (product.weight > 0).then(|| list * *weight as f64 / product.weight as f64)
        }
        Benefit::Spending { hourly, .. } => {
            let (of, price) = match unit.benefit.price_sold(product, of)? {
                PlanPrice::Fixed(price) => (list * 1e3, price.picos()),
                share @ PlanPrice::Share(_) => {
                    (1e9, share.of(Rate::from_picos(1_000_000_000)).picos())
                }
            };
            Some(hourly.nanos() as f64 * of / price.max(1) as f64)
        }
    }
}
