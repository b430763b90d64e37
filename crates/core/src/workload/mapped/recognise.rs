//! Recognition of tables: one that is known by its numbers, and any whose headers can be guessed.

use std::collections::BTreeMap;

use super::MAPPED;
use super::guess::{Guess, guess};
use crate::problem::{Problem, clip};
use crate::workload::format::{OtherFormat, delimiter_setting};
use crate::workload::number::float;
use crate::workload::recognise::{FileHead, Recognised};
use crate::workload::{Column, ColumnOrigin, ColumnUnit, Field};

/// Columns that are named where none of them is what is needed.
const TOLD_COLUMNS: usize = 30;

pub(super) fn recognise(head: &FileHead) -> Result<Recognised, OtherFormat> {
    if head.rows.is_empty() {
        return Err(None);
    }
    if let Some(azure) = azure(&head.rows, head.delimiter) {
        return Ok(azure);
    }
    match guess(&head.rows, head.delimiter) {
        Guess::Mapping(format, why) => Ok(Recognised { format, why, is_told: true }),
        Guess::Lacking { arrival, runtime } => {
            Err(Some(Box::new(lacking(head.header(), arrival, runtime, &head.shown))))
        }
    }
}

/// The columns that a table lacks to be a workload, and those that it has.
fn lacking(
    header: &[String],
    arrival: Option<String>,
    runtime: Option<String>,
    shown: &str,
) -> Problem {
    const ARRIVAL: &str = "`arrival = \"...\"`";
    const RUNTIME: &str = "`runtime = \"...\"` or `end = \"...\"`";
    let (lacks, hint) = match (arrival, runtime) {
        (Some(arrival), _) => (
            format!(
                "work arrives at `{}`, but no column says how long it runs or when it ends",
                clip(&arrival)
            ),
            format!("name the column in `[workload.columns]`: {RUNTIME}"),
        ),
        (None, Some(runtime)) => (
            format!(
                "`{}` says how long work runs or when it ends, but no column when it arrives",
                clip(&runtime)
            ),
            format!("name the column in `[workload.columns]`: {ARRIVAL}"),
        ),
        (None, None) => (
            "no column says when work arrives, and none how long it runs or when it ends"
                .to_owned(),
            format!("name the columns in `[workload.columns]`: {ARRIVAL}, and {RUNTIME}"),
        ),
    };
    let shown_names = header.iter().take(TOLD_COLUMNS).map(|name| format!("`{}`", clip(name)));
    let mut columns = shown_names.collect::<Vec<_>>().join(", ");
    if let more @ 1.. = header.len().saturating_sub(TOLD_COLUMNS) {
        columns += &format!(" and {more} more");
    }
    let message = format!("{lacks}; the columns are {columns}");
    Problem::at(shown, 1, 0, message).hint(hint)
}

/// The VM list of the Azure public traces: 11 columns without a header.
fn azure(rows: &[Vec<String>], delimiter: u8) -> Option<Recognised> {
    let first = rows.first()?;
    let number = |index: usize| {
        first.get(index).is_some_and(|cell| float(cell.trim_start_matches('>').as_bytes()).is_ok())
    };
    if first.len() != 11 || ![3, 4, 5, 9, 10].into_iter().all(number) {
        return None;
    }
    let column = |number, unit| Column::new(ColumnOrigin::Number(number), unit);
    let columns = [
        (Field::Id, column(1, ColumnUnit::Text)),
        (Field::Tenant, column(2, ColumnUnit::Text)),
        (Field::Arrival, column(4, ColumnUnit::Seconds)),
        (Field::End, column(5, ColumnUnit::Seconds)),
        (Field::Cpu, column(10, ColumnUnit::Cores)),
        (Field::Memory, column(11, ColumnUnit::Gib)),
    ];
    let why = "Eleven columns without a header, numbers where the Azure VM traces have them: \
        check that columns 4 and 5 are creation and deletion in seconds.";
    let format = MAPPED
        .spec()
        .set("kind", "vm")
        .set("columns", BTreeMap::from(columns))
        .set("header", false)
        .set("delimiter", delimiter_setting(delimiter));
    Some(Recognised { format, why: why.to_owned(), is_told: true })
}
