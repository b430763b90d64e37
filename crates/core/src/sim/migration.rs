//! Migrations: tasks that leave for other instances, those that are copied while they compute, and
//! those that do not get there.

use super::{Event, Observer, Simulation, put};
use crate::policy::Trigger;
use crate::state::{AllocationRef, Ending, Record};
use crate::units::Time;

impl<O: Observer> Simulation<'_, '_, O> {
    /// The tasks of an allocation, which has ended, go on in another with so many bytes.
    pub(super) fn migrated(&mut self, from: AllocationRef, to: AllocationRef, bytes: i64) {
        let work = self.state.allocation(from).work();
        self.state.cap_carried(to, self.totals[work.slot()].unwrap_or(i128::MAX));
        self.state.charge_migration((from, to), bytes, &mut self.charges);
        self.conclude_early(from, Ending::Migrated);
        self.triggers.push(Trigger::Acted);
    }

    /// Memory is copied from now on, while the tasks compute where they are.
    pub(super) fn migrates(&mut self, from: AllocationRef, to: AllocationRef) {
        // The policy may have taken their instances away in the same turn.
        if self.state.migration_from(from) != Some(to) || self.state.allocation(from).has_ended() {
            return;
        }
        self.record(&Record::Migrates { allocation: from, begins: true });
        let (_, cost) = self.state.migration_to(to);
        put(&mut self.keys, to.slot(), None);
        self.expect_copy(to, self.state.now().saturating_add(cost.copy));
        self.triggers.push(Trigger::Acted);
    }

    /// Waits until memory has been copied to where tasks go on, and for no other moment of that.
    pub(super) fn expect_copy(&mut self, to: AllocationRef, at: Time) {
        let event = Event::Arrives(to);
        let key = self.queue.schedule(at, event.class(), event);
        if let Some(old) = self.keys[to.slot()].replace(key) {
            self.queue.cancel(old);
        }
    }

    /// All memory but the last of it has been copied: the tasks leave, and go on at the other end when
    /// that has come too. Those that are done at this moment do not.
    pub(super) fn arrives(&mut self, to: AllocationRef) {
        self.keys[to.slot()] = None;
        let (from, cost) = self.state.migration_to(to);
        let work = self.state.allocation(from).work();
        let total = self.totals[work.slot()].unwrap_or(i128::MAX);
        if self.state.end_of(from, total) == Some(self.state.now()) {
            return self.stay_away(to);
        }
        self.record(&Record::Migrates { allocation: from, begins: false });
        self.state.stop(from, Ending::Migrated);
        self.state.arrive(to);
        self.migrated(from, to, cost.bytes);
        self.record(&Record::Placed(to));
        self.start(to, work);
    }

    /// Nothing comes to the instances that were held for the tasks of an allocation that has ended.
    #[cold]
    pub(super) fn stay(&mut self, from: AllocationRef) {
        if let Some(to) = self.state.migration_from(from) {
            self.stay_away(to);
        }
    }

    /// Tasks stay where they are: what has been copied of them was in vain.
    pub(super) fn stay_away(&mut self, to: AllocationRef) {
        if let Some(key) = self.keys.get_mut(to.slot()).and_then(Option::take) {
            self.queue.cancel(key);
            let (from, _) = self.state.migration_to(to);
            self.record(&Record::Migrates { allocation: from, begins: false });
        }
        let (from, bytes) = self.state.copied_to(to);
        self.state.charge_migration((from, to), bytes, &mut self.charges);
        for instance in self.state.give_up_migration(to) {
            if self.state.instance(instance).is_idle() {
                self.triggers.push(Trigger::Idle(instance));
            }
        }
        self.emit_charges();
        self.triggers.push(Trigger::Acted);
    }
}
