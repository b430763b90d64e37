//! Whatever windtunnel is at, it ends soon when it is asked to, says how it
//! ended, and leaves nothing that looks whole and is not.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

const WINDTUNNEL: &str = env!("CARGO_BIN_EXE_windtunnel");

/// By hand it is a third of a second; machines that test are busy.
const SOON: Duration = Duration::from_secs(3);

/// Work without an end to read, for practical purposes.
const ENDLESS: &str = r#"question = "Does it end?"
[workload]
trace = "a.csv"
[[workload.transform]]
repeat = { times = 4294967295, period = "1 min" }
[cluster.dc]
nodes = 1
shape = { vcpus = 4, memory = "8 GiB" }
[policy.p]
preset = "batch-fcfs"
"#;

fn folder(scenario: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.csv"), "arrival_s,runtime_s\n0,5\n").expect("written");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    folder
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(WINDTUNNEL);
    command.current_dir(folder).args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

fn send(child: &Child, signal: Signal) {
    let id = i32::try_from(child.id()).expect("an id");
    kill(Pid::from_raw(id), signal).expect("it is there");
}

/// Message of the command when it gets a signal after a while; it must end soon.
#[track_caller]
fn interrupted(folder: &Path, arguments: &[&str], after: f64, signal: Signal, code: i32) -> String {
    let mut child = start(folder, arguments);
    // Its standard input stays open, so that it has no end.
    let input = child.stdin.take();
    sleep(Duration::from_secs_f64(after));
    let begin = Instant::now();
    send(&child, signal);
    let output = child.wait_with_output().expect("it ends");
    let took = begin.elapsed();
    drop(input);
    eprintln!("{arguments:?} ended after {took:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(took < SOON, "{arguments:?} ended after {took:?}");
    assert!(said.contains("interrupted: "), "{said}");
    said
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn reading_and_converting_end() {
    let folder = folder(ENDLESS);
    let path = folder.path();
    interrupted(path, &["validate", "a.toml"], 0.5, Signal::SIGINT, 130);
    interrupted(path, &["trace", "stats", "a.toml"], 0.5, Signal::SIGTERM, 143);
    interrupted(path, &["trace", "convert", "a.toml", "b.csv.gz"], 0.5, Signal::SIGHUP, 129);
    // Standard input that never ends.
    interrupted(path, &["trace", "stats", "-"], 0.5, Signal::SIGINT, 130);
    assert_eq!(names(path), ["a.csv", "a.toml"]);
}

#[test]
fn a_run_ends_and_leaves_nothing() {
    let folder = folder(ENDLESS);
    interrupted(folder.path(), &["run", "a.toml", "--out", "o"], 0.7, Signal::SIGTERM, 143);
    assert_eq!(names(folder.path()), ["a.csv", "a.toml"]);
}

/// Policies that think long about many that wait, all at one moment.
#[test]
fn a_long_decision_ends() {
    let text = r#"question = "Does it end?"
[workload.synthetic]
count = 40000
arrivals = { every = "1 us" }
class.a = { runtime = "uniform(low=1 h, high=9 h)", estimate = "uniform(low=1, high=9)", vcpus = "uniform(low=1, high=60)", tasks = 3 }
[cluster.dc]
nodes = 40
shape = { vcpus = 64, memory = "256 GiB" }
[policy.p]
preset = "batch-conservative"
"#;
    let folder = folder(text);
    let arguments = ["run", "a.toml", "--out", "o"];
    let child = start(folder.path(), &arguments);
    sleep(Duration::from_secs(2));
    let begin = Instant::now();
    send(&child, Signal::SIGINT);
    let output = child.wait_with_output().expect("it ends");
    // It may have been quick enough.
    let code = output.status.code();
    assert!(matches!(code, Some(130 | 0)), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(begin.elapsed() < SOON, "ended after {:?}", begin.elapsed());
    assert!(!names(folder.path()).iter().any(|name| name.contains("incomplete")));
}

#[test]
fn verification_and_the_preparation_of_a_sweep_end() {
    let folder = folder(&ENDLESS.replace("4294967295", "3"));
    let path = folder.path();
    interrupted(path, &["verify"], 1.0, Signal::SIGTERM, 143);
    let points = "cluster.dc.nodes=1..10000:10000";
    let sweep = [
        "sweep",
        "a.toml",
        "--set",
        points,
        "--set",
        "horizon=1 d,2 d,3 d",
        "--max-runs",
        "5000000",
        "--out",
        "o",
    ];
    interrupted(path, &sweep, 1.0, Signal::SIGINT, 130);
    let limited = [&sweep[..], &["--max-wall", "1 s"]].concat();
    let begin = Instant::now();
    let output = start(path, &limited).wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("limit: it took longer than `--max-wall`, which is 1 s"), "{said}");
    assert!(begin.elapsed() < Duration::from_secs(1) + SOON, "after {:?}", begin.elapsed());
    assert_eq!(names(path), ["a.csv", "a.toml"]);
}

#[test]
fn the_wall_is_looked_at_while_inputs_are_read() {
    let folder = folder(ENDLESS);
    let begin = Instant::now();
    let arguments = ["compare", "a.toml", "--out", "o", "--max-wall", "1 s"];
    let output = start(folder.path(), &arguments).wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(begin.elapsed() < Duration::from_secs(1) + SOON, "after {:?}", begin.elapsed());
    assert_eq!(names(folder.path()), ["a.csv", "a.toml"]);
}

/// Scenario of a policy that says a good first line and then is never heard of again.
fn silent() -> String {
    let script = r#"read line; echo '{"ready":{"protocol":1}}'; echo $$ > pid; sleep 600 & wait"#;
    let script = serde_json::to_string(script).expect("a text");
    let policy = format!("external = [\"sh\", \"-c\", {script}]\ndeadline = \"1 h\"\n");
    ENDLESS.replace("preset = \"batch-fcfs\"\n", &policy)
}

/// Whether anybody is left in the group of the policy that has written its id.
fn group_is_there(folder: &Path) -> bool {
    let id = fs::read_to_string(folder.join("pid")).expect("the policy has begun");
    let id: i32 = id.trim().parse().expect("an id");
    // Zombies count for the group too, until they are waited for.
    nix::sys::signal::killpg(Pid::from_raw(id), None).is_ok()
}

#[test]
fn waiting_for_an_answer_ends_and_the_policy_goes_too() {
    for (signal, code) in [(Signal::SIGINT, Some(130)), (Signal::SIGKILL, None)] {
        let folder = folder(&silent());
        let child = start(folder.path(), &["run", "a.toml", "--out", "o"]);
        let begin = Instant::now();
        while !fs::read_to_string(folder.path().join("pid")).is_ok_and(|id| id.ends_with('\n')) {
            assert!(begin.elapsed() < Duration::from_secs(20), "the policy has not begun");
            sleep(Duration::from_millis(20));
        }
        let begin = Instant::now();
        send(&child, signal);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), code);
        while group_is_there(folder.path()) {
            assert!(begin.elapsed() < SOON, "the policy outlives windtunnel");
            sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn an_experiment_keeps_what_is_done_and_goes_on() {
    let text = r#"question = "Does it go on?"
[workload.synthetic]
count = 4000
arrivals = { per_hour = 20 }
class.a = { runtime = "exponential(mean=1 h)" }
[cluster.dc]
nodes = 20
shape = { vcpus = 4, memory = "8 GiB" }
[policy.p]
[policy.q]
preset = "batch-fcfs"
"#;
    let folder = folder(text);
    let path = folder.path();
    let arguments = ["compare", "a.toml", "--out", "o", "-r", "400", "--threads", "1"];
    let child = start(path, &arguments);
    let journal = path.join(".o.incomplete/journal.jsonl");
    let begin = Instant::now();
    while fs::read_to_string(&journal).map_or(0, |text| text.lines().count()) < 3 {
        assert!(begin.elapsed() < Duration::from_secs(60), "no run is done");
        sleep(Duration::from_millis(20));
    }
    let begin = Instant::now();
    send(&child, Signal::SIGHUP);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(129), "{said}");
    assert!(begin.elapsed() < SOON, "ended after {:?}", begin.elapsed());
    assert!(said.contains("kept: ") && said.contains("--resume"), "{said}");
    assert_eq!(names(&path.join(".o.incomplete")), ["journal.jsonl", "partial.json"]);
    let partial = fs::read_to_string(path.join(".o.incomplete/partial.json")).expect("it is there");
    assert!(partial.contains("interrupted"), "{partial}");
    assert!(!path.join("o").exists());
}

/// Runs a line of the shell in which `$0` is windtunnel.
fn shell(folder: &Path, line: &str) -> Output {
    let mut command = Command::new("sh");
    command.current_dir(folder).args(["-c", line, WINDTUNNEL]).output().expect("sh starts")
}

#[test]
fn no_room_is_an_error_that_says_so() {
    let folder = folder(&ENDLESS.replace("4294967295", "4000"));
    let check = |line: &str, want: &str| {
        let output = shell(folder.path(), line);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{line}: {said}");
        assert!(said.contains(want), "{said}");
        assert_eq!(names(folder.path()), ["a.csv", "a.toml"]);
    };
    check("ulimit -f 8; \"$0\" run a.toml --quiet --out o", "`ulimit -f`");
    if cfg!(target_os = "linux") {
        check("\"$0\" policies > /dev/full", "no room left");
    }
}

#[test]
fn what_is_to_be_ignored_is_ignored() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let folder = folder(&ENDLESS.replace("4294967295", "3"));
    // Waits for its standard input, and is then told to go on.
    let line = "trap '' HUP; exec \"$0\" trace stats -";
    let mut command = Command::new("sh");
    command.current_dir(folder.path()).args(["-c", line, WINDTUNNEL]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sh starts");
    sleep(Duration::from_millis(500));
    send(&child, Signal::SIGHUP);
    sleep(Duration::from_millis(500));
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(b"arrival_s,runtime_s\n0,5\n").expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success() && !output.stdout.is_empty());
}
