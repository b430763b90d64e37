//! Backfill part: who may overtake the head of the queue when it does not fit.

mod booking;
mod conservative;
mod easy;
mod greedy;
mod instance_profile;
mod length;
mod availability;
mod scalar_profile;
mod reservation;
mod runs;
mod free_capacity;
mod step_function;

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::place::{self, Place};
use super::queue::{Queue, Queued, shorter};
use super::spec;
use super::turn::Turn;
use crate::model::{Ask, Home, Rules, WorkKind};
use crate::state::{AllocationRef, OfferSet, Share, UNKNOWN_RUN, WorkRef};
use crate::units::{Demand, Id, Span, Time};

pub use conservative::Conservative;
pub use easy::Easy;
pub use greedy::Greedy;

/// State, place part and queue that a backfill part works on while the head of the queue is
/// blocked.
#[derive(Debug)]
pub struct Pass<'p, 't, 'a, 'w> {
    /// State and actions.
    pub turn: &'t mut Turn<'a, 'w>,
    /// The place part, which says where tasks go.
    pub place: &'p mut dyn Place,
    /// Waiting work; the head does not fit.
    pub queue: &'p mut Queue,
    /// Work that joined the queue since the last pass, where nothing else has
    /// changed since then; otherwise none.
    pub joined: Option<&'p [WorkRef]>,
}

/// Starts work behind the head.
pub trait Backfill: std::fmt::Debug {
    /// Whether it reads the order of estimated ends.
    fn needs_ends(&self) -> bool;

    /// Whether it gives everybody a reservation, so that the head itself may start only
    /// by its plan while others wait.
    fn plans_all(&self) -> bool {
        false
    }

    /// Starts whoever may overtake, and takes them out of the queue.
    fn fill(&mut self, pass: &mut Pass<'_, '_, '_, '_>);

    /// Whether `work`, which was just placed on these shares of instances that were there
    /// (and maybe on new ones), leaves every reservation of others alone.
    fn spares(&mut self, turn: &Turn<'_, '_>, work: WorkRef, shares: &[Share]) -> bool {
        let _ = (turn, work, shares);
        true
    }

    /// `work` was served first and has started, and whoever was first before did not.
    fn precede(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        let _ = (turn, work);
    }

    /// Start of `work` by the estimates, as of the last pass; none where it holds no reservation,
    /// or one for never.
    fn promise(&self, work: WorkRef) -> Option<Time> {
        let _ = work;
        None
    }
}

/// The part that `spec` names; none where nobody overtakes.
pub fn build(spec: &spec::PolicySpec) -> Option<Box<dyn Backfill>> {
    match spec.backfill {
        spec::BackfillSpec::None => None,
        spec::BackfillSpec::Greedy => Some(Box::new(Greedy::default())),
        spec::BackfillSpec::Easy => Some(Box::new(Easy::default())),
        spec::BackfillSpec::Conservative => Some(Box::new(Conservative::new(spec.reservations))),
    }
}

impl Pass<'_, '_, '_, '_> {
    /// Number of tasks that fit now, where all live work is alike and may run, and would be
    /// placed, anywhere.
    fn scalar_room(&mut self) -> Option<u64> {
        let (room, work) = (self.turn.scalar_room()?, self.queue.head()?);
        let mut offers = self.turn.live_offers().iter();
        let admitted = offers.all(|&offer| self.place.admits(self.turn, work, offer));
        admitted.then_some(room)
    }

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

    /// Starts waiting tasks of `work` if they fit and `allowed` agrees to the
    /// allocations made: of a gang all or none, of other work as many as may, at most
    /// `most`. What is left stays in the queue; the answer is about that.
    fn start_if(
        &mut self,
        work: WorkRef,
        most: u32,
        mut allowed: impl FnMut(&Turn<'_, '_>, &[AllocationRef]) -> bool,
    ) -> StartAttempt {
        if self.turn.work(work).ask.gang {
            return self.start_gang(work, allowed);
        }
        let before = self.turn.work(work).waiting;
        let most = most.min(before);
        let (mut left, mut limit) = (most, most);
        let mut outcome = StartAttempt::Yes;
        while left > 0 {
            let (tried, how) = self.start_share(work, limit, &mut allowed);
            match how {
                StartAttempt::Yes => {
                    left -= tried;
                    limit = left;
                }
                StartAttempt::Forbidden if tried > 1 => limit = tried / 2,
                StartAttempt::Forbidden | StartAttempt::NoRoom => {
                    outcome = how;
                    break;
                }
            }
        }
        let waiting = self.turn.work(work).waiting;
        if waiting == 0 {
            self.queue.remove(work);
        } else if waiting != before {
            self.queue.push(self.turn, work);
        }
        outcome
    }

    fn start_gang(
        &mut self,
        work: WorkRef,
        mut allowed: impl FnMut(&Turn<'_, '_>, &[AllocationRef]) -> bool,
    ) -> StartAttempt {
        let place = &mut *self.place;
        let mut outcome = StartAttempt::NoRoom;
        self.turn.attempt(|turn| {
            let before = turn.work(work).allocations.len();
            if place::place_all(place, turn, work) {
                outcome = StartAttempt::Forbidden;
                if allowed(turn, &turn.work(work).allocations[before..]) {
                    outcome = StartAttempt::Yes;
                }
            }
            (outcome == StartAttempt::Yes).then_some(())
        });
        if outcome == StartAttempt::Yes {
            self.queue.remove(work);
        }
        outcome
    }

    /// Starts up to `most` tasks of work that is no gang on one instance. Returns how
    /// many were tried.
    fn start_share(
        &mut self,
        work: WorkRef,
        most: u32,
        allowed: &mut impl FnMut(&Turn<'_, '_>, &[AllocationRef]) -> bool,
    ) -> (u32, StartAttempt) {
        let place = &mut *self.place;
        let (mut tried, mut outcome) = (0, StartAttempt::NoRoom);
        self.turn.attempt(|turn| {
            let gpus = turn.work(work).ask.demand.gpus;
            let before = turn.work(work).allocations.len();
            let share = at_most(place.pick(turn, work, &OfferSet::ALL)?, most, gpus);
            turn.place(work, &[share]).ok()?;
            (tried, outcome) = (share.tasks, StartAttempt::Forbidden);
            // Several, where each task may yield by itself.
            if allowed(turn, &turn.work(work).allocations[before..]) {
                outcome = StartAttempt::Yes;
            }
            (outcome == StartAttempt::Yes).then_some(())
        });
        (tried, outcome)
    }
}

/// End of a stay in a profile that has none: profiles, and sums of times, end there.
const FOREVER: Time = Time::MAX;

/// Whether a reserved start is known: it is not where it comes behind an end that is not.
fn is_known(start: Time) -> bool {
    start < Time::ZERO.saturating_add(UNKNOWN_RUN)
}

/// No more than `most` tasks of a share, of `gpus` devices each, on the first of its devices.
fn at_most(mut share: Share, most: u32, gpus: u8) -> Share {
    share.tasks = share.tasks.min(most);
    while share.devices.count_ones() > share.tasks * u32::from(gpus) {
        share.devices &= !(1 << (31 - share.devices.leading_zeros()));
    }
    share
}

/// Result of an attempt to start a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StartAttempt {
    Yes,
    NoRoom,
    Forbidden,
}

/// Work that did not start in this pass, so that its like is not tried again.
#[derive(Debug, Default)]
struct Failed {
    /// Fewest tasks for which there was no room, by demand and rules.
    unfit: FxHashMap<(Demand, Id<Rules>), u32>,
    /// Shortest estimate that a reservation forbade, by what decides where work runs and for how
    /// long, and tasks that start at once.
    forbidden: FxHashMap<(Like, u32), Option<Span>>,
}

/// Demand, rules and kind; the data to move, of all tasks, with its home.
type Like = (Demand, Id<Rules>, WorkKind, Option<(Id<Home>, i64, i64, u32)>);

fn like(ask: &Ask) -> Like {
    let data = ask.home.map(|home| (home, ask.input, ask.output, ask.tasks));
    (ask.demand, ask.rules, ask.kind, data)
}

impl Failed {
    fn clear(&mut self) {
        self.unfit.clear();
        self.forbidden.clear();
    }

    /// Whether work that asks this would fail like work before it.
    fn predicts(&self, ask: &Ask, tasks: u32, estimate: Option<Span>) -> bool {
        let fewest = self.unfit.get(&(ask.demand, ask.rules));
        let shortest = || self.forbidden.get(&(like(ask), tasks));
        fewest.is_some_and(|&fewest| tasks >= fewest)
            || shortest().is_some_and(|&shortest| shorter(shortest, estimate) == shortest)
    }

    /// There was no room for so many tasks.
    fn unfit(&mut self, ask: &Ask, tasks: u32) {
        let fewest = self.unfit.entry((ask.demand, ask.rules)).or_insert(tasks);
        *fewest = tasks.min(*fewest);
    }

    /// There was room, but it is reserved.
    fn forbidden(&mut self, ask: &Ask, tasks: u32, estimate: Option<Span>) {
        let shortest = self.forbidden.entry((like(ask), tasks)).or_insert(estimate);
        *shortest = shorter(estimate, *shortest);
    }

    /// Something started: other room may be chosen now, though there is less of it.
    fn room_changed(&mut self) {
        self.forbidden.clear();
    }
}
