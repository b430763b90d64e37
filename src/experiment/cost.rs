//! The cost that leads: in tables, charts, waterfalls and objectives alike.

/// The metric that costs are compared by. Of setups that do the same work the cost
/// of a month, for a bill depends on how long the last piece of work took; of others
/// the cost of a useful core-hour, or of a useful GPU-hour where no core does
/// anything that counts. Every other cost belongs to the details.
pub const fn leading_cost(same_work: bool, cores: bool) -> &'static str {
    match (same_work, cores) {
        (true, _) => "cost_monthly",
        (false, true) => "cost_per_core_hour",
        (false, false) => "cost_per_gpu_hour",
    }
}
