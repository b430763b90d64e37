//! Differences too small to matter: a margin, and the tests that turn the
//! burden of proof around.

use crate::metrics::Direction;
use crate::units::rounding::snapped;

use super::law;
use super::paired::Paired;

/// The largest difference that does not matter, 0 or more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Margin {
    /// Amount in the unit of the metric.
    Absolute(f64),
    /// Share of |mean of A|, which is taken as known.
    Relative(f64),
}

impl Margin {
    /// The margin in the unit of the metric.
    pub fn of(self, paired: &Paired) -> f64 {
        match self {
            Self::Absolute(margin) => margin,
            Self::Relative(share) => share * paired.mean_a.abs(),
        }
    }

    /// Amount by which B is worse than the margin allows, in the unit of the metric; 0 if that is
    /// rounding of the means, and negative if B is within the margin.
    pub fn exceeded(self, paired: &Paired, direction: Direction) -> f64 {
        let beyond = worsening(paired, direction) - self.of(paired);
        snapped(beyond, paired.mean_a.abs().max(paired.mean_b.abs()))
    }
}

/// p-value of "the difference is the margin or more, one way or the other":
/// at most alpha shows that B is equivalent to A.
///
/// Schuirmann, "A comparison of the two one-sided tests procedure and the
/// power approach", Journal of Pharmacokinetics and Biopharmaceutics 15(6),
/// 1987: the larger p-value of the two tests. It is at most alpha exactly when
/// the interval at 1 - 2 alpha lies inside the margin.
pub fn equivalent(paired: &Paired, margin: Margin) -> f64 {
    not_worse(paired, Direction::Neutral, margin)
}

/// p-value of "B is worse than A by the margin or more": at most alpha shows that B is not worse
/// than the margin allows. If neither way is better, both count as worse.
pub fn not_worse(paired: &Paired, direction: Direction, margin: Margin) -> f64 {
    above(-margin.exceeded(paired, direction), paired)
}

/// p-value of "B is worse than A by the margin at most, or better": at most alpha shows a
/// regression beyond the margin. If neither way is better, both count as worse, and the test is
/// two-sided.
pub fn worse(paired: &Paired, direction: Direction, margin: Margin) -> f64 {
    let beyond = margin.exceeded(paired, direction);
    let sides = if direction == Direction::Neutral { 2.0 } else { 1.0 };
    if beyond == 0.0 && paired.standard_error == 0.0 {
        return 1.0;
    }
    (sides * above(beyond, paired)).min(1.0)
}

/// Amount by which B is worse, in the unit of the metric.
fn worsening(paired: &Paired, direction: Direction) -> f64 {
    match direction {
        Direction::Lower => paired.difference,
        Direction::Higher => -paired.difference,
        Direction::Neutral => paired.difference.abs(),
    }
}

/// The chance of a mean so far above 0 if the truth were 0. Without any spread what is not
/// below 0 is no accident, unless it is a count.
fn above(distance: f64, paired: &Paired) -> f64 {
    if paired.standard_error == 0.0 {
        return if distance >= 0.0 { paired.alike } else { 1.0 };
    }
    law::t_above(distance / paired.standard_error, paired.interval.n - 1)
}

#[cfg(test)]
mod tests {
    use super::super::paired::paired;
    use super::*;

    /// All of 1 before, and all of 0.99 now: a hundredth less, but for the last bit of a double.
    #[test]
    fn the_margin_itself_is_not_beyond_it() {
        let exact = paired(&[1.0; 5], &[0.99; 5], 0.95).expect("five pairs");
        let spread = paired(&[1.0, 0.5, 0.8], &[0.99, 0.49, 0.79], 0.95).expect("three pairs");
        for pairs in [exact, spread] {
            let margin = Margin::Absolute(0.01);
            assert_eq!(margin.exceeded(&pairs, Direction::Higher), 0.0);
            assert!(worse(&pairs, Direction::Higher, margin) >= 0.5, "{pairs:?}");
            let less = Margin::Absolute(0.009_999);
            assert!(worse(&pairs, Direction::Higher, less) < 1e-9, "{pairs:?}");
        }
    }

    /// A mean difference of 1 with a standard error of 1/2, from 5 pairs: the
    /// squared deviations 9/4 1/4 0 1/4 9/4 add to 5, and 5 / 4 / 5 = 1/4.
    fn one_half() -> Paired {
        let a = [10.0; 5];
        let spread = [-1.5, -0.5, 0.0, 0.5, 1.5].map(|value| 11.0 + value);
        let found = paired(&a, &spread, 0.95).expect("five pairs");
        assert!((found.difference - 1.0).abs() < 1e-12);
        assert!((found.standard_error - 0.5).abs() < 1e-12);
        found
    }

    /// P(T > 2) = 0.0580583 and P(T > 4) = 0.0080650 with 4 degrees of freedom (in closed form: 1/2
    /// - 3/4 s (1 - s^2/3) for s = t / sqrt(4 + t^2)).
    #[test]
    fn the_burden_of_proof_is_turned_around() {
        let found = one_half();
        let two = Margin::Absolute(2.0);
        let close = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-7, "{found}, not {expected}");
        };
        close(not_worse(&found, Direction::Lower, two), 0.058_058_3);
        close(not_worse(&found, Direction::Lower, Margin::Relative(0.3)), 0.008_065_0);
        close(not_worse(&found, Direction::Higher, Margin::Absolute(1.0)), 0.008_065_0);
        close(equivalent(&found, two), 0.058_058_3);
        close(equivalent(&found, Margin::Absolute(0.0)), 1.0 - 0.058_058_3);
        close(worse(&found, Direction::Lower, Margin::Absolute(0.0)), 0.058_058_3);
        close(worse(&found, Direction::Neutral, Margin::Absolute(0.0)), 0.116_116_5);
        close(worse(&found, Direction::Lower, two), 1.0 - 0.058_058_3);
        close(worse(&found, Direction::Higher, Margin::Absolute(0.0)), 1.0 - 0.058_058_3);
    }

    #[test]
    fn without_spread_it_is_a_comparison() {
        let same = paired(&[1.0, 2.0], &[1.0, 2.0], 0.95).expect("two pairs");
        assert_eq!(equivalent(&same, Margin::Absolute(0.0)), 0.0);
        assert_eq!(worse(&same, Direction::Lower, Margin::Absolute(0.0)), 1.0);
        let more = paired(&[1.0, 2.0], &[2.0, 3.0], 0.95).expect("two pairs");
        assert_eq!(equivalent(&more, Margin::Absolute(0.5)), 1.0);
        assert_eq!(equivalent(&more, Margin::Absolute(1.0)), 0.0);
        assert_eq!(worse(&more, Direction::Lower, Margin::Absolute(0.5)), 0.0);
        // Two pairs of counts on one side: one chance in four.
        let counts = more.of_counts();
        assert_eq!(equivalent(&counts, Margin::Absolute(1.0)), 0.25);
        assert_eq!(worse(&counts, Direction::Lower, Margin::Absolute(0.5)), 0.25);
        assert_eq!(worse(&more, Direction::Lower, Margin::Absolute(1.0)), 1.0);
        assert_eq!(worse(&more, Direction::Higher, Margin::Absolute(0.0)), 1.0);
    }
}
