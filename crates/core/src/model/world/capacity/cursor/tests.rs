use std::sync::Arc;

use super::*;
use crate::model::{CapacityLaw, CapacityState, LevelLaw, StateLaw};
use crate::units::Distribution;

const fn at(secs: i64) -> Time {
    Time::from_secs(secs)
}

fn law(text: &str) -> Distribution {
    text.parse().expect(text)
}

fn state(lasts: &str, next: [f64; 3]) -> Option<StateLaw> {
    Some(StateLaw { lasts: law(lasts), next })
}

/// A path that is drawn since ever, and for ever.
fn drawn(law: CapacityLaw) -> CapacityPath {
    let (from, until, key) = (None, None, [7, 0]);
    let (law, moves_with) = (Arc::new(law), None);
    let period = DrawnCapacity { from, until, anchor: Time::ZERO, key, law, moves_with };
    CapacityPath { drawn: vec![period], ..CapacityPath::default() }
}

/// Capacities from each time on, up to `until` seconds.
fn seen(path: &CapacityPath, seed: u64, until: i64) -> Vec<(Time, u32)> {
    let mut cursor = CapacityCursor::new(path, seed, Time::ZERO);
    let mut seen = vec![(Time::ZERO, cursor.capacity(path).expect("it is limited"))];
    while let Some(next) = cursor.next_change(path).filter(|&next| next < at(until)) {
        cursor.advance(path);
        seen.push((next, cursor.capacity(path).expect("it is limited")));
    }
    seen
}

/// Seconds in each state, and the lengths of its spells that are seen whole.
fn spells(path: &CapacityPath, full: u32, seed: u64, until: i64) -> [Vec<f64>; 3] {
    let mut states: Vec<(Time, CapacityState)> = Vec::new();
    for (from, count) in seen(path, seed, until) {
        let state = CapacityState::of(count, full);
        if states.last().is_none_or(|&(_, last)| last != state) {
            states.push((from, state));
        }
    }
    let mut spells = [const { Vec::new() }; 3];
    for pair in states.windows(2).skip(1) {
        spells[pair[0].1 as usize].push((pair[1].0 - pair[0].0).secs_f64());
    }
    spells
}

/// Fixed times: 10 s none, 20 s some, 30 s all, round and round. The start lies anywhere in the round.
#[test]
fn fixed_times_go_round() {
    let states =
        [state("10", [0.0, 1.0, 0.0]), state("20", [0.0, 0.0, 1.0]), state("30", [1.0, 0.0, 0.0])];
    let level = LevelLaw { begins: law("3"), steps: None };
    let path = drawn(CapacityLaw::new(8, states, Some(level)).expect("a law"));
    let mut starts = [0; 3];
    for seed in 0..600 {
        let seen = seen(&path, seed, 200);
        let state = CapacityState::of(seen[0].1, 8);
        starts[state as usize] += 1;
        let counts: Vec<u32> = seen.iter().map(|&(_, count)| count).collect();
        let round = [0, 3, 8].repeat(6);
        assert_eq!(counts, round[state as usize..][..counts.len()]);
        for pair in seen[1..].windows(2) {
            let want = [(0, 10), (3, 20), (8, 30)].into_iter().find(|one| one.0 == pair[0].1);
            assert_eq!((pair[1].0 - pair[0].0).micros(), want.expect("one of three").1 * 1_000_000);
        }
        assert!(seen[1].0 <= at([10, 20, 30][state as usize]));
    }
    // 100, 200 and 300 of 600, within four standard deviations of a binomial.
    for (seen, want) in starts.into_iter().zip([100.0, 200.0, 300.0]) {
        let deviation: f64 = want * (1.0 - want / 600.0);
        assert!((f64::from(seen) - want).abs() < 4.0 * deviation.sqrt(), "{starts:?}");
    }
}

/// Share of time and mean duration of each state over a long path, by the closed form.
#[test]
fn shares_and_means_are_those_of_the_law() {
    let states = [
        state("lognormal(median=600, sigma=1)", [0.0, 3.0, 1.0]),
        state("weibull(shape=0.7, mean=1200)", [1.0, 0.0, 1.0]),
        state("gamma(shape=2, mean=3600)", [1.0, 2.0, 0.0]),
    ];
    let law = CapacityLaw::new(16, states.clone(), None).expect("a law");
    let path = drawn(law.clone());
    let spells = spells(&path, 16, 3, 60_000_000);
    let whole: f64 = spells.iter().flatten().sum();
    for (row, state) in states.into_iter().flatten().enumerate() {
        let count = spells[row].len() as f64;
        assert!(count > 5_000.0, "{count}");
        let (mean, variance) = (state.lasts.mean().unwrap(), state.lasts.variance().unwrap());
        let seen = spells[row].iter().sum::<f64>() / count;
        assert!((seen - mean).abs() < 4.0 * (variance / count).sqrt(), "{row}: {seen}, not {mean}");
        let share = spells[row].iter().sum::<f64>() / whole;
        assert!((share - law.shares()[row]).abs() < 0.02, "{row}: {share}, not {:?}", law.shares());
    }
}

/// A state that lasts by a Pareto law of shape 1.5 has spells beyond any exponential: of those longer
/// than 10 times the minimum, 10^-1.5 of all, as many are ten times longer again.
#[test]
fn tails_are_as_heavy_as_the_law() {
    let states = [
        state("60", [0.0, 0.0, 1.0]),
        None,
        state("pareto(shape=1.5, minimum=60)", [1.0, 0.0, 0.0]),
    ];
    let path = drawn(CapacityLaw::new(1, states, None).expect("a law"));
    let [_, _, up] = spells(&path, 1, 5, 40_000_000);
    let beyond = |secs: f64| up.iter().filter(|&&length| length > secs).count() as f64;
    let (all, ten, hundred) = (up.len() as f64, beyond(600.0), beyond(6_000.0));
    let share = 10_f64.powf(-1.5);
    assert!(all > 100_000.0, "{all}");
    assert!((ten / all - share).abs() < 4.0 * (share / all).sqrt(), "{}", ten / all);
    assert!((hundred / ten - share).abs() < 4.0 * (share / ten).sqrt(), "{}", hundred / ten);
}

/// The start is as an arbitrary moment finds it: the state at time zero, and one spell later, over
/// many seeds, has the shares of the long run, and so has the rest of the first spell its law.
#[test]
fn the_start_is_an_arbitrary_moment() {
    let states = [
        state("lognormal(median=600, sigma=1.5)", [0.0, 0.0, 1.0]),
        None,
        state("weibull(shape=0.6, mean=1800)", [1.0, 0.0, 0.0]),
    ];
    let law = CapacityLaw::new(1, states, None).expect("a law");
    let (path, want) = (drawn(law.clone()), law.shares()[2]);
    let seeds = 20_000;
    for secs in [0, 60, 1_000, 50_000] {
        let up = |&seed: &u64| {
            CapacityCursor::new(&path, seed, Time::ZERO).advance_to(&path, at(secs)) == Some(1)
        };
        let share = (0..seeds).filter(up).count() as f64 / seeds as f64;
        let error = (want * (1.0 - want) / seeds as f64).sqrt();
        assert!((share - want).abs() < 4.0 * error, "at {secs} s: {share}, not {want}");
    }
}

/// Levels walk by steps inside their bounds, and stop with their spell.
#[test]
fn levels_walk_inside_their_bounds() {
    let states = [state("1", [0.0, 1.0, 0.0]), state("100", [1.0, 0.0, 0.0]), None];
    let steps = Some((law("10"), law("empirical(values=[-1, 1])")));
    let level = LevelLaw { begins: law("uniform(low=0.5, high=3.5)"), steps };
    let path = drawn(CapacityLaw::new(4, states, Some(level)).expect("a law"));
    let seen = seen(&path, 1, 100_000);
    let mut found = [0; 5];
    for pair in seen.windows(2) {
        let (count, next) = (pair[0].1, pair[1].1);
        found[count as usize] += 1;
        assert!(count == 0 || next == 0 || count.abs_diff(next) <= 1, "{pair:?}");
    }
    assert_eq!((found[0] > 900, found[4]), (true, 0));
    assert!(found[1..4].iter().all(|&count| count > 1_000), "{found:?}");
}

/// How levels move changes nothing of the states.
#[test]
fn levels_draw_from_a_stream_of_their_own() {
    let path = |level: Option<LevelLaw>| {
        let states = [
            state("exponential(mean=600)", [0.0, 1.0, 1.0]),
            state("exponential(mean=600)", [1.0, 0.0, 1.0]),
            state("exponential(mean=600)", [1.0, 1.0, 0.0]),
        ];
        drawn(CapacityLaw::new(16, states, level).expect("a law"))
    };
    let steps = Some((law("exponential(mean=20)"), law("normal(mean=0, sd=3)")));
    let walks = LevelLaw { begins: law("2"), steps };
    assert_eq!(spells(&path(None), 16, 1, 200_000), spells(&path(Some(walks)), 16, 1, 200_000));
}

#[test]
fn seeds_and_keys_differ_and_looks_do_not() {
    let path = drawn(CapacityLaw::memoryless(4, 1.0, 1_800.0).expect("a law"));
    assert_eq!(seen(&path, 1, 500_000), seen(&path, 1, 500_000));
    assert_ne!(seen(&path, 1, 500_000), seen(&path, 2, 500_000));
    let mut other = path.clone();
    other.drawn[0].key = [8, 0];
    assert_ne!(seen(&path, 1, 500_000), seen(&other, 1, 500_000));
    // Looking more often changes nothing.
    let mut often = CapacityCursor::new(&path, 1, Time::ZERO);
    let mut rarely = CapacityCursor::new(&path, 1, Time::ZERO);
    for secs in (0..500_000).step_by(977) {
        often.advance_to(&path, at(secs));
    }
    assert_eq!(often.advance_to(&path, at(500_000)), rarely.advance_to(&path, at(500_000)));
    assert_eq!(often.next_change(&path), rarely.next_change(&path));
}

/// Known capacities hold outside of the periods, and a path goes on behind what hides it.
#[test]
fn periods_lie_between_changes_that_are_known() {
    let law = Arc::new(CapacityLaw::memoryless(4, 6.0, 600.0).expect("a law"));
    let whole = drawn((*law).clone());
    let period = |from: Option<i64>, until: Option<i64>| DrawnCapacity {
        from: from.map(at),
        until: until.map(at),
        anchor: Time::ZERO,
        key: [7, 0],
        law: Arc::clone(&law),
        moves_with: None,
    };
    let cut = CapacityPath {
        first: None,
        changes: vec![(at(5_000), Some(9)), (at(90_000), None)],
        drawn: vec![period(None, Some(5_000)), period(Some(7_000), Some(90_000))],
    };
    let mut cursor = CapacityCursor::new(&cut, 3, Time::ZERO);
    let mut free = CapacityCursor::new(&whole, 3, Time::ZERO);
    for secs in (0..100_000).step_by(500) {
        let drawn = free.advance_to(&whole, at(secs));
        let want = match secs {
            5_000..7_000 => Some(9),
            90_000.. => None,
            _ => drawn,
        };
        assert_eq!(cursor.advance_to(&cut, at(secs)), want, "at {secs} s");
    }
    assert_eq!(cursor.next_change(&cut), None);
    // On another clock the same weather comes.
    let moved = cut.starting_at(at(8_000));
    let mut moved_cursor = CapacityCursor::new(&moved, 3, Time::ZERO);
    let mut cursor = CapacityCursor::new(&cut, 3, Time::ZERO);
    for secs in (8_000..100_000).step_by(500) {
        let want = cursor.advance_to(&cut, at(secs));
        assert_eq!(moved_cursor.advance_to(&moved, at(secs - 8_000)), want, "at {secs} s");
    }
}
