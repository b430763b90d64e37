//! Speeds at which tasks come on, followed from what slows their machines.

use crate::model::{FaultEffect, World};
use crate::state::{Allocation, AllocationRef, InstanceRef, Progress, State};
use crate::units::{Span, Time};

/// What makes machines slow, and what tasks on them have made meanwhile.
#[derive(Clone, Debug, Default)]
pub(super) struct Paces {
    /// Faults that slow each instance, by its slot.
    slow: Vec<Vec<usize>>,
    /// Of tasks that have ever come on at another speed than that of their machines, what they made at
    /// each speed, by the slot of their allocation.
    made: Vec<Option<(AllocationRef, Vec<Pace>)>>,
}

/// How tasks go on from a moment on.
#[derive(Clone, Copy, Debug)]
struct Pace {
    from: Time,
    made: Progress,
    /// Share of its speed that their network has, in millionths.
    network: u32,
}

impl Paces {
    /// What the tasks of an allocation make at `at` if they lose no time; `None` before they start.
    #[inline(always)]
    pub(super) fn made(
        &self,
        state: &State<'_>,
        (reference, target): (AllocationRef, &Allocation),
        at: Time,
    ) -> Option<Progress> {
        let started = target.started()?;
        let rate = joint_rate(state, target, target.speed);
        let whole = Progress::from_saved(0, rate, started + target.input);
        let last = self.paces(reference).iter().rev().find(|pace| pace.from <= at);
        Some(last.map_or(whole, |pace| pace.made))
    }

    /// When tasks had made `executed`, of those that have ended at `now` and have written their output
    /// since; `None` if that does not take until now.
    #[inline(always)]
    pub(super) fn computed(
        &self,
        (reference, target): (AllocationRef, &Allocation),
        (executed, now): (i128, Time),
    ) -> Option<Time> {
        let paces = self.paces(reference);
        if paces.iter().all(|pace| pace.network == 1_000_000) {
            return Some(now - target.output);
        }
        let ends = paces.iter().skip(1).map(|pace| pace.from).chain([now]);
        let ended = |(pace, until): (&Pace, Time)| {
            pace.made.eta(executed).filter(|&at| at <= until).map(|at| at.max(pace.from))
        };
        let computed = paces.iter().zip(ends).find_map(ended)?;
        (moved_at(paces, computed, target.output) == now).then_some(computed)
    }

    fn paces(&self, reference: AllocationRef) -> &[Pace] {
        match self.made.get(reference.slot()) {
            Some(Some((other, paces))) if *other == reference => paces,
            Some(_) | None => &[],
        }
    }

    /// Tasks start, perhaps on machines that are slow.
    #[inline(always)]
    pub(super) fn starts(&mut self, state: &State<'_>, one: AllocationRef, target: &Allocation) {
        if !self.slow.is_empty() {
            self.follow(state, one, target, state.now());
        }
    }

    /// A fault slows an instance from now on, or no longer: so it does the tasks on it.
    pub(super) fn change(
        &mut self,
        state: &State<'_>,
        instance: InstanceRef,
        fault: usize,
        begins: bool,
    ) {
        if self.slow.len() <= instance.slot() {
            self.slow.resize(instance.slot() + 1, Vec::new());
        }
        let faults = &mut self.slow[instance.slot()];
        match begins {
            true => faults.push(fault),
            false => faults.retain(|&other| other != fault),
        }
        let mut tenants = Vec::new();
        state.tenants(instance, &mut tenants);
        for one in tenants {
            let target = state.allocation(one);
            if target.started().is_some() {
                self.follow(state, one, target, state.now());
            }
        }
    }

    /// An instance has gone, and the next in its place is as good as new.
    pub(super) fn released(&mut self, instance: InstanceRef) {
        if let Some(faults) = self.slow.get_mut(instance.slot()) {
            faults.clear();
        }
    }

    fn follow(
        &mut self,
        state: &State<'_>,
        reference: AllocationRef,
        target: &Allocation,
        now: Time,
    ) {
        let started = target.started().unwrap_or(now);
        let rate = joint_rate(state, target, self.speed(state.world(), target));
        let network = self.least(state.world(), target, FaultEffect::share_of_network);
        if self.made.len() <= reference.slot() {
            self.made.resize(reference.slot() + 1, None);
        }
        let Some(before) = self.made(state, (reference, target), now) else { return };
        let mut next = before;
        next.set_rate(rate, now);
        let list = self.made[reference.slot()].get_or_insert((reference, Vec::new()));
        if list.0 != reference {
            *list = (reference, Vec::new());
        }
        let paces = &mut list.1;
        if paces.is_empty() && now > started {
            paces.push(Pace { from: started, made: before, network: 1_000_000 });
        }
        paces.push(Pace { from: now, made: next, network });
        if next.since > now {
            let read = moved_at(paces, started, target.input);
            paces.last_mut().expect("it has come").made.since = read;
        }
    }

    /// Speed of tasks: that of their machines, times the least share that any fault leaves them.
    fn speed(&self, world: &World, target: &Allocation) -> u32 {
        let machines = target.held.len();
        let least = self.least(world, target, |effect| effect.share_of_speed(machines));
        let rate = u64::from(target.speed) * u64::from(least) / 1_000_000;
        u32::try_from(rate).unwrap_or(u32::MAX).max(1)
    }

    /// The least share that any fault leaves of what is asked.
    fn least(&self, world: &World, target: &Allocation, share: impl Fn(FaultEffect) -> u32) -> u32 {
        let held = target.held.iter();
        let slow =
            held.flat_map(|held| self.slow.get(held.share.instance.slot()).into_iter().flatten());
        slow.map(|&fault| share(world.faults[fault].effect)).min().unwrap_or(1_000_000)
    }
}

/// When data has moved that moves for `span` over a network that is not slow, from `since` on.
fn moved_at(paces: &[Pace], since: Time, span: Span) -> Time {
    let mut left = i128::from(span.micros()) * 1_000_000;
    let mut at = since;
    for (row, pace) in paces.iter().enumerate() {
        let share = i128::from(pace.network);
        let until = paces.get(row + 1).map(|next| next.from.max(at));
        let time = until.map_or(i128::MAX / share, |until| i128::from((until - at).micros()));
        if left <= time * share {
            let micros = left / share + i128::from(left % share > 0);
            return at + Span::from_micros(micros as i64);
        }
        left -= time * share;
        at = until.unwrap_or(at);
    }
    at
}

/// Progress in a microsecond at a speed, by the tasks that make it where it is counted together.
fn joint_rate(state: &State<'_>, target: &Allocation, speed: u32) -> u64 {
    u64::from(speed) * state.joint_rate(target.work(), target.tasks)
}
