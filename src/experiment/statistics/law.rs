//! The three probability laws that the other modules read tables of.

use crate::units::distribution::standard_normal;

/// The value that Student's t with `freedom` degrees, at least 1, exceeds with
/// probability `side`, 0 < `side` <= 1/2. Found by bisection of the tail.
pub(in crate::experiment) fn t_critical(side: f64, freedom: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while t_above(high, freedom) > side && high < f64::MAX / 2.0 {
        (low, high) = (high, high * 2.0);
    }
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if t_above(middle, freedom) > side {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The probability that Student's t with `freedom` degrees exceeds `t`.
pub(super) fn t_above(t: f64, freedom: usize) -> f64 {
    let freedom = freedom as f64;
    let below_square = 1.0 / (1.0 + freedom / t / t);
    let tail = beta_below(0.5 * freedom, 0.5, 1.0 / (1.0 + t * t / freedom), below_square) / 2.0;
    if t > 0.0 { tail } else { 1.0 - tail }
}

/// The value below which a standard normal falls with probability `p`,
/// 0 < `p` < 1.
pub(super) fn z_quantile(p: f64) -> f64 {
    standard_normal(p)
}

/// The probability that a standard normal is at most `z`.
pub(super) fn z_below(z: f64) -> f64 {
    libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2) / 2.0
}

/// The probability that at most `k` of `n` trials of chance `p`, 0 < `p` < 1,
/// succeed.
pub(super) fn binomial_at_most(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    beta_below((n - k) as f64, k as f64 + 1.0, 1.0 - p, p)
}

/// The regularised incomplete beta function at `x`, for `a` and `b` above 0; `y` is 1 - `x`,
/// which the caller knows without cancellation. To ten digits or more.
///
/// NIST Digital Library of Mathematical Functions, 8.17.22: a continued fraction, which
/// converges fast on the near side of the mean.
fn beta_below(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let near = |a, b, x, y| {
        if x > 0.0 { power_over_beta(a, b, x, y) / a / fraction(a, b, x) } else { 0.0 }
    };
    if x > (a + 1.0) / (a + b + 2.0) { 1.0 - near(b, a, y, x) } else { near(a, b, x, y) }
}

/// x^a y^b / B(a, b), after Loader, "Fast and accurate computation of binomial
/// probabilities", 2000: what is large is taken out of the logarithms first.
fn power_over_beta(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let sum = a + b;
    let off = x * b - y * a;
    // part * ln(share * sum / part), whose argument is 1 + off / part.
    let deviance = |part: f64, share: f64, off: f64| {
        let relative = off / part;
        if relative.abs() < 0.5 {
            part * libm::log1p(relative)
        } else {
            part * libm::log(share / part * sum)
        }
    };
    let exponent = deviance(a, x, off) + deviance(b, y, -off);
    let error = stirling_error(sum) - stirling_error(a) - stirling_error(b);
    libm::sqrt(a * b / sum / std::f64::consts::TAU) * libm::exp(exponent + error)
}

/// Logarithm of the gamma function at `z` less Stirling's (z - 1/2) ln z - z + ln(2 pi) / 2.
fn stirling_error(z: f64) -> f64 {
    if z < 16.0 {
        let half_log_tau = libm::log(std::f64::consts::TAU) / 2.0;
        return libm::lgamma(z) - ((z - 0.5) * libm::log(z) - z + half_log_tau);
    }
    let square = z * z;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / square) / square) / square) / z
}

/// The continued fraction 1 + d1/(1 + d2/(1 + ...)) of 8.17.22, by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let apart = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut fraction, mut above, mut below) = (1.0, 1.0, 0.0);
    for step in 1..100_000_u32 {
        let m = f64::from(step / 2);
        let numerator = if step % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        below = 1.0 / apart(1.0 + numerator * below);
        above = apart(1.0 + numerator / above);
        let factor = above * below;
        fraction *= factor;
        if (factor - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    fraction
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

    /// Computed by mpmath at 40 digits.
    #[test]
    fn tails_of_students_t_hold_ten_digits() {
        close(t_above(2.262_157_163, 9), 0.024_999_999_991_754, 1e-12);
        close(t_above(-2.262_157_163, 9), 1.0 - 0.024_999_999_991_754, 1e-15);
        close(t_above(2.5, 1), 0.121_118_941_590_84, 1e-12);
        close(t_above(1.3, 3), 0.142_233_754_363_95, 1e-12);
        close(t_above(0.01, 7), 0.496_150_158_821_81, 1e-12);
        close(t_above(4.5, 19), 1.225_922_557_921e-4, 1e-12);
        close(t_above(40.0, 5), 9.205_981_085_886_5e-8, 1e-12);
        close(t_above(12.0, 30), 2.790_092_707_599_6e-13, 1e-12);
        close(t_above(6.5, 99), 1.636_933_231_833_8e-9, 1e-12);
        close(t_above(3.29, 999), 5.184_471_689_438_3e-4, 1e-12);
        close(t_above(0.5, 1_000_000), 0.308_537_593_736_19, 1e-12);
        close(t_above(5.2, 1_000_000), 9.966_380_678_515_2e-8, 1e-10);
    }

    #[test]
    fn tails_of_students_t_reach_their_ends() {
        assert_eq!(t_above(0.0, 9), 0.5);
        assert_eq!(t_above(f64::INFINITY, 9), 0.0);
        assert_eq!(t_above(f64::NEG_INFINITY, 9), 1.0);
        // Cauchy: 1/2 - atan(t)/pi, so 1/(pi t) far out.
        close(t_above(1e9, 1), 1.0 / (std::f64::consts::PI * 1e9), 1e-12);
    }

    /// Computed by mpmath at 40 digits.
    #[test]
    fn the_normal_law_holds_ten_digits() {
        close(z_quantile(0.975), 1.959_963_984_540_054, 1e-12);
        close(z_below(-1.644_853_626_951_472_2), 0.05, 1e-12);
        close(z_below(-3.0), 1.349_898_031_630_1e-3, 1e-12);
        close(z_below(-8.0), 6.220_960_574_271_8e-16, 1e-12);
        close(z_below(0.5), 0.691_462_461_274_01, 1e-12);
    }

    /// Sums of the probabilities of each count, by mpmath at 40 digits.
    #[test]
    fn sums_of_binomial_probabilities_hold_ten_digits() {
        // (1 + 10 + 45) / 1024.
        close(binomial_at_most(2, 10, 0.5), 56.0 / 1024.0, 1e-13);
        close(binomial_at_most(0, 20, 0.05), 0.358_485_922_408_54, 1e-12);
        close(binomial_at_most(19, 20, 0.95), 0.641_514_077_591_46, 1e-12);
        close(binomial_at_most(4, 1000, 0.001), 0.996_363_121_970_48, 1e-12);
        close(binomial_at_most(30, 100, 0.5), 3.925_069_822_796_8e-5, 1e-12);
        close(binomial_at_most(45, 100, 0.5), 0.184_100_808_663_35, 1e-12);
        close(binomial_at_most(2800, 3000, 0.95), 3.623_173_000_226_2e-5, 1e-10);
        close(binomial_at_most(2850, 3000, 0.95), 0.511_696_778_635_17, 1e-10);
        assert_eq!(binomial_at_most(10, 10, 0.5), 1.0);
    }
}
