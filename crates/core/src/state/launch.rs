//! Renting and giving back, within quotas and capacities.

use std::cmp::Reverse;

use super::change::{Effect, Refusal, Undo};
use super::{Exit, InstanceRef, LaunchRefusal, Phase, State};
use crate::metering::Meter;
use crate::model::{Market, Offer, QuotaUnit};
use crate::units::{Id, Shape, Time};

/// Rented instances at once beyond which a policy is taken to be looping.
const MOST_RENTED: u64 = 1_000_000;

impl State<'_> {
    /// Whether the policy has tried to rent more than a million instances at once.
    pub(crate) fn is_overrun(&self) -> bool {
        self.overrun
    }

    /// Whether `count` instances more would be too many at once; if so, the policy has tried.
    pub(crate) fn overruns(&mut self, count: u64) -> bool {
        let rented = (self.instance_count() - self.standing) as u64;
        self.overrun |= rented.saturating_add(count) > MOST_RENTED;
        self.overrun
    }

    /// Requests an instance of `offer`.
    pub(crate) fn rent(&mut self, offer: Id<Offer>) -> Result<InstanceRef, Refusal> {
        if self.world.offers[offer].market == Market::Owned {
            return Err(Refusal::NotForRent);
        }
        // A decision may rent on and on, which nobody can interrupt.
        if self.overruns(1) {
            return Err(Refusal::Launch(LaunchRefusal::Capacity));
        }
        if let Some(why) = self.launch_refusal(offer) {
            self.effects.push(Effect::LaunchRefused(offer, why));
            return Err(Refusal::Launch(why));
        }
        let throttle = self.pass_throttle(offer);
        let instance = self.launch(offer, Phase::Booting);
        self.note_payer(instance);
        self.remember(Undo::Rented(instance, throttle));
        self.room_made += 1;
        self.effects.push(Effect::Rented(instance));
        Ok(instance)
    }

    /// Whether a launch of `offer` would be refused now, and why.
    pub fn launch_refusal(&self, offer: Id<Offer>) -> Option<LaunchRefusal> {
        let whole = self.world.type_of(offer).whole;
        for &row in &self.quotas_of[offer.row()] {
            let quota = &self.world.quotas[row];
            let more = quota_amount(quota.unit, whole);
            if self.quota_used[row] + more > quota.limit {
                return Some(LaunchRefusal::Quota(row));
            }
        }
        let state = &self.offers[offer.row()];
        if state.is_out() || self.has_surge() && self.is_sought(offer) {
            return Some(LaunchRefusal::Outage);
        }
        if state.is_too_dear() {
            return Some(LaunchRefusal::Price);
        }
        if state.is_full() {
            return Some(LaunchRefusal::Capacity);
        }
        if let Some((0, row)) = self.cap_room(offer) {
            return Some(LaunchRefusal::Budget(row));
        }
        (self.throttle_room(offer) == Some(0)).then_some(LaunchRefusal::Throttle)
    }

    /// Number of launches of `offer` that would be accepted now, and what refuses the next;
    /// `u64::MAX` and nothing where there is no limit.
    pub fn launch_room(&self, offer: Id<Offer>) -> (u64, Option<LaunchRefusal>) {
        let whole = self.world.type_of(offer).whole;
        let state = &self.offers[offer.row()];
        if state.is_out() || self.has_surge() && self.is_sought(offer) {
            return (0, Some(LaunchRefusal::Outage));
        }
        if state.is_too_dear() {
            return (0, Some(LaunchRefusal::Price));
        }
        let left = state.capacity_left();
        let mut room =
            left.map_or((u64::MAX, None), |left| (u64::from(left), Some(LaunchRefusal::Capacity)));
        if let Some(let_through) = self.throttle_room(offer)
            && let_through < room.0
        {
            room = (let_through, Some(LaunchRefusal::Throttle));
        }
        if let Some((capped, row)) = self.cap_room(offer)
            && capped < room.0
        {
            room = (capped, Some(LaunchRefusal::Budget(row)));
        }
        for &row in &self.quotas_of[offer.row()] {
            let quota = &self.world.quotas[row];
            let left = quota.limit.saturating_sub(self.quota_used[row]);
            let by_quota = left.checked_div(quota_amount(quota.unit, whole));
            if by_quota.is_some_and(|launches| launches <= room.0) {
                room = (by_quota.unwrap_or(0), Some(LaunchRefusal::Quota(row)));
            }
        }
        room
    }

    pub(super) fn launch(&mut self, offer: Id<Offer>, phase: Phase) -> InstanceRef {
        let shape = self.world.type_of(offer).shape;
        let rate = self.price(offer);
        let state = &mut self.offers[offer.row()];
        let slot = state.free_slots.pop().map_or(state.launches.len() as u32, |Reverse(slot)| slot);
        if slot as usize == state.launches.len() {
            state.launches.push(0);
        }
        let launch = state.launches[slot as usize];
        state.launches[slot as usize] += 1;
        let (reference, instance) = self.fleet.instances.claim();
        state.hold_slot(slot, Some(reference));
        instance.ordinal = self.launched;
        (instance.offer, instance.slot, instance.launch) = (offer, slot, launch);
        (instance.region, instance.market) =
            (self.world.region_of(offer), self.world.offers[offer].market);
        (instance.phase, instance.shape) = (Phase::Gone(Exit::Returned), shape);
        instance.broken_by.clear();
        (instance.broken, instance.allocations) = (0, 0);
        (instance.launched, instance.idle_since, instance.listed) = (self.now, self.now, false);
        instance.devices.clear();
        instance.devices.resize(usize::from(shape.gpus), 0);
        instance.empty();
        instance.kinds.clear();
        instance.awaited_by.clear();
        instance.tenants.clear();
        instance.lists_tenants = state.loses || self.needs.tenants;
        instance.faults = 0;
        instance.slowed_by.clear();
        (instance.waived, instance.at_risk) = (false, None);
        instance.meter = Meter::start(self.now, rate);
        self.launched += 1;
        if let Some(cap) = self.spending.as_deref_mut().and_then(|all| all.cap.as_mut()) {
            cap.launches(reference);
        }
        if phase.is_capacity() && instance.newly_idle() {
            self.emptied.push(reference);
        }
        self.transition(reference, phase);
        reference
    }

    /// Whether some of the work since nothing was alive must not run on `offer`.
    fn is_barred(&self, offer: Id<Offer>) -> bool {
        self.fleet.uniform.rules().iter().any(|rules| !self.rules[rules.row()].allows(offer))
    }

    /// Counts the barred offers that have live instances.
    #[cold]
    pub(super) fn count_barred(&mut self) {
        let live = |offer: &Id<Offer>| self.offers[offer.row()].live > 0;
        let barred = self.world.offers.ids().filter(live).filter(|&offer| self.is_barred(offer));
        self.fleet.uniform.bar(barred.count() as u32);
    }

    pub(super) fn count_live(&mut self, offer: Id<Offer>, sign: i64) {
        let live = &mut self.offers[offer.row()].live;
        *live = live.wrapping_add_signed(sign as i32);
        if *live == u32::from(sign > 0) {
            self.sites.change(offer, sign > 0);
            match (self.live_offers.binary_search(&offer), sign > 0) {
                (Err(at), true) => self.live_offers.insert(at, offer),
                (Ok(at), false) => drop(self.live_offers.remove(at)),
                (Ok(_), true) | (Err(_), false) => unreachable!("the list keeps step"),
            }
            if self.is_barred(offer) {
                self.fleet.uniform.change_barred(sign > 0);
            }
        }
        let whole = self.world.type_of(offer).whole;
        for &row in &self.quotas_of[offer.row()] {
            let amount = quota_amount(self.world.quotas[row].unit, whole) as i64;
            self.quota_used[row] = self.quota_used[row].wrapping_add_signed(sign * amount);
        }
    }

    /// Takes a launch back, as if it had never been.
    pub(super) fn unrent(&mut self, reference: InstanceRef, throttle: Option<Time>) {
        if let Some(full) = throttle {
            let region = self.fleet.instances[reference].region;
            self.set_throttle(region, full);
        }
        self.transition(reference, Phase::Gone(Exit::Returned));
        let instance = &self.fleet.instances[reference];
        let (offer, slot) = (instance.offer, instance.slot);
        self.offers[offer.row()].launches[slot as usize] -= 1;
        self.launched -= 1;
        self.free_slot(offer, slot);
        self.fleet.instances.free(reference);
    }

    pub(super) fn free_slot(&mut self, offer: Id<Offer>, slot: u32) {
        let state = &mut self.offers[offer.row()];
        state.free_slots.push(Reverse(slot));
        state.hold_slot(slot, None);
    }

    /// Gives back an empty rented instance.
    pub(crate) fn release(&mut self, reference: InstanceRef) -> Result<(), Refusal> {
        if !self.fleet.instances.contains(reference)
            || !self.fleet.instances[reference].phase.is_billed()
        {
            return Err(Refusal::InstanceGone);
        }
        let instance = &self.fleet.instances[reference];
        if instance.market == Market::Owned {
            return Err(Refusal::Owned);
        }
        if instance.allocations > 0 {
            return Err(Refusal::NotEmpty);
        }
        let phase = instance.phase;
        self.transition(reference, Phase::Gone(Exit::Returned));
        self.remember(Undo::Released(reference, phase));
        self.effects.push(Effect::Released(reference));
        Ok(())
    }
}

fn quota_amount(unit: QuotaUnit, whole: Shape) -> u64 {
    match unit {
        QuotaUnit::Instances => 1,
        QuotaUnit::Cpu => u64::from(whole.cpu),
        QuotaUnit::Gpus => u64::from(whole.gpus),
    }
}
