//! Inputs as a user gives them: validated, described, explained, piped.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const WINDTUNNEL: &str = env!("CARGO_BIN_EXE_windtunnel");

/// Runs windtunnel in a folder.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(WINDTUNNEL);
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

/// A folder with `a.csv` and a scenario `a.toml` that replays it on one node of 4 cores.
fn folder(rows: &str, more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = format!(
        "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n[cluster.dc]\nnodes = 1\n\
         shape = {{ vcpus = 4, memory = \"8 GiB\" }}\n[policy.p]\n{more}"
    );
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    folder
}

#[test]
fn every_bad_row_is_reported_at_once() {
    let rows = "id,arrival_s,runtime_s\na,0,5\nb,x,5\na,1,5\nc,1,1e9\nd,0,5\ne,2,5\n";
    let folder = folder(rows, "");
    let output = run(folder.path(), &["validate", "a.toml"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    let lines: Vec<&str> = told.lines().filter(|line| !line.starts_with("  hint")).collect();
    let want = [
        "a.csv:3:3: arrival_s: `x` is not a number",
        "a.csv:4:1: an earlier row is called `a` too",
        "a.csv:5:5: runtime_s: `1e9` has an exponent: write its digits out",
        "a.csv:6:1: the row arrives at 0 s, before its predecessor at 1 s",
    ];
    assert_eq!(lines, want);
    assert!(run(folder.path(), &["validate", "a.toml", "--no-data"]).status.success());
}

#[test]
fn no_more_work_is_read_than_a_run_may_have() {
    let more = "[[workload.transform]]\nrepeat = { times = 4294967295, period = \"1 h\" }\n\
        [limits]\nmax_jobs = 50\n";
    let folder = folder("arrival_s,runtime_s\n0,5\n", more);
    let output = run(folder.path(), &["validate", "a.toml"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("more work than `limits.max_jobs`, which is 50"), "{told}");
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let rows = "submit_s,duration_s,cores\n0,60,4\n5,60,4\n";
    let folder = folder(rows, "");
    let piped = |arguments: &[&str]| {
        let mut child = Command::new(WINDTUNNEL)
            .current_dir(folder.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut input = child.stdin.take().expect("it is piped");
        input.write_all(rows.as_bytes()).expect("it reads");
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", text(&output.stderr));
        output.stdout
    };
    let of_file = run(folder.path(), &["trace", "stats", "a.csv", "--json"]);
    assert_eq!(text(&piped(&["trace", "stats", "-", "--json"])), text(&of_file.stdout));
    let edit = ["--set", "workload.trace=-", "--no-out", "--quiet"];
    let of_pipe = piped(&[&["run", "a.toml"][..], &edit].concat());
    let of_file = run(folder.path(), &["run", "a.toml", "--no-out", "--quiet"]);
    assert!(of_file.status.success() && !of_pipe.is_empty());
    // The edit is told where the scenario is named.
    let told = text(&of_pipe).replace(", with --set workload.trace=-", "");
    assert_eq!(told.len(), of_file.stdout.len());
}

#[test]
fn waiting_after_a_preemption_is_explained() {
    let rows = "id,arrival_s,runtime_s,estimate_s,vcpus,priority\n\
        long,0,100,100,4,0\nshort,10,10,10,4,5\n";
    let folder = folder(rows, "preempt = \"priority\"\norder = \"priority\"\n");
    let out = run(folder.path(), &["run", "a.toml", "--explain", "--out", "o", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let told = text(&run(folder.path(), &["explain", "o", "--job", "long"]).stdout);
    // It runs from 0 to 10 s, is stopped, and starts again when the other one has ended.
    assert!(
        told.contains("preempted after 10 s, yielding to short, 10 s of its work lost\n  10 s, after 10 s to after 20 s: next"),
        "{told}"
    );
}

#[test]
fn refused_work_is_told_what_speaks_against_each_offer() {
    let rows = "id,arrival_s,runtime_s,vcpus,gpus,tasks,gpu_models,not_regions\n\
        wide,0,5,8,0,1,,\nmany,0,5,1,0,9,,\nmodel,0,5,1,1,1,H100,\nplace,0,5,1,0,1,,dc\n";
    let folder = folder(rows, "");
    let out = run(folder.path(), &["run", "a.toml", "--explain", "--out", "o", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let cases = [
        ("wide", "dc, not taken: too small: a task asks for 8 cores, an instance has 4"),
        ("many", "dc, not taken: 9 tasks must run at once, it has room for 4"),
        ("model", "dc, not taken: no GPU of a model that the job asks for"),
    ];
    for (job, want) in cases {
        let told = text(&run(folder.path(), &["explain", "o", "--job", job]).stdout);
        assert!(told.contains(want), "{job}: {told}");
    }
}

#[test]
fn jobs_of_one_name_are_not_merged() {
    let rows = "id,arrival_s,runtime_s,vcpus\n=a,0,5,4\n=a,1,5,4\n";
    let folder = folder(rows, "");
    let out = run(folder.path(), &["run", "a.toml", "--explain", "--out", "o", "--quiet"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let output = run(folder.path(), &["explain", "o", "--job", "=a"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains("2 jobs are called `=a`"), "{told}");
    let told = text(&run(folder.path(), &["explain", "o", "--job", "=a", "--ordinal", "1"]).stdout);
    // The node is taken until 5 s.
    assert!(told.contains("waited 4 s"), "{told}");
}

#[test]
fn what_init_writes_runs() {
    let folder = folder("submit_time,start_time,end_time,num_gpus\n0,5,65,128\n10,12,72,1\n", "");
    let made = run(folder.path(), &["init", "new.toml", "--from", "a.csv"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let out = run(folder.path(), &["run", "new.toml", "--no-out"]);
    assert!(text(&out.stdout).contains("2 of 2"), "{}", text(&out.stdout));
}

#[test]
fn a_file_is_not_forced_into_a_folder() {
    let folder = folder("arrival_s,runtime_s\n0,5\n", "");
    let out = run(folder.path(), &["run", "a.toml", "--out", "a.csv", "--force", "--quiet"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("`a.csv` is a file, not a folder of results"));
}

/// A target that must be new and is there already is the same mistake everywhere.
#[test]
fn what_exists_already_is_a_wrong_call() {
    let folder = folder("arrival_s,runtime_s\n0,5\n", "");
    std::fs::create_dir(folder.path().join("o")).expect("made");
    std::fs::write(folder.path().join("b.csv"), "").expect("written");
    let calls: [&[&str]; 7] = [
        &["run", "a.toml", "--out", "o"],
        &["compare", "a.toml", "--out", "o"],
        &["run", "a.toml", "--out", "b.csv"],
        &["run", "a.toml", "--no-out", "--decisions", "b.csv"],
        &["run", "a.toml", "--no-out", "--record-exchange", "b.csv"],
        &["trace", "convert", "a.csv", "b.csv"],
        &["init", "b.csv"],
    ];
    for call in calls {
        let out = run(folder.path(), call);
        assert_eq!(out.status.code(), Some(2), "{call:?}: {}", text(&out.stderr));
        assert!(text(&out.stderr).contains("` exists already"), "{}", text(&out.stderr));
    }
    // A right call whose output cannot be written is another mistake.
    let out = run(folder.path(), &["init", "nowhere/a.toml"]);
    assert_eq!(out.status.code(), Some(5), "{}", text(&out.stderr));
}

#[test]
fn what_is_no_result_is_not_replaced() {
    let folder = folder("arrival_s,runtime_s\n0,5\n", "");
    let again = ["run", "a.toml", "--out", "o", "--force", "--quiet"];
    assert!(run(folder.path(), &again).status.success());
    assert!(run(folder.path(), &again).status.success());
    let notes = folder.path().join("o/notes.txt");
    std::fs::write(&notes, "mine").expect("written");
    let out = run(folder.path(), &again);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("`o` holds `notes.txt`, which is no result"));
    assert!(notes.exists());
}
