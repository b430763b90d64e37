//! Who may overtake the head of the queue when it does not fit?

mod conservative;
mod easy;
mod greedy;

use super::place::{self, Place};
use super::queue::{Queue, Queued};
use super::spec;
use super::turn::Turn;
use crate::state::{AllocationRef, WorkRef};

pub use conservative::Conservative;
pub use easy::Easy;
pub use greedy::Greedy;

/// What a backfill part works on while the head of the queue is blocked.
#[derive(Debug)]
pub struct Pass<'p, 't, 'a, 'w> {
    /// State and actions.
    pub turn: &'t mut Turn<'a, 'w>,
    /// Where tasks go.
    pub place: &'p mut dyn Place,
    /// Who waits; the head does not fit.
    pub queue: &'p mut Queue,
    /// Work that joined the queue since the last pass, where nothing else has
    /// changed since then; otherwise none.
    pub joined: Option<&'p [WorkRef]>,
}

/// Starts work behind the head.
pub trait Backfill: std::fmt::Debug {
    /// Whether it reads the order of estimated ends.
    fn needs_ends(&self) -> bool;

    /// Starts whoever may overtake, and takes them out of the queue.
    fn fill(&mut self, pass: &mut Pass<'_, '_, '_, '_>);
}

/// The part that `spec` names; none where nobody overtakes.
pub fn build(spec: spec::Backfill) -> Option<Box<dyn Backfill>> {
    match spec {
        spec::Backfill::None => None,
        spec::Backfill::Greedy => Some(Box::new(Greedy::default())),
        spec::Backfill::Easy => Some(Box::new(Easy::default())),
        spec::Backfill::Conservative => Some(Box::new(Conservative::default())),
    }
}

impl Pass<'_, '_, '_, '_> {
    /// Everybody behind the head who has to be looked at, in order.
    fn candidates(&self, into: &mut Vec<Queued>) {
        self.queue.list(self.turn, into);
        if let Some(joined) = self.joined {
            into.retain(|queued| joined.contains(&queued.work));
        }
        let head = self.queue.head();
        into.retain(|queued| Some(queued.work) != head);
    }

    /// Starts all waiting tasks of `work` if they fit and `allowed` agrees to
    /// the allocations made; otherwise nothing has happened.
    fn start_if(
        &mut self,
        work: WorkRef,
        allowed: impl FnOnce(&Turn<'_, '_>, &[AllocationRef]) -> bool,
    ) -> bool {
        let place = &mut *self.place;
        let started = self.turn.attempt(|turn| {
            let before = turn.work(work).allocations.len();
            if !place::place_all(place, turn, work) {
                return None;
            }
            allowed(turn, &turn.work(work).allocations[before..]).then_some(())
        });
        if started.is_some() {
            self.queue.remove(work);
        }
        started.is_some()
    }
}
