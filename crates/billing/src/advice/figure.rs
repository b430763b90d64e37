//! Figures over replications: means, and shares with their intervals.

use crate::units::rank::nearest_rank;

/// A figure over replications of the future.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expected {
    /// Mean.
    pub mean: f64,
    /// Standard error of the mean, s/√R; 0 of one replication.
    pub error: f64,
    /// The value at the nearest rank of 5 %.
    pub low: f64,
    /// The value at the nearest rank of 95 %.
    pub high: f64,
}

impl Expected {
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        if values.is_empty() {
            return Self::default();
        }
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let rank = |share| values[nearest_rank(share, values.len() as u64) as usize - 1];
        Self {
            mean,
            error: libm::sqrt(squares / (count - 1.0).max(1.0) / count),
            low: rank(0.05),
            high: rank(0.95),
        }
    }
}

/// A share of replications, as the probability of an event, with Wilson's interval of 95 %.
///
/// Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
/// American Statistical Association 22 (1927): with z = 1.96 and p = k/n,
/// (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PayChance {
    /// Share of the replications.
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
}

impl PayChance {
    /// Of `hits` among `count`, of which there is at least one.
    pub(super) fn of(hits: usize, count: usize) -> Self {
        const Z: f64 = 1.959_963_984_540_054;
        let (n, share) = (count as f64, hits as f64 / count as f64);
        let (middle, all) = (share + Z * Z / (2.0 * n), 1.0 + Z * Z / n);
        let half = Z * libm::sqrt(share * (1.0 - share) / n + Z * Z / (4.0 * n * n));
        let end = |at: f64| (at / all).clamp(0.0, 1.0);
        Self { share, low: end(middle - half), high: end(middle + half) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_wilsons_interval() {
        // By hand: n = 10, p = 0.8; (0.8 + 0.192073) / 1.384146 -+ 1.96 sqrt(0.016 + 0.0096036) / 1.384146.
        let chance = PayChance::of(8, 10);
        assert!((chance.low - 0.490_162).abs() < 1e-5, "{chance:?}");
        assert!((chance.high - 0.943_318).abs() < 1e-5, "{chance:?}");
        let never = PayChance::of(0, 10);
        assert!(never.low == 0.0 && (never.high - 0.277_533).abs() < 1e-5, "{never:?}");
    }

    #[test]
    fn figures_are_means_with_their_error() {
        let figure = Expected::of([4.0, 1.0, 3.0, 2.0]);
        assert_eq!((figure.mean, figure.low, figure.high), (2.5, 1.0, 4.0));
        assert!((figure.error - libm::sqrt(5.0 / 3.0 / 4.0)).abs() < 1e-15);
        assert_eq!(Expected::of([7.0]), Expected { mean: 7.0, error: 0.0, low: 7.0, high: 7.0 });
    }
}
