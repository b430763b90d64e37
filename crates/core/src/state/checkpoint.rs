//! Cycles of tasks that write checkpoints: they compute for a time, write one, compute again.
//!
//! No event marks a write: what tasks have computed and saved follows from the time alone.

use super::transfers::stretched;
use crate::model::Checkpoint;
use crate::units::{Span, Time};

/// When tasks write checkpoints, by their policy; never by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckpointPlan {
    /// Time that they compute between the end of one and the beginning of the next; `None` if they
    /// write none at intervals.
    pub every: Option<Span>,
    /// Whether they write one when their instance is warned, if it is over before the instance goes.
    pub on_notice: bool,
}

/// Checkpoints that tasks write while they run, at even intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointCycle {
    /// Time from the end of a write to the beginning of the next, in which tasks compute; at least a
    /// microsecond.
    every: Span,
    /// Time to write one, at least zero.
    write: Span,
    /// Whether tasks stand still while they write.
    blocking: bool,
    /// Time from which it counts: `every` before the beginning of the first write.
    from: Time,
}

impl CheckpointCycle {
    /// Tasks that compute for `every`, write a checkpoint, and so on, from `from` on.
    pub fn new(every: Span, checkpoint: Checkpoint, from: Time) -> Self {
        let Checkpoint { write, blocking, .. } = checkpoint;
        Self {
            every: every.max(Span::from_micros(1)),
            write: write.max(Span::ZERO),
            blocking,
            from,
        }
    }

    /// Tasks that write a checkpoint now, and then compute for `every`, write, and so on.
    pub fn writing_from(every: Span, checkpoint: Checkpoint, now: Time) -> Self {
        let cycle = Self::new(every, checkpoint, now);
        Self { from: now - cycle.every, ..cycle }
    }

    /// Time that tasks compute between two writes.
    pub(super) const fn every(self) -> Span {
        self.every
    }

    /// Whether tasks stand still to write at `now`.
    pub(super) fn stands(self, now: Time) -> bool {
        self.blocking && self.last_begun(now) != self.last_written(now)
    }

    /// Time from the beginning of a write to that of the next.
    fn length(self) -> Span {
        self.every.saturating_add(self.write)
    }

    /// Time that tasks compute from the beginning of the cycles to `now`, in microseconds.
    fn computed(self, now: Time) -> i64 {
        let elapsed = (now - self.from).micros();
        if !self.blocking {
            return elapsed;
        }
        let (whole, rest) = (elapsed / self.length().micros(), elapsed % self.length().micros());
        whole * self.every.micros() + rest.min(self.every.micros())
    }

    /// Time that tasks compute between two moments, neither of which lies before the first cycle.
    pub(super) fn computed_between(self, since: Time, now: Time) -> Span {
        Span::from_micros(self.computed(now) - self.computed(since))
    }

    /// First moment by which tasks have computed for `span`, longer than zero, since `since`.
    pub(super) fn after(self, since: Time, span: Span) -> Time {
        if !self.blocking {
            return since.saturating_add(span);
        }
        let computed = self.computed(since).saturating_add(span.micros());
        // Who is done just when a write would begin does not write.
        let writes = (computed - 1) / self.every.micros();
        let elapsed = writes.saturating_mul(self.write.micros()).saturating_add(computed);
        self.from.saturating_add(Span::from_micros(elapsed))
    }

    /// Beginning of the last write that has begun by `now`; `None` before the first.
    pub(super) fn last_begun(self, now: Time) -> Option<Time> {
        self.last_written(now.saturating_add(self.write))
    }

    /// Beginning of the last write that is over at `now`; `None` before the end of the first. A write
    /// is over at the moment at which it ends.
    pub(super) fn last_written(self, now: Time) -> Option<Time> {
        let whole = (now - self.from).micros() / self.length().micros();
        let begun = whole * self.length().micros() - self.write.micros();
        (whole > 0).then(|| self.from + Span::from_micros(begun))
    }
}

/// Changes of the time to write one.
impl CheckpointCycle {
    /// The same with another time to write, of tasks that begin so much later to compute.
    pub(super) fn put_off(self, later: Span, write: Span) -> Self {
        Self { from: self.from + later, write, ..self }
    }

    /// The same from `now` on with another time to write. What is left of a write that is under way
    /// takes as much longer as the network goes from one share of its speed to another. Writes that
    /// are over are forgotten.
    pub(super) fn going_on(self, now: Time, write: Span, (from, to): (u32, u32)) -> Self {
        let elapsed = Span::from_micros((now - self.from).micros() % self.length().micros());
        let computed = if elapsed <= self.every {
            elapsed
        } else {
            let left = stretched(self.length() - elapsed, from, to).min(write);
            self.every.saturating_add(write) - left
        };
        Self { from: now - computed, write, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> Time {
        Time::from_secs(secs)
    }

    /// 30 s of computing and 10 s of writing, from 100 s on.
    fn cycle(blocking: bool) -> CheckpointCycle {
        let checkpoint = Checkpoint { blocking, ..Checkpoint::blocking(Span::from_secs(10)) };
        CheckpointCycle::new(Span::from_secs(30), checkpoint, at(100))
    }

    #[test]
    fn tasks_compute_between_writes_that_block() {
        let computed = |now| cycle(true).computed_between(at(100), at(now)).micros() / 1_000_000;
        let found = [100, 110, 130, 135, 140, 150, 170, 180, 500].map(computed);
        assert_eq!(found, [0, 10, 30, 30, 30, 40, 60, 60, 300]);
        let later = cycle(true).computed_between(at(135), at(155));
        assert_eq!(later, Span::from_secs(15));
        assert_eq!(cycle(false).computed_between(at(110), at(155)), Span::from_secs(45));
    }

    #[test]
    fn who_is_done_when_a_write_would_begin_does_not_write() {
        for (since, span, end) in [
            (100, 1, 101),
            (100, 30, 130),
            (100, 31, 141),
            (100, 60, 170),
            (100, 61, 181),
            (120, 10, 130),
            (120, 11, 141),
            (130, 1, 141),
            (135, 30, 170),
            (140, 30, 170),
        ] {
            let after = cycle(true).after(at(since), Span::from_secs(span));
            assert_eq!(after, at(end), "{span} s since {since} s");
            let computed = cycle(true).computed_between(at(since), after);
            assert_eq!(computed, Span::from_secs(span));
        }
        assert_eq!(cycle(false).after(at(100), Span::from_secs(61)), at(161));
        let never = cycle(true).after(at(100), Span::from_micros(i64::MAX / 2));
        assert!(never > Time::from_micros(i64::MAX / 2), "{never:?}");
    }

    #[test]
    fn a_write_is_over_when_it_ends() {
        for blocking in [true, false] {
            let last = |now| cycle(blocking).last_written(at(now));
            assert_eq!([100, 130, 139].map(last), [None; 3]);
            assert_eq!([140, 150, 179].map(last), [Some(at(130)); 3]);
            assert_eq!(last(180), Some(at(170)));
        }
    }

    /// Every 30 s and 10 s, from 100 s on: at 134 s, four seconds into a write, the network falls to a
    /// quarter, so the rest takes 24 s, and the next writes 40 s.
    #[test]
    fn the_rest_of_a_write_takes_longer_over_a_slower_network() {
        let slow = cycle(true).going_on(at(134), Span::from_secs(40), (1_000_000, 250_000));
        let last = |now| slow.last_written(at(now));
        assert_eq!(
            [134, 157, 158, 188, 227, 228].map(last).map(|one| one.is_some()),
            [false, false, true, true, true, true]
        );
        assert_eq!((last(227), last(228)), (Some(at(118)), Some(at(188))));
        // In the middle of 30 s of computing nothing moves but the writes to come.
        let early = cycle(true).going_on(at(150), Span::from_secs(40), (1_000_000, 250_000));
        assert_eq!(early.last_written(at(150)), None);
        assert_eq!((early.last_begun(at(170)), early.last_written(at(209))), (Some(at(170)), None));
        assert_eq!(early.last_written(at(210)), Some(at(170)));
        assert_eq!(early.computed_between(at(150), at(211)), Span::from_secs(21));
        // And back, halfway through.
        let back = early.going_on(at(190), Span::from_secs(10), (250_000, 1_000_000));
        assert_eq!([194, 195].map(|now| back.last_written(at(now)).is_some()), [false, true]);
        let later = cycle(true).put_off(Span::from_secs(5), Span::from_secs(40));
        assert_eq!(later.last_written(at(175)), Some(at(135)));
    }

    #[test]
    fn a_checkpoint_that_costs_nothing_saves_all_at_once() {
        let free = CheckpointCycle::new(Span::ZERO, Checkpoint::blocking(Span::ZERO), at(100));
        assert_eq!(free.last_written(at(100)), None);
        assert_eq!(free.last_written(at(107)), Some(at(107)));
        assert_eq!(free.after(at(100), Span::HOUR), at(3_700));
    }
}
