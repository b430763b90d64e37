//! The rows of the table of keys, in the order of the reference.

mod alert;
mod budget;
mod capacity;
mod catalog;
mod fault;
mod observed;
mod plan;
mod policy;
mod suite;
mod synthetic;
mod terms;
mod workload;

use super::{Key, ValueKind};

pub(super) use alert::WINDOWS;
pub(super) use workload::COLUMNS;

/// A row of the table.
pub(super) struct KeyRow {
    pub(super) path: &'static str,
    pub(super) kind: ValueKind,
    default: &'static str,
    doc: &'static str,
}

impl KeyRow {
    pub(super) fn key(&self) -> Key {
        Key {
            path: self.path.into(),
            kind: self.kind,
            default: self.default.into(),
            doc: self.doc.into(),
        }
    }
}

const fn row(
    path: &'static str,
    kind: ValueKind,
    default: &'static str,
    doc: &'static str,
) -> KeyRow {
    KeyRow { path, kind, default, doc }
}

const ALL_MARKETS: &[&str] = &["on-demand", "spot", "owned"];
const RECLAIMED: &[&str] = &["terminate", "stop", "hibernate"];
const FROM_ONE: ValueKind = ValueKind::Count(1, u32::MAX as u64);
const COUNT: ValueKind = ValueKind::Count(0, i64::MAX as u64);
const SMALL: ValueKind = ValueKind::Count(0, u32::MAX as u64);
const AT_LEAST_0: ValueKind = ValueKind::Number(0.0, f64::MAX);
const SPREAD: ValueKind = ValueKind::Choice(&["none", "instances", "zones", "even-zones"]);
const TOGETHER: ValueKind = ValueKind::Choice(&["zone", "region", "provider", "anywhere"]);
const CHARGE_PERIODS: &[&str] = &["whole", "hour", "day"];
const WORK: ValueKind = ValueKind::Choice(&["job", "vm"]);

/// Every row, parents before children, in the order of the reference.
pub(super) fn rows() -> impl Iterator<Item = &'static KeyRow> {
    let work = [GENERAL, workload::ROWS, synthetic::ROWS, capacity::ROWS, fault::ROWS];
    let rest = [policy::ROWS, alert::ROWS, budget::ROWS, plan::ROWS, observed::ROWS, terms::ROWS];
    let others = [catalog::ROWS, suite::ROWS];
    work.into_iter().chain(rest).chain(others).flatten()
}

const GENERAL: &[KeyRow] = &[
    row("question", ValueKind::Text, "required", "The question that the scenario answers."),
    row(
        "baseline",
        ValueKind::Text,
        "the first policy",
        "The policy that the others are compared with.",
    ),
    row("seed", COUNT, "1", "Seed of the first replication."),
    row(
        "replications",
        FROM_ONE,
        "20 where the work is drawn, one per week of a long trace",
        "How often an experiment repeats the scenario.",
    ),
    row(
        "steady_state",
        ValueKind::Flag,
        "`false`",
        "The question is about the long run, not about this work from its first day to its last: experiments \
         leave out a warm-up found by MSER-5. Needs work that goes on to the horizon.",
    ),
    row(
        "start",
        ValueKind::Instant,
        "2026-01-01T00:00:00Z",
        "When the run starts, for prices, daily demand and billing.",
    ),
    row(
        "charge_period",
        ValueKind::Choice(CHARGE_PERIODS),
        "whole",
        "Where `run` cuts the charges: at each clock hour or midnight in UTC, or nowhere. `hour` and `day` also give \
         the cost by day.",
    ),
    row("horizon", ValueKind::Span, "until no work is left", "When the run ends at the latest."),
    row("limits", ValueKind::Table, "", "When a run is stopped as out of bounds."),
    row(
        "limits.max_events",
        ValueKind::Count(1, i64::MAX as u64),
        "10000000000",
        "Most events of one run.",
    ),
    row("limits.max_alive", FROM_ONE, "3000000", "Most pieces of work alive at once."),
    row(
        "limits.max_jobs",
        ValueKind::Count(1, i64::MAX as u64),
        "1000000000",
        "Most pieces of work of one run.",
    ),
    row("limits.max_simulated", ValueKind::Span, "36500 d", "Longest simulated time of one run."),
];
