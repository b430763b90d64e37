//! A plan as data: `candidates.csv` and `plan.json`.

use std::io;

use serde::Serialize;

use super::super::document::Answer;
use super::super::keyed::Keyed;
use super::super::sheet::{Sheet, TextCells};
use super::super::words::write_json;
use super::PlanReport;
use crate::experiment::Measurement;
use crate::experiment::search::{Candidate, Keeping};
use crate::experiment::statistics::Interval;
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
                for (_, level) in self.found.levels(&candidate.point) {
                    sheet.text(level.unwrap_or_default());
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

    /// The metric that is made small, and the metrics of the objectives, each once.
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
        let (found, task, said) = (self.found, &self.found.task, self.statements());
        let choice = found.choice.map(|row| found.candidate(row));
        let variables = task.variables.iter().zip(&found.effects);
        let objectives = 0..found.objectives.len();
        let all = PlanJson {
            question: self.recipe.question.as_deref(),
            answer: said.answer,
            cautions: said.cautions,
            findings: self.findings(),
            assumptions: self.assumptions,
            setup: choice.map(|one| self.setup_of(one)),
            monthly_usd: choice
                .and_then(|one| self.monthly(self.judged(one)))
                .map(|Interval { mean, low, high, .. }| MonthJson { mean, low, high }),
            policy: &self.recipe.policy,
            minimised: self.goal().key,
            objectives: objectives
                .map(|row| PlanObjectiveJson {
                    metric: self.promised(row).key,
                    bound: self.bound(row),
                })
                .collect(),
            kept_in_share: match task.keeping {
                Keeping::OnAverage => None,
                Keeping::InShare(share) => Some(share),
            },
            confidence: task.confidence,
            margin: task.margin,
            budget: task.budget,
            runs: found.runs,
            converged: found.converged,
            separated: found.separated,
            comparable: found.comparable,
            repetition: found.repetition.description(),
            seed: found.seed,
            searched_replications: found.searched,
            held_out_replications: found.held_out,
            variables: variables
                .map(|(one, &effect)| VariableJson {
                    key: &one.key,
                    values: &one.levels,
                    effect: effect.words(),
                })
                .collect(),
            finalists: self.ranked().into_iter().map(|row| self.finalist(row)).collect(),
            candidates: found.candidates.iter().map(|one| self.candidate(one)).collect(),
        };
        write_json(&all, out)
    }

    fn finalist(&self, row: usize) -> ShortlistJson {
        let (finalist, candidate) = (&self.found.finalists[row], self.found.candidate(row));
        ShortlistJson {
            setup: self.setup_of(candidate),
            verdict: finalist.verdict.words(),
            p_broken: finalist.p_broken,
            kept_in: finalist.kept_in,
            kept_share_low: self.kept_share_low(self.judged(candidate)),
            binding: finalist.binding.map(|row| self.found.objectives[row].name()),
            as_cheap: finalist.tied,
            metrics: self.shown(self.judged(candidate)),
        }
    }

    fn candidate(&self, one: &Candidate) -> CandidateJson {
        let metrics = self.shown(&one.searched);
        CandidateJson { setup: self.setup_of(one), after_runs: one.after, metrics }
    }

    fn setup_of(&self, candidate: &Candidate) -> Setup {
        self.found.edits(&candidate.point).into_iter().collect()
    }

    fn shown(&self, all: &[Measurement]) -> Metrics {
        let one = |metric: &&'static Metric| {
            let interval = self.interval(metric, all);
            let (low, high) = interval.map(|interval| (interval.low, interval.high)).unzip();
            (metric.key, MetricJson { mean: self.mean(metric, all), low, high })
        };
        self.metrics().iter().map(one).collect()
    }
}

/// Values by the keys of the variables.
type Setup = Keyed<String, String>;
/// Means by the keys of the metrics.
type Metrics = Keyed<&'static str, MetricJson>;

#[derive(Serialize)]
struct PlanJson<'a, F> {
    question: Option<&'a str>,
    answer: Answer,
    cautions: Vec<String>,
    findings: F,
    assumptions: &'a [String],
    setup: Option<Setup>,
    monthly_usd: Option<MonthJson>,
    policy: &'a str,
    minimised: &'static str,
    objectives: Vec<PlanObjectiveJson>,
    kept_in_share: Option<f64>,
    confidence: f64,
    margin: f64,
    budget: u32,
    runs: u32,
    converged: bool,
    separated: bool,
    comparable: bool,
    repetition: String,
    seed: u64,
    searched_replications: u32,
    held_out_replications: u32,
    variables: Vec<VariableJson<'a>>,
    finalists: Vec<ShortlistJson>,
    candidates: Vec<CandidateJson>,
}

#[derive(Serialize)]
struct MonthJson {
    mean: f64,
    low: f64,
    high: f64,
}

#[derive(Serialize)]
struct PlanObjectiveJson {
    metric: &'static str,
    bound: String,
}

#[derive(Serialize)]
struct VariableJson<'a> {
    key: &'a str,
    values: &'a [String],
    effect: &'static str,
}

#[derive(Serialize)]
struct ShortlistJson {
    setup: Setup,
    verdict: &'static str,
    p_broken: f64,
    kept_in: u64,
    kept_share_low: Option<f64>,
    binding: Option<String>,
    as_cheap: bool,
    metrics: Metrics,
}

#[derive(Serialize)]
struct CandidateJson {
    setup: Setup,
    after_runs: u32,
    metrics: Metrics,
}

#[derive(Serialize)]
struct MetricJson {
    mean: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}
