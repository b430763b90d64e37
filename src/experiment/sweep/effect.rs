//! Effects of settings: how a metric moves, on average, when one axis moves and the others do not;
//! and where two axes do more than the sum of both.

use super::super::compare::least_difference;
use super::super::statistics::multiple::simultaneous;
use super::super::statistics::sample::welch;
use super::super::statistics::{Interval, t_interval};
use super::axis::Level;
use super::table::{CONFIDENCE, MeanEstimate, Sweep};
use crate::metrics::METRICS;

/// A metric at one level of an axis, averaged over all levels of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelMean {
    /// The level.
    pub level: Level,
    /// The mean; `None` if a run showed nothing.
    pub estimate: Option<MeanEstimate>,
}

/// Effect of an axis on a metric: its two ends and their difference.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisEffect {
    /// Row of the axis.
    pub axis: usize,
    /// End at which the metric is lowest.
    pub lowest: EffectEnd,
    /// End at which the metric is highest.
    pub highest: EffectEnd,
    /// Interval of the difference of the two; `None` if nothing can be said of chance.
    pub interval: Option<Interval>,
}

/// An end of an effect.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectEnd {
    /// The value of the axis.
    pub text: String,
    /// Place of the end on the axis.
    pub at: f64,
    /// The mean of the metric there.
    pub mean: f64,
}

/// Interaction of two axes on a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Interaction {
    /// Rows of the axes.
    pub axes: (usize, usize),
    /// Mean at each level of the first axis and, within, of the second.
    pub means: Vec<Vec<f64>>,
    /// The largest departure of a mean from the sum of both main effects.
    pub departure: f64,
}

impl AxisEffect {
    /// The difference of both ends.
    pub fn swing(&self) -> f64 {
        self.highest.mean - self.lowest.mean
    }

    /// Whether chance alone does not explain the effect; without chance, whether the metric moved
    /// at all.
    pub fn is_shown(&self) -> bool {
        match self.interval {
            Some(interval) => !interval.covers(0.0),
            None => self.swing() > 0.0,
        }
    }

    /// The effect on `metric`, a row of [`METRICS`], without what rounding alone can make.
    fn rounded(mut self, metric: usize) -> Self {
        if self.swing() < least_difference(&METRICS[metric], self.highest.mean) {
            self.highest.mean = self.lowest.mean;
            self.interval = self.interval.map(|one| Interval {
                mean: 0.0,
                half_width: 0.0,
                low: 0.0,
                high: 0.0,
                n: one.n,
            });
        }
        self
    }
}

/// The main effect of an axis of a grid on a metric, level by level. Empty
/// where the sweep is no grid.
pub fn main_effect(sweep: &Sweep, policy: usize, metric: usize, axis: usize) -> Vec<LevelMean> {
    let levels = sweep.levels(axis).unwrap_or_default();
    let mean = |(row, level): (usize, Level)| {
        let points = sweep.points_at(&[(axis, row)]);
        let means = sweep.means(&points, policy, metric);
        LevelMean { level, estimate: means.and_then(|means| MeanEstimate::of(metric, &means)) }
    };
    levels.into_iter().enumerate().map(mean).collect()
}

/// The effects of all axes on a metric, the widest first. On a grid, between
/// the levels with the lowest and the highest mean, in pairs over the
/// replications; the interval allows for the choice among all pairs of levels.
/// On a sample, between the means of the lowest and the highest third of the points
/// by that axis, or between words; the other axes differ within each, and widen the
/// interval. Axes without an answer are left out, and those that are settings of
/// other policies. What rounding alone can make is no difference.
pub fn effects(sweep: &Sweep, policy: usize, metric: usize) -> Vec<AxisEffect> {
    let own = (0..sweep.axes.len()).filter(|&axis| sweep.concerns[policy][axis]);
    let is_grid = sweep.levels(0).is_some();
    let effect = |axis: usize| match is_grid {
        true => on_grid(sweep, policy, metric, axis),
        false => on_sample(sweep, policy, metric, axis),
    };
    let mut effects: Vec<AxisEffect> =
        own.filter_map(effect).map(|effect| effect.rounded(metric)).collect();
    effects.sort_by(|a, b| b.swing().total_cmp(&a.swing()).then(a.axis.cmp(&b.axis)));
    effects
}

fn on_grid(sweep: &Sweep, policy: usize, metric: usize, axis: usize) -> Option<AxisEffect> {
    let levels = sweep.levels(axis)?;
    let means = |row: usize| sweep.means(&sweep.points_at(&[(axis, row)]), policy, metric);
    let rows: Vec<(usize, Vec<f64>, f64)> = (0..levels.len())
        .filter_map(|row| {
            let means = means(row)?;
            let mean = MeanEstimate::of(metric, &means)?.mean;
            Some((row, means, mean))
        })
        .collect();
    // The first of equal means is lowest and the last highest.
    let lowest = rows.iter().min_by(|a, b| a.2.total_cmp(&b.2))?;
    let highest = rows.iter().max_by(|a, b| a.2.total_cmp(&b.2))?;
    if rows.len() < 2 {
        return None;
    }
    let pairs = rows.len() * (rows.len() - 1) / 2;
    let differences: Vec<f64> = highest.1.iter().zip(&lowest.1).map(|(a, b)| a - b).collect();
    let end = |(row, _, mean): &(usize, Vec<f64>, f64)| EffectEnd {
        text: levels[*row].text.clone(),
        at: levels[*row].at,
        mean: *mean,
    };
    Some(AxisEffect {
        axis,
        lowest: end(lowest),
        highest: end(highest),
        interval: t_interval(&differences, simultaneous(CONFIDENCE, pairs)),
    })
}

/// Points of a sample that lie near each other on an axis, and their means.
struct AxisGroup {
    text: String,
    at: f64,
    means: Vec<f64>,
}

impl AxisGroup {
    fn mean(&self) -> f64 {
        self.means.iter().sum::<f64>() / self.means.len() as f64
    }
}

/// Means of points, not of a fitted plane: a plane leaves what can be at all.
fn on_sample(sweep: &Sweep, policy: usize, metric: usize, axis: usize) -> Option<AxisEffect> {
    let numeric = sweep.axes[axis].is_numeric();
    let mut points: Vec<(&Level, f64)> = (0..sweep.points.len())
        .filter_map(|point| {
            let level = &sweep.points[point].levels[axis];
            Some((level, sweep.estimate(point, policy, metric)?.mean))
        })
        .collect();
    let groups = if numeric {
        points.sort_by(|a, b| a.0.at.total_cmp(&b.0.at));
        thirds(&points)
    } else {
        points.sort_by(|a, b| a.0.text.cmp(&b.0.text));
        let texts = points.chunk_by(|a, b| a.0.text == b.0.text);
        texts.map(|own| group(own, own[0].0.text.clone())).collect()
    };
    let lowest = groups.iter().min_by(|a, b| a.mean().total_cmp(&b.mean()))?;
    let highest = groups.iter().max_by(|a, b| a.mean().total_cmp(&b.mean()))?;
    if groups.len() < 2 {
        return None;
    }
    let pairs = groups.len() * (groups.len() - 1) / 2;
    let end = |group: &AxisGroup| EffectEnd {
        text: group.text.clone(),
        at: group.at,
        mean: group.mean(),
    };
    Some(AxisEffect {
        axis,
        lowest: end(lowest),
        highest: end(highest),
        interval: welch(&highest.means, &lowest.means, simultaneous(CONFIDENCE, pairs)),
    })
}

/// The lowest and the highest third of points in order; points with the same value
/// stay together. Empty where all have the same.
fn thirds(points: &[(&Level, f64)]) -> Vec<AxisGroup> {
    let third = (points.len() / 3).max(1);
    let (Some(first), Some(last)) = (points.get(third - 1), points.len().checked_sub(third)) else {
        return Vec::new();
    };
    let low = points.partition_point(|point| point.0.at <= first.0.at);
    let high = points.partition_point(|point| point.0.at < points[last].0.at);
    if low > high {
        return Vec::new();
    }
    let told = |own: &[(&Level, f64)]| match (own.first(), own.last()) {
        (Some(low), Some(high)) if low.0.text != high.0.text => {
            format!("{}..{}", low.0.text, high.0.text)
        }
        (Some(one), _) => one.0.text.clone(),
        (None, _) => String::new(),
    };
    [&points[..low], &points[high..]].map(|own| group(own, told(own))).into()
}

fn group(points: &[(&Level, f64)], text: String) -> AxisGroup {
    let at = points.iter().map(|point| point.0.at).sum::<f64>() / points.len() as f64;
    AxisGroup { text, at, means: points.iter().map(|point| point.1).collect() }
}

/// Interaction of two axes of a grid; `None` if a run showed nothing.
pub fn interaction(
    sweep: &Sweep,
    policy: usize,
    metric: usize,
    axes: (usize, usize),
) -> Option<Interaction> {
    let (first, second) = (sweep.levels(axes.0)?, sweep.levels(axes.1)?);
    let mean = |row: usize, column: usize| {
        let points = sweep.points_at(&[(axes.0, row), (axes.1, column)]);
        Some(MeanEstimate::of(metric, &sweep.means(&points, policy, metric)?)?.mean)
    };
    let means: Vec<Vec<f64>> = (0..first.len())
        .map(|row| (0..second.len()).map(|column| mean(row, column)).collect())
        .collect::<Option<_>>()?;
    let of_row = |row: &Vec<f64>| row.iter().sum::<f64>() / row.len() as f64;
    let rows: Vec<f64> = means.iter().map(of_row).collect();
    let of_column = |at: usize| means.iter().map(|row| row[at]).sum::<f64>() / means.len() as f64;
    let columns: Vec<f64> = (0..second.len()).map(of_column).collect();
    let centre = rows.iter().sum::<f64>() / rows.len() as f64;
    let departures = means.iter().zip(&rows).flat_map(|(row, of_row)| {
        row.iter().zip(&columns).map(move |(mean, of_column)| mean - of_row - of_column + centre)
    });
    let departure = departures.map(f64::abs).fold(0.0, f64::max);
    Some(Interaction { axes, means, departure })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{by_hand, sweep};
    use super::super::{Design, SweepPoint, row_of};
    use super::*;

    fn cost() -> usize {
        row_of("cost_total").expect("a metric")
    }

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }

    /// Rows: 15 and 17 against 45 and 49, so 30 and 32 apart. Columns: 20 and
    /// 23 against 40 and 43, always 20 apart.
    #[test]
    fn effects_of_a_grid_by_hand() {
        let found = effects(&by_hand(), 0, cost());
        assert_eq!(found.iter().map(|effect| effect.axis).collect::<Vec<_>>(), [0, 1]);
        let nodes = &found[0];
        assert_eq!((nodes.lowest.text.as_str(), nodes.highest.text.as_str()), ("1", "2"));
        close(nodes.lowest.mean, 16.0);
        close(nodes.swing(), 31.0);
        // Standard error sqrt(2) / sqrt(2) = 1; t with one degree of freedom 12.706204736.
        close(nodes.interval.expect("two replications").half_width, 12.706_204_736_174_7);
        close(found[1].swing(), 20.0);
        close(found[1].interval.expect("two replications").half_width, 0.0);
        assert!(found.iter().all(AxisEffect::is_shown));
        let levels = main_effect(&by_hand(), 0, cost(), 1);
        close(levels[0].estimate.expect("complete").mean, 21.5);
    }

    /// Means 11 21 / 32 62; rows 16 and 47, columns 21.5 and 41.5, all 31.5:
    /// 11 - 16 - 21.5 + 31.5 = 5.
    #[test]
    fn an_interaction_by_hand() {
        let found = interaction(&by_hand(), 0, cost(), (0, 1)).expect("complete");
        close(found.departure, 5.0);
        close(found.means[1][1], 62.0);
        let turned = interaction(&by_hand(), 0, cost(), (1, 0)).expect("complete");
        close(turned.departure, 5.0);
        close(turned.means[1][0], 21.0);
    }

    /// A tenth of a millionth of a dollar is what bills are rounded by.
    #[test]
    fn rounding_is_no_effect() {
        let off = |by: f64| {
            let month = move |point: &SweepPoint, _: usize| 30.0 + by * point.levels[0].at;
            effects(&sweep(&[("cluster.c.nodes", "1,2")], Design::Grid, month), 0, cost())[0]
                .clone()
        };
        assert_eq!((off(1e-7).swing(), off(1e-7).is_shown()), (0.0, false));
        assert!(off(0.01).is_shown());
    }

    #[test]
    fn a_lost_measurement_takes_its_level_along() {
        let mut sweep = by_hand();
        sweep.runs[7].metrics[cost()] = None;
        assert!(effects(&sweep, 0, cost()).is_empty());
        assert_eq!(interaction(&sweep, 0, cost(), (0, 1)), None);
        let levels = main_effect(&sweep, 0, cost(), 0);
        assert!(levels[0].estimate.is_some() && levels[1].estimate.is_none());
    }

    /// Six points by hand: the thirds are the first two and the last two by nodes,
    /// (10 + 12) / 2 and (30 + 34) / 2; words are x (10, 20, 30) and y (12, 22, 34).
    #[test]
    fn effects_of_a_sample_are_those_of_means() {
        let axes = [("cluster.c.speed", "1..6"), ("policy.p.preset", "x,y")];
        let mut sample = sweep(&axes, Design::LatinHypercube(6), |_, _| 0.0);
        let costs = [10.0, 12.0, 20.0, 22.0, 30.0, 34.0];
        for (at, point) in sample.points.iter_mut().enumerate() {
            let text = ["x", "y"][at % 2].to_owned();
            point.levels[0] = Level { at: at as f64 + 1.0, text: (at + 1).to_string() };
            point.levels[1] = Level { at: (at % 2) as f64, text };
        }
        for (row, run) in sample.runs.iter_mut().enumerate() {
            run.metrics[cost()] = Some(costs[row / 2]);
        }
        let found = effects(&sample, 0, cost());
        assert_eq!(found.iter().map(|effect| effect.axis).collect::<Vec<_>>(), [0, 1]);
        let nodes = &found[0];
        assert_eq!((nodes.lowest.text.as_str(), nodes.highest.text.as_str()), ("1..2", "5..6"));
        close(nodes.lowest.mean, 11.0);
        close(nodes.highest.mean, 32.0);
        // Variances 2 and 8, each of two: 1 + 4 = 5, and 25 / (1 + 16) = 1.47 degrees of
        // freedom, so one.
        let interval = nodes.interval.expect("two points each");
        close(interval.half_width, 12.706_204_736_174_7 * libm::sqrt(5.0));
        close(found[1].swing(), 68.0 / 3.0 - 20.0);
        assert_eq!(found[1].highest.text, "y");
        assert!(!found[1].is_shown(), "the nodes differ more");
        // A setting of another policy has none.
        sample.concerns[0][1] = false;
        assert_eq!(effects(&sample, 0, cost()).len(), 1);
    }

    /// Effects of a metric stay within what was seen, whatever its shape is.
    #[test]
    fn effects_of_a_sample_stay_within_what_was_seen() {
        let axes = [("cluster.c.speed", "log:1..100"), ("cluster.d.speed", "0..1")];
        let steep = |point: &SweepPoint, _: usize| libm::exp(-point.levels[0].at);
        let sample = sweep(&axes, Design::Random(40), steep);
        let all = (0..40).filter_map(|point| sample.estimate(point, 0, cost()));
        let (low, high) = all
            .fold((f64::MAX, f64::MIN), |(low, high), one| (low.min(one.mean), high.max(one.mean)));
        for effect in effects(&sample, 0, cost()) {
            assert!(low <= effect.lowest.mean && effect.highest.mean <= high, "{effect:?}");
        }
    }
}
