//! Planned run of waiting work.

use super::FOREVER;
use crate::policy::queue::Queued;
use crate::policy::turn::Turn;
use crate::state::{UNKNOWN_RUN, run_length};
use crate::units::{Span, Time};

/// Planned run of work.
#[derive(Clone, Copy, Debug)]
pub(super) enum Length {
    Known(Span),
    /// Longer than all that is planned when it is reserved for.
    Unknown,
}

impl Length {
    /// Time for which what it takes must be free.
    pub(super) fn span(self) -> Span {
        match self {
            Self::Known(length) => length,
            Self::Unknown => FOREVER - Time::ZERO,
        }
    }

    /// Until when, beyond its own end, it must find free what it takes: where it was
    /// reserved `until` some time, until then.
    pub(super) fn free_until(self, start: Time, until: Option<Time>) -> Time {
        match self {
            Self::Known(_) => start,
            Self::Unknown => until.unwrap_or(FOREVER),
        }
    }

    /// The latest end of what was reserved `until` some time and is reserved anew; `None` if its
    /// length alone decides. An end that is not known stays as it is: who comes behind it counts on
    /// that.
    pub(super) fn latest(self, until: Time) -> Option<Time> {
        match self {
            Self::Known(_) => None,
            Self::Unknown => Some(until),
        }
    }

    /// Planned end of work that starts at `start`. An end that is not known is no earlier than
    /// `last`, nor than that of the same work once it runs.
    pub(super) fn end(self, start: Time, last: Time) -> Time {
        match self {
            Self::Known(length) => start.saturating_add(length),
            Self::Unknown => start.saturating_add(UNKNOWN_RUN).max(last),
        }
    }
}

/// Planned run of `one`: where it is slowest, with its data moved where that takes longest.
pub(super) fn length(turn: &Turn<'_, '_>, one: Queued) -> Length {
    let Some(estimate) = one.estimate else { return Length::Unknown };
    // No work needs a look at itself where all runs at one speed and moves nothing.
    let longest = match turn.speed_bounds() {
        [slowest, fastest] if slowest == fastest && !turn.moves_data() => {
            run_length(estimate, slowest)
        }
        _ => spans(turn, one, estimate)[1],
    };
    // Not even what has run out of its estimate takes no time at all: others would be
    // reserved the same room.
    Length::Known(longest.max(Span::from_micros(1)))
}

/// The shortest and the longest time that `one` takes by its estimate, wherever it may run.
fn spans(turn: &Turn<'_, '_>, one: Queued, estimate: Span) -> [Span; 2] {
    let live = turn.work(one.work);
    let [slowest, fastest] = turn.rules(live.ask.rules).speed_bounds(live.kind);
    let longest = run_length(estimate, slowest).saturating_add(turn.longest_transfer(one.work));
    [run_length(estimate, fastest), longest]
}

/// Whether `one` ends no later than `at` if it starts now; `None` if that depends on where it
/// starts. An end that is not known is later than any.
pub(super) fn ends_by(turn: &Turn<'_, '_>, one: Queued, at: Option<Time>) -> Option<bool> {
    let estimate = one.estimate.filter(|_| may_end_by(turn, one.estimate, at));
    let Some(estimate) = estimate else { return Some(false) };
    let in_time = |span| at.is_none_or(|at| turn.now().saturating_add(span) <= at);
    // Most work needs no look at itself.
    let [slowest, _] = turn.speed_bounds();
    if !turn.moves_data() && in_time(run_length(estimate, slowest)) {
        return Some(true);
    }
    let [first, last] = spans(turn, one, estimate).map(in_time);
    (first == last).then_some(first)
}

/// Whether any work with this estimate may end by `at` if it starts now; without one it may not.
pub(super) fn may_end_by(turn: &Turn<'_, '_>, estimate: Option<Span>, at: Option<Time>) -> bool {
    let [_, fastest] = turn.speed_bounds();
    estimate.is_some_and(|estimate| {
        at.is_none_or(|at| turn.now().saturating_add(run_length(estimate, fastest)) <= at)
    })
}
