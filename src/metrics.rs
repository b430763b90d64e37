//! Observers that add up: what a run cost, how well it used what it had, and
//! which promises it broke.
//!
//! Definitions (Feitelson, "Metrics for parallel job scheduling", and the
//! queueing literature):
//!
//! - *wait*: first start minus submission.
//! - *turnaround*: end minus submission.
//! - *bounded slowdown*: `max(1, turnaround / max(turnaround - wait, 10 s))`.
//! - *makespan*: last end minus first submission.
//! - *utilisation*: allocated over running (or owned) capacity, time-weighted.
//! - *tardiness*: `max(0, end - deadline)`.
//! - *useful resource-hours*: progress that counted, times what the work asked.

mod collector;
mod cpu_only;
mod fingerprint;
mod histogram;
mod hours;
mod laws;
mod moves;
mod occupancy;
mod series;
mod summary;
mod trail;
mod waits;

pub use collector::{Collector, SLOWDOWN_FLOOR};
pub use fingerprint::Fingerprint;
pub use histogram::{EXACT_SAMPLES, Histogram};
pub use hours::ProviderHours;
pub use laws::{BrokenLaw, Laws};
pub use moves::Moved;
pub use occupancy::{Hold, MOST_HOLDS, MOST_MACHINES, Machine, Occupancy};
pub use series::{Bucket, Series};
pub use summary::{
    Carbon, CostPart, Costs, CpuOnGpus, Deadlines, Direction, Distribution, METRICS, Metric,
    Summary, Undone, WorkCounts,
};
pub use trail::{Mark, Trail};
pub use waits::GroupWait;
