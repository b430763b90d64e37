//! Backfill part: who may overtake the head of the queue when it does not fit.

mod booking;
mod conservative;
mod easy;
mod failed;
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

use super::place::{self, Place};
use super::provision::Provision;
use super::queue::{Queue, Queued};
use super::start::{Rent, WorkStarter};
use super::turn::Turn;
use crate::model::Market;
use crate::part::{Part, PartSpec};
use crate::state::{AllocationRef, OfferSet, Share, UNKNOWN_RUN, WorkRef};
use crate::units::Time;
use failed::Failed;

pub use conservative::{CONSERVATIVE, Conservative};
pub use easy::{EASY, Easy};
pub use greedy::{GREEDY, Greedy};

/// A row of [`PARTS`].
pub type BackfillPart = Part<Option<Box<dyn Backfill>>>;
/// A backfill part with its settings.
pub type BackfillSpec = PartSpec<Option<Box<dyn Backfill>>>;

/// Every backfill part.
pub static PARTS: &[&BackfillPart] = &[&NONE, &GREEDY, &EASY, &CONSERVATIVE];

/// Nobody overtakes: the head blocks the queue.
pub static NONE: BackfillPart = Part {
    name: "none",
    doc: "Nobody overtakes: the head blocks the queue.",
    parameters: &[],
    make: |_| None,
};

/// State, place part and queue that a backfill part works on while the head of the queue is
/// blocked.
#[derive(Debug)]
pub struct Pass<'p, 't, 'a, 'w> {
    /// State and actions.
    pub turn: &'t mut Turn<'a, 'w>,
    /// The place part, which says where tasks go.
    pub place: &'p mut dyn Place,
    /// The provision part, which rents where what is there costs more.
    pub provision: &'p mut dyn Provision,
    /// Waiting work; the head does not fit.
    pub queue: &'p mut Queue,
    /// Work that joined the queue since the last pass, where nothing else has
    /// changed since then; otherwise none.
    pub joined: Option<&'p [WorkRef]>,
}

/// Starts work behind the head.
pub trait Backfill: std::fmt::Debug {
    /// Whether the part reads the order of estimated ends.
    fn needs_ends(&self) -> bool;

    /// Whether instances are rented for everybody who waits, as the first keeps nobody from
    /// anything.
    fn rents_for_all(&self) -> bool {
        false
    }

    /// Whether the part gives everybody a reservation, so that the head itself may start only by
    /// its plan while others wait.
    fn plans_all(&self) -> bool {
        false
    }

    /// Starts whoever may overtake, and takes them out of the queue.
    fn fill(&mut self, pass: &mut Pass<'_, '_, '_, '_>);

    /// The same where instances that were rented since the last pass may hold work that `joined`.
    fn retry(&mut self, pass: &mut Pass<'_, '_, '_, '_>) {
        let _ = pass;
    }

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

    /// Start of `work` by the estimates, as of the last pass; `None` if it holds no reservation, or
    /// one for never.
    fn promise(&self, work: WorkRef) -> Option<Time> {
        let _ = work;
        None
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

    /// Starts waiting tasks of `work` as `how` does with a place part, weighed as for everybody
    /// (see [`WorkStarter`]). Tasks that are left stay in the queue; the answer is about those. Nobody
    /// is asked where no instance has room for a task.
    pub(in crate::policy) fn start(
        &mut self,
        work: WorkRef,
        rent: Rent,
        mut how: impl FnMut(&mut dyn Place, &mut Turn<'_, '_>) -> StartAttempt,
    ) -> StartAttempt {
        let mut outcome = StartAttempt::NoRoom;
        if !self.turn.may_fit(work) {
            return outcome;
        }
        let before = self.turn.work(work).waiting;
        let mut starter = WorkStarter { place: &mut *self.place, provision: &mut *self.provision };
        let mut tried = |place: &mut dyn Place, turn: &mut Turn<'_, '_>| {
            outcome = how(place, turn);
            outcome == StartAttempt::Yes
        };
        if starter.start(self.turn, work, rent, &mut tried).is_ok() {
            outcome = StartAttempt::Yes;
        }
        let waiting = self.turn.work(work).waiting;
        if waiting == 0 {
            self.queue.remove(work);
        } else if waiting != before {
            self.queue.push(self.turn, work);
        }
        outcome
    }

    /// Starts as many waiting tasks of `work` as fit, of a gang all or none.
    pub fn start_all(&mut self, work: WorkRef) -> StartAttempt {
        self.start(work, Rent::Instead, |place, turn| match place::place_all(place, turn, work) {
            true => StartAttempt::Yes,
            false => StartAttempt::NoRoom,
        })
    }
}

/// Starts waiting tasks of `work` if they fit and `allowed` agrees to the allocations made: of
/// a gang all or none, of other work as many as may, at most `most`.
fn start_tasks(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    (work, most): (WorkRef, u32),
    allowed: &mut dyn FnMut(&Turn<'_, '_>, &[AllocationRef]) -> bool,
) -> StartAttempt {
    if turn.work(work).ask.gang {
        return start_gang(place, turn, work, allowed);
    }
    let most = most.min(turn.work(work).waiting);
    let (mut left, mut limit) = (most, most);
    while left > 0 {
        let (tried, how) = start_share(place, turn, (work, limit), allowed);
        match how {
            StartAttempt::Yes => {
                left -= tried;
                limit = left;
            }
            StartAttempt::Forbidden { .. } if tried > 1 => limit = tried / 2,
            StartAttempt::Forbidden { .. } | StartAttempt::NoRoom => return how,
        }
    }
    StartAttempt::Yes
}

fn start_gang(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    work: WorkRef,
    allowed: &mut dyn FnMut(&Turn<'_, '_>, &[AllocationRef]) -> bool,
) -> StartAttempt {
    let mut outcome = StartAttempt::NoRoom;
    turn.attempt(|turn| {
        let before = turn.work(work).allocations.len();
        if place::place_all(place, turn, work) {
            outcome = judge(turn, &turn.work(work).allocations[before..], allowed);
        }
        (outcome == StartAttempt::Yes).then_some(())
    });
    outcome
}

/// Starts up to `most` tasks of work that is no gang on one instance. Returns how many were
/// tried.
fn start_share(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    (work, most): (WorkRef, u32),
    allowed: &mut dyn FnMut(&Turn<'_, '_>, &[AllocationRef]) -> bool,
) -> (u32, StartAttempt) {
    let (mut tried, mut outcome) = (0, StartAttempt::NoRoom);
    turn.attempt(|turn| {
        let gpus = turn.work(work).ask.demand.gpus;
        let before = turn.work(work).allocations.len();
        let share = at_most(place.pick(turn, work, &OfferSet::ALL)?, most, gpus);
        turn.place(work, &[share]).ok()?;
        // Several, where each task may yield by itself.
        tried = share.tasks;
        outcome = judge(turn, &turn.work(work).allocations[before..], allowed);
        (outcome == StartAttempt::Yes).then_some(())
    });
    (tried, outcome)
}

/// Outcome for the allocations `made`.
fn judge(
    turn: &Turn<'_, '_>,
    made: &[AllocationRef],
    allowed: &mut dyn FnMut(&Turn<'_, '_>, &[AllocationRef]) -> bool,
) -> StartAttempt {
    if allowed(turn, made) {
        return StartAttempt::Yes;
    }
    let mut held = made.iter().flat_map(|&one| &turn.allocation(one).held);
    let owned = held.all(|held| turn.instance(held.share.instance).market == Market::Owned);
    StartAttempt::Forbidden { owned }
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
pub enum StartAttempt {
    /// All tasks that were to start have started.
    Yes,
    /// There is no room.
    NoRoom,
    /// The room that there is is reserved for others.
    Forbidden {
        /// The room is on owned instances, which cost nothing more however long work runs.
        owned: bool,
    },
}
