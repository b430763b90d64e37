//! Fewest and most processors first.

use super::{Order, OrderPart};
use crate::part::Part;
use crate::state::LiveWork;
use crate::units::Time;

/// Fewest processors first: tasks times milli-cores, then GPUs where asked.
pub static SMALLEST: OrderPart = Part {
    name: "smallest",
    doc: "Fewest processors first.",
    parameters: &[],
    make: |_| Box::new(FewestProcessors),
};

/// Most processors first.
pub static LARGEST: OrderPart = Part {
    name: "largest",
    doc: "Most processors first.",
    parameters: &[],
    make: |_| Box::new(MostProcessors),
};

#[derive(Clone, Copy, Debug)]
struct FewestProcessors;

impl Order for FewestProcessors {
    fn score(&self, work: &LiveWork, _now: Time) -> u128 {
        size(work)
    }
}

#[derive(Clone, Copy, Debug)]
struct MostProcessors;

impl Order for MostProcessors {
    fn score(&self, work: &LiveWork, _now: Time) -> u128 {
        u128::MAX - size(work)
    }
}

/// Milli-cores over all tasks, then milli-GPUs: the larger job has the larger number.
fn size(work: &LiveWork) -> u128 {
    let tasks = u128::from(work.ask.tasks);
    let cores = tasks * u128::from(work.ask.demand.cpu);
    (cores << 64) + tasks * u128::from(work.ask.demand.gpu_milli())
}
