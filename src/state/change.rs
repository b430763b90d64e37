//! What a policy may change, checked: each action is applied at once or
//! refused with the rule that it broke, and an attempt rolls back as a whole.

use std::cmp::Reverse;
use std::fmt;

use super::{
    Allocation, AllocationRef, Held, IndexBy, InstanceRef, LaunchRefusal, Phase, RefusalReason,
    Share, State, WorkRef, kind_of,
};
use crate::billing::Meter;
use crate::model::{Market, Offer, QuotaUnit, Spread};
use crate::units::{Id, Span, Time};

/// Why an action was refused.
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
    /// More tasks than the work has waiting, or none.
    TaskCount,
    /// A gang must be placed whole.
    GangSplit,
    /// Wrong number of GPU devices, or one without enough free shares.
    Devices,
    /// The work's tasks must be spread further.
    Spread,
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
    /// Work that has started is not turned away.
    HasStarted,
    /// A timer must be set for later than now.
    TimerPast,
}

impl Refusal {
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
            Self::Spread => "tasks are spread as the work asks",
            Self::NotEmpty => "only an empty instance is given back",
            Self::Owned => "an owned instance is never given back",
            Self::NotForRent => "an owned offer is not for rent",
            Self::Launch(LaunchRefusal::Quota(_)) => "a launch stays within every quota",
            Self::Launch(LaunchRefusal::Capacity) => "a launch stays within the offer's capacity",
            Self::AllocationGone => "an allocation that has ended cannot be preempted",
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

/// What a policy did, for the simulator to follow up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tasks were placed.
    Placed(AllocationRef),
    /// An instance was requested.
    Rented(InstanceRef),
    /// An instance was given back.
    Released(InstanceRef),
    /// An allocation lost its instances.
    Preempted(AllocationRef),
    /// Work is turned away.
    Refused(WorkRef, RefusalReason),
    /// The policy wants to be asked again then.
    Wake(Time),
    /// A launch was refused.
    LaunchRefused(Id<Offer>, LaunchRefusal),
}

/// How to take back one change of an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) enum Undo {
    Placed(AllocationRef),
    Rented(InstanceRef),
    Released(InstanceRef, Phase),
    Preempted(AllocationRef),
}

/// Marks where an attempt began.
#[derive(Debug)]
pub(crate) struct Attempt {
    undo: usize,
    effects: usize,
}

impl State<'_> {
    /// Starts an attempt; every change until its end can be rolled back.
    pub(crate) fn begin(&mut self) -> Attempt {
        self.attempts += 1;
        Attempt { undo: self.undo.len(), effects: self.effects.len() }
    }

    /// Keeps the changes of the attempt.
    pub(crate) fn keep(&mut self, attempt: Attempt) {
        self.attempts -= 1;
        if self.attempts == 0 {
            self.undo.truncate(attempt.undo);
        }
    }

    /// Takes back every change of the attempt, last first.
    pub(crate) fn roll_back(&mut self, attempt: Attempt) {
        self.attempts -= 1;
        self.effects.truncate(attempt.effects);
        while self.undo.len() > attempt.undo {
            match self.undo.pop().expect("the attempt has changes left") {
                Undo::Placed(allocation) => self.unplace(allocation),
                Undo::Rented(instance) => self.unrent(instance),
                Undo::Released(instance, phase) => self.unrelease(instance, phase),
                Undo::Preempted(allocation) => self.unpreempt(allocation),
            }
        }
    }

    fn remember(&mut self, undo: Undo) {
        if self.attempts > 0 {
            self.undo.push(undo);
        }
    }

    /// Opens an allocation for waiting tasks of `work`; add shares, then commit or abandon it.
    pub(crate) fn open(&mut self, work: WorkRef) -> AllocationRef {
        let allocation = self.allocations.claim();
        let opened = &mut self.allocations[allocation];
        opened.held.clear();
        let held = std::mem::take(&mut opened.held);
        *opened = Allocation {
            work: Some(work),
            held,
            placed: self.now,
            estimated_end: Time::MAX,
            speed: u32::MAX,
            ..Allocation::default()
        };
        self.works[work].allocations.push(allocation);
        allocation
    }

    /// Adds tasks on one instance to an open allocation.
    pub(crate) fn add(&mut self, opened: AllocationRef, share: Share) -> Result<(), Refusal> {
        let work = self.allocations[opened].work();
        self.check(work, share)?;
        let ask = self.works[work].ask;
        let offer = self.instances[share.instance].offer;
        let speed = self.rules[ask.rules.row()].speed(ask.kind, offer);
        self.works[work].waiting -= share.tasks;
        self.works[work].placed += share.tasks;
        let dominant = self.instances[share.instance].dominant_share(ask.demand, share.tasks);
        self.change_instance(share.instance, |instance| {
            instance.take(ask.demand, share.tasks, share.devices);
        });
        self.uniform.change(-i64::from(share.tasks));
        let booting = self.instances[share.instance].phase == Phase::Booting;
        let allocation = &mut self.allocations[opened];
        allocation.tasks += share.tasks;
        allocation.speed = allocation.speed.min(speed);
        allocation.held.push(Held { share, dominant, mark: 0 });
        if booting {
            allocation.not_ready += 1;
        }
        Ok(())
    }

    fn check(&self, work: WorkRef, share: Share) -> Result<(), Refusal> {
        let live = &self.works[work];
        if !self.instances.contains(share.instance) {
            return Err(Refusal::InstanceGone);
        }
        let instance = &self.instances[share.instance];
        if instance.phase == Phase::Released {
            return Err(Refusal::InstanceGone);
        }
        if share.tasks == 0 || share.tasks > live.waiting {
            return Err(Refusal::TaskCount);
        }
        let rules = &self.rules[live.ask.rules.row()];
        if !rules.allows(instance.offer) {
            return Err(Refusal::NotAllowed);
        }
        if instance.room(live.ask.demand) < share.tasks {
            return Err(Refusal::NoRoom);
        }
        if live.ask.demand.gpus > 0 || share.devices != 0 {
            let wanted = share.tasks * u32::from(live.ask.demand.gpus);
            let share_fits = |(at, &free): (usize, &u16)| {
                share.devices & (1 << at) == 0 || free >= live.ask.demand.gpu_share
            };
            if share.devices.count_ones() != wanted
                || u64::from(share.devices) >> instance.devices.len() != 0
                || !instance.devices.iter().enumerate().all(share_fits)
            {
                return Err(Refusal::Devices);
            }
        }
        if rules.spread != Spread::None
            && (share.tasks > 1 || !self.spread_allows(work, share.instance))
        {
            return Err(Refusal::Spread);
        }
        Ok(())
    }

    /// Ends the opening of an allocation: it starts, or waits for instances to boot.
    pub(crate) fn commit(&mut self, opened: AllocationRef) -> Result<(), Refusal> {
        let work = self.allocations[opened].work();
        let live = &self.works[work];
        let refusal = if self.allocations[opened].tasks == 0 {
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
        let first = self.allocations[opened].held[0].share.instance;
        let offer = self.instances[first].offer;
        let (input, output) = self.transfer_times(work, offer);
        self.works[work].last_offer = Some(offer);
        if self.works[work].waiting == 0 {
            self.totals.waiting -= 1;
        }
        let allocation = &mut self.allocations[opened];
        (allocation.input, allocation.output) = (input, output);
        if allocation.not_ready > 0 {
            for at in 0..self.allocations[opened].held.len() {
                let instance = self.allocations[opened].held[at].share.instance;
                let instance = &mut self.instances[instance];
                if instance.phase == Phase::Booting {
                    instance.awaited_by.push(opened);
                }
            }
        }
        self.set_estimated_end(opened);
        self.remember(Undo::Placed(opened));
        self.effects.push(Effect::Placed(opened));
        Ok(())
    }

    /// Drops an open allocation as if it had never been.
    pub(crate) fn abandon(&mut self, opened: AllocationRef) {
        let work = self.allocations[opened].work();
        let demand = self.works[work].ask.demand;
        for at in (0..self.allocations[opened].held.len()).rev() {
            let share = self.allocations[opened].held[at].share;
            self.change_instance(share.instance, |instance| {
                instance.give(demand, share.tasks, share.devices);
            });
        }
        let tasks = self.allocations[opened].tasks;
        self.uniform.change(i64::from(tasks));
        let live = &mut self.works[work];
        live.waiting += tasks;
        live.placed -= tasks;
        live.allocations.retain(|other| *other != opened);
        self.allocations.free(opened);
    }

    fn unplace(&mut self, allocation: AllocationRef) {
        let work = self.allocations[allocation].work();
        for at in 0..self.allocations[allocation].held.len() {
            let instance = self.allocations[allocation].held[at].share.instance;
            self.instances[instance].awaited_by.retain(|&other| other != allocation);
        }
        self.forget_end(allocation);
        if self.works[work].waiting == 0 {
            self.totals.waiting += 1;
        }
        self.abandon(allocation);
    }

    /// Requests an instance of `offer`.
    pub(crate) fn rent(&mut self, offer: Id<Offer>) -> Result<InstanceRef, Refusal> {
        if self.world.offers[offer].market == Market::Owned {
            return Err(Refusal::NotForRent);
        }
        if let Some(why) = self.launch_refusal(offer) {
            self.effects.push(Effect::LaunchRefused(offer, why));
            return Err(Refusal::Launch(why));
        }
        let instance = self.launch(offer, Phase::Booting);
        self.remember(Undo::Rented(instance));
        self.effects.push(Effect::Rented(instance));
        Ok(instance)
    }

    /// Whether a launch of `offer` would be refused now, and why.
    pub fn launch_refusal(&self, offer: Id<Offer>) -> Option<LaunchRefusal> {
        let whole = self.world.type_of(offer).whole;
        for &row in &self.quotas_of[offer.row()] {
            let quota = &self.world.quotas[row];
            let more = quota_amount(quota.unit, whole);
            if self.quota_used[row] + more > quota.limit {
                return Some(LaunchRefusal::Quota(row));
            }
        }
        let capacity = self.world.offers[offer].capacity;
        let full = capacity.is_some_and(|most| self.offers[offer.row()].live >= most);
        full.then_some(LaunchRefusal::Capacity)
    }

    /// How many launches of `offer` would be accepted now, and what refuses the
    /// next; `u64::MAX` and nothing where there is no limit.
    pub fn launch_room(&self, offer: Id<Offer>) -> (u64, Option<LaunchRefusal>) {
        let whole = self.world.type_of(offer).whole;
        let capacity = self.world.offers[offer].capacity;
        let live = self.offers[offer.row()].live;
        let mut room = capacity.map_or((u64::MAX, None), |most| {
            (u64::from(most.saturating_sub(live)), Some(LaunchRefusal::Capacity))
        });
        for &row in &self.quotas_of[offer.row()] {
            let quota = &self.world.quotas[row];
            let left = quota.limit.saturating_sub(self.quota_used[row]);
            let by_quota = left.checked_div(quota_amount(quota.unit, whole));
            if by_quota.is_some_and(|launches| launches <= room.0) {
                room = (by_quota.unwrap_or(0), Some(LaunchRefusal::Quota(row)));
            }
        }
        room
    }

    pub(super) fn launch(&mut self, offer: Id<Offer>, phase: Phase) -> InstanceRef {
        let shape = self.world.type_of(offer).shape;
        let rate = self.price(offer);
        let state = &mut self.offers[offer.row()];
        let slot = state.free_slots.pop().map_or(state.launches.len() as u32, |Reverse(slot)| slot);
        if slot as usize == state.launches.len() {
            state.launches.push(0);
        }
        let launch = state.launches[slot as usize];
        state.launches[slot as usize] += 1;
        self.count_live(offer, 1);
        let reference = self.instances.claim();
        let instance = &mut self.instances[reference];
        instance.ordinal = self.launched;
        (instance.offer, instance.slot, instance.launch) = (offer, slot, launch);
        (instance.phase, instance.shape, instance.free) = (phase, shape, shape.free());
        (instance.free_gpu, instance.allocations) = (shape.gpu_milli(), 0);
        (instance.idle_since, instance.listed) = (self.now, false);
        instance.devices.clear();
        instance.devices.resize(usize::from(shape.gpus), crate::units::WHOLE_GPU);
        instance.kinds.clear();
        instance.awaited_by.clear();
        instance.meter = Meter::start(self.now, rate);
        self.launched += 1;
        self.totals.rates[self.world.provider_of(offer).row()] += rate.picos();
        match phase {
            Phase::Booting => self.totals.booting += 1,
            _ => {
                self.totals.running += 1;
                self.totals.capacity.add(shape, 1);
            }
        }
        self.enter(reference);
        reference
    }

    fn count_live(&mut self, offer: Id<Offer>, sign: i64) {
        let live = &mut self.offers[offer.row()].live;
        *live = live.wrapping_add_signed(sign as i32);
        let whole = self.world.type_of(offer).whole;
        for &row in &self.quotas_of[offer.row()] {
            let amount = quota_amount(self.world.quotas[row].unit, whole) as i64;
            self.quota_used[row] = self.quota_used[row].wrapping_add_signed(sign * amount);
        }
    }

    fn unrent(&mut self, reference: InstanceRef) {
        self.leave(reference);
        let instance = &self.instances[reference];
        let (offer, slot) = (instance.offer, instance.slot);
        self.totals.rates[self.world.provider_of(offer).row()] -= instance.meter.rate().picos();
        self.totals.booting -= 1;
        self.offers[offer.row()].launches[slot as usize] -= 1;
        self.launched -= 1;
        self.count_live(offer, -1);
        self.free_slot(offer, slot);
        self.instances.free(reference);
    }

    pub(super) fn free_slot(&mut self, offer: Id<Offer>, slot: u32) {
        self.offers[offer.row()].free_slots.push(Reverse(slot));
    }

    /// Gives back an empty rented instance.
    pub(crate) fn release(&mut self, reference: InstanceRef) -> Result<(), Refusal> {
        if !self.instances.contains(reference) || self.instances[reference].phase == Phase::Released
        {
            return Err(Refusal::InstanceGone);
        }
        let instance = &self.instances[reference];
        if self.world.offers[instance.offer].market == Market::Owned {
            return Err(Refusal::Owned);
        }
        if instance.allocations > 0 {
            return Err(Refusal::NotEmpty);
        }
        let phase = instance.phase;
        self.retire(reference);
        self.remember(Undo::Released(reference, phase));
        self.effects.push(Effect::Released(reference));
        Ok(())
    }

    /// Takes an instance out of every count and index.
    pub(super) fn retire(&mut self, reference: InstanceRef) {
        self.leave(reference);
        let instance = &mut self.instances[reference];
        let (offer, shape) = (instance.offer, instance.shape);
        self.totals.rates[self.world.provider_of(offer).row()] -= instance.meter.rate().picos();
        match std::mem::replace(&mut instance.phase, Phase::Released) {
            Phase::Booting => self.totals.booting -= 1,
            _ => {
                self.totals.running -= 1;
                self.totals.capacity.add(shape, -1);
            }
        }
        self.count_live(offer, -1);
    }

    fn unrelease(&mut self, reference: InstanceRef, phase: Phase) {
        let instance = &mut self.instances[reference];
        instance.phase = phase;
        let (offer, shape) = (instance.offer, instance.shape);
        self.totals.rates[self.world.provider_of(offer).row()] += instance.meter.rate().picos();
        match phase {
            Phase::Booting => self.totals.booting += 1,
            _ => {
                self.totals.running += 1;
                self.totals.capacity.add(shape, 1);
            }
        }
        self.count_live(offer, 1);
        self.enter(reference);
    }

    /// Takes the instances of an allocation away; its tasks wait again.
    pub(crate) fn preempt(&mut self, allocation: AllocationRef) -> Result<(), Refusal> {
        if !self.allocations.contains(allocation) || self.allocations[allocation].yielded {
            return Err(Refusal::AllocationGone);
        }
        self.detach(allocation);
        let work = self.allocations[allocation].work();
        let tasks = self.allocations[allocation].tasks;
        if self.works[work].waiting == 0 {
            self.totals.waiting += 1;
        }
        self.works[work].waiting += tasks;
        self.works[work].placed -= tasks;
        let kept = self.kept_progress(allocation);
        self.works[work].executed += kept;
        self.allocations[allocation].yielded = true;
        self.remember(Undo::Preempted(allocation));
        self.effects.push(Effect::Preempted(allocation));
        Ok(())
    }

    /// Frees the resources of an allocation, which keeps its records.
    pub(super) fn detach(&mut self, allocation: AllocationRef) {
        let work = self.allocations[allocation].work();
        let demand = self.works[work].ask.demand;
        self.forget_end(allocation);
        for at in 0..self.allocations[allocation].held.len() {
            let share = self.allocations[allocation].held[at].share;
            let now = self.now;
            self.change_instance(share.instance, |instance| {
                instance.give(demand, share.tasks, share.devices);
                instance.idle_since = now;
            });
            self.list_if_empty(share.instance);
        }
        let tasks = i64::from(self.allocations[allocation].tasks);
        self.uniform.change(tasks);
        if self.allocations[allocation].started.is_some() {
            self.totals.allocated.add_tasks(demand, -tasks);
        }
    }

    /// Lets the release part hear of a rented instance that became empty. The
    /// list holds each instance once, so it stays short if nobody takes it.
    fn list_if_empty(&mut self, reference: InstanceRef) {
        let instance = &mut self.instances[reference];
        if instance.allocations == 0
            && !instance.listed
            && self.world.offers[instance.offer].market != Market::Owned
        {
            instance.listed = true;
            self.emptied.push(reference);
        }
    }

    /// Progress of an allocation on the reference machine that a resuming job
    /// keeps; zero where tasks run apart, as their progress may differ.
    fn kept_progress(&self, allocation: AllocationRef) -> Span {
        let target = &self.allocations[allocation];
        let ask = &self.works[target.work()].ask;
        let Some(started) = target.started else { return Span::ZERO };
        if !(ask.resumes && ask.gang) {
            return Span::ZERO;
        }
        let computed = (self.now - started - target.input).max(Span::ZERO);
        let done = i128::from(computed.micros()) * i128::from(target.speed) / 1_000_000;
        Span::from_micros(i64::try_from(done).unwrap_or(i64::MAX))
    }

    fn unpreempt(&mut self, allocation: AllocationRef) {
        let work = self.allocations[allocation].work();
        let demand = self.works[work].ask.demand;
        for at in 0..self.allocations[allocation].held.len() {
            let share = self.allocations[allocation].held[at].share;
            self.change_instance(share.instance, |instance| {
                instance.take(demand, share.tasks, share.devices);
            });
        }
        let tasks = self.allocations[allocation].tasks;
        self.uniform.change(-i64::from(tasks));
        if self.allocations[allocation].started.is_some() {
            self.totals.allocated.add_tasks(demand, i64::from(tasks));
        }
        self.allocations[allocation].yielded = false;
        let kept = self.kept_progress(allocation);
        self.works[work].executed = self.works[work].executed - kept;
        self.works[work].waiting -= tasks;
        self.works[work].placed += tasks;
        if self.works[work].waiting == 0 {
            self.totals.waiting -= 1;
        }
        if self.needs.ends {
            let end = self.allocations[allocation].estimated_end;
            self.ends.insert((end, allocation));
        }
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
            |instance: InstanceRef| self.world.offers[self.instances[instance].offer].zone;
        let zone = zone_of(instance);
        let held = || {
            let all = live.allocations.iter().filter(|&&other| !self.allocations[other].yielded);
            all.flat_map(|&other| self.allocations[other].held.iter().map(|held| held.share))
        };
        match spread {
            Spread::None => true,
            Spread::Instances => held().all(|share| share.instance != instance),
            Spread::Zones => held().all(|share| zone_of(share.instance) != zone),
            Spread::EvenZones => {
                let mut counts = vec![None; self.world.zones.len()];
                for (offer, facts) in self.world.offers.iter() {
                    if self.could_hold(work, offer) {
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

    /// Time to bring the work's input to a region and its output home.
    fn transfer_times(&self, work: WorkRef, offer: Id<Offer>) -> (Span, Span) {
        let ask = &self.works[work].ask;
        let Some(home) = ask.home.and_then(|home| self.home_region(home)) else {
            return (Span::ZERO, Span::ZERO);
        };
        let region = self.world.region_of(offer);
        let input = self.world.link(home, region).time(ask.input);
        (input, self.world.link(region, home).time(ask.output))
    }

    /// Sets when the allocation would end if it started now, by the estimate.
    pub(super) fn set_estimated_end(&mut self, allocation: AllocationRef) {
        self.forget_end(allocation);
        let target = &self.allocations[allocation];
        let estimate = self.works[target.work()].remaining_estimate();
        let end = if estimate == Span::MAX {
            Time::MAX
        } else {
            let run = i128::from(estimate.micros()) * 1_000_000 / i128::from(target.speed.max(1));
            let run = Span::from_micros(i64::try_from(run).unwrap_or(i64::MAX));
            let end = self.now.saturating_add(target.input).saturating_add(run);
            end.saturating_add(target.output)
        };
        self.allocations[allocation].estimated_end = end;
        if self.needs.ends {
            self.ends.insert((end, allocation));
        }
    }

    fn forget_end(&mut self, allocation: AllocationRef) {
        if self.needs.ends {
            self.ends.remove(&(self.allocations[allocation].estimated_end, allocation));
        }
    }

    /// Changes an instance and its place in the index.
    fn change_instance(
        &mut self,
        reference: InstanceRef,
        change: impl FnOnce(&mut super::Instance),
    ) {
        let instance = &mut self.instances[reference];
        let before = order(self.needs.index, instance);
        change(instance);
        let after = order(self.needs.index, instance);
        let (free, offer) = (instance.free, instance.offer);
        if instance.phase == Phase::Released {
            return;
        }
        if before == after {
            self.index.update(before, free);
        } else {
            self.index.remove(before);
            self.index.insert(after, reference.slot() as u32, free, kind_of(offer));
        }
        let instance = &mut self.instances[reference];
        self.classes.part(reference, instance.ordinal, instance.class);
        instance.class = self.classes.join(reference, instance);
    }

    fn enter(&mut self, reference: InstanceRef) {
        let instance = &self.instances[reference];
        let order = order(self.needs.index, instance);
        let kinds = kind_of(instance.offer);
        self.index.insert(order, reference.slot() as u32, instance.free, kinds);
        let class = self.classes.join(reference, instance);
        if let Some(demand) = self.uniform.demand() {
            self.uniform.change(i64::from(instance.room(demand)));
        }
        self.instances[reference].class = class;
    }

    fn leave(&mut self, reference: InstanceRef) {
        let instance = &self.instances[reference];
        self.index.remove(order(self.needs.index, instance));
        self.classes.part(reference, instance.ordinal, instance.class);
        if let Some(demand) = self.uniform.demand() {
            self.uniform.change(-i64::from(instance.room(demand)));
        }
    }
}

fn quota_amount(unit: QuotaUnit, whole: crate::units::Shape) -> u64 {
    match unit {
        QuotaUnit::Instances => 1,
        QuotaUnit::Cpu => u64::from(whole.cpu),
        QuotaUnit::Gpus => u64::from(whole.gpus),
    }
}

/// Place of an instance in the index: the key of the policy, then its age.
fn order(by: IndexBy, instance: &super::Instance) -> u64 {
    let key = match by {
        IndexBy::Age => 0,
        IndexBy::Least(scalar) => instance.free_by(scalar),
        IndexBy::Most(scalar) => u32::MAX - instance.free_by(scalar),
    };
    u64::from(key) << 32 | u64::from(instance.ordinal)
}
