//! Offers of the world to work of one set of rules, at most: like offers put together, with the
//! lowest price that each will ever have.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::spells::SpotSpells;
use crate::model::{Interner, Market, Offer, QuotaUnit, Region, Rules, World};
use crate::state::ResolvedRules;
use crate::units::{Id, Shape, Span, Time};

/// Ways to weigh an instance's resources when its price is shared out: CPU,
/// memory, GPU. At any moment the shares of the work on an instance add up to at
/// most 1 by each resource, and so by any mean of them.
pub(super) const WEIGHTS: [[f64; 3]; 6] = [
    [1.0, 0.0, 0.0],
    [0.5, 0.5, 0.0],
    [0.0, 1.0, 0.0],
    [0.0, 0.0, 1.0],
    [0.25, 0.25, 0.5],
    [0.4, 0.4, 0.2],
];

/// The ways for instances without GPUs.
pub(super) const PLAIN: Range<usize> = 0..3;
/// The ways for instances with GPUs.
pub(super) const WITH_GPUS: Range<usize> = 3..WEIGHTS.len();

/// A way without GPUs and one with them, for each pair of these.
pub(super) const PAIRS: [(usize, usize); 9] =
    [(0, 3), (0, 4), (0, 5), (1, 3), (1, 4), (1, 5), (2, 3), (2, 4), (2, 5)];

/// Instances of one shape and speed in one region, owned or rented.
#[derive(Clone, Debug)]
pub(super) struct OfferClass {
    pub(super) shape: Shape,
    /// Speed of a job, in millionths.
    pub(super) speed: u32,
    pub(super) region: Id<Region>,
    /// Owned, and so paid for whether used or not.
    pub(super) owned: bool,
    /// Instances that run when the run starts.
    pub(super) running: u64,
    /// Most instances at once; `None` for no limit.
    pub(super) limit: Option<u64>,
    /// Time from the run's start to the first of them at the earliest.
    pub(super) boot: Span,
    /// Lowest price from the run's start on, in dollars per microsecond.
    pub(super) price: f64,
    /// Share of an instance per unit, by way to weigh (see [`WEIGHTS`]) and resource; `ways` are
    /// those for this shape.
    pub(super) shares: [[f64; 3]; WEIGHTS.len()],
    pub(super) ways: Range<usize>,
    /// Rows of the offers.
    offers: Vec<usize>,
    /// Some work that is bound to limited offers may run here.
    pub(super) needed: bool,
    /// Times at which an instance may be there; `None` is all. A class of which they are known is one
    /// offer.
    pub(super) spells: Option<SpotSpells>,
}

/// Classes of offers on which work of one set of rules may run.
#[derive(Clone, Debug)]
pub(super) struct FeasibleOffers {
    pub(super) classes: Vec<OfferClass>,
}

/// Feasible offers of a run, by rules.
#[derive(Debug)]
pub(super) struct FeasibleOfferCache<'w> {
    world: &'w World,
    started: Time,
    seed: Option<u64>,
    rows: Vec<Option<FeasibleOffers>>,
    /// Number of classes of offers for all rules so far.
    pub(super) size: usize,
}

impl<'w> FeasibleOfferCache<'w> {
    pub(super) fn new(world: &'w World, started: Time, seed: Option<u64>) -> Self {
        Self { world, started, seed, rows: Vec::new(), size: 0 }
    }

    /// Feasible offers under these rules.
    pub(super) fn of(&mut self, book: &Interner, rules: Id<Rules>) -> &mut FeasibleOffers {
        if self.rows.len() <= rules.row() {
            self.rows.resize(rules.row() + 1, None);
        }
        let (world, started, seed) = (self.world, self.started, self.seed);
        let size = &mut self.size;
        self.rows[rules.row()].get_or_insert_with(|| {
            let feasible = FeasibleOffers::new(world, &book.all_rules()[rules], (started, seed));
            *size += feasible.classes.len();
            feasible
        })
    }

    /// The most milli-cores, MiB and milli-GPUs of all classes of offers that are needed.
    pub(super) fn capacity(&self) -> [i128; 3] {
        let rows = self.rows.iter().flatten();
        let classes =
            rows.flat_map(|feasible| feasible.classes.iter().filter(|class| class.needed));
        let offers: BTreeSet<usize> = classes.flat_map(|class| class.offers.clone()).collect();
        let mut sums = vec![[0_i128; 3]; self.world.quotas.len() + 1];
        for &row in &offers {
            let offer = Id::new(row as u32);
            let limit = i128::from(limit(self.world, offer).unwrap_or(0));
            let sum = &mut sums[self.quota_of(offer)];
            for (sum, amount) in sum.iter_mut().zip(amounts(self.world.type_of(offer).shape)) {
                *sum += limit * i128::from(amount);
            }
        }
        let none = self.world.quotas.len();
        let mut total = sums[none];
        for (row, sum) in sums.iter().enumerate().take(none) {
            let within: Vec<Id<Offer>> = offers
                .iter()
                .map(|&offer| Id::new(offer as u32))
                .filter(|&offer| self.quota_of(offer) == row)
                .collect();
            for (resource, total) in total.iter_mut().enumerate() {
                *total += sum[resource].min(self.within_quota(row, &within, resource));
            }
        }
        total
    }

    /// The quota that an offer is counted under here: of those that count it,
    /// the one with the smallest limit; the number of quotas for none. An owned
    /// instance, or one that runs from the start, was never refused.
    fn quota_of(&self, offer: Id<Offer>) -> usize {
        let facts = &self.world.offers[offer];
        let rows = self.world.quotas.iter().enumerate();
        let counts = rows.filter(|(_, quota)| {
            facts.market != Market::Owned
                && facts.running_at_start == 0
                && quota.offers.contains(&offer)
        });
        counts.min_by_key(|(_, quota)| quota.limit).map_or(self.world.quotas.len(), |(row, _)| row)
    }

    /// The most of a resource that instances of `offers` have within a quota.
    fn within_quota(&self, row: usize, offers: &[Id<Offer>], resource: usize) -> i128 {
        let quota = &self.world.quotas[row];
        let most = |offer: &Id<Offer>| {
            let facts = self.world.type_of(*offer);
            let amount = i128::from(amounts(facts.shape)[resource]);
            let counted = i128::from(match quota.unit {
                QuotaUnit::Instances => 1,
                QuotaUnit::Cpu => u64::from(facts.whole.cpu),
                QuotaUnit::Gpus => u64::from(facts.whole.gpus),
            });
            // Rounded up; what is not counted is not limited.
            let limit = i128::from(quota.limit);
            if amount == 0 {
                0
            } else if counted == 0 {
                i128::MAX
            } else {
                (limit * amount + counted - 1) / counted
            }
        };
        offers.iter().map(most).max().unwrap_or(0)
    }
}

impl FeasibleOffers {
    fn new(world: &World, rules: &Rules, (started, seed): (Time, Option<u64>)) -> Self {
        let resolved = ResolvedRules::new(world, rules);
        let mut classes: Vec<OfferClass> = Vec::new();
        let mut rows = BTreeMap::new();
        for offer in world.offers.ids().filter(|&offer| resolved.allows(offer)) {
            let Some(mut class) = offer_class(world, &resolved, offer, started) else { continue };
            class.spells = SpotSpells::new(world, offer, seed, started);
            let alone = class.spells.is_some().then_some(offer);
            let like = (class.shape, class.speed, class.region, class.owned, alone);
            let row = *rows.entry(like).or_insert(classes.len());
            match classes.get_mut(row) {
                Some(known) => known.join(class),
                None => classes.push(class),
            }
        }
        Self { classes }
    }
}

impl OfferClass {
    fn join(&mut self, other: Self) {
        self.running += other.running;
        self.limit = self.limit.zip(other.limit).map(|(mine, theirs)| mine.saturating_add(theirs));
        self.boot = self.boot.min(other.boot);
        self.price = self.price.min(other.price);
        self.offers.extend(other.offers);
    }
}

/// Class of an offer by itself; `None` if there never is an instance.
fn offer_class(
    world: &World,
    resolved: &ResolvedRules,
    offer: Id<Offer>,
    started: Time,
) -> Option<OfferClass> {
    let facts = &world.offers[offer];
    let limit = limit(world, offer);
    if limit == Some(0) {
        return None;
    }
    // A uniform draw is never below 2^-53; laws without a quantile function may draw anything.
    const LEAST: f64 = 1.0 / (1_u64 << 53) as f64;
    let boot = Span::from_secs_f64(facts.launch.least(LEAST)).unwrap_or(Span::MAX);
    let lowest = facts.price.lowest(started);
    let shape = world.type_of(offer).shape;
    Some(OfferClass {
        shape,
        shares: WEIGHTS.map(|weights| shares(shape, weights)),
        ways: if shape.gpus == 0 { PLAIN } else { WITH_GPUS },
        speed: resolved.speed(crate::model::WorkKind::Job, offer),
        region: world.region_of(offer),
        owned: facts.market == Market::Owned,
        running: u64::from(facts.running_at_start),
        limit,
        boot: if facts.running_at_start > 0 { Span::ZERO } else { boot },
        price: lowest.dollars_per_hour() / 3.6e9,
        offers: vec![offer.row()],
        needed: false,
        spells: None,
    })
}

/// Most instances of an offer at once; `None` for no limit.
fn limit(world: &World, offer: Id<Offer>) -> Option<u64> {
    let facts = &world.offers[offer];
    let running = u64::from(facts.running_at_start);
    if facts.market == Market::Owned {
        return Some(running);
    }
    let whole = world.type_of(offer).whole;
    let mut limit = facts.capacity.most().map(u64::from);
    for quota in world.quotas.iter().filter(|quota| quota.offers.contains(&offer)) {
        let counted = match quota.unit {
            QuotaUnit::Instances => 1,
            QuotaUnit::Cpu => u64::from(whole.cpu),
            QuotaUnit::Gpus => u64::from(whole.gpus),
        };
        if let Some(most) = quota.limit.checked_div(counted) {
            limit = Some(limit.map_or(most, |limit| limit.min(most)));
        }
    }
    limit.map(|limit| limit.max(running))
}

/// Milli-cores, MiB and milli-GPUs.
pub(super) fn amounts(shape: Shape) -> [u32; 3] {
    [shape.cpu, shape.memory, shape.gpu_milli()]
}

/// The share of an instance that a unit of each resource is, by a mean of the
/// resources that the instance has.
fn shares(shape: Shape, weights: [f64; 3]) -> [f64; 3] {
    let there = amounts(shape).map(f64::from);
    let known = (0..3).filter(|&at| there[at] > 0.0);
    let weight: f64 = known.map(|at| weights[at]).sum();
    let share = |at: usize| {
        if weight > 0.0 && there[at] > 0.0 { weights[at] / weight / there[at] } else { 0.0 }
    };
    [share(0), share(1), share(2)]
}
