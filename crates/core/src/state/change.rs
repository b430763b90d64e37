//! Changes that a policy may make, checked: each action is applied at once or refused with the
//! rule that it broke, and an attempt rolls back as a whole.

use std::fmt;

use super::saved::TaskOrigin;
use super::{
    AllocationRef, HeldShare, Instance, InstanceRef, LaunchRefusal, Pending, Phase, RefusalReason,
    Share, State, UNKNOWN_RUN, WorkRef,
};
use crate::metering::ShareUsage;
use crate::model::{Ask, Offer, Region, Rules, Spread, WorkKind};
use crate::units::{Demand, Id, Span, Time};

/// Reason why an action was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The work has ended.
    WorkGone,
    /// The instance was given back.
    InstanceGone,
    /// The work's rules do not allow that offer.
    NotAllowed,
    /// The instance has no room for that many tasks.
    NoRoom,
    /// More tasks than the work has waiting, or no task.
    TaskCount,
    /// A gang must be placed whole.
    GangSplit,
    /// Wrong number of GPU devices, or one without enough free shares.
    Devices,
    /// The instance is another job's alone, or the work wants it alone and it is not empty.
    Exclusive,
    /// The work's tasks must be spread further.
    Spread,
    /// The tasks of a gang must stay closer together.
    Apart,
    /// The instance still holds work.
    NotEmpty,
    /// Owned instances are not given back.
    Owned,
    /// Owned offers are not rented.
    NotForRent,
    /// The launch was refused.
    Launch(LaunchRefusal),
    /// The allocation has ended.
    AllocationGone,
    /// Tasks that do not compute, or are moved already, are not moved.
    NotComputing,
    /// Tasks that compute are not moved to an instance that is not ready.
    NotReady,
    /// Work that has started is not turned away.
    HasStarted,
    /// A timer must be set for later than now.
    TimerPast,
}

impl Refusal {
    /// Whether the policy broke a rule: every refusal but that of a launch, for which there may be no
    /// capacity or quota. It ends the run, see [`Turn`](crate::policy::Turn).
    pub const fn is_illegal(self) -> bool {
        !matches!(self, Self::Launch(_))
    }

    /// The rule, as a sentence without a full stop.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::WorkGone => "work that has ended cannot be acted on",
            Self::InstanceGone => "an instance that was given back cannot be used",
            Self::NotAllowed => "work runs only where its rules allow",
            Self::NoRoom => "an instance holds no more than its free resources",
            Self::TaskCount => "a placement covers between one and all waiting tasks",
            Self::GangSplit => "a gang starts all its tasks together",
            Self::Devices => {
                "a task gets as many GPU devices as it asks, each with the share it asks"
            }
            Self::Exclusive => "nothing runs beside a job that has its instances alone",
            Self::Spread => "tasks are spread as the work asks",
            Self::Apart => {
                "a gang stays in one zone, region or provider, as it asks, on one GPU model"
            }
            Self::NotEmpty => "only an empty instance is given back",
            Self::Owned => "an owned instance is never given back",
            Self::NotForRent => "an owned offer is not for rent",
            Self::Launch(LaunchRefusal::Quota(_)) => "a launch stays within every quota",
            Self::Launch(LaunchRefusal::Capacity) => "a launch stays within the offer's capacity",
            Self::Launch(LaunchRefusal::Budget(_)) => "a launch stays within the budgets of a cap",
            Self::Launch(LaunchRefusal::Throttle) => {
                "launches come no faster than they are let through"
            }
            Self::Launch(LaunchRefusal::Price) => "nothing is launched above the highest price",
            Self::Launch(LaunchRefusal::Outage) => "nothing is launched during an outage",
            Self::AllocationGone => "an allocation that has ended cannot be preempted or moved",
            Self::NotComputing => "only tasks that compute are moved, and once at a time",
            Self::NotReady => "tasks that compute move only to instances that are ready",
            Self::HasStarted => "work that has started is not turned away",
            Self::TimerPast => "a timer is set for later than now",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule())
    }
}

impl std::error::Error for Refusal {}

/// A policy's word on when the next waiting tasks of a piece of work start, all of a gang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartPromise {
    /// Latest start, if no estimate proves too short.
    By(Time),
    /// Never, as things are.
    Never,
    /// The work holds no reservation any more, because others are served first or it is held.
    Withdrawn,
}

impl StartPromise {
    /// A promise of a start by `at`, or of none if there is no such time.
    pub fn by(at: Option<Time>) -> Self {
        at.map_or(Self::Never, Self::By)
    }
}

/// Effect of a policy's action, for the simulator to follow up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tasks were placed.
    Placed(AllocationRef),
    /// An instance was requested.
    Rented(InstanceRef),
    /// An instance was given back.
    Released(InstanceRef),
    /// An allocation has ended.
    Stopped(AllocationRef),
    /// An allocation has ended as its tasks go on in another, with this many bytes of memory.
    Migrated {
        /// The allocation that has ended.
        from: AllocationRef,
        /// The allocation in which they go on.
        to: AllocationRef,
        /// Bytes that are copied.
        bytes: i64,
    },
    /// Tasks are copied to other instances while they compute.
    Migrates {
        /// The allocation whose tasks they are.
        from: AllocationRef,
        /// The allocation that holds the other instances.
        to: AllocationRef,
    },
    /// Work is turned away.
    Refused(WorkRef, RefusalReason),
    /// The policy wants to be asked again then.
    Wake(Time),
    /// A launch was refused.
    LaunchRefused(Id<Offer>, LaunchRefusal),
    /// The next of the work's waiting tasks are promised a start.
    Promised(WorkRef, StartPromise),
    /// All reservations were worked out again.
    Planned,
    /// The policy wants to be asked again at this moment.
    AskAgain,
}

/// A change of an attempt, with all that is needed to take it back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Undo {
    /// A placement, and the offer on which the work had been placed last before that.
    Placed(AllocationRef, Option<Id<Offer>>),
    /// A launch, and when the bucket of its region was to be full before that, if it has one.
    Rented(InstanceRef, Option<Time>),
    Released(InstanceRef, Phase),
    Stopped(AllocationRef),
    /// A live migration to this allocation.
    Migrates(AllocationRef),
    /// The number of tasks of a gang before that.
    Resized(WorkRef, u32),
    /// The number of tasks with which a gang was planned to run before that, 0 if it was not.
    Planned(WorkRef, u32),
    /// The wait of the work's tasks before that; `None` if it began with the submission.
    Wait(WorkRef, Option<Pending>),
    /// A share was given back: the moment from which the instance had been idle, and whether it was
    /// listed among those that became empty, as the last.
    Emptied {
        instance: InstanceRef,
        idle_since: Time,
        listed: bool,
    },
}

/// Marks where an attempt began.
#[derive(Debug)]
pub(crate) struct Attempt {
    undo: usize,
    effects: usize,
    room_made: u64,
}

impl State<'_> {
    /// Starts an attempt; every change until its end can be rolled back.
    pub(crate) fn begin(&mut self) -> Attempt {
        self.attempts += 1;
        let (undo, effects) = (self.undo.len(), self.effects.len());
        Attempt { undo, effects, room_made: self.room_made }
    }

    /// Keeps the changes of the attempt.
    pub(crate) fn keep(&mut self, attempt: Attempt) {
        self.attempts -= 1;
        if self.attempts == 0 {
            self.undo.truncate(attempt.undo);
        }
    }

    /// Takes back every change of the attempt, last first. Launches that were refused stay so.
    pub(crate) fn roll_back(&mut self, attempt: Attempt) {
        self.attempts -= 1;
        let mut kept = attempt.effects;
        for at in attempt.effects..self.effects.len() {
            if matches!(self.effects[at], Effect::LaunchRefused(..)) {
                self.effects[kept] = self.effects[at];
                kept += 1;
            }
        }
        self.effects.truncate(kept);
        while self.undo.len() > attempt.undo {
            match self.undo.pop().expect("the attempt has changes left") {
                Undo::Placed(allocation, last) => self.unplace(allocation, last),
                Undo::Rented(instance, throttle) => self.unrent(instance, throttle),
                Undo::Released(instance, phase) => self.transition(instance, phase),
                Undo::Stopped(allocation) => self.unstop(allocation),
                Undo::Migrates(to) => self.unmigrate(to),
                Undo::Resized(work, tasks) => self.set_tasks(work, tasks),
                Undo::Planned(work, tasks) => drop(self.set_planned(work, tasks)),
                Undo::Wait(work, wait) => drop(self.set_wait(work, wait)),
                Undo::Emptied { instance, idle_since, listed } => {
                    let target = &mut self.fleet.instances[instance];
                    target.idle_since = idle_since;
                    if listed {
                        target.listed = false;
                        self.emptied.pop();
                    }
                }
            }
        }
        self.room_made = attempt.room_made;
    }

    /// Lets an instance take no more work for the rest of an attempt that is rolled back.
    pub(crate) fn shut(&mut self, instance: InstanceRef) {
        self.remember(Undo::Released(instance, self.fleet.instances[instance].phase));
        self.transition(instance, Phase::Draining { until: self.now });
    }

    #[inline]
    pub(super) fn remember(&mut self, undo: Undo) {
        if self.attempts > 0 {
            self.undo.push(undo);
        }
    }

    /// Places waiting tasks of `work` on one instance: an allocation of one share, or of
    /// one task each where they may yield one by one, see `Needs::apart`, or of tasks that came
    /// equally far each.
    pub(crate) fn place(&mut self, work: WorkRef, share: Share) -> Result<(), Refusal> {
        self.check(work, share)?;
        let live = &self.works[work];
        if live.ask.gang && live.waiting > share.tasks {
            return Err(Refusal::GangSplit);
        }
        // Tasks that have an instance alone have it together.
        let apart = self.needs.apart && !live.ask.gang && !live.ask.demand.exclusive;
        if share.tasks == 1 || !apart && !self.has_saved(work) {
            self.place_together(work, share, share.tasks);
        } else {
            self.place_in_parts(work, share, apart);
        }
        Ok(())
    }

    /// Places tasks that the caller has checked as one allocation, whose data moves together with
    /// that of `moved` tasks in all.
    #[inline(always)]
    fn place_together(&mut self, work: WorkRef, share: Share, moved: u32) {
        let opened = self.open(work);
        self.take(opened, work, share);
        self.settle(opened, work, moved);
    }

    /// Places tasks that the caller has checked as several allocations: of one task each if they
    /// are to be `apart`, else each of tasks that came equally far.
    fn place_in_parts(&mut self, work: WorkRef, share: Share, apart: bool) {
        let demand = self.works[work].ask.demand;
        let (mut left, mut devices) = (share.tasks, share.devices);
        while left > 0 {
            let tasks = if apart { 1 } else { self.alike(work, left) };
            left -= tasks;
            let gpus = u32::from(demand.gpus) * tasks;
            let rest = (0..gpus).fold(devices, |rest, _| rest & rest.wrapping_sub(1));
            let own = devices & !rest;
            devices = rest;
            self.place_together(work, Share { tasks, devices: own, ..share }, share.tasks);
        }
    }

    /// Opens an allocation for waiting tasks of `work`; add shares, then commit or abandon it.
    #[inline(always)]
    pub(crate) fn open(&mut self, work: WorkRef) -> AllocationRef {
        let allocation = self.claim(work);
        self.works[work].allocations.push(allocation);
        allocation
    }

    /// An allocation of `work` that holds nothing yet, and is none of its own yet.
    #[inline(always)]
    pub(super) fn claim(&mut self, work: WorkRef) -> AllocationRef {
        let (allocation, claimed) = self.allocations.claim();
        claimed.reset(work, self.now);
        self.forget_saved(allocation);
        self.forget_transfers(allocation);
        allocation
    }

    /// Adds tasks on one instance to an open allocation.
    #[inline]
    pub(crate) fn add(&mut self, opened: AllocationRef, share: Share) -> Result<(), Refusal> {
        let work = self.allocations[opened].work();
        self.check(work, share)?;
        self.take(opened, work, share);
        Ok(())
    }

    #[inline(always)]
    pub(super) fn take(&mut self, opened: AllocationRef, work: WorkRef, share: Share) {
        let live = &mut self.works[work];
        live.waiting -= share.tasks;
        live.placed += share.tasks;
        let asked = (live.ask.demand, live.kind, live.ask.rules);
        self.hold(opened, asked, share);
    }

    /// Lets an allocation hold a share of tasks that ask for this, whoever they belong to.
    #[inline(always)]
    pub(super) fn hold(
        &mut self,
        opened: AllocationRef,
        (demand, kind, rules): (Demand, WorkKind, Id<Rules>),
        share: Share,
    ) {
        let (dominant, offer, booting) = self.fleet.change(share.instance, |instance| {
            let dominant = instance.dominant_share(demand, share.tasks);
            instance.take(demand, share.tasks, share.devices);
            instance.enters(opened);
            (dominant, instance.offer, instance.phase.is_booting())
        });
        self.fleet.uniform.change(-i64::from(share.tasks));
        let speed = self.rules[rules.row()].speed(kind, offer);
        let allocation = &mut self.allocations[opened];
        allocation.tasks += share.tasks;
        allocation.speed = allocation.speed.min(speed);
        allocation.held.push(HeldShare { share, usage: ShareUsage::unused(dominant) });
        allocation.not_ready += u32::from(booting);
    }

    #[inline(always)]
    pub(super) fn check(&self, work: WorkRef, share: Share) -> Result<(), Refusal> {
        let live = &self.works[work];
        let instance = self.fleet.instances.get(share.instance);
        let Some(instance) = instance.filter(|one| one.phase.takes_work()) else {
            return Err(Refusal::InstanceGone);
        };
        if share.tasks == 0 || share.tasks > live.waiting {
            return Err(Refusal::TaskCount);
        }
        let rules = &self.rules[live.ask.rules.row()];
        if !rules.allows(instance.offer) {
            return Err(Refusal::NotAllowed);
        }
        if !self.site_allows(work, instance.offer) {
            return Err(Refusal::Apart);
        }
        has_room(instance, live.ask.demand, share)?;
        if rules.spread != Spread::None
            && (share.tasks > 1 || !self.spread_allows(work, share.instance))
        {
            return Err(Refusal::Spread);
        }
        Ok(())
    }

    /// Ends the opening of an allocation: it starts, or waits for instances to boot.
    pub(crate) fn commit(&mut self, opened: AllocationRef) -> Result<(), Refusal> {
        let allocation = &self.allocations[opened];
        let work = allocation.work();
        let live = &self.works[work];
        let refusal = if allocation.tasks == 0 {
            Some(Refusal::TaskCount)
        } else if live.ask.gang && live.waiting > 0 {
            Some(Refusal::GangSplit)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            self.abandon(opened);
            return Err(refusal);
        }
        if !live.ask.gang && self.has_saved(work) {
            return self.place_apart(opened);
        }
        let tasks = self.allocations[opened].tasks;
        self.settle(opened, work, tasks);
        Ok(())
    }

    /// Places the shares of an open allocation one by one, as its tasks may not have come
    /// equally far.
    fn place_apart(&mut self, opened: AllocationRef) -> Result<(), Refusal> {
        let allocation = &self.allocations[opened];
        let work = allocation.work();
        let shares: Vec<Share> = allocation.held.iter().map(|held| held.share).collect();
        self.abandon(opened);
        shares.into_iter().try_for_each(|share| self.place(work, share))
    }

    /// Makes an allocation real, whose data moves together with that of `moved` tasks in all.
    #[inline(always)]
    pub(super) fn settle(&mut self, opened: AllocationRef, work: WorkRef, moved: u32) {
        let last = self.make_real(opened, work, moved);
        self.remember(Undo::Placed(opened, last));
        self.effects.push(Effect::Placed(opened));
    }

    /// The same, outside of a turn. Returns the offer on which the work had been placed last.
    #[inline(always)]
    pub(super) fn make_real(
        &mut self,
        opened: AllocationRef,
        work: WorkRef,
        moved: u32,
    ) -> Option<Id<Offer>> {
        let allocation = &self.allocations[opened];
        let live = &mut self.works[work];
        let offer = self.fleet.instances[allocation.held[0].share.instance].offer;
        let last = live.last_offer.replace(offer);
        self.totals.waiting -= u64::from(live.waiting == 0);
        for held in &allocation.held {
            if allocation.not_ready == 0 {
                break;
            }
            let instance = &mut self.fleet.instances[held.share.instance];
            if instance.phase.is_booting() {
                instance.awaited_by.push(opened);
            }
        }
        if live.ask.home.is_some() {
            let (mut input, output) = self.transfer_times(work, offer, moved);
            if self.has_input(opened) {
                input = Span::ZERO;
            }
            let allocation = &mut self.allocations[opened];
            (allocation.input, allocation.output) = (input, output);
        }
        if self.has_saved(work) && self.origin_of(opened) == TaskOrigin::Queue {
            self.take_saved(opened);
        }
        self.set_estimated_end(opened);
        last
    }

    /// Drops an open allocation as if it had never been.
    pub(crate) fn abandon(&mut self, opened: AllocationRef) {
        let allocation = &self.allocations[opened];
        let tasks = allocation.tasks;
        let live = &mut self.works[allocation.work()];
        let demand = live.ask.demand;
        for held in allocation.held.iter().rev() {
            let share = held.share;
            self.fleet.change(share.instance, |instance| {
                instance.give(demand, share.tasks, share.devices);
                instance.leaves(opened);
            });
        }
        self.fleet.uniform.change(i64::from(tasks));
        live.waiting += tasks;
        live.placed -= tasks;
        live.drop_allocation(opened);
        self.allocations.free(opened);
    }

    fn unplace(&mut self, allocation: AllocationRef, last: Option<Id<Offer>>) {
        let work = self.allocations[allocation].work();
        self.works[work].last_offer = last;
        for at in 0..self.allocations[allocation].held.len() {
            let instance = self.allocations[allocation].held[at].share.instance;
            self.fleet.instances[instance].awaited_by.retain(|&other| other != allocation);
        }
        self.forget_end(allocation);
        if self.works[work].waiting == 0 {
            self.totals.waiting += 1;
        }
        let (each, tasks) = (self.saved(allocation), self.allocations[allocation].tasks);
        self.change_saved(work, each, i64::from(tasks));
        self.abandon(allocation);
        self.tell_saved(work);
    }

    /// Turns waiting work away.
    pub(crate) fn refuse(&mut self, work: WorkRef, reason: RefusalReason) -> Result<(), Refusal> {
        if !self.works.contains(work) {
            return Err(Refusal::WorkGone);
        }
        if self.works[work].placed > 0 || self.works[work].done > 0 {
            return Err(Refusal::HasStarted);
        }
        self.effects.push(Effect::Refused(work, reason));
        Ok(())
    }

    /// Publishes when the next waiting tasks of `work` are to start.
    pub(crate) fn promise(&mut self, work: WorkRef, at: StartPromise) {
        self.effects.push(Effect::Promised(work, at));
    }

    /// Publishes that all reservations were worked out again.
    pub(crate) fn planned(&mut self) {
        self.effects.push(Effect::Planned);
    }

    /// Asks the policy again at this moment, when its actions are in effect.
    pub(crate) fn ask_again(&mut self) {
        self.effects.push(Effect::AskAgain);
    }

    /// Allocations placed since the policy's actions were last taken.
    pub(crate) fn new_allocations(&self) -> impl Iterator<Item = AllocationRef> {
        self.effects.iter().filter_map(|effect| match *effect {
            Effect::Placed(allocation) => Some(allocation),
            Effect::Rented(_)
            | Effect::Released(_)
            | Effect::Stopped(_)
            | Effect::Migrated { .. }
            | Effect::Migrates { .. }
            | Effect::Refused(..)
            | Effect::Wake(_)
            | Effect::LaunchRefused(..)
            | Effect::Promised(..)
            | Effect::Planned
            | Effect::AskAgain => None,
        })
    }

    /// Asks the policy again at `at`.
    pub(crate) fn wake(&mut self, at: Time) -> Result<(), Refusal> {
        if at <= self.now {
            return Err(Refusal::TimerPast);
        }
        self.effects.push(Effect::Wake(at));
        Ok(())
    }

    /// Whether the spread of the work's tasks allows one more on the instance.
    pub(super) fn spread_allows(&self, work: WorkRef, instance: InstanceRef) -> bool {
        let live = &self.works[work];
        let spread = self.rules[live.ask.rules.row()].spread;
        if spread == Spread::None {
            return true;
        }
        let zone_of =
            |instance: InstanceRef| self.world.offers[self.fleet.instances[instance].offer].zone;
        let zone = zone_of(instance);
        let held = || {
            let all =
                live.allocations.iter().filter(|&&other| !self.allocations[other].has_ended());
            all.flat_map(|&other| self.allocations[other].held.iter().map(|held| held.share))
        };
        match spread {
            Spread::None => true,
            Spread::Instances => held().all(|share| share.instance != instance),
            Spread::Zones => held().all(|share| zone_of(share.instance) != zone),
            Spread::EvenZones => {
                let mut counts = vec![None; self.world.zones.len()];
                for (offer, facts) in self.world.offers.iter() {
                    if self.could_use(work, offer) {
                        counts[facts.zone.row()] = Some(0_u32);
                    }
                }
                for share in held() {
                    if let Some(count) = &mut counts[zone_of(share.instance).row()] {
                        *count += share.tasks;
                    }
                }
                let fewest = counts.iter().flatten().min().copied().unwrap_or(0);
                counts[zone.row()] == Some(fewest)
            }
        }
    }

    /// Time to bring the input of `tasks` tasks to a region and their output home.
    pub(super) fn transfer_times(
        &self,
        work: WorkRef,
        offer: Id<Offer>,
        tasks: u32,
    ) -> (Span, Span) {
        let ask = &self.works[work].ask;
        let Some(home) = ask.home.and_then(|home| self.home_region(home)) else {
            return (Span::ZERO, Span::ZERO);
        };
        self.ways(ask, home, self.world.region_of(offer), tasks)
    }

    /// Time to bring the input of `tasks` tasks from `home` to `region` and their output back.
    fn ways(&self, ask: &Ask, home: Id<Region>, region: Id<Region>, tasks: u32) -> (Span, Span) {
        let input = self.world.link(home, region).time(ask.part_of(ask.input, tasks));
        (input, self.world.link(region, home).time(ask.part_of(ask.output, tasks)))
    }

    /// The longest time that moving the data of all waiting tasks takes, there and back,
    /// wherever the work may run.
    pub fn longest_transfer(&self, work: WorkRef) -> Span {
        let live = &self.works[work];
        let Some(home) = live.ask.home.and_then(|home| self.home_region(home)) else {
            return Span::ZERO;
        };
        let regions = self.rules[live.ask.rules.row()].regions.iter();
        let ways = regions.map(|&region| self.ways(&live.ask, home, region, live.waiting));
        ways.map(|(input, output)| input.saturating_add(output)).max().unwrap_or(Span::ZERO)
    }

    /// Sets when the allocation would end if it started now, by the estimate.
    #[inline(always)]
    pub(super) fn set_estimated_end(&mut self, allocation: AllocationRef) {
        self.forget_end(allocation);
        let rest = self.rest_of_estimate(allocation);
        let run = rest.map(|rest| self.length_on(allocation, rest));
        let target = &mut self.allocations[allocation];
        target.estimated_end = match run {
            None => self.now.saturating_add(UNKNOWN_RUN),
            Some(run) => {
                let end = self.now.saturating_add(target.input).saturating_add(run);
                end.saturating_add(target.output)
            }
        };
        if self.needs.ends {
            self.ends.insert((target.estimated_end, allocation));
        }
        self.keep_latest(allocation, true);
    }

    #[inline]
    pub(super) fn forget_end(&mut self, allocation: AllocationRef) {
        if self.needs.ends {
            self.ends.remove(&(self.allocations[allocation].estimated_end, allocation));
        }
        self.keep_latest(allocation, false);
    }
}

/// Whether an instance has room for a share of tasks of `demand`.
#[inline(always)]
pub(super) fn has_room(instance: &Instance, demand: Demand, share: Share) -> Result<(), Refusal> {
    if !instance.free.admits(demand) {
        return Err(Refusal::Exclusive);
    }
    if !instance.has_room(demand, share.tasks) {
        return Err(Refusal::NoRoom);
    }
    if demand.gpus > 0 || share.devices != 0 {
        let wanted = share.tasks * u32::from(demand.gpus);
        let share_fits =
            |(at, &free): (usize, &u16)| share.devices & (1 << at) == 0 || free >= demand.gpu_share;
        if share.devices.count_ones() != wanted
            || u64::from(share.devices) >> instance.devices.len() != 0
            || !instance.devices.iter().enumerate().all(share_fits)
        {
            return Err(Refusal::Devices);
        }
    }
    Ok(())
}
