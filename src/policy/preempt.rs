//! Who must yield when the head of the queue does not fit?

use std::cmp::Reverse;

use super::place::{self, Place};
use super::spec::Preempt;
use super::turn::Turn;
use crate::model::WorkId;
use crate::state::{Allocation, AllocationRef, InstanceRef, LiveWork, WorkRef};
use crate::units::{Span, Time};

/// Running work that may be made to yield, the first to yield in front.
type Victims = Vec<(Rank, AllocationRef)>;
/// Who yields first: by priority or remaining work, then the latest started,
/// then by work, then by the launch of the first instance, the time of placing and
/// what is held there: no two that differ in any way rank alike.
type Rank = (i64, Reverse<Time>, Time, WorkId, (u32, Time, u32, u32));

/// Makes room for all waiting tasks of `head` and places them, if enough may
/// be taken from others; otherwise nothing has happened. The works that
/// yielded are written over `yielded`; they wait again.
pub(super) fn make_room(
    kind: Preempt,
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    head: WorkRef,
    yielded: &mut Vec<WorkRef>,
) -> bool {
    yielded.clear();
    let victims = victims(kind, turn, head);
    if victims.is_empty() {
        return false;
    }
    let Some(used) = where_it_would_go(place, turn, head, &victims) else { return false };
    // Only those in the way yield, unless the place part then finds no room.
    let in_the_way: Victims =
        victims.iter().copied().filter(|&(_, victim)| touches(turn, victim, &used)).collect();
    if !in_the_way.is_empty() && yield_to(place, turn, head, &in_the_way, yielded) {
        return true;
    }
    yield_to(place, turn, head, &victims, yielded)
}

/// Whether something placed in this turn could be made to yield to `head`, which waits
/// on: `head` is to be asked again when it has started.
///
/// That ends. At one moment, neither priorities nor what work has left change, and work
/// that yields never has less left for it. Count what is placed by priority (by what is
/// left), the highest (the least) first: whoever makes others yield is counted before
/// all of them. So each placement makes the list of counts greater, in the order of words
/// in a dictionary, and what can be placed at once is limited. Nobody is asked again
/// after a turn that placed nothing.
pub(super) fn is_to_ask_again(kind: Preempt, turn: &Turn<'_, '_>, head: WorkRef) -> bool {
    let mut new = turn.new_allocations();
    new.any(|new| !turn.allocation(new).has_yielded() && order_to(kind, turn, head, new).is_some())
}

/// Where an allocation stands among those that may be made to yield to `head`, the
/// least first; none where it may not.
fn order_to(
    kind: Preempt,
    turn: &Turn<'_, '_>,
    head: WorkRef,
    reference: AllocationRef,
) -> Option<i64> {
    let allocation = turn.allocation(reference);
    if allocation.work() == head {
        return None;
    }
    let (head, work) = (turn.work(head), turn.work(allocation.work()));
    match kind {
        Preempt::None => None,
        Preempt::Priority => {
            (work.ask.priority < head.ask.priority).then(|| i64::from(work.ask.priority))
        }
        Preempt::Srpt => {
            let remaining = remaining(work, allocation, turn.now());
            (remaining > head.remaining_estimate()).then(|| -remaining.micros())
        }
    }
}

/// Everybody who may be made to yield to `head`, in order.
fn victims(kind: Preempt, turn: &Turn<'_, '_>, head: WorkRef) -> Victims {
    let mut victims: Victims = Vec::new();
    for (_, reference) in turn.ends() {
        let allocation = turn.allocation(reference);
        let work = turn.work(allocation.work());
        // What was placed in this very turn has not started yet.
        let is_placed_now = allocation.started().is_none() && allocation.placed == turn.now();
        if is_placed_now && turn.new_allocations().any(|new| new == reference) {
            continue;
        }
        let first = order_to(kind, turn, head, reference);
        let started = Reverse(allocation.started().unwrap_or(Time::MAX));
        let (arrival, id) = work.tie();
        let share = allocation.held[0].share;
        let launch = turn.instance(share.instance).ordinal;
        let last = (launch, allocation.placed, allocation.tasks, share.devices);
        victims.extend(first.map(|first| ((first, started, arrival, id, last), reference)));
    }
    victims.sort_unstable();
    victims
}

/// Estimated work left of an allocation, on the reference machine. The same as
/// while it waited until it computes, so that two cannot make each other yield
/// for ever while both read their input.
fn remaining(work: &LiveWork, allocation: &Allocation, now: Time) -> Span {
    let left = work.remaining_estimate();
    let Some(started) = allocation.started().filter(|_| left != Span::MAX) else { return left };
    let computing = (now - started - allocation.input).max(Span::ZERO);
    let done = i128::from(computing.micros()) * i128::from(allocation.speed) / 1_000_000;
    let left = i128::from(left.micros()) - done;
    Span::from_micros(i64::try_from(left.max(0)).unwrap_or(0))
}

/// The instances that `head` would take if the first of `victims` yielded, as
/// many as it needs. Nothing has happened afterwards.
fn where_it_would_go(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    head: WorkRef,
    victims: &Victims,
) -> Option<Vec<InstanceRef>> {
    let mut used = None;
    turn.attempt(|turn| {
        let before = turn.work(head).allocations.len();
        for &(_, victim) in victims {
            turn.preempt(victim).ok()?;
            if place::place_all(place, turn, head) {
                let made = &turn.work(head).allocations[before..];
                let held = made.iter().flat_map(|&made| &turn.allocation(made).held);
                used = Some(held.map(|held| held.share.instance).collect());
                break;
            }
        }
        None::<()>
    });
    used
}

fn touches(turn: &Turn<'_, '_>, victim: AllocationRef, used: &[InstanceRef]) -> bool {
    turn.allocation(victim).held.iter().any(|held| used.contains(&held.share.instance))
}

/// Lets `victims` yield, one after another, until `head` is placed.
fn yield_to(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    head: WorkRef,
    victims: &Victims,
    yielded: &mut Vec<WorkRef>,
) -> bool {
    yielded.clear();
    let done = turn.attempt(|turn| {
        for &(_, victim) in victims {
            yielded.push(turn.allocation(victim).work());
            turn.preempt(victim).ok()?;
            if place::place_all(place, turn, head) {
                return Some(());
            }
        }
        None
    });
    done.is_some()
}
