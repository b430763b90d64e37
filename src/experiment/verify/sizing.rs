//! Plans whose answers textbooks know: how many servers, and how many machines
//! to own, found by the ordinary search over ordinary scenarios.

use std::path::Path;

use super::judge::CheckRow;
use super::theory;
use crate::experiment::search::{Found, Keeping, SearchFailure, Task, Variable, search};
use crate::experiment::{Asked, NoCache, NoProgress, Runner};
use crate::metrics::METRICS;
use crate::policy::external::NoLauncher;
use crate::scenario::Scenario;

/// Loads in erlangs, and the waits that are allowed in mean services. Each
/// lies well between the waits of two numbers of servers.
pub const QUEUES: [(f64, f64); 3] = [(3.0, 0.3), (8.0, 0.4), (14.0, 0.1)];

/// Jobs of each replication of a queue.
const JOBS: u32 = 4_000;

/// Hours of demand in each replication of the newsvendor.
pub const HOURS: u32 = 200;

/// Machines that are asked for in an hour, on average.
const DEMAND: f64 = 60.0;

/// Differences that do not matter to a plan.
pub const MARGIN: f64 = 0.01;

/// The smallest number of servers with a mean wait of at most `target` in M/M/c.
pub fn servers(load: f64, target: f64) -> u32 {
    let from = libm::floor(load) as u32 + 1;
    let is_enough = |&c: &u32| theory::mmc_wait(c, load) <= target;
    (from..from + 1_000).find(is_enough).unwrap_or(u32::MAX)
}

/// Cost of an hour with `owned` machines at 0.6, the others rented at 1, under Poisson demand (the
/// newsvendor; Arrow, Harris and Marschak 1951).
pub fn newsvendor(owned: u32) -> f64 {
    let mut chance = libm::exp(-DEMAND);
    let mut rented = 0.0;
    for asked in 1_u32..400 {
        chance *= DEMAND / f64::from(asked);
        rented += f64::from(asked.saturating_sub(owned)) * chance;
    }
    0.6 * f64::from(owned) + rented
}

/// A queue of `jobs` jobs with a mean runtime of 1,000 s, Poisson arrivals of
/// `load` per runtime, one server, and these objectives.
pub fn queue(load: f64, jobs: u32, objectives: &str) -> String {
    let per_hour = load * 3.6;
    format!(
        r#"question = "How many servers?"
[workload.synthetic]
count = {jobs}
arrivals = {{ per_hour = {per_hour} }}
class.a = {{ runtime = "exponential(mean=1000 s)", vcpus = 1 }}
[cluster.c]
nodes = 1
shape = {{ vcpus = 1, memory = "8 GiB" }}
cost = "1 USD/h"
[policy.p]
preset = "batch-fcfs"
[objectives]
{objectives}
"#
    )
}

/// Every hour a Poisson number of jobs of exactly one hour; what finds no
/// owned machine is rented for at once.
pub fn overflow() -> String {
    let (mut values, mut weights) = (Vec::new(), Vec::new());
    let mut chance = libm::exp(-DEMAND);
    for asked in 0_u32..130 {
        values.push(asked.to_string());
        weights.push(format!("{chance:.12}"));
        chance *= DEMAND / f64::from(asked + 1);
    }
    let (values, weights) = (values.join(", "), weights.join(", "));
    format!(
        r#"question = "How many machines to own?"
[workload.synthetic]
span = "{HOURS} h"
arrivals = {{ every = "1 h" }}
batch = "empirical(values=[{values}], weights=[{weights}])"
class.a = {{ runtime = "1 h", vcpus = 1.5, memory = "1 GiB" }}
[cluster.c]
nodes = 1
shape = {{ vcpus = 2, memory = "8 GiB" }}
cost = "0.6 USD/h"
[cloud.aws]
regions = ["us-east-1"]
zones = ["us-east-1a"]
types = ["m6i.large"]
boot = "0 s"
[[cloud.aws.price]]
usd_per_hour = 1
[policy.p]
preset = "batch-fcfs"
release = {{ idle = {{ after = "0 s" }} }}
[policy.p.provision.cheapest]
after_wait = "0 s"
"#
    )
}

/// A plan over `vary` with the usual budget and confidence.
///
/// # Errors
/// Those of [`Variable::read`].
pub fn task(vary: &[(&str, &str)]) -> Result<Task, SearchFailure> {
    let read = |&(key, values): &(&str, &str)| Variable::read(key, values);
    let variables = vary.iter().map(read).collect::<Result<_, _>>();
    Ok(Task {
        variables: variables.map_err(|problem| SearchFailure::Problems(problem.into()))?,
        policy: None,
        goal: METRICS.iter().position(|metric| metric.key == "cost_total").unwrap_or(0),
        keeping: Keeping::OnAverage,
        confidence: 0.95,
        margin: MARGIN,
        budget: 400,
        asked: Asked::default(),
    })
}

/// Does a plan of a scenario in text.
///
/// # Errors
/// See [`SearchFailure`].
pub fn plan(text: &str, task: Task) -> Result<Found, SearchFailure> {
    let runner =
        Runner { cache: &NoCache, watch: &NoProgress, audit: false, launcher: &NoLauncher };
    let scenario = Scenario::parse(text, "plan", Path::new(""), &[]);
    search(&runner, task, &scenario.map_err(SearchFailure::Problems)?)
}

/// The number that a plan over one range chose; `None` if it found nothing.
pub fn chosen(found: &Found) -> Option<f64> {
    let level = found.candidate(found.choice?).point[0];
    Some(found.task.variables[0].numbers.as_ref()?[level])
}

/// One line per plan.
///
/// # Errors
/// A sentence on a plan that could not be made, which is a bug.
pub(super) fn rows() -> Result<Vec<CheckRow>, String> {
    let find = |text: &str, range: &str| -> Result<f64, String> {
        let task = task(&[("cluster.c.nodes", range)]);
        let found = task.and_then(|task| plan(text, task));
        let found = found.map_err(|failure| failure.to_string())?;
        Ok(chosen(&found).unwrap_or(f64::NAN))
    };
    let mut rows = Vec::new();
    for (load, target) in QUEUES {
        let text = queue(load, JOBS, &format!("wait_mean = \"<= {} s\"", target * 1e3));
        rows.push(CheckRow::exact(
            &format!("plan of M/M/c, {load} erlangs"),
            &format!("fewest servers, mean wait <= {target}"),
            "Erlang C / (c mu - lambda)",
            f64::from(servers(load, target)),
            find(&text, "1..40")?,
        ));
    }
    let owned = find(&overflow(), "30..90")?;
    let is_near = newsvendor(owned as u32) <= (1.0 + MARGIN) * newsvendor(58);
    rows.push(CheckRow::exact(
        "plan of a newsvendor",
        "answers within 1 % of the cost of owning 58",
        "0.6 Q + E(N - Q)+, N Poisson(60)",
        1.0,
        f64::from(u8::from(is_near)),
    ));
    Ok(rows)
}
