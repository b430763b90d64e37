//! Keeps every instance at its place in the index.

use super::{ClassBy, IndexBy, Instance, InstanceRef, Phase, State, kind_of};

impl State<'_> {
    /// Changes an instance and its place in the index.
    pub(super) fn change_instance(
        &mut self,
        reference: InstanceRef,
        change: impl FnOnce(&mut super::Instance),
    ) {
        let instance = &mut self.instances[reference];
        let before = order(self.needs.index, instance);
        change(instance);
        let after = order(self.needs.index, instance);
        let (free, offer) = (instance.free, instance.offer);
        self.touched.add(instance.ordinal, reference);
        if instance.phase == Phase::Released {
            return;
        }
        if before == after {
            self.index.update(before, reference.slot() as u32, free);
        } else {
            self.index.remove(before, reference.slot() as u32);
            self.index.insert(after, reference.slot() as u32, free, kind_of(offer));
        }
        if self.needs.classes != ClassBy::Nothing {
            let instance = &mut self.instances[reference];
            self.classes.part(reference, instance.ordinal, instance.class);
            instance.class = self.classes.join(reference, instance);
        }
    }

    pub(super) fn enter(&mut self, reference: InstanceRef) {
        let instance = &self.instances[reference];
        let order = order(self.needs.index, instance);
        let kinds = kind_of(instance.offer);
        self.index.insert(order, reference.slot() as u32, instance.free, kinds);
        let class = self.classes.join(reference, instance);
        if let Some(demand) = self.uniform.demand() {
            self.uniform.change(i64::from(instance.room(demand)));
        }
        self.instances[reference].class = class;
        self.touched.add(self.instances[reference].ordinal, reference);
    }

    pub(super) fn leave(&mut self, reference: InstanceRef) {
        let instance = &self.instances[reference];
        self.touched.add(instance.ordinal, reference);
        self.index.remove(order(self.needs.index, instance), reference.slot() as u32);
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
