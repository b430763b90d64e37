//! Preempt part: who must yield when the head of the queue does not fit. One part per file.

mod priority;
mod srpt;

use std::cmp::Reverse;
use std::slice;

use super::place::{self, Place};
use super::turn::Turn;
use crate::model::WorkId;
use crate::part::{Part, PartSpec};
use crate::state::{AllocationRef, WorkRef};
use crate::units::Time;

pub use priority::PRIORITY;
pub use srpt::SRPT;

/// A row of [`PARTS`].
pub type PreemptPart = Part<Option<Box<dyn Preempt>>>;
/// A preempt part with its settings.
pub type PreemptSpec = PartSpec<Option<Box<dyn Preempt>>>;

/// Every preempt part.
pub static PARTS: &[&PreemptPart] = &[&NONE, &PRIORITY, &SRPT];

/// Nobody yields.
pub static NONE: PreemptPart =
    Part { name: "none", doc: "Nobody yields.", parameters: &[], make: |_| None };

/// Says who yields to whom.
pub trait Preempt: std::fmt::Debug {
    /// Place of an allocation of other work among those that may be made to yield to `head`, the
    /// least first; `None` if it may not. At one moment it does not change, and nobody yields in a
    /// circle.
    fn rank(&self, turn: &Turn<'_, '_>, head: WorkRef, victim: AllocationRef) -> Option<i64>;
}

/// Running work that may be made to yield, the first to yield in front.
type Victims = Vec<(Rank, AllocationRef)>;
/// Order in which allocations yield: by priority or remaining work, then those not
/// started and the latest started, then by work, then by the launch of the first instance, the time of placing and what is held there:
/// no two that differ in any way rank alike.
type Rank = (i64, Option<Reverse<Time>>, Time, WorkId, (u32, Time, u32, u32));

/// Makes room for waiting tasks of `head` and places them: of a gang all or none, of other
/// work as many as may be. Nobody yields without whom as many would start. The works that
/// yielded are written over `yielded`; they wait again.
pub(super) fn make_room(
    kind: &dyn Preempt,
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    head: WorkRef,
    yielded: &mut Vec<WorkRef>,
) {
    let victims: Vec<_> = victims(kind, turn, head).into_iter().map(|(_, victim)| victim).collect();
    make_room_of(&victims, place, turn, head, yielded);
}

/// The same where these may yield, the first to yield in front. They are let yield in that
/// order until `head` is placed; then, from the last of them to the first, each is left
/// where it is without whom as many tasks of `head` are placed.
pub(super) fn make_room_of(
    victims: &[AllocationRef],
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    head: WorkRef,
    yielded: &mut Vec<WorkRef>,
) {
    yielded.clear();
    let (used, left) = until_placed(victims, place, turn, head);
    if used == 0 {
        return;
    }
    let victims = &victims[..used];
    let needed = needed(victims, left, place, turn, head);
    // A part that places at random, or tasks that are spread, may need more after all. And
    // where only reservations of others keep `head` out of what is free, the first yields.
    for (yields, left) in [(&needed[..], left), (victims, turn.work(head).waiting - 1)] {
        if yields.is_empty() {
            continue;
        }
        let placed = turn.attempt(|turn| {
            let_yield(yields, turn);
            place::place_all(place, turn, head);
            (turn.work(head).waiting <= left).then_some(())
        });
        if placed.is_some() {
            yielded.extend(yields.iter().map(|&victim| turn.allocation(victim).work()));
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
pub(super) fn is_to_ask_again(kind: &dyn Preempt, turn: &Turn<'_, '_>, head: WorkRef) -> bool {
    let mut new = turn.new_allocations();
    new.any(|new| !turn.allocation(new).has_ended() && order_to(kind, turn, head, new).is_some())
}

/// Place of an allocation among those that may be made to yield to `head`, the least first; `None`
/// if it may not.
fn order_to(
    kind: &dyn Preempt,
    turn: &Turn<'_, '_>,
    head: WorkRef,
    reference: AllocationRef,
) -> Option<i64> {
    if turn.allocation(reference).work() == head {
        return None;
    }
    kind.rank(turn, head, reference)
}

/// Everybody who may be made to yield to `head`, in order.
fn victims(kind: &dyn Preempt, turn: &Turn<'_, '_>, head: WorkRef) -> Victims {
    let mut victims: Victims = Vec::new();
    for (_, reference) in turn.ends() {
        if turn.is_arriving(reference) {
            continue;
        }
        let allocation = turn.allocation(reference);
        let work = turn.work(allocation.work());
        // Work that was placed in this very turn has not started yet.
        let is_placed_now = allocation.started().is_none() && allocation.placed == turn.now();
        if is_placed_now && turn.new_allocations().any(|new| new == reference) {
            continue;
        }
        let first = order_to(kind, turn, head, reference);
        let started = allocation.started().map(Reverse);
        let (arrival, id) = work.tie();
        let share = allocation.held[0].share;
        let launch = turn.instance(share.instance).ordinal;
        let last = (launch, allocation.placed, allocation.tasks, share.devices);
        victims.extend(first.map(|first| ((first, started, arrival, id, last), reference)));
    }
    victims.sort_unstable();
    victims
}

/// Number of `victims`, from the first on, that would yield until `head` is placed or no more of
/// its tasks are, and number of its tasks that wait then. Nothing has happened afterwards.
fn until_placed(
    victims: &[AllocationRef],
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    head: WorkRef,
) -> (usize, u32) {
    let mut found = (0, turn.work(head).waiting);
    turn.attempt(|turn| {
        for (at, victim) in victims.iter().enumerate() {
            let_yield(slice::from_ref(victim), turn);
            place::place_all(place, turn, head);
            let waiting = turn.work(head).waiting;
            if waiting < found.1 {
                found = (at + 1, waiting);
            }
            if waiting == 0 {
                break;
            }
        }
        None::<()>
    });
    found
}

/// Victims who must yield so that no more than `left` tasks of `head` wait, looked for from the
/// last to the first. Halves are looked at while the other half has yielded, so that each yields
/// a number of times that grows with the logarithm of their number. Nothing has happened
/// afterwards.
fn needed(
    victims: &[AllocationRef],
    left: u32,
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    head: WorkRef,
) -> Vec<AllocationRef> {
    if victims.is_empty() || fits(left, place, turn, head) {
        return Vec::new();
    }
    if victims.len() == 1 {
        return victims.to_vec();
    }
    let (first, last) = victims.split_at(victims.len() / 2);
    let mut needed_beside = |yields: &[AllocationRef], victims| {
        let mut found = Vec::new();
        turn.attempt(|turn| {
            let_yield(yields, turn);
            // Tasks that start one by one take what is free already, once for all.
            if !turn.work(head).ask.gang {
                place::place_all(place, turn, head);
            }
            found = needed(victims, left, place, turn, head);
            None::<()>
        });
        found
    };
    let later = needed_beside(first, last);
    let mut found = needed_beside(&later, first);
    found.extend(later);
    found
}

/// Whether no more than `left` tasks of `head` wait when it has been placed.
fn fits(left: u32, place: &mut dyn Place, turn: &mut Turn<'_, '_>, head: WorkRef) -> bool {
    let mut waiting = 0;
    turn.attempt(|turn| {
        place::place_all(place, turn, head);
        waiting = turn.work(head).waiting;
        None::<()>
    });
    waiting <= left
}

fn let_yield(victims: &[AllocationRef], turn: &mut Turn<'_, '_>) {
    for &victim in victims {
        turn.preempt(victim).expect("whoever may yield is there");
    }
}
