//! The split of an amount over those who caused it.

use crate::rate::Proportion;
use crate::units::Money;

/// The largest rest of as many shares as 32 bits count.
const RESTS: u128 = (1 << 96) - 1;

/// Divides `amount` in proportion to `shares`: each part is rounded down, and what is left goes,
/// nano-dollar by nano-dollar, to those that rounding took the most from; of equal ones to the
/// first (Hamilton's method). The parts sum to the amount. Without any share, nothing is given.
pub fn by_largest_remainder(amount: Money, shares: &[u64]) -> Vec<Money> {
    let whole: u128 = shares.iter().map(|share| u128::from(*share)).sum();
    if whole == 0 {
        return vec![Money::ZERO; shares.len()];
    }
    let nanos = amount.nanos().unsigned_abs();
    let proportion = Proportion::new(nanos, whole);
    let sign = amount.nanos().signum();
    let (mut parts, mut order) =
        (Vec::with_capacity(shares.len()), Vec::with_capacity(shares.len()));
    let mut left = nanos;
    for (row, share) in shares.iter().enumerate() {
        let (part, rest) = proportion.of(u128::from(*share));
        parts.push(Money::from_nanos(part as i128 * sign));
        // A rest is below 2^96, as so many shares of a word sum to less: with its row it is a number
        // that is small where the rest is large.
        order.push(((RESTS - rest) << 32) | row as u128);
        left -= part;
    }
    // Fewer are left than there are shares. Those that get one come first, the others do not matter.
    let left = left as usize;
    if let Some(last) = left.checked_sub(1) {
        order.select_nth_unstable(last);
    }
    for key in &order[..left] {
        parts[*key as u32 as usize] += Money::from_nanos(sign);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_sum_and_the_largest_remainder_comes_first() {
        let parts = |nanos: i128, shares: &[u64]| -> Vec<i128> {
            let parts = by_largest_remainder(Money::from_nanos(nanos), shares);
            parts.into_iter().map(Money::nanos).collect()
        };
        assert_eq!(parts(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(parts(10, &[1, 2, 4]), [1, 3, 6]); // 1.43, 2.86, 5.71: two are left
        assert_eq!(parts(-7, &[1, 1]), [-4, -3]);
        assert_eq!(parts(7, &[0, 0]), [0, 0]);
        let large = 10_i128.pow(33) + 1;
        assert_eq!(parts(large, &[u64::MAX, u64::MAX]), [large / 2 + 1, large / 2]);
    }
}
