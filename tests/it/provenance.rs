//! The shipped catalogs: every price that is not marked as assumed is the price
//! in the public file it names, and the tables agree with each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use rust_decimal::{Decimal, RoundingStrategy};

const PROVIDERS: [&str; 7] = ["alibaba", "aws", "azure", "coreweave", "gcp", "lambda", "runpod"];
const BIG: [&str; 4] = ["alibaba", "aws", "azure", "gcp"];

type Row = BTreeMap<String, String>;

/// (region, type, market) -> price, of one public file.
type Prices = BTreeMap<(String, String, String), Decimal>;

fn catalogs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogs")
}

/// The folder of public data.
fn public_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data")
}

fn read_csv(text: &str) -> Vec<Row> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .map(|row| row.expect("a row of the table's width"))
        .collect()
}

fn rows(provider: &str, table: &str) -> Vec<Row> {
    let path = catalogs().join(provider).join(format!("{table}.csv"));
    read_csv(
        &fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
    )
}

fn rules(provider: &str) -> toml::Table {
    let path = catalogs().join(provider).join("provider.toml");
    fs::read_to_string(path)
        .expect("provider.toml is there")
        .parse()
        .expect("provider.toml is TOML")
}

fn list(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('|').filter(|part| !part.is_empty())
}

/// A published price in the unit of a catalog: at most 12 decimals, half up.
fn price(text: &str) -> Decimal {
    let value: Decimal = text.parse().unwrap_or_else(|error| panic!("price {text}: {error}"));
    value.round_dp_with_strategy(12, RoundingStrategy::MidpointAwayFromZero).normalize()
}

fn unpacked(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_string(&mut text)
            .expect("gzip of UTF-8 text");
    } else {
        text = String::from_utf8(bytes).expect("UTF-8 text");
    }
    text
}

/// Both price lists of the autoscaler projects: region, type, price.
fn plain_list(text: &str) -> Prices {
    let mut prices = Prices::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        prices.insert((cells[0].into(), cells[1].into(), "on-demand".into()), price(cells[2]));
    }
    prices
}

/// `compute.ec2_linux.<type>.<region>`, where 0 means unknown.
fn library_list(text: &str) -> Prices {
    let document: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let types = document["compute"]["ec2_linux"].as_object().expect("a table of types");
    let mut prices = Prices::new();
    for (name, regions) in types {
        for (region, usd) in regions.as_object().expect("a table of regions") {
            prices.insert(
                (region.clone(), name.clone(), "on-demand".into()),
                price(&usd.to_string()),
            );
        }
    }
    prices.retain(|_, usd| !usd.is_zero());
    prices
}

/// `compute.instance.<type>.cost.<region>.{hour,hour_spot}`, by indentation.
fn calculator_list(text: &str) -> Prices {
    let mut prices = Prices::new();
    let (mut section, mut name, mut region) = ("", "", "");
    for line in text.lines() {
        let entry = line.trim_start();
        let (key, value) = entry.split_once(':').unwrap_or((entry, ""));
        match (line.len() - entry.len(), key) {
            (2, _) => section = key,
            (4, _) => name = key,
            (8, _) => region = key,
            (10, "hour" | "hour_spot") if section == "instance" => {
                let market = if key == "hour" { "on-demand" } else { "spot" };
                prices.insert((region.into(), name.into(), market.into()), price(value.trim()));
            }
            _ => {}
        }
    }
    prices
}

fn public_list(data: &Path, key: &str, file: &str) -> Prices {
    let text = unpacked(&data.join(file));
    match key {
        "karpenter-aws" | "karpenter-azure" => plain_list(&text),
        "libcloud" => library_list(&text),
        "cyclenerd-gcp" => calculator_list(&text),
        other => panic!(
            "no reader for the price source {other}: mark its prices as assumed or write one"
        ),
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn every_list_price_is_the_one_in_its_source() {
    let data = public_data();
    let mut read: BTreeMap<String, Prices> = BTreeMap::new();
    let mut traced = BTreeMap::new();
    for provider in PROVIDERS {
        let files: BTreeMap<String, String> = rows(provider, "sources")
            .into_iter()
            .map(|row| (row["key"].clone(), row["file"].clone()))
            .collect();
        for row in rows(provider, "prices") {
            if list(&row["assumed"]).any(|column| column == "usd_per_hour") {
                continue;
            }
            let key = &row["source"];
            let published =
                read.entry(key.clone()).or_insert_with(|| public_list(&data, key, &files[key]));
            let offer = (row["region"].clone(), row["type"].clone(), row["market"].clone());
            let usd = published
                .get(&offer)
                .unwrap_or_else(|| panic!("{provider} {offer:?} is not in {key}"));
            assert_eq!(row["usd_per_hour"], usd.to_string(), "{provider} {offer:?} against {key}");
            *traced.entry(provider).or_insert(0) += 1;
        }
    }
    for provider in ["aws", "azure", "gcp"] {
        assert!(
            traced.get(provider).is_some_and(|&count| count >= 150),
            "too few real prices traced: {traced:?}"
        );
    }
}

#[test]
#[cfg_attr(not(all(shared_data, python3)), ignore = "needs ../shared/data and python3")]
fn importing_again_gives_the_shipped_tables() {
    let data = public_data();
    let out = tempfile::tempdir().expect("a temporary folder");
    let import = Command::new("python3")
        .arg(catalogs().join("import.py"))
        .args([Path::new("--data"), &data, Path::new("--out"), out.path()])
        .output()
        .expect("python3 runs");
    assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
    for provider in PROVIDERS {
        for table in ["regions.csv", "types.csv", "prices.csv", "sources.csv"] {
            let part = Path::new(provider).join(table);
            let fresh = fs::read_to_string(out.path().join(&part)).expect("the import wrote it");
            let shipped = fs::read_to_string(catalogs().join(&part)).expect("it is shipped");
            assert!(fresh == shipped, "{} differs from a fresh import", part.display());
        }
    }
}

#[test]
fn prices_name_known_regions_and_types_once() {
    for provider in PROVIDERS {
        let names = |table: &str, column: &str| -> BTreeSet<String> {
            let rows = rows(provider, table);
            let names: BTreeSet<String> = rows.iter().map(|row| row[column].clone()).collect();
            assert_eq!(names.len(), rows.len(), "{provider}: a {column} is listed twice");
            names
        };
        let (regions, types) = (names("regions", "region"), names("types", "type"));
        let mut offers = BTreeMap::new();
        for row in rows(provider, "prices") {
            let offer = [&row["region"], &row["type"], &row["market"]].map(String::clone);
            assert!(regions.contains(&offer[0]), "{provider} {offer:?}: unknown region");
            assert!(types.contains(&offer[1]), "{provider} {offer:?}: unknown type");
            assert!(
                ["on-demand", "spot"].contains(&offer[2].as_str()),
                "{provider} {offer:?}: unknown market"
            );
            let usd: Decimal = row["usd_per_hour"].parse().expect("a decimal price");
            assert!(usd > Decimal::ZERO && usd.scale() <= 12, "{provider} {offer:?}: {usd}");
            assert_eq!(
                offers.insert(offer.clone(), usd),
                None,
                "{provider} {offer:?} is priced twice"
            );
        }
        for ([region, name, market], usd) in &offers {
            if market == "spot" {
                let list = offers[&[region.clone(), name.clone(), "on-demand".into()]];
                assert!(
                    *usd <= list,
                    "{provider} {region} {name}: spot {usd} above on-demand {list}"
                );
            }
        }
    }
}

#[test]
fn big_providers_are_broad() {
    for provider in BIG {
        let regions = rows(provider, "regions");
        let continents: BTreeSet<&String> = regions.iter().map(|row| &row["continent"]).collect();
        assert!(regions.len() >= 5 && continents.len() >= 3, "{provider}: {continents:?}");
        let types = rows(provider, "types");
        assert!(types.len() >= 20, "{provider}: {} types", types.len());
        for class in ["general", "compute", "memory", "gpu"] {
            assert!(types.iter().any(|row| row["class"] == class), "{provider}: no {class} type");
        }
        for card in ["T4", "V100", "A100"] {
            assert!(
                types.iter().any(|row| row["gpu_model"].starts_with(card)),
                "{provider}: no {card}"
            );
        }
        let prices = rows(provider, "prices");
        for market in ["on-demand", "spot"] {
            for region in &regions {
                let sold = prices
                    .iter()
                    .filter(|row| row["region"] == region["region"] && row["market"] == market);
                assert!(
                    sold.count() >= 20,
                    "{provider} {}: fewer than 20 {market} prices",
                    region["region"]
                );
            }
        }
    }
}

#[test]
fn regions_and_types_are_within_range() {
    let count = |row: &Row, column: &str| -> u64 {
        row[column].parse().unwrap_or_else(|_| panic!("{column}: {row:?}"))
    };
    let decimal = |row: &Row, column: &str| -> Decimal {
        row[column].parse().unwrap_or_else(|_| panic!("{column}: {row:?}"))
    };
    for provider in PROVIDERS {
        for row in rows(provider, "regions") {
            assert!(
                list(&row["zones"]).count() >= 1 && !row["jurisdiction"].is_empty(),
                "{provider}: {row:?}"
            );
            let grams = decimal(&row, "carbon_g_per_kwh");
            assert!(grams > Decimal::ZERO && grams < Decimal::from(1500), "{provider}: {row:?}");
        }
        for row in rows(provider, "types") {
            for column in ["vcpus_milli", "memory_mib", "speed_millionths", "power_watts"] {
                assert!(count(&row, column) > 0, "{provider} {column}: {row:?}");
            }
            assert!(decimal(&row, "network_gbps") > Decimal::ZERO, "{provider}: {row:?}");
            count(&row, "local_disk_gib");
            let cards = count(&row, "gpus") > 0;
            assert_eq!(cards, !row["gpu_model"].is_empty(), "{provider}: {row:?}");
            assert_eq!(cards, !row["gpu_memory_mib"].is_empty(), "{provider}: {row:?}");
            assert_eq!(cards, row["class"] == "gpu", "{provider}: {row:?}");
        }
    }
}

#[test]
fn every_fact_has_a_source_and_a_date() {
    for provider in PROVIDERS {
        let sources: BTreeSet<String> =
            rows(provider, "sources").into_iter().map(|row| row["key"].clone()).collect();
        for table in ["regions", "types", "prices"] {
            for row in rows(provider, table) {
                assert!(row["as_of"].starts_with("20"), "{provider} {table}: {row:?}");
                assert!(list(&row["source"]).count() > 0, "{provider} {table}: {row:?}");
                assert!(
                    list(&row["source"]).all(|key| sources.contains(key)),
                    "{provider} {table}: {row:?}"
                );
                assert!(
                    list(&row["assumed"]).all(|column| row.contains_key(column)),
                    "{provider} {table}: {row:?}"
                );
                let guess = row["source"] == "assumed";
                assert!(
                    !guess || !row["assumed"].is_empty(),
                    "{provider} {table}: a guess not marked: {row:?}"
                );
            }
        }
        let rules = rules(provider);
        assert_eq!(rules["name"].as_str(), Some(provider));
        let parts = |name: &str| rules[name].as_table().expect("a section").clone();
        let mut sections: Vec<(String, toml::Value)> = Vec::new();
        for (name, value) in &rules {
            match name.as_str() {
                "name" | "title" | "currency" => {}
                "boot" | "transfer" => sections.extend(parts(name)),
                "spot_price" => {
                    let rows = value.as_array().expect("a list").iter();
                    sections.extend(rows.map(|row| (name.clone(), row.clone())));
                }
                _ => sections.push((name.clone(), value.clone())),
            }
        }
        for (name, section) in sections {
            let text = |key: &str| section.get(key).and_then(toml::Value::as_str);
            assert!(
                text("source").is_some_and(|key| sources.contains(key)),
                "{provider} {name}: source"
            );
            assert!(
                text("as_of").is_some_and(|date| date.starts_with("20")),
                "{provider} {name}: as_of"
            );
            let assumed = text("assumed").unwrap_or_else(|| panic!("{provider} {name}: assumed"));
            assert!(
                list(assumed).all(|key| section.get(key).is_some()),
                "{provider} {name}: assumed"
            );
        }
    }
}
