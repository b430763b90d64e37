//! A quantity over time, in steps.

use crate::units::Time;

/// A quantity over time that holds each value until the next, such as the carbon intensity of a grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPath {
    first: i64,
    changes: Vec<(Time, i64)>,
    /// Integral from the first change to each.
    sums: Vec<i128>,
}

impl StepPath {
    /// The same value for ever.
    pub const fn constant(value: i64) -> Self {
        Self { first: value, changes: Vec::new(), sums: Vec::new() }
    }

    /// `first`, and from each time of `changes`, which are in order, what stands there.
    pub fn known(first: i64, changes: impl IntoIterator<Item = (Time, i64)>) -> Self {
        let mut path = Self::constant(first);
        path.refill(first, changes);
        path
    }

    /// Makes another path of it, in the memory that it has.
    pub fn refill(&mut self, first: i64, changes: impl IntoIterator<Item = (Time, i64)>) {
        self.first = first;
        self.changes.clear();
        self.changes.extend(changes);
        self.sums.clear();
        self.sums.extend(self.changes.first().map(|_| 0));
        for pair in self.changes.windows(2) {
            let span = i128::from((pair[1].0 - pair[0].0).micros());
            let last = self.sums.last().copied().unwrap_or(0);
            self.sums.push(last + i128::from(pair[0].1) * span);
        }
    }

    /// What `of` makes of the values of `paths`, whenever one of them changes.
    pub fn joined(paths: &[&Self], of: impl Fn(&[i64]) -> i64) -> Self {
        let changes = paths.iter().flat_map(|path| &path.changes);
        let mut times: Vec<Time> = changes.map(|&(at, _)| at).collect();
        times.sort_unstable();
        times.dedup();
        let mut values: Vec<i64> = paths.iter().map(|path| path.first).collect();
        let first = of(&values);
        let mut joined = Vec::with_capacity(times.len());
        for at in times {
            for (value, path) in values.iter_mut().zip(paths) {
                *value = path.at(at);
            }
            joined.push((at, of(&values)));
        }
        Self::known(first, joined)
    }

    /// Row of the change that holds at `at`, and the number of those before.
    fn past(&self, at: Time) -> usize {
        self.changes.partition_point(|&(from, _)| from <= at)
    }

    /// The value at `at`.
    pub fn at(&self, at: Time) -> i64 {
        self.past(at).checked_sub(1).map_or(self.first, |row| self.changes[row].1)
    }

    /// Integral in values times microseconds from a fixed moment to `at`. Differences of it are exact.
    pub fn integral(&self, at: Time) -> i128 {
        let Some(&(origin, _)) = self.changes.first() else {
            return i128::from(self.first) * i128::from(at.micros());
        };
        match self.past(at).checked_sub(1) {
            None => -i128::from(self.first) * i128::from((origin - at).micros()),
            Some(row) => {
                let (from, value) = self.changes[row];
                self.sums[row] + i128::from(value) * i128::from((at - from).micros())
            }
        }
    }

    /// Whether it ever changes.
    pub const fn moves(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The times between `from` and `until` at which it changes, with what holds from then on.
    pub fn between(&self, from: Time, until: Time) -> &[(Time, i64)] {
        let begin = self.past(from);
        let end = self.changes.partition_point(|&(at, _)| at < until);
        &self.changes[begin..end.max(begin)]
    }

    /// The same on a clock that starts at `from`. What was before that stays, for who looks back.
    #[must_use]
    pub fn starting_at(&self, from: Time) -> Self {
        let moved = |&(at, value): &(Time, i64)| (Time::ZERO + (at - from), value);
        Self::known(self.first, self.changes.iter().map(moved))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10 until 1 s, 4 until 3 s, then 7: by hand.
    #[test]
    fn integrals_are_sums_of_values_times_their_time() {
        let secs = Time::from_secs;
        let path = StepPath::known(10, vec![(secs(1), 4), (secs(3), 7)]);
        let between =
            |from, until| (path.integral(secs(until)) - path.integral(secs(from))) / 1_000_000;
        assert_eq!(between(0, 1), 10);
        assert_eq!(between(-2, 2), 34);
        assert_eq!(between(0, 5), 10 + 8 + 14);
        assert_eq!(between(4, 4), 0);
        assert_eq!([0, 1, 2, 3, 9].map(|at| path.at(secs(at))), [10, 4, 4, 7, 7]);
        assert_eq!(path.between(secs(0), secs(3)), [(secs(1), 4)]);
        assert_eq!(path.between(secs(1), secs(4)), [(secs(3), 7)]);
        let moved = path.starting_at(secs(2));
        assert_eq!([-2, -1, 0, 1].map(|at| moved.at(secs(at))), [10, 4, 4, 7]);
        let other = StepPath::known(1, vec![(secs(2), 9)]);
        let lowest =
            StepPath::joined(&[&path, &other], |all| all.iter().copied().min().unwrap_or(0));
        assert_eq!([0, 1, 2, 3].map(|at| lowest.at(secs(at))), [1, 1, 4, 7]);
        let still = StepPath::constant(3);
        assert_eq!(still.integral(secs(4)) - still.integral(secs(2)), 6_000_000);
    }
}
