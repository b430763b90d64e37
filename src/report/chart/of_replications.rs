//! The charts of many replications: intervals, paired differences, cost
//! against service, and what the difference in cost is made of.

use super::super::breakdown::CostSlice;
use super::super::comparison::ComparisonReport;
use super::super::figure::{change, clean, difference, figure};
use super::of_courses::courses;
use super::{
    BarRow, Bars, Chart, ChartAxis, ChartMark, Colour, Forest, ForestRow, GREY, PALETTE, Plot, axis,
};
use crate::experiment::statistics::Interval;
use crate::experiment::{ComparedPolicy, HALF_A_CENT, Measurement, mean_interval};
use crate::metrics::{Direction, Metric};
use crate::model::World;

/// Parts of a waterfall below this share of the larger total are drawn as one.
const SMALL: f64 = 0.002;
/// Rows of intervals up to which a chart can be read.
const MOST_ROWS: usize = 12;

/// The charts that need more than one replication, where there was chance;
/// cost against service and the waterfall where there was not.
pub fn replication_charts(world: &World, comparison: &ComparisonReport<'_>) -> Vec<Chart> {
    let mut charts = vec![against_service(comparison)];
    if comparison.is_judged() {
        charts.push(intervals(comparison));
        charts.push(paired(comparison));
    }
    let chosen = comparison.decision.map(|decision| decision.choice);
    let other = chosen.filter(|&row| row != comparison.baseline());
    charts.extend(other.map(|row| waterfall(comparison, row)));
    charts.extend(other.and_then(|row| effects(comparison, row)));
    if comparison.is_judged() {
        charts.extend(courses(world, comparison));
    }
    charts
}

pub(super) fn metric(key: &str) -> Option<&'static Metric> {
    Metric::named(key)
}

/// Colour of a policy, the same in every chart.
pub(super) fn colour_of(row: usize) -> Colour {
    PALETTE.get(row).copied().unwrap_or(GREY)
}

/// The values of a metric in all replications of a policy.
fn values(comparison: &ComparisonReport<'_>, row: usize, key: &str) -> Vec<f64> {
    let all = comparison.many.policies[row].measurements.iter();
    all.filter_map(|one: &Measurement| one.metric(key)).collect()
}

/// Metric that stands for service: that of the first objective that is not about money, or else
/// deadlines met, waits or slowdown; the first that is measured.
fn service(comparison: &ComparisonReport<'_>) -> Option<&'static Metric> {
    let objectives = comparison.rows.first().map_or(&[][..], |row| row.objectives);
    let promised = objectives.iter().map(|objective| objective.metric.as_str());
    promised
        .filter(|key| !key.starts_with("cost"))
        .chain(["deadlines_met", "wait_p95", "wait_mean", "slowdown_mean"])
        .filter_map(metric)
        .find(|metric| !values(comparison, comparison.baseline(), metric.key).is_empty())
}

/// Chart with one dot per policy, the intervals of both means, and the line that no policy is on
/// the wrong side of twice.
fn against_service(comparison: &ComparisonReport<'_>) -> Chart {
    let cost = comparison.leading_of_all();
    let mut chart = Chart::new("compare-pareto", "Cost against service", "", "");
    let Some(service) = service(comparison) else { return chart };
    chart.unit = format!("{} (upwards) and {} (to the right)", service.label, cost.label);
    let more_is_better = service.better == Direction::Higher;
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
        let interval = mean_interval(metric, &all, confidence);
        Some(interval.filter(|_| comparison.is_judged()).unwrap_or(point))
    };
    let points: Vec<(usize, Interval, Interval)> = (0..comparison.many.policies.len())
        .filter_map(|row| Some((row, interval(row, cost)?, interval(row, service)?)))
        .collect();
    let front = front(&points, more_is_better);
    let mut marks: Vec<ChartMark> = front
        .windows(2)
        .map(|pair| ChartMark::Line { points: pair.to_vec(), colour: GREY, dashed: true })
        .collect();
    for (row, cost, service) in &points {
        let colour = colour_of(*row);
        let cross = [
            vec![(cost.low, service.mean), (cost.high, service.mean)],
            vec![(cost.mean, service.low), (cost.mean, service.high)],
        ];
        marks.extend(cross.map(|points| ChartMark::Line { points, colour, dashed: false }));
        chart.legend.push((clean(&comparison.many.policies[*row].name), colour));
    }
    let mut x = spread(&points, |point| point.1, cost.unit);
    x.caption = format!("better: to the left and {} ", if more_is_better { "up" } else { "down" });
    x.caption += if more_is_better { "← ↑" } else { "← ↓" };
    let y = spread(&points, |point| point.2, service.unit);
    let name = |row: usize| clean(&comparison.many.policies[row].name);
    for spot in spots(&points, &x, &y) {
        // Smaller dots on larger ones: each can be seen.
        for (&row, radius) in spot.rows.iter().zip([14, 9, 5]) {
            marks.push(ChartMark::Dots { points: vec![spot.at], colour: colour_of(row), radius });
        }
        let names: Vec<String> = spot.rows.iter().map(|&row| name(row)).collect();
        marks.push(ChartMark::Words { at: spot.at, words: names.join(spot.joint) });
    }
    chart.plot = Plot::Plane { x, y, marks };
    chart
}

/// Policies whose means lie on one another.
struct ParetoSpot {
    at: (f64, f64),
    rows: Vec<usize>,
    /// Between their names: whether their means are the same or nearly so.
    joint: &'static str,
}

/// The policies by where they are drawn: those that the eye does not tell apart together.
fn spots(points: &[(usize, Interval, Interval)], x: &ChartAxis, y: &ChartAxis) -> Vec<ParetoSpot> {
    const NEAR: f64 = 0.004;
    let mut spots: Vec<ParetoSpot> = Vec::new();
    for (row, cost, service) in points {
        let at = (cost.mean, service.mean);
        let near = |spot: &&mut ParetoSpot| {
            (spot.at.0 - at.0).abs() <= NEAR * (x.high - x.low)
                && (spot.at.1 - at.1).abs() <= NEAR * (y.high - y.low)
        };
        match spots.iter_mut().find(near) {
            Some(spot) => {
                spot.rows.push(*row);
                spot.joint = if spot.at == at { spot.joint } else { " ≈ " };
            }
            None => spots.push(ParetoSpot { at, rows: vec![*row], joint: " = " }),
        }
    }
    spots
}

/// An axis around all intervals, with some room.
fn spread(
    points: &[(usize, Interval, Interval)],
    of: impl Fn(&(usize, Interval, Interval)) -> Interval,
    unit: &str,
) -> ChartAxis {
    let low = points.iter().map(|point| of(point).low).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|point| of(point).high).fold(f64::NEG_INFINITY, f64::max);
    let room = 0.08 * (high - low).max(0.01 * high.abs());
    let (low, high) = ((low - room).max(0.0), high + room);
    let high = if unit == "share" { high.min(1.0) } else { high };
    axis::measure(unit, low, high)
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

/// The largest relative differences of judged metrics, policy by policy.
fn intervals(comparison: &ComparisonReport<'_>) -> Chart {
    let mut chart = Chart::new(
        "compare-intervals",
        "Differences to the baseline",
        "change as a share of the baseline's mean, with its interval",
        "Verdicts take all these questions into account at once (Holm); an interval does not. \
         Shares, which differ by percentage points, and smaller differences are in the tables.",
    );
    let mut rows = Vec::new();
    let mut is_cut = false;
    for metric in comparison.metrics().into_iter().filter(|metric| metric.unit != "share") {
        for row in 0..comparison.many.policies.len() {
            let Some(contrast) = comparison.many.contrast(row, metric.key) else { continue };
            let Some(paired) = contrast.paired.filter(|_| contrast.base != 0.0) else { continue };
            // No cost, wait or count falls by more than all of it.
            let share = |value: f64| (value / contrast.base.abs()).max(-1.0);
            let mut interval = paired.interval;
            if is_rounding(metric.key, &[interval.low, interval.high]) {
                interval = Interval { mean: 0.0, low: 0.0, high: 0.0, ..interval };
            }
            is_cut |= interval.low < -contrast.base.abs();
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
    if rows.is_empty() {
        return chart;
    }
    if rows.iter().all(|row| row.interval.0 == 0.0 && row.interval.2 == 0.0) {
        chart.plot = Plot::Nothing("no metric differs from the baseline in any replication");
        return chart;
    }
    if is_cut {
        chart.caption += " Intervals end at −100 %: nothing here can fall by more.";
    }
    let size = |row: &ForestRow| row.interval.1.abs();
    rows.sort_by(|a, b| size(b).total_cmp(&size(a)));
    if rows.len() > MOST_ROWS {
        chart.unit += &format!("; the {MOST_ROWS} largest of {}", rows.len());
        rows.truncate(MOST_ROWS);
    }
    // Beyond twice the baseline a share says little, and would hide the others.
    let axis = forest_axis(&rows, 2.0, "share");
    let leaves = |row: &ForestRow| !axis.holds(row.interval.0) || !axis.holds(row.interval.2);
    if rows.iter().any(leaves) {
        chart.unit += "; an arrow: it goes on";
    }
    chart.plot = Plot::Forest(Forest { rows, axis });
    chart
}

fn forest_axis(rows: &[ForestRow], most: f64, unit: &str) -> ChartAxis {
    let values = || {
        rows.iter()
            .flat_map(|row| [row.interval.0, row.interval.2].into_iter().chain(row.dots.clone()))
    };
    let low = values().fold(0.0, f64::min).max(-most);
    let high = values().fold(0.0, f64::max).min(most);
    axis::differences(unit, "%", low, high)
}

/// Whether these differences of a metric are none, or of rounding alone: of a month, below half a
/// cent.
fn is_rounding(key: &str, differences: &[f64]) -> bool {
    let least = if key == "cost_monthly" { HALF_A_CENT } else { f64::MIN_POSITIVE };
    differences.iter().all(|by| by.abs() < least)
}

/// The difference in the leading metric in each replication.
fn paired(comparison: &ComparisonReport<'_>) -> Chart {
    let Metric { key, label, .. } = *comparison.leading_of_all();
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
            // No cost falls by more than all of it.
            interval: (
                paired.interval.low.max(-contrast.base),
                paired.interval.mean,
                paired.interval.high,
            ),
            dots: mine.iter().zip(&base).map(|(mine, base)| mine - base).collect(),
            colour: colour_of(row),
            value: difference("USD", paired.difference),
        });
    }
    if rows.is_empty() {
        return chart;
    }
    if rows.iter().all(|row| is_rounding(key, &row.dots)) {
        chart.plot = Plot::Nothing("every replication costs the same as under the baseline");
        return chart;
    }
    let axis = forest_axis(&rows, f64::INFINITY, "USD");
    chart.plot = Plot::Forest(Forest { rows, axis });
    chart
}

/// Waterfall from the leading cost of the baseline to that of `row`, part by part.
fn waterfall(comparison: &ComparisonReport<'_>, row: usize) -> Chart {
    let policies = &comparison.many.policies;
    let (base, other) = (&policies[comparison.baseline()], &policies[row]);
    let leading = comparison.leading(row);
    let mut chart = Chart::new(
        "compare-waterfall",
        &format!("From {} to {}", clean(&base.name), clean(&other.name)),
        &format!("{}, US dollars", leading.label),
        "The parts sum to the difference.",
    );
    if comparison.many.replications > 1 {
        chart.unit += &format!(", means of {} replications", comparison.many.replications);
    }
    if !other.comparable {
        chart.caption +=
            " The two did not do the same work, so it is a useful hour that is compared.";
    }
    let [base_parts, other_parts] = comparison.parts_against_baseline(row);
    let sum = |parts: &[CostSlice]| parts.iter().map(|part| part.usd).sum::<f64>();
    let totals = [(&base.name, sum(&base_parts)), (&other.name, sum(&other_parts))];
    let steps = comparison.cost_steps(row).into_iter();
    let steps = steps.map(|step| (clean(&step.provider), step.kind, step.usd)).collect();
    falling(chart, totals, steps)
}

/// Waterfall of the mean cost of the runs, service by service: volume, mix, price and terms. `None`
/// where nothing differs.
fn effects(comparison: &ComparisonReport<'_>, row: usize) -> Option<Chart> {
    let policies = &comparison.many.policies;
    let (base, other) = (&policies[comparison.baseline()], &policies[row]);
    let mean = |policy: &ComparedPolicy| {
        let all = policy.measurements.iter().map(|one| one.cost as f64 / 1e9);
        all.sum::<f64>() / policy.measurements.len().max(1) as f64
    };
    let mut steps: Vec<(String, String, i128)> = Vec::new();
    let mut add = |provider: &str, what: String, nanos: i128| {
        let provider = clean(provider);
        match steps.iter_mut().find(|step| (&step.0, &step.1) == (&provider, &what)) {
            Some(step) => step.2 += nanos,
            None => steps.push((provider, what, nanos)),
        }
    };
    for one in &other.effects.products {
        let parts = [("volume", one.volume), ("mix", one.mix), ("price", one.price)];
        for (effect, nanos) in parts {
            add(&one.now.provider, format!("{}: {effect}", one.now.service), nanos);
        }
    }
    for one in &other.effects.terms {
        add(&one.provider, one.kind.clone(), one.nanos);
    }
    let runs = f64::from(comparison.many.replications.max(1));
    let usd = |(provider, what, nanos): (String, String, i128)| {
        (provider, what, nanos as f64 / 1e9 / runs)
    };
    let steps: Vec<_> = steps.into_iter().map(usd).collect();
    if steps.iter().all(|step| step.2.abs() < HALF_A_CENT) {
        return None;
    }
    let mut chart = Chart::new(
        "compare-effects",
        &format!("Why {} costs more or less than {}", clean(&other.name), clean(&base.name)),
        "cost of a run, US dollars",
        "Volume: more or less is bought, at the same mix and prices. Mix: dearer or cheaper products. Price: the same at other prices. The parts sum to the difference.",
    );
    if comparison.many.replications > 1 {
        chart.unit += &format!(", means of {} replications", comparison.many.replications);
    }
    Some(falling(chart, [(&base.name, mean(base)), (&other.name, mean(other))], steps))
}

/// Draws a waterfall: the two totals, and the steps (who, for what, US dollars) between them.
fn falling(
    mut chart: Chart,
    totals: [(&String, f64); 2],
    all: Vec<(String, String, f64)>,
) -> Chart {
    const MORE: Colour = PALETTE[5];
    const LESS: Colour = PALETTE[2];
    let [(base, mut at), (other, total)] = totals;
    let mut high = at;
    let whole = |name: &str, value: f64| BarRow {
        label: clean(name),
        below: String::new(),
        start: 0.0,
        parts: vec![(value, PALETTE[0])],
        value: figure("USD", Some(value)),
    };
    let mut rows = vec![whole(base, at)];
    let mut steps: Vec<(String, String, f64)> = Vec::new();
    let mut smaller = 0.0;
    for step in all {
        match step.2.abs() < SMALL * at.max(total) {
            true => smaller += step.2,
            false => steps.push(step),
        }
    }
    if smaller.abs() >= HALF_A_CENT {
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
    rows.push(whole(other, total));
    chart.legend = vec![
        ("in all".to_owned(), PALETTE[0]),
        ("costs more".to_owned(), MORE),
        ("costs less".to_owned(), LESS),
    ];
    chart.plot = Plot::Bars(Bars { rows, high: high.max(total), guide: None });
    chart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_no_difference() {
        assert!(is_rounding("cost_monthly", &[4e-7, -4e-3, 0.0]));
        assert!(!is_rounding("cost_monthly", &[0.0, 0.006]));
        assert!(!is_rounding("cost_per_core_hour", &[4e-7]));
        assert!(is_rounding("cost_per_core_hour", &[0.0]));
    }

    #[test]
    fn what_coincides_is_named_together() {
        let point =
            |value: f64| Interval { mean: value, half_width: 0.0, low: value, high: value, n: 1 };
        let all = [(10.0, 0.5), (10.0, 0.5), (20.0, 0.9), (20.01, 0.9), (10.0, 0.9)];
        let points: Vec<(usize, Interval, Interval)> =
            (0..).zip(all).map(|(row, (x, y))| (row, point(x), point(y))).collect();
        let (x, y) = (axis::measure("USD", 8.0, 22.0), axis::measure("share", 0.4, 1.0));
        let found: Vec<(Vec<usize>, &str)> =
            spots(&points, &x, &y).into_iter().map(|spot| (spot.rows, spot.joint)).collect();
        assert_eq!(found, [(vec![0, 1], " = "), (vec![2, 3], " ≈ "), (vec![4], " = ")]);
    }

    #[test]
    fn intervals_beyond_the_axis_are_known() {
        let row = ForestRow { interval: (-5.0, -0.9, 0.5), ..ForestRow::default() };
        let axis = forest_axis(&[row], 2.0, "share");
        assert!(!axis.holds(-5.0) && axis.holds(-0.9) && axis.holds(0.5));
        assert_eq!(axis.ticks[0].label, "−200 %");
    }
}
