//! Weather: prices that change, what fails, and instances that are lost.

use super::faults::{FaultEvent, FaultMachines};
use super::{Event, Observer, OfferChanges, Simulation};
use crate::model::{Fault, FaultDomain, Market, Offer};
use crate::policy::Trigger;
use crate::state::{
    AllocationRef, Ending, Exit, InstanceRef, Record, RefusalReason, State, WorkRef,
};
use crate::units::stream::fnv1a;
use crate::units::{Id, Stream, Time};

impl<O: Observer> Simulation<'_, '_, O> {
    /// Sets the prices of the beginning, and waits for those to come.
    pub(super) fn begin_prices(&mut self, started: Time) {
        let world = self.state.world();
        self.prices = OfferChanges::after(world, self.options.seed, started);
        for (offer, facts) in world.offers.iter().filter(|(_, facts)| !facts.price.drawn.is_empty())
        {
            self.state.set_drawn_price(offer, self.prices.course(offer).rate(&facts.price));
        }
    }

    /// The price of an offer changes.
    pub(super) fn reprice(&mut self) {
        let world = self.state.world();
        let (offer, rate) = self.prices.pop(world).expect("a price changes now");
        if !world.offers[offer].price.drawn.is_empty() {
            self.state.set_drawn_price(offer, rate);
        }
        self.state.reprice(offer);
        if world.offers[offer].max_price.is_some() {
            self.move_capacity(offer);
            self.expect_capacity();
        }
        if self.state.repriced().len() == 1 {
            self.triggers.push(Trigger::PricesChanged);
        }
    }

    /// An instance is lost, with what runs or waits on it.
    pub(super) fn lose(&mut self, instance: InstanceRef, ending: Ending, exit: Exit) {
        self.stop_tenants(instance, ending);
        self.triggers.push(Trigger::Lost(self.state.instance(instance).offer));
        self.state.lose(instance, exit);
        self.released(instance, exit);
        self.has_lost = true;
    }

    /// Ends all that runs or waits on an instance.
    fn stop_tenants(&mut self, instance: InstanceRef, ending: Ending) {
        self.stop_those(instance, ending, |_, _| true);
    }

    /// Ends those allocations on an instance that are `meant`.
    fn stop_those(
        &mut self,
        instance: InstanceRef,
        ending: Ending,
        meant: impl Fn(&State<'_>, AllocationRef) -> bool,
    ) {
        let mut tenants = std::mem::take(&mut self.tenants);
        self.state.tenants(instance, &mut tenants);
        tenants.retain(|&one| meant(&self.state, one));
        for allocation in tenants.drain(..) {
            if self.state.is_arriving(allocation) {
                self.stay_away(allocation);
                continue;
            }
            self.state.stop(allocation, ending);
            self.conclude_early(allocation, ending);
        }
        self.tenants = tenants;
    }

    /// A part of the world fails, or is there again.
    pub(super) fn fail(&mut self) {
        self.vain += 1;
        let world = self.state.world();
        match self.faults.pop(world).expect("something fails now") {
            FaultEvent::Fails { fault, machines, returns } => {
                self.begin_fault(fault, machines, returns)
            }
            FaultEvent::Returns { fault, machines } => self.end_fault(fault, machines),
        }
    }

    fn begin_fault(&mut self, fault: usize, machines: Option<FaultMachines>, returns: bool) {
        let effect = self.state.world().faults[fault].effect;
        if machines.is_none() {
            self.record(&Record::Outage { fault, begins: true });
        }
        let homes = &self.state.world().faults[fault].loses_data_of;
        if !homes.is_empty() {
            for work in self.state.lose_data(homes) {
                self.cancel(work);
            }
        }
        if effect.refuses_launches() {
            self.outages += u32::from(returns);
            self.refuse_launches(fault, true);
        }
        if effect.stops_machines() {
            let mut hit = self.machines_of(fault, machines);
            for instance in hit.drain(..) {
                self.break_down(instance, fault);
            }
            self.lost = hit;
        }
        if effect.breaks_devices() {
            let mut hit = self.machines_of(fault, machines);
            for instance in hit.drain(..) {
                self.break_devices(instance, (fault, devices_of(machines)));
            }
            self.lost = hit;
        }
        if self.state.world().faults[fault].surge.is_some() {
            self.state.seek(fault, true);
            self.surges += 1;
            self.state.set_launches_return(self.outages + self.surges > 0);
        }
        if effect.slows() {
            if machines.is_none() {
                self.slowing.push(fault);
            }
            self.slow_down((fault, machines), true);
        }
    }

    /// What launches suffered of a fault elsewhere is over.
    pub(super) fn calm(&mut self, fault: usize) {
        self.state.seek(fault, false);
        self.surges -= 1;
        self.state.set_launches_return(self.outages + self.surges > 0);
    }

    /// A fault slows the machines that it strikes, or no longer does.
    fn slow_down(&mut self, (fault, machines): (usize, Option<FaultMachines>), begins: bool) {
        let mut hit = self.machines_of(fault, machines);
        for instance in hit.drain(..) {
            self.change_speed(instance, (fault, devices_of(machines)), begins);
        }
        self.lost = hit;
    }

    /// A fault slows a machine, or no longer does: tasks on it go on at another speed.
    fn change_speed(&mut self, instance: InstanceRef, by: (usize, u32), begins: bool) {
        if !self.state.set_slow(instance, by, begins) {
            return;
        }
        let fault = by.0;
        self.record(&Record::Slowed { instance, fault, begins });
        let mut tenants = std::mem::take(&mut self.tenants);
        self.state.tenants(instance, &mut tenants);
        for allocation in tenants.drain(..) {
            self.change_pace(allocation);
            if let Some((to, at)) = self.state.change_copy(allocation) {
                self.expect_copy(to, at);
            }
        }
        self.tenants = tenants;
    }

    /// Tasks that run go on at the speed that their machines have now, and end accordingly.
    #[cold]
    pub(super) fn change_pace(&mut self, allocation: AllocationRef) {
        let work = self.state.allocation(allocation).work();
        let total = self.totals[work.slot()].unwrap_or(i128::MAX);
        if self.state.change_pace(allocation, total) {
            self.expect_end(allocation, work);
        }
    }

    /// A machine is rented while faults last that slow all that they strike, this one too.
    #[cold]
    pub(super) fn slow_from_birth(&mut self, instance: InstanceRef) {
        for at in 0..self.slowing.len() {
            let fault = self.slowing[at];
            let facts = &self.state.world().faults[fault];
            let target = self.state.instance(instance);
            if facts.concerns(target.offer) && self.strikes(facts, target.offer, target.slot) {
                self.change_speed(instance, (fault, u32::MAX), true);
            }
        }
    }

    /// Whether a fault strikes the machine in a slot of one of its offers, by no part of its own.
    fn strikes(&self, fault: &Fault, offer: Id<Offer>, slot: u32) -> bool {
        match fault.domain {
            FaultDomain::Machines(_) | FaultDomain::Device => false,
            FaultDomain::Slots { first, count } => {
                (first..first.saturating_add(count)).contains(&slot)
            }
            FaultDomain::Share(1_000_000) => true,
            FaultDomain::Share(share) => {
                let name = fnv1a(fault.name.as_bytes());
                let part = [name, self.offer_keys[offer.row()], u64::from(slot)];
                let drawn = Stream::keyed(self.options.seed, "share", &part).below(1_000_000);
                drawn < u64::from(share)
            }
        }
    }

    /// Ends work whose data is lost, with all that runs of it.
    pub(super) fn cancel(&mut self, work: WorkRef) {
        self.triggers.retain(|trigger| match *trigger {
            Trigger::Arrived(other) | Trigger::Eligible(other, _) | Trigger::Resumed(other) => {
                other != work
            }
            Trigger::Begins
            | Trigger::Freed(_)
            | Trigger::Cancelled(_)
            | Trigger::Ready(_)
            | Trigger::Idle(_)
            | Trigger::Draining(_)
            | Trigger::AtRisk(_)
            | Trigger::Lost(_)
            | Trigger::PricesChanged
            | Trigger::Timer
            | Trigger::Acted => true,
        });
        for allocation in self.state.work(work).allocations.clone() {
            self.state.stop(allocation, Ending::Cancelled);
            self.conclude_early(allocation, Ending::Cancelled);
        }
        self.refused(work, RefusalReason::DataLost);
        self.triggers.push(Trigger::Cancelled(work));
    }

    fn end_fault(&mut self, fault: usize, machines: Option<FaultMachines>) {
        let effect = self.state.world().faults[fault].effect;
        if machines.is_none() {
            self.record(&Record::Outage { fault, begins: false });
        }
        if effect.refuses_launches() {
            self.outages -= 1;
            self.refuse_launches(fault, false);
        }
        if effect.stops_machines() {
            let mut hit = self.machines_of(fault, machines);
            for instance in hit.drain(..) {
                if self.state.instance(instance).market == Market::Owned {
                    self.mend(instance);
                }
            }
            self.lost = hit;
        }
        if effect.breaks_devices() {
            let mut hit = self.machines_of(fault, machines);
            for instance in hit.drain(..) {
                if self.state.instance(instance).market == Market::Owned {
                    self.mend_devices(instance, (fault, devices_of(machines)));
                }
            }
            self.lost = hit;
        }
        if let Some(surge) = &self.state.world().faults[fault].surge {
            let event = Event::Calms(fault);
            self.queue.schedule(self.state.now().saturating_add(surge.after), event.class(), event);
        }
        if effect.slows() {
            self.slowing.retain(|&other| machines.is_some() || other != fault);
            self.slow_down((fault, machines), false);
        }
    }

    /// Launches of a fault's offers are refused from now on, or no longer for its sake.
    fn refuse_launches(&mut self, fault: usize, refused: bool) {
        for &offer in &self.state.world().faults[fault].offers {
            self.state.refuse_launches(offer, refused);
        }
        self.state.set_launches_return(self.outages + self.surges > 0);
    }

    /// The live machines that a fault stops, by offer and slot or age. Gives the list for lost
    /// instances away, which the caller brings back.
    fn machines_of(&mut self, fault: usize, only: Option<FaultMachines>) -> Vec<InstanceRef> {
        let mut hit = std::mem::take(&mut self.lost);
        let facts = &self.state.world().faults[fault];
        match (facts.domain, only) {
            (_, Some(FaultMachines { offer, first, slots, devices: _ })) => {
                self.state.held_slots(offer, first, slots, &mut hit);
            }
            (FaultDomain::Machines(_) | FaultDomain::Device, None) => {}
            (FaultDomain::Slots { first, count }, None) => {
                for &offer in &facts.offers {
                    self.state.held_slots(offer, first, count, &mut hit);
                }
            }
            (FaultDomain::Share(_), None) => {
                for &offer in &facts.offers {
                    let is_struck = |&one: &InstanceRef| {
                        self.strikes(facts, offer, self.state.instance(one).slot)
                    };
                    hit.extend(self.state.live_of(offer).filter(is_struck));
                }
            }
        }
        hit
    }

    /// A machine fails: a rented one is lost, an owned one is down.
    fn break_down(&mut self, instance: InstanceRef, fault: usize) {
        if self.state.instance(instance).market != Market::Owned {
            self.record(&Record::Failed { instance, fault });
            self.lose(instance, Ending::Failed, Exit::Failed);
            return;
        }
        if self.state.breaks(instance) > 1 {
            return;
        }
        self.record(&Record::Failed { instance, fault });
        self.stop_tenants(instance, Ending::Failed);
        self.state.put_down(instance);
        self.triggers.push(Trigger::Lost(self.state.instance(instance).offer));
    }

    /// One of the faults of an owned machine is over.
    fn mend(&mut self, instance: InstanceRef) {
        if self.state.mends(instance) == 0 {
            self.state.take_up(instance);
            self.record(&Record::Repaired(instance));
            self.triggers.push(Trigger::Ready(instance));
        }
    }

    /// Devices of a machine break: what holds them stops, and what is beside them goes on.
    fn break_devices(&mut self, instance: InstanceRef, (fault, devices): (usize, u32)) {
        let broken = self.state.working_of(instance, devices);
        if broken != 0 {
            self.record(&Record::Devices { instance, fault, devices: broken, breaks: true });
            self.stop_those(instance, Ending::Failed, |state, one| {
                state.holds_devices(one, instance, broken)
            });
            self.triggers.push(Trigger::Lost(self.state.instance(instance).offer));
        }
        self.state.set_broken(instance, (fault, devices), true);
    }

    /// One of the faults of devices of an owned machine is over.
    fn mend_devices(&mut self, instance: InstanceRef, (fault, devices): (usize, u32)) {
        let devices = self.state.set_broken(instance, (fault, devices), false);
        if devices != 0 {
            self.record(&Record::Devices { instance, fault, devices, breaks: false });
            if self.state.instance(instance).phase.takes_work() {
                self.triggers.push(Trigger::Ready(instance));
            }
        }
    }

    /// Forgets what was to be told of instances that were lost since.
    pub(super) fn forget_lost(&mut self) {
        if !std::mem::take(&mut self.has_lost) {
            return;
        }
        let state = &self.state;
        self.triggers.retain(|trigger| match *trigger {
            Trigger::Ready(instance)
            | Trigger::Idle(instance)
            | Trigger::AtRisk(instance)
            | Trigger::Draining(instance) => state.has_instance(instance),
            Trigger::Begins
            | Trigger::Arrived(_)
            | Trigger::Eligible(..)
            | Trigger::Freed(_)
            | Trigger::Resumed(_)
            | Trigger::Cancelled(_)
            | Trigger::Lost(_)
            | Trigger::PricesChanged
            | Trigger::Timer
            | Trigger::Acted => true,
        });
    }
}

/// Devices of each machine that fails: those of a single one, or all.
fn devices_of(machines: Option<FaultMachines>) -> u32 {
    machines.map_or(u32::MAX, |machines| machines.devices)
}
