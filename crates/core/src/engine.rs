//! The event queue: what happens next, and in which order.
//!
//! Events come out by (time, class, order of scheduling), and by nothing else:
//! the order is total, so no result depends on how the queue is laid out in
//! memory. The queue knows nothing of what its events mean.
//!
//! Ordering keys live in a heap of 16-byte entries, events in a table of slots
//! beside it. A cancelled event leaves its heap entry behind, which is dropped
//! when it reaches the top or when such entries outnumber the live ones.

mod heap;

use std::num::NonZeroU64;

use prefetch_index::prefetch_index;

use crate::units::Time;
use heap::Heap;

/// An entry's low word, from the top: 3 bits of class, 36 of sequence, 25 of slot.
const SLOT_BITS: u32 = 25;
const SEQUENCE_BITS: u32 = 36;
const CLASS_SHIFT: u32 = SLOT_BITS + SEQUENCE_BITS;

/// Number of classes; every class is below it.
const CLASSES: u8 = 8;
/// Events pending at one time: 33,554,432.
const MAX_PENDING: u64 = 1 << SLOT_BITS;
/// Events scheduled in a queue's life: 68,719,476,734 (zero is no sequence,
/// and the last one is kept free so that no entry looks like a gap in the heap).
const MAX_SCHEDULED: u64 = (1 << SEQUENCE_BITS) - 2;

/// Marks a slot without an event; the low bits then name the next such slot.
/// No key has this bit, because a key has no class.
const FREE: u64 = 1 << 63;
/// Cancelled entries tolerated beyond the number of live ones.
const STALE_ALLOWANCE: usize = 64;

/// Name of one scheduled event for ever: a key whose event has happened or was cancelled never
/// names a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventKey(NonZeroU64);

impl EventKey {
    fn new(sequence: u64, slot: u64) -> Self {
        let key = NonZeroU64::new(sequence << SLOT_BITS | slot);
        Self(key.expect("sequences start at one"))
    }

    fn slot(self) -> usize {
        slot_of(self.0.get())
    }
}

/// The slot named in the low bits of a key, an entry or a free slot's link.
fn slot_of(word: u64) -> usize {
    (word & (MAX_PENDING - 1)) as usize
}

/// Place of an event: its key while it is pending, `FREE` and a link otherwise.
#[derive(Clone, Copy, Debug)]
struct EventSlot<E> {
    key: u64,
    event: E,
}

/// Heap entry of an event: time in the high half, class, sequence and slot in the low one.
fn entry(at: Time, class: u8, key: EventKey) -> u128 {
    let word = u64::from(class) << CLASS_SHIFT | key.0.get();
    u128::from(ordered(at)) << 64 | u128::from(word)
}

/// A time as an unsigned number in the same order, negative times below the middle.
fn ordered(at: Time) -> u64 {
    at.micros().cast_unsigned() ^ (1 << 63)
}

fn time_of(entry: u128) -> Time {
    Time::from_micros(((entry >> 64) as u64 ^ (1 << 63)).cast_signed())
}

fn class_of(entry: u128) -> u8 {
    (entry as u64 >> CLASS_SHIFT) as u8
}

/// The slot's key that makes this entry live.
fn key_of(entry: u128) -> u64 {
    entry as u64 & ((1 << CLASS_SHIFT) - 1)
}

/// Future events, the next one first.
///
/// Equal times come out by class, equal classes in the order they went in.
/// Scheduling and taking the next event cost O(log pending); cancelling costs
/// O(1) amortised; memory follows the largest number of events pending at once.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    heap: Heap,
    slots: Vec<EventSlot<E>>,
    /// The first free slot, or `MAX_PENDING` where all are taken.
    free: u64,
    live: usize,
    /// Entries in the heap whose event was cancelled; never the top one.
    stale: usize,
    scheduled: u64,
    now: Time,
}

impl<E: Copy> EventQueue<E> {
    /// An empty queue whose clock has not started.
    pub fn new() -> Self {
        Self {
            heap: Heap::new(),
            slots: Vec::new(),
            free: MAX_PENDING,
            live: 0,
            stale: 0,
            scheduled: 0,
            now: Time::from_micros(i64::MIN),
        }
    }

    /// Schedules `event` at `at`, among its equals in time by `class` (0 to 7,
    /// lowest first) and then after everything scheduled before it.
    ///
    /// # Panics
    /// If `at` is before the last event taken, if `class` is above 7, beyond 33,554,432 pending
    /// events, and beyond 68,719,476,734 scheduled ones.
    #[inline(always)]
    pub fn schedule(&mut self, at: Time, class: u8, event: E) -> EventKey {
        assert!(self.now <= at, "an event at {at:?} is before the clock, {:?}", self.now);
        assert!(class < CLASSES, "event class {class} is not below {CLASSES}");
        assert!(self.scheduled < MAX_SCHEDULED, "a run has more than {MAX_SCHEDULED} events");
        self.scheduled += 1;
        let key = self.occupy(self.scheduled, event);
        self.heap.push(entry(at, class, key));
        key
    }

    /// Removes a pending event; `false` where it has happened or was cancelled before.
    pub fn cancel(&mut self, key: EventKey) -> bool {
        let pending = self.slots.get(key.slot()).is_some_and(|slot| slot.key == key.0.get());
        if pending {
            self.release(key.slot());
            self.stale += 1;
            self.drop_stale_tops();
            if self.stale > self.live + STALE_ALLOWANCE {
                self.heap.retain(|entry| is_live(&self.slots, entry));
                self.stale = 0;
            }
        }
        pending
    }

    /// Takes the next event: its time, its class and itself.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<(Time, u8, E)> {
        let entry = self.heap.pop()?;
        let slot = slot_of(key_of(entry));
        let event = self.slots[slot].event;
        self.release(slot);
        self.now = time_of(entry);
        self.drop_stale_tops();
        Some((self.now, class_of(entry), event))
    }

    /// The time and class of the event that `pop` would take.
    pub fn peek(&self) -> Option<(Time, u8)> {
        self.heap.least().map(|entry| (time_of(entry), class_of(entry)))
    }

    /// The class of the event that `pop` would take, if that is at `at`.
    #[inline(always)]
    pub fn class_at(&self, at: Time) -> Option<u8> {
        let least = self.heap.least_or_nothing();
        // Compared by its time first: only an event at the end of the clock may be nothing.
        let is_now = (least >> 64) as u64 == ordered(at) && self.heap.least().is_some();
        is_now.then(|| class_of(least))
    }

    /// The event that `pop` would take.
    pub fn upcoming(&self) -> Option<E> {
        self.heap.least().map(|entry| self.slots[slot_of(key_of(entry))].event)
    }

    /// Fetches the events that may come next into the caches, as far as there are any.
    #[inline]
    pub fn prefetch(&self) {
        for entry in self.heap.first() {
            prefetch_index(&self.slots, slot_of(key_of(entry)));
        }
    }

    /// Number of pending events.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether no event is pending.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Heap entries and slots that memory is held for, whichever are more.
    pub fn capacity_entries(&self) -> usize {
        self.heap.capacity().max(self.slots.capacity())
    }

    /// Puts an event into the slot freed last, or into a new one.
    fn occupy(&mut self, sequence: u64, event: E) -> EventKey {
        self.live += 1;
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            let key = EventKey::new(sequence, self.free);
            self.free = slot.key & !FREE;
            *slot = EventSlot { key: key.0.get(), event };
            return key;
        }
        let slot = self.slots.len() as u64;
        assert!(slot < MAX_PENDING, "more than {MAX_PENDING} events are pending");
        let key = EventKey::new(sequence, slot);
        self.slots.push(EventSlot { key: key.0.get(), event });
        key
    }

    fn release(&mut self, slot: usize) {
        self.slots[slot].key = FREE | self.free;
        self.free = slot as u64;
        self.live -= 1;
    }

    /// Makes the heap's top a live event again, so that `peek` need not search.
    fn drop_stale_tops(&mut self) {
        while self.stale > 0 && self.heap.least().is_some_and(|top| !is_live(&self.slots, top)) {
            self.heap.pop();
            self.stale -= 1;
        }
    }
}

fn is_live<E>(slots: &[EventSlot<E>], entry: u128) -> bool {
    let key = key_of(entry);
    slots[slot_of(key)].key == key
}

impl<E: Copy> Default for EventQueue<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
