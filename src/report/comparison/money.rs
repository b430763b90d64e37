//! Money of a policy against the baseline, as data.

use serde::Serialize;

use super::{ComparisonReport, PolicyResult};
use crate::experiment::statistics::Verdict;
use crate::experiment::{HALF_A_CENT, Measurement};
use crate::metrics::Metric;
use crate::units::Money;

/// The leading cost of the choice and of the baseline.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LeadingCosts {
    pub(super) metric: &'static str,
    pub(super) label: &'static str,
    pub(super) now: f64,
    pub(super) was: f64,
    pub(super) difference: f64,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    /// Whether it is shown to cost less or more; `None` if neither is shown.
    pub(super) less: Option<bool>,
    /// Whether the interval excludes zero, and the corrected verdict does not.
    pub(super) hidden: bool,
    /// Whether there is no difference: of a month, to half a cent.
    pub(super) same: bool,
    /// Whether the metric is a cost per month.
    pub(super) monthly: bool,
    /// Useful hour that the metric is a cost of otherwise: `GPU-hour`, `core-hour`.
    pub(super) hour: &'static str,
    /// Seconds that a month of rent is scaled from, where anything is rented.
    pub(super) period_s: Option<f64>,
    /// Whether those seconds are the time over which work arrived, for nothing says what time the
    /// work stands for.
    pub(super) arrivals: bool,
    /// Whether machines that stand all along are scaled from all their time.
    pub(super) standing: bool,
}

/// A month of a policy and of the baseline, which did other work.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MovedMonth {
    pub(super) now: f64,
    pub(super) was: f64,
    pub(super) difference: f64,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    /// Whether the difference is shown: its interval excludes zero, or nothing is random.
    pub(super) moves: bool,
}

impl ComparisonReport<'_> {
    pub(super) fn money(&self, row: usize) -> Option<LeadingCosts> {
        let metric = self.leading(row);
        let (now, was) = (self.mean(metric, row)?, self.mean(metric, self.many.baseline)?);
        let contrast = self.many.contrast(row, metric.key);
        let difference = contrast.map_or(0.0, |contrast| contrast.difference());
        let interval = contrast
            .and_then(|contrast| contrast.paired)
            .filter(|paired| self.is_judged() && paired.interval.half_width > HALF_A_CENT)
            .map(|paired| paired.interval);
        let stands = |row: &PolicyResult<'_>| row.summary.cost.standing;
        let rented = self.rows.iter().any(|row| stands(row) != row.summary.cost.total);
        Some(LeadingCosts {
            metric: metric.key,
            label: metric.label,
            now,
            was,
            difference,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            less: self.many.shown(row, metric.key),
            hidden: self.hidden(row).is_some(),
            same: match metric.key {
                "cost_monthly" => difference.abs() < HALF_A_CENT,
                _ => difference == 0.0,
            },
            monthly: metric.key == "cost_monthly",
            hour: if metric.key == "cost_per_gpu_hour" { "GPU-hour" } else { "core-hour" },
            period_s: rented.then(|| self.period_s()),
            arrivals: self.measured_before().iter().any(|one| one.of_arrivals),
            standing: self.rows.iter().any(|row| stands(row) != Money::ZERO),
        })
    }

    /// Cost of a month of a policy that did not do the baseline's work.
    pub(super) fn month(&self, row: usize) -> Option<MovedMonth> {
        let contrast = self.many.months(row).filter(|_| self.leading(row).key != "cost_monthly")?;
        let paired = contrast.paired.filter(|_| self.is_judged());
        let difference = contrast.difference();
        let excludes = paired.is_none_or(|paired| paired.interval.excludes(0.0));
        let interval = paired
            .map(|paired| paired.interval)
            .filter(|interval| interval.half_width > HALF_A_CENT);
        Some(MovedMonth {
            now: contrast.mean,
            was: contrast.base,
            difference,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            moves: excludes && difference.abs() >= HALF_A_CENT,
        })
    }

    pub(super) fn measured_before(&self) -> &[Measurement] {
        &self.many.policies[self.many.baseline].measurements
    }

    /// Mean time that the work of a replication stands for.
    pub(super) fn period_s(&self) -> f64 {
        let all = self.measured_before();
        all.iter().map(|one| one.rent_s).sum::<f64>() / all.len().max(1) as f64
    }

    /// The interval of the leading cost, where it excludes zero and the verdict does not.
    pub(super) fn hidden(&self, row: usize) -> Option<[f64; 2]> {
        let metric = self.leading(row);
        let contrast = self.many.contrast(row, metric.key).filter(|_| self.is_judged())?;
        let paired = contrast.paired.filter(|paired| paired.interval.excludes(0.0))?;
        let small = contrast.verdict == Some(Verdict::EquivalentWithinMargin)
            || contrast.difference().abs() < HALF_A_CENT && metric.key == "cost_monthly";
        let is_hidden = self.many.shown(row, metric.key).is_none() && !small;
        is_hidden.then_some([paired.interval.low, paired.interval.high])
    }
}

/// Month or hour that a leading cost is per: ` per month`.
pub(super) fn per(metric: &Metric) -> &'static str {
    match metric.key {
        "cost_monthly" => " per month",
        "cost_per_gpu_hour" => " per useful GPU-hour",
        _ => " per useful core-hour",
    }
}
