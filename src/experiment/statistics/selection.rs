//! Selection of the best of several alternatives: with a stated probability, or with as few
//! replications as possible. Less is better throughout; negate what should be large.

use super::sample::Sample;

/// The fully sequential procedure of Kim and Nelson, "A fully sequential
/// procedure for indifference-zone selection in simulation", ACM TOMACS 11(3),
/// 2001, with c = 1: if the best is better than all others by `zone` or more,
/// it is chosen with probability 1 - `alpha` at least. Common random numbers
/// are welcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KimNelson {
    /// Probability of a wrong choice, 0 to 1.
    pub alpha: f64,
    /// The smallest difference worth finding, more than 0.
    pub zone: f64,
    /// Replications of each alternative before the first look, at least 2; 20.
    pub first: usize,
}

/// State of a selection after a number of replications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Alternatives still in, in order of index.
    pub survivors: Vec<usize>,
    /// Replications of each survivor that were looked at.
    pub looked: usize,
    /// The fewest more that each survivor must have before the next look; 0 at
    /// the end.
    pub more: usize,
    /// The most more that each survivor can need until the end. Drawing ahead
    /// wastes runs but does not change the choice.
    pub at_most: usize,
}

impl Stage {
    /// The choice, once it is made.
    pub fn best(&self) -> Option<usize> {
        (self.more == 0).then(|| self.survivors[0])
    }
}

impl KimNelson {
    /// eta = ((2 alpha / (k - 1))^(-2 / (n0 - 1)) - 1) / 2 and then
    /// h^2 = 2 eta (n0 - 1), for `k` alternatives, at least 2.
    fn h_squared(&self, k: usize) -> f64 {
        let freedom = (self.first - 1) as f64;
        let eta = 0.5 * (libm::pow(2.0 * self.alpha / (k - 1) as f64, -2.0 / freedom) - 1.0);
        2.0 * eta * freedom
    }

    /// Replays the procedure over the replications so far, one row of values
    /// per alternative. Rows of alternatives that are out may stay short.
    /// Panics without alternatives, and on parameters out of their ranges.
    pub fn stage(&self, samples: &[Vec<f64>]) -> Stage {
        assert!(!samples.is_empty(), "a selection has alternatives");
        assert!(self.zone > 0.0 && self.first >= 2, "{self:?} is out of range");
        let everyone: Vec<usize> = (0..samples.len()).collect();
        if samples.len() == 1 {
            return Stage { survivors: everyone, looked: 0, more: 0, at_most: 0 };
        }
        let fewest = samples.iter().map(Vec::len).min().unwrap_or(0);
        if fewest < self.first {
            let (more, at_most) = (self.first - fewest, usize::MAX);
            return Stage { survivors: everyone, looked: 0, more, at_most };
        }
        let reach = self.reach(samples);
        let sum = |row: &Vec<f64>| row[..self.first].iter().sum();
        let mut sums: Vec<f64> = samples.iter().map(sum).collect();
        let mut survivors = everyone;
        let mut looked = self.first;
        loop {
            survivors = self.screen(&sums, &survivors, &reach, looked);
            let last = last_look(&survivors, &reach, self.zone);
            if survivors.len() == 1 || looked >= last {
                let less = |best, &at: &usize| if sums[at] < sums[best] { at } else { best };
                let best = survivors.iter().fold(survivors[0], less);
                return Stage { survivors: vec![best], looked, more: 0, at_most: 0 };
            }
            if survivors.iter().any(|&at| samples[at].len() <= looked) {
                return Stage { survivors, looked, more: 1, at_most: last - looked };
            }
            for &at in &survivors {
                sums[at] += samples[at][looked];
            }
            looked += 1;
        }
    }

    /// h^2 S^2 / zone for each pair, S^2 the variance of their difference over
    /// the first replications.
    fn reach(&self, samples: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let scale = self.h_squared(samples.len()) / self.zone;
        let spread = |a: &[f64], b: &[f64]| {
            let differences = a.iter().zip(b).take(self.first).map(|(a, b)| a - b);
            Sample::over(differences).map_or(0.0, |sample| sample.variance)
        };
        samples.iter().map(|a| samples.iter().map(|b| scale * spread(a, b)).collect()).collect()
    }

    /// Survivors whose mean of `r` exceeds no other's by more than W = max(0, (h^2 S^2 / zone -
    /// zone r) / 2r).
    fn screen(
        &self,
        sums: &[f64],
        survivors: &[usize],
        reach: &[Vec<f64>],
        r: usize,
    ) -> Vec<usize> {
        let slack =
            |at: usize, rival: usize| ((reach[at][rival] - self.zone * r as f64) / 2.0).max(0.0);
        let stays =
            |&at: &usize| survivors.iter().all(|&rival| sums[at] <= sums[rival] + slack(at, rival));
        survivors.iter().copied().filter(stays).collect()
    }
}

/// The look at which the continuation region of every pair is closed: one after
/// the largest floor(h^2 S^2 / zone^2).
fn last_look(survivors: &[usize], reach: &[Vec<f64>], zone: f64) -> usize {
    let pairs = survivors.iter().flat_map(|&a| survivors.iter().map(move |&b| reach[a][b]));
    let widest = pairs.fold(0.0, f64::max);
    ((widest / zone) as usize).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Distribution, Stream};

    const RULE: KimNelson = KimNelson { alpha: 0.05, zone: 1.0, first: 20 };

    #[test]
    fn published_constants() {
        for (k, expected) in [(2, 5.211_225), (5, 9.015_056), (10, 11.511_485)] {
            let found = RULE.h_squared(k);
            assert!((found - expected).abs() < 5e-7, "{k}: {found}");
        }
    }

    /// Two alternatives whose first two differences are 0 and 2 (S^2 = 2), with
    /// n0 = 2, alpha = 1/4: eta = (0.5^-2 - 1) / 2 = 1.5, h^2 = 3, and with a
    /// zone of 1 the reach is 6, closed at look 7.
    #[test]
    fn stages_by_hand() {
        let rule = KimNelson { alpha: 0.25, zone: 1.0, first: 2 };
        let row = |values: &[f64]| values.to_vec();
        let stage = |a: &[f64], b: &[f64]| rule.stage(&[row(a), row(b)]);
        let start = stage(&[0.0], &[]);
        assert_eq!((start.looked, start.more, start.survivors.len()), (0, 2, 2));
        // Look 2: sums 0 and 2, slack (6 - 2) / 2 = 2: both stay.
        let both = stage(&[0.0, 0.0], &[0.0, 2.0]);
        let expected = Stage { survivors: vec![0, 1], looked: 2, more: 1, at_most: 5 };
        assert_eq!((both.best(), both), (None, expected));
        // Look 3: sums 0 and 2, slack 1.5: the second is out, whatever follows.
        let out = stage(&[0.0, 0.0, 0.0, 9.0], &[0.0, 2.0, 0.0]);
        assert_eq!((out.best(), out.looked), (Some(0), 3));
        // -1 at every look from the third keeps them close to the end.
        let close = [0.0, 2.0, -1.0, -1.0, 0.0, 0.0, -0.1];
        let end = stage(&[0.0; 7], &close);
        assert_eq!((end.best(), end.looked), (Some(1), 7));
    }

    #[test]
    fn one_alternative_is_best() {
        assert_eq!(RULE.stage(&[vec![]]).best(), Some(0));
        // No spread: the first look decides, and the first of equals wins.
        let same = RULE.stage(&[vec![2.0; 20], vec![1.0; 20], vec![1.0; 20]]);
        assert_eq!(same.best(), Some(1));
    }

    /// The least favourable means: all others worse by exactly the zone. Of 200
    /// selections at least 95 % must be right, less four standard errors: 178.
    #[test]
    fn the_best_is_chosen_as_often_as_promised() {
        let choose = |repeat: u64| {
            let draw = |k: u64, replication: u64| {
                let mean = if k == 2 { 10.0 } else { 11.0 };
                let law = Distribution::normal(mean, 3.0).expect("valid parameters");
                law.sample(&mut Stream::keyed(1, "selection", &[repeat, k, replication]))
            };
            let mut samples = vec![Vec::new(); 4];
            loop {
                let stage = RULE.stage(&samples);
                if let Some(best) = stage.best() {
                    return best;
                }
                for at in stage.survivors {
                    let wanted = stage.looked.max(samples[at].len()) + stage.more;
                    let from = samples[at].len() as u64;
                    samples[at].extend((from..wanted as u64).map(|n| draw(at as u64, n)));
                }
            }
        };
        let right = (0..200).filter(|&repeat| choose(repeat) == 2).count();
        assert!(right >= 178, "{right} of 200");
    }
}
