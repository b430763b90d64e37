//! Preemption against slow and obvious sums, on instances that differ and on rented ones.
//!
//! - Whoever is first in the queue at the end of a moment could not start a task (a gang:
//!   all of them) even if everybody of lower priority yielded.
//! - Nobody yields in vain: somebody of higher priority is placed at that moment where the
//!   tasks were.
//! - Where one piece of work is all that a decision places, it would not fit beside any one
//!   of those that yielded.

use std::cmp::Reverse;

use windtunnel::model::WorkId;
use windtunnel::policy::spec::Scalar;
use windtunnel::policy::{Trigger, backfill, order, place, preempt};
use windtunnel::sim::{Observer, Options};
use windtunnel::state::{AllocationRef, Ending, LiveWork, Record, State};
use windtunnel::units::{Demand, Time};

use crate::dice::Dice;
use crate::unlike::{Case, Machine, change, holders, owned, rented, run, told};

/// Priority, and the instances that are held.
type Placed = (i32, Vec<u32>);

/// Resources that somebody who yielded had: by instance the tasks and their devices.
type Had = (Demand, Vec<(u32, u32, u32)>);

#[derive(Default)]
struct Watch {
    /// Allocations that the current decision placed, and demand and places of those it preempted.
    new: Vec<AllocationRef>,
    gone: Vec<Had>,
    /// Number of those that yielded and were needed.
    needed: u64,
    placed: Vec<Placed>,
    yielded: Vec<Placed>,
    preemptions: u64,
    /// Heads that waited though others of lower priority ran.
    waited: u64,
    broken: Option<String>,
}

/// Waiting work that is served first.
fn head<'s>(state: &'s State<'_>) -> Option<&'s LiveWork> {
    let waiting = state.works().map(|(_, work)| work).filter(|work| work.waiting > 0);
    waiting.min_by_key(|work| -> (Reverse<i32>, (Time, WorkId)) {
        (Reverse(work.ask.priority), work.tie())
    })
}

/// Tasks of `head` that fit beside whoever need not yield to it.
fn room(state: &State<'_>, head: &LiveWork) -> u32 {
    let mut machines: Vec<Machine> =
        state.instances().map(|(_, one)| Machine::empty(one)).collect();
    for (work, allocation) in holders(state) {
        if work.ask.priority >= head.ask.priority {
            change(&mut machines, state, (work, state.allocation(allocation)), 1);
        }
    }
    machines.iter().map(|machine| machine.room(head.ask.demand)).sum()
}

impl Watch {
    /// A decision has been carried out: was everybody needed who yielded?
    fn decided(&mut self, state: &State<'_>) {
        let (new, gone) = (std::mem::take(&mut self.new), std::mem::take(&mut self.gone));
        let Some(&first) = new.first().filter(|_| !gone.is_empty()) else { return };
        let head = state.allocation(first).work();
        if new.iter().any(|&one| state.allocation(one).work() != head) {
            return;
        }
        let mut machines: Vec<Machine> =
            state.instances().map(|(_, one)| Machine::empty(one)).collect();
        for (work, allocation) in holders(state) {
            if !new.contains(&allocation) {
                change(&mut machines, state, (work, state.allocation(allocation)), 1);
            }
        }
        let placed: u32 = new.iter().map(|&one| state.allocation(one).tasks).sum();
        let demand = state.work(head).ask.demand;
        for (held, on) in gone {
            let mut machines = machines.clone();
            for (ordinal, tasks, devices) in on {
                let machine = machines.iter_mut().find(|machine| machine.ordinal == ordinal);
                // Of a gang, an instance where nobody starts may be given back.
                if let Some(machine) = machine {
                    machine.change(held, tasks, devices, 1);
                }
            }
            self.needed += 1;
            if machines.iter().map(|machine| machine.room(demand)).sum::<u32>() >= placed {
                let at = state.now();
                self.broken.get_or_insert_with(|| format!("at {at:?} {held:?} need not yield"));
            }
        }
    }
}

impl Observer for Watch {
    fn asks(&mut self, state: &State<'_>, _: &[Trigger]) {
        self.decided(state);
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        let of = |allocation| {
            let allocation = state.allocation(allocation);
            let held = allocation.held.iter();
            let on = held.map(|held| state.instance(held.share.instance).ordinal).collect();
            (state.work(allocation.work()).ask.priority, on)
        };
        match *record {
            Record::Placed(placed) => {
                self.placed.push(of(placed));
                self.new.push(placed);
            }
            Record::Stopped { allocation, ending: Ending::Preempted, .. } => {
                self.yielded.push(of(allocation));
                self.preemptions += 1;
                let one = state.allocation(allocation);
                let held = one.held.iter().map(|held| held.share);
                let held = held.map(|share| {
                    (state.instance(share.instance).ordinal, share.tasks, share.devices)
                });
                self.gone.push((state.work(one.work()).ask.demand, held.collect()));
            }
            _ => (),
        }
    }

    fn elapse(&mut self, state: &State<'_>, _: Time, _: Time) {
        self.decided(state);
        let (placed, yielded) =
            (std::mem::take(&mut self.placed), std::mem::take(&mut self.yielded));
        for (priority, on) in yielded {
            let taken = |one: &Placed| one.0 > priority && one.1.iter().any(|at| on.contains(at));
            if !placed.iter().any(taken) {
                let at = state.now();
                self.broken.get_or_insert_with(|| format!("at {at:?} {on:?} yields in vain"));
            }
        }
        let Some(head) = head(state) else { return };
        self.waited +=
            u64::from(holders(state).iter().any(|one| one.0.ask.priority < head.ask.priority));
        if room(state, head) >= head.together() {
            let (at, id) = (state.now(), head.id);
            self.broken.get_or_insert_with(|| format!("at {at:?} {id:?} could be made room for"));
        }
    }
}

fn preempting(mut case: Case, seed: u64) -> Case {
    let mut dice = Dice::new(seed ^ 0xb00);
    for work in &mut case.works {
        work.ask.priority = dice.within(0, 3) as i32;
        if !work.ask.gang && dice.once_in(2) {
            work.ask.tasks = dice.within(1, 12) as u32;
        }
    }
    case.policy.order = order::PRIORITY.spec();
    case.policy.preempt = preempt::PRIORITY.spec();
    case.policy.backfill = dice.of(&[&backfill::NONE, &backfill::GREEDY, &backfill::EASY]).spec();
    let by = Scalar::Cpu;
    let places = [
        place::FIRST_FIT.spec(),
        place::BEST_FIT.spec().set("by", by),
        place::WORST_FIT.spec().set("by", by),
        place::NEXT_FIT.spec(),
        place::RANDOM.spec(),
    ];
    case.policy.place = dice.of(&places);
    case
}

fn holds(case: impl Fn(u64) -> Case) -> (u64, u64, u64) {
    let (mut preemptions, mut waited, mut needed) = (0, 0, 0);
    let mut failed = Vec::new();
    for seed in 0..2_000 {
        let case = preempting(case(seed), seed);
        let mut watch = Watch::default();
        run(&case, &Options::default(), &mut watch);
        preemptions += watch.preemptions;
        waited += watch.waited;
        needed += watch.needed;
        if let Some(how) = watch.broken {
            failed.push((case.works.len(), seed, format!("{how}\n{}", told(&case))));
        }
    }
    if let Some((_, seed, how)) = failed.iter().min() {
        panic!("{} fail; seed {seed}: {how}", failed.len());
    }
    (preemptions, waited, needed)
}

#[test]
fn whoever_is_first_takes_all_that_may_yield_and_no_more() {
    let (preemptions, waited, needed) = holds(|seed| owned(seed, &backfill::NONE, &[&order::FCFS]));
    assert!(preemptions > 1_000 && waited > 100, "{preemptions} {waited}");
    assert!(needed > 500, "{needed}");
}

#[test]
fn whoever_is_first_takes_rented_capacity_too() {
    let (preemptions, waited, needed) = holds(rented);
    assert!(preemptions > 500 && waited > 50, "{preemptions} {waited}");
    assert!(needed > 250, "{needed}");
}
