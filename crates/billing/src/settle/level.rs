//! Capacity that is kept: the number of machines that run in it at once, within an hour.

use std::collections::BTreeMap;

use crate::reservation::CapacityReservation;
use crate::units::{Span, Time};

use super::hour::OpenLine;

/// Machine-microseconds of kept capacity in which nothing runs, from `from` until `until`. Machines
/// that run in `earlier` capacity of the same kind do not run in this. A line whose quantity is not
/// that of whole machines is spread evenly over its time, in billionths of a machine.
pub(super) fn idle<'l>(
    running: impl Iterator<Item = &'l OpenLine>,
    earlier: impl Iterator<Item = &'l CapacityReservation>,
    machines: u64,
    from: Time,
    until: Time,
) -> i128 {
    let mut changes = Changes::default();
    for line in running {
        let whole = line.until - line.from;
        changes.add(line.from.max(from), line.until.min(until), line.quantity, whole);
    }
    for kept in earlier {
        let (from, until) = (kept.from.max(from), kept.until.min(until));
        let one = Span::from_micros(1);
        changes.add(from, until, -i128::from(kept.machines), one);
    }
    let kept = i128::from(machines) * PARTS;
    let mut idle = 0;
    changes.walk(from, until, |level, micros| idle += (kept - level.max(0)).max(0) * micros);
    idle / PARTS
}

/// Parts that a machine is counted in.
const PARTS: i128 = 1_000_000_000;

/// Changes of a level over time.
#[derive(Debug, Default)]
struct Changes {
    at: BTreeMap<Time, i128>,
}

impl Changes {
    /// `quantity` over `whole` is the level from `from` until `until`.
    fn add(&mut self, from: Time, until: Time, quantity: i128, whole: Span) {
        let micros = i128::from(whole.micros());
        if from < until && micros > 0 {
            let level = quantity * PARTS / micros;
            *self.at.entry(from).or_default() += level;
            *self.at.entry(until).or_default() -= level;
        }
    }

    /// Tells each level and the microseconds that it holds.
    fn walk(&self, from: Time, until: Time, mut told: impl FnMut(i128, i128)) {
        let (mut level, mut last) = (0, from);
        for (at, change) in &self.at {
            told(level, i128::from((*at - last).micros()));
            level += change;
            last = *at;
        }
        told(level, i128::from((until - last).micros()));
    }
}
