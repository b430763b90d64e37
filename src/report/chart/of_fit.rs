//! Charts of how well laws fit: how long the spells of each state lasted, against the laws.

use super::super::figure::clean;
use super::{Chart, ChartAxis, ChartMark, Colour, PALETTE, Plot, axis};
use crate::model::CapacityState;
use crate::weather::{DurationFit, FittedLaw, ZoneFit};

/// Zones that are drawn.
const MOST_ZONES: usize = 24;
/// Parts of a law's curve, each with as much of its probability.
const PARTS: usize = 200;

/// A chart per zone whose capacity changes.
pub(in super::super) fn fit_charts(zones: &[ZoneFit]) -> Vec<Chart> {
    let moving = zones.iter().filter(|zone| zone.constant().is_none());
    let all = moving.clone().count();
    let mut charts: Vec<Chart> =
        moving.take(MOST_ZONES).enumerate().map(|(row, zone)| chart(row, zone)).collect();
    if let Some(last) = charts.last_mut().filter(|_| all > MOST_ZONES) {
        last.caption += &format!(" The first {MOST_ZONES} of {all} zones are drawn.");
    }
    charts
}

/// Colour of a state, wherever it is drawn.
const fn colour(state: CapacityState) -> Colour {
    match state {
        CapacityState::None => PALETTE[5],
        CapacityState::Partial => PALETTE[1],
        CapacityState::Full => PALETTE[0],
    }
}

fn chart(row: usize, zone: &ZoneFit) -> Chart {
    let mut chart = Chart::new(
        &format!("fit-{}", row + 1),
        &format!("How long states last in {}", clean(&zone.name)),
        "share of spells that last longer",
        "Stairs are what was seen (Kaplan and Meier), dashes the likeliest law, thin lines the other one. A \
         stair ends with the last spell that was seen to end.",
    );
    let states = CapacityState::ALL.into_iter().zip(&zone.states);
    let fits: Vec<(CapacityState, &DurationFit)> =
        states.filter_map(|(state, fit)| Some((state, &fit.as_ref()?.lasts))).collect();
    let ends = fits.iter().flat_map(|(_, fit)| &fit.longer).map(|end| end.0);
    let (first, last) =
        ends.fold((f64::INFINITY, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    if last == 0.0 {
        chart.plot = Plot::Nothing("no spell was seen to end");
        return chart;
    }
    let x = from(axis::durations(last), first / 2.0);
    let mut marks = Vec::new();
    for (state, fit) in fits {
        let colour = colour(state);
        let Some(best) = fit.laws.first() else { continue };
        for other in &fit.laws[1..] {
            marks.push(ChartMark::Edge { points: curve(other, &x), colour });
        }
        marks.push(ChartMark::Line { points: curve(best, &x), colour, dashed: true });
        marks.push(ChartMark::Line { points: stair(fit, &x), colour, dashed: false });
        let name = best.words.split('(').next().unwrap_or_default();
        chart.legend.push((format!("{}: {} spells, {name}", state.name(), fit.whole), colour));
    }
    chart.plot = Plot::Plane { x, y: axis::percent(), marks };
    chart
}

/// The axis from the last of its ticks that is at most `secs`.
fn from(mut axis: ChartAxis, secs: f64) -> ChartAxis {
    let start = axis::on_seconds(secs);
    let low =
        axis.ticks.iter().map(|tick| tick.at).filter(|&at| at <= start).fold(axis.low, f64::max);
    axis.ticks.retain(|tick| tick.at >= low);
    axis.low = low;
    axis
}

/// What was seen, from all spells on.
fn stair(fit: &DurationFit, x: &ChartAxis) -> Vec<(f64, f64)> {
    let mut points = vec![(x.low, 1.0)];
    for &(secs, share) in &fit.longer {
        let before = points.last().map_or(1.0, |point| point.1);
        points.extend([(axis::on_seconds(secs), before), (axis::on_seconds(secs), share)]);
    }
    points
}

/// The share of a law's spells that last longer, by its quantiles, as far as the axis goes.
fn curve(fitted: &FittedLaw, x: &ChartAxis) -> Vec<(f64, f64)> {
    let share = |part: usize| part as f64 / PARTS as f64;
    let point =
        |part| Some((axis::on_seconds(fitted.law.quantile(share(part))?), 1.0 - share(part)));
    let points = (0..PARTS).filter_map(point);
    points.filter(|point| x.holds(point.0)).collect()
}
