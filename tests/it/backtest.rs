//! `windtunnel backtest` and what comparisons say of it, as a user sees them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Two nodes, and four jobs of an hour that come at once: under first come
/// first served two of them wait for an hour; in truth, one did so and one waited for longer.
const SCENARIO: &str = r#"question = "Is it so?"
[workload]
trace = "jobs.csv"
[cluster.c]
nodes = 2
shape = { vcpus = 1, memory = "1 GiB" }
cost = "1 USD/h"
[policy.today]
preset = "batch-fcfs"
[policy.other]
preset = "batch-backfill"
[observed]
cost_usd = 4
"#;

const JOBS: &str = "id,arrival_s,runtime_s,vcpus,observed_wait_s\n\
    a,0,3600,1,0\nb,0,3600,1,0\nc,0,3600,1,3600\nd,0,3600,1,5400\n";

fn folder() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("my.toml"), SCENARIO).expect("written");
    fs::write(folder.path().join("jobs.csv"), JOBS).expect("written");
    folder
}

fn windtunnel(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.current_dir(folder).args(arguments).output().expect("it starts")
}

#[track_caller]
fn good(folder: &Path, arguments: &[&str]) -> String {
    let output = windtunnel(folder, arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    String::from_utf8(output.stdout).expect("it is text")
}

/// Compares, and gives back the words without line breaks.
#[track_caller]
fn compared(folder: &Path, more: &[&str]) -> String {
    let arguments: Vec<&str> =
        ["compare", "my.toml", "--no-out"].iter().chain(more).copied().collect();
    good(folder, &arguments).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn errors_are_shown_kept_and_said_again() {
    let folder = folder();
    let folder = folder.path();
    assert!(compared(folder, &[]).contains("The model is uncalibrated"));
    let text = good(folder, &["backtest", "my.toml", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    // One of four waits is half an hour too short.
    assert_eq!(found["waits"]["bias_s"], -450.0);
    assert_eq!(found["waits"]["within"], 0.75);
    assert_eq!(found["likeness"], "rough");
    let figures = found["figures"].as_array().expect("a list");
    let cost = figures.iter().find(|figure| figure["metric"] == "cost_total").expect("a bill");
    assert_eq!((&cost["observed"], &cost["simulated"]), (&4.0.into(), &4.0.into()));
    for file in [
        "backtest.csv",
        "jobs.csv",
        "groups.csv",
        "backtest.json",
        "backtest.html",
        "manifest.json",
        "charts/backtest-waits.svg",
    ] {
        assert!(folder.join("output/my-backtest").join(file).exists(), "{file}");
    }
    let kept = folder.join("my.calibration.json");
    let first = fs::read(&kept).expect("it was kept");
    let said = compared(folder, &[]);
    assert!(said.contains("Held against what was observed, the model of today is rough"), "{said}");
    assert!(said.contains("wait, mean 30 min against 37 min 30 s observed (−20.0 %)"), "{said}");

    good(folder, &["backtest", "my.toml", "--no-out"]);
    assert_eq!(fs::read(&kept).expect("it was kept"), first, "two backtests differ");

    let edited = compared(folder, &["--set", "cluster.c.nodes=3"]);
    assert!(edited.contains("The calibration is stale: what it runs on has changed"), "{edited}");
    good(folder, &["backtest", "my.toml", "--no-out", "--set", "cluster.c.nodes=3"]);
    good(folder, &["backtest", "my.toml", "--no-out", "--no-save", "--policy", "other"]);
    assert_eq!(fs::read(&kept).expect("it was kept"), first, "an edited scenario was kept");

    fs::write(folder.join("jobs.csv"), JOBS.replace("5400", "3600")).expect("written");
    let said = compared(folder, &[]);
    assert!(said.contains("The calibration is stale: the workload has changed"), "{said}");
    good(folder, &["backtest", "my.toml", "--no-out"]);
    assert!(compared(folder, &[]).contains("the model of today is exact"));
}

#[test]
fn what_cannot_be_held_against_anything_says_so() {
    let folder = folder();
    let folder = folder.path();
    let unseen = JOBS
        .replace(",observed_wait_s", "")
        .replace(",0\n", "\n")
        .replace(",3600\nd", "\nd")
        .replace(",5400", "");
    fs::write(folder.join("jobs.csv"), unseen).expect("written");
    fs::write(folder.join("my.toml"), SCENARIO.replace("[observed]\ncost_usd = 4\n", ""))
        .expect("written");
    let output = windtunnel(folder, &["backtest", "my.toml"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("nothing was observed") && told.contains("hint:"), "{told}");
    assert!(
        !folder.join("output/my-backtest").exists() && !folder.join("my.calibration.json").exists()
    );
    let output = windtunnel(folder, &["backtest", "quickstart"]);
    assert_eq!(output.status.code(), Some(2));

    // A bill alone is held against the run's.
    fs::write(folder.join("my.toml"), SCENARIO).expect("written");
    let text = good(folder, &["backtest", "my.toml", "--no-out"]);
    assert!(text.contains("the model is exact"), "{text}");

    for broken in ["", "{}", "[1", "{\"kind\": \"windtunnel calibration\"}"] {
        fs::write(folder.join("my.calibration.json"), broken).expect("written");
        let output = windtunnel(folder, &["compare", "my.toml", "--no-out"]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{broken}: {told}");
        assert!(told.contains("is not a calibration") && told.contains("hint:"), "{told}");
    }
}

#[test]
fn observed_waits_survive_a_conversion() {
    let folder = folder();
    let folder = folder.path();
    good(folder, &["trace", "convert", "jobs.csv", "again.csv"]);
    let again = fs::read_to_string(folder.join("again.csv")).expect("it was written");
    assert!(again.lines().next().expect("a header").contains("observed_wait_s"), "{again}");
    let log = "; MaxProcs: 2\n1 0 30 100 1 -1 -1 1 200 -1 1 1 1 1 1 1 -1 -1\n";
    fs::write(folder.join("log.swf"), log).expect("written");
    good(folder, &["trace", "convert", "log.swf", "log.csv"]);
    let text = fs::read_to_string(folder.join("log.csv")).expect("it was written");
    let (head, row) = text.trim().split_once('\n').expect("two lines");
    let cells: Vec<_> = head.split(',').zip(row.split(',')).collect();
    assert!(cells.contains(&("observed_wait_s", "30")), "{cells:?}");
}
