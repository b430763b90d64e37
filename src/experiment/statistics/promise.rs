//! Tests of whether a promise is kept, with the burden of proof on the promise.

use super::law;
use super::sample::Sample;
use crate::units::rounding::{at_most, snapped};

/// p-value of "the mean of what `values` are drawn from is above `bound`": at
/// most alpha shows that it is not. Student's t, one-sided. Values that are all
/// the same leave nothing to chance; below two, nothing is shown.
pub fn mean_at_most(values: &[f64], bound: f64) -> f64 {
    let Some(sample) = Sample::of(values) else { return 1.0 };
    let distance = snapped(bound - sample.mean, bound.abs().max(sample.mean.abs()));
    if sample.variance == 0.0 {
        return if distance >= 0.0 { 0.0 } else { 1.0 };
    }
    law::t_above(distance / sample.standard_error(), sample.n - 1)
}

/// The same for a count, or a share of a count: replications whose counts are all the same are no
/// certainty. The evidence left is that all lie on one side of the bound, or at it, which has
/// chance 1/2^n (the sign test).
pub fn count_at_most(values: &[f64], bound: f64) -> f64 {
    match Sample::of(values) {
        Some(sample) if sample.variance == 0.0 => {
            let by_chance = libm::pow(0.5, sample.n as f64);
            if at_most(sample.mean, bound) { by_chance } else { 1.0 - by_chance }
        }
        Some(_) | None => mean_at_most(values, bound),
    }
}

/// Distance from its bound, in standard deviations of its values, at which the mean of `n` values,
/// at least 2, must lie for [`mean_at_most`] to give `p`.
pub fn distance(n: usize, p: f64) -> f64 {
    law::t_critical(p, n - 1) / libm::sqrt(n as f64)
}

/// The fewest replications that can show at the p-value `p` that at least
/// `share` of all keep a promise, 0 < `share` < 1: those that do if all of
/// them keep it, share^n <= p.
pub fn fewest(share: f64, p: f64) -> f64 {
    libm::ceil(libm::log(p) / libm::log(share))
}

/// Distance from its bound, in standard deviations of a normal law, at which the mean of one
/// replication must lie for `n` of them to have an even chance to show at the p-value `p` that at
/// least `share` of all keep a promise.
pub fn distance_of_share(n: u64, share: f64, p: f64) -> f64 {
    let enough = |kept: &u64| share_at_least(*kept, n, share) <= p;
    let kept = (0..=n).rev().take_while(enough).last().unwrap_or(n);
    law::z_quantile(least_share(kept, n, 0.5))
}

/// p-value of "a value of a normal law, from which `values` are drawn, is above `bound` more often
/// than a standard normal is above `distance`".
///
/// By the usual approximation of a one-sided tolerance limit: Natrella, "Experimental statistics",
/// NBS Handbook 91, 1963, section 2-5.3.
pub fn share_below(values: &[f64], bound: f64, distance: f64) -> f64 {
    let Some(sample) = Sample::of(values) else { return 1.0 };
    if sample.variance == 0.0 {
        return if at_most(sample.mean, bound) { 0.0 } else { 1.0 };
    }
    let spare = (bound - sample.mean) / libm::sqrt(sample.variance) - distance;
    let (n, z) = (sample.n as f64, distance);
    let error = libm::sqrt(1.0 / n + z * z / (2.0 * (n - 1.0)));
    law::t_above(spare / error, sample.n - 1)
}

/// p-value of "fewer than `share` of all replications keep it", 0 < `share` < 1,
/// when `kept` of `n` did: the chance of so many or more if it were exactly
/// `share`. Exact binomial.
pub fn share_at_least(kept: u64, n: u64, share: f64) -> f64 {
    match kept.checked_sub(1) {
        Some(fewer) => 1.0 - law::binomial_at_most(fewer, n, share),
        None => 1.0,
    }
}

/// The share of all replications that keep it is at least this, with
/// probability `confidence`, when `kept` of `n` did.
///
/// Clopper and Pearson, "The use of confidence or fiducial limits illustrated
/// in the case of the binomial", Biometrika 26(4), 1934.
pub fn least_share(kept: u64, n: u64, confidence: f64) -> f64 {
    if kept == 0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return low;
        }
        if share_at_least(kept, n, middle) <= 1.0 - confidence {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// Two-sided p-value of "both keep it in the same share of all replications",
/// when in `lost` pairs of replications only the first kept it and in `gained`
/// only the second. Pairs in which both did the same say nothing.
///
/// McNemar, "Note on the sampling error of the difference between correlated
/// proportions or percentages", Psychometrika 12(2), 1947; exact, by the binomial law.
pub fn same_share(lost: u64, gained: u64) -> f64 {
    match lost + gained {
        0 => 1.0,
        n => (2.0 * law::binomial_at_most(lost.min(gained), n, 0.5)).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-7, "{found}, not {expected}");
    }

    /// Mean 11, standard error 1/2, 4 degrees of freedom: P(T > 2) = 0.0580583.
    #[test]
    fn a_mean_is_held_to_its_bound() {
        let values = [9.5, 10.5, 11.0, 11.5, 12.5];
        close(mean_at_most(&values, 12.0), 0.058_058_3);
        close(mean_at_most(&values, 10.0), 1.0 - 0.058_058_3);
        close(mean_at_most(&values, 11.0), 0.5);
        // Standard deviation sqrt(5/4); two standard errors are 1.
        close(distance(5, mean_at_most(&values, 12.0)) * libm::sqrt(1.25), 1.0);
        assert_eq!(mean_at_most(&[3.0, 3.0], 3.0), 0.0);
        assert_eq!(mean_at_most(&[3.0, 3.0], 2.9), 1.0);
        assert_eq!(mean_at_most(&[3.0], 100.0), 1.0);
    }

    #[test]
    fn counts_that_agree_are_no_certainty() {
        assert_eq!(count_at_most(&[3.0, 3.0], 3.0), 0.25);
        assert_eq!(count_at_most(&[3.0, 3.0], 2.9), 0.75);
        close(count_at_most(&[1.0; 20], 1.0), 9.536_743e-7);
        let values = [9.5, 10.5, 11.0, 11.5, 12.5];
        close(count_at_most(&values, 12.0), 0.058_058_3);
        assert_eq!(count_at_most(&[3.0], 100.0), 1.0);
    }

    /// All of 51 must keep it: 2^(-1/51) is 0.98650, and the normal quantile of that is 2.2117. Of
    /// 73, one may break it. Five values, mean 0 and deviation 1: at the distance itself an even
    /// chance.
    #[test]
    fn a_share_takes_room() {
        let all = distance_of_share(51, 0.9, 0.0125);
        assert!((all - 2.2117).abs() < 1e-3, "{all}");
        assert!(distance_of_share(73, 0.9, 0.0125) < all);
        let values = [-1.0, -1.0, 0.0, 1.0, 1.0];
        close(share_below(&values, all, all), 0.5);
        assert!(share_below(&values, 4.5, all) < 0.05 && share_below(&values, 1.0, all) > 0.85);
        assert_eq!(
            (share_below(&[1.0; 5], 1.0, all), share_below(&[1.1; 5], 1.0, all)),
            (0.0, 1.0)
        );
    }

    /// 2 × (1 + 8) / 2^8, and 2 / 2^6.
    #[test]
    fn shares_are_told_apart_by_the_pairs_that_differ() {
        close(same_share(1, 7), 0.070_312_5);
        close(same_share(7, 1), 0.070_312_5);
        close(same_share(0, 6), 0.031_25);
        assert_eq!(same_share(0, 0), 1.0);
        assert_eq!(same_share(3, 3), 1.0);
    }

    #[test]
    fn a_share_is_held_to_its_bound() {
        // 0.9^29 = 0.0471: all of 29, and no fewer, show nine in ten.
        close(share_at_least(29, 29, 0.9), 0.047_101_3);
        assert!(share_at_least(28, 28, 0.9) > 0.05);
        assert_eq!(fewest(0.9, 0.05), 29.0);
        assert_eq!(share_at_least(0, 20, 0.5), 1.0);
        // Value of R's binom.test(19, 20, alternative = "greater"): 0.7838938.
        close(least_share(19, 20, 0.95), 0.783_893_8);
        // 0.05^(1/20).
        close(least_share(20, 20, 0.95), 0.860_891_7);
        assert_eq!(least_share(0, 20, 0.95), 0.0);
    }
}
