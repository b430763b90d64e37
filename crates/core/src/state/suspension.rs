//! Suspended time of work whose tasks were stopped before they were done.

use super::progress::span_at;
use super::{AllocationRef, State, WorkRef};
use crate::units::{Span, Time};

/// Suspended and lost time of one piece of work since its first start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspension {
    /// Start of the time in which nothing of it runs; `None` while something does.
    since: Option<Time>,
    /// Time that was suspended or lost before.
    pub(super) sum: Span,
}

impl Suspension {
    const NONE: Self = Self { since: None, sum: Span::ZERO };
}

impl State<'_> {
    /// New work has lost nothing.
    #[inline]
    pub(super) fn forget_pause(&mut self, work: WorkRef) {
        if let Some(pause) = self.pauses.get_mut(work.slot()) {
            *pause = Suspension::NONE;
        }
    }

    /// An allocation of `work` that started then has stopped before it was done.
    pub(super) fn pause(&mut self, stopped: AllocationRef, started: Time) {
        let work = self.allocations[stopped].work();
        let in_vain = self.in_vain(stopped, started);
        let live = &self.works[work];
        let others = live.allocations.iter().filter(|&&other| other != stopped);
        let runs_on = others.clone().any(|&other| self.allocations[other].started().is_some());
        let now = self.now;
        let pause = self.pause_of(work);
        pause.sum += in_vain;
        if !runs_on {
            pause.since = Some(now);
        }
    }

    /// Time in which the tasks of an allocation that started then and has stopped before it was done
    /// did not come on: none where they save all that they did, else all but what they keep.
    fn in_vain(&self, stopped: AllocationRef, started: Time) -> Span {
        let target = &self.allocations[stopped];
        let ask = &self.works[target.work()].ask;
        let ending = target.ending.expect("it has stopped");
        let goes_on = ending.keeps_memory();
        if ask.tasks > 1 && !ask.gang || goes_on || ending.saves_progress() && ask.keeps_progress()
        {
            return Span::ZERO;
        }
        let kept = self.kept(stopped, ending) - self.saved(stopped);
        // What was brought along counted as time in which they came on.
        let rate = self.rate_of(target, target.speed);
        let brought = span_at(self.carried(stopped), rate);
        self.now - started + brought - span_at(kept, rate)
    }

    fn pause_of(&mut self, work: WorkRef) -> &mut Suspension {
        if self.pauses.len() <= work.slot() {
            self.pauses.resize(work.slot() + 1, Suspension::NONE);
        }
        &mut self.pauses[work.slot()]
    }

    /// Ends the suspension of `work`, for some of it runs again.
    #[inline]
    pub(super) fn resume(&mut self, work: WorkRef) {
        if let Some(pause) = self.pauses.get_mut(work.slot())
            && let Some(since) = pause.since.take()
        {
            pause.sum += self.now - since;
        }
    }
}
