//! Score of a setup: first whether it keeps its promises, then what it costs.

use super::super::measurement::Measurement;
use super::super::statistics::{Sample, promise};
use crate::metrics::{Direction, METRICS};
use crate::scenario::{BoundDirection, Objective};
use crate::units::rank::nearest_rank;
use crate::units::rounding::snapped;

/// Rule by which a promise counts as kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keeping {
    /// The mean of its metric over all replications keeps the bound.
    OnAverage,
    /// Promises are all kept in at least this share of all replications: more than 0, less than 1.
    InShare(f64),
}

/// A setup, as the search sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetupScore {
    /// Largest miss of a promise, as a share of its bound; 0 or less where all are kept. It is held to
    /// the bound with as much room as the verdict on the held-out replications will take.
    pub excess: f64,
    /// Value of the metric that is to be made small.
    pub goal: f64,
}

impl SetupScore {
    /// Whether all promises are kept.
    pub fn kept(&self) -> bool {
        self.excess <= 0.0
    }

    /// Share of its bound by which the worst kept promise misses it; 0 where all are kept.
    pub fn shortfall(&self) -> f64 {
        self.excess.max(0.0)
    }

    /// Whether this score is the better one: the cheaper of two that keep all promises, else the
    /// one that misses them by less. Of equals neither is.
    pub fn beats(&self, other: &Self) -> bool {
        match (self.kept(), other.kept()) {
            (true, false) => true,
            (false, true) => false,
            (true, true) => (self.goal, self.excess) < (other.goal, other.excess),
            (false, false) => (self.excess, self.goal) < (other.excess, other.goal),
        }
    }
}

/// Promises and goal that setups are judged by.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    pub(super) objectives: Vec<Objective>,
    pub(super) keeping: Keeping,
    /// Row of the goal in [`METRICS`].
    pub(super) goal: usize,
    /// Room between a mean and its bound, in standard deviations: enough for the mean of the held-out
    /// replications, or for so large a share of them, to show that it is kept.
    pub(super) room: f64,
    /// No draw is random: two replications are one and the same.
    pub(super) still: bool,
}

impl Judge {
    /// The score of a setup over some replications.
    pub(super) fn score(&self, all: &[Measurement]) -> SetupScore {
        let excess = match self.keeping {
            _ if self.objectives.is_empty() => -1.0,
            Keeping::OnAverage => {
                let rows = 0..self.objectives.len();
                rows.map(|row| self.excess_with_room(row, all)).fold(f64::NEG_INFINITY, f64::max)
            }
            Keeping::InShare(share) => {
                let mut worst: Vec<f64> = all.iter().map(|one| self.worst(one)).collect();
                worst.sort_by(f64::total_cmp);
                let rank = nearest_rank(share, worst.len() as u64) as usize - 1;
                let rows = 0..self.objectives.len();
                rows.map(|row| self.excess_with_room(row, all)).fold(worst[rank], f64::max)
            }
        };
        SetupScore { excess, goal: self.mean_goal(all) }
    }

    /// The mean goal; infinite where a replication shows none.
    pub(super) fn mean_goal(&self, all: &[Measurement]) -> f64 {
        mean(&self.goals(all)).unwrap_or(f64::INFINITY)
    }

    /// The goal of each replication; infinite where it shows none.
    pub(super) fn goals(&self, all: &[Measurement]) -> Vec<f64> {
        let sign = if METRICS[self.goal].better == Direction::Higher { -1.0 } else { 1.0 };
        let goal = |one: &Measurement| one.metrics[self.goal].map(|value| sign * value);
        all.iter().map(|one| goal(one).unwrap_or(f64::INFINITY)).collect()
    }

    /// p-value of "a promise is broken". All of several promises are shown to
    /// be kept where each one is: no correction for their number is due
    /// (Berger, "Multiparameter hypothesis testing and acceptance sampling",
    /// Technometrics 24(4), 1982).
    pub(super) fn p_broken(&self, all: &[Measurement]) -> f64 {
        match self.keeping {
            _ if self.objectives.is_empty() => 0.0,
            Keeping::OnAverage => {
                let p = |row| self.p_above(row, all).unwrap_or(1.0);
                (0..self.objectives.len()).map(p).fold(0.0, f64::max)
            }
            Keeping::InShare(_) if self.is_exact(all) => f64::from(self.kept_in(all) == 0),
            Keeping::InShare(share) => {
                promise::share_at_least(self.kept_in(all), all.len() as u64, share)
            }
        }
    }

    /// p-value of "this will not be shown to keep its promises", by what the search saw: few
    /// replications show no large share, so that is told by the normal law.
    pub(super) fn doubt(&self, all: &[Measurement]) -> f64 {
        let doubt = |row: usize| {
            let bound = self.side(row) * self.objectives[row].bound;
            self.measured(row, all).map_or(1.0, |all| promise::share_below(&all, bound, self.room))
        };
        match self.keeping {
            Keeping::InShare(_) if !self.is_exact(all) => {
                (0..self.objectives.len()).map(doubt).fold(0.0, f64::max)
            }
            Keeping::InShare(_) | Keeping::OnAverage => self.p_broken(all),
        }
    }

    /// Whether one replication says it all: nothing is random, and all came out the same.
    fn is_exact(&self, all: &[Measurement]) -> bool {
        self.still && all.iter().all(|one| one.fingerprint == all[0].fingerprint)
    }

    /// p-value of "all promises are kept", for some promise the smallest.
    pub(super) fn p_kept(&self, all: &[Measurement]) -> f64 {
        match self.keeping {
            Keeping::OnAverage => {
                let p = |row| self.p_above(row, all).map_or(0.0, |p| 1.0 - p);
                let count = self.objectives.len();
                ((0..count).map(p).fold(1.0, f64::min) * count as f64).min(1.0)
            }
            Keeping::InShare(_) if self.is_exact(all) => f64::from(self.kept_in(all) > 0),
            Keeping::InShare(share) => {
                let broken = all.len() as u64 - self.kept_in(all);
                promise::share_at_least(broken, all.len() as u64, 1.0 - share)
            }
        }
    }

    /// p-value of "this promise is broken on average"; `None` if a replication shows no value.
    fn p_above(&self, row: usize, all: &[Measurement]) -> Option<f64> {
        let values = self.measured(row, all)?;
        let counted = self.objectives[row].metric.is_counted;
        let at_most = match counted && !self.still {
            true => promise::count_at_most,
            false => promise::mean_at_most,
        };
        Some(at_most(&values, self.side(row) * self.objectives[row].bound))
    }

    /// Values that the setup is judged by: goal and metrics of the promises, by replication.
    pub(super) fn shown(&self, all: &[Measurement]) -> Vec<Option<f64>> {
        let metrics = |one: &Measurement| -> Vec<Option<f64>> {
            let promises = self.objectives.iter().enumerate();
            let promised = promises.map(|(row, promise)| one.promised(row, promise));
            promised.chain([one.metrics[self.goal]]).collect()
        };
        all.iter().flat_map(metrics).collect()
    }

    /// Replications that keep all promises.
    pub(super) fn kept_in(&self, all: &[Measurement]) -> u64 {
        all.iter().filter(|one| one.kept.iter().all(|&kept| kept)).count() as u64
    }

    /// The promise that is kept in the fewest replications; of those that are kept as often, the
    /// one whose mean lies nearest to its bound, or furthest beyond it.
    pub(super) fn binding(&self, all: &[Measurement]) -> Option<usize> {
        let kept = |row: usize| all.iter().filter(|one| one.kept.get(row) == Some(&true)).count();
        let excess = |row: usize| self.mean_excess(row, all);
        let rows = 0..self.objectives.len();
        rows.min_by(|&a, &b| kept(a).cmp(&kept(b)).then(excess(b).total_cmp(&excess(a))))
    }

    /// 1 where less is promised, -1 where more is.
    fn side(&self, row: usize) -> f64 {
        match self.objectives[row].comparison {
            BoundDirection::AtMost => 1.0,
            BoundDirection::AtLeast => -1.0,
        }
    }

    /// Values of a promise's metric, turned so that less is better; `None` if a replication shows
    /// no value.
    fn measured(&self, row: usize, all: &[Measurement]) -> Option<Vec<f64>> {
        let promise = &self.objectives[row];
        let value = |one: &Measurement| Some(self.side(row) * one.promised(row, promise)?);
        all.iter().map(value).collect()
    }

    fn excess(&self, row: usize, value: f64) -> f64 {
        let bound = self.objectives[row].bound;
        let scale = if bound == 0.0 { 1.0 } else { bound.abs() };
        snapped(value - self.side(row) * bound, bound.abs().max(value.abs())) / scale
    }

    fn excess_with_room(&self, row: usize, all: &[Measurement]) -> f64 {
        let Some(values) = self.measured(row, all) else { return f64::INFINITY };
        let mean = mean(&values).unwrap_or(f64::INFINITY);
        let deviation = Sample::of(&values).map_or(0.0, |sample| libm::sqrt(sample.variance));
        self.excess(row, mean + self.room * deviation)
    }

    fn mean_excess(&self, row: usize, all: &[Measurement]) -> f64 {
        let value = self.measured(row, all).and_then(|values| mean(&values));
        value.map_or(f64::INFINITY, |value| self.excess(row, value))
    }

    fn worst(&self, one: &Measurement) -> f64 {
        let one = std::slice::from_ref(one);
        let rows = 0..self.objectives.len();
        rows.map(|row| self.mean_excess(row, one)).fold(f64::NEG_INFINITY, f64::max)
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{DistributionSummary, Metric, Series, Summary, WorkCounts};

    /// Costs are nearer to their bound than waits, and kept in all runs; waits in half of them.
    #[test]
    fn what_is_kept_least_often_binds() {
        let summary = |wait: f64| Summary {
            work: WorkCounts { finished_share: Some(0.995), ..WorkCounts::default() },
            wait_s: DistributionSummary { mean: Some(wait), ..DistributionSummary::default() },
            ..Summary::default()
        };
        let run = |wait: f64| {
            let kept = vec![true, wait <= 100.0];
            Measurement::of(&summary(wait), &Series::default(), kept, None)
        };
        let bound = |key, comparison, bound| Objective {
            metric: Metric::named(key).expect("a metric"),
            comparison,
            bound,
            text: String::new(),
            window: None,
        };
        let judge = Judge {
            objectives: vec![
                bound("finished", BoundDirection::AtLeast, 0.99),
                bound("wait_mean", BoundDirection::AtMost, 100.0),
            ],
            keeping: Keeping::OnAverage,
            goal: 0,
            room: 0.0,
            still: false,
        };
        assert_eq!(judge.binding(&[run(10.0), run(110.0)]), Some(1));
        // Two promises are kept in all: the share is half of a hundredth from its bound, the wait a
        // tenth.
        assert_eq!(judge.binding(&[run(90.0), run(90.0)]), Some(0));
        assert_eq!(judge.binding(&[run(99.9), run(99.9)]), Some(1));
    }

    /// Five runs that all finish all of their work and wait for a minute.
    #[test]
    fn counts_that_agree_show_less_than_times_do() {
        let summary = Summary {
            work: WorkCounts { finished_share: Some(1.0), ..WorkCounts::default() },
            wait_s: DistributionSummary { mean: Some(60.0), ..DistributionSummary::default() },
            ..Summary::default()
        };
        let all = vec![Measurement::of(&summary, &Series::default(), Vec::new(), None); 5];
        let judge = |metric, comparison, bound, still| Judge {
            objectives: vec![Objective {
                metric,
                comparison,
                bound,
                text: String::new(),
                window: None,
            }],
            keeping: Keeping::OnAverage,
            goal: 0,
            room: 0.0,
            still,
        };
        let counted = |still| {
            judge(
                Metric::named("finished").expect("a metric"),
                BoundDirection::AtLeast,
                0.99,
                still,
            )
        };
        let wait = Metric::named("wait_mean").expect("a metric");
        let timed = judge(wait, BoundDirection::AtMost, 100.0, false);
        // 1/2^5, unless nothing is random.
        assert_eq!(counted(false).p_broken(&all), 0.031_25);
        assert_eq!((counted(true).p_broken(&all), timed.p_broken(&all)), (0.0, 0.0));
    }
}
