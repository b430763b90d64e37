//! Standard Workload Format, version 2.2 (Feitelson's Parallel Workloads
//! Archive; Chapin et al., JSSPP 1999).

use crate::units::Span;

/// How SWF records become jobs: one task per processor, all of them a gang.
#[derive(Clone, Debug, PartialEq)]
pub struct SwfOptions {
    /// Which field is the number of processors.
    pub procs: Procs,
    /// Milli-cores per processor.
    pub cpu_per_proc: u32,
    /// MiB per processor where field 10 (requested memory) is missing or ignored.
    pub memory_per_proc: u32,
    /// Whether field 10 (requested KB per processor) is used, rounded up to MiB.
    pub requested_memory: bool,
    /// What becomes of records without a runtime (field 4 below 0).
    pub unknown_runtime: UnknownRuntime,
    /// Leaves out records of runtime 0.
    pub drop_zero: bool,
    /// Leaves out records with status 5 (cancelled).
    pub drop_cancelled: bool,
    /// Which field names the tenant.
    pub tenant: SwfTenant,
}

impl Default for SwfOptions {
    /// One core per processor, no memory, records without a runtime left out.
    fn default() -> Self {
        Self {
            procs: Procs::Requested,
            cpu_per_proc: 1_000,
            memory_per_proc: 0,
            requested_memory: false,
            unknown_runtime: UnknownRuntime::Skip,
            drop_zero: false,
            drop_cancelled: false,
            tenant: SwfTenant::User,
        }
    }
}

/// Which field is the number of processors. Where it is missing, the other is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Procs {
    /// Field 8.
    #[default]
    Requested,
    /// Field 5.
    Allocated,
    /// The larger of the two.
    Larger,
}

/// What becomes of a record without a runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownRuntime {
    /// It is left out, and counted.
    #[default]
    Skip,
    /// It runs this long.
    Take(Span),
}

/// Which field names the tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SwfTenant {
    /// None does.
    Nobody,
    /// Field 12, as `user<N>`.
    #[default]
    User,
    /// Field 13, as `group<N>`.
    Group,
    /// Field 15, as `queue<N>`.
    Queue,
    /// Field 16, as `partition<N>`.
    Partition,
}
