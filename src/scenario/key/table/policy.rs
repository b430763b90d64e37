//! Keys of policies and objectives.

use super::super::ValueKind;
use super::{KeyRow, SMALL, row};
use crate::scenario::preset;

pub(super) const ROWS: &[KeyRow] = &[
    row("policy", ValueKind::Table, "required", "The policies to compare."),
    row(
        "policy.*",
        ValueKind::Table,
        "",
        "A policy: a preset or another policy, and the parts that differ from it.",
    ),
    row(
        "policy.*.preset",
        ValueKind::Choice(preset::NAMES),
        "",
        "A composition that people run today.",
    ),
    row(
        "policy.*.extends",
        ValueKind::Text,
        "",
        "Another policy of this file; parts that are named here replace its parts as a whole.",
    ),
    row(
        "policy.*.external",
        ValueKind::Texts,
        "",
        "A program that decides everything, and its arguments (see policy.md).",
    ),
    row(
        "policy.*.deadline",
        ValueKind::Span,
        "10 s",
        "Longest time for one answer of the program.",
    ),
    row(
        "policy.*.max_answer",
        ValueKind::Size,
        "16 MiB",
        "Most bytes of one answer of the program.",
    ),
    row("policy.*.preempt", ValueKind::Part("preempt"), "none", "Who must yield?"),
    row(
        "policy.*.admit",
        ValueKind::Table,
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
        ValueKind::Span,
        "none",
        "Longest wait; a job still waiting then is refused.",
    ),
    row(
        "policy.*.admit.external",
        ValueKind::Texts,
        "",
        "A program that turns arrivals away, and its arguments; the limits hold besides.",
    ),
    row(
        "policy.*.admit.deadline",
        ValueKind::Span,
        "10 s",
        "Longest time for one answer of the program.",
    ),
    row(
        "policy.*.admit.max_answer",
        ValueKind::Size,
        "16 MiB",
        "Most bytes of one answer of the program.",
    ),
    row(
        "policy.*.shift",
        ValueKind::Part("shift"),
        "now",
        "When to start? Of work that has time (see carbon.md).",
    ),
    row("policy.*.order", ValueKind::Part("order"), "fcfs", "Who is next?"),
    row("policy.*.place", ValueKind::Part("place"), "first-fit", "On which instance?"),
    row("policy.*.backfill", ValueKind::Part("backfill"), "none", "Who may overtake?"),
    row("policy.*.provision", ValueKind::Part("provision"), "owned-only", "Rent what, and where?"),
    row(
        "policy.*.cap",
        ValueKind::Part("cap"),
        "none",
        "What is not rented, for the sake of budgets (see budgets.md)?",
    ),
    row("policy.*.release", ValueKind::Part("release"), "idle", "When to give back?"),
    row(
        "policy.*.checkpoint",
        ValueKind::Part("checkpoint"),
        "never",
        "When is progress saved? Of work that can write checkpoints (see weather.md).",
    ),
    row(
        "policy.*.recover",
        ValueKind::Part("recover"),
        "anywhere",
        "What becomes of work whose instance was taken back or failed (see weather.md)?",
    ),
    row(
        "policy.*.commit",
        ValueKind::Part("commit"),
        "none",
        "What is committed to, of what is for sale (`[[offering]]`), while the run goes on (see money.md)?",
    ),
    row(
        "policy.*.compatibility",
        ValueKind::Choice(&["none", "rlscheduler", "rlscheduler-backfill"]),
        "none",
        "Decide as a published simulator does, where that differs.",
    ),
    row(
        "objectives",
        ValueKind::Table,
        "",
        "What must hold: `\">= 99 %\"`, `\"<= 2 h\"`, `\"<= 1000 USD\"`.",
    ),
];
