//! `summary.json`: all that is said of one run.

pub(super) mod breakdown;
pub(super) mod document;
pub(super) mod tables;

use std::io;

use serde::Serialize;

use super::alerts::AlertReport;
use super::bill::SettledBill;
use super::budgets::BudgetReport;
use super::chargeback::ChargebackReport;
use super::days::DailyTable;
use super::recipe::Recipe;
use super::words::write_json;
use crate::experiment::{CautionedRun, Facts, RunResult, cautions, unestimated};
use crate::metrics::{Metric, Summary, WindowValue};
use crate::policy::spec::PolicySpec;
use crate::problem::Problem;
use crate::scenario::{BoundDirection, Objective, ObjectiveWindow, Scenario, not_modelled};
use crate::units::Calendar;
use crate::units::rounding::at_most;
use crate::workload::RowNotes;

/// Side of its bound on which a value must lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum BoundSide {
    /// At least the bound.
    #[serde(rename = "at least")]
    AtLeast,
    /// At most the bound.
    #[serde(rename = "at most")]
    AtMost,
}

impl BoundSide {
    /// Distance of `value` from `bound`: positive on this side, negative on the other one.
    fn margin(self, value: f64, bound: f64) -> f64 {
        match self {
            Self::AtLeast => value - bound,
            Self::AtMost => bound - value,
        }
    }

    /// Whether `value` is on this side of `bound`, or differs from it by rounding.
    fn keeps(self, value: f64, bound: f64) -> bool {
        match self {
            Self::AtLeast => at_most(bound, value),
            Self::AtMost => at_most(value, bound),
        }
    }
}

/// A promise of the scenario, and whether the run kept it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObjectiveResult {
    /// Key of the metric.
    pub metric: String,
    /// Words for the metric.
    pub label: String,
    /// Unit of the metric.
    pub unit: String,
    /// The bound as the scenario writes it: `<= 2 h`.
    pub text: String,
    /// Side of the bound on which the value must lie.
    pub side: BoundSide,
    /// The bound in the unit.
    pub bound: f64,
    /// The value in the unit; `None` if the run has nothing to show.
    pub value: Option<f64>,
    /// Distance of the value from the bound: positive on the right side, negative on the wrong
    /// one.
    pub margin: Option<f64>,
    /// The same as a share of the bound; `None` where that is 0.
    pub margin_share: Option<f64>,
    /// How the windows kept it, if it is of windows.
    pub windows: Option<ObjectiveWindows>,
    /// Whether the promise was kept. Without a value it was not.
    pub met: bool,
}

impl ObjectiveResult {
    /// The promises of a scenario, held against a run.
    pub fn all(scenario: &Scenario, result: &RunResult) -> Vec<Self> {
        let check = |(at, objective): (usize, &Objective)| {
            let side = match objective.comparison {
                BoundDirection::AtLeast => BoundSide::AtLeast,
                BoundDirection::AtMost => BoundSide::AtMost,
            };
            let key = objective.metric.key;
            let held = Self::held(key, side, objective.bound, &objective.text, result.promised[at]);
            let windows = objective.window.map(|window| {
                ObjectiveWindows::of(window, (side, objective.bound), &result.windows[at])
            });
            Self { windows, ..held }
        };
        scenario.objectives.iter().enumerate().map(check).collect()
    }

    /// Holds `summary` to a bound on the metric called `key`.
    pub fn check(key: &str, side: BoundSide, bound: f64, text: &str, summary: &Summary) -> Self {
        let value = Metric::named(key).and_then(|metric| (metric.of)(summary));
        Self::held(key, side, bound, text, value.filter(|value| !value.is_nan()))
    }

    /// Holds a value of the metric called `key` to a bound.
    fn held(key: &str, side: BoundSide, bound: f64, text: &str, value: Option<f64>) -> Self {
        let metric = Metric::named(key);
        let margin = value.map(|value| side.margin(value, bound));
        Self {
            metric: key.to_owned(),
            label: metric.map_or(key, |metric| metric.label).to_owned(),
            unit: metric.map_or("", |metric| metric.unit).to_owned(),
            text: text.to_owned(),
            side,
            bound,
            value,
            margin,
            margin_share: margin.filter(|_| bound != 0.0).map(|margin| margin / bound.abs()),
            windows: None,
            met: value.is_some_and(|value| side.keeps(value, bound)),
        }
    }

    /// Whether `value` keeps the promise.
    pub(super) fn keeps(&self, value: f64) -> bool {
        self.side.keeps(value, self.bound)
    }
}

/// How the windows of a run kept a bound.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObjectiveWindows {
    /// Length of a window, in seconds.
    pub width_s: f64,
    /// Share of the windows that must keep the bound.
    pub share: f64,
    /// Windows with something to measure.
    pub count: u64,
    /// Windows that kept the bound.
    pub kept: u64,
    /// Start of the worst, in seconds since the run's start.
    pub worst_from_s: Option<f64>,
    /// Its value.
    pub worst: Option<f64>,
    /// All windows, for charts.
    #[serde(skip)]
    pub values: Vec<WindowValue>,
}

impl ObjectiveWindows {
    fn of(
        window: ObjectiveWindow,
        (side, bound): (BoundSide, f64),
        values: &[WindowValue],
    ) -> Self {
        let kept = values.iter().filter(|window| side.keeps(window.value, bound)).count();
        let worse = |a: &&WindowValue, b: &&WindowValue| {
            // The first of equals.
            let of = |one: &WindowValue| side.margin(one.value, bound);
            of(a).total_cmp(&of(b)).then(a.from.cmp(&b.from))
        };
        let worst = values.iter().min_by(worse);
        Self {
            width_s: window.width.secs_f64(),
            share: window.share,
            count: values.len() as u64,
            kept: kept as u64,
            worst_from_s: worst.map(|worst| worst.from.secs_f64()),
            worst: worst.map(|worst| worst.value),
            values: values.to_vec(),
        }
    }
}

/// Report of one run, with all that is said of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunReport {
    /// Inputs that made it.
    pub recipe: Recipe,
    /// Summary of the run.
    pub summary: Summary,
    /// Results of the objectives.
    pub objectives: Vec<ObjectiveResult>,
    /// Alerts by rule, and one by one as far as they are kept.
    pub alerts: AlertReport,
    /// The budgets.
    pub budgets: Vec<BudgetReport>,
    /// Dates of the run.
    #[serde(skip)]
    pub calendar: Calendar,
    /// Assumptions that were made: defaults, converted rates, discounts not applied.
    pub assumptions: Vec<String>,
    /// Cautions to say beside the numbers.
    pub cautions: Vec<String>,
    /// Hash over the records of the run.
    pub fingerprint: String,
    /// Cost by day, where charges were cut; `days.csv` has it.
    #[serde(skip)]
    pub daily: Option<DailyTable>,
    /// The bill on the terms of the scenario, where it says any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill: Option<SettledBill>,
    /// Who has to pay what, where the run is counted from its beginning; `chargeback.csv` has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chargeback: Option<ChargebackReport>,
    /// Malformed rows of the workload that were left out.
    pub skipped_rows: u64,
    /// Well-formed rows of the workload that became no work.
    pub dropped_rows: u64,
    /// Counts of the dropped rows by reason, and of rows with assumptions.
    pub row_notes: RowNotes,
}

impl RunReport {
    /// Report on a run that is told beside others.
    ///
    /// # Errors
    /// An input file that cannot be read.
    pub fn of(
        scenario: &Scenario,
        policy: &PolicySpec,
        result: &RunResult,
    ) -> Result<Self, Problem> {
        let row = row_of(scenario, policy);
        let mut assumptions = scenario.assumed(&[row]);
        let facts = Facts::of(scenario, policy, result);
        assumptions.extend(unestimated(&facts, policy));
        let run = CautionedRun { name: &policy.name, scenario, policy, facts: &facts };
        Ok(Self {
            recipe: Recipe::of(scenario, &policy.name)?,
            summary: result.summary.clone(),
            objectives: ObjectiveResult::all(scenario, result),
            alerts: AlertReport::of(&scenario.alerts, result),
            budgets: BudgetReport::all(&scenario.world, result),
            calendar: scenario.calendar,
            assumptions,
            cautions: cautions(&[run]),
            fingerprint: result.fingerprint.clone(),
            daily: None,
            bill: result.bill.as_ref().map(|run| SettledBill::new(&run.bill, &run.biller)),
            chargeback: result.chargeback.clone().map(ChargebackReport),
            skipped_rows: result.skipped_rows,
            dropped_rows: result.notes.left_out(),
            row_notes: result.notes,
        })
    }

    /// Report on a run that is told alone, with the effects that its scenario does not model.
    ///
    /// # Errors
    /// As [`RunReport::of`].
    pub fn alone(
        scenario: &Scenario,
        policy: &PolicySpec,
        result: &RunResult,
    ) -> Result<Self, Problem> {
        let mut report = Self::of(scenario, policy, result)?;
        let unmodelled = scenario.unmodelled(&[row_of(scenario, policy)]);
        if let Some(unmodelled) = not_modelled(unmodelled) {
            report.assumptions.insert(0, unmodelled);
        }
        Ok(report)
    }

    /// Writes `summary.json`: keys in a stable order, a newline at the end.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        write_json(self, out)
    }

    /// Number of promises that were kept, and of all.
    pub fn kept(&self) -> (usize, usize) {
        (self.objectives.iter().filter(|objective| objective.met).count(), self.objectives.len())
    }
}

fn row_of(scenario: &Scenario, policy: &PolicySpec) -> usize {
    scenario.policies.iter().position(|known| known.name == policy.name).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_positive_on_the_right_side() {
        let mut summary = Summary { makespan_s: 50.0, ..Summary::default() };
        let check = |side, bound, summary: &Summary| {
            let result = ObjectiveResult::check("makespan", side, bound, "", summary);
            (result.margin, result.met)
        };
        assert_eq!(check(BoundSide::AtMost, 60.0, &summary), (Some(10.0), true));
        assert_eq!(check(BoundSide::AtMost, 50.0, &summary), (Some(0.0), true));
        assert_eq!(check(BoundSide::AtLeast, 60.0, &summary), (Some(-10.0), false));
        summary.makespan_s = f64::NAN;
        assert_eq!(check(BoundSide::AtMost, 60.0, &summary), (None, false));
        let unmeasured =
            ObjectiveResult::check("wait_p95", BoundSide::AtMost, 1.0, "<= 1 s", &summary);
        assert!(!unmeasured.met);
    }
}
