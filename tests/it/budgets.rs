//! Budgets of scenarios: what is written of them, and what is refused.

use std::fs;
use std::process::Command;

use expect_test::{Expect, expect};
use windtunnel::scenario::Scenario;

const WINDTUNNEL: &str = env!("CARGO_BIN_EXE_windtunnel");

/// One node of four cores for 2 USD an hour, from 0 to 3 h.
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

/// Half of the node for an hour, then all of it for two.
const ROWS: &str = "arrival_s,runtime_s,vcpus,tenant\n0,3600,2,red\n3600,7200,4,blue\n";

const BUDGETS: &str = r#"
[[budget]]
name = "hourly"
usd = 3
period = "hour"
alert_at = ["50 %"]
forecast_at = ["60 %"]
[[budget]]
tenant = "red"
usd = 10
[[budget]]
name = "node"
provider = "dc"
usd = 5
period = "2 h"
"#;

fn check(found: &str, want: &Expect) {
    want.assert_eq(found);
}

#[test]
fn what_was_spent_is_written_by_period() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.csv"), ROWS).expect("written");
    fs::write(folder.path().join("a.toml"), format!("{WORLD}{BUDGETS}")).expect("written");
    let done = Command::new(WINDTUNNEL)
        .current_dir(folder.path())
        .args(["run", "a.toml", "--out", "out", "--audit"])
        .output()
        .expect("it runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).expect(name);
    check(
        &read("budgets.csv"),
        &expect![[r#"
        budget,of,period,from_s,until_s,ended,limit_usd,spent_usd,share,forecast_usd,used_up_s
        hourly,total,hour,0.000000,3600.000000,yes,3.000000000,2.000000000,0.6666666666666666,2.000000000,
        hourly,total,hour,3600.000000,7200.000000,yes,3.000000000,2.000000000,0.6666666666666666,2.000000000,
        hourly,total,hour,7200.000000,10800.000000,yes,3.000000000,2.000000000,0.6666666666666666,2.000000000,
        budget 2,tenant red,month,0.000000,10800.000000,no,10.000000000,1.000000000,0.1,,
        node,provider dc,2 h,0.000000,7200.000000,yes,5.000000000,4.000000000,0.8,4.000000000,
        node,provider dc,2 h,7200.000000,10800.000000,no,5.000000000,2.000000000,0.4,4.000000000,
    "#]],
    );
    check(
        &read("alerts.csv"),
        &expect![[r#"
        rule,signal,from_s,until_s,ended,worst,unit
        hourly: forecast 60 %,budget_forecast,360.000000,3600.000000,yes,0.6666666666666666,share
        hourly: 50 % spent,budget_spent,2700.000000,3600.000000,yes,0.6666666666666666,share
        hourly: forecast 60 %,budget_forecast,3960.000000,7200.000000,yes,0.6666666666666666,share
        node: 50 % spent,budget_spent,4500.000000,7200.000000,yes,0.8,share
        hourly: 50 % spent,budget_spent,6300.000000,7200.000000,yes,0.6666666666666666,share
        hourly: forecast 60 %,budget_forecast,7560.000000,10800.000000,yes,0.6666666666666666,share
        hourly: 50 % spent,budget_spent,9900.000000,10800.000000,yes,0.6666666666666666,share
    "#]],
    );
    let shown = String::from_utf8(done.stdout).expect("text");
    let from = shown.find("Budgets").expect("budgets are told");
    let table: Vec<&str> = shown[from..].lines().take(24).map(str::trim_end).collect();
    check(
        &table.join("\n"),
        &expect![[r#"
        Budgets
        ────────────────────────────────────────────────────────────────────────────────
         budget     of            from                limit   spent    share   forecast
        ────────────────────────────────────────────────────────────────────────────────
         hourly     total         2026-01-01 00:00    $3.00   $2.00   66.7 %      $2.00
         hourly     total         2026-01-01 01:00    $3.00   $2.00   66.7 %      $2.00
         hourly     total         2026-01-01 02:00    $3.00   $2.00   66.7 %      $2.00
         budget 2   tenant red    2026-01-01 00:00   $10.00   $1.00   10.0 %          –
         node       provider dc   2026-01-01 00:00    $5.00   $4.00   80.0 %      $4.00
         node       provider dc   2026-01-01 02:00    $5.00   $2.00   40.0 %      $4.00
        ────────────────────────────────────────────────────────────────────────────────

        Thresholds
        ───────────────────────────────────────────────
         budget    of it         is              since
        ───────────────────────────────────────────────
         hourly   60.0 %   forecast   2026-01-01 00:06
         hourly   50.0 %      spent   2026-01-01 00:45
         hourly   60.0 %   forecast   2026-01-01 01:06
         hourly   50.0 %      spent   2026-01-01 01:45
         hourly   60.0 %   forecast   2026-01-01 02:06
         hourly   50.0 %      spent   2026-01-01 02:45
         node     50.0 %      spent   2026-01-01 01:15
        ───────────────────────────────────────────────"#]],
    );
    assert!(folder.path().join("out/charts/budgets.svg").exists(), "there is a chart");
}

fn problems(budget: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.csv"), ROWS).expect("written");
    let text = format!("{WORLD}[[budget]]\n{budget}\n");
    match Scenario::parse(&text, "a.toml", folder.path(), &[]) {
        Ok(_) => String::new(),
        Err(problems) => {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            all.join("\n")
        }
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    assert_eq!(problems("usd = 1"), "");
    for (budget, want) in [
        ("period = \"day\"", "usd"),
        ("usd = 0", "a budget has more than nothing"),
        ("usd = 1\nprovider = \"dcc\"", "there is no provider or cluster called `dcc`"),
        ("usd = 1\nprovider = \"dc\"\ntenant = \"red\"", "not of both"),
        ("usd = 1\nperiod = \"year\"", "`period` cannot be `year`"),
        ("usd = 1\nalert_at = [\"2000 %\"]", "`alert_at` has shares up to 1000 %"),
        ("usd = 1\nperiod = \"run\"\nforecast_at = [\"90 %\"]", "no forecast of a run"),
        ("name = \"x\"\nusd = 1\n[[budget]]\nname = \"x\"\nusd = 2", "two budgets are called `x`"),
    ] {
        let found = problems(budget);
        assert!(found.contains(want), "{budget}: {found}");
    }
}

/// Machines of a cloud for 1.20 USD an hour, and two dollars to spend. The second job comes when
/// 1.30 are spent.
const CLOUD: &str = r#"question = "?"
horizon = "4 h"
[workload]
trace = "a.csv"
[cloud.aws]
regions = ["us-east-1"]
zones = ["us-east-1a"]
types = ["m6i.xlarge"]
boot = "0 s"
[[cloud.aws.price]]
usd_per_hour = 1.20
[[budget]]
name = "two dollars"
usd = 2
period = "run"
[policy.p]
preset = "cloud-cheapest"
cap = "budget"
"#;

#[test]
fn work_without_a_budget_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let done = Command::new(WINDTUNNEL).current_dir(folder.path()).args(arguments).output();
        let done = done.expect("it runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("text")
    };
    let rows = "id,arrival_s,runtime_s,vcpus\nfirst,0,3600,4\nsecond,7200,3600,4\n";
    fs::write(folder.path().join("a.csv"), rows).expect("written");
    fs::write(folder.path().join("a.toml"), CLOUD).expect("written");
    run(&["run", "a.toml", "--explain", "--out", "out", "--quiet"]);
    let told = run(&["explain", "out", "--job", "second"]);
    assert!(told.contains("no budget to rent with"), "{told}");
    assert!(told.contains("budget without room for it: two dollars"), "{told}");
    let read = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).expect(name);
    let spent = read("budgets.csv");
    // The first machine is kept for 5 minutes when it is idle. The second job waits until no more than the
    // 70 cents that are left is to come, 35 minutes.
    assert!(told.contains("started    after 3 h 25 min"), "{told}");
    assert!(spent.contains(",2.000000000,2.000000000,1,2.000000000,14400.000000"), "{spent}");
}
