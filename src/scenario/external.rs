//! Reads which programs decide a policy, or parts of one.

use std::path::Path;

use super::section::{ConfigTable, Diagnostics};
use super::value::Value;
use crate::policy::spec::{External, PolicyPart, PolicySpec};
use crate::problem::clip;
use crate::units::Span;

/// Example of how a program is written, for hints.
const EXAMPLE: &str = "such as `external = [\"python3\", \"ours.py\"]`";

/// Sets who decides from outside what `own` names; a part that `own` names as
/// ours is ours again. Programs run in `base`.
pub(super) fn read(
    spec: &mut PolicySpec,
    own: &ConfigTable,
    base: &Path,
    report: &mut Diagnostics<'_>,
) {
    if let Some(who) = program(own, base, report) {
        spec.external.insert(PolicyPart::Whole, who);
    }
    for part in PolicyPart::OUTSIDE {
        if !own.has(part.name()) {
            continue;
        }
        spec.external.remove(&part);
        if let Some(Value::Table(section)) = own.entry(part.name()).map(|entry| &entry.node.value) {
            alone(section, part, report);
            spec.external.extend(program(section, base, report).map(|who| (part, who)));
        }
    }
    if spec.external.contains_key(&PolicyPart::Whole) {
        let parts = PolicyPart::OUTSIDE.into_iter().chain([
            PolicyPart::Shift,
            PolicyPart::Checkpoint,
            PolicyPart::Recover,
            PolicyPart::Cap,
        ]);
        for part in parts.filter(|part| own.has(part.name())) {
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
fn alone(section: &ConfigTable, part: PolicyPart, report: &mut Diagnostics<'_>) {
    if part == PolicyPart::Admit || !section.has("external") {
        return;
    }
    if let Some((ours, _, key)) = section.sections().next() {
        let message = format!("`{}` is decided by a program and by `{}`", part.name(), clip(ours));
        report.hint(key, message, "a policy has one part per question");
    }
}

/// The program that `section` names, if it does.
fn program(section: &ConfigTable, base: &Path, report: &mut Diagnostics<'_>) -> Option<External> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use expect_test::{Expect, expect};

    const SMALL: &str = "question = \"?\"\n\
        [workload.synthetic]\ncount = 1\narrivals = { per_hour = 6 }\nclass.a.runtime = \"1 h\"\n\
        [cluster.c]\nnodes = 2\nshape = { vcpus = 4, memory = \"8 GiB\" }\n";

    fn parse(policies: &str) -> Result<Scenario, crate::problem::Problems> {
        Scenario::parse(&format!("{SMALL}{policies}"), "a.toml", Path::new("some"), &[])
    }

    /// Checks who decides which part of the last policy.
    #[track_caller]
    fn check(policies: &str, want: Expect) {
        let scenario = parse(policies).unwrap_or_else(|problems| panic!("{problems:?}"));
        let external = &scenario.policies.last().expect("there is one").external;
        let rows = external.iter().map(|(part, who)| {
            let (folder, deadline) = (who.folder.display(), who.deadline.secs_f64());
            format!(
                "{}: {:?} in {folder}, {deadline} s, {} B\n",
                part.name(),
                who.command,
                who.max_answer
            )
        });
        want.assert_eq(&rows.collect::<String>());
    }

    #[track_caller]
    fn refuse(policies: &str, want: Expect) {
        let problems = parse(policies).err().into_iter().flatten();
        want.assert_eq(&problems.map(|problem| format!("{problem}\n")).collect::<String>());
    }

    #[test]
    fn programs_decide_what_they_are_given() {
        check(
            "[policy.p]\nexternal = [\"python3\", \"ours.py\"]\ndeadline = \"2 s\"\nmax_answer = \"1 KiB\"\n",
            expect![[r#"
                policy: ["python3", "ours.py"] in some, 2 s, 1024 B
            "#]],
        );
        check(
            "[policy.a.place]\nexternal = [\"a\"]\n[policy.a.order]\nexternal = [\"b\"]\n\
             [policy.p]\nextends = \"a\"\nplace = \"best-fit\"\nadmit = { external = [\"c\"], queue_limit = 3 }\n",
            expect![[r#"
                admit: ["c"] in some, 10 s, 16777216 B
                order: ["b"] in some, 10 s, 16777216 B
            "#]],
        );
    }

    #[test]
    fn what_is_wrong_with_a_program_is_said() {
        refuse(
            "[policy.p]\nexternal = []\n",
            expect![[r#"
            a.toml:10:12: `external` names no program
              hint: such as `external = ["python3", "ours.py"]`
        "#]],
        );
        refuse(
            "[policy.p]\nexternal = \"ours.py\"\n",
            expect![[r#"
            a.toml:10:12: `external` must be a list of texts, found `"ours.py"`
        "#]],
        );
        refuse(
            "[policy.p]\nexternal = [\"a\"]\nplace = \"best-fit\"\ncheckpoint = \"daly\"\n",
            expect![[r#"
                a.toml:11:9: `place` has no say where a program decides all
                  hint: leave it out, or give `external` to the part instead of the policy
                a.toml:12:14: `checkpoint` has no say where a program decides all
                  hint: leave it out, or give `external` to the part instead of the policy
            "#]],
        );
        refuse(
            "[policy.p]\nplace = { external = [\"a\"], best-fit = {} }\n",
            expect![[r#"
            a.toml:10:29: `place` is decided by a program and by `best-fit`
              hint: a policy has one part per question
        "#]],
        );
        refuse(
            "[policy.p]\nplace = { extrenal = [\"a\"] }\n",
            expect![[r#"
            a.toml:10:9: `place` names no part
              hint: such as `[policy.NAME.place.first-fit]`
            a.toml:10:11: unknown key `extrenal` in `policy.p.place`
              hint: did you mean `external`?
        "#]],
        );
        refuse(
            "[policy.p]\nplace = \"external\"\n",
            expect![[r#"
            a.toml:10:9: `place` must be `"first-fit"`, `"next-fit"`, `"best-fit"`, `"worst-fit"`, `"random"`, `"dot-product"`, `"least-dot-product"`, `"least-remainder"`, `"least-loaded"`, `"fgd"`, `"gpu-packing"` or `"gpu-clustering"`, found `"external"`
        "#]],
        );
        refuse(
            "[policy.p]\ndeadline = \"1 s\"\nplace = { max_answer = \"1 MiB\" }\n",
            expect![[r#"
                a.toml:10:12: `deadline` is a limit of a program, and there is none
                  hint: give `external`, such as `external = ["python3", "ours.py"]`
                a.toml:11:9: `place` names no part
                  hint: such as `[policy.NAME.place.first-fit]`
                a.toml:11:24: `max_answer` is a limit of a program, and there is none
                  hint: give `external`, such as `external = ["python3", "ours.py"]`
            "#]],
        );
        refuse(
            "[policy.p]\nexternal = [\"a\"]\ndeadline = \"0 s\"\nmax_answer = \"2 GiB\"\n",
            expect![[r#"
                a.toml:11:12: `deadline` must be longer than 0
                  hint: such as `"10 s"`
                a.toml:12:14: `max_answer` must be from 64 B to 1 GiB
                  hint: such as `"16 MiB"`
            "#]],
        );
        refuse(
            "[policy.p]\ncompatibility = \"rlscheduler\"\nplace = { external = [\"a\"] }\n",
            expect![[r#"
                a.toml:10:17: a program decides the place part, which `compatibility` fixes
                  hint: leave one of them out
            "#]],
        );
    }
}
