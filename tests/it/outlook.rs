//! `windtunnel weather show` says what will happen, and that is what happens.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

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
