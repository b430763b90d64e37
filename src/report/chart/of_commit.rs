//! Charts of how much to commit: what each amount of an offering does alone, and the demand by month.

use super::super::commit::{CommitReport, measures, reserved_words};
use super::super::figure::clean;
use super::super::words::dollars;
use super::{Chart, ChartAxis, ChartMark, Colour, PALETTE, Plot, Tick, axis};
use crate::billing::advice::{OfferingAdvice, UnitsPoint};
use crate::billing::offering::Offering;

/// Offerings that have charts.
const MOST_OFFERINGS: usize = 6;

const CHEAPEST: Colour = PALETTE[5];
const PRUDENT: Colour = PALETTE[2];
const DEMAND: Colour = PALETTE[0];

/// Charts by offering, in order: the saving over the amount, coverage and use over it, and the demand.
pub fn commit_charts(report: &CommitReport<'_>) -> Vec<Chart> {
    let study = report.study;
    let all = study.offerings.iter().zip(&study.advice.offerings).zip(1..);
    let some = all.filter(|((_, advice), _)| advice.curve.len() > 1).take(MOST_OFFERINGS);
    some.flat_map(|((offering, advice), number)| {
        [
            saving(offering, advice, number),
            shares(offering, advice, number),
            demand(offering, advice, number),
        ]
    })
    .collect()
}

/// Machines, or dollars an hour.
fn size(offering: &Offering, units: f64) -> f64 {
    let (machines, usd) = measures(offering, units);
    machines.or(usd).unwrap_or(0.0)
}

/// Amounts of the curve that are drawn: up to one that costs as much as the best could ever save.
fn drawn(advice: &OfferingAdvice) -> &[UnitsPoint] {
    let best = advice.curve.iter().map(|point| point.saving).fold(0.0, f64::max);
    let last = advice.curve.iter().rposition(|point| best == 0.0 || point.saving >= -best);
    &advice.curve[..last.map_or(0, |last| last + 1)]
}

/// The axis of amounts.
fn amounts(offering: &Offering, advice: &OfferingAdvice) -> ChartAxis {
    let most = drawn(advice).last().map_or(1.0, |point| size(offering, point.units as f64));
    match reserved_words(offering) {
        Some([_, words]) => ChartAxis { caption: words.to_owned(), ..axis::counts(most) },
        None => ChartAxis { caption: "US dollars an hour".to_owned(), ..axis::dollars(most) },
    }
}

fn saving(offering: &Offering, advice: &OfferingAdvice, number: u32) -> Chart {
    let mut chart = Chart::new(
        &format!("commit-saving-{number}"),
        &format!("{}: what an amount saves", clean(&offering.name)),
        "US dollars a year, in the mean of the futures",
        "Below zero the commitment costs more than what it covers.",
    );
    let points = drawn(advice).iter();
    let points = points.map(|point| (size(offering, point.units as f64), point.saving));
    let points: Vec<(f64, f64)> = points.collect();
    let ends = points.iter().map(|point| point.1);
    let (low, high) = (ends.clone().fold(0.0, f64::min), ends.fold(0.0, f64::max));
    let at = |units: u64| (size(offering, units as f64), units);
    let mark = |(x, units): (f64, u64), colour| {
        let y = advice.curve.iter().find(|point| point.units == units).map(|point| point.saving);
        y.map(|y| ChartMark::Dots { points: vec![(x, y)], colour, radius: 6 })
    };
    let mut marks = vec![ChartMark::Line { points, colour: DEMAND, dashed: false }];
    marks.extend(mark(at(advice.prudent.units), PRUDENT));
    marks.extend(mark(at(advice.cheapest.units), CHEAPEST));
    let named = |words: &str, saves: f64| format!("{words}: {} a year", dollars(saves));
    chart.legend = vec![
        (named("cheapest", advice.cheapest.saving.mean), CHEAPEST),
        (named("prudent", advice.prudent.saving.mean), PRUDENT),
    ];
    let y = axis::between(low, high, |value, places| axis::written("USD", value, places));
    chart.plot = Plot::Plane { x: amounts(offering, advice), y, marks };
    chart
}

fn shares(offering: &Offering, advice: &OfferingAdvice, number: u32) -> Chart {
    let mut chart = Chart::new(
        &format!("commit-shares-{number}"),
        &format!(
            "{}: how much an amount covers, and how much of it is used",
            clean(&offering.name)
        ),
        "shares, in the mean of the futures",
        "Covered: of what it could cover. Used: of what it costs.",
    );
    let line = |of: fn(&UnitsPoint) -> f64, colour| {
        let points = drawn(advice).iter().filter(|point| point.units > 0);
        let points = points.map(|point| (size(offering, point.units as f64), of(point)));
        ChartMark::Line { points: points.collect(), colour, dashed: false }
    };
    let (covered, used) = (PALETTE[0], PALETTE[5]);
    let marks = vec![line(|one| one.coverage, covered), line(|one| one.utilisation, used)];
    chart.legend = vec![("covered".to_owned(), covered), ("used".to_owned(), used)];
    chart.plot = Plot::Plane { x: amounts(offering, advice), y: axis::percent(), marks };
    chart
}

/// Bands of the demand, month by month.
fn demand(offering: &Offering, advice: &OfferingAdvice, number: u32) -> Chart {
    let unit = match reserved_words(offering) {
        Some([_, words]) => format!("{words} in use at once"),
        None => "US dollars an hour at the offering's prices".to_owned(),
    };
    let mut chart = Chart::new(
        &format!("commit-demand-{number}"),
        &format!("{}: what could be covered, month by month", clean(&offering.name)),
        &unit,
        "Of all hours of a month in all futures: half lie below the line, half within the dark band, eight of ten within the light one.",
    );
    let at = |level: usize| -> Vec<(f64, f64)> {
        let months = advice.levels.iter().zip(0_u32..);
        let edges = |month: u32| [f64::from(month), f64::from(month + 1)];
        months
            .flat_map(|(levels, month)| edges(month).map(|x| (x, size(offering, levels.at[level]))))
            .collect()
    };
    let band = |low, high, opacity| {
        let (upper, lower) = (at(high), at(low));
        ChartMark::Area { upper, lower, colour: DEMAND, opacity }
    };
    let marks = vec![
        band(2, 6, 0.18),
        band(3, 5, 0.35),
        ChartMark::Line { points: at(4), colour: DEMAND, dashed: false },
    ];
    let most = advice.levels.iter().map(|levels| size(offering, levels.at[6])).fold(0.0, f64::max);
    let y = match measures(offering, 1.0) {
        (Some(_), _) => axis::counts(most),
        (None, _) => axis::dollars(most),
    };
    let months = advice.levels.len();
    let step = if months > 24 { 6 } else { 3 };
    let tick =
        |month: usize| Tick { at: month as f64, label: month.to_string(), below: String::new() };
    let x = ChartAxis {
        low: 0.0,
        high: months.max(1) as f64,
        ticks: (0..=months).step_by(step).map(tick).collect(),
        caption: "months from now".to_owned(),
    };
    chart.plot = Plot::Plane { x, y, marks };
    chart
}
