//! A decision of conservative backfilling while many wait. In a pool where all work is alike
//! it must take about n log n: per job hardly more with many than with few. Elsewhere only so
//! many hold a reservation, and a decision must take hardly more the more others wait.

use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use windtunnel::model::World;
use windtunnel::policy::{self, Policy, Trigger, Turn};
use windtunnel::scenario::Scenario;
use windtunnel::sim::{self, Options};
use windtunnel::state::Needs;

/// Decisions that are timed, after the one at which all arrive.
const DECISIONS: usize = 9;

/// A pool, what waits for it, and how much longer a decision may take where many wait.
struct Pool {
    title: &'static str,
    nodes: u32,
    /// Cores of a node; a task asks for up to as many.
    cores: u32,
    /// Most tasks of a job.
    tasks: f64,
    /// Numbers of jobs that wait.
    waiting: &'static [u64],
    /// Most time that a decision may take per waiting job, in times of the first row.
    limit: f64,
}

const POOLS: [Pool; 2] = [
    // Log n alone makes 1.7 of a hundred times as many. The rest is memory latency, and more
    // that is looked at. One by one, stays that are too short would make it 40 and more.
    Pool {
        title: "1,000 nodes of one core, where all work is alike",
        nodes: 1_000,
        cores: 1,
        tasks: 512.0,
        waiting: &[1_000, 10_000, 100_000],
        limit: 15.0,
    },
    // The number of reservations is bounded, so that a decision takes little more where ten
    // times as many wait.
    Pool {
        title: "100 nodes of eight cores, where work differs",
        nodes: 100,
        cores: 8,
        tasks: 32.0,
        waiting: &[1_000, 10_000],
        limit: 0.3,
    },
];

fn main() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-data");
    fs::create_dir_all(&data).expect("target can be written to");
    for pool in &POOLS {
        println!("conservative backfilling on {}, all jobs waiting from the start", pool.title);
        println!("| waiting | first decision s | a later one s | us per job | times | limit |");
        println!("|---|---|---|---|---|---|");
        let mut few = None;
        for &jobs in pool.waiting {
            let name = format!("backfill-{}-{jobs}.csv", pool.nodes);
            fs::write(data.join(&name), trace(pool, jobs)).expect("it can be written");
            let mut timed = run(pool, &name, &data);
            timed.later.sort_by(f64::total_cmp);
            let later = timed.later[timed.later.len() / 2];
            let each = later * 1e6 / jobs as f64;
            let (first, limit) = (timed.first, pool.limit);
            let times = each / *few.get_or_insert(each);
            println!("| {jobs} | {first:.3} | {later:.4} | {each:.1} | {times:.2} | {limit} |");
            let first = jobs == pool.waiting[0];
            assert!(first || times <= limit, "a decision takes too long where many wait");
        }
    }
}

/// Jobs that all arrive at once, the narrower the more of them; they run about half as long
/// as estimated.
fn trace(pool: &Pool, jobs: u64) -> String {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut text = String::from("arrival_s,runtime_s,estimate_s,tasks,vcpus\n");
    for _ in 0..jobs {
        let tasks = random.random_range(0.0..pool.tasks.log2()).exp2() as u64;
        let cores = random.random_range(1..=pool.cores);
        let estimate = random.random_range(600..86_400_u64);
        let runtime = random.random_range(1..=estimate);
        writeln!(text, "0,{runtime},{estimate},{tasks},{cores}").expect("a string takes it");
    }
    text
}

fn run(pool: &Pool, name: &str, data: &Path) -> Timed {
    let text = format!(
        "question = \"How fast is it?\"\n[workload]\ntrace = \"{name}\"\n\
         [cluster.nodes]\nnodes = {}\nshape = {{ vcpus = {}, memory = \"1 GiB\" }}\n\
         [policy.conservative]\npreset = \"batch-conservative\"\n",
        pool.nodes, pool.cores
    );
    let scenario = Scenario::parse(&text, "backfill.toml", data, &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut source = scenario.workload.open(&scenario.context(1, false)).expect("it opens");
    let part = policy::build(&scenario.policies[0]);
    let mut timed = Timed { part, decisions: 0, first: 0.0, later: Vec::new() };
    let world: &World = &scenario.world;
    let go_on = &mut |_: sim::RunProgress| ControlFlow::Continue(());
    let ended = sim::run(world, source.as_mut(), &mut timed, &Options::default(), &mut (), go_on);
    assert!(ended.is_err() && timed.decisions > DECISIONS, "the run is stopped when it is timed");
    timed
}

/// A policy with a watch. It stops the run when it has seen enough.
struct Timed {
    part: Box<dyn Policy>,
    decisions: usize,
    /// Seconds of the first decision, and of each other.
    first: f64,
    later: Vec<f64>,
}

impl Policy for Timed {
    fn needs(&self) -> Needs {
        self.part.needs()
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        let start = Instant::now();
        self.part.decide(triggers, turn);
        let seconds = start.elapsed().as_secs_f64();
        match self.decisions {
            0 => {}
            1 => self.first = seconds,
            _ => self.later.push(seconds),
        }
        self.decisions += 1;
        if self.decisions > DECISIONS + 1 {
            turn.give_up("it is timed");
        }
    }
}
