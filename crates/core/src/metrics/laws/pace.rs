//! Speeds at which tasks come on, followed from what slows their machines.

use crate::model::World;
use crate::state::{Allocation, AllocationRef, InstanceRef, Progress, State};
use crate::units::Time;

/// What makes machines slow, and what tasks on them have made meanwhile.
#[derive(Clone, Debug, Default)]
pub(super) struct Paces {
    /// Faults that slow each instance, by its slot.
    slow: Vec<Vec<usize>>,
    /// Of tasks that have ever come on at another speed than that of their machines, what they made at
    /// each speed, by the slot of their allocation.
    made: Vec<Option<(AllocationRef, Vec<Progress>)>>,
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
        match self.made.get(reference.slot()) {
            Some(Some((other, made))) if *other == reference => {
                Some(made.iter().rev().find(|made| made.since <= at).copied().unwrap_or(whole))
            }
            Some(_) | None => Some(whole),
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
        let rate = joint_rate(state, target, self.speed(state.world(), target));
        if self.made.len() <= reference.slot() {
            self.made.resize(reference.slot() + 1, None);
        }
        let Some(mut next) = self.made(state, (reference, target), now) else { return };
        next.set_rate(rate, now);
        let list = self.made[reference.slot()].get_or_insert((reference, Vec::new()));
        if list.0 != reference {
            *list = (reference, Vec::new());
        }
        list.1.push(next);
    }

    /// Speed of tasks: that of their machines, times the least share that any fault leaves them.
    fn speed(&self, world: &World, target: &Allocation) -> u32 {
        let mut least = 1_000_000;
        for held in &target.held {
            for &fault in self.slow.get(held.share.instance.slot()).into_iter().flatten() {
                least = least.min(world.faults[fault].effect.share_of_speed(target.held.len()));
            }
        }
        let rate = u64::from(target.speed) * u64::from(least) / 1_000_000;
        u32::try_from(rate).unwrap_or(u32::MAX).max(1)
    }
}

/// Progress in a microsecond at a speed, times the tasks that make it where it is counted together.
fn joint_rate(state: &State<'_>, target: &Allocation, speed: u32) -> u64 {
    let joint = state.joint_tasks(target.work()) > 1;
    u64::from(speed) * if joint { u64::from(target.tasks) } else { 1 }
}
