//! `windtunnel compare` as a user runs it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn windtunnel(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

/// A folder with these files in it.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
        std::fs::write(path, text).expect("the file is written");
    }
    folder
}

/// `compare.json` of a comparison that runs.
#[track_caller]
fn compared(folder: &Path, arguments: &[&str]) -> Value {
    let all = [&["compare", "--json", "--quiet"], arguments].concat();
    let output = windtunnel(folder, &all);
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// Headline, bullets and cautions in one line.
fn answer(found: &Value) -> String {
    let all = |of: &Value| -> Vec<String> {
        let lines = of.as_array().expect("a list").iter();
        lines.map(|line| line.as_str().expect("words").to_owned()).collect()
    };
    let headline = found["answer"]["headline"].as_str().expect("there is an answer");
    let bullets = all(&found["answer"]["bullets"]);
    assert!(bullets.len() <= 5, "{bullets:?}");
    [vec![headline.to_owned()], bullets, all(&found["cautions"])].concat().join(" ")
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = windtunnel(folder, &[&["compare"], arguments].concat());
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for word in words {
        assert!(said.contains(word), "no `{word}` in {said}");
    }
}

/// Two nodes for 1 USD/h each. Every six hours come a job for both, a short
/// one for one of them, and later another for both: what runs in which order
/// decides when the last one is done.
const OWNED: &str = r#"
question = "?"
baseline = "fcfs"
[workload.synthetic]
count = 12
arrivals = { every = "1 h" }
class.a = { runtime = "2 h", vcpus = 1, weight = 1, estimate = 1 }
class.b = { runtime = "1 h", vcpus = 2, weight = 1, estimate = 1 }
[cluster.c]
nodes = 1
shape = { vcpus = 2, memory = "8 GiB" }
cost = "2 USD/h"
[policy.fcfs]
preset = "batch-fcfs"
[policy.easy]
preset = "batch-backfill"
"#;

/// 2 USD/h × 730.485 h, however long the last job takes.
#[test]
fn owned_machines_cost_the_same_under_every_policy() {
    let folder = folder(&[("a.toml", OWNED)]);
    let found = compared(folder.path(), &["a.toml", "-r", "5"]);
    for policy in found["policies"].as_array().expect("a list") {
        let monthly = policy["against_baseline"]["cost_monthly"]["mean"].as_f64();
        let monthly = monthly.expect("the time is known");
        assert!((monthly - 2.0 * 730.485).abs() < 0.01, "{monthly}");
    }
    let makespan = |row: usize| found["policies"][row]["summary"]["makespan_s"].as_f64();
    assert_ne!(makespan(0), makespan(1), "the policies do not differ");
    assert_eq!(found["decision"]["policy"], "fcfs");
}

/// Twelve replications hide that EASY waits less on the same machines; as many as are said to
/// be enough show it, and then it is taken, for nothing.
#[test]
fn a_free_win_is_a_headline_and_too_few_replications_are_told() {
    let folder = folder(&[("a.toml", OWNED)]);
    let said = answer(&compared(folder.path(), &["a.toml", "-r", "12"]));
    let too_few = "Keep fcfs for now: 12 replications are too few to tell it from easy (about ";
    let rest = said.strip_prefix(too_few).unwrap_or_else(|| panic!("{said}"));
    let enough = rest.split(' ').next().expect("a number");
    assert!((13..60).contains(&enough.parse().unwrap_or(0)), "{said}");
    let said = answer(&compared(folder.path(), &["a.toml", "-r", enough, "--force"]));
    let free = "Take easy instead of fcfs: at the same cost, wait, mean is 1 h ";
    assert!(said.starts_with(free), "{said}");
}

/// Three replications seem to show that renting costs more, and do not: more of them would not let
/// it be taken, so none are asked for.
#[test]
fn no_more_replications_are_asked_for_what_costs_more() {
    let rents = OWNED
        .replace("\"2 h\"", "\"uniform(low=1 h, high=3 h)\"")
        .replace("\"1 h\", vcpus", "\"uniform(low=1 h, high=2 h)\", vcpus")
        .replace(
            "[policy.easy]\npreset = \"batch-backfill\"",
            "[policy.rent]\npreset = \"cloud-cheapest\"",
        );
    let cloud = "[cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.large\"]\n";
    let folder = folder(&[("a.toml", &format!("{rents}{cloud}"))]);
    let said = answer(&compared(folder.path(), &["a.toml", "-r", "3"]));
    assert!(said.contains("rent seems to cost $"), "{said}");
    assert!(!said.contains("too few"), "{said}");
}

/// Waits are shorter at the same cost, and the longest one longer: that is for the reader to weigh.
#[test]
fn what_serves_better_and_worse_is_a_headline() {
    let scenario = include_str!("../../scenarios/batch-cluster.toml");
    let (scenario, _) = scenario.split_once("[objectives]").expect("it promises something");
    let trace = concat!(env!("CARGO_MANIFEST_DIR"), "/traces/batch-small.swf");
    let scenario = scenario.replace("../traces/batch-small.swf", trace);
    let folder = folder(&[("a.toml", &scenario)]);
    let said = answer(&compared(folder.path(), &["a.toml"]));
    let want = "Keep fcfs or take shortest, at the same cost: wait, p95 would be 2 h 7 min instead of \
                10 h 1 min, but wait, longest 17 h 19 min instead of 11 h 22 min.";
    assert!(said.starts_with(want), "{said}");
}

#[test]
fn what_leaves_work_undone_is_not_taken() {
    let drops = OWNED.replace("[policy.easy]", "[policy.drop]\nadmit = { patience = \"10 min\" }");
    let folder = folder(&[("a.toml", &drops)]);
    let found = compared(folder.path(), &["a.toml", "-r", "10"]);
    assert_eq!(found["decision"]["policy"], "fcfs");
    let said = answer(&found);
    assert!(said.contains("drop leaves work undone and is not an answer"), "{said}");
    assert_eq!(found["decision"]["monthly_saving_usd"], Value::Null);
    // From the other side, the work that is done speaks for doing it.
    let drops = drops.replace("baseline = \"fcfs\"", "baseline = \"drop\"");
    std::fs::write(folder.path().join("b.toml"), &drops).expect("the file is written");
    let said = answer(&compared(folder.path(), &["b.toml", "-r", "10"]));
    assert!(said.starts_with("Take fcfs instead of drop: it finishes 100 % of the work"), "{said}");
    let promises = "[objectives]\nwait_max = \"<= 10 min\"\nwait_p95 = \"<= 10 min\"\n";
    let promised = drops + promises;
    std::fs::write(folder.path().join("c.toml"), promised).expect("the file is written");
    let said = answer(&compared(folder.path(), &["c.toml", "-r", "10"]));
    assert!(
        said.starts_with("Keep drop only if its work is enough, ")
            && said.contains(" of the jobs of fcfs: no other policy is shown to gain"),
        "{said}"
    );
    assert!(said.contains("Others: fcfs finishes 100 % of the work,"), "{said}");
    assert!(said.contains("but loses wait, longest <= 10 min and wait, p95 <= 10 min"), "{said}");
}

/// Prices of lambda and coreweave have no published source; aws is paid nothing here.
const RENTS: &str = "question = \"?\"\nbaseline = \"own\"\n[workload.synthetic]\nspan = \"2 d\"\n\
    arrivals = { per_hour = 10 }\n\
    class.a = { runtime = \"exponential(mean=1 h)\", vcpus = 8, memory = \"100 GiB\", gpus = 1 }\n\
    [cluster.dc]\nnodes = 1\ncost = \"11.50 USD/h\"\n\
    shape = { vcpus = 96, memory = \"1 TiB\", gpus = \"8 x A100-80GB\" }\n\
    [cloud.lambda]\nregions = [\"us-east-1\"]\n[cloud.coreweave]\nregions = [\"us-east\"]\n\
    [policy.own]\npreset = \"batch-backfill\"\n[policy.over]\npreset = \"cloud-burst\"\n\
    [policy.over.provision.cheapest]\nafter_wait = \"10 min\"\nproviders = [\"lambda\"]\n";

/// Estimates among the prices are said of whom the choice pays, and of nobody else.
#[test]
fn estimated_prices_of_the_choice_are_said_beside_it() {
    let promised = format!("{RENTS}[objectives]\nwait_p95 = \"<= 1 h\"\n");
    let folder = folder(&[("a.toml", &promised), ("b.toml", RENTS)]);
    let found = compared(folder.path(), &["a.toml", "-r", "5"]);
    assert_eq!(found["decision"]["policy"], "over");
    let said = found["cautions"][0].as_str().expect("a caution");
    assert!(said.contains("prices of lambda are estimates"), "{said}");
    assert!(!answer(&found).contains("prices of coreweave"), "{found}");
    // Without promises the dearer one is not taken, and lambda is paid nothing.
    let found = compared(folder.path(), &["b.toml", "-r", "5", "--gate"]);
    let said = answer(&found);
    assert!(
        said.starts_with("Keep own: no other policy that does the work is shown to cost less."),
        "{said}"
    );
    assert!(!said.contains("prices of lambda"), "{said}");
    for words in ["The scenario has no objectives: ", "`--gate` holds nothing: "] {
        assert!(said.contains(words), "no `{words}` in {said}");
    }
}

/// Owned machines are too small for one job in twenty, which is most of the core-hours; what can
/// rent does those too, for more a month and an hour.
const TOO_SMALL: &str = "question = \"?\"\nbaseline = \"owned\"\n\
    [workload.synthetic]\nspan = \"2 d\"\narrivals = { per_hour = 10 }\n\
    class.small = { weight = 19, runtime = \"uniform(low=30 min, high=1 h)\", vcpus = 1 }\n\
    class.large = { weight = 1, runtime = \"uniform(low=8 h, high=30 h)\", vcpus = 8, memory = \"8 GiB\" }\n\
    [cluster.dc]\nnodes = 4\nshape = { vcpus = 4, memory = \"16 GiB\" }\ncost = \"0.05 USD/h\"\n\
    [cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m6i.2xlarge\"]\n\
    [policy.owned]\npreset = \"batch-backfill\"\n[policy.rents]\npreset = \"cloud-cheapest\"\n";

#[test]
fn a_month_that_moves_and_hours_that_are_not_done_are_in_the_headline() {
    let promised = format!("{TOO_SMALL}[objectives]\ncost_monthly = \"<= 200 USD\"\n");
    let folder = folder(&[("a.toml", TOO_SMALL), ("b.toml", &promised)]);
    let found = compared(folder.path(), &["a.toml", "-r", "8"]);
    let (said, month) = (answer(&found), &found["findings"]["month"]);
    let headline = found["answer"]["headline"].as_str().expect("there is one");
    let figure = |key: &str| month[key].as_f64().expect("a number");
    assert!(figure("low") > 0.0, "{month}");
    assert!(headline.starts_with("Take rents instead of owned: it finishes 100 % of"), "{said}");
    assert!(headline.contains(" times the core-hours) and costs $"), "{said}");
    assert!(headline.contains(&format!(" per month instead of ${:.0}", figure("was"))), "{said}");
    assert!(!said.contains("no cost difference"), "{said}");
    assert!(said.contains(" of the core-hours that were asked for."), "{said}");
    let found = compared(folder.path(), &["b.toml", "-r", "8"]);
    let headline = found["answer"]["headline"].as_str().expect("there is one");
    assert!(headline.starts_with("Keep owned only if its work is enough, "), "{headline}");
    assert!(headline.contains(" % of the core-hours of rents: no other policy is"), "{headline}");
}

#[test]
fn what_is_not_modelled_is_listed_with_a_single_run_too() {
    let folder = folder(&[("a.toml", TOO_SMALL)]);
    for arguments in
        [&["run", "a.toml", "--json", "-q", "--no-out"][..], &["validate", "a.toml", "--json"]]
    {
        let output = windtunnel(folder.path(), arguments);
        let found: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        let first = found["assumptions"][0].as_str().expect("there are some");
        assert!(first.starts_with("Not modelled: failures of machines"), "{found}");
    }
}

#[test]
fn a_policy_alone_is_compared_with_none() {
    let (alone, _) = TOO_SMALL.split_once("[policy.rents]").expect("there are two");
    let folder = folder(&[("a.toml", alone)]);
    let said = answer(&compared(folder.path(), &["a.toml", "-r", "3"]));
    assert!(said.starts_with("Keep owned: there is no other policy to compare it with."), "{said}");
    assert!(!said.contains("others do as much"), "{said}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = folder(&[("a.toml", OWNED), ("jobs.csv", &jobs(7))]);
    let trace = TRACED.replace("[policy.q]", "[policy.r]");
    std::fs::write(folder.path().join("t.toml"), trace).expect("the file is written");
    let at = folder.path();
    refused(
        at,
        &["a.toml", "--warm-up", "30 d"],
        &["leaves nothing to count", "hint", "`--warm-up`"],
    );
    refused(at, &["a.toml", "--until-precision", "1"], &["bare number", "`1%`"]);
    refused(at, &["a.toml", "--confidence", "0.95"], &["bare number", "`95%`"]);
    refused(at, &["a.toml", "--confidence", "95"], &["bare number", "`95%`"]);
    refused(at, &["a.toml", "--confidence", "0.95%"], &["between 50 % and 100 %"]);
    refused(at, &["a.toml", "--margin", "100%"], &["between 0 % and 100 %"]);
    refused(at, &["t.toml", "--resample", "30 d"], &["blocks of 30 d", "hint"]);
}

/// Policies that come out as the baseline are named together, after those that do not; and what
/// a dearer one serves better is said.
#[test]
fn others_that_do_the_same_are_named_together() {
    let more = "[policy.r]\npreset = \"batch-fcfs\"\n[policy.s]\npreset = \"batch-fcfs\"\n\
        [policy.t]\npreset = \"batch-fcfs\"\n[objectives]\nwait_max = \"<= 10 d\"\n";
    let text = TRACED.replace("[policy.q]", &format!("{more}[policy.q]"));
    let folder = folder(&[("jobs.csv", &jobs(3)), ("t.toml", &text)]);
    let said = answer(&compared(folder.path(), &["t.toml"]));
    let (start, end) = ("Others: q costs $", "; r, s and t do the same as p.");
    assert!(said.contains(start) && said.contains(end), "{said}");
    assert!(said.contains("keeps no more promises, but is better in wait, p95 ("), "{said}");
}

/// A week of three is no answer about all of them, and says so.
#[test]
fn one_window_says_of_how_many_it_is() {
    let folder = folder(&[("jobs.csv", &jobs(30)), ("t.toml", TRACED)]);
    let found = compared(folder.path(), &["t.toml", "-r", "1"]);
    let said = answer(&found);
    let one = "1 of the 4 windows of 7 d that the trace has, after a warm-up of 1 d, so how much is chance is unknown \
        (`--replications 4` takes all of them, `--window whole` the trace in one piece)";
    assert!(said.contains(one), "{said}");
}

/// All of the trace, by the word or by a window that is as long.
#[test]
fn a_whole_trace_is_compared_in_one_piece() {
    let still = TRACED.replace("cloud-cheapest", "batch-backfill");
    let folder = folder(&[("jobs.csv", &jobs(30)), ("t.toml", &still)]);
    let told = |found: &Value| found["repetition"].as_str().expect("words").to_owned();
    let cut = compared(folder.path(), &["t.toml", "--warm-up", "0 s", "--no-out"]);
    assert!(told(&cut).contains("windows of 7 d of the trace, without a warm-up"), "{cut}");
    for window in ["whole", "30 d", "400 d"] {
        let arguments = ["t.toml", "--window", window, "--warm-up", "0 s", "--no-out"];
        let found = compared(folder.path(), &arguments);
        assert_eq!(found["replications"], 1, "{window}");
        assert!(answer(&found).contains("nothing here is random"), "{window}");
        assert!(!told(&found).contains("windows"), "{window}");
    }
    refused(
        folder.path(),
        &["t.toml", "--window", "20 d"],
        &["cannot be cut", "of the trace", "`--window whole`"],
    );
}

#[test]
fn a_deterministic_comparison_says_that_more_of_it_has_no_effect() {
    let folder = folder(&[
        ("jobs.csv", &jobs(3)),
        ("t.toml", &TRACED.replace("cloud-cheapest", "batch-backfill")),
    ]);
    let found = compared(folder.path(), &["t.toml", "-r", "20", "--until-precision", "1%"]);
    assert_eq!(found["replications"], 1);
    let said = answer(&found);
    assert!(said.contains("more replications would all come out the same"), "{said}");
    assert!(said.contains("A precision has no effect"), "{said}");
}

/// Two scenarios of one name in two folders.
fn twins(change: (&str, &str)) -> tempfile::TempDir {
    folder(&[("before/x.toml", OWNED), ("after/x.toml", &OWNED.replace(change.0, change.1))])
}

const TWINS: [&str; 4] = ["before/x.toml", "after/x.toml", "-r", "3"];

#[test]
fn two_scenarios_say_in_what_they_differ() {
    let folder = twins(("\"2 USD/h\"", "\"1 USD/h\""));
    let found = compared(folder.path(), &TWINS);
    let names: Vec<&Value> =
        found["policies"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["before/x: fcfs", "before/x: easy", "after/x: fcfs", "after/x: easy"]);
    assert_eq!(found["between"]["same_work"], true);
    let differences = serde_json::json!([
        { "key": "cluster.c.cost", "before": "\"2 USD/h\"", "after": "\"1 USD/h\"" }
    ]);
    assert_eq!(found["between"]["differences"], differences);
    // 1 USD/h less of 730.485 h.
    let said = answer(&found);
    assert!(
        said.starts_with("Take after/x: easy instead of before/x: fcfs: it saves $730 per month."),
        "{said}"
    );
    assert!(said.contains("$730 less"), "{said}");
    // Of two that cost the same, the one with the shorter waits.
    assert!(said.contains("after/x: fcfs keeps as many promises at the same cost"), "{said}");
}

#[test]
fn scenarios_with_other_work_are_not_judged() {
    let folder = twins(("count = 12", "count = 8"));
    let found = compared(folder.path(), &TWINS);
    assert_eq!(found["between"]["same_work"], false);
    assert_eq!(found["decision"], Value::Null);
    assert!(answer(&found).contains("so no policy is recommended"), "{}", answer(&found));
    let cost = &found["policies"][2]["against_baseline"]["wait_mean"];
    assert_eq!(cost["verdict"], "other work");
    let output =
        windtunnel(folder.path(), &[&["compare", "--out", "o"], TWINS.as_slice()].concat());
    let page = std::fs::read_to_string(folder.path().join("o/decision.md")).expect("a page");
    for said in [text(&output.stdout), page] {
        let said = said.replace('\n', " ");
        assert!(said.contains("before/x and after/x do not have the same work"), "{said}");
        assert!(said.contains("workload.synthetic.count"), "{said}");
    }
}

/// Jobs of twenty minutes in the first quarter of every hour of so many days,
/// four of them, now and then eight.
fn jobs(days: u32) -> String {
    let mut text = "arrival_s,runtime_s,vcpus,memory_mib\n".to_owned();
    for hour in 0..days * 24 {
        let count = if hour % 7 == 3 { 8 } else { 4 };
        for job in 0..count {
            writeln!(text, "{},1200,1,1024", hour * 3_600 + job * 120).expect("text");
        }
    }
    text
}

/// One node that two of the jobs fit on at a time, and a policy that rents for
/// whatever does not.
const TRACED: &str = r#"
question = "?"
baseline = "p"
[workload]
trace = "jobs.csv"
[cluster.c]
nodes = 1
shape = { vcpus = 2, memory = "8 GiB" }
cost = "1 USD/h"
[cloud.aws]
regions = ["us-east-1"]
types = ["m5.large"]
[policy.p]
preset = "batch-fcfs"
[policy.q]
preset = "cloud-cheapest"
"#;

#[test]
fn windows_are_spread_over_the_trace_and_compared_in_full() {
    let folder = folder(&[("jobs.csv", &jobs(21)), ("t.toml", TRACED)]);
    let arguments = ["t.toml", "--window", "1 d", "--warm-up", "1 h", "-r", "5", "--out", "o"];
    let found = compared(folder.path(), &arguments);
    // 20 windows of a day after an hour: rows 0, 4, 8 ...
    let told = found["repetition"].as_str().expect("words");
    assert!(told.contains("5 of the 20 windows of 1 d"), "{told}");
    assert!(answer(&found).contains(told));
    let mut reader =
        csv::Reader::from_path(folder.path().join("o/replications.csv")).expect("a file");
    let rows: Vec<BTreeMap<String, String>> =
        reader.deserialize().map(|row| row.expect("a row")).collect();
    let starts: Vec<&str> = rows[..5].iter().map(|row| row["window_start"].as_str()).collect();
    let hours: Vec<&str> = starts.iter().map(|start| &start[8..13]).collect();
    let first: u32 = hours[0][..2].parse().expect("a day");
    let expected: Vec<String> = (0..5).map(|row| format!("{:02}T01", first + 4 * row)).collect();
    assert_eq!(hours, expected);
    assert_eq!(rows[0]["window_end"][8..13], format!("{:02}T01", first + 1));
    // Work waits across the end of the warm-up, and costs are compared all the same.
    assert_eq!(found["comparable"], true);
    let cost = &found["policies"][1]["against_baseline"]["cost_monthly"];
    assert!(cost["difference"].as_f64().is_some_and(|by| by > 0.0), "{cost}");
}

/// `--gate` holds the policies that were asked for; the baseline beside them is one of them only
/// where it is named, or where nothing is.
#[test]
fn a_gate_holds_those_that_were_asked_for() {
    let promised = format!("{TOO_SMALL}[objectives]\nfinished = \">= 100 %\"\n");
    let folder = folder(&[("a.toml", &promised)]);
    let gated = |policies: &[&str]| {
        let gate = ["compare", "a.toml", "-r", "3", "--no-out", "--quiet", "--gate"];
        let output = windtunnel(folder.path(), &[&gate[..], policies].concat());
        (output.status.code(), text(&output.stderr))
    };
    let broken = "finding: objectives not met by owned\n";
    assert_eq!(gated(&["--policies", "rents"]), (Some(0), String::new()));
    assert_eq!(gated(&["--policies", "rents,owned"]), (Some(1), broken.to_owned()));
    assert_eq!(gated(&[]), (Some(1), broken.to_owned()));
}
