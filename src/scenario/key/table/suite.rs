//! Keys of a suite file, which are no part of a scenario.

use super::super::ValueKind;
use super::{FROM_ONE, KeyRow, row};

pub(super) const ROWS: &[KeyRow] = &[
    row("<suite>", ValueKind::Table, "", "A suite of scenarios to be checked."),
    row("<suite>.replications", FROM_ONE, "5", "How often each scenario is run."),
    row(
        "<suite>.confidence",
        ValueKind::Percent(50, 99),
        "95 %",
        "Of intervals, and of all findings of the suite together.",
    ),
    row(
        "<suite>.unclear",
        ValueKind::Choice(&["pass", "fail"]),
        "pass",
        "What becomes of a gate whose mean is beyond its margin where chance alone could have done it.",
    ),
    row(
        "<suite>.baselines",
        ValueKind::File,
        "baselines",
        "Folder of the baselines, relative to the suite's.",
    ),
    row(
        "<suite>.gates",
        ValueKind::Table,
        "",
        "What must not become worse, and by how much it may.",
    ),
    row("<suite>.gates.*", ValueKind::Text, "", "A metric, or `events`."),
    row("<suite>.scenario", ValueKind::Table, "required", "The scenarios by name."),
    row("<suite>.scenario.*", ValueKind::Table, "", "A scenario of the suite."),
    row(
        "<suite>.scenario.*.file",
        ValueKind::File,
        "the name with `.toml`",
        "The scenario file, relative to the suite's folder.",
    ),
    row(
        "<suite>.scenario.*.policies",
        ValueKind::Texts,
        "all",
        "Which of its policies are checked.",
    ),
    row(
        "<suite>.scenario.*.replications",
        FROM_ONE,
        "the suite's",
        "How often the scenario is run; once where nothing in it is random.",
    ),
    row(
        "<suite>.scenario.*.warm_up",
        ValueKind::Span,
        "nothing",
        "What comes before is not counted; with windows, it is played before each.",
    ),
    row(
        "<suite>.scenario.*.window",
        ValueKind::Span,
        "",
        "Replications are disjoint windows of this length of the trace.",
    ),
    row(
        "<suite>.scenario.*.resample",
        ValueKind::Span,
        "",
        "Replications put the trace together anew from blocks of this length of itself.",
    ),
    row("<suite>.scenario.*.gates", ValueKind::Table, "", "Gates that differ from the suite's."),
    row("<suite>.scenario.*.gates.*", ValueKind::Text, "", "As in the suite's, or `off`."),
];
