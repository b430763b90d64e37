//! Power of machines, and the electricity of regions and clusters.

use super::Build;
use crate::model::{PowerCurve, StepPath};
use crate::problem::clip;
use crate::scenario::catalog::{Catalog, CatalogRegion, CatalogType};
use crate::scenario::composition::unknown_name;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::Time;
use crate::weather::read_carbon;

/// Electricity of a region of a cloud.
#[derive(Clone, Debug)]
pub(super) struct RegionGrid {
    pub(super) carbon: StepPath,
    pub(super) pue_millionths: i64,
}

/// The key `pue` of a table, in millionths.
pub(super) fn pue(section: &ConfigTable) -> i64 {
    section.number("pue").map_or(1_000_000, millionths)
}

/// Power of a type of the catalog, which knows that at full load.
pub(super) fn power_of(known: &CatalogType, cloud: &ConfigTable) -> PowerCurve {
    let full = known.power_watts * 1_000;
    match cloud.integer("idle_power") {
        None => PowerCurve::constant(full),
        Some(share) => PowerCurve::by_load(&[full * share / 1_000_000, full]),
    }
}

/// Reports regions of `[[cloud.NAME.carbon]]` that the cloud does not have in the scenario, and rows
/// that say two things.
pub(super) fn check(section: &ConfigTable, catalog: &Catalog, report: &mut Diagnostics<'_>) {
    let used: Vec<&str> =
        section.texts("regions").iter().map(|(region, _)| region.as_str()).collect();
    for row in section.list("carbon") {
        not_twice(row, "g_per_kwh", "trace", report);
        if let Some(name) = row.text("region").filter(|name| !used.contains(name)) {
            let message = format!("no region `{}` of {} is used", clip(name), catalog.title);
            report.hint(&row.spot("region"), message, unknown_name(name, &used));
        }
    }
}

fn not_twice(section: &ConfigTable, number: &str, trace: &str, report: &mut Diagnostics<'_>) {
    if section.has(number) && section.has(trace) {
        let message = format!("there is either `{number}` or `{trace}`, not both");
        report.at(&section.spot(trace), message);
    }
}

impl Build<'_> {
    /// Electricity of a region of the cloud `section`.
    pub(super) fn grid(
        &mut self,
        section: &ConfigTable,
        region: &CatalogRegion,
        report: &mut Diagnostics<'_>,
    ) -> RegionGrid {
        let mut grid = RegionGrid {
            carbon: StepPath::constant(region.carbon_mg_per_kwh * 1_000),
            pue_millionths: pue(section),
        };
        for row in section.list("carbon") {
            if row.text("region").is_some_and(|name| name != region.name) {
                continue;
            }
            if let Some(grams) = row.number("g_per_kwh") {
                grid.carbon = StepPath::constant(millionths(grams));
            }
            if let Some(path) = self.carbon_trace(&region.name, row, "trace", report) {
                grid.carbon = path;
            }
            grid.pue_millionths = row.number("pue").map_or(grid.pue_millionths, millionths);
        }
        grid
    }

    /// Carbon intensity of the cluster `name`, if the scenario says it.
    pub(super) fn carbon_of_cluster(
        &mut self,
        name: &str,
        section: &ConfigTable,
        report: &mut Diagnostics<'_>,
    ) -> Option<StepPath> {
        not_twice(section, "carbon_g_per_kwh", "carbon_trace", report);
        let number = section.number("carbon_g_per_kwh");
        let constant = number.map(|grams| StepPath::constant(millionths(grams)));
        constant.or_else(|| self.carbon_trace(name, section, "carbon_trace", report))
    }

    /// The path in the file that `key` names, for the grid of `place`.
    fn carbon_trace(
        &mut self,
        place: &str,
        section: &ConfigTable,
        key: &str,
        report: &mut Diagnostics<'_>,
    ) -> Option<StepPath> {
        let file = section.text(key)?;
        let history = self.traced(section, key, read_carbon, report)?;
        let calendar = self.world.calendar;
        let time = |micros: i64| match history.is_dated {
            true => calendar.time(micros),
            false => Time::from_micros(micros),
        };
        let changes: Vec<(Time, i64)> =
            history.rows.iter().map(|&(micros, value)| (time(micros), value)).collect();
        let (Some(&(from, first)), Some(&(until, _))) = (changes.first(), changes.last()) else {
            return None;
        };
        let [from, until] = [from, until].map(|at| calendar.format(at));
        self.assumptions.push(
            format!(
                "The carbon intensity of {} is that of {}, from {from} to {until}; before and after it, \
                 its first and last value hold.",
                clip(place),
                clip(file)
            )
            .into(),
        );
        Some(StepPath::known(first, changes))
    }
}

/// A number in millionths; the table of keys bounds it.
fn millionths(number: f64) -> i64 {
    libm::round(number * 1e6) as i64
}
