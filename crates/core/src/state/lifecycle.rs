//! The life of an instance: its phases, and all that is kept by phase.

use super::{InstanceRef, State};
use crate::units::Time;

/// Phase of an instance's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Requested, not ready yet; work may be placed and starts when it is.
    #[default]
    Booting,
    /// Ready for work.
    Running,
    /// Ready, but it takes no more work, and goes then.
    Draining {
        /// Time at which it goes at the latest.
        until: Time,
    },
    /// Broken for a time: it is kept and paid for, and no work runs on it.
    Down,
    /// Its life is over.
    Gone(Exit),
}

/// End of an instance's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The policy gave it back.
    Returned,
    /// The provider took it back, as there is no capacity for it any more.
    Reclaimed,
    /// The provider took it back and keeps it, with tasks that go on when it starts again.
    Stopped,
    /// It reached the age at which its provider ends it.
    Expired,
    /// It failed.
    Failed,
    /// Its launch came to nothing: it was never ready, and costs nothing.
    NotLaunched,
    /// The run ended first.
    RunOver,
}

impl Exit {
    /// Who ended it: the word of reports.
    pub const fn by(self) -> &'static str {
        match self {
            Self::Returned => "policy",
            Self::Reclaimed => "provider",
            Self::Stopped => "stop",
            Self::Expired => "age limit",
            Self::Failed => "failure",
            Self::NotLaunched => "launch",
            Self::RunOver => "run",
        }
    }
}

impl Phase {
    /// Whether the instance is requested and not ready yet.
    pub const fn is_booting(self) -> bool {
        match self {
            Self::Booting => true,
            Self::Running | Self::Draining { .. } | Self::Down | Self::Gone(_) => false,
        }
    }

    /// Whether work may be placed on it.
    pub const fn takes_work(self) -> bool {
        match self {
            Self::Booting | Self::Running => true,
            Self::Draining { .. } | Self::Down | Self::Gone(_) => false,
        }
    }

    /// Whether work can run on it: its resources count as capacity.
    pub const fn is_capacity(self) -> bool {
        match self {
            Self::Running | Self::Draining { .. } => true,
            Self::Booting | Self::Down | Self::Gone(_) => false,
        }
    }

    /// Time at which it goes, if it was warned.
    pub const fn until(self) -> Option<Time> {
        match self {
            Self::Draining { until } => Some(until),
            Self::Booting | Self::Running | Self::Down | Self::Gone(_) => None,
        }
    }

    /// Whether the instance is broken for a time.
    pub const fn is_down(self) -> bool {
        match self {
            Self::Down => true,
            Self::Booting | Self::Running | Self::Draining { .. } | Self::Gone(_) => false,
        }
    }

    /// Whether the instance is paid for, and counts in quotas and the capacity of its offer.
    pub const fn is_billed(self) -> bool {
        match self {
            Self::Booting | Self::Running | Self::Draining { .. } | Self::Down => true,
            Self::Gone(_) => false,
        }
    }
}

impl State<'_> {
    /// Moves an instance into another phase. Its place in the indexes, classes and pool, the
    /// quotas, the totals and its meter follow; nothing else changes them by phase. The
    /// phases may be any two, so that an attempt can take a move back.
    pub(super) fn transition(&mut self, reference: InstanceRef, to: Phase) {
        self.settle_fleet();
        let from = self.fleet.instances[reference].phase;
        if from.takes_work() && !to.takes_work() {
            self.fleet.leave(reference);
            self.list_latest(reference, false);
        }
        self.count_phase(reference, from, -1);
        self.draining += usize::from(to.until().is_some());
        self.draining -= usize::from(from.until().is_some());
        let instance = &mut self.fleet.instances[reference];
        instance.phase = to;
        match (from.is_booting(), to.is_booting()) {
            // All that it has cost so far was boot.
            (true, false) => instance.meter.ready(self.now),
            (false, true) => instance.meter.boots(),
            (true, true) | (false, false) => {}
        }
        if let Some(cap) = self.spending.as_deref_mut().and_then(|all| all.cap.as_mut()) {
            cap.boots(reference, to.is_booting());
        }
        if from.is_billed() != to.is_billed() {
            let (offer, rate) = (instance.offer, instance.meter.rate().picos());
            let ordinal = instance.ordinal;
            let sign = if to.is_billed() { 1 } else { -1 };
            self.totals.rates[self.world.provider_of(offer).row()] += sign * rate;
            self.count_live(offer, sign);
            let live = &mut self.offers[offer.row()].instances;
            match to.is_billed() {
                true => live.insert(ordinal, reference),
                false => live.remove(&ordinal),
            };
        }
        self.count_phase(reference, to, 1);
        if to.takes_work() && !from.takes_work() {
            self.fleet.enter(reference);
            self.list_latest(reference, true);
        } else {
            let ordinal = self.fleet.instances[reference].ordinal;
            self.fleet.touched.add(ordinal, reference);
        }
    }

    /// Counts an instance among those of a phase, or no longer.
    pub(super) fn count_phase(&mut self, reference: InstanceRef, phase: Phase, sign: i64) {
        let totals = &mut self.totals;
        if phase.is_booting() {
            totals.booting = totals.booting.wrapping_add_signed(sign);
        }
        if phase.is_down() {
            totals.down = totals.down.wrapping_add_signed(sign);
        }
        if phase.is_capacity() {
            totals.running = totals.running.wrapping_add_signed(sign);
            let instance = &self.fleet.instances[reference];
            totals.capacity.add(instance.working(), sign);
            totals.broken =
                totals.broken.wrapping_add_signed(sign * i64::from(instance.broken.count_ones()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ask, Market, Quota, QuotaUnit, World};
    use crate::state::testing::{Plan, demand, shape, start, submit, world};
    use crate::state::{IndexBy, Needs, Totals, WorkRef};
    use crate::units::{Id, Rate};

    const PHASES: [Phase; 11] = [
        Phase::Booting,
        Phase::Running,
        Phase::Draining { until: Time::from_secs(900) },
        Phase::Down,
        Phase::Gone(Exit::Returned),
        Phase::Gone(Exit::Reclaimed),
        Phase::Gone(Exit::Stopped),
        Phase::Gone(Exit::Expired),
        Phase::Gone(Exit::Failed),
        Phase::Gone(Exit::NotLaunched),
        Phase::Gone(Exit::RunOver),
    ];

    /// A world with one offer of machines of 4 cores for 3.60 USD an hour, two of which fit into
    /// the quota.
    fn rented() -> World {
        let shape = shape(4_000, 4_096, 0);
        let plan = Plan { shape, market: Market::OnDemand, price: "3.6", ..Plan::default() };
        let mut world = world(&[plan]);
        let offers = world.offers.ids().collect();
        world.quotas =
            vec![Quota { name: "cores".into(), unit: QuotaUnit::Cpu, limit: 8_000, offers }];
        world
    }

    /// Facts that are kept by phase: the totals, live instances, launches that are left, the first
    /// instance with room, and tasks that fit in a scalar pool.
    fn kept(state: &State<'_>, work: WorkRef) -> (Totals, u32, u64, bool, Option<u64>) {
        let offer = Id::new(0);
        let found = state.first_fit(work, 0).is_some();
        let (live, room) = (state.offer(offer).live, state.launch_room(offer).0);
        (state.totals().clone(), live, room, found, state.scalar_room())
    }

    #[test]
    fn every_move_between_phases_keeps_all_that_follows() {
        let world = rented();
        for index in [IndexBy::Age, IndexBy::Least(crate::units::Scalar::Cpu)] {
            for (from, to) in PHASES.iter().flat_map(|from| PHASES.map(|to| (*from, to))) {
                let mut state = start(&world, Needs { index, ..Needs::default() });
                let ask = Ask { demand: demand(1_000, 0, 0, 0), ..Ask::default() };
                let work = submit(&mut state, 0, ask);
                let none = kept(&state, work);
                let instance = state.launch(Id::new(0), Phase::Booting);
                state.transition(instance, from);
                let before = kept(&state, work);
                state.transition(instance, to);
                let (totals, live, room, found, fits) = kept(&state, work);
                let case = format!("{from:?} to {to:?}");
                let billed = u32::from(to.is_billed());
                assert_eq!(totals.booting, u64::from(to == Phase::Booting), "{case}");
                assert_eq!(totals.running, u64::from(to.is_capacity()), "{case}");
                assert_eq!(totals.down, u64::from(to == Phase::Down), "{case}");
                assert_eq!(totals.capacity.cpu, 4_000 * i64::from(to.is_capacity()), "{case}");
                let rate = Rate::parse("3.6").expect("a price").picos();
                assert_eq!(totals.rates, [i64::from(billed) * rate], "{case}");
                assert_eq!((live, room), (billed, u64::from(2 - billed)), "{case}");
                assert_eq!(found, to.takes_work(), "{case}");
                assert_eq!(fits, Some(4 * u64::from(to.takes_work())), "{case}");
                state.transition(instance, from);
                assert_eq!(kept(&state, work), before, "{case} and back");
                state.transition(instance, Phase::Gone(Exit::Returned));
                assert_eq!(kept(&state, work), none, "{case} and gone");
            }
        }
    }
}
