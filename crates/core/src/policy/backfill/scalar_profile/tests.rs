use super::super::step_function::{StepFunction, change, period};
use super::*;
use crate::units::{Span, Stream};

fn at(micros: u64) -> Time {
    Time::from_micros(micros as i64)
}

/// The slow way: one pass over the periods.
fn earliest_by_trying(
    steps: &[(Time, u64)],
    needed: u64,
    until: impl Fn(Time) -> Time,
) -> Option<Time> {
    let mut start = None;
    for &(from, free) in steps {
        if start.is_some_and(|start| until(start) <= from) {
            break;
        }
        start = if free < needed { None } else { start.or(Some(from)) };
    }
    start
}

#[test]
fn a_tree_answers_like_a_list() {
    let mut stream = Stream::new(1, "profile");
    let mut found = [0, 0];
    for round in 0..500 {
        let (now, free) = (at(stream.below(5)), stream.below(20));
        let mut profile = ScalarProfile::default();
        profile.restart(now, free);
        let mut steps: StepFunction<u64> = vec![(now, free)];
        let mut taken = Vec::new();
        for _ in 0..stream.below(80) {
            let from = now.saturating_add(Span::from_micros(stream.below(60) as i64));
            let length = match stream.below(12) {
                0 => Span::MAX,
                1 => Span::ZERO,
                _ => Span::from_micros(stream.below(30) as i64),
            };
            let until = from.saturating_add(length);
            let least = period(&steps, from, until).map(|step| step.1).min();
            assert_eq!(Some(profile.least(from, until)), least, "{round}: {steps:?}");
            let needed = stream.below(20);
            let end = |start: Time| start.saturating_add(length);
            if profile.classes == 0 || stream.below(10) == 0 {
                profile.index();
            }
            let earliest = profile.earliest(needed, length, now, Time::MAX);
            assert_eq!(earliest, earliest_by_trying(&steps, needed, end), "{round}: {steps:?}");
            let before = at(stream.below(90));
            let cut = |start: Time| end(start).min(before);
            let sooner = profile.earliest(needed, length, now, before);
            let tried = earliest_by_trying(&steps, needed, cut);
            assert_eq!(sooner, tried.filter(|&at| at < before), "{round}: {steps:?}");
            found[usize::from(earliest.is_some())] += 1;
            match stream.below(4) {
                0 => {
                    profile.free_from(from, needed);
                    change(&mut steps, from, Time::MAX, |free| *free += needed);
                }
                1 if !taken.is_empty() => {
                    let row = stream.below(taken.len() as u64) as usize;
                    let (tasks, from, until) = taken.swap_remove(row);
                    profile.give(tasks, from, until);
                    change(&mut steps, from, until, |free| *free += tasks);
                }
                _ => {
                    let tasks = needed.min(least.unwrap_or(0));
                    profile.take(tasks, from, until);
                    change(&mut steps, from, until, |free| *free -= tasks);
                    taken.push((tasks, from, until));
                }
            }
        }
    }
    assert!(found.iter().all(|&often| often > 1_000), "{found:?}");
}
