//! The sentences that answer, and what must be known with them.

use super::super::figure::{self, clean, count, decimals, figure};
use super::SweepReport;
use crate::experiment::statistics::Interval;
use crate::experiment::sweep::{Best, Effect, Estimate, best_of_all, effects};
use crate::metrics::{Direction, METRICS};

/// The answer: the best point, and what matters most for it.
pub(in super::super) fn answer(report: &SweepReport<'_>) -> Vec<String> {
    let Some(best) = best_of_all(report.sweep, report.goal) else {
        return vec![format!("No run shows any {}.", report.ranked_by().label)];
    };
    let mut said = vec![best_point(report, &best)];
    if report.sweep.points.len() > 1 && report.sweep.ties(best.policy) {
        let (policy, all) = (clean(&report.sweep.policies[best.policy]), report.sweep.points.len());
        said.push(format!(
            "All {all} points tie: `{policy}` does the same at each of them, so none of the settings matters to it."
        ));
        return said;
    }
    said.extend(what_matters(report, best.policy));
    said
}

fn best_point(report: &SweepReport<'_>, best: &Best) -> String {
    let sweep = report.sweep;
    let metric = report.ranked_by();
    let value = with_interval(metric.unit, &best.goal);
    let (policy, place) =
        (clean(&sweep.policies[best.policy]), clean(&sweep.told(best.point, best.policy)));
    let where_ =
        if place.is_empty() { format!("`{policy}`") } else { format!("`{policy}` with {place}") };
    let extreme = if metric.better == Direction::Higher { "highest" } else { "lowest" };
    let all = sweep.objectives.len();
    let runs = sweep.replications as usize;
    let each = if runs == 1 { String::new() } else { " in every replication".to_owned() };
    let promises =
        if all == 1 { "the objective".to_owned() } else { format!("all {all} objectives") };
    if all == 0 {
        return format!("The {extreme} {}: {value}, {where_}.", metric.label);
    }
    if best.kept == runs {
        return format!(
            "The {extreme} {} that keeps {promises}{each}: {value}, {where_}.",
            metric.label
        );
    }
    let kept = match (runs, best.kept) {
        (1, _) | (_, 0) => {
            let run = &sweep.runs(best.point, best.policy)[0];
            let kept = run.kept.iter().filter(|&&kept| kept).count();
            let first = if runs == 1 { "" } else { " in the first replication" };
            format!("{kept} of {all}{first}")
        }
        (runs, kept) => format!("{promises} in {kept} of {runs} replications"),
    };
    format!(
        "No point keeps {promises}{each}. The closest is {where_}: it keeps {kept}; {}: {value}.",
        metric.label
    )
}

fn what_matters(report: &SweepReport<'_>, policy: usize) -> Option<String> {
    let metric = report.ranked_by();
    let effects = effects(report.sweep, policy, report.goal);
    let name = clean(&report.sweep.policies[policy]);
    let Some(first) = effects.first().filter(|effect| effect.is_shown()) else {
        return (!effects.is_empty()).then(|| {
            format!("No effect of any setting on the {} of `{name}` is shown.", metric.label)
        });
    };
    let key = clean(report.sweep.name(first.axis));
    let most = if report.sweep.axes.len() > 1 { " most" } else { "" };
    Some(format!(
        "Under `{name}` the {} depends{most} on {key}: {} more at {} than at {}{}.",
        metric.label,
        swing(metric.unit, first),
        clean(&first.highest.text),
        clean(&first.lowest.text),
        if report.sweep.axes.len() > 1 { ", on average over the other settings" } else { "" }
    ))
}

/// What must be known to read the answer.
pub(in super::super) fn caution(report: &SweepReport<'_>) -> Vec<String> {
    let sweep = report.sweep;
    let mut said = Vec::new();
    if !sweep.same_work() {
        said.push(format!(
            "Not all points had and did the same work, so total costs are not comparable; points are ranked by {}.",
            report.ranked_by().label
        ));
    }
    match sweep.replications {
        1 => said.push("One run each: exact for this workload and seed, and silent about others.".to_owned()),
        _ if sweep.points.len() > 1 => said.push(
            "The best of many points on the same seeds looks a little better than it is: compare it on other seeds before relying on it."
                .to_owned(),
        ),
        _ => {}
    }
    if !sweep.axes.is_empty() && sweep.levels(0).is_none() {
        said.push(
            "Effects compare the third of the points where a setting is lowest with the third where it is highest; the other settings differ within both."
                .to_owned(),
        );
    }
    said
}

/// `$12.00 ± $1.50`, or the mean alone.
fn with_interval(unit: &str, estimate: &Estimate) -> String {
    let mean = figure(unit, Some(estimate.mean));
    format!("{mean} {}", half_width(unit, estimate.interval)).trim_end().to_owned()
}

/// The difference that an effect makes, with its interval.
fn swing(unit: &str, effect: &Effect) -> String {
    let size = match unit {
        "share" => format!("{} pp", decimals(effect.swing() * 100.0, 1)),
        unit => figure(unit, Some(effect.swing())),
    };
    format!("{size} {}", half_width(unit, effect.interval)).trim_end().to_owned()
}

/// `± $1.50`; nothing without an interval or where it has no width.
pub(super) fn half_width(unit: &str, interval: Option<Interval>) -> String {
    let interval = interval.filter(|interval| interval.half_width > 0.0);
    interval.map_or_else(String::new, |interval| figure::half_width(unit, interval.half_width))
}

/// How much was done, for the head of the report.
pub(in super::super) fn size(report: &SweepReport<'_>) -> String {
    let sweep = report.sweep;
    let (points, policies) = (sweep.points.len() as u64, sweep.policies.len() as u64);
    let many = |n: u64, one: &str, many: &str| {
        if n == 1 { format!("1 {one}") } else { format!("{} {many}", count(n)) }
    };
    format!(
        "{} ({}), {}, {}",
        many(points, "point", "points"),
        sweep.design.told(),
        many(policies, "policy", "policies"),
        many(u64::from(sweep.replications), "replication", "replications")
    )
}

/// The label of a metric, a row of [`METRICS`].
pub(super) fn label(metric: usize) -> &'static str {
    METRICS[metric].label
}
