//! Why does work wait on? Told on request.

use std::ops::ControlFlow;

use super::Composed;
use super::due::Due;
use crate::policy::turn::Turn;
use crate::state::{Note, WaitReason, WorkRef};

impl Composed {
    /// Notes for everybody who waits why that is so.
    pub(super) fn explain(&self, turn: &mut Turn<'_, '_>) {
        let mut waiting = Vec::new();
        self.queue.visit(turn, None, &mut |queued| {
            waiting.push(queued);
            ControlFlow::Continue(())
        });
        for (place, queued) in waiting.iter().enumerate() {
            let reason = match self.blocked {
                Some((blocked, reason)) if blocked == queued.work => reason,
                _ if place > 0 && self.backfill.is_none() => WaitReason::Behind,
                _ if has_room(turn, queued.work) => WaitReason::Reserved,
                _ if self.rents_later(turn, queued.work) => WaitReason::OverflowLater,
                _ => WaitReason::NoRoom,
            };
            turn.note(queued.work, Note::Waits(reason));
        }
    }

    /// Whether `work` may have instances rented for it, but has not waited long enough.
    fn rents_later(&self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        let from = |overflow: &Due<WorkRef>| overflow.due(turn.work(work).arrival);
        self.overflow.as_ref().is_some_and(|overflow| turn.now() < from(overflow))
    }
}

/// Whether there is room for all waiting tasks of a gang, or for one of other work.
fn has_room(turn: &Turn<'_, '_>, work: WorkRef) -> bool {
    let live = turn.work(work);
    let needed = if live.ask.gang { live.waiting } else { 1 };
    let (mut found, mut from) = (0, 0);
    while found < needed {
        let Some((instance, order)) = turn.first_fit(work, from) else { return false };
        found += turn.instance(instance).room(live.ask.demand);
        from = order + 1;
    }
    true
}
