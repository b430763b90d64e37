//! Runs of scenarios: one, many to be compared, and the simulator against
//! textbooks.

pub mod backtest;
pub mod bound;
pub mod check;
mod backlog;
mod caution;
mod compare;
mod cost;
mod decision;
mod fate;
mod lab;
mod lint;
mod measurement;
mod obstacle;
pub mod published;
mod rental;
mod replication;
mod score;
pub mod search;
mod sensitivity;
mod single;
pub mod statistics;
mod step;
mod survey;
pub mod sweep;
pub mod verify;

pub use backlog::{backlog, waiting};
pub use caution::{Facts, Shown, carbon_gaps, cautions, unestimated};
pub use compare::{
    Asked, Chance, Comparison, Contestant, Contrast, Evidence, HALF_A_CENT, JUDGED, Judging,
    NoPlan, OF_SAME_WORK, Plan, Side, WaterfallStep, Wide, compare, plan,
};
pub use cost::leading_cost;
pub use decision::{Change, Decision, Promise, SERVICE, Saving, Standing, decide, leading};
pub use fate::{Fate, Fates, MOST_FATES};
pub use lab::{
    Cell, Exhibit, Forgetful, Lab, LabFailure, Memory, Unwatched, Watch, is_synthetic, share_inputs,
};
pub use lint::{lint, offered};
pub use measurement::{CostPart, Course, Measurement, WorkDone};
pub(crate) use obstacle::{limited, obstacle, unused};
pub use rental::{Lack, Rentals};
pub use replication::Repetition;
pub use score::{Possible, Score};
pub use sensitivity::{Influence, Sensitivity, sensitivity};
pub use single::{RunFailure, RunResult, Settings, run, run_with};
pub use step::{Reason, Seen, Step, StepLog, Stretch};
pub(crate) use step::{refusal, rejection};
pub use survey::{Impossible, Load, Survey, Unsurveyed, survey};
