//! Probability distributions: drawn from a [`Stream`], described, and read
//! from scenario files.
//!
//! **One draw takes one word of the stream, whatever the distribution**, so
//! two runs that differ in a parameter, or in a law, stay in step. A law
//! with a closed quantile function turns that word into one uniform number
//! and inverts: a larger uniform is a larger value, which is what makes
//! common random numbers work. The others (gamma, Erlang, hyperexponential,
//! mixture) spend the word on a [fork](Stream::fork) and draw from that.
//!
//! The constructors accept only valid parameters, and no draw is NaN or
//! infinite. Values may be negative where the law allows it (constant,
//! uniform, normal, empirical, quantiles): cutting at zero is the caller's.
//! All transcendental functions come from `libm`, the same on any platform.

mod biased;
mod compound;
mod constructor;
mod direct;
mod display;
mod normal;
mod notation;
mod weights;

pub use normal::{standard_normal, standard_normal_tail};

use compound::Compound;
use direct::Direct;

use super::stream::{Stream, Streams};

/// A probability distribution of numbers without a unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always this value, which must be finite.
    Constant(f64),
    /// Any other law, made by one of the constructors or by `parse`.
    Law(Law),
}

/// A law with its parameters, valid by construction.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    kind: SampleKind,
}

#[derive(Clone, Debug, PartialEq)]
enum SampleKind {
    Direct(Direct),
    Compound(Compound),
}

/// A distribution, or a sentence on what is wrong with its parameters.
type Made = Result<Distribution, String>;

impl Distribution {
    /// A draw, at the price of one word of `stream`. Always finite.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        match self {
            Self::Law(Law { kind: SampleKind::Direct(law) }) => law.quantile(stream.uniform()),
            Self::Law(Law { kind: SampleKind::Compound(law) }) => law.sample(&mut stream.fork()),
            Self::Constant(value) => {
                stream.next_u64();
                *value
            }
        }
    }

    /// The first draw from the stream of `entity`: what [`Distribution::sample`]
    /// draws from it, without making all of the stream.
    #[inline]
    pub fn sample_first(&self, streams: Streams, entity: u64) -> f64 {
        match self {
            Self::Law(Law { kind: SampleKind::Direct(law) }) => {
                law.quantile(streams.first_uniform(entity))
            }
            Self::Law(Law { kind: SampleKind::Compound(_) }) => {
                self.sample(&mut streams.of(entity))
            }
            Self::Constant(value) => *value,
        }
    }

    /// The mean; `None` if it is infinite.
    pub fn mean(&self) -> Option<f64> {
        let mean = match self {
            Self::Constant(value) => *value,
            Self::Law(Law { kind: SampleKind::Direct(law) }) => law.mean(),
            Self::Law(Law { kind: SampleKind::Compound(law) }) => law.mean(),
        };
        Some(mean).filter(|mean| mean.is_finite())
    }

    /// The variance; `None` if it is infinite or there is no mean.
    pub fn variance(&self) -> Option<f64> {
        let variance = match self {
            Self::Constant(_) => 0.0,
            Self::Law(Law { kind: SampleKind::Direct(law) }) => law.variance(),
            Self::Law(Law { kind: SampleKind::Compound(law) }) => law.variance(),
        };
        // A difference of moments can round to just under zero.
        Some(variance).filter(|variance| variance.is_finite()).map(|variance| variance.max(0.0))
    }

    /// The value below which a draw falls with probability `p`, 0 < `p` < 1; `None` for the laws
    /// without a closed quantile function (gamma, Erlang, hyperexponential, mixture) and for other
    /// `p`.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        if !(0.0 < p && p < 1.0) {
            return None;
        }
        match self {
            Self::Constant(value) => Some(*value),
            Self::Law(Law { kind: SampleKind::Direct(law) }) => Some(law.quantile(p)),
            Self::Law(Law { kind: SampleKind::Compound(_) }) => None,
        }
    }
}

#[cfg(test)]
mod tests;
