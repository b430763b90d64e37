//! Evaluations of setups: each is looked at once, within a budget of runs.

use std::collections::BTreeMap;

use super::super::measurement::{Course, Measurement};
use super::super::replication::Repetition;
use super::super::runner::{RunRequest, Runner, RunnerFailure};
use super::super::single::RunFailure;
use super::super::space::TraceCache;
use super::SearchFailure;
use super::line::{Levels, SearchSpace, SetupPoint};
use super::scope::VariableScope;
use super::score::{Judge, SetupScore};
use super::variable::Variable;
use crate::halt;
use crate::problem::{Problem, Problems};
use crate::scenario::Scenario;
use crate::sim::Failure;
use crate::units::Time;

/// A setup that was looked at.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// One level per variable; that of the start if it is no setting of the policy.
    pub point: SetupPoint,
    /// Replications that the search saw.
    pub searched: Vec<Measurement>,
    /// Replications that the search never saw; empty for setups that it left behind.
    pub held_out: Vec<Measurement>,
    /// Score by the replications that the search saw.
    pub score: SetupScore,
    /// Row of the objective that binds, by the replications that the search saw.
    pub binding: Option<usize>,
    /// Runs that had been done when it was first looked at, its own included.
    pub after: u32,
}

/// Reason for which the search cannot go on.
#[derive(Debug)]
pub(super) enum SearchStop {
    /// The budget has no room for more.
    Budget,
    /// A run failed, or a scenario is wrong.
    Failure(SearchFailure),
}

/// The setups so far.
pub(super) struct Evaluations<'a> {
    pub(super) runner: &'a Runner<'a>,
    pub(super) base: &'a Scenario,
    pub(super) variables: &'a [Variable],
    pub(super) policy: Option<&'a str>,
    pub(super) scope: &'a VariableScope,
    pub(super) judge: Judge,
    pub(super) repetition: Repetition,
    /// Replications of each setup that the search sees.
    pub(super) replications: u32,
    /// Even replications from one that is seen to the next.
    pub(super) stride: u32,
    /// Runs that the search may take.
    pub(super) most: u32,
    pub(super) used: u32,
    pub(super) candidates: Vec<Candidate>,
    rows: BTreeMap<SetupPoint, usize>,
    axes: Vec<Levels>,
    traces: TraceCache,
}

impl<'a> Evaluations<'a> {
    pub(super) fn new(
        (runner, base): (&'a Runner<'a>, &'a Scenario),
        (variables, policy, scope): (&'a [Variable], Option<&'a str>, &'a VariableScope),
        (judge, repetition): (Judge, Repetition),
        shares: &super::shares::BudgetShares,
    ) -> Self {
        let levels =
            |one: &Variable| Levels { count: one.levels.len(), ordered: one.numbers.is_some() };
        Self {
            runner,
            base,
            variables,
            policy,
            scope,
            judge,
            repetition,
            replications: shares.searched,
            stride: shares.stride,
            most: shares.search_runs,
            used: shares.pilot,
            candidates: Vec::new(),
            rows: BTreeMap::new(),
            axes: variables.iter().map(levels).collect(),
            traces: TraceCache::of(base),
        }
    }

    /// Runs setups that were not looked at yet.
    fn add(&mut self, points: &[SetupPoint]) -> Result<(), SearchStop> {
        let fresh = self.not_looked_at(points.to_vec());
        let cost = fresh.len() as u64 * u64::from(self.replications);
        if u64::from(self.used) + cost > u64::from(self.most) {
            return Err(SearchStop::Budget);
        }
        let wanted: Vec<u32> = (0..self.replications).map(|one| 2 * self.stride * one).collect();
        let all = self.measure(&fresh, &wanted).map_err(SearchStop::Failure)?;
        self.used += cost as u32;
        for (point, searched) in fresh.into_iter().zip(all) {
            let (score, binding) = (self.judge.score(&searched), self.judge.binding(&searched));
            self.rows.insert(point.clone(), self.candidates.len());
            let (held_out, after) = (Vec::new(), self.used);
            self.candidates.push(Candidate { point, searched, held_out, score, binding, after });
        }
        Ok(())
    }

    /// Row of the setup that a point stands for; `None` if it was not looked at.
    pub(super) fn row(&self, point: &SetupPoint) -> Option<usize> {
        self.rows.get(&self.scope.folded(point)).copied()
    }

    /// The setup that a point stands for, where it was looked at.
    pub(super) fn looked_at(&self, point: &SetupPoint) -> Option<&Candidate> {
        self.row(point).map(|row| &self.candidates[row])
    }

    /// The setups that points stand for, each once, without those that were looked at.
    pub(super) fn not_looked_at(&self, points: Vec<SetupPoint>) -> Vec<SetupPoint> {
        let mut fresh: Vec<SetupPoint> = Vec::new();
        for point in points.iter().map(|point| self.scope.folded(point)) {
            if !self.rows.contains_key(&point) && !fresh.contains(&point) {
                fresh.push(point);
            }
        }
        fresh
    }

    /// Runs setups on so many more replications that the search does not see.
    pub(super) fn hold_out(&mut self, rows: &[usize], more: u32) -> Result<(), SearchFailure> {
        for group in by_length(&self.candidates, rows) {
            let from = self.candidates[group[0]].held_out.len() as u32;
            let wanted: Vec<u32> = (from..from + more).map(|one| 2 * one + 1).collect();
            let points: Vec<SetupPoint> =
                group.iter().map(|&row| self.candidates[row].point.clone()).collect();
            let all = self.measure(&points, &wanted)?;
            self.used += (points.len() * wanted.len()) as u32;
            for (row, measured) in group.into_iter().zip(all) {
                self.candidates[row].held_out.extend(measured);
            }
        }
        Ok(())
    }

    /// Every point on the same replications.
    fn measure(
        &mut self,
        points: &[SetupPoint],
        replications: &[u32],
    ) -> Result<Vec<Vec<Measurement>>, SearchFailure> {
        let mut scenarios = Vec::new();
        for point in points {
            scenarios.push(self.scenario(point)?);
        }
        let mut cells = Vec::new();
        for scenario in &scenarios {
            let policy = policy_of(scenario, self.policy)?;
            let repetition = self.repetition;
            let cell = |&replication| RunRequest { scenario, policy, repetition, replication };
            cells.extend(replications.iter().map(cell));
        }
        let measured = self.runner.measure(&cells).map_err(SearchFailure::Runs)?;
        let mut measured = measured.into_iter().map(slim);
        let take = |_: &SetupPoint| measured.by_ref().take(replications.len()).collect();
        Ok(points.iter().map(take).collect())
    }

    /// The scenario at a point, its trace shared with all others.
    pub(super) fn scenario(&mut self, point: &SetupPoint) -> Result<Scenario, SearchFailure> {
        let mut scenario = self.base.edited(&edits(self.variables, point)).map_err(unread)?;
        self.traces.fill(&mut scenario).map_err(|failure| {
            let (policy, failure) = (String::new(), Box::new(failure));
            SearchFailure::Runs(RunnerFailure::Run { policy, seed: scenario.seed, failure })
        })?;
        Ok(scenario)
    }
}

impl SearchSpace for Evaluations<'_> {
    type Halt = SearchStop;

    fn evaluate(&mut self, points: &[SetupPoint]) -> Result<Vec<SetupScore>, SearchStop> {
        let points: Vec<SetupPoint> = points.iter().map(|point| self.scope.folded(point)).collect();
        self.add(&points)?;
        Ok(points.iter().map(|point| self.candidates[self.rows[point]].score).collect())
    }

    fn axes(&self) -> &[Levels] {
        &self.axes
    }
}

/// Failure to read a scenario: readers give up in the middle where the process is to end, which is
/// no problem of the scenario.
fn unread(problems: Problems) -> SearchFailure {
    if !halt::asked() {
        return SearchFailure::Problems(problems);
    }
    let failure = Box::new(RunFailure::Sim(Failure::Interrupted { at: Time::ZERO }));
    SearchFailure::Runs(RunnerFailure::Run { policy: String::new(), seed: 0, failure })
}

/// The edits of the scenario that lead to a point.
pub(super) fn edits(variables: &[Variable], point: &SetupPoint) -> Vec<(String, String)> {
    let edit = |(variable, &level): (&Variable, &usize)| {
        (variable.key.clone(), variable.levels[level].clone())
    };
    variables.iter().zip(point).map(edit).collect()
}

/// The policy that is planned for: the one named, or the scenario's baseline.
pub(super) fn policy_of<'s>(
    scenario: &'s Scenario,
    name: Option<&str>,
) -> Result<&'s crate::policy::spec::PolicySpec, SearchFailure> {
    let policy = match name {
        None => scenario.policies.get(scenario.baseline),
        Some(name) => scenario.policies.iter().find(|policy| policy.name == name),
    };
    policy.ok_or_else(|| {
        let message = match name {
            None => format!("there is no policy in row {}", scenario.baseline),
            Some(name) => format!("there is no policy called `{name}`"),
        };
        SearchFailure::Problems(Problem::with(&scenario.path, message).into())
    })
}

/// Drops the values that a plan does not show: thousands of measurements are kept.
fn slim(one: Measurement) -> Measurement {
    let (waits_by_tenant, waits_by_class, moved) = Default::default();
    let (fates, course, hours) = (None, Course::default(), Vec::new());
    let spending = Vec::new();
    Measurement { fates, course, hours, waits_by_tenant, waits_by_class, moved, spending, ..one }
}

/// Rows with as many held-out replications as each other.
fn by_length(candidates: &[Candidate], rows: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &row in rows {
        groups.entry(candidates[row].held_out.len()).or_default().push(row);
    }
    groups.into_values().collect()
}
