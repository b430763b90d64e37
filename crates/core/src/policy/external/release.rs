//! A release part in another process.

use std::collections::BTreeMap;

use super::SharedSession;
use super::message::Question;
use crate::model::Market;
use crate::policy::place::Place;
use crate::policy::provision::Provision;
use crate::policy::release::Release;
use crate::policy::turn::Turn;
use crate::state::{InstanceRef, Phase};
use crate::units::Time;

/// Names instances that go back; asked when one became empty and when it asked
/// to be asked.
#[derive(Debug)]
pub(in crate::policy) struct ExternalRelease {
    session: SharedSession,
    /// Empty rented instances by ordinal.
    idle: BTreeMap<u32, InstanceRef>,
    emptied: Vec<InstanceRef>,
    again: Option<Time>,
}

impl ExternalRelease {
    pub(in crate::policy) fn new(session: SharedSession) -> Self {
        Self { session, idle: BTreeMap::new(), emptied: Vec::new(), again: None }
    }
}

impl Release for ExternalRelease {
    /// Gives back what the answer names.
    fn decide(&mut self, turn: &mut Turn<'_, '_>, _: &mut dyn Provision, _: &mut dyn Place) {
        turn.take_emptied(&mut self.emptied);
        self.idle.retain(|_, &mut instance| is_idle(turn, instance));
        let mut ask = self.again.is_some_and(|again| again <= turn.now());
        for &instance in &self.emptied {
            if is_idle(turn, instance) {
                self.idle.insert(turn.instance(instance).ordinal, instance);
                ask = true;
            }
        }
        if !ask {
            return;
        }
        self.again = None;
        let session = &mut *self.session.borrow_mut();
        let question = Question::Release { idle: self.idle.keys().copied().collect() };
        let Some(answer) = session.ask(turn, &question) else { return };
        for number in answer.release {
            let Some(instance) = self.idle.remove(&number) else {
                let what = format!("gives instance {number} back, which is not idle");
                return session.fail(turn, &what, "name instances of `idle`, each once");
            };
            turn.release(instance).expect("a rented, empty instance can be given back");
        }
        self.again = session.later(turn, answer.wake);
        if let Some(at) = self.again {
            turn.wake(at).expect("a timer can be set for later");
        }
    }
}

/// Whether the instance is rented, ready and empty.
fn is_idle(turn: &Turn<'_, '_>, instance: InstanceRef) -> bool {
    turn.has_instance(instance) && {
        let target = turn.instance(instance);
        target.market != Market::Owned && target.phase == Phase::Running && target.allocations == 0
    }
}
