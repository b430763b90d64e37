//! `days.csv`: cost by calendar day, provider and kind of charge; and the same as a table.

use std::io;

use super::document::{Section, SectionPlace, Table};
use super::figure::{clean, count};
use super::sheet::{Sheet, TextCells};
use crate::metrics::DailyCosts;
use crate::model::World;
use crate::state::ChargeKind;
use crate::units::{Calendar, Money, Time};

/// The columns, in order.
pub(super) const COLUMNS: [&str; 6] =
    ["day", "from_s", "until_s", "provider", "kind", "amount_usd"];

/// Writes one row per day of the run, provider and kind of charge, also where nothing was paid,
/// for those providers and kinds that were charged for at all.
///
/// # Errors
/// The first error of the writer.
pub fn write_days<W: io::Write>(
    out: W,
    world: &World,
    daily: &DailyCosts,
    cells: TextCells,
) -> io::Result<W> {
    let mut sheet = Sheet::new(out, cells, COLUMNS);
    for (place, day) in daily.days().enumerate() {
        let date = date_of(world.calendar, day.from);
        for (provider, kind) in daily.columns() {
            sheet.text(&date);
            sheet.time(Some(day.from));
            sheet.time(Some(day.until));
            sheet.text(&world.providers[provider].name);
            sheet.word(kind.name());
            sheet.money(daily.sum(place, provider, kind));
            sheet.end_row();
        }
    }
    sheet.finish()
}

/// Date in UTC: `2026-03-01`.
fn date_of(calendar: Calendar, at: Time) -> String {
    let date = calendar.format(at);
    date.split_once('T').map_or(date.clone(), |(day, _)| day.to_owned())
}

/// Cost by day, for a table: providers first, then kinds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DailyTable {
    providers: Vec<String>,
    kinds: Vec<ChargeKind>,
    rows: Vec<DailyRow>,
}

/// Row of the table: one day.
#[derive(Clone, Debug, PartialEq)]
struct DailyRow {
    day: String,
    total: Money,
    by_provider: Vec<Money>,
    by_kind: Vec<Money>,
}

/// Days of the table that are shown.
const MOST_DAYS: usize = 62;

impl DailyTable {
    /// The table of a run.
    pub fn new(world: &World, daily: &DailyCosts) -> Self {
        let providers = daily.providers(world);
        let mut kinds: Vec<ChargeKind> = daily.columns().map(|(_, kind)| kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let row = |place: usize, from| {
            let of = |provider, kind| daily.sum(place, provider, kind);
            let by_provider: Vec<Money> = providers
                .iter()
                .map(|&(provider, _)| kinds.iter().map(|&kind| of(provider, kind)).sum())
                .collect();
            let by_kind = kinds
                .iter()
                .map(|&kind| providers.iter().map(|&(provider, _)| of(provider, kind)).sum())
                .collect();
            let total = by_provider.iter().copied().sum();
            DailyRow { day: date_of(world.calendar, from), total, by_provider, by_kind }
        };
        let rows = daily.days().enumerate().map(|(place, day)| row(place, day.from)).collect();
        let providers = providers.iter().map(|(_, name)| (*name).to_owned()).collect();
        Self { providers, kinds, rows }
    }

    /// The section of a page.
    pub(super) fn section(&self) -> Section {
        let providers: Vec<String> = match self.providers.len() {
            0 | 1 => Vec::new(),
            _ => self.providers.iter().map(|name| clean(name)).collect(),
        };
        let mut head = vec!["day", "cost"];
        head.extend(providers.iter().map(String::as_str));
        head.extend(self.kinds.iter().map(|kind| kind.name()));
        let mut table = Table::new("Cost by day", &head);
        for row in self.rows.iter().take(MOST_DAYS) {
            let by_provider = row.by_provider.iter().take(providers.len());
            let parts = by_provider.chain(&row.by_kind).map(Money::to_string);
            table.row([row.day.clone(), row.total.to_string()].into_iter().chain(parts));
        }
        let section = Section::new("Cost by day", SectionPlace::Page).tables([table]).note(
            "Days in UTC; the first and the last may be parts of days. What a minimum charge adds \
             is on the day on which the instance was given back.",
        );
        match self.rows.len().saturating_sub(MOST_DAYS) {
            0 => section,
            more => section.note(format!("{} more days are in days.csv.", count(more as u64))),
        }
    }
}
