//! Pending work: whose tasks wait to be placed, since when and why.

use super::{State, WorkRef};
use crate::units::Time;

/// Reason why tasks wait to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The work was submitted.
    Arrived,
    /// The policy took their instances away.
    Preempted,
    /// The provider took an instance away.
    Interrupted,
    /// The tasks failed, or an instance did.
    Failed,
    /// The policy moves them to other instances.
    Migrated,
}

impl Why {
    /// The word of reports and of the protocol.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Preempted => "preempted",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Migrated => "migrated",
        }
    }
}

/// Unbroken wait of tasks of one piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Time from which tasks of it have waited.
    pub since: Time,
    /// Reason why the latest of them wait.
    pub why: Why,
}

impl State<'_> {
    /// Unbroken wait of tasks of `work`; `None` if no task waits.
    pub fn pending(&self, work: WorkRef) -> Option<Pending> {
        (self.works[work].waiting > 0).then(|| self.wait_of(work))
    }

    /// Start of the unbroken wait of tasks of `work`; `None` if no task waits, or it has ended.
    pub(crate) fn waits_still(&self, work: WorkRef) -> Option<Time> {
        let pending = if self.works.contains(work) { self.pending(work) } else { None };
        pending.map(|pending| pending.since)
    }

    /// All pending work, those that have waited longest first. Takes time that grows with
    /// all live work: a policy that is asked often rather follows the triggers.
    pub fn all_pending(&self) -> Vec<WorkRef> {
        let pending = self.works.iter().filter(|(_, live)| live.waiting > 0);
        let mut pending: Vec<_> =
            pending.map(|(work, live)| (self.waits_since(work), live.tie(), work)).collect();
        pending.sort_unstable_by_key(|&(since, tie, _)| (since, tie));
        pending.into_iter().map(|(.., work)| work).collect()
    }

    /// Start of the unbroken wait of tasks of waiting `work`: when it was submitted, or when
    /// tasks came back while none waited.
    pub fn waits_since(&self, work: WorkRef) -> Time {
        self.wait_of(work).since
    }

    /// The wait of pending work.
    fn wait_of(&self, work: WorkRef) -> Pending {
        let submitted = Pending { since: self.works[work].arrival, why: Why::Arrived };
        self.came_back.get(work.slot()).copied().flatten().unwrap_or(submitted)
    }

    /// Tasks of `work` wait for this reason from now on. Returns the wait that was known before;
    /// `None` if it began with the submission.
    pub(super) fn comes_back(&mut self, work: WorkRef, why: Why) -> Option<Pending> {
        let before = self.pending(work);
        let since = before.map_or(self.now, |before| before.since);
        self.set_wait(work, Some(Pending { since, why }))
    }

    /// Sets the wait of `work`; `None` if it began with the submission. Returns the one before.
    pub(super) fn set_wait(&mut self, work: WorkRef, wait: Option<Pending>) -> Option<Pending> {
        if self.came_back.len() <= work.slot() {
            self.came_back.resize(work.slot() + 1, None);
        }
        std::mem::replace(&mut self.came_back[work.slot()], wait)
    }

    /// New work waits since it was submitted.
    #[inline]
    pub(super) fn forget_wait(&mut self, work: WorkRef) {
        if let Some(wait) = self.came_back.get_mut(work.slot()) {
            *wait = None;
        }
    }
}
