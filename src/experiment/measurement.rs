//! Record of one run among many: numbers to be compared, small enough to keep thousands, and
//! readable as one line of a journal.

use serde::{Deserialize, Serialize};

use super::caution::Facts;
use super::job_outcome::{JobOutcome, JobOutcomes};
use super::spending::ProductSpending;
use super::statistics::{Interval, t_interval};
use crate::metrics::{
    self, EnergyPart, GroupWait, HashTrace, METRICS, Metric, PathTraffic, ProviderHours, Series,
    Summary, Undone,
};
use crate::scenario::Objective;

/// Most steps of the course of a run.
const STEPS: usize = 120;
/// Most tenants, classes and paths of data that are kept of a run.
const MOST_GROUPS: usize = 32;

/// One run, as experiments see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Value by metric, in the order of [`METRICS`]; `None` where the run shows nothing.
    pub metrics: Vec<Option<f64>>,
    /// Amounts of work done, to tell whether two runs did the same work.
    pub done: WorkDone,
    /// Slowness of the run to all of its work.
    pub slowness: Slowness,
    /// Cost in all, in nano-dollars.
    #[serde(with = "exact")]
    pub cost: i128,
    /// Parts of the cost, which sum to it.
    pub parts: Vec<MeasuredCostPart>,
    /// What was bought, at list prices.
    pub spending: Vec<ProductSpending>,
    /// Waits by tenant, of those with most work.
    pub waits_by_tenant: Vec<GroupWait>,
    /// The same by class, where there are classes.
    pub waits_by_class: Vec<GroupWait>,
    /// Hours of cores and GPUs by provider.
    pub hours: Vec<ProviderHours>,
    /// Data moved by path, the dearest paths.
    pub moved: Vec<PathTraffic>,
    /// Energy and carbon by provider.
    pub energy_by_provider: Vec<EnergyPart>,
    /// What work caused of that, by tenant; and first, without a name, what no work did.
    pub energy_by_tenant: Vec<EnergyPart>,
    /// Seconds over which work arrived.
    pub arrivals_s: f64,
    /// Seconds whose rent is scaled to a month.
    pub rent_s: f64,
    /// Whether `rent_s` is the time over which work arrived, for nothing says what period the work
    /// stands for.
    pub of_arrivals: bool,
    /// Whether each objective of the scenario was kept.
    pub kept: Vec<bool>,
    /// The value that each was held to; `None` where the run shows nothing.
    pub promised: Vec<Option<f64>>,
    /// Outcome of each piece of work, where there were not too many.
    pub fates: Option<JobOutcomes>,
    /// Course of the run over time.
    pub course: Course,
    /// Hash of the canonical records.
    pub fingerprint: String,
    /// The same along the run.
    pub trail: HashTrace,
    /// Malformed rows of the workload that were left out.
    pub skipped_rows: u64,
    /// Facts that cautions beside the numbers are made from.
    pub facts: Facts,
}

/// Amounts of work that a run did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkDone {
    /// Pieces of work that arrived.
    pub submitted: u64,
    /// Pieces of work that were done.
    pub finished: u64,
    /// Pieces of work that were turned away.
    pub refused: u64,
    /// Progress that counted, in core-hours.
    pub core_hours: f64,
    /// Progress that counted, in GPU-hours.
    pub gpu_hours: f64,
}

/// Slowness of a run to all of its work, whatever was done of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Slowness {
    /// Pieces of work that were done.
    pub finished: u64,
    /// Sum of their bounded slowdowns.
    pub sum: f64,
    /// Work that was turned away or left unfinished.
    pub undone: Undone,
    /// Seconds until the run ended.
    pub ended_s: f64,
}

impl Slowness {
    /// Mean bounded slowdown of all work, where what was not done begins `at_s`
    /// seconds after the start. At least 1.
    pub fn mean(&self, at_s: f64) -> f64 {
        let all = self.finished + self.undone.count;
        let sum = self.sum + self.undone.slowdowns(at_s);
        if all == 0 { 1.0 } else { (sum / all as f64).max(1.0) }
    }
}

/// Charges of one provider for one kind of thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredCostPart {
    /// Provider or cluster.
    pub provider: String,
    /// Work, boot, idle or transfer.
    pub kind: String,
    /// Amount, in nano-dollars.
    #[serde(with = "exact")]
    pub nanos: i128,
    /// Dollars a month, where that is known.
    pub monthly: Option<f64>,
}

/// Means over steps of equal width.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Start of the first step in seconds since the run's start.
    pub start_s: f64,
    /// Width of a step in seconds; of two runs, one width is a multiple of the other by a power of two.
    pub step_s: f64,
    /// Waiting pieces of work.
    pub queue: Vec<f64>,
    /// Cost in dollars per hour.
    pub cost_rate: Vec<f64>,
    /// Allocated share of the running CPUs; 0 where none run.
    pub cpu: Vec<f64>,
    /// Running and booting instances.
    pub instances: Vec<f64>,
}

impl Measurement {
    /// Measurement of a finished run; `kept` says of each objective whether it was.
    pub fn of(
        summary: &Summary,
        series: &Series,
        kept: Vec<bool>,
        fates: Option<JobOutcomes>,
    ) -> Self {
        let part = |part: &metrics::CostPart| MeasuredCostPart {
            provider: part.provider.clone(),
            kind: part.kind.to_owned(),
            nanos: part.paid.nanos(),
            monthly: part.monthly,
        };
        Self {
            metrics: METRICS.iter().map(|metric| (metric.of)(summary)).collect(),
            done: WorkDone {
                submitted: summary.work.submitted,
                finished: summary.work.finished,
                refused: summary.work.refused,
                core_hours: summary.useful_core_hours,
                gpu_hours: summary.useful_gpu_hours,
            },
            slowness: Slowness {
                finished: summary.work.finished,
                sum: summary.bounded_slowdown.mean.unwrap_or(0.0) * summary.work.finished as f64,
                undone: summary.undone,
                ended_s: summary.simulated_s,
            },
            cost: summary.cost.total.nanos(),
            parts: summary.cost.parts.iter().map(part).collect(),
            spending: Vec::new(),
            waits_by_tenant: first(&summary.waits_by_tenant),
            waits_by_class: first(&summary.waits_by_class),
            hours: summary.hours_by_provider.clone(),
            moved: first(&summary.moved),
            energy_by_provider: first(&summary.carbon.of_providers()),
            energy_by_tenant: first(&summary.carbon.of_tenants()),
            arrivals_s: summary.arrivals_s,
            rent_s: summary.rent_s(),
            of_arrivals: summary.period_s.is_none() && summary.arrivals_s > 0.0,
            kept,
            promised: Vec::new(),
            fates,
            course: Course::of(series),
            fingerprint: String::new(),
            trail: HashTrace::default(),
            skipped_rows: 0,
            facts: Facts::default(),
        }
    }

    /// Whether both runs did, turned away and left as much of the work that arrived, and where not
    /// all was done, the same of it. Useful hours do not tell: those of work that a warm-up or a
    /// horizon cuts are split there.
    pub fn same_work(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.done, &other.done);
        let counts = |done: &WorkDone| (done.submitted, done.finished, done.refused);
        if counts(mine) != counts(theirs) {
            return false;
        }
        let is_done = |fate: JobOutcome| matches!(fate, JobOutcome::Done | JobOutcome::Late);
        match (&self.fates, &other.fates) {
            _ if mine.finished == mine.submitted => true,
            (Some(mine), Some(theirs)) => {
                mine.changes(theirs).iter().all(|&(from, to, _)| is_done(from) == is_done(to))
            }
            _ => (mine.core_hours, mine.gpu_hours) == (theirs.core_hours, theirs.gpu_hours),
        }
    }

    /// The value that `objective`, the one in `row` of the scenario, is held to.
    pub fn promised(&self, row: usize, objective: &Objective) -> Option<f64> {
        match objective.window {
            None => self.metric(objective.metric.key),
            Some(_) => self.promised.get(row).copied().flatten(),
        }
    }

    /// The value of the metric called `key`.
    pub fn metric(&self, key: &str) -> Option<f64> {
        let row = METRICS.iter().position(|metric| metric.key == key)?;
        self.metrics.get(row).copied().flatten()
    }
}

/// The first of what is sorted by weight: as much as many runs can keep.
fn first<T: Clone>(all: &[T]) -> Vec<T> {
    all[..all.len().min(MOST_GROUPS)].to_vec()
}

impl Course {
    /// Mean number of pieces of work that wait in the seconds from `from` to `to`; what is not
    /// covered counts as none.
    pub(super) fn waiting(&self, from: f64, to: f64) -> f64 {
        let steps = self.queue.iter().zip(0_u32..).map(|(waiting, step)| {
            let start = self.start_s + self.step_s * f64::from(step);
            waiting * ((start + self.step_s).min(to) - start.max(from)).max(0.0)
        });
        steps.sum::<f64>() / (to - from)
    }

    fn of(series: &Series) -> Self {
        let all: Vec<_> = series.buckets().collect();
        let mut merge = 1;
        while all.len().div_ceil(merge) > STEPS {
            merge *= 2;
        }
        let mut course = Self {
            start_s: series.start().secs_f64(),
            step_s: series.width().secs_f64() * merge as f64,
            ..Self::default()
        };
        for step in all.chunks(merge) {
            let span: i128 = step.iter().map(|(_, span, _)| i128::from(span.micros())).sum();
            let span = span.max(1) as f64;
            let mut sum = step[0].2.clone();
            for (_, _, bucket) in &step[1..] {
                sum.absorb(bucket);
            }
            let total = |rows: &[i128]| rows.iter().sum::<i128>() as f64 / span;
            course.queue.push(sum.waiting as f64 / span);
            course.cost_rate.push(total(&sum.rates) / 1e12);
            course.cpu.push(match sum.capacity[0] {
                0 => 0.0,
                whole => sum.allocated[0] as f64 / whole as f64,
            });
            course.instances.push(total(&sum.live));
        }
        course
    }
}

/// The interval of a metric's mean over replications with these values, at `confidence` between 0
/// and 1, cut off where the metric has no values; `None` below two values.
pub fn mean_interval(metric: &Metric, values: &[f64], confidence: f64) -> Option<Interval> {
    t_interval(values, confidence).map(|interval| interval.within(metric.range))
}

/// Whole numbers as text, which no reader of JSON rounds.
pub(super) mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::experiment) fn serialize<S: Serializer>(
        value: &i128,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&value.to_string())
    }

    pub(in crate::experiment) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<i128, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that are skewed have intervals that leave what is possible.
    #[test]
    fn intervals_of_means_end_where_metrics_do() {
        let interval = |key: &str, values: &[f64]| {
            let metric = Metric::named(key).expect("a metric");
            let interval = mean_interval(metric, values, 0.95).expect("several values");
            [interval.low, interval.high]
        };
        assert_eq!(interval("cost_monthly", &[0.0, 0.0, 90.0])[0], 0.0);
        assert_eq!(interval("wait_p95", &[0.0, 0.0, 90.0])[0], 0.0);
        assert_eq!(interval("deadlines_met", &[1.0, 1.0, 0.5])[1], 1.0);
        let [low, high] = interval("savings_rate", &[0.0, 0.9, 0.9]);
        assert!(low < 0.0 && high == 1.0, "{low} {high}");
        assert!(interval("slowdown_mean", &[1.0, 1.0, 9.0])[1] > 9.0);
        assert!(mean_interval(&METRICS[0], &[1.0], 0.95).is_none());
    }
}
