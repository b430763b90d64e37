//! Band that a count of hits of honest intervals must lie in.

use super::law;

/// The counts of `n` trials of chance `p` that are not surprising: at most
/// (1 - `confidence`) / 2 of the probability lies below the first and above the
/// second.
pub fn band(n: u64, p: f64, confidence: f64) -> (u64, u64) {
    let side = (1.0 - confidence) / 2.0;
    let at_most = |k: u64| law::binomial_at_most(k, n, p);
    let low = (0..=n).find(|&k| at_most(k) > side).unwrap_or(n);
    let high = (0..=n).find(|&k| 1.0 - at_most(k) <= side).unwrap_or(n);
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_hold_what_is_not_surprising() {
        // Trust in 95 % intervals: 400 repeats, 99.9 %.
        assert_eq!(band(400, 0.95, 0.999), (364, 393));
        // Ten fair coins: P(0) = P(10) = 1/1024 < 0.5 %, P(<= 1) = 11/1024 > 0.5 %.
        assert_eq!(band(10, 0.5, 0.99), (1, 9));
    }
}
