//! Core of windtunnel: the worlds, work, policies, simulator and metrics that a run consists of.
//!
//! Use it as `windtunnel`, which shows all of this beside the scenarios, experiments and reports
//! that are built on it, with examples and the invariants of each room. A crate of its own, so
//! that nothing in here can know of those.

pub mod halt;
pub mod text;
pub mod units;
pub mod problem;
pub mod input;
pub mod engine;
pub mod model;
pub mod part;
pub mod purchase;
pub mod workload;
pub mod weather;
pub mod metering;
pub mod state;
pub mod policy;
pub mod sim;
pub mod metrics;
