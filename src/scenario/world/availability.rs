//! How many instances of each offer there are over time, as a scenario says.

mod trace;

use std::collections::BTreeMap;

use super::Build;
use super::change::{self, BEGINNING, Changes, OfferNames};
use crate::model::CapacityPath;
use crate::scenario::catalog::Catalog;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Calendar, Time};
pub(in crate::scenario) use trace::ONE_IS;

use trace::CapacityTrace;

/// Most instances at once while a row holds.
#[derive(Debug)]
enum CapacityRule {
    /// The same all the time; `None` is unlimited.
    Fixed(Option<u32>),
    /// As many as a trace says.
    Trace(CapacityTrace),
}

/// The changes of capacity of a cloud.
#[derive(Debug)]
pub(super) struct Availability(Changes<CapacityRule>);

/// What happens to a row at one time, in the order in which that is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RowEvent {
    Ends,
    Begins(Option<u32>),
    /// The trace of the row, if it holds, says something else.
    Says(Option<u32>),
}

impl Availability {
    /// Reads `[[cloud.NAME.availability]]`, with the traces that it names.
    pub(super) fn read(
        build: &mut Build<'_>,
        section: &ConfigTable,
        report: &mut Diagnostics<'_>,
    ) -> Self {
        let calendar = build.world.calendar;
        let mut traces = trace::read(build, section, report).into_iter();
        Self(Changes::read(section, "availability", calendar, |row| {
            let trace = traces.next().expect("one for each row");
            let instances = row.capacity("instances");
            match trace {
                Some(trace) => Some(CapacityRule::Trace(trace)),
                None => instances.filter(|_| !row.has("trace")).map(CapacityRule::Fixed),
            }
        }))
    }

    /// The capacity of an offer, which is `base` where no row holds; of several that hold, the last
    /// in the file counts.
    pub(super) fn path(&self, base: Option<u32>, offer: OfferNames<'_>) -> CapacityPath {
        let mut path = CapacityPath::constant(base);
        let mut holding: BTreeMap<usize, Option<u32>> = BTreeMap::new();
        let events = self.events(offer);
        for of_one_time in events.chunk_by(|one, other| one.0 == other.0) {
            for &(_, event, row) in of_one_time {
                match event {
                    RowEvent::Ends => drop(holding.remove(&row)),
                    RowEvent::Begins(most) => drop(holding.insert(row, most)),
                    RowEvent::Says(most) => {
                        holding.entry(row).and_modify(|held| *held = most);
                    }
                }
            }
            let most = holding.last_key_value().map_or(base, |(_, &most)| most);
            let at = of_one_time[0].0;
            if at == BEGINNING {
                path.first = most;
            } else if most != path.at(at) {
                path.changes.push((at, most));
            }
        }
        path
    }

    /// What happens to the rows that hold for an offer, by time.
    fn events(&self, offer: OfferNames<'_>) -> Vec<(Time, RowEvent, usize)> {
        let mut events = Vec::new();
        for (at, begins, row) in self.0.steps(offer) {
            let change = &self.0.rows[row];
            match &change.effect {
                _ if !begins => events.push((at, RowEvent::Ends, row)),
                CapacityRule::Fixed(most) => events.push((at, RowEvent::Begins(*most), row)),
                CapacityRule::Trace(trace) => {
                    let Some(counts) = trace.of(offer.2) else { continue };
                    // Before its first look a trace says what that saw.
                    events.push((at, RowEvent::Begins(Some(counts[0].1)), row));
                    let start = if at == BEGINNING { Time::ZERO } else { at };
                    let later = counts[1..].iter().map(|&(after, count)| {
                        let at = start.saturating_add(after - Time::ZERO);
                        (at, RowEvent::Says(Some(count)), row)
                    });
                    events.extend(
                        later.filter(|&(at, ..)| change.until.is_none_or(|until| at < until)),
                    );
                }
            }
        }
        events.sort_unstable();
        events
    }
}

/// Reports rows that say nothing, or name what is not there.
pub(super) fn check(
    section: &ConfigTable,
    catalog: &Catalog,
    calendar: Calendar,
    report: &mut Diagnostics<'_>,
) {
    for row in section.list("availability") {
        if !row.has("instances") && !row.has("trace") {
            report.hint(
                &row.range,
                "`availability` says nothing",
                "give `instances`, the most at once, or `trace`, a file of what could be had",
            );
        }
        for key in ["trace_zone", "one_is", "threshold"] {
            if row.has(key) && !row.has("trace") {
                report.at(&row.spot(key), format!("`{key}` needs a `trace`"));
            }
        }
        if row.has("trace") && row.capacity("instances") == Some(None) {
            report.at(&row.spot("instances"), "what a trace counts is no unlimited number");
        }
    }
    change::check(section, "availability", catalog, calendar, report);
}
