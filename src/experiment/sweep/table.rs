//! Results of all runs of a sweep.

use super::super::backlog::waiting;
use super::super::caution::Facts;
use super::super::measurement::{Measurement, mean_interval};
use super::super::replication::Repetition;
use super::super::statistics::Interval;
use super::axis::{Axis, Level};
use super::design::{Design, SweepPoint};
use crate::metrics::METRICS;
use crate::scenario::Objective;

/// Confidence of the intervals.
pub const CONFIDENCE: f64 = 0.95;

/// A scenario under some of its policies at many points.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Axes that are varied.
    pub axes: Vec<Axis>,
    /// Design by which the points were chosen.
    pub design: Design,
    /// The points, in order.
    pub points: Vec<SweepPoint>,
    /// Names of the policies, in the order of the scenario.
    pub policies: Vec<String>,
    /// The row of the scenario's baseline among them.
    pub baseline: Option<usize>,
    /// Whether the axis is no setting of another policy, by policy and axis.
    pub concerns: Vec<Vec<bool>>,
    /// The promises, as the scenario makes them at the first point.
    pub objectives: Vec<Objective>,
    /// The repetition: seeds, windows or blocks.
    pub repetition: Repetition,
    /// Runs per point and policy; they share their seeds with all others.
    pub replications: u32,
    /// Runs by point, then policy, then replication.
    pub runs: Vec<SweepRun>,
}

/// Record that is kept of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepRun {
    /// Its seed.
    pub seed: u64,
    /// Value by metric, in the order of [`METRICS`].
    pub metrics: Vec<Option<f64>>,
    /// Whether each objective was kept.
    pub kept: Vec<bool>,
    /// The value that each was held to.
    pub promised: Vec<Option<f64>>,
    /// Whether the run did the same work as under the first policy at the first point, as
    /// comparisons have it: by the outcome of each piece.
    pub same_work: bool,
    /// Hash of the canonical records.
    pub fingerprint: String,
    /// Pieces of work that wait as its window begins and as it ends.
    pub waiting: Option<[f64; 2]>,
    /// Facts that cautions beside the numbers are made from.
    pub facts: Facts,
}

/// A mean over replications.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanEstimate {
    /// The mean.
    pub mean: f64,
    /// Replications that showed anything.
    pub n: usize,
    /// Interval of the true mean; `None` with a single replication.
    pub interval: Option<Interval>,
}

impl SweepRun {
    /// The run with this seed, without what would fill the memory.
    pub(super) fn of(
        seed: u64,
        same_work: bool,
        measurement: Measurement,
        repetition: Repetition,
    ) -> Self {
        Self {
            waiting: waiting(&measurement.course, repetition),
            seed,
            metrics: measurement.metrics,
            kept: measurement.kept,
            promised: measurement.promised,
            same_work,
            fingerprint: measurement.fingerprint,
            facts: measurement.facts,
        }
    }

    /// Whether all objectives were kept.
    pub fn keeps_all(&self) -> bool {
        self.kept.iter().all(|&kept| kept)
    }
}

impl MeanEstimate {
    /// Estimate of a metric, a row of [`METRICS`], from one value per replication; `None` without
    /// values.
    pub fn of(metric: usize, values: &[f64]) -> Option<Self> {
        let interval = mean_interval(&METRICS[metric], values, CONFIDENCE);
        let mean = interval.map_or_else(|| values.first().copied(), |interval| Some(interval.mean));
        mean.map(|mean| Self { mean, n: values.len(), interval })
    }
}

impl Sweep {
    /// The replications of a point and policy.
    pub fn runs(&self, point: usize, policy: usize) -> &[SweepRun] {
        let replications = self.replications as usize;
        let from = (point * self.policies.len() + policy) * replications;
        &self.runs[from..from + replications]
    }

    /// Values of a metric, a row of [`METRICS`], in the replications that showed it.
    pub fn values(&self, point: usize, policy: usize, metric: usize) -> Vec<f64> {
        let shown = |run: &SweepRun| run.metrics[metric].filter(|value| value.is_finite());
        self.runs(point, policy).iter().filter_map(shown).collect()
    }

    /// The mean of a metric over the replications that showed it.
    pub fn estimate(&self, point: usize, policy: usize, metric: usize) -> Option<MeanEstimate> {
        MeanEstimate::of(metric, &self.values(point, policy, metric))
    }

    /// Mean of a metric over several points, in each replication; `None` if one of them showed
    /// nothing.
    pub(super) fn means(&self, points: &[usize], policy: usize, metric: usize) -> Option<Vec<f64>> {
        let mut sums = vec![0.0; self.replications as usize];
        for &point in points {
            let values = self.values(point, policy, metric);
            if values.len() != sums.len() {
                return None;
            }
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        let all = points.len() as f64;
        (!points.is_empty()).then(|| sums.into_iter().map(|sum| sum / all).collect())
    }

    /// Replications in which all objectives were kept.
    pub fn kept(&self, point: usize, policy: usize) -> usize {
        self.runs(point, policy).iter().filter(|run| run.keeps_all()).count()
    }

    /// Whether, in each replication, all points and policies had and did the
    /// same work. Only then can total costs be set against each other.
    pub fn same_work(&self) -> bool {
        self.runs.iter().all(|run| run.same_work)
    }

    /// Whether the policy keeps all objectives at the point: the mean over the replications keeps
    /// each bound, as in comparisons and plans.
    pub fn keeps(&self, point: usize, policy: usize) -> bool {
        self.promises(point, policy) == self.objectives.len()
    }

    /// Number of objectives that the policy keeps at the point, likewise.
    pub fn promises(&self, point: usize, policy: usize) -> usize {
        (0..self.objectives.len()).filter(|&at| self.keeps_one(point, policy, at)).count()
    }

    /// Whether the policy keeps the objective in row `at`, likewise.
    pub fn keeps_one(&self, point: usize, policy: usize, at: usize) -> bool {
        let (runs, objective) = (self.runs(point, policy), &self.objectives[at]);
        let row = row_of(objective.metric.key);
        let value = |run: &SweepRun| match objective.window {
            None => row.and_then(|row| run.metrics[row]),
            Some(_) => run.promised.get(at).copied().flatten(),
        };
        // A replication that shows nothing shows no promise kept.
        let sum: Option<f64> = runs.iter().map(value).sum();
        sum.is_some_and(|sum| objective.kept(sum / runs.len() as f64))
    }

    /// Whether a policy does the same at all points, in each replication.
    pub fn ties(&self, policy: usize) -> bool {
        let first = self.runs(0, policy);
        let same = |(one, other): (&SweepRun, &SweepRun)| {
            one.fingerprint == other.fingerprint && one.metrics == other.metrics
        };
        (1..self.points.len()).all(|point| self.runs(point, policy).iter().zip(first).all(same))
    }

    /// The values of an axis of a grid; `None` for a sample.
    pub fn levels(&self, axis: usize) -> Option<Vec<Level>> {
        (self.design == Design::Grid).then(|| self.axes[axis].grid())?
    }

    /// The points of a grid at which the axes have these levels.
    pub fn points_at(&self, levels: &[(usize, usize)]) -> Vec<usize> {
        let sizes: Vec<usize> =
            (0..self.axes.len()).map(|axis| self.levels(axis).map_or(1, |all| all.len())).collect();
        let stride = |axis: usize| sizes[axis + 1..].iter().product::<usize>();
        let strides: Vec<usize> = (0..sizes.len()).map(stride).collect();
        let there = |point: &usize| {
            levels.iter().all(|&(axis, level)| point / strides[axis] % sizes[axis] == level)
        };
        (0..self.points.len()).filter(there).collect()
    }

    /// Name of an axis among the others: the last two parts of its key, and more of them where
    /// another has the same or it would begin with a number in a list.
    pub fn name(&self, axis: usize) -> &str {
        let key = self.axes[axis].key.as_str();
        let starts = key.rmatch_indices('.').map(|(at, _)| at + 1).skip(1);
        let is_own = |start: &usize| {
            let name = &key[*start..];
            let same = |(row, other): (usize, &Axis)| row != axis && other.key.ends_with(name);
            let begins_with_number = name.split('.').next().is_some_and(is_number);
            !begins_with_number && !self.axes.iter().enumerate().any(same)
        };
        let found = starts.into_iter().find(is_own);
        found.map_or(key, |start| &key[start..])
    }

    /// A point in words, as far as it concerns a policy: `dc1.nodes = 10,
    /// today.preset = batch-fcfs`.
    pub fn description(&self, point: usize, policy: usize) -> String {
        let levels = self.points[point].levels.iter().enumerate();
        let levels = levels.filter(|&(axis, _)| self.concerns[policy][axis]);
        let one = |(axis, level): (usize, &Level)| format!("{} = {}", self.name(axis), level.text);
        levels.map(one).collect::<Vec<_>>().join(", ")
    }
}

/// Whether a part of a key is the number of a row of a list.
pub fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The row of a metric in [`METRICS`].
pub fn row_of(key: &str) -> Option<usize> {
    METRICS.iter().position(|metric| metric.key == key)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{by_hand, sweep};
    use super::*;

    #[test]
    fn points_of_a_grid_are_found_by_their_levels() {
        let sweep = by_hand();
        assert_eq!(sweep.points_at(&[(0, 1)]), [2, 3]);
        assert_eq!(sweep.points_at(&[(1, 0)]), [0, 2]);
        assert_eq!(sweep.points_at(&[(0, 1), (1, 0)]), [2]);
        assert_eq!(sweep.points_at(&[]), [0, 1, 2, 3]);
        let row = row_of("cost_total").expect("a metric");
        assert_eq!(sweep.values(2, 0, row), [30.0, 34.0]);
        assert_eq!(sweep.estimate(2, 0, row).map(|estimate| estimate.mean), Some(32.0));
        assert_eq!(sweep.description(2, 0), "c.nodes = 2, p.preset = x");
        let mut other = sweep.clone();
        other.concerns[0][1] = false;
        assert_eq!(other.description(2, 0), "c.nodes = 2");
    }

    #[test]
    fn names_are_as_short_as_they_can_be() {
        let axes =
            [("a.x.b.nodes", "1,2"), ("a.y.b.nodes", "1,2"), ("seed", "1,2"), ("a.c.b", "1,2")];
        let sweep_of = |axes: &[(&str, &str)]| sweep(axes, Design::Grid, |_, _| 1.0);
        let sweep = sweep_of(&axes);
        let names: Vec<&str> = (0..4).map(|axis| sweep.name(axis)).collect();
        assert_eq!(names, ["x.b.nodes", "y.b.nodes", "seed", "c.b"]);
        let axes = [("data_set.0.size", "1,2"), ("cloud.a.availability.1.instances", "1,2")];
        let lists = sweep_of(&axes);
        let names: Vec<&str> = (0..2).map(|axis| lists.name(axis)).collect();
        assert_eq!(names, ["data_set.0.size", "availability.1.instances"]);
    }
}
