//! Many runs: eight policies over thirty replications of the quickstart, and
//! how their time falls with a second thread.

use std::path::Path;
use std::time::{Duration, Instant};

use windtunnel::experiment::{
    Arm, Asked, Judging, NoCache, NoProgress, Runner, compare, decide, plan,
};
use windtunnel::policy::external::NoLauncher;
use windtunnel::scenario::Scenario;

const REPLICATIONS: u32 = 30;

/// Policies that make eight with the three of the quickstart.
const MORE: &str = "
[policy.fcfs]
preset = \"batch-fcfs\"
[policy.smallest]
preset = \"batch-backfill\"
order = \"smallest\"
[policy.shortest]
preset = \"batch-shortest\"
[policy.fastest]
preset = \"cloud-fastest\"
[policy.burst-fit]
preset = \"cloud-burst\"
place = \"best-fit\"
";

/// Plans for everybody who waits at each decision: a run takes a hundred times as long.
const SLOW: &str = "
[policy.conservative]
preset = \"batch-conservative\"
";

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{REPLICATIONS} replications of the quickstart, with the decision; {cores} cores");
    table(MORE, "20 s, 1.9 x");
    println!("\nand with a policy that backfills conservatively:");
    table(&format!("{MORE}{SLOW}"), "-");
}

/// The quickstart with more policies, on one thread and on two.
fn table(more: &str, limit: &str) {
    let text = format!("{}\n{more}", include_str!("../scenarios/quickstart.toml"));
    let scenario = Scenario::parse(&text, "quickstart.toml", Path::new(""), &[]);
    let scenario = scenario.expect("the scenario is valid");
    let times: Vec<(usize, Duration)> =
        [1, 2].map(|threads| (threads, timed(&scenario, threads))).into();
    println!("| policies | threads | seconds | faster | limit |");
    println!("|---|---|---|---|---|");
    let policies = scenario.policies.len();
    for (threads, time) in &times {
        let faster = times[0].1.as_secs_f64() / time.as_secs_f64();
        let limit = if *threads == 2 { limit } else { "-" };
        println!(
            "| {policies} | {threads} | {:.2} | {faster:.2} x | {limit} |",
            time.as_secs_f64()
        );
    }
}

fn timed(scenario: &Scenario, threads: usize) -> Duration {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.expect("threads can be started");
    let start = Instant::now();
    pool.install(|| whole(scenario));
    start.elapsed()
}

/// The work of `windtunnel compare`, without its files.
fn whole(scenario: &Scenario) {
    let runner =
        Runner { cache: &NoCache, watch: &NoProgress, audit: false, launcher: &NoLauncher };
    let sides: Vec<Arm<'_>> = scenario
        .policies
        .iter()
        .map(|policy| Arm { name: &policy.name, scenario, policy })
        .collect();
    let asked = Asked { replications: Some(REPLICATIONS), ..Asked::default() };
    let plan = plan(&runner, &sides, asked).expect("there is a plan");
    let judging = Judging { confidence: 0.95, margin: None, precision: None };
    let (many, _) =
        compare(&runner, &sides, scenario.baseline, &plan, judging).expect("the runs end");
    decide(&runner, &sides, &many).expect("the runs end");
    assert_eq!(many.policies.len(), scenario.policies.len());
}
