//! Devices that are broken: nothing runs on them, and they are no capacity.

use super::Laws;
use crate::state::{Allocation, Instance, InstanceRef, State};
use crate::units::{Time, WHOLE_GPU};

/// Devices that are broken, by what is told of them.
#[derive(Clone, Debug, Default)]
pub(super) struct BrokenDevices {
    /// Those of each instance, by its slot, as a bit set.
    of: Vec<u32>,
}

impl BrokenDevices {
    fn of(&self, instance: InstanceRef) -> u32 {
        self.of.get(instance.slot()).copied().unwrap_or(0)
    }

    /// An instance is gone: the next one in its place is whole.
    pub(super) fn released(&mut self, instance: InstanceRef) {
        if let Some(broken) = self.of.get_mut(instance.slot()) {
            *broken = 0;
        }
    }
}

impl Laws {
    /// Devices of an instance break that worked, or work again that were broken.
    pub(super) fn devices_change(
        &mut self,
        now: Time,
        (reference, instance): (InstanceRef, &Instance),
        devices: u32,
        breaks: bool,
    ) {
        let before = self.devices.of(reference);
        let all = (1_u64 << instance.shape.gpus) - 1;
        let known = before & devices == if breaks { 0 } else { devices };
        let holds = known && devices != 0 && u64::from(devices) & !all == 0;
        self.check(holds, now, "a device breaks while it works", || {
            format!("{devices:b} of instance {}, with {before:b} broken", instance.ordinal)
        });
        let slot = reference.slot();
        if self.devices.of.len() <= slot {
            self.devices.of.resize(slot + 1, 0);
        }
        self.devices.of[slot] = if breaks { before | devices } else { before & !devices };
    }

    /// Tasks that are placed, start or are done hold no device that is broken.
    #[inline(always)]
    pub(super) fn on_working_devices(&mut self, state: &State<'_>, target: &Allocation) {
        if !self.devices.of.is_empty() {
            self.holds_none_broken(state, target);
        }
    }

    fn holds_none_broken(&mut self, state: &State<'_>, target: &Allocation) {
        for share in target.held.iter().map(|held| held.share) {
            let held = share.devices & self.devices.of(share.instance);
            self.check(held == 0, state.now(), "nothing runs on a broken device", || {
                let instance = state.instance(share.instance).ordinal;
                format!("{:?}: {held:b} of instance {instance}", state.work(target.work()).id)
            });
        }
    }

    /// Counts broken devices again, and what holds any.
    pub(super) fn recount_devices(&mut self, state: &State<'_>) {
        let now = state.now();
        let (mut broken, mut capacity) = (0, 0);
        for (reference, instance) in state.instances() {
            let (told, found) = (self.devices.of(reference), instance.broken());
            let free = instance.devices().iter().enumerate();
            let free = free.filter(|(at, _)| told & (1 << at) != 0).map(|(_, &free)| free);
            let holds = told == found && free.sum::<u16>() == 0;
            self.check(holds, now, "a broken device is not free", || {
                format!("{instance:?}, of which {told:b} are broken")
            });
            if instance.phase.is_capacity() {
                broken += u64::from(told.count_ones());
                capacity += i64::from(instance.shape.gpus) - i64::from(told.count_ones());
            }
        }
        let totals = state.totals();
        let counted = (totals.broken, totals.capacity.gpu);
        let holds = counted == (broken, capacity * i64::from(WHOLE_GPU));
        self.check(holds, now, "working devices are counted", || {
            format!("{broken} broken and {capacity} working, not {counted:?}")
        });
        let placed = state.works().flat_map(|(_, work)| work.allocations.iter().copied());
        for one in placed.chain(state.arriving()) {
            self.on_working_devices(state, state.allocation(one));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Observer;
    use crate::state::testing::{demand, fill, instance, owned, shape, start};
    use crate::state::{AllocationRef, Needs, Record};

    /// A law that is broken when these records are told of a machine with two devices, of which work holds
    /// the first, and `broken` are.
    fn broken_law(
        broken: u32,
        told: impl Fn(InstanceRef, AllocationRef) -> Vec<Record>,
    ) -> &'static str {
        let world = owned(&[shape(4_000, 4_096, 2)]);
        let mut state = start(&world, Needs::default());
        let one = instance(&state, 0);
        let work = fill(&mut state, 0, demand(0, 0, 1, WHOLE_GPU));
        state.set_broken(one, (0, broken), true);
        let mut laws = Laws::new(true);
        for record in told(one, state.work(work).allocations[0]) {
            laws.record(&state, &record);
        }
        laws.recount_devices(&state);
        laws.broken().map_or("none", |broken| broken.law)
    }

    fn devices(instance: InstanceRef, devices: u32, breaks: bool) -> Record {
        Record::Devices { instance, fault: 0, devices, breaks }
    }

    #[test]
    fn each_law_of_devices_can_be_broken() {
        let of = |broken, told: &dyn Fn(InstanceRef) -> Vec<Record>| {
            broken_law(broken, |one, _| told(one))
        };
        assert_eq!(of(0b10, &|one| vec![devices(one, 0b10, true)]), "none");
        let both = |one| vec![devices(one, 0b10, true), devices(one, 0b10, false)];
        assert_eq!(of(0, &both), "none");
        // What is told is not what is free, or nobody was told.
        assert_eq!(of(0, &|one| vec![devices(one, 0b10, true)]), "a broken device is not free");
        assert_eq!(of(0b10, &|_| Vec::new()), "a broken device is not free");
        let once = "a device breaks while it works";
        let twice = |one| vec![devices(one, 0b10, true), devices(one, 0b10, true)];
        assert_eq!(of(0b10, &twice), once);
        assert_eq!(of(0, &|one| vec![devices(one, 0b10, false)]), once);
        assert_eq!(of(0, &|one| vec![devices(one, 0b100, true)]), once);
        let placed = broken_law(0, |one, allocation| {
            vec![devices(one, 0b01, true), Record::Placed(allocation)]
        });
        assert_eq!(placed, "nothing runs on a broken device");
    }
}
