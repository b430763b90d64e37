//! Keys of what fails.

use super::super::ValueKind;
use super::{ALL_MARKETS, FROM_ONE, KeyRow, row};
use crate::scenario::world::{EACH, EVENTS, LIKE, PLANES};

pub(super) const ROWS: &[KeyRow] = &[
    row("failure[]", ValueKind::List, "", "Machines that fail by themselves."),
    row("failure[].name", ValueKind::Text, "`failure` and its number", "Word of reports."),
    row(
        "failure[].like",
        ValueKind::Choice(LIKE),
        "",
        "Shipped rates of GPU machines, in four causes, in place of `mtbf` and the like.",
    ),
    row(
        "failure[].mtbf",
        ValueKind::Span,
        "",
        "Mean time between failures of a machine, which come at random.",
    ),
    row(
        "failure[].mtbf_per_gpu",
        ValueKind::Span,
        "",
        "The same of one GPU: a machine with eight fails eight times as often.",
    ),
    row(
        "failure[].life",
        ValueKind::Spans,
        "",
        "Time to a failure, from the start of the run or the repair before it, by any law.",
    ),
    row(
        "failure[].trace",
        ValueKind::File,
        "",
        "Failures that somebody saw, in place of a law: a CSV with the columns `machine` (its number from 0), `from` and `until`; times are instants, or seconds from the start of the run.",
    ),
    row(
        "failure[].speed",
        ValueKind::Percent(1, 99),
        "",
        "Machines do not stop but are slow: at this share of their speed until they are repaired, also rented ones.",
    ),
    row(
        "failure[].repair",
        ValueKind::Spans,
        "0 s",
        "Time until an owned machine works again. A rented one is gone; its place is taken by another.",
    ),
    row(
        "failure[].crews",
        FROM_ONE,
        "no limit",
        "Most repairs at once, in the order of the failures.",
    ),
    row(
        "failure[].machines",
        ValueKind::Count(1, 1_000_000),
        "1",
        "Machines of an offer that fail together, such as those of a rack.",
    ),
    row(
        "failure[].lemons",
        ValueKind::Percent(0, 100),
        "0 %",
        "Share of these that fail more often than the others.",
    ),
    row(
        "failure[].lemon_rate",
        ValueKind::Number(1.0, 1e6),
        "10",
        "Number of times as often that they fail.",
    ),
    row("failure[].provider", ValueKind::Text, "all", "Cloud or cluster that it holds for."),
    row("failure[].region", ValueKind::Text, "all", "Region that it holds for."),
    row("failure[].zone", ValueKind::Text, "all", "Zone that it holds for."),
    row("failure[].family", ValueKind::Text, "all", "Family that it holds for."),
    row("failure[].type", ValueKind::Text, "all", "Instance type that it holds for."),
    row("failure[].market", ValueKind::Choice(ALL_MARKETS), "all", "Market that it holds for."),
    row(
        "outages",
        ValueKind::Choices(EVENTS),
        "none",
        "Known outages, on their dates and where they were.",
    ),
    row("outage[]", ValueKind::List, "", "Outages of providers, regions and zones."),
    row("outage[].name", ValueKind::Text, "`outage` and its number", "Word of reports."),
    row(
        "outage[].event",
        ValueKind::Choice(EVENTS),
        "",
        "A known outage, at another time (`from`) or another place (`provider`, `region`).",
    ),
    row(
        "outage[].plane",
        ValueKind::Choice(PLANES),
        "machines",
        "What is out: `machines` that stop, and no launches; `launches` alone; the `network` between machines, which needs a `speed`.",
    ),
    row(
        "outage[].speed",
        ValueKind::Percent(1, 99),
        "",
        "Machines do not stop but are slow: at this share of their speed. With `plane = \"network\"`, of work that is spread over several of them.",
    ),
    row(
        "outage[].share",
        ValueKind::Percent(0, 100),
        "100 %",
        "Share of the machines that stop, always the same ones. Launches go on if it is less than all.",
    ),
    row(
        "outage[].data_lost",
        ValueKind::Flag,
        "false",
        "Whether data whose home is a zone, region or cluster that is struck is lost: its work ends as `data lost`.",
    ),
    row("outage[].from", ValueKind::Moment, "the beginning", "When it begins."),
    row("outage[].until", ValueKind::Moment, "never", "When it is over."),
    row(
        "outage[].every",
        ValueKind::Spans,
        "",
        "Time from one to the next, from the end of the one before, in place of `from`.",
    ),
    row("outage[].lasts", ValueKind::Spans, "", "How long each lasts; with `every`."),
    row(
        "outage[].each",
        ValueKind::Choice(EACH),
        "all at once",
        "What is struck by itself, with `every`: each zone, region or provider has outages of its own.",
    ),
    row("outage[].provider", ValueKind::Text, "all", "Cloud or cluster that it holds for."),
    row("outage[].region", ValueKind::Text, "all", "Region that it holds for."),
    row("outage[].zone", ValueKind::Text, "all", "Zone that it holds for."),
];
