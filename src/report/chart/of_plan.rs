//! The charts of a plan: every setup by what it costs and how it keeps the
//! promise that binds, and how the search came to its answer.

use super::super::figure::figure;
use super::super::plan::PlanReport;
use super::{Chart, ChartMark, Colour, GREY, PALETTE, Plot, axis};
use crate::experiment::Measurement;
use crate::experiment::search::{Candidate, SetupVerdict};
use crate::experiment::statistics::Interval;
use crate::metrics::Metric;

const KEPT: Colour = PALETTE[2];
const BROKEN: Colour = PALETTE[5];
const UNSURE: Colour = PALETTE[1];
const LOOKED_AT: Colour = (190, 196, 204);

/// The charts of a plan, in the order of the page.
pub fn plan_charts(report: &PlanReport<'_>) -> Vec<Chart> {
    let mut charts = vec![frontier(report)];
    charts.extend(response(report));
    charts.push(convergence(report));
    charts
}

fn colour(verdict: SetupVerdict) -> Colour {
    match verdict {
        SetupVerdict::Kept => KEPT,
        SetupVerdict::NotShown => UNSURE,
        SetupVerdict::Broken => BROKEN,
    }
}

/// A mean and its interval, a point where there is none.
fn interval(report: &PlanReport<'_>, metric: &Metric, all: &[Measurement]) -> Option<Interval> {
    let mean = report.mean(metric, all)?;
    let point = Interval { mean, half_width: 0.0, low: mean, high: mean, n: all.len() };
    Some(report.interval(metric, all).unwrap_or(point))
}

/// The same of what a promise is held to.
fn promised(report: &PlanReport<'_>, row: usize, all: &[Measurement]) -> Option<Interval> {
    let mean = report.promised_mean(row, all)?;
    let point = Interval { mean, half_width: 0.0, low: mean, high: mean, n: all.len() };
    Some(report.promised_interval(row, all).unwrap_or(point))
}

/// A setup in the plane.
struct PlanSpot {
    x: Interval,
    y: Interval,
    verdict: Option<SetupVerdict>,
    is_answer: bool,
}

fn spots(
    report: &PlanReport<'_>,
    x: impl Fn(&Candidate, &[Measurement]) -> Option<Interval>,
    y: impl Fn(&[Measurement]) -> Option<Interval>,
) -> Vec<PlanSpot> {
    let found = report.found;
    let answer = found.choice.map(|row| found.finalists[row].candidate);
    let spot = |(row, one): (usize, &Candidate)| {
        let verdict = report.verdict(row);
        let all = if verdict.is_some() { report.judged(one) } else { one.searched.as_slice() };
        let (x, y) = (x(one, all)?, y(all)?);
        Some(PlanSpot { x, y, verdict, is_answer: Some(row) == answer })
    };
    found.candidates.iter().enumerate().filter_map(spot).collect()
}

/// Far beyond the bound there is nothing to read: what lies further out than
/// this many times as far as the furthest finalist is left out.
const FURTHEST: f64 = 4.0;

/// Nor are setups that cost this many times as much as the dearest finalist.
const DEAREST: f64 = 1.25;

/// Leaves out what is far off; how many that were.
fn near(spots: &mut Vec<PlanSpot>, bound: f64) -> usize {
    let far = |spot: &PlanSpot| (spot.y.mean - bound).abs();
    let judged = spots.iter().filter(|spot| spot.verdict.is_some()).map(far).fold(0.0, f64::max);
    let before = spots.len();
    spots.retain(|spot| far(spot) <= FURTHEST * judged.max(0.5 * bound.abs()));
    before - spots.len()
}

/// Draws spots: what was only looked at in grey, what was judged with crosses,
/// the answer larger.
fn draw(chart: &mut Chart, spots: &[PlanSpot], marks: &mut Vec<ChartMark>) {
    let dots = |spot: &PlanSpot, colour, radius| {
        let points = vec![(spot.x.mean, spot.y.mean)];
        ChartMark::Dots { points, colour, radius }
    };
    marks.extend(
        spots.iter().filter(|one| one.verdict.is_none()).map(|one| dots(one, LOOKED_AT, 9)),
    );
    for spot in spots {
        let Some(verdict) = spot.verdict else { continue };
        let colour = colour(verdict);
        let cross = [
            vec![(spot.x.low, spot.y.mean), (spot.x.high, spot.y.mean)],
            vec![(spot.x.mean, spot.y.low), (spot.x.mean, spot.y.high)],
        ];
        marks.extend(cross.map(|points| ChartMark::Line { points, colour, dashed: false }));
        marks.push(dots(spot, colour, if spot.is_answer { 18 } else { 10 }));
    }
    let is = |wanted: SetupVerdict| spots.iter().any(|spot| spot.verdict == Some(wanted));
    for (verdict, words) in [
        (SetupVerdict::Kept, "kept (the answer is the large dot)"),
        (SetupVerdict::NotShown, "not shown to be kept"),
        (SetupVerdict::Broken, "broken"),
    ] {
        if is(verdict) {
            chart.legend.push((words.to_owned(), colour(verdict)));
        }
    }
    if spots.iter().any(|spot| spot.verdict.is_none()) {
        chart.legend.push(("looked at by the search only".to_owned(), LOOKED_AT));
    }
}

/// Room around all intervals and `more`.
fn spread(
    spots: &[PlanSpot],
    of: impl Fn(&PlanSpot) -> Interval,
    more: &[f64],
    unit: &str,
) -> super::ChartAxis {
    let ends =
        || spots.iter().flat_map(|spot| [of(spot).low, of(spot).high]).chain(more.iter().copied());
    let (low, high) =
        (ends().fold(f64::INFINITY, f64::min), ends().fold(f64::NEG_INFINITY, f64::max));
    let room = 0.08 * (high - low).max(0.01 * high.abs());
    let (low, high) = ((low - room).max(0.0), high + room);
    let high = if unit == "share" { high.min(1.0) } else { high };
    axis::measure(unit, low, high)
}

/// Every setup by its goal and the metric of the promise that binds.
fn frontier(report: &PlanReport<'_>) -> Chart {
    let goal = report.goal();
    let mut chart = Chart::new("plan-frontier", "What a promise costs", "", "");
    let Some(row) = report.found.binding else { return without_promises(report, chart) };
    let (metric, bound) = (report.promised(row), report.found.objectives[row].bound);
    let mut all =
        spots(report, |_, all| interval(report, goal, all), |all| promised(report, row, all));
    let mut left_out = near(&mut all, bound);
    let dearest = all.iter().filter(|one| one.verdict.is_some()).map(|one| one.x.high);
    let (dearest, before) = (dearest.fold(0.0, f64::max), all.len());
    all.retain(|one| one.x.mean <= DEAREST * dearest);
    left_out += before - all.len();
    if all.is_empty() {
        return chart;
    }
    chart.unit = format!("{} (upwards) and {} (to the right)", metric.label, goal.label);
    chart.caption = format!(
        "One dot per setup. The dashed line is the bound, {}. Crosses are intervals over held-out {}.",
        report.bound(row),
        report.replications()
    );
    if left_out > 0 {
        chart.caption += &format!(" Setups far off are not drawn: {left_out}.");
    }
    let x = spread(&all, |spot| spot.x, &[], goal.unit);
    let y = spread(&all, |spot| spot.y, &[bound], metric.unit);
    let line = vec![(x.low, bound), (x.high, bound)];
    let mut marks = vec![ChartMark::Line { points: line, colour: GREY, dashed: true }];
    draw(&mut chart, &all, &mut marks);
    chart.plot = Plot::Plane { x, y, marks };
    chart
}

/// Chart of a plan without promises, which has no second axis.
fn without_promises(report: &PlanReport<'_>, chart: Chart) -> Chart {
    let caption = format!("The scenario promises nothing: only {} counts.", report.goal().label);
    Chart { caption, plot: Plot::Nothing("no objectives"), ..chart }
}

/// The metric of the promise that binds, or the goal if there is none, over the levels of the one
/// variable; `None` if there are several.
fn response(report: &PlanReport<'_>) -> Option<Chart> {
    let [variable] = report.found.task.variables.as_slice() else { return None };
    let numbers = variable.numbers.as_ref()?;
    let mut chart = Chart::new("plan-response", "", "", "");
    let at = |one: &Candidate, all: &[Measurement]| {
        let mean = numbers[one.point[0]];
        Some(Interval { mean, half_width: 0.0, low: mean, high: mean, n: all.len() })
    };
    let promise = report.found.binding;
    let metric = promise.map_or(report.goal(), |row| report.promised(row));
    let mut all = spots(report, at, |all| match promise {
        Some(row) => promised(report, row, all),
        None => interval(report, metric, all),
    });
    let bound = promise.map(|row| report.found.objectives[row].bound);
    if let Some(bound) = bound {
        near(&mut all, bound);
    }
    if all.is_empty() {
        return None;
    }
    all.sort_by(|a, b| a.x.mean.total_cmp(&b.x.mean));
    let key = super::super::figure::clean(&variable.key);
    let mut title = format!("{} by {key}", metric.label);
    if let Some(first) = title.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    chart.title = title;
    chart.unit = format!("{} (upwards) and {key} (to the right)", metric.label);
    let x = spread(&all, |spot| spot.x, &[], "count");
    let y = spread(&all, |spot| spot.y, bound.as_slice(), metric.unit);
    let mut marks = Vec::new();
    if let Some((bound, row)) = bound.zip(promise) {
        let points = vec![(x.low, bound), (x.high, bound)];
        marks.push(ChartMark::Line { points, colour: GREY, dashed: true });
        chart.caption = format!("The dashed line is the bound, {}.", report.bound(row));
    }
    let points = all.iter().map(|spot| (spot.x.mean, spot.y.mean)).collect();
    marks.push(ChartMark::Line { points, colour: LOOKED_AT, dashed: false });
    draw(&mut chart, &all, &mut marks);
    chart.plot = Plot::Plane { x, y, marks };
    Some(chart)
}

/// The best setup so far, run by run.
fn convergence(report: &PlanReport<'_>) -> Chart {
    let goal = report.goal();
    let mut chart = Chart::new(
        "plan-convergence",
        "How the search went",
        &format!("{} (upwards) and runs (to the right)", goal.label),
        "",
    );
    let found = report.found;
    let mut best: Option<f64> = None;
    let (mut steps, mut kept, mut missed) = (Vec::new(), Vec::new(), Vec::new());
    for one in &found.candidates {
        let runs = f64::from(one.after);
        if !one.score.goal.is_finite() {
            continue;
        }
        let spot = (runs, one.score.goal);
        if one.score.kept() {
            kept.push(spot);
            if best.is_none_or(|best| one.score.goal < best) {
                steps.extend(best.map(|best| (runs, best)));
                steps.push(spot);
                best = Some(one.score.goal);
            }
        } else {
            missed.push(spot);
        }
    }
    let Some(last) = found.candidates.last() else { return chart };
    steps.extend(best.map(|best| (f64::from(last.after), best)));
    chart.caption = match best {
        Some(best) => format!(
            "Dots are setups in the order of the search, by its own replications. The line is the cheapest so far \
             that keeps all promises there: {} at the end.",
            figure(goal.unit, Some(best))
        ),
        None if found.choice.is_some() => "Dots are setups in the order of the search. None kept all promises \
             with the room that a verdict takes; the answer was shown to on the replications held out."
            .to_owned(),
        None => "Dots are setups in the order of the search. None kept all promises.".to_owned(),
    };
    let values = || kept.iter().chain(&missed).map(|spot| spot.1);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    if high < low {
        return chart;
    }
    let room = 0.05 * (high - low).max(0.01 * high);
    let y = axis::measure(goal.unit, (low - room).max(0.0), high + room);
    let mut marks = vec![ChartMark::Line { points: steps, colour: KEPT, dashed: false }];
    marks.push(ChartMark::Dots { points: missed, colour: BROKEN, radius: 9 });
    marks.push(ChartMark::Dots { points: kept, colour: KEPT, radius: 9 });
    chart.legend = vec![("keeps all promises".to_owned(), KEPT), ("misses one".to_owned(), BROKEN)];
    chart.plot = Plot::Plane { x: axis::counts(f64::from(last.after)), y, marks };
    chart
}
