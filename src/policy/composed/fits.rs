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
    held: FxHashMap<Alike, u64>,
    last: Option<(Alike, u64)>,
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
            held: FxHashMap::default(),
            last: None,
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
        match self.last {
            Some((last, held)) if last == alike => held >= needed,
            _ => {
                let held = self.held(world, limits, alike);
                self.last = Some((alike, held));
                held >= needed
            }
        }
    }

    fn held(&mut self, world: &World, limits: Limits<'_>, alike: Alike) -> u64 {
        if let Some(&held) = self.held.get(&alike) {
            return held;
        }
        if self.most.is_empty() {
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
            let each = match rules.spread {
                Spread::Instances => 1,
                Spread::Zones | Spread::EvenZones if demand.exclusive => 1,
                Spread::None | Spread::Zones | Spread::EvenZones => u64::from(holds),
            };
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
