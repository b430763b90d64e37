//! The moments of a sample and the interval for its mean.

use super::law;

/// The first two moments of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Number of values, at least two.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Variance with divisor n - 1.
    pub variance: f64,
}

/// A confidence interval for a mean: symmetric around it, unless cut off where no mean can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The mean of the sample.
    pub mean: f64,
    /// Half of its width; 0 when all values are the same.
    pub half_width: f64,
    /// `mean - half_width`.
    pub low: f64,
    /// `mean + half_width`.
    pub high: f64,
    /// Values in the sample.
    pub n: usize,
}

impl Interval {
    /// Whether `value` lies outside of the interval.
    pub fn excludes(&self, value: f64) -> bool {
        value < self.low || self.high < value
    }

    /// The interval of a mean that lies between `least` and `most`, where these are known.
    pub fn within(self, [least, most]: [Option<f64>; 2]) -> Self {
        Self {
            low: least.map_or(self.low, |least| self.low.max(least)),
            high: most.map_or(self.high, |most| self.high.min(most)),
            ..self
        }
    }
}

impl Sample {
    /// The moments of `values`, in index order; `None` below two values.
    ///
    /// Welford, "Note on a method for calculating corrected sums of squares
    /// and products", Technometrics 4(3), 1962: the mean is updated by
    /// differences, so nothing cancels when the mean dwarfs the spread, and
    /// equal values have exactly their own mean and exactly no variance.
    pub fn of(values: &[f64]) -> Option<Self> {
        Self::over(values.iter().copied())
    }

    pub(super) fn over(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (mut n, mut mean, mut squares) = (0_usize, 0.0, 0.0);
        for value in values {
            n += 1;
            let before = value - mean;
            mean += before / n as f64;
            squares += before * (value - mean);
        }
        (n >= 2).then(|| Self { n, mean, variance: squares / (n - 1) as f64 })
    }

    /// Standard error of the mean: the root of variance / n.
    pub fn standard_error(&self) -> f64 {
        libm::sqrt(self.variance / self.n as f64)
    }

    /// The interval that holds the true mean with probability `confidence`,
    /// 0 < `confidence` < 1, by Student's t.
    ///
    /// Law, "Simulation Modeling and Analysis", 5th ed., eq. 4.12. Exact for
    /// normal values; close for means over long or many replications.
    pub fn interval(&self, confidence: f64) -> Interval {
        let t = law::t_critical((1.0 - confidence) / 2.0, self.n - 1);
        Interval::around(self.mean, t * self.standard_error(), self.n)
    }
}

impl Interval {
    pub(super) fn around(mean: f64, half_width: f64, n: usize) -> Self {
        Self { mean, half_width, low: mean - half_width, high: mean + half_width, n }
    }

    /// Whether `value` lies in the interval, ends included.
    pub fn covers(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// The interval that holds the true mean of `values` with probability
/// `confidence`, 0 < `confidence` < 1; `None` below two values.
pub fn t_interval(values: &[f64], confidence: f64) -> Option<Interval> {
    Sample::of(values).map(|sample| sample.interval(confidence))
}

/// Interval of the difference of the true means of two independent samples; `None` if one has fewer
/// than two values.
///
/// Welch, "The generalization of 'Student's' problem when several different
/// population variances are involved", Biometrika 34, 1947; degrees of freedom
/// rounded down.
pub fn welch(a: &[f64], b: &[f64], confidence: f64) -> Option<Interval> {
    let (a, b) = (Sample::of(a)?, Sample::of(b)?);
    let part = |sample: &Sample| sample.variance / sample.n as f64;
    let square = |sample: &Sample| part(sample) * part(sample) / (sample.n - 1) as f64;
    let both = part(&a) + part(&b);
    let freedom = if both > 0.0 { both * both / (square(&a) + square(&b)) } else { 1.0 };
    let t = law::t_critical((1.0 - confidence) / 2.0, (freedom as usize).max(1));
    Some(Interval::around(a.mean - b.mean, t * libm::sqrt(both), a.n + b.n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Stream;

    /// 1 2 3 against 5 9: variances 1 and 8, so 1/3 + 4 = 13/3, and
    /// (13/3)^2 / ((1/3)^2 / 2 + 16 / 1) = 1.17 degrees of freedom: one, at which t
    /// is 12.706204736.
    #[test]
    fn two_samples_by_hand() {
        let found = welch(&[5.0, 9.0], &[1.0, 2.0, 3.0], 0.95).expect("two samples");
        close(found.mean, 5.0);
        close(found.half_width, 12.706_204_736_174_7 * libm::sqrt(13.0 / 3.0));
        assert_eq!(welch(&[1.0], &[1.0, 2.0], 0.95), None);
        assert_eq!(welch(&[1.0; 3], &[2.0; 3], 0.95).map(|one| one.half_width), Some(0.0));
    }

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found}, not {expected}");
    }

    #[test]
    fn moments() {
        // Mean 5, squared deviations 9 1 1 1 0 0 4 16 = 32.
        let sample = Sample::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).expect("eight values");
        assert_eq!((sample.n, sample.mean), (8, 5.0));
        close(sample.variance, 32.0 / 7.0);
        close(sample.standard_error(), (32.0_f64 / 56.0).sqrt());
        assert_eq!(Sample::of(&[1.0]), None);
        assert_eq!(Sample::of(&[]), None);
    }

    /// A billion away from zero the squares have no digits left for the spread.
    #[test]
    fn a_distant_mean_does_not_cancel_the_spread() {
        let values = [4.0, 7.0, 13.0, 16.0].map(|value| value + 1e9);
        let sample = Sample::of(&values).expect("four values");
        assert_eq!((sample.mean, sample.variance), (1e9 + 10.0, 30.0));
        let same = Sample::of(&[0.1; 1000]).expect("a thousand values");
        assert_eq!((same.mean, same.variance), (0.1, 0.0));
    }

    /// Ten values of mean 1.34 and variance 0.17: Law's example 4.27, whose
    /// interval at 90 % is 1.34 +- 0.24.
    #[test]
    fn published_interval() {
        let values = [1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09];
        let found = t_interval(&values, 0.90).expect("ten values");
        assert!((found.mean - 1.343).abs() < 1e-12, "{found:?}");
        assert!((found.half_width - 0.24).abs() < 0.005, "{found:?}");
        assert!(found.covers(1.343) && found.covers(found.low) && !found.covers(found.high + 1e-9));
        assert_eq!(t_interval(&[3.0], 0.95), None);
    }

    #[test]
    fn two_values() {
        // Standard error 1/2, t with one degree of freedom 12.706204736.
        let found = t_interval(&[1.0, 2.0], 0.95).expect("two values");
        close(found.half_width, 6.353_102_368);
        close(found.low, 1.5 - 6.353_102_368);
    }

    /// Mean wait of 200 customers of an M/M/1 queue at load 1/2 that starts in
    /// equilibrium: exactly 1 in units of the service time.
    fn mean_wait(stream: &mut Stream) -> f64 {
        let exponential = |stream: &mut Stream| -stream.uniform().ln();
        // The wait in equilibrium is 0 with probability 1/2, else Exp(1/2).
        let mut wait = if stream.uniform() < 0.5 { 0.0 } else { 2.0 * exponential(stream) };
        let mut sum = 0.0;
        for _ in 0..200 {
            sum += wait;
            wait = (wait + exponential(stream) - 2.0 * exponential(stream)).max(0.0);
        }
        sum / 200.0
    }

    /// The 99.9 % band of a binomial of 400 trials of chance 0.95 is 364 to 393.
    #[test]
    fn an_interval_at_95_percent_covers_about_95_times_in_100() {
        let covers = |repeat: u64| {
            let of =
                |replication| mean_wait(&mut Stream::keyed(1, "coverage", &[repeat, replication]));
            let waits: Vec<f64> = (0..40).map(of).collect();
            t_interval(&waits, 0.95).expect("forty values").covers(1.0)
        };
        let covered = (0..400).filter(|&repeat| covers(repeat)).count();
        assert!((364..=393).contains(&covered), "covered {covered} of 400 times");
    }
}
