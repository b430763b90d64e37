//! Runs of scenarios: one, many to be compared, and the simulator against
//! textbooks.

pub mod published;
mod single;
pub mod verify;

pub use single::{RunFailure, RunResult, Settings, run};
