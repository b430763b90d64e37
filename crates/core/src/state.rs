//! The live world: instances, allocations, waiting work, and indexes over what
//! is free. Changes come from the simulator and, checked, from a policy's turn.

mod allocation;
mod integrals;
mod cap;
mod change;
mod charge;
mod checkpoint;
mod classes;
mod devices;
mod ending;
mod fleet;
mod holdings;
mod index;
mod instance;
mod latest;
mod migration;
mod launch;
mod lifecycle;
mod life;
mod suspension;
mod throttle;
mod record;
mod pending;
mod progress;
mod reclaim;
mod rules;
mod saved;
mod site;
mod slab;
mod slow;
mod spending;
mod stop;
mod stopped;
#[cfg(test)]
pub(crate) mod testing;
mod change_log;
mod scalar_pool;
mod shrink;
mod transfers;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use prefetch_index::prefetch_index;
use smallvec::SmallVec;

pub use allocation::{Allocation, HeldShare, LiveWork, Share, UNKNOWN_RUN};
pub use cap::SpendingCap;
pub use change::{Effect, Refusal, StartPromise};
pub use checkpoint::{CheckpointCycle, CheckpointPlan};
pub use classes::{ClassBy, InstanceClass};
pub(crate) use devices::strike;
pub use ending::Ending;
pub use instance::{Instance, gpu_kind};
pub(crate) use instance::{count_devices, fill_devices, fits_on, room_of, tightest_of};
pub use integrals::TimeIntegrals;
pub use lifecycle::{Exit, Phase};
pub use pending::{Pending, Why};
pub use progress::{Progress, run_length};
pub use record::{
    Charge, ChargeKind, DecisionNote, ExpectedCost, LaunchRefusal, OfferRejection, Record,
    RefusalReason, Wait, WaitReason,
};
pub use rules::{ResolvedRules, barrier, kind_of};
pub use site::{OfferSet, Sites};
pub use slab::Handle;
pub use spending::BudgetStanding;
pub use stopped::{KeptTasks, StoppedRef};

use fleet::Fleet;
use holdings::Holdings;
use latest::LatestEnds;
use migration::Migrating;
use saved::{SavedCourse, SavedGroups};
use shrink::Shrinking;
use slab::Slab;
use spending::Spending;
use stopped::StoppedInstances;
use suspension::Suspension;
use transfers::Transfers;

use crate::model::{Interner, Offer, Region, Rules, World};
use crate::units::{Demand, Id, Rate, Scalar, Shape, Span, Time};

/// Names a live piece of work.
pub type WorkRef = Handle<LiveWork>;
/// Names a live instance.
pub type InstanceRef = Handle<Instance>;
/// Names a live allocation.
pub type AllocationRef = Handle<Allocation>;

/// Order of the index over instances; the first that fits is the answer to the place part's
/// question. Ties go to the older instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndexBy {
    /// Age: the lowest stable id first.
    #[default]
    Age,
    /// Least free of a resource first.
    Least(Scalar),
    /// Most free of a resource first; by the mean, this is the least loaded.
    Most(Scalar),
}

impl IndexBy {
    /// Place in the index of the instance with that ordinal and amounts.
    #[inline(always)]
    fn order(self, ordinal: u32, amount: impl Fn(Scalar) -> u32) -> u64 {
        let key = match self {
            Self::Age => 0,
            Self::Least(scalar) => amount(scalar),
            Self::Most(scalar) => u32::MAX - amount(scalar),
        };
        u64::from(key) << 32 | u64::from(ordinal)
    }
}

/// Bookkeeping that a policy asks the state for during the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Order of the index over instances.
    pub index: IndexBy,
    /// Whether running allocations are kept in order of their estimated end.
    pub ends: bool,
    /// Property by which instances are kept together in classes.
    pub classes: ClassBy,
    /// Whether rented instances are kept in order of the latest estimated end on them.
    pub latest: bool,
    /// Whether the policy is told of every record, and which instances changed.
    pub follows: bool,
    /// Whether each task that need not start with others holds its resources by itself,
    /// so that it can yield alone.
    pub apart: bool,
    /// Whether each instance knows the allocations on it, also one that cannot be lost.
    pub tenants: bool,
}

/// Sums over the live world at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Usable capacity of running instances.
    pub capacity: Amounts,
    /// Part of it that started work holds.
    pub allocated: Amounts,
    /// Jobs and virtual machines with tasks that are not placed.
    pub waiting: u64,
    /// Running instances.
    pub running: u64,
    /// Booting instances.
    pub booting: u64,
    /// Instances that are down.
    pub down: u64,
    /// Broken devices of instances that run.
    pub broken: u64,
    /// Pico-dollars per hour of all live instances, by provider.
    pub rates: Vec<i64>,
}

/// Amounts of the three resources: milli-cores, MiB, milli-GPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// CPU in milli-cores.
    pub cpu: i64,
    /// Memory in MiB.
    pub memory: i64,
    /// GPUs in milli-GPUs.
    pub gpu: i64,
}

impl Amounts {
    fn add(&mut self, shape: Shape, sign: i64) {
        self.cpu += sign * i64::from(shape.cpu);
        self.memory += sign * i64::from(shape.memory);
        self.gpu += sign * i64::from(shape.gpu_milli());
    }

    fn add_tasks(&mut self, demand: Demand, tasks: i64) {
        self.cpu += tasks * i64::from(demand.cpu);
        self.memory += tasks * i64::from(demand.memory);
        self.gpu += tasks * i64::from(demand.gpu_milli());
    }
}

/// Live instances and slots of one offer.
#[derive(Clone, Debug, Default)]
pub struct OfferState {
    /// Instances that are paid for.
    pub live: u32,
    /// Instances that are paid for, by ordinal.
    instances: BTreeMap<u32, InstanceRef>,
    /// Freed slots below `slots`, lowest first.
    free_slots: BinaryHeap<Reverse<u32>>,
    /// Launches so far, by slot.
    launches: Vec<u32>,
    /// Most instances at once, now; `None` is unlimited.
    capacity: Option<u32>,
    /// Whether instances are taken back when the capacity falls.
    reclaims: bool,
    /// Whether instances can be lost: be taken back, or fail.
    loses: bool,
    /// Faults that refuse launches now.
    outages: u32,
    /// The price is above the highest that is paid.
    too_dear: bool,
    /// Instance that holds each slot, where they can be lost.
    by_slot: Vec<Option<InstanceRef>>,
    /// Slots below the capacity that are held, where they can be taken back.
    held_below: u32,
}

/// The live world.
#[derive(Debug)]
pub struct State<'w> {
    world: &'w World,
    book: Interner,
    now: Time,
    works: Slab<LiveWork>,
    /// Names by slot of the work; apart from it, because only files read names. Short ones lie in
    /// the table itself, so that reading them misses one cache line.
    names: Vec<SmallVec<[u8; 24]>>,
    fleet: Fleet,
    allocations: Slab<Allocation>,
    rules: Vec<ResolvedRules>,
    /// The least and the most speed of any work under these, in millionths.
    speed_bounds: [u32; 2],
    offers: Vec<OfferState>,
    quota_used: Vec<u64>,
    quotas_of: Vec<Vec<usize>>,
    sites: Sites,
    /// Memory for searches that leave offers out.
    reach: OfferSet,
    /// Offers with live instances, in order.
    live_offers: Vec<Id<Offer>>,
    homes: Vec<Option<Id<Region>>>,
    /// Homes whose data is lost.
    lost_homes: Vec<String>,
    needs: Needs,
    ends: BTreeSet<(Time, AllocationRef)>,
    latest: LatestEnds,
    /// Number of times that something was done by which there may be room for others.
    room_made: u64,
    totals: Totals,
    areas: TimeIntegrals,
    /// Time from which the sums over instances have stood.
    fleet_since: Time,
    launched: u32,
    effects: Vec<Effect>,
    /// Rented instances that became ready or empty since the policy last asked.
    emptied: Vec<InstanceRef>,
    /// Offers whose prices changed since the policy last asked.
    repriced: Vec<Id<Offer>>,
    undo: Vec<change::Undo>,
    attempts: u32,
    notes: Option<Vec<(WorkRef, DecisionNote)>>,
    illegal: Option<Refusal>,
    illegal_count: u64,
    unreserved: u64,
    given_up: Option<String>,
    /// Suspensions by slot of the work, as far as any was stopped before it was done.
    pauses: Vec<Suspension>,
    /// Waits of tasks that came back, by slot of the work, as far as any did; `None` for work that
    /// has waited since it was submitted.
    came_back: Vec<Option<Pending>>,
    /// Progress that waiting tasks have saved, by slot of the work, as far as any have.
    saved_waiting: Vec<SavedGroups>,
    /// Checkpoints of allocations, by slot, as far as any had saved or could save progress.
    courses: Vec<SavedCourse>,
    /// Data of allocations whose network has been slow, by slot, as far as any has.
    transfers: Vec<Option<Transfers>>,
    /// Gangs that can go on with fewer tasks, by slot of the work, as far as any can.
    shrinking: Vec<Shrinking>,
    /// Live migrations that are under way, by both ends.
    migrating: BTreeMap<AllocationRef, Migrating>,
    /// Spot instances that were taken back and are to start again.
    stopped: StoppedInstances,
    /// Whether the policy may ever have an instance of each offer; all if it is empty.
    uses: Vec<bool>,
    /// Instances that were there at the start.
    standing: usize,
    /// Instances that are warned.
    draining: usize,
    overrun: bool,
    /// Whether a change of capacity is still to come.
    capacity_to_come: bool,
    /// Seed of the run.
    seed: u64,
    /// The price of each offer whose price is drawn, now; empty where none is.
    drawn_prices: Vec<Rate>,
    /// Changes of prices so far.
    price_changes: u64,
    /// Whether launches are refused that will not be some day.
    launches_return: bool,
    /// Time at which the bucket of launches of each region is full again; empty where none is limited.
    throttles: Vec<Time>,
    /// Faults whose surges last.
    surges: Vec<usize>,
    /// Spending against budgets; `None` in a world without any.
    spending: Option<Box<Spending>>,
    /// Commitments that policies know of.
    holdings: Holdings,
}

impl<'w> State<'w> {
    /// State of a world in which nothing is alive yet.
    pub fn new(world: &'w World, needs: Needs) -> Self {
        let mut quotas_of = vec![Vec::new(); world.offers.len()];
        for (row, quota) in world.quotas.iter().enumerate() {
            for offer in &quota.offers {
                quotas_of[offer.row()].push(row);
            }
        }
        Self {
            world,
            book: Interner::default(),
            now: Time::ZERO,
            works: Slab::new(),
            names: Vec::new(),
            fleet: Fleet::new(needs),
            allocations: Slab::new(),
            rules: Vec::new(),
            speed_bounds: [1_000_000; 2],
            offers: OfferState::all(world),
            quota_used: vec![0; world.quotas.len()],
            quotas_of,
            sites: Sites::new(world),
            reach: OfferSet::ALL,
            live_offers: Vec::new(),
            homes: Vec::new(),
            lost_homes: Vec::new(),
            needs,
            ends: BTreeSet::new(),
            latest: LatestEnds::new(needs.latest),
            room_made: 0,
            totals: Totals { rates: vec![0; world.providers.len()], ..Totals::default() },
            areas: TimeIntegrals::default(),
            fleet_since: Time::ZERO,
            launched: 0,
            effects: Vec::new(),
            emptied: Vec::new(),
            repriced: Vec::new(),
            undo: Vec::new(),
            attempts: 0,
            notes: None,
            illegal: None,
            illegal_count: 0,
            unreserved: 0,
            given_up: None,
            pauses: Vec::new(),
            came_back: Vec::new(),
            saved_waiting: Vec::new(),
            courses: Vec::new(),
            transfers: Vec::new(),
            shrinking: Vec::new(),
            migrating: BTreeMap::new(),
            stopped: StoppedInstances::default(),
            uses: Vec::new(),
            standing: 0,
            draining: 0,
            overrun: false,
            capacity_to_come: false,
            seed: 0,
            drawn_prices: Vec::new(),
            price_changes: 0,
            launches_return: false,
            throttles: Vec::new(),
            surges: Vec::new(),
            spending: Spending::of(world),
            holdings: Holdings::of(world),
        }
    }

    /// Says the seed of the run.
    pub(crate) fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Seed of the run, for those who draw again what the run has drawn.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether the policy's reasons are kept.
    pub fn explaining(&self) -> bool {
        self.notes.is_some()
    }

    /// The first illegal action of the policy, if there was one.
    pub fn first_illegal(&self) -> Option<Refusal> {
        self.illegal
    }

    /// Number of illegal actions of the policy.
    pub fn illegal_count(&self) -> u64 {
        self.illegal_count
    }

    /// Most pieces of work that waited at once without a reservation, because there were
    /// too many for each to hold one.
    pub fn unreserved(&self) -> u64 {
        self.unreserved
    }

    /// Reason why the policy cannot go on, if it said so.
    pub fn stop_reason(&self) -> Option<&str> {
        self.given_up.as_deref()
    }

    /// Marks the changes of instances so far, for [`State::touched_since`].
    pub fn touched_mark(&self) -> u64 {
        self.fleet.touched.mark()
    }

    /// Ordinals and handles of instances that are new, gone or changed since
    /// `mark`, by ordinal. An ordinal goes to another instance where a launch
    /// was taken back; the handle is the latest. `None` where too much has
    /// changed since then: look at all instances. Nothing is kept unless the
    /// policy said that it follows.
    pub fn touched_since(&self, mark: u64) -> Option<BTreeMap<u32, InstanceRef>> {
        self.fleet.touched.since(mark).map(Iterator::collect)
    }

    /// The world it lives in.
    pub fn world(&self) -> &'w World {
        self.world
    }

    /// The simulated time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Names of tenants, homes and rules.
    pub fn book(&self) -> &Interner {
        &self.book
    }

    /// A live piece of work.
    pub fn work(&self, work: WorkRef) -> &LiveWork {
        &self.works[work]
    }

    /// The source's name for live work; empty when names are not kept.
    pub fn name(&self, work: WorkRef) -> &str {
        let name = self.names.get(work.slot()).map_or(&[][..], SmallVec::as_slice);
        std::str::from_utf8(name).expect("a name is text")
    }

    /// Time in which the work has not come on since it first started: after a preemption until it
    /// ran again, and the time that it ran in vain. Progress of other tasks of the same work in the
    /// meantime counts as coming on.
    fn paused(&self, work: WorkRef) -> Span {
        self.pauses.get(work.slot()).map_or(Span::ZERO, |pause| pause.sum)
    }

    /// Time in which the work has come on until now: since it first started, without its pauses.
    /// Bounded slowdowns are measured by it.
    #[inline(always)]
    pub fn ran(&self, work: WorkRef) -> Span {
        let started = self.works[work].first_start().unwrap_or(self.now);
        self.now - started - self.paused(work)
    }

    /// Whether the work is still alive.
    pub fn is_alive(&self, work: WorkRef) -> bool {
        self.works.contains(work)
    }

    /// A live instance.
    pub fn instance(&self, instance: InstanceRef) -> &Instance {
        &self.fleet.instances[instance]
    }

    /// Whether the instance is still alive.
    pub fn has_instance(&self, instance: InstanceRef) -> bool {
        self.fleet.instances.contains(instance)
    }

    /// Brings near what the end of an allocation of `work` will need.
    #[inline]
    pub(crate) fn prefetch(&self, allocation: AllocationRef, work: WorkRef) {
        self.allocations.prefetch(allocation, |target| target);
        self.works.prefetch(work, LiveWork::prefetched);
        prefetch_index(&self.names, work.slot());
    }

    /// A live allocation.
    pub fn allocation(&self, allocation: AllocationRef) -> &Allocation {
        &self.allocations[allocation]
    }

    /// Live allocations in order of their estimated end, where the policy said
    /// that it needs them.
    pub fn ends(&self) -> impl DoubleEndedIterator<Item = (Time, AllocationRef)> + '_ {
        self.ends.iter().copied()
    }

    /// The earliest of those ends.
    #[inline]
    pub fn first_end(&self) -> Option<Time> {
        self.ends.first().map(|&(end, _)| end)
    }

    /// Live instances in slot order, which no result may depend on.
    pub fn instances(&self) -> impl Iterator<Item = (InstanceRef, &Instance)> {
        self.fleet.instances.iter()
    }

    /// Bookkeeping that the policy asked for.
    #[inline]
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Classes of live instances with their slots, where the policy said that
    /// it needs them, in no order that a result may depend on.
    pub fn classes(&self) -> impl Iterator<Item = (usize, &InstanceClass)> {
        self.fleet.classes.live()
    }

    /// Number of launches so far: one more than the highest ordinal.
    pub fn launched(&self) -> u32 {
        self.launched
    }

    /// Live work in slot order, which no result may depend on.
    pub fn works(&self) -> impl Iterator<Item = (WorkRef, &LiveWork)> {
        self.works.iter()
    }

    /// Number of live pieces of work.
    pub fn work_count(&self) -> usize {
        self.works.len()
    }

    /// Number of live instances.
    pub fn instance_count(&self) -> usize {
        (self.totals.booting + self.totals.running + self.totals.down) as usize
    }

    /// Sums over the live world.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Live instances and slots of an offer.
    pub fn offer(&self, offer: Id<Offer>) -> &OfferState {
        &self.offers[offer.row()]
    }

    /// Used part of a quota (a row of `World::quotas`), in the quota's unit.
    pub fn quota_used(&self, row: usize) -> u64 {
        self.quota_used[row]
    }

    /// The current price of an offer.
    pub fn price(&self, offer: Id<Offer>) -> Rate {
        let path = &self.world.offers[offer].price;
        match path.drawn.is_empty() {
            true => path.at(self.now),
            false => self.drawn_prices[offer.row()],
        }
    }

    /// A rule set in terms of this world.
    pub fn rules(&self, rules: Id<Rules>) -> &ResolvedRules {
        &self.rules[rules.row()]
    }

    /// The least and the most speed of any work so far, wherever it may run, in millionths.
    pub fn speed_bounds(&self) -> [u32; 2] {
        self.speed_bounds
    }

    /// Whether any work so far may have data to move.
    pub fn moves_data(&self) -> bool {
        !self.homes.is_empty()
    }

    /// Whether any single empty instance of `offer` could hold a task of the work.
    pub fn could_hold(&self, work: WorkRef, offer: Id<Offer>) -> bool {
        let ask = &self.works[work].ask;
        self.rules(ask.rules).allows(offer) && self.world.type_of(offer).shape.holds(ask.demand) > 0
    }

    /// Says of each offer whether the policy may ever have an instance of it.
    pub(crate) fn set_uses(&mut self, uses: Vec<bool>) {
        self.uses = uses;
    }

    /// Whether the policy may ever have an instance of `offer`.
    pub fn uses(&self, offer: Id<Offer>) -> bool {
        self.uses.get(offer.row()).is_none_or(|&uses| uses)
    }

    /// Whether a task of the work could run on an instance of `offer` that the policy may ever have.
    pub fn could_use(&self, work: WorkRef, offer: Id<Offer>) -> bool {
        self.uses(offer) && self.could_hold(work, offer)
    }

    /// Number of tasks that still fit where all live work is alike (one demand, allowed on every
    /// live instance): a scalar pool. `None` in any other pool.
    pub fn scalar_room(&self) -> Option<u64> {
        let demand = self.fleet.uniform.demand()?;
        if self.fleet.uniform.stays() && self.sites.used[usize::from(demand.gpus > 0)] > 1 {
            return None;
        }
        self.fleet.uniform.room()
    }

    /// Offers with live instances, in order.
    pub fn live_offers(&self) -> &[Id<Offer>] {
        &self.live_offers
    }

    /// Number of times that an action left room for others that was not there before: an
    /// instance was rented, or is kept longer than before by the estimates of its work, so that
    /// other work costs nothing there. It stands still where room was only taken.
    pub fn room_made(&self) -> u64 {
        self.room_made
    }

    /// Whether some instance may have room for a task of the work; if not, none has. It takes
    /// constant time.
    #[inline]
    pub fn may_fit(&self, work: WorkRef) -> bool {
        self.fleet.may_fit(self.works[work].ask.demand)
    }

    /// The first instance, in the index's order and not before `from`, on which
    /// one more task of the work fits. The second value is its place in the
    /// order, for a search that goes on after it.
    #[inline]
    pub fn first_fit(&self, work: WorkRef, from: u64) -> Option<(InstanceRef, u64)> {
        self.first_fit_in(work, from, &OfferSet::ALL)
    }

    /// The first instance within `reach`; see [`State::first_fit`].
    #[inline(always)]
    pub fn first_fit_in(
        &self,
        work: WorkRef,
        from: u64,
        reach: &OfferSet,
    ) -> Option<(InstanceRef, u64)> {
        let ask = &self.works[work].ask;
        let (demand, rules) = (ask.demand, &self.rules[ask.rules.row()]);
        let instances = &self.fleet.instances;
        let held = self.site_held(work);
        let all = rules.plain && held.is_none() && reach.is_all();
        let found = if all && self.fleet.decides(demand) {
            self.fleet.first(demand, u64::MAX, from, |_| true)
        } else {
            let accept = |slot: u32| {
                let instance = instances.handle(slot);
                reach.has(instances[instance].offer) && self.accepts(work, instance)
            };
            let kinds = rules.kinds & reach.kinds & held.map_or(u64::MAX, |(_, kinds)| kinds);
            self.fleet.first(demand, kinds, from, accept)
        };
        found.map(|(order, slot)| (instances.handle(slot), order))
    }

    /// The first instance of `offer`; see [`State::first_fit`].
    pub fn first_fit_of(&self, work: WorkRef, offer: Id<Offer>) -> Option<InstanceRef> {
        let ask = &self.works[work].ask;
        if !self.rules[ask.rules.row()].allows(offer) || !self.site_allows(work, offer) {
            return None;
        }
        let instances = &self.fleet.instances;
        let accept = |slot: u32| {
            let instance = instances.handle(slot);
            instances[instance].offer == offer && self.accepts(work, instance)
        };
        let found = self.fleet.first(ask.demand, kind_of(offer), 0, accept);
        found.map(|(_, slot)| instances.handle(slot))
    }

    /// Whether `share` could be added to an allocation of `work` now, or the
    /// rule that it would break.
    pub fn would_take(&self, work: WorkRef, share: Share) -> Result<(), Refusal> {
        self.check(work, share)
    }

    /// Whether one more task of the work may and can run on the instance.
    pub fn accepts(&self, work: WorkRef, instance: InstanceRef) -> bool {
        let ask = &self.works[work].ask;
        let rules = &self.rules[ask.rules.row()];
        let target = &self.fleet.instances[instance];
        rules.allows(target.offer)
            && target.room(ask.demand) > 0
            && self.site_allows(work, target.offer)
            && self.spread_allows(work, instance)
    }
}
