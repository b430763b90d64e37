//! The columns of a native trace.

/// A column of a native trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NativeColumn {
    /// `id`
    Id,
    /// `source`
    Source,
    /// `ordinal`
    Ordinal,
    /// `arrival_s`
    Arrival,
    /// `runtime_s`
    Runtime,
    /// `lifetime_s`
    Lifetime,
    /// `estimate_s`
    Estimate,
    /// `deadline_s`
    Deadline,
    /// `tasks`
    Tasks,
    /// `min_tasks`
    MinTasks,
    /// `parallel_fraction`
    ParallelFraction,
    /// `gang`
    Gang,
    /// `cpu_milli`
    CpuMilli,
    /// `vcpus`, read but never written
    Vcpus,
    /// `memory_mib`
    Memory,
    /// `gpus`
    Gpus,
    /// `gpu_share_milli`
    GpuShare,
    /// `exclusive`
    Exclusive,
    /// `priority`
    Priority,
    /// `tenant`
    Tenant,
    /// `home`
    Home,
    /// `input_bytes`
    Input,
    /// `output_bytes`
    Output,
    /// `resumes`
    Resumes,
    /// `checkpoint_write_s`
    CheckpointWrite,
    /// `checkpoint_blocking`
    CheckpointBlocking,
    /// `checkpoint_restore_s`
    CheckpointRestore,
    /// `observed_wait_s`, which no run sees
    ObservedWait,
    /// `providers`
    Providers,
    /// `not_providers`
    NotProviders,
    /// `regions`
    Regions,
    /// `not_regions`
    NotRegions,
    /// `types`
    Types,
    /// `not_types`
    NotTypes,
    /// `offers`
    Offers,
    /// `not_offers`
    NotOffers,
    /// `markets`
    Markets,
    /// `not_markets`
    NotMarkets,
    /// `gpu_models`
    GpuModels,
    /// `not_gpu_models`
    NotGpuModels,
    /// `jurisdictions`
    Jurisdictions,
    /// `certifications`
    Certifications,
    /// `throughput`
    Throughput,
    /// `spread`
    Spread,
    /// `together`
    Together,
}

impl NativeColumn {
    /// Every column, in the order in which they are written.
    pub const ALL: [Self; 45] = [
        Self::Id,
        Self::Source,
        Self::Ordinal,
        Self::Arrival,
        Self::Runtime,
        Self::Lifetime,
        Self::Estimate,
        Self::Deadline,
        Self::Tasks,
        Self::MinTasks,
        Self::ParallelFraction,
        Self::Gang,
        Self::CpuMilli,
        Self::Vcpus,
        Self::Memory,
        Self::Gpus,
        Self::GpuShare,
        Self::Exclusive,
        Self::Priority,
        Self::Tenant,
        Self::Home,
        Self::Input,
        Self::Output,
        Self::Resumes,
        Self::CheckpointWrite,
        Self::CheckpointBlocking,
        Self::CheckpointRestore,
        Self::ObservedWait,
        Self::Providers,
        Self::NotProviders,
        Self::Regions,
        Self::NotRegions,
        Self::Types,
        Self::NotTypes,
        Self::Offers,
        Self::NotOffers,
        Self::Markets,
        Self::NotMarkets,
        Self::GpuModels,
        Self::NotGpuModels,
        Self::Jurisdictions,
        Self::Certifications,
        Self::Throughput,
        Self::Spread,
        Self::Together,
    ];

    /// Its name in the header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Source => "source",
            Self::Ordinal => "ordinal",
            Self::Arrival => "arrival_s",
            Self::Runtime => "runtime_s",
            Self::Lifetime => "lifetime_s",
            Self::Estimate => "estimate_s",
            Self::Deadline => "deadline_s",
            Self::Tasks => "tasks",
            Self::MinTasks => "min_tasks",
            Self::ParallelFraction => "parallel_fraction",
            Self::Gang => "gang",
            Self::CpuMilli => "cpu_milli",
            Self::Vcpus => "vcpus",
            Self::Memory => "memory_mib",
            Self::Gpus => "gpus",
            Self::GpuShare => "gpu_share_milli",
            Self::Exclusive => "exclusive",
            Self::Priority => "priority",
            Self::Tenant => "tenant",
            Self::Home => "home",
            Self::Input => "input_bytes",
            Self::Output => "output_bytes",
            Self::Resumes => "resumes",
            Self::CheckpointWrite => "checkpoint_write_s",
            Self::CheckpointBlocking => "checkpoint_blocking",
            Self::CheckpointRestore => "checkpoint_restore_s",
            Self::ObservedWait => "observed_wait_s",
            Self::Providers => "providers",
            Self::NotProviders => "not_providers",
            Self::Regions => "regions",
            Self::NotRegions => "not_regions",
            Self::Types => "types",
            Self::NotTypes => "not_types",
            Self::Offers => "offers",
            Self::NotOffers => "not_offers",
            Self::Markets => "markets",
            Self::NotMarkets => "not_markets",
            Self::GpuModels => "gpu_models",
            Self::NotGpuModels => "not_gpu_models",
            Self::Jurisdictions => "jurisdictions",
            Self::Certifications => "certifications",
            Self::Throughput => "throughput",
            Self::Spread => "spread",
            Self::Together => "together",
        }
    }

    /// Whether its cells are names, in which blanks count.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Id | Self::Tenant | Self::Home)
            || self >= Self::Providers && self < Self::Spread
    }

    /// The column called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }
}
