//! Machines with GPUs that only work without GPUs holds: what GPUs cost that nobody asked for.

use crate::model::Market;
use crate::state::{AllocationRef, State};
use crate::units::{Money, Time};

/// Adds up the time and the cost of machines with GPUs while work runs on them, but
/// none with GPUs.
#[derive(Clone, Debug, Default)]
pub(super) struct CpuOnly {
    /// The world has machines with GPUs.
    watches: bool,
    /// Use of each instance, by its slot.
    holds: Vec<InstanceUse>,
    /// Some machine with GPUs was rented.
    pub(super) has_rented: bool,
    /// Microseconds of rented machines, and of owned ones.
    pub(super) rented: i128,
    pub(super) owned: i128,
    /// Cost that the rented machines accrued in that time, before rounding rules.
    pub(super) cost: Money,
}

/// Allocations that run on an instance.
#[derive(Clone, Copy, Debug, Default)]
struct InstanceUse {
    /// Allocations, and those among them that have GPUs.
    running: u32,
    with_gpus: u32,
    /// Start of the time in which those without are alone, and what the instance had accrued
    /// then.
    since: Time,
    accrued: Money,
}

impl InstanceUse {
    const fn is_cpu_only(self) -> bool {
        self.running > 0 && self.with_gpus == 0
    }
}

impl CpuOnly {
    pub(super) fn begins(&mut self, state: &State<'_>) {
        self.watches = state.world().types.rows().iter().any(|kind| kind.shape.gpus > 0);
    }

    /// Takes away what `earlier` added up.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        self.rented -= earlier.rented;
        self.owned -= earlier.owned;
        self.cost -= earlier.cost;
    }

    /// An allocation starts.
    #[inline]
    pub(super) fn started(&mut self, state: &State<'_>, allocation: AllocationRef) {
        if self.watches {
            self.change(state, allocation, |count| *count += 1);
        }
    }

    /// An allocation ends, which had started.
    #[inline]
    pub(super) fn stopped(&mut self, state: &State<'_>, allocation: AllocationRef) {
        if self.watches && state.allocation(allocation).started().is_some() {
            self.change(state, allocation, |count| *count -= 1);
        }
    }

    fn change(&mut self, state: &State<'_>, of: AllocationRef, count: impl Fn(&mut u32)) {
        let (allocation, now) = (state.allocation(of), state.now());
        let has_gpus = state.work(allocation.work()).ask.demand.gpus > 0;
        for held in &allocation.held {
            let (slot, instance) =
                (held.share.instance.slot(), state.instance(held.share.instance));
            if instance.shape.gpus == 0 {
                continue;
            }
            if self.holds.len() <= slot {
                self.holds.resize(slot + 1, InstanceUse::default());
            }
            let rented = instance.market != Market::Owned;
            self.has_rented |= rented;
            let hold = &mut self.holds[slot];
            let before = *hold;
            count(&mut hold.running);
            if has_gpus {
                count(&mut hold.with_gpus);
            }
            match (before.is_cpu_only(), hold.is_cpu_only()) {
                (false, true) => {
                    (hold.since, hold.accrued) = (now, instance.meter().so_far(now));
                }
                (true, false) => {
                    let span = i128::from((now - before.since).micros());
                    if rented {
                        self.rented += span;
                        self.cost += instance.meter().so_far(now) - before.accrued;
                    } else {
                        self.owned += span;
                    }
                }
                (true, true) | (false, false) => (),
            }
        }
    }
}
