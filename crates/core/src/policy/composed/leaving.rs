//! Work whose instance is warned, or is recommended to be left, moved to others while there is time.

use crate::model::Manner;
use crate::policy::migrate::shares_elsewhere;
use crate::policy::place::Place;
use crate::policy::provision::Provision;
use crate::policy::recover::RecoverRule;
use crate::policy::turn::{Trigger, Turn};
use crate::state::{AllocationRef, InstanceRef};
use crate::units::Time;

/// Tasks that are to leave.
#[derive(Clone, Copy, Debug)]
struct Leaver {
    allocation: AllocationRef,
    /// The instance that goes.
    instance: InstanceRef,
    /// Time by which they must have left.
    until: Time,
    manner: Manner,
}

/// Follows what the recover part says of warnings and recommendations.
#[derive(Debug)]
pub(super) struct Leavers {
    on_warning: Option<Manner>,
    on_rebalance: Option<Manner>,
    leaving: Vec<Leaver>,
}

impl Leavers {
    /// `None` where tasks stay to the end.
    pub(super) fn new(rule: &RecoverRule) -> Option<Self> {
        let (on_warning, on_rebalance) = (rule.on_warning, rule.on_rebalance);
        let leaves = on_warning.is_some() || on_rebalance.is_some();
        leaves.then(|| Self { on_warning, on_rebalance, leaving: Vec::new() })
    }

    /// Takes in what has happened, and moves who can be moved. Who cannot is tried again at each
    /// decision until its instance goes. Work that the provision part carries is moved by that.
    pub(super) fn decide(
        &mut self,
        triggers: &[Trigger],
        turn: &mut Turn<'_, '_>,
        place: &mut dyn Place,
        provision: &mut dyn Provision,
    ) {
        for &trigger in triggers {
            match trigger {
                Trigger::Draining(instance) => self.warned(turn, instance, provision),
                Trigger::AtRisk(instance) => self.advised(turn, instance, provision),
                Trigger::Begins
                | Trigger::Arrived(_)
                | Trigger::Eligible(..)
                | Trigger::Freed(_)
                | Trigger::Resumed(_)
                | Trigger::Cancelled(_)
                | Trigger::Ready(_)
                | Trigger::Idle(_)
                | Trigger::Lost(_)
                | Trigger::PricesChanged
                | Trigger::Timer
                | Trigger::Acted => {}
            }
        }
        self.leaving.retain(|leaver| {
            let stays = !turn.has_allocation(leaver.allocation) || leaver.until <= turn.now();
            if !stays {
                leave(leaver, turn, place);
            }
            !stays && goes(turn, leaver.instance)
        });
    }

    fn warned(
        &mut self,
        turn: &Turn<'_, '_>,
        instance: InstanceRef,
        provision: &mut dyn Provision,
    ) {
        // What was recommended holds no longer.
        self.leaving.retain(|leaver| leaver.instance != instance);
        let until = turn.instance(instance).phase.until();
        if let (Some(manner), Some(until)) = (self.on_warning, until) {
            self.join((instance, until, manner), turn, provision);
        }
    }

    fn advised(
        &mut self,
        turn: &Turn<'_, '_>,
        instance: InstanceRef,
        provision: &mut dyn Provision,
    ) {
        let (world, offer) = (turn.world(), turn.instance(instance).offer);
        let notice = world.providers[world.provider_of(offer)].spot.warning();
        if let (Some(manner), Some(risk)) = (self.on_rebalance, turn.at_risk(instance)) {
            self.join((instance, risk.saturating_add(notice), manner), turn, provision);
        }
    }

    fn join(
        &mut self,
        (instance, until, manner): (InstanceRef, Time, Manner),
        turn: &Turn<'_, '_>,
        provision: &mut dyn Provision,
    ) {
        let mut tenants = Vec::new();
        turn.tenants(instance, &mut tenants);
        for allocation in tenants {
            if !provision.carries(turn, turn.allocation(allocation).work()) {
                self.leaving.push(Leaver { allocation, instance, until, manner });
            }
        }
    }
}

/// Whether an instance still is to go.
fn goes(turn: &Turn<'_, '_>, instance: InstanceRef) -> bool {
    turn.has_instance(instance)
        && (turn.instance(instance).phase.until().is_some() || turn.at_risk(instance).is_some())
}

/// Moves tasks that would not be done in time, if there is room for them elsewhere and they are there
/// before their instance goes.
fn leave(leaver: &Leaver, turn: &mut Turn<'_, '_>, place: &mut dyn Place) {
    let (allocation, manner) = (leaver.allocation, leaver.manner);
    if !turn.can_migrate(allocation) || turn.allocation(allocation).estimated_end <= leaver.until {
        return;
    }
    let held = turn.allocation(allocation).held.iter().map(|held| held.share.instance);
    // Who computes on meanwhile holds what it has.
    let is_left = |one: &InstanceRef| match manner {
        Manner::Cold => *one == leaver.instance,
        Manner::Live => true,
    };
    let away: Vec<InstanceRef> =
        held.filter(is_left).filter(|&one| turn.instance(one).phase.takes_work()).collect();
    let Some(found) = shares_elsewhere(place, turn, &[allocation], &away) else { return };
    let shares = &found[0];
    let time = turn.migration_cost(allocation, shares, manner).time();
    if turn.now().saturating_add(time) <= leaver.until {
        turn.migrate(allocation, shares, manner).expect("there was room a moment ago");
    }
}
