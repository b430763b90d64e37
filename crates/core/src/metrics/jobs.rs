//! Outcomes of work: how much of it ended how, how long it waited and took, and which deadlines
//! it kept.

use super::histogram::Histogram;
use super::ratio;
use super::summary::{Deadlines, DistributionSummary, Undone, WorkCounts};
use super::waits::{GroupWait, GroupWaits};
use crate::state::{LiveWork, RefusalReason, State, WorkRef};
use crate::units::{Span, Time};

/// Runtimes below this do not blow up a bounded slowdown.
pub const SLOWDOWN_FLOOR: Span = Span::from_secs(10);

/// Adds up the work that counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Jobs {
    /// Work that arrives before this is not counted: the end of a warm-up.
    from: Option<Time>,
    /// Whether an allocation of work has started, by its slot, whether it counts or not.
    started: Vec<bool>,
    submitted: u64,
    unestimated: u64,
    finished: u64,
    unfinished: u64,
    refused: [u64; RefusalReason::ALL.len()],
    undone: Undone,
    wait: Histogram,
    waits_by_tenant: GroupWaits,
    waits_by_class: GroupWaits,
    turnaround: Histogram,
    slowdown: Histogram,
    tardiness: Histogram,
    recovery: Histogram,
    with_deadline: u64,
    deadlines_met: u64,
    first_arrival: Option<Time>,
    last_arrival: Option<Time>,
    last_end: Option<Time>,
}

impl Jobs {
    /// Counts work that arrives at `from` or later.
    pub(super) fn starting(from: Time) -> Self {
        Self { from: Some(from), ..Self::default() }
    }

    #[inline]
    fn counts(&self, live: &LiveWork) -> bool {
        self.from.is_none_or(|from| live.arrival >= from)
    }

    /// Counts work that has arrived; no allocation of it has started.
    #[inline(always)]
    pub(super) fn submitted(&mut self, work: WorkRef, live: &LiveWork) {
        if self.started.len() <= work.slot() {
            self.started.resize(work.slot() + 1, false);
        }
        self.started[work.slot()] = false;
        if !self.counts(live) {
            return;
        }
        self.submitted += 1;
        let none = live.kind.wants_estimate() && live.ask.estimate.is_none();
        self.unestimated += u64::from(none);
        self.first_arrival.get_or_insert(live.arrival);
        self.last_arrival = Some(live.arrival);
    }

    /// Counts the wait of work when an allocation of it has started, if that is its first.
    #[inline(always)]
    pub(super) fn started(&mut self, now: Time, work: WorkRef, live: &LiveWork) {
        if std::mem::replace(&mut self.started[work.slot()], true) || !self.counts(live) {
            return;
        }
        let wait = (now - live.arrival).micros().max(0) as u64;
        self.waits_by_tenant.add(live.ask.tenant.row(), wait, &self.wait);
        self.waits_by_class.add(usize::from(live.ask.class), wait, &self.wait);
        self.wait.add(wait);
    }

    /// Counts the recovery of work that was struck.
    pub(super) fn recovered(&mut self, live: &LiveWork, took: Span) {
        if self.counts(live) {
            self.recovery.add(took.micros().max(0) as u64);
        }
    }

    #[inline(always)]
    pub(super) fn finished(&mut self, state: &State<'_>, work: WorkRef, live: &LiveWork) {
        if !self.counts(live) {
            return;
        }
        let now = state.now();
        self.finished += 1;
        self.last_end = Some(now);
        let turnaround = (now - live.arrival).micros().max(0);
        self.turnaround.add(turnaround as u64);
        let bound = state.ran(work).max(SLOWDOWN_FLOOR).micros();
        let slowdown = millionths(turnaround as u64, bound as u64);
        self.slowdown.add(slowdown.max(1_000_000));
        if let Some(deadline) = live.ask.deadline {
            self.with_deadline += 1;
            let late = (now - deadline).micros().max(0);
            self.deadlines_met += u64::from(late == 0);
            self.tardiness.add(late as u64);
        }
    }

    pub(super) fn refused(&mut self, live: &LiveWork, reason: RefusalReason) {
        if self.counts(live) {
            self.refused[reason as usize] += 1;
            self.misses(live);
        }
    }

    pub(super) fn unfinished(&mut self, live: &LiveWork) {
        if self.counts(live) {
            self.unfinished += 1;
            self.misses(live);
        }
    }

    /// Work that ends without being done misses its deadline, if it had one.
    fn misses(&mut self, live: &LiveWork) {
        self.with_deadline += u64::from(live.ask.deadline.is_some());
    }

    /// Adds work that is not done: its slowdown is that on the fastest machine, on which a wait
    /// weighs most. Time counts since `began`.
    pub(super) fn undone(
        &mut self,
        state: &State<'_>,
        work: WorkRef,
        left: Option<Span>,
        began: Time,
    ) {
        let live = state.work(work);
        if !self.counts(live) {
            return;
        }
        let speeds = state.world().types.rows().iter().map(|kind| kind.speed);
        let fastest = f64::from(speeds.max().unwrap_or(0).max(1)) / 1e6;
        let runtime = left.map_or(f64::INFINITY, |left| left.secs_f64() / fastest);
        let runtime = runtime.max(SLOWDOWN_FLOOR.secs_f64());
        self.undone.count += 1;
        self.undone.inverse += 1.0 / runtime;
        self.undone.arrivals += (live.arrival - began).secs_f64() / runtime;
        if let Some(left) = left {
            let ask = &live.ask;
            let hours = left.secs_f64() / 3_600.0 * f64::from(state.whole_tasks(work));
            self.undone.core_hours += hours * f64::from(ask.demand.cpu) / 1e3;
            self.undone.gpu_hours += hours * f64::from(ask.demand.gpu_milli()) / 1e3;
        }
    }

    /// Numbers of pieces of work by how they ended, without what the policy took away or was
    /// refused.
    pub(super) fn counted(&self) -> WorkCounts {
        let by_reason = RefusalReason::ALL.into_iter().zip(self.refused);
        let by_reason = by_reason.filter(|&(_, count)| count > 0);
        WorkCounts {
            submitted: self.submitted,
            unestimated: self.unestimated,
            finished: self.finished,
            refused: self.refused.iter().sum(),
            refused_by_reason: by_reason
                .map(|(reason, count)| (reason.name().to_owned(), count))
                .collect(),
            unfinished: self.unfinished,
            finished_share: ratio(self.finished as f64, self.submitted as f64),
            ..WorkCounts::default()
        }
    }

    pub(super) const fn not_done(&self) -> Undone {
        self.undone
    }

    pub(super) const fn waits(&self) -> &Histogram {
        &self.wait
    }

    pub(super) fn waits_by_tenant(&self, tenants: &[String]) -> Vec<GroupWait> {
        self.waits_by_tenant.named(tenants, &self.wait)
    }

    /// Waits by class; empty if no work has a class.
    pub(super) fn waits_by_class(&self, classes: &[String]) -> Vec<GroupWait> {
        let named = || self.waits_by_class.named(classes, &self.wait);
        if classes.len() < 2 { Vec::new() } else { named() }
    }

    pub(super) fn turnarounds(&self) -> DistributionSummary {
        DistributionSummary::of(&self.turnaround, 1e6)
    }

    pub(super) fn slowdowns(&self) -> DistributionSummary {
        DistributionSummary::of(&self.slowdown, 1e6)
    }

    pub(super) fn recoveries(&self) -> DistributionSummary {
        DistributionSummary::of(&self.recovery, 1e6)
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        Deadlines {
            with: self.with_deadline,
            met: self.deadlines_met,
            missed: self.with_deadline - self.deadlines_met,
            tardiness_s: DistributionSummary::of(&self.tardiness, 1e6),
        }
    }

    /// Time from `began` until the last arrival.
    pub(super) fn arrivals(&self, began: Time) -> Span {
        self.last_arrival.map_or(Span::ZERO, |last| last - began)
    }

    /// Time from the first arrival until the last end.
    pub(super) fn makespan(&self) -> Span {
        match (self.first_arrival, self.last_end) {
            (Some(first), Some(last)) => last - first,
            _ => Span::ZERO,
        }
    }
}

/// `over / under` in millionths, rounded down.
fn millionths(over: u64, under: u64) -> u64 {
    match over.checked_mul(1_000_000) {
        Some(scaled) => scaled / under,
        None => (u128::from(over) * 1_000_000 / u128::from(under)) as u64,
    }
}
