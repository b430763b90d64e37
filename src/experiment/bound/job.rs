//! A piece of work as the relaxations see it: the earliest, the shortest, the
//! cheapest that it can be, each on its own.

use crate::model::{Home, Interner, Region, Work, World};
use crate::units::{Demand, Id, Money, Shape, Span, Time};

use super::offers::{FeasibleOffers, OfferClass, PAIRS, WEIGHTS};
use super::spells::{Spell, lengths};

/// The cheapest that the work can be on rented instances, in dollars, by pair of ways to weigh them (see
/// [`PAIRS`]); infinite where no instance can hold it.
pub(super) type Rents = [f64; PAIRS.len()];

/// A piece of work that can be finished.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) feasible: bool,
    pub(super) arrival: Time,
    pub(super) deadline: Option<Time>,
    /// Earliest start.
    pub(super) start: Time,
    /// Earliest end.
    pub(super) done: Time,
    /// Time from start to end at the least, and, if it is not preempted, all its tasks start
    /// together, it writes no checkpoints and no machine is ever slow, at the most.
    pub(super) shortest: Span,
    pub(super) longest: Option<Span>,
    /// Milli-cores, MiB, milli-GPUs of all tasks together; less where fewer tasks hold less in all.
    pub(super) amounts: [i128; 3],
    /// Amounts that must be there for the job to have started: of one task, or of the gang.
    pub(super) first_amounts: [i128; 3],
    /// All instances that it may run on are limited in number.
    pub(super) limited: bool,
    /// The least time on owned instances, where they can hold it.
    pub(super) owned: Option<Span>,
    /// The least time there if it is to meet its deadline, where it can.
    pub(super) owned_in_time: Option<Span>,
    /// Cost of moving its data, wherever it runs, in dollars.
    pub(super) moving: f64,
    /// Further cost of moving its data to owned instances, in dollars.
    pub(super) owned_moving: f64,
    pub(super) rents: Rents,
    /// Rents if it is to meet its deadline.
    pub(super) rents_in_time: Rents,
    /// Progress on the reference machine: core-hours and GPU-hours.
    pub(super) useful: [f64; 2],
}

/// Reader that turns work into jobs.
#[derive(Debug)]
pub(super) struct JobReader<'w> {
    world: &'w World,
    /// Whether machines may be slow.
    is_slow: bool,
    started: Time,
    homes: Vec<Option<Id<Region>>>,
    /// Classes that can hold a task of the work at hand, and how many tasks of it one instance holds.
    held: Vec<(usize, u32)>,
    /// What the work at hand would cost on each class by which it can be in time, if it may be in parts
    /// and instances of some class are not there for all of it.
    terms: Vec<RentTerms>,
    /// Spells of all of these together.
    spells: Vec<Spell>,
}

/// All of the work on one class of rented instances.
#[derive(Clone, Copy, Debug)]
struct RentTerms {
    rent: WayRents,
    busy: Span,
    /// Time until the deadline at which instances may be there; `None` is all of it.
    there: Option<Span>,
}

/// Rent by [`WEIGHTS`], in dollars; infinite where no instance is weighed so.
#[derive(Clone, Copy, Debug)]
struct WayRents([f64; WEIGHTS.len()]);

impl WayRents {
    const NONE: Self = Self([f64::INFINITY; WEIGHTS.len()]);

    /// The rent by a pair of ways: of instances without GPUs by the first, of those with them by the
    /// second, whichever is lower.
    fn by(&self, (plain, gpu): (usize, usize)) -> f64 {
        self.0[plain].min(self.0[gpu])
    }
}

/// The lowest rents of the work at hand, and those by which it can be in time.
#[derive(Debug)]
struct LeastRents {
    all: WayRents,
    in_time: WayRents,
}

/// Time and cost of a job on one class of offers.
#[derive(Clone, Copy, Debug)]
struct RunCost {
    compute: Span,
    moving: Span,
    price_of_moving: Money,
}

impl<'w> JobReader<'w> {
    pub(super) fn new(world: &'w World, started: Time) -> Self {
        Self {
            world,
            is_slow: world.faults.iter().any(|fault| fault.effect.slows()),
            started,
            homes: Vec::new(),
            held: Vec::new(),
            terms: Vec::new(),
            spells: Vec::new(),
        }
    }

    /// The job, which may turn out not to be feasible. Marks the classes of offers that a limited
    /// job needs.
    pub(super) fn read(
        &mut self,
        book: &Interner,
        work: &Work,
        feasible: &mut FeasibleOffers,
    ) -> Job {
        let ask = &work.ask;
        let home = ask.home.and_then(|home| self.home(book, home));
        let mut job = self.blank(work);
        let each = |class: &OfferClass| most_tasks(class.shape, ask.demand);
        let each = feasible.classes.iter().map(each).enumerate();
        self.held.clear();
        self.held.extend(each.filter(|&(_, tasks)| tasks > 0));
        let mut sum = OfferSums::default();
        for &(row, tasks) in &self.held {
            sum.add(&feasible.classes[row], tasks);
            job.limited &= feasible.classes[row].limit.is_some();
        }
        let enough = if ask.gang { u128::from(ask.tasks) } else { 1 };
        let Some(runtime) = work.body.length().filter(|_| sum.most >= enough) else { return job };
        job.feasible = true;
        // A gang may need a rented instance beside those that run at the start.
        let boot = if sum.running >= fewest(work) { Span::ZERO } else { sum.boot };
        job.start = work.arrival.max(self.started.saturating_add(boot));
        // One task in one allocation that does all of it, or parts that may lie
        // on different instances: then no more than each part's least is sure.
        let whole = ask.tasks == 1 && !ask.keeps_progress();
        let mut best = OfferRange::default();
        let mut least = LeastRents { all: WayRents::NONE, in_time: WayRents::NONE };
        self.terms.clear();
        self.spells.clear();
        for at in 0..self.held.len() {
            let class = &mut feasible.classes[self.held[at].0];
            class.needed |= job.limited;
            let run = self.run_on(work, runtime, class, home);
            best.see(run);
            self.add((&mut job, &mut least), work, class, run, whole);
        }
        let is_limited = |terms: &RentTerms| terms.there.is_some_and(|there| there < terms.busy);
        if !self.terms.iter().any(is_limited) {
            self.terms.clear();
        }
        job.rents = PAIRS.map(|pair| least.all.by(pair));
        job.rents_in_time = PAIRS.map(|pair| self.in_time(&least.in_time, pair));
        let steady = ask.checkpoint.is_none() && !self.is_slow && !shrinks(work);
        best.finish(&mut job, whole, steady && (ask.tasks == 1 || ask.gang));
        job
    }

    fn blank(&self, work: &Work) -> Job {
        let ask = &work.ask;
        let of_task = [ask.demand.cpu, ask.demand.memory, ask.demand.gpu_milli()].map(i128::from);
        let first = fewest(work) as i128;
        let runtime = work.body.length().unwrap_or(Span::ZERO).micros() as f64;
        let hours = runtime / 3.6e9 * f64::from(ask.tasks) / 1e3;
        let held = i128::from(least_held(work));
        Job {
            feasible: false,
            arrival: work.arrival,
            deadline: ask.deadline,
            start: work.arrival,
            done: Time::MAX,
            shortest: Span::MAX,
            longest: None,
            amounts: of_task.map(|amount| amount * held / 1_000_000),
            first_amounts: of_task.map(|amount| amount * first),
            limited: true,
            owned: None,
            owned_in_time: None,
            moving: 0.0,
            owned_moving: f64::INFINITY,
            rents: [f64::INFINITY; PAIRS.len()],
            rents_in_time: [f64::INFINITY; PAIRS.len()],
            useful: [of_task[0] as f64 * hours, of_task[2] as f64 * hours],
        }
    }

    /// Takes in the time and cost of the job on one class of offers.
    fn add(
        &mut self,
        (job, least): (&mut Job, &mut LeastRents),
        work: &Work,
        class: &mut OfferClass,
        run: RunCost,
        whole: bool,
    ) {
        let busy = if whole { run.compute.saturating_add(run.moving) } else { run.compute };
        let ready = self.started.saturating_add(class.boot).max(work.arrival);
        // Gangs start with the last of their instances, and later parts where
        // earlier ones have been: only the whole is sure to start here.
        let start = if whole { ready } else { job.start };
        let end = start.saturating_add(busy);
        if whole {
            job.done = job.done.min(end);
        }
        // Progress that survives may come from anywhere, a little of it from here.
        let parted = work.ask.keeps_progress();
        let in_time = parted || job.deadline.is_none_or(|deadline| end <= deadline);
        let moving = if whole { run.price_of_moving.dollars() } else { 0.0 };
        if class.owned {
            job.owned = Some(job.owned.map_or(busy, |known| known.min(busy)));
            job.owned_moving = job.owned_moving.min(moving);
            if in_time {
                job.owned_in_time = Some(job.owned_in_time.map_or(busy, |known| known.min(busy)));
            }
            return;
        }
        let (in_time, there) = self.in_spells(job, work, class, busy, in_time);
        let held = least_held(work) as f64 / 1e6;
        let cost = class.price * busy.micros() as f64 * held;
        let demand = work.ask.demand;
        let asked = [demand.cpu, demand.memory, demand.gpu_milli()].map(f64::from);
        let mut rent = WayRents::NONE;
        for at in class.ways.clone() {
            let shares = class.shares[at];
            let share = shares[0] * asked[0] + shares[1] * asked[1] + shares[2] * asked[2];
            let way = moving + cost * share;
            rent.0[at] = way;
            // Compared here: compiled for size, `f64::min` is a call, and this loop is the innermost.
            if way < least.all.0[at] {
                least.all.0[at] = way;
            }
            if in_time && way < least.in_time.0[at] {
                least.in_time.0[at] = way;
            }
        }
        if in_time && parted {
            self.terms.push(RentTerms { rent, busy, there });
        }
    }

    /// Whether work that would be `in_time` on a class is so although its instances come and go, and
    /// the time that they are there until its deadline; `None` is all of it.
    fn in_spells(
        &mut self,
        job: &Job,
        work: &Work,
        class: &mut OfferClass,
        busy: Span,
        in_time: bool,
    ) -> (bool, Option<Span>) {
        let (Some(spells), Some(deadline)) = (&mut class.spells, job.deadline) else {
            return (in_time, None);
        };
        let first = self.spells.len();
        spells.between(work.arrival.max(self.started), deadline, &mut self.spells);
        let (all, longest) = lengths(&mut self.spells[first..]);
        // What is lost with an instance must be done in one spell, after a boot in it.
        let in_one = work.ask.keeps_progress() || longest >= busy.saturating_add(class.boot);
        (in_time && all > Span::ZERO && in_one, Some(all))
    }

    /// The least rent by which the work at hand is in time. Parts of work that keeps its progress may be
    /// anywhere, but never in two places at once: as much of it as there is time for on the cheapest
    /// class, then on the next, a knapsack of parts.
    fn in_time(&mut self, least: &WayRents, pair: (usize, usize)) -> f64 {
        if self.terms.is_empty() {
            return least.by(pair);
        }
        self.terms.sort_by(|one, other| one.rent.by(pair).total_cmp(&other.rent.by(pair)));
        let micros = |span: Span| span.micros() as f64;
        // Time on all of those that come and go together.
        let mut left = micros(lengths(&mut self.spells).0);
        let (mut rest, mut cost) = (1.0, 0.0);
        for terms in self.terms.iter().filter(|terms| terms.rent.by(pair).is_finite()) {
            let busy = micros(terms.busy).max(1.0);
            let most = terms.there.map_or(f64::INFINITY, |there| micros(there).min(left) / busy);
            let part = most.min(rest);
            cost += part * terms.rent.by(pair);
            rest -= part;
            if terms.there.is_some() {
                left -= part * busy;
            }
            if rest <= 1e-12 {
                return cost;
            }
        }
        f64::INFINITY
    }

    fn run_on(
        &self,
        work: &Work,
        runtime: Span,
        class: &OfferClass,
        home: Option<Id<Region>>,
    ) -> RunCost {
        let speed =
            if work.body.kind().scales_with_speed() { class.speed.max(1) } else { 1_000_000 };
        let compute = compute(runtime, speed);
        let mut run = RunCost { compute, moving: Span::ZERO, price_of_moving: Money::ZERO };
        if let Some(home) = home {
            let (there, back) =
                (self.world.link(home, class.region), self.world.link(class.region, home));
            let (input, output) = (work.ask.input, work.ask.output);
            // The least that an allocation of it moves.
            let tasks = if work.ask.gang { work.ask.tasks } else { 1 };
            let part = |bytes| work.ask.part_of(bytes, tasks);
            // Fewer tasks may hold fewer machines while they move it.
            if !shrinks(work) {
                run.moving = there.time(part(input)).saturating_add(back.time(part(output)));
            }
            if home != class.region {
                run.price_of_moving = Money::for_bytes(input, there.nanos_per_gib)
                    + Money::for_bytes(output, back.nanos_per_gib);
            }
        }
        run
    }

    fn home(&mut self, book: &Interner, home: Id<Home>) -> Option<Id<Region>> {
        while self.homes.len() <= home.row() {
            let name = &book.homes()[Id::new(self.homes.len() as u32)].name;
            self.homes.push(self.world.find_home(name));
        }
        self.homes[home.row()]
    }
}

/// Whether a job is a gang that can go on with fewer tasks.
fn shrinks(work: &Work) -> bool {
    work.ask.gang && (1..work.ask.tasks).contains(&work.min_tasks)
}

/// The number of tasks that would hold a job for as long as all of them take together, at the least, in
/// millionths: fewer tasks of a gang may hold it for less.
fn least_held(work: &Work) -> u64 {
    match shrinks(work) {
        true => work.speedup.least_held(work.min_tasks, work.ask.tasks),
        false => u64::from(work.ask.tasks) * 1_000_000,
    }
}

/// Fewest tasks of a job that ever start together.
fn fewest(work: &Work) -> u128 {
    match (work.ask.gang, shrinks(work)) {
        (true, true) => work.min_tasks.into(),
        (true, false) => work.ask.tasks.into(),
        (false, _) => 1,
    }
}

/// Tasks of a job that its offers hold together, in all and running at the start, and the shortest
/// boot of a rented one.
#[derive(Debug)]
struct OfferSums {
    most: u128,
    running: u128,
    boot: Span,
}

impl Default for OfferSums {
    fn default() -> Self {
        Self { most: 0, running: 0, boot: Span::MAX }
    }
}

impl OfferSums {
    /// Adds a class whose instances hold so many tasks each.
    fn add(&mut self, class: &OfferClass, each: u32) {
        let each = u128::from(each);
        let limit = class.limit.map_or(u128::from(u64::MAX), u128::from);
        self.most = self.most.saturating_add(each * limit);
        self.running = self.running.saturating_add(each * u128::from(class.running));
        if !class.owned {
            self.boot = self.boot.min(class.boot);
        }
    }
}

/// Least and most over the classes of offers.
#[derive(Debug)]
struct OfferRange {
    compute: [Span; 2],
    moving: [Span; 2],
    both: [Span; 2],
    price: Money,
}

impl Default for OfferRange {
    fn default() -> Self {
        let none = [Span::MAX, Span::ZERO];
        Self { compute: none, moving: none, both: none, price: Money::from_nanos(i128::MAX) }
    }
}

impl OfferRange {
    fn see(&mut self, run: RunCost) {
        let both = run.compute.saturating_add(run.moving);
        let seen = [run.compute, run.moving, both];
        for ([least, most], value) in
            [&mut self.compute, &mut self.moving, &mut self.both].into_iter().zip(seen)
        {
            (*least, *most) = ((*least).min(value), (*most).max(value));
        }
        self.price = self.price.min(run.price_of_moving);
    }

    fn finish(&self, job: &mut Job, whole: bool, together: bool) {
        let parts = |at: usize| self.compute[at].saturating_add(self.moving[at]);
        job.shortest = if whole { self.both[0] } else { parts(0) };
        job.longest = together.then(|| if whole { self.both[1] } else { parts(1) });
        if whole {
            return;
        }
        job.done = job.start.saturating_add(job.shortest);
        job.moving = self.price.dollars();
    }
}

/// Time for a runtime at a relative speed in millionths, rounded up.
fn compute(runtime: Span, speed: u32) -> Span {
    let micros = match runtime.micros().checked_mul(1_000_000) {
        Some(progress) => (progress as u64).div_ceil(u64::from(speed)) as i64,
        None => {
            let progress = runtime.micros() as u128 * 1_000_000;
            i64::try_from(progress.div_ceil(u128::from(speed))).unwrap_or(i64::MAX / 4)
        }
    };
    Span::from_micros(micros)
}

/// No instance of `shape` holds more tasks at once.
fn most_tasks(shape: Shape, demand: Demand) -> u32 {
    if demand.gpus > shape.gpus {
        return 0;
    }
    let fits = |there: u32, asked: u32| there.checked_div(asked).unwrap_or(u32::MAX);
    fits(shape.cpu, demand.cpu)
        .min(fits(shape.memory, demand.memory))
        .min(fits(shape.gpu_milli(), demand.gpu_milli()))
}
