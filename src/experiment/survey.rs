//! The whole workload of a scenario, read once without running it: how much it
//! asks for, what it lacks, and what of it can never run.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::rental::{Limits, Rentals, Renting};
use crate::model::{Ask, Book, Kind, Market, Offer, Truth, Work, World};
use crate::policy::composed::fits::Fits;
use crate::policy::spec::{Provision, Scope};
use crate::problem::{Problem, clip};
use crate::scenario::{Named, Scenario, UnknownName};
use crate::sim::no_such_home;
use crate::state::{Resolved, Sites};
use crate::units::{Id, Span, Time};
use crate::workload::{Input, Notes, OnBadRow, Source};

/// What a workload holds.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Pieces of work.
    pub pieces: u64,
    /// When the first and the last arrive.
    pub arrivals: Option<(Time, Time)>,
    /// Malformed rows that were left out.
    pub skipped: u64,
    /// Rows that became no work, or other work than they say.
    pub notes: Notes,
    /// Pieces of work that arrive after the horizon.
    pub late: u64,
    /// Jobs without an estimate of their runtime.
    pub unestimated: u64,
    /// Pieces of work with a deadline.
    pub deadlines: u64,
    /// Pieces of work that ask for no core, memory or GPU at all.
    pub sizeless: u64,
    /// What is asked for in all.
    pub load: Load,
    /// GPU time asked for, by the models that will do; none for any model.
    pub by_models: BTreeMap<Vec<String>, Load>,
    /// The largest task by cores, memory and GPUs, and its work.
    pub largest: [Option<(u64, String)>; 3],
    /// By policy: what fits nowhere.
    pub impossible: Vec<Impossible>,
    /// By policy: what can be rented for.
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

/// What work asks for: an amount times how long, on the reference machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Pieces of work.
    pub pieces: u64,
    /// Core-seconds.
    pub cores: f64,
    /// GiB-seconds.
    pub memory: f64,
    /// GPU-seconds.
    pub gpus: f64,
}

impl Load {
    fn add(&mut self, ask: &Ask, seconds: f64) {
        let seconds = seconds * f64::from(ask.tasks);
        self.pieces += 1;
        self.cores += f64::from(ask.demand.cpu) / 1e3 * seconds;
        self.memory += f64::from(ask.demand.memory) / 1_024.0 * seconds;
        self.gpus += f64::from(ask.demand.gpu_milli()) / 1e3 * seconds;
    }
}

/// Why a survey came to no end.
#[derive(Debug)]
pub enum Unsurveyed {
    /// What is wrong with the workload.
    Problems(Vec<Problem>),
    /// It was told to stop.
    Stopped,
}

/// Who can run what, by the policies of a scenario.
struct Fitting<'w> {
    world: &'w World,
    sites: Sites,
    /// By row of the rules.
    rules: Vec<Resolved>,
    /// By policy; policies that rent alike share one.
    fits: Vec<Fits>,
    /// By policy: which of these.
    of: Vec<usize>,
    /// By policy: what it rents for, if it does.
    renting: Vec<Option<Renting>>,
    /// Owned machines that could have held no task so far.
    unused: Vec<Id<Offer>>,
}

impl<'w> Fitting<'w> {
    fn new(scenario: &'w Scenario) -> Self {
        let mut kinds: Vec<(&Provision, &Scope, &Scope)> = Vec::new();
        let (mut fits, mut of) = (Vec::new(), Vec::new());
        for policy in &scenario.policies {
            let own = (&policy.provision, &policy.narrow.scope, &policy.rent_from);
            let known = kinds.iter().position(|kind| *kind == own);
            of.push(known.unwrap_or_else(|| {
                kinds.push(own);
                fits.push(Fits::new(own.0, [own.1, own.2]));
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
        }
    }

    /// Notes by policy whether the work can ever run.
    fn look(&mut self, book: &Book, work: &Work, impossible: &mut [Impossible]) {
        for rules in &book.all_rules().rows()[self.rules.len()..] {
            self.rules.push(Resolved::new(self.world, rules));
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
            Limits { rules: &book.all_rules()[work.ask.rules], resolved: rules, site: &site };
        for renting in self.renting.iter_mut().flatten() {
            renting.look(world, limits, &work.ask);
        }
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
        Input::Trace(trace) if trace.on_bad_row == OnBadRow::Fail => {
            trace.on_bad_row = OnBadRow::Tell;
            true
        }
        _ => false,
    };
    let source = workload.open(&context).map_err(Unsurveyed::Problems)?;
    let mut source = Named::new(source, &scenario.world);
    let (mut book, mut work) = (Book::default(), Work::default());
    let mut found = Survey::default();
    found.impossible.resize_with(scenario.policies.len(), Impossible::default);
    let mut fitting = Fitting::new(scenario);
    let (mut problems, mut homes) = (Vec::new(), 0);
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
            if scenario.world.find_region(home).is_none() {
                problems.push(no_such_home(&work.label(), home));
            }
        }
        homes = book.homes().len();
        found.count(&work, &book, scenario.horizon);
        fitting.look(&book, &work, &mut found.impossible);
        if found.pieces > scenario.limits.max_jobs {
            problems.push(too_much(scenario));
            break;
        }
        if watch(found.pieces).is_break() {
            return Err(Unsurveyed::Stopped);
        }
    }
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
        problems.push(problem.hint("look at its transformations, filters and dates"));
    }
    if problems.is_empty() { Ok(found) } else { Err(Unsurveyed::Problems(problems)) }
}

impl Survey {
    fn count(&mut self, work: &Work, book: &Book, horizon: Option<Span>) {
        let ask = &work.ask;
        self.pieces += 1;
        let first = self.arrivals.map_or(work.arrival, |(first, _)| first);
        self.arrivals = Some((first, work.arrival));
        if horizon.is_some_and(|horizon| work.arrival > Time::ZERO + horizon) {
            self.late += 1;
            return;
        }
        self.unestimated += u64::from(ask.kind == Kind::Job && ask.estimate == Span::MAX);
        self.deadlines += u64::from(ask.deadline != Time::MAX);
        let demand = ask.demand;
        self.sizeless += u64::from(demand.cpu == 0 && demand.memory == 0 && demand.gpus == 0);
        let amounts = [demand.cpu, demand.memory, u32::from(demand.gpus)];
        for (largest, amount) in self.largest.iter_mut().zip(amounts.map(u64::from)) {
            if amount > largest.as_ref().map_or(0, |(known, _)| *known) {
                *largest = Some((amount, clip(&work.label())));
            }
        }
        let seconds = runtime(work, horizon);
        self.load.add(ask, seconds);
        if demand.gpus > 0 {
            let models = &book.all_rules()[ask.rules].gpu_models.allowed;
            match self.by_models.get_mut(models) {
                Some(load) => load.add(ask, seconds),
                None => {
                    self.by_models.entry(models.clone()).or_default().add(ask, seconds);
                }
            }
        }
    }

    /// Seconds over which work arrives; none where all of it comes at once.
    pub fn window(&self) -> Option<f64> {
        let (first, last) = self.arrivals?;
        Some((last - first).secs_f64()).filter(|&seconds| seconds > 0.0)
    }
}

/// Seconds that the work runs, up to the horizon; nothing where it has no end at all.
fn runtime(work: &Work, horizon: Option<Span>) -> f64 {
    let Truth { runtime } = work.truth;
    let left = horizon.map(|horizon| Time::ZERO + horizon - work.arrival);
    match (runtime, left) {
        (Span::MAX, None) => 0.0,
        (runtime, None) => runtime.secs_f64(),
        (runtime, Some(left)) => runtime.min(left).secs_f64(),
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
