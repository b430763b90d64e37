//! The split of an amount over those who caused it.

use std::cmp::Reverse;

use crate::rate;
use crate::units::Money;

/// Divides `amount` in proportion to `shares`: each part is rounded down, and what is left goes,
/// nano-dollar by nano-dollar, to those that rounding took the most from; of equal ones to the
/// first (Hamilton's method). The parts sum to the amount. Without any share, nothing is given.
pub fn by_largest_remainder(amount: Money, shares: &[u64]) -> Vec<Money> {
    let whole: u128 = shares.iter().map(|share| u128::from(*share)).sum();
    if whole == 0 {
        return vec![Money::ZERO; shares.len()];
    }
    let nanos = amount.nanos().unsigned_abs();
    let mut parts: Vec<(u128, u128)> =
        shares.iter().map(|share| rate::share(nanos, u128::from(*share), whole)).collect();
    let given: u128 = parts.iter().map(|(part, _)| part).sum();
    let left = (nanos - given) as usize;
    // Fewer are left than there are shares. Those that get one come first, the others do not matter.
    let mut order: Vec<u32> = (0..parts.len() as u32).collect();
    if let Some(last) = left.checked_sub(1) {
        order.select_nth_unstable_by_key(last, |row| (Reverse(parts[*row as usize].1), *row));
    }
    for row in &order[..left] {
        parts[*row as usize].0 += 1;
    }
    let sign = amount.nanos().signum();
    parts.into_iter().map(|(part, _)| Money::from_nanos(part as i128 * sign)).collect()
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
