//! The reservation of the head of the queue, from the running work's estimates.

use std::collections::BTreeMap;
use std::iter::{self, Peekable};
use std::vec::IntoIter;

use smallvec::SmallVec;

use super::Pass;
use super::free_capacity::FreeCapacity;
use crate::model::{Ask, Offer, Spread};
use crate::policy::place::Place;
use crate::policy::turn::Turn;
use crate::state::{Allocation, AllocationRef, Instance, InstanceRef, Share, WorkRef};
use crate::units::{Demand, Id, Time};

/// Reservation of the head: its estimated start, and what others must leave for it then.
#[derive(Debug)]
pub(super) struct Reservation {
    /// Work for which it is made.
    pub(super) head: WorkRef,
    /// The shadow time: the first estimated end after which the head fits.
    /// Estimates that overran count as ending now. `None` if it never fits.
    pub(super) at: Option<Time>,
    kept: ShadowRoom,
    scalar: bool,
}

/// Resources that work that started later may still hold at the shadow time.
#[derive(Debug)]
enum ShadowRoom {
    /// All of it: the head fits nowhere even when everything has ended, so
    /// that nobody delays it.
    Nothing,
    /// Number of tasks (scalar pools).
    Extra(u64),
    /// Holds that leave the head room somewhere on the instances as they will be then.
    Room(Scratch),
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
        let (at, kept) = found.unzip();
        let kept = kept.unwrap_or(ShadowRoom::Nothing);
        Self { head, at, kept, scalar: room.is_some() }
    }

    /// Whether the reservation was made for a scalar pool.
    pub(super) fn is_scalar(&self) -> bool {
        self.scalar
    }

    /// Tasks that may be held past the shadow time, where they are all alike.
    pub(super) fn extra(&self) -> u64 {
        if let ShadowRoom::Extra(extra) = self.kept { extra } else { u64::MAX }
    }

    /// Whether an estimated end is no later than the shadow time; one that is not known
    /// is later than any.
    pub(super) fn ends_in_time(&self, end: Option<Time>) -> bool {
        end.is_some_and(|end| self.at.is_none_or(|at| end <= at))
    }

    /// Whether the new allocations `made` leave the head's start alone; if so,
    /// they are counted.
    pub(super) fn admit(&mut self, turn: &Turn<'_, '_>, made: &[AllocationRef]) -> bool {
        let made = made.iter().map(|&made| turn.allocation(made));
        let late = made.filter(|made| {
            let known = turn.work(made.work()).ask.estimate.is_some();
            !self.ends_in_time(known.then_some(made.estimated_end))
        });
        let late: SmallVec<[&Allocation; 4]> = late.collect();
        match &mut self.kept {
            ShadowRoom::Nothing => true,
            ShadowRoom::Extra(extra) => {
                let tasks = late.iter().map(|made| u64::from(made.tasks)).sum();
                let left = extra.checked_sub(tasks);
                *extra = left.unwrap_or(*extra);
                left.is_some()
            }
            ShadowRoom::Room(room) => {
                let mut before = Vec::new();
                let admitted = late.iter().all(|made| {
                    let demand = turn.work(made.work()).ask.demand;
                    let mut held = made.held.iter();
                    held.all(|held| room.spare(turn, demand, held.share, &mut before))
                }) && room.fits(turn);
                if !admitted {
                    room.undo(before);
                }
                admitted
            }
        }
    }

    /// Shares on which up to `most` tasks of `work` can start now and be held past the shadow
    /// time, though not where they would be placed first: in the order of the index, on instances
    /// that the work is placed on. They are counted. Of a gang all or none.
    pub(super) fn elsewhere(
        &mut self,
        turn: &Turn<'_, '_>,
        place: &mut dyn Place,
        work: WorkRef,
        most: u32,
    ) -> Vec<Share> {
        let ShadowRoom::Room(room) = &mut self.kept else { return Vec::new() };
        let ask = turn.work(work).ask;
        // The spread of what it holds is not looked at here.
        if turn.rules(ask.rules).spread != Spread::None {
            return Vec::new();
        }
        let mut open: Vec<(InstanceRef, Option<u32>)> = Vec::new();
        let mut from = 0;
        while let Some((instance, order)) = turn.first_fit(work, from) {
            from = order + 1;
            let offer = turn.instance(instance).offer;
            if place.takes(turn, work, Share { instance, tasks: 1, devices: 0 }) {
                open.push((instance, turn.site(work, offer)));
            }
        }
        let mut sites: Vec<Option<u32>> = Vec::new();
        for &(_, site) in &open {
            if sites.contains(&site) {
                continue;
            }
            sites.push(site);
            let near = open.iter().filter(|one| one.1 == site).map(|&(instance, _)| instance);
            let shares = room.elsewhere(turn, ask, near, most);
            if !shares.is_empty() {
                return shares;
            }
        }
        Vec::new()
    }
}

/// Allocations that end at the same time by the estimates, in order, as of now: all that are
/// known to, but of work without an estimate those of one piece of work, ties by its id.
fn ends(turn: &Turn<'_, '_>) -> impl Iterator<Item = (Time, SmallVec<[AllocationRef; 4]>)> {
    let work = |one: AllocationRef| turn.work(turn.allocation(one).work());
    let is_known = move |&(_, one): &(Time, AllocationRef)| work(one).ask.estimate.is_some();
    let mut known = turn.ends().peekable();
    let mut unknown: Option<Peekable<IntoIter<(Time, AllocationRef)>>> = None;
    iter::from_fn(move || {
        let mut together = SmallVec::new();
        if unknown.is_none() && known.peek().is_some_and(is_known) {
            let end = known.peek()?.0.max(turn.now());
            while let Some((_, one)) =
                known.next_if(|one| is_known(one) && one.0.max(turn.now()) == end)
            {
                together.push(one);
            }
            return Some((end, together));
        }
        let rest = unknown.get_or_insert_with(|| {
            let mut rest: Vec<_> = known.by_ref().collect();
            rest.sort_by_key(|&(end, one)| (end, work(one).tie()));
            rest.into_iter().peekable()
        });
        let (end, first) = rest.next()?;
        together.push(first);
        let of = turn.allocation(first).work();
        while let Some((_, one)) =
            rest.next_if(|&(at, one)| at == end && turn.allocation(one).work() == of)
        {
            together.push(one);
        }
        Some((end.max(turn.now()), together))
    })
}

/// Counting tasks: the first estimated end at which enough are free. What ends on instances that take
/// no more work makes no room.
fn in_scalar_pool(turn: &Turn<'_, '_>, head: WorkRef, room: u64) -> Option<(Time, ShadowRoom)> {
    let needed = u64::from(turn.work(head).together());
    let given_back = |allocation: &Allocation| {
        if !turn.has_draining() {
            return u64::from(allocation.tasks);
        }
        let shares = allocation.held.iter().map(|held| held.share);
        let kept = shares.filter(|share| turn.instance(share.instance).phase.takes_work());
        kept.map(|share| u64::from(share.tasks)).sum()
    };
    let mut free = room;
    ends(turn).find_map(|(end, together)| {
        free += together.iter().map(|&one| given_back(turn.allocation(one))).sum::<u64>();
        (free >= needed).then(|| (end, ShadowRoom::Extra(free - needed)))
    })
}

/// Instances as they will be when running work has ended, by their ordinals. Only
/// those are copied on which the head fits now or something ends.
#[derive(Debug)]
struct Scratch {
    head: WorkRef,
    demand: Demand,
    spread: Spread,
    instances: BTreeMap<u32, FutureInstance>,
    /// Tasks of the head that must fit, and that fit.
    needed: u64,
    fitting: u64,
}

/// What will be free of an instance of `offer`.
#[derive(Debug)]
struct FutureInstance {
    offer: Id<Offer>,
    free: FreeCapacity,
}

/// The first estimated end at which the head fits on the instances. An even spread over
/// zones counts as no spread. Only instances of offers that are `admitted` count.
fn on_instances(
    turn: &Turn<'_, '_>,
    head: WorkRef,
    mut admitted: impl FnMut(Id<Offer>) -> bool,
) -> Option<(Time, ShadowRoom)> {
    let ask = turn.work(head).ask;
    let rules = turn.rules(ask.rules);
    let mut scratch = Scratch {
        head,
        demand: ask.demand,
        spread: rules.spread,
        instances: BTreeMap::new(),
        needed: u64::from(turn.work(head).together()),
        fitting: 0,
    };
    let mut from = 0;
    while let Some((instance, order)) = turn.first_fit(head, from) {
        from = order + 1;
        if !admitted(turn.instance(instance).offer) {
            continue;
        }
        let now = turn.instance(instance);
        let free = FreeCapacity::of(now);
        scratch.fitting += scratch.holds(&free);
        scratch.instances.insert(now.ordinal, FutureInstance { offer: now.offer, free });
    }
    for (at, together) in ends(turn) {
        for allocation in together {
            for held in &turn.allocation(allocation).held {
                let now = turn.instance(held.share.instance);
                let Instance { offer, phase, .. } = *now;
                if phase.takes_work() && rules.allows(offer) && admitted(offer) {
                    let demand = turn.work(turn.allocation(allocation).work()).ask.demand;
                    scratch.end(now, demand, held.share);
                }
            }
        }
        if scratch.fits(turn) {
            return Some((at, ShadowRoom::Room(scratch)));
        }
    }
    None
}

impl Scratch {
    /// Tasks of the head that fit into what is `free` of an instance.
    fn holds(&self, free: &FreeCapacity) -> u64 {
        let room = u64::from(free.room(self.demand));
        match self.spread {
            Spread::Instances | Spread::Zones => room.min(1),
            Spread::EvenZones if self.demand.exclusive => room.min(1),
            Spread::None | Spread::EvenZones => room,
        }
    }

    /// A share of tasks of `demand` ends on an instance, which is as it is `now`.
    fn end(&mut self, now: &Instance, demand: Demand, share: Share) {
        let fitting = |scratch: &Self| {
            scratch.instances.get(&now.ordinal).map_or(0, |known| scratch.holds(&known.free))
        };
        // An instance that is new here is not counted yet, though it may have room: it was passed
        // over for what the head has there already.
        let before = fitting(self);
        let of = || FutureInstance { offer: now.offer, free: FreeCapacity::of(now) };
        let known = self.instances.entry(now.ordinal).or_insert_with(of);
        known.free.give(demand, share.tasks, share.devices);
        self.fitting = self.fitting + fitting(self) - before;
    }

    /// Whether the head fits, all of it in one site.
    fn fits(&self, turn: &Turn<'_, '_>) -> bool {
        if self.fitting < self.needed {
            return false;
        }
        let mut sites: SmallVec<[Option<u32>; 4]> = SmallVec::new();
        self.instances.values().any(|known| {
            let site = turn.site(self.head, known.offer);
            let new = !sites.contains(&site);
            if new {
                sites.push(site);
            }
            new && self.fits_near(turn, |offer| turn.site(self.head, offer) == site)
        })
    }

    /// Whether the head fits on the instances of offers that are `near`.
    fn fits_near(&self, turn: &Turn<'_, '_>, near: impl Fn(Id<Offer>) -> bool) -> bool {
        let (mut found, mut zones) = (0, Vec::new());
        self.instances.values().any(|known| {
            if near(known.offer) {
                let tasks = self.holds(&known.free);
                if tasks > 0 && self.spread == Spread::Zones {
                    let zone = turn.world().offers[known.offer].zone;
                    if zones.contains(&zone) {
                        return false;
                    }
                    zones.push(zone);
                }
                found += tasks;
            }
            found >= self.needed
        })
    }

    /// Takes a share of tasks of `demand` that will not have ended, and remembers the
    /// instance as it was `before`. Returns whether there are still enough tasks of the head
    /// that fit, wherever they are.
    fn spare(
        &mut self,
        turn: &Turn<'_, '_>,
        demand: Demand,
        share: Share,
        before: &mut Vec<TrialUndo>,
    ) -> bool {
        let ordinal = turn.instance(share.instance).ordinal;
        let Some(known) = self.instances.get_mut(&ordinal) else { return true };
        if !known.free.can_take(demand, share.tasks, share.devices) {
            return false;
        }
        let old = known.free.clone();
        known.free.take(demand, share.tasks, share.devices);
        let held = self.holds(&old) - self.holds(&self.instances[&ordinal].free);
        before.push(TrialUndo { fitting: self.fitting, ordinal, free: old });
        self.fitting -= held;
        self.fitting >= self.needed
    }

    /// Becomes what it was before shares were taken.
    fn undo(&mut self, before: Vec<TrialUndo>) {
        for TrialUndo { fitting, ordinal, free } in before.into_iter().rev() {
            self.fitting = fitting;
            if let Some(known) = self.instances.get_mut(&ordinal) {
                known.free = free;
            }
        }
    }

    /// Shares of up to `most` tasks on instances that are `near`, which leave the head
    /// room and are taken. Of a gang all or none.
    fn elsewhere(
        &mut self,
        turn: &Turn<'_, '_>,
        ask: Ask,
        near: impl Iterator<Item = InstanceRef>,
        most: u32,
    ) -> Vec<Share> {
        let (mut left, mut shares, mut taken) = (most, Vec::new(), Vec::new());
        for instance in near {
            let mut free = FreeCapacity::of(turn.instance(instance));
            while left > 0 {
                let tasks = if ask.demand.exclusive { free.room(ask.demand).min(left) } else { 1 };
                let devices = free.devices_for(ask.demand, tasks);
                let Some(devices) = devices.filter(|_| tasks > 0) else { break };
                let share = Share { instance, tasks, devices };
                if !free.can_take(ask.demand, tasks, devices) {
                    break;
                }
                let mut before = Vec::new();
                if !self.spare(turn, ask.demand, share, &mut before) || !self.fits(turn) {
                    self.undo(before);
                    break;
                }
                taken.append(&mut before);
                free.take(ask.demand, tasks, devices);
                shares.push(share);
                left -= tasks;
            }
        }
        if ask.gang && left > 0 {
            self.undo(taken);
            shares.clear();
        }
        shares
    }
}

/// An instance before a share of it was taken, and how many tasks of the head fitted.
#[derive(Debug)]
struct TrialUndo {
    fitting: u64,
    ordinal: u32,
    free: FreeCapacity,
}
