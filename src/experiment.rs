//! Runs of scenarios: one, many to be compared, and the simulator against
//! textbooks.

mod single;
pub mod verify;

pub use single::{RunFailure, RunResult, Settings, run};
