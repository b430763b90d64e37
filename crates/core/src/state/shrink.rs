//! Gangs that go on with fewer tasks than they asked for, after they lost their place.

use super::change::{Refusal, Undo};
use super::progress::span_at;
use super::{Allocation, AllocationRef, State, Why, WorkRef, run_length};
use crate::model::{Speedup, WorkKind};
use crate::units::Span;

/// A gang that can go on with fewer tasks; all zero of other work.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shrinking {
    /// Number of tasks that it asked for.
    whole: u32,
    /// Fewest tasks with which it goes on, fewer than that.
    fewest: u32,
    speedup: Speedup,
    /// Number of tasks with which it is planned to run until it waits again, fewer than all; 0 if it is
    /// not.
    planned: u32,
    /// Whether its provider or a failure ever took its place.
    has_lost: bool,
}

impl Shrinking {
    /// Progress of so many tasks together in the time in which one of the smallest rate makes one.
    fn rate(&self, tasks: u32) -> u64 {
        self.speedup.rate(tasks, self.whole)
    }
}

impl State<'_> {
    /// New work goes on with no fewer than so many tasks, and comes on so; with all where it is no job,
    /// no gang, or says 0 or no fewer than all.
    #[inline]
    pub(super) fn set_fewest(&mut self, work: WorkRef, fewest: u32, speedup: Speedup) {
        if fewest > 0 || work.slot() < self.shrinking.len() {
            self.keep_fewest(work, fewest, speedup);
        }
    }

    #[cold]
    fn keep_fewest(&mut self, work: WorkRef, fewest: u32, speedup: Speedup) {
        let live = &self.works[work];
        let (ask, slot) = (&live.ask, work.slot());
        let shrinks = fewest > 0 && fewest < ask.tasks && ask.gang && live.kind == WorkKind::Job;
        let new = Shrinking { whole: ask.tasks, fewest, speedup, planned: 0, has_lost: false };
        let new = if shrinks { new } else { Shrinking::default() };
        if slot >= self.shrinking.len() && shrinks {
            self.shrinking.resize(slot + 1, Shrinking::default());
        }
        if let Some(known) = self.shrinking.get_mut(slot) {
            *known = new;
        }
    }

    /// What is known of a gang that can go on with fewer tasks.
    #[inline(always)]
    fn shrinking(&self, work: WorkRef) -> Option<&Shrinking> {
        self.shrinking.get(work.slot()).filter(|one| one.whole > 0)
    }

    /// Number of tasks that `work` asked for, with however many it goes on.
    #[inline]
    pub fn whole_tasks(&self, work: WorkRef) -> u32 {
        self.shrinking(work).map_or(self.works[work].ask.tasks, |one| one.whole)
    }

    /// Number of tasks that a gang asked for which can go on with fewer; 0 of other work.
    #[inline(always)]
    pub fn gang_tasks(&self, work: WorkRef) -> u32 {
        self.shrinking(work).map_or(0, |one| one.whole)
    }

    /// Fewest tasks with which a gang can go on after a loss; `None` of work that cannot.
    #[inline]
    pub fn min_tasks(&self, work: WorkRef) -> Option<u32> {
        self.shrinking(work).map(|one| one.fewest)
    }

    /// How much faster more tasks of `work` come on: linear but of a gang that can go on with fewer.
    pub fn speedup(&self, work: WorkRef) -> Speedup {
        self.shrinking(work).map_or(Speedup::LINEAR, |one| one.speedup)
    }

    /// Number of tasks with which a gang is planned to run until it waits again, fewer than all of them;
    /// `None` where that is not planned.
    pub fn planned_tasks(&self, work: WorkRef) -> Option<u32> {
        self.shrinking(work).map(|one| one.planned).filter(|&planned| planned > 0)
    }

    /// Fewest tasks with which `work` may start now: all of a gang, but of one that can go on with
    /// fewer those that are planned, or its fewest once its provider or a failure has taken its place.
    pub fn fewest_tasks(&self, work: WorkRef) -> u32 {
        match self.shrinking(work) {
            Some(one) if one.has_lost => one.fewest,
            Some(one) if one.planned > 0 => one.planned,
            Some(_) | None => self.whole_tasks(work),
        }
    }

    /// Number of tasks whose progress is counted together: all that a gang asked for which can go on
    /// with fewer, so that its progress is a whole number with however many it runs; one of other work.
    #[inline(always)]
    pub fn joint_tasks(&self, work: WorkRef) -> u32 {
        self.shrinking(work).map_or(1, |one| one.whole)
    }

    /// Progress that so many tasks of `work` make together, counted as one, in a microsecond on the
    /// reference machine, in millionths of it: a whole number by the speedup of a gang that can go on with
    /// fewer tasks; 1 of other work, whose tasks are counted each.
    #[inline(always)]
    pub fn joint_rate(&self, work: WorkRef, tasks: u32) -> u64 {
        self.shrinking(work).map_or(1, |one| one.rate(tasks))
    }

    /// Amounts of progress of `work` that are counted as one as the sum of those of all tasks that it
    /// asked for, had they made them.
    pub fn of_all<const N: usize>(&self, work: WorkRef, progress: [i128; N]) -> [i128; N] {
        match self.shrinking(work) {
            Some(one) if !one.speedup.is_linear() => {
                progress.map(|part| self.of_each(work, part) * i128::from(one.whole))
            }
            Some(_) | None => progress,
        }
    }

    /// Progress of `work` as that of one of the tasks that it asked for, rounded down.
    #[inline(always)]
    pub fn of_each(&self, work: WorkRef, progress: i128) -> i128 {
        match self.shrinking(work) {
            Some(one) => progress.div_euclid(i128::from(one.rate(one.whole))),
            None => progress,
        }
    }

    /// Progress that the tasks of an allocation make in a microsecond at a speed in millionths: with fewer
    /// tasks less, if progress is counted together.
    #[inline(always)]
    pub(super) fn rate_of(&self, target: &Allocation, speed: u32) -> u64 {
        match self.shrinking(target.work()) {
            Some(one) => u64::from(speed) * one.rate(target.tasks),
            None => u64::from(speed),
        }
    }

    /// Time for work that takes `rest` on the reference machine with all of its tasks, on the machines
    /// of an allocation and with its tasks, rounded up.
    pub(super) fn length_on(&self, allocation: AllocationRef, rest: Span) -> Span {
        let target = &self.allocations[allocation];
        match self.shrinking(target.work()) {
            Some(one) => {
                let whole = i128::from(one.rate(one.whole));
                let all = i128::from(rest.micros()) * 1_000_000 * whole;
                span_at(all, self.rate_of(target, target.speed))
            }
            None => run_length(rest, target.speed),
        }
    }

    /// Time for work that waits and takes `rest` with all of its tasks, with those that it is to start
    /// with, rounded up.
    #[inline]
    pub(super) fn length_with(&self, work: WorkRef, rest: Span) -> Span {
        match self.shrinking(work) {
            Some(one) => {
                let all = i128::from(rest.micros()) * i128::from(one.rate(one.whole));
                span_at(all, one.rate(self.works[work].ask.tasks))
            }
            None => rest,
        }
    }

    /// Plans the number of tasks of a gang that waits: it starts with so many until it waits again.
    pub(crate) fn scale(&mut self, work: WorkRef, tasks: u32) -> Result<(), Refusal> {
        if !self.works.contains(work) {
            return Err(Refusal::WorkGone);
        }
        let whole = self.shrinking(work).filter(|one| one.fewest <= tasks).map(|one| one.whole);
        let Some(whole) = whole.filter(|&whole| tasks <= whole) else {
            return Err(Refusal::TaskCount);
        };
        self.waits_whole(work)?;
        self.plan_tasks(work, if tasks < whole { tasks } else { 0 });
        self.resize(work, tasks)
    }

    /// Sets the number of tasks with which a gang is planned to run, 0 where it is not.
    fn plan_tasks(&mut self, work: WorkRef, tasks: u32) {
        let before = self.set_planned(work, tasks);
        if before != tasks {
            self.remember(Undo::Planned(work, before));
        }
    }

    /// The same without a note for who takes it back. Returns the number before.
    pub(super) fn set_planned(&mut self, work: WorkRef, tasks: u32) -> u32 {
        std::mem::replace(&mut self.shrinking[work.slot()].planned, tasks)
    }

    /// Whether nothing of a gang runs or is done.
    fn waits_whole(&self, work: WorkRef) -> Result<(), Refusal> {
        let live = &self.works[work];
        if live.placed + live.done > 0 { Err(Refusal::GangSplit) } else { Ok(()) }
    }

    /// Lets a gang that waits start with so many tasks, until it waits again.
    pub(crate) fn resize(&mut self, work: WorkRef, tasks: u32) -> Result<(), Refusal> {
        if !self.works.contains(work) {
            return Err(Refusal::WorkGone);
        }
        self.waits_whole(work)?;
        if !(self.fewest_tasks(work)..=self.whole_tasks(work)).contains(&tasks) {
            return Err(Refusal::TaskCount);
        }
        let before = self.works[work].ask.tasks;
        if before != tasks {
            self.set_tasks(work, tasks);
            self.remember(Undo::Resized(work, before));
        }
        Ok(())
    }

    /// Sets the number of tasks of a gang that waits.
    pub(super) fn set_tasks(&mut self, work: WorkRef, tasks: u32) {
        let live = &mut self.works[work];
        let more = i64::from(tasks) - i64::from(live.ask.tasks);
        (live.ask.tasks, live.waiting) = (tasks, tasks);
        // All tasks of a gang came equally far.
        let saved = self.saved_by_all(work);
        self.change_saved(work, saved, more);
    }

    /// Number of tasks of `work` that wait where so many lost their place: all of a gang.
    #[inline]
    pub(super) fn asked_again(&self, work: WorkRef, tasks: u32) -> u32 {
        self.shrinking(work).map_or(tasks, |one| one.whole)
    }

    /// The tasks of an allocation that has ended wait again for this reason: a gang asks for all of its
    /// tasks then, but to go on elsewhere at once. Returns how many wait.
    #[inline]
    pub(super) fn ask_again_for(&mut self, work: WorkRef, tasks: u32, why: Why) -> u32 {
        if self.shrinking.is_empty() {
            return tasks;
        }
        let Some(one) = self.shrinking.get_mut(work.slot()).filter(|one| one.whole > 0) else {
            return tasks;
        };
        match why {
            Why::Interrupted | Why::Failed => one.has_lost = true,
            Why::Preempted | Why::Arrived => {}
            Why::Migrated => return tasks,
        }
        let whole = one.whole;
        self.plan_tasks(work, 0);
        self.works[work].ask.tasks = whole;
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Ask;
    use crate::state::testing::{demand, instance, owned, shape, start, submit};
    use crate::state::{Ending, Needs, Share};

    /// A gang of three that is planned with one, and what an attempt that is given up does to it: it is
    /// preempted, and planned with two.
    #[test]
    fn a_plan_comes_back_with_an_attempt_that_is_given_up() {
        let world = owned(&[shape(4_000, 4_096, 0)]);
        let mut state = start(&world, Needs::default());
        let ask = Ask { demand: demand(1_000, 0, 0, 0), tasks: 3, gang: true, ..Ask::default() };
        let work = submit(&mut state, 0, ask);
        state.set_fewest(work, 1, Speedup::LINEAR);
        state.scale(work, 1).expect("it waits");
        let share = Share { instance: instance(&state, 0), tasks: 1, devices: 0 };
        state.place(work, share).expect("it fits");
        let allocation = state.works[work].allocations[0];
        state.start(allocation);
        assert_eq!(state.scale(work, 2), Err(Refusal::GangSplit));
        let outer = state.begin();
        let attempt = state.begin();
        state.stop(allocation, Ending::Preempted);
        assert_eq!((state.planned_tasks(work), state.works[work].ask.tasks), (None, 3));
        state.scale(work, 2).expect("it waits");
        state.roll_back(attempt);
        assert_eq!((state.planned_tasks(work), state.works[work].ask.tasks), (Some(1), 1));
        state.keep(outer);
        assert_eq!(state.fewest_tasks(work), 1);
    }
}
