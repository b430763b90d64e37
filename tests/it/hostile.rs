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

fn text_of(output: &Output) -> String {
    text(&output.stderr)
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

/// Message of the command, which must refuse its input at once.
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
        let suite = "[scenario.a]\nfile = \"a.toml\"\n[scenario.a.gates]\nevents = \"exact\"\n";
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

/// Every file below `folder`, by its path from there.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            } else {
                let path = path.strip_prefix(folder).expect("it is below");
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// Names that would leave the folder of results, or meet its own files.
const PATHS: [&str; 9] = [
    "../../x",
    "/tmp/windtunnel-x",
    "compare.csv",
    "charts",
    "manifest.json",
    "..",
    "",
    "Today",
    "today",
];

#[test]
fn names_are_no_paths() {
    let quoted = |name: &&str| serde_json::to_string(name).expect("a text");
    let policies: Vec<String> =
        PATHS.iter().map(|name| format!("[policy.{}]\n", quoted(name))).collect();
    let text = format!("baseline = \"today\"\n{SCENARIO}{}", policies.concat());
    let outer = tempfile::tempdir().expect("a folder");
    let inner = outer.path().join("a/b");
    fs::create_dir_all(&inner).expect("made");
    fs::write(inner.join("a.csv"), "id,arrival_s,runtime_s,vcpus\na,0,60,4\nb,10,60,4\n")
        .expect("written");
    fs::write(inner.join("a.toml"), text).expect("written");
    // A folder that a name taken as a path would write over.
    fs::create_dir(outer.path().join("a/x")).expect("made");
    fs::write(outer.path().join("a/x/summary.json"), "mine").expect("written");
    let before = files(outer.path());
    let output = run(&inner, &["compare", "a.toml", "--out", "o", "-r", "2", "--quiet"]);
    assert!(output.status.success(), "{}", text_of(&output));
    let found = files(&inner.join("o"));
    let summaries: Vec<&str> = found
        .iter()
        .filter_map(|path| path.strip_suffix("/summary.json")?.strip_prefix("policies/"))
        .collect();
    let want = [
        "Today~u1",
        "charts",
        "compare~2ecsv",
        "manifest~2ejson",
        "today",
        "~",
        "~2e~2e",
        "~2e~2e~2f~2e~2e~2fx",
        "~2ftmp~2fwindtunnel-x",
    ];
    assert_eq!(summaries, want);
    for name in PATHS {
        let output = run(&inner, &["run", "a.toml", "--policy", name, "--quiet"]);
        assert!(output.status.success(), "{name:?}: {}", text_of(&output));
    }
    let mut outside = files(outer.path());
    outside.retain(|path| !path.starts_with("a/b/o"));
    assert_eq!(outside, before, "nothing was written elsewhere");
    assert_eq!(fs::read_dir(inner.join("output")).expect("made").count(), PATHS.len());
}

#[test]
fn names_in_a_suite_are_no_paths() {
    let folder = folder("[policy.\"../../../x\"]\n[policy.A]\n[policy.a]\n");
    let suite = "[scenario.\"../b\"]\nfile = \"a.toml\"\n\
        [scenario.\"../b\".gates]\nevents = \"exact\"\n";
    fs::create_dir(folder.path().join("in")).expect("made");
    for file in ["a.toml", "a.csv"] {
        fs::rename(folder.path().join(file), folder.path().join("in").join(file)).expect("moved");
    }
    fs::write(folder.path().join("in/suite.toml"), suite).expect("written");
    let output = run(&folder.path().join("in"), &["check", "suite.toml", "--update", "--quiet"]);
    assert!(output.status.success(), "{}", text_of(&output));
    let found = files(folder.path());
    let below = "in/baselines/~2e~2e~2fb";
    let want = [
        "in/a.csv".to_owned(),
        "in/a.toml".to_owned(),
        format!("{below}/A~u1.toml"),
        format!("{below}/a.toml"),
        format!("{below}/~2e~2e~2f~2e~2e~2f~2e~2e~2fx.toml"),
        "in/suite.toml".to_owned(),
    ];
    assert_eq!(found, want);
}

/// Results that were edited after the run are not explained as true.
#[test]
fn edited_results_are_refused() {
    let folder = folder("[policy.p]\n");
    let folder = folder.path();
    let arguments = ["explain", "o", "--job", "b"];
    let again = || {
        let output =
            run(folder, &["run", "a.toml", "--explain", "--out", "o", "--force", "--quiet"]);
        assert!(output.status.success(), "{}", text_of(&output));
    };
    again();
    let output = run(folder, &arguments);
    assert!(output.status.success(), "{}", text_of(&output));
    for file in ["jobs.csv", "explain.csv", "charges.csv"] {
        again();
        let path = folder.join("o").join(file);
        let before = fs::read_to_string(&path).expect("a table");
        // Another digit, so that it is as long as before.
        let (head, tail) = before.rsplit_once('0').expect("it has numbers");
        fs::write(&path, format!("{head}7{tail}")).expect("written");
        let said = refusal(folder, &arguments, 2);
        assert!(
            said.contains(&format!("o/{file}: has changed since windtunnel wrote it")),
            "{said}"
        );
    }
    again();
    let manifest = fs::read_to_string(folder.join("o/manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let mut named: Vec<&String> = manifest["files"].as_object().expect("hashes").keys().collect();
    named.sort();
    let mut there = files(&folder.join("o"));
    there.retain(|file| file != "manifest.json");
    assert_eq!(named, there.iter().collect::<Vec<_>>(), "every file has its hash");
    fs::write(folder.join("o/manifest.json"), "{\"kind\":\"windtunnel results\"}")
        .expect("written");
    assert!(refusal(folder, &arguments, 2).contains("is no manifest of this version"));
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links() {
    let folder = folder("[policy.p]\n");
    let folder = folder.path();
    let link = |to: &str, at: &str| {
        std::os::unix::fs::symlink(folder.join(to), folder.join(at)).expect("linked");
    };
    fs::write(folder.join("victim"), "mine").expect("written");
    fs::create_dir(folder.join("elsewhere")).expect("made");
    // The folder itself, also where it leads nowhere.
    for target in ["elsewhere", "nowhere"] {
        link(target, "o");
        let said = refusal(folder, &["run", "a.toml", "--out", "o", "--force"], 2);
        assert!(said.contains("`o` is a symbolic link"), "{said}");
        fs::remove_file(folder.join("o")).expect("removed");
    }
    // Links planted where results are made are not written through.
    let made = folder.join(".o.incomplete");
    for planted in ["jobs.csv", "manifest.json", "partial.json", "journal.jsonl"] {
        fs::create_dir(&made).expect("made");
        link("victim", &format!(".o.incomplete/{planted}"));
        let _ = run(folder, &["run", "a.toml", "--out", "o", "--quiet", "--force"]);
        let _ = run(folder, &["compare", "a.toml", "--out", "o", "--quiet", "--resume"]);
        assert_eq!(fs::read_to_string(folder.join("victim")).expect("there"), "mine", "{planted}");
        let _ = fs::remove_dir_all(&made);
        let _ = fs::remove_dir_all(folder.join("o"));
    }
    fs::create_dir(&made).expect("made");
    link("elsewhere", ".o.incomplete/charts");
    let output = run(folder, &["run", "a.toml", "--out", "o", "--quiet"]);
    assert!(output.status.success(), "{}", text_of(&output));
    assert_eq!(files(&folder.join("elsewhere")), [""; 0]);
    link("victim", ".b.csv.incomplete");
    let output = run(folder, &["trace", "convert", "a.csv", "b.csv"]);
    assert!(output.status.success(), "{}", text_of(&output));
    assert_eq!(fs::read_to_string(folder.join("victim")).expect("there"), "mine");
    // Files that the call names, and baselines.
    link("nowhere", "new.toml");
    assert!(refusal(folder, &["init", "new.toml"], 2).contains("exists already"));
    let suite = "replications = 1\n[gates]\ncost_total = \"+1 %\"\n[scenario.a]\n";
    fs::write(folder.join("s.toml"), suite).expect("written");
    fs::create_dir(folder.join("baselines")).expect("made");
    link("elsewhere", "baselines/a");
    let said = refusal(folder, &["check", "s.toml", "--update"], 2);
    assert!(said.contains("`baselines/a` is a symbolic link"), "{said}");
    fs::remove_file(folder.join("baselines/a")).expect("removed");
    let output = run(folder, &["check", "s.toml", "--update"]);
    assert!(output.status.success(), "{}", text_of(&output));
    for target in ["nowhere", "victim"] {
        link(target, "report");
        for flag in ["--markdown", "--page", "--junit"] {
            let said = refusal(folder, &["check", "s.toml", flag, "report"], 2);
            assert!(said.contains("`report` is a symbolic link"), "{said}");
        }
        fs::remove_file(folder.join("report")).expect("removed");
    }
    assert!(!folder.join("nowhere").exists());
    assert_eq!(files(&folder.join("elsewhere")), [""; 0]);
    assert_eq!(fs::read_to_string(folder.join("victim")).expect("there"), "mine");
}

/// Letters that steer a terminal or turn the direction of what follows.
fn steers(letter: char) -> bool {
    letter.is_control() && letter != '\n'
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text that people read must not hold letters that steer the terminal.
#[track_caller]
fn harmless(what: &str, text: &str) {
    if let Some(at) = text.find(steers) {
        let around: String =
            text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
        panic!("{what} steers after `{around}`: {:?}", text[at..].chars().next());
    }
    let markup = [".md", ".html", ".xml", ".svg"].iter().any(|kind| what.ends_with(kind));
    let in_markdown = ["://", "@team"];
    let in_any = ["<script>a", "<img src=x"];
    let bad = in_any.iter().filter(|_| markup);
    for bad in bad.chain(in_markdown.iter().filter(|_| what.ends_with(".md"))) {
        assert!(!text.contains(bad), "{what} has `{bad}`");
    }
}

#[test]
fn names_do_not_speak() {
    let nasty =
        "\u{1b}[31m\u{202e}<script>a</script><img src=x>|[x](http://evil.example)\n# @team\u{9b}";
    let quoted = serde_json::to_string(nasty).expect("a text").replace('\u{7f}', "\\u007f");
    let toml = quoted.replace('\u{9b}', "\\u009b");
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let cell = format!("\"{}\"", nasty.replace('\n', " "));
    let rows: String = (0..30)
        .map(|row| {
            format!("{cell}{row},{},60,4,{cell}\n", row * 20)
                .replace(&format!("\"{row},"), &format!("{row}\","))
        })
        .collect();
    fs::write(folder.join("a.csv"), format!("id,arrival_s,runtime_s,vcpus,tenant\n{rows}"))
        .expect("written");
    let scenario = format!(
        "baseline = {toml}\n{}\n[objectives]\nwait_p95 = \"<= 1 s\"\n[policy.{toml}]\n[policy.other]\npreset = \"batch-fcfs\"\n",
        SCENARIO
            .replace("\"Is it safe?\"", &toml)
            .replace("cluster.dc", &format!("cluster.{}", toml.replace('/', "_")))
    );
    fs::write(folder.join("a.toml"), scenario).expect("written");
    let suite = format!(
        "[scenario.{toml}]\nfile = \"a.toml\"\n[scenario.{toml}.gates]\nevents = \"exact\"\nwait_mean = \"+1 s\"\n"
    );
    fs::write(folder.join("suite.toml"), suite).expect("written");
    let job = format!("{}0", nasty.replace('\n', " "));
    let commands: [&[&str]; 12] = [
        &["validate", "a.toml"],
        &["run", "a.toml", "--explain", "--out", "run"],
        &["explain", "run", "--job", &job],
        &["explain", "run", "--job", "unknown\u{1b}"],
        &["compare", "a.toml", "-r", "3", "--out", "compare"],
        &["sweep", "a.toml", "--set", "cluster.x.nodes=1,2", "--out", "no"],
        &["sweep", "a.toml", "--set", "horizon=1 h,2 h", "--out", "sweep"],
        &["trace", "stats", "a.toml"],
        &["check", "suite.toml", "--update"],
        &["check", "suite.toml", "--markdown", "check.md", "--junit", "check.xml"],
        &["run", "a.toml", "--policy", "p\u{1b}\u{202e}", "--no-out"],
        &["validate", "no\u{1b}\u{202e}.toml"],
    ];
    for command in commands {
        let output = run(folder, command);
        let what = format!("{command:?} on the terminal");
        harmless(&what, &text_of(&output));
        harmless(&what, &text(&output.stdout));
        eprintln!("{command:?}: {:?} {}", output.status.code(), text_of(&output));
    }
    let mut looked_at = 0;
    for file in files(folder) {
        let input = file == "a.csv";
        let shown = [".md", ".html", ".xml", ".svg", ".csv"];
        if !input && shown.iter().any(|kind| file.ends_with(kind)) {
            looked_at += 1;
            harmless(&file, &fs::read_to_string(folder.join(&file)).expect("a text"));
        }
    }
    assert!(looked_at > 10, "only {looked_at} files");
}
