//! Periods without a break in which enough tasks are free, in a stretch of time.

use crate::units::{Span, Time};

/// Runs of a stretch of time: periods without a break in which enough tasks are free. The
/// last level of a stretch lasts until the next stretch begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct FreeRuns {
    /// First time at which there are too few; `None` if there are always enough.
    broken: Option<Time>,
    /// Start of the run that lasts until the end of the stretch, if one does.
    open: Option<Time>,
    /// The longest run that began and ended within the stretch.
    longest: Span,
}

impl FreeRuns {
    /// Runs of a stretch from `first` on, in which there are always or never enough.
    pub(super) const fn of(first: Time, enough: bool) -> Self {
        let (broken, open) = if enough { (None, Some(first)) } else { (Some(first), None) };
        Self { broken, open, longest: Span::ZERO }
    }

    /// Runs of this stretch and the `later` one together, which begins at `second`.
    pub(super) fn then(self, later: Self, second: Time) -> Self {
        let start = self.open.map_or(second, |open| open.min(second));
        let Some(broken) = later.broken else {
            return Self { open: Some(start), ..self };
        };
        if self.broken.is_none() {
            return Self { broken: later.broken, ..later };
        }
        let across = broken - start;
        let longest = self.longest.max(later.longest).max(across);
        Self { broken: self.broken, open: later.open, longest }
    }

    /// Whether a run that ends within the stretch is as long as `length`. The stretch begins
    /// at `first`; there have been enough since `open`.
    pub(super) fn holds(&self, length: Span, open: Option<Time>, first: Time) -> bool {
        self.broken.is_some_and(|broken| {
            self.longest >= length || broken - open.unwrap_or(first) >= length
        })
    }

    /// Start of the run that lasts until the end of the stretch, which begins at `first`, where
    /// there have been enough since `open`; `None` if there are too few then.
    pub(super) fn open_after(&self, open: Option<Time>, first: Time) -> Option<Time> {
        match self.broken {
            None => open.or(Some(first)),
            Some(_) => self.open,
        }
    }
}

/// Number of classes of amounts above the least level of a stretch, so that the greatest level has
/// one: 1, 2, 3, 4, 6, 8, 12 and so on.
pub(super) fn classes(greatest: i64) -> usize {
    class_of(greatest.max(1)) + 1
}

/// Amount above the least level that `class` stands for.
pub(super) const fn need(class: usize) -> i64 {
    let octave = class.div_ceil(2);
    if class % 2 == 1 || class == 0 { 1 << octave } else { 3 << (octave - 1) }
}

/// The class of those that need no more than this, at least 1, that needs most.
pub(super) fn class_of(needed: i64) -> usize {
    let octave = needed.ilog2() as usize;
    if octave == 0 { 0 } else { 2 * octave - 1 + ((needed >> (octave - 1)) & 1) as usize }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_needs_no_more_than_asked_and_the_next_one_does() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(need), [1, 2, 3, 4, 6, 8, 12]);
        for needed in 1..5_000 {
            let class = class_of(needed);
            assert!(need(class) <= needed && needed < need(class + 1), "{needed}");
            assert_eq!(classes(needed), class + 1);
        }
    }
}
