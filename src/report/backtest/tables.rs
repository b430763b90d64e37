//! The tables of a backtest.

use crate::experiment::backtest::{Backtest, ObservedFrom, Reading, WaitErrors};
use crate::report::document::{Cell, Table, Tone};
use crate::report::figure::{
    NOTHING, change, clean, count, decimals, difference, difference_beside, figure, share,
};

/// Errors beyond this share are shown as bad, those within [`SMALL`] as good.
const LARGE: f64 = 0.5;
const SMALL: f64 = 0.1;
/// Errors beyond this many times the observed value are not shown as a share.
const MOST: f64 = 10.0;

/// Every figure, as observed and as simulated.
pub(super) fn readings(backtest: &Backtest) -> Table {
    let head = ["", "observed", "simulated", "error", "source"];
    let mut table = Table::new("Observed and simulated", &head);
    for reading in &backtest.readings {
        let show = |value| figure(&reading.unit, value);
        let mut cells = vec![
            Cell::plain(clean(&reading.label)),
            Cell::plain(show(Some(reading.observed))),
            Cell::plain(show(reading.simulated)),
            error(reading),
        ];
        cells.push(Cell::plain(match reading.seen {
            ObservedFrom::Trace => "trace",
            ObservedFrom::Scenario => "scenario",
            ObservedFrom::Bill => "bill",
        }));
        table.rows.push(cells);
    }
    table
}

fn error(reading: &Reading) -> Cell {
    let Some(error) = reading.error() else { return Cell::plain(NOTHING) };
    let size = difference_beside(&reading.unit, error, reading.observed);
    let relative = match reading.relative() {
        Some(share) if share.abs() <= MOST => {
            format!(" ({})", change(reading.observed + error, reading.observed))
        }
        _ => String::new(),
    };
    let tone = match reading.relative().map(f64::abs) {
        Some(share) if share <= SMALL => Tone::Good,
        Some(share) if share > LARGE => Tone::Bad,
        _ => Tone::Plain,
    };
    Cell { text: format!("{size}{relative}"), below: String::new(), tone }
}

/// The errors of the waits, one number after the other.
fn wait_errors(waits: &WaitErrors) -> Table {
    let mut table = Table::new("Errors of the waits, job by job", &["", ""]);
    let seconds = |value| figure("s", Some(value));
    let ratio = |value: Option<f64>| value.map_or_else(|| NOTHING.to_owned(), |r| decimals(r, 3));
    table.row(["work compared".to_owned(), count(waits.compared)]);
    table.row(["mean error (bias)".to_owned(), difference("s", waits.bias_s)]);
    if let Some([low, high]) = waits.bias_interval_s {
        let words = format!("{} to {}", difference("s", low), difference("s", high));
        table.row(["its 95 % interval over other stretches".to_owned(), words]);
    }
    table.row(["mean absolute error".to_owned(), seconds(waits.mean_absolute_s)]);
    table.row(["root mean squared error".to_owned(), seconds(waits.root_mean_square_s)]);
    table.row(["absolute error, median".to_owned(), seconds(waits.median_absolute_s)]);
    table.row(["absolute error, p95".to_owned(), seconds(waits.p95_absolute_s)]);
    table.row(["within 10 % or a minute".to_owned(), share(waits.within)]);
    table.row(["wait too long".to_owned(), share(waits.too_long)]);
    table.row(["wait too short".to_owned(), share(waits.too_short)]);
    table.row(["correlation".to_owned(), ratio(waits.correlation)]);
    table.row(["rank correlation".to_owned(), ratio(waits.rank_correlation)]);
    table
}

/// The errors of the waits of one kind of groups, if it has any.
fn groups(backtest: &Backtest, by: &'static str, title: &str) -> Option<Table> {
    let head = [by, "work", "observed", "simulated", "bias", "off by", "within", "rank"];
    let mut table = Table::new(title, &head);
    for group in backtest.groups.iter().filter(|group| group.by == by) {
        let errors = &group.errors;
        table.row([
            clean(&group.name),
            count(errors.compared),
            figure("s", Some(group.observed_s)),
            figure("s", Some(group.simulated_s)),
            difference("s", errors.bias_s),
            figure("s", Some(errors.mean_absolute_s)),
            share(errors.within),
            errors.rank_correlation.map_or_else(|| NOTHING.to_owned(), |r| decimals(r, 2)),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// The tables of a backtest below its figures.
pub(super) fn backtest(backtest: &Backtest) -> Vec<Table> {
    let waits = backtest.waits.as_ref().map(wait_errors);
    let kinds = [
        ("cores", "Mean waits by cores asked"),
        ("runtime", "Mean waits by runtime"),
        ("tenant", "Mean waits by tenant"),
    ];
    let groups = kinds.into_iter().filter_map(|(by, title)| groups(backtest, by, title));
    waits.into_iter().chain(groups).collect()
}
