//! Relaxations become rows, metric by metric.

use crate::metrics::{Direction, DistributionSummary, Histogram, METRICS, SLOWDOWN_FLOOR};
use crate::model::World;
use crate::units::{Span, Time};

use super::cost::{self, OwnedMachines};
use super::fluid::{self, Drop, FirstServed};
use super::job::Job;
use super::window::WindowCapacity;
use super::{Bound, BoundInputs, Bounds, Condition};

const ALONE: &str = "each piece of work alone, on the fastest instance that it may have";
const POURED: &str =
    "all limited instances as one machine that gives any part of itself to any piece of work";
const FINISHING: &str = "owned machines to the earliest end that pays, and the cheapest share of a rented one for \
     what they cannot hold by then";
const KEEPING: &str = "owned machines to the earliest end, and the cheapest share of a rented one, of spot while \
     there is any, for what they cannot hold by its deadline";

/// Whether more of the metric called `key` is better.
pub(super) fn more_is_better(key: &str) -> bool {
    METRICS.iter().any(|metric| metric.key == key && metric.better == Direction::Higher)
}

/// No bounds at all, for this reason.
pub(super) fn none(reason: &str) -> Bounds {
    let all = METRICS.iter().map(|metric| (metric.key, reason.to_owned()));
    Bounds { rows: Vec::new(), not_computable: all.collect() }
}

/// Every bound that there is.
pub(super) fn rows(world: &World, known: &BoundInputs) -> Bounds {
    let finished = known.jobs.len() as u64;
    let mut table = RowTable { bounds: Bounds::default(), finished };
    let end = table.ends(known);
    table.shares(known);
    table.delays(known);
    let uncertain = match (known.frame.counted_from, known.frame.settled) {
        (Some(_), _) => Some("cost after a warm-up is partly that of work before it"),
        (None, true) => Some("bounds are of list prices, and the scenario has terms of its own"),
        (None, false) => None,
    };
    if let Some(reason) = uncertain {
        let costs = ["cost_total", "cost_per_job", "cost_per_core_hour", "cost_per_gpu_hour"];
        table.bounds.not_computable.extend(costs.map(|key| (key, reason.to_owned())));
    } else {
        table.costs(known, &OwnedMachines::new(world, known.started), end);
    }
    let place = |key: &str| METRICS.iter().position(|metric| metric.key == key);
    table.bounds.rows.sort_by_key(|row| place(row.metric));
    for metric in METRICS {
        let has = table.bounds.rows.iter().any(|row| row.metric == metric.key)
            || table.bounds.not_computable.iter().any(|(key, _)| *key == metric.key);
        if !has {
            let reason = "no relaxation says anything about it here".to_owned();
            table.bounds.not_computable.push((metric.key, reason));
        }
    }
    table.bounds
}

/// Rows under construction.
#[derive(Debug)]
struct RowTable {
    bounds: Bounds,
    /// Pieces of work that can be finished.
    finished: u64,
}

impl RowTable {
    fn push(&mut self, metric: &'static str, value: f64, relaxation: &'static str, on: Condition) {
        self.bounds.rows.push(Bound { metric, value, relaxation, holds: on });
    }

    fn finishing(&self) -> Condition {
        Condition { finished: self.finished, ..Condition::default() }
    }

    fn unpreempted(&self) -> Condition {
        Condition { unpreempted: true, ..self.finishing() }
    }

    /// Makespan and throughput; the earliest end of the run.
    fn ends(&mut self, known: &BoundInputs) -> Time {
        let alone = known.jobs.iter().map(|job| job.done).max().unwrap_or(known.started);
        let last = (0..3).map(|resource| {
            let (drops, _) = drops(known, resource, |job| (job.amounts, 1.0));
            match known.capacity[resource] {
                // Work of no length pours nothing, and may end before time zero.
                _ if drops.is_empty() => Time::from_micros(i64::MIN),
                0 => Time::from_micros(i64::MIN),
                capacity => {
                    Time::from_micros(fluid::pour(&drops, capacity, FirstServed::LeastLeft).last)
                }
            }
        });
        let poured = if known.jobs.is_empty() { alone } else { last.fold(alone, Time::max) };
        if let (Some(first), false) = (known.first_counted, known.jobs.is_empty()) {
            let makespan = (poured - first).secs_f64();
            let relaxation = if poured > alone { POURED } else { ALONE };
            self.push("makespan", makespan, relaxation, self.finishing());
            if makespan > 0.0 {
                let throughput = self.finished as f64 / (makespan / 3_600.0);
                self.push("throughput", throughput, relaxation, self.finishing());
            }
        }
        poured.max(known.last_arrival)
    }

    /// Work finished, deadlines met and missed.
    fn shares(&mut self, known: &BoundInputs) {
        if known.submitted > 0 {
            let share = self.finished as f64 / known.submitted as f64;
            self.push("finished", share, ALONE, Condition::default());
        }
        if known.with_deadline == 0 {
            return;
        }
        let alone = known.jobs.iter().filter(|job| is_prompt(job)).count() as f64;
        let horizon = known.frame.horizon;
        let poured = (0..3).map(|resource| prompt(known, resource, horizon));
        let poured = poured.fold(alone, f64::min);
        let relaxation = if poured < alone { POURED } else { ALONE };
        let share = poured / known.with_deadline as f64;
        self.push("deadlines_met", share, relaxation, Condition::default());
        let mut late = Histogram::default();
        for (job, deadline) in known.jobs.iter().filter_map(|job| Some((job, job.deadline?))) {
            late.add((job.done - deadline).micros().max(0) as u64);
        }
        let late = DistributionSummary::of(&late, 1e6);
        for (key, value) in [("tardiness_mean", late.mean), ("tardiness_max", late.max)] {
            if let Some(value) = value {
                self.push(key, value, ALONE, self.finishing());
            }
        }
    }

    /// Waits, turnarounds and slowdowns.
    fn delays(&mut self, known: &BoundInputs) {
        if known.jobs.is_empty() {
            return;
        }
        let (mut waits, mut turnarounds) = (Histogram::default(), Histogram::default());
        for job in &known.jobs {
            waits.add((job.start - job.arrival).micros() as u64);
            turnarounds.add((job.done - job.arrival).micros() as u64);
        }
        let keys = ["wait_mean", "wait_p50", "wait_p95", "wait_p99", "wait_max"];
        let total = most(known, |resource| wait_sum(known, resource));
        self.delay(keys, &waits, total, self.unpreempted());
        let keys = [
            "turnaround_mean",
            "turnaround_p50",
            "turnaround_p95",
            "turnaround_p99",
            "turnaround_max",
        ];
        let total = most(known, |resource| turnaround_sum(known, resource));
        self.delay(keys, &turnarounds, total, self.finishing());
        let count = known.jobs.len() as f64;
        let alone: f64 = known.jobs.iter().map(|job| slowdown(job).max(1.0)).sum();
        let poured = most(known, |resource| slowdown_sum(known, resource));
        let relaxation = if poured > alone { POURED } else { ALONE };
        // Measured in millionths, rounded down.
        let mean = (poured.max(alone) / count * (1.0 - 1e-9) - 1e-6).max(1.0);
        self.push("slowdown_mean", mean, relaxation, self.unpreempted());
    }

    /// Mean, three percentiles and the longest, of each piece of work alone;
    /// `total` is a bound on the sum of all, in microseconds.
    fn delay(&mut self, keys: [&'static str; 5], alone: &Histogram, total: f64, on: Condition) {
        let shown = DistributionSummary::of(alone, 1e6);
        let poured = total / alone.count() as f64 / 1e6 * (1.0 - 1e-9);
        let values = [shown.mean, shown.p50, shown.p95, shown.p99, shown.max];
        for (at, (key, value)) in keys.into_iter().zip(values).enumerate() {
            // The longest is no shorter than the mean.
            let floor = if at == 0 || at == 4 { poured } else { 0.0 };
            let value = value.unwrap_or(0.0);
            let relaxation = if floor > value { POURED } else { ALONE };
            self.push(key, value.max(floor), relaxation, on);
        }
    }

    /// Cost in all, per job and per useful hour.
    fn costs(&mut self, known: &BoundInputs, owned: &OwnedMachines<'_>, end: Time) {
        let finishing = cost::finishing(known, owned, end);
        self.cost(known, finishing, FINISHING, self.finishing());
        let Some(share) = known.frame.deadlines_met else { return };
        let with = known.with_deadline as f64;
        let prompt = known.jobs.iter().filter(|job| is_prompt(job)).count() as f64;
        let spare = libm::floor((1.0 - share) * with + 1e-9) - (with - prompt);
        if spare < 0.0 {
            let reason = "the promised share of deadlines cannot be met".to_owned();
            self.bounds.not_computable.push(("cost_total", reason));
            return;
        }
        let keeping = cost::keeping(known, owned, end, spare as usize).max(finishing);
        let on = Condition { deadlines_met: Some(share), ..self.finishing() };
        self.cost(known, keeping, KEEPING, on);
    }

    fn cost(&mut self, known: &BoundInputs, cost: f64, relaxation: &'static str, on: Condition) {
        self.push("cost_total", cost, relaxation, on);
        if self.finished > 0 {
            self.push("cost_per_job", cost / self.finished as f64, relaxation, on);
        }
        // Work that cannot be finished may still have been useful for a while.
        if self.finished < known.submitted {
            return;
        }
        for (at, key) in ["cost_per_core_hour", "cost_per_gpu_hour"].into_iter().enumerate() {
            let hours: f64 = known.jobs.iter().map(|job| job.useful[at]).sum();
            if hours > 0.0 {
                self.push(key, cost / hours * (1.0 - 1e-9), relaxation, on);
            }
        }
    }
}

/// Whether the job can meet its deadline.
fn is_prompt(job: &Job) -> bool {
    job.deadline.is_some_and(|deadline| job.done <= deadline)
}

/// The most jobs that can meet their deadline where the limited ones share one pool.
fn prompt(known: &BoundInputs, resource: usize, horizon: Option<Time>) -> f64 {
    let area = |job: &Job| job.amounts[resource] as f64 * job.shortest.micros() as f64;
    let all = known.jobs.iter().filter(|job| is_prompt(job));
    let (mut pooled, alone): (Vec<&Job>, Vec<&Job>) =
        all.partition(|job| job.limited && area(job) > 0.0);
    let end = |job: &Job| job.deadline.into_iter().chain(horizon).min();
    let end = |job: &Job| end(job).expect("it has a deadline").micros();
    let window = |job: &Job| (job.start.micros(), end(job));
    let (starts, ends) = pooled.iter().map(|job| window(job)).unzip();
    let mut windows = WindowCapacity::new(starts, ends, known.capacity[resource] as f64);
    pooled.sort_by(|a, b| area(a).total_cmp(&area(b)));
    let take = |job: &&Job| {
        let ((start, end), area) = (window(job), area(job));
        windows.take(start, end, area) / area
    };
    let taken: f64 = pooled.iter().map(take).sum();
    alone.len() as f64 + libm::floor(taken + 1e-6)
}

/// The largest of the sums by resource, 0 where nothing is limited.
fn most(known: &BoundInputs, sum: impl Fn(usize) -> f64) -> f64 {
    let limited = (0..3).filter(|&resource| known.capacity[resource] > 0);
    limited.map(sum).fold(0.0, f64::max)
}

/// The limited jobs that hold `resource`, as they are poured, and which ones.
fn drops(
    known: &BoundInputs,
    resource: usize,
    of: impl Fn(&Job) -> ([i128; 3], f64),
) -> (Vec<Drop>, Vec<bool>) {
    let mut drops = Vec::new();
    let mut poured = Vec::with_capacity(known.jobs.len());
    for job in &known.jobs {
        let (amounts, weight) = of(job);
        let area = amounts[resource] * i128::from(job.shortest.micros());
        let is_in = job.limited && area > 0 && known.capacity[resource] > 0;
        poured.push(is_in);
        if is_in {
            drops.push(Drop { release: job.start.micros(), area, weight });
        }
    }
    drops.sort_by_key(|drop| drop.release);
    (drops, poured)
}

/// Turnarounds, in microseconds: the least sum of ends, or of middles and half
/// of what each job takes, whose middle is that far from its end at least.
fn turnaround_sum(known: &BoundInputs, resource: usize) -> f64 {
    let (drops, poured) = drops(known, resource, |job| (job.amounts, 1.0));
    let (mut before, mut halves, mut alone) = (0.0, 0.0, 0.0);
    for (job, poured) in known.jobs.iter().zip(poured) {
        if poured {
            before += micros(job.start - job.arrival);
            halves += micros(job.shortest) / 2.0;
        } else {
            alone += micros(job.done - job.arrival);
        }
    }
    let capacity = known.capacity[resource];
    let ends = fluid::pour(&drops, capacity, FirstServed::LeastLeft).ends;
    let middles = fluid::pour(&drops, capacity, FirstServed::LeastPerWeight).middles + halves;
    alone + before + ends.max(middles)
}

/// Waits, in microseconds, where nothing is preempted: every job, cut off after
/// the shortest that it can take, ends that long after its start.
fn wait_sum(known: &BoundInputs, resource: usize) -> f64 {
    let (drops, poured) = drops(known, resource, |job| (job.first_amounts, 1.0));
    let (mut before, mut halves) = (0.0, 0.0);
    for (job, poured) in known.jobs.iter().zip(poured) {
        before += micros(job.start - job.arrival);
        halves += if poured { micros(job.shortest) / 2.0 } else { 0.0 };
    }
    let capacity = known.capacity[resource];
    let ends = fluid::pour(&drops, capacity, FirstServed::LeastLeft).ends - 2.0 * halves;
    let middles = fluid::pour(&drops, capacity, FirstServed::LeastPerWeight).middles - halves;
    before + ends.max(middles)
}

/// Bounded slowdowns, where nothing is preempted: waits over the longest that
/// each job can take, and 1 (less only below the floor).
fn slowdown_sum(known: &BoundInputs, resource: usize) -> f64 {
    let (drops, poured) = drops(known, resource, |job| (job.first_amounts, per_wait(job)));
    let (mut fixed, mut halves, mut alone) = (0.0, 0.0, 0.0);
    for (job, poured) in known.jobs.iter().zip(poured) {
        if poured && job.longest.is_some() {
            fixed += slowdown(job);
            halves += per_wait(job) * micros(job.shortest) / 2.0;
        } else {
            alone += slowdown(job).max(1.0);
        }
    }
    let drops: Vec<Drop> = drops.into_iter().filter(|drop| drop.weight > 0.0).collect();
    let poured = fluid::pour(&drops, known.capacity[resource], FirstServed::LeastPerWeight);
    alone + (fixed + poured.middles - halves).max(drops.len() as f64)
}

/// Slowdown per microsecond of wait at the least; 0 for tasks that may run one
/// after the other, whose span is as long as one likes.
fn per_wait(job: &Job) -> f64 {
    job.longest.map_or(0.0, |longest| 1.0 / micros(longest.max(SLOWDOWN_FLOOR)))
}

/// The slowdown of a job that starts as early as it can, before it is taken to be 1 at least.
fn slowdown(job: &Job) -> f64 {
    let floor = micros(SLOWDOWN_FLOOR);
    per_wait(job) * micros(job.start - job.arrival) + (micros(job.shortest) / floor).min(1.0)
}

fn micros(span: Span) -> f64 {
    span.micros() as f64
}
