//! The order F1.

use super::{Order, OrderPart, ascending_real, estimate, processors};
use crate::part::Part;
use crate::state::LiveWork;
use crate::units::Time;

/// Smallest log10(estimate) x processors + 870 log10(submit time) first.
pub static F1: OrderPart = Part {
    name: "f1",
    doc: "Smallest log10(estimate) x processors + 870 log10(submit) first (Carastan-Santos and de \
          Camargo, 2017).",
    parameters: &[],
    make: |_| Box::new(LogSum),
};

#[derive(Clone, Copy, Debug)]
struct LogSum;

impl Order for LogSum {
    fn score(&self, work: &LiveWork, _now: Time) -> u128 {
        ascending_real(f1(work))
    }
}

/// log10(estimate) x processors + 870 log10(submit time) (Carastan-Santos and
/// de Camargo, SC 2017). Both times are at least 0.1 s; the submit time is the
/// arrival on the run's clock.
fn f1(work: &LiveWork) -> f64 {
    let submit = work.arrival.secs_f64().max(0.1);
    libm::log10(estimate(work).max(0.1)) * processors(work) + 870.0 * libm::log10(submit)
}
