//! Promises that cannot bind, and policies that lack what they decide by.

use super::super::caution::without_estimate;
use super::super::survey::Survey;
use super::impossible::policy_key;
use crate::policy::spec::{PolicyPart, PolicySpec};
use crate::policy::{checkpoint, order, shift};
use crate::problem::{Problem, clip};
use crate::scenario::{BoundDirection, Objective, Scenario};

/// Warnings that the scenario alone gives.
pub(super) fn alone(scenario: &Scenario, warnings: &mut Vec<Problem>) {
    for objective in &scenario.objectives {
        if let Some(why) = never_binds(scenario, objective) {
            let key = objective.metric.key;
            let message = format!("`{key} {}` always holds: {why}", objective.text);
            warnings.push(scenario.problem(&format!("objectives.{key}"), message));
        }
    }
    let nameless = |policy: &PolicySpec| PolicySpec { name: String::new(), ..policy.clone() };
    for (row, policy) in scenario.policies.iter().enumerate() {
        let mut before = scenario.policies[..row].iter();
        if let Some(same) = before.find(|other| nameless(other) == nameless(policy)) {
            let message = format!(
                "policy {} is the same as {}: it decides alike",
                clip(&policy.name),
                clip(&same.name)
            );
            warnings.push(scenario.problem(&policy_key(&policy.name), message));
        }
    }
    for quota in scenario.world.quotas.iter().filter(|quota| quota.limit == 0) {
        let message = format!("the quota {} is 0: nothing can be rented under it", quota.name);
        warnings.push(scenario.problem("cloud", message));
    }
}

/// Reason for which a promise is kept whatever happens, if it is.
fn never_binds(scenario: &Scenario, objective: &Objective) -> Option<String> {
    let (metric, bound) = (objective.metric, objective.bound);
    let [low, high] = metric.range;
    match objective.comparison {
        BoundDirection::AtLeast => {
            low.is_some_and(|low| bound <= low).then(|| "nothing is below it".to_owned())
        }
        BoundDirection::AtMost if high.is_some_and(|high| bound >= high) => {
            Some("nothing is above it".to_owned())
        }
        // No time within a run is longer than the run.
        BoundDirection::AtMost if metric.unit == "s" => {
            let horizon = scenario.horizon?.secs_f64();
            (bound >= horizon).then(|| "the run ends before, at its horizon".to_owned())
        }
        BoundDirection::AtMost => None,
    }
}

/// Warnings that need the work as well.
pub(super) fn with_work(scenario: &Scenario, survey: &Survey, warnings: &mut Vec<Problem>) {
    if survey.late > 0 {
        let message = format!(
            "{} of {} pieces of work arrive after the horizon and never run",
            survey.late, survey.pieces
        );
        warnings.push(
            scenario.problem("horizon", message).hint("make `horizon` longer, or leave it out"),
        );
    }
    let by_deadline = |policy: &&PolicySpec| {
        policy.order.is(&order::EARLIEST_DEADLINE) && policy.is_ours(PolicyPart::Order)
    };
    let promised =
        scenario.objectives.iter().any(|objective| objective.metric.key == "deadlines_met");
    if survey.deadlines == 0 {
        let hint = "give `deadline` in `[workload]`, or a column `deadline_s`";
        if promised {
            let message = "no work has a deadline, so no share of them can be met";
            warnings.push(scenario.problem("objectives.deadlines_met", message).hint(hint));
        }
        for policy in scenario.policies.iter().filter(by_deadline) {
            let message =
                format!("policy {} goes by deadlines, and no work has one", clip(&policy.name));
            warnings.push(scenario.problem(&policy_key(&policy.name), message).hint(hint));
        }
    }
    let writes = |policy: &&PolicySpec| {
        !policy.checkpoint.is(&checkpoint::NEVER) && policy.is_ours(PolicyPart::Checkpoint)
    };
    if survey.checkpoints == 0 {
        for policy in scenario.policies.iter().filter(writes) {
            let name = clip(&policy.name);
            let message = format!("policy {name} is to write checkpoints, and no work can");
            let hint = "give `checkpoint` in `[workload]`, or a column `checkpoint_write_s`";
            warnings.push(scenario.problem(&policy_key(&policy.name), message).hint(hint));
        }
    }
    let scales = |policy: &&PolicySpec| {
        policy.shift.is(&shift::CARBON_SCALER) && policy.is_ours(PolicyPart::Shift)
    };
    if survey.scaling == 0 {
        for policy in scenario.policies.iter().filter(scales) {
            let name = clip(&policy.name);
            let message = format!(
                "policy {name} is to change how many tasks of gangs run, and no work can run with fewer"
            );
            let hint = "give gangs `min_tasks`, an estimate and `resumes`, or take `wait-awhile`";
            warnings.push(scenario.problem(&policy_key(&policy.name), message).hint(hint));
        }
    }
    let plans = |policy: &&PolicySpec| without_estimate(policy).is_some();
    if survey.unestimated > 0
        && let Some(policy) = scenario.policies.iter().find(plans)
    {
        let message = format!(
            "{} of {} pieces of work have no estimate of their runtime, by which policy {} plans",
            survey.unestimated,
            survey.pieces,
            clip(&policy.name)
        );
        let hint = "`estimates = \"runtime\"` or `\"factor(2)\"` in `[workload]` gives each one";
        warnings.push(scenario.problem(&policy_key(&policy.name), message).hint(hint));
    }
}
