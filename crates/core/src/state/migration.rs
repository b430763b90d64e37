//! Tasks that move to other instances while they are at work, with all that they have made.

use super::change::{Effect, Refusal, Undo, has_room};
use super::transfers::{WHOLE, slowed, stretched};
use super::{AllocationRef, Ending, InstanceRef, Phase, Share, State, WorkRef};
use crate::model::{Link, Manner, Migration, MigrationCost};
use crate::units::{Span, Time};

/// One end of a live migration that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migrating {
    /// The allocation at the other end.
    other: AllocationRef,
    /// Whether this one is the new one, which holds its instances and does not compute yet.
    arrives: bool,
    /// When it began, or went on at another speed of the network.
    since: Time,
    /// What is to come since then.
    cost: MigrationCost,
    /// Bytes copied before.
    copied: i64,
    /// Share of its speed that the network between the two ends has, in millionths.
    share: u32,
}

impl State<'_> {
    /// Whether the tasks of an allocation can be moved: they compute, and are not moved already.
    pub fn can_migrate(&self, allocation: AllocationRef) -> bool {
        self.allocations.contains(allocation)
            && !self.allocations[allocation].has_ended()
            && !self.is_migrating(allocation)
            && self.progress(allocation).is_some_and(|one| one.since <= self.now)
    }

    /// Whether an allocation has not ended.
    pub fn has_allocation(&self, allocation: AllocationRef) -> bool {
        self.allocations.contains(allocation) && !self.allocations[allocation].has_ended()
    }

    /// Whether an allocation is an end of a live migration that is under way.
    pub fn is_migrating(&self, allocation: AllocationRef) -> bool {
        self.migrating.contains_key(&allocation)
    }

    /// Whether an allocation only holds instances for tasks that still compute elsewhere.
    pub fn is_arriving(&self, allocation: AllocationRef) -> bool {
        self.migrating.get(&allocation).is_some_and(|one| one.arrives)
    }

    /// Allocations that hold instances for tasks that still compute elsewhere.
    pub fn arriving(&self) -> impl Iterator<Item = AllocationRef> + '_ {
        self.migrating.iter().filter(|(_, one)| one.arrives).map(|(&to, _)| to)
    }

    /// Cost of moving the tasks of an allocation to these shares, over a network that is not slow.
    pub fn migration_cost(
        &self,
        allocation: AllocationRef,
        to: &[Share],
        manner: Manner,
    ) -> MigrationCost {
        self.cost_at(allocation, to, manner, WHOLE)
    }

    /// The same over a network at a share of its speed.
    fn cost_at(
        &self,
        allocation: AllocationRef,
        to: &[Share],
        manner: Manner,
        share: u32,
    ) -> MigrationCost {
        let target = &self.allocations[allocation];
        let memory = i64::from(self.works[target.work()].ask.demand.memory) << 20;
        let shares = target.held.iter().map(|held| held.share).chain(to.iter().copied());
        let each = shares.map(|share| share.tasks).max().unwrap_or(0);
        let region = |share: Share| self.fleet.instances[share.instance].region;
        let (from, all) = (region(target.held[0].share), i64::from(target.tasks));
        let link = to.first().map(|&to| self.world.link(from, region(to))).unwrap_or_default();
        let link = Link { bytes_per_sec: slowed(link.bytes_per_sec, share), ..link };
        let own = self.world.migration;
        let own = Migration { bytes_per_sec: slowed(own.bytes_per_sec, share), ..own };
        own.cost(manner, memory * all, memory * i64::from(each), link)
    }

    /// Share of its speed that the network between the instances of an allocation and these has.
    fn network_between(&self, from: AllocationRef, to: &[Share]) -> u32 {
        let ends = to.iter().map(|share| self.network_of(share.instance));
        ends.min().unwrap_or(WHOLE).min(self.network(&self.allocations[from]))
    }

    /// The network of an allocation has another speed: memory that is copied to or from it moves so
    /// from now on, in the rounds that were planned. Returns where it is copied to and when that is
    /// over, if that is new.
    pub(crate) fn change_copy(&mut self, one: AllocationRef) -> Option<(AllocationRef, Time)> {
        let end = self.migrating.get(&one)?;
        let (from, to) = if end.arrives { (end.other, one) } else { (one, end.other) };
        let [from, at] = [from, to].map(|end| self.network(&self.allocations[end]));
        let (share, now) = (from.min(at), self.now);
        let copying = self.migrating.get_mut(&to).expect("tasks come");
        if copying.share == share {
            return None;
        }
        let (before, cost) = (copying.share, copying.cost);
        let elapsed = now - copying.since;
        let bytes = super::charge::moved(cost.bytes, elapsed, cost.time());
        let left = (cost.copy - elapsed).max(Span::ZERO);
        let (copy, downtime) =
            (stretched(left, before, share), stretched(cost.downtime, before, share));
        copying.copied += bytes;
        copying.cost = MigrationCost { copy, downtime, bytes: cost.bytes - bytes };
        (copying.since, copying.share) = (now, share);
        Some((to, now.saturating_add(copy)))
    }

    /// Moves the tasks of an allocation to these shares: at once if they stand still meanwhile, or
    /// else when their memory is copied, until when both ends hold their instances.
    pub(crate) fn migrate(
        &mut self,
        allocation: AllocationRef,
        to: &[Share],
        manner: Manner,
    ) -> Result<(), Refusal> {
        if !self.allocations.contains(allocation) || self.allocations[allocation].has_ended() {
            return Err(Refusal::AllocationGone);
        }
        if !self.can_migrate(allocation) {
            return Err(Refusal::NotComputing);
        }
        let tasks = to.iter().map(|share| u64::from(share.tasks)).sum::<u64>();
        if tasks != u64::from(self.allocations[allocation].tasks) {
            return Err(Refusal::TaskCount);
        }
        for share in to {
            if !self.fleet.instances.contains(share.instance) {
                return Err(Refusal::InstanceGone);
            }
            if self.fleet.instances[share.instance].phase != Phase::Running {
                return Err(Refusal::NotReady);
            }
        }
        let share = self.network_between(allocation, to);
        let cost = self.cost_at(allocation, to, manner, share);
        match manner {
            Manner::Cold => self.migrate_now(allocation, to, cost),
            Manner::Live => self.begin_migration(allocation, to, cost, share),
        }
    }

    fn migrate_now(
        &mut self,
        from: AllocationRef,
        to: &[Share],
        cost: MigrationCost,
    ) -> Result<(), Refusal> {
        let attempt = self.begin();
        let work = self.allocations[from].work();
        self.stop(from, Ending::Migrated);
        match self.open_shares(work, to) {
            Ok(opened) => {
                self.effects.push(Effect::Migrated { from, to: opened, bytes: cost.bytes });
                self.carry_over(from, opened, cost);
                self.settle(opened, work, self.allocations[opened].tasks);
                self.keep(attempt);
                Ok(())
            }
            Err(refusal) => {
                self.roll_back(attempt);
                Err(refusal)
            }
        }
    }

    /// Takes the instances to which tasks move, while they compute where they are.
    fn begin_migration(
        &mut self,
        from: AllocationRef,
        shares: &[Share],
        cost: MigrationCost,
        network: u32,
    ) -> Result<(), Refusal> {
        let work = self.allocations[from].work();
        // The rules of the work are kept if they were when its tasks had left.
        let attempt = self.begin();
        self.stop(from, Ending::Migrated);
        let allowed = self.open_shares(work, shares).map(|opened| self.abandon(opened));
        self.roll_back(attempt);
        allowed?;
        let to = self.claim(work);
        let live = &self.works[work];
        let asked = (live.ask.demand, live.kind, live.ask.rules);
        for &share in shares {
            let instance = &self.fleet.instances[share.instance];
            if let Err(refusal) = has_room(instance, asked.0, share) {
                self.let_go(to, work);
                return Err(refusal);
            }
            self.hold(to, asked, share);
        }
        self.set_estimated_end(to);
        let arriving = Migrating {
            other: from,
            arrives: true,
            since: self.now,
            cost,
            copied: 0,
            share: network,
        };
        self.migrating.insert(to, arriving);
        self.migrating.insert(from, Migrating { other: to, arrives: false, ..arriving });
        self.remember(Undo::Migrates(to));
        self.effects.push(Effect::Migrates { from, to });
        Ok(())
    }

    fn open_shares(&mut self, work: WorkRef, shares: &[Share]) -> Result<AllocationRef, Refusal> {
        let opened = self.open(work);
        for &share in shares {
            if let Err(refusal) = self.add(opened, share) {
                self.abandon(opened);
                return Err(refusal);
            }
        }
        Ok(opened)
    }

    /// The tasks of an opened allocation go on from all that those of `from` have made, which has
    /// ended, when the last of their memory has come.
    fn carry_over(&mut self, from: AllocationRef, to: AllocationRef, cost: MigrationCost) {
        let (work, tasks) = (self.allocations[to].work(), self.allocations[to].tasks);
        let (kept, made) = (self.kept(from, Ending::Migrated), self.made(from));
        self.change_saved(work, kept, -i64::from(tasks));
        let network = self.network(&self.allocations[from]);
        self.set_carried(to, kept, made - kept, (cost.downtime, network));
        self.tell_saved(work);
    }

    /// The allocation from which tasks come to this one, and what that costs: the time that is to come,
    /// and all bytes.
    pub(crate) fn migration_to(&self, to: AllocationRef) -> (AllocationRef, MigrationCost) {
        let Migrating { other, cost, copied, .. } = self.migrating[&to];
        (other, MigrationCost { bytes: copied + cost.bytes, ..cost })
    }

    /// The allocation that tasks leave, if any, that holds instances for them elsewhere.
    pub(crate) fn migration_from(&self, from: AllocationRef) -> Option<AllocationRef> {
        self.migrating.get(&from).filter(|one| !one.arrives).map(|one| one.other)
    }

    /// Whether any live migration is under way.
    pub(crate) fn has_migrating(&self) -> bool {
        !self.migrating.is_empty()
    }

    /// The tasks that an allocation holds instances for have just left the other end, and are here.
    pub(crate) fn arrive(&mut self, to: AllocationRef) {
        let arriving = self.forget_migration(to);
        let work = self.allocations[to].work();
        let tasks = self.allocations[to].tasks;
        self.allocations[to].placed = self.now;
        let live = &mut self.works[work];
        live.allocations.push(to);
        live.waiting -= tasks;
        live.placed += tasks;
        self.carry_over(arriving.other, to, arriving.cost);
        self.make_real(to, work, tasks);
    }

    /// The end that tasks would leave for this one, and how many bytes have been copied by now.
    pub(crate) fn copied_to(&self, to: AllocationRef) -> (AllocationRef, i64) {
        let Migrating { other, since, cost, copied, .. } = self.migrating[&to];
        (other, copied + super::charge::moved(cost.bytes, self.now - since, cost.time()))
    }

    /// The instances that were held for tasks are free again, as they do not come. Returns these.
    pub(crate) fn give_up_migration(&mut self, to: AllocationRef) -> Vec<InstanceRef> {
        self.forget_migration(to);
        let work = self.allocations[to].work();
        let held: Vec<_> =
            self.allocations[to].held.iter().map(|held| held.share.instance).collect();
        self.let_go(to, work);
        for &instance in &held {
            let target = &mut self.fleet.instances[instance];
            target.idle_since = self.now;
            if target.newly_idle() {
                self.emptied.push(instance);
            }
        }
        held
    }

    /// Takes the beginning of a migration back.
    pub(super) fn unmigrate(&mut self, to: AllocationRef) {
        self.forget_migration(to);
        let work = self.allocations[to].work();
        self.let_go(to, work);
    }

    fn forget_migration(&mut self, to: AllocationRef) -> Migrating {
        let arriving = self.migrating.remove(&to).expect("tasks come");
        self.migrating.remove(&arriving.other);
        self.forget_end(to);
        arriving
    }

    /// Frees what an allocation holds, which is none of its work's.
    fn let_go(&mut self, to: AllocationRef, work: WorkRef) {
        let demand = self.works[work].ask.demand;
        let mut room = 0;
        for at in (0..self.allocations[to].held.len()).rev() {
            let share = self.allocations[to].held[at].share;
            self.fleet.change(share.instance, |instance| {
                room += instance.room_left_by(share.tasks);
                instance.give(demand, share.tasks, share.devices);
                instance.leaves(to);
            });
        }
        self.fleet.uniform.change(room);
        self.allocations.free(to);
    }
}
