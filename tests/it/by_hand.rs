//! Small scenarios, as a user writes them, whose outcome was worked out by hand.

use std::fs;
use std::ops::ControlFlow;

use windtunnel::experiment::{self, RunFailure, Settings};
use windtunnel::metrics::Summary;
use windtunnel::scenario::Scenario;
use windtunnel::sim::Failure;
use windtunnel::units::Stream;

/// Runs the only policy of a scenario with this text on a trace with this one.
pub(crate) fn run(scenario: &str, trace: &str) -> Result<Summary, RunFailure> {
    run_with(scenario, trace, "")
}

/// The same, with more keys of the workload.
fn run_with(scenario: &str, trace: &str, keys: &str) -> Result<Summary, RunFailure> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("w.csv"), trace).expect("written");
    let text = format!("question = \"q\"\n{scenario}\n[workload]\ntrace = \"w.csv\"\n{keys}");
    let scenario = Scenario::parse(&text, "s.toml", dir.path(), &[]).expect("it is valid");
    let settings = Settings { audit: true, ..Settings::seeded(1) };
    let mut go_on = |_| ControlFlow::Continue(());
    experiment::run(&scenario, &scenario.policies[0], settings, &mut (), &mut go_on)
        .map(|result| result.summary)
}

const NODE: &str = "[cluster.dc]\nnodes = 1\nshape = { vcpus = 4, memory = \"16 GiB\" }\n";
/// Machines that boot for a minute and hold one job of three cores.
const CLOUD: &str = "[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.xlarge\"]\n\
                     boot = \"60 s\"\n";

#[test]
fn work_that_lost_its_place_before_it_started_has_waited() {
    // a is placed on a booting instance at 0 s, loses it to b at 10 s; c comes after
    // b at 20 s. b starts at 60 s, c at 70 s, a at 80 s: waits of 50, 50 and 80 s.
    let zone = "zones = [\"us-east-1a\"]\ncapacity = 1\n";
    let policy = "[policy.p]\nprovision = \"cheapest\"\norder = \"shortest\"\npreempt = \"srpt\"\n";
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s\n\
                 a,0,1000,3,1000\nb,10,10,3,10\nc,20,10,3,20\n";
    let summary = run(&format!("{CLOUD}{zone}{policy}"), trace).expect("it runs");
    let waits = summary.wait_s;
    assert_eq!((waits.count, waits.mean, waits.max), (3, Some(60.0), Some(80.0)));
}

#[test]
fn waiting_after_a_preemption_is_not_running() {
    // Last come, first served: turnarounds of 5,000, 4,000, ... 1,000 s, of which
    // each ran for 1,000 s.
    let policy = "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n";
    let rows = (0..5).map(|nth| format!("{},1000,4,{nth},1000,true\n", nth * 100));
    let head = "arrival_s,runtime_s,vcpus,priority,estimate_s,resumes\n".to_owned();
    let trace = rows.fold(head, |text, row| text + &row);
    let summary = run(&format!("{NODE}{policy}"), &trace).expect("it runs");
    // The last is done at 1,400 s, and then those that have 900 s left, one by one.
    let mean = (5_000.0 + 4_000.0 + 3_000.0 + 2_000.0 + 1_000.0) / 5.0;
    assert_eq!(summary.turnaround_s.mean, Some(mean));
    assert_eq!(summary.bounded_slowdown.mean, Some(3.0));
    // In vain from 0 to 100 s: from 200 to 1,200 s it runs again, whole.
    let trace = "arrival_s,runtime_s,vcpus,priority,estimate_s\n\
                 0,1000,4,0,1000\n100,100,4,1,100\n";
    let summary = run(&format!("{NODE}{policy}"), trace).expect("it runs");
    assert_eq!(summary.bounded_slowdown.max, Some(1.2));
}

#[test]
fn a_single_task_that_is_no_gang_resumes() {
    let policy = "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n";
    let trace = "arrival_s,runtime_s,vcpus,priority,resumes,gang\n\
                 0,1000,4,0,true,false\n900,50,4,5,true,true\n";
    let summary = run(&format!("{NODE}{policy}"), trace).expect("it runs");
    assert_eq!((summary.turnaround_s.max, summary.lost_core_hours), (Some(1_050.0), 0.0));
}

#[test]
fn work_that_could_not_overflow_does_when_something_is_given_back() {
    // c holds the only instance until 1,162 s, when b, which is due since 105 s, is
    // rented for: it starts at 1,222 s. Behind h, it would wait until 10,000 s.
    let zone = "zones = [\"us-east-1a\"]\ncapacity = 1\n";
    let policy = "[policy.p.provision.cheapest]\nafter_wait = \"100 s\"\n";
    let release = "[policy.p.release.idle]\nafter = \"0 s\"\n";
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s,providers\n\
                 a,0,10000,3,10000,dc\nh,1,100,3,100,dc\nc,2,1000,3,1000,\nb,5,100,3,100,\n";
    let summary = run(&format!("{NODE}{CLOUD}{zone}{policy}{release}"), trace).expect("it runs");
    // c: 2 + 100 + 60 = 162 s until 1,162 s. b: 1,222 s, 1,217 s after it came.
    assert_eq!(summary.wait_s.mean, Some((0.0 + 9_999.0 + 160.0 + 1_217.0) / 4.0));
}

#[test]
fn who_yielded_is_rented_for_once_it_has_waited_again() {
    // low yields at 900 s, waits 100 s and a boot of 60 s, and runs from 1,060 to 2,060 s.
    let policy = "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n\
                  [policy.p.provision.cheapest]\nafter_wait = \"100 s\"\n";
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s,priority,providers\n\
                 low,0,1000,4,1000,0,\nhigh,900,10,4,10,5,dc\n\
                 long,900,3000,4,3000,4,dc\n";
    let summary = run(&format!("{NODE}{CLOUD}{policy}"), trace).expect("it runs");
    let turnarounds = [2_060.0, 10.0, 3_010.0];
    assert_eq!(summary.turnaround_s.mean, Some(turnarounds.iter().sum::<f64>() / 3.0));
}

#[test]
fn data_on_the_way_is_paid_for_as_far_as_it_came() {
    // 100 GiB in 1,000 s, of which the run sees 300 s; a hundred dollars in all.
    let link = "[[transfer.link]]\nfrom = \"aws/us-east-1\"\nto = \"dc\"\n\
                usd_per_gib = 1\ngbps = 0.8589934592\n";
    let trace = "arrival_s,runtime_s,vcpus,home,input_bytes\n\
                 0,1000,4,aws/us-east-1,107374182400\n";
    let scenario = format!("horizon = \"300 s\"\n{NODE}{CLOUD}{link}[policy.p]\n");
    let summary = run(&scenario, trace).expect("it runs");
    let cost = summary.cost.by_kind.iter().find(|(kind, _)| kind == "transfer");
    // A link moves whole bytes per second.
    let near = |found: f64| (found - 30.0).abs() < 1e-6;
    assert!(cost.is_some_and(|(_, cost)| near(cost.dollars())), "{cost:?}");
    assert!(near(summary.transferred_gib), "{}", summary.transferred_gib);
}

#[test]
fn the_bytes_of_a_job_are_the_same_on_machines_of_any_size() {
    // 2 GiB at 0.10 USD, in whatever parts: four machine sizes of one to four tasks at
    // once, and tasks that do not divide the bytes.
    for (vcpus, tasks) in [(4, 4), (8, 4), (12, 4), (16, 4), (4, 3), (8, 7)] {
        for (way, from) in [("output", "store"), ("input", "store")] {
            let scenario = format!(
                "[cluster.dc]\nnodes = 1\nshape = {{ vcpus = {vcpus}, memory = \"4 GiB\" }}\n\
                 [cluster.store]\nnodes = 1\nshape = {{ vcpus = 1, memory = \"4 GiB\" }}\n\
                 [transfer]\ncluster_usd_per_gib = 0.1\n[policy.p]\n"
            );
            let trace = format!(
                "id,arrival_s,runtime_s,vcpus,estimate_s,home,{way}_bytes,tasks,gang\n\
                 job,0,100,4,100,{from},2147483648,{tasks},false\n"
            );
            let summary = run(&scenario, &trace).expect("it runs");
            assert_eq!(summary.transferred_gib, 2.0, "{vcpus} {tasks} {way}");
            let cost = summary.cost.by_kind.iter().find(|(kind, _)| kind == "transfer");
            let nanos = cost.map(|(_, cost)| cost.nanos());
            assert_eq!(nanos, Some(200_000_000), "{vcpus} {tasks} {way}");
        }
    }
}

#[test]
fn tasks_that_may_yield_one_by_one_move_their_data_together() {
    // 100 GiB in 1,000 s for four tasks on one machine, and 100 s of computing.
    let link = "[[transfer.link]]\nfrom = \"aws/us-east-1\"\nto = \"dc\"\ngbps = 0.8589934592\n";
    let trace = "arrival_s,runtime_s,vcpus,tasks,gang,home,input_bytes\n\
                 0,100,1,4,false,aws/us-east-1,107374182400\n";
    for policy in ["[policy.p]\n", "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n"] {
        let summary = run(&format!("{NODE}{CLOUD}{link}{policy}"), trace).expect("it runs");
        let took = summary.turnaround_s.max.expect("it is done");
        assert!((took - 1_100.0).abs() < 0.01, "{took} s: {policy}");
    }
}

#[test]
fn an_instance_that_never_was_ready_cost_its_boot() {
    let policy = "[policy.p]\nprovision = \"cheapest\"\n";
    let trace = "arrival_s,runtime_s,vcpus\n10,1000,3\n";
    let scenario = format!("start = \"2026-01-01\"\nhorizon = \"50 s\"\n{CLOUD}{policy}");
    let summary = run(&scenario, trace).expect("it runs");
    // 40 s of boot, billed as a minute: the rest is what rounding added.
    let of = |kind: &str| {
        let found = summary.cost.by_kind.iter().find(|(name, _)| name == kind);
        found.map_or(0.0, |(_, cost)| cost.dollars())
    };
    assert!(of("boot") > 0.0);
    assert!((of("idle") - of("boot") / 2.0).abs() < 2e-9, "{:?}", summary.cost.by_kind);
}

#[test]
fn data_must_live_somewhere() {
    let trace = "arrival_s,runtime_s,vcpus,home,input_bytes\n0,10,4,aws/us-east-9,1\n";
    match run(&format!("{NODE}[policy.p]\n"), trace) {
        Err(RunFailure::Sim(Failure::Input(problem))) => {
            assert!(problem.message.contains("`aws/us-east-9`"), "{problem:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_job_larger_than_any_cloud_ends_the_run() {
    let policy = "[policy.p]\nprovision = \"cheapest\"\n";
    let trace = "arrival_s,runtime_s,tasks,vcpus\n0,1,4294967295,3\n";
    match run(&format!("{CLOUD}{policy}"), trace) {
        Err(RunFailure::Sim(Failure::Futile { what, .. })) => {
            assert!(what.contains("a million instances"), "{what}");
        }
        other => panic!("{other:?}"),
    }
}

/// Two clusters, the first with two free nodes and the second with three.
const TWO: &str = "[cluster.a]\nnodes = 2\nshape = { vcpus = 4, memory = \"16 GiB\" }\n\
                   [cluster.b]\nnodes = 3\nshape = { vcpus = 4, memory = \"16 GiB\" }\n";

#[test]
fn a_gang_stays_in_one_cluster_unless_it_may_lie_anywhere() {
    let trace = |together: &str| {
        format!(
            "id,arrival_s,runtime_s,vcpus,estimate_s,tasks,together\n\
             three,0,100,4,100,3,{together}\ntwo,1,100,4,100,2,{together}\n\
             again,2,100,4,100,3,{together}\nfour,3,100,4,100,4,{together}\n"
        )
    };
    let parts = ["first-fit", "next-fit", "best-fit", "worst-fit", "random", "least-loaded"];
    for place in parts.into_iter().chain(["dot-product", "gpu-packing", "fgd"]) {
        for backfill in ["none", "greedy", "easy", "conservative"] {
            let policy = format!("[policy.p]\nplace = \"{place}\"\nbackfill = \"{backfill}\"\n");
            let scenario = format!("{TWO}{policy}");
            // `three` lies in b, `two` in a, `again` in b from 100 s; `four` fits nowhere.
            let summary = run(&scenario, &trace("")).expect("it runs");
            assert_eq!(summary.work.refused, 1, "{place} {backfill}");
            let waits = (summary.wait_s.count, summary.wait_s.max);
            assert_eq!(waits, (3, Some(98.0)), "{place} {backfill}");
            // All five nodes are one pool: `four` follows `again` and `three`.
            let summary = run(&scenario, &trace("anywhere")).expect("it runs");
            assert_eq!(summary.work.refused, 0, "{place} {backfill}");
            assert_eq!(summary.wait_s.max, Some(197.0), "{place} {backfill}");
        }
    }
}

#[test]
fn a_gang_has_one_model_of_gpu_unless_it_may_lie_anywhere() {
    let nodes = "[cluster.dc.group.old]\nnodes = 1\nshape = { vcpus = 8, memory = \"16 GiB\", \
                 gpus = \"8 x A100-80GB\" }\n[cluster.dc.group.new]\nnodes = 1\n\
                 shape = { vcpus = 8, memory = \"16 GiB\", gpus = \"8 x H100\" }\n";
    for (together, gpus, refused) in [("zone", 8, 1), ("anywhere", 8, 0), ("zone", 0, 0)] {
        let trace =
            format!("arrival_s,runtime_s,vcpus,gpus,tasks,together\n0,100,8,{gpus},2,{together}\n");
        let summary = run(&format!("{nodes}[policy.p]\n"), &trace).expect("it runs");
        assert_eq!(summary.work.refused, refused, "{together} {gpus}");
    }
}

#[test]
fn a_gang_is_rented_for_in_one_zone() {
    // Two machines in each of three zones: a gang of three fits nowhere, one of two
    // in each, and anywhere all six.
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.xlarge\"]\n\
                 zones = [\"us-east-1a\", \"us-east-1b\", \"us-east-1c\"]\ncapacity = 2\n";
    let policy = "[policy.p]\nprovision = \"cheapest\"\n";
    let cases = [
        (2, "", 0, 0),
        (3, "", 1, 0),
        (2, "region", 0, 0),
        (3, "region", 0, 1),
        (6, "anywhere", 0, 1),
    ];
    for (tasks, together, refused, apart) in cases {
        let trace = format!(
            "arrival_s,runtime_s,vcpus,estimate_s,tasks,together\n0,100,3,100,{tasks},{together}\n"
        );
        let summary = run(&format!("{cloud}{policy}"), &trace).expect("it runs");
        assert_eq!(
            (summary.work.refused, summary.work.unfinished, summary.gangs_apart),
            (refused, 0, apart),
            "{tasks} {together}"
        );
    }
}

/// A gang that asks for machines of two zones, and is told so.
#[test]
fn together_may_be_said_for_all_work() {
    let trace = "arrival_s,runtime_s,vcpus,tasks\n0,100,4,4\n";
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("w.csv"), trace).expect("written");
    let text = format!(
        "question = \"q\"\n{TWO}[policy.p]\n[workload]\ntrace = \"w.csv\"\ntogether = \"anywhere\"\n"
    );
    let scenario = Scenario::parse(&text, "s.toml", dir.path(), &[]).expect("it is valid");
    let told = scenario.assumptions.iter().any(|told| told.to_string().contains("A gang may lie"));
    assert!(told, "{:?}", scenario.assumptions);
}

const AWS: &str = "[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\nfamilies = [\"m6i\", \"c6i\"]\n";
const OTHERS: &str = "[cloud.gcp]\nregions = [\"us-central1\"]\nzones = [\"us-central1-a\"]\nfamilies = [\"n2\", \"a2\"]\n\
                      [cloud.azure]\nregions = [\"eastus\"]\nzones = [\"eastus-1\"]\n";
const CHEAPEST: &str = "[policy.p]\npreset = \"cloud-cheapest\"\n";

/// A night of jobs, of which about half read and write data that lives with AWS.
fn night(seed: u64) -> String {
    let mut dice = Stream::new(seed, "night");
    let mut trace =
        "arrival_s,runtime_s,estimate_s,vcpus,memory_mib,home,input_bytes,output_bytes\n"
            .to_owned();
    let mut arrival = 0;
    for _ in 0..80 {
        arrival += dice.below(400);
        let runtime = 60 + dice.below(5_000);
        let vcpus = [1, 2, 4, 8, 16][dice.below(5) as usize];
        let data = match dice.below(2) {
            0 => "".to_owned() + ",,",
            _ => format!("aws/us-east-1,{},{}", dice.below(200) << 30, dice.below(20) << 30),
        };
        let memory = vcpus * 1_024 * (1 + dice.below(4));
        trace += &format!("{arrival},{runtime},{runtime},{vcpus},{memory},{data}\n");
    }
    trace
}

/// The tolerance is a minute's minimum charge, a boot and five idle minutes per job
/// at the price of what it asks: where work parts over more providers, fewer share
/// a machine that is there already.
#[test]
fn more_clouds_do_not_make_the_cheapest_dearer() {
    for seed in 0..12 {
        let trace = night(seed);
        let cost = |clouds: &str| {
            let summary = run(&format!("{clouds}{CHEAPEST}"), &trace).expect("it runs");
            assert_eq!(summary.work.finished, 80, "seed {seed}");
            summary.cost.total.dollars()
        };
        let (alone, all) = (cost(AWS), cost(&format!("{AWS}{OTHERS}")));
        // About 6 cores at 0.05 USD an hour for 8 minutes, 80 times: 3.20 USD.
        assert!(all <= alone + 3.2, "seed {seed}: {all} USD over three clouds, {alone} on one");
    }
}

/// Extract, transform, load: six machines compute without data, and every ten minutes
/// a small job reads 100 GiB from AWS and writes 10 back. There is room for it on the
/// machines, which are rented wherever they cost least.
#[test]
fn small_jobs_do_not_pull_their_data_after_machines_of_others() {
    let mut trace =
        "arrival_s,runtime_s,estimate_s,vcpus,memory_mib,home,input_bytes,output_bytes\n"
            .to_owned();
    for at in 0..6 {
        trace += &format!("{},10800,10800,14,28672,,,\n", at * 60);
    }
    for at in 0..12 {
        let (input, output) = (100_u64 << 30, 10_u64 << 30);
        trace += &format!("{},600,600,2,2048,aws/us-east-1,{input},{output}\n", 1_800 + at * 600);
    }
    let cost = |clouds: &str, policy: &str| {
        let summary = run(&format!("{clouds}{policy}"), &trace).expect("it runs");
        assert_eq!(summary.work.finished, 18);
        summary.cost.total.dollars()
    };
    let all = format!("{AWS}{OTHERS}");
    // As above: 108 cores at 0.05 USD an hour for 8 minutes.
    let tolerated = cost(AWS, CHEAPEST) + 0.72;
    let found = cost(&all, CHEAPEST);
    assert!(found <= tolerated, "{found} USD over three clouds, {tolerated} on one");
    // Best fit that looks at room only moves 110 GiB for nearly each of them.
    let found = cost(&all, &format!("{CHEAPEST}place = \"best-fit\"\n"));
    assert!(found > tolerated + 100.0, "{found} USD, {tolerated} on one");
}

#[test]
fn a_part_rents_only_where_it_is_told() {
    let trace = "arrival_s,runtime_s,estimate_s,vcpus\n0,1000,1000,4\n1,1000,1000,4\n";
    for (named, provider) in [
        ("providers = [\"gcp\"]", "gcp"),
        ("providers = [\"azure\"]", "azure"),
        ("regions = [\"aws/us-east-1\"]", "aws"),
        ("families = [\"n2\"]", "gcp"),
    ] {
        let policy = format!("[policy.p.provision.cheapest]\n{named}\n");
        let summary = run(&format!("{AWS}{OTHERS}{policy}"), trace).expect("it runs");
        assert_eq!(summary.work.finished, 2, "{named}");
        for (name, cost) in &summary.cost.by_provider {
            assert_eq!(cost.nanos() > 0, name == provider, "{named}: {name}");
        }
    }
    let text = format!(
        "question = \"q\"\n{AWS}[policy.p.provision.cheapest]\nfamilies = [\"m6\"]\n\
         [policy.p.place.best-fit]\nproviders = [\"awz\"]\n[workload]\ntrace = \"w.csv\"\n"
    );
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("w.csv"), trace).expect("written");
    let problems =
        Scenario::parse(&text, "s.toml", dir.path(), &[]).expect_err("names nothing has");
    let told: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
    assert!(told.contains("nothing in `families` is called `m6`"), "{told}");
    assert!(told.contains("did you mean `aws`?"), "{told}");
}

#[test]
fn work_without_gpus_joins_nobody_on_a_rented_machine_that_has_some() {
    // A machine with eight GPUs is rented for the first; the second would fit on it.
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\n\
                 types = [\"p4d.24xlarge\", \"m6i.xlarge\"]\nboot = \"0 s\"\n";
    let trace = "arrival_s,runtime_s,estimate_s,vcpus,gpus\n0,1000,1000,4,1\n10,5000,5000,2,0\n";
    for (keeps, instances) in [("any", 1), ("gpu-work", 2)] {
        let place = format!("place = {{ first-fit = {{ gpu_machines = \"{keeps}\" }} }}\n");
        let policy = format!("[policy.p]\nprovision = \"cheapest\"\n{place}");
        let summary = run(&format!("{cloud}{policy}"), trace).expect("it runs");
        assert_eq!(summary.instances_launched, instances, "{keeps}");
    }
}

#[test]
fn a_machine_is_kept_longer_only_where_that_is_cheaper_than_another() {
    // The first keeps a machine of sixteen cores for an hour. Beside it, ten minutes cost
    // nothing more; five hours would keep sixteen cores for four hours for the sake of one.
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\n\
                 types = [\"m6i.4xlarge\", \"m6i.large\"]\nboot = \"0 s\"\n";
    let found = |secs: u32, weighs: bool| {
        let trace =
            format!("arrival_s,runtime_s,estimate_s,vcpus\n0,3600,3600,13\n10,{secs},{secs},1\n");
        let place = format!("place = {{ first-fit = {{ weigh_price = {weighs} }} }}\n");
        let policy = format!("[policy.p]\nprovision = \"cheapest\"\n{place}");
        let idle = "[policy.p.release.idle]\nafter = \"0 s\"\n";
        let summary = run(&format!("{cloud}{policy}{idle}"), &trace).expect("it runs");
        (summary.instances_launched, summary.cost.total.dollars())
    };
    // Dollars an hour in us-east-1.
    let (large, small) = (0.768, 0.096);
    for (secs, weighs, want) in [
        (600, false, (1, large)),
        (600, true, (1, large)),
        (18_000, false, (1, large * 18_010.0 / 3_600.0)),
        (18_000, true, (2, large + small * 5.0)),
    ] {
        let (instances, cost) = found(secs, weighs);
        assert_eq!(instances, want.0, "{secs} {weighs}");
        assert!((cost - want.1).abs() < 1e-6, "{secs} {weighs}: {cost}, not {}", want.1);
    }
}

/// Waits in order of size under EASY and under conservative backfilling.
fn backfilled(nodes: u32, trace: &str) -> [(Option<f64>, Option<f64>); 2] {
    ["batch-backfill", "batch-conservative"].map(|preset| {
        let scenario = format!(
            "[cluster.m]\nnodes = {nodes}\nshape = {{ vcpus = 1, memory = \"1 GiB\" }}\n\
             [policy.p]\npreset = \"{preset}\"\n"
        );
        let summary = run(&scenario, trace).expect("it runs");
        (summary.wait_s.mean, summary.turnaround_s.mean)
    })
}

#[test]
fn a_reservation_does_not_outlive_a_completion() {
    // A ends at 10 s instead of 100 s while H waits alone. From then on its
    // reservation is at 30 s, which L would delay: H at 30 s, L at 40 s.
    let trace = "id,arrival_s,runtime_s,estimate_s,tasks,vcpus\nA,0,10,100,2,1\n\
                 B,0,30,30,1,1\nH,1,10,10,4,1\nK,2,1,5,1,1\nL,12,60,60,2,1\n";
    let waits = (29.0 + 28.0) / 5.0;
    let runs = (10.0 + 30.0 + 10.0 + 1.0 + 60.0) / 5.0;
    assert_eq!(backfilled(4, trace), [(Some(waits), Some(waits + runs)); 2]);
}

#[test]
fn unknown_ends_come_after_all_known_ones() {
    // `a` holds 6 of 10 for nobody knows how long. Of the 2 that `head` leaves, `c`
    // takes both; `d` waits until `head` is done, at 250 s.
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s,tasks\na,0,200,1,,6\n\
                 head,1,50,1,50,8\nc,2,1000,1,,2\nd,3,1000,1,,2\n";
    let waits = (199.0 + 247.0) / 4.0;
    let runs = (200.0 + 50.0 + 1_000.0 + 1_000.0) / 4.0;
    assert_eq!(backfilled(10, trace), [(Some(waits), Some(waits + runs)); 2]);
}

#[test]
fn work_of_unknown_end_delays_no_reservation_behind_another_of_unknown_end() {
    // `j2` starts at 11 s and nobody knows that it ends at 12 s, when all is `head`'s. `j7`
    // waits until that is done, at 13 s.
    let trace = "id,arrival_s,runtime_s,estimate_s,tasks,vcpus\nj1,0,11,11,5,1\n\
                 j2,0,1,,1,1\nhead,0,1,1,5,1\nj7,11,1000,,1,1\n";
    let waits = (0.0 + 11.0 + 12.0 + 2.0) / 4.0;
    let runs = (11.0 + 1.0 + 1.0 + 1_000.0) / 4.0;
    assert_eq!(backfilled(5, trace), [(Some(waits), Some(waits + runs)); 2]);
}

#[test]
fn work_of_unknown_end_delays_no_reservation_however_late() {
    // `H` has three of the four cores of `a` when `u` is done, and `K` all of them when `H` is, at
    // 200 s. `j` would fit there beside `u` and `H`, but might run until after that: it starts on
    // `b`.
    let clusters = [("a", 4), ("b", 1)].map(|(name, cores)| {
        let shape = format!("{{ vcpus = {cores}, memory = \"16 GiB\" }}");
        format!("[cluster.{name}]\nnodes = 1\nshape = {shape}\n")
    });
    let policy = "[policy.p]\nplace = \"first-fit\"\nbackfill = \"conservative\"\n";
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s\nu,0,100,2,\nH,1,100,3,\n\
                 K,2,10,4,10\nj,3,1000,1,\n";
    let wait = run(&(clusters.concat() + policy), trace).expect("it runs").wait_s;
    assert_eq!((wait.mean, wait.max), (Some((99.0 + 198.0) / 4.0), Some(198.0)));
}

#[test]
fn work_of_unknown_end_ends_late_on_the_fastest_machines() {
    // A thousand times faster than the reference: `late` would take three of the four nodes that
    // `a` leaves past the time of `head`, to which it leaves two. `soon` starts beside `a` at once,
    // `late` beside nobody, at 250 s.
    let nodes = "[cluster.m]\nnodes = 10\nspeed = 1000\n\
                 shape = { vcpus = 1, memory = \"1 GiB\" }\n[policy.p]\nbackfill = \"easy\"\n";
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s,tasks\na,0,200000,1,,6\n\
                 head,1,50000,1,50000,8\nlate,2,1000000,1,,3\nsoon,2,10000,1,10000,2\n";
    let wait = run(nodes, trace).expect("it runs").wait_s;
    assert_eq!((wait.mean, wait.max), (Some((199.0 + 248.0) / 4.0), Some(248.0)));
}

#[test]
fn any_number_of_unknown_ends_is_reserved_behind() {
    // 400 jobs of 10 s, one after the other, and one that would fit beside none of them.
    let head = "id,arrival_s,runtime_s,estimate_s,tasks,vcpus\n".to_owned();
    let rows = (0..400).fold(head, |text, row| format!("{text}j{row},0,10,,2,1\n"));
    let waits = (0..=400).map(|row| f64::from(row) * 10.0).sum::<f64>() / 401.0;
    for (mean, _) in backfilled(2, &format!("{rows}late,0,10,10,2,1\n")) {
        assert!(mean.is_some_and(|mean| (mean - waits).abs() < 1e-6), "{mean:?}");
    }
}

#[test]
fn who_would_delay_the_first_starts_where_it_does_not() {
    // `head` needs the memory of `big`, which it has at 100 s; `C` starts on `small` at once.
    let clusters = "[cluster.big]\nnodes = 1\nshape = { vcpus = 8, memory = \"16 GiB\" }\n\
                    [cluster.small]\nnodes = 1\nshape = { vcpus = 8, memory = \"2 GiB\" }\n";
    let trace = "id,arrival_s,runtime_s,estimate_s,vcpus,memory_mib,tasks,gang\n\
                 A,0,100,100,4,8192,1,true\nhead,1,100,100,1,15360,1,true\n";
    for (row, waits) in [
        ("C,2,500,500,1,2048,1,true\n", 99.0),
        // Two of a gang and of an array fit on `small`.
        ("C,2,500,500,1,1024,2,true\n", 99.0),
        ("C,2,500,500,1,1024,2,false\n", 99.0),
    ] {
        for preset in ["batch-backfill", "batch-conservative"] {
            let scenario = format!("{clusters}[policy.p]\npreset = \"{preset}\"\n");
            let summary = run(&scenario, &format!("{trace}{row}")).expect("it runs");
            let wait = summary.wait_s;
            assert_eq!((wait.mean, wait.max), (Some(waits / 3.0), Some(99.0)), "{preset} {row}");
        }
    }
}

#[test]
fn tasks_that_are_spread_do_not_start_on_one_machine_to_leave_the_first_room() {
    // Two tasks of `C` fit on `small`, but each wants a machine of its own: one on `big`, where
    // `head` has all of the memory from 100 to 200 s.
    let clusters = "[cluster.big]\nnodes = 1\nshape = { vcpus = 8, memory = \"16 GiB\" }\n\
                    [cluster.small]\nnodes = 1\nshape = { vcpus = 8, memory = \"2 GiB\" }\n";
    let trace = "id,arrival_s,runtime_s,estimate_s,vcpus,memory_mib,tasks,gang,together\n\
                 A,0,100,100,4,8192,1,true,\nhead,1,100,100,1,16384,1,true,\n\
                 C,2,500,500,1,1024,2,true,anywhere\n";
    for preset in ["batch-backfill", "batch-conservative"] {
        let scenario = format!("{clusters}[policy.p]\npreset = \"{preset}\"\n");
        let keys = "spread = \"instances\"\n";
        let wait = run_with(&scenario, trace, keys).expect("it runs").wait_s;
        assert_eq!((wait.mean, wait.max), (Some((99.0 + 198.0) / 3.0), Some(198.0)), "{preset}");
    }
}

#[test]
fn what_the_first_does_not_need_is_not_reserved() {
    // At 10 s `head` has the two nodes of `A`, so that `C` may have that of `X` at 3 s.
    let nodes = "[cluster.m]\nnodes = 4\nshape = { vcpus = 1, memory = \"16 GiB\" }\n";
    for memory in [1, 2] {
        let trace = format!(
            "id,arrival_s,runtime_s,estimate_s,tasks,vcpus,memory_mib\nX,0,1,1,1,1,1\n\
             A,0,10,10,2,1,1\nB,0,100,100,1,1,1\nhead,2,10,10,2,1,1\nC,3,50,50,1,1,{memory}\n"
        );
        for preset in ["batch-backfill", "batch-conservative"] {
            let scenario = format!("{nodes}[policy.p]\npreset = \"{preset}\"\n");
            let wait = run(&scenario, &trace).expect("it runs").wait_s;
            assert_eq!((wait.mean, wait.max), (Some(8.0 / 5.0), Some(8.0)), "{preset} {memory}");
        }
    }
}

#[test]
fn a_reservation_on_parts_of_gpus_is_kept() {
    // `j2` is to start at 19 s, and is not made to wait by `j6`.
    let nodes = "[cluster.g]\nnodes = 2\nshape = { vcpus = 3, memory = \"4 GiB\", \
                 gpus = \"1 x T4\" }\n[policy.p]\nplace = \"first-fit\"\n\
                 backfill = \"conservative\"\n";
    let trace = "id,arrival_s,runtime_s,estimate_s,tasks,gang,cpu_milli,memory_mib,gpus,\
                 gpu_share_milli\nj0,0,16,19,3,true,1000,0,0,\nj1a,5,12,12,1,false,500,0,1,\n\
                 j1b,5,12,12,1,false,500,0,1,\nj2,7,1,1,2,true,500,2048,1,500\n\
                 j6,15,5,5,1,true,500,512,0,\n";
    let wait = run(nodes, trace).expect("it runs").wait_s;
    assert!(wait.max.is_some_and(|most| most <= 12.0), "{wait:?}");
}

#[test]
fn an_array_overtakes_as_its_tasks_would() {
    // Three tasks each at 4, 24, 44 and 64 s; `head` at 100 s.
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s,tasks,gang\nhog,0,100,1,100,1,true\n\
                 head,1,50,1,50,4,true\narr,4,20,1,20,12,false\n";
    let turnarounds = (100.0 + 149.0 + 80.0) / 3.0;
    assert_eq!(backfilled(4, trace), [(Some(99.0 / 3.0), Some(turnarounds)); 2]);
    // The same as rows of one task.
    let row = "arr,4,20,1,20,1,true\n".repeat(12).replace("arr", "");
    let rows = format!("{}{row}", trace.replace("arr,4,20,1,20,12,false\n", ""));
    let waits = (99.0 + 3.0 * (0.0 + 20.0 + 40.0 + 60.0)) / 14.0;
    let found = backfilled(4, &rows).map(|(wait, _)| wait.expect("they waited"));
    assert!(found.iter().all(|wait| (wait - waits).abs() < 1e-9), "{found:?}");
}

#[test]
fn an_array_at_the_head_is_served_task_by_task() {
    // `arr` waits with six tasks for the two nodes that `hog` leaves at 10 s; `long`
    // would take one of them for 1,000 s and waits: tasks at 10, 20 and 30 s.
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s,tasks,gang\nhog,0,10,1,10,2,true\n\
                 arr,1,10,1,10,6,false\nlong,2,1000,1,1000,1,true\n";
    let turnarounds = (10.0 + 39.0 + 1_038.0) / 3.0;
    assert_eq!(backfilled(2, trace), [(Some((9.0 + 38.0) / 3.0), Some(turnarounds)); 2]);
}

#[test]
fn work_of_another_size_does_not_pass_for_a_task_of_the_others() {
    // The head leaves one core of eight at 100 s. `c` asks two cores for its one task.
    let node = "[cluster.dc]\nnodes = 1\nshape = { vcpus = 8, memory = \"16 GiB\" }\n";
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s,tasks\na,0,100,1,100,6\n\
                 head,1,100,1,100,7\nb,2,100,1,100,7\nc,3,1000,2,1000,1\n";
    for preset in ["batch-backfill", "batch-conservative"] {
        let policy = format!("[policy.p]\npreset = \"{preset}\"\n");
        let summary = run(&format!("{node}{policy}"), trace).expect("it runs");
        let waits = (99.0 + 198.0 + 297.0) / 4.0;
        assert_eq!((summary.wait_s.mean, summary.wait_s.max), (Some(waits), Some(297.0)));
    }
}

#[test]
fn nothing_is_reserved_where_the_policy_places_nothing() {
    // Nobody uses the cluster of four cores in front. At 10 s `c` would fit beside `a`,
    // and would hold a core of the other cluster until 1,010 s, which `head` has from 100 s on.
    let clusters = ["left", "used"].map(|name| {
        format!("[cluster.{name}]\nnodes = 1\nshape = {{ vcpus = 4, memory = \"16 GiB\" }}\n")
    });
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s\na,0,100,3,100\nb,0,10,1,10\n\
                 head,1,100,4,100\nc,2,1000,1,1000\n";
    for preset in ["batch-backfill", "batch-conservative"] {
        let policy = format!(
            "[policy.p]\npreset = \"{preset}\"\n\
             place = {{ first-fit = {{ providers = [\"used\"] }} }}\n"
        );
        let wait = run(&(clusters.concat() + &policy), trace).expect("it runs").wait_s;
        let want = (Some((99.0 + 198.0) / 4.0), Some(198.0));
        assert_eq!((wait.mean, wait.max), want, "{preset}");
    }
}

#[test]
fn what_the_first_has_already_is_no_room_that_it_can_lose() {
    // The first of three tasks of `head` starts on `a`. The next must go to `b`, or to `a` when
    // it has ended, at 11 s. `c` leaves it room there.
    let clusters = ["a", "b"].map(|name| {
        format!("[cluster.{name}]\nnodes = 1\nshape = {{ vcpus = 4, memory = \"16 GiB\" }}\n")
    });
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s,tasks,gang\nz,0,50,1,50,1,true\n\
                 x,0,100,4,100,1,true\nhead,1,10,1,10,3,false\nc,2,1000,2,1000,1,true\n";
    let scenario = format!("{}[policy.p]\nbackfill = \"easy\"\n", clusters.concat());
    let summary = run_with(&scenario, trace, "spread = \"even-zones\"\n").expect("it runs");
    let turnarounds = (50.0 + 100.0 + 30.0 + 1_000.0) / 4.0;
    assert_eq!((summary.wait_s.max, summary.turnaround_s.mean), (Some(0.0), Some(turnarounds)));
}

/// Nodes of so many GiB of memory, and conservative backfilling. `first` needs all of 16 GiB
/// from 100 to 200 s, of which 8 are held until then.
fn around_a_reservation(memory: &[u32], row: &str, keys: &str) -> Summary {
    let group = |(nth, memory): (usize, &u32)| {
        let shape = format!("{{ vcpus = 8, memory = \"{memory} GiB\" }}");
        format!("[cluster.m.group.g{nth}]\nnodes = 1\nshape = {shape}\n")
    };
    let groups: String = memory.iter().enumerate().map(group).collect();
    let head = "id,arrival_s,runtime_s,estimate_s,vcpus,memory_mib,tasks,gang\n\
                hog,0,100,100,1,8192,1,true\nfirst,1,100,100,1,16384,1,true\n";
    let scenario = format!("{groups}[policy.p]\nbackfill = \"conservative\"\n");
    run_with(&scenario, &format!("{head}{row}"), keys).expect("it runs")
}

#[test]
fn gangs_that_are_spread_start_where_nothing_is_reserved() {
    // In order the gang would lie on the first two nodes, but the first is reserved.
    let row = "gang,2,500,500,1,1024,2,true\n";
    let summary = around_a_reservation(&[16, 1, 1], row, "spread = \"instances\"\n");
    assert_eq!((summary.wait_s.mean, summary.wait_s.max), (Some(99.0 / 3.0), Some(99.0)));
}

#[test]
fn all_tasks_start_that_fit_beside_what_is_reserved() {
    // The second task would go to the second node, which is reserved: it starts on the third.
    let summary = around_a_reservation(&[1, 16, 1], "array,2,500,500,1,1024,2,false\n", "");
    assert_eq!(summary.turnaround_s.max, Some(500.0));
}

#[test]
fn a_boot_excuses_a_start_that_is_later_than_promised() {
    // `a` is placed at 0 s, so that `head` is promised 100 s; its machine is there at 60 s.
    let zone = "zones = [\"us-east-1a\"]\ncapacity = 1\n";
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s\na,0,100,3,100\n\
                 head,1,100,4,100\nlast,2,10,4,10\n";
    for backfill in ["easy", "conservative"] {
        let policy = format!("[policy.p]\nprovision = \"cheapest\"\nbackfill = \"{backfill}\"\n");
        let wait = run(&format!("{CLOUD}{zone}{policy}"), trace).expect("it runs").wait_s;
        let waits = (60.0 + 159.0 + 258.0) / 3.0;
        assert_eq!((wait.mean, wait.max), (Some(waits), Some(258.0)), "{backfill}");
    }
}

#[test]
fn a_machine_that_is_given_back_excuses_a_promise_that_counted_on_it() {
    // Two machines may be rented; `head` is promised both from 200 s on, and that of `a` is given
    // back at 100 s. From 200 s on it has that of `b` and one that is rented. Under conservative
    // backfilling `last` holds a reservation, for that of `b`, and `head` none: it starts at 700 s.
    let cloud = CLOUD.replace("60 s", "0 s") + "zones = [\"us-east-1a\"]\ncapacity = 2\n";
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s,tasks,gang\na,0,100,3,100,1,\n\
                 b,0,200,3,200,1,\nhead,1,100,3,100,2,true\nlast,2,500,3,500,1,\n";
    for (backfill, waits) in [("easy", 199.0 + 298.0), ("conservative", 699.0 + 198.0)] {
        let policy = format!(
            "[policy.p]\nprovision = \"cheapest\"\nbackfill = \"{backfill}\"\n\
             release = {{ idle = {{ after = \"0 s\" }} }}\n"
        );
        let wait = run(&format!("{cloud}{policy}"), trace).expect("it runs").wait_s;
        assert_eq!(wait.mean, Some(waits / 4.0), "{backfill}");
    }
}

#[test]
fn whoever_comes_in_front_of_the_first_takes_its_promise_back() {
    // `first` is promised 100 s, until `front` comes at 50 s. Under EASY that has one core from
    // then on for 200 s, or two when `hog` is done, at 100 s. Conservative backfilling keeps the
    // promises to `first` and `second`, 100 and 200 s, and `front` starts at 210 s.
    let head = "id,arrival_s,runtime_s,estimate_s,vcpus,priority\nhog,0,100,100,3,0\n\
                first,1,100,100,4,0\nsecond,2,10,10,4,0\n";
    for (backfill, cores, waits) in [
        ("easy", 1, 249.0 + 348.0),
        ("easy", 2, 50.0 + 299.0 + 398.0),
        ("conservative", 1, 99.0 + 198.0 + 160.0),
        ("conservative", 2, 99.0 + 198.0 + 160.0),
    ] {
        let policy = format!("[policy.p]\norder = \"priority\"\nbackfill = \"{backfill}\"\n");
        let trace = format!("{head}front,50,200,200,{cores},1\n");
        let wait = run(&format!("{NODE}{policy}"), &trace).expect("it runs").wait_s;
        assert_eq!(wait.mean, Some(waits / 4.0), "{backfill} {cores}");
    }
}

#[test]
fn work_that_yields_excuses_a_promise_that_counted_on_it() {
    // `next` is promised 100 s, when `low` is done; but that yields at 50 s, and starts again when
    // `high` is done, at 150 s.
    let trace = "id,arrival_s,runtime_s,estimate_s,vcpus,priority\nlow,0,100,100,4,0\n\
                 next,1,10,10,4,0\nhigh,50,100,100,4,1\n";
    for backfill in ["easy", "conservative"] {
        let policy = format!(
            "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\nbackfill = \"{backfill}\"\n"
        );
        let summary = run(&format!("{NODE}{policy}"), trace).expect("it runs");
        let turnarounds = (250.0 + 259.0 + 100.0) / 3.0;
        assert_eq!(summary.turnaround_s.mean, Some(turnarounds), "{backfill}");
    }
}

#[test]
fn work_that_used_up_its_estimate_keeps_its_place() {
    // `low` yields at 50 s, 40 s after its estimate; it starts again at 150 s, for 50 s. `last`
    // comes after that, and is promised nothing that `low` is.
    let policy = "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n\
                  backfill = \"conservative\"\n";
    let trace = "id,arrival_s,runtime_s,estimate_s,vcpus,priority,resumes\n\
                 low,0,100,10,4,1,true\nhigh,50,100,100,4,2,false\nlast,60,10,10,4,0,false\n";
    let summary = run(&format!("{NODE}{policy}"), trace).expect("it runs");
    let turnarounds = (200.0 + 100.0 + 150.0) / 3.0;
    assert_eq!(summary.turnaround_s.mean, Some(turnarounds));
}

#[test]
fn work_beyond_the_reservations_is_counted() {
    // On 4 cores: `b` holds the reservation until it starts at 10 s, `c` and `d` none.
    let trace = "id,arrival_s,runtime_s,estimate_s,vcpus\n\
                 a,0,10,10,3\nb,1,10,10,3\nc,2,5,5,4\nd,3,5,5,2\n";
    for (most, unreserved) in [(1, 2), (2, 1), (3, 0)] {
        let part = format!("backfill = {{ conservative = {{ reservations = {most} }} }}\n");
        let summary = run(&format!("{NODE}[policy.p]\n{part}"), trace).expect("it runs");
        assert_eq!(summary.unreserved, unreserved, "{most}");
    }
}

#[test]
fn work_that_waits_alone_holds_a_reservation() {
    // `w` waits alone for all four cores, which it has from 100 to 150 s. `s` is shorter,
    // so it stands in front of it, but from 60 s on it would run until 105 s.
    let policy = "[policy.p]\npreset = \"batch-conservative\"\norder = \"shortest\"\n";
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s,tasks\na,0,100,1,100,3\n\
                 w,1,50,1,50,4\ns,60,45,1,45,1\n";
    let summary = run(&format!("{NODE}{policy}"), trace).expect("it runs");
    assert_eq!((summary.wait_s.mean, summary.wait_s.max), (Some((99.0 + 90.0) / 3.0), Some(99.0)));
}

#[test]
fn the_first_is_asked_again_when_others_may_yield() {
    // `low` starts at the moment `high` is first asked; then it yields at once.
    let node = "[cluster.dc]\nnodes = 1\nshape = { vcpus = 8, memory = \"16 GiB\" }\n";
    let policy = "[policy.p]\norder = \"fcfs\"\npreempt = \"priority\"\n";
    let trace = "id,arrival_s,runtime_s,tasks,cpu_milli,priority\nlow,0,300,2,2000,1\n\
                 high,0,2327,3,2000,2\nother,30,300,1,2000,0\n";
    let summary = run(&format!("{node}{policy}"), trace).expect("it runs");
    // `high` until 2,327 s, and then the two others, 300 s each.
    let mean = (2_627.0 + 2_327.0 + 2_597.0) / 3.0;
    assert_eq!(summary.turnaround_s.mean, Some(mean));

    // At 9 s `first` ends, the last task of `low` starts, and `high` comes: it has all
    // five nodes until 13 s, whether `other` comes or not.
    let nodes = "[cluster.dc]\nnodes = 5\nshape = { vcpus = 1, memory = \"1 GiB\" }\n";
    let trace = "id,arrival_s,runtime_s,tasks,vcpus,priority\nfirst,0,9,3,1,1\n\
                 low,1,1900,3,1,0\nhigh,9,4,5,1,2\n";
    let summary = run(&format!("{nodes}{policy}"), trace).expect("it runs");
    let mean = (9.0 + 1_912.0 + 4.0) / 3.0;
    assert_eq!(summary.turnaround_s.mean, Some(mean));
    let trace = format!("{trace}other,10,1,1,1,2\n");
    let summary = run(&format!("{nodes}{policy}"), &trace).expect("it runs");
    let mean = (9.0 + 1_912.0 + 4.0 + 4.0) / 4.0;
    assert_eq!(summary.turnaround_s.mean, Some(mean));
}

#[test]
fn as_many_tasks_yield_as_are_in_the_way() {
    // Of six tasks one yields at 50 s; it starts again at 60 s. As rows of one task.
    let node = "[cluster.dc]\nnodes = 1\nshape = { vcpus = 6, memory = \"16 GiB\" }\n";
    let policy = "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n";
    let head = "arrival_s,runtime_s,tasks,gang,vcpus,priority,resumes\n";
    let run = |rows: &str| run(&format!("{node}{policy}"), &format!("{head}{rows}"));
    let (high, two) = ("50,10,1,true,1,1,false\n", "50,10,1,true,2,1,false\n");
    let rows = "0,100,1,true,1,0,false\n".repeat(6);
    let (array, resumes) = ("0,100,6,false,1,0,false\n", "0,100,6,false,1,0,true\n");
    // Who resumes goes on for 50 s.
    for (low, high, yielded, lost, end) in [
        (rows.as_str(), high, 1, 50.0, 160.0),
        (array, high, 1, 50.0, 160.0),
        (resumes, high, 1, 0.0, 110.0),
        (array, two, 2, 100.0, 160.0),
        (resumes, two, 2, 0.0, 110.0),
    ] {
        let summary = run(&format!("{low}{high}")).expect("it runs");
        assert_eq!(summary.lost_core_hours * 3_600.0, lost, "{low}{high}");
        assert_eq!(summary.makespan_s, end, "{low}{high}");
        assert_eq!(summary.turnaround_s.max, Some(end), "{low}{high}");
        assert_eq!(summary.work.preemptions, yielded, "{low}{high}");
    }
    // A gang yields whole.
    let summary = run(&format!("0,100,6,true,1,0,false\n{high}")).expect("it runs");
    assert_eq!(summary.lost_core_hours * 3_600.0, 300.0);
}

#[test]
fn each_task_of_an_array_resumes_from_its_own_progress() {
    // One of two tasks yields at 20 s and at 60 s, when it started last: at 20 s and 50 s of its
    // way. It goes on at 70 s and ends at 120 s, the other at 100 s.
    let node = "[cluster.dc]\nnodes = 1\nshape = { vcpus = 2, memory = \"16 GiB\" }\n";
    let policy = "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n";
    let head = "arrival_s,runtime_s,tasks,gang,vcpus,priority,resumes\n";
    let high = "20,10,1,true,1,1,false\n60,10,1,true,1,1,false\n";
    for (resumes, end, lost) in [(true, 120.0, 0.0), (false, 170.0, 50.0)] {
        let trace = format!("{head}0,100,2,false,1,0,{resumes}\n{high}");
        let summary = run(&format!("{node}{policy}"), &trace).expect("it runs");
        assert_eq!(summary.makespan_s, end);
        assert_eq!(summary.lost_core_hours * 3_600.0, lost);
        assert_eq!(summary.work.preemptions, 2);
    }
    // Three tasks on one core, on which shorter jobs come in front: each is worked off in turn,
    // and nothing of it twice.
    let node = node.replace("vcpus = 2", "vcpus = 1");
    let high = "50,10,1,true,1,1,false\n150,10,1,true,1,1,false\n";
    let trace = format!("{head}0,100,3,false,1,0,true\n{high}");
    let summary = run(&format!("{node}{policy}"), &trace).expect("it runs");
    assert_eq!((summary.makespan_s, summary.lost_core_hours), (320.0, 0.0));
}

#[test]
fn nobody_yields_who_is_not_in_the_way() {
    let gpus = "[cluster.dc]\nnodes = 1\n\
                shape = { vcpus = 128, memory = \"64 GiB\", gpus = \"8 x A100-80GB\" }\n";
    let nodes = |nodes| {
        format!("[cluster.dc]\nnodes = {nodes}\nshape = {{ vcpus = 8, memory = \"64 GiB\" }}\n")
    };
    let (one, two) = (nodes(1), nodes(2));
    let rented = format!("{CLOUD}zones = [\"us-east-1a\"]\ncapacity = 1\n");
    let own = "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n";
    let rents = format!("{own}provision = \"cheapest\"\n");
    let head = "arrival_s,runtime_s,vcpus,gpus,tasks,gang,priority\n";
    // Two nodes, each with six cores of one job and two of a later one.
    let pairs = "0,5000,6,0,1,true,0\n0,5000,6,0,1,true,0\n10,5000,2,0,1,true,0\n\
                 10,5000,2,0,1,true,0\n";
    // The same where the later ones are tasks of an array, or a gang.
    let array = "0,5000,6,0,1,true,0\n0,5000,6,0,1,true,0\n10,5000,2,0,2,false,0\n";
    let gang = "0,5000,6,0,1,true,0\n0,5000,6,0,1,true,0\n10,5000,2,0,2,true,0\n";
    // Each case ends with the number that yield and the core seconds they lose, at 1,000 s.
    for (scenario, policy, rows, yielded, lost) in [
        // Eight GPUs are freed by the first alone.
        (
            gpus,
            own,
            "0,5000,8,8,1,true,0\n10,5000,4,0,1,true,0\n1000,10,8,8,1,true,1\n".to_owned(),
            1,
            8_000.0,
        ),
        // Six cores of one node, or of both.
        (&two, own, format!("{pairs}1000,10,6,0,1,true,1\n"), 1, 6_000.0),
        (&two, own, format!("{pairs}1000,10,6,0,2,true,1\n"), 2, 12_000.0),
        (&two, own, format!("{pairs}1000,10,6,0,2,false,1\n"), 2, 12_000.0),
        (&two, own, format!("{array}1000,10,6,0,2,false,1\n"), 2, 12_000.0),
        (&two, own, format!("{gang}1000,10,6,0,2,true,1\n"), 2, 12_000.0),
        // Seven of eight cores: three and four of them, and not the one.
        (
            &one,
            own,
            "0,5000,4,0,1,true,0\n10,5000,3,0,1,true,0\n20,5000,1,0,1,true,0\n\
             1000,10,7,0,1,true,1\n"
                .to_owned(),
            2,
            4.0 * 1_000.0 + 3.0 * 990.0,
        ),
        // On a rented machine of four cores, ready at 60 s.
        (
            &rented,
            &rents,
            "0,5000,3,0,1,true,0\n100,5000,1,0,1,true,0\n1000,10,3,0,1,true,1\n".to_owned(),
            1,
            3.0 * 940.0,
        ),
    ] {
        let summary = run(&format!("{scenario}{policy}"), &format!("{head}{rows}"));
        let summary = summary.expect("it runs");
        assert_eq!(summary.work.preemptions, yielded, "{rows}");
        assert!((summary.lost_core_hours * 3_600.0 - lost).abs() < 1e-6, "{rows}");
    }
}

#[test]
fn the_first_to_yield_does_where_only_a_reservation_is_in_the_way() {
    // Two cores are free for `high`, but `next` is promised three from 100 s on. `low` yields, and
    // starts again at once: `next` has three cores when `high` is done, at 250 s.
    let policy = "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n\
                  backfill = \"conservative\"\n";
    let trace = "id,arrival_s,runtime_s,estimate_s,vcpus,priority\nlow,0,1000,1000,1,0\n\
                 hog,0,100,100,1,1\nnext,2,100,100,3,0\nhigh,50,200,200,2,2\n";
    let summary = run(&format!("{NODE}{policy}"), trace).expect("it runs");
    assert_eq!((summary.work.preemptions, summary.wait_s.max), (1, Some(248.0)));
    let turnarounds = (1_050.0 + 100.0 + 348.0 + 200.0) / 4.0;
    assert_eq!(summary.turnaround_s.mean, Some(turnarounds));
}

#[test]
fn an_array_wider_than_what_may_yield_starts_task_by_task() {
    let policy = "[policy.p]\norder = \"priority\"\npreempt = \"priority\"\n";
    let head = "arrival_s,runtime_s,tasks,gang,vcpus,priority\n";
    let node = "[cluster.dc]\nnodes = 1\nshape = { vcpus = 3, memory = \"16 GiB\" }\n";
    let two = "[cluster.dc]\nnodes = 2\nshape = { vcpus = 2, memory = \"16 GiB\" }\n";
    let rented = format!(
        "{CLOUD}zones = [\"us-east-1a\"]\ncapacity = 1\n[policy.p]\nprovision = \"cheapest\"\n"
    );
    let rest = "order = \"priority\"\npreempt = \"priority\"\n";
    let (node, two) = (format!("{node}{policy}"), format!("{two}{policy}"));
    let rented = format!("{rented}{rest}");
    // The ends of the work; low work starts again when the high is done or leaves room.
    for (scenario, rows, ends) in [
        // Three tasks at 2 s, the fourth from 14 to 26 s; low tasks from 14 and 26 s.
        (&node, "0,1000,3,false,1,0\n2,12,4,false,1,2\n", &[1_026.0, 26.0][..]),
        // Three levels: the middle one starts after the high, the low after both.
        (&node, "0,100,1,false,1,0\n0,100,2,false,1,1\n2,12,4,false,1,2\n", &[126.0, 114.0, 26.0]),
        // A gang yields whole to two of three tasks.
        (&two, "0,100,4,true,1,0\n50,10,3,false,2,1\n", &[170.0, 70.0]),
        // Two tasks yield for each that starts, and the last for nobody.
        (&node, "0,100,3,false,1,0\n50,10,2,false,2,1\n", &[170.0, 70.0]),
        // Four tasks on a machine that is ready at 60 s; four of six from 100 to 110 s.
        (&rented, "0,1000,4,false,1,0\n100,10,6,false,1,1\n", &[1_120.0, 120.0]),
    ] {
        let summary = run(scenario, &format!("{head}{rows}")).expect("it runs");
        let arrivals = rows.lines().map(|row| row.split(',').next().expect("it arrives"));
        let arrivals = arrivals.map(|text| text.parse::<f64>().expect("a number"));
        let mean = ends.iter().zip(arrivals).map(|(end, at)| end - at).sum::<f64>();
        assert_eq!(summary.turnaround_s.mean, Some(mean / ends.len() as f64), "{rows}");
        assert_eq!(summary.makespan_s, ends[0], "{rows}");
    }
}

#[test]
fn tasks_that_may_yield_one_by_one_leave_a_reservation_alone() {
    // `head` starts at 100 s and leaves one of four cores: a task of `arr` at 2 s, the
    // other when `head` is done, at 150 s.
    let trace = "id,arrival_s,runtime_s,vcpus,estimate_s,tasks,gang\nhog,0,100,1,100,2,true\n\
                 head,1,50,1,50,3,true\narr,2,1000,1,1000,2,false\n";
    for (backfill, preempt) in [
        ("easy", "none"),
        ("easy", "priority"),
        ("conservative", "none"),
        ("conservative", "priority"),
    ] {
        let policy = format!(
            "[policy.p]\norder = \"fcfs\"\nbackfill = \"{backfill}\"\npreempt = \"{preempt}\"\n"
        );
        let summary = run(&format!("{NODE}{policy}"), trace).expect("it runs");
        let mean = (100.0 + 149.0 + 1_148.0) / 3.0;
        assert_eq!(summary.turnaround_s.mean, Some(mean), "{backfill} {preempt}");
    }
}

/// One machine with eight A100s for two jobs with a GPU and two without.
#[test]
fn machines_with_gpus_that_hold_cpu_work_alone_are_counted() {
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\n\
                 types = [\"p4d.24xlarge\"]\nboot = \"100 s\"\n";
    let policy =
        "[policy.p]\nprovision = \"cheapest\"\nrelease = { idle = { after = \"300 s\" } }\n";
    // Ready at 100 s. GPUs are held from 100 to 1,100 s and from 2,000 to 2,500 s, the
    // work without holds it from 100 to 2,100 s, and from 2,600 to 2,700 s: alone from
    // 1,100 to 2,000 s, nobody from 2,500 s, and alone for another 100 s.
    let trace = "arrival_s,runtime_s,estimate_s,vcpus,gpus\n0,1000,1000,4,1\n10,2000,2000,2,0\n\
                 2000,500,500,4,1\n2600,100,100,2,0\n";
    let summary = run(&format!("{cloud}{policy}"), trace).expect("it runs");
    assert_eq!(summary.instances_launched, 1);
    let found = summary.cpu_on_gpus;
    assert_eq!((found.hours, found.owned_hours), (Some(1_000.0 / 3_600.0), 0.0));
    // It stood for 2,700 s and cost one price throughout.
    let cost = found.cost.expect("it was rented").dollars();
    assert!((cost - summary.cost.total.dollars() / 2.7).abs() < 1e-8, "{cost}");

    let nodes = "[cluster.dc]\nnodes = 1\nshape = { vcpus = 8, memory = \"16 GiB\", \
                 gpus = \"8 x A100-80GB\" }\n[policy.p]\n";
    let owned = run(nodes, trace).expect("it runs").cpu_on_gpus;
    // From 1,000 to 2,000 s, then from 2,600 to 2,700 s.
    assert_eq!((owned.hours, owned.cost), (None, None));
    assert_eq!(owned.owned_hours, 1_100.0 / 3_600.0);
}

#[test]
fn rent_of_a_night_is_scaled_by_the_day_that_it_stands_for() {
    // Two jobs of 59 minutes, 30 minutes apart, on machines of their own that boot for one: 2 h
    // at 0.192 USD/h. A month is 30.436875 days (730.485 h).
    let policy = "[policy.p]\nprovision = \"cheapest\"\nrelease = { idle = { after = \"0 s\" } }\n";
    let trace = "arrival_s,runtime_s,vcpus\n0,3540,3\n1800,3540,3\n";
    let scenario = format!("{CLOUD}{policy}");
    let near = |monthly: Option<f64>, days: f64| {
        let right = 2.0 * 0.192 * 30.436_875 / days;
        monthly.is_some_and(|monthly| (monthly / right - 1.0).abs() < 1e-9)
    };
    // Nothing says more than the arrivals: as if it went on so, every half hour.
    let guessed = run(&scenario, trace).expect("it runs");
    assert_eq!((guessed.period_s, guessed.arrivals_s), (None, 1_800.0));
    assert!(near(guessed.monthly(), 0.5 / 24.0), "{:?}", guessed.monthly());
    let shorter = format!("horizon = \"3 h\"\n{scenario}");
    for (scenario, key, days) in [
        (&scenario, "period = \"1 d\"\n", 1.0),
        (&scenario, "period = \"7 d\"\n", 7.0),
        (&scenario, "transform = [{ window = { from = \"0 s\", to = \"6 h\" } }]\n", 0.25),
        (
            &scenario,
            "transform = [{ window = { from = \"0 s\", to = \"6 h\" } }]\nscale = 0.8\n",
            0.3125,
        ),
        // A day that comes less often, or several times.
        (&scenario, "period = \"1 d\"\nscale = 0.8\n", 1.25),
        (
            &scenario,
            "period = \"1 d\"\ntransform = [{ repeat = { times = 3, period = \"7 d\" } }]\n",
            21.0,
        ),
        (&scenario, "transform = [{ repeat = { times = 2, period = \"7 d\" } }]\n", 14.0),
        // The run may end before the day does, when all of its work is done.
        (&shorter, "period = \"1 d\"\n", 1.0),
    ] {
        let summary = run_with(scenario, trace, key).expect("it runs");
        assert_eq!(summary.period_s, Some(days * 86_400.0), "{key}");
        let times = summary.work.submitted as f64 / 2.0;
        assert!(near(summary.monthly(), days / times), "{key}: {:?}", summary.monthly());
    }
    // Of a part of the work it is not known what time it stands for.
    for part in ["take = 2", "skip = 0"] {
        let key = format!("period = \"1 d\"\ntransform = [{{ {part} }}]\n");
        let summary = run_with(&scenario, trace, &key).expect("it runs");
        assert_eq!((summary.period_s, summary.work.submitted), (None, 2), "{part}");
    }
    // The second job is cut off: nothing is known of the rest of the day.
    let cut = format!("horizon = \"1 h\"\n{scenario}");
    let summary = run_with(&cut, trace, "period = \"1 d\"\n").expect("it runs");
    assert_eq!((summary.work.unfinished, summary.period_s), (1, Some(3_600.0)));
}

#[test]
fn a_machine_rented_for_work_is_no_standing_one_however_long_it_stays() {
    // a holds the machine that was rented for it until the end of the run: 10 h and a minute of
    // boot at 0.192 USD/h, for an hour of arrivals. b needs a machine of its own for 9 h and a
    // minute.
    let policy = "[policy.p]\nprovision = \"cheapest\"\nrelease = { idle = { after = \"0 s\" } }\n";
    let trace = "arrival_s,runtime_s,vcpus\n0,36000,3\n3600,32400,3\n";
    let summary = run(&format!("{CLOUD}{policy}"), trace).expect("it runs");
    assert_eq!(summary.cost.standing.nanos(), 0);
    let right = (36_060.0 + 32_460.0) / 3_600.0 * 0.192 * 730.485;
    assert!(summary.monthly().is_some_and(|monthly| (monthly / right - 1.0).abs() < 1e-9));
    // A fleet that is rented when the run starts is paid because time passes.
    let fleet = "[policy.p]\nprovision = { static = { fleets = { \"aws/us-east-1a/m6i.xlarge/on-demand\" = 1 } } }\n";
    let summary = run(&format!("{CLOUD}{fleet}"), trace).expect("it runs");
    assert_eq!(summary.cost.standing, summary.cost.total);
    assert!(
        summary.monthly().is_some_and(|monthly| (monthly / (0.192 * 730.485) - 1.0).abs() < 1e-9)
    );
}

/// Waits of `rows` on one machine with so many GPUs: the mean and the longest.
fn on_gpus(gpus: u32, preset: &str, rows: &str) -> (Option<f64>, Option<f64>) {
    let scenario = format!(
        "[cluster.m]\nnodes = 1\nshape = {{ vcpus = {gpus}, memory = \"16 GiB\", \
         gpus = \"{gpus} x T4\" }}\n[policy.p]\npreset = \"{preset}\"\n"
    );
    let head =
        "arrival_s,runtime_s,estimate_s,tasks,gang,cpu_milli,memory_mib,gpus,gpu_share_milli";
    let summary = run(&scenario, &format!("{head}\n{rows}")).expect("it runs");
    assert_eq!(summary.work.refused, 0, "{preset}");
    (summary.wait_s.mean, summary.wait_s.max)
}

#[test]
fn several_tasks_share_several_devices() {
    // Two tasks that ask halves of two devices fit on both. Their gang has its turn
    // when the first core is free, at 6 s, and 200 short jobs that come every 5 s wait
    // for it: two start at 26 s and two more every 10 s.
    let shorts = (0..200).map(|nth| format!("{},10,10,1,true,1000,0,0,\n", 1 + 5 * nth));
    let rows = "0,6,6,1,true,1000,0,0,\n0,20,20,2,true,1000,0,2,500\n".to_owned();
    let rows = shorts.fold(rows, |rows, row| rows + &row);
    let mean = (6.0 + 100.0 * (25.0 + 20.0)) / 202.0;
    for preset in ["batch-backfill", "batch-conservative"] {
        let (found, most) = on_gpus(2, preset, &rows);
        let near = found.is_some_and(|found| (found - mean).abs() < 1e-9);
        assert!(near && most == Some(25.0), "{preset}: {found:?} {most:?}");
    }
}

#[test]
fn tasks_take_devices_in_turn() {
    // Devices 0 and 1, 1 and 2, 0 and 2: as a gang, as an array and as rows.
    let (gang, array) = ("0,10,10,3,true,1000,0,2,500\n", "0,10,10,3,false,1000,0,2,500\n");
    let rows = "0,10,10,1,true,1000,0,2,500\n".repeat(3);
    for preset in ["batch-fcfs", "batch-backfill", "batch-conservative", "gpu-packing"] {
        for rows in [gang, array, &rows] {
            assert_eq!(on_gpus(3, preset, rows), (Some(0.0), Some(0.0)), "{preset}: {rows}");
        }
    }
}

#[test]
fn the_limit_of_a_policy_is_weighed_where_the_offer_is_chosen() {
    // Three tasks of two cores: three instances of the smaller type are the cheapest, and only two
    // may be rented; two of the larger hold them.
    let cloud = CLOUD.replace("[\"m6i.xlarge\"]", "[\"m6i.large\", \"m6i.xlarge\"]");
    let policy = "[policy.p]\nprovision = { cheapest = { max_instances = 2 } }\n";
    let trace = "arrival_s,runtime_s,estimate_s,vcpus,tasks\n0,60,60,2,3\n1,60,60,1,1\n";
    let summary = run(&format!("{cloud}{policy}"), trace).expect("it runs");
    assert_eq!((summary.work.finished, summary.instances_max), (2, 2));
}

#[test]
fn work_that_the_limits_of_renting_never_hold_is_turned_away() {
    // One instance of the larger type holds two tasks of two cores, of the smaller one; the
    // larger has one left, or a quota of one.
    let both = CLOUD.replace("[\"m6i.xlarge\"]", "[\"m6i.large\", \"m6i.xlarge\"]");
    let zone = "zones = [\"us-east-1a\"]\n";
    let own = "[cluster.dc]\nnodes = 4\nshape = { vcpus = 2, memory = \"16 GiB\" }\n";
    let policy = |keys: &str| {
        format!("[policy.p]\nprovision = {{ cheapest = {{ max_instances = 3{keys} }} }}\n")
    };
    let small = CLOUD.replace("m6i.xlarge", "m6i.large");
    let one_large = "capacity_of = { \"m6i.xlarge\" = 1 }\n";
    let quota = "[[cloud.aws.quota]]\nunit = \"instances\"\nlimit = 2\n";
    for (world, keys, tasks, gang, finished) in [
        // Three of the larger hold six.
        (format!("{both}{zone}"), "", 6, true, 2),
        (format!("{both}{zone}"), "", 7, true, 1),
        // Tasks that are no gang go one after the other.
        (format!("{both}{zone}"), "", 7, false, 2),
        // Narrowed to the smaller: three.
        (format!("{both}{zone}"), ", types = [\"m6i.large\"]", 3, true, 2),
        (format!("{both}{zone}"), ", types = [\"m6i.large\"]", 4, true, 1),
        // One of the larger holds two, and two of the smaller one each, whatever is asked for.
        (format!("{both}{zone}{one_large}"), "", 4, true, 2),
        (format!("{both}{zone}{one_large}"), "", 5, true, 1),
        (format!("{both}{zone}{one_large}"), "", 5, false, 2),
        // A quota of two instances: four.
        (format!("{both}{zone}{quota}"), "", 4, true, 2),
        (format!("{both}{zone}{quota}"), "", 5, true, 1),
        // Four on what is owned; no gang is parted between it and what is rented.
        (format!("{own}{small}{zone}"), "", 4, true, 2),
        (format!("{own}{small}{zone}"), "", 5, true, 1),
        (format!("{own}{small}{zone}"), "", 9, false, 2),
    ] {
        let trace = format!(
            "arrival_s,runtime_s,estimate_s,vcpus,tasks,gang\n0,60,60,2,{tasks},{gang}\n1,60,60,1,1,true\n"
        );
        let summary = run(&format!("{world}{}", policy(keys)), &trace).expect("it runs");
        let refused = summary.work.refused;
        assert_eq!(
            (summary.work.finished, refused),
            (finished, 2 - finished),
            "{world}{keys} {tasks}"
        );
    }
}

#[test]
fn an_estimate_that_is_true_is_not_overrun_at_any_speed() {
    // 10 s at a speed of 0.3 are 33.333334 s, rounded up as the run itself is; the next is
    // promised that moment, and the run would fail if it were late.
    let node = "[cluster.dc]\nnodes = 1\nspeed = 0.3\nshape = { vcpus = 1, memory = \"1 GiB\" }\n";
    let trace = "arrival_s,runtime_s,estimate_s,vcpus\n0,10,10,1\n1,10,10,1\n2,10,10,1\n";
    for backfill in ["easy", "conservative"] {
        let policy = format!("[policy.p]\nbackfill = \"{backfill}\"\n");
        let summary = run(&format!("{node}{policy}"), trace).expect("it runs");
        assert_eq!(summary.makespan_s, 100.000_002, "{backfill}");
    }
}

#[test]
fn a_gang_that_needs_an_instance_in_each_zone_is_turned_away_where_one_may_be_rented() {
    for (most, finished) in [(1, 1), (2, 2)] {
        let policy =
            format!("[policy.p]\nprovision = {{ cheapest = {{ max_instances = {most} }} }}\n");
        let trace =
            "arrival_s,runtime_s,vcpus,tasks,gang,spread\n0,60,1,2,true,zones\n1,60,1,1,true,\n";
        let summary = run(&format!("{CLOUD}{policy}"), trace).expect("it runs");
        assert_eq!((summary.work.finished, summary.work.refused), (finished, 2 - finished));
    }
}

/// Machines of 4 cores and 16 GiB to rent in one zone, and parts of a policy that rents so
/// many at most.
fn beside(clusters: &str, most: u32, parts: &str) -> String {
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.xlarge\"]\n\
                 zones = [\"us-east-1a\"]\nboot = \"0 s\"\n";
    let provision = format!("provision = {{ cheapest = {{ max_instances = {most} }} }}\n");
    format!("{clusters}{cloud}[policy.p]\n{provision}{parts}")
}

#[test]
fn what_is_missing_of_a_gang_is_rented() {
    // Two owned nodes and one that may be rented hold three tasks, and `next` after them.
    let nodes = "[cluster.dc]\nnodes = 2\nshape = { vcpus = 4, memory = \"16 GiB\" }\n";
    let trace = "id,arrival_s,runtime_s,estimate_s,tasks,gang,vcpus,together\n\
                 three,0,100,100,3,true,4,anywhere\nnext,10,100,100,1,true,4,zone\n";
    for backfill in ["none", "greedy", "easy", "conservative"] {
        let parts = format!("backfill = \"{backfill}\"\n");
        let summary = run(&beside(nodes, 1, &parts), trace).expect("it runs");
        assert_eq!((summary.work.finished, summary.wait_s.max), (2, Some(90.0)), "{backfill}");
        assert_eq!(summary.gangs_apart, 1, "{backfill}");
    }
}

#[test]
fn a_gang_joins_a_kept_instance_and_rents_another() {
    // `one` rents an instance that is kept; the gang takes it and a second.
    let trace = "id,arrival_s,runtime_s,estimate_s,tasks,gang,vcpus\n\
                 one,0,100,100,1,true,4\ntwo,1000,100,100,2,true,4\n";
    let summary = run(&beside("", 2, "release = \"never\"\n"), trace).expect("it runs");
    assert_eq!((summary.work.finished, summary.wait_s.max), (2, Some(0.0)));
    // Work fits nowhere once no more may be rented.
    let summary = run(&beside("", 1, "release = \"never\"\n"), trace).expect("it runs");
    assert_eq!((summary.work.finished, summary.work.refused), (1, 1));
}

#[test]
fn a_gang_beyond_whole_instances_of_a_quota_is_refused() {
    // 10 cores are one machine of 8, not one and a quarter: four tasks of 2, and not five.
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.2xlarge\"]\n\
                 [[cloud.aws.quota]]\nunit = \"vcpus\"\nlimit = 10\n";
    for (tasks, refused) in [(4, 0), (5, 1)] {
        let trace = format!("arrival_s,runtime_s,vcpus,tasks,together\n0,100,2,{tasks},region\n");
        let policy = "[policy.p]\nprovision = \"cheapest\"\n";
        let summary = run(&format!("{cloud}{policy}"), &trace).expect("it runs");
        assert_eq!((summary.work.refused, summary.work.unfinished), (refused, 0), "{tasks}");
    }
}

#[test]
fn a_gang_that_the_fewest_instances_do_not_hold_is_refused() {
    // Three instances may be rented, one of them of 8 cores; the policy rents two: 8 + 2.
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\n\
                 types = [\"m6i.2xlarge\", \"m6i.large\"]\ncapacity_of = { \"m6i.2xlarge\" = 1 }\n\
                 [[cloud.aws.quota]]\nunit = \"instances\"\nlimit = 3\n";
    for (tasks, refused) in [(5, 0), (6, 1)] {
        let trace = format!("arrival_s,runtime_s,vcpus,tasks\n0,100,2,{tasks}\n");
        let policy = "[policy.p]\nprovision = { cheapest = { max_instances = 2 } }\n";
        let summary = run(&format!("{cloud}{policy}"), &trace).expect("it runs");
        assert_eq!((summary.work.refused, summary.work.unfinished), (refused, 0), "{tasks}");
    }
}

#[test]
fn an_even_gang_is_refused_where_a_zone_has_no_room() {
    // Two zones: one machine for each, or a second task has nowhere to go.
    for (most, tasks, refused) in [(1, 1, 0), (1, 2, 1), (2, 2, 0), (2, 4, 0), (2, 5, 1), (3, 5, 0)]
    {
        let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.xlarge\"]\n\
                     zones = [\"us-east-1a\", \"us-east-1b\"]\n";
        let policy =
            format!("[policy.p]\nprovision = {{ cheapest = {{ max_instances = {most} }} }}\n");
        let trace = format!("arrival_s,runtime_s,vcpus,tasks,spread\n0,100,2,{tasks},even-zones\n");
        let summary = run(&format!("{cloud}{policy}"), &trace).expect("it runs");
        assert_eq!((summary.work.refused, summary.work.unfinished), (refused, 0), "{most} {tasks}");
    }
}

#[test]
fn gangs_that_need_the_rest_rented_do_not_wait_for_one_another() {
    // One node and one machine of 8 cores to rent: `gang` at 100 s on both, `wide` after it,
    // or as well where it may not be rented for behind the first.
    let nodes = "[cluster.dc]\nnodes = 1\nshape = { vcpus = 4, memory = \"16 GiB\" }\n";
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.2xlarge\"]\n\
                 zones = [\"us-east-1a\"]\nboot = \"0 s\"\n";
    let last = ["wide,20,50,50,1,true,8,zone", "other,20,50,50,3,true,4,anywhere"];
    for (backfill, last) in
        ["none", "easy", "conservative"].map(|part| last.map(|last| (part, last))).concat()
    {
        let policy = format!(
            "[policy.p]\nbackfill = \"{backfill}\"\nprovision = {{ cheapest = {{ max_instances = 1 }} }}\n"
        );
        let trace = format!(
            "id,arrival_s,runtime_s,estimate_s,tasks,gang,vcpus,together\n\
             first,0,100,100,1,true,4,zone\ngang,10,50,50,3,true,4,anywhere\n{last}\n"
        );
        let summary = run(&format!("{nodes}{cloud}{policy}"), &trace).expect("it runs");
        let waits = (summary.work.finished, summary.wait_s.mean, summary.wait_s.max);
        assert_eq!(waits, (3, Some((90.0 + 130.0) / 3.0), Some(130.0)), "{backfill} {last}");
    }
}

#[test]
fn a_gang_that_is_completed_takes_nothing_that_is_promised() {
    // `wide` is promised both nodes from 100 to 150 s. At 50 s the small machine of `renter` is
    // given back: with a large one and the free node `gang` would start and run for 500 s.
    let nodes = "[cluster.dc]\nnodes = 2\nshape = { vcpus = 4, memory = \"16 GiB\" }\n";
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.2xlarge\", \"m6i.large\"]\n\
                 zones = [\"us-east-1a\"]\nboot = \"0 s\"\n";
    let trace = "id,arrival_s,runtime_s,estimate_s,tasks,gang,vcpus,together\n\
                 first,0,100,100,1,true,4,zone\nsecond,0,30,30,1,true,4,zone\n\
                 renter,0,50,50,1,true,2,zone\n\
                 gang,10,500,500,3,true,4,anywhere\nwide,20,50,50,2,true,4,zone\n";
    for (backfill, of_gang, of_wide) in [("conservative", 140.0, 80.0), ("none", 40.0, 530.0)] {
        let policy = format!(
            "[policy.p]\nbackfill = \"{backfill}\"\nrelease = {{ idle = {{ after = \"0 s\" }} }}\n\
             provision = {{ cheapest = {{ max_instances = 1 }} }}\n"
        );
        let summary = run(&format!("{nodes}{cloud}{policy}"), trace).expect("it runs");
        let waits = (summary.work.finished, summary.wait_s.mean);
        assert_eq!(waits, (5, Some((of_gang + of_wide) / 5.0)), "{backfill}");
    }
}

#[test]
fn greedy_policies_rent_for_whoever_waits_behind_the_first() {
    // The only large machine is taken until 3,600 s. `small` does not wait for `large`.
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.2xlarge\", \"m6i.large\"]\n\
                 zones = [\"us-east-1a\"]\nboot = \"0 s\"\ncapacity_of = { \"m6i.2xlarge\" = 1 }\n";
    let trace = "id,arrival_s,runtime_s,estimate_s,vcpus\nfirst,0,3600,3600,8\n\
                 large,10,100,100,8\nsmall,20,100,100,2\n";
    for (backfill, wait) in [("greedy", 0.0), ("easy", 3_580.0), ("none", 3_580.0)] {
        let policy = format!("[policy.p]\nbackfill = \"{backfill}\"\nprovision = \"cheapest\"\n");
        let summary = run(&format!("{cloud}{policy}"), trace).expect("it runs");
        let waits = (summary.work.finished, summary.wait_s.mean.map(|mean| mean * 3.0));
        let of_small = waits.1.map(|sum| sum - 3_590.0);
        assert_eq!((waits.0, of_small), (3, Some(wait)), "{backfill}");
    }
}

#[test]
fn even_spreads_count_zones_that_the_policy_uses() {
    // Two tasks in each of two clusters; nothing is ever rented from the cloud.
    let clusters = ["a", "b"].map(|name| {
        format!("[cluster.{name}]\nnodes = 1\nshape = {{ vcpus = 4, memory = \"16 GiB\" }}\n")
    });
    let trace = "arrival_s,runtime_s,vcpus,tasks,spread\n0,50,2,4,even-zones\n";
    for cloud in ["", CLOUD] {
        let scenario = format!("{}{cloud}[policy.p]\n", clusters.concat());
        let summary = run(&scenario, trace).expect("it runs");
        assert_eq!((summary.work.finished, summary.wait_s.max), (1, Some(0.0)), "{cloud}");
    }
}

#[test]
fn owned_nodes_of_one_zone_hold_one_task_each_that_is_spread_over_zones() {
    // A cluster of two nodes is one zone; one machine may be rented in another.
    let nodes = "[cluster.dc]\nnodes = 2\nshape = { vcpus = 4, memory = \"16 GiB\" }\n";
    let policy = "[policy.p]\nprovision = { cheapest = { max_instances = 1 } }\n";
    for (tasks, refused) in [(2, 0), (3, 1)] {
        let trace = format!("arrival_s,runtime_s,vcpus,tasks,spread\n0,50,2,{tasks},zones\n");
        let summary = run(&format!("{nodes}{CLOUD}{policy}"), &trace).expect("it runs");
        assert_eq!((summary.work.refused, summary.work.unfinished), (refused, 0), "{tasks}");
    }
}
