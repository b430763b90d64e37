//! Reasons why work waits on, told on request.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::Composed;
use crate::policy::queue::Queued;
use crate::policy::turn::Turn;
use crate::state::{DecisionNote, Wait, WaitReason, WorkRef};
use crate::units::Time;

impl Composed {
    /// Notes for everybody who waits why that is so.
    pub(super) fn explain(&self, turn: &mut Turn<'_, '_>) {
        let mut waiting: Vec<Queued> = Vec::new();
        self.queue.visit(turn, None, &mut |queued| {
            waiting.push(queued);
            ControlFlow::Continue(())
        });
        let Some(first) = waiting.first().map(|queued| queued.work) else { return };
        // No reservation is made where nobody waits behind the first.
        let backfill = self.backfill.as_deref().filter(|_| waiting.len() > 1);
        let promise = |work: WorkRef| backfill.and_then(|part| part.promise(work));
        let first_promised = promise(first);
        for (place, queued) in waiting.iter().enumerate() {
            let work = queued.work;
            let due = self.overflow.as_ref().map(|due| due.due(turn.waits_since(work)));
            let mut wait = Wait {
                reason: WaitReason::NoRoom,
                ahead: u32::try_from(place).unwrap_or(u32::MAX),
                first: (place > 0).then_some(first),
                promised: promise(work),
                first_promised: first_promised.filter(|_| place > 0),
                rents: due.filter(|&due| due > turn.now()),
            };
            wait.reason = self.reason(turn, work, &wait, due);
            turn.note(work, DecisionNote::Waits(wait));
        }
    }

    /// Reason why `work` waits, for which instances may be rented from `due` on.
    fn reason(
        &self,
        turn: &Turn<'_, '_>,
        work: WorkRef,
        wait: &Wait,
        due: Option<Time>,
    ) -> WaitReason {
        let overdue = due.is_some() && wait.rents.is_none();
        match self.blocked {
            // Whoever has waited long enough was tried, wherever it stands.
            _ if overdue => self.provision.lack(turn, work),
            Some((blocked, reason)) if blocked == work => reason,
            _ if wait.first.is_some() && self.backfill.is_none() => WaitReason::InOrder,
            _ if !has_room(turn, work) => match wait.rents {
                Some(_) => WaitReason::OverflowLater,
                None => WaitReason::NoRoom,
            },
            _ if wait.promised.or(wait.first_promised).is_some() => WaitReason::Reserved,
            _ => WaitReason::Behind,
        }
    }
}

/// Whether there is room for all waiting tasks of a gang, or for one of other work.
fn has_room(turn: &Turn<'_, '_>, work: WorkRef) -> bool {
    let live = turn.work(work);
    let needed = if live.ask.gang { live.waiting } else { 1 };
    let (mut found, mut from) = (BTreeMap::new(), 0);
    while let Some((instance, order)) = turn.first_fit(work, from) {
        let target = turn.instance(instance);
        let room: &mut u32 = found.entry(turn.site(work, target.offer)).or_default();
        *room = room.saturating_add(target.room(live.ask.demand));
        if *room >= needed {
            return true;
        }
        from = order + 1;
    }
    false
}
