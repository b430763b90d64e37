//! Scores of one policy over a suite as one JSON object, for people and programs that search for
//! better ones.

use std::io;

use serde_json::{Map, Value, json};

use super::words::write_json;
use crate::experiment::{Measurement, Possible, Score, ScoredPolicy};

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

/// Scores of one policy over a suite.
#[derive(Clone, Debug)]
pub struct ScoreReport<'a> {
    /// Name of the suite.
    pub suite: &'a str,
    /// The policy, as it was asked for.
    pub policy: &'a str,
    /// Scored policies by scenario of the suite.
    pub scenarios: Vec<ScoredPolicy>,
}

impl ScoreReport<'_> {
    /// The score over all scenarios: their geometric mean; 0 without scenarios.
    pub fn score(&self) -> f64 {
        let scores: Vec<Score> = self.scenarios.iter().map(|one| one.score).collect();
        Score::mean(&scores).map_or(0.0, |total| total.value)
    }

    /// Writes all of it: keys in a stable order, a newline at the end.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let all = json!({
            "kind": "windtunnel score",
            "version": env!("CARGO_PKG_VERSION"),
            "suite": self.suite,
            "policy": self.policy,
            "score": self.score(),
            "scenarios": self.scenarios.iter().map(told).collect::<Vec<Value>>(),
        });
        write_json(&all, out)
    }
}

fn told(one: &ScoredPolicy) -> Value {
    let ([policy, base], [runs, base_runs]) = (&one.names, &one.runs);
    json!({
        "scenario": one.scenario,
        "policy": policy,
        "score": one.score.value,
        "cost_ratio": one.score.cost,
        "slowdown_ratio": one.score.slowdown,
        "work_done": one.score.done,
        "promises_broken": one.score.broken,
        "replications": one.possible.len(),
        "metrics": means(runs),
        "baseline": {
            "policy": base,
            "score": one.own.value,
            "metrics": means(base_runs),
        },
        "bound": bound(&one.possible),
    })
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

fn means(runs: &[Measurement]) -> Map<String, Value> {
    let mut means = Map::new();
    for key in TOLD {
        let values: Vec<f64> = runs.iter().filter_map(|run| run.metric(key)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let mean = if values.is_empty() { Value::Null } else { json!(mean) };
        means.insert(key.to_owned(), mean);
    }
    means
}
