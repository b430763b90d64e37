//! What fails of a scenario's world: which offers, by what law.

mod event;
mod failure;
mod listed;
mod outage;

use std::collections::{BTreeMap, BTreeSet};

use super::Build;
use crate::model::{FaultTimes, Offer, World};
use crate::problem::clip;
use crate::scenario::assumption::Assumption;
use crate::scenario::composition::unknown_name;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Id, Span, Time};

pub use event::known_events;
pub(in crate::scenario) use event::{EVENTS, PLANES};
pub(in crate::scenario) use failure::{DEVICES, LIKE};
pub(in crate::scenario) use outage::EACH;

/// Reads `[[failure]]`, `outages` and `[[outage]]`, once all offers are there.
pub(super) fn read(build: &mut Build<'_>, root: &ConfigTable, report: &mut Diagnostics<'_>) {
    check_names(root, report);
    for (row, section) in root.list("failure").iter().enumerate() {
        failure::read(build, section, row, report);
    }
    for (event, range) in root.texts("outages") {
        event::on_its_dates(build, event, range, report);
    }
    for (row, section) in root.list("outage").iter().enumerate() {
        outage::read(build, section, row, report);
    }
    outside(build, root.span("horizon"));
}

/// Says which outages and traces of failures lie before the run, or after its horizon if it has one. Those
/// of one name are told of together.
fn outside(build: &mut Build<'_>, horizon: Option<Span>) {
    let calendar = build.world.calendar;
    let end = horizon.map(|horizon| Time::ZERO + horizon);
    let mut told = Vec::new();
    let mut known: BTreeMap<(&str, &str), Vec<_>> = BTreeMap::new();
    for fault in &build.world.faults {
        let (what, periods) = match &fault.times {
            FaultTimes::Periods(periods) => ("outage", periods.clone()),
            FaultTimes::Listed(parts) => ("trace of failures", parts.concat()),
            FaultTimes::Drawn { .. } => continue,
        };
        known.entry((what, &fault.name)).or_default().extend(periods);
    }
    for ((what, name), periods) in known.into_iter().filter(|(_, periods)| !periods.is_empty()) {
        let before = |until: Option<Time>| until.is_some_and(|until| until <= Time::ZERO);
        let after = |from: Time| end.is_some_and(|end| from >= end);
        let where_to = if periods.iter().all(|&(_, until)| before(until)) {
            format!("was over when the run starts ({})", calendar.format(Time::ZERO))
        } else if let Some(end) = end.filter(|_| periods.iter().all(|&(from, _)| after(from))) {
            format!("begins after the horizon ({})", calendar.format(end))
        } else {
            continue;
        };
        told.push(format!("The {what} {name} {where_to} and does nothing."));
    }
    build.assumptions.extend(told.into_iter().map(Assumption::from));
}

/// Reports rows of one name: what they draw goes by it.
fn check_names(root: &ConfigTable, report: &mut Diagnostics<'_>) {
    let mut names = BTreeSet::new();
    for (kind, list) in [("failure", root.list("failure")), ("outage", root.list("outage"))] {
        for (row, section) in list.iter().enumerate() {
            let is_event = kind == "outage" && section.has("event");
            if !is_event && !names.insert(name_of(section, kind, row)) {
                let message = format!("another {kind} or outage has this name");
                report.hint(&section.spot("name"), message, "give each a name of its own");
            }
        }
    }
}

/// Whether the law of a key, if there is one, has a mean, by which what is broken works again some day; a
/// problem if not.
fn has_mean(section: &ConfigTable, key: &str, report: &mut Diagnostics<'_>) -> bool {
    let has = section.distribution(key).is_none_or(|law| law.mean().is_some());
    if !has {
        let message = format!("`{key}` has no mean: what is broken would be so nearly always");
        report.hint(&section.spot(key), message, "give a `pareto` law a `shape` above 1");
    }
    has
}

/// The name of a row, or what stands for it.
fn name_of(section: &ConfigTable, kind: &str, row: usize) -> String {
    section.text("name").map_or_else(|| format!("{kind} {}", row + 1), clip)
}

/// The offers that a row names, ascending; all where it names none. Names that the world does not
/// have are problems.
fn offers_of(
    world: &World,
    section: &ConfigTable,
    keys: &[&str],
    report: &mut Diagnostics<'_>,
) -> Vec<Id<Offer>> {
    let before = report.problems.len();
    for &key in keys {
        let Some(wanted) = section.text(key) else { continue };
        let known: BTreeSet<&str> =
            world.offers.ids().map(|offer| name_in(world, offer, key)).collect();
        if !known.contains(wanted) && !report.partial_world {
            let known: Vec<&str> = known.into_iter().collect();
            let message = format!("nothing here has the {key} `{}`", clip(wanted));
            report.hint(&section.spot(key), message, unknown_name(wanted, &known));
        }
    }
    let is_meant = |offer: &Id<Offer>| {
        keys.iter()
            .all(|key| section.text(key).is_none_or(|name| name_in(world, *offer, key) == name))
    };
    let offers: Vec<Id<Offer>> = world.offers.ids().filter(is_meant).collect();
    if offers.is_empty() && report.problems.len() == before && !report.partial_world {
        report.hint(
            &section.range,
            "no offer is all that this names",
            "name fewer of provider, region, zone, family, type and market",
        );
    }
    offers
}

/// Name of an offer's provider, region, zone, family, type or market.
fn name_in<'w>(world: &'w World, offer: Id<Offer>, key: &str) -> &'w str {
    match key {
        "provider" => &world.providers[world.provider_of(offer)].name,
        "region" => &world.regions[world.region_of(offer)].name,
        "zone" => &world.zones[world.offers[offer].zone].name,
        "family" => &world.type_of(offer).family,
        "type" => &world.type_of(offer).name,
        "market" => world.offers[offer].market.name(),
        other => unreachable!("`{other}` names no offers"),
    }
}
