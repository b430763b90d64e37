//! Inputs that would hold windtunnel up, lead it elsewhere or speak in its
//! name: each is refused or made harmless, and soon.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const WINDTUNNEL: &str = env!("CARGO_BIN_EXE_windtunnel");

/// Two jobs on a node.
const SCENARIO: &str = r#"question = "Is it safe?"
[workload]
trace = "a.csv"
[cluster.dc]
nodes = 1
shape = { vcpus = 4, memory = "8 GiB" }
"#;

fn windtunnel(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(WINDTUNNEL);
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    windtunnel(folder, arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

/// A folder with the trace `a.csv` and the scenario `a.toml`, which ends with `more`.
fn folder(more: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("a.csv", "id,arrival_s,runtime_s,vcpus\na,0,60,4\nb,10,60,4\n");
    write("a.toml", &format!("{SCENARIO}{more}"));
    folder
}

/// What the command, which must refuse its input at once, says.
#[track_caller]
fn refusal(folder: &Path, arguments: &[&str], code: i32) -> String {
    let begin = Instant::now();
    let output = run(folder, arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(begin.elapsed() < Duration::from_secs(20), "took {:?}", begin.elapsed());
    said
}

#[cfg(unix)]
mod devices {
    use super::*;

    /// Puts a device and then a pipe in the place of a file.
    #[track_caller]
    fn check(folder: &Path, file: &str, arguments: &[&str]) {
        let path = folder.join(file);
        let before = fs::read(&path).expect("it is there");
        for device in [true, false] {
            fs::remove_file(&path).expect("it can be removed");
            match device {
                true => std::os::unix::fs::symlink("/dev/zero", &path).expect("linked"),
                false => {
                    let made = Command::new("mkfifo").arg(&path).status();
                    assert!(made.expect("mkfifo starts").success());
                }
            }
            let said = refusal(folder, arguments, 2);
            let want = format!("{file}: is not a regular file\n  hint: pipes and devices");
            assert!(said.contains(&want), "{said}");
        }
        fs::remove_file(&path).expect("it can be removed");
        fs::write(path, before).expect("written");
    }

    #[test]
    fn are_no_files_of_a_scenario() {
        let folder = folder("[policy.p]\n");
        let folder = folder.path();
        check(folder, "a.toml", &["validate", "a.toml"]);
        check(folder, "a.csv", &["validate", "a.toml"]);
        check(folder, "a.csv", &["trace", "stats", "a.csv"]);
        fs::write(folder.join("more.toml"), "[policy.q]\n").expect("written");
        check(folder, "more.toml", &["run", "a.toml", "--policy", "more.toml", "--no-out"]);
        let suite = "name = \"s\"\n[scenario.a]\nfile = \"a.toml\"\n[scenario.a.gates]\nevents = \"exact\"\n";
        fs::write(folder.join("suite.toml"), suite).expect("written");
        check(folder, "suite.toml", &["check", "suite.toml", "--quiet"]);
    }

    #[test]
    fn are_no_files_of_a_catalog() {
        let folder =
            folder("[cloud.mine]\ncatalog = \"mine\"\nregions = [\"us-east-1\"]\n[policy.p]\n");
        let folder = folder.path();
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogs/lambda");
        fs::create_dir(folder.join("mine")).expect("made");
        for file in ["provider.toml", "regions.csv", "types.csv", "prices.csv", "sources.csv"] {
            fs::copy(ours.join(file), folder.join("mine").join(file)).expect("copied");
        }
        let output = run(folder, &["validate", "a.toml"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        for file in ["provider.toml", "regions.csv", "types.csv", "prices.csv", "sources.csv"] {
            check(folder, &format!("mine/{file}"), &["validate", "a.toml"]);
        }
    }

    #[test]
    fn are_no_tables_of_a_run() {
        let folder = folder("[policy.p]\n");
        let folder = folder.path();
        let output = run(folder, &["run", "a.toml", "--explain", "--out", "o"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        for file in ["jobs.csv", "explain.csv", "charges.csv"] {
            check(folder, &format!("o/{file}"), &["explain", "o", "--job", "b"]);
        }
    }
}
