//! What was out in a run, over time.

use crate::model::{FaultDomain, Market};
use crate::sim::Observer;
use crate::state::{InstanceRef, Record, State};
use crate::weather::FaultRibbon;

/// Rented machines that fail are gone at once, so only owned ones are out.
fn machine(ribbon: &mut FaultRibbon, state: &State<'_>, reference: InstanceRef, fails: bool) {
    let instance = state.instance(reference);
    if instance.market == Market::Owned {
        let all = state.world().offers[instance.offer].running_at_start;
        ribbon.machine(state.now(), (instance.offer, instance.slot), all, fails);
    }
}

impl Observer for FaultRibbon {
    fn begins(&mut self, state: &State<'_>) {
        *self = Self::new(state.now());
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Failed { instance, .. } => machine(self, state, instance, true),
            Record::Repaired(instance) => machine(self, state, instance, false),
            Record::Outage { fault, begins } => {
                let share = state.world().faults[fault].domain.share();
                self.outage(state.now(), fault, share, begins);
            }
            Record::Submitted(_)
            | Record::Placed(_)
            | Record::Started(_)
            | Record::Stopped { .. }
            | Record::Finished(_)
            | Record::Refused { .. }
            | Record::Unfinished(_)
            | Record::Requested(_)
            | Record::Ready(_)
            | Record::Draining { .. }
            | Record::Slowed { .. }
            | Record::Restarted { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::Released { .. }
            | Record::Charged(_)
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => (),
        }
    }

    fn ends(&mut self, state: &State<'_>) {
        self.end(state.now());
    }
}

impl FaultDomain {
    /// Share of its offers that it takes where it takes no single machines, from 0 to 1.
    pub(crate) const fn share(self) -> f64 {
        match self {
            Self::Share(millionths) => millionths as f64 / 1e6,
            Self::Machines(_) | Self::Slots { .. } => 1.0,
        }
    }
}
