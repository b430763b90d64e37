//! Amount of work that fits a capacity within its windows of time.

/// Starts and ends of windows that are told apart.
const GRID: usize = 48;

/// Capacity in some intervals of time that is left to the work whose whole window lies inside.
///
/// The amounts that fit all intervals form a polymatroid: capacity times length is modular over
/// intervals that cross. So taking pieces in order of value per area, each as much as fits, is
/// optimal for parts of pieces (Edmonds 1970). To look at some intervals only is a relaxation.
#[derive(Clone, Debug)]
pub(super) struct WindowCapacity {
    starts: Vec<i64>,
    ends: Vec<i64>,
    /// Capacity that is left, by start, then by end.
    room: Vec<f64>,
}

impl WindowCapacity {
    /// The intervals between some of these starts and ends (in microseconds,
    /// in any order), over a machine of `capacity`.
    pub(super) fn new(starts: Vec<i64>, ends: Vec<i64>, capacity: f64) -> Self {
        let (starts, ends) = (thinned(starts, false), thinned(ends, true));
        let length = |start: i64, end: i64| end.saturating_sub(start).max(0) as f64;
        let room = starts
            .iter()
            .flat_map(|&start| ends.iter().map(move |&end| capacity * length(start, end)))
            .collect();
        Self { starts, ends, room }
    }

    /// Takes in as much as fits of a piece of `area` with this window, which is one of those that
    /// the grid was made of; returns the part that fits.
    pub(super) fn take(&mut self, start: i64, end: i64, area: f64) -> f64 {
        let before = self.starts.partition_point(|&known| known <= start);
        let after = self.ends.partition_point(|&known| known < end);
        let width = self.ends.len();
        let rows = |row: usize| row * width + after..(row + 1) * width;
        let least = |row: usize| self.room[rows(row)].iter().copied().fold(f64::INFINITY, f64::min);
        let taken = (0..before).map(least).fold(area, f64::min).max(0.0);
        for row in 0..before {
            self.room[rows(row)].iter_mut().for_each(|room| *room -= taken);
        }
        taken
    }
}

/// At most [`GRID`] of the points, in order, evenly by rank, with the first
/// (the last) of all.
pub(super) fn thinned(mut points: Vec<i64>, keep_last: bool) -> Vec<i64> {
    points.sort_unstable();
    points.dedup();
    let count = points.len();
    if count <= GRID {
        return points;
    }
    let pick = |at: usize| match keep_last {
        false => points[at * count / GRID],
        true => points[(at + 1) * count / GRID - 1],
    };
    (0..GRID).map(pick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_taken() {
        // Capacity 2. In [0, 4] 8 fit, in [2, 4] 4 of them.
        let mut windows = WindowCapacity::new(vec![0, 2], vec![4, 6], 2.0);
        assert_eq!(windows.take(2, 4, 3.0), 3.0);
        assert_eq!(windows.take(2, 4, 3.0), 1.0);
        // [2, 4] is full; before it, 4 are left, and 4 after it.
        assert_eq!(windows.take(2, 4, 1.0), 0.0);
        assert_eq!(windows.take(0, 4, 9.0), 4.0);
        assert_eq!(windows.take(2, 6, 9.0), 4.0);
        assert_eq!(windows.take(0, 6, 1.0), 0.0);
    }

    #[test]
    fn thinning_keeps_the_outermost() {
        let many: Vec<i64> = (0..1000).rev().collect();
        let starts = thinned(many.clone(), false);
        let ends = thinned(many, true);
        assert_eq!((starts.len(), starts[0]), (GRID, 0));
        assert_eq!((ends.len(), ends[GRID - 1]), (GRID, 999));
        assert!(starts.is_sorted() && ends.is_sorted());
        assert_eq!(thinned(vec![3, 1, 3], true), [1, 3]);
    }
}
