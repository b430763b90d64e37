//! What was out in a run, over time.

use crate::model::{FaultDomain, Market};
use crate::sim::Observer;
use crate::state::{Instance, InstanceRef, Record, State};
use crate::weather::FaultRibbon;

/// A share more of an owned machine is out, or less. Rented machines that fail are gone at once.
fn machine(ribbon: &mut FaultRibbon, state: &State<'_>, reference: InstanceRef, share: f64) {
    let instance = state.instance(reference);
    if instance.market == Market::Owned {
        let all = state.world().offers[instance.offer].running_at_start;
        ribbon.machine(state.now(), (instance.offer, instance.slot), all, share);
    }
}

/// Share of a machine that its devices leave where it does not stop: 1 without any that is broken.
fn left(instance: &Instance) -> f64 {
    1.0 - share_of_devices(instance, instance.broken())
}

fn share_of_devices(instance: &Instance, devices: u32) -> f64 {
    f64::from(devices.count_ones()) / f64::from(instance.shape.gpus.max(1))
}

impl Observer for FaultRibbon {
    fn begins(&mut self, state: &State<'_>) {
        *self = Self::new(state.now());
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Failed { instance, .. } => {
                machine(self, state, instance, left(state.instance(instance)));
            }
            Record::Repaired(instance) => {
                machine(self, state, instance, -left(state.instance(instance)));
            }
            // What is down is out, with all its devices.
            Record::Devices { instance, devices, breaks, .. } => {
                let target = state.instance(instance);
                let share = share_of_devices(target, devices);
                if !target.phase.is_down() {
                    machine(self, state, instance, if breaks { share } else { -share });
                }
            }
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
            Self::Machines(_) | Self::Device | Self::Slots { .. } => 1.0,
        }
    }
}
