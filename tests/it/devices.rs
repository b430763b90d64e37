//! GPUs that fail one by one while their machines go on, by hand and by closed forms.

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{
    Ask, Fault, FaultDomain, FaultEffect, FaultTimes, Market, OfferSpec, PricePath, Work, World,
};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, backfill, place, provision, release};
use windtunnel::sim::{Observer, Options, Outcome, Run};
use windtunnel::state::{Record, State};
use windtunnel::units::{Demand, Distribution, Id, Rate, Shape, Span, Time};
use windtunnel::workload::WorkList;

fn secs(at: i64) -> Time {
    Time::from_secs(at)
}

const fn shape(gpus: u8) -> Shape {
    Shape { cpu: 4_000, memory: 4_096, gpus }
}

/// A world of `nodes` owned machines with so many GPUs at 3.60 USD an hour.
fn owned(nodes: u32, gpus: u8, faults: Vec<Fault>) -> World {
    let cluster = OfferSpec::owned("dc/r/r-a", "m", shape(gpus), nodes).gpu_model("A100");
    let mut world = World::builder().offer(cluster).build().expect("a world");
    world.offers[Id::new(0)].price = PricePath::constant(Rate::parse("3.6").expect("a price"));
    world.faults = faults;
    world
}

/// A world of one offer on demand with two GPUs at 3.60 USD an hour, which boots for a minute.
fn rented(faults: Vec<Fault>) -> World {
    let offer = OfferSpec::on_demand("cloud/r/r-a", "m", shape(2), "3.6").gpu_model("A100");
    let offer = offer.boot(Distribution::Constant(60.0));
    let mut world = World::builder().offer(offer).build().expect("a world");
    world.faults = faults;
    world
}

fn fault(domain: FaultDomain, times: FaultTimes) -> Fault {
    Fault {
        name: "test".into(),
        offers: vec![Id::new(0)],
        domain,
        effect: FaultEffect::Devices,
        times,
        loses_data_of: Vec::new(),
        surge: None,
        crews: None,
    }
}

const ALL: FaultDomain = FaultDomain::Share(1_000_000);

type Period = (i64, Option<i64>);

fn periods(of: &[Period]) -> Vec<(Time, Option<Time>)> {
    of.iter().map(|&(from, until)| (secs(from), until.map(secs))).collect()
}

/// Devices that fail by themselves, each in these periods: those of machine 0 first.
fn each(of: &[&[Period]]) -> Fault {
    fault(FaultDomain::Device, FaultTimes::Listed(of.iter().map(|row| periods(row)).collect()))
}

fn constant(life: f64, repair: f64) -> FaultTimes {
    let (life, repair) = (Distribution::Constant(life), Distribution::Constant(repair));
    FaultTimes::Drawn { life, repair, lemons: None }
}

/// An hour of work from 0 on, with a core and so many GPUs for each task, all at once.
fn hour(row: u64, tasks: u32, gpus: u8) -> Work {
    let gpu_share = if gpus > 0 { 1_000 } else { 0 };
    let demand = Demand { cpu: 1_000, memory: 64, gpus, gpu_share, exclusive: false };
    let mut work = Work::job(row, Time::ZERO, demand, Span::HOUR);
    work.ask = Ask { tasks, gang: true, estimate: Some(Span::HOUR), ..work.ask };
    work
}

/// A run that rents on demand, gives back at once what is idle, and asks again every minute, under each
/// kind of placement and backfilling, which make no difference here.
fn run(world: &World, jobs: &[Work]) -> (Outcome, Summary) {
    let rents = PolicySpec {
        provision: provision::CHEAPEST
            .spec()
            .set("markets", vec![Market::OnDemand])
            .set("retry", Span::from_secs(60)),
        release: release::IDLE.spec(),
        ..PolicySpec::named("rents")
    };
    let others = [
        PolicySpec {
            place: place::BEST_FIT.spec(),
            backfill: backfill::EASY.spec(),
            ..rents.clone()
        },
        PolicySpec {
            place: place::FGD.spec(),
            backfill: backfill::CONSERVATIVE.spec(),
            ..rents.clone()
        },
    ];
    let (outcome, summary) = run_by(world, jobs, &rents);
    for spec in &others {
        let (other, same) = run_by(world, jobs, spec);
        assert_eq!((other.ended, same.work), (outcome.ended, summary.work.clone()));
    }
    (outcome, summary)
}

fn run_by(world: &World, jobs: &[Work], spec: &PolicySpec) -> (Outcome, Summary) {
    let mut policy = policy::build(spec);
    let mut observer = (Collector::default(), Laws::new(true));
    let mut source = WorkList::new(jobs.to_vec());
    let run = Run::new(world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    let (collector, laws) = observer;
    assert_eq!(laws.broken(), None);
    let summary = collector.summary(world, &[], &outcome);
    (outcome, summary)
}

fn close(found: Option<f64>, wanted: f64) {
    let found = found.expect("there is a value");
    assert!((found - wanted).abs() < 1e-9, "{found} instead of {wanted}");
}

/// Two jobs on two GPUs, of which the first is broken from 1,000 to 1,500: its job begins anew then, and
/// the other goes on.
#[test]
fn one_gpu_fails_and_the_rest_of_its_machine_goes_on() {
    let world = owned(1, 2, vec![each(&[&[(1_000, Some(1_500))]])]);
    let (outcome, summary) = run(&world, &[hour(0, 1, 1), hour(1, 1, 1)]);
    assert_eq!(outcome.ended, secs(1_500 + 3_600));
    let work = &summary.work;
    assert_eq!((work.failures, work.failed_devices, work.failed_instances), (1, 1, 0));
    assert_eq!(work.failed_by_cause, [("test".to_owned(), 1)]);
    close(Some(summary.lost_gpu_hours), 1_000.0 / 3_600.0);
    close(summary.broken_gpu_hours, 500.0 / 3_600.0);
    // Held 1,000 s and twice 3,600; there were two devices for 5,100 s, less 500.
    close(summary.utilisation_gpu, 8_200.0 / 9_700.0);
    close(summary.utilisation_cpu, 8_200.0 / (4.0 * 5_100.0));
    // The machine is there and paid for all along.
    assert_eq!((summary.availability, summary.cost.total.dollars()), (Some(1.0), 5.1));
}

/// All GPUs of a machine are out from 1,000 to 1,500. Work on its cores alone goes on.
#[test]
fn all_gpus_fail_and_the_cores_go_on() {
    let times = FaultTimes::Periods(periods(&[(1_000, Some(1_500))]));
    for domain in [ALL, FaultDomain::Slots { first: 0, count: 1 }] {
        let world = owned(1, 2, vec![fault(domain, times.clone())]);
        let (outcome, summary) = run(&world, &[hour(0, 1, 1), hour(1, 1, 1), hour(2, 1, 0)]);
        assert_eq!(outcome.ended, secs(1_500 + 3_600));
        assert_eq!((summary.work.failures, summary.work.failed_devices), (2, 2));
        close(Some(summary.lost_core_hours), 2_000.0 / 3_600.0);
        // What was held: all of what there was.
        close(summary.utilisation_gpu, 1.0);
    }
}

/// A gang over two machines loses all its tasks with one of its two GPUs.
#[test]
fn a_gang_fails_with_any_gpu_of_it() {
    let world = owned(2, 1, vec![each(&[&[], &[(1_000, Some(1_500))]])]);
    let (outcome, summary) = run(&world, &[hour(0, 2, 1)]);
    assert_eq!(outcome.ended, secs(1_500 + 3_600));
    assert_eq!((summary.work.failures, summary.work.failed_devices), (1, 1));
    close(Some(summary.lost_gpu_hours), 2_000.0 / 3_600.0);
}

/// Machines 0 and 1 are one NVLink domain, and 2 and 3 another: their GPUs fail together at 1,000 and are
/// there again at 1,200. A gang of three GPUs that came at 500 starts anew, and a job on a core goes on.
#[test]
fn an_nvlink_domain_loses_its_gpus_together() {
    let faults = vec![fault(FaultDomain::Machines(2), constant(1_000.0, 200.0))];
    let world = owned(4, 1, faults);
    let length = |work: Work, secs| {
        let body = Work::job(0, Time::ZERO, Demand::default(), Span::from_secs(secs)).body;
        Work { arrival: Time::from_secs(500), body, ..work }
    };
    let (outcome, summary) =
        run(&world, &[length(hour(0, 3, 1), 900), length(hour(1, 1, 0), 1_000)]);
    assert_eq!(outcome.ended, secs(1_200 + 900));
    let work = &summary.work;
    assert_eq!((work.failures, work.failed_devices, work.failed_instances), (1, 4, 0));
    assert_eq!(summary.lost_core_hours, 3.0 * 500.0 / 3_600.0);
}

/// GPU 0 of a rented machine fails at 1,000 and is never repaired: its job goes to a second machine, which
/// is ready at 1,060, and the first is given back when the other job is done.
#[test]
fn a_gpu_of_a_rented_machine_stays_broken() {
    let world = rented(vec![each(&[&[(1_000, Some(1_010))]])]);
    let (outcome, summary) = run(&world, &[hour(0, 1, 1), hour(1, 1, 1)]);
    assert_eq!((outcome.ended, summary.instances_launched), (secs(1_060 + 3_600), 2));
    assert_eq!((summary.work.failures, summary.work.failed_devices), (1, 1));
    assert_eq!(summary.cost.total.dollars(), f64::from(3_660 + 3_660) / 1e3);
    close(summary.broken_gpu_hours, 2_660.0 / 3_600.0);
    close(Some(summary.lost_gpu_hours), 940.0 / 3_600.0);
}

/// The machine that comes into the slot of one with a broken GPU is whole: two GPUs are asked for at
/// 5,000, when the first has been given back.
#[test]
fn the_next_machine_in_the_slot_is_whole() {
    let world = rented(vec![each(&[&[(1_000, Some(1_010))]])]);
    let mut later = hour(1, 1, 2);
    later.arrival = secs(8_000);
    let (outcome, summary) = run(&world, &[hour(0, 1, 1), later]);
    // The first job goes on GPU 1 of the same machine.
    assert_eq!(summary.work.failures, 1);
    assert_eq!((outcome.ended, summary.instances_launched), (secs(8_060 + 3_600), 2));
    close(summary.broken_gpu_hours, 3_600.0 / 3_600.0);
}

/// GPU 0 breaks at 1,000, and by another row at 1,200: it failed once, and works again at 2,000, when both
/// are over.
#[test]
fn a_gpu_that_is_broken_fails_no_second_time() {
    let other = Fault { name: "other".into(), ..each(&[&[(1_200, Some(2_000))]]) };
    let world = owned(1, 1, vec![each(&[&[(1_000, Some(1_500))]]), other]);
    let (outcome, summary) = run(&world, &[hour(0, 1, 1)]);
    assert_eq!((outcome.ended, summary.work.failures), (secs(2_000 + 3_600), 1));
    assert_eq!(summary.work.failed_devices, 1);
    assert_eq!(summary.work.failed_by_cause, [("test".to_owned(), 1)]);
    close(summary.broken_gpu_hours, 1_000.0 / 3_600.0);
}

/// A fleet of one machine keeps it, both of whose GPUs break at 1,000: a job that comes later waits for
/// ever, and one for a core does not.
#[test]
fn a_fleet_of_broken_gpus_is_told() {
    let world = rented(vec![each(&[&[(1_000, Some(1_010))], &[(1_000, Some(1_010))]])]);
    let fleet = vec![("cloud/r-a/m/on-demand".to_owned(), 1)];
    let spec = PolicySpec {
        provision: provision::STATIC.spec().set("fleets", fleet),
        ..PolicySpec::named("fleet")
    };
    let late = |mut work: Work| {
        work.arrival = secs(2_000);
        work
    };
    let (outcome, summary) = run_by(&world, &[hour(0, 1, 0), late(hour(1, 1, 1))], &spec);
    assert_eq!((summary.work.finished, summary.work.unfinished), (1, 1));
    assert_eq!((outcome.lacking, outcome.stranded), (1, 0));
    let (outcome, _) = run_by(&world, &[hour(0, 1, 0), late(hour(1, 1, 0))], &spec);
    assert_eq!((outcome.lacking, outcome.drained), (0, true));
}

/// Who needs all GPUs of the only machine waits for ever when one never works again.
#[test]
fn work_that_needs_a_gpu_that_is_gone_for_ever_is_left() {
    let world = owned(1, 2, vec![each(&[&[(1_000, None)]])]);
    let mut late = hour(0, 1, 2);
    late.arrival = secs(2_000);
    let (outcome, summary) = run(&world, &[hour(1, 1, 1), late]);
    assert_eq!((summary.work.unfinished, summary.work.finished), (1, 1));
    // The other fails at 1,000 and goes on the GPU that is left.
    assert_eq!((outcome.ended, summary.work.failures), (secs(1_000 + 3_600), 1));
}

/// Work that has a machine alone goes on while a GPU fails that it does not hold, and others find the
/// GPU that is left when it is done, at 3,600.
#[test]
fn a_gpu_fails_beside_work_that_has_the_machine_alone() {
    let world = owned(1, 2, vec![each(&[&[], &[(1_000, Some(9_000))]])]);
    let mut alone = hour(0, 1, 1);
    alone.ask.demand.exclusive = true;
    let mut after = [hour(1, 1, 2), hour(2, 1, 1)];
    after.iter_mut().for_each(|work| work.arrival = secs(10));
    let (outcome, summary) = run(&world, &[alone.clone(), after[1].clone()]);
    assert_eq!((outcome.ended, summary.work.failures), (secs(7_200), 0));
    let (outcome, summary) = run(&world, &[alone, after[0].clone()]);
    assert_eq!((outcome.ended, summary.work.failures), (secs(9_000 + 3_600), 0));
}

/// The machine is down from 500 to 700, and GPU 0 is broken from 600 to 1,000: a job on one GPU starts
/// anew at 700, one on both at 1,000. Only from 700 on a GPU of a machine that runs is broken.
#[test]
fn a_gpu_breaks_while_its_machine_is_down() {
    let machine = Fault {
        name: "host".into(),
        effect: FaultEffect::Machines,
        ..fault(FaultDomain::Machines(1), FaultTimes::Listed(vec![periods(&[(500, Some(700))])]))
    };
    let world = owned(1, 2, vec![machine, each(&[&[(600, Some(1_000))]])]);
    for (gpus, starts) in [(1, 700), (2, 1_000)] {
        let (outcome, summary) = run(&world, &[hour(0, 1, gpus)]);
        assert_eq!((outcome.ended, summary.work.failures), (secs(starts + 3_600), 1));
        let causes = [("host".to_owned(), 1), ("test".to_owned(), 1)];
        assert_eq!(summary.work.failed_by_cause, causes);
        close(summary.broken_gpu_hours, 300.0 / 3_600.0);
        let ended = (starts + 3_600) as f64;
        close(summary.availability, (ended - 200.0) / ended);
    }
}

/// Moments at which devices break and work again, with the slot of their machine.
#[derive(Debug, Default)]
struct Told(Vec<(i64, u32, u32, bool)>);

impl Observer for Told {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Devices { instance, devices, breaks, .. } = *record {
            let at = state.now().micros() / 1_000_000;
            self.0.push((at, state.instance(instance).slot, devices, breaks));
        }
    }
}

fn told(world: &World, jobs: Vec<Work>, spec: &PolicySpec, end: i64) -> Vec<(i64, u32, u32, bool)> {
    let mut policy = policy::build(spec);
    let mut source = WorkList::new(jobs);
    let options = Options { horizon: Some(secs(end)), seed: 5, ..Options::default() };
    let mut told = Told::default();
    let run = Run::new(world, &mut source).policy(&mut *policy).observe(&mut told);
    run.options(options).run().expect("it runs");
    told.0
}

/// One crew repairs the first of two GPUs that fail at 1,000 until 1,300, and then the second.
#[test]
fn a_crew_repairs_one_gpu_after_the_other() {
    let crews = Some(1);
    let faults = vec![Fault { crews, ..fault(FaultDomain::Device, constant(1_000.0, 300.0)) }];
    let world = owned(1, 2, faults);
    let mut late = hour(0, 1, 0);
    late.arrival = secs(2_500);
    let found = told(&world, vec![late], &PolicySpec::named("fcfs"), 2_500);
    let wanted = [
        (1_000, 0, 0b01, true),
        (1_000, 0, 0b10, true),
        (1_300, 0, 0b01, false),
        (1_600, 0, 0b10, false),
        (2_300, 0, 0b01, true),
    ];
    assert_eq!(found, wanted);
}

/// What breaks when depends on the seed alone: neither on the policy nor on work.
#[test]
fn failures_are_the_same_whatever_a_policy_does() {
    let law = |mean: f64| Distribution::exponential(mean).expect("a law");
    let times = FaultTimes::Drawn { life: law(4e3), repair: law(500.0), lemons: None };
    let world = owned(3, 2, vec![fault(FaultDomain::Device, times)]);
    let jobs: Vec<Work> = (0..12).map(|row| hour(row, 1, 1 + (row % 2) as u8)).collect();
    let mut late = hour(0, 1, 0);
    late.arrival = secs(20_000);
    let greedy = PolicySpec { backfill: backfill::GREEDY.spec(), ..PolicySpec::named("greedy") };
    let idle = told(&world, vec![late], &greedy, 20_000);
    let busy = told(&world, jobs.clone(), &greedy, 20_000);
    let fcfs = told(&world, jobs, &PolicySpec::named("fcfs"), 20_000);
    assert!(idle.len() > 30, "{idle:?}");
    assert_eq!(idle[..busy.len()], busy);
    assert_eq!(idle[..fcfs.len()], fcfs);
    assert!(busy.len() > 20 && fcfs.len() > 20);
}

/// Time with so many GPUs of a machine broken, over all machines, and failures.
#[derive(Debug)]
struct Spells {
    /// Broken devices of each machine, and since when.
    now: Vec<(u32, Time)>,
    spells: Vec<i128>,
    failures: u64,
}

impl Spells {
    fn change(&mut self, slot: usize, now: Time, broken: u32) {
        let (before, since) = std::mem::replace(&mut self.now[slot], (broken, now));
        self.spells[before as usize] += i128::from((now - since).micros());
    }
}

impl Observer for Spells {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Devices { instance, devices, breaks, .. } = *record {
            let slot = state.instance(instance).slot as usize;
            let before = self.now[slot].0;
            let by = devices.count_ones();
            self.failures += u64::from(breaks);
            self.change(slot, state.now(), if breaks { before + by } else { before - by });
        }
    }

    fn ends(&mut self, state: &State<'_>) {
        (0..self.now.len()).for_each(|slot| self.change(slot, state.now(), 0));
    }
}

/// GPUs live for 1,000 h and are repaired for 10 h in the mean, whatever the laws (O20): each works
/// 1000 / 1010 of the time, all eight of a machine that to the power of eight, and one is broken in
/// binomial shares. They fail once in 1,000 hours that they work: of 200 over 100,000 h, 19,802 times
/// with a standard deviation of 141 for exponential lives.
#[test]
fn gpus_are_available_by_the_closed_form() {
    let repair = Distribution::lognormal_mean_sigma(36_000.0, 1.0).expect("a law");
    let lives = [Distribution::exponential(3.6e6), Distribution::weibull_mean(0.7, 3.6e6)];
    for (life, most) in lives.into_iter().zip([4.0, 5.0]) {
        let life = life.expect("a law");
        let times = FaultTimes::Drawn { life, repair: repair.clone(), lemons: None };
        let world = owned(25, 8, vec![fault(FaultDomain::Device, times)]);
        let end = secs(3_600 * 100_000);
        let mut late = hour(0, 1, 0);
        late.arrival = end;
        let mut source = WorkList::new(vec![late]);
        let mut policy = policy::build(&PolicySpec::named("fcfs"));
        let options = Options { horizon: Some(end), seed: 11, ..Options::default() };
        let spells = Spells { now: vec![(0, Time::ZERO); 25], spells: vec![0; 9], failures: 0 };
        let mut seen = (spells, Collector::default());
        let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut seen);
        let outcome = run.options(options).run().expect("it runs");
        let (spells, collector) = seen;
        let summary = collector.summary(&world, &[], &outcome);
        let all: i128 = spells.spells.iter().sum();
        let share = |broken: usize| spells.spells[broken] as f64 / all as f64;
        let up = 1_000.0_f64 / 1_010.0;
        let down: f64 = (0..9).map(|broken| share(broken) * broken as f64 / 8.0).sum();
        assert!((down / (1.0 - up) - 1.0).abs() < 0.03, "{down}");
        let none = libm::pow(up, 8.0);
        assert!((share(0) - none).abs() < 0.003, "{} instead of {none}", share(0));
        let one = 8.0 * (1.0 - up) * libm::pow(up, 7.0);
        assert!((share(1) - one).abs() < 0.003, "{} instead of {one}", share(1));
        let expected = 200.0 * 100_000.0 * (1.0 - down) / 1_000.0;
        let off = (spells.failures as f64 - expected) / libm::sqrt(expected);
        assert!(off.abs() < most, "{} instead of {expected}", spells.failures);
        assert_eq!(summary.work.failed_devices, spells.failures);
        close(summary.broken_gpu_hours.map(|hours| hours / 2e7), down);
    }
}
