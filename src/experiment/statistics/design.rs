//! Points to look at in a space of settings: points of a unit cube, one axis per setting, that the
//! caller maps to values.

use crate::units::Stream;

/// Every combination of levels, the last axis fastest: each item holds one
/// level per axis, counted from 0. There is none when an axis has no level,
/// and one, empty, without axes.
#[derive(Clone, Debug)]
pub struct Grid {
    levels: Vec<usize>,
    next: Option<Vec<usize>>,
}

impl Grid {
    /// The grid of so many levels per axis.
    pub fn new(levels: &[usize]) -> Self {
        let next = levels.iter().all(|&levels| levels > 0).then(|| vec![0; levels.len()]);
        Self { levels: levels.to_vec(), next }
    }

    /// Points in the whole grid; `None` if that is more than a number holds.
    pub fn points(&self) -> Option<usize> {
        self.levels.iter().try_fold(1_usize, |points, &levels| points.checked_mul(levels))
    }
}

impl Iterator for Grid {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let point = self.next.take()?;
        let axis = (0..point.len()).rev().find(|&axis| point[axis] + 1 < self.levels[axis]);
        if let Some(axis) = axis {
            let mut next = point.clone();
            next[axis] += 1;
            next[axis + 1..].fill(0);
            self.next = Some(next);
        }
        Some(point)
    }
}

/// Independent uniform points, `axes` numbers of (0, 1) each. More points leave
/// the first ones where they were, more axes the first coordinates.
pub fn random(points: usize, axes: usize, seed: u64) -> Vec<Vec<f64>> {
    let column = |axis: u64| {
        let mut stream = Stream::of(seed, "design.random", axis);
        (0..points).map(move |_| stream.uniform())
    };
    transposed(points, (0..axes as u64).map(column))
}

/// A Latin hypercube: on each axis, every one of `points` slices of equal width
/// holds exactly one point, at a random place in it.
///
/// McKay, Beckman and Conover, "A comparison of three methods for selecting
/// values of input variables", Technometrics 21(2), 1979.
pub fn latin_hypercube(points: usize, axes: usize, seed: u64) -> Vec<Vec<f64>> {
    let column = |axis: u64| {
        let mut stream = Stream::of(seed, "design.latin", axis);
        let mut slices: Vec<usize> = (0..points).collect();
        stream.shuffle(&mut slices);
        slices.into_iter().map(move |slice| (slice as f64 + stream.uniform()) / points as f64)
    };
    transposed(points, (0..axes as u64).map(column))
}

/// Rows of points from columns of axes.
fn transposed(
    points: usize,
    columns: impl Iterator<Item = impl Iterator<Item = f64>>,
) -> Vec<Vec<f64>> {
    let mut rows = vec![Vec::new(); points];
    for column in columns {
        for (row, value) in rows.iter_mut().zip(column) {
            row.push(value);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_is_fastest() {
        let found: Vec<Vec<usize>> = Grid::new(&[2, 1, 3]).collect();
        let expected = [[0, 0, 0], [0, 0, 1], [0, 0, 2], [1, 0, 0], [1, 0, 1], [1, 0, 2]];
        assert_eq!(found, expected);
        assert_eq!(Grid::new(&[2, 1, 3]).points(), Some(6));
        assert_eq!(Grid::new(&[3, 0]).count(), 0);
        assert_eq!(Grid::new(&[]).collect::<Vec<_>>(), [Vec::<usize>::new()]);
        assert_eq!(Grid::new(&[usize::MAX, 2]).points(), None);
        assert_eq!(Grid::new(&[usize::MAX, 2]).nth(2), Some(vec![1, 0]));
    }

    #[test]
    fn a_latin_hypercube_has_one_point_in_each_slice() {
        let points = latin_hypercube(50, 3, 1);
        for axis in 0..3 {
            let mut slices: Vec<usize> =
                points.iter().map(|point| (point[axis] * 50.0) as usize).collect();
            assert!(!slices.is_sorted(), "axis {axis} is not shuffled");
            slices.sort_unstable();
            assert_eq!(slices, (0..50).collect::<Vec<_>>());
        }
        assert!(latin_hypercube(0, 3, 1).is_empty());
    }

    #[test]
    fn designs_follow_their_seed_and_grow_in_place() {
        for design in [random, latin_hypercube] {
            let points = design(20, 2, 1);
            assert_eq!(points, design(20, 2, 1));
            assert_ne!(points, design(20, 2, 2));
            let wider = design(20, 3, 1);
            assert!(points.iter().zip(&wider).all(|(point, wide)| point[..] == wide[..2]));
        }
        let all = random(1000, 2, 1);
        assert_eq!(all[..20], random(20, 2, 1)[..]);
        assert!(all.iter().flatten().all(|&value| 0.0 < value && value < 1.0));
        // Standard error of the mean: sqrt(1/12/2000) = 0.0065.
        let mean = all.iter().flatten().sum::<f64>() / 2000.0;
        assert!((mean - 0.5).abs() < 0.026, "{mean}");
    }
}
