//! The charts of many replications: intervals, paired differences, cost
//! against service, what the difference in cost is made of, and the course of
//! the policies with their spread.

use super::super::comparison::Comparison;
use super::super::figure::{amount, change, clean, difference, figure};
use super::{
    Axis, BarRow, Bars, Chart, Colour, Forest, ForestRow, GREY, Mark, PALETTE, Plot, axis,
};
use crate::experiment::statistics::{Interval, t_interval};
use crate::experiment::{Course, Measurement};
use crate::metrics::{METRICS, Metric};
use crate::model::World;
use crate::units::Time;

/// Parts of a waterfall below this share of the larger total are drawn as one.
const SMALL: f64 = 0.002;
/// Rows of intervals up to which a chart can be read.
const MOST_ROWS: usize = 40;
/// Shares of the replications below the lower and the upper edge of a band.
const BAND: (f64, f64) = (0.1, 0.9);

/// The charts that need more than one replication, where there was chance;
/// cost against service and the waterfall where there was not.
pub fn replication_charts(world: &World, comparison: &Comparison<'_>) -> Vec<Chart> {
    let mut charts = vec![against_service(comparison)];
    if comparison.is_judged() {
        charts.push(intervals(comparison));
        charts.push(paired(comparison));
    }
    let chosen = comparison.decision.map(|decision| decision.choice);
    let other = chosen.filter(|&row| row != comparison.baseline());
    charts.extend(other.map(|row| waterfall(comparison, row)));
    if comparison.is_judged() {
        let course =
            |name, title: &str, unit: &str, of: fn(&Course) -> &Vec<f64>, axis: fn(f64) -> Axis| {
                course(world, comparison, (name, title, unit), of, axis)
            };
        charts.push(course(
            "compare-course-queue",
            "Queue length over time, every policy",
            "waiting jobs and virtual machines",
            |course| &course.queue,
            axis::counts,
        ));
        charts.push(course(
            "compare-course-cost",
            "Cost rate over time, every policy",
            "US dollars per hour",
            |course| &course.cost_rate,
            axis::dollars,
        ));
        charts.push(course(
            "compare-course-utilisation",
            "CPU utilisation over time, every policy",
            "allocated share of running capacity",
            |course| &course.cpu,
            |_| axis::percent(),
        ));
    }
    charts
}

fn metric(key: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.key == key)
}

/// Colour of a policy, the same in every chart.
fn colour_of(row: usize) -> Colour {
    PALETTE.get(row).copied().unwrap_or(GREY)
}

/// The values of a metric in all replications of a policy.
fn values(comparison: &Comparison<'_>, row: usize, key: &str) -> Vec<f64> {
    let all = comparison.many.policies[row].measurements.iter();
    all.filter_map(|one: &Measurement| one.metric(key)).collect()
}

/// What stands for service: the metric of the first objective that is not
/// about money, or deadlines, or waits.
fn service(comparison: &Comparison<'_>) -> Option<&'static Metric> {
    let objectives = comparison.rows.first().map_or(&[][..], |row| row.objectives);
    let promised = objectives.iter().map(|objective| objective.metric.as_str());
    promised
        .filter(|key| !key.starts_with("cost"))
        .chain(["deadlines_met", "wait_p95", "wait_mean", "slowdown_mean"])
        .filter_map(metric)
        .find(|metric| !values(comparison, comparison.baseline(), metric.key).is_empty())
}

/// One dot per policy with the intervals of both means, and the line that no
/// policy is on the wrong side of twice.
fn against_service(comparison: &Comparison<'_>) -> Chart {
    let cost = match comparison.many.comparable() {
        true => metric("cost_total"),
        false => metric("cost_per_core_hour"),
    };
    let mut chart = Chart::new("compare-pareto", "Cost against service", "", "");
    let Some((cost, service)) = cost.zip(service(comparison)) else { return chart };
    chart.unit = format!("{} (upwards) and {} (to the right)", service.label, cost.label);
    chart.caption = "The dashed line joins the policies that no other beats in both: the Pareto \
        front."
        .to_owned();
    if comparison.is_judged() {
        chart.caption += " Crosses are the intervals of the means.";
    }
    let confidence = comparison.many.judging.confidence;
    let interval = |row, metric: &Metric| -> Option<Interval> {
        let all = values(comparison, row, metric.key);
        let mean = comparison.mean(metric, row)?;
        let point = Interval { mean, half_width: 0.0, low: mean, high: mean, n: all.len() };
        Some(t_interval(&all, confidence).filter(|_| comparison.is_judged()).unwrap_or(point))
    };
    let points: Vec<(usize, Interval, Interval)> = (0..comparison.many.policies.len())
        .filter_map(|row| Some((row, interval(row, cost)?, interval(row, service)?)))
        .collect();
    let front = front(&points, service.better == crate::metrics::Direction::Higher);
    let mut marks: Vec<Mark> = front
        .windows(2)
        .map(|pair| Mark::Line { points: pair.to_vec(), colour: GREY, dashed: true })
        .collect();
    for (row, cost, service) in &points {
        let colour = colour_of(*row);
        let cross = [
            vec![(cost.low, service.mean), (cost.high, service.mean)],
            vec![(cost.mean, service.low), (cost.mean, service.high)],
        ];
        marks.extend(cross.map(|points| Mark::Line { points, colour, dashed: false }));
        let points = vec![(cost.mean, service.mean)];
        marks.push(Mark::Dots { points, colour, radius: 14 });
        chart.legend.push((clean(&comparison.many.policies[*row].name), colour));
    }
    chart.plot = Plot::Plane {
        x: spread(&points, |point| point.1, cost.unit),
        y: spread(&points, |point| point.2, service.unit),
        marks,
    };
    chart
}

/// An axis around all intervals, with some room.
fn spread(
    points: &[(usize, Interval, Interval)],
    of: impl Fn(&(usize, Interval, Interval)) -> Interval,
    unit: &str,
) -> Axis {
    let low = points.iter().map(|point| of(point).low).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|point| of(point).high).fold(f64::NEG_INFINITY, f64::max);
    let room = 0.08 * (high - low).max(0.01 * high.abs());
    let (low, high) = ((low - room).max(0.0), high + room);
    let high = if unit == "share" { high.min(1.0) } else { high };
    axis::between(low, high, |value| tick(unit, value))
}

/// A short label for a tick.
pub(super) fn tick(unit: &str, value: f64) -> String {
    match unit {
        "USD" => format!("${}", amount(value)),
        "share" => format!("{} %", amount(libm::round(value * 1e4) / 1e2)),
        unit => figure(unit, Some(value)),
    }
}

/// The means that no other policy beats in both, from the cheapest on.
fn front(points: &[(usize, Interval, Interval)], more_is_better: bool) -> Vec<(f64, f64)> {
    let good = |value: f64| if more_is_better { value } else { -value };
    let mut all: Vec<(f64, f64)> =
        points.iter().map(|(_, cost, service)| (cost.mean, service.mean)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(good(b.1).total_cmp(&good(a.1))));
    let mut best = f64::NEG_INFINITY;
    all.retain(|point| {
        let ahead = good(point.1) > best;
        best = best.max(good(point.1));
        ahead
    });
    all
}

/// Relative differences of all judged metrics, policy by policy.
fn intervals(comparison: &Comparison<'_>) -> Chart {
    let mut chart = Chart::new(
        "compare-intervals",
        "Differences to the baseline",
        "share of the baseline's mean, with its interval",
        "Verdicts take all these questions into account at once (Holm); an interval does not.",
    );
    let mut rows = Vec::new();
    for metric in comparison.metrics() {
        for row in 0..comparison.many.policies.len() {
            let Some(contrast) = comparison.many.contrast(row, metric.key) else { continue };
            let Some(paired) = contrast.paired.filter(|_| contrast.base != 0.0) else { continue };
            let share = |value: f64| value / contrast.base.abs();
            let interval = paired.interval;
            rows.push(ForestRow {
                label: metric.label.to_owned(),
                below: clean(&comparison.many.policies[row].name),
                interval: (share(interval.low), share(interval.mean), share(interval.high)),
                dots: Vec::new(),
                colour: colour_of(row),
                value: format!(
                    "{}, {}",
                    change(contrast.mean, contrast.base),
                    comparison.verdict(metric, row)
                ),
            });
        }
    }
    rows.truncate(MOST_ROWS);
    if rows.is_empty() {
        return chart;
    }
    // Beyond twice the baseline a share says little, and would hide the others.
    let axis = forest_axis(&rows, 2.0, "share");
    chart.plot = Plot::Forest(Forest { rows, axis });
    chart
}

fn forest_axis(rows: &[ForestRow], most: f64, unit: &str) -> Axis {
    let values = || {
        rows.iter()
            .flat_map(|row| [row.interval.0, row.interval.2].into_iter().chain(row.dots.clone()))
    };
    let low = values().fold(0.0, f64::min).max(-most);
    let high = values().fold(0.0, f64::max).min(most);
    axis::between(low, high, |value| {
        let shown = tick(unit, value.abs());
        match value {
            0.0 => "0".to_owned(),
            value if value < 0.0 => format!("−{shown}"),
            _ => format!("+{shown}"),
        }
    })
}

/// The difference in the leading metric in each replication.
fn paired(comparison: &Comparison<'_>) -> Chart {
    let key = if comparison.many.comparable() { "cost_total" } else { "cost_per_core_hour" };
    let label = metric(key).map_or(key, |metric| metric.label);
    let mut chart = Chart::new(
        "compare-paired",
        &format!("Difference in {label}, replication by replication"),
        "US dollars more than the baseline",
        "Grey dots are single replications on the same random numbers, the bar is the interval of their mean.",
    );
    let base = values(comparison, comparison.baseline(), key);
    let mut rows = Vec::new();
    for (row, policy) in comparison.many.policies.iter().enumerate() {
        let Some(contrast) = comparison.many.contrast(row, key) else { continue };
        let Some(paired) = contrast.paired else { continue };
        let mine = values(comparison, row, key);
        rows.push(ForestRow {
            label: clean(&policy.name),
            below: String::new(),
            interval: (paired.interval.low, paired.interval.mean, paired.interval.high),
            dots: mine.iter().zip(&base).map(|(mine, base)| mine - base).collect(),
            colour: colour_of(row),
            value: difference("USD", paired.difference),
        });
    }
    if rows.is_empty() {
        return chart;
    }
    let axis = forest_axis(&rows, f64::INFINITY, "USD");
    chart.plot = Plot::Forest(Forest { rows, axis });
    chart
}

/// From the cost of the baseline to that of `row`, part by part.
fn waterfall(comparison: &Comparison<'_>, row: usize) -> Chart {
    const MORE: Colour = PALETTE[5];
    const LESS: Colour = PALETTE[2];
    let policies = &comparison.many.policies;
    let (base, other) = (&policies[comparison.baseline()], &policies[row]);
    let count = f64::from(comparison.many.replications);
    let mean =
        |all: &[Measurement]| all.iter().map(|one| one.cost).sum::<i128>() as f64 / 1e9 / count;
    let mut chart = Chart::new(
        "compare-waterfall",
        &format!("From {} to {}", clean(&base.name), clean(&other.name)),
        "US dollars, mean of the replications",
        "The parts sum to the difference exactly.",
    );
    if !other.comparable {
        chart.caption += " The two did not do the same work, so the totals are not comparable.";
    }
    let mut at = mean(&base.measurements);
    let mut high = at;
    let whole = |name: &str, value: f64| BarRow {
        label: clean(name),
        below: String::new(),
        start: 0.0,
        parts: vec![(value, PALETTE[0])],
        value: figure("USD", Some(value)),
    };
    let mut rows = vec![whole(&base.name, at)];
    let total = mean(&other.measurements);
    let mut steps: Vec<(String, String, f64)> = Vec::new();
    let mut smaller = 0.0;
    for step in &other.waterfall {
        let by = step.nanos as f64 / 1e9 / count;
        match by.abs() < SMALL * at.max(total) {
            true => smaller += by,
            false => steps.push((clean(&step.provider), step.kind.clone(), by)),
        }
    }
    if smaller != 0.0 {
        steps.push(("smaller parts".to_owned(), String::new(), smaller));
    }
    for (label, below, by) in steps {
        rows.push(BarRow {
            label,
            below,
            start: at.min(at + by),
            parts: vec![(by.abs(), if by > 0.0 { MORE } else { LESS })],
            value: difference("USD", by),
        });
        at += by;
        high = high.max(at);
    }
    rows.push(whole(&other.name, total));
    chart.legend = vec![
        ("in all".to_owned(), PALETTE[0]),
        ("costs more".to_owned(), MORE),
        ("costs less".to_owned(), LESS),
    ];
    chart.plot = Plot::Bars(Bars { rows, high: high.max(total), guide: None });
    chart
}

/// Mean and spread of a course over the replications, one panel per policy.
fn course(
    world: &World,
    comparison: &Comparison<'_>,
    (name, title, unit): (&'static str, &str, &str),
    of: fn(&Course) -> &Vec<f64>,
    y: fn(f64) -> Axis,
) -> Chart {
    let caption = "Line: mean of the replications that were still running, as long as half of \
        them were. Band: from the 10th to the 90th of every hundred. All panels have the same axes.";
    let mut chart = Chart::new(name, title, unit, caption);
    let policies = comparison.many.policies.iter().take(PALETTE.len());
    let mut steps: Vec<f64> = policies
        .clone()
        .flat_map(|policy| policy.measurements.iter().map(|one| one.course.step_s))
        .collect();
    steps.sort_by(f64::total_cmp);
    let step = steps[steps.len() / 2];
    let bands: Vec<Band> = policies
        .clone()
        .map(|policy| Band::of(policy.measurements.iter().map(|one| &one.course), of, step))
        .collect();
    let most = bands.iter().flat_map(|band| &band.upper).map(|point| point.1).fold(0.0, f64::max);
    let ends = || bands.iter().flat_map(|band| &band.mean).map(|point| point.0);
    let (from, until) = (ends().fold(f64::INFINITY, f64::min), ends().fold(0.0, f64::max));
    if until <= from {
        return chart;
    }
    let panel = |(row, (policy, band)): (usize, (&crate::experiment::Contestant, Band))| {
        let colour = colour_of(row);
        let Band { mean, upper, lower } = band;
        let marks = vec![
            Mark::Area { upper, lower, colour, opacity: 0.25 },
            Mark::Line { points: mean, colour, dashed: false },
        ];
        (clean(&policy.name), marks)
    };
    let time = |secs: f64| Time::from_micros((secs * 1e6) as i64);
    chart.plot = Plot::Panels {
        x: axis::calendar(world.calendar, time(from), time(until)),
        y: y(most),
        panels: policies.zip(bands).enumerate().map(panel).collect(),
    };
    chart
}

/// Points over time.
type Line = Vec<(f64, f64)>;

/// Mean and spread over time.
#[derive(Debug, Default)]
struct Band {
    mean: Line,
    upper: Line,
    lower: Line,
}

impl Band {
    /// Over steps of `step` seconds, as long as half of the runs go on. Steps of
    /// single courses are finer or coarser by a power of two.
    fn of<'a>(
        courses: impl Iterator<Item = &'a Course>,
        of: fn(&Course) -> &Vec<f64>,
        step: f64,
    ) -> Self {
        let mut start = f64::INFINITY;
        let coarse: Vec<Vec<f64>> = courses
            .map(|course| {
                start = start.min(course.start_s);
                let merge = libm::round(step / course.step_s.max(1e-9)).max(1.0) as usize;
                let split = libm::round(course.step_s / step.max(1e-9)).max(1.0) as usize;
                let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
                let means = of(course).chunks(merge).map(mean);
                means.flat_map(|mean| std::iter::repeat_n(mean, split)).collect()
            })
            .collect();
        let mut band = Self::default();
        for at in 0..coarse.iter().map(Vec::len).max().unwrap_or(0) {
            let mut values: Vec<f64> =
                coarse.iter().filter_map(|one| one.get(at).copied()).collect();
            if values.len() * 2 < coarse.len() {
                break;
            }
            values.sort_by(f64::total_cmp);
            let rank = |share: f64| values[(share * (values.len() - 1) as f64) as usize];
            let middle = start + (at as f64 + 0.5) * step;
            band.mean.push((middle, values.iter().sum::<f64>() / values.len() as f64));
            band.lower.push((middle, rank(BAND.0)));
            band.upper.push((middle, rank(BAND.1)));
        }
        band
    }
}
