//! Events of the present instant that may let waiting work start.

use super::census::name;
use crate::experiment::numbers;
use crate::state::{
    Allocation, AllocationRef, Ending, HeldShare, InstanceRef, Record, State, WorkRef,
};
use crate::units::Span;

/// Pieces of work that are named.
const NAMED: usize = 3;

/// Tasks that stopped.
#[derive(Debug)]
struct Stopped {
    work: WorkRef,
    job: String,
    /// The tasks are not all of the work.
    part: bool,
    ending: Ending,
    instances: Vec<InstanceRef>,
    /// Preemption after which the tasks wait again, which is not written yet.
    preempted: Option<Preempted>,
}

/// A preemption, or another end after which tasks wait again.
#[derive(Debug)]
pub(super) struct Preempted {
    pub(super) ending: Ending,
    pub(super) tasks: u32,
    /// Progress of each task that has to be made again, on the reference machine.
    pub(super) lost: Span,
    /// Work that was placed next, and its name if it took an instance of theirs; of a failure, what
    /// failed.
    next: Option<WorkRef>,
    pub(super) to: Option<String>,
}

/// The news of one instant. Cleared when the clock moves.
#[derive(Debug, Default)]
pub(super) struct News {
    stopped: Vec<Stopped>,
    ready: Vec<InstanceRef>,
    /// Devices that work again, and their instances.
    repaired: Vec<(InstanceRef, u32)>,
    /// The last failure of this instant, in words.
    failure: String,
    /// Work left the queue: it started, or was turned away.
    left: bool,
}

impl News {
    /// Takes in a fact.
    pub(super) fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Stopped { allocation, ending, lost, .. } => {
                let target = state.allocation(allocation);
                let work = target.work();
                let rate = i128::from(state.joint_rate(work, target.tasks));
                let lost = i64::try_from(lost / 1_000_000 / rate).unwrap_or(i64::MAX);
                let (tasks, lost) = (target.tasks, Span::from_micros(lost));
                let to = (ending == Ending::Failed).then(|| self.failure_of(state, allocation));
                let preempted = Preempted { ending, tasks, lost, next: None, to };
                self.stopped.push(Stopped {
                    work,
                    job: name(state, work),
                    part: !state.work(work).ask.gang && target.tasks < state.work(work).ask.tasks,
                    ending,
                    instances: target.held.iter().map(|held| held.share.instance).collect(),
                    preempted: ending.waits_again().then_some(preempted),
                });
            }
            Record::Ready(instance) => self.ready.push(instance),
            Record::Failed { instance, fault } => {
                let (world, failed) = (state.world(), state.instance(instance));
                let (offer, slot) = (&world.offers[failed.offer].name, failed.slot);
                self.failure = format!("{} on {offer} #{slot}", world.faults[fault].name);
            }
            Record::Devices { instance, fault, devices, breaks: true } => {
                let (world, failed) = (state.world(), state.instance(instance));
                let (offer, slot) = (&world.offers[failed.offer].name, failed.slot);
                let name = &world.faults[fault].name;
                self.failure = format!("{name} on {offer} #{slot}, GPU {}", numbers(devices));
            }
            Record::Devices { instance, devices, breaks: false, .. } => {
                self.repaired.push((instance, devices));
            }
            Record::Placed(allocation) => self.placed(state, allocation),
            Record::Started(_) | Record::Refused { .. } => self.left = true,
            Record::Submitted(_)
            | Record::Finished(_)
            | Record::Unfinished(_)
            | Record::Requested(_)
            | Record::Draining { .. }
            | Record::Repaired(_)
            | Record::Outage { .. }
            | Record::Slowed { .. }
            | Record::Restarted { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::Released { .. }
            | Record::Charged(_)
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => {}
        }
    }

    /// What failed under the tasks of an allocation: a machine, or the launch of one.
    fn failure_of(&self, state: &State<'_>, allocation: AllocationRef) -> String {
        let held = state.allocation(allocation).held.iter();
        let booting = held.map(|held| state.instance(held.share.instance));
        let mut booting = booting.filter(|instance| instance.phase.is_booting());
        match booting.next() {
            Some(instance) if self.failure.is_empty() => {
                let offer = &state.world().offers[instance.offer].name;
                format!("the launch of {offer} #{} came to nothing", instance.slot)
            }
            Some(_) | None => self.failure.clone(),
        }
    }

    /// Whoever makes others yield is placed next.
    fn placed(&mut self, state: &State<'_>, allocation: AllocationRef) {
        let target = state.allocation(allocation);
        let work = target.work();
        for stopped in self.stopped.iter_mut().filter(|stopped| stopped.work != work) {
            let Some(preempted) = &mut stopped.preempted else { continue };
            let here = || target.held.iter().map(|held| held.share.instance);
            if *preempted.next.get_or_insert(work) == work
                && preempted.to.is_none()
                && here().any(|held| stopped.instances.contains(&held))
            {
                preempted.to = Some(name(state, work));
            }
        }
    }

    /// The ends of tasks of `work` that wait again, as far as they are not written yet.
    pub(super) fn preempted(&mut self, work: WorkRef) -> Vec<Preempted> {
        let own = self.stopped.iter_mut().filter(|stopped| stopped.work == work);
        own.filter_map(|stopped| stopped.preempted.take()).collect()
    }

    /// Clears the news, as the clock moves.
    pub(super) fn clear(&mut self) {
        self.stopped.clear();
        self.ready.clear();
        self.repaired.clear();
        self.failure.clear();
        self.left = false;
    }

    /// Devices that work again with some that the allocation holds, and the first instance that has such.
    fn repaired_of(&self, target: &Allocation) -> Option<(InstanceRef, u32)> {
        target.held.iter().find_map(|HeldShare { share, .. }| {
            let is_held =
                |row: &&(InstanceRef, u32)| row.0 == share.instance && row.1 & share.devices != 0;
            let devices = self.repaired.iter().filter(is_held).fold(0, |all, row| all | row.1);
            (devices != 0).then_some((share.instance, devices))
        })
    }

    /// Cause, in words, that let the tasks of `allocation`, which waited, start now.
    pub(super) fn cause(&self, state: &State<'_>, allocation: AllocationRef) -> String {
        let target = state.allocation(allocation);
        let held = || target.held.iter().map(|held| held.share.instance);
        if let Some(instance) = held().find(|held| self.ready.contains(held)) {
            let instance = state.instance(instance);
            let offer = &state.world().offers[instance.offer].name;
            return format!("instance {} ({offer}) was ready", instance.ordinal);
        }
        if let Some((instance, devices)) = self.repaired_of(target) {
            let (instance, devices) = (state.instance(instance), numbers(devices));
            let offer = &state.world().offers[instance.offer].name;
            return format!("GPU {devices} of instance {} ({offer}) works again", instance.ordinal);
        }
        let here = self.stopped.iter().filter(|stopped| {
            stopped.instances.iter().any(|instance| held().any(|held| held == *instance))
        });
        let here: Vec<&Stopped> = here.collect();
        let all: Vec<&Stopped> = self.stopped.iter().collect();
        match (here.is_empty(), all.is_empty()) {
            (false, _) => made_room(&here, target.work()),
            (true, false) => made_room(&all, target.work()),
            (true, true) if self.left => "other work left the queue".to_owned(),
            (true, true) => String::new(),
        }
    }
}

/// Work that made room for `work`, in words.
fn made_room(stopped: &[&Stopped], work: WorkRef) -> String {
    let mut told: Vec<String> = Vec::new();
    for one in stopped {
        let how = match one.ending {
            Ending::Done => "ended",
            Ending::Preempted => "yielded",
            Ending::Interrupted => "was interrupted",
            Ending::Hibernated => "was hibernated",
            Ending::Failed => "failed",
            Ending::Migrated => "moved away",
            Ending::Cancelled => "was cancelled",
            Ending::RunOver => "was cut off",
        };
        let text = match (one.work == work, one.part) {
            (true, _) => format!("tasks of its own {how}"),
            (false, true) => format!("tasks of {} {how}", one.job),
            (false, false) => format!("{} {how}", one.job),
        };
        if !told.contains(&text) {
            told.push(text);
        }
    }
    let more = told.len().saturating_sub(NAMED);
    told.truncate(NAMED);
    let text = told.join(", ");
    if more > 0 { format!("{text} and {more} more") } else { text }
}
