//! Work that is held until its time, and work that is to pause.

use std::collections::BTreeSet;

use crate::model::WorkId;
use crate::policy::due::Alarm;
use crate::policy::queue::Queue;
use crate::policy::shift::{ShiftPlan, ShiftRule};
use crate::policy::turn::Turn;
use crate::state::{DecisionNote, StartPromise, Wait, WaitReason, Why, WorkRef};
use crate::units::Time;

/// Holds work as the shift part plans it. What is held is in the queue, put aside.
#[derive(Debug)]
pub(super) struct Timetable {
    rule: Box<dyn ShiftRule>,
    /// When held work that pauses later is to do so, and work that runs.
    pauses: BTreeSet<(Time, (Time, WorkId), WorkRef)>,
    alarm: Alarm,
}

impl Timetable {
    pub(super) fn new(rule: Box<dyn ShiftRule>) -> Self {
        Self { rule, pauses: BTreeSet::new(), alarm: Alarm::default() }
    }

    pub(super) fn begin(&mut self, turn: &Turn<'_, '_>) {
        self.rule.begin(turn);
    }

    /// Holds work that arrives, if its time has not come. Returns whether it is held.
    pub(super) fn hold(
        &mut self,
        turn: &mut Turn<'_, '_>,
        queue: &mut Queue,
        work: WorkRef,
    ) -> bool {
        let rest = turn.work(work).remaining_estimate();
        let plan = self.rule.plan(turn, work, rest);
        self.keep_to(turn, queue, work, plan)
    }

    /// A gang that lost its place, or yielded, is planned anew where its number of tasks is planned.
    /// Returns whether it is held.
    pub(super) fn hold_again(
        &mut self,
        turn: &mut Turn<'_, '_>,
        queue: &mut Queue,
        work: WorkRef,
    ) -> bool {
        let is_back = match turn.pending(work).map(|wait| wait.why) {
            Some(Why::Interrupted | Why::Failed | Why::Preempted) => turn.work(work).placed == 0,
            Some(Why::Arrived | Why::Migrated) | None => false,
        };
        if !is_back || turn.min_tasks(work).is_none() {
            return false;
        }
        let rest = turn.work(work).remaining_estimate();
        let plan = self.rule.plan(turn, work, rest);
        plan.tasks.is_some() && self.keep_to(turn, queue, work, plan)
    }

    /// Notes the pause of a plan and, of work that waits, its number of tasks, and holds it until its
    /// start if that is to come.
    fn keep_to(
        &mut self,
        turn: &mut Turn<'_, '_>,
        queue: &mut Queue,
        work: WorkRef,
        plan: ShiftPlan,
    ) -> bool {
        if let Some(pause) = plan.pause {
            self.pauses.insert((pause, turn.work(work).tie(), work));
            self.alarm.set(turn, pause);
        }
        if let Some(tasks) = plan.tasks
            && turn.work(work).placed == 0
        {
            turn.scale(work, tasks).expect("the gang waits, and runs with so many");
        }
        if plan.start <= turn.now() {
            return false;
        }
        queue.hold(turn, work, plan.start);
        self.alarm.set(turn, plan.start);
        if turn.explaining() {
            turn.note(work, DecisionNote::Waits(Wait::of(WaitReason::Shifted)));
        }
        true
    }

    /// Pauses work whose time has come, if it runs and there is a better time for the rest of it, or
    /// another number of tasks, and lets go of held work whose time has come, which is added to
    /// `released`. Returns whether work left the queue for it.
    pub(super) fn keep_time(
        &mut self,
        turn: &mut Turn<'_, '_>,
        queue: &mut Queue,
        released: &mut Vec<WorkRef>,
    ) -> bool {
        let mut left = false;
        while let Some(&(at, tie, work)) = self.pauses.first() {
            if at > turn.now() {
                self.alarm.set(turn, at);
                break;
            }
            self.pauses.remove(&(at, tie, work));
            self.pause(turn, queue, work, released);
            left |= self.plan_anew(turn, queue, work, released);
        }
        while let Some((until, work)) = queue.next_held() {
            if until > turn.now() {
                self.alarm.set(turn, until);
                break;
            }
            queue.drop_aside(work);
            if turn.is_alive(work) && turn.pending(work).is_some() {
                released.push(work);
            }
        }
        left
    }

    /// Work whose number of tasks is planned, and that waits for a place, is planned anew. Returns
    /// whether it left the queue.
    fn plan_anew(
        &mut self,
        turn: &mut Turn<'_, '_>,
        queue: &mut Queue,
        work: WorkRef,
        released: &mut Vec<WorkRef>,
    ) -> bool {
        if !queue.contains(work) || turn.planned_tasks(work).is_none() {
            return false;
        }
        let live = turn.work(work);
        let (tasks, rest) = (live.ask.tasks, live.remaining_estimate());
        let plan = self.rule.plan(turn, work, rest);
        let waits_on = plan.start <= turn.now() && plan.tasks == Some(tasks);
        if !waits_on {
            queue.remove(work);
            turn.promise(work, StartPromise::Withdrawn);
        }
        if !self.keep_to(turn, queue, work, plan) && !waits_on {
            released.push(work);
        }
        !waits_on
    }

    fn pause(
        &mut self,
        turn: &mut Turn<'_, '_>,
        queue: &mut Queue,
        work: WorkRef,
        released: &mut Vec<WorkRef>,
    ) {
        if !turn.is_alive(work) {
            return;
        }
        let running: Vec<_> = turn.work(work).allocations.iter().copied().collect();
        let &[allocation] = running.as_slice() else { return };
        let target = turn.allocation(allocation);
        let boots = target.started().is_none() && turn.planned_tasks(work).is_none();
        if boots || target.has_ended() {
            return;
        }
        let tasks = target.tasks;
        let rest = turn.rest_of_estimate(allocation);
        let plan = self.rule.plan(turn, work, rest);
        let changes = plan.tasks.is_some_and(|planned| planned != tasks);
        if changes || plan.start > turn.now() {
            turn.preempt(allocation).expect("what runs can be preempted");
        }
        if !self.keep_to(turn, queue, work, plan) && changes {
            released.push(work);
        }
    }
}
