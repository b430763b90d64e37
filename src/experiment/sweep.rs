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
pub(super) use axis::{pieces, unquoted};
pub use best::{BestPoint, as_good, at_ends, best, best_of_all, goal};
pub use design::{Design, SweepPoint};
pub use effect::{
    AxisEffect, EffectEnd, Interaction, LevelMean, effects, interaction, main_effect,
};
pub use plan::{SweepFailure, SweepPlan, check, repetition, sweep};
pub use table::{CONFIDENCE, MeanEstimate, Sweep, SweepRun, is_number, row_of};
