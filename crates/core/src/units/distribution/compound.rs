//! Laws without a closed quantile function: a draw takes a stream of its own.

use super::Distribution;
use super::normal::standard_normal;
use super::weights::Weights;
use crate::units::stream::Stream;

/// A law drawn in several steps. Parameters are valid by construction.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Compound {
    Gamma { shape: f64, scale: f64 },
    Erlang { k: u32, mean: f64 },
    HyperExponential { weights: Weights, means: Vec<f64> },
    Mixture { weights: Weights, parts: Vec<Distribution> },
}

impl Compound {
    /// A draw from `stream`, which serves this draw alone.
    pub(super) fn sample(&self, stream: &mut Stream) -> f64 {
        match self {
            Self::Gamma { shape, scale } => scale * standard_gamma(*shape, stream),
            Self::Erlang { k, mean } => mean / f64::from(*k) * standard_erlang(*k, stream),
            Self::HyperExponential { weights, means } => {
                let mean = means[weights.choose(stream.uniform())];
                -mean * libm::log1p(-stream.uniform())
            }
            Self::Mixture { weights, parts } => {
                parts[weights.choose(stream.uniform())].sample(stream)
            }
        }
    }

    /// The mean; not finite where it is infinite.
    pub(super) fn mean(&self) -> f64 {
        match self {
            Self::Gamma { shape, scale } => shape * scale,
            Self::Erlang { mean, .. } => *mean,
            Self::HyperExponential { weights, means } => weights.mean(means.iter().copied()),
            Self::Mixture { weights, parts } => weights.mean(parts.iter().map(finite_mean)),
        }
    }

    /// The variance; not finite where it is infinite.
    pub(super) fn variance(&self) -> f64 {
        let mean = self.mean();
        match self {
            Self::Gamma { shape, scale } => shape * scale * scale,
            Self::Erlang { k, .. } => mean * mean / f64::from(*k),
            Self::HyperExponential { weights, means } => {
                weights.mean(means.iter().map(|each| each * each + square(each - mean)))
            }
            Self::Mixture { weights, parts } => weights.mean(parts.iter().map(|part| {
                part.variance().unwrap_or(f64::INFINITY) + square(finite_mean(part) - mean)
            })),
        }
    }
}

fn finite_mean(part: &Distribution) -> f64 {
    part.mean().unwrap_or(f64::INFINITY)
}

fn square(x: f64) -> f64 {
    x * x
}

/// A gamma number of scale 1.
///
/// Marsaglia and Tsang, "A simple method for generating gamma variables",
/// ACM TOMS 26(3), 2000, without the squeeze. Two uniforms per attempt (at
/// least 95 in 100 succeed), and one more when `shape` is under 1.
pub(super) fn standard_gamma(shape: f64, stream: &mut Stream) -> f64 {
    if shape < 1.0 {
        let power = libm::exp(libm::log(stream.uniform()) / shape);
        return power * standard_gamma(shape + 1.0, stream);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = standard_normal(stream.uniform());
        let u = stream.uniform();
        let root = 1.0 + c * x;
        let v = root * root * root;
        if v > 0.0 && libm::log(u) < x * x / 2.0 + d * (1.0 - v + libm::log(v)) {
            return d * v;
        }
    }
}

/// The sum of `k` exponential numbers of mean 1: `k` uniforms.
fn standard_erlang(k: u32, stream: &mut Stream) -> f64 {
    // One logarithm serves 16 uniforms: their product is at least 2^-848.
    let mut sum = 0.0;
    let mut left = k;
    while left > 0 {
        let batch = left.min(16);
        let product: f64 = (0..batch).map(|_| stream.uniform()).product();
        sum -= libm::log(product);
        left -= batch;
    }
    sum
}
