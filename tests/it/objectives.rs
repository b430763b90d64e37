//! What is promised of windows, and alerts, by hand.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use windtunnel::experiment::{self, RunResult, Settings};
use windtunnel::report::ObjectiveResult;
use windtunnel::scenario::Scenario;

const WINDTUNNEL: &str = env!("CARGO_BIN_EXE_windtunnel");

/// One node of four cores for 2 USD an hour. Of its cores 4 are used from 0 to 30 min, 2 from 1 h to
/// 2 h and 4 from 2 h 15 min to 3 h; the second piece of work misses its deadline.
const WORLD: &str = r#"question = "?"
[workload]
trace = "a.csv"
[cluster.dc]
nodes = 1
shape = { vcpus = 4, memory = "64 GiB" }
cost = "2 USD/h"
[policy.p]
preset = "batch-fcfs"
"#;

const ROWS: &str = "arrival_s,runtime_s,vcpus,deadline_s\n0,1800,4,1800\n3600,3600,2,7000\n\
    8100,2700,4,20000\n";

fn folder(rows: &str, scenario: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    fs::write(folder.path().join("a.toml"), scenario).expect("written");
    folder
}

fn ran(rows: &str, text: &str) -> (Scenario, RunResult) {
    let folder = folder(rows, text);
    let scenario = Scenario::load(&folder.path().join("a.toml"), &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems:?}"));
    let settings = Settings { audit: true, ..Settings::seeded(1) };
    let go_on = &mut |_| std::ops::ControlFlow::Continue(());
    let result = experiment::run(&scenario, &scenario.policies[0], settings, &mut (), go_on);
    let result = result.unwrap_or_else(|failure| panic!("{failure:?}"));
    (scenario, result)
}

/// Start in seconds and value of each window of the one objective.
fn windows(head: &str, objective: &str) -> Vec<(f64, f64)> {
    let (_, result) = ran(ROWS, &format!("{head}\n{WORLD}[objectives]\n{objective}\n"));
    let told = |one: &windtunnel::metrics::WindowValue| (one.from.secs_f64(), one.value);
    result.windows[0].iter().map(told).collect()
}

#[test]
fn windows_begin_on_the_clock() {
    let hourly =
        |key: &str, bound: &str| format!("{key} = {{ each = \"{bound}\", window = \"1 h\" }}");
    let used = hourly("utilisation_cpu", ">= 1 %");
    assert_eq!(windows("", &used), [(0.0, 0.5), (3_600.0, 0.5), (7_200.0, 0.75)]);
    let late = "start = \"2026-01-01T00:30:00Z\"";
    let want = [(0.0, 1.0), (1_800.0, 0.25), (5_400.0, 0.5), (9_000.0, 1.0)];
    assert_eq!(windows(late, &used), want);
    let paid = hourly("cost_total", "<= 1 USD");
    assert_eq!(windows("", &paid), [(0.0, 2.0), (3_600.0, 2.0), (7_200.0, 2.0)]);
    let want = [(0.0, 1.0), (1_800.0, 2.0), (5_400.0, 2.0), (9_000.0, 1.0)];
    assert_eq!(windows(late, &paid), want);
    // Work ends at 30 min, 2 h and 3 h; at the end of a window it belongs to it.
    let met = hourly("deadlines_met", ">= 1 %");
    assert_eq!(windows("", &met), [(0.0, 1.0), (3_600.0, 0.0), (7_200.0, 1.0)]);
    // Two hours on the clock are whole days' parts; a week begins on Monday, and this is a Thursday.
    let two = "finished = { each = \">= 1 %\", window = \"2 h\" }";
    assert_eq!(windows("start = \"2026-01-01T01:00:00Z\"", two), [(0.0, 1.0), (3_600.0, 1.0)]);
    let week = "cost_total = { each = \"<= 1 USD\", window = \"7 d\" }";
    assert_eq!(windows("start = \"2026-01-04T23:00:00Z\"", week), [(0.0, 2.0), (3_600.0, 4.0)]);
}

/// Windows cut charges as the meters know them: they sum to the total, and the events are the same.
#[test]
fn windows_of_a_cost_sum_to_the_total() {
    let rents = |objectives: &str| {
        let text = format!(
            "question = \"?\"\nstart = \"2026-01-01T20:20:00Z\"\n[workload.synthetic]\ncount = 60\n\
             arrivals = {{ per_hour = 10 }}\n\
             class.a = {{ runtime = \"exponential(mean=50 min)\", vcpus = 3, memory = \"4 GiB\" }}\n\
             [cloud.aws]\nregions = [\"us-east-1\"]\nfamilies = [\"m6i\"]\n\
             [policy.p]\npreset = \"cloud-cheapest\"\n{objectives}"
        );
        ran(ROWS, &text).1
    };
    let without = rents("");
    for (window, most) in [("1 h", 40), ("3 h", 14), ("1 d", 3)] {
        let one = format!("cost_total = {{ each = \"<= 1 USD\", window = \"{window}\" }}\n");
        let result = rents(&format!("[objectives]\n{one}"));
        let windows = &result.windows[0];
        let (sum, total) =
            (windows.iter().map(|one| one.value).sum::<f64>(), result.summary.cost.total.dollars());
        assert!((2..=most).contains(&windows.len()), "{}", windows.len());
        assert!((sum - total).abs() < 1e-9 && total > 1.0, "{sum} {total}");
        assert_eq!(result.fingerprint, without.fingerprint);
        let first = windows[1].from.secs_f64();
        assert_eq!((first + 1_200.0) % 3_600.0, 0.0, "{first}");
    }
}

#[test]
fn a_share_of_windows_is_held_to_the_value_that_it_keeps() {
    let check = |objective: &str| {
        let (scenario, result) = ran(ROWS, &format!("{WORLD}[objectives]\n{objective}\n"));
        let all = ObjectiveResult::all(&scenario, &result).into_iter();
        let told = |one: ObjectiveResult| (one.value, one.margin, one.margin_share, one.met);
        all.map(told).collect::<Vec<_>>()
    };
    let used = |bound: &str, share: &str| {
        format!("utilisation_cpu = {{ each = \"{bound}\", window = \"1 h\", share = \"{share}\" }}")
    };
    // The windows have 50, 50 and 75 %.
    let want = (Some(0.5), Some(-0.125), Some(-0.2), false);
    assert_eq!(check(&used(">= 62.5 %", "100 %")), [want]);
    assert_eq!(check(&used(">= 50 %", "100 %")), [(Some(0.5), Some(0.0), Some(0.0), true)]);
    assert_eq!(check(&used(">= 62.5 %", "33 %")), [(Some(0.75), Some(0.125), Some(0.2), true)]);
    assert_eq!(check(&used(">= 62.5 %", "34 %")), [want]);
    // The run and each of its windows at once.
    let both = "cost_total = { bound = \"<= 12 USD\", each = \"<= 1 USD\", window = \"1 h\" }";
    let kept = (Some(6.0), Some(6.0), Some(0.5), true);
    assert_eq!(check(both), [kept, (Some(2.0), Some(-1.0), Some(-1.0), false)]);
}

/// The node is down from 1 h to 1 h 30 min: of two hours of work on all of it the first is lost.
const STRUCK: &str = "[[outage]]\nfrom = \"1 h\"\nuntil = \"90 min\"\nprovider = \"dc\"\n";

#[test]
fn machines_that_are_down_show_in_availability_recovery_and_work_lost() {
    let rows = "arrival_s,runtime_s,vcpus\n0,7200,4\n";
    let windows = "{ each = \"BOUND\", window = \"1 h\" }";
    let each = |key: &str, bound: &str| format!("{key} = {}\n", windows.replace("BOUND", bound));
    let objectives = each("availability", ">= 50 %")
        + &each("lost_core_hours", "<= 4 h")
        + &each("recovery_max", "<= 30 min");
    let text = format!("{WORLD}{STRUCK}[objectives]\n{objectives}");
    let (scenario, result) = ran(rows, &text);
    let summary = &result.summary;
    assert_eq!(summary.availability, Some(180.0 / 210.0));
    assert_eq!((summary.recovery_s.count, summary.recovery_s.max), (1, Some(1_800.0)));
    assert_eq!(summary.lost_core_hours, 4.0);
    let values = |row: usize| result.windows[row].iter().map(|one| one.value).collect::<Vec<_>>();
    assert_eq!(values(0), [1.0, 0.5, 1.0, 1.0]);
    // It is struck at the very end of the first hour.
    assert_eq!(values(1), [4.0, 0.0, 0.0, 0.0]);
    assert_eq!(values(2), [1_800.0]);
    let all = ObjectiveResult::all(&scenario, &result);
    assert!(all.iter().all(|one| one.met && one.margin == Some(0.0)), "{all:?}");
}

#[test]
fn alerts_are_exact_to_the_second() {
    let rule = |rule: &str| format!("[[alert]]\n{rule}\n");
    let rules = rule("signal = \"machines_down\"\nabove = 0\nfor = \"10 min\"")
        + &rule("signal = \"oldest_wait\"\nabove = \"20 min\"")
        + &rule("signal = \"utilisation_cpu\"\nbelow = \"25 %\"\nover = [\"1 h\"]")
        + &rule("signal = \"failures\"\nabove = 0\nover = [\"1 h\", \"5 min\"]")
        + &rule("signal = \"spend\"\nabove = \"1.99 USD/h\"\nfor = \"3 h\"");
    let rows = "arrival_s,runtime_s,vcpus\n0,7200,4\n12600,60,1\n16200,60,4\n";
    let (_, result) = ran(rows, &format!("{WORLD}{STRUCK}{rules}"));
    let told = |one: &windtunnel::metrics::Alert| {
        (one.rule, one.from.secs_f64(), one.until.secs_f64(), one.over)
    };
    let found: Vec<_> = result.alerts.iter().map(told).collect();
    // Of the hour before, a core of four was in use for 60 s after 12,600: below a quarter when less
    // than a quarter of an hour of the whole node is left, from 12,600 + 2,700 + 15 s on.
    let want = [
        (3, 3_600.0, 3_900.0, true),
        (0, 4_200.0, 5_400.0, true),
        (1, 4_800.0, 5_400.0, true),
        (4, 10_800.0, 16_260.0, false),
        (2, 15_315.0, 16_260.0, false),
    ];
    assert_eq!(found, want);
    assert_eq!(result.summary.alerts, Some(5));
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(WINDTUNNEL);
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

/// Exit code, and what is said on both outputs.
fn said(folder: &TempDir, arguments: &[&str]) -> (i32, String) {
    let output = run(folder.path(), arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("it ends"), String::from_utf8(text).expect("text"))
}

#[test]
fn a_gate_holds_windows_and_files_have_the_alerts() {
    let budget = "[objectives]\ncost_total = { each = \"<= 1.5 USD\", window = \"1 h\" }\n";
    let rules = "[[alert]]\nname = \"idle\"\nsignal = \"utilisation_cpu\"\nbelow = \"60 %\"\n\
        for = \"20 min\"\n";
    let folder = folder(ROWS, &format!("{WORLD}{budget}{rules}"));
    let (code, text) = said(&folder, &["run", "a.toml", "--out", "o", "--gate", "--quiet"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("objectives not met: cost <= 1.5 USD in every window of 1 h"), "{text}");
    let read = |name: &str| fs::read_to_string(folder.path().join("o").join(name)).expect(name);
    // Idle from 30 min, at half from 1 h to 2 h, idle again until 2 h 15 min.
    assert_eq!(
        read("alerts.csv"),
        "rule,signal,from_s,until_s,ended,worst,unit\n\
         idle,utilisation_cpu,3000.000000,8100.000000,yes,0,share\n"
    );
    let summary: serde_json::Value = serde_json::from_str(&read("summary.json")).expect("JSON");
    assert_eq!(summary["alerts"]["rules"][0]["time_s"], 5_100.0);
    assert_eq!(summary["objectives"][0]["windows"]["kept"], 0);
    let (code, text) = said(&folder, &["drill", "a.toml", "--fail-on", "anything breaks finished"]);
    assert_eq!(code, 2, "{text}");
    fs::write(folder.path().join("a.toml"), WORLD).expect("written");
    let (code, text) = said(&folder, &["drill", "a.toml", "--fail-on", "anything breaks finished"]);
    assert!(code == 2 && text.contains("the scenario has no `[objectives]`"), "{code} {text}");
}

#[test]
fn what_cannot_be_is_a_problem_with_a_hint() {
    for (more, message, hint) in [
        (
            "[objectives]\nwait_p95 = { each = \"<= 1 h\", window = \"1 h\" }\n",
            "`wait_p95` must be a bound such as `\"<= 2 h\"`, found a table",
            "it cannot be told of each window; what can be: `cost_total`",
        ),
        (
            "[objectives]\ncost_total = { each = \"<= 1 USD\", window = \"90 min\" }\n",
            "windows of a cost are whole hours",
            "cut at clock hours",
        ),
        (
            "[objectives]\ncost_total = { each = \"<= 1 USD\" }\n",
            "`each` needs `window`",
            "window = \"1 d\"",
        ),
        (
            "[objectives]\ncost_total = { window = \"1 d\", share = \"9 %\" }\n",
            "`cost_total` has no bound",
            "`each` of each `window`",
        ),
        (
            "[objectives]\navailability = { each = \">= 1 %\", window = \"10 s\" }\n",
            "a window is a minute or longer",
            "1 h",
        ),
        (
            "[objectives]\nfinished = { each = \"<= 1 %\", window = \"1 h\" }\n",
            "`finished` cannot be promised to be `<= 1 %`",
            "did you mean `\">= 1 %\"`?",
        ),
        ("[[alert]]\nsignal = \"waiting\"\n", "one of `above`, `below` and `burn`", "above = 100"),
        (
            "[[alert]]\nsignal = \"failures\"\nabove = 3\n",
            "`failures` is counted over windows",
            "over = [\"1 h\"]",
        ),
        (
            "[[alert]]\nsignal = \"oldest_wait\"\nabove = 3\n",
            "`above` of `oldest_wait` cannot be `3`",
            "above = \"10 min\"",
        ),
        (
            "[[alert]]\nsignal = \"spend\"\nburn = 2\n",
            "`burn` of `spend` needs `objectives.cost_total`",
            "the pace that would just keep it",
        ),
        (
            "[[alert]]\nsignal = \"deadlines_missed\"\nburn = 14.4\nover = [\"1 h\"]\n\
             [objectives]\ndeadlines_met = \">= 90 %\"\n",
            "no share is above 100 %",
            "lower",
        ),
        (
            "[[alert]]\nsignal = \"wating\"\nabove = 3\n",
            "`signal` must be",
            "did you mean `\"waiting\"`?",
        ),
    ] {
        let problems = Scenario::parse(&format!("{WORLD}{more}"), "a.toml", Path::new(""), &[]);
        let problems = problems.expect_err(more);
        let found = problems.iter().any(|problem| {
            let said = problem.hint.as_deref().unwrap_or_default();
            problem.message.contains(message) && said.contains(hint)
        });
        assert!(found, "{more}: {problems:?}");
    }
}
