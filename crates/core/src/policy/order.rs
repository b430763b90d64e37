//! Order part: who is next. One part per file. Scores are integers: the smaller comes first, in
//! a total order that is the same on every machine.
//!
//! Processors are milli-cores over all tasks divided by 1,000; where GPUs are
//! asked, they count instead (devices times their share). Times are seconds,
//! estimates are what is left of the user's estimate. Work without an estimate
//! counts as endless: last in the orders that prefer short work.

mod deadline;
mod f1;
mod fcfs;
mod priority;
mod shortest;
mod size;
mod unicep;
mod wfp3;

use crate::model::WorkId;
use crate::part::{Part, PartSpec};
use crate::state::LiveWork;
use crate::units::{Span, Time};

pub use deadline::EARLIEST_DEADLINE;
pub use f1::F1;
pub use fcfs::FCFS;
pub use priority::PRIORITY;
pub use shortest::SHORTEST;
pub use size::{LARGEST, SMALLEST};
pub use unicep::UNICEP;
pub use wfp3::WFP3;

/// A row of [`PARTS`].
pub type OrderPart = Part<Box<dyn Order>>;
/// An order part with its settings. Ties go to the earlier arrival, then to the lower id.
/// Estimates count, never true runtimes.
pub type OrderSpec = PartSpec<Box<dyn Order>>;

/// Every order part.
pub static PARTS: &[&OrderPart] =
    &[&FCFS, &SHORTEST, &SMALLEST, &LARGEST, &EARLIEST_DEADLINE, &PRIORITY, &WFP3, &UNICEP, &F1];

/// Scores waiting work.
pub trait Order: std::fmt::Debug {
    /// The score of `work` at `now`: the smallest is first.
    fn score(&self, work: &LiveWork, now: Time) -> u128;

    /// Whether places change while work waits.
    fn varies(&self) -> bool {
        false
    }
}

/// Place in the queue: the score, then the arrival, then the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueKey {
    score: u128,
    arrival: Time,
    id: WorkId,
}

impl QueueKey {
    /// The key of `work` in `order` at `now`.
    pub fn new(order: &dyn Order, work: &LiveWork, now: Time) -> Self {
        let (arrival, id) = work.tie();
        Self { score: order.score(work, now), arrival, id }
    }

    /// The key of work that has this score, which is finite, whatever the order.
    pub fn scored(score: f64, work: &LiveWork) -> Self {
        let (arrival, id) = work.tie();
        // Negative zero is zero.
        Self { score: ascending_real(score + 0.0), arrival, id }
    }
}

/// Ascending; what is not there comes after all that is.
fn or_last(value: Option<i64>) -> u128 {
    ascending(value.unwrap_or(i64::MAX))
}

/// Processors of the whole job.
fn processors(work: &LiveWork) -> f64 {
    let demand = work.ask.demand;
    let per_task = if demand.gpus > 0 { demand.gpu_milli() } else { demand.cpu };
    f64::from(per_task) * f64::from(work.ask.tasks) / 1_000.0
}

/// Seconds that the work still needs by the estimate, at least a microsecond; without an
/// estimate the longest that the clock can count.
fn estimate(work: &LiveWork) -> f64 {
    work.remaining_estimate().unwrap_or(Span::MAX).max(Span::from_micros(1)).secs_f64()
}

/// Signed numbers in their order.
const fn ascending(number: i64) -> u128 {
    ((number as u64) ^ (1 << 63)) as u128
}

/// Real numbers in their total order (IEEE 754 totalOrder).
pub(super) const fn ascending_real(number: f64) -> u128 {
    let bits = number.to_bits();
    (if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }) as u128
}

/// Real numbers, the largest first.
const fn descending(number: f64) -> u128 {
    u64::MAX as u128 - ascending_real(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Ask;
    use crate::units::Demand;

    fn work(arrival: i64, procs: u32, estimate: i64) -> LiveWork {
        let ask = Ask {
            tasks: procs,
            demand: Demand { cpu: 1_000, ..Demand::default() },
            estimate: Some(Span::from_secs(estimate)),
            ..Ask::default()
        };
        let id = WorkId { source: 0, ordinal: arrival as u64 };
        LiveWork { id, arrival: Time::from_secs(arrival), ask, ..LiveWork::default() }
    }

    /// Arrivals of `works` in the order in which they are served at 100 s.
    fn served(order: &'static OrderPart, works: &[LiveWork]) -> Vec<i64> {
        let order = order.spec().build();
        let key = |work| QueueKey::new(&*order, work, Time::from_secs(100));
        let mut keys: Vec<QueueKey> = works.iter().map(key).collect();
        keys.sort_unstable();
        keys.iter().map(|key| key.arrival.micros() / 1_000_000).collect()
    }

    #[test]
    fn every_order_serves_as_it_says() {
        let mut works = [work(10, 4, 50), work(20, 2, 50), work(30, 8, 10), work(40, 1, 400)];
        works[1].ask.deadline = Some(Time::from_secs(200));
        works[3].ask.deadline = Some(Time::from_secs(300));
        works[2].ask.priority = 1;
        works[0].ask.priority = -1;
        // WFP3: (90/50)^3 x 4 = 23.3, (80/50)^3 x 2 = 8.2, 7^3 x 8 = 2,744,
        // (60/400)^3 = 0.003. UNICEP: 90/(2 x 50) = 0.9, 80/(1 x 50) = 1.6,
        // 70/(3 x 10) = 2.3, one processor: first.
        // F1: 1.699 x 4 + 870 = 876.8, 1.699 x 2 + 870 x 1.301 = 1,135.3,
        // 8 + 870 x 1.477 = 1,293.1, 2.602 + 870 x 1.602 = 1,396.4.
        let table = [
            (&FCFS, [10, 20, 30, 40]),
            (&SHORTEST, [30, 10, 20, 40]),
            (&SMALLEST, [40, 20, 10, 30]),
            (&LARGEST, [30, 10, 20, 40]),
            (&EARLIEST_DEADLINE, [20, 40, 10, 30]),
            (&PRIORITY, [30, 20, 40, 10]),
            (&WFP3, [30, 10, 20, 40]),
            (&UNICEP, [40, 30, 20, 10]),
            (&F1, [10, 20, 30, 40]),
        ];
        for (order, want) in table {
            assert_eq!(served(order, &works), want, "{order:?}");
        }
    }

    #[test]
    fn resumed_work_counts_what_is_left() {
        let mut works = [work(0, 1, 50), work(1, 1, 30)];
        assert_eq!(served(&SHORTEST, &works), [1, 0]);
        works[0].executed = Span::from_secs(25);
        assert_eq!(served(&SHORTEST, &works), [0, 1]);
    }

    #[test]
    fn real_numbers_keep_their_order() {
        let numbers = [f64::NEG_INFINITY, -2.0, -0.0, 0.0, 1e-300, 3.0, f64::INFINITY];
        assert!(numbers.is_sorted_by(|&a, &b| ascending_real(a) < ascending_real(b)));
        assert!(numbers.is_sorted_by(|&a, &b| descending(a) > descending(b)));
    }
}
