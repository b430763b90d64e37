//! Outcome and progress of a run, and the reasons why one could not go on.

use std::error::Error;
use std::fmt;

use crate::problem::Problem;
use crate::state::Refusal;
use crate::units::Time;

/// Outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Time at which the clock started: the run's start, or the first arrival before it.
    pub started: Time,
    /// Time at which the clock stopped.
    pub ended: Time,
    /// All work was done or refused. Otherwise the horizon came first, or the policy left work waiting
    /// though nothing more happened: see `stranded`.
    pub drained: bool,
    /// Events and arrivals applied.
    pub events: u64,
    /// Times that the policy was asked.
    pub decisions: u64,
    /// Illegal actions of the policy.
    pub illegal: u64,
    /// Most pieces of work that waited at once without a reservation, as too many waited.
    pub unreserved: u64,
    /// Pieces of work that the policy left waiting when nothing more would have happened by
    /// itself, although tasks of each would have fitted on what was free.
    pub stranded: u64,
    /// Pieces of work that were left waiting then, and that machines with broken GPUs could hold, were those
    /// repaired.
    pub lacking: u64,
    /// Pieces of other work that were left waiting then, and that machines which are down could hold, were
    /// those repaired.
    pub lacking_machines: u64,
}

/// Reason why a run could not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The workload cannot be read.
    Input(Problem),
    /// The policy did something illegal.
    Illegal {
        /// The rule that it broke.
        refusal: Refusal,
        /// Time of the action.
        at: Time,
    },
    /// The policy said that it cannot go on.
    Policy {
        /// Reason in the policy's own words.
        why: String,
        /// Time at which it said so.
        at: Time,
    },
    /// The policy was asked a million times at one instant.
    Loop {
        /// The instant.
        at: Time,
    },
    /// The policy goes on and on, and nothing comes of it.
    Futile {
        /// The futile action, in words.
        what: &'static str,
        /// Time at which the run was given up.
        at: Time,
    },
    /// A limit was reached.
    Limit {
        /// Name of the limit in [`Options`](super::Options).
        name: &'static str,
        /// Value of the limit, as a person writes it.
        value: String,
    },
    /// The control function said stop, or the process is to end (see [`crate::halt`]).
    Interrupted {
        /// Time at which the run stopped.
        at: Time,
    },
}

impl fmt::Display for Failure {
    /// The reason, and the time on the simulated clock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(problem) => problem.fmt(f),
            Self::Illegal { refusal, at } => {
                write!(f, "the policy did something illegal at {:.6} s: {refusal}", at.secs_f64())
            }
            Self::Policy { why, at } => write!(f, "{why}, at {:.6} s", at.secs_f64()),
            Self::Loop { at } => write!(
                f,
                "the policy was asked a million times at {:.6} s without time moving on",
                at.secs_f64()
            ),
            Self::Futile { what, at } => write!(f, "the policy {what}, at {:.6} s", at.secs_f64()),
            Self::Limit { name, value } => {
                write!(f, "the run reached `limits.{name}`, which is {value}")
            }
            Self::Interrupted { at } => write!(f, "stopped at {:.6} s", at.secs_f64()),
        }
    }
}

impl Error for Failure {}

/// Progress of a run, for a progress bar.
#[derive(Clone, Copy, Debug)]
pub struct RunProgress {
    /// Events and arrivals applied.
    pub events: u64,
    /// Pieces of work read.
    pub work: u64,
    /// The simulated time.
    pub now: Time,
}
