//! Feasibility of work: whether it could ever run, whatever else happens.

mod even;
mod limits;

use rustc_hash::FxHashMap;

use crate::model::{Ask, Market, Offer, QuotaUnit, Rules, Spread, World};
use crate::policy::provision::Reach;
use crate::policy::scope::OfferScope;
use crate::policy::turn::Turn;
use crate::state::{ResolvedRules, WorkRef};
use crate::units::{Demand, Id, Shape};

use even::ZoneRoom;
use limits::Rentable;

/// Work that has the same room: what a task asks, where it may run, and whether
/// several tasks of it start together.
type FitKey = (Demand, Id<Rules>, bool);

/// The rules of work, and the site of an offer for it.
type PlacementLimits<'l> = (&'l ResolvedRules, &'l dyn Fn(Id<Offer>) -> Option<u32>);

/// Kinds of work that are remembered at most. Each piece may be a kind of its own.
const REMEMBERED: usize = 1 << 16;

/// Instances and limits that count in what a world can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedCapacity {
    /// Owned instances.
    pub owned: bool,
    /// Quotas, which leave room for less.
    pub quotas: bool,
    /// Capacities of offers, which do too.
    pub capacities: bool,
}

impl CountedCapacity {
    /// Instances and limits of every kind.
    pub const ALL: Self = Self { owned: true, quotas: true, capacities: true };
}

/// Most tasks of a demand that the world can ever hold at once, remembered by
/// demand and rules.
#[derive(Debug)]
pub struct Feasibility {
    counted: CountedCapacity,
    /// Offers that the policy may rent.
    reach: Reach,
    /// Offers on which the place part puts it.
    placed: OfferScope,
    /// Most instances by offer.
    most: Vec<u64>,
    /// The offer that last held all of some work alone.
    likely: Option<Id<Offer>>,
    /// The last work that it was seen to hold, and how many tasks of it: the next is often alike.
    latest: Option<(FitKey, u64)>,
    held: FxHashMap<FitKey, u64>,
}

impl Feasibility {
    /// Feasibility under a policy that rents so, and whose place part looks at instances of
    /// `placed`.
    pub fn new(reach: Reach, placed: OfferScope) -> Self {
        Self {
            counted: CountedCapacity::ALL,
            reach,
            placed,
            most: Vec::new(),
            likely: None,
            latest: None,
            held: FxHashMap::default(),
        }
    }

    /// The same where only this is counted.
    pub fn counting(self, counted: CountedCapacity) -> Self {
        Self { counted, ..self }
    }

    /// Whether the work can run some day: a gang whole, other work task by task.
    pub(super) fn ever(&mut self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        let ask = &turn.work(work).ask;
        let site = |offer| turn.site(work, offer);
        self.admit(turn.world(), (turn.rules(ask.rules), &site), ask)
    }

    /// The same of what is asked, under rules that are resolved in `world`; `site`
    /// keeps the tasks of a gang together (see [`crate::state::State::site`]).
    #[inline(always)]
    pub fn admit(&mut self, world: &World, limits: PlacementLimits<'_>, ask: &Ask) -> bool {
        let needed = if ask.gang { u64::from(ask.tasks) } else { 1 };
        let alike = (ask.demand, ask.rules, ask.gang && ask.tasks > 1);
        self.latest.is_some_and(|(known, tasks)| known == alike && tasks >= needed)
            || self.admit_new(world, limits, alike, needed)
    }

    fn admit_new(
        &mut self,
        world: &World,
        limits: PlacementLimits<'_>,
        alike: FitKey,
        needed: u64,
    ) -> bool {
        if self.most.is_empty() {
            self.look_at_offers(world);
        }
        // One offer nearly always holds all of it, which is quickly seen.
        let alone = |offer| self.alone(world, limits.0, alike.0, offer) >= needed;
        if self.likely.is_some_and(alone) {
            self.latest = Some((alike, needed));
            return true;
        }
        if let Some(&held) = self.held.get(&alike) {
            return held >= needed;
        }
        if let Some(offer) = world.offers.ids().find(|&offer| alone(offer)) {
            self.likely = Some(offer);
            return true;
        }
        self.held(world, limits, alike) >= needed
    }

    /// Whether there may ever be an instance of `offer`.
    pub(super) fn has_any(&mut self, world: &World, offer: Id<Offer>) -> bool {
        if self.most.is_empty() {
            self.look_at_offers(world);
        }
        self.most[offer.row()] > 0
    }

    fn look_at_offers(&mut self, world: &World) {
        let rentable = rentable(world, self.counted);
        let count = |(offer, facts): (Id<Offer>, &Offer)| {
            let rentable = rentable[offer.row()];
            if self.reach.supplies(world, offer) {
                return rentable;
            }
            if !self.placed.admits(world, offer) {
                return 0;
            }
            match facts.market {
                Market::OnDemand | Market::Spot => self.reach.fleet(world, offer).min(rentable),
                Market::Owned if self.counted.owned => u64::from(facts.running_at_start),
                Market::Owned => 0,
            }
        };
        self.most = world.offers.iter().map(count).collect();
    }

    /// Tasks that an offer holds with no help from others.
    #[inline]
    fn alone(&self, world: &World, rules: &ResolvedRules, demand: Demand, offer: Id<Offer>) -> u64 {
        let facts = &world.offers[offer];
        let count = match facts.market {
            Market::Owned => self.most[offer.row()],
            Market::OnDemand | Market::Spot => self.most[offer.row()].min(self.max_instances()),
        };
        if count == 0 || !rules.allows(offer) {
            return 0;
        }
        let each = each(rules.spread, demand, world.types[facts.instance_type].shape.holds(demand));
        match rules.spread {
            // More need another zone.
            Spread::Zones | Spread::EvenZones => each.min(1),
            Spread::None | Spread::Instances => count.saturating_mul(each),
        }
    }

    fn held(&mut self, world: &World, limits: PlacementLimits<'_>, alike: FitKey) -> u64 {
        let (demand, rules) = (alike.0, limits.0);
        let held = if alike.2 {
            let site_of: Vec<Option<u32>> = world.offers.ids().map(limits.1).collect();
            let mut sites = site_of.clone();
            sites.sort_unstable();
            sites.dedup();
            let within = |&site| {
                self.count(world, rules, demand, &|offer: Id<Offer>| site_of[offer.row()] == site)
            };
            sites.iter().map(within).max().unwrap_or(0)
        } else {
            // Tasks that need not start together need no common site.
            self.count(world, rules, demand, &|_| true)
        };
        if self.held.len() >= REMEMBERED {
            self.held.clear();
        }
        self.held.insert(alike, held);
        held
    }

    /// An upper bound on tasks held at once on the offers that are `within` a site.
    fn count(
        &self,
        world: &World,
        rules: &ResolvedRules,
        demand: Demand,
        within: &dyn Fn(Id<Offer>) -> bool,
    ) -> u64 {
        let (mut owned, mut rented) = (0_u64, Vec::new());
        let mut zones = vec![None; world.zones.len()];
        for (offer, facts) in world.offers.iter() {
            let holds = world.types[facts.instance_type].shape.holds(demand);
            if holds == 0 || !rules.allows(offer) {
                continue;
            }
            let count = self.most[offer.row()];
            if count == 0 {
                continue;
            }
            let zone = zones[facts.zone.row()].get_or_insert_with(ZoneRoom::default);
            if !within(offer) {
                continue;
            }
            let each = each(rules.spread, demand, holds);
            let most = count.saturating_mul(each);
            if facts.market == Market::Owned {
                owned = owned.saturating_add(most);
                zone.add_owned(most);
            } else {
                rented.push(Rentable { offer, each, most });
                zone.add_rented(each, most);
            }
        }
        let from_rent = self.within_limits(world, &rented);
        let held = from_rent.saturating_add(owned);
        let zones = zones.into_iter().flatten();
        match rules.spread {
            Spread::None | Spread::Instances => held,
            Spread::Zones => {
                // One task in each: on what is owned there, or on one rented instance.
                let (owned, rented): (Vec<ZoneRoom>, Vec<ZoneRoom>) =
                    zones.filter(|zone| zone.holds() > 0).partition(ZoneRoom::is_owned);
                (owned.len() as u64).saturating_add(from_rent.min(rented.len() as u64))
            }
            Spread::EvenZones => {
                let single =
                    |one: &Rentable| Rentable { each: 1, most: one.most / one.each, ..*one };
                let singles: Vec<Rentable> = rented.iter().map(single).collect();
                let zones: Vec<ZoneRoom> = zones.collect();
                held.min(even::most(&zones, self.within_limits(world, &singles)))
            }
        }
    }

    /// Instances that the policy may have rented at once, as far as it limits them itself.
    fn max_instances(&self) -> u64 {
        self.reach.max_instances.map_or(u64::MAX, u64::from)
    }
}

/// Tasks that count on one instance which `holds` so many.
fn each(spread: Spread, demand: Demand, holds: u32) -> u64 {
    match spread {
        // Each needs a zone, and so an instance, of its own.
        Spread::Instances | Spread::Zones => u64::from(holds.min(1)),
        Spread::EvenZones if demand.exclusive => u64::from(holds.min(1)),
        Spread::None | Spread::EvenZones => u64::from(holds),
    }
}

/// Most instances of each offer at once by its capacity and every quota, where they are
/// counted.
pub(in crate::policy) fn rentable(world: &World, counted: CountedCapacity) -> Vec<u64> {
    let capacity = |offer: &Offer| {
        let capacity = offer.capacity.most().filter(|_| counted.capacities);
        capacity.map_or(u64::MAX, u64::from)
    };
    let mut most: Vec<u64> = world.offers.rows().iter().map(capacity).collect();
    for quota in world.quotas.iter().filter(|_| counted.quotas) {
        for &offer in &quota.offers {
            let units = units_of(quota.unit, world.type_of(offer).whole);
            let by_quota = quota.limit.checked_div(units).unwrap_or(u64::MAX);
            most[offer.row()] = most[offer.row()].min(by_quota);
        }
    }
    most
}

fn units_of(unit: QuotaUnit, whole: Shape) -> u64 {
    match unit {
        QuotaUnit::Instances => 1,
        QuotaUnit::Cpu => u64::from(whole.cpu),
        QuotaUnit::Gpus => u64::from(whole.gpus),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Quota, Rules};
    use crate::state::testing::{Plan, demand, shape, world};

    /// Cores, whether it is owned, and the most instances.
    fn offer() -> impl Strategy<Value = Plan> {
        (1..20_u32, any::<bool>(), prop::option::of(0..5_u32)).prop_map(|(cores, owned, most)| {
            let shape = shape(cores * 1_000, 1_024, 0);
            match owned {
                true => Plan { shape, running: most.unwrap_or(1), ..Plan::default() },
                false => {
                    Plan { shape, market: Market::OnDemand, capacity: most, ..Plan::default() }
                }
            }
        })
    }

    /// Unit, limit, and the offers by bit.
    fn quota(world: &World) -> impl Strategy<Value = Quota> + use<> {
        let offers: Vec<Id<Offer>> = world.offers.ids().collect();
        (any::<bool>(), 0..40_u64, prop::sample::subsequence(offers, 1..=world.offers.len()))
            .prop_map(|(cpu, limit, offers)| {
                let (unit, limit) = match cpu {
                    true => (QuotaUnit::Cpu, limit * 1_000),
                    false => (QuotaUnit::Instances, limit / 4),
                };
                Quota { name: String::new(), unit, limit, offers }
            })
    }

    fn limited() -> impl Strategy<Value = World> {
        prop::collection::vec(offer(), 1..5).prop_map(|plans| world(&plans)).prop_flat_map(
            |world| {
                prop::collection::vec(quota(&world), 0..4)
                    .prop_map(move |quotas| World { quotas, ..world.clone() })
            },
        )
    }

    proptest! {
        /// The short way says yes only where the long way does; for a single task also the
        /// other way round.
        #[test]
        fn one_offer_holds_no_more_than_all(
            world in limited(),
            max_instances in prop::option::of(0..4_u32),
            cores in 1..9_u32,
            spread in prop::sample::select(vec![
                Spread::None, Spread::Instances, Spread::Zones, Spread::EvenZones,
            ]),
        ) {
            let reach =
                Reach { markets: vec![Market::OnDemand], max_instances, ..Reach::default() };
            let mut fits = Feasibility::new(reach, OfferScope::default());
            fits.look_at_offers(&world);
            let rules = ResolvedRules::new(&world, &Rules { spread, ..Rules::default() });
            let demand = demand(cores * 1_000, 0, 0, 0);
            let all = fits.count(&world, &rules, demand, &|_| true);
            let alone = |offer| fits.alone(&world, &rules, demand, offer);
            let most = world.offers.ids().map(alone).max().unwrap_or(0);
            prop_assert!(most <= all, "{most} alone, {all} in all");
            prop_assert_eq!(most > 0, all > 0);
        }

        /// The bound is one, and exact where there is one limit of instances.
        #[test]
        fn no_choice_of_instances_holds_more(
            world in limited(),
            max_instances in prop::option::of(0..4_u32),
            cores in 1..9_u32,
        ) {
            let reach =
                Reach { markets: vec![Market::OnDemand], max_instances, ..Reach::default() };
            let mut fits = Feasibility::new(reach, OfferScope::default());
            fits.look_at_offers(&world);
            let rules = ResolvedRules::new(&world, &Rules::default());
            let demand = demand(cores * 1_000, 0, 0, 0);
            let bound = fits.count(&world, &rules, demand, &|_| true);
            let exact = best(&world, demand, (max_instances, 0), &mut vec![0; world.offers.len()]);
            prop_assume!(exact < u64::from(MANY));
            prop_assert!(exact <= bound, "{exact} exactly, bound {bound}");
            if world.quotas.is_empty() {
                prop_assert_eq!(exact, bound);
            }
        }
    }

    /// The last finding answers for work like it, of as many tasks or fewer, and for no other.
    #[test]
    fn more_than_was_found_to_fit_is_looked_at_anew() {
        let plan = Plan { shape: shape(4_000, 4_096, 0), running: 1, ..Plan::default() };
        let world = world(&[plan]);
        let mut fits = Feasibility::new(Reach::default(), OfferScope::default());
        let rules = ResolvedRules::new(&world, &Rules::default());
        for (tasks, cores, gang, admitted) in [
            (4, 1, true, true),
            (5, 1, true, false),
            (3, 1, true, true),
            (3, 2, true, false),
            (9, 2, false, true),
            (9, 5, false, false),
        ] {
            let demand = demand(cores * 1_000, 0, 0, 0);
            let ask = Ask { demand, tasks, gang, ..Ask::default() };
            let found = fits.admit(&world, (&rules, &|_| None), &ask);
            assert_eq!(found, admitted, "{tasks} of {cores} cores, gang: {gang}");
        }
    }

    /// Instances of an offer without capacity that are tried.
    const MANY: u32 = 12;

    /// Most tasks by trying every number of instances of the offers from `next` on, where
    /// `counts` are chosen before.
    fn best(
        world: &World,
        demand: Demand,
        (most, next): (Option<u32>, usize),
        counts: &mut Vec<u32>,
    ) -> u64 {
        let rented = |row: usize| world.offers.rows()[row].market != Market::Owned;
        let units = |unit: QuotaUnit, row: usize| {
            u64::from(counts[row]) * units_of(unit, world.type_of(Id::new(row as u32)).whole)
        };
        let kept = world.quotas.iter().all(|quota| {
            let of = |offer: &Id<Offer>| {
                if rented(offer.row()) { units(quota.unit, offer.row()) } else { 0 }
            };
            quota.offers.iter().map(of).sum::<u64>() <= quota.limit
        });
        let count: u32 = (0..counts.len()).filter(|&row| rented(row)).map(|row| counts[row]).sum();
        if !kept || most.is_some_and(|most| count > most) {
            return 0;
        }
        if next == counts.len() {
            let tasks = |row: usize| {
                u64::from(world.type_of(Id::new(row as u32)).shape.holds(demand))
                    * u64::from(counts[row])
            };
            return (0..counts.len()).map(tasks).sum();
        }
        let facts = &world.offers.rows()[next];
        let all = if rented(next) {
            facts.capacity.most().unwrap_or(MANY)
        } else {
            facts.running_at_start
        };
        let from = if rented(next) { 0 } else { all };
        let mut found = 0;
        for chosen in from..=all {
            counts[next] = chosen;
            found = found.max(best(world, demand, (most, next + 1), counts));
        }
        counts[next] = 0;
        found
    }
}
