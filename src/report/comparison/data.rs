//! A comparison as data: `compare.csv`, `replications.csv`, `fates.csv`,
//! `waterfall.csv` and `compare.json`.

use std::io;

use serde::Serialize;

use super::super::breakdown::Breakdown;
use super::super::document::Answer;
use super::super::keyed::Keyed;
use super::super::run::ObjectiveResult;
use super::super::sheet::{Sheet, TextCells};
use super::super::words::write_json;
use super::ComparisonReport;
use crate::experiment::{CostEffects, Decision, JobOutcome, PromiseChange};
use crate::metrics::{METRICS, Metric, Summary};
use crate::scenario::Difference;
use crate::units::Money;

/// The columns of `compare.csv`, in order.
pub(in crate::report) const COLUMNS: [&str; 16] = [
    "metric",
    "unit",
    "policy",
    "replications",
    "mean",
    "baseline_mean",
    "difference",
    "relative_difference",
    "interval_low",
    "interval_high",
    "p",
    "adjusted_p",
    "variance_ratio",
    "verdict",
    "best_possible",
    "regret",
];

/// The first columns of `replications.csv`; one per metric follows.
const REPLICATION_COLUMNS: [&str; 6] =
    ["policy", "replication", "seed", "event_hash", "window_start", "window_end"];

impl ComparisonReport<'_> {
    /// Writes `compare.csv`: one row per metric and policy, every metric.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_csv<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, COLUMNS);
        for metric in METRICS {
            for row in 0..self.many.policies.len() {
                let cell = self.cell(metric, row);
                sheet.word(metric.key);
                sheet.word(metric.unit);
                sheet.text(&self.many.policies[row].name);
                sheet.whole(self.many.replications);
                for value in [cell.mean, cell.baseline_mean, cell.difference] {
                    sheet.number(value);
                }
                sheet.number(cell.relative_difference);
                let interval = cell.interval;
                sheet.number(interval.map(|interval| interval[0]));
                sheet.number(interval.map(|interval| interval[1]));
                for value in [cell.p, cell.adjusted_p, cell.variance_ratio] {
                    sheet.number(value);
                }
                sheet.word(cell.verdict);
                sheet.number(cell.best_possible);
                sheet.number(cell.regret);
                sheet.end_row();
            }
        }
        sheet.finish()
    }

    /// Writes `replications.csv`: one row per policy and replication, every metric.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_replications<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let columns =
            REPLICATION_COLUMNS.into_iter().chain(METRICS.iter().map(|metric| metric.key));
        let mut sheet = Sheet::new(out, cells, columns);
        for policy in &self.many.policies {
            for (replication, one) in (0_u32..).zip(&policy.measurements) {
                sheet.text(&policy.name);
                sheet.whole(replication);
                sheet.whole(self.many.seed.wrapping_add(u64::from(replication)));
                sheet.text(&one.fingerprint);
                let window = self.many.windows.get(replication as usize);
                sheet.text(window.map_or("", |(start, _)| start));
                sheet.text(window.map_or("", |(_, end)| end));
                one.metrics.iter().for_each(|&value| sheet.number(value));
                sheet.end_row();
            }
        }
        sheet.finish()
    }

    /// Writes `fates.csv`: the work of the first replication whose outcome is not
    /// the one that it had under the baseline. `names` are those of that work,
    /// in the order of the outcomes.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_outcome_changes<W: io::Write>(
        &self,
        out: W,
        names: &[String],
        cells: TextCells,
    ) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, ["job", "policy", "baseline_fate", "fate"]);
        let fates = |row: usize| self.many.policies[row].measurements[0].fates.as_ref();
        for (row, policy) in self.many.policies.iter().enumerate() {
            let Some((base, mine)) = fates(self.many.baseline).zip(fates(row)) else { continue };
            for ((from, to), name) in base.iter().zip(mine.iter()).zip(names) {
                if from != to {
                    sheet.text(name);
                    sheet.text(&policy.name);
                    sheet.word(from.name());
                    sheet.word(to.name());
                    sheet.end_row();
                }
            }
        }
        sheet.finish()
    }

    /// Writes `waterfall.csv`: what the difference in the cost of the runs is made of, summed
    /// over all replications and exact; the parts of a policy sum to its difference.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_waterfall<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, ["policy", "provider", "kind", "usd"]);
        for policy in &self.many.policies {
            for step in &policy.waterfall {
                sheet.text(&policy.name);
                sheet.text(&step.provider);
                sheet.text(&step.kind);
                sheet.money(Money::from_nanos(step.nanos));
                sheet.end_row();
            }
        }
        sheet.finish()
    }

    fn cell(&self, metric: &Metric, row: usize) -> MetricCell {
        let contrast = self.many.contrast(row, metric.key);
        let at = METRICS.iter().position(|known| known.key == metric.key);
        let regret = at.and_then(|at| self.many.regret(row, at));
        let paired = contrast.and_then(|one| one.paired).filter(|_| self.is_judged());
        MetricCell {
            mean: self.mean(metric, row),
            baseline_mean: self.mean(metric, self.many.baseline),
            difference: contrast.map(|one| one.difference()),
            relative_difference: contrast.and_then(|one| one.relative()),
            interval: paired.map(|paired| [paired.interval.low, paired.interval.high]),
            p: paired.map(|paired| paired.p),
            adjusted_p: contrast.and_then(|one| one.adjusted_p).filter(|_| self.is_judged()),
            variance_ratio: paired.and_then(|paired| paired.variance_ratio),
            verdict: self.verdict(metric, row),
            best_possible: regret.map(|(possible, _)| possible),
            regret: regret.and_then(|(_, behind)| behind),
        }
    }

    /// Writes `compare.json`.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let many = self.many;
        let mut breakdowns = self.breakdowns().into_iter();
        let policy = |row: usize| ComparisonPolicyJson {
            name: &many.policies[row].name,
            comparable: many.policies[row].comparable,
            against_baseline: METRICS
                .iter()
                .map(|metric| (metric.key, self.cell(metric, row)))
                .collect(),
            objectives_kept: &many.policies[row].kept,
            effects: EffectsJson::of(&many.policies[row].effects),
            fates_changed: changes(many.policies[row].outcome_changes.as_deref()),
            objectives: self.rows[row].objectives,
            breakdown: breakdowns.next().map(|(_, one)| one).unwrap_or_default(),
            summary: self.rows[row].summary,
        };
        let said = self.statements();
        let all = ComparisonJson {
            question: self.question,
            answer: said.answer,
            cautions: said.cautions,
            findings: self.findings(),
            assumptions: self.assumptions(),
            baseline: &many.policies[many.baseline].name,
            comparable: many.comparable(),
            replications: many.replications,
            repetition: many.repetition.description(),
            seed: many.seed,
            confidence: many.judging.confidence,
            margin: many.judging.margin,
            judged: self.is_judged(),
            precision: many.judging.precision.map(|asked| self.precision(asked)),
            decision: self.decision.map(|decision| self.decided(decision)),
            between: self.between.map(|between| BetweenJson {
                same_work: between.same_work,
                differences: between.differences.iter().map(DifferenceJson::of).collect(),
            }),
            policies: (0..many.policies.len()).map(policy).collect(),
        };
        write_json(&all, out)
    }

    fn precision(&self, asked: f64) -> PrecisionJson<'_> {
        let wide = self.many.wide.iter();
        let not_by = wide.map(|one| WideJson {
            policy: &one.policy,
            metric: METRICS[one.metric].key,
            half_width: one.half_width,
            wanted: one.wanted,
        });
        PrecisionJson { asked, reached: self.many.precise, not_by: not_by.collect() }
    }

    fn decided<'d>(&'d self, decision: &'d Decision) -> DecisionJson<'d> {
        let (saving, sensitivity) = (decision.saving, &decision.sensitivity);
        let interval = saving.and_then(|saving| saving.interval);
        let influences = sensitivity.influences.iter();
        DecisionJson {
            policy: &self.many.policies[decision.choice].name,
            monthly_saving_usd: saving.map(|saving| saving.monthly),
            monthly_saving_interval_usd: interval.map(|interval| [interval.low, interval.high]),
            objectives_gained: decision.chosen().rows(PromiseChange::Gained),
            objectives_lost: decision.chosen().rows(PromiseChange::Lost),
            objectives_kept_more_often: decision.chosen().rows(PromiseChange::MoreOften),
            objectives_kept_less_often: decision.chosen().rows(PromiseChange::LessOften),
            assumptions_replications: sensitivity.replications,
            assumptions_unfit: &sensitivity.unfit,
            assumptions: influences
                .map(|one| InfluenceJson {
                    assumption: &one.assumption,
                    before: one.before,
                    after: one.after,
                })
                .collect(),
        }
    }
}

fn changes(fates: Option<&[(JobOutcome, JobOutcome, u64)]>) -> Option<Vec<FateJson>> {
    let change = |&(from, to, count): &(JobOutcome, JobOutcome, u64)| FateJson {
        from: from.name(),
        to: to.name(),
        count,
    };
    fates.map(|fates| fates.iter().map(change).collect())
}

/// One metric of one policy against the baseline.
#[derive(Clone, Copy, Debug, Serialize)]
struct MetricCell {
    mean: Option<f64>,
    baseline_mean: Option<f64>,
    difference: Option<f64>,
    relative_difference: Option<f64>,
    interval: Option<[f64; 2]>,
    p: Option<f64>,
    adjusted_p: Option<f64>,
    variance_ratio: Option<f64>,
    verdict: &'static str,
    best_possible: Option<f64>,
    regret: Option<f64>,
}

/// Cells by the key of their metric.
type AgainstBaseline = Keyed<&'static str, MetricCell>;

#[derive(Serialize)]
struct ComparisonJson<'a, F> {
    question: Option<&'a str>,
    answer: Answer,
    cautions: Vec<String>,
    findings: F,
    assumptions: Vec<String>,
    baseline: &'a str,
    comparable: bool,
    replications: u32,
    repetition: String,
    seed: u64,
    confidence: f64,
    margin: Option<f64>,
    judged: bool,
    precision: Option<PrecisionJson<'a>>,
    decision: Option<DecisionJson<'a>>,
    between: Option<BetweenJson<'a>>,
    policies: Vec<ComparisonPolicyJson<'a>>,
}

#[derive(Serialize)]
struct PrecisionJson<'a> {
    asked: f64,
    reached: Option<bool>,
    not_by: Vec<WideJson<'a>>,
}

#[derive(Serialize)]
struct WideJson<'a> {
    policy: &'a str,
    metric: &'static str,
    half_width: f64,
    wanted: f64,
}

#[derive(Serialize)]
struct DecisionJson<'a> {
    policy: &'a str,
    monthly_saving_usd: Option<f64>,
    monthly_saving_interval_usd: Option<[f64; 2]>,
    objectives_gained: Vec<usize>,
    objectives_lost: Vec<usize>,
    objectives_kept_more_often: Vec<usize>,
    objectives_kept_less_often: Vec<usize>,
    assumptions_replications: u32,
    assumptions_unfit: &'a [String],
    assumptions: Vec<InfluenceJson<'a>>,
}

#[derive(Serialize)]
struct InfluenceJson<'a> {
    assumption: &'a str,
    before: f64,
    after: f64,
}

#[derive(Serialize)]
struct BetweenJson<'a> {
    same_work: bool,
    differences: Vec<DifferenceJson<'a>>,
}

#[derive(Serialize)]
struct DifferenceJson<'a> {
    key: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

impl<'a> DifferenceJson<'a> {
    fn of(one: &'a Difference) -> Self {
        let (before, after) = (one.before.as_deref(), one.after.as_deref());
        Self { key: &one.key, before, after }
    }
}

#[derive(Serialize)]
struct FateJson {
    from: &'static str,
    to: &'static str,
    count: u64,
}

/// Parts of the difference in cost, summed over all replications.
#[derive(Serialize)]
struct EffectsJson {
    volume_usd: String,
    mix_usd: String,
    price_usd: String,
    terms_usd: String,
    difference_usd: String,
}

impl EffectsJson {
    fn of(effects: &CostEffects) -> Self {
        let sums = effects.sums();
        let exact = |nanos: i128| Money::from_nanos(nanos).exact();
        let [volume_usd, mix_usd, price_usd, terms_usd] = sums.map(exact);
        let difference_usd = exact(sums.iter().sum());
        Self { volume_usd, mix_usd, price_usd, terms_usd, difference_usd }
    }
}

#[derive(Serialize)]
struct ComparisonPolicyJson<'a> {
    name: &'a str,
    comparable: bool,
    against_baseline: AgainstBaseline,
    objectives_kept: &'a [u32],
    effects: EffectsJson,
    fates_changed: Option<Vec<FateJson>>,
    objectives: &'a [ObjectiveResult],
    breakdown: Breakdown,
    summary: &'a Summary,
}
