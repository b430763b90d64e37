//! Reads which programs decide a policy, or parts of one.

use std::path::Path;

use super::section::{Report, Section};
use super::value::Value;
use crate::policy::spec::{External, Part, PolicySpec};
use crate::problem::clip;
use crate::units::Span;

/// What a program is written like, for hints.
const EXAMPLE: &str = "such as `external = [\"python3\", \"ours.py\"]`";

/// Sets who decides from outside what `own` names; a part that `own` names as
/// ours is ours again. Programs run in `base`.
pub(super) fn read(spec: &mut PolicySpec, own: &Section, base: &Path, report: &mut Report<'_>) {
    if let Some(who) = program(own, base, report) {
        spec.external.insert(Part::Whole, who);
    }
    for part in Part::ALL {
        if !own.has(part.name()) {
            continue;
        }
        spec.external.remove(&part);
        if let Some(Value::Table(section)) = own.entry(part.name()).map(|entry| &entry.node.value) {
            alone(section, part, report);
            spec.external.extend(program(section, base, report).map(|who| (part, who)));
        }
        if spec.external.contains_key(&Part::Whole) {
            let message = format!("`{}` has no say where a program decides all", part.name());
            let hint = "leave it out, or give `external` to the part instead of the policy";
            report.hint(&own.spot(part.name()), message, hint);
        }
    }
    if let Some((part, _)) = spec.external.first_key_value()
        && spec.compatibility.is_some()
    {
        let message = format!("a program decides the {} part", part.name());
        let message = format!("{message}, which `compatibility` fixes");
        report.hint(&own.spot("compatibility"), message, "leave one of them out");
    }
}

/// A program beside a part of ours.
fn alone(section: &Section, part: Part, report: &mut Report<'_>) {
    if part == Part::Admit || !section.has("external") {
        return;
    }
    if let Some((ours, _, key)) = section.sections().next() {
        let message = format!("`{}` is decided by a program and by `{}`", part.name(), clip(ours));
        report.hint(key, message, "a policy has one part per question");
    }
}

/// The program that `section` names, if it does.
fn program(section: &Section, base: &Path, report: &mut Report<'_>) -> Option<External> {
    if !section.has("external") {
        for name in ["deadline", "max_answer"] {
            if section.has(name) {
                let message = format!("`{name}` is a limit of a program, and there is none");
                report.hint(&section.spot(name), message, format!("give `external`, {EXAMPLE}"));
            }
        }
        return None;
    }
    let command = section.names("external");
    if command.first().is_none_or(String::is_empty) {
        // A value that is no list of texts has been reported.
        if matches!(section.entry("external").map(|entry| &entry.node.value), Some(Value::Texts(_)))
        {
            report.hint(&section.spot("external"), "`external` names no program", EXAMPLE);
        }
        return None;
    }
    let default = External::new(command, base.to_owned());
    let deadline = section.span("deadline").unwrap_or(default.deadline);
    let max_answer = section.integer("max_answer").map_or(default.max_answer, i64::unsigned_abs);
    if deadline == Span::ZERO {
        report.hint(
            &section.spot("deadline"),
            "`deadline` must be longer than 0",
            "such as `\"10 s\"`",
        );
    }
    if !(64..=1 << 30).contains(&max_answer) {
        let message = "`max_answer` must be from 64 B to 1 GiB";
        report.hint(&section.spot("max_answer"), message, "such as `\"16 MiB\"`");
    }
    Some(External { deadline, max_answer, ..default })
}
