//! Trials that a policy takes back leave no trace: the live world is the same afterwards, and so is
//! the rest of the run.

use std::ops::ControlFlow;

use windtunnel::metrics::{Collector, Fingerprint};
use windtunnel::model::{Manner, Market, Offer, OfferSpec, Work, World};
use windtunnel::policy::place::{self, Fit, Place};
use windtunnel::policy::{self, Policy, Trigger, Turn};
use windtunnel::sim::{self, Run};
use windtunnel::state::{
    AllocationRef, CheckpointPlan, InstanceRef, Needs, Record, Share, State, WorkRef,
};
use windtunnel::units::{Id, Shape};
use windtunnel::workload::WorkList;

use crate::dice::Dice;
use crate::swarm::{Scenario, scenario};

/// Tries things at random before and after each decision of another policy.
struct Fickle {
    inner: Box<dyn Policy>,
    place: Box<dyn Place>,
    seed: u64,
    round: u64,
    tried: [u64; 5],
}

/// All that is told of the live world, one text for each thing.
fn told(state: &State<'_>) -> Vec<String> {
    let mut texts = vec![format!("{:?} {:?}", state.totals(), state.now())];
    let mut instances: Vec<_> = state.instances().collect();
    instances.sort_by_key(|(_, one)| one.ordinal);
    let mut works: Vec<_> = state.works().collect();
    works.sort_by_key(|(_, one)| one.tie());
    for (_, one) in &instances {
        texts.push(format!("{one:?} {:?}", state.launch_room(one.offer)));
    }
    for (_, work) in &works {
        texts.push(format!("{work:?}"));
        let allocations = work.allocations.iter();
        texts.extend(allocations.map(|&one| format!("{:?}", state.allocation(one))));
    }
    texts.push(format!("{:?} {}", state.commitments(), state.commitment_changes()));
    texts.push(format!("{:?}", state.ends().collect::<Vec<_>>()));
    let arriving = state.arriving().map(|one| format!("{:?}", state.allocation(one)));
    texts.extend(arriving);
    texts
}

/// What only bookkeeping knows: places in tables, and until when a meter has been read.
const BOOKKEEPING: [&str; 5] = [" listed: ", " class: ", " last: ", " accrued: ", " full_share: "];

/// The text of a thing without what only bookkeeping knows.
fn without_bookkeeping(text: &str) -> String {
    let mut kept = text.to_owned();
    for field in BOOKKEEPING {
        while let Some(from) = kept.find(field) {
            let value = from + field.len();
            let mut depth = 0_u32;
            let ends = |(_, byte): &(usize, u8)| match byte {
                b',' => depth == 0,
                b'(' | b'{' | b'[' => {
                    depth += 1;
                    false
                }
                b')' | b'}' | b']' if depth == 0 => true,
                b')' | b'}' | b']' => {
                    depth -= 1;
                    false
                }
                _ => false,
            };
            let end = kept.bytes().enumerate().skip(value).find(ends).map(|(at, _)| at);
            kept.replace_range(from..end.unwrap_or(kept.len()), "");
        }
    }
    kept
}

/// The first thing that differs, before and after.
fn difference<'t>(before: &'t [String], after: &'t [String]) -> Option<[&'t str; 2]> {
    if before.len() != after.len() {
        return Some(["another number of things", ""]);
    }
    let mut differ = before.iter().zip(after).filter(|(before, after)| before != after);
    differ
        .find(|(before, after)| without_bookkeeping(before) != without_bookkeeping(after))
        .map(|(before, after)| [&**before, &**after])
}

impl Fickle {
    fn try_things(&mut self, turn: &mut Turn<'_, '_>) {
        self.round += 1;
        let mut dice = Dice::new(self.seed ^ self.round << 20);
        let before = told(turn);
        turn.attempt(|turn| {
            for _ in 0..dice.within(1, 8) {
                self.try_one(turn, &mut dice);
            }
            None::<()>
        });
        let after = told(turn);
        assert_eq!(difference(&before, &after), None, "{:?}", self.seed);
    }

    fn try_one(&mut self, turn: &mut Turn<'_, '_>, dice: &mut Dice) {
        match dice.within(0, 4) {
            4 => self.tried[4] += u64::from(move_one(turn, dice)),
            0 => {
                let all = turn.works().flat_map(|(_, work)| work.allocations.iter().copied());
                let running: Vec<AllocationRef> =
                    all.filter(|&one| !turn.allocation(one).has_ended()).collect();
                if !running.is_empty() {
                    turn.preempt(dice.of(&running)).expect("it has not yielded");
                    self.tried[0] += 1;
                }
            }
            1 => {
                let offers: Vec<_> = turn.world().offers.ids().collect();
                let offer = dice.of(&offers);
                let owned = turn.world().offers[offer].market == Market::Owned;
                // A launch that is refused is a fact, whoever takes the trial back.
                let refused = owned || turn.launch_refusal(offer).is_some();
                self.tried[1] += u64::from(!refused && turn.rent(offer).is_ok());
            }
            2 => {
                let idle: Vec<InstanceRef> =
                    turn.instances().filter(|(_, one)| one.is_idle()).map(|one| one.0).collect();
                if !idle.is_empty() {
                    self.tried[2] += u64::from(turn.release(dice.of(&idle)).is_ok());
                }
            }
            _ => {
                let waiting: Vec<WorkRef> =
                    turn.works().filter(|(_, one)| one.waiting > 0).map(|one| one.0).collect();
                if !waiting.is_empty() {
                    let work = dice.of(&waiting);
                    let before = turn.work(work).waiting;
                    place::place_all(&mut *self.place, turn, work);
                    self.tried[3] += u64::from(turn.work(work).waiting < before);
                }
            }
        }
    }
}

/// Moves tasks at random, if any compute, to a machine that has room for all of them or not. Returns
/// whether they move.
fn move_one(turn: &mut Turn<'_, '_>, dice: &mut Dice) -> bool {
    let all = turn.works().flat_map(|(_, work)| work.allocations.iter().copied());
    let running: Vec<AllocationRef> = all.filter(|&one| turn.can_migrate(one)).collect();
    let instances: Vec<InstanceRef> = turn.instances().map(|(one, _)| one).collect();
    if running.is_empty() || instances.is_empty() {
        return false;
    }
    let (one, instance) = (dice.of(&running), dice.of(&instances));
    let (work, tasks) = (turn.allocation(one).work(), turn.allocation(one).tasks);
    let demand = turn.work(work).ask.demand;
    let devices = turn.instance(instance).tightest_devices(demand, tasks).unwrap_or(0);
    let manner = dice.of(&[Manner::Cold, Manner::Live]);
    turn.migrate(one, &[Share { instance, tasks, devices }], manner).is_ok()
}

impl Policy for Fickle {
    fn needs(&self) -> Needs {
        self.inner.needs()
    }

    fn uses(&mut self, world: &World, offer: Id<Offer>) -> bool {
        self.inner.uses(world, offer)
    }

    fn checkpoints(&mut self, state: &State<'_>, allocation: AllocationRef) -> CheckpointPlan {
        self.inner.checkpoints(state, allocation)
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.inner.record(state, record);
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        self.try_things(turn);
        self.inner.decide(triggers, turn);
        self.try_things(turn);
    }
}

fn outcome(seed: u64, scenario: &Scenario, policy: &mut dyn Policy) -> String {
    let mut source = WorkList::new(&scenario.works).named(scenario.names.clone());
    let mut fingerprint = Fingerprint::default();
    let mut go_on = |_: sim::RunProgress| ControlFlow::Continue(());
    let options = sim::Options { tolerate_illegal: true, ..scenario.options.clone() };
    sim::run(&scenario.world, &mut source, policy, &options, &mut fingerprint, &mut go_on)
        .unwrap_or_else(|failure| panic!("seed {seed}: {failure:?} under {:?}", scenario.policy));
    fingerprint.hex()
}

#[test]
fn what_is_taken_back_leaves_no_trace() {
    let mut tried = [0; 5];
    for seed in 0..60 {
        let scenario = scenario(seed);
        let alone = outcome(seed, &scenario, &mut *policy::build(&scenario.policy));
        let inner = policy::build(&scenario.policy);
        let mut fickle = Fickle {
            place: Box::new(Fit::indexed(inner.needs().index)),
            inner,
            seed,
            round: 0,
            tried: [0; 5],
        };
        let beside = outcome(seed, &scenario, &mut fickle);
        assert_eq!(alone, beside, "seed {seed} under {:?}", scenario.policy);
        for (sum, one) in tried.iter_mut().zip(fickle.tried) {
            *sum += one;
        }
    }
    assert!(tried.iter().all(|&count| count > 100), "{tried:?}");
}

/// Rents two instances at once or none, in an attempt within an attempt that fails.
struct InVain;

impl Policy for InVain {
    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        if triggers.contains(&Trigger::Begins) {
            turn.attempt(|turn| {
                turn.attempt(|turn| {
                    turn.rent(Id::new(0)).ok()?;
                    turn.rent(Id::new(0)).ok()
                });
                turn.rent(Id::new(0)).expect("the first launch was taken back");
                None::<()>
            });
        }
    }
}

#[test]
fn a_refused_launch_of_an_attempt_counts_and_one_taken_back_does_not() {
    let shape = Shape { cpu: 1_000, ..Shape::default() };
    let offer = OfferSpec::on_demand("cloud", "m", shape, "1").at_most(1);
    let world = World::builder().offer(offer).build().expect("the world is right");
    let (mut source, mut collector) = (WorkList::new(Vec::<Work>::new()), Collector::default());
    let mut policy = InVain;
    let run = Run::new(&world, &mut source).policy(&mut policy).observe(&mut collector);
    let outcome = run.run().expect("it goes through");
    let summary = collector.summary(&world, &[], &outcome);
    assert_eq!((summary.work.refused_launches, summary.instances_launched), (1, 0));
}
