//! A scenario at many points: which settings matter, and which are best.

mod axis;
mod best;
mod design;
mod effect;
mod plan;
mod table;
#[cfg(test)]
pub(crate) mod testing;

pub use axis::{Axis, Level};
pub use best::{Best, best, best_of_all, goal};
pub use design::{Design, Point};
pub use effect::{Effect, End, Interaction, LevelMean, effects, interaction, main_effect};
pub use plan::{Open, Plan, SweepFailure, check, repetition, sweep};
pub use table::{CONFIDENCE, Estimate, Run, Sweep, row_of};
