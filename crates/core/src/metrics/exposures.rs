//! Work that ran where a security incident was.

use crate::state::{Allocation, LiveWork, State, WorkRef};
use crate::units::Time;

/// Counts work that ran, and of that what ran where an incident was at the time.
#[derive(Clone, Debug, Default)]
pub(super) struct Exposures {
    /// Work that arrived before is not counted.
    from: Time,
    /// Incidents that are not over: rows of their faults.
    open: Vec<usize>,
    /// Live work that ran, and whether it was struck, by slot.
    ran: Vec<Option<(WorkRef, bool)>>,
    /// Number of pieces of work that ran.
    exposures: u64,
    /// Of these, what was struck.
    incidents: u64,
}

impl Exposures {
    /// Counts work that arrives at `from` or later.
    pub(super) fn starting(from: Time) -> Self {
        Self { from, ..Self::default() }
    }

    /// Whether there may be incidents in the world of `state`.
    pub(super) fn are_possible(state: &State<'_>) -> bool {
        state.world().faults.iter().any(|fault| fault.effect.exposes())
    }

    /// Share of the work that ran that met no incident; `None` where none ran.
    pub(super) fn security(&self) -> Option<f64> {
        super::ratio((self.exposures - self.incidents) as f64, self.exposures as f64)
    }

    /// Pieces of work that ran and met no incident, and all that ran.
    pub(super) fn counts(&self) -> [i128; 2] {
        [i128::from(self.exposures - self.incidents), i128::from(self.exposures)]
    }

    /// Counts anew from now on: work that runs has begun to, and meets what is not over.
    pub(super) fn begin_anew(&mut self, state: &State<'_>) {
        self.ran.clear();
        (self.exposures, self.incidents) = (0, 0);
        for (_, live) in state.works() {
            for one in running(state, live) {
                self.started(state, one, live);
            }
        }
    }

    /// An incident is on from now on; who runs there has not met it yet.
    pub(super) fn opens(&mut self, fault: usize) {
        self.open.push(fault);
    }

    /// A fault begins or ends: if it is an incident, work that runs there is struck.
    pub(super) fn fault(&mut self, state: &State<'_>, fault: usize, begins: bool) {
        if !state.world().faults[fault].effect.exposes() {
            return;
        }
        if !begins {
            let at = self.open.iter().position(|&other| other == fault);
            at.map(|at| self.open.swap_remove(at));
            return;
        }
        self.opens(fault);
        for (work, live) in state.works() {
            if running(state, live).any(|one| lies_in(state, one, fault)) {
                self.strike(work);
            }
        }
    }

    /// Tasks of `work` start.
    #[inline(always)]
    pub(super) fn started(&mut self, state: &State<'_>, started: &Allocation, live: &LiveWork) {
        if live.arrival < self.from {
            return;
        }
        let work = started.work();
        if self.ran.len() <= work.slot() {
            self.ran.resize(work.slot() + 1, None);
        }
        let entry = &mut self.ran[work.slot()];
        if entry.is_none_or(|(other, _)| other != work) {
            *entry = Some((work, false));
            self.exposures += 1;
        }
        if self.open.iter().any(|&fault| lies_in(state, started, fault)) {
            self.strike(work);
        }
    }

    fn strike(&mut self, work: WorkRef) {
        if let Some(Some((other, struck))) = self.ran.get_mut(work.slot())
            && *other == work
            && !*struck
        {
            *struck = true;
            self.incidents += 1;
        }
    }
}

/// Allocations of work that have started and not ended.
fn running<'s>(state: &'s State<'_>, live: &'s LiveWork) -> impl Iterator<Item = &'s Allocation> {
    let runs = live.allocations.iter().map(|&one| state.allocation(one));
    runs.filter(|one| one.started().is_some() && !one.has_ended())
}

/// Whether an allocation lies on an instance that a fault concerns.
fn lies_in(state: &State<'_>, target: &Allocation, fault: usize) -> bool {
    let fault = &state.world().faults[fault];
    target.held.iter().any(|held| fault.concerns(state.instance(held.share.instance).offer))
}
