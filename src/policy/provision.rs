//! Rent what, and where?

use super::spec;
use super::turn::Turn;
use crate::state::{WaitReason, WorkRef};
use crate::units::Time;

/// What was done for work that fits nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// Instances were rented and all waiting tasks are on them.
    Rented,
    /// Renting for it is allowed from then on.
    Later(Time),
    /// Nothing was rented.
    None(WaitReason),
}

/// Rents instances.
pub trait Provision: std::fmt::Debug {
    /// The run begins.
    fn begin(&mut self, turn: &mut Turn<'_, '_>);

    /// Rents for the waiting tasks of `work`, which fit nowhere, and places them.
    fn supply(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) -> Supply;
}

/// The part that `spec` names.
pub fn build(_spec: &spec::Provision) -> Box<dyn Provision> {
    Box::new(OwnedOnly)
}

/// Rents nothing.
#[derive(Debug)]
pub struct OwnedOnly;

impl Provision for OwnedOnly {
    fn begin(&mut self, _turn: &mut Turn<'_, '_>) {}

    fn supply(&mut self, _turn: &mut Turn<'_, '_>, _work: WorkRef) -> Supply {
        Supply::None(WaitReason::NoRoom)
    }
}
