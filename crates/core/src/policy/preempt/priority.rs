//! Work of lower priority yields.

use super::{Preempt, PreemptPart};
use crate::part::Part;
use crate::policy::turn::Turn;
use crate::state::{AllocationRef, WorkRef};

/// Running work of lower priority yields, lowest and latest first.
pub static PRIORITY: PreemptPart = Part {
    name: "priority",
    doc: "Running work of lower priority yields, lowest and latest first.",
    parameters: &[],
    make: |_| Some(Box::new(LowerPriority)),
};

#[derive(Clone, Copy, Debug)]
struct LowerPriority;

impl Preempt for LowerPriority {
    fn rank(&self, turn: &Turn<'_, '_>, head: WorkRef, victim: AllocationRef) -> Option<i64> {
        let work = turn.work(turn.allocation(victim).work());
        let (own, of_head) = (work.ask.priority, turn.work(head).ask.priority);
        (own < of_head).then(|| i64::from(own))
    }
}
