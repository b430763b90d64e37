//! Laws of how long spells last, fitted by maximum likelihood to spells of which some were cut short.
//!
//! A spell that was seen to its end counts with its density, one whose end was not seen with the
//! probability to last longer (Kalbfleisch and Prentice, The Statistical Analysis of Failure Time
//! Data, 2002, chapter 3). A spell whose begin was not seen does not count: it was met by its length.

use crate::units::{Distribution, standard_normal_tail};

/// A length of time in seconds, and whether its end was seen.
pub type SeenSpell = (f64, bool);

/// A law fitted to spells.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedLaw {
    /// The law, in seconds.
    pub law: Distribution,
    /// In the notation of scenarios.
    pub words: String,
    /// Logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Largest distance between its distribution function and the estimate of Kaplan and Meier
    /// (1958), from 0 to 1.
    pub distance: f64,
}

/// Laws fitted to the spells of one state.
#[derive(Clone, Debug, PartialEq)]
pub struct DurationFit {
    /// Spells that were seen from begin to end.
    pub whole: usize,
    /// Spells whose end was not seen.
    pub cut: usize,
    /// Seconds of both.
    pub seconds: f64,
    /// Share of spells that last longer than so many seconds, at each length at which one was seen to
    /// end: the estimate of Kaplan and Meier (1958).
    pub longer: Vec<(f64, f64)>,
    /// The laws, the likeliest first: lognormal and Weibull, or exponential alone where fewer than
    /// two different spells were seen whole.
    pub laws: Vec<FittedLaw>,
}

/// Parameters of a law that are fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Parameters {
    Exponential { mean: f64 },
    LogNormal { mu: f64, sigma: f64 },
    Weibull { shape: f64, scale: f64 },
}

/// Rounds in which the parameters of a law are looked for.
const ROUNDS: usize = 20_000;

impl DurationFit {
    /// Fits laws to spells, which are longer than 0. Without any that counts there is no law.
    pub fn new(spells: &[SeenSpell]) -> Self {
        let whole = spells.iter().filter(|spell| spell.1).count();
        let seconds: f64 = spells.iter().map(|spell| spell.0).sum();
        let mut ends = spells.iter().filter(|spell| spell.1).map(|spell| spell.0);
        let first = ends.next();
        let fitted = if first.is_some_and(|first| ends.any(|other| other != first)) {
            vec![lognormal(spells), weibull(spells)]
        } else if seconds > 0.0 {
            vec![Parameters::Exponential { mean: seconds / whole.max(1) as f64 }]
        } else {
            Vec::new()
        };
        let longer = kaplan_meier(spells);
        let fit = |parameters: Parameters| parameters.fitted(spells, &longer);
        let mut laws: Vec<FittedLaw> = fitted.into_iter().filter_map(fit).collect();
        laws.sort_by(|one, other| other.log_likelihood.total_cmp(&one.log_likelihood));
        Self { whole, cut: spells.len() - whole, seconds, longer, laws }
    }
}

impl Parameters {
    fn fitted(self, spells: &[SeenSpell], longer: &[(f64, f64)]) -> Option<FittedLaw> {
        let (made, words) = match self {
            Self::Exponential { mean } => {
                (Distribution::exponential(mean), format!("exponential(mean={mean:.6} s)"))
            }
            Self::LogNormal { mu, sigma } => {
                let median = libm::exp(mu);
                (
                    Distribution::lognormal_median_sigma(median, sigma),
                    format!("lognormal(median={median:.6} s, sigma={sigma:.6})"),
                )
            }
            Self::Weibull { shape, scale } => (
                Distribution::weibull(shape, scale),
                format!("weibull(shape={shape:.6}, scale={scale:.6} s)"),
            ),
        };
        let log_likelihood = spells.iter().map(|&spell| self.log_likelihood(spell)).sum();
        Some(FittedLaw { law: made.ok()?, words, log_likelihood, distance: self.distance(longer) })
    }

    /// Probability to last longer than `t`.
    fn survival(self, t: f64) -> f64 {
        match self {
            Self::Exponential { mean } => libm::exp(-t / mean),
            Self::LogNormal { mu, sigma } => standard_normal_tail((libm::log(t) - mu) / sigma),
            Self::Weibull { shape, scale } => libm::exp(-libm::pow(t / scale, shape)),
        }
    }

    fn log_likelihood(self, (t, is_whole): SeenSpell) -> f64 {
        if !is_whole {
            return libm::log(self.survival(t).max(f64::MIN_POSITIVE));
        }
        match self {
            Self::Exponential { mean } => -libm::log(mean) - t / mean,
            Self::LogNormal { mu, sigma } => {
                let z = (libm::log(t) - mu) / sigma;
                -libm::log(t * sigma) - 0.5 * libm::log(2.0 * std::f64::consts::PI) - z * z / 2.0
            }
            Self::Weibull { shape, scale } => {
                let x = t / scale;
                libm::log(shape / scale) + (shape - 1.0) * libm::log(x) - libm::pow(x, shape)
            }
        }
    }

    /// Largest distance from the Kaplan-Meier estimate, just before and at each end that was seen.
    fn distance(self, longer: &[(f64, f64)]) -> f64 {
        let (mut before, mut most) = (1.0_f64, 0.0_f64);
        for &(t, after) in longer {
            let fitted = self.survival(t);
            most = most.max((before - fitted).abs()).max((after - fitted).abs());
            before = after;
        }
        most
    }
}

/// The estimate of Kaplan and Meier: at each length at which spells ended, those that ended are taken out
/// of those that were still there.
fn kaplan_meier(spells: &[SeenSpell]) -> Vec<(f64, f64)> {
    let mut sorted = spells.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut alive, mut share, mut longer) = (sorted.len(), 1.0, Vec::new());
    for same in sorted.chunk_by(|one, other| one.0 == other.0) {
        let ended = same.iter().filter(|spell| spell.1).count();
        if ended > 0 {
            share *= 1.0 - ended as f64 / alive as f64;
            longer.push((same[0].0, share));
        }
        alive -= same.len();
    }
    longer
}

/// Maximum of the likelihood of a lognormal law by expectation and maximisation (Dempster, Laird and
/// Rubin, 1977): what a cut spell would have come to is replaced by its mean and its mean square.
fn lognormal(spells: &[SeenSpell]) -> Parameters {
    let logs: Vec<SeenSpell> = spells.iter().map(|&(t, whole)| (libm::log(t), whole)).collect();
    let count = logs.len() as f64;
    let mut mu = logs.iter().map(|log| log.0).sum::<f64>() / count;
    let square = |x: f64| x * x;
    let mut sigma =
        libm::sqrt(logs.iter().map(|log| square(log.0 - mu)).sum::<f64>() / count).max(1e-3);
    for _ in 0..ROUNDS {
        let (mut sum, mut squares) = (0.0, 0.0);
        for &(log, is_whole) in &logs {
            if is_whole {
                sum += log;
                squares += square(log);
                continue;
            }
            let at = (log - mu) / sigma;
            let hazard = hazard(at);
            sum += mu + sigma * hazard;
            squares += square(mu) + square(sigma) + sigma * (log + mu) * hazard;
        }
        let next = sum / count;
        let spread = libm::sqrt((squares / count - square(next)).max(1e-12));
        let moved = (next - mu).abs() + (spread - sigma).abs();
        (mu, sigma) = (next, spread);
        if moved < 1e-12 {
            break;
        }
    }
    Parameters::LogNormal { mu, sigma }
}

/// Density of a standard normal number at `x` over the probability to be more.
fn hazard(x: f64) -> f64 {
    let density = libm::exp(-x * x / 2.0) / libm::sqrt(2.0 * std::f64::consts::PI);
    let tail = standard_normal_tail(x);
    // Far out the ratio goes to x + 1/x.
    if tail > 0.0 { density / tail } else { x + 1.0 / x }
}

/// Maximum of the likelihood of a Weibull law: for each shape the best scale is known, and the best
/// shape is where the derivative, which falls, is 0.
fn weibull(spells: &[SeenSpell]) -> Parameters {
    // Relative to the longest, so that no power overflows.
    let longest = spells.iter().map(|spell| spell.0).fold(0.0, f64::max);
    let whole = spells.iter().filter(|spell| spell.1);
    let (count, logs) = whole
        .fold((0.0, 0.0), |(count, sum), spell| (count + 1.0, sum + libm::log(spell.0 / longest)));
    let sums = |shape: f64| {
        spells.iter().fold((0.0, 0.0), |(powers, logs), spell| {
            let x = spell.0 / longest;
            let power = libm::pow(x, shape);
            (powers + power, logs + power * libm::log(x))
        })
    };
    let slope = |shape: f64| {
        let (powers, by_logs) = sums(shape);
        1.0 / shape + logs / count - by_logs / powers
    };
    let (mut low, mut high) = (1e-3, 1e3);
    for _ in 0..200 {
        let middle = libm::sqrt(low * high);
        if slope(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    let shape = libm::sqrt(low * high);
    let scale = longest * libm::pow(sums(shape).0 / count, 1.0 / shape);
    Parameters::Weibull { shape, scale }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Stream;

    /// `count` spells drawn from `law`, cut at `cut` seconds.
    fn drawn(law: &str, count: usize, cut: f64) -> Vec<SeenSpell> {
        let law: Distribution = law.parse().expect(law);
        let mut stream = Stream::new(5, "spells");
        let mut spell = || {
            let length = law.sample(&mut stream);
            (length.min(cut), length <= cut)
        };
        (0..count).map(|_| spell()).collect()
    }

    /// By hand: of an exponential law the mean is all time over all ends: (3 + 5 + 3) / 2 of two that
    /// ended alike. For two spells of e^1 and e^3 s the lognormal has a median of e^2 and a sigma of 1.
    #[test]
    fn small_fits_are_those_by_hand() {
        let fit = DurationFit::new(&[(3.0, true), (5.0, false), (3.0, true)]);
        assert_eq!((fit.whole, fit.cut, fit.seconds), (2, 1, 11.0));
        assert_eq!(fit.laws[0].words, "exponential(mean=5.500000 s)");
        let (one, other) = (1.0_f64.exp(), 3.0_f64.exp());
        let fit = DurationFit::new(&[(one, true), (other, true)]);
        let lognormal = fit.laws.iter().find(|law| law.words.starts_with("lognormal"));
        let words = &lognormal.expect("it is fitted").words;
        assert_eq!(*words, format!("lognormal(median={:.6} s, sigma=1.000000)", 2.0_f64.exp()));
        assert!(DurationFit::new(&[]).laws.is_empty());
    }

    /// Parameters come back within four standard errors, also where a third of all spells is cut.
    #[test]
    fn parameters_come_back_from_cut_spells() {
        let count = 4_000;
        let error = 4.0 / (count as f64 * 0.6).sqrt();
        for cut in [f64::INFINITY, 900.0] {
            let fit = DurationFit::new(&drawn("lognormal(median=600, sigma=1)", count, cut));
            assert!(fit.laws[0].words.starts_with("lognormal"), "{:?}", fit.laws);
            let (median, p84) =
                (fit.laws[0].law.quantile(0.5), fit.laws[0].law.quantile(0.841_344_746));
            let (median, p84) = (median.expect("a median"), p84.expect("a quantile"));
            assert!((median / 600.0).ln().abs() < error, "{median}");
            assert!(((p84 / median).ln() - 1.0).abs() < error, "{p84}");
            let fit = DurationFit::new(&drawn("weibull(shape=0.7, scale=800)", count, cut));
            let best = &fit.laws[0];
            assert!(best.words.starts_with("weibull"), "{:?}", fit.laws);
            let at = |p: f64| best.law.quantile(p).expect("a quantile");
            // The scale is the quantile of 1 - 1/e, the shape follows from another.
            let scale = at(1.0 - (-1.0_f64).exp());
            let shape = (-(0.5_f64.ln())).ln() / (at(0.5) / scale).ln();
            assert!((scale / 800.0).ln().abs() < error / 0.7, "{scale}");
            assert!((shape / 0.7).ln().abs() < error, "{shape}");
            assert!(best.distance < 1.63 / (count as f64).sqrt() * 1.5, "{}", best.distance);
        }
    }

    /// No parameters nearby are likelier.
    #[test]
    fn fits_are_maxima() {
        let spells = drawn("gamma(shape=2, mean=500)", 300, 700.0);
        let all = |law: Parameters| spells.iter().map(|&s| law.log_likelihood(s)).sum::<f64>();
        let Parameters::LogNormal { mu, sigma } = lognormal(&spells) else { panic!("it is one") };
        let Parameters::Weibull { shape, scale } = weibull(&spells) else { panic!("it is one") };
        for (one, other) in [(0.01, 0.0), (-0.01, 0.0), (0.0, 0.01), (0.0, -0.01)] {
            let best = all(Parameters::LogNormal { mu, sigma });
            let near = Parameters::LogNormal { mu: mu + one, sigma: sigma * (1.0 + other) };
            assert!(all(near) < best);
            let best = all(Parameters::Weibull { shape, scale });
            let near =
                Parameters::Weibull { shape: shape * (1.0 + one), scale: scale * (1.0 + other) };
            assert!(all(near) < best);
        }
    }

    /// By hand, of an exponential law with mean 1: spells of 1 (ended), 2 (cut), 3 (ended). Kaplan and
    /// Meier: 2/3 from 1 on, 0 from 3 on. At 1 the law has e^-1: 1 - e^-1 is the distance.
    #[test]
    fn distances_go_by_kaplan_and_meier() {
        let law = Parameters::Exponential { mean: 1.0 };
        let longer = kaplan_meier(&[(1.0, true), (2.0, false), (3.0, true)]);
        assert_eq!(longer, [(1.0, 1.0 - 1.0 / 3.0), (3.0, 0.0)]);
        assert!((law.distance(&longer) - (1.0 - (-1.0_f64).exp())).abs() < 1e-12);
        let law = Parameters::Exponential { mean: 4.0 };
        let at_three = (-0.75_f64).exp();
        assert!((law.distance(&longer) - at_three).abs() < 1e-12);
        // Of five, one ended at 1 and two at 2, where one was cut: 4/5, then half of these.
        let spells = [(2.0, true), (1.0, true), (2.0, false), (2.0, true), (5.0, false)];
        let longer = kaplan_meier(&spells);
        assert_eq!((longer[0], longer.len()), ((1.0, 0.8), 2));
        assert!((longer[1].1 - 0.4).abs() < 1e-12, "{longer:?}");
    }
}
