//! Objectives: promises that a run keeps or breaks.

use super::section::{ConfigTable, Diagnostics};
use super::value::Value;
use crate::units::rounding::at_most;

/// A promise: a metric, and the bound that it must keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// Metric that is measured.
    pub metric: ObjectiveMetric,
    /// Side of the bound on which it must lie.
    pub comparison: BoundDirection,
    /// The bound in its base unit: seconds, dollars, a share from 0 to 1, or a ratio.
    pub bound: f64,
    /// As the scenario says it: `>= 99 %`.
    pub text: String,
}

/// Side of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundDirection {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
}

impl Objective {
    /// Whether a measured value keeps the promise; one that differs from the bound by rounding
    /// does. A value that could not be measured (not a number) does not.
    pub fn kept(&self, value: f64) -> bool {
        match self.comparison {
            BoundDirection::AtLeast => at_most(self.bound, value),
            BoundDirection::AtMost => at_most(value, self.bound),
        }
    }
}

/// Statistic of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// Arithmetic mean.
    Mean,
    /// Median.
    P50,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
    /// Largest.
    Max,
}

/// Metric of an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectiveMetric {
    /// Share of work with a deadline that met it.
    DeadlinesMet,
    /// Share of work that finished.
    Finished,
    /// Wait, seconds.
    Wait(Statistic),
    /// Turnaround, seconds.
    Turnaround(Statistic),
    /// Bounded slowdown, a ratio.
    Slowdown(Statistic),
    /// Dollars in all.
    CostTotal,
    /// Dollars per month.
    CostMonthly,
    /// Dollars per finished job.
    CostPerJob,
    /// Share of the cores of running instances.
    UtilisationCpu,
    /// Share of the GPUs of running instances.
    UtilisationGpu,
    /// Seconds from the start to the last completion.
    Makespan,
}

impl ObjectiveMetric {
    /// Every metric with its key.
    pub const ALL: [(&'static str, Self); 20] = [
        ("deadlines_met", Self::DeadlinesMet),
        ("finished", Self::Finished),
        ("wait_mean", Self::Wait(Statistic::Mean)),
        ("wait_p50", Self::Wait(Statistic::P50)),
        ("wait_p95", Self::Wait(Statistic::P95)),
        ("wait_p99", Self::Wait(Statistic::P99)),
        ("wait_max", Self::Wait(Statistic::Max)),
        ("turnaround_mean", Self::Turnaround(Statistic::Mean)),
        ("turnaround_p50", Self::Turnaround(Statistic::P50)),
        ("turnaround_p95", Self::Turnaround(Statistic::P95)),
        ("turnaround_p99", Self::Turnaround(Statistic::P99)),
        ("turnaround_max", Self::Turnaround(Statistic::Max)),
        ("slowdown_mean", Self::Slowdown(Statistic::Mean)),
        ("slowdown_p95", Self::Slowdown(Statistic::P95)),
        ("cost_monthly", Self::CostMonthly),
        ("cost_total", Self::CostTotal),
        ("cost_per_job", Self::CostPerJob),
        ("utilisation_cpu", Self::UtilisationCpu),
        ("utilisation_gpu", Self::UtilisationGpu),
        ("makespan", Self::Makespan),
    ];

    /// Whether more of it is better.
    const fn high_is_good(self) -> bool {
        matches!(
            self,
            Self::DeadlinesMet | Self::Finished | Self::UtilisationCpu | Self::UtilisationGpu
        )
    }

    /// Its key in a scenario, which is also its name in reports.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, metric)| *metric == self).map_or("", |(name, _)| name)
    }
}

/// Whether more of the metric with this key is better.
pub(super) fn high_is_good(key: &str) -> bool {
    ObjectiveMetric::ALL.iter().any(|(name, metric)| *name == key && metric.high_is_good())
}

/// Reads `[objectives]`.
pub(super) fn read(section: &ConfigTable, report: &mut Diagnostics<'_>) -> Vec<Objective> {
    let mut objectives = Vec::new();
    for entry in &section.entries {
        let known = ObjectiveMetric::ALL.iter().find(|(name, _)| *name == entry.name);
        let (Some(&(name, metric)), Value::Bound(comparison, bound, text)) =
            (known, &entry.node.value)
        else {
            continue;
        };
        let high_is_good = metric.high_is_good();
        if high_is_good != (*comparison == BoundDirection::AtLeast) {
            let (found, meant) = if high_is_good { ("<=", ">=") } else { (">=", "<=") };
            report.hint(
                &entry.node.range,
                format!("`{name}` cannot be promised to be `{text}`"),
                format!("did you mean `\"{}\"`?", text.replacen(found, meant, 1)),
            );
        }
        objectives.push(Objective {
            metric,
            comparison: *comparison,
            bound: *bound,
            text: text.clone(),
        });
    }
    objectives
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::key;

    #[test]
    fn metrics_and_keys_are_the_same_list() {
        let keys: Vec<&str> = key::children("objectives").collect();
        let mut metrics: Vec<&str> = ObjectiveMetric::ALL.iter().map(|(name, _)| *name).collect();
        metrics.sort_unstable();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, metrics);
        assert_eq!(ObjectiveMetric::Wait(Statistic::P95).name(), "wait_p95");
    }

    #[test]
    fn what_could_not_be_measured_is_not_kept() {
        let objective = Objective {
            metric: ObjectiveMetric::Makespan,
            comparison: BoundDirection::AtMost,
            bound: 10.0,
            text: String::new(),
        };
        assert!(objective.kept(10.0));
        assert!(!objective.kept(10.5));
        assert!(!objective.kept(f64::NAN));
    }
}
