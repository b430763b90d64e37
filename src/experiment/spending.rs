//! What a run bought: how much of each product, and for how much at list prices.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::measurement::exact;
use crate::metrics::SpendingTally;
use crate::model::{Region, World};
use crate::units::Id;

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

/// What was bought by provider, service and product, where anything was used.
pub(super) fn products(tally: &SpendingTally, world: &World) -> Vec<ProductSpending> {
    let mut sums: BTreeMap<[String; 3], [i128; 2]> = BTreeMap::new();
    let mut add = |key: [String; 3], quantity: i128, nanos: i128| {
        let sum = sums.entry(key).or_default();
        sum[0] += quantity;
        sum[1] += nanos;
    };
    let provider_of =
        |region: Id<Region>| world.providers[world.regions[region].provider].name.clone();
    for (offer, [micros, nanos]) in tally.machines() {
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
    for (region, [bytes, nanos]) in tally.moved() {
        let product = world.regions[region].name.clone();
        add([provider_of(region), TRANSFER.to_owned(), product], bytes, nanos);
    }
    sums.retain(|_, sum| *sum != [0, 0]);
    let row = |([provider, service, product], [quantity, nanos]): ([String; 3], [i128; 2])| {
        ProductSpending { provider, service, product, quantity, nanos }
    };
    sums.into_iter().map(row).collect()
}
