//! Keys of `[observed]`.

use super::super::ValueKind;
use super::{AT_LEAST_0, KeyRow, row};

pub(super) const ROWS: &[KeyRow] = &[
    row(
        "observed",
        ValueKind::Table,
        "",
        "What was observed of the real system, for `windtunnel backtest`. No run and no policy sees it.",
    ),
    row("observed.wait_mean", ValueKind::Span, "", "Wait, mean."),
    row("observed.wait_p50", ValueKind::Span, "", "Wait, median."),
    row("observed.wait_p95", ValueKind::Span, "", "Wait, 95th percentile."),
    row("observed.makespan", ValueKind::Span, "", "From the first submission to the last end."),
    row(
        "observed.queue_length_mean",
        AT_LEAST_0,
        "",
        "Work without a place, mean over time: who waits for a boot does not count.",
    ),
    row(
        "observed.utilisation_cpu",
        ValueKind::Percent(0, 100),
        "",
        "Share of the cores of running nodes that work asked for, over time.",
    ),
    row(
        "observed.utilisation_gpu",
        ValueKind::Percent(0, 100),
        "",
        "Share of the GPUs of running nodes that work asked for, over time.",
    ),
    row("observed.core_hours", AT_LEAST_0, "", "Core-hours that work held and did not lose."),
    row("observed.gpu_hours", AT_LEAST_0, "", "The same in GPU-hours."),
    row("observed.instance_hours", AT_LEAST_0, "", "Hours of running instances: node-hours."),
    row("observed.cost_usd", ValueKind::Dollars, "", "The bill in all."),
    row(
        "observed.bill",
        ValueKind::File,
        "",
        "The bill line by line: a table of usage with `billed`, a FOCUS export, or AWS's cost and usage report.",
    ),
    row(
        "observed.bill_from",
        ValueKind::Moment,
        "the beginning of its first line",
        "From when on the bill is whole.",
    ),
    row(
        "observed.bill_until",
        ValueKind::Moment,
        "the end of its last line",
        "Until when the bill is whole.",
    ),
    row("observed.provider_cost_usd", ValueKind::Table, "", "The bill by provider and cluster."),
    row("observed.provider_cost_usd.*", ValueKind::Dollars, "", "Its name = its bill."),
];
