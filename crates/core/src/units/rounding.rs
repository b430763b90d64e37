//! Rounding of doubles at bounds: `0.99 - 1.0` is a little more than a hundredth away.

/// Share of the larger of two values within which they count as one: far above what sums and
/// quotients of doubles round, and far below what anybody promises.
const SAME: f64 = 1e-9;

/// `distance`, or 0 where it is no more than rounding of values of this `size`.
pub fn snapped(distance: f64, size: f64) -> f64 {
    if size.is_finite() && distance.abs() <= SAME * size.abs() { 0.0 } else { distance }
}

/// Whether `value` is at most `bound`, which it is where the two differ by rounding only. A value
/// or bound that is not a number never is.
pub fn at_most(value: f64, bound: f64) -> bool {
    value <= bound || snapped(value - bound, value.abs().max(bound.abs())) == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_breaks_no_bound() {
        assert!(0.1 + 0.2 > 0.3 && at_most(0.1 + 0.2, 0.3));
        assert!(!at_most(0.300_000_01, 0.3) && at_most(0.0, 0.0) && !at_most(1e-12, 0.0));
        assert!(!at_most(f64::NAN, 1.0) && !at_most(f64::INFINITY, 1.0));
        assert!(at_most(-0.3, -(0.1 + 0.2)) && at_most(-1.0, 1.0) && !at_most(1.0, -1.0));
        assert_eq!(snapped(0.01 - (1.0 - 0.99), 1.0), 0.0);
        assert_eq!(snapped(1e-6, 1.0), 1e-6);
    }
}
