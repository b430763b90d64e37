//! Words on a search that came to no end.

use super::replications_of;
use crate::experiment::search::SearchProgress;
use crate::metrics::METRICS;
use crate::problem::clip;
use crate::report::figure::{count, figure};

/// Progress of a search and the best setup that it had seen, which is no answer, in one line.
pub fn search_progress(progress: &SearchProgress) -> String {
    let SearchProgress { looked_at, judged, runs, goal, repetition, best } = progress;
    let replications = replications_of(*repetition);
    let edits = best.edits.iter().map(|(key, value)| format!("{key}={}", clip(value)));
    let edits = edits.collect::<Vec<_>>().join(", ");
    let metric = &METRICS[*goal];
    let cost = best.goal.map_or(String::new(), |mean| {
        format!(", at a {} of {}", metric.label, figure(metric.unit, Some(mean)))
    });
    let kept = format!("in {} of {} {replications}", best.kept_in, best.replications);
    let verdict = match best.shown {
        true => {
            format!("is shown to keep its promises (all {kept}){cost}; cheaper ones may be left")
        }
        false => format!("kept all promises {kept}{cost}; of none it is shown yet"),
    };
    format!(
        "no answer yet: {} looked at and {} judged in {} runs. The best of them, {edits}, {verdict}",
        setups(*looked_at),
        count(*judged as u64),
        count(u64::from(*runs)),
    )
}

fn setups(number: usize) -> String {
    format!("{} {}", count(number as u64), if number == 1 { "setup" } else { "setups" })
}
