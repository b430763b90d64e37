//! One number for a policy, for people and programs that search for better
//! ones.

use super::bound;
use super::compare::Plan;
use super::measurement::Measurement;
use crate::problem::Problem;
use crate::scenario::Scenario;

/// Added to both costs, so that what costs nothing can be compared: a cent.
const CENT: f64 = 0.01;

/// How a policy did in one replication, or on average in several, against the
/// baseline of the scenario.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// `done` x 2^-`broken` / sqrt(`cost` x `slowdown`): 1 is as good as the
    /// baseline with all promises kept, more is better, 0 is the least.
    pub value: f64,
    /// Cost over the baseline's, a cent added to each.
    pub cost: f64,
    /// Mean bounded slowdown over the baseline's.
    pub slowdown: f64,
    /// Useful work over the baseline's, at most 1: the least of finished pieces,
    /// core-hours and GPU-hours.
    pub done: f64,
    /// Promises of the scenario that were broken.
    pub broken: f64,
}

/// What no policy can beat in one replication, among runs that do as much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Possible {
    /// The score of a policy at both bounds that breaks no promise; not all of it
    /// need be within reach. None where one of the bounds is.
    pub value: Option<f64>,
    /// Dollars.
    pub cost: Option<f64>,
    /// Mean bounded slowdown.
    pub slowdown: Option<f64>,
}

impl Possible {
    /// What bounds the runs of a replication that do as much as `run`, against `base`.
    ///
    /// # Errors
    /// What is wrong with the workload.
    pub fn of(
        scenario: &Scenario,
        (plan, replication): (&Plan, u32),
        run: &Measurement,
        base: &Measurement,
    ) -> Result<Self, Vec<Problem>> {
        let repeated = plan.repetition.scenario(scenario, replication);
        let seed = plan.repetition.seed(scenario, replication);
        let bounds = bound::of(&repeated, seed, plan.repetition.warm_up())?;
        let value = |key: &str| {
            bounds.of_run(key, run.done.finished, |key| run.metric(key)).map(|bound| bound.value)
        };
        let (cost, slowdown) = (value("cost_total"), value("slowdown_mean"));
        let value = cost.zip(slowdown).map(|(cost, slowdown)| {
            let cost = (cost + CENT) / (base.cost as f64 / 1e9 + CENT);
            let slowdown = slowdown.max(1.0) / base.metric("slowdown_mean").unwrap_or(1.0).max(1.0);
            1.0 / libm::sqrt(cost * slowdown)
        });
        Ok(Self { value, cost, slowdown })
    }
}

impl Score {
    /// Of one replication.
    pub fn of(run: &Measurement, base: &Measurement) -> Self {
        let dollars = |one: &Measurement| one.cost as f64 / 1e9 + CENT;
        let slow = |one: &Measurement| one.metric("slowdown_mean").unwrap_or(1.0).max(1.0);
        let share = |now: f64, base: f64| if base > 0.0 { (now / base).min(1.0) } else { 1.0 };
        let (work, base_work) = (&run.done, &base.done);
        let done = share(work.finished as f64, base_work.finished as f64)
            .min(share(work.core_hours, base_work.core_hours))
            .min(share(work.gpu_hours, base_work.gpu_hours));
        let broken = run.kept.iter().filter(|&&kept| !kept).count() as f64;
        let (cost, slowdown) = (dollars(run) / dollars(base), slow(run) / slow(base));
        let value = done * libm::exp2(-broken) / libm::sqrt(cost * slowdown);
        Self { value, cost, slowdown, done, broken }
    }

    /// Of several: geometric means of ratios, arithmetic means of shares and
    /// counts. None of none.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{METRICS, Series, Summary};

    fn run(dollars: i128, slowdown: f64, finished: u64, kept: Vec<bool>) -> Measurement {
        let (summary, series) = (Summary::default(), Series::default());
        let mut run = Measurement::of(&summary, &series, kept, None);
        run.cost = dollars * 1_000_000_000;
        run.done.finished = finished;
        run.done.core_hours = finished as f64;
        let row = METRICS.iter().position(|metric| metric.key == "slowdown_mean");
        run.metrics[row.expect("it is a metric")] = (finished > 0).then_some(slowdown);
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
        check(&run(100, 2.0, 5, vec![true, true]), 0.5);
        // More work than the baseline's is no merit: there is only so much.
        check(&run(100, 2.0, 20, vec![true, true]), 1.0);
        check(&run(0, 1.0, 0, vec![true, true]), 0.0);
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
