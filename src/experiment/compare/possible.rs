//! The possible beside the real: what no policy could beat in each replication.

use rayon::prelude::*;

use super::super::bound::{self, Bounds};
use super::super::runner::RunnerFailure;
use super::super::single::RunFailure;
use super::{Arm, Comparison};
use crate::metrics::METRICS;

/// Works out the bounds of every replication and what they say of each policy.
///
/// # Errors
/// Problems with the workload.
pub(super) fn fill(comparison: &mut Comparison, sides: &[Arm<'_>]) -> Result<(), RunnerFailure> {
    let repetition = comparison.repetition;
    let all = |side: &Arm<'_>| -> Result<Vec<Bounds>, RunnerFailure> {
        (0..comparison.replications)
            .into_par_iter()
            .map(|replication| {
                let scenario = repetition.scenario(side.scenario, replication);
                let seed = repetition.seed(side.scenario, replication);
                bound::of(&scenario, seed, repetition.warm_up()).map_err(|problems| {
                    let failure = Box::new(RunFailure::Input(problems));
                    RunnerFailure::Run { policy: side.name.to_owned(), seed, failure }
                })
            })
            .collect()
    };
    // Most comparisons are of one scenario; its bounds are worked out once.
    let mut known: Vec<(&str, Vec<Bounds>)> = Vec::new();
    for side in sides {
        let text = side.scenario.text.as_str();
        if !known.iter().any(|(of, _)| *of == text) {
            known.push((text, all(side)?));
        }
    }
    for (policy, side) in comparison.policies.iter_mut().zip(sides) {
        let Some((_, bounds)) = known.iter().find(|(of, _)| *of == side.scenario.text) else {
            continue;
        };
        for (row, metric) in METRICS.iter().enumerate() {
            let runs = policy.measurements.iter().zip(bounds);
            let values: Option<Vec<f64>> = runs
                .map(|(run, bounds)| {
                    let of = |key: &str| run.metric(key);
                    Some(bounds.of_run(metric.key, run.done.finished, of)?.value)
                })
                .collect();
            policy.possible[row] = values
                .filter(|values| !values.is_empty())
                .map(|values| values.iter().sum::<f64>() / values.len() as f64);
        }
    }
    Ok(())
}
