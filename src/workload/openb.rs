//! Pod and node lists of Alibaba's cluster-trace-gpu-v2023 ("openb").

/// How an openb pod list becomes work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenbOptions {
    /// Pods arrive and never leave, as in the experiments of the FGD paper
    /// (ATC '23); otherwise they live from creation to deletion.
    pub arrivals_only: bool,
    /// Whether pods are jobs instead of virtual machines.
    pub as_jobs: bool,
    /// Whether the quality of service sets the priority: BE 0, Burstable 1,
    /// LS 2, Guaranteed 3.
    pub qos_priority: bool,
}
