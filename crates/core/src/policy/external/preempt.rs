//! A preempt part in another process.

use super::SharedSession;
use super::message::Question;
use crate::policy::place;
use crate::policy::preempt::make_room_of;
use crate::policy::turn::Turn;
use crate::state::WorkRef;

/// Names running work that yields to the head of the queue.
#[derive(Debug)]
pub(in crate::policy) struct ExternalPreempt {
    session: SharedSession,
}

impl ExternalPreempt {
    pub(in crate::policy) fn new(session: SharedSession) -> Self {
        Self { session }
    }

    /// Makes room for `head` and places it: what the answer names yields, one after
    /// another, until the head fits; of a head that is no gang as many tasks as then fit.
    /// Whoever is not needed for that has not yielded. The works that yielded are written
    /// over `yielded`.
    pub(in crate::policy) fn make_room(
        &mut self,
        place: &mut dyn place::Place,
        turn: &mut Turn<'_, '_>,
        head: WorkRef,
        yielded: &mut Vec<WorkRef>,
    ) {
        yielded.clear();
        let mut victims = Vec::new();
        {
            let session = &mut *self.session.borrow_mut();
            let work = session.outbox.works.of(head);
            let Some(answer) = session.ask(turn, &Question::Preempt { work }) else {
                return;
            };
            for number in answer.preempt {
                let found = session.outbox.allocations.find(number);
                // The allocation has yielded in this very decision, which has not been told yet.
                if found.is_some_and(|found| turn.allocation(found).has_ended()) {
                    continue;
                }
                let alive = found.filter(|&found| {
                    turn.allocation(found).work() != head && !victims.contains(&found)
                });
                let Some(victim) = alive else {
                    let what = format!("lets allocation {number} yield, which cannot");
                    let hint = "name allocations of other work that were `placed` and have not \
                                ended, each once";
                    session.fail(turn, &what, hint);
                    return;
                };
                victims.push(victim);
            }
        }
        make_room_of(&victims, place, turn, head, yielded);
    }
}
