//! Law on promises: nobody starts later than promised.

use super::Laws;
use crate::model::{Spread, WorkId};
use crate::state::{Allocation, Ending, StartPromise, State, WorkRef};
use crate::units::Time;

/// Promised starts, and what excuses later ones. A promise is good for the next of
/// the tasks that wait: for all of a gang, for one of other work.
///
/// A promise may be replaced by a later one, or kept late, only where
///
/// - since reservations were last worked out, an instance was given back, work was
///   preempted, or work started on instances that it had waited for (its end was
///   estimated from its placement, as if they took no time to boot);
/// - the promise is due and work has overrun its estimate, until now or still (who
///   overruns counts as ending now, so what waits for that is promised over and
///   over);
/// - at the same moment one that was due could not be kept for such a reason, so that
///   others moved with it;
/// - the work is spread evenly over zones, or is no gang and spread over instances or
///   zones: reservations do not know what its other tasks hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Promises {
    /// Promised start by slot of the work; `None` if nothing or never is promised.
    starts: Vec<Option<Time>>,
    /// Reservations may have changed since they were last worked out.
    changed: bool,
    /// Work was running beyond its estimate since then.
    overran: bool,
    /// A promise that was due was not kept since then, with an excuse.
    slid: bool,
    /// First promise that was not kept, or moved back, without an excuse of its own: its work, the
    /// time promised before, and the promise now.
    moved: Option<(WorkId, Time, StartPromise)>,
}

impl Promises {
    /// Sets a promise and returns the one before.
    fn replace(&mut self, work: WorkRef, at: Option<Time>) -> Option<Time> {
        if self.starts.len() <= work.slot() {
            at?;
            self.starts.resize(work.slot() + 1, None);
        }
        std::mem::replace(&mut self.starts[work.slot()], at)
    }
}

impl Laws {
    /// New work has been promised nothing.
    #[inline]
    pub(super) fn forget_promise(&mut self, work: WorkRef) {
        self.promises.replace(work, None);
    }

    /// The policy has promised a start.
    pub(super) fn keep_promise(&mut self, state: &State<'_>, work: WorkRef, promise: StartPromise) {
        let (at, is_later): (_, fn(Time, Time) -> bool) = match promise {
            StartPromise::By(at) => (Some(at), |at, before| at > before),
            StartPromise::Never => (None, |_, _| true),
            StartPromise::Withdrawn => (None, |_, _| false),
        };
        let before = self.promises.replace(work, at);
        if let Some(before) = before.filter(|&before| is_later(at.unwrap_or(before), before)) {
            self.slipped(state, work, before, promise);
        }
    }

    /// Tasks have been placed: what was promised to them is kept or broken.
    #[inline]
    pub(super) fn placed(&mut self, state: &State<'_>, placed: &Allocation) {
        let work = placed.work();
        let before = self.promises.replace(work, None);
        if let Some(before) = before.filter(|&before| state.now() > before) {
            self.slipped(state, work, before, StartPromise::By(state.now()));
        }
    }

    /// Remembers who runs beyond its estimate, before the policy preempts it.
    #[inline]
    pub(super) fn see_overruns(&mut self, state: &State<'_>) {
        self.promises.overran |= state.first_end().is_some_and(|end| end < state.now());
    }

    /// An instance was given back.
    #[inline]
    pub(super) fn excuse_loss(&mut self) {
        self.promises.changed = true;
    }

    /// Tasks have started: they may have waited for instances to boot.
    #[inline]
    pub(super) fn excuse_boot(&mut self, started: &Allocation, now: Time) {
        self.promises.changed |= started.placed < now;
    }

    /// Tasks have stopped: they may wait again, or have run too long.
    #[inline]
    pub(super) fn excuse_stop(&mut self, stopped: &Allocation, ending: Ending, now: Time) {
        self.promises.changed |= ending.waits_again();
        self.promises.overran |= stopped.estimated_end < now;
    }

    #[cold]
    fn slipped(&mut self, state: &State<'_>, work: WorkRef, before: Time, after: StartPromise) {
        let now = state.now();
        let ask = &state.work(work).ask;
        let inexact = match state.rules(ask.rules).spread {
            Spread::None => false,
            Spread::Instances | Spread::Zones => !ask.gang,
            Spread::EvenZones => true,
        };
        let promises = &mut self.promises;
        if promises.changed {
            return;
        }
        if before <= now && (promises.overran || inexact) {
            promises.slid = true;
        } else if !inexact {
            promises.moved.get_or_insert((state.work(work).id, before, after));
        }
    }

    /// All promises stand as of now.
    pub(super) fn stands(&mut self, at: Time) {
        self.judge_promises(at);
        let promises = &mut self.promises;
        (promises.changed, promises.overran, promises.slid) = (false, false, false);
    }

    /// Judges the promises of a moment at which nothing else happens.
    #[inline]
    pub(super) fn judge_promises(&mut self, at: Time) {
        if let Some((work, before, after)) = self.promises.moved.take()
            && !self.promises.slid
        {
            self.broke(at, "nobody starts later than promised", || {
                format!("{work:?} was promised {before:?}, then {after:?}")
            });
        }
    }
}
