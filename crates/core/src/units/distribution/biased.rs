//! Draws by length: what an arbitrary moment finds of spells that follow each other.
//!
//! Of spells with density f and mean m, the one that holds at an arbitrary moment has the density
//! x f(x) / m, and that moment lies anywhere in it alike (Cox, Renewal Theory, 1962, chapter 5).

use super::compound::Compound;
use super::direct::Direct;
use super::normal::standard_normal;
use super::{Distribution, Law, SampleKind};
use crate::units::stream::Stream;

impl Distribution {
    /// A draw from the law whose density is x f(x) / mean, at the price of one word of `stream`: a
    /// spell by its length. Of a law that is never negative and has a mean.
    pub fn sample_by_length(&self, stream: &mut Stream) -> f64 {
        let stream = &mut stream.fork();
        match self {
            Self::Constant(value) => *value,
            Self::Law(Law { kind: SampleKind::Direct(law) }) => direct(law, stream),
            Self::Law(Law { kind: SampleKind::Compound(law) }) => compound(law, stream),
        }
    }

    /// Whether no draw is negative.
    pub fn is_never_negative(&self) -> bool {
        match self {
            Self::Constant(value) => *value >= 0.0,
            Self::Law(Law { kind: SampleKind::Direct(law) }) => match law {
                Direct::Exponential { .. }
                | Direct::LogNormal { .. }
                | Direct::Weibull { .. }
                | Direct::Pareto { .. }
                | Direct::BoundedPareto { .. } => true,
                Direct::Normal { mean, sd } => *sd == 0.0 && *mean >= 0.0,
                Direct::Uniform { low, .. } => *low >= 0.0,
                Direct::Empirical { values, .. } => values.iter().all(|&value| value >= 0.0),
                Direct::Quantiles { points } => points[0].1 >= 0.0,
            },
            Self::Law(Law { kind: SampleKind::Compound(law) }) => match law {
                Compound::Gamma { .. }
                | Compound::Erlang { .. }
                | Compound::HyperExponential { .. } => true,
                Compound::Mixture { parts, .. } => parts.iter().all(Self::is_never_negative),
            },
        }
    }
}

fn direct(law: &Direct, stream: &mut Stream) -> f64 {
    match law {
        Direct::Uniform { low, high } => power(-1.0, *low, *high, stream),
        Direct::Exponential { mean } => gamma(2.0, *mean, stream),
        Direct::Normal { mean, .. } => *mean,
        Direct::LogNormal { mu, sigma } => {
            libm::exp(mu + sigma * sigma + sigma * standard_normal(stream.uniform()))
        }
        // (x / scale)^shape is exponential, and gamma of 1 + 1/shape by length.
        Direct::Weibull { shape, scale } => {
            scale * libm::pow(gamma(1.0 + 1.0 / shape, 1.0, stream), 1.0 / shape)
        }
        Direct::Pareto { shape, minimum } => {
            minimum * libm::exp(-libm::log1p(-stream.uniform()) / (shape - 1.0))
        }
        Direct::BoundedPareto { shape, low, high } => power(*shape, *low, *high, stream),
        Direct::Empirical { values, weights } => {
            let weights = weights.each().iter().zip(values).map(|(weight, value)| weight * value);
            values[chosen(weights, stream)]
        }
        Direct::Quantiles { points } => {
            let width = |pair: &[(f64, f64)]| pair[1].0 - pair[0].0;
            let pieces = points.windows(2);
            let mean = pieces.map(|pair| width(pair) * (pair[0].1 / 2.0 + pair[1].1 / 2.0));
            let at = chosen(mean, stream);
            power(-1.0, points[at].1, points[at + 1].1, stream)
        }
    }
}

fn compound(law: &Compound, stream: &mut Stream) -> f64 {
    match law {
        Compound::Gamma { shape, scale } => gamma(shape + 1.0, *scale, stream),
        Compound::Erlang { k, mean } => gamma(f64::from(*k) + 1.0, mean / f64::from(*k), stream),
        Compound::HyperExponential { weights, means } => {
            let by_mean = weights.each().iter().zip(means).map(|(weight, mean)| weight * mean);
            gamma(2.0, means[chosen(by_mean, stream)], stream)
        }
        Compound::Mixture { weights, parts } => {
            let mean = |part: &Distribution| part.mean().unwrap_or(0.0);
            let by_mean =
                weights.each().iter().zip(parts).map(|(weight, part)| weight * mean(part));
            parts[chosen(by_mean, stream)].sample_by_length(stream)
        }
    }
}

fn gamma(shape: f64, scale: f64, stream: &mut Stream) -> f64 {
    scale * super::compound::standard_gamma(shape, stream)
}

/// A number from `low` to `high` whose density falls as x^-`shape`.
fn power(shape: f64, low: f64, high: f64, stream: &mut Stream) -> f64 {
    let (u, rise) = (stream.uniform(), 1.0 - shape);
    if high <= low {
        return low;
    }
    if rise == 0.0 {
        return (low * libm::pow(high / low, u)).clamp(low, high);
    }
    let (from, to) = (libm::pow(low, rise), libm::pow(high, rise));
    libm::pow(from + u * (to - from), 1.0 / rise).clamp(low, high)
}

/// The row that a uniform number falls on, each as likely as its weight.
fn chosen(weights: impl Iterator<Item = f64> + Clone, stream: &mut Stream) -> usize {
    let target = stream.uniform() * weights.clone().sum::<f64>();
    let mut sum = 0.0;
    let mut last = 0;
    for (row, weight) in weights.enumerate().filter(|&(_, weight)| weight > 0.0) {
        sum += weight;
        last = row;
        if sum > target {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean by length is E[X^2] / E[X], and that of 1/X is 1 / E[X]: both within five standard
    /// errors, of laws that have a fourth moment.
    #[test]
    fn draws_by_length_have_the_moments_of_the_closed_form() {
        let laws = [
            "constant(5)",
            "uniform(low=1, high=9)",
            "exponential(mean=3)",
            "lognormal(median=4, sigma=0.5)",
            "weibull(shape=0.8, scale=3)",
            "weibull(shape=2, scale=3)",
            "pareto(shape=6, minimum=2)",
            "bounded-pareto(shape=1, low=1, high=50)",
            "bounded-pareto(shape=1.5, low=1, high=50)",
            "gamma(shape=2.5, scale=4)",
            "erlang(k=3, mean=9)",
            "hyperexponential(weights=[3, 1], means=[1, 10])",
            "empirical(values=[1, 2, 7], weights=[1, 0.5, 2])",
            "quantiles(0: 1, 0.5: 2, 1: 9)",
            "mixture(0.7: exponential(mean=3), 0.3: constant(5))",
        ];
        for text in laws {
            let law: Distribution = text.parse().expect(text);
            let (mean, variance) = (law.mean().expect(text), law.variance().expect(text));
            let mut stream = Stream::new(7, text);
            let draws: Vec<f64> = (0..200_000).map(|_| law.sample_by_length(&mut stream)).collect();
            let count = draws.len() as f64;
            let seen = draws.iter().sum::<f64>() / count;
            let spread = draws.iter().map(|x| (x - seen) * (x - seen)).sum::<f64>() / count;
            let want = (variance + mean * mean) / mean;
            let error = 5.0 * libm::sqrt(spread / count) + 1e-9;
            assert!((seen - want).abs() <= error, "{text}: {seen}, not {want}");
            let inverse: Vec<f64> = draws.iter().map(|x| 1.0 / x).collect();
            let seen = inverse.iter().sum::<f64>() / count;
            let spread = inverse.iter().map(|x| (x - seen) * (x - seen)).sum::<f64>() / count;
            // The inverse of an exponential has no variance by length: the error is a guess there.
            let error = 5.0 * libm::sqrt(spread / count) + 2e-3 / mean;
            assert!((seen - 1.0 / mean).abs() <= error, "{text}: {seen}, not 1 / {mean}");
        }
    }

    #[test]
    fn a_draw_costs_one_word() {
        let law: Distribution = "gamma(shape=2.5, scale=4)".parse().expect("a law");
        let (mut drawn, mut plain) = (Stream::new(1, "x"), Stream::new(1, "x"));
        law.sample_by_length(&mut drawn);
        plain.next_u64();
        assert_eq!(drawn, plain);
    }

    #[test]
    fn laws_that_reach_below_zero_are_known() {
        for (text, never) in [
            ("constant(0)", true),
            ("constant(-1)", false),
            ("normal(mean=10, sd=1)", false),
            ("uniform(low=-1, high=1)", false),
            ("empirical(values=[-1, 4])", false),
            ("quantiles(0: -1, 1: 2)", false),
            ("lognormal(median=4, sigma=2)", true),
            ("mixture(1: normal(mean=1, sd=1), 1: 3)", false),
        ] {
            let law: Distribution = text.parse().expect(text);
            assert_eq!(law.is_never_negative(), never, "{text}");
        }
    }
}
