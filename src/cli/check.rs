//! `windtunnel check`: a suite of scenarios against its baselines.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::args::CheckArgs;
use super::diverge::{Again, diverge};
use super::exit::{CommandResult, Stop, print_line};
use super::folder::{leads_away, linked, write_named};
use super::guard::ResourceGuard;
use super::run;
use super::session::{ExperimentSession, stopped};
use super::unfinished::Unfinished;
use windtunnel::experiment::check::{
    self, Baseline, FailedTrial, FirstDivergence, GateOutcome, GateVerdicts, HeldSuite,
    MovedMetric, Trial,
};
use windtunnel::experiment::{self, ExperimentFailure, RunRequest, Runner};
use windtunnel::problem::Problem;
use windtunnel::report::{CheckReport, LeftOut, clean, figure, one_line};
use windtunnel::scenario::{Subject, Suite};

/// Runs a suite and says what has become worse; or stores what it does.
pub(super) fn check(arguments: &CheckArgs) -> CommandResult {
    let guard = ResourceGuard::new(&arguments.bounds);
    // Findings of an earlier check must not be taken for those of this one, whatever ends it.
    for old in [&arguments.markdown, &arguments.page, &arguments.junit].into_iter().flatten() {
        if leads_away(old) {
            return Err(linked(old));
        }
        if old.is_file() && !old.is_symlink() {
            fs::remove_file(old).with_context(|| format!("cannot remove `{}`", old.display()))?;
        }
    }
    // An update stores the baselines of all scenarios, so every one must be readable.
    let load = if arguments.update { Suite::load } else { Suite::load_readable };
    let mut suite = load(&arguments.suite)?;
    for tested in &mut suite.scenarios {
        arguments.bounds.limit(&mut tested.scenario);
    }
    experiment::share_suite(&mut suite)
        .map_err(|failure| Stop::of_run(failure, &arguments.suite.display().to_string()))?;
    let label = if arguments.update { "storing" } else { "checking" };
    let how = (arguments.quiet, arguments.audit);
    let mut session = ExperimentSession::bare(guard, label, how, arguments.threads)?;
    let done = session.work(|runner| match arguments.update {
        true => update(runner, &suite).map(|(files, taken)| Ran::Stored(files, taken)),
        false => held(runner, &suite, arguments),
    });
    match done? {
        Ran::Stored(stored, taken) => {
            if !arguments.quiet {
                taken.iter().for_each(|told| print_line(told));
            }
            store(&suite, &stored, arguments.quiet)
        }
        Ran::Held(held, partings, why) => {
            show(&suite, (&held, &partings, &why.reasons), why.stop.is_some(), arguments)?;
            why.stop.map_or(Ok(()), Err)
        }
    }
}

/// A scenario that cannot be repeated as the suite asks.
pub(super) fn stop_experiment(failure: ExperimentFailure) -> Stop {
    match failure {
        ExperimentFailure::Problem(problem) => Stop::Input(problem.into()),
        ExperimentFailure::Runs(failure) => stopped(failure),
    }
}

enum Ran<'a> {
    /// Baselines as they are now, and the changes they take in.
    Stored(Vec<(PathBuf, String)>, Vec<String>),
    /// Policies held against their baselines, with the first divergence of each, and why not all
    /// could be compared.
    Held(HeldSuite<'a>, Vec<Option<FirstDivergence>>, Incomplete),
}

/// Reasons why not all was compared.
#[derive(Default)]
struct Incomplete {
    /// Reasons for the reports, one by one.
    reasons: Vec<LeftOut>,
    /// Stop that ends the command.
    stop: Option<Stop>,
}

/// Baselines by their paths, and the changes they take in, in words.
type Updated = (Vec<(PathBuf, String)>, Vec<String>);

/// The baselines as they would be stored now, and what changes in them.
fn update(runner: &Runner<'_>, suite: &Suite) -> Result<Updated, Stop> {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    let (mut changed, mut known) = (Vec::new(), Vec::new());
    for (trial, baseline) in check::new_baselines(runner, suite).map_err(stop_experiment)? {
        let text = baseline
            .text(&trial.tested.name, &trial.policy.name)
            .context("a baseline cannot be written as TOML")?;
        let path = suite.baseline_path(trial.tested, &trial.policy.name);
        problems.extend(unmeasured(suite, &trial));
        if let Ok(old) = Baseline::load(&path)
            && old.replications() as usize == trial.runs.len()
        {
            changed.push(trial);
            known.push(old);
        }
        files.push((path, text));
    }
    if !problems.is_empty() {
        return Err(Stop::Input(problems.into()));
    }
    let definitions: Vec<String> = changed.iter().map(Trial::definition).collect();
    let verdicts = check::judge(&changed, &known, &definitions, suite.confidence);
    Ok((files, verdicts.iter().filter_map(taken_in).collect()))
}

/// Gates on metrics that no run of a policy shows.
fn unmeasured(suite: &Suite, trial: &Trial<'_>) -> Vec<Problem> {
    let (scenario, policy) = (clean(&trial.tested.name), clean(&trial.policy.name));
    let gates = trial.tested.gates.iter().filter_map(|gate| match gate.subject {
        Subject::Events => None,
        Subject::Metric(metric) => Some(metric.key),
    });
    let unseen = gates.filter(|key| trial.runs.iter().all(|run| run.metric(key).is_none()));
    unseen
        .map(|key| {
            let message = format!("no run of {policy} in {scenario} shows the metric `{key}`");
            let hint = format!("write `{key} = \"off\"` in `[scenario.{scenario}.gates]`");
            Problem::with(&suite.path, message).hint(hint)
        })
        .collect()
}

/// Metrics that are named of what a baseline takes in; its file shows all of them.
const NAMED: usize = 5;

/// Changes that the new baseline of a policy takes in: metrics that moved, those with a gate first,
/// and gates that the old one would have had break.
fn taken_in(verdicts: &GateVerdicts<'_>) -> Option<String> {
    let has_gate = |one: &&MovedMetric| {
        verdicts.findings.iter().any(|found| found.gate.subject.key() == one.metric.key)
    };
    let (first, others): (Vec<&MovedMetric>, Vec<&MovedMetric>) =
        verdicts.moved.iter().partition(has_gate);
    let mut told: Vec<String> = first.into_iter().chain(others).take(NAMED).map(movement).collect();
    match verdicts.moved.len() - told.len() {
        0 => {}
        1 => told.push("and 1 more metric".to_owned()),
        more => told.push(format!("and {more} more metrics")),
    }
    let broken = verdicts.findings.iter().filter(|one| one.outcome >= GateOutcome::Unclear);
    let broken: Vec<&str> = broken.map(|one| one.gate.subject.key()).collect();
    let who = format!("{} in {}", clean(verdicts.policy), clean(verdicts.scenario));
    let gates = match broken.as_slice() {
        [] => String::new(),
        broken => format!("; would not have held: {}", broken.join(", ")),
    };
    (!told.is_empty() || !broken.is_empty())
        .then(|| format!("{who} takes in: {}{gates}", told.join(", ")))
}

/// A metric with its old and its new value; with all digits where fewer do not tell them apart.
fn movement(moved: &MovedMetric) -> String {
    let MovedMetric { metric, base, now } = moved;
    let [then, since] = [base, now].map(|value| figure(metric.unit, *value));
    match (base, now) {
        (Some(base), Some(now)) if then == since => format!("{} {base} -> {now}", metric.key),
        _ => format!("{} {then} -> {since}", metric.key),
    }
}

/// Holds every policy against its baseline, and looks up where it parts from it. Problems with some
/// baselines, or with some policies, come second.
///
/// # Errors
/// A run was stopped from outside, or did what no run may.
fn held<'a>(runner: &Runner<'_>, suite: &'a Suite, arguments: &CheckArgs) -> Result<Ran<'a>, Stop> {
    let mut held = check::hold(runner, suite).map_err(stop_experiment)?;
    let reasons = held.problems.iter().map(LeftOut::of).collect();
    let problems: Vec<Problem> = held.problems.iter().map(|one| one.problem.clone()).collect();
    let stop = (!problems.is_empty()).then(|| Stop::Input(problems.into()));
    let mut left_out = Incomplete { reasons, stop };
    for FailedTrial { policy, scenario, failure } in held.failures.drain(..) {
        let failed = stopped(failure).of(&format!("{} in {}", clean(policy), clean(scenario)));
        left_out.reasons.push(LeftOut {
            scenario: scenario.to_owned(),
            policy: Some(policy.to_owned()),
            why: one_line(&failed.to_string()),
        });
        left_out.stop = Some(worst(left_out.stop, failed));
    }
    let mut partings = Vec::new();
    for (row, verdicts) in held.verdicts.iter().enumerate() {
        let again = Again {
            runner,
            trial: &held.trials[row],
            baseline: &held.baselines[row],
            plan: &held.plans[row],
            base_command: arguments.base_command.as_deref(),
        };
        let mut parting = match verdicts.outcome() >= GateOutcome::Unclear {
            true => diverge(again, verdicts)?,
            false => None,
        };
        if let Some(parting) = &mut parting
            && is_erratic(again, parting.replication)?
        {
            parting.caution = Some(
                "the policy does not do the same twice under one seed, so what differs may be that: it must \
                 draw from the seed that it is told, and from nothing else"
                    .to_owned(),
            );
        }
        partings.push(parting);
    }
    Ok(Ran::Held(held, partings, left_out))
}

/// Whether a policy that others wrote does something else when it is run again.
fn is_erratic(again: Again<'_>, replication: u32) -> Result<bool, Stop> {
    let Again { runner, trial, plan, .. } = again;
    if trial.policy.is_all_ours() {
        return Ok(false);
    }
    let (scenario, policy, repetition) = (&trial.tested.scenario, trial.policy, plan.repetition);
    let cell = RunRequest { scenario, policy, repetition, replication };
    let run = runner.measure(&[cell]).map_err(stopped)?;
    Ok(run[0].fingerprint != trial.runs[replication as usize].fingerprint)
}

/// The reason to end with, of two why something was left out: all problems of the input, or else
/// the first failure.
fn worst(known: Option<Stop>, new: Stop) -> Stop {
    match (known, new) {
        (None, new) => new,
        (Some(Stop::Input(known)), Stop::Input(new)) => {
            Stop::Input(known.into_iter().chain(new).collect())
        }
        (Some(Stop::Input(problems)), new) => {
            problems.iter().for_each(|problem| print_line(&problem.to_string()));
            new
        }
        (Some(known), _) => known,
    }
}

fn store(suite: &Suite, files: &[(PathBuf, String)], quiet: bool) -> CommandResult {
    let mut changed = 0;
    for (path, text) in files {
        if fs::read_to_string(path).is_ok_and(|known| known == *text) {
            continue;
        }
        changed += 1;
        let folder = path.parent().unwrap_or(Path::new("."));
        if folder.is_symlink() {
            return Err(linked(folder));
        }
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
        print_line(&format!(
            "baselines in {folder}: {} stored, {changed} new or changed",
            files.len()
        ));
        for path in unused(files) {
            let path = clean(&path.display().to_string());
            print_line(&format!("of no policy that this suite checks: {path}"));
        }
    }
    Ok(())
}

/// Baselines of the suite's scenarios that none of its policies has. Folders of other scenarios
/// may be another suite's.
fn unused(files: &[(PathBuf, String)]) -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let own: BTreeSet<&Path> = files.iter().filter_map(|(path, _)| path.parent()).collect();
    let mut found: Vec<PathBuf> = own
        .into_iter()
        .flat_map(inside)
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter(|path| files.iter().all(|(used, _)| used != path))
        .collect();
    found.sort();
    found
}

fn show(
    suite: &Suite,
    (held, partings, left_out): (&HeldSuite<'_>, &[Option<FirstDivergence>], &[LeftOut]),
    is_incomplete: bool,
    arguments: &CheckArgs,
) -> CommandResult {
    let mut report = CheckReport::of(suite, held);
    report.left_out = left_out.to_vec();
    for ((_, parting), found) in report.rows.iter_mut().zip(partings) {
        *parting = found.as_ref();
    }
    if let Some(path) = &arguments.markdown {
        write_named(path, report.document().markdown().as_bytes())?;
    }
    if let Some(path) = &arguments.page {
        let mut page = Vec::new();
        report.document().write_page(&mut page)?;
        write_named(path, &page)?;
    }
    if let Some(path) = &arguments.junit {
        let mut xml = Vec::new();
        report.write_junit(&mut xml)?;
        write_named(path, &xml)?;
    }
    if held.trials.is_empty() {
        // The errors say it all.
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &report.json()).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        out.write_all(report.document().text(run::terminal()).as_bytes())?;
    }
    out.flush()?;
    match report.finding() {
        // A part that was left out ends the command; a finding is said nonetheless.
        Some(finding) if is_incomplete => print_line(&finding),
        Some(finding) => return Err(Stop::Finding(finding)),
        None => {}
    }
    Ok(())
}
