//! RLScheduler's table for `lublin_256` (Zhang et al., SC 2020), with the wait
//! of WFP3 and UNICEP corrected, and the whole log with standard EASY.

use windtunnel::model::{Interner, Work, World};
use windtunnel::policy::order::{self, OrderPart};
use windtunnel::policy::spec::{Compatibility, PolicySpec};
use windtunnel::policy::{self, backfill};
use windtunnel::problem::Problem;
use windtunnel::sim::{Observer, Options};
use windtunnel::state::{Record, State};
use windtunnel::units::Time;
use windtunnel::workload::Source;

use crate::logs::{self, log};
use crate::trial::{self, processors};

/// Rows `first` to `last` of a source, at their own times.
struct Cut {
    inner: Box<dyn Source>,
    first: u64,
    last: u64,
    read: u64,
}

impl Source for Cut {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem> {
        while self.read < self.last {
            if !self.inner.next(book, work)? {
                return Ok(false);
            }
            self.read += 1;
            if self.read > self.first {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Sums over finished jobs.
#[derive(Default)]
struct Sums {
    jobs: u64,
    slowdown: f64,
    wait: f64,
    last_end: f64,
}

impl Observer for Sums {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let Record::Finished(work) = *record else { return };
        let work = state.work(work);
        let start = work.first_start().expect("finished work started");
        let wait = (start - work.arrival).secs_f64();
        let run = (state.now() - start).secs_f64();
        self.jobs += 1;
        self.slowdown += ((wait + run) / run.max(10.0)).max(1.0);
        self.wait += wait;
        self.last_end = state.now().secs_f64();
    }
}

fn run(world: &World, source: &mut dyn Source, spec: &PolicySpec) -> Sums {
    let mut sums = Sums::default();
    let mut policy = policy::build(spec);
    trial::run(world, source, &mut *policy, &Options::default(), &mut sums, spec);
    sums
}

fn spec(order: &'static OrderPart) -> PolicySpec {
    PolicySpec { order: order.spec(), ..PolicySpec::named("test") }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn the_published_table_comes_out() {
    let path = log("lublin_256.swf.gz");
    let mut world = processors(1, 256);
    world.classes.arrivals_first = true;
    world.classes.ask_per_event = true;
    let table = [
        (&order::FCFS, 7273.7714, 235.8173),
        (&order::SHORTEST, 277.3483, 73.3065),
        (&order::F1, 258.3664, 75.0682),
        (&order::WFP3, 337.3411, 126.5047),
        (&order::UNICEP, 381.7066, 103.1007),
    ];
    let firsts = [1981, 2756, 4299, 8850, 3316, 2714, 5228, 7762, 4022, 7085];
    for (order, plain, filled) in table {
        for (backfill, want) in [(false, plain), (true, filled)] {
            let compatibility = Some(Compatibility::RlScheduler { backfill });
            let spec = PolicySpec { compatibility, ..spec(order) };
            let mean = |first: u64| {
                let (inner, last) = (logs::open(&path), first + 1024);
                let sums = run(&world, &mut Cut { inner, first, last, read: 0 }, &spec);
                assert_eq!(sums.jobs, 1024);
                sums.slowdown / 1024.0
            };
            let got = firsts.into_iter().map(mean).sum::<f64>() / 10.0;
            assert!((got - want).abs() < 1e-4, "{order:?} {backfill}: {got}, not {want}");
        }
    }
}

/// An independent implementation's numbers for the whole log, with standard EASY.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn easy_agrees_with_another_implementation() {
    let path = log("lublin_256.swf.gz");
    let world = processors(1, 256);
    let table = [
        (&order::FCFS, &backfill::NONE, 66502.4755, 2388443.76, 12482549.0),
        (&order::FCFS, &backfill::EASY, 590.0538, 97155.995, 8730698.0),
        (&order::SHORTEST, &backfill::NONE, 53.5435, 275304.223, 11359058.0),
        (&order::SHORTEST, &backfill::EASY, 40.5596, 59632.195, 10351841.0),
    ];
    for (order, backfill, slowdown, wait, makespan) in table {
        let mut source = logs::open(&path);
        let mut first = Work::default();
        source.next(&mut Interner::default(), &mut first).expect("the log has jobs");
        let start = (first.arrival - Time::ZERO).secs_f64();
        let sums = run(
            &world,
            &mut *logs::open(&path),
            &PolicySpec { backfill: backfill.spec(), ..spec(order) },
        );
        let jobs = sums.jobs as f64;
        let got = (sums.slowdown / jobs, sums.wait / jobs, sums.last_end - start);
        let near = (got.0 - slowdown).abs() < 1e-4 && (got.1 - wait).abs() < 6e-3;
        assert!(near && got.2 == makespan, "{order:?} {backfill:?}: {got:?}");
    }
}

/// Years of a log in which thousands wait.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn backfilling_shortens_the_waits_of_a_long_log() {
    let path = log("HPC2N-2002-2.2-cln.swf.gz");
    let waits = [&backfill::NONE, &backfill::EASY, &backfill::GREEDY].map(|backfill| {
        let spec = PolicySpec { backfill: backfill.spec(), ..spec(&order::FCFS) };
        let sums = run(&processors(1, 240), &mut *logs::open(&path), &spec);
        assert_eq!(sums.jobs, 202_871);
        sums.wait
    });
    assert!(waits[0] > waits[1] && waits[1] > waits[2], "{waits:?}");
}

/// Turns every job into a single task that asks all its cores.
struct OnOne(Cut);

impl Source for OnOne {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem> {
        let more = self.0.next(book, work)?;
        work.ask.demand.cpu *= work.ask.tasks;
        work.ask.tasks = 1;
        Ok(more)
    }
}

/// One machine whose cores are asked in one piece is a scalar pool in all but
/// name, so that counting and reserving on instances must agree.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn reservations_on_instances_agree_with_counting() {
    let path = log("lublin_256.swf.gz");
    let cut = || Cut { inner: logs::open(&path), first: 0, last: 1_500, read: 0 };
    for order in [&order::FCFS, &order::SHORTEST, &order::WFP3] {
        for backfill in [&backfill::GREEDY, &backfill::EASY, &backfill::CONSERVATIVE] {
            let spec = PolicySpec { backfill: backfill.spec(), ..spec(order) };
            let counted = run(&processors(1, 256), &mut cut(), &spec);
            let reserved = run(&processors(1, 256), &mut OnOne(cut()), &spec);
            assert_eq!(counted.jobs, 1_500);
            assert_eq!(counted.wait, reserved.wait, "{order:?} {backfill:?}");
        }
    }
}
