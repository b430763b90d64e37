//! Outages that a scenario makes: `[[outage]]`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Build, event, has_mean, name_in, name_of, offers_of};
use crate::model::{Fault, FaultDomain, FaultEffect, FaultTimes, Market, Offer, Surge, World};
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::scenario::world::change::BEGINNING;
use crate::units::{Id, Span};

/// Words of `each`.
pub(in crate::scenario) const EACH: &[&str] = &["zone", "region", "provider"];

/// What a row may name.
const KEYS: &[&str] = &["provider", "region", "zone"];
/// Shortest mean time between outages, in seconds.
const SHORTEST_MEAN: f64 = 60.0;

/// Reads one row.
pub(super) fn read(
    build: &mut Build<'_>,
    section: &ConfigTable,
    row: usize,
    report: &mut Diagnostics<'_>,
) {
    if section.has("event") {
        return event::elsewhere(build, section, report);
    }
    if !["every", "lasts", "from", "until"].into_iter().any(|key| section.has(key)) {
        let hint = "give `from` and `until`, or `every` and `lasts`, or an `event`";
        return report.hint(&section.range, "`outage` says not when it is", hint);
    }
    if section.integer("share") == Some(0) {
        report.at(&section.spot("share"), "a share of nothing strikes nothing");
    }
    let calendar = build.world.calendar;
    let times = match (section.distribution("every"), section.distribution("lasts")) {
        (Some(every), Some(lasts)) => {
            has_mean(section, "lasts", report);
            for key in ["from", "until"].into_iter().filter(|key| section.has(key)) {
                report.at(&section.spot(key), format!("`{key}` and `every` exclude each other"));
            }
            if every.mean().is_some_and(|mean| mean < SHORTEST_MEAN) {
                report.at(&section.spot("every"), "outages are a minute apart or more in the mean");
            }
            FaultTimes::Drawn { life: every.clone(), repair: lasts.clone(), lemons: None }
        }
        (None, None) => {
            if section.has("each") {
                report.at(&section.spot("each"), "`each` needs `every` and `lasts`");
            }
            let from = section.moment("from", calendar).unwrap_or(BEGINNING);
            let until = section.moment("until", calendar);
            if until.is_some_and(|until| until <= from) {
                report.at(&section.spot("until"), "`until` must be after `from`");
            }
            FaultTimes::Periods(vec![(from, until)])
        }
        (Some(_), None) => return section.require("lasts", report),
        (None, Some(_)) => return section.require("every", report),
    };
    let share =
        section.integer("share").map_or(1_000_000, |share| share.clamp(0, 1_000_000) as u32);
    let Some(effect) = effect_of(section, share, report) else { return };
    let of_all = matches!(effect, FaultEffect::Launches | FaultEffect::Security);
    if section.has("share") && of_all {
        report.at(&section.spot("share"), "a share is one of machines, not of launches");
    }
    if section.has("surge_for") && !section.has("surge") {
        report.at(&section.spot("surge_for"), "`surge_for` needs a `surge`");
    }
    if section.has("surge") && (effect.slows() || effect.exposes()) {
        report.at(&section.spot("surge"), "nobody seeks others in place of machines that go on");
    }
    let name = name_of(section, "outage", row);
    let offers = offers_of(&build.world, section, KEYS, report);
    let loses = section.flag("data_lost").unwrap_or(false);
    if loses && (!effect.stops_machines() || share < 1_000_000) {
        report.at(&section.spot("data_lost"), "data is lost where all machines are");
    }
    for (part, offers) in parts(build, section.text("each"), offers) {
        let name = part.map_or_else(|| name.clone(), |part| format!("{name}: {part}"));
        let (domain, times) = (FaultDomain::Share(share), times.clone());
        let in_zones = section.has("zone") || section.text("each") == Some("zone");
        let loses_data_of =
            if loses { homes_of(&build.world, &offers, in_zones) } else { Vec::new() };
        let crews = None;
        let surge = surge_of(&build.world, section, &offers);
        build.world.faults.push(Fault {
            name,
            offers,
            domain,
            effect,
            times,
            loses_data_of,
            surge,
            crews,
        });
    }
}

/// What launches elsewhere suffer: in the other zones of the regions that are struck, and where there
/// is none, in the provider's other regions.
fn surge_of(world: &World, section: &ConfigTable, struck: &[Id<Offer>]) -> Option<Surge> {
    let chance = section.integer("surge")? as u32;
    let after = section.span("surge_for").unwrap_or(Span::ZERO);
    let rented = |offer: &Id<Offer>| world.offers[*offer].market != Market::Owned;
    let others = || world.offers.ids().filter(|offer| !struck.contains(offer)).filter(rented);
    let regions: BTreeSet<_> = struck.iter().map(|&offer| world.region_of(offer)).collect();
    let providers: BTreeSet<_> = struck.iter().map(|&offer| world.provider_of(offer)).collect();
    let near = others().filter(|&offer| regions.contains(&world.region_of(offer)));
    let mut offers: Vec<Id<Offer>> = near.collect();
    if offers.is_empty() {
        offers = others().filter(|&offer| providers.contains(&world.provider_of(offer))).collect();
    }
    (!offers.is_empty()).then_some(Surge { offers, chance, after })
}

/// What a row takes away.
fn effect_of(
    section: &ConfigTable,
    share: u32,
    report: &mut Diagnostics<'_>,
) -> Option<FaultEffect> {
    let plane = section.text("plane").unwrap_or(event::PLANES[0]);
    let speed = section.integer("speed").map(|speed| speed as u32);
    match (plane, speed) {
        ("machines", Some(speed)) => Some(FaultEffect::Speed(speed)),
        ("network", Some(speed)) => Some(FaultEffect::NetworkSpeed(speed)),
        ("network", None) => {
            let hint = "say at which `speed` work goes on that is spread over several machines";
            report.hint(&section.spot("plane"), "says not how slow the network is", hint);
            None
        }
        (plane, None) => event::effect(plane, share),
        (_, Some(_)) => {
            report.at(&section.spot("speed"), "a speed is one of machines or of the network");
            None
        }
    }
}

/// Homes of the data that is lost with these offers: their zones, and their regions unless only
/// single zones are struck.
pub(super) fn homes_of(world: &World, offers: &[Id<Offer>], in_zones: bool) -> Vec<String> {
    let mut homes: Vec<String> = Vec::new();
    for &offer in offers {
        homes.push(world.zone_name(world.offers[offer].zone));
        if !in_zones || world.offers[offer].market == Market::Owned {
            homes.push(world.region_name(world.region_of(offer)));
        }
    }
    homes.sort_unstable();
    homes.dedup();
    homes
}

/// Offers by what is struck by itself.
fn parts(
    build: &Build<'_>,
    each: Option<&str>,
    offers: Vec<Id<Offer>>,
) -> BTreeMap<Option<String>, Vec<Id<Offer>>> {
    let mut parts: BTreeMap<Option<String>, Vec<Id<Offer>>> = BTreeMap::new();
    for offer in offers {
        let provider = || name_in(&build.world, offer, "provider");
        let part = each.map(|each| match each {
            "provider" => provider().to_owned(),
            _ => format!("{}/{}", provider(), name_in(&build.world, offer, each)),
        });
        parts.entry(part).or_default().push(offer);
    }
    parts
}
