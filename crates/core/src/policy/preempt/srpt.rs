//! Work with more left yields (shortest remaining processing time).

use super::{Preempt, PreemptPart};
use crate::part::Part;
use crate::policy::turn::Turn;
use crate::state::{AllocationRef, WorkRef};

/// Running work with more estimated work left yields.
pub static SRPT: PreemptPart = Part {
    name: "srpt",
    doc: "Running work with more estimated work left yields.",
    parameters: &[],
    make: |_| Some(Box::new(MoreLeft)),
};

#[derive(Clone, Copy, Debug)]
struct MoreLeft;

impl Preempt for MoreLeft {
    fn rank(&self, turn: &Turn<'_, '_>, head: WorkRef, victim: AllocationRef) -> Option<i64> {
        // An unknown rest is more than any.
        match (turn.rest_of_estimate(victim), turn.work(head).remaining_estimate()) {
            (Some(left), Some(of_head)) => (left > of_head).then(|| -left.micros()),
            (None, Some(_)) => Some(i64::MIN),
            (Some(_) | None, None) => None,
        }
    }
}
