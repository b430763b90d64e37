//! A small drill, by hand.

use std::path::Path;

use super::{Drill, DrillPlan, drill};
use crate::experiment::Runner;
use crate::scenario::Scenario;
use crate::units::Span;

/// One job of an hour an hour for ten hours, each on a node of its own of a cluster of two; the
/// policy `rents` takes a machine of a cloud where that has none.
pub(crate) const HOURLY: &str = r#"
question = "What breaks?"
horizon = "20 h"
[workload.synthetic]
count = 10
arrivals = { every = "1 h" }
class.a = { runtime = "50 min", vcpus = 8, memory = "1 GiB", deadline = 1.8 }
[cluster.dc1]
nodes = 2
shape = { vcpus = 8, memory = "32 GiB" }
cost = "1 USD/h"
[cloud.aws]
regions = ["us-east-1"]
zones = ["us-east-1a"]
types = ["m5.2xlarge"]
boot = "1 min"
[policy.stays]
preset = "batch-fcfs"
[policy.rents]
extends = "stays"
provision = "cheapest"
[objectives]
deadlines_met = ">= 95 %"
"#;

/// The drill of [`HOURLY`] with losses of six hours.
pub(crate) fn drilled() -> Drill {
    let scenario = Scenario::parse(HOURLY, "hourly.toml", Path::new(""), &[]).expect("a scenario");
    let lasts = Some(Span::from_secs(6 * 3_600));
    let plan = DrillPlan { policies: vec![0, 1], lasts, replications: Some(2) };
    drill(&Runner::default(), &scenario, &plan).expect("it runs")
}
