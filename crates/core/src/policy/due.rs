//! Points in time that concern single pieces of work or instances, in order.

use std::collections::VecDeque;

use crate::policy::turn::Turn;
use crate::units::{Span, Time};

/// A timer that is set at most once for each point in time.
#[derive(Debug, Default)]
pub(in crate::policy) struct Alarm {
    set: Option<Time>,
}

impl Alarm {
    /// Asks to be asked again at `at`, unless an earlier timer is still to come.
    pub(in crate::policy) fn set(&mut self, turn: &mut Turn<'_, '_>, at: Time) {
        let now = turn.now();
        let earlier = self.set.is_some_and(|set| now < set && set <= at);
        if !earlier && now < at && at < Time::MAX {
            turn.wake(at).expect("a timer can be set for later");
            self.set = Some(at);
        }
    }
}

/// Things that are due a fixed time after something that happens in order of time.
#[derive(Debug)]
pub(in crate::policy) struct Due<T> {
    after: Span,
    waiting: VecDeque<(Time, T)>,
    alarm: Alarm,
}

impl<T: Copy> Due<T> {
    pub(in crate::policy) fn new(after: Span) -> Self {
        Self { after, waiting: VecDeque::new(), alarm: Alarm::default() }
    }

    /// The fixed time after `since`.
    pub(in crate::policy) fn due(&self, since: Time) -> Time {
        since.saturating_add(self.after)
    }

    /// `what` is due the fixed time after `since`. That is mostly no earlier than at the last call.
    pub(in crate::policy) fn push(&mut self, since: Time, what: T) {
        let due = self.due(since);
        match self.waiting.back() {
            Some(&(last, _)) if due < last => {
                let row = self.waiting.partition_point(|&(at, _)| at <= due);
                self.waiting.insert(row, (due, what));
            }
            Some(_) | None => self.waiting.push_back((due, what)),
        }
    }

    /// Whether nothing is due, now or later.
    pub(in crate::policy) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next that is due now and still `concerns` somebody; sets a timer
    /// for the one after.
    pub(in crate::policy) fn next(
        &mut self,
        turn: &mut Turn<'_, '_>,
        concerns: impl Fn(&Turn<'_, '_>, Time, T) -> bool,
    ) -> Option<T> {
        while let Some(&(at, what)) = self.waiting.front() {
            if concerns(turn, at - self.after, what) {
                if at > turn.now() {
                    self.alarm.set(turn, at);
                    return None;
                }
                self.waiting.pop_front();
                return Some(what);
            }
            self.waiting.pop_front();
        }
        None
    }
}
