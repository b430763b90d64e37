//! Conditions that the rows of a catalog must keep among themselves: names that are there, dates
//! that are dates, nothing twice.

use std::collections::BTreeMap;

use super::super::composition::unknown_name;
use super::table::{self, CatalogRow};
use crate::problem::{Problem, clip};

/// The keys of `sources.csv`; nothing where a catalog has none, and any will do.
#[derive(Debug)]
pub(super) struct Sources(Option<Vec<String>>);

impl Sources {
    /// Reads `sources.csv`, which a catalog may lack.
    pub(super) fn read(text: Option<&str>, path: &str, problems: &mut Vec<Problem>) -> Self {
        Self(text.map(|text| table::read(text, path, problems, |row| row.name("key"))))
    }

    /// Holds `source`, `as_of` and `assumed` of a row against what they may be.
    pub(super) fn check(&self, row: &mut CatalogRow<'_>) {
        if let Some(known) = &self.0 {
            for key in row.list("source").iter().filter(|key| !known.contains(key)) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let message = format!("`sources.csv` has no key `{}`", clip(key));
                row.refuse("source", message, Some(unknown_name(key, &known)));
            }
        }
        let as_of = row.text("as_of");
        if !as_of.is_empty() && !is_date(as_of) {
            let message = format!("`as_of` is no date: `{}`", clip(as_of));
            let hint = "to the day, month or year: `2026-11-27`, `2026-11` or `2026`";
            row.refuse("as_of", message, Some(hint.to_owned()));
        }
        for column in row.list("assumed") {
            if !row.has(&column) {
                let columns = row.columns();
                let known: Vec<&str> = columns.iter().map(String::as_str).collect();
                let message = format!("the table has no column `{}`", clip(&column));
                row.refuse("assumed", message, Some(unknown_name(&column, &known)));
            }
        }
    }
}

/// Names of a table, each with the line that has it.
#[derive(Debug, Default)]
pub(super) struct Once(BTreeMap<String, u64>);

impl Once {
    /// Notes `what`, whose name is under `column`; a second one is a problem.
    pub(super) fn note(&mut self, column: &str, what: &str, row: &mut CatalogRow<'_>) {
        if let Some(first) = self.0.get(what) {
            let message = format!("line {first} has `{}` already", clip(what));
            row.refuse(column, message, None);
        } else {
            self.0.insert(what.to_owned(), row.line());
        }
    }

    /// Reports the name under `column` where it is not among these.
    pub(super) fn require(&self, column: &str, row: &mut CatalogRow<'_>) {
        let name = row.text(column);
        if name.is_empty() || self.0.contains_key(name) {
            return;
        }
        let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
        let message = format!("the catalog has no {column} `{}`", clip(name));
        row.refuse(column, message, Some(unknown_name(name, &known)));
    }
}

/// A year, a month or a day: `2026`, `2026-11`, `2026-11-27`.
fn is_date(text: &str) -> bool {
    let full = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    full.len() == 10 && full.parse::<jiff::civil::Date>().is_ok()
}
