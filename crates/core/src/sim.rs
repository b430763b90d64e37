//! The loop: applies events and a policy's actions, and lets facts out.
//!
//! One run is a pure function of its world, workload, policy and seed.

mod changes;
mod effects;
mod faults;
mod forecast;
mod migration;
mod observer;
mod options;
mod outcome;
mod reclaim;
mod run;
mod stall;
mod stopped;
mod weather;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use changes::OfferChanges;
use faults::Faults;
pub use forecast::fault_ribbon;
pub use observer::Observer;
pub use options::Options;
pub use outcome::{Failure, Outcome, RunProgress};
use prefetch_index::prefetch_index;
pub use run::Run;

use crate::engine::{EventKey, EventQueue};
use crate::halt;
use crate::model::{CapacityCursor, PriceCursor, Work, World};
use crate::policy::{Policy, Trigger, Turn};
use crate::problem::{Problem, clip};
use crate::state::{
    AllocationRef, Charge, Effect, Ending, Exit, InstanceRef, Record, RefusalReason, State, WorkRef,
};
use crate::units::stream::fnv1a;
use crate::units::{Span, Stream, Time};
use crate::workload::Source;

/// Next event of a run, besides arrivals, which the source holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// An allocation's tasks, of this work, are done.
    Completes(AllocationRef, WorkRef),
    /// The memory of tasks has been copied to the instances of this allocation.
    Arrives(AllocationRef),
    /// An instance that was warned is lost.
    Lost(InstanceRef),
    /// An instance is old enough to be taken back, or so old that it must be.
    Aged(InstanceRef),
    /// An instance has booted.
    Ready(InstanceRef),
    /// The launch of an instance came to nothing.
    NotLaunched(InstanceRef),
    /// What launches suffered of a fault elsewhere is over.
    Calms(usize),
    /// The policy asked to be asked.
    Timer,
}

impl Event {
    /// Rank among events of one instant. Changes of capacity come before losses, arrivals between
    /// changes of prices and timers, or first of all (see `ClassOrder`).
    const fn class(self) -> u8 {
        match self {
            Self::Completes(..) | Self::Arrives(_) => 0,
            Self::Lost(_) | Self::Aged(_) | Self::NotLaunched(_) | Self::Calms(_) => CAPACITY,
            Self::Ready(_) => 2,
            Self::Timer => ARRIVAL + 1,
        }
    }
}

/// Rank of changes of capacity, which a stream of their own holds, and of losses.
const CAPACITY: u8 = 1;

/// Rank of changes of prices, which a stream of their own holds.
const PRICE: u8 = 3;

/// Rank of arrivals in the standard order.
const ARRIVAL: u8 = 4;

/// Stretch of time at whose ends commitments are bought.
const HOUR: Span = Span::from_secs(3_600);

/// Decisions at one instant beyond which the policy is taken to be looping.
const MOST_ROUNDS: u64 = 1_000_000;

/// Timers in a row between which nothing else happens and the policy does nothing
/// but set the next, beyond which it is taken to be looping.
const MOST_IDLE: u64 = 1_000_000;

/// Failures and repairs in a row, where nothing else is to come, beyond which the run is over: work
/// that waits then waits for ever.
const MOST_VAIN: u64 = 10_000;

/// Live work that stays in the caches, so that nothing of it need be brought near: some 400 bytes each.
const CACHED: usize = 1 << 10;

/// Events between two calls of the control function.
const CONTROL_EVERY: u64 = 1 << 10;

/// Runs `policy` over the work of `source` in `world`. [`Run`] has defaults for most of it.
///
/// `control` is called at the first event and now and then with the progress,
/// and may stop the run.
///
/// # Errors
/// See [`Failure`]. Nothing is wrong with what was observed until then.
pub fn run(
    world: &World,
    source: &mut dyn Source,
    policy: &mut dyn Policy,
    options: &Options,
    mut observer: &mut dyn Observer,
    control: &mut dyn FnMut(RunProgress) -> ControlFlow<()>,
) -> Result<Outcome, Failure> {
    run_observed(world, source, policy, options, &mut observer, control)
}

/// [`run`] compiled for its observers, whose records are in line where they are made. All that
/// is compiled so is in this crate, at its level of optimisation.
pub(crate) fn run_observed<O: Observer>(
    world: &World,
    source: &mut dyn Source,
    policy: &mut dyn Policy,
    options: &Options,
    observer: &mut O,
    control: &mut dyn FnMut(RunProgress) -> ControlFlow<()>,
) -> Result<Outcome, Failure> {
    let needs = policy.needs();
    let mut state = State::new(world, needs);
    state.set_seed(options.seed);
    state.set_horizon(options.horizon);
    state.set_uses(world.offers.ids().map(|offer| policy.uses(world, offer)).collect());
    let mut run = Simulation {
        state,
        options,
        policy,
        stream: Stream::new(options.seed, "policy"),
        follows: needs.follows,
        observer,
        queue: EventQueue::new(),
        capacities: OfferChanges::default(),
        prices: OfferChanges::default(),
        faults: Faults::none(),
        has_weather: false,
        has_max_price: false,
        outages: 0,
        surges: 0,
        vain: 0,
        totals: Vec::new(),
        hour_ends: Time::ZERO,
        keys: Vec::new(),
        due: Vec::new(),
        next: Work::default(),
        more: false,
        triggers: Vec::new(),
        timers: BTreeSet::new(),
        charges: Vec::new(),
        can_start: Vec::new(),
        lost: Vec::new(),
        tenants: Vec::new(),
        has_slow: world.faults.iter().any(|fault| fault.effect.slows()),
        slowing: Vec::new(),
        has_lost: false,
        effects: Vec::new(),
        offer_keys: world.offers.rows().iter().map(|offer| fnv1a(offer.name.as_bytes())).collect(),
        events: 0,
        decisions: 0,
        read: 0,
        idle: 0,
        stranded: 0,
        lacking: 0,
        lacking_machines: 0,
    };
    run.go(source, control)
}

struct Simulation<'r, 'w, O> {
    state: State<'w>,
    options: &'r Options,
    policy: &'r mut dyn Policy,
    /// Random stream of the policy.
    stream: Stream,
    /// The policy hears of every record.
    follows: bool,
    observer: &'r mut O,
    queue: EventQueue<Event>,
    capacities: OfferChanges<CapacityCursor>,
    prices: OfferChanges<PriceCursor>,
    faults: Faults,
    /// Whether a price or a capacity ever changes, or anything may fail.
    has_weather: bool,
    /// Whether there is a highest price for any offer.
    has_max_price: bool,
    /// Faults that refuse launches now, and are to end some day.
    outages: u32,
    /// Surges of launches that last.
    surges: u32,
    /// Failures and repairs since anything else happened.
    vain: u64,
    /// Progress of each task at which it is done, by slot of the work; `None` for work without an
    /// end.
    totals: Vec<Option<i128>>,
    /// End of the clock hour, in UTC.
    hour_ends: Time,
    /// Completion events, or arrivals of tasks, by slot of the allocation.
    keys: Vec<Option<EventKey>>,
    /// The next event of each instance, by its slot: it is ready, of some age, or lost.
    due: Vec<Option<EventKey>>,
    next: Work,
    more: bool,
    triggers: Vec<Trigger>,
    timers: BTreeSet<Time>,
    charges: Vec<Charge>,
    can_start: Vec<AllocationRef>,
    lost: Vec<InstanceRef>,
    tenants: Vec<AllocationRef>,
    /// Whether faults of this world make machines slower.
    has_slow: bool,
    /// Faults that last, and slow all machines that they strike.
    slowing: Vec<usize>,
    /// Whether an instance was lost since the policy was asked.
    has_lost: bool,
    effects: Vec<Effect>,
    offer_keys: Vec<u64>,
    events: u64,
    decisions: u64,
    read: u64,
    /// Timers since anything else happened.
    idle: u64,
    /// Work left waiting at the end for which there is room.
    stranded: u64,
    lacking: u64,
    lacking_machines: u64,
}

impl<O: Observer> Simulation<'_, '_, O> {
    fn go(
        &mut self,
        source: &mut dyn Source,
        control: &mut dyn FnMut(RunProgress) -> ControlFlow<()>,
    ) -> Result<Outcome, Failure> {
        self.read_next(source)?;
        let started = if self.more { self.next.arrival.min(Time::ZERO) } else { Time::ZERO };
        self.begin(started);
        self.ask()?;
        let mut rounds = 0;
        let mut drained = true;
        let mut next_control = 0;
        while self.more || self.state.work_count() > 0 {
            let Some(at) = self.next_instant().filter(|_| !self.is_vain()) else {
                self.stall();
                break;
            };
            if self.options.horizon.is_some_and(|horizon| at > horizon) {
                drained = false;
                break;
            }
            if let Some(most) = self.options.max_simulated
                && at > started.saturating_add(most)
            {
                return Err(limit("max_simulated", most));
            }
            if at > self.state.now() {
                self.observer.elapse(&self.state, self.state.now(), at);
                self.state.set_now(at);
                self.hear_of_purchases(at);
                rounds = 0;
            }
            rounds += 1;
            if rounds > MOST_ROUNDS {
                return Err(Failure::Loop { at });
            }
            self.apply(at, source)?;
            self.ask()?;
            if self.events >= next_control {
                if self.events > self.options.max_events {
                    return Err(limit("max_events", self.options.max_events));
                }
                let allowed = (self.options.max_events - self.events).saturating_add(1);
                next_control = self.events + CONTROL_EVERY.min(allowed);
                let progress = RunProgress { events: self.events, work: self.read, now: at };
                if control(progress).is_break() {
                    return Err(Failure::Interrupted { at });
                }
            }
        }
        drained &= self.state.work_count() == 0 && !self.more;
        self.end(drained);
        Ok(Outcome {
            started,
            ended: self.state.now(),
            drained,
            events: self.events,
            decisions: self.decisions,
            illegal: self.state.illegal_count(),
            unreserved: self.state.unreserved(),
            stranded: self.stranded,
            lacking: self.lacking,
            lacking_machines: self.lacking_machines,
        })
    }

    /// Stops a policy that would go on for ever.
    fn check_use(&self) -> Result<(), Failure> {
        let at = self.state.now();
        if self.idle > MOST_IDLE {
            let what = "woke itself a million times in a row, and nothing else happened: work waits \
                for what does not come, which a `horizon` ends, or it asks too often (`retry`)";
            return Err(Failure::Futile { what, at });
        }
        if self.state.is_overrun() {
            return Err(Failure::Futile {
                what: "rents more than a million instances at once",
                at,
            });
        }
        Ok(())
    }

    /// Starts the clock, the owned instances and the price paths.
    fn begin(&mut self, started: Time) {
        self.state.set_start(started);
        (_, self.hour_ends) = self.state.world().calendar.stretch(HOUR, started);
        if self.options.explain {
            self.state.keep_notes();
        }
        self.observer.begins(&self.state);
        let world = self.state.world();
        self.faults = Faults::after(world, self.options.seed, started, &self.offer_keys);
        for (offer, facts) in world.offers.iter() {
            for slot in 0..facts.running_at_start {
                let instance = self.state.add_running(offer);
                self.faults.holds(world, offer, slot, started);
                self.record(&Record::Requested(instance));
                self.record(&Record::Ready(instance));
            }
        }
        self.begin_prices(started);
        self.begin_capacity(started);
        self.has_weather = self.prices.at().is_some()
            || self.capacities.at().is_some()
            || !world.faults.is_empty();
        self.triggers.push(Trigger::Begins);
        // What is out from the start on is out before anybody rents.
        while self.faults.at() == Some(started) {
            self.fail();
        }
    }

    /// Where a clock hour has ended, the policy is to see what was bought by then.
    fn hear_of_purchases(&mut self, now: Time) {
        if self.hour_ends <= now {
            (_, self.hour_ends) = self.state.world().calendar.stretch(HOUR, now);
            let bought = self.observer.bought();
            self.state.learn_commitments(bought);
        }
    }

    fn next_instant(&self) -> Option<Time> {
        let queued = self.queue.peek().map(|(at, _)| at);
        let arrives = self.more.then_some(self.next.arrival);
        let next = match (queued, arrives) {
            (Some(queued), Some(arrives)) => Some(queued.min(arrives)),
            (one, other) => one.or(other),
        };
        if !self.has_weather || next.is_none() && !self.is_weather_awaited() {
            return next;
        }
        let earliest = |next: Option<Time>, other: Option<Time>| match (next, other) {
            (Some(next), Some(at)) => Some(next.min(at)),
            (one, other) => one.or(other),
        };
        let moved = earliest(self.prices.at(), self.capacities.at());
        earliest(earliest(next, moved), self.faults.at())
    }

    /// Whether weather is waited for where nothing else comes: not for what is drawn for ever, unless
    /// the run has a horizon or a stopped instance waits for capacity, and not for failures, only for the return of what has failed.
    fn is_weather_awaited(&self) -> bool {
        self.options.horizon.is_some()
            || self.state.has_stopped()
            || self.faults.returns()
            || self.prices.come_to_an_end()
            || self.capacities.come_to_an_end()
    }

    fn read_next(&mut self, source: &mut dyn Source) -> Result<(), Failure> {
        let last = self.next.arrival;
        self.more = source.next(self.state.book_mut(), &mut self.next).map_err(Failure::Input)?;
        if self.more {
            if self.read > 0 && self.next.arrival < last {
                let message =
                    format!("work `{}` arrives before the one ahead of it", self.next.label());
                let problem = Problem::with("workload", message).hint("sort the source by arrival");
                return Err(Failure::Input(problem));
            }
            if let Some(home) = self.state.unknown_home(&self.next) {
                return Err(Failure::Input(no_such_home(&self.next.label(), home)));
            }
            self.read += 1;
            if self.read > self.options.max_jobs {
                return Err(limit("max_jobs", self.options.max_jobs));
            }
        }
        Ok(())
    }

    /// Applies the events of this instant, class by class (or only the first of
    /// them, where the world says that the policy is asked per event).
    #[inline(always)]
    fn apply(&mut self, at: Time, source: &mut dyn Source) -> Result<(), Failure> {
        let classes = self.state.world().classes;
        let arrival = if classes.arrivals_first { 0 } else { ARRIVAL };
        loop {
            let queued = self.queue.class_at(at);
            let arrives = self.more && self.next.arrival == at;
            let comes = |change: Option<Time>| change == Some(at);
            let reprices = self.has_weather && comes(self.prices.at());
            let moves = self.has_weather && comes(self.capacities.at());
            let fails = self.has_weather && comes(self.faults.at());
            let first = |class: u8| queued.is_none_or(|other| other >= class);
            let is_next = |moved: bool, class: u8| !moved || class >= arrival;
            let is_calm = is_next(moves || fails, CAPACITY);
            if arrives && first(arrival) && is_next(reprices, PRICE) && is_calm {
                self.acts();
                self.arrive(source)?;
            } else if moves && first(CAPACITY) {
                // What is drawn for ever is nothing that happened.
                if self.capacities.come_to_an_end() {
                    self.acts();
                }
                self.vain += u64::from(self.state.has_stopped());
                self.change_capacity();
            } else if fails && first(CAPACITY) {
                self.fail();
            } else if reprices && first(PRICE) {
                if self.prices.come_to_an_end() {
                    self.acts();
                }
                self.reprice();
            } else if queued.is_some() {
                let (_, _, event) = self.queue.pop().expect("the queue has an event now");
                match event {
                    Event::Timer => self.idle += 1,
                    Event::Completes(..)
                    | Event::Arrives(_)
                    | Event::Lost(_)
                    | Event::Aged(_)
                    | Event::NotLaunched(_)
                    | Event::Calms(_)
                    | Event::Ready(_) => self.acts(),
                }
                self.handle(event);
            } else {
                return Ok(());
            }
            self.events += 1;
            if classes.ask_per_event {
                return Ok(());
            }
        }
    }

    /// Whether only failures and repairs are to come, or changes of capacity that stopped instances wait
    /// for, and so many came already that none helped.
    fn is_vain(&self) -> bool {
        let offers = self.state.world().offers.len() as u64;
        let most =
            if self.state.has_stopped() { MOST_VAIN.saturating_mul(offers) } else { MOST_VAIN };
        self.vain > most && !self.more && self.queue.peek().is_none()
    }

    /// Something happens by which a policy that waits may come on.
    #[inline(always)]
    fn acts(&mut self) {
        (self.idle, self.vain) = (0, 0);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Completes(allocation, work) => self.complete(allocation, work),
            Event::Arrives(to) => self.arrives(to),
            Event::Lost(instance) => self.take_back(instance),
            Event::Aged(instance) => self.age(instance),
            Event::Ready(instance) => self.ready(instance),
            Event::NotLaunched(instance) => self.launch_fails(instance),
            Event::Calms(fault) => self.calm(fault),
            Event::Timer => {
                self.timers.remove(&self.state.now());
                self.triggers.push(Trigger::Timer);
            }
        }
    }

    fn arrive(&mut self, source: &mut dyn Source) -> Result<(), Failure> {
        let runtime = self.next.body.length();
        let work = self.state.submit(&self.next);
        let rate = self.state.joint_rate(work, self.state.joint_tasks(work));
        let each = i128::from(rate) * 1_000_000;
        let total = runtime.map(|runtime| i128::from(runtime.micros()) * each);
        if self.state.work_count() > self.options.max_alive {
            return Err(limit("max_alive", self.options.max_alive));
        }
        put(&mut self.totals, work.slot(), total);
        self.record(&Record::Submitted(work));
        if self.state.has_lost_data(work) {
            self.refused(work, RefusalReason::DataLost);
        } else {
            self.triggers.push(Trigger::Arrived(work));
        }
        self.read_next(source)
    }

    fn ready(&mut self, instance: InstanceRef) {
        self.due[instance.slot()] = None;
        let mut can_start = std::mem::take(&mut self.can_start);
        self.state.ready(instance, &mut can_start);
        self.record(&Record::Ready(instance));
        for allocation in can_start.drain(..) {
            let work = self.state.allocation(allocation).work();
            self.start(allocation, work);
        }
        self.can_start = can_start;
        self.triggers.push(Trigger::Ready(instance));
        self.begin_to_age(instance);
    }

    fn start(&mut self, allocation: AllocationRef, work: WorkRef) {
        self.state.start(allocation);
        if let Some(checkpoint) = self.state.checkpoint(work) {
            let plan = self.policy.checkpoints(&self.state, allocation);
            self.state.set_checkpoints(allocation, checkpoint, plan);
        }
        if self.has_slow {
            self.state.start_transfers(allocation);
            self.state.change_pace(allocation, self.totals[work.slot()].unwrap_or(i128::MAX));
        }
        self.record(&Record::Started(allocation));
        put(&mut self.keys, allocation.slot(), None);
        self.expect_end(allocation, work);
    }

    /// Waits for the end of tasks that run, and for no other end that was waited for.
    fn expect_end(&mut self, allocation: AllocationRef, work: WorkRef) {
        let Some(total) = self.totals[work.slot()] else { return };
        let Some(end) = self.state.end_of(allocation, total) else { return };
        let event = Event::Completes(allocation, work);
        let key = self.queue.schedule(end, event.class(), event);
        if let Some(old) = self.keys[allocation.slot()].replace(key) {
            self.queue.cancel(old);
        }
    }

    #[inline(always)]
    fn emit_charges(&mut self) {
        for &charge in &self.charges {
            self.observer.record(&self.state, &Record::Charged(charge));
        }
        self.charges.clear();
    }

    /// Hands a record to the observer, and to a policy that follows them; charges go to the
    /// observer alone. Inlined, so that each place runs only what its own record concerns.
    #[inline(always)]
    fn record(&mut self, record: &Record) {
        self.observer.record(&self.state, record);
        if self.follows {
            self.policy.record(&self.state, record);
        }
    }

    fn complete(&mut self, allocation: AllocationRef, work: WorkRef) {
        // The event of the completion has come.
        self.keys[allocation.slot()] = None;
        self.state.stop(allocation, Ending::Done);
        self.conclude(allocation, work, Ending::Done);
        let live = self.state.work(work);
        if live.done == live.ask.tasks {
            self.record(&Record::Finished(work));
            self.state.forget(work);
        }
        self.triggers.push(Trigger::Freed(work));
    }

    /// Asks the policy about the triggers, and again while it causes new ones.
    fn ask(&mut self) -> Result<(), Failure> {
        let mut rounds = 0;
        self.forget_lost();
        if self.state.has_stopped() {
            self.restart_stopped();
        }
        while !self.triggers.is_empty() {
            self.observer.asks(&self.state, &self.triggers);
            let turn = &mut Turn::new(&mut self.state, &mut self.stream);
            self.policy.decide(&self.triggers, turn);
            self.decisions += 1;
            rounds += 1;
            // A part may have given up in the middle.
            if halt::asked() {
                return Err(Failure::Interrupted { at: self.state.now() });
            }
            if let Some(why) = self.state.stop_reason() {
                return Err(Failure::Policy { why: why.to_owned(), at: self.state.now() });
            }
            if rounds > MOST_ROUNDS {
                return Err(Failure::Loop { at: self.state.now() });
            }
            self.check_use()?;
            if let Some(refusal) = self.state.first_illegal()
                && !self.options.tolerate_illegal
            {
                return Err(Failure::Illegal { refusal, at: self.state.now() });
            }
            self.triggers.clear();
            self.state.forget_repriced();
            if self.options.explain {
                self.record_notes();
            }
            if self.state.has_effects() {
                self.follow_up();
            }
            if self.state.has_stopped() {
                self.restart_stopped();
            }
        }
        self.observer.decided(&self.state, self.policy.queue());
        self.prefetch();
        Ok(())
    }

    #[inline(never)]
    fn record_notes(&mut self) {
        for (work, note) in self.state.take_notes() {
            if self.state.is_alive(work) {
                self.record(&Record::Noted(work, note));
            }
        }
    }

    /// Brings near what the next completion reads, which on a large replay has
    /// been out of the caches since it began, while there is still other work.
    #[inline]
    fn prefetch(&self) {
        if self.state.work_count() < CACHED {
            return;
        }
        if let Some(Event::Completes(allocation, work)) = self.queue.upcoming() {
            self.state.prefetch(allocation, work);
            prefetch_index(&self.totals, work.slot());
        }
        self.queue.prefetch();
    }

    /// Ends what outlives the run, in stable order.
    fn end(&mut self, drained: bool) {
        if !drained
            && let Some(horizon) = self.options.horizon
            && horizon > self.state.now()
        {
            self.observer.elapse(&self.state, self.state.now(), horizon);
            self.state.set_now(horizon);
        }
        let mut works: Vec<WorkRef> = self.state.works().map(|(work, _)| work).collect();
        works.sort_by_key(|&work| self.state.work(work).tie());
        for work in works {
            let left = self.left(work);
            for allocation in self.state.work(work).allocations.clone() {
                self.state.stop(allocation, Ending::RunOver);
                self.conclude_early(allocation, Ending::RunOver);
            }
            self.end_kept(work);
            self.observer.undone(&self.state, work, left);
            self.record(&Record::Unfinished(work));
            self.state.forget(work);
        }
        let mut instances: Vec<InstanceRef> =
            self.state.instances().map(|(instance, _)| instance).collect();
        instances.sort_by_key(|&instance| self.state.instance(instance).ordinal);
        for instance in instances {
            self.state.retire_at_end(instance);
            self.released(instance, Exit::RunOver);
        }
        self.observer.ends(&self.state);
    }
}

/// Problem of work whose data lives nowhere in this world: it would move in no time and for
/// nothing.
pub fn no_such_home(label: &str, home: &str) -> Problem {
    let home = clip(home);
    let message =
        format!("the data of work `{label}` lives in `{home}`, which is no region or cluster here");
    Problem::with("workload", message)
        .hint("add the region to `[cloud.…] regions`, or set `workload.data.home`")
}

fn limit(name: &'static str, value: impl ToString) -> Failure {
    Failure::Limit { name, value: value.to_string() }
}

/// Sets row `at` of a table that grows as needed.
fn put<T: Default>(table: &mut Vec<T>, at: usize, value: T) {
    if table.len() <= at {
        table.resize_with(at + 1, T::default);
    }
    table[at] = value;
}
