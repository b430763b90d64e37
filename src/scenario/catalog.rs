//! Catalogs: what a provider sells, where, for how much, and how it bills.
//! Seven are shipped inside the program; a user's own is the same folder of
//! files (see `catalogs/README.md`).

mod check;
mod listing;
mod shipped;
mod table;

use std::path::{Path, PathBuf};

use crate::input;
use crate::problem::{Problem, Problems};
use crate::units::{Distribution, Rate, Span};

use super::document::ScenarioText;
use super::quantity;
use super::section::{ConfigTable, Diagnostics};
use check::{Once, Sources};
use table::CatalogRow;

pub use listing::{Listing, list, show};
pub use shipped::NAMES as SHIPPED;

/// Most bytes of a file of a catalog: some 300,000 prices.
const MOST_BYTES: u64 = 32 << 20;

/// The keys of sources, which a catalog may lack.
const SOURCES: &str = "sources.csv";

/// Source of a fact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Keys of the catalog's sources, separated by `|`.
    pub source: String,
    /// Date of the oldest source, to the day, month or year.
    pub as_of: String,
    /// The columns that are estimates, separated by `|`; empty where none is.
    pub assumed: String,
}

/// A region of a catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogRegion {
    /// The provider's own name.
    pub name: String,
    /// Name of the place.
    pub title: String,
    /// Full names of its zones.
    pub zones: Vec<String>,
    /// Law that holds there.
    pub jurisdiction: String,
    /// Certifications, such as `iso27001`.
    pub certifications: Vec<String>,
    /// Grid carbon intensity in milligrams of CO2-equivalent per kWh.
    pub carbon_mg_per_kwh: i64,
    /// Source of these facts.
    pub provenance: Provenance,
}

/// An instance type of a catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogType {
    /// The provider's own name.
    pub name: String,
    /// Family that the type belongs to.
    pub family: String,
    /// CPU in milli-cores.
    pub cpu: u32,
    /// Memory in MiB.
    pub memory: u32,
    /// Number of GPUs.
    pub gpus: u8,
    /// Model of the GPUs; empty if there are none.
    pub gpu_model: String,
    /// Speed in millionths of the reference speed.
    pub speed: u32,
    /// Electrical power at full load, in watts.
    pub power_watts: i64,
    /// Source of these facts.
    pub provenance: Provenance,
}

/// A price of a catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogPrice {
    /// Name of the region.
    pub region: String,
    /// Name of the instance type.
    pub instance_type: String,
    /// `on-demand` or `spot`.
    pub market: String,
    /// Price of the whole machine.
    pub rate: Rate,
    /// Source of the price.
    pub provenance: Provenance,
}

/// A flat price and bandwidth of one kind of data path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tier {
    /// Price in nano-dollars per GiB.
    pub nanos_per_gib: i64,
    /// Bandwidth in bytes per second; 0 is unlimited.
    pub bytes_per_sec: i64,
}

/// Catalog of one provider, with everything about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    /// Short name.
    pub name: String,
    /// Name for readers.
    pub title: String,
    /// Length to whose multiples usage is rounded up.
    pub granularity: Span,
    /// Least time that is billed per start.
    pub minimum: Span,
    /// Warning before a spot instance is taken back.
    pub notice: Span,
    /// Time from its launch in which no spot instance is taken back.
    pub protected: Span,
    /// How often a spot price may change: rules in order of time, each with its end in microseconds
    /// since 1970 and the shortest time between two changes. Empty where there is no rule.
    pub spot_price: Vec<(Option<i64>, Span)>,
    /// Seconds from request to running, without GPUs.
    pub boot_cpu: Distribution,
    /// Seconds from request to running, with GPUs.
    pub boot_gpu: Distribution,
    /// Price and bandwidth of data to another region of the same provider.
    pub same_provider: Tier,
    /// Price and bandwidth of data to anywhere else.
    pub internet: Tier,
    /// Spot vCPUs of a new account per region: without and with GPUs.
    pub spot_quota: [Option<u32>; 2],
    /// Milli-cores kept back on every instance.
    pub system_cpu: u32,
    /// MiB kept back on every instance.
    pub system_memory: u32,
    /// Regions.
    pub regions: Vec<CatalogRegion>,
    /// Instance types.
    pub types: Vec<CatalogType>,
    /// Prices; types that are not listed are not sold.
    pub prices: Vec<CatalogPrice>,
    /// Facts of the rules file that are estimates: `boot`, `transfer` ...
    pub assumed_rules: Vec<String>,
    /// Files that it was read from; empty for a shipped one.
    pub files: Vec<PathBuf>,
}

/// The text of a catalog's files.
#[derive(Clone, Debug)]
struct Texts {
    /// Prefix of the names shown in problems.
    folder: String,
    provider: String,
    regions: String,
    types: String,
    prices: String,
    /// Keys of sources; a folder of a user's may lack them.
    sources: Option<String>,
}

impl Catalog {
    /// The shipped catalog called `name`, if there is one.
    ///
    /// # Errors
    /// Never for a build whose tests pass.
    pub fn shipped(name: &str) -> Option<Result<Self, Problems>> {
        shipped::texts(name).map(|texts| read(&texts, Vec::new()))
    }

    /// The shipped catalog called `name` without its prices, which are most of it.
    pub(super) fn shipped_unpriced(name: &str) -> Option<Self> {
        let texts = Texts { prices: String::new(), ..shipped::texts(name)? };
        read(&texts, Vec::new()).ok()
    }

    /// The catalog in the folder `path`.
    ///
    /// # Errors
    /// Every problem in its files.
    pub fn load(path: &Path, shown: &str) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let mut files = Vec::new();
        let mut text = |file: &str| {
            let full = path.join(file);
            let text = input::text(&full, "file of a catalog", MOST_BYTES);
            files.push(full);
            text.unwrap_or_else(|problem| {
                problems.push(Problem { path: format!("{shown}/{file}"), ..problem });
                String::new()
            })
        };
        let texts = Texts {
            provider: text("provider.toml"),
            regions: text("regions.csv"),
            types: text("types.csv"),
            prices: text("prices.csv"),
            sources: path.join(SOURCES).exists().then(|| text(SOURCES)),
            folder: shown.to_owned(),
        };
        if problems.is_empty() { read(&texts, files) } else { Err(problems.into()) }
    }
}

/// All text of the shipped catalog called `name`.
pub(super) fn shipped_text(name: &str) -> Option<String> {
    let texts = shipped::texts(name)?;
    Some([texts.provider, texts.regions, texts.types, texts.prices].join("\0"))
}

/// Reads the files of a catalog.
fn read(texts: &Texts, files: Vec<PathBuf>) -> Result<Catalog, Problems> {
    let path = |file: &str| format!("{}/{file}", texts.folder);
    let document = ScenarioText::new(&texts.provider, &path("provider.toml"));
    let mut report = Diagnostics::new(&document, Vec::new());
    let root = super::root(&document, "<provider>", &mut report);
    root.require("name", &mut report);
    root.require("title", &mut report);
    let mut problems = report.problems;
    let sources = Sources::read(texts.sources.as_deref(), &path("sources.csv"), &mut problems);
    let (mut region_names, mut type_names) = (Once::default(), Once::default());
    let regions = table::read(&texts.regions, &path("regions.csv"), &mut problems, |row| {
        sources.check(row);
        region_names.note("region", row.text("region"), row);
        region(row)
    });
    let types = table::read(&texts.types, &path("types.csv"), &mut problems, |row| {
        sources.check(row);
        type_names.note("type", row.text("type"), row);
        instance_type(row)
    });
    let mut priced = Once::default();
    let prices = table::read(&texts.prices, &path("prices.csv"), &mut problems, |row| {
        sources.check(row);
        region_names.require("region", row);
        type_names.require("type", row);
        let what = ["region", "type", "market"].map(|column| row.text(column)).join(" ");
        priced.note("region", &what, row);
        price(row)
    });
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let mut catalog = rules(&root);
    catalog.regions = regions;
    catalog.types = types;
    catalog.prices = prices;
    catalog.files = files;
    Ok(catalog)
}

/// The provider's rules, without tables.
fn rules(root: &ConfigTable) -> Catalog {
    let seconds = |section: &ConfigTable, name: &str| {
        Span::from_secs(section.count(name).unwrap_or(0).cast_signed())
    };
    let billing = root.section("billing");
    let boot = root.section("boot");
    let boot_of = |name: &str| {
        let distribution = boot.section(name).distribution("distribution").cloned();
        distribution.unwrap_or(Distribution::Constant(60.0))
    };
    let transfer = root.section("transfer");
    let tier = |name: &str| {
        let section = transfer.section(name);
        Tier {
            nanos_per_gib: section.integer("usd_per_gib").unwrap_or(0),
            bytes_per_sec: bytes_per_sec(section.number("bandwidth_gbps").unwrap_or(0.0)),
        }
    };
    let quota = root.section("quota");
    let system = root.section("system");
    let mut assumed = Vec::new();
    for (name, section, _) in root.sections() {
        let nested = section.sections().map(|(_, section, _)| section.clone());
        for section in nested.chain([section.clone()]) {
            let columns = section.entries.iter().any(|entry| entry.name == "assumed")
                && section.text("assumed").is_some_and(|columns| !columns.is_empty());
            if columns && !assumed.iter().any(|known| known == name) {
                assumed.push(name.to_owned());
            }
        }
    }
    Catalog {
        name: root.text("name").unwrap_or_default().to_owned(),
        title: root.text("title").unwrap_or_default().to_owned(),
        granularity: seconds(&billing, "granularity_s").max(Span::from_micros(1)),
        minimum: seconds(&billing, "minimum_s"),
        notice: seconds(&root.section("notice"), "seconds"),
        protected: seconds(&root.section("protected"), "seconds"),
        spot_price: root
            .list("spot_price")
            .iter()
            .map(|rule| (rule.integer("until"), seconds(rule, "seconds")))
            .collect(),
        boot_cpu: boot_of("cpu"),
        boot_gpu: boot_of("gpu"),
        same_provider: tier("same_provider"),
        internet: tier("internet"),
        spot_quota: [quota.count32("spot_vcpus"), quota.count32("spot_gpu_vcpus")],
        system_cpu: system.count32("cpu_milli").unwrap_or(0),
        system_memory: system.count32("memory_mib").unwrap_or(0),
        regions: Vec::new(),
        types: Vec::new(),
        prices: Vec::new(),
        assumed_rules: assumed,
        files: Vec::new(),
    }
}

/// Gigabit per second in bytes per second.
pub(super) fn bytes_per_sec(gbps: f64) -> i64 {
    libm::round(gbps * 125e6) as i64
}

fn provenance(row: &CatalogRow<'_>) -> Provenance {
    Provenance {
        source: row.text("source").to_owned(),
        as_of: row.text("as_of").to_owned(),
        assumed: row.text("assumed").to_owned(),
    }
}

fn region(row: &mut CatalogRow<'_>) -> CatalogRegion {
    CatalogRegion {
        name: row.name("region"),
        title: row.text("title").to_owned(),
        zones: row.list("zones"),
        jurisdiction: row.text("jurisdiction").to_owned(),
        certifications: row.list("certifications"),
        carbon_mg_per_kwh: row.read("carbon_g_per_kwh", "a number", |text| {
            let milli = quantity::whole(quantity::decimal(text)?, 1_000)?;
            (0..=10_000_000).contains(&milli).then_some(milli)
        }),
        provenance: provenance(row),
    }
}

fn instance_type(row: &mut CatalogRow<'_>) -> CatalogType {
    let above_0 = |text: &str| text.parse().ok().filter(|&number: &u32| number > 0);
    CatalogType {
        name: row.name("type"),
        family: row.text("family").to_owned(),
        cpu: row.read("vcpus_milli", "a whole number above 0", above_0),
        memory: row.read("memory_mib", "a whole number above 0", above_0),
        gpus: row.read("gpus", "a whole number from 0 to 32", |text| {
            text.parse().ok().filter(|&gpus: &u8| gpus <= crate::units::MAX_GPUS)
        }),
        gpu_model: row.text("gpu_model").to_owned(),
        speed: row.read("speed_millionths", "a whole number above 0", above_0),
        power_watts: row.read("power_watts", "a whole number from 0 to 1000000", |text| {
            text.parse().ok().filter(|watts| (0..=1_000_000).contains(watts))
        }),
        provenance: provenance(row),
    }
}

fn price(row: &mut CatalogRow<'_>) -> CatalogPrice {
    CatalogPrice {
        region: row.name("region"),
        instance_type: row.name("type"),
        market: row.read("market", "`on-demand` or `spot`", |text| {
            ["on-demand", "spot"].contains(&text).then(|| text.to_owned())
        }),
        rate: row.read("usd_per_hour", "a price with at most 12 decimals", Rate::parse),
        provenance: provenance(row),
    }
}

/// The shipped catalog that has a zone of that name, the first in order.
pub fn cloud_of_zone(zone: &str) -> Option<&'static str> {
    let has = |name: &&str| {
        let catalog = Catalog::shipped_unpriced(name);
        let regions = catalog.iter().flat_map(|catalog| &catalog.regions);
        regions.flat_map(|region| &region.zones).any(|known| known == zone)
    };
    SHIPPED.iter().copied().find(has)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn every_shipped_catalog_is_read_and_complete() {
        for name in SHIPPED {
            let catalog = Catalog::shipped(name).unwrap().unwrap();
            assert_eq!(catalog.name, *name);
            assert!(!catalog.regions.is_empty() && !catalog.prices.is_empty());
            for price in &catalog.prices {
                let region = catalog.regions.iter().any(|region| region.name == price.region);
                let known = catalog.types.iter().any(|known| known.name == price.instance_type);
                assert!(region && known, "{price:?}");
            }
        }
        assert!(Catalog::shipped("ibm").is_none());
    }

    #[test]
    fn problems_of_a_catalog_have_their_places() {
        let texts = Texts {
            folder: "mine".into(),
            provider: "name = \"mine\"\ntitel = \"Mine\"\n[billing]\ngranularity_s = 0\n".into(),
            regions: "region,title,zones\nr1,R,z1\n".into(),
            types: "type,family,vcpus_milli,memory_mib,gpus,gpu_model,speed_millionths,power_watts,source,as_of,assumed\n\
                    a,f,0,1024,40,,1000000,5,s,2026,\n"
                .into(),
            prices: "region,type,market,usd_per_hour,source,as_of,assumed\nr1,a,later,-1,s,2026,\n".into(),
            sources: None,
        };
        let problems = read(&texts, Vec::new()).unwrap_err();
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        expect![[r#"
            mine/provider.toml:4:17: `granularity_s` must be a whole number from 1 to 4294967295, found `0`
            mine/provider.toml:2:1: unknown key `titel`
              hint: did you mean `title`?
            mine/provider.toml:1:1: `title` is missing
              hint: `title` is a text
            mine/regions.csv:1:1: the column `carbon_g_per_kwh` is missing
            mine/types.csv:2:5: `vcpus_milli` must be a whole number above 0, found `0`
            mine/types.csv:2:12: `gpus` must be a whole number from 0 to 32, found `40`
            mine/prices.csv:2:6: `market` must be `on-demand` or `spot`, found `later`
            mine/prices.csv:2:12: `usd_per_hour` must be a price with at most 12 decimals, found `-1`"#]].assert_eq(&shown.join("\n"));
    }

    #[test]
    fn rows_of_a_catalog_name_what_is_there() {
        let texts = Texts {
            folder: "mine".into(),
            provider: "name = \"mine\"\ntitle = \"Mine\"\n".into(),
            regions: "region,title,carbon_g_per_kwh\nnorth,N,1\nnorth,N,1\n".into(),
            types: "type,family,vcpus_milli,memory_mib,gpus,gpu_model,speed_millionths,power_watts,source,as_of,assumed\n\
                    small,f,1000,1024,0,,1000000,5,lisst,last week,speed\n"
                .into(),
            prices: "region,type,market,usd_per_hour,source\nnorth,small,spot,1,list\n\
                     nort,smal,spot,1,list\nnorth,small,spot,2,list\n"
                .into(),
            sources: Some("key,title\nlist,The list\n".into()),
        };
        let problems = read(&texts, Vec::new()).unwrap_err();
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        expect![[r#"
            mine/regions.csv:3:1: line 2 has `north` already
            mine/types.csv:2:32: `sources.csv` has no key `lisst`
              hint: did you mean `list`?
            mine/types.csv:2:38: `as_of` is no date: `last week`
              hint: to the day, month or year: `2026-11-27`, `2026-11` or `2026`
            mine/types.csv:2:48: the table has no column `speed`
              hint: did you mean `speed_millionths`?
            mine/prices.csv:3:1: the catalog has no region `nort`
              hint: did you mean `north`?
            mine/prices.csv:3:6: the catalog has no type `smal`
              hint: did you mean `small`?
            mine/prices.csv:4:1: line 2 has `north small spot` already"#]]
        .assert_eq(&shown.join("\n"));
    }
}
