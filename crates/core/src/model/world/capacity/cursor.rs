//! The capacity of an offer in a run: what is known and what is drawn, one change after the other.

use super::spell::Spells;
use super::{CapacityPath, DrawnCapacity};
use crate::units::Time;

/// The capacity of an offer in the run of one seed, and its next change. Changes are drawn as they
/// come, so it takes the room of one, however long the run.
#[derive(Clone, Debug)]
pub struct CapacityCursor {
    /// Row of the next change that is known.
    row: usize,
    drawing: Option<Box<CapacityDrawing>>,
}

/// The part of a cursor that offers have whose capacity is drawn.
#[derive(Clone, Debug)]
struct CapacityDrawing {
    seed: u64,
    /// Row of the period that holds or comes next.
    period: usize,
    /// Spells of the period, while it holds.
    spells: Option<Spells>,
}

impl CapacityCursor {
    /// The capacity of `path` at `started`, and what comes after. It is a cursor of that path alone.
    pub fn new(path: &CapacityPath, seed: u64, started: Time) -> Self {
        let drawing = CapacityDrawing { seed, period: 0, spells: None };
        let drawing = (!path.drawn.is_empty()).then(|| Box::new(drawing));
        let row = path.changes.partition_point(|&(at, _)| at <= started);
        let mut cursor = Self { row, drawing };
        cursor.draw(path, started);
        cursor
    }

    /// The capacity now.
    pub fn capacity(&self, path: &CapacityPath) -> Option<u32> {
        let spells = self.drawing.as_ref().and_then(|drawing| drawing.spells.as_ref());
        match spells {
            Some(spells) => Some(spells.count()),
            None => self.row.checked_sub(1).map_or(path.first, |at| path.changes[at].1),
        }
    }

    /// Time of the next change, if there is one.
    #[inline]
    pub fn next_change(&self, path: &CapacityPath) -> Option<Time> {
        let known = path.changes.get(self.row).map(|&(at, _)| at);
        match &self.drawing {
            None => known,
            Some(drawing) => drawing.next_change(&path.drawn).into_iter().chain(known).min(),
        }
    }

    /// Whether changes are drawn for ever from here on.
    pub fn is_endless(&self, path: &CapacityPath) -> bool {
        let last = path.drawn.last().filter(|period| period.until.is_none());
        last.is_some() && self.row == path.changes.len() && self.is_drawing(path.drawn.len() - 1)
    }

    /// Whether the period in that row holds.
    fn is_drawing(&self, row: usize) -> bool {
        let drawing = self.drawing.as_ref();
        drawing.is_some_and(|drawing| drawing.period == row && drawing.spells.is_some())
    }

    /// Goes on to the next change, if there is one. It may come to the same capacity.
    pub fn advance(&mut self, path: &CapacityPath) {
        let Some(at) = self.next_change(path) else { return };
        if path.changes.get(self.row).is_some_and(|&(known, _)| known == at) {
            self.row += 1;
        }
        self.draw(path, at);
    }

    /// Goes on to `at`, and says what there is then.
    pub fn advance_to(&mut self, path: &CapacityPath, at: Time) -> Option<u32> {
        while self.next_change(path).is_some_and(|next| next <= at) {
            self.advance(path);
        }
        self.capacity(path)
    }

    /// Draws what holds at `at`.
    fn draw(&mut self, path: &CapacityPath, at: Time) {
        let Some(drawing) = &mut self.drawing else { return };
        let has_ended = |period: &DrawnCapacity| period.until.is_some_and(|until| until <= at);
        while path.drawn.get(drawing.period).is_some_and(has_ended) {
            drawing.period += 1;
            drawing.spells = None;
        }
        let Some(period) = path.drawn.get(drawing.period) else { return };
        if period.from.is_none_or(|from| from <= at) {
            let seed = drawing.seed;
            let spells = drawing.spells.get_or_insert_with(|| Spells::begin(period, seed));
            while spells.until().is_some_and(|next| next <= at) {
                spells.advance();
            }
        }
    }
}

impl CapacityDrawing {
    /// Time of the next change by what is drawn: inside a period, or where one begins or ends.
    fn next_change(&self, periods: &[DrawnCapacity]) -> Option<Time> {
        let period = periods.get(self.period)?;
        match &self.spells {
            None => period.from,
            Some(spells) => spells.until().into_iter().chain(period.until).min(),
        }
    }
}

#[cfg(test)]
mod tests;
