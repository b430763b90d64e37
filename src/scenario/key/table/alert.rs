//! Keys of alerts, and of what is promised of windows.

use super::super::ValueKind;
use super::{KeyRow, row};
use crate::scenario::alert::SIGNALS;

pub(super) const ROWS: &[KeyRow] = &[
    row("alert[]", ValueKind::List, "", "Rules of alerts, which `run` tells the times of."),
    row("alert[].name", ValueKind::Text, "`alert` and its number", "Word of reports."),
    row("alert[].signal", ValueKind::Choice(SIGNALS), "", "What is looked at."),
    row(
        "alert[].above",
        ValueKind::Threshold,
        "",
        "Threshold above which the signal must be, in its unit.",
    ),
    row("alert[].below", ValueKind::Threshold, "", "Threshold below which it must be."),
    row(
        "alert[].burn",
        ValueKind::Positive,
        "",
        "In place of these: how many times as fast as the objective allows deadlines are missed, or money is spent.",
    ),
    row("alert[].for", ValueKind::Span, "0 s", "How long it must be so without a break."),
    row(
        "alert[].over",
        ValueKind::Texts,
        "the moment",
        "Windows up to now over which the signal is taken: all of them must be beyond the threshold.",
    ),
];

/// Keys below an objective that can be promised of windows; texts are bounds in its unit.
pub(crate) const WINDOWS: &[KeyRow] = &[
    row("bound", ValueKind::Text, "", "Bound over the run."),
    row("each", ValueKind::Text, "", "Bound that each window keeps."),
    row("window", ValueKind::Span, "", "Length of the windows, which begin on the clock in UTC."),
    row(
        "share",
        ValueKind::Percent(1, 100),
        "100 %",
        "Share of the windows that must keep `each`.",
    ),
];
