//! Resource vectors: what a machine offers, what a task asks, what is left.
//!
//! CPU is milli-cores, memory is MiB. GPUs are devices; each device has 1,000
//! milli-shares, so that whole and fractional demands pack per device.

/// Milli-shares of one whole GPU device.
pub const WHOLE_GPU: u16 = 1_000;
/// Most GPU devices that one instance may have.
pub const MAX_GPUS: u8 = 32;

/// Resources that one task asks of the one instance it runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Demand {
    /// CPU in milli-cores.
    pub cpu: u32,
    /// Memory in MiB.
    pub memory: u32,
    /// GPU devices, 0 to 32.
    pub gpus: u8,
    /// Milli-shares of each of those devices, 1 to 1,000; 0 when `gpus` is 0.
    /// Shares of different devices are never added up into one.
    pub gpu_share: u16,
    /// The instance is its job's alone: tasks of one allocation share it, nothing
    /// else does, and each has devices of its own.
    pub exclusive: bool,
}

impl Demand {
    /// Milli-shares over all devices.
    pub const fn gpu_milli(self) -> u32 {
        self.gpus as u32 * self.gpu_share as u32
    }

    /// Whether the task takes only whole devices (or none).
    pub const fn whole_gpus(self) -> bool {
        self.gpus == 0 || self.gpu_share == WHOLE_GPU
    }
}

/// Resources that one instance offers to work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// CPU in milli-cores.
    pub cpu: u32,
    /// Memory in MiB.
    pub memory: u32,
    /// GPU devices, 0 to 32.
    pub gpus: u8,
}

impl Shape {
    /// Milli-shares over all devices.
    pub const fn gpu_milli(self) -> u32 {
        self.gpus as u32 * WHOLE_GPU as u32
    }

    /// What the load of a machine is a part of, by which it draws power: milli-shares of its devices, or
    /// milli-cores where it has none.
    pub const fn loadable(self) -> u64 {
        if self.gpus > 0 { self.gpu_milli() as u64 } else { self.cpu as u64 }
    }

    /// The part of [`Shape::loadable`] that `tasks` tasks of `demand` hold; all of it where they have the
    /// machine alone.
    pub fn load(self, demand: Demand, tasks: u32) -> u64 {
        let each = match self.gpus {
            _ if demand.exclusive => return self.loadable(),
            0 => demand.cpu,
            _ => demand.gpu_milli(),
        };
        u64::from(each) * u64::from(tasks)
    }

    /// Free part of an empty instance of this shape.
    pub const fn free(self) -> Free {
        Free {
            cpu: self.cpu,
            memory: self.memory,
            whole_gpus: self.gpus,
            best_share: if self.gpus == 0 { 0 } else { WHOLE_GPU },
            occupancy: Occupancy::Empty,
        }
    }

    /// Number of tasks of `demand` that an empty instance holds at once.
    pub fn holds(self, demand: Demand) -> u32 {
        let by_gpu = match demand.gpus {
            0 => u32::MAX,
            gpus if gpus > self.gpus => 0,
            gpus if demand.exclusive => u32::from(self.gpus / gpus),
            // All devices take part in equally many tasks, or in one less.
            gpus => {
                let shares = u32::from(WHOLE_GPU / demand.gpu_share.max(1));
                u32::from(self.gpus) * shares / u32::from(gpus)
            }
        };
        let by_cpu = self.cpu.checked_div(demand.cpu).unwrap_or(u32::MAX);
        let by_memory = self.memory.checked_div(demand.memory).unwrap_or(u32::MAX);
        by_cpu.min(by_memory).min(by_gpu)
    }
}

/// A resource, or their mean, as one number to compare instances by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Milli-cores.
    Cpu,
    /// MiB.
    Memory,
    /// Milli-shares of GPU.
    Gpu,
    /// Mean over the instance's resources of the free fraction.
    Mean,
}

/// Holders of parts of one instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Occupancy {
    /// No holder.
    #[default]
    Empty,
    /// Allocations beside which others may be placed.
    Shared,
    /// One allocation that has it alone.
    Exclusive,
}

/// Free part of one instance, summarised so that most misfits are seen without looking at single
/// devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Free {
    /// CPU in milli-cores.
    pub cpu: u32,
    /// Memory in MiB.
    pub memory: u32,
    /// Devices with all their shares free.
    pub whole_gpus: u8,
    /// Free milli-shares of the device with the most of them.
    pub best_share: u16,
    /// Holders of what is not free.
    pub occupancy: Occupancy,
}

impl Free {
    /// Free part of an instance that one allocation has alone: nothing is left to others.
    pub const EXCLUSIVE: Self =
        Self { cpu: 0, memory: 0, whole_gpus: 0, best_share: 0, occupancy: Occupancy::Exclusive };

    /// Whether the occupants let a task of `demand` come beside them.
    pub const fn admits(self, demand: Demand) -> bool {
        match self.occupancy {
            Occupancy::Empty => true,
            Occupancy::Shared => !demand.exclusive,
            Occupancy::Exclusive => false,
        }
    }

    /// Whether one task of `demand` fits. Exact for no, whole, and one
    /// fractional device; for several fractional devices it is necessary only,
    /// and the devices themselves decide.
    #[inline(always)]
    pub const fn fits(self, demand: Demand) -> bool {
        self.admits(demand)
            && self.cpu >= demand.cpu
            && self.memory >= demand.memory
            && (demand.gpus == 0
                || self.best_share >= demand.gpu_share
                    && (demand.gpu_share < WHOLE_GPU || self.whole_gpus >= demand.gpus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_holds_what_divides_into_it() {
        let node = Shape { cpu: 64_000, memory: 262_144, gpus: 8 };
        let ask = |cpu, memory, gpus, gpu_share| Demand {
            cpu,
            memory,
            gpus,
            gpu_share,
            exclusive: false,
        };
        assert_eq!(node.holds(ask(4_000, 0, 0, 0)), 16);
        assert_eq!(node.holds(ask(4_000, 65_536, 0, 0)), 4);
        assert_eq!(node.holds(ask(0, 0, 1, 300)), 24); // three per device
        assert_eq!(node.holds(ask(0, 0, 3, 1_000)), 2);
        assert_eq!(node.holds(ask(0, 0, 3, 500)), 5); // 16 halves, three to a task
        assert_eq!(node.holds(ask(0, 0, 9, 100)), 0);
        let three = Shape { cpu: 4_000, memory: 0, gpus: 3 };
        assert_eq!(three.holds(ask(0, 0, 2, 500)), 3); // 0 + 1, 1 + 2, 0 + 2
        assert_eq!(Shape::default().holds(ask(1, 0, 0, 0)), 0);
        // Alone, each task has devices of its own.
        let alone = |demand| Demand { exclusive: true, ..demand };
        assert_eq!(node.holds(alone(ask(4_000, 0, 0, 0))), 16);
        assert_eq!(node.holds(alone(ask(0, 0, 1, 300))), 8);
        assert_eq!(node.holds(alone(ask(0, 0, 3, 500))), 2);
    }

    #[test]
    fn fits_looks_at_every_resource() {
        let shape = Shape { cpu: 4_000, memory: 100, gpus: 1 };
        let free = shape.free();
        let none = Demand::default();
        let all = Demand { cpu: 4_000, memory: 100, gpus: 1, gpu_share: 1_000, exclusive: false };
        assert!(free.fits(all));
        assert!(!free.fits(Demand { cpu: 4_001, ..none }));
        assert!(!free.fits(Demand { memory: 101, ..none }));
        assert!(!free.fits(Demand { gpus: 2, gpu_share: 1_000, ..none }));
    }

    #[test]
    fn nothing_fits_beside_who_is_alone() {
        let (shared, alone) = (Demand::default(), Demand { exclusive: true, ..Demand::default() });
        let free = |occupancy| Free { occupancy, ..Shape { cpu: 8, ..Shape::default() }.free() };
        let admits = |occupancy| [shared, alone].map(|demand| free(occupancy).fits(demand));
        assert_eq!(admits(Occupancy::Empty), [true, true]);
        assert_eq!(admits(Occupancy::Shared), [true, false]);
        assert_eq!(admits(Occupancy::Exclusive), [false, false]);
    }
}
