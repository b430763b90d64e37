//! A decision of conservative backfilling while many wait in a scalar pool. The goal is
//! n log n.

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

const NODES: u64 = 1_000;
/// Decisions that are timed, after the one at which all arrive.
const DECISIONS: u32 = 5;
/// Goal: microseconds of a decision per piece of work and binary logarithm of their number.
const LIMIT: f64 = 1.0;

fn main() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-data");
    fs::create_dir_all(&data).expect("target can be written to");
    println!("conservative backfilling on {NODES} nodes, all jobs waiting from the start");
    println!("| waiting | first decision s | s per later decision | us / (n log2 n) | limit |");
    println!("|---|---|---|---|---|");
    for jobs in [1_000, 10_000, 100_000] {
        let name = format!("backfill-{jobs}.swf");
        fs::write(data.join(&name), log(jobs)).expect("it can be written");
        let timed = run(&name, &data);
        let later = timed.later / f64::from(DECISIONS);
        let waiting = jobs as f64;
        println!(
            "| {jobs} | {:.3} | {later:.3} | {:.3} | {LIMIT} |",
            timed.first,
            later * 1e6 / (waiting * waiting.log2())
        );
    }
}

/// Jobs that all arrive at once, of up to half the nodes, rather narrow; they run about
/// half as long as estimated.
fn log(jobs: u64) -> String {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut text = String::from("; MaxProcs: 1000\n; UnixStartTime: 0\n");
    for id in 1..=jobs {
        let processors = 1_u64 << random.random_range(0..10_u32);
        let estimate = random.random_range(600..86_400_u64);
        let runtime = random.random_range(1..=estimate);
        writeln!(
            text,
            "{id} 0 -1 {runtime} {processors} -1 -1 {processors} {estimate} -1 1 1 1 1 1 1 -1 -1"
        )
        .expect("a string takes it");
    }
    text
}

fn run(name: &str, data: &Path) -> Timed {
    let text = format!(
        "question = \"How fast is it?\"\n[workload]\ntrace = \"{name}\"\n\
         [cluster.nodes]\nnodes = {NODES}\nshape = {{ vcpus = 1, memory = \"1 GiB\" }}\n\
         [policy.conservative]\npreset = \"batch-conservative\"\n"
    );
    let scenario = Scenario::parse(&text, "backfill.toml", data, &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut source = scenario.workload.open(&scenario.context(1, false)).expect("it opens");
    let part = policy::build(&scenario.policies[0]);
    let mut timed = Timed { part, decisions: 0, first: 0.0, later: 0.0 };
    let world: &World = &scenario.world;
    let go_on = &mut |_: sim::Progress| ControlFlow::Continue(());
    let ended = sim::run(world, source.as_mut(), &mut timed, &Options::default(), &mut (), go_on);
    assert!(ended.is_err() && timed.decisions > DECISIONS, "the run is stopped when it is timed");
    timed
}

/// A policy with a watch. It stops the run when it has seen enough.
struct Timed {
    part: Box<dyn Policy>,
    decisions: u32,
    /// Seconds of the first decision, and of all others.
    first: f64,
    later: f64,
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
            _ => self.later += seconds,
        }
        self.decisions += 1;
        if self.decisions > DECISIONS + 1 {
            turn.stop("it is timed");
        }
    }
}
