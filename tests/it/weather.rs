//! Spot instances that are taken back, by hand.

use std::sync::Arc;

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{
    Ask, CapacityCursor, CapacityLaw, CapacityPath, Checkpoint, DrawnCapacity, Interner, Market,
    OfferSpec, StateLaw, Work, World,
};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, backfill, checkpoint, provision, release};
use windtunnel::sim::{Outcome, Run};
use windtunnel::units::{Demand, Distribution, Id, Rate, Shape, Span, Time};
use windtunnel::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 4_000, memory: 4_096, gpus: 0 };

/// A world of one spot offer at 3.60 USD an hour, which boots for a minute and is taken back with
/// `notice` seconds of warning, and has these capacities.
fn world(notice: i64, first: u32, changes: &[(i64, u32)]) -> World {
    let changes = changes.iter().map(|&(at, most)| (Time::from_secs(at), Some(most))).collect();
    let spot = OfferSpec::spot("cloud/r/r-a", "m", SHAPE, "3.6")
        .boot(Distribution::Constant(60.0))
        .capacity(CapacityPath::known(Some(first), changes));
    let world = World::builder().offer(spot);
    let world = world.provider("cloud", |cloud| cloud.spot.notice = Span::from_secs(notice));
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
    run_seeded(world, jobs, retry, 1)
}

fn run_seeded(world: &World, jobs: Vec<Work>, retry: i64, seed: u64) -> (Outcome, Summary) {
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
    let run = Run::new(world, &mut source).policy(&mut *policy).observe(&mut observer).seed(seed);
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

/// End, and core-seconds that were lost and spent on checkpoints, of an hour of work that is warned at
/// 1,000, after 940 s, loses its instance at 1,120, and has another at 4,060.
fn warned(part: checkpoint::CheckpointSpec, write: i64, blocking: bool) -> (i64, [i64; 2]) {
    let world = world(120, 1, &[(1_000, 0), (4_000, 1)]);
    let mut names = Interner::default();
    let costs =
        Checkpoint { write: Span::from_secs(write), blocking, restore: Span::from_secs(30) };
    let mut work = hour(0, 1, true, false);
    work.ask.checkpoint = Some(names.checkpoint(costs));
    let mut policy = policy::build(&PolicySpec {
        provision: provision::CHEAPEST.spec().set("markets", vec![Market::Spot]),
        release: release::IDLE.spec(),
        checkpoint: part,
        ..PolicySpec::named("spot")
    });
    let mut observer = (Collector::default(), Laws::new(true));
    let works = [work];
    let mut source = WorkList::new(&works).named(names);
    let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    assert_eq!(observer.1.broken(), None);
    let summary = observer.0.summary(&world, &[], &outcome);
    let hours = [summary.lost_core_hours, summary.overhead_core_hours];
    let secs = hours.map(|hours| (hours * 900.0).round() as i64);
    (outcome.ended.micros() / 1_000_000, secs)
}

/// What was made when the warning came is saved if its write is over in time; the rest of the notice
/// is lost.
#[test]
fn a_checkpoint_is_written_on_notice() {
    let on_notice = || checkpoint::ON_NOTICE.spec();
    // Writes from 1,000 to 1,060, and computes for 60 s in vain; reads for 30 s.
    assert_eq!(warned(on_notice(), 60, true), (4_090 + 2_660, [60, 90]));
    // Goes on while it writes.
    assert_eq!(warned(on_notice(), 60, false), (4_090 + 2_660, [120, 30]));
    // Just in time, and too long.
    assert_eq!(warned(on_notice(), 120, true), (4_090 + 2_660, [0, 150]));
    assert_eq!(warned(on_notice(), 121, true), (4_060 + 3_600, [1_060, 0]));
    // Of the write from 960 to 1,020 the work waits for the end. Later come two more.
    let periodic = |word| {
        let every = checkpoint::PERIODIC.spec().set("every", Span::from_secs(900));
        every.set("on_notice", word)
    };
    let written = (4_090 + 2_700 + 120, [100, 60 + 30 + 120]);
    assert_eq!(warned(periodic("write"), 60, true), written);
    assert_eq!(warned(periodic("nothing"), 60, true), written);
    // One that does not block begins anew, with what was made since.
    assert_eq!(warned(periodic("write"), 60, false), (4_090 + 2_660, [120, 30]));
    assert_eq!(warned(periodic("nothing"), 60, false), (4_090 + 2_700, [160, 30]));
}

/// What ends on a warned instance makes no room for the first of the queue: of two instances one is
/// warned at 1,000, where work ends at 1,500. The first in the queue is promised the other at 3,060,
/// so that a short one may not pass it there.
#[test]
fn nothing_is_promised_on_an_instance_that_is_warned() {
    let world = world(1_200, 2, &[(1_000, 1)]);
    let mut policy = policy::build(&PolicySpec {
        provision: provision::STATIC
            .spec()
            .set("fleets", vec![("cloud/r-a/m/spot".to_owned(), 2)])
            .set("retry", Span::from_secs(100)),
        backfill: backfill::EASY.spec(),
        ..PolicySpec::named("fleet")
    });
    let job = |row: u64, arrival: i64, runtime: i64| {
        let mut work = hour(row, 1, true, false);
        work.arrival = Time::from_secs(arrival);
        *work.body.length_mut() = Some(Span::from_secs(runtime));
        work.ask.estimate = Some(Span::from_secs(runtime));
        work
    };
    let works = [job(0, 0, 3_000), job(1, 0, 1_440), job(2, 1_100, 1_000), job(3, 1_200, 100)];
    let mut observer = (Collector::default(), Laws::new(true));
    let mut source = WorkList::new(&works);
    let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.horizon(Time::from_secs(5_000)).run().expect("it runs");
    assert_eq!(observer.1.broken(), None);
    let summary = observer.0.summary(&world, &[], &outcome);
    assert_eq!((summary.work.finished, summary.work.interruptions), (4, 0));
}

/// In its first hour the instance stays, without capacity too: it is warned at 3,480 and goes at
/// 3,600, before the work is done at 3,660. Where capacity is back by then it stays for good.
#[test]
fn a_protected_instance_stays_until_its_protection_ends() {
    let protect = |mut world: World| {
        world.providers[Id::new(0)].spot.protected = Span::HOUR;
        world
    };
    for falls in [30, 1_000] {
        let world = protect(world(120, 1, &[(falls, 0), (5_000, 1)]));
        let (outcome, summary) = run(&world, vec![hour(0, 1, true, false)], 700);
        assert_eq!((summary.work.interruptions, summary.work.reclaimed_instances), (1, 1));
        assert!((summary.lost_core_hours - 4.0 * 3_540.0 / 3_600.0).abs() < 1e-9);
        // Asked again at 3,600 + 2 x 700.
        assert_eq!(outcome.ended, Time::from_secs(5_000 + 3_660));
        assert_eq!(dollars(&summary), (3_600 + 3_660) as f64 / 1e3);
    }
    let world = protect(world(120, 1, &[(30, 0), (3_000, 1)]));
    let (outcome, summary) = run(&world, vec![hour(0, 1, true, false)], 700);
    assert_eq!((outcome.ended, summary.work.interruptions), (Time::from_secs(3_660), 0));
}

/// An instance may be as old as 1,000 s: it is warned at 880, and goes. The next lives until the
/// horizon.
#[test]
fn an_instance_is_ended_at_its_age_limit() {
    for (notice, boots_until) in [(120, 60), (0, 60)] {
        let mut world = world(notice, 1, &[]);
        let terms = &mut world.providers[Id::new(0)].spot;
        terms.longest = Some(Span::from_secs(1_000));
        let mut policy = policy::build(&PolicySpec {
            provision: provision::CHEAPEST.spec().set("markets", vec![Market::Spot]),
            ..PolicySpec::named("spot")
        });
        let mut observer = (Collector::default(), Laws::new(true));
        let mut source = WorkList::new(vec![hour(0, 1, true, false)]);
        let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut observer);
        let outcome = run.horizon(Time::from_secs(1_500)).run().expect("it runs");
        assert_eq!(observer.1.broken(), None);
        let summary = observer.0.summary(&world, &[], &outcome);
        assert_eq!((summary.work.interruptions, summary.work.reclaimed_instances), (1, 1));
        let lost = 4.0 * (1_000 - boots_until) as f64 / 3_600.0;
        assert!((summary.lost_core_hours - lost).abs() < 1e-9);
        assert_eq!(dollars(&summary), 1.5);
    }
}

/// At 5 USD an hour, from 1,000 to 2,000, the spot instance is above the highest price of 4 USD: it
/// is warned, goes at 1,120, and is launched again at 2,000.
#[test]
fn nothing_is_rented_above_the_highest_price() {
    let mut world = world(120, 1, &[]);
    let offer = &mut world.offers[Id::new(0)];
    let rate = |dollars| Rate::parse(dollars).expect("a price");
    offer.max_price = Some(rate("4"));
    let changes = [(1_000, "5"), (2_000, "3.6")];
    let changes = changes.map(|(at, price)| (Time::from_secs(at), rate(price)));
    offer.price.changes = changes.to_vec();
    let (outcome, summary) = run(&world, vec![hour(0, 1, true, false)], 700);
    assert_eq!(outcome.ended, Time::from_secs(2_000 + 3_660));
    assert_eq!((summary.work.interruptions, summary.work.reclaimed_instances), (1, 1));
    let want = (1_000 + 3_660) as f64 / 1e3 + 120.0 * 5.0 / 3_600.0;
    assert!((dollars(&summary) - want).abs() < 1e-8, "{}", dollars(&summary));
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

/// Two machines are needed, one more is spot: one in each of two zones, and the third in the cheaper
/// one, `b`. Spot boots for a minute, and so do the two on demand beside it, which are given back at 60.
/// At 1,000 all is warned in `b`: two on demand until `a`, which has three from then on, is ready.
#[test]
fn a_hedged_fleet_falls_back_on_demand() {
    let spot = |zone: &str, price: &str, first: u32, changes: &[(i64, u32)]| {
        let changes = changes.iter().map(|&(at, most)| (Time::from_secs(at), Some(most))).collect();
        OfferSpec::spot(&format!("cloud/r/{zone}"), "m", SHAPE, price)
            .boot(Distribution::Constant(60.0))
            .capacity(CapacityPath::known(Some(first), changes))
    };
    let on_demand = OfferSpec::on_demand("cloud/r/a", "m", SHAPE, "9");
    let world = World::builder()
        .offer(spot("a", "3.6", 3, &[]))
        .offer(spot("b", "1.8", 3, &[(1_000, 0)]))
        .offer(on_demand.boot(Distribution::Constant(60.0)))
        .provider("cloud", |cloud| cloud.spot.notice = Span::from_secs(120));
    let world = world.build().expect("a world");
    let spec = PolicySpec {
        provision: provision::SPOT_HEDGE.spec().set("instances", 2_u32).set("extra", 1_u32),
        ..PolicySpec::named("hedged")
    };
    let mut policy = policy::build(&spec);
    let mut observer = (Collector::default(), Laws::new(true));
    // Two pieces of work of an hour, one of which loses what it did until 1,120.
    let works = [hour(0, 1, true, false), hour(1, 1, true, false)];
    let mut source = WorkList::new(&works);
    let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    assert_eq!(observer.1.broken(), None);
    let summary = observer.0.summary(&world, &[], &outcome);
    assert_eq!((summary.work.finished, summary.work.interruptions), (2, 1));
    assert_eq!((outcome.ended, summary.work.refused_launches), (Time::from_secs(1_120 + 3_600), 1));
    // Three of `a` from 0 or 1,000 on, two of `b` until 1,120, and twice two on demand for a minute.
    let cost = (4_720 + 2 * 3_720) as f64 / 1e3 + (2 * 1_120) as f64 / 2e3 + 240.0 / 400.0;
    assert!((dollars(&summary) - cost).abs() < 1e-9, "{}", dollars(&summary));
}

/// A world of one spot offer that is there for `up` seconds and then away for `down`, again and again.
fn drawn(notice: i64, up: &str, down: &str) -> World {
    let state =
        |lasts: &str, next: [f64; 3]| Some(StateLaw { lasts: lasts.parse().expect("a law"), next });
    let states = [state(down, [0.0, 0.0, 1.0]), None, state(up, [1.0, 0.0, 0.0])];
    let law = Arc::new(CapacityLaw::new(1, states, None).expect("a law"));
    let (from, until, anchor, key) = (None, None, Time::ZERO, [1, 0]);
    let drawn = vec![DrawnCapacity { from, until, anchor, key, law, moves_with: None }];
    let mut world = world(notice, 1, &[]);
    let offer = world.offers.ids().next().expect("an offer");
    world.offers[offer].capacity = CapacityPath { drawn, ..CapacityPath::default() };
    world
}

/// Up for 5,000 s and down for 1,000 s. The run meets what a cursor says: an hour of work, a boot of
/// a minute, a notice of 120 s and a look every 180 s, followed by hand from each start.
#[test]
fn a_run_meets_the_capacity_that_is_drawn() {
    let world = drawn(120, "5000", "1000");
    let path = &world.offers.rows()[0].capacity;
    let mut interrupted = 0;
    for seed in 1..20 {
        let cursor = CapacityCursor::new(path, seed, Time::ZERO);
        let first = cursor.next_change(path).expect("it changes").micros();
        let (second, looks) = (1_000_000, 180_000_000);
        // The first look is at 0, and each later one 180 s after the one before.
        let up_first = cursor.capacity(path) == Some(1);
        let start = if up_first { 0 } else { (first + looks - 1) / looks * looks };
        let warned = if up_first { first } else { first + 5_000 * second };
        let mut end = start + 3_660 * second;
        let gone = if warned <= start + 60 * second { warned } else { warned + 120 * second };
        if end > gone {
            interrupted += 1;
            let back = warned + 1_000 * second;
            end = gone + (back - gone + looks - 1) / looks * looks + 3_660 * second;
        }
        let (outcome, summary) = run_seeded(&world, vec![hour(0, 1, true, false)], 180, seed);
        assert_eq!(outcome.ended.micros(), end, "seed {seed}");
        assert!(outcome.drained && summary.work.finished == 1);
    }
    assert!((5..15).contains(&interrupted), "{interrupted}");
}

/// What is drawn for ever keeps no run alive in which nothing else comes: work without an end runs, and
/// nobody waits. With a horizon its machine is taken, and it starts again.
#[test]
fn a_run_ends_though_weather_goes_on() {
    let mut world = drawn(0, "5000", "1000");
    let offer = world.offers.ids().next().expect("an offer");
    world.offers[offer].capacity.drawn[0].key = [2, 0];
    let endless = || {
        let mut work = hour(0, 1, true, false);
        *work.body.length_mut() = None;
        vec![work]
    };
    let (outcome, summary) = run(&world, endless(), 180);
    assert!(!outcome.drained && outcome.ended < Time::from_secs(1_000 + 180 + 60));
    assert_eq!((summary.work.interruptions, summary.work.unfinished), (0, 1));
    let mut policy = policy::build(&PolicySpec {
        provision: provision::CHEAPEST.spec().set("markets", vec![Market::Spot]),
        ..PolicySpec::named("spot")
    });
    let mut collector = Collector::default();
    let mut source = WorkList::new(endless());
    let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut collector);
    let outcome = run.horizon(Time::from_secs(60_000)).run().expect("it runs");
    assert_eq!(outcome.ended, Time::from_secs(60_000));
    assert_eq!(collector.summary(&world, &[], &outcome).work.interruptions, 10);
}

/// Two policies of one seed meet the same weather, whatever they launch; another seed is another.
#[test]
fn the_weather_of_a_seed_is_the_same_under_two_policies() {
    #[derive(Default)]
    struct Spells(Vec<(Time, usize)>);
    impl windtunnel::sim::Observer for Spells {
        fn record(
            &mut self,
            state: &windtunnel::state::State<'_>,
            record: &windtunnel::state::Record,
        ) {
            if let windtunnel::state::Record::Draining { .. } = record {
                self.0.push((state.now(), 0));
            }
        }
    }
    let world = drawn(120, "exponential(mean=4000)", "weibull(shape=0.6, mean=500)");
    let warned = |retry: i64, seed: u64| {
        let spec = PolicySpec {
            provision: provision::CHEAPEST
                .spec()
                .set("markets", vec![Market::Spot])
                .set("retry", Span::from_secs(retry)),
            ..PolicySpec::named("spot")
        };
        let mut policy = policy::build(&spec);
        let mut observer = (Spells::default(), Laws::new(true));
        let jobs: Vec<Work> = (0..40).map(|row| hour(row, 1, true, false)).collect();
        let mut source = WorkList::new(jobs);
        let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut observer);
        run.seed(seed).horizon(Time::from_secs(400_000)).run().expect("it runs");
        assert_eq!(observer.1.broken(), None);
        observer.0.0
    };
    let path = &world.offers.rows()[0].capacity;
    let falls = |seed: u64| {
        let mut cursor = CapacityCursor::new(path, seed, Time::ZERO);
        let mut falls = Vec::new();
        while let Some(at) = cursor.next_change(path).filter(|at| at.micros() < 400_000_000_000) {
            cursor.advance(path);
            falls.extend((cursor.capacity(path) == Some(0)).then_some((at, 0)));
        }
        falls
    };
    for (retry, seed) in [(10, 1), (300, 1), (10, 2)] {
        let (warned, falls) = (warned(retry, seed), falls(seed));
        assert!(warned.len() > 20, "{}", warned.len());
        assert!(warned.iter().all(|at| falls.contains(at)), "seed {seed}");
    }
    assert_ne!(falls(1), falls(2));
}

/// The same, where the provider recommends to leave an instance five minutes before it warns.
fn recommending(first: u32, changes: &[(i64, u32)]) -> World {
    let mut world = world(120, first, changes);
    for provider in world.providers.rows_mut() {
        provider.spot.rebalance = Some(Span::from_secs(300));
    }
    world
}

/// Recommended at 1,000, warned at 1,300 and gone at 1,420, unless capacity is back by 1,300; what
/// comes and goes before that changes nothing.
#[test]
fn a_recommendation_comes_before_the_warning() {
    let ended = |changes: &[(i64, u32)]| {
        let jobs = vec![hour(0, 1, true, false)];
        let (outcome, summary) = run(&recommending(1, changes), jobs, 180);
        (outcome.ended.micros() / 1_000_000, summary.work.interruptions, dollars(&summary))
    };
    // Asked again every 180 s from 1,420 on, the offer says yes at 4,120.
    let gone = (4_120 + 3_660, 1, (1_420 + 3_660) as f64 / 1e3);
    assert_eq!(ended(&[(1_000, 0), (4_000, 1)]), gone);
    assert_eq!(ended(&[(1_000, 0), (1_200, 1), (1_250, 0), (4_000, 1)]), gone);
    assert_eq!(ended(&[(1_000, 0), (1_200, 1)]), (3_660, 0, 3.66));
    // A false alarm, and at 1,350 another that is none: gone at 1,770, and yes at 4,110.
    let again = (4_110 + 3_660, 1, (1_770 + 3_660) as f64 / 1e3);
    assert_eq!(ended(&[(1_000, 0), (1_200, 1), (1_350, 0), (4_000, 1)]), again);
}

/// Work that resumes goes from the cheap zone to the dear one at 1,000 if its policy heeds the
/// recommendation, else at 1,300, when it is warned.
#[test]
fn parts_for_deadlines_may_heed_recommendations() {
    let dear = OfferSpec::spot("cloud/r/r-b", "m", SHAPE, "7.2").boot(Distribution::Constant(60.0));
    let cheap = OfferSpec::spot("cloud/r/r-a", "m", SHAPE, "3.6")
        .boot(Distribution::Constant(60.0))
        .capacity(CapacityPath::known(Some(1), vec![(Time::from_secs(1_000), Some(0))]));
    let world = World::builder().offer(cheap).offer(dear).provider("cloud", |cloud| {
        cloud.spot.notice = Span::from_secs(120);
        cloud.spot.rebalance = Some(Span::from_secs(300));
    });
    let world = world.build().expect("a world");
    let cost = |word| {
        let mut policy = policy::build(&PolicySpec {
            provision: provision::SPOT.spec().set("on_rebalance", word),
            ..PolicySpec::named("heeds")
        });
        let mut observer = (Collector::default(), Laws::new(true));
        let mut source = WorkList::new(vec![hour(0, 1, true, true)]);
        let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut observer);
        let outcome = run.run().expect("it runs");
        assert_eq!(observer.1.broken(), None);
        let summary = observer.0.summary(&world, &[], &outcome);
        (outcome.ended.micros() / 1_000_000, dollars(&summary))
    };
    // Of the hour 940 s are done at 1,000, and 1,240 at 1,300.
    assert_eq!(cost("move"), (1_000 + 60 + 2_660, 1.0 + 2.0 * 2.72));
    assert_eq!(cost("stay"), (1_300 + 60 + 2_360, 1.3 + 2.0 * 2.42));
}
