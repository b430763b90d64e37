//! RLScheduler's decisions to the letter (Zhang et al., SC 2020;
//! DIR-LAB/deep-batch-scheduler), for comparison with its published tables.
//!
//! It needs a world that applies arrivals before completions and asks after
//! every event (`ClassOrder`), and a workload that keeps the log's own submit
//! times, since F1 reads them. Differences from our own policies:
//!
//! - the queue is sorted when a head is picked; the head then blocks, whoever
//!   arrives while it waits;
//! - its backfilling works out the head's start once, when it blocks; after
//!   every event it starts, first come first, whoever fits and ends strictly
//!   before that; there is no extra-nodes rule;
//! - sorts are stable and in place, so that ties keep the order of the last sort.
//!
//! The wait in WFP3 and UNICEP is the true one; the original computes another.

use super::Policy;
use super::order::{F1, FCFS, Order, OrderSpec, SHORTEST, UNICEP, WFP3, ascending_real};
use super::place::{self, Place};
use super::spec::PolicySpec;
use super::turn::{Trigger, Turn};
use crate::state::{LiveWork, Needs, WorkRef};
use crate::units::{Span, Time};

/// The queue, its committed head, and the start that the head was promised.
#[derive(Debug)]
pub struct RlScheduler {
    order: OrderSpec,
    /// The same, for orders that RLScheduler does not have.
    own: Box<dyn Order>,
    backfill: bool,
    place: Box<dyn Place>,
    queue: Vec<WorkRef>,
    head: Option<(WorkRef, Option<Time>)>,
}

impl RlScheduler {
    /// The order and place parts of `spec`; all others are fixed.
    pub fn new(spec: &PolicySpec, backfill: bool) -> Self {
        let place = place::build(spec);
        let (order, own) = (spec.order.clone(), spec.order.build());
        Self { order, own, backfill, place, queue: Vec::new(), head: None }
    }
}

impl Policy for RlScheduler {
    fn needs(&self) -> Needs {
        Needs { ends: true, ..self.place.needs() }
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        for trigger in triggers {
            match *trigger {
                Trigger::Arrived(work) => self.queue.push(work),
                Trigger::Eligible(work, _) => {
                    let waits = turn.is_alive(work) && turn.pending(work).is_some();
                    if waits && !self.queue.contains(&work) {
                        self.queue.push(work);
                    }
                }
                Trigger::Resumed(work) | Trigger::Cancelled(work) => {
                    self.queue.retain(|&other| other != work);
                    self.head = self.head.filter(|&(head, _)| head != work);
                }
                Trigger::Begins
                | Trigger::Freed(_)
                | Trigger::Ready(_)
                | Trigger::Idle(_)
                | Trigger::Draining(_)
                | Trigger::AtRisk(_)
                | Trigger::Lost(_)
                | Trigger::PricesChanged
                | Trigger::Timer
                | Trigger::Acted => {}
            }
        }
        loop {
            let (head, start) = match self.head {
                Some(committed) => committed,
                None if self.queue.is_empty() => return,
                None => self.pick(turn),
            };
            if place::place_all(&mut *self.place, turn, head) {
                self.queue.retain(|&work| work != head);
                self.head = None;
                continue;
            }
            self.head = Some((head, start));
            if let Some(start) = start {
                self.fill(turn, head, start);
            }
            return;
        }
    }
}

impl RlScheduler {
    /// Commits to the first by score, and works out when it could start, if others are to fill up.
    fn pick(&mut self, turn: &Turn<'_, '_>) -> (WorkRef, Option<Time>) {
        let (order, own) = (&self.order, &*self.own);
        self.queue.sort_by_cached_key(|&work| score(order, own, turn.work(work), turn.now()));
        let head = self.queue[0];
        (head, self.backfill.then(|| promised_start(turn, head)))
    }

    /// Starts, first come first, whoever ends before the head's start.
    fn fill(&mut self, turn: &mut Turn<'_, '_>, head: WorkRef, start: Time) {
        self.queue.sort_by_key(|&work| turn.work(work).arrival);
        let place = &mut *self.place;
        self.queue.retain(|&work| {
            let end = turn.now().saturating_add(estimate(turn.work(work)));
            work == head || end >= start || !place::place_all(place, turn, work)
        });
    }
}

/// The first estimated end after which enough tasks are free, all work being alike.
fn promised_start(turn: &Turn<'_, '_>, head: WorkRef) -> Time {
    let needed = u64::from(turn.work(head).waiting);
    let (mut free, mut start) = (turn.scalar_room().unwrap_or(0), turn.now());
    for (end, allocation) in turn.ends() {
        free += u64::from(turn.allocation(allocation).tasks);
        start = end;
        if free >= needed {
            break;
        }
    }
    start
}

/// The estimate; without one the longest that the clock can count.
fn estimate(work: &LiveWork) -> Span {
    work.ask.estimate.unwrap_or(Span::MAX)
}

/// The score of RLScheduler where it has the order, else ours: the smallest first. Of equal
/// scores two orders put the earlier arrival first; under the others ties keep their order.
fn score(order: &OrderSpec, own: &dyn Order, work: &LiveWork, now: Time) -> (u128, Time) {
    let estimate = estimate(work).secs_f64();
    let wait = (now - work.arrival).secs_f64();
    let procs = f64::from(work.ask.tasks) * f64::from(work.ask.demand.cpu) / 1_000.0;
    if order.is(&FCFS) {
        return (0, work.arrival);
    }
    if order.is(&SHORTEST) {
        return (ascending_real(estimate), work.arrival);
    }
    let real = if order.is(&WFP3) {
        let ratio = wait / estimate;
        -(ratio * ratio * ratio * procs)
    } else if order.is(&UNICEP) {
        -(wait + 1e-15) / (libm::log2(procs + 1e-15) * estimate)
    } else if order.is(&F1) {
        let submit = work.arrival.secs_f64().max(0.1);
        libm::log10(estimate.max(0.1)) * procs + 870.0 * libm::log10(submit)
    } else {
        return (own.score(work, now), Time::ZERO);
    };
    (ascending_real(real), Time::ZERO)
}
