//! Spot instances that are stopped when there is no capacity, and start again, worked out by hand.

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{
    CapacityPath, Checkpoint, Interner, Link, Market, OfferSpec, Reclaimed, Work, World,
};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, checkpoint, provision, recover, release};
use windtunnel::sim::{Observer, Options, Outcome, Run};
use windtunnel::state::{Ending, Exit, Record, State};
use windtunnel::units::{Demand, Distribution, Money, Shape, Span, Time};
use windtunnel::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 4_000, memory: 4_096, gpus: 0 };

fn secs(at: i64) -> Time {
    Time::from_secs(at)
}

/// A spot machine for a thousandth of a dollar a second, which boots in 10 s, is warned 120 s before it
/// goes and starts again in 30 s. There is capacity for so many from these seconds on.
fn spot(capacity: &[(i64, u32)], reclaimed: Reclaimed) -> World {
    let changes = capacity[1..].iter().map(|&(at, count)| (secs(at), Some(count))).collect();
    let path = CapacityPath::known(Some(capacity[0].1), changes);
    let offer = OfferSpec::spot("c/a/a1", "m", SHAPE, "3.6").boot(Distribution::Constant(10.0));
    // Dear, and never rented but where there is no other.
    let dear = OfferSpec::on_demand("c/a/a1", "d", SHAPE, "36").boot(Distribution::Constant(10.0));
    let home = OfferSpec::owned("dc/b/b1", "n", Shape { cpu: 1, memory: 1, gpus: 0 }, 1);
    let world = World::builder().offer(offer.capacity(path)).offer(dear).offer(home);
    let link = Link { nanos_per_gib: 20_000_000, bytes_per_sec: 1 << 20, path: None };
    let world = world.link("dc/b", "c/a", link).link("c/a", "dc/b", link);
    let world = world.provider("c", |one| {
        one.spot.notice = Span::from_secs(120);
        (one.spot.reclaimed, one.spot.restart) = (reclaimed, Span::from_secs(30));
    });
    world.build().expect("a world")
}

/// The usual weather: no capacity from 1,000 to 2,000 s.
const GAP: &[(i64, u32)] = &[(0, 1), (1_000, 0), (2_000, 1)];

/// Work of an hour on a whole machine.
fn job() -> Work {
    let demand = Demand { cpu: 4_000, memory: 4_096, ..Demand::default() };
    Work::job(0, Time::ZERO, demand, Span::HOUR)
}

fn rents(markets: &[Market]) -> PolicySpec {
    PolicySpec {
        provision: provision::CHEAPEST.spec().set("markets", markets.to_vec()),
        release: release::IDLE.spec(),
        ..PolicySpec::named("p")
    }
}

/// What the observer sees of stops and restarts. The owned machine is instance 0.
#[derive(Default)]
struct Seen {
    /// Instances that ended so, and the restarts, with their old and new numbers.
    exits: Vec<Exit>,
    restarts: Vec<(u32, u32)>,
    endings: Vec<Ending>,
    /// Progress in memory that was given up, in seconds: what counts, and what is lost.
    given_up: Vec<[i128; 2]>,
}

impl Observer for Seen {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Released { exit, .. } => self.exits.push(exit),
            Record::Restarted { instance, was } => {
                self.restarts.push((was, state.instance(instance).ordinal));
            }
            Record::Stopped { ending, .. } => self.endings.push(ending),
            Record::GivenUp { useful, lost, .. } => {
                self.given_up.push([useful, lost].map(|each| each / 1_000_000_000_000));
            }
            _ => {}
        }
    }
}

fn run(world: &World, work: Vec<Work>, spec: &PolicySpec) -> (Outcome, Summary, Seen) {
    run_until(world, (Interner::default(), work), spec, None)
}

fn run_until(
    world: &World,
    work: (Interner, Vec<Work>),
    spec: &PolicySpec,
    horizon: Option<Time>,
) -> (Outcome, Summary, Seen) {
    let mut policy = policy::build(spec);
    let mut observer = ((Collector::default(), Laws::new(true)), Seen::default());
    let mut source = WorkList::new(work.1).named(work.0);
    let options = Options { horizon, ..Options::default() };
    let run = Run::new(world, &mut source).policy(&mut *policy).options(options);
    let outcome = run.observe(&mut observer).run().expect("it runs");
    let ((collector, laws), seen) = observer;
    assert_eq!(laws.broken(), None);
    let summary = collector.summary(world, &[], &outcome);
    (outcome, summary, seen)
}

fn core_hours(seconds: i64) -> f64 {
    4.0 * seconds as f64 / 3_600.0
}

/// It runs from 10 to 1,000 s, hibernates at once, is ready again at 2,030 s and has 2,610 s left.
#[test]
fn what_hibernates_goes_on_where_it_was() {
    let world = spot(GAP, Reclaimed::Hibernated);
    let (outcome, summary, seen) = run(&world, vec![job()], &rents(&[Market::Spot]));
    assert_eq!(outcome.ended, secs(4_640));
    assert_eq!(seen.endings, [Ending::Hibernated, Ending::Done]);
    assert_eq!(seen.exits[..2], [Exit::Stopped, Exit::Returned]);
    assert_eq!(seen.restarts, [(1, 2)]);
    assert_eq!((summary.work.interruptions, seen.given_up.len()), (1, 0));
    // A dollar before, nothing while it is stopped, and 2,640 s after.
    assert_eq!(summary.cost.total.dollars(), 3.64);
}

/// It is warned at 1,000 s and goes on to 1,120; then it starts anew, or from its last checkpoint.
#[test]
fn what_is_stopped_starts_again_from_its_disk() {
    let world = spot(GAP, Reclaimed::Stopped);
    let (outcome, summary, seen) = run(&world, vec![job()], &rents(&[Market::Spot]));
    assert_eq!(outcome.ended, secs(2_030 + 3_600));
    assert_eq!(seen.endings, [Ending::Interrupted, Ending::Done]);
    assert_eq!(seen.restarts, [(1, 2)]);
    assert_eq!(summary.cost.total.dollars(), 1.12 + 3.63);

    // Each 500 s of computing are saved at no cost: at 1,120 s, 1,000 of 1,110. 40 s to read that.
    let mut names = Interner::default();
    let restore = Span::from_secs(40);
    let checkpoint = Checkpoint { restore, ..Checkpoint::blocking(Span::ZERO) };
    let mut work = job();
    work.ask.checkpoint = Some(names.checkpoint(checkpoint));
    let every = checkpoint::PERIODIC.spec().set("every", Span::from_secs(500));
    let spec = PolicySpec { checkpoint: every, ..rents(&[Market::Spot]) };
    let (outcome, ..) = run_until(&world, (names, vec![work]), &spec, None);
    assert_eq!(outcome.ended, secs(2_030 + 40 + 2_600));
}

/// A GiB at a MiB a second takes 1,024 s, and two cents. Capacity goes at 1,500 s: by then it has
/// computed for 466 s, or until 1,620 for 586. Who is stopped has its input; who is gone reads it anew.
#[test]
fn a_stopped_instance_keeps_the_input_of_its_work() {
    let gap: &[(i64, u32)] = &[(0, 1), (1_500, 0), (2_000, 1)];
    let cases = [
        (Reclaimed::Hibernated, 2_030 + 3_600 - 466, 0.02),
        (Reclaimed::Stopped, 2_030 + 3_600, 0.02),
        (Reclaimed::Terminated, 2_000 + 10 + 1_024 + 3_600, 0.04),
    ];
    for (reclaimed, ended, moved) in cases {
        let mut names = Interner::default();
        let mut work = job();
        (work.ask.home, work.ask.input) = (Some(names.home("dc/b")), 1 << 30);
        let world = spot(gap, reclaimed);
        // Who tries again does so at the moment at which there is capacity.
        let mut spec = rents(&[Market::Spot]);
        spec.provision = spec.provision.set("retry", Span::from_secs(10));
        let (outcome, summary, _) = run_until(&world, (names, vec![work]), &spec, None);
        assert_eq!(outcome.ended, secs(ended), "{reclaimed:?}");
        let transfers = summary.cost.by_kind.iter().find(|(kind, _)| kind == "transfer");
        let transfers = transfers.map(|(_, amount)| amount.dollars());
        assert_eq!(transfers, Some(moved), "{reclaimed:?}");
    }
}

/// Capacity goes again as the instance boots: what was in memory stays there.
#[test]
fn an_instance_may_be_stopped_again_before_it_is_ready() {
    let gaps: &[(i64, u32)] = &[(0, 1), (1_000, 0), (2_000, 1), (2_010, 0), (3_000, 1)];
    let world = spot(gaps, Reclaimed::Hibernated);
    let (outcome, summary, seen) = run(&world, vec![job()], &rents(&[Market::Spot]));
    assert_eq!(outcome.ended, secs(3_030 + 2_610));
    assert_eq!(seen.restarts, [(1, 2), (2, 3)]);
    assert_eq!(summary.cost.total, Money::from_nanos(3_650_000_000));
}

/// Whose patience ends goes elsewhere, and loses what was in memory: 990 s of four cores.
#[test]
fn who_does_not_wait_gives_up_what_was_in_memory() {
    let world = spot(GAP, Reclaimed::Hibernated);
    let patience = |secs| {
        let wait = recover::ANYWHERE.spec().set("stopped_for", Span::from_secs(secs));
        PolicySpec { recover: wait, ..rents(&[Market::Spot, Market::OnDemand]) }
    };
    for (wait, starts) in [(300, 1_310), (0, 1_010)] {
        let (outcome, summary, seen) = run(&world, vec![job()], &patience(wait));
        assert_eq!(outcome.ended, secs(starts + 3_600), "{wait}");
        assert_eq!((seen.given_up, seen.restarts.len()), (vec![[0, 990]], 0), "{wait}");
        let lost = summary.lost_core_hours;
        assert!((lost - core_hours(990)).abs() < 1e-9, "{lost}");
    }
    // For longer than the gap it need not wait.
    let (outcome, ..) = run(&world, vec![job()], &patience(1_200));
    assert_eq!(outcome.ended, secs(4_640));
}

/// Nobody knows whether there will be capacity again: work waits for a day unless it is said how long.
#[test]
fn whoever_says_nothing_waits_for_a_day() {
    let world = spot(&[(0, 1), (1_000, 0)], Reclaimed::Hibernated);
    let (outcome, _, seen) = run(&world, vec![job()], &rents(&[Market::Spot, Market::OnDemand]));
    assert_eq!(outcome.ended, secs(1_000 + 86_400 + 10 + 3_600));
    assert_eq!(seen.given_up, [[0, 990]]);
}

/// Each stop has its own patience: 990 s and, from 1,530 to 3,000, 1,470 s are in memory until 6,000 s.
#[test]
fn patience_begins_anew_with_each_stop() {
    let gaps: &[(i64, u32)] = &[(0, 1), (1_000, 0), (1_500, 1), (3_000, 0), (20_000, 1)];
    let world = spot(gaps, Reclaimed::Hibernated);
    let wait = recover::ANYWHERE.spec().set("stopped_for", Span::from_secs(3_000));
    let spec = PolicySpec { recover: wait, ..rents(&[Market::Spot, Market::OnDemand]) };
    let mut long = job();
    *long.body.length_mut() = Some(Span::from_secs(9_000));
    let (outcome, _, seen) = run(&world, vec![long], &spec);
    assert_eq!((outcome.ended, seen.given_up), (secs(6_010 + 9_000), vec![[0, 2_460]]));
}

/// Once it waits no longer, a stop is a loss like any other, of which `retries` allows none here.
#[test]
fn the_recover_part_holds_after_the_wait() {
    let world = spot(GAP, Reclaimed::Hibernated);
    let none = recover::ANYWHERE.spec().set("stopped_for", Span::from_secs(300)).set("retries", 0);
    let spec = PolicySpec { recover: none, ..rents(&[Market::Spot, Market::OnDemand]) };
    let (outcome, summary, seen) = run(&world, vec![job()], &spec);
    assert_eq!((summary.work.refused, outcome.ended), (1, secs(1_300)));
    assert_eq!(seen.given_up, [[0, 990]]);
}

/// The instance is ended at 1,000 s, its age limit; the next one is ready at 1,010 and reads the
/// checkpoint of 500 s until 1,040. It hibernates at 1,030: 10 s are left to read, and 900 of 1,400.
#[test]
fn what_is_left_to_restore_is_read_after_a_stop() {
    let mut world = spot(&[(0, 1), (1_030, 0), (2_000, 1)], Reclaimed::Hibernated);
    for provider in world.providers.rows_mut() {
        provider.spot.longest = Some(Span::from_secs(1_000));
    }
    let mut names = Interner::default();
    let restore = Span::from_secs(30);
    let checkpoint = Checkpoint { restore, ..Checkpoint::blocking(Span::ZERO) };
    let mut work = job();
    *work.body.length_mut() = Some(Span::from_secs(1_400));
    work.ask.checkpoint = Some(names.checkpoint(checkpoint));
    let every = checkpoint::PERIODIC.spec().set("every", Span::from_secs(500));
    let spec = PolicySpec { checkpoint: every, ..rents(&[Market::Spot]) };
    let (outcome, _, seen) = run_until(&world, (names, vec![work]), &spec, None);
    assert_eq!(seen.endings, [Ending::Interrupted, Ending::Hibernated, Ending::Done]);
    assert_eq!(outcome.ended, secs(2_030 + 10 + 900));
}

/// Of two that hibernate one has capacity again, and its instance makes room for the other.
#[test]
fn who_is_done_makes_room_for_another_that_is_stopped() {
    let world = spot(&[(0, 2), (1_000, 0), (2_000, 1)], Reclaimed::Hibernated);
    let mut second = job();
    second.id.ordinal = 1;
    let (outcome, _, seen) = run(&world, vec![job(), second], &rents(&[Market::Spot]));
    assert_eq!(outcome.ended, secs(4_640 + 30 + 2_610));
    assert_eq!((seen.restarts.len(), seen.given_up.len()), (2, 0));
}

/// The run may be over before: what is in memory counts as what runs does.
#[test]
fn what_is_in_memory_at_the_end_counts() {
    let world = spot(GAP, Reclaimed::Hibernated);
    let work = (Interner::default(), vec![job()]);
    let (_, summary, seen) = run_until(&world, work, &rents(&[Market::Spot]), Some(secs(1_500)));
    assert_eq!(seen.given_up, [[990, 0]]);
    let useful = summary.useful_core_hours;
    assert!((useful - core_hours(990)).abs() < 1e-9, "{useful}");
    assert_eq!(summary.cost.total.dollars(), 1.0);
}

/// Of two stopped instances the older one starts first, and in the slot that is free.
#[test]
fn the_oldest_starts_first() {
    let capacity: &[(i64, u32)] = &[(0, 2), (1_000, 0), (2_000, 1), (3_000, 2)];
    let world = spot(capacity, Reclaimed::Hibernated);
    let mut second = job();
    second.id.ordinal = 1;
    let (outcome, _, seen) = run(&world, vec![job(), second], &rents(&[Market::Spot]));
    assert_eq!(seen.restarts, [(1, 3), (2, 4)]);
    assert_eq!(outcome.ended, secs(3_030 + 2_610));
}

/// Gangs on several instances, and instances without work, are not kept.
#[test]
fn what_cannot_go_on_alone_is_not_kept() {
    let capacity: &[(i64, u32)] = &[(0, 2), (1_000, 0), (2_000, 2)];
    let world = spot(capacity, Reclaimed::Hibernated);
    let mut gang = job();
    (gang.ask.tasks, gang.ask.gang) = (2, true);
    let mut spec = rents(&[Market::Spot]);
    spec.provision = spec.provision.set("retry", Span::from_secs(10));
    let (outcome, _, seen) = run(&world, vec![gang], &spec);
    assert_eq!(outcome.ended, secs(2_010 + 3_600));
    assert_eq!(seen.endings, [Ending::Interrupted, Ending::Done]);
    assert!(seen.restarts.is_empty());
    let gone = |exit: &&Exit| **exit == Exit::Reclaimed;
    assert_eq!(seen.exits.iter().filter(gone).count(), 2);
}
