//! Free part of one instance at some time, without anything else of it: plans hold many of these.

use smallvec::SmallVec;

use crate::state::{Instance, count_devices, fill_devices, fits_on, room_of, tightest_of};
use crate::units::{Demand, Free, Occupancy};

/// Free part of one instance.
#[derive(Clone, Debug)]
pub(super) struct FreeCapacity {
    /// Free part when it is empty.
    whole: Free,
    free: Free,
    /// Number of shares held on it.
    holders: u32,
    /// Free milli-shares by device.
    devices: SmallVec<[u16; 8]>,
    /// Devices that are broken, as a bit set.
    broken: u32,
}

impl FreeCapacity {
    /// Free part of `instance` now.
    pub(super) fn of(instance: &Instance) -> Self {
        Self {
            whole: instance.working().free(),
            free: instance.free,
            holders: instance.allocations,
            devices: SmallVec::from_slice(instance.devices()),
            broken: instance.broken(),
        }
    }

    /// Number of tasks of `demand` that fit.
    pub(super) fn room(&self, demand: Demand) -> u32 {
        room_of(self.free, &self.devices, demand)
    }

    /// The devices for `tasks` tasks of `demand`, as [`Instance::tightest_devices`].
    pub(super) fn devices_for(&self, demand: Demand, tasks: u32) -> Option<u32> {
        tightest_of(self.free, &self.devices, demand, tasks)
    }

    /// Keeps what is free in `other` too.
    pub(super) fn keep_common(&mut self, other: &Self) {
        self.free.cpu = self.free.cpu.min(other.free.cpu);
        self.free.memory = self.free.memory.min(other.free.memory);
        self.free.occupancy = self.free.occupancy.max(other.free.occupancy);
        for (free, &other) in self.devices.iter_mut().zip(&other.devices) {
            *free = (*free).min(other);
        }
        self.count_devices();
    }

    /// Whether `tasks` tasks of `demand` fit on exactly these devices.
    pub(super) fn can_take(&self, demand: Demand, tasks: u32, devices: u32) -> bool {
        fits_on(self.free, &self.devices, demand, tasks, devices)
    }

    /// Takes what `tasks` tasks on `devices` hold. The caller has checked that they fit.
    pub(super) fn take(&mut self, demand: Demand, tasks: u32, devices: u32) {
        self.holders += 1;
        if demand.exclusive {
            self.free = Free::EXCLUSIVE;
            self.devices.fill(0);
            return;
        }
        self.free.occupancy = Occupancy::Shared;
        self.free.cpu -= demand.cpu * tasks;
        self.free.memory -= demand.memory * tasks;
        self.on_devices(devices, |free| *free -= demand.gpu_share);
    }

    /// Gives back what `tasks` tasks of `demand` hold on `devices`.
    pub(super) fn give(&mut self, demand: Demand, tasks: u32, devices: u32) {
        self.holders -= 1;
        if demand.exclusive {
            self.free = self.whole;
            fill_devices(&mut self.devices, self.broken);
            return;
        }
        if self.holders == 0 {
            self.free.occupancy = Occupancy::Empty;
        }
        self.free.cpu += demand.cpu * tasks;
        self.free.memory += demand.memory * tasks;
        self.on_devices(devices, |free| *free += demand.gpu_share);
    }

    fn on_devices(&mut self, devices: u32, change: impl Fn(&mut u16)) {
        if devices == 0 {
            return;
        }
        for (at, free) in self.devices.iter_mut().enumerate() {
            if devices & (1 << at) != 0 {
                change(free);
            }
        }
        self.count_devices();
    }

    fn count_devices(&mut self) {
        if !self.devices.is_empty() {
            count_devices(&mut self.free, &self.devices);
        }
    }
}
