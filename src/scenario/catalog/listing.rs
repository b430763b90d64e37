//! Catalogs as tables for readers.

use std::path::Path;

use super::{Catalog, SHIPPED};
use crate::problem::{Problem, Problems};
use crate::scenario::composition::unknown_name;

/// A table for a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Titles of the columns.
    pub header: Vec<&'static str>,
    /// Cells; a number's unit is in its column's title.
    pub rows: Vec<Vec<String>>,
}

/// Every shipped catalog: what it holds, and how much of it is assumed.
///
/// # Errors
/// Never for a build whose tests pass.
pub fn list() -> Result<Listing, Problems> {
    let header = vec![
        "provider",
        "title",
        "regions",
        "types",
        "prices",
        "assumed prices",
        "oldest price",
        "newest price",
    ];
    let mut rows = Vec::new();
    for name in SHIPPED {
        let Some(catalog) = Catalog::shipped(name) else { continue };
        let catalog = catalog?;
        let assumed = catalog.prices.iter().filter(|price| !price.provenance.assumed.is_empty());
        let dates = || catalog.prices.iter().map(|price| price.provenance.as_of.as_str());
        rows.push(vec![
            catalog.name.clone(),
            catalog.title.clone(),
            catalog.regions.len().to_string(),
            catalog.types.len().to_string(),
            catalog.prices.len().to_string(),
            assumed.count().to_string(),
            dates().min().unwrap_or_default().to_owned(),
            dates().max().unwrap_or_default().to_owned(),
        ]);
    }
    Ok(Listing { header, rows })
}

/// The prices of one catalog, shipped by that name or in that folder, with the
/// shapes of their types; only one region or type where given.
///
/// # Errors
/// There is no such catalog, region or type, or the folder's files are wrong.
pub fn show(
    provider: &str,
    region: Option<&str>,
    instance_type: Option<&str>,
) -> Result<Listing, Problems> {
    let path = Path::new(provider);
    let catalog = match Catalog::shipped(provider) {
        Some(catalog) => catalog?,
        None if path.is_dir() => Catalog::load(path, provider)?,
        None => {
            let message = format!("there is no catalog called `{provider}`");
            return Err(vec![
                Problem::with("catalog", message).hint(unknown_name(provider, SHIPPED)),
            ]
            .into());
        }
    };
    let regions: Vec<&str> = catalog.regions.iter().map(|region| region.name.as_str()).collect();
    let types: Vec<&str> = catalog.types.iter().map(|known| known.name.as_str()).collect();
    let mut problems = Vec::new();
    for (what, wanted, known) in [("region", region, &regions), ("type", instance_type, &types)] {
        if let Some(wanted) = wanted.filter(|wanted| !known.contains(wanted)) {
            let message = format!("{} has no {what} called `{wanted}`", catalog.title);
            problems.push(Problem::with("catalog", message).hint(unknown_name(wanted, known)));
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    Ok(prices(&catalog, region, instance_type))
}

fn prices(catalog: &Catalog, region: Option<&str>, instance_type: Option<&str>) -> Listing {
    let header = vec![
        "region",
        "type",
        "vCPUs",
        "memory GiB",
        "GPUs",
        "market",
        "USD/h",
        "source",
        "as of",
        "assumed",
    ];
    let mut rows = Vec::new();
    for price in &catalog.prices {
        let wanted = region.is_none_or(|region| region == price.region)
            && instance_type.is_none_or(|wanted| wanted == price.instance_type);
        let known = catalog.types.iter().find(|known| known.name == price.instance_type);
        let (true, Some(known)) = (wanted, known) else { continue };
        let gpus = match known.gpus {
            0 => String::new(),
            gpus => format!("{gpus} x {}", known.gpu_model),
        };
        rows.push(vec![
            price.region.clone(),
            price.instance_type.clone(),
            (f64::from(known.cpu) / 1e3).to_string(),
            (f64::from(known.memory) / 1024.0).to_string(),
            gpus,
            price.market.clone(),
            price.rate.dollars_per_hour().to_string(),
            price.provenance.source.clone(),
            price.provenance.as_of.clone(),
            price.provenance.assumed.clone(),
        ]);
    }
    Listing { header, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogs_are_listed_and_shown() {
        assert_eq!(list().unwrap().rows.len(), SHIPPED.len());
        let shown = show("aws", Some("us-east-1"), Some("m5.xlarge")).unwrap();
        let cells: Vec<&str> = shown.rows[0].iter().map(String::as_str).collect();
        assert_eq!(cells[..7], ["us-east-1", "m5.xlarge", "4", "16", "", "on-demand", "0.192"]);
        let problems = show("aws", Some("us-east1"), None).unwrap_err();
        assert_eq!(problems[0].hint.as_deref(), Some("did you mean `us-east-1`?"));
        assert!(show("awz", None, None).unwrap_err()[0].hint.is_some());
    }
}
