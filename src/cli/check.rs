//! `windtunnel check`: a suite of scenarios against its baselines.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::args::Check;
use super::diverge::{Again, diverge};
use super::exit::{Done, Stop, say};
use super::guard::Guard;
use super::run;
use super::unfinished::Unfinished;
use super::workshop::{Workshop, stopped};
use crate::experiment::check::{self, Baseline, Outcome, Parting, Terms, Trial, Verdicts};
use crate::experiment::{self, Lab, NoPlan, Plan};
use crate::problem::Problem;
use crate::report::{CheckReport, clean};
use crate::scenario::{Suite, Tested, definition};
use crate::text::file_name;

/// Runs a suite and says what has become worse; or stores what it does.
pub(super) fn check(arguments: &Check) -> Done {
    let guard = Guard::new(&arguments.bounds);
    let mut suite = Suite::load(&arguments.suite)?;
    for tested in &mut suite.scenarios {
        arguments.bounds.limit(&mut tested.scenario);
        experiment::share_inputs(&mut tested.scenario)
            .map_err(|failure| Stop::of_run(failure, &tested.scenario.path))?;
    }
    let label = if arguments.update { "storing" } else { "checking" };
    let how = (arguments.quiet, arguments.audit);
    let mut workshop = Workshop::bare(guard, label, how, arguments.threads)?;
    let done = workshop.work(|lab| match arguments.update {
        true => update(lab, &suite).map(Ran::Stored),
        false => held(lab, &suite, arguments).map(Ran::Held),
    });
    match done? {
        Ran::Stored(stored) => store(&suite, &stored, arguments.quiet),
        Ran::Held(held) => show(&suite, &held, arguments),
    }
}

/// A scenario that cannot be repeated as the suite asks.
pub(super) fn stop_plan(no_plan: NoPlan) -> Stop {
    match no_plan {
        NoPlan::Problem(problem) => Stop::Input(vec![problem]),
        NoPlan::Lab(failure) => stopped(failure),
    }
}

enum Ran<'a> {
    Stored(Vec<(PathBuf, String)>),
    Held(Vec<Held<'a>>),
}

/// A policy that was run and compared with its baseline.
struct Held<'a> {
    verdicts: Verdicts<'a>,
    parting: Option<Parting>,
}

fn definition_of(trial: &Trial<'_>) -> String {
    definition(&trial.tested.scenario, &trial.policy.name)
}

fn planned(lab: &Lab<'_>, tested: &Tested) -> Result<(Plan, Terms), Stop> {
    let plan = check::plan_of(lab, tested).map_err(stop_plan)?;
    let terms = check::terms(tested, &plan).map_err(|problem| Stop::Input(vec![problem]))?;
    Ok((plan, terms))
}

/// The baselines as they would be stored now.
fn update(lab: &Lab<'_>, suite: &Suite) -> Result<Vec<(PathBuf, String)>, Stop> {
    let mut files = Vec::new();
    for tested in &suite.scenarios {
        let (plan, terms) = planned(lab, tested)?;
        let rows: Vec<_> = tested.policies.iter().map(|&row| (row, None)).collect();
        let trials = check::measure(lab, tested, &plan, &rows).map_err(stopped)?;
        for trial in &trials {
            let baseline = Baseline::of(&terms, definition_of(trial), &trial.runs);
            let text = baseline
                .text(&tested.name, &trial.policy.name)
                .context("a baseline cannot be written as TOML")?;
            files.push((file_of(suite, tested, &trial.policy.name), text));
        }
    }
    Ok(files)
}

/// Runs every policy as often as its baseline holds, and judges. All that is
/// wrong with baselines is found before anything runs.
fn held<'a>(lab: &Lab<'_>, suite: &'a Suite, arguments: &Check) -> Result<Vec<Held<'a>>, Stop> {
    let mut problems = Vec::new();
    let mut all = Vec::new();
    for tested in &suite.scenarios {
        let (plan, terms) = planned(lab, tested)?;
        let mut known = Vec::new();
        for &row in &tested.policies {
            let path = file_of(suite, tested, &tested.scenario.policies[row].name);
            match read(&path, suite, &terms) {
                Ok(baseline) => known.push((row, baseline)),
                Err(problem) => problems.push(problem),
            }
        }
        all.push((tested, plan, known));
    }
    if !problems.is_empty() {
        return Err(Stop::Input(problems));
    }
    let (mut trials, mut baselines, mut plans) = (Vec::new(), Vec::new(), Vec::new());
    for (tested, plan, known) in all {
        let rows: Vec<_> =
            known.iter().map(|(row, baseline)| (*row, Some(baseline.replications()))).collect();
        let ran = check::measure(lab, tested, &plan, &rows);
        trials.extend(ran.map_err(stopped)?);
        plans.extend(known.iter().map(|_| plan));
        baselines.extend(known.into_iter().map(|(_, baseline)| baseline));
    }
    let now: Vec<String> = trials.iter().map(definition_of).collect();
    let verdicts = check::judge(&trials, &baselines, &now, suite.confidence);
    let mut held = Vec::new();
    for (row, verdicts) in verdicts.into_iter().enumerate() {
        let again = Again {
            lab,
            trial: &trials[row],
            baseline: &baselines[row],
            plan: &plans[row],
            base_command: arguments.base_command.as_deref(),
        };
        let parting = match verdicts.outcome() >= Outcome::Unclear {
            true => diverge(again, &verdicts)?,
            false => None,
        };
        held.push(Held { verdicts, parting });
    }
    Ok(held)
}

fn read(path: &Path, suite: &Suite, terms: &Terms) -> Result<Baseline, Problem> {
    let shown = path.display().to_string();
    if !path.exists() {
        let hint = format!("store it with `windtunnel check {} --update`", suite.path);
        return Err(Problem::with(&shown, "there is no such baseline").hint(hint));
    }
    let baseline = Baseline::load(path)?;
    match baseline.staleness(terms).as_slice() {
        [] => Ok(baseline),
        changes => Err(Baseline::stale(&shown, changes)),
    }
}

/// Where the baseline of a policy lies.
fn file_of(suite: &Suite, tested: &Tested, policy: &str) -> PathBuf {
    suite.baselines.join(file_name(&tested.name)).join(format!("{}.toml", file_name(policy)))
}

fn store(suite: &Suite, files: &[(PathBuf, String)], quiet: bool) -> Done {
    let mut changed = 0;
    for (path, text) in files {
        if fs::read_to_string(path).is_ok_and(|known| known == *text) {
            continue;
        }
        changed += 1;
        let folder = path.parent().unwrap_or(Path::new("."));
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(folder)?;
            let (unfinished, mut file) = Unfinished::file(path)?;
            file.write_all(text.as_bytes())?;
            unfinished.finish(path, || Ok(()))
        };
        write().with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if !quiet {
        let folder = suite.baselines.display();
        say(&format!("baselines in {folder}: {} stored, {changed} new or changed", files.len()));
        for path in unused(suite, files) {
            say(&format!("no longer used: {}", clean(&path.display().to_string())));
        }
    }
    Ok(())
}

/// Baselines that no policy of the suite has any more.
fn unused(suite: &Suite, files: &[(PathBuf, String)]) -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let mut found: Vec<PathBuf> = inside(&suite.baselines)
        .iter()
        .flat_map(|folder| inside(folder))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter(|path| files.iter().all(|(used, _)| used != path))
        .collect();
    found.sort();
    found
}

fn show(suite: &Suite, held: &[Held<'_>], arguments: &Check) -> Done {
    let rows = held.iter().map(|held| (&held.verdicts, held.parting.as_ref())).collect();
    let report = CheckReport { suite, rows };
    if let Some(path) = &arguments.markdown {
        fs::write(path, report.document().markdown())
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if let Some(path) = &arguments.junit {
        let mut xml = Vec::new();
        report.write_junit(&mut xml)?;
        fs::write(path, xml).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &report.json()).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        out.write_all(report.document().text(run::terminal()).as_bytes())?;
    }
    out.flush()?;
    report.finding().map_or(Ok(()), |finding| Err(Stop::Finding(finding)))
}
