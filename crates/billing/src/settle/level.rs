//! The number of machines that run at once, within an hour.

use std::collections::BTreeMap;

use crate::units::Time;

use super::hour::OpenLine;

/// Machine-microseconds by which those that run fall short of `machines`, from `from` until
/// `until`. A line whose quantity is not that of whole machines is spread evenly over its time.
pub(super) fn below<'l>(
    lines: impl Iterator<Item = &'l OpenLine>,
    machines: u64,
    from: Time,
    until: Time,
) -> i128 {
    let mut changes = Changes::default();
    for line in lines {
        changes.add(
            line.from.max(from),
            line.until.min(until),
            line.quantity,
            line.until - line.from,
        );
    }
    let kept = i128::from(machines) * PARTS;
    let mut missing = 0;
    changes.walk(from, until, |level, micros| missing += (kept - level).max(0) * micros);
    missing / PARTS
}

/// Parts that a machine is counted in.
const PARTS: i128 = 1_000_000;

/// Changes of a level over time.
#[derive(Debug, Default)]
struct Changes {
    at: BTreeMap<Time, i128>,
}

impl Changes {
    /// `quantity` over `whole` is the level from `from` until `until`.
    fn add(&mut self, from: Time, until: Time, quantity: i128, whole: crate::units::Span) {
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
