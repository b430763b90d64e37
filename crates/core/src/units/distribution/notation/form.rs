//! The ways to write each law: its parameters and what they make.

use super::super::constructor::MOST_PHASES;
use super::super::{Distribution, Made};
use Maker::{Lists, One, Three, Two};
use ParameterKind::{Plain, Plains, Value, Values};

/// Kind of value that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterKind {
    /// A value of the distribution, in the caller's unit.
    Value,
    /// A plain number, such as a shape.
    Plain,
    /// A list of values.
    Values,
    /// A list of plain numbers.
    Plains,
}

impl ParameterKind {
    pub(super) fn has_unit(self) -> bool {
        matches!(self, Self::Value | Self::Values)
    }

    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::Values | Self::Plains)
    }
}

/// One way to write one law.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) law: &'static str,
    pub(super) parameters: &'static [(&'static str, ParameterKind)],
    maker: Maker,
}

#[derive(Debug)]
enum Maker {
    One(fn(f64) -> Made),
    Two(fn(f64, f64) -> Made),
    Three(fn(f64, f64, f64) -> Made),
    Lists(fn(&[Vec<f64>]) -> Made),
}

impl Form {
    /// The distribution of these values, one entry for each parameter.
    pub(super) fn make(&self, values: &[Vec<f64>]) -> Made {
        match self.maker {
            Maker::One(make) => make(values[0][0]),
            Maker::Two(make) => make(values[0][0], values[1][0]),
            Maker::Three(make) => make(values[0][0], values[1][0], values[2][0]),
            Maker::Lists(make) => make(values),
        }
    }

    /// Form of the call for a hint: `weibull(shape=.., scale=..)`.
    pub(super) fn usage(&self) -> String {
        let one = |(name, kind): &(&str, ParameterKind)| {
            format!("{name}={}", if kind.is_list() { "[..]" } else { ".." })
        };
        let parameters: Vec<String> = self.parameters.iter().map(one).collect();
        format!("{}({})", self.law, parameters.join(", "))
    }
}

const fn form(
    law: &'static str,
    parameters: &'static [(&'static str, ParameterKind)],
    maker: Maker,
) -> Form {
    Form { law, parameters, maker }
}

/// Every form; the forms of one law stand together.
pub(super) const FORMS: &[Form] = &[
    form("constant", &[("value", Value)], One(Distribution::constant)),
    form("uniform", &[("low", Value), ("high", Value)], Two(Distribution::uniform)),
    form("exponential", &[("mean", Value)], One(Distribution::exponential)),
    form("normal", &[("mean", Value), ("sd", Value)], Two(Distribution::normal)),
    form(
        "lognormal",
        &[("median", Value), ("p95", Value)],
        Two(Distribution::lognormal_median_p95),
    ),
    form(
        "lognormal",
        &[("median", Value), ("sigma", Plain)],
        Two(Distribution::lognormal_median_sigma),
    ),
    form("lognormal", &[("mean", Value), ("sd", Value)], Two(Distribution::lognormal_mean_sd)),
    form(
        "lognormal",
        &[("mean", Value), ("sigma", Plain)],
        Two(Distribution::lognormal_mean_sigma),
    ),
    form("weibull", &[("shape", Plain), ("scale", Value)], Two(Distribution::weibull)),
    form("weibull", &[("shape", Plain), ("mean", Value)], Two(Distribution::weibull_mean)),
    form("pareto", &[("shape", Plain), ("minimum", Value)], Two(Distribution::pareto)),
    form(
        "bounded-pareto",
        &[("shape", Plain), ("low", Value), ("high", Value)],
        Three(Distribution::bounded_pareto),
    ),
    form("gamma", &[("shape", Plain), ("scale", Value)], Two(Distribution::gamma)),
    form("gamma", &[("shape", Plain), ("mean", Value)], Two(Distribution::gamma_mean)),
    form("erlang", &[("k", Plain), ("mean", Value)], Two(erlang)),
    form(
        "hyperexponential",
        &[("mean", Value), ("scv", Plain)],
        Two(Distribution::hyperexponential_scv),
    ),
    form("hyperexponential", &[("weights", Plains), ("means", Values)], Lists(hyperexponential)),
    form(
        "empirical",
        &[("values", Values)],
        Lists(|values| Distribution::empirical_equal(&values[0])),
    ),
    form(
        "empirical",
        &[("values", Values), ("weights", Plains)],
        Lists(|values| Distribution::empirical(&values[0], &values[1])),
    ),
];

fn erlang(k: f64, mean: f64) -> Made {
    if k != libm::floor(k) || !(1.0..=f64::from(MOST_PHASES)).contains(&k) {
        return Err(format!("k must be a whole number from 1 to {MOST_PHASES}, not {k}"));
    }
    Distribution::erlang(k as u32, mean)
}

fn hyperexponential(values: &[Vec<f64>]) -> Made {
    let (weights, means) = (&values[0], &values[1]);
    if weights.len() != means.len() {
        return Err(format!("there are {} weights but {} means", weights.len(), means.len()));
    }
    let branches: Vec<(f64, f64)> = weights.iter().copied().zip(means.iter().copied()).collect();
    Distribution::hyperexponential(&branches)
}
