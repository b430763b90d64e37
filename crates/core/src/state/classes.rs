//! Instances that are alike: one class per distinct free state, so that a
//! placement that scores instances scores each state once.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::{Instance, InstanceRef};
use crate::model::Offer;
use crate::units::{Demand, Free, Id, Occupancy};

/// Property by which two instances of one offer are alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClassBy {
    /// Classes are not kept.
    #[default]
    Nothing,
    /// The free part of them.
    Free,
    /// The free part, and the kinds of GPU demand that run on them.
    FreeAndKinds,
}

/// Instances of one offer with the same free CPU and memory, the same free
/// shares of their devices in some order, the same occupancy, and the same kinds of GPU demand
/// where those are asked for.
#[derive(Clone, Debug)]
pub struct InstanceClass {
    key: ClassKey,
    free: Free,
    free_gpu: u32,
    serial: u64,
    /// Its instances, the oldest first.
    members: BTreeSet<(u32, InstanceRef)>,
    /// Place in the list of live classes.
    live_at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ClassKey {
    offer: Id<Offer>,
    cpu: u32,
    memory: u32,
    kinds: u64,
    occupancy: Occupancy,
    /// Free milli-shares of the devices, ascending.
    devices: Vec<u16>,
}

impl InstanceClass {
    /// The offer of all its instances.
    pub fn offer(&self) -> Id<Offer> {
        self.key.offer
    }

    /// Free part of each, in summary.
    pub fn free(&self) -> Free {
        self.free
    }

    /// Free milli-shares of GPU over all devices of each.
    pub fn free_gpu(&self) -> u32 {
        self.free_gpu
    }

    /// Free milli-shares by device, ascending.
    pub fn devices(&self) -> &[u16] {
        &self.key.devices
    }

    /// Kinds of GPU demand that run on each (see [`super::gpu_kind`]); empty
    /// unless classes are kept by them.
    pub fn kinds(&self) -> u64 {
        self.key.kinds
    }

    /// Never given to another class in this run: what was worked out for it
    /// holds for as long as the serial is seen.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Its instances with their ordinals, oldest first.
    pub fn members(&self) -> impl Iterator<Item = (u32, InstanceRef)> + '_ {
        self.members.iter().copied()
    }

    /// Whether one task of `demand` fits on each.
    pub fn fits(&self, demand: Demand) -> bool {
        self.free.fits(demand)
            && (demand.gpus < 2 || {
                let short = self.devices().partition_point(|&free| free < demand.gpu_share);
                self.devices().len() - short >= usize::from(demand.gpus)
            })
    }
}

/// All classes of the live instances.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    by: ClassBy,
    found: FxHashMap<ClassKey, u32>,
    slots: Vec<InstanceClass>,
    /// Slots of purged classes.
    unused: Vec<u32>,
    /// Slots of classes with members.
    live: Vec<u32>,
    scratch: ClassKey,
    serials: u64,
}

/// Empty classes are kept, for instances return to the same states; when there
/// are more of them than live ones and this many, they are forgotten.
const MOST_EMPTY: usize = 256;

impl Classes {
    pub(super) fn new(by: ClassBy) -> Self {
        let scratch = ClassKey {
            offer: Id::new(0),
            cpu: 0,
            memory: 0,
            kinds: 0,
            occupancy: Occupancy::Empty,
            devices: Vec::new(),
        };
        Self {
            by,
            found: FxHashMap::default(),
            slots: Vec::new(),
            unused: Vec::new(),
            live: Vec::new(),
            scratch,
            serials: 0,
        }
    }

    /// Classes with members, with their slots, in no order that a result may depend on.
    pub(super) fn live(&self) -> impl Iterator<Item = (usize, &InstanceClass)> {
        self.live.iter().map(|&slot| (slot as usize, &self.slots[slot as usize]))
    }

    /// An instance joins the class of its state; returns the class's slot.
    pub(super) fn join(&mut self, reference: InstanceRef, instance: &Instance) -> u32 {
        if self.by == ClassBy::Nothing {
            return 0;
        }
        let key = &mut self.scratch;
        (key.offer, key.cpu, key.memory) =
            (instance.offer, instance.free.cpu, instance.free.memory);
        key.kinds = if self.by == ClassBy::FreeAndKinds { instance.gpu_kinds() } else { 0 };
        key.occupancy = instance.free.occupancy;
        key.devices.clear();
        key.devices.extend_from_slice(&instance.devices);
        key.devices.sort_unstable();
        let slot = match self.found.get(&self.scratch) {
            Some(&slot) => slot,
            None => self.add(instance),
        };
        let class = &mut self.slots[slot as usize];
        if class.members.is_empty() {
            class.live_at = self.live.len();
            self.live.push(slot);
        }
        class.members.insert((instance.ordinal, reference));
        slot
    }

    /// The instance leaves the class in `slot`.
    pub(super) fn part(&mut self, reference: InstanceRef, ordinal: u32, slot: u32) {
        if self.by == ClassBy::Nothing {
            return;
        }
        let class = &mut self.slots[slot as usize];
        class.members.remove(&(ordinal, reference));
        if class.members.is_empty() {
            let at = class.live_at;
            self.live.swap_remove(at);
            if let Some(&moved) = self.live.get(at) {
                self.slots[moved as usize].live_at = at;
            }
        }
    }

    fn add(&mut self, instance: &Instance) -> u32 {
        if self.found.len() > self.live.len() * 2 + MOST_EMPTY {
            self.purge();
        }
        self.serials += 1;
        let class = InstanceClass {
            key: self.scratch.clone(),
            free: instance.free,
            free_gpu: instance.free_gpu,
            serial: self.serials,
            members: BTreeSet::new(),
            live_at: 0,
        };
        let slot = match self.unused.pop() {
            Some(slot) => {
                self.slots[slot as usize] = class;
                slot
            }
            None => {
                self.slots.push(class);
                (self.slots.len() - 1) as u32
            }
        };
        self.found.insert(self.scratch.clone(), slot);
        slot
    }

    fn purge(&mut self) {
        let (slots, unused) = (&self.slots, &mut self.unused);
        self.found.retain(|_, &mut slot| {
            let keep = !slots[slot as usize].members.is_empty();
            if !keep {
                unused.push(slot);
            }
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{demand, fill, instance, owned, shape, start};
    use crate::state::{AllocationRef, Ending, Needs, State, WorkRef};
    use crate::units::Stream;

    fn needs(classes: ClassBy) -> Needs {
        Needs { classes, ..Needs::default() }
    }

    fn members(state: &State<'_>) -> Vec<Vec<u32>> {
        let ordinals =
            |class: &InstanceClass| class.members().map(|(at, _)| at).collect::<Vec<_>>();
        let mut all: Vec<_> = state.classes().map(|(_, class)| ordinals(class)).collect();
        all.sort();
        all
    }

    /// Four instances of one offer with two devices.
    fn four() -> crate::model::World {
        let mut world = owned(&[shape(4_000, 4_096, 2)]);
        world.offers[Id::new(0)].running_at_start = 4;
        world
    }

    #[test]
    fn the_order_of_devices_makes_no_difference() {
        let world = four();
        let mut state = start(&world, needs(ClassBy::Free));
        assert_eq!(members(&state), [[0, 1, 2, 3]]);
        fill(&mut state, 1, demand(0, 0, 1, 400));
        fill(&mut state, 3, demand(0, 0, 1, 300));
        fill(&mut state, 3, demand(0, 0, 1, 100));
        // 1 has 600 and 1,000 free; 3 too, its two shares on one device.
        assert_eq!(members(&state), [vec![0, 2], vec![1, 3]]);
        let (_, used) = state.classes().find(|(_, class)| class.free_gpu() == 1_600).expect("live");
        assert_eq!(used.devices(), [600, 1_000]);
        assert!(used.fits(demand(0, 0, 2, 600)) && !used.fits(demand(0, 0, 2, 700)));
    }

    #[test]
    fn kinds_of_demand_tell_apart_where_asked_for() {
        let world = four();
        for (by, want) in [(ClassBy::Free, 1), (ClassBy::FreeAndKinds, 2)] {
            let mut state = start(&world, needs(by));
            for ordinal in 0..2 {
                fill(&mut state, ordinal, demand(0, 0, 2, 1_000));
            }
            for ordinal in [2, 2, 3, 3] {
                fill(&mut state, ordinal, demand(0, 0, 1, 1_000));
            }
            assert_eq!(members(&state).len(), want, "{by:?}");
        }
        let state = start(&world, needs(ClassBy::Nothing));
        assert!(members(&state).is_empty());
    }

    fn oldest_slot(state: &State<'_>) -> Option<(WorkRef, AllocationRef)> {
        state.works().next().map(|(work, live)| (work, live.allocations[0]))
    }

    /// Random work comes and goes; the classes are those of a plain grouping,
    /// and empty ones do not pile up.
    #[test]
    fn agrees_with_a_plain_grouping() {
        let world = four();
        let mut state = start(&world, needs(ClassBy::Free));
        let mut stream = Stream::new(3, "classes");
        for _ in 0..3_000 {
            let ordinal = stream.below(4) as u32;
            let ask = demand(1 + stream.below(90) as u32, stream.below(90) as u32, 0, 0);
            let target = instance(&state, ordinal);
            if state.instance(target).room(ask) > 0 && stream.below(3) > 0 {
                fill(&mut state, ordinal, ask);
            } else if let Some((work, allocation)) = oldest_slot(&state) {
                state.stop(allocation, Ending::Done);
                state.close(allocation, &mut Vec::new());
                state.drop_allocation(allocation);
                state.forget(work);
            }
            let mut plain: std::collections::BTreeMap<_, Vec<u32>> = Default::default();
            let mut all: Vec<_> = state.instances().map(|(_, one)| one).collect();
            all.sort_by_key(|one| one.ordinal);
            for one in all {
                plain.entry((one.free.cpu, one.free.memory)).or_default().push(one.ordinal);
            }
            let mut plain: Vec<_> = plain.into_values().collect();
            plain.sort();
            assert_eq!(members(&state), plain);
        }
        assert!(state.fleet.classes.slots.len() <= MOST_EMPTY + 16);
    }
}
