//! Greedy: anybody that fits starts; the head has no reservation.

use super::{Backfill, Failed, Pass};
use crate::policy::place;
use crate::policy::queue::Queued;
use crate::units::Span;

/// Everybody in order, once per pass; a demand that has failed is not tried
/// again in that pass.
#[derive(Debug, Default)]
pub struct Greedy {
    candidates: Vec<Queued>,
    failed: Failed,
}

impl Backfill for Greedy {
    fn needs_ends(&self) -> bool {
        false
    }

    fn fill(&mut self, pass: &mut Pass<'_, '_, '_, '_>) {
        if pass.turn.scalar_room() == Some(0) {
            return;
        }
        self.failed.clear();
        pass.candidates(&mut self.candidates);
        for queued in &self.candidates {
            if pass.turn.is_halted() {
                return;
            }
            let ask = pass.turn.work(queued.work).ask;
            let tasks = if ask.gang { queued.tasks } else { 1 };
            if self.failed.predicts(&ask, tasks, Some(Span::ZERO)) {
                continue;
            }
            if place::place_all(pass.place, pass.turn, queued.work) {
                pass.queue.remove(queued.work);
                continue;
            }
            self.failed.unfit(&ask, tasks);
            if pass.turn.work(queued.work).waiting != queued.tasks {
                pass.queue.push(pass.turn, queued.work);
            }
        }
    }
}
