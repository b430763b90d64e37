//! Ten million jobs through M/M/100, streamed, against a plain loop; and the
//! memory that ten times as many jobs take.

#[path = "floor/mmc.rs"]
mod mmc;

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use windtunnel::experiment::{self, Settings};
use windtunnel::model::{Interner, Work};
use windtunnel::policy;
use windtunnel::scenario::Scenario;
use windtunnel::sim::{self, Options};

const JOBS: u64 = 10_000_000;

fn main() {
    // Called by itself with a number of jobs: runs them and prints its peak memory.
    if let Some(jobs) = std::env::args().nth(1).and_then(|argument| argument.parse().ok()) {
        let wait = run(jobs);
        println!("{} {wait}", peak_kib());
        return;
    }
    let (floor, _) = mmc::mmc(JOBS, 100, 0.9, 1);
    let timed = |part: &dyn Fn()| {
        let start = Instant::now();
        part();
        start.elapsed().as_nanos() as f64 / JOBS as f64
    };
    let floor = floor.as_nanos() as f64 / JOBS as f64;
    println!("M/M/100 at 0.9, {JOBS} jobs streamed; floor: {floor:.1} ns per job");
    println!("| what runs | ns per job | ratio | limit |");
    println!("|---|---|---|---|");
    let row = |what: &str, ns: f64, limit: &str| {
        println!("| {what} | {ns:.1} | {:.2} | {limit} |", ns / floor);
    };
    row("draws the work", timed(&|| draw(JOBS)), "");
    row("and simulates and bills it", timed(&|| simulate(JOBS)), "");
    row("and watches laws, hash, series and summary", timed(&|| assert!(run(JOBS) > 0.0)), "3");
    let [few, many] = [JOBS / 10, JOBS].map(|jobs| {
        let this = std::env::current_exe().expect("the bench knows its own file");
        let output = Command::new(this).arg(jobs.to_string()).output().expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let kib = text.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok());
        kib.expect("it prints its peak memory")
    });
    println!("| jobs | peak MiB |");
    println!("|---|---|");
    println!("| {} | {:.1} |", JOBS / 10, few / 1024.0);
    println!(
        "| {JOBS} | {:.1} ({:+.1} %, limit 10 %) |",
        many / 1024.0,
        (many / few - 1.0) * 100.0
    );
}

/// 100 servers at 0.9 of their capacity; a mean service time is one hour.
fn scenario(jobs: u64) -> Scenario {
    let text = format!(
        "question = \"How fast is it?\"\n[workload.synthetic]\ncount = {jobs}\n\
         [workload.synthetic.arrivals]\nper_hour = 90\n\
         [workload.synthetic.class.job]\nruntime = \"exponential(mean=1 h)\"\nvcpus = 1\nmemory = \"0 MiB\"\n\
         [cluster.servers]\nnodes = 1\nshape = {{ vcpus = 100, memory = \"1 GiB\" }}\n\
         [policy.fcfs]\n"
    );
    let scenario = Scenario::parse(&text, "mm100.toml", Path::new(""), &[]);
    scenario.expect("the scenario is valid")
}

/// The source alone.
fn draw(jobs: u64) {
    let scenario = scenario(jobs);
    let mut source = scenario.workload.open(&scenario.context(1, false)).expect("it opens");
    let (mut book, mut work) = (Interner::default(), Work::default());
    while source.next(&mut book, &mut work).expect("it is well formed") {
        black_box(work.body.length());
    }
}

/// The run alone, watched by nobody.
fn simulate(jobs: u64) {
    let scenario = scenario(jobs);
    let mut source = scenario.workload.open(&scenario.context(1, false)).expect("it opens");
    let mut policy = policy::build(&scenario.policies[0]);
    let options = Options { max_jobs: jobs, ..Options::default() };
    let go_on = &mut |_: sim::RunProgress| ControlFlow::Continue(());
    sim::run(&scenario.world, source.as_mut(), policy.as_mut(), &options, &mut (), go_on)
        .expect("the run ends");
}

/// Everything that a summary needs; the mean wait over the mean service time.
fn run(jobs: u64) -> f64 {
    let scenario = scenario(jobs);
    let settings = Settings::seeded(1);
    let result = experiment::run(&scenario, &scenario.policies[0], settings, &mut (), &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("the run ends");
    let wait = result.summary.wait_s.mean.expect("jobs waited") / 3_600.0;
    // Erlang C for 100 servers at 0.9.
    assert!((wait / 0.021694 - 1.0).abs() < 0.1, "mean wait {wait}");
    wait
}

/// Most memory that this process has had, in KiB; 0 where the system does not say.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0)
}
