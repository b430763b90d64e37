//! `budgets.csv`: what was spent of each budget in each period; and the same as a table.

use std::io;

use serde::Serialize;

use super::document::{Section, SectionPlace, Table};
use super::figure::{NOTHING, clean, count, share};
use super::run::document::to_the_minute;
use super::sheet::{Sheet, TextCells};
use crate::experiment::RunResult;
use crate::metrics::{BudgetHistory, BudgetSpell, Crossing, ThresholdBasis};
use crate::model::{Budget, BudgetScope, World};
use crate::units::{Calendar, Money};

/// The columns, in order.
pub(super) const COLUMNS: [&str; 11] = [
    "budget",
    "of",
    "period",
    "from_s",
    "until_s",
    "ended",
    "limit_usd",
    "spent_usd",
    "share",
    "forecast_usd",
    "used_up_s",
];

/// Periods of one budget that are in its table; files have all.
const MOST_SHOWN: usize = 6;

/// A budget over a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BudgetReport {
    /// Its name.
    pub budget: String,
    /// Spending that counts: `total`, `provider aws`, `tenant red`.
    pub of: String,
    /// Its period: `month`, `run`, `36 h`.
    pub period: String,
    /// Dollars for one period.
    pub limit_usd: f64,
    /// The periods that the run touches, in order.
    pub periods: Vec<SpellReport>,
    #[serde(skip)]
    limit: Money,
    /// What charts show of it.
    #[serde(skip)]
    pub(super) history: BudgetHistory,
}

/// A period of a budget.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpellReport {
    /// Its beginning, or that of the run, in seconds since the run's start.
    pub from_s: f64,
    /// Its end, or that of the run.
    pub until_s: f64,
    /// Whether it ended before the run.
    pub ended: bool,
    /// Dollars spent in it.
    pub spent_usd: f64,
    /// The same as a share of the budget.
    pub share: f64,
    /// Dollars that the whole period takes if it goes on as it did; of one that ended, what it took.
    pub forecast_usd: Option<f64>,
    /// Thresholds that were crossed, in order of time.
    pub crossed: Vec<CrossedThreshold>,
}

/// A threshold that was crossed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossedThreshold {
    /// `spent` or `forecast`.
    pub of: &'static str,
    /// Share of the budget.
    pub share: f64,
    /// When, in seconds since the run's start.
    pub at_s: f64,
}

impl BudgetReport {
    /// Reports of all budgets of a world.
    pub fn all(world: &World, result: &RunResult) -> Vec<Self> {
        let pairs = world.budgets.iter().zip(&result.budgets);
        pairs.map(|(budget, history)| Self::of(world, budget, history)).collect()
    }

    fn of(world: &World, budget: &Budget, history: &BudgetHistory) -> Self {
        let of = match &budget.of {
            BudgetScope::Total => "total".to_owned(),
            BudgetScope::Provider(row) => format!("provider {}", world.providers[*row].name),
            BudgetScope::Tenant(name) => format!("tenant {name}"),
        };
        Self {
            budget: budget.name.clone(),
            of,
            period: budget.period.to_string(),
            limit_usd: budget.limit.dollars(),
            periods: history.spells.iter().map(|one| SpellReport::of(budget, one)).collect(),
            limit: budget.limit,
            history: history.clone(),
        }
    }

    /// Rows of the periods in the table: those in which most was spent, in order.
    fn shown(&self) -> Vec<usize> {
        let spells = &self.history.spells;
        let mut shown: Vec<usize> = (0..spells.len()).collect();
        shown.sort_by_key(|&row| (std::cmp::Reverse(spells[row].spent), row));
        shown.truncate(MOST_SHOWN);
        shown.sort_unstable();
        shown
    }

    /// Dollars of the budget.
    pub(super) fn limit(&self) -> Money {
        self.limit
    }
}

impl SpellReport {
    fn of(budget: &Budget, spell: &BudgetSpell) -> Self {
        let crossed = |one: &Crossing| CrossedThreshold {
            of: basis(one.basis),
            share: f64::from(one.share) / 1e6,
            at_s: one.at.secs_f64(),
        };
        Self {
            from_s: spell.from.secs_f64(),
            until_s: spell.until.secs_f64(),
            ended: spell.over,
            spent_usd: spell.spent.dollars(),
            share: spell.spent.dollars() / budget.limit.dollars(),
            forecast_usd: spell.forecast.map(Money::dollars),
            crossed: spell.crossings.iter().map(crossed).collect(),
        }
    }
}

const fn basis(basis: ThresholdBasis) -> &'static str {
    match basis {
        ThresholdBasis::Actual => "spent",
        ThresholdBasis::Forecast => "forecast",
    }
}

/// Writes one row per budget and period.
///
/// # Errors
/// The first error of the writer.
pub fn write_budgets<W: io::Write>(
    out: W,
    budgets: &[BudgetReport],
    cells: TextCells,
) -> io::Result<W> {
    let mut sheet = Sheet::new(out, cells, COLUMNS);
    for budget in budgets {
        for (spell, told) in budget.history.spells.iter().zip(&budget.periods) {
            sheet.text(&budget.budget);
            sheet.text(&budget.of);
            sheet.text(&budget.period);
            sheet.time(Some(spell.from));
            sheet.time(Some(spell.until));
            sheet.word(if spell.over { "yes" } else { "no" });
            sheet.money(budget.limit);
            sheet.money(spell.spent);
            sheet.number(Some(told.share));
            match spell.forecast {
                Some(forecast) => sheet.money(forecast),
                None => sheet.empty(),
            }
            sheet.time(spell.used_up);
            sheet.end_row();
        }
    }
    sheet.finish()
}

/// The section of a page and of the terminal, if there are budgets.
pub(super) fn section(budgets: &[BudgetReport], calendar: Calendar) -> Option<Section> {
    if budgets.is_empty() {
        return None;
    }
    let head = ["budget", "of", "from", "limit", "spent", "share", "forecast"];
    let mut table = Table::new("Budgets", &head);
    table.words = 3;
    let mut left = 0;
    for budget in budgets {
        let shown = budget.shown();
        left += budget.periods.len() - shown.len();
        for row in shown {
            let (spell, told) = (&budget.history.spells[row], &budget.periods[row]);
            table.row([
                clean(&budget.budget),
                clean(&budget.of),
                to_the_minute(&calendar.format(spell.from)),
                budget.limit.to_string(),
                spell.spent.to_string(),
                share(told.share),
                spell.forecast.map_or_else(|| NOTHING.to_owned(), |one| one.to_string()),
            ]);
        }
    }
    let note = "Spending is at list prices, as it is made. The forecast of a period is what is spent, over the \
        time that has passed, times its length; there is none in its first tenth.";
    let tables = std::iter::once(table).chain(thresholds(budgets, calendar));
    let section = Section::new("Budgets", SectionPlace::Front).tables(tables).note(note);
    Some(match left {
        0 => section,
        more => section.note(format!("{} more periods are in budgets.csv.", count(more as u64))),
    })
}

/// The thresholds that were crossed in the periods that are shown, if any were.
fn thresholds(budgets: &[BudgetReport], calendar: Calendar) -> Option<Table> {
    let mut table = Table::new("Thresholds", &["budget", "of it", "is", "since"]);
    table.words = 1;
    let mut any = false;
    for budget in budgets {
        for row in budget.shown() {
            for crossing in &budget.history.spells[row].crossings {
                any = true;
                table.row([
                    clean(&budget.budget),
                    share(f64::from(crossing.share) / 1e6),
                    basis(crossing.basis).to_owned(),
                    to_the_minute(&calendar.format(crossing.at)),
                ]);
            }
        }
    }
    any.then_some(table)
}
