//! `windtunnel compare`: all policies of a scenario on one seed, side by side.

use std::io::Write;
use std::path::PathBuf;

use rayon::prelude::*;

use super::args::{Compare, How};
use super::exit::{Done, Stop};
use super::folder::{self, Folder};
use super::progress::Bar;
use super::{open, recipe, run};
use crate::experiment::{self, RunResult, Settings};
use crate::report::{Comparison, ObjectiveResult, PolicyResult, TextCells, comparison_text};
use crate::scenario::Scenario;

/// Runs the policies and shows them against the baseline.
pub(super) fn compare(arguments: &Compare) -> Done {
    let scenario = open::open(&arguments.which)?;
    let rows = chosen(&scenario, &arguments.policies)?;
    let how = &arguments.how;
    let folder = match how.no_out {
        true => None,
        false => {
            let target = run::target(how, &format!("{}-compare", scenario.name));
            Some(Folder::create(&target, how.force)?)
        }
    };
    let results = run_all(&scenario, &rows, arguments)?;
    let objectives: Vec<Vec<ObjectiveResult>> =
        results.iter().map(|result| recipe::objectives(&scenario, result)).collect();
    let comparison = Comparison {
        question: Some(scenario.question.as_str()).filter(|question| !question.is_empty()),
        baseline: rows.iter().position(|&row| row == scenario.baseline).unwrap_or(0),
        rows: rows
            .iter()
            .zip(results.iter().zip(&objectives))
            .map(|(&row, (result, objectives))| PolicyResult {
                name: &scenario.policies[row].name,
                summary: &result.summary,
                series: &result.series,
                waits: &result.waits,
                objectives,
            })
            .collect(),
    };
    let written = match folder {
        Some(folder) => Some(write(folder, &scenario, &rows, &comparison, &results)?),
        None => None,
    };
    show(&comparison, how, written)?;
    gate(&comparison, how)
}

/// Rows of the policies to run: the named ones and always the baseline, in file order.
fn chosen(scenario: &Scenario, names: &[String]) -> Result<Vec<usize>, Stop> {
    if names.is_empty() {
        return Ok((0..scenario.policies.len()).collect());
    }
    let mut rows = vec![scenario.baseline];
    for name in names {
        rows.push(open::policy(scenario, name)?);
    }
    rows.sort_unstable();
    rows.dedup();
    Ok(rows)
}

fn run_all(
    scenario: &Scenario,
    rows: &[usize],
    arguments: &Compare,
) -> Result<Vec<RunResult>, Stop> {
    let how = &arguments.how;
    let settings = Settings { audit: how.audit, ..Settings::seeded(scenario.seed) };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads.map_or(0, usize::from))
        .build()
        .map_err(|error| Stop::Files(error.into()))?;
    let bar = Bar::new("comparing", None, how.quiet);
    let results: Vec<Result<RunResult, Stop>> = pool.install(|| {
        rows.par_iter()
            .map(|&row| {
                let policy = &scenario.policies[row];
                experiment::run(scenario, policy, settings, &mut (), &mut |progress| {
                    bar.step(progress)
                })
                .map_err(|failure| Stop::of_run(failure, &run::again(scenario, policy)))
            })
            .collect()
    });
    bar.clear();
    results.into_iter().collect()
}

fn write(
    folder: Folder,
    scenario: &Scenario,
    rows: &[usize],
    comparison: &Comparison<'_>,
    results: &[RunResult],
) -> Result<PathBuf, Stop> {
    let out = comparison.write_csv(folder.file("compare.csv")?, TextCells::Guarded)?;
    folder::finish(out, "compare.csv")?;
    let mut json = Vec::new();
    comparison.write_json(&mut json)?;
    folder.write("compare.json", &json)?;
    folder.write("scenario.toml", scenario.text.as_bytes())?;
    let mut reports = Vec::new();
    for (&row, result) in rows.iter().zip(results) {
        let policy = &scenario.policies[row];
        let report = recipe::report(scenario, policy, result)?;
        let mut summary = Vec::new();
        report.write_json(&mut summary)?;
        folder.write(&format!("{}/summary.json", policy.name), &summary)?;
        reports.push(report);
    }
    recipe::write_compare_pages(&folder, scenario, comparison, &reports)?;
    let names: Vec<&str> = comparison.rows.iter().map(|row| row.name).collect();
    let manifest = recipe::manifest(&recipe::recipe(scenario, &names.join(", "))?, None)?;
    Ok(folder.finish(&manifest)?)
}

fn show(comparison: &Comparison<'_>, how: &How, written: Option<PathBuf>) -> Done {
    let mut out = std::io::stdout().lock();
    if how.json {
        comparison.write_json(&mut out)?;
    } else {
        out.write_all(comparison_text(comparison, run::terminal()).as_bytes())?;
    }
    out.flush()?;
    run::tell_folder(how, written, "compare.html");
    Ok(())
}

/// With `--gate`: every policy that breaks a promise is a finding.
fn gate(comparison: &Comparison<'_>, how: &How) -> Done {
    let broken: Vec<&str> = comparison
        .rows
        .iter()
        .filter(|row| row.objectives.iter().any(|objective| !objective.met))
        .map(|row| row.name)
        .collect();
    if how.gate && !broken.is_empty() {
        return Err(Stop::Finding(format!("objectives not met by {}", broken.join(", "))));
    }
    Ok(())
}
