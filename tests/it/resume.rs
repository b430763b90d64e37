//! Experiments that are stopped: killed at any moment, interrupted, out of
//! disk or over a limit. Gone on with, they give the bytes of one that was not.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::dice::Dice;

/// Two policies on a cluster that is too small by day, with a trace of boots.
const SCENARIO: &str = r#"
question = "How many runs survive?"
baseline = "fcfs"
[workload.synthetic]
count = 300
arrivals = { per_hour = 60 }
class.a = { runtime = "lognormal(median=20 min, p95=2 h)", vcpus = 4 }
[cluster.c]
nodes = 10
shape = { vcpus = 8, memory = "32 GiB" }
cost = "1 USD/h"
[policy.fcfs]
preset = "batch-fcfs"
[policy.backfill]
preset = "batch-backfill"
"#;

const REPLICATIONS: &str = "12";
const FOLDER: &str = "out";
const WORK: &str = ".out.incomplete";

/// A folder with the scenario, and the program in it.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        fs::write(folder.path().join("a.toml"), SCENARIO).expect("it can be written");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn journal(&self) -> PathBuf {
        self.path(WORK).join("journal.jsonl")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
        command.args(["compare", "a.toml", "--out", FOLDER, "--quiet"]);
        if !arguments.contains(&"--replications") {
            command.args(["--replications", REPLICATIONS]);
        }
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn compare(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// Runs it and checks its exit code and something it says.
    #[track_caller]
    fn check(&self, arguments: &[&str], code: i32, says: &str) {
        let output = self.compare(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }

    /// Lines of the journal after the first one.
    fn kept(&self) -> usize {
        let journal = fs::read(self.journal()).unwrap_or_default();
        journal.iter().filter(|&&byte| byte == b'\n').count().saturating_sub(1)
    }

    /// Files of the finished folder with their contents; the folder is removed.
    #[track_caller]
    fn results(&self) -> Results {
        assert!(!self.path(WORK).exists(), "nothing is left over");
        let mut files = Results::new();
        read(&self.path(FOLDER), Path::new(""), &mut files);
        assert!(files.contains_key(Path::new("manifest.json")));
        assert!(!files.contains_key(Path::new("journal.jsonl")));
        assert!(!files.contains_key(Path::new("partial.json")));
        fs::remove_dir_all(self.path(FOLDER)).expect("it can be removed");
        files
    }

    /// Leaves an experiment that is not finished, and has at least one run.
    #[track_caller]
    fn leave_unfinished(&self) {
        self.check(&["--max-output", "60 KB", "--threads", "1"], 3, "--max-output");
        assert!(self.kept() > 0 && !self.path(FOLDER).exists());
    }
}

type Results = BTreeMap<PathBuf, Vec<u8>>;

fn read(root: &Path, below: &Path, files: &mut Results) {
    for row in fs::read_dir(root.join(below)).expect("a folder of results") {
        let row = row.expect("an entry");
        let name = below.join(row.file_name());
        if row.path().is_dir() {
            read(root, &name, files);
        } else {
            files.insert(name, fs::read(row.path()).expect("it can be read"));
        }
    }
}

#[track_caller]
fn assert_same(results: &Results, want: &Results) {
    let names = |results: &Results| results.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(results), names(want));
    for (name, bytes) in results {
        assert!(bytes == &want[name], "{} differs", name.display());
    }
}

/// A running program, and word of its end.
struct Running {
    child: Child,
    ended: Receiver<()>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut output = child.stdout.take().expect("it is piped");
        let (tell, ended) = channel();
        thread::spawn(move || {
            // Its output ends when it does.
            let _ = output.read_to_end(&mut Vec::new());
            let _ = tell.send(());
        });
        Self { child, ended }
    }

    /// Whether it ended by itself within this time.
    fn ends_within(&self, time: Duration) -> bool {
        self.ended.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
    }

    /// Exit code, and the messages on standard error.
    fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        let errors = self.child.stderr.as_mut().expect("it is piped");
        errors.read_to_string(&mut said).expect("it says text");
        (self.child.wait().expect("it ends").code(), said)
    }
}

#[test]
fn an_experiment_killed_anywhere_is_gone_on_with_to_the_same_bytes() {
    let kills = std::env::var("WINDTUNNEL_KILLS").ok().and_then(|text| text.parse().ok());
    let kills: u32 = kills.unwrap_or(15);
    let bench = Bench::new();
    let begun = Instant::now();
    bench.check(&[], 0, "");
    let whole = begun.elapsed();
    let want = bench.results();
    let mut dice = Dice::new(u64::from(kills));
    let (mut killed, mut finished, mut with_runs) = (0, 0, 0);
    while killed < kills {
        assert!(finished <= 10 * kills, "it always ends before it is killed");
        let mut running = Running::start(&mut bench.command(&["--resume"]));
        let delay = whole.mul_f64(dice.within(0, 1_000) as f64 / 1e3);
        if running.ends_within(delay) {
            let (code, said) = running.end();
            assert_eq!(code, Some(0), "{said}");
            assert_same(&bench.results(), &want);
            finished += 1;
            continue;
        }
        running.child.kill().expect("it can be killed");
        killed += 1;
        // It may have ended just before, or while its results were being named.
        let code = running.end().0;
        if code == Some(0) || bench.path(FOLDER).exists() {
            assert_same(&bench.results(), &want);
        }
        with_runs += u32::from(bench.kept() > 0);
    }
    bench.check(&["--resume"], 0, "");
    assert_same(&bench.results(), &want);
    assert!(with_runs > 0, "no kill left a finished run behind");
}

#[test]
fn threads_change_no_byte() {
    let bench = Bench::new();
    let results = ["1", "2", "8"].map(|threads| {
        bench.check(&["--threads", threads], 0, "");
        bench.results()
    });
    assert_same(&results[1], &results[0]);
    assert_same(&results[2], &results[0]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_what_is_done_and_says_how_to_go_on() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let bench = Bench::new();
        let endless = ["--replications", "100000", "--threads", "2"];
        let running = Running::start(&mut bench.command(&endless));
        while bench.kept() < 3 {
            assert!(!running.ends_within(Duration::from_millis(5)), "{:?}", running.end());
        }
        let id = running.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status().expect("it is there");
        assert!(sent.success());
        let (found, said) = running.end();
        assert_eq!(found, Some(code), "{said}");
        assert!(said.contains("--replications 100000 --threads 2 --resume"), "{said}");
        assert!(said.contains("interrupted"), "{said}");
        let partial = fs::read(bench.path(WORK).join("partial.json")).expect("it is marked");
        let partial: serde_json::Value = serde_json::from_slice(&partial).expect("it is JSON");
        assert_eq!(partial["runs_kept"], bench.kept());
        assert!(partial["runs_expected"].as_u64() > Some(100_000), "{partial}");
        assert!(!bench.path(FOLDER).exists());
    }
}

#[test]
fn what_was_left_is_neither_lost_nor_mixed_up() {
    let bench = Bench::new();
    bench.check(&[], 0, "");
    let want = bench.results();
    bench.leave_unfinished();
    bench.check(&[], 2, "`--resume`");
    bench.check(&["--resume", "--seed", "9"], 2, "scenario `a.toml` has changed");
    bench.check(&["--resume", "--margin", "1%"], 2, "`margin` was `null` and is `0.01`");
    let set = ["--resume", "--set", "cluster.c.nodes=11"];
    bench.check(&set, 2, "scenario `a.toml` has changed\n  hint: add `--force`");
    assert!(bench.kept() > 0);
    bench.check(&["--resume", "--threads", "2"], 0, "");
    assert_same(&bench.results(), &want);
    bench.leave_unfinished();
    bench.check(&["--force"], 0, "");
    assert_same(&bench.results(), &want);
}

#[test]
fn a_trace_that_has_changed_is_refused() {
    let bench = Bench::new();
    let trace: String = (0..300)
        .map(|at| format!("{at} {} -1 {} 4 -1 -1 4 {0} -1 1 1 1 1 1 -1 -1 -1\n", at * 60, 600 + at))
        .collect();
    fs::write(bench.path("t.swf"), &trace).expect("it can be written");
    let (before, rest) = SCENARIO.split_once("[workload").expect("there is work");
    let (_, after) = rest.split_once("[cluster").expect("there is a cluster");
    let text = format!("{before}[workload]\ntrace = \"t.swf\"\n[cluster{after}");
    fs::write(bench.path("a.toml"), text).expect("it can be written");
    bench.leave_unfinished();
    fs::write(bench.path("t.swf"), trace.replace(" 600 ", " 601 ")).expect("it can be written");
    bench.check(&["--resume"], 2, "the input file `t.swf` has changed");
}

#[test]
fn two_writers_do_not_share_a_folder() {
    let bench = Bench::new();
    bench.leave_unfinished();
    let lock = File::open(bench.path(WORK).join("partial.json")).expect("it is there");
    lock.try_lock().expect("nobody holds it");
    for arguments in [&[][..], &["--resume"], &["--force"]] {
        bench.check(arguments, 2, "partial.json: another windtunnel writes it\n  hint: wait");
    }
    drop(lock);
    bench.check(&["--resume"], 0, "");
}

#[test]
fn damage_names_its_line() {
    let bench = Bench::new();
    bench.leave_unfinished();
    let mut journal = fs::read(bench.journal()).expect("it is there");
    let first = journal.iter().position(|&byte| byte == b'\n').expect("there are lines");
    journal[first + 10] ^= 1;
    fs::write(bench.journal(), journal).expect("it can be written");
    bench.check(&["--resume"], 2, "journal.jsonl:2: is damaged");
}

#[cfg(unix)]
#[test]
fn a_full_disk_ends_with_5_and_is_gone_on_with() {
    let bench = Bench::new();
    bench.check(&[], 0, "");
    let want = bench.results();
    // Files may not grow beyond 32 blocks of 512 bytes.
    let plain = bench.command(&[]);
    let limited = "trap '' XFSZ; ulimit -f 32; exec \"$0\" \"$@\"";
    let words: Vec<&OsStr> = std::iter::once(plain.get_program()).chain(plain.get_args()).collect();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(limited).args(words).current_dir(bench.folder.path());
    let output = shell.output().expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("cannot write the journal") && said.contains("--resume"), "{said}");
    assert!(bench.kept() > 0);
    bench.check(&["--resume"], 0, "");
    assert_same(&bench.results(), &want);
}

#[test]
fn nobody_need_listen() {
    // As in `windtunnel compare … 2>&1 | head`, where the reader goes first.
    let bench = Bench::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.args(["compare", "a.toml", "--out", FOLDER, "--replications", REPLICATIONS]);
    command.current_dir(bench.folder.path()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    drop(child.stderr.take());
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert!(!bench.results().is_empty());
}

#[test]
fn limits_end_with_3_and_are_named() {
    let bench = Bench::new();
    let check = |limit: &[&str], says: &str| {
        bench.check(limit, 3, says);
        let run = ["run", "a.toml", "--quiet", "--out", "one"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
        let output = command.args(run).args(limit).current_dir(bench.folder.path()).output();
        let output = output.expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{limit:?}: {said}");
        assert!(said.contains(says), "{limit:?}: {said}");
        assert!(!bench.path("one").exists() && !bench.path(".one.incomplete").exists());
    };
    check(
        &["--max-events", "50"],
        "`limits.max_events`, which is 50\n  hint: raise it with `--max-events",
    );
    check(&["--set", "limits.max_events=50"], "`limits.max_events`, which is 50");
    check(&["--max-jobs", "7"], "`limits.max_jobs`, which is 7");
    check(&["--max-simulated", "90 s"], "`limits.max_simulated`, which is 1 min 30 s");
    check(&["--set", "limits.max_alive=2"], "`limits.max_alive`, which is 2");
    check(&["--max-wall", "1 us"], "hint: raise it with `--max-wall");
    check(&["--max-output", "1 KB"], "`--max-output`, which is 1000 B");
    if cfg!(target_os = "linux") {
        check(&["--max-memory", "1 MiB"], "`--max-memory`, which is 1.00 MiB");
    }
    assert_eq!(bench.kept(), 0);
}
