//! Gangs whose number of tasks follows the carbon of the grid, by hand.

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{
    Ask, Fault, FaultDomain, FaultEffect, FaultTimes, OfferSpec, PowerCurve, Speedup, StepPath,
    Work, World,
};
use windtunnel::policy::shift::{CARBON_SCALER, WAIT_AWHILE};
use windtunnel::policy::spec::{PolicySpec, ShiftSpec};
use windtunnel::policy::{self, provision, recover, release};
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

/// Machines for rent that boot for so many seconds.
fn rented(boot: i64, grid: StepPath) -> World {
    let offer = OfferSpec::on_demand("cloud/r/r-a", "m", SHAPE, "1");
    let world = World::builder().offer(offer.boot(Distribution::Constant(boot as f64)));
    let world = world.region("cloud/r", |region| region.carbon = Some(grid));
    let mut world = world.build().expect("a world");
    world.types.rows_mut()[0].power = Some(PowerCurve::by_load(&[1_000_000]));
    world
}

/// The same that rents, and gives back at once what is idle.
fn rents(spec: PolicySpec) -> PolicySpec {
    let release = release::IDLE.spec().set("after", Span::ZERO);
    PolicySpec { provision: provision::CHEAPEST.spec(), release, ..spec }
}

/// All tasks or none, in the cleanest pieces.
fn interrupt() -> PolicySpec {
    shifted(WAIT_AWHILE.spec().set("interrupt", true))
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
    assert_eq!(one(gang(0, 1, 7), &interrupt()), (400.0, vec![(3.0, 4.0, 4)]));
    // Two hours are 5: 2.5 by four at 100, one at 300 and one at 200, where for three quarters of an hour
    // the second does the .5 that are left.
    let (grams, pieces) = one(gang(0, 2, 7), &scaled());
    assert_eq!(pieces, [(1.0, 2.0, 1), (3.0, 4.0, 4), (5.0, 5.75, 2), (5.75, 6.0, 1)]);
    assert!(close(grams, 300.0 + 400.0 + 0.75 * 400.0 + 0.25 * 200.0), "{grams}");
}

/// Nobody scales who says no fewest tasks, or who does not resume; and linear speedup is all or none.
#[test]
fn others_wait_and_pause() {
    for run in 1..5 {
        let linear = Work { speedup: Speedup::LINEAR, ..gang(0, run, 7) };
        let rigid = Work { min_tasks: 0, ..gang(0, run, 7) };
        let mut whole = gang(0, run, 7);
        whole.ask.resumes = false;
        for work in [linear, rigid, whole] {
            assert_eq!(one(work.clone(), &scaled()), one(work, &interrupt()), "{run}");
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

/// At 5 there are 1.5 hours of one task left. A plan that makes up for starts of *r* hours runs two for
/// *x* and one for the rest of the hour, where 5/3 (x - r) + 1 - x - r is 1.5: *x* is 3/4 + 4 r. These
/// machines start at once, so that .25 - 20/3 r are left at its end. To go from two tasks to one takes a
/// start and that, 50 - 3,400/3 r grams, and to go on with two 60 - 1,600 r: less from 1.29 minutes on.
#[test]
fn another_number_of_tasks_must_be_worth_its_start() {
    let last = |minutes: i64| {
        let restart = Span::from_secs(60 * minutes);
        one(gang(0, 2, 7), &shifted(CARBON_SCALER.spec().set("restart", restart))).1
    };
    let first = [(1.0, 2.0, 1), (3.0, 4.0, 4)];
    let (change, rest) = (5.0 + 49.0 / 60.0, 500.0 / 3_600.0);
    assert_eq!(last(1), [&first[..], &[(5.0, change, 2), (change, change + rest, 1)]].concat());
    assert_eq!(last(2), [&first[..], &[(5.0, 5.9, 2)]].concat());
}

/// 2,674 s of seven tasks are 3,599.6 s of one, which fit in the hour of 100 g/kWh but for a start. One
/// task begins a little earlier; all seven would cause five times as much.
#[test]
fn a_start_is_no_reason_to_run_with_all_tasks() {
    let grid = StepPath::known(500_000_000, [(hours(1), 100_000_000)]);
    let mut job = gang(0, 1, 2);
    job.ask.tasks = 7;
    job.speedup = Speedup::amdahl(300_000);
    job.ask.estimate = Some(Span::from_secs(2_674));
    let job =
        Work { body: Work::job(0, Time::ZERO, job.ask.demand, Span::from_secs(2_674)).body, ..job };
    let one_task = 2_674.0 * 1.346_153;
    for restart in [1, 60, 600] {
        // Machines of the own start at once: the plan has the time of a start left at its end.
        let spec = shifted(CARBON_SCALER.spec().set("restart", Span::from_secs(restart)));
        let (summary, pieces) = run(&cluster(7, grid.clone()), std::slice::from_ref(&job), &spec);
        assert_eq!((summary.work.finished, summary.deadlines.met), (1, 1));
        let until = 7_200.0 - restart as f64;
        let &[(started, ended, 1)] = pieces.as_slice() else { panic!("{restart}: {pieces:?}") };
        assert!(close(started, until - one_task) && close(ended, until), "{restart}: {pieces:?}");
        let early = (3_600.0 - started) / 3_600.0;
        let grams = 500.0 * early + 100.0 * (ended / 3_600.0 - 1.0);
        assert!(close(summary.carbon.kg.expect("it is known") * 1e3, grams), "{restart}");
        let (paused, _) = run(&cluster(7, grid.clone()), std::slice::from_ref(&job), &interrupt());
        let paused = paused.carbon.kg.expect("it is known") * 1e3;
        assert!(close(paused, 7.0 * 100.0 * 2_674.0 / 3_600.0), "{paused}");
        // Rented ones boot, and it is done at its deadline.
        let world = rented(restart, grid.clone());
        let (summary, pieces) = run(&world, std::slice::from_ref(&job), &rents(scaled()));
        assert_eq!((summary.work.finished, summary.deadlines.met), (1, 1));
        let &[(started, ended, 1)] = pieces.as_slice() else { panic!("{restart}: {pieces:?}") };
        assert!(
            close(started, 7_200.0 - one_task) && close(ended, 7_200.0),
            "{restart}: {pieces:?}"
        );
    }
}

/// One task has the two hours of 100 g/kWh to itself and needs all of them, to the microsecond.
#[test]
fn nothing_of_the_rest_is_rounded() {
    for (tasks, parallel) in (2..9).flat_map(|tasks| (1..10).map(move |part| (tasks, part))) {
        let speedup = Speedup::amdahl(100_000 * parallel);
        let rate = speedup.rate(tasks, tasks) as i128;
        let run_time = Span::from_micros((2 * 3_600_000_000 * 1_000_000_i128 / rate) as i64);
        let mut job = Work::job(0, Time::ZERO, gang(0, 1, 4).ask.demand, run_time);
        job.ask = Ask { estimate: Some(run_time), tasks, ..gang(0, 1, 4).ask };
        (job.min_tasks, job.speedup) = (1, speedup);
        let (summary, pieces) = run(&cluster(9, grid(&[1, 90, 1, 90])), &[job], &scaled());
        assert_eq!((summary.work.finished, summary.deadlines.met), (1, 1));
        let pieces: Vec<_> =
            pieces.iter().map(|one| (one.0.round(), one.1.round(), one.2)).collect();
        let wanted = [(0.0, 3_600.0, 1), (7_200.0, 10_800.0, 1)];
        assert_eq!(pieces, wanted, "{tasks} tasks, {parallel} tenths");
    }
}

/// All machines fail from 1.5 to 1.6, and half an hour of one task is lost. Of 5 hours of one 4 tasks do
/// 2.5 from 3 to 4 and 2 do 5/3 from 5 to 6; one does .4 from 1.6 to 2, and .4333 before 5.
#[test]
fn a_gang_that_lost_its_place_is_planned_anew() {
    let mut world = cluster(4, grid(&HOURS));
    let at = |hours: f64| Time::from_secs((3_600.0 * hours) as i64);
    world.faults.push(Fault {
        name: "power".into(),
        offers: world.offers.ids().collect(),
        domain: FaultDomain::Share(1_000_000),
        effect: FaultEffect::Machines,
        times: FaultTimes::Periods(vec![(at(1.5), Some(at(1.6)))]),
        loses_data_of: Vec::new(),
        surge: None,
        crews: None,
    });
    for recover in [recover::ANYWHERE.spec(), recover::ANYWHERE.spec().set("shrink", true)] {
        let (summary, pieces) = run(&world, &[gang(0, 2, 7)], &PolicySpec { recover, ..scaled() });
        assert_eq!((summary.work.finished, summary.deadlines.met), (1, 1));
        let pieces: Vec<_> =
            pieces.iter().map(|one| (one.0.round(), one.1.round(), one.2)).collect();
        let wanted = [
            (3_600.0, 5_400.0, 1),
            (5_760.0, 7_200.0, 1),
            (10_800.0, 14_400.0, 4),
            (18_000.0 - 1_560.0, 18_000.0, 1),
            (18_000.0, 21_600.0, 2),
        ];
        assert_eq!(pieces, wanted);
    }
}

/// Nothing is divided, so that more tasks are no faster: the fewest run, also where there is no time to
/// choose, no estimate, or no place until it is too late.
#[test]
fn more_tasks_that_are_no_faster_never_run() {
    let alone = |run| Work { speedup: Speedup::amdahl(0), min_tasks: 2, ..gang(0, run, 7) };
    assert_eq!(one(alone(7), &scaled()).1, [(0.0, 7.0, 2)]);
    let mut blind = alone(3);
    blind.ask.estimate = None;
    assert_eq!(one(blind, &scaled()).1, [(0.0, 3.0, 2)]);
    let mut other = Work { speedup: Speedup::LINEAR, ..gang(0, 2, 99) };
    other.ask.estimate = None;
    let jobs = [other, Work { id: gang(1, 6, 7).id, ..alone(6) }];
    let (summary, pieces) = run(&cluster(4, grid(&HOURS)), &jobs, &scaled());
    assert_eq!((summary.work.finished, summary.deadlines.met), (2, 1));
    assert_eq!(pieces, [(0.0, 7_200.0, 4), (7_200.0, 28_800.0, 2)]);
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
        let (scaled, paused) = (kg(&scaled()), kg(&interrupt()));
        // Two tasks for a millisecond of rounding at 900 g/kWh are below a microgram.
        assert!(scaled <= paused + 1e-6, "{round}: {scaled} and {paused}");
        less += u32::from(scaled < paused * 0.99);
    }
    assert!(less > 20, "{less}");
}

/// The same on rented machines that boot for up to a quarter of an hour, and draw as much then: each start
/// counts, and nobody is late.
#[test]
fn scaling_with_boots_needs_less_carbon_than_pausing() {
    let mut dice = 7_u64;
    let mut draw = |most: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % (most + 1)
    };
    let mut all = [0.0, 0.0];
    for round in 0..200 {
        let hundreds: Vec<i64> = (0..12).map(|_| 1 + draw(8) as i64).collect();
        let world = rented(60 * draw(15) as i64, grid(&hundreds));
        let run_hours = 1 + draw(5) as i64;
        let mut work = gang(0, run_hours, run_hours + 1 + draw(6) as i64);
        work.ask.tasks = 2 + draw(6) as u32;
        work.min_tasks = 1 + draw(u64::from(work.ask.tasks) - 2) as u32;
        work.speedup = Speedup::amdahl(50_000 * draw(20) as u32);
        let kg = |spec: &PolicySpec| {
            let (summary, pieces) = run(&world, &[work.clone()], &rents(spec.clone()));
            assert_eq!(
                (summary.work.finished, summary.deadlines.met),
                (1, 1),
                "{round} {pieces:?}"
            );
            summary.carbon.kg.expect("it is known")
        };
        let (scaled, paused) = (kg(&scaled()), kg(&interrupt()));
        assert!(scaled <= paused + 1e-6, "{round}: {scaled} and {paused}");
        all = [all[0] + scaled, all[1] + paused];
    }
    assert!(all[0] < all[1] * 0.75, "{all:?}");
}

/// Machines of two cores draw 1 kW at any load, so that one task draws what two do, which are 20/11 times as
/// fast: both run for two hours where the grid has 290 and 310 g/kWh. Where a machine draws 200 W without load
/// one task does 1/600 per W and the second 9/11 of 1/400 more: both again. On machines of one core each the second
/// does less per W at 290 g/kWh than the first at 320: one runs for the 2 * 20/11 hours before the deadline.
#[test]
fn tasks_on_one_machine_draw_what_one_does() {
    let both = Shape { cpu: 2_000, ..SHAPE };
    let path = || StepPath::known(320_000_000, [(hours(1), 290_000_000), (hours(2), 310_000_000)]);
    let demand = Demand { cpu: 1_000, ..Demand::default() };
    let mut job = Work::job(0, Time::ZERO, demand, span(2));
    let (estimate, deadline) = (Some(span(2)), Some(Time::from_secs(15_000)));
    job.ask = Ask { estimate, deadline, resumes: true, tasks: 2, gang: true, ..job.ask };
    (job.min_tasks, job.speedup) = (1, Speedup::amdahl(900_000));
    let ran = |shape: Shape, power: &[i64]| {
        let offer = OfferSpec::on_demand("cloud/r/r-a", "m", shape, "1");
        let world = World::builder().offer(offer);
        let world = world.region("cloud/r", |region| region.carbon = Some(path()));
        let mut world = world.build().expect("a world");
        world.types.rows_mut()[0].power = Some(PowerCurve::by_load(power));
        let (summary, pieces) = run(&world, std::slice::from_ref(&job), &rents(scaled()));
        assert_eq!((summary.work.finished, summary.deadlines.met), (1, 1));
        (summary.carbon.kg.expect("it is known") * 1e3, pieces)
    };
    let together = vec![(3_600.0, 10_800.0, 2)];
    assert_eq!(ran(both, &[1_000_000]), (600.0, together.clone()));
    assert_eq!(ran(both, &[200_000, 1_000_000]), (600.0, together));
    let (grams, pieces) = ran(SHAPE, &[1_000_000]);
    let alone = 7_200.0 * 20.0 / 11.0;
    let &[(started, _, 1)] = pieces.as_slice() else { panic!("{pieces:?}") };
    assert!(close(started, 15_000.0 - alone), "{started}");
    let dirty = 320.0 * (3_600.0 - started) + 290.0 * 3_600.0 + 310.0 * 7_800.0;
    assert!(close(grams, dirty / 3_600.0), "{grams}");
}

/// Rented machines boot for six minutes. A gang that scales is there in time, boots and all.
#[test]
fn boots_are_no_reason_to_be_late() {
    for (run_hours, deadline) in (1..=6).flat_map(|run| (run + 1..=9).map(move |end| (run, end))) {
        let (summary, pieces) =
            run(&rented(360, grid(&HOURS)), &[gang(0, run_hours, deadline)], &rents(scaled()));
        let met = (summary.work.finished, summary.deadlines.met);
        assert_eq!(met, (1, 1), "{run_hours} until {deadline}: {pieces:?}");
    }
}
