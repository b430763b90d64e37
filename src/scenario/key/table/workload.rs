//! Keys of `[workload]`: traces and defaults.

use super::super::ValueKind;
use super::{ALL_MARKETS, AT_LEAST_0, KeyRow, SPREAD, TOGETHER, row};

pub(super) const ROWS: &[KeyRow] = &[
    row("workload", ValueKind::Table, "required", "Where work comes from and what is done to it."),
    row("workload.trace", ValueKind::File, "", "File with the work: plain, gzip or zstandard."),
    row(
        "workload.on_bad_row",
        ValueKind::Choice(&["fail", "skip"]),
        "fail",
        "What a malformed row does.",
    ),
    row(
        "workload.unsorted",
        ValueKind::Choice(&["fail", "sort"]),
        "fail",
        "What a row does that arrives before its predecessor.",
    ),
    row(
        "workload.names",
        ValueKind::Choice(&["trace", "rows"]),
        "trace",
        "What work is called: as its trace says, or by its row, where names come twice.",
    ),
    row(
        "workload.where",
        ValueKind::Table,
        "",
        "Rows of a trace that are read: by header (number, where there is no header; a field's name such as `queue` in SWF), what must stand in a column.",
    ),
    row(
        "workload.where.*",
        ValueKind::Texts,
        "",
        "One of these, such as `status = [\"COMPLETED\"]`.",
    ),
    row("workload.where_not", ValueKind::Table, "", "Rows of a trace that are left out, likewise."),
    row("workload.where_not.*", ValueKind::Texts, "", "None of these."),
    row(
        "workload.estimates",
        ValueKind::Text,
        "none",
        "Estimate of work that has none: `runtime`, `factor(2)` (of the runtime) or `none`.",
    ),
    row(
        "workload.deadline",
        ValueKind::Table,
        "",
        "Deadline of work that has none: arrival + slack + factor x runtime.",
    ),
    row("workload.deadline.slack", ValueKind::Span, "0 s", "Fixed part."),
    row("workload.deadline.factor", AT_LEAST_0, "1", "Part that grows with the runtime."),
    row(
        "workload.resume",
        ValueKind::Flag,
        "as the trace says",
        "Whether progress survives a preemption.",
    ),
    row(
        "workload.exclusive",
        ValueKind::Flag,
        "as the trace says",
        "Whether all work has its instances alone: nothing else runs beside a job, whose own tasks share them.",
    ),
    row("workload.vcpus", ValueKind::Vcpus, "", "Cores per task of work that asks none."),
    row("workload.memory", ValueKind::Memory, "", "Memory per task of work that asks none."),
    row(
        "workload.priority",
        ValueKind::Integer,
        "0",
        "Priority of work that has none; larger is more important.",
    ),
    row("workload.tenant", ValueKind::Text, "default", "Tenant of work that names none."),
    row(
        "workload.scale",
        ValueKind::Positive,
        "1",
        "Demand: arrivals come this many times as often, after all transformations.",
    ),
    row(
        "workload.period",
        ValueKind::Span,
        "the `span` of synthetic work, the length of a window, else the time from the first arrival to the last",
        "Time that the work of the trace stands for, such as `1 d` for the jobs of a night; transformations and `scale` change it with the arrivals, and `take` or `skip` leave it unknown. What is rented for it in a month is scaled from it.",
    ),
    row("workload.data", ValueKind::Table, "", "Data of work that names none."),
    row(
        "workload.data.home",
        ValueKind::Text,
        "",
        "Where it lives: `provider/region` or a cluster.",
    ),
    row(
        "workload.data.input",
        ValueKind::Size,
        "0 B",
        "Read before the work starts computing: of the whole job, each task an equal part.",
    ),
    row(
        "workload.data.output",
        ValueKind::Size,
        "0 B",
        "Written back when it is done: of the whole job, each task an equal part.",
    ),
    row(
        "workload.allow",
        ValueKind::Table,
        "",
        "Where work may run; a list that is missing restricts nothing.",
    ),
    row("workload.allow.providers", ValueKind::Texts, "", "Providers and clusters."),
    row("workload.allow.regions", ValueKind::Texts, "", "Regions as `provider/region`."),
    row("workload.allow.types", ValueKind::Texts, "", "Instance types."),
    row("workload.allow.offers", ValueKind::Texts, "", "Offers by their full name."),
    row("workload.allow.markets", ValueKind::Choices(ALL_MARKETS), "", "Markets."),
    row(
        "workload.allow.gpu_models",
        ValueKind::Texts,
        "",
        "GPU models; work then runs only on instances with one of them.",
    ),
    row("workload.forbid", ValueKind::Table, "", "Where work may not run."),
    row("workload.forbid.providers", ValueKind::Texts, "", "Providers and clusters."),
    row("workload.forbid.regions", ValueKind::Texts, "", "Regions as `provider/region`."),
    row("workload.forbid.types", ValueKind::Texts, "", "Instance types."),
    row("workload.forbid.offers", ValueKind::Texts, "", "Offers by their full name."),
    row("workload.forbid.markets", ValueKind::Choices(ALL_MARKETS), "", "Markets."),
    row("workload.forbid.gpu_models", ValueKind::Texts, "", "GPU models."),
    row(
        "workload.jurisdictions",
        ValueKind::Texts,
        "any",
        "Data residency: the region must lie in one of these, such as `EU`.",
    ),
    row(
        "workload.certifications",
        ValueKind::Texts,
        "",
        "What the region must have, all of them, such as `iso27001`.",
    ),
    row(
        "workload.throughput",
        ValueKind::Table,
        "",
        "Relative speed by GPU model; replaces that of the instance type.",
    ),
    row("workload.throughput.*", ValueKind::Positive, "", "Relative speed on this model."),
    row("workload.spread", SPREAD, "none", "How the tasks of a job are spread."),
    row(
        "workload.together",
        TOGETHER,
        "zone",
        "How close together the tasks of a gang stay, on one GPU model: an owned cluster is one zone. \
         `anywhere` mixes GPU models too.",
    ),
];

/// Keys below a table of columns.
pub(in super::super) const COLUMNS: &[KeyRow] = &[
    row(
        "*",
        ValueKind::Column,
        "",
        "A field: the header of its column, or a table with one of `column`, `number`, `constant`.",
    ),
    row("*.column", ValueKind::Text, "", "Header of the column."),
    row("*.number", ValueKind::Count(1, 10_000), "", "Number of the column, from 1."),
    row("*.constant", ValueKind::Text, "", "The same text for every row."),
    row(
        "*.unit",
        ValueKind::Text,
        "seconds, cores, MiB, bytes or text",
        "Unit: ns us ms s min h d timestamp unix_s unix_ms unix_us cores milli bytes kib mib gib gb count text, or `fraction of 64000`.",
    ),
    row("*.scale", ValueKind::Positive, "1", "Numbers are multiplied by this."),
    row(
        "*.none",
        ValueKind::Texts,
        "",
        "Cells that say nothing, besides empty ones, NULL, None, NaN, N/A, Unknown, `\\N` and `-`.",
    ),
];
