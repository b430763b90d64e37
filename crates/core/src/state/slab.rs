//! Slots that are used again, checked by generation: a handle to something
//! that is gone is a bug that is found, not another thing's data.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};
use std::slice;

use prefetch_index::prefetch_index;

/// Names one live value in a slab of `T`. No result depends on its number.
pub struct Handle<T> {
    slot: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Handle<T> {
    /// The slot, for tables kept beside the slab.
    pub const fn slot(self) -> usize {
        self.slot as usize
    }
}

impl<T> Default for Handle<T> {
    /// Names nothing: what is alive has an odd generation.
    fn default() -> Self {
        Self { slot: u32::MAX, generation: 0, of: PhantomData }
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Handle<T> {}
impl<T> PartialEq for Handle<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.slot, self.generation) == (other.slot, other.generation)
    }
}
impl<T> Eq for Handle<T> {}
impl<T> PartialOrd for Handle<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Handle<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.slot, self.generation).cmp(&(other.slot, other.generation))
    }
}
impl<T> Hash for Handle<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.slot, self.generation).hash(state);
    }
}
impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

/// Values in slots. A freed slot keeps its value's memory for the next one.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    rows: Vec<SlabRow<T>>,
    unused: Vec<u32>,
}

/// A value in as few cache lines as hold it: what ends has mostly been out of
/// the caches since it began.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
struct SlabRow<T> {
    value: T,
    /// Odd while the value is alive.
    generation: u32,
}

impl<T: Default> Slab<T> {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new(), unused: Vec::new() }
    }

    /// A slot, whose value is whatever was left there: the caller fills it.
    #[inline]
    pub(crate) fn claim(&mut self) -> (Handle<T>, &mut T) {
        let slot = self.unused.pop().unwrap_or_else(|| self.grow());
        let row = &mut self.rows[slot as usize];
        row.generation = row.generation.wrapping_add(1);
        (Handle { slot, generation: row.generation, of: PhantomData }, &mut row.value)
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        self.rows.push(SlabRow { value: T::default(), generation: 0 });
        u32::try_from(self.rows.len() - 1).expect("at most 4 billion things are alive")
    }

    /// Ends the value's life.
    #[inline]
    pub(crate) fn free(&mut self, handle: Handle<T>) {
        let generation = &mut self.rows[handle.slot()].generation;
        assert!(*generation == handle.generation, "a slot is freed once");
        *generation = generation.wrapping_add(1);
        self.unused.push(handle.slot);
    }

    /// The value, if it is still alive.
    #[inline]
    pub(crate) fn get(&self, handle: Handle<T>) -> Option<&T> {
        let row = &self.rows[handle.slot()];
        (row.generation == handle.generation).then_some(&row.value)
    }

    /// Whether the value is still alive.
    #[inline]
    pub(crate) fn contains(&self, handle: Handle<T>) -> bool {
        self.rows[handle.slot()].generation == handle.generation
    }

    /// The live value in `slot`.
    #[inline]
    pub(crate) fn handle(&self, slot: u32) -> Handle<T> {
        let generation = self.rows[slot as usize].generation;
        assert!(generation % 2 == 1, "slot {slot} is live");
        Handle { slot, generation, of: PhantomData }
    }

    /// All live values, in slot order, which no result may depend on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Handle<T>, &T)> {
        let live = self.rows.iter().enumerate().filter(|(_, row)| row.generation % 2 == 1);
        live.map(|(slot, row)| {
            let handle = Handle { slot: slot as u32, generation: row.generation, of: PhantomData };
            (handle, &row.value)
        })
    }

    /// Brings the value near, if there is one: its first and its last cache
    /// line, and that of `part`.
    #[inline]
    pub(crate) fn prefetch<P>(&self, handle: Handle<T>, part: impl FnOnce(&T) -> &P) {
        if let Some(row) = self.rows.get(handle.slot()) {
            prefetch_index(slice::from_ref(row), 0);
            prefetch_index(slice::from_ref(part(&row.value)), 0);
            prefetch_index(slice::from_ref(&row.generation), 0);
        }
    }

    /// Number of live values.
    pub(crate) fn len(&self) -> usize {
        self.rows.len() - self.unused.len()
    }
}

impl<T> Index<Handle<T>> for Slab<T> {
    type Output = T;
    #[inline(always)]
    fn index(&self, handle: Handle<T>) -> &T {
        let row = &self.rows[handle.slot as usize];
        assert!(row.generation == handle.generation, "a handle outlived what it names");
        &row.value
    }
}

impl<T> IndexMut<Handle<T>> for Slab<T> {
    #[inline(always)]
    fn index_mut(&mut self, handle: Handle<T>) -> &mut T {
        let row = &mut self.rows[handle.slot as usize];
        assert!(row.generation == handle.generation, "a handle outlived what it names");
        &mut row.value
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::from_ref;

    use super::*;
    use crate::state::{Allocation, LiveWork};

    /// Every completion reads both rows anew; what they take of the caches is
    /// what most of a large replay waits for.
    #[test]
    fn live_work_and_allocations_fill_whole_cache_lines() {
        assert_eq!(size_of::<SlabRow<Allocation>>(), 2 * 64);
        let row: SlabRow<LiveWork> = SlabRow { value: LiveWork::default(), generation: 0 };
        assert_eq!(size_of_val(&row), 3 * 64);
        // Fetched fields lie in each of the three.
        let line = |address: usize| (address - from_ref(&row).addr()) / 64;
        let ends = [from_ref(&row).addr(), from_ref(&row.generation).addr()];
        let part = from_ref(row.value.prefetched()).addr();
        assert_eq!([ends[0], part, ends[1]].map(line), [0, 1, 2]);
    }

    #[test]
    fn a_reused_slot_has_another_handle() {
        let mut slab: Slab<u32> = Slab::new();
        let (first, value) = slab.claim();
        *value = 7;
        slab.free(first);
        let (second, _) = slab.claim();
        assert_eq!(first.slot(), second.slot());
        assert!(first != second && !slab.contains(first) && slab.contains(second));
        assert_eq!(slab[second], 7, "memory is kept");
        assert_eq!(slab.len(), 1);
    }
}
