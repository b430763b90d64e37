//! Differences between replications, and the shares of the budget for searching and for judging.

use super::super::compare::{self, Arm, Asked, ExperimentFailure};
use super::super::replication::Repetition;
use super::super::runner::{RunRequest, Runner, RunnerFailure, is_drawn, share_inputs};
use super::super::statistics::promise;
use super::score::Keeping;
use super::shortlist::{OF_FINALISTS, SetupVerdict, part_of_next};
use super::variable::Variable;
use super::{SearchFailure, Task};
use crate::policy::spec::PolicySpec;
use crate::problem::Problem;
use crate::scenario::Scenario;
use crate::units::Span;

/// Replications of each setup that the search sees.
const SEARCHED: u32 = 5;
/// Replications of each finalist that the search does not see.
const HELD_OUT: u32 = 20;
/// Setups that are judged.
const FINALISTS: u32 = 5;
/// Steps that a large budget allows for though nothing is shown of them.
const STEPS_NOT_SHOWN: usize = 2;
/// Fewest windows that are shared between searching and judging.
const FEWEST_WINDOWS: u32 = 8;
/// Most windows that are held out without being asked for.
const MOST_WINDOWS: u32 = 30;
/// Repetition of the scenario, and the most replications that there can be.
pub(super) fn plan(
    runner: &Runner<'_>,
    scenario: &Scenario,
    policy: &PolicySpec,
    asked: Asked,
) -> Result<compare::RepetitionPlan, SearchFailure> {
    let mut scenario = scenario.clone();
    share_inputs(&mut scenario).map_err(|failure| {
        let run = RunnerFailure::Run {
            policy: policy.name.clone(),
            seed: scenario.seed,
            failure: Box::new(failure),
        };
        SearchFailure::Runs(run)
    })?;
    let side = Arm { name: &policy.name, scenario: &scenario, policy };
    let every = Asked { replications: Some(u32::MAX), ..asked };
    let found = compare::plan(runner, &[side], every).map_err(|failure| match failure {
        ExperimentFailure::Problem(problem) => SearchFailure::Problems(problem.into()),
        ExperimentFailure::Runs(failure) => SearchFailure::Runs(failure),
    })?;
    let windows = matches!(found.repetition, Repetition::Windows { .. });
    if !windows || found.replications >= FEWEST_WINDOWS {
        return Ok(found);
    }
    if asked.window.is_some() {
        let message = format!("the trace has {} such windows", found.replications);
        let hint = format!(
            "give a shorter `--window`: half of the windows are held out, and at least {FEWEST_WINDOWS} are needed"
        );
        return Err(SearchFailure::Problems(
            Problem::with(&scenario.path, message).hint(hint).into(),
        ));
    }
    let repetition = Repetition::Seeds { warm_up: asked.warm_up.unwrap_or(Span::ZERO) };
    Ok(compare::RepetitionPlan { repetition, replications: u32::MAX })
}

/// Whether nothing is random at the first setup, under each policy that may be chosen; `None` if
/// chance is known to have a part.
pub(super) fn is_still(
    runner: &Runner<'_>,
    task: &Task,
    scenario: &Scenario,
    plan: compare::RepetitionPlan,
) -> Result<Option<bool>, SearchFailure> {
    let keys = task.variables.iter().map(|one| one.key.as_str());
    if is_drawn(scenario, keys) || !matches!(plan.repetition, Repetition::Seeds { .. }) {
        return Ok(None);
    }
    let repetition = plan.repetition;
    let policies = task.policies(scenario);
    let cells = policies.iter().flat_map(|&policy| {
        [0, 1].map(|replication| RunRequest { scenario, policy, repetition, replication })
    });
    let runs = runner.measure(&cells.collect::<Vec<_>>()).map_err(SearchFailure::Runs)?;
    Ok(Some(runs.chunks(2).all(|two| two[0].fingerprint == two[1].fingerprint)))
}

/// Shares of the budget for searching and for judging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BudgetShares {
    /// Runs that were done before.
    pub(super) pilot: u32,
    /// Replications of each setup that the search sees.
    pub(super) searched: u32,
    /// Even replications from one that is seen to the next.
    pub(super) stride: u32,
    /// Runs until the search ends.
    pub(super) search_runs: u32,
    /// Setups that are judged.
    pub(super) finalists: u32,
    /// Held-out replications of each of these.
    pub(super) held_out: u32,
    /// Held-out replications that there can be.
    pub(super) held_out_most: u32,
}

impl BudgetShares {
    pub(super) fn of(
        task: &Task,
        scenario: &Scenario,
        plan: compare::RepetitionPlan,
        still: Option<bool>,
    ) -> Result<Self, SearchFailure> {
        let even = plan.replications.div_ceil(2);
        let held_out_most = plan.replications / 2;
        let windows = matches!(plan.repetition, Repetition::Windows { .. });
        let fewest = task.fewest();
        let usual = if windows { held_out_most.min(MOST_WINDOWS) } else { task.usual(fewest) };
        let wanted = task.asked.replications.or(scenario.replications).unwrap_or(usual);
        if wanted.min(held_out_most) < fewest && still != Some(true) {
            let found = wanted.min(held_out_most);
            let message = format!("{found} held-out replications cannot show what is asked");
            let hint = format!(
                "it takes {fewest} if all keep the objectives; ask for less with `--kept-in` or `--confidence`"
            );
            return Err(SearchFailure::Problems(Problem::with("plan", message).hint(hint).into()));
        }
        let (searched, held_out) = match still {
            Some(true) => (1, 2),
            _ => (SEARCHED.min(even), wanted.max(2).min(held_out_most)),
        };
        let pilot = if still.is_some() { 2 * task.policies(scenario).len() as u32 } else { 0 };
        // A line is looked at in three places at least, and one step further.
        let looks = |one: &Variable| match one.numbers {
            Some(_) => one.levels.len().min(4) as u32,
            None => one.levels.len() as u32,
        };
        let looks: u32 = task.variables.iter().map(looks).sum();
        let least =
            looks.saturating_mul(searched).saturating_add(held_out.saturating_mul(2)) + pilot;
        if task.budget < least {
            let message = format!("a budget of {} runs is too small", task.budget);
            let hint = format!(
                "it takes {least} at least: {looks} setups with {searched} runs each to search, and two \
                 of them with {held_out} held-out runs each to judge"
            );
            return Err(SearchFailure::Problems(Problem::with("plan", message).hint(hint).into()));
        }
        let left = task.budget - pilot - looks * searched;
        let finalists = (left / held_out / 2).clamp(2, FINALISTS);
        let search_runs = task.budget - finalists * held_out;
        let stride = if windows { (even / searched).max(1) } else { 1 };
        Ok(Self { pilot, searched, stride, search_runs, finalists, held_out, held_out_most })
    }
}

impl Task {
    /// The policies that may be chosen.
    fn policies<'s>(&self, scenario: &'s Scenario) -> Vec<&'s PolicySpec> {
        let varied = self.variables.iter().find(|one| one.key == "baseline");
        let baseline = &scenario.policies[scenario.baseline].name;
        let names = match (&self.policy, varied) {
            (Some(name), _) => std::slice::from_ref(name),
            (None, Some(varied)) => &varied.levels[..],
            (None, None) => std::slice::from_ref(baseline),
        };
        let all = scenario.policies.iter();
        all.filter(|policy| names.contains(&policy.name)).collect()
    }

    /// The fewest held-out replications that can show a share of them to keep
    /// all promises, with all finalists judged at once; 2 for means.
    pub(super) fn fewest(&self) -> u32 {
        self.fewest_for(OF_FINALISTS / f64::from(FINALISTS))
    }

    /// The fewest held-out replications that can show it with this part of the allowed error.
    pub(super) fn fewest_for(&self, part: f64) -> u32 {
        match self.keeping {
            Keeping::OnAverage => 2,
            Keeping::InShare(share) => {
                promise::fewest(share, (1.0 - self.confidence) * part) as u32
            }
        }
    }

    /// Held-out replications if nobody says how many: enough for several steps that show nothing,
    /// if half of the budget has room for all finalists with so many.
    fn usual(&self, fewest: u32) -> u32 {
        let further = part_of_next([SetupVerdict::NotShown; STEPS_NOT_SHOWN].into_iter());
        let ample = self.fewest_for(further);
        let has_room = u64::from(ample) * u64::from(FINALISTS) * 2 <= u64::from(self.budget);
        HELD_OUT.max(if has_room { ample } else { fewest })
    }
}
