//! Outages that happened: the shipped table of them, on their dates or moved.

use std::ops::Range;

use super::outage::homes_of;
use super::{Build, name_in};
use crate::model::{Fault, FaultDomain, FaultEffect, FaultTimes, Offer, World};
use crate::problem::clip;
use crate::scenario::composition::unknown_name;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Id, Span, Time};

/// Names of the events of the table, in order of time.
pub(in crate::scenario) const EVENTS: &[&str] = &[
    "aws-2016-06-05",
    "aws-2017-02-28",
    "gcp-2019-06-02",
    "aws-2019-08-23",
    "aws-2020-11-25",
    "gcp-2020-12-09",
    "aws-2021-12-07",
    "gcp-2022-07-19",
    "gcp-2023-04-26",
    "aws-2023-06-13",
    "aws-2024-07-30",
    "gcp-2025-06-12",
    "aws-2025-10-20",
    "azure-2025-10-29",
    "azure-2026-02-02",
    "azure-2026-02-07",
    "aws-2026-03-01",
    "aws-2026-05-07",
];

/// Planes that a scenario's own outages may have.
pub(in crate::scenario) const PLANES: &[&str] = &["machines", "launches", "network", "security"];

const TABLE: &str = include_str!("../../../../catalogs/outages.csv");

/// A phase of an event, as the table has it.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
struct OutagePhase {
    event: String,
    phase: String,
    provider: String,
    /// The only region; empty for all.
    region: String,
    /// Number of the only zone of the region, from 1; `None` for all.
    zone: Option<usize>,
    from: String,
    /// `None` where it never came back.
    until: Option<String>,
    plane: String,
    /// Share of the machines in percent, such as `50 %`; empty for all.
    share: String,
    data_lost: String,
    /// Columns that are estimates.
    assumed: String,
    source: String,
}

impl OutagePhase {
    /// Microseconds since 1970 from which on it was, and until which.
    fn period(&self) -> (i64, Option<i64>) {
        let micros = |text: &String| {
            let instant: jiff::Timestamp = text.parse().expect("the shipped table is right");
            instant.as_microsecond()
        };
        (micros(&self.from), self.until.as_ref().map(micros))
    }

    /// Share of the machines, in millionths.
    fn millionths(&self) -> u32 {
        let percent = self.share.trim_end_matches(" %").parse::<u32>();
        percent.map_or(1_000_000, |percent| percent * 10_000)
    }
}

/// What a plane takes away; `None` where that is nothing that runs or starts machines. A part of
/// the machines leaves launches to the others.
pub(super) fn effect(plane: &str, share: u32) -> Option<FaultEffect> {
    match plane {
        "machines" if share < 1_000_000 => Some(FaultEffect::Machines),
        "machines" => Some(FaultEffect::MachinesAndLaunches),
        "launches" | "control" => Some(FaultEffect::Launches),
        "security" => Some(FaultEffect::Security),
        _ => None,
    }
}

/// The phases of an event, in the order of the table.
fn phases(event: &str) -> Vec<OutagePhase> {
    let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
    let rows =
        reader.deserialize::<OutagePhase>().map(|row| row.expect("the shipped table is right"));
    rows.filter(|row| row.event == event).collect()
}

/// Where and when an event is to strike.
struct Strike<'a> {
    /// Provider, as the scenario names it.
    provider: &'a str,
    /// Region in place of the event's only one.
    region: Option<&'a str>,
    /// Time by which it is later than it was.
    later: Span,
}

/// Adds an event of `outages`, where and when it was.
pub(super) fn on_its_dates(
    build: &mut Build<'_>,
    event: &str,
    range: &Range<usize>,
    report: &mut Diagnostics<'_>,
) {
    let phases = phases(event);
    let provider = phases[0].provider.clone();
    let strike = Strike { provider: &provider, region: None, later: Span::ZERO };
    add(build, &phases, &strike, range, report);
}

/// Adds an event of `[[outage]]`, at another time or place.
pub(super) fn elsewhere(
    build: &mut Build<'_>,
    section: &ConfigTable,
    report: &mut Diagnostics<'_>,
) {
    for key in [
        "name",
        "plane",
        "share",
        "speed",
        "surge",
        "surge_for",
        "data_lost",
        "until",
        "every",
        "lasts",
        "each",
        "zone",
    ] {
        if section.has(key) {
            report.at(&section.spot(key), format!("`{key}` is what the event says"));
        }
    }
    let Some(event) = section.text("event") else { return };
    let phases = phases(event);
    let calendar = build.world.calendar;
    let was = phases.iter().map(|phase| phase.period().0).min().unwrap_or(0);
    let later = section.moment("from", calendar).map_or(Span::ZERO, |to| to - calendar.time(was));
    let provider = section.text("provider").unwrap_or(&phases[0].provider).to_owned();
    let strike = Strike { provider: &provider, region: section.text("region"), later };
    add(build, &phases, &strike, &section.spot("event"), report);
}

/// What an event strikes in a world.
#[derive(Debug, Default)]
struct Impact<'p> {
    faults: Vec<Fault>,
    /// Phases that do nothing there.
    idle: Vec<&'p str>,
    /// Columns of the other phases that are estimates.
    guessed: Vec<&'p str>,
}

impl<'p> Impact<'p> {
    /// Takes the phases that take machines or launches away.
    fn of(world: &World, phases: &'p [OutagePhase], strike: &Strike<'_>) -> Self {
        let mut impact = Self::default();
        for phase in phases {
            let offers = phase.offers(world, strike);
            let share = phase.millionths();
            let Some(effect) = effect(&phase.plane, share).filter(|_| !offers.is_empty()) else {
                impact.idle.push(&phase.phase);
                continue;
            };
            let at = |micros| world.calendar.time(micros).saturating_add(strike.later);
            let (from, until) = phase.period();
            let loses_data_of = match phase.data_lost.as_str() {
                "yes" => homes_of(world, &offers, phase.zone.is_some()),
                _ => Vec::new(),
            };
            impact.guessed.extend(phase.assumed.split('|').filter(|column| !column.is_empty()));
            impact.faults.push(Fault {
                name: format!("{} {}", phase.event, phase.phase),
                offers,
                domain: FaultDomain::Share(share),
                effect,
                times: FaultTimes::Periods(vec![(at(from), until.map(at))]),
                loses_data_of,
                surge: None,
                crews: None,
            });
        }
        impact.guessed.sort_unstable();
        impact.guessed.dedup();
        impact
    }
}

impl OutagePhase {
    /// The offers that it strikes.
    fn offers(&self, world: &World, strike: &Strike<'_>) -> Vec<Id<Offer>> {
        let region = strike.region.unwrap_or(&self.region);
        let is_meant = |offer: &Id<Offer>| {
            name_in(world, *offer, "provider") == strike.provider
                && (self.region.is_empty() || name_in(world, *offer, "region") == region)
        };
        let mut offers: Vec<Id<Offer>> = world.offers.ids().filter(is_meant).collect();
        if let Some(number) = self.zone {
            let mut zones: Vec<_> = offers.iter().map(|&offer| world.offers[offer].zone).collect();
            zones.dedup();
            let struck = zones.get(number - 1).or(zones.last()).copied();
            offers.retain(|&offer| Some(world.offers[offer].zone) == struck);
        }
        offers
    }
}

/// Adds an event, and says what was guessed of it and which phases do nothing here.
fn add(
    build: &mut Build<'_>,
    phases: &[OutagePhase],
    strike: &Strike<'_>,
    range: &Range<usize>,
    report: &mut Diagnostics<'_>,
) {
    let world = &build.world;
    let here = |offer: &Id<Offer>| name_in(world, *offer, "provider") == strike.provider;
    let all = world.offers.ids().filter(here);
    let regions: Vec<&str> = all.map(|offer| name_in(world, offer, "region")).collect();
    if let Some(region) = strike.region.filter(|region| !regions.contains(region)) {
        let message = format!("`{}` has no region `{}` here", strike.provider, clip(region));
        return report.hint(range, message, unknown_name(region, &regions));
    }
    let event = &phases[0].event;
    let Impact { faults, idle, guessed } = Impact::of(world, phases, strike);
    if faults.is_empty() && !report.partial_world {
        let message = format!("`{event}` strikes nothing of this scenario");
        let strikes = phases.iter().any(|phase| effect(&phase.plane, 1_000_000).is_some());
        let hint = match regions.is_empty() {
            _ if !strikes => {
                "it struck services or the network, and no machine and no launch".into()
            }
            true => format!("name another `provider`: there is no `{}` here", strike.provider),
            false => "name a `region` of the scenario in an `[[outage]]` with this `event`".into(),
        };
        return report.hint(range, message, hint);
    }
    if !idle.is_empty() {
        let told = format!(
            "Of the outage {event}, these parts strike no machine and no launch here, and do \
             nothing: {}.",
            idle.join(", ")
        );
        build.assumptions.push(told.into());
    }
    if !guessed.is_empty() {
        let told = format!("Of the outage {event}, these are estimates: {}.", guessed.join(", "));
        build.assumptions.push(told.into());
    }
    build.world.faults.extend(faults);
}

/// The known outages that strike something of a world, where they were, with times counted from
/// the beginning of each: names, and what fails.
pub fn known_events(world: &World) -> Vec<(String, Vec<Fault>)> {
    let struck = |event: &&str| {
        let phases = phases(event);
        let was = phases.iter().map(|phase| phase.period().0).min()?;
        let later = Time::ZERO - world.calendar.time(was);
        let strike = Strike { provider: &phases[0].provider, region: None, later };
        let faults = Impact::of(world, &phases, &strike).faults;
        (!faults.is_empty()).then(|| ((*event).to_owned(), faults))
    };
    EVENTS.iter().filter_map(struck).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_events_and_is_in_order() {
        let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
        let rows: Vec<OutagePhase> = reader.deserialize().map(|row| row.expect("a row")).collect();
        let mut events: Vec<&str> = rows.iter().map(|row| row.event.as_str()).collect();
        events.dedup();
        assert_eq!(events, EVENTS);
        let known = ["machines", "launches", "control", "services", "load-balancers", "edge"];
        for row in &rows {
            let (from, until) = row.period();
            assert!(until.is_none_or(|until| until > from), "{row:?}");
            assert!(row.plane == "network" || known.contains(&row.plane.as_str()), "{row:?}");
            assert!(row.share.is_empty() || row.millionths() < 1_000_000, "{row:?}");
            assert!(["yes", "no"].contains(&row.data_lost.as_str()), "{row:?}");
            assert!(row.source.starts_with("https://"), "{row:?}");
        }
    }
}
