//! Findings of a backtest, as data that the sentences of `words/backtest.txt` and
//! `words/calibration.txt` are made from.

use serde::Serialize;

use super::BacktestReport;
use super::bill::BillFindings;
use crate::experiment::backtest::{
    Backtest, Calibration, Likeness, ObservedFrom, Reading, WaitErrors,
};
use crate::report::words::{Statements, render};

/// Figures of a scenario that are named.
const NAMED: usize = 3;

#[derive(Clone, Debug, Serialize)]
struct BacktestFindings<'a> {
    policy: &'a str,
    likeness: &'static str,
    exact: bool,
    /// The mean wait.
    wait: Option<ReadFigure<'a>>,
    waits: Option<Waits>,
    /// Figures that the scenario says were observed.
    given: Vec<ReadFigure<'a>>,
    /// The observed bill, of a backtest.
    bill: Option<BillFindings<'a>>,
    /// The same in all, of a calibration.
    billed: Option<ReadFigure<'a>>,
    /// Other figures of the trace.
    rest: Vec<ReadFigure<'a>>,
    unobserved: u64,
    not_started: u64,
    /// Parts that changed since, of a calibration.
    changed: &'a [&'a str],
    assumptions: usize,
}

/// A figure as observed and as simulated.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ReadFigure<'a> {
    pub(super) label: &'a str,
    pub(super) unit: &'a str,
    pub(super) observed: f64,
    pub(super) simulated: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct Waits {
    compared: u64,
    within: f64,
    median_absolute_s: f64,
    rank_correlation: Option<f64>,
    bias_s: f64,
    bias_interval_s: Option<[f64; 2]>,
}

impl<'a> BacktestFindings<'a> {
    fn of(
        policy: &'a str,
        likeness: Likeness,
        waits: Option<&WaitErrors>,
        readings: &'a [Reading],
    ) -> Self {
        let read = |one: &'a Reading| ReadFigure {
            label: &one.label,
            unit: &one.unit,
            observed: one.observed,
            simulated: one.simulated,
        };
        let of_trace = |metric: &str| {
            readings
                .iter()
                .find(|one| one.seen == ObservedFrom::Trace && one.metric == metric)
                .map(read)
        };
        let given = readings.iter().filter(|one| one.seen == ObservedFrom::Scenario);
        let rest = ["core_hours", "makespan", "utilisation_cpu"];
        Self {
            policy,
            likeness: likeness.name(),
            exact: likeness == Likeness::Exact,
            wait: of_trace("wait_mean"),
            waits: waits.map(|waits| Waits {
                compared: waits.compared,
                within: waits.within,
                median_absolute_s: waits.median_absolute_s,
                rank_correlation: waits.rank_correlation,
                bias_s: waits.bias_s,
                bias_interval_s: waits.bias_interval_s,
            }),
            given: given.take(NAMED).map(read).collect(),
            bill: None,
            billed: readings
                .iter()
                .find(|one| one.seen == ObservedFrom::Bill && one.metric == "bill")
                .map(read),
            rest: rest.into_iter().filter_map(of_trace).collect(),
            unobserved: 0,
            not_started: 0,
            changed: &[],
            assumptions: 0,
        }
    }
}

impl BacktestReport<'_> {
    pub(super) fn statements(&self) -> Statements {
        let Backtest { likeness, readings, unobserved, not_started, .. } = self.backtest;
        let waits = self.backtest.waits.as_ref();
        let found = BacktestFindings {
            unobserved: *unobserved,
            not_started: *not_started,
            bill: self.backtest.bill.as_ref().map(BillFindings::of),
            assumptions: self.run.assumptions.len(),
            ..BacktestFindings::of(&self.run.recipe.policy, *likeness, waits, readings)
        };
        render(include_str!("../words/backtest.txt"), &found)
    }
}

/// Verdict of a comparison on its calibration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calibrated {
    /// The verdict and what it rests on.
    pub text: String,
    /// The verdict in few words: `backtest: poor`.
    pub brief: String,
}

impl Calibrated {
    /// `changed` are the parts that are not as they were when it was made.
    pub fn of(calibration: &Calibration, changed: &[&str]) -> Self {
        let Calibration { policy, likeness, waits, readings, .. } = calibration;
        let found = BacktestFindings {
            changed,
            ..BacktestFindings::of(policy, *likeness, waits.as_ref(), readings)
        };
        let brief = match changed {
            [] => format!("backtest: {}", found.likeness),
            _ => format!("backtest stale, was {}", found.likeness),
        };
        Self {
            text: render(include_str!("../words/calibration.txt"), &found).answer.headline,
            brief,
        }
    }
}
