//! What traces say, read as their writers meant it: when runs begin, who was
//! there before, which rows are work. Right values are derived by hand.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs windtunnel in a folder.
fn windtunnel(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

/// A folder with a trace and a scenario for it, `a.toml`: its `[workload]` and
/// what runs it.
fn folder(trace: (&str, &str), workload: &str, runs_on: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let (name, rows) = trace;
    let scenario = format!(
        "question = \"?\"\n{runs_on}\n[policy.p]\npreset = \"batch-fcfs\"\n\
         [workload]\ntrace = \"{name}\"\n{workload}"
    );
    fs::write(folder.path().join(name), rows).expect("written");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    folder
}

/// What the first policy of `a.toml` in a folder comes to.
fn summary(folder: &Path) -> Value {
    let output = windtunnel(folder, &["run", "a.toml", "--force", "--out", "o"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json = fs::read_to_string(folder.join("o/summary.json")).expect("a summary");
    serde_json::from_str(&json).expect("it is JSON")
}

/// Columns of `jobs.csv` by name, a line each, sorted.
fn jobs(folder: &Path, columns: &[&str]) -> Vec<String> {
    let csv = fs::read_to_string(folder.join("o/jobs.csv")).expect("a table");
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let at = |name: &&str| header.iter().position(|known| known == name).expect("a column");
    let at: Vec<usize> = columns.iter().map(at).collect();
    let row = |line: Vec<&str>| at.iter().map(|&at| line[at]).collect::<Vec<_>>().join(" ");
    let mut rows: Vec<String> = lines.map(row).collect();
    rows.sort();
    rows
}

/// Dollars in all.
fn cost(summary: &Value) -> f64 {
    summary["summary"]["cost"]["total_usd"].as_f64().expect("a cost")
}

/// Metric `name`.
fn metric(summary: &Value, name: &str) -> f64 {
    summary["summary"][name].as_f64().unwrap_or_else(|| panic!("{name} in {summary}"))
}

const FOUR: &str = "[cluster.m]\nnodes = 4\nshape = { vcpus = 1, memory = \"4 GiB\" }\n\
    cost = \"0.03 USD/h\"";

/// Submitted at 2020-01-01, as seconds since 1970.
const SINCE_1970: &str = "; UnixStartTime: 0\n\
    1 1577836800 -1 100 2 -1 -1 2 100 -1 1 1 1 -1 1 1 -1 -1\n\
    2 1577836900 -1 100 2 -1 -1 2 100 -1 1 1 1 -1 1 1 -1 -1\n";

#[test]
fn a_run_begins_with_the_first_arrival() {
    // 200 s of four nodes at 0.03 USD per hour.
    let right = 200.0 * 4.0 * 0.03 / 3_600.0;
    let folder = folder(("a.swf", SINCE_1970), "", FOUR);
    let found = summary(folder.path());
    assert!((cost(&found) - right).abs() < 1e-8, "{found}");
    let told = text(&windtunnel(folder.path(), &["run", "a.toml", "--force"]).stdout);
    assert!(told.contains("2020-01-01T00:00:00Z to 2020-01-01T00:03:20Z"), "{told}");
    // A log without dates that was cut from a longer one.
    let late = SINCE_1970.replace("; UnixStartTime: 0\n", "").replace("15778368", "436034");
    let late = late.replace("15778369", "436035");
    fs::write(folder.path().join("a.swf"), late).expect("written");
    let found = summary(folder.path());
    assert!((cost(&found) - right).abs() < 1e-8, "{found}");
    assert_eq!(jobs(folder.path(), &["job", "submitted_s"]), ["1 0.000000", "2 100.000000"]);
}

/// Whatever is left out before it, the first work that is left begins the run.
#[test]
fn work_that_is_left_out_does_not_delay_the_run() {
    let rows = "id,arrival_s,runtime_s,vcpus\na,0,100,1\nb,900,3600,1\nc,1000,3500,1\n";
    let skip = "[[workload.transform]]\nskip = 1\n";
    let folder = folder(("a.csv", rows), skip, FOUR);
    let found = summary(folder.path());
    assert!((cost(&found) - 0.12).abs() < 1e-8, "{found}");
    // A window that was asked for by its beginning begins there.
    let window = "[[workload.transform]]\nwindow = { from = \"10 min\" }\n";
    let scenario = fs::read_to_string(folder.path().join("a.toml")).expect("it is there");
    fs::write(folder.path().join("a.toml"), scenario.replace(skip, window)).expect("written");
    summary(folder.path());
    assert_eq!(jobs(folder.path(), &["job", "submitted_s"]), ["b 300.000000", "c 400.000000"]);
}

#[test]
fn the_time_before_the_first_arrival_is_told_where_a_start_wants_it() {
    let rows = "id,arrival_s,runtime_s,vcpus\na,36000,100,1\n";
    let folder = folder(("a.csv", rows), "", &format!("start = \"2026-03-01\"\n{FOUR}"));
    let found = summary(folder.path());
    // 36,100 s of four nodes, 36,000 of which are idle: 1.20 USD.
    assert!((cost(&found) - 36_100.0 / 3_600.0 * 0.12).abs() < 1e-8, "{found}");
    let told = found["assumptions"].to_string();
    let want = "The first work arrives 10 h after `start`; owned machines cost $1.20 until then.";
    assert!(told.contains(want), "{told}");
}

/// `a` and `c` were there before the trace.
const MACHINES: &str =
    "name,creation_time,deletion_time,cpus\na,,,4\nb,100,,2\nc,,500,2\nd,200,300,1\ne,,-5,1\n";

#[test]
fn machines_without_a_creation_are_alive_at_the_start() {
    let mapping = "unsorted = \"sort\"\nkind = \"vm\"\n[workload.columns]\nid = \"name\"\n\
        arrival = \"creation_time\"\nend = \"deletion_time\"\ncpu = \"cpus\"\n";
    let node = "horizon = \"1000 s\"\n[cluster.m]\nnodes = 1\n\
        shape = { vcpus = 32, memory = \"4 GiB\" }";
    let folder = folder(("a.csv", MACHINES), mapping, node);
    let found = summary(folder.path());
    let want = ["a 0.000000 1000.000000", "b 100.000000 1000.000000", "c 0.000000 500.000000"];
    let all = jobs(folder.path(), &["job", "submitted_s", "end_s"]);
    assert_eq!(all[..3], want);
    assert_eq!(all[3], "d 200.000000 300.000000");
    let notes = &found["row_notes"];
    assert_eq!((&notes["alive_at_start"], &notes["ended_before"]), (&2.into(), &1.into()));
}

/// Of the machines alive at 150 s, 50 s later.
#[test]
fn a_window_may_keep_what_was_alive() {
    let rows = "id,arrival_s,lifetime_s,vcpus\na,0,forever,4\nb,10,100,1\nc,20,1000,2\nd,210,5,1\n";
    let node = "horizon = \"2000 s\"\n[cluster.m]\nnodes = 1\n\
        shape = { vcpus = 32, memory = \"4 GiB\" }";
    let window = "[[workload.transform]]\nwindow = { from = \"150 s\", alive = \"vms\" }\n";
    let folder = folder(("a.csv", rows), window, node);
    summary(folder.path());
    let all = jobs(folder.path(), &["job", "submitted_s", "end_s"]);
    let want = ["a 0.000000 2000.000000", "c 0.000000 870.000000", "d 60.000000 65.000000"];
    assert_eq!(all, want);
}

#[test]
fn parts_of_an_swf_job_are_left_out() {
    let log = "1 0 5 100 2 -1 -1 2 200 -1 1 3 1 -1 1 1 -1 -1\n\
        1 -1 5 40 2 -1 -1 2 200 -1 2 3 1 -1 1 1 -1 -1\n\
        1 -1 20 60 2 -1 -1 2 200 -1 3 3 1 -1 1 1 -1 -1\n\
        2 50 5 100 2 -1 -1 2 200 -1 1 3 1 -1 1 1 -1 -1\n";
    let folder = folder(("a.swf", log), "", &FOUR.replace("nodes = 4", "nodes = 2"));
    let found = summary(folder.path());
    assert_eq!(jobs(folder.path(), &["job", "wait_s"]), ["1 0.000000", "2 50.000000"]);
    assert!((metric(&found, "useful_core_hours") * 3_600.0 - 400.0).abs() < 1e-6, "{found}");
    assert_eq!(found["row_notes"], serde_json::json!({ "part": 2 }));
}
