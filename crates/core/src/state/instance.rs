//! A machine, rented or owned: its free part, and its meter.

use super::{AllocationRef, Phase};
use crate::metering::{Meter, WHOLE};
use crate::model::{Market, Offer, Region};
use crate::units::{Demand, Free, Id, Occupancy, Scalar, Shape, Time, WHOLE_GPU};

/// A machine, rented or owned.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Stable id: the number of the launch in this run. Older is lower.
    pub ordinal: u32,
    /// Offer that it was rented from, or that it belongs to where it is owned.
    pub offer: Id<Offer>,
    /// Region of the offer.
    pub region: Id<Region>,
    /// Market on which it was rented, or `Owned`.
    pub market: Market,
    /// Its place in the offer: the lowest that was free.
    pub slot: u32,
    /// Number of earlier launches in that slot.
    pub launch: u32,
    /// Time of its launch.
    pub launched: Time,
    /// Phase of its life.
    pub phase: Phase,
    /// Part of the machine that work can use.
    pub shape: Shape,
    /// Free part of the shape.
    pub free: Free,
    /// Free milli-shares of GPU over all devices.
    pub free_gpu: u32,
    /// Number of allocations on it.
    pub allocations: u32,
    /// Time at which it was ready and last became empty; the release part counts from here.
    pub idle_since: Time,
    /// The instance is on the list of those that became empty.
    pub(super) listed: bool,
    pub(super) devices: Vec<u16>,
    /// Kinds of GPU demand on it, ascending, and how many allocations of each.
    pub(super) kinds: Vec<(u8, u32)>,
    /// Slot of its class.
    pub(super) class: u32,
    pub(super) awaited_by: Vec<AllocationRef>,
    /// Allocations on it, one for each share, in order, where the instance can be lost.
    pub(super) tenants: Vec<AllocationRef>,
    pub(super) lists_tenants: bool,
    /// Faults that hold it down.
    pub(super) faults: u32,
    /// Time at which it is warned if there is no capacity for it then; `None` where nobody recommended to
    /// leave it.
    pub(super) at_risk: Option<Time>,
    /// Whether nothing is charged for it.
    pub(super) waived: bool,
    /// Rows of the faults that make tasks on it slower, each with the devices by which it does.
    pub(super) slowed_by: Vec<(u32, u32)>,
    /// Rows of the faults that break devices of it, each with those.
    pub(super) broken_by: Vec<(u32, u32)>,
    /// Devices that are broken, as a bit set.
    pub(super) broken: u32,
    pub(super) meter: Meter,
}

/// The kind of a GPU demand: 0 asks for a part of devices, otherwise the
/// number of whole devices.
pub const fn gpu_kind(demand: Demand) -> u8 {
    if demand.whole_gpus() { demand.gpus } else { 0 }
}

/// Number of tasks of `demand` that fit into what is free, in all and by device.
#[inline]
pub(crate) fn room_of(free: Free, devices: &[u16], demand: Demand) -> u32 {
    if !free.fits(demand) {
        return 0;
    }
    let by_gpu = match demand.gpus {
        0 => u32::MAX,
        1 => parts_on(devices, demand, u32::MAX),
        _ => room_on_devices(devices, demand),
    };
    let by_cpu = free.cpu.checked_div(demand.cpu).unwrap_or(u32::MAX);
    let by_memory = free.memory.checked_div(demand.memory).unwrap_or(u32::MAX);
    by_cpu.min(by_memory).min(by_gpu)
}

/// Number of tasks that fit where each needs `g` different devices: the most `t` for which the
/// devices take part in at least `g t` tasks, where a device with room for `c` of its shares
/// takes part in no more than `c` of them, and no more than all `t`.
fn room_on_devices(devices: &[u16], demand: Demand) -> u32 {
    let mut most = u32::MAX;
    loop {
        let room = parts_on(devices, demand, most) / u32::from(demand.gpus);
        if room >= most {
            return most;
        }
        most = room;
    }
}

/// Number of parts that devices can take in `tasks` tasks of `demand`: of each device, the tasks
/// in which it can take part, added up.
fn parts_on(devices: &[u16], demand: Demand, tasks: u32) -> u32 {
    devices.iter().map(|&free| shares_on(free, demand).min(tasks)).sum()
}

/// Shares of `demand` that a device with so much free gives. Tasks that are alone
/// on an instance share no device with one another either.
fn shares_on(free: u16, demand: Demand) -> u32 {
    let shares = u32::from(free / demand.gpu_share.max(1));
    if demand.exclusive { shares.min(1) } else { shares }
}

/// Whether `tasks` tasks of `demand` fit into what is free on exactly the `chosen` devices.
pub(crate) fn fits_on(
    free: Free,
    devices: &[u16],
    demand: Demand,
    tasks: u32,
    chosen: u32,
) -> bool {
    let held = |asked: u32| u64::from(asked) * u64::from(tasks);
    let mut chosen = devices.iter().enumerate().filter(|(at, _)| chosen & (1 << at) != 0);
    free.admits(demand)
        && held(demand.cpu) <= u64::from(free.cpu)
        && held(demand.memory) <= u64::from(free.memory)
        && chosen.all(|(_, &free)| free >= demand.gpu_share)
}

/// Makes all devices free that are not `broken`.
pub(crate) fn fill_devices(devices: &mut [u16], broken: u32) {
    for (at, free) in devices.iter_mut().enumerate() {
        *free = if broken & (1 << at) == 0 { WHOLE_GPU } else { 0 };
    }
}

/// Counts in `free` what is free by device.
pub(crate) fn count_devices(free: &mut Free, devices: &[u16]) {
    free.whole_gpus = devices.iter().filter(|&&free| free == WHOLE_GPU).count() as u8;
    free.best_share = devices.iter().copied().max().unwrap_or(0);
}

/// See [`Instance::tightest_devices`].
pub(crate) fn tightest_of(free: Free, devices: &[u16], demand: Demand, tasks: u32) -> Option<u32> {
    // A device that takes part in more than all the other tasks can be missed without the device at
    // hand; of the others only as many as are not needed for those.
    let (others, mut spare) = match tasks {
        1 if demand.gpus > 1 && !demand.whole_gpus() && !demand.exclusive => {
            let others = room_of(free, devices, demand).checked_sub(1)?;
            let needed = others * u32::from(demand.gpus);
            (others, parts_on(devices, demand, others) - needed)
        }
        _ => (u32::MAX, u32::MAX),
    };
    let mut needed = tasks * u32::from(demand.gpus);
    let mut chosen = 0_u32;
    while needed > 0 {
        let fits = |&(at, &free): &(usize, &u16)| {
            let is_spare = spare > 0 || shares_on(free, demand) > others;
            free >= demand.gpu_share && chosen & (1 << at) == 0 && is_spare
        };
        let (at, &free) =
            devices.iter().enumerate().filter(fits).min_by_key(|&(at, &free)| (free, at))?;
        chosen |= 1 << at;
        needed -= 1;
        spare -= u32::from(shares_on(free, demand) <= others);
    }
    Some(chosen)
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            ordinal: 0,
            offer: Id::new(0),
            region: Id::new(0),
            market: Market::Owned,
            slot: 0,
            launch: 0,
            launched: Time::ZERO,
            phase: Phase::Booting,
            shape: Shape::default(),
            free: Free::default(),
            free_gpu: 0,
            allocations: 0,
            idle_since: Time::ZERO,
            listed: false,
            devices: Vec::new(),
            kinds: Vec::new(),
            class: 0,
            awaited_by: Vec::new(),
            tenants: Vec::new(),
            lists_tenants: false,
            faults: 0,
            at_risk: None,
            waived: false,
            slowed_by: Vec::new(),
            broken_by: Vec::new(),
            broken: 0,
            meter: Meter::default(),
        }
    }
}

impl Instance {
    /// The largest share of any resource that tasks hold, in millionths.
    pub fn used(&self) -> u64 {
        let share =
            |free: u32, whole: u32| u64::from(whole - free) * 1_000_000 / u64::from(whole.max(1));
        let (free, whole) = (self.free, self.working());
        share(free.cpu, whole.cpu)
            .max(share(free.memory, whole.memory))
            .max(share(self.free_gpu, whole.gpu_milli()))
    }

    /// Devices that are broken, as a bit set: nothing of them is free, and nothing holds any.
    pub const fn broken(&self) -> u32 {
        self.broken
    }

    /// All devices that it has, as a bit set.
    pub(super) fn all_devices(&self) -> u32 {
        // The shift is of 64 bits, so that all 32 can be said.
        ((1_u64 << self.shape.gpus) - 1) as u32
    }

    /// The shape without the devices that are broken.
    pub const fn working(&self) -> Shape {
        Shape { gpus: self.shape.gpus - self.broken.count_ones() as u8, ..self.shape }
    }

    /// Free milli-shares by device.
    pub fn devices(&self) -> &[u16] {
        &self.devices
    }

    /// Kinds of GPU demand that run on it: bit `k` is set for [`gpu_kind`] `k`.
    pub fn gpu_kinds(&self) -> u64 {
        self.kinds.iter().fold(0, |kinds, &(kind, _)| kinds | 1 << kind)
    }

    /// The meter of its cost.
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Number of tasks of `demand` that fit now.
    pub fn room(&self, demand: Demand) -> u32 {
        room_of(self.free, &self.devices, demand)
    }

    /// The devices for `tasks` tasks of `demand`, as a bit set: the tightest
    /// that fit, lowest number first. Empty where the demand has no GPU. A
    /// task of a fractional demand shares no device with another of the same call.
    /// One task that asks parts of several devices leaves room for as many more like
    /// it as [`Instance::room`] counts.
    #[inline]
    pub fn tightest_devices(&self, demand: Demand, tasks: u32) -> Option<u32> {
        if demand.gpus == 0 {
            return Some(0);
        }
        tightest_of(self.free, &self.devices, demand, tasks)
    }

    /// The free amount of `by`; the mean is in millionths of the instance.
    pub fn free_by(&self, by: Scalar) -> u32 {
        match by {
            Scalar::Cpu => self.free.cpu,
            Scalar::Memory => self.free.memory,
            Scalar::Gpu => self.free_gpu,
            Scalar::Mean => self.mean_free(),
        }
    }

    /// The same of the instance when it is empty.
    pub(super) fn whole_by(&self, by: Scalar) -> u32 {
        match by {
            Scalar::Cpu => self.shape.cpu,
            Scalar::Memory => self.shape.memory,
            Scalar::Gpu => self.working().gpu_milli(),
            Scalar::Mean if self.shape == Shape::default() => 0,
            Scalar::Mean if self.broken == 0 => WHOLE,
            Scalar::Mean => {
                let whole = self.working();
                self.mean_of([whole.cpu, whole.memory, whole.gpu_milli()])
            }
        }
    }

    /// Mean over the resources it has of the free fraction, in millionths, rounded down.
    fn mean_free(&self) -> u32 {
        self.mean_left(Demand::default())
    }

    /// The mean free fraction after one task of `demand`, which fits.
    pub fn mean_left(&self, demand: Demand) -> u32 {
        let free = [self.free.cpu, self.free.memory, self.free_gpu];
        self.mean_of([free[0] - demand.cpu, free[1] - demand.memory, free[2] - demand.gpu_milli()])
    }

    /// Mean over the resources it has of these parts of them, in millionths, rounded down.
    fn mean_of(&self, [cpu, memory, gpu]: [u32; 3]) -> u32 {
        let whole = self.shape;
        let parts = [(cpu, whole.cpu), (memory, whole.memory), (gpu, whole.gpu_milli())];
        let present = parts.iter().filter(|(_, whole)| *whole > 0);
        let (sum, count) = present.fold((0_u64, 0_u64), |(sum, count), &(free, whole)| {
            (sum + u64::from(free) * u64::from(WHOLE) / u64::from(whole), count + 1)
        });
        sum.checked_div(count).unwrap_or(0) as u32
    }

    /// The largest share of any resource that `tasks` tasks hold, in millionths, rounded
    /// down; the whole of an instance that they have alone.
    #[inline(always)]
    pub(super) fn dominant_share(&self, demand: Demand, tasks: u32) -> u32 {
        if demand.exclusive {
            return WHOLE;
        }
        let asks = [
            (demand.cpu, self.shape.cpu),
            (demand.memory, self.shape.memory),
            (demand.gpu_milli(), self.shape.gpu_milli()),
        ];
        // The largest fraction is found by multiplying, so that there is one division.
        let mut most = (0, 1);
        for (asked, whole) in asks {
            if whole > 0
                && u64::from(asked) * u64::from(most.1) > u64::from(most.0) * u64::from(whole)
            {
                most = (asked, whole);
            }
        }
        (u64::from(most.0) * u64::from(tasks) * u64::from(WHOLE) / u64::from(most.1)) as u32
    }

    /// Whether the instance is rented and holds no work.
    pub fn is_idle(&self) -> bool {
        self.allocations == 0 && self.market != Market::Owned
    }

    /// Whether the instance is idle and the release part has to hear of that: once, so that the
    /// list stays short if nobody takes it.
    pub(super) fn newly_idle(&mut self) -> bool {
        self.is_idle() && !std::mem::replace(&mut self.listed, true)
    }

    /// Tasks for which there is room when so many leave: none on an instance that takes no more work.
    #[inline(always)]
    pub(super) const fn room_left_by(&self, tasks: u32) -> i64 {
        if self.phase.takes_work() { tasks as i64 } else { 0 }
    }

    /// Whether `tasks` tasks of `demand` fit now.
    #[inline(always)]
    pub(super) fn has_room(&self, demand: Demand, tasks: u32) -> bool {
        if tasks == 1 && demand.gpus == 0 {
            return self.free.fits(demand);
        }
        self.room(demand) >= tasks
    }

    /// Whether `tasks` tasks of `demand` fit on exactly these devices.
    pub fn can_take(&self, demand: Demand, tasks: u32, devices: u32) -> bool {
        fits_on(self.free, &self.devices, demand, tasks, devices)
    }

    /// Takes what `tasks` tasks on `devices` hold, or all of it for tasks that have it
    /// alone. The caller has checked that they fit.
    #[inline(always)]
    pub fn take(&mut self, demand: Demand, tasks: u32, devices: u32) {
        self.allocations += 1;
        if demand.exclusive {
            (self.free, self.free_gpu) = (Free::EXCLUSIVE, 0);
            self.devices.fill(0);
        } else {
            self.free.occupancy = Occupancy::Shared;
            self.free.cpu -= demand.cpu * tasks;
            self.free.memory -= demand.memory * tasks;
            if devices != 0 {
                self.for_devices(devices, |free| *free -= demand.gpu_share);
                self.free_gpu -= demand.gpu_milli() * tasks;
            }
        }
        if devices != 0 {
            let kind = gpu_kind(demand);
            match self.kinds.binary_search_by_key(&kind, |row| row.0) {
                Ok(at) => self.kinds[at].1 += 1,
                Err(at) => self.kinds.insert(at, (kind, 1)),
            }
        }
    }

    /// Gives back what `tasks` tasks of `demand` hold on `devices`.
    #[inline(always)]
    pub fn give(&mut self, demand: Demand, tasks: u32, devices: u32) {
        self.allocations -= 1;
        if demand.exclusive {
            self.empty();
        } else {
            if self.allocations == 0 {
                self.free.occupancy = Occupancy::Empty;
            }
            self.free.cpu += demand.cpu * tasks;
            self.free.memory += demand.memory * tasks;
            if devices != 0 {
                self.for_devices(devices, |free| *free += demand.gpu_share);
                self.free_gpu += demand.gpu_milli() * tasks;
            }
        }
        if devices != 0 {
            let kind = gpu_kind(demand);
            let found = self.kinds.binary_search_by_key(&kind, |row| row.0);
            let at = found.expect("only kinds that run here leave");
            self.kinds[at].1 -= 1;
            if self.kinds[at].1 == 0 {
                self.kinds.remove(at);
            }
        }
    }

    /// Breaks exactly these devices. Who works again is free; who breaks was.
    pub(super) fn set_broken(&mut self, broken: u32) {
        let alone = self.free.occupancy == Occupancy::Exclusive;
        for at in 0..self.devices.len().min(32) {
            let bit = 1_u32 << at;
            if (self.broken ^ broken) & bit == 0 || alone {
                continue;
            }
            debug_assert!(broken & bit == 0 || self.devices[at] == WHOLE_GPU, "a device is held");
            self.devices[at] = if broken & bit == 0 { WHOLE_GPU } else { 0 };
        }
        self.broken = broken;
        if !alone {
            self.free_gpu = self.devices.iter().map(|&free| u32::from(free)).sum();
            count_devices(&mut self.free, &self.devices);
        }
    }

    /// All that works of it is free.
    pub(super) fn empty(&mut self) {
        let working = self.working();
        (self.free, self.free_gpu) = (working.free(), working.gpu_milli());
        fill_devices(&mut self.devices, self.broken);
    }

    /// Notes that an allocation holds a share of it.
    #[inline(always)]
    pub(super) fn enters(&mut self, allocation: AllocationRef) {
        if self.lists_tenants {
            let at = self.tenants.partition_point(|&other| other < allocation);
            self.tenants.insert(at, allocation);
        }
    }

    /// Notes that an allocation gives back a share of it.
    #[inline(always)]
    pub(super) fn leaves(&mut self, allocation: AllocationRef) {
        if self.lists_tenants {
            let at = self.tenants.binary_search(&allocation).expect("who leaves had entered");
            self.tenants.remove(at);
        }
    }

    fn for_devices(&mut self, devices: u32, change: impl Fn(&mut u16)) {
        for (at, free) in self.devices.iter_mut().enumerate() {
            if devices & (1 << at) != 0 {
                change(free);
            }
        }
        count_devices(&mut self.free, &self.devices);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Stream;

    /// The most tasks of `demand` that devices hold, by trying every choice.
    fn most(devices: &mut [u16], demand: Demand) -> u32 {
        let sets = (0..1_u32 << devices.len())
            .filter(|set| set.count_ones() == u32::from(demand.gpus))
            .collect::<Vec<_>>();
        let mut best = 0;
        for set in sets {
            let mut left = devices.to_vec();
            let is_in = |at: usize| set & (1 << at) != 0;
            if (0..left.len()).any(|at| is_in(at) && left[at] < demand.gpu_share) {
                continue;
            }
            for (at, free) in left.iter_mut().enumerate() {
                *free -= if is_in(at) { demand.gpu_share } else { 0 };
            }
            best = best.max(1 + most(&mut left, demand));
        }
        best
    }

    /// The tasks that are counted are as many as any choice of devices holds, and the devices that
    /// are chosen for one after another hold them.
    #[test]
    fn parts_of_several_devices_are_counted_exactly() {
        let mut stream = Stream::new(3, "devices");
        for _ in 0..400 {
            let count = 1 + stream.below(4) as usize;
            let mut devices: Vec<u16> = (0..count).map(|_| 250 * stream.below(5) as u16).collect();
            let gpus = 1 + stream.below(4) as u8;
            let gpu_share = [250, 300, 500, 1_000][stream.below(4) as usize];
            let demand = Demand { cpu: 1, memory: 0, gpus, gpu_share, exclusive: false };
            // There are as many tasks as cores: some choices need not leave room for all.
            let mut free = Free { cpu: 1 + stream.below(9) as u32, ..Free::default() };
            count_devices(&mut free, &devices);
            let want = most(&mut devices.clone(), demand).min(free.cpu);
            assert_eq!(room_of(free, &devices, demand), want, "{devices:?} for {demand:?}");
            for _ in 0..want {
                let chosen = tightest_of(free, &devices, demand, 1).expect("it has room");
                assert!(fits_on(free, &devices, demand, 1, chosen));
                assert_eq!(chosen.count_ones(), u32::from(gpus));
                for (at, free) in devices.iter_mut().enumerate() {
                    *free -= if chosen & (1 << at) != 0 { gpu_share } else { 0 };
                }
                free.cpu -= 1;
                count_devices(&mut free, &devices);
            }
        }
    }

    /// Four halves of devices share two; of tasks that are alone each has its own.
    #[test]
    fn tasks_that_are_alone_share_no_device() {
        let devices = [WHOLE_GPU; 2];
        let free = Shape { cpu: 8, memory: 0, gpus: 2 }.free();
        let room = |exclusive| {
            let demand = Demand { cpu: 1, memory: 0, gpus: 1, gpu_share: 500, exclusive };
            room_of(free, &devices, demand)
        };
        assert_eq!([false, true].map(room), [4, 2]);
    }
}
