//! The cheapest setup: what was looked at, and the answer in words.

mod data;
mod document;
mod findings;
mod progress;
mod table;

pub use progress::search_progress;

use super::figure::{clean, figure};
use super::recipe::Recipe;
use crate::experiment::search::{Candidate, Found, SetupPoint, SetupVerdict};
use crate::experiment::statistics::Interval;
use crate::experiment::sweep::is_number;
use crate::experiment::{Measurement, Repetition, mean_interval};
use crate::metrics::{METRICS, Metric};
use crate::scenario::BoundDirection;
use crate::units::Span;

#[cfg(test)]
pub(super) use data::COLUMNS;

/// A plan, as a reader sees it.
#[derive(Clone, Copy, Debug)]
pub struct PlanReport<'a> {
    /// Inputs that made it.
    pub recipe: &'a Recipe,
    /// Result of the search.
    pub found: &'a Found,
    /// Assumptions that were made.
    pub assumptions: &'a [String],
    /// Further cautions to say beside the answer.
    pub cautions: &'a [String],
}

/// Width of a window that is called a week.
const WEEK: Span = Span::from_secs(7 * 86_400);

impl PlanReport<'_> {
    /// Metric that is made small.
    pub(super) fn goal(&self) -> &'static Metric {
        &METRICS[self.found.task.goal]
    }

    /// Word for the replications, in the plural: `weeks`.
    pub(super) fn replications(&self) -> String {
        replications_of(self.found.repetition)
    }

    /// Words for the period that the cost of one replication is of: `a week`.
    pub(super) fn period(&self) -> String {
        match self.found.repetition {
            Repetition::Windows { width: WEEK, .. } => "a week".to_owned(),
            Repetition::Windows { width, .. } => format!("in {width}"),
            Repetition::Seeds { .. } | Repetition::Blocks { .. } => "a run".to_owned(),
        }
    }

    /// A promise in words: `wait, p95 <= 2 h`.
    pub(super) fn promise(&self, row: usize) -> String {
        let objective = &self.found.objectives[row];
        format!("{} {}", self.promised(row).label, objective.text)
    }

    /// The metric of a promise.
    pub(super) fn promised(&self, row: usize) -> &'static Metric {
        let key = self.found.objectives[row].metric.key;
        Metric::named(key).expect("objectives are metrics")
    }

    /// A setup in words, fit to be shown: `burst with dc1.nodes = 9, after_wait = 90 min`.
    pub(super) fn setup(&self, candidate: &Candidate) -> String {
        self.setup_at(&candidate.point)
    }

    /// The same of a setup that may not have been looked at.
    pub(super) fn setup_at(&self, point: &SetupPoint) -> String {
        let (mut policy, mut settings) = (None, Vec::new());
        for (variable, level) in self.found.levels(point) {
            match level {
                Some(level) if variable.key == "baseline" => policy = Some(level.to_owned()),
                Some(level) => settings.push(format!("{} = {level}", self.short(&variable.key))),
                None => {}
            }
        }
        let settings = settings.join(", ");
        clean(&match policy {
            Some(policy) if settings.is_empty() => policy,
            Some(policy) => format!("{policy} with {settings}"),
            None => settings,
        })
    }

    /// The end of a key that no other variable has, and that begins with no number of a list; all that follows the name of a cluster or cloud,
    /// with that name.
    pub(super) fn short(&self, key: &str) -> String {
        let others = || self.found.task.variables.iter().filter(|one| one.key != key);
        let parts: Vec<&str> = key.split('.').collect();
        let least = match parts[0] {
            "policy" => 1,
            "cluster" | "cloud" => parts.len() - 1,
            _ => 2,
        };
        let mut ends =
            (0..=parts.len().saturating_sub(least)).rev().map(|from| parts[from..].join("."));
        let own = |end: &String| {
            !end.split('.').next().is_some_and(is_number)
                && !others().any(|one| one.key.ends_with(end.as_str()))
        };
        ends.find(own).unwrap_or_else(|| key.to_owned())
    }

    /// Held-out replications that the verdict rests on, the same for all
    /// finalists, and all that is shown of them. The choice of the cheapest may have
    /// taken more of some, which decide between those and are in no number.
    pub(super) fn judged<'c>(&self, candidate: &'c Candidate) -> &'c [Measurement] {
        let all = &candidate.held_out;
        &all[..all.len().min(self.found.held_out as usize)]
    }

    /// The interval of a metric over some replications; `None` if one shows nothing.
    pub(super) fn interval(&self, metric: &Metric, all: &[Measurement]) -> Option<Interval> {
        let values: Option<Vec<f64>> = all.iter().map(|one| one.metric(metric.key)).collect();
        mean_interval(metric, &values?, self.found.task.confidence)
    }

    /// The values that a promise is held to over some replications; `None` if one shows nothing.
    fn promised_values(&self, row: usize, all: &[Measurement]) -> Option<Vec<f64>> {
        let objective = &self.found.objectives[row];
        let values = all.iter().map(|one| one.promised(row, objective));
        values.collect::<Option<Vec<f64>>>().filter(|values| !values.is_empty())
    }

    /// The interval of what a promise is held to over some replications; `None` if one shows
    /// nothing.
    pub(super) fn promised_interval(&self, row: usize, all: &[Measurement]) -> Option<Interval> {
        let values = self.promised_values(row, all)?;
        mean_interval(self.promised(row), &values, self.found.task.confidence)
    }

    /// The mean of the same.
    pub(super) fn promised_mean(&self, row: usize, all: &[Measurement]) -> Option<f64> {
        let values = self.promised_values(row, all)?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }

    /// The mean of a metric over some replications; `None` if one shows nothing.
    pub(super) fn mean(&self, metric: &Metric, all: &[Measurement]) -> Option<f64> {
        let values: Option<Vec<f64>> = all.iter().map(|one| one.metric(metric.key)).collect();
        let values = values.filter(|values| !values.is_empty())?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Interval of a setup's monthly cost, where cost is what is made small.
    pub(super) fn monthly(&self, all: &[Measurement]) -> Option<Interval> {
        let is_cost = ["cost_total", "cost_monthly"].contains(&self.goal().key);
        let month = Metric::named("cost_monthly").filter(|_| is_cost)?;
        self.interval(month, all)
    }

    /// Replications in which a setup kept all promises, of how many.
    pub(super) fn kept_in(&self, all: &[Measurement]) -> (usize, usize) {
        let kept = all.iter().filter(|one| one.kept.iter().all(|&kept| kept)).count();
        (kept, all.len())
    }

    /// Rows of the finalists by their goal, the cheapest first.
    pub(super) fn ranked(&self) -> Vec<usize> {
        let goal =
            |row: &usize| self.found.finalists[*row].goal.map_or(f64::INFINITY, |goal| goal.mean);
        let mut rows: Vec<usize> = (0..self.found.finalists.len()).collect();
        rows.sort_by(|a, b| goal(a).total_cmp(&goal(b)).then(a.cmp(b)));
        rows
    }

    /// The verdict on a candidate, if it was judged.
    pub(super) fn verdict(&self, candidate: usize) -> Option<SetupVerdict> {
        let finalist = self.found.finalists.iter().find(|one| one.candidate == candidate)?;
        Some(finalist.verdict)
    }

    /// A bound in words: `at most 2 h`.
    pub(in crate::report) fn bound(&self, row: usize) -> String {
        let objective = &self.found.objectives[row];
        let side = match objective.comparison {
            BoundDirection::AtMost => "at most",
            BoundDirection::AtLeast => "at least",
        };
        let bound = figure(self.promised(row).unit, Some(objective.bound));
        format!("{side} {bound}{}", objective.in_windows())
    }
}

/// Word for replications, in the plural.
fn replications_of(repetition: Repetition) -> String {
    match repetition {
        Repetition::Windows { width: WEEK, .. } => "weeks".to_owned(),
        Repetition::Windows { width, .. } => format!("windows of {width}"),
        Repetition::Seeds { .. } => "seeds".to_owned(),
        Repetition::Blocks { .. } => "traces put together anew".to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests;
