//! The whole workload of a scenario, read once without running it: how much it
//! asks for, what it lacks, and what of it can never run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::ControlFlow;

use crate::metrics::{RentalLimits, Rentals, Renting};
use crate::model::{Ask, Interner, Market, Offer, Rules, Work, WorkKind, World};
use crate::policy::composed::fits::Feasibility;
use crate::policy::spec::{OfferScope, Reach};
use crate::problem::{Problem, Problems, clip};
use crate::scenario::{NamedSource, Scenario, UnknownName};
use crate::sim::no_such_home;
use crate::state::{ResolvedRules, Sites};
use crate::units::{Demand, Id, Span, Time};
use crate::workload::{OnBadRow, RowNotes, Source, WorkloadInput};

/// Counts and loads of a workload, before it runs.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Pieces of work.
    pub pieces: u64,
    /// First and last arrival.
    pub arrivals: Option<(Time, Time)>,
    /// Malformed rows that were left out.
    pub skipped: u64,
    /// Rows that became no work, or other work than they say.
    pub notes: RowNotes,
    /// Pieces of work that arrive after the horizon.
    pub late: u64,
    /// Jobs without an estimate of their runtime.
    pub unestimated: u64,
    /// Pieces of work with a deadline.
    pub deadlines: u64,
    /// Pieces of work that can write checkpoints.
    pub checkpoints: u64,
    /// Gangs of jobs that resume and can run with fewer tasks, with an estimate.
    pub scaling: u64,
    /// Pieces of work that ask for no core, memory or GPU at all.
    pub sizeless: u64,
    /// Amounts that are asked for between the first and the last arrival, if nobody waits.
    pub load: SurveyedLoad,
    /// Amounts of GPUs alone, by the models that will do; no models stand for any.
    pub by_models: BTreeMap<Vec<String>, SurveyedLoad>,
    /// The largest task by cores, memory and GPUs, and its work.
    pub largest: [Option<(u64, String)>; 3],
    /// Work that fits nowhere, by policy.
    pub impossible: Vec<Impossible>,
    /// Counts of the work that each policy can rent for.
    pub rentals: Vec<Rentals>,
    /// Owned machines on which no task could be placed.
    pub unused: Vec<Id<Offer>>,
    /// Names in rules that nothing here has.
    pub unknown_names: Vec<UnknownName>,
}

/// Work that a policy can never run.
#[derive(Clone, Debug, Default)]
pub struct Impossible {
    /// Pieces of work.
    pub pieces: u64,
    /// The first of them, and what it asks for.
    pub first: Option<(String, Ask)>,
}

/// Amounts that work asks for, each times how long it runs on the own machines. The time after the
/// last arrival is left out, for no work comes on top of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SurveyedLoad {
    /// Pieces of work.
    pub pieces: u64,
    /// Cores, in core-seconds.
    pub cores: f64,
    /// Memory, in GiB-seconds.
    pub memory: f64,
    /// GPUs, in GPU-seconds.
    pub gpus: f64,
}

impl SurveyedLoad {
    fn add(&mut self, (demand, tasks): (Demand, u32), seconds: f64) {
        let seconds = seconds * f64::from(tasks);
        self.pieces += 1;
        self.cores += f64::from(demand.cpu) / 1e3 * seconds;
        self.memory += f64::from(demand.memory) / 1_024.0 * seconds;
        self.gpus += f64::from(demand.gpu_milli()) / 1e3 * seconds;
    }
}

/// Work that has arrived and would not have ended, had nobody waited: the earliest end first.
#[derive(Default)]
struct RunningWork(BinaryHeap<Reverse<WorkRun>>);

/// Start and end of running work, and what it asks for.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct WorkRun {
    end: Time,
    start: Time,
    asks: (Demand, u32),
    rules: Id<Rules>,
}

/// Reason for which a survey came to no end.
#[derive(Debug)]
pub enum Unsurveyed {
    /// The workload has problems.
    Problems(Problems),
    /// The survey was told to stop.
    Stopped,
}

/// Feasibility of each piece of work, by the policies of a scenario.
struct Fitting<'w> {
    world: &'w World,
    sites: Sites,
    /// Rules resolved, by row.
    rules: Vec<ResolvedRules>,
    /// Feasibility under each policy; policies that rent alike share one.
    fits: Vec<Feasibility>,
    /// Row of each policy's feasibility in `fits`.
    of: Vec<usize>,
    /// Counts of the work that each policy can rent for, if it rents.
    renting: Vec<Option<Renting>>,
    /// Owned machines that could have held no task so far.
    unused: Vec<Id<Offer>>,
    /// Speed of jobs on the own machines where they may run, by row of the rules.
    own_speeds: Vec<OwnSpeed>,
}

/// Speed of jobs on own machines, a mean over their cores and one over their GPUs; 1 is the
/// reference machine. 1 where jobs may run on none.
#[derive(Clone, Copy, Debug)]
struct OwnSpeed {
    of_cores: f64,
    of_gpus: f64,
}

impl OwnSpeed {
    fn new(world: &World, rules: &ResolvedRules) -> Self {
        let own = world.offers.iter().filter(|(id, offer)| {
            offer.market == Market::Owned && offer.running_at_start > 0 && rules.allows(*id)
        });
        let (mut cores, mut gpus) = ([0.0; 2], [0.0; 2]);
        for (id, offer) in own {
            let shape = world.type_of(id).shape;
            let speed = f64::from(rules.speed(WorkKind::Job, id)) / 1e6;
            let count = f64::from(offer.running_at_start);
            for (sums, amount) in
                [(&mut cores, f64::from(shape.cpu)), (&mut gpus, f64::from(shape.gpus))]
            {
                sums[0] += amount * count * speed;
                sums[1] += amount * count;
            }
        }
        let mean = |[weighted, all]: [f64; 2]| if all > 0.0 { weighted / all } else { 1.0 };
        Self { of_cores: mean(cores), of_gpus: mean(gpus) }
    }

    /// Runtime of work on the own machines; `None` if it has no end.
    fn runtime(self, work: &Work) -> Option<Span> {
        let speed = match work.ask.demand.gpus {
            _ if !work.body.kind().scales_with_speed() => return work.body.length(),
            0 => self.of_cores,
            _ => self.of_gpus,
        };
        let runtime = work.body.length()?;
        if speed == 1.0 {
            return Some(runtime);
        }
        // Speeds are above 0; what is too long to count saturates.
        Some(Span::from_micros((runtime.micros() as f64 / speed).round() as i64))
    }
}

impl<'w> Fitting<'w> {
    fn new(scenario: &'w Scenario) -> Self {
        let mut kinds: Vec<(Reach, OfferScope)> = Vec::new();
        let (mut fits, mut of) = (Vec::new(), Vec::new());
        for policy in &scenario.policies {
            let own = (policy.reach(), policy.placed());
            let known = kinds.iter().position(|kind| *kind == own);
            of.push(known.unwrap_or_else(|| {
                fits.push(Feasibility::new(own.0.clone(), own.1.clone()));
                kinds.push(own);
                fits.len() - 1
            }));
        }
        let owned = scenario.world.offers.iter().filter(|(_, facts)| facts.market == Market::Owned);
        Self {
            world: &scenario.world,
            sites: Sites::new(&scenario.world),
            rules: Vec::new(),
            fits,
            of,
            renting: scenario.policies.iter().map(Renting::new).collect(),
            unused: owned.map(|(offer, _)| offer).collect(),
            own_speeds: Vec::new(),
        }
    }

    /// Notes by policy whether the work can ever run. Returns its runtime on the own machines;
    /// `None` if it has no end.
    fn count(
        &mut self,
        book: &Interner,
        work: &Work,
        impossible: &mut [Impossible],
    ) -> Option<Span> {
        for rules in &book.all_rules().rows()[self.rules.len()..] {
            let resolved = ResolvedRules::new(self.world, rules);
            self.own_speeds.push(OwnSpeed::new(self.world, &resolved));
            self.rules.push(resolved);
        }
        let rules = &self.rules[work.ask.rules.row()];
        let (world, sites) = (self.world, &self.sites);
        let holds = |offer: Id<Offer>| world.type_of(offer).shape.holds(work.ask.demand) > 0;
        self.unused.retain(|&offer| !(rules.allows(offer) && holds(offer)));
        let site = |offer| sites.site(&work.ask, rules.together, offer);
        let can: Vec<bool> =
            self.fits.iter_mut().map(|fits| fits.admit(world, (rules, &site), &work.ask)).collect();
        for (found, &of) in impossible.iter_mut().zip(&self.of) {
            if !can[of] {
                found.pieces += 1;
                found.first.get_or_insert_with(|| (clip(&work.label()), work.ask));
            }
        }
        let limits =
            RentalLimits { rules: &book.all_rules()[work.ask.rules], resolved: rules, site: &site };
        for renting in self.renting.iter_mut().flatten() {
            renting.count(world, limits, &work.ask);
        }
        self.own_speeds[work.ask.rules.row()].runtime(work)
    }
}

/// Reads the workload to its end, which finds what reading the scenario cannot:
/// malformed rows, names that two rows have, and more work than a run may have.
/// `watch` is told how far it is.
///
/// # Errors
/// Everything wrong with it, or that it was stopped.
pub fn survey(
    scenario: &Scenario,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Survey, Unsurveyed> {
    let context = scenario.context(scenario.seed, true);
    let mut workload = scenario.workload.clone();
    let tells = match &mut workload.input {
        WorkloadInput::Trace(trace) if trace.on_bad_row == OnBadRow::Fail => {
            trace.on_bad_row = OnBadRow::Tell;
            true
        }
        _ => false,
    };
    let source = workload.open(&context).map_err(Unsurveyed::Problems)?;
    let mut source = NamedSource::new(source, &scenario.world);
    let (mut book, mut work) = (Interner::default(), Work::default());
    let mut found = Survey::default();
    found.impossible.resize_with(scenario.policies.len(), Impossible::default);
    let mut fitting = Fitting::new(scenario);
    let (mut problems, mut homes) = (Vec::new(), 0);
    let mut running = RunningWork::default();
    loop {
        match source.next(&mut book, &mut work) {
            Ok(true) => {}
            Ok(false) => break,
            Err(problem) => {
                problems.push(problem);
                break;
            }
        }
        for home in homes..book.homes().len() {
            let home = &book.homes()[Id::new(home as u32)].name;
            if scenario.world.find_home(home).is_none() {
                problems.push(no_such_home(&work.label(), home));
            }
        }
        homes = book.homes().len();
        let runtime = fitting.count(&book, &work, &mut found.impossible);
        found.count((&work, runtime), &mut running, &book, scenario.horizon);
        if found.pieces > scenario.limits.max_jobs {
            problems.push(too_much(scenario));
            break;
        }
        if watch(found.pieces).is_break() {
            return Err(Unsurveyed::Stopped);
        }
    }
    found.close(running, &book, scenario.horizon);
    let rentals = fitting.renting.into_iter();
    found.rentals = rentals.map(|one| one.map(Renting::found).unwrap_or_default()).collect();
    (found.skipped, found.notes) = (source.skipped(), source.notes());
    found.unknown_names = source.unknown();
    found.unused = fitting.unused;
    if tells {
        problems.splice(0..0, bad_rows(&source));
    }
    if problems.is_empty() && found.pieces == 0 {
        let problem = Problem::with(&scenario.path, "the workload has no work in it");
        problems.push(problem.hint(
            "look whether its files have rows, and at its transformations, filters and dates",
        ));
    }
    if problems.is_empty() { Ok(found) } else { Err(Unsurveyed::Problems(problems.into())) }
}

impl Survey {
    fn count(
        &mut self,
        (work, runtime): (&Work, Option<Span>),
        running: &mut RunningWork,
        book: &Interner,
        horizon: Option<Span>,
    ) {
        let ask = &work.ask;
        self.pieces += 1;
        let first = self.arrivals.map_or(work.arrival, |(first, _)| first);
        self.arrivals = Some((first, work.arrival));
        if horizon.is_some_and(|horizon| work.arrival > Time::ZERO + horizon) {
            self.late += 1;
            return;
        }
        self.unestimated += u64::from(work.body.kind().wants_estimate() && ask.estimate.is_none());
        self.deadlines += u64::from(ask.deadline.is_some());
        self.checkpoints += u64::from(ask.checkpoint.is_some() && ask.keeps_saved());
        let scales = work.body.kind() == WorkKind::Job && ask.gang && ask.keeps_progress();
        let has_fewer = (1..ask.tasks).contains(&work.min_tasks) && ask.estimate.is_some();
        self.scaling += u64::from(scales && has_fewer);
        let demand = ask.demand;
        self.sizeless += u64::from(demand.cpu == 0 && demand.memory == 0 && demand.gpus == 0);
        let amounts = [demand.cpu, demand.memory, u32::from(demand.gpus)];
        for (largest, amount) in self.largest.iter_mut().zip(amounts.map(u64::from)) {
            if amount > largest.as_ref().map_or(0, |(known, _)| *known) {
                *largest = Some((amount, clip(&work.label())));
            }
        }
        self.end(running, work.arrival, book);
        let end = runtime.map_or(Time::MAX, |runtime| work.arrival.saturating_add(runtime));
        let asks = (demand, ask.tasks);
        running.0.push(Reverse(WorkRun { end, start: work.arrival, asks, rules: ask.rules }));
    }

    /// Adds up what has ended by `now`.
    fn end(&mut self, running: &mut RunningWork, now: Time, book: &Interner) {
        while running.0.peek().is_some_and(|Reverse(runs)| runs.end <= now) {
            let Some(Reverse(runs)) = running.0.pop() else { return };
            self.add(&runs, runs.end, book);
        }
    }

    /// Adds up what runs on when nothing arrives any more.
    fn close(&mut self, running: RunningWork, book: &Interner, horizon: Option<Span>) {
        let Some((_, last)) = self.span(horizon) else { return };
        for Reverse(runs) in running.0.into_sorted_vec() {
            self.add(&runs, runs.end.min(last), book);
        }
    }

    /// Adds what runs asked for until `end`.
    fn add(&mut self, runs: &WorkRun, end: Time, book: &Interner) {
        let seconds = (end - runs.start).secs_f64();
        self.load.add(runs.asks, seconds);
        if runs.asks.0.gpus > 0 {
            let models = &book.all_rules()[runs.rules].gpu_models.allowed;
            match self.by_models.get_mut(models) {
                Some(load) => load.add(runs.asks, seconds),
                None => {
                    self.by_models.entry(models.clone()).or_default().add(runs.asks, seconds);
                }
            }
        }
    }

    /// The first arrival, and the last one or the horizon, whichever comes first.
    fn span(&self, horizon: Option<Span>) -> Option<(Time, Time)> {
        let (first, last) = self.arrivals?;
        let last = horizon.map_or(last, |horizon| last.min(Time::ZERO + horizon));
        (first <= last).then_some((first, last))
    }

    /// Seconds over which work arrives, up to the horizon; `None` if all of it comes at once.
    pub fn window(&self, horizon: Option<Span>) -> Option<f64> {
        let (first, last) = self.span(horizon)?;
        Some((last - first).secs_f64()).filter(|&seconds| seconds > 0.0)
    }
}

/// The malformed rows, cut short where they are many.
fn bad_rows(source: &dyn Source) -> Vec<Problem> {
    let mut problems = source.skips().to_vec();
    let more = source.skipped().saturating_sub(problems.len() as u64);
    if let Some(last) = problems.last().filter(|_| more > 0) {
        let message = format!("{more} more rows are malformed");
        let problem = Problem::with(&last.path, message);
        problems.push(problem.hint("`on_bad_row = \"skip\"` leaves such rows out and counts them"));
    }
    problems
}

fn too_much(scenario: &Scenario) -> Problem {
    let message = format!(
        "there is more work than `limits.max_jobs`, which is {}; a run would stop there",
        scenario.limits.max_jobs
    );
    Problem::with(&scenario.path, message)
        .hint("raise it with `--set limits.max_jobs=...`, or take less work")
}
