//! The numbers of a summary that objectives, comparisons and tables may name.

use self::Direction::{Higher, Lower, Neutral};
use super::summary::Summary;
use super::window::WindowSum;
use crate::units::Money;

/// Direction in which a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither more nor less is better.
    Neutral,
}

/// A number of a summary, by a name that scenarios and tables use.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Name in scenarios, CSV and JSON.
    pub key: &'static str,
    /// Words of reports.
    pub label: &'static str,
    /// Unit of the value: `USD`, `s`, `share`, `count`, `h`, `kWh`, `kg`, `ratio`, `per h`.
    pub unit: &'static str,
    /// Direction that is better.
    pub better: Direction,
    /// Reads the value; `None` if the run has nothing to show.
    pub of: fn(&Summary) -> Option<f64>,
    /// Description in one line, if a scenario may promise a bound of it as an objective.
    pub objective: Option<&'static str>,
    /// Quantity by which the metric can be told of each window of the clock by itself.
    pub window: Option<WindowSum>,
    /// Counts things, or is a share of a count: values of few runs agree easily.
    pub is_counted: bool,
    /// A total that grows with the work that is done: policies can only be held against each other
    /// by it where they did the same work.
    pub is_of_same_work: bool,
    /// Least and largest value that it can have, where there are.
    pub range: [Option<f64>; 2],
}

impl Metric {
    /// The metric called `key`.
    pub fn named(key: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.key == key)
    }

    const fn as_objective(self, doc: &'static str) -> Self {
        Self { objective: Some(doc), ..self }
    }

    const fn per_window(self, sum: WindowSum) -> Self {
        Self { window: Some(sum), ..self }
    }

    const fn of_counts(self) -> Self {
        Self { is_counted: true, ..self }
    }

    const fn of_same_work(self) -> Self {
        Self { is_of_same_work: true, ..self }
    }

    /// The same metric with values that can be below 0.
    const fn signed(self) -> Self {
        Self { range: [None, self.range[1]], ..self }
    }
}

/// A metric is another where its key is.
impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

type Read = fn(&Summary) -> Option<f64>;

/// A time, money or another amount, which is never below 0.
const fn amount(
    key: &'static str,
    label: &'static str,
    unit: &'static str,
    better: Direction,
    of: Read,
) -> Metric {
    let range = [Some(0.0), None];
    Metric {
        key,
        label,
        unit,
        better,
        of,
        objective: None,
        window: None,
        is_counted: false,
        is_of_same_work: false,
        range,
    }
}

/// A share, which is never above 1.
const fn share(key: &'static str, label: &'static str, better: Direction, of: Read) -> Metric {
    Metric { range: [Some(0.0), Some(1.0)], ..amount(key, label, "share", better, of) }
}

/// A number of things.
const fn count(key: &'static str, label: &'static str, better: Direction, of: Read) -> Metric {
    amount(key, label, "count", better, of).of_counts()
}

/// Every metric: what objectives, comparisons, gates, goals and tables may name.
pub const METRICS: &[Metric] = &[
    amount("cost_total", "cost", "USD", Lower, |s| Some(s.cost.total.dollars()))
        .of_same_work()
        .per_window(WindowSum::Cost)
        .as_objective("What everything cost."),
    amount("cost_monthly", "cost per month", "USD", Lower, Summary::monthly)
        .of_same_work()
        .as_objective(
            "What a month of it costs: what is rented by the time over which work arrives, \
 what stands all along by the time it stands.",
        ),
    amount("cost_per_job", "cost per job", "USD", Lower, |s| s.cost.per_job_usd)
        .as_objective("Cost per finished job."),
    amount("cost_per_core_hour", "cost per useful core-hour", "USD", Lower, |s| {
        s.cost.per_useful_core_hour_usd
    }),
    amount("cost_per_gpu_hour", "cost per useful GPU-hour", "USD", Lower, |s| {
        s.cost.per_useful_gpu_hour_usd
    }),
    share("savings_rate", "effective savings rate", Higher, |s| s.cost.effective_savings_rate)
        .signed(),
    share("commitments_used", "commitments used", Higher, |s| {
        s.settled.as_ref().and_then(|settled| settled.utilisation)
    })
    .as_objective("Share of what is paid for commitments that covers use."),
    share("commitment_coverage", "covered by commitments", Neutral, |s| {
        s.settled.as_ref().and_then(|settled| settled.coverage)
    }),
    share("finished", "work finished", Higher, |s| s.work.finished_share)
        .of_counts()
        .per_window(WindowSum::Finished)
        .as_objective("Share of work that finished."),
    share("deadlines_met", "deadlines met", Higher, |s| {
        (s.deadlines.with > 0).then(|| s.deadlines.met as f64 / s.deadlines.with as f64)
    })
    .of_counts()
    .per_window(WindowSum::DeadlinesMet)
    .as_objective("Share of work with a deadline that met it."),
    amount("tardiness_mean", "tardiness, mean", "s", Lower, |s| s.deadlines.tardiness_s.mean),
    amount("tardiness_max", "tardiness, longest", "s", Lower, |s| s.deadlines.tardiness_s.max),
    amount("wait_mean", "wait, mean", "s", Lower, |s| s.wait_s.mean).as_objective("Mean wait."),
    amount("wait_p50", "wait, p50", "s", Lower, |s| s.wait_s.p50).as_objective("Median wait."),
    amount("wait_p95", "wait, p95", "s", Lower, |s| s.wait_s.p95)
        .as_objective("95th percentile of the wait."),
    amount("wait_p99", "wait, p99", "s", Lower, |s| s.wait_s.p99)
        .as_objective("99th percentile of the wait."),
    amount("wait_max", "wait, longest", "s", Lower, |s| s.wait_s.max).as_objective("Longest wait."),
    amount("turnaround_mean", "turnaround, mean", "s", Lower, |s| s.turnaround_s.mean)
        .as_objective("Mean turnaround."),
    amount("turnaround_p50", "turnaround, p50", "s", Lower, |s| s.turnaround_s.p50)
        .as_objective("Median turnaround."),
    amount("turnaround_p95", "turnaround, p95", "s", Lower, |s| s.turnaround_s.p95)
        .as_objective("95th percentile of the turnaround."),
    amount("turnaround_p99", "turnaround, p99", "s", Lower, |s| s.turnaround_s.p99)
        .as_objective("99th percentile of the turnaround."),
    amount("turnaround_max", "turnaround, longest", "s", Lower, |s| s.turnaround_s.max)
        .as_objective("Longest turnaround."),
    amount("slowdown_mean", "bounded slowdown, mean", "ratio", Lower, |s| s.bounded_slowdown.mean)
        .as_objective("Mean bounded slowdown."),
    amount("slowdown_p95", "bounded slowdown, p95", "ratio", Lower, |s| s.bounded_slowdown.p95)
        .as_objective("95th percentile of the bounded slowdown."),
    amount("makespan", "makespan", "s", Lower, |s| Some(s.makespan_s))
        .of_same_work()
        .as_objective("From the start to the last completion."),
    amount("throughput", "throughput", "per h", Higher, |s| s.throughput_per_hour),
    // Work that is placed and waits for a boot has left the queue, though its wait goes on.
    count("queue_length_mean", "queue length, mean", Lower, |s| s.queue_length_mean),
    count("queue_length_max", "queue length, longest", Lower, |s| Some(s.queue_length_max as f64)),
    share("utilisation_cpu", "CPU utilisation", Higher, |s| s.utilisation_cpu)
        .per_window(WindowSum::UtilisationCpu)
        .as_objective(
            "Share of the cores of running instances that work asked for, over time. \
 Boots are no running time, though they are paid for.",
        ),
    share("utilisation_memory", "memory utilisation", Higher, |s| s.utilisation_memory),
    share("utilisation_gpu", "GPU utilisation", Higher, |s| s.utilisation_gpu)
        .per_window(WindowSum::UtilisationGpu)
        .as_objective(
            "Share of the GPUs of running instances that work asked for, over time. \
 Boots are no running time, though they are paid for.",
        ),
    share("availability", "availability of machines", Higher, |s| s.availability)
        .per_window(WindowSum::Availability)
        .as_objective("Time of machines that run over that of those that run or are down."),
    share("security", "work that met no incident", Higher, |s| s.security)
        .of_counts()
        .per_window(WindowSum::Security)
        .as_objective("Share of the work that ran that was nowhere where a security incident was."),
    count("unfinished", "work unfinished", Lower, |s| Some(s.work.unfinished as f64)),
    count("refused", "work refused", Lower, |s| Some(s.work.refused as f64)),
    count("preemptions", "preemptions", Lower, |s| Some(s.work.preemptions as f64)),
    count("migrations", "migrations", Lower, |s| Some(s.work.migrations as f64)),
    count("interruptions", "interruptions", Lower, |s| Some(s.work.interruptions as f64)),
    count("failures", "failures", Lower, |s| Some(s.work.failures as f64)),
    count("alerts", "alerts", Lower, |s| s.alerts.map(|alerts| alerts as f64)),
    amount("recovery_mean", "recovery, mean", "s", Lower, |s| s.recovery_s.mean)
        .as_objective("Mean time from an interruption or failure of work until it runs again."),
    amount("recovery_max", "recovery, longest", "s", Lower, |s| s.recovery_s.max)
        .per_window(WindowSum::LongestRecovery)
        .as_objective("Longest time from an interruption or failure of work until it runs again."),
    amount("lost_core_hours", "core-hours lost", "h", Lower, |s| Some(s.lost_core_hours))
        .per_window(WindowSum::LostCoreHours)
        .as_objective("Core-hours of progress that were thrown away."),
    amount("lost_gpu_hours", "GPU-hours lost", "h", Lower, |s| Some(s.lost_gpu_hours))
        .per_window(WindowSum::LostGpuHours)
        .as_objective("GPU-hours of progress that were thrown away."),
    amount("overhead_core_hours", "core-hours for checkpoints", "h", Lower, |s| {
        Some(s.overhead_core_hours)
    }),
    amount("broken_gpu_hours", "hours of broken GPUs", "h", Lower, |s| s.broken_gpu_hours),
    amount("instance_hours", "instance-hours", "h", Neutral, |s| Some(s.instance_hours)),
    count("instances_max", "instances at once, most", Neutral, |s| Some(s.instances_max as f64)),
    amount("cpu_on_gpus_hours", "rented GPU machines with CPU work only", "h", Lower, |s| {
        s.cpu_on_gpus.hours
    })
    .of_same_work(),
    amount("cpu_on_gpus_cost", "cost of GPU machines with CPU work only", "USD", Lower, |s| {
        s.cpu_on_gpus.cost.map(Money::dollars)
    })
    .of_same_work(),
    amount("transferred_gib", "data moved", "GiB", Lower, |s| Some(s.transferred_gib))
        .of_same_work(),
    amount("energy_kwh", "energy", "kWh", Lower, |s| s.carbon.kwh).of_same_work(),
    amount("carbon_kg", "grid carbon", "kg", Lower, |s| s.carbon.kg).of_same_work(),
];

impl Summary {
    /// The metric called `key`, if there is one and the run shows it.
    pub fn metric(&self, key: &str) -> Option<f64> {
        Metric::named(key).and_then(|metric| (metric.of)(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_there_once_and_ranges_follow_units() {
        for (row, metric) in METRICS.iter().enumerate() {
            assert_eq!(METRICS.iter().position(|other| other == metric), Some(row), "{metric:?}");
            let most = (metric.unit == "share").then_some(1.0);
            assert_eq!(metric.range[1], most, "{metric:?}");
            assert!(metric.unit != "count" || metric.is_counted, "{metric:?}");
        }
    }

    #[test]
    fn totals_of_the_work_done_are_of_the_same_work() {
        let totals = METRICS.iter().filter(|metric| metric.is_of_same_work);
        let keys: Vec<&str> = totals.map(|metric| metric.key).collect();
        assert_eq!(
            keys,
            [
                "cost_total",
                "cost_monthly",
                "makespan",
                "cpu_on_gpus_hours",
                "cpu_on_gpus_cost",
                "transferred_gib",
                "energy_kwh",
                "carbon_kg",
            ]
        );
    }

    #[test]
    fn counts_and_shares_of_counts_are_counted() {
        let counted = METRICS.iter().filter(|metric| metric.is_counted);
        let keys: Vec<&str> = counted.map(|metric| metric.key).collect();
        assert_eq!(
            keys,
            [
                "finished",
                "deadlines_met",
                "queue_length_mean",
                "queue_length_max",
                "security",
                "unfinished",
                "refused",
                "preemptions",
                "migrations",
                "interruptions",
                "failures",
                "alerts",
                "instances_max",
            ]
        );
    }
}
