//! The answer: which policy to take, what it saves, which promises it gains
//! and loses, and what that rests on.

use super::compare::{Chance, Comparison, Side};
use super::lab::{Lab, LabFailure};
use super::measurement::Measurement;
use super::sensitivity::{Influence, sensitivity};
use super::statistics::{Interval, t_interval};

/// Seconds of a month: a twelfth of a Gregorian year of 365.2425 days.
pub const MONTH_S: f64 = 365.2425 * 86_400.0 / 12.0;
/// A promise counts as kept where it is in at least this share of the replications.
const KEPT: f64 = 0.95;

/// Whether a promise is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// In fewer than one in twenty replications.
    Broken,
    /// In some.
    Sometimes,
    /// In at least 19 of 20.
    Kept,
}

/// A saving with its interval, where chance was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saving {
    /// Dollars per month less than the baseline; negative where it costs more.
    pub monthly: f64,
    /// Its interval.
    pub interval: Option<Interval>,
}

/// What is decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Row of the policy to take; the baseline's where none is better.
    pub choice: usize,
    /// What it saves; none where the work done differs, and costs cannot be compared.
    pub saving: Option<Saving>,
    /// Rows of the objectives that are kept more surely than under the baseline.
    pub gained: Vec<usize>,
    /// Rows of those kept less surely.
    pub lost: Vec<usize>,
    /// By objective, under the choice.
    pub promises: Vec<Promise>,
    /// Assumptions by influence on the saving (or on the cost per useful
    /// core-hour, where costs cannot be compared), the strongest first.
    pub influences: Vec<Influence>,
}

/// Decides: the policy that keeps most promises, and among those the one with
/// the lowest cost per useful core-hour (or in all, where that shows nothing).
/// The baseline stays where no other is ahead of it.
///
/// # Errors
/// See [`LabFailure`]: assumptions are moved in runs of their own.
pub fn decide(
    lab: &Lab<'_>,
    sides: &[Side<'_>],
    comparison: &Comparison,
) -> Result<Decision, LabFailure> {
    let base = comparison.baseline;
    let choice = choose(comparison);
    let mine = promises(comparison, choice);
    let theirs = promises(comparison, base);
    let changed = |better: bool| -> Vec<usize> {
        let is = |&at: &usize| if better { mine[at] > theirs[at] } else { mine[at] < theirs[at] };
        (0..mine.len()).filter(is).collect()
    };
    let comparable = comparison.policies[choice].comparable;
    let influences = match choice == base {
        true => Vec::new(),
        false => sensitivity(
            lab,
            [&sides[base], &sides[choice]],
            comparison.repetition,
            comparison.replications,
            |a, b| match comparable {
                true => monthly_saving(a, b),
                false => Some(per_hour(a)? - per_hour(b)?),
            },
        )?,
    };
    Ok(Decision {
        choice,
        saving: (comparable && choice != base).then(|| saving(comparison, choice)).flatten(),
        gained: changed(true),
        lost: changed(false),
        promises: mine,
        influences,
    })
}

fn per_hour(one: &Measurement) -> Option<f64> {
    one.metric("cost_per_core_hour")
}

/// Dollars per month that `b` costs less than `a`, scaled from the time over
/// which work arrived. Both had the same arrivals.
fn monthly_saving(a: &Measurement, b: &Measurement) -> Option<f64> {
    let seconds = a.arrivals_s.max(b.arrivals_s);
    (seconds > 0.0).then(|| (a.cost - b.cost) as f64 / 1e9 * MONTH_S / seconds)
}

fn saving(comparison: &Comparison, row: usize) -> Option<Saving> {
    let base = &comparison.policies[comparison.baseline].measurements;
    let pairs = base.iter().zip(&comparison.policies[row].measurements);
    let savings: Option<Vec<f64>> = pairs.map(|(a, b)| monthly_saving(a, b)).collect();
    let savings = savings?;
    let monthly = savings.iter().sum::<f64>() / savings.len() as f64;
    let seen = !matches!(comparison.chance, Chance::None | Chance::Unknown);
    let interval = t_interval(&savings, comparison.judging.confidence).filter(|_| seen);
    Some(Saving { monthly, interval })
}

/// By objective.
fn promises(comparison: &Comparison, row: usize) -> Vec<Promise> {
    let policy = &comparison.policies[row];
    let all = policy.measurements.len() as f64;
    let promise = |&kept: &u32| match f64::from(kept) / all {
        share if share >= KEPT => Promise::Kept,
        share if share <= 1.0 - KEPT => Promise::Broken,
        _ => Promise::Sometimes,
    };
    policy.kept.iter().map(promise).collect()
}

fn choose(comparison: &Comparison) -> usize {
    let mean = |row: usize, key: &str| {
        let values = comparison.policies[row].measurements.iter().filter_map(|one| one.metric(key));
        let values: Vec<f64> = values.collect();
        match values.len() {
            0 => f64::INFINITY,
            n => values.iter().sum::<f64>() / n as f64,
        }
    };
    let all_same = comparison.comparable();
    let cost = |row: usize| match all_same {
        true => mean(row, "cost_total"),
        false => mean(row, "cost_per_core_hour"),
    };
    let kept = |row: usize| comparison.policies[row].kept.iter().sum::<u32>();
    let mut choice = comparison.baseline;
    for row in 0..comparison.policies.len() {
        let (mine, best) = (kept(row), kept(choice));
        if mine > best || (mine == best && cost(row) < cost(choice)) {
            choice = row;
        }
    }
    choice
}
