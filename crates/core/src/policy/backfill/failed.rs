//! Work that did not start in a pass, so that its like is not tried again.

use rustc_hash::FxHashMap;

use crate::model::{Ask, Home, Rules, Spread, WorkKind};
use crate::policy::place::Place;
use crate::policy::queue::shorter;
use crate::policy::turn::Turn;
use crate::state::WorkRef;
use crate::units::{Demand, Id, Span, Time};

/// Kind, and the data to move, of all tasks, with its home: with the estimate, what decides how
/// long work runs.
type RunTerms = (WorkKind, Option<(Id<Home>, i64, i64, u32)>);

/// Terms that decide where waiting work fits, and when it would end there, besides what is free.
/// A failure of other work is a prediction only for work with the same terms.
#[derive(Clone, Copy, Debug)]
struct FitTerms {
    demand: Demand,
    rules: Id<Rules>,
    run: RunTerms,
    /// Rest of its estimate, and how long it is expected to run where it has none.
    estimate: Option<Span>,
    expected: Span,
    /// Tasks that start at once, all that wait, and since when: renting is quoted for these.
    together: u32,
    waiting: u32,
    since: Time,
    /// Tasks of its own that run keep others of them from some instances.
    bound: bool,
    /// It may join others on instances that they keep until it ends.
    joins: bool,
    /// The place part weighs costs: it goes where it costs least.
    weighs: bool,
}

/// Terms that decide if there is room.
type Room = (Demand, Id<Rules>, Option<(RunTerms, u32)>);

/// Terms that decide where work goes if so many of its tasks start at once; with its estimate, its
/// waiting tasks and since when they wait, if the place depends on those.
type Spot = (Demand, Id<Rules>, RunTerms, u32, Option<(Option<Span>, u32, Time)>);

/// Work that did not start in this pass. Room is only taken in a pass, but where an instance is
/// kept for longer, or rented: who starts so has the pass repeated.
#[derive(Debug, Default)]
pub(super) struct Failed {
    /// Fewest tasks, and shortest run expected, for which there was no room.
    unfit: FxHashMap<Room, (u32, Span)>,
    /// Shortest estimate that a reservation forbade.
    forbidden: FxHashMap<Spot, Option<Span>>,
}

impl FitTerms {
    fn of(turn: &Turn<'_, '_>, place: &dyn Place, work: WorkRef) -> Self {
        let live = turn.work(work);
        let ask: &Ask = &live.ask;
        let spreads = turn.rules(ask.rules).spread != Spread::None;
        Self {
            demand: ask.demand,
            rules: ask.rules,
            run: (live.kind, ask.home.map(|home| (home, ask.input, ask.output, ask.tasks))),
            estimate: live.remaining_estimate(),
            expected: turn.expected_run(work),
            together: live.together(),
            waiting: live.waiting,
            since: turn.waits_since(work),
            bound: live.placed > 0 && (spreads || turn.is_bound(work)),
            joins: place.joins(turn, work),
            weighs: place.weighs(turn, work),
        }
    }

    fn room(&self) -> (Room, (u32, Span)) {
        if self.joins {
            let run = Some((self.run, self.together));
            return ((self.demand, self.rules, run), (self.together, self.expected));
        }
        ((self.demand, self.rules, None), (self.together, Span::ZERO))
    }

    /// Terms of the place where it goes: for any estimate, or for this one.
    fn spot(&self, any_length: bool) -> Spot {
        let exact = (!any_length).then_some((self.estimate, self.waiting, self.since));
        (self.demand, self.rules, self.run, self.together, exact)
    }
}

impl Failed {
    pub(super) fn clear(&mut self) {
        self.unfit.clear();
        self.forbidden.clear();
    }

    /// Whether `work` would fail like work before it.
    pub(super) fn predicts(&self, turn: &Turn<'_, '_>, place: &dyn Place, work: WorkRef) -> bool {
        if self.unfit.is_empty() && self.forbidden.is_empty() {
            return false;
        }
        let terms = FitTerms::of(turn, place, work);
        let (room, (tasks, expected)) = terms.room();
        let none = self.unfit.get(&room);
        if none.is_some_and(|&(fewest, shortest)| tasks >= fewest && expected >= shortest) {
            return true;
        }
        let forbids = |any_length: bool| {
            let shortest = self.forbidden.get(&terms.spot(any_length));
            shortest.is_some_and(|&shortest| shorter(shortest, terms.estimate) == shortest)
        };
        !terms.bound && (forbids(true) || terms.weighs && forbids(false))
    }

    /// Notes that there was no room for tasks of `work`.
    pub(super) fn unfit(&mut self, turn: &Turn<'_, '_>, place: &dyn Place, work: WorkRef) {
        let terms = FitTerms::of(turn, place, work);
        if !terms.bound {
            let (room, failed) = terms.room();
            let least = self.unfit.entry(room).or_insert(failed);
            *least = (least.0.min(failed.0), least.1.min(failed.1));
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
        let terms = FitTerms::of(turn, place, work);
        if !terms.bound {
            let any_length = !terms.weighs || costless && terms.run.1.is_none();
            let spot = terms.spot(any_length);
            let shortest = self.forbidden.entry(spot).or_insert(terms.estimate);
            *shortest = shorter(terms.estimate, *shortest);
        }
    }

    /// Forgets what reservations forbade, as something started: other room may be chosen now,
    /// though there is less of it.
    pub(super) fn room_changed(&mut self) {
        self.forbidden.clear();
    }
}
