//! The catalogs inside the program.

use super::Texts;

/// Names of the shipped catalogs.
pub const NAMES: &[&str] = &["aws", "azure", "gcp", "alibaba", "lambda", "runpod", "coreweave"];

macro_rules! texts {
    ($name:literal) => {
        [
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/catalogs/",
                $name,
                "/provider.toml"
            )),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/catalogs/", $name, "/regions.csv")),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/catalogs/", $name, "/types.csv")),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/catalogs/", $name, "/prices.csv")),
        ]
    };
}

/// The files of the shipped catalog called `name`.
pub(super) fn texts(name: &str) -> Option<Texts> {
    let [provider, regions, types, prices] = match name {
        "aws" => texts!("aws"),
        "azure" => texts!("azure"),
        "gcp" => texts!("gcp"),
        "alibaba" => texts!("alibaba"),
        "lambda" => texts!("lambda"),
        "runpod" => texts!("runpod"),
        "coreweave" => texts!("coreweave"),
        _ => return None,
    };
    Some(Texts {
        folder: format!("catalogs/{name}"),
        provider: provider.to_owned(),
        regions: regions.to_owned(),
        types: types.to_owned(),
        prices: prices.to_owned(),
        sources: None,
    })
}
