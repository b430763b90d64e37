//! Data model of a cloud and a workload: data and pure functions, no behaviour in time.

mod budget;
mod checkpoint;
mod commitment;
mod fault;
pub mod gpu;
mod migration;
mod speedup;
mod work;
mod world;

pub use budget::{Budget, BudgetPeriod, BudgetScope};
pub use checkpoint::Checkpoint;
pub use commitment::{CommitmentTake, HeldCommitment};
pub use fault::{Fault, FaultDomain, FaultEffect, FaultTimes, Lemons};
pub use gpu::GpuModel;
pub use migration::{Manner, Migration, MigrationCost};
pub use speedup::Speedup;
pub use work::{
    Ask, Filter, Home, Interner, Rules, Spread, Tenant, Together, Work, WorkBody, WorkClass,
    WorkId, WorkKind,
};
pub use world::{
    Billing, CapacityCursor, CapacityLaw, CapacityPath, CapacityState, ClassOrder, Comovement,
    ComovementMember, DrawnCapacity, DrawnPrice, ImpossiblePair, InstanceType, LaunchStage,
    LaunchTerms, LevelLaw, Link, Market, Offer, OfferSpec, PowerCurve, PriceCursor, PriceLaw,
    PriceMotion, PricePath, Provider, Quota, QuotaUnit, Reclaimed, Region, SpotTerms, StateLaw,
    StepPath, Surge, Throttle, TransferPath, World, WorldBuilder, Zone,
};
