//! Who is next? Scores as integers: the smaller comes first, in a total order
//! that is the same on every machine.
//!
//! Processors are milli-cores over all tasks divided by 1,000; where GPUs are
//! asked, they count instead (devices times their share). Times are seconds,
//! estimates are what is left of the user's estimate. Work without an estimate
//! counts as endless: last in the orders that prefer short work.

use super::spec::Order;
use crate::model::WorkId;
use crate::state::LiveWork;
use crate::units::{Span, Time};

/// Place in the queue: the score, then the arrival, then the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    score: u128,
    arrival: Time,
    id: WorkId,
}

impl Key {
    /// The key of `work` in `order` at `now`.
    pub fn new(order: Order, work: &LiveWork, now: Time) -> Self {
        let (arrival, id) = work.tie();
        Self { score: score(order, work, now), arrival, id }
    }
}

impl Order {
    /// Whether places change while work waits.
    pub const fn varies(self) -> bool {
        matches!(self, Self::Wfp3 | Self::Unicep)
    }
}

fn score(order: Order, work: &LiveWork, now: Time) -> u128 {
    match order {
        Order::Fcfs => 0,
        Order::Shortest => ascending(work.remaining_estimate().micros()),
        Order::Smallest => size(work),
        Order::Largest => u128::MAX - size(work),
        Order::EarliestDeadline => ascending(work.ask.deadline.micros()),
        Order::Priority => ascending(-i64::from(work.ask.priority)),
        Order::Wfp3 => descending(wfp3(work, now)),
        Order::Unicep => descending(unicep(work, now)),
        Order::F1 => ascending_real(f1(work)),
    }
}

/// Milli-cores over all tasks, then milli-GPUs: the larger job has the larger number.
fn size(work: &LiveWork) -> u128 {
    let tasks = u128::from(work.ask.tasks);
    let cores = tasks * u128::from(work.ask.demand.cpu);
    cores << 64 | tasks * u128::from(work.ask.demand.gpu_milli())
}

/// Processors of the whole job.
fn processors(work: &LiveWork) -> f64 {
    let demand = work.ask.demand;
    let per_task = if demand.gpus > 0 { demand.gpu_milli() } else { demand.cpu };
    f64::from(per_task) * f64::from(work.ask.tasks) / 1_000.0
}

/// Seconds that the work still needs by the estimate, at least a microsecond.
fn estimate(work: &LiveWork) -> f64 {
    work.remaining_estimate().max(Span::from_micros(1)).secs_f64()
}

/// (wait / estimate)^3 x processors (Tang et al., CLUSTER 2009).
fn wfp3(work: &LiveWork, now: Time) -> f64 {
    let ratio = (now - work.arrival).secs_f64() / estimate(work);
    ratio * ratio * ratio * processors(work)
}

/// wait / (log2(processors) x estimate) (Tang et al., CLUSTER 2009). The
/// logarithm is at least 1e-15, so that work on one processor or less comes
/// before all other, by its wait over its estimate.
fn unicep(work: &LiveWork, now: Time) -> f64 {
    let log = libm::log2(processors(work).max(1.0)).max(1e-15);
    (now - work.arrival).secs_f64() / (log * estimate(work))
}

/// log10(estimate) x processors + 870 log10(submit time) (Carastan-Santos and
/// de Camargo, SC 2017). Both times are at least 0.1 s; the submit time is the
/// arrival on the run's clock.
fn f1(work: &LiveWork) -> f64 {
    let submit = work.arrival.secs_f64().max(0.1);
    libm::log10(estimate(work).max(0.1)) * processors(work) + 870.0 * libm::log10(submit)
}

/// Signed numbers in their order.
const fn ascending(number: i64) -> u128 {
    (number as u64 ^ 1 << 63) as u128
}

/// Real numbers in their total order (IEEE 754 totalOrder).
pub(super) const fn ascending_real(number: f64) -> u128 {
    let bits = number.to_bits();
    (if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }) as u128
}

/// Real numbers, the largest first.
const fn descending(number: f64) -> u128 {
    u64::MAX as u128 - ascending_real(number)
}
