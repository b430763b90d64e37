//! Work that did not start in a pass, so that its like is not tried again.

use rustc_hash::FxHashMap;

use crate::model::{Ask, Home, Rules, Spread, WorkKind};
use crate::policy::place::Place;
use crate::policy::queue::shorter;
use crate::policy::turn::Turn;
use crate::state::{LiveWork, WorkRef};
use crate::units::{Demand, Id, Span, Time};

/// Terms that decide where there is room for waiting work, besides what is free. A failure of other
/// work is a prediction only for work with the same terms.
type Room = (Demand, Id<Rules>);

/// Kind, and the data to move, of all tasks, with its home: with the estimate, what decides how
/// long work runs.
type RunTerms = (WorkKind, Option<(Id<Home>, i64, i64, u32)>);

/// Terms that decide where work goes if so many of its tasks start at once; with the rest of its
/// estimate, its waiting tasks and since when they wait, if the place depends on those, as what
/// renting would cost does.
type Spot = (Room, RunTerms, u32, Option<(Option<Span>, u32, Time)>);

/// Work that did not start in this pass. Room is only taken in a pass, but where an instance is
/// kept for longer, or rented: who starts so has the pass repeated.
#[derive(Debug, Default)]
pub(super) struct Failed {
    /// Fewest tasks for which there was no room.
    unfit: FxHashMap<Room, u32>,
    /// Shortest run expected for which so many tasks had no room, where they may join others on
    /// instances that they keep until they end.
    unfit_to_join: FxHashMap<(Room, RunTerms, u32), Span>,
    /// Shortest estimate that a reservation forbade.
    forbidden: FxHashMap<Spot, Option<Span>>,
}

fn room(ask: &Ask) -> Room {
    (ask.demand, ask.rules)
}

fn run_terms(live: &LiveWork) -> RunTerms {
    let ask = &live.ask;
    (live.kind, ask.home.map(|home| (home, ask.input, ask.output, ask.tasks)))
}

/// Terms of the place where `work` goes: for any estimate, or for this one.
fn spot(turn: &Turn<'_, '_>, work: WorkRef, any_length: bool) -> Spot {
    let live = turn.work(work);
    let exact = || (live.remaining_estimate(), live.waiting, turn.waits_since(work));
    (room(&live.ask), run_terms(live), live.together(), (!any_length).then(exact))
}

/// Whether tasks of its own that run keep others of `work` from some instances.
fn is_bound(turn: &Turn<'_, '_>, work: WorkRef) -> bool {
    let live = turn.work(work);
    live.placed > 0 && (turn.rules(live.ask.rules).spread != Spread::None || turn.is_bound(work))
}

impl Failed {
    pub(super) fn clear(&mut self) {
        self.unfit.clear();
        self.unfit_to_join.clear();
        self.forbidden.clear();
    }

    /// Whether `work` would fail like work before it.
    pub(super) fn predicts(&self, turn: &Turn<'_, '_>, place: &dyn Place, work: WorkRef) -> bool {
        let live = turn.work(work);
        let (room, tasks) = (room(&live.ask), live.together());
        let unfit = if place.joins(turn, work) {
            let shortest = self.unfit_to_join.get(&(room, run_terms(live), tasks));
            shortest.is_some_and(|&shortest| turn.expected_run(work) >= shortest)
        } else {
            self.unfit.get(&room).is_some_and(|&fewest| tasks >= fewest)
        };
        if unfit || self.forbidden.is_empty() || is_bound(turn, work) {
            return unfit;
        }
        let forbids = |any_length: bool| {
            let shortest = self.forbidden.get(&spot(turn, work, any_length));
            shortest
                .is_some_and(|&shortest| shorter(shortest, live.remaining_estimate()) == shortest)
        };
        forbids(true) || place.weighs(turn, work) && forbids(false)
    }

    /// Notes that there was no room for tasks of `work`.
    pub(super) fn unfit(&mut self, turn: &Turn<'_, '_>, place: &dyn Place, work: WorkRef) {
        if is_bound(turn, work) {
            return;
        }
        let live = turn.work(work);
        let (room, tasks) = (room(&live.ask), live.together());
        if place.joins(turn, work) {
            let (terms, expected) = ((room, run_terms(live), tasks), turn.expected_run(work));
            let shortest = self.unfit_to_join.entry(terms).or_insert(expected);
            *shortest = expected.min(*shortest);
        } else {
            let fewest = self.unfit.entry(room).or_insert(tasks);
            *fewest = tasks.min(*fewest);
        }
    }

    /// Notes that there was room for `work`, but that it is reserved; `costless`: it would have
    /// gone there whatever its length is.
    pub(super) fn forbidden(
        &mut self,
        turn: &Turn<'_, '_>,
        place: &dyn Place,
        (work, costless): (WorkRef, bool),
    ) {
        if is_bound(turn, work) {
            return;
        }
        let live = turn.work(work);
        let any_length = !place.weighs(turn, work) || costless && live.ask.home.is_none();
        let estimate = live.remaining_estimate();
        let spot = spot(turn, work, any_length);
        let shortest = self.forbidden.entry(spot).or_insert(estimate);
        *shortest = shorter(estimate, *shortest);
    }

    /// Forgets what reservations forbade, as something started: other room may be chosen now,
    /// though there is less of it.
    pub(super) fn room_changed(&mut self) {
        self.forbidden.clear();
    }
}
