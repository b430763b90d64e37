//! Laws that every run must keep. The cheap ones are always watched; under an
//! audit the whole live world is counted again at every moment.

mod devices;
mod launches;
mod pace;
mod promise;
mod spending;
#[cfg(test)]
mod tests;

use devices::BrokenDevices;
use pace::Paces;
use promise::Promises;
use spending::Charged;

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Fact, FactObserver};
use crate::model::{CapacityCursor, Market, Offer};
use crate::policy::Trigger;
use crate::policy::queue::Queue;
use crate::sim::Observer;
use crate::state::{
    Allocation, AllocationRef, Charge, Ending, Exit, HeldShare, Instance, InstanceRef, LiveWork,
    Progress, Record, RefusalReason, StartPromise, State, WorkRef,
};
use crate::units::{Demand, Id, Money, Span, Time};

/// A law that a run broke: a bug of the simulator, never of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenLaw {
    /// Time at which it was broken.
    pub at: Time,
    /// The law that should hold.
    pub law: &'static str,
    /// Values that break it.
    pub found: String,
}

/// Watches a run and keeps the first law that it breaks.
#[derive(Clone, Debug, Default)]
pub struct Laws {
    audit: bool,
    broken: Option<BrokenLaw>,
    clock: Option<Time>,
    submitted: u64,
    ended: u64,
    alive: u64,
    /// Alive work times microseconds, by the clock and by the work itself.
    area: i128,
    sojourns: i128,
    /// Charged so far, by slot of the instance.
    charged: Vec<Money>,
    all_charged: Money,
    all_billed: Money,
    transfers: Money,
    promises: Promises,
    paces: Paces,
    devices: BrokenDevices,
    /// Progress under way from the instances that tasks left to those where they go on, times tasks.
    in_transit: i128,
    /// Whether any of that has ever waited on a stopped instance.
    hibernates: bool,
    /// Ordinal of a stopped instance that is requested again next.
    restarting: Option<u32>,
    /// Progress that gangs which can go on with fewer tasks have saved.
    saved: BTreeMap<WorkRef, i128>,
    /// Allocations whose tasks are copied while they compute.
    migrating: BTreeSet<AllocationRef>,
    /// Time at which each region lets through as many launches at once as ever, where that is limited.
    throttles: Vec<Time>,
    /// Whether the instance in a slot is one job's alone.
    exclusive: Vec<bool>,
    /// Charges, where there are budgets.
    spending: Charged,
    /// Whether each budget was used up before anything happened at this instant, where launches are capped.
    used_up: Vec<bool>,
    /// The capacity of each offer, drawn again beside the run; empty where none is drawn.
    capacities: Vec<CapacityCursor>,
}

impl Laws {
    /// Watches the cheap laws, and all of them under an `audit`.
    pub fn new(audit: bool) -> Self {
        Self { audit, ..Self::default() }
    }

    /// The first law that was broken.
    pub fn broken(&self) -> Option<&BrokenLaw> {
        self.broken.as_ref()
    }

    #[inline(always)]
    fn check(&mut self, holds: bool, at: Time, law: &'static str, found: impl FnOnce() -> String) {
        if !holds {
            self.broke(at, law, found);
        }
    }

    #[cold]
    #[inline(never)]
    fn broke(&mut self, at: Time, law: &'static str, found: impl FnOnce() -> String) {
        self.broken.get_or_insert_with(|| BrokenLaw { at, law, found: found() });
    }

    #[inline(always)]
    fn work_ended(&mut self, now: Time, live: &LiveWork) {
        self.ended += 1;
        self.alive -= 1;
        self.sojourns += i128::from((now - live.arrival).micros());
        let holds = live.allocations.is_empty() && live.placed == 0;
        self.check(holds, now, "ended work holds nothing", || {
            format!("{:?} still holds {} tasks", live.id, live.placed)
        });
    }

    #[inline(always)]
    fn charged(&mut self, now: Time, charge: &Charge) {
        self.all_charged += charge.amount;
        self.check(charge.amount >= Money::ZERO, now, "no charge is negative", || {
            format!("{:?}", charge)
        });
        if charge.kind == crate::state::ChargeKind::Transfer {
            self.transfers += charge.amount;
            return;
        }
        let slot = charge.instance.slot();
        if self.charged.len() <= slot {
            self.charged.resize(slot + 1, Money::ZERO);
        }
        self.charged[slot] += charge.amount;
    }

    fn released(&mut self, now: Time, slot: usize, released: &Instance, amount: Money) {
        let sum = self.charged.get_mut(slot).map(std::mem::take).unwrap_or_default();
        self.all_billed += amount;
        self.check(sum == amount, now, "an instance's charges sum to its bill", || {
            format!("charged {}, billed {}", sum.exact(), amount.exact())
        });
        let empty = released.allocations == 0;
        self.check(empty, now, "an instance is empty when it goes", || {
            format!("{} allocations", released.allocations)
        });
    }

    /// The capacity of an offer by its path and its price, now.
    fn capacity(&mut self, state: &State<'_>, offer: Id<Offer>) -> Option<u32> {
        self.capacity_at(state, offer, state.now())
    }

    /// The capacity of an offer by its path at `at`, which is no earlier than any before, and its price.
    fn capacity_at(&mut self, state: &State<'_>, offer: Id<Offer>, at: Time) -> Option<u32> {
        let facts = &state.world().offers[offer];
        let path = &facts.capacity;
        if facts.max_price.is_some_and(|most| state.price(offer) > most) {
            return Some(0);
        }
        match self.capacities.get_mut(offer.row()) {
            Some(cursor) => cursor.advance_to(path, at),
            None => path.at(at),
        }
    }

    /// Nothing was on a machine that works again.
    fn was_down(&mut self, repaired: &Instance, now: Time) {
        let held = repaired.allocations;
        self.check(held == 0, now, "nothing runs on a machine that is down", || {
            format!("{held} allocations on instance {}", repaired.ordinal)
        });
    }

    /// Checks that nothing runs beside a job that has its instances alone.
    #[inline(always)]
    fn runs_alone(&mut self, state: &State<'_>, started: &Allocation, live: &LiveWork) {
        let alone = live.ask.demand.exclusive;
        if alone || !self.exclusive.is_empty() {
            self.runs_beside(state, started, alone);
        }
    }

    fn runs_beside(&mut self, state: &State<'_>, target: &Allocation, alone: bool) {
        for held in &target.held {
            let instance = held.share.instance;
            let beside = self.exclusive.get(instance.slot()) == Some(&true)
                || alone && state.instance(instance).allocations != 1;
            self.check(!beside, state.now(), "nothing runs beside an exclusive job", || {
                format!("{:?}", state.work(target.work()).id)
            });
            self.set_exclusive(instance, alone);
        }
    }

    fn set_exclusive(&mut self, instance: InstanceRef, alone: bool) {
        let slot = instance.slot();
        if self.exclusive.len() <= slot {
            self.exclusive.resize(slot + 1, false);
        }
        self.exclusive[slot] = alone;
    }

    /// An exclusive job leaves its instances to others.
    #[inline(always)]
    fn leaves(&mut self, stopped: &Allocation, live: &LiveWork) {
        if !self.exclusive.is_empty() && live.ask.demand.exclusive {
            stopped.held.iter().for_each(|held| self.set_exclusive(held.share.instance, false));
        }
    }

    /// All instances of a gang lie in one site.
    fn stays_together(&mut self, state: &State<'_>, target: &Allocation) {
        let offer = |held: &HeldShare| state.instance(held.share.instance).offer;
        let site = |offer| state.site(target.work(), offer);
        let first = offer(&target.held[0]);
        let stays = |offer| offer == first || site(offer) == site(first);
        let holds = target.held.iter().all(|held| stays(offer(held)));
        self.check(holds, state.now(), "a gang stays as close together as it asks", || {
            format!("{:?}", state.work(target.work()).id)
        });
    }

    /// A gang starts all of its tasks, or as many as one starts that can go on with fewer.
    #[inline(always)]
    fn starts_whole(&mut self, state: &State<'_>, started: &Allocation, live: &LiveWork) {
        let (work, tasks) = (started.work(), started.tasks);
        let allowed = match state.gang_tasks(work) {
            0 => true,
            whole => (state.fewest_tasks(work)..=whole).contains(&tasks),
        };
        let holds = !live.ask.gang || tasks == live.ask.tasks && allowed;
        self.check(holds, state.now(), "a gang starts whole", || {
            format!("{tasks} of {}, at least {}", live.ask.tasks, state.fewest_tasks(work))
        });
    }

    /// A gang that can go on with fewer tasks does so from all that it had saved. Of one that is stopped
    /// as it writes output nobody sees what of it was progress.
    #[inline(always)]
    fn goes_on(
        &mut self,
        state: &State<'_>,
        one: AllocationRef,
        (started, live): (&Allocation, &LiveWork),
    ) {
        if state.joint_tasks(started.work()) > 1 && live.ask.output == 0 {
            let kept = *self.saved.entry(started.work()).or_default();
            let found = state.saved(one);
            self.check(found == kept, state.now(), "a gang goes on from what it saved", || {
                format!("{found}, and it had saved {kept}")
            });
        }
    }

    /// Time since the input was read, times speed, is progress that is of use or lost, or was not made
    /// for the sake of checkpoints: tasks end in the microsecond in which they are done, or when their
    /// output is written, or before.
    #[inline(always)]
    fn progress(
        &mut self,
        state: &State<'_>,
        (allocation, target): (AllocationRef, &Allocation),
        ending: Ending,
        parts: [i128; 3],
    ) {
        let now = state.now();
        let executed = parts.iter().sum::<i128>() - state.carried(allocation);
        let of = (allocation, target);
        let computed = match ending.is_done() {
            true => self.paces.computed(of, (executed, now)),
            false => Some(now),
        };
        let is_written = computed.is_some();
        let computed = computed.unwrap_or(now);
        let Some(made) = self.paces.made(state, of, computed) else {
            // What had not begun again yet, and is stopped once more, stays in memory.
            if !ending.keeps_memory() {
                let live = state.work(target.work());
                self.in_transit -= state.carried(allocation) * carried_tasks(target, live);
            }
            return;
        };
        self.hibernates |= ending == Ending::Hibernated;
        let leaves = match ending {
            Ending::Migrated | Ending::Hibernated => {
                self.leaves_with(state, (allocation, target), parts, made)
            }
            Ending::Done
            | Ending::Preempted
            | Ending::Interrupted
            | Ending::Failed
            | Ending::Cancelled
            | Ending::RunOver => 0,
        };
        let executed = executed + leaves;
        let holds = match ending.is_done() {
            true => is_written && made.comes_to(executed, computed),
            false if target.output == Span::ZERO && now >= made.since => {
                made.comes_to(executed, now)
            }
            false => (0..=made.done_at(now)).contains(&executed),
        };
        let holds = holds && parts.iter().all(|&part| part >= 0);
        self.check(holds, now, "progress is time computed times speed", || {
            format!("{made:?} and then {} of output made {parts:?}", target.output)
        });
    }

    /// Progress that each task of an allocation takes along as it migrates: all that it made there or
    /// brought, but what was saved and what was overhead.
    #[cold]
    fn leaves_with(
        &mut self,
        state: &State<'_>,
        (allocation, target): (AllocationRef, &Allocation),
        parts: [i128; 3],
        made: Progress,
    ) -> i128 {
        let now = state.now();
        let brought = state.carried(allocation);
        let leaves = made.done_at(now) + brought - parts.iter().sum::<i128>();
        self.in_transit += carried_tasks(target, state.work(target.work())) * leaves;
        self.check(leaves >= 0, now, "who migrates takes along what it made", || {
            format!("{made:?} of which {parts:?}")
        });
        leaves
    }

    fn totals(&mut self, state: &State<'_>) {
        let totals = state.totals();
        let pairs = [
            (totals.allocated.cpu, totals.capacity.cpu),
            (totals.allocated.memory, totals.capacity.memory),
            (totals.allocated.gpu, totals.capacity.gpu),
        ];
        let holds = pairs.iter().all(|(used, whole)| 0 <= *used && used <= whole);
        self.check(holds, state.now(), "what is allocated never exceeds capacity", || {
            format!("{totals:?}")
        });
        let holds = totals.waiting <= self.alive;
        self.check(holds, state.now(), "only live work waits", || format!("{totals:?}"));
    }

    /// The policy's queue is the work that waits: as many, and under an audit the same.
    #[inline(always)]
    fn all_queue(&mut self, state: &State<'_>, queue: &Queue) {
        let waiting = state.totals().waiting;
        let queues = |work: &WorkRef| queue.knows(*work);
        let queued = (queue.len() + queue.aside()) as u64;
        let holds = queued == waiting && (!self.audit || state.all_pending().iter().all(queues));
        self.check(holds, state.now(), "the policy's queue is the work that waits", || {
            let lost = state.all_pending().into_iter().find(|work| !queues(work));
            let lost = lost.map(|work| state.work(work).id);
            format!("{queued} in the queue, {waiting} wait; lost: {lost:?}")
        });
    }

    /// Work is held until a time that is to come, and that leaves its estimate before its deadline. The
    /// next to go is looked at, under an audit all that are held.
    fn none_is_late(&mut self, state: &State<'_>, queue: &Queue) {
        let now = state.now();
        let most = if self.audit { usize::MAX } else { 1 };
        for (until, work) in queue.held().take(most) {
            let live = state.work(work);
            let latest = live.ask.deadline.zip(live.remaining_estimate());
            let latest = latest.map(|(deadline, rest)| deadline - rest);
            let holds = until > now && latest.is_none_or(|latest| until <= latest);
            self.check(holds, now, "nobody is held longer than the deadline allows", || {
                format!("{:?} until {until:?}, latest start {latest:?}", live.id)
            });
        }
    }

    /// A gang that waits, and is planned to start with fewer tasks that are slower than all, could still be
    /// done before its deadline by its estimate if all of them started now.
    fn none_is_too_small(&mut self, state: &State<'_>) {
        let now = state.now();
        for (work, live) in state.works().filter(|(_, live)| live.waiting > 0) {
            let Some(tasks) = state.planned_tasks(work) else { continue };
            let latest = live.ask.deadline.zip(live.remaining_estimate());
            let latest = latest.map(|(deadline, rest)| deadline - rest);
            let whole = state.whole_tasks(work);
            let is_slower = state.joint_rate(work, tasks) < state.joint_rate(work, whole);
            let holds = !is_slower || latest.is_none_or(|latest| now <= latest);
            self.check(
                holds,
                now,
                "nobody waits with fewer tasks than the deadline allows",
                || format!("{:?} with {tasks}, latest start of all {latest:?}", live.id),
            );
        }
    }

    /// Progress in memory is that of tasks that wait on stopped instances, and on those that boot again.
    /// An instance is stopped for no longer than there is no room for it.
    fn all_stopped(&mut self, state: &State<'_>) {
        let now = state.now();
        let of = |work: WorkRef, tasks: u32, carried: i128| {
            let writes = state.work(work).ask.output > 0;
            if writes { 0 } else { i128::from(tasks) * carried }
        };
        let kept = state.all_kept().map(|kept| of(kept.work, kept.tasks, kept.carried));
        let mut all = kept.sum::<i128>();
        for (work, live) in state.works() {
            for &one in &live.allocations {
                let target = state.allocation(one);
                if target.started().is_none() {
                    all += of(work, target.tasks, state.carried(one));
                }
            }
        }
        let went_in = self.in_transit;
        self.check(all == went_in, now, "what hibernates loses no progress", || {
            format!("{all}, and {went_in} went in")
        });
        let mut next = state.next_stopped(None);
        while let Some(stopped @ (offer, _)) = next {
            let stays = state.stays_stopped(stopped);
            self.check(stays, now, "a stopped instance starts again when it can", || {
                state.world().offers[offer].name.clone()
            });
            next = state.next_stopped(Some(stopped));
        }
        for kept in state.all_kept() {
            let waiting = state.work(kept.work).waiting;
            self.check(kept.tasks <= waiting, now, "tasks on a stopped instance wait", || {
                format!("{:?}: {} of {waiting}", state.work(kept.work).id, kept.tasks)
            });
        }
    }

    /// Counts the whole live world again.
    fn recount(&mut self, state: &State<'_>) {
        let now = state.now();
        self.all_stopped(state);
        let mut waiting = 0;
        let slots = state.instances().map(|(one, _)| one.slot() + 1).max().unwrap_or(0);
        let mut held = vec![[0_u64; 3]; slots];
        let mut allocations = vec![0_u32; slots];
        let mut started = 0_i64;
        for (_, work) in state.works() {
            waiting += u64::from(work.waiting > 0);
            let sum = work.waiting + work.placed + work.done;
            self.check(sum == work.ask.tasks, now, "every task is in one state", || {
                format!("{:?}: {} of {}", work.id, sum, work.ask.tasks)
            });
            for &allocation in &work.allocations {
                let target = state.allocation(allocation);
                let mut all_running = true;
                for one in &target.held {
                    count_share(state, (one, work.ask.demand), &mut held);
                    allocations[one.share.instance.slot()] += 1;
                    let phase = state.instance(one.share.instance).phase;
                    all_running &= phase.is_capacity();
                    self.check(phase.is_billed(), now, "nothing runs on a dead instance", || {
                        format!("{:?}", work.id)
                    });
                }
                if target.started().is_some() {
                    started += i64::from(target.tasks) * i64::from(work.ask.demand.cpu);
                    self.check(all_running, now, "tasks run on running instances", || {
                        format!("{:?}", work.id)
                    });
                }
            }
        }
        // Tasks that compute elsewhere still hold these, and do not run there.
        for allocation in state.arriving() {
            let target = state.allocation(allocation);
            let demand = state.work(target.work()).ask.demand;
            self.check(target.started().is_none(), now, "nothing runs on two places", || {
                format!("{:?}", state.work(target.work()).id)
            });
            for one in &target.held {
                count_share(state, (one, demand), &mut held);
                allocations[one.share.instance.slot()] += 1;
            }
        }
        self.check(waiting == state.totals().waiting, now, "the queue is counted", || {
            format!("{waiting}, not {}", state.totals().waiting)
        });
        self.check(started == state.totals().allocated.cpu, now, "allocated is counted", || {
            format!("{started}, not {}", state.totals().allocated.cpu)
        });
        for (reference, instance) in state.instances() {
            let [cpu, memory, gpu] = held[reference.slot()];
            let holds = cpu + u64::from(instance.free.cpu) == u64::from(instance.shape.cpu)
                && memory + u64::from(instance.free.memory) == u64::from(instance.shape.memory)
                && gpu + u64::from(instance.free_gpu) == u64::from(instance.working().gpu_milli())
                && instance.devices().iter().map(|&free| u64::from(free)).sum::<u64>()
                    == u64::from(instance.free_gpu)
                && allocations[reference.slot()] == instance.allocations;
            self.check(holds, now, "held and free sum to the instance's shape", || {
                format!("{instance:?} holds {cpu}, {memory}, {gpu}")
            });
        }
        self.recount_devices(state);
        for (reference, instance) in state.instances().filter(|(_, one)| one.market == Market::Spot)
        {
            let world = state.world();
            let offer = &world.offers[instance.offer];
            let terms = world.providers[world.provider_of(instance.offer)].spot;
            let capacity = self.capacity(state, instance.offer);
            let there = capacity.is_none_or(|most| instance.slot < most);
            let notice = if instance.phase.is_booting() { Span::ZERO } else { terms.warning() };
            let takes_work_until = |age: Span| {
                now.saturating_add(notice) < instance.launched.saturating_add(age)
                    || !instance.phase.takes_work()
            };
            let young = terms
                .longest
                .is_none_or(|longest| instance.phase.is_booting() || takes_work_until(longest));
            self.check(young, now, "a spot instance takes no work at its age limit", || {
                format!("launched at {:?} from {}", instance.launched, offer.name)
            });
            // Who boots in its protection is looked at when it is ready.
            let boots = terms.protected > Span::ZERO && instance.phase.is_booting();
            // So is who is to be warned later.
            let recommended = terms.rebalance.is_some()
                && state.at_risk(reference).is_some_and(|until| until > now);
            let may_stay = boots || recommended || takes_work_until(terms.protected);
            let holds = there || !offer.is_taken_back() || may_stay;
            self.check(holds, now, "a spot instance without capacity takes no work", || {
                format!("slot {} of {}", instance.slot, offer.name)
            });
        }
        if state.has_budgets() {
            self.recount_spending(state);
        }
        for row in 0..state.world().quotas.len() {
            let (used, limit) = (state.quota_used(row), state.world().quotas[row].limit);
            self.check(used <= limit, now, "a quota is never exceeded", || {
                format!("{used} of {limit}")
            });
        }
    }
}

/// Tasks whose progress can be followed from allocation to allocation. Those that write output may be
/// moved while they do, and nobody sees from when on.
fn carried_tasks(target: &Allocation, live: &LiveWork) -> i128 {
    if live.ask.output > 0 { 0 } else { i128::from(target.tasks) }
}

impl Observer for Laws {
    fn begins(&mut self, state: &State<'_>) {
        let now = state.now();
        self.clock = Some(now);
        let offers = state.world().offers.rows();
        if offers.iter().any(|offer| !offer.capacity.drawn.is_empty()) {
            let course = |offer: &Offer| CapacityCursor::new(&offer.capacity, state.seed(), now);
            self.capacities = offers.iter().map(course).collect();
        }
    }

    #[inline]
    fn asks(&mut self, state: &State<'_>, _: &[Trigger]) {
        self.see_overruns(state);
    }

    #[inline(always)]
    fn decided(&mut self, state: &State<'_>, queue: Option<&Queue>) {
        if let Some(queue) = queue {
            self.all_queue(state, queue);
            if queue.aside() > 0 {
                self.none_is_late(state, queue);
            }
            if self.audit {
                self.none_is_too_small(state);
            }
        }
    }

    fn neglected(&mut self, state: &State<'_>, work: WorkRef) {
        self.broke(state.now(), "no work waits for ever beside room for it", || {
            format!("{:?} could be placed", state.work(work).id)
        });
    }

    #[inline(always)]
    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        let holds = self.clock == Some(from) && from < to;
        self.check(holds, from, "time never runs back or skips", || format!("{from:?} to {to:?}"));
        self.clock = Some(to);
        self.judge_promises(from);
        self.area += i128::from(self.alive) * i128::from((to - from).micros());
        let lost = self.in_transit;
        let holds = lost == 0 || self.hibernates;
        self.check(holds, from, "a migration loses no progress", || format!("{lost}"));
        self.totals(state);
        if state.cap().is_some() {
            self.note_used_up(state, to);
        }
        if self.audit {
            self.recount(state);
        }
    }

    #[inline(always)]
    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.see(state, Fact::of(state, record));
    }

    #[inline]
    fn promised(&mut self, state: &State<'_>, work: WorkRef, promise: StartPromise) {
        self.keep_promise(state, work, promise);
    }

    #[inline]
    fn planned(&mut self, state: &State<'_>) {
        self.stands(state.now());
    }

    fn ends(&mut self, state: &State<'_>) {
        let now = state.now();
        self.judge_promises(now);
        let (submitted, ended) = (self.submitted, self.ended);
        let holds = self.alive == 0 && submitted == ended;
        self.check(holds, now, "every piece of work ends in one state", || {
            format!("{submitted} submitted, {ended} ended")
        });
        let (area, sojourns) = (self.area, self.sojourns);
        self.check(area == sojourns, now, "Little's law holds exactly", || {
            format!("work in the system sums to {area}, sojourns to {sojourns}")
        });
        let parts = self.all_billed + self.transfers;
        let whole = self.all_charged;
        self.check(parts == whole, now, "charges sum to the bills", || {
            format!("{} and {}", whole.exact(), parts.exact())
        });
        self.judge_spending(state);
        let left = self.migrating.len();
        self.check(left == 0, now, "every migration ends once", || format!("{left} have not"));
        let totals = state.totals();
        let holds = totals.allocated == crate::state::Amounts::default()
            && totals.capacity == crate::state::Amounts::default()
            && totals.rates.iter().all(|&rate| rate == 0)
            && totals.waiting == 0;
        self.check(holds, now, "nothing is left when a run has ended", || format!("{totals:?}"));
    }
}

/// Adds cores, memory and devices that a share of tasks of `demand` holds to those of its instance.
fn count_share(state: &State<'_>, (one, demand): (&HeldShare, Demand), held: &mut [[u64; 3]]) {
    let (instance, tasks) = (one.share.instance, u64::from(one.share.tasks));
    let asked = [demand.cpu, demand.memory, demand.gpu_milli()];
    let whole = state.instance(instance).working();
    let whole = [whole.cpu, whole.memory, whole.gpu_milli()];
    for (at, held) in held[instance.slot()].iter_mut().enumerate() {
        let part = u64::from(asked[at]) * tasks;
        *held += if demand.exclusive { u64::from(whole[at]) } else { part };
    }
}

impl FactObserver for Laws {
    // Inlined, so that each place that makes a record runs only what concerns it.
    #[inline(always)]
    fn see(&mut self, state: &State<'_>, fact: Fact<'_>) {
        let now = state.now();
        match fact {
            Fact::Submitted(work, live) => {
                self.submitted += 1;
                self.alive += 1;
                self.forget_promise(work);
                let holds = live.arrival == now;
                self.check(holds, now, "work is submitted when it arrives", || {
                    format!("{:?}", live.id)
                });
            }
            Fact::Placed(placed) => {
                self.on_working_devices(state, placed);
                self.placed(state, placed);
            }
            Fact::Started(allocation, started, live) => {
                self.paces.starts(state, allocation, started);
                let carried = state.carried(allocation);
                if carried != 0 {
                    self.in_transit -= carried * carried_tasks(started, live);
                }
                self.excuse_boot(started, now);
                self.starts_whole(state, started, live);
                self.goes_on(state, allocation, (started, live));
                if started.held.len() > 1 {
                    self.stays_together(state, started);
                }
                self.runs_alone(state, started, live);
                self.on_working_devices(state, started);
            }
            Fact::Stopped { allocation, stopped, live, ending, useful, lost, overhead, .. } => {
                if let Some(saved) = self.saved.get_mut(&stopped.work()) {
                    *saved += useful;
                }
                self.excuse_stop(stopped, ending, now);
                self.progress(state, (allocation, stopped), ending, [useful, lost, overhead]);
                let copied = self.migrating.contains(&allocation);
                self.check(!copied, now, "every migration ends once", || format!("{:?}", live.id));
                self.leaves(stopped, live);
                if ending.is_done() {
                    self.on_working_devices(state, stopped);
                }
            }
            Fact::Finished(work, live) => {
                self.saved.remove(&work);
                self.work_ended(now, live);
            }
            Fact::Unfinished(live) => self.work_ended(now, live),
            Fact::Refused(live, reason) => {
                let untouched = live.done == 0 || reason == RefusalReason::DataLost;
                self.check(untouched, now, "refused work has done nothing", || {
                    format!("{:?}", live.id)
                });
                self.work_ended(now, live);
            }
            Fact::Charged(charge, ..) => {
                self.charged(now, charge);
                if state.has_budgets() {
                    self.count_charge(state, charge);
                }
            }
            Fact::Migrates(allocation, live, begins) => {
                // Instances are held from now on, which others may have been promised.
                self.excuse_loss();
                let is_new = match begins {
                    true => self.migrating.insert(allocation),
                    false => self.migrating.remove(&allocation),
                };
                self.check(is_new, now, "every migration ends once", || format!("{:?}", live.id));
            }
            Fact::Slowed { instance, fault, begins, .. } => {
                self.paces.change(state, instance, fault, begins);
            }
            Fact::Devices { instance, struck, devices, breaks, .. } => {
                // What was counted on is gone.
                if breaks {
                    self.excuse_loss();
                }
                self.devices_change(now, (instance, struck), devices, breaks);
            }
            Fact::Released { instance, released, amount, exit, .. } => {
                let free = exit != Exit::NotLaunched || amount == Money::ZERO;
                self.check(free, now, "a launch that came to nothing costs nothing", || {
                    format!("instance {} cost {}", released.ordinal, amount.exact())
                });
                self.paces.released(instance);
                self.devices.released(instance);
                self.excuse_loss();
                self.released(now, instance.slot(), released, amount);
                if state.has_budgets() {
                    self.count_bill(state, released, amount);
                }
            }
            // What was counted on is gone as soon as it takes no more work.
            Fact::Draining(..) | Fact::Failed(..) => self.excuse_loss(),
            Fact::Repaired(_, repaired) => self.was_down(repaired, now),
            Fact::Outage(_, begins) => {
                if begins {
                    self.excuse_loss();
                }
            }
            Fact::Requested(instance, requested) => {
                self.has_capacity(state, requested);
                self.is_launched(state, requested);
                // Nobody throttles what starts again.
                if self.restarting.take() != Some(requested.ordinal) {
                    self.is_let_through(state, requested);
                }
                if state.cap().is_some() {
                    self.is_within_budget(state, instance, requested);
                }
            }
            Fact::GivenUp { live, tasks, useful, lost, .. } => {
                if live.ask.output == 0 {
                    self.in_transit -= (useful + lost) * i128::from(tasks);
                }
            }
            Fact::Restarted(instance, _) => {
                self.restarting = Some(instance.ordinal);
                self.excuse_loss();
            }
            Fact::AtRisk(..) | Fact::Ready(..) | Fact::LaunchRefused(..) | Fact::Noted => (),
        }
    }
}
