//! Spot instances that are taken back: capacity and prices that leave no room for them, and age.

use super::{Event, Observer, OfferChanges, Simulation, put};
use crate::model::{Market, Offer, SpotTerms};
use crate::policy::Trigger;
use crate::state::{Ending, Exit, InstanceRef, Record};
use crate::units::{Id, Span, Time};

impl<O: Observer> Simulation<'_, '_, O> {
    /// Sets the capacities of the beginning, and waits for those to come.
    pub(super) fn begin_capacity(&mut self, started: Time) {
        let world = self.state.world();
        self.capacities = OfferChanges::after(world, self.options.seed, started);
        let moves = |facts: &Offer| facts.capacity.moves() || facts.max_price.is_some();
        for (offer, _) in world.offers.iter().filter(|(_, facts)| moves(facts)) {
            self.move_capacity(offer);
        }
        self.has_max_price = world.offers.rows().iter().any(|facts| facts.max_price.is_some());
        self.expect_capacity();
    }

    /// The capacity of an offer changes.
    pub(super) fn change_capacity(&mut self) {
        let (offer, _) = self.capacities.pop(self.state.world()).expect("a capacity changes now");
        self.move_capacity(offer);
        self.expect_capacity();
    }

    /// Notes whether there may be more capacity one day.
    pub(super) fn expect_capacity(&mut self) {
        let by_price = self.has_max_price && self.prices.at().is_some();
        self.state.set_capacity_to_come(by_price || self.capacities.at().is_some());
    }

    /// Sets the capacity of an offer to what its path and its price leave now. Spot instances for
    /// which there is none any more are taken back, those of an offer all at once.
    pub(super) fn move_capacity(&mut self, offer: Id<Offer>) {
        let facts = &self.state.world().offers[offer];
        let too_dear = facts.max_price.is_some_and(|most| self.state.price(offer) > most);
        self.state.set_too_dear(offer, too_dear);
        let by_path = self.capacities.course(offer).capacity(&facts.capacity);
        let mut lost = std::mem::take(&mut self.lost);
        self.state.change_capacity(offer, if too_dear { Some(0) } else { by_path }, &mut lost);
        for instance in lost.drain(..) {
            self.reclaim(instance);
        }
        self.lost = lost;
    }

    /// Takes an instance back for which there is no capacity: it is warned, or goes now if it boots
    /// still or its provider warns nobody. While it is protected it stays, and is looked at again.
    fn reclaim(&mut self, instance: InstanceRef) {
        let (now, terms) = (self.state.now(), self.terms(instance));
        let target = self.state.instance(instance);
        let safe = target.launched.saturating_add(terms.protected);
        let boots = target.phase.is_booting();
        let notice = if boots { Span::ZERO } else { terms.warning() };
        let warns = notice > Span::ZERO;
        let end = now.saturating_add(notice);
        let recommends = terms.notice > Span::ZERO && !boots;
        if recommends && end >= safe && self.is_recommended_first(instance, terms) {
            return;
        }
        if end < safe {
            // An instance that boots is looked at when it is ready.
            if !boots {
                self.look_at(instance, safe - notice);
            }
        } else if warns {
            self.warn(instance, end);
        } else {
            self.take(instance);
        }
    }

    /// Whether it is recommended to leave an instance rather than that it is warned: it is looked at
    /// again when it would be.
    fn is_recommended_first(&mut self, instance: InstanceRef, terms: SpotTerms) -> bool {
        let Some(lead) = terms.rebalance else { return false };
        let now = self.state.now();
        match self.state.at_risk(instance) {
            Some(until) => until > now,
            None => {
                let until = now.saturating_add(lead);
                self.state.set_at_risk(instance, Some(until));
                self.record(&Record::AtRisk { instance, until });
                self.triggers.push(Trigger::AtRisk(instance));
                self.save_on_notice(instance, until.saturating_add(terms.warning()));
                self.look_at(instance, until);
                true
            }
        }
    }

    /// Looks at an instance again when there is something of its own to see.
    fn look_at(&mut self, instance: InstanceRef, at: Time) {
        let at = self.ages_at(instance).map_or(at, |ages| at.min(ages));
        self.expect(instance, at, Event::Aged(instance));
    }

    /// An instance is ready: what there was no capacity for is taken back once its protection ends,
    /// and what has an age limit is warned before it.
    pub(super) fn begin_to_age(&mut self, instance: InstanceRef) {
        if self.state.instance(instance).market != Market::Spot {
            return;
        }
        if self.state.lacks_capacity(instance) {
            self.reclaim(instance);
        } else if let Some(at) = self.ages_at(instance) {
            self.expect(instance, at, Event::Aged(instance));
        }
    }

    /// An instance is so old that its protection, or its life, ends after the notice.
    pub(super) fn age(&mut self, instance: InstanceRef) {
        self.due[instance.slot()] = None;
        let now = self.state.now();
        if !self.state.lacks_capacity(instance) {
            // What was recommended was a false alarm.
            self.state.set_at_risk(instance, None);
        }
        match self.ages_at(instance) {
            Some(at) if at <= now => {
                let notice = self.terms(instance).notice;
                if notice == Span::ZERO {
                    self.lose(instance, Ending::Interrupted, Exit::Expired);
                } else {
                    self.warn(instance, now.saturating_add(notice));
                }
            }
            Some(_) | None if self.state.lacks_capacity(instance) => self.reclaim(instance),
            Some(at) => self.expect(instance, at, Event::Aged(instance)),
            None => {}
        }
    }

    /// A warned instance goes.
    pub(super) fn take_back(&mut self, instance: InstanceRef) {
        self.due[instance.slot()] = None;
        let launched = self.state.instance(instance).launched;
        let age = self.state.now() - launched;
        let expired = self.terms(instance).longest.is_some_and(|longest| age >= longest);
        match expired {
            true => self.lose(instance, Ending::Interrupted, Exit::Expired),
            false => self.take(instance),
        }
    }

    /// Time at which an instance is warned of its age limit, no earlier than now.
    fn ages_at(&self, instance: InstanceRef) -> Option<Time> {
        let terms = self.terms(instance);
        let launched = self.state.instance(instance).launched;
        let end = launched.saturating_add(terms.longest?);
        Some((end - terms.notice).max(self.state.now()))
    }

    pub(super) fn terms(&self, instance: InstanceRef) -> SpotTerms {
        let world = self.state.world();
        world.providers[world.provider_of(self.state.instance(instance).offer)].spot
    }

    /// An instance takes no more work, and is lost at `until`.
    fn warn(&mut self, instance: InstanceRef, until: Time) {
        self.state.drain(instance, until);
        self.record(&Record::Draining { instance, until });
        self.expect(instance, until, Event::Lost(instance));
        self.triggers.push(Trigger::Draining(instance));
        self.save_on_notice(instance, until);
    }

    /// Tasks on a warned instance write checkpoints, where they are to; the rest of a gang does too.
    fn save_on_notice(&mut self, instance: InstanceRef, until: Time) {
        let mut tenants = std::mem::take(&mut self.tenants);
        self.state.tenants(instance, &mut tenants);
        for allocation in tenants.drain(..) {
            if self.state.is_arriving(allocation) {
                if self.state.instance(instance).phase.until().is_some() {
                    self.stay_away(allocation);
                }
                continue;
            }
            let work = self.state.allocation(allocation).work();
            let Some(checkpoint) = self.state.checkpoint(work) else { continue };
            let total = self.totals[work.slot()].unwrap_or(i128::MAX);
            if self.state.write_on_notice(allocation, checkpoint, total, until) {
                self.expect_end(allocation, work);
            }
        }
        self.tenants = tenants;
    }

    /// Sets the next event of an instance, in place of the one that it had.
    pub(super) fn expect(&mut self, instance: InstanceRef, at: Time, event: Event) {
        let key = self.queue.schedule(at, event.class(), event);
        let slot = instance.slot();
        if let Some(old) = self.due.get_mut(slot).and_then(Option::take) {
            self.queue.cancel(old);
        }
        put(&mut self.due, slot, Some(key));
    }
}
