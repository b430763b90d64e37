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

mod adjustment;
mod alert;
mod bills;
mod budgets;
mod charge_periods;
mod collector;
mod cpu_only;
mod daily_costs;
mod emissions;
mod energy;
mod exposures;
mod fact;
mod fault_ribbon;
mod fingerprint;
mod histogram;
mod hours;
mod jobs;
mod launches;
mod laws;
mod load;
mod measures;
mod metric;
mod moves;
mod occupancy;
mod recovery;
mod rental;
mod work_hours;
mod series;
mod spending;
mod summary;
mod hash_trace;
mod waits;
mod window;

pub use adjustment::{Adjustment, AdjustmentKind, Settled};
pub use alert::{Alert, AlertCount, AlertRule, Alerts, MOST_ALERTS, Signal, SignalKind};
pub use budgets::{
    BudgetHistory, BudgetPoint, BudgetSpell, Budgets, Crossing, ThresholdBasis, budget_rules,
};
pub use charge_periods::ChargePeriods;
pub use collector::Collector;
pub use daily_costs::{CostDay, DailyCosts};
pub use energy::{Energy, EnergyMeter};
pub use fingerprint::Fingerprint;
pub use hash_trace::{HashTrace, RecordHash};
pub use histogram::{EXACT_SAMPLES, Histogram};
pub use hours::ProviderHours;
pub use jobs::SLOWDOWN_FLOOR;
pub use laws::{BrokenLaw, Laws};
pub use measures::{Measures, WorkNames};
pub use metric::{Direction, METRICS, Metric};
pub use moves::PathTraffic;
pub use occupancy::{MOST_HOLDS, MOST_MACHINES, Machine, MachineUse, OccupancyRecorder};
pub use rental::{
    Lack, RentWatch, RentalLimits, Rentals, Renting, ScatteredStart, WholeMachines, asked,
};
pub use series::{Bucket, Series, StoppedWork};
pub use spending::{ChargedFor, SpendingTally};
pub use summary::{
    Carbon, CostPart, Costs, CpuOnGpus, Deadlines, DistributionSummary, EnergyPart, Summary,
    Undone, WorkCounts,
};
pub use waits::GroupWait;
pub use window::{WindowSum, WindowValue, Windows};

/// Ratio of two numbers; `None` if there is nothing to divide by.
fn ratio(over: f64, under: f64) -> Option<f64> {
    (under > 0.0).then(|| over / under)
}
