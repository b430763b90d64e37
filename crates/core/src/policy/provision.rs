//! Provision part: what is rented, and where. One part per file.

mod budget_greedy;
mod capacity_optimised;
mod capped;
mod carrier;
mod cheapest;
mod committed;
mod demand;
mod diversified;
mod fastest;
mod fleet;
mod greenest;
mod price_capacity_optimised;
mod ranking;
mod reach;
mod round_robin;
mod spot_hedge;
mod weigh;
mod zones;

use super::place::Place;
use super::turn::{Trigger, Turn};
use crate::part::{Part, PartSpec};
use crate::state::{InstanceRef, Share, WaitReason, WorkRef};
use crate::units::{Money, Span, Time};

pub use budget_greedy::BUDGET_GREEDY;
pub use capacity_optimised::CAPACITY_OPTIMISED;
pub use capped::CappedProvision;
pub use carrier::{ON_DEMAND, SAFE_GREEDY, SPOT, TIME_SLICED, UNIFORM_PROGRESS, UP_A, UP_AP, UP_S};
pub use cheapest::CHEAPEST;
pub use committed::COMMITTED;
pub use demand::OnDemand;
pub use diversified::DIVERSIFIED;
pub use fastest::FASTEST;
pub use fleet::{OWNED_ONLY, STATIC, StaticFleet};
pub use greenest::GREENEST;
pub use price_capacity_optimised::PRICE_CAPACITY_OPTIMISED;
pub use reach::Reach;
pub use round_robin::ROUND_ROBIN;
pub use spot_hedge::SPOT_HEDGE;

/// A row of [`PARTS`].
pub type ProvisionPart = Part<Box<dyn Provision>>;
/// A provision part with its settings.
pub type ProvisionSpec = PartSpec<Box<dyn Provision>>;

/// Every provision part.
pub static PARTS: &[&ProvisionPart] = &[
    &OWNED_ONLY,
    &STATIC,
    &CHEAPEST,
    &COMMITTED,
    &FASTEST,
    &GREENEST,
    &ROUND_ROBIN,
    &CAPACITY_OPTIMISED,
    &PRICE_CAPACITY_OPTIMISED,
    &DIVERSIFIED,
    &BUDGET_GREEDY,
    &SPOT_HEDGE,
    &ON_DEMAND,
    &SPOT,
    &SAFE_GREEDY,
    &UNIFORM_PROGRESS,
    &TIME_SLICED,
    &UP_S,
    &UP_A,
    &UP_AP,
];

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
    /// Offers that it may rent: neither the parts beside it nor checks of a scenario know more.
    fn reach(&self) -> Reach;

    /// Wait of work from which on it rents for it, wherever in the queue that stands; `None` if it
    /// rents for no work, or only for the first.
    fn overflow_after(&self) -> Option<Span> {
        None
    }

    /// Whether the part weighs the cost of work before it rents for it.
    fn weighs_price(&self) -> bool {
        false
    }

    /// Whether it knows the instances that it rented one by one, so that one which its provider starts
    /// again is none of them.
    fn follows_instances(&self) -> bool {
        false
    }

    /// Whether all that it rents is kept to the end of the run, whatever the release part says.
    fn keeps_all(&self) -> bool {
        false
    }

    /// Whether `instance`, which is idle, is kept whatever the release part says, until it has
    /// held work again.
    fn keeps(&self, turn: &Turn<'_, '_>, instance: InstanceRef) -> bool {
        let _ = (turn, instance);
        self.keeps_all()
    }

    /// Whether the part places `work`, which waits, itself, in [`Provision::react`]: it is not served
    /// in turn, and no other part places it. Asked when work arrives or waits again; the answer stays
    /// as it is.
    fn carries(&mut self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        let _ = (turn, work);
        false
    }

    /// Whether it asks which allocations are on an instance.
    fn needs_tenants(&self) -> bool {
        false
    }

    /// Why `work` waits, for which nothing could be rented.
    fn lack(&self, turn: &Turn<'_, '_>, work: WorkRef) -> WaitReason {
        let _ = (turn, work);
        WaitReason::NothingToRent
    }

    /// Whether, since it was last asked, launches may be accepted again that were not, though nobody gave
    /// anything back.
    fn may_rent_more(&mut self, turn: &Turn<'_, '_>) -> bool {
        let _ = turn;
        false
    }

    /// Called once, when the run begins.
    fn begin(&mut self, turn: &mut Turn<'_, '_>);

    /// Acts on what has happened, as `triggers` say; asked at each decision before anybody is
    /// served. Instances that it rents here are there for those who wait.
    fn react(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        let _ = (triggers, turn);
    }

    /// Acts when everybody was served who could be; asked at each decision after that, also where
    /// nobody waits, and before the release part. If it makes room, those who wait are served once
    /// more.
    fn review(&mut self, turn: &mut Turn<'_, '_>) {
        let _ = turn;
    }

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

    /// Expected cost of `tasks` tasks of `work` if they are rented for now; `None` if nothing would
    /// be rented.
    fn quote(&mut self, turn: &Turn<'_, '_>, work: WorkRef, tasks: u32) -> Option<Money> {
        let _ = (turn, work, tasks);
        None
    }
}
