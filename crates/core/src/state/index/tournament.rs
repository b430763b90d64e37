//! Instances by age: a tournament tree. Instances come in the order of their
//! age, so each gets the next leaf, and a place above the leaves knows the most
//! that is free below it. Nothing is ever moved but when the leaves run out.

use super::{Most, Needed};

/// A place of the tree that has no leaf.
const NOWHERE: u32 = u32::MAX;

/// Place `i` is above `2 i` and `2 i + 1`, place 1 above all; the leaves are
/// the last half of the places. A place without an instance has nothing free, and no kind.
#[derive(Clone, Debug)]
pub(super) struct Tournament {
    most: Vec<Most>,
    /// Union of kinds below a place.
    kinds: Vec<u64>,
    /// Order and slot of the instance at a leaf, for as many as were ever used.
    leaves: Vec<(u64, u32)>,
    /// Place of the instance in a slot.
    places: Vec<u32>,
    len: usize,
}

impl Tournament {
    pub(super) fn new() -> Self {
        Self {
            most: vec![Most::NOTHING; 2],
            kinds: vec![0; 2],
            leaves: Vec::new(),
            places: Vec::new(),
            len: 0,
        }
    }

    /// The most that is free of all instances, resource by resource.
    pub(super) fn most(&self) -> Most {
        self.most[1]
    }

    /// Leaves that there is room for.
    fn width(&self) -> usize {
        self.most.len() / 2
    }

    /// Adds an instance, which is younger than all others or was here before.
    pub(super) fn insert(&mut self, order: u64, slot: u32, most: Most, kinds: u64) {
        let at = match self.leaves.last() {
            Some(&(last, _)) if order <= last => self.at(order),
            _ => self.leaves.len(),
        };
        let known = self.leaves.get(at).is_some_and(|leaf| leaf.0 == order);
        if !known && (at < self.leaves.len() || at == self.width()) {
            self.pack((order, slot, most, kinds));
            return;
        }
        if known {
            self.leaves[at].1 = slot;
        } else {
            self.leaves.push((order, slot));
        }
        let place = self.width() + at;
        if self.places.len() <= slot as usize {
            self.places.resize(slot as usize + 1, NOWHERE);
        }
        self.places[slot as usize] = place as u32;
        self.len += 1;
        self.set_kinds(place, kinds);
        self.set(place, most);
    }

    /// The first leaf at or after `order`.
    fn at(&self, order: u64) -> usize {
        self.leaves.partition_point(|leaf| leaf.0 < order)
    }

    /// Removes the instance in `slot`; its leaf stays empty.
    pub(super) fn remove(&mut self, slot: u32) {
        let place = std::mem::replace(&mut self.places[slot as usize], NOWHERE) as usize;
        self.len -= 1;
        self.set_kinds(place, 0);
        self.set(place, Most::NOTHING);
    }

    /// Changes what is free of the instance in `slot`.
    #[inline(always)]
    pub(super) fn update(&mut self, slot: u32, most: Most) {
        self.set(self.places[slot as usize] as usize, most);
    }

    #[inline(always)]
    fn set(&mut self, mut place: usize, most: Most) {
        self.most[place] = most;
        while place > 1 {
            place /= 2;
            let new = self.most[2 * place].max(self.most[2 * place + 1]);
            if self.most[place].is(new) {
                break;
            }
            self.most[place] = new;
        }
    }

    fn set_kinds(&mut self, mut place: usize, kinds: u64) {
        self.kinds[place] = kinds;
        while place > 1 {
            place /= 2;
            self.kinds[place] = self.kinds[2 * place] | self.kinds[2 * place + 1];
        }
    }

    /// Packs the instances and one more, with at least as many leaves to spare.
    #[cold]
    fn pack(&mut self, more: (u64, u32, Most, u64)) {
        let mut rows: Vec<(u64, u32, Most, u64)> = self
            .leaves
            .iter()
            .zip(self.width()..)
            .filter(|&(&(_, slot), place)| self.places[slot as usize] as usize == place)
            .map(|(&(order, slot), place)| (order, slot, self.most[place], self.kinds[place]))
            .chain([more])
            .collect();
        rows.sort_unstable_by_key(|row| row.0);
        let width = (2 * rows.len()).next_power_of_two();
        (self.most, self.kinds) = (vec![Most::NOTHING; 2 * width], vec![0; 2 * width]);
        self.leaves.clear();
        self.places.fill(NOWHERE);
        self.len = 0;
        for (order, slot, most, kinds) in rows {
            self.insert(order, slot, most, kinds);
        }
    }

    /// See [`super::FreeIndex::first`].
    #[inline(always)]
    pub(super) fn first(
        &self,
        needed: &Needed,
        mut accept: impl FnMut(u32) -> bool,
    ) -> Option<(u64, u32)> {
        let mut place = match needed.from {
            0 => 1,
            from => {
                let at = self.at(from);
                if at == self.leaves.len() {
                    return None;
                }
                self.width() + at
            }
        };
        // An empty leaf has no room, but for what asks nothing; and no kind.
        let any_kind = needed.kinds == u64::MAX && needed.least != Most::NOTHING;
        loop {
            let fits = self.most[place].may_fit(needed)
                && (any_kind || self.kinds[place] & needed.kinds != 0);
            if fits && place < self.width() {
                place *= 2;
                continue;
            }
            if fits
                && let (order, slot) = self.leaves[place - self.width()]
                && accept(slot)
            {
                return Some((order, slot));
            }
            // Up from every right child, then to the sibling on the right.
            place >>= place.trailing_ones();
            if place == 0 {
                return None;
            }
            place += 1;
        }
    }
}
