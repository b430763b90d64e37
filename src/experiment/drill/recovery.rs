//! Time until a run that was struck is back where its calm run is.

use super::super::measurement::{Course, Measurement};
use crate::units::Time;

/// Waiting pieces of work more than in the calm run that still count as recovered: a tenth of one.
const SAME: f64 = 0.1;

/// Seconds from the blow to the end of the last step in which more work waits than in the calm run
/// at that time; nothing if none ever does, and `None` if more waits to the end of both runs.
///
/// Courses are means over steps, so this is as exact as the wider of the two steps.
pub fn recovery(calm: &Measurement, struck: &Measurement, moment: Time) -> Option<f64> {
    let moment = moment.micros() as f64 / 1e6;
    let course = &struck.course;
    let (mut last, mut is_last) = (None, false);
    for (row, &waits) in course.queue.iter().enumerate() {
        let from = course.start_s + row as f64 * course.step_s;
        let until = from + course.step_s;
        if until <= moment {
            continue;
        }
        if waits > waiting(&calm.course, from, until) + SAME {
            last = Some(until);
            is_last = row + 1 == course.queue.len();
        }
    }
    let left = |run: &Measurement| run.done.submitted - run.done.finished - run.done.refused;
    match last {
        Some(_) if is_last && left(struck) > left(calm) => None,
        Some(until) => Some(until - moment),
        None => Some(0.0),
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
