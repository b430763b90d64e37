//! Parts and metrics as rows: every part runs with its defaults, and a row of a stranger goes in like any
//! other, also one that acts where nobody waits.

use std::path::Path;

use windtunnel::experiment::{self, Settings};
use windtunnel::metrics::{Collector, METRICS};
use windtunnel::model::{OfferSpec, Work, World};
use windtunnel::part::{Part, Setting};
use windtunnel::policy::provision::{self, Provision, ProvisionPart, Provisioned, Reach};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, Trigger, Turn, backfill, order, place, preempt, release};
use windtunnel::scenario::Scenario;
use windtunnel::sim::Run;
use windtunnel::state::{InstanceRef, Phase, Record, State, WaitReason, WorkRef};
use windtunnel::units::{Demand, Distribution, Shape, Span, Time};
use windtunnel::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 4_000, memory: 1_024, gpus: 0 };
const OFFER: &str = "cloud/zone/m/on-demand";

/// Machines for 3.60 dollars an hour that boot for 30 s, and as many of our own.
fn world(owned: u32) -> World {
    let rented = OfferSpec::on_demand("cloud/region/zone", "m", SHAPE, "3.6")
        .boot(Distribution::Constant(30.0));
    let builder = World::builder().offer(rented);
    let builder = match owned {
        0 => builder,
        _ => builder.offer(OfferSpec::owned("dc", "node", SHAPE, owned)),
    };
    builder.build().expect("the world is right")
}

/// Jobs of a whole machine: arrival and runtime in seconds.
fn jobs(rows: &[(i64, i64)]) -> Vec<Work> {
    let demand = Demand { cpu: 4_000, ..Demand::default() };
    let job = |(row, &(at, run)): (u64, &(i64, i64))| {
        Work::job(row, Time::from_secs(at), demand, Span::from_secs(run))
    };
    (0..).zip(rows).map(job).collect()
}

/// Starts in seconds, and the bill in cents.
fn run(world: &World, works: &[Work], spec: &PolicySpec) -> (Vec<i64>, i128) {
    let (mut policy, mut collector) = (policy::build(spec), Collector::default());
    let (mut source, mut starts) = (WorkList::new(works), Starts::default());
    let run = Run::new(world, &mut source).policy(&mut *policy);
    let outcome = run.observe(&mut starts).observe(&mut collector).run().expect("it goes through");
    assert_eq!((outcome.drained, outcome.stranded), (true, 0), "{spec:?}");
    starts.0.sort_unstable();
    let cost = collector.summary(world, &[], &outcome).cost.total;
    (starts.0, cost.nanos() / 10_000_000)
}

#[derive(Default)]
struct Starts(Vec<i64>);

impl windtunnel::sim::Observer for Starts {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if matches!(record, Record::Started(_)) {
            self.0.push(state.now().micros() / 1_000_000);
        }
    }
}

/// Every row of every question, alone beside the defaults.
#[test]
fn every_part_runs_with_its_defaults() {
    let (world, works) = (world(2), jobs(&[(0, 50), (0, 50), (10, 20), (20, 5)]));
    let plain = PolicySpec::named("p");
    let mut specs = Vec::new();
    specs.extend(
        preempt::PARTS.iter().map(|part| PolicySpec { preempt: part.spec(), ..plain.clone() }),
    );
    specs
        .extend(order::PARTS.iter().map(|part| PolicySpec { order: part.spec(), ..plain.clone() }));
    specs
        .extend(place::PARTS.iter().map(|part| PolicySpec { place: part.spec(), ..plain.clone() }));
    specs.extend(
        backfill::PARTS.iter().map(|part| PolicySpec { backfill: part.spec(), ..plain.clone() }),
    );
    specs.extend(
        provision::PARTS.iter().map(|part| PolicySpec { provision: part.spec(), ..plain.clone() }),
    );
    specs.extend(
        release::PARTS.iter().map(|part| PolicySpec { release: part.spec(), ..plain.clone() }),
    );
    assert!(specs.len() > 30, "{} parts", specs.len());
    for spec in specs {
        let (starts, _) = run(&world, &works, &spec);
        assert_eq!(starts.len(), 4, "{spec:?}");
    }
}

/// Rents one machine 50 s after the beginning, whoever waits.
#[derive(Debug, Default)]
struct Ahead {
    done: bool,
}

static AHEAD: ProvisionPart = Part {
    name: "ahead",
    doc: "Rents one machine after 50 s.",
    parameters: &[],
    make: |_| Box::new(Ahead::default()),
};

impl Provision for Ahead {
    fn reach(&self) -> Reach {
        Reach { fleets: vec![(OFFER.to_owned(), 1)], ..Reach::default() }
    }

    fn begin(&mut self, turn: &mut Turn<'_, '_>) {
        turn.wake(Time::from_secs(50)).expect("it is to come");
    }

    fn react(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        if triggers.contains(&Trigger::Timer) && !self.done {
            self.done = true;
            let offer = turn.world().offers.ids().next().expect("there is one");
            turn.rent(offer).expect("it is for rent");
        }
    }

    fn supply(&mut self, _turn: &mut Turn<'_, '_>, _work: WorkRef) -> Provisioned {
        Provisioned::None(WaitReason::NoRoom)
    }
}

#[test]
fn a_part_rents_before_anybody_waits() {
    let spec = PolicySpec {
        provision: AHEAD.spec(),
        release: release::NEVER.spec(),
        ..PolicySpec::named("p")
    };
    // Rented at 50, ready at 80: the job that comes at 100 starts at once.
    assert_eq!(run(&world(0), &jobs(&[(100, 10)]), &spec).0, [100]);
    // Who waits since 0 is placed on it when it is rented.
    assert_eq!(run(&world(0), &jobs(&[(0, 10), (0, 10)]), &spec).0, [80, 90]);
}

/// Rents a machine for each that waits, after they were served, and gives back whatever is idle
/// but the oldest, which it keeps.
#[derive(Debug, Default)]
struct Follows;

static FOLLOWS: ProvisionPart = Part {
    name: "follows",
    doc: "Rents for the length of the queue, gives back what is idle but one machine.",
    parameters: &[],
    make: |_| Box::new(Follows),
};

fn idle(turn: &Turn<'_, '_>) -> Vec<InstanceRef> {
    let all = turn.instances();
    let idle = all.filter(|(_, one)| one.phase == Phase::Running && one.is_idle());
    idle.map(|(instance, _)| instance).collect()
}

impl Provision for Follows {
    fn reach(&self) -> Reach {
        Reach { fleets: vec![(OFFER.to_owned(), 2)], ..Reach::default() }
    }

    fn begin(&mut self, _turn: &mut Turn<'_, '_>) {}

    fn review(&mut self, turn: &mut Turn<'_, '_>) {
        let offer = turn.world().offers.ids().next().expect("there is one");
        for _ in turn.offer(offer).live..turn.all_pending().len().min(2) as u32 {
            turn.rent(offer).expect("it is for rent");
        }
        for instance in idle(turn) {
            if turn.offer(offer).live > 1 {
                turn.release(instance).expect("it is idle");
            }
        }
    }

    fn keeps(&self, turn: &Turn<'_, '_>, instance: InstanceRef) -> bool {
        turn.offer(turn.instance(instance).offer).live == 1
    }

    fn supply(&mut self, _turn: &mut Turn<'_, '_>, _work: WorkRef) -> Provisioned {
        Provisioned::None(WaitReason::NoRoom)
    }
}

#[test]
fn a_part_acts_after_all_were_served() {
    // Two are rented at 0 for the two that wait, ready at 30. One is idle at 130 and goes back
    // there, the other is kept to the end: 130 s and 430 s at 3.60 dollars an hour are 56 cents.
    let works = jobs(&[(0, 100), (0, 300), (420, 10)]);
    for release in [release::IDLE.spec(), release::NEVER.spec()] {
        let spec = PolicySpec { provision: FOLLOWS.spec(), release, ..PolicySpec::named("p") };
        assert_eq!(run(&world(0), &works, &spec), (vec![30, 30, 420], 56));
    }
}

#[test]
fn a_machine_of_a_review_is_held_by_who_waited_then() {
    // Rented at 0 for the long job, which is placed on it while it boots: the short one that comes
    // at 10 is ahead in the queue, and takes no machine that is held.
    let spec = PolicySpec {
        provision: FOLLOWS.spec(),
        order: order::SHORTEST.spec(),
        ..PolicySpec::named("p")
    };
    let mut works = jobs(&[(0, 100), (10, 5)]);
    works[1].ask.estimate = Some(Span::from_secs(5));
    assert_eq!(run(&world(0), &works, &spec).0, [30, 130]);
}

#[test]
fn what_a_part_keeps_is_not_released() {
    // Idle from 40 to 400, and kept: the second job needs no boot.
    let spec = |provision| PolicySpec { provision, ..PolicySpec::named("p") };
    let works = jobs(&[(0, 10), (400, 10)]);
    assert_eq!(run(&world(0), &works, &spec(FOLLOWS.spec())).0, [30, 400]);
    // A part that keeps nothing: the machine goes back, and the next one boots.
    assert_eq!(run(&world(0), &works, &spec(provision::CHEAPEST.spec())).0, [30, 430]);
}

/// A cluster and rented machines, both with and without GPUs, work that moves data, deadlines, an
/// outage and a rule of alerts.
const EVERYTHING: &str = "question = \"?\"\n\
    [workload.synthetic]\ncount = 30\narrivals = { per_hour = 30 }\n\
    [workload.synthetic.class.a]\nruntime = \"10 min\"\nvcpus = 2\nmemory = \"4 GiB\"\ndeadline = 4\n\
    data = { home = \"dc\", input = \"5 GiB\", output = \"1 GiB\" }\n\
    [workload.synthetic.class.b]\nruntime = \"10 min\"\nvcpus = 2\nmemory = \"4 GiB\"\ngpus = 1\n\
    [cluster.dc]\nnodes = 1\nshape = { vcpus = 4, memory = \"16 GiB\" }\ncost = \"1 USD/h\"\n\
    power = \"300 W\"\ncarbon_g_per_kwh = 300\n\
    [cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\nfamilies = [\"g5\"]\n\
    [[outage]]\nprovider = \"dc\"\nfrom = \"12 min\"\nuntil = \"13 min\"\n\
    [[outage]]\nplane = \"security\"\nfrom = \"5 min\"\nuntil = \"6 min\"\n\
    [[failure]]\nname = \"one\"\nprovider = \"aws\"\nmtbf_per_gpu = \"100 d\"\ndevices = \"one\"\n\
    [[alert]]\nsignal = \"waiting\"\nabove = 0\n\
    [[account]]\nname = \"a\"\n[[commitment]]\nprovider = \"aws\"\naccount = \"a\"\nfrom = \"2026-01-01\"\nspend = \"1 USD/h\"\ndiscount = \"20 %\"\n\
    [policy.p]\nbackfill = \"greedy\"\nprovision = \"cheapest\"\n";

#[test]
fn every_metric_has_a_value_within_its_range() {
    let scenario = Scenario::parse(EVERYTHING, "a.toml", Path::new(""), &[]).expect("it is right");
    let settings = Settings::seeded(1);
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let result = experiment::run(&scenario, &scenario.policies[0], settings, &mut (), &mut go_on);
    let summary = result.expect("it goes through").summary;
    for metric in METRICS {
        let value = (metric.of)(&summary).unwrap_or_else(|| panic!("{metric:?} has no value"));
        let [low, high] = metric.range;
        assert!(low.is_none_or(|low| low <= value), "{metric:?}: {value}");
        assert!(high.is_none_or(|high| value <= high), "{metric:?}: {value}");
    }
}

#[test]
fn a_wrong_setting_is_told() {
    let told = |name: &str, value: Setting| {
        let set = provision::CHEAPEST.spec().try_set(name, value);
        set.err().map(|wrong| wrong.to_string()).unwrap_or_default()
    };
    assert_eq!(told("max_instances", 4_u32.into()), "");
    let flag = told("max_instances", true.into());
    assert!(flag.starts_with("`max_instances` is a whole number "), "{flag}");
    assert!(flag.ends_with(", not the flag `true`"), "{flag}");
    let text = told("max_instances", "4".to_owned().into());
    assert!(text.ends_with(", not the text `4`"), "{text}");
    let zero = told("max_instances", 0_u32.into());
    assert!(zero.ends_with(", not the number `0`"), "{zero}");
    let nowhere = told("max_instances", Setting::Unset("none"));
    assert!(nowhere.ends_with(", not unset (`none`)"), "{nowhere}");
    let word = place::BEST_FIT.spec().try_set("by", "disk").expect_err("no such resource");
    let words = "`by` is one of the words `mean`, `cpu`, `memory`, `gpu`, not the word `disk`";
    assert_eq!(word.to_string(), words);
    let known = told("most", 4_u32.into());
    assert!(known.starts_with("`most` is no parameter: there are ["), "{known}");
    assert!(known.contains("max_instances"), "{known}");
}
