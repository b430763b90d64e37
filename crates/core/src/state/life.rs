//! Changes of the live world as time passes: only the simulator calls these, in the order of its
//! events.

use super::{
    AllocationRef, DecisionNote, Effect, Exit, InstanceRef, Phase, Refusal, ResolvedRules, State,
    WorkRef,
};
use smallvec::SmallVec;

use crate::model::{Home, Interner, Offer, Region, Rules, Spread, Together, Work, WorkKind};
use crate::units::{Id, Money, Rate, Span};

impl State<'_> {
    /// The book, for a source to add names to.
    pub(crate) fn book_mut(&mut self) -> &mut Interner {
        &mut self.book
    }

    /// Whether the policy has done anything since `take_effects` was last called.
    #[inline]
    pub(crate) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// Moves the effects of the policy's actions since the last call to `into`.
    pub(crate) fn take_effects(&mut self, into: &mut Vec<Effect>) {
        into.clear();
        std::mem::swap(into, &mut self.effects);
    }

    /// Whether a rented instance became ready or empty since `take_emptied` was last called.
    #[inline]
    pub(crate) fn has_emptied(&self) -> bool {
        !self.emptied.is_empty()
    }

    /// Rented instances that became ready or empty since the last call, and are idle now.
    pub(crate) fn take_emptied(&mut self, into: &mut Vec<InstanceRef>) {
        into.clear();
        for reference in self.emptied.drain(..) {
            if !self.fleet.instances.contains(reference) {
                continue;
            }
            let instance = &mut self.fleet.instances[reference];
            instance.listed = false;
            if instance.phase == Phase::Running && instance.allocations == 0 {
                into.push(reference);
            }
        }
    }

    /// Keeps the policy's reasons from now on.
    pub(crate) fn keep_notes(&mut self) {
        self.notes = Some(Vec::new());
    }

    /// Keeps a reason, if they are kept.
    pub(crate) fn note(&mut self, work: WorkRef, note: DecisionNote) {
        if let Some(notes) = &mut self.notes {
            notes.push((work, note));
        }
    }

    /// The policy cannot go on; the first reason counts.
    pub(crate) fn give_up(&mut self, why: String) {
        self.given_up.get_or_insert(why);
    }

    /// Counts an illegal action.
    pub(crate) fn count_illegal(&mut self, refusal: Refusal) {
        self.illegal.get_or_insert(refusal);
        self.illegal_count += 1;
    }

    /// So many pieces of work wait without a reservation.
    pub(crate) fn count_unreserved(&mut self, waiting: u64) {
        self.unreserved = self.unreserved.max(waiting);
    }

    /// The reasons since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<(WorkRef, DecisionNote)> {
        self.notes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Name of the home of `work` if that is no place of this world; `None` otherwise.
    #[inline(always)]
    pub(crate) fn unknown_home(&mut self, work: &Work) -> Option<&str> {
        work.ask.home.and_then(|home| self.unknown(home))
    }

    /// Name of `home` if it is no place of this world; `None` if it is.
    fn unknown(&mut self, home: Id<Home>) -> Option<&str> {
        while self.homes.len() < self.book.homes().len() {
            let home = &self.book.homes()[Id::new(self.homes.len() as u32)];
            self.homes.push(self.world.find_home(&home.name));
        }
        let known = self.homes[home.row()].is_some();
        (!known).then(|| self.book.homes()[home].name.as_str())
    }

    /// The data of these homes is lost for ever. Returns the work whose data lived there, by its
    /// order.
    pub(crate) fn lose_data(&mut self, homes: &[String]) -> Vec<WorkRef> {
        self.lost_homes.extend_from_slice(homes);
        let works = self.works().map(|(work, _)| work);
        let mut lost: Vec<WorkRef> = works.filter(|&work| self.has_lost_data(work)).collect();
        lost.sort_by_key(|&work| self.works[work].tie());
        lost
    }

    /// Whether the data of `work` is lost.
    #[inline]
    pub(crate) fn has_lost_data(&self, work: WorkRef) -> bool {
        !self.lost_homes.is_empty()
            && self.works[work]
                .ask
                .home
                .is_some_and(|home| self.lost_homes.contains(&self.book.homes()[home].name))
    }

    /// Resolves rules that are new in the book.
    #[inline]
    fn resolve_rules(&mut self) {
        while self.rules.len() < self.book.all_rules().len() {
            let rules = &self.book.all_rules()[Id::new(self.rules.len() as u32)];
            let rules = ResolvedRules::new(self.world, rules);
            let ([least, most], of) = (self.speed_bounds, rules.speed_bounds(WorkKind::Job));
            self.speed_bounds = [least.min(of[0]), most.max(of[1])];
            self.rules.push(rules);
        }
    }

    /// The waiting tasks of `work` may go where these rules allow, from now on. What is placed stays.
    pub(crate) fn set_rules(&mut self, work: WorkRef, rules: &Rules) {
        let rules = self.book.rules(rules);
        self.resolve_rules();
        self.restore_rules(work, rules);
    }

    /// The same, of rules that are known.
    pub(crate) fn restore_rules(&mut self, work: WorkRef, rules: Id<Rules>) {
        self.works[work].ask.rules = rules;
        if self.fleet.uniform.joins(rules) {
            self.count_barred();
        }
    }

    /// New work, whose home is known.
    pub(crate) fn submit(&mut self, work: &Work) -> WorkRef {
        self.resolve_rules();
        self.follow_tenants();
        let (reference, live) = self.works.claim();
        (live.id, live.arrival) = (work.id, work.arrival);
        live.kind = work.body.kind();
        // Not in a tuple, which would copy it twice.
        live.ask = work.ask;
        (live.waiting, live.placed, live.done) = (work.ask.tasks, 0, 0);
        (live.first_start, live.last_offer) = (None, None);
        (live.cost, live.preemptions, live.executed) = (Money::ZERO, 0, Span::ZERO);
        live.allocations.clear();
        // Room for several fractions of devices depends on which ones are taken, and whole
        // instances are no tasks.
        let demand = work.ask.demand;
        let counted = (demand.gpus < 2 || demand.whole_gpus()) && !demand.exclusive;
        if demand.exclusive && self.fleet.whole.is_none() {
            self.fleet.keep_whole();
        }
        let plain = self.rules[work.ask.rules.row()].spread == Spread::None && counted;
        if self.fleet.uniform.joins(work.ask.rules) {
            self.count_barred();
        }
        let together = self.rules[work.ask.rules.row()].together;
        let stays = work.ask.gang && work.ask.tasks > 1 && together != Together::Anywhere;
        if let Some(demand) = self.fleet.uniform.arrives(work.ask.demand, plain, stays) {
            self.fleet.recount(demand);
        }
        self.forget_pause(reference);
        self.forget_wait(reference);
        self.forget_saved_waiting(reference);
        self.set_fewest(reference, work.min_tasks, work.speedup);
        self.totals.waiting += 1;
        if !work.name.is_empty() || self.names.len() > reference.slot() {
            if self.names.len() <= reference.slot() {
                self.names.resize(reference.slot() + 1, SmallVec::new());
            }
            let name = &mut self.names[reference.slot()];
            name.clear();
            name.extend_from_slice(work.name.as_bytes());
        }
        reference
    }

    /// Ends the life of work without allocations.
    #[inline(always)]
    pub(crate) fn forget(&mut self, work: WorkRef) {
        let live = &self.works[work];
        assert!(live.allocations.is_empty(), "work ends after its allocations");
        if live.waiting > 0 {
            self.totals.waiting -= 1;
        }
        self.fleet.uniform.ends();
        self.works.free(work);
    }

    /// An owned instance, running from now on.
    pub(crate) fn add_running(&mut self, offer: Id<Offer>) -> InstanceRef {
        self.standing += 1;
        self.launch(offer, Phase::Running)
    }

    /// An instance has booted. Appends the allocations that can start now.
    pub(crate) fn ready(&mut self, reference: InstanceRef, can_start: &mut Vec<AllocationRef>) {
        self.transition(reference, Phase::Running);
        let instance = &mut self.fleet.instances[reference];
        instance.idle_since = self.now;
        if instance.newly_idle() {
            self.emptied.push(reference);
        }
        let mut awaited_by = std::mem::take(&mut instance.awaited_by);
        for &allocation in &awaited_by {
            let waiting = &mut self.allocations[allocation];
            waiting.not_ready -= 1;
            if waiting.not_ready == 0 {
                can_start.push(allocation);
            }
        }
        awaited_by.clear();
        self.fleet.instances[reference].awaited_by = awaited_by;
    }

    /// The tasks of an allocation start, and begin to pay.
    #[inline(always)]
    pub(crate) fn start(&mut self, allocation: AllocationRef) {
        let now = self.now;
        if self.allocations[allocation].placed != now {
            self.set_estimated_end(allocation);
        }
        let target = &mut self.allocations[allocation];
        target.started = Some(now);
        let work = target.work();
        for held in &mut target.held {
            let instance = &mut self.fleet.instances[held.share.instance];
            held.usage = instance.meter.take(now, held.usage.millionths);
            if let Some(spending) = &mut self.spending {
                let tenant = self.works[work].ask.tenant;
                spending.took((held.share.instance, &instance.meter), tenant, held.usage, now);
            }
        }
        let live = &mut self.works[work];
        live.first_start.get_or_insert(now);
        self.totals.allocated.add_tasks(live.ask.demand, i64::from(target.tasks));
        self.resume(work);
    }

    /// Forgets a closed allocation.
    pub(crate) fn drop_allocation(&mut self, allocation: AllocationRef) {
        self.allocations.free(allocation);
    }

    /// The run ends before the instance does.
    pub(crate) fn retire_at_end(&mut self, reference: InstanceRef) {
        self.transition(reference, Phase::Gone(Exit::RunOver));
    }

    /// Forgets a billed instance; its slot is free again.
    pub(crate) fn drop_instance(&mut self, reference: InstanceRef) {
        let instance = &self.fleet.instances[reference];
        let (offer, slot) = (instance.offer, instance.slot);
        self.free_slot(offer, slot);
        self.fleet.instances.free(reference);
    }

    /// The price of an offer has changed: its live instances cost the new one from now on.
    pub(crate) fn reprice(&mut self, offer: Id<Offer>) {
        self.settle_fleet();
        let (now, rate) = (self.now, self.price(offer));
        let provider = self.world.provider_of(offer).row();
        for &reference in self.offers[offer.row()].instances.values() {
            let instance = &mut self.fleet.instances[reference];
            if instance.waived {
                continue;
            }
            let meter = &mut instance.meter;
            self.totals.rates[provider] += rate.picos() - meter.rate().picos();
            meter.reprice(now, rate);
            if let Some(spending) = &mut self.spending {
                spending.repriced((reference, meter), now);
            }
        }
        self.repriced.push(offer);
        self.price_changes += 1;
    }

    /// The price of an offer whose price is drawn is this from now on.
    pub(crate) fn set_drawn_price(&mut self, offer: Id<Offer>, rate: Rate) {
        self.drawn_prices.resize(self.world.offers.len(), Rate::ZERO);
        self.drawn_prices[offer.row()] = rate;
    }

    /// Changes of prices so far, by which those who keep prices know that theirs are old.
    pub fn price_changes(&self) -> u64 {
        self.price_changes
    }

    /// Offers whose prices changed since the policy was last asked, in order of the changes.
    pub fn repriced(&self) -> &[Id<Offer>] {
        &self.repriced
    }

    /// The policy has been asked about the new prices.
    pub(crate) fn forget_repriced(&mut self) {
        self.repriced.clear();
    }

    /// The region of a home, if the world has it.
    pub fn home_region(&self, home: Id<Home>) -> Option<Id<Region>> {
        self.homes[home.row()]
    }
}
