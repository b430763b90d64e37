//! Weather: prices and capacity that change, and instances that are lost.

use super::{Event, Observer, OfferChanges, Simulation, put};
use crate::policy::Trigger;
use crate::state::{Ending, Exit, InstanceRef, Record};
use crate::units::{Span, Time};

impl<O: Observer> Simulation<'_, '_, O> {
    /// Sets the capacities of the beginning, and waits for those to come.
    pub(super) fn begin_capacity(&mut self, started: Time) {
        let world = self.state.world();
        self.capacities = OfferChanges::after(world, self.options.seed, started);
        for (offer, facts) in world.offers.iter().filter(|(_, facts)| facts.capacity.moves()) {
            let capacity = self.capacities.course(offer).capacity(&facts.capacity);
            self.state.change_capacity(offer, capacity, &mut self.lost);
        }
        self.lost.clear();
        self.state.set_capacity_to_come(self.capacities.at().is_some());
    }

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
        if self.state.repriced().len() == 1 {
            self.triggers.push(Trigger::PricesChanged);
        }
    }

    /// The capacity of an offer changes. Spot instances for which there is none any more are
    /// warned, those of an offer all at once; who boots still, or is not warned by its provider,
    /// goes now.
    pub(super) fn change_capacity(&mut self) {
        let world = self.state.world();
        let (offer, to) = self.capacities.pop(world).expect("a capacity changes now");
        let mut lost = std::mem::take(&mut self.lost);
        self.state.change_capacity(offer, to, &mut lost);
        self.state.set_capacity_to_come(self.capacities.at().is_some());
        let notice = world.providers[world.provider_of(offer)].notice;
        let until = self.state.now().saturating_add(notice);
        for instance in lost.drain(..) {
            if notice == Span::ZERO || self.state.instance(instance).phase.is_booting() {
                self.lose(instance, Ending::Interrupted, Exit::Reclaimed);
            } else {
                self.warn(instance, until);
            }
        }
        self.lost = lost;
    }

    /// An instance takes no more work, and is lost at `until`.
    fn warn(&mut self, instance: InstanceRef, until: Time) {
        self.state.drain(instance, until);
        self.record(&Record::Draining { instance, until });
        let event = Event::Lost(instance);
        let key = self.queue.schedule(until, event.class(), event);
        put(&mut self.due, instance.slot(), Some(key));
        self.triggers.push(Trigger::Draining(instance));
    }

    /// An instance is lost, with what runs or waits on it.
    pub(super) fn lose(&mut self, instance: InstanceRef, ending: Ending, exit: Exit) {
        let mut tenants = std::mem::take(&mut self.tenants);
        self.state.tenants(instance, &mut tenants);
        for allocation in tenants.drain(..) {
            self.state.stop(allocation, ending);
            self.conclude_early(allocation, ending);
        }
        self.tenants = tenants;
        self.triggers.push(Trigger::Lost(self.state.instance(instance).offer));
        self.state.lose(instance, exit);
        self.released(instance, exit);
        self.has_lost = true;
    }

    /// Forgets what was to be told of instances that were lost since.
    pub(super) fn forget_lost(&mut self) {
        if !std::mem::take(&mut self.has_lost) {
            return;
        }
        let state = &self.state;
        self.triggers.retain(|trigger| match *trigger {
            Trigger::Ready(instance) | Trigger::Idle(instance) | Trigger::Draining(instance) => {
                state.has_instance(instance)
            }
            Trigger::Begins
            | Trigger::Arrived(_)
            | Trigger::Eligible(..)
            | Trigger::Freed(_)
            | Trigger::Lost(_)
            | Trigger::PricesChanged
            | Trigger::Timer
            | Trigger::Acted => true,
        });
    }
}
