//! Which work could never run, whatever else happens?

use rustc_hash::FxHashMap;

use crate::model::{Ask, Market, Offer, QuotaUnit, Rules, Spread, World};
use crate::policy::spec;
use crate::policy::turn::Turn;
use crate::state::{Resolved, WorkRef};
use crate::units::{Demand, Id, Shape};

/// Work that has the same room: what a task asks, where it may run, and whether
/// several tasks of it start together.
type Alike = (Demand, Id<Rules>, bool);

/// The rules of work, and the site of an offer for it.
type Limits<'l> = (&'l Resolved, &'l dyn Fn(Id<Offer>) -> Option<u32>);

/// Kinds of work that are remembered at most. Each piece may be a kind of its own.
const REMEMBERED: usize = 1 << 16;

/// What is counted of what a world can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Owned instances.
    pub owned: bool,
    /// Quotas, which leave room for less.
    pub quotas: bool,
    /// Capacities of offers, which do too.
    pub capacities: bool,
}

impl Counted {
    /// Everything.
    pub const ALL: Self = Self { owned: true, quotas: true, capacities: true };
}

/// Most tasks of a demand that the world can ever hold at once, remembered by
/// demand and rules.
#[derive(Debug)]
pub struct Fits {
    counted: Counted,
    provision: spec::Provision,
    /// Where it may be placed, and what is rented.
    scopes: [spec::Scope; 2],
    /// Most instances by offer.
    most: Vec<u64>,
    /// The offer that last held all of some work alone.
    likely: Option<Id<Offer>>,
    held: FxHashMap<Alike, u64>,
}

impl Fits {
    /// For a policy that provisions so.
    pub fn new(provision: &spec::Provision, scopes: [&spec::Scope; 2]) -> Self {
        let (provision, scopes) = (provision.clone(), scopes.map(Clone::clone));
        Self {
            counted: Counted::ALL,
            provision,
            scopes,
            most: Vec::new(),
            likely: None,
            held: FxHashMap::default(),
        }
    }

    /// The same where only this is counted.
    pub fn counting(self, counted: Counted) -> Self {
        Self { counted, ..self }
    }

    /// Whether the work can run some day: a gang whole, other work task by task.
    pub(super) fn ever(&mut self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        let ask = turn.work(work).ask;
        let site = |offer| turn.site(work, offer);
        self.admit(turn.world(), (turn.rules(ask.rules), &site), &ask)
    }

    /// The same of what is asked, under rules that are resolved in `world`; `site`
    /// keeps the tasks of a gang together (see [`crate::state::State::site`]).
    pub fn admit(&mut self, world: &World, limits: Limits<'_>, ask: &Ask) -> bool {
        let needed = if ask.gang { u64::from(ask.tasks) } else { 1 };
        let alike = (ask.demand, ask.rules, ask.gang && ask.tasks > 1);
        if self.most.is_empty() {
            self.look_at_offers(world);
        }
        // One offer nearly always holds all of it, which is quickly seen.
        let alone = |offer| self.alone(world, limits.0, ask.demand, offer) >= needed;
        if self.likely.is_some_and(alone) {
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

    fn look_at_offers(&mut self, world: &World) {
        self.most = most_instances(world, &self.provision, self.counted);
        let [placed, rented] = &self.scopes;
        let on_demand = matches!(self.provision, spec::Provision::OnDemand { .. });
        for (offer, facts) in world.offers.iter() {
            let rents = on_demand && facts.market != Market::Owned;
            let scope = if rents { rented } else { placed };
            if !scope.admits(world, offer) {
                self.most[offer.row()] = 0;
            }
        }
    }

    /// Tasks that an offer holds with no help from others.
    #[inline]
    fn alone(&self, world: &World, rules: &Resolved, demand: Demand, offer: Id<Offer>) -> u64 {
        let facts = &world.offers[offer];
        let count = match self.provision {
            spec::Provision::OnDemand { max_instances: Some(most), .. }
                if facts.market != Market::Owned =>
            {
                self.most[offer.row()].min(u64::from(most))
            }
            _ => self.most[offer.row()],
        };
        if count == 0 || !rules.allows(offer) {
            return 0;
        }
        let each = each(rules.spread, demand, world.types[facts.instance_type].shape.holds(demand));
        match rules.spread {
            Spread::Zones => each.min(1),
            Spread::None | Spread::Instances | Spread::EvenZones => count.saturating_mul(each),
        }
    }

    fn held(&mut self, world: &World, limits: Limits<'_>, alike: Alike) -> u64 {
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
        rules: &Resolved,
        demand: Demand,
        within: &dyn Fn(Id<Offer>) -> bool,
    ) -> u64 {
        let (mut owned, mut rented) = (0_u64, Vec::new());
        let mut zones = vec![false; world.zones.len()];
        for (offer, facts) in world.offers.iter() {
            let count = self.most[offer.row()];
            if count == 0 || !within(offer) || !rules.allows(offer) {
                continue;
            }
            let holds = world.types[facts.instance_type].shape.holds(demand);
            if holds == 0 {
                continue;
            }
            zones[facts.zone.row()] = true;
            let each = each(rules.spread, demand, holds);
            let most = count.saturating_mul(each);
            match facts.market {
                Market::Owned => owned = owned.saturating_add(most),
                _ => rented.push(Rentable { offer, each, most }),
            }
        }
        let held = self.within_limits(world, &rented).saturating_add(owned);
        match rules.spread {
            Spread::Zones => held.min(zones.iter().filter(|&&used| used).count() as u64),
            _ => held,
        }
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

/// What one rented offer can hold.
#[derive(Clone, Copy, Debug)]
struct Rentable {
    offer: Id<Offer>,
    /// Tasks on one instance.
    each: u64,
    /// Tasks on as many as there can be of it alone.
    most: u64,
}

/// Offers that are counted as one, as the same limit was found to hold them back.
#[derive(Clone, Copy, Debug)]
struct Group {
    /// Most tasks that it holds.
    held: u64,
    /// Of its offer that holds most tasks per unit of the limit at hand: tasks and units
    /// of an instance.
    best: (u64, u64),
}

impl Fits {
    /// Most tasks that `rented` offers hold together, within the policy's own limit and
    /// quotas. The smallest come first: what lies within one holds no more than it on its
    /// best offers, and counts as one in those around it. Of quotas that overlap without
    /// one lying within the other, the later is left out, so the bound may be high.
    fn within_limits(&self, world: &World, rented: &[Rentable]) -> u64 {
        let quotas = world.quotas.iter().filter(|_| self.counted.quotas);
        let mut quotas: Vec<_> = quotas.collect();
        quotas.sort_by_key(|quota| quota.offers.len());
        // By place in `rented`: the group that it belongs to; and what each group holds.
        let mut group_of: Vec<usize> = (0..rented.len()).collect();
        let mut held: Vec<u64> = rented.iter().map(|one| one.most).collect();
        for quota in quotas {
            let units = |one: &Rentable| match quota.offers.contains(&one.offer) {
                true => units_of(quota.unit, world.type_of(one.offer).whole),
                false => 0,
            };
            limit((rented, &mut group_of, &mut held), quota.limit, units);
        }
        if let spec::Provision::OnDemand { max_instances: Some(most), .. } = self.provision {
            limit((rented, &mut group_of, &mut held), u64::from(most), |_| 1);
        }
        held.iter().fold(0, |sum, &held| sum.saturating_add(held))
    }
}

/// Makes one group of those that lie within a limit of so many units in all, where it
/// holds them back: the densest are rented first. Offers of no units are outside of it.
fn limit(
    (rented, group_of, held): (&[Rentable], &mut [usize], &mut [u64]),
    most: u64,
    units: impl Fn(&Rentable) -> u64,
) {
    let members = |group: usize| {
        let all = rented.iter().zip(&*group_of).filter(move |&(_, &own)| own == group);
        all.map(|(one, _)| (one.each, units(one)))
    };
    let mut inside: Vec<usize> = group_of.to_vec();
    inside.sort_unstable();
    inside.dedup();
    inside.retain(|&group| members(group).all(|(_, units)| units > 0));
    let denser = |a: (u64, u64), b: (u64, u64)| {
        (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1)))
    };
    let group = |&group: &usize| Group {
        held: held[group],
        best: members(group).max_by(|&a, &b| denser(a, b)).expect("a group has offers"),
    };
    let mut groups: Vec<Group> = inside.iter().map(group).collect();
    groups.sort_by(|a, b| denser(b.best, a.best));
    let (mut left, mut tasks) = (u128::from(most), 0_u128);
    for Group { held, best: (each, units) } in groups {
        let (held, each, units) = (u128::from(held), u128::from(each), u128::from(units));
        let taken = held.min(left * each / units);
        tasks += taken;
        left -= left.min(taken * units / each);
    }
    let tasks = u64::try_from(tasks).unwrap_or(u64::MAX);
    let sum = inside.iter().fold(0_u64, |sum, &group| sum.saturating_add(held[group]));
    let Some(&first) = inside.first().filter(|_| sum > tasks) else { return };
    for own in group_of.iter_mut().filter(|own| inside.contains(own)) {
        *own = first;
    }
    inside.iter().for_each(|&group| held[group] = 0);
    held[first] = tasks;
}

/// Most instances of each offer at once, alone.
fn most_instances(world: &World, provision: &spec::Provision, counted: Counted) -> Vec<u64> {
    let rentable = |offer| rentable(world, offer, counted);
    let count = |(offer, facts): (Id<Offer>, &Offer)| {
        if facts.market == Market::Owned {
            return if counted.owned { u64::from(facts.running_at_start) } else { 0 };
        }
        match provision {
            spec::Provision::OwnedOnly => 0,
            spec::Provision::Static { fleets } => {
                let named = fleets.iter().filter(|(name, _)| *name == facts.name);
                let asked = named.map(|&(_, count)| u64::from(count)).sum::<u64>();
                asked.min(rentable(offer))
            }
            spec::Provision::OnDemand { markets, .. } => {
                let open = markets.is_empty() && facts.market == Market::OnDemand
                    || markets.contains(&facts.market);
                if open { rentable(offer) } else { 0 }
            }
        }
    };
    world.offers.iter().map(count).collect()
}

/// Most instances of an offer at once by its capacity and every quota, where they are counted.
fn rentable(world: &World, offer: Id<Offer>, counted: Counted) -> u64 {
    let whole = world.type_of(offer).whole;
    let capacity = world.offers[offer].capacity.filter(|_| counted.capacities);
    let capacity = capacity.map_or(u64::MAX, u64::from);
    if !counted.quotas {
        return capacity;
    }
    let quotas = world.quotas.iter().filter(|quota| quota.offers.contains(&offer));
    let by_quota = quotas.filter_map(|quota| quota.limit.checked_div(units_of(quota.unit, whole)));
    by_quota.fold(capacity, u64::min)
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
    use crate::policy::spec::{Choice, Provision, Scope};
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
            let (choice, after_wait) = (Choice::Cheapest, crate::units::Span::ZERO);
            let provision =
                Provision::OnDemand { choice, markets: Vec::new(), after_wait, max_instances };
            let mut fits = Fits::new(&provision, [&Scope::default(), &Scope::default()]);
            fits.look_at_offers(&world);
            let rules = Resolved::new(&world, &Rules { spread, ..Rules::default() });
            let demand = demand(cores * 1_000, 0, 0, 0);
            let all = fits.count(&world, &rules, demand, &|_| true);
            let alone = |offer| fits.alone(&world, &rules, demand, offer);
            let most = world.offers.ids().map(alone).max().unwrap_or(0);
            prop_assert!(most <= all, "{most} alone, {all} in all");
            prop_assert_eq!(most > 0, all > 0);
        }
    }
}
