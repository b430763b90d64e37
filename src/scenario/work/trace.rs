//! Reads which file the work is in, and how its rows are read.

use std::path::{Path, PathBuf};

use crate::part::SettingKind;
use crate::problem::clip;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::scenario::setting;
use crate::workload::{
    FORMATS, Format, FormatSpec, OnBadRow, RowFilter, TraceSpec, Unsorted, recognise,
};

/// Reads the trace that the scenario names, and how it was recognised.
pub(super) fn trace(
    section: &ConfigTable,
    base: &Path,
    report: &mut Diagnostics<'_>,
) -> Option<(TraceSpec, Option<String>)> {
    let name = section.text("trace")?;
    let path = if name == "-" { PathBuf::from("-") } else { base.join(name) };
    let shown = path.display().to_string();
    let spot = section.spot("trace");
    if name != "-"
        && let Err(error) = std::fs::metadata(&path)
    {
        let message = format!("cannot read the trace `{}`: {error}", clip(name));
        report.hint(&spot, message, "paths are relative to the scenario's folder");
        return None;
    }
    let mut why = None;
    let mut format = match named(section) {
        Some(format) => format.spec(),
        None => match recognise(&path, &shown) {
            Ok(recognised) => {
                why = recognised.is_told.then_some(recognised.why);
                recognised.format
            }
            Err(problem) => {
                report.problems.push(problem);
                return None;
            }
        },
    };
    settings(&mut format, section, report);
    unused(&format, section, report);
    let trace = TraceSpec {
        shown,
        path,
        format,
        on_bad_row: match section.text("on_bad_row") {
            Some("skip") => OnBadRow::Skip,
            _ => OnBadRow::Fail,
        },
        unsorted: match section.text("unsorted") {
            Some("sort") => Unsorted::Sort,
            _ => Unsorted::Fail,
        },
        filters: filters(section, report),
        nameless: section.text("names") == Some("rows"),
    };
    Some((trace, why))
}

/// The format that the scenario names, also by columns, which one has.
fn named(section: &ConfigTable) -> Option<&'static Format> {
    if let Some(name) = section.text("format") {
        return Some(Format::named(name).expect("the table of keys has no other format"));
    }
    let columns = |format: &Format| {
        format.beside().any(|one| one.kind == SettingKind::Columns && section.has(one.name))
    };
    FORMATS.iter().copied().find(|format| columns(format))
}

/// The table of a format's own parameters.
fn own_table(format: &Format, section: &ConfigTable) -> ConfigTable {
    match format.own().next() {
        Some(_) => section.section(format.part.name),
        None => ConfigTable::default(),
    }
}

/// Sets what the scenario says of `spec`, and reports what that lacks.
fn settings(spec: &mut FormatSpec, section: &ConfigTable, report: &mut Diagnostics<'_>) {
    let format = Format::named(spec.name()).expect("every format has a row");
    let own = own_table(format, section);
    let own = format.own().map(|parameter| (parameter, &own));
    for (parameter, table) in own.chain(format.beside().map(|parameter| (parameter, section))) {
        if let Some(value) = setting::read(parameter, table, None, report) {
            spec.settings.set(parameter.name, value);
        }
    }
    for lack in spec.lacks() {
        report.hint(&section.spot(lack.parameter), lack.message, lack.hint);
    }
}

/// Reports parameters of other formats than the trace's.
fn unused(spec: &FormatSpec, section: &ConfigTable, report: &mut Diagnostics<'_>) {
    let own = FORMATS.iter().filter(|format| format.own().next().is_some());
    let tables = own.map(|format| (format.part.name, format.part.name));
    let of = |format: &'static Format| format.beside().map(|one| (one.name, format.part.name));
    let beside = FORMATS.iter().copied().flat_map(of);
    let used = Format::named(spec.name()).expect("every format has a row");
    let is_used = |key: &str| key == used.part.name || used.beside.contains(&key);
    let mut wanted: Vec<(&str, Vec<String>)> = Vec::new();
    for (key, format) in tables.chain(beside).filter(|(key, _)| !is_used(key)) {
        let format = format!("`format = \"{format}\"`");
        match wanted.iter_mut().find(|(known, _)| *known == key) {
            Some((_, formats)) => formats.push(format),
            None => wanted.push((key, vec![format])),
        }
    }
    for (key, formats) in wanted {
        let Some(entry) = section.entry(key) else { continue };
        report.hint(
            &entry.key.clone(),
            format!("`{key}` says nothing about a trace of format `{}`", spec.name()),
            format!("set {}, or remove `{key}`", formats.join(" or ")),
        );
    }
}

/// Rows that are read, by what stands in their columns.
fn filters(section: &ConfigTable, report: &mut Diagnostics<'_>) -> Vec<RowFilter> {
    let mut filters = Vec::new();
    for (key, keep) in [("where", true), ("where_not", false)] {
        let own = section.section(key);
        for entry in &own.entries {
            let values = own.names(&entry.name);
            if values.is_empty() {
                report.at(&entry.node.range, "a filter needs values");
            }
            filters.push(RowFilter { column: entry.name.clone(), values, keep });
        }
    }
    filters
}
