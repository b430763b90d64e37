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
    assert_eq!([1, 2, 3].map(|time| queue.class_at(at(time))), [None, Some(3), None]);
    assert_eq!(queue.len(), 1);
    assert_eq!(queue.pop(), Some((at(2), 3, 'b')));
    assert!(!queue.cancel(second));
    assert_eq!((queue.pop(), queue.peek(), queue.len()), (None, None, 0));
    assert_eq!(queue.class_at(at(i64::MAX)), None);
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
