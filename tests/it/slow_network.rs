//! Data, checkpoints and memory that move over a network that is slow at times, by hand.

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{
    Ask, Checkpoint, Fault, FaultDomain, FaultEffect, FaultTimes, Interner, Link, OfferSpec, Work,
    World,
};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, checkpoint};
use windtunnel::sim::{Options, Outcome, Run};
use windtunnel::units::{Demand, Id, Shape, Span, Time};
use windtunnel::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 4_000, memory: 4_096, gpus: 0 };
const GIB: i64 = 1 << 30;

fn secs(at: i64) -> Time {
    Time::from_secs(at)
}

/// A machine where nothing is stored, and a region where everything is, a GiB a second and a cent a GiB
/// away. `slow` are times in which the network of the machine is at a share of its speed.
fn world(share: u32, slow: &[(i64, Option<i64>)]) -> World {
    let cluster = OfferSpec::owned("dc/r/r-a", "m", SHAPE, 1);
    let store = OfferSpec::owned("store/h/h-a", "s", SHAPE, 0);
    let link = Link { nanos_per_gib: 10_000_000, bytes_per_sec: GIB, path: None };
    let world = World::builder().offer(cluster).offer(store).link("dc/r", "store/h", link);
    let mut world = world.link("store/h", "dc/r", link).build().expect("a world");
    world.faults.push(fault("slow", FaultEffect::NetworkSpeed(share), slow));
    world
}

fn fault(name: &str, effect: FaultEffect, periods: &[(i64, Option<i64>)]) -> Fault {
    let periods = periods.iter().map(|&(from, until)| (secs(from), until.map(secs)));
    Fault {
        name: name.into(),
        offers: vec![Id::new(0)],
        domain: FaultDomain::Share(1_000_000),
        effect,
        times: FaultTimes::Periods(periods.collect()),
        loses_data_of: Vec::new(),
        surge: None,
        crews: None,
    }
}

/// Work of so many seconds that reads 100 GiB and writes 50.
fn job(names: &mut Interner, runtime: i64) -> Work {
    let demand = Demand { cpu: 4_000, memory: 1_024, ..Demand::default() };
    let mut work = Work::job(0, Time::ZERO, demand, Span::from_secs(runtime));
    let home = Some(names.home("store/h"));
    work.ask = Ask { home, input: 100 * GIB, output: 50 * GIB, ..work.ask };
    work
}

fn run(world: &World, names: Interner, work: Work, horizon: Option<i64>) -> (Outcome, Summary) {
    let spec = PolicySpec {
        checkpoint: checkpoint::PERIODIC.spec().set("every", Span::from_secs(900)),
        ..PolicySpec::named("writes")
    };
    let mut policy = policy::build(&spec);
    let mut observer = (Collector::default(), Laws::new(true));
    let mut source = WorkList::new(vec![work]).named(names);
    let options = Options { horizon: horizon.map(secs), ..Options::default() };
    let run = Run::new(world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.options(options).run().expect("it runs");
    let (collector, laws) = observer;
    assert_eq!(laws.broken(), None);
    let summary = collector.summary(world, &[], &outcome);
    (outcome, summary)
}

fn data(share: u32, slow: &[(i64, Option<i64>)], horizon: Option<i64>) -> (Outcome, Summary) {
    let mut names = Interner::default();
    let work = job(&mut names, 1_000);
    run(&world(share, slow), names, work, horizon)
}

/// 100 s of input, 1,000 s of work, 50 s of output. At a quarter of the speed from 40 to 80 the input
/// is read at 130; at a quarter again from 1,150 to 1,190, 20 s into the output, that is written at
/// 1,210. The bytes are the same, and so is what they cost.
#[test]
fn data_takes_longer_while_the_network_is_slow() {
    let ended = |slow: &[(i64, Option<i64>)]| data(250_000, slow, None).0.ended;
    assert_eq!(ended(&[]), secs(1_150));
    assert_eq!(ended(&[(40, Some(80))]), secs(1_180));
    let (outcome, summary) = data(250_000, &[(40, Some(80)), (1_150, Some(1_190))], None);
    assert_eq!(outcome.ended, secs(1_210));
    assert_eq!((summary.transferred_gib, summary.cost.total.dollars()), (150.0, 1.5));
    // From before the start on, and for ever: 400 s, 1,000 s, 200 s.
    assert_eq!(ended(&[(0, None)]), secs(1_600));
    // While it computes nothing moves; at the very moment at which it begins to write all is slow.
    assert_eq!(ended(&[(100, Some(1_100))]), secs(1_150));
    assert_eq!(ended(&[(1_100, None)]), secs(1_300));
    assert_eq!(ended(&[(1_100, Some(1_160))]), secs(1_195));
    assert_eq!(ended(&[(1_150, None)]), secs(1_150));
}

/// Work that takes no time reads for 100 s, and writes for 50: 130 s and 50 s at a quarter from 40 to 80.
#[test]
fn work_that_takes_no_time_reads_its_input_too() {
    let mut names = Interner::default();
    let work = job(&mut names, 0);
    let ended = run(&world(250_000, &[(40, Some(80))]), names, work, None).0.ended;
    assert_eq!(ended, secs(180));
}

/// Cut off at 80, 50 of 100 GiB have been read; at 1,180, 50 s after it began to write and 30 s into a
/// network at a quarter, 27.5 of 50 have been written.
#[test]
fn what_is_paid_for_is_what_has_moved() {
    let slow = [(40, Some(80)), (1_150, Some(1_190))];
    let moved = |horizon| data(250_000, &slow, Some(horizon)).1.transferred_gib;
    assert_eq!(moved(80), 50.0);
    assert_eq!(moved(100), 70.0);
    assert_eq!(moved(1_140), 110.0);
    assert_eq!(moved(1_180), 127.5);
}

fn saving(fails: &[(i64, Option<i64>)], slow: &[(i64, Option<i64>)]) -> (Outcome, Summary) {
    let mut world = world(250_000, slow);
    world.faults.push(fault("down", FaultEffect::Machines, fails));
    let mut names = Interner::default();
    let mut work = job(&mut names, 3_600);
    (work.ask.input, work.ask.output) = (0, 0);
    let cost =
        Checkpoint { restore: Span::from_secs(30), ..Checkpoint::blocking(Span::from_secs(60)) };
    work.ask.checkpoint = Some(names.checkpoint(cost));
    run(&world, names, work, None)
}

/// An hour with writes of 60 s after each 900 s, three in all. From 920 to 960 the network has a
/// quarter of its speed: the write has come 20 s by 920, 30 s by 960, and is over at 990. From 100 to
/// 902 only two seconds of it are slow, and from 900 on for ever each takes 240 s.
#[test]
fn checkpoints_take_longer_to_write() {
    let hour = 3_600 + 3 * 60;
    assert_eq!(saving(&[], &[]).0.ended, secs(hour));
    let (outcome, summary) = saving(&[], &[(920, Some(960))]);
    assert_eq!(outcome.ended, secs(hour + 30));
    assert!((summary.overhead_core_hours - 4.0 * 210.0 / 3_600.0).abs() < 1e-9);
    let slow = saving(&[], &[(100, Some(902))]).0.ended.micros();
    assert_eq!(slow, secs(hour).micros() + 1_500_000);
    assert_eq!(saving(&[], &[(900, None)]).0.ended, secs(3_600 + 3 * 240));
    // Lost at 959, before the first write is over, or at 990, when it is.
    let lost = |at| saving(&[(at, Some(1_100))], &[(920, Some(960))]).1.lost_core_hours * 900.0;
    assert!((lost(989) - 900.0).abs() < 1e-9, "{}", lost(989));
    assert!(lost(990).abs() < 1e-9);
}

/// Down from 1,000 to 1,100 after one write, it reads for 30 s: 10 s by 1,110, 5 s more by 1,130, when
/// the network is fast again, and 15 s. The 2,700 s that are left take two more writes.
#[test]
fn checkpoints_take_longer_to_read() {
    let down = [(1_000, Some(1_100))];
    let left = 2_700 + 2 * 60;
    assert_eq!(saving(&down, &[]).0.ended, secs(1_100 + 30 + left));
    let (outcome, summary) = saving(&down, &[(1_110, Some(1_130))]);
    assert_eq!(outcome.ended, secs(1_145 + left));
    // 60 s, 45 s and 120 s stood still, and the 40 s after the first write were lost.
    assert!((summary.overhead_core_hours - 4.0 * 225.0 / 3_600.0).abs() < 1e-9);
    assert!((summary.lost_core_hours - 4.0 * 40.0 / 3_600.0).abs() < 1e-9);
    // Slow when it starts again: 8 s of the 30 by 1,132.
    assert_eq!(saving(&down, &[(1_050, Some(1_132))]).0.ended, secs(1_132 + 22 + left));
}
