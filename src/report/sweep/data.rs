//! The files of a sweep for programs: `sweep.csv`, `points.csv`, `sweep.json`.

use std::io;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::document::Answer;
use super::super::sheet::{Sheet, TextCells};
use super::super::words::write_json;
use super::SweepReport;
use crate::experiment::sweep::{Best, CONFIDENCE, Estimate, Sweep, best, effects};
use crate::metrics::METRICS;

/// The columns of `sweep.csv` before the metrics; `KEY` stands for the axes.
pub(in super::super) const RUN_COLUMNS: [&str; 7] =
    ["point", "KEY", "policy", "replication", "seed", "objectives_kept", "event_hash"];

/// The columns of `points.csv` before the metrics.
pub(in super::super) const POINT_COLUMNS: [&str; 5] =
    ["point", "KEY", "policy", "replications", "all_objectives_kept"];

fn head<'a>(sweep: &'a Sweep, columns: &'a [&str]) -> Vec<&'a str> {
    let mut head = Vec::new();
    for column in columns {
        match *column {
            "KEY" => head.extend(sweep.axes.iter().map(|axis| axis.key.as_str())),
            column => head.push(column),
        }
    }
    head
}

impl SweepReport<'_> {
    /// Writes `sweep.csv`: one row per point, policy and replication, in this order.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_runs<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let sweep = self.sweep;
        let mut columns = head(sweep, &RUN_COLUMNS);
        columns.extend(METRICS.iter().map(|metric| metric.key));
        let mut sheet = Sheet::new(out, cells, columns);
        for point in 0..sweep.points.len() {
            for policy in 0..sweep.policies.len() {
                for (replication, run) in sweep.runs(point, policy).iter().enumerate() {
                    begin(&mut sheet, sweep, point, policy);
                    sheet.whole(replication as i128);
                    sheet.whole(run.seed);
                    sheet.whole(run.kept.iter().filter(|&&kept| kept).count() as i128);
                    sheet.text(&run.fingerprint);
                    run.metrics.iter().for_each(|&value| sheet.number(value));
                    sheet.end_row();
                }
            }
        }
        sheet.finish()
    }

    /// Writes `points.csv`: one row per point and policy, with the mean of each
    /// metric and the interval that holds it with 95 % confidence.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_points<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let sweep = self.sweep;
        let mut columns: Vec<String> =
            head(sweep, &POINT_COLUMNS).into_iter().map(str::to_owned).collect();
        for metric in METRICS {
            columns.extend(["", "_low", "_high"].map(|end| format!("{}{end}", metric.key)));
        }
        let mut sheet = Sheet::new(out, cells, columns);
        for point in 0..sweep.points.len() {
            for policy in 0..sweep.policies.len() {
                begin(&mut sheet, sweep, point, policy);
                sheet.whole(sweep.replications);
                sheet.whole(sweep.kept(point, policy) as i128);
                for metric in 0..METRICS.len() {
                    let estimate = sweep.estimate(point, policy, metric);
                    let interval = estimate.and_then(|estimate| estimate.interval);
                    sheet.number(estimate.map(|estimate| estimate.mean));
                    sheet.number(interval.map(|interval| interval.low));
                    sheet.number(interval.map(|interval| interval.high));
                }
                sheet.end_row();
            }
        }
        sheet.finish()
    }

    /// Writes `sweep.json`.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let sweep = self.sweep;
        let axis = |axis: &crate::experiment::sweep::Axis| {
            let values = axis.levels().filter(|_| sweep.levels(0).is_some());
            let values: Option<Vec<String>> =
                values.map(|levels| levels.into_iter().map(|level| level.text).collect());
            json!({ "key": axis.key, "asked": axis.asked, "unit": axis.unit, "log": axis.log, "ends": axis.ends(), "values": values })
        };
        let objective = |objective: &crate::scenario::Objective| json!({ "metric": objective.metric.name(), "bound": objective.text });
        let said = self.said();
        let all = SweepJson {
            question: self.question,
            design: sweep.design.told(),
            repetition: sweep.repetition.told(),
            replications: sweep.replications,
            confidence: CONFIDENCE,
            policies: &sweep.policies,
            axes: sweep.axes.iter().map(axis).collect(),
            objectives: sweep.objectives.iter().map(objective).collect(),
            same_work: sweep.same_work(),
            ranked_by: self.ranked_by().key,
            answer: said.answer,
            cautions: said.cautions,
            findings: self.findings(),
            assumptions: self.assumptions,
            best: self.best_json(),
            effects: self.effects_json(),
            points: self.points_json(),
        };
        write_json(&all, out)
    }

    fn best_json(&self) -> Vec<Value> {
        let one = |best: Best| {
            json!({
                "policy": self.sweep.policies[best.policy],
                "point": best.point,
                "settings": self.settings(best.point),
                "all_objectives_kept": best.kept,
                "value": estimate(&best.goal),
            })
        };
        let policies = 0..self.sweep.policies.len();
        policies.filter_map(|policy| best(self.sweep, policy, self.goal)).map(one).collect()
    }

    fn effects_json(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for (policy, name) in self.sweep.policies.iter().enumerate() {
            for &metric in &self.metrics {
                for effect in effects(self.sweep, policy, metric) {
                    all.push(json!({
                        "policy": name,
                        "metric": METRICS[metric].key,
                        "key": self.sweep.axes[effect.axis].key,
                        "lowest": { "at": effect.lowest.text, "mean": effect.lowest.mean },
                        "highest": { "at": effect.highest.text, "mean": effect.highest.mean },
                        "difference": effect.swing(),
                        "low": effect.interval.map(|interval| interval.low),
                        "high": effect.interval.map(|interval| interval.high),
                        "shown": effect.is_shown(),
                    }));
                }
            }
        }
        all
    }

    fn points_json(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for point in 0..self.sweep.points.len() {
            for (policy, name) in self.sweep.policies.iter().enumerate() {
                let metric = |row: usize| {
                    let found = self.sweep.estimate(point, policy, row);
                    (
                        METRICS[row].key.to_owned(),
                        found.map_or(Value::Null, |found| estimate(&found)),
                    )
                };
                all.push(json!({
                    "point": point,
                    "settings": self.settings(point),
                    "policy": name,
                    "all_objectives_kept": self.sweep.kept(point, policy),
                    "metrics": (0..METRICS.len()).map(metric).collect::<Map<_, _>>(),
                }));
            }
        }
        all
    }

    fn settings(&self, point: usize) -> Map<String, Value> {
        self.sweep.points[point]
            .edits(&self.sweep.axes)
            .into_iter()
            .map(|(key, text)| (key, Value::from(text)))
            .collect()
    }
}

fn begin<W: io::Write>(sheet: &mut Sheet<W>, sweep: &Sweep, point: usize, policy: usize) {
    sheet.whole(point as i128);
    sweep.points[point].levels.iter().for_each(|level| sheet.text(&level.text));
    sheet.text(&sweep.policies[policy]);
}

fn estimate(of: &Estimate) -> Value {
    let (low, high) = of.interval.map(|interval| (interval.low, interval.high)).unzip();
    json!({ "mean": of.mean, "low": low, "high": high, "n": of.n })
}

#[derive(Serialize)]
struct SweepJson<'a, F> {
    question: Option<&'a str>,
    design: String,
    repetition: String,
    replications: u32,
    confidence: f64,
    policies: &'a [String],
    axes: Vec<Value>,
    objectives: Vec<Value>,
    same_work: bool,
    ranked_by: &'static str,
    answer: Answer,
    cautions: Vec<String>,
    findings: F,
    assumptions: &'a [String],
    best: Vec<Value>,
    effects: Vec<Value>,
    points: Vec<Value>,
}
