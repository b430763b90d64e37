//! The list of transformations.

use crate::model::WorkKind;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::scenario::value::Value;
use crate::units::{Calendar, Time};
use crate::workload::{Alive, Keep, Resource, Transform};

/// Reads `[[workload.transform]]`.
pub(super) fn read(
    section: &ConfigTable,
    calendar: Calendar,
    report: &mut Diagnostics<'_>,
) -> Vec<Transform> {
    let mut transforms = Vec::new();
    for own in section.list("transform") {
        match own.entries.as_slice() {
            [entry] => {
                let Some(step) = one(own, &entry.name, calendar, report) else { continue };
                if let Some(problem) = step.problem() {
                    report.at(&entry.node.range, problem.message);
                }
                transforms.push(step);
            }
            [] => report.at(&own.range, "a transformation is missing"),
            [_, second, ..] => report.hint(
                &second.key,
                "one transformation per entry",
                "begin another `[[workload.transform]]`: they are applied in order",
            ),
        }
    }
    transforms
}

fn one(
    own: &ConfigTable,
    name: &str,
    calendar: Calendar,
    report: &mut Diagnostics<'_>,
) -> Option<Transform> {
    Some(match name {
        "skip" => Transform::Skip(own.count(name)?),
        "take" => Transform::Take(own.count(name)?),
        "scale_arrivals" => Transform::ScaleArrivals(own.number(name)?),
        "scale_runtimes" => Transform::ScaleRuntimes(own.number(name)?),
        "shift" => Transform::Shift(own.span(name)?),
        "shuffle" => return own.flag(name)?.then_some(Transform::Shuffle),
        "scale_sizes" => {
            let sizes = own.section(name);
            Transform::ScaleSizes {
                cpu: sizes.number("vcpus").unwrap_or(1.0),
                memory: sizes.number("memory").unwrap_or(1.0),
                tasks: sizes.number("tasks").unwrap_or(1.0),
            }
        }
        "repeat" => {
            let repeat = own.section(name);
            repeat.require("times", report);
            Transform::Repeat { times: repeat.count32("times")?, period: repeat.span("period") }
        }
        "inflate" => inflate(&own.section(name), report)?,
        "window" => {
            let window = own.section(name);
            let from = window.moment("from", calendar).unwrap_or(Time::ZERO);
            let to = window.moment("to", calendar);
            let shift = window.flag("shift").unwrap_or(true);
            let alive = match window.text("alive") {
                Some("all") => Alive::All,
                Some("vms") => Alive::Machines,
                _ => Alive::Nothing,
            };
            Transform::Window { from, to, shift, alive }
        }
        "keep" => Transform::Keep(keep(&own.section(name))),
        _ => return None,
    })
}

fn inflate(own: &ConfigTable, report: &mut Diagnostics<'_>) -> Option<Transform> {
    own.require("share", report);
    let resource = match own.text("resource") {
        Some("cpu") => Resource::Cpu,
        Some("memory") => Resource::Memory,
        _ => Resource::Gpu,
    };
    let gap = own.span("gap").unwrap_or(crate::units::Span::from_secs(1));
    Some(Transform::Inflate { share: own.integer("share")? as f64 / 1e6, resource, gap })
}

fn keep(own: &ConfigTable) -> Keep {
    let gpus = |name: &str| own.count(name).and_then(|gpus| u8::try_from(gpus).ok());
    let kind = match own.entry("kind").map(|entry| &entry.node.value) {
        Some(Value::Text(kind)) if kind == "vm" => Some(WorkKind::VirtualMachine),
        Some(Value::Text(_)) => Some(WorkKind::Job),
        _ => None,
    };
    Keep {
        min_runtime: own.span("min_runtime"),
        max_runtime: own.span("max_runtime"),
        min_tasks: own.count32("min_tasks"),
        max_tasks: own.count32("max_tasks"),
        min_cpu: own.amount("min_vcpus"),
        max_cpu: own.amount("max_vcpus"),
        min_memory: own.amount("min_memory"),
        max_memory: own.amount("max_memory"),
        min_gpus: gpus("min_gpus"),
        max_gpus: gpus("max_gpus"),
        kind,
        tenants: own.names("tenants"),
    }
}
