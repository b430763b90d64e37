//! Tasks that move to other machines while they are at work, worked out by hand.

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{
    Ask, CapacityPath, Checkpoint, Fault, FaultDomain, FaultEffect, FaultTimes, Interner, Link,
    Manner, Market, Migration, OfferSpec, Work, World,
};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, Policy, Trigger, Turn, checkpoint, provision, recover, release};
use windtunnel::sim::{Observer, Options, Outcome, Run};
use windtunnel::state::{AllocationRef, CheckpointPlan, Needs, Record, Refusal, Share, State};
use windtunnel::units::{Demand, Distribution, Id, Shape, Span, Time};
use windtunnel::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 4_000, memory: 4_096, gpus: 0 };

fn secs(at: i64) -> Time {
    Time::from_secs(at)
}

fn millis(at: i64) -> Time {
    Time::from_micros(at * 1_000)
}

/// A GiB a second; memory is written in 40 s, so that the 4 GiB of a machine take 4 s, 0.4 s and a
/// pause of 40 ms.
const TERMS: Migration = Migration {
    bytes_per_sec: 1 << 30,
    rewrites: Span::from_secs(40),
    pause: Span::from_micros(100_000),
    rounds: 29,
};

/// Two owned machines in two regions, between which a GiB costs two cents.
fn two() -> World {
    let machine = |place: &str| OfferSpec::owned(place, "m", SHAPE, 1).named(place);
    let world = World::builder().offer(machine("dc/a/a1")).offer(machine("dc/b/b1"));
    let link = Link { nanos_per_gib: 20_000_000, bytes_per_sec: 0, path: None };
    let mut world = world.link("dc/a", "dc/b", link).build().expect("a world");
    world.migration = TERMS;
    world
}

/// Work on a whole machine and all of its memory.
fn job(row: u64, arrival: i64, length: i64) -> Work {
    let demand = Demand { cpu: 4_000, memory: 4_096, ..Demand::default() };
    Work::job(row, secs(arrival), demand, Span::from_secs(length))
}

/// Moves the first work to the second machine at 1,000 s.
struct Mover {
    inner: Box<dyn Policy>,
    manner: Manner,
    moved: bool,
}

impl Policy for Mover {
    fn needs(&self) -> Needs {
        self.inner.needs()
    }

    fn queue(&self) -> Option<&policy::queue::Queue> {
        self.inner.queue()
    }

    fn checkpoints(&mut self, state: &State<'_>, allocation: AllocationRef) -> CheckpointPlan {
        self.inner.checkpoints(state, allocation)
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        self.inner.decide(triggers, turn);
        if triggers.contains(&Trigger::Begins) {
            turn.wake(secs(1_000)).expect("it is later");
        }
        if turn.now() == secs(1_000) && !self.moved {
            self.moved = true;
            let (from, to) = ends(turn);
            let share = [Share { instance: to, tasks: 1, devices: 0 }];
            // What is tried and rolled back has not happened.
            let tried = turn.attempt(|turn| {
                turn.migrate(from, &share, self.manner).expect("there is room");
                None::<()>
            });
            assert_eq!(tried, None);
            turn.migrate(from, &share, self.manner).expect("there is room");
        }
    }
}

/// The allocation of the first work, and the second machine.
fn ends(state: &State<'_>) -> (AllocationRef, windtunnel::state::InstanceRef) {
    let (_, first) = state.works().find(|(_, live)| live.id.ordinal == 0).expect("it is there");
    let second = state.instances().find(|(_, one)| one.ordinal == 1).expect("it is there");
    (first.allocations[0], second.0)
}

/// Ends of work by row, and starts.
#[derive(Default)]
struct Seen {
    finished: Vec<(u64, Time)>,
    started: Vec<(u64, Time)>,
}

impl Observer for Seen {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Finished(work) => {
                self.finished.push((state.work(work).id.ordinal, state.now()));
            }
            Record::Started(allocation) => {
                let work = state.allocation(allocation).work();
                self.started.push((state.work(work).id.ordinal, state.now()));
            }
            _ => {}
        }
    }
}

fn run(
    world: &World,
    jobs: (Interner, Vec<Work>),
    spec: &PolicySpec,
    manner: Option<Manner>,
) -> (Outcome, Summary, Seen) {
    let mut policy = policy::build(spec);
    if let Some(manner) = manner {
        policy = Box::new(Mover { inner: policy, manner, moved: false });
    }
    let mut observer = ((Collector::default(), Laws::new(true)), Seen::default());
    let mut source = WorkList::new(jobs.1).named(jobs.0);
    let run = Run::new(world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    let ((collector, laws), seen) = observer;
    assert_eq!(laws.broken(), None);
    let summary = collector.summary(world, &[], &outcome);
    (outcome, summary, seen)
}

fn moved(world: &World, jobs: Vec<Work>, manner: Manner) -> (Outcome, Summary, Seen) {
    run(world, (Interner::default(), jobs), &PolicySpec::named("p"), Some(manner))
}

fn machine_fails(offer: u32, at: i64, until: Option<i64>) -> Fault {
    Fault {
        name: "test".into(),
        offers: vec![Id::new(offer)],
        domain: FaultDomain::Share(1_000_000),
        effect: FaultEffect::Machines,
        times: FaultTimes::Periods(vec![(secs(at), until.map(secs))]),
        loses_data_of: Vec::new(),
        surge: None,
        crews: None,
    }
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-9
}

/// 4 GiB at a GiB a second: the hour ends four seconds later, and they cost 8 cents.
#[test]
fn a_cold_migration_is_down_while_memory_is_copied() {
    let (outcome, summary, seen) = moved(&two(), vec![job(0, 0, 3_600)], Manner::Cold);
    assert_eq!(outcome.ended, secs(3_604));
    assert_eq!(seen.started, [(0, secs(0)), (0, secs(1_000))]);
    assert_eq!((summary.work.migrations, summary.work.preemptions), (1, 0));
    assert!(close(summary.useful_core_hours, 4.0) && summary.lost_core_hours == 0.0);
    assert!(close(summary.overhead_core_hours, 4.0 * 4.0 / 3_600.0));
    assert_eq!(summary.cost.total.dollars(), 0.08);
    assert!(close(summary.transferred_gib, 4.0));
}

/// r = 4 s / 40 s: 4 s and 0.4 s of copying, 40 ms of downtime, 4.44 GiB. The next job waits for a
/// machine until the first has left one, for both are held until then.
#[test]
fn a_live_migration_is_down_for_the_last_round() {
    let jobs = vec![job(0, 0, 3_600), job(1, 1_001, 100)];
    let (outcome, summary, seen) = moved(&two(), jobs, Manner::Live);
    assert_eq!(outcome.ended, millis(3_600_040));
    let left = millis(1_004_400);
    assert_eq!(seen.started, [(0, secs(0)), (0, left), (1, left)]);
    assert_eq!(summary.work.migrations, 1);
    assert!(close(summary.overhead_core_hours, 4.0 * 0.04 / 3_600.0));
    assert_eq!(summary.cost.total.dollars(), 0.0888);
}

/// The network of one of the two machines is at half its speed from `from` to `until`, in milliseconds.
fn slow(machine: u32, from: i64, until: Option<i64>) -> World {
    let mut world = two();
    world.faults.push(Fault {
        effect: FaultEffect::NetworkSpeed(500_000),
        times: FaultTimes::Periods(vec![(millis(from), until.map(millis))]),
        ..machine_fails(machine, 0, None)
    });
    world
}

/// At either end: all of it takes 8 s. From 1,002 to 1,004 at the end where they go on, half of the 4 s
/// are over, then a quarter of them in two seconds, and one is left. What happens later where they were
/// does not matter.
#[test]
fn memory_takes_longer_over_a_slow_network() {
    let ended = |machine, from, until| {
        let world = slow(machine, from, until);
        moved(&world, vec![job(0, 0, 3_600)], Manner::Cold).0.ended
    };
    assert_eq!([0, 1].map(|machine| ended(machine, 900_000, None)), [secs(3_608); 2]);
    assert_eq!(ended(1, 1_002_000, Some(1_004_000)), secs(3_605));
    assert_eq!(ended(1, 1_002_000, None), secs(3_606));
    assert_eq!(ended(0, 1_002_000, None), secs(3_604));
    // Slow from before they left until the middle of it.
    assert_eq!(ended(1, 900_000, Some(1_004_000)), secs(3_606));
    // The end that they left stays as it was then.
    assert_eq!(ended(0, 900_000, Some(1_004_000)), secs(3_608));
}

/// From 1,002 to 1,003 at either end it takes half a second more to copy 4 s and 0.4 s, and a pause of
/// 40 ms. In a pause that is slow from the middle on the rest takes twice as long. Slow from before it
/// begins, with r = 8 s / 40 s: 8 s, 1.6 s, 0.32 s and a pause of 64 ms, or shorter where it is fast then.
#[test]
fn memory_is_copied_over_a_slow_network() {
    let went = |machine, from, until| {
        let world = slow(machine, from, until);
        let (outcome, summary, seen) = moved(&world, vec![job(0, 0, 3_600)], Manner::Live);
        assert_eq!(summary.work.migrations, 1);
        (seen.started[1].1.micros() / 1_000, outcome.ended.micros() / 1_000 - 3_600_000)
    };
    let short = [0, 1].map(|machine| went(machine, 1_002_000, Some(1_003_000)));
    assert_eq!(short, [(1_004_900, 40); 2]);
    assert_eq!(went(1, 1_004_420, None), (1_004_400, 60));
    assert_eq!(went(1, 1_004_000, None), (1_004_800, 80));
    assert_eq!(went(0, 900_000, None), (1_009_920, 64));
    assert_eq!(went(1, 900_000, Some(1_009_900)), (1_009_910, 32));
}

/// Within a region it costs nothing.
#[test]
fn a_move_within_a_region_is_free() {
    let machine = |place: &str| OfferSpec::owned(place, "m", SHAPE, 1).named(place);
    let world = World::builder().offer(machine("dc/a/a1")).offer(machine("dc/a/a2"));
    let mut world = world.build().expect("a world");
    world.migration = TERMS;
    let (outcome, summary, _) = moved(&world, vec![job(0, 0, 3_600)], Manner::Cold);
    assert_eq!((outcome.ended, summary.cost.total.dollars()), (secs(3_604), 0.0));
}

/// The memory went along, and was on no disk: what the new machine loses is all of it.
#[test]
fn what_was_carried_over_is_lost_with_the_new_machine() {
    let mut world = two();
    world.faults.push(machine_fails(1, 2_000, None));
    let (outcome, summary, _) = moved(&world, vec![job(0, 0, 3_600)], Manner::Cold);
    assert_eq!(outcome.ended, secs(2_000 + 3_600));
    assert!(close(summary.lost_core_hours, 4.0 * 1_996.0 / 3_600.0));
    assert!(close(summary.useful_core_hours, 4.0));
    assert!(close(summary.overhead_core_hours, 4.0 * 4.0 / 3_600.0));
}

/// A checkpoint at 600 s is what is left at 1,500 s: the next is due 600 s after the move.
#[test]
fn checkpoints_are_kept_across_a_migration() {
    let mut world = two();
    world.faults.push(machine_fails(1, 1_500, None));
    let mut names = Interner::default();
    let mut work = job(0, 0, 3_600);
    let free = Checkpoint { write: Span::ZERO, blocking: true, restore: Span::ZERO };
    work.ask.checkpoint = Some(names.checkpoint(free));
    let every = Span::from_secs(600);
    let spec = PolicySpec {
        checkpoint: checkpoint::PERIODIC.spec().set("every", every),
        ..PolicySpec::named("p")
    };
    let (outcome, summary, _) = run(&world, (names, vec![work]), &spec, Some(Manner::Cold));
    assert_eq!(outcome.ended, secs(1_500 + 3_000));
    assert!(close(summary.lost_core_hours, 4.0 * (400.0 + 496.0) / 3_600.0));
}

/// While tasks are copied they are where they were: a target that fails changes nothing for them,
/// and 2 GiB of the 4.44 were copied. Their own machine takes everything with it.
#[test]
fn tasks_that_are_copied_are_where_they_were() {
    let mut world = two();
    world.faults.push(machine_fails(1, 1_002, Some(1_100)));
    let (outcome, summary, _) = moved(&world, vec![job(0, 0, 3_600)], Manner::Live);
    assert_eq!((outcome.ended, summary.work.migrations), (secs(3_600), 0));
    assert_eq!((summary.lost_core_hours, summary.cost.total.dollars()), (0.0, 0.04));

    let mut world = two();
    world.faults.push(machine_fails(0, 1_002, None));
    let (outcome, summary, _) = moved(&world, vec![job(0, 0, 3_600)], Manner::Live);
    assert_eq!((outcome.ended, summary.work.failures), (secs(1_002 + 3_600), 1));
    assert_eq!(summary.cost.total.dollars(), 0.04);
}

/// Who is done before it has left does not leave, also in the very moment.
#[test]
fn who_is_done_does_not_move() {
    for (length, started) in
        [(millis(1_002_000), 1), (millis(1_004_400), 1), (millis(1_004_401), 2)]
    {
        let mut work = job(0, 0, 1);
        *work.body.length_mut() = Some(length - Time::ZERO);
        let (outcome, summary, seen) = moved(&two(), vec![work], Manner::Live);
        assert_eq!(seen.started.len(), started, "{length:?}");
        assert_eq!(summary.work.migrations, started as u64 - 1);
        assert_eq!(outcome.ended, if started == 1 { length } else { millis(1_004_441) });
    }
}

/// Input is not read again, and output is written from the new place.
#[test]
fn input_stays_in_memory() {
    let mut world = two();
    let row = |link: &mut Link| *link = Link { bytes_per_sec: 1 << 20, ..*link };
    world.links.iter_mut().for_each(row);
    let mut names = Interner::default();
    let mut work = job(0, 0, 3_600);
    let home = Some(names.home("dc/a"));
    work.ask = Ask { home, input: 50 << 20, output: 60 << 20, ..work.ask };
    let spec = PolicySpec::named("p");
    let (outcome, summary, _) = run(&world, (names, vec![work]), &spec, Some(Manner::Cold));
    // 50 s for the input, 4 GiB at a MiB a second, and a minute for the output; the way back is free.
    assert_eq!(outcome.ended, secs(50 + 3_600 + 4_096 + 60));
    assert_eq!(summary.cost.total.dollars(), 0.08);
}

/// Work that loses its machine reads its input again where it goes on, and pays for it again: 100 GiB at
/// a GiB a second and two cents, twice.
#[test]
fn work_that_starts_again_elsewhere_reads_its_input_again() {
    let machine = |place: &str, count| OfferSpec::owned(place, "m", SHAPE, count).named(place);
    let world = World::builder().offer(machine("dc/a/a1", 1)).offer(machine("dc/b/b1", 1));
    let link = Link { nanos_per_gib: 20_000_000, bytes_per_sec: 1 << 30, path: None };
    let world = world.offer(machine("dc/c/c1", 0));
    let mut world =
        world.link("dc/c", "dc/a", link).link("dc/c", "dc/b", link).build().expect("ok");
    world.faults.push(machine_fails(0, 1_000, None));
    let mut names = Interner::default();
    let mut work = job(0, 0, 3_600);
    work.ask = Ask { home: Some(names.home("dc/c")), input: 100 << 30, ..work.ask };
    let spec = PolicySpec::named("p");
    let (outcome, summary, _) = run(&world, (names, vec![work]), &spec, None);
    assert_eq!(outcome.ended, secs(1_000 + 100 + 3_600));
    assert_eq!(summary.cost.total.dollars(), 4.0);
    assert!(close(summary.lost_core_hours, 4.0 * 900.0 / 3_600.0));
}

/// Refusals, each of which would end a run.
#[test]
fn only_tasks_that_compute_move_and_only_to_machines_that_are_ready() {
    struct Asker(Box<dyn Policy>);
    impl Policy for Asker {
        fn needs(&self) -> Needs {
            self.0.needs()
        }
        fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
            self.0.decide(triggers, turn);
            if triggers.contains(&Trigger::Begins) {
                turn.wake(secs(10)).expect("it is later");
            }
            if turn.now() == secs(10) && triggers.contains(&Trigger::Timer) {
                let (from, _) = ends(turn);
                let third = turn.instances().find(|(_, one)| one.ordinal == 2);
                let (to, _) = third.expect("it is there");
                let share = |instance, tasks| [Share { instance, tasks, devices: 0 }];
                let booting = turn.rent(Id::new(2)).expect("it can be rented");
                let mut ask = |share: &[Share]| turn.migrate(from, share, Manner::Live);
                assert_eq!(ask(&share(to, 2)), Err(Refusal::TaskCount));
                assert_eq!(ask(&[]), Err(Refusal::TaskCount));
                assert_eq!(ask(&share(booting, 1)), Err(Refusal::NotReady));
                assert_eq!(ask(&share(to, 1)), Ok(()));
                assert_eq!(ask(&share(to, 1)), Err(Refusal::NotComputing));
                let (_, other) = turn.works().find(|(_, live)| live.id.ordinal == 1).expect("it");
                let other = other.allocations[0];
                let refused = turn.migrate(other, &share(to, 1), Manner::Cold);
                assert_eq!(refused, Err(Refusal::NoRoom));
            }
        }
    }
    let cluster = OfferSpec::owned("dc/a/a1", "m", SHAPE, 3);
    let cloud = OfferSpec::on_demand("c/a/a1", "m", SHAPE, "1");
    let cloud = cloud.boot(Distribution::Constant(60.0));
    let more = OfferSpec::owned("dc/a/a1", "n", SHAPE, 0);
    let world = World::builder().offer(cluster).offer(more).offer(cloud).build().expect("a world");
    let mut policy = Asker(policy::build(&PolicySpec::named("p")));
    let mut first = job(0, 0, 100);
    first.ask.demand.cpu = 1_000;
    let mut source = WorkList::new(vec![first, job(1, 1, 100)]);
    let mut laws = Laws::new(true);
    let options = Options { tolerate_illegal: true, ..Options::default() };
    let run = Run::new(&world, &mut source).policy(&mut policy).options(options);
    run.observe(&mut laws).run().expect("it runs");
    assert_eq!(laws.broken(), None);
}

/// Two spot machines of which one is taken back at 1,000 s, and an owned one that is busy until 1,020.
fn spot(notice: i64) -> World {
    let spot = OfferSpec::spot("c/a/a1", "m", SHAPE, "3.6").boot(Distribution::Constant(0.0));
    let path = CapacityPath::known(Some(1), vec![(secs(1_000), Some(0))]);
    let owned = OfferSpec::owned("dc/b/b1", "n", SHAPE, 1);
    let world = World::builder().offer(owned).offer(spot.capacity(path));
    let world = world.provider("c", |one| one.spot.notice = Span::from_secs(notice));
    let mut world = world.build().expect("a world");
    world.migration = TERMS;
    world
}

fn leaves(word: &'static str) -> PolicySpec {
    PolicySpec {
        provision: provision::CHEAPEST.spec().set("markets", vec![Market::Spot]),
        release: release::IDLE.spec(),
        recover: recover::ANYWHERE.spec().set("on_warning", word),
        ..PolicySpec::named("p")
    }
}

/// The second job is warned at 1,000 s, finds the owned machine free at 1,020, and is there in time.
#[test]
fn warned_work_moves_where_there_is_room_in_time() {
    let jobs = || (Interner::default(), vec![job(0, 0, 1_020), job(1, 0, 3_600)]);
    let (outcome, summary, _) = run(&spot(120), jobs(), &leaves("live-migrate"), None);
    assert_eq!(outcome.ended, millis(3_600_040));
    assert_eq!((summary.work.migrations, summary.work.interruptions), (1, 0));
    // Its machine, which takes no more work, is paid for until it goes.
    assert_eq!(summary.cost.total.dollars(), 1.12);

    let (outcome, summary, _) = run(&spot(120), jobs(), &leaves("migrate"), None);
    assert_eq!((outcome.ended, summary.work.migrations), (secs(3_604), 1));

    // 22 s are too short for 20 s and a copy, and `stay` stays.
    for (notice, word) in [(22, "live-migrate"), (120, "stay")] {
        let (outcome, summary, _) = run(&spot(notice), jobs(), &leaves(word), None);
        assert_eq!((summary.work.migrations, summary.work.interruptions), (0, 1));
        assert_eq!(outcome.ended, secs(1_000 + notice + 3_600));
    }
}

/// Three jobs of one core each that came with two of three cores: when these are done, the second
/// machine is emptied and given back.
#[test]
fn work_is_moved_together() {
    let offer = OfferSpec::on_demand("c/a/a1", "m", SHAPE, "3.6");
    let offer = offer.boot(Distribution::Constant(0.0));
    let mut world = World::builder().offer(offer).build().expect("a world");
    world.migration = TERMS;
    let part = |row, cpu, length| {
        let demand = Demand { cpu, memory: 1_024, ..Demand::default() };
        Work::job(row, Time::ZERO, demand, Span::from_secs(length))
    };
    let jobs = || {
        let all = [(1_000, 7_200), (3_000, 1_000), (1_000, 7_200), (3_000, 1_000)];
        let jobs =
            all.iter().enumerate().map(|(row, &(cpu, length))| part(row as u64, cpu, length));
        (Interner::default(), jobs.collect())
    };
    let spec = |release| PolicySpec {
        provision: provision::CHEAPEST.spec(),
        release,
        ..PolicySpec::named("p")
    };
    let together = release::CONSOLIDATE.spec().set("every", Span::from_secs(60));
    for (word, ended, dollars) in
        [("migrate", secs(7_201), 7.201 + 1.0), ("live-migrate", millis(7_200_025), 7.201 + 1.001)]
    {
        let spec = spec(together.clone().set("manner", word));
        let (outcome, summary, _) = run(&world, jobs(), &spec, None);
        assert_eq!((outcome.ended, summary.work.migrations), (ended, 1), "{word}");
        assert!(close(summary.cost.total.dollars(), dollars), "{}", summary.cost.total.dollars());
    }
    let (_, summary, _) = run(&world, jobs(), &spec(release::IDLE.spec()), None);
    assert_eq!((summary.work.migrations, summary.cost.total.dollars()), (0, 14.4));
}
