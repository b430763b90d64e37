//! Holds `docs/outputs.md` to what is really written.

use std::collections::BTreeSet;

use serde_json::Value;

use super::testing::{backtested, decided, judged, simulate, tiny};
use super::*;
use crate::scenario::differences;

/// First cells of the table below `## section`, braces expanded.
fn documented(section: &str) -> Vec<String> {
    let text = include_str!("../../docs/outputs.md");
    let heading = format!("## {section}\n");
    let (_, below) = text.split_once(&heading).expect("the section is documented");
    let own = below.split("\n## ").next().unwrap_or(below);
    let cells = own.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    cells.flat_map(expanded).collect()
}

/// `a.{b,c}` as `a.b` and `a.c`.
fn expanded(cell: &str) -> Vec<String> {
    let Some((head, rest)) = cell.split_once('{') else { return vec![cell.to_owned()] };
    let (middle, tail) = rest.split_once('}').expect("a brace is closed");
    middle.split(',').map(|part| format!("{head}{part}{tail}")).collect()
}

/// Paths of all leaves; what is documented is a leaf whatever it holds.
fn keys(value: &Value, path: &str, leaves: &[String], found: &mut BTreeSet<String>) {
    if leaves.iter().any(|leaf| leaf == path) {
        found.insert(path.to_owned());
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                keys(value, &path, leaves, found);
            }
        }
        Value::Array(rows) => {
            for row in rows {
                keys(row, &format!("{path}[]"), leaves, found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// A chargeback of one tenant.
fn charged_back() -> crate::experiment::Chargeback {
    let row = crate::experiment::ChargebackRow { tenant: Some("a".into()), ..Default::default() };
    crate::experiment::Chargeback { rows: vec![row], ..Default::default() }
}

fn same_keys(section: &str, json: &[u8]) {
    let documented = documented(section);
    let value: Value = serde_json::from_slice(json).expect("what is written is JSON");
    let mut found = BTreeSet::new();
    keys(&value, "", &documented, &mut found);
    let documented: BTreeSet<String> = documented.into_iter().collect();
    assert_eq!(found, documented, "{section}");
}

#[test]
fn every_column_is_documented_in_order() {
    let files: [(&str, &[&str]); 17] = [
        ("jobs.csv", &jobs::COLUMNS),
        ("instances.csv", &instances::COLUMNS),
        ("charges.csv", &charges::COLUMNS),
        ("chargeback.csv", &chargeback::COLUMNS),
        ("days.csv", &days::COLUMNS),
        ("alerts.csv", &alerts::COLUMNS),
        ("budgets.csv", &budgets::COLUMNS),
        ("explain.csv", &explain::COLUMNS),
        ("timeseries.csv", &timeline::COLUMNS),
        ("compare.csv", &comparison::COLUMNS),
        ("effects.csv", &comparison::EFFECT_COLUMNS),
        ("breakdown.csv", &comparison::BREAKDOWN_COLUMNS),
        ("candidates.csv", &plan::COLUMNS),
        ("backtest.csv", &backtest::COLUMNS),
        ("commit.csv", &commit::COLUMNS),
        ("jobs.csv of a backtest", &backtest::JOB_COLUMNS),
        ("groups.csv", &backtest::GROUP_COLUMNS),
    ];
    for (file, columns) in files {
        assert_eq!(documented(file), columns, "{file}");
    }
}

#[test]
fn every_key_is_documented() {
    let world = tiny();
    let ((), collector, series, fingerprint, outcome) = simulate(&world, 20, None, ());
    let mut summary = collector.summary(&world, &["default".to_owned()], &outcome);
    summary.settle(crate::metrics::Settled::default());
    let objectives =
        vec![ObjectiveResult::check("wait_p95", BoundSide::AtMost, 600.0, "<= 10 min", &summary)];
    let row = PolicyResult {
        name: "p",
        summary: &summary,
        series: &series,
        waits: collector.waits(),
        objectives: &objectives,
    };
    let mut compare = Vec::new();
    let rows = vec![row];
    let (many, decision) = (judged(&rows, 0, 1), decided());
    let (question, decision) = (None, Some(&decision));
    let names = ["a".to_owned(), "b".to_owned()];
    let differences = differences("seed = 1", "seed = 2");
    let between = Between { names, differences, same_work: true };
    let between = Some(&between);
    let comparison = ComparisonReport {
        question,
        many: &many,
        decision,
        between,
        rows,
        reports: &[],
        calibration: None,
        cautions: Vec::new(),
    };
    comparison.write_json(&mut compare).expect("memory takes everything");
    same_keys("compare.json", &compare);
    let report = RunReport {
        alerts: AlertReport::default(),
        budgets: Vec::new(),
        calendar: crate::units::Calendar::from_unix_micros(0),
        recipe: Recipe { inputs: vec![InputHash::default()], ..Recipe::default() },
        summary,
        objectives: objectives.clone(),
        assumptions: Vec::new(),
        cautions: Vec::new(),
        fingerprint: fingerprint.hex(),
        daily: None,
        bill: None,
        chargeback: Some(ChargebackReport(charged_back())),
        skipped_rows: 0,
        dropped_rows: 0,
        row_notes: crate::workload::RowNotes::default(),
    };
    let mut json = Vec::new();
    report.write_json(&mut json).expect("memory takes everything");
    same_keys("summary.json", &json);
}

#[test]
fn every_word_of_a_check_is_documented() {
    check::tests::regressed(|report| {
        let json = serde_json::to_value(report.json()).expect("it is JSON");
        same_keys("check.json", json.to_string().as_bytes());
        let parting = json["policies"][1]["first_divergence"].to_string();
        same_keys("first_divergence of check.json", parting.as_bytes());
    });
}

#[test]
fn every_word_of_a_plan_is_documented() {
    let found = plan::tests::small("<= 5 min", "2..6");
    let recipe = Recipe::default();
    let mut json = Vec::new();
    let report = PlanReport { recipe: &recipe, found: &found, assumptions: &[], cautions: &[] };
    report.write_json(&mut json).expect("memory takes everything");
    same_keys("plan.json", &json);
}

#[test]
fn every_key_of_a_backtest_is_documented() {
    let (run, judged) = backtested("p");
    let report = BacktestReport { run: &run, backtest: &judged };
    let mut json = Vec::new();
    report.write_json(&mut json).expect("memory takes everything");
    same_keys("backtest.json", &json);
}

#[test]
fn every_word_of_a_sweep_is_documented() {
    let sweep = crate::experiment::sweep::testing::by_hand();
    let report = SweepReport {
        question: None,
        sweep: &sweep,
        metrics: vec![0],
        goal: 0,
        recipe: None,
        assumptions: &[],
        cautions: &[],
    };
    let mut json = Vec::new();
    report.write_json(&mut json).expect("memory takes everything");
    same_keys("sweep.json", &json);
    let metric = |columns: &[&str], ends: &[&str]| -> Vec<String> {
        let ends = ends.iter().map(|end| format!("METRIC{end}"));
        columns.iter().map(|&column| column.to_owned()).chain(ends).collect()
    };
    assert_eq!(documented("sweep.csv"), metric(&sweep::RUN_COLUMNS, &[""]));
    assert_eq!(documented("points.csv"), metric(&sweep::POINT_COLUMNS, &["", "_low", "_high"]));
}

#[test]
fn every_word_of_a_drill_is_documented() {
    let drill = crate::experiment::drill::testing::drilled();
    let report = DrillReport { question: None, drill: &drill, recipe: None, assumptions: &[] };
    let mut json = Vec::new();
    report.write_json(&mut json).expect("memory takes everything");
    same_keys("drill.json", &json);
    let columns = drill::DRILL_COLUMNS.iter().chain(&["METRIC"]).map(|one| (*one).to_owned());
    assert_eq!(documented("drill.csv"), columns.collect::<Vec<String>>());
}
