//! An admit part in another process.

use super::SharedSession;
use super::message::Question;
use crate::policy::turn::Turn;
use crate::state::{RefusalReason, WorkRef};

/// Admission part in another process, which turns arrivals away.
#[derive(Debug)]
pub(in crate::policy) struct ExternalAdmit {
    session: SharedSession,
}

impl ExternalAdmit {
    pub(in crate::policy) fn new(session: SharedSession) -> Self {
        Self { session }
    }

    /// Asks about `arrivals`, while `waiting` wait already, and takes out those
    /// that are turned away.
    pub(in crate::policy) fn filter(
        &mut self,
        turn: &mut Turn<'_, '_>,
        arrivals: &mut Vec<WorkRef>,
        waiting: usize,
    ) {
        if arrivals.is_empty() {
            return;
        }
        let session = &mut *self.session.borrow_mut();
        let work = arrivals.iter().map(|&work| session.outbox.works.of(work)).collect();
        let question = Question::Admit { work, waiting: waiting as u64 };
        let Some(answer) = session.ask(turn, &question) else { return };
        for number in answer.refuse {
            let Some(work) = session.work(turn, number) else { return };
            let Some(at) = arrivals.iter().position(|&arrival| arrival == work) else {
                let what = format!("turns work {number} away, which is not among the arrivals");
                let hint = "name each arrival of the question once at most";
                return session.fail(turn, &what, hint);
            };
            arrivals.remove(at);
            turn.refuse(work, RefusalReason::Policy).expect("an arrival has not started");
        }
    }
}
