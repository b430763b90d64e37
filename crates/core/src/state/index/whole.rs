//! Index of empty instances, for work that has its instances alone.

use super::FreeIndex;
use crate::state::{IndexBy, Instance};
use crate::units::{Demand, Free, Occupancy};

/// All instances, each at the place that it has when it is empty, so that none ever
/// moves. One that holds anything shows nothing free.
///
/// An empty one shows a milli-core more than it has, and as much more is looked for:
/// so a task that asks nothing finds no occupied one.
#[derive(Clone, Debug)]
pub(crate) struct WholeIndex {
    by: IndexBy,
    index: FreeIndex,
}

impl WholeIndex {
    /// An index without instances.
    pub(crate) fn new(by: IndexBy) -> Self {
        Self { by, index: FreeIndex::new(by) }
    }

    /// Adds the instance in `slot`.
    pub(crate) fn insert(&mut self, slot: u32, instance: &Instance, kinds: u64) {
        self.index.insert(self.order(instance), slot, shown(instance), kinds);
    }

    /// Removes the instance in `slot`.
    pub(crate) fn remove(&mut self, slot: u32, instance: &Instance) {
        self.index.remove(self.order(instance), slot);
    }

    /// Notes that the free part of the instance in `slot` has changed.
    pub(crate) fn update(&mut self, slot: u32, instance: &Instance) {
        self.index.update(self.order(instance), slot, shown(instance));
    }

    /// See [`FreeIndex::first`].
    pub(crate) fn first(
        &self,
        demand: Demand,
        kinds: u64,
        from: u64,
        accept: impl FnMut(u32) -> bool,
    ) -> Option<(u64, u32)> {
        self.index.first(sought(demand), kinds, from, accept)
    }

    /// See [`FreeIndex::may_fit`].
    pub(crate) fn may_fit(&self, demand: Demand) -> bool {
        self.index.may_fit(sought(demand))
    }

    fn order(&self, instance: &Instance) -> u64 {
        self.by.order(instance.ordinal, |scalar| instance.whole_by(scalar))
    }
}

/// What is looked for on empty instances.
fn sought(demand: Demand) -> Demand {
    Demand { cpu: demand.cpu.saturating_add(1), ..demand }
}

fn shown(instance: &Instance) -> Free {
    match instance.free.occupancy {
        Occupancy::Empty => {
            Free { cpu: instance.shape.cpu.saturating_add(1), ..instance.working().free() }
        }
        Occupancy::Shared | Occupancy::Exclusive => Free::EXCLUSIVE,
    }
}
