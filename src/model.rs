//! What a cloud and a workload are: data and pure functions, no behaviour in time.

mod work;
mod world;

pub use work::{
    Ask, Book, Filter, Home, Kind, Rules, Spread, Tenant, Together, Truth, Work, WorkId,
};
pub use world::{
    Billing, ClassOrder, GpuModel, InstanceType, Link, Market, Offer, PricePath, Provider, Quota,
    QuotaUnit, Region, World, Zone,
};
