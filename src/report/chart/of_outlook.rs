//! Charts of weather that will be: how much of each capacity is there, and prices.

use super::super::figure::clean;
use super::of_faults::fault_ribbon;
use super::{Chart, ChartAxis, ChartMark, Heat, PALETTE, Plot, axis};
use crate::model::World;
use crate::units::{Span, Time};
use crate::weather::{FaultRibbon, Outlook, PriceOutlook};

/// Offers in the chart of capacity.
const MOST_POOLS: usize = 40;

/// Charts of an outlook, and of what will be out.
pub fn outlook_charts(world: &World, outlook: &Outlook, faults: &FaultRibbon) -> Vec<Chart> {
    let charts = [ribbons(world, outlook), prices(world, outlook)];
    charts.into_iter().chain(fault_ribbon(world, faults)).collect()
}

/// A ribbon per offer, in which light is all of its capacity and dark is none.
fn ribbons(world: &World, outlook: &Outlook) -> Chart {
    let mut chart = Chart::new(
        "weather-capacity",
        "How much capacity will be there",
        "share of the largest capacity of an offer",
        "Each cell is the mean over its time: light is all of it, dark is none.",
    );
    let mut pools: Vec<_> = outlook
        .pools
        .iter()
        .filter_map(|pool| Some((pool.offer, pool.capacity.as_ref()?)))
        .collect();
    if pools.is_empty() {
        chart.plot = Plot::Nothing("no capacity changes");
        return chart;
    }
    if pools.len() > MOST_POOLS {
        chart.unit += &format!("; the first {MOST_POOLS} of {} offers", pools.len());
        pools.truncate(MOST_POOLS);
    }
    // The first row is the lowest.
    pools.reverse();
    let columns = pools[0].1.shares.len();
    let width = (outlook.until - outlook.from).micros() / columns.max(1) as i64;
    let label = |at: usize| {
        let date = world.calendar.format(outlook.from + Span::from_micros(width * at as i64));
        date.get(5..16).map_or(String::new(), |date| date.replace('T', " "))
    };
    let names = |at: usize| {
        let name = clean(&world.offers[pools[at].0].name);
        match name.split('/').collect::<Vec<_>>()[..] {
            [_, zone, kind, _] => format!("{zone} {kind}"),
            _ => name,
        }
    };
    let shares = pools.iter().map(|(_, capacity)| capacity.shares.iter().copied().map(Some));
    chart.plot = Plot::Heat(Heat::of_shares(
        (0..columns).map(label).collect(),
        (0..pools.len()).map(names).collect(),
        shares.map(Iterator::collect),
    ));
    chart
}

/// A line per offer, the mean of each part of the time, in a band from the lowest to the highest price.
fn prices(world: &World, outlook: &Outlook) -> Chart {
    let mut chart = Chart::new(
        "weather-price",
        "Prices over time",
        "US dollars per hour",
        "Line: mean of each part of the time. Band: lowest to highest price in it.",
    );
    let priced =
        || outlook.pools.iter().filter_map(|pool| Some((pool.offer, pool.price.as_ref()?)));
    let all = priced().count();
    if all == 0 {
        chart.plot = Plot::Nothing("no price changes");
        return chart;
    }
    if all > PALETTE.len() {
        chart.unit += &format!("; the first {} of {all} offers", PALETTE.len());
    }
    let high = priced().take(PALETTE.len()).map(|(_, price)| price.high).fold(0.0, f64::max);
    let mut marks = Vec::new();
    for ((offer, price), colour) in priced().zip(PALETTE) {
        let points = |of: fn(&(f64, f64, f64)) -> f64| steps(outlook, price, of);
        let (upper, lower) = (points(|part| part.2), points(|part| part.1));
        marks.push(ChartMark::Area { upper, lower, colour, opacity: 0.2 });
        marks.push(ChartMark::Line { points: points(|part| part.0), colour, dashed: false });
        chart.legend.push((clean(&world.offers[offer].name), colour));
    }
    let x: ChartAxis = axis::calendar(world.calendar, outlook.from, outlook.until);
    chart.plot = Plot::Plane { x, y: axis::dollars(high), marks };
    chart
}

/// A value of each part of the time, from its begin to its end.
fn steps(
    outlook: &Outlook,
    price: &PriceOutlook,
    of: fn(&(f64, f64, f64)) -> f64,
) -> Vec<(f64, f64)> {
    let whole = (outlook.until - outlook.from).micros() as f64;
    let count = price.parts.len().max(1) as f64;
    let at = |row: usize| {
        let after = Span::from_micros((whole * row as f64 / count) as i64);
        let time: Time = outlook.from + after;
        time.secs_f64()
    };
    let ends = |(row, part)| [(at(row), of(part)), (at(row + 1), of(part))];
    price.parts.iter().enumerate().flat_map(ends).collect()
}
