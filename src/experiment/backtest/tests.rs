use std::path::Path;

use super::*;
use crate::metrics::METRICS;
use crate::policy::external::NoLauncher;
use crate::units::Money;

/// Submitted at this second; observed and simulated wait in seconds.
const FIVE: [(i64, i64, i64); 5] =
    [(0, 0, 0), (10, 100, 130), (20, 200, 200), (30, 300, 200), (40, 1_000, 1_500)];

/// Work of two cores that ran for 100 s.
fn pair((row, (arrival, observed, simulated)): (usize, (i64, i64, i64))) -> Pair {
    let (runtime, cpu) = (Span::from_secs(100), 2_000);
    Pair {
        id: WorkId { source: 0, ordinal: row as u64 },
        name: format!("job{row}"),
        tenant: row % 2,
        tasks: 2,
        arrival: Time::from_secs(arrival),
        observed: Some(WorkLife { wait: Span::from_secs(observed), runtime, cpu }),
        simulated: Some(WorkLife { wait: Span::from_secs(simulated), runtime, cpu }),
    }
}

fn five() -> Vec<Pair> {
    FIVE.into_iter().enumerate().map(pair).collect()
}

fn judge(pairs: Vec<Pair>, observed: &Observed) -> Backtest {
    let mut summary = Summary { instance_hours: 90.0, ..Summary::default() };
    summary.cost.total = Money::from_nanos(120_000_000_000);
    summary.cost.by_provider = vec![("c".to_owned(), summary.cost.total)];
    let tenants = vec!["default".to_owned(), "b".to_owned()];
    Backtest::judge(pairs, tenants, Some(4_000), (&summary, observed, None))
}

#[track_caller]
fn near(found: f64, want: f64) {
    assert!((found - want).abs() <= 1e-4 * want.abs().max(1.0), "{found}, not {want}");
}

/// Errors 0, 30, 0, -100 and 500 s; deviations of the waits from their means
/// 320 and 406 s give 963,400 over the root of 628,000 x 1,522,720. Of the
/// ranks of the simulated waits, the third and fourth share 3.5.
#[test]
fn errors_of_five_jobs() {
    let errors = judge(five(), &Observed::default()).waits.expect("five waits");
    assert_eq!(errors.compared, 5);
    near(errors.bias_s, 86.0);
    near(errors.mean_absolute_s, 126.0);
    near(errors.root_mean_square_s, 228.4294);
    near(errors.median_absolute_s, 30.0);
    near(errors.p95_absolute_s, 500.0);
    // 100 s is more than a minute and a tenth of 300 s, 500 s of 1,000 s.
    near(errors.within, 0.6);
    near(errors.too_long, 0.4);
    near(errors.too_short, 0.2);
    near(errors.correlation.expect("they vary"), 0.985_183);
    near(errors.rank_correlation.expect("they vary"), 9.5 / 95.0_f64.sqrt());
    // All of it happened on one day.
    assert_eq!(errors.bias_interval_s, None);
}

#[test]
fn figures_of_five_jobs() {
    let found = judge(five(), &Observed::default());
    let check = |metric: &str, observed: f64, simulated: f64| {
        let reading = found.readings.iter().find(|reading| reading.metric == metric);
        let reading = reading.unwrap_or_else(|| panic!("{metric} is shown"));
        near(reading.observed, observed);
        near(reading.simulated.expect("simulated"), simulated);
    };
    check("wait_mean", 320.0, 406.0);
    check("wait_p50", 200.0, 200.0);
    check("wait_p95", 1_000.0, 1_500.0);
    check("wait_max", 1_000.0, 1_500.0);
    check("turnaround_mean", 420.0, 506.0);
    check("slowdown_mean", 21.0 / 5.0, 25.3 / 5.0);
    check("core_hours", 1_000.0 / 3_600.0, 1_000.0 / 3_600.0);
    // Runs last from 0 s to 40 + 1,000 + 100 s, and to 40 + 1,500 + 100 s, on four cores.
    check("makespan", 1_140.0, 1_640.0);
    check("utilisation_cpu", 1_000.0 / (4.0 * 1_140.0), 1_000.0 / (4.0 * 1_640.0));
    check("queue_length_mean", 1_600.0 / 1_140.0, 2_030.0 / 1_640.0);
    check("queue_length_max", 4.0, 4.0);
    assert_eq!(found.likeness, Likeness::Rough);
    let groups: Vec<_> = found.groups.iter().map(|one| (one.by, one.name.as_str())).collect();
    let want =
        [("cores", "2 to 4"), ("runtime", "up to 10 min"), ("tenant", "default"), ("tenant", "b")];
    assert_eq!(groups, want);
    near(found.groups[3].errors.bias_s, -35.0);
    // The areas under both queues are the sums of the waits.
    let course = found.course(7).expect("there is work");
    for (side, want) in course.queue.iter().zip([1_600.0, 2_030.0]) {
        near(side.iter().sum::<f64>() * course.step.secs_f64(), want);
    }
    for side in &course.cores {
        near(side.iter().sum::<f64>() * course.step.secs_f64(), 1_000.0);
    }
}

#[test]
fn what_is_known_of_one_side_only_is_left_out_and_counted() {
    let mut pairs = five();
    pairs[4].observed = None;
    pairs[3].simulated = None;
    let found = judge(pairs, &Observed::default());
    assert_eq!((found.unobserved, found.not_started), (1, 1));
    let errors = found.waits.expect("three waits");
    assert_eq!((errors.compared, errors.bias_s), (3, 10.0));
    let nothing = judge(Vec::new(), &Observed::default());
    assert!(nothing.waits.is_none() && nothing.readings.is_empty() && nothing.course(5).is_none());
}

#[test]
fn figures_of_the_scenario_are_held_against_the_run() {
    let observed = Observed {
        figures: vec![("instance_hours", 100.0), ("cost_usd", 100.0), ("utilisation_gpu", 0.5)],
        provider_cost: vec![("c".to_owned(), Money::from_nanos(240_000_000_000))],
        bill: None,
    };
    let found = judge(Vec::new(), &observed);
    let all: Vec<_> = found
        .readings
        .iter()
        .map(|reading| (reading.metric.as_str(), reading.relative()))
        .collect();
    let want = [
        ("instance_hours", Some(-0.1)),
        ("cost_total", Some(0.2)),
        ("utilisation_gpu", None),
        ("cost of c", Some(-0.5)),
    ];
    assert_eq!(all, want);
    // A figure that the run does not show at all is not like what was observed.
    assert_eq!(found.likeness, Likeness::Poor);
}

#[test]
fn every_given_figure_has_a_value_of_a_run() {
    for key in Observed::KEYS {
        let known = ["core_hours", "gpu_hours", "cost_usd"].contains(&key);
        assert!(known || METRICS.iter().any(|metric| metric.key == key), "{key}");
    }
}

#[test]
fn likeness_has_bounds() {
    let like = |simulated: [i64; 5]| {
        let rows = FIVE.into_iter().zip(simulated).map(|(row, wait)| (row.0, row.1, wait));
        judge(rows.enumerate().map(pair).collect(), &Observed::default()).likeness
    };
    assert_eq!(like([0, 100, 200, 300, 1_000]), Likeness::Exact);
    assert_eq!(like([0, 100, 200, 300, 1_010]), Likeness::Close);
    // Four of five waits are the same, but the longest makes the mean too long.
    assert_eq!(like([0, 100, 200, 300, 1_400]), Likeness::Rough);
    // The waits are all there, in the wrong order.
    assert_eq!(like([1_000, 300, 200, 100, 0]), Likeness::Poor);
}

#[test]
fn weeks_give_an_interval() {
    let week = 7 * 86_400;
    let rows = (0..10_i64).map(|row| (row * week, 600, 600 + if row % 2 == 0 { 60 } else { 120 }));
    let errors = errors(matched(&rows.enumerate().map(pair).collect::<Vec<_>>()));
    let errors = errors.expect("ten waits");
    let [low, high] = errors.bias_interval_s.expect("ten weeks");
    near(errors.bias_s, 90.0);
    assert!(60.0 < low && low < 90.0 && 90.0 < high && high < 120.0, "{low} to {high}");
}

fn shipped(edits: &[(&str, &str)]) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/backtest.toml");
    let edits: Vec<_> = edits.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    Scenario::load(&path, &edits).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn run(scenario: &Scenario, policy: &str) -> Result<Backtest, RunFailure> {
    let policy = scenario.policies.iter().find(|one| one.name == policy).expect("it is there");
    let settings = Settings { audit: true, ..Settings::seeded(1) };
    let done =
        backtest(scenario, (policy, &NoLauncher), settings, &mut |_| ControlFlow::Continue(()));
    done.map(|(_, judged)| judged)
}

/// The shipped trace was made by a run under EASY.
#[test]
fn the_policy_that_made_a_trace_explains_it_and_others_do_not() {
    let scenario = shipped(&[]);
    let easy = run(&scenario, "easy").expect("it runs");
    assert_eq!(easy.likeness, Likeness::Exact);
    assert_eq!((easy.pairs.len(), easy.unobserved, easy.not_started), (900, 0, 0));
    assert!(easy.matched().all(|one| one.simulated.wait == one.observed.wait));
    let waits = easy.waits.expect("observed");
    assert_eq!((waits.mean_absolute_s, waits.within, waits.bias_s), (0.0, 1.0, 0.0));
    let fcfs = run(&scenario, "fcfs").expect("it runs");
    assert_eq!(fcfs.likeness, Likeness::Poor);
    assert!(fcfs.waits.expect("observed").bias_s > 3_600.0);
    let rebuilt = run(&shipped(&[("cluster.batch.nodes", "63")]), "easy").expect("it runs");
    assert!(rebuilt.likeness != Likeness::Exact);
}

#[test]
fn work_that_was_not_observed_is_refused() {
    let refused = |scenario: &Scenario, policy: &str| match run(scenario, policy) {
        Err(RunFailure::Input(problems)) => problems[0].to_string(),
        other => panic!("{other:?}"),
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/batch-cluster.toml");
    let silent = Scenario::load(&path, &[]).expect("it can be read");
    let problem = refused(&silent, "fcfs");
    assert!(problem.contains("none of its 1500 rows has a wait"), "{problem}");
    let problem = refused(&shipped(&[("workload.scale", "2")]), "easy");
    assert!(problem.contains("Arrival times are multiplied by 0.5"), "{problem}");
}

#[test]
fn a_calibration_knows_what_it_was_made_of() {
    let scenario = shipped(&[]);
    let judged = run(&scenario, "easy").expect("it runs");
    let made_of = |scenario: &Scenario, trace: &str| {
        MadeOf::of(scenario, &scenario.policies[scenario.baseline], trace)
    };
    let policy = &scenario.policies[scenario.baseline];
    let kept = Calibration::of(&judged, policy, 1, made_of(&scenario, "a"));
    let text = serde_json::to_string(&kept).expect("it can be written");
    assert_eq!(serde_json::from_str::<Calibration>(&text).expect("it is read"), kept);
    assert_eq!(kept.changed(&made_of(&shipped(&[]), "a")), [""; 0]);
    assert_eq!(kept.changed(&made_of(&scenario, "b")), ["the workload"]);
    let edited = shipped(&[("cluster.batch.nodes", "63"), ("workload.estimates", "runtime")]);
    assert_eq!(kept.changed(&made_of(&edited, "a")), ["the workload", "what it runs on"]);
    let other = MadeOf::of(&scenario, &scenario.policies[1], "a");
    assert_eq!(kept.changed(&other), ["the policy"]);
    let older = MadeOf { version: "0".to_owned(), ..made_of(&edited, "b") };
    assert_eq!(kept.changed(&older), ["the version of windtunnel"]);
}
