//! Commands that look at something without running it.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use serde_json::json;

use super::args::{Arguments, InitArgs, ValidateArgs};
use super::exit::{CommandResult, Stop, print_line};
use super::folder::new_file;
use super::load;
use super::progress::Bar;
use windtunnel::experiment::{Facts, Survey, Unsurveyed, lint, offered, survey, unestimated};
use windtunnel::halt;
use windtunnel::model::Market;
use windtunnel::problem::{Problem, listed};
use windtunnel::report::clean;
use windtunnel::scenario::{
    OPTIONS, PARTS, PRESETS, Scenario, Starter, ValueKind, init_from, not_modelled, quickstart,
    schema as scenario_schema,
};
use windtunnel::units::Calendar;

/// Command `windtunnel validate`.
pub(super) fn validate(arguments: &ValidateArgs) -> CommandResult {
    let scenario = load::open(&arguments.which)?;
    let work = match arguments.no_data {
        true => None,
        false => Some(read_through(&scenario)?),
    };
    let warnings = lint(&scenario, work.as_ref());
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &facts(&scenario, (work.as_ref(), &warnings)))
            .map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    writeln!(out, "{} is a valid scenario", scenario.path)?;
    if !scenario.question.is_empty() {
        writeln!(out, "  question   {}", clean(&scenario.question))?;
    }
    let names: Vec<String> = scenario.policies.iter().map(|policy| clean(&policy.name)).collect();
    writeln!(out, "  policies   {} (baseline {})", names.join(", "), names[scenario.baseline])?;
    match &work {
        Some(work) => {
            out.write_all(survey_lines(work, scenario.calendar).as_bytes())?;
            for (what, share) in offered(&scenario, work) {
                writeln!(out, "  asks for   {:.1} % of the {what}", share * 100.0)?;
            }
        }
        None => writeln!(out, "  work       not read (--no-data)")?,
    }
    writeln!(
        out,
        "  world      {} providers or clusters, {} regions, {} offers, {} owned instances",
        scenario.world.providers.len(),
        scenario.world.regions.len(),
        scenario.world.offers.len(),
        owned(&scenario)
    )?;
    for assumption in assumed(&scenario, work.as_ref()) {
        writeln!(out, "  assumed    {}", clean(&assumption))?;
    }
    if !warnings.is_empty() {
        writeln!(out, "\n{}", listed(&warnings, "warning: "))?;
    }
    Ok(())
}

/// Lines on the work in the workload.
fn survey_lines(work: &Survey, calendar: Calendar) -> String {
    let mut text = format!("  work       {} pieces", work.pieces);
    if let Some((first, last)) = work.arrivals {
        let (first, last) = (calendar.format(first), calendar.format(last));
        text += &format!(", arriving from {first} to {last}");
    }
    text += "\n";
    if work.skipped > 0 {
        text += &format!("  left out   {} malformed rows\n", work.skipped);
    }
    for (note, rows) in work.notes.rows() {
        // A note begins with what became of its rows: `left out: ` or `kept: `.
        let (fate, why) = note.words().split_once(": ").unwrap_or(("", note.words()));
        let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        text += &format!("  {fate:<9}  {rows}: {why}\n");
    }
    text
}

/// Reads the workload to its end, under the eyes of whoever waits.
fn read_through(scenario: &Scenario) -> Result<Survey, Stop> {
    let bar = Bar::over_jobs("reading", false);
    let found = survey(scenario, &mut |pieces| {
        bar.reach(pieces);
        match halt::asked() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    bar.clear();
    found.map_err(|why| match why {
        Unsurveyed::Problems(problems) => problems.into(),
        Unsurveyed::Stopped => Stop::Interrupted("not all work was read".to_owned()),
    })
}

fn owned(scenario: &Scenario) -> u64 {
    let offers = scenario.world.offers.rows().iter();
    offers
        .filter(|offer| offer.market == Market::Owned)
        .map(|offer| u64::from(offer.running_at_start))
        .sum()
}

fn facts(
    scenario: &Scenario,
    (work, warnings): (Option<&Survey>, &[Problem]),
) -> serde_json::Value {
    let names: Vec<&str> = scenario.policies.iter().map(|policy| policy.name.as_str()).collect();
    json!({
        "scenario": scenario.name,
        "question": scenario.question,
        "seed": scenario.seed,
        "policies": names,
        "baseline": names[scenario.baseline],
        "pieces_of_work": work.map(|work| work.pieces),
        "skipped_rows": work.map(|work| work.skipped),
        "dropped_rows": work.map(|work| work.notes.left_out()),
        "row_notes": work.map(|work| work.notes),
        "providers": scenario.world.providers.len(),
        "regions": scenario.world.regions.len(),
        "offers": scenario.world.offers.len(),
        "owned_instances": owned(scenario),
        "warnings": warnings,
        "assumptions": assumed(scenario, work),
    })
}

/// Assumptions under any policy, with those that its work shows where that was read.
fn assumed(scenario: &Scenario, work: Option<&Survey>) -> Vec<String> {
    let rows: Vec<usize> = (0..scenario.policies.len()).collect();
    let mut all: Vec<String> = not_modelled(scenario.unmodelled(&rows)).into_iter().collect();
    all.extend(scenario.assumed(&rows));
    let facts = work.map(|work| Facts {
        submitted: work.pieces,
        unestimated: work.unestimated,
        ..Facts::default()
    });
    for told in scenario.policies.iter().filter_map(|one| unestimated(facts.as_ref()?, one)) {
        if !all.contains(&told) {
            all.push(told);
        }
    }
    all
}

/// Command `windtunnel init`.
pub(super) fn init(arguments: &InitArgs) -> CommandResult {
    let text = match &arguments.from {
        Some(trace) => {
            let Starter { text, left_out } =
                init_from(trace, &named(trace, arguments.file.as_deref())?)?;
            let folder = arguments.file.as_deref().and_then(Path::parent);
            // A scenario that is written can be read: problems with it are said now.
            Scenario::parse(&text, "new scenario", folder.unwrap_or(Path::new("")), &[])?;
            if let Some(told) = left_out {
                print_line(&format!("note: {told}"));
            }
            text
        }
        None => quickstart().to_owned(),
    };
    let Some(file) = &arguments.file else {
        std::io::stdout().lock().write_all(text.as_bytes())?;
        return Ok(());
    };
    let written = new_file(file, "the scenario")?.write_all(text.as_bytes());
    written.with_context(|| format!("cannot write `{}`", file.display()))?;
    print_line(&format!("wrote {}; next: windtunnel compare {}", file.display(), file.display()));
    Ok(())
}

/// The trace as a scenario in `file` has to name it: relative to its folder.
fn named(trace: &Path, file: Option<&Path>) -> Result<String, Stop> {
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    let path = if folder.as_os_str().is_empty() {
        trace.to_owned()
    } else {
        match trace.strip_prefix(folder) {
            Ok(inside) => inside.to_owned(),
            Err(_) => std::path::absolute(trace)?,
        }
    };
    Ok(path.display().to_string())
}

/// Command `windtunnel policies`.
pub(super) fn policies(as_json: bool) -> CommandResult {
    let mut out = std::io::stdout().lock();
    if as_json {
        let parts: Vec<serde_json::Value> = OPTIONS
            .iter()
            .map(|option| {
                let parameters: Vec<serde_json::Value> = option
                    .parameters
                    .iter()
                    .map(|parameter| {
                        json!({
                            "name": parameter.name,
                            "value": ValueKind::from(parameter.kind).expected(),
                            "default": parameter.default.to_string(),
                            "doc": parameter.doc,
                        })
                    })
                    .collect();
                json!({
                    "part": option.part,
                    "name": option.name,
                    "doc": option.doc,
                    "parameters": parameters,
                })
            })
            .collect();
        let presets: Vec<serde_json::Value> = PRESETS
            .iter()
            .map(|preset| {
                let parts = preset.parts().map(|(part, text)| (part.to_owned(), json!(text)));
                let parts: serde_json::Map<_, _> = parts.into_iter().collect();
                json!({ "name": preset.name, "doc": preset.doc, "parts": parts })
            })
            .collect();
        let all = json!({ "parts": parts, "presets": presets });
        serde_json::to_writer_pretty(&mut out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    for (part, question) in PARTS {
        writeln!(out, "{part}: {question}")?;
        for option in OPTIONS.iter().filter(|option| option.part == *part) {
            writeln!(out, "  {:<18} {}", option.name, option.doc)?;
            for parameter in &option.parameters {
                writeln!(
                    out,
                    "    {:<16} {} ({}; default {})",
                    parameter.name,
                    parameter.doc,
                    ValueKind::from(parameter.kind).expected(),
                    parameter.default
                )?;
            }
        }
        writeln!(out)?;
    }
    writeln!(out, "presets: whole compositions")?;
    for preset in PRESETS {
        writeln!(out, "  {:<18} {}", preset.name, preset.doc)?;
        for (part, text) in preset.parts() {
            writeln!(out, "    {part:<16} {text}")?;
        }
    }
    writeln!(
        out,
        "\na part that a policy names replaces that of its preset whole, parameters included"
    )?;
    writeln!(out, "\nany part, or all of a policy, may be a program of yours:")?;
    writeln!(out, "  external = [\"python3\", \"ours.py\"]   see docs/policy.md")?;
    Ok(())
}

/// Command `windtunnel schema`.
pub(super) fn schema() -> CommandResult {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &scenario_schema()).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// Command `windtunnel completions`.
pub(super) fn completions(shell: clap_complete::Shell) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "windtunnel", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(())
}
