//! Highest priority first.

use super::{Order, OrderPart, ascending};
use crate::part::Part;
use crate::state::LiveWork;
use crate::units::Time;

/// Highest priority first.
pub static PRIORITY: OrderPart = Part {
    name: "priority",
    doc: "Highest priority first.",
    parameters: &[],
    make: |_| Box::new(HighestPriority),
};

#[derive(Clone, Copy, Debug)]
struct HighestPriority;

impl Order for HighestPriority {
    fn score(&self, work: &LiveWork, _now: Time) -> u128 {
        ascending(-i64::from(work.ask.priority))
    }
}
