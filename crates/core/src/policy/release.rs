//! Release part: when a rented instance is given back. One part per file.

mod consolidate;
mod idle;

use super::place::Place;
use super::provision::Provision;
use super::turn::Turn;
use crate::part::{Part, PartSpec};

pub use consolidate::{CONSOLIDATE, Consolidation};
pub use idle::{IDLE, IdleRelease};

/// A row of [`PARTS`].
pub type ReleasePart = Part<Option<Box<dyn Release>>>;
/// A release part with its settings.
pub type ReleaseSpec = PartSpec<Option<Box<dyn Release>>>;

/// Every release part.
pub static PARTS: &[&ReleasePart] = &[&NEVER, &IDLE, &CONSOLIDATE];

/// Rented instances are kept to the end of the run.
pub static NEVER: ReleasePart = Part {
    name: "never",
    doc: "Rented instances are kept to the end of the run.",
    parameters: &[],
    make: |_| None,
};

/// Gives instances back.
pub trait Release: std::fmt::Debug {
    /// Gives back what is not needed any more; asked last at each decision. Instances that
    /// `provision` keeps stay. `place` says where tasks would go that move.
    fn decide(
        &mut self,
        turn: &mut Turn<'_, '_>,
        provision: &mut dyn Provision,
        place: &mut dyn Place,
    );

    /// Whether it asks which allocations are on an instance.
    fn needs_tenants(&self) -> bool {
        false
    }
}
