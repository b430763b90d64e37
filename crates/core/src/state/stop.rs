//! The way out of an allocation, the same for every ending.

use super::change::{Effect, Refusal, Undo};
use super::{AllocationRef, Ending, State, Why};

impl State<'_> {
    /// Takes the instances of an allocation away; its tasks wait again. The simulator
    /// concludes it when it follows up the policy's actions.
    ///
    /// # Errors
    /// [`Refusal::AllocationGone`] where it has ended.
    pub(crate) fn preempt(&mut self, allocation: AllocationRef) -> Result<(), Refusal> {
        if !self.allocations.contains(allocation) || self.allocations[allocation].has_ended() {
            return Err(Refusal::AllocationGone);
        }
        self.end(allocation, Ending::Preempted);
        Ok(())
    }

    /// Ends an allocation within a turn.
    pub(crate) fn end(&mut self, allocation: AllocationRef, ending: Ending) {
        self.stop(allocation, ending);
        self.effects.push(Effect::Stopped(allocation));
    }

    /// Ends an allocation: its resources are free, and its tasks are done, wait again, or go
    /// with their work. Its charges and its records are made when it is closed.
    #[inline(always)]
    pub(crate) fn stop(&mut self, allocation: AllocationRef, ending: Ending) {
        self.forget_end(allocation);
        let target = &mut self.allocations[allocation];
        target.ending = Some(ending);
        let tasks = target.tasks;
        let live = &mut self.works[target.work()];
        live.placed -= tasks;
        if ending.is_done() {
            live.done += tasks;
        }
        let demand = live.ask.demand;
        let mut room = 0;
        for held in &target.held {
            let share = held.share;
            let (idle_since, emptied) = self.fleet.change(share.instance, |instance| {
                room += instance.room_left_by(share.tasks);
                instance.give(demand, share.tasks, share.devices);
                instance.leaves(allocation);
                let idle_since = std::mem::replace(&mut instance.idle_since, self.now);
                (idle_since, instance.newly_idle())
            });
            if emptied {
                self.emptied.push(share.instance);
            }
            if self.attempts > 0 {
                let listed = emptied;
                self.undo.push(Undo::Emptied { instance: share.instance, idle_since, listed });
            }
        }
        self.fleet.uniform.change(room);
        if target.started().is_some() {
            self.totals.allocated.add_tasks(demand, -i64::from(tasks));
        }
        if let Some(why) = ending.returns() {
            self.wait_again(allocation, ending, why);
        }
        self.remember(Undo::Stopped(allocation));
    }

    /// The tasks of an allocation that has ended wait again.
    fn wait_again(&mut self, allocation: AllocationRef, ending: Ending, why: Why) {
        let target = &self.allocations[allocation];
        let (work, tasks) = (target.work(), target.tasks);
        let before = self.comes_back(work, why);
        self.remember(Undo::Wait(work, before));
        let kept = self.kept(allocation, ending);
        let tasks = self.ask_again_for(work, tasks, why);
        self.change_saved(work, kept, i64::from(tasks));
        let live = &mut self.works[work];
        self.totals.waiting += u64::from(live.waiting == 0);
        live.waiting += tasks;
        self.tell_saved(work);
    }

    /// Takes the end of an allocation back, but for what its instances have been idle since,
    /// and its work has waited since.
    pub(super) fn unstop(&mut self, allocation: AllocationRef) {
        let ending = self.allocations[allocation].ending.take().expect("it had ended");
        let target = &self.allocations[allocation];
        let (work, tasks) = (target.work(), target.tasks);
        let demand = self.works[work].ask.demand;
        let mut room = 0;
        for held in &target.held {
            let share = held.share;
            self.fleet.change(share.instance, |instance| {
                room += instance.room_left_by(share.tasks);
                instance.take(demand, share.tasks, share.devices);
                instance.enters(allocation);
            });
        }
        self.fleet.uniform.change(-room);
        if target.started().is_some() {
            self.totals.allocated.add_tasks(demand, i64::from(tasks));
        }
        let end = (target.estimated_end, allocation);
        let waited = if ending == Ending::Migrated { tasks } else { self.asked_again(work, tasks) };
        if ending.waits_again() {
            let kept = self.kept(allocation, ending);
            self.change_saved(work, kept, -i64::from(waited));
        }
        let live = &mut self.works[work];
        live.placed += tasks;
        if ending.is_done() {
            live.done -= tasks;
        } else if ending.waits_again() {
            live.waiting -= waited;
            live.ask.tasks -= waited - tasks;
            self.totals.waiting -= u64::from(live.waiting == 0);
            self.tell_saved(work);
        }
        if self.needs.ends {
            self.ends.insert(end);
        }
        self.keep_latest(allocation, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ask, Market};
    use crate::state::testing::{Plan, demand, shape, start, submit, world};
    use crate::state::{ChargeKind, Needs, Pending, Share, Totals, WorkRef};
    use crate::units::{Id, Scalar, Span, Time};

    /// Stage of an allocation when it ends, 100 s after it was placed.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Stage {
        /// An instance boots.
        Placed,
        /// The allocation reads its input for longer than that.
        Reads,
        /// The allocation has computed for all of that time.
        Computes,
    }

    /// A world with one offer of machines of 4 cores and of speed 1.5, for 3.60 USD an hour.
    fn rented() -> crate::model::World {
        let shape = shape(4_000, 4_096, 0);
        let (market, speed) = (Market::OnDemand, 1_500_000);
        world(&[Plan { shape, market, speed, price: "3.6", ..Plan::default() }])
    }

    /// A state in which two tasks of a core each hold the only machine, and those of `asked`
    /// tasks that are left wait.
    fn held(
        world: &crate::model::World,
        asked: u32,
        stage: Stage,
    ) -> (State<'_>, WorkRef, AllocationRef) {
        let needs = Needs {
            index: crate::state::IndexBy::Least(Scalar::Cpu),
            ends: true,
            latest: true,
            ..Needs::default()
        };
        let mut state = start(world, needs);
        let instance = state.rent(Id::new(0)).expect("it can be rented");
        if stage != Stage::Placed {
            state.ready(instance, &mut Vec::new());
        }
        let ask = Ask {
            demand: demand(1_000, 0, 0, 0),
            tasks: asked,
            gang: asked == 2,
            estimate: Some(Span::HOUR),
            resumes: true,
            ..Ask::default()
        };
        let work = submit(&mut state, 0, ask);
        state.set_now(Time::from_secs(10));
        state.place(work, Share { instance, tasks: 2, devices: 0 }).expect("it fits");
        let allocation = state.works[work].allocations[0];
        if stage == Stage::Reads {
            state.allocations[allocation].input = Span::HOUR;
        }
        if stage != Stage::Placed {
            state.start(allocation);
        }
        state.set_now(Time::from_secs(110));
        state.take_effects(&mut Vec::new());
        (state, work, allocation)
    }

    /// Facts that an end changes.
    fn kept(state: &State<'_>, work: WorkRef) -> String {
        let live = &state.works[work];
        let totals: &Totals = state.totals();
        let instances: Vec<_> =
            state.instances().map(|(_, one)| (one.free, one.idle_since)).collect();
        let ends: Vec<_> = state.ends().collect();
        let kept: Vec<_> = state.kept_about(Id::new(0), Time::MAX).collect();
        format!(
            "{totals:?} {live:?} {:?} {instances:?} {ends:?} {kept:?} {:?} {:?} {:?}",
            (state.pending(work), state.has_saved(work)),
            state.scalar_room(),
            state.first_fit(work, 0),
            state.allocations[live.allocations[0]],
        )
    }

    #[test]
    fn every_ending_from_every_stage_keeps_all_that_follows() {
        let world = rented();
        let stages = [Stage::Placed, Stage::Reads, Stage::Computes];
        let cases = stages.iter().flat_map(|&stage| [2, 3].map(|asked| (stage, asked)));
        for (stage, asked) in cases {
            for ending in Ending::ALL {
                let case = format!("{ending:?} of {asked} tasks, {stage:?}");
                let (mut state, work, allocation) = held(&world, asked, stage);
                let before = kept(&state, work);
                let attempt = state.begin();
                state.stop(allocation, ending);
                assert_ne!(kept(&state, work), before, "{case}");
                state.roll_back(attempt);
                assert_eq!(kept(&state, work), before, "{case}, taken back");

                state.stop(allocation, ending);
                let live = &state.works[work];
                let waits = ending.waits_again();
                let tasks = |is: bool| 2 * u32::from(is);
                let expected = (asked - 2 + tasks(waits), 0, tasks(ending.is_done()));
                assert_eq!((live.waiting, live.placed, live.done), expected, "{case}");
                let totals = state.totals();
                assert_eq!(totals.waiting, u64::from(asked > 2 || waits), "{case}");
                assert_eq!(totals.allocated.cpu, 0, "{case}");
                let (_, instance) = state.instances().next().expect("it is there");
                assert_eq!(instance.free.cpu, 4_000, "{case}");
                assert_eq!(instance.idle_since, Time::from_secs(110), "{case}");
                assert_eq!(state.ends().count(), 0, "{case}");
                assert_eq!(state.kept_about(Id::new(0), Time::MAX).count(), 0, "{case}");
                assert_eq!(state.scalar_room(), Some(4), "{case}");
                // All of its tasks wait anew, or one has waited since it was submitted.
                let since = if waits && asked == 2 { Time::from_secs(110) } else { Time::ZERO };
                let why = ending.returns().unwrap_or(Why::Arrived);
                let pending = (waits || asked > 2).then_some(Pending { since, why });
                assert_eq!(state.pending(work), pending, "{case}");
                // Tasks keep 100 s at 1.5 if they save them; a task that waits has done nothing.
                let saves = ending.saves_progress() && stage == Stage::Computes;
                let saved = i64::from(saves && asked == 2);
                assert_eq!(live.executed, Span::from_secs(150 * saved), "{case}");
                assert_eq!(state.has_saved(work), saves, "{case}");
                assert_eq!(state.preempt(allocation), Err(Refusal::AllocationGone), "{case}");

                let mut charges = Vec::new();
                let idle = state.close(allocation, &mut charges);
                assert!(idle, "{case}");
                let live = &state.works[work];
                assert!(live.allocations.is_empty(), "{case}");
                assert_eq!(live.preemptions, u32::from(ending == Ending::Preempted), "{case}");
                let paid: Vec<_> =
                    charges.iter().map(|one| (one.kind, one.amount.nanos())).collect();
                let all = [(ChargeKind::Work, 50_000_000)];
                assert_eq!(paid, all[..usize::from(stage != Stage::Placed)], "{case}");
                let (_, instance) = state.instances().next().expect("it is there");
                assert!(instance.awaited_by.is_empty(), "{case}");
            }
        }
    }

    #[test]
    fn tasks_of_an_array_resume_each_from_its_own_progress() {
        let world = rented();
        let (mut state, work, first) = held(&world, 4, Stage::Computes);
        let instance = state.allocations[first].held[0].share.instance;
        // Two tasks come 150 s far, a third 15 s, the last never runs.
        state.place(work, Share { instance, tasks: 1, devices: 0 }).expect("it fits");
        let second = state.works[work].allocations[1];
        state.start(second);
        state.stop(first, Ending::Preempted);
        state.close(first, &mut Vec::new());
        state.set_now(Time::from_secs(120));
        state.stop(second, Ending::Preempted);
        state.close(second, &mut Vec::new());
        assert_eq!(state.works[work].executed, Span::ZERO);
        let told = |state: &State<'_>| {
            let all = state.works[work].allocations.iter();
            let of = |&one: &AllocationRef| (state.allocations[one].tasks, state.saved(one));
            all.map(of).collect::<Vec<_>>()
        };
        let seconds = |secs: i128| secs * 1_000_000_000_000;
        let apart = [(1, 0), (1, seconds(15)), (2, seconds(150))];
        // Placing is the same as one share or as an opened allocation, and nothing is left of a
        // trial.
        for opened in [false, true] {
            let before = format!("{:?} {:?}", state.works[work], state.saved_waiting);
            let attempt = state.begin();
            let share = Share { instance, tasks: 4, devices: 0 };
            if opened {
                let open = state.open(work);
                state.add(open, share).expect("it fits");
                state.commit(open).expect("it fits");
            } else {
                state.place(work, share).expect("it fits");
            }
            assert_eq!(told(&state), apart);
            let left: Vec<_> = (0..3).map(|at| state.works[work].allocations[at]).collect();
            let left: Vec<_> = left.iter().map(|&one| state.rest_of_estimate(one)).collect();
            assert_eq!(left, [3_600, 3_585, 3_450].map(|secs| Some(Span::from_secs(secs))));
            state.roll_back(attempt);
            assert_eq!(format!("{:?} {:?}", state.works[work], state.saved_waiting), before);
        }
        // Once the last has started, the least of those that wait is 15 s.
        state.place(work, Share { instance, tasks: 1, devices: 0 }).expect("it fits");
        assert_eq!(state.works[work].executed, Span::from_secs(15));
        assert_eq!(state.least_saved(work), 0);
    }
}
