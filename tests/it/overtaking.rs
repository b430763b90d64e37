//! Who is tried behind a queue whose head is blocked: whoever starts is weighed as if nobody were
//! before it, and nobody is passed over for what happened to others. The starts and bills of the
//! small scenarios were worked out by hand.

use std::fs;
use std::ops::ControlFlow;

use windtunnel::experiment::{self, Settings};
use windtunnel::model::Market;
use windtunnel::scenario::Scenario;
use windtunnel::sim::Observer;
use windtunnel::state::{Record, State};
use windtunnel::units::{Span, Time};

use crate::dice::Dice;
use crate::trial::{Started, first};

/// Runs the only policy and returns when each job started, in order of the rows, in seconds; and
/// what all cost.
fn run(scenario: &str, trace: &str) -> (Vec<i64>, f64) {
    let mut started = Started(vec![Default::default(); trace.lines().count() - 1]);
    let cost = watch(scenario, trace, &mut started);
    let starts = first(&started.0).map(|micros| micros / 1_000_000).collect();
    (starts, cost)
}

fn watch<O: Observer>(scenario: &str, trace: &str, observer: &mut O) -> f64 {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("w.csv"), trace).expect("written");
    let text = format!("question = \"q\"\n[workload]\ntrace = \"w.csv\"\n{scenario}");
    let scenario = Scenario::parse(&text, "s.toml", dir.path(), &[]).expect("it is valid");
    let settings = Settings { audit: true, ..Settings::seeded(1) };
    let mut go_on = |_| ControlFlow::Continue(());
    experiment::run(&scenario, &scenario.policies[0], settings, observer, &mut go_on)
        .expect("it runs")
        .summary
        .cost
        .total
        .dollars()
}

#[track_caller]
fn costs(total: f64, dollars: f64) {
    assert!((total - dollars).abs() < 1e-5, "{total}, not {dollars}");
}

/// Machines of eight cores and a GPU cost 0.752 USD/h, there is one; of eight cores 0.384 USD/h; of
/// two 0.096 USD/h.
const CLOUD: &str = "[cloud.aws]\nregions = [\"us-east-1\", \"us-east-2\"]\nzones = [\"us-east-1a\", \
                     \"us-east-2a\"]\ntypes = [\"g4dn.2xlarge\", \"m6i.2xlarge\", \"m6i.large\"]\n\
                     boot = \"0 s\"\ncapacity_of = { \"g4dn.2xlarge\" = 1 }\n";
/// One node of four cores.
const NODE: &str = "[cluster.m]\nnodes = 1\nshape = { vcpus = 4, memory = \"8 GiB\" }\n";

fn policy(backfill: &str, provision: &str) -> String {
    format!(
        "[policy.p]\nbackfill = \"{backfill}\"\nprovision = {{ cheapest = {{{provision}}} }}\n\
         place = {{ first-fit = {{ gpu_machines = \"gpu-work\", weigh_data = true, \
         weigh_price = true }} }}\nrelease = {{ idle = {{ after = \"5 min\" }} }}\n"
    )
}

#[test]
fn whoever_overtakes_is_weighed_as_if_nobody_were_before() {
    // s runs until 36,020 s. To keep the machine of b until then is 3.07 USD; its own is 0.96 USD.
    let head = "id,arrival_s,runtime_s,estimate_s,vcpus,gpus,regions\n\
                g,0,40000,40000,8,1,aws/us-east-1\nb,0,7200,7200,6,,aws/us-east-1\n";
    let blocked = format!("{head}h,10,100,100,1,1,aws/us-east-1\n");
    let s = "s,20,36000,36000,1,,aws/us-east-1\n";
    let parts = 0.384 * 7_500.0 + 0.096 * 36_300.0;
    for backfill in ["greedy", "easy", "conservative"] {
        let scenario = format!("{CLOUD}{}", policy(backfill, ""));
        let (starts, cost) = run(&scenario, &format!("{head}{s}"));
        assert_eq!(starts, [0, 0, 20], "{backfill}");
        costs(cost, (0.752 * 40_000.0 + parts) / 3_600.0);
        let (starts, cost) = run(&scenario, &format!("{blocked}{s}"));
        assert_eq!(starts, [0, 0, 40_000, 20], "{backfill}");
        costs(cost, (0.752 * 40_100.0 + parts) / 3_600.0);
    }
}

#[test]
fn whoever_overtakes_does_not_move_data_that_costs_more_than_a_machine() {
    // s reads 100 GiB that live in the other region: 10 USD beside b, 0.10 USD at home.
    let link = "[[transfer.link]]\nfrom = \"aws/us-east-2\"\nto = \"aws/us-east-1\"\n\
                usd_per_gib = 0.1\ngbps = 0\n";
    let trace = "id,arrival_s,runtime_s,estimate_s,vcpus,gpus,regions,home,input_bytes\n\
                 g,0,40000,40000,8,1,aws/us-east-1,,\nb,0,40000,40000,6,,aws/us-east-1,,\n\
                 h,10,100,100,1,1,aws/us-east-1,,\ns,20,3600,3600,1,,,aws/us-east-2,107374182400\n";
    for backfill in ["greedy", "easy", "conservative"] {
        let (starts, cost) = run(&format!("{CLOUD}{link}{}", policy(backfill, "")), trace);
        assert_eq!(starts, [0, 0, 40_000, 20], "{backfill}");
        let bill = 0.752 * 40_100.0 + 0.384 * 40_100.0 + 0.096 * 3_900.0;
        costs(cost, bill / 3_600.0);
    }
}

#[test]
fn two_that_come_together_behind_the_head_share_a_machine() {
    // As they do where nobody waits: beside s, t costs nothing more.
    let head = "id,arrival_s,runtime_s,estimate_s,vcpus,gpus,regions\n\
                g,0,40000,40000,8,1,aws/us-east-1\nh,10,100,100,1,1,aws/us-east-1\n";
    let trace = format!("{head}s,20,3600,3600,1,,aws/us-east-1\nt,20,3600,3600,1,,aws/us-east-1\n");
    let (starts, cost) = run(&format!("{CLOUD}{}", policy("greedy", "")), &trace);
    assert_eq!(starts, [0, 40_000, 20, 20]);
    costs(cost, (0.752 * 40_100.0 + 0.096 * 3_900.0) / 3_600.0);
}

/// A GPU machine may be rented, and CPU work join it for as long as it is kept.
fn one_gpu_machine(policy: &str) -> String {
    format!(
        "{NODE}[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\n\
         types = [\"g4dn.12xlarge\"]\nboot = \"0 s\"\ncapacity = 1\n[policy.p]\n{policy}\n"
    )
}

const GPU_HEAD: &str = "id,arrival_s,runtime_s,estimate_s,vcpus,gpus\n";

#[test]
fn who_runs_shorter_is_tried_where_who_runs_longer_did_not_fit() {
    // l lasts longer than g keeps the machine, s does not.
    let trace = format!(
        "{GPU_HEAD}g,0,36000,36000,1,1\nown,0,50000,50000,4,\nhead,1,90000,90000,4,\n\
         l,2,90000,90000,4,\ns,3,3600,3600,4,\n"
    );
    // After 30 minutes g is rented for.
    let (starts, _) = run(&one_gpu_machine("preset = \"cloud-burst\""), &trace);
    assert_eq!((starts[0], starts[4]), (1_800, 1_800));
    let (starts, _) = run(&one_gpu_machine("preset = \"cloud-cheapest\""), &trace);
    assert_eq!((starts[0], starts[4]), (0, 3));
    // Without an estimate work is expected to run for an hour, and not for longer than any.
    let unknown = trace.replace("s,3,3600,3600,4", "s,3,3600,,4").replace("90000,90000", "90000,");
    let longer = unknown.replace("l,2,90000,,4", "l,2,90000,90000,4");
    let (starts, _) = run(&one_gpu_machine("preset = \"cloud-cheapest\""), &longer);
    assert_eq!(starts[4], 3);
}

#[test]
fn who_holds_nothing_is_tried_where_who_holds_some_did_not_fit() {
    // At 50 s, a task of each array fits on the second node; a1 holds one there and may have no
    // second beside it.
    let trace = "id,arrival_s,runtime_s,estimate_s,vcpus,tasks,gang,spread\n\
                 hog,0,100,100,4,1,true,\nrel,0,50,50,2,1,true,\nfill,0,100,100,2,1,true,\n\
                 head,1,10,10,4,2,true,\na1,2,20,20,1,2,false,instances\n\
                 a2,3,20,20,1,2,false,instances\n";
    let nodes = NODE.replace("nodes = 1", "nodes = 2");
    for backfill in ["greedy", "easy"] {
        let scenario = format!("{nodes}[policy.p]\nbackfill = \"{backfill}\"\n");
        let (starts, _) = run(&scenario, trace);
        assert_eq!(starts[4..], [50, 50], "{backfill}");
    }
    // So it is for those without a reservation. One for an array that spreads is a guess.
    let few = "backfill = { conservative = { reservations = 1 } }\n";
    let (starts, _) = run(&format!("{nodes}[policy.p]\n{few}"), trace);
    assert_eq!(starts[4..], [50, 50]);
}

#[test]
fn a_start_that_keeps_a_machine_makes_room_for_those_who_wait() {
    // g0 runs over its estimate, so that nobody is known to keep the machine until g1 does.
    let waits = format!("{GPU_HEAD}g0,0,20000,100,1,1\nown,0,50000,50000,4,\n");
    let g1 = "g1,200,36000,36000,1,1\n";
    let one = format!("{waits}s,3,3600,3600,4,\n{g1}");
    let (starts, _) = run(&one_gpu_machine("preset = \"cloud-cheapest\""), &one);
    assert_eq!(starts[2], 200);
    let two = format!("{waits}head,1,90000,90000,4,\ns,3,3600,3600,4,\n{g1}");
    for backfill in ["greedy", "easy", "conservative"] {
        let keys = format!("preset = \"cloud-cheapest\"\nbackfill = \"{backfill}\"");
        let (starts, _) = run(&one_gpu_machine(&keys), &two);
        assert_eq!(starts[3], 200, "{backfill}");
    }
}

#[test]
fn conservative_backfilling_lets_work_join_where_that_costs_nothing() {
    let trace = format!(
        "{GPU_HEAD}g,0,36000,36000,1,1\nown,0,50000,50000,4,\nhead,1,90000,90000,4,\n\
         s,3,3600,3600,4,\n"
    );
    let (starts, _) =
        run(&one_gpu_machine("preset = \"cloud-cheapest\"\nbackfill = \"conservative\""), &trace);
    assert_eq!(starts[3], 3);
}

/// Fails where work without GPUs waits though it fits, to its expected end, on a rented machine
/// that others keep for longer.
struct NobodyWaits {
    backfill: &'static str,
    case: String,
    /// Moments at which somebody waited beside such a machine, with too little room.
    close: u32,
    joined: u32,
}

impl NobodyWaits {
    /// Whether the policy may let nobody of those who wait onto such a machine.
    fn may_wait(&self, state: &State<'_>, work: &windtunnel::state::LiveWork) -> bool {
        let waiting = || state.works().map(|(_, live)| live).filter(|live| live.waiting > 0);
        let head = waiting().min_by_key(|live| live.tie()).expect("one waits");
        match self.backfill {
            "none" => head.tie() != work.tie(),
            // The head, or whoever holds a reservation, may want the room.
            "easy" => head.ask.demand.gpus > 0,
            "conservative" => waiting().any(|live| live.ask.demand.gpus > 0),
            _ => false,
        }
    }
}

impl Observer for NobodyWaits {
    fn elapse(&mut self, state: &State<'_>, from: Time, _: Time) {
        for (at, machine) in state.instances() {
            if machine.market == Market::Owned || machine.devices().is_empty() {
                continue;
            }
            let held = state.works().flat_map(|(_, live)| &live.allocations);
            let held = held.map(|&one| state.allocation(one));
            let on = held.filter(|one| one.held.iter().any(|held| held.share.instance == at));
            let Some(kept) = on.map(|one| one.estimated_end).max() else { continue };
            for (_, live) in state.works().filter(|(_, live)| live.waiting > 0) {
                let end = from + live.ask.estimate.unwrap_or(Span::HOUR);
                if live.ask.demand.gpus > 0 || end > kept || self.may_wait(state, live) {
                    continue;
                }
                self.close += 1;
                let fits = machine.room(live.ask.demand) > 0;
                assert!(!fits, "{:?} waits at {from:?} in {}", live.id, self.case);
            }
        }
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        let Record::Started(started) = *record else { return };
        let target = state.allocation(started);
        let machine = state.instance(target.held[0].share.instance);
        let joins = state.work(target.work()).ask.demand.gpus == 0 && machine.allocations > 1;
        self.joined += u32::from(joins && !machine.devices().is_empty());
    }
}

#[test]
fn nobody_waits_who_fits_free_of_charge() {
    let (mut close, mut joined) = (0, 0);
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let mut at = 0;
        let mut trace = GPU_HEAD.to_owned();
        for row in 0..dice.within(5, 14) {
            at += dice.within(0, 700);
            let gpus = u64::from(dice.within(0, 9) < 4);
            let runtime = [300, 1_000, 5_000, 20_000][dice.within(0, 3) as usize];
            let estimate = match dice.within(0, 9) {
                0 => String::new(),
                1 => (runtime / 3).to_string(),
                2 => (runtime * 2).to_string(),
                _ => runtime.to_string(),
            };
            let cores = if gpus > 0 { 1 } else { [1, 2, 4][dice.within(0, 2) as usize] };
            trace += &format!("j{row},{at},{runtime},{estimate},{cores},{gpus}\n");
        }
        let backfill = ["none", "greedy", "easy", "conservative"][dice.within(0, 3) as usize];
        let preset = ["cloud-cheapest", "cloud-burst"][dice.within(0, 1) as usize];
        let scenario = one_gpu_machine(&format!(
            "preset = \"{preset}\"\nbackfill = \"{backfill}\""
        ))
        .replace("g4dn.12xlarge", ["g4dn.12xlarge", "g4dn.2xlarge"][dice.within(0, 1) as usize]);
        let case = format!("seed {seed}\n{scenario}{trace}");
        let mut watched = NobodyWaits { backfill, case, close: 0, joined: 0 };
        watch(&scenario, &trace, &mut watched);
        (close, joined) = (close + watched.close, joined + watched.joined);
    }
    // The cases say something: many came close, and many joined.
    assert!(close > 50 && joined > 100, "{close} {joined}");
}
