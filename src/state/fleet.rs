//! All live instances, and everything that is kept in step with what is free
//! on them.

use super::classes::Classes;
use super::index::FreeIndex;
use super::slab::Slab;
use super::touched::Touched;
use super::uniform::Uniform;
use super::{ClassBy, IndexBy, Instance, InstanceRef, Needs, Phase, kind_of};
use crate::units::Demand;

/// The instances under their indexes. Nothing else changes what is free.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) instances: Slab<Instance>,
    pub(super) index: FreeIndex,
    pub(super) classes: Classes,
    pub(super) uniform: Uniform,
    pub(super) touched: Touched,
    index_by: IndexBy,
    class_by: ClassBy,
}

impl Fleet {
    /// No instances.
    pub(super) fn new(needs: Needs) -> Self {
        Self {
            instances: Slab::new(),
            index: FreeIndex::new(needs.index),
            classes: Classes::new(needs.classes),
            uniform: Uniform::default(),
            touched: Touched::new(needs.follows),
            index_by: needs.index,
            class_by: needs.classes,
        }
    }

    /// Changes what is free on an instance, and its places.
    #[inline]
    pub(super) fn change<T>(
        &mut self,
        reference: InstanceRef,
        change: impl FnOnce(&mut Instance) -> T,
    ) -> T {
        let instance = &mut self.instances[reference];
        let before = order(self.index_by, instance);
        let result = change(instance);
        let after = order(self.index_by, instance);
        self.touched.add(instance.ordinal, reference);
        if instance.phase == Phase::Released {
            return result;
        }
        if before == after {
            self.index.update(before, reference.slot() as u32, instance.free);
        } else {
            let kinds = kind_of(instance.offer);
            self.index.remove(before, reference.slot() as u32);
            self.index.insert(after, reference.slot() as u32, instance.free, kinds);
        }
        if self.class_by != ClassBy::Nothing {
            self.classes.part(reference, instance.ordinal, instance.class);
            instance.class = self.classes.join(reference, instance);
        }
        result
    }

    /// Counts how many tasks of `demand` fit.
    #[cold]
    pub(super) fn recount(&mut self, demand: Demand) {
        let indexed = self.instances.iter().filter(|(_, one)| one.phase != Phase::Released);
        let room = indexed.map(|(_, instance)| u64::from(instance.room(demand))).sum();
        self.uniform.count(room);
    }

    /// An instance comes into the indexes.
    pub(super) fn enter(&mut self, reference: InstanceRef) {
        let instance = &mut self.instances[reference];
        let order = order(self.index_by, instance);
        let kinds = kind_of(instance.offer);
        self.index.insert(order, reference.slot() as u32, instance.free, kinds);
        if let Some(demand) = self.uniform.demand() {
            self.uniform.change(i64::from(instance.room(demand)));
        }
        instance.class = self.classes.join(reference, instance);
        self.touched.add(instance.ordinal, reference);
    }

    /// An instance goes out of the indexes.
    pub(super) fn leave(&mut self, reference: InstanceRef) {
        let instance = &self.instances[reference];
        self.touched.add(instance.ordinal, reference);
        self.index.remove(order(self.index_by, instance), reference.slot() as u32);
        self.classes.part(reference, instance.ordinal, instance.class);
        if let Some(demand) = self.uniform.demand() {
            self.uniform.change(-i64::from(instance.room(demand)));
        }
    }
}

/// Place of an instance in the index: the key of the policy, then its age.
#[inline]
fn order(by: IndexBy, instance: &Instance) -> u64 {
    let key = match by {
        IndexBy::Age => 0,
        IndexBy::Least(scalar) => instance.free_by(scalar),
        IndexBy::Most(scalar) => u32::MAX - instance.free_by(scalar),
    };
    u64::from(key) << 32 | u64::from(instance.ordinal)
}
