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

/// A part of the victims whose place lets tasks of the head start.
struct Step {
    /// How many of the victims, from the first on, have yielded by then.
    victims: usize,
    /// Instances that the tasks take.
    used: Vec<InstanceRef>,
}

/// Makes room for waiting tasks of `head` and places them: of a gang all or none, of other
/// work as many as may be. Nobody yields for whom no task starts. The works that yielded
/// are written over `yielded`; they wait again.
pub(super) fn make_room(
    kind: Preempt,
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    head: WorkRef,
    yielded: &mut Vec<WorkRef>,
) {
    yielded.clear();
    let victims = victims(kind, turn, head);
    let steps = steps(place, turn, head, &victims);
    if steps.is_empty() {
        return;
    }
    let by_instance = by_instance(turn, &victims);
    for step in &steps {
        // Only those in the way yield, unless the place part then finds no room.
        let in_the_way = in_the_way(&by_instance, step).into_iter();
        let in_the_way: Vec<_> = in_the_way.map(|at| victims[at].1).collect();
        if yield_until_placed(place, turn, head, &in_the_way, yielded).is_some() {
            continue;
        }
        let all: Vec<_> = victims.iter().map(|&(_, victim)| victim).collect();
        if yield_until_placed(place, turn, head, &all, yielded).is_none() {
            return;
        }
    }
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

/// Which instances `head` would take as more and more of `victims` yielded, until it is
/// placed or all have. Nothing has happened afterwards.
fn steps(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    head: WorkRef,
    victims: &Victims,
) -> Vec<Step> {
    let mut steps = Vec::new();
    turn.attempt(|turn| {
        for (at, &(_, victim)) in victims.iter().enumerate() {
            turn.preempt(victim).ok()?;
            let made = place_more(place, turn, head);
            if made.is_empty() {
                continue;
            }
            let held = made.iter().flat_map(|&made| &turn.allocation(made).held);
            let used = held.map(|held| held.share.instance).collect();
            steps.push(Step { victims: at + 1, used });
            if turn.work(head).waiting == 0 {
                break;
            }
        }
        None::<()>
    });
    steps
}

/// Places waiting tasks of `work`, all of a gang, and returns their allocations.
fn place_more(place: &mut dyn Place, turn: &mut Turn<'_, '_>, work: WorkRef) -> Vec<AllocationRef> {
    let before = turn.work(work).allocations.len();
    place::place_all(place, turn, work);
    turn.work(work).allocations[before..].to_vec()
}

/// The victims by what they hold: by instance, the place in the order of victims.
fn by_instance(turn: &Turn<'_, '_>, victims: &Victims) -> Vec<(InstanceRef, usize)> {
    let mut holders = Vec::new();
    for (at, &(_, victim)) in victims.iter().enumerate() {
        let held = turn.allocation(victim).held.iter();
        holders.extend(held.map(|held| (held.share.instance, at)));
    }
    holders.sort_unstable();
    holders
}

/// Victims that hold what a step uses, the first to yield in front.
fn in_the_way(by_instance: &[(InstanceRef, usize)], step: &Step) -> Vec<usize> {
    let mut found = Vec::new();
    for &used in &step.used {
        let from = by_instance.partition_point(|&(instance, _)| instance < used);
        let holders = by_instance[from..].iter().take_while(|&&(instance, _)| instance == used);
        found.extend(holders.map(|&(_, at)| at).take_while(|&at| at < step.victims));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Lets `victims` yield, one after another, until tasks of `head` are placed, all of a
/// gang; those that have yielded before are passed over. Returns how many of the list
/// were needed, or nothing where nothing was placed: then nothing has happened. Whose they
/// are is added to `yielded`.
pub(super) fn yield_until_placed(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    head: WorkRef,
    victims: &[AllocationRef],
    yielded: &mut Vec<WorkRef>,
) -> Option<usize> {
    let before = yielded.len();
    let needed = turn.attempt(|turn| {
        for (at, &victim) in victims.iter().enumerate() {
            if turn.allocation(victim).has_yielded() {
                continue;
            }
            yielded.push(turn.allocation(victim).work());
            turn.preempt(victim).ok()?;
            if !place_more(place, turn, head).is_empty() {
                return Some(at + 1);
            }
        }
        None
    });
    if needed.is_none() {
        yielded.truncate(before);
    }
    needed
}
