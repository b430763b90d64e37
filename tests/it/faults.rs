//! Machines that fail and parts of the world that are out, by hand and by closed forms.

use std::path::Path;

use windtunnel::metrics::{Collector, Laws, Summary, WindowSum, Windows};
use windtunnel::model::{
    Ask, Checkpoint, Fault, FaultDomain, FaultEffect, FaultTimes, Interner, Market, OfferSpec,
    PricePath, Work, World,
};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, checkpoint, provision, release};
use windtunnel::scenario::Scenario;
use windtunnel::sim::{Observer, Options, Outcome, Run};
use windtunnel::state::{LaunchRefusal, Record, RefusalReason, State};
use windtunnel::units::{Demand, Distribution, Id, Rate, Shape, Span, Time};
use windtunnel::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 4_000, memory: 4_096, gpus: 0 };

fn secs(at: i64) -> Time {
    Time::from_secs(at)
}

/// A world of `nodes` owned machines at 3.60 USD an hour.
fn owned(nodes: u32, fault: Fault) -> World {
    let cluster = OfferSpec::owned("dc/r/r-a", "m", SHAPE, nodes);
    let mut world = World::builder().offer(cluster).build().expect("a world");
    world.offers[Id::new(0)].price = PricePath::constant(Rate::parse("3.6").expect("a price"));
    world.faults.push(fault);
    world
}

/// A world of one offer on demand at 3.60 USD an hour, which boots for a minute.
fn rented(fault: Fault) -> World {
    let offer =
        OfferSpec::on_demand("cloud/r/r-a", "m", SHAPE, "3.6").boot(Distribution::Constant(60.0));
    let mut world = World::builder().offer(offer).build().expect("a world");
    world.faults.push(fault);
    world
}

fn fault(domain: FaultDomain, effect: FaultEffect, times: FaultTimes) -> Fault {
    let offers = vec![Id::new(0)];
    Fault {
        name: "test".into(),
        offers,
        domain,
        effect,
        times,
        loses_data_of: Vec::new(),
        surge: None,
        crews: None,
    }
}

const ALL: FaultDomain = FaultDomain::Share(1_000_000);
const EACH: FaultDomain = FaultDomain::Machines(1);

fn periods(of: &[(i64, Option<i64>)]) -> FaultTimes {
    FaultTimes::Periods(of.iter().map(|&(from, until)| (secs(from), until.map(secs))).collect())
}

fn constant(life: f64, repair: f64) -> FaultTimes {
    let (life, repair) = (Distribution::Constant(life), Distribution::Constant(repair));
    FaultTimes::Drawn { life, repair, lemons: None }
}

/// An hour of work on a whole machine that arrives at 0.
fn hour(row: u64, tasks: u32) -> Work {
    let demand = Demand { cpu: 4_000, memory: 1_024, ..Demand::default() };
    let mut work = Work::job(row, Time::ZERO, demand, Span::HOUR);
    work.ask = Ask { tasks, gang: true, ..work.ask };
    work
}

/// A run that rents on demand, gives back at once what is idle, and asks again every minute.
fn run(world: &World, jobs: Vec<Work>) -> (Outcome, Summary) {
    let spec = PolicySpec {
        provision: provision::CHEAPEST
            .spec()
            .set("markets", vec![Market::OnDemand])
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

/// Down from 1,000 to 1,500: the hour begins anew, and the machine costs all the time.
#[test]
fn an_owned_machine_is_down_until_its_repair() {
    let times = periods(&[(1_000, Some(1_500))]);
    let world = owned(1, fault(ALL, FaultEffect::Machines, times));
    let (outcome, summary) = run(&world, vec![hour(0, 1)]);
    assert_eq!(outcome.ended, secs(1_500 + 3_600));
    assert_eq!((summary.work.failures, summary.work.failed_instances), (1, 1));
    assert_eq!(summary.cost.total.dollars(), 5.1);
    assert!((summary.lost_core_hours - 4.0 * 1_000.0 / 3_600.0).abs() < 1e-9);
    // Of 5,100 s the machine ran 4,600, and work held it all that time.
    assert_eq!(summary.utilisation_cpu, Some(1.0));
}

/// A machine lives for 2,000 s and is repaired for 100, which no hour survives: the run is over when
/// so much has failed that nothing else will ever happen.
#[test]
fn work_that_no_machine_outlives_is_cut_off_by_the_limit() {
    let world = owned(1, fault(EACH, FaultEffect::Machines, constant(2_000.0, 100.0)));
    let mut policy = policy::build(&PolicySpec::named("fcfs"));
    let mut source = WorkList::new(vec![hour(0, 1)]);
    let options = Options { horizon: Some(secs(10_000)), ..Options::default() };
    let mut collector = Collector::default();
    let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut collector);
    let outcome = run.options(options).run().expect("it runs");
    let summary = collector.summary(&world, &[], &outcome);
    // Fails at 2,000, 4,100, 6,200 and 8,300.
    assert_eq!((summary.work.failures, summary.work.unfinished), (4, 1));
}

/// Machines 0 and 1 are a rack, and 2 and 3 another. A gang of three loses its rack at 1,000; all
/// four are there again at 1,200.
#[test]
fn a_rack_fails_as_a_whole() {
    let times = constant(1_000.0, 200.0);
    let world = owned(4, fault(FaultDomain::Machines(2), FaultEffect::Machines, times));
    let mut short = hour(0, 3);
    short.body = Work::job(0, Time::ZERO, Demand::default(), Span::from_secs(900)).body;
    let (outcome, summary) = run(&world, vec![short.clone()]);
    assert_eq!(outcome.ended, secs(900));
    short.arrival = secs(500);
    let (outcome, summary2) = run(&world, vec![short]);
    assert_eq!((summary.work.failures, summary2.work.failures), (0, 1));
    assert_eq!(summary2.work.failed_instances, 4);
    assert_eq!(outcome.ended, secs(1_200 + 900));
}

/// A rented machine lives for 1,000 s from the start of the run: it fails at 1,000, and so does
/// the one in its place at 2,000. Work of 800 s that is placed at 0 boots for a minute, and is done
/// at 860.
#[test]
fn a_rented_machine_is_gone_and_another_takes_its_place() {
    let world = rented(fault(EACH, FaultEffect::Machines, constant(2_000.0, 500.0)));
    let mut work = hour(0, 1);
    work.body = Work::job(0, Time::ZERO, Demand::default(), Span::from_secs(1_900)).body;
    work.arrival = secs(1_000);
    // Ready at 1,060, gone at 2,000; the next is ready at 2,060 and done at 3,960, just before
    // the failure of 4,000.
    let (outcome, summary) = run(&world, vec![work]);
    assert_eq!(outcome.ended, secs(2_060 + 1_900));
    assert_eq!((summary.work.failures, summary.work.failed_instances), (1, 1));
    assert_eq!(summary.cost.total.dollars(), (1_000 + 1_960) as f64 / 1e3);
    assert!((summary.lost_core_hours - 4.0 * 940.0 / 3_600.0).abs() < 1e-9);
}

/// A machine that is launched at the moment at which the one before it fails is not struck by that:
/// it boots from 2,000 to 2,060, and is done at 3,960.
#[test]
fn a_failure_strikes_nobody_who_comes_at_its_moment() {
    let world = rented(fault(EACH, FaultEffect::Machines, constant(2_000.0, 0.0)));
    let mut work = hour(0, 2);
    work.body = Work::job(0, Time::ZERO, Demand::default(), Span::from_secs(1_900)).body;
    work.arrival = secs(2_000);
    let (outcome, summary) = run(&world, vec![work]);
    assert_eq!(outcome.ended, secs(3_960));
    assert_eq!((summary.work.failed_instances, summary.instances_launched), (0, 2));
}

/// What runs goes on while nothing is launched; who comes meanwhile waits until launches work again.
#[test]
fn launches_fail_and_what_runs_goes_on() {
    let times = periods(&[(100, Some(5_000))]);
    let world = rented(fault(ALL, FaultEffect::Launches, times));
    let mut late = hour(1, 1);
    late.arrival = secs(4_000);
    let (outcome, summary) = run(&world, vec![hour(0, 1), late]);
    // The first is done at 3,660, and its machine given back. Asked each minute from 4,000 on, the
    // offer launches at 5,020.
    assert_eq!(outcome.ended, secs(5_020 + 3_660));
    assert_eq!((summary.work.failures, summary.work.finished), (0, 2));
    assert_eq!(summary.instances_launched, 2);
}

/// A zone that never comes back takes what runs there, and launches nothing any more.
#[test]
fn an_outage_without_end_leaves_work_waiting() {
    let times = periods(&[(1_000, None)]);
    let world = rented(fault(ALL, FaultEffect::MachinesAndLaunches, times));
    let (outcome, summary) = run(&world, vec![hour(0, 1)]);
    assert_eq!((summary.work.failures, summary.work.unfinished), (1, 1));
    assert_eq!(outcome.ended, secs(1_000));
    assert_eq!(summary.cost.total.dollars(), 1.0);
}

/// A machine that fails now and then is lost for ever at 7,200: work that arrives later waits for no
/// repair that is to come, and the run ends with its last.
#[test]
fn failures_keep_no_run_alive_in_which_nothing_comes_back() {
    let mut world = owned(1, fault(EACH, FaultEffect::Machines, constant(10_000.0, 1_000.0)));
    let lost = fault(ALL, FaultEffect::Machines, periods(&[(7_200, None)]));
    world.faults.push(Fault { name: "lost".into(), ..lost });
    let mut work = hour(0, 1);
    work.arrival = secs(9_500);
    let (outcome, summary) = run(&world, vec![work]);
    assert_eq!(summary.work.unfinished, 1);
    assert_eq!(outcome.ended, secs(9_500));
}

/// Time that machines are there, from their records.
#[derive(Debug, Default)]
struct Uptime {
    down: usize,
    since: Time,
    /// Time for which so many machines were down.
    spells: Vec<i128>,
}

impl Uptime {
    fn change(&mut self, now: Time, by: i64) {
        self.spells.resize(self.spells.len().max(self.down + 1), 0);
        self.spells[self.down] += i128::from((now - self.since).micros());
        (self.since, self.down) = (now, self.down.saturating_add_signed(by as isize));
    }

    fn share(&self, down: usize) -> f64 {
        let all: i128 = self.spells.iter().sum();
        self.spells.get(down).copied().unwrap_or(0) as f64 / all as f64
    }
}

impl Observer for Uptime {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        match record {
            Record::Failed { .. } => self.change(state.now(), 1),
            Record::Repaired(_) => self.change(state.now(), -1),
            _ => {}
        }
    }

    fn ends(&mut self, state: &State<'_>) {
        self.change(state.now(), 0);
    }
}

/// Machines that nobody uses, watched for `hours` while one job of no size waits for ever.
fn watched(
    nodes: u32,
    life: Distribution,
    repair: Distribution,
    crews: Option<u32>,
    hours: i64,
) -> Uptime {
    let times = FaultTimes::Drawn { life, repair, lemons: None };
    let fault = Fault { crews, ..fault(EACH, FaultEffect::Machines, times) };
    let world = owned(nodes, fault);
    let mut policy = policy::build(&PolicySpec::named("fcfs"));
    let mut work = hour(0, 1);
    work.arrival = Time::ZERO + Span::from_secs(3_600 * hours);
    let mut source = WorkList::new(vec![work]);
    let end = Time::ZERO + Span::from_secs(3_600 * hours);
    let options = Options { horizon: Some(end), seed: 11, ..Options::default() };
    let mut uptime = Uptime::default();
    let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut uptime);
    run.options(options).run().expect("it runs");
    uptime
}

/// Mean time to failure over that plus the mean repair, whatever the laws (O20): 1,000 h and 10 h
/// are .990099. Of 200 machines over 100,000 h the standard error is about 1e-4.
#[test]
fn availability_is_that_of_a_renewal_process() {
    let lives = [Distribution::exponential(3.6e6), Distribution::weibull_mean(0.7, 3.6e6)];
    for (life, most) in lives.into_iter().zip([0.02, 0.03]) {
        let life = life.expect("a law");
        let repair = Distribution::lognormal_mean_sigma(36_000.0, 1.0).expect("a law");
        let uptime = watched(200, life, repair, None, 100_000);
        let down: f64 = (0..=200).map(|down| uptime.share(down) * down as f64).sum();
        let off = down / 200.0 / (1.0 - 0.990_099_010) - 1.0;
        assert!(off.abs() < most, "{off}");
    }
}

/// Five machines and one who repairs, 100 h and 10 h (O22): 4.360478 are up in the mean, all five
/// .563952 of the time, and at least four .845928.
#[test]
fn one_crew_repairs_one_machine_after_the_other() {
    let law = |mean: f64| Distribution::exponential(mean).expect("a law");
    let uptime = watched(5, law(360_000.0), law(36_000.0), Some(1), 2_000_000);
    let up: f64 = (0..=5).map(|down| uptime.share(down) * (5 - down) as f64).sum();
    assert!((up - 4.360_478_231).abs() < 0.02, "{up}");
    assert!((uptime.share(0) - 0.563_952_177).abs() < 0.01, "{}", uptime.share(0));
    let most = uptime.share(0) + uptime.share(1);
    assert!((most - 0.845_928_265).abs() < 0.01, "{most}");
}

/// Nodes under repair by many crews are Poisson where nodes are many: 2,048 with 6.5 failures
/// in 1,000 days and a day of repair have 13.312 down in the mean, and more than 22 in 1 % of the time.
#[test]
fn spares_are_counted_by_a_poisson_law() {
    let life = Distribution::exponential(86_400.0 * 1_000.0 / 6.5).expect("a law");
    let uptime = watched(2_048, life, Distribution::Constant(86_400.0), None, 24 * 1_000);
    let down: f64 = (0..100).map(|down| uptime.share(down) * down as f64).sum();
    // Alternating: 2,048 / (1 + 153.85 days of life), a little fewer than without repairs.
    let want = 2_048.0 / (1.0 + 1_000.0 / 6.5);
    assert!((down / want - 1.0).abs() < 0.03, "{down} instead of {want}");
    let beyond: f64 = (23..100).map(|down| uptime.share(down)).sum();
    assert!(beyond < 0.012 && beyond > 0.002, "{beyond}");
}

/// Moments of launches, of launches that an outage refused, and losses of a run.
#[derive(Debug, Default)]
struct Launched {
    requested: Vec<Time>,
    refused: Vec<Time>,
    failed: u64,
    ended: Vec<(String, Option<RefusalReason>)>,
}

impl Observer for Launched {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let home = |work| {
            let home = state.work(work).ask.home;
            home.map_or_else(String::new, |home| state.book().homes()[home].name.clone())
        };
        match *record {
            Record::Requested(_) => self.requested.push(state.now()),
            Record::LaunchRefused { why: LaunchRefusal::Outage, .. } => {
                self.refused.push(state.now());
            }
            Record::Failed { .. } => self.failed += 1,
            Record::Finished(work) => self.ended.push((home(work), None)),
            Record::Refused { work, reason } => self.ended.push((home(work), Some(reason))),
            Record::Unfinished(work) => self.ended.push((home(work), Some(RefusalReason::Policy))),
            _ => {}
        }
    }
}

/// The run of a policy of a shipped scenario.
fn shipped(name: &str, policy: &str) -> (Scenario, Launched) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.toml"));
    let scenario = Scenario::load(&path, &[]).expect("a scenario");
    let spec = scenario.policies.iter().find(|one| one.name == policy).expect("a policy");
    let mut observer = (Launched::default(), Laws::new(true));
    let context = scenario.context(scenario.seed, false);
    let mut source = scenario.workload.open(&context).expect("it opens");
    let mut policy = policy::build(spec);
    let horizon = scenario.horizon.map(|horizon| Time::ZERO + horizon);
    let options = Options { seed: scenario.seed, horizon, ..Options::default() };
    let run = Run::new(&scenario.world, &mut *source).policy(&mut *policy).observe(&mut observer);
    run.options(options).run().expect("it runs");
    assert_eq!(observer.1.broken(), None);
    (scenario, observer.0)
}

/// On 20 October 2025 nothing was launched in us-east-1 from 09:25 to 17:36 UTC, and nothing that
/// ran was lost.
#[test]
fn the_launches_of_a_known_outage_fail_and_no_machine_does() {
    let (scenario, seen) = shipped("outage-replay", "one-region");
    let at = |text: &str| {
        let instant: jiff::Timestamp = text.parse().expect("an instant");
        scenario.calendar.time(instant.as_microsecond())
    };
    let (from, until) = (at("2025-10-20T09:25:00Z"), at("2025-10-20T17:36:00Z"));
    let within = |moment: &&Time| from <= **moment && **moment < until;
    assert_eq!(seen.requested.iter().filter(within).count(), 0);
    assert!(seen.requested.iter().any(|&moment| moment < from));
    assert!(seen.requested.iter().any(|&moment| moment >= until));
    assert_eq!(seen.failed, 0);
}

/// Work whose data lived only in the zone that never came back ends as `data lost`, and never waits
/// to the end; of the rest some is done.
#[test]
fn work_whose_data_is_lost_ends_so() {
    let (scenario, seen) = shipped("zone-lost", "frankfurt");
    let zonal = |home: &str| home == "aws/eu-central-1b";
    let lost = seen.ended.iter().filter(|(_, how)| *how == Some(RefusalReason::DataLost));
    assert!(lost.clone().count() > 10);
    assert!(lost.clone().all(|(home, _)| zonal(home)));
    let left = seen.ended.iter().filter(|(_, how)| *how == Some(RefusalReason::Policy));
    assert!(left.clone().all(|(home, _)| !zonal(home)), "{:?}", left.collect::<Vec<_>>());
    assert!(seen.ended.iter().any(|(home, how)| zonal(home) && how.is_none()));
    assert!(seen.failed > 0 && !scenario.world.faults.is_empty());
}

/// At half its speed from 1,000 to 3,000 a machine has done 2,000 s of work at 3,000, and the hour at
/// 4,600. The machine beside it is as fast as ever.
#[test]
fn work_on_a_slow_machine_takes_longer() {
    let period = vec![(secs(1_000), Some(secs(3_000)))];
    let times = FaultTimes::Listed(vec![vec![], period]);
    let world = owned(2, fault(EACH, FaultEffect::Speed(500_000), times));
    let (outcome, summary) = run(&world, vec![hour(0, 1)]);
    assert_eq!(outcome.ended, secs(3_600));
    let (outcome, both) = run(&world, vec![hour(0, 1), hour(1, 1)]);
    assert_eq!(outcome.ended, secs(4_600));
    assert_eq!((summary.work.failures, both.work.failures), (0, 0));
    // A gang goes at the speed of its slowest.
    assert_eq!(run(&world, vec![hour(0, 2)]).0.ended, secs(4_600));
}

/// At a quarter of the speed until 1,200, work over two machines has done 300 s by then.
#[test]
fn a_slow_network_slows_what_is_spread_over_machines() {
    let times = periods(&[(0, Some(1_200))]);
    let world = owned(2, fault(ALL, FaultEffect::NetworkSpeed(250_000), times));
    assert_eq!(run(&world, vec![hour(0, 1), hour(1, 1)]).0.ended, secs(3_600));
    assert_eq!(run(&world, vec![hour(0, 2)]).0.ended, secs(1_200 + 3_300));
}

/// Of several faults the worst counts: half the speed from 1,000 on, a tenth from 2,000 to 3,000.
/// Done are 1,000, 1,500, 1,600, and the other 2,000 s at half the speed.
#[test]
fn the_worst_of_several_faults_counts() {
    let half = periods(&[(1_000, None)]);
    let mut world = owned(1, fault(ALL, FaultEffect::Speed(500_000), half));
    let tenth = periods(&[(2_000, Some(3_000))]);
    world.faults.push(fault(ALL, FaultEffect::Speed(100_000), tenth));
    assert_eq!(run(&world, vec![hour(0, 1)]).0.ended, secs(3_000 + 4_000));
}

/// A machine that is rented while its zone is slow is slow too; boot takes a minute.
#[test]
fn what_is_rented_in_a_slow_zone_is_slow() {
    let world = rented(fault(ALL, FaultEffect::Speed(500_000), periods(&[(0, Some(1_060))])));
    assert_eq!(run(&world, vec![hour(0, 1)]).0.ended, secs(1_060 + 3_100));
}

/// One that is slow by itself is repaired; one that was given back meanwhile says nothing of the next.
#[test]
fn a_slow_rented_machine_is_as_fast_as_before_after_its_repair() {
    let times = constant(1_060.0, 1_000.0);
    let world = rented(fault(EACH, FaultEffect::Speed(500_000), times));
    // Ready at 60. Slow from 1,060 to 2,060 and, 1,060 after that, from 3,120 to 4,120: done are
    // 1,000, 1,500, 2,560, 3,060 s, and the other 540 at full speed.
    assert_eq!(run(&world, vec![hour(0, 1)]).0.ended, secs(4_120 + 540));
    let mut next = hour(1, 1);
    next.arrival = secs(1_500);
    let mut short = hour(0, 1);
    short.body = Work::job(0, Time::ZERO, Demand::default(), Span::from_secs(1_100)).body;
    // The first is done at 1,260 and gives its machine back; the next one in the slot is ready at
    // 1,560, and not slow before 3,120. It has done 1,560 s by then, 2,060 at 4,120, 3,120 at 5,180,
    // and the last 480 s take twice as long.
    assert_eq!(run(&world, vec![short, next]).0.ended, secs(5_180 + 960));
}

/// Writes of 60 s begin after 900 s of computing, whatever the speed. At half the speed from 1,000
/// (40 s into the second interval) to 1,960 it has done 940 s of work and writes from 1,860 to 1,920:
/// by then 900 + 40 + 430 = 1,370 s are done, and 20 more by 1,960, the rest of an hour 2,210 s
/// later, with two writes more.
#[test]
fn checkpoints_go_on_while_a_machine_is_slow() {
    let times = periods(&[(1_000, Some(1_960))]);
    let world = owned(1, fault(ALL, FaultEffect::Speed(500_000), times));
    let spec = PolicySpec {
        checkpoint: checkpoint::PERIODIC.spec().set("every", Span::from_secs(900)),
        ..PolicySpec::named("writes")
    };
    let mut names = Interner::default();
    let mut work = hour(0, 1);
    work.ask.checkpoint = Some(names.checkpoint(Checkpoint::blocking(Span::from_secs(60))));
    let mut policy = policy::build(&spec);
    let mut observer = (Collector::default(), Laws::new(true));
    let mut source = WorkList::new(vec![work]).named(names);
    let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    let (collector, laws) = observer;
    assert_eq!(laws.broken(), None);
    assert_eq!(outcome.ended, secs(1_960 + 2_210 + 2 * 60));
    let summary = collector.summary(&world, &[], &outcome);
    // Four cores stood still for 60 s of progress at full speed, twice more, and for 30 s.
    assert!((summary.overhead_core_hours - 4.0 * 210.0 / 3_600.0).abs() < 1e-9);
}

/// Incidents from 1,000 to 1,500 and at 5,000 for a moment: of four jobs the first and the second, which
/// starts within it, meet the first, the third none, and the fourth the other. What runs at a place
/// that is not concerned meets none.
#[test]
fn security_is_the_share_of_work_that_met_no_incident() {
    let times = periods(&[(1_000, Some(1_500)), (5_000, Some(5_001))]);
    let world = owned(4, fault(ALL, FaultEffect::Security, times.clone()));
    let job = |row: u64, from: i64, until: i64| {
        let mut job = hour(row, 1);
        job.arrival = secs(from);
        job.body =
            Work::job(row, secs(from), Demand::default(), Span::from_secs(until - from)).body;
        job
    };
    let jobs =
        vec![job(0, 0, 1_200), job(1, 1_300, 1_400), job(2, 1_600, 4_900), job(3, 1_700, 9_000)];
    let (_, summary) = run(&world, jobs.clone());
    assert_eq!(summary.security, Some(0.25));
    assert_eq!((summary.work.failures, summary.work.finished), (0, 4));
    let elsewhere = Fault { offers: Vec::new(), ..fault(ALL, FaultEffect::Security, times) };
    assert_eq!(run(&owned(4, elsewhere), jobs.clone()).1.security, Some(1.0));
    let none = fault(ALL, FaultEffect::Launches, periods(&[(1_000, Some(1_500))]));
    assert_eq!(run(&owned(4, none), jobs.clone()).1.security, None);
    // Half-hours: of the four jobs that run in the first two meet it; the fourth runs to the last.
    let windows = |faults: &[(i64, Option<i64>)]| {
        let world = owned(4, fault(ALL, FaultEffect::Security, periods(faults)));
        let width = Span::from_secs(1_800);
        let mut windows = Windows::new([(WindowSum::Security, width)], None, None);
        let mut policy = policy::build(&PolicySpec::named("p"));
        let mut source = WorkList::new(jobs.clone());
        let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut windows);
        run.run().expect("it runs");
        let values = windows.into_values().remove(0);
        values.into_iter().map(|window| window.value).collect::<Vec<f64>>()
    };
    assert_eq!(windows(&[(1_000, Some(1_500)), (5_000, Some(5_001))]), [0.5, 1.0, 0.5, 1.0, 1.0]);
    // One that begins at the very end of a window was not on in it.
    assert_eq!(windows(&[(1_800, Some(1_900))]), [1.0, 0.0, 1.0, 1.0, 1.0]);
    // One that is on from window to window is met in each.
    assert_eq!(windows(&[(1_000, Some(4_000))]), [0.0, 0.0, 0.0, 1.0, 1.0]);
}
