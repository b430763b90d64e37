//! Reads which file the work is in, and how its rows are read.

use std::path::{Path, PathBuf};

use super::{kind, mapped};
use crate::problem::clip;
use crate::scenario::quantity;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::workload::{
    Format, OnBadRow, OpenbOptions, Procs, RowFilter, SacctOptions, SacctTenant, SwfOptions,
    SwfTenant, TraceSpec, UnknownRuntime, Unsorted, recognise, zone_exists,
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
    let named = match section.text("format") {
        Some(format) => Some(format),
        None if section.has("columns") => Some("mapped"),
        None => None,
    };
    let mut why = None;
    let guessed = match named {
        Some("swf") => Format::Swf(SwfOptions::default()),
        Some("openb") => Format::Openb(OpenbOptions::default()),
        Some("sacct") => Format::Sacct(sacct(section, b'|')),
        Some("mapped") => Format::Mapped(mapped::read(section, report)),
        Some("native") => Format::Native,
        Some(other) => unreachable!("the table of keys has no format `{other}`"),
        None => match recognise(&path, &shown) {
            Ok(recognised) => {
                if matches!(recognised.format, Format::Mapped(_) | Format::Sacct(_)) {
                    why = Some(recognised.why);
                }
                recognised.format
            }
            Err(problem) => {
                report.problems.push(problem);
                return None;
            }
        },
    };
    let format = match guessed {
        Format::Swf(_) => Format::Swf(swf(&section.section("swf"), report)),
        Format::Openb(guessed) => {
            let own = section.section("openb");
            Format::Openb(OpenbOptions {
                arrivals_only: own.flag("arrivals_only").unwrap_or(guessed.arrivals_only),
                as_jobs: section.text("kind") == Some("job"),
                qos_priority: own.flag("qos_priority").unwrap_or(false),
            })
        }
        Format::Mapped(mut mapping) => {
            if section.has("kind") {
                mapping.kind = kind(section);
            }
            mapping.gpus_per_task = mapped::gpus_per_task(section);
            mapping.time_zone = section.text("time_zone").map(str::to_owned);
            Format::Mapped(mapping)
        }
        Format::Sacct(found) => Format::Sacct(sacct(section, found.delimiter)),
        Format::Native => Format::Native,
    };
    unused(section, &format, report);
    check_zone(section, report);
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

/// Reports options of another format than the trace's.
fn unused(section: &ConfigTable, format: &Format, report: &mut Diagnostics<'_>) {
    let format = match format {
        Format::Native => "native",
        Format::Swf(_) => "swf",
        Format::Openb(_) => "openb",
        Format::Sacct(_) => "sacct",
        Format::Mapped(_) => "mapped",
    };
    let only = [
        ("swf", &["swf"][..]),
        ("openb", &["openb"]),
        ("sacct", &["sacct"]),
        ("columns", &["mapped"]),
        ("delimiter", &["mapped", "sacct"]),
        ("time_zone", &["mapped", "sacct"]),
        ("header", &["mapped"]),
        ("quoting", &["mapped"]),
        ("gpus_per_task", &["mapped"]),
    ];
    for (key, wanted) in only {
        if let Some(entry) = section.entry(key).filter(|_| !wanted.contains(&format)) {
            let wanted = wanted[wanted.len() - 1];
            report.hint(
                &entry.key.clone(),
                format!("`{key}` says nothing about a trace of format `{format}`"),
                format!("set `format = \"{wanted}\"`, or remove `{key}`"),
            );
        }
    }
}

fn swf(section: &ConfigTable, report: &mut Diagnostics<'_>) -> SwfOptions {
    let default = SwfOptions::default();
    let unknown_runtime = match section.text("unknown_runtime") {
        None | Some("skip") => UnknownRuntime::Skip,
        Some(text) => quantity::span(text).map_or_else(
            || {
                let message = format!(
                    "`unknown_runtime` must be `\"skip\"` or a span such as `\"10 s\"`, found `{}`",
                    clip(text)
                );
                report.at(&section.spot("unknown_runtime"), message);
                UnknownRuntime::Skip
            },
            UnknownRuntime::Take,
        ),
    };
    SwfOptions {
        procs: match section.text("procs") {
            Some("allocated") => Procs::Allocated,
            Some("larger") => Procs::Larger,
            _ => Procs::Requested,
        },
        cpu_per_proc: section.amount("vcpus_per_proc").unwrap_or(default.cpu_per_proc),
        memory_per_proc: section.amount("memory_per_proc").unwrap_or(default.memory_per_proc),
        requested_memory: section.flag("requested_memory").unwrap_or(default.requested_memory),
        unknown_runtime,
        drop_zero: section.flag("drop_zero").unwrap_or(default.drop_zero),
        drop_cancelled: section.flag("drop_cancelled").unwrap_or(default.drop_cancelled),
        tenant: match section.text("tenant") {
            Some("nobody") => SwfTenant::Nobody,
            Some("group") => SwfTenant::Group,
            Some("queue") => SwfTenant::Queue,
            Some("partition") => SwfTenant::Partition,
            _ => SwfTenant::User,
        },
    }
}

/// Options of accounting logs. The delimiter is that of the file, where none is given.
fn sacct(section: &ConfigTable, found: u8) -> SacctOptions {
    let own = section.section("sacct");
    SacctOptions {
        delimiter: section.text("delimiter").map_or(found, |text| text.as_bytes()[0]),
        time_zone: section.text("time_zone").map(str::to_owned),
        tenant: match own.text("tenant") {
            Some("account") => SacctTenant::Account,
            Some("partition") => SacctTenant::Partition,
            Some("qos") => SacctTenant::Qos,
            Some("nobody") => SacctTenant::Nobody,
            _ => SacctTenant::User,
        },
        at_submit: own.text("arrival") == Some("submit"),
        gpu_models: own.flag("gpu_models").unwrap_or(false),
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

/// Reports a time zone that is not in the database.
fn check_zone(section: &ConfigTable, report: &mut Diagnostics<'_>) {
    let Some(name) = section.text("time_zone") else { return };
    if !zone_exists(name) {
        let message = format!("there is no time zone called `{}`", clip(name));
        report.hint(
            &section.spot("time_zone"),
            message,
            "such as `Europe/Berlin` or `America/New_York`",
        );
    }
}
