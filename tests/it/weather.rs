//! Spot instances that are taken back, by hand.

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{Ask, CapacityPath, Market, OfferSpec, Work, World};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, provision, release};
use windtunnel::sim::{Outcome, Run};
use windtunnel::units::{Demand, Distribution, Shape, Span, Time};
use windtunnel::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 4_000, memory: 4_096, gpus: 0 };

/// A world of one spot offer at 3.60 USD an hour, which boots for a minute and is taken back with
/// `notice` seconds of warning, and has these capacities.
fn world(notice: i64, first: u32, changes: &[(i64, u32)]) -> World {
    let changes = changes.iter().map(|&(at, most)| (Time::from_secs(at), Some(most))).collect();
    let spot = OfferSpec::spot("cloud/r/r-a", "m", SHAPE, "3.6")
        .boot(Distribution::Constant(60.0))
        .capacity(CapacityPath { first: Some(first), changes });
    let world = World::builder().offer(spot);
    let world = world.provider("cloud", |cloud| cloud.notice = Span::from_secs(notice));
    world.build().expect("a world")
}

/// An hour of work on a whole machine that arrives at 0.
fn hour(row: u64, tasks: u32, gang: bool, resumes: bool) -> Work {
    let demand = Demand { cpu: 4_000, memory: 1_024, ..Demand::default() };
    let mut work = Work::job(row, Time::ZERO, demand, Span::HOUR);
    work.ask = Ask { tasks, gang, resumes, ..work.ask };
    work
}

/// A run that rents spot instances, gives them back at once when they are idle, and asks again
/// after `retry` seconds.
fn run(world: &World, jobs: Vec<Work>, retry: i64) -> (Outcome, Summary) {
    let spec = PolicySpec {
        provision: provision::CHEAPEST
            .spec()
            .set("markets", vec![Market::Spot])
            .set("retry", Span::from_secs(retry)),
        release: release::IDLE.spec(),
        ..PolicySpec::named("spot")
    };
    let mut policy = policy::build(&spec);
    let mut observer = (Collector::default(), Laws::new(true));
    let mut source = WorkList::new(jobs);
    let run = Run::new(world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    let (collector, laws) = observer;
    assert_eq!(laws.broken(), None);
    let summary = collector.summary(world, &[], &outcome);
    (outcome, summary)
}

fn dollars(summary: &Summary) -> f64 {
    summary.cost.total.dollars()
}

/// Warned at 1,000 and taken at 1,120, after 1,060 s of work that is lost. Asked again every
/// 180 s, the offer says yes at 4,000 = 1,120 + 16 x 180. So the work ends at 7,660.
#[test]
fn work_is_lost_with_its_instance_and_starts_again() {
    let world = world(120, 1, &[(1_000, 0), (4_000, 1)]);
    let (outcome, summary) = run(&world, vec![hour(0, 1, true, false)], 180);
    assert_eq!(outcome.ended, Time::from_secs(7_660));
    assert_eq!((summary.work.interruptions, summary.work.reclaimed_instances), (1, 1));
    assert_eq!(dollars(&summary), (1_120 + 3_660) as f64 / 1e3);
    assert!((summary.lost_core_hours - 4.0 * 1_060.0 / 3_600.0).abs() < 1e-9);
}

/// Without a warning the instance is gone at 1,000, after 940 s of work.
#[test]
fn without_a_warning_the_instance_is_gone_at_once() {
    let world = world(0, 1, &[(1_000, 0), (1_100, 1)]);
    let (outcome, summary) = run(&world, vec![hour(0, 1, true, false)], 300);
    assert_eq!(outcome.ended, Time::from_secs(1_000 + 300 + 3_660));
    assert_eq!(dollars(&summary), (1_000 + 3_660) as f64 / 1e3);
    assert!((summary.lost_core_hours - 4.0 * 940.0 / 3_600.0).abs() < 1e-9);
}

/// An instance that boots when its slot goes is gone at once, and the work waits; another that
/// was done within the notice is not interrupted.
#[test]
fn boots_are_cut_short_and_work_may_be_done_within_the_notice() {
    let world_of = |changes: &[(i64, u32)]| world(120, 1, changes);
    let (outcome, summary) = run(&world_of(&[(30, 0), (90, 1)]), vec![hour(0, 1, true, false)], 60);
    assert_eq!(outcome.ended, Time::from_secs(90 + 3_660));
    assert_eq!(dollars(&summary), (30 + 3_660) as f64 / 1e3);
    let (outcome, summary) = run(&world_of(&[(3_600, 0)]), vec![hour(0, 1, true, false)], 60);
    assert_eq!(outcome.ended, Time::from_secs(3_660));
    assert_eq!((summary.work.interruptions, summary.work.reclaimed_instances), (0, 0));
}

/// Of a gang of two that loses one instance all stops; the other is idle and given back. Of two
/// single tasks one goes on.
#[test]
fn a_gang_falls_as_a_whole_and_single_tasks_one_by_one() {
    let world = world(60, 2, &[(1_000, 1), (2_000, 2)]);
    let (outcome, summary) = run(&world, vec![hour(0, 2, true, false)], 60);
    // Gone at 1,060; asked again every minute, there are two at 2,020.
    assert_eq!(outcome.ended, Time::from_secs(2_020 + 3_660));
    assert_eq!((summary.work.interruptions, summary.work.reclaimed_instances), (1, 1));
    assert_eq!(dollars(&summary), (2 * 1_060 + 2 * 3_660) as f64 / 1e3);
    let (outcome, summary) = run(&world, vec![hour(0, 2, false, false)], 60);
    assert_eq!((summary.work.interruptions, summary.work.reclaimed_instances), (1, 1));
    assert_eq!(outcome.ended, Time::from_secs(2_020 + 3_660));
    assert_eq!(dollars(&summary), (3_660 + 1_060 + 3_660) as f64 / 1e3);
}

/// Where nothing more comes the work is left, and the run ends with the last change.
#[test]
fn work_is_left_when_capacity_never_returns() {
    let world = world(0, 1, &[(1_000, 0)]);
    let (outcome, summary) = run(&world, vec![hour(0, 1, true, false)], 180);
    assert_eq!((outcome.ended, outcome.drained), (Time::from_secs(1_000), false));
    assert_eq!(summary.work.unfinished, 1);
}

/// A fleet is made whole again.
#[test]
fn a_fleet_replaces_what_is_taken_back() {
    let world = world(120, 2, &[(1_000, 1), (2_000, 2)]);
    let fleet = vec![("cloud/r-a/m/spot".to_owned(), 2)];
    let spec = PolicySpec {
        provision: provision::STATIC.spec().set("fleets", fleet).set("retry", Span::from_secs(100)),
        ..PolicySpec::named("fleet")
    };
    let mut policy = policy::build(&spec);
    let mut observer = (Collector::default(), Laws::new(true));
    let mut source = WorkList::new(vec![hour(0, 2, true, true)]);
    let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    assert_eq!(observer.1.broken(), None);
    // Taken at 1,120; asked again at 1,220, 1,320 ... 2,020, ready at 2,080.
    assert_eq!(outcome.ended, Time::from_secs(2_080 + 3_600));
}
