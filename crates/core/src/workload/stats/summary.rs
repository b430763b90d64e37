//! Mean and percentiles of whole numbers.

use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Percentiles are exact up to so many samples; beyond, they are within 0.1 %.
const EXACT: usize = 100_000;

/// Numbers in a row: their mean and percentiles (nearest rank).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SampleSummary {
    /// Number of values; all else is 0 when there are none.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Smallest.
    pub min: f64,
    /// A quarter is at most this.
    pub p25: f64,
    /// Half is at most this.
    pub p50: f64,
    /// Three quarters are at most this.
    pub p75: f64,
    /// 90 % is at most this.
    pub p90: f64,
    /// 99 % is at most this.
    pub p99: f64,
    /// Largest.
    pub max: f64,
}

impl fmt::Display for SampleSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return f.write_str("none");
        }
        let Self { mean, min, p50, p90, p99, max, .. } = self;
        let short = |value: &f64| {
            let text = format!("{value:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        let [mean, min, p50, p90, p99, max] = [mean, min, p50, p90, p99, max].map(short);
        write!(f, "mean {mean}, min {min}, p50 {p50}, p90 {p90}, p99 {p99}, max {max}")
    }
}

/// Collects whole numbers of at least 0.
#[derive(Debug, Default)]
pub(super) struct Samples {
    exact: Vec<i64>,
    beyond: Option<Histogram<u64>>,
    sum: i128,
    max: i64,
    min: i64,
    count: u64,
}

impl Samples {
    pub(super) fn add(&mut self, value: i64) {
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = self.max.max(value);
        self.count += 1;
        self.sum += i128::from(value);
        if let Some(histogram) = &mut self.beyond {
            histogram.saturating_record(value.unsigned_abs());
            return;
        }
        self.exact.push(value);
        if self.exact.len() > EXACT {
            let mut histogram = Histogram::new_with_bounds(1, i64::MAX as u64, 3)
                .expect("three digits are allowed");
            for value in self.exact.drain(..) {
                histogram.saturating_record(value.unsigned_abs());
            }
            self.beyond = Some(histogram);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The summary of the numbers times `scale`.
    pub(super) fn summary(mut self, scale: f64) -> SampleSummary {
        if self.count == 0 {
            return SampleSummary::default();
        }
        self.exact.sort_unstable();
        let rank = |percent: u64| (self.count * percent).div_ceil(100).max(1);
        let percentile = |percent: u64| match &self.beyond {
            Some(histogram) => {
                let value = at_rank(histogram, rank(percent)) as i64;
                value.clamp(self.min, self.max) as f64 * scale
            }
            None => self.exact[rank(percent) as usize - 1] as f64 * scale,
        };
        SampleSummary {
            count: self.count,
            mean: self.sum as f64 / self.count as f64 * scale,
            min: self.min as f64 * scale,
            p25: percentile(25),
            p50: percentile(50),
            p75: percentile(75),
            p90: percentile(90),
            p99: percentile(99),
            max: self.max as f64 * scale,
        }
    }
}

/// The sample of this rank, from 1. By rank, as the library's own question takes
/// a share, which a rank does not survive.
fn at_rank(histogram: &Histogram<u64>, rank: u64) -> u64 {
    let mut below = 0;
    for step in histogram.iter_recorded() {
        below += step.count_at_value();
        if below >= rank {
            return histogram.highest_equivalent(step.value_iterated_to());
        }
    }
    histogram.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 50,009 is the nearest rank of the median.
    #[test]
    fn a_rank_does_not_go_through_a_share() {
        let mut samples = Samples::default();
        (0..100_017).for_each(|at| samples.add(if at < 50_009 { 1 } else { 1_000 }));
        assert_eq!(samples.summary(1.0).p50, 1.0);
    }

    #[test]
    fn percentiles_are_exact_and_then_within_a_thousandth() {
        let summary = |count: i64| {
            let mut samples = Samples::default();
            (1..=count).rev().for_each(|value| samples.add(value));
            samples.summary(1.0)
        };
        let few = summary(200);
        assert_eq!((few.min, few.p25, few.p50, few.p99, few.max), (1.0, 50.0, 100.0, 198.0, 200.0));
        assert_eq!(few.mean, 100.5);
        let many = summary(400_000);
        assert_eq!((many.min, many.max, many.mean), (1.0, 400_000.0, 200_000.5));
        assert!((many.p50 / 200_000.0 - 1.0).abs() < 0.001, "{many}");
        assert!((many.p99 / 396_000.0 - 1.0).abs() < 0.001, "{many}");
        assert_eq!(Samples::default().summary(1.0).to_string(), "none");
    }
}
