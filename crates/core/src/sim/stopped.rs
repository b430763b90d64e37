//! Spot instances that are stopped rather than ended: with which tasks, and when they start again.

use super::{Event, Observer, Simulation};
use crate::model::Reclaimed;
use crate::policy::Trigger;
use crate::state::{Ending, Exit, InstanceRef, KeptTasks, Record, StoppedRef, WorkRef};

impl<O: Observer> Simulation<'_, '_, O> {
    /// The provider takes a spot instance for which there is no capacity: it ends, or is stopped
    /// if there are tasks on it that go on when it starts again.
    pub(super) fn take(&mut self, instance: InstanceRef) {
        let memory = match self.terms(instance).reclaimed {
            Reclaimed::Terminated => {
                return self.lose(instance, Ending::Interrupted, Exit::Reclaimed);
            }
            Reclaimed::Stopped => false,
            Reclaimed::Hibernated => true,
        };
        let kept = self.stop_tasks(instance, memory);
        let target = self.state.instance(instance);
        let stopped = (target.offer, target.ordinal);
        let exit = if kept.is_empty() { Exit::Reclaimed } else { Exit::Stopped };
        self.lose(instance, Ending::Interrupted, exit);
        if !kept.is_empty() {
            self.state.keep_stopped(stopped, &kept);
        }
    }

    /// Stops the tasks on an instance that go on there later. Returns them.
    fn stop_tasks(&mut self, instance: InstanceRef, memory: bool) -> Vec<KeptTasks> {
        let mut tenants = std::mem::take(&mut self.tenants);
        self.state.tenants(instance, &mut tenants);
        let mut all = Vec::new();
        for allocation in tenants.drain(..) {
            if self.state.is_arriving(allocation) {
                continue;
            }
            let Some(mut kept) = self.state.to_keep(allocation, memory) else { continue };
            let total = self.totals[kept.work.slot()].unwrap_or(i128::MAX);
            kept.cap(total);
            let ending = if kept.has_memory() { Ending::Hibernated } else { Ending::Interrupted };
            self.state.stop(allocation, ending);
            self.conclude_early(allocation, ending);
            all.push(kept);
        }
        self.tenants = tenants;
        all
    }

    /// Starts stopped instances again, the oldest of each offer first, while there is room for them. Only
    /// a budget of its tenant may hold up one and not the next.
    pub(super) fn restart_stopped(&mut self) {
        let mut after = None;
        while let Some(stopped) = self.state.next_stopped(after) {
            let (offer, _) = stopped;
            after = Some(match self.state.stays_stopped(stopped) {
                true if self.state.caps_tenants() => stopped,
                true => (offer, u32::MAX),
                false => {
                    self.restart(stopped);
                    stopped
                }
            });
        }
    }

    fn restart(&mut self, (offer, was): StoppedRef) {
        self.acts();
        let mut kept = self.state.leave_stopped((offer, was));
        // A policy may have narrowed where the work is tried again.
        kept.retain(|tasks| {
            let goes_on = self.state.may_go_on(offer, tasks);
            if !goes_on {
                self.give_up(tasks, false);
            }
            goes_on
        });
        if kept.is_empty() {
            return;
        }
        let instance = self.state.request_again(offer, &kept[0]);
        self.record(&Record::Restarted { instance, was });
        self.record(&Record::Requested(instance));
        self.takes_slot(instance);
        let at = self.state.now().saturating_add(self.terms(instance).restart);
        self.expect(instance, at, Event::Ready(instance));
        for tasks in kept {
            match self.state.resume_on(instance, &tasks) {
                Ok(allocation) => {
                    self.triggers.push(Trigger::Resumed(tasks.work));
                    self.record(&Record::Placed(allocation));
                }
                // The rules of the work are others now, or others of its tasks are elsewhere.
                Err(_) => self.give_up(&tasks, false),
            }
        }
        self.triggers.push(Trigger::Acted);
    }

    /// Tasks of `work` that a stopped instance keeps are given up, as far as no more of them wait.
    #[cold]
    pub(super) fn give_up_kept(&mut self, work: WorkRef, waiting: u32) {
        while let Some(tasks) = self.state.give_up_kept(work, waiting) {
            self.give_up(&tasks, false);
        }
    }

    /// The run is over before tasks that stopped instances keep went on.
    pub(super) fn end_kept(&mut self, work: WorkRef) {
        while let Some(tasks) = self.state.give_up_kept(work, 0) {
            self.give_up(&tasks, true);
        }
    }

    fn give_up(&mut self, kept: &KeptTasks, counts: bool) {
        let (useful, lost) = if counts { (kept.carried, 0) } else { (0, kept.carried) };
        let (work, tasks) = (kept.work, kept.tasks);
        self.record(&Record::GivenUp { work, tasks, useful, lost });
    }
}
