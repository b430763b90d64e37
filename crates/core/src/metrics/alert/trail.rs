//! Sums over a window that ends now, exact between changes.

use std::collections::VecDeque;

use crate::units::{Span, Time};

/// Most changes that a window remembers; beyond, neighbours are put together, and what leaves the
/// window does so in coarser steps.
const MOST_STEPS: usize = 16_384;

/// Numerator and denominator.
pub(super) type TrailSum = [i128; 2];

/// Sum over the window that ends now of two quantities: of levels their integral, of what is counted
/// its number. Time before the start has none.
#[derive(Clone, Debug)]
pub(super) struct Trail {
    width: Span,
    /// Changes within the window, in order.
    steps: VecDeque<TrailStep>,
    /// Sum over the window.
    pub(super) sum: TrailSum,
    /// The level now.
    head: TrailSum,
    /// The level a window ago.
    tail: TrailSum,
}

/// A change: the level from then on, and what was counted then.
#[derive(Clone, Copy, Debug)]
struct TrailStep {
    at: Time,
    level: TrailSum,
    counted: TrailSum,
}

impl Trail {
    pub(super) fn new(width: Span) -> Self {
        Self { width, steps: VecDeque::new(), sum: [0, 0], head: [0, 0], tail: [0, 0] }
    }

    /// From `at` on the level is this.
    pub(super) fn set(&mut self, at: Time, level: TrailSum) {
        if level != self.head {
            self.head = level;
            self.push(TrailStep { at, level, counted: [0, 0] });
        }
    }

    /// At `at` so much is counted.
    pub(super) fn count(&mut self, at: Time, counted: TrailSum) {
        if counted != [0, 0] {
            self.sum = plus(self.sum, counted);
            self.push(TrailStep { at, level: self.head, counted });
        }
    }

    fn push(&mut self, step: TrailStep) {
        match self.steps.back_mut().filter(|last| last.at == step.at) {
            Some(last) => {
                *last = TrailStep {
                    counted: plus(last.counted, step.counted),
                    at: last.at,
                    level: step.level,
                };
            }
            None => self.steps.push_back(step),
        }
        if self.steps.len() > MOST_STEPS {
            self.thin();
        }
    }

    /// Puts neighbours together, all but the last step. Their integral stays, what does not divide
    /// by their length as a number that is counted.
    #[cold]
    fn thin(&mut self) {
        let all: Vec<TrailStep> = self.steps.drain(..).collect();
        let nexts = all.iter().skip(2).step_by(2).map(Some).chain(std::iter::repeat(None));
        for (two, next) in all.chunks(2).zip(nexts) {
            let (&[first, second], Some(next)) = (two, next) else {
                self.steps.extend(two);
                continue;
            };
            let (early, late) = (second.at - first.at, next.at - second.at);
            let whole = i128::from((early + late).micros());
            let area = plus(times(first.level, early), times(second.level, late));
            let level = area.map(|area| area.div_euclid(whole));
            let rest = area.map(|area| area.rem_euclid(whole));
            let counted = plus(plus(first.counted, second.counted), rest);
            self.steps.push_back(TrailStep { at: first.at, level, counted });
        }
    }

    /// When the oldest change leaves the window.
    pub(super) fn next(&self) -> Option<Time> {
        self.steps.front().map(|step| step.at.saturating_add(self.width))
    }

    /// Changes leave the window up to `now`.
    pub(super) fn leave(&mut self, now: Time) {
        while self.next().is_some_and(|next| next <= now) {
            let Some(step) = self.steps.pop_front() else { return };
            self.sum = minus(self.sum, step.counted);
            self.tail = step.level;
        }
    }

    /// Growth of the sum per microsecond until the next change.
    pub(super) fn slope(&self) -> TrailSum {
        minus(self.head, self.tail)
    }

    /// The sum after `span`, until the next change.
    pub(super) fn after(&self, span: Span) -> TrailSum {
        plus(self.sum, times(self.slope(), span))
    }

    /// The clock moves on by `span`, not beyond the next change.
    pub(super) fn pass(&mut self, span: Span) {
        self.sum = self.after(span);
    }
}

fn plus(a: TrailSum, b: TrailSum) -> TrailSum {
    [a[0] + b[0], a[1] + b[1]]
}

fn minus(a: TrailSum, b: TrailSum) -> TrailSum {
    [a[0] - b[0], a[1] - b[1]]
}

fn times(level: TrailSum, span: Span) -> TrailSum {
    level.map(|level| level * i128::from(span.micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moves a trail on to `to`, step by step.
    fn go(trail: &mut Trail, from: Time, to: Time) {
        let mut now = from;
        while now < to {
            trail.leave(now);
            let next = trail.next().map_or(to, |next| next.min(to));
            trail.pass(next - now);
            now = next;
        }
        trail.leave(to);
    }

    /// Thinned or not, what is in the window is the same sum as long as nothing thinned leaves it,
    /// and all of it leaves in the end.
    #[test]
    fn what_is_thinned_keeps_its_sum() {
        let mut trail = Trail::new(Span::from_micros(1_000_000));
        let (mut now, mut sum) = (Time::ZERO, 0);
        for step in 0..40_000 {
            let level = (step * 7919) % 13;
            trail.set(now, [level, 1]);
            let next = now + Span::from_micros(1 + (step % 3) as i64);
            go(&mut trail, now, next);
            sum += level * i128::from((next - now).micros());
            now = next;
        }
        assert!(trail.steps.len() <= MOST_STEPS);
        assert_eq!(trail.sum, [sum, i128::from(now.micros())]);
        trail.set(now, [0, 0]);
        go(&mut trail, now, now + Span::from_micros(1_000_000));
        assert_eq!(trail.sum, [0, 0]);
    }

    #[test]
    fn a_window_ends_now() {
        let secs = Time::from_secs;
        let mut trail = Trail::new(Span::from_secs(10));
        trail.set(secs(0), [4, 1]);
        go(&mut trail, secs(0), secs(5));
        assert_eq!(trail.sum, [20_000_000, 5_000_000]);
        trail.set(secs(5), [0, 1]);
        trail.count(secs(5), [3, 0]);
        go(&mut trail, secs(5), secs(12));
        // From 2 to 5 s it was 4.
        assert_eq!(trail.sum, [12_000_003, 10_000_000]);
        go(&mut trail, secs(12), secs(15));
        assert_eq!(trail.sum, [0, 10_000_000]);
    }
}
