//! Greedy: anybody that fits starts; the head has no reservation.

use rustc_hash::FxHashSet;

use super::{Backfill, Pass};
use crate::model::Rules;
use crate::policy::place;
use crate::policy::queue::Queued;
use crate::units::{Demand, Id};

/// Everybody in order, once per pass; a demand that has failed is not tried
/// again in that pass.
#[derive(Debug, Default)]
pub struct Greedy {
    candidates: Vec<Queued>,
    /// Demands of which not one more task fits; of gangs, with their size.
    failed: FxHashSet<(Demand, Id<Rules>, u32)>,
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
            let ask = pass.turn.work(queued.work).ask;
            let size = if ask.gang { queued.tasks } else { 1 };
            if self.failed.contains(&(ask.demand, ask.rules, size)) {
                continue;
            }
            if place::place_all(pass.place, pass.turn, queued.work) {
                pass.queue.remove(queued.work);
                continue;
            }
            self.failed.insert((ask.demand, ask.rules, size));
            if pass.turn.work(queued.work).waiting != queued.tasks {
                pass.queue.push(pass.turn, queued.work);
            }
        }
    }
}
