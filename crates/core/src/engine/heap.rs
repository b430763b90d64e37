//! A four-ary heap of 16-byte entries in which siblings share a cache line.
//!
//! The root is place 3, alone in line 0; the children of place `i` are the
//! four places of line `i - 2`. Places without an entry hold `NOTHING`, which
//! is above every entry, so a line is always compared whole.

/// Mark of an empty place, above every entry.
const NOTHING: u128 = u128::MAX;
/// The place of the least entry.
const ROOT: usize = 3;

/// Four siblings.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Siblings([u128; 4]);

const EMPTY: Siblings = Siblings([NOTHING; 4]);

impl Siblings {
    /// The least sibling and its place in the line. Compared one after the
    /// other, which at a million entries measured no slower than a tournament
    /// without branches (the difference was within the noise).
    fn least(&self) -> (usize, u128) {
        let [first, rest @ ..] = self.0;
        let mut least = (0, first);
        for (nth, entry) in (1..).zip(rest) {
            if entry < least.1 {
                least = (nth, entry);
            }
        }
        least
    }
}

/// Heap of entries, whose least can be seen and taken.
#[derive(Clone, Debug)]
pub(super) struct Heap {
    lines: Vec<Siblings>,
    /// One past the last place in use.
    end: usize,
    /// Whether the root was taken and its place not filled yet. A simulator
    /// mostly takes one event and schedules the next, and then one descent
    /// from the root does for both.
    vacant: bool,
    /// The least entry, which is looked at several times for each that is taken.
    least: u128,
}

impl Heap {
    pub(super) fn new() -> Self {
        Self { lines: vec![EMPTY], end: ROOT, vacant: false, least: NOTHING }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.end - ROOT - usize::from(self.vacant)
    }

    /// Places that memory is held for.
    pub(super) fn capacity(&self) -> usize {
        self.lines.capacity() * 4
    }

    /// The least entry.
    #[inline]
    pub(super) fn least(&self) -> Option<u128> {
        (!is_nothing(self.least)).then_some(self.least)
    }

    /// The least entry, or `NOTHING`.
    #[inline]
    pub(super) fn least_or_nothing(&self) -> u128 {
        self.least
    }

    /// The entries below the root, one of which is next if the root was taken; `NOTHING` where
    /// there are fewer.
    pub(super) fn first(&self) -> [u128; 4] {
        self.lines.get(1).unwrap_or(&EMPTY).0
    }

    /// Adds an entry, whose low word must be below `u64::MAX`.
    pub(super) fn push(&mut self, entry: u128) {
        self.least = self.least.min(entry);
        if self.vacant {
            self.vacant = false;
            self.sink(ROOT, entry);
            return;
        }
        let place = self.end;
        self.end += 1;
        if place / 4 == self.lines.len() {
            self.lines.push(EMPTY);
        }
        self.rise(place, entry);
    }

    /// Takes the least entry.
    pub(super) fn pop(&mut self) -> Option<u128> {
        self.fill_vacancy();
        let least = self.get(ROOT);
        if is_nothing(least) {
            return None;
        }
        self.set(ROOT, NOTHING);
        self.vacant = true;
        self.least = self.lines.get(1).map_or(NOTHING, |children| children.least().1);
        Some(least)
    }

    /// Keeps only the entries that `keep` accepts; O(entries).
    pub(super) fn retain(&mut self, keep: impl Fn(u128) -> bool) {
        self.fill_vacancy();
        let mut kept = ROOT;
        for place in ROOT..self.end {
            let entry = self.get(place);
            if keep(entry) {
                self.set(kept, entry);
                kept += 1;
            }
        }
        while self.end > kept {
            self.take_last();
        }
        if self.end > ROOT + 1 {
            for place in (ROOT..=parent(self.end - 1)).rev() {
                self.sink(place, self.get(place));
            }
        }
        self.least = self.get(ROOT);
    }

    /// Moves the last entry to the root where that was taken.
    fn fill_vacancy(&mut self) {
        if self.vacant {
            self.vacant = false;
            let last = self.take_last();
            if self.end > ROOT {
                self.sink(ROOT, last);
            }
        }
    }

    fn take_last(&mut self) -> u128 {
        self.end -= 1;
        let last = self.get(self.end);
        self.set(self.end, NOTHING);
        if self.end.is_multiple_of(4) {
            self.lines.pop();
        }
        last
    }

    /// Fills `place`, whose entry may be overwritten, so that everything from
    /// there down is in order.
    fn sink(&mut self, place: usize, entry: u128) {
        let mut hole = place;
        while let Some(children) = self.lines.get(hole - 2) {
            let (nth, least) = children.least();
            if entry < least {
                break;
            }
            self.set(hole, least);
            hole = (hole - 2) * 4 + nth;
        }
        self.set(hole, entry);
    }

    /// Puts `entry` into `place` or above it.
    fn rise(&mut self, mut place: usize, entry: u128) {
        while place > ROOT {
            let above = self.get(parent(place));
            if above < entry {
                break;
            }
            self.set(place, above);
            place = parent(place);
        }
        self.set(place, entry);
    }

    fn get(&self, place: usize) -> u128 {
        self.lines[place / 4].0[place % 4]
    }

    fn set(&mut self, place: usize, entry: u128) {
        self.lines[place / 4].0[place % 4] = entry;
    }
}

/// Whether a place is empty: no entry has that low word.
fn is_nothing(entry: u128) -> bool {
    entry as u64 == NOTHING as u64
}

fn parent(place: usize) -> usize {
    place / 4 + 2
}
