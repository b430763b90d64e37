//! The numbers of a summary that objectives, comparisons and tables may name.

use super::summary::Summary;
use crate::units::Money;

/// Direction in which a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither.
    Neutral,
}

/// A number of a summary, by a name that scenarios and tables use.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Name in scenarios, CSV and JSON.
    pub key: &'static str,
    /// Words of reports.
    pub label: &'static str,
    /// Unit of the value: `USD`, `s`, `share`, `count`, `h`, `kg`, `ratio`, `per h`.
    pub unit: &'static str,
    /// Direction that is better.
    pub better: Direction,
    /// Reads it; `None` where the run has nothing to show.
    pub of: fn(&Summary) -> Option<f64>,
}

impl Metric {
    /// Whether it counts things, or is a share of a count: values of few runs agree easily.
    pub fn is_counted(&self) -> bool {
        self.unit == "count" || matches!(self.key, "finished" | "deadlines_met")
    }

    /// Least and largest value that it can have, where there are: no time, amount or share is below
    /// 0, and no share above 1. A rate of savings is below 0 where more is paid than the list price.
    pub fn range(&self) -> [Option<f64>; 2] {
        [(self.key != "savings_rate").then_some(0.0), (self.unit == "share").then_some(1.0)]
    }
}

macro_rules! metrics {
    ($(($key:literal, $label:literal, $unit:literal, $better:ident, $of:expr)),* $(,)?) => {
        /// Every metric that an objective or a comparison may name.
        pub const METRICS: &[Metric] = &[
            $(Metric { key: $key, label: $label, unit: $unit, better: Direction::$better, of: $of }),*
        ];
    };
}

metrics![
    ("cost_total", "cost", "USD", Lower, |s| Some(s.cost.total.dollars())),
    ("cost_monthly", "cost per month", "USD", Lower, Summary::monthly),
    ("cost_per_job", "cost per job", "USD", Lower, |s| s.cost.per_job_usd),
    ("cost_per_core_hour", "cost per useful core-hour", "USD", Lower, |s| {
        s.cost.per_useful_core_hour_usd
    }),
    ("cost_per_gpu_hour", "cost per useful GPU-hour", "USD", Lower, |s| {
        s.cost.per_useful_gpu_hour_usd
    }),
    ("savings_rate", "effective savings rate", "share", Higher, |s| s.cost.effective_savings_rate),
    ("finished", "work finished", "share", Higher, |s| s.work.finished_share),
    ("deadlines_met", "deadlines met", "share", Higher, |s| {
        (s.deadlines.with > 0).then(|| s.deadlines.met as f64 / s.deadlines.with as f64)
    }),
    ("tardiness_mean", "tardiness, mean", "s", Lower, |s| s.deadlines.tardiness_s.mean),
    ("tardiness_max", "tardiness, longest", "s", Lower, |s| s.deadlines.tardiness_s.max),
    ("wait_mean", "wait, mean", "s", Lower, |s| s.wait_s.mean),
    ("wait_p50", "wait, p50", "s", Lower, |s| s.wait_s.p50),
    ("wait_p95", "wait, p95", "s", Lower, |s| s.wait_s.p95),
    ("wait_p99", "wait, p99", "s", Lower, |s| s.wait_s.p99),
    ("wait_max", "wait, longest", "s", Lower, |s| s.wait_s.max),
    ("turnaround_mean", "turnaround, mean", "s", Lower, |s| s.turnaround_s.mean),
    ("turnaround_p50", "turnaround, p50", "s", Lower, |s| s.turnaround_s.p50),
    ("turnaround_p95", "turnaround, p95", "s", Lower, |s| s.turnaround_s.p95),
    ("turnaround_p99", "turnaround, p99", "s", Lower, |s| s.turnaround_s.p99),
    ("turnaround_max", "turnaround, longest", "s", Lower, |s| s.turnaround_s.max),
    ("slowdown_mean", "bounded slowdown, mean", "ratio", Lower, |s| s.bounded_slowdown.mean),
    ("slowdown_p95", "bounded slowdown, p95", "ratio", Lower, |s| s.bounded_slowdown.p95),
    ("makespan", "makespan", "s", Lower, |s| Some(s.makespan_s)),
    ("throughput", "throughput", "per h", Higher, |s| s.throughput_per_hour),
    ("queue_length_mean", "queue length, mean", "count", Lower, |s| s.queue_length_mean),
    ("queue_length_max", "queue length, longest", "count", Lower, |s| {
        Some(s.queue_length_max as f64)
    }),
    ("utilisation_cpu", "CPU utilisation", "share", Higher, |s| s.utilisation_cpu),
    ("utilisation_memory", "memory utilisation", "share", Higher, |s| s.utilisation_memory),
    ("utilisation_gpu", "GPU utilisation", "share", Higher, |s| s.utilisation_gpu),
    ("unfinished", "work unfinished", "count", Lower, |s| Some(s.work.unfinished as f64)),
    ("refused", "work refused", "count", Lower, |s| Some(s.work.refused as f64)),
    ("preemptions", "preemptions", "count", Lower, |s| Some(s.work.preemptions as f64)),
    ("instance_hours", "instance-hours", "h", Neutral, |s| Some(s.instance_hours)),
    ("instances_max", "instances at once, most", "count", Neutral, |s| {
        Some(s.instances_max as f64)
    }),
    ("cpu_on_gpus_hours", "rented GPU machines with CPU work only", "h", Lower, |s| {
        s.cpu_on_gpus.hours
    }),
    ("cpu_on_gpus_cost", "cost of GPU machines with CPU work only", "USD", Lower, |s| {
        s.cpu_on_gpus.cost.map(Money::dollars)
    }),
    ("transferred_gib", "data moved", "GiB", Lower, |s| Some(s.transferred_gib)),
    ("carbon_kg", "grid carbon", "kg", Lower, |s| s.carbon.kg),
];

impl Summary {
    /// The metric called `key`, if there is one and the run shows it.
    pub fn metric(&self, key: &str) -> Option<f64> {
        METRICS.iter().find(|metric| metric.key == key).and_then(|metric| (metric.of)(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_shares_of_counts_are_counted() {
        let counted = METRICS.iter().filter(|metric| metric.is_counted());
        let keys: Vec<&str> = counted.map(|metric| metric.key).collect();
        assert_eq!(
            keys,
            [
                "finished",
                "deadlines_met",
                "queue_length_mean",
                "queue_length_max",
                "unfinished",
                "refused",
                "preemptions",
                "instances_max",
            ]
        );
    }
}
