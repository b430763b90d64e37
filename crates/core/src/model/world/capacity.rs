//! How many instances of an offer there are over time.

mod comovement;
mod cursor;
mod law;
mod spell;

pub use comovement::{Comovement, ComovementMember, ImpossiblePair};
pub use cursor::CapacityCursor;
pub use law::{CapacityLaw, CapacityState, LevelLaw, StateLaw};

use std::sync::Arc;

use crate::units::{Span, Time};

/// Most instances of an offer at once, over time; `None` is unlimited.
///
/// The instance in slot `k` of a spot offer is there while `k` is below the capacity: one that is
/// above it is taken back. Of other offers none is taken back; launches are refused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CapacityPath {
    /// Capacity from the beginning.
    pub first: Option<u32>,
    /// Later capacities, in order of time; each holds from its point on.
    pub changes: Vec<(Time, Option<u32>)>,
    /// Periods in which a law says it instead, in order and apart. No change lies inside one; where
    /// one ends there is a change, unless what held before it returns.
    pub drawn: Vec<DrawnCapacity>,
}

/// A period in which the capacity of an offer is drawn, in the run and for its seed.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnCapacity {
    /// Start of the period; `None` since ever.
    pub from: Option<Time>,
    /// End of the period; `None` for ever.
    pub until: Option<Time>,
    /// Time at which the path begins, as an arbitrary moment finds it. Before it, what it begins with
    /// holds.
    pub anchor: Time,
    /// Entity that the path belongs to, an offer or a group of offers, and which of its paths it is:
    /// the key of its random streams. Offers with one key and one law have one path.
    pub key: [u64; 2],
    /// Law that it is drawn from.
    pub law: Arc<CapacityLaw>,
    /// The group that its states move with. How long they last then goes by that, and no more by
    /// the law.
    pub moves_with: Option<ComovementMember>,
}

impl CapacityPath {
    /// The same capacity for ever.
    pub const fn constant(most: Option<u32>) -> Self {
        Self::known(most, Vec::new())
    }

    /// A capacity that is known ahead.
    pub const fn known(first: Option<u32>, changes: Vec<(Time, Option<u32>)>) -> Self {
        Self { first, changes, drawn: Vec::new() }
    }

    /// The capacity at `at`, where none is drawn.
    pub fn at(&self, at: Time) -> Option<u32> {
        let past = self.changes.partition_point(|&(from, _)| from <= at);
        past.checked_sub(1).map_or(self.first, |last| self.changes[last].1)
    }

    /// The largest capacity of all times, whatever is drawn.
    pub fn most(&self) -> Option<u32> {
        let is_first = !self.drawn.iter().any(|period| period.from.is_none());
        let all = self.changes.iter().map(|&(_, most)| most);
        let all = all.chain(is_first.then_some(self.first));
        let all = all.chain(self.drawn.iter().map(|period| Some(period.law.most())));
        all.reduce(|one, other| Some(one?.max(other?))).flatten()
    }

    /// Whether it ever changes.
    pub const fn moves(&self) -> bool {
        !self.changes.is_empty() || !self.drawn.is_empty()
    }

    /// The same on a clock that starts at `from`.
    #[must_use]
    pub fn starting_at(&self, from: Time) -> Self {
        let moved = |at: Time| Time::ZERO + (at - from);
        let later = self.changes.iter().filter(|&&(at, _)| at > from);
        let left = self.drawn.iter().filter(|period| period.until.is_none_or(|until| until > from));
        let drawn = left.map(|period| DrawnCapacity {
            from: period.from.filter(|&start| start > from).map(moved),
            until: period.until.map(moved),
            anchor: moved(period.anchor),
            ..period.clone()
        });
        Self {
            first: self.at(from),
            changes: later.map(|&(at, most)| (moved(at), most)).collect(),
            drawn: drawn.collect(),
        }
    }
}

/// The time `secs` seconds after `at`, and at least a microsecond; `None` past the end of the clock.
fn after(at: Time, secs: f64) -> Option<Time> {
    let span = Span::from_secs_f64(secs)?.micros().max(1);
    at.micros().checked_add(span).map(Time::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_holds_from_each_point_on() {
        let at = Time::from_secs;
        let changes = vec![(at(10), Some(0)), (at(20), Some(5))];
        let path = CapacityPath::known(Some(3), changes);
        let seen = [0, 9, 10, 19, 20, 99].map(|secs| path.at(at(secs)));
        assert_eq!(seen, [3, 3, 0, 0, 5, 5].map(Some));
        assert_eq!((path.most(), path.moves()), (Some(5), true));
        let path = CapacityPath::known(Some(3), vec![(at(10), None)]);
        assert_eq!((path.at(at(9)), path.at(at(10)), path.most()), (Some(3), None, None));
        let path = CapacityPath::constant(None);
        assert_eq!((path.at(at(9)), path.most(), path.moves()), (None, None, false));
        assert_eq!(CapacityPath::constant(Some(7)).most(), Some(7));
    }

    #[test]
    fn another_clock_moves_changes_and_periods() {
        let at = Time::from_secs;
        let law = Arc::new(CapacityLaw::memoryless(6, 1.0, 60.0).expect("a law"));
        let drawn = |from: Option<i64>, until: Option<i64>, anchor| DrawnCapacity {
            from: from.map(at),
            until: until.map(at),
            anchor: at(anchor),
            key: [1, 0],
            law: Arc::clone(&law),
            moves_with: None,
        };
        let path = CapacityPath {
            first: None,
            changes: vec![(at(10), Some(2)), (at(90), Some(3))],
            drawn: vec![drawn(None, Some(10), 0), drawn(Some(20), None, 20)],
        };
        assert_eq!(path.most(), Some(6));
        let moved = path.starting_at(at(30));
        assert_eq!(moved.first, Some(2));
        assert_eq!(moved.changes, [(at(60), Some(3))]);
        assert_eq!(moved.drawn, [drawn(None, None, -10)]);
        assert_eq!(
            path.starting_at(at(5)).drawn,
            [drawn(None, Some(5), -5), drawn(Some(15), None, 15)]
        );
    }
}
