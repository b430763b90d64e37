//! Who may overtake the head of the queue when it does not fit?

mod conservative;
mod easy;
mod greedy;
mod lane;
mod plan;
mod reservation;
mod space;
mod steps;

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::place::{self, Place};
use super::queue::{Queue, Queued};
use super::spec;
use super::turn::Turn;
use crate::model::Rules;
use crate::state::{AllocationRef, WorkRef};
use crate::units::{Demand, Id, Span, Time};

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

    /// When `work` is to start by the estimates, as of the last pass; none
    /// where it holds no reservation, or one for never.
    fn promise(&self, work: WorkRef) -> Option<Time> {
        let _ = work;
        None
    }
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
        into.clear();
        let head = self.queue.head();
        self.queue.visit(self.turn, self.joined, &mut |queued| {
            if Some(queued.work) != head {
                into.push(queued);
            }
            ControlFlow::Continue(())
        });
    }

    /// Starts all waiting tasks of `work` if they fit and `allowed` agrees to
    /// the allocations made; otherwise nothing has happened.
    fn start_if(
        &mut self,
        work: WorkRef,
        allowed: impl FnOnce(&Turn<'_, '_>, &[AllocationRef]) -> bool,
    ) -> Started {
        let place = &mut *self.place;
        let mut outcome = Started::NoRoom;
        self.turn.attempt(|turn| {
            let before = turn.work(work).allocations.len();
            if place::place_all(place, turn, work) {
                outcome = Started::Forbidden;
                if allowed(turn, &turn.work(work).allocations[before..]) {
                    outcome = Started::Yes;
                }
            }
            (outcome == Started::Yes).then_some(())
        });
        if outcome == Started::Yes {
            self.queue.remove(work);
        }
        outcome
    }
}

/// How the start of a candidate went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Started {
    Yes,
    NoRoom,
    Forbidden,
}

/// What did not start in this pass, so that its like is not tried again.
#[derive(Debug, Default)]
struct Failed {
    /// By demand and rules: the fewest tasks for which there was no room.
    unfit: FxHashMap<(Demand, Id<Rules>), u32>,
    /// By demand, rules and tasks: the shortest estimate that a reservation forbade.
    forbidden: FxHashMap<(Demand, Id<Rules>, u32), Span>,
}

impl Failed {
    fn clear(&mut self) {
        self.unfit.clear();
        self.forbidden.clear();
    }

    /// Whether work that asks this would fail like work before it.
    fn predicts(&self, demand: Demand, rules: Id<Rules>, tasks: u32, estimate: Span) -> bool {
        self.unfit.get(&(demand, rules)).is_some_and(|&fewest| tasks >= fewest)
            || self
                .forbidden
                .get(&(demand, rules, tasks))
                .is_some_and(|&shortest| estimate >= shortest)
    }

    /// There was no room for so many tasks.
    fn unfit(&mut self, demand: Demand, rules: Id<Rules>, tasks: u32) {
        let fewest = self.unfit.entry((demand, rules)).or_insert(tasks);
        *fewest = tasks.min(*fewest);
    }

    /// There was room, but it is reserved.
    fn forbidden(&mut self, demand: Demand, rules: Id<Rules>, tasks: u32, estimate: Span) {
        let shortest = self.forbidden.entry((demand, rules, tasks)).or_insert(estimate);
        *shortest = estimate.min(*shortest);
    }

    /// Something started: other room may be chosen now, though there is less of it.
    fn room_changed(&mut self) {
        self.forbidden.clear();
    }
}
