//! How many instances of each offer there are over time, as a scenario says.

mod advisor;
mod drawn;
mod trace;

use std::collections::BTreeMap;

use super::Build;
use super::change::{self, BEGINNING, Changes, OfferNames};
use crate::model::{CapacityPath, DrawnCapacity, Market};
use crate::scenario::assumption::{Assumption, AssumptionScope};
use crate::scenario::catalog::Catalog;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Calendar, Time};
pub(in crate::scenario) use advisor::{AWS_BANDS, AZURE_BANDS};
pub(in crate::scenario) use drawn::TOGETHER;
pub(in crate::scenario) use trace::ONE_IS;

use drawn::CapacityModel;
use trace::CapacityTrace;

/// Most instances at once while a row holds.
#[derive(Debug)]
enum CapacityRule {
    /// The same all the time; `None` is unlimited.
    Fixed(Option<u32>),
    /// As many as a trace says.
    Trace(CapacityTrace),
    /// As many as are drawn.
    Model(CapacityModel),
}

/// The changes of capacity of a cloud.
#[derive(Debug)]
pub(super) struct Availability(Changes<CapacityRule>);

/// What happens to a row at one time, in the order in which that is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RowEvent {
    Ends,
    Begins(Option<u32>),
    Draws,
    /// The trace of the row, if it holds, says something else.
    Says(Option<u32>),
}

/// What a row that holds says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Most(Option<u32>),
    Drawn,
}

impl Availability {
    /// Reads `[[cloud.NAME.availability]]`, with the traces that it names.
    pub(super) fn read(
        build: &mut Build<'_>,
        cloud: &str,
        section: &ConfigTable,
        report: &mut Diagnostics<'_>,
    ) -> Self {
        let calendar = build.world.calendar;
        let mut traces = trace::read(build, section, report).into_iter();
        Self(Changes::read(section, "availability", Some(calendar), |row| {
            let trace = traces.next().expect("one for each row").map(CapacityRule::Trace);
            if row.has("trace") {
                trace
            } else if row.has("model") {
                let model = CapacityModel::read(row, report)?;
                if let Some(assumed) = &model.assumed {
                    let of = AssumptionScope::RentersFrom(cloud.to_owned(), Some(Market::Spot));
                    let told = format!("Spot instances of {cloud} are lost {assumed}.");
                    build.assumptions.push(Assumption::new(of, told));
                }
                Some(CapacityRule::Model(model))
            } else {
                row.capacity("instances").map(CapacityRule::Fixed)
            }
        }))
    }

    /// The capacity of an offer, which is `base` where no row holds; of several that hold, the last
    /// in the file counts. `name` is that of the offer.
    pub(super) fn path(
        &self,
        base: Option<u32>,
        name: &str,
        offer: OfferNames<'_>,
    ) -> CapacityPath {
        let mut path = CapacityPath::constant(base);
        let mut holding: BTreeMap<usize, Held> = BTreeMap::new();
        let mut drawing: Option<(usize, Time)> = None;
        let events = self.events(offer);
        for of_one_time in events.chunk_by(|one, other| one.0 == other.0) {
            for &(_, event, row) in of_one_time {
                match event {
                    RowEvent::Ends => drop(holding.remove(&row)),
                    RowEvent::Begins(most) => drop(holding.insert(row, Held::Most(most))),
                    RowEvent::Draws => drop(holding.insert(row, Held::Drawn)),
                    RowEvent::Says(most) => {
                        holding.entry(row).and_modify(|held| *held = Held::Most(most));
                    }
                }
            }
            let (row, held) =
                holding.last_key_value().map_or((0, Held::Most(base)), |(&row, &held)| (row, held));
            let at = of_one_time[0].0;
            if drawing.is_some_and(|(drawn, _)| held != Held::Drawn || drawn != row) {
                path.drawn.extend(self.drawn(drawing.take(), Some(at), name, offer));
            }
            match held {
                Held::Drawn => drawing = drawing.or(Some((row, at))),
                Held::Most(most) if at == BEGINNING => path.first = most,
                Held::Most(most) if most != path.at(at) => path.changes.push((at, most)),
                Held::Most(_) => (),
            }
        }
        path.drawn.extend(self.drawn(drawing, None, name, offer));
        path
    }

    /// The period in which a row is drawn: `drawing` holds the row and its begin.
    fn drawn(
        &self,
        drawing: Option<(usize, Time)>,
        until: Option<Time>,
        name: &str,
        offer: OfferNames<'_>,
    ) -> Option<DrawnCapacity> {
        let (row, from) = drawing?;
        let change = &self.0.rows[row];
        let CapacityRule::Model(model) = &change.effect else { return None };
        let is_model = |&row: &usize| matches!(self.0.rows[row].effect, CapacityRule::Model(_));
        let rows = self.0.rows_of(offer);
        let before = rows.filter(|&other| other < row).filter(is_model).count();
        let start = |at: Time| (at != BEGINNING).then_some(at);
        Some(DrawnCapacity {
            from: start(from),
            until,
            anchor: start(change.from).unwrap_or(Time::ZERO),
            key: [model.entity(name, offer), before as u64],
            law: model.law(),
            moves_with: None,
        })
    }

    /// What happens to the rows that hold for an offer, by time.
    fn events(&self, offer: OfferNames<'_>) -> Vec<(Time, RowEvent, usize)> {
        let mut events = Vec::new();
        for (at, begins, row) in self.0.steps(offer) {
            let change = &self.0.rows[row];
            match &change.effect {
                _ if !begins => events.push((at, RowEvent::Ends, row)),
                CapacityRule::Fixed(most) => events.push((at, RowEvent::Begins(*most), row)),
                CapacityRule::Model(_) => events.push((at, RowEvent::Draws, row)),
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
        if ["instances", "trace", "model"].iter().all(|key| !row.has(key)) {
            report.hint(
                &row.range,
                "`availability` says nothing",
                "give `instances`, the most at once, `trace`, a file of what could be had, or \
                 `model`, a law that it is drawn from",
            );
        }
        if row.has("trace") && row.has("model") {
            report.at(&row.spot("model"), "a capacity has a `trace` or a `model`, not both");
        }
        if row.has("together") && !row.has("model") {
            report.at(&row.spot("together"), "`together` needs a `model`");
        }
        if row.has("model") && row.capacity("instances") == Some(None) {
            report.at(&row.spot("instances"), "all instances of a model are no unlimited number");
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
    change::check(section, "availability", catalog, Some(calendar), report);
}
