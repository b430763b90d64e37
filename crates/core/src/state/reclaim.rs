//! Loss of instances: capacity that falls, notices, and the end of an instance with work on it.

use super::{AllocationRef, Exit, InstanceRef, OfferState, Phase, State};
use crate::model::{FaultEffect, Market, Offer, World};
use crate::units::{Id, Time};

impl OfferState {
    /// States of all offers before anything is rented.
    pub(super) fn all(world: &World) -> Vec<Self> {
        let ends_by_age = |offer: Id<Offer>| {
            world.offers[offer].market == Market::Spot
                && world.providers[world.provider_of(offer)].spot.longest.is_some()
        };
        let offers = world.offers.iter();
        let mut all: Vec<Self> =
            offers.map(|(offer, facts)| Self::new(facts, ends_by_age(offer))).collect();
        for fault in world.faults.iter().filter(|fault| fault.effect != FaultEffect::Launches) {
            fault.offers.iter().for_each(|offer| all[offer.row()].loses = true);
        }
        all
    }

    fn new(offer: &Offer, ends_by_age: bool) -> Self {
        let reclaims = offer.is_taken_back();
        let loses = reclaims || ends_by_age || offer.launch.fails > 0;
        Self { capacity: offer.capacity.first, reclaims, loses, ..Self::default() }
    }

    /// Whether launches are refused because something failed.
    pub(super) const fn is_out(&self) -> bool {
        self.outages > 0
    }

    /// Whether launches are refused because the price is too high.
    pub(super) const fn is_too_dear(&self) -> bool {
        self.too_dear
    }

    /// The lowest slot that nobody holds.
    fn next_slot(&self) -> u32 {
        let fresh = self.launches.len() as u32;
        self.free_slots.peek().map_or(fresh, |slot| slot.0)
    }

    /// Launches for which there is capacity; `None` for no limit.
    pub(super) fn capacity_left(&self) -> Option<u32> {
        let most = self.capacity?;
        // A slot above the capacity is no room, and one that its instance still holds neither.
        let held = if self.reclaims { self.held_below } else { self.live };
        Some(most.saturating_sub(held))
    }

    /// Whether there is no capacity for one more launch.
    pub(super) fn is_full(&self) -> bool {
        match self.capacity {
            None => false,
            Some(most) if self.reclaims => self.next_slot() >= most,
            Some(most) => self.live >= most,
        }
    }

    /// Notes which instance holds a slot, where instances can be lost.
    pub(super) fn hold_slot(&mut self, slot: u32, instance: Option<InstanceRef>) {
        if !self.loses {
            return;
        }
        if self.by_slot.len() <= slot as usize {
            self.by_slot.resize(slot as usize + 1, None);
        }
        self.by_slot[slot as usize] = instance;
        if self.reclaims && self.capacity.is_none_or(|most| slot < most) {
            self.held_below = match instance {
                Some(_) => self.held_below + 1,
                None => self.held_below - 1,
            };
        }
    }

    /// Moves the capacity. The instances of `lost` slots, which lie above it now, are to go.
    fn set_capacity(&mut self, to: Option<u32>) -> std::ops::Range<usize> {
        let all = self.by_slot.len();
        let slots = |most: Option<u32>| most.map_or(all, |most| all.min(most as usize));
        let (before, after) = (slots(self.capacity), slots(to));
        self.capacity = to;
        if !self.reclaims {
            return 0..0;
        }
        let held =
            |range: std::ops::Range<usize>| self.by_slot[range].iter().flatten().count() as u32;
        if after < before {
            self.held_below -= held(after..before);
        } else {
            self.held_below += held(before..after);
        }
        after..before.max(after)
    }
}

impl State<'_> {
    /// The capacity of an offer changes. Appends the live instances that are to go because of it,
    /// by slot: those of a spot offer that lie above it now, unless they go already.
    pub(crate) fn change_capacity(
        &mut self,
        offer: Id<Offer>,
        capacity: Option<u32>,
        lost: &mut Vec<InstanceRef>,
    ) {
        let state = &mut self.offers[offer.row()];
        let slots = state.set_capacity(capacity);
        let here = state.by_slot[slots].iter().flatten().copied();
        lost.extend(here.filter(|&one| self.fleet.instances[one].phase.takes_work()));
    }

    /// The price of an offer is above the highest that is paid, or no longer.
    pub(crate) fn set_too_dear(&mut self, offer: Id<Offer>, too_dear: bool) {
        self.offers[offer.row()].too_dear = too_dear;
    }

    /// Whether there is no capacity any more for an instance that can be taken back.
    pub(crate) fn lacks_capacity(&self, reference: InstanceRef) -> bool {
        let instance = &self.fleet.instances[reference];
        let state = &self.offers[instance.offer.row()];
        state.reclaims && state.capacity.is_some_and(|most| instance.slot >= most)
    }

    /// Time at which an instance is warned if there is no capacity for it then.
    pub fn at_risk(&self, reference: InstanceRef) -> Option<Time> {
        self.fleet.instances[reference].at_risk
    }

    /// It is recommended to leave an instance, or no longer.
    pub(crate) fn set_at_risk(&mut self, reference: InstanceRef, until: Option<Time>) {
        self.fleet.instances[reference].at_risk = until;
    }

    /// An instance takes no more work and goes at `until`.
    pub(crate) fn drain(&mut self, reference: InstanceRef, until: Time) {
        self.transition(reference, Phase::Draining { until });
    }

    /// Whether any instance is warned that it goes.
    pub fn has_draining(&self) -> bool {
        self.draining > 0
    }

    /// Appends the allocations on an instance that can be lost, in order of their work.
    pub(crate) fn tenants(&self, reference: InstanceRef, into: &mut Vec<AllocationRef>) {
        into.extend_from_slice(&self.fleet.instances[reference].tenants);
        let order = |&one: &AllocationRef| {
            let target = &self.allocations[one];
            let work = target.work();
            let place = self.works[work].allocations.iter().position(|&other| other == one);
            (self.works[work].tie(), place)
        };
        into.sort_by_key(order);
        into.dedup();
    }

    /// An instance is lost. All that was on it has been stopped.
    pub(crate) fn lose(&mut self, reference: InstanceRef, exit: Exit) {
        debug_assert_eq!(self.fleet.instances[reference].allocations, 0);
        self.transition(reference, Phase::Gone(exit));
    }

    /// Whether a launch that was refused may be accepted later though nobody gives anything back:
    /// capacities still change, or something is out that is to come back.
    pub fn capacity_may_rise(&self) -> bool {
        self.capacity_to_come || self.launches_return || self.is_throttled()
    }

    /// Says whether launches are refused now that will be accepted again.
    pub(crate) fn set_launches_return(&mut self, returns: bool) {
        self.launches_return = returns;
    }

    /// Launches of an offer are refused from now on, or no longer for this cause.
    pub(crate) fn refuse_launches(&mut self, offer: Id<Offer>, refused: bool) {
        let state = &mut self.offers[offer.row()];
        state.outages = if refused { state.outages + 1 } else { state.outages - 1 };
    }

    /// Appends the live instances in some slots of an offer, by slot.
    pub(crate) fn held_slots(
        &self,
        offer: Id<Offer>,
        first: u32,
        slots: u32,
        into: &mut Vec<InstanceRef>,
    ) {
        let held = self.offers[offer.row()].by_slot.iter();
        into.extend(held.skip(first as usize).take(slots as usize).flatten());
    }

    /// The live instances of an offer, by age.
    pub(crate) fn live_of(&self, offer: Id<Offer>) -> impl Iterator<Item = InstanceRef> + '_ {
        self.offers[offer.row()].instances.values().copied()
    }

    /// One fault more holds an owned machine down. Returns how many do.
    pub(crate) fn breaks(&mut self, reference: InstanceRef) -> u32 {
        let faults = &mut self.fleet.instances[reference].faults;
        *faults += 1;
        *faults
    }

    /// One fault fewer holds an owned machine down. Returns how many still do.
    pub(crate) fn mends(&mut self, reference: InstanceRef) -> u32 {
        let faults = &mut self.fleet.instances[reference].faults;
        *faults -= 1;
        *faults
    }

    /// An owned machine is down: nothing is on it any more.
    pub(crate) fn put_down(&mut self, reference: InstanceRef) {
        debug_assert_eq!(self.fleet.instances[reference].allocations, 0);
        self.transition(reference, Phase::Down);
    }

    /// An owned machine works again.
    pub(crate) fn take_up(&mut self, reference: InstanceRef) {
        self.transition(reference, Phase::Running);
        self.fleet.instances[reference].idle_since = self.now;
        self.room_made += 1;
    }

    /// Says whether capacities still change.
    pub(crate) fn set_capacity_to_come(&mut self, comes: bool) {
        self.capacity_to_come = comes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ask, CapacityPath};
    use crate::state::Ending;
    use crate::state::testing::{Plan, demand, shape, start, submit, world};
    use crate::state::{LaunchRefusal, Needs, Refusal, Share};

    /// A world with one offer whose capacity is 3 and moves.
    fn moving(market: Market) -> crate::model::World {
        let shape = shape(4_000, 4_096, 0);
        let mut world = world(&[Plan { shape, market, price: "1", ..Plan::default() }]);
        let changes = vec![(Time::from_secs(10), Some(1))];
        world.offers[Id::new(0)].capacity = CapacityPath::known(Some(3), changes);
        world
    }

    const OFFER: Id<Offer> = Id::new(0);
    const FULL: Refusal = Refusal::Launch(LaunchRefusal::Capacity);

    #[test]
    fn slots_above_the_capacity_are_lost_and_are_no_room() {
        let world = moving(Market::Spot);
        let mut state = start(&world, Needs::default());
        let rented: Vec<_> = (0..3).map(|_| state.rent(OFFER).expect("there is room")).collect();
        assert_eq!(state.rent(OFFER), Err(FULL));
        let mut lost = Vec::new();
        state.change_capacity(OFFER, Some(1), &mut lost);
        assert_eq!(lost, rented[1..]);
        assert_eq!(state.launch_room(OFFER), (0, Some(LaunchRefusal::Capacity)));
        // The first slot is free: there is room for one, though two others live.
        state.drain(rented[1], Time::from_secs(130));
        state.drain(rented[2], Time::from_secs(130));
        state.release(rented[0]).expect("it is empty");
        state.drop_instance(rented[0]);
        assert_eq!(state.launch_room(OFFER).0, 1);
        let again = state.rent(OFFER).expect("slot 0 is free");
        assert_eq!(state.instance(again).slot, 0);
        assert_eq!(state.rent(OFFER), Err(FULL));
        // Who has been warned is not warned again, and holds its slot until it goes.
        lost.clear();
        state.change_capacity(OFFER, Some(2), &mut lost);
        assert_eq!((lost.len(), state.launch_room(OFFER).0), (0, 0));
        state.lose(rented[1], Exit::Reclaimed);
        state.drop_instance(rented[1]);
        assert_eq!(state.launch_room(OFFER).0, 1);
        state.change_capacity(OFFER, None, &mut lost);
        assert_eq!((lost.len(), state.launch_room(OFFER).0), (0, u64::MAX));
        state.change_capacity(OFFER, Some(0), &mut lost);
        assert_eq!(lost, [again]);
        assert_eq!(state.launch_room(OFFER).0, 0);
    }

    #[test]
    fn launches_are_refused_while_the_price_is_too_high() {
        let world = moving(Market::Spot);
        let mut state = start(&world, Needs::default());
        state.set_too_dear(OFFER, true);
        let why = LaunchRefusal::Price;
        assert_eq!(state.rent(OFFER), Err(Refusal::Launch(why)));
        assert_eq!(state.launch_room(OFFER), (0, Some(why)));
        state.set_too_dear(OFFER, false);
        assert_eq!(state.launch_room(OFFER), (3, Some(LaunchRefusal::Capacity)));
    }

    #[test]
    fn of_other_markets_nothing_is_lost() {
        let world = moving(Market::OnDemand);
        let mut state = start(&world, Needs::default());
        let rented: Vec<_> = (0..3).map(|_| state.rent(OFFER).expect("there is room")).collect();
        let mut lost = Vec::new();
        state.change_capacity(OFFER, Some(1), &mut lost);
        assert_eq!((lost.len(), state.rent(OFFER)), (0, Err(FULL)));
        for instance in &rented[..2] {
            state.release(*instance).expect("it is empty");
            state.drop_instance(*instance);
            let room = u64::from(*instance == rented[1]) - u64::from(*instance == rented[1]);
            assert_eq!(state.launch_room(OFFER).0, room);
        }
        state.release(rented[2]).expect("it is empty");
        assert_eq!(state.launch_room(OFFER).0, 1);
    }

    #[test]
    fn an_attempt_that_is_rolled_back_leaves_slots_and_tenants() {
        let world = moving(Market::Spot);
        let mut state = start(&world, Needs::default());
        let kept = state.rent(OFFER).expect("there is room");
        let work = submit(&mut state, 0, Ask { demand: demand(1, 0, 0, 0), ..Ask::default() });
        let attempt = state.begin();
        state.rent(OFFER).expect("there is room");
        state.place(work, Share { instance: kept, tasks: 1, devices: 0 }).expect("it fits");
        assert_eq!(state.launch_room(OFFER).0, 1);
        state.roll_back(attempt);
        assert_eq!(state.launch_room(OFFER).0, 2);
        let mut tenants = Vec::new();
        state.tenants(kept, &mut tenants);
        assert!(tenants.is_empty());
        state.place(work, Share { instance: kept, tasks: 1, devices: 0 }).expect("it fits");
        state.tenants(kept, &mut tenants);
        assert_eq!(tenants, state.work(work).allocations.as_slice());
        let attempt = state.begin();
        state.end(tenants[0], Ending::Preempted);
        state.roll_back(attempt);
        tenants.clear();
        state.tenants(kept, &mut tenants);
        assert_eq!(tenants.len(), 1);
    }
}
