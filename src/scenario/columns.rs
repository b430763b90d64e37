//! Columns of a table by the fields of work that they give.

use std::collections::BTreeMap;

use super::composition::unknown_name;
use super::section::{ConfigEntry, ConfigTable, Diagnostics};
use super::value::Value;
use crate::problem::{clip, did_you_mean};
use crate::workload::{Column, ColumnOrigin, ColumnUnit, Field};

/// Reads a table of columns. One that is wrong is reported, and is there all the same.
pub(super) fn read(own: &ConfigTable, report: &mut Diagnostics<'_>) -> BTreeMap<Field, Column> {
    let mut columns = BTreeMap::new();
    let names: Vec<&str> = Field::ALL.iter().map(|(name, _)| *name).collect();
    for entry in &own.entries {
        let Some(field) = Field::parse(&entry.name) else {
            let message = format!("work has no field called `{}`", clip(&entry.name));
            let hint = did_you_mean(&entry.name, names.iter().copied()).map_or_else(
                || format!("fields: {}", names.join(", ")),
                |name| format!("did you mean `{name}`?"),
            );
            report.hint(&entry.key, message, hint);
            continue;
        };
        let wrong = || Column::new(ColumnOrigin::Constant(String::new()), default_unit(field));
        columns.insert(field, column(field, entry, report).unwrap_or_else(wrong));
    }
    columns
}

/// Reads a field: the header of its column, or a table.
fn column(field: Field, entry: &ConfigEntry, report: &mut Diagnostics<'_>) -> Option<Column> {
    let unit = default_unit(field);
    let own = match &entry.node.value {
        Value::Text(header) => {
            return Some(Column::new(ColumnOrigin::Header(header.clone()), unit));
        }
        Value::Table(own) => own,
        _ => return None,
    };
    let mut origins = Vec::new();
    origins.extend(own.text("column").map(|header| ColumnOrigin::Header(header.to_owned())));
    origins.extend(
        own.count("number")
            .and_then(|number| usize::try_from(number).ok())
            .map(ColumnOrigin::Number),
    );
    origins.extend(own.text("constant").map(|text| ColumnOrigin::Constant(text.to_owned())));
    if origins.len() != 1 {
        let message = format!("`{}` needs one of `column`, `number`, `constant`", entry.name);
        report.at(&entry.node.range, message);
    }
    let unit = match own.text("unit") {
        None => unit,
        Some(text) => ColumnUnit::parse(text).unwrap_or_else(|| {
            let names: Vec<&str> = ColumnUnit::ALL.iter().map(|(name, _)| *name).collect();
            let message = format!("there is no unit called `{}`", clip(text));
            report.hint(&own.spot("unit"), message, unknown_name(text, &names));
            unit
        }),
    };
    if !field.fits(unit) {
        let spot = if own.has("unit") { own.spot("unit") } else { entry.node.range.clone() };
        let message = format!("`{}` cannot be read in this unit", entry.name);
        report.hint(
            &spot,
            message,
            format!("units of `{}`: {}", entry.name, field.units().join(", ")),
        );
    }
    let from = origins.into_iter().next()?;
    Some(Column { from, unit, scale: own.number("scale").unwrap_or(1.0), none: own.names("none") })
}

/// The unit of a field where the scenario names none.
fn default_unit(field: Field) -> ColumnUnit {
    match field {
        Field::Arrival
        | Field::Runtime
        | Field::End
        | Field::Start
        | Field::Estimate
        | Field::Deadline
        | Field::Wait => ColumnUnit::Seconds,
        Field::Cpu | Field::Gpus | Field::GpuShare => ColumnUnit::Cores,
        Field::Memory => ColumnUnit::Mib,
        Field::Input | Field::Output => ColumnUnit::Bytes,
        Field::Tasks | Field::MinTasks | Field::ParallelFraction | Field::Priority => {
            ColumnUnit::Count
        }
        Field::Id | Field::Exclusive | Field::Tenant | Field::Home | Field::GpuModels => {
            ColumnUnit::Text
        }
    }
}
