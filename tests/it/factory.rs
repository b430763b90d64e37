//! Policies that are Rust types, in everything that is done with policies.

use std::path::Path;
use std::sync::Mutex;

use windtunnel::experiment::{Measurement, Repetition, RunCache, RunRequest, Runner, lint, survey};
use windtunnel::policy;
use windtunnel::scenario::{Scenario, quickstart};
use windtunnel::units::Span;

const SEEDS: Repetition = Repetition::Seeds { warm_up: Span::ZERO };

/// A day of the built-in scenario, with a Rust type for each of its policies that does the same.
fn doubled() -> Scenario {
    let day = [("workload.synthetic.span".to_owned(), "1 d".to_owned())];
    let read = Scenario::parse(quickstart(), "quickstart.toml", Path::new(""), &day);
    let mut scenario = read.unwrap_or_else(|problems| panic!("{problems:?}"));
    for spec in scenario.policies.clone() {
        let name = format!("my {}", spec.name);
        scenario.add_policy(&name, "1", move || policy::build(&spec));
    }
    scenario
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
    let runner = Runner { memory: &memory, ..Runner::default() };
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
