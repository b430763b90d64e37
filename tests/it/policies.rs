//! Composed policies, run from end to end on workloads small enough to check
//! by hand.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use windtunnel::model::{
    Ask, Billing, Book, InstanceType, Market, Offer, PricePath, Provider, Region, Truth, Work,
    WorkId, World, Zone,
};
use windtunnel::policy;
use windtunnel::policy::spec::PolicySpec;
use windtunnel::problem::Problem;
use windtunnel::sim::{self, Observer, Options};
use windtunnel::state::{Record, RefusalReason, State, WorkRef};
use windtunnel::units::{Calendar, Demand, Distribution, Rate, Shape, Span, Time};
use windtunnel::workload::Source;

/// A job: arrival, processors, runtime, in whole seconds; its estimate is the
/// runtime unless said otherwise.
#[derive(Clone, Copy, Debug)]
struct Job {
    arrival: i64,
    procs: u32,
    run: i64,
    ask: Ask,
}

/// One core per processor.
fn job(arrival: i64, procs: u32, run: i64) -> Job {
    let demand = Demand { cpu: 1_000, ..Demand::default() };
    let estimate = Span::from_secs(run);
    Job { arrival, procs, run, ask: Ask { tasks: procs, demand, estimate, ..Ask::default() } }
}

impl Job {
    /// One task that asks all the cores of one instance.
    fn on_one(mut self) -> Self {
        self.ask.demand.cpu *= self.procs;
        self.ask.tasks = 1;
        self
    }

    fn estimate(mut self, secs: i64) -> Self {
        self.ask.estimate = Span::from_secs(secs);
        self
    }

    fn priority(mut self, priority: i32) -> Self {
        self.ask.priority = priority;
        self
    }

    fn resumes(mut self) -> Self {
        self.ask.resumes = true;
        self
    }
}

/// Jobs as a source, in the order given.
struct Jobs(std::vec::IntoIter<Job>, u64);

impl Jobs {
    fn new(jobs: &[Job]) -> Self {
        Self(jobs.to_vec().into_iter(), 0)
    }
}

impl Source for Jobs {
    fn next(&mut self, _book: &mut Book, work: &mut Work) -> Result<bool, Problem> {
        let Some(job) = self.0.next() else { return Ok(false) };
        work.id = WorkId { source: 0, ordinal: self.1 };
        work.name.clear();
        work.arrival = Time::from_secs(job.arrival);
        work.ask = job.ask;
        work.truth = Truth { runtime: Span::from_secs(job.run) };
        self.1 += 1;
        Ok(true)
    }
}

/// What happened to a job: starts and end in seconds, or why it was refused.
#[derive(Clone, Debug, Default, PartialEq)]
struct Fate {
    starts: Vec<f64>,
    end: Option<f64>,
    refused: Option<RefusalReason>,
}

#[derive(Default)]
struct Watch {
    fates: BTreeMap<u64, Fate>,
}

impl Watch {
    fn fate(&mut self, state: &State<'_>, work: WorkRef) -> &mut Fate {
        self.fates.entry(state.work(work).id.ordinal).or_default()
    }
}

impl Observer for Watch {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let now = state.now().secs_f64();
        match *record {
            Record::Started(started) => {
                let work = state.allocation(started).work();
                self.fate(state, work).starts.push(now);
            }
            Record::Finished(work) => self.fate(state, work).end = Some(now),
            Record::Refused { work, reason } => self.fate(state, work).refused = Some(reason),
            _ => (),
        }
    }
}

/// A cluster with these numbers of cores per machine.
fn cluster(cores: &[u32]) -> World {
    let mut world = World::empty(Calendar::from_unix_micros(0));
    let billing = Billing { granularity: Span::from_secs(1), minimum: Span::ZERO };
    let (name, title) = ("dc".to_owned(), "dc".to_owned());
    let provider = world.providers.push(Provider { name, title, billing, notice: Span::ZERO });
    let region = world.regions.push(Region {
        name: "dc".to_owned(),
        provider,
        jurisdiction: "EU".to_owned(),
        certifications: Vec::new(),
        carbon_mg_per_kwh: 0,
    });
    let zone = world.zones.push(Zone { name: "dc-a".to_owned(), region });
    for (row, &cores) in cores.iter().enumerate() {
        let shape = Shape { cpu: cores * 1_000, memory: 1_024, gpus: 0 };
        let instance_type = world.types.push(InstanceType {
            name: format!("m{row}"),
            family: "m".to_owned(),
            shape,
            whole: shape,
            gpu_model: None,
            speed: 1_000_000,
            power_milliwatts: 0,
        });
        world.offers.push(Offer {
            name: format!("group-{row}"),
            zone,
            instance_type,
            market: Market::Owned,
            price: PricePath::constant(Rate::parse("0").expect("a price")),
            capacity: None,
            boot: Distribution::Constant(0.0),
            running_at_start: 1,
        });
    }
    world
}

/// What happened to each job.
fn fates(world: &World, jobs: &[Job], spec: &PolicySpec) -> Vec<Fate> {
    let mut watch = Watch::default();
    let mut policy = policy::build(spec);
    let options = Options::default();
    let go_on = &mut |_: sim::Progress| ControlFlow::Continue(());
    let outcome = sim::run(world, &mut Jobs::new(jobs), &mut *policy, &options, &mut watch, go_on);
    assert!(outcome.expect("the run goes through").drained);
    watch.fates.into_values().collect()
}

/// Last start of each job in seconds.
fn starts(world: &World, jobs: &[Job], spec: &PolicySpec) -> Vec<f64> {
    let last = |fate: &Fate| *fate.starts.last().expect("the job starts");
    fates(world, jobs, spec).iter().map(last).collect()
}

fn with(change: impl FnOnce(&mut PolicySpec)) -> PolicySpec {
    let mut spec = PolicySpec::named("test");
    change(&mut spec);
    spec
}

#[test]
fn first_come_first_served_blocks() {
    let jobs = [job(0, 3, 10), job(0, 4, 10), job(1, 1, 5), job(1, 1, 20)];
    let got = starts(&cluster(&[4]), &jobs, &with(|_| ()));
    assert_eq!(got, [0.0, 10.0, 20.0, 20.0]);
}

#[test]
fn what_can_never_run_is_refused() {
    let jobs = [job(0, 9, 1), job(0, 8, 1), job(0, 5, 1).on_one()];
    let fates = fates(&cluster(&[4, 4]), &jobs, &with(|_| ()));
    let refused: Vec<_> = fates.iter().map(|fate| fate.refused).collect();
    let never = Some(RefusalReason::NeverFits);
    assert_eq!(refused, [never, None, never]);
}

#[test]
fn a_queue_limit_counts_those_who_wait() {
    // The first runs, the second waits, the third is one too many.
    let jobs = [job(0, 4, 10), job(0, 1, 1), job(0, 1, 1), job(10, 4, 1)];
    let spec = with(|spec| spec.admit.queue_limit = Some(1));
    let got = fates(&cluster(&[4]), &jobs, &spec);
    assert_eq!(got[1].starts, [10.0]);
    assert_eq!(got[2].refused, Some(RefusalReason::QueueFull));
    let loss = with(|spec| spec.admit.queue_limit = Some(0));
    let got = fates(&cluster(&[4]), &jobs, &loss);
    let refused: Vec<bool> = got.iter().map(|fate| fate.refused.is_some()).collect();
    // At 10 the completion comes before the arrival, which starts at once.
    assert_eq!(refused, [false, true, true, false]);
}

#[test]
fn patience_runs_out() {
    let jobs = [job(0, 4, 10), job(1, 1, 1), job(3, 1, 1)];
    let spec = with(|spec| spec.admit.patience = Some(Span::from_secs(8)));
    let got = fates(&cluster(&[4]), &jobs, &spec);
    assert_eq!(got[1].refused, Some(RefusalReason::Patience)); // at 9
    assert_eq!(got[2].starts, [10.0]);
}
