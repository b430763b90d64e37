//! The charts of a comparison: one line per policy.

use super::super::breakdown::Breakdown;
use super::super::comparison::ComparisonReport;
use super::super::figure::clean;
use super::of_breakdown::comparison_parts;
use super::of_run::{RESOURCES, TimeSteps, above_zero, provider_colour, wait_curve};
use super::{
    BarRow, Bars, Chart, ChartAxis, ChartMark, GREY, LinePoints, PALETTE, Plot, axis, hides,
};
use crate::model::World;
use crate::units::Time;

/// Charts of what each policy costs, and charts that lay all policies over each other; the first
/// eight, where there are more. Courses over time and waits are those of the first replication,
/// and say so.
pub fn comparison_charts(world: &World, comparison: &ComparisonReport<'_>) -> Vec<Chart> {
    let all: Vec<TimeSteps> = comparison.rows.iter().map(|row| TimeSteps::of(row.series)).collect();
    let shown = ShownPolicies { world, comparison, steps: &all };
    let mut charts = vec![shown.cumulative_cost(), shown.queue(), waits(comparison)];
    let gpus = all.iter().any(|steps| !steps.utilisation(2).is_empty());
    charts.push(shown.utilisation(0));
    if gpus {
        charts.push(shown.utilisation(2));
    }
    let (policies, many) = (comparison.rows.len(), comparison.many);
    for chart in &mut charts {
        if many.replications > 1 {
            let which = format!(", replication 1 of {}, seed {}", many.replications, many.seed);
            chart.title.push_str(&which);
        }
        if policies > PALETTE.len() {
            chart.unit += &format!("; the first {} of {policies} policies", PALETTE.len());
        }
    }
    let breakdowns = comparison.breakdowns();
    charts.insert(0, cost_bars(world, comparison, &breakdowns));
    let mut parts = comparison_parts(&breakdowns);
    if many.replications > 1 {
        let means = format!(", means of {} replications", many.replications);
        parts.iter_mut().for_each(|chart| chart.unit += &means);
    }
    charts.extend(parts);
    charts
}

struct ShownPolicies<'a> {
    world: &'a World,
    comparison: &'a ComparisonReport<'a>,
    steps: &'a [TimeSteps],
}

impl ShownPolicies<'_> {
    fn time_axis(&self) -> Option<ChartAxis> {
        let edges = || self.steps.iter().flat_map(|steps| &steps.edges);
        let from = edges().map(|edge| edge.0).min()?;
        let until = edges().map(|edge| edge.1).max()?;
        Some(axis::calendar(self.world.calendar, from, until))
    }

    /// Chart with one line or more per policy, each over time.
    fn over_time(
        &self,
        mut chart: Chart,
        lines: impl Fn(&TimeSteps) -> Vec<Vec<(f64, f64)>>,
        y: impl Fn(f64) -> ChartAxis,
    ) -> Chart {
        let Some(x) = self.time_axis() else { return chart };
        let mut marks = Vec::new();
        let mut drawn: Vec<LinePoints> = Vec::new();
        for ((steps, row), colour) in self.steps.iter().zip(&self.comparison.rows).zip(PALETTE) {
            chart.legend.push((clean(row.name), colour));
            let lines = lines(steps);
            for points in lines.clone() {
                let dashed = hides(&points, &drawn);
                marks.push(ChartMark::Line { points, colour, dashed });
            }
            drawn.extend(lines);
        }
        let points = marks.iter().flat_map(|mark| match mark {
            ChartMark::Line { points, .. } => points.as_slice(),
            _ => &[],
        });
        let most = points.map(|point| point.1).fold(0.0, f64::max);
        if most == 0.0 {
            chart.legend.clear();
            chart.plot = Plot::Nothing("zero all the time, under every policy");
            return chart;
        }
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
        let line = |steps: &TimeSteps| {
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
        let line = |steps: &TimeSteps| vec![steps.stair(&steps.means(|bucket| bucket.waiting))];
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

fn waits(comparison: &ComparisonReport<'_>) -> Chart {
    let mut chart = Chart::new(
        "compare-waits",
        "Waits",
        "share of started work that waited at most this long",
        "Waits of up to a second are counted at the left edge.",
    );
    let Some(max) = comparison.rows.iter().filter_map(|row| row.waits.max()).max() else {
        return chart;
    };
    if max == 0 {
        chart.plot = Plot::Nothing("all work started as it arrived, under every policy");
        return chart;
    }
    let x = axis::durations(max as f64 / 1e6);
    let mut lowest = 1.0_f64;
    let mut drawn: Vec<LinePoints> = Vec::new();
    let mut marks = Vec::new();
    for (row, colour) in comparison.rows.iter().zip(PALETTE) {
        chart.legend.push((clean(row.name), colour));
        if row.waits.count() > 0 {
            let mut points = wait_curve(row.waits);
            points.push((x.high, 1.0));
            lowest = lowest.min(points[0].1);
            drawn.push(points.clone());
            let dashed = hides(&points, &drawn[..drawn.len() - 1]);
            marks.push(ChartMark::Line { points, colour, dashed });
        }
    }
    let y = axis::percent_from(lowest);
    chart.unit.push_str(above_zero(&y));
    chart.plot = Plot::Plane { x, y, marks };
    chart
}

/// The leading cost by policy, stacked by provider, transfers at the end; means where
/// there are several replications.
fn cost_bars(
    world: &World,
    comparison: &ComparisonReport<'_>,
    breakdowns: &[(String, Breakdown)],
) -> Chart {
    let leading = comparison.leading_of_all();
    let title = format!("{}{} by provider", leading.label[..1].to_uppercase(), &leading.label[1..]);
    let mut chart = Chart::new("compare-cost", &title, "US dollars", "");
    if !comparison.many.comparable() {
        chart.caption = "The policies did not do the same work: what a month of each costs must \
            not be set against the others."
            .to_owned();
    }
    if comparison.many.replications > 1 {
        chart.unit += &format!(", means of {} replications", comparison.many.replications);
    }
    let mut providers: Vec<&str> = Vec::new();
    for part in breakdowns.iter().flat_map(|(_, one)| &one.cost) {
        if part.usd != 0.0 && !providers.contains(&part.provider.as_str()) {
            providers.push(&part.provider);
        }
    }
    let row = |(at, (name, one)): (usize, &(String, Breakdown))| {
        let part = |name: &&str| (one.machines(name), provider_colour(world, name));
        let by = comparison.change(leading, at);
        let value = comparison.figure(leading, at);
        BarRow {
            start: 0.0,
            label: clean(name),
            below: if at == comparison.baseline() { "baseline".to_owned() } else { String::new() },
            parts: providers.iter().map(part).chain([(one.transfers(), GREY)]).collect(),
            value: if by.is_empty() { value } else { format!("{value} ({by})") },
        }
    };
    let rows: Vec<BarRow> = breakdowns.iter().enumerate().map(row).collect();
    let sum = |row: &BarRow| row.parts.iter().map(|part| part.0).sum::<f64>();
    let high = rows.iter().map(sum).fold(0.0, f64::max);
    let used = |name: &&&str| breakdowns.iter().any(|(_, one)| one.machines(name) != 0.0);
    let entry = |name: &&str| (clean(name), provider_colour(world, name));
    chart.legend = providers.iter().filter(used).map(entry).collect();
    if breakdowns.iter().any(|(_, one)| one.transfers() != 0.0) {
        chart.legend.push(("moving data".to_owned(), GREY));
    }
    chart.plot = Plot::Bars(Bars { rows, high, guide: None });
    chart
}

#[cfg(test)]
mod tests {
    use super::super::super::comparison::PolicyResult;
    use super::super::super::testing::{judged, simulate, tiny};
    use super::*;

    #[test]
    fn bars_are_means_and_courses_name_their_replication() {
        let world = tiny();
        let ((), collector, series, _, outcome) = simulate(&world, 20, None, ());
        let summary = collector.summary(&world, &["default".to_owned()], &outcome);
        let (waits, objectives) = (collector.waits(), [].as_slice());
        let row = PolicyResult { name: "p", summary: &summary, series: &series, waits, objectives };
        let rows = vec![row; 10];
        let mut many = judged(&rows, 0, 3);
        // The first replication is that of the row; the mean of the three is twice as dear.
        for one in &mut many.policies[1].measurements[1..] {
            for part in &mut one.parts {
                part.monthly = part.monthly.map(|usd| usd * 2.5);
            }
        }
        let comparison = ComparisonReport {
            question: None,
            between: None,
            many: &many,
            decision: None,
            rows,
            reports: &[],
            calibration: None,
            cautions: Vec::new(),
        };
        let charts = comparison_charts(&world, &comparison);
        let Plot::Bars(bars) = &charts[0].plot else { panic!("bars: {:?}", charts[0].plot) };
        let sum = |row: usize| bars.rows[row].parts.iter().map(|part| part.0).sum::<f64>();
        let month = summary.monthly().expect("work arrived over some time");
        assert!((sum(0) - month).abs() < 1e-6);
        assert!((sum(1) - 2.0 * sum(0)).abs() < 1e-6);
        assert!(charts[0].unit.ends_with("means of 3 replications"));
        let (courses, parts) = charts[1..].split_at(5);
        assert!(!parts.is_empty());
        for chart in parts {
            assert!(chart.unit.ends_with("means of 3 replications"), "{}", chart.unit);
        }
        for chart in courses {
            assert!(chart.title.ends_with(", replication 1 of 3, seed 1"), "{}", chart.title);
            assert!(chart.unit.ends_with("; the first 8 of 10 policies"), "{}", chart.unit);
        }
    }
}
