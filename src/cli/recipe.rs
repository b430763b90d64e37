//! The recipe of a result, by which it can be made again; and the files that every folder of
//! results has.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use super::folder::Folder;
use windtunnel::experiment::{CautionedRun, Facts, RunResult, cautions, unestimated};
use windtunnel::input;
use windtunnel::metrics::OccupancyRecorder;
use windtunnel::policy::spec::PolicySpec;
use windtunnel::report::{
    BoundSide, Chart, Document, InputHash, ObjectiveResult, Recipe, RunReport, Scene, run_charts,
};
use windtunnel::scenario::{BoundDirection, Scenario, not_modelled};

/// Kind that the manifest of a folder of results gives.
pub(super) const RESULTS: &str = "windtunnel results";

/// Report on one run.
pub(super) fn report(
    scenario: &Scenario,
    policy: &PolicySpec,
    result: &RunResult,
) -> Result<RunReport> {
    let row = scenario.policies.iter().position(|known| known.name == policy.name).unwrap_or(0);
    let mut assumptions = scenario.assumed(&[row]);
    let facts = Facts::of(result);
    assumptions.extend(unestimated(&facts, policy));
    Ok(RunReport {
        recipe: recipe(scenario, &policy.name)?,
        summary: result.summary.clone(),
        objectives: objectives(scenario, result),
        assumptions,
        cautions: cautions(&[CautionedRun { name: &policy.name, scenario, policy, facts: &facts }]),
        fingerprint: result.fingerprint.clone(),
        daily: None,
        skipped_rows: result.skipped_rows,
        dropped_rows: result.notes.left_out(),
        row_notes: result.notes,
    })
}

/// Report on a run that is told alone, with the effects that its scenario does not model.
pub(super) fn report_alone(
    scenario: &Scenario,
    policy: &PolicySpec,
    result: &RunResult,
) -> Result<RunReport> {
    let row = scenario.policies.iter().position(|known| known.name == policy.name).unwrap_or(0);
    let mut report = report(scenario, policy, result)?;
    report.assumptions.insert(0, not_modelled(scenario.unmodelled(&[row])));
    Ok(report)
}

/// The scenario's promises, held against a result.
pub(super) fn objectives(scenario: &Scenario, result: &RunResult) -> Vec<ObjectiveResult> {
    let check = |objective: &windtunnel::scenario::Objective| {
        let side = match objective.comparison {
            BoundDirection::AtLeast => BoundSide::AtLeast,
            BoundDirection::AtMost => BoundSide::AtMost,
        };
        let key = objective.metric.name();
        ObjectiveResult::check(key, side, objective.bound, &objective.text, &result.summary)
    };
    scenario.objectives.iter().map(check).collect()
}

/// Recipe of a result.
pub(super) fn recipe(scenario: &Scenario, policy: &str) -> Result<Recipe> {
    Ok(Recipe {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        question: Some(scenario.question.clone()).filter(|question| !question.is_empty()),
        scenario: scenario.name.clone(),
        set: scenario.edits.iter().map(|(key, value)| format!("{key}={value}")).collect(),
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

/// `manifest.json`, but for the hashes of the files.
pub(super) fn manifest(recipe: &Recipe, fingerprint: Option<&str>) -> Value {
    let mut value = json!({
        "kind": RESULTS,
        "recipe": recipe,
        "generator": windtunnel::units::stream::GENERATOR,
    });
    if let Some(fingerprint) = fingerprint {
        value["event_hash"] = json!(fingerprint);
    }
    value
}

/// The charts of one run.
pub(super) fn charts_of(
    scenario: &Scenario,
    report: &RunReport,
    result: &RunResult,
    occupancy: &OccupancyRecorder,
) -> Vec<Chart> {
    run_charts(&Scene {
        world: &scenario.world,
        series: &result.series,
        summary: &report.summary,
        occupancy,
        waits: &result.waits,
        objectives: &report.objectives,
    })
}

/// Writes the page called `name`, and its charts as files.
pub(super) fn write_page(
    folder: &Folder,
    name: &str,
    charts: Vec<Chart>,
    document: impl FnOnce(Vec<Chart>) -> Document,
) -> Result<()> {
    write_charts(folder, &charts)?;
    let mut page = Vec::new();
    document(charts).write_page(&mut page)?;
    folder.write(name, &page)
}

/// Every chart as SVG and PNG.
fn write_charts(folder: &Folder, charts: &[Chart]) -> Result<()> {
    for chart in charts {
        folder.write(&format!("charts/{}.svg", chart.name), chart.svg()?.as_bytes())?;
        let mut png = Vec::new();
        chart.write_png(&mut png)?;
        folder.write(&format!("charts/{}.png", chart.name), &png)?;
    }
    Ok(())
}
