//! Prices of what is kept and of addresses.

use serde::Deserialize;

use super::{BillingRules, RuleSource, dollars};
use crate::units::Rate;
use crate::usage::{Product, Service};

/// Price of a class of storage.
#[derive(Clone, Debug, Deserialize)]
pub struct StorageRow {
    /// The provider.
    pub provider: String,
    /// What is kept: the word of a service, `object-storage` or `block-storage`.
    pub service: String,
    /// The class.
    pub class: String,
    /// Dollars for a gigabyte of 1,024³ bytes that is kept for a calendar month.
    pub usd: f64,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: RuleSource,
}

/// Price of an address.
#[derive(Clone, Debug, Deserialize)]
pub struct AddressRow {
    /// The provider.
    pub provider: String,
    /// Dollars for an hour.
    pub usd: f64,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: RuleSource,
}

impl BillingRules {
    /// Price of a gigabyte-month of a class of storage; `None` where none is known.
    pub fn storage_price(&self, provider: &str, service: Service, class: &str) -> Option<Rate> {
        let holds = |row: &&StorageRow| {
            row.provider == provider && row.service == service.name() && row.class == class
        };
        self.storage.iter().find(holds).map(|row| dollars(row.usd))
    }

    /// Price of a unit of what is kept, or of an address; `None` where none is known. A class that is not said is
    /// `standard`.
    pub fn kept_price(&self, product: &Product) -> Option<Rate> {
        let Product { provider, service, unit, family, .. } = product;
        let class = if family.is_empty() { "standard" } else { family };
        match service {
            _ if *unit != service.usual_unit() => None,
            Service::BlockStorage | Service::ObjectStorage => {
                self.storage_price(provider, *service, class)
            }
            Service::Address => self.address_price(provider),
            Service::Compute
            | Service::Serverless
            | Service::License
            | Service::Transfer
            | Service::LoadBalancer => None,
        }
    }

    /// Price of an hour of an address; `None` where none is known.
    pub fn address_price(&self, provider: &str) -> Option<Rate> {
        self.address.iter().find(|row| row.provider == provider).map(|row| dollars(row.usd))
    }
}
