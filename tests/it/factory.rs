//! Policies that are Rust types, in everything that is done with policies.

use std::path::Path;
use std::sync::Mutex;

use windtunnel::experiment::check::{hold, new_baselines};
use windtunnel::experiment::search::{Keeping, Task, Variable, search};
use windtunnel::experiment::sweep::{self, Axis, Design, SweepPlan};
use windtunnel::experiment::{
    Asked, ComparedArms, Judging, Measurement, Repetition, RunCache, RunRequest, Runner,
    ScoredPolicy, Settings, lint, share_suite, survey,
};
use windtunnel::metrics::METRICS;
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, order};
use windtunnel::report::{
    CheckReport, ComparisonResults, ExplainCsv, ResultFolder, ScoreReport, TextCells,
};
use windtunnel::scenario::{Scenario, Suite, quickstart};
use windtunnel::units::Span;

const SEEDS: Repetition = Repetition::Seeds { warm_up: Span::ZERO };

/// A day of the built-in scenario, with a Rust type for each of its policies that does the same.
fn doubled() -> Scenario {
    let day = [("workload.synthetic.span".to_owned(), "1 d".to_owned())];
    let read = Scenario::parse(quickstart(), "quickstart.toml", Path::new(""), &day);
    let mut scenario = read.unwrap_or_else(|problems| panic!("{problems:?}"));
    for spec in scenario.policies.clone() {
        let name = format!("my-{}", spec.name);
        scenario.add_policy(&name, "1", move || policy::build(&spec));
    }
    scenario
}

/// A policy, and the Rust type that does the same.
fn pair(scenario: &Scenario, row: usize) -> (&PolicySpec, &PolicySpec) {
    let yours = scenario.policies.len() / 2 + row;
    (&scenario.policies[row], &scenario.policies[yours])
}

/// Every policy under two seeds.
fn requests(scenario: &Scenario) -> Vec<RunRequest<'_>> {
    let request =
        |policy, replication| RunRequest { scenario, policy, repetition: SEEDS, replication };
    scenario.policies.iter().flat_map(|policy| [0, 1].map(|seed| request(policy, seed))).collect()
}

fn measured(runner: &Runner<'_>, requests: &[RunRequest<'_>], threads: usize) -> Vec<Measurement> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let measured = pool.install(|| runner.measure(requests));
    measured.unwrap_or_else(|failure| panic!("{failure:?}"))
}

#[test]
fn a_rust_type_does_what_a_built_in_policy_does() {
    let scenario = doubled();
    let requests = requests(&scenario);
    let runner = Runner { audit: true, ..Runner::default() };
    let all = measured(&runner, &requests, 1);
    let text = |all: &[Measurement]| serde_json::to_string(all).expect("they are data");
    assert_eq!(text(&all), text(&measured(&runner, &requests, 2)));
    let (ours, yours) = all.split_at(all.len() / 2);
    assert!(ours.iter().any(|one| one.fingerprint != ours[0].fingerprint));
    for (ours, yours) in ours.iter().zip(yours) {
        // Facts for cautions tell what a built-in policy can rent, which of others nobody knows.
        assert_eq!(*ours, Measurement { facts: ours.facts.clone(), ..yours.clone() });
    }
}

/// Knows the runs that it has seen.
#[derive(Default)]
struct Memory(Mutex<Vec<(String, Measurement)>>);

impl RunCache for Memory {
    fn recall(&self, key: &str) -> Option<Measurement> {
        let known = self.0.lock().expect("nobody panics");
        known.iter().find(|(other, _)| other == key).map(|(_, run)| run.clone())
    }

    fn keep(&self, key: &str, run: &Measurement) -> std::io::Result<()> {
        self.0.lock().expect("nobody panics").push((key.to_owned(), run.clone()));
        Ok(())
    }
}

#[test]
fn another_version_is_run_again() {
    let memory = Memory::default();
    let runner = Runner { cache: &memory, ..Runner::default() };
    let mut scenario = doubled();
    let base = scenario.policies[scenario.baseline].clone();
    let mut runs_of = |version: &str| {
        let base = base.clone();
        let row = scenario.add_policy("mine", version, move || policy::build(&base));
        let (policy, repetition) = (&scenario.policies[row], SEEDS);
        let request = RunRequest { scenario: &scenario, policy, repetition, replication: 0 };
        measured(&runner, &[request], 1);
        memory.0.lock().expect("nobody panics").len()
    };
    assert_eq!(["1", "1", "2", "1"].map(&mut runs_of), [1, 1, 2, 2]);
}

/// Nothing is said of parts that do not decide: neither of a Rust type nor of another program.
#[test]
fn nobody_knows_what_others_rent() {
    let text = "question = \"?\"\n[workload.synthetic]\ncount = 3\narrivals = { per_hour = 6 }\n\
        class.a = { runtime = \"1 h\", vcpus = 8 }\n\
        [cluster.c]\nnodes = 1\nshape = { vcpus = 4, memory = \"8 GiB\" }\n\
        [cloud.aws]\nregions = [\"us-east-1\"]\n[policy.p]\nexternal = [\"nobody\"]\n";
    let mut scenario = Scenario::parse(text, "a.toml", Path::new(""), &[]).expect("it is right");
    let warnings = |scenario: &Scenario| -> Vec<String> {
        let found = survey(scenario, &mut |_| std::ops::ControlFlow::Continue(()));
        let found = found.expect("the work can be read");
        lint(scenario, Some(&found)).into_iter().map(|warning| warning.message).collect()
    };
    let idle = ["no work can be placed on c: it is there for nothing"];
    let rented = "discounts for commitments".to_owned();
    assert_eq!(warnings(&scenario), idle);
    assert!(scenario.unmodelled(&[0]).contains(&rented));
    scenario.add_policy("p", "1", || unreachable!("nothing runs"));
    assert_eq!(warnings(&scenario), idle);
    assert!(scenario.unmodelled(&[0]).contains(&rented));
    let owned = text.replace("external = [\"nobody\"]", "order = \"shortest\"");
    let owned = Scenario::parse(&owned, "a.toml", Path::new(""), &[]).expect("it is right");
    assert!(warnings(&owned).iter().any(|told| told.contains("fit nowhere")));
    assert!(!owned.unmodelled(&[0]).contains(&rented));
}

/// A folder for one test, removed in the end.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room")
}

/// Results of Rust types have all that those of others have, and are the same bytes on any number
/// of threads.
#[test]
fn a_comparison_is_written_with_rust_types_in_it() {
    let base = folder();
    let write = |threads: usize| {
        let target = base.path().join(threads.to_string());
        let mut scenario = doubled();
        let asked = Asked { replications: Some(2), ..Asked::default() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let compared = pool.install(|| {
            ComparedArms::of(&Runner::default(), &mut scenario, asked, Judging::default())
        });
        let compared = compared.unwrap_or_else(|failure| panic!("{failure:?}"));
        let results = ComparisonResults::of(compared).expect("no file is read");
        let folder = ResultFolder::create(&target).expect("there is room");
        let manifest = results.write(&folder).expect("there is room");
        folder.finish(manifest).expect("there is room");
        target
    };
    let [one, two] = [1, 2].map(write);
    let manifest = std::fs::read_to_string(one.join("manifest.json")).expect("it is there");
    assert_eq!(manifest, std::fs::read_to_string(two.join("manifest.json")).expect("it is there"));
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("it is JSON");
    let rust = &manifest["recipe"]["rust_policies"];
    assert_eq!(rust.as_object().map(serde_json::Map::len), Some(doubled().policies.len() / 2));
    for file in ["compare.html", "compare.json", "decision.md", "policies/my-burst/summary.json"] {
        assert!(manifest["files"][file].is_string(), "{file}: {manifest}");
        assert!(one.join(file).is_file(), "{file}");
    }
    let decision = std::fs::read_to_string(one.join("decision.md")).expect("it is there");
    assert!(decision.contains("is decided by a Rust type, version 1"), "{decision}");
    let left: Vec<_> = std::fs::read_dir(base.path()).expect("it is there").collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(ResultFolder::create(&one).is_err(), "nothing is replaced");
}

/// A suite of one scenario, with a Rust type that does as its baseline does, or takes the
/// largest first.
fn suite(folder: &Path, version: &str, largest: bool) -> Suite {
    let text = "question = \"?\"\n[workload.synthetic]\ncount = 200\narrivals = { per_hour = 60 }\n\
        class.a = { runtime = \"exponential(mean=1 h)\", vcpus = \"uniform(low=1, high=8)\" }\n\
        [cluster.c]\nnodes = 4\nshape = { vcpus = 16, memory = \"64 GiB\" }\ncost = \"1 USD/h\"\n\
        [policy.p]\npreset = \"batch-fcfs\"\n";
    std::fs::write(folder.join("s.toml"), text).expect("there is room");
    let gates = "[gates]\nevents = \"exact\"\nwait_mean = \"+1 %\"\n[scenario.s]\n";
    std::fs::write(folder.join("suite.toml"), gates).expect("there is room");
    let read = Suite::load(&folder.join("suite.toml"));
    let mut suite = read.unwrap_or_else(|problems| panic!("{problems:?}"));
    let order = if largest { order::LARGEST.spec() } else { order::FCFS.spec() };
    let spec = PolicySpec { order, ..PolicySpec::named("mine") };
    suite.add_policy("mine", version, move || policy::build(&spec));
    share_suite(&mut suite).expect("there is no trace");
    suite
}

#[test]
fn a_rust_type_is_checked_and_scored() {
    let (folder, runner) = (folder(), Runner::default());
    let first = suite(folder.path(), "1", false);
    let missing = hold(&runner, &first).expect("runs go through");
    assert_eq!((missing.trials.len(), missing.problems.len()), (0, 2));
    for (trial, baseline) in new_baselines(&runner, &first).expect("runs go through") {
        let path = first.baseline_path(trial.tested, &trial.policy.name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("there is room");
        let text = baseline.text("s", &trial.policy.name).expect("it is TOML");
        std::fs::write(path, text).expect("there is room");
    }
    let held = hold(&runner, &first).expect("runs go through");
    let report = CheckReport::of(&first, &held);
    assert_eq!((report.rows.len(), report.finding(), &report.left_out[..]), (2, None, &[][..]));
    let second = suite(folder.path(), "2", true);
    let held = hold(&runner, &second).expect("runs go through");
    let redefined = ["policy.mine.version is \"2\", was \"1\""];
    assert_eq!(held.verdicts[1].redefined, redefined);
    let finding = CheckReport::of(&second, &held).finding().expect("it is worse");
    assert!(finding.contains("events of mine in s"), "{finding}");
    let scored = |suite: &Suite| {
        let tested = &suite.scenarios[0];
        let scored = ScoredPolicy::of(&runner, tested, (tested.scenario.clone(), 1));
        let scenarios = vec![scored.expect("runs go through")];
        ScoreReport { suite: "suite", policy: "mine", scenarios }.score()
    };
    assert!((scored(&first) - 1.0).abs() < 1e-9);
    assert!((scored(&second) - 1.0).abs() > 1e-3, "another order is another score");
}

/// The reasons of a Rust type are told like those of a built-in policy.
#[test]
fn a_rust_type_is_explained() {
    let scenario = doubled();
    let told = |policy: &PolicySpec| {
        let mut explain = ExplainCsv::new(Vec::new(), TextCells::Guarded).under(policy);
        let settings = Settings { explain: true, audit: true, ..Settings::seeded(1) };
        let mut goes_on = |_| std::ops::ControlFlow::Continue(());
        let ran =
            windtunnel::experiment::run(&scenario, policy, settings, &mut explain, &mut goes_on);
        ran.unwrap_or_else(|failure| panic!("{failure:?}"));
        let bytes = explain.finish().expect("memory takes all");
        String::from_utf8(bytes).expect("it is text")
    };
    let (ours, yours) = pair(&scenario, 0);
    let (ours, yours) = (told(ours), told(yours));
    assert!(ours.lines().count() > 100);
    assert_eq!(ours, yours);
}

/// A sweep reads the scenario anew at every point, and keeps Rust types.
#[test]
fn a_rust_type_is_swept() {
    let scenario = doubled();
    let axis = Axis::read("cluster.dc1.group.cpu.nodes", "8,16").expect("it is a list");
    let axes = vec![axis.expect("it has two values")];
    let design = Design::default();
    let points = design.points(&axes, 1, 2).expect("two values");
    let first = sweep::check(&axes, &points, &scenario).expect("it can be read");
    let plan = SweepPlan {
        axes,
        design,
        points,
        policies: vec![0, scenario.policies.len() / 2],
        repetition: SEEDS,
        replications: 1,
    };
    let swept = sweep::sweep(&Runner::default(), plan, &first);
    let runs = swept.unwrap_or_else(|failure| panic!("{failure:?}")).runs;
    assert_eq!((runs.len(), &runs[0], &runs[2]), (4, &runs[1], &runs[3]));
    assert_ne!(runs[0], runs[2]);
}

/// A plan for a Rust type looks at the same setups and comes to the same answer.
#[test]
fn a_rust_type_is_planned_for() {
    let scenario = doubled();
    let goal = METRICS.iter().position(|metric| metric.key == "cost_monthly");
    let found = |policy: &PolicySpec| {
        let variable = Variable::read("cluster.dc1.group.cpu.nodes", "4..12");
        let task = Task {
            variables: vec![variable.expect("a range")],
            policy: Some(policy.name.clone()),
            goal: goal.expect("a metric"),
            keeping: Keeping::OnAverage,
            confidence: 0.95,
            margin: 0.01,
            budget: 60,
            asked: Asked { replications: Some(6), ..Asked::default() },
        };
        search(&Runner::default(), task, &scenario).unwrap_or_else(|failure| panic!("{failure}"))
    };
    let (ours, yours) = pair(&scenario, 1);
    let (ours, yours) = (found(ours), found(yours));
    assert!(ours.candidates.len() > 2 && !ours.finalists.is_empty());
    let points = |all: &[windtunnel::experiment::search::Candidate]| {
        all.iter().map(|one| (one.point.clone(), one.score)).collect::<Vec<_>>()
    };
    assert_eq!(points(&ours.candidates), points(&yours.candidates));
    assert_eq!((&ours.finalists, ours.choice), (&yours.finalists, yours.choice));
}
