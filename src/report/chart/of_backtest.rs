//! The charts of a backtest: what was observed beside what was simulated.

use super::super::figure::{count, figure};
use super::{BarRow, Bars, Chart, ChartMark, Colour, LinePoints, PALETTE, Plot, axis, hides};
use crate::experiment::backtest::{Backtest, Lived, Matched};
use crate::model::World;
use crate::units::{Span, Time};

/// Steps of charts over time.
const STEPS: usize = 240;

const OBSERVED: Colour = (70, 76, 86);
const SIMULATED: Colour = PALETTE[0];
const SIDES: [(&str, Colour); 2] = [("observed", OBSERVED), ("simulated", SIMULATED)];

/// All charts of a backtest, in the order of the page; empty if no work has both an observed and a
/// simulated wait.
pub fn backtest_charts(world: &World, backtest: &Backtest) -> Vec<Chart> {
    let Some(course) = backtest.course(STEPS) else { return Vec::new() };
    let all: Vec<Matched<'_>> = backtest.matched().collect();
    vec![
        queue(world, &course),
        scatter(&all),
        wait_curves(&all),
        error_curves(&all),
        cores(world, &course),
        groups(backtest),
    ]
}

fn legend() -> Vec<(String, Colour)> {
    SIDES.map(|(name, colour)| (name.to_owned(), colour)).into()
}

/// Lines of both sides; the second is dashed if it would hide the first.
fn two_lines([observed, simulated]: [LinePoints; 2]) -> Vec<ChartMark> {
    let others = [observed];
    let dashed = hides(&simulated, &others);
    let [observed] = others;
    let [first, second] = SIDES.map(|(_, colour)| colour);
    vec![
        ChartMark::Line { points: observed, colour: first, dashed: false },
        ChartMark::Line { points: simulated, colour: second, dashed },
    ]
}

fn over_time(mut chart: Chart, world: &World, course: &Lived, sides: &[Vec<f64>; 2]) -> Chart {
    let step = |at: usize| course.from + Span::from_micros(course.step.micros() * at as i64);
    let steps = sides[0].len();
    let corners = |values: &[f64]| -> Vec<(f64, f64)> {
        let corner = |(at, &value): (usize, &f64)| {
            [(step(at).secs_f64(), value), (step(at + 1).secs_f64(), value)]
        };
        values.iter().enumerate().flat_map(corner).collect()
    };
    let marks = two_lines(sides.each_ref().map(|values| corners(values)));
    let most = sides.iter().flatten().copied().fold(0.0, f64::max);
    let until: Time = step(steps);
    let x = axis::calendar(world.calendar, course.from, until);
    chart.plot = Plot::Plane { x, y: axis::counts(most), marks };
    chart.legend = legend();
    chart
}

fn queue(world: &World, course: &Lived) -> Chart {
    let chart = Chart::new(
        "backtest-queue",
        "Queue length, observed and simulated",
        "waiting jobs, mean over each step",
        "Of the work whose waits are both known.",
    );
    over_time(chart, world, course, &course.queue)
}

fn cores(world: &World, course: &Lived) -> Chart {
    let chart = Chart::new(
        "backtest-cores",
        "Cores in use, observed and simulated",
        "cores, mean over each step",
        "Of the work whose waits are both known.",
    );
    over_time(chart, world, course, &course.cores)
}

/// Cells of the map of waits, along each axis.
const CELLS: (usize, usize) = (90, 40);

fn scatter(all: &[Matched<'_>]) -> Chart {
    let mut chart = Chart::new(
        "backtest-waits",
        "Waits, job by job",
        "simulated wait, over observed wait",
        "Each square is work with about these waits, the darker the more. On the dashed line the model is right, \
         above it work waits too long. Waits of up to a second are at the edges.",
    );
    let waits = |one: &Matched<'_>| [one.observed.wait, one.simulated.wait];
    let most = all.iter().flat_map(waits).max().unwrap_or(Span::ZERO);
    let axis = axis::durations(most.secs_f64());
    let high = axis.high;
    let mut cells = vec![0_u32; CELLS.0 * CELLS.1];
    let cell = |wait: Span, count: usize| {
        let share = axis::on_durations(wait) / high;
        ((share * count as f64) as usize).min(count - 1)
    };
    for one in all {
        let [observed, simulated] = waits(one);
        cells[cell(simulated, CELLS.1) * CELLS.0 + cell(observed, CELLS.0)] += 1;
    }
    let fullest = cells.iter().copied().max().unwrap_or(0);
    let depth = |number: u32| match fullest {
        0 | 1 => 1.0,
        _ => 0.25 + 0.75 * libm::log(f64::from(number)) / libm::log(f64::from(fullest)),
    };
    let edge = |at: usize, of: usize| high * at as f64 / of as f64;
    let mut marks = Vec::new();
    for (at, &number) in cells.iter().enumerate().filter(|(_, number)| **number > 0) {
        let (column, row) = (at % CELLS.0, at / CELLS.0);
        let (left, right) = (edge(column, CELLS.0), edge(column + 1, CELLS.0));
        let (low, top) = (edge(row, CELLS.1), edge(row + 1, CELLS.1));
        marks.push(ChartMark::Area {
            upper: vec![(left, top), (right, top)],
            lower: vec![(left, low), (right, low)],
            colour: SIMULATED,
            opacity: depth(number),
        });
    }
    let diagonal = vec![(0.0, 0.0), (high, high)];
    marks.push(ChartMark::Line { points: diagonal, colour: OBSERVED, dashed: true });
    chart.legend = vec![
        (format!("work, at most {} in a square", count(u64::from(fullest))), SIMULATED),
        ("as observed".to_owned(), OBSERVED),
    ];
    let mut x = axis.clone();
    x.caption = "observed wait →".to_owned();
    chart.plot = Plot::Plane { x, y: axis, marks };
    chart
}

/// Points of a cumulative distribution.
const QUANTILES: usize = 250;

/// Share of `values`, in seconds, that are at most so long; over durations
/// from a second on. `whole` is what all of them are a share of.
fn curve(mut values: Vec<f64>, whole: usize, high: f64) -> Vec<(f64, f64)> {
    values.sort_unstable_by(f64::total_cmp);
    let share = |count: usize| count as f64 / whole.max(1) as f64;
    let mut points = vec![(0.0, share(values.partition_point(|&value| value <= 1.0)))];
    for step in 1..=QUANTILES {
        let rank = (values.len() * step).div_ceil(QUANTILES);
        let Some(&value) = rank.checked_sub(1).and_then(|at| values.get(at)) else { continue };
        if value > 1.0 {
            let (at, last) = (libm::log10(value), points[points.len() - 1].1);
            points.extend([(at, last), (at, share(rank))]);
        }
    }
    points.push((high, share(values.len())));
    points
}

fn wait_curves(all: &[Matched<'_>]) -> Chart {
    let mut chart = Chart::new(
        "backtest-wait-curve",
        "Waits, observed and simulated",
        "share of work that waited at most this long",
        "Waits of up to a second are counted at the left edge.",
    );
    let waits: [Vec<f64>; 2] = [
        all.iter().map(|one| one.observed.wait.secs_f64()).collect(),
        all.iter().map(|one| one.simulated.wait.secs_f64()).collect(),
    ];
    let most = waits.iter().flatten().copied().fold(0.0, f64::max);
    let x = axis::durations(most);
    let marks = two_lines(waits.map(|values| curve(values, all.len(), x.high)));
    chart.legend = legend();
    chart.plot = Plot::Plane { x, y: axis::percent(), marks };
    chart
}

fn error_curves(all: &[Matched<'_>]) -> Chart {
    let mut chart = Chart::new(
        "backtest-errors",
        "Errors of the waits",
        "share of all work whose wait is off by at most this much",
        "Work that waits too long and work that waits too short add up to the first line, less what waits as observed.",
    );
    let errors: Vec<f64> = all.iter().map(Matched::error_s).collect();
    let most = errors.iter().map(|error| error.abs()).fold(0.0, f64::max);
    let x = axis::durations(most);
    let some = |keep: fn(f64) -> bool| {
        errors.iter().filter(|&&error| keep(error)).map(|error| error.abs()).collect()
    };
    let kinds: [(&str, Colour, Vec<f64>); 3] = [
        ("all", OBSERVED, some(|_| true)),
        ("too long", PALETTE[5], some(|error| error > 0.0)),
        ("too short", PALETTE[2], some(|error| error < 0.0)),
    ];
    let mut marks = Vec::new();
    for (name, colour, values) in kinds {
        chart.legend.push((format!("{name}: {}", count(values.len() as u64)), colour));
        let points = curve(values, all.len(), x.high);
        marks.push(ChartMark::Line { points, colour, dashed: false });
    }
    chart.plot = Plot::Plane { x, y: axis::percent(), marks };
    chart
}

/// Two bars for each class of size.
fn groups(backtest: &Backtest) -> Chart {
    let mut chart =
        Chart::new("backtest-sizes", "Mean wait by cores asked", "observed and simulated", "");
    let groups = || backtest.groups.iter().filter(|group| group.by == "cores");
    let high = groups().map(|group| group.observed_s.max(group.simulated_s)).fold(0.0, f64::max);
    let mut rows = Vec::new();
    for group in groups() {
        let values = [group.observed_s, group.simulated_s];
        for ((side, (_, colour)), value) in SIDES.into_iter().enumerate().zip(values) {
            let label = if side == 0 { format!("cores: {}", group.name) } else { String::new() };
            let number = format!("{} jobs", count(group.errors.compared));
            let below = if side == 0 { number } else { String::new() };
            let shown = figure("s", Some(value));
            rows.push(BarRow {
                label,
                below,
                parts: vec![(value, colour)],
                value: shown,
                ..BarRow::default()
            });
        }
    }
    chart.legend = legend();
    chart.plot = Plot::Bars(Bars { rows, high, guide: None });
    chart
}
