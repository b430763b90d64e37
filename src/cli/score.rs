//! `windtunnel score`: one policy over a suite as one JSON object, for people
//! and programs that search for better ones.

use std::io::Write;

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::args::ScoreArgs as Arguments;
use super::check::stop_plan;
use super::exit::{CommandResult, Stop};
use super::guard::ResourceGuard;
use super::load;
use super::session::{ExperimentSession, stopped};
use windtunnel::experiment::check::{self, Trial};
use windtunnel::experiment::{self, Possible, Runner, Score};
use windtunnel::scenario::{Suite, Tested};

/// Metrics that are told of either side.
const TOLD: [&str; 10] = [
    "cost_total",
    "cost_per_core_hour",
    "cost_per_gpu_hour",
    "wait_mean",
    "wait_p95",
    "turnaround_p95",
    "slowdown_mean",
    "deadlines_met",
    "finished",
    "utilisation_cpu",
];

/// Scores a policy.
pub(super) fn score(arguments: &Arguments) -> CommandResult {
    let guard = ResourceGuard::new(&arguments.bounds);
    let mut suite = Suite::load(&arguments.suite)?;
    for tested in &mut suite.scenarios {
        arguments.bounds.limit(&mut tested.scenario);
        experiment::share_inputs(&mut tested.scenario)
            .map_err(|failure| Stop::of_run(failure, &tested.scenario.path))?;
    }
    let how = (arguments.quiet, false);
    let mut session = ExperimentSession::bare(guard, "scoring", how, arguments.threads)?;
    let scored = session.work(|runner| {
        let one = |tested: &Tested| one(runner, tested, &arguments.policy);
        suite.scenarios.iter().map(one).collect::<Result<Vec<_>, Stop>>()
    });
    let (scores, scenarios): (Vec<Score>, Vec<Value>) = scored?.into_iter().unzip();
    let total = Score::mean(&scores).map_or(0.0, |total| total.value);
    let all = json!({
        "kind": "windtunnel score",
        "version": env!("CARGO_PKG_VERSION"),
        "suite": suite.name,
        "policy": arguments.policy,
        "score": total,
        "scenarios": scenarios,
    });
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &all).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// The policy in one scenario of the suite.
fn one(runner: &Runner<'_>, tested: &Tested, policy: &str) -> Result<(Score, Value), Stop> {
    let failed = stopped;
    let plan = check::plan_of(runner, tested).map_err(stop_plan)?;
    let (scenario, row) = load::policy_or_file(&tested.scenario, policy)?;
    let candidate = Tested { scenario, ..tested.clone() };
    let ran = check::measure(runner, &candidate, &plan, &[(row, None)]).map_err(failed)?;
    let based = [(tested.scenario.baseline, None)];
    let base = check::measure(runner, tested, &plan, &based).map_err(failed)?;
    let (ran, base) = (&ran[0], &base[0]);
    // A policy that is not random ran once, and stands for every replication.
    let all = ran.runs.len().max(base.runs.len());
    let at = |trial: &Trial<'_>, row: usize| trial.runs[row.min(trial.runs.len() - 1)].clone();
    let scores: Vec<Score> = (0..all).map(|row| Score::of(&at(ran, row), &at(base, row))).collect();
    let own: Vec<Score> = (0..all).map(|row| Score::of(&at(base, row), &at(base, row))).collect();
    let (Some(score), Some(own)) = (Score::mean(&scores), Score::mean(&own)) else {
        return Err(Stop::usage("nothing was run", "ask for one replication at least"));
    };
    let possible: Vec<Possible> = (0..all)
        .into_par_iter()
        .map(|row| {
            let replication = (&plan, row as u32);
            Possible::of(&candidate.scenario, replication, &at(ran, row), &at(base, row))
        })
        .collect::<Result<_, _>>()?;
    let told = json!({
        "scenario": tested.name,
        "policy": ran.policy.name,
        "score": score.value,
        "cost_ratio": score.cost,
        "slowdown_ratio": score.slowdown,
        "work_done": score.done,
        "promises_broken": score.broken,
        "replications": all,
        "metrics": means(ran),
        "baseline": {
            "policy": base.policy.name,
            "score": own.value,
            "metrics": means(base),
        },
        "bound": bound(&possible),
    });
    Ok((score, told))
}

/// Means of the bounds over the replications; null where one of them has none.
fn bound(possible: &[Possible]) -> Value {
    let mean = |of: fn(&Possible) -> Option<f64>| -> Option<f64> {
        let values: Option<Vec<f64>> = possible.iter().map(of).collect();
        values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
    };
    json!({
        "score": mean(|one| one.value),
        "cost_total": mean(|one| one.cost),
        "slowdown_mean": mean(|one| one.slowdown),
        "null_means": "no bound is known for runs that do and promise as much as this one",
    })
}

fn means(trial: &Trial<'_>) -> Map<String, Value> {
    let mut means = Map::new();
    for key in TOLD {
        let values: Vec<f64> = trial.runs.iter().filter_map(|run| run.metric(key)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let mean = if values.is_empty() { Value::Null } else { json!(mean) };
        means.insert(key.to_owned(), mean);
    }
    means
}
