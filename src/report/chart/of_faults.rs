//! A ribbon of what is out over time: machines, zones, launches.

use super::super::figure::clean;
use super::{Chart, Heat, Plot};
use crate::model::World;
use crate::units::Span;
use crate::weather::{FaultRibbon, FaultRow};

/// Rows that are drawn: those that are out longest.
const MOST_ROWS: usize = 40;

/// A ribbon for everything that is out at any time; `None` if nothing is.
pub(super) fn fault_ribbon(world: &World, ribbon: &FaultRibbon) -> Option<Chart> {
    let mut chart = Chart::new(
        "failures",
        "What is out",
        "share that is there",
        "Each cell is the mean over its time: light is there, dark is out. An outage is a row of its own, \
         whatever it takes; of owned machines there is a row each where they are few, else one for all of \
         a kind. A rented machine that fails is gone, and has no row.",
    );
    let mut rows: Vec<(FaultRow, Vec<f64>)> = ribbon.rows().collect();
    let all = rows.len();
    if all == 0 || rows[0].1.is_empty() {
        return None;
    }
    if all > MOST_ROWS {
        let out = |row: &(FaultRow, Vec<f64>)| row.1.iter().sum::<f64>();
        rows.sort_by(|one, other| out(other).total_cmp(&out(one)));
        rows.truncate(MOST_ROWS);
        rows.sort_by_key(|row| row.0);
        chart.unit += &format!("; {MOST_ROWS} of {all} rows, those that are out longest");
    }
    // The first row is the lowest.
    rows.reverse();
    let (start, width) = ribbon.parts();
    let label = |at: usize| {
        let date = world.calendar.format(start + Span::from_micros(width.micros() * at as i64));
        date.get(5..16).map_or(String::new(), |date| date.replace('T', " "))
    };
    let name = |row: FaultRow| match row {
        FaultRow::Outage(fault) => clean(&world.faults[fault].name),
        FaultRow::Machines(offer, None) => clean(&world.offers[offer].name),
        FaultRow::Machines(offer, Some(slot)) => {
            format!("{} {slot}", clean(&world.offers[offer].name))
        }
    };
    let there = |out: &Vec<f64>| out.iter().map(|out| Some(1.0 - out)).collect();
    chart.plot = Plot::Heat(Heat::of_shares(
        (0..rows[0].1.len()).map(label).collect(),
        rows.iter().map(|row| name(row.0)).collect(),
        rows.iter().map(|row| there(&row.1)),
    ));
    Some(chart)
}
