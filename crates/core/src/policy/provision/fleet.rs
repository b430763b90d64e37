//! A fleet that is rented when the run starts, and never again.

use super::{Provision, ProvisionPart, Provisioned, Reach};
use crate::part::{Parameter, Part, Setting, SettingKind};
use crate::policy::turn::Turn;
use crate::state::{WaitReason, WorkRef};

/// Rents nothing.
pub static OWNED_ONLY: ProvisionPart = Part {
    name: "owned-only",
    doc: "Rents nothing.",
    parameters: &[],
    make: |_| Box::new(StaticFleet::default()),
};

const FLEETS: Parameter = Parameter {
    name: "fleets",
    kind: SettingKind::Fleets,
    default: Setting::Unset("required"),
    doc: "Numbers of instances by offer.",
};

/// Rents these when the run starts and keeps them.
pub static STATIC: ProvisionPart = Part {
    name: "static",
    doc: "Rents these when the run starts and keeps them.",
    parameters: &[FLEETS],
    make: |settings| Box::new(StaticFleet::new(settings.fleets(FLEETS.name))),
};

/// Offers by name and how many to rent of each; the empty fleet rents nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaticFleet {
    groups: Vec<(String, u32)>,
}

impl StaticFleet {
    /// A fleet of these offers, by name, and how many of each.
    pub fn new(groups: &[(String, u32)]) -> Self {
        Self { groups: groups.to_vec() }
    }
}

impl Provision for StaticFleet {
    fn reach(&self) -> Reach {
        Reach { fleets: self.groups.clone(), ..Reach::default() }
    }

    fn keeps_all(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Rents as many as quotas and capacity allow; the refused ones are on
    /// record. A name that the world does not have rents nothing.
    fn begin(&mut self, turn: &mut Turn<'_, '_>) {
        for (name, count) in &self.groups {
            let Some(offer) = turn.world().offers.find(|offer| offer.name == *name) else {
                continue;
            };
            if (0..*count).any(|_| turn.rent(offer).is_err()) {
                continue;
            }
        }
    }

    fn supply(&mut self, _turn: &mut Turn<'_, '_>, _work: WorkRef) -> Provisioned {
        Provisioned::None(WaitReason::NoRoom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Market;
    use crate::state::testing::{Plan, start, world};
    use crate::state::{Effect, LaunchRefusal, Needs};
    use crate::units::{Id, Stream};

    #[test]
    fn rents_up_to_the_capacity_at_the_start() {
        let rented = |name, capacity| Plan {
            name,
            market: Market::OnDemand,
            capacity,
            price: "1",
            ..Plan::default()
        };
        let world = world(&[rented("a", None), rented("b", Some(2)), Plan::default()]);
        let mut state = start(&world, Needs::default());
        let groups = [("a", 3), ("b", 5), ("group", 1), ("nowhere", 1)];
        let groups = groups.map(|(name, count)| (name.to_owned(), count));
        StaticFleet::new(&groups).begin(&mut Turn::new(&mut state, &mut Stream::new(1, "policy")));
        let live = [0, 1, 2].map(|row| state.offer(Id::new(row)).live);
        assert_eq!(live, [3, 2, 0]);
        let mut effects = Vec::new();
        state.take_effects(&mut effects);
        let refused = Effect::LaunchRefused(Id::new(1), LaunchRefusal::Capacity);
        assert_eq!(effects.iter().filter(|&&effect| effect == refused).count(), 1);
    }
}
