//! Commands that look at something without running it.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use serde_json::json;

use super::args::{Arguments, Init, Validate};
use super::exit::{Done, Stop};
use super::open;
use crate::model::Market;
use crate::report::clean;
use crate::scenario::{
    OPTIONS, PARTS, PRESETS, Scenario, init_from, quickstart, schema as scenario_schema,
};

/// `windtunnel validate`.
pub(super) fn validate(arguments: &Validate) -> Done {
    let scenario = open::open(&arguments.which)?;
    let context = scenario.context(scenario.seed, false);
    // Opening the workload finds what reading the scenario cannot: missing files, wrong formats.
    scenario.workload.open(&context)?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &facts(&scenario)).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    writeln!(out, "{} is a valid scenario", scenario.path)?;
    if !scenario.question.is_empty() {
        writeln!(out, "  question   {}", clean(&scenario.question))?;
    }
    let names: Vec<String> = scenario.policies.iter().map(|policy| clean(&policy.name)).collect();
    writeln!(out, "  policies   {} (baseline {})", names.join(", "), names[scenario.baseline])?;
    writeln!(
        out,
        "  world      {} providers and clusters, {} regions, {} offers, {} owned instances",
        scenario.world.providers.len(),
        scenario.world.regions.len(),
        scenario.world.offers.len(),
        owned(&scenario)
    )?;
    for assumption in &scenario.assumptions {
        writeln!(out, "  assumed    {}", clean(assumption))?;
    }
    Ok(())
}

fn owned(scenario: &Scenario) -> u64 {
    let offers = scenario.world.offers.rows().iter();
    offers
        .filter(|offer| offer.market == Market::Owned)
        .map(|offer| u64::from(offer.running_at_start))
        .sum()
}

fn facts(scenario: &Scenario) -> serde_json::Value {
    let names: Vec<&str> = scenario.policies.iter().map(|policy| policy.name.as_str()).collect();
    json!({
        "scenario": scenario.name,
        "question": scenario.question,
        "seed": scenario.seed,
        "policies": names,
        "baseline": names[scenario.baseline],
        "providers": scenario.world.providers.len(),
        "regions": scenario.world.regions.len(),
        "offers": scenario.world.offers.len(),
        "owned_instances": owned(scenario),
        "assumptions": scenario.assumptions,
    })
}

/// `windtunnel init`.
pub(super) fn init(arguments: &Init) -> Done {
    let text = match &arguments.from {
        Some(trace) => init_from(trace, &named(trace, arguments.file.as_deref())?)?,
        None => quickstart().to_owned(),
    };
    let Some(file) = &arguments.file else {
        std::io::stdout().lock().write_all(text.as_bytes())?;
        return Ok(());
    };
    if file.exists() {
        let message = format!("`{}` exists already", file.display());
        return Err(Stop::usage(message, "name another file, or remove that one"));
    }
    std::fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
    eprintln!("wrote {}; next: windtunnel compare {}", file.display(), file.display());
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

/// `windtunnel policies`.
pub(super) fn policies(as_json: bool) -> Done {
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
                            "value": parameter.kind.expected(),
                            "default": parameter.default,
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
            .map(|preset| json!({ "name": preset.name, "doc": preset.doc }))
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
            for parameter in option.parameters {
                writeln!(
                    out,
                    "    {:<16} {} ({}; default {})",
                    parameter.name,
                    parameter.doc,
                    parameter.kind.expected(),
                    parameter.default
                )?;
            }
        }
        writeln!(out)?;
    }
    writeln!(out, "presets: whole compositions")?;
    for preset in PRESETS {
        writeln!(out, "  {:<18} {}", preset.name, preset.doc)?;
    }
    writeln!(out, "\nany part, or all of a policy, may be a program of yours:")?;
    writeln!(out, "  external = [\"python3\", \"ours.py\"]   see docs/policy.md")?;
    Ok(())
}

/// `windtunnel schema`.
pub(super) fn schema() -> Done {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &scenario_schema()).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// `windtunnel completions`.
pub(super) fn completions(shell: clap_complete::Shell) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "windtunnel", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(())
}
