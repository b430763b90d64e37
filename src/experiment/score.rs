//! One number for a policy, for people and programs that search for better
//! ones.

use rayon::prelude::*;

use super::bound;
use super::check::{self, Trial};
use super::compare::{ExperimentFailure, RepetitionPlan};
use super::measurement::{Measurement, Slowness};
use super::runner::{Runner, RunnerFailure};
use super::single::RunFailure;
use crate::problem::{Problem, Problems};
use crate::scenario::{Scenario, Tested};

/// Added to both costs, so that what costs nothing can be compared: a cent.
const CENT: f64 = 0.01;

/// Score of a policy in one replication, or on average in several, against the baseline of the
/// scenario.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// `done` x 2^-`broken` / sqrt(max(`cost`, `floor`) x `slowdown`): 1 is as good as
    /// the baseline with all promises kept, more is better, 0 is the least. The
    /// floor is 1 for a run that does less than the baseline, and 0 otherwise.
    pub value: f64,
    /// Cost over the baseline's, a cent added to each.
    pub cost: f64,
    /// Mean bounded slowdown of all work over the baseline's. Work that was not
    /// done counts as if it began as the later of both runs ended.
    pub slowdown: f64,
    /// Useful work over the baseline's, at most 1: the least of finished pieces,
    /// core-hours and GPU-hours.
    pub done: f64,
    /// Promises of the scenario that were broken: all of them by a run that does
    /// less than the baseline.
    pub broken: f64,
}

/// Bounds that no policy can beat in one replication, among runs that do as much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Possible {
    /// The score of a policy at both bounds that breaks no promise; not all of it need be within
    /// reach. `None` if one of the bounds is not known.
    pub value: Option<f64>,
    /// Least cost in dollars.
    pub cost: Option<f64>,
    /// Least mean bounded slowdown.
    pub slowdown: Option<f64>,
}

impl Possible {
    /// Bounds on the runs of a replication that do as much as `run`, against `base`.
    ///
    /// # Errors
    /// Problems with the workload.
    pub fn of(
        scenario: &Scenario,
        (plan, replication): (&RepetitionPlan, u32),
        run: &Measurement,
        base: &Measurement,
    ) -> Result<Self, Problems> {
        let repeated = plan.repetition.scenario(scenario, replication);
        let seed = plan.repetition.seed(scenario, replication);
        let bounds = bound::of(&repeated, seed, plan.repetition.warm_up())?;
        let value = |key: &str| {
            bounds.of_run(key, run.done.finished, |key| run.metric(key)).map(|bound| bound.value)
        };
        let (cost, slowdown) = (value("cost_total"), value("slowdown_mean"));
        let value = cost.zip(slowdown).map(|(cost, slowdown)| {
            let cost = (cost + CENT) / (base.cost as f64 / 1e9 + CENT);
            let until = run.slowness.ended_s.max(base.slowness.ended_s);
            // The bound is of what finishes; what nobody can do is the same for all.
            let sum = slowdown.max(1.0) * run.slowness.finished as f64;
            let least = Slowness { sum, ..run.slowness };
            1.0 / libm::sqrt(cost * least.mean(until) / base.slowness.mean(until))
        });
        Ok(Self { value, cost, slowdown })
    }
}

impl Score {
    /// Score of one replication.
    pub fn of(run: &Measurement, base: &Measurement) -> Self {
        let dollars = |one: &Measurement| one.cost as f64 / 1e9 + CENT;
        let share = |now: f64, base: f64| if base > 0.0 { (now / base).min(1.0) } else { 1.0 };
        let (work, base_work) = (&run.done, &base.done);
        let done = share(work.finished as f64, base_work.finished as f64)
            .min(share(work.core_hours, base_work.core_hours))
            .min(share(work.gpu_hours, base_work.gpu_hours));
        // Hours are sums, so they may differ in their last digits.
        let less = done < 1.0 - 1e-9;
        let broken = run.kept.iter().filter(|&&kept| less || !kept).count() as f64;
        let until = run.slowness.ended_s.max(base.slowness.ended_s);
        let slowdown = run.slowness.mean(until) / base.slowness.mean(until);
        let cost = dollars(run) / dollars(base);
        let counted = if less { cost.max(1.0) } else { cost };
        let value = done * libm::exp2(-broken) / libm::sqrt(counted * slowdown);
        Self { value, cost, slowdown, done, broken }
    }

    /// Mean of several scores: geometric means of ratios, arithmetic means of shares and counts;
    /// `None` without scores.
    pub fn mean(scores: &[Self]) -> Option<Self> {
        let over = |of: fn(&Self) -> f64| scores.iter().map(of).sum::<f64>() / scores.len() as f64;
        let geometric = |of: fn(&Self) -> f64| {
            let logs: f64 = scores.iter().map(|score| libm::log(of(score))).sum();
            // The logarithm of nothing is minus infinity, whose exponential is nothing again.
            libm::exp(logs / scores.len() as f64)
        };
        (!scores.is_empty()).then(|| Self {
            value: geometric(|score| score.value),
            cost: geometric(|score| score.cost),
            slowdown: geometric(|score| score.slowdown),
            done: over(|score| score.done),
            broken: over(|score| score.broken),
        })
    }
}

/// A policy in one scenario of a suite, against the baseline of the scenario.
#[derive(Clone, Debug)]
pub struct ScoredPolicy {
    /// Name of the scenario in the suite.
    pub scenario: String,
    /// Name of the policy, and of the baseline.
    pub names: [String; 2],
    /// Runs of the policy and of the baseline: one per replication, or one that stands for all.
    pub runs: [Vec<Measurement>; 2],
    /// Score of the policy.
    pub score: Score,
    /// Score of the baseline against itself, which breaks promises too.
    pub own: Score,
    /// Bounds that no policy could beat, by replication.
    pub possible: Vec<Possible>,
}

impl ScoredPolicy {
    /// Scores the policy in row `row` of `scenario`, which is that of `tested` but for its
    /// policies.
    ///
    /// # Errors
    /// See [`ExperimentFailure`].
    pub fn of(
        runner: &Runner<'_>,
        tested: &Tested,
        (scenario, row): (Scenario, usize),
    ) -> Result<Self, ExperimentFailure> {
        let plan = check::plan_of(runner, tested)?;
        let candidate = Tested { scenario, ..tested.clone() };
        let measured = |tested, row| {
            let ran = check::measure(runner, tested, &plan, &[(row, None)])
                .map_err(ExperimentFailure::Runs)?;
            let [Trial { policy, runs, .. }]: [Trial<'_>; 1] =
                ran.try_into().expect("there is a trial for each row");
            Ok((policy.name.clone(), runs))
        };
        let (name, ran) = measured(&candidate, row)?;
        let (base_name, base) = measured(tested, tested.scenario.baseline)?;
        // A policy that is not random ran once, and stands for every replication.
        let all = ran.len().max(base.len());
        let at = |runs: &'_ [Measurement], row: usize| runs[row.min(runs.len() - 1)].clone();
        let scores = |now: &[Measurement]| {
            let all: Vec<Score> =
                (0..all).map(|row| Score::of(&at(now, row), &at(&base, row))).collect();
            Score::mean(&all)
        };
        let (Some(score), Some(own)) = (scores(&ran), scores(&base)) else {
            let problem = Problem::with(&tested.scenario.path, "nothing was run");
            return Err(ExperimentFailure::Problem(
                problem.hint("ask for one replication at least"),
            ));
        };
        let possible: Result<Vec<Possible>, Problems> = (0..all)
            .into_par_iter()
            .map(|row| {
                let replication = (&plan, row as u32);
                Possible::of(&candidate.scenario, replication, &at(&ran, row), &at(&base, row))
            })
            .collect();
        let possible = possible.map_err(|problems| {
            let failure = Box::new(RunFailure::Input(problems));
            let seed = candidate.scenario.seed;
            ExperimentFailure::Runs(RunnerFailure::Run { policy: name.clone(), seed, failure })
        })?;
        let names = [name, base_name];
        Ok(Self { scenario: tested.name.clone(), names, runs: [ran, base], score, own, possible })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Series, Summary, Undone};

    fn run(dollars: i128, slowdown: f64, finished: u64, kept: Vec<bool>) -> Measurement {
        let (summary, series) = (Summary::default(), Series::default());
        let mut run = Measurement::of(&summary, &series, kept, None);
        run.cost = dollars * 1_000_000_000;
        run.done.finished = finished;
        run.done.core_hours = finished as f64;
        // Undone pieces of ten that arrive at once, each 100 s long.
        let count = 10_u64.saturating_sub(finished);
        let undone = Undone { count, inverse: count as f64 / 100.0, ..Undone::default() };
        let sum = slowdown * finished as f64;
        run.slowness = Slowness { finished, sum, undone, ended_s: 1_000.0 };
        run
    }

    #[track_caller]
    fn check(now: &Measurement, want: f64) {
        let base = run(100, 2.0, 10, vec![true, true]);
        let found = Score::of(now, &base).value;
        // A cent is added to both costs.
        assert!((found - want).abs() < 1e-3, "{found}, not {want}");
    }

    #[test]
    fn scores_by_hand() {
        check(&run(100, 2.0, 10, vec![true, true]), 1.0);
        // A quarter of the cost is twice as good, as is a quarter of the slowdown.
        check(&run(25, 2.0, 10, vec![true, true]), 2.0);
        check(&run(100, 8.0, 10, vec![true, true]), 0.5);
        check(&run(100, 2.0, 10, vec![true, false]), 0.5);
        // Half of the work is done, no promise is kept, and of ten pieces five are
        // slower by 11 instead of 2, having waited for 1,000 s: 13 over 4 as slow.
        check(&run(100, 2.0, 5, vec![true, true]), 0.125 / libm::sqrt(13.0 / 4.0));
        // A policy that does less saves nothing.
        check(&run(25, 2.0, 5, vec![true, true]), 0.125 / libm::sqrt(13.0 / 4.0));
        // More work than the baseline's is no merit: there is only so much.
        check(&run(100, 2.0, 20, vec![true, true]), 1.0);
        check(&run(0, 1.0, 0, vec![true, true]), 0.0);
    }

    /// One more piece of work that begins before the end is no loss, whatever the rest is like,
    /// even if it is the slowest and breaks every promise.
    #[test]
    fn refusing_work_never_pays() {
        let base = run(100, 2.0, 10, vec![true, true]);
        for (dollars, slowdown, broken) in [(10, 1.0, 0), (100, 4.0, 1), (300, 1.5, 2)] {
            let kept = (0..2).map(|row| row >= broken).collect::<Vec<_>>();
            for finished in 0..10 {
                let less = run(dollars, slowdown, finished, kept.clone());
                let mut more = run(dollars, slowdown, finished + 1, vec![false, false]);
                // The piece began at the very end: (1,000 s + 100 s) / 100 s.
                more.slowness.sum = less.slowness.sum + 11.0;
                let (less, more) = (Score::of(&less, &base), Score::of(&more, &base));
                assert!(less.value <= more.value, "{finished}: {less:?}, {more:?}");
            }
        }
    }

    #[test]
    fn means_of_ratios_are_geometric() {
        let base = run(100, 2.0, 10, Vec::new());
        let of = |dollars| Score::of(&run(dollars, 2.0, 10, Vec::new()), &base);
        let mean = Score::mean(&[of(25), of(400)]).expect("two scores");
        assert!((mean.value - 1.0).abs() < 1e-4 && (mean.cost - 1.0).abs() < 1e-3, "{mean:?}");
        let none = Score::of(&run(0, 1.0, 0, Vec::new()), &base);
        assert_eq!(Score::mean(&[of(25), none]).map(|mean| mean.value), Some(0.0));
        assert_eq!(Score::mean(&[]), None);
    }
}
