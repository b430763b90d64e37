//! Policies over the same replications, held against a baseline: what differs,
//! how surely, and what that rests on.

mod arms;
mod plan;
mod possible;
mod precision;
mod effects;
mod waterfall;

use super::job_outcome::JobOutcome;
use super::measurement::Measurement;
use super::replication::Repetition;
use super::runner::{FullRun, RunRequest, Runner, RunnerFailure, is_synthetic};
use super::setting_range;
use super::single::RunFailure;
use super::statistics::multiple::{holm, holm_of_pairs};
use super::statistics::{Margin, Paired, Verdict, equivalence, paired, verdict};
use crate::metrics::{Direction, METRICS, Metric};
use crate::policy::spec::PolicySpec;
use crate::problem::Problem;
use crate::scenario::{Objective, Scenario};
use crate::units::{Span, Time};

pub use arms::ComparedArms;
use effects::effects;
pub use effects::{CostEffects, ProductEffect, TermsEffect};
pub use plan::{Asked, ExperimentFailure, RepetitionPlan, plan};
pub use precision::Wide;
pub use waterfall::WaterfallStep;
use waterfall::waterfall;

/// Metrics that a comparison opens with, and that are judged: together they
/// are the family of tests that Holm's correction is made for.
pub const JUDGED: [&str; 17] = [
    "cost_monthly",
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

/// Dollars that nobody pays: a difference within half a cent is none. Bills are
/// rounded to a billionth instance by instance, which a month scaled from a
/// minute would show.
pub const HALF_A_CENT: f64 = 0.005;

/// Amount by which two values of a metric must differ for one of them to be the lower one: half a
/// cent of a run's or a month's cost, and a billionth of another metric, which sums may be off by.
pub fn least_difference(metric: &Metric, value: f64) -> f64 {
    match metric.key {
        "cost_total" | "cost_monthly" => HALF_A_CENT,
        _ => value.abs() * 1e-9,
    }
}

/// Replications after which a sequential comparison first looks.
const FIRST_LOOK: u32 = 10;
/// Replications between two looks.
const BETWEEN_LOOKS: u32 = 5;

/// Settings by which a comparison judges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judging {
    /// Confidence of intervals, and one minus the family-wise error of verdicts; more than 0 and less
    /// than 1, such as 0.95.
    pub confidence: f64,
    /// Differences within this share of the baseline's mean do not matter, if one is given; 0 or more.
    pub margin: Option<f64>,
    /// Replications are added until the intervals are this narrow, as a share of the baseline's mean;
    /// more than 0.
    pub precision: Option<f64>,
}

/// Settings with a confidence of 95 %, no margin and no precision.
impl Default for Judging {
    fn default() -> Self {
        Self { confidence: 0.95, margin: None, precision: None }
    }
}

/// Kind of chance between replications, and so the meaning of intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    /// All replications came out the same: differences are exact, and say
    /// nothing about other workloads.
    None,
    /// The workload is drawn anew in every replication.
    Workload,
    /// The workload is one trace; only boot times and the policies' own draws vary.
    OneTrace,
    /// Windows or blocks of one trace stand for what could have been.
    Resampled,
    /// Nothing is known of chance, as there was one replication only.
    Unknown,
}

/// A metric of a policy against the baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Contrast {
    /// Mean of the baseline over the replications in which both show the metric.
    pub base: f64,
    /// Mean of the policy over the same.
    pub mean: f64,
    /// The interval and the test; `None` without chance or with one replication.
    pub paired: Option<Paired>,
    /// p-value corrected by Holm over all judged metrics and policies; `None` if the metric is not
    /// judged.
    pub adjusted_p: Option<f64>,
    /// p-value of "the difference is the margin or more", corrected in the same family; `None`
    /// without a margin.
    pub equivalence_p: Option<f64>,
    /// Verdict on the difference; `None` if the metric is not judged or is neither better nor
    /// worse.
    pub verdict: Option<Verdict>,
}

/// One policy in a comparison.
#[derive(Clone, Debug)]
pub struct ComparedPolicy {
    /// Name of the policy in the scenario.
    pub name: String,
    /// Measurements, one per replication.
    pub measurements: Vec<Measurement>,
    /// Contrasts by metric, in the order of [`METRICS`]; `None` for the baseline itself and where
    /// nothing can be set against each other.
    pub contrasts: Vec<Option<Contrast>>,
    /// Whether the policy did the same work as the baseline in every replication.
    pub comparable: bool,
    /// Number of replications in which each objective was kept, by objective.
    pub kept: Vec<u32>,
    /// Number of pieces of work that went from one outcome (under the baseline) to another, over
    /// all replications; `None` if there were too many to keep.
    pub outcome_changes: Option<Vec<(JobOutcome, JobOutcome, u64)>>,
    /// Parts of the difference in cost, mean over the replications.
    pub waterfall: Vec<WaterfallStep>,
    /// The same by volume, mix, price and terms.
    pub effects: CostEffects,
    /// Bounds for policies that do as much, by metric: the mean over the replications; `None` where
    /// that is not known for all of them.
    pub possible: Vec<Option<f64>>,
}

/// All policies of a comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Row of the baseline.
    pub baseline: usize,
    /// Policies in the order of the scenario.
    pub policies: Vec<ComparedPolicy>,
    /// Repetition of the scenario: seeds, windows or blocks.
    pub repetition: Repetition,
    /// Number of replications.
    pub replications: u32,
    /// Seed of the first replication.
    pub seed: u64,
    /// Kind of chance between replications.
    pub chance: Chance,
    /// Settings by which it judges.
    pub judging: Judging,
    /// Whether the precision that was asked for was reached; `None` if none was asked for.
    pub precise: Option<bool>,
    /// Intervals that are wider than the precision asks for.
    pub wide: Vec<Wide>,
    /// First and last date of the counted part of the trace, by replication, if that was a window.
    pub windows: Vec<(String, String)>,
}

/// A policy in its scenario: one side of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Arm<'a> {
    /// Name of the policy as the comparison shows it.
    pub name: &'a str,
    /// Its scenario, with its inputs shared.
    pub scenario: &'a Scenario,
    /// The policy.
    pub policy: &'a PolicySpec,
}

impl<'a> Arm<'a> {
    /// Request for one run of the arm.
    pub fn cell(&self, repetition: Repetition, replication: u32) -> RunRequest<'a> {
        RunRequest { scenario: self.scenario, policy: self.policy, repetition, replication }
    }
}

/// Runs all sides as often as planned, against the one in row `baseline`; the
/// first replication of each comes back in full.
///
/// # Errors
/// See [`RunnerFailure`]; also where the warm-up leaves nothing to be counted, or a setting of
/// `judging` is out of its range.
pub fn compare(
    runner: &Runner<'_>,
    sides: &[Arm<'_>],
    baseline: usize,
    plan: &RepetitionPlan,
    judging: Judging,
) -> Result<(Comparison, Vec<FullRun>), RunnerFailure> {
    let scenario = sides[baseline].scenario;
    let wrong = setting_range::of_judging(&judging, &scenario.path);
    if !wrong.is_empty() {
        let (policy, failure) = (sides[baseline].name.to_owned(), RunFailure::Input(wrong.into()));
        return Err(RunnerFailure::Run { policy, seed: scenario.seed, failure: Box::new(failure) });
    }
    let repetition = match judging.precision {
        Some(_) => plan.repetition.scattered(),
        None => plan.repetition,
    };
    let cells = |replications: std::ops::Range<u32>| -> Vec<RunRequest<'_>> {
        let each = |replication| sides.iter().map(move |side| side.cell(repetition, replication));
        replications.flat_map(each).collect()
    };
    let exhibits = runner.exhibit(&cells(0..1))?;
    something_counts(sides, &exhibits, repetition)?;
    let mut all: Vec<Vec<Measurement>> =
        exhibits.iter().map(|exhibit| vec![exhibit.measurement.clone()]).collect();
    let extend = |all: &mut Vec<Vec<Measurement>>, until: u32| -> Result<(), RunnerFailure> {
        let from = all[0].len() as u32;
        let measured = runner.measure(&cells(from..until.max(from)))?;
        for (at, one) in measured.into_iter().enumerate() {
            all[at % sides.len()].push(one);
        }
        Ok(())
    };
    let evidence = |measurements, chance| Evidence {
        names: sides.iter().map(|side| side.name.to_owned()).collect(),
        baseline,
        measurements,
        repetition,
        seed: scenario.seed,
        chance,
    };
    let (mut precise, mut wide) = (None, Vec::new());
    if plan.replications > 1 {
        extend(&mut all, 2)?;
        let same = |rows: &Vec<Measurement>| rows[0].fingerprint == rows[1].fingerprint;
        if all.iter().all(same) {
            // Nothing is random: more of the same would only look like knowledge.
            all.iter_mut().for_each(|rows| rows.truncate(1));
            let mut comparison = Comparison::judge(evidence(all, Chance::None), judging);
            possible::fill(&mut comparison, sides)?;
            return Ok((comparison, exhibits));
        }
        let first = if judging.precision.is_some() { FIRST_LOOK } else { plan.replications };
        extend(&mut all, first.min(plan.replications))?;
    }
    let chance = match plan.repetition {
        _ if plan.replications == 1 => Chance::Unknown,
        Repetition::Seeds { .. } if is_synthetic(scenario) => Chance::Workload,
        Repetition::Seeds { .. } => Chance::OneTrace,
        Repetition::Windows { .. } | Repetition::Blocks { .. } => Chance::Resampled,
    };
    if let Some(precision) = judging.precision.filter(|_| plan.replications > 1) {
        loop {
            let done = all[0].len() as u32;
            wide = precision::wide(sides, baseline, &all, judging.confidence, precision);
            precise = Some(wide.is_empty());
            if wide.iter().all(Wide::is_hopeless) || done >= plan.replications {
                break;
            }
            extend(&mut all, (done + BETWEEN_LOOKS).min(plan.replications))?;
        }
    }
    let mut comparison = Comparison::judge(evidence(all, chance), judging);
    possible::fill(&mut comparison, sides)?;
    let date = |at: Time| scenario.calendar.format(at);
    let windows = (0..comparison.replications).filter_map(|index| repetition.window(index));
    let windows = windows.map(|(from, to)| (date(from), date(to))).collect();
    Ok((Comparison { precise, wide, windows, ..comparison }, exhibits))
}

/// Fails where no work arrived after the warm-up: there would be nothing to compare.
fn something_counts(
    sides: &[Arm<'_>],
    exhibits: &[FullRun],
    repetition: Repetition,
) -> Result<(), RunnerFailure> {
    let Repetition::Seeds { warm_up } = repetition else { return Ok(()) };
    let nothing = |(_, exhibit): &(&Arm<'_>, &FullRun)| exhibit.measurement.done.submitted == 0;
    let empty = sides.iter().zip(exhibits).find(nothing).filter(|_| warm_up > Span::ZERO);
    let Some((side, exhibit)) = empty else { return Ok(()) };
    let message = format!("the warm-up of {warm_up} leaves nothing to count");
    let hint = format!(
        "the run is over at {}; give a shorter `--warm-up`, or longer work",
        exhibit.result.summary.ended
    );
    let problem = Problem::with(&side.scenario.path, message).hint(hint);
    let failure = Box::new(RunFailure::Input(problem.into()));
    Err(RunnerFailure::Run { policy: side.policy.name.clone(), seed: side.scenario.seed, failure })
}

/// The values of a metric in the replications in which both show it.
fn pairs(a: &[Measurement], b: &[Measurement], metric: usize) -> (Vec<f64>, Vec<f64>) {
    let value = |one: &Measurement| one.metrics.get(metric).copied().flatten();
    a.iter().zip(b).filter_map(|(a, b)| value(a).zip(value(b))).unzip()
}

/// Measurements and settings of a comparison, before it is judged.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Names of the policies.
    pub names: Vec<String>,
    /// Row of the baseline.
    pub baseline: usize,
    /// Measurements by policy: one per replication, as many for each.
    pub measurements: Vec<Vec<Measurement>>,
    /// Repetition of the scenario: seeds, windows or blocks.
    pub repetition: Repetition,
    /// Seed of the first replication.
    pub seed: u64,
    /// Kind of chance between replications.
    pub chance: Chance,
}

/// Number of replications in which each objective was kept, by objective.
fn kept(measurements: &[Measurement]) -> Vec<u32> {
    let objectives = measurements.first().map_or(0, |one| one.kept.len());
    let count = |objective: usize| {
        measurements.iter().filter(|one| one.kept.get(objective) == Some(&true)).count() as u32
    };
    (0..objectives).map(count).collect()
}

fn fates(
    base: &[Measurement],
    other: &[Measurement],
) -> Option<Vec<(JobOutcome, JobOutcome, u64)>> {
    let mut sums = std::collections::BTreeMap::new();
    for (a, b) in base.iter().zip(other) {
        for (from, to, count) in a.fates.as_ref()?.changes(b.fates.as_ref()?) {
            *sums.entry((from, to)).or_insert(0) += count;
        }
    }
    Some(sums.into_iter().map(|((from, to), count)| (from, to, count)).collect())
}

/// Verdicts over all judged metrics of all policies as one family.
fn judge_all(policies: &mut [ComparedPolicy], judging: Judging) {
    let mut family = Vec::new();
    for (row, policy) in policies.iter().enumerate() {
        for (metric, contrast) in policy.contrasts.iter().enumerate() {
            let Some(contrast) = contrast else { continue };
            if JUDGED.contains(&METRICS[metric].key)
                && METRICS[metric].better != Direction::Neutral
                && let Some(paired) = contrast.paired
            {
                family.push((row, metric, paired));
            }
        }
    }
    let margin = judging.margin.map(Margin::Relative);
    let adjusted: Vec<(f64, Option<f64>)> = match margin {
        None => {
            let p: Vec<f64> = family.iter().map(|(.., paired)| paired.p).collect();
            holm(&p).into_iter().map(|p| (p, None)).collect()
        }
        Some(margin) => {
            let both = |paired: &Paired| [paired.p, equivalence::equivalent(paired, margin)];
            let p: Vec<[f64; 2]> = family.iter().map(|(.., paired)| both(paired)).collect();
            holm_of_pairs(&p).into_iter().map(|[p, equal]| (p, Some(equal))).collect()
        }
    };
    for (&(row, metric, paired), (adjusted_p, equivalence_p)) in family.iter().zip(adjusted) {
        let Some(contrast) = &mut policies[row].contrasts[metric] else { continue };
        contrast.adjusted_p = Some(adjusted_p);
        contrast.equivalence_p = equivalence_p;
        let (better, alpha) = (METRICS[metric].better, 1.0 - judging.confidence);
        let nothing = is_nothing(metric, contrast.difference());
        contrast.verdict = Some(match verdict(&paired, adjusted_p, equivalence_p, better, alpha) {
            Verdict::Better | Verdict::Worse if nothing => Verdict::NoDifferenceShown,
            shown => shown,
        });
    }
}

/// Whether a difference in dollars a month is due to rounding alone.
fn is_nothing(metric: usize, difference: f64) -> bool {
    METRICS[metric].key == "cost_monthly" && difference.abs() < HALF_A_CENT
}

impl Contrast {
    fn of(metric: &Metric, (base, other): (&[f64], &[f64]), confidence: f64) -> Option<Self> {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let paired = paired(base, other, confidence);
        let counted = |paired: Paired| if metric.is_counted { paired.of_counts() } else { paired };
        (!base.is_empty()).then(|| Self {
            base: mean(base),
            mean: mean(other),
            paired: paired.map(counted),
            adjusted_p: None,
            equivalence_p: None,
            verdict: None,
        })
    }

    /// The policy's mean less the baseline's.
    pub fn difference(&self) -> f64 {
        self.paired.map_or(self.mean - self.base, |paired| paired.difference)
    }

    /// The difference over the size of the baseline's mean; `None` if that is zero.
    pub fn relative(&self) -> Option<f64> {
        (self.base != 0.0).then(|| self.difference() / self.base.abs())
    }
}

impl Comparison {
    /// Judges the evidence.
    pub fn judge(evidence: Evidence, judging: Judging) -> Self {
        let Evidence { names, baseline, measurements, repetition, seed, chance } = evidence;
        let base = measurements[baseline].clone();
        let contestant = |(at, (name, mine)): (usize, (String, Vec<Measurement>))| {
            let comparable = base.iter().zip(&mine).all(|(a, b)| a.same_work(b));
            let contrasts = (0..METRICS.len()).map(|metric| {
                if at == baseline || (METRICS[metric].is_of_same_work && !comparable) {
                    return None;
                }
                let (a, b) = pairs(&base, &mine, metric);
                Contrast::of(&METRICS[metric], (&a, &b), judging.confidence)
            });
            ComparedPolicy {
                name,
                contrasts: contrasts.collect(),
                comparable,
                kept: kept(&mine),
                outcome_changes: fates(&base, &mine),
                waterfall: waterfall(&base, &mine),
                effects: effects(&base, &mine),
                possible: vec![None; METRICS.len()],
                measurements: mine,
            }
        };
        let all = names.into_iter().zip(measurements).enumerate();
        let mut policies: Vec<ComparedPolicy> = all.map(contestant).collect();
        judge_all(&mut policies, judging);
        let replications = base.len() as u32;
        Self {
            baseline,
            policies,
            repetition,
            replications,
            seed,
            chance,
            judging,
            precise: None,
            wide: Vec::new(),
            windows: Vec::new(),
        }
    }

    /// Whether intervals can be given: there was chance, and more than one
    /// replication to see it.
    pub fn is_judged(&self) -> bool {
        !matches!(self.chance, Chance::None | Chance::Unknown)
    }

    /// Whether a policy is shown to be better (`Some(true)`) or worse than the
    /// baseline in a metric: by its verdict, or by the interval where the metric
    /// has none; by the difference alone where there was no chance to be seen.
    pub fn shown(&self, row: usize, key: &str) -> Option<bool> {
        let metric = METRICS.iter().position(|metric| metric.key == key)?;
        let contrast = self.policies[row].contrasts[metric].as_ref()?;
        let by = contrast.difference();
        match (self.is_judged(), contrast.verdict, contrast.paired) {
            (true, Some(Verdict::Better), _) => return Some(true),
            (true, Some(Verdict::Worse), _) => return Some(false),
            (true, Some(_), _) | (true, None, None) => return None,
            (true, None, Some(paired)) if !paired.interval.excludes(0.0) => return None,
            _ if by == 0.0 || is_nothing(metric, by) => return None,
            _ => {}
        }
        match METRICS[metric].better {
            Direction::Lower => Some(by < 0.0),
            Direction::Higher => Some(by > 0.0),
            Direction::Neutral => None,
        }
    }

    /// Whether two policies come out the same in every metric of every replication.
    pub fn is_same(&self, one: usize, other: usize) -> bool {
        let metrics = |row: usize| self.policies[row].measurements.iter().map(|one| &one.metrics);
        metrics(one).eq(metrics(other))
    }

    /// Whether all policies did the same work.
    pub fn comparable(&self) -> bool {
        self.policies.iter().all(|policy| policy.comparable)
    }

    /// Mean of a metric over the replications in which the policy shows it.
    pub fn mean(&self, row: usize, metric: usize) -> Option<f64> {
        let values = self.policies[row].measurements.iter();
        let values: Vec<f64> =
            values.filter_map(|one| one.metrics.get(metric).copied().flatten()).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Mean of the values that an objective, which has this row in the scenario, is held to under a
    /// policy, over the replications that show any.
    pub fn promised(&self, row: usize, at: usize, objective: &Objective) -> Option<f64> {
        let values = self.policies[row].measurements.iter();
        let values: Vec<f64> = values.filter_map(|one| one.promised(at, objective)).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Bound for policies that do as much as this one, and the policy's distance from it as a share
    /// of the bound. `None` if the bound or the mean is not known; no share if the bound is 0.
    pub fn regret(&self, row: usize, metric: usize) -> Option<(f64, Option<f64>)> {
        let possible = self.policies[row].possible.get(metric).copied().flatten()?;
        let mean = self.mean(row, metric)?;
        let behind = match METRICS[metric].better {
            Direction::Higher => possible - mean,
            Direction::Lower | Direction::Neutral => mean - possible,
        };
        Some((possible, (possible != 0.0).then(|| behind / possible.abs())))
    }

    /// A month of a policy against one of the baseline, whatever work each did; without a
    /// verdict, as two amounts of work have two prices. None for the baseline itself.
    pub fn months(&self, row: usize) -> Option<Contrast> {
        let metric = METRICS.iter().position(|metric| metric.key == "cost_monthly")?;
        let measurements = |row: usize| &self.policies[row].measurements;
        let (a, b) = pairs(measurements(self.baseline), measurements(row), metric);
        let contrast = Contrast::of(&METRICS[metric], (&a, &b), self.judging.confidence);
        contrast.filter(|_| row != self.baseline)
    }

    /// The metric called `key` of a policy against the baseline.
    pub fn contrast(&self, row: usize, key: &str) -> Option<&Contrast> {
        let metric = METRICS.iter().position(|metric| metric.key == key)?;
        self.policies[row].contrasts[metric].as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two replications with as many more refused are no certainty; two that cost as much
    /// more are, for a bill is no count.
    #[test]
    fn two_counts_that_differ_alike_show_nothing() {
        let p = |key: &str| {
            let metric = Metric::named(key).expect("it is one");
            let contrast = Contrast::of(metric, (&[3.0, 4.0], &[4.0, 5.0]), 0.95);
            contrast.and_then(|one| one.paired).expect("two pairs").p
        };
        assert_eq!((p("refused"), p("finished"), p("cost_total")), (0.5, 0.5, 0.0));
    }
}
