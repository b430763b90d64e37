//! `windtunnel weather show` says what will happen, and that is what happens.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use windtunnel::model::{Fault, FaultDomain, FaultEffect, FaultTimes, OfferSpec, World};
use windtunnel::sim::{self, Run};
use windtunnel::units::{Demand, Id, Shape, Span, Time};
use windtunnel::weather::{FaultRibbon, FaultRow};
use windtunnel::workload::WorkList;

/// Runs windtunnel in a folder.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

/// A day of work on spot instances in two zones: one has a model, the other is away for two hours.
const SCENARIO: &str = r#"
question = "?"
seed = 4
horizon = "2 d"
[workload.synthetic]
count = 60
arrivals = { per_hour = 2 }
[workload.synthetic.class.c]
weight = 1
memory = "1 GiB"
runtime = "exponential(mean=1 h)"
vcpus = 2
[cloud.aws]
regions = ["us-east-1"]
zones = ["us-east-1a", "us-east-1b"]
types = ["m5.xlarge"]
markets = ["on-demand", "spot"]
[[cloud.aws.availability]]
zone = "us-east-1a"
market = "spot"
instances = 8
model.none = { lasts = "lognormal(median=30 min, sigma=1)", next = { partial = 2, full = 1 } }
model.partial = { lasts = "weibull(shape=0.7, mean=1 h)", next = { none = 1, full = 3 } }
model.full = { lasts = "exponential(mean=2 h)", next = { none = 1, partial = 4 } }
[[cloud.aws.availability]]
zone = "us-east-1b"
market = "spot"
instances = 0
from = "6 h"
until = "8 h"
[policy.spot]
provision = { cheapest = { markets = ["spot"] } }
release = { idle = { after = "5 min" } }
"#;

fn shown(folder: &Path, more: &[&str]) -> Value {
    let out = run(folder, &[&["weather", "show", "a.toml", "--json", "--quiet"], more].concat());
    assert!(out.status.success(), "{}", text(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("it is JSON")
}

#[test]
fn the_weather_of_a_scenario_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.toml"), SCENARIO).expect("written");
    let weather = shown(folder.path(), &[]);
    assert_eq!((&weather["seconds"], &weather["steady_offers"]), (&172_800.0.into(), &2.into()));
    let pools = weather["pools"].as_array().expect("a list");
    let names: Vec<&str> = pools.iter().filter_map(|pool| pool["offer"].as_str()).collect();
    assert_eq!(names, ["aws/us-east-1a/m5.xlarge/spot", "aws/us-east-1b/m5.xlarge/spot"]);
    let states = &pools[1]["capacity"]["states"];
    assert_eq!(states["none"]["longest_s"], 7_200.0);
    assert_eq!((&states["none"]["spells"], &pools[1]["capacity"]["falls"]), (&1.into(), &1.into()));
    // Two hours of 48, cell by cell.
    let shares = pools[1]["capacity"]["shares"].as_array().expect("a list");
    let mean = shares.iter().filter_map(Value::as_f64).sum::<f64>() / shares.len() as f64;
    assert!((mean - 46.0 / 48.0).abs() < 1e-9, "{mean}");
    let states = pools[0]["capacity"]["states"].as_object().expect("a table");
    let whole: f64 = states.values().filter_map(|state| state["share"].as_f64()).sum();
    assert!((whole - 1.0).abs() < 1e-9, "{whole}");
    // Another seed is other weather, the same seed the same, and a longer look begins alike.
    assert_eq!(weather, shown(folder.path(), &[]));
    assert_ne!(weather["pools"][0], shown(folder.path(), &["--seed", "5"])["pools"][0]);
    let out = run(folder.path(), &["weather", "show", "a.toml", "--quiet", "--until", "7 d"]);
    let told = text(&out.stdout);
    for wanted in ["Weather of a", "Of 4 offers, the capacity of 2", "us-east-1a", "mean absence"] {
        assert!(told.contains(wanted), "`{wanted}` is not in\n{told}");
    }
    let out = run(folder.path(), &["weather", "show", "a.toml", "--quiet", "--out", "w"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let page = fs::read_to_string(folder.path().join("w/weather.html")).expect("a page");
    assert!(page.contains("How much capacity will be there") && page.contains("no price changes"));
    // What is assumed of the scenario is told beside its weather.
    assert!(page.contains("List prices of aws"));
    assert!(folder.path().join("w/charts/weather-capacity.svg").exists());
    assert!(folder.path().join("w/manifest.json").exists());
}

/// What is shown is what a run meets: no more instances are taken back than the capacity falls by, and
/// the run keeps its laws against the weather drawn again.
#[test]
fn a_run_meets_the_weather_that_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.toml"), SCENARIO).expect("written");
    let out = run(folder.path(), &["run", "a.toml", "--audit", "--json", "--quiet", "--no-out"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let summary: Value = serde_json::from_slice(&out.stdout).expect("it is JSON");
    let taken = summary["summary"]["work"]["reclaimed_instances"].as_u64();
    assert!(taken.is_some_and(|taken| taken > 0), "{:?}", summary["summary"]["work"]);
}

/// What was seen of two zones, every ten minutes: by turns of 6, 3 and 9 looks, and against each other.
fn counts() -> String {
    let mut text = String::from("start_utc,probe_seconds,us-east-1a,us-east-1b\n");
    let begin: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().expect("an instant");
    for look in 0..1_000_i64 {
        let at = begin + jiff::SignedDuration::from_secs(600 * look);
        let turn = (look + look / 90) % 18;
        let here = if turn < 6 {
            0
        } else if turn < 9 {
            2 + look % 3
        } else {
            8
        };
        let there = if turn < 9 { 8 } else { 0 };
        text += &format!("{at},60,{here},{there}\n");
    }
    text
}

#[test]
fn laws_fitted_to_a_trace_make_a_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("c.csv"), counts()).expect("written");
    let out = run(folder.path(), &["trace", "fit", "c.csv", "--out", "laws.toml", "--json"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let fit: Value = serde_json::from_slice(&out.stdout).expect("it is JSON");
    let zone = &fit["zones"][0];
    assert_eq!((&zone["instances"], &zone["states"]["none"]["next"][1]), (&8.into(), &56.into()));
    assert!(fit["correlations"][0]["phi"].as_f64().is_some_and(|phi| phi < -0.5));
    let near = |value: &Value, want: f64| value.as_f64().is_some_and(|it| (it - want).abs() < 0.02);
    assert!(near(&zone["states"]["full"]["share"], 0.5), "{zone}");
    let laws = fs::read_to_string(folder.path().join("laws.toml")).expect("a fragment");
    assert_eq!(laws, fit["fragment"].as_str().expect("a text"));
    let (head, rest) = SCENARIO.split_once("[[cloud.aws.availability]]").expect("it has rows");
    let (_, policy) = rest.split_once("[policy.spot]").expect("it has a policy");
    let scenario = format!("{head}\n{laws}\n[policy.spot]{policy}");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    let pools = &shown(folder.path(), &["--until", "300 d"])["pools"];
    assert!(near(&pools[0]["capacity"]["states"]["full"]["share"], 0.5), "{}", pools[0]);
    // With what the comment says, the two zones are against each other.
    let moves: String = laws
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .skip(2)
        .fold(String::new(), |text, line| text + line + "\n");
    let scenario = format!("{head}\n{laws}\n{moves}\n[policy.spot]{policy}");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    let out = run(folder.path(), &["weather", "show", "a.toml", "--quiet"]);
    assert!(out.status.success(), "{}\n{moves}", text(&out.stderr));
    let out = run(folder.path(), &["trace", "fit", "c.csv", "--instances", "2"]);
    assert!(text(&out.stdout).contains("Laws of 2 zones"), "{}", text(&out.stdout));
    let out = run(folder.path(), &["trace", "fit", "c.csv", "--page", "page"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let page = fs::read_to_string(folder.path().join("page/fit.html")).expect("a page");
    for wanted in ["How long states last in us-east-1a", "How long states last in us-east-1b"] {
        assert!(page.contains(wanted), "`{wanted}` is not on the page");
    }
    for file in
        ["charts/fit-1.svg", "charts/fit-2.png", "fit.json", "fragment.toml", "manifest.json"]
    {
        assert!(folder.path().join("page").join(file).exists(), "{file}");
    }
    let out = run(folder.path(), &["trace", "fit", "c.csv", "--page", "page"]);
    assert_eq!(out.status.code(), Some(2), "there is one already");
    // The shortest spells of none are of 5 looks, where a turn was left out.
    assert_eq!(zone["states"]["none"]["longer"][0][0], 3_000.0);
    let out = run(folder.path(), &["trace", "fit", "c.csv", "--one-is", "available"]);
    assert_eq!(out.status.code(), Some(2));
}

/// Prices that are drawn stay within their bounds and are what is billed.
#[test]
fn a_run_pays_the_prices_that_are_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let prices = "[[cloud.aws.price]]\nmarket = \"spot\"\nmodel.stepwise = { usd_per_hour = \
                  \"uniform(low=1, high=3)\" }\nmodel.every = \"1 h\"\n[policy.spot]";
    let scenario = SCENARIO.replace("[policy.spot]", prices);
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    let weather = shown(folder.path(), &[]);
    let price = &weather["pools"][0]["price"];
    assert_eq!(price["changes"], 47);
    assert!(price["low"].as_f64() >= Some(1.0) && price["high"].as_f64() <= Some(3.0));
    let out = run(folder.path(), &["run", "a.toml", "--audit", "--quiet", "--out", "o"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let rows = fs::read_to_string(folder.path().join("o/instances.csv")).expect("instances");
    assert!(rows.lines().count() > 10);
}

/// Racks of two among five machines of our own, machines that fail one by one, GPUs that do, all of two
/// machines and machines that get slow, with one crew each; and launches that are out from 100 h to 150 h: the run of a seed meets what was shown of it.
#[test]
fn a_run_meets_the_failures_that_are_shown() {
    let shape = Shape { cpu: 1_000, memory: 1_024, gpus: 4 };
    let cluster = OfferSpec::owned("dc/r/r-a", "m", shape, 5).gpu_model("A100");
    let mut world = World::builder().offer(cluster).build().expect("a world");
    let law = |text: &str| text.parse().expect("a law");
    let fault = |name: &str, domain, effect, times| Fault {
        name: name.to_owned(),
        offers: vec![Id::new(0)],
        domain,
        effect,
        times,
        loses_data_of: Vec::new(),
        surge: None,
        crews: Some(1),
    };
    let drawn = |mean: &str| FaultTimes::Drawn {
        life: law(&format!("exponential(mean={mean})")),
        repair: law("lognormal(median=9000, sigma=1)"),
        lemons: None,
    };
    let at = |hours: i64| Time::from_secs(3_600 * hours);
    world.faults = vec![
        fault("rack", FaultDomain::Machines(2), FaultEffect::Machines, drawn("200000")),
        fault("host", FaultDomain::Machines(1), FaultEffect::Machines, drawn("90000")),
        fault(
            "launches",
            FaultDomain::Share(1_000_000),
            FaultEffect::Launches,
            FaultTimes::Periods(vec![(at(100), Some(at(150)))]),
        ),
        fault("gpu", FaultDomain::Device, FaultEffect::Devices, drawn("200000")),
        fault("nvlink", FaultDomain::Machines(2), FaultEffect::Devices, drawn("400000")),
        // Who is slow is not out.
        fault("slow", FaultDomain::Machines(1), FaultEffect::Speed(500_000), drawn("90000")),
    ];
    let demand = Demand { cpu: 1_000, ..Demand::default() };
    let work = windtunnel::model::Work::job(0, Time::ZERO, demand, Span::from_secs(1 << 30));
    for seed in 1..6 {
        let mut seen = FaultRibbon::default();
        let works = [work.clone()];
        let mut source = WorkList::new(&works);
        let run = Run::new(&world, &mut source).observe(&mut seen).horizon(at(500)).seed(seed);
        run.run().expect("it runs");
        let shown = sim::fault_ribbon(&world, seed, (Time::ZERO, at(500)));
        assert_eq!(Some(&seen), shown.as_ref(), "seed {seed}");
        let rows: Vec<(FaultRow, Vec<f64>)> = seen.rows().collect();
        assert_eq!((rows[0].0, rows.len()), (FaultRow::Outage(2), 6));
        let mean = rows[0].1.iter().sum::<f64>() / rows[0].1.len() as f64;
        assert!((mean - 0.1).abs() < 0.01, "{mean}");
    }
}
