//! A backtest as words and as data: `backtest.csv`, `jobs.csv`, `groups.csv`
//! and `backtest.json`.

use std::io;

use serde::Serialize;

use super::figure::{change, clean, count, decimals, figure, share};
use super::run::{Recipe, RunReport, write_json};
use super::sheet::{Sheet, TextCells};
use crate::experiment::backtest::{
    Backtest, Calibration, Likeness, Pair, Reading, Seen, WaitErrors,
};
use crate::metrics::Summary;

/// A backtest, as a reader sees it.
#[derive(Clone, Copy, Debug)]
pub struct BacktestReport<'a> {
    /// The run that was held against what was observed.
    pub run: &'a RunReport,
    /// How far it was off.
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
    /// The paragraph that a backtest opens with.
    pub fn answer(&self) -> String {
        let policy = clean(&self.run.recipe.policy);
        let backtest = self.backtest;
        let mut said = vec![format!("Under {policy}, the model is {}.", backtest.likeness.name())];
        match backtest.likeness {
            Likeness::Exact => {
                said.push("Every wait and every figure is as it was observed.".to_owned());
            }
            _ => said.push(sentence(&self.gist())),
        }
        if let Some(waits) = &backtest.waits
            && let Some([low, high]) = waits.bias_interval_s.filter(|_| waits.bias_s != 0.0)
        {
            let seconds = |value| super::figure::difference("s", value);
            said.push(format!(
                "The mean error of a wait is {}, and between {} and {} over other stretches of such a log \
                 (95 %).",
                seconds(waits.bias_s),
                seconds(low),
                seconds(high)
            ));
        }
        let left_out = [
            (backtest.unobserved, "whose start was not observed"),
            (backtest.not_started, "that the run did not start"),
        ];
        // Without any observed wait, nothing is left out of anything.
        for (number, which) in left_out.into_iter().filter(|one| one.0 > 0) {
            if let Some(waits) = &backtest.waits {
                said.push(format!(
                    "Work {which} is left out: {} of {}.",
                    count(number),
                    count(waits.compared + backtest.unobserved + backtest.not_started)
                ));
            }
        }
        said.join(" ")
    }

    /// The errors that a reader asks for first, in half a sentence.
    fn gist(&self) -> String {
        let (waits, readings) = (self.backtest.waits.as_ref(), &self.backtest.readings);
        let mut said = vec![brief(waits, readings)];
        said.extend(waits.map(|waits| {
            let median = figure("s", Some(waits.median_absolute_s));
            format!("half of them off by at most {median}")
        }));
        let rest = ["core_hours", "makespan", "utilisation_cpu"];
        said.extend(rest.into_iter().filter_map(|key| of_trace(readings, key)).map(relative));
        said.join(", ")
    }

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
                Seen::Trace => "trace",
                Seen::Scenario => "scenario",
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
        let all = BacktestJson {
            answer: self.answer(),
            likeness: backtest.likeness,
            unobserved: backtest.unobserved,
            not_started: backtest.not_started,
            waits: backtest.waits.as_ref(),
            figures: &backtest.readings,
            fingerprint: &self.run.fingerprint,
            recipe: &self.run.recipe,
            summary: &self.run.summary,
        };
        write_json(&all, out)
    }
}

#[derive(Serialize)]
struct BacktestJson<'a> {
    answer: String,
    likeness: Likeness,
    unobserved: u64,
    not_started: u64,
    waits: Option<&'a WaitErrors>,
    figures: &'a [Reading],
    fingerprint: &'a str,
    recipe: &'a Recipe,
    summary: &'a Summary,
}

/// What a comparison says of its calibration. `changed` are the parts that are
/// not as they were when it was made.
pub fn calibration_text(calibration: &Calibration, changed: &[&str]) -> String {
    let policy = clean(&calibration.policy);
    let likeness = calibration.likeness.name();
    let found = match calibration.likeness {
        Likeness::Exact => likeness.to_owned(),
        _ => format!("{likeness}: {}", brief(calibration.waits.as_ref(), &calibration.readings)),
    };
    if changed.is_empty() {
        return format!("Held against what was observed, the model of {policy} is {found}.");
    }
    let (first, verb) = match changed {
        [one] => ((*one).to_owned(), "has"),
        [first @ .., last] => (format!("{} and {last}", first.join(", ")), "have"),
        [] => Default::default(),
    };
    format!(
        "The calibration is stale: {first} {verb} changed since `windtunnel backtest`. Before, held against \
         what was observed, the model of {policy} was {found}."
    )
}

/// Figures of a scenario that are named in a sentence.
const NAMED: usize = 3;

/// Mean wait, how many waits are right, in which order they come, and what the scenario gives.
fn brief(waits: Option<&WaitErrors>, readings: &[Reading]) -> String {
    let mut said: Vec<String> = of_trace(readings, "wait_mean").map(against).into_iter().collect();
    if let Some(waits) = waits {
        said.extend(waits.rank_correlation.map(|r| format!("rank correlation {}", decimals(r, 2))));
    }
    let given = readings.iter().filter(|reading| reading.seen == Seen::Scenario);
    said.extend(given.take(NAMED).map(against));
    said.extend(
        waits.map(|waits| format!("{} of the waits within 10 % or a minute", share(waits.within))),
    );
    said.join(", ")
}

fn of_trace<'a>(readings: &'a [Reading], metric: &str) -> Option<&'a Reading> {
    readings.iter().find(|reading| reading.seen == Seen::Trace && reading.metric == metric)
}

/// `wait, mean 2 h against 1 h observed (+100.0 %)`.
fn against(reading: &Reading) -> String {
    let show = |value| figure(&reading.unit, value);
    let change = reading.simulated.map(|value| change(value, reading.observed));
    let change = change.filter(|change| !change.is_empty());
    format!(
        "{} {} against {} observed{}",
        clean(&reading.label),
        show(reading.simulated),
        show(Some(reading.observed)),
        change.map_or_else(String::new, |change| format!(" ({change})"))
    )
}

/// `makespan +0.1 %`.
fn relative(reading: &Reading) -> String {
    match reading.simulated.map(|value| change(value, reading.observed)) {
        Some(change) if !change.is_empty() => format!("{} {change}", clean(&reading.label)),
        _ => against(reading),
    }
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// The name of a piece of work, or its ordinal, with the repetition in front.
fn label(pair: &Pair) -> String {
    let name = if pair.name.is_empty() { pair.id.ordinal.to_string() } else { pair.name.clone() };
    if pair.id.source == 0 { name } else { format!("{}/{name}", pair.id.source) }
}

#[cfg(test)]
mod tests;
