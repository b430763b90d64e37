//! Budgets: what is meant to be spent.

use super::super::composition::unknown_name;
use super::super::quantity;
use super::super::section::{ConfigTable, Diagnostics};
use crate::model::{Budget, BudgetPeriod, BudgetScope, World};
use crate::problem::clip;
use crate::units::{Money, Span};

/// Shortest period.
const SHORTEST: Span = Span::from_secs(60);
/// Longest period that is a span.
const LONGEST: Span = Span::from_secs(3_660 * 86_400);
/// Most nano-dollars of a budget: a billion dollars.
const MOST: i64 = 1_000_000_000_000_000_000;
/// Largest threshold in millionths of the budget.
const HIGHEST: i64 = 10_000_000;
/// Most thresholds of a list.
const MOST_THRESHOLDS: usize = 16;
/// Thresholds where none are said: those of Google's budgets.
const USUAL: [u32; 3] = [500_000, 900_000, 1_000_000];

/// Reads `[[budget]]`.
pub(super) fn read(root: &ConfigTable, world: &mut World, report: &mut Diagnostics<'_>) {
    let has_end = root.has("horizon");
    for (row, section) in root.list("budget").iter().enumerate() {
        let budget = budget((section, row), world, has_end, report);
        if let Some(budget) = budget {
            if world.budgets.iter().any(|other| other.name == budget.name) {
                let message = format!("two budgets are called `{}`", clip(&budget.name));
                report.hint(&section.spot("name"), message, "give each a name of its own");
            }
            world.budgets.push(budget);
        }
    }
}

fn budget(
    (section, row): (&ConfigTable, usize),
    world: &World,
    has_end: bool,
    report: &mut Diagnostics<'_>,
) -> Option<Budget> {
    section.require("usd", report);
    let limit = section.integer("usd");
    if limit.is_some_and(|nanos| !(1..=MOST).contains(&nanos)) {
        let message = "a budget has more than nothing, and at most 1000000000 USD";
        report.at(&section.spot("usd"), message);
    }
    let of = scope(section, world, report);
    let period = period(section, report);
    let forecast_at = thresholds(section, "forecast_at", &[], report);
    if !forecast_at.is_empty() && period == Some(BudgetPeriod::Run) && !has_end {
        let message = "there is no forecast of a run whose end nobody knows";
        let hint = "give the scenario a `horizon`, or the budget a `period`";
        report.hint(&section.spot("forecast_at"), message, hint);
    }
    let name = section.text("name").map_or_else(|| format!("budget {}", row + 1), clip);
    let alert_at = thresholds(section, "alert_at", &USUAL, report);
    let limit = Money::from_nanos(i128::from(limit?));
    Some(Budget { name, of: of?, limit, period: period?, alert_at, forecast_at })
}

/// Spending that counts: of a provider, of a tenant, or all of it.
fn scope(
    section: &ConfigTable,
    world: &World,
    report: &mut Diagnostics<'_>,
) -> Option<BudgetScope> {
    match (section.text("provider"), section.text("tenant")) {
        (Some(_), Some(_)) => {
            let message = "a budget is of a provider or of a tenant, not of both";
            report.hint(&section.spot("tenant"), message, "make two budgets of it");
            None
        }
        (Some(name), None) => {
            let found = world.providers.find(|provider| provider.name == name);
            if found.is_none() && !report.partial_world {
                let known: Vec<&str> =
                    world.providers.rows().iter().map(|one| one.name.as_str()).collect();
                let message = format!("there is no provider or cluster called `{}`", clip(name));
                report.hint(&section.spot("provider"), message, unknown_name(name, &known));
            }
            found.map(BudgetScope::Provider)
        }
        (None, Some(name)) => Some(BudgetScope::Tenant(name.to_owned())),
        (None, None) => Some(BudgetScope::Total),
    }
}

fn period(section: &ConfigTable, report: &mut Diagnostics<'_>) -> Option<BudgetPeriod> {
    let Some(text) = section.text("period") else { return Some(BudgetPeriod::Month) };
    if let Some((_, period)) = BudgetPeriod::NAMED.into_iter().find(|(name, _)| *name == text) {
        return Some(period);
    }
    let span = quantity::span(text).filter(|span| (SHORTEST..=LONGEST).contains(span));
    if span.is_none() {
        let message = format!("`period` cannot be `{}`", clip(text));
        let hint = "write `run`, `hour`, `day`, `week`, `month`, or a span from 1 min to 3660 d";
        report.hint(&section.spot("period"), message, hint);
    }
    span.map(BudgetPeriod::Clock)
}

/// Shares of the budget in millionths, ascending, each once; `usual` where the key is not there.
fn thresholds(
    section: &ConfigTable,
    key: &str,
    usual: &[u32],
    report: &mut Diagnostics<'_>,
) -> Vec<u32> {
    if !section.has(key) {
        return usual.to_vec();
    }
    let mut all = Vec::new();
    for (text, range) in section.texts(key) {
        match quantity::percent(text).filter(|share| (1..=HIGHEST).contains(share)) {
            Some(share) => all.extend(u32::try_from(share)),
            None => {
                let message = format!("`{key}` has shares up to 1000 %, found `{}`", clip(text));
                report.hint(range, message, format!("write `{key} = [\"80 %\", \"100 %\"]`"));
            }
        }
    }
    if section.texts(key).len() > MOST_THRESHOLDS {
        let message = format!("`{key}` has at most {MOST_THRESHOLDS} shares");
        report.at(&section.spot(key), message);
    }
    all.sort_unstable();
    all.dedup();
    all
}
