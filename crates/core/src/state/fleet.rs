//! All live instances, and everything that is kept in step with what is free
//! on them.

use super::change_log::ChangeLog;
use super::classes::Classes;
use super::index::{FreeIndex, WholeIndex};
use super::scalar_pool::ScalarPool;
use super::slab::Slab;
use super::{ClassBy, IndexBy, Instance, InstanceRef, Needs, kind_of};
use crate::units::Demand;

/// The instances under their indexes. Nothing else changes what is free.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) instances: Slab<Instance>,
    pub(super) index: FreeIndex,
    /// The empty instances, from the first work on that wants some alone.
    pub(super) whole: Option<WholeIndex>,
    pub(super) classes: Classes,
    pub(super) uniform: ScalarPool,
    pub(super) touched: ChangeLog,
    index_by: IndexBy,
    class_by: ClassBy,
}

impl Fleet {
    /// A fleet without instances.
    pub(super) fn new(needs: Needs) -> Self {
        Self {
            instances: Slab::new(),
            index: FreeIndex::new(needs.index),
            whole: None,
            classes: Classes::new(needs.classes),
            uniform: ScalarPool::default(),
            touched: ChangeLog::new(needs.follows),
            index_by: needs.index,
            class_by: needs.classes,
        }
    }

    /// Changes what is free on an instance, and its places.
    #[inline(always)]
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
        if !instance.phase.takes_work() {
            return result;
        }
        if before == after {
            self.index.update(before, reference.slot() as u32, instance.free);
        } else {
            let kinds = kind_of(instance.offer);
            self.index.remove(before, reference.slot() as u32);
            self.index.insert(after, reference.slot() as u32, instance.free, kinds);
        }
        if let Some(whole) = &mut self.whole {
            whole.update(reference.slot() as u32, instance);
        }
        if self.class_by != ClassBy::Nothing {
            self.classes.part(reference, instance.ordinal, instance.class);
            instance.class = self.classes.join(reference, instance);
        }
        result
    }

    /// See [`FreeIndex::first`].
    #[inline(always)]
    pub(super) fn first(
        &self,
        demand: Demand,
        kinds: u64,
        from: u64,
        accept: impl FnMut(u32) -> bool,
    ) -> Option<(u64, u32)> {
        match &self.whole {
            Some(whole) if demand.exclusive => whole.first(demand, kinds, from, accept),
            _ => self.index.first(demand, kinds, from, accept),
        }
    }

    /// See [`FreeIndex::may_fit`].
    #[inline]
    pub(super) fn may_fit(&self, demand: Demand) -> bool {
        match &self.whole {
            Some(whole) if demand.exclusive => whole.may_fit(demand),
            _ => self.index.may_fit(demand),
        }
    }

    /// Whether an instance that [`Fleet::first`] finds always fits. A task that asks nothing fits
    /// everywhere but beside work that has its instances alone.
    #[inline]
    pub(super) fn decides(&self, demand: Demand) -> bool {
        let asks = demand.cpu > 0 || demand.memory > 0 || demand.gpus > 0;
        FreeIndex::decides(demand) && (asks || demand.exclusive || self.whole.is_none())
    }

    /// Keeps the empty instances apart from now on.
    #[cold]
    pub(super) fn keep_whole(&mut self) {
        let mut whole = WholeIndex::new(self.index_by);
        let indexed = self.instances.iter().filter(|(_, one)| one.phase.takes_work());
        let mut indexed: Vec<_> = indexed.collect();
        indexed.sort_unstable_by_key(|(_, one)| one.ordinal);
        for (reference, instance) in indexed {
            whole.insert(reference.slot() as u32, instance, kind_of(instance.offer));
        }
        self.whole = Some(whole);
    }

    /// Counts how many tasks of `demand` fit.
    #[cold]
    pub(super) fn recount(&mut self, demand: Demand) {
        let indexed = self.instances.iter().filter(|(_, one)| one.phase.takes_work());
        let room = indexed.map(|(_, instance)| u64::from(instance.room(demand))).sum();
        self.uniform.count(room);
    }

    /// An instance comes into the indexes.
    pub(super) fn enter(&mut self, reference: InstanceRef) {
        let instance = &mut self.instances[reference];
        let order = order(self.index_by, instance);
        let kinds = kind_of(instance.offer);
        self.index.insert(order, reference.slot() as u32, instance.free, kinds);
        if let Some(whole) = &mut self.whole {
            whole.insert(reference.slot() as u32, instance, kinds);
        }
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
        if let Some(whole) = &mut self.whole {
            whole.remove(reference.slot() as u32, instance);
        }
        self.classes.part(reference, instance.ordinal, instance.class);
        if let Some(demand) = self.uniform.demand() {
            self.uniform.change(-i64::from(instance.room(demand)));
        }
    }
}

/// Place of an instance in the index: the key of the policy, then its age.
#[inline(always)]
fn order(by: IndexBy, instance: &Instance) -> u64 {
    by.order(instance.ordinal, |scalar| instance.free_by(scalar))
}
