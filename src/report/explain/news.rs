//! What happened at the present instant that may let waiting work start.

use super::census::name;
use crate::state::{AllocationRef, Ending, InstanceRef, Record, State, WorkRef};

/// Pieces of work that are named.
const NAMED: usize = 3;

/// Tasks that stopped.
#[derive(Debug)]
struct Stopped {
    work: WorkRef,
    job: String,
    /// Not all tasks of the work.
    part: bool,
    ending: Ending,
    instances: Vec<InstanceRef>,
}

/// The news of one instant. Cleared when the clock moves.
#[derive(Debug, Default)]
pub(super) struct News {
    stopped: Vec<Stopped>,
    ready: Vec<InstanceRef>,
    /// Work left the queue: it started, or was turned away.
    left: bool,
}

impl News {
    /// Takes in a fact.
    pub(super) fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Stopped { allocation, ending, .. } => {
                let target = state.allocation(allocation);
                let work = target.work();
                self.stopped.push(Stopped {
                    work,
                    job: name(state, work),
                    part: target.tasks < state.work(work).ask.tasks,
                    ending,
                    instances: target.held.iter().map(|held| held.share.instance).collect(),
                });
            }
            Record::Ready(instance) => self.ready.push(instance),
            Record::Started(_) | Record::Refused { .. } => self.left = true,
            Record::Submitted(_)
            | Record::Placed(_)
            | Record::Finished(_)
            | Record::Unfinished(_)
            | Record::Requested(_)
            | Record::Released { .. }
            | Record::Charged(_)
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => {}
        }
    }

    /// The clock moves.
    pub(super) fn clear(&mut self) {
        self.stopped.clear();
        self.ready.clear();
        self.left = false;
    }

    /// What let the tasks of `allocation`, which waited, start now.
    pub(super) fn cause(&self, state: &State<'_>, allocation: AllocationRef) -> String {
        let target = state.allocation(allocation);
        let held = || target.held.iter().map(|held| held.share.instance);
        if let Some(instance) = held().find(|held| self.ready.contains(held)) {
            let instance = state.instance(instance);
            let offer = &state.world().offers[instance.offer].name;
            return format!("instance {} ({offer}) was ready", instance.ordinal);
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

/// Who made room for `work`.
fn made_room(stopped: &[&Stopped], work: WorkRef) -> String {
    let mut told: Vec<String> = Vec::new();
    for one in stopped {
        let how = match one.ending {
            Ending::Done => "ended",
            Ending::Preempted => "yielded",
            Ending::Unfinished => "was cut off",
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
