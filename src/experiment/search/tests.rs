//! Plans whose answers textbooks know.

use std::path::Path;

use super::*;
use crate::experiment::verify::theory::mmc_wait;
use crate::experiment::{Forgetful, Unwatched};
use crate::metrics::METRICS;

fn task(vary: &[(&str, &str)]) -> Task {
    let variable = |&(key, values): &(&str, &str)| {
        Variable::read(key, values).unwrap_or_else(|problem| panic!("{problem}"))
    };
    Task {
        variables: vary.iter().map(variable).collect(),
        policy: None,
        goal: METRICS.iter().position(|metric| metric.key == "cost_total").expect("a metric"),
        keeping: Keeping::OnAverage,
        confidence: 0.95,
        margin: 0.01,
        budget: 400,
        asked: Asked::default(),
    }
}

fn plan(text: &str, task: Task) -> Result<Found, SearchFailure> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lab = Lab { memory: &Forgetful, watch: &Unwatched, audit: false };
    search(&lab, task, &|edits| Scenario::parse(text, "a.toml", base, edits))
}

#[track_caller]
fn found(text: &str, task: Task) -> Found {
    plan(text, task).unwrap_or_else(|failure| panic!("{failure:?}"))
}

/// The answer in words.
#[track_caller]
fn answer(found: &Found) -> String {
    let choice = found.choice.unwrap_or_else(|| panic!("no answer: {:?}", found.finalists));
    found.told(&found.candidate(choice).point)
}

/// Poisson arrivals of `load` jobs per mean runtime of 1,000 s.
fn queue(load: f64, jobs: u32, objective: &str) -> String {
    format!(
        "question = \"?\"\n[workload.synthetic]\ncount = {jobs}\n\
         arrivals = {{ per_hour = {} }}\nclass.a = {{ runtime = \"exponential(mean=1000 s)\", vcpus = 1 }}\n\
         [cluster.c]\nnodes = 1\nshape = {{ vcpus = 1, memory = \"8 GiB\" }}\ncost = \"1 USD/h\"\n\
         [policy.p]\npreset = \"batch-fcfs\"\n[objectives]\n{objective}\n",
        load * 3.6
    )
}

/// The smallest c with an Erlang-C wait of at most `target` mean runtimes.
fn servers(load: f64, target: f64) -> u32 {
    let from = load as u32 + 1;
    (from..).find(|&c| mmc_wait(c, load) <= target).expect("waits fall to nothing")
}

#[test]
fn servers_for_a_target_wait_are_those_of_erlang() {
    // Targets lie well between the waits of two numbers of servers.
    for (load, target) in [(3.0, 0.3), (8.0, 0.4), (14.0, 0.1)] {
        let c = servers(load, target);
        assert!(mmc_wait(c, load) < 0.85 * target && mmc_wait(c - 1, load) > 1.15 * target);
        let text = queue(load, 4_000, &format!("wait_mean = \"<= {} s\"", target * 1e3));
        let found = found(&text, task(&[("cluster.c.nodes", "1..40")]));
        assert_eq!(answer(&found), format!("cluster.c.nodes = {c}"), "{load} erlangs");
        assert!(found.converged && found.separated && found.runs <= 400, "{}", found.runs);
        assert_eq!(found.effects, [Effect::MoreIsSafer]);
        println!("{} runs {}", found.runs, found.candidates.len());
    }
}
