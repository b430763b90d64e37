//! The columns of a mapping, found in a file.

use crate::problem::{Problem, Problems, clip, did_you_mean};

use super::super::table::TextTable;
use super::super::{Column, ColumnOrigin, ColumnUnit, Field};
use super::Mapping;
use crate::part::factor;

/// A column of a mapping, found in a file.
pub(super) struct BoundColumn {
    pub(super) field: Field,
    /// Position of its column; where there is no column, the constant is taken.
    pub(super) index: Option<usize>,
    pub(super) constant: Vec<u8>,
    pub(super) unit: ColumnUnit,
    pub(super) scale: f64,
    /// Cells that say nothing, besides those that always do.
    pub(super) none: Vec<Vec<u8>>,
    /// A number of the file times this, divided by `over`, is a number of ours.
    pub(super) times: i64,
    pub(super) over: i64,
}

/// Finds every column of `mapping` in the current row of `table`.
pub(super) fn bind(mapping: &Mapping, table: &TextTable) -> Result<Vec<BoundColumn>, Problems> {
    let mut bounds = Vec::new();
    let mut problems = Vec::new();
    let problem = |message: String| Problem::with(table.shown(), message);
    for (&field, column) in &mapping.columns {
        match bind_one(mapping, field, column, table) {
            Ok(bound) => bounds.push(bound),
            Err(problem) => problems.push(problem),
        }
    }
    let has = |field| mapping.columns.contains_key(&field);
    if !has(Field::Arrival) {
        problems.push(problem("the mapping has no `arrival`".to_owned()));
    }
    if !has(Field::Runtime) && !has(Field::End) {
        problems.push(problem("the mapping needs `runtime` or `end`".to_owned()));
    }
    if has(Field::Start) && has(Field::Wait) {
        problems.push(problem("`start` and `wait` of a mapping say the same thing".to_owned()));
    }
    if problems.is_empty() { Ok(bounds) } else { Err(problems.into()) }
}

fn bind_one(
    mapping: &Mapping,
    field: Field,
    column: &Column,
    table: &TextTable,
) -> Result<BoundColumn, Problem> {
    let name = field.name();
    let problem = |message: String| Problem::with(table.shown(), message);
    let (times, over) = factor(field, column.unit)
        .ok_or_else(|| problem(format!("`{name}` has a unit that it cannot be read in")))?;
    if !column.scale.is_finite() || column.scale <= 0.0 {
        return Err(problem(format!("`{name}`: the scale must be greater than 0")));
    }
    let (mut index, mut constant) = (None, Vec::new());
    match &column.from {
        ColumnOrigin::Header(_) if !mapping.has_header => {
            return Err(problem(format!("`{name}`: without a header, columns go by number")));
        }
        ColumnOrigin::Header(header) => index = Some(by_header(table, name, header)?),
        ColumnOrigin::Number(number) => {
            let within = (1..=table.len().max(1)).contains(number);
            if !within {
                let message = format!("`{name}`: there is no column {number} of {}", table.len());
                return Err(problem(message));
            }
            index = Some(number - 1);
        }
        ColumnOrigin::Constant(text) => constant = text.trim().as_bytes().to_vec(),
    }
    let (unit, scale) = (column.unit, column.scale);
    let none = column.none.iter().map(|text| text.trim().as_bytes().to_vec()).collect();
    Ok(BoundColumn { field, index, constant, unit, scale, none, times, over })
}

fn by_header(table: &TextTable, name: &str, header: &str) -> Result<usize, Problem> {
    let mut places = (0..table.len()).filter(|&index| table.trimmed(index) == header.as_bytes());
    let found = places.next();
    if let (Some(first), Some(second)) = (found, places.next()) {
        let (first, second) = (first + 1, second + 1);
        let message =
            format!("`{name}`: columns {first} and {second} are both called `{}`", clip(header));
        return Err(Problem::at(table.shown(), table.line(), 0, message)
            .hint(format!("name the column by its number: `{name} = {{ number = {first} }}`")));
    }
    found.ok_or_else(|| {
        let columns: Vec<String> = (0..table.len())
            .map(|index| String::from_utf8_lossy(table.trimmed(index)).into_owned())
            .collect();
        let message = format!("`{name}`: there is no column `{}`", clip(header));
        let problem = Problem::at(table.shown(), table.line(), 0, message);
        match did_you_mean(header, columns.iter().map(String::as_str)) {
            Some(meant) => problem.hint(format!("did you mean `{}`?", clip(meant))),
            None => problem.hint(format!("the columns are {}", clip(&columns.join(", ")))),
        }
    })
}
