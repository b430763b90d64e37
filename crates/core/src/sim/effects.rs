//! Consequences of a policy's actions.

use super::{Event, Observer, Simulation};
use crate::model::LaunchStage;
use crate::policy::Trigger;
use crate::state::{
    AllocationRef, DecisionNote, Effect, Ending, Exit, InstanceRef, Record, RefusalReason, Wait,
    WaitReason, WorkRef,
};
use crate::units::{Distribution, Span, Stream};

impl<O: Observer> Simulation<'_, '_, O> {
    /// Follows up what the policy did.
    #[inline(never)]
    pub(super) fn follow_up(&mut self) {
        let mut effects = std::mem::take(&mut self.effects);
        self.state.take_effects(&mut effects);
        for &effect in &effects {
            if let Effect::Placed(allocation) = effect {
                self.acts();
                self.placed(allocation);
            } else {
                self.follow(effect);
            }
        }
        effects.clear();
        self.effects = effects;
    }

    /// Follows up one action. Compiled apart from placements, which are most of them.
    #[inline(never)]
    fn follow(&mut self, effect: Effect) {
        match effect {
            Effect::Wake(_)
            | Effect::LaunchRefused(..)
            | Effect::Promised(..)
            | Effect::Planned
            | Effect::AskAgain => {}
            Effect::Placed(_)
            | Effect::Rented(_)
            | Effect::Released(_)
            | Effect::Stopped(_)
            | Effect::Migrated { .. }
            | Effect::Migrates { .. }
            | Effect::Refused(..) => self.acts(),
        }
        match effect {
            Effect::Placed(allocation) => self.placed(allocation),
            Effect::Rented(instance) => self.rented(instance),
            Effect::Released(instance) => {
                self.released(instance, Exit::Returned);
                // A quota or a capacity has room again, for others who wait.
                self.triggers.push(Trigger::Acted);
            }
            Effect::Stopped(allocation) => {
                let ending = self.state.allocation(allocation).ending();
                self.conclude_early(allocation, ending.expect("it has ended"));
                self.triggers.push(Trigger::Acted);
            }
            Effect::Migrated { from, to, bytes } => self.migrated(from, to, bytes),
            Effect::Migrates { from, to } => self.migrates(from, to),
            Effect::Refused(work, reason) => self.refused(work, reason),
            Effect::Wake(at) => {
                if self.timers.insert(at) {
                    self.queue.schedule(at, Event::Timer.class(), Event::Timer);
                }
            }
            Effect::LaunchRefused(offer, why) => {
                self.record(&Record::LaunchRefused { offer, why });
            }
            Effect::Promised(work, at) => {
                if self.state.is_alive(work) {
                    self.observer.promised(&self.state, work, at);
                }
            }
            Effect::Planned => self.observer.planned(&self.state),
            Effect::AskAgain => self.triggers.push(Trigger::Acted),
        }
    }

    #[inline]
    fn placed(&mut self, allocation: AllocationRef) {
        let target = self.state.allocation(allocation);
        // The policy may have placed and preempted it in one turn.
        if target.has_ended() {
            return;
        }
        let (work, ready) = (target.work(), target.is_ready());
        if self.state.is_kept(work) {
            self.give_up_kept(work, self.state.work(work).waiting);
        }
        self.record(&Record::Placed(allocation));
        if ready {
            self.start(allocation, work);
        } else if self.options.explain {
            let waits = Record::Noted(work, DecisionNote::Waits(Wait::of(WaitReason::Booting)));
            self.record(&waits);
        }
    }

    fn rented(&mut self, instance: InstanceRef) {
        self.record(&Record::Requested(instance));
        let target = self.state.instance(instance);
        let offer = &self.state.world().offers[target.offer];
        self.takes_slot(instance);
        let target = self.state.instance(instance);
        let entity =
            [self.offer_keys[target.offer.row()], u64::from(target.slot), u64::from(target.launch)];
        let (seed, terms) = (self.options.seed, &offer.launch);
        let fails = terms.fails > 0
            && Stream::keyed(seed, "launch", &entity).below(1_000_000) < u64::from(terms.fails);
        let secs = match fails {
            true => drawn(&terms.fails_after, seed, "launch given up", &entity),
            false => LaunchStage::ALL
                .map(|stage| drawn(terms.stage(stage), seed, stage.stream(), &entity))
                .iter()
                .sum(),
        };
        if fails {
            self.state.waive(instance);
        }
        let event = if fails { Event::NotLaunched(instance) } else { Event::Ready(instance) };
        let at = self.state.now().saturating_add(Span::from_secs_f64(secs).unwrap_or(Span::MAX));
        self.expect(instance, at, event);
    }

    /// An instance takes a slot of its offer: what may fail there does from now on.
    pub(super) fn takes_slot(&mut self, instance: InstanceRef) {
        let target = self.state.instance(instance);
        let (slot, now) = (target.slot, self.state.now());
        self.faults.holds(self.state.world(), target.offer, slot, now);
        if !self.slowing.is_empty() {
            self.slow_from_birth(instance);
        }
    }

    /// A launch is given up.
    pub(super) fn launch_fails(&mut self, instance: InstanceRef) {
        self.due[instance.slot()] = None;
        self.lose(instance, Ending::Failed, Exit::NotLaunched);
    }

    pub(super) fn released(&mut self, instance: InstanceRef, exit: Exit) {
        if let Some(key) = self.due.get_mut(instance.slot()).and_then(Option::take) {
            self.queue.cancel(key);
        }
        let bill = self.state.bill(instance, &mut self.charges);
        self.emit_charges();
        let (billed, amount) = (bill.billed, bill.amount);
        let record = Record::Released { instance, billed, amount, exit };
        self.record(&record);
        self.state.drop_instance(instance);
    }

    /// Concludes an allocation whose tasks are not done. Compiled apart from those whose are,
    /// which are nearly all.
    #[inline(never)]
    pub(super) fn conclude_early(&mut self, allocation: AllocationRef, ending: Ending) {
        let work = self.state.allocation(allocation).work();
        self.conclude(allocation, work, ending);
    }

    /// Concludes an allocation of `work` that has ended: what it did, what it cost, what is idle now.
    #[inline(always)]
    pub(super) fn conclude(&mut self, allocation: AllocationRef, work: WorkRef, ending: Ending) {
        debug_assert_eq!(self.state.allocation(allocation).ending(), Some(ending));
        if self.state.has_migrating() {
            self.stay(allocation);
        }
        if let Some(key) = self.keys.get_mut(allocation.slot()).and_then(Option::take) {
            self.queue.cancel(key);
        }
        let progress = self.state.progress(allocation);
        let total = self.totals[work.slot()].unwrap_or(i128::MAX);
        if let Some(progress) = progress
            && self.state.work(work).ask.home.is_some()
        {
            let computed = self.totals[work.slot()].and_then(|total| progress.eta(total));
            self.state.charge_transfers(allocation, computed, &mut self.charges);
        }
        let before = self.state.saved(allocation).min(total);
        let now = self.state.now();
        let carried = self.state.carried(allocation);
        let made = || progress.map_or(carried, |one| one.done_at(now).min(total) - before);
        let (useful, lost) = match ending {
            Ending::Done => (total - before, 0),
            Ending::RunOver => (made(), 0),
            Ending::Cancelled => (0, made()),
            // What is not saved goes on with the tasks.
            Ending::Migrated | Ending::Hibernated => {
                (self.state.kept(allocation, ending).min(total) - before, 0)
            }
            Ending::Preempted | Ending::Interrupted | Ending::Failed => {
                let useful = self.state.kept(allocation, ending).min(total) - before;
                (useful, made() - useful)
            }
        };
        let computed = || progress.and_then(|progress| progress.eta(total)).unwrap_or(now);
        let overhead = self.state.overhead(allocation, || computed().min(now));
        // Tasks that migrate have their place already.
        let moved = ending == Ending::Migrated && self.state.work(work).waiting == 0;
        if let Some(why) = ending.returns().filter(|_| !moved) {
            self.triggers.push(Trigger::Eligible(work, why));
        }
        let stopped = Record::Stopped { allocation, ending, useful, lost, overhead };
        self.record(&stopped);
        let idle = self.state.close(allocation, &mut self.charges);
        self.emit_charges();
        if idle {
            for held in &self.state.allocation(allocation).held {
                if self.state.instance(held.share.instance).is_idle() {
                    self.triggers.push(Trigger::Idle(held.share.instance));
                }
            }
        }
        self.state.drop_allocation(allocation);
    }

    /// Rest of the run of a task of `work`, the longest of all its tasks, as it was last saved;
    /// `None` for work without an end.
    pub(super) fn left(&self, work: WorkRef) -> Option<Span> {
        let left = self.totals[work.slot()]? - self.state.least_saved(work);
        let left = self.state.of_each(work, left.max(0));
        Some(Span::from_micros(i64::try_from(left / 1_000_000).unwrap_or(i64::MAX)))
    }

    pub(super) fn refused(&mut self, work: WorkRef, reason: RefusalReason) {
        self.give_up_kept(work, 0);
        self.observer.undone(&self.state, work, self.left(work));
        self.record(&Record::Refused { work, reason });
        self.state.forget(work);
    }
}

/// Seconds drawn from a law, from a stream of that name; no stream is made for what is always zero.
fn drawn(law: &Distribution, seed: u64, stream: &str, entity: &[u64]) -> f64 {
    match law {
        Distribution::Constant(secs) => secs.max(0.0),
        Distribution::Law(_) => law.sample(&mut Stream::keyed(seed, stream, entity)).max(0.0),
    }
}
