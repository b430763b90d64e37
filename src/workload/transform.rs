//! What is done to a workload on its way in.

use crate::model::Kind;
use crate::units::{Span, Time};

/// One transformation. Deadlines move with the arrivals they belong to.
#[derive(Clone, Debug, PartialEq)]
pub enum Transform {
    /// Keeps arrivals in `[from, to)`.
    Window {
        /// First arrival kept.
        from: Time,
        /// First arrival not kept.
        to: Time,
        /// Whether `from` becomes the run's start.
        shift: bool,
    },
    /// Leaves out the first so many.
    Skip(u64),
    /// Ends after so many.
    Take(u64),
    /// Keeps what passes.
    Keep(Keep),
    /// Multiplies arrival times (and so the gaps between them); greater than 0.
    ScaleArrivals(f64),
    /// Multiplies runtimes, lifetimes and estimates; greater than 0.
    ScaleRuntimes(f64),
    /// Multiplies sizes, each greater than 0, rounded half up, at least 1
    /// where there was any.
    ScaleSizes {
        /// Of milli-cores per task.
        cpu: f64,
        /// Of MiB per task.
        memory: f64,
        /// Of the number of tasks.
        tasks: f64,
    },
    /// Adds to every arrival.
    Shift(Span),
    /// Reads the workload so many times in all, each time shifted by `period`
    /// against the time before.
    Repeat {
        /// At least 1.
        times: u32,
        /// From the start of one repetition to that of the next. `None`: the
        /// time from the first arrival to the last, and one mean gap.
        period: Option<Span>,
    },
    /// Deals the work out anew over the same arrival times, by seed. Materialises.
    Shuffle,
    /// Samples work by seed, with replacement, until what it asks of
    /// `resource` reaches `share` of the capacity. Materialises.
    Inflate {
        /// Of the capacity; 1.3 is 130 %.
        share: f64,
        /// Which resource is counted.
        resource: Resource,
        /// Time between arrivals; their order is the order of sampling.
        gap: Span,
    },
}

/// A resource that demand is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Milli-cores.
    Cpu,
    /// MiB.
    Memory,
    /// Milli-shares of GPUs.
    Gpu,
}

/// What a world offers in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Milli-cores.
    pub cpu: u64,
    /// MiB.
    pub memory: u64,
    /// Milli-shares of GPUs.
    pub gpu: u64,
}

/// Bounds, both included, that work must lie in. Sizes are per task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keep {
    /// Runtime or lifetime.
    pub min_runtime: Option<Span>,
    /// Runtime or lifetime.
    pub max_runtime: Option<Span>,
    /// Number of tasks.
    pub min_tasks: Option<u32>,
    /// Number of tasks.
    pub max_tasks: Option<u32>,
    /// Milli-cores.
    pub min_cpu: Option<u32>,
    /// Milli-cores.
    pub max_cpu: Option<u32>,
    /// MiB.
    pub min_memory: Option<u32>,
    /// MiB.
    pub max_memory: Option<u32>,
    /// GPU devices.
    pub min_gpus: Option<u8>,
    /// GPU devices.
    pub max_gpus: Option<u8>,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only these tenants, when not empty.
    pub tenants: Vec<String>,
}
