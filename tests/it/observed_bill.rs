//! `windtunnel backtest` with a bill line by line as what was observed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Two nodes for a dollar an hour each, which two jobs hold from midnight to one and two from one to two.
const SCENARIO: &str = r#"question = "Is it so?"
start = "2026-03-01"
[workload]
trace = "jobs.csv"
[cluster.c]
nodes = 2
shape = { vcpus = 1, memory = "1 GiB" }
cost = "1 USD/h"
[policy.today]
preset = "batch-fcfs"
[observed]
bill = "bill.csv"
"#;

const JOBS: &str = "id,arrival_s,runtime_s,vcpus\na,0,3600,1\nb,0,3600,1\nc,0,3600,1\nd,0,3600,1\n";

/// The bill of the run, by the hour.
const BILL: &str = "from,until,provider,billed\n\
    2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,c,2\n\
    2026-03-01T01:00:00Z,2026-03-01T02:00:00Z,c,2\n";

fn folder(more: &str, bill: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    write(folder.path(), "my.toml", &format!("{SCENARIO}{more}"));
    write(folder.path(), "jobs.csv", JOBS);
    write(folder.path(), "bill.csv", bill);
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("written");
}

fn windtunnel(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.current_dir(folder).args(arguments).output().expect("it starts")
}

#[track_caller]
fn good(folder: &Path, arguments: &[&str]) -> String {
    let output = windtunnel(folder, arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    String::from_utf8(output.stdout).expect("it is text")
}

#[track_caller]
fn backtested(folder: &Path) -> Value {
    let text = good(folder, &["backtest", "my.toml", "--json", "--no-save", "--force"]);
    serde_json::from_str(&text).expect("it is JSON")
}

/// Group and error of each line of the bill, in dollars.
fn errors(found: &Value) -> Vec<(String, String)> {
    let lines = found["bill"]["lines"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    lines
        .map(|line| {
            (
                format!("{}/{}", text(&line["provider"]), text(&line["group"])),
                text(&line["error_usd"]),
            )
        })
        .collect()
}

fn cautions(found: &Value) -> String {
    found["cautions"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

#[test]
fn a_bill_by_hand() {
    let folder = folder("", BILL);
    let folder = folder.path();
    let found = backtested(folder);
    assert_eq!((&found["likeness"], cautions(&found).as_str()), (&"exact".into(), ""));
    assert_eq!(errors(&found), [("c/compute".to_owned(), "0.000000000".to_owned())]);
    assert_eq!(found["bill"]["total"]["simulated_usd"], "4.000000000");
    // A tenth too much is close, and more is not.
    for (amount, error, likeness) in [
        ("2.4", "-0.400000000", "close"),
        ("2.5", "-0.500000000", "rough"),
        ("-2", "4.000000000", "poor"),
    ] {
        write(folder, "bill.csv", &BILL.replacen(",2\n", &format!(",{amount}\n"), 1));
        let found = backtested(folder);
        assert_eq!(found["bill"]["total"]["error_usd"], error);
        assert_eq!(found["likeness"], likeness, "{amount}");
    }
    let table =
        fs::read_to_string(folder.join("output/my-backtest/backtest.csv")).expect("written");
    for row in ["bill", "bill of c", "line c/compute"] {
        let want = format!("\n{row},USD,bill,0,4,4,\n");
        assert!(table.contains(&want), "{table}");
    }
    let manifest = fs::read_to_string(folder.join("output/my-backtest/manifest.json"));
    assert!(manifest.expect("written").contains("\"bill.csv\""));
}

/// The bill goes on for an hour after the run, and begins half an hour before it in a line of an hour: half of that
/// line's dollar counts. There are taxes, euros of two dollars each, and a provider that nobody knows.
#[test]
fn what_lies_beyond_is_said() {
    let bill = "ChargePeriodStart,ChargePeriodEnd,ProviderName,ServiceCategory,ChargeCategory,BilledCost,BillingCurrency\n\
        2026-02-28T23:30:00Z,2026-03-01T00:30:00Z,C,Compute,Usage,1,USD\n\
        2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,c,Compute,Usage,0.75,EUR\n\
        2026-03-01T01:00:00Z,2026-03-01T02:00:00Z,c,Compute,Usage,2,USD\n\
        2026-03-01T02:00:00Z,2026-03-01T03:00:00Z,c,Compute,Usage,9,USD\n\
        2026-03-01T00:00:00Z,2026-04-01T00:00:00Z,c,Compute,Tax,0.5,USD\n\
        2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,AWS,Compute,Usage,3,USD\n";
    let folder = folder("[[currency]]\ncode = \"EUR\"\nusd = 2\n", bill);
    let found = backtested(folder.path());
    assert_eq!(errors(&found), [("c/compute".to_owned(), "0.000000000".to_owned())]);
    let bill = &found["bill"];
    assert_eq!(
        bill["stretch"],
        serde_json::json!(["2026-03-01T00:00:00Z", "2026-03-01T02:00:00Z"])
    );
    let told = cautions(&found);
    for want in [
        "The bill is known from 2026-02-28 23:00 to 2026-03-01 03:00 UTC, the run from 2026-03-01 00:00 to 2026-03-01 02:00 UTC",
        "beyond it lie c (observed $9.50)",
        "Of 1 line of the bills",
        "nothing is compared: aws (observed $3.00)",
        "left out of the observed bill: c Tax (observed $0.5000)",
    ] {
        assert!(told.contains(want), "{want}: {told}");
    }
    // What is whole from half an hour on is known from the next hour on, and until half past one until one.
    for dates in ["bill_from = \"30 min\"", "bill_until = \"90 min\""] {
        let dated = format!("{SCENARIO}{dates}\n[[currency]]\ncode = \"EUR\"\nusd = 2\n");
        write(folder.path(), "my.toml", &dated);
        let found = backtested(folder.path());
        assert_eq!(found["bill"]["total"]["observed_usd"], "2.000000000", "{dates}");
        assert_eq!(found["bill"]["total"]["error_usd"], "0.000000000", "{dates}");
    }
}

#[test]
fn what_is_no_bill_is_refused() {
    let folder = folder("", BILL);
    let folder = folder.path();
    let row = "2026-03-01T00:00:00Z,2026-03-01T01:00:00Z";
    for (bill, told) in [
        (BILL.replace(",billed", ",price"), "bill.csv: the table does not say what was billed"),
        ("from,until,provider,billed\n".to_owned(), "has no line of what was used or bought"),
        (String::new(), "bill.csv:1: the column `from` is missing"),
        (format!("from,until,provider,billed\n{row},c,\n"), "bill.csv:2: `billed` is empty"),
        (format!("from,until,provider,billed\n{row},d,1\n"), "no line of a provider or cluster"),
        (
            BILL.replace("2026", "2025"),
            "no clock hour is of both the observed bill, from 2025-03-01T00",
        ),
        (
            format!("from,until,provider,billed,currency\n{row},c,1,EUR\n"),
            "bill.csv:2: the terms do not say what `EUR` is worth then",
        ),
    ] {
        write(folder, "bill.csv", &bill);
        let output = windtunnel(folder, &["backtest", "my.toml", "--no-save", "--no-out"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(told), "{told}: {said}");
    }
    fs::remove_file(folder.join("bill.csv")).expect("it was there");
    let output = windtunnel(folder, &["backtest", "my.toml", "--no-save", "--no-out"]);
    assert_eq!(output.status.code(), Some(2));
    // Who only runs needs no bill.
    good(folder, &["run", "my.toml", "--no-out", "--quiet"]);
}

/// Two clouds, a commitment, a discount for sustained use, disks, addresses and a cluster of one's own whose data is
/// with AWS: what the run itself was billed, in the columns of FOCUS, is the observed bill.
const SETTLED: &str = r#"question = "Is it so?"
start = "2026-03-20"
[workload.synthetic]
span = "12 d"
arrivals = { per_hour = 1 }
[workload.synthetic.class.a]
runtime = "20 h"
vcpus = 2
memory = "4 GiB"
providers = ["aws"]
[workload.synthetic.class.b]
runtime = "20 h"
vcpus = 2
memory = "4 GiB"
providers = ["gcp"]
[workload.synthetic.class.c]
runtime = "1 h"
vcpus = 2
memory = "4 GiB"
data = { home = "aws/us-east-1", input = "40 GiB" }
providers = ["dc"]
[cloud.aws]
regions = ["us-east-1"]
zones = ["us-east-1a"]
types = ["m6i.large"]
[cloud.gcp]
regions = ["us-central1"]
zones = ["us-central1-a"]
types = ["n2-standard-2"]
[cluster.dc]
nodes = 4
shape = { vcpus = 2, memory = "8 GiB" }
cost = "0.1 USD/h"
[[account]]
name = "x"
[[commitment]]
name = "plan"
provider = "aws"
account = "x"
from = "2026-03-01"
years = 1
spend = "0.5 USD/h"
discount = "27 %"
[[attached]]
provider = "aws"
disk = "100 GiB"
class = "gp3"
addresses = 1
[policy.today]
preset = "cloud-cheapest"
"#;

#[test]
fn the_bill_of_a_run_is_its_own() {
    let folder = TempDir::new().expect("a temporary folder");
    let folder = folder.path();
    write(folder, "my.toml", SETTLED);
    good(folder, &["run", "my.toml", "--explain", "--quiet", "--out", "run"]);
    write(folder, "my.toml", &format!("{SETTLED}[observed]\nbill = \"run/focus.csv\"\n"));
    let found = backtested(folder);
    assert_eq!((&found["likeness"], cautions(&found).as_str()), (&"exact".into(), ""));
    let zero = |group: &str| (group.to_owned(), "0.000000000".to_owned());
    let groups = [
        "aws/compute",
        "aws/networking",
        "aws/storage",
        "aws/unused commitments",
        "aws/purchases",
        "dc/compute",
        "gcp/compute",
        "gcp/credits",
    ];
    assert_eq!(errors(&found), groups.map(zero));
    let summary = fs::read(folder.join("run/summary.json")).expect("written");
    let summary: Value = serde_json::from_slice(&summary).expect("it is JSON");
    let bill = &summary["bill"];
    assert_eq!(found["bill"]["total"]["observed_usd"], bill["billed_usd"], "{bill}");

    // One line of a machine of AWS costs an eighth of a dollar more.
    let file = folder.join("run/focus.csv");
    let mut reader = csv::Reader::from_path(&file).expect("it is there");
    let head = reader.headers().expect("a header").clone();
    let place = |name: &str| head.iter().position(|column| column == name).expect("a column");
    let (cost, provider, service) =
        (place("BilledCost"), place("ProviderName"), place("ServiceCategory"));
    let mut rows: Vec<Vec<String>> = reader
        .records()
        .map(|row| row.expect("a row").iter().map(str::to_owned).collect())
        .collect();
    let is_one = |row: &&mut Vec<String>| {
        row[provider] == "AWS" && row[service] == "Compute" && row[place("x_Purpose")] == "usage"
    };
    let row = rows.iter_mut().find(is_one).expect("a machine of AWS");
    let (whole, rest) = row[cost].split_once('.').unwrap_or((&row[cost], "0"));
    let nanos = format!("{whole}{rest:0<9}").parse::<i64>().expect("nano-dollars") + 125_000_000;
    row[cost] = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    let mut writer = csv::Writer::from_path(&file).expect("it can be written");
    writer.write_record(&head).expect("written");
    rows.iter().for_each(|row| writer.write_record(row).expect("written"));
    writer.flush().expect("written");
    let found = backtested(folder);
    let mut want = groups.map(zero);
    want[0].1 = "-0.125000000".to_owned();
    assert_eq!(errors(&found), want);
    assert_eq!(found["bill"]["total"]["error_usd"], "-0.125000000");
    let table =
        fs::read_to_string(folder.join("output/my-backtest/backtest.csv")).expect("written");
    let row = table.lines().find(|row| row.starts_with("line aws/compute,")).expect("a row");
    assert_eq!(row.split(',').nth(5), Some("-0.125"), "{row}");
}
