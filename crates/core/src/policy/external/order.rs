//! An order part in another process.

use super::SharedSession;
use super::message::Question;
use crate::policy::queue::Queue;
use crate::policy::turn::Turn;
use crate::state::WorkRef;

/// Scores waiting work; asked once per decision while somebody waits or arrives.
#[derive(Debug)]
pub(in crate::policy) struct ExternalOrder {
    session: SharedSession,
}

impl ExternalOrder {
    pub(in crate::policy) fn new(session: SharedSession) -> Self {
        Self { session }
    }

    /// Asks for the scores of `joined`, which are new, and takes in those of
    /// others that changed.
    pub(in crate::policy) fn score(
        &mut self,
        turn: &mut Turn<'_, '_>,
        joined: &[WorkRef],
        queue: &mut Queue,
    ) {
        if joined.is_empty() && queue.is_empty() {
            return;
        }
        let session = &mut *self.session.borrow_mut();
        let work: Vec<u64> = joined.iter().map(|&work| session.outbox.works.of(work)).collect();
        let Some(answer) = session.ask(turn, &Question::Order { work: work.clone() }) else {
            return;
        };
        let hint = "answer `scores`, a number for each work that was named";
        if let Some(missing) = work.iter().find(|number| !answer.scores.contains_key(number)) {
            return session.fail(turn, &format!("gives no score for work {missing}"), hint);
        }
        for (&number, &score) in &answer.scores {
            let Some(work) = session.work(turn, number) else { return };
            if !score.is_finite() {
                let what = format!("scores work {number} by `{score}`");
                return session.fail(turn, &what, hint);
            }
            queue.set_score(work, score);
        }
    }
}
