//! A backtest as words and as data: `backtest.csv`, `jobs.csv`, `groups.csv`
//! and `backtest.json`.

mod bill;
mod document;
mod findings;
mod tables;

use std::io;

use serde::Serialize;
use serde_json::Value;

use super::document::Answer;
use super::recipe::Recipe;
use super::run::RunReport;
use super::sheet::{Sheet, TextCells};
use super::words::write_json;
use crate::experiment::backtest::{Backtest, Likeness, ObservedFrom, Pair, Reading, WaitErrors};
use crate::metrics::Summary;

pub use findings::Calibrated;

/// A backtest, as a reader sees it.
#[derive(Clone, Copy, Debug)]
pub struct BacktestReport<'a> {
    /// The run that was held against what was observed.
    pub run: &'a RunReport,
    /// Errors of the run against what was observed.
    pub backtest: &'a Backtest,
}

/// The columns of `backtest.csv`, in order.
pub(super) const COLUMNS: [&str; 7] =
    ["metric", "unit", "source", "observed", "simulated", "error", "relative_error"];

/// The columns of a backtest's `jobs.csv`, in order.
pub(super) const JOB_COLUMNS: [&str; 15] = [
    "job",
    "source",
    "ordinal",
    "tenant",
    "tasks",
    "submitted_s",
    "observed_wait_s",
    "simulated_wait_s",
    "wait_error_s",
    "observed_start_s",
    "simulated_start_s",
    "observed_run_s",
    "simulated_run_s",
    "observed_cpu_milli",
    "simulated_cpu_milli",
];

/// The columns of `groups.csv`, in order.
pub(super) const GROUP_COLUMNS: [&str; 11] = [
    "by",
    "group",
    "compared",
    "observed_wait_mean_s",
    "simulated_wait_mean_s",
    "bias_s",
    "mean_absolute_s",
    "root_mean_square_s",
    "median_absolute_s",
    "within",
    "rank_correlation",
];

impl BacktestReport<'_> {
    /// Writes `backtest.csv`: one row per figure, errors of the waits below.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_csv<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, COLUMNS);
        for reading in &self.backtest.readings {
            sheet.text(&reading.metric);
            sheet.text(&reading.unit);
            sheet.word(match reading.seen {
                ObservedFrom::Trace => "trace",
                ObservedFrom::Scenario => "scenario",
                ObservedFrom::Bill => "bill",
            });
            sheet.number(Some(reading.observed));
            sheet.number(reading.simulated);
            sheet.number(reading.error());
            sheet.number(reading.relative());
            sheet.end_row();
        }
        sheet.finish()
    }

    /// Writes the backtest's `jobs.csv`: one row per piece of work.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_jobs<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, JOB_COLUMNS);
        for pair in &self.backtest.pairs {
            let (observed, simulated) = (pair.observed, pair.simulated);
            sheet.text(&label(pair));
            sheet.whole(pair.id.source);
            sheet.whole(pair.id.ordinal);
            sheet.text(self.backtest.tenants.get(pair.tenant).map_or("", String::as_str));
            sheet.whole(pair.tasks);
            sheet.time(Some(pair.arrival));
            let waits = (observed.map(|one| one.wait), simulated.map(|one| one.wait));
            sheet.span(waits.0);
            sheet.span(waits.1);
            sheet.span(waits.0.zip(waits.1).map(|(observed, simulated)| simulated - observed));
            for wait in [waits.0, waits.1] {
                sheet.time(wait.map(|wait| pair.arrival.saturating_add(wait)));
            }
            sheet.span(observed.map(|one| one.runtime));
            sheet.span(simulated.map(|one| one.runtime));
            for cpu in [observed.map(|one| one.cpu), simulated.map(|one| one.cpu)] {
                match cpu {
                    Some(cpu) => sheet.whole(cpu),
                    None => sheet.empty(),
                }
            }
            sheet.end_row();
        }
        sheet.finish()
    }

    /// Writes `groups.csv`: errors of the waits by size, runtime and tenant.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_groups<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, GROUP_COLUMNS);
        for group in &self.backtest.groups {
            let errors = &group.errors;
            sheet.word(group.by);
            sheet.text(&group.name);
            sheet.whole(errors.compared);
            for value in [
                group.observed_s,
                group.simulated_s,
                errors.bias_s,
                errors.mean_absolute_s,
                errors.root_mean_square_s,
                errors.median_absolute_s,
                errors.within,
            ] {
                sheet.number(Some(value));
            }
            sheet.number(errors.rank_correlation);
            sheet.end_row();
        }
        sheet.finish()
    }

    /// Writes `backtest.json`.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let backtest = self.backtest;
        let said = self.statements();
        let all = BacktestJson {
            answer: said.answer,
            cautions: said.cautions,
            likeness: backtest.likeness,
            unobserved: backtest.unobserved,
            not_started: backtest.not_started,
            waits: backtest.waits.as_ref(),
            figures: &backtest.readings,
            bill: backtest.bill.as_ref().map(bill::json),
            fingerprint: &self.run.fingerprint,
            recipe: &self.run.recipe,
            summary: &self.run.summary,
        };
        write_json(&all, out)
    }
}

#[derive(Serialize)]
struct BacktestJson<'a> {
    answer: Answer,
    cautions: Vec<String>,
    likeness: Likeness,
    unobserved: u64,
    not_started: u64,
    waits: Option<&'a WaitErrors>,
    figures: &'a [Reading],
    bill: Option<Value>,
    fingerprint: &'a str,
    recipe: &'a Recipe,
    summary: &'a Summary,
}

/// The name of a piece of work, or its ordinal, with the repetition in front.
fn label(pair: &Pair) -> String {
    let name = if pair.name.is_empty() { pair.id.ordinal.to_string() } else { pair.name.clone() };
    if pair.id.source == 0 { name } else { format!("{}/{name}", pair.id.source) }
}

#[cfg(test)]
mod tests;
