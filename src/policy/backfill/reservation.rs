//! The reservation of the head of the queue, from the running work's estimates.

use std::collections::BTreeMap;

use super::Pass;
use crate::model::{Offer, Spread};
use crate::policy::turn::Turn;
use crate::state::{AllocationRef, Instance, InstanceRef, WorkRef};
use crate::units::{Demand, Id, Time};

/// When the head can start by the estimates, and what others must leave for it then.
#[derive(Debug)]
pub(super) struct Reservation {
    /// For whom.
    pub(super) head: WorkRef,
    /// The shadow time: the first estimated end after which the head fits.
    /// Estimates that overran count as ending now.
    pub(super) at: Time,
    kept: Kept,
    scalar: bool,
}

/// What may still be held at the shadow time by work that started later.
#[derive(Debug)]
enum Kept {
    /// All of it: the head fits nowhere even when everything has ended, so
    /// that nobody delays it.
    Nothing,
    /// This many tasks (scalar pools).
    Extra(u64),
    /// What the head leaves free of each instance that it will use.
    Slack(Vec<(InstanceRef, Instance)>),
}

impl Reservation {
    /// The reservation of `head`, which does not fit now. `room` is that of a scalar
    /// pool.
    pub(super) fn new(pass: &mut Pass<'_, '_, '_, '_>, head: WorkRef, room: Option<u64>) -> Self {
        let found = match room {
            Some(room) => in_scalar_pool(pass.turn, head, room),
            None => {
                let (turn, place) = (&*pass.turn, &mut *pass.place);
                on_instances(turn, head, |offer| place.admits(turn, head, offer))
            }
        };
        let (at, kept) = found.unwrap_or((Time::MAX, Kept::Nothing));
        Self { head, at, kept, scalar: room.is_some() }
    }

    /// Whether it was made for a scalar pool.
    pub(super) fn is_scalar(&self) -> bool {
        self.scalar
    }

    /// Tasks that may be held past the shadow time, where they are all alike.
    pub(super) fn extra(&self) -> u64 {
        if let Kept::Extra(extra) = self.kept { extra } else { u64::MAX }
    }

    /// Whether an estimated end is no later than the shadow time.
    pub(super) fn ends_in_time(&self, end: Time) -> bool {
        end <= self.at
    }

    /// Whether the new allocations `made` leave the head's start alone; if so,
    /// they are counted.
    pub(super) fn admit(&mut self, turn: &Turn<'_, '_>, made: &[AllocationRef]) -> bool {
        let at = self.at;
        let made = made.iter().map(|&made| turn.allocation(made));
        let late = made.filter(|made| made.estimated_end > at);
        match &mut self.kept {
            Kept::Nothing => true,
            Kept::Extra(extra) => {
                let tasks = late.map(|made| u64::from(made.tasks)).sum();
                let left = extra.checked_sub(tasks);
                *extra = left.unwrap_or(*extra);
                left.is_some()
            }
            Kept::Slack(slack) => {
                let before = slack.clone();
                for allocation in late {
                    let demand = turn.work(allocation.work()).ask.demand;
                    for held in &allocation.held {
                        let share = held.share;
                        let reserved = slack.iter_mut().find(|(used, _)| *used == share.instance);
                        let Some((_, left)) = reserved else { continue };
                        if !left.can_take(demand, share.tasks, share.devices) {
                            *slack = before;
                            return false;
                        }
                        left.take(demand, share.tasks, share.devices);
                    }
                }
                true
            }
        }
    }
}

/// Counting tasks: the first estimated end at which enough are free.
fn in_scalar_pool(turn: &Turn<'_, '_>, head: WorkRef, room: u64) -> Option<(Time, Kept)> {
    let needed = u64::from(turn.work(head).together());
    let (mut free, mut found) = (room, None);
    for (end, allocation) in turn.ends() {
        let end = end.max(turn.now());
        if found.is_some_and(|at| end > at) {
            break;
        }
        free += u64::from(turn.allocation(allocation).tasks);
        if free >= needed {
            found = Some(end);
        }
    }
    found.map(|at| (at, Kept::Extra(free - needed)))
}

/// Instances as they will be when running work has ended, by their age. Only
/// those are copied on which the head fits now or something ends.
struct Scratch {
    demand: Demand,
    spread: Spread,
    lanes: BTreeMap<u32, (InstanceRef, Instance)>,
    /// Tasks of the head that fit.
    fitting: u64,
}

/// The first estimated end at which the head fits on the instances, which it
/// then takes oldest first. An even spread over zones counts as no spread. Only
/// instances of offers that are `admitted` count.
fn on_instances(
    turn: &Turn<'_, '_>,
    head: WorkRef,
    mut admitted: impl FnMut(Id<Offer>) -> bool,
) -> Option<(Time, Kept)> {
    let ask = turn.work(head).ask;
    let rules = turn.rules(ask.rules);
    let needed = u64::from(turn.work(head).together());
    let mut scratch =
        Scratch { demand: ask.demand, spread: rules.spread, lanes: BTreeMap::new(), fitting: 0 };
    let mut from = 0;
    while let Some((instance, order)) = turn.first_fit(head, from) {
        from = order + 1;
        if !admitted(turn.instance(instance).offer) {
            continue;
        }
        let copy = turn.instance(instance).clone();
        scratch.fitting += scratch.holds(&copy);
        scratch.lanes.insert(copy.ordinal, (instance, copy));
    }
    let mut ends = turn.ends().map(|(end, allocation)| (end.max(turn.now()), allocation));
    let mut next = ends.next();
    while let Some((at, allocation)) = next {
        for held in &turn.allocation(allocation).held {
            let instance = held.share.instance;
            let offer = turn.instance(instance).offer;
            if rules.allows(offer) && admitted(offer) {
                let demand = turn.work(turn.allocation(allocation).work()).ask.demand;
                scratch.end(turn, instance, demand, held.share.tasks, held.share.devices);
            }
        }
        next = ends.next();
        if next.is_none_or(|(later, _)| later > at)
            && scratch.fitting >= needed
            && let Some(slack) = scratch.take_together(turn, head, needed)
        {
            return Some((at, Kept::Slack(slack)));
        }
    }
    None
}

impl Scratch {
    /// Tasks of the head that fit on `lane`.
    fn holds(&self, lane: &Instance) -> u64 {
        let room = u64::from(lane.room(self.demand));
        match self.spread {
            Spread::Instances | Spread::Zones => room.min(1),
            Spread::EvenZones if self.demand.exclusive => room.min(1),
            Spread::None | Spread::EvenZones => room,
        }
    }

    /// Tasks of `demand` on `instance` end.
    fn end(
        &mut self,
        turn: &Turn<'_, '_>,
        instance: InstanceRef,
        demand: Demand,
        tasks: u32,
        devices: u32,
    ) {
        let now = turn.instance(instance);
        let (_, mut lane) =
            self.lanes.remove(&now.ordinal).unwrap_or_else(|| (instance, now.clone()));
        let before = self.holds(&lane);
        lane.give(demand, tasks, devices);
        self.fitting = self.fitting + self.holds(&lane) - before;
        self.lanes.insert(lane.ordinal, (instance, lane));
    }

    /// Takes `needed` tasks of `head` in the first site that holds them.
    fn take_together(
        &self,
        turn: &Turn<'_, '_>,
        head: WorkRef,
        needed: u64,
    ) -> Option<Vec<(InstanceRef, Instance)>> {
        let mut sites = Vec::new();
        for (_, lane) in self.lanes.values() {
            let site = turn.site(head, lane.offer);
            if sites.contains(&site) {
                continue;
            }
            let slack = self.take(turn, |offer| turn.site(head, offer) == site, needed);
            if slack.is_some() {
                return slack;
            }
            sites.push(site);
        }
        None
    }

    /// Takes `needed` tasks on offers that are `near`, oldest instance first: what
    /// is left of the instances used. None where the spread forbids it.
    fn take(
        &self,
        turn: &Turn<'_, '_>,
        near: impl Fn(Id<Offer>) -> bool,
        needed: u64,
    ) -> Option<Vec<(InstanceRef, Instance)>> {
        let (mut left, mut slack, mut zones) = (needed, Vec::new(), Vec::new());
        for (instance, lane) in self.lanes.values() {
            let zone = turn.world().offers[lane.offer].zone;
            if !near(lane.offer) {
                continue;
            }
            if left == 0 || self.spread == Spread::Zones && zones.contains(&zone) {
                continue;
            }
            let mut lane = lane.clone();
            let tasks = self.holds(&lane).min(left);
            left -= tasks;
            if tasks > 0 {
                let each = if self.demand.exclusive { tasks as u32 } else { 1 };
                for _ in 0..tasks as u32 / each {
                    let devices = lane.tightest_devices(self.demand, each)?;
                    lane.take(self.demand, each, devices);
                }
                zones.push(zone);
                slack.push((*instance, lane));
            }
        }
        (left == 0).then_some(slack)
    }
}
