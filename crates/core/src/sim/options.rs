//! Options of a run.

use crate::units::{Span, Time};

/// Options of a run, such as its seed, horizon and limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Seed of every random stream.
    pub seed: u64,
    /// Stop here, if the work is not done before.
    pub horizon: Option<Time>,
    /// Keep the policy's reasons (see `Record::Noted`).
    pub explain: bool,
    /// Go on after an illegal action of the policy, which is counted.
    pub tolerate_illegal: bool,
    /// Most events and arrivals; looked at between instants.
    pub max_events: u64,
    /// Most pieces of work alive at once.
    pub max_alive: usize,
    /// Most pieces of work read.
    pub max_jobs: u64,
    /// Longest simulated time from the clock's start on; `None` for no limit.
    pub max_simulated: Option<Span>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            horizon: None,
            explain: false,
            tolerate_illegal: false,
            max_events: 10_000_000_000,
            max_alive: 3_000_000,
            max_jobs: 1_000_000_000,
            max_simulated: None,
        }
    }
}
