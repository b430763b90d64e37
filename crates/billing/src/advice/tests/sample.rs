//! Hours of the window, and samples of them.

use super::*;

fn long(window: usize, horizon: usize, replications: usize) -> Case {
    let mut case = Case::new(vec![machine("m", 1_000)], [replications, window], horizon);
    let mut draw = Stream::new(3, "sample");
    for replication in 0..replications {
        for hour in 0..window {
            let machines = 10 + draw.below(5) + if hour % 24 < 12 { 8 } else { 0 };
            case.uses([replication, hour], 0, i128::from(machines) * HOUR, 1_000);
        }
    }
    case.reserve(horizon as i64, "m", 1_000, 600);
    case.plan(horizon as i64, 100, &[(Matching::default(), PlanPrice::Share(700_000))]);
    case
}

#[test]
fn each_hour_of_the_horizon_is_one_of_the_window() {
    let futures = long(168, 5_000, 1).futures();
    for [from, until] in [[0, 100], [100, 300], [160, 170], [0, 168], [0, 336], [83, 4_999]] {
        let mut found = vec![0; 168];
        let era = super::super::futures::Era { from, until, factor: 1.0 };
        for (hours, times) in futures.visits(era) {
            hours.for_each(|hour| found[hour] += times);
        }
        let mut wanted = vec![0; 168];
        (from..until).for_each(|hour| wanted[hour % 168] += 1);
        assert_eq!(found, wanted, "{from} {until}");
    }
}

#[test]
fn samples_stand_for_all_hours() {
    assert_eq!(long(168, 5_000, 1).futures().sampled().step, 1);
    let case = long(8_760, 8_760, 10);
    let (futures, sample) = (case.futures(), case.futures().sampled());
    assert_eq!(sample.step, 11);
    let [all, some] = [futures, sample].map(|of| of.tally(0, &[12, 40]));
    assert!((some.demand / all.demand - 1.0).abs() < 0.01, "{some:?} {all:?}");
    assert!((some.left / all.left - 1.0).abs() < 0.05, "{some:?} {all:?}");
}

/// The end of a search that begins on a sample: on all hours no other number of units saves more.
#[test]
fn searches_end_on_all_hours() {
    let case = long(8_760, 8_760, 10);
    let advice = case.advice();
    assert!(advice.is_settled);
    let futures = case.futures();
    let held: Vec<u64> = advice.cheapest.holdings.iter().map(|held| held.units).collect();
    let mean = |units: &[u64]| {
        let bought: f64 = (0..2).map(|row| futures.bought(row, units[row])).sum();
        let net = |row| {
            let tally = futures.tally(row, units);
            tally.demand - tally.left - bought
        };
        (0..10).map(net).sum::<f64>() / 10.0
    };
    assert!((mean(&held) - advice.cheapest.saving.mean).abs() < 1e-6);
    for row in 0..2 {
        for units in [held[row].saturating_sub(1), held[row] + 1] {
            let mut other = held.clone();
            other[row] = units;
            assert!(mean(&other) <= mean(&held) + 1e-6, "{other:?} beats {held:?}");
        }
    }
}
