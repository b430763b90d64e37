//! Test that intervals keep their word: a system with a known answer, simulated again and again,
//! each time with an interval for its mean.

use rayon::prelude::*;
use serde::Serialize;

use super::{SEED, oracle, run_once};
use crate::experiment::statistics::{coverage, t_interval};
use crate::units::Stream;

/// Confidence of the intervals.
const CONFIDENCE: f64 = 0.95;
/// Probability with which honest intervals pass.
const PASS: f64 = 0.999;

/// Count of the intervals that held the exact value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// Intervals made.
    pub repeats: u64,
    /// Replications behind each interval.
    pub replications: u64,
    /// Jobs in each replication.
    pub jobs: u64,
    /// Intervals that held the exact value.
    pub covered: u64,
    /// Fewest and most that honest intervals cover, with a chance of one in a
    /// thousand to lie outside.
    pub band: (u64, u64),
}

impl Coverage {
    /// Whether the count lies in the band.
    pub fn passed(&self) -> bool {
        (self.band.0..=self.band.1).contains(&self.covered)
    }
}

/// Makes `repeats` 95 % intervals for the mean wait of an M/M/1 queue at a load
/// of 0.8, each from `replications` of `jobs` jobs, all from fixed seeds. `step`
/// hears of every interval.
///
/// # Errors
/// A sentence on a run that could not be done, which is a bug.
pub fn coverage(
    repeats: u64,
    replications: u64,
    jobs: u64,
    step: &(dyn Fn() + Sync),
) -> Result<Coverage, String> {
    let case = oracle::cases().into_iter().next().ok_or("there are no cases")?;
    let answer = case.answers.first().ok_or("the case has no answer")?;
    let covers = |repeat: u64| -> Result<bool, String> {
        let mut seeds = Stream::of(SEED, "coverage", repeat);
        let values: Result<Vec<f64>, String> = (0..replications)
            .map(|_| Ok(run_once(&case, jobs, seeds.next_u64())?.value(answer.measure)))
            .collect();
        let interval = t_interval(&values?, CONFIDENCE);
        step();
        Ok(interval.is_some_and(|interval| interval.covers(answer.expected)))
    };
    let hits: Result<Vec<bool>, String> = (0..repeats).into_par_iter().map(covers).collect();
    let covered = hits?.into_iter().filter(|&hit| hit).count() as u64;
    let band = coverage::band(repeats, CONFIDENCE, PASS);
    Ok(Coverage { repeats, replications, jobs, covered, band })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_keep_their_word() {
        let found = coverage(60, 8, 4_000, &|| ()).expect("it runs");
        assert!(found.passed(), "{found:?}");
        // A band that everything passes would show nothing.
        assert!(found.band.0 > 45, "{found:?}");
    }

    #[test]
    fn enough_intervals_tell_92_from_95_percent() {
        let (low, _) = coverage::band(3_000, CONFIDENCE, PASS);
        // Intervals that hold the answer 92 times in 100 pass once in a thousand times.
        assert!(coverage::band(3_000, 0.92, 0.998).1 < low, "{low}");
        assert!(coverage::band(400, 0.92, 0.998).1 > coverage::band(400, CONFIDENCE, PASS).0);
    }
}
