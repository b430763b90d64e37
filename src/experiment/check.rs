//! Policies held against what they did when their baselines were stored: what
//! has become worse, by how much more than it may, and how surely.

mod baseline;
mod held;
mod judge;
mod first_divergence;

use super::compare::{Arm, Asked, ExperimentFailure, RepetitionPlan, plan};
use super::measurement::Measurement;
use super::runner::{Runner, RunnerFailure};
use crate::policy::spec::PolicySpec;
use crate::problem::Problem;
use crate::scenario::{Identity, Tested};

pub use baseline::{Baseline, Terms};
pub use first_divergence::{FirstDivergence, Replay, bracket, look_up, only, replay};
pub use held::{FailedTrial, HeldSuite, NotHeld, hold, new_baselines};
pub use judge::{BrokenObjective, Finding, GateOutcome, GateVerdicts, MovedMetric, judge};

/// One policy of a scenario of a suite, with its runs.
#[derive(Clone, Debug)]
pub struct Trial<'a> {
    /// The scenario in the suite.
    pub tested: &'a Tested,
    /// The policy.
    pub policy: &'a PolicySpec,
    /// Runs, one per replication.
    pub runs: Vec<Measurement>,
}

/// Repetition plan of a scenario of a suite. It never follows from the policies, for they are what
/// is tested.
///
/// # Errors
/// See [`ExperimentFailure`].
pub fn plan_of(runner: &Runner<'_>, tested: &Tested) -> Result<RepetitionPlan, ExperimentFailure> {
    let scenario = &tested.scenario;
    if scenario.steady_state && tested.warm_up.is_none() {
        let message = "a scenario about the steady state needs its warm-up in a suite";
        let hint = format!("give `warm_up` in `[scenario.{}]`", tested.name);
        return Err(ExperimentFailure::Problem(Problem::with(&scenario.path, message).hint(hint)));
    }
    let policy = &scenario.policies[0];
    let asked = Asked {
        replications: Some(tested.replications),
        window: tested.window,
        warm_up: tested.warm_up,
        resample: tested.resample,
    };
    plan(runner, &[Arm { name: &policy.name, scenario, policy }], asked)
}

/// The terms on which a scenario is run.
///
/// # Errors
/// A file of the scenario that cannot be read.
pub fn terms(tested: &Tested, plan: &RepetitionPlan) -> Result<Terms, Problem> {
    Ok(Terms {
        identity: Identity::of(&tested.scenario)?,
        asked: tested.replications,
        repeated: plan.repetition.description(),
    })
}

/// Runs the policies in these rows of a scenario: each `counts` times, or, where
/// that is not said, as often as planned, but once where nothing in it is random.
///
/// # Errors
/// See [`RunnerFailure`].
pub fn measure<'a>(
    runner: &Runner<'_>,
    tested: &'a Tested,
    plan: &RepetitionPlan,
    counts: &[(usize, Option<u32>)],
) -> Result<Vec<Trial<'a>>, RunnerFailure> {
    let scenario = &tested.scenario;
    let side = |row: usize| {
        let policy = &scenario.policies[row];
        Arm { name: &policy.name, scenario, policy }
    };
    let mut trials: Vec<Trial<'a>> = counts
        .iter()
        .map(|&(row, _)| Trial { tested, policy: &scenario.policies[row], runs: Vec::new() })
        .collect();
    // The first two tell whether there is chance in it.
    for stage in [2, u32::MAX] {
        let mut cells = Vec::new();
        let mut whose = Vec::new();
        for (at, &(row, count)) in counts.iter().enumerate() {
            let done = trials[at].runs.len() as u32;
            let still = |runs: &[Measurement]| runs[0].fingerprint == runs[1].fingerprint;
            let all = match count {
                Some(count) => count,
                None if done == 2 && still(&trials[at].runs) => continue,
                None => plan.replications,
            };
            for replication in done..all.min(stage) {
                cells.push(side(row).cell(plan.repetition, replication));
                whose.push(at);
            }
        }
        for (at, run) in whose.into_iter().zip(runner.measure(&cells)?) {
            trials[at].runs.push(run);
        }
    }
    for (trial, (_, count)) in trials.iter_mut().zip(counts) {
        if count.is_none()
            && trial.runs.iter().all(|run| run.fingerprint == trial.runs[0].fingerprint)
        {
            trial.runs.truncate(1);
        }
    }
    Ok(trials)
}
