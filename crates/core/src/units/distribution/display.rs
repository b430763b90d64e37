//! Distributions as text, in the notation that `parse` reads.

use std::fmt;

use super::compound::Compound;
use super::direct::Direct;
use super::normal::standard_normal;
use super::{Distribution, Law, SampleKind};

/// Longer lists are summed up in reports.
const LISTED: usize = 16;

/// List of numbers, written as `[1, 2, 3]`.
pub(super) struct List<'a>(pub(super) &'a [f64]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[")?;
        separated(f, self.0, |f, value| write!(f, "{value}"))?;
        write!(f, "]")
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => write!(f, "constant({value})"),
            Self::Law(Law { kind: SampleKind::Direct(law) }) => law.fmt(f),
            Self::Law(Law { kind: SampleKind::Compound(law) }) => law.fmt(f),
        }
    }
}

impl fmt::Display for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform { low, high } => write!(f, "uniform(low={low}, high={high})"),
            Self::Exponential { mean } => write!(f, "exponential(mean={mean})"),
            Self::Normal { mean, sd } => write!(f, "normal(mean={mean}, sd={sd})"),
            Self::LogNormal { mu, sigma } => {
                let median = rounded(libm::exp(*mu));
                let p95 = rounded(libm::exp(mu + sigma * standard_normal(0.95)));
                write!(f, "lognormal(median={median}, p95={p95})")
            }
            Self::Weibull { shape, scale } => write!(f, "weibull(shape={shape}, scale={scale})"),
            Self::Pareto { shape, minimum } => {
                write!(f, "pareto(shape={shape}, minimum={minimum})")
            }
            Self::BoundedPareto { shape, low, high } => {
                write!(f, "bounded-pareto(shape={shape}, low={low}, high={high})")
            }
            Self::Empirical { values, .. } if values.len() > LISTED => {
                let (low, high) = (values[0], values[values.len() - 1]);
                let mean = rounded(self.mean());
                write!(f, "empirical({} values from {low} to {high}, mean {mean})", values.len())
            }
            Self::Empirical { values, weights } if weights.each().iter().all(|w| *w == 1.0) => {
                write!(f, "empirical(values={})", List(values))
            }
            Self::Empirical { values, weights } => {
                write!(f, "empirical(values={}, weights={weights})", List(values))
            }
            Self::Quantiles { points } => {
                write!(f, "quantiles(")?;
                separated(f, points, |f, (p, value)| write!(f, "{p}: {value}"))?;
                write!(f, ")")
            }
        }
    }
}

impl fmt::Display for Compound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gamma { shape, scale } => write!(f, "gamma(shape={shape}, scale={scale})"),
            Self::Erlang { k, mean } => write!(f, "erlang(k={k}, mean={mean})"),
            Self::HyperExponential { weights, means } => {
                write!(f, "hyperexponential(weights={weights}, means={})", List(means))
            }
            Self::Mixture { weights, parts } => {
                write!(f, "mixture(")?;
                let parts: Vec<_> = weights.each().iter().zip(parts).collect();
                separated(f, &parts, |f, (weight, part)| write!(f, "{weight}: {part}"))?;
                write!(f, ")")
            }
        }
    }
}

/// Writes `items` with a comma between them.
fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    each: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            write!(f, ", ")?;
        }
        each(f, item)?;
    }
    Ok(())
}

/// `x` at 12 significant digits, so that a value that went through a
/// logarithm reads as it was written.
fn rounded(x: f64) -> f64 {
    format!("{x:.11e}").parse().unwrap_or(x)
}
