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

/// Classes are below this.
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

/// Names one scheduled event, of which it stays the name for ever: a key whose
/// event has happened or was cancelled never names a later one.
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

/// Where an event waits: its key while it is pending, `FREE` and a link otherwise.
#[derive(Clone, Copy, Debug)]
struct Slot<E> {
    key: u64,
    event: E,
}

/// What the heap orders: time in the high half, class, sequence and slot in the low one.
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
    slots: Vec<Slot<E>>,
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
    /// Where `at` is before the last event taken, where `class` is above 7,
    /// beyond 33,554,432 pending events, and beyond 68,719,476,734 scheduled ones.
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

    /// The event that `pop` would take.
    pub fn upcoming(&self) -> Option<E> {
        self.heap.least().map(|entry| self.slots[slot_of(key_of(entry))].event)
    }

    /// Brings the events near that may come next. What is not there is not fetched.
    #[inline]
    pub fn prefetch(&self) {
        for entry in self.heap.first() {
            prefetch_index(&self.slots, slot_of(key_of(entry)));
        }
    }

    /// Events pending.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether nothing is pending.
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
            *slot = Slot { key: key.0.get(), event };
            return key;
        }
        let slot = self.slots.len() as u64;
        assert!(slot < MAX_PENDING, "more than {MAX_PENDING} events are pending");
        let key = EventKey::new(sequence, slot);
        self.slots.push(Slot { key: key.0.get(), event });
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

fn is_live<E>(slots: &[Slot<E>], entry: u128) -> bool {
    let key = key_of(entry);
    slots[slot_of(key)].key == key
}

impl<E: Copy> Default for EventQueue<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn at(micros: i64) -> Time {
        Time::from_micros(micros)
    }

    fn drain(queue: &mut EventQueue<usize>) -> Vec<(Time, u8, usize)> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    /// Schedules in the order given and compares with a stable sort.
    fn assert_stable(events: &[(i64, u8)]) {
        let mut queue = EventQueue::new();
        let mut expected = Vec::new();
        for (index, &(micros, class)) in events.iter().enumerate() {
            queue.schedule(at(micros), class, index);
            expected.push((at(micros), class, index));
        }
        expected.sort_by_key(|&(time, class, _)| (time, class));
        assert_eq!(drain(&mut queue), expected, "scheduled as {events:?}");
    }

    #[test]
    fn every_arrangement_of_ties_comes_out_stable() {
        // Every sequence of up to six events over two times and two classes:
        // 4 + 16 + ... + 4096 arrangements, all permutations among them.
        const KINDS: [(i64, u8); 4] = [(-1, 0), (-1, 7), (0, 0), (0, 7)];
        for count in 1..=6 {
            for code in 0..4_usize.pow(count) {
                let events: Vec<_> =
                    (0..count).map(|place| KINDS[code / 4_usize.pow(place) % 4]).collect();
                assert_stable(&events);
            }
        }
    }

    #[test]
    fn every_arrangement_of_three_times_and_classes_comes_out_stable() {
        // Every sequence of four events over nine (time, class) pairs: 6561.
        for code in 0..9_usize.pow(4) {
            let kind = |place| code / 9_usize.pow(place) % 9;
            let events: Vec<_> =
                (0..4).map(|place| (kind(place) as i64 / 3, (kind(place) % 3) as u8)).collect();
            assert_stable(&events);
        }
    }

    #[test]
    fn the_whole_clock_is_in_order() {
        assert_stable(&[(i64::MAX, 7), (0, 0), (i64::MIN, 7), (-1, 3), (i64::MIN, 0), (1, 0)]);
    }

    #[test]
    fn a_key_is_good_for_one_cancellation() {
        let mut queue = EventQueue::new();
        let first = queue.schedule(at(1), 0, 'a');
        let second = queue.schedule(at(2), 3, 'b');
        assert!(queue.cancel(first));
        assert!(!queue.cancel(first));
        assert_eq!(queue.peek(), Some((at(2), 3)));
        assert_eq!(queue.len(), 1);
        assert_eq!(queue.pop(), Some((at(2), 3, 'b')));
        assert!(!queue.cancel(second));
        assert_eq!((queue.pop(), queue.peek(), queue.len()), (None, None, 0));
    }

    #[test]
    fn a_slot_used_again_answers_to_its_new_key_only() {
        let mut queue = EventQueue::new();
        let cancelled = queue.schedule(at(5), 0, 'a');
        queue.schedule(at(1), 0, 'x');
        assert!(queue.cancel(cancelled));
        let popped = queue.schedule(at(5), 0, 'b');
        assert_eq!(popped.slot(), cancelled.slot());
        assert!(!queue.cancel(cancelled));
        assert_eq!(queue.pop(), Some((at(1), 0, 'x')));
        assert_eq!(queue.pop(), Some((at(5), 0, 'b')));
        let last = queue.schedule(at(5), 0, 'c');
        assert_eq!(last.slot(), popped.slot());
        assert!(!queue.cancel(popped));
        assert!(queue.cancel(last));
        assert!(queue.is_empty());
    }

    #[test]
    fn a_key_of_a_larger_queue_names_nothing() {
        let mut large = EventQueue::new();
        large.schedule(at(0), 0, ());
        let key = large.schedule(at(0), 0, ());
        assert!(!EventQueue::<()>::new().cancel(key));
    }

    #[test]
    fn memory_follows_what_is_pending() {
        // Never more than 100 pending, so never more than 100 + 100 + 64 + 1
        // entries, which a doubling vector holds in 512.
        let mut queue = EventQueue::new();
        let mut keys = std::collections::VecDeque::new();
        for step in 0..1_000_000_i64 {
            keys.push_back(queue.schedule(at(1_000_000 - step % 1_000), 0, step));
            if keys.len() == 100 {
                assert!(queue.cancel(keys.pop_front().expect("100 keys are held")));
            }
        }
        assert_eq!(queue.len(), 99);
        assert!(queue.capacity_entries() <= 512, "{} entries", queue.capacity_entries());
        let left: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|(_, _, step)| step).collect();
        assert_eq!(left, (999_901..1_000_000).rev().collect::<Vec<_>>());
    }

    #[test]
    #[should_panic(expected = "before the clock")]
    fn the_past_cannot_be_scheduled() {
        let mut queue = EventQueue::new();
        queue.schedule(at(10), 0, ());
        queue.pop();
        queue.schedule(at(9), 0, ());
    }

    #[test]
    #[should_panic(expected = "event class 8 is not below 8")]
    fn there_are_eight_classes() {
        EventQueue::new().schedule(at(0), 8, ());
    }

    #[test]
    fn the_instant_being_handled_can_be_scheduled() {
        let mut queue = EventQueue::new();
        queue.schedule(at(10), 5, 'a');
        queue.pop();
        queue.schedule(at(10), 5, 'b');
        queue.schedule(at(10), 0, 'c');
        assert_eq!(queue.pop(), Some((at(10), 0, 'c')));
        assert_eq!(queue.pop(), Some((at(10), 5, 'b')));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Schedule { after: i64, class: u8 },
        Cancel { nth: usize },
        Pop,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0_i64..6, 0_u8..8).prop_map(|(after, class)| Step::Schedule { after, class }),
            4 => (0_i64..1 << 40, 0_u8..8).prop_map(|(after, class)| Step::Schedule { after, class }),
            5 => any::<usize>().prop_map(|nth| Step::Cancel { nth }),
            2 => Just(Step::Pop),
        ];
        prop::collection::vec(step, 0..600)
    }

    proptest! {
        #[test]
        fn behaves_like_a_sorted_map(start in -1_000_i64..1_000, steps in steps()) {
            let mut queue = EventQueue::new();
            let mut model = BTreeMap::new();
            let mut keys = Vec::new();
            let mut now = start;
            for step in steps {
                match step {
                    Step::Schedule { after, class } => {
                        let order = (at(now + after), class, keys.len());
                        keys.push((queue.schedule(order.0, class, keys.len()), order));
                        model.insert(order, ());
                    }
                    Step::Cancel { nth } if !keys.is_empty() => {
                        let (key, order) = keys[nth % keys.len()];
                        prop_assert_eq!(queue.cancel(key), model.remove(&order).is_some());
                    }
                    Step::Cancel { .. } => {}
                    Step::Pop => {
                        let next = model.pop_first().map(|(order, ())| order);
                        prop_assert_eq!(queue.pop(), next);
                        now = next.map_or(now, |(time, _, _)| time.micros());
                    }
                }
                let next = model.first_key_value().map(|(&(time, class, _), ())| (time, class));
                prop_assert_eq!(queue.peek(), next);
                prop_assert_eq!(queue.len(), model.len());
                prop_assert!(queue.heap.len() <= 2 * model.len() + STALE_ALLOWANCE);
            }
            let rest: Vec<_> = model.into_keys().collect();
            prop_assert_eq!(drain(&mut queue), rest);
        }
    }
}
