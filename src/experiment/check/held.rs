//! All policies of a suite, held against their baselines or measured for new ones.

use super::{Baseline, GateVerdicts, Terms, Trial, judge, measure, plan_of, terms};
use crate::experiment::{ExperimentFailure, RepetitionPlan, RunFailure, Runner, RunnerFailure};
use crate::problem::{Problem, clip};
use crate::scenario::{Suite, Tested, definition};
use crate::sim::Failure;

/// Policies of a suite that were held against their baselines, row by row.
#[derive(Debug)]
pub struct HeldSuite<'a> {
    /// The policies with their runs.
    pub trials: Vec<Trial<'a>>,
    /// Baseline of each, as it was stored.
    pub baselines: Vec<Baseline>,
    /// Plan by which the scenario of each is repeated.
    pub plans: Vec<RepetitionPlan>,
    /// The verdicts on each.
    pub verdicts: Vec<GateVerdicts<'a>>,
    /// Problems for which scenarios and policies were not run.
    pub problems: Vec<NotHeld<'a>>,
    /// Policies whose runs failed.
    pub failures: Vec<FailedTrial<'a>>,
}

/// A scenario or a policy of a suite that was not run.
#[derive(Clone, Debug)]
pub struct NotHeld<'a> {
    /// Name of the scenario in the suite.
    pub scenario: &'a str,
    /// Name of the policy; `None` if the problem is about the scenario.
    pub policy: Option<String>,
    /// The problem.
    pub problem: Problem,
}

/// A policy of a suite whose runs failed.
#[derive(Debug)]
pub struct FailedTrial<'a> {
    /// Name of the policy.
    pub policy: &'a str,
    /// Name of its scenario in the suite.
    pub scenario: &'a str,
    /// The failure.
    pub failure: RunnerFailure,
}

/// Runs every policy of a suite as often as its baseline holds, and judges. Problems with some
/// baselines, or with some policies, withhold nothing of the others.
///
/// # Errors
/// A run was stopped from outside, or did what no run may.
pub fn hold<'a>(runner: &Runner<'_>, suite: &'a Suite) -> Result<HeldSuite<'a>, ExperimentFailure> {
    let (mut problems, mut failures) = (Vec::new(), Vec::new());
    let (mut trials, mut baselines, mut plans) = (Vec::new(), Vec::new(), Vec::new());
    for one in &suite.unreadable {
        let not_held = |problem: &Problem| NotHeld {
            scenario: &one.name,
            policy: None,
            problem: problem.clone(),
        };
        problems.extend(one.problems.iter().map(not_held));
    }
    for tested in &suite.scenarios {
        let scenario = tested.name.as_str();
        problems.extend(orphans(suite, tested));
        let (plan, terms) = match planned(runner, tested) {
            Ok(planned) => planned,
            Err(ExperimentFailure::Problem(problem)) => {
                problems.push(NotHeld { scenario, policy: None, problem });
                continue;
            }
            Err(failure @ ExperimentFailure::Runs(_)) => return Err(failure),
        };
        for &row in &tested.policies {
            let policy = tested.scenario.policies[row].name.as_str();
            let baseline = match stored(suite, (tested, policy), &terms) {
                Ok(baseline) => baseline,
                Err(problem) => {
                    problems.push(NotHeld { scenario, policy: Some(policy.to_owned()), problem });
                    continue;
                }
            };
            match measure(runner, tested, &plan, &[(row, Some(baseline.replications()))]) {
                Ok(ran) => trials.extend(ran),
                Err(failure) if ends_all(&failure) => return Err(ExperimentFailure::Runs(failure)),
                Err(failure) => {
                    failures.push(FailedTrial { policy, scenario: &tested.name, failure });
                    continue;
                }
            }
            plans.push(plan);
            baselines.push(baseline);
        }
    }
    let now: Vec<String> = trials.iter().map(Trial::definition).collect();
    let verdicts = judge(&trials, &baselines, &now, suite.confidence);
    Ok(HeldSuite { trials, baselines, plans, verdicts, problems, failures })
}

/// Runs every policy of a suite, and makes the baseline that it would have now.
///
/// # Errors
/// See [`ExperimentFailure`].
pub fn new_baselines<'a>(
    runner: &Runner<'_>,
    suite: &'a Suite,
) -> Result<Vec<(Trial<'a>, Baseline)>, ExperimentFailure> {
    let mut all = Vec::new();
    for tested in &suite.scenarios {
        let (plan, terms) = planned(runner, tested)?;
        let rows: Vec<_> = tested.policies.iter().map(|&row| (row, None)).collect();
        for trial in measure(runner, tested, &plan, &rows).map_err(ExperimentFailure::Runs)? {
            let baseline = Baseline::of(&terms, trial.definition(), &trial.runs);
            all.push((trial, baseline));
        }
    }
    Ok(all)
}

impl Trial<'_> {
    /// Definition of the policy, as baselines keep it.
    pub fn definition(&self) -> String {
        definition(&self.tested.scenario, &self.policy.name)
    }
}

fn planned(
    runner: &Runner<'_>,
    tested: &Tested,
) -> Result<(RepetitionPlan, Terms), ExperimentFailure> {
    let plan = plan_of(runner, tested)?;
    let terms = terms(tested, &plan).map_err(ExperimentFailure::Problem)?;
    Ok((plan, terms))
}

/// Baselines of policies that the scenario does not have: one was deleted or has another name now, so
/// that nobody holds it to what it did.
fn orphans<'a>(suite: &'a Suite, tested: &'a Tested) -> Vec<NotHeld<'a>> {
    let policies = tested.scenario.policies.iter();
    let known: Vec<_> = policies.map(|policy| suite.baseline_path(tested, &policy.name)).collect();
    let Some(folder) = known.first().and_then(|path| path.parent()) else { return Vec::new() };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter(|path| !known.contains(path))
        .collect();
    paths.sort();
    let orphan = |path: std::path::PathBuf| {
        let policy = path.file_stem().map(|stem| clip(&stem.to_string_lossy()));
        let message = "the scenario has no policy that this is the baseline of";
        let hint = "delete the file if its policy is gone, or rename it with its policy";
        let problem = Problem::with(&path.display().to_string(), message).hint(hint);
        NotHeld { scenario: &tested.name, policy, problem }
    };
    paths.into_iter().map(orphan).collect()
}

/// The stored baseline of a policy, where it is of the same terms.
fn stored(
    suite: &Suite,
    (tested, policy): (&Tested, &str),
    terms: &Terms,
) -> Result<Baseline, Problem> {
    let path = suite.baseline_path(tested, policy);
    let (shown, suite) = (path.display().to_string(), &suite.path);
    if !path.exists() {
        let hint = format!("store it with `windtunnel check {suite} --update`");
        return Err(Problem::with(&shown, "there is no such baseline").hint(hint));
    }
    let anew =
        format!("if that is as intended, `windtunnel check {suite} --update` stores it anew");
    let baseline = Baseline::load(&path).map_err(|problem| problem.hint(&anew))?;
    match baseline.staleness(terms).as_slice() {
        [] => Ok(baseline),
        changes => Err(Baseline::stale(&shown, changes).hint(anew)),
    }
}

/// Whether a failure of one run is a reason to end all of them.
fn ends_all(failure: &RunnerFailure) -> bool {
    match failure {
        RunnerFailure::Cache(_) => false,
        RunnerFailure::Run { failure, .. } => match **failure {
            RunFailure::Law(_)
            | RunFailure::Sim(Failure::Interrupted { .. } | Failure::Illegal { .. }) => true,
            RunFailure::Input(_)
            | RunFailure::Sim(
                Failure::Input(_)
                | Failure::Limit { .. }
                | Failure::Policy { .. }
                | Failure::Loop { .. }
                | Failure::Futile { .. },
            ) => false,
        },
    }
}
