//! Two alternatives on the same random numbers, compared replication by
//! replication.

use super::law;
use super::sample::{Interval, Sample};

/// Estimate, from pairs of values, of the difference of two means.
///
/// Differences are B - A throughout: A is the baseline, and a negative
/// difference says that B has less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    /// Mean of A.
    pub mean_a: f64,
    /// Mean of B.
    pub mean_b: f64,
    /// Mean of B - A.
    pub difference: f64,
    /// The difference over |mean of A|; `None` if that is 0.
    pub relative: Option<f64>,
    /// Standard error of the difference; 0 when all differences are the same.
    pub standard_error: f64,
    /// Interval of the difference by Student's t; a point when all
    /// differences are the same.
    pub interval: Interval,
    /// Two-sided p-value of "the means are the same". If all differences are the same there is
    /// nothing to estimate: 1 if they are 0, else twice `alike`.
    pub p: f64,
    /// The chance that all differences are the same and to one given side by accident: 0 of what is
    /// measured; of counts, which agree easily, that of the sign test (see [`Paired::of_counts`]).
    pub alike: f64,
    /// Correlation of A and B; `None` if one of them does not vary.
    pub correlation: Option<f64>,
    /// (Var A + Var B) / Var (B - A): without common random numbers the same interval would need
    /// this many times the replications. `None` if the difference does not vary.
    pub variance_ratio: Option<f64>,
}

/// Compares two slices of the same length, whose i-th values come from the
/// same seed; `None` below two pairs. Panics when the lengths differ.
///
/// Law, "Simulation Modeling and Analysis", 5th ed., 10.2.1 (the paired-t
/// interval) and 11.2 (what common random numbers save).
pub fn paired(a: &[f64], b: &[f64], confidence: f64) -> Option<Paired> {
    assert_eq!(a.len(), b.len(), "pairs come from two samples of the same length");
    let (of_a, of_b) = (Sample::of(a)?, Sample::of(b)?);
    let difference = Sample::over(a.iter().zip(b).map(|(a, b)| b - a))?;
    let standard_error = difference.standard_error();
    let p = match () {
        () if difference.mean == 0.0 => 1.0,
        () => 2.0 * law::t_above((difference.mean / standard_error).abs(), difference.n - 1),
    };
    let independent = of_a.variance + of_b.variance;
    Some(Paired {
        mean_a: of_a.mean,
        mean_b: of_b.mean,
        difference: difference.mean,
        relative: (of_a.mean != 0.0).then(|| difference.mean / of_a.mean.abs()),
        standard_error,
        interval: difference.interval(confidence),
        p,
        alike: 0.0,
        correlation: correlation(a, b, &of_a, &of_b),
        variance_ratio: (difference.variance > 0.0).then(|| independent / difference.variance),
    })
}

impl Paired {
    /// The same for a metric that is a count, or a share of a count: two replications whose counts
    /// differ alike are no certainty. If all differences are the same, the evidence left is that
    /// all of them lie to one side, which has chance 1/2^n each way.
    pub fn of_counts(self) -> Self {
        let alike = libm::pow(0.5, self.interval.n as f64);
        let p = match () {
            () if self.standard_error > 0.0 || self.difference == 0.0 => self.p,
            () => 2.0 * alike,
        };
        Self { alike, p, ..self }
    }

    /// Pairs that would show such a difference with a p-value of at most `alpha`, 0 < `alpha` < 1,
    /// four times in five, if the differences go on as they have: the first n with (t(1 - alpha/2,
    /// n - 1) + t(0.8, n - 1)) standard errors of n pairs within it. `None` if that takes more than
    /// `MOST_PAIRS`, or nothing differs.
    ///
    /// Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd ed., 2.4, with the sum of
    /// two quantiles for the noncentral law.
    pub fn enough(&self, alpha: f64) -> Option<u32> {
        let seen = libm::sqrt(self.interval.n as f64) * self.standard_error;
        let shows = |n: usize| {
            let quantiles = law::t_critical(alpha / 2.0, n - 1) + law::t_critical(0.2, n - 1);
            let alike = self.alike == 0.0 || 2.0 * libm::pow(0.5, n as f64) <= alpha;
            alike && quantiles * seen / libm::sqrt(n as f64) <= self.difference.abs()
        };
        if self.difference == 0.0 || !shows(MOST_PAIRS) {
            return None;
        }
        // A difference that n pairs show is shown by more pairs too.
        let (mut few, mut many) = (1, MOST_PAIRS);
        while many - few > 1 {
            let middle = usize::midpoint(few, many);
            *if shows(middle) { &mut many } else { &mut few } = middle;
        }
        u32::try_from(many).ok()
    }
}

/// Pairs that are worth asking for.
const MOST_PAIRS: usize = 1_000;

/// Pearson's, from -1 to 1.
fn correlation(a: &[f64], b: &[f64], of_a: &Sample, of_b: &Sample) -> Option<f64> {
    let products = a.iter().zip(b).map(|(a, b)| (a - of_a.mean) * (b - of_b.mean));
    let covariance = products.sum::<f64>() / (of_a.n - 1) as f64;
    let scale = libm::sqrt(of_a.variance) * libm::sqrt(of_b.variance);
    (scale > 0.0).then(|| (covariance / scale).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found}, not {expected}");
    }

    /// Student, "The probable error of a mean", Biometrika 6(1), 1908: hours
    /// of sleep gained by ten patients under two drugs. As in R,
    /// `t.test(b, a, paired = TRUE)`: t = 4.0621, p = 0.002833, interval at
    /// 95 % from 0.7001142 to 2.4598858; cor 0.7951702.
    #[test]
    fn published_pairs() {
        let a = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let b = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let found = paired(&a, &b, 0.95).expect("ten pairs");
        close(found.mean_a, 0.75, 1e-12);
        close(found.mean_b, 2.33, 1e-12);
        close(found.difference, 1.58, 1e-12);
        close(found.relative.expect("the mean of A is not 0"), 1.58 / 0.75, 1e-12);
        close(found.difference / found.standard_error, 4.0621, 5e-5);
        close(found.interval.low, 0.700_114_2, 5e-8);
        close(found.interval.high, 2.459_885_8, 5e-8);
        close(found.p, 0.002_833, 5e-7);
        close(found.correlation.expect("both vary"), 0.795_170_2, 5e-8);
        // Variances 3.200556, 4.009 and 1.512889.
        close(found.variance_ratio.expect("it varies"), 4.765_423, 5e-6);
    }

    #[test]
    fn the_same_values_differ_by_exactly_nothing() {
        let a = [0.1, 0.7, 0.3];
        let found = paired(&a, &a, 0.95).expect("three pairs");
        assert_eq!((found.difference, found.p), (0.0, 1.0));
        assert_eq!((found.interval.low, found.interval.high), (0.0, 0.0));
        assert_eq!((found.relative, found.variance_ratio), (Some(0.0), None));
        close(found.correlation.expect("they vary"), 1.0, 1e-12);
    }

    /// Half a deviation at 5 % with power 0.8 takes 34 pairs, as tables of the t test have it. A whole
    /// one at 1 % by hand: (2.977 + 0.868) / sqrt(15) = 0.993, and (3.012 + 0.870) / sqrt(14) = 1.04.
    #[test]
    fn pairs_that_would_show_a_difference() {
        let seen = |dz: f64| {
            // Two pairs whose differences have mean dz and deviation 1.
            let half = std::f64::consts::FRAC_1_SQRT_2;
            paired(&[0.0, 0.0], &[dz - half, dz + half], 0.95).expect("two pairs")
        };
        assert_eq!([seen(0.5).enough(0.05), seen(1.0).enough(0.01)], [Some(34), Some(15)]);
        assert_eq!([seen(0.0).enough(0.05), seen(0.01).enough(0.05)], [None, None]);
        let counts = paired(&[0.0; 2], &[1.0; 2], 0.95).expect("two pairs").of_counts();
        assert_eq!(counts.enough(0.05), Some(6));
    }

    #[test]
    fn a_constant_difference_is_a_point() {
        let found = paired(&[0.0, 1.0, 2.0], &[3.0, 4.0, 5.0], 0.95).expect("three pairs");
        assert_eq!((found.difference, found.p, found.standard_error), (3.0, 0.0, 0.0));
        // Three counts, all to one side: 2 / 2^3.
        assert_eq!(found.of_counts().p, 0.25);
        assert_eq!((found.interval.low, found.interval.high), (3.0, 3.0));
        let still = paired(&[0.0, 0.0], &[1.0, 3.0], 0.95).expect("two pairs");
        assert_eq!((still.relative, still.correlation), (None, None));
        assert_eq!(still.variance_ratio, Some(1.0));
        let balanced = paired(&[1.0, 2.0], &[2.0, 1.0], 0.95).expect("two pairs");
        assert_eq!((balanced.difference, balanced.p), (0.0, 1.0));
        assert_eq!(paired(&[1.0], &[1.0], 0.95), None);
    }
}
