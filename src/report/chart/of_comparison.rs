//! The charts of a comparison: one line per policy.

use super::super::comparison::Comparison;
use super::super::figure::clean;
use super::of_run::{RESOURCES, Steps, wait_curve};
use super::{Axis, BarRow, Bars, Chart, Colour, GREY, Mark, PALETTE, Plot, axis};
use crate::model::World;
use crate::units::Time;

/// Charts that lay all policies over each other; the first eight, where there
/// are more.
pub fn comparison_charts(world: &World, comparison: &Comparison<'_>) -> Vec<Chart> {
    let all: Vec<Steps> = comparison.rows.iter().map(|row| Steps::of(row.series)).collect();
    let shown = Shown { world, comparison, steps: &all };
    let mut charts =
        vec![cost_bars(comparison), shown.cumulative_cost(), shown.queue(), waits(comparison)];
    let gpus = all.iter().any(|steps| !steps.utilisation(2).is_empty());
    charts.push(shown.utilisation(0));
    if gpus {
        charts.push(shown.utilisation(2));
    }
    for chart in &mut charts {
        if comparison.rows.len() > PALETTE.len() && chart.name != "compare-cost" {
            chart.caption.push_str(" The first eight policies are shown.");
        }
    }
    charts
}

struct Shown<'a> {
    world: &'a World,
    comparison: &'a Comparison<'a>,
    steps: &'a [Steps],
}

impl Shown<'_> {
    fn time_axis(&self) -> Option<Axis> {
        let edges = || self.steps.iter().flat_map(|steps| &steps.edges);
        let from = edges().map(|edge| edge.0).min()?;
        let until = edges().map(|edge| edge.1).max()?;
        Some(axis::calendar(self.world.calendar, from, until))
    }

    /// One line or more per policy, each over time.
    fn over_time(
        &self,
        mut chart: Chart,
        lines: impl Fn(&Steps) -> Vec<Vec<(f64, f64)>>,
        y: impl Fn(f64) -> Axis,
    ) -> Chart {
        let Some(x) = self.time_axis() else { return chart };
        let mut marks = Vec::new();
        for ((steps, row), colour) in self.steps.iter().zip(&self.comparison.rows).zip(PALETTE) {
            chart.legend.push((clean(row.name), colour));
            let line = |points| Mark::Line { points, colour, dashed: false };
            marks.extend(lines(steps).into_iter().map(line));
        }
        let points = marks.iter().flat_map(|mark| match mark {
            Mark::Line { points, .. } => points.as_slice(),
            Mark::Area { .. } | Mark::Dots { .. } => &[],
        });
        let most = points.map(|point| point.1).fold(0.0, f64::max);
        chart.plot = Plot::Plane { x, y: y(most), marks };
        chart
    }

    fn cumulative_cost(&self) -> Chart {
        let chart = Chart::new(
            "compare-cost-over-time",
            "Cost so far",
            "US dollars",
            "What live instances have cost, before rounding rules and transfers.",
        );
        let line = |steps: &Steps| {
            let rates = steps.means(|bucket| bucket.rates.iter().sum());
            let mut sum = 0.0;
            let first = steps.edges.first().map_or(Time::ZERO, |edge| edge.0);
            let mut points = vec![(first.secs_f64(), 0.0)];
            for (&(from, until), picos) in steps.edges.iter().zip(rates) {
                sum += picos / 1e12 * (until - from).secs_f64() / 3_600.0;
                points.push((until.secs_f64(), sum));
            }
            vec![points]
        };
        self.over_time(chart, line, axis::dollars)
    }

    fn queue(&self) -> Chart {
        let chart = Chart::new(
            "compare-queue",
            "Queue length",
            "waiting jobs and virtual machines, mean over each step",
            "",
        );
        let line = |steps: &Steps| vec![steps.stair(&steps.means(|bucket| bucket.waiting))];
        self.over_time(chart, line, axis::counts)
    }

    fn utilisation(&self, resource: usize) -> Chart {
        let name =
            if resource == 2 { "compare-utilisation-gpu" } else { "compare-utilisation-cpu" };
        let title = format!("{} utilisation", RESOURCES[resource]);
        let chart = Chart::new(
            name,
            &title,
            "allocated share of running capacity",
            "Gaps are times without any running capacity.",
        );
        self.over_time(chart, |steps| steps.utilisation(resource), |_| axis::percent())
    }
}

fn waits(comparison: &Comparison<'_>) -> Chart {
    let mut chart = Chart::new(
        "compare-waits",
        "Waits",
        "share of started work that waited at most this long",
        "Waits of up to a second are counted at the left edge.",
    );
    let Some(max) = comparison.rows.iter().filter_map(|row| row.waits.max()).max() else {
        return chart;
    };
    let x = axis::durations(max as f64 / 1e6);
    let mut marks = Vec::new();
    for (row, colour) in comparison.rows.iter().zip(PALETTE) {
        chart.legend.push((clean(row.name), colour));
        if row.waits.count() > 0 {
            let mut points = wait_curve(row.waits);
            points.push((x.high, 1.0));
            marks.push(Mark::Line { points, colour, dashed: false });
        }
    }
    chart.plot = Plot::Plane { x, y: axis::percent(), marks };
    chart
}

/// Total cost by policy, stacked by provider.
fn cost_bars(comparison: &Comparison<'_>) -> Chart {
    let mut chart = Chart::new(
        "compare-cost",
        "Cost by policy and provider",
        "US dollars",
        "Bars of policies that did not do the same work must not be set against each other.",
    );
    if comparison.many.comparable() {
        chart.caption = "All policies did the same work.".to_owned();
    }
    let mut providers: Vec<&str> = Vec::new();
    for (name, _) in comparison.rows.iter().flat_map(|row| &row.summary.cost.by_provider) {
        if !providers.contains(&name.as_str()) {
            providers.push(name);
        }
    }
    let colour = |name: &str| -> Colour {
        let at = providers.iter().position(|provider| *provider == name);
        at.and_then(|at| PALETTE.get(at)).copied().unwrap_or(GREY)
    };
    let row = |(at, row): (usize, &super::super::comparison::PolicyResult<'_>)| {
        let parts = &row.summary.cost.by_provider;
        BarRow {
            start: 0.0,
            label: clean(row.name),
            below: if at == comparison.baseline() { "baseline".to_owned() } else { String::new() },
            parts: parts.iter().map(|(name, cost)| (cost.dollars(), colour(name))).collect(),
            value: row.summary.cost.total.to_string(),
        }
    };
    let rows: Vec<BarRow> = comparison.rows.iter().enumerate().map(row).collect();
    let high = comparison.rows.iter().map(|row| row.summary.cost.total.dollars());
    let high = high.fold(0.0, f64::max);
    chart.legend = providers.iter().map(|name| (clean(name), colour(name))).collect();
    chart.plot = Plot::Bars(Bars { rows, high, guide: None });
    chart
}
