//! A backfill part in another process.

use std::ops::ControlFlow;

use super::SharedSession;
use super::message::Question;
use crate::policy::backfill::{self, Pass};
use crate::policy::queue::Queued;

/// Names who is tried before the head of the queue.
#[derive(Debug)]
pub(in crate::policy) struct ExternalBackfill {
    session: SharedSession,
    waiting: Vec<Queued>,
}

impl ExternalBackfill {
    pub(in crate::policy) fn new(session: SharedSession) -> Self {
        Self { session, waiting: Vec::new() }
    }
}

impl backfill::Backfill for ExternalBackfill {
    fn needs_ends(&self) -> bool {
        false
    }

    /// Whoever it names starts if it fits; who does not is passed over.
    fn fill(&mut self, pass: &mut Pass<'_, '_, '_, '_>) {
        let Some(head) = pass.queue.head() else { return };
        if pass.joined.is_some_and(<[_]>::is_empty) {
            return;
        }
        self.waiting.clear();
        pass.queue.visit(pass.turn, None, &mut |queued| {
            if queued.work != head {
                self.waiting.push(queued);
            }
            ControlFlow::Continue(())
        });
        let answer = {
            let session = &mut *self.session.borrow_mut();
            let number = |queued: &Queued| session.outbox.works.of(queued.work);
            let waiting = self.waiting.iter().map(number).collect();
            let head = session.outbox.works.of(head);
            session.ask(pass.turn, &Question::Backfill { head, waiting })
        };
        for number in answer.map(|answer| answer.overtake).unwrap_or_default() {
            let found = {
                let session = &mut *self.session.borrow_mut();
                let work = session.outbox.works.find(number);
                let row = self.waiting.iter().position(|queued| Some(queued.work) == work);
                if row.is_none() {
                    let what = format!("lets work {number} overtake, which does not wait");
                    let hint = "name work of `waiting`, each once";
                    session.fail(pass.turn, &what, hint);
                }
                row
            };
            let Some(row) = found else { return };
            pass.start_all(self.waiting.remove(row).work);
        }
    }
}
