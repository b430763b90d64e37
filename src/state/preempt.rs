//! Taking instances away from work that runs on them.

use super::change::{Effect, Refusal, Undo};
use super::{AllocationRef, State};
use crate::units::{Span, Time};

impl State<'_> {
    /// Takes the instances of an allocation away; its tasks wait again.
    pub(crate) fn preempt(&mut self, allocation: AllocationRef) -> Result<(), Refusal> {
        if !self.allocations.contains(allocation) || self.allocations[allocation].yielded {
            return Err(Refusal::AllocationGone);
        }
        for at in 0..self.allocations[allocation].held.len() {
            let instance = self.allocations[allocation].held[at].share.instance;
            self.remember(Undo::Emptied(instance, self.fleet.instances[instance].idle_since));
        }
        self.detach(allocation);
        let work = self.allocations[allocation].work();
        let tasks = self.allocations[allocation].tasks;
        let since = self.waits_since(work);
        if self.works[work].waiting == 0 {
            self.totals.waiting += 1;
            self.set_waits_since(work, self.now);
        }
        self.works[work].waiting += tasks;
        self.works[work].placed -= tasks;
        let kept = self.kept_progress(allocation);
        self.works[work].executed += kept;
        self.allocations[allocation].yielded = true;
        self.remember(Undo::Preempted(allocation, since));
        self.effects.push(Effect::Preempted(allocation));
        Ok(())
    }

    /// Frees the resources of an allocation, which keeps its records.
    #[inline]
    pub(super) fn detach(&mut self, allocation: AllocationRef) {
        self.forget_end(allocation);
        let target = &self.allocations[allocation];
        let demand = self.works[target.work()].ask.demand;
        for held in &target.held {
            let share = held.share;
            let emptied = self.fleet.change(share.instance, |instance| {
                instance.give(demand, share.tasks, share.devices);
                instance.idle_since = self.now;
                instance.newly_idle()
            });
            if emptied {
                self.emptied.push(share.instance);
            }
        }
        let tasks = i64::from(target.tasks);
        self.fleet.uniform.change(tasks);
        if target.started().is_some() {
            self.totals.allocated.add_tasks(demand, -tasks);
        }
    }

    /// Progress of an allocation on the reference machine that a resuming job
    /// keeps; zero where tasks run apart, as their progress may differ.
    pub(super) fn kept_progress(&self, allocation: AllocationRef) -> Span {
        let target = &self.allocations[allocation];
        let ask = &self.works[target.work()].ask;
        let Some(started) = target.started() else { return Span::ZERO };
        if !ask.keeps_progress() {
            return Span::ZERO;
        }
        let computed = (self.now - started - target.input).max(Span::ZERO);
        let done = i128::from(computed.micros()) * i128::from(target.speed) / 1_000_000;
        Span::from_micros(i64::try_from(done).unwrap_or(i64::MAX))
    }

    pub(super) fn unpreempt(&mut self, allocation: AllocationRef, since: Time) {
        let work = self.allocations[allocation].work();
        self.set_waits_since(work, since);
        let demand = self.works[work].ask.demand;
        for at in 0..self.allocations[allocation].held.len() {
            let share = self.allocations[allocation].held[at].share;
            self.fleet.change(share.instance, |instance| {
                instance.take(demand, share.tasks, share.devices);
            });
        }
        let tasks = self.allocations[allocation].tasks;
        self.fleet.uniform.change(-i64::from(tasks));
        if self.allocations[allocation].started().is_some() {
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
        self.keep_latest(allocation, true);
    }
}
