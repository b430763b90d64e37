//! The worlds and workloads of queueing theory, built in code.

use super::oracle::Case;
use crate::model::{Billing, CapacityPath, Market, OfferSpec, World};
use crate::units::{Calendar, Demand, Distribution, Shape, Span};
use crate::workload::{
    Arrivals, BoxedSource, Defaults, OpenContext, SynthClass, SynthSpec, Until, WorkloadInput,
    WorkloadSpec,
};

/// One unit of theory's time: long against the microseconds of the clock.
pub const UNIT: Span = Span::from_secs(1_000);

/// Servers, as a cluster or as rented instances.
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// Cores of each machine; work takes one.
    pub cores: u32,
    /// Number of owned machines; 0 if machines are rented.
    pub machines: u32,
    /// Terms of the instances for rent, when nothing is owned.
    pub rented: Option<RentalTerms>,
}

/// Instances for rent at a dollar an hour (or a second, see `by_second`).
#[derive(Clone, Debug, PartialEq)]
pub struct RentalTerms {
    /// On demand, or spot.
    pub market: Market,
    /// Time from the warning of a spot instance to its end.
    pub notice: Span,
    /// Most instances at once.
    pub capacity: CapacityPath,
    /// Seconds from request to running.
    pub boot: Distribution,
    /// Billing rule of the instances.
    pub billing: Billing,
    /// A dollar per second instead of per hour.
    pub by_second: bool,
}

impl Default for RentalTerms {
    /// As many as are wanted on demand, which are ready at once and billed to the microsecond.
    fn default() -> Self {
        Self {
            market: Market::OnDemand,
            notice: Span::ZERO,
            capacity: CapacityPath::constant(None),
            boot: Distribution::Constant(0.0),
            billing: TO_THE_MOMENT,
            by_second: false,
        }
    }
}

const TO_THE_MOMENT: Billing = Billing { granularity: Span::from_micros(1), minimum: Span::ZERO };

impl Station {
    /// Owned machines with these cores each.
    pub const fn owned(machines: u32, cores: u32) -> Self {
        Self { cores, machines, rented: None }
    }

    /// Instances of one core for rent.
    pub const fn rented(rented: RentalTerms) -> Self {
        Self { cores: 1, machines: 0, rented: Some(rented) }
    }

    /// The world with this station in it.
    pub fn world(&self) -> World {
        let shape = Shape { cpu: self.cores * 1_000, memory: 0, gpus: 0 };
        let (offer, billing, notice) = match &self.rented {
            None => {
                let owned = OfferSpec::owned("station", "station", shape, self.machines);
                (owned, TO_THE_MOMENT, Span::ZERO)
            }
            Some(rented) => {
                let price = if rented.by_second { "3600" } else { "1" };
                let kind = match rented.market {
                    Market::Spot => OfferSpec::spot,
                    Market::OnDemand | Market::Owned => OfferSpec::on_demand,
                };
                let offer = kind("station", "station", shape, price)
                    .boot(rented.boot.clone())
                    .capacity(rented.capacity.clone());
                (offer.running(self.machines), rented.billing, rented.notice)
            }
        };
        World::builder()
            .provider("station", |provider| {
                provider.billing = billing;
                provider.spot.notice = notice;
            })
            .offer(offer.named("station"))
            .build()
            .expect("a station is a right world")
    }
}

/// Demand of one piece of work: a core.
pub const CORE: Demand = Demand { cpu: 1_000, memory: 0, gpus: 0, gpu_share: 0, exclusive: false };

/// A class of work of one core with this law of service, in seconds.
pub fn class(service: Distribution) -> SynthClass {
    SynthClass {
        runtime: service,
        cpu: Distribution::Constant(f64::from(CORE.cpu)),
        ..SynthClass::default()
    }
}

/// Poisson arrivals at `rate` per unit of time.
pub fn poisson(rate: f64) -> Arrivals {
    Arrivals::Poisson { per_hour: rate * Span::HOUR.secs_f64() / UNIT.secs_f64() }
}

/// The work of one replication of `case`.
///
/// # Errors
/// Problems with the case, which are bugs.
pub fn source(case: &Case, jobs: u64, seed: u64) -> Result<BoxedSource, String> {
    let spec = WorkloadSpec {
        input: WorkloadInput::Synthetic(SynthSpec {
            arrivals: case.arrivals.clone(),
            batch: case.batch.map(|batch| Distribution::Constant(f64::from(batch))),
            until: Until::Count(jobs),
            classes: case.classes.clone(),
        }),
        defaults: Defaults::default(),
        transforms: Vec::new(),
    };
    let context = OpenContext {
        seed,
        calendar: Calendar::from_unix_micros(0),
        keep_names: false,
        capacity: None,
    };
    spec.open(&context).map_err(|problems| format!("{problems:?}"))
}
