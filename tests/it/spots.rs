//! Provision parts for work with a deadline on spot, by hand: an hour of work with two hours of time,
//! in two zones of one region.
//!
//! On demand costs a tenth of a cent a second; spot in zone `a` a tenth of that, in zone `b` a fifth. All
//! boots take 100 s. The provider warns 120 s before it takes a spot instance back.

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{Ask, CapacityPath, OfferSpec, Work, WorkBody, WorkId, World};
use windtunnel::policy;
use windtunnel::policy::provision::{
    ON_DEMAND, ProvisionPart, ProvisionSpec, SAFE_GREEDY, SPOT, TIME_SLICED, UNIFORM_PROGRESS,
    UP_A, UP_AP, UP_S,
};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::sim::{Outcome, Run};
use windtunnel::units::{Demand, Distribution, Shape, Span, Stream, Time};
use windtunnel::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 4_000, memory: 4_096, gpus: 0 };

/// Spot instances from a time in seconds on.
type Capacity = &'static [(i64, u32)];

/// One spot instance until it is warned at 1,000 s.
const UNTIL_1000: Capacity = &[(0, 1), (1_000, 0)];
/// One from 3,000 s on.
const FROM_3000: Capacity = &[(0, 0), (3_000, 1)];
const NONE: Capacity = &[(0, 0)];
const ALWAYS: Capacity = &[(0, 1)];

/// The world with these capacities of spot in its two zones.
fn world(spot: [Capacity; 2], notice: i64) -> World {
    let path = |capacity: Capacity| CapacityPath {
        first: Some(capacity[0].1),
        changes: capacity[1..]
            .iter()
            .map(|&(secs, most)| (Time::from_secs(secs), Some(most)))
            .collect(),
        ..CapacityPath::default()
    };
    world_of(&spot.map(path), notice)
}

/// The same with a zone for each of these capacities.
fn world_of(spot: &[CapacityPath], notice: i64) -> World {
    let boot = Distribution::Constant(100.0);
    let mut world = World::builder();
    let zones = [("c/r/a", "0.36"), ("c/r/b", "0.72"), ("c/s/c", "0.5")];
    for ((zone, price), path) in zones.into_iter().zip(spot) {
        let spot = OfferSpec::spot(zone, "m", SHAPE, price).boot(boot.clone());
        world = world.offer(spot.capacity(path.clone()));
        world = world.offer(OfferSpec::on_demand(zone, "m", SHAPE, "3.6").boot(boot.clone()));
    }
    let world = world.provider("c", |cloud| cloud.spot.notice = Span::from_secs(notice));
    world.build().expect("a world")
}

/// An hour of work on whole machines that resumes, arrives at 0 and must be done after two hours.
fn hour(tasks: u32) -> Work {
    let demand = Demand { cpu: 4_000, memory: 1_024, ..Demand::default() };
    let mut work = Work::job(0, Time::ZERO, demand, Span::HOUR);
    let deadline = Some(Time::from_secs(7_200));
    work.ask = Ask { tasks, resumes: true, deadline, estimate: Some(Span::HOUR), ..work.ask };
    work
}

/// The run, held to all laws.
fn run(world: &World, works: Vec<Work>, provision: ProvisionSpec) -> (Outcome, Summary) {
    let spec = PolicySpec { provision, ..PolicySpec::named("p") };
    let mut policy = policy::build(&spec);
    let mut observer = (Collector::default(), Laws::new(true));
    let mut source = WorkList::new(works);
    let run = Run::new(world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    let (collector, laws) = observer;
    assert_eq!(laws.broken(), None);
    let summary = collector.summary(world, &[], &outcome);
    (outcome, summary)
}

/// End in seconds and cost in hundredths of a cent of one hour of work.
fn result(spot: [Capacity; 2], part: &'static ProvisionPart) -> (i64, i64) {
    result_of(spot, part.spec())
}

/// The same with settings.
fn result_of(spot: [Capacity; 2], provision: ProvisionSpec) -> (i64, i64) {
    let (outcome, summary) = run(&world(spot, 120), vec![hour(1)], provision);
    assert_eq!(summary.work.finished, 1);
    (outcome.ended.micros() / 1_000_000, ten_thousandths(&summary))
}

fn ten_thousandths(summary: &Summary) -> i64 {
    (summary.cost.total.dollars() * 1e4).round() as i64
}

#[test]
fn it_pays_for_all_of_it() {
    for spot in [[NONE, NONE], [UNTIL_1000, FROM_3000]] {
        assert_eq!(result(spot, &ON_DEMAND), (3_700, 37_000));
    }
}

/// Warned at 1,000 s with 900 s done; asked again every 600 s, zone `b` says yes at 3,400.
#[test]
fn it_waits_for_spot() {
    assert_eq!(result([UNTIL_1000, FROM_3000], &SPOT), (6_200, 1_000 + 2 * 2_800));
}

#[test]
fn it_misses_the_deadline_where_there_is_none() {
    let world = world([UNTIL_1000, NONE], 120);
    let (outcome, summary) = run(&world, vec![hour(1)], SPOT.spec());
    assert!(!outcome.drained);
    assert_eq!((summary.work.unfinished, ten_thousandths(&summary)), (1, 1_000));
}

/// With 2,700 s to do from 1,000 s on, 5 steps are needed, and left from 4,000 s on.
#[test]
fn it_takes_on_demand_at_the_last_call() {
    assert_eq!(result([UNTIL_1000, FROM_3000], &SAFE_GREEDY), (6_200, 1_000 + 2 * 2_800));
    assert_eq!(result([UNTIL_1000, NONE], &SAFE_GREEDY), (6_800, 1_000 + 10 * 2_800));
}

/// Half of the time must have been work: with 900 s done it is behind at 2,200 s. On demand it has
/// done 2,000 s at 3,400, which is more than half of 3,400 and two restarts of 100 s.
#[test]
fn it_takes_on_demand_when_it_is_behind() {
    let back = 1_000 + 10 * 1_200 + 2 * 1_700;
    assert_eq!(result([UNTIL_1000, FROM_3000], &UNIFORM_PROGRESS), (5_100, back));
    assert_eq!(result([UNTIL_1000, NONE], &UNIFORM_PROGRESS), (5_000, 1_000 + 10 * 2_800));
}

/// Two slices of half an hour of work each. With 900 s done, 1,000 s with a restart are left of the
/// first: two steps, so on demand at 2,800. At 4,000, 2,000 s are done, and the second has time.
#[test]
fn it_does_its_part_of_each_slice() {
    let sliced = 1_000 + 10 * 1_200 + 2 * 1_700;
    assert_eq!(result([UNTIL_1000, FROM_3000], &TIME_SLICED), (5_700, sliced));
}

/// As Uniform Progress in one zone, but that it gives on demand back for a try: at 3,400 s it is ahead
/// by more than two restarts, finds no spot and holds nothing until it is behind, at 4,600, with
/// 2,000 s done; and once more at 5,800, with 3,100 s done, until the last call at 6,400.
#[test]
fn it_tries_the_zones_by_price() {
    let back = 1_000 + 10 * 1_200 + 2 * 1_700;
    assert_eq!(result([UNTIL_1000, FROM_3000], &UP_S), (5_100, back));
    let (ended, cost) = result([UNTIL_1000, NONE], &UP_S);
    assert_eq!((ended, cost), (7_000, 1_000 + 10 * (1_200 + 1_200 + 600)));
}

/// Zone `a` is lost at 1,000 s and there again at 1,600, but less than five of its last samples had
/// spot since: it stays in `b`, at twice the price.
#[test]
fn it_stays_where_spot_was_had_most() {
    let spec = UP_A.spec().set("probe_every", Span::from_secs(600));
    let spot = [&[(0, 1), (1_000, 0), (1_600, 1)], ALWAYS];
    assert_eq!(result_of(spot, spec), (3_800, 1_000 + 2 * 2_800));
}

/// Zone `a` is lost at 1,000 s and there again at 1,600: by then 2 of 4 samples had spot, at half the
/// price of `b`, which is as much. The probe at 1,600 makes it 3 of 5, so at 2,200 it moves, with 2,000 s
/// done.
#[test]
fn it_moves_where_availability_costs_least() {
    let spec = UP_AP.spec().set("probe_every", Span::from_secs(600));
    let spot = [&[(0, 1), (1_000, 0), (1_600, 1)], ALWAYS];
    assert_eq!(result_of(spot, spec), (3_900, 1_000 + 2 * 1_200 + 1_700));
}

/// Work of a gang goes where there is room for all of it, and is one unit: where one of two instances
/// is warned, both are given back.
#[test]
fn a_gang_is_one_unit() {
    // Zone a has one, b two until 1,000 and again from 2,000 on.
    let world = world([ALWAYS, &[(0, 2), (1_000, 1), (2_000, 2)]], 120);
    let (outcome, summary) = run(&world, vec![hour(2)], SPOT.spec());
    // 900 s are done at 1,000; it is asked again at 1,600 and 2,200, and goes on at 2,300.
    assert_eq!(outcome.ended, Time::from_secs(5_000));
    assert_eq!(ten_thousandths(&summary), 2 * 2 * (1_000 + 2_800));
    assert_eq!(summary.work.preemptions, 1);
}

/// Two pieces of work that would fit on one instance: the first gets it, the other the next zone.
#[test]
fn work_shares_nothing() {
    let world = world([ALWAYS, ALWAYS], 120);
    let works = [0, 1].map(|row| {
        let mut work = Work { id: WorkId { source: 0, ordinal: row }, ..hour(1) };
        work.ask.demand.cpu = 2_000;
        work
    });
    let (outcome, summary) = run(&world, works.to_vec(), UP_S.spec());
    assert_eq!(outcome.ended, Time::from_secs(3_700));
    assert_eq!(ten_thousandths(&summary), 3_700 + 2 * 3_700);
}

/// Work that does not resume has nothing when its spot instance goes: an hour is left, and takes 7 steps
/// with its restart, so that it moves to on demand at 3,000, when 7 of 12 are left, though spot would have
/// been there.
#[test]
fn what_may_be_lost_is_not_counted_on() {
    let mut work = hour(1);
    work.ask.resumes = false;
    let (outcome, summary) = run(&world([ALWAYS, ALWAYS], 120), vec![work], SAFE_GREEDY.spec());
    assert_eq!(outcome.ended, Time::from_secs(3_000 + 3_700));
    assert_eq!(ten_thousandths(&summary), 3_000 + 37_000);
}

/// The law: where on demand can always be had, work takes as long as estimated, restarts as long as they
/// are reckoned with, and on-demand work from the first moment would be in time, no deadline is missed.
#[test]
fn deadlines_are_met() {
    let parts = [&SAFE_GREEDY, &UNIFORM_PROGRESS, &TIME_SLICED, &UP_S, &UP_A, &UP_AP];
    let mut moves = 0;
    for seed in 0..40 {
        let mut dice = Stream::new(seed, "deadlines");
        let mut below = |most: u64| dice.below(most) as i64;
        let mut path = |first: u32| {
            let mut changes: Vec<(Time, Option<u32>)> = Vec::new();
            let mut at = 0;
            while at < 40_000 {
                at += 1 + below(6_000);
                changes.push((Time::from_secs(at), Some(below(4) as u32)));
            }
            CapacityPath { first: Some(first), changes, ..CapacityPath::default() }
        };
        let paths = [path(0), path(1), path(3)];
        let world = world_of(&paths, [0, 120, 120][below(3) as usize]);
        let works = (0..8).map(|row| {
            let (arrival, runtime) = (below(10_000), 1 + below(8_000));
            let mut work = Work { id: WorkId { source: 0, ordinal: row }, ..hour(1) };
            let spare = below(3) * below(6_000);
            work.arrival = Time::from_secs(arrival);
            work.body = WorkBody::Job { runtime: Some(Span::from_secs(runtime)) };
            work.ask.tasks = 1 + below(2) as u32;
            work.ask.resumes = below(3) > 0;
            work.ask.estimate = Some(Span::from_secs(runtime));
            work.ask.deadline = Some(Time::from_secs(arrival + runtime + 100 + spare));
            work
        });
        let mut works: Vec<Work> = works.collect();
        works.sort_by_key(|work| work.arrival);
        for part in parts {
            let (_, summary) = run(&world, works.clone(), part.spec());
            assert_eq!(summary.deadlines.met, 8, "seed {seed}: {} {works:?}", part.name);
            moves += summary.work.preemptions + summary.work.interruptions;
        }
    }
    assert!(moves > 1_000, "{moves} moves try nobody");
}

/// Work without a deadline has half of its estimate more: it must be done at 5,500 s. Virtual machines
/// and arrays are not carried, and run on demand.
#[test]
fn work_without_a_deadline_gets_one() {
    let world = world([NONE, NONE], 120);
    let mut work = hour(1);
    work.ask.deadline = None;
    let (outcome, _) = run(&world, vec![work.clone()], SAFE_GREEDY.spec());
    // 7 steps are needed; 7 whole ones are left from 1,200 on (4,300 s).
    assert_eq!(outcome.ended, Time::from_secs(1_200 + 3_700));
    work.ask = Ask { tasks: 2, gang: false, ..work.ask };
    let (outcome, summary) = run(&world, vec![work], SAFE_GREEDY.spec());
    assert_eq!(outcome.ended, Time::from_secs(3_700));
    assert_eq!(ten_thousandths(&summary), 2 * 37_000);
}
