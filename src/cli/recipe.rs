//! What made a result, so that it can be made again; and the files that every
//! folder of results has.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;

use super::folder::Folder;
use crate::experiment::RunResult;
use crate::input;
use crate::policy::spec::PolicySpec;
use crate::report::{
    BacktestReport, Chart, InputHash, ObjectiveResult, Recipe, RunReport, Scene, Side, SweepReport,
    backtest_charts, comparison_charts, replication_charts, run_charts, sweep_charts,
    write_backtest_page, write_comparison_page, write_run_page, write_sweep_page,
};
use crate::scenario::{Comparison, Scenario};

/// Everything that is said of one run.
pub(super) fn report(
    scenario: &Scenario,
    policy: &PolicySpec,
    result: &RunResult,
) -> Result<RunReport> {
    let row = scenario.policies.iter().position(|known| known.name == policy.name).unwrap_or(0);
    Ok(RunReport {
        recipe: recipe(scenario, &policy.name)?,
        summary: result.summary.clone(),
        objectives: objectives(scenario, result),
        assumptions: scenario.assumed(row..row + 1),
        fingerprint: result.fingerprint.clone(),
        skipped_rows: result.skipped_rows,
        dropped_rows: result.notes.left_out(),
        row_notes: result.notes,
    })
}

/// The scenario's promises, held against a result.
pub(super) fn objectives(scenario: &Scenario, result: &RunResult) -> Vec<ObjectiveResult> {
    let check = |objective: &crate::scenario::Objective| {
        let side = match objective.comparison {
            Comparison::AtLeast => Side::AtLeast,
            Comparison::AtMost => Side::AtMost,
        };
        let key = objective.metric.name();
        ObjectiveResult::check(key, side, objective.bound, &objective.text, &result.summary)
    };
    scenario.objectives.iter().map(check).collect()
}

/// What made a result.
pub(super) fn recipe(scenario: &Scenario, policy: &str) -> Result<Recipe> {
    Ok(Recipe {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        question: Some(scenario.question.clone()).filter(|question| !question.is_empty()),
        scenario: scenario.name.clone(),
        scenario_hash: blake3::hash(scenario.text.as_bytes()).to_hex().to_string(),
        policy: policy.to_owned(),
        seed: scenario.seed,
        inputs: inputs(scenario)?,
    })
}

/// The files that a scenario reads, hashed.
pub(super) fn inputs(scenario: &Scenario) -> Result<Vec<InputHash>> {
    let hashed = |path: &PathBuf| Ok(InputHash { name: shown(path), hash: input::hash(path)? });
    scenario.inputs.iter().map(hashed).collect()
}

/// A path without the folders of this machine.
fn shown(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// `manifest.json`.
pub(super) fn manifest(recipe: &Recipe, fingerprint: Option<&str>) -> Result<Vec<u8>> {
    let mut value = json!({
        "kind": "windtunnel results",
        "recipe": recipe,
        "generator": crate::units::stream::GENERATOR,
    });
    if let Some(fingerprint) = fingerprint {
        value["event_hash"] = json!(fingerprint);
    }
    let mut text = serde_json::to_vec_pretty(&value)?;
    text.push(b'\n');
    Ok(text)
}

/// Pages and charts of one run.
pub(super) fn write_run_pages(
    folder: &Folder,
    scenario: &Scenario,
    report: &RunReport,
    result: &RunResult,
) -> Result<()> {
    let scene = Scene {
        world: &scenario.world,
        series: &result.series,
        waits: &result.waits,
        objectives: &report.objectives,
    };
    let charts = run_charts(&scene);
    write_charts(folder, &charts)?;
    let mut page = Vec::new();
    write_run_page(&mut page, report, &charts)?;
    folder.write("report.html", &page)
}

/// Pages and charts of a comparison.
pub(super) fn write_compare_pages(
    folder: &Folder,
    scenario: &Scenario,
    comparison: &crate::report::Comparison<'_>,
    reports: &[RunReport],
) -> Result<()> {
    let mut charts = replication_charts(&scenario.world, comparison);
    charts.extend(comparison_charts(&scenario.world, comparison));
    write_charts(folder, &charts)?;
    let mut page = Vec::new();
    write_comparison_page(&mut page, comparison, &charts, reports)?;
    folder.write("compare.html", &page)
}

/// Pages and charts of a backtest.
pub(super) fn write_backtest_pages(
    folder: &Folder,
    scenario: &Scenario,
    report: &BacktestReport<'_>,
) -> Result<()> {
    let charts = backtest_charts(&scenario.world, report.backtest);
    write_charts(folder, &charts)?;
    let mut page = Vec::new();
    write_backtest_page(&mut page, report, &charts)?;
    folder.write("backtest.html", &page)
}

/// Pages and charts of a sweep.
pub(super) fn write_sweep_pages(
    folder: &Folder,
    scenario: &Scenario,
    report: &SweepReport<'_>,
    recipe: &Recipe,
) -> Result<()> {
    let charts = sweep_charts(report);
    write_charts(folder, &charts)?;
    let mut page = Vec::new();
    write_sweep_page(
        &mut page,
        report,
        recipe,
        &scenario.assumed(0..scenario.policies.len()),
        &charts,
    )?;
    folder.write("sweep.html", &page)
}

/// Every chart as SVG and PNG.
pub(super) fn write_charts(folder: &Folder, charts: &[Chart]) -> Result<()> {
    for chart in charts {
        folder.write(&format!("charts/{}.svg", chart.name), chart.svg()?.as_bytes())?;
        let mut png = Vec::new();
        chart.write_png(&mut png)?;
        folder.write(&format!("charts/{}.png", chart.name), &png)?;
    }
    Ok(())
}
