//! EASY: whoever does not delay the head's reservation (Lifka, JSSPP 1995).

use std::ops::ControlFlow;

use super::reservation::Reservation;
use super::{Backfill, Failed, Pass, Started, is_known};
use crate::policy::queue::Queued;
use crate::policy::turn::Turn;
use crate::state::{WorkRef, run_length};
use crate::units::{Span, Time};

/// The head's reservation, kept while nothing but arrivals happens. A candidate
/// starts only if it ends by the shadow time or leaves the reserved resources
/// free. A gang is reserved for and starts whole; other work is task after task
/// what as many pieces of one task would be.
#[derive(Debug, Default)]
pub struct Easy {
    reserved: Option<Reservation>,
    /// Who was last promised what, for how many waiting tasks.
    promised: Option<(WorkRef, u32, Time)>,
    candidates: Vec<Queued>,
    failed: Failed,
    /// Speed of the fastest live instance, in millionths, and how many launches
    /// and instances there were when it was looked for.
    fastest: u32,
    fleet: (u32, usize),
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
            same && pass.joined.is_some() && now <= kept.at
        });
        let mut reserved = kept.unwrap_or_else(|| {
            pass.joined = None;
            let reserved = Reservation::new(pass, head, room);
            self.publish(pass.turn, &reserved);
            reserved
        });
        match room {
            Some(room) => self.choose(pass, &reserved, room),
            None => pass.candidates(&mut self.candidates),
        }
        self.start(pass, &mut reserved);
        self.reserved = Some(reserved);
    }

    fn precede(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        if let Some((head, ..)) = self.promised.take_if(|(head, ..)| *head != work) {
            turn.promise(head, None);
        }
    }

    fn promise(&self, work: WorkRef) -> Option<Time> {
        let reserved = self.reserved.as_ref().filter(|reserved| reserved.head == work)?;
        is_known(reserved.at).then_some(reserved.at)
    }
}

impl Easy {
    /// Promises what is reserved. Whoever was the head before and waits on holds nothing.
    fn publish(&mut self, turn: &mut Turn<'_, '_>, reserved: &Reservation) {
        let head = reserved.head;
        let at = if is_known(reserved.at) { reserved.at } else { Time::MAX };
        let promise = (head, turn.work(head).waiting, at);
        let before = self.promised.replace(promise);
        if before != Some(promise) {
            if let Some((other, ..)) = before
                && other != head
            {
                turn.promise(other, None);
            }
            turn.promise(head, Some(at));
        }
        turn.planned();
    }

    /// In a scalar pool numbers decide, and most candidates are left out here.
    fn choose(&mut self, pass: &mut Pass<'_, '_, '_, '_>, reserved: &Reservation, room: u64) {
        self.candidates.clear();
        let fleet = (pass.turn.launched(), pass.turn.instance_count());
        if self.fastest == 0 || self.fleet != fleet {
            // Of those that run: what nobody has rented must not change anything.
            let world = pass.turn.world();
            let live = world.offers.ids().filter(|&offer| pass.turn.offer(offer).live > 0);
            let speeds = live.map(|offer| world.type_of(offer).speed);
            (self.fastest, self.fleet) = (speeds.max().unwrap_or(0).max(1), fleet);
        }
        let (head, now, fastest) = (reserved.head, pass.turn.now(), self.fastest);
        let in_time = |estimate| reserved.ends_in_time(earliest_end(now, estimate, fastest));
        let (mut room, mut extra) = (room, reserved.extra());
        let (tasks, estimate) = pass.queue.least();
        let least = u64::from(tasks);
        if room < least || extra < least && !in_time(estimate) {
            return;
        }
        let (mut least_tasks, mut least_estimate) = (u32::MAX, Span::MAX);
        let chosen = &mut self.candidates;
        let complete = pass.queue.visit(pass.turn, pass.joined, &mut |queued| {
            let (tasks, together) = (u64::from(queued.tasks), u64::from(queued.together));
            let in_time = in_time(queued.estimate);
            if queued.work != head && together <= room && (in_time || together <= extra) {
                chosen.push(queued);
                let tasks = if in_time { tasks.min(room) } else { tasks.min(room).min(extra) };
                room -= tasks;
                extra -= if in_time { 0 } else { tasks };
            } else {
                least_tasks = least_tasks.min(queued.together);
                least_estimate = least_estimate.min(queued.estimate);
            }
            if room == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
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
            let ask = pass.turn.work(queued.work).ask;
            let (demand, rules, tasks) = (ask.demand, ask.rules, queued.together);
            if self.failed.predicts(demand, rules, tasks, queued.estimate) {
                continue;
            }
            let allowed = |turn: &Turn<'_, '_>, made: &[_]| reserved.admit(turn, made);
            let mut outcome = pass.start_if(queued.work, queued.tasks, allowed);
            if outcome == Started::Forbidden && start_elsewhere(pass, reserved, queued.work) {
                outcome = Started::Yes;
            }
            if outcome == Started::Yes || pass.turn.work(queued.work).waiting < queued.tasks {
                self.failed.room_changed();
            }
            match outcome {
                Started::Yes => {}
                Started::NoRoom => self.failed.unfit(demand, rules, tasks),
                Started::Forbidden => {
                    self.failed.forbidden(demand, rules, tasks, queued.estimate);
                }
            }
        }
    }
}

/// Starts waiting tasks where they leave the head room, though they would be placed
/// elsewhere first. Returns whether none is left waiting.
fn start_elsewhere(
    pass: &mut Pass<'_, '_, '_, '_>,
    reserved: &mut Reservation,
    work: WorkRef,
) -> bool {
    let most = pass.turn.work(work).waiting;
    let shares = reserved.elsewhere(pass.turn, pass.place, work, most);
    if shares.is_empty() {
        return false;
    }
    if pass.turn.work(work).ask.gang {
        pass.turn.place(work, &shares).expect("there is room for it");
    } else {
        for &share in &shares {
            pass.turn.place(work, &[share]).expect("there is room for it");
        }
    }
    let waits = pass.turn.work(work).waiting > 0;
    if waits {
        pass.queue.push(pass.turn, work);
    } else {
        pass.queue.remove(work);
    }
    !waits
}

/// When work that starts now would end on the fastest instance; none where that is not known.
fn earliest_end(now: Time, estimate: Span, fastest: u32) -> Option<Time> {
    if estimate == Span::MAX {
        return None;
    }
    Some(now.saturating_add(run_length(estimate, fastest)))
}
