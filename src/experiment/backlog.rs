//! Windows that hide a backlog: each begins with nothing waiting, the whole trace would not.

use super::measurement::Course;
use super::replication::Repetition;
use super::statistics::t_interval;
use crate::problem::clip;

/// Least windows to tell from.
const LEAST: usize = 3;
/// Confidence of the interval whose lower end is looked at: one-sided, 95 %.
const CONFIDENCE: f64 = 0.90;
/// A rise below this share of what waits in the end does not matter.
const SLIGHT: f64 = 0.1;

/// Pieces of work that wait as a window begins and as it ends: means over the second half of the
/// warm-up and over as long a stretch before the end. Both are of the same hours, and of the same
/// weekday where a window is a week. None without windows and warm-ups.
pub fn waiting(course: &Course, repetition: Repetition) -> Option<[f64; 2]> {
    let Repetition::Windows { width, warm_up, .. } = repetition else { return None };
    let (begins, lasts) = (warm_up.secs_f64(), width.secs_f64());
    let stretch = begins.min(lasts) / 2.0;
    (stretch > 0.0)
        .then(|| [begins, begins + lasts].map(|until| course.waiting(until - stretch, until)))
}

/// Caution about policies whose work piles up within the windows of a trace, given the name of each
/// policy and what is `waiting` in each of its windows.
///
/// Over all of a trace, as many windows begin with a given backlog as end with it: the end of one
/// is the beginning of the next. If windows end with more waiting than they begin with, their
/// warm-ups brought back too little of the backlog, and waits are longer than the windows show.
pub fn backlog<'a>(
    policies: impl IntoIterator<Item = (&'a str, Vec<Option<[f64; 2]>>)>,
) -> Option<String> {
    let found = policies.into_iter().filter_map(|(name, waiting)| {
        let waiting: Vec<[f64; 2]> = waiting.into_iter().flatten().collect();
        let Piled { before, after, least } = piled(&waiting)?;
        let name = clip(name);
        Some(format!(
            "from {before:.1} to {after:.1} pieces under {name} (by {least:.1} at least, at 95 %)"
        ))
    });
    let found: Vec<String> = found.collect();
    (!found.is_empty()).then(|| {
        format!(
            "Work piles up within the windows: what waits rises on average, from their begin to their end, {}. Over \
             the whole trace that backlog is handed on, so waits there are longer than these: look at `windtunnel compare --window whole`, or take a longer \
             `--warm-up`.",
            found.join(", ")
        )
    })
}

/// Means over windows.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piled {
    before: f64,
    after: f64,
    /// Lower end of the rise.
    least: f64,
}

fn piled(waiting: &[[f64; 2]]) -> Option<Piled> {
    if waiting.len() < LEAST {
        return None;
    }
    let rises: Vec<f64> = waiting.iter().map(|[before, after]| after - before).collect();
    let rise = t_interval(&rises, CONFIDENCE)?;
    let mean = |at: usize| waiting.iter().map(|pair| pair[at]).sum::<f64>() / waiting.len() as f64;
    let (before, after) = (mean(0), mean(1));
    (rise.low > 0.0 && rise.mean >= SLIGHT * after).then_some(Piled {
        before,
        after,
        least: rise.low,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Span, Time};

    /// Windows of 8 hours after 2 of warm-up; what waits in each hour.
    fn found(windows: &[[f64; 10]]) -> Option<[f64; 2]> {
        let hours = |hours: i64| Span::from_secs(3_600 * hours);
        let repetition = Repetition::Windows {
            first: Time::ZERO,
            width: hours(8),
            warm_up: hours(2),
            of: 9,
            taken: 9,
            stride: 1,
        };
        let course = |queue: &[f64; 10]| {
            let (step_s, queue) = (3_600.0, queue.to_vec());
            waiting(&Course { step_s, queue, ..Course::default() }, repetition)
        };
        let pairs: Vec<[f64; 2]> = windows.iter().filter_map(course).collect();
        piled(&pairs).map(|piled| [piled.before, piled.after])
    }

    /// Rises from 0 in steps of `step`.
    fn rising(step: f64) -> [f64; 10] {
        std::array::from_fn(|hour| step * hour as f64)
    }

    #[test]
    fn all_policies_whose_work_piles_up_are_in_one_caution() {
        let windows =
            |after: f64| vec![Some([1.0, after]), Some([1.0, after + 1.0]), Some([2.0, after])];
        let said = backlog([("a", windows(9.0)), ("b", windows(1.0)), ("c", windows(20.0))]);
        let said = said.expect("it piles up");
        assert!(said.contains("from 1.3 to 9.3 pieces under a (by "), "{said}");
        assert!(said.contains("pieces under c (") && !said.contains("under b"), "{said}");
        assert_eq!(backlog([("b", windows(1.0))]), None);
    }

    #[test]
    fn what_piles_up_is_found_and_what_comes_and_goes_is_not() {
        assert_eq!(found(&[rising(1.0), rising(2.0), rising(3.0)]), Some([2.0, 18.0]));
        // Some windows end with more, others with less.
        let falling = rising(1.0).map(|waiting| 9.0 - waiting);
        assert_eq!(found(&[rising(1.0), falling, [5.0; 10]]), None);
        // The backlog rises by a little of much.
        let slight = |from: f64| rising(0.2).map(|waiting| from + waiting);
        assert_eq!(found(&[slight(99.0), slight(98.0), slight(97.0)]), None);
        // Two windows do not tell.
        assert_eq!(found(&[rising(1.0), rising(2.0)]), None);
        // A busy hour in between, over as the window ends.
        let burst = [1.0, 1.0, 50.0, 90.0, 50.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(found(&[burst; 4]), None);
    }
}
