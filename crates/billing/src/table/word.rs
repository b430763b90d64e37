//! Words in the cells of tables of usage, in our own and in those of exports.

use crate::usage::{Sale, Service, UsageUnit};

use super::column::ColumnWords;

/// What a part of a commitment that nobody used is called.
pub(super) const UNUSED: &str = "Unused commitments";

/// Whether a line of that category is usage, also such as a commitment covers.
pub(super) fn is_usage(category: &str) -> bool {
    matches!(category, "Usage" | "DiscountedUsage" | "SavingsPlanCoveredUsage")
}

/// The service of a line; `None` where it is none that is billed here.
pub(super) fn service(text: &str, words: ColumnWords) -> Option<Service> {
    match words {
        ColumnWords::Own => Service::ALL.into_iter().find(|service| service.name() == text),
        ColumnWords::Focus => match text {
            "Compute" => Some(Service::Compute),
            "Storage" => Some(Service::ObjectStorage),
            "Networking" => Some(Service::Transfer),
            _ => None,
        },
        ColumnWords::Report => match text {
            "Compute Instance" | "Compute Instance (bare metal)" => Some(Service::Compute),
            "Serverless" => Some(Service::Serverless),
            "Storage" => Some(Service::BlockStorage),
            "Data Transfer" => Some(Service::Transfer),
            "IP Address" => Some(Service::Address),
            "Load Balancer" | "Load Balancer-Application" | "Load Balancer-Network" => {
                Some(Service::LoadBalancer)
            }
            _ => None,
        },
    }
}

/// How a line was sold.
pub(super) fn sale(text: &str, words: ColumnWords) -> Option<Sale> {
    match words {
        ColumnWords::Own => Sale::ALL.into_iter().find(|sale| sale.name() == text),
        ColumnWords::Focus => match text {
            "Dynamic" => Some(Sale::Spot),
            "Standard" | "Committed" | "Other" => Some(Sale::OnDemand),
            _ => None,
        },
        // Such as `USE1-SpotUsage:m5.large`.
        ColumnWords::Report => {
            Some(if text.contains("SpotUsage") { Sale::Spot } else { Sale::OnDemand })
        }
    }
}

/// A unit, in any of the words.
pub(super) fn unit(text: &str) -> Option<UsageUnit> {
    let known = UsageUnit::ALL.into_iter().find(|unit| unit.name() == text);
    known.or(match text.to_ascii_lowercase().as_str() {
        "hours" | "hrs" | "hour" => Some(UsageUnit::Hour),
        "gb" | "gib" => Some(UsageUnit::Gigabyte),
        "gb-months" | "gb-mo" | "gb-month" => Some(UsageUnit::GigabyteMonth),
        "requests" => Some(UsageUnit::Request),
        _ => None,
    })
}

/// The short name of a provider that an export names in full.
pub(super) fn provider(name: &str) -> String {
    let name = name.to_lowercase();
    match name.as_str() {
        "amazon" | "amazon web services" | "amazon web services, inc." => "aws".into(),
        "microsoft" | "microsoft azure" => "azure".into(),
        "google" | "google cloud" | "google cloud platform" => "gcp".into(),
        "alibaba cloud" => "alibaba".into(),
        "oracle" => "oci".into(),
        _ => name,
    }
}

/// Text of a flat JSON object under that key; empty where there is none.
pub(super) fn detail(object: &str, key: &str) -> String {
    let Ok(serde_json::Value::Object(object)) = serde_json::from_str(object) else {
        return String::new();
    };
    object.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}
