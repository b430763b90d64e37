//! The errors of the waits, job by job: how large, to which side, and whether
//! the model at least tells long waits from short ones.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::statistics::bootstrap::{Bootstrap, Method, ratio_of_means};
use super::Matched;
use crate::units::{Span, rank};

/// Tolerance within which two waits count as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToleratedWait;

impl ToleratedWait {
    /// The larger of these counts ...
    pub const FLOOR: Span = Span::from_secs(60);
    /// ... and of this share of the observed wait.
    pub const SHARE: f64 = 0.1;

    fn covers(one: &Matched<'_>) -> bool {
        let share = one.observed.wait.secs_f64() * Self::SHARE;
        one.error_s().abs() <= share.max(Self::FLOOR.secs_f64())
    }
}

/// Errors of the waits: simulated minus observed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitErrors {
    /// Pieces of work whose waits are both known.
    pub compared: u64,
    /// Mean error in seconds: above zero, the model lets work wait too long.
    pub bias_s: f64,
    /// Ends of the 95 % interval of the bias over other stretches of the same
    /// log, from a bootstrap of its weeks (of its days, where there are fewer
    /// than eight weeks); `None` below eight days.
    pub bias_interval_s: Option<[f64; 2]>,
    /// Mean absolute error in seconds.
    pub mean_absolute_s: f64,
    /// Root of the mean squared error, in seconds.
    pub root_mean_square_s: f64,
    /// Median absolute error in seconds (nearest rank).
    pub median_absolute_s: f64,
    /// 95th percentile of the absolute error in seconds (nearest rank).
    pub p95_absolute_s: f64,
    /// Share that is within a minute or a tenth of the observed wait.
    pub within: f64,
    /// Share that waits longer than observed.
    pub too_long: f64,
    /// Share that waits less long than observed.
    pub too_short: f64,
    /// Pearson's correlation of observed and simulated waits; `None` if either is all the same.
    pub correlation: Option<f64>,
    /// Spearman's rank correlation, equal waits sharing their mean rank.
    pub rank_correlation: Option<f64>,
}

/// The errors of all `matched` work; `None` if there is no such work.
pub fn errors<'a>(matched: impl Iterator<Item = Matched<'a>>) -> Option<WaitErrors> {
    let all: Vec<Matched<'a>> = matched.collect();
    let errors: Vec<f64> = all.iter().map(Matched::error_s).collect();
    let count = errors.len() as f64;
    if errors.is_empty() {
        return None;
    }
    let share = |holds: &dyn Fn(f64) -> bool| {
        errors.iter().filter(|&&error| holds(error)).count() as f64 / count
    };
    let mut absolute: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
    absolute.sort_unstable_by(f64::total_cmp);
    let observed: Vec<f64> = all.iter().map(|one| one.observed.wait.secs_f64()).collect();
    let simulated: Vec<f64> = all.iter().map(|one| one.simulated.wait.secs_f64()).collect();
    Some(WaitErrors {
        compared: errors.len() as u64,
        bias_s: errors.iter().sum::<f64>() / count,
        bias_interval_s: bias_interval(&all, &errors),
        mean_absolute_s: absolute.iter().sum::<f64>() / count,
        root_mean_square_s: libm::sqrt(
            errors.iter().map(|error| error * error).sum::<f64>() / count,
        ),
        median_absolute_s: nearest_rank(&absolute, 0.5),
        p95_absolute_s: nearest_rank(&absolute, 0.95),
        within: all.iter().filter(|one| ToleratedWait::covers(one)).count() as f64 / count,
        too_long: share(&|error| error > 0.0),
        too_short: share(&|error| error < 0.0),
        correlation: correlation(&observed, &simulated),
        rank_correlation: correlation(&ranks(&observed), &ranks(&simulated)),
    })
}

/// The smallest value that at least this share does not exceed. `sorted` is not empty.
pub(super) fn nearest_rank(sorted: &[f64], share: f64) -> f64 {
    sorted[rank::nearest_rank(share, sorted.len() as u64) as usize - 1]
}

/// Fewest blocks from which an interval is made.
const FEWEST_BLOCKS: usize = 8;

/// Jobs that wait together depend on each other, so whole weeks or days are
/// drawn, not jobs.
fn bias_interval(all: &[Matched<'_>], errors: &[f64]) -> Option<[f64; 2]> {
    let blocks = |days: i64| {
        let width = days * 86_400 * 1_000_000;
        let mut blocks: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for (one, error) in all.iter().zip(errors) {
            let block = blocks.entry(one.pair.arrival.micros().div_euclid(width)).or_default();
            (block.0, block.1) = (block.0 + error, block.1 + 1.0);
        }
        Some(blocks).filter(|blocks| blocks.len() >= FEWEST_BLOCKS)
    };
    let (sums, counts): (Vec<f64>, Vec<f64>) =
        blocks(7).or_else(|| blocks(1))?.into_values().unzip();
    let rule =
        Bootstrap { resamples: 2_000, confidence: 0.95, method: Method::Percentile, seed: 1 };
    let found = rule.interval(sums.len(), |rows| ratio_of_means(&sums, &counts, rows))?;
    Some([found.low, found.high])
}

/// Pearson's correlation; `None` if either side does not vary.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let count = a.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (of_a, of_b) = (mean(a), mean(b));
    let (mut both, mut only_a, mut only_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - of_a, b - of_b);
        (both, only_a, only_b) = (both + a * b, only_a + a * a, only_b + b * b);
    }
    let scale = libm::sqrt(only_a) * libm::sqrt(only_b);
    (scale > 0.0).then(|| (both / scale).clamp(-1.0, 1.0))
}

/// The rank of each value, from 1; equal ones share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut at = 0;
    while at < order.len() {
        let value = values[order[at]];
        let same = order[at..].iter().take_while(|&&row| values[row] == value).count();
        // Ranks at + 1 to at + same have this mean.
        let mean = at as f64 + (same as f64 + 1.0) / 2.0;
        order[at..at + same].iter().for_each(|&row| ranks[row] = mean);
        at += same;
    }
    ranks
}
