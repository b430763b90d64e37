//! The order WFP3.

use super::{Order, OrderPart, descending, estimate, processors};
use crate::part::Part;
use crate::state::LiveWork;
use crate::units::Time;

/// Largest (wait / estimate)^3 x processors first (Tang et al., 2009).
pub static WFP3: OrderPart = Part {
    name: "wfp3",
    doc: "Largest (wait / estimate)^3 x processors first (Tang et al., 2009).",
    parameters: &[],
    make: |_| Box::new(Wfp3),
};

#[derive(Clone, Copy, Debug)]
struct Wfp3;

impl Order for Wfp3 {
    fn score(&self, work: &LiveWork, now: Time) -> u128 {
        descending(wfp3(work, now))
    }

    fn varies(&self) -> bool {
        true
    }
}

/// (wait / estimate)^3 x processors (Tang et al., CLUSTER 2009).
fn wfp3(work: &LiveWork, now: Time) -> f64 {
    let ratio = (now - work.arrival).secs_f64() / estimate(work);
    ratio * ratio * ratio * processors(work)
}
