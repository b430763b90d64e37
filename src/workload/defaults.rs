//! What work gets where its source says nothing.

use crate::model::Rules;
use crate::units::Span;

/// What every piece of work gets where its source says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Estimate of the runtime, where there is none.
    pub estimate: Estimate,
    /// Deadline, where there is none.
    pub deadline: Option<DeadlineRule>,
    /// Whether progress survives a preemption; replaces what the source says.
    pub resumes: Option<bool>,
    /// Milli-cores per task, where the source asks none.
    pub cpu: Option<u32>,
    /// MiB per task, where the source asks none.
    pub memory: Option<u32>,
    /// Priority, where it is 0.
    pub priority: Option<i32>,
    /// Tenant, where the work names none.
    pub tenant: Option<String>,
    /// Where the data lives, where the work names no home.
    pub home: Option<String>,
    /// Bytes read before it starts, where it reads none.
    pub input: Option<i64>,
    /// Bytes written when it is done, where it writes none.
    pub output: Option<i64>,
    /// Restrictions that hold for all work, on top of its own.
    pub rules: Rules,
}

/// The estimate of work that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Estimate {
    /// It stays without one.
    #[default]
    Missing,
    /// Its true runtime.
    Runtime,
    /// Its true runtime times this factor, greater than 0.
    Factor(f64),
}

/// `deadline = arrival + slack + factor x runtime`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeadlineRule {
    /// At least zero.
    pub slack: Span,
    /// Of the true runtime; at least 0.
    pub factor: f64,
}
