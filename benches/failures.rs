//! What failures cost: a law that never strikes, against none; and a year of ten thousand machines
//! that fail and are repaired.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use windtunnel::experiment::{self, Settings};
use windtunnel::scenario::{Scenario, quickstart};
use windtunnel::sim::RunProgress;

/// Runs of each side, by turns, of which the fastest counts.
const TURNS: usize = 15;
/// Longest that calm weather may take beside none.
const CALM_LIMIT: f64 = 1.03;
/// Longest time for a year of failures, in seconds.
const YEAR_LIMIT: f64 = 10.0;

const YEAR: &str = "question = \"?\"\nhorizon = \"365 d\"\n[workload.synthetic]\ncount = 8000\n\
    arrivals = { per_hour = 1 }\nclass.a = { runtime = \"20 h\", vcpus = 4, tasks = 64 }\n\
    [cluster.dc]\nnodes = 10000\nshape = { vcpus = 4, memory = \"16 GiB\" }\n\
    [[failure]]\nmtbf = \"154 d\"\nrepair = \"lognormal(median=4 h, p95=48 h)\"\n\
    [policy.p]\npreset = \"batch-fcfs\"\n";

fn main() {
    calm();
    year();
}

fn parsed(text: &str) -> Scenario {
    Scenario::parse(text, "failures.toml", Path::new(""), &[]).expect("it is valid")
}

/// Seconds of one run of the first policy.
fn seconds(scenario: &Scenario) -> f64 {
    let begin = Instant::now();
    let control = &mut |_: RunProgress| ControlFlow::Continue(());
    let policy = &scenario.policies[0];
    let done = experiment::run(scenario, policy, Settings::seeded(1), &mut (), control);
    black_box(done.expect("it runs"));
    begin.elapsed().as_secs_f64()
}

/// The quickstart with a failure law that never strikes, against the quickstart.
fn calm() {
    let none = parsed(quickstart());
    let law = "\n[[failure]]\nlife = \"constant(36000 d)\"\n";
    let rare = parsed(&format!("{}{law}", quickstart()));
    let mut best = [f64::MAX; 2];
    for _ in 0..TURNS {
        best[0] = best[0].min(seconds(&none));
        best[1] = best[1].min(seconds(&rare));
    }
    println!("| weather | seconds | times none | limit |\n|---|---|---|---|");
    println!("| none | {:.4} | 1 | |", best[0]);
    println!("| calm | {:.4} | {:.3} | {CALM_LIMIT} |", best[1], best[1] / best[0]);
    assert!(best[1] <= best[0] * CALM_LIMIT, "calm weather costs time");
}

/// A year in which some 24,000 machines fail.
fn year() {
    let took = seconds(&parsed(YEAR));
    println!("\n| machines | simulated | seconds | limit, s |\n|---|---|---|---|");
    println!("| 10,000 | 1 year | {took:.2} | {YEAR_LIMIT} |");
    assert!(took <= YEAR_LIMIT, "a year of failures takes too long");
}
