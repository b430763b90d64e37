//! How many instances of each offer there are over time, as a scenario says.

use std::collections::BTreeMap;

use super::change::{self, BEGINNING, Changes, OfferNames};
use crate::model::CapacityPath;
use crate::scenario::catalog::Catalog;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::Calendar;

/// The changes of capacity of a cloud.
#[derive(Debug)]
pub(super) struct Availability(Changes<Option<u32>>);

impl Availability {
    /// Reads `[[cloud.NAME.availability]]`.
    pub(super) fn read(section: &ConfigTable, calendar: Calendar) -> Self {
        Self(Changes::read(section, "availability", calendar, |row| row.capacity("instances")))
    }

    /// The capacity of an offer, which is `base` where no row holds; of several that hold, the last
    /// in the file counts.
    pub(super) fn path(&self, base: Option<u32>, offer: OfferNames<'_>) -> CapacityPath {
        let mut path = CapacityPath::constant(base);
        let mut holding: BTreeMap<usize, Option<u32>> = BTreeMap::new();
        let steps = self.0.steps(offer);
        for of_one_time in steps.chunk_by(|one, other| one.0 == other.0) {
            for &(_, begins, row) in of_one_time {
                match begins {
                    true => holding.insert(row, self.0.rows[row].effect),
                    false => holding.remove(&row),
                };
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
}

/// Reports rows that say nothing, or name what is not there.
pub(super) fn check(
    section: &ConfigTable,
    catalog: &Catalog,
    calendar: Calendar,
    report: &mut Diagnostics<'_>,
) {
    for row in section.list("availability") {
        if !row.has("instances") {
            report.at(&row.range, "`availability` needs `instances`, the most at once");
        }
    }
    change::check(section, "availability", catalog, calendar, report);
}
