//! The simulator against a slow and obvious one: plain lists, searched from
//! end to end, which share nothing with it but plain data. Every start, every
//! place and every end must be the same.

use std::collections::BTreeMap;

use windtunnel::model::{Ask, Work};
use windtunnel::policy;
use windtunnel::policy::backfill::{self, BackfillPart};
use windtunnel::policy::order::OrderPart;
use windtunnel::policy::spec::{PlaceSpec, PolicySpec, Scalar};
use windtunnel::policy::{order, place};
use windtunnel::sim::{Observer, Options};
use windtunnel::state::{Record, State};
use windtunnel::units::{Demand, Shape};
use windtunnel::workload::WorkList;

use crate::dice::Dice;
use crate::trial::{self, CORE, Guessing};

/// Outcome of a job: start, end, and (machine, tasks) in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Fate {
    start: Option<i64>,
    end: Option<i64>,
    on: Vec<(usize, u32)>,
    refused: bool,
}

/// A case: machines by group, jobs and a policy.
#[derive(Clone, Debug)]
struct Case {
    groups: Vec<(Shape, u32)>,
    works: Vec<Work>,
    policy: PolicySpec,
}

// ---------------------------------------------------------------------------
// The slow simulator.
// ---------------------------------------------------------------------------

/// Free milli-cores, MiB and GPUs of a machine, and its capacity in the same units.
#[derive(Clone, Copy, Debug)]
struct Machine {
    free: [i64; 3],
    whole: [i64; 3],
    /// Number of jobs that hold a part of it, and whether somebody has it alone.
    holders: u32,
    alone: bool,
}

fn asks(demand: Demand) -> [i64; 3] {
    [i64::from(demand.cpu), i64::from(demand.memory), i64::from(demand.gpus)]
}

impl Machine {
    fn new(shape: Shape) -> Self {
        let whole = [i64::from(shape.cpu), i64::from(shape.memory), i64::from(shape.gpus)];
        Self { free: whole, whole, holders: 0, alone: false }
    }

    fn room(&self, demand: Demand) -> u32 {
        if self.alone || demand.exclusive && self.holders > 0 {
            return 0;
        }
        let asks = asks(demand);
        let by = |at: usize| if asks[at] == 0 { i64::MAX } else { self.free[at] / asks[at] };
        u32::try_from(by(0).min(by(1)).min(by(2))).expect("a demand asks something")
    }

    fn change(&mut self, demand: Demand, tasks: u32, sign: i64) {
        self.holders = self.holders.checked_add_signed(-sign as i32).expect("who goes was here");
        if demand.exclusive {
            self.alone = sign < 0;
            return;
        }
        for (free, ask) in self.free.iter_mut().zip(asks(demand)) {
            *free += sign * ask * i64::from(tasks);
        }
    }

    /// Rest of `by` after a task of `demand`, as the policy's part measures it.
    fn left(&self, by: Scalar, demand: Demand) -> i64 {
        let left = |at: usize| self.free[at] - asks(demand)[at];
        match by {
            Scalar::Cpu => left(0),
            Scalar::Memory => left(1),
            Scalar::Gpu => left(2) * 1_000,
            Scalar::Mean => {
                let has: Vec<usize> = (0..3).filter(|&at| self.whole[at] > 0).collect();
                let sum: i64 = has.iter().map(|&at| left(at) * 1_000_000 / self.whole[at]).sum();
                sum / has.len() as i64
            }
        }
    }
}

/// A job that runs: its row, its end, and its end by the estimate.
#[derive(Clone, Debug)]
struct Running {
    job: usize,
    end: i64,
    estimated_end: i64,
}

struct Slow<'c> {
    case: &'c Case,
    machines: Vec<Machine>,
    waiting: Vec<usize>,
    running: Vec<Running>,
    fates: Vec<Fate>,
    now: i64,
}

impl<'c> Slow<'c> {
    fn run(case: &'c Case) -> Vec<Fate> {
        let machines = case
            .groups
            .iter()
            .flat_map(|&(shape, count)| vec![Machine::new(shape); count as usize])
            .collect();
        let fates = vec![Fate::default(); case.works.len()];
        let mut slow = Self { case, machines, waiting: vec![], running: vec![], fates, now: 0 };
        let mut arrived = 0;
        loop {
            let next_end = slow.running.iter().map(|running| running.end).min();
            let next_arrival = case.works.get(arrived).map(|work| work.arrival.micros());
            let Some(now) = next_end.into_iter().chain(next_arrival).min() else { break };
            slow.now = now;
            slow.complete();
            while case.works.get(arrived).is_some_and(|work| work.arrival.micros() == now) {
                slow.arrive(arrived);
                arrived += 1;
            }
            slow.decide();
        }
        slow.fates
    }

    fn complete(&mut self) {
        let now = self.now;
        let (done, left) = self.running.iter().cloned().partition(|running| running.end == now);
        self.running = left;
        let done: Vec<Running> = done;
        for running in done {
            self.fates[running.job].end = Some(now);
            let demand = self.case.works[running.job].ask.demand;
            for &(machine, tasks) in &self.fates[running.job].on {
                self.machines[machine].change(demand, tasks, 1);
            }
        }
    }

    fn arrive(&mut self, job: usize) {
        let ask = self.case.works[job].ask;
        let empty = self.case.groups.iter().map(|&(shape, count)| {
            u64::from(Machine::new(shape).room(ask.demand)) * u64::from(count)
        });
        if empty.sum::<u64>() < u64::from(ask.tasks) {
            self.fates[job].refused = true;
        } else {
            self.waiting.push(job);
        }
    }

    fn sort(&mut self) {
        let works = &self.case.works;
        let key = |&job: &usize| {
            let ask = works[job].ask;
            let first = match self.case.policy.order.name() {
                "fcfs" => 0,
                "shortest" => ask.estimate.expect("it has one").micros(),
                "priority" => -i64::from(ask.priority),
                "smallest" => i64::from(ask.tasks) * i64::from(ask.demand.cpu),
                other => panic!("the slow simulator has no order {other:?}"),
            };
            let gpus = i64::from(ask.tasks) * i64::from(ask.demand.gpus);
            let second = if self.case.policy.order.is(&order::SMALLEST) { gpus } else { 0 };
            (first, second, job)
        };
        self.waiting.sort_by_key(key);
    }

    fn decide(&mut self) {
        self.sort();
        while let Some(&head) = self.waiting.first() {
            if !self.start(head) {
                break;
            }
        }
        let Some(&head) = self.waiting.first() else { return };
        match self.case.policy.backfill.name() {
            "none" => {}
            "greedy" => {
                let behind = self.waiting[1..].to_vec();
                for job in behind {
                    self.start(job);
                }
            }
            "easy" => self.easy(head),
            "conservative" => {
                panic!("the slow simulator has no conservative backfilling")
            }
            other => panic!("the slow simulator has no backfill part {other:?}"),
        }
    }

    /// EASY where every task asks the same (Mu'alem and Feitelson, TPDS 2001):
    /// jobs may overtake that end before the head could start, or that use
    /// only what it leaves then.
    fn easy(&mut self, head: usize) {
        let works = &self.case.works;
        let demand = works[head].ask.demand;
        let mut free: i64 =
            self.machines.iter().map(|machine| i64::from(machine.room(demand))).sum();
        let mut ends: Vec<(i64, i64)> = self
            .running
            .iter()
            .map(|one| (one.estimated_end.max(self.now), i64::from(works[one.job].ask.tasks)))
            .collect();
        ends.sort_unstable();
        let needed = i64::from(works[head].ask.tasks);
        let mut shadow = None;
        for &(end, tasks) in &ends {
            // All that ends at the shadow time itself is free then.
            if shadow.is_some_and(|shadow| end > shadow) {
                break;
            }
            free += tasks;
            if shadow.is_none() && free >= needed {
                shadow = Some(end);
            }
        }
        let shadow = shadow.expect("everything ends some day");
        let mut extra = free - needed;
        let behind = self.waiting[1..].to_vec();
        for job in behind {
            let ask = works[job].ask;
            let in_time = self.now + ask.estimate.expect("it has one").micros() <= shadow;
            let spare = i64::from(ask.tasks) <= extra;
            if !in_time && !spare {
                continue;
            }
            if self.start(job) && !in_time {
                extra -= i64::from(ask.tasks);
            }
        }
    }

    /// The machine for the next task, by the place part.
    fn pick(&self, demand: Demand) -> Option<usize> {
        let fits = |&at: &usize| self.machines[at].room(demand) > 0;
        let all = (0..self.machines.len()).filter(fits);
        let place = &self.case.policy.place;
        match place.name() {
            "first-fit" => all.min(),
            "best-fit" => {
                let by = by(place);
                all.min_by_key(|&at| (self.machines[at].left(by, demand), at))
            }
            "worst-fit" => {
                let by = by(place);
                all.min_by_key(|&at| (-self.machines[at].left(by, demand), at))
            }
            other => panic!("the slow simulator has no place part {other:?}"),
        }
    }

    /// Starts all tasks of `job`, or none.
    fn start(&mut self, job: usize) -> bool {
        let work = &self.case.works[job];
        let (demand, before) = (work.ask.demand, self.machines.clone());
        let one_by_one = self.case.policy.place.is(&place::WORST_FIT);
        let (mut left, mut on) = (work.ask.tasks, Vec::new());
        while left > 0 {
            let Some(at) = self.pick(demand) else {
                self.machines = before;
                return false;
            };
            let single = one_by_one && !demand.exclusive;
            let tasks = if single { 1 } else { left.min(self.machines[at].room(demand)) };
            self.machines[at].change(demand, tasks, -1);
            on.push((at, tasks));
            left -= tasks;
        }
        self.waiting.retain(|&other| other != job);
        let fate = &mut self.fates[job];
        (fate.start, fate.on) = (Some(self.now), on);
        let (runtime, estimate) = (
            work.body.length().expect("it has an end").micros(),
            work.ask.estimate.expect("it has one").micros(),
        );
        let (end, estimated_end) = (self.now + runtime, self.now + estimate);
        self.running.push(Running { job, end, estimated_end });
        true
    }
}

// ---------------------------------------------------------------------------
// The simulator itself.
// ---------------------------------------------------------------------------

#[derive(Default)]
struct Watch(BTreeMap<u64, Fate>);

impl Observer for Watch {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let now = state.now().micros();
        let fates = &mut self.0;
        let id = |work| state.work(work).id.ordinal;
        match *record {
            Record::Started(started) => {
                let target = state.allocation(started);
                let fate = fates.entry(id(target.work())).or_default();
                fate.start.get_or_insert(now);
                for held in &target.held {
                    let machine = state.instance(held.share.instance).ordinal as usize;
                    fate.on.push((machine, held.share.tasks));
                }
            }
            Record::Finished(work) => fates.entry(id(work)).or_default().end = Some(now),
            Record::Refused { work, .. } => {
                fates.entry(id(work)).or_default().refused = true;
            }
            _ => {}
        }
    }
}

fn simulated(case: &Case) -> Vec<Fate> {
    let (mut watch, mut policy) = (Watch::default(), policy::build(&case.policy));
    let (world, mut source) = (trial::machines(&case.groups), WorkList::new(&case.works));
    trial::run(&world, &mut source, &mut *policy, &Options::default(), &mut watch, case);
    watch.0.into_values().collect()
}

// ---------------------------------------------------------------------------
// Random cases.
// ---------------------------------------------------------------------------

const ORDERS: [&OrderPart; 4] =
    [&order::FCFS, &order::SHORTEST, &order::SMALLEST, &order::PRIORITY];

/// The resource that a place part compares.
fn by(place: &PlaceSpec) -> Scalar {
    match place.settings.word("by") {
        "cpu" => Scalar::Cpu,
        "memory" => Scalar::Memory,
        "gpu" => Scalar::Gpu,
        _ => Scalar::Mean,
    }
}

fn jobs(dice: &mut Dice, demands: &[Demand], most_tasks: u64) -> Vec<Work> {
    // From idle to hopelessly overloaded.
    let (count, gap) = (dice.within(1, 40), dice.within(0, 12));
    let guessing = Guessing { missing: 0, short: true, least: [0, 0] };
    trial::jobs(dice, count, gap, guessing, |dice| {
        let tasks = dice.within(1, most_tasks) as u32;
        let (demand, priority) = (dice.of(demands), dice.within(0, 3) as i32);
        Ask { tasks, demand, priority, ..Ask::default() }
    })
}

/// Machines and demands of cores, memory and whole GPUs.
fn packed_case(seed: u64) -> Case {
    let mut dice = Dice::new(seed);
    let mut shape = || Shape {
        cpu: dice.within(1, 16) as u32 * 1_000,
        memory: dice.within(1, 16) as u32 * 1_024,
        gpus: if dice.once_in(2) { dice.within(0, 8) as u8 } else { 0 },
    };
    let shapes: Vec<Shape> = (0..3).map(|_| shape()).collect();
    let groups: Vec<(Shape, u32)> = shapes[..dice.within(1, 3) as usize]
        .iter()
        .map(|&shape| (shape, dice.within(1, 5) as u32))
        .collect();
    let demands: Vec<Demand> = (0..dice.within(1, 6))
        .map(|_| {
            let gpus = if dice.once_in(3) { dice.within(1, 3) as u8 } else { 0 };
            Demand {
                cpu: dice.within(1, 12) as u32 * 500,
                memory: dice.within(0, 8) as u32 * 512,
                gpus,
                gpu_share: if gpus > 0 { 1_000 } else { 0 },
                exclusive: dice.once_in(5),
            }
        })
        .collect();
    let most_tasks = dice.of(&[1, 1, 4, 12]);
    let works = jobs(&mut dice, &demands, most_tasks);
    let by = dice.of(&[Scalar::Cpu, Scalar::Memory, Scalar::Gpu, Scalar::Mean]);
    let places = [
        place::FIRST_FIT.spec(),
        place::BEST_FIT.spec().set("by", by),
        place::WORST_FIT.spec().set("by", by),
    ];
    let policy = PolicySpec {
        order: dice.of(&ORDERS).spec(),
        place: dice.of(&places),
        backfill: dice.of(&[&backfill::NONE, &backfill::GREEDY]).spec(),
        ..PolicySpec::named("packed")
    };
    Case { groups, works, policy }
}

/// Processors that are all alike, as in a batch system.
fn scalar_case(seed: u64, backfill: &'static BackfillPart) -> Case {
    let mut dice = Dice::new(seed);
    let cores = dice.within(1, 8) as u32;
    let machines = dice.within(1, 6) as u32;
    let shape = Shape { cpu: cores * 1_000, memory: 0, gpus: 0 };
    let works = jobs(&mut dice, &[CORE], u64::from(cores * machines) + 1);
    let policy = PolicySpec {
        order: dice.of(&ORDERS).spec(),
        backfill: backfill.spec(),
        ..PolicySpec::named("scalar")
    };
    Case { groups: vec![(shape, machines)], works, policy }
}

/// Jobs that started before one that had been waiting in front of them.
fn overtakers(fates: &[Fate]) -> usize {
    trial::overtakers(fates.iter().filter_map(|fate| fate.start))
}

fn agree(seed: u64, case: &Case) -> Vec<Fate> {
    let (want, got) = (Slow::run(case), simulated(case));
    let which = format!("seed {seed}, {:?} on {:?}", case.policy, case.groups);
    trial::assert_same(&which, &case.works, &want, &got);
    want
}

#[test]
fn packing_agrees_with_a_slow_simulator() {
    let (mut overtook, mut refused, mut waited) = (0, 0, 0);
    for seed in 0..600 {
        let case = packed_case(seed);
        let fates = agree(seed, &case);
        overtook += overtakers(&fates);
        refused += fates.iter().filter(|fate| fate.refused).count();
        let late = |(work, fate): (&Work, &Fate)| {
            fate.start.is_some_and(|start| start > work.arrival.micros())
        };
        waited += case.works.iter().zip(&fates).filter(|&pair| late(pair)).count();
    }
    assert!(overtook > 300 && refused > 300 && waited > 1_000, "{overtook} {refused} {waited}");
}

#[test]
fn batch_queues_agree_with_a_slow_simulator() {
    for (backfill, seeds) in [(&backfill::NONE, 0..200), (&backfill::GREEDY, 200..400)] {
        for seed in seeds {
            agree(seed, &scalar_case(seed, backfill));
        }
    }
}

#[test]
fn easy_agrees_with_a_slow_simulator() {
    let mut overtook = 0;
    for seed in 1_000..1_600 {
        overtook += overtakers(&agree(seed, &scalar_case(seed, &backfill::EASY)));
    }
    assert!(overtook > 300, "{overtook}");
}
