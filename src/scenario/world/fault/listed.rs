//! Failures that somebody saw: the trace of a `[[failure]]`.

use super::failure::{KEYS, by_gpus, effect};
use super::{Build, offers_of};
use crate::model::{Fault, FaultDomain, FaultTimes, Market, Offer};
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Id, Time};
use crate::weather::{FailureHistory, read_failures};

/// Keys that say of a law what a trace says itself.
const OF_LAWS: [&str; 5] = ["repair", "crews", "machines", "lemons", "lemon_rate"];

/// Reads the trace of a row. Its machines are those of the offers that the row names, one after the
/// other; of rented ones there is one offer, whose slots they are.
pub(super) fn read(
    build: &mut Build<'_>,
    section: &ConfigTable,
    name: String,
    report: &mut Diagnostics<'_>,
) {
    for key in OF_LAWS.into_iter().filter(|key| section.has(key)) {
        report.at(&section.spot(key), format!("`{key}` is what the trace says"));
    }
    let offers = offers_of(&build.world, section, KEYS, report);
    if section.has("devices") {
        by_gpus(build, offers.clone(), section, report);
    }
    let Some(history) = build.traced(section, "trace", read_failures, report) else { return };
    let Some(parts) = machines(build, &offers, section, report) else { return };
    let all: u64 = parts.iter().map(|&(_, machines)| u64::from(machines)).sum();
    let beyond = history.machines.keys().filter(|&&machine| u64::from(machine) >= all).count();
    if beyond > 0 {
        let told = format!(
            "{beyond} of {} machines in the trace of failures `{name}` are not there: the scenario \
             has {all}, and the trace counts from 0.",
            history.machines.len()
        );
        build.assumptions.push(told.into());
    }
    let mut first = 0;
    for (offer, machines) in parts {
        let lists = lists(build, &history, first..first.saturating_add(machines));
        first = first.saturating_add(machines);
        build.world.faults.push(Fault {
            name: name.clone(),
            offers: vec![offer],
            domain: FaultDomain::Machines(1),
            effect: effect(section, true),
            times: FaultTimes::Listed(lists),
            loses_data_of: Vec::new(),
            surge: None,
            crews: None,
        });
    }
}

/// The offers, and how many machines each has.
fn machines(
    build: &Build<'_>,
    offers: &[Id<Offer>],
    section: &ConfigTable,
    report: &mut Diagnostics<'_>,
) -> Option<Vec<(Id<Offer>, u32)>> {
    let world = &build.world;
    if let &[offer] = offers
        && world.offers[offer].market != Market::Owned
    {
        return Some(vec![(offer, u32::MAX)]);
    }
    if offers.iter().any(|&offer| world.offers[offer].market != Market::Owned) {
        let hint = "name a cluster by `provider`, or one offer by zone, type and market";
        report.hint(&section.spot("trace"), "says not whose machines these are", hint);
        return None;
    }
    Some(offers.iter().map(|&offer| (offer, world.offers[offer].running_at_start)).collect())
}

/// Failures of some machines of the history, from the first on.
fn lists(
    build: &Build<'_>,
    history: &FailureHistory,
    machines: std::ops::Range<u32>,
) -> Vec<Vec<(Time, Option<Time>)>> {
    let calendar = build.world.calendar;
    let time = |micros: i64| match history.is_dated {
        true => calendar.time(micros),
        false => Time::from_micros(micros),
    };
    let mut lists = Vec::new();
    for (&machine, failures) in history.machines.range(machines.clone()) {
        lists.resize((machine - machines.start) as usize, Vec::new());
        lists.push(failures.iter().map(|&(from, until)| (time(from), until.map(time))).collect());
    }
    lists
}
