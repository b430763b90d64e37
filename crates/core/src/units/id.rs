//! Ids that index tables: a region's id cannot be used to look up an offer.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};

/// A row number in a `Table<T>`, below 2^32 - 1. An id that may be missing takes no more room.
pub struct Id<T> {
    /// One more than the row number.
    next: NonZeroU32,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// The id of row `row`.
    pub const fn new(row: u32) -> Self {
        Self { next: NonZeroU32::MIN.saturating_add(row), of: PhantomData }
    }

    /// The row number.
    pub const fn row(self) -> usize {
        self.raw() as usize
    }

    /// The row number as it is stored.
    pub const fn raw(self) -> u32 {
        self.next.get() - 1
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.next == other.next
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.next.cmp(&other.next)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.next.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.raw())
    }
}

/// A vector that only its own id type can index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdVec<T> {
    rows: Vec<T>,
}

impl<T> Default for IdVec<T> {
    fn default() -> Self {
        Self { rows: Vec::new() }
    }
}

impl<T> IdVec<T> {
    /// Adds a row and returns its id.
    pub fn push(&mut self, row: T) -> Id<T> {
        let id = u32::try_from(self.rows.len()).expect("a table holds at most 4 billion rows");
        self.rows.push(row);
        Id::new(id)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, in order of their ids.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// All rows, to be changed.
    pub fn rows_mut(&mut self) -> &mut [T] {
        &mut self.rows
    }

    /// The rows with their ids, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Id<T>, &T)> + Clone {
        self.rows.iter().enumerate().map(|(row, value)| (Id::new(row as u32), value))
    }

    /// The ids, in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = Id<T>> + use<T> {
        (0..self.rows.len() as u32).map(Id::new)
    }

    /// The first row that `found` accepts.
    pub fn find(&self, found: impl Fn(&T) -> bool) -> Option<Id<T>> {
        self.rows.iter().position(found).map(|row| Id::new(row as u32))
    }
}

impl<T> Index<Id<T>> for IdVec<T> {
    type Output = T;
    fn index(&self, id: Id<T>) -> &T {
        &self.rows[id.row()]
    }
}

impl<T> IndexMut<Id<T>> for IdVec<T> {
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        &mut self.rows[id.row()]
    }
}
