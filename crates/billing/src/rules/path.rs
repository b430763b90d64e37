//! Prices of transfers that do not follow from the quantity of a month: between two regions, and on
//! paths that a customer asks for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::{BillingRules, RuleSource, dollars};
use crate::month::instant;
use crate::units::{Rate, Time};
use crate::usage::{Product, Service};

/// Price of a path from some regions on, since a date. Who moves on it says so in usage.
#[derive(Clone, Debug, Deserialize)]
pub struct PathRow {
    /// The provider that the bytes leave.
    pub provider: String,
    /// The path.
    pub path: String,
    /// What names of regions that it begins in begin with.
    pub regions: Vec<String>,
    /// Instant since which it holds.
    pub since: String,
    /// Dollars per gigabyte.
    pub usd: f64,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: RuleSource,
}

/// Source of the prices of pairs of regions of a provider.
#[derive(Clone, Debug, Deserialize)]
pub struct PairsRow {
    /// The provider.
    pub provider: String,
    /// Where they come from.
    #[serde(flatten)]
    pub source: RuleSource,
}

/// Word before the region that bytes go to, in the path of a transfer: `region/us-west-2`.
const TO_REGION: &str = "region/";

/// The path of what goes to that region.
pub fn to_region(to: &str) -> String {
    format!("{TO_REGION}{to}")
}

/// Prices by provider, region that bytes leave and region that they go to.
type PairPrices = BTreeMap<(&'static str, &'static str, &'static str), Rate>;

/// The shipped prices of pairs.
fn pairs() -> &'static PairPrices {
    static PAIRS: LazyLock<PairPrices> = LazyLock::new(|| {
        let rows = include_str!("../../data/pairs.csv").lines().skip(1);
        let cells = rows.filter_map(|row| {
            let (place, to) = row.rsplit_once(',')?;
            let (place, usd) = place.rsplit_once(',')?;
            let (provider, from) = place.split_once(',')?;
            Some((provider, from, dollars(usd.parse().ok()?), to))
        });
        let each = |(provider, from, price, to): (_, _, _, &'static str)| {
            to.split(' ').map(move |to| ((provider, from, to), price))
        };
        cells.flat_map(each).collect()
    });
    &PAIRS
}

impl BillingRules {
    /// Path of bytes from one region of a provider to another that has a price of its own; `None`
    /// where none is known.
    pub fn pair_path(&self, provider: &str, from: &str, to: &str) -> Option<String> {
        pairs().contains_key(&(provider, from, to)).then(|| to_region(to))
    }

    /// Price of a gigabyte of a transfer at `at`; `None` where none is known, or it follows from the
    /// quantity of the month.
    pub fn transfer_price(&self, product: &Product, at: Time) -> Option<Rate> {
        if product.service != Service::Transfer {
            return None;
        }
        let Product { provider, region, family: path, .. } = product;
        if let Some(to) = path.strip_prefix(TO_REGION) {
            return pairs().get(&(provider.as_str(), region.as_str(), to)).copied();
        }
        let since = |row: &PathRow| instant(&row.since);
        let held = self.path.iter().filter(|row| {
            row.provider == *provider
                && row.path == *path
                && row.regions.iter().any(|begin| region.starts_with(begin))
                && since(row).is_some_and(|since| since <= at)
        });
        held.max_by_key(|row| since(row)).map(|row| dollars(row.usd))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::shipped;
    use crate::usage::{Sale, UsageUnit};

    fn price(provider: &str, region: &str, path: &str, at: &str) -> Option<i64> {
        let product = Product {
            currency: String::new(),
            provider: provider.into(),
            service: Service::Transfer,
            region: region.into(),
            zone: String::new(),
            family: path.into(),
            size: String::new(),
            system: "linux".into(),
            tenancy: "default".into(),
            sale: Sale::OnDemand,
            unit: UsageUnit::Gigabyte,
            weight: 1,
        };
        let at = instant(at).expect("an instant");
        // In thousandths of a cent.
        shipped().transfer_price(&product, at).map(|price| price.picos() / 10_000_000)
    }

    #[test]
    fn pairs_of_regions_have_prices() {
        let at = |provider, from, to: &str| {
            price(provider, from, &format!("region/{to}"), "2026-03-01T00:00:00Z")
        };
        for (provider, from, to, wanted) in [
            ("aws", "us-east-1", "us-east-2", 1_000),
            ("aws", "us-east-2", "us-east-1", 1_000),
            ("aws", "us-east-1", "eu-west-1", 2_000),
            ("aws", "sa-east-1", "us-east-1", 13_800),
            ("aws", "af-south-1", "us-east-1", 14_700),
            ("azure", "eastus", "westeurope", 5_000),
            ("gcp", "us-central1", "us-east1", 1_000),
            ("gcp", "us-central1", "australia-southeast1", 15_000),
        ] {
            assert_eq!(at(provider, from, to), Some(wanted), "{provider} {from} {to}");
        }
        assert_eq!(at("aws", "us-east-1", "us-east-1"), None);
        assert_eq!(at("aws", "us-east-1", "nowhere"), None);
        assert_eq!(pairs().keys().filter(|(provider, ..)| *provider == "aws").count(), 1_122);
        assert!(pairs().values().all(|price| *price > Rate::ZERO));
    }

    #[test]
    fn bytes_to_another_provider_within_europe_are_free_where_the_provider_says_so() {
        let at = |provider, region, at| price(provider, region, "eu-multicloud", at);
        assert_eq!(at("gcp", "europe-west1", "2026-03-01T00:00:00Z"), Some(0));
        // Before the law, from elsewhere, and where the price is asked for.
        assert_eq!(at("gcp", "europe-west1", "2025-09-11T23:59:59Z"), None);
        assert_eq!(at("gcp", "us-central1", "2026-03-01T00:00:00Z"), None);
        assert_eq!(at("aws", "eu-west-1", "2026-03-01T00:00:00Z"), None);
    }
}
