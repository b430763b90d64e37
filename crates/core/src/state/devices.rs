//! Devices of an instance that are broken, while the others go on.

use super::{AllocationRef, InstanceRef, State};

/// Adds devices to those that a fault holds, or takes them away. Rows without devices are not kept.
pub(crate) fn strike(held: &mut Vec<(u32, u32)>, (fault, devices): (usize, u32), holds: bool) {
    let at = held.iter().position(|&(other, _)| other as usize == fault);
    match (at, holds) {
        (None, true) if devices != 0 => held.push((fault as u32, devices)),
        (Some(at), true) => held[at].1 |= devices,
        (Some(at), false) => {
            held[at].1 &= !devices;
            if held[at].1 == 0 {
                held.swap_remove(at);
            }
        }
        (None, true | false) => {}
    }
}

impl State<'_> {
    /// Those of `devices` that the instance has and that work.
    pub(crate) fn working_of(&self, reference: InstanceRef, devices: u32) -> u32 {
        let instance = &self.fleet.instances[reference];
        devices & instance.all_devices() & !instance.broken
    }

    /// Whether an allocation holds any of `devices` of an instance.
    pub(crate) fn holds_devices(
        &self,
        allocation: AllocationRef,
        reference: InstanceRef,
        devices: u32,
    ) -> bool {
        let held = self.allocations[allocation].held.iter().map(|held| held.share);
        held.filter(|share| share.instance == reference).any(|share| share.devices & devices != 0)
    }

    /// A fault breaks devices of an instance, which nothing holds, or no longer holds them broken. Returns
    /// those that broke or work again: of several faults of a device the last one that is over counts.
    pub(crate) fn set_broken(
        &mut self,
        reference: InstanceRef,
        (fault, devices): (usize, u32),
        breaks: bool,
    ) -> u32 {
        let instance = &mut self.fleet.instances[reference];
        let devices = devices & instance.all_devices();
        strike(&mut instance.broken_by, (fault, devices), breaks);
        let rows = instance.broken_by.iter();
        let broken = rows.fold(0, |broken, &(_, devices)| broken | devices);
        let changed = broken ^ instance.broken;
        if changed == 0 {
            return 0;
        }
        let phase = instance.phase;
        self.settle_fleet();
        self.count_phase(reference, phase, -1);
        if phase.takes_work() {
            self.fleet.leave(reference);
        }
        self.fleet.instances[reference].set_broken(broken);
        if phase.takes_work() {
            self.fleet.enter(reference);
            self.room_made += u64::from(!breaks);
        }
        self.count_phase(reference, phase, 1);
        changed
    }
}

#[cfg(test)]
mod tests;
