//! A fleet on spot over zones, with more instances than are needed, and on demand where spot is short.

use super::demand::{RETRY, retry};
use super::{Provision, ProvisionPart, Provisioned, Reach};
use crate::model::{Market, Offer, Zone};
use crate::part::{Parameter, Part, PartSettings, Setting, SettingKind};
use crate::policy::due::Alarm;
use crate::policy::scope::{FAMILIES, OfferScope, PROVIDERS, REGIONS, TYPES};
use crate::policy::turn::{Trigger, Turn};
use crate::state::{InstanceRef, Phase, WaitReason, WorkRef};
use crate::units::{Id, Span, Time};

const INSTANCES: Parameter = Parameter {
    name: "instances",
    kind: SettingKind::Count(1, 1_000_000),
    default: Setting::Count(1),
    doc: "Instances that are needed at all times.",
};

const EXTRA: Parameter = Parameter {
    name: "extra",
    kind: SettingKind::Count(0, 1_000_000),
    default: Setting::Count(1),
    doc: "Spot instances beyond these, for when some are lost.",
};

const BASE: Parameter = Parameter {
    name: "base",
    kind: SettingKind::Count(0, 1_000_000),
    default: Setting::Count(0),
    doc: "Of the instances that are needed, so many are on demand at all times, all of them where it is as many or more.",
};

/// Holds a fleet on spot over zones, and on demand in place of spot that is not ready.
pub static SPOT_HEDGE: ProvisionPart = Part {
    name: "spot-hedge",
    doc: "Holds a fleet of spot instances over zones, some more than are needed, avoids zones that lost some of late, and holds as many on demand as spot lacks (SpotHedge of SkyServe, EuroSys 2025).",
    parameters: &[INSTANCES, EXTRA, BASE, RETRY, PROVIDERS, REGIONS, TYPES, FAMILIES],
    make: |settings| Box::new(SpotHedge::new(settings)),
};

/// A zone with its spot offers in scope.
#[derive(Debug)]
struct HedgedZone {
    zone: Id<Zone>,
    offers: Vec<Id<Offer>>,
    /// Whether spot was lost or refused there since one was ready.
    is_lost: bool,
    /// Spot instances that boot or run there.
    live: u32,
}

/// A spot instance of the fleet.
#[derive(Clone, Copy, Debug)]
struct HeldSpot {
    instance: InstanceRef,
    zone: usize,
    /// Whether it was seen to be warned.
    is_warned: bool,
}

#[derive(Debug)]
struct SpotHedge {
    needed: u32,
    extra: u32,
    base: u32,
    reach: Reach,
    retry: Span,
    zones: Vec<HedgedZone>,
    on_demand: Vec<Id<Offer>>,
    spot: Vec<HeldSpot>,
    /// Instances on demand, in order of launch.
    fallback: Vec<InstanceRef>,
    alarm: Alarm,
    /// Time at which what was refused is tried again, if that is to come.
    due: Option<Time>,
}

impl SpotHedge {
    fn new(settings: &PartSettings) -> Self {
        let count = |one: &Parameter| settings.count(one.name).unwrap_or(0) as u32;
        let (needed, extra) = (count(&INSTANCES), count(&EXTRA));
        Self {
            needed,
            extra,
            base: count(&BASE).min(needed),
            reach: Reach {
                pool: Some((OfferScope::new(settings), needed + extra)),
                ..Reach::default()
            },
            retry: retry(settings),
            zones: Vec::new(),
            on_demand: Vec::new(),
            spot: Vec::new(),
            fallback: Vec::new(),
            alarm: Alarm::default(),
            due: None,
        }
    }

    /// Spot instances that are wanted.
    fn wanted(&self) -> u32 {
        self.needed - self.base + self.extra
    }

    /// Rents what is missing and gives back what is not needed any more.
    fn adjust(&mut self, turn: &mut Turn<'_, '_>) {
        let ready = self.look(turn);
        self.due = self.due.filter(|&at| at > turn.now());
        let short = self.rent_spot(turn);
        // As many on demand as spot is not ready, and never more than are needed.
        let lacking = self.wanted().saturating_sub(ready);
        let wanted = (self.base + lacking).min(self.needed) as usize;
        let refused = self.fallback.len() < wanted && !self.fall_back(turn, wanted);
        self.give_back(turn, wanted);
        if (short || refused) && turn.capacity_may_rise() {
            let at = turn.now().saturating_add(self.retry);
            self.due = Some(self.due.map_or(at, |due| due.min(at)));
            self.alarm.set(turn, at);
        }
    }

    /// Counts what is there, and marks zones by what became of their instances; how many spot instances
    /// are ready.
    fn look(&mut self, turn: &Turn<'_, '_>) -> u32 {
        let (zones, mut ready) = (&mut self.zones, 0);
        zones.iter_mut().for_each(|zone| zone.live = 0);
        self.spot.retain_mut(|held| {
            let zone = &mut zones[held.zone];
            let phase =
                turn.has_instance(held.instance).then(|| turn.instance(held.instance).phase);
            match phase {
                Some(Phase::Booting) => zone.live += 1,
                Some(Phase::Running) => {
                    zone.live += 1;
                    ready += 1;
                }
                Some(Phase::Draining { .. }) => {
                    zone.is_lost |= !held.is_warned;
                    held.is_warned = true;
                }
                Some(Phase::Down | Phase::Gone(_)) | None => {
                    zone.is_lost |= !held.is_warned;
                    return false;
                }
            }
            true
        });
        self.fallback.retain(|&one| turn.has_instance(one) && turn.instance(one).phase.is_billed());
        ready
    }

    /// Rents spot instances until as many live as are wanted; whether some are missing.
    fn rent_spot(&mut self, turn: &mut Turn<'_, '_>) -> bool {
        let live: u32 = self.zones.iter().map(|zone| zone.live).sum();
        let mut tried = vec![false; self.zones.len()];
        for _ in live..self.wanted() {
            loop {
                let Some(at) = self.next_zone(turn, &tried) else { return true };
                if let Some(instance) = rent_cheapest(turn, &self.zones[at].offers) {
                    self.zones[at].live += 1;
                    self.spot.push(HeldSpot { instance, zone: at, is_warned: false });
                    break;
                }
                tried[at] = true;
                self.zones[at].is_lost = true;
            }
        }
        false
    }

    /// The zone where the next spot instance is tried: of those that did not lose any of late the
    /// cheapest without one, or else the cheapest. Where fewer than two are left, what was lost is
    /// forgotten. Those that were `tried` at this moment are left out.
    fn next_zone(&mut self, turn: &Turn<'_, '_>, tried: &[bool]) -> Option<usize> {
        if self.zones.iter().filter(|zone| !zone.is_lost).count() < 2 {
            self.zones.iter_mut().for_each(|zone| zone.is_lost = false);
        }
        let price = |zone: &HedgedZone| zone.offers.iter().map(|&offer| turn.price(offer)).min();
        let open = self.zones.iter().enumerate().filter(|(row, _)| !tried[*row]);
        let best =
            open.min_by_key(|(_, zone)| (zone.is_lost, zone.live > 0, price(zone), zone.zone));
        best.map(|(row, _)| row)
    }

    /// Rents on demand until so many live; whether that could be done.
    fn fall_back(&mut self, turn: &mut Turn<'_, '_>, wanted: usize) -> bool {
        while self.fallback.len() < wanted {
            let Some(instance) = rent_cheapest(turn, &self.on_demand) else { return false };
            self.fallback.push(instance);
        }
        true
    }

    /// Gives back instances on demand beyond `wanted`, the latest first, as far as they hold no work.
    fn give_back(&mut self, turn: &mut Turn<'_, '_>, wanted: usize) {
        for at in (0..self.fallback.len()).rev() {
            if self.fallback.len() <= wanted {
                break;
            }
            let instance = self.fallback[at];
            if turn.instance(instance).is_idle() {
                turn.release(instance).expect("a rented, empty instance can be given back");
                self.fallback.remove(at);
            }
        }
    }
}

/// Rents an instance of the cheapest of these offers that is not refused.
fn rent_cheapest(turn: &mut Turn<'_, '_>, offers: &[Id<Offer>]) -> Option<InstanceRef> {
    let open = offers.iter().filter(|&&offer| turn.launch_refusal(offer).is_none());
    match open.min_by_key(|&&offer| (turn.price(offer), offer)) {
        Some(&offer) => turn.rent(offer).ok(),
        // Somebody refuses, and that is on record.
        None => offers.first().and_then(|&offer| turn.rent(offer).ok()),
    }
}

impl Provision for SpotHedge {
    fn follows_instances(&self) -> bool {
        true
    }

    fn reach(&self) -> Reach {
        self.reach.clone()
    }

    fn keeps_all(&self) -> bool {
        true
    }

    fn begin(&mut self, turn: &mut Turn<'_, '_>) {
        let world = turn.world();
        // Machines without cores serve nobody.
        let serves = |&(offer, _): &(Id<Offer>, &Offer)| {
            self.reach.fleet(world, offer) > 0 && world.type_of(offer).shape.cpu > 0
        };
        for (offer, facts) in world.offers.iter().filter(serves) {
            if facts.market == Market::OnDemand {
                self.on_demand.push(offer);
                continue;
            }
            let known = self.zones.iter().position(|one| one.zone == facts.zone);
            let row = known.unwrap_or_else(|| {
                let zone =
                    HedgedZone { zone: facts.zone, offers: Vec::new(), is_lost: false, live: 0 };
                self.zones.push(zone);
                self.zones.len() - 1
            });
            self.zones[row].offers.push(offer);
        }
        self.adjust(turn);
    }

    /// Acts when an instance is ready, warned, lost or idle, and tries again what was refused.
    fn react(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        let is_cause = |trigger: &Trigger| match trigger {
            Trigger::Ready(_) | Trigger::Draining(_) | Trigger::Lost(_) => true,
            Trigger::AtRisk(_) => false,
            Trigger::Idle(_) => self.fallback.len() > self.base as usize,
            Trigger::Timer => self.due.is_some_and(|at| at <= turn.now()),
            Trigger::Begins
            | Trigger::Arrived(_)
            | Trigger::Eligible(..)
            | Trigger::Freed(_)
            | Trigger::Cancelled(_)
            | Trigger::Resumed(_)
            | Trigger::PricesChanged
            | Trigger::Acted => false,
        };
        for trigger in triggers {
            if let Trigger::Ready(instance) = *trigger
                && turn.has_instance(instance)
                && turn.instance(instance).market == Market::Spot
            {
                let zone = turn.world().offers[turn.instance(instance).offer].zone;
                let ready = self.zones.iter_mut().filter(|one| one.zone == zone);
                ready.for_each(|one| one.is_lost = false);
            }
        }
        if triggers.iter().any(is_cause) {
            self.adjust(turn);
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
    use crate::state::{Exit, Needs, State};
    use crate::units::Stream;

    /// Zones `a`, `b`, `c` with spot at 1, 2 and 3 dollars and at most two instances each, and on demand at 9.
    fn plans() -> [Plan; 4] {
        let spot = |name, zone, price| Plan {
            name,
            zone,
            market: Market::Spot,
            price,
            capacity: Some(2),
            ..Plan::default()
        };
        let on_demand =
            Plan { name: "od", market: Market::OnDemand, price: "9", ..Plan::default() };
        [spot("a", "dc-a", "1"), spot("b", "dc-b", "2"), spot("c", "dc-c", "3"), on_demand]
    }

    /// Live instances of the four offers.
    fn live(state: &State<'_>) -> [u32; 4] {
        [0, 1, 2, 3].map(|row| state.offer(Id::new(row)).live)
    }

    fn react(part: &mut SpotHedge, state: &mut State<'_>, triggers: &[Trigger]) -> [u32; 4] {
        part.react(triggers, &mut Turn::new(state, &mut Stream::new(1, "policy")));
        live(state)
    }

    fn hedge(instances: u64, extra: u64, base: u64) -> SpotHedge {
        let spec = SPOT_HEDGE.spec();
        let numbers = [("instances", instances), ("extra", extra), ("base", base)];
        let set = |spec: PartSettings, (name, count)| {
            let mut spec = spec;
            spec.set(name, Setting::Count(count));
            spec
        };
        SpotHedge::new(&numbers.into_iter().fold(spec.settings, set))
    }

    fn of(state: &State<'_>, row: u32) -> Vec<InstanceRef> {
        let all = state.instances().filter(|(_, one)| one.offer == Id::new(row));
        all.map(|(instance, _)| instance).collect()
    }

    /// Two needed and one extra: one in each zone, and two on demand until they are ready. What is
    /// lost in `a` is rented in `b`, the cheapest zone that lost none, and on demand stands in.
    #[test]
    fn spot_is_spread_and_on_demand_stands_in() {
        let world = world(&plans());
        let mut state = start(&world, Needs::default());
        let mut part = hedge(2, 1, 0);
        part.begin(&mut Turn::new(&mut state, &mut Stream::new(1, "policy")));
        assert_eq!(live(&state), [1, 1, 1, 2]);
        // Of three wanted one is ready: two on demand; then two: one; then all: none.
        for (row, on_demand) in [(0, 2), (1, 1), (2, 0)] {
            let instance = of(&state, row)[0];
            state.ready(instance, &mut Vec::new());
            let after = react(&mut part, &mut state, &[Trigger::Ready(instance)]);
            assert_eq!(after, [1, 1, 1, on_demand]);
        }
        // Warned in `a`: it lives on until it goes, and does not count.
        let warned = of(&state, 0)[0];
        state.drain(warned, Time::from_secs(120));
        let after = react(&mut part, &mut state, &[Trigger::Draining(warned)]);
        assert_eq!(after, [1, 2, 1, 1]);
        state.lose(warned, Exit::Reclaimed);
        assert_eq!(react(&mut part, &mut state, &[Trigger::Lost(Id::new(0))]), [0, 2, 1, 1]);
        // The one that comes in its place ends the need for on demand.
        let fresh = of(&state, 1)[1];
        state.ready(fresh, &mut Vec::new());
        assert_eq!(react(&mut part, &mut state, &[Trigger::Ready(fresh)]), [0, 2, 1, 0]);
        // Lost in `b` too: fewer than two zones are left, so `a` and `b` are tried again.
        for lost in of(&state, 1) {
            state.lose(lost, Exit::Reclaimed);
        }
        assert_eq!(react(&mut part, &mut state, &[Trigger::Lost(Id::new(1))]), [1, 1, 1, 2]);
    }

    /// One of three is always on demand. Six spot instances are all that there are of seven that are
    /// wanted, so that one more stays on demand.
    #[test]
    fn a_base_stays_and_so_does_what_stands_in() {
        let world = world(&plans());
        let mut state = start(&world, Needs::default());
        let mut part = hedge(3, 5, 1);
        part.begin(&mut Turn::new(&mut state, &mut Stream::new(1, "policy")));
        assert_eq!(live(&state), [2, 2, 2, 3]);
        let spot: Vec<InstanceRef> = (0..3).flat_map(|row| of(&state, row)).collect();
        for &instance in &spot {
            state.ready(instance, &mut Vec::new());
        }
        // One of seven is not there: one on demand beside the base.
        let ready: Vec<Trigger> = spot.iter().map(|&one| Trigger::Ready(one)).collect();
        assert_eq!(react(&mut part, &mut state, &ready), [2, 2, 2, 2]);
        assert!(part.due.is_none(), "capacity never changes");
        assert_eq!(react(&mut part, &mut state, &[Trigger::Timer]), [2, 2, 2, 2]);
    }
}
