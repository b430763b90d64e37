//! Work poured like water: one machine with the capacity of all, that may give
//! any part of itself to any piece of work at any moment.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A piece of work on the one machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drop {
    /// Microseconds; pieces come in this order.
    pub(super) release: i64,
    /// Amount of the resource times microseconds, more than 0.
    pub(super) area: i128,
    /// Weight of its delay, 0 or more.
    pub(super) weight: f64,
}

/// Sums of weighted ends and middles, and the last end, of one pouring.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Poured {
    /// Sum over the pieces of weight times (end - release), in microseconds.
    pub(super) ends: f64,
    /// Sum over the pieces of weight times (mean moment of being worked on -
    /// release), in microseconds.
    pub(super) middles: f64,
    /// End of the last piece, in microseconds, rounded up.
    pub(super) last: i64,
}

/// Rule by which the next piece to work on is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstServed {
    /// The one with the least left, which makes the sum of ends least where all
    /// weights are the same (Schrage, Operations Research 16(3), 1968).
    LeastLeft,
    /// The one with the least area per weight, which makes the weighted sum of
    /// middles least (Goemans, SODA 1997).
    LeastPerWeight,
}

/// Key of the order by priority, then by row.
#[derive(Clone, Copy, Debug, PartialEq)]
struct PriorityKey(f64, i128, usize);

impl Eq for PriorityKey {}

impl Ord for PriorityKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1)).then(self.2.cmp(&other.2))
    }
}

impl PartialOrd for PriorityKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Pours the pieces, in order of release, through a machine of `capacity`,
/// more than 0. Time is counted in microseconds times the capacity, exactly.
pub(super) fn pour(drops: &[Drop], capacity: i128, first: FirstServed) -> Poured {
    let scaled = |micros: i64| i128::from(micros) * capacity;
    let key = |row: usize, left: i128| match first {
        FirstServed::LeastLeft => PriorityKey(0.0, left, row),
        FirstServed::LeastPerWeight => {
            PriorityKey(drops[row].area as f64 / drops[row].weight, 0, row)
        }
    };
    let mut left: Vec<i128> = drops.iter().map(|drop| drop.area).collect();
    let mut waiting = BinaryHeap::new();
    let (mut now, mut next) = (i128::MIN, 0);
    let mut poured = Poured::default();
    while next < drops.len() || !waiting.is_empty() {
        if waiting.is_empty() {
            now = now.max(scaled(drops[next].release));
        }
        while next < drops.len() && scaled(drops[next].release) <= now {
            waiting.push(Reverse(key(next, left[next])));
            next += 1;
        }
        let Some(Reverse(PriorityKey(_, _, row))) = waiting.pop() else { continue };
        let until_next = drops.get(next).map(|drop| scaled(drop.release) - now);
        let step = until_next.map_or(left[row], |until| until.min(left[row]));
        let since = now - scaled(drops[row].release);
        let (weight, area) = (drops[row].weight, drops[row].area as f64);
        let middle = (since as f64 + step as f64 / 2.0) / capacity as f64;
        poured.middles += weight * middle * (step as f64 / area);
        now += step;
        left[row] -= step;
        if left[row] == 0 {
            poured.ends += weight * ((since + step) as f64 / capacity as f64);
        } else {
            waiting.push(Reverse(key(row, left[row])));
        }
    }
    if !drops.is_empty() {
        poured.last = i64::try_from(-(-now).div_euclid(capacity)).unwrap_or(i64::MAX);
    }
    poured
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drops(rows: &[(i64, i128, f64)]) -> Vec<Drop> {
        rows.iter().map(|&(release, area, weight)| Drop { release, area, weight }).collect()
    }

    #[test]
    fn the_least_left_goes_first() {
        // Capacity 2: areas 8, 2, 2 take 4, 1, 1. 0-1 first, 1-2 second, 2-3
        // third, 3-6 first: ends 6, 2, 3 after releases 0, 1, 2.
        let three = drops(&[(0, 8, 1.0), (1, 2, 1.0), (2, 2, 1.0)]);
        let found = pour(&three, 2, FirstServed::LeastLeft);
        assert_eq!((found.ends, found.last), (6.0 + 1.0 + 1.0, 6));
        // Middles: (0.5 + 3 * 4.5) / 4 = 3.5, 0.5 and 0.5.
        assert_eq!(found.middles, 4.5);
    }

    #[test]
    fn the_least_per_weight_goes_first() {
        // The long one weighs 10: 0-4, then 4-5 and 5-6.
        let three = drops(&[(0, 8, 10.0), (1, 2, 1.0), (2, 2, 1.0)]);
        let found = pour(&three, 2, FirstServed::LeastPerWeight);
        assert_eq!((found.ends, found.middles), (40.0 + 4.0 + 4.0, 20.0 + 3.5 + 3.5));
        let gap = drops(&[(0, 2, 1.0), (10, 3, 1.0)]);
        let found = pour(&gap, 2, FirstServed::LeastPerWeight);
        assert_eq!((found.ends, found.last), (1.0 + 1.5, 12));
        assert_eq!(pour(&[], 2, FirstServed::LeastLeft), Poured::default());
    }
}
