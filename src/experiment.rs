//! Runs of scenarios: one, many to be compared, and the simulator against
//! textbooks.

mod fate;
mod lab;
mod measurement;
pub mod published;
mod replication;
mod single;
pub mod statistics;
pub mod verify;

pub use fate::{Fate, Fates, MOST_FATES};
pub use lab::{
    Cell, Exhibit, Forgetful, Lab, LabFailure, Memory, Unwatched, Watch, is_synthetic, share_inputs,
};
pub use measurement::{CostPart, Course, Measurement, WorkDone};
pub use replication::Repetition;
pub use single::{RunFailure, RunResult, Settings, run};
