//! Which settings matter: what a metric does, on average, when one axis moves
//! and the others do not; and where two axes do more than the sum of both.

use super::super::statistics::multiple::simultaneous;
use super::super::statistics::regression::{Fit, least_squares};
use super::super::statistics::{Interval, t_interval};
use super::axis::Level;
use super::table::{CONFIDENCE, Estimate, Sweep};

/// A metric at one level of an axis, averaged over all levels of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelMean {
    /// The level.
    pub level: Level,
    /// The mean; none where a run showed nothing.
    pub estimate: Option<Estimate>,
}

/// How far a metric moves along an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Row of the axis.
    pub axis: usize,
    /// Where the metric is lowest.
    pub lowest: End,
    /// Where the metric is highest.
    pub highest: End,
    /// Where the difference of the two lies; none where nothing can be said of chance.
    pub interval: Option<Interval>,
}

/// An end of an effect.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// The value of the axis.
    pub text: String,
    /// Where it lies on the axis.
    pub at: f64,
    /// The mean of the metric there.
    pub mean: f64,
}

/// Two axes together.
#[derive(Clone, Debug, PartialEq)]
pub struct Interaction {
    /// Rows of the axes.
    pub axes: (usize, usize),
    /// Mean at each level of the first axis and, within, of the second.
    pub means: Vec<Vec<f64>>,
    /// The largest departure of a mean from the sum of both main effects.
    pub departure: f64,
}

impl Effect {
    /// The difference of both ends.
    pub fn swing(&self) -> f64 {
        self.highest.mean - self.lowest.mean
    }

    /// Whether chance alone does not explain it: without chance, whether
    /// anything moved at all.
    pub fn is_shown(&self) -> bool {
        match self.interval {
            Some(interval) => !interval.covers(0.0),
            None => self.swing() > 0.0,
        }
    }
}

/// The main effect of an axis of a grid on a metric, level by level. Empty
/// where the sweep is no grid.
pub fn main_effect(sweep: &Sweep, policy: usize, metric: usize, axis: usize) -> Vec<LevelMean> {
    let levels = sweep.levels(axis).unwrap_or_default();
    let mean = |(row, level): (usize, Level)| {
        let points = sweep.points_at(&[(axis, row)]);
        let means = sweep.means(&points, policy, metric);
        LevelMean { level, estimate: means.and_then(|means| Estimate::of(&means)) }
    };
    levels.into_iter().enumerate().map(mean).collect()
}

/// The effects of all axes on a metric, the widest first. On a grid, between
/// the levels with the lowest and the highest mean, in pairs over the
/// replications; the interval allows for the choice among all pairs of levels.
/// On a sample, between the ends of a plane fitted to the points; the interval
/// holds what the plane leaves unexplained. Axes without an answer are left out.
pub fn effects(sweep: &Sweep, policy: usize, metric: usize) -> Vec<Effect> {
    let all = 0..sweep.axes.len();
    let mut effects: Vec<Effect> = match sweep.levels(0) {
        Some(_) => all.filter_map(|axis| on_grid(sweep, policy, metric, axis)).collect(),
        None => on_sample(sweep, policy, metric),
    };
    effects.sort_by(|a, b| b.swing().total_cmp(&a.swing()).then(a.axis.cmp(&b.axis)));
    effects
}

fn on_grid(sweep: &Sweep, policy: usize, metric: usize, axis: usize) -> Option<Effect> {
    let levels = sweep.levels(axis)?;
    let means = |row: usize| sweep.means(&sweep.points_at(&[(axis, row)]), policy, metric);
    let rows: Vec<(usize, Vec<f64>, f64)> = (0..levels.len())
        .filter_map(|row| {
            let means = means(row)?;
            let mean = Estimate::of(&means)?.mean;
            Some((row, means, mean))
        })
        .collect();
    // Of equal means the first is lowest and the last highest.
    let lowest = rows.iter().min_by(|a, b| a.2.total_cmp(&b.2))?;
    let highest = rows.iter().max_by(|a, b| a.2.total_cmp(&b.2))?;
    if rows.len() < 2 {
        return None;
    }
    let pairs = rows.len() * (rows.len() - 1) / 2;
    let differences: Vec<f64> = highest.1.iter().zip(&lowest.1).map(|(a, b)| a - b).collect();
    let end = |(row, _, mean): &(usize, Vec<f64>, f64)| End {
        text: levels[*row].text.clone(),
        at: levels[*row].at,
        mean: *mean,
    };
    Some(Effect {
        axis,
        lowest: end(lowest),
        highest: end(highest),
        interval: t_interval(&differences, simultaneous(CONFIDENCE, pairs)),
    })
}

/// A column of inputs of the plane: an axis, or one text of it against the first.
struct Column {
    axis: usize,
    /// The text that the column stands for.
    text: Option<String>,
}

fn columns(sweep: &Sweep) -> Vec<Column> {
    let mut columns = Vec::new();
    for (axis, settings) in sweep.axes.iter().enumerate() {
        if settings.is_numeric() {
            columns.push(Column { axis, text: None });
            continue;
        }
        let mut texts: Vec<&str> =
            sweep.points.iter().map(|point| point.levels[axis].text.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        let others = texts.into_iter().skip(1);
        columns.extend(others.map(|text| Column { axis, text: Some(text.to_owned()) }));
    }
    columns
}

/// The plane through the points' means; its inputs run from 0 at the low end
/// of an axis to 1 at the high end, evenly in what the axis is even in.
fn plane(sweep: &Sweep, columns: &[Column], policy: usize, metric: usize) -> Option<Fit> {
    let input = |point: usize, column: &Column| {
        let level = &sweep.points[point].levels[column.axis];
        match &column.text {
            Some(text) => f64::from(u8::from(level.text == *text)),
            None => sweep.axes[column.axis].share_of(level.at),
        }
    };
    let (mut inputs, mut means) = (Vec::new(), Vec::new());
    for point in 0..sweep.points.len() {
        if let Some(estimate) = sweep.estimate(point, policy, metric) {
            inputs.push(columns.iter().map(|column| input(point, column)).collect());
            means.push(estimate.mean);
        }
    }
    least_squares(&inputs, &means, CONFIDENCE)
}

/// How much of the differences between points the plane explains; none of a
/// grid or without a plane.
pub fn explained(sweep: &Sweep, policy: usize, metric: usize) -> Option<f64> {
    if sweep.levels(0).is_some() {
        return None;
    }
    plane(sweep, &columns(sweep), policy, metric).map(|fit| fit.explained)
}

fn on_sample(sweep: &Sweep, policy: usize, metric: usize) -> Vec<Effect> {
    let columns = columns(sweep);
    let Some(fit) = plane(sweep, &columns, policy, metric) else { return Vec::new() };
    let means = (0..sweep.points.len()).filter_map(|point| sweep.estimate(point, policy, metric));
    let means: Vec<f64> = means.map(|estimate| estimate.mean).collect();
    let centre = means.iter().sum::<f64>() / means.len() as f64;
    let effect = |axis: usize| {
        let own = || columns.iter().zip(&fit.slopes).filter(|(column, _)| column.axis == axis);
        let settings = &sweep.axes[axis];
        if let Some((low, high)) = settings.ends() {
            let (_, slope) = own().next()?;
            let end = |at: f64, share: f64| End {
                text: settings.text_at(at),
                at,
                mean: centre + slope.mean * (share - 0.5),
            };
            let (low, high) = (end(low, 0.0), end(high, 1.0));
            let rises = slope.mean >= 0.0;
            let (lowest, highest) = if rises { (low, high) } else { (high, low) };
            let interval = if rises { *slope } else { mirrored(slope) };
            return Some(Effect { axis, lowest, highest, interval: Some(interval) });
        }
        of_texts(sweep, axis, centre, own().map(|(column, slope)| (column, slope.mean)))
    };
    (0..sweep.axes.len()).filter_map(effect).collect()
}

/// The effect of texts, whose slopes are against the first of them.
fn of_texts<'a>(
    sweep: &Sweep,
    axis: usize,
    centre: f64,
    slopes: impl Iterator<Item = (&'a Column, f64)>,
) -> Option<Effect> {
    let texts = sweep.points.iter().map(|point| point.levels[axis].text.as_str());
    let first = texts.min()?;
    let mut heights = vec![(first, 0.0)];
    heights
        .extend(slopes.map(|(column, height)| (column.text.as_deref().unwrap_or(first), height)));
    let mean = heights.iter().map(|(_, height)| height).sum::<f64>() / heights.len() as f64;
    let end = |&(text, height): &(&str, f64)| {
        let level =
            sweep.points.iter().map(|point| &point.levels[axis]).find(|level| level.text == text);
        End {
            text: text.to_owned(),
            at: level.map_or(0.0, |level| level.at),
            mean: centre + height - mean,
        }
    };
    let lowest = heights.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let highest = heights.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(Effect { axis, lowest: end(lowest), highest: end(highest), interval: None })
}

/// The interval of the negative.
fn mirrored(of: &Interval) -> Interval {
    Interval { mean: -of.mean, low: -of.high, high: -of.low, ..*of }
}

/// Two axes of a grid together; none where a run showed nothing.
pub fn interaction(
    sweep: &Sweep,
    policy: usize,
    metric: usize,
    axes: (usize, usize),
) -> Option<Interaction> {
    let (first, second) = (sweep.levels(axes.0)?, sweep.levels(axes.1)?);
    let mean = |row: usize, column: usize| {
        let points = sweep.points_at(&[(axes.0, row), (axes.1, column)]);
        Some(Estimate::of(&sweep.means(&points, policy, metric)?)?.mean)
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
    use super::super::{Design, Point, row_of};
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
        assert!(found.iter().all(Effect::is_shown));
        let levels = main_effect(&by_hand(), 0, cost(), 1);
        close(levels[0].estimate.expect("complete").mean, 21.5);
        assert_eq!(explained(&by_hand(), 0, cost()), None);
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

    #[test]
    fn a_lost_measurement_takes_its_level_along() {
        let mut sweep = by_hand();
        sweep.runs[7].metrics[cost()] = None;
        assert!(effects(&sweep, 0, cost()).is_empty());
        assert_eq!(interaction(&sweep, 0, cost(), (0, 1)), None);
        let levels = main_effect(&sweep, 0, cost(), 0);
        assert!(levels[0].estimate.is_some() && levels[1].estimate.is_none());
    }

    /// 3 dollars per node and 10 more under `y`: the plane finds both again.
    #[test]
    fn effects_of_a_sample_are_those_of_the_plane() {
        let cost_of =
            |point: &Point, _: usize| 3.0 * point.levels[0].at + 10.0 * point.levels[1].at;
        let axes = [
            ("cluster.c.speed", "2..4"),
            ("policy.p.preset", "x,y"),
            ("cluster.d.speed", "log:1..100"),
        ];
        let sweep = sweep(&axes, Design::LatinHypercube(20), cost_of);
        let found = effects(&sweep, 0, cost());
        assert_eq!(found.iter().map(|effect| effect.axis).collect::<Vec<_>>(), [1, 0, 2]);
        close(found[0].swing(), 10.0);
        assert_eq!(found[0].highest.text, "y");
        close(found[1].swing(), 6.0);
        assert_eq!((found[1].lowest.text.as_str(), found[1].highest.text.as_str()), ("2", "4"));
        close(found[2].swing(), 0.0);
        close(explained(&sweep, 0, cost()).expect("a plane"), 1.0);
    }
}
