//! Gangs whose number of tasks follows the carbon of the grid, by hand.

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{Ask, OfferSpec, PowerCurve, Speedup, StepPath, Work, World};
use windtunnel::policy::shift::{CARBON_SCALER, WAIT_AWHILE};
use windtunnel::policy::spec::{PolicySpec, ShiftSpec};
use windtunnel::policy::{self, provision, release};
use windtunnel::sim::{Observer, Run};
use windtunnel::state::{Record, State};
use windtunnel::units::{Demand, Distribution, Shape, Span, Time};
use windtunnel::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 1_000, memory: 0, gpus: 0 };

fn hours(hours: i64) -> Time {
    Time::from_secs(3_600 * hours)
}

fn span(hours: i64) -> Span {
    Span::from_secs(3_600 * hours)
}

/// So many hundreds of g/kWh, an hour each from 0 on.
fn grid(hundreds: &[i64]) -> StepPath {
    let values = hundreds.iter().map(|value| value * 100_000_000);
    StepPath::known(hundreds[0] * 100_000_000, (0..).map(hours).zip(values))
}

/// 500, 300, 900, 100, 400, 200 and then 700 g/kWh.
const HOURS: [i64; 7] = [5, 3, 9, 1, 4, 2, 7];

/// Machines of the own of one core that draw 1 kW while they work, and else nothing.
fn cluster(nodes: u32, grid: StepPath) -> World {
    let world = World::builder().offer(OfferSpec::owned("dc", "node", SHAPE, nodes));
    let world = world.region("dc", |region| region.carbon = Some(grid));
    let mut world = world.build().expect("a world");
    world.types.rows_mut()[0].power = Some(PowerCurve::by_load(&[0, 1_000_000]));
    world
}

/// A gang of four that takes so many hours, and can run with one, of which four fifths are divided: speedups
/// are 1, 5/3, 15/7 and 5/2. It is to be done within so many hours.
fn gang(row: u64, run: i64, deadline: i64) -> Work {
    let demand = Demand { cpu: 1_000, ..Demand::default() };
    let mut work = Work::job(row, Time::ZERO, demand, span(run));
    let (estimate, deadline) = (Some(span(run)), Some(hours(deadline)));
    work.ask = Ask { estimate, deadline, resumes: true, tasks: 4, gang: true, ..work.ask };
    (work.min_tasks, work.speedup) = (1, Speedup::amdahl(800_000));
    work
}

/// Starts and ends of tasks, in seconds, and how many there were.
#[derive(Debug, Default)]
struct Pieces(Vec<(f64, f64, u32)>);

impl Observer for Pieces {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Stopped { allocation, .. } = *record
            && let Some(started) = state.allocation(allocation).started()
        {
            let tasks = state.allocation(allocation).tasks;
            self.0.push((started.secs_f64(), state.now().secs_f64(), tasks));
        }
    }
}

/// What becomes of `jobs` in `world`, when tasks ran, and the laws are kept.
fn run(world: &World, jobs: &[Work], spec: &PolicySpec) -> (Summary, Vec<(f64, f64, u32)>) {
    let mut policy = policy::build(spec);
    let mut observer = (Collector::default(), (Laws::new(true), Pieces::default()));
    let mut source = WorkList::new(jobs);
    let run = Run::new(world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    let (collector, (laws, pieces)) = observer;
    assert_eq!(laws.broken(), None);
    (collector.summary(world, &["default".to_owned()], &outcome), pieces.0)
}

fn shifted(shift: ShiftSpec) -> PolicySpec {
    PolicySpec { shift, ..PolicySpec::named("shifted") }
}

fn scaled() -> PolicySpec {
    shifted(CARBON_SCALER.spec())
}

/// Grams, and the hours to the second in which tasks of one gang ran on four machines.
fn one(job: Work, spec: &PolicySpec) -> (f64, Vec<(f64, f64, u32)>) {
    let (summary, pieces) = run(&cluster(4, grid(&HOURS)), &[job], spec);
    assert_eq!((summary.work.finished, summary.deadlines.met), (1, 1));
    assert_eq!(summary.lost_core_hours, 0.0);
    let hours = |secs: f64| (secs).round() / 3_600.0;
    let ran = |(from, until, tasks)| (hours(from), hours(until), tasks);
    let grams = summary.carbon.kg.expect("it is known") * 1e3;
    (grams, pieces.into_iter().map(ran).collect())
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-2
}

/// An hour of four tasks is 2.5 of one: 5/3 by two at 100 g/kWh, and 5/6 by one at 200.
#[test]
fn gangs_run_with_the_tasks_that_are_worth_it() {
    let (grams, pieces) = one(gang(0, 1, 7), &scaled());
    assert_eq!(pieces, [(3.0, 4.0, 2), (5.0, 5.0 + 3_000.0 / 3_600.0, 1)]);
    assert!(close(grams, 2.0 * 100.0 + 200.0 * 5.0 / 6.0), "{grams}");
    let pieces = shifted(WAIT_AWHILE.spec().set("interrupt", true));
    assert_eq!(one(gang(0, 1, 7), &pieces), (400.0, vec![(3.0, 4.0, 4)]));
    // Two hours are 5: 2.5 by four at 100, one at 300 and one at 200, where for three quarters of an hour
    // the second does the .5 that are left.
    let (grams, pieces) = one(gang(0, 2, 7), &scaled());
    assert_eq!(pieces, [(1.0, 2.0, 1), (3.0, 4.0, 4), (5.0, 5.75, 2), (5.75, 6.0, 1)]);
    assert!(close(grams, 300.0 + 400.0 + 0.75 * 400.0 + 0.25 * 200.0), "{grams}");
}

/// Nobody scales who says no fewest tasks, or who does not resume; and linear speedup is all or none.
#[test]
fn others_wait_and_pause() {
    let interrupt = shifted(WAIT_AWHILE.spec().set("interrupt", true));
    for run in 1..5 {
        let linear = Work { speedup: Speedup::LINEAR, ..gang(0, run, 7) };
        let rigid = Work { min_tasks: 0, ..gang(0, run, 7) };
        let mut whole = gang(0, run, 7);
        whole.ask.resumes = false;
        for work in [linear, rigid, whole] {
            assert_eq!(one(work.clone(), &scaled()), one(work, &interrupt), "{run}");
        }
    }
}

/// Where there is no time to choose all tasks run at once.
#[test]
fn all_tasks_run_where_there_is_no_time_to_spare() {
    assert_eq!(one(gang(0, 7, 7), &scaled()).1, [(0.0, 7.0, 4)]);
    let late = shifted(CARBON_SCALER.spec().set("margin", span(1)));
    assert_eq!(one(gang(0, 6, 7), &late).1, [(0.0, 6.0, 4)]);
}

/// To go from two tasks to one for the last quarter of an hour causes 50 g, and a start as much as its task
/// in the time of a restart at 200 g/kWh: 6.7 g in two minutes, 13.3 in four. To go on with two, which are
/// done in nine minutes, causes 60.
#[test]
fn another_number_of_tasks_must_be_worth_its_start() {
    let last = |minutes: i64| {
        let restart = Span::from_secs(60 * minutes);
        one(gang(0, 2, 7), &shifted(CARBON_SCALER.spec().set("restart", restart))).1
    };
    let first = [(1.0, 2.0, 1), (3.0, 4.0, 4)];
    assert_eq!(last(2), [&first[..], &[(5.0, 5.75, 2), (5.75, 6.0, 1)]].concat());
    assert_eq!(last(4), [&first[..], &[(5.0, 5.9, 2)]].concat());
}

/// Another gang holds all machines until 4, so that two tasks that were to run from 3 on get no place. At 4
/// the plan is another one: of 2.5 two do 5/3 from 5 to 6, and one the rest before that.
/// If the machines are free at 6 only all of its tasks can be there in time, and all of them run.
#[test]
fn a_gang_that_waits_for_machines_is_planned_anew() {
    let wait = |run_hours: i64| {
        let mut other = gang(1, run_hours, 99);
        other.ask.estimate = None;
        let jobs = [gang(0, 1, 7), other];
        let (summary, pieces) = run(&cluster(4, grid(&HOURS)), &jobs, &scaled());
        assert_eq!((summary.work.finished, summary.deadlines.met), (2, 2));
        let rounded =
            pieces.iter().map(|&(from, until, tasks)| (from.round(), until.round(), tasks));
        rounded.collect::<Vec<_>>()
    };
    let at = |hours: i64| 3_600.0 * hours as f64;
    assert_eq!(wait(4), [(0.0, at(4), 4), (15_000.0, at(5), 1), (at(5), at(6), 2)]);
    assert_eq!(wait(6), [(0.0, at(6), 4), (at(6), at(7), 4)]);
}

/// Gangs that can run with fewer tasks, on any grid: where none has to wait for machines, they cause no
/// more than all of their tasks in the cleanest pieces, whatever the speedup, and are there in time.
#[test]
fn scaling_needs_no_more_carbon_than_pausing() {
    let mut dice = 1_u64;
    let mut draw = |most: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % (most + 1)
    };
    let interrupt = shifted(WAIT_AWHILE.spec().set("interrupt", true));
    let mut less = 0;
    for round in 0..60 {
        let hundreds: Vec<i64> = (0..12).map(|_| 1 + draw(8) as i64).collect();
        let world = cluster(8, grid(&hundreds));
        let run_hours = 1 + draw(5) as i64;
        let mut work = gang(0, run_hours, run_hours + draw(6) as i64);
        work.ask.tasks = 2 + draw(6) as u32;
        work.min_tasks = 1 + draw(u64::from(work.ask.tasks) - 2) as u32;
        work.speedup = Speedup::amdahl(50_000 * draw(20) as u32);
        let kg = |spec: &PolicySpec| {
            let (summary, _) = run(&world, &[work.clone()], spec);
            assert_eq!((summary.work.finished, summary.deadlines.met), (1, 1), "{round}");
            summary.carbon.kg.expect("it is known")
        };
        let (scaled, paused) = (kg(&scaled()), kg(&interrupt));
        // Two tasks for a millisecond of rounding at 900 g/kWh are below a microgram.
        assert!(scaled <= paused + 1e-6, "{round}: {scaled} and {paused}");
        less += u32::from(scaled < paused * 0.99);
    }
    assert!(less > 20, "{less}");
}

/// Rented machines boot for six minutes. A gang that scales is there in time, boots and all.
#[test]
fn boots_are_no_reason_to_be_late() {
    let boot = Distribution::Constant(360.0);
    for (run_hours, deadline) in (1..=6).flat_map(|run| (run + 1..=9).map(move |end| (run, end))) {
        let offer = OfferSpec::on_demand("cloud/r/r-a", "m", SHAPE, "1").boot(boot.clone());
        let world = World::builder().offer(offer);
        let world = world.region("cloud/r", |region| region.carbon = Some(grid(&HOURS)));
        let world = world.build().expect("a world");
        let (provision, release) =
            (provision::CHEAPEST.spec(), release::IDLE.spec().set("after", Span::ZERO));
        let spec = PolicySpec { provision, release, ..scaled() };
        let (summary, pieces) = run(&world, &[gang(0, run_hours, deadline)], &spec);
        let met = (summary.work.finished, summary.deadlines.met);
        assert_eq!(met, (1, 1), "{run_hours} until {deadline}: {pieces:?}");
    }
}
