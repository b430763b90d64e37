//! Relative weights, and the choice of one of them by a uniform number.

use std::fmt;

/// Non-negative weights with a positive sum.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weights {
    each: Vec<f64>,
    /// Running sums of `each`; the last is the total.
    cumulative: Vec<f64>,
}

impl Weights {
    /// Refuses an empty list, a negative or non-finite weight, and a sum of 0.
    pub(super) fn new(each: Vec<f64>) -> Result<Self, String> {
        if let Some(wrong) = each.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
            return Err(format!("a weight must be 0 or more, not {wrong}"));
        }
        let mut total = 0.0;
        let cumulative: Vec<f64> = each
            .iter()
            .map(|weight| {
                total += weight;
                total
            })
            .collect();
        if !(total.is_finite() && total > 0.0) {
            return Err(format!("the weights must have a positive sum, not {total}"));
        }
        Ok(Self { each, cumulative })
    }

    /// The choice that `u`, 0 < `u` < 1, falls on; never one of weight 0.
    pub(super) fn choose(&self, u: f64) -> usize {
        let target = u * self.total();
        let chosen = self.cumulative.partition_point(|&sum| sum <= target);
        chosen.min(self.each.len() - 1)
    }

    /// The probability of choice `index`.
    pub(super) fn share(&self, index: usize) -> f64 {
        self.each[index] / self.total()
    }

    /// The mean of `values` under these weights.
    pub(super) fn mean(&self, values: impl Iterator<Item = f64>) -> f64 {
        // A choice of weight 0 is left out: its value may be infinite.
        let terms = values.enumerate().filter(|(index, _)| self.each[*index] > 0.0);
        terms.map(|(index, value)| self.share(index) * value).sum()
    }

    /// The weights as they were given.
    pub(super) fn each(&self) -> &[f64] {
        &self.each
    }

    fn total(&self) -> f64 {
        self.cumulative[self.cumulative.len() - 1]
    }
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", super::display::List(&self.each))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_of_weight_zero_are_never_made() {
        let weights = Weights::new(vec![0.0, 1.0, 0.0, 3.0, 0.0]).unwrap();
        let smallest = 1.0 / 9007199254740992.0;
        assert_eq!(weights.choose(smallest), 1);
        assert_eq!(weights.choose(0.2499), 1);
        assert_eq!(weights.choose(0.25), 3);
        assert_eq!(weights.choose(1.0 - smallest), 3);
        assert_eq!(weights.share(3), 0.75);
    }

    #[test]
    fn weights_without_a_positive_sum_are_refused() {
        for wrong in [vec![], vec![0.0], vec![-1.0, 2.0], vec![f64::NAN], vec![f64::MAX; 2]] {
            assert!(Weights::new(wrong.clone()).is_err(), "{wrong:?}");
        }
    }
}
