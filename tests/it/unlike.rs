//! Promises of EASY and conservative backfilling on instances that differ and on rented
//! ones, against slow and obvious sums over what the run itself tells: what runs where,
//! and until when by the estimates.
//!
//! Placement is a free choice there, so promises are checked, not starts:
//!
//! - The shadow time of the head of the queue is found by walking the estimated ends in
//!   order, freeing what ends, and counting the tasks that fit on every instance.
//! - Nobody who starts behind the head in the queue moves that time.
//! - While work is the head, it starts no later than the earliest shadow time that it has
//!   had. Forgotten is what was found before somebody overran an estimate, somebody served
//!   earlier in the queue was placed, an instance was given back, or work started on
//!   instances that it had waited for (docs/scenario.md, "Reservations").
//! - Under conservative backfilling nobody starts later than the first start promised.
//!
//! Left out, as how many tasks fit is no sum over instances then: tasks with parts of
//! several GPUs. Of several unknown ends of one moment none counts as the earlier.

use std::cell::Cell;
use std::collections::BTreeMap;

use windtunnel::model::{
    Ask, Interner, LaunchTerms, Market, PricePath, Rules, Together, Work, WorkId, World,
};
use windtunnel::policy;
use windtunnel::policy::Trigger;
use windtunnel::policy::backfill::{self, BackfillPart};
use windtunnel::policy::order::{self, OrderPart, OrderSpec};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{provision, release};
use windtunnel::sim::{Observer, Options};
use windtunnel::state::{
    Allocation, AllocationRef, DecisionNote, Instance, LiveWork, Record, State,
};
use windtunnel::units::{Demand, Distribution, Id, Rate, Shape, Span, Time};
use windtunnel::workload::WorkList;

use crate::dice::Dice;
use crate::trial::{self, Guessing, Started, Starts};

/// Machines, jobs and a policy.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) world: World,
    pub(crate) works: Vec<Work>,
    pub(crate) policy: PolicySpec,
}

// ---------------------------------------------------------------------------
// Slow sums.
// ---------------------------------------------------------------------------

/// Free resources of an instance.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) ordinal: u32,
    cpu: i64,
    memory: i64,
    devices: Vec<u16>,
    holders: u32,
    /// Whether somebody has it alone.
    alone: bool,
}

impl Machine {
    pub(crate) fn empty(instance: &Instance) -> Self {
        let Shape { cpu, memory, gpus } = instance.shape;
        let devices = vec![1_000; usize::from(gpus)];
        let (cpu, memory) = (i64::from(cpu), i64::from(memory));
        Self { ordinal: instance.ordinal, cpu, memory, devices, holders: 0, alone: false }
    }

    /// Number of tasks that fit, one after the other.
    pub(crate) fn room(&self, demand: Demand) -> u32 {
        assert!(demand.gpus < 2 || demand.whole_gpus(), "parts of several GPUs are left out");
        if self.alone || demand.exclusive && self.holders > 0 {
            return 0;
        }
        let (mut left, mut tasks) = (self.clone(), 0);
        loop {
            left.cpu -= i64::from(demand.cpu);
            left.memory -= i64::from(demand.memory);
            for _ in 0..demand.gpus {
                let fits = left.devices.iter_mut().find(|free| **free >= demand.gpu_share);
                let Some(free) = fits else { return tasks };
                *free -= demand.gpu_share;
            }
            if left.cpu < 0 || left.memory < 0 {
                return tasks;
            }
            tasks += 1;
        }
    }

    /// Tasks come (`sign` is 1) or go (-1).
    pub(crate) fn change(&mut self, demand: Demand, tasks: u32, devices: u32, sign: i32) {
        self.holders = self.holders.checked_add_signed(sign).expect("who goes was here");
        if demand.exclusive {
            self.alone = sign > 0;
            return;
        }
        self.cpu -= i64::from(sign) * i64::from(demand.cpu) * i64::from(tasks);
        self.memory -= i64::from(sign) * i64::from(demand.memory) * i64::from(tasks);
        for (at, free) in self.devices.iter_mut().enumerate() {
            if devices & (1 << at) != 0 {
                *free = (i32::from(*free) - sign * i32::from(demand.gpu_share)) as u16;
            }
        }
        assert!(self.cpu >= 0 && self.memory >= 0, "more is held than there is");
    }
}

/// Tasks come to the machines that they hold (`sign` is 1), or go (-1).
pub(crate) fn change(
    machines: &mut [Machine],
    state: &State<'_>,
    (work, allocation): (&LiveWork, &Allocation),
    sign: i32,
) {
    for held in &allocation.held {
        let ordinal = state.instance(held.share.instance).ordinal;
        let machine = machines.iter_mut().find(|machine| machine.ordinal == ordinal);
        let machine = machine.expect("it is alive");
        machine.change(work.ask.demand, held.share.tasks, held.share.devices, sign);
    }
}

/// Moment at which `head` can start by the estimates beside those that hold something, and nobody
/// else; never where it cannot. `empty` are all instances, without what runs on them.
fn shadow(
    state: &State<'_>,
    empty: &[Machine],
    held: &[(&LiveWork, &Allocation)],
    head: &LiveWork,
) -> Time {
    let mut machines = empty.to_vec();
    held.iter().for_each(|&one| change(&mut machines, state, one, 1));
    let mut ends: Vec<Time> = held.iter().map(|one| one.1.estimated_end.max(state.now())).collect();
    ends.extend([state.now()]);
    ends.sort_unstable();
    ends.dedup();
    let mut left = held.to_vec();
    for end in ends {
        // Who has overrun its estimate counts as ending now, but is still there.
        let overrun = |one: &Allocation| end == state.now() && one.estimated_end <= end;
        let room = |machines: &[Machine]| {
            let rooms = machines.iter().map(|machine| machine.room(head.ask.demand));
            rooms.sum::<u32>() >= head.together()
        };
        if left.iter().any(|one| overrun(one.1)) && room(&machines) {
            return end;
        }
        left.retain(|&one| {
            let stays = one.1.estimated_end > end;
            if !stays {
                change(&mut machines, state, one, -1);
            }
            stays
        });
        if room(&machines) {
            return end;
        }
    }
    Time::MAX
}

/// Whether any estimate is overrun before `to`, or of work that is still to start is over.
fn overruns(state: &State<'_>, to: Time) -> bool {
    holders(state).iter().any(|(_, one)| state.allocation(*one).estimated_end < to)
}

/// Allocations that hold resources, with their work.
pub(crate) fn holders<'s>(state: &'s State<'_>) -> Vec<(&'s LiveWork, AllocationRef)> {
    let all =
        state.works().flat_map(|(_, work)| work.allocations.iter().map(move |&of| (work, of)));
    all.collect()
}

// ---------------------------------------------------------------------------
// EASY.
// ---------------------------------------------------------------------------

/// Counts of what was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Shadow times.
    shadows: u64,
    /// Starts behind the head at which its shadow time was worked out again.
    overtakers: u64,
    /// Heads that started by a promise that stood.
    kept: u64,
}

/// Looks over the shoulder of an EASY policy.
struct Watch {
    order: OrderSpec,
    seen: Seen,
    /// Placed since the policy was last asked.
    placed: Vec<AllocationRef>,
    /// Served earlier than whoever holds the promise, or something else that excuses,
    /// since the clock last moved.
    excused: bool,
    /// Given back since the policy was last asked.
    gone: Vec<Machine>,
    /// The head with its waiting tasks, and its earliest shadow time.
    promise: Option<(WorkId, u32, Time)>,
    broken: Option<String>,
}

type Rank = (Span, (Time, WorkId));

impl Watch {
    fn rank(&self, work: &LiveWork) -> Rank {
        let first = match self.order.name() {
            "shortest" => work.remaining_estimate().unwrap_or(Span::MAX),
            "fcfs" => Span::ZERO,
            other => panic!("there is no slow order {other:?}"),
        };
        (first, work.tie())
    }

    fn head<'s>(&self, state: &'s State<'_>) -> Option<&'s LiveWork> {
        let waiting = state.works().map(|(_, work)| work).filter(|work| work.waiting > 0);
        waiting.min_by_key(|work| self.rank(work))
    }

    fn broke(&mut self, state: &State<'_>, how: &str, work: WorkId, then: Time, now: Time) {
        let at = state.now();
        self.broken.get_or_insert_with(|| format!("at {at:?} {how}: {work:?} {then:?}, {now:?}"));
    }

    /// The policy has decided: who started behind the head?
    fn decided(&mut self, state: &State<'_>) -> Option<Time> {
        let (placed, gone) = (std::mem::take(&mut self.placed), std::mem::take(&mut self.gone));
        let head = self.head(state)?;
        let live: Vec<Machine> = state.instances().map(|(_, one)| Machine::empty(one)).collect();
        let then: Vec<Machine> = live.iter().cloned().chain(gone).collect();
        let behind = |work: &LiveWork, of: AllocationRef| {
            placed.contains(&of) && self.rank(work) > self.rank(head)
        };
        let all = holders(state);
        let before: Vec<_> = all.iter().filter(|one| !behind(one.0, one.1)).collect();
        let hold = |list: &[&(&_, _)], empty: &[Machine]| {
            let list: Vec<_> = list.iter().map(|one| (one.0, state.allocation(one.1))).collect();
            shadow(state, empty, &list, head)
        };
        let all: Vec<_> = all.iter().collect();
        if before.len() < all.len() {
            let (alone, beside) = (hold(&before, &then), hold(&all, &then));
            self.seen.overtakers += (all.len() - before.len()) as u64;
            if beside != alone {
                self.broke(state, "overtakers move the head", head.id, alone, beside);
            }
        }
        self.seen.shadows += 1;
        Some(hold(&all, &live))
    }
}

impl Observer for Watch {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Placed(placed) => {
                self.placed.push(placed);
                let work = state.work(state.allocation(placed).work());
                let head = self.promise.map(|(head, ..)| head);
                let head = state.works().find(|(_, work)| Some(work.id) == head);
                self.excused |= head.is_some_and(|head| self.rank(work) < self.rank(head.1));
            }
            // Who takes no time ends before the policy is asked again.
            Record::Stopped { .. } if !self.placed.is_empty() => {
                self.decided(state);
            }
            Record::Started(started) => {
                self.excused |= state.allocation(started).placed < state.now();
            }
            Record::Released { instance, .. } => {
                self.gone.push(Machine::empty(state.instance(instance)));
                self.excused = true;
            }
            _ => (),
        }
    }

    fn asks(&mut self, state: &State<'_>, _: &[Trigger]) {
        if !self.placed.is_empty() {
            self.decided(state);
        }
        self.gone.clear();
    }

    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        let shadow = self.decided(state);
        let overruns = overruns(state, to);
        if std::mem::take(&mut self.excused) || overruns {
            self.promise = None;
        }
        let head = self.head(state).map(|head| (head.id, head.waiting));
        if let Some((id, waiting, best)) = self.promise {
            let work = state.works().find(|(_, work)| work.id == id);
            let waits = work.is_some_and(|(_, work)| work.waiting == waiting);
            // Whoever arrived in front of it may have been given what it waited for.
            let first = self
                .head(state)
                .is_none_or(|head| work.is_none_or(|(_, work)| self.rank(head) >= self.rank(work)));
            if first && (waits && from >= best || from > best) {
                self.broke(state, "the head is late", id, best, from);
            }
            self.seen.kept += u64::from(!waits);
        }
        let before = self.promise.take().filter(|&(id, waiting, _)| Some((id, waiting)) == head);
        if let (Some((id, waiting)), Some(shadow), false) = (head, shadow, overruns) {
            let best = before.map_or(shadow, |(.., before)| before.min(shadow));
            self.promise = Some((id, waiting, best));
        }
    }
}

/// Runs a case under EASY.
fn easy(case: &Case) -> Result<Seen, String> {
    let mut watch = Watch {
        order: case.policy.order.clone(),
        seen: Seen::default(),
        placed: Vec::new(),
        excused: false,
        gone: Vec::new(),
        promise: None,
        broken: None,
    };
    run(case, &Options::default(), &mut watch);
    watch.broken.map_or(Ok(watch.seen), Err)
}

pub(crate) fn run<O: Observer>(case: &Case, options: &Options, watch: &mut O) {
    let mut names = Interner::default();
    names.rules(&Rules { together: Some(Together::Anywhere), ..Rules::default() });
    let mut source = WorkList::new(&case.works).named(names);
    let mut policy = policy::build(&case.policy);
    trial::run(&case.world, &mut source, &mut *policy, options, watch, case);
}

// ---------------------------------------------------------------------------
// Conservative.
// ---------------------------------------------------------------------------

/// Holds starts to the first promises that are told on request.
#[derive(Default)]
struct Promised {
    /// First promise for the next tasks to start, by work.
    first: BTreeMap<WorkId, Time>,
    seen: Seen,
    broken: Option<String>,
}

impl Observer for Promised {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Noted(work, DecisionNote::Waits(wait)) => {
                if let Some(at) = wait.promised {
                    self.first.entry(state.work(work).id).or_insert(at);
                    self.seen.shadows += 1;
                }
            }
            Record::Placed(placed) => {
                let (id, now) = (state.work(state.allocation(placed).work()).id, state.now());
                let Some(at) = self.first.remove(&id) else { return };
                self.seen.kept += 1;
                if now > at {
                    self.broken.get_or_insert_with(|| {
                        format!("{id:?} was promised {at:?} and starts at {now:?}")
                    });
                }
            }
            _ => (),
        }
    }

    fn elapse(&mut self, state: &State<'_>, _: Time, to: Time) {
        if overruns(state, to) {
            self.first.clear();
        }
    }
}

fn conservative(case: &Case) -> Result<Seen, String> {
    let mut watch = Promised::default();
    run(case, &Options { explain: true, ..Options::default() }, &mut watch);
    watch.broken.map_or(Ok(watch.seen), Err)
}

// ---------------------------------------------------------------------------
// Random cases.
// ---------------------------------------------------------------------------

/// Two to four machines of one to three shapes, and speeds.
fn unlike(dice: &mut Dice) -> World {
    let groups = dice.within(1, 3);
    let shapes = (0..groups).map(|_| Shape {
        cpu: dice.within(1, 8) as u32 * 1_000,
        memory: dice.within(2, 16) as u32 * 512,
        gpus: if dice.once_in(2) { dice.within(1, 4) as u8 } else { 0 },
    });
    let shapes: Vec<Shape> = shapes.collect();
    let mut left = dice.within(2, 4) as u32;
    let mut counted = Vec::new();
    for (row, &shape) in shapes.iter().enumerate() {
        let last = row + 1 == shapes.len();
        let count = if last { left } else { left.min(1) };
        left -= count;
        if count > 0 {
            counted.push((shape, count));
        }
    }
    let mut world = trial::machines(&counted);
    for kind in world.types.rows_mut() {
        kind.speed = dice.of(&[500_000, 1_000_000, 1_000_000, 2_000_000]);
    }
    world
}

fn demand(dice: &mut Dice) -> Demand {
    let gpus = if dice.once_in(3) { dice.within(1, 2) as u8 } else { 0 };
    // Parts of several GPUs are left out: see above.
    let part = gpus == 1 && dice.once_in(2);
    let gpu_share = if part { dice.of(&[250, 300, 500, 700]) } else { 1_000 };
    Demand {
        cpu: dice.within(1, 8) as u32 * 500,
        memory: dice.within(0, 8) as u32 * 256,
        gpus,
        gpu_share: if gpus > 0 { gpu_share } else { 0 },
        exclusive: !part && dice.once_in(6),
    }
}

/// Three to ten jobs: gangs that may lie anywhere, and arrays.
fn works(dice: &mut Dice) -> Vec<Work> {
    let demands: Vec<Demand> = (0..dice.within(1, 4)).map(|_| demand(dice)).collect();
    let (gap, missing, short) = (dice.of(&[0, 3, 10, 25]), dice.of(&[0, 0, 3]), dice.once_in(3));
    let (count, guessing) = (dice.within(3, 10), Guessing { missing, short, least: [0, 0] });
    trial::jobs(dice, count, gap, guessing, |dice| Ask {
        tasks: dice.of(&[1, 1, 2, 3, 4]),
        gang: !dice.once_in(3),
        demand: dice.of(&demands),
        rules: Id::new(1),
        ..Ask::default()
    })
}

pub(crate) fn owned(
    seed: u64,
    backfill: &'static BackfillPart,
    orders: &[&'static OrderPart],
) -> Case {
    let mut dice = Dice::new(seed);
    let (world, works) = (unlike(&mut dice), works(&mut dice));
    let order = dice.of(orders);
    Case {
        world,
        works,
        policy: PolicySpec {
            order: order.spec(),
            backfill: backfill.spec(),
            ..PolicySpec::named("unlike")
        },
    }
}

/// Some of the machines can be rented instead, boot, and may be given back when idle.
/// Whoever is the head rents at once; overflow after a wait is left out, as others than
/// the head are placed in the midst of a decision then.
pub(crate) fn rented(seed: u64) -> Case {
    let mut case = owned(seed, &backfill::EASY, &[&order::FCFS, &order::SHORTEST]);
    let mut dice = Dice::new(seed ^ 0x5eed);
    let (kinds, boot) = (case.world.offers.len(), dice.of(&[1, 7, 40]));
    for (row, offer) in case.world.offers.rows_mut().iter_mut().enumerate() {
        if row + 1 == kinds || dice.once_in(2) {
            offer.market = Market::OnDemand;
            offer.running_at_start = 0;
            offer.launch = LaunchTerms::taking(Distribution::Constant(boot as f64));
            let price = dice.within(1, 9) as i64 * 3_600_000_000_000;
            offer.price = PricePath::constant(Rate::from_picos(price));
        }
    }
    let most = dice.within(1, 3) as u32;
    case.policy.provision = dice.of(&[&provision::CHEAPEST, &provision::FASTEST]).spec();
    if dice.once_in(4) {
        case.policy.provision = case.policy.provision.clone().set("max_instances", most);
    }
    let after = Span::from_secs(dice.of(&[0, 5, 30]));
    case.policy.release =
        dice.of(&[release::NEVER.spec(), release::IDLE.spec().set("after", after)]);
    case
}

/// A case in few lines.
pub(crate) fn told(case: &Case) -> String {
    let mut lines = vec![format!("{:?}", case.policy)];
    for offer in case.world.offers.rows() {
        let kind = &case.world.types[offer.instance_type];
        let (shape, speed, capacity) = (kind.shape, kind.speed, offer.capacity.first);
        lines.push(format!(
            "{:?} {capacity:?} {shape:?} {speed} {:?}",
            offer.market, offer.launch.stages
        ));
    }
    lines.extend(case.works.iter().map(trial::told));
    lines.join("\n")
}

/// Checks a case for every seed, and shows the smallest that fails.
fn all_hold(
    seeds: u64,
    case: impl Fn(u64) -> Case,
    check: impl Fn(&Case) -> Result<Seen, String>,
) -> Seen {
    let (mut seen, failed) = (Seen::default(), Cell::new(0));
    let mut smallest: Option<(usize, u64, String)> = None;
    for seed in 0..seeds {
        let case = case(seed);
        match check(&case) {
            Ok(one) => {
                seen.shadows += one.shadows;
                seen.overtakers += one.overtakers;
                seen.kept += one.kept;
            }
            Err(how) => {
                failed.set(failed.get() + 1);
                let size = case.works.len();
                if smallest.as_ref().is_none_or(|smallest| size < smallest.0) {
                    smallest = Some((size, seed, format!("{how}\n{}", told(&case))));
                }
            }
        }
    }
    if let Some((_, seed, how)) = smallest {
        panic!("{} of {seeds} fail; seed {seed}: {how}", failed.get());
    }
    seen
}

#[test]
fn easy_keeps_its_promise_on_unlike_nodes() {
    let orders = [&order::FCFS, &order::SHORTEST];
    let seen = all_hold(6_000, |seed| owned(seed, &backfill::EASY, &orders), easy);
    assert!(seen.overtakers > 2_000 && seen.kept > 10_000, "{seen:?}");
}

#[test]
fn easy_keeps_its_promise_on_rented_capacity() {
    let seen = all_hold(6_000, rented, easy);
    assert!(seen.overtakers > 1_000 && seen.kept > 1_000, "{seen:?}");
}

#[test]
fn conservative_starts_nobody_later_than_first_promised() {
    let orders = [&order::FCFS, &order::SHORTEST];
    let case = |seed| owned(seed, &backfill::CONSERVATIVE, &orders);
    let seen = all_hold(3_000, case, conservative);
    assert!(seen.kept > 3_000, "{seen:?}");
}

/// The same work, each task of arrays a job of its own, with the rows that they come from.
fn apart(works: &[Work]) -> (Vec<Work>, Vec<usize>) {
    let (mut apart, mut rows) = (Vec::new(), Vec::new());
    for (row, work) in works.iter().enumerate() {
        let jobs = if work.ask.gang { 1 } else { work.ask.tasks };
        for _ in 0..jobs {
            let id = WorkId { ordinal: apart.len() as u64, ..work.id };
            let ask = Ask { tasks: work.ask.tasks / jobs, ..work.ask };
            apart.push(Work { id, ask, ..work.clone() });
            rows.push(row);
        }
    }
    (apart, rows)
}

/// Tasks started by each row of work, by moment.
fn starts(case: &Case, rows: &[usize]) -> Starts {
    let mut watch = Started(vec![BTreeMap::new(); case.works.len()]);
    run(case, &Options::default(), &mut watch);
    let mut starts = vec![BTreeMap::new(); rows.last().map_or(0, |last| last + 1)];
    for (&row, one) in rows.iter().zip(&watch.0) {
        let of: &mut BTreeMap<i64, u32> = &mut starts[row];
        one.iter().for_each(|(&at, tasks)| *of.entry(at).or_default() += tasks);
    }
    starts
}

/// Tasks of an array that are reserved one after the other move one after the other, as that
/// many jobs do. Those that have a machine alone share it, so that they are left out.
#[test]
fn conservative_starts_an_array_when_as_many_jobs() {
    // Cases of few jobs in which it matters.
    for seed in [3_301, 68_550, 105_769, 116_911] {
        let orders = [&order::FCFS, &order::SHORTEST];
        let mut array = owned(seed, &backfill::CONSERVATIVE, &orders);
        array.works.iter_mut().for_each(|work| work.ask.demand.exclusive &= work.ask.gang);
        let (works, rows) = apart(&array.works);
        let single = Case { works, ..array.clone() };
        let together: Vec<usize> = (0..array.works.len()).collect();
        let (want, got) = (starts(&single, &rows), starts(&array, &together));
        trial::assert_same(&format!("seed {seed}, {}", told(&array)), &array.works, &want, &got);
    }
}
