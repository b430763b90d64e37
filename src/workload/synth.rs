//! Synthesis: arrivals and classes of work drawn from distributions.

use crate::model::{Kind, Rules};
use crate::units::{Distribution, Span};

/// A workload drawn from distributions.
#[derive(Clone, Debug, PartialEq)]
pub struct SynthSpec {
    /// When work arrives.
    pub arrivals: Arrivals,
    /// Pieces of work per arrival, rounded, at least 1; one when `None`.
    pub batch: Option<Distribution>,
    /// When arrivals end.
    pub until: Until,
    /// What arrives; at least one class.
    pub classes: Vec<Class>,
}

/// When work arrives, in hours and seconds of simulated time.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Poisson process.
    Poisson {
        /// Mean arrivals per hour.
        per_hour: f64,
    },
    /// One arrival per interval, the first after one interval.
    Every(Span),
    /// Independent interarrival times in seconds.
    Renewal(Distribution),
    /// Poisson process whose rate follows the hour.
    Profile {
        /// Mean arrivals per hour over the whole profile.
        per_hour: f64,
        /// Relative rate of each hour: 24 from midnight UTC, or 168 from
        /// Monday midnight UTC.
        weights: Vec<f64>,
    },
    /// Markov-modulated Poisson process: it dwells in each state for an
    /// exponential time and then moves to another one, each equally likely.
    Mmpp(Vec<MmppState>),
}

/// A state of a Markov-modulated Poisson process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MmppState {
    /// Mean arrivals per hour while in this state; may be 0.
    pub per_hour: f64,
    /// Mean time in this state.
    pub dwell: Span,
}

/// When arrivals end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After this many pieces of work.
    Count(u64),
    /// At this time after the run's start.
    Span(Span),
}

/// A class of work. Draws out of range are clamped to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Names the work: `<class>-<ordinal>`.
    pub name: String,
    /// Relative frequency, greater than 0.
    pub weight: f64,
    /// Jobs or virtual machines.
    pub kind: Kind,
    /// Runtime or lifetime in seconds.
    pub runtime: Distribution,
    /// Tasks, rounded, at least 1.
    pub tasks: Distribution,
    /// Whether all tasks start together.
    pub gang: bool,
    /// Milli-cores per task, rounded.
    pub cpu: Distribution,
    /// MiB per task, rounded.
    pub memory: Distribution,
    /// GPU devices per task, rounded, 0 to 32.
    pub gpus: Distribution,
    /// Milli-shares of each device, rounded, 1 to 1,000.
    pub gpu_share: Distribution,
    /// Estimate as a multiple of the runtime; no estimate when `None`.
    pub estimate: Option<Distribution>,
    /// Deadline as a multiple of the runtime after arrival; none when `None`.
    pub deadline: Option<Distribution>,
    /// Larger is more important.
    pub priority: i32,
    /// Tenants with their relative frequencies; the default tenant when empty.
    pub tenants: Vec<(String, f64)>,
    /// Where the data lives.
    pub home: Option<String>,
    /// Bytes read before it starts.
    pub input: Distribution,
    /// Bytes written when it is done.
    pub output: Distribution,
    /// Whether progress survives a preemption.
    pub resumes: bool,
    /// Where it may run.
    pub rules: Rules,
}

impl Default for Class {
    /// Jobs of one task, one core and one hour.
    fn default() -> Self {
        Self {
            name: "job".to_owned(),
            weight: 1.0,
            kind: Kind::Job,
            runtime: Distribution::Constant(3_600.0),
            tasks: Distribution::Constant(1.0),
            gang: true,
            cpu: Distribution::Constant(1_000.0),
            memory: Distribution::Constant(0.0),
            gpus: Distribution::Constant(0.0),
            gpu_share: Distribution::Constant(1_000.0),
            estimate: None,
            deadline: None,
            priority: 0,
            tenants: Vec::new(),
            home: None,
            input: Distribution::Constant(0.0),
            output: Distribution::Constant(0.0),
            resumes: false,
            rules: Rules::default(),
        }
    }
}
