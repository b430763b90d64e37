//! Keys of `[observed]`.

use super::super::Kind;
use super::{AT_LEAST_0, Row, row};

pub(super) const ROWS: &[Row] = &[
    row(
        "observed",
        Kind::Table,
        "",
        "What was observed of the real system, for `windtunnel backtest`. No run and no policy sees it.",
    ),
    row("observed.wait_mean", Kind::Span, "", "Wait, mean."),
    row("observed.wait_p50", Kind::Span, "", "Wait, median."),
    row("observed.wait_p95", Kind::Span, "", "Wait, 95th percentile."),
    row("observed.makespan", Kind::Span, "", "From the first submission to the last end."),
    row("observed.queue_length_mean", AT_LEAST_0, "", "Waiting work, mean over time."),
    row(
        "observed.utilisation_cpu",
        Kind::Percent(0, 100),
        "",
        "Allocated share of the running cores.",
    ),
    row(
        "observed.utilisation_gpu",
        Kind::Percent(0, 100),
        "",
        "Allocated share of the running GPUs.",
    ),
    row("observed.core_hours", AT_LEAST_0, "", "Core-hours that work held and did not lose."),
    row("observed.gpu_hours", AT_LEAST_0, "", "The same in GPU-hours."),
    row("observed.instance_hours", AT_LEAST_0, "", "Hours of running instances: node-hours."),
    row("observed.cost_usd", Kind::Dollars, "", "The bill in all."),
    row("observed.provider_cost_usd", Kind::Table, "", "The bill by provider and cluster."),
    row("observed.provider_cost_usd.*", Kind::Dollars, "", "Its name = its bill."),
];
