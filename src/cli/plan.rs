//! `windtunnel plan`: the cheapest setup that keeps the objectives.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::{How, PlanArgs};
use super::exit::{CommandResult, Stop, print_line};
use super::folder::{self, Folder};
use super::guard::ResourceGuard;
use super::session::{Experiment, ExperimentSession, stopped};
use super::{load, run};
use windtunnel::experiment::search::{Found, Keeping, SearchFailure, Task, Variable, search};
use windtunnel::experiment::{
    Asked, CautionedRun, Facts, backlog, carbon_gaps, cautions, energy_gaps, estimated_prices,
    nothing_to_gate, unestimated, waiting,
};
use windtunnel::metrics::METRICS;
use windtunnel::policy::spec::PolicySpec;
use windtunnel::problem::{Problem, Problems, clip};
use windtunnel::report::{
    PlanReport, Recipe, ResultFiles, TextCells, plan_charts, search_progress, write_page,
};
use windtunnel::scenario::{Scenario, concerns, minimised, not_modelled};
use windtunnel::units::Span;

/// Most runs where nothing else is said.
const BUDGET: u32 = 400;

/// Searches, judges, and shows the answer.
pub(super) fn plan(arguments: &PlanArgs) -> CommandResult {
    let guard = ResourceGuard::new(&arguments.many.bounds);
    let mut scenario = load::open(&arguments.which)?;
    arguments.many.bounds.limit(&mut scenario);
    let task = task(&scenario, arguments)?;
    let how = &arguments.how;
    let experiment = Experiment {
        kind: "plan",
        name: format!("{}-plan", scenario.name),
        scenarios: std::slice::from_ref(&scenario),
        parameters: parameters(arguments),
    };
    let mut session = ExperimentSession::open(guard, (how, &arguments.many), &experiment)?;
    let found = session.work(|runner| {
        search(runner, task, &scenario).map_err(|failure| match failure {
            SearchFailure::Problems(problems) => Stop::Input(by_variable(problems, &scenario)),
            SearchFailure::Runs(failure) => stopped(failure),
            SearchFailure::Halted(failure, progress) => {
                Stop::SoFar(Box::new(stopped(failure)), search_progress(&progress))
            }
        })
    })?;
    let policy = policy(&scenario, arguments, &found);
    let recipe = Recipe::of(&scenario, &policy)?;
    let rows = rows(&scenario, arguments, &found)?;
    let mut assumptions: Vec<String> =
        not_modelled(scenario.unmodelled(&rows)).into_iter().collect();
    assumptions.extend(scenario.assumed(&rows));
    let mut cautions = beside(&found, &scenario, &mut assumptions)?;
    cautions.extend(nothing_to_gate(how.gate, &scenario));
    let report = PlanReport {
        recipe: &recipe,
        found: &found,
        assumptions: &assumptions,
        cautions: &cautions,
    };
    let written = match session.folder() {
        Some(folder) => {
            let manifest = write(folder, &scenario, &report)?;
            session.finish(manifest)?
        }
        None => None,
    };
    show(&report, how, written)?;
    match found.choice {
        None if how.gate => {
            Err(Stop::Finding("no setup was shown to keep the objectives".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Cautions beside the answer, or beside the setup that was judged first where there is none;
/// assumptions of its runs are added to `assumptions`.
fn beside(
    found: &Found,
    base: &Scenario,
    assumptions: &mut Vec<String>,
) -> Result<Vec<String>, Stop> {
    let Some(row) = found.choice.or((!found.finalists.is_empty()).then_some(0)) else {
        return Ok(Vec::new());
    };
    let candidate = found.candidate(row);
    let Some(run) = candidate.held_out.first().or(candidate.searched.first()) else {
        return Ok(Vec::new());
    };
    let scenario = base.edited(&found.edits(&candidate.point))?;
    let name = found.task.policy.as_deref();
    let named = |policy: &&PolicySpec| Some(policy.name.as_str()) == name;
    let policy = scenario.policies.iter().find(named);
    let policy = policy.unwrap_or(&scenario.policies[scenario.baseline]);
    assumptions.extend(unestimated(&run.facts, policy));
    let runs =
        if candidate.held_out.is_empty() { &candidate.searched } else { &candidate.held_out };
    let (name, scenario, facts) = (&policy.name, &scenario, &Facts::over(runs));
    let run = CautionedRun { name, scenario, policy, facts };
    let mut said: Vec<String> = estimated_prices(&run).into_iter().collect();
    said.extend(cautions(&[run]));
    let waiting = runs.iter().map(|run| waiting(&run.course, found.repetition));
    said.extend(backlog([(name.as_str(), waiting.collect())]));
    Ok(said)
}

/// Parameters that decide, besides the scenario, which runs there are and what is made of them.
fn parameters(arguments: &PlanArgs) -> Vec<(&'static str, Value)> {
    let micros = |span: Option<Span>| span.map(Span::micros);
    vec![
        ("vary", json!(arguments.vary)),
        ("policy", json!(arguments.policy)),
        ("minimise", json!(arguments.minimise)),
        ("kept-in", json!(arguments.kept_in)),
        ("confidence", json!(arguments.confidence)),
        ("margin", json!(arguments.margin)),
        ("budget", json!(arguments.budget)),
        ("replications", json!(arguments.replications)),
        ("window", json!(micros(arguments.window))),
        ("warm-up", json!(micros(arguments.warm_up))),
        ("resample", json!(micros(arguments.resample))),
    ]
}

/// The policy that ran; several where the choice of one is a variable.
fn policy(scenario: &Scenario, arguments: &PlanArgs, found: &Found) -> String {
    let varied = found.task.variables.iter().find(|one| one.key == "baseline");
    match (&arguments.policy, varied) {
        (Some(name), _) => name.clone(),
        (None, Some(varied)) => varied.levels.join(", "),
        (None, None) => scenario.policies[scenario.baseline].name.clone(),
    }
}

/// Rows of the policies that ran, in order.
fn rows(scenario: &Scenario, arguments: &PlanArgs, found: &Found) -> Result<Vec<usize>, Stop> {
    let varied = found.task.variables.iter().find(|one| one.key == "baseline");
    match (&arguments.policy, varied) {
        (Some(name), _) => Ok(vec![load::policy(scenario, name)?]),
        (None, Some(varied)) => {
            let is_varied = |row: &usize| varied.levels.contains(&scenario.policies[*row].name);
            Ok((0..scenario.policies.len()).filter(is_varied).collect())
        }
        (None, None) => Ok(vec![scenario.baseline]),
    }
}

/// The task of the plan: the scenario's `[plan]`, with the values that the command line replaces.
fn task(scenario: &Scenario, arguments: &PlanArgs) -> Result<Task, Stop> {
    let spec = &scenario.plan;
    let mut vary = spec.vary.clone();
    for flag in &arguments.vary {
        let Some((key, values)) = flag.split_once('=') else {
            let message = format!("`--vary {flag}` has no `=`");
            return Err(Stop::usage(message, "write `--vary cluster.dc1.nodes=4..40`"));
        };
        let pair = (key.trim().to_owned(), values.trim().to_owned());
        match vary.iter_mut().find(|known| known.0 == pair.0) {
            Some(known) => *known = pair,
            None => vary.push(pair),
        }
    }
    let mut vary = with_policies(scenario, arguments, vary);
    let foreign = foreign(scenario, arguments, &vary);
    let asked = |key: &&String| {
        let mut flags = arguments.vary.iter().filter_map(|flag| flag.split_once('='));
        flags.any(|(known, _)| known.trim() == key.as_str())
    };
    if let Some(key) = foreign.iter().find(asked) {
        let planned = planned(scenario, arguments, &vary);
        let message =
            format!("`{key}` is a setting of another policy than {}", quoted_names(&planned));
        let hint = match arguments.policy {
            Some(_) => "vary a setting of the policy that is planned for, or leave out `--policy`",
            None => "name that policy in the values of `baseline` too, or do not vary `baseline`",
        };
        return Err(Stop::usage(message, hint));
    }
    vary.retain(|(key, _)| !foreign.contains(key));
    for key in foreign.iter().filter(|key| *key != "baseline") {
        print_line(&format!(
            "note: `{key}` is not varied: it is a setting of no policy that is planned for"
        ));
    }
    if foreign.iter().any(|key| key == "baseline") {
        print_line(
            "note: `baseline` is not varied: `--policy` names the policy that is planned for",
        );
    }
    let set = load::edits(&arguments.which)?;
    if let Some((key, _)) = set.iter().find(|(key, _)| vary.iter().any(|(other, _)| other == key)) {
        let message = format!("`{key}` is both set and varied");
        return Err(Stop::usage(
            message,
            "leave out `--set`, or narrow what is varied with `--vary`",
        ));
    }
    if vary.is_empty() {
        let why = match arguments.policy {
            Some(_) => "nothing may be decided: `--policy` leaves no choice of policy",
            None => {
                "nothing may be decided: the scenario has one policy and nothing that is varied"
            }
        };
        let hint = "add `--vary cluster.dc1.nodes=4..40`, or `[plan.vary]` to the scenario";
        return Err(Stop::usage(why, hint));
    }
    let (mut variables, mut problems) = (Vec::new(), Vec::new());
    for (key, values) in &vary {
        match Variable::read(key, values) {
            Ok(variable) => variables.push(variable),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(Stop::Input(problems.into()));
    }
    if let Some(name) = &arguments.policy {
        let known = |one: &str| scenario.policies.iter().any(|policy| policy.name == one.trim());
        if !known(name) && name.contains(',') && name.split(',').all(known) {
            let message = format!("`--policy {}` names several policies", clip(name));
            let hint = format!(
                "leave it out to look at all, or write `--vary baseline={}` to look at these",
                clip(name)
            );
            return Err(Stop::usage(message, hint));
        }
        load::policy(scenario, name)?;
    }
    let goal = arguments.minimise.as_deref().or(spec.minimise.as_deref()).unwrap_or("cost_monthly");
    let goal = minimised(goal).map_err(|(message, hint)| Stop::usage(message, hint))?;
    let gaps = match METRICS[goal].key {
        "carbon_kg" => carbon_gaps(&scenario.world),
        "energy_kwh" => energy_gaps(&scenario.world),
        _ => None,
    };
    if let Some(why) = gaps {
        let hint = "give it, such as `power = \"450 W\"`, or minimise another metric";
        return Err(Stop::usage(format!("{} is not known here: {why}", METRICS[goal].label), hint));
    }
    let kept_in = arguments.kept_in.or(spec.kept_in);
    Ok(Task {
        variables,
        policy: arguments.policy.clone(),
        goal,
        keeping: kept_in.map_or(Keeping::OnAverage, Keeping::InShare),
        confidence: arguments.confidence.or(spec.confidence).unwrap_or(0.95),
        margin: arguments.margin.or(spec.margin).unwrap_or(0.01),
        budget: arguments.budget.or(spec.budget).unwrap_or(BUDGET),
        asked: Asked {
            replications: arguments.replications,
            window: arguments.window,
            warm_up: arguments.warm_up,
            resample: arguments.resample,
        },
    })
}

/// Variables with the choice of a policy as one more, if nothing narrows it: the baseline first,
/// from which the search starts.
fn with_policies(
    scenario: &Scenario,
    arguments: &PlanArgs,
    mut vary: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let names = scenario.policies.iter().map(|policy| policy.name.as_str());
    let chosen = arguments.policy.is_some() || vary.iter().any(|(key, _)| key == "baseline");
    if chosen || names.len() < 2 || names.clone().any(|name| name.contains(',')) {
        return vary;
    }
    let baseline = scenario.policies[scenario.baseline].name.as_str();
    let others = names.filter(|name| *name != baseline);
    let all: Vec<&str> = std::iter::once(baseline).chain(others).collect();
    vary.push(("baseline".to_owned(), all.join(",")));
    vary
}

/// The policies that a plan is for.
fn planned(scenario: &Scenario, arguments: &PlanArgs, vary: &[(String, String)]) -> Vec<String> {
    let baseline = || vec![scenario.policies[scenario.baseline].name.clone()];
    let varied = vary.iter().find(|(key, _)| key == "baseline");
    match (&arguments.policy, varied) {
        (Some(name), _) => vec![name.clone()],
        (None, Some((key, values))) => {
            Variable::read(key, values).map_or_else(|_| baseline(), |one| one.levels)
        }
        (None, None) => baseline(),
    }
}

/// Settings of other policies than those that the plan is for, and the choice of one if `--policy`
/// makes it. Any setting may matter if it is varied which policy extends which.
fn foreign(scenario: &Scenario, arguments: &PlanArgs, vary: &[(String, String)]) -> Vec<String> {
    let planned = planned(scenario, arguments, vary);
    let keys = || vary.iter().map(|(key, _)| key);
    let fixed = !keys().any(|key| key.ends_with(".extends"));
    let foreign = |key: &&String| match key.as_str() {
        "baseline" => arguments.policy.is_some(),
        key => fixed && !planned.iter().any(|name| concerns(scenario, name, key)),
    };
    keys().filter(foreign).cloned().collect()
}

/// `` `a` `` or `` `a`, `b` ``.
fn quoted_names(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Problems of single setups name the variable, not an edit that nobody typed.
fn by_variable(problems: Problems, scenario: &Scenario) -> Problems {
    let told = |mut problem: Problem| {
        if let Some(edit) = problem.path.strip_prefix("--set ") {
            problem.path = format!("{}: vary {}", scenario.path, edit.replacen('=', " = ", 1));
        } else if problem.path == "plan" {
            problem.path = format!("{}: plan", scenario.path);
        }
        problem
    };
    problems.into_iter().map(told).collect()
}

fn write(folder: &Folder, scenario: &Scenario, report: &PlanReport<'_>) -> Result<Value, Stop> {
    let out = report.write_csv(folder.file("candidates.csv")?, TextCells::Guarded)?;
    folder::finish(out, "candidates.csv")?;
    let mut json = Vec::new();
    report.write_json(&mut json)?;
    folder.take_bytes("plan.json", &json)?;
    folder.take_bytes("plan.md", report.document(Vec::new()).markdown().as_bytes())?;
    folder.take_bytes("scenario.toml", scenario.text.as_bytes())?;
    let charts = plan_charts(report);
    write_page(folder, "plan.html", charts, |charts| report.document(charts))?;
    Ok(report.recipe.manifest(None))
}

fn show(report: &PlanReport<'_>, how: &How, written: Option<PathBuf>) -> CommandResult {
    let mut out = std::io::stdout().lock();
    if how.json {
        report.write_json(&mut out)?;
    } else {
        out.write_all(report.document(Vec::new()).text(run::terminal()).as_bytes())?;
    }
    out.flush()?;
    run::tell_folder(how, written, "plan.html");
    Ok(())
}
