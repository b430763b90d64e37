//! Time until a run that was struck is back where its calm run is.

use super::super::measurement::{Course, Measurement};
use crate::units::Time;

/// Pieces of work that may wait more than in the calm run and are no harm.
const NONE: f64 = 0.1;
/// Share of the worst that is left when a run has recovered.
const LEFT: f64 = 0.1;

/// Seconds from the blow until, after the step in which the most work waits beyond that of the
/// calm run at that time, nine tenths of that excess are gone; nothing if there is none, and `None` if
/// it stays to the end of the run and more is left undone.
///
/// Courses are means over steps, so this is as exact as the wider of the two steps.
pub fn recovery(calm: &Measurement, struck: &Measurement, moment: Time) -> Option<f64> {
    let moment = moment.micros() as f64 / 1e6;
    let course = &struck.course;
    let step = |(row, &waits): (usize, &f64)| {
        let from = course.start_s + row as f64 * course.step_s;
        let until = from + course.step_s;
        (until > moment).then(|| (until, waits - waiting(&calm.course, from, until)))
    };
    let excess: Vec<(f64, f64)> = course.queue.iter().enumerate().filter_map(step).collect();
    let worst = (0..excess.len()).reduce(|worst, row| match excess[row].1 >= excess[worst].1 {
        true => row,
        false => worst,
    });
    let Some(worst) = worst.filter(|&row| excess[row].1 > NONE) else { return Some(0.0) };
    let bound = (excess[worst].1 * LEFT).max(NONE);
    let over = excess[worst..].iter().position(|&(_, more)| more <= bound);
    let left = |run: &Measurement| run.done.submitted - run.done.finished - run.done.refused;
    match over {
        Some(rows) => Some(excess[worst + rows - 1].0 - moment),
        None if left(struck) > left(calm) => None,
        None => excess.last().map(|&(end, _)| end - moment),
    }
}

/// Mean of the waiting work of a course from `from` to `until`; nothing waits after its end.
fn waiting(course: &Course, from: f64, until: f64) -> f64 {
    let of_step = |(row, &waits): (usize, &f64)| {
        let start = course.start_s + row as f64 * course.step_s;
        let shared = (start + course.step_s).min(until) - start.max(from);
        waits * shared.max(0.0)
    };
    course.queue.iter().enumerate().map(of_step).sum::<f64>() / (until - from)
}
