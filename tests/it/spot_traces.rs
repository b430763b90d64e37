//! Weather that was seen: GCP's H100 machines in October 2025 by number, and the same by state.

use std::path::{Path, PathBuf};

use windtunnel::model::{CapacityCursor, CapacityPath, CapacityState, DrawnCapacity};
use windtunnel::units::{Span, Time};
use windtunnel::weather::{Polarity, Weather, ZoneFit, ZoneWeather, phi, read_counts, read_states};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/spot").join(name)
}

/// Percent of the probes in which at least 1, 8 and 16 of 16 machines started.
const STARTED: [(&str, [f64; 3]); 13] = [
    ("asia-south2-b", [100.0, 99.9, 99.5]),
    ("asia-southeast1-b", [78.3, 77.7, 71.2]),
    ("asia-southeast1-c", [54.7, 54.2, 49.3]),
    ("europe-west1-c", [87.9, 42.7, 0.8]),
    ("europe-west3-c", [47.6, 0.0, 0.0]),
    ("us-central1-a", [98.3, 93.3, 85.6]),
    ("us-central1-b", [92.5, 58.7, 21.9]),
    ("us-central1-c", [93.5, 80.2, 64.6]),
    ("us-east4-a", [86.2, 76.7, 58.5]),
    ("us-east4-b", [87.1, 60.5, 27.6]),
    ("us-east5-a", [88.3, 56.1, 31.6]),
    ("us-west1-a", [58.6, 53.8, 47.0]),
    ("us-west1-b", [24.2, 16.9, 8.9]),
];

/// Medians, means and 90th percentiles of the periods in which all 16 started, in hours.
const RUNS: [(&str, [f64; 3]); 3] = [
    ("europe-west1-c", [0.17, 0.44, 1.7]),
    ("us-central1-a", [0.67, 1.9, 5.5]),
    ("us-east5-a", [0.33, 0.67, 1.5]),
];

fn percent(weather: &Weather, zone: &ZoneWeather, least: u32) -> f64 {
    weather.share(zone, least) * 100.0
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn shares_at_three_thresholds_are_those_counted_elsewhere() {
    let path = file("gcp_h100x16_13zones_2025-10.csv.gz");
    let weather = read_counts(&path, "counts").expect("the counts can be read");
    assert_eq!(weather.watched.len(), 2, "one gap");
    assert_eq!(weather.watched_for(), Span::from_secs(2_104 * 600));
    assert_eq!(weather.zones.len(), STARTED.len());
    for (name, want) in STARTED {
        let zone = weather.zone(name).expect("the file has it");
        let got = [1, 8, 16].map(|least| percent(&weather, zone, least));
        let near = got.iter().zip(want).all(|(got, want)| (got - want).abs() < 0.051);
        assert!(near, "{name}: {got:?}, not {want:?}");
    }
    let means = [1, 8, 16].map(|least| {
        weather.zones.iter().map(|zone| percent(&weather, zone, least)).sum::<f64>() / 13.0
    });
    let near = means.iter().zip([76.7, 59.3, 43.6]).all(|(got, want)| (got - want).abs() < 0.051);
    assert!(near, "{means:?}");
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn runs_end_where_nobody_looked() {
    let path = file("gcp_h100x16_13zones_2025-10.csv.gz");
    let weather = read_counts(&path, "counts").expect("the counts can be read");
    // It was there in all probes but one, the 1,835th in time.
    let nearly = weather.zone("asia-south2-b").expect("the file has it");
    let probes: Vec<i64> =
        weather.runs(nearly, 1).iter().map(|run| run.micros() / 600_000_000).collect();
    assert_eq!(probes, [746, 1_834 - 756, 279]);
    for (name, want) in RUNS {
        let zone = weather.zone(name).expect("the file has it");
        let mut runs = weather.runs(zone, 16);
        runs.sort_unstable();
        let hours = |run: &Span| run.secs_f64() / 3_600.0;
        let mean = runs.iter().map(hours).sum::<f64>() / runs.len() as f64;
        let got = [hours(&runs[runs.len() / 2]), mean, hours(&runs[runs.len() * 9 / 10])];
        let near = got.iter().zip(want).all(|(got, want)| (got - want).abs() < 0.051);
        assert!(near, "{name}: {got:?}, not {want:?}");
    }
}

/// SkyNomad's states are the counts at the threshold of one, with the gap filled; but from 116 h on
/// until the gap, at 124 h 20 min, they call five zones preempted at times when machines started.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn states_are_counts_at_a_threshold() {
    let counts = read_counts(&file("gcp_h100x16_13zones_2025-10.csv.gz"), "counts").expect("read");
    let path = file("skynomad_h100_traces.json.gz");
    let states = read_states(&path, "states", Polarity::OneIsPreempted).expect("read");
    assert_eq!(states.zones.len(), 13);
    assert_eq!(states.watched_for(), Span::from_secs(2_114 * 600));
    assert!(states.zones.iter().all(|zone| zone.prices.is_some()));
    let (mut looks, mut unlike) = (0, 0);
    for zone in &states.zones {
        let counted = counts.zone(&zone.name).expect("both have it");
        for &(from, to) in &counts.watched {
            for tick in from.micros() / 600_000_000..to.micros() / 600_000_000 {
                let time = Time::from_secs(600 * tick);
                let (state, count) = (zone.at(time) > 0, counted.at(time) > 0);
                looks += 1;
                if state != count {
                    assert!((696..746).contains(&tick), "{} at {tick}", zone.name);
                    unlike += 1;
                }
            }
        }
    }
    assert_eq!((looks, unlike), (13 * 2_104, 170));
    let known = counts.share(counts.zone("us-west1-b").expect("it has it"), 1);
    assert!(states.confirm("states", "us-west1-b", 1.0 - known).is_err());
    let refused = read_states(&path, "states", Polarity::OneIsAvailable).expect_err("the opposite");
    assert!(refused.message.contains("1 = preempted"), "{refused}");
}

/// Each zone as a law: what it comes to over a long time has the shares of time that the law says, and
/// the law those that were seen, as far as two weeks of heavy tails tell them.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn laws_fitted_to_the_counts_come_to_what_they_say() {
    let path = file("gcp_h100x16_13zones_2025-10.csv.gz");
    let weather = read_counts(&path, "counts").expect("the counts can be read");
    let (mut laws, mut off) = (0, 0.0);
    for zone in &weather.zones {
        let fit = ZoneFit::new(&weather, zone, 16);
        let Ok(law) = fit.law() else { panic!("{}: {:?}", zone.name, fit.law()) };
        laws += 1;
        let (from, until, key, shares) = (None, None, [laws, 0], law.shares());
        let (law, moves_with) = (law.into(), None);
        let drawn = DrawnCapacity { from, until, anchor: Time::ZERO, key, law, moves_with };
        let path = CapacityPath { drawn: vec![drawn], ..CapacityPath::default() };
        let mut cursor = CapacityCursor::new(&path, 1, Time::ZERO);
        let (mut seen, mut at) = ([0.0; 3], Time::ZERO);
        let end = Time::from_secs(86_400 * 4_000);
        while at < end {
            let next = cursor.next_change(&path).map_or(end, |next| next.min(end));
            let count = cursor.capacity(&path).expect("it is limited");
            seen[CapacityState::of(count, 16) as usize] += (next - at).secs_f64();
            at = next;
            cursor.advance(&path);
        }
        for (row, share) in shares.into_iter().enumerate() {
            let drawn = seen[row] / (86_400.0 * 4_000.0);
            assert!((drawn - share).abs() < 0.04, "{} {row}: {drawn}, not {share}", zone.name);
            let known = fit.states[row].as_ref().map_or(0.0, |state| state.share);
            off += (share - known).abs() / 39.0;
        }
    }
    assert_eq!(laws, 13);
    assert!(off < 0.1, "{off}");
    let zone = |name: &str| weather.zone(name).expect("the file has it");
    let singapore = phi(&weather, zone("asia-southeast1-b"), zone("asia-southeast1-c"));
    assert!((singapore.expect("both change") + 0.42).abs() < 0.005, "{singapore:?}");
}
