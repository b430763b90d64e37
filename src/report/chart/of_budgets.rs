//! What is left of budgets over time, and what the forecast leaves.

use super::super::budgets::BudgetReport;
use super::super::figure::clean;
use super::{Chart, ChartMark, GREY, PALETTE, Plot, axis};
use crate::metrics::{BudgetHistory, BudgetPoint, BudgetSpell};
use crate::model::World;
use crate::units::{Money, Time};

/// Name of the chart, which pages show beside its table.
pub(in super::super) const BUDGETS: &str = "budgets";

const CAPTION: &str = "Line: what is left of the budget. Grey and dashed: what the forecast leaves at the end of the period, \
    and the way there from the end of the run. Nothing left is the lower edge.";

/// A chart with a panel for each budget, if there are any.
pub(super) fn budgets(world: &World, budgets: &[BudgetReport]) -> Option<Chart> {
    if budgets.is_empty() {
        return None;
    }
    let shown = &budgets[..budgets.len().min(PALETTE.len())];
    let title = match budgets.len() > shown.len() {
        true => format!("Budgets over time, {} of {}", shown.len(), budgets.len()),
        false => "Budgets over time".to_owned(),
    };
    let mut chart = Chart::new(BUDGETS, &title, "share of the budget that is left", CAPTION);
    let spells = || shown.iter().flat_map(|one| &one.history.spells);
    let from = spells().map(|spell| spell.from).min()?;
    let ended = spells().map(|spell| spell.until).max()?;
    // A little of the time to come, in which a forecast is seen.
    let room = Time::from_micros(ended.micros() + (ended - from).micros() / 4);
    let ahead = shown.iter().filter_map(|one| one.history.period_end).max();
    let until = ahead.map_or(ended, |ahead| ahead.clamp(ended, room));
    if until <= from {
        return Some(chart);
    }
    let panel = |(budget, colour): (&BudgetReport, super::Colour)| {
        let (limit, history) = (budget.limit(), &budget.history);
        let mut marks = Vec::new();
        for spell in &history.spells {
            let points = left(history, spell, limit);
            marks.push(ChartMark::Line { points, colour, dashed: false });
            let points = forecast(history, spell, limit);
            if points.len() > 1 {
                marks.push(ChartMark::Line { points, colour: GREY, dashed: true });
            }
        }
        let way = way_ahead(history, limit, until);
        marks.extend(way.map(|points| ChartMark::Line { points, colour: GREY, dashed: true }));
        (clean(&budget.budget), marks)
    };
    chart.plot = Plot::Panels {
        x: axis::calendar(world.calendar, from, until),
        y: axis::percent(),
        panels: shown.iter().zip(PALETTE).map(panel).collect(),
    };
    Some(chart)
}

/// Share of the budget that is left, not below nothing.
fn share_left(limit: Money, spent: Money) -> f64 {
    (1.0 - spent.dollars() / limit.dollars()).max(0.0)
}

/// Points of a history within a period.
fn within<'h>(
    history: &'h BudgetHistory,
    spell: &'h BudgetSpell,
) -> impl Iterator<Item = &'h BudgetPoint> {
    history.points.iter().filter(|point| (spell.from..spell.until).contains(&point.at))
}

fn left(history: &BudgetHistory, spell: &BudgetSpell, limit: Money) -> Vec<(f64, f64)> {
    let point = |one: &BudgetPoint| (one.at.secs_f64(), share_left(limit, one.spent));
    let mut points = vec![(spell.from.secs_f64(), 1.0)];
    points.extend(within(history, spell).map(point));
    points.push((spell.until.secs_f64(), share_left(limit, spell.spent)));
    points
}

fn forecast(history: &BudgetHistory, spell: &BudgetSpell, limit: Money) -> Vec<(f64, f64)> {
    let point = |one: &BudgetPoint| Some((one.at.secs_f64(), share_left(limit, one.forecast?)));
    let last = spell.forecast.map(|all| (spell.until.secs_f64(), share_left(limit, all)));
    within(history, spell).filter_map(point).chain(last).collect()
}

/// From the end of the run to that of its last period, or to the edge of the chart.
fn way_ahead(history: &BudgetHistory, limit: Money, edge: Time) -> Option<Vec<(f64, f64)>> {
    let spell = history.spells.last().filter(|spell| !spell.over)?;
    let (end, all) = (history.period_end?, spell.forecast?);
    let now = (spell.until.secs_f64(), share_left(limit, spell.spent));
    let whole = (end - spell.until).secs_f64();
    let shown = (end.min(edge) - spell.until).secs_f64();
    let spent = spell.spent.dollars();
    let then = spent + (all.dollars() - spent) * shown / whole;
    let left = (1.0 - then / limit.dollars()).max(0.0);
    (shown > 0.0).then(|| vec![now, (now.0 + shown, left)])
}
