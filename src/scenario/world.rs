//! Builds the world of a scenario: owned clusters first, then clouds, each in
//! the order of the file, so that offers have stable ids.

mod budget;
mod cloud;
mod cluster;
mod comovement;
mod energy;
mod launch;
mod link;
mod price;
mod availability;
mod change;
mod fault;

pub(super) use availability::{AWS_BANDS, AZURE_BANDS, ONE_IS, TOGETHER};
pub use fault::known_events;
pub(super) use fault::{DEVICES, EACH, EVENTS, LIKE, PLANES};
pub use price::past_prices;

use std::path::{Path, PathBuf};

use super::EstimatedPrices;
use super::assumption::Assumption;
use super::catalog::Tier;
use super::section::{ConfigTable, Diagnostics};
use crate::model::{
    Billing, ClassOrder, GpuModel, InstanceType, Migration, Provider, Region, SpotTerms, World,
    Zone,
};
use crate::problem::{Problem, clip};
use crate::units::{Calendar, Id, Span};

/// A world under construction.
#[derive(Debug)]
pub(super) struct Build<'a> {
    pub(super) world: World,
    /// Folder that relative paths start from.
    pub(super) base: &'a Path,
    /// Files read.
    pub(super) inputs: Vec<PathBuf>,
    /// Assumptions that a reader must know.
    pub(super) assumptions: Vec<Assumption>,
    /// Clouds some of whose prices are estimates.
    pub(super) estimated_prices: Vec<EstimatedPrices>,
    /// Price and bandwidth from each region to its provider's other regions, and to anywhere else.
    tiers: Vec<[Tier; 2]>,
}

/// Reads `[cluster]`, `[cloud]`, `[transfer]`, `[migration]`, `[[budget]]` and `[classes]`.
pub(super) fn read<'a>(
    root: &ConfigTable,
    calendar: Calendar,
    base: &'a Path,
    report: &mut Diagnostics<'_>,
) -> Build<'a> {
    let mut build = Build {
        world: World::empty(calendar),
        base,
        inputs: Vec::new(),
        assumptions: Vec::new(),
        estimated_prices: Vec::new(),
        tiers: Vec::new(),
    };
    let before = report.problems.len();
    let transfer = root.section("transfer");
    let cluster_tier = Tier {
        nanos_per_gib: transfer.integer("cluster_usd_per_gib").unwrap_or(0),
        bytes_per_sec: super::catalog::bytes_per_sec(
            transfer.number("cluster_gbps").unwrap_or(10.0),
        ),
    };
    for (name, section, key) in root.section("cluster").sections() {
        build.cluster(name, section, key, cluster_tier, report);
    }
    for (name, section, key) in root.section("cloud").sections() {
        build.cloud(name, section, key, report);
    }
    report.partial_world = report.problems.len() > before;
    if build.world.offers.is_empty() && report.problems.is_empty() {
        report.hint(
            &root.range,
            "the scenario has nothing to run work on",
            "add a `[cluster.NAME]` or a `[cloud.aws]`",
        );
    }
    build.links(root, report);
    fault::read(&mut build, root, report);
    build.world.migration = migration(root);
    budget::read(root, &mut build.world, report);
    let classes = root.section("classes");
    build.world.classes = ClassOrder {
        arrivals_first: classes.flag("arrivals_first").unwrap_or(false),
        ask_per_event: classes.flag("ask_per_event").unwrap_or(false),
    };
    build
}

/// Reads `[migration]`.
fn migration(root: &ConfigTable) -> Migration {
    let (section, usual) = (root.section("migration"), Migration::default());
    let gbps = section.number("gbps");
    Migration {
        bytes_per_sec: gbps.map_or(usual.bytes_per_sec, super::catalog::bytes_per_sec),
        rewrites: section.span("rewrites").unwrap_or(usual.rewrites),
        pause: section.span("pause").unwrap_or(usual.pause),
        rounds: section.count32("rounds").unwrap_or(usual.rounds),
    }
}

impl Build<'_> {
    /// The id of the GPU model called `name`, however it is spelt.
    fn gpu_model(&mut self, name: &str) -> Id<GpuModel> {
        let known = self.world.gpu_models.find(|known| known.is_called(name));
        known.unwrap_or_else(|| self.world.gpu_models.push(GpuModel { name: name.to_owned() }))
    }

    /// The id of this type, which may be there already.
    fn instance_type(&mut self, wanted: InstanceType) -> Id<InstanceType> {
        let known = self.world.types.find(|known| *known == wanted);
        known.unwrap_or_else(|| self.world.types.push(wanted))
    }

    /// Adds an owned cluster as a provider with one region and one zone.
    fn owned_provider(
        &mut self,
        name: &str,
        section: &ConfigTable,
        tier: Tier,
        report: &mut Diagnostics<'_>,
    ) -> Id<Zone> {
        let provider = self.world.providers.push(Provider {
            name: name.to_owned(),
            title: section.text("title").unwrap_or(name).to_owned(),
            billing: Billing { granularity: Span::from_micros(1), minimum: Span::ZERO },
            spot: SpotTerms::default(),
            throttle: None,
        });
        let carbon = self.carbon_of_cluster(name, section, report);
        let region = self.world.regions.push(Region {
            name: name.to_owned(),
            provider,
            jurisdiction: section.text("jurisdiction").unwrap_or_default().to_owned(),
            certifications: section.names("certifications"),
            carbon,
            pue_millionths: energy::pue(section),
        });
        self.tiers.push([tier, tier]);
        self.world.zones.push(Zone { name: name.to_owned(), region })
    }

    /// A path of the scenario, which is relative to the scenario's folder.
    pub(super) fn file(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }

    /// What `read` makes of the file that a key names: weather that somebody saw.
    fn traced<T>(
        &mut self,
        section: &ConfigTable,
        key: &str,
        read: impl FnOnce(&Path, &str) -> Result<T, Problem>,
        report: &mut Diagnostics<'_>,
    ) -> Option<T> {
        let file = section.text(key)?;
        let path = self.file(file);
        if let Err(error) = std::fs::metadata(&path) {
            let message = format!("cannot read the trace `{}`: {error}", clip(file));
            report.hint(&section.spot(key), message, "paths are relative to the scenario's folder");
            return None;
        }
        match read(&path, &path.display().to_string()) {
            Ok(history) => {
                if !self.inputs.contains(&path) {
                    self.inputs.push(path);
                }
                Some(history)
            }
            Err(problem) => {
                report.problems.push(problem);
                None
            }
        }
    }
}
