//! Jobs that have their nodes alone: starts and costs worked out by hand.

use std::fs;
use std::ops::ControlFlow;

use windtunnel::experiment::{self, Settings};
use windtunnel::metrics::{Laws, Summary};
use windtunnel::model::Ask;
use windtunnel::policy::{self, spec::PolicySpec};
use windtunnel::scenario::Scenario;
use windtunnel::sim::{Observer, Options};
use windtunnel::state::{Record, State};
use windtunnel::units::{Demand, Time};
use windtunnel::workload::WorkList;

use crate::trial::{self, CORE};

/// Runs the only policy of a scenario with this text on the trace in `file`.
fn run_on(scenario: &str, file: &str, trace: &str, workload: &str) -> Summary {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join(file), trace).expect("written");
    let text = format!("question = \"q\"\n{scenario}\n[workload]\ntrace = \"{file}\"\n{workload}");
    let scenario = Scenario::parse(&text, "s.toml", dir.path(), &[]).expect("it is valid");
    let settings = Settings { audit: true, ..Settings::seeded(1) };
    let mut go_on = |_| ControlFlow::Continue(());
    experiment::run(&scenario, &scenario.policies[0], settings, &mut (), &mut go_on)
        .expect("it runs")
        .summary
}

fn run(scenario: &str, trace: &str) -> Summary {
    run_on(scenario, "w.csv", trace, "")
}

fn nodes(count: u32) -> String {
    format!("[cluster.dc]\nnodes = {count}\nshape = {{ vcpus = 8, memory = \"16 GiB\" }}\n")
}

/// Count, sum and largest of the waits in seconds.
fn waits(summary: &Summary) -> (u64, f64, f64) {
    let waits = &summary.wait_s;
    let sum = waits.mean.unwrap_or(0.0) * waits.count as f64;
    (waits.count, libm::round(sum * 1e6) / 1e6, waits.max.unwrap_or(0.0))
}

/// A log in processors on two nodes of eight: 9, 1, 4 and 1 for 100 s each.
const LOG: &str = "1 0 -1 100 9 -1 -1 9 100 -1 1 1 1 -1 -1 -1 -1 -1\n\
                   2 1 -1 100 1 -1 -1 1 100 -1 1 1 1 -1 -1 -1 -1 -1\n\
                   3 2 -1 100 4 -1 -1 4 100 -1 1 1 1 -1 -1 -1 -1 -1\n\
                   4 3 -1 100 1 -1 -1 1 100 -1 1 1 1 -1 -1 -1 -1 -1\n";

#[test]
fn a_log_in_processors_takes_whole_nodes() {
    let places = ["first-fit", "next-fit", "best-fit", "worst-fit", "random", "least-loaded"];
    let scored = ["dot-product", "least-remainder", "gpu-packing", "gpu-clustering", "fgd"];
    for place in places.into_iter().chain(scored) {
        for backfill in ["none", "greedy", "easy", "conservative"] {
            let policy = format!("[policy.p]\nplace = \"{place}\"\nbackfill = \"{backfill}\"\n");
            let scenario = nodes(2) + &policy;
            let shared = run_on(&scenario, "w.swf", LOG, "");
            assert_eq!(waits(&shared), (4, 0.0, 0.0), "{place} {backfill}");
            // The first takes both nodes, the next two one each from 100 s, and the last
            // one of them from 200 s.
            let alone = run_on(&scenario, "w.swf", LOG, "exclusive = true\n");
            assert_eq!(waits(&alone), (4, 99.0 + 98.0 + 197.0, 197.0), "{place} {backfill}");
        }
    }
}

#[test]
fn reservations_count_whole_nodes() {
    // x holds a node until 100 s, y one until 50 s; h wants three. s ends at 92 s, so that it
    // may take the third; l would hold one until long after 100 s.
    let trace = "id,arrival_s,runtime_s,estimate_s,vcpus,tasks,exclusive\n\
                 x,0,100,100,1,1,true\ny,0,50,50,1,8,true\nh,1,100,100,1,17,true\n\
                 s,2,90,90,1,1,true\nl,3,200,200,1,1,true\n";
    let cases = [
        ("none", 99.0 + 198.0 + 197.0),
        ("greedy", 249.0 + 47.0),
        ("easy", 99.0 + 197.0),
        ("conservative", 99.0 + 197.0),
    ];
    for place in ["first-fit", "best-fit", "random", "fgd"] {
        for (backfill, sum) in cases {
            let policy = format!("[policy.p]\nplace = \"{place}\"\nbackfill = \"{backfill}\"\n");
            let summary = run(&(nodes(3) + &policy), trace);
            assert_eq!(waits(&summary).1, sum, "{place} {backfill}");
        }
    }
}

#[test]
fn nothing_runs_beside_and_nobody_is_joined() {
    // b waits for the node to be empty, c for b to go: what shares waits for who does not.
    let trace = "id,arrival_s,runtime_s,estimate_s,vcpus,exclusive\n\
                 a,0,100,100,1,\nb,1,100,100,1,yes\nc,2,300,300,1,no\n";
    for (backfill, sum) in
        [("none", 99.0 + 198.0), ("easy", 99.0 + 198.0), ("conservative", 99.0 + 198.0)]
    {
        let policy = format!("[policy.p]\nbackfill = \"{backfill}\"\n");
        assert_eq!(waits(&run(&(nodes(1) + &policy), trace)).1, sum, "{backfill}");
    }
    // A task that asks nothing is not placed beside either.
    let trace = "arrival_s,runtime_s,vcpus,exclusive\n0,100,1,true\n1,100,0,false\n2,10,0,true\n";
    let summary = run(&(nodes(1) + "[policy.p]\n"), trace);
    assert_eq!(waits(&summary), (3, 99.0 + 198.0, 198.0));
}

#[test]
fn tasks_of_an_array_fill_nodes_as_far_as_they_start_together() {
    // Ten tasks on one node of eight cores: eight, then two.
    let trace = "arrival_s,runtime_s,vcpus,tasks,gang,exclusive\n0,100,1,10,false,true\n";
    for (count, turnaround) in [(1, 200.0), (2, 100.0)] {
        let summary = run(&(nodes(count) + "[policy.p]\n"), trace);
        assert_eq!(summary.turnaround_s.max, Some(turnaround), "{count} nodes");
    }
    // Spread over instances, or evenly over zones, each task has a node alone.
    for spread in ["instances", "even-zones"] {
        let trace =
            format!("arrival_s,runtime_s,vcpus,tasks,exclusive,spread\n0,100,1,3,true,{spread}\n");
        for (count, refused) in [(2, 1), (3, 0)] {
            let summary = run(&(nodes(count) + "[policy.p]\n"), &trace);
            assert_eq!(summary.work.refused, refused, "{count} nodes, {spread}");
        }
    }
}

#[test]
fn each_task_has_devices_of_its_own() {
    // Four halves of a GPU would share two devices; alone, they take four.
    let node =
        "[cluster.dc]\nnodes = 1\nshape = { vcpus = 8, memory = \"16 GiB\", gpus = \"2 x T4\" }\n";
    let two = node.replace("nodes = 1", "nodes = 2");
    let trace = |exclusive: bool| {
        format!(
            "arrival_s,runtime_s,gpus,gpu_share_milli,tasks,exclusive\n0,9,1,500,4,{exclusive}\n"
        )
    };
    for (nodes, exclusive, refused) in [(node, false, 0), (node, true, 1), (two.as_str(), true, 0)]
    {
        let summary = run(&format!("{nodes}[policy.p]\n"), &trace(exclusive));
        assert_eq!(summary.work.refused, refused, "{nodes} {exclusive}");
    }
}

#[test]
fn a_node_is_emptied_for_who_wants_it_alone() {
    // At 10 s both yield, and run on from 20 s: until 110 s.
    let policy = "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n";
    let trace = "arrival_s,runtime_s,estimate_s,vcpus,priority,resumes,exclusive\n\
                 0,100,100,1,0,true,\n0,100,100,1,0,true,\n10,10,10,1,1,true,true\n";
    let summary = run(&(nodes(1) + policy), trace);
    assert_eq!(summary.turnaround_s.max, Some(110.0));
    assert_eq!(waits(&summary), (3, 0.0, 0.0));
}

#[test]
fn who_is_alone_pays_for_the_whole_machine() {
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\n\
                 types = [\"m6i.xlarge\"]\nboot = \"0 s\"\n";
    let policy = "[policy.p]\nprovision = \"cheapest\"\n[policy.p.release.idle]\nafter = \"0 s\"\n";
    // Two jobs of one core for an hour.
    let cost = |exclusive: bool| {
        let trace = format!(
            "arrival_s,runtime_s,estimate_s,vcpus,exclusive\n\
             0,3600,3600,1,{exclusive}\n0,3600,3600,1,{exclusive}\n"
        );
        let cost = run(&format!("{cloud}{policy}"), &trace).cost;
        let of = |name: &str| {
            let found = cost.by_kind.iter().find(|(kind, _)| kind == name);
            found.map_or(0.0, |(_, cost)| cost.dollars())
        };
        (of("work"), of("idle"))
    };
    let price = 0.192; // of m6i.xlarge in us-east-1, an hour
    let near = |found: f64, want: f64| assert!((found - want).abs() < 1e-6, "{found}, not {want}");
    let (work, idle) = cost(false);
    near(work, price * 0.5);
    near(idle, price * 0.5);
    let (work, idle) = cost(true);
    near(work, price * 2.0);
    near(idle, 0.0);
}

/// Tells the laws of every start twice, as if there were two jobs on the machine.
struct Twice(Laws);

impl Observer for Twice {
    fn begins(&mut self, state: &State<'_>) {
        self.0.begins(state);
    }

    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        self.0.elapse(state, from, to);
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.0.record(state, record);
        if let Record::Started(_) = record {
            self.0.record(state, record);
        }
    }

    fn ends(&mut self, state: &State<'_>) {
        self.0.ends(state);
    }
}

#[test]
fn a_job_beside_one_that_is_alone_breaks_a_law() {
    let world = trial::processors(1, 4);
    for (exclusive, law) in [(false, None), (true, Some("nothing runs beside an exclusive job"))] {
        let demand = Demand { exclusive, ..CORE };
        let works = [trial::job(0, 0, 10, Ask { demand, ..Ask::default() })];
        let (mut twice, mut policy) =
            (Twice(Laws::new(true)), policy::build(&PolicySpec::named("p")));
        let (mut source, options) = (WorkList::new(&works), Options::default());
        trial::run(&world, &mut source, &mut *policy, &options, &mut twice, &works);
        assert_eq!(twice.0.broken().map(|broken| broken.law), law, "exclusive: {exclusive}");
    }
}
