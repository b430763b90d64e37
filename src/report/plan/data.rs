//! A plan as data: `candidates.csv` and `plan.json`.

use std::io;

use serde_json::{Value, json};

use super::super::sheet::{Sheet, TextCells};
use super::super::words::write_json;
use super::PlanReport;
use crate::experiment::Measurement;
use crate::experiment::search::{Candidate, Effect, Keeping};
use crate::experiment::statistics::promise::least_share;
use crate::metrics::Metric;

/// The columns of `candidates.csv` between those of the variables and those of
/// the metrics; each metric has its mean and the ends of its interval.
pub(in crate::report) const COLUMNS: [&str; 5] =
    ["phase", "replications", "kept_in", "kept_share_low", "verdict"];

impl PlanReport<'_> {
    /// Writes `candidates.csv`: one row per setup and phase. The metrics are
    /// what is made small and those of the objectives.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_csv<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let variables = self.found.task.variables.iter().map(|one| one.key.clone());
        let fixed = COLUMNS.iter().map(|&name| name.to_owned());
        let metrics = self.metrics();
        let of_metric = metrics.iter().flat_map(|metric| {
            let key = metric.key;
            [key.to_owned(), format!("{key}_low"), format!("{key}_high")]
        });
        let head: Vec<String> = variables.chain(fixed).chain(of_metric).collect();
        let mut sheet = Sheet::new(out, cells, head);
        for (row, candidate) in self.found.candidates.iter().enumerate() {
            let verdict = self.verdict(row);
            let phases =
                [("search", &candidate.searched[..]), ("held-out", self.judged(candidate))];
            for (phase, all) in phases.into_iter().filter(|(_, all)| !all.is_empty()) {
                for (variable, &level) in self.found.task.variables.iter().zip(&candidate.point) {
                    sheet.text(&variable.levels[level]);
                }
                let (kept, count) = self.kept_in(all);
                sheet.word(phase);
                sheet.whole(count as u64);
                sheet.whole(kept as u64);
                sheet.number(self.kept_share_low(all));
                sheet.word(match (phase, verdict) {
                    ("held-out", Some(verdict)) => verdict.words(),
                    _ => "",
                });
                for metric in &metrics {
                    let interval = self.interval(metric, all);
                    sheet.number(self.mean(metric, all));
                    sheet.number(interval.map(|interval| interval.low));
                    sheet.number(interval.map(|interval| interval.high));
                }
                sheet.end_row();
            }
        }
        sheet.finish()
    }

    /// What is made small, and the metrics of the objectives, each once.
    fn metrics(&self) -> Vec<&'static Metric> {
        let mut metrics = vec![self.goal()];
        for metric in (0..self.found.objectives.len()).map(|row| self.promised(row)) {
            if !metrics.iter().any(|known| known.key == metric.key) {
                metrics.push(metric);
            }
        }
        metrics
    }

    /// The share of all replications that keep all promises is at least this,
    /// at the confidence of the task.
    fn kept_share_low(&self, all: &[Measurement]) -> Option<f64> {
        let (kept, count) = self.kept_in(all);
        let confidence = self.found.task.confidence;
        (count > 1).then(|| least_share(kept as u64, count as u64, confidence))
    }

    /// Writes `plan.json`.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let (found, task) = (self.found, &self.found.task);
        let variables = task.variables.iter().zip(&found.effects);
        let variables: Vec<Value> = variables
            .map(|(variable, effect)| {
                json!({
                    "key": variable.key,
                    "values": variable.levels,
                    "effect": match effect {
                        Effect::None => "none",
                        Effect::MoreIsSafer => "more is safer and dearer",
                        Effect::LessIsSafer => "less is safer and dearer",
                        Effect::Mixed => "mixed",
                        Effect::Words => "words",
                    },
                })
            })
            .collect();
        let setup = |candidate: &Candidate| -> Value {
            found
                .edits(&candidate.point)
                .into_iter()
                .map(|(key, value)| (key, json!(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let finalists: Vec<Value> = self
            .ranked()
            .into_iter()
            .map(|row| {
                let (finalist, candidate) = (&found.finalists[row], found.candidate(row));
                json!({
                    "setup": setup(candidate),
                    "verdict": finalist.verdict.words(),
                    "p_broken": finalist.p_broken,
                    "kept_in": finalist.kept_in,
                    "kept_share_low": self.kept_share_low(self.judged(candidate)),
                    "binding": finalist.binding.map(|row| self.promised(row).key),
                    "as_cheap": finalist.tied,
                    "metrics": self.shown(self.judged(candidate)),
                })
            })
            .collect();
        let candidates: Vec<Value> = found
            .candidates
            .iter()
            .map(|one| json!({ "setup": setup(one), "after_runs": one.after, "metrics": self.shown(&one.searched) }))
            .collect();
        let choice = found.choice.map(|row| found.candidate(row));
        let said = self.said();
        let all = json!({
            "question": self.recipe.question,
            "answer": said.answer,
            "cautions": said.cautions,
            "findings": self.findings(),
            "assumptions": self.assumptions,
            "setup": choice.map(setup),
            "monthly_usd": choice.and_then(|one| self.monthly(self.judged(one))).map(|monthly| json!({
                "mean": monthly.mean, "low": monthly.low, "high": monthly.high,
            })),
            "policy": self.recipe.policy,
            "minimised": self.goal().key,
            "objectives": (0..found.objectives.len()).map(|row| json!({
                "metric": self.promised(row).key, "bound": self.bound(row),
            })).collect::<Vec<_>>(),
            "kept_in_share": match task.keeping {
                Keeping::OnAverage => None,
                Keeping::InShare(share) => Some(share),
            },
            "confidence": task.confidence,
            "margin": task.margin,
            "budget": task.budget,
            "runs": found.runs,
            "converged": found.converged,
            "separated": found.separated,
            "comparable": found.comparable,
            "repetition": found.repetition.told(),
            "seed": found.seed,
            "searched_replications": found.searched,
            "held_out_replications": found.held_out,
            "variables": variables,
            "finalists": finalists,
            "candidates": candidates,
        });
        write_json(&all, out)
    }

    fn shown(&self, all: &[Measurement]) -> Value {
        let one = |metric: &&'static Metric| {
            let interval = self.interval(metric, all);
            let value = json!({
                "mean": self.mean(metric, all),
                "low": interval.map(|interval| interval.low),
                "high": interval.map(|interval| interval.high),
            });
            (metric.key.to_owned(), value)
        };
        self.metrics().iter().map(one).collect::<serde_json::Map<_, _>>().into()
    }
}
