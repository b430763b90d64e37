//! Shortest estimate first.

use super::{Order, OrderPart, or_last};
use crate::part::Part;
use crate::state::LiveWork;
use crate::units::{Span, Time};

/// Shortest estimate first (SJF).
pub static SHORTEST: OrderPart = Part {
    name: "shortest",
    doc: "Shortest estimate first (SJF).",
    parameters: &[],
    make: |_| Box::new(Shortest),
};

#[derive(Clone, Copy, Debug)]
struct Shortest;

impl Order for Shortest {
    fn score(&self, work: &LiveWork, _now: Time) -> u128 {
        or_last(work.remaining_estimate().map(Span::micros))
    }
}
