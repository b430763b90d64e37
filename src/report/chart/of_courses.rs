//! The course of the policies over time: mean and spread over the replications.

use super::super::comparison::ComparisonReport;
use super::super::figure::clean;
use super::of_replications::colour_of;
use super::{Chart, ChartAxis, ChartMark, GREY, PALETTE, Plot, axis};
use crate::experiment::{ComparedPolicy, Course, Repetition};
use crate::model::World;
use crate::units::{Span, Time};

/// Replications below and above the edges of a band, of every hundred.
const BAND: (usize, usize) = (10, 90);

/// Charts over time, one per quantity.
pub(super) fn courses(world: &World, comparison: &ComparisonReport<'_>) -> Vec<Chart> {
    let policies = comparison.many.policies.len();
    let which = match policies > PALETTE.len() {
        true => format!("{} of {policies} policies", PALETTE.len()),
        false => "every policy".to_owned(),
    };
    let course =
        |name, what: &str, unit: &str, of: fn(&Course) -> &Vec<f64>, axis: fn(f64) -> ChartAxis| {
            let title = format!("{what} over time, {which}");
            course(world, comparison, Chart::new(name, &title, unit, CAPTION), of, axis)
        };
    vec![
        course(
            "compare-course-queue",
            "Queue length",
            "waiting jobs and virtual machines",
            |course| &course.queue,
            axis::counts,
        ),
        course(
            "compare-course-cost",
            "Cost rate",
            "US dollars per hour",
            |course| &course.cost_rate,
            axis::dollars,
        ),
        course(
            "compare-course-utilisation",
            "CPU utilisation",
            "allocated share of running capacity",
            |course| &course.cpu,
            |_| axis::percent(),
        ),
    ]
}

const CAPTION: &str = "Line: mean of the replications that were still running, as long as half of \
    them were. Band: from the 10th to the 90th of every hundred. All panels have the same axes.";

fn course(
    world: &World,
    comparison: &ComparisonReport<'_>,
    mut chart: Chart,
    of: fn(&Course) -> &Vec<f64>,
    y: fn(f64) -> ChartAxis,
) -> Chart {
    let policies = || comparison.many.policies.iter().take(PALETTE.len());
    let mut steps: Vec<f64> = policies()
        .flat_map(|policy| policy.measurements.iter().map(|one| one.course.step_s))
        .collect();
    steps.sort_by(f64::total_cmp);
    let step = steps[steps.len() / 2];
    let bands: Vec<Band> = policies()
        .map(|policy| Band::of(policy.measurements.iter().map(|one| &one.course), of, step))
        .collect();
    let most = bands.iter().map(Band::high).fold(0.0, f64::max);
    let middles = || bands.iter().flat_map(|band| &band.mean).map(|point| point.0);
    let from = middles().fold(f64::INFINITY, f64::min) - step / 2.0;
    let until = middles().fold(f64::NEG_INFINITY, f64::max) + step / 2.0;
    if until <= from {
        return chart;
    }
    if most == 0.0 {
        chart.plot = Plot::Nothing("zero all the time, under every policy");
        return chart;
    }
    let warm_up = comparison.many.repetition.warm_up();
    let panel = |(row, (policy, band)): (usize, (&ComparedPolicy, Band))| {
        let colour = colour_of(row);
        let Band { mean, upper, lower } = band;
        let mut marks = vec![
            ChartMark::Area { upper, lower, colour, opacity: 0.25 },
            ChartMark::Line { points: mean, colour, dashed: false },
        ];
        if warm_up > Span::ZERO {
            let at = warm_up.secs_f64();
            let points = vec![(at, 0.0), (at, f64::INFINITY)];
            marks.push(ChartMark::Line { points, colour: GREY, dashed: true });
        }
        (clean(&policy.name), marks)
    };
    if warm_up > Span::ZERO {
        chart.unit += &format!("; dashed: end of the warm-up ({warm_up}), which is not counted");
    }
    chart.plot = Plot::Panels {
        x: time_axis(world, comparison.many.repetition, from, until),
        y: y(most),
        panels: policies().zip(bands).enumerate().map(panel).collect(),
    };
    chart
}

/// Dates where all replications lie on the same ones, else the time since each began.
fn time_axis(world: &World, repetition: Repetition, from: f64, until: f64) -> ChartAxis {
    let since = match repetition {
        Repetition::Seeds { .. } => {
            let time = |secs: f64| Time::from_micros((secs * 1e6) as i64);
            return axis::calendar(world.calendar, time(from), time(until));
        }
        Repetition::Windows { .. } => "since the start of each window",
        Repetition::Blocks { .. } => "since the start of each replication",
    };
    let mut axis = axis::measure("s", from, until);
    axis.caption = since.to_owned();
    axis
}

/// Line of points over time.
type CourseLine = Vec<(f64, f64)>;

/// Mean and spread over time.
#[derive(Debug, Default)]
struct Band {
    mean: CourseLine,
    upper: CourseLine,
    lower: CourseLine,
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
            let middle = start + (at as f64 + 0.5) * step;
            band.mean.push((middle, values.iter().sum::<f64>() / values.len() as f64));
            band.lower.push((middle, nearest_rank(&values, BAND.0)));
            band.upper.push((middle, nearest_rank(&values, BAND.1)));
        }
        band
    }

    /// The highest that is drawn: a mean can lie above the band.
    fn high(&self) -> f64 {
        self.mean.iter().chain(&self.upper).map(|point| point.1).fold(0.0, f64::max)
    }
}

/// The value that `percent` of every hundred of `sorted` are at most, by nearest rank.
fn nearest_rank(sorted: &[f64], percent: usize) -> f64 {
    sorted[(percent * sorted.len()).div_ceil(100).max(1) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Calendar;

    #[test]
    fn ranks_are_the_nearest() {
        let of = |count: usize, percent| {
            let all: Vec<f64> = (1..=count).map(|value| value as f64).collect();
            nearest_rank(&all, percent)
        };
        // The nearest rank is the ceiling of n p / 100, and at least the first.
        for (count, low, high) in [(1, 1.0, 1.0), (2, 1.0, 2.0), (9, 1.0, 9.0), (10, 1.0, 9.0)] {
            assert_eq!((of(count, 10), of(count, 90)), (low, high), "{count}");
        }
        assert_eq!((of(11, 10), of(11, 90)), (2.0, 10.0));
        assert_eq!((of(100, 10), of(100, 90)), (10.0, 90.0));
    }

    #[test]
    fn the_axis_holds_means_above_their_band() {
        // One of 20 replications is far off: the mean is above the 90th percentile.
        let course =
            |value: f64| Course { step_s: 60.0, queue: vec![value, value], ..Course::default() };
        let all: Vec<Course> =
            (0..20).map(|at| course(if at == 7 { 1_000.0 } else { 1.0 })).collect();
        let band = Band::of(all.iter(), |course| &course.queue, 60.0);
        let mean = (19.0 + 1_000.0) / 20.0;
        assert_eq!(band.mean, [(30.0, mean), (90.0, mean)]);
        assert_eq!(band.upper[0].1, 1.0);
        assert_eq!(band.high(), mean);
    }

    #[test]
    fn windows_have_no_dates() {
        let world = World::empty(Calendar::from_unix_micros(0));
        let windows = Repetition::Windows {
            first: Time::ZERO,
            width: Span::from_secs(600_000),
            warm_up: Span::ZERO,
            of: 3,
            taken: 3,
            stride: 1,
        };
        let axis = time_axis(&world, windows, 0.0, 600_000.0);
        assert_eq!(axis.caption, "since the start of each window");
        assert_eq!(axis.ticks[1].label, "2 d");
        let seeds = Repetition::Seeds { warm_up: Span::ZERO };
        assert!(time_axis(&world, seeds, 0.0, 600_000.0).caption.ends_with("(UTC)"));
    }
}
