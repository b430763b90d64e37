//! EASY and conservative backfilling against slow and obvious ones, which keep plain
//! lists and work everything out again at every event. Every start must be the same.
//!
//! Rules that both must keep, at every moment at which something happens:
//!
//! - All that ends at a moment ends, then all that arrives joins, then the policy
//!   decides once. The queue is in its order, ties by arrival.
//! - A gang starts whole. Of other work each task is a piece by itself.
//! - Work without an estimate is taken to run for a thousand years, so that it ends after
//!   all other, and of several the first that started ends first. That it starts must delay
//!   nobody even if it never ends. Work that has overrun its estimate counts as ending
//!   now, but still holds what it holds.
//! - EASY (Lifka, JSSPP 1995): the queue is served in order until one does not fit, the head. The
//!   shadow time is the first estimated end after which the head fits; all that is known to end at
//!   that time is free then, of unknown ends the first. What the head leaves free then is extra.
//!   The others start in queue order if they fit now and either end by the shadow time or take no
//!   more than what is extra, which they then use up.
//! - Conservative (Mu'alem and Feitelson, TPDS 2001): whoever waits has a promised start.
//!   If some promise cannot be kept, by the estimates, all are forgotten. Then each
//!   in queue order, task after task, gives its promise back and takes the earliest start that
//!   all other promises and the running work leave it; who can start now starts. Who could by
//!   the estimates, but not in fact, is promised now. What is promised to work that is
//!   estimated to take no time lasts a microsecond. A promise to work without an estimate must
//!   have room for ever when it is made, and ends after all that is planned by then; later it
//!   must keep to that end.

use std::collections::BTreeMap;

use windtunnel::model::{Ask, Work};
use windtunnel::policy;
use windtunnel::policy::backfill::{self, BackfillPart};
use windtunnel::policy::order::{self, OrderPart};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::sim::Options;
use windtunnel::units::Span;
use windtunnel::workload::WorkList;

use crate::dice::Dice;
use crate::logs;
use crate::trial::{self, CORE, Guessing, Started, Starts};

/// A thousand years, in microseconds.
const UNKNOWN: i64 = 1_000 * 365 * 86_400 * 1_000_000;

/// Processors that are all alike, on `nodes` nodes, and jobs of some of them.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) nodes: u32,
    pub(crate) cores: u32,
    pub(crate) works: Vec<Work>,
    pub(crate) order: &'static OrderPart,
}

// ---------------------------------------------------------------------------
// The slow backfillers.
// ---------------------------------------------------------------------------

/// Tasks of a job that run: until when, and until when by the estimate.
#[derive(Clone, Copy, Debug)]
struct Running {
    job: usize,
    tasks: i64,
    end: i64,
    estimated_end: i64,
}

struct Slow<'c> {
    pool: &'c Pool,
    now: i64,
    free: i64,
    running: Vec<Running>,
    /// Jobs that wait, in order, with their waiting tasks.
    waiting: Vec<(usize, i64)>,
    /// Promised start and end of each waiting task, by job.
    promised: Vec<Vec<[i64; 2]>>,
    starts: Starts,
}

impl<'c> Slow<'c> {
    fn run(pool: &'c Pool, backfill: &'static BackfillPart) -> Starts {
        let works = &pool.works;
        let all = i64::from(pool.nodes * pool.cores);
        let mut slow = Self {
            pool,
            now: 0,
            free: all,
            running: Vec::new(),
            waiting: Vec::new(),
            promised: vec![Vec::new(); works.len()],
            starts: vec![BTreeMap::new(); works.len()],
        };
        let mut arrived = 0;
        loop {
            let next_end = slow.running.iter().map(|one| one.end).min();
            let next_arrival = works.get(arrived).map(|work| work.arrival.micros());
            let Some(now) = next_end.into_iter().chain(next_arrival).min() else { break };
            slow.now = now;
            slow.free +=
                slow.running.iter().filter(|one| one.end == now).map(|one| one.tasks).sum::<i64>();
            slow.running.retain(|one| one.end != now);
            while arrived < works.len() && works[arrived].arrival.micros() == now {
                let tasks = i64::from(works[arrived].ask.tasks);
                if tasks <= all || !works[arrived].ask.gang {
                    slow.waiting.push((arrived, tasks));
                }
                arrived += 1;
            }
            if pool.order.name == "shortest" {
                slow.waiting
                    .sort_by_key(|&(job, _)| (works[job].ask.estimate.unwrap_or(Span::MAX), job));
            }
            match backfill.name {
                "easy" => slow.easy(),
                "conservative" => slow.conservative(),
                other => panic!("there is no slow {other:?}"),
            }
            slow.waiting.retain(|&(_, tasks)| tasks > 0);
        }
        slow.starts
    }

    /// Estimated runtime of a task of `job`, in microseconds.
    fn length(&self, job: usize) -> i64 {
        self.pool.works[job].ask.estimate.map_or(UNKNOWN, Span::micros)
    }

    /// Planned runtime of a task of `job`: at least a microsecond, or what is promised to it could
    /// be promised to others as well.
    fn planned(&self, job: usize) -> i64 {
        self.length(job).max(1)
    }

    /// Tasks of the waiting job in `row` that must start at once.
    fn together(&self, row: usize) -> i64 {
        let (job, tasks) = self.waiting[row];
        if self.pool.works[job].ask.gang { tasks } else { tasks.min(1) }
    }

    fn start(&mut self, row: usize, tasks: i64) {
        let job = self.waiting[row].0;
        self.waiting[row].1 -= tasks;
        self.free -= tasks;
        assert!(self.free >= 0);
        let end = self.now + self.pool.works[job].body.length().expect("it has an end").micros();
        let estimated_end = self.now + self.length(job);
        self.running.push(Running { job, tasks, end, estimated_end });
        *self.starts[job].entry(self.now).or_default() += tasks as u32;
    }

    fn easy(&mut self) {
        let mut head = 0;
        while head < self.waiting.len() {
            let together = self.together(head);
            if self.waiting[head].1 == 0 {
                head += 1;
            } else if together <= self.free {
                self.start(head, together);
            } else {
                break;
            }
        }
        if head == self.waiting.len() {
            return;
        }
        let needed = self.together(head);
        // All that ends at a moment does so together, but of unknown ends those of one job.
        let at = |one: &Running| {
            let known = self.length(one.job) < UNKNOWN;
            (one.estimated_end.max(self.now), if known { 0 } else { one.job })
        };
        let free_at = |time: (i64, usize)| {
            let ended = self.running.iter().filter(|one| at(one) <= time);
            self.free + ended.map(|one| one.tasks).sum::<i64>()
        };
        let mut ends: Vec<(i64, usize)> = self.running.iter().map(at).collect();
        ends.sort_unstable();
        let shadow = ends.into_iter().find(|&end| free_at(end) >= needed);
        let shadow = shadow.expect("the head fits when everything has ended");
        let mut extra = free_at(shadow) - needed;
        for row in head + 1..self.waiting.len() {
            let length = self.length(self.waiting[row].0);
            let in_time = length < UNKNOWN && self.now + length <= shadow.0;
            while self.waiting[row].1 > 0 {
                let tasks = self.together(row);
                if tasks > self.free || !in_time && tasks > extra {
                    break;
                }
                extra -= if in_time { 0 } else { tasks };
                self.start(row, tasks);
            }
        }
    }

    fn conservative(&mut self) {
        let rows = 0..self.waiting.len();
        let mut plan = Vec::new();
        let mut kept = true;
        for row in rows.clone() {
            let job = self.waiting[row].0;
            let (now, length) = (self.now, self.planned(job));
            for [start, end] in &mut self.promised[job] {
                *start = now.max(*start);
                let last = if length < UNKNOWN { 0 } else { *end };
                *end = last.max(*start + length);
            }
            for piece in self.pieces(job) {
                kept &= self.fits(&plan, piece);
                plan.push(piece);
            }
        }
        if !kept {
            self.promised.iter_mut().for_each(Vec::clear);
        }
        for row in rows.clone() {
            let job = self.waiting[row].0;
            let mut left = self.waiting[row].1;
            let gang = self.pool.works[job].ask.gang;
            let mut before = self.promised[job].clone();
            before.sort_unstable();
            if gang {
                before.truncate(1);
            }
            let mut before = before.into_iter();
            while left > 0 {
                let tasks = if gang { left } else { 1 };
                left -= tasks;
                let kept = before.next();
                if let Some(kept) = kept {
                    let at = self.promised[job].iter().position(|&one| one == kept);
                    let at = at.expect("it is promised");
                    self.promised[job].drain(at..at + tasks as usize);
                }
                self.promise(row, tasks, kept.map(|[_, end]| end));
            }
        }
    }

    /// Starts or promises so many tasks together, which keep to an `end` that they have.
    fn promise(&mut self, row: usize, tasks: i64, end: Option<i64>) {
        let job = self.waiting[row].0;
        let plan: Vec<[i64; 3]> =
            self.waiting.iter().flat_map(|&(job, _)| self.pieces(job)).collect();
        let ends = self.running.iter().map(|one| one.estimated_end);
        let moments = ends.chain(plan.iter().flat_map(|piece| [piece[0], piece[1]]));
        let mut moments: Vec<i64> = moments.filter(|&at| at > self.now).chain([self.now]).collect();
        moments.sort_unstable();
        let last = moments[moments.len() - 1];
        let length = self.planned(job);
        let until = |from: i64| match end {
            _ if length < UNKNOWN => from + length,
            Some(end) => end,
            None => i64::MAX,
        };
        let fits = |&from: &i64| self.fits(&plan, [from, until(from), tasks]);
        let start = moments.into_iter().find(fits).expect("it fits some day");
        if start == self.now && tasks <= self.free {
            self.start(row, tasks);
        } else {
            let last = if length < UNKNOWN { 0 } else { end.unwrap_or(last) };
            let promised = [start, last.max(start + length)];
            self.promised[job].extend(vec![promised; tasks as usize]);
        }
    }

    /// Promises to `job`: from, until, tasks.
    fn pieces(&self, job: usize) -> Vec<[i64; 3]> {
        let together = self.promised[job].chunk_by(|a, b| a == b);
        together.map(|one| [one[0][0], one[0][1], one.len() as i64]).collect()
    }

    /// Whether tasks have room from and until some moments, beside the running
    /// work and what is in the plan.
    fn fits(&self, plan: &[[i64; 3]], [from, until, tasks]: [i64; 3]) -> bool {
        let all = i64::from(self.pool.nodes * self.pool.cores);
        let room = |at: i64| {
            let run = self.running.iter().filter(|one| at < one.estimated_end);
            let run: i64 = run.map(|one| one.tasks).sum();
            let plan = plan.iter().filter(|piece| piece[0] <= at && at < piece[1]);
            all - run - plan.map(|piece| piece[2]).sum::<i64>()
        };
        // Room only shrinks where something planned begins.
        let begins = plan.iter().map(|piece| piece[0]).filter(|&at| from < at && at < until);
        begins.chain([from]).all(|at| room(at) >= tasks)
    }
}

// ---------------------------------------------------------------------------
// The simulator itself, and random cases.
// ---------------------------------------------------------------------------

pub(crate) fn simulated(pool: &Pool, backfill: &'static BackfillPart) -> Starts {
    let world = trial::processors(pool.nodes, pool.cores);
    let spec = PolicySpec {
        order: pool.order.spec(),
        backfill: backfill.spec(),
        ..PolicySpec::named("pool")
    };
    let mut starts = Started(vec![BTreeMap::new(); pool.works.len()]);
    let (mut source, mut policy) = (WorkList::new(&pool.works), policy::build(&spec));
    trial::run(&world, &mut source, &mut *policy, &Options::default(), &mut starts, pool);
    starts.0
}

fn pool(seed: u64, guessing: Guessing) -> Pool {
    let mut dice = Dice::new(seed);
    let (nodes, cores) = (dice.within(1, 4) as u32, dice.within(1, 4) as u32);
    let most = u64::from(nodes * cores);
    let (count, gap) = (dice.within(2, 18), dice.within(0, 12));
    let arrays = dice.of(&[0, 2, 4]);
    let works = trial::jobs(&mut dice, count, gap, guessing, |dice| {
        let gang = arrays == 0 || !dice.once_in(arrays);
        let tasks = dice.within(1, if gang { most } else { most + 4 }) as u32;
        Ask { tasks, gang, demand: CORE, ..Ask::default() }
    });
    Pool { nodes, cores, works, order: dice.of(&[&order::FCFS, &order::SHORTEST]) }
}

/// Compares all starts with those `wanted`, and counts who overtook.
pub(crate) fn agree(
    pool: &Pool,
    backfill: &'static BackfillPart,
    wanted: &Starts,
    which: &str,
) -> usize {
    let Pool { nodes, cores, order, .. } = pool;
    let which = format!("{which}, {backfill:?}, {order:?}, {nodes} nodes of {cores}");
    trial::assert_same(&which, &pool.works, wanted, &simulated(pool, backfill));
    trial::overtakers(trial::first(wanted))
}

fn all_agree(backfill: &'static BackfillPart, seeds: std::ops::Range<u64>) {
    let mut overtook = 0;
    for missing in [0, 3] {
        for short in [false, true] {
            let guessing = Guessing { missing, short, least: [0, 0] };
            for seed in seeds.clone() {
                let which = format!("seed {seed}, {guessing:?}");
                let pool = pool(seed, guessing);
                overtook += agree(&pool, backfill, &Slow::run(&pool, backfill), &which);
            }
        }
    }
    assert!(overtook > 1_000, "{overtook}");
}

#[test]
fn easy_starts_everything_when_a_slow_one_does() {
    all_agree(&backfill::EASY, 0..1_000);
}

#[test]
fn conservative_starts_everything_when_a_slow_one_does() {
    all_agree(&backfill::CONSERVATIVE, 0..500);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn easy_starts_a_real_log_when_a_slow_one_does() {
    let works = logs::kth();
    for order in [&order::FCFS, &order::SHORTEST] {
        let pool = Pool { nodes: 100, cores: 1, works: works.clone(), order };
        let overtook = agree(&pool, &backfill::EASY, &Slow::run(&pool, &backfill::EASY), "KTH");
        assert!(overtook > 2_000, "{overtook}");
    }
}
