//! Earliest deadline first.

use super::{Order, OrderPart, or_last};
use crate::part::Part;
use crate::state::LiveWork;
use crate::units::Time;

/// Earliest deadline first.
pub static EARLIEST_DEADLINE: OrderPart = Part {
    name: "earliest-deadline",
    doc: "Earliest deadline first.",
    parameters: &[],
    make: |_| Box::new(EarliestDeadline),
};

#[derive(Clone, Copy, Debug)]
struct EarliestDeadline;

impl Order for EarliestDeadline {
    fn score(&self, work: &LiveWork, _now: Time) -> u128 {
        or_last(work.ask.deadline.map(Time::micros))
    }
}
