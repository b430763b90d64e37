//! EASY: whoever does not delay the head's reservation (Lifka, JSSPP 1995).

use std::ops::ControlFlow;

use super::length::{ends_by, may_end_by};
use super::reservation::Reservation;
use super::{Backfill, BackfillPart, Failed, Pass, StartAttempt, is_known, start_tasks};
use crate::part::Part;
use crate::policy::place::Place;
use crate::policy::queue::{Queued, shorter};
use crate::policy::start::Rent;
use crate::policy::turn::Turn;
use crate::state::{StartPromise, WorkRef};
use crate::units::Time;

/// Whoever does not delay the head's reservation (Lifka, 1995).
pub static EASY: BackfillPart = Part {
    name: "easy",
    doc: "Whoever does not delay the head's reservation (Lifka, 1995).",
    parameters: &[],
    make: |_| Some(Box::new(Easy::default())),
};

/// The head's reservation, kept while nothing but arrivals happens. A candidate
/// starts only if it ends by the shadow time or leaves the reserved resources
/// free. A gang is reserved for and starts whole; other work is task after task
/// what as many pieces of one task would be.
#[derive(Debug, Default)]
pub struct Easy {
    reserved: Option<Reservation>,
    /// Work to which a start was last promised, for how many waiting tasks, and the start.
    promised: Option<(WorkRef, u32, Option<Time>)>,
    candidates: Vec<Queued>,
    failed: Failed,
    /// Somebody did not start since everybody was looked at, because it may not where it would have
    /// been placed (in a scalar pool).
    misplaced: bool,
    /// Others have started since: it may be placed elsewhere now.
    again: bool,
}

impl Backfill for Easy {
    fn needs_ends(&self) -> bool {
        true
    }

    fn fill(&mut self, pass: &mut Pass<'_, '_, '_, '_>) {
        let Some(head) = pass.queue.head() else { return };
        let (now, room) = (pass.turn.now(), pass.scalar_room());
        let kept = self.reserved.take().filter(|kept| {
            let same = kept.head == head && kept.is_scalar() == room.is_some();
            same && pass.joined.is_some() && kept.at.is_none_or(|at| now <= at)
        });
        let mut reserved = kept.unwrap_or_else(|| {
            pass.joined = None;
            let reserved = Reservation::new(pass, head, room);
            self.publish(pass.turn, &reserved);
            reserved
        });
        if std::mem::take(&mut self.again) {
            pass.joined = None;
        }
        self.misplaced &= pass.joined.is_some();
        match room {
            Some(room) => self.choose(pass, &reserved, room),
            None => pass.candidates(&mut self.candidates),
        }
        self.start(pass, &mut reserved);
        self.reserved = Some(reserved);
    }

    fn retry(&mut self, pass: &mut Pass<'_, '_, '_, '_>) {
        self.fill(pass);
    }

    fn precede(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        if let Some((head, ..)) = self.promised.take_if(|(head, ..)| *head != work) {
            turn.promise(head, StartPromise::Withdrawn);
        }
    }

    fn promise(&self, work: WorkRef) -> Option<Time> {
        let reserved = self.reserved.as_ref().filter(|reserved| reserved.head == work)?;
        reserved.at.filter(|&at| is_known(at))
    }
}

impl Easy {
    /// Promises what is reserved. Whoever was the head before and waits on holds nothing.
    fn publish(&mut self, turn: &mut Turn<'_, '_>, reserved: &Reservation) {
        let head = reserved.head;
        let at = reserved.at.filter(|&at| is_known(at));
        let promise = (head, turn.work(head).waiting, at);
        let before = self.promised.replace(promise);
        if before != Some(promise) {
            if let Some((other, ..)) = before
                && other != head
            {
                turn.promise(other, StartPromise::Withdrawn);
            }
            turn.promise(head, StartPromise::by(at));
        }
        turn.planned();
    }

    /// Chooses the candidates. In a scalar pool numbers decide, and most are left out here: those
    /// that cannot start, however many start before them.
    fn choose(&mut self, pass: &mut Pass<'_, '_, '_, '_>, reserved: &Reservation, room: u64) {
        self.candidates.clear();
        let (tasks, estimate) = pass.queue.least();
        let (least, extra) = (u64::from(tasks), reserved.extra());
        let turn = &*pass.turn;
        if room < least || extra < least && !may_end_by(turn, estimate, reserved.at) {
            return;
        }
        let mut left = Left { room: [room; 2], extra: [extra; 2] };
        let (mut least_tasks, mut least_estimate) = (u32::MAX, None);
        let chosen = &mut self.candidates;
        let complete = pass.queue.visit(turn, pass.joined, &mut |queued| {
            let starts = queued.work != reserved.head && {
                let room = u64::from(queued.together) <= left.room[1];
                room && left.take(queued, ends_by(turn, queued, reserved.at))
            };
            if starts {
                chosen.push(queued);
            } else {
                least_tasks = least_tasks.min(queued.together);
                least_estimate = shorter(least_estimate, queued.estimate);
            }
            if left.room[1] == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if complete && pass.joined.is_none() && chosen.is_empty() {
            pass.queue.set_least(least_tasks, least_estimate);
        }
    }

    /// Starts the candidates that fit and leave the reservation alone.
    fn start(&mut self, pass: &mut Pass<'_, '_, '_, '_>, reserved: &mut Reservation) {
        self.failed.clear();
        for queued in &self.candidates {
            if pass.turn.is_halted() {
                return;
            }
            let work = queued.work;
            if self.failed.predicts(pass.turn, pass.place, work) {
                continue;
            }
            let outcome = pass.start(work, Rent::Instead, |place, turn| {
                start_by(place, turn, (work, queued.tasks), reserved)
            });
            if outcome == StartAttempt::Yes || pass.turn.work(work).waiting < queued.tasks {
                self.failed.room_changed();
                self.again |= self.misplaced;
            }
            match outcome {
                StartAttempt::Yes => {}
                StartAttempt::NoRoom => self.failed.unfit(pass.turn, pass.place, work),
                StartAttempt::Forbidden { owned } => {
                    self.failed.forbidden(pass.turn, pass.place, (work, owned));
                    self.misplaced |= reserved.is_scalar();
                }
            }
        }
    }
}

/// Starts up to `most` waiting tasks that fit and leave the reservation alone: where they are
/// placed first, or else where they leave the head room.
fn start_by(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    (work, most): (WorkRef, u32),
    reserved: &mut Reservation,
) -> StartAttempt {
    let outcome =
        start_tasks(place, turn, (work, most), &mut |turn, made| reserved.admit(turn, made));
    match outcome {
        StartAttempt::Forbidden { .. } if start_elsewhere(place, turn, work, reserved) => {
            StartAttempt::Yes
        }
        outcome => outcome,
    }
}

/// Starts waiting tasks where they leave the head room, though they would be placed
/// elsewhere first. Returns whether none is left waiting.
fn start_elsewhere(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    work: WorkRef,
    reserved: &mut Reservation,
) -> bool {
    let shares = reserved.elsewhere(turn, place, work, turn.work(work).waiting);
    if shares.is_empty() {
        return false;
    }
    if turn.work(work).ask.gang {
        turn.place(work, &shares).expect("there is room for it");
    } else {
        for &share in &shares {
            turn.place(work, &[share]).expect("there is room for it");
        }
    }
    turn.work(work).waiting == 0
}

/// Room that candidates before leave in a scalar pool, at least and at most. The two differ where
/// some may start or not, as they end in time only where they run faster.
#[derive(Clone, Copy, Debug)]
struct Left {
    /// Tasks that fit now.
    room: [u64; 2],
    /// Tasks that may be held past the shadow time.
    extra: [u64; 2],
}

impl Left {
    /// Takes what a candidate takes if it starts, that ends `in_time`, or where it is not
    /// known maybe. Returns whether it may start.
    fn take(&mut self, queued: Queued, in_time: Option<bool>) -> bool {
        let (tasks, together) = (u64::from(queued.tasks), u64::from(queued.together));
        let Self { room, extra } = *self;
        // Tasks that may start if it ends late, and if it ends in time.
        let late = if in_time == Some(true) { [u64::MAX; 2] } else { extra };
        let early = if in_time == Some(false) { extra[1] } else { u64::MAX };
        if together > room[1].min(early) {
            return false;
        }
        let certain = together <= 1 || together <= room[0].min(late[0]);
        let least = |room: u64| if certain { tasks.min(room).min(late[0]) } else { 0 };
        let most = tasks.min(room[1]).min(early);
        self.room = [room[0].saturating_sub(most), room[1] - least(room[1])];
        if in_time != Some(true) {
            let taken = if in_time == Some(false) { least(room[0]) } else { 0 };
            self.extra = [extra[0].saturating_sub(most), extra[1] - taken];
        }
        true
    }
}
