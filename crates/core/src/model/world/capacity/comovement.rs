//! Co-movement of capacities: states of several paths that are correlated, also negatively.
//!
//! Each path has a latent number that is normally distributed at any time, and the state is by where
//! it lies: the lowest share of its values is `none`, as large as the share of time that the law of
//! the path has for it, then `partial`, then `full`. So each keeps its shares of time. The numbers
//! are stationary autoregressions of one relaxation time, looked at once a step, whose correlation is
//! set for each pair so that the phi coefficient of "any is there" is the one that is asked for
//! (tetrachoric correlation: Pearson, 1900). How long states last then follows from the relaxation
//! time, no more from the law of the path.

use std::sync::Arc;

use super::law::{CapacityLaw, CapacityState};
use crate::units::{Span, Stream, Time, standard_normal};

/// Steps that are looked at at once.
const MOST_STEPS: usize = 1 << 14;

/// Paths that move together, valid by construction.
#[derive(Clone, Debug, PartialEq)]
pub struct Comovement {
    /// Time between two looks.
    every: Span,
    /// Part of a deviation that is left after that.
    left: f64,
    /// Key of the random streams of the group.
    key: u64,
    /// Rows of the Cholesky factor of the correlations of the latent numbers.
    factor: Vec<Vec<f64>>,
}

/// A member of a group of paths that move together.
#[derive(Clone, Debug, PartialEq)]
pub struct ComovementMember {
    /// The group.
    pub group: Arc<Comovement>,
    /// Row of the path in it.
    pub row: usize,
}

/// A pair of paths whose correlation cannot be had, by their rows, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct ImpossiblePair {
    /// Rows of the two paths.
    pub pair: (usize, usize),
    /// The reason, in a sentence's words.
    pub why: String,
}

impl Comovement {
    /// A group of as many paths as there are `absent`, the share of time in which nothing is there of
    /// each, between 0 and 1. `phi` names pairs of paths by their rows, with the phi coefficient of
    /// "any is there"; other pairs are independent.
    ///
    /// # Errors
    /// A coefficient that is out of reach, alone or beside the others.
    pub fn new(
        absent: &[f64],
        phi: &[((usize, usize), f64)],
        (relaxation, every): (Span, Span),
        key: u64,
    ) -> Result<Self, ImpossiblePair> {
        let count = absent.len();
        let mut latent = vec![vec![0.0; count]; count];
        for (row, of_row) in latent.iter_mut().enumerate() {
            of_row[row] = 1.0;
        }
        for &((one, other), phi) in phi {
            let shares = (absent[one], absent[other]);
            let rho = tetrachoric(shares, phi);
            let rho = rho.map_err(|why| ImpossiblePair { pair: (one, other), why })?;
            (latent[one][other], latent[other][one]) = (rho, rho);
        }
        let factor = cholesky(&latent).map_err(|row| {
            // The strongest one that the row has with those before it.
            let strength = |&other: &usize| libm::fabs(latent[row][other]);
            let others = 0..row;
            let other =
                others.max_by(|one, other| strength(one).total_cmp(&strength(other))).unwrap_or(0);
            let why = "cannot be had beside the other pairs: no three or more numbers have such \
                       correlations"
                .to_owned();
            ImpossiblePair { pair: (other, row), why }
        })?;
        let left = libm::exp(-every.secs_f64() / relaxation.secs_f64());
        Ok(Self { every, left, key, factor })
    }

    /// Between which phi coefficients that of two paths lies, of which nothing is there for these
    /// shares of time; `None` where one of the two is always there, or never.
    pub fn reach((p, q): (f64, f64)) -> Option<(f64, f64)> {
        let is_share = |share: f64| 0.0 < share && share < 1.0;
        let spread = libm::sqrt(p * (1.0 - p) * q * (1.0 - q));
        let of = |both: f64| (both - p * q) / spread;
        let both = (of((p + q - 1.0).max(0.0)), of(p.min(q)));
        (is_share(p) && is_share(q)).then_some(both)
    }
}

/// The latent number of one path, step by step.
#[derive(Clone, Debug)]
pub(super) struct Latent {
    member: ComovementMember,
    /// Sources of chance of the paths up to this one; `None` of those that do not touch it.
    sources: Vec<Option<Stream>>,
    /// Values at which the state changes.
    bounds: [f64; 2],
    value: f64,
}

impl Latent {
    /// The latent number of a path at its anchor.
    pub(super) fn begin(member: &ComovementMember, law: &CapacityLaw, seed: u64) -> Self {
        let group = &member.group;
        let source = |(row, &weight): (usize, &f64)| {
            let stream = || Stream::keyed(seed, "comovement", &[group.key, row as u64]);
            (weight != 0.0).then(stream)
        };
        let sources = group.factor[member.row].iter().enumerate().map(source).collect();
        let [none, partial, _] = law.shares();
        let bound = |share: f64| match share {
            share if share <= 0.0 => f64::NEG_INFINITY,
            share if share >= 1.0 => f64::INFINITY,
            share => standard_normal(share),
        };
        let bounds = [bound(none), bound(none + partial)];
        let mut latent = Self { member: member.clone(), sources, bounds, value: 0.0 };
        latent.value = latent.push();
        latent
    }

    /// The state from `at` on, and the step at which it is another. After very many steps without one
    /// the spell is cut in two.
    pub(super) fn spell(&mut self, at: Time) -> (CapacityState, Option<Time>) {
        let (state, every) = (self.state(), self.member.group.every.micros());
        let mut ends = at.micros();
        for _ in 0..MOST_STEPS {
            let Some(next) = ends.checked_add(every) else { return (state, None) };
            ends = next;
            self.step();
            if self.state() != state {
                break;
            }
        }
        (state, Some(Time::from_micros(ends)))
    }

    /// The state now.
    fn state(&self) -> CapacityState {
        match self.value {
            value if value < self.bounds[0] => CapacityState::None,
            value if value < self.bounds[1] => CapacityState::Partial,
            _ => CapacityState::Full,
        }
    }

    /// Goes on by one step.
    fn step(&mut self) {
        let left = self.member.group.left;
        let push = self.push();
        self.value = left * self.value + libm::sqrt(1.0 - left * left) * push;
    }

    /// A normal number that has the correlations of the group with those of the other paths.
    fn push(&mut self) -> f64 {
        let weights = &self.member.group.factor[self.member.row];
        let terms = self.sources.iter_mut().zip(weights).map(|(source, weight)| match source {
            Some(source) => weight * standard_normal(source.uniform()),
            None => 0.0,
        });
        terms.sum()
    }
}

/// Correlation of two normal numbers of which the lowest shares `absent` have the coefficient `phi`.
fn tetrachoric(absent: (f64, f64), phi: f64) -> Result<f64, String> {
    let (p, q) = absent;
    let Some((low, high)) = Comovement::reach(absent) else {
        return Err("one of the two is always there, or never".to_owned());
    };
    let spread = libm::sqrt(p * (1.0 - p) * q * (1.0 - q));
    if !(low < phi && phi < high) {
        return Err(format!(
            "{phi} is out of reach: with these shares of time it lies between {low:.3} and {high:.3}"
        ));
    }
    let (h, k) = (standard_normal(p), standard_normal(q));
    let (mut least, mut most) = (-std::f64::consts::FRAC_PI_2, std::f64::consts::FRAC_PI_2);
    for _ in 0..60 {
        let middle = (least + most) / 2.0;
        if excess(h, k, middle) / spread < phi { least = middle } else { most = middle }
    }
    Ok(libm::sin((least + most) / 2.0))
}

/// Probability that two normal numbers of correlation sin `angle` are below `h` and `k`, over the
/// product of the two probabilities: the integral of the density over the correlation (Plackett,
/// 1954), by Simpson's rule over the angle.
fn excess(h: f64, k: f64, angle: f64) -> f64 {
    const PANELS: usize = 400;
    let density = |t: f64| {
        let (sine, cosine) = (libm::sin(t), libm::cos(t));
        let rest = cosine * cosine;
        let power = h * h - 2.0 * h * k * sine + k * k;
        if rest < 1e-12 { 0.0 } else { libm::exp(-power / (2.0 * rest)) }
    };
    let step = angle / PANELS as f64;
    let inner = (1..PANELS).map(|at| {
        let weight = if at % 2 == 1 { 4.0 } else { 2.0 };
        weight * density(step * at as f64)
    });
    let sum = density(0.0) + density(angle) + inner.sum::<f64>();
    sum * step / 3.0 / (2.0 * std::f64::consts::PI)
}

/// The lower triangle whose product with its transpose is `matrix`, row by row; the row at which it
/// is not positive definite.
fn cholesky(matrix: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, usize> {
    let mut factor: Vec<Vec<f64>> = Vec::new();
    for (row, of_row) in matrix.iter().enumerate() {
        let mut made: Vec<f64> = Vec::new();
        for column in 0..row {
            let known: f64 = (0..column).map(|at| made[at] * factor[column][at]).sum();
            made.push((of_row[column] - known) / factor[column][column]);
        }
        let rest = of_row[row] - made.iter().map(|value| value * value).sum::<f64>();
        if rest <= 1e-9 {
            return Err(row);
        }
        made.push(libm::sqrt(rest));
        factor.push(made);
    }
    Ok(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::standard_normal_tail;

    /// At the medians the probability that both are below is 1/4 + asin(r) / 2 pi (Sheppard, 1899).
    #[test]
    fn the_excess_is_that_of_the_closed_form_at_the_medians() {
        for r in [-0.9_f64, -0.3, 0.0, 0.5, 0.99] {
            let found = excess(0.0, 0.0, r.asin());
            assert!((found - r.asin() / (2.0 * std::f64::consts::PI)).abs() < 1e-9, "{r}");
            let rho = tetrachoric((0.5, 0.5), 4.0 * found).expect("it is in reach");
            assert!((rho - r).abs() < 1e-6, "{rho}, not {r}");
        }
        // Of all correlation, both are below the lower one.
        let all = excess(-1.0, 0.5, std::f64::consts::FRAC_PI_2);
        let (p, q) = (standard_normal_tail(1.0), standard_normal_tail(-0.5));
        assert!((all - (p - p * q)).abs() < 1e-5, "{all}");
    }

    #[test]
    fn pairs_that_cannot_be_are_named() {
        let steps = (Span::HOUR, Span::from_secs(600));
        let made = |absent: &[f64], phi: &[((usize, usize), f64)]| {
            Comovement::new(absent, phi, steps, 1).expect_err("it is impossible")
        };
        let found = made(&[0.1, 0.2, 0.1], &[((0, 1), 0.1), ((1, 2), -0.42)]);
        assert_eq!(found.pair, (1, 2));
        assert!(found.why.contains("-0.42 is out of reach") && found.why.contains("-0.167"));
        // Three that are each the opposite of the others.
        let opposite = [((0, 1), -0.6), ((0, 2), -0.6), ((1, 2), -0.6)];
        let found = made(&[0.5; 3], &opposite);
        assert!(found.pair.1 == 2 && found.why.contains("beside the other pairs"));
        assert!(made(&[0.0, 0.5], &[((0, 1), 0.1)]).why.contains("always there, or never"));
    }

    #[test]
    fn a_factor_gives_its_matrix_back() {
        let matrix = vec![vec![1.0, 0.5, -0.3], vec![0.5, 1.0, 0.2], vec![-0.3, 0.2, 1.0]];
        let factor = cholesky(&matrix).expect("it is positive definite");
        for row in 0..3 {
            for column in 0..=row {
                let sum: f64 = (0..=column).map(|at| factor[row][at] * factor[column][at]).sum();
                assert!((sum - matrix[row][column]).abs() < 1e-12);
            }
        }
        assert_eq!(cholesky(&[vec![1.0, 1.0], vec![1.0, 1.0]]), Err(1));
    }

    /// Three paths with different shares: measured phi coefficients and shares of time over 300,000
    /// steps. A relaxation of 3 steps leaves an effective number of some 300,000 / 6.
    #[test]
    fn measured_coefficients_are_those_asked_for() {
        let law = |per_hour: f64| CapacityLaw::memoryless(1, per_hour, 3_600.0).expect("a law");
        let laws = [law(0.25), law(0.5), law(1.0)];
        let absent: Vec<f64> = laws.iter().map(|law| law.shares()[0]).collect();
        let (ten, every) = (Span::from_secs(1_800), Span::from_secs(600));
        let asked = [((0, 1), 0.3), ((1, 2), -0.42), ((0, 2), 0.1)];
        let group = Comovement::new(&absent, &asked, (ten, every), 5).expect("it is possible");
        let group = Arc::new(group);
        let mut paths: Vec<Latent> = (0..3)
            .map(|row| {
                let member = ComovementMember { group: Arc::clone(&group), row };
                Latent::begin(&member, &laws[row], 1)
            })
            .collect();
        let count = 300_000;
        let mut seen = vec![[false; 3]; count];
        for look in &mut seen {
            for (row, path) in paths.iter_mut().enumerate() {
                look[row] = path.state() != CapacityState::None;
                path.step();
            }
        }
        let share = |of: &dyn Fn(&[bool; 3]) -> bool| {
            seen.iter().filter(|look| of(look)).count() as f64 / count as f64
        };
        for row in 0..3 {
            let there = share(&|look| look[row]);
            assert!((there + absent[row] - 1.0).abs() < 0.01, "{row}: {there}");
        }
        for ((one, other), phi) in asked {
            let (p, q) = (share(&|look| look[one]), share(&|look| look[other]));
            let both = share(&|look| look[one] && look[other]);
            let found = (both - p * q) / (p * (1.0 - p) * q * (1.0 - q)).sqrt();
            assert!((found - phi).abs() < 4.0 / 50_000_f64.sqrt(), "{found}, not {phi}");
        }
    }

    /// A path is the same whether the others are looked at or not, and in a run its spells end at
    /// steps.
    #[test]
    fn a_path_needs_no_other() {
        let law = CapacityLaw::memoryless(1, 1.0, 3_600.0).expect("a law");
        let steps = (Span::HOUR, Span::from_secs(600));
        let group = Comovement::new(&[0.5; 2], &[((0, 1), -0.5)], steps, 5).expect("possible");
        let member = ComovementMember { group: Arc::new(group), row: 1 };
        let (mut one, mut same) =
            (Latent::begin(&member, &law, 1), Latent::begin(&member, &law, 1));
        let mut at = Time::ZERO;
        for _ in 0..1_000 {
            let (state, ends) = one.spell(at);
            let ends = ends.expect("it goes on");
            assert_eq!(ends.micros() % 600_000_000, 0);
            while at < ends {
                assert_eq!(same.state(), state);
                same.step();
                at = at + Span::from_secs(600);
            }
        }
    }
}
