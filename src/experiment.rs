//! Runs of scenarios: one, and many to be compared.

mod single;

pub use single::{RunFailure, RunResult, Settings, run};
