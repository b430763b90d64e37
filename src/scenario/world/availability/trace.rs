//! Traces of what could be had, as capacities.

use std::path::Path;

use super::super::Build;
use crate::problem::clip;
use crate::scenario::composition::unknown_name;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::Time;
use crate::weather::{Polarity, Weather, read_counts, read_states};

/// Words of `one_is`.
pub(in crate::scenario) const ONE_IS: &[&str] = &["available", "preempted"];

/// Capacities by zone, from the first look on.
#[derive(Debug)]
pub(super) struct CapacityTrace {
    /// Zone of the trace that holds for all offers, or `None` where each has its own.
    only: Option<usize>,
    /// Names and capacities of the zones.
    zones: Vec<(String, Vec<(Time, u32)>)>,
}

impl CapacityTrace {
    /// Capacities of an offer in `zone`: the first at time zero. `None` where the trace knows nothing of
    /// it.
    pub(super) fn of(&self, zone: &str) -> Option<&[(Time, u32)]> {
        let found = self.only.or_else(|| self.zones.iter().position(|(name, _)| name == zone));
        found.map(|row| &self.zones[row].1[..])
    }

    /// What `weather` saw, in as many instances as `each` one counted stands for. With `threshold`,
    /// that many where at least so many could be had, and otherwise none.
    fn new(weather: Weather, only: Option<usize>, each: u32, threshold: Option<u32>) -> Self {
        let capacity = |count: u32| match threshold {
            Some(least) if count >= least => least.saturating_mul(each),
            Some(_) => 0,
            None => count.saturating_mul(each),
        };
        let zones = weather.zones.into_iter().map(|zone| {
            let counts = zone.counts.into_iter().map(|(at, count)| (at, capacity(count)));
            let mut counts: Vec<(Time, u32)> = counts.collect();
            counts.dedup_by_key(|&mut (_, count)| count);
            (zone.name, counts)
        });
        Self { only, zones: zones.collect() }
    }
}

/// The trace of each row of `[[cloud.NAME.availability]]`; `None` where it has none, or a wrong one.
pub(super) fn read(
    build: &mut Build<'_>,
    section: &ConfigTable,
    report: &mut Diagnostics<'_>,
) -> Vec<Option<CapacityTrace>> {
    section.list("availability").iter().map(|row| read_row(build, row, report)).collect()
}

fn read_row(
    build: &mut Build<'_>,
    row: &ConfigTable,
    report: &mut Diagnostics<'_>,
) -> Option<CapacityTrace> {
    let file = row.text("trace")?;
    let name = file.trim_end_matches(".gz").trim_end_matches(".zst");
    let polarity = match (name.ends_with(".json"), row.text("one_is")) {
        (false, None) => None,
        (true, Some("available")) => Some(Polarity::OneIsAvailable),
        (true, Some(_)) => Some(Polarity::OneIsPreempted),
        (true, None) => {
            let message = "files of states disagree on what a 1 says";
            let hint = "say `one_is = \"available\"` or `one_is = \"preempted\"`";
            report.hint(&row.spot("trace"), message, hint);
            return None;
        }
        (false, Some(_)) => {
            report.at(&row.spot("one_is"), "a table of counts has no polarity");
            return None;
        }
    };
    let read = |path: &Path, shown: &str| match polarity {
        Some(polarity) => read_states(path, shown, polarity),
        None => read_counts(path, shown),
    };
    let weather = build.traced(row, "trace", read, report)?;
    let only = zone_of(&weather, row, report)?;
    let each = row.capacity("instances").flatten().unwrap_or(1);
    Some(CapacityTrace::new(weather, only, each, row.count32("threshold")))
}

/// The zone of the trace that holds for all offers of the row, or that each has its own: `Some(None)`.
fn zone_of(
    weather: &Weather,
    row: &ConfigTable,
    report: &mut Diagnostics<'_>,
) -> Option<Option<usize>> {
    let find = |name: &str| weather.zones.iter().position(|zone| zone.name == name);
    let named = match (row.text("trace_zone"), row.text("zone")) {
        (Some(name), _) => Some(("trace_zone", name)),
        (None, _) if weather.zones.len() == 1 => return Some(Some(0)),
        (None, Some(name)) => Some(("zone", name)),
        (None, None) => None,
    };
    let Some((key, name)) = named else { return Some(None) };
    let found = find(name);
    if found.is_none() {
        let known: Vec<&str> = weather.zones.iter().map(|zone| zone.name.as_str()).collect();
        let message = format!("the trace has no zone called `{}`", clip(name));
        report.hint(&row.spot(key), message, unknown_name(name, &known));
    }
    found.map(Some)
}
