//! The world: providers, regions, zones, instance types and what can be rented.

mod builder;
mod capacity;
mod power;
mod launch;
mod price;
mod step_path;

pub use builder::{OfferSpec, WorldBuilder};
pub use capacity::{
    CapacityCursor, CapacityLaw, CapacityPath, CapacityState, Comovement, ComovementMember,
    DrawnCapacity, ImpossiblePair, LevelLaw, StateLaw,
};
pub use launch::{LaunchStage, LaunchTerms, Surge, Throttle};
pub use power::PowerCurve;
pub use price::{DrawnPrice, PriceCursor, PriceLaw, PriceMotion, PricePath};
pub use step_path::StepPath;

use super::{Budget, Fault, GpuModel, HeldCommitment, Migration};
use crate::units::{Calendar, Id, IdVec, Rate, Shape, Span};

/// A cloud, or an owned cluster seen as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Short name used in scenarios: `aws`, `dc1`.
    pub name: String,
    /// Name as a reader knows it: `AWS`.
    pub title: String,
    /// Rule by which instance time becomes money.
    pub billing: Billing,
    /// Terms on which it takes spot instances back.
    pub spot: SpotTerms,
    /// Limit on launches by one account, in each region by itself; `None` is none.
    pub throttle: Option<Throttle>,
}

/// Terms on which a provider takes spot instances back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpotTerms {
    /// Time from the recommendation to rebalance to the warning, which comes only if there is no capacity
    /// by then; `None` where the provider recommends nothing.
    pub rebalance: Option<Span>,
    /// Time from the warning to the end; zero is no warning.
    pub notice: Span,
    /// Time from the launch before which an instance is not taken back, whatever the capacity.
    pub protected: Span,
    /// Time from the launch at which an instance is ended in any case, if there is such a limit.
    pub longest: Option<Span>,
    /// Fate of an instance for which there is no capacity any more.
    pub reclaimed: Reclaimed,
    /// Time until an instance that was stopped is ready once there is capacity again.
    pub restart: Span,
}

impl SpotTerms {
    /// Time from the warning to the end; zero where there is no warning, as of what hibernates.
    pub const fn warning(&self) -> Span {
        match self.reclaimed {
            Reclaimed::Terminated | Reclaimed::Stopped => self.notice,
            Reclaimed::Hibernated => Span::ZERO,
        }
    }
}

/// Fate of spot instances that are taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reclaimed {
    /// They are gone, with all that is on them.
    #[default]
    Terminated,
    /// They are stopped, cost nothing, and start again from their disks.
    Stopped,
    /// The same, with what was in memory; they are not warned.
    Hibernated,
}

impl Reclaimed {
    /// All fates, in the order of the reference.
    pub const ALL: [Self; 3] = [Self::Terminated, Self::Stopped, Self::Hibernated];

    /// The word of scenarios: what the provider does.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Terminated => "terminate",
            Self::Stopped => "stop",
            Self::Hibernated => "hibernate",
        }
    }
}

/// Rule that turns a lifetime into billed time: rounded up to the
/// granularity, at least the minimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Billing {
    /// Billed in steps of this, at least one microsecond.
    pub granularity: Span,
    /// Shortest billed time per launch.
    pub minimum: Span,
}

/// A unit of price, law and carbon.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The provider's own name: `us-east-1`.
    pub name: String,
    /// The provider that it belongs to.
    pub provider: Id<Provider>,
    /// Law that holds there: `US`, `EU`, `CN` ...
    pub jurisdiction: String,
    /// Certifications, such as `iso27001`.
    pub certifications: Vec<String>,
    /// Carbon intensity of its grid in micrograms of CO2-equivalent per kWh, where it is known.
    pub carbon: Option<StepPath>,
    /// Energy of the whole data centre over that of its machines, in millionths: the power usage
    /// effectiveness (ISO/IEC 30134-2), at least 1,000,000.
    pub pue_millionths: i64,
}

/// A zone of a region: a unit of capacity.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// The provider's own name: `us-east-1a`.
    pub name: String,
    /// The region it lies in.
    pub region: Id<Region>,
}

/// A size of machine.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceType {
    /// The provider's own name: `m5.xlarge`.
    pub name: String,
    /// Family that quotas and discounts name: `m5`.
    pub family: String,
    /// Part of the machine that work can use: all less what the system keeps back.
    pub shape: Shape,
    /// The whole machine, which quotas count.
    pub whole: Shape,
    /// Model of its GPUs, if it has any.
    pub gpu_model: Option<Id<GpuModel>>,
    /// Speed relative to the reference machine, in millionths.
    pub speed: u32,
    /// Electrical power by its load, where it is known.
    pub power: Option<PowerCurve>,
}

/// Way in which an offer is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Market {
    /// Rented at list price.
    OnDemand,
    /// Rented at a discount, is taken back when its capacity falls.
    Spot,
    /// Owned, already paid for.
    Owned,
}

impl Market {
    /// The word used in scenarios and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
            Self::Owned => "owned",
        }
    }
}

/// Zone, instance type and market of instances that can be rented, or are owned.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Full name, unique: `aws/us-east-1a/m5.xlarge/on-demand`, or the name of a cluster's group.
    pub name: String,
    /// Zone of its instances.
    pub zone: Id<Zone>,
    /// Type of its instances.
    pub instance_type: Id<InstanceType>,
    /// Way in which it is paid for.
    pub market: Market,
    /// Price of one instance.
    pub price: PricePath,
    /// Highest price that is paid on the spot market, if there is a limit: while the price is above
    /// it there is no capacity.
    pub max_price: Option<Rate>,
    /// Most instances at once.
    pub capacity: CapacityPath,
    /// How launches go.
    pub launch: LaunchTerms,
    /// Instances that run when the run starts (owned clusters, static fleets of the world).
    pub running_at_start: u32,
}

impl Offer {
    /// Mean time from request to running, or the median where there is no mean.
    pub fn mean_boot(&self) -> Span {
        self.launch.mean()
    }

    /// Time within which this share of boots is over, or the mean where no quantile is known.
    pub fn boot_within(&self, share: f64) -> Span {
        self.launch.within(share)
    }

    /// Whether its instances can be taken back as there is no capacity for them any more.
    pub fn is_taken_back(&self) -> bool {
        self.market == Market::Spot && (self.capacity.moves() || self.max_price.is_some())
    }
}

/// Unit that a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaUnit {
    /// Whole instances.
    Instances,
    /// Milli-cores of whole machines.
    Cpu,
    /// GPU devices.
    Gpus,
}

/// A limit on what may be rented at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Name in the scenario: `aws/us-east-1/g5 vcpus`.
    pub name: String,
    /// Unit that is counted.
    pub unit: QuotaUnit,
    /// Most of it at once.
    pub limit: u64,
    /// The offers that count.
    pub offers: Vec<Id<Offer>>,
}

/// Moving data from one region to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Price in nano-dollars per GiB.
    pub nanos_per_gib: i64,
    /// Bytes per second; 0 is unlimited.
    pub bytes_per_sec: i64,
    /// Path by which terms price it; `None` where its own price holds whatever they say.
    pub path: Option<Id<TransferPath>>,
}

/// A kind of way that data takes, as terms name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferPath {
    /// Its name: `internet`, `region` or a word of the scenario.
    pub name: String,
}

impl Link {
    /// Time to move `bytes`, rounded up to a microsecond.
    pub fn time(self, bytes: i64) -> Span {
        if self.bytes_per_sec == 0 {
            return Span::ZERO;
        }
        let micros = (i128::from(bytes) * 1_000_000).div_euclid(i128::from(self.bytes_per_sec));
        let exact = micros * i128::from(self.bytes_per_sec) == i128::from(bytes) * 1_000_000;
        Span::from_micros(i64::try_from(micros + i128::from(!exact)).unwrap_or(i64::MAX / 4))
    }
}

/// The order in which events of one instant are applied, and when the policy
/// is asked. A field of the world, so that compatibility variants of published
/// simulators are data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassOrder {
    /// Arrivals are applied before completions of the same instant.
    pub arrivals_first: bool,
    /// The policy is asked after every event, not once per instant.
    pub ask_per_event: bool,
}

impl ClassOrder {
    /// completion; failure; ready; price change; arrival; timer; sample. Asked once per instant.
    pub const STANDARD: Self = Self { arrivals_first: false, ask_per_event: false };
}

/// Offers, places, prices and limits: everything that a policy can rent or use, and its cost.
#[derive(Clone, Debug)]
pub struct World {
    /// Dates for the clock.
    pub calendar: Calendar,
    /// Clouds and owned clusters.
    pub providers: IdVec<Provider>,
    /// All regions.
    pub regions: IdVec<Region>,
    /// All zones.
    pub zones: IdVec<Zone>,
    /// All GPU models.
    pub gpu_models: IdVec<GpuModel>,
    /// All instance types.
    pub types: IdVec<InstanceType>,
    /// All offers.
    pub offers: IdVec<Offer>,
    /// All quotas.
    pub quotas: Vec<Quota>,
    /// `links[from * regions + to]`; see [`World::link`].
    pub links: Vec<Link>,
    /// The paths of links.
    pub paths: IdVec<TransferPath>,
    /// All that fails.
    pub faults: Vec<Fault>,
    /// How tasks that compute move to other machines.
    pub migration: Migration,
    /// Order of simultaneous events.
    pub classes: ClassOrder,
    /// Budgets: what is meant to be spent.
    pub budgets: Vec<Budget>,
    /// Commitments and kept capacity of the terms. What is bought meanwhile is in the state.
    pub commitments: Vec<HeldCommitment>,
}

impl World {
    /// A world without anything in it.
    pub fn empty(calendar: Calendar) -> Self {
        Self {
            calendar,
            providers: IdVec::default(),
            regions: IdVec::default(),
            zones: IdVec::default(),
            gpu_models: IdVec::default(),
            types: IdVec::default(),
            offers: IdVec::default(),
            quotas: Vec::new(),
            links: Vec::new(),
            paths: IdVec::default(),
            faults: Vec::new(),
            migration: Migration::default(),
            classes: ClassOrder::STANDARD,
            budgets: Vec::new(),
            commitments: Vec::new(),
        }
    }

    /// Link over which data moves from one region to another. Free and instant where the scenario
    /// gives no matrix, and within a region.
    pub fn link(&self, from: Id<Region>, to: Id<Region>) -> Link {
        let row = from.row() * self.regions.len() + to.row();
        self.links.get(row).copied().unwrap_or_default()
    }

    /// The region of an offer.
    pub fn region_of(&self, offer: Id<Offer>) -> Id<Region> {
        self.zones[self.offers[offer].zone].region
    }

    /// The provider of an offer.
    pub fn provider_of(&self, offer: Id<Offer>) -> Id<Provider> {
        self.regions[self.region_of(offer)].provider
    }

    /// The instance type of an offer.
    pub fn type_of(&self, offer: Id<Offer>) -> &InstanceType {
        &self.types[self.offers[offer].instance_type]
    }

    /// Number of GPU devices of a machine of an offer.
    pub fn gpus_of(&self, offer: Id<Offer>) -> u32 {
        self.type_of(offer).shape.gpus.into()
    }

    /// `provider/region`, or the cluster's name alone where both are the same.
    pub fn region_name(&self, region: Id<Region>) -> String {
        let provider = &self.providers[self.regions[region].provider].name;
        let region = &self.regions[region].name;
        if provider == region { region.clone() } else { format!("{provider}/{region}") }
    }

    /// The region called `provider/region` or like a cluster.
    pub fn find_region(&self, name: &str) -> Option<Id<Region>> {
        self.regions.ids().find(|&region| self.region_name(region) == name)
    }

    /// The region of a home of data: that of [`World::find_region`], or the one of the zone called
    /// `provider/zone`.
    pub fn find_home(&self, name: &str) -> Option<Id<Region>> {
        let in_zone = || {
            let zone = self.zones.ids().find(|&zone| self.zone_name(zone) == name)?;
            Some(self.zones[zone].region)
        };
        self.find_region(name).or_else(in_zone)
    }

    /// `provider/zone`.
    pub fn zone_name(&self, zone: Id<Zone>) -> String {
        let provider = self.regions[self.zones[zone].region].provider;
        format!("{}/{}", self.providers[provider].name, self.zones[zone].name)
    }
}
