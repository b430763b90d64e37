//! Young's interval, the best to first order.

use super::{ByFailures, CheckpointPart, MTBF, ON_WARNING, writes_on_notice};
use crate::part::Part;

/// A checkpoint every sqrt(2 w M) (Young, 1974).
pub static YOUNG: CheckpointPart = Part {
    name: "young",
    doc: "A checkpoint is written every sqrt(2 w M): w is the time to write it, M the mean time between \
          failures of an instance over the number of instances that the tasks are on.",
    parameters: &[MTBF, ON_WARNING],
    make: |settings| {
        let mtbf = settings.span(MTBF.name);
        let on_notice = writes_on_notice(settings);
        mtbf.map(|mtbf| Box::new(ByFailures { mtbf, best: interval, on_notice }) as _)
    },
};

/// Interval for checkpoints that take `write` where failures are `mtbf` apart.
fn interval(write: f64, mtbf: f64) -> f64 {
    libm::sqrt(2.0 * write * mtbf)
}
