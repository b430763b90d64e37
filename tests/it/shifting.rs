//! Work that is held until a better time, by hand.

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{
    Ask, CapacityPath, OfferSpec, PowerCurve, PricePath, StepPath, Work, World,
};
use windtunnel::policy::shift::{NOW, PRICE_AWARE, WAIT_AWHILE};
use windtunnel::policy::spec::{PolicySpec, ShiftSpec};
use windtunnel::policy::{self, admit::AdmitSpec, provision};
use windtunnel::sim::{Observer, Run};
use windtunnel::state::{Record, State};
use windtunnel::units::{Demand, Distribution, Id, Money, Rate, Shape, Span, Time};
use windtunnel::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 1_000, memory: 0, gpus: 0 };

fn hours(hours: i64) -> Time {
    Time::from_secs(3_600 * hours)
}

fn span(hours: i64) -> Span {
    Span::from_secs(3_600 * hours)
}

/// 500, 300, 900, 100, 400, 200 and then 700 g/kWh, an hour each from 0 on.
fn grid() -> StepPath {
    let values = [500, 300, 900, 100, 400, 200, 700].map(|grams: i64| grams * 1_000_000);
    StepPath::known(values[0], (0..).map(hours).zip(values))
}

/// Machines of the own of one core that draw 1 kW while they work, and else nothing.
fn cluster(nodes: u32, grid: StepPath) -> World {
    let world = World::builder().offer(OfferSpec::owned("dc", "node", SHAPE, nodes));
    let world = world.region("dc", |region| region.carbon = Some(grid));
    let mut world = world.build().expect("a world");
    world.types.rows_mut()[0].power = Some(PowerCurve::by_load(&[0, 1_000_000]));
    world
}

/// A job of so many hours that arrives at 0 and is to be done within so many.
fn job(row: u64, run: i64, deadline: Option<i64>) -> Work {
    let demand = Demand { cpu: 1_000, ..Demand::default() };
    let mut work = Work::job(row, Time::ZERO, demand, span(run));
    let (estimate, deadline) = (Some(span(run)), deadline.map(hours));
    work.ask = Ask { estimate, deadline, resumes: true, ..work.ask };
    work
}

/// Starts and ends of tasks, in seconds.
#[derive(Debug, Default)]
struct Times(Vec<(i64, i64)>);

impl Observer for Times {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Stopped { allocation, .. } = *record
            && let Some(started) = state.allocation(allocation).started()
        {
            let secs = |at: Time| at.micros() / 1_000_000;
            self.0.push((secs(started), secs(state.now())));
        }
    }
}

/// What becomes of `jobs` in `world` under a policy, when tasks ran, and the laws are kept.
fn run(world: &World, jobs: &[Work], spec: &PolicySpec) -> (Summary, Vec<(i64, i64)>) {
    let mut policy = policy::build(spec);
    let mut observer = (Collector::default(), (Laws::new(true), Times::default()));
    let mut source = WorkList::new(jobs);
    let run = Run::new(world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    let (collector, (laws, times)) = observer;
    assert_eq!(laws.broken(), None);
    (collector.summary(world, &["default".to_owned()], &outcome), times.0)
}

fn shifted(shift: ShiftSpec) -> PolicySpec {
    PolicySpec { shift, ..PolicySpec::named("shifted") }
}

/// Kilograms, and the hours in which one job ran on one machine.
fn one(job: Work, shift: ShiftSpec) -> (f64, Vec<(f64, f64)>) {
    let (summary, times) = run(&cluster(1, grid()), &[job], &shifted(shift));
    assert_eq!(summary.work.finished, 1);
    let kg = summary.carbon.kg.expect("it is known");
    let ran = |(from, until): (i64, i64)| (from as f64 / 3_600.0, until as f64 / 3_600.0);
    ((kg * 1e9).round() / 1e9, times.into_iter().map(ran).collect())
}

/// Two hours from each hour on cost 800, 1,200, 1,000, 500, 600 and 900 g.
#[test]
fn work_waits_for_the_least_carbon_before_its_deadline() {
    let wait = || WAIT_AWHILE.spec();
    assert_eq!(one(job(0, 2, Some(7)), NOW.spec()), (0.8, vec![(0.0, 2.0)]));
    assert_eq!(one(job(0, 2, Some(7)), wait()), (0.5, vec![(3.0, 5.0)]));
    assert_eq!(one(job(0, 2, Some(5)), wait()), (0.5, vec![(3.0, 5.0)]));
    assert_eq!(one(job(0, 2, Some(4)), wait()), (0.8, vec![(0.0, 2.0)]));
    // Nobody is held past what a deadline leaves: the last moment is an hour before the best.
    let early = wait().set("margin", span(1));
    assert_eq!(one(job(0, 2, Some(5)), early), (0.8, vec![(0.0, 2.0)]));
    let early = wait().set("margin", Span::from_secs(1_800));
    assert_eq!(one(job(0, 2, Some(5)), early), (0.75, vec![(2.5, 4.5)]));
}

/// Who has no deadline is held for as long as the policy says, who has no estimate not at all.
#[test]
fn slack_holds_work_without_a_deadline() {
    let wait = |hours| WAIT_AWHILE.spec().set("slack", span(hours));
    assert_eq!(one(job(0, 2, None), WAIT_AWHILE.spec()), (0.8, vec![(0.0, 2.0)]));
    assert_eq!(one(job(0, 2, None), wait(5)), (0.5, vec![(3.0, 5.0)]));
    assert_eq!(one(job(0, 2, None), wait(2)), (0.8, vec![(0.0, 2.0)]));
    // The deadline is the nearer one.
    assert_eq!(one(job(0, 2, Some(4)), wait(5)), (0.8, vec![(0.0, 2.0)]));
    let mut blind = job(0, 2, Some(7));
    blind.ask.estimate = None;
    assert_eq!(one(blind, wait(5)), (0.8, vec![(0.0, 2.0)]));
}

/// In pieces: 100 from 3 to 4, 200 from 5 to 6, 300 from 1 to 2. What cannot resume runs in one.
#[test]
fn work_that_resumes_runs_in_pieces() {
    let pieces = || WAIT_AWHILE.spec().set("interrupt", true);
    let at = |all: &[i64]| -> Vec<(f64, f64)> {
        all.iter().map(|&hour| (hour as f64, hour as f64 + 1.0)).collect()
    };
    assert_eq!(one(job(0, 2, Some(7)), pieces()), (0.3, at(&[3, 5])));
    assert_eq!(one(job(0, 3, Some(7)), pieces()), (0.6, at(&[1, 3, 5])));
    assert_eq!(one(job(0, 3, Some(6)), pieces()), (0.6, at(&[1, 3, 5])));
    assert_eq!(one(job(0, 3, Some(5)), pieces()), (0.8, vec![(1.0, 2.0), (3.0, 5.0)]));
    let whole =
        Work { ask: Ask { resumes: false, ..job(0, 2, Some(7)).ask }, ..job(0, 2, Some(7)) };
    assert_eq!(one(whole, pieces()), (0.5, vec![(3.0, 5.0)]));
    let (summary, _) = run(&cluster(1, grid()), &[job(0, 3, Some(7))], &shifted(pieces()));
    assert_eq!((summary.work.preemptions, summary.lost_core_hours), (2, 0.0));
}

/// Two jobs that wait for one machine: the second is served when the first is done, and paused work
/// leaves the machine to who comes.
#[test]
fn who_is_let_go_is_served_in_turn() {
    let jobs = [job(0, 2, Some(12)), job(1, 2, Some(12))];
    let (summary, times) = run(&cluster(1, grid()), &jobs, &shifted(WAIT_AWHILE.spec()));
    assert_eq!(times, [(3 * 3_600, 5 * 3_600), (5 * 3_600, 7 * 3_600)]);
    assert_eq!((summary.wait_s.mean, summary.deadlines.met), (Some(4.0 * 3_600.0), 2));
    // One pauses from 4 to 5, the hour in which another has to run.
    let mut second = job(1, 1, Some(5));
    second.arrival = hours(4);
    let jobs = [job(0, 2, Some(7)), second];
    let pieces = shifted(WAIT_AWHILE.spec().set("interrupt", true));
    let (_, times) = run(&cluster(1, grid()), &jobs, &pieces);
    assert_eq!(times, [3, 4, 5].map(|hour| (hour * 3_600, (hour + 1) * 3_600)));
}

/// The time in which work is held is none of its patience.
#[test]
fn held_work_loses_no_patience() {
    let admit = AdmitSpec { patience: Some(Span::HOUR), ..AdmitSpec::default() };
    let spec = PolicySpec { admit, ..shifted(WAIT_AWHILE.spec()) };
    let jobs = [job(0, 2, Some(7)), job(1, 2, Some(7))];
    let (summary, times) = run(&cluster(1, grid()), &jobs, &spec);
    assert_eq!((summary.work.finished, summary.work.refused), (1, 1));
    assert_eq!(times, [(3 * 3_600, 5 * 3_600)]);
}

/// Yesterday the hours from 3 to 5 were the cleanest, today those from 29 to 31 are: by yesterday a job
/// that arrives at 24 starts at 27, and pays 1,300 g where it could pay 200.
#[test]
fn a_forecast_by_yesterday_may_be_wrong() {
    let values = [500, 300, 900, 100, 400, 100, 700].map(|grams: i64| grams * 1_000_000);
    let today = [500, 500, 600, 700, 600, 100, 100].map(|grams: i64| grams * 1_000_000);
    let yesterday = (0..).map(hours).zip(values);
    let grid = StepPath::known(0, yesterday.chain((24..).map(hours).zip(today)));
    let world = cluster(1, grid);
    let mut late = job(0, 2, Some(31));
    late.arrival = hours(24);
    for (forecast, start, grams) in [("perfect", 29, 200.0), ("yesterday", 27, 1_300.0)] {
        let shift = WAIT_AWHILE.spec().set("forecast", forecast);
        let (summary, times) = run(&world, &[late.clone()], &shifted(shift));
        assert_eq!(times, [(start * 3_600, (start + 2) * 3_600)], "{forecast}");
        let kg = summary.carbon.kg.expect("it is known");
        assert!((kg * 1e3 - grams).abs() < 1e-9, "{forecast}: {kg}");
    }
}

/// Rent at 5, 3, 9, 1, 4, 2 and 7 dollars an hour, on a machine that takes six minutes to boot: two
/// hours and the boot cost least from 3 on, as the deadline leaves the boot besides.
#[test]
fn work_waits_for_low_prices() {
    let dollars = |dollars: i64| Rate::from_picos(dollars * 1_000_000_000_000);
    let prices = [5, 3, 9, 1, 4, 2, 7].map(dollars);
    let price = PricePath::known(prices[0], (1..).map(hours).zip(prices[1..].to_vec()).collect());
    let boot = Distribution::Constant(360.0);
    let offer = OfferSpec::on_demand("cloud/r/r-a", "m", SHAPE, "5").boot(boot);
    let mut world = World::builder().offer(offer).build().expect("a world");
    world.offers.rows_mut()[0].price = price;
    let spec = |shift| PolicySpec { provision: provision::CHEAPEST.spec(), ..shifted(shift) };
    let cost = |deadline, shift| {
        let (summary, times) = run(&world, &[job(0, 2, Some(deadline))], &spec(shift));
        assert_eq!(summary.deadlines.met, 1);
        (summary.cost.total.dollars(), times[0].0)
    };
    assert_eq!(cost(7, NOW.spec()), (5.0 + 3.0 + 0.9, 360));
    assert_eq!(cost(7, PRICE_AWARE.spec()), (1.0 + 4.0 + 0.2, 3 * 3_600 + 360));
    // Six minutes before 3, so that the boot is over in time.
    assert_eq!(cost(5, PRICE_AWARE.spec()), (0.9 + 1.0 + 4.0, 3 * 3_600));
}

/// Where nothing changes, or nothing is known, nobody is held.
#[test]
fn nobody_waits_for_nothing() {
    let wait = shifted(WAIT_AWHILE.spec());
    let (_, times) = run(&cluster(1, StepPath::constant(300)), &[job(0, 2, Some(7))], &wait);
    assert_eq!(times, [(0, 7_200)]);
    let mut world = cluster(1, grid());
    world.regions.rows_mut()[0].carbon = None;
    assert_eq!(run(&world, &[job(0, 2, Some(7))], &wait).1, [(0, 7_200)]);
    let price = shifted(PRICE_AWARE.spec());
    assert_eq!(run(&cluster(1, grid()), &[job(0, 2, Some(7))], &price).1, [(0, 7_200)]);
}

/// Machines of one core that draw 100 W idle and 300 W full, where the grid gives 500 g/kWh, or for
/// twice the price 100 g in the first hour and 900 after it; half as dear where nothing is known of the
/// grid; and of four cores that draw 100 to 700 W, at 500 g, with `boot` hours of boot.
fn grids(boot: i64) -> World {
    let four = Shape { cpu: 4_000, ..SHAPE };
    let offer = |place, shape, price| OfferSpec::on_demand(place, "m", shape, price);
    let steady = offer("steady/r/z", SHAPE, "1");
    let moving = offer("moving/r/z", SHAPE, "2");
    let unknown = offer("unknown/r/z", SHAPE, "0.5");
    let large = offer("large/r/z", four, "9").boot(Distribution::Constant(3_600.0 * boot as f64));
    let grams = |grams: i64| grams * 1_000_000;
    let path = |first, then| Some(StepPath::known(grams(first), [(hours(1), grams(then))]));
    let world = World::builder().offer(steady).offer(moving).offer(unknown).offer(large);
    let world = world.region("steady/r", |region| region.carbon = path(500, 500));
    let world = world.region("moving/r", |region| region.carbon = path(100, 900));
    let world = world.region("large/r", |region| region.carbon = path(500, 500));
    let mut world = world.build().expect("a world");
    for machine in world.types.rows_mut() {
        let full = if machine.shape == four { 700_000 } else { 300_000 };
        machine.power = Some(PowerCurve::by_load(&[100_000, full]));
    }
    world
}

/// Who rents where it causes the least carbon, and kilograms of it. An hour causes .3 x 500 = 150 g on
/// one grid and .3 x 100 = 30 g on the other, two hours 300 g on both, three 450 or 570 g.
#[test]
fn the_greenest_place_is_that_of_the_least_carbon_over_all_of_the_work() {
    let spec = PolicySpec { provision: provision::GREENEST.spec(), ..PolicySpec::named("green") };
    let greenest = |world: &World, hours: i64, gone: &[&str]| {
        let mut world = world.clone();
        for row in 0..world.offers.len() {
            let provider = world.provider_of(Id::new(row as u32));
            if gone.contains(&world.providers[provider].name.as_str()) {
                world.offers.rows_mut()[row].capacity = CapacityPath::known(Some(0), Vec::new());
            }
        }
        let (summary, _) = run(&world, &[job(0, hours, None)], &spec);
        assert_eq!(summary.work.finished, 1);
        let rented = summary.cost.by_provider.iter().find(|(_, cost)| *cost > Money::ZERO);
        let grams = summary.carbon.kg.map(|kg| (kg * 1e6).round() / 1e3);
        (rented.expect("it was rented").0.clone(), grams)
    };
    let is = |name: &str, grams: f64| (name.to_owned(), Some(grams));
    let world = grids(1);
    assert_eq!(greenest(&world, 1, &[]), is("moving", 30.0));
    // The same on both grids: the cheaper one.
    assert_eq!(greenest(&world, 2, &[]), is("steady", 300.0));
    // A quarter of the load draws 250 W: 125 g an hour, and 50 g for an hour of boot.
    assert_eq!(greenest(&world, 3, &[]), is("large", 425.0));
    assert_eq!(greenest(&world, 3, &["large"]), is("steady", 450.0));
    assert_eq!(greenest(&world, 1, &["moving"]), is("steady", 150.0));
    assert_eq!(greenest(&grids(0), 1, &["moving"]), is("large", 125.0));
    // Of the cheapest nothing is known, so it comes last.
    let all_known = ["steady", "moving", "large"];
    assert_eq!(greenest(&world, 1, &all_known), ("unknown".to_owned(), None));
}
