//! windtunnel: a discrete-event simulator for multi-cloud scheduling.
//!
//! Each module is a room; a room imports only rooms above it (tested in
//! `tests/it/layers.rs`).

pub mod billing;
pub mod engine;
pub mod model;
pub mod policy;
pub mod problem;
pub mod state;
pub mod units;
pub mod workload;
