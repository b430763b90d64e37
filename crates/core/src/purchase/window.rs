//! Numbers of the last hours, and their order statistics.

use std::collections::{BTreeMap, VecDeque};

/// The numbers of a window that moves along. A number comes, and goes, in steps of the logarithm
/// of the window's length; the one of a rank is found in as many steps as its rank has moved.
#[derive(Debug)]
pub(super) struct RankWindow {
    length: u64,
    numbers: VecDeque<i128>,
    /// The largest, and all others.
    upper: NumberBag,
    lower: NumberBag,
}

impl RankWindow {
    /// A window over the last `length` numbers.
    pub(super) fn new(length: u64) -> Self {
        let (upper, lower) = Default::default();
        Self { length, numbers: VecDeque::new(), upper, lower }
    }

    /// Numbers in the window.
    pub(super) fn len(&self) -> u64 {
        self.numbers.len() as u64
    }

    /// Adds a number; the oldest goes where the window is full.
    pub(super) fn push(&mut self, number: i128) {
        if self.len() == self.length
            && let Some(oldest) = self.numbers.pop_front()
        {
            // Equal numbers may lie in both.
            _ = self.upper.remove(oldest) || self.lower.remove(oldest);
        }
        self.numbers.push_back(number);
        match self.upper.counts.first_key_value() {
            Some((least, _)) if number >= *least => self.upper.add(number),
            Some(_) | None => self.lower.add(number),
        }
    }

    /// The largest number that is left once the `most` largest are taken away: the least level that
    /// at most so many lie above, of those that are not below all numbers. `None` where nothing is
    /// left.
    pub(super) fn beyond(&mut self, most: u64) -> Option<i128> {
        while self.upper.len > most
            && let Some(least) = self.upper.counts.first_key_value().map(|(number, _)| *number)
        {
            self.upper.remove(least);
            self.lower.add(least);
        }
        while self.upper.len < most
            && let Some(largest) = self.lower.largest()
        {
            self.lower.remove(largest);
            self.upper.add(largest);
        }
        self.lower.largest()
    }
}

/// Numbers, any of them several times.
#[derive(Debug, Default)]
struct NumberBag {
    counts: BTreeMap<i128, u64>,
    len: u64,
}

impl NumberBag {
    fn add(&mut self, number: i128) {
        *self.counts.entry(number).or_default() += 1;
        self.len += 1;
    }

    /// Takes one away; whether there was one.
    fn remove(&mut self, number: i128) -> bool {
        let Some(count) = self.counts.get_mut(&number) else { return false };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&number);
        }
        self.len -= 1;
        true
    }

    fn largest(&self) -> Option<i128> {
        self.counts.last_key_value().map(|(number, _)| *number)
    }
}
