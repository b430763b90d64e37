//! The constructors: what they accept draws finite numbers only.

use super::compound::Compound;
use super::direct::Direct;
use super::normal::standard_normal;
use super::weights::Weights;
use super::{Distribution, Law, Made, SampleKind};

/// No uniform number is nearer to 0, or to 1, than this.
const NEAREST: f64 = 1.0 / (1u64 << 53) as f64;

/// Phases of an Erlang distribution: past this a gamma is the same and faster.
pub(super) const MOST_PHASES: u32 = 1000;

impl Distribution {
    /// A law that always gives `value`.
    pub fn constant(value: f64) -> Made {
        Ok(Self::Constant(finite("the value", value)?))
    }

    /// Equally likely anywhere from `low` to `high`.
    pub fn uniform(low: f64, high: f64) -> Made {
        ordered(finite("low", low)?, finite("high", high)?)?;
        within_range(high - low)?;
        direct(Direct::Uniform { low, high })
    }

    /// The memoryless law with this mean.
    pub fn exponential(mean: f64) -> Made {
        direct(Direct::Exponential { mean: positive("mean", mean)? })
    }

    /// Normal with mean and standard deviation. Not cut at zero.
    pub fn normal(mean: f64, sd: f64) -> Made {
        direct(Direct::Normal { mean: finite("mean", mean)?, sd: not_negative("sd", sd)? })
    }

    /// Lognormal by its median and its 95th percentile.
    pub fn lognormal_median_p95(median: f64, p95: f64) -> Made {
        positive("median", median)?;
        if !(p95.is_finite() && p95 >= median) {
            return Err(format!("p95 must be at least the median {median}, not {p95}"));
        }
        let sigma = (libm::log(p95) - libm::log(median)) / standard_normal(0.95);
        Self::lognormal_median_sigma(median, sigma)
    }

    /// Lognormal by its median and the standard deviation of its logarithm.
    pub fn lognormal_median_sigma(median: f64, sigma: f64) -> Made {
        lognormal(libm::log(positive("median", median)?), not_negative("sigma", sigma)?)
    }

    /// Lognormal by its mean and the standard deviation of its logarithm.
    pub fn lognormal_mean_sigma(mean: f64, sigma: f64) -> Made {
        let sigma = not_negative("sigma", sigma)?;
        lognormal(libm::log(positive("mean", mean)?) - sigma * sigma / 2.0, sigma)
    }

    /// Lognormal by its mean and its standard deviation:
    /// sigma^2 = ln(1 + (sd/mean)^2).
    pub fn lognormal_mean_sd(mean: f64, sd: f64) -> Made {
        let ratio = not_negative("sd", sd)? / positive("mean", mean)?;
        Self::lognormal_mean_sigma(mean, libm::sqrt(libm::log1p(ratio * ratio)))
    }

    /// Weibull by shape and scale: P(X > x) = exp(-(x/scale)^shape).
    pub fn weibull(shape: f64, scale: f64) -> Made {
        let (shape, scale) = (positive("shape", shape)?, positive("scale", scale)?);
        direct(Direct::Weibull { shape, scale })
    }

    /// Weibull by shape and mean: mean = scale Γ(1 + 1/shape).
    pub fn weibull_mean(shape: f64, mean: f64) -> Made {
        let factor = libm::tgamma(1.0 + 1.0 / positive("shape", shape)?);
        if !factor.is_finite() {
            return Err(format!("shape {shape} is too small for a Weibull law of a known mean"));
        }
        Self::weibull(shape, positive("mean", mean)? / factor)
    }

    /// Pareto: P(X > x) = (minimum/x)^shape.
    pub fn pareto(shape: f64, minimum: f64) -> Made {
        let (shape, minimum) = (positive("shape", shape)?, positive("minimum", minimum)?);
        direct(Direct::Pareto { shape, minimum })
    }

    /// Pareto of minimum `low`, given that it is at most `high`.
    pub fn bounded_pareto(shape: f64, low: f64, high: f64) -> Made {
        let (shape, low) = (positive("shape", shape)?, positive("low", low)?);
        ordered(low, finite("high", high)?)?;
        direct(Direct::BoundedPareto { shape, low, high })
    }

    /// Gamma by shape and scale; the mean is their product.
    pub fn gamma(shape: f64, scale: f64) -> Made {
        let (shape, scale) = (positive("shape", shape)?, positive("scale", scale)?);
        // No normal number drawn exceeds 8.3, so no draw exceeds this.
        let root = 1.0 + 8.3 / (3.0 * libm::sqrt(shape.max(1.0)));
        within_range((shape + 1.0) * root * root * root * scale)?;
        Ok(compound(Compound::Gamma { shape, scale }))
    }

    /// Gamma by shape and mean.
    pub fn gamma_mean(shape: f64, mean: f64) -> Made {
        Self::gamma(shape, positive("mean", mean)? / positive("shape", shape)?)
    }

    /// The sum of `k` exponential phases, 1 to 1000, with this mean in all.
    pub fn erlang(k: u32, mean: f64) -> Made {
        if !(1..=MOST_PHASES).contains(&k) {
            return Err(format!("k must be 1 to {MOST_PHASES}, not {k} (gamma takes any shape)"));
        }
        within_range(-positive("mean", mean)? * libm::log(NEAREST))?;
        Ok(compound(Compound::Erlang { k, mean }))
    }

    /// Exponential with a mean chosen by weight, from (weight, mean).
    pub fn hyperexponential(branches: &[(f64, f64)]) -> Made {
        let weights = Weights::new(branches.iter().map(|branch| branch.0).collect())?;
        let means: Vec<f64> = branches.iter().map(|branch| branch.1).collect();
        for mean in &means {
            within_range(-positive("each mean", *mean)? * libm::log(NEAREST))?;
        }
        Ok(compound(Compound::HyperExponential { weights, means }))
    }

    /// Two exponential branches of balanced means (each carries half of the
    /// mean) with this mean and squared coefficient of variation, 1 or more.
    ///
    /// Morse, "Queues, Inventories and Maintenance", 1958: the likelier
    /// branch has weight p = (1 + sqrt((scv - 1)/(scv + 1)))/2.
    pub fn hyperexponential_scv(mean: f64, scv: f64) -> Made {
        positive("mean", mean)?;
        if !(scv.is_finite() && scv >= 1.0) {
            return Err(format!("scv must be 1 or more, not {scv} (erlang and gamma go below)"));
        }
        let root = libm::sqrt((scv - 1.0) / (scv + 1.0));
        let likely = (1.0 + root) / 2.0;
        // (1 - root)/2 without the cancellation.
        let rare = 1.0 / ((scv + 1.0) * (1.0 + root));
        Self::hyperexponential(&[(likely, mean / (2.0 * likely)), (rare, mean / (2.0 * rare))])
    }

    /// One of `values`, each as likely as its weight.
    pub fn empirical(values: &[f64], weights: &[f64]) -> Made {
        if values.len() != weights.len() {
            let (values, weights) = (values.len(), weights.len());
            return Err(format!("there are {values} values but {weights} weights"));
        }
        let mut rows: Vec<(f64, f64)> =
            values.iter().copied().zip(weights.iter().copied()).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (values, weights): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
        for value in &values {
            finite("each value", *value)?;
        }
        direct(Direct::Empirical { values, weights: Weights::new(weights)? })
    }

    /// One of `values`, each equally likely.
    pub fn empirical_equal(values: &[f64]) -> Made {
        Self::empirical(values, &vec![1.0; values.len()])
    }

    /// A quantile table of (p, value), p from 0 to 1, joined by straight lines.
    pub fn quantiles(points: &[(f64, f64)]) -> Made {
        let ends = points.first().map(|point| point.0).zip(points.last().map(|point| point.0));
        if ends != Some((0.0, 1.0)) {
            return Err("the quantiles must begin at p = 0 and end at p = 1".to_owned());
        }
        for pair in points.windows(2) {
            let ((p0, low), (p1, high)) = (pair[0], pair[1]);
            finite("each value", low)?;
            finite("each value", high)?;
            within_range(high - low)?;
            if !(p0 < p1 && low <= high) {
                return Err(format!(
                    "quantiles must rise, but {p0}: {low} is followed by {p1}: {high}"
                ));
            }
        }
        direct(Direct::Quantiles { points: points.to_vec() })
    }

    /// A draw from one of the parts, chosen by weight, from (weight, part).
    pub fn mixture(parts: Vec<(f64, Self)>) -> Made {
        let (weights, parts): (Vec<f64>, Vec<Self>) = parts.into_iter().unzip();
        Ok(compound(Compound::Mixture { weights: Weights::new(weights)?, parts }))
    }
}

/// Accepts a law whose extreme draws are finite.
fn direct(law: Direct) -> Made {
    within_range(law.quantile(NEAREST))?;
    within_range(law.quantile(1.0 - NEAREST))?;
    Ok(Distribution::Law(Law { kind: SampleKind::Direct(law) }))
}

/// The lognormal law of this mean and standard deviation of the logarithm.
fn lognormal(mu: f64, sigma: f64) -> Made {
    if libm::exp(mu) == 0.0 {
        return Err(format!("sigma {sigma} is so large that the median vanishes"));
    }
    direct(Direct::LogNormal { mu, sigma })
}

fn compound(law: Compound) -> Distribution {
    Distribution::Law(Law { kind: SampleKind::Compound(law) })
}

fn within_range(extreme: f64) -> Result<(), String> {
    if extreme.is_finite() {
        return Ok(());
    }
    Err("these parameters give draws too large for a floating-point number".to_owned())
}

fn finite(what: &str, x: f64) -> Result<f64, String> {
    if x.is_finite() { Ok(x) } else { Err(format!("{what} must be a finite number, not {x}")) }
}

fn positive(what: &str, x: f64) -> Result<f64, String> {
    if finite(what, x)? > 0.0 { Ok(x) } else { Err(format!("{what} must be above 0, not {x}")) }
}

fn not_negative(what: &str, x: f64) -> Result<f64, String> {
    if finite(what, x)? >= 0.0 { Ok(x) } else { Err(format!("{what} must be 0 or more, not {x}")) }
}

fn ordered(low: f64, high: f64) -> Result<(), String> {
    if low < high { Ok(()) } else { Err(format!("low ({low}) must be below high ({high})")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Stream;
    use proptest::prelude::*;

    #[test]
    fn parameters_that_could_draw_no_number_are_refused() {
        let nan = f64::NAN;
        let refused = [
            Distribution::constant(f64::INFINITY),
            Distribution::uniform(2.0, 2.0),
            Distribution::uniform(-f64::MAX, f64::MAX),
            Distribution::exponential(0.0),
            Distribution::exponential(f64::MAX),
            Distribution::normal(nan, 1.0),
            Distribution::normal(1.0, -1.0),
            Distribution::lognormal_median_p95(90.0, 35.0),
            Distribution::lognormal_mean_sigma(1.0, 1e200),
            Distribution::lognormal_mean_sd(1.0, nan),
            Distribution::weibull(0.001, 1.0),
            Distribution::weibull_mean(0.001, 1.0),
            Distribution::pareto(0.01, 1.0),
            Distribution::bounded_pareto(1.0, 0.0, 1.0),
            Distribution::gamma(1.0, f64::MAX),
            Distribution::gamma_mean(0.0, 1.0),
            Distribution::erlang(0, 1.0),
            Distribution::erlang(1001, 1.0),
            Distribution::hyperexponential(&[]),
            Distribution::hyperexponential(&[(0.0, 1.0)]),
            Distribution::hyperexponential(&[(1.0, -1.0)]),
            Distribution::hyperexponential_scv(1.0, 0.5),
            Distribution::empirical(&[1.0], &[1.0, 2.0]),
            Distribution::empirical_equal(&[nan]),
            Distribution::empirical_equal(&[]),
            Distribution::quantiles(&[(0.0, 1.0)]),
            Distribution::quantiles(&[(0.0, 1.0), (0.5, 3.0), (1.0, 2.0)]),
            Distribution::quantiles(&[(0.0, 1.0), (0.0, 2.0), (1.0, 3.0)]),
            Distribution::mixture(Vec::new()),
        ];
        for (row, made) in refused.into_iter().enumerate() {
            assert!(made.is_err(), "row {row}: {made:?}");
        }
    }

    proptest! {
        /// Laws that the constructors accept draw finite numbers, at the ends of the unit interval
        /// as well.
        #[test]
        fn no_draw_is_nan_or_infinite(exponents in prop::array::uniform3(-320.0..309.0f64)) {
            let [a, b, c] = exponents.map(|exponent| 10f64.powf(exponent));
            let made = [
                Distribution::uniform(-a, b),
                Distribution::exponential(a),
                Distribution::normal(a, b),
                Distribution::lognormal_median_p95(a, b),
                Distribution::lognormal_mean_sigma(a, b),
                Distribution::lognormal_mean_sd(a, b),
                Distribution::weibull(a, b),
                Distribution::weibull_mean(a, b),
                Distribution::pareto(a, b),
                Distribution::bounded_pareto(a, b, c),
                Distribution::gamma(a, b),
                Distribution::gamma_mean(a, b),
                Distribution::erlang(20, a),
                Distribution::hyperexponential_scv(a, b),
                Distribution::hyperexponential(&[(a, b), (b, c)]),
                Distribution::empirical(&[a, b], &[b, c]),
                Distribution::quantiles(&[(0.0, a), (0.5, b), (1.0, c)]),
            ];
            let mut stream = Stream::new(1, "finite");
            for distribution in made.into_iter().flatten() {
                for p in [NEAREST, 0.5, 1.0 - NEAREST] {
                    prop_assert!(distribution.quantile(p).is_none_or(f64::is_finite));
                }
                for _ in 0..20 {
                    let drawn = distribution.sample(&mut stream);
                    prop_assert!(drawn.is_finite(), "{distribution}: {drawn}");
                }
                prop_assert!(distribution.mean().is_none_or(f64::is_finite));
                prop_assert!(distribution.variance().is_none_or(|v| v >= 0.0));
            }
        }
    }
}
