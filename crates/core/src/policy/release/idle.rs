//! Gives back what has been idle for a time.

use super::{Release, ReleasePart};
use crate::part::{Parameter, Part, Setting, SettingKind};
use crate::policy::due::Due;
use crate::policy::place::Place;
use crate::policy::provision::Provision;
use crate::policy::turn::Turn;
use crate::state::{InstanceRef, Phase};
use crate::units::{Span, Time};

pub(super) const AFTER: Parameter = Parameter {
    name: "after",
    kind: SettingKind::Span,
    default: Setting::Span(Span::ZERO),
    doc: "How long it must have been idle.",
};

/// A rented instance is given back when it has been idle for a time.
pub static IDLE: ReleasePart = Part {
    name: "idle",
    doc: "A rented instance is given back when it has been idle for a time.",
    parameters: &[AFTER],
    make: |settings| {
        Some(Box::new(IdleRelease::new(settings.span(AFTER.name).unwrap_or(Span::ZERO))))
    },
};

/// Gives instances back. It hears of those that become empty; it never looks
/// at all of them.
#[derive(Debug)]
pub struct IdleRelease {
    idle: Due<InstanceRef>,
    after: Span,
    emptied: Vec<InstanceRef>,
}

impl IdleRelease {
    /// Gives back what has been idle for `after`; zero is at once.
    pub fn new(after: Span) -> Self {
        Self { idle: Due::new(after), after, emptied: Vec::new() }
    }
}

impl Release for IdleRelease {
    fn decide(
        &mut self,
        turn: &mut Turn<'_, '_>,
        provision: &mut dyn Provision,
        _: &mut dyn Place,
    ) {
        self.give_back(turn, provision);
    }
}

impl IdleRelease {
    /// Gives back what has been idle for long enough.
    pub(super) fn give_back(&mut self, turn: &mut Turn<'_, '_>, provision: &dyn Provision) {
        if !self.idle.is_empty() || turn.has_emptied() {
            self.decide_on_idle(turn, provision);
        }
    }

    #[inline(never)]
    fn decide_on_idle(&mut self, turn: &mut Turn<'_, '_>, provision: &dyn Provision) {
        turn.take_emptied(&mut self.emptied);
        for &instance in &self.emptied {
            if !turn.has_instance(instance) {
                continue;
            }
            let since = turn.instance(instance).idle_since;
            if !is_idle(turn, since, instance) || provision.keeps(turn, instance) {
                continue;
            }
            if self.after == Span::ZERO {
                give_back(turn, instance);
            } else {
                self.idle.push(since, instance);
            }
        }
        while let Some(instance) = self.idle.next(turn, is_idle) {
            if !provision.keeps(turn, instance) {
                give_back(turn, instance);
            }
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
        target.is_idle() && target.phase == Phase::Running && target.idle_since == since
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ask, Market};
    use crate::policy::provision;
    use crate::state::testing::{Plan, demand, start, submit, world};
    use crate::state::{ClassBy, Effect, Ending, IndexBy, Needs, Share, State};
    use crate::units::{Id, Stream};

    const NEEDS: Needs = Needs {
        index: IndexBy::Age,
        ends: false,
        classes: ClassBy::Nothing,
        latest: false,
        follows: false,
        apart: false,
        tenants: false,
    };

    /// Effects of the part's decision at `secs`.
    fn at(part: &mut IdleRelease, state: &mut State<'_>, secs: i64) -> Vec<Effect> {
        state.set_now(Time::from_secs(secs));
        let provision = provision::OWNED_ONLY.spec().build();
        part.give_back(&mut Turn::new(state, &mut Stream::new(1, "policy")), &*provision);
        let mut effects = Vec::new();
        state.take_effects(&mut effects);
        effects
    }

    #[test]
    fn instances_go_back_when_they_have_been_idle() {
        let world = world(&[Plan { market: Market::OnDemand, ..Plan::default() }]);
        let mut state = start(&world, NEEDS);
        let mut part = IdleRelease::new(Span::from_secs(5));
        let instance = state.rent(Id::new(0)).expect("it can be rented");
        assert_eq!(at(&mut part, &mut state, 1), [Effect::Rented(instance)]);
        state.ready(instance, &mut Vec::new());
        let wake = |secs| Effect::Wake(Time::from_secs(secs));
        assert_eq!(at(&mut part, &mut state, 1), [wake(6)]);
        // Work from 3 to 4: five seconds count from 4, not from 1.
        state.set_now(Time::from_secs(3));
        let work = submit(&mut state, 0, Ask { demand: demand(1, 1, 0, 0), ..Ask::default() });
        let opened = state.open(work);
        state.add(opened, Share { instance, tasks: 1, devices: 0 }).expect("it fits");
        state.commit(opened).expect("it is whole");
        state.set_now(Time::from_secs(4));
        state.stop(opened, Ending::Done);
        state.close(opened, &mut Vec::new());
        at(&mut part, &mut state, 4);
        assert_eq!(at(&mut part, &mut state, 6), [wake(9)]);
        assert_eq!(at(&mut part, &mut state, 9), [Effect::Released(instance)]);
    }

    #[test]
    fn zero_is_at_once_and_owned_is_never() {
        let plan = |market| Plan { market, running: 1, ..Plan::default() };
        let world = world(&[plan(Market::OnDemand), plan(Market::Owned)]);
        let mut state = start(&world, NEEDS);
        let both: Vec<InstanceRef> = state.instances().map(|(instance, _)| instance).collect();
        assert_eq!(
            at(&mut IdleRelease::new(Span::ZERO), &mut state, 0),
            [Effect::Released(both[0])]
        );
    }
}
