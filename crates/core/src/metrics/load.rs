//! Load of machines and length of the queue, over the time that counts.

use super::ratio;
use crate::model::World;
use crate::state::{State, TimeIntegrals};
use crate::units::{Span, Time};

/// Keeps the state's integrals over the time that counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Load {
    /// Time before this does not count: the end of a warm-up.
    from: Option<Time>,
    /// The end of a window: what is left of its work afterwards is no longer its load.
    pub(super) until: Option<Time>,
    began: Time,
    elapsed: Span,
    /// Over the time that counts, and before it.
    areas: TimeIntegrals,
    before: TimeIntegrals,
    /// The same up to the end of the window, where the run goes on after it.
    window: Option<(Span, TimeIntegrals)>,
    waiting_max: u64,
}

impl Load {
    /// Counts time from `from` on.
    pub(super) fn starting(from: Time) -> Self {
        Self { from: Some(from), ..Self::default() }
    }

    /// Time from which a run that starts at `started` counts.
    pub(super) fn counts_from(&self, started: Time) -> Time {
        self.from.map_or(started, |warm| warm.max(started))
    }

    /// Time from which this run counts.
    pub(super) fn began(&self) -> Time {
        self.counts_from(self.began)
    }

    pub(super) fn begins(&mut self, state: &State<'_>) {
        self.began = state.now();
    }

    #[inline(always)]
    pub(super) fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        if let Some(warm) = self.from {
            if from < warm && warm <= to {
                self.before = state.areas_at(warm);
            }
            if to <= warm {
                return;
            }
        }
        if let Some(until) = self.until
            && from < until
            && until <= to
        {
            self.window = Some((until - self.began(), state.areas_at(until).minus(&self.before)));
        }
        self.waiting_max = self.waiting_max.max(state.totals().waiting);
    }

    pub(super) fn ends(&mut self, state: &State<'_>) {
        let from = self.began();
        if from < state.now() {
            self.elapsed = state.now() - from;
            self.areas = state.areas_at(state.now()).minus(&self.before);
        }
    }

    /// Over which time utilisation and the queue are told, and the integrals over it.
    fn measured(&self) -> (Span, &TimeIntegrals) {
        match &self.window {
            Some((elapsed, areas)) => (*elapsed, areas),
            None => (self.elapsed, &self.areas),
        }
    }

    /// Time-weighted mean of waiting work.
    pub(super) fn queue(&self) -> Option<f64> {
        let (elapsed, areas) = self.measured();
        ratio(areas.waiting as f64, elapsed.micros() as f64)
    }

    /// Most work that waited for longer than an instant.
    pub(super) const fn queue_max(&self) -> u64 {
        self.waiting_max
    }

    /// Utilisation of a resource, by its place: CPU, memory, GPU.
    pub(super) fn utilisation(&self, at: usize) -> Option<f64> {
        let (_, areas) = self.measured();
        ratio(areas.allocated[at] as f64, areas.capacity[at] as f64)
    }

    /// Time of running instances over that of those that run or are down.
    pub(super) fn availability(&self) -> Option<f64> {
        let (_, areas) = self.measured();
        ratio(areas.running as f64, (areas.running + areas.down) as f64)
    }

    /// Hours of broken devices of instances that ran; `None` where nothing breaks any.
    pub(super) fn broken_gpu_hours(&self, world: &World) -> Option<f64> {
        let can_break = world.faults.iter().any(|fault| fault.effect.breaks_devices());
        can_break.then(|| self.areas.broken as f64 / 3.6e9)
    }

    /// Hours of running instances, and of booting ones.
    pub(super) fn instance_hours(&self) -> [f64; 2] {
        [self.areas.running, self.areas.booting].map(|area| area as f64 / 3.6e9)
    }
}
