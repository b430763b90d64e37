//! Composed policies, run from end to end on workloads small enough to check
//! by hand.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use windtunnel::metrics::Collector;
use windtunnel::model::{
    Ask, CapacityPath, Market, Offer, PricePath, Quota, QuotaUnit, Work, World, Zone,
};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, backfill, order, preempt, provision, release};
use windtunnel::sim::{self, Observer, Options};
use windtunnel::state::{Record, RefusalReason, State, WorkRef};
use windtunnel::units::{Demand, Id, Money, Rate, Shape, Span, Time};
use windtunnel::workload::WorkList;

use crate::trial;

/// A job: arrival, processors, runtime, in whole seconds; its estimate is the
/// runtime unless said otherwise.
#[derive(Clone, Copy, Debug)]
struct Job {
    arrival: i64,
    procs: u32,
    run: i64,
    ask: Ask,
}

/// One core per processor.
fn job(arrival: i64, procs: u32, run: i64) -> Job {
    let demand = Demand { cpu: 1_000, ..Demand::default() };
    let estimate = Span::from_secs(run);
    Job {
        arrival,
        procs,
        run,
        ask: Ask { tasks: procs, demand, estimate: Some(estimate), ..Ask::default() },
    }
}

impl Job {
    /// One task that asks all the cores of one instance.
    fn on_one(mut self) -> Self {
        self.ask.demand.cpu *= self.procs;
        self.ask.tasks = 1;
        self
    }

    fn estimate(mut self, secs: i64) -> Self {
        self.ask.estimate = Some(Span::from_secs(secs));
        self
    }

    fn priority(mut self, priority: i32) -> Self {
        self.ask.priority = priority;
        self
    }

    fn resumes(mut self) -> Self {
        self.ask.resumes = true;
        self
    }
}

/// Jobs as a source, in the order given.
fn source(jobs: &[Job]) -> WorkList<impl Iterator<Item = Work>> {
    WorkList::new((0..).zip(jobs).map(|(row, job)| trial::job(row, job.arrival, job.run, job.ask)))
}

/// Outcome of a job: starts and end in seconds, or the reason of its refusal.
#[derive(Clone, Debug, Default, PartialEq)]
struct Fate {
    starts: Vec<f64>,
    end: Option<f64>,
    refused: Option<RefusalReason>,
}

#[derive(Default)]
struct Watch {
    fates: BTreeMap<u64, Fate>,
}

impl Watch {
    fn fate(&mut self, state: &State<'_>, work: WorkRef) -> &mut Fate {
        self.fates.entry(state.work(work).id.ordinal).or_default()
    }
}

impl Observer for Watch {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let now = state.now().secs_f64();
        match *record {
            Record::Started(started) => {
                let work = state.allocation(started).work();
                self.fate(state, work).starts.push(now);
            }
            Record::Finished(work) => self.fate(state, work).end = Some(now),
            Record::Refused { work, reason } => self.fate(state, work).refused = Some(reason),
            _ => (),
        }
    }
}

/// A cluster with these numbers of cores per machine.
fn cluster(cores: &[u32]) -> World {
    let shape = |&cores: &u32| (Shape { cpu: cores * 1_000, memory: 1_024, gpus: 0 }, 1);
    trial::machines(&cores.iter().map(shape).collect::<Vec<_>>())
}

/// Outcome of each job.
fn fates(world: &World, jobs: &[Job], spec: &PolicySpec) -> Vec<Fate> {
    let mut watch = Watch::default();
    let mut policy = policy::build(spec);
    let (mut source, options) = (source(jobs), Options::default());
    assert!(trial::run(world, &mut source, &mut *policy, &options, &mut watch, &jobs).drained);
    watch.fates.into_values().collect()
}

/// Last start of each job in seconds.
fn starts(world: &World, jobs: &[Job], spec: &PolicySpec) -> Vec<f64> {
    let last = |fate: &Fate| *fate.starts.last().expect("the job starts");
    fates(world, jobs, spec).iter().map(last).collect()
}

fn with(change: impl FnOnce(&mut PolicySpec)) -> PolicySpec {
    let mut spec = PolicySpec::named("test");
    change(&mut spec);
    spec
}

#[test]
fn first_come_first_served_blocks() {
    let jobs = [job(0, 3, 10), job(0, 4, 10), job(1, 1, 5), job(1, 1, 20)];
    let got = starts(&cluster(&[4]), &jobs, &with(|_| ()));
    assert_eq!(got, [0.0, 10.0, 20.0, 20.0]);
}

#[test]
fn what_can_never_run_is_refused() {
    let jobs = [job(0, 9, 1), job(0, 8, 1), job(0, 5, 1).on_one()];
    let fates = fates(&cluster(&[4, 4]), &jobs, &with(|_| ()));
    let refused: Vec<_> = fates.iter().map(|fate| fate.refused).collect();
    let never = Some(RefusalReason::NeverFits);
    assert_eq!(refused, [never, None, never]);
}

/// The machines of [`cluster`], for rent in zones of their own, and a quota of
/// cores over all of them. They boot at once.
fn rented(cores: &[u32], quota: u64) -> World {
    let mut world = cluster(cores);
    let offers: Vec<Id<Offer>> = world.offers.ids().collect();
    for &offer in &offers {
        let zone = world.zones[world.offers[offer].zone].clone();
        let zone = world.zones.push(Zone { name: format!("dc-{offer:?}"), ..zone });
        let facts = &mut world.offers[offer];
        (facts.market, facts.running_at_start, facts.zone) = (Market::OnDemand, 0, zone);
        facts.capacity = CapacityPath::constant(None);
    }
    let (name, unit) = ("cores".to_owned(), QuotaUnit::Cpu);
    world.quotas.push(Quota { name, unit, limit: quota * 1_000, offers });
    world
}

fn cheapest(max_instances: Option<u32>) -> PolicySpec {
    with(|spec| {
        spec.provision = provision::CHEAPEST.spec();
        if let Some(most) = max_instances {
            spec.provision = provision::CHEAPEST.spec().set("max_instances", most);
        }
        spec.release = release::IDLE.spec().set("after", Span::from_secs(5));
    })
}

#[test]
fn what_is_given_back_makes_room_in_a_quota() {
    // The first holds 2 of 4 cores until 100 and its instance until 105; the
    // second needs all four, and the third, long after it, is served too.
    let jobs = [job(0, 2, 100).on_one(), job(10, 4, 20).on_one(), job(500, 1, 10).on_one()];
    let got = starts(&rented(&[2, 4], 4), &jobs, &cheapest(None));
    assert_eq!(got, [0.0, 105.0, 500.0]);
    // The same where the policy itself keeps to one instance.
    let got = starts(&rented(&[2, 4], 100), &jobs, &cheapest(Some(1)));
    assert_eq!(got, [0.0, 105.0, 500.0]);
}

#[test]
fn a_gang_beyond_a_shared_quota_is_refused() {
    // Two tasks of 4 cores: each of two offers alone has room for one within
    // 4 cores, and both together have no more.
    let wide = |task: u32| Job {
        ask: Ask { tasks: 2, ..job(0, task, 10).on_one().ask },
        ..job(0, task, 10)
    };
    let never = Some(RefusalReason::NeverFits);
    let refused =
        |quota| fates(&rented(&[4, 4], quota), &[wide(4), job(1, 1, 10)], &cheapest(None));
    let got = refused(4);
    assert_eq!((got[0].refused, &got[1].starts[..]), (never, &[1.0][..]));
    assert_eq!(refused(8)[0].starts, [0.0]);
}

#[test]
fn a_fleet_is_no_larger_than_its_offer() {
    let mut world = rented(&[4], 100);
    let offer = Id::new(0);
    world.offers[offer].capacity = CapacityPath::constant(Some(1));
    let fleets = vec![(world.offers[offer].name.clone(), 2)];
    let spec = with(|spec| spec.provision = provision::STATIC.spec().set("fleets", fleets));
    let got = fates(&world, &[job(0, 8, 10), job(1, 4, 10)], &spec);
    assert_eq!(got[0].refused, Some(RefusalReason::NeverFits));
    assert_eq!(got[1].starts, [1.0]);
}

#[test]
fn a_queue_limit_counts_those_who_wait() {
    // The first runs, the second waits, the third is one too many.
    let jobs = [job(0, 4, 10), job(0, 1, 1), job(0, 1, 1), job(10, 4, 1)];
    let spec = with(|spec| spec.admit.queue_limit = Some(1));
    let got = fates(&cluster(&[4]), &jobs, &spec);
    assert_eq!(got[1].starts, [10.0]);
    assert_eq!(got[2].refused, Some(RefusalReason::QueueFull));
    let loss = with(|spec| spec.admit.queue_limit = Some(0));
    let got = fates(&cluster(&[4]), &jobs, &loss);
    let refused: Vec<bool> = got.iter().map(|fate| fate.refused.is_some()).collect();
    // At 10 the completion comes before the arrival, which starts at once.
    assert_eq!(refused, [false, true, true, false]);
}

#[test]
fn patience_runs_out() {
    let jobs = [job(0, 4, 10), job(1, 1, 1), job(3, 1, 1)];
    let spec = with(|spec| spec.admit.patience = Some(Span::from_secs(8)));
    let got = fates(&cluster(&[4]), &jobs, &spec);
    assert_eq!(got[1].refused, Some(RefusalReason::Patience)); // at 9
    assert_eq!(got[2].starts, [10.0]);
}

fn easy() -> PolicySpec {
    with(|spec| spec.backfill = backfill::EASY.spec())
}

#[test]
fn easy_lets_pass_what_delays_nobody() {
    let jobs = [job(0, 3, 10), job(0, 4, 10), job(1, 1, 5), job(1, 1, 20)];
    assert_eq!(starts(&cluster(&[4]), &jobs, &easy()), [0.0, 10.0, 1.0, 20.0]);
    // Single tasks on machines: the third ends in time, the fourth would not.
    let jobs = jobs.map(Job::on_one);
    assert_eq!(starts(&cluster(&[4]), &jobs, &easy()), [0.0, 10.0, 1.0, 20.0]);
}

#[test]
fn easy_uses_what_the_head_leaves() {
    // At 10 the head takes 3 of 4; one is extra, for one long job only.
    let jobs = [job(0, 3, 10), job(0, 3, 10), job(1, 1, 100), job(1, 1, 100)];
    assert_eq!(starts(&cluster(&[4]), &jobs, &easy()), [0.0, 10.0, 1.0, 20.0]);
    // On machines of 3 and 1 the head will take the first one.
    let jobs = jobs.map(Job::on_one);
    assert_eq!(starts(&cluster(&[3, 1]), &jobs, &easy()), [0.0, 10.0, 1.0, 20.0]);
}

#[test]
fn easy_keeps_the_head_s_instance_free() {
    // Of machines with 4 and 4 cores, the first is half free, the second full
    // until 20. The head (4 cores) will have the first at 10: only work that
    // ends by 10 may use its two free cores until then.
    let jobs = [
        job(0, 2, 10).on_one(),
        job(0, 4, 20).on_one(),
        job(1, 4, 5).on_one(),
        job(2, 2, 9).on_one(),
        job(2, 2, 8).on_one(),
    ];
    let got = starts(&cluster(&[4, 4]), &jobs, &easy());
    assert_eq!(got, [0.0, 0.0, 10.0, 15.0, 2.0]);
}

#[test]
fn overrun_estimates_count_as_ending_now() {
    // The first job said 5 s and takes 20: from 5 on the head could start at
    // any moment, so that nothing that needs its cores may pass.
    let jobs = [job(0, 3, 20).estimate(5), job(0, 4, 10), job(6, 1, 1), job(7, 1, 10)];
    assert_eq!(starts(&cluster(&[4]), &jobs, &easy()), [0.0, 20.0, 30.0, 30.0]);
}

#[test]
fn greedy_lets_pass_whatever_fits() {
    let jobs = [job(0, 3, 10), job(0, 4, 10), job(1, 1, 5), job(1, 1, 20), job(2, 1, 7)];
    let spec = with(|spec| spec.backfill = backfill::GREEDY.spec());
    // The fourth job holds a core from 6 to 26, and the head starts after it.
    assert_eq!(starts(&cluster(&[4]), &jobs, &spec), [0.0, 26.0, 1.0, 6.0, 10.0]);
}

#[test]
fn conservative_keeps_every_reservation() {
    // On 4 processors the second job will start at 10 and take 3. The third
    // runs beside the first from 1 to 6; then two are free until 10 and one
    // from 10 on. The fourth takes that one from 6 to 14, the fifth after it;
    // the sixth fits on the other from 6 to 10.
    let jobs =
        [job(0, 2, 10), job(1, 3, 10), job(1, 2, 5), job(2, 1, 8), job(2, 1, 20), job(3, 1, 4)];
    let spec = with(|spec| spec.backfill = backfill::CONSERVATIVE.spec());
    let got = starts(&cluster(&[4]), &jobs, &spec);
    assert_eq!(got, [0.0, 10.0, 1.0, 6.0, 14.0, 6.0]);
}

#[test]
fn conservative_protects_more_than_the_head() {
    // The second starts at 10, the third at 20 with all four. At 1 the fourth
    // would use the core that the head leaves until 21 and delay the third:
    // EASY lets it pass, conservative does not.
    let jobs = [job(0, 3, 10), job(0, 3, 10), job(0, 4, 5), job(1, 1, 20)];
    assert_eq!(starts(&cluster(&[4]), &jobs, &easy()), [0.0, 10.0, 21.0, 1.0]);
    let spec = with(|spec| spec.backfill = backfill::CONSERVATIVE.spec());
    assert_eq!(starts(&cluster(&[4]), &jobs, &spec), [0.0, 10.0, 20.0, 25.0]);
    // The same on one machine, where nothing can be counted.
    let each = jobs.map(Job::on_one);
    assert_eq!(starts(&cluster(&[4]), &each, &spec), [0.0, 10.0, 20.0, 25.0]);
    // With one reservation there the third holds none, and the fourth passes as under EASY.
    // Processors that can be counted are reserved for everybody.
    let spec = PolicySpec { backfill: spec.backfill.set("reservations", 1), ..spec };
    assert_eq!(starts(&cluster(&[4]), &each, &spec), [0.0, 10.0, 21.0, 1.0]);
    assert_eq!(starts(&cluster(&[4]), &jobs, &spec), [0.0, 10.0, 20.0, 25.0]);
}

#[test]
fn a_reservation_that_becomes_free_goes_to_the_next() {
    // On one machine of 4 cores the second holds the only reservation until it starts at
    // 10; then the third has it for 20. The last would delay that from 11 on, not before.
    let jobs = [job(0, 4, 10), job(0, 3, 10), job(0, 4, 5), job(11, 1, 10), job(12, 1, 8)];
    let jobs = jobs.map(Job::on_one);
    let spec = with(|spec| {
        spec.backfill = backfill::CONSERVATIVE.spec().set("reservations", 1);
    });
    assert_eq!(starts(&cluster(&[4]), &jobs, &spec), [0.0, 10.0, 20.0, 25.0, 12.0]);
}

#[test]
fn conservative_moves_reservations_forward() {
    // The first job says 10 s and takes 4: everything moves to 4.
    let jobs = [job(0, 4, 4).estimate(10), job(0, 4, 5), job(1, 2, 3)];
    let spec = with(|spec| spec.backfill = backfill::CONSERVATIVE.spec());
    assert_eq!(starts(&cluster(&[4]), &jobs, &spec), [0.0, 4.0, 9.0]);
}

#[test]
fn priority_takes_from_the_lowest_and_latest() {
    let jobs = [
        job(0, 2, 10).priority(2).on_one(),
        job(0, 2, 10).priority(1).on_one(),
        job(1, 2, 10).priority(1).on_one(),
        job(2, 2, 10).priority(3).on_one(),
    ];
    let spec = with(|spec| {
        spec.order = order::PRIORITY.spec();
        spec.preempt = preempt::PRIORITY.spec();
    });
    let got = fates(&cluster(&[2, 2, 2]), &jobs, &spec);
    let starts: Vec<_> = got.iter().map(|fate| fate.starts.clone()).collect();
    // The third is the latest of the two least important; it starts anew at 10.
    assert_eq!(starts, [vec![0.0], vec![0.0], vec![1.0, 10.0], vec![2.0]]);
    assert_eq!(got[2].end, Some(20.0));
}

#[test]
fn the_shortest_remaining_time_comes_first() {
    let jobs = [
        job(0, 1, 10).resumes(),
        job(2, 1, 3).resumes(),
        job(3, 1, 5).resumes(),
        job(4, 1, 1).resumes(),
    ];
    let spec = with(|spec| {
        spec.order = order::SHORTEST.spec();
        spec.preempt = preempt::SRPT.spec();
    });
    // 0-2 first (8 left), 2-5 second: at 4 it has 1 left, and 1 is not less.
    // 5-6 fourth, 6-11 third, 11-19 the rest of the first.
    let got = fates(&cluster(&[1]), &jobs, &spec);
    let ends: Vec<_> = got.iter().map(|fate| fate.end.expect("it ends")).collect();
    assert_eq!(ends, [19.0, 5.0, 11.0, 6.0]);
    assert_eq!(got[0].starts, [0.0, 11.0]);
}

/// Does nothing but ask to be asked again.
#[derive(Debug)]
struct Sleepless;

impl policy::Policy for Sleepless {
    fn decide(&mut self, _: &[policy::Trigger], turn: &mut policy::Turn<'_, '_>) {
        turn.wake(turn.now() + Span::from_micros(1)).expect("a timer can be set for later");
    }
}

/// It would go on for ever, as the job never ends.
#[test]
fn a_policy_that_only_wakes_itself_is_stopped() {
    let (world, jobs, options) = (cluster(&[4]), [job(0, 1, 10)], Options::default());
    let mut source = source(&jobs);
    let mut go_on = |_: sim::RunProgress| ControlFlow::Continue(());
    let result = sim::run(&world, &mut source, &mut Sleepless, &options, &mut (), &mut go_on);
    assert!(
        matches!(result, Err(sim::Failure::Futile { at, .. }) if at < Time::from_secs(2)),
        "{result:?}"
    );
}

/// Rents a machine of the last offer when the run begins.
struct Hasty(Box<dyn policy::Policy>);

impl policy::Policy for Hasty {
    fn decide(&mut self, triggers: &[policy::Trigger], turn: &mut policy::Turn<'_, '_>) {
        if triggers.contains(&policy::Trigger::Begins) {
            let last = turn.world().offers.ids().last().expect("there are two");
            turn.rent(last).expect("it is for rent");
        }
        self.0.decide(triggers, turn);
    }
}

#[test]
fn a_machine_stands_that_was_there_before_the_work_and_until_the_end() {
    // At 3.60 USD/h, for 100 of 1,000 s or for all of them.
    let after = |secs| release::IDLE.spec().set("after", Span::from_secs(secs));
    for (release, paid, standing) in [(after(100), 100, 0), (release::NEVER.spec(), 1_000, 1_000)] {
        let mut world = cluster(&[4, 4]);
        let last = world.offers.ids().last().expect("there are two");
        let offer = &mut world.offers[last];
        (offer.market, offer.running_at_start) = (Market::OnDemand, 0);
        offer.price = PricePath::constant(Rate::from_picos(3_600_000_000_000));
        let mut policy = Hasty(policy::build(&with(|spec| spec.release = release)));
        let (jobs, options) = ([job(0, 4, 1_000)], Options::default());
        let (mut source, mut collector) = (source(&jobs), Collector::default());
        let outcome = trial::run(&world, &mut source, &mut policy, &options, &mut collector, &jobs);
        let cost = collector.summary(&world, &[], &outcome).cost;
        let millis = |cost: Money| cost.nanos() / 1_000_000;
        assert_eq!([millis(cost.total), millis(cost.standing)], [paid, standing]);
    }
}

/// Every part that a scenario may name is built as itself: no two options of one question
/// give the same policy, and each is known by its name.
#[test]
fn every_listed_part_is_built() {
    use windtunnel::scenario::OPTIONS;
    use windtunnel::scenario::Scenario;
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("w.csv"), "arrival_s,runtime_s,vcpus\n0,1,1\n")
        .expect("written");
    let mut built: Vec<(&str, &str, String)> = Vec::new();
    for option in OPTIONS.iter() {
        let (part, name) = (option.part, option.name);
        if part == "admit" {
            // One set of limits, no choice.
            continue;
        }
        // Without a parameter that must be given, each option stands as a word.
        let value = match (part, name) {
            ("provision", "static") => {
                "{ static = { fleets = { \"aws/us-east-1a/m6i.large/on-demand\" = 1 } } }"
                    .to_owned()
            }
            _ => format!("{{ {name} = {{}} }}"),
        };
        let text = format!(
            "question = \"q\"\n[workload]\ntrace = \"w.csv\"\n[cluster.dc]\nnodes = 1\n\
             shape = {{ vcpus = 4, memory = \"16 GiB\" }}\n[cloud.aws]\n\
             regions = [\"us-east-1\"]\ntypes = [\"m6i.large\"]\n[policy.p]\n{part} = {value}\n"
        );
        let scenario = Scenario::parse(&text, "s.toml", folder.path(), &[])
            .unwrap_or_else(|problems| panic!("{part} {name}: {problems:?}"));
        let PolicySpec {
            preempt,
            shift,
            order,
            place,
            backfill,
            provision,
            cap,
            release,
            checkpoint,
            recover,
            commit,
            ..
        } = &scenario.policies[0];
        let own = match part {
            "preempt" => format!("{preempt:?}"),
            "shift" => format!("{shift:?}"),
            "order" => format!("{order:?}"),
            "place" => format!("{place:?}"),
            "backfill" => format!("{backfill:?}"),
            "provision" => format!("{provision:?}"),
            "cap" => format!("{cap:?}"),
            "release" => format!("{release:?}"),
            "checkpoint" => format!("{checkpoint:?}"),
            "recover" => format!("{recover:?}"),
            "commit" => format!("{commit:?}"),
            other => panic!("a question `{other}` that this test does not know"),
        };
        let twin = built.iter().find(|(other, _, spec)| *other == part && *spec == own);
        assert!(twin.is_none(), "{part} {name} is built as {twin:?}");
        built.push((part, name, own));
    }
    assert!(built.len() > 30, "{} parts", built.len());
}
