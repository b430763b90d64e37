//! Alerts by hand: their beginnings and ends to the microsecond.

use super::*;
use crate::model::{Ask, World};
use crate::state::testing::{Plan, start, submit, world};
use crate::state::{LaunchRefusal, Needs};
use crate::units::Id;

fn rule(signal: Signal, threshold: f64) -> AlertRule {
    let (lasting, over) = (Span::ZERO, Vec::new());
    AlertRule { name: String::new(), signal, above: true, threshold, lasting, over }
}

fn secs(all: &[i64]) -> Vec<Span> {
    all.iter().map(|&secs| Span::from_secs(secs)).collect()
}

/// A piece of work that waits from one second to another; the run ends at `end`.
fn waits(world: &World, rule: AlertRule, work: &[(i64, i64)], end: i64) -> Vec<Alert> {
    let mut state = start(world, Needs::default());
    let mut alerts = Alerts::new(&[rule], None);
    let mut times: Vec<i64> = work.iter().flat_map(|&(from, until)| [from, until]).collect();
    times.retain(|&time| time < end);
    times.push(end);
    times.sort_unstable();
    times.dedup();
    let mut alive = Vec::new();
    for time in times {
        alerts.elapse(&state, state.now(), Time::from_secs(time));
        state.set_now(Time::from_secs(time));
        for (row, &(from, until)) in work.iter().enumerate() {
            if from == time {
                let reference = submit(&mut state, row as u64, Ask::default());
                alerts.record(&state, &Record::Submitted(reference));
                alive.push((until, reference));
            }
        }
        for &(_, reference) in alive.iter().filter(|&&(until, _)| until == time) {
            state.forget(reference);
        }
    }
    alerts.ends(&state);
    alerts.into_log().0
}

fn told(alerts: &[Alert]) -> Vec<(f64, f64, f64, bool)> {
    let one =
        |alert: &Alert| (alert.from.secs_f64(), alert.until.secs_f64(), alert.worst, alert.over);
    alerts.iter().map(one).collect()
}

#[test]
fn a_level_must_be_beyond_for_long_enough() {
    let world = world(&[Plan::default()]);
    let many = AlertRule { lasting: Span::from_secs(10), ..rule(Signal::Waiting, 1.0) };
    // Two wait from 5 to 30 s, from 40 to 50 s and from 60 s on.
    let work = [(0, 30), (5, 50), (40, 99), (60, 99)];
    let found = waits(&world, many.clone(), &work, 75);
    assert_eq!(told(&found), [(15.0, 30.0, 2.0, true), (70.0, 75.0, 2.0, false)]);
    let few = AlertRule { above: false, lasting: Span::ZERO, ..many };
    let found = waits(&world, AlertRule { threshold: 2.0, ..few }, &work, 75);
    assert_eq!(
        told(&found),
        [(0.0, 5.0, 1.0, true), (30.0, 40.0, 1.0, true), (50.0, 60.0, 1.0, true)]
    );
}

#[test]
fn the_oldest_wait_grows_with_the_clock() {
    let world = world(&[Plan::default()]);
    let rule = rule(Signal::OldestWait, 10.0);
    // The first waits 20 s; when it goes, the second has waited for 16 s, and then 5 s more.
    let found = waits(&world, rule.clone(), &[(0, 20), (4, 25), (24, 40)], 50);
    assert_eq!(told(&found), [(10.0, 25.0, 21.0, true), (34.0, 40.0, 16.0, true)]);
    // Whoever waits less than the threshold never counts, however many there are.
    let short: Vec<(i64, i64)> = (0..500).map(|at| (at, at + 9)).collect();
    assert_eq!(waits(&world, rule, &short, 600), []);
}

#[test]
fn means_over_windows_cross_between_changes() {
    let world = world(&[Plan::default()]);
    let rule = AlertRule { over: secs(&[10]), ..rule(Signal::Waiting, 0.5) };
    // None for 10 s, then one for 10 s: half of the window at 15 s and at 25 s.
    let found = waits(&world, rule.clone(), &[(10, 20)], 60);
    assert_eq!(told(&found), [(15.0, 25.0, 1.0, true)]);
    // Of 4 s half is covered from 12 to 22 s; both are from 15 to 22 s.
    let both = AlertRule { over: secs(&[10, 4]), ..rule.clone() };
    assert_eq!(told(&waits(&world, both, &[(10, 20)], 60)), [(15.0, 22.0, 1.0, true)]);
    // At the start of the run a window is as long as the run is old.
    assert_eq!(told(&waits(&world, rule, &[(0, 3)], 60)), [(0.0, 6.0, 1.0, true)]);
}

#[test]
fn what_is_counted_leaves_the_window_again() {
    let world = world(&[Plan::default()]);
    let rule = AlertRule { over: secs(&[60]), ..rule(Signal::RefusedLaunches, 1.0) };
    let mut state = start(&world, Needs::default());
    let mut alerts = Alerts::new(&[rule], None);
    for time in [7, 37, 50, 200] {
        alerts.elapse(&state, state.now(), Time::from_secs(time));
        state.set_now(Time::from_secs(time));
        let why = LaunchRefusal::Capacity;
        alerts.record(&state, &Record::LaunchRefused { offer: Id::new(0), why });
    }
    alerts.ends(&state);
    let (found, counts) = alerts.into_log();
    // Two from 37 s, three from 50 s, two from 67 s and one from 97 s.
    assert_eq!(told(&found), [(37.0, 97.0, 3.0, true)]);
    assert_eq!(counts, [AlertCount { alerts: 1, time: Span::from_secs(60) }]);
}
