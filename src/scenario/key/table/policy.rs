//! Keys of policies and objectives.

use super::super::{BoundUnit, Kind};
use super::{Row, SMALL, row};
use crate::scenario::preset;

pub(super) const ROWS: &[Row] = &[
    row("policy", Kind::Table, "required", "The policies to compare."),
    row(
        "policy.*",
        Kind::Table,
        "",
        "A policy: a preset or another policy, and the parts that differ from it.",
    ),
    row("policy.*.preset", Kind::Choice(preset::NAMES), "", "A composition that people run today."),
    row(
        "policy.*.extends",
        Kind::Text,
        "",
        "Another policy of this file; parts that are named here replace its parts as a whole.",
    ),
    row("policy.*.preempt", Kind::Part("preempt"), "none", "Who must yield?"),
    row(
        "policy.*.admit",
        Kind::Table,
        "everybody",
        "Who is let in? What is not let in ends as refused.",
    ),
    row(
        "policy.*.admit.queue_limit",
        SMALL,
        "none",
        "Most jobs waiting; an arrival beyond is refused.",
    ),
    row(
        "policy.*.admit.patience",
        Kind::Span,
        "none",
        "Longest wait; a job still waiting then is refused.",
    ),
    row("policy.*.order", Kind::Part("order"), "fcfs", "Who is next?"),
    row("policy.*.place", Kind::Part("place"), "first-fit", "On which instance?"),
    row("policy.*.backfill", Kind::Part("backfill"), "none", "Who may overtake?"),
    row("policy.*.provision", Kind::Part("provision"), "owned-only", "Rent what, and where?"),
    row("policy.*.release", Kind::Part("release"), "idle", "When to give back?"),
    row(
        "policy.*.compatibility",
        Kind::Choice(&["none", "rlscheduler", "rlscheduler-backfill"]),
        "none",
        "Decide as a published simulator does, where that differs.",
    ),
    row(
        "objectives",
        Kind::Table,
        "",
        "What must hold: `\">= 99 %\"`, `\"<= 2 h\"`, `\"<= 1000 USD\"`.",
    ),
    row(
        "objectives.deadlines_met",
        Kind::Bound(BoundUnit::Share),
        "",
        "Share of work with a deadline that met it.",
    ),
    row("objectives.finished", Kind::Bound(BoundUnit::Share), "", "Share of work that finished."),
    row("objectives.wait_mean", Kind::Bound(BoundUnit::Time), "", "Mean wait."),
    row("objectives.wait_p50", Kind::Bound(BoundUnit::Time), "", "Median wait."),
    row("objectives.wait_p95", Kind::Bound(BoundUnit::Time), "", "95th percentile of the wait."),
    row("objectives.wait_p99", Kind::Bound(BoundUnit::Time), "", "99th percentile of the wait."),
    row("objectives.wait_max", Kind::Bound(BoundUnit::Time), "", "Longest wait."),
    row("objectives.turnaround_mean", Kind::Bound(BoundUnit::Time), "", "Mean turnaround."),
    row("objectives.turnaround_p50", Kind::Bound(BoundUnit::Time), "", "Median turnaround."),
    row(
        "objectives.turnaround_p95",
        Kind::Bound(BoundUnit::Time),
        "",
        "95th percentile of the turnaround.",
    ),
    row(
        "objectives.turnaround_p99",
        Kind::Bound(BoundUnit::Time),
        "",
        "99th percentile of the turnaround.",
    ),
    row("objectives.turnaround_max", Kind::Bound(BoundUnit::Time), "", "Longest turnaround."),
    row("objectives.slowdown_mean", Kind::Bound(BoundUnit::Ratio), "", "Mean bounded slowdown."),
    row(
        "objectives.slowdown_p95",
        Kind::Bound(BoundUnit::Ratio),
        "",
        "95th percentile of the bounded slowdown.",
    ),
    row("objectives.cost_total", Kind::Bound(BoundUnit::Dollars), "", "What everything cost."),
    row("objectives.cost_per_job", Kind::Bound(BoundUnit::Dollars), "", "Cost per finished job."),
    row(
        "objectives.utilisation_cpu",
        Kind::Bound(BoundUnit::Share),
        "",
        "Share of the cores paid for that worked.",
    ),
    row(
        "objectives.utilisation_gpu",
        Kind::Bound(BoundUnit::Share),
        "",
        "Share of the GPUs paid for that worked.",
    ),
    row(
        "objectives.makespan",
        Kind::Bound(BoundUnit::Time),
        "",
        "From the start to the last completion.",
    ),
];
