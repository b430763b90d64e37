//! Spot instances that their provider took back and keeps: they start again, with the tasks that
//! were on them, when there is room for them.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::change::Refusal;
use super::saved::TaskOrigin;
use super::{AllocationRef, Ending, InstanceRef, LaunchRefusal, Phase, Share, State, WorkRef};
use crate::model::Offer;
use crate::units::{Id, Span};

/// Names a stopped instance: its offer, and the ordinal that it had.
pub type StoppedRef = (Id<Offer>, u32);

/// Tasks that wait on a stopped instance, which were one allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptTasks {
    /// Work that they belong to.
    pub work: WorkRef,
    /// Number of tasks.
    pub tasks: u32,
    /// GPU devices that they held, as a bit set.
    devices: u32,
    /// Progress that each had saved before.
    saved: i128,
    /// Progress beyond that, which each has in memory.
    pub carried: i128,
    /// How they go on.
    origin: TaskOrigin,
    /// Time to read the rest of the checkpoint that they went on from, where they had not done so.
    restore: Span,
}

impl KeptTasks {
    /// Whether they go on from what they had in memory.
    pub(crate) fn has_memory(&self) -> bool {
        self.origin == TaskOrigin::Memory
    }

    /// They have made no more than there is of them.
    pub(crate) fn cap(&mut self, total: i128) {
        let made = (self.saved + self.carried).min(total);
        self.saved = self.saved.min(total);
        self.carried = made - self.saved;
    }
}

/// All stopped instances.
#[derive(Debug, Default)]
pub(super) struct StoppedInstances {
    /// Tasks by the instance that keeps them; never none of one.
    kept: BTreeMap<StoppedRef, SmallVec<[KeptTasks; 1]>>,
    /// Instances that keep tasks of each piece of work.
    of_work: BTreeMap<WorkRef, SmallVec<[StoppedRef; 1]>>,
}

impl State<'_> {
    /// Whether any instance is stopped.
    #[inline(always)]
    pub fn has_stopped(&self) -> bool {
        !self.stopped.kept.is_empty()
    }

    /// Number of stopped instances.
    pub fn stopped_instances(&self) -> usize {
        self.stopped.kept.len()
    }

    /// Whether tasks of `work` wait on a stopped instance.
    pub fn is_kept(&self, work: WorkRef) -> bool {
        self.stopped.of_work.contains_key(&work)
    }

    /// The stopped instance after another, by offer and then by age; the first for `None`.
    pub fn next_stopped(&self, after: Option<StoppedRef>) -> Option<StoppedRef> {
        match after {
            None => self.stopped.kept.first_key_value().map(|(&at, _)| at),
            Some(after) => {
                let later = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
                self.stopped.kept.range(later).next().map(|(&at, _)| at)
            }
        }
    }

    /// All tasks that wait on stopped instances.
    pub fn all_kept(&self) -> impl Iterator<Item = &KeptTasks> + '_ {
        self.stopped.kept.values().flatten()
    }

    /// What of an allocation is kept by its instance as that is stopped, with its memory or without;
    /// `None` where its tasks do not go on there: those that run on several instances at once, have
    /// not started, or may go on with fewer.
    pub(crate) fn to_keep(&self, allocation: AllocationRef, memory: bool) -> Option<KeptTasks> {
        let target = &self.allocations[allocation];
        let work = target.work();
        let came = self.origin_of(allocation);
        if target.held.len() != 1 || self.gang_tasks(work) > 0 || self.is_migrating(allocation) {
            return None;
        }
        let (tasks, devices) = (target.tasks, target.held[0].share.devices);
        // Who had not begun again yet is left as it was.
        let origin = match target.started() {
            None if came == TaskOrigin::Queue => return None,
            None => came,
            Some(_) if memory && self.input_read(allocation) <= self.now => TaskOrigin::Memory,
            Some(_) => TaskOrigin::Disk { has_input: self.input_read(allocation) <= self.now },
        };
        let saved = self.kept(allocation, Ending::Interrupted);
        let carried = match origin {
            TaskOrigin::Memory => self.made(allocation) - saved,
            TaskOrigin::Disk { .. } | TaskOrigin::Queue => 0,
        };
        let restore = match (origin, self.progress(allocation)) {
            (TaskOrigin::Memory, Some(progress)) => (progress.since - self.now).max(Span::ZERO),
            (TaskOrigin::Memory, None) => self.left_to_restore(allocation),
            (TaskOrigin::Disk { .. } | TaskOrigin::Queue, _) => Span::ZERO,
        };
        Some(KeptTasks { work, tasks, devices, saved, carried, origin, restore })
    }

    /// An instance was stopped with these tasks, at least one, which wait.
    pub(crate) fn keep_stopped(&mut self, stopped: StoppedRef, kept: &[KeptTasks]) {
        for tasks in kept {
            self.stopped.of_work.entry(tasks.work).or_default().push(stopped);
        }
        self.stopped.kept.insert(stopped, SmallVec::from_slice(kept));
    }

    /// A stopped instance is one no longer. Returns what it kept.
    pub(crate) fn leave_stopped(&mut self, stopped: StoppedRef) -> SmallVec<[KeptTasks; 1]> {
        let kept = self.stopped.kept.remove(&stopped).expect("it is stopped");
        for tasks in &kept {
            self.forget_place(tasks.work, stopped);
        }
        kept
    }

    fn forget_place(&mut self, work: WorkRef, stopped: StoppedRef) {
        let places = self.stopped.of_work.get_mut(&work).expect("it is kept there");
        let at = places.iter().position(|&one| one == stopped).expect("it is kept there");
        places.swap_remove(at);
        if places.is_empty() {
            self.stopped.of_work.remove(&work);
        }
    }

    /// Tasks of `work` that are kept though no more of them wait, as they were placed elsewhere or are
    /// not wanted: those of the instance that was stopped last are the first to be given up. Instances
    /// that keep nothing then are stopped no longer.
    pub(crate) fn give_up_kept(&mut self, work: WorkRef, waiting: u32) -> Option<KeptTasks> {
        let places = self.stopped.of_work.get(&work)?;
        let of_it = |place: &StoppedRef| {
            self.stopped.kept[place].iter().filter(|one| one.work == work).map(|one| one.tasks)
        };
        // An instance that keeps several allocations of it is named for each.
        let is_first = |&(at, place): &(usize, &StoppedRef)| !places[..at].contains(place);
        let places_once = places.iter().enumerate().filter(is_first).map(|(_, place)| place);
        let all: u32 = places_once.flat_map(of_it).sum();
        if all <= waiting {
            return None;
        }
        let &last = places.iter().max_by_key(|&&(offer, ordinal)| (ordinal, offer))?;
        let kept = self.stopped.kept.get_mut(&last).expect("it is stopped");
        let at = kept.iter().rposition(|one| one.work == work).expect("it is kept there");
        let given_up = kept.remove(at);
        if kept.is_empty() {
            self.stopped.kept.remove(&last);
        }
        self.forget_place(work, last);
        Some(given_up)
    }

    /// Whether there is no room for a stopped instance to start again: also in the budgets, where the
    /// policy caps what it spends. Providers do not throttle that.
    pub fn stays_stopped(&self, stopped: StoppedRef) -> bool {
        let (offer, _) = stopped;
        let payer = self.works[self.stopped.kept[&stopped][0].work].ask.tenant;
        if self.cap_room_for(offer, Some(payer)).is_some_and(|(room, _)| room == 0) {
            return true;
        }
        match self.launch_refusal(offer) {
            // What is left of budgets was looked at, for whom it concerns.
            None | Some(LaunchRefusal::Throttle | LaunchRefusal::Budget(_)) => false,
            Some(
                LaunchRefusal::Quota(_)
                | LaunchRefusal::Capacity
                | LaunchRefusal::Price
                | LaunchRefusal::Outage,
            ) => true,
        }
    }

    /// Whether the rules of work allow its kept tasks to go on there.
    pub(crate) fn may_go_on(&self, offer: Id<Offer>, kept: &KeptTasks) -> bool {
        self.rules[self.works[kept.work].ask.rules.row()].allows(offer)
    }

    /// Requests an instance again that was stopped with these tasks, whose work pays for it.
    pub(crate) fn request_again(&mut self, offer: Id<Offer>, kept: &KeptTasks) -> InstanceRef {
        self.room_made += 1;
        self.rent_for(Some(kept.work));
        let instance = self.launch(offer, Phase::Booting);
        self.note_payer(instance);
        self.rent_for(None);
        instance
    }

    /// Places kept tasks on the instance that was started again for them.
    ///
    /// # Errors
    /// The rule that has changed since, or what others did.
    pub(crate) fn resume_on(
        &mut self,
        instance: InstanceRef,
        kept: &KeptTasks,
    ) -> Result<AllocationRef, Refusal> {
        let KeptTasks { work, tasks, devices, saved, carried, origin, restore } = *kept;
        let share = Share { instance, tasks, devices };
        self.check(work, share)?;
        if self.works[work].ask.gang && tasks != self.works[work].waiting {
            return Err(Refusal::GangSplit);
        }
        let opened = self.open(work);
        self.take(opened, work, share);
        self.change_saved(work, saved, -i64::from(tasks));
        self.set_origin(opened, (saved, carried), origin);
        self.set_restore(opened, restore);
        self.tell_saved(work);
        self.make_real(opened, work, tasks);
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ask, Market};
    use crate::state::Needs;
    use crate::state::testing::{Plan, demand, shape, start, submit, world};
    use crate::units::Time;

    /// Of four tasks two run on one instance, each by itself, and are kept. While two wait both stay; with
    /// one, one is given up.
    #[test]
    fn what_one_instance_keeps_of_one_work_counts_once() {
        let shape = shape(4_000, 4_096, 0);
        let world = world(&[Plan { shape, market: Market::Spot, price: "1", ..Plan::default() }]);
        let mut state = start(&world, Needs::default());
        let instance = state.rent(Id::new(0)).expect("it can be rented");
        state.ready(instance, &mut Vec::new());
        let ask = Ask { demand: demand(1_000, 0, 0, 0), tasks: 4, gang: false, ..Ask::default() };
        let work = submit(&mut state, 0, ask);
        let mut kept = Vec::new();
        for _ in 0..2 {
            state.place(work, Share { instance, tasks: 1, devices: 0 }).expect("it fits");
        }
        for allocation in state.work(work).allocations.clone() {
            state.start(allocation);
        }
        state.set_now(Time::from_secs(10));
        for allocation in state.work(work).allocations.clone() {
            kept.push(state.to_keep(allocation, true).expect("it goes on there"));
        }
        state.keep_stopped((Id::new(0), 0), &kept);
        assert_eq!(state.give_up_kept(work, 2), None);
        assert_eq!(state.give_up_kept(work, 1).map(|tasks| tasks.tasks), Some(1));
        assert_eq!(state.give_up_kept(work, 1), None);
        assert!(state.is_kept(work));
    }
}
