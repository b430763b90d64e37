//! Shift part: when work that may wait starts. One part per file.

mod awaiter;
mod carbon_scaler;
mod draws;
mod price_aware;
mod schedule;
mod signal;
mod sizes;
mod slots;
mod starts;
mod wait_awhile;

use crate::part::{Part, PartSpec};
use crate::state::{State, WorkRef};
use crate::units::{Span, Time};

pub use carbon_scaler::CARBON_SCALER;
pub use price_aware::PRICE_AWARE;
pub use wait_awhile::WAIT_AWHILE;

/// A row of [`PARTS`].
pub type ShiftPart = Part<Option<Box<dyn ShiftRule>>>;
/// A shift part with its settings.
pub type ShiftSpec = PartSpec<Option<Box<dyn ShiftRule>>>;

/// Every shift part.
pub static PARTS: &[&ShiftPart] = &[&NOW, &WAIT_AWHILE, &PRICE_AWARE, &CARBON_SCALER];

/// No work is held.
pub static NOW: ShiftPart = Part {
    name: "now",
    doc: "Work is to start as soon as it arrives.",
    parameters: &[],
    make: |_| None,
};

/// When waiting work is to start, and to pause again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShiftPlan {
    /// Time until which it is held, no earlier than now; its deadline less its estimate is the latest.
    pub start: Time,
    /// Time at which it is to pause, after the start, or is planned anew; `None` if it runs to its end.
    pub pause: Option<Time>,
    /// Number of its tasks with which a gang is to run until then; `None` if that is not planned.
    pub tasks: Option<u32>,
}

/// Says when work that may wait is to start, and with how many tasks.
pub trait ShiftRule: std::fmt::Debug {
    /// Called once, when the run begins.
    fn begin(&mut self, state: &State<'_>);

    /// Plan for `work`, of which by its estimate `rest` on the reference machine is left. Asked when
    /// the work arrives and when it is to pause; it waits, or runs until then. Work whose number of tasks
    /// was planned may wait for a place at its pause.
    fn plan(&mut self, state: &State<'_>, work: WorkRef, rest: Option<Span>) -> ShiftPlan;
}
