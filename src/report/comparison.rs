//! Policies side by side, against a baseline.

use std::io;

use serde::{Serialize, Serializer};

use super::figure::{change, difference, figure, money_difference};
use super::run::{ObjectiveResult, write_json};
use super::sheet::{Sheet, TextCells};
use crate::metrics::{Direction, Histogram, METRICS, Metric, Series, Summary};

/// What one policy did.
#[derive(Clone, Copy, Debug)]
pub struct PolicyResult<'a> {
    /// As the scenario names it.
    pub name: &'a str,
    /// The numbers.
    pub summary: &'a Summary,
    /// Over time.
    pub series: &'a Series,
    /// Waits in microseconds.
    pub waits: &'a Histogram,
    /// The promises.
    pub objectives: &'a [ObjectiveResult],
}

/// Policies over the same work.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    /// What the scenario asks, if it says so.
    pub question: Option<&'a str>,
    /// The row that the others are compared with.
    pub baseline: usize,
    /// One per policy, at least one.
    pub rows: Vec<PolicyResult<'a>>,
}

/// Metrics that a comparison shows first, when the same work was done.
const LEADING: [&str; 16] = [
    "cost_total",
    "cost_per_core_hour",
    "cost_per_gpu_hour",
    "deadlines_met",
    "wait_mean",
    "wait_p95",
    "wait_max",
    "turnaround_mean",
    "slowdown_mean",
    "makespan",
    "utilisation_cpu",
    "utilisation_gpu",
    "finished",
    "unfinished",
    "refused",
    "preemptions",
];

impl Comparison<'_> {
    /// Whether the row did the same work as the baseline: as much of it
    /// submitted and finished, and as many useful hours. Only then can their
    /// costs be set against each other.
    pub fn is_comparable(&self, row: usize) -> bool {
        let done = |summary: &Summary| {
            let hours = (summary.useful_core_hours, summary.useful_gpu_hours);
            (summary.work.submitted, summary.work.finished, hours)
        };
        done(self.rows[row].summary) == done(self.rows[self.baseline].summary)
    }

    /// Whether all rows did the same work.
    pub fn comparable(&self) -> bool {
        (0..self.rows.len()).all(|row| self.is_comparable(row))
    }

    /// The metrics of the opening table: those that any policy shows, cost per
    /// useful hour first where costs cannot be set against each other.
    pub fn metrics(&self) -> Vec<&'static Metric> {
        let shows = |metric: &&Metric| {
            self.rows.iter().any(|row| (metric.of)(row.summary).is_some_and(|value| value != 0.0))
        };
        let find = |key: &&str| METRICS.iter().find(|metric| metric.key == *key);
        let mut metrics: Vec<_> = LEADING.iter().filter_map(find).filter(shows).collect();
        if !self.comparable() {
            metrics.sort_by_key(|metric| !metric.key.ends_with("_hour"));
        }
        metrics
    }

    /// The difference of a row to the baseline, in words; empty for the
    /// baseline itself and where either has nothing to show.
    pub fn difference(&self, metric: &Metric, row: usize) -> String {
        let (mine, base) = (self.rows[row].summary, self.rows[self.baseline].summary);
        let (Some(value), Some(from)) = ((metric.of)(mine), (metric.of)(base)) else {
            return String::new();
        };
        if row == self.baseline {
            return String::new();
        }
        if metric.key == "cost_total" {
            if !self.is_comparable(row) {
                return "not comparable".to_owned();
            }
            let exact = mine.cost.total - base.cost.total;
            return join(&money_difference(exact), &change(value, from));
        }
        let by = difference(metric.unit, value - from);
        if matches!(metric.unit, "USD" | "s") { join(&by, &change(value, from)) } else { by }
    }

    /// Whether a row is better (`Some(true)`) or worse than the baseline.
    pub fn verdict(&self, metric: &Metric, row: usize) -> Option<bool> {
        if metric.key == "cost_total" && !self.is_comparable(row) {
            return None;
        }
        let value = (metric.of)(self.rows[row].summary)?;
        let from = (metric.of)(self.rows[self.baseline].summary)?;
        match metric.better {
            _ if value == from => None,
            Direction::Lower => Some(value < from),
            Direction::Higher => Some(value > from),
            Direction::Neutral => None,
        }
    }

    /// One metric of one row, in words.
    pub fn figure(&self, metric: &Metric, row: usize) -> String {
        let summary = self.rows[row].summary;
        if metric.key == "cost_total" {
            return summary.cost.total.to_string();
        }
        figure(metric.unit, (metric.of)(summary))
    }

    /// What must be said about the costs, where something must.
    pub fn caution(&self) -> Option<String> {
        (!self.comparable()).then(|| {
            "The policies did not do the same work, so their total costs are not comparable; \
             look at the cost per useful hour and at what was left undone."
                .to_owned()
        })
    }

    /// Writes `compare.csv`: one row per metric and policy, every metric.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_csv<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, COLUMNS);
        for metric in METRICS {
            for row in 0..self.rows.len() {
                let cell = self.cell(metric, row);
                sheet.word(metric.key);
                sheet.word(metric.unit);
                sheet.text(self.rows[row].name);
                sheet.number(cell.value);
                sheet.number(cell.difference);
                sheet.number(cell.relative);
                sheet.word(cell.verdict);
                sheet.end_row();
            }
        }
        sheet.finish()
    }

    fn cell(&self, metric: &Metric, row: usize) -> Cell {
        let value = (metric.of)(self.rows[row].summary);
        let from = (metric.of)(self.rows[self.baseline].summary);
        let incomparable = metric.key == "cost_total" && !self.is_comparable(row);
        let pair = value.zip(from).filter(|_| row != self.baseline && !incomparable);
        Cell {
            value,
            difference: pair.map(|(value, from)| value - from),
            relative: pair
                .filter(|(_, from)| *from != 0.0)
                .map(|(value, from)| (value - from) / from.abs()),
            verdict: match self.verdict(metric, row) {
                _ if row == self.baseline => "baseline",
                _ if incomparable => "not comparable",
                Some(true) => "better",
                Some(false) => "worse",
                None if pair.is_some_and(|(value, from)| value == from) => "same",
                None => "",
            },
        }
    }

    /// Writes `compare.json`.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let policy = |row: usize| PolicyJson {
            name: self.rows[row].name,
            comparable: self.is_comparable(row),
            against_baseline: AgainstBaseline(
                METRICS.iter().map(|metric| (metric.key, self.cell(metric, row))).collect(),
            ),
            objectives: self.rows[row].objectives,
            summary: self.rows[row].summary,
        };
        let all = ComparisonJson {
            question: self.question,
            baseline: self.rows[self.baseline].name,
            comparable: self.comparable(),
            policies: (0..self.rows.len()).map(policy).collect(),
        };
        write_json(&all, out)
    }
}

fn join(by: &str, relative: &str) -> String {
    if relative.is_empty() { by.to_owned() } else { format!("{by} ({relative})") }
}

/// The columns of `compare.csv`, in order.
pub(super) const COLUMNS: [&str; 7] =
    ["metric", "unit", "policy", "value", "difference", "relative_difference", "verdict"];

/// One metric of one policy against the baseline.
#[derive(Clone, Copy, Debug, Serialize)]
struct Cell {
    value: Option<f64>,
    difference: Option<f64>,
    relative: Option<f64>,
    verdict: &'static str,
}

/// Cells by the key of their metric.
struct AgainstBaseline(Vec<(&'static str, Cell)>);

impl Serialize for AgainstBaseline {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().copied())
    }
}

#[derive(Serialize)]
struct ComparisonJson<'a> {
    question: Option<&'a str>,
    baseline: &'a str,
    comparable: bool,
    policies: Vec<PolicyJson<'a>>,
}

#[derive(Serialize)]
struct PolicyJson<'a> {
    name: &'a str,
    comparable: bool,
    against_baseline: AgainstBaseline,
    objectives: &'a [ObjectiveResult],
    summary: &'a Summary,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Costs, WorkCounts};
    use crate::units::Money;

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

    fn compared<'a>(summaries: &'a [Summary], series: &'a (Series, Histogram)) -> Comparison<'a> {
        let row = |summary| PolicyResult {
            name: "p",
            summary,
            series: &series.0,
            waits: &series.1,
            objectives: &[],
        };
        Comparison { question: None, baseline: 0, rows: summaries.iter().map(row).collect() }
    }

    #[test]
    fn costs_of_different_work_are_not_compared() {
        let none = (Series::default(), Histogram::default());
        let all = [summary(100, 10), summary(90, 10), summary(40, 5)];
        let comparison = compared(&all, &none);
        let cost = &METRICS[0];
        assert_eq!(comparison.difference(cost, 0), "");
        assert_eq!(comparison.difference(cost, 1), "−$10.00 (−10.0 %)");
        assert_eq!(comparison.verdict(cost, 1), Some(true));
        assert_eq!(comparison.difference(cost, 2), "not comparable");
        assert_eq!(comparison.verdict(cost, 2), None);
        assert!(!comparison.comparable());
        assert_eq!(comparison.metrics()[0].key, "cost_per_core_hour");
        let same = compared(&all[..2], &none);
        assert!(same.comparable());
        assert_eq!(same.metrics()[0].key, "cost_total");
    }

    #[test]
    fn the_csv_says_the_same() {
        let none = (Series::default(), Histogram::default());
        let all = [summary(100, 10), summary(40, 5)];
        let out = compared(&all, &none).write_csv(Vec::new(), TextCells::Guarded);
        let out = String::from_utf8(out.expect("memory takes everything")).expect("text");
        assert_eq!(
            out.lines().take(3).collect::<Vec<_>>(),
            [
                "metric,unit,policy,value,difference,relative_difference,verdict",
                "cost_total,USD,p,100,,,baseline",
                "cost_total,USD,p,40,,,not comparable",
            ]
        );
    }
}
