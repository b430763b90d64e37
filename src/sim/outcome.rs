//! How a run went, how far it has come, and why one could not go on.

use crate::problem::Problem;
use crate::state::Refusal;
use crate::units::Time;

/// How a run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// When the clock started: the run's start, or the first arrival before it.
    pub started: Time,
    /// When the clock stopped.
    pub ended: Time,
    /// All work was done or refused; otherwise the horizon came first.
    pub drained: bool,
    /// Events and arrivals applied.
    pub events: u64,
    /// Times that the policy was asked.
    pub decisions: u64,
    /// Illegal actions of the policy.
    pub illegal: u64,
    /// Most pieces of work that waited at once without a reservation, as too many waited.
    pub unreserved: u64,
}

/// Why a run could not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The workload cannot be read.
    Input(Problem),
    /// The policy did something illegal.
    Illegal {
        /// Which rule it broke.
        refusal: Refusal,
        /// When.
        at: Time,
    },
    /// The policy said that it cannot go on.
    Policy {
        /// Its own words.
        why: String,
        /// When.
        at: Time,
    },
    /// The policy was asked a million times at one instant.
    Loop {
        /// When.
        at: Time,
    },
    /// The policy goes on and on, and nothing comes of it.
    Futile {
        /// What it did.
        what: &'static str,
        /// When.
        at: Time,
    },
    /// A limit was reached.
    Limit {
        /// Which, by its name in [`Options`](super::Options).
        name: &'static str,
        /// Its value, as a person writes it.
        value: String,
    },
    /// The control function said stop, or the process is to end (see [`crate::halt`]).
    Interrupted {
        /// When.
        at: Time,
    },
}

/// How far a run has come, for a progress bar.
#[derive(Clone, Copy, Debug)]
pub struct RunProgress {
    /// Events and arrivals applied.
    pub events: u64,
    /// Pieces of work read.
    pub work: u64,
    /// The simulated time.
    pub now: Time,
}
