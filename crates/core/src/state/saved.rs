//! Saved progress of tasks: of those that wait, in groups that came equally far, and of those
//! that are placed, with the checkpoints by which they save more.

use std::collections::BTreeMap;

use super::transfers::WHOLE;
use super::{
    AllocationRef, CheckpointCycle, CheckpointPlan, Ending, LiveWork, Progress, State, WorkRef,
};
use crate::model::Checkpoint;
use crate::units::{Span, Time};

/// Waiting tasks of one piece of work that have saved progress.
#[derive(Clone, Debug, Default)]
pub(super) struct SavedGroups {
    /// Number of tasks by what each has saved; never 0 of either.
    groups: BTreeMap<i128, u32>,
    /// Number of tasks in all groups. The other waiting tasks have saved nothing.
    tasks: u32,
}

/// What the tasks of an allocation go on from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TaskOrigin {
    /// The queue: nothing, or a checkpoint.
    #[default]
    Queue,
    /// The disk of an instance that was stopped, with all of their input or without: a checkpoint
    /// still.
    Disk {
        /// Whether their input is there.
        has_input: bool,
    },
    /// What they had in memory, on other instances or before theirs was stopped.
    Memory,
}

/// Checkpoints of the tasks of an allocation: the one that they go on from, and those that they
/// write.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SavedCourse {
    /// Progress that each had saved when it was placed.
    saved: i128,
    /// Progress beyond that, which each brought along from other instances.
    carried: i128,
    /// What they go on from.
    origin: TaskOrigin,
    /// Share of its speed that the network of the instances had that they left.
    left_network: u32,
    /// Time to read what they go on from before they compute, or in which the last of it comes.
    restore: Span,
    /// The checkpoints that they write, once they have started.
    cycle: Option<CheckpointCycle>,
    /// Whether they write one when they are warned.
    on_notice: bool,
    /// What they had made when they were last warned or changed their speed, and how they go on.
    settled: Option<Progress>,
    /// Overhead until then.
    spent: i128,
}

impl State<'_> {
    /// Progress of the tasks of an allocation; `None` before they start. Reading input or a
    /// checkpoint makes no progress.
    #[inline(always)]
    pub fn progress(&self, allocation: AllocationRef) -> Option<Progress> {
        let target = &self.allocations[allocation];
        let since = target.started()?.saturating_add(target.input);
        let Some(course) = self.courses.get(allocation.slot()) else {
            return Some(Progress::from_saved(0, self.rate_of(target, target.speed), since));
        };
        if course.settled.is_some() {
            return course.settled;
        }
        let since = since.saturating_add(course.restore);
        let rate = self.rate_of(target, target.speed);
        let progress = Progress::from_saved(course.saved, rate, since);
        Some(progress.carrying(course.carried).writing(course.cycle))
    }

    /// Cost of a checkpoint of `work`; `None` where it can write none that is of use.
    #[inline]
    pub fn checkpoint(&self, work: WorkRef) -> Option<Checkpoint> {
        let ask = &self.works[work].ask;
        let checkpoint = ask.checkpoint.filter(|_| ask.keeps_saved())?;
        Some(self.book.checkpoints()[checkpoint])
    }

    /// The tasks of an allocation, which start now, read the checkpoint that they go on from, if they
    /// have saved progress, and write others as planned.
    pub(crate) fn set_checkpoints(
        &mut self,
        allocation: AllocationRef,
        checkpoint: Checkpoint,
        plan: CheckpointPlan,
    ) {
        let mut from = self.progress(allocation).map_or(self.now, |progress| progress.since);
        let written = self.over_network(allocation, checkpoint);
        let course = self.course_mut(allocation);
        if course.saved > 0 && course.origin != TaskOrigin::Memory {
            course.restore = checkpoint.restore;
            from = from.saturating_add(course.restore);
        }
        course.cycle = plan.every.map(|every| CheckpointCycle::new(every, written, from));
        course.on_notice = plan.on_notice;
    }

    /// Progress that the tasks of an allocation would have made until `until` in the time in which they
    /// read and wrote checkpoints instead, each.
    #[inline(always)]
    pub(crate) fn overhead(&self, allocation: AllocationRef, until: impl Fn() -> Time) -> i128 {
        match self.courses.get(allocation.slot()) {
            Some(SavedCourse { restore: Span::ZERO, cycle: None, settled: None, .. }) | None => 0,
            Some(course) => self.overhead_of(allocation, course, until()),
        }
    }

    #[cold]
    fn overhead_of(&self, allocation: AllocationRef, course: &SavedCourse, until: Time) -> i128 {
        let Some(progress) = self.progress(allocation) else { return 0 };
        let ahead = (progress.since - until).clamp(Span::ZERO, course.restore);
        let stood = course.restore - ahead + progress.stood(until);
        course.spent + i128::from(stood.micros()) * i128::from(progress.rate)
    }

    /// Tasks that run, are to write on notice, and are warned that they lose their instance at `until`,
    /// write a checkpoint now, if they have not come to `total`, have anything to save and the write
    /// is over by then. What they were writing is given up, unless they stand still for it: that one
    /// holds as much. Returns whether they begin to write.
    pub(crate) fn write_on_notice(
        &mut self,
        allocation: AllocationRef,
        checkpoint: Checkpoint,
        total: i128,
        until: Time,
    ) -> bool {
        if !self.courses.get(allocation.slot()).is_some_and(|course| course.on_notice) {
            return false;
        }
        let now = self.now;
        let Some(mut progress) = self.progress(allocation) else { return false };
        let done = progress.done_at(now);
        let is_new = now > progress.since && progress.saved_at(now) < done && done < total;
        let stands = progress.cycle.is_some_and(|cycle| cycle.stands(now));
        let checkpoint = self.over_network(allocation, checkpoint);
        if !is_new || stands || now.saturating_add(checkpoint.write) > until {
            return false;
        }
        let spent = self.overhead(allocation, || now);
        progress.settle(now);
        // Who writes at no other time would do so again after the instance has gone.
        let every = progress.cycle.map_or(until - now, CheckpointCycle::every);
        let cycle = CheckpointCycle::writing_from(every, checkpoint, now);
        self.settle_course(allocation, progress.writing(Some(cycle)), spent, Span::ZERO);
        true
    }

    /// The tasks of an allocation go on so from now on. So much was overhead until now, and so long
    /// will they be reading their checkpoint still.
    pub(super) fn settle_course(
        &mut self,
        allocation: AllocationRef,
        progress: Progress,
        spent: i128,
        restore: Span,
    ) {
        let course = self.course_mut(allocation);
        (course.settled, course.spent, course.restore) = (Some(progress), spent, restore);
    }

    /// The tasks of an allocation read what they go on from for so long.
    pub(super) fn set_restore(&mut self, allocation: AllocationRef, restore: Span) {
        self.course_mut(allocation).restore = restore;
    }

    /// Time to read the checkpoint that the tasks of an allocation go on from, as it is known.
    pub(super) fn left_to_restore(&self, allocation: AllocationRef) -> Span {
        self.courses.get(allocation.slot()).map_or(Span::ZERO, |course| course.restore)
    }

    /// The shares of its speed, before and after, of the network over which tasks read what they go on
    /// from, where those of their own are these. Memory comes at the speed of the slower end, and the
    /// other one stays as it was when they left it.
    pub(super) fn restore_shares(
        &self,
        allocation: AllocationRef,
        (before, share): (u32, u32),
    ) -> (u32, u32) {
        match self
            .courses
            .get(allocation.slot())
            .filter(|course| course.origin == TaskOrigin::Memory)
        {
            Some(course) => (before.min(course.left_network), share.min(course.left_network)),
            None => (before, share),
        }
    }

    /// Time at which the started tasks of an allocation end if each comes to `total`: when it has
    /// and its output is written. `None` if they stand still before that.
    #[inline(always)]
    pub(crate) fn end_of(&self, allocation: AllocationRef, total: i128) -> Option<Time> {
        let done = self.progress(allocation)?.eta(total)?;
        Some(self.output_written(allocation, done))
    }

    /// Progress that each task of an allocation had saved when it was placed.
    pub fn saved(&self, allocation: AllocationRef) -> i128 {
        self.courses.get(allocation.slot()).map_or(0, |course| course.saved)
    }

    /// The least progress that a task of `work` that is not done has saved.
    pub fn least_saved(&self, work: WorkRef) -> i128 {
        let live = &self.works[work];
        let waiting = (live.waiting > 0).then(|| self.least_waiting(work));
        let placed = live.allocations.iter().filter(|&&one| !self.allocations[one].has_ended());
        let placed = placed.map(|&one| self.saved(one));
        placed.chain(waiting).min().unwrap_or(0)
    }

    /// Rest of the user's estimate of the tasks of an allocation now, on the reference machine and
    /// with all tasks that a gang asked for, at least zero; `None` if there is no estimate. The same as while they waited
    /// until they compute, so that two cannot make each other yield for ever while both read
    /// their input.
    #[inline(always)]
    pub fn rest_of_estimate(&self, allocation: AllocationRef) -> Option<Span> {
        let live = &self.works[self.allocations[allocation].work()];
        live.ask.estimate.and_then(|_| self.rest_after_progress(live, allocation))
    }

    fn rest_after_progress(&self, live: &LiveWork, allocation: AllocationRef) -> Option<Span> {
        let work = self.allocations[allocation].work();
        live.estimate_after(whole_micros(self.of_each(work, self.made(allocation))))
    }

    /// Progress that is left by the user's estimate of work whose tasks all came equally far: that of
    /// each, or of a gang that can go on with fewer tasks of all together, as it is counted, so that
    /// nothing is rounded. At least zero; `None` if there is no estimate.
    pub fn left_of_estimate(&self, work: WorkRef) -> Option<i128> {
        let live = &self.works[work];
        let rate = self.joint_rate(work, self.whole_tasks(work));
        let estimate = i128::from(live.ask.estimate?.micros()) * 1_000_000 * i128::from(rate);
        let placed = live.allocations.iter().find(|&&one| !self.allocations[one].has_ended());
        let made = placed.map_or_else(|| self.least_waiting(work), |&one| self.made(one));
        Some((estimate - made).max(0))
    }

    /// Progress that each task of an allocation has made until now, with what it began with.
    pub(super) fn made(&self, allocation: AllocationRef) -> i128 {
        let before = || self.saved(allocation) + self.carried(allocation);
        self.progress(allocation).map_or_else(before, |progress| progress.done_at(self.now))
    }

    /// Tasks that come from other instances have made no more than there is of them.
    pub(crate) fn cap_carried(&mut self, allocation: AllocationRef, total: i128) {
        let course = self.course_mut(allocation);
        let made = (course.saved + course.carried).min(total);
        course.saved = course.saved.min(total);
        course.carried = made - course.saved;
    }

    /// Progress that each task of an allocation brought along from other instances and had not saved.
    pub fn carried(&self, allocation: AllocationRef) -> i128 {
        self.courses.get(allocation.slot()).map_or(0, |course| course.carried)
    }

    /// What the tasks of an allocation go on from.
    pub(super) fn origin_of(&self, allocation: AllocationRef) -> TaskOrigin {
        self.courses.get(allocation.slot()).map_or(TaskOrigin::Queue, |course| course.origin)
    }

    /// Whether the tasks of an allocation came with their input.
    pub(super) fn has_input(&self, allocation: AllocationRef) -> bool {
        match self.origin_of(allocation) {
            TaskOrigin::Queue | TaskOrigin::Disk { has_input: false } => false,
            TaskOrigin::Disk { has_input: true } | TaskOrigin::Memory => true,
        }
    }

    /// The tasks of an allocation come from other instances: each with so much that was saved, so much
    /// that was not, and a time until the last of it has come.
    pub(super) fn set_carried(
        &mut self,
        allocation: AllocationRef,
        saved: i128,
        carried: i128,
        (downtime, left_network): (Span, u32),
    ) {
        self.set_origin(allocation, (saved, carried), TaskOrigin::Memory);
        let course = self.course_mut(allocation);
        (course.restore, course.left_network) = (downtime, left_network);
    }

    /// The tasks of an allocation go on from this, each with so much that was saved and so much that
    /// was not.
    pub(super) fn set_origin(
        &mut self,
        allocation: AllocationRef,
        (saved, carried): (i128, i128),
        origin: TaskOrigin,
    ) {
        let course = SavedCourse { saved, carried, origin, ..SavedCourse::default() };
        *self.course_mut(allocation) = SavedCourse { left_network: WHOLE, ..course };
    }

    /// Progress that the tasks of an allocation that has ended so keep: all of it where they save it
    /// before they stop, else that of their last checkpoint.
    pub(crate) fn kept(&self, allocation: AllocationRef, ending: Ending) -> i128 {
        let ask = &self.works[self.allocations[allocation].work()].ask;
        if !ask.keeps_saved() {
            return 0;
        }
        let Some(mut progress) = self.progress(allocation) else { return self.saved(allocation) };
        if ending.saves_progress() && ask.keeps_progress() {
            progress.save(self.now);
        } else {
            progress.fall_back(self.now);
        }
        progress.saved
    }

    /// The least that a waiting task of `work` has saved.
    fn least_waiting(&self, work: WorkRef) -> i128 {
        let Some(saved) = self.saved_waiting.get(work.slot()) else { return 0 };
        if saved.tasks < self.works[work].waiting {
            return 0;
        }
        saved.groups.first_key_value().map_or(0, |(&least, _)| least)
    }

    /// Progress that the waiting tasks of a gang have saved, which all came equally far.
    pub(super) fn saved_by_all(&self, work: WorkRef) -> i128 {
        let saved = self.saved_waiting.get(work.slot());
        saved.and_then(|saved| saved.groups.first_key_value()).map_or(0, |(&saved, _)| saved)
    }

    /// Whether waiting tasks of `work` have saved progress.
    #[inline]
    pub(super) fn has_saved(&self, work: WorkRef) -> bool {
        self.saved_waiting.get(work.slot()).is_some_and(|saved| saved.tasks > 0)
    }

    /// Number of the next `tasks` waiting tasks of `work`, some of which have saved progress, that
    /// have come equally far. Those that have saved the least are the next.
    #[inline]
    pub(super) fn alike(&self, work: WorkRef, tasks: u32) -> u32 {
        let saved = &self.saved_waiting[work.slot()];
        let first = saved.groups.first_key_value().map_or(0, |(_, &count)| count);
        let fresh = self.works[work].waiting - saved.tasks;
        tasks.min(if fresh > 0 { fresh } else { first })
    }

    /// The tasks of an allocation, which waited and came equally far, take what they have saved
    /// with them.
    pub(super) fn take_saved(&mut self, allocation: AllocationRef) {
        let target = &self.allocations[allocation];
        let (work, tasks) = (target.work(), target.tasks);
        let saved = &self.saved_waiting[work.slot()];
        if self.works[work].waiting + tasks > saved.tasks {
            return self.tell_saved(work);
        }
        let (&each, _) = saved.groups.first_key_value().expect("some have saved progress");
        self.change_saved(work, each, -i64::from(tasks));
        self.set_saved(allocation, each);
        self.tell_saved(work);
    }

    /// Waiting tasks of `work` have each saved this much, or no longer have.
    pub(super) fn change_saved(&mut self, work: WorkRef, each: i128, tasks: i64) {
        if each == 0 {
            return;
        }
        if self.saved_waiting.len() <= work.slot() {
            self.saved_waiting.resize_with(work.slot() + 1, SavedGroups::default);
        }
        let saved = &mut self.saved_waiting[work.slot()];
        saved.tasks = saved.tasks.wrapping_add_signed(tasks as i32);
        let count = saved.groups.entry(each).or_default();
        *count = count.wrapping_add_signed(tasks as i32);
        if *count == 0 {
            saved.groups.remove(&each);
        }
    }

    /// Brings what policies see of the progress of waiting tasks up to date.
    #[inline]
    pub(super) fn tell_saved(&mut self, work: WorkRef) {
        if !self.saved_waiting.is_empty() {
            let least = self.of_each(work, self.least_waiting(work));
            self.works[work].executed = whole_micros(least);
        }
    }

    /// Sets what each task of an allocation had saved when it was placed.
    pub(super) fn set_saved(&mut self, allocation: AllocationRef, each: i128) {
        self.course_mut(allocation).saved = each;
    }

    fn course_mut(&mut self, allocation: AllocationRef) -> &mut SavedCourse {
        if self.courses.len() <= allocation.slot() {
            self.courses.resize(allocation.slot() + 1, SavedCourse::default());
        }
        &mut self.courses[allocation.slot()]
    }

    /// A new allocation has saved nothing and writes nothing.
    #[inline]
    pub(super) fn forget_saved(&mut self, allocation: AllocationRef) {
        if let Some(course) = self.courses.get_mut(allocation.slot()) {
            *course = SavedCourse::default();
        }
    }

    /// New work has saved nothing.
    #[inline]
    pub(super) fn forget_saved_waiting(&mut self, work: WorkRef) {
        if let Some(saved) = self.saved_waiting.get_mut(work.slot()) {
            *saved = SavedGroups::default();
        }
    }
}

/// Progress in whole microseconds, rounded down; most of it fits in a word, which divides several
/// times faster.
fn whole_micros(progress: i128) -> Span {
    const EACH: u64 = 1_000_000;
    let whole = match u64::try_from(progress) {
        Ok(progress) => i128::from(progress / EACH),
        Err(_) => progress.div_euclid(i128::from(EACH)),
    };
    Span::from_micros(i64::try_from(whole).unwrap_or(i64::MAX))
}
