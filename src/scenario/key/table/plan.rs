//! Keys of what `windtunnel plan` may decide.

use super::super::ValueKind;
use super::{FROM_ONE, KeyRow, row};

pub(super) const ROWS: &[KeyRow] = &[
    row(
        "plan",
        ValueKind::Table,
        "",
        "What `windtunnel plan` may decide, and how sure it is to be.",
    ),
    row(
        "plan.vary",
        ValueKind::Table,
        "",
        "What may be decided: full keys in quotes, and their values.",
    ),
    row(
        "plan.vary.*",
        ValueKind::Values,
        "",
        "Values of one key: `\"4..40\"`, `\"10 min..2 h:12\"` for 12 of them, `\"8..64 step 8\"`, or a list.",
    ),
    row(
        "plan.confidence",
        ValueKind::Percent(50, 100),
        "95 %",
        "Probability that the answer is right.",
    ),
    row("plan.budget", FROM_ONE, "400", "Most runs."),
    row("plan.minimise", ValueKind::Text, "`cost_monthly`", "The metric that is made small."),
    row(
        "plan.kept_in",
        ValueKind::Percent(1, 99),
        "the means keep the objectives",
        "Share of all replications that must keep all objectives.",
    ),
    row(
        "plan.margin",
        ValueKind::Percent(0, 100),
        "1 %",
        "Differences within this share of what is made small do not matter.",
    ),
];
