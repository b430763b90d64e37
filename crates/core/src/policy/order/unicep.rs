//! The order UNICEP.

use super::{Order, OrderPart, descending, estimate, processors};
use crate::part::Part;
use crate::state::LiveWork;
use crate::units::Time;

/// Largest wait / (log2(processors) x estimate) first (Tang et al., 2009).
pub static UNICEP: OrderPart = Part {
    name: "unicep",
    doc: "Largest wait / (log2(processors) x estimate) first (Tang et al., 2009).",
    parameters: &[],
    make: |_| Box::new(Unicep),
};

#[derive(Clone, Copy, Debug)]
struct Unicep;

impl Order for Unicep {
    fn score(&self, work: &LiveWork, now: Time) -> u128 {
        descending(unicep(work, now))
    }

    fn varies(&self) -> bool {
        true
    }
}

/// wait / (log2(processors) x estimate) (Tang et al., CLUSTER 2009). The
/// logarithm is at least 1e-15, so that work on one processor or less comes
/// before all other, by its wait over its estimate.
fn unicep(work: &LiveWork, now: Time) -> f64 {
    let log = libm::log2(processors(work).max(1.0)).max(1e-15);
    (now - work.arrival).secs_f64() / (log * estimate(work))
}
