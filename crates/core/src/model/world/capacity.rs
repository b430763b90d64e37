//! How many instances of an offer there are over time.

use crate::units::Time;

/// Most instances of an offer at once, over time; `None` is unlimited.
///
/// The instance in slot `k` of a spot offer is there while `k` is below the capacity: one that is
/// above it is taken back. Of other offers none is taken back; launches are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapacityPath {
    /// Capacity from the beginning.
    pub first: Option<u32>,
    /// Later capacities, in order of time; each holds from its point on.
    pub changes: Vec<(Time, Option<u32>)>,
}

impl CapacityPath {
    /// The same capacity for ever.
    pub const fn constant(most: Option<u32>) -> Self {
        Self { first: most, changes: Vec::new() }
    }

    /// The capacity at `at`.
    pub fn at(&self, at: Time) -> Option<u32> {
        let past = self.changes.partition_point(|&(from, _)| from <= at);
        past.checked_sub(1).map_or(self.first, |last| self.changes[last].1)
    }

    /// The largest capacity of all times.
    pub fn most(&self) -> Option<u32> {
        let all = self.changes.iter().map(|&(_, most)| most).chain([self.first]);
        all.reduce(|one, other| Some(one?.max(other?))).flatten()
    }

    /// Whether it ever changes.
    pub const fn moves(&self) -> bool {
        !self.changes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_holds_from_each_point_on() {
        let at = Time::from_secs;
        let changes = vec![(at(10), Some(0)), (at(20), Some(5))];
        let path = CapacityPath { first: Some(3), changes };
        let seen = [0, 9, 10, 19, 20, 99].map(|secs| path.at(at(secs)));
        assert_eq!(seen, [3, 3, 0, 0, 5, 5].map(Some));
        assert_eq!((path.most(), path.moves()), (Some(5), true));
        let path = CapacityPath { first: Some(3), changes: vec![(at(10), None)] };
        assert_eq!((path.at(at(9)), path.at(at(10)), path.most()), (Some(3), None, None));
        let path = CapacityPath::constant(None);
        assert_eq!((path.at(at(9)), path.most(), path.moves()), (None, None, false));
        assert_eq!(CapacityPath::constant(Some(7)).most(), Some(7));
    }
}
