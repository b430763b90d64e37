//! The simulator against textbooks: systems whose answers are known exactly,
//! run through the ordinary engine, synthesis and policies.
//!
//! The rule that decides was fixed before any result was seen (see [`judge`]):
//! independent replications from fixed seeds, warm-up and cool-down left out;
//! the mean must lie within 4.79 standard errors of the exact value, and the
//! standard error must be small enough for that to mean something.

pub mod bills;
pub mod coverage;
pub mod easy;
pub mod exact;
pub mod failing;
pub mod judge;
pub mod listed;
pub mod oracle;
pub mod renewal;
pub mod sizing;
pub mod station;
mod systems;
pub mod theory;
pub mod watch;

use std::ops::ControlFlow;

use rayon::prelude::*;
use serde::Serialize;

use crate::metrics::Laws;
use crate::policy;
use crate::sim::{self, Options};
use crate::units::Stream;

pub use judge::{CheckRow, CheckVerdict};
pub use oracle::{Case, ExactAnswer, Measure};

use judge::IntervalLimits;
use watch::WindowWatch;

/// Replications of each case.
pub const REPLICATIONS: u64 = 32;

/// Number from which every seed is derived.
const SEED: u64 = 20_260_101;

/// Effort of a verification: the amount that is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effort {
    /// About a minute on two cores; half as precise.
    Quick,
    /// About ten minutes on two cores.
    Full,
}

impl Effort {
    /// Widest intervals that a result may have.
    pub const fn limits(self) -> IntervalLimits {
        match self {
            Self::Quick => IntervalLimits { mean: 0.02, tail: 0.04 },
            Self::Full => IntervalLimits { mean: 0.01, tail: 0.02 },
        }
    }
}

/// Result of a verification: everything that was checked.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// Effort of the verification.
    pub effort: Effort,
    /// Lines of the report, one per quantity.
    pub rows: Vec<CheckRow>,
}

impl VerifyReport {
    /// Whether every line passed.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(|row| row.verdict == CheckVerdict::Pass)
    }
}

/// Checks everything; `told` hears of each line as soon as it is known.
///
/// # Errors
/// A sentence on a run that could not be done, which is a bug.
pub fn verify(effort: Effort, told: &mut dyn FnMut(&CheckRow)) -> Result<VerifyReport, String> {
    let mut rows = Vec::new();
    let mut add = |row: CheckRow, rows: &mut Vec<CheckRow>| {
        told(&row);
        rows.push(row);
    };
    let exact = exact::micro_cases()?.into_iter().chain(easy::rows()?).chain(bills::rows()?);
    for row in exact {
        add(row, &mut rows);
    }
    let (mut runs, mut balanced) = (0_u64, 0_u64);
    for case in oracle::cases() {
        let outcome = replicate(&case, case.jobs(effort))?;
        runs += REPLICATIONS;
        balanced += outcome.balanced;
        for row in outcome.rows(&case, effort.limits()) {
            add(row, &mut rows);
        }
    }
    let little = CheckRow::exact(
        "Little's law",
        "runs where the work alive, integrated, is the sum of turnarounds",
        "Little 1961; an identity of whole microseconds",
        runs as f64,
        balanced as f64,
    );
    add(little, &mut rows);
    for row in sizing::rows()? {
        add(row, &mut rows);
    }
    Ok(VerifyReport { effort, rows })
}

/// Measured values of one case, by answer and replication.
#[derive(Clone, Debug)]
pub struct MeasuredCase {
    /// Values by answer, one per replication.
    pub values: Vec<Vec<f64>>,
    /// Replications that kept Little's law as an identity.
    pub balanced: u64,
}

impl MeasuredCase {
    /// Lines of the report, one per answer of `case`.
    pub fn rows(&self, case: &Case, limits: IntervalLimits) -> Vec<CheckRow> {
        let judged = |(answer, values): (&ExactAnswer, &Vec<f64>)| {
            CheckRow::judged(case.name, answer, values, limits)
        };
        case.answers.iter().zip(&self.values).map(judged).collect()
    }
}

/// Runs all replications of `case`, each with `jobs` pieces of work.
///
/// # Errors
/// A sentence on a run that could not be done, or that broke a law.
pub fn replicate(case: &Case, jobs: u64) -> Result<MeasuredCase, String> {
    let mut seeds = Stream::of(SEED, case.name, 0);
    let seeds: Vec<u64> = (0..REPLICATIONS).map(|_| seeds.next_u64()).collect();
    let results: Result<Vec<WindowWatch>, String> =
        seeds.par_iter().map(|&seed| run_once(case, jobs, seed)).collect();
    let watches = results?;
    let values = case
        .answers
        .iter()
        .map(|answer| watches.iter().map(|watch| watch.value(answer.measure)).collect())
        .collect();
    let balanced = watches.iter().filter(|watch| watch.is_balanced()).count() as u64;
    Ok(MeasuredCase { values, balanced })
}

fn run_once(case: &Case, jobs: u64, seed: u64) -> Result<WindowWatch, String> {
    let fail = |what: String| format!("{}, seed {seed}: {what}", case.name);
    let mut world = case.station.world();
    world.faults.clone_from(&case.faults);
    let mut source = station::source(case, jobs, seed).map_err(&fail)?;
    let mut policy = policy::build(&case.policy);
    let mut observer = (WindowWatch::new(case, jobs), Laws::new(false));
    let options = Options { seed, ..Options::default() };
    let mut go_on = |_: sim::RunProgress| ControlFlow::Continue(());
    sim::run(&world, &mut *source, &mut *policy, &options, &mut observer, &mut go_on)
        .map_err(|failure| fail(format!("{failure:?}")))?;
    let (watch, laws) = observer;
    match laws.broken() {
        Some(broken) => Err(fail(format!("broke a law: {} ({})", broken.law, broken.found))),
        None => Ok(watch),
    }
}
