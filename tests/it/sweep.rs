//! `windtunnel sweep` as a user runs it.

use std::path::Path;
use std::process::{Command, Output};

/// Runs `windtunnel` in a folder of its own.
fn windtunnel(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

/// Rows of a CSV file by the names of its columns.
fn rows(path: &Path) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("the file is there");
    reader.deserialize().map(|row| row.expect("a row of the head's length")).collect()
}

const SMALL: [&str; 6] =
    ["quickstart", "--set", "workload.synthetic.span=10 h", "--policies", "today,burst", "--quiet"];

#[test]
fn a_grid_is_swept_in_order_whatever_the_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let edits =
        ["--set", "policy.burst.provision.cheapest.after_wait=1 min,2 h", "--replications", "2"];
    let run = |threads: &str, out: &str| {
        let mut arguments = vec!["sweep"];
        arguments.extend(SMALL);
        arguments.extend(["--set", "cluster.dc1.group.cpu.nodes=1..3:2"]);
        arguments.extend(edits);
        arguments.extend(["--threads", threads, "--out", out]);
        let output = windtunnel(folder.path(), &arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        output.stdout
    };
    let one = run("1", "one");
    assert_eq!(one, run("2", "two"));
    for file in ["sweep.csv", "points.csv", "sweep.json", "manifest.json"] {
        let read = |out: &str| std::fs::read(folder.path().join(out).join(file)).expect("a file");
        assert_eq!(read("one"), read("two"), "{file}");
    }
    let all = rows(&folder.path().join("one/sweep.csv"));
    let cell = |row: usize, column: &str| all[row][column].clone();
    assert_eq!(all.len(), 4 * 2 * 2);
    let place = |row: usize| {
        [
            "point",
            "cluster.dc1.group.cpu.nodes",
            "policy.burst.provision.cheapest.after_wait",
            "policy",
            "seed",
        ]
        .map(|column| cell(row, column))
    };
    assert_eq!(place(0), ["0", "1", "1 min", "today", "1"]);
    assert_eq!(place(1), ["0", "1", "1 min", "today", "2"]);
    assert_eq!(place(2), ["0", "1", "1 min", "burst", "1"]);
    assert_eq!(place(4), ["1", "1", "2 h", "today", "1"]);
    assert_eq!(place(8), ["2", "3", "1 min", "today", "1"]);
    // The wait after which another policy rents is nothing to this one: it is not run again, and
    // would have done the same.
    assert_eq!(cell(0, "event_hash"), cell(4, "event_hash"));
    let mut alone = vec!["run", "quickstart", "--policy", "today", "--quiet", "--out", "alone"];
    alone.extend(["--set", "workload.synthetic.span=10 h"]);
    alone.extend(["--set", "cluster.dc1.group.cpu.nodes=1"]);
    alone.extend(["--set", "policy.burst.provision.cheapest.after_wait=2 h"]);
    assert!(windtunnel(folder.path(), &alone).status.success());
    let manifest = std::fs::read(folder.path().join("alone/manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(manifest["event_hash"], cell(4, "event_hash").as_str());
    assert_ne!(cell(2, "event_hash"), cell(6, "event_hash"));
    assert_eq!(rows(&folder.path().join("one/points.csv")).len(), 4 * 2);
}

/// A price is a factor of the cost and of nothing else.
#[test]
fn three_times_the_price_is_three_times_the_cost() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut arguments = vec!["sweep"];
    arguments.extend(["quickstart", "--set", "workload.synthetic.span=6 h", "--policies", "today"]);
    arguments.extend(["--set", "cluster.dc1.group.gpu.cost=0 USD/h", "--replications", "2"]);
    arguments.extend(["--set", "cluster.dc1.group.cpu.cost=0.5 USD/h..1.5 USD/h:3"]);
    arguments.extend(["--out", "out", "--quiet"]);
    let output = windtunnel(folder.path(), &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let all = rows(&folder.path().join("out/sweep.csv"));
    let cost = |row: usize| all[row]["cost_total"].parse::<f64>().expect("a number");
    for replication in 0..2 {
        let once = cost(replication);
        assert!(once > 1.0);
        for (factor, row) in [(2.0, replication + 2), (3.0, replication + 4)] {
            // Each charge is rounded to a nano-dollar.
            assert!((cost(row) / once - factor).abs() < 1e-6, "{} and {once}", cost(row));
            assert_eq!(all[row]["wait_mean"], all[replication]["wait_mean"]);
        }
    }
}

#[track_caller]
fn refused(arguments: &[&str], want: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut all = vec!["sweep", "quickstart"];
    all.extend(arguments);
    let output = windtunnel(folder.path(), &all);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for want in want {
        assert!(said.contains(want), "{said}");
    }
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "something was written");
}

#[test]
fn wrong_sweeps_are_refused_before_anything_runs() {
    let nodes = "cluster.dc1.group.cpu.nodes";
    refused(&[], &["there is nothing to sweep", "hint: give a range or a list"]);
    refused(&["--set", &format!("{nodes}=12")], &["there is nothing to sweep"]);
    let wait = "policy.burst.provision.cheapest.after_wait=1 min..1 h";
    refused(&["--set", wait], &["does not say how many", "`10..40:4`"]);
    refused(&["--set", &format!("{nodes}=4..9 step 3")], &["steps of `3` do not lead"]);
    refused(&["--set", &format!("{nodes}=8..4:3")], &["does not rise", "lower end first"]);
    refused(&["--set", &format!("{nodes}=0..4:3")], &["from 1 to 1000000, found `0`"]);
    refused(
        &["--set", "cluster.dc1.group.cpu.nods=4..8:2"],
        &["unknown key `nods`", "did you mean `nodes`?"],
    );
    refused(&["--set", "cluster.dc1=1,2"], &["it is a table, not a single value"]);
    refused(
        &["--set", &format!("{nodes}=4..8:2"), "--set", &format!("{nodes}=9")],
        &["is set twice"],
    );
    refused(
        &["--replications", "1", "--set", "seed=1..9999:9999"],
        &["at least 39996 runs", "raise `--max-runs`"],
    );
    refused(&["--set", "seed=1,2", "--seed", "3"], &["`seed` is both an axis and a flag"]);
    refused(
        &["--set", &format!("{nodes}=4..8:2"), "--metric", "cost_totl"],
        &["there is no metric `cost_totl`", "did you mean `cost_total`?"],
    );
    refused(
        &["--set", &format!("{nodes}=4..8:2"), "--policies", "bust"],
        &["no policy `bust`", "did you mean `burst`?"],
    );
    refused(&["--set", &format!("{nodes}=4..8"), "--sample", "sobol:9"], &["must be `random:N`"]);
}

#[test]
fn a_sample_is_drawn_again_from_its_seed() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |seed: &str| {
        let mut arguments = vec!["sweep"];
        arguments.extend(SMALL);
        arguments.extend(["--set", "cluster.dc1.group.cpu.nodes=4..20", "--sample", "lhs:6"]);
        arguments.extend(["--set", "workload.synthetic.arrivals.per_hour=40..80"]);
        arguments.extend(["--replications", "1", "--no-out", "--json", "--set"]);
        let seed = format!("seed={seed}");
        arguments.push(&seed);
        let output = windtunnel(folder.path(), &arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")
    };
    let found = run("1");
    assert_eq!(found, run("1"));
    assert_ne!(found["points"], run("2")["points"]);
    assert_eq!(found["points"].as_array().map(Vec::len), Some(12));
    assert_eq!(found["same_work"], false);
    assert_eq!(found["ranked_by"], "cost_per_core_hour");
}

#[test]
fn settings_of_other_policies_have_no_effect() {
    let folder = tempfile::tempdir().expect("a folder");
    let wait = "policy.burst.provision.cheapest.after_wait";
    let sweep = |more: &[&str]| {
        let mut arguments = vec!["sweep"];
        arguments.extend(["quickstart", "--set", "workload.synthetic.span=6 h", "--quiet"]);
        arguments.extend(["--replications", "1", "--no-out"]);
        arguments.extend(more);
        let output = windtunnel(folder.path(), &arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let (nodes, range) = ("cluster.dc1.group.cpu.nodes=4..20", format!("{wait}=1 min..2 h"));
    let sample = [
        "--policies",
        "today,burst",
        "--sample",
        "lhs:6",
        "--json",
        "--set",
        nodes,
        "--set",
        &range,
    ];
    let found: serde_json::Value = serde_json::from_str(&sweep(&sample)).expect("JSON");
    let effects = found["effects"].as_array().expect("effects");
    let of = |policy: &str, key: &str| {
        effects.iter().filter(|one| one["policy"] == policy && one["key"] == key).count()
    };
    assert_eq!(of("today", wait), 0, "{effects:?}");
    assert!(of("burst", wait) > 0 && of("today", "cluster.dc1.group.cpu.nodes") > 0);
    let two = format!("{wait}=1 min,2 h");
    let tied = sweep(&["--policies", "today", "--set", &two]);
    assert!(tied.contains("All 2 points tie: today does the same"), "{tied}");
}

/// Jobs of 100 h on machines that fail once a day, where a checkpoint takes 5 min and a restart 10 min: by
/// the closed form of `verify` 51 parts of about 2 h are the best number.
#[test]
fn the_best_number_of_checkpoints_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = r#"
question = "How often is a checkpoint written?"
[workload.synthetic]
count = 100
arrivals = { every = "1 min" }
[workload.synthetic.class.c]
runtime = "100 h"
vcpus = 1
memory = "1 GiB"
checkpoint = { write = "5 min", restore = "10 min" }
[cluster.c]
nodes = 100
shape = { vcpus = 1, memory = "2 GiB" }
[[failure]]
name = "host"
provider = "c"
mtbf = "24 h"
repair = "0 s"
[policy.p]
preset = "batch-fcfs"
[policy.p.checkpoint.periodic]
every = "1 h"
"#;
    std::fs::write(folder.path().join("a.toml"), scenario).expect("written");
    // The longest whole seconds that make so many parts of 100 h.
    let parts = [17, 25, 34, 51, 68, 100];
    let every = parts.map(|parts| format!("{} s", 360_000_u32.div_ceil(parts)));
    let key = format!("policy.p.checkpoint.periodic.every={}", every.join(","));
    let mut arguments = vec!["sweep", "a.toml", "--set", &key, "--quiet"];
    arguments.extend(["--replications", "20", "--out", "out"]);
    let output = windtunnel(folder.path(), &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let points = rows(&folder.path().join("out/points.csv"));
    let found: Vec<f64> =
        points.iter().map(|row| row["turnaround_mean"].parse().expect("a time")).collect();
    let best = (0..parts.len()).min_by(|&one, &other| found[one].total_cmp(&found[other]));
    assert_eq!(best.map(|row| parts[row]), Some(51), "{found:?}");
}
