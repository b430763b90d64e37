//! Number of tasks that several offers hold together where they share limits.

use std::cmp::{Ordering, Reverse};

use super::{Feasibility, units_of};
use crate::model::{Offer, Quota, World};
use crate::units::Id;

/// Room of one rented offer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rentable {
    pub(super) offer: Id<Offer>,
    /// Tasks on one instance.
    pub(super) each: u64,
    /// Tasks on as many as there can be of it alone.
    pub(super) most: u64,
}

/// A quota, or the policy's own limit.
struct UnitLimit {
    /// Units that may be held in all.
    most: u64,
    /// Offers by place among the rentable ones, and the units of one instance, none of
    /// them zero.
    units: Vec<(usize, u64)>,
}

/// Offers that are counted as one, as the same limit was found to hold them back.
#[derive(Clone, Debug)]
struct LimitedGroup {
    members: Vec<usize>,
    /// Most tasks that it holds.
    held: u64,
}

/// Tasks and units of an instance; those with most tasks per unit come first.
type Density = (u64, u64);

/// Bound on what rentable offers hold, as far as some limits were taken in.
struct SharedBound<'r> {
    rented: &'r [Rentable],
    /// Group of each rentable offer, by its place among them.
    group_of: Vec<usize>,
    groups: Vec<LimitedGroup>,
}

impl Feasibility {
    /// Most tasks that `rented` offers hold together, within the policy's own limit and
    /// quotas: an upper bound, the lowest of two kinds. One takes each limit alone. The
    /// other takes them in one after the other, the smallest first: what lies within one
    /// holds no more than it on its best offers, and counts as one in those around it. Of
    /// quotas that overlap without one lying within the other, it leaves out the later.
    pub(super) fn within_limits(&self, world: &World, rented: &[Rentable]) -> u64 {
        let mut place = vec![usize::MAX; world.offers.len()];
        for (at, one) in rented.iter().enumerate() {
            place[one.offer.row()] = at;
        }
        let quotas = world.quotas.iter().filter(|_| self.counted.quotas);
        let quota = |quota: &Quota| {
            let units = |&offer: &Id<Offer>| {
                let units = units_of(quota.unit, world.type_of(offer).whole);
                let at = place[offer.row()];
                (at < rented.len() && units > 0).then_some((at, units))
            };
            UnitLimit { most: quota.limit, units: quota.offers.iter().filter_map(units).collect() }
        };
        let mut limits: Vec<UnitLimit> = quotas.map(quota).collect();
        limits.sort_by_key(|limit| limit.units.len());
        let own = self.max_instances();
        limits.push(UnitLimit { most: own, units: (0..rented.len()).map(|at| (at, 1)).collect() });
        let mut nested = SharedBound::new(rented);
        let mut least = nested.held();
        for limit in &limits {
            nested.take_in(limit);
            let mut alone = SharedBound::new(rented);
            alone.take_in(limit);
            least = least.min(alone.held());
        }
        least.min(nested.held())
    }
}

impl<'r> SharedBound<'r> {
    /// Bound with a group for each offer.
    fn new(rented: &'r [Rentable]) -> Self {
        let group =
            |(at, one): (usize, &Rentable)| LimitedGroup { members: vec![at], held: one.most };
        let groups = rented.iter().enumerate().map(group).collect();
        Self { rented, group_of: (0..rented.len()).collect(), groups }
    }

    /// Tasks that all offers hold.
    fn held(&self) -> u64 {
        self.groups.iter().fold(0, |sum, group| sum.saturating_add(group.held))
    }

    /// Makes one group of those that lie within a limit, where it holds them back: the
    /// densest are rented first.
    fn take_in(&mut self, limit: &UnitLimit) {
        let mut inside = self.inside(limit);
        inside.sort_by(|(_, a), (_, b)| denser(*b, *a));
        // No instances take up what is beyond a multiple of all their units.
        let step = limit.units.iter().fold(0, |step, &(_, units)| gcd(step, units)).max(1);
        let (mut left, mut tasks) = (u128::from(limit.most - limit.most % step), 0_u128);
        for &(group, (each, units)) in &inside {
            let held = u128::from(self.groups[group].held);
            let (each, units) = (u128::from(each), u128::from(units));
            let taken = held.min(left * each / units);
            tasks += taken;
            left -= left.min(taken * units / each);
        }
        let tasks = u64::try_from(tasks).unwrap_or(u64::MAX);
        let sum = inside
            .iter()
            .fold(0_u64, |sum, &(group, _)| sum.saturating_add(self.groups[group].held));
        if sum > tasks {
            self.unite(inside.into_iter().map(|(group, _)| group).collect(), tasks);
        }
    }

    /// Groups whose members all lie within the limit, with the density of their densest member.
    fn inside(&self, limit: &UnitLimit) -> Vec<(usize, Density)> {
        let member =
            |&(at, units): &(usize, u64)| (self.group_of[at], (self.rented[at].each, units));
        let mut members: Vec<(usize, Density)> = limit.units.iter().map(member).collect();
        members.sort_unstable();
        let groups = members.chunk_by(|a, b| a.0 == b.0);
        let whole = groups.filter(|found| found.len() == self.groups[found[0].0].members.len());
        let densest = |found: &[(usize, Density)]| {
            let best = found.iter().map(|&(_, density)| density).max_by(|&a, &b| denser(a, b));
            best.map(|best| (found[0].0, best))
        };
        whole.filter_map(densest).collect()
    }

    /// Counts groups as one that holds so many tasks. The largest takes in the others.
    fn unite(&mut self, mut groups: Vec<usize>, held: u64) {
        groups.sort_unstable_by_key(|&group| Reverse((self.groups[group].members.len(), group)));
        let Some((&into, others)) = groups.split_first() else { return };
        for &group in others {
            let members = std::mem::take(&mut self.groups[group].members);
            self.groups[group].held = 0;
            for &at in &members {
                self.group_of[at] = into;
            }
            self.groups[into].members.extend(members);
        }
        self.groups[into].held = held;
    }
}

/// Compares by tasks per unit.
fn denser(a: Density, b: Density) -> Ordering {
    (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1)))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
