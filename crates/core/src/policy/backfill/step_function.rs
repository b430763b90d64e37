//! Step functions: values over time that change now and then.

use super::FOREVER;
use crate::units::Time;

/// Periods in which something is constant; each holds until the next begins, the
/// last for ever.
pub(super) type StepFunction<T> = Vec<(Time, T)>;

/// The periods that overlap `from` to `until`; the one that `from` lies in
/// even where that is no time at all.
pub(super) fn period<T>(
    steps: &[(Time, T)],
    from: Time,
    until: Time,
) -> impl Iterator<Item = &(Time, T)> + Clone {
    let first = steps.partition_point(|step| step.0 <= from).saturating_sub(1);
    steps[first..].iter().take_while(move |step| step.0 <= from || step.0 < until)
}

/// Changes the periods from `from` to `until`, splitting those at its ends.
pub(super) fn change<T: Clone>(
    steps: &mut StepFunction<T>,
    from: Time,
    until: Time,
    mut each: impl FnMut(&mut T),
) {
    if until <= from {
        return;
    }
    let first = split(steps, from);
    let last = if until == FOREVER { steps.len() } else { split(steps, until) };
    for step in &mut steps[first..last] {
        each(&mut step.1);
    }
}

/// The row of the period that begins at `at`, after splitting the one around it.
fn split<T: Clone>(steps: &mut StepFunction<T>, at: Time) -> usize {
    let next = steps.partition_point(|step| step.0 < at);
    if steps.get(next).is_none_or(|step| step.0 != at) {
        let around = steps[next.saturating_sub(1)].1.clone();
        steps.insert(next, (at, around));
    }
    next
}
