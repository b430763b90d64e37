//! How long waiting work is planned to run.

use crate::policy::queue::Queued;
use crate::policy::turn::Turn;
use crate::state::{UNKNOWN_RUN, run_length};
use crate::units::{Span, Time};

/// How long work is planned to run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Length {
    Known(Span),
    /// Longer than all that is planned when it is reserved for.
    Unknown,
}

impl Length {
    /// As long as what it takes must be free.
    pub(super) const fn span(self) -> Span {
        match self {
            Self::Known(length) => length,
            Self::Unknown => Span::MAX,
        }
    }

    /// Until when, beyond its own end, it must find free what it takes: where it was
    /// reserved `until` some time, until then.
    pub(super) fn free_until(self, start: Time, until: Option<Time>) -> Time {
        match self {
            Self::Known(_) => start,
            Self::Unknown => until.unwrap_or(Time::MAX),
        }
    }

    /// When work that starts at `start` is planned to end. An end that is not known is no
    /// earlier than `last`, nor than that of the same work once it runs.
    pub(super) fn end(self, start: Time, last: Time) -> Time {
        match self {
            Self::Known(length) => start.saturating_add(length),
            Self::Unknown => start.saturating_add(UNKNOWN_RUN).max(last),
        }
    }
}

/// How long `one` is planned to run: where it is slowest, with its data moved where that
/// takes longest.
pub(super) fn length(turn: &Turn<'_, '_>, one: Queued) -> Length {
    if one.estimate == Span::MAX {
        return Length::Unknown;
    }
    let ask = &turn.work(one.work).ask;
    let slowest = turn.rules(ask.rules).slowest(ask.kind);
    // Not even what has run out of its estimate takes no time at all: others would be
    // reserved the same room.
    let run = run_length(one.estimate, slowest).max(Span::from_micros(1));
    Length::Known(run.saturating_add(turn.longest_transfer(one.work)))
}
