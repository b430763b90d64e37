//! Keys of budgets.

use super::super::ValueKind;
use super::{KeyRow, row};

pub(super) const ROWS: &[KeyRow] = &[
    row(
        "budget[]",
        ValueKind::List,
        "",
        "What is meant to be spent in each period, at list prices (see budgets.md).",
    ),
    row(
        "budget[].name",
        ValueKind::Text,
        "`budget` and its number",
        "Name in reports, of alerts and for policies.",
    ),
    row("budget[].usd", ValueKind::Dollars, "required", "Money for one period."),
    row(
        "budget[].provider",
        ValueKind::Text,
        "all",
        "Provider or cluster whose charges count: its instances, and data that leaves it.",
    ),
    row(
        "budget[].tenant",
        ValueKind::Text,
        "all",
        "Tenant whose work counts: its shares of instances and its data. Boots and idle time are nobody's.",
    ),
    row(
        "budget[].period",
        ValueKind::Text,
        "month",
        "`run`, `hour`, `day`, `week` (from Monday), `month` (of the calendar), all in UTC, or a span.",
    ),
    row(
        "budget[].alert_at",
        ValueKind::Texts,
        "50 %, 90 % and 100 %",
        "Shares of it at which there is an alert, when so much is spent.",
    ),
    row(
        "budget[].forecast_at",
        ValueKind::Texts,
        "none",
        "The same of the forecast for the whole period.",
    ),
];
