//! Arms compared from plan to decision.

use super::{Arm, Asked, Comparison, ExperimentFailure, Judging, compare, plan};
use crate::experiment::{
    Decision, FullRun, Runner, RunnerFailure, decide, setting_range, share_inputs,
};
use crate::scenario::Scenario;

/// Arms of a comparison, with all that their runs showed.
#[derive(Debug)]
pub struct ComparedArms<'a> {
    /// The arms.
    pub arms: Vec<Arm<'a>>,
    /// Measurements of all replications, and how they were judged.
    pub comparison: Comparison,
    /// The first replication of each arm.
    pub exhibits: Vec<FullRun>,
    /// Decision that follows; `None` if nothing is decided.
    pub decision: Option<Decision>,
}

impl<'a> ComparedArms<'a> {
    /// Runs all policies of a scenario against its baseline: as often as `asked`, by default as often
    /// as it needs. Its trace is read first, and shared by all runs.
    ///
    /// ```
    /// # use std::path::Path;
    /// use windtunnel::experiment::{Asked, ComparedArms, Judging, Runner};
    /// # use windtunnel::scenario::{Scenario, quickstart};
    /// # let day = [("workload.synthetic.span".to_owned(), "6 h".to_owned())];
    /// # let mut scenario = Scenario::parse(quickstart(), "quickstart.toml", Path::new(""), &day).unwrap();
    /// let (runner, asked) = (Runner::default(), Asked { replications: Some(2), ..Asked::default() });
    /// let compared = ComparedArms::of(&runner, &mut scenario, asked, Judging::default()).unwrap();
    /// assert_eq!(compared.comparison.policies.len(), compared.arms.len());
    /// ```
    ///
    /// # Errors
    /// Those of [`ComparedArms::run`].
    pub fn of(
        runner: &Runner<'_>,
        scenario: &'a mut Scenario,
        asked: Asked,
        judging: Judging,
    ) -> Result<Self, ExperimentFailure> {
        share_inputs(scenario).map_err(|failure| {
            let (policy, failure) = (String::new(), Box::new(failure));
            ExperimentFailure::Runs(RunnerFailure::Run { policy, seed: scenario.seed, failure })
        })?;
        let scenario: &'a Scenario = scenario;
        let policies = scenario.policies.iter();
        let arms = policies.map(|policy| Arm { name: &policy.name, scenario, policy }).collect();
        Self::run(runner, arms, (scenario.baseline, true), asked, judging)
    }

    /// Runs arms against the one in row `baseline`; decides where all have one and the same work.
    ///
    /// # Errors
    /// See [`ExperimentFailure`].
    pub fn run(
        runner: &Runner<'_>,
        arms: Vec<Arm<'a>>,
        (baseline, one_work): (usize, bool),
        asked: Asked,
        judging: Judging,
    ) -> Result<Self, ExperimentFailure> {
        if let Some(problem) = setting_range::of_arms(&arms, baseline) {
            return Err(ExperimentFailure::Problem(problem));
        }
        let wrong = setting_range::of_judging(&judging, &arms[baseline].scenario.path);
        if let Some(problem) = wrong.into_iter().next() {
            return Err(ExperimentFailure::Problem(problem));
        }
        let plan = plan(runner, &arms, asked)?;
        let (comparison, exhibits) =
            compare(runner, &arms, baseline, &plan, judging).map_err(ExperimentFailure::Runs)?;
        let decision = match one_work {
            true => Some(decide(runner, &arms, &comparison).map_err(ExperimentFailure::Runs)?),
            false => None,
        };
        Ok(Self { arms, comparison, exhibits, decision })
    }
}
