//! `windtunnel sweep`: a scenario at many points.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::args;
use super::args::How;
use super::exit::{CommandResult, Stop};
use super::folder::{self, Folder};
use super::guard::ResourceGuard;
use super::session::{Experiment, ExperimentSession, stopped};
use super::{load, run};
use windtunnel::experiment::sweep::{
    Axis, Sweep, SweepFailure, SweepPlan, best, best_of_all, check, goal, repetition, row_of,
    sweep as run_all,
};
use windtunnel::experiment::{
    CautionedRun, ExperimentFailure, backlog, cautions, estimated_prices, nothing_to_gate,
    share_inputs, unestimated,
};
use windtunnel::metrics::METRICS;
use windtunnel::problem::{Problem, Problems, clip, did_you_mean};
use windtunnel::report::{
    Recipe, ResultFiles, SweepReport, TextCells, sweep_charts, usual_metrics, write_page,
};
use windtunnel::scenario::{Scenario, not_modelled};

/// Runs the points and says which settings matter, and which are best.
pub(super) fn sweep(arguments: &args::SweepArgs) -> CommandResult {
    let guard = ResourceGuard::new(&arguments.many.bounds);
    let chosen = metrics(&arguments.metric)?;
    let (axes, edits) = axes(arguments)?;
    let open = |point: &[(String, String)]| {
        let all: Vec<(String, String)> = edits.iter().chain(point).cloned().collect();
        load::read(&arguments.which, &all)
    };
    let design = arguments.sample.unwrap_or_default();
    // The seed of the scenario, if it can be read without its axes.
    let seed = open(&[]).map_or(1, |scenario| scenario.seed);
    let per_point = arguments.policies.len().max(1) * arguments.replications.unwrap_or(1) as usize;
    let points =
        design.points(&axes, seed, arguments.max_runs / per_point).map_err(Problems::from)?;
    // Reading thousands of points takes its time; what is too much is so at the first.
    let mut first = open(&points[0].edits(&axes))?;
    arguments.many.bounds.limit(&mut first);
    let policies = policies(&first, &arguments.policies)?;
    let at_least = points.len() * policies.len() * arguments.replications.unwrap_or(1) as usize;
    if at_least > arguments.max_runs {
        return Err(too_many(at_least, arguments.max_runs));
    }
    check(&axes, &points, &first)?;
    let unshared = first.clone();
    share_inputs(&mut first).map_err(|failure| Stop::of_run(failure, &again()))?;
    let how = &arguments.how;
    let experiment = Experiment {
        kind: "sweep",
        name: format!("{}-sweep", first.name),
        scenarios: std::slice::from_ref(&unshared),
        parameters: parameters(arguments),
    };
    let mut session = ExperimentSession::open(guard, (how, &arguments.many), &experiment)?;
    let swept = session.work(|runner| {
        let (repetition, replications) =
            repetition(runner, &first, &axes, &policies, arguments.replications).map_err(
                |failure| match failure {
                    ExperimentFailure::Problem(problem) => Stop::Input(problem.into()),
                    ExperimentFailure::Runs(failure) => stopped(failure),
                },
            )?;
        let all = points.len() * policies.len() * replications as usize;
        if all > arguments.max_runs {
            return Err(too_many(all, arguments.max_runs));
        }
        let plan = SweepPlan { axes, design, points, policies, repetition, replications };
        run_all(runner, plan, &first).map_err(|failure| match failure {
            SweepFailure::Problems(problems) => Stop::Input(problems),
            SweepFailure::Input(failure) => Stop::of_run(failure, &again()),
            SweepFailure::Runs(failure) => stopped(failure),
        })
    })?;
    let goal = chosen.first().copied().unwrap_or_else(|| goal(&swept));
    let recipe = Recipe::of(&first, &swept.policies.join(", "))?;
    let is_swept = |row: &usize| swept.policies.contains(&first.policies[*row].name);
    let rows: Vec<usize> = (0..first.policies.len()).filter(is_swept).collect();
    let mut assumptions: Vec<String> = not_modelled(first.unmodelled(&rows)).into_iter().collect();
    assumptions.extend(first.assumed(&rows));
    let mut cautions = beside(&swept, goal, &first, &mut assumptions)?;
    cautions.extend(nothing_to_gate(how.gate, &first));
    let report = SweepReport {
        question: Some(first.question.as_str()).filter(|question| !question.is_empty()),
        sweep: &swept,
        metrics: if chosen.is_empty() { usual_metrics(&swept, goal) } else { chosen },
        goal,
        recipe: Some(&recipe),
        assumptions: &assumptions,
        cautions: &cautions,
    };
    let written = match session.folder() {
        Some(folder) => {
            let manifest = write(folder, &first, &report, &recipe)?;
            session.finish(manifest)?
        }
        None => None,
    };
    show(&report, how, written)?;
    gate(&report, how)
}

/// Cautions beside the answer, of each policy at its best point; assumptions of those runs are
/// added to `assumptions`.
fn beside(
    swept: &Sweep,
    goal: usize,
    first: &Scenario,
    assumptions: &mut Vec<String>,
) -> Result<Vec<String>, Stop> {
    let mut scenarios = Vec::new();
    for row in 0..swept.policies.len() {
        if let Some(best) = best(swept, row, goal) {
            let scenario = first.edited(&swept.points[best.point].edits(&swept.axes))?;
            scenarios.push((best.point, row, scenario));
        }
    }
    let (mut shown, mut piled) = (Vec::new(), Vec::new());
    for (point, row, scenario) in &scenarios {
        let name = &swept.policies[*row];
        let Some(policy) = scenario.policies.iter().find(|one| one.name == *name) else { continue };
        let runs = swept.runs(*point, *row);
        piled.push((name.as_str(), runs.iter().map(|run| run.waiting).collect()));
        let facts = &runs[0].facts;
        let told = unestimated(facts, policy).filter(|told| !assumptions.contains(told));
        assumptions.extend(told);
        shown.push(CautionedRun { name, scenario, policy, facts });
    }
    let best = best_of_all(swept, goal).map(|best| swept.policies[best.policy].as_str());
    let best = shown.iter().find(|run| Some(run.name) == best);
    let mut said: Vec<String> = best.and_then(estimated_prices).into_iter().collect();
    said.extend(cautions(&shown));
    said.extend(backlog(piled));
    Ok(said)
}

/// Parameters that decide, besides the scenario, which runs there are and what is made of them.
fn parameters(arguments: &args::SweepArgs) -> Vec<(&'static str, Value)> {
    vec![
        ("set", json!(arguments.which.set)),
        ("sample", json!(arguments.sample.map(|design| format!("{design:?}")))),
        ("policies", json!(arguments.policies)),
        ("replications", json!(arguments.replications)),
        ("metric", json!(arguments.metric)),
    ]
}

/// The rows of the metrics that are asked for.
fn metrics(names: &[String]) -> Result<Vec<usize>, Stop> {
    let row = |name: &String| {
        row_of(name).ok_or_else(|| {
            let known = METRICS.iter().map(|metric| metric.key);
            let hint = match did_you_mean(name, known.clone()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are: {}", known.collect::<Vec<_>>().join(", ")),
            };
            Stop::usage(format!("there is no metric `{}`", clip(name)), hint)
        })
    };
    let mut rows = names.iter().map(row).collect::<Result<Vec<_>, Stop>>()?;
    let mut seen = std::collections::BTreeSet::new();
    rows.retain(|&row| seen.insert(row));
    Ok(rows)
}

/// Keys and values.
type Edits = Vec<(String, String)>;

/// The `--set` flags: those with a range or a list are axes, the others edits.
fn axes(arguments: &args::SweepArgs) -> Result<(Vec<Axis>, Edits), Stop> {
    let (mut axes, mut edits) = (Vec::new(), Vec::new());
    let mut problems: Vec<Problem> = Vec::new();
    for (key, values) in load::edits(&arguments.which)? {
        let known = |key: &str| {
            axes.iter().any(|axis: &Axis| axis.key == key)
                || edits.iter().any(|(other, _): &(String, String)| other == key)
        };
        if known(&key) {
            let problem = Problem::with("windtunnel", format!("`{}` is set twice", clip(&key)));
            problems.push(problem.hint("give all of its values at once: `--set key=a,b`"));
            continue;
        }
        match Axis::read(&key, &values) {
            Ok(Some(axis)) => axes.push(axis),
            Ok(None) => edits.push((key, values)),
            Err(problem) => problems.push(problem),
        }
    }
    let bounds = &arguments.many.bounds;
    let by_flag = [
        ("seed", arguments.which.seed.is_some()),
        ("limits.max_events", bounds.max_events.is_some()),
        ("limits.max_jobs", bounds.max_jobs.is_some()),
        ("limits.max_simulated", bounds.max_simulated.is_some()),
        ("workload.on_bad_row", arguments.which.on_bad_row.is_some()),
    ];
    for (key, is_given) in by_flag {
        if is_given && axes.iter().any(|axis| axis.key == key) {
            let problem =
                Problem::with("windtunnel", format!("`{key}` is both an axis and a flag"));
            problems.push(problem.hint("leave out one of them"));
        }
    }
    if axes.is_empty() && problems.is_empty() {
        let problem = Problem::with("windtunnel", "there is nothing to sweep");
        problems.push(problem.hint(
            "give a range or a list: `--set cluster.dc1.nodes=10..40:4`, `--set policy.today.preset=batch-fcfs,batch-backfill`",
        ));
    }
    if problems.is_empty() { Ok((axes, edits)) } else { Err(Stop::Input(problems.into())) }
}

/// Rows of the policies to run, in file order.
fn policies(scenario: &Scenario, names: &[String]) -> Result<Vec<usize>, Stop> {
    if names.is_empty() {
        return Ok((0..scenario.policies.len()).collect());
    }
    let mut rows: Vec<usize> =
        names.iter().map(|name| load::policy(scenario, name)).collect::<Result<_, _>>()?;
    rows.sort_unstable();
    rows.dedup();
    Ok(rows)
}

fn too_many(runs: usize, most: usize) -> Stop {
    Stop::usage(
        format!("the sweep has at least {runs} runs, and at most {most} are allowed"),
        "take fewer points, policies or replications, or raise `--max-runs`",
    )
}

/// The command that runs it again, with every law checked.
fn again() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    format!("windtunnel {} --audit", words.join(" "))
}

fn write(
    folder: &Folder,
    first: &Scenario,
    report: &SweepReport<'_>,
    recipe: &Recipe,
) -> Result<Value, Stop> {
    let cells = TextCells::Guarded;
    let out = report.write_runs(folder.file("sweep.csv")?, cells)?;
    folder::finish(out, "sweep.csv")?;
    let out = report.write_points(folder.file("points.csv")?, cells)?;
    folder::finish(out, "points.csv")?;
    let mut json = Vec::new();
    report.write_json(&mut json)?;
    folder.take_bytes("sweep.json", &json)?;
    folder.take_bytes("scenario.toml", first.text.as_bytes())?;
    let charts = sweep_charts(report);
    write_page(folder, "sweep.html", charts, |charts| report.document(charts))?;
    Ok(recipe.manifest(None))
}

fn show(report: &SweepReport<'_>, how: &How, written: Option<PathBuf>) -> CommandResult {
    let mut out = std::io::stdout().lock();
    if how.json {
        report.write_json(&mut out)?;
    } else {
        out.write_all(report.document(Vec::new()).text(run::terminal()).as_bytes())?;
    }
    out.flush()?;
    run::tell_folder(how, written, "sweep.html");
    Ok(())
}

/// The gate of `--gate`: a sweep without a point that keeps all promises is a finding.
fn gate(report: &SweepReport<'_>, how: &How) -> CommandResult {
    if how.gate && !report.keeps_promises() {
        return Err(Stop::Finding("no point keeps all objectives".to_owned()));
    }
    Ok(())
}
