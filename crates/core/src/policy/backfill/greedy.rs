//! Greedy: anybody that fits starts; the head has no reservation.

use super::{Backfill, BackfillPart, Failed, Pass, StartAttempt};
use crate::part::Part;
use crate::policy::queue::Queued;

/// Anybody that fits, or can be rented for; the head has no reservation (as Kubernetes does).
pub static GREEDY: BackfillPart = Part {
    name: "greedy",
    doc: "Anybody that fits, or can be rented for; the head has no reservation (as Kubernetes does).",
    parameters: &[],
    make: |_| Some(Box::new(Greedy::default())),
};

/// Everybody in order, once per pass; whoever is like work that has failed is not tried
/// in that pass.
#[derive(Debug, Default)]
pub struct Greedy {
    candidates: Vec<Queued>,
    failed: Failed,
}

impl Backfill for Greedy {
    fn needs_ends(&self) -> bool {
        false
    }

    fn rents_for_all(&self) -> bool {
        true
    }

    fn retry(&mut self, pass: &mut Pass<'_, '_, '_, '_>) {
        self.fill(pass);
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
            let work = queued.work;
            if self.failed.predicts(pass.turn, pass.place, work) {
                continue;
            }
            if pass.start_all(work) != StartAttempt::Yes {
                self.failed.unfit(pass.turn, pass.place, work);
            }
        }
    }
}
