//! Policies in other processes: what they may do, that they decide as ours do
//! where they follow the same rule, and that whatever they do wrong ends
//! promptly, with a message that helps, and leaves nothing behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const WINDTUNNEL: &str = env!("CARGO_BIN_EXE_windtunnel");

/// Sixty jobs on two nodes and in the cloud; `POLICY` goes to the end.
const SCENARIO: &str = r#"question = "Does it hold?"
horizon = "3 d"
[workload.synthetic]
count = 60
arrivals = { per_hour = 20 }
class.small = { runtime = "exponential(mean=1 h)", vcpus = "uniform(low=1, high=3)", memory = "2 GiB" }
class.wide = { runtime = "exponential(mean=2 h)", vcpus = 2, memory = "4 GiB", tasks = 4 }
[cluster.c]
nodes = 2
shape = { vcpus = 16, memory = "64 GiB" }
cost = "1 USD/h"
[cloud.aws]
regions = ["us-east-1"]
types = ["m5.xlarge"]
"#;

/// Jobs of every kind of demand on owned nodes, and three policies that decide the same.
pub(crate) const BEST_FIT: &str = r#"question = "Is best fit the same everywhere?"
baseline = "native"
[workload.synthetic]
count = 300
arrivals = { per_hour = 40 }
class.small = { runtime = "exponential(mean=1 h)", vcpus = "uniform(low=1, high=3)", memory = "uniform(low=1 GiB, high=9 GiB)" }
class.gang = { runtime = "exponential(mean=2 h)", vcpus = 2, memory = "4 GiB", tasks = 5 }
class.loose = { runtime = "exponential(mean=1 h)", vcpus = 3, memory = "2 GiB", tasks = 6, gang = false }
class.gpus = { runtime = "exponential(mean=3 h)", vcpus = 1, memory = "1 GiB", gpus = 2 }
class.part = { runtime = "exponential(mean=2 h)", vcpus = 1, memory = "1 GiB", gpus = 1, gpu_share = "uniform(low=0.2, high=0.7)" }
[cluster.plain]
nodes = 6
shape = { vcpus = 16, memory = "64 GiB" }
[cluster.gpu]
nodes = 3
shape = { vcpus = 24, memory = "96 GiB", gpus = "4 x A100-80GB" }
[policy.native]
preset = "vm-packing"
[policy.part]
preset = "vm-packing"
place = { external = ["python3", "best_fit.py"] }
[policy.whole]
external = ["python3", "best_fit.py"]
"#;

/// First line of a well-behaved process.
const READY: &str = r#"read line; echo '{"ready":{"protocol":1}}';"#;

/// A folder with the scenario and one policy `p`.
fn folder(policy: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.toml");
    std::fs::write(&path, format!("{SCENARIO}{policy}")).expect("it can be written");
    (folder, path)
}

fn windtunnel(scenario: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(WINDTUNNEL);
    command.arg("run").arg(scenario).args(["--no-out", "--json", "--quiet", "--audit"]).args(more);
    command
}

fn run(policy: &str) -> Output {
    let (_folder, path) = folder(policy);
    windtunnel(&path, &[]).output().expect("windtunnel starts")
}

/// The event hash of a run that must succeed.
#[track_caller]
fn hash(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    json["fingerprint"].as_str().expect("it has a hash").to_owned()
}

/// A policy of one shell script, with a deadline of a second and small answers.
fn shell(script: &str) -> String {
    let script = serde_json::to_string(&format!("{READY}{script}")).expect("a text");
    let limits = "deadline = \"1 s\"\nmax_answer = \"1 KiB\"\n";
    format!("[policy.p]\nexternal = [\"sh\", \"-c\", {script}]\n{limits}")
}

/// Message of a policy of one shell script, which must fail, and soon.
#[track_caller]
fn failure(policy: &str) -> String {
    let begin = Instant::now();
    let output = run(policy);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(begin.elapsed() < Duration::from_secs(30), "took {:?}", begin.elapsed());
    assert_eq!(output.stdout.len(), 0, "no result of a failed run");
    said
}

#[track_caller]
fn check(script: &str, want: &[&str]) {
    let said = failure(&shell(script));
    for want in want {
        assert!(said.contains(want), "`{want}` is not in:\n{said}");
    }
}

#[test]
fn a_process_that_does_not_answer_is_ended_at_its_deadline() {
    check(
        "sleep 600",
        &["policy: policy `p` (`sh -c", "did not answer within 1 s (call 1)", "hint:"],
    );
    // A line without an end is no answer yet.
    check("printf '{'; sleep 600", &["did not answer within 1 s"]);
    // Nor does anybody wait for a full pipe.
    check(
        "while read -r line; do echo \"$line\" >&2; done",
        &["did not answer within 1 s", "its standard error:", "\"begins\""],
    );
}

#[test]
fn floods_end_at_a_limit() {
    check("yes | tr -d '\\n'", &["answers more than 1024 bytes in a line", "`max_answer`"]);
    check("yes", &["answers `y`, which is no answer"]);
    check("yes '{\"answer\":{\"number\":7}}'", &["answers call 7, but was asked call 1"]);
    let said = failure(&shell("yes it is wrong >&2"));
    assert!(said.contains("| (and more before)"), "{said}");
    assert!(said.len() < 20_000, "{} bytes", said.len());
}

#[test]
fn a_process_that_goes_away_says_how() {
    check("echo 'no such rule' >&2; exit 3", &["ended with status 3", "| no such rule"]);
    check("exit 0", &["ended without answering"]);
    check("kill -TERM $$", &["was ended by signal 15 (SIGTERM)"]);
    check("exec >&-; sleep 600", &["closed its standard output"]);
    check("printf '{\"answ'; exit 0", &["ended in the middle of a line: `{\"answ`"]);
    let shut = "exec <&-; echo '{\"ready\":{\"protocol\":1}}'; sleep 600";
    let policy = format!("[policy.p]\nexternal = [\"sh\", \"-c\", {shut:?}]\ndeadline = \"1 s\"\n");
    assert!(failure(&policy).contains("closed its standard input"));
}

#[test]
fn what_is_no_answer_is_shown() {
    let answer =
        |fields: &str| format!("echo '{{\"answer\":{{\"number\":1{fields}}}}}'; sleep 600");
    check("echo hello", &["answers `hello`, which is no answer", "expected value at line 1"]);
    check("printf '\\377\\n'", &["answers bytes that are not UTF-8"]);
    check(&answer(",\"acts\":[]"), &["unknown field `acts`"]);
    check(&answer(",\"scores\":{\"0\":NaN}"), &["which is no answer", "numbers are finite"]);
    check(
        &answer(",\"on\":[{\"instance\":0}]"),
        &["answers `on`, which was not asked", "`actions`"],
    );
    check("echo '{\"ready\":{\"protocol\":1}}'", &["is ready again, but was asked"]);
    let old = "[policy.p]\nexternal = [\"sh\", \"-c\", \"echo '{\\\"ready\\\":{\\\"protocol\\\":9}}'; cat\"]\n";
    assert!(failure(old).contains("speaks version 9 of the protocol, windtunnel speaks 1"));
    let none = failure("[policy.p]\nexternal = [\"./no-such-program\"]\n");
    assert!(none.contains("cannot be started: No such file"), "{none}");
}

/// Answers call 1 (the run begins) by nothing and call 2 (job 0 arrives) by these actions.
fn acts(actions: &str) -> String {
    format!(
        "echo '{{\"answer\":{{\"number\":1}}}}'; read l; read l; \
         echo '{{\"answer\":{{\"number\":2,\"actions\":[{actions}]}}}}'; sleep 600"
    )
}

#[test]
fn illegal_actions_are_named_by_their_rule() {
    let table: [(&str, &str); 15] = [
        (
            r#"{"place":{"work":0,"on":[{"instance":0,"tasks":9}]}}"#,
            "a placement covers between one and all waiting tasks",
        ),
        (r#"{"place":{"work":0,"on":[]}}"#, "a placement covers between one and all"),
        (r#"{"place":{"work":0,"on":[{"instance":77}]}}"#, "names instance 77, which is not there"),
        (r#"{"place":{"work":5,"on":[{"instance":0}]}}"#, "work 5, which was never submitted"),
        (r#"{"place":{"work":0,"on":[{}]}}"#, "on no instance, or on two"),
        (r#"{"place":{"work":0,"on":[{"rented":"x"}]}}"#, "`x`, which this answer has not rented"),
        (
            r#"{"place":{"work":0,"on":[{"instance":0,"devices":[40]}]}}"#,
            "as many GPU devices as it asks",
        ),
        (r#"{"release":{"instance":0}}"#, "an owned instance is never given back"),
        (r#"{"rent":{"offer":"c"}}"#, "an owned offer is not for rent"),
        (r#"{"rent":{"offer":"moon"}}"#, "names the offer `moon`, which is not there"),
        (r#"{"preempt":{"allocation":0}}"#, "an allocation that has ended cannot be preempted"),
        (
            r#"{"migrate":{"allocation":0,"on":[{"instance":0}]}}"#,
            "an allocation that has ended cannot be preempted or moved",
        ),
        (r#"{"wake":{"at":5}}"#, "a timer is set for later than now"),
        (r#"{"refuse":{"work":0}},{"refuse":{"work":0}}"#, "work that has ended cannot"),
        (
            r#"{"refuse":{"work":0}},{"place":{"work":0,"on":[{"instance":0}]}}"#,
            "action 2 of 2, `{\"place\"",
        ),
    ];
    for (actions, want) in table {
        check(&acts(actions), &[want, "(call 2)", "of the simulated time"]);
    }
    let preempted = "[policy.p.preempt]\nexternal = [\"sh\", \"-c\", \"true\"]\n";
    assert!(failure(preempted).contains("the preempt part of policy `p`"));
}

#[test]
fn nothing_is_left_of_a_process_or_of_what_it_started() {
    for end in ["exit 3", "sleep 600", "kill -9 $$", "yes"] {
        let (folder, path) = folder(&shell(&format!("sleep 601 & echo $! > child; {end}")));
        let output = windtunnel(&path, &[]).output().expect("windtunnel starts");
        assert_eq!(output.status.code(), Some(4));
        assert_gone(folder.path(), end);
    }
}

/// The process whose id is in the file `child` is not running any more.
#[track_caller]
fn assert_gone(folder: &Path, when: &str) {
    let id = std::fs::read_to_string(folder.join("child")).expect("the child was started");
    // Its end has been ordered; the system carries that out in its own time.
    let begin = Instant::now();
    while is_alive(id.trim()) {
        assert!(begin.elapsed() < Duration::from_secs(10), "{when}: {id} is still there");
        std::thread::yield_now();
    }
}

fn is_alive(id: &str) -> bool {
    if Path::new("/proc/self/stat").exists() {
        // Whoever adopts an orphan may not have looked at its end yet.
        let status = std::fs::read_to_string(format!("/proc/{id}/stat"));
        return status.is_ok_and(|status| !status.contains(") Z "));
    }
    let shown = Command::new("kill").args(["-0", id]).stderr(Stdio::null()).status();
    shown.is_ok_and(|status| status.success())
}

#[test]
fn an_interrupt_ends_the_process_too() {
    let slow = shell("sleep 601 & echo $! > child; echo started >&2; sleep 600");
    let (folder, path) = folder(&slow.replace("\"1 s\"", "\"1000 s\""));
    let mut command = windtunnel(&path, &[]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let begin = Instant::now();
    let started = || std::fs::read_to_string(folder.path().join("child")).unwrap_or_default();
    while started().is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(20), "the policy did not start");
        std::thread::yield_now();
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(begin.elapsed() < Duration::from_secs(30));
    assert_gone(folder.path(), "interrupt");
}

#[test]
fn a_process_knows_little_of_where_it_runs() {
    let (_folder, path) = folder(&shell("env | sort >&2; exit 3"));
    let output = windtunnel(&path, &[]).env("WT_SECRET", "hunter2").output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("| PATH=") && said.contains("| PYTHONHASHSEED=0"), "{said}");
    assert!(!said.contains("hunter2") && !said.contains("CARGO"), "{said}");
}

/// Standard error that nobody reads in time must not stop a policy that works.
#[test]
fn a_policy_may_talk_as_much_as_it_likes() {
    let answer = r#"n=${line#*number\":}; echo "{\"answer\":{\"number\":${n%%,*}}}""#;
    let output = run(&shell(&format!("yes loud >&2 & while read -r line; do {answer}; done")));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[cfg_attr(not(python3), ignore = "needs python3")]
fn the_python_client_decides_as_ours_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python");
    for file in ["best_fit.py", "windtunnel_policy.py"] {
        std::fs::copy(clients.join(file), folder.path().join(file)).expect("it can be copied");
    }
    let path = folder.path().join("a.toml");
    let run = |policy| windtunnel(&path, &["--policy", policy]).output().expect("it starts");
    // GPUs that break one by one, of which the program must know that they are not free.
    let breaks = "[[failure]]\nprovider = \"gpu\"\nmtbf_per_gpu = \"30 h\"\ndevices = \"one\"\n\
                  repair = \"exponential(mean=2 h)\"\ncrews = 2\n";
    let mut hashes = Vec::new();
    for faults in ["", breaks] {
        std::fs::write(&path, format!("{BEST_FIT}{faults}")).expect("it can be written");
        let native = hash(&run("native"));
        assert_eq!([hash(&run("part")), hash(&run("whole"))], [native.clone(), native.clone()]);
        hashes.push(native);
    }
    assert_ne!(hashes[0], hashes[1]);
}
