//! `windtunnel plan`: the cheapest setup that keeps the objectives.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::{How, Plan};
use super::exit::{Done, Stop, say};
use super::folder::{self, Folder};
use super::guard::Guard;
use super::workshop::{Experiment, Workshop, stopped};
use super::{open, recipe, run};
use crate::experiment::search::{Found, Keeping, Open, SearchFailure, Task, Variable, search};
use crate::experiment::{Asked, Shown, carbon_gaps, cautions, unestimated};
use crate::metrics::METRICS;
use crate::policy::spec::PolicySpec;
use crate::problem::Problem;
use crate::report::{PlanReport, TextCells, plan_charts};
use crate::scenario::{Scenario, concerns, minimised};
use crate::units::Span;

/// Most runs where nothing else is said.
const BUDGET: u32 = 400;

/// Searches, judges, and shows the answer.
pub(super) fn plan(arguments: &Plan) -> Done {
    let guard = Guard::new(&arguments.many.bounds);
    let scenario = open::open(&arguments.which)?;
    let task = task(&scenario, arguments)?;
    let how = &arguments.how;
    let experiment = Experiment {
        kind: "plan",
        name: format!("{}-plan", scenario.name),
        scenarios: std::slice::from_ref(&scenario),
        parameters: parameters(arguments),
    };
    let mut workshop = Workshop::open(guard, (how, &arguments.many), &experiment)?;
    let set = open::edits(&arguments.which)?;
    let open = |setup: &[(String, String)]| {
        let all: Vec<(String, String)> = set.iter().chain(setup).cloned().collect();
        let mut scenario = open::read(&arguments.which, &all)?;
        arguments.many.bounds.limit(&mut scenario);
        Ok(scenario)
    };
    let found = workshop.work(|lab| {
        search(lab, task, &open).map_err(|failure| match failure {
            SearchFailure::Problems(problems) => Stop::Input(told(problems, &scenario)),
            SearchFailure::Lab(failure) => stopped(failure),
        })
    })?;
    let policy = policy(&scenario, arguments, &found);
    let recipe = recipe::recipe(&scenario, &policy)?;
    let mut assumptions = scenario.assumed(0..scenario.policies.len());
    let cautions = beside(&found, &open, &mut assumptions)?;
    let report = PlanReport {
        recipe: &recipe,
        found: &found,
        assumptions: &assumptions,
        cautions: &cautions,
    };
    let written = match workshop.folder() {
        Some(folder) => {
            let manifest = write(folder, &scenario, &report)?;
            workshop.finish(manifest)?
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

/// What must be said beside the answer, or the setup that was judged first where there is
/// none; what was assumed in its runs is added to `assumptions`.
fn beside(
    found: &Found,
    open: Open<'_>,
    assumptions: &mut Vec<String>,
) -> Result<Vec<String>, Stop> {
    let Some(row) = found.choice.or((!found.finalists.is_empty()).then_some(0)) else {
        return Ok(Vec::new());
    };
    let candidate = found.candidate(row);
    let Some(run) = candidate.held_out.first().or(candidate.searched.first()) else {
        return Ok(Vec::new());
    };
    let scenario = open(&found.edits(&candidate.point))?;
    let name = found.task.policy.as_deref();
    let named = |policy: &&PolicySpec| Some(policy.name.as_str()) == name;
    let policy = scenario.policies.iter().find(named);
    let policy = policy.unwrap_or(&scenario.policies[scenario.baseline]);
    assumptions.extend(unestimated(&run.facts, policy));
    let (name, scenario, facts) = (&policy.name, &scenario, &run.facts);
    Ok(cautions(&[Shown { name, scenario, policy, facts }]))
}

/// What decides which runs there are and what is made of them, besides the scenario.
fn parameters(arguments: &Plan) -> Vec<(&'static str, Value)> {
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
fn policy(scenario: &Scenario, arguments: &Plan, found: &Found) -> String {
    let varied = found.task.variables.iter().find(|one| one.key == "baseline");
    match (&arguments.policy, varied) {
        (Some(name), _) => name.clone(),
        (None, Some(varied)) => varied.levels.join(", "),
        (None, None) => scenario.policies[scenario.baseline].name.clone(),
    }
}

/// What is asked: the scenario's `[plan]`, and what the command line says instead.
fn task(scenario: &Scenario, arguments: &Plan) -> Result<Task, Stop> {
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
        let policy = arguments.policy.as_deref().unwrap_or_default();
        let message = format!("`{key}` is a setting of another policy than `{policy}`");
        return Err(Stop::usage(message, "vary a setting of the policy that is planned for"));
    }
    vary.retain(|(key, _)| !foreign.contains(key));
    if foreign.iter().any(|key| key == "baseline") {
        say("note: `baseline` is not varied: `--policy` names the policy that is planned for");
    }
    let set = open::edits(&arguments.which)?;
    if let Some((key, _)) = set.iter().find(|(key, _)| vary.iter().any(|(other, _)| other == key)) {
        let message = format!("`{key}` is both set and varied");
        return Err(Stop::usage(
            message,
            "leave out `--set`, or narrow what is varied with `--vary`",
        ));
    }
    if vary.is_empty() {
        let hint = "add `--vary cluster.dc1.nodes=4..40`, or `[plan.vary]` to the scenario";
        return Err(Stop::usage("nothing may be decided", hint));
    }
    let (mut variables, mut problems) = (Vec::new(), Vec::new());
    for (key, values) in &vary {
        match Variable::read(key, values) {
            Ok(variable) => variables.push(variable),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(Stop::Input(problems));
    }
    if let Some(name) = &arguments.policy {
        open::policy(scenario, name)?;
    }
    let goal = arguments.minimise.as_deref().or(spec.minimise.as_deref()).unwrap_or("cost_monthly");
    let goal = minimised(goal).map_err(|(message, hint)| Stop::usage(message, hint))?;
    if METRICS[goal].key == "carbon_kg"
        && let Some(why) = carbon_gaps(&scenario.world)
    {
        let hint = "give it, such as `power = \"450 W\"`, or minimise another metric";
        return Err(Stop::usage(format!("grid carbon is not known here: {why}"), hint));
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

/// With the choice of a policy as one more variable, where nothing narrows it: the
/// baseline first, from which the search starts.
fn with_policies(
    scenario: &Scenario,
    arguments: &Plan,
    mut vary: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let names = scenario.policies.iter().map(|policy| policy.name.as_str());
    let chosen = arguments.policy.is_some() || vary.iter().any(|(key, _)| key == "baseline");
    if chosen || vary.is_empty() || names.len() < 2 || names.clone().any(|name| name.contains(','))
    {
        return vary;
    }
    let baseline = scenario.policies[scenario.baseline].name.as_str();
    let others = names.filter(|name| *name != baseline);
    let all: Vec<&str> = std::iter::once(baseline).chain(others).collect();
    vary.push(("baseline".to_owned(), all.join(",")));
    vary
}

/// Settings of other policies than the one that is asked for, and the choice of one: of the scenario's
/// variables, these are not for it.
fn foreign(scenario: &Scenario, arguments: &Plan, vary: &[(String, String)]) -> Vec<String> {
    let Some(policy) = &arguments.policy else { return Vec::new() };
    let keys = vary.iter().map(|(key, _)| key);
    keys.filter(|key| *key == "baseline" || !concerns(scenario, policy, key)).cloned().collect()
}

/// Problems of single setups name the variable, not an edit that nobody typed.
fn told(problems: Vec<Problem>, scenario: &Scenario) -> Vec<Problem> {
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
    folder.write("plan.json", &json)?;
    folder.write("plan.md", report.document(Vec::new()).markdown().as_bytes())?;
    folder.write("scenario.toml", scenario.text.as_bytes())?;
    let charts = plan_charts(report);
    recipe::write_page(folder, "plan.html", charts, |charts| report.document(charts))?;
    Ok(recipe::manifest(report.recipe, None))
}

fn show(report: &PlanReport<'_>, how: &How, written: Option<PathBuf>) -> Done {
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
