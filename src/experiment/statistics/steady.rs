//! One long run of a system that goes on for ever: where its start stops
//! mattering, and an interval from its batches. Never for runs that end by
//! themselves, such as the replay of a trace.

use super::law;
use super::sample::{Interval, Sample};

/// Observations in a batch of MSER-5.
const BATCH: usize = 5;

/// Batches at the end that are no candidates for the truncation point: the
/// spread of so few is small by chance.
const TAIL: usize = 5;

/// Batches below which there is nothing to choose from.
const FEWEST: usize = 2 * TAIL;

/// The run ended before its start stopped mattering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort {
    /// Observations in the run.
    pub observations: usize,
    /// Number of observations that would have been left out, past the middle; `None` if the run is
    /// too short to tell.
    pub truncation: Option<usize>,
}

/// Number of observations to leave out at the start: MSER-5.
///
/// White, Cobb and Spratt, "A comparison of five steady-state truncation
/// heuristics for simulation", WSC 2000: of the means Y of `m` batches of five,
/// leave out the first d that minimise the sum of (Y - mean)^2 over the rest,
/// divided by (m - d)^2. The first of equal minima; observations that fill no
/// batch are left aside.
///
/// # Errors
/// [`TooShort`] below ten batches, or when d lies past the middle: what follows
/// is then too little to tell a trend from an end.
pub fn mser5(values: &[f64]) -> Result<usize, TooShort> {
    let batches = means(values, BATCH);
    let m = batches.len();
    if m < FEWEST {
        return Err(TooShort { observations: values.len(), truncation: None });
    }
    let (mut n, mut mean, mut squares) = (0_usize, 0.0, 0.0);
    let (mut best, mut least) = (m, f64::INFINITY);
    for at in (0..m).rev() {
        n += 1;
        let before = batches[at] - mean;
        mean += before / n as f64;
        squares += before * (batches[at] - mean);
        let score = squares / (n * n) as f64;
        if n >= TAIL && score <= least {
            (best, least) = (at, score);
        }
    }
    let truncation = best * BATCH;
    if best > m / 2 {
        return Err(TooShort { observations: values.len(), truncation: Some(truncation) });
    }
    Ok(truncation)
}

/// An interval from batches of one run, and whether to believe it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchMeans {
    /// Interval for the long-run mean by Student's t over the batch means.
    pub interval: Interval,
    /// Observations per batch.
    pub size: usize,
    /// Correlation of neighbouring batches as von Neumann's ratio has it:
    /// `1 - sum (Y[i] - Y[i+1])^2 / (2 sum (Y - mean)^2)`; 0 when nothing varies.
    pub lag1: f64,
    /// One-sided p-value of "the batches are uncorrelated": a small one says
    /// that the batches are too short and the interval is too narrow.
    pub p: f64,
    /// Batches without correlation that would say as much:
    /// b (1 - lag1) / (1 + lag1), at most b.
    pub effective: f64,
}

/// Cuts `values` (warm-up already removed) into `batches` batches of the same
/// size; `None` below three batches or one observation each. Observations that
/// fill no batch are left out at the start. 20 to 30 batches are customary.
///
/// Fishman, "Grouping observations in digital simulation", Management Science
/// 24(5), 1978: under independence the statistic has mean 0 and variance
/// (b - 2) / (b^2 - 1), and is close to normal from b = 8.
pub fn batch_means(values: &[f64], batches: usize, confidence: f64) -> Option<BatchMeans> {
    let size = values.len().checked_div(batches)?;
    if batches < 3 || size == 0 {
        return None;
    }
    let means = means(&values[values.len() - batches * size..], size);
    let sample = Sample::of(&means)?;
    let b = batches as f64;
    let steps: f64 = means.windows(2).map(|pair| (pair[0] - pair[1]) * (pair[0] - pair[1])).sum();
    let squares = sample.variance * (b - 1.0);
    let lag1 = if squares > 0.0 { 1.0 - steps / (2.0 * squares) } else { 0.0 };
    let spread = libm::sqrt((b - 2.0) / (b * b - 1.0));
    Some(BatchMeans {
        interval: sample.interval(confidence),
        size,
        lag1,
        p: law::z_below(-lag1 / spread),
        effective: (b * (1.0 - lag1) / (1.0 + lag1)).clamp(0.0, b),
    })
}

fn means(values: &[f64], size: usize) -> Vec<f64> {
    values.chunks_exact(size).map(|batch| batch.iter().sum::<f64>() / size as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Distribution, Stream};

    /// Each of `means` five times.
    fn run(means: &[f64]) -> Vec<f64> {
        means.iter().flat_map(|&mean| [mean; BATCH]).collect()
    }

    #[test]
    fn a_transient_is_cut_where_it_ends() {
        // Two batches away, then a steady +-1: with d = 2 the score is
        // 18 / 18^2 = 0.056; keeping a batch of 9 more adds about 76.7 / 19^2.
        let mut means = vec![20.0, 9.0];
        means.extend((0..18).map(|at| if at % 2 == 0 { 1.0 } else { -1.0 }));
        assert_eq!(mser5(&run(&means)), Ok(10));
        // A whole batch more or less of leftovers changes nothing.
        let mut longer = run(&means);
        longer.extend([500.0; 4]);
        assert_eq!(mser5(&longer), Ok(10));
        assert_eq!(mser5(&run(&[3.0; 10])), Ok(0));
    }

    #[test]
    fn a_run_that_never_settles_is_too_short() {
        let ramp: Vec<f64> = (0..40).map(f64::from).collect();
        // The sum of squares on a ramp is n(n^2 - 1)/12, so the score grows with n and the shortest
        // rest wins: batch 35.
        let late = TooShort { observations: 200, truncation: Some(175) };
        assert_eq!(mser5(&run(&ramp)), Err(late));
        let few = TooShort { observations: 49, truncation: None };
        assert_eq!(mser5(&[1.0; 49]), Err(few));
        assert_eq!(mser5(&[]), Err(TooShort { observations: 0, truncation: None }));
    }

    #[test]
    fn batches_by_hand() {
        // Batch means 1 2 3 6 of two each (the first value fills none): mean 3,
        // squares 4 1 0 9 = 14, steps 1 1 9 = 11, lag1 = 1 - 11/28 = 17/28.
        let values = [99.0, 0.0, 2.0, 1.0, 3.0, 3.0, 3.0, 5.0, 7.0];
        let found = batch_means(&values, 4, 0.95).expect("four batches");
        assert_eq!((found.size, found.interval.n, found.interval.mean), (2, 4, 3.0));
        assert!((found.lag1 - 17.0 / 28.0).abs() < 1e-12, "{found:?}");
        assert!((found.effective - 4.0 * 11.0 / 45.0).abs() < 1e-12, "{found:?}");
        // 17/28 over sqrt(2/15) is 1.66272, above which the normal has 0.048184.
        assert!((found.p - 0.048_184).abs() < 2e-6, "{found:?}");
        let still = batch_means(&[1.0; 9], 3, 0.95).expect("three batches");
        assert_eq!((still.lag1, still.p, still.effective), (0.0, 0.5, 3.0));
        for (count, batches) in [(2, 3), (9, 2), (9, 0), (0, 3)] {
            assert_eq!(batch_means(&vec![1.0; count], batches, 0.95), None);
        }
    }

    /// Autoregressive noise of correlation 0.9: batches of 5 are correlated,
    /// batches of 500 are not.
    #[test]
    fn short_batches_of_a_correlated_run_are_found_out() {
        let normal = Distribution::normal(0.0, 1.0).expect("valid parameters");
        let mut stream = Stream::new(1, "autoregressive");
        let mut level = 0.0;
        let mut next = || {
            level = 0.9 * level + normal.sample(&mut stream);
            level
        };
        let values: Vec<f64> = (0..15_000).map(|_| next()).collect();
        let short = batch_means(&values[..150], 30, 0.95).expect("30 batches");
        let long = batch_means(&values, 30, 0.95).expect("30 batches");
        assert!(short.p < 0.01 && short.effective < 15.0, "{short:?}");
        assert!(long.p > 0.05 && long.interval.covers(0.0), "{long:?}");
    }
}
