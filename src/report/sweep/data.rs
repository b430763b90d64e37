//! The files of a sweep for programs: `sweep.csv`, `points.csv`, `sweep.json`.

use std::io;

use serde::Serialize;

use super::super::document::Answer;
use super::super::keyed::Keyed;
use super::super::sheet::{Sheet, TextCells};
use super::super::words::write_json;
use super::SweepReport;
use crate::experiment::sweep::{
    Axis, AxisEffect, BestPoint, CONFIDENCE, Level, MeanEstimate, Sweep, best, effects,
};
use crate::metrics::METRICS;
use crate::scenario::Objective;

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
        let (sweep, said) = (self.sweep, self.statements());
        let objective = |one: &'_ Objective| SweepObjectiveJson {
            metric: one.metric.key,
            bound: one.text.clone(),
        };
        let all = SweepJson {
            question: self.question,
            design: sweep.design.words(),
            repetition: sweep.repetition.description(),
            replications: sweep.replications,
            confidence: CONFIDENCE,
            policies: &sweep.policies,
            axes: sweep.axes.iter().map(|axis| self.axis(axis)).collect(),
            objectives: sweep.objectives.iter().map(objective).collect(),
            same_work: sweep.same_work(),
            ranked_by: self.ranked_by().key,
            answer: said.answer,
            cautions: said.cautions,
            findings: self.findings(),
            assumptions: self.assumptions,
            best: self.best(),
            effects: self.effects(),
            points: self.points(),
        };
        write_json(&all, out)
    }

    fn axis<'a>(&self, axis: &'a Axis) -> AxisJson<'a> {
        let values = axis.grid().filter(|_| self.sweep.levels(0).is_some());
        let words = |levels: Vec<Level>| levels.into_iter().map(|level| level.text).collect();
        AxisJson {
            key: &axis.key,
            asked: &axis.asked,
            unit: axis.unit.clone(),
            log: axis.log,
            ends: axis.ends(),
            values: values.map(words),
        }
    }

    fn best(&self) -> Vec<BestJson<'_>> {
        let one = |best: BestPoint| BestJson {
            policy: &self.sweep.policies[best.policy],
            point: best.point,
            settings: self.settings(best.point),
            all_objectives_kept: best.kept,
            value: EstimateJson::of(&best.goal),
        };
        let policies = 0..self.sweep.policies.len();
        policies.filter_map(|policy| best(self.sweep, policy, self.goal)).map(one).collect()
    }

    fn effects(&self) -> Vec<EffectJson<'_>> {
        let mut all = Vec::new();
        for (policy, name) in self.sweep.policies.iter().enumerate() {
            for &metric in &self.metrics {
                let found = effects(self.sweep, policy, metric).into_iter();
                all.extend(found.map(|effect| self.effect((name, METRICS[metric].key), effect)));
            }
        }
        all
    }

    fn effect<'a>(
        &'a self,
        (policy, metric): (&'a str, &'static str),
        of: AxisEffect,
    ) -> EffectJson<'a> {
        let (low, high) = of.interval.map(|interval| (interval.low, interval.high)).unzip();
        EffectJson {
            policy,
            metric,
            key: &self.sweep.axes[of.axis].key,
            difference: of.swing(),
            low,
            high,
            shown: of.is_shown(),
            lowest: EndJson { at: of.lowest.text, mean: of.lowest.mean },
            highest: EndJson { at: of.highest.text, mean: of.highest.mean },
        }
    }

    fn points(&self) -> Vec<PointJson<'_>> {
        let mut all = Vec::new();
        for point in 0..self.sweep.points.len() {
            for (policy, name) in self.sweep.policies.iter().enumerate() {
                let metric = |row: usize| {
                    let found = self.sweep.estimate(point, policy, row);
                    (METRICS[row].key, found.as_ref().map(EstimateJson::of))
                };
                all.push(PointJson {
                    point,
                    settings: self.settings(point),
                    policy: name,
                    all_objectives_kept: self.sweep.kept(point, policy),
                    metrics: (0..METRICS.len()).map(metric).collect(),
                });
            }
        }
        all
    }

    fn settings(&self, point: usize) -> Keyed<String, String> {
        self.sweep.points[point].edits(&self.sweep.axes).into_iter().collect()
    }
}

fn begin<W: io::Write>(sheet: &mut Sheet<W>, sweep: &Sweep, point: usize, policy: usize) {
    sheet.whole(point as i128);
    sweep.points[point].levels.iter().for_each(|level| sheet.text(&level.text));
    sheet.text(&sweep.policies[policy]);
}

#[derive(Serialize)]
struct SweepJson<'a, F> {
    question: Option<&'a str>,
    design: String,
    repetition: String,
    replications: u32,
    confidence: f64,
    policies: &'a [String],
    axes: Vec<AxisJson<'a>>,
    objectives: Vec<SweepObjectiveJson>,
    same_work: bool,
    ranked_by: &'static str,
    answer: Answer,
    cautions: Vec<String>,
    findings: F,
    assumptions: &'a [String],
    best: Vec<BestJson<'a>>,
    effects: Vec<EffectJson<'a>>,
    points: Vec<PointJson<'a>>,
}

#[derive(Serialize)]
struct AxisJson<'a> {
    key: &'a str,
    asked: &'a str,
    unit: String,
    log: bool,
    ends: Option<(f64, f64)>,
    values: Option<Vec<String>>,
}

#[derive(Serialize)]
struct SweepObjectiveJson {
    metric: &'static str,
    bound: String,
}

#[derive(Serialize)]
struct BestJson<'a> {
    policy: &'a str,
    point: usize,
    settings: Keyed<String, String>,
    all_objectives_kept: usize,
    value: EstimateJson,
}

#[derive(Serialize)]
struct EffectJson<'a> {
    policy: &'a str,
    metric: &'static str,
    key: &'a str,
    lowest: EndJson,
    highest: EndJson,
    difference: f64,
    low: Option<f64>,
    high: Option<f64>,
    shown: bool,
}

#[derive(Serialize)]
struct EndJson {
    at: String,
    mean: f64,
}

#[derive(Serialize)]
struct PointJson<'a> {
    point: usize,
    settings: Keyed<String, String>,
    policy: &'a str,
    all_objectives_kept: usize,
    metrics: Keyed<&'static str, Option<EstimateJson>>,
}

#[derive(Serialize)]
struct EstimateJson {
    mean: f64,
    low: Option<f64>,
    high: Option<f64>,
    n: usize,
}

impl EstimateJson {
    fn of(of: &MeanEstimate) -> Self {
        let (low, high) = of.interval.map(|interval| (interval.low, interval.high)).unzip();
        Self { mean: of.mean, low, high, n: of.n }
    }
}
