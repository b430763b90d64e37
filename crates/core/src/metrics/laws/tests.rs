//! No work is lost.

use std::ops::ControlFlow;

use super::Laws;
use crate::model::{Work, World};
use crate::policy::place::{self, Fit};
use crate::policy::queue::Queue;
use crate::policy::spec::PolicySpec;
use crate::policy::{self, Policy, Trigger, Turn};
use crate::policy::{backfill, order};
use crate::sim::{self, Observer, Options, Outcome};
use crate::state::testing::{demand, owned, shape};
use crate::state::{Ending, Needs, Record, State, Why, WorkRef};
use crate::units::{Span, Time};
use crate::workload::WorkList;

/// Jobs of four cores and 600 s that arrive then, in seconds.
fn jobs(arrivals: &[i64]) -> WorkList<impl Iterator<Item = Work>> {
    let run = Span::from_secs(600);
    WorkList::new((0..).zip(arrivals).map(move |(row, &at)| {
        let mut job = Work::job(row, Time::from_secs(at), demand(4_000, 0, 0, 0), run);
        job.ask.estimate = Some(run);
        job
    }))
}

/// Holds a job until 900 s and asks nothing more; its estimate leaves it until 500 s.
struct HoldsLong(Queue);

impl Policy for HoldsLong {
    fn queue(&self) -> Option<&Queue> {
        Some(&self.0)
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        for &trigger in triggers {
            if let Trigger::Arrived(work) = trigger {
                self.0.hold(turn, work, Time::from_secs(900));
                turn.wake(Time::from_secs(900)).expect("it is later");
            }
        }
    }
}

/// Held beyond the latest start, which is told at once, or beyond the time that was said, which is told
/// when that has come.
#[test]
fn work_is_held_no_longer_than_its_deadline_allows() {
    let world = owned(&[shape(4_000, 0, 0)]);
    for (deadline, told) in [(Some(1_100), 0), (Some(1_500), 900), (None, 900)] {
        let run = Span::from_secs(600);
        let mut job = Work::job(0, Time::ZERO, demand(4_000, 0, 0, 0), run);
        (job.ask.estimate, job.ask.deadline) = (Some(run), deadline.map(Time::from_secs));
        let mut laws = Laws::new(false);
        let mut policy = HoldsLong(Queue::new(order::FCFS.spec().build()));
        let control = &mut |_: sim::RunProgress| ControlFlow::Continue(());
        let options = Options::default();
        let mut source = WorkList::new([job]);
        let _ = sim::run(&world, &mut source, &mut policy, &options, &mut laws, control);
        let broken = laws.broken().expect("it is held too long");
        assert_eq!(broken.law, "nobody is held longer than the deadline allows");
        assert_eq!(broken.at, Time::from_secs(told), "{deadline:?}");
    }
}

/// Plans that gangs run with one task, and lets nobody start.
#[derive(Debug)]
struct ScalesDown(Queue);

impl Policy for ScalesDown {
    fn queue(&self) -> Option<&Queue> {
        Some(&self.0)
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        for &trigger in triggers {
            if let Trigger::Arrived(work) = trigger {
                turn.scale(work, 1).expect("it can run with one");
                self.0.push(turn, work);
                turn.wake(Time::from_secs(500)).expect("it is later");
                turn.wake(Time::from_secs(501)).expect("it is later");
            }
        }
    }
}

/// All of its tasks could be done before 1,100 s if they start at 500, with one until then or not.
#[test]
fn no_gang_waits_with_fewer_tasks_than_its_deadline_allows() {
    let world = owned(&[shape(4_000, 0, 0)]);
    let run = Span::from_secs(600);
    let mut gang = Work::job(0, Time::ZERO, demand(1_000, 0, 0, 0), run);
    (gang.ask.estimate, gang.ask.deadline) = (Some(run), Some(Time::from_secs(1_100)));
    (gang.ask.tasks, gang.ask.gang, gang.min_tasks) = (4, true, 1);
    let mut laws = Laws::new(true);
    let mut policy = ScalesDown(Queue::new(order::FCFS.spec().build()));
    let control = &mut |_: sim::RunProgress| ControlFlow::Continue(());
    let options = Options::default();
    let mut source = WorkList::new([gang]);
    let _ = sim::run(&world, &mut source, &mut policy, &options, &mut laws, control);
    let broken = laws.broken().expect("it waits too long");
    assert_eq!(broken.law, "nobody waits with fewer tasks than the deadline allows");
    assert_eq!(broken.at, Time::from_secs(501));
}

/// Ends the first allocation at 100 s, behind the back of another policy.
struct Interrupts {
    inner: Box<dyn Policy>,
    ending: Ending,
    told: Vec<Why>,
    done: bool,
}

impl Policy for Interrupts {
    fn needs(&self) -> Needs {
        Needs { ends: true, ..self.inner.needs() }
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        self.inner.decide(triggers, turn);
        self.told.extend(triggers.iter().filter_map(|trigger| match trigger {
            Trigger::Eligible(_, why) => Some(*why),
            _ => None,
        }));
        if turn.now() < Time::from_secs(100) {
            turn.wake(Time::from_secs(100)).expect("it is later");
        } else if !std::mem::replace(&mut self.done, true) {
            let first = turn.ends().next().expect("two run").1;
            turn.end(first, self.ending);
        }
    }
}

/// Watches how much work is finished, and the laws.
#[derive(Default)]
struct Watch {
    finished: u64,
    laws: Laws,
}

impl Observer for Watch {
    fn decided(&mut self, state: &State<'_>, queue: Option<&Queue>) {
        self.laws.decided(state, queue);
    }

    fn neglected(&mut self, state: &State<'_>, work: WorkRef) {
        self.laws.neglected(state, work);
    }

    fn record(&mut self, _: &State<'_>, record: &Record) {
        self.finished += u64::from(matches!(record, Record::Finished(_)));
    }
}

fn nodes() -> World {
    owned(&[shape(4_000, 0, 0); 2])
}

fn run(policy: &mut dyn Policy, arrivals: &'static [i64]) -> (Outcome, Watch) {
    let (world, mut watch) = (nodes(), Watch::default());
    let mut source = jobs(arrivals);
    let options = Options::default();
    let go_on = &mut |_: sim::RunProgress| ControlFlow::Continue(());
    let ran = sim::run(&world, &mut source, policy, &options, &mut watch, go_on);
    (ran.expect("it runs"), watch)
}

#[test]
fn work_that_comes_back_behind_a_policy_is_served_again() {
    let backfills = [&backfill::NONE, &backfill::GREEDY, &backfill::EASY, &backfill::CONSERVATIVE];
    for backfill in backfills {
        for order in [&order::FCFS, &order::WFP3] {
            for ending in Ending::ALL.into_iter().filter(|ending| ending.waits_again()) {
                let spec = PolicySpec {
                    backfill: backfill.spec(),
                    order: order.spec(),
                    ..PolicySpec::named("mine")
                };
                let inner = policy::build(&spec);
                let mut policy = Interrupts { inner, ending, told: Vec::new(), done: false };
                let (outcome, watch) = run(&mut policy, &[0, 10, 20, 2_000]);
                let case = format!("{backfill:?}, {order:?}, {ending:?}");
                assert!(outcome.drained, "{case}");
                assert_eq!((watch.finished, outcome.stranded), (4, 0), "{case}");
                assert_eq!(policy.told, Vec::from_iter(ending.returns()), "{case}");
            }
        }
    }
}

/// Serves nobody on arrival but the first, and whoever waits when it is asked for another
/// reason.
#[derive(Default)]
struct Forgets {
    served: bool,
    built_in: bool,
    queue: Option<Queue>,
}

impl Policy for Forgets {
    fn is_built_in(&self) -> bool {
        self.built_in
    }

    fn queue(&self) -> Option<&Queue> {
        self.queue.as_ref()
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        let arrives = triggers.iter().any(|trigger| matches!(trigger, Trigger::Arrived(_)));
        if arrives && std::mem::replace(&mut self.served, true) {
            return;
        }
        for work in turn.all_pending() {
            place::place_all(&mut Fit::first(), turn, work);
        }
    }
}

/// The second job arrives when the first has ended, and nothing happens after it.
const APART: &[i64] = &[0, 1_000];

#[test]
fn work_left_beside_room_is_told_and_is_our_fault_where_the_policy_is_ours() {
    for built_in in [false, true] {
        let mut policy = Forgets { built_in, ..Forgets::default() };
        let (outcome, watch) = run(&mut policy, APART);
        assert_eq!((watch.finished, outcome.stranded), (1, 1));
        assert!(!outcome.drained);
        let law = built_in.then_some("no work waits for ever beside room for it");
        assert_eq!(watch.laws.broken().map(|broken| broken.law), law);
    }
    let (outcome, watch) = run(&mut *policy::build(&PolicySpec::named("mine")), APART);
    assert_eq!((watch.finished, outcome.stranded), (2, 0));
    assert_eq!(watch.laws.broken(), None);
}

#[test]
fn work_that_a_queue_has_lost_breaks_a_law() {
    let queue = Some(Queue::new(order::FCFS.spec().build()));
    let (_, watch) = run(&mut Forgets { queue, ..Forgets::default() }, APART);
    let broken = watch.laws.broken().expect("one waits and is not in the queue");
    assert_eq!(broken.law, "the policy's queue is the work that waits");
    assert_eq!(broken.at, Time::from_secs(1_000));
}
