//! Time until work that was interrupted, or failed, runs again.

use crate::state::{Ending, State, WorkRef};
use crate::units::{Span, Time};

/// Work that was struck and does not run again yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Recoveries {
    /// Time of the first blow since it last ran in full, by slot of the work, as far as any was struck.
    struck: Vec<Option<Time>>,
}

impl Recoveries {
    /// Tasks of `work` ended in this way.
    #[inline(always)]
    pub(super) fn stopped(&mut self, now: Time, work: WorkRef, ending: Ending) {
        match ending {
            Ending::Interrupted | Ending::Hibernated | Ending::Failed => self.strike(now, work),
            Ending::Done
            | Ending::Preempted
            | Ending::Migrated
            | Ending::Cancelled
            | Ending::RunOver => {}
        }
    }

    fn strike(&mut self, now: Time, work: WorkRef) {
        if self.struck.len() <= work.slot() {
            self.struck.resize(work.slot() + 1, None);
        }
        self.struck[work.slot()].get_or_insert(now);
    }

    /// Tasks of `work` started: the time that its recovery took, if it was struck and no task of it
    /// waits for a place.
    #[inline(always)]
    pub(super) fn started(&mut self, state: &State<'_>, work: WorkRef) -> Option<Span> {
        let struck = self.struck.get_mut(work.slot())?;
        let since = (*struck)?;
        if state.pending(work).is_some() {
            return None;
        }
        *struck = None;
        Some(state.now() - since)
    }

    /// `work` ends without being done: the time that it had not run again, if it was struck before.
    pub(super) fn undone(&mut self, now: Time, work: WorkRef) -> Option<Span> {
        let since = self.struck.get_mut(work.slot())?.take()?;
        (since < now).then(|| now - since)
    }
}
