//! What tasks save, lose and spend on checkpoints, by hand.

use std::ops::ControlFlow;

use crate::metrics::Laws;
use crate::model::{Ask, Checkpoint, Interner, Speedup, Work};
use crate::policy::spec::{CheckpointSpec, PolicySpec};
use crate::policy::{self, Policy, Trigger, Turn, checkpoint};
use crate::sim::{Observer, Options, RunProgress, run};
use crate::state::testing::{Plan, demand, shape, world};
use crate::state::{AllocationRef, CheckpointPlan, Ending, Needs, Record, State};
use crate::units::{Span, Time};
use crate::workload::WorkList;

const RUN: Span = Span::from_secs(100);

/// Half a minute of computing, then 10 s of writing; 5 s to read one.
const CHECKPOINT: Checkpoint =
    Checkpoint { write: Span::from_secs(10), blocking: true, restore: Span::from_secs(5) };

/// Ends what runs at these moments, in seconds; who waits is placed again at once.
struct Ends {
    inner: Box<dyn Policy>,
    ends: Vec<(i64, Ending)>,
}

impl Policy for Ends {
    fn needs(&self) -> Needs {
        Needs { ends: true, ..self.inner.needs() }
    }

    fn checkpoints(&mut self, state: &State<'_>, allocation: AllocationRef) -> CheckpointPlan {
        self.inner.checkpoints(state, allocation)
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        self.inner.decide(triggers, turn);
        let Some(&(at, ending)) = self.ends.first() else { return };
        if turn.now() < Time::from_secs(at) {
            turn.wake(Time::from_secs(at)).expect("it is later");
            return;
        }
        self.ends.remove(0);
        let running: Vec<_> = turn.ends().map(|(_, allocation)| allocation).collect();
        for allocation in running {
            turn.end(allocation, ending);
        }
    }
}

/// Time, and seconds per task of useful, lost and unmade progress, of each allocation that stopped.
#[derive(Default)]
struct Stops {
    stops: Vec<(f64, [f64; 3])>,
    laws: Laws,
}

impl Observer for Stops {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.laws.record(state, record);
        if let Record::Stopped { useful, lost, overhead, .. } = *record {
            let parts = [useful, lost, overhead].map(|part| part as f64 / 1e12);
            self.stops.push((state.now().secs_f64(), parts));
        }
    }
}

/// A job of 100 s on one machine.
struct Case {
    ask: Ask,
    checkpoint: Checkpoint,
    policy: CheckpointSpec,
    /// Speed of the machine, in millionths.
    speed: u32,
    ends: Vec<(i64, Ending)>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            ask: Ask { demand: demand(1_000, 0, 0, 0), ..Ask::default() },
            checkpoint: CHECKPOINT,
            policy: checkpoint::PERIODIC.spec().set("every", Span::from_secs(30)),
            speed: 1_000_000,
            ends: Vec::new(),
        }
    }
}

impl Case {
    fn stops(self) -> Vec<(f64, [f64; 3])> {
        let plan = Plan { shape: shape(4_000, 0, 0), running: 1, ..Plan::default() };
        let world = world(&[Plan { speed: self.speed, ..plan }]);
        let mut names = Interner::default();
        let checkpoint = Some(names.checkpoint(self.checkpoint));
        let work = Work {
            min_tasks: 0,
            speedup: Speedup::LINEAR,
            ask: Ask { checkpoint, ..self.ask },
            ..Work::job(0, Time::ZERO, self.ask.demand, RUN)
        };
        let mut source = WorkList::new([work]).named(names);
        let spec = PolicySpec { checkpoint: self.policy, ..PolicySpec::named("p") };
        let mut policy = Ends { inner: policy::build(&spec), ends: self.ends };
        let mut watch = Stops { laws: Laws::new(true), ..Stops::default() };
        let go_on = &mut |_: RunProgress| ControlFlow::Continue(());
        let ran = run(&world, &mut source, &mut policy, &Options::default(), &mut watch, go_on);
        assert!(ran.expect("it runs").drained);
        assert_eq!(watch.laws.broken(), None);
        watch.stops
    }
}

#[test]
fn checkpoints_that_block_take_their_time() {
    // 0-30, 40-70, 80-110 and 120-130 s.
    assert_eq!(Case::default().stops(), [(130.0, [100.0, 0.0, 30.0])]);
    let policy = checkpoint::NEVER.spec();
    assert_eq!(Case { policy, ..Case::default() }.stops(), [(100.0, [100.0, 0.0, 0.0])]);
    let checkpoint = Checkpoint { blocking: false, ..CHECKPOINT };
    assert_eq!(Case { checkpoint, ..Case::default() }.stops(), [(100.0, [100.0, 0.0, 0.0])]);
    // Who is done when the fourth would begin does not write it.
    let policy = checkpoint::PERIODIC.spec().set("every", Span::from_secs(25));
    assert_eq!(Case { policy, ..Case::default() }.stops(), [(130.0, [100.0, 0.0, 30.0])]);
    // Half the time at twice the speed, of which one checkpoint: progress counts twice.
    let case = Case { speed: 2_000_000, ..Case::default() };
    assert_eq!(case.stops(), [(60.0, [100.0, 0.0, 20.0])]);
}

#[test]
fn what_a_failure_leaves_is_the_last_checkpoint() {
    let stops = |ends: &[(i64, Ending)]| Case { ends: ends.to_vec(), ..Case::default() }.stops();
    for ending in [Ending::Failed, Ending::Interrupted, Ending::Preempted] {
        // In the second write, with 60 s done; the rest is read by 80 s, computed from 80 to 110,
        // 120 to 150 and 160 to 170 s.
        let want = [(75.0, [30.0, 30.0, 15.0]), (170.0, [70.0, 0.0, 25.0])];
        assert_eq!(stops(&[(75, ending)]), want, "{ending:?}");
    }
    let failed = Ending::Failed;
    // A write that is over at this very moment has saved.
    let want = [(80.0, [60.0, 0.0, 20.0]), (135.0, [40.0, 0.0, 15.0])];
    assert_eq!(stops(&[(80, failed)]), want);
    // Before the first there is nothing to go on from, and nothing to read.
    let want = [(39.0, [0.0, 30.0, 9.0]), (169.0, [100.0, 0.0, 30.0])];
    assert_eq!(stops(&[(39, failed)]), want);
    // Again while the checkpoint is read: what was saved stays.
    let second = (78.0, [0.0, 0.0, 3.0]);
    let want = [(75.0, [30.0, 30.0, 15.0]), second, (173.0, [70.0, 0.0, 25.0])];
    assert_eq!(stops(&[(75, failed), (78, failed)]), want);
    let ends = vec![(75, failed)];
    let policy = checkpoint::NEVER.spec();
    let want = [(75.0, [0.0, 75.0, 0.0]), (175.0, [100.0, 0.0, 0.0])];
    assert_eq!(Case { ends, policy, ..Case::default() }.stops(), want);
}

#[test]
fn a_write_that_does_not_block_saves_what_was_done_when_it_began() {
    let checkpoint = Checkpoint { blocking: false, ..CHECKPOINT };
    let stops = |at| {
        let ends = vec![(at, Ending::Failed)];
        Case { checkpoint, ends, ..Case::default() }.stops()
    };
    // From 30 to 40 s and from 70 to 80 s.
    assert_eq!(stops(39), [(39.0, [0.0, 39.0, 0.0]), (139.0, [100.0, 0.0, 0.0])]);
    assert_eq!(stops(40), [(40.0, [30.0, 10.0, 0.0]), (115.0, [70.0, 0.0, 5.0])]);
    assert_eq!(stops(79), [(79.0, [30.0, 49.0, 0.0]), (154.0, [70.0, 0.0, 5.0])]);
    assert_eq!(stops(80), [(80.0, [70.0, 10.0, 0.0]), (115.0, [30.0, 0.0, 5.0])]);
}

#[test]
fn who_resumes_saves_all_when_there_is_a_warning() {
    let stops = |ending| {
        let ask = Ask { resumes: true, ..Case::default().ask };
        Case { ask, ends: vec![(75, ending)], ..Case::default() }.stops()
    };
    for ending in [Ending::Preempted, Ending::Migrated] {
        let want = [(75.0, [60.0, 0.0, 15.0]), (130.0, [40.0, 0.0, 15.0])];
        assert_eq!(stops(ending), want, "{ending:?}");
    }
    let want = [(75.0, [30.0, 30.0, 15.0]), (170.0, [70.0, 0.0, 25.0])];
    assert_eq!(stops(Ending::Failed), want);
}

#[test]
fn tasks_that_cannot_go_on_write_no_checkpoints() {
    // They start one by one and have an instance together.
    let mut ask = Ask { tasks: 2, gang: false, ..Case::default().ask };
    ask.demand.exclusive = true;
    let stops = Case { ask, ..Case::default() }.stops();
    assert_eq!(stops, [(100.0, [100.0, 0.0, 0.0])]);
    // Those that have no instance alone each go on from their own.
    ask.demand.exclusive = false;
    let ends = vec![(75, Ending::Failed)];
    let stops = Case { ask, ends, ..Case::default() }.stops();
    assert_eq!(stops, [(75.0, [30.0, 30.0, 15.0]), (170.0, [70.0, 0.0, 25.0])]);
}
