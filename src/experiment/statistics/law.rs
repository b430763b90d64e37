//! The three probability laws that the other modules read tables of.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal, StudentsT};

/// The value that Student's t with `freedom` degrees, at least 1, exceeds with
/// probability `side`, 0 < `side` <= 1/2.
///
/// Found by bisection of the tail: the inverse that statrs has is off by a
/// factor at `side` = 1e-9, which simultaneous intervals ask for.
pub(super) fn t_critical(side: f64, freedom: usize) -> f64 {
    let student = student(freedom);
    let (mut low, mut high) = (0.0, 1.0);
    while student.sf(high) > side && high < f64::MAX / 2.0 {
        (low, high) = (high, high * 2.0);
    }
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if student.sf(middle) > side {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The probability that Student's t with `freedom` degrees exceeds `t`.
pub(super) fn t_above(t: f64, freedom: usize) -> f64 {
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    student(freedom).sf(t)
}

/// The value below which a standard normal falls with probability `p`,
/// 0 < `p` < 1.
pub(super) fn z_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// The probability that a standard normal is at most `z`.
pub(super) fn z_below(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// The probability that at most `k` of `n` trials of chance `p` succeed.
pub(super) fn binomial_at_most(k: u64, n: u64, p: f64) -> f64 {
    Binomial::new(p, n).expect("the caller checked that 0 < p < 1").cdf(k)
}

fn student(freedom: usize) -> StudentsT {
    StudentsT::new(0.0, 1.0, freedom as f64).expect("the caller has two values or more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance * expected.abs(), "{found}, not {expected}");
    }

    /// NIST/SEMATECH e-Handbook 1.3.6.7.2 gives three decimals; the further
    /// digits are those of R's `qt`.
    #[test]
    fn quantiles_of_students_t_are_those_of_the_tables() {
        close(t_critical(0.025, 1), 12.706_204_736, 1e-9);
        close(t_critical(0.025, 2), 4.302_652_730, 1e-9);
        close(t_critical(0.025, 9), 2.262_157_163, 1e-9);
        close(t_critical(0.025, 29), 2.045_229_642, 1e-9);
        close(t_critical(0.005, 4), 4.604_094_871, 1e-9);
        assert!(t_critical(0.5, 3) < 1e-300);
        // Far out, for many questions at once: back through the tail.
        for freedom in [1, 2, 19, 1_000, 1_000_000] {
            for side in [1e-3, 1e-6, 1e-9] {
                close(t_above(t_critical(side, freedom), freedom), side, 1e-9);
            }
        }
        close(t_critical(0.05, 1000), 1.646_378_818, 1e-9);
    }

    #[test]
    fn tails_are_symmetric_and_reach_their_ends() {
        close(t_above(2.262_157_163, 9), 0.025, 1e-8);
        close(t_above(-2.262_157_163, 9), 0.975, 1e-8);
        assert_eq!(t_above(f64::INFINITY, 9), 0.0);
        assert_eq!(t_above(f64::NEG_INFINITY, 9), 1.0);
        // Cauchy: 1/2 - atan(t)/pi, so 1/(pi t) far out.
        close(t_above(1e9, 1), 1.0 / (std::f64::consts::PI * 1e9), 1e-6);
        close(z_quantile(0.975), 1.959_963_985, 1e-9);
        close(z_below(-1.644_853_627), 0.05, 1e-8);
        // (1 + 10 + 45) / 1024.
        close(binomial_at_most(2, 10, 0.5), 56.0 / 1024.0, 1e-12);
    }
}
