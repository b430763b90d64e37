//! Verdict on the errors of a backtest, in one word.

use serde::{Deserialize, Serialize};

use super::{ObservedFrom, Reading, ToleratedWait, WaitErrors};

/// Likeness of the model to what was observed. The bounds are a convention of ours, the same for
/// every scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Likeness {
    /// No error at all in what the trace shows, and none but rounding (of a
    /// thousandth) in what the scenario and the bill say.
    Exact,
    /// Every judged figure within a tenth, and at least four of five waits
    /// within a tenth or a minute.
    Close,
    /// Every judged figure within a half, and waits ranked much as observed
    /// (Spearman's correlation of at least 0.5).
    Rough,
    /// Anything else.
    Poor,
}

/// Relative error that rounding may bring to a figure that somebody has typed, or to the lines of a bill.
const ROUNDING: f64 = 0.001;

/// Figures that are judged, beside bills in all and by provider: extremes, lines of bills and what follows from others are not.
const JUDGED: [&str; 7] = [
    "wait_mean",
    "wait_p95",
    "core_hours",
    "makespan",
    "utilisation_cpu",
    "utilisation_gpu",
    "instance_hours",
];

impl Likeness {
    /// Likeness by these errors.
    pub(super) fn of(waits: Option<&WaitErrors>, readings: &[Reading]) -> Self {
        let judged = |reading: &&Reading| {
            let metric = reading.metric.as_str();
            JUDGED.contains(&metric) || metric.starts_with("cost") || metric.starts_with("bill")
        };
        let within = |share: f64| {
            readings.iter().filter(judged).all(|reading| {
                let floor = match reading.unit.as_str() {
                    "s" => ToleratedWait::FLOOR.secs_f64(),
                    _ => 0.0,
                };
                let most = (reading.observed.abs() * share).max(floor);
                reading.error().is_some_and(|error| error.abs() <= most)
            })
        };
        let exact = readings.iter().all(|reading| match reading.seen {
            ObservedFrom::Trace => reading.error() == Some(0.0),
            ObservedFrom::Scenario | ObservedFrom::Bill => {
                let most = reading.observed.abs() * ROUNDING;
                reading.error().is_some_and(|error| error.abs() <= most)
            }
        });
        match waits {
            _ if exact && waits.is_none_or(|waits| waits.mean_absolute_s == 0.0) => Self::Exact,
            _ if within(0.1) && waits.is_none_or(|waits| waits.within >= 0.8) => Self::Close,
            None if within(0.5) => Self::Rough,
            Some(waits) if within(0.5) && waits.rank_correlation.is_none_or(|r| r >= 0.5) => {
                Self::Rough
            }
            _ => Self::Poor,
        }
    }

    /// The word of reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Close => "close",
            Self::Rough => "rough",
            Self::Poor => "poor",
        }
    }
}
