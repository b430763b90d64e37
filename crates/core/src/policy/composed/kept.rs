//! Work whose tasks wait on an instance that was stopped: it is put aside until that starts again.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::model::WorkId;
use crate::policy::due::Alarm;
use crate::policy::queue::Queue;
use crate::policy::turn::Turn;
use crate::state::{DecisionNote, StartPromise, Wait, WaitReason, WorkRef};
use crate::units::{Span, Time};

/// Work that waits for its stopped instance.
#[derive(Debug, Default)]
pub(super) struct KeptWork {
    /// How long it waits.
    patience: Span,
    /// Work that waits, and until when, with what breaks its ties.
    waits: FxHashMap<WorkRef, (Time, (Time, WorkId))>,
    /// When the patience of each ends, also of some that wait no more.
    due: BTreeSet<(Time, (Time, WorkId), WorkRef)>,
    alarm: Alarm,
}

impl KeptWork {
    pub(super) fn new(patience: Span) -> Self {
        Self { patience, ..Self::default() }
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// Puts work aside that has lost its place, if a stopped instance keeps its tasks and nothing else of
    /// it runs or is done. Returns whether it does.
    pub(super) fn holds(
        &mut self,
        turn: &mut Turn<'_, '_>,
        queue: &mut Queue,
        work: WorkRef,
    ) -> bool {
        let live = turn.work(work);
        let (tie, whole) = (live.tie(), live.placed + live.done == 0);
        if !turn.is_kept(work) || !whole || self.patience == Span::ZERO {
            return false;
        }
        queue.remove(work);
        queue.set_aside(work);
        turn.promise(work, StartPromise::Withdrawn);
        let until = turn.now().saturating_add(self.patience);
        self.waits.insert(work, (until, tie));
        self.alarm.set(turn, until);
        self.due.insert((until, tie, work));
        if turn.explaining() {
            turn.note(work, DecisionNote::Waits(Wait::of(WaitReason::Stopped)));
        }
        true
    }

    /// Work goes on, or has ended.
    pub(super) fn forget(&mut self, work: WorkRef) {
        self.waits.remove(&work);
    }

    /// Work whose patience has ended is added to `lost`.
    pub(super) fn keep_time(
        &mut self,
        turn: &mut Turn<'_, '_>,
        queue: &mut Queue,
        lost: &mut Vec<WorkRef>,
    ) {
        while let Some(&due @ (at, tie, work)) = self.due.first() {
            if at > turn.now() {
                self.alarm.set(turn, at);
                break;
            }
            self.due.remove(&due);
            if self.waits.get(&work) == Some(&(at, tie)) {
                self.waits.remove(&work);
                queue.drop_aside(work);
                lost.push(work);
            }
        }
    }
}
