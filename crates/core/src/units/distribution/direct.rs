//! Laws with a closed quantile function: one uniform number gives a draw.

use super::normal::standard_normal;
use super::weights::Weights;

/// A law drawn by inversion. Parameters are valid by construction.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Direct {
    Uniform {
        low: f64,
        high: f64,
    },
    Exponential {
        mean: f64,
    },
    Normal {
        mean: f64,
        sd: f64,
    },
    /// `mu` and `sigma` are the mean and standard deviation of the logarithm.
    LogNormal {
        mu: f64,
        sigma: f64,
    },
    Weibull {
        shape: f64,
        scale: f64,
    },
    Pareto {
        shape: f64,
        minimum: f64,
    },
    BoundedPareto {
        shape: f64,
        low: f64,
        high: f64,
    },
    /// Values in increasing order, each as likely as its weight.
    Empirical {
        values: Vec<f64>,
        weights: Weights,
    },
    /// Points (p, value) of the quantile function, joined by straight lines;
    /// p rises from 0 to 1 and the values do not fall.
    Quantiles {
        points: Vec<(f64, f64)>,
    },
}

impl Direct {
    /// The value below which a draw falls with probability `p`, 0 < `p` < 1.
    pub(super) fn quantile(&self, p: f64) -> f64 {
        match self {
            Self::Exponential { mean } => -mean * libm::log1p(-p),
            Self::Uniform { low, high } => between(*low, *high, p),
            Self::Normal { mean, sd } => mean + sd * standard_normal(p),
            Self::LogNormal { mu, sigma } => libm::exp(mu + sigma * standard_normal(p)),
            Self::Weibull { shape, scale } => scale * libm::pow(-libm::log1p(-p), 1.0 / shape),
            Self::Pareto { shape, minimum } => minimum * libm::exp(-libm::log1p(-p) / shape),
            Self::BoundedPareto { shape, low, high } => bounded_pareto(*shape, *low, *high, p),
            Self::Empirical { values, weights } => values[weights.choose(p)],
            Self::Quantiles { points } => interpolated(points, p),
        }
    }

    /// The mean; not finite where it is infinite.
    pub(super) fn mean(&self) -> f64 {
        match self {
            Self::Uniform { low, high } => low / 2.0 + high / 2.0,
            Self::Exponential { mean } | Self::Normal { mean, .. } => *mean,
            Self::LogNormal { mu, sigma } => libm::exp(mu + sigma * sigma / 2.0),
            Self::Weibull { shape, scale } => scale * libm::tgamma(1.0 + 1.0 / shape),
            Self::Pareto { shape, .. } if *shape <= 1.0 => f64::INFINITY,
            Self::Pareto { shape, minimum } => minimum * shape / (shape - 1.0),
            Self::BoundedPareto { shape, low, high } => bounded_moment(*shape, *low, *high, 1.0),
            Self::Empirical { values, weights } => weights.mean(values.iter().copied()),
            Self::Quantiles { points } => {
                pieces(points).map(|(width, a, b)| width * (a / 2.0 + b / 2.0)).sum()
            }
        }
    }

    /// The variance; not finite where it is infinite.
    pub(super) fn variance(&self) -> f64 {
        let mean = self.mean();
        match self {
            Self::Uniform { low, high } => (high - low) * (high - low) / 12.0,
            Self::Exponential { mean } => mean * mean,
            Self::Normal { sd, .. } => sd * sd,
            Self::LogNormal { sigma, .. } => mean * mean * libm::expm1(sigma * sigma),
            Self::Weibull { shape, scale } => {
                scale * scale * libm::tgamma(1.0 + 2.0 / shape) - mean * mean
            }
            Self::Pareto { shape, .. } if *shape <= 2.0 => f64::INFINITY,
            Self::Pareto { shape, .. } => mean * mean / (shape * (shape - 2.0)),
            Self::BoundedPareto { shape, low, high } => {
                bounded_moment(*shape, *low, *high, 2.0) - mean * mean
            }
            Self::Empirical { values, weights } => {
                weights.mean(values.iter().map(|value| (value - mean) * (value - mean)))
            }
            Self::Quantiles { points } => pieces(points)
                .map(|(width, a, b)| (width, a - mean, b - mean))
                .map(|(width, a, b)| width * (a * a + a * b + b * b) / 3.0)
                .sum(),
        }
    }
}

/// The Pareto quantile on [low, high]. With r = (low/high)^shape the tail
/// is cut at r, so x = low (1 - p (1 - r))^(-1/shape); rounding may step out
/// of the interval, hence the clamp.
fn bounded_pareto(shape: f64, low: f64, high: f64, p: f64) -> f64 {
    let kept = -libm::expm1(-shape * libm::log(high / low));
    (low * libm::exp(-libm::log1p(-p * kept) / shape)).clamp(low, high)
}

/// The `order`-th moment of the bounded Pareto law: the integral of
/// x^order times the density shape low^shape x^(-shape-1) / kept.
fn bounded_moment(shape: f64, low: f64, high: f64, order: f64) -> f64 {
    let range = libm::log(high / low);
    let kept = -libm::expm1(-shape * range);
    let excess = shape - order;
    let integral = if excess == 0.0 { range } else { -libm::expm1(-excess * range) / excess };
    shape * libm::pow(low, order) * integral / kept
}

/// The value at `p` on the straight lines between `points`.
fn interpolated(points: &[(f64, f64)], p: f64) -> f64 {
    let after = points.partition_point(|&(at, _)| at <= p).clamp(1, points.len() - 1);
    let ((p0, low), (p1, high)) = (points[after - 1], points[after]);
    between(low, high, (p - p0) / (p1 - p0))
}

/// The point at share `along` of the way from `low` to `high`; never past it.
fn between(low: f64, high: f64, along: f64) -> f64 {
    (low + (high - low) * along).min(high)
}

/// The pieces of a quantile table: (probability, value before, value after).
fn pieces(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
    points.windows(2).map(|pair| (pair[1].0 - pair[0].0, pair[0].1, pair[1].1))
}
