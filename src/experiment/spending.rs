//! What a run bought: how much of each product, and for how much at list prices.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::measurement::exact;
use crate::model::{Offer, Region, World};
use crate::sim::Observer;
use crate::state::{ChargeKind, Record, State};
use crate::units::{Id, Money};

/// What was bought of one product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSpending {
    /// Provider or cluster.
    pub provider: String,
    /// `machines`, `GPU machines` or `transfer`: what is counted in one unit.
    pub service: String,
    /// Region, type and market; of data, the region that it leaves.
    pub product: String,
    /// Billed time times cores or GPUs, in thousandths of a second; of data, bytes.
    #[serde(with = "exact")]
    pub quantity: i128,
    /// Cost at list prices, in nano-dollars.
    #[serde(with = "exact")]
    pub nanos: i128,
}

/// Machines without GPUs, by the core-hour.
const MACHINES: &str = "machines";
/// Machines with GPUs, by the GPU-hour.
const GPU_MACHINES: &str = "GPU machines";
/// Data that leaves a region, by the GiB.
const TRANSFER: &str = "transfer";

impl ProductSpending {
    /// The unit of its service.
    pub fn unit(&self) -> &'static str {
        match self.service.as_str() {
            TRANSFER => "GiB",
            GPU_MACHINES => "GPU-hour",
            _ => "core-hour",
        }
    }

    /// So much quantity is one unit.
    pub fn whole(&self) -> f64 {
        match self.service.as_str() {
            TRANSFER => 1_073_741_824.0,
            _ => 3_600_000.0,
        }
    }
}

/// Adds up quantities and amounts: billed microseconds by offer, bytes by the region that they
/// leave.
#[derive(Clone, Debug, Default)]
pub(super) struct SpendingTally {
    machines: BTreeMap<Id<Offer>, [i128; 2]>,
    moved: BTreeMap<Id<Region>, [i128; 2]>,
}

impl SpendingTally {
    /// Takes away what `earlier` added up.
    pub(super) fn without(mut self, earlier: &Self) -> Self {
        let subtract = |mine: &mut [i128; 2], theirs: &[i128; 2]| {
            mine[0] -= theirs[0];
            mine[1] -= theirs[1];
        };
        for (offer, sums) in &earlier.machines {
            subtract(self.machines.entry(*offer).or_default(), sums);
        }
        for (region, sums) in &earlier.moved {
            subtract(self.moved.entry(*region).or_default(), sums);
        }
        self
    }

    /// Sum of all amounts.
    pub(super) fn total(&self) -> Money {
        let all = self.machines.values().chain(self.moved.values());
        Money::from_nanos(all.map(|[_, nanos]| nanos).sum())
    }

    /// By provider, service and product, where anything was used.
    pub(super) fn products(&self, world: &World) -> Vec<ProductSpending> {
        let mut sums: BTreeMap<[String; 3], [i128; 2]> = BTreeMap::new();
        let mut add = |key: [String; 3], quantity: i128, nanos: i128| {
            let sum = sums.entry(key).or_default();
            sum[0] += quantity;
            sum[1] += nanos;
        };
        let provider_of =
            |region: Id<Region>| world.providers[world.regions[region].provider].name.clone();
        for (&offer, &[micros, nanos]) in &self.machines {
            let (kind, region) = (world.type_of(offer), world.region_of(offer));
            let market = world.offers[offer].market.name();
            let product = format!("{} {} {market}", world.regions[region].name, kind.name);
            let (service, thousandths) = match kind.shape.gpus {
                0 => (MACHINES, i128::from(kind.shape.cpu)),
                gpus => (GPU_MACHINES, 1_000 * i128::from(gpus)),
            };
            let quantity = micros * thousandths / 1_000_000;
            add([provider_of(region), service.to_owned(), product], quantity, nanos);
        }
        for (&region, &[bytes, nanos]) in &self.moved {
            let product = world.regions[region].name.clone();
            add([provider_of(region), TRANSFER.to_owned(), product], bytes, nanos);
        }
        sums.retain(|_, sum| *sum != [0, 0]);
        let row = |([provider, service, product], [quantity, nanos]): ([String; 3], [i128; 2])| {
            ProductSpending { provider, service, product, quantity, nanos }
        };
        sums.into_iter().map(row).collect()
    }
}

impl Observer for SpendingTally {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let (sums, quantity, amount) = match record {
            Record::Released { instance, billed, amount, .. } => {
                let offer = state.instance(*instance).offer;
                (self.machines.entry(offer).or_default(), billed.micros(), *amount)
            }
            Record::Charged(charge) if charge.kind == ChargeKind::Transfer => {
                (self.moved.entry(charge.region).or_default(), charge.bytes, charge.amount)
            }
            Record::Charged(_)
            | Record::Submitted(_)
            | Record::Placed(_)
            | Record::Started(_)
            | Record::Stopped { .. }
            | Record::Finished(_)
            | Record::Refused { .. }
            | Record::Unfinished(_)
            | Record::Requested(_)
            | Record::Ready(_)
            | Record::Draining { .. }
            | Record::Failed { .. }
            | Record::Repaired(_)
            | Record::Outage { .. }
            | Record::Slowed { .. }
            | Record::Restarted { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => return,
        };
        sums[0] += i128::from(quantity);
        sums[1] += amount.nanos();
    }
}
