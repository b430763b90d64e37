//! When to give back a rented instance?

use super::due::Due;
use crate::model::Market;
use crate::policy::spec;
use crate::policy::turn::{Trigger, Turn};
use crate::state::{InstanceRef, Phase};
use crate::units::{Span, Time};

/// Gives instances back. It hears of those that become empty; it never looks
/// at all of them.
#[derive(Debug)]
pub(super) struct Release {
    /// None: at the end of the run.
    idle: Option<Due<InstanceRef>>,
    after: Span,
    emptied: Vec<InstanceRef>,
}

impl Release {
    /// The part that `spec` names. A static fleet is kept whatever it says.
    pub(super) fn new(spec: spec::Release, provision: &spec::Provision) -> Self {
        let keeps = matches!(provision, spec::Provision::Static { .. });
        let (idle, after) = match spec {
            spec::Release::Idle { after } if !keeps => (Some(Due::new(after)), after),
            _ => (None, Span::ZERO),
        };
        Self { idle, after, emptied: Vec::new() }
    }

    /// Gives back what has been idle for long enough.
    pub(super) fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        let Some(idle) = &mut self.idle else { return };
        turn.take_emptied(&mut self.emptied);
        for &trigger in triggers {
            if let Trigger::Ready(instance) = trigger
                && turn.has_instance(instance)
            {
                self.emptied.push(instance);
            }
        }
        for &instance in &self.emptied {
            let since = turn.instance(instance).idle_since;
            if !is_idle(turn, since, instance) {
                continue;
            }
            if self.after == Span::ZERO {
                give_back(turn, instance);
            } else {
                idle.push(since, instance);
            }
        }
        while let Some(instance) = idle.next(turn, is_idle) {
            give_back(turn, instance);
        }
    }
}

fn give_back(turn: &mut Turn<'_, '_>, instance: InstanceRef) {
    turn.release(instance).expect("a rented, empty instance can be given back");
}

/// Whether the instance is rented and has been empty ever since.
fn is_idle(turn: &Turn<'_, '_>, since: Time, instance: InstanceRef) -> bool {
    turn.has_instance(instance) && {
        let target = turn.instance(instance);
        let rented = turn.world().offers[target.offer].market != Market::Owned;
        rented
            && target.phase == Phase::Running
            && target.allocations == 0
            && target.idle_since == since
    }
}
