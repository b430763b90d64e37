//! `windtunnel commit`: how much to commit to, and how sure that is.

use std::io::Write;

use serde_json::json;

use super::args::CommitArgs;
use super::exit::{CommandResult, Stop};
use super::folder;
use super::guard::ResourceGuard;
use super::session::{Experiment, ExperimentSession, stopped};
use super::{load, run};
use windtunnel::experiment::commit::{CommitFailure, CommitPlan, commit as study};
use windtunnel::experiment::share_inputs;
use windtunnel::report::{CommitReport, Recipe, ResultFiles, TextCells, commit_charts, write_page};
use windtunnel::scenario::{COMMITMENTS, not_modelled};

/// Replications where nothing is said.
const REPLICATIONS: u32 = 20;

/// Says how much to commit to.
pub(super) fn commit(arguments: &CommitArgs) -> CommandResult {
    if arguments.how.gate {
        let hint = "`windtunnel run --gate` holds a run to its objectives";
        return Err(Stop::usage("`--gate` holds nothing here", hint));
    }
    let guard = ResourceGuard::new(&arguments.many.bounds);
    let mut scenario = load::open(&arguments.which)?;
    arguments.many.bounds.limit(&mut scenario);
    let policy = match &arguments.policy {
        Some(name) => load::policy(&scenario, name)?,
        None => scenario.baseline,
    };
    let unshared = scenario.clone();
    let again = || {
        let words: Vec<String> = std::env::args().skip(1).collect();
        format!("windtunnel {} --audit", words.join(" "))
    };
    share_inputs(&mut scenario).map_err(|failure| Stop::of_run(failure, &again()))?;
    let plan = CommitPlan {
        policy,
        replications: arguments.replications.unwrap_or(REPLICATIONS),
        years: arguments.years,
        growth: arguments.growth,
        spread: arguments.spread,
        confidence: arguments.confidence,
    };
    let experiment = Experiment {
        kind: "commit",
        name: format!("{}-commit", scenario.name),
        scenarios: std::slice::from_ref(&unshared),
        parameters: vec![
            ("set", json!(arguments.which.set)),
            ("policy", json!(scenario.policies[policy].name)),
            ("replications", json!(plan.replications)),
            ("years", json!(plan.years)),
            ("growth", json!(plan.growth)),
            ("spread", json!(plan.spread)),
            ("confidence", json!(plan.confidence)),
        ],
    };
    let how = &arguments.how;
    let mut session = ExperimentSession::open(guard, (how, &arguments.many), &experiment)?;
    let found = session.work(|runner| {
        study(runner, &scenario, &plan).map_err(|failure| match failure {
            CommitFailure::Problem(problem) => Stop::Input(problem.into()),
            CommitFailure::Runs(failure) => stopped(failure),
        })
    })?;
    let recipe = Recipe::of(&scenario, &found.policy)?;
    let mut unmodelled = scenario.unmodelled(&[policy]);
    unmodelled.retain(|told| told != COMMITMENTS);
    let mut assumptions: Vec<String> = not_modelled(unmodelled).into_iter().collect();
    assumptions.extend(scenario.assumed(&[policy]));
    let report = CommitReport {
        question: Some(scenario.question.as_str()).filter(|question| !question.is_empty()),
        study: &found,
        recipe: Some(&recipe),
        assumptions: &assumptions,
    };
    let written = match session.folder() {
        Some(folder) => {
            let out = report.write_csv(folder.file("commit.csv")?, TextCells::Guarded)?;
            folder::finish(out, "commit.csv")?;
            let mut json = Vec::new();
            report.write_json(&mut json)?;
            folder.take_bytes("commit.json", &json)?;
            folder.take_bytes("scenario.toml", scenario.text.as_bytes())?;
            let charts = commit_charts(&report);
            write_page(folder, "commit.html", charts, |charts| report.document(charts))?;
            session.finish(recipe.manifest(None))?
        }
        None => None,
    };
    let mut out = std::io::stdout().lock();
    match how.json {
        true => report.write_json(&mut out)?,
        false => out.write_all(report.document(Vec::new()).text(run::terminal()).as_bytes())?,
    }
    out.flush()?;
    run::tell_folder(how, written, "commit.html");
    Ok(())
}
