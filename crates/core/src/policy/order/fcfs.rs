//! First come, first served.

use super::{Order, OrderPart};
use crate::part::Part;
use crate::state::LiveWork;
use crate::units::Time;

/// First come, first served.
pub static FCFS: OrderPart = Part {
    name: "fcfs",
    doc: "First come, first served.",
    parameters: &[],
    make: |_| Box::new(Fcfs),
};

#[derive(Clone, Copy, Debug)]
struct Fcfs;

impl Order for Fcfs {
    fn score(&self, _work: &LiveWork, _now: Time) -> u128 {
        0
    }
}
