//! Charts of who pays what, and of what commitments cover over time.

use std::collections::BTreeMap;

use super::super::figure::{clean, figure};
use super::{BarRow, Bars, Chart, ChartMark, Colour, PALETTE, Plot, axis};
use crate::billing::commitment::start_of;
use crate::billing::usage::Service;
use crate::experiment::bill::{AccountBill, ChargeSums};
use crate::experiment::{Chargeback, ChargebackParts, CommitmentCourse, SettledRun};
use crate::model::World;
use crate::units::Money;

/// Rows of a chart at most.
const MOST_ROWS: usize = 12;
/// Clock hours up to which each has a point of its own; beyond, each day has one.
const MOST_HOURS: usize = 24 * 8;

const MACHINES: Colour = PALETTE[0];
const TRANSFER: Colour = PALETTE[1];
const IDLE: Colour = PALETTE[4];
const OVERHEAD: Colour = PALETTE[3];

/// Charts of the money of a run, in the order of the page: by provider, by tenant where there are
/// several, and over time where commitments are held.
pub fn money_charts(
    world: &World,
    chargeback: Option<&Chargeback>,
    bill: Option<&SettledRun>,
) -> Vec<Chart> {
    let mut charts = Vec::new();
    if let Some(back) = chargeback {
        let mut sums: BTreeMap<&str, ChargebackParts> = BTreeMap::new();
        for row in &back.rows {
            sums.entry(&row.provider).or_default().add(&row.parts);
        }
        let mut rows: Vec<_> = sums.into_iter().collect();
        rows.sort_by_key(|(_, parts)| -parts.total());
        charts.push(parts("cost-by-category", "Cost by provider and category", back, rows));
        let tenants = back.tenants();
        if tenants.len() > 1 {
            let rows = tenants.iter().map(|(tenant, parts)| (tenant.unwrap_or("nobody"), *parts));
            let rows: Vec<_> = rows.collect();
            charts.push(parts("cost-by-tenant", "Cost by tenant and category", back, rows));
        }
    }
    charts.extend(bill.map(|bill| services(&bill.bill)));
    charts.extend(bill.and_then(|bill| commitments(world, &bill.course)));
    charts
}

/// One bar per provider and service, by what is paid for.
fn services(bill: &AccountBill) -> Chart {
    let caption = "With commitments spread over their terms. Use: what no commitment covers, less discounts and credits.";
    let mut chart = Chart::new("cost-by-service", "Cost by service", "US dollars", caption);
    let parts = |sums: &ChargeSums| {
        let use_of_it = sums.effective - sums.covered - sums.unused;
        [use_of_it, sums.covered, sums.unused].map(|money| money.dollars().max(0.0))
    };
    let mut all: Vec<_> = bill.services.iter().collect();
    all.sort_by_key(|(_, sums)| -sums.effective);
    if all.len() > MOST_ROWS {
        chart.unit += &format!("; the dearest {MOST_ROWS} of {}", all.len());
        all.truncate(MOST_ROWS);
    }
    let kinds = [("use", MACHINES), ("commitments, used", TRANSFER), ("not used", OVERHEAD)];
    let row = |((provider, service), sums): (&(String, Service), &ChargeSums)| BarRow {
        label: clean(&format!("{provider} {}", service.name())),
        below: String::new(),
        start: 0.0,
        parts: parts(sums)
            .into_iter()
            .zip(kinds)
            .map(|(part, (_, colour))| (part, colour))
            .collect(),
        value: figure("USD", Some(sums.effective.dollars())),
    };
    bars(&mut chart, all.into_iter().map(row).collect(), &kinds);
    chart
}

/// One bar per name, by category.
fn parts(name: &str, title: &str, back: &Chargeback, rows: Vec<(&str, ChargebackParts)>) -> Chart {
    let caption = match back.is_settled {
        true => "Settled on the terms, with commitments spread over theirs.",
        false => "At list prices.",
    };
    let mut chart = Chart::new(name, title, "US dollars", caption);
    let usd = |money: Money| money.dollars().max(0.0);
    let all = rows.len();
    let rows: Vec<BarRow> = rows
        .into_iter()
        .take(MOST_ROWS)
        .map(|(name, parts)| BarRow {
            label: clean(name),
            below: String::new(),
            start: 0.0,
            parts: vec![
                (usd(parts.machines), MACHINES),
                (usd(parts.transfer), TRANSFER),
                (usd(parts.idle), IDLE),
                (usd(parts.overhead), OVERHEAD),
            ],
            value: figure("USD", Some(parts.total().dollars())),
        })
        .collect();
    if all > MOST_ROWS {
        chart.unit += &format!("; the dearest {MOST_ROWS} of {all}");
    }
    let kinds = [
        ("machines that work held", MACHINES),
        ("data that work moved", TRANSFER),
        ("idle machines", IDLE),
        ("overhead", OVERHEAD),
    ];
    bars(&mut chart, rows, &kinds);
    chart
}

/// Draws the rows, and names the kinds of parts that they have.
fn bars(chart: &mut Chart, rows: Vec<BarRow>, kinds: &[(&str, Colour)]) {
    let shows = |colour: Colour| {
        rows.iter().flat_map(|row| &row.parts).any(|part| part.1 == colour && part.0 > 0.0)
    };
    let shown = kinds.iter().filter(|(_, colour)| shows(*colour));
    chart.legend = shown.map(|&(name, colour)| (name.to_owned(), colour)).collect();
    let sum = |row: &BarRow| row.parts.iter().map(|part| part.0).sum::<f64>();
    let high = rows.iter().map(sum).fold(0.0, f64::max);
    chart.plot = match high > 0.0 {
        true => Plot::Bars(Bars { rows, high, guide: None }),
        false => Plot::Nothing("nothing costs anything"),
    };
}

/// Coverage and use of commitments over time; `None` where none are held.
fn commitments(world: &World, course: &CommitmentCourse) -> Option<Chart> {
    let hourly = course.steps(1);
    let width = if hourly.len() > MOST_HOURS { 24 } else { 1 };
    let steps = if width == 1 { hourly } else { course.steps(width) };
    let begins = |hour: i64| world.calendar.time(start_of(hour).micros());
    let (first, last) = (steps.first()?.0, steps.last()?.0 + width);
    steps.iter().find(|(_, one)| one.used + one.unused > Money::ZERO)?;
    let line = |of: fn(&crate::experiment::CommitmentUse) -> Option<f64>| {
        let middle = |hour| (begins(hour).secs_f64() + begins(hour + width).secs_f64()) / 2.0;
        let points = steps.iter().filter_map(|(hour, one)| Some((middle(*hour), of(one)?)));
        points.collect::<Vec<_>>()
    };
    let mut chart = Chart::new(
        "commitments",
        "Commitments: how much they cover, and how much of them is used",
        if width == 1 { "shares, by clock hour" } else { "shares, by day in UTC" },
        "Covered: of what on-demand machines would cost without commitments, where any are held. Used: of what the commitments cost.",
    );
    let (covered, used) = (PALETTE[0], PALETTE[5]);
    chart.legend = vec![("covered".to_owned(), covered), ("used".to_owned(), used)];
    let mark = |points, colour, dashed| ChartMark::Line { points, colour, dashed };
    chart.plot = Plot::Plane {
        x: axis::calendar(world.calendar, begins(first), begins(last)),
        y: axis::percent(),
        marks: vec![
            mark(line(|one| one.coverage()), covered, false),
            mark(line(|one| one.utilisation()), used, false),
        ],
    };
    Some(chart)
}
