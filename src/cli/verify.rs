//! `windtunnel verify`: textbook results and published tables, line by line.

use std::io::Write;
use std::path::Path;

use super::args::VerifyArgs;
use super::exit::{CommandResult, Stop, print_line};
use super::progress::Bar;
use windtunnel::experiment::published::{EXPERIMENTS, PublishedResult};
use windtunnel::experiment::verify::coverage::coverage;
use windtunnel::experiment::verify::{CheckRow, CheckVerdict, Effort, verify as check};
use windtunnel::problem::Problem;

/// Checks the simulator; a line that does not pass is a finding.
pub(super) fn verify(arguments: &VerifyArgs) -> CommandResult {
    if let Some(data) = &arguments.published {
        return reproduce(data, arguments);
    }
    if arguments.coverage {
        return cover(arguments);
    }
    let effort = if arguments.quick { Effort::Quick } else { Effort::Full };
    let mut out = std::io::stdout().lock();
    let mut closed = None;
    let mut tell = |row: &CheckRow| {
        if !arguments.json && closed.is_none() {
            closed = writeln!(out, "{}", line(row)).and_then(|()| out.flush()).err();
        }
    };
    if !arguments.json {
        tell_head(&mut std::io::stdout().lock())?;
    }
    let report = check(effort, &mut tell).map_err(Stop::Bug)?;
    if let Some(error) = closed {
        return Err(error.into());
    }
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &report).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        let passed = report.rows.iter().filter(|row| row.verdict == CheckVerdict::Pass).count();
        writeln!(out, "\n{passed} of {} pass", report.rows.len())?;
    }
    if report.passed() {
        Ok(())
    } else {
        Err(Stop::Finding("some results are not reproduced".to_owned()))
    }
}

/// Intervals, replications behind each, and jobs in each replication: enough
/// intervals to tell those that hold the answer 92 times in 100 from honest ones.
const COVERAGE: (u64, u64, u64) = (3_000, 10, 20_000);

/// Whether 95 % intervals hold the exact value as often as they should.
fn cover(arguments: &VerifyArgs) -> CommandResult {
    let (repeats, replications, jobs) = COVERAGE;
    let bar = Bar::over_runs("intervals", false);
    bar.expect(repeats);
    let found = coverage(repeats, replications, jobs, &|| bar.done()).map_err(Stop::Bug)?;
    drop(bar);
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &found).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        let (low, high) = found.band;
        writeln!(
            out,
            "M/M/1 at load 0.8: {} of {repeats} intervals at 95 % hold the exact mean wait \
             ({replications} replications of {jobs} jobs each); honest ones do {low} to {high} times",
            found.covered
        )?;
    }
    match found.passed() {
        true => Ok(()),
        false => Err(Stop::Finding("intervals do not keep their word".to_owned())),
    }
}

/// Published tables from the files below `data`; those whose files are not there are left out, and
/// told.
fn reproduce(data: &Path, arguments: &VerifyArgs) -> CommandResult {
    let mut cells = Vec::new();
    let mut left_out = Vec::new();
    for experiment in &EXPERIMENTS {
        match &*experiment.missing(data) {
            [] => cells.extend(experiment.run(data, arguments.quick).map_err(Stop::Bug)?),
            missing => left_out.push(format!("{}: no {}", experiment.name, missing.join(", "))),
        }
    }
    if cells.is_empty() {
        let problem =
            Problem::with(&data.display().to_string(), "there is no data of any experiment");
        let needs = EXPERIMENTS.iter().flat_map(|experiment| experiment.needs);
        let mut needs: Vec<&str> = needs.copied().collect();
        needs.dedup();
        return Err(Stop::Input(problem.hint(format!("such as {}", needs.join(", "))).into()));
    }
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &cells).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        tell_cells(&mut out, &cells)?;
    }
    for experiment in left_out {
        print_line(&format!("left out: {experiment}"));
    }
    let differing = cells.iter().filter(|cell| !cell.reproduced()).count();
    if differing > 0 {
        return Err(Stop::Finding(format!("{differing} of {} cells differ", cells.len())));
    }
    Ok(())
}

fn tell_cells(out: &mut dyn Write, cells: &[PublishedResult]) -> std::io::Result<()> {
    let width = cells.iter().map(|cell| cell.name.chars().count()).max().unwrap_or_default();
    writeln!(
        out,
        "{:<width$} {:<38} {:>16} {:>16} {:>10} {:>12}  {:<13}  verdict",
        "experiment", "quantity", "reference", "ours", "tolerance", "own rules", "origin"
    )?;
    for cell in cells {
        writeln!(
            out,
            "{:<width$} {:<38} {:>16.4} {:>16.4} {:>10} {:>12}  {:<13}  {}",
            cell.name,
            cell.quantity,
            cell.reference,
            cell.ours,
            cell.tolerance,
            cell.own.map_or(String::new(), |own| format!("{own:.2}")),
            cell.origin.label(),
            if cell.reproduced() { "reproduced" } else { "DIFFERS" }
        )?;
    }
    Ok(())
}

fn tell_head(out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{:<30} {:<44} {:>14} {:>14} {:>12} {:>9}  verdict",
        "system", "quantity", "expected", "simulated", "99 % +-", "precision"
    )
}

fn line(row: &CheckRow) -> String {
    format!(
        "{:<30} {:<44} {:>14.6} {:>14.6} {:>12.6} {:>8.2} %  {}",
        row.name,
        row.quantity,
        row.expected,
        row.simulated,
        row.half_width,
        row.precision * 100.0,
        row.verdict.words()
    )
}
