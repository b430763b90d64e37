//! Ranks from shares, exactly: `0.07 * 100.0` is a little more than 7.

/// A billion parts: shares are decimals of at most nine places.
const PARTS: u128 = 1_000_000_000;

/// The least whole number that is at least `share` of `whole`. `share` is 0 or
/// more and taken to a billionth.
pub fn share_of(share: f64, whole: u64) -> u128 {
    let parts = libm::round(share * PARTS as f64) as u128;
    u128::from(whole).saturating_mul(parts).div_ceil(PARTS)
}

/// The nearest rank of `share` in `0.0..=1.0` among `count` sorted samples: the
/// smallest rank, from 1, that holds at least this share of them.
pub fn nearest_rank(share: f64, count: u64) -> u64 {
    (share_of(share, count) as u64).clamp(1, count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every percent of every count, against whole numbers.
    #[test]
    fn ranks_are_those_of_whole_numbers() {
        for count in (1..=1_000_u64).chain([100_017, 999_983, 40_000_000]) {
            for percent in 0..=100 {
                let want = (count * percent).div_ceil(100).max(1);
                assert_eq!(nearest_rank(percent as f64 / 100.0, count), want, "{percent} {count}");
            }
        }
        assert_eq!(nearest_rank(0.5, 0), 1);
    }

    /// A share above 1 is rounded as well: in floats 1.1 of 10 is 11.000000000000002.
    #[test]
    fn shares_may_exceed_the_whole() {
        assert_eq!(share_of(1.1, 10), 11);
        assert_eq!(share_of(1.3, 6_212_000), 8_075_600);
        assert_eq!(share_of(0.000_000_001, 1), 1);
        assert_eq!(share_of(0.0, 7), 0);
        assert_eq!(share_of(2.0, u64::MAX), 2 * u128::from(u64::MAX));
    }
}
