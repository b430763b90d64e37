//! A fleet that is rented when the run starts; what is taken back is rented anew.

use super::demand::{RETRY, retry};
use super::{Provision, ProvisionPart, Provisioned, Reach};
use crate::model::{Market, Offer};
use crate::part::{Parameter, Part, Setting, SettingKind};
use crate::policy::due::Alarm;
use crate::policy::turn::{Trigger, Turn};
use crate::state::{WaitReason, WorkRef};
use crate::units::{Id, Span, Time};

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

/// Rents these when the run starts, keeps them, and replaces what is taken back.
pub static STATIC: ProvisionPart = Part {
    name: "static",
    doc: "Rents these when the run starts, keeps them, and replaces what is taken back.",
    parameters: &[FLEETS, RETRY],
    make: |settings| {
        let retry = retry(settings);
        Box::new(StaticFleet { retry, ..StaticFleet::new(settings.fleets(FLEETS.name)) })
    },
};

/// Offers by name and how many to rent of each; the empty fleet rents nothing.
#[derive(Debug, Default)]
pub struct StaticFleet {
    groups: Vec<(String, u32)>,
    /// Offers of the groups, once the run has begun.
    offers: Vec<(Id<Offer>, u32)>,
    retry: Span,
    alarm: Alarm,
    /// Time at which what was refused is tried again, if that is to come.
    due: Option<Time>,
}

impl StaticFleet {
    /// A fleet of these offers, by name, and how many of each.
    pub fn new(groups: &[(String, u32)]) -> Self {
        Self { groups: groups.to_vec(), ..Self::default() }
    }

    /// Rents what is missing, as far as quotas and capacity allow; what is refused is on record.
    fn fill(&mut self, turn: &mut Turn<'_, '_>) {
        let mut short = false;
        for &(offer, count) in &self.offers {
            let missing = count.saturating_sub(turn.offer(offer).live);
            short |= (0..missing).any(|_| turn.rent(offer).is_err());
        }
        self.due = self.due.filter(|&at| at > turn.now());
        if short && turn.capacity_may_rise() {
            let at = turn.now().saturating_add(self.retry);
            self.due = Some(self.due.map_or(at, |due| due.min(at)));
            self.alarm.set(turn, at);
        }
    }
}

impl Provision for StaticFleet {
    fn follows_instances(&self) -> bool {
        !self.groups.is_empty()
    }

    fn reach(&self) -> Reach {
        Reach { fleets: self.groups.clone(), ..Reach::default() }
    }

    fn keeps_all(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Rents the fleet. A name that the world does not have, or only as owned, rents nothing.
    fn begin(&mut self, turn: &mut Turn<'_, '_>) {
        let world = turn.world();
        let known = |(name, count): &(String, u32)| {
            let offer = world.offers.find(|offer| offer.name == *name)?;
            (world.offers[offer].market != Market::Owned).then_some((offer, *count))
        };
        self.offers = self.groups.iter().filter_map(known).collect();
        self.fill(turn);
    }

    /// Replaces what was taken back, and tries again what was refused.
    fn react(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        let is_cause = |trigger: &Trigger| match trigger {
            Trigger::Lost(lost) => self.offers.iter().any(|(offer, _)| offer == lost),
            // Other timers are none of its business: what is refused for good is not asked for again.
            Trigger::Timer => self.due.is_some_and(|at| at <= turn.now()),
            Trigger::Begins
            | Trigger::Arrived(_)
            | Trigger::Eligible(..)
            | Trigger::Freed(_)
            | Trigger::Ready(_)
            | Trigger::Idle(_)
            | Trigger::Draining(_)
            | Trigger::AtRisk(_)
            | Trigger::Resumed(_)
            | Trigger::Cancelled(_)
            | Trigger::PricesChanged
            | Trigger::Acted => false,
        };
        if !self.offers.is_empty() && triggers.iter().any(is_cause) {
            self.fill(turn);
        }
    }

    fn supply(&mut self, _turn: &mut Turn<'_, '_>, _work: WorkRef) -> Provisioned {
        Provisioned::None(WaitReason::NoRoom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{Plan, start, world};
    use crate::state::{Effect, LaunchRefusal, Needs};
    use crate::units::Stream;

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

    /// Where capacity never changes, timers of others are no reason to ask again.
    #[test]
    fn what_is_refused_for_good_is_not_asked_for_again() {
        let plan =
            Plan { market: Market::OnDemand, capacity: Some(1), price: "1", ..Plan::default() };
        let world = world(&[plan]);
        let mut state = start(&world, Needs::default());
        let mut fleet = StaticFleet::new(&[("group".to_owned(), 2)]);
        let stream = &mut Stream::new(1, "policy");
        let refused = |state: &mut crate::state::State<'_>| {
            let mut effects = Vec::new();
            state.take_effects(&mut effects);
            let is_refusal = |effect: &&Effect| matches!(effect, Effect::LaunchRefused(..));
            effects.iter().filter(is_refusal).count()
        };
        fleet.begin(&mut Turn::new(&mut state, stream));
        assert_eq!(refused(&mut state), 1);
        state.set_now(Time::from_secs(600));
        fleet.react(&[Trigger::Timer], &mut Turn::new(&mut state, stream));
        assert_eq!(refused(&mut state), 0);
    }
}
