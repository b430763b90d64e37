//! Bounds that no policy can beat, on the metrics of a scenario, by somebody who knows all work
//! beforehand, so that a policy is judged against the possible.
//!
//! Each bound is the exact optimum of an easier problem (a relaxation): every
//! schedule that this engine accepts is a schedule of the easier problem too,
//! and no dearer or later there. Left out are, for instance, whole machines
//! (work is poured like water), billing minimums, rounding up, boot time that
//! is paid for, and the spread of tasks; all of these only make a run dearer or
//! later. A bound is not claimed to be reached.
//!
//! Of work with a deadline that is kept, each piece is on spot as the omniscient plan of "Can't Be Late"
//! (Wu et al., NSDI 2024) has it, who knows when there is any, but for restarts, which cost nothing here.
//!
//! A policy that turns all work away waits for nothing and pays for little, so
//! most bounds are for runs that finish what can be finished: see [`Condition`].

mod cost;
mod fluid;
mod job;
mod offers;
mod row;
mod spells;
mod window;

use crate::model::{Interner, Work, World};
use crate::problem::{Problem, Problems};
use crate::scenario::{BoundDirection, Scenario};
use crate::units::{Span, Time};
use crate::workload::Source;

use job::{Job, JobReader};
use offers::FeasibleOfferCache;

/// Most pieces of work that are held at once to be bounded.
pub const MOST_WORK: usize = 250_000;

/// Most pairs of work and offer that are looked at.
const MOST_PAIRS: usize = 100_000_000;

/// Most pairs of offer and set of rules that are held at once.
const MOST_CLASSES: usize = 500_000;

/// Times and capacities beyond this are left alone: their products could not
/// be counted.
const MOST: i64 = 1 << 60;

/// Bound on one metric that no run can beat.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// Key of the metric, one of [`METRICS`](crate::metrics::METRICS).
    pub metric: &'static str,
    /// Least value where less is better, most where more is; in the unit of the metric.
    pub value: f64,
    /// The easier problem that it solves, in words.
    pub relaxation: &'static str,
    /// Runs that the bound speaks of.
    pub holds: Condition,
}

/// The runs that a bound speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Condition {
    /// Runs that finish at least so many pieces of work: all that any run can.
    pub finished: u64,
    /// Runs that meet at least this share of deadlines, as the scenario promises.
    pub deadlines_met: Option<f64>,
    /// Runs that preempt nothing. (A preempted piece of work has waited until its first start only,
    /// so waits could be made as short as one likes.)
    pub unpreempted: bool,
}

impl Condition {
    /// Whether the condition holds for a run that finished so much work and has these values by key
    /// of metric. None speaks of runs that move work: it keeps its progress from machine to machine, and a
    /// bound has it all on one.
    pub fn met(&self, finished: u64, metric: impl Fn(&str) -> Option<f64>) -> bool {
        finished >= self.finished
            && metric("migrations") == Some(0.0)
            && self
                .deadlines_met
                .is_none_or(|share| metric("deadlines_met").is_some_and(|met| met >= share))
            && (!self.unpreempted || metric("preemptions") == Some(0.0))
    }
}

/// All bounds of one run of a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Bounds in the order of [`METRICS`](crate::metrics::METRICS); a metric may have several, for
    /// different runs.
    pub rows: Vec<Bound>,
    /// Metrics that have none, and why.
    pub not_computable: Vec<(&'static str, String)>,
}

impl Bounds {
    /// The strongest bound on a metric that speaks of the run that finished so
    /// much work and has these values by key of metric.
    pub fn of_run(
        &self,
        key: &str,
        finished: u64,
        metric: impl Fn(&str) -> Option<f64>,
    ) -> Option<&Bound> {
        let speaks = |row: &&Bound| row.metric == key && row.holds.met(finished, &metric);
        let sign = if row::more_is_better(key) { -1.0 } else { 1.0 };
        let strength = |row: &&Bound| sign * row.value;
        self.rows.iter().filter(speaks).max_by(|a, b| strength(a).total_cmp(&strength(b)))
    }
}

/// Facts about a run that are known beforehand, besides its world and its work.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frame {
    /// The run ends here at the latest.
    pub horizon: Option<Time>,
    /// Work that arrives before is not counted, nor is its cost told apart:
    /// with a warm-up, there are no bounds on cost.
    pub counted_from: Option<Time>,
    /// Costs are settled on the terms of an account: there are no bounds on them, for these are of
    /// list prices.
    pub settled: bool,
    /// The share of deadlines that the scenario promises to meet.
    pub deadlines_met: Option<f64>,
    /// Seed of the run, by which capacity that is drawn is known. Without it there is always as much as
    /// there ever is.
    pub seed: Option<u64>,
}

/// The bounds of the run of `scenario` under this seed, whose first `warm_up`
/// is not counted.
///
/// # Errors
/// Problems with the workload; then there is no run either.
pub fn of(scenario: &Scenario, seed: u64, warm_up: Span) -> Result<Bounds, Problems> {
    let mut source = scenario.workload.open(&scenario.context(seed, false))?;
    let promised = scenario.objectives.iter().find(|objective| {
        objective.metric.key == "deadlines_met"
            && objective.comparison == BoundDirection::AtLeast
            && objective.window.is_none()
    });
    let frame = Frame {
        horizon: scenario.horizon.map(|horizon| Time::ZERO + horizon),
        counted_from: (warm_up > Span::ZERO).then(|| Time::ZERO + warm_up),
        settled: scenario.is_settled(),
        deadlines_met: promised.map(|objective| objective.bound),
        seed: Some(seed),
    };
    over(&scenario.world, source.as_mut(), frame).map_err(Problems::from)
}

/// The bounds of a run of the work of `source` in `world`. Reads all of it,
/// and holds it: beyond [`MOST_WORK`] pieces there are no bounds.
///
/// # Errors
/// Problems with the workload.
pub fn over(world: &World, source: &mut dyn Source, frame: Frame) -> Result<Bounds, Problem> {
    let (mut book, mut work) = (Interner::default(), Work::default());
    let mut more = source.next(&mut book, &mut work)?;
    let started = if more { work.arrival.min(Time::ZERO) } else { Time::ZERO };
    let mut reader = JobReader::new(world, started);
    let mut cache = FeasibleOfferCache::new(world, started, frame.seed);
    let mut known = BoundInputs { frame, started, ..BoundInputs::default() };
    let mut pairs = 0_usize;
    while more && frame.horizon.is_none_or(|horizon| work.arrival <= horizon) {
        known.last_arrival = work.arrival;
        if frame.counted_from.is_none_or(|from| work.arrival >= from) {
            let feasible = cache.of(&book, work.ask.rules);
            pairs += feasible.classes.len();
            if known.jobs.len() == MOST_WORK || pairs > MOST_PAIRS {
                return Ok(row::none(&format!(
                    "more than {MOST_WORK} pieces of work, or {MOST_PAIRS} pairs of work and offer"
                )));
            }
            let job = reader.read(&book, &work, feasible);
            if cache.size > MOST_CLASSES {
                let reason = format!("more than {MOST_CLASSES} pairs of offer and set of rules");
                return Ok(row::none(&reason));
            }
            if job.feasible && job.done.micros() > MOST {
                return Ok(row::none("work that ends tens of thousands of years from now"));
            }
            known.count(job);
        }
        more = source.next(&mut book, &mut work)?;
    }
    known.capacity = cache.capacity();
    if known.capacity.iter().any(|&capacity| capacity > i128::from(MOST)) {
        return Ok(row::none("more machines than can be counted"));
    }
    Ok(row::rows(world, &known))
}

/// Inputs that bounds are made of.
#[derive(Debug, Default)]
struct BoundInputs {
    frame: Frame,
    /// Moment at which the clock starts.
    started: Time,
    last_arrival: Time,
    first_counted: Option<Time>,
    submitted: u64,
    with_deadline: u64,
    /// The work that can be finished.
    jobs: Vec<Job>,
    /// The most of each resource that there can ever be for the work that is
    /// bound to limited offers.
    capacity: [i128; 3],
}

impl BoundInputs {
    fn count(&mut self, job: Job) {
        self.first_counted.get_or_insert(job.arrival);
        self.submitted += 1;
        self.with_deadline += u64::from(job.deadline.is_some());
        let horizon = self.frame.horizon;
        if job.feasible && horizon.is_none_or(|horizon| job.done <= horizon) {
            self.jobs.push(job);
        }
    }
}

#[cfg(test)]
mod tests;
