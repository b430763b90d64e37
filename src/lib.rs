//! windtunnel: a discrete-event simulator for multi-cloud scheduling.
//!
//! Each module is a room; a room imports only rooms above it (tested in
//! `tests/it/layers.rs`).

pub mod halt;
pub mod text;
pub mod units;
pub mod problem;
pub mod input;
pub mod engine;
pub mod model;
pub mod workload;
pub mod billing;
pub mod state;
pub mod policy;
pub mod sim;
pub mod metrics;
pub mod scenario;
pub mod experiment;
pub mod report;
pub mod cli;
