//! Policies side by side, against a baseline.

mod between;
mod breakdown;
mod data;
mod document;
mod effects;
mod findings;
mod money;
mod other;
mod results;
mod sure;

use super::backtest::Calibrated;
use super::figure::{
    change, decimals, difference, difference_beside, figure, half_width, money_difference,
};
use super::run::{ObjectiveResult, RunReport};
use crate::experiment::{self, Arm, Decision, FullRun, HALF_A_CENT, JUDGED};
use crate::metrics::{Histogram, METRICS, Metric, Series, Summary};
use crate::units::Money;

/// Result of one policy.
#[derive(Clone, Copy, Debug)]
pub struct PolicyResult<'a> {
    /// Name of the policy as the scenario gives it.
    pub name: &'a str,
    /// Summary of the run.
    pub summary: &'a Summary,
    /// Series over time.
    pub series: &'a Series,
    /// Waits in microseconds.
    pub waits: &'a Histogram,
    /// Results of the objectives.
    pub objectives: &'a [ObjectiveResult],
}

impl<'a> PolicyResult<'a> {
    /// Part of `exhibit` that is shown of one side of a comparison.
    pub fn of(side: &Arm<'a>, exhibit: &'a FullRun, objectives: &'a [ObjectiveResult]) -> Self {
        let result = &exhibit.result;
        let (summary, series, waits) = (&result.summary, &result.series, &result.waits);
        Self { name: side.name, summary, series, waits, objectives }
    }
}

/// Policies over the same work, as a reader sees them.
#[derive(Clone, Debug)]
pub struct ComparisonReport<'a> {
    /// Question that the scenario asks, if it says so.
    pub question: Option<&'a str>,
    /// Measurements of all replications, and how they were judged.
    pub many: &'a experiment::Comparison,
    /// Decision that follows from it, where something was decided.
    pub decision: Option<&'a Decision>,
    /// The first replication of each policy, in the order of `many`.
    pub rows: Vec<PolicyResult<'a>>,
    /// The same as reports of their own; empty if nobody asked for them.
    pub reports: &'a [RunReport],
    /// Differences between the scenarios, where there are two.
    pub between: Option<&'a Between>,
    /// Calibration: how far the model was from what was observed; `None` if there was no backtest.
    pub calibration: Option<&'a Calibrated>,
    /// Further cautions to say beside the answer.
    pub cautions: Vec<String>,
}

pub use between::Between;
#[cfg(test)]
pub(super) use breakdown::COLUMNS as BREAKDOWN_COLUMNS;
#[cfg(test)]
pub(super) use data::COLUMNS;
#[cfg(test)]
pub(super) use effects::COLUMNS as EFFECT_COLUMNS;
pub use results::ComparisonResults;

impl ComparisonReport<'_> {
    /// The row that the others are compared with.
    pub fn baseline(&self) -> usize {
        self.many.baseline
    }

    /// Whether intervals can be given: there was chance, and more than one
    /// replication to see it.
    pub fn is_judged(&self) -> bool {
        self.many.is_judged()
    }

    /// The metrics of the opening table: those that any policy shows, cost per
    /// useful hour first where costs cannot be set against each other.
    pub fn metrics(&self) -> Vec<&'static Metric> {
        let shows = |metric: &&Metric| {
            let values = self.many.policies.iter().flat_map(|policy| &policy.measurements);
            values.filter_map(|one| one.metric(metric.key)).any(|value| value != 0.0)
        };
        let judged = JUDGED.into_iter().filter_map(Metric::named);
        let mut metrics: Vec<_> = judged.filter(shows).collect();
        if !self.many.comparable() {
            metrics.sort_by_key(|metric| !metric.key.ends_with("_hour"));
        }
        metrics
    }

    /// The difference of a row to the baseline, in a few words: of shares in percentage
    /// points, of all else as a share of the baseline, or its size where that is nothing.
    pub fn change(&self, metric: &Metric, row: usize) -> String {
        if self.is_incomparable(metric, row) {
            return "not comparable".to_owned();
        }
        let Some(contrast) = self.many.contrast(row, metric.key) else { return String::new() };
        match (metric.unit, change(contrast.mean, contrast.base)) {
            ("share", _) => difference(metric.unit, contrast.difference()),
            (_, share) if share.is_empty() => difference(metric.unit, contrast.difference()),
            (_, share) => share,
        }
    }

    /// The difference of a row to the baseline with its interval, in words;
    /// empty for the baseline itself and where either has nothing to show.
    pub fn difference(&self, metric: &Metric, row: usize) -> String {
        let words = format!("{} {}", self.amount(metric, row), self.spread(metric, row));
        let words = words.trim_end();
        match self.many.contrast(row, metric.key) {
            Some(contrast) if matches!(metric.unit, "USD" | "s") => {
                join(words, &change(contrast.base + contrast.difference(), contrast.base))
            }
            _ => words.to_owned(),
        }
    }

    /// The same without its share of the baseline and its interval.
    pub(super) fn amount(&self, metric: &Metric, row: usize) -> String {
        if self.is_incomparable(metric, row) {
            return "not comparable".to_owned();
        }
        let Some(contrast) = self.many.contrast(row, metric.key) else { return String::new() };
        match (metric.key, self.many.replications) {
            ("cost_total", 1) => money_difference(self.cost(row) - self.cost(self.many.baseline)),
            _ => difference_beside(
                metric.unit,
                whole(metric, contrast.difference()),
                contrast.base.max(contrast.mean),
            ),
        }
    }

    /// Half of the width of the interval of a difference, in words; empty where it has none.
    pub(super) fn spread(&self, metric: &Metric, row: usize) -> String {
        let contrast = self.many.contrast(row, metric.key).filter(|_| self.is_judged());
        let paired = contrast.and_then(|contrast| contrast.paired);
        let width = paired.map_or(0.0, |paired| whole(metric, paired.interval.half_width));
        match width > 0.0 {
            true => half_width(metric.unit, width, contrast.map_or(0.0, |one| one.base)),
            false => String::new(),
        }
    }

    /// The cost of the first replication.
    fn cost(&self, row: usize) -> Money {
        Money::from_nanos(self.many.policies[row].measurements[0].cost)
    }

    /// Whether the row is of a scenario whose work is not the baseline's.
    fn is_of_other_work(&self, row: usize) -> bool {
        let name = &self.many.policies[row].name;
        self.between.is_some_and(|between| {
            !between.same_work && name.starts_with(&format!("{}: ", between.names[1]))
        })
    }

    /// Whether the costs of the row and of the baseline are of different work.
    pub(super) fn is_incomparable(&self, metric: &Metric, row: usize) -> bool {
        metric.is_of_same_work && !self.many.policies[row].comparable
    }

    /// Whether a row is better (`Some(true)`) or worse than the baseline: as
    /// far as it is shown where there was chance, else by the difference.
    pub fn tone(&self, metric: &Metric, row: usize) -> Option<bool> {
        if self.is_of_other_work(row) {
            return None;
        }
        let contrast = self.many.contrast(row, metric.key)?;
        match (self.is_judged(), contrast.verdict) {
            (true, None) => None,
            _ => self.many.shown(row, metric.key),
        }
    }

    /// The verdict in words; empty where there is nothing to judge.
    pub fn verdict(&self, metric: &Metric, row: usize) -> &'static str {
        if row == self.many.baseline {
            return "baseline";
        }
        if self.is_incomparable(metric, row) {
            return "not comparable";
        }
        if self.is_of_other_work(row) {
            return "other work";
        }
        let Some(contrast) = self.many.contrast(row, metric.key) else { return "" };
        match (self.is_judged(), contrast.verdict, self.tone(metric, row)) {
            (true, Some(verdict), _) => verdict.words(),
            (true, None, _) => "",
            (false, _, Some(true)) => "better",
            (false, _, Some(false)) => "worse",
            (false, ..) if contrast.difference() == 0.0 || metric.key == "cost_monthly" => "same",
            (false, ..) => "",
        }
    }

    /// The mean of one metric of one row, in words; exact where there is one replication.
    pub fn figure(&self, metric: &Metric, row: usize) -> String {
        if metric.key == "cost_total" && self.many.replications == 1 {
            return self.cost(row).to_string();
        }
        figure(metric.unit, self.mean(metric, row))
    }

    /// Whether the mean of a policy keeps the objective in row `at`; `None` if it shows nothing.
    pub(super) fn keeps(&self, row: usize, at: usize) -> Option<bool> {
        let objective = &self.rows[0].objectives[at];
        let mean = match objective.windows {
            None => self.mean(Metric::named(&objective.metric)?, row),
            Some(_) => {
                let all = self.many.policies[row].measurements.iter();
                let values = all.filter_map(|one| one.promised.get(at).copied().flatten());
                let values: Vec<f64> = values.collect();
                (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
            }
        };
        Some(objective.keeps(mean?))
    }

    /// The policies whose means do not keep all objectives.
    pub fn breakers(&self) -> Vec<&str> {
        let promises = self.rows.first().map_or(&[][..], |row| row.objectives);
        let keeps = |row: usize| (0..promises.len()).all(|at| self.keeps(row, at) == Some(true));
        let policies = self.many.policies.iter().enumerate();
        policies.filter(|&(row, _)| !keeps(row)).map(|(_, one)| one.name.as_str()).collect()
    }

    pub(super) fn mean(&self, metric: &Metric, row: usize) -> Option<f64> {
        let at = METRICS.iter().position(|known| known.key == metric.key)?;
        self.many.mean(row, at)
    }

    /// Bound that no policy that does as much could beat, and how far this one is from it, in
    /// words; empty where that is not known.
    pub(super) fn possible(&self, metric: &Metric, row: usize) -> (String, String) {
        let at = METRICS.iter().position(|known| known.key == metric.key);
        let Some((possible, behind)) = at.and_then(|at| self.many.regret(row, at)) else {
            return Default::default();
        };
        let off = behind.filter(|behind| behind.abs() >= 0.000_5);
        let off = off.map_or(String::new(), |off| format!("{} % off", decimals(off * 100.0, 1)));
        (figure(metric.unit, Some(possible)), off)
    }

    /// Assumptions under any policy, each once.
    pub(super) fn assumptions(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for text in self.reports.iter().flat_map(|report| &report.assumptions) {
            if !all.contains(text) {
                all.push(text.clone());
            }
        }
        let carbon = self.reports.iter().find_map(|report| report.summary.carbon.missing());
        all.extend(
            carbon.map(|why| format!("Grid carbon is not compared, for it is not known: {why}.")),
        );
        all
    }
}

/// Bills are rounded to a billionth; a month of that is not shown.
fn whole(metric: &Metric, value: f64) -> f64 {
    match metric.key {
        "cost_monthly" if value.abs() < HALF_A_CENT => 0.0,
        _ => value,
    }
}

fn join(by: &str, relative: &str) -> String {
    if relative.is_empty() { by.to_owned() } else { format!("{by} ({relative})") }
}

#[cfg(test)]
mod tests {
    use super::super::TextCells;
    use super::super::testing::judged;
    use super::*;
    use crate::metrics::{Costs, WorkCounts};

    fn summary(dollars: i128, finished: u64) -> Summary {
        Summary {
            work: WorkCounts { submitted: 10, finished, ..WorkCounts::default() },
            cost: Costs {
                total: Money::from_nanos(dollars * 1_000_000_000),
                per_useful_core_hour_usd: Some(0.5),
                ..Costs::default()
            },
            useful_core_hours: finished as f64,
            ..Summary::default()
        }
    }

    fn rows<'a>(all: &'a [Summary], none: &'a (Series, Histogram)) -> Vec<PolicyResult<'a>> {
        let row = |summary| PolicyResult {
            name: "p",
            summary,
            series: &none.0,
            waits: &none.1,
            objectives: &[],
        };
        all.iter().map(row).collect()
    }

    #[track_caller]
    fn check(all: &[Summary], replications: usize, then: impl Fn(&ComparisonReport<'_>)) {
        let none = (Series::default(), Histogram::default());
        let rows = rows(all, &none);
        let many = judged(&rows, 0, replications);
        let question = None;
        then(&ComparisonReport {
            question,
            many: &many,
            decision: None,
            between: None,
            rows,
            reports: &[],
            calibration: None,
            cautions: Vec::new(),
        });
    }

    #[test]
    fn costs_of_different_work_are_not_compared() {
        let cost = &METRICS[0];
        let all = [summary(100, 10), summary(90, 10), summary(40, 5)];
        check(&all, 1, |comparison| {
            assert_eq!(comparison.difference(cost, 0), "");
            assert_eq!(comparison.difference(cost, 1), "−$10.00 (−10.0 %)");
            assert_eq!(comparison.verdict(cost, 1), "better");
            assert_eq!(comparison.difference(cost, 2), "not comparable");
            assert_eq!(comparison.verdict(cost, 2), "not comparable");
            assert_eq!(comparison.metrics()[0].key, "cost_per_core_hour");
        });
        check(&all[..2], 1, |comparison| {
            let said = comparison.statements().cautions;
            assert_eq!(said.len(), 1);
            assert!(said[0].starts_with("The scenario has no objectives: "), "{said:?}");
            assert_eq!(comparison.metrics()[0].key, "cost_total");
        });
    }

    #[test]
    fn intervals_are_given_where_there_was_chance() {
        let cost = &METRICS[0];
        let all = [summary(100, 10), summary(90, 10), summary(100, 10)];
        check(&all, 3, |comparison| {
            assert_eq!(comparison.difference(cost, 1), "−$10.00 (−10.0 %)");
            assert_eq!(comparison.verdict(cost, 1), "better");
            // The same policy under another name.
            assert_eq!(comparison.difference(cost, 2), "±$0.00 (±0.0 %)");
            assert_eq!(comparison.verdict(cost, 2), "no difference shown");
        });
    }

    #[test]
    fn the_csv_says_the_same() {
        let all = [summary(100, 10), summary(40, 5)];
        check(&all, 1, |comparison| {
            let out = comparison.write_csv(Vec::new(), TextCells::Guarded);
            let out = String::from_utf8(out.expect("memory takes everything")).expect("text");
            let lines: Vec<&str> = out.lines().skip(1).take(2).collect();
            let expected = [
                "cost_total,USD,p,1,100,100,,,,,,,,baseline,,",
                "cost_total,USD,p,1,40,100,,,,,,,,not comparable,,",
            ];
            assert_eq!(lines, expected);
        });
    }
}
