//! Bounds by hand, and against the best of all schedules of tiny cases.

use std::ops::ControlFlow;

use super::*;
use crate::metrics::{Collector, Direction, METRICS, Summary};
use crate::model::{Market, OfferSpec, WorldBuilder};
use crate::policy::{Policy, Trigger, Turn};
use crate::sim::{self, Options};
use crate::state::{InstanceRef, Share, WorkRef};
use crate::units::{Demand, Distribution, Id, Shape, Stream};
use crate::workload::WorkList;

const HOUR: i64 = 3_600;

/// Jobs of one task: arrival, runtime and deadline in seconds, and demand.
fn works(rows: &[(i64, i64, i64, Demand)]) -> Vec<Work> {
    let work = |(ordinal, &(arrival, runtime, deadline, demand)): (u64, &_)| {
        let runtime = Span::from_secs(runtime);
        let mut work = Work::job(ordinal, Time::from_secs(arrival), demand, runtime);
        work.ask.deadline = Some(Time::from_secs(deadline));
        work
    };
    (0..).zip(rows).map(work).collect()
}

fn bounds(world: &World, works: &[Work], deadlines_met: Option<f64>) -> Bounds {
    let frame = Frame { deadlines_met, ..Frame::default() };
    over(world, &mut WorkList::new(works.iter()), frame).expect("the work is readable")
}

/// The values of a metric, rounded to a thousandth.
#[track_caller]
fn check(bounds: &Bounds, metric: &str, expected: &[f64]) {
    let rows = bounds.rows.iter().filter(|row| row.metric == metric);
    let found: Vec<f64> = rows.map(|row| row.value).collect();
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 2e-3 * b.abs();
    let all = found.len() == expected.len() && found.iter().zip(expected).all(close);
    assert!(all, "{metric}: {found:?}, not {expected:?}");
}

/// Milli-cores and MiB.
fn demand(cpu: u32, memory: u32) -> Demand {
    Demand { cpu, memory, ..Demand::default() }
}

const SHAPE: Shape = Shape { cpu: 4_000, memory: 4_096, gpus: 0 };

fn owned(running: u32) -> OfferSpec {
    OfferSpec::owned("dc/dc/dc-a", "group", SHAPE, running).price("1").at_most(None)
}

fn rented(price: &str) -> OfferSpec {
    OfferSpec::on_demand("aws/aws/a", "cloud", SHAPE, price)
}

fn world(offers: impl IntoIterator<Item = OfferSpec>) -> World {
    let world = offers.into_iter().fold(World::builder(), WorldBuilder::offer);
    world.build().expect("the offers are right")
}

/// Two jobs that each fill a machine for an hour, one machine owned for 1 USD/h.
fn pair(deadline: i64) -> Vec<Work> {
    let whole = demand(4_000, 4_096);
    works(&[(0, HOUR, deadline, whole), (0, HOUR, deadline, whole)])
}

#[test]
fn one_machine_does_one_job_after_the_other() {
    let bounds = bounds(&world([owned(1)]), &pair(5_400), None);
    check(&bounds, "makespan", &[7_200.0]);
    check(&bounds, "throughput", &[1.0]);
    check(&bounds, "turnaround_mean", &[5_400.0]);
    check(&bounds, "wait_mean", &[1_800.0]);
    check(&bounds, "wait_max", &[1_800.0]);
    check(&bounds, "turnaround_p50", &[3_600.0]);
    // Mean of 1 and 2.
    check(&bounds, "slowdown_mean", &[1.5]);
    // Room for one and a half until 1.5 h.
    check(&bounds, "deadlines_met", &[0.5]);
    check(&bounds, "tardiness_max", &[0.0]);
    check(&bounds, "cost_total", &[2.0]);
    check(&bounds, "cost_per_job", &[1.0]);
    // Two jobs of 4 cores and an hour.
    check(&bounds, "cost_per_core_hour", &[0.25]);
}

#[test]
fn renting_competes_with_staying_longer() {
    // At 2 USD/h an hour longer is cheaper, unless deadlines forbid it.
    let dear = world([owned(1), rented("2")]);
    check(&bounds(&dear, &pair(HOUR), Some(1.0)), "cost_total", &[2.0, 3.0]);
    check(&bounds(&dear, &pair(HOUR), Some(0.5)), "cost_total", &[2.0, 2.0]);
    check(&bounds(&dear, &pair(HOUR), Some(0.5)), "turnaround_mean", &[3_600.0]);
    // At half a dollar renting is cheaper. The owned machine is paid for an hour in any case.
    let cheap = world([owned(1), rented("0.5")]);
    check(&bounds(&cheap, &pair(HOUR), Some(1.0)), "cost_total", &[1.5, 1.5]);
    // Half of a machine is half of its price, by the resource that is short.
    let half = works(&[(0, HOUR, 9_999, demand(1_000, 2_048))]);
    check(&bounds(&world([rented("2")]), &half, None), "cost_total", &[1.0]);
}

#[test]
fn machines_that_must_boot_are_late() {
    let offer = rented("1").boot(Distribution::Constant(120.0));
    let bounds = bounds(&world([offer]), &pair(HOUR), Some(1.0));
    check(&bounds, "wait_p50", &[120.0]);
    check(&bounds, "makespan", &[3_720.0]);
    check(&bounds, "deadlines_met", &[0.0]);
    check(&bounds, "tardiness_mean", &[120.0]);
    check(&bounds, "cost_total", &[2.0]);
    let kept = ("cost_total", "the promised share of deadlines cannot be met".to_owned());
    assert!(bounds.not_computable.contains(&kept), "{:?}", bounds.not_computable);
}

#[test]
fn work_that_fits_nowhere_is_not_asked_for() {
    let mut works = pair(i64::MAX / 1_000_000);
    works[1].ask.demand.gpus = 1;
    let bounds = bounds(&world([owned(1)]), &works, None);
    check(&bounds, "finished", &[0.5]);
    check(&bounds, "makespan", &[3_600.0]);
    assert!(bounds.rows.iter().all(|row| row.holds.finished <= 1), "{bounds:?}");
    let nothing =
        over(&world([owned(1)]), &mut WorkList::new(Vec::<Work>::new()), Frame::default());
    check(&nothing.expect("no work is readable"), "cost_total", &[0.0]);
}

#[test]
fn a_warm_up_and_a_horizon_are_kept_apart() {
    let whole = demand(4_000, 4_096);
    let works = works(&[(0, HOUR, 9_999, whole), (60, HOUR, 9_999, whole)]);
    let world = world([owned(1)]);
    let over = |frame| over(&world, &mut WorkList::new(works.iter()), frame).expect("readable");
    let warm = over(Frame { counted_from: Some(Time::from_secs(60)), ..Frame::default() });
    check(&warm, "makespan", &[3_600.0]);
    check(&warm, "cost_total", &[]);
    // The second would end at 3,660 s.
    let cut = over(Frame { horizon: Some(Time::from_secs(3_650)), ..Frame::default() });
    check(&cut, "finished", &[0.5]);
    check(&cut, "makespan", &[3_600.0]);
}

#[test]
fn a_bound_speaks_of_runs_that_meet_its_condition() {
    let bounds = bounds(&world([owned(1), rented("2")]), &pair(HOUR), Some(1.0));
    let of_run = |finished, met: f64| {
        let metric = move |key: &str| {
            Some(if ["preemptions", "migrations"].contains(&key) { 0.0 } else { met })
        };
        bounds.of_run("cost_total", finished, metric).map(|row| row.value.round())
    };
    assert_eq!(of_run(2, 1.0), Some(3.0));
    assert_eq!(of_run(2, 0.5), Some(2.0));
    assert_eq!(of_run(1, 1.0), None);
    let preempted = |key: &str| match key {
        "preemptions" => Some(1.0),
        "migrations" => Some(0.0),
        _ => None,
    };
    assert!(bounds.of_run("wait_mean", 2, preempted).is_none());
    assert!(bounds.of_run("turnaround_mean", 2, preempted).is_some());
}

/// Instance on which a job of a scripted schedule runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    /// The owned instance of this rank.
    Owned(usize),
    /// An instance of this offer, rented for it.
    Fresh(usize),
    /// The instance that was rented for this other job.
    With(usize),
}

/// Places jobs where a script says, on each instance in the script's order.
#[derive(Debug)]
struct Scripted<'a> {
    order: &'a [usize],
    on: &'a [On],
    arrived: Vec<Option<WorkRef>>,
    placed: Vec<bool>,
    instances: Vec<Option<InstanceRef>>,
}

impl Scripted<'_> {
    /// The job that rented the instance of `job`, or the rank of an owned one
    /// beyond all jobs.
    fn row_of(&self, job: usize) -> usize {
        match self.on[job] {
            On::Owned(rank) => self.on.len() + rank,
            On::Fresh(_) => job,
            On::With(other) => other,
        }
    }

    fn try_place(&mut self, at: usize, turn: &mut Turn<'_, '_>) {
        let job = self.order[at];
        let Some(work) = self.arrived[job] else { return };
        let lane = self.row_of(job);
        let behind =
            self.order[..at].iter().any(|&other| self.row_of(other) == lane && !self.placed[other]);
        if self.placed[job] || behind && !matches!(self.on[job], On::Fresh(_)) {
            return;
        }
        if let On::Fresh(offer) = self.on[job] {
            let rented = turn.rent(Id::new(offer as u32)).expect("no limit");
            self.instances[lane] = Some(rented);
        }
        let Some(instance) = self.instances[lane] else { return };
        if turn.accepts(work, instance) {
            turn.place(work, &[Share { instance, tasks: 1, devices: 0 }]).expect("it fits");
            self.placed[job] = true;
        }
    }
}

impl Policy for Scripted<'_> {
    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        for trigger in triggers {
            match *trigger {
                Trigger::Begins => {
                    let owned = turn.instances().map(|(instance, _)| Some(instance));
                    self.instances.extend(owned.collect::<Vec<_>>());
                }
                Trigger::Arrived(work) => {
                    let row = turn.work(work).id.ordinal as usize;
                    self.arrived[row] = Some(work);
                }
                Trigger::Idle(instance) => {
                    let lane = self.instances.iter().position(|&known| known == Some(instance));
                    let mut jobs = 0..self.on.len();
                    if !jobs.any(|job| Some(self.row_of(job)) == lane && !self.placed[job]) {
                        turn.release(instance).expect("it is empty");
                    }
                }
                _ => {}
            }
        }
        for at in 0..self.order.len() {
            self.try_place(at, turn);
        }
    }
}

fn run(world: &World, works: &[Work], order: &[usize], on: &[On]) -> Summary {
    let count = works.len();
    let mut policy = Scripted {
        order,
        on,
        arrived: vec![None; count],
        placed: vec![false; count],
        instances: vec![None; count],
    };
    let (mut source, mut collector) = (WorkList::new(works.iter()), Collector::default());
    let mut go_on = |_: sim::RunProgress| ControlFlow::Continue(());
    let options = Options::default();
    let outcome = sim::run(world, &mut source, &mut policy, &options, &mut collector, &mut go_on);
    collector.summary(world, &[], &outcome.expect("the script is legal"))
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let with = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.insert(at, count - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..count).map(move |at| with(order, at))).collect()
}

/// Every place for every job, of those that a script may name.
fn places(world: &World, count: usize) -> Vec<Vec<On>> {
    let mut all = vec![Vec::new()];
    let mut rank = 0;
    let mut anywhere = Vec::new();
    for (row, offer) in world.offers.rows().iter().enumerate() {
        if offer.market == Market::Owned {
            anywhere.extend((0..offer.running_at_start).map(|nth| On::Owned(rank + nth as usize)));
            rank += offer.running_at_start as usize;
        } else {
            anywhere.push(On::Fresh(row));
        }
    }
    for job in 0..count {
        let longer = |places: &Vec<On>| {
            let fresh = |&other: &usize| matches!(places.get(other), Some(On::Fresh(_)));
            let joins: Vec<On> = (0..job).filter(fresh).map(On::With).collect();
            let places = places.clone();
            let next = anywhere.clone().into_iter().chain(joins);
            next.map(move |on| places.iter().copied().chain([on]).collect::<Vec<On>>())
                .collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// A tiny world and up to three jobs that all fit everywhere.
fn tiny(seed: u64) -> (World, Vec<Work>) {
    let mut stream = Stream::of(seed, "tiny", 0);
    let mut of = |choices: &[i64]| choices[stream.below(choices.len() as u64) as usize];
    let price = ["0", "1", "3"][of(&[0, 1, 2]) as usize];
    let speed = of(&[1_000_000, 2_000_000]) as u32;
    let running = of(&[0, 1, 1, 2]) as u32;
    let mut offers = vec![owned(running).price(price).speed(speed)];
    if running == 0 || of(&[0, 1]) == 1 {
        let boot = Distribution::Constant(of(&[0, 60, 300]) as f64);
        let speed = of(&[500_000, 1_000_000, 3_000_000]) as u32;
        let (cpu, memory) = (of(&[4_000, 8_000]) as u32, of(&[4_096, 6_144]) as u32);
        let shape = Shape { cpu, memory, gpus: 0 };
        let price = ["0.5", "2", "5"][of(&[0, 1, 2]) as usize];
        let offer = OfferSpec::on_demand("aws/aws/a", "cloud", shape, price);
        offers.push(offer.boot(boot).speed(speed));
    }
    let mut arrival = 0;
    let mut row = |_| {
        arrival += of(&[0, 0, 100, 1_000]);
        let runtime = of(&[5, 300, 1_000, 3_600]);
        let deadline = arrival + of(&[100, 400, 1_500, 8_000]);
        let ask = demand(of(&[1_000, 2_000, 4_000]) as u32, of(&[1_024, 4_096]) as u32);
        (arrival, runtime, deadline, ask)
    };
    let rows: Vec<_> = (0..2 + seed % 2).map(&mut row).collect();
    (world(offers), works(&rows))
}

/// Every order on every choice of instances: no schedule beats a bound, and
/// some reach it.
#[test]
fn the_best_of_all_schedules_keeps_every_bound() {
    const KEYS: [&str; 7] = [
        "cost_total",
        "makespan",
        "turnaround_mean",
        "wait_mean",
        "slowdown_mean",
        "deadlines_met",
        "tardiness_mean",
    ];
    let mut reached = [0; KEYS.len()];
    for seed in 0..300 {
        let (world, works) = tiny(seed);
        let bounds = bounds(&world, &works, Some(1.0));
        let mut best = [None; KEYS.len()];
        for on in places(&world, works.len()) {
            for order in orders(works.len()) {
                let summary = run(&world, &works, &order, &on);
                assert_eq!(summary.work.finished, works.len() as u64, "seed {seed}");
                for (best, key) in best.iter_mut().zip(KEYS) {
                    let Some(value) = summary.metric(key) else { continue };
                    let metric = |key: &str| summary.metric(key);
                    let row = bounds.of_run(key, summary.work.finished, metric);
                    let row = row.expect("every run finishes all work");
                    let more = METRICS
                        .iter()
                        .any(|metric| metric.key == key && metric.better == Direction::Higher);
                    let loss = if more { row.value - value } else { value - row.value };
                    assert!(loss >= 0.0, "seed {seed}, {order:?} {on:?}: {value} beats {row:?}");
                    let relative = loss / value.abs().max(1e-9);
                    *best = Some(best.map_or(relative, |best: f64| best.min(relative)));
                }
            }
        }
        for (reached, best) in reached.iter_mut().zip(best) {
            *reached += i32::from(best.is_some_and(|loss| loss < 2e-3));
        }
    }
    let enough = [100, 150, 150, 150, 150, 150, 150];
    assert!(reached.iter().zip(enough).all(|(&reached, enough)| reached >= enough), "{reached:?}");
}

/// Two hours of work by 3.5 h, at 2 dollars on demand and half a dollar on spot, which is there for the
/// first hour and from the third on: an hour and a half is on spot. Work that loses all with its instance
/// finds no spell that is long enough.
#[test]
fn spot_is_used_while_there_is_any() {
    let spot = |zone: &str, changes: &[(i64, u32)]| {
        let changes = changes.iter().map(|&(at, most)| (Time::from_secs(at), Some(most))).collect();
        OfferSpec::spot(&format!("aws/aws/{zone}"), "cloud", SHAPE, "0.5")
            .capacity(crate::model::CapacityPath::known(Some(1), changes))
    };
    let away = spot("a", &[(HOUR, 0), (3 * HOUR, 1)]);
    let mut works = works(&[(0, 2 * HOUR, 7 * HOUR / 2, demand(4_000, 4_096))]);
    let alone = world([rented("2"), away.clone()]);
    check(&bounds(&alone, &works, Some(1.0)), "cost_total", &[1.0, 4.0]);
    works[0].ask.resumes = true;
    check(&bounds(&alone, &works, Some(1.0)), "cost_total", &[1.0, 0.75 + 1.0]);
    // Another zone at the same times is no more time; one that is there from 30 min to 90 min adds half
    // an hour.
    let twice = world([rented("2"), away.clone(), spot("b", &[(HOUR, 0), (3 * HOUR, 1)])]);
    check(&bounds(&twice, &works, Some(1.0)), "cost_total", &[1.0, 0.75 + 1.0]);
    let later = spot("b", &[(0, 0), (HOUR / 2, 1), (3 * HOUR / 2, 0)]);
    let more = world([rented("2"), away.clone(), later]);
    check(&bounds(&more, &works, Some(1.0)), "cost_total", &[1.0, 1.0]);
    // Nothing but spot: it cannot be in time, and nothing is claimed but that it is finished.
    check(&bounds(&world([away]), &works, Some(1.0)), "cost_total", &[1.0, 1.0]);
}

/// What is drawn is known by the seed: an hour of work that resumes, by a deadline two hours away, is on
/// spot for the time up that a cursor says.
#[test]
fn drawn_capacity_is_that_of_the_seed() {
    use crate::model::{CapacityCursor, CapacityLaw, CapacityPath, DrawnCapacity};
    let law = CapacityLaw::memoryless(1, 2.0, 1_800.0).expect("a law").into();
    let (from, until, anchor, key) = (None, None, Time::ZERO, [1, 0]);
    let drawn = vec![DrawnCapacity { from, until, anchor, key, law, moves_with: None }];
    let path = CapacityPath { drawn, ..CapacityPath::default() };
    let spot = OfferSpec::spot("aws/aws/a", "cloud", SHAPE, "0.5").capacity(path.clone());
    let world = world([rented("2"), spot]);
    let mut works = works(&[(0, HOUR, 2 * HOUR, demand(4_000, 4_096))]);
    works[0].ask.resumes = true;
    for seed in 0..40 {
        let mut cursor = CapacityCursor::new(&path, seed, Time::ZERO);
        let (mut at, mut up, end) = (Time::ZERO, 0.0, Time::from_secs(2 * HOUR));
        while at < end {
            let next = cursor.next_change(&path).map_or(end, |next| next.min(end));
            up += if cursor.capacity(&path) == Some(1) { (next - at).secs_f64() } else { 0.0 };
            at = next;
            cursor.advance(&path);
        }
        let frame = Frame { deadlines_met: Some(1.0), seed: Some(seed), ..Frame::default() };
        let bounds = over(&world, &mut WorkList::new(works.iter()), frame).expect("it is readable");
        let hours = (up / 3_600.0).min(1.0);
        check(&bounds, "cost_total", &[0.5, hours * 0.5 + (1.0 - hours) * 2.0]);
    }
}
