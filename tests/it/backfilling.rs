//! EASY and conservative backfilling against slow and obvious ones, which keep plain
//! lists and work everything out again at every event. Every start must be the same.
//!
//! What both must do, at every moment at which something happens:
//!
//! - All that ends at a moment ends, then all that arrives joins, then the policy
//!   decides once. The queue is in its order, ties by arrival.
//! - A gang starts whole. Of other work each task is a piece by itself.
//! - Work without an estimate is taken to run for a thousand years, so that it ends after
//!   all other, and of several the first that started ends first. That it starts must delay
//!   nobody even if it never ends. Work that has overrun its estimate counts as ending
//!   now, but still holds what it holds.
//! - EASY (Lifka, JSSPP 1995): the queue is served in order until one does not fit, the
//!   head. The shadow time is the first estimated end after which the head fits; all that
//!   is known to end at that time is free then, of unknown ends the first. What the head leaves free then is extra. The
//!   others start in queue order if they fit now and either end by the shadow time
//!   or take no more than what is extra, which they then use up.
//! - Conservative (Mu'alem and Feitelson, TPDS 2001): whoever waits has a promised start.
//!   If some promise cannot be kept, by the estimates, all are forgotten. Then each
//!   in queue order gives its promise back and takes the earliest start that all other
//!   promises and the running work leave it, task after task; who can start now starts.
//!   Who could by the estimates, but not in fact, is promised now. Of work without an
//!   estimate each promise is moved by itself. When it is made it must have room for ever, and
//!   ends after all that is planned by then; later it must keep to that end.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use windtunnel::model::{Ask, Book, Truth, Work, WorkId};
use windtunnel::policy;
use windtunnel::policy::spec::{Backfill, Order, PolicySpec};
use windtunnel::sim::{self, Observer, Options};
use windtunnel::state::{Record, State};
use windtunnel::units::{Demand, Shape, Span, Time};

use crate::listed::{Dice, Listed};
use crate::reference::world;
use crate::rlscheduler::{jobs, log};

/// A thousand years, in microseconds.
const UNKNOWN: i64 = 1_000 * 365 * 86_400 * 1_000_000;

/// By job: tasks started by moment.
pub(crate) type Starts = Vec<BTreeMap<i64, u32>>;

/// Processors that are all alike, on `nodes` nodes, and jobs of some of them.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) nodes: u32,
    pub(crate) cores: u32,
    pub(crate) works: Vec<Work>,
    pub(crate) order: Order,
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
    /// By job: the promised start and end of each waiting task.
    promised: Vec<Vec<[i64; 2]>>,
    starts: Starts,
}

impl<'c> Slow<'c> {
    fn run(pool: &'c Pool, backfill: Backfill) -> Starts {
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
            if pool.order == Order::Shortest {
                slow.waiting.sort_by_key(|&(job, _)| (works[job].ask.estimate, job));
            }
            match backfill {
                Backfill::Easy => slow.easy(),
                Backfill::Conservative => slow.conservative(),
                other => panic!("there is no slow {other:?}"),
            }
            slow.waiting.retain(|&(_, tasks)| tasks > 0);
        }
        slow.starts
    }

    /// How long a task of `job` is estimated to run.
    fn length(&self, job: usize) -> i64 {
        let estimate = self.pool.works[job].ask.estimate;
        if estimate == Span::MAX { UNKNOWN } else { estimate.micros() }
    }

    /// How many tasks of the waiting job in `row` must start at once.
    fn together(&self, row: usize) -> i64 {
        let (job, tasks) = self.waiting[row];
        if self.pool.works[job].ask.gang { tasks } else { tasks.min(1) }
    }

    fn start(&mut self, row: usize, tasks: i64) {
        let job = self.waiting[row].0;
        self.waiting[row].1 -= tasks;
        self.free -= tasks;
        assert!(self.free >= 0);
        let end = self.now + self.pool.works[job].truth.runtime.micros();
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
            let (now, length) = (self.now, self.length(job));
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
            if self.length(job) < UNKNOWN {
                self.promised[job].clear();
            }
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
        let length = self.length(job);
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

    /// What is promised to `job`: from, until, tasks.
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
// The simulator itself.
// ---------------------------------------------------------------------------

struct Watch(Starts);

impl Observer for Watch {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Started(started) = *record {
            let target = state.allocation(started);
            let job = state.work(target.work()).id.ordinal as usize;
            *self.0[job].entry(state.now().micros()).or_default() += target.tasks;
        }
    }
}

pub(crate) fn simulated(pool: &Pool, backfill: Backfill) -> Starts {
    let shape = Shape { cpu: pool.cores * 1_000, memory: 0, gpus: 0 };
    let world = world(&[(shape, pool.nodes)]);
    let spec = PolicySpec { order: pool.order, backfill, ..PolicySpec::named("pool") };
    let mut watch = Watch(vec![BTreeMap::new(); pool.works.len()]);
    let mut go_on = |_: sim::Progress| ControlFlow::Continue(());
    let (mut source, mut policy) = (Listed::new(&pool.works), policy::build(&spec));
    sim::run(&world, &mut source, &mut *policy, &Options::default(), &mut watch, &mut go_on)
        .unwrap_or_else(|failure| panic!("{failure:?} in {pool:#?}"));
    watch.0
}

// ---------------------------------------------------------------------------
// Random cases.
// ---------------------------------------------------------------------------

/// How often estimates are wrong or missing.
#[derive(Clone, Copy, Debug)]
struct Guessing {
    /// One in so many jobs has no estimate; none where 0.
    missing: u64,
    /// Estimates may be too short.
    short: bool,
}

fn pool(seed: u64, guessing: Guessing) -> Pool {
    let mut dice = Dice::new(seed);
    let (nodes, cores) = (dice.within(1, 4) as u32, dice.within(1, 4) as u32);
    let most = u64::from(nodes * cores);
    let (count, gap) = (dice.within(2, 18), dice.within(0, 12));
    let arrays = dice.of(&[0, 2, 4]);
    let mut arrival = 0;
    let works = (0..count).map(|ordinal| {
        arrival += dice.within(0, gap) as i64;
        let runtime = if dice.once_in(20) { 0 } else { dice.within(1, 40) as i64 };
        let estimate = match dice.within(0, 3) {
            0 if guessing.short => (runtime / 2).max(1),
            1 => runtime + dice.within(1, 60) as i64,
            _ => runtime.max(1),
        };
        let missing = guessing.missing > 0 && dice.once_in(guessing.missing);
        let gang = arrays == 0 || !dice.once_in(arrays);
        let ask = Ask {
            tasks: dice.within(1, if gang { most } else { most + 4 }) as u32,
            gang,
            demand: Demand { cpu: 1_000, ..Demand::default() },
            estimate: if missing { Span::MAX } else { Span::from_secs(estimate) },
            ..Ask::default()
        };
        Work {
            id: WorkId { source: 0, ordinal },
            name: String::new(),
            arrival: Time::from_secs(arrival),
            ask,
            truth: Truth { runtime: Span::from_secs(runtime) },
        }
    });
    let works = works.collect();
    Pool { nodes, cores, works, order: dice.of(&[Order::Fcfs, Order::Shortest]) }
}

/// Jobs that started before one that came earlier.
pub(crate) fn overtakers(starts: &Starts) -> usize {
    let first: Vec<i64> =
        starts.iter().filter_map(|starts| starts.keys().next().copied()).collect();
    first.windows(2).filter(|pair| pair[1] < pair[0]).count()
}

fn agree(pool: &Pool, backfill: Backfill, which: &str) -> usize {
    let (want, got) = (Slow::run(pool, backfill), simulated(pool, backfill));
    if let Some(job) = (0..want.len()).find(|&job| want[job] != got[job]) {
        let seconds = |starts: &BTreeMap<i64, u32>| -> Vec<(f64, u32)> {
            starts.iter().map(|(&at, &tasks)| (at as f64 / 1e6, tasks)).collect()
        };
        let jobs: Vec<String> = (0..want.len().min(40))
            .map(|row| {
                let Work { ask, truth, arrival, .. } = &pool.works[row];
                format!(
                    "{row}: at {:?} {} tasks gang {} runs {:?} estimate {:?}: {:?}, found {:?}",
                    arrival,
                    ask.tasks,
                    ask.gang,
                    truth.runtime,
                    ask.estimate,
                    seconds(&want[row]),
                    seconds(&got[row]),
                )
            })
            .collect();
        panic!(
            "{which}, {backfill:?}, {:?}, {} nodes of {}: job {job}\n{}",
            pool.order,
            pool.nodes,
            pool.cores,
            jobs.join("\n")
        );
    }
    overtakers(&want)
}

fn all_agree(backfill: Backfill, seeds: std::ops::Range<u64>) {
    let mut overtook = 0;
    for missing in [0, 3] {
        for short in [false, true] {
            let guessing = Guessing { missing, short };
            for seed in seeds.clone() {
                let which = format!("seed {seed}, {guessing:?}");
                overtook += agree(&pool(seed, guessing), backfill, &which);
            }
        }
    }
    assert!(overtook > 1_000, "{overtook}");
}

#[test]
fn easy_starts_everything_when_a_slow_one_does() {
    all_agree(Backfill::Easy, 0..1_000);
}

#[test]
fn conservative_starts_everything_when_a_slow_one_does() {
    all_agree(Backfill::Conservative, 0..500);
}

/// Everything of a real log of 100 nodes, with the estimates that users gave.
pub(crate) fn real_log() -> Vec<Work> {
    let mut source = jobs(&log("KTH-SP2-1996.swf.gz"));
    let (mut works, mut work, mut book) = (Vec::new(), Work::default(), Book::default());
    while source.next(&mut book, &mut work).expect("the log can be read") {
        work.id = WorkId { source: 0, ordinal: works.len() as u64 };
        let Ask { tasks, estimate, .. } = work.ask;
        let demand = Demand { cpu: 1_000, ..Demand::default() };
        work.ask = Ask { tasks, gang: true, demand, estimate, ..Ask::default() };
        works.push(work.clone());
    }
    let wrong = works.iter().filter(|work| work.ask.estimate != work.truth.runtime).count();
    assert!(works.len() > 28_000 && wrong > 20_000, "{wrong} of {}", works.len());
    works
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn easy_starts_a_real_log_when_a_slow_one_does() {
    let works = real_log();
    for order in [Order::Fcfs, Order::Shortest] {
        let pool = Pool { nodes: 100, cores: 1, works: works.clone(), order };
        let overtook = agree(&pool, Backfill::Easy, "KTH");
        assert!(overtook > 2_000, "{overtook}");
    }
}
