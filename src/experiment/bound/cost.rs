//! Bounds on cost: owned machines are paid until the run ends, and what they
//! cannot hold by then pays its share of rented ones.

use crate::metering::Meter;
use crate::model::{Billing, Market, World};
use crate::units::{Money, Span, Time};

use super::BoundInputs;
use super::job::{Job, Rents};
use super::offers::{PAIRS, amounts};
use super::window::{WindowCapacity, thinned};

/// Moments of the run's end that are tried.
const MOST_ENDS: usize = 64;

/// A bound is good enough this close to the optimum of its relaxation.
const GAP: f64 = 1e-3;

/// Owned machines: their cost until a moment, and their capacity.
#[derive(Debug)]
pub(super) struct OwnedMachines<'w> {
    world: &'w World,
    started: Time,
    pub(super) capacity: [f64; 3],
}

/// Work that may run on owned machines, and what it saves there.
#[derive(Clone, Copy, Debug)]
struct OwnedSaving {
    from: Time,
    until: Time,
    area: f64,
    /// Saving in dollars; infinite if it cannot be rented.
    worth: f64,
}

impl<'w> OwnedMachines<'w> {
    pub(super) fn new(world: &'w World, started: Time) -> Self {
        let mut capacity = [0.0; 3];
        for (id, offer) in world.offers.iter().filter(|(_, offer)| offer.market == Market::Owned) {
            let each = amounts(world.type_of(id).shape);
            for (sum, amount) in capacity.iter_mut().zip(each) {
                *sum += f64::from(amount) * f64::from(offer.running_at_start);
            }
        }
        Self { world, started, capacity }
    }

    /// Cost of the machines if the run ends at `end`, in dollars, without what billing rules add:
    /// so it never falls with `end`.
    pub(super) fn cost(&self, end: Time) -> f64 {
        let exact = Billing { granularity: Span::from_micros(1), minimum: Span::ZERO };
        let bill = |offer: &crate::model::Offer| {
            let mut meter = Meter::start(self.started, offer.price.at(self.started));
            let changes = offer.price.changes.iter();
            for &(at, rate) in changes.filter(|&&(at, _)| self.started < at && at < end) {
                meter.reprice(at, rate);
            }
            let each = meter.bill(end.max(self.started), exact).amount.nanos();
            Money::from_nanos(each * i128::from(offer.running_at_start))
        };
        let offers = self.world.offers.rows().iter();
        offers.filter(|offer| offer.market == Market::Owned).map(bill).sum::<Money>().dollars()
    }
}

/// The least cost of finishing all jobs, in dollars, when the run cannot end
/// before `end`.
///
/// Owned machines are one pool of each resource that costs the same whatever
/// it does, and may be kept for longer; everything else is rented by the share.
pub(super) fn finishing(known: &BoundInputs, owned: &OwnedMachines<'_>, end: Time) -> f64 {
    let jobs = &known.jobs;
    let pick = best_weights(jobs.iter().map(|job| &job.rents));
    let mut best = f64::NEG_INFINITY;
    for resource in 0..3 {
        let mut fixed = 0.0;
        let mut savings = Vec::new();
        for job in jobs {
            fixed += job.moving;
            let rent = job.rents[pick];
            let at_home = job.owned.map(|span| (span, job.owned_moving));
            fixed += split(job, rent, at_home, (resource, Time::MAX), &mut savings);
        }
        best = best.max(fixed + extending(owned, owned.capacity[resource], &mut savings, end));
    }
    margin(best, jobs)
}

/// The least cost of finishing all jobs with at most `missed` of the jobs that
/// can meet their deadline missing it, in dollars, when the run cannot end
/// before `end`.
pub(super) fn keeping(
    known: &BoundInputs,
    owned: &OwnedMachines<'_>,
    end: Time,
    missed: usize,
) -> f64 {
    let jobs = &known.jobs;
    let any = best_weights(jobs.iter().map(|job| &job.rents));
    let prompt = best_weights(jobs.iter().map(|job| &job.rents_in_time));
    let mut best = f64::NEG_INFINITY;
    for resource in 0..3 {
        let (mut fixed, mut savings, mut excused) = (0.0, Vec::new(), Vec::new());
        for job in jobs {
            let least = job.rents[any].min(job.owned_moving);
            let rent = job.rents_in_time[prompt];
            fixed += job.moving;
            let deadline = job.deadline.filter(|&at| job.done <= at && !rent.is_infinite());
            let Some(deadline) = deadline else {
                // Nothing is asked of it here but to be finished somewhere.
                fixed += least;
                continue;
            };
            let at_home = job.owned_in_time.map(|span| (span, job.owned_moving));
            fixed += split(job, rent, at_home, (resource, deadline), &mut savings);
            excused.push(rent - least);
        }
        excused.sort_by(|a, b| b.total_cmp(a));
        let excused: f64 = excused.iter().take(missed).map(|&more| more.max(0.0)).sum();
        sort(&mut savings);
        let pool = owned.capacity[resource];
        let starts = savings.iter().map(|saving| saving.from.micros()).collect();
        let ends = savings.iter().map(|saving| saving.until.micros()).collect();
        let saved = saved(&savings, WindowCapacity::new(starts, ends, pool), Time::MAX);
        best = best.max(owned.cost(end) + fixed - saved - excused);
    }
    margin(best, jobs)
}

/// Cost of renting a job, or of moving one that cannot be rented; its saving on owned instances is
/// added to `savings`.
fn split(
    job: &Job,
    rent: f64,
    at_home: Option<(Span, f64)>,
    (resource, until): (usize, Time),
    savings: &mut Vec<OwnedSaving>,
) -> f64 {
    let Some((span, moving)) = at_home else { return rent };
    let fixed = if rent.is_infinite() { moving } else { rent };
    let worth = if rent.is_infinite() { f64::INFINITY } else { rent - moving };
    if worth > 0.0 {
        let area = job.amounts[resource] as f64 * span.micros() as f64;
        savings.push(OwnedSaving { from: job.arrival, until, area, worth });
    }
    fixed
}

/// The least of owned cost less savings, over all ends from `end` on.
///
/// A later end costs more and saves more. Between two ends, the cost of the
/// earlier less the savings of the later is a bound; the interval with the
/// least is halved until that is close to what its ends really come to.
fn extending(
    owned: &OwnedMachines<'_>,
    capacity: f64,
    savings: &mut [OwnedSaving],
    end: Time,
) -> f64 {
    sort(savings);
    let starts: Vec<i64> = savings.iter().map(|saving| saving.from.micros()).collect();
    let starts = thinned(starts, false);
    let saved = |end: Time| {
        let windows = WindowCapacity::new(starts.clone(), vec![end.micros()], capacity);
        saved(savings, windows, end)
    };
    let area: f64 = savings.iter().map(|saving| saving.area).sum();
    let longer = if capacity > 0.0 { libm::ceil(area / capacity) } else { 0.0 };
    let longer = Span::from_micros(if longer < 1e18 { longer as i64 + 1 } else { 0 });
    let last = end.saturating_add(longer);
    let between = |from: Time, to: Time| (owned.cost(from) - saved(to), from, to);
    // Work that fits at all fits by the last end, and often by the first.
    let (most, first) = (saved(last), saved(end));
    if first >= most {
        let all = savings.iter().map(|saving| saving.worth).filter(|worth| worth.is_finite());
        // Beyond the clock nothing is sure to fit; then all of it is saved.
        return owned.cost(end) - if most.is_finite() { most } else { all.sum() };
    }
    let beyond = owned.cost(last) - most;
    let mut reached = beyond;
    let mut open = vec![between(end, last)];
    for _ in 0..MOST_ENDS {
        let row = lowest(&open);
        let (bound, from, to) = open[row];
        let is_close = reached - bound <= GAP * reached.abs();
        if bound >= beyond || is_close || to - from <= Span::from_micros(1) {
            break;
        }
        let middle = from + Span::from_micros((to - from).micros() / 2);
        reached = reached.min(between(middle, middle).0);
        open[row] = between(from, middle);
        open.push(between(middle, to));
    }
    open[lowest(&open)].0.min(beyond)
}

fn lowest(open: &[(f64, Time, Time)]) -> usize {
    let lower = |best: usize, row: usize| if open[row].0 < open[best].0 { row } else { best };
    (0..open.len()).fold(0, lower)
}

/// The most that `savings`, in order of worth per area, come to within
/// `windows` that end by `end`; minus infinity where work that must be there does not fit.
fn saved(savings: &[OwnedSaving], mut windows: WindowCapacity, end: Time) -> f64 {
    let mut sum = 0.0;
    for saving in savings {
        if saving.area == 0.0 {
            sum += if saving.worth.is_finite() { saving.worth } else { 0.0 };
            continue;
        }
        let (from, until) = (saving.from.micros(), saving.until.min(end).micros());
        let taken = windows.take(from, until, saving.area);
        if saving.worth.is_finite() {
            sum += saving.worth * (taken / saving.area);
        } else if taken < saving.area * (1.0 - 1e-9) {
            return f64::NEG_INFINITY;
        }
    }
    sum
}

fn sort(savings: &mut [OwnedSaving]) {
    let density = |saving: &OwnedSaving| saving.worth / saving.area;
    savings.sort_by(|a, b| density(b).total_cmp(&density(a)));
}

/// The pair of weights, without and with GPUs, by which the rents come to most.
fn best_weights<'a>(rents: impl Iterator<Item = &'a Rents> + Clone) -> usize {
    let total = |pair: usize| {
        let all = rents.clone().map(|rents| rents[pair]);
        all.filter(|rent| rent.is_finite()).sum::<f64>()
    };
    let pairs = 0..PAIRS.len();
    pairs.max_by(|&one, &other| total(one).total_cmp(&total(other))).expect("there are nine pairs")
}

/// Less what bills and these sums may have rounded away.
fn margin(cost: f64, jobs: &[Job]) -> f64 {
    (cost - cost.abs() * 1e-9 - 2e-9 * jobs.len() as f64).max(0.0)
}
