//! The best time in a window: one piece of it, or several that add up.

use crate::model::StepPath;
use crate::units::{Span, Time};

/// The start between `now` and `latest` from which on `path` is least over a time of `run`; the
/// earliest of several. Where the path changes, or `run` before that, lies one of the best.
pub(super) fn best_start(path: &StepPath, now: Time, latest: Time, run: Span) -> Time {
    let cost = |start: Time| path.integral(start + run) - path.integral(start);
    let mut best = (cost(now), now);
    let mut look = |start: Time| {
        if now < start && start <= latest {
            best = best.min((cost(start), start));
        }
    };
    look(latest);
    for &(at, _) in path.between(now, latest + run) {
        look(at);
        look(Time::from_micros(at.micros() - run.micros()));
    }
    best.1
}

/// Pieces of a window in which a path is least, reused from one plan to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    /// Value, begin and end of each step of the path.
    steps: Vec<(i64, Time, Time)>,
    /// Begin and end of those that are taken.
    taken: Vec<(Time, Time)>,
}

impl Slots {
    /// Takes time of `run` in all between `now` and `until`, where the path is lowest and there the
    /// earliest. Returns begin and end of the first piece, and whether it is the only one.
    pub(super) fn first(
        &mut self,
        path: &StepPath,
        (now, until): (Time, Time),
        run: Span,
    ) -> (Time, Time, bool) {
        self.steps.clear();
        let mut last = (path.at(now), now);
        for &(at, value) in path.between(now, until) {
            self.steps.push((last.0, last.1, at));
            last = (value, at);
        }
        self.steps.push((last.0, last.1, until));
        self.steps.sort_unstable();
        self.taken.clear();
        let mut left = run;
        let mut rest = None;
        for &(_, from, to) in &self.steps {
            if left < to - from {
                rest = (left > Span::ZERO).then_some((from, to));
                break;
            }
            self.taken.push((from, to));
            left = left - (to - from);
        }
        // Of the last step only a part is needed: the one beside a step that is taken.
        if let Some((from, to)) = rest {
            let is_followed = self.taken.iter().any(|&(begin, _)| begin == to);
            let late = Time::from_micros(to.micros() - left.micros());
            self.taken.push(if is_followed { (late, to) } else { (from, from + left) });
        }
        self.taken.sort_unstable();
        let Some(&(begin, mut end)) = self.taken.first() else { return (now, now, true) };
        let mut joined = 1;
        for &(from, to) in &self.taken[1..] {
            if from != end {
                break;
            }
            (end, joined) = (to, joined + 1);
        }
        (begin, end, joined == self.taken.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(hours: i64) -> Time {
        Time::from_secs(3_600 * hours)
    }

    fn span(hours: i64) -> Span {
        Span::from_secs(3_600 * hours)
    }

    /// 5, 3, 9, 1, 4, 2 and then 7, an hour each from 0 on.
    fn path() -> StepPath {
        let values = [5, 3, 9, 1, 4, 2, 7];
        StepPath::known(8, (0..).map(hours).zip(values))
    }

    /// Sums of two hours from 0 on: 8, 12, 10, 5, 6, 9.
    #[test]
    fn the_best_start_is_where_the_sum_is_least() {
        let best = |now, latest, run| best_start(&path(), hours(now), hours(latest), span(run));
        assert_eq!(best(0, 5, 2), hours(3));
        assert_eq!(best(0, 2, 2), hours(0));
        assert_eq!(best(0, 5, 1), hours(3));
        assert_eq!(best(4, 9, 1), hours(5));
        assert_eq!(best(6, 9, 3), hours(6));
        // An hour and a half: from 2.5 to 4 is 5.5, from 3 on 3.
        let run = Span::from_secs(5_400);
        assert_eq!(best_start(&path(), hours(0), hours(5), run), hours(3));
        // The whole of the cheap hour with what is cheaper beside it: 0.5 of 9 or of 4.
        assert_eq!(best_start(&path(), hours(1), hours(5), run), hours(3));
        // The best start may lie between changes, so that the end is at one: from 4.5 to 6.
        assert_eq!(best_start(&path(), hours(4), hours(6), run), Time::from_secs(16_200));
    }

    /// Any start on a fine grid costs as much or more.
    #[test]
    fn no_other_start_is_better() {
        let path = path();
        for run in [1, 599, 3_600, 5_000, 12_345].map(Span::from_secs) {
            let cost = |start: Time| path.integral(start + run) - path.integral(start);
            let best = best_start(&path, hours(0), hours(6), run);
            let others = (0..=360).map(|minute| Time::from_secs(60 * minute));
            for other in others {
                assert!(cost(best) <= cost(other), "{run:?}: {best:?} and {other:?}");
            }
        }
    }

    #[test]
    fn pieces_are_the_lowest_steps_that_add_up() {
        let mut slots = Slots::default();
        let mut first = |from, until, run: Span| {
            let (begin, end, only) = slots.first(&path(), (hours(from), hours(until)), run);
            (begin.secs_f64() / 3_600.0, end.secs_f64() / 3_600.0, only)
        };
        // 1 at 3, 2 at 5, 3 at 1.
        assert_eq!(first(0, 7, span(1)), (3.0, 4.0, true));
        assert_eq!(first(0, 7, span(2)), (3.0, 4.0, false));
        assert_eq!(first(0, 7, span(3)), (1.0, 2.0, false));
        // And 4 at 4, which joins the two.
        assert_eq!(first(2, 7, span(3)), (3.0, 6.0, true));
        // Half an hour more of the 3 at 1, of which the beginning is taken; of the 5 at 0 the end is, as 1 is
        // taken as a whole.
        assert_eq!(first(0, 7, Span::from_secs(9_000)), (1.0, 1.5, false));
        assert_eq!(first(0, 4, Span::from_secs(9_000)), (0.5, 2.0, false));
        // There is no time to choose.
        assert_eq!(first(2, 4, span(2)), (2.0, 4.0, true));
        assert_eq!(first(2, 4, Span::ZERO), (2.0, 2.0, true));
    }
}
