//! Check that intervals are as narrow as was asked for, and the list of those that are not.

use super::super::cost::leading_cost;
use super::super::measurement::Measurement;
use super::super::statistics::{Interval, paired, t_interval};
use super::{Arm, pairs};
use crate::metrics::METRICS;

/// A metric whose interval is not as narrow as was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wide {
    /// The policy.
    pub policy: String,
    /// Row of [`METRICS`].
    pub metric: usize,
    /// Half of the width of its interval, in the unit of the metric.
    pub half_width: f64,
    /// Half width that was asked for; 0 if the mean is 0, for no share of that is wide enough,
    /// however many replications there are.
    pub wanted: f64,
}

impl Wide {
    /// Whether no number of replications can make the interval narrow enough.
    pub fn is_hopeless(&self) -> bool {
        self.wanted == 0.0
    }
}

/// The intervals that are too wide: of the leading cost and the metrics of the
/// objectives, of the difference to the baseline as a share of its mean; of a policy alone, of
/// the metric as a share of its own mean. `precision` is reduced to `p / (1 + p)`,
/// which makes up for the mean being estimated too.
pub(super) fn wide(
    sides: &[Arm<'_>],
    baseline: usize,
    all: &[Vec<Measurement>],
    confidence: f64,
    precision: f64,
) -> Vec<Wide> {
    let base = &all[baseline];
    let same_work =
        all.iter().all(|rows| base.iter().zip(rows).all(|(one, other)| one.same_work(other)));
    let cores = base.iter().any(|one| one.metric("cost_per_core_hour").is_some());
    let promised = sides[baseline].scenario.objectives.iter();
    let promised = promised.filter(|one| one.window.is_none()).map(|one| one.metric.key);
    let keys: Vec<&str> = [leading_cost(same_work, cores)].into_iter().chain(promised).collect();
    let metrics = (0..METRICS.len()).filter(|&metric| keys.contains(&METRICS[metric].key));
    let metrics: Vec<usize> = metrics.collect();
    let narrow = precision / (1.0 + precision);
    let interval = |row: usize, metric: usize| -> Option<(Interval, f64)> {
        let (a, b) = pairs(base, &all[row], metric);
        if row == baseline {
            return t_interval(&a, confidence).map(|interval| (interval, interval.mean));
        }
        paired(&a, &b, confidence).map(|paired| (paired.interval, paired.mean_a))
    };
    let rows = (0..all.len()).filter(|&row| row != baseline || all.len() == 1);
    let each = rows.flat_map(|row| metrics.iter().map(move |&metric| (row, metric)));
    let too_wide = |(row, metric): (usize, usize)| {
        let (interval, mean) = interval(row, metric)?;
        let (half_width, wanted) = (interval.half_width, narrow * mean.abs());
        let policy = sides[row].name.to_owned();
        (half_width > wanted).then_some(Wide { policy, metric, half_width, wanted })
    };
    each.filter_map(too_wide).collect()
}
