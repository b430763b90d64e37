//! The composed policy: one part per question, asked in a fixed order.

mod due;
mod explain;
mod fits;
mod release;

use super::backfill::{self, Backfill, Pass};
use super::place::{self, Place};
use super::provision::{self, Provision, Supply};
use super::queue::Queue;
use super::spec::{self, PolicySpec};
use super::turn::{Trigger, Turn};
use super::{Policy, preempt};
use crate::state::{Needs, RefusalReason, WaitReason, WorkRef};
use crate::units::Span;

use due::{Alarm, Due};
use fits::Fits;
use release::Release;

/// One part per question. At each decision: late work is turned away, the
/// queue is served in order, others may overtake a head that does not fit,
/// what is beyond the queue's limit is turned away, idle instances go back.
///
/// An arrival that finds nobody waiting is placed without entering the queue.
#[derive(Debug)]
pub struct Composed {
    fits: Fits,
    queue_limit: Option<u32>,
    patience: Option<Due<WorkRef>>,
    overflow: Option<Due<WorkRef>>,
    queue: Queue,
    place: Box<dyn Place>,
    backfill: Option<Box<dyn Backfill>>,
    provision: Box<dyn Provision>,
    preempt: spec::Preempt,
    release: Release,
    /// Work that arrived at this decision and joined the queue.
    joined: Vec<WorkRef>,
    /// Work that was served first and did not fit, since when no room has come.
    blocked: Option<(WorkRef, WaitReason)>,
    yielded: Vec<WorkRef>,
    later: Alarm,
}

impl Composed {
    /// The parts that `spec` names.
    pub fn new(spec: &PolicySpec) -> Self {
        let overflow = match spec.provision {
            spec::Provision::OnDemand { after_wait, .. } if after_wait > Span::ZERO => {
                Some(Due::new(after_wait))
            }
            _ => None,
        };
        Self {
            fits: Fits::new(&spec.provision),
            queue_limit: spec.admit.queue_limit,
            patience: spec.admit.patience.map(Due::new),
            overflow,
            queue: Queue::new(spec.order),
            place: place::build(&spec.place),
            backfill: backfill::build(spec.backfill),
            provision: provision::build(&spec.provision),
            preempt: spec.preempt,
            release: Release::new(spec.release, &spec.provision),
            joined: Vec::new(),
            blocked: None,
            yielded: Vec::new(),
            later: Alarm::default(),
        }
    }
}

impl Policy for Composed {
    fn needs(&self) -> Needs {
        let backfill = self.backfill.as_ref().is_some_and(|part| part.needs_ends());
        Needs { ends: backfill || self.preempt != spec::Preempt::None, ..self.place.needs() }
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        if self.take_in(triggers, turn) {
            self.blocked = None;
        }
        if !self.queue.is_empty() {
            self.turn_late_work_away(turn);
        }
        self.serve_arrivals(turn);
        while !self.queue.is_empty() {
            self.serve(turn);
            self.overflow(turn);
            self.turn_late_work_away(turn);
            // Who overflowed or left may have made room for others.
            if self.blocked.is_some() {
                break;
            }
        }
        self.keep_to_the_limit(turn);
        self.release.decide(triggers, turn);
        if turn.explaining() {
            self.explain(turn);
        }
    }
}

impl Composed {
    /// Takes in what happened; arrivals that can run some day are to be
    /// served. Returns whether room may have come.
    fn take_in(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) -> bool {
        let mut changed = false;
        self.joined.clear();
        for &trigger in triggers {
            match trigger {
                Trigger::Arrived(work) if self.fits.ever(turn, work) => self.joined.push(work),
                Trigger::Arrived(work) => refuse(turn, work, RefusalReason::NeverFits),
                Trigger::Begins => {
                    self.provision.begin(turn);
                    changed = true;
                }
                _ => changed = true,
            }
        }
        changed
    }

    /// Serves arrivals while nobody waits; the others join the queue.
    fn serve_arrivals(&mut self, turn: &mut Turn<'_, '_>) {
        if self.joined.len() > 1 {
            self.joined.sort_by_cached_key(|&work| self.queue.key(turn, work));
        }
        let mut served = 0;
        while self.queue.is_empty() && served < self.joined.len() {
            let work = self.joined[served];
            match self.start(turn, work) {
                None => served += 1,
                reason => {
                    self.blocked = reason.map(|reason| (work, reason));
                    self.queue.push(turn, work);
                }
            }
        }
        self.joined.drain(..served);
        for &work in &self.joined {
            self.queue.push(turn, work);
            let arrival = turn.work(work).arrival;
            for due in [&mut self.patience, &mut self.overflow].into_iter().flatten() {
                due.push(arrival, work);
            }
        }
    }

    /// Serves the queue in order until somebody does not fit; then others may
    /// overtake.
    fn serve(&mut self, turn: &mut Turn<'_, '_>) {
        self.queue.rescore(turn);
        let mut unchanged = self.blocked.is_some();
        while let Some(head) = self.queue.head() {
            if self.blocked.is_some_and(|(work, _)| work == head) {
                break;
            }
            unchanged = false;
            let Some(reason) = self.start(turn, head) else {
                self.queue.remove(head);
                continue;
            };
            self.blocked = Some((head, reason));
        }
        let Some(backfill) = &mut self.backfill else { return };
        if self.queue.len() > 1 {
            backfill.fill(&mut Pass {
                turn,
                place: &mut *self.place,
                queue: &mut self.queue,
                joined: unchanged.then_some(&self.joined),
            });
        }
    }

    /// Places all waiting tasks of `work`, on instances that are there, rented
    /// for it, or taken from others; or says why it waits on.
    fn start(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) -> Option<WaitReason> {
        if place::place_all(&mut *self.place, turn, work) {
            return None;
        }
        let reason = match self.provision.supply(turn, work) {
            Supply::Rented => return None,
            Supply::Later(at) => {
                self.later.set(turn, at);
                WaitReason::OverflowLater
            }
            Supply::None(reason) => reason,
        };
        let place = &mut *self.place;
        if self.preempt != spec::Preempt::None
            && preempt::make_room(self.preempt, place, turn, work, &mut self.yielded)
        {
            for &work in &self.yielded {
                self.queue.push(turn, work);
            }
            return None;
        }
        if self.queue.contains(work) {
            self.queue.push(turn, work);
        }
        Some(reason)
    }

    /// Rents for work that has waited long enough, wherever it stands in the queue.
    fn overflow(&mut self, turn: &mut Turn<'_, '_>) {
        let Some(overflow) = &mut self.overflow else { return };
        while let Some(work) = overflow.next(turn, |_, _, work| self.queue.contains(work)) {
            if self.provision.supply(turn, work) == Supply::Rented {
                self.queue.remove(work);
                self.blocked = None;
            }
        }
    }

    /// Turns away what has waited longer than the policy's patience and was never placed.
    fn turn_late_work_away(&mut self, turn: &mut Turn<'_, '_>) {
        let Some(patience) = &mut self.patience else { return };
        let queue = &mut self.queue;
        while let Some(work) =
            patience.next(turn, |turn, _, work| queue.contains(work) && is_untouched(turn, work))
        {
            refuse(turn, work, RefusalReason::Patience);
            queue.remove(work);
            self.blocked = None;
        }
    }

    /// Turns away arrivals, the latest first, while more wait than may.
    fn keep_to_the_limit(&mut self, turn: &mut Turn<'_, '_>) {
        let Some(limit) = self.queue_limit else { return };
        if self.queue.len() <= limit as usize {
            return;
        }
        self.joined.sort_by_key(|&work| turn.work(work).tie());
        while self.queue.len() > limit as usize
            && let Some(work) = self.joined.pop()
        {
            if self.queue.contains(work) && is_untouched(turn, work) {
                refuse(turn, work, RefusalReason::QueueFull);
                self.queue.remove(work);
                self.blocked = None;
            }
        }
    }
}

/// Whether no task was ever placed.
fn is_untouched(turn: &Turn<'_, '_>, work: WorkRef) -> bool {
    let live = turn.work(work);
    live.placed == 0 && live.done == 0 && live.preemptions == 0
}

fn refuse(turn: &mut Turn<'_, '_>, work: WorkRef, reason: RefusalReason) {
    turn.refuse(work, reason).expect("waiting work is alive");
}
