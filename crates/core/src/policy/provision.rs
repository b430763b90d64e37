//! Provision part: what is rented, and where. One part per file.

mod demand;
mod fleet;
mod ranking;
mod weigh;
mod zones;

use super::place::Place;
use super::spec;
use super::turn::Turn;
use crate::state::{Share, WaitReason, WorkRef};
use crate::units::{Money, Time};

pub use demand::OnDemand;
pub use fleet::StaticFleet;
pub use ranking::is_open;

/// Result of provisioning for work that fits nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provisioned {
    /// Instances were rented and all waiting tasks are on them.
    Rented,
    /// Renting for it is allowed from then on.
    Later(Time),
    /// Tasks still wait. Some of a job that is no gang may have been placed.
    None(WaitReason),
}

/// Whether work may hold these shares.
pub type Allowed<'a> = dyn FnMut(&Turn<'_, '_>, &[Share]) -> bool + 'a;

/// Rents instances.
pub trait Provision: std::fmt::Debug {
    /// The run begins.
    fn begin(&mut self, turn: &mut Turn<'_, '_>);

    /// Rents for the waiting tasks of `work`, which fit nowhere, and places them.
    fn supply(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) -> Provisioned;

    /// Starts a gang that fits only partly on what is there: places that part as `place`
    /// picks and rents the rest, or does nothing, as where what it then holds of what was
    /// there is not `allowed`. Returns whether it started.
    fn complete(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        place: &mut dyn Place,
        allowed: &mut Allowed<'_>,
    ) -> bool {
        let _ = (turn, work, place, allowed);
        false
    }

    /// Expected cost of `tasks` tasks of `work` if they are rented for now; none where nothing
    /// would be rented.
    fn quote(&mut self, turn: &Turn<'_, '_>, work: WorkRef, tasks: u32) -> Option<Money> {
        let _ = (turn, work, tasks);
        None
    }
}

/// The part that `spec` names.
pub fn build(spec: &spec::ProvisionSpec, from: &spec::OfferScope) -> Box<dyn Provision> {
    match spec {
        spec::ProvisionSpec::OwnedOnly => Box::new(StaticFleet::default()),
        spec::ProvisionSpec::Static { fleets } => Box::new(StaticFleet::new(fleets)),
        spec::ProvisionSpec::OnDemand { choice, markets, after_wait, max_instances } => {
            let part = OnDemand::new(*choice, markets, *after_wait, *max_instances);
            Box::new(part.from(from))
        }
    }
}
