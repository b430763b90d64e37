//! Comparisons of which the answer is known: better policies are found to be
//! better, and identical ones not to differ at all.

use std::path::Path;

use windtunnel::experiment::statistics::Verdict;
use windtunnel::experiment::{
    Arm, Asked, Chance, Comparison, Judging, NoCache, NoProgress, Runner, compare, decide, plan,
};
use windtunnel::metrics::METRICS;
use windtunnel::policy::external::NoLauncher;
use windtunnel::scenario::Scenario;

/// One core at a load of 0.8, and the policies that are held against `fcfs`.
fn queue(policies: &str) -> String {
    format!(
        "question = \"?\"\nbaseline = \"fcfs\"\n\
         [workload.synthetic]\ncount = 2000\narrivals = {{ per_hour = 48 }}\n\
         class.a = {{ runtime = \"exponential(mean=1 min)\", estimate = 1, vcpus = 1 }}\n\
         [cluster.c]\nnodes = 1\nshape = {{ vcpus = 1, memory = \"1 GiB\" }}\ncost = \"1 USD/h\"\n\
         [policy.fcfs]\npreset = \"batch-fcfs\"\n{policies}"
    )
}

fn scenario(text: &str) -> Scenario {
    let read = Scenario::parse(text, "a.toml", Path::new(env!("CARGO_MANIFEST_DIR")), &[]);
    read.unwrap_or_else(|problems| panic!("{problems:?}"))
}

const LAB: Runner<'static> =
    Runner { cache: &NoCache, watch: &NoProgress, audit: false, launcher: &NoLauncher };

fn sides(scenario: &Scenario) -> Vec<Arm<'_>> {
    let side = |policy| Arm { name: "p", scenario, policy };
    scenario.policies.iter().map(side).collect()
}

fn compared(scenario: &Scenario, replications: u32) -> Comparison {
    let sides = sides(scenario);
    let asked = Asked { replications: Some(replications), ..Asked::default() };
    let plan = plan(&LAB, &sides, asked).unwrap_or_else(|failure| panic!("{failure:?}"));
    let judging = Judging { confidence: 0.95, margin: None, precision: None };
    let compared = compare(&LAB, &sides, scenario.baseline, &plan, judging);
    compared.unwrap_or_else(|failure| panic!("{failure:?}")).0
}

#[track_caller]
fn check(comparison: &Comparison, row: usize, metric: &str, verdict: Verdict) {
    let contrast = comparison.contrast(row, metric).expect("the metric is there");
    assert_eq!(contrast.verdict, Some(verdict), "{metric}: {contrast:?}");
}

#[test]
fn identical_policies_do_not_differ_at_all() {
    let comparison = compared(&scenario(&queue("[policy.again]\nextends = \"fcfs\"\n")), 10);
    assert_eq!(comparison.chance, Chance::Workload);
    let contrasts = comparison.policies[1].contrasts.iter().flatten();
    assert!(contrasts.clone().count() > 10);
    for contrast in contrasts {
        assert_eq!(contrast.difference(), 0.0);
        let paired = contrast.paired.expect("there are ten replications");
        assert_eq!((paired.interval.low, paired.interval.high, paired.p), (0.0, 0.0, 1.0));
        assert!(contrast.verdict.is_none_or(|verdict| verdict == Verdict::NoDifferenceShown));
    }
    assert_eq!(comparison.policies[1].outcome_changes, Some(Vec::new()));
    assert_eq!(comparison.policies[1].waterfall, []);
}

#[test]
fn shortest_remaining_first_beats_first_come() {
    // Schrage 1968: no policy on one server has a shorter mean turnaround.
    let srpt = "[policy.srpt]\nextends = \"fcfs\"\norder = \"shortest\"\npreempt = \"srpt\"\n";
    let resumes = queue(srpt).replace("vcpus = 1 }}", "vcpus = 1, resume = true }}");
    let resumes = resumes.replace("vcpus = 1 }", "vcpus = 1, resume = true }");
    let comparison = compared(&scenario(&resumes), 10);
    check(&comparison, 1, "turnaround_mean", Verdict::Better);
    check(&comparison, 1, "slowdown_mean", Verdict::Better);
}

#[test]
fn backfilling_beats_first_come() {
    let easy = "[policy.easy]\nextends = \"fcfs\"\nbackfill = \"easy\"\n";
    let wide = queue(easy)
        .replace("vcpus = 1, memory = \"1 GiB\"", "vcpus = 16, memory = \"64 GiB\"")
        .replace("vcpus = 1 }", "vcpus = \"empirical(values=[1, 4, 16], weights=[6, 3, 1])\" }")
        .replace("per_hour = 48", "per_hour = 130");
    let comparison = compared(&scenario(&wide), 10);
    check(&comparison, 1, "wait_mean", Verdict::Better);
}

#[test]
fn parts_of_a_difference_in_cost_sum_to_it_exactly() {
    let text = include_str!("../../scenarios/quickstart.toml");
    let comparison = compared(&scenario(text), 4);
    let cost = |row: usize| -> i128 {
        comparison.policies[row].measurements.iter().map(|one| one.cost).sum()
    };
    for row in 0..comparison.policies.len() {
        let parts: i128 = comparison.policies[row].waterfall.iter().map(|step| step.nanos).sum();
        assert_eq!(parts, cost(row) - cost(comparison.baseline));
    }
    assert!(!comparison.policies[1].waterfall.is_empty());
}

#[test]
fn nothing_random_gives_no_intervals() {
    let fixed = queue("[policy.other]\npreset = \"batch-backfill\"\n")
        .replace("per_hour = 48", "every = \"1 min\"")
        .replace("exponential(mean=1 min)", "2 min");
    let comparison = compared(&scenario(&fixed), 10);
    assert_eq!((comparison.chance, comparison.replications), (Chance::None, 1));
    assert!(comparison.policies[1].contrasts.iter().flatten().all(|one| one.paired.is_none()));
}

#[test]
fn precision_stops_and_says_so() {
    let scenario = scenario(&queue("[policy.again]\npreset = \"batch-backfill\"\n"));
    let sides = sides(&scenario);
    let asked = Asked { replications: Some(40), ..Asked::default() };
    let plan = plan(&LAB, &sides, asked).expect("there is a plan");
    let run = |precision| {
        let judging = Judging { confidence: 0.95, margin: None, precision: Some(precision) };
        compare(&LAB, &sides, 0, &plan, judging).expect("it runs").0
    };
    // One core, jobs of one core: backfilling changes nothing, so ten are enough.
    let easy = run(0.01);
    assert_eq!((easy.precise, easy.replications), (Some(true), 10));
    let text = queue("[policy.srpt]\nextends = \"fcfs\"\norder = \"shortest\"\n");
    let scenario = self::scenario(&(text + "[objectives]\nwait_mean = \"<= 1 h\"\n"));
    let sides = self::sides(&scenario);
    let judging = Judging { confidence: 0.95, margin: None, precision: Some(0.000_01) };
    let hard = compare(&LAB, &sides, 0, &plan, judging).expect("it runs").0;
    assert_eq!((hard.precise, hard.replications), (Some(false), 40));
}

/// A policy alone is held to the intervals of its own metrics.
#[test]
fn precision_looks_at_a_policy_alone() {
    let run = |text: &str, precision| {
        let scenario = scenario(text);
        let sides = sides(&scenario);
        let asked = Asked { replications: Some(40), ..Asked::default() };
        let plan = plan(&LAB, &sides, asked).expect("there is a plan");
        let judging = Judging { confidence: 0.95, margin: None, precision: Some(precision) };
        compare(&LAB, &sides, 0, &plan, judging).expect("it runs").0
    };
    let promise = |text: &str| queue("") + "[objectives]\n" + text;
    let wait = run(&promise("wait_mean = \"<= 1 h\"\n"), 0.01);
    assert_eq!((wait.precise, wait.replications), (Some(false), 40));
    let metrics = |one: &Comparison| -> Vec<&str> {
        one.wide.iter().map(|wide| METRICS[wide.metric].key).collect()
    };
    assert_eq!(metrics(&wait), ["wait_mean"]);
    let widest = &wait.wide[0];
    assert!(widest.half_width > widest.wanted && !widest.is_hopeless(), "{widest:?}");
}

#[test]
fn the_answer_names_what_moves_it() {
    // Renting keeps waits short and breaks the budget: without that promise it is taken.
    let text = include_str!("../../scenarios/quickstart.toml");
    let scenario = scenario(&text.replace("cost_total = ", "# "));
    let sides = sides(&scenario);
    let comparison = compared(&scenario, 10);
    let decision = decide(&LAB, &sides, &comparison).expect("it runs");
    assert_ne!(decision.choice, comparison.baseline);
    let named: Vec<&str> =
        decision.sensitivity.influences.iter().map(|one| one.assumption.as_str()).collect();
    // Arrivals, runtimes, sizes, and the prices of five providers.
    assert_eq!(named.len(), 8, "{named:?}");
    let moved: Vec<f64> =
        decision.sensitivity.influences.iter().map(|one| one.moved().abs()).collect();
    assert!(moved.is_sorted_by(|a, b| a >= b), "{moved:?}");
    assert!(moved[0] > 0.0);
}
