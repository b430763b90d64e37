//! Gangs that go on with fewer tasks after a loss, worked out by hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use windtunnel::metrics::{Collector, Laws, Summary};
use windtunnel::model::{
    Ask, Checkpoint, Fault, FaultDomain, FaultEffect, FaultTimes, Interner, Link, OfferSpec,
    Speedup, Work, World,
};
use windtunnel::policy::external::message::{
    Action, CallAnswer, CallMessage, EventMessage, PROTOCOL, Ready, Reply, Request, ShareMessage,
};
use windtunnel::policy::external::{BrokenConversation, Conversation, Launcher};
use windtunnel::policy::spec::{External, PolicyPart, PolicySpec};
use windtunnel::policy::{self, checkpoint, recover};
use windtunnel::scenario::Scenario;
use windtunnel::sim::{Failure as SimFailure, Outcome, Run};
use windtunnel::units::{Demand, Id, Shape, Span, Time};
use windtunnel::workload::WorkList;

/// Machines in these slots fail at one time, in seconds, until another if they ever work again.
type Failure = (u32, u32, i64, Option<i64>);

const SHAPE: Shape = Shape { cpu: 4_000, memory: 4_096, gpus: 0 };

fn micros(at: i64) -> Time {
    Time::from_micros(at)
}

/// Owned machines, each for one task, of which some fail.
fn world(nodes: u32, failures: &[Failure]) -> World {
    let cluster = OfferSpec::owned("dc/a/a1", "m", SHAPE, nodes);
    let home = OfferSpec::owned("dc/b/b1", "m", SHAPE, 0).named("dc/b/b1");
    let link = Link { nanos_per_gib: 0, bytes_per_sec: 1 << 30, path: None };
    let world = World::builder().offer(cluster).offer(home).link("dc/b", "dc/a", link);
    let mut world = world.build().expect("a world");
    for &(first, count, from, until) in failures {
        world.faults.push(Fault {
            name: "test".into(),
            offers: vec![Id::new(0)],
            domain: FaultDomain::Slots { first, count },
            effect: FaultEffect::Machines,
            times: FaultTimes::Periods(vec![(Time::from_secs(from), until.map(Time::from_secs))]),
            loses_data_of: Vec::new(),
            surge: None,
            crews: None,
        });
    }
    world
}

/// So many seconds of a gang of machines, which may save its progress so often for nothing.
#[derive(Clone, Copy)]
struct Gang {
    tasks: u32,
    min_tasks: u32,
    secs: i64,
    saves_every: Option<i64>,
    /// GiB, which take a second each.
    input: i64,
    speedup: Speedup,
}

const GANG: Gang = Gang {
    tasks: 4,
    min_tasks: 2,
    secs: 3_600,
    saves_every: Some(600),
    input: 0,
    speedup: Speedup::LINEAR,
};

fn run(world: &World, gang: Gang, shrink: bool) -> (Outcome, Summary) {
    let mut names = Interner::default();
    let free = Checkpoint { write: Span::ZERO, blocking: true, restore: Span::ZERO };
    let checkpoint = gang.saves_every.map(|_| names.checkpoint(free));
    let demand = Demand { cpu: 4_000, ..Demand::default() };
    let mut work = Work::job(0, Time::ZERO, demand, Span::from_secs(gang.secs));
    let home = (gang.input > 0).then(|| names.home("dc/b"));
    let (tasks, input) = (gang.tasks, gang.input << 30);
    work.ask = Ask { tasks, gang: true, checkpoint, home, input, ..work.ask };
    (work.min_tasks, work.speedup) = (gang.min_tasks, gang.speedup);
    let mut spec = PolicySpec {
        recover: recover::ANYWHERE.spec().set("shrink", shrink),
        ..PolicySpec::named("p")
    };
    if let Some(every) = gang.saves_every {
        spec.checkpoint = checkpoint::PERIODIC.spec().set("every", Span::from_secs(every));
    }
    let mut policy = policy::build(&spec);
    let mut observer = (Collector::default(), Laws::new(true));
    let mut source = WorkList::new(vec![work]).named(names);
    let run = Run::new(world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().expect("it runs");
    let (collector, laws) = observer;
    assert_eq!(laws.broken(), None);
    let summary = collector.summary(world, &[], &outcome);
    (outcome, summary)
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-9
}

/// A gang of N that loses a machine at `t` starts again with N - 1, from nothing: it ends at
/// `t + runtime N / (N - 1)`, rounded up to a microsecond once. It lost N tasks' work of that time.
#[test]
fn a_gang_goes_on_with_one_machine_fewer() {
    for tasks in 2..9_u32 {
        let gang = Gang { tasks, min_tasks: 1, secs: 1_000, saves_every: None, ..GANG };
        let (outcome, summary) = run(&world(tasks, &[(0, 1, 250, None)]), gang, true);
        let (all, left) = (i64::from(tasks), i64::from(tasks - 1));
        let rest = (1_000_000_000 * all + left - 1).div_euclid(left);
        assert_eq!(outcome.ended, micros(250_000_000 + rest), "{tasks} tasks");
        assert_eq!((summary.work.finished, summary.work.shrunk_starts), (1, 1));
        assert!(close(summary.lost_core_hours, 4.0 * f64::from(tasks) * 250.0 / 3_600.0));
        assert!(close(summary.useful_core_hours, 4.0 * f64::from(tasks) * 1_000.0 / 3_600.0));
    }
}

/// Six machines, one lost after the other, and the progress of thirds and fifths is never rounded: 600 s
/// with 6, 600 s with 5 and the rest with 4 of 3,600 s times 6.
#[test]
fn no_progress_is_rounded_from_start_to_start() {
    let gang = Gang { tasks: 6, min_tasks: 1, saves_every: Some(100), ..GANG };
    let failures = [(0, 1, 600, None), (1, 1, 1_200, None), (2, 1, 1_900, None)];
    let (outcome, summary) = run(&world(6, &failures), gang, true);
    // With 4, of which one more goes at 1,900 s: 700 s of those. So 3 do 12,200 task-seconds.
    let left = 6 * 3_600 - 600 * 6 - 600 * 5 - 700 * 4;
    assert_eq!(left, 12_200);
    assert_eq!(outcome.ended, micros(1_900_000_000 + (left * 1_000_000 + 2) / 3));
    assert_eq!((summary.work.shrunk_starts, summary.lost_core_hours), (3, 0.0));
    assert!(close(summary.useful_core_hours, 24.0));
}

/// One machine is gone at 1,000 s, 600 s are saved: 3,000 s at three quarters of the rate. Two are
/// gone: at half the rate.
#[test]
fn a_gang_goes_on_from_what_it_saved_with_the_machines_that_are_left() {
    for (gone, ended) in [(1, 1_000 + 4_000), (2, 1_000 + 6_000)] {
        let (outcome, summary) = run(&world(4, &[(0, gone, 1_000, None)]), GANG, true);
        assert_eq!((outcome.ended, summary.work.finished), (Time::from_secs(ended), 1));
        // Four machines lost 400 s, and what was of use is what the whole gang had to do.
        assert!(close(summary.lost_core_hours, 16.0 * 400.0 / 3_600.0));
        assert!(close(summary.useful_core_hours, 16.0));
    }
}

/// Four fifths of the work are divided: four tasks are 2.5 times as fast as one. Of 3,600 s 600 are saved
/// when three machines go at 1,000 s, so that one takes 2.5 times 3,000 s. With three tasks, 15/7 as fast,
/// a gang that saved nothing takes 7/6 as long as with four.
#[test]
fn fewer_tasks_come_on_by_amdahls_law() {
    let speedup = Speedup::amdahl(800_000);
    let gang = Gang { min_tasks: 1, speedup, ..GANG };
    let (outcome, summary) = run(&world(4, &[(0, 3, 1_000, None)]), gang, true);
    assert_eq!(outcome.ended, Time::from_secs(1_000 + 7_500));
    // What is of use is what the whole gang would have had to do, whoever did it.
    assert!(close(summary.lost_core_hours, 16.0 * 400.0 / 3_600.0));
    assert!(close(summary.useful_core_hours, 16.0));
    let gang = Gang { saves_every: None, ..gang };
    let (outcome, _) = run(&world(4, &[(0, 1, 1_000, None)]), gang, true);
    // A speedup of three in whole millionths: 2,142,857.
    let rest = (3_600_000_000_i64 * 2_500_000 + 2_142_856).div_euclid(2_142_857);
    assert_eq!(outcome.ended, micros(1_000_000_000 + rest));
    assert_eq!(rest, 4_200_000_281);
}

/// Of 9,000 s of one task four do 600 s at 2.5, one does 1,000 s, and four the rest in 2,600 s: nothing is
/// rounded as a gang becomes smaller and whole again. It had saved 600 s, as the machines go, and then
/// 1,000, when another one goes, of five.
#[test]
fn no_progress_by_amdahls_law_is_rounded_from_start_to_start() {
    let speedup = Speedup::amdahl(800_000);
    let gang = Gang { min_tasks: 1, saves_every: Some(100), speedup, ..GANG };
    let failures = [(0, 4, 600, Some(1_600)), (4, 1, 1_600, None)];
    let (outcome, summary) = run(&world(5, &failures), gang, true);
    assert_eq!((outcome.ended, summary.work.finished), (Time::from_secs(4_200), 1));
    assert_eq!((summary.work.shrunk_starts, summary.lost_core_hours), (1, 0.0));
    assert!(close(summary.useful_core_hours, 16.0));
}

/// With three gone there are too few, until one works again.
#[test]
fn a_gang_goes_on_with_no_fewer_than_it_says() {
    let failures = [(0, 2, 1_000, None), (2, 1, 1_000, Some(2_000))];
    let (outcome, _) = run(&world(4, &failures), GANG, true);
    assert_eq!(outcome.ended, Time::from_secs(2_000 + 6_000));
    for (min_tasks, shrink) in [(0, true), (4, true), (2, false)] {
        let (_, summary) = run(&world(4, &failures), Gang { min_tasks, ..GANG }, shrink);
        assert_eq!((summary.work.finished, summary.work.unfinished), (0, 1));
    }
}

/// It needs a place for all of its tasks once.
#[test]
fn a_gang_that_lost_nothing_does_not_start_with_fewer() {
    let (outcome, _) = run(&world(4, &[(0, 1, 0, Some(100))]), GANG, true);
    assert_eq!(outcome.ended, Time::from_secs(100 + 3_600));
}

/// Three of five machines are left from 1,000 to 1,500 s. At 2,000 s one more fails, four are there,
/// and the gang is whole again: it had made 750 s since, and saved 450 of them.
#[test]
fn a_gang_is_whole_again_after_the_next_loss() {
    let failures = [(0, 2, 1_000, Some(1_500)), (2, 1, 2_000, None)];
    let (outcome, summary) = run(&world(5, &failures), GANG, true);
    assert_eq!(outcome.ended, Time::from_secs(2_000 + 3_600 - 600 - 450));
    assert!(close(summary.lost_core_hours, 16.0 * (400.0 + 300.0) / 3_600.0));
    assert!(close(summary.useful_core_hours, 16.0));
}

/// All of the input is read again, however few tasks are left: 100 GiB at a GiB a second. At 1,000 s it
/// has saved 600 s.
#[test]
fn fewer_tasks_move_all_of_the_data() {
    let (outcome, summary) =
        run(&world(4, &[(0, 1, 1_000, None)]), Gang { input: 100, ..GANG }, true);
    assert_eq!(outcome.ended, Time::from_secs(1_000 + 100 + 4_000));
    let moved = &summary.moved[0];
    assert_eq!(moved.gib, 200.0);
}

/// A program that places the gang on so many machines first, and later on all that are there.
#[derive(Debug)]
struct Program {
    first: usize,
    free: BTreeMap<u32, u32>,
    waits: Option<u64>,
    placed: Vec<u32>,
}

impl Program {
    fn hear(&mut self, call: &CallMessage) {
        self.free.extend(call.instances.iter().map(|one| (one.instance, one.cpu)));
        for record in &call.records {
            match record {
                EventMessage::Broken(failed) => drop(self.free.remove(&failed.instance)),
                EventMessage::Submitted(work) => {
                    assert_eq!((work.tasks, work.min_tasks), (4, Some(2)));
                    self.waits = Some(work.work);
                }
                EventMessage::Failed(lost) => self.waits = Some(lost.work),
                EventMessage::Placed(placed) => {
                    self.placed.push(placed.on.iter().map(|share| share.tasks).sum());
                }
                _ => {}
            }
        }
    }

    fn act(&mut self) -> Vec<Action> {
        let Some(work) = self.waits.take() else { return Vec::new() };
        let free = self.free.iter().filter(|&(_, &cpu)| cpu == 4_000);
        let most = if self.placed.is_empty() { self.first } else { 4 };
        let on = free.map(|(&instance, _)| ShareMessage::on(instance, 1)).take(most).collect();
        vec![Action::Place { work, on }]
    }
}

impl Conversation for Program {
    fn exchange(&mut self, line: &str) -> Result<String, BrokenConversation> {
        let reply = match serde_json::from_str(line).expect("windtunnel writes the protocol") {
            Request::Hello(_) => Reply::Ready(Ready { protocol: PROTOCOL }),
            Request::Call(call) => {
                self.hear(&call);
                let (number, actions) = (call.number, self.act());
                if self.placed.len() == 2 {
                    assert_eq!(self.placed, [4, 3]);
                }
                Reply::Answer(Box::new(CallAnswer { number, actions, ..CallAnswer::default() }))
            }
        };
        Ok(serde_json::to_string(&reply).expect("plain data"))
    }
}

struct Starts(usize);

impl Launcher for Starts {
    fn launch(
        &self,
        _who: &External,
        _part: &str,
    ) -> Result<Box<dyn Conversation>, BrokenConversation> {
        let (free, waits, placed) = (BTreeMap::new(), None, Vec::new());
        Ok(Box::new(Program { first: self.0, free, waits, placed }))
    }
}

/// A program places three of four tasks after a loss at 1,000 s, which end 4,800 s later; before it, that
/// breaks a rule.
#[test]
fn programs_are_told_and_may_place_fewer_after_a_loss() {
    let world = world(4, &[(0, 1, 1_000, None)]);
    let ended = |first: usize| {
        let demand = Demand { cpu: 4_000, ..Demand::default() };
        let mut work = Work::job(0, Time::ZERO, demand, Span::HOUR);
        (work.ask.tasks, work.min_tasks) = (4, 2);
        let who = External::new(vec!["x".to_owned()], PathBuf::new());
        let external = [(PolicyPart::Whole, who)].into();
        let spec = PolicySpec { external, ..PolicySpec::named("p") };
        let mut policy = policy::build_with(&spec, &Starts(first));
        let (mut laws, mut source) = (Laws::new(true), WorkList::new(vec![work]));
        let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut laws);
        let outcome = run.run();
        assert_eq!(laws.broken(), None);
        outcome
    };
    assert_eq!(ended(4).expect("it runs").ended, Time::from_secs(1_000 + 4_800));
    match ended(3) {
        Err(SimFailure::Policy { why, .. }) => assert!(why.contains("a gang starts all"), "{why}"),
        other => panic!("{other:?}"),
    }
}

/// What is assumed of gangs that shrink is told.
#[test]
fn a_scenario_tells_that_speedup_is_linear() {
    let told = |shrink: bool| {
        let text = format!(
            r#"question = "Is it there in time?"
[workload.synthetic]
count = 1
arrivals = {{ per_hour = 1 }}
class.gang = {{ runtime = "1 h", vcpus = 4, tasks = 4, min_tasks = 3, parallel_fraction = 0.95 }}
[cluster.c]
nodes = 4
shape = {{ vcpus = 4, memory = "4 GiB" }}
[policy.p.recover.anywhere]
shrink = {shrink}
"#
        );
        let scenario = Scenario::parse(&text, "a.toml", Path::new(""), &[]);
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems:?}"));
        scenario.assumed(&[0]).iter().any(|told| told.contains("linear speedup"))
    };
    assert_eq!([true, false].map(told), [true, false]);
}
