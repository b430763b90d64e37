//! The charts of one run.

use super::super::alerts::AlertReport;
use super::super::budgets::BudgetReport;
use super::super::figure::{clean, figure};
use super::super::run::{BoundSide, ObjectiveResult};
use super::super::timeline::used_providers;
use super::of_breakdown::run_parts;
use super::of_budgets::budgets;
use super::of_faults::fault_ribbon;
use super::of_occupancy::occupancy;
use super::{BarRow, Bars, Chart, ChartAxis, ChartMark, Colour, GREY, PALETTE, Plot, axis};
use crate::metrics::{Bucket, Histogram, OccupancyRecorder, Series, StoppedWork, Summary};
use crate::model::World;
use crate::units::{Span, Time};
use crate::weather::FaultRibbon;

/// Data that the charts of a run are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// World, for names and dates.
    pub world: &'a World,
    /// Series over time.
    pub series: &'a Series,
    /// Summary of the run.
    pub summary: &'a Summary,
    /// Record of who held which machine.
    pub occupancy: &'a OccupancyRecorder,
    /// Waits in microseconds.
    pub waits: &'a Histogram,
    /// Results of the objectives.
    pub objectives: &'a [ObjectiveResult],
    /// What was out.
    pub faults: &'a FaultRibbon,
    /// Alerts of the run.
    pub alerts: &'a AlertReport,
    /// Its budgets.
    pub budgets: &'a [BudgetReport],
}

/// Name of the chart of the promises, which pages show beside their table.
pub(in super::super) const OBJECTIVES: &str = "objectives";

/// All charts of a run, in the order of the page. Those of objectives are
/// there only where the scenario has any.
pub fn run_charts(scene: &Scene<'_>) -> Vec<Chart> {
    let mut charts = vec![cost_rate(scene), utilisation(scene), instances(scene), queue(scene)];
    charts.extend(weather(scene));
    charts.iter_mut().for_each(|chart| shade(chart, &scene.alerts.times()));
    charts.extend(fault_ribbon(scene.world, scene.faults));
    charts.push(waits(scene));
    charts.push(occupancy(scene.world, scene.occupancy));
    charts.extend(run_parts(scene.summary));
    charts.extend(budgets(scene.world, scene.budgets));
    if !scene.objectives.is_empty() {
        charts.insert(0, objectives(scene.objectives));
    }
    charts
}

/// Colour of the times in which there was an alert.
const ALERT: Colour = (213, 94, 0);
/// The same as its shade looks, for legends.
const SHADE: Colour = (240, 190, 150);
/// Narrowest shade of an alert, as a share of the axis, so that it is seen.
const NARROWEST: f64 = 1.0 / 400.0;

/// Shades the times of alerts behind the lines of a chart over time.
fn shade(chart: &mut Chart, times: &[(Time, Time)]) {
    let Plot::Plane { x, y, marks } = &mut chart.plot else { return };
    let least = (x.high - x.low) * NARROWEST;
    let area = |&(from, until): &(Time, Time)| {
        let from = from.secs_f64().clamp(x.low, (x.high - least).max(x.low));
        let until = until.secs_f64().max(from + least).min(x.high);
        let level = |value: f64| vec![(from, value), (until, value)];
        let (upper, lower) = (level(y.high), level(y.low));
        ChartMark::Area { upper, lower, colour: ALERT, opacity: 0.18 }
    };
    let shades: Vec<ChartMark> = times.iter().map(area).collect();
    if shades.is_empty() {
        return;
    }
    marks.splice(0..0, shades);
    chart.legend.push(("alert".to_owned(), SHADE));
}

/// Points over time that are drawn at most; buckets beyond are averaged.
const MOST_POINTS: usize = 240;

/// Values by time: where each step begins and ends.
pub(super) struct TimeSteps {
    pub(super) edges: Vec<(Time, Time)>,
    buckets: Vec<(i128, Bucket)>,
}

impl TimeSteps {
    pub(super) fn of(series: &Series) -> Self {
        let all: Vec<_> = series.buckets().filter(|(_, span, _)| span.micros() > 0).collect();
        let merged = all.chunks(all.len().div_ceil(MOST_POINTS).max(1));
        let mut steps = Self { edges: Vec::new(), buckets: Vec::new() };
        for group in merged {
            let (from, mut until) = (group[0].0, group[0].0);
            let mut sum = Bucket::default();
            for (start, span, bucket) in group {
                until = *start + *span;
                sum.absorb(bucket);
            }
            steps.edges.push((from, until));
            steps.buckets.push((i128::from((until - from).micros()), sum));
        }
        steps
    }

    /// Means over each step.
    pub(super) fn means(&self, integral: impl Fn(&Bucket) -> i128) -> Vec<f64> {
        let mean = |(span, bucket): &(i128, Bucket)| integral(bucket) as f64 / *span as f64;
        self.buckets.iter().map(mean).collect()
    }

    /// Sums from the start up to the end of each step.
    fn sums(&self, amount: impl Fn(&Bucket) -> f64) -> Vec<f64> {
        let mut sum = 0.0;
        let add = |(_, bucket): &(i128, Bucket)| {
            sum += amount(bucket);
            sum
        };
        self.buckets.iter().map(add).collect()
    }

    /// Values of each step, one number each.
    fn of_each(&self, value: impl Fn(&Bucket) -> f64) -> Vec<f64> {
        self.buckets.iter().map(|(_, bucket)| value(bucket)).collect()
    }

    /// `values` as corners of a stair.
    pub(super) fn stair(&self, values: &[f64]) -> Vec<(f64, f64)> {
        let corners = |(&(from, until), &value): (&(Time, Time), &f64)| {
            [(from.secs_f64(), value), (until.secs_f64(), value)]
        };
        let mut points: Vec<(f64, f64)> = self.edges.iter().zip(values).flat_map(corners).collect();
        // Corners on a level line say nothing.
        let mut at = 1;
        while at + 1 < points.len() {
            if points[at - 1].1 == points[at].1 && points[at].1 == points[at + 1].1 {
                points.remove(at);
            } else {
                at += 1;
            }
        }
        points
    }

    /// Allocated over capacity of a resource, broken where there is none.
    pub(super) fn utilisation(&self, resource: usize) -> Vec<Vec<(f64, f64)>> {
        let mut pieces = vec![Vec::new()];
        for (&(from, until), (_, bucket)) in self.edges.iter().zip(&self.buckets) {
            let capacity = bucket.capacity[resource];
            if capacity == 0 {
                pieces.push(Vec::new());
                continue;
            }
            let value = bucket.allocated[resource] as f64 / capacity as f64;
            let piece = pieces.last_mut().expect("there is always one");
            piece.extend([(from.secs_f64(), value), (until.secs_f64(), value)]);
        }
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    fn time_axis(&self, scene: &Scene<'_>) -> Option<ChartAxis> {
        let (first, last) = (self.edges.first()?, self.edges.last()?);
        Some(axis::calendar(scene.world.calendar, first.0, last.1))
    }
}

/// Layers on top of each other, the first at the bottom.
fn stack(steps: &TimeSteps, layers: &[(String, Vec<f64>, Colour)]) -> (Vec<ChartMark>, f64) {
    let mut below = vec![0.0; steps.edges.len()];
    let mut marks = Vec::new();
    for (_, values, colour) in layers {
        let above: Vec<f64> = below.iter().zip(values).map(|(low, value)| low + value).collect();
        let (upper, lower) = (steps.stair(&above), steps.stair(&below));
        marks.push(ChartMark::Area { upper, lower, colour: *colour, opacity: 1.0 });
        below = above;
    }
    (marks, below.into_iter().fold(0.0, f64::max))
}

/// Name, values over time, and a colour if it has one of its own.
type Layer = (String, Vec<f64>, Option<Colour>);

/// Colour of a provider, the same in every chart of a world; beyond those of
/// the palette darker ones.
pub(super) fn provider_colour(world: &World, name: &str) -> Colour {
    let place = world.providers.rows().iter().position(|provider| provider.name == name);
    let Some(place) = place.filter(|&place| place < 2 * PALETTE.len()) else { return GREY };
    let (red, green, blue) = PALETTE[place % PALETTE.len()];
    let darker = |part: u8| if place < PALETTE.len() { part } else { part / 2 };
    (darker(red), darker(green), darker(blue))
}

/// The largest layers by their sum, in order of size; the others as one.
fn largest(mut layers: Vec<Layer>, most: usize) -> Vec<(String, Vec<f64>, Colour)> {
    let sum = |values: &[f64]| values.iter().sum::<f64>();
    layers.retain(|layer| sum(&layer.1) > 0.0);
    layers.sort_by(|a, b| sum(&b.1).total_cmp(&sum(&a.1)).then_with(|| a.0.cmp(&b.0)));
    let rest = layers.split_off(layers.len().min(most));
    let mut shown: Vec<_> = layers
        .into_iter()
        .zip(PALETTE)
        .map(|((name, values, own), colour)| (name, values, own.unwrap_or(colour)))
        .collect();
    if let Some((_, first, _)) = rest.first() {
        let mut others = vec![0.0; first.len()];
        for (_, values, _) in &rest {
            others.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        shown.push((format!("{} others", rest.len()), others, GREY));
    }
    shown
}

fn stacked(
    mut chart: Chart,
    scene: &Scene<'_>,
    steps: &TimeSteps,
    layers: Vec<Layer>,
    y: fn(f64) -> ChartAxis,
) -> Chart {
    let Some(x) = steps.time_axis(scene).filter(|_| !layers.is_empty()) else { return chart };
    let layers = largest(layers, PALETTE.len());
    if layers.is_empty() {
        chart.plot = Plot::Nothing("zero all the time");
        return chart;
    }
    let (marks, most) = stack(steps, &layers);
    chart.plot = Plot::Plane { x, y: y(most), marks };
    chart.legend = layers.into_iter().map(|(name, _, colour)| (name, colour)).collect();
    chart
}

fn cost_rate(scene: &Scene<'_>) -> Chart {
    let mut chart = Chart::new(
        "cost-rate",
        "Cost rate by provider",
        "US dollars per hour, stacked",
        "What all live instances cost per hour, booting ones included.",
    );
    let transfers = scene.summary.cost.by_kind.iter().find(|(kind, _)| kind == "transfer");
    if let Some((_, paid)) = transfers {
        chart.caption += &format!(" Not in it: {paid} for moving data.");
    }
    let steps = TimeSteps::of(scene.series);
    let layer = |row: usize| {
        let provider = &scene.world.providers.rows()[row];
        let rate = |bucket: &Bucket| bucket.rates.get(row).copied().unwrap_or(0);
        let values = steps.means(rate).into_iter().map(|picos| picos / 1e12).collect();
        (clean(&provider.name), values, Some(provider_colour(scene.world, &provider.name)))
    };
    let layers = used_providers(scene.world, scene.series).into_iter().map(layer).collect();
    stacked(chart, scene, &steps, layers, axis::dollars)
}

fn instances(scene: &Scene<'_>) -> Chart {
    let chart = Chart::new(
        "instances",
        "Instances by offer",
        "number, stacked",
        "Live instances, booting ones included.",
    );
    let steps = TimeSteps::of(scene.series);
    let layer = |offer: crate::units::Id<crate::model::Offer>| {
        let live = |bucket: &Bucket| bucket.live.get(offer.row()).copied().unwrap_or(0);
        (clean(&scene.world.offers[offer].name), steps.means(live), None)
    };
    let layers = scene.series.offers().into_iter().map(layer).collect();
    stacked(chart, scene, &steps, layers, axis::wholes)
}

/// What was struck, and what became of the work, where anything was struck, lost or checkpointed.
fn weather(scene: &Scene<'_>) -> Vec<Chart> {
    let (work, summary) = (&scene.summary.work, scene.summary);
    let struck = work.interruptions + work.failures > 0;
    let gpus = summary.useful_gpu_hours + summary.lost_gpu_hours > 0.0;
    let spoilt = summary.lost_core_hours + summary.overhead_core_hours;
    let spoilt = spoilt + summary.lost_gpu_hours + summary.overhead_gpu_hours > 0.0;
    let hours = (struck || spoilt).then(|| work_hours(scene, gpus));
    struck.then(|| strikes(scene)).into_iter().chain(hours).collect()
}

const LOST: Colour = PALETTE[5];
const OVERHEAD: Colour = PALETTE[1];
const DONE: Colour = PALETTE[2];

/// Interruptions and failures.
fn strikes(scene: &Scene<'_>) -> Chart {
    let mut chart = Chart::new("strikes", "Interruptions and failures", "", "");
    let steps = TimeSteps::of(scene.series);
    if let Some(&(from, until)) = steps.edges.first() {
        chart.unit = format!("work stopped in each {}, stacked", until - from);
    }
    chart.caption =
        "Allocations that lost an instance to its provider, and that were ended because \
        a machine failed."
            .to_owned();
    let layer = |name: &str, count: fn(&Bucket) -> u64, colour| {
        (name.to_owned(), steps.of_each(|bucket| count(bucket) as f64), Some(colour))
    };
    let layers = vec![
        layer("interruptions", |bucket| bucket.stopped.interruptions, OVERHEAD),
        layer("failures", |bucket| bucket.stopped.failures, LOST),
    ];
    stacked(chart, scene, &steps, layers, axis::wholes)
}

/// Work done, lost and spent on checkpoints, of GPUs where the run uses any.
fn work_hours(scene: &Scene<'_>, gpus: bool) -> Chart {
    let unit = if gpus { "GPU-hours" } else { "core-hours" };
    let mut chart = Chart::new(
        "work-hours",
        "Work done, lost and spent on checkpoints",
        &format!("{unit} since the start, stacked"),
        "Progress counts when the tasks that made it stop.",
    );
    let steps = TimeSteps::of(scene.series);
    let Some(x) = steps.time_axis(scene) else { return chart };
    let resource = usize::from(gpus);
    // Thousandths by millionths of a microsecond.
    let sums = |of: fn(&StoppedWork) -> [i128; 2]| {
        steps.sums(|bucket| of(&bucket.stopped)[resource] as f64 / 1e9 / 3.6e9)
    };
    let layers = [
        ("lost", sums(|stopped| stopped.lost), LOST),
        ("checkpoints", sums(|stopped| stopped.overhead), OVERHEAD),
        ("done", sums(|stopped| stopped.useful), DONE),
    ];
    let any = layers.into_iter().filter(|(_, sums, _)| sums.last().is_some_and(|&sum| sum > 0.0));
    let layers: Vec<_> = any.map(|(name, sums, colour)| (name.to_owned(), sums, colour)).collect();
    let (marks, most) = stack(&steps, &layers);
    chart.legend = layers
        .into_iter()
        .map(|(name, sums, colour)| {
            let sum = figure("h", sums.last().copied());
            (format!("{name}: {sum}"), colour)
        })
        .collect();
    chart.plot = Plot::Plane { x, y: axis::measure("count", 0.0, most), marks };
    chart
}

/// The names of the three resources, as they stand in buckets.
pub(super) const RESOURCES: [&str; 3] = ["CPU", "memory", "GPU"];

fn utilisation(scene: &Scene<'_>) -> Chart {
    let mut chart = Chart::new(
        "utilisation",
        "Utilisation",
        "allocated share of running capacity",
        "Gaps are times without any running capacity.",
    );
    let steps = TimeSteps::of(scene.series);
    let Some(x) = steps.time_axis(scene) else { return chart };
    let mut marks = Vec::new();
    for (resource, name) in RESOURCES.into_iter().enumerate() {
        let colour = PALETTE[resource];
        let pieces = steps.utilisation(resource);
        // A line at zero of what nobody asks for says nothing.
        let is_used = pieces.iter().flatten().any(|point| point.1 > 0.0);
        if pieces.is_empty() || !is_used {
            continue;
        }
        chart.legend.push((name.to_owned(), colour));
        marks.extend(pieces.into_iter().map(|points| ChartMark::Line {
            points,
            colour,
            dashed: false,
        }));
    }
    chart.plot = match marks.is_empty() {
        true => Plot::Nothing("nothing was ever in use"),
        false => Plot::Plane { x, y: axis::percent(), marks },
    };
    chart
}

fn queue(scene: &Scene<'_>) -> Chart {
    let mut chart = Chart::new(
        "queue",
        "Queue length",
        "waiting jobs and virtual machines",
        "The line is the mean over each step, the shade reaches to the most at once.",
    );
    let steps = TimeSteps::of(scene.series);
    let Some(x) = steps.time_axis(scene) else { return chart };
    let mean = steps.means(|bucket| bucket.waiting);
    let most = steps.of_each(|bucket| bucket.waiting_max as f64);
    let high = most.iter().copied().fold(0.0, f64::max);
    if high == 0.0 {
        chart.plot =
            Plot::Nothing("always empty; what waits for a machine to boot has left the queue");
        return chart;
    }
    let marks = vec![
        ChartMark::Area {
            upper: steps.stair(&most),
            lower: steps.stair(&vec![0.0; most.len()]),
            colour: PALETTE[4],
            opacity: 0.35,
        },
        ChartMark::Line { points: steps.stair(&mean), colour: PALETTE[0], dashed: false },
    ];
    chart.legend =
        vec![("mean".to_owned(), PALETTE[0]), ("most at once".to_owned(), (195, 228, 247))];
    chart.plot = Plot::Plane { x, y: axis::wholes(high), marks };
    chart
}

/// Shares at which the waits are drawn.
const QUANTILES: usize = 1_000;

/// Cumulative distribution of waits, from a second on.
pub(super) fn wait_curve(waits: &Histogram) -> Vec<(f64, f64)> {
    let fractions: Vec<f64> = (0..=QUANTILES).map(|step| step as f64 / QUANTILES as f64).collect();
    let values = waits.percentiles(&fractions);
    let mut points = vec![(0.0, waits.share_at_most(1_000_000))];
    for (value, share) in values.into_iter().zip(fractions) {
        let Some(value) = value.filter(|&value| value > 1_000_000) else { continue };
        let at = axis::on_durations(Span::from_micros(value as i64));
        let last = points.last().map_or(0.0, |point| point.1);
        points.extend([(at, last), (at, share)]);
    }
    points
}

fn waits(scene: &Scene<'_>) -> Chart {
    let mut chart = Chart::new(
        "waits",
        "Waits",
        "share of started work that waited at most this long",
        "Waits of up to a second are counted at the left edge.",
    );
    let Some(max) = scene.waits.max() else { return chart };
    if max == 0 {
        chart.plot = Plot::Nothing("all work started as it arrived");
        return chart;
    }
    let x = axis::durations(max as f64 / 1e6);
    let mut points = wait_curve(scene.waits);
    points.push((x.high, 1.0));
    let y = axis::percent_from(points[0].1);
    chart.unit.push_str(above_zero(&y));
    chart.legend.push(("all work".to_owned(), PALETTE[0]));
    let mut marks = vec![ChartMark::Line { points, colour: PALETTE[0], dashed: false }];
    for (name, fraction, colour) in [("p50", 0.5, PALETTE[2]), ("p95", 0.95, PALETTE[5])] {
        if let Some(value) = scene.waits.percentiles(&[fraction])[0] {
            let at = axis::on_durations(Span::from_micros(value as i64));
            marks.push(ChartMark::Line {
                points: vec![(at, 0.0), (at, 1.0)],
                colour,
                dashed: true,
            });
            let words = figure("s", Some(value as f64 / 1e6));
            chart.legend.push((format!("{name}: {words}"), colour));
        }
    }
    chart.plot = Plot::Plane { x, y, marks };
    chart
}

/// Note on an axis of shares that does not begin at nothing.
pub(super) fn above_zero(axis: &ChartAxis) -> &'static str {
    if axis.low > 0.0 { "; the axis does not begin at 0 %" } else { "" }
}

/// Bars longer than this many times their bound are cut.
const LONGEST_BAR: f64 = 2.0;

fn objectives(objectives: &[ObjectiveResult]) -> Chart {
    let (kept, broken) = (PALETTE[2], PALETTE[5]);
    let mut chart = Chart::new(
        OBJECTIVES,
        "Objectives",
        "value as a share of its bound",
        "The dashed line is the bound. Bars end at twice the bound.",
    );
    let row = |objective: &ObjectiveResult| {
        let ratio = match objective.value {
            None => 0.0,
            Some(value) if objective.bound > 0.0 => value / objective.bound,
            Some(value) if value > 0.0 => LONGEST_BAR,
            Some(_) => 0.0,
        };
        let verdict = if objective.met { "kept" } else { "broken" };
        let value = figure(&objective.unit, objective.value);
        let rule = match objective.side {
            BoundSide::AtLeast => "at least",
            BoundSide::AtMost => "at most",
        };
        let bound = figure(&objective.unit, Some(objective.bound));
        BarRow {
            start: 0.0,
            label: objective.label.clone(),
            below: match &objective.windows {
                None => format!("{rule} {bound}"),
                Some(windows) => {
                    let width = figure("s", Some(windows.width_s));
                    format!("{rule} {bound} each {width}")
                }
            },
            parts: vec![(ratio.clamp(0.0, LONGEST_BAR), if objective.met { kept } else { broken })],
            value: format!("{value}, {verdict}"),
        }
    };
    let rows: Vec<BarRow> = objectives.iter().map(row).collect();
    let longest = rows.iter().flat_map(|row| &row.parts).map(|part| part.0).fold(1.2, f64::max);
    chart.plot = Plot::Bars(Bars { rows, high: longest, guide: Some((1.0, "bound".to_owned())) });
    chart.legend = vec![("kept".to_owned(), kept), ("broken".to_owned(), broken)];
    chart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_of_nothing_are_left_out() {
        let layer = |name: &str, values: &[f64], own| (name.to_owned(), values.to_vec(), own);
        let own = Some((1, 2, 3));
        let layers = vec![
            layer("a", &[0.0, 1.0], None),
            layer("b", &[0.0, 0.0], None),
            layer("c", &[2.0, 2.0], own),
        ];
        let shown = largest(layers, 8);
        let expected = [
            ("c".to_owned(), vec![2.0, 2.0], (1, 2, 3)),
            ("a".to_owned(), vec![0.0, 1.0], PALETTE[1]),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn providers_keep_their_colours() {
        let world = super::super::super::testing::tiny();
        let names: Vec<&str> =
            world.providers.rows().iter().map(|provider| provider.name.as_str()).collect();
        for (at, name) in names.into_iter().enumerate() {
            assert_eq!(provider_colour(&world, name), PALETTE[at]);
        }
        assert_eq!(provider_colour(&world, "of another world"), GREY);
    }
}
