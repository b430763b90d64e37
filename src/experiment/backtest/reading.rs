//! Figures of the whole, as observed and as simulated.

use serde::{Deserialize, Serialize};

use super::error::nearest_rank;
use super::{HeldBill, HeldLine, Matched, Pair, WorkLife, matched};
use crate::metrics::{Metric, SLOWDOWN_FLOOR, Summary};
use crate::scenario::Observed;
use crate::units::{Money, Time};

/// Source of the observed value of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObservedFrom {
    /// Worked out from the trace, over the work that has both waits; so is the simulated one.
    Trace,
    /// Given in the scenario, for all work; so is the simulated one.
    Scenario,
    /// Added up from the lines of a bill, over the time that it and the run have in common; so is the simulated one.
    Bill,
}

/// One figure, as observed and as simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Name in files.
    pub metric: String,
    /// Words of reports.
    pub label: String,
    /// Unit of the values, as of metrics.
    pub unit: String,
    /// Source of the observed value.
    pub seen: ObservedFrom,
    /// Observed value.
    pub observed: f64,
    /// Simulated value; `None` if the run shows nothing.
    pub simulated: Option<f64>,
}

impl Reading {
    /// Simulated value minus the observed one. Of a bill it is one of whole nano-dollars, like both.
    pub fn error(&self) -> Option<f64> {
        let error = self.simulated? - self.observed;
        Some(match self.seen {
            ObservedFrom::Trace | ObservedFrom::Scenario => error,
            ObservedFrom::Bill => (error * 1e9).round() / 1e9,
        })
    }

    /// The error as a share of the observed value; `None` if that is 0.
    pub fn relative(&self) -> Option<f64> {
        self.error().filter(|_| self.observed != 0.0).map(|error| error / self.observed.abs())
    }
}

/// One side of all matched work.
struct MatchedTotals {
    /// Waits in seconds, sorted.
    waits: Vec<f64>,
    turnaround_s: f64,
    slowdown: f64,
    core_hours: f64,
    makespan_s: f64,
    longest_queue: u64,
}

impl MatchedTotals {
    fn of(all: &[Matched<'_>], life: impl Fn(&Matched<'_>) -> WorkLife) -> Self {
        let count = all.len() as f64;
        let (mut waits, mut changes) = (Vec::with_capacity(all.len()), Vec::new());
        let (mut turnaround, mut slowdown, mut core_hours) = (0.0, 0.0, 0.0);
        let first = all.iter().map(|one| one.pair.arrival).min();
        let mut last = first;
        for one in all {
            let WorkLife { wait, runtime, cpu } = life(one);
            let (start, arrival) = (one.pair.arrival.saturating_add(wait), one.pair.arrival);
            let end = start.saturating_add(runtime);
            last = last.max(Some(end));
            let whole = (end - arrival).secs_f64();
            waits.push(wait.secs_f64());
            changes.extend([(arrival, 1), (start, -1)]);
            turnaround += whole;
            slowdown += (whole / runtime.max(SLOWDOWN_FLOOR).secs_f64()).max(1.0);
            core_hours += runtime.secs_f64() / 3_600.0 * cpu as f64 / 1e3;
        }
        waits.sort_unstable_by(f64::total_cmp);
        Self {
            waits,
            turnaround_s: turnaround / count,
            slowdown: slowdown / count,
            core_hours,
            makespan_s: last.zip(first).map_or(0.0, |(last, first)| (last - first).secs_f64()),
            longest_queue: longest_queue(changes),
        }
    }

    fn sum_of_waits(&self) -> f64 {
        self.waits.iter().sum()
    }

    fn mean_wait(&self) -> f64 {
        self.sum_of_waits() / self.waits.len() as f64
    }
}

/// Most that waited for longer than an instant, from arrivals (1) and starts (-1).
fn longest_queue(mut changes: Vec<(Time, i64)>) -> u64 {
    changes.sort_unstable();
    let (mut waiting, mut most) = (0_i64, 0);
    for same in changes.chunk_by(|a, b| a.0 == b.0) {
        waiting += same.iter().map(|change| change.1).sum::<i64>();
        most = most.max(waiting);
    }
    most as u64
}

/// The figures of all work whose two waits are known; empty if there is no such work. `cores` are
/// the milli-cores of a world that rents nothing.
pub(super) fn of_trace(pairs: &[Pair], cores: Option<u64>) -> Vec<Reading> {
    let all: Vec<Matched<'_>> = matched(pairs).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let seen = MatchedTotals::of(&all, |one| one.observed);
    let run = MatchedTotals::of(&all, |one| one.simulated);
    let mut readings = Vec::new();
    let mut add = |metric: &str, of: &dyn Fn(&MatchedTotals) -> f64| {
        readings.push(reading(metric, ObservedFrom::Trace, of(&seen), Some(of(&run))));
    };
    add("wait_mean", &MatchedTotals::mean_wait);
    for (metric, share) in [("wait_p50", 0.5), ("wait_p95", 0.95), ("wait_p99", 0.99)] {
        add(metric, &|side| nearest_rank(&side.waits, share));
    }
    add("wait_max", &|side| nearest_rank(&side.waits, 1.0));
    add("turnaround_mean", &|side| side.turnaround_s);
    add("slowdown_mean", &|side| side.slowdown);
    add("core_hours", &|side| side.core_hours);
    add("makespan", &|side| side.makespan_s);
    if let Some(cores) = cores.filter(|&cores| cores > 0) {
        add("utilisation_cpu", &|side| {
            let offered = cores as f64 / 1e3 * side.makespan_s / 3_600.0;
            if offered > 0.0 { side.core_hours / offered } else { 0.0 }
        });
    }
    add("queue_length_mean", &|side| {
        if side.makespan_s > 0.0 { side.sum_of_waits() / side.makespan_s } else { 0.0 }
    });
    add("queue_length_max", &|side| side.longest_queue as f64);
    readings
}

/// The figures that the scenario gives, beside those of the run.
pub(super) fn of_scenario(summary: &Summary, observed: &Observed) -> Vec<Reading> {
    let figures = observed.figures.iter().map(|&(key, value)| {
        let (metric, simulated) = match key {
            "core_hours" => (key, Some(summary.useful_core_hours)),
            "gpu_hours" => (key, Some(summary.useful_gpu_hours)),
            "cost_usd" => ("cost_total", Some(summary.cost.total.dollars())),
            key => (key, summary.metric(key)),
        };
        reading(metric, ObservedFrom::Scenario, value, simulated)
    });
    let bills = observed.provider_cost.iter().map(|(provider, bill)| {
        let parts = summary.cost.by_provider.iter().filter(|(name, _)| name == provider);
        let cost: f64 = parts.map(|(_, cost)| cost.dollars()).sum();
        let bill = reading("cost_total", ObservedFrom::Scenario, bill.dollars(), Some(cost));
        let metric = format!("cost of {provider}");
        Reading { label: metric.clone(), metric, ..bill }
    });
    figures.chain(bills).collect()
}

/// The sums of a bill, beside those of the run: in all, by provider, and by group of lines.
pub(super) fn of_bill(bill: &HeldBill) -> Vec<Reading> {
    let reading = |metric: String, label: String, [observed, simulated]: [Money; 2]| Reading {
        metric,
        label,
        ..reading("cost_total", ObservedFrom::Bill, observed.dollars(), Some(simulated.dollars()))
    };
    let mut readings = vec![reading("bill".to_owned(), "bill".to_owned(), bill.total(None))];
    for name in bill.providers() {
        let metric = format!("bill of {name}");
        readings.push(reading(metric.clone(), metric, bill.total(Some(name))));
    }
    readings.extend(bill.lines.iter().map(|line| {
        let HeldLine { provider, group, observed, simulated } = line;
        let both = [*observed, *simulated].map(Option::unwrap_or_default);
        reading(format!("line {provider}/{group}"), format!("{provider}: {group}"), both)
    }));
    readings
}

fn reading(metric: &str, seen: ObservedFrom, observed: f64, simulated: Option<f64>) -> Reading {
    let known = Metric::named(metric);
    let (label, unit) = match (known, metric) {
        (Some(known), _) => (known.label, known.unit),
        (None, "core_hours") => ("core-hours", "h"),
        (None, _) => ("GPU-hours", "h"),
    };
    Reading {
        metric: metric.to_owned(),
        label: label.to_owned(),
        unit: unit.to_owned(),
        seen,
        observed,
        simulated,
    }
}
