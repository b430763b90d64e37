//! Ten million jobs through M/M/100, streamed, against a plain loop; and the
//! memory that ten times as many jobs take.

#[path = "floor/mmc.rs"]
mod mmc;

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use windtunnel::experiment::{self, Settings};
use windtunnel::scenario::Scenario;

const JOBS: u64 = 10_000_000;

fn main() {
    // Called by itself with a number of jobs: runs them and prints its peak memory.
    if let Some(jobs) = std::env::args().nth(1).and_then(|argument| argument.parse().ok()) {
        let wait = run(jobs);
        println!("{} {wait}", peak_kib());
        return;
    }
    let (floor, _) = mmc::mmc(JOBS, 100, 0.9, 1);
    let start = Instant::now();
    let wait = run(JOBS);
    let ours = start.elapsed();
    let per_job = |elapsed: std::time::Duration| elapsed.as_nanos() as f64 / JOBS as f64;
    println!("M/M/100 at 0.9, {JOBS} jobs streamed; mean wait {wait:.5} of a mean service time");
    println!("| floor ns/job | ours ns/job | ratio | limit |");
    println!("|---|---|---|---|");
    println!(
        "| {:.1} | {:.1} | {:.2} | 3 |",
        per_job(floor),
        per_job(ours),
        per_job(ours) / per_job(floor)
    );
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

fn run(jobs: u64) -> f64 {
    // 100 servers at 0.9 of their capacity; a mean service time is one hour.
    let text = format!(
        "question = \"How fast is it?\"\n[workload.synthetic]\ncount = {jobs}\n\
         [workload.synthetic.arrivals]\nper_hour = 90\n\
         [workload.synthetic.class.job]\nruntime = \"exponential(mean=1 h)\"\nvcpus = 1\nmemory = \"0 MiB\"\n\
         [cluster.servers]\nnodes = 1\nshape = {{ vcpus = 100, memory = \"1 GiB\" }}\n\
         [policy.fcfs]\n"
    );
    let scenario = Scenario::parse(&text, "mm100.toml", Path::new(""), &[]);
    let scenario = scenario.expect("the scenario is valid");
    let settings = Settings::seeded(1);
    let result = experiment::run(&scenario, &scenario.policies[0], settings, &mut (), &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("the run ends");
    result.summary.wait_s.mean.expect("jobs waited") / 3_600.0
}

/// Most memory that this process has had, in KiB; 0 where the system does not say.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0)
}
