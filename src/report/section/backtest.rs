//! The tables of a backtest.

use super::super::figure::{NOTHING, change, clean, count, decimals, difference, figure, share};
use super::{Cell, Section, Tone};
use crate::experiment::backtest::{Backtest, Reading, Seen, WaitErrors};

/// Errors beyond this share are shown as bad, those within [`SMALL`] as good.
const LARGE: f64 = 0.5;
const SMALL: f64 = 0.1;
/// Errors beyond this many times the observed value are not shown as a share.
const MOST: f64 = 10.0;

/// Every figure, as observed and as simulated.
pub(in super::super) fn readings(backtest: &Backtest) -> Section {
    let head = ["", "observed", "simulated", "error", "source"];
    let mut section = Section::new("Observed and simulated", &head);
    for reading in &backtest.readings {
        let show = |value| figure(&reading.unit, value);
        let mut cells = vec![
            Cell::plain(clean(&reading.label)),
            Cell::plain(show(Some(reading.observed))),
            Cell::plain(show(reading.simulated)),
            error(reading),
        ];
        cells.push(Cell::plain(match reading.seen {
            Seen::Trace => "trace",
            Seen::Scenario => "scenario",
        }));
        section.rows.push(cells);
    }
    section
}

fn error(reading: &Reading) -> Cell {
    let Some(error) = reading.error() else { return Cell::plain(NOTHING) };
    let size = difference(&reading.unit, error);
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
fn wait_errors(waits: &WaitErrors) -> Section {
    let mut section = Section::new("Errors of the waits, job by job", &["", ""]);
    let seconds = |value| figure("s", Some(value));
    let ratio = |value: Option<f64>| value.map_or_else(|| NOTHING.to_owned(), |r| decimals(r, 3));
    section.row(["work compared".to_owned(), count(waits.compared)]);
    section.row(["mean error (bias)".to_owned(), difference("s", waits.bias_s)]);
    if let Some([low, high]) = waits.bias_interval_s {
        let words = format!("{} to {}", difference("s", low), difference("s", high));
        section.row(["its 95 % interval over other stretches".to_owned(), words]);
    }
    section.row(["mean absolute error".to_owned(), seconds(waits.mean_absolute_s)]);
    section.row(["root mean squared error".to_owned(), seconds(waits.root_mean_square_s)]);
    section.row(["absolute error, median".to_owned(), seconds(waits.median_absolute_s)]);
    section.row(["absolute error, p95".to_owned(), seconds(waits.p95_absolute_s)]);
    section.row(["within 10 % or a minute".to_owned(), share(waits.within)]);
    section.row(["wait too long".to_owned(), share(waits.too_long)]);
    section.row(["wait too short".to_owned(), share(waits.too_short)]);
    section.row(["correlation".to_owned(), ratio(waits.correlation)]);
    section.row(["rank correlation".to_owned(), ratio(waits.rank_correlation)]);
    section
}

/// The errors of the waits of one kind of groups, if it has any.
fn groups(backtest: &Backtest, by: &'static str, title: &str) -> Option<Section> {
    let head = [by, "work", "observed", "simulated", "bias", "off by", "within", "rank"];
    let mut section = Section::new(title, &head);
    for group in backtest.groups.iter().filter(|group| group.by == by) {
        let errors = &group.errors;
        section.row([
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
    (!section.rows.is_empty()).then_some(section)
}

/// The tables of a backtest below its figures.
pub(in super::super) fn backtest(backtest: &Backtest) -> Vec<Section> {
    let waits = backtest.waits.as_ref().map(wait_errors);
    let kinds = [
        ("cores", "Mean waits by cores asked"),
        ("runtime", "Mean waits by runtime"),
        ("tenant", "Mean waits by tenant"),
    ];
    let groups = kinds.into_iter().filter_map(|(by, title)| groups(backtest, by, title));
    waits.into_iter().chain(groups).collect()
}
