//! `windtunnel plan` as a user runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Three jobs an hour of half an hour each, on a cluster whose size is the question.
const SIZING: &str = r#"
question = "How many machines?"
[workload.synthetic]
count = 100
arrivals = { per_hour = 3 }
class.a = { runtime = "exponential(mean=30 min)", vcpus = 1 }
[cluster.c]
nodes = 1
shape = { vcpus = 1, memory = "8 GiB" }
cost = "1 USD/h"
[policy.p]
preset = "batch-fcfs"
[objectives]
wait_mean = "<= 10 min"
[plan]
budget = 150
[plan.vary]
"cluster.c.nodes" = "2..9"
"#;

/// Runs `windtunnel plan` on `text` in a folder of its own.
fn plan(folder: &Path, text: &str, arguments: &[&str]) -> Output {
    fs::write(folder.join("a.toml"), text).expect("the folder is there");
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.current_dir(folder).args(["plan", "a.toml", "--quiet"]).args(arguments);
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

/// In one line, for lines break where a terminal ends.
fn flowing(bytes: &[u8]) -> String {
    text(bytes).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_file_says_what_may_be_decided_and_threads_change_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |threads: &str, out: &str| {
        let output = plan(folder.path(), SIZING, &["--threads", threads, "--out", out]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        flowing(&output.stdout)
    };
    let one = run("1", "one");
    assert_eq!(one, run("2", "two"));
    // 1.5 erlang: the mean wait is 9/14 h = 38.6 min on two machines (M/M/2), and
    // on three 0.2368 / (6 - 3) h = 4.7 min (Erlang C, M/M/3).
    assert!(one.contains("c.nodes = 3 keeps wait, mean <= 10 min on average"), "{one}");
    let files = ["candidates.csv", "plan.json", "plan.md", "plan.html", "manifest.json"];
    for file in files {
        let read = |out: &str| fs::read(folder.path().join(out).join(file)).expect("a file");
        assert_eq!(read("one"), read("two"), "{file}");
    }
}

#[test]
fn nothing_found_is_a_finding_with_a_gate() {
    let folder = tempfile::tempdir().expect("a folder");
    let narrow = ["--vary", "cluster.c.nodes=2,3", "--set", "objectives.wait_mean=<= 1 s"];
    let with = |more: &[&str]| {
        let mut arguments = vec!["--no-out"];
        arguments.extend(narrow);
        arguments.extend(more);
        plan(folder.path(), SIZING, &arguments)
    };
    let output = with(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(flowing(&output.stdout).contains("The nearest miss is c.nodes = 3:"));
    let gated = with(&["--gate"]);
    assert_eq!(gated.status.code(), Some(1));
    assert_eq!(text(&gated.stderr), "finding: no setup was shown to keep the objectives\n");
}

#[test]
fn what_is_wrong_is_said_before_anything_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |text_of_it: &str, arguments: &[&str], want: &str| {
        let output = plan(folder.path(), text_of_it, &[&["--no-out"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        let found = text(&output.stderr);
        assert!(found.contains(want), "{found}");
    };
    check(SIZING, &["--vary", "cluster.c.nods=2..4"], "unknown key `nods` in `cluster.c`");
    check(SIZING, &["--vary", "cluster.c.nods=2..4"], "did you mean `nodes`?");
    check(SIZING, &["--vary", "cluster.c.nodes=0..4"], "from 1 to 1000000, found `0`");
    check(SIZING, &["--vary", "seed=1..4"], "`seed` is given, not decided");
    let both = ["--vary", "cluster.c.nodes=2..4", "--set", "cluster.c.nodes=3"];
    check(SIZING, &both, "`cluster.c.nodes` is both set and varied");
    check(SIZING, &["--budget", "10"], "a budget of 10 runs is too small");
    let unquoted = SIZING.replace("\"cluster.c.nodes\"", "cluster.c.nodes");
    check(&unquoted, &[], "put the whole key into quotes");
    check(&SIZING.replace("budget", "bugdet"), &[], "did you mean `budget`?");
    let none = SIZING.replace("\"cluster.c.nodes\" = \"2..9\"", "");
    check(&none, &[], "nothing may be decided");
}

/// A list of lists has as many values as lists.
#[test]
fn a_value_may_be_a_list() {
    let folder = tempfile::tempdir().expect("a folder");
    let lists = "\"policy.p.provision.cheapest.providers\" = [[\"aws\"], [\"aws\", \"gcp\"]]\n";
    let clouds = "[cloud.aws]\nregions = [\"us-east-1\"]\n[cloud.gcp]\nregions = [\"us-east4\"]\n\
        [policy.p.provision.cheapest]\nproviders = [\"aws\"]\n[objectives]";
    let scenario = SIZING.replace("[objectives]", clouds) + lists;
    let output = plan(folder.path(), &scenario, &["--no-out", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let levels = found["variables"].to_string();
    assert!(levels.contains(r#"[\"aws\", \"gcp\"]"#), "{levels}");
}

#[test]
fn settings_of_other_policies_are_not_varied() {
    let folder = tempfile::tempdir().expect("a folder");
    let two = SIZING.replace("[objectives]", "[policy.q]\nextends = \"p\"\n[objectives]")
        + "\"policy.q.order\" = [\"fcfs\", \"shortest\"]\n";
    let vary = |policy: &str| {
        let output = plan(folder.path(), &two, &["--policy", policy, "--no-out", "--json"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        found["variables"].as_array().map(Vec::len)
    };
    assert_eq!((vary("p"), vary("q")), (Some(1), Some(2)));
    let flag = ["--policy", "p", "--vary", "policy.q.order=fcfs,shortest", "--no-out"];
    let refused = plan(folder.path(), &two, &flag);
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused.stderr);
    assert!(said.contains("`policy.q.order` is a setting of another policy than `p`"), "{said}");
    let choice = SIZING.replace(
        "[objectives]",
        "[policy.q]\nextends = \"p\"\n[policy.r]\nextends = \"p\"\n[objectives]",
    );
    let flags = ["--vary", "baseline=p,r", "--vary", "policy.q.order=fcfs,shortest", "--no-out"];
    let refused = plan(folder.path(), &choice, &flags);
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused.stderr);
    assert!(said.contains("is a setting of another policy than `p`, `r`"), "{said}");
}

#[test]
fn where_nothing_is_varied_the_policies_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let two = SIZING
        .replace("nodes = 1", "nodes = 4")
        .replace("[objectives]", "[policy.q]\nextends = \"p\"\norder = \"shortest\"\n[objectives]")
        .replace("\"cluster.c.nodes\" = \"2..9\"", "");
    let output = plan(folder.path(), &two, &["--no-out"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = flowing(&output.stdout);
    assert!(said.contains("p keeps wait, mean <= 10 min"), "{said}");
}

#[test]
fn a_setting_that_the_answer_has_not_is_said_to_have_been_tried() {
    let folder = tempfile::tempdir().expect("a folder");
    // The policy that rents is dearer, so its wait is no part of the answer.
    let two = SIZING
        .replace("nodes = 1", "nodes = 4")
        .replace("[objectives]", "[cloud.aws]\nregions = [\"us-east-1\"]\n[policy.q]\npreset = \"cloud-cheapest\"\n[policy.q.provision.cheapest]\nafter_wait = \"10 min\"\n[objectives]")
        .replace("\"cluster.c.nodes\" = \"2..9\"", "\"policy.q.provision.cheapest.after_wait\" = \"0 min..20 min step 10 min\"");
    let output = plan(folder.path(), &two, &["--no-out"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = flowing(&output.stdout);
    assert!(said.contains("p keeps"), "{said}");
    let want = "Varied too, but no setting of this policy: policy.q.provision.cheapest.after_wait. The best of the setups looked at that has it is q with after_wait = ";
    assert!(said.contains(want), "{said}");
}

#[test]
fn an_end_beyond_which_nothing_may_lie_is_not_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let at_the_end = |values: &str| {
        let text_of_it = SIZING.replace("\"2..9\"", &format!("\"{values}\""));
        let output = plan(folder.path(), &text_of_it, &["--no-out"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        flowing(&output.stdout).contains("lies at the end of the range")
    };
    // Three keep the promise. Fewer may do so too; more are dearer; none at all cannot be.
    let loose = |low: u32| at_the_end(&format!("{low}..9"));
    assert!(loose(5));
    assert!(!loose(1));
    assert!(!at_the_end("2..3"));
    let one_does = SIZING.replace("10 min\"", "200 d\"").replace("2..9", "1..4");
    let output = plan(folder.path(), &one_does, &["--no-out"]);
    let said = flowing(&output.stdout);
    assert!(said.contains("c.nodes = 1 keeps"), "{said}");
    assert!(!said.contains("lies at the end of the range"), "{said}");
}

/// A limit ends the search: what it had seen is told as no answer, and the runs are kept; without a
/// folder it is said that they are not.
#[test]
fn a_plan_that_is_stopped_tells_the_best_so_far() {
    let folder = tempfile::tempdir().expect("a folder");
    let limit = ["--out", "o", "--max-output", "100 KB", "--threads", "1"];
    let output = plan(folder.path(), SIZING, &limit);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for words in [
        "so far: no answer yet: ",
        " setups looked at and 0 judged in ",
        "The best of them, cluster.c.nodes=",
        "kept: ",
        "hint: go on with",
    ] {
        assert!(said.contains(words), "no `{words}` in {said}");
    }
    assert!(output.stdout.is_empty() && !folder.path().join("o").exists());
    // Some of the seeds have more jobs than that.
    let drawn = SIZING.replace("count = 100", "span = \"33 h\"");
    let limit = ["--no-out", "--max-jobs", "115", "--threads", "1"];
    let output = plan(folder.path(), &drawn, &limit);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("kept: nothing of "), "{said}");
    assert!(said.contains(" finished runs, of "), "{said}");
}
