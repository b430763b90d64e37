//! An interval for a quantile that assumes nothing of the law.

use super::law;

/// Two order statistics with a quantile between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderRange {
    /// The lower of the two values.
    pub low: f64,
    /// The upper of the two values.
    pub high: f64,
    /// The probability that the quantile lies between them, at least as asked.
    pub confidence: f64,
}

/// The interval for the `p`-quantile, 0 < `p` < 1, between two values of the sample, at most (1 -
/// `confidence`) / 2 outside on either side. `None` if the sample is too small for that: the 99 %
/// quantile takes 368 values at 95 %.
///
/// David and Nagaraja, "Order Statistics", 3rd ed., 7.1: the r-th and s-th of n
/// values hold the quantile between them with probability P(r <= B < s), where
/// B is binomial with n trials of chance p.
pub fn order_interval(values: &[f64], p: f64, confidence: f64) -> Option<OrderRange> {
    if !(0.0 < p && p < 1.0) {
        return None;
    }
    let n = values.len() as u64;
    let side = (1.0 - confidence) / 2.0;
    let at_most = |k: u64| law::binomial_at_most(k, n, p);
    // The largest r with P(B < r) <= side, the least s with P(B >= s) <= side.
    let below = first(n, |k| at_most(k) > side);
    let above = first(n, |k| 1.0 - at_most(k) <= side) + 1;
    if below == 0 || above > n {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(OrderRange {
        low: sorted[below as usize - 1],
        high: sorted[above as usize - 1],
        confidence: at_most(above - 1) - at_most(below - 1),
    })
}

/// The least k of 0 to `n` for which `holds` does, which is false first and
/// then true; `n` if it never is.
fn first(n: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values 1 to n, so that a value is its own rank, in mixed order.
    #[track_caller]
    fn check(n: u32, p: f64, confidence: f64, expected: Option<(f64, f64, f64)>) {
        let values: Vec<f64> = (1..=n)
            .rev()
            .filter(|k| k % 2 == 0)
            .chain((1..=n).filter(|k| k % 2 == 1))
            .map(f64::from)
            .collect();
        let found = order_interval(&values, p, confidence);
        let confidence = found.map_or(0.0, |range| range.confidence);
        let ranks = found.map(|range| (range.low, range.high));
        assert_eq!(ranks, expected.map(|(low, high, _)| (low, high)));
        let expected = expected.map_or(0.0, |(_, _, confidence)| confidence);
        assert!((confidence - expected).abs() < 1e-9, "{confidence}, not {expected}");
    }

    /// The ranks of the sign test's interval for the median, as tabulated.
    #[test]
    fn published_ranks() {
        check(5, 0.5, 0.95, None);
        // 1 - 2/64.
        check(6, 0.5, 0.95, Some((1.0, 6.0, 0.968_75)));
        // 1 - 2 (1 + 10)/1024.
        check(10, 0.5, 0.95, Some((2.0, 9.0, 0.978_515_625)));
        check(20, 0.5, 0.95, Some((6.0, 15.0, 0.958_610_534_667_968_8)));
        check(30, 0.5, 0.95, Some((10.0, 21.0, 0.957_226_054_742_932_3)));
    }

    #[test]
    fn tails_take_many_values() {
        // 0.99^n <= 0.025 from n = 368.
        check(367, 0.99, 0.95, None);
        let values: Vec<f64> = (0..368).map(f64::from).collect();
        let found = order_interval(&values, 0.99, 0.95).expect("enough");
        assert_eq!(found.high, 367.0);
        assert!(found.confidence >= 0.95, "{found:?}");
        assert_eq!(order_interval(&values, 1.0, 0.95), None);
        assert_eq!(order_interval(&[], 0.5, 0.95), None);
    }
}
