//! Launches: the stages of a boot, those that come to nothing, and those that are refused, by hand.

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{
    Fault, FaultDomain, FaultEffect, FaultTimes, Filter, Interner, LaunchStage, LaunchTerms,
    Market, OfferSpec, PricePath, Rules, Surge, Throttle, Work, World,
};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, backfill, provision, recover, release};
use windtunnel::sim::{Observer, Outcome, Run};
use windtunnel::state::{Record, State};
use windtunnel::units::{Demand, Distribution, Id, Rate, Shape, Span, Time};
use windtunnel::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 4_000, memory: 4_096, gpus: 0 };

/// A world of one offer on demand at 3.60 USD an hour.
fn world(terms: LaunchTerms) -> World {
    let offer = OfferSpec::on_demand("cloud/r/r-a", "m", SHAPE, "3.6").launch(terms);
    World::builder().offer(offer).build().expect("a world")
}

fn boot(secs: f64) -> LaunchTerms {
    LaunchTerms::taking(Distribution::Constant(secs))
}

/// An hour of work on a whole machine.
fn hour(row: u64, arrival: i64) -> Work {
    let demand = Demand { cpu: 4_000, memory: 1_024, ..Demand::default() };
    Work::job(row, Time::from_secs(arrival), demand, Span::HOUR)
}

/// A run that rents on demand, gives back at once what is idle, and asks again every minute.
fn run(world: &World, jobs: Vec<Work>) -> (Outcome, Summary) {
    let markets = vec![Market::OnDemand];
    let spec = PolicySpec {
        provision: provision::CHEAPEST
            .spec()
            .set("markets", markets)
            .set("retry", Span::from_secs(60)),
        release: release::IDLE.spec(),
        ..PolicySpec::named("rents")
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

#[test]
fn the_stages_of_a_boot_follow_each_other() {
    let mut terms = boot(60.0);
    for (stage, secs) in
        [(LaunchStage::Request, 10.0), (LaunchStage::Image, 30.0), (LaunchStage::WarmUp, 5.0)]
    {
        terms.stages[stage as usize] = Distribution::Constant(secs);
    }
    assert_eq!((terms.mean(), terms.least(0.5)), (Span::from_secs(105), 105.0));
    let (outcome, summary) = run(&world(terms), vec![hour(0, 0)]);
    assert_eq!(outcome.ended, Time::from_secs(105 + 3_600));
    assert_eq!(summary.cost.total.dollars(), 3.705);
}

/// Each stage has draws of its own: of two that are exponential with a mean of 50 s each the sum has a
/// mean of 100 s and a variance of 5,000 (Erlang), of 4,000 jobs within four standard errors.
#[test]
fn stages_are_drawn_apart() {
    let mut terms = boot(0.0);
    let law = || Distribution::exponential(50.0).expect("a law");
    terms.stages[LaunchStage::Provision as usize] = law();
    terms.stages[LaunchStage::Image as usize] = law();
    let jobs = 4_000;
    let (_, summary) = run(&world(terms), (0..jobs).map(|row| hour(row, 0)).collect());
    let mean = summary.wait_s.mean.expect("all wait");
    let error = (5_000.0 / jobs as f64).sqrt();
    assert!((mean - 100.0).abs() < 4.0 * error, "{mean}");
}

/// Half of the launches come to nothing after 100 s, and another is asked for at once: so each job
/// waits for as many as fail before one succeeds, one in the mean with a variance of two (geometric).
/// They cost nothing, also by the minute at least.
#[test]
fn launches_that_come_to_nothing_cost_time_and_no_money() {
    let mut terms = boot(60.0);
    (terms.fails, terms.fails_after) = (500_000, Distribution::Constant(100.0));
    let mut world = world(terms);
    for provider in world.providers.rows_mut() {
        provider.billing.minimum = Span::HOUR + Span::HOUR;
    }
    let jobs = 2_000;
    let (_, summary) = run(&world, (0..jobs).map(|row| hour(row, 0)).collect());
    let failed = summary.work.failed_launches as f64;
    let spread = (2.0 * jobs as f64).sqrt();
    assert!((failed - jobs as f64).abs() < 4.0 * spread, "{failed}");
    assert_eq!(summary.instances_launched, jobs + failed as u64);
    let waited = summary.wait_s.mean.expect("all wait") * jobs as f64;
    assert!((waited - (60.0 * jobs as f64 + 100.0 * failed)).abs() < 1e-3, "{waited}");
    assert_eq!(summary.cost.total.dollars(), 7.2 * jobs as f64);
    // The price doubles at 50 s, while the first of them fail: those that succeed cost two hours, and of
    // the first wave 50 s at half the price.
    let dimes = |dimes: i64| Rate::from_picos(dimes * 100_000_000_000);
    let doubled = vec![(Time::from_secs(50), dimes(72))];
    world.offers.rows_mut()[0].price = PricePath::known(dimes(36), doubled);
    let (_, summary) = run(&world, (0..jobs).map(|row| hour(row, 0)).collect());
    let first = (14.4 * jobs as f64 - summary.cost.total.dollars()) / 0.05;
    assert!((first - first.round()).abs() < 1e-6, "{first}");
    let spread = (jobs as f64 / 4.0).sqrt();
    assert!((first - jobs as f64 / 2.0).abs() < 4.0 * spread, "{first}");
}

/// Two at once and one more each 100 s, asked for each minute: at 0, 0, 120, 240 and 300.
#[test]
fn launches_are_throttled() {
    let mut world = world(boot(60.0));
    for provider in world.providers.rows_mut() {
        provider.throttle = Some(Throttle { burst: 2, every: Span::from_secs(100) });
    }
    let (outcome, summary) = run(&world, (0..5).map(|row| hour(row, 0)).collect());
    assert_eq!(outcome.ended, Time::from_secs(300 + 60 + 3_600));
    let waited = summary.wait_s.mean.expect("all wait") * 5.0;
    assert!((waited - f64::from(60 * 5 + 120 + 240 + 300)).abs() < 1e-6, "{waited}");
}

/// The zone beside the only one that is left is out until 1,000, and all come here until 1,500.
#[test]
fn a_lost_zone_refuses_launches_in_its_sister() {
    let mut world = world(boot(60.0));
    world.faults.push(Fault {
        name: "flood".into(),
        offers: Vec::new(),
        domain: FaultDomain::Share(1_000_000),
        effect: FaultEffect::MachinesAndLaunches,
        times: FaultTimes::Periods(vec![(Time::ZERO, Some(Time::from_secs(1_000)))]),
        loses_data_of: Vec::new(),
        surge: Some(Surge {
            offers: vec![Id::new(0)],
            chance: 1_000_000,
            after: Span::from_secs(500),
        }),
        crews: None,
    });
    let (outcome, _) = run(&world, vec![hour(0, 0)]);
    assert_eq!(outcome.ended, Time::from_secs(1_500 + 60 + 3_600));
}

/// Two zones that are alike but in name, the first of which is preferred; its machines live for 1,000 s
/// once, from 1,000 on.
fn two_zones() -> World {
    let offer = |zone: &str, price| {
        let place = format!("cloud/r/r-{zone}");
        OfferSpec::on_demand(&place, "m", SHAPE, price).boot(Distribution::Constant(60.0))
    };
    let mut world = World::builder()
        .offer(offer("a", "3.6"))
        .offer(offer("b", "7.2"))
        .build()
        .expect("a world");
    let times = [1_000, 2_000, 3_000, 4_000];
    let period = |&at: &i64| (Time::from_secs(at), Some(Time::from_secs(at + 1)));
    world.faults.push(Fault {
        name: "first zone".into(),
        offers: vec![Id::new(0)],
        domain: FaultDomain::Share(1_000_000),
        effect: FaultEffect::Machines,
        times: FaultTimes::Periods(times.iter().map(period).collect()),
        loses_data_of: Vec::new(),
        surge: None,
        crews: None,
    });
    world
}

/// End and cost of an hour of work in two zones, and whether it was done.
fn recovered(part: recover::RecoverSpec) -> (i64, f64, bool) {
    let spec = PolicySpec {
        provision: provision::CHEAPEST.spec().set("markets", vec![Market::OnDemand]),
        recover: part,
        ..PolicySpec::named("tries again")
    };
    let mut policy = policy::build(&spec);
    let mut observer = (Collector::default(), Laws::new(true));
    let mut source = WorkList::new(vec![hour(0, 0)]);
    let world = two_zones();
    let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    assert_eq!(observer.1.broken(), None);
    let summary = observer.0.summary(&world, &[], &outcome);
    let done = summary.work.finished == 1;
    (outcome.ended.micros() / 1_000_000, summary.cost.total.dollars(), done)
}

/// By the second of the cheap zone and the dear one: 1 and 2 thousandths of a dollar.
#[test]
fn work_that_lost_its_place_is_tried_again_where_its_policy_says() {
    // Fails at 1,000, 2,000, 3,000 and 4,000; each time another is rented at once.
    let anywhere = (4_000 + 60 + 3_600, 4.0 + 3.66, true);
    assert_eq!(recovered(recover::ANYWHERE.spec()), anywhere);
    assert_eq!(recovered(recover::SAME_PLACE.spec()), anywhere);
    // In the other zone from the first loss on. There is no other provider.
    let elsewhere = (1_000 + 60 + 3_600, 1.0 + 2.0 * 3.66, true);
    assert_eq!(recovered(recover::ELSEWHERE.spec()), elsewhere);
    assert_eq!(recovered(recover::OTHER_PROVIDER.spec()), anywhere);
    // Two retries: the third loss, at 3,000, is the last.
    assert_eq!(recovered(recover::ANYWHERE.spec().set("retries", 2)), (3_000, 3.0, false));
    // Waits for 600 s, and from 2,000 on for 1,200: it starts anew at 3,200, fails at 4,000, and waits
    // for 2,400.
    let backs_off = recover::ANYWHERE.spec().set("backoff", Span::from_secs(600));
    let end = 4_000 + 2_400 + 60 + 3_600;
    assert_eq!(recovered(backs_off.clone()), (end, 1.0 + 0.4 + 0.8 + 3.66, true));
    // At most for 700 s.
    let end = 4_000 + 700 + 60 + 3_600;
    let least = backs_off.set("longest", Span::from_secs(700));
    assert_eq!(recovered(least), (end, 1.0 + 0.4 + 0.3 + 0.3 + 3.66, true));
    // Keeps to the other zone for 30 s only, but is there by then.
    let short = recover::ELSEWHERE.spec().set("lasts", Span::from_secs(30));
    assert_eq!(recovered(short), elsewhere);
    // Waits longer than it keeps to the other zone.
    let late = recover::ELSEWHERE.spec().set("lasts", Span::from_secs(500));
    let late = late.set("backoff", Span::from_secs(600));
    assert_eq!(recovered(late), (4_000 + 2_400 + 60 + 3_600, 1.0 + 0.4 + 0.8 + 3.66, true));
}

/// Of two jobs the first, which may run at one provider only, can't be rented for from 600 to 20,000. The
/// other is tried again at 900 nevertheless: where it was, and then, or later, anywhere.
#[test]
fn who_waits_behind_work_that_cannot_be_rented_for_is_tried_again() {
    let offer = |place: &str| OfferSpec::on_demand(place, "m", SHAPE, "3.6");
    let world = World::builder().offer(offer("aws/r/r-a")).offer(offer("gcp/r/r-a"));
    let mut world = world.build().expect("a world");
    world.faults.push(Fault {
        name: "zone".into(),
        offers: vec![Id::new(0)],
        domain: FaultDomain::Share(1_000_000),
        effect: FaultEffect::MachinesAndLaunches,
        times: FaultTimes::Periods(vec![(Time::from_secs(600), Some(Time::from_secs(20_000)))]),
        loses_data_of: Vec::new(),
        surge: None,
        crews: None,
    });
    let mut names = Interner::default();
    let only = Filter { allowed: vec!["aws".into()], forbidden: Vec::new() };
    let mut bound = hour(0, 0);
    bound.ask.rules = names.rules(&Rules { providers: only, ..Rules::default() });
    let free = hour(1, 0);
    let five = Span::from_secs(300);
    let parts = [
        recover::SAME_PLACE.spec().set("lasts", five),
        recover::ANYWHERE.spec().set("backoff", five),
    ];
    for part in parts {
        let spec = PolicySpec {
            backfill: backfill::GREEDY.spec(),
            provision: provision::CHEAPEST.spec().set("markets", vec![Market::OnDemand]),
            recover: part,
            ..PolicySpec::named("tries again")
        };
        let mut policy = policy::build(&spec);
        let mut ends = Ends::default();
        let mut source = WorkList::new(vec![bound.clone(), free.clone()]).named(names.clone());
        let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut ends);
        run.run().expect("it runs");
        let [(first, at), (last, then)] = ends.0[..] else { panic!("{:?}", ends.0) };
        assert_eq!((first, at, last), (1, Time::from_secs(900 + 3_600), 0));
        assert!(then >= Time::from_secs(20_000 + 3_600), "{then:?}");
    }
}

/// Work in order of its end.
#[derive(Debug, Default)]
struct Ends(Vec<(u64, Time)>);

impl Observer for Ends {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Finished(work) = *record {
            self.0.push((state.work(work).id.ordinal, state.now()));
        }
    }
}
