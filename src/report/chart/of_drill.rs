//! The chart of a drill: what each blow does to each policy, as a map.

use super::super::drill::DrillReport;
use super::super::figure::{clean, figure};
use super::{Chart, Heat, Plot};
use crate::experiment::drill::Breakage;

/// Blows up to which a map can be read.
const MOST_ROWS: usize = 40;

/// All charts of a drill.
pub fn drill_charts(report: &DrillReport<'_>) -> Vec<Chart> {
    if report.drill.blows.is_empty() {
        return Vec::new();
    }
    let harm: fn(&Breakage) -> Option<f64> = match report.drill.objectives.is_empty() {
        true => |one| Some(one.undone),
        false => |one| Some(f64::from(one.any)),
    };
    let (title, unit, of) = match report.drill.objectives.is_empty() {
        true => ("Work left undone", "pieces of work more than without the loss", "count"),
        false => ("Promises broken", "replications in which a promise is broken", "count"),
    };
    let recovery = |one: &Breakage| one.recovery;
    let cost = |one: &Breakage| one.extra_cost;
    vec![
        map(report, "drill-harm", (title, unit, of), &harm),
        map(report, "drill-cost", ("Extra cost", "US dollars", "USD"), &cost),
        map(report, "drill-recovery", ("Time to recover", "time; empty is never", "s"), &recovery),
    ]
}

fn map(
    report: &DrillReport<'_>,
    name: &str,
    (title, unit, kind): (&str, &str, &str),
    value: &dyn Fn(&Breakage) -> Option<f64>,
) -> Chart {
    let drill = report.drill;
    let shown = drill.blows.len().min(MOST_ROWS);
    let unit = match drill.replications {
        1 => unit.to_owned(),
        n => format!("{unit}; {n} replications"),
    };
    let mut chart = Chart::new(name, title, &unit, "");
    if shown < drill.blows.len() {
        chart.caption = format!("The first {shown} of {} are shown.", drill.blows.len());
    }
    let cells: Vec<Vec<Option<(f64, String)>>> = (0..shown)
        .rev()
        .map(|blow| {
            let policies = 0..drill.policies.len();
            let found = policies.map(|policy| value(&drill.breakage(blow, policy)));
            found.map(|value| value.map(|value| (value, figure(kind, Some(value))))).collect()
        })
        .collect();
    let values = cells.iter().flatten().flatten().map(|cell| cell.0);
    let low = values.clone().fold(0.0, f64::min);
    let high = values.fold(0.0, f64::max);
    let tick = |at: i32| {
        let value = low + (high - low) * f64::from(at) / 4.0;
        (value, figure(kind, Some(value)))
    };
    chart.plot = Plot::Heat(Heat {
        cells,
        columns: drill.policies.iter().map(|name| clean(name)).collect(),
        rows: drill.blows[..shown].iter().rev().map(|blow| clean(&blow.name)).collect(),
        across: "policy".to_owned(),
        up: "struck".to_owned(),
        low,
        high,
        ticks: (0..=4).map(tick).collect(),
    });
    chart
}
