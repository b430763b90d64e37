//! Conservative: whoever delays no reservation; everybody holds one (Mu'alem
//! and Feitelson, TPDS 2001).

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::plan::{Hold, Plan};
use super::{Backfill, Pass};
use crate::model::Spread;
use crate::policy::queue::Queued;
use crate::policy::turn::Turn;
use crate::state::{AllocationRef, Instance, InstanceRef, Share, UNKNOWN_RUN, WorkRef};
use crate::units::{Demand, Span, Time};

/// A reservation for everybody, made in queue order: for all tasks of a gang
/// together, for other work task after task. They are moved forward, in the same
/// order, when room comes sooner than estimated. Only where one cannot be kept, as
/// estimates overran or an instance is gone, are all made anew, and may be later.
///
/// In a scalar pool a decision takes about n log n, where n wait: work that cannot begin
/// sooner keeps its reservation after one search, and after none while others merely join.
/// In other pools it costs about the queue's length times the number of running and
/// reserved pieces of work, for of each instance only the periods that a stay spans are
/// looked at.
#[derive(Debug, Default)]
pub struct Conservative {
    /// Reserved starts, and how many tasks start then.
    promised: FxHashMap<WorkRef, Starts>,
    queued: Vec<Queued>,
    /// What is reserved when a pass begins, in queue order.
    held: Vec<Held>,
    plan: Plan,
    /// In the last pass a reservation was moved or used, so that others may begin sooner.
    moved: bool,
    /// Speed of the slowest instance type, in millionths.
    slowest: u32,
}

/// Starts and how many tasks start then, the earliest first.
type Starts = SmallVec<[(Time, u32); 1]>;

/// A reservation.
#[derive(Debug)]
struct Held {
    work: WorkRef,
    start: Time,
    hold: Hold,
}

impl Backfill for Conservative {
    fn needs_ends(&self) -> bool {
        true
    }

    fn plans_all(&self) -> bool {
        true
    }

    fn fill(&mut self, pass: &mut Pass<'_, '_, '_, '_>) {
        if self.slowest == 0 {
            let speeds = pass.turn.world().types.rows().iter().map(|kind| kind.speed);
            self.slowest = speeds.min().unwrap_or(0).max(1);
        }
        self.queued.clear();
        let queued = &mut self.queued;
        pass.queue.visit(pass.turn, None, &mut |one| {
            queued.push(one);
            ControlFlow::Continue(())
        });
        let kept = self.keep_promises(pass.turn);
        if !kept {
            self.held.clear();
            self.plan.restart(pass.turn);
        }
        self.plan.index();
        self.promised.clear();
        // What could not begin sooner in the last pass cannot until something is moved.
        let mut settled = kept && pass.joined.is_some() && !self.moved;
        self.moved = false;
        let (plan, mut held) = (&mut self.plan, self.held.as_slice());
        for &one in &self.queued {
            if pass.turn.is_halted() {
                return;
            }
            let mine;
            let count = held.iter().take_while(|held| held.work == one.work).count();
            (mine, held) = held.split_at(count);
            let length = length(one.estimate, self.slowest);
            let before = mine.iter().map(|held| (held.start, held.hold.tasks()));
            let starts = if stay(pass.turn, plan, one, length, mine, settled) {
                before.collect()
            } else {
                for Held { start, hold, .. } in mine {
                    plan.give(hold, *start, start.saturating_add(length));
                }
                let starts = reserve(pass, plan, one, length);
                self.moved |= count > 0 && !before.eq(starts.iter().copied());
                settled &= !self.moved;
                starts
            };
            if !starts.is_empty() {
                self.promised.insert(one.work, starts);
            }
        }
    }

    fn promise(&self, work: WorkRef) -> Option<Time> {
        self.promised.get(&work).map(|starts| starts[0].0)
    }
}

impl Conservative {
    /// Makes a plan with every promise in it. Returns whether each can be kept.
    fn keep_promises(&mut self, turn: &Turn<'_, '_>) -> bool {
        self.held.clear();
        self.plan.restart(turn);
        for &Queued { work, estimate, .. } in &self.queued {
            if turn.is_halted() {
                break;
            }
            let length = length(estimate, self.slowest);
            for &(promised, tasks) in self.promised.get(&work).into_iter().flatten() {
                let start = promised.max(turn.now());
                let until = start.saturating_add(length);
                let hold = self.plan.hold(turn, work, (tasks, tasks), start, until);
                let Some(hold) = hold else { return false };
                self.plan.take(&hold, start, until);
                self.held.push(Held { work, start, hold });
            }
        }
        true
    }
}

/// Whether it is certain that what is reserved for the tasks of `one` stays as it is.
/// Where others are `settled`, nobody can begin sooner than at the last pass.
fn stay(
    turn: &Turn<'_, '_>,
    plan: &Plan,
    one: Queued,
    length: Span,
    mine: &[Held],
    settled: bool,
) -> bool {
    let now = turn.now();
    let tasks: u32 = mine.iter().map(|held| held.hold.tasks()).sum();
    if tasks != one.tasks || mine.iter().any(|held| held.start == now) {
        return false;
    }
    match mine {
        _ if settled && plan.is_scalar() => true,
        [held] => plan.is_earliest(one.together, length, now, held.start),
        _ => false,
    }
}

/// Starts now what can start by the plan, and reserves for the others.
fn reserve(pass: &mut Pass<'_, '_, '_, '_>, plan: &mut Plan, one: Queued, length: Span) -> Starts {
    let until = |start: Time| start.saturating_add(length);
    let live = pass.turn.work(one.work);
    let (together, mut left) = (live.together(), live.waiting);
    let (now, mut starts) = (pass.turn.now(), Starts::new());
    while left > 0 {
        let tasks = (together, left);
        let Some((start, mut hold)) = plan.earliest(pass.turn, one.work, tasks, length) else {
            break;
        };
        let reserved = hold.tasks();
        left -= reserved;
        if start == now {
            let begun = begin(pass, plan, one.work, &hold);
            if begun == reserved {
                continue;
            }
            let rest = (reserved - begun, reserved - begun);
            if begun > 0 {
                let Some(less) = plan.hold(pass.turn, one.work, rest, now, until(now)) else {
                    continue;
                };
                hold = less;
            }
        }
        plan.take(&hold, start, until(start));
        starts.push((start, hold.tasks()));
    }
    starts
}

/// How long work is planned to run.
fn length(estimate: Span, slowest: u32) -> Span {
    if estimate == Span::MAX {
        return UNKNOWN_RUN;
    }
    let run = i128::from(estimate.micros()) * 1_000_000 / i128::from(slowest);
    Span::from_micros(i64::try_from(run).unwrap_or(i64::MAX))
}

/// Starts the tasks of `hold` now, where the place part likes it if that leaves every
/// reservation alone, otherwise where the plan has room for it. What they then
/// hold is taken out of the plan. Returns how many have started.
fn begin(pass: &mut Pass<'_, '_, '_, '_>, plan: &mut Plan, work: WorkRef, hold: &Hold) -> u32 {
    let before = pass.turn.work(work).waiting;
    pass.start_if(work, hold.tasks(), |turn, made| book(plan, turn, made));
    let begun = before - pass.turn.work(work).waiting;
    let Hold::Shares(demand, shares) = hold else { return begun };
    // A start on the planned instances may break a spread, which the plan does not know.
    let spread = pass.turn.rules(pass.turn.work(work).ask.rules).spread;
    if begun > 0 || spread != Spread::None || !fit_now(pass.turn, *demand, shares) {
        return begun;
    }
    let placed = pass.turn.attempt(|turn| {
        let before = turn.work(work).allocations.len();
        if turn.work(work).ask.gang {
            turn.place(work, shares).ok()?;
        } else {
            shares.iter().try_for_each(|&share| turn.place(work, &[share])).ok()?;
        }
        book(plan, turn, &turn.work(work).allocations[before..]).then_some(())
    });
    let waiting = pass.turn.work(work).waiting;
    if waiting == 0 {
        pass.queue.remove(work);
    } else if placed.is_some() {
        pass.queue.push(pass.turn, work);
    }
    before - waiting
}

/// Takes what the allocations hold out of the plan, if it is free until their
/// estimated ends; otherwise the plan stays as it is.
fn book(plan: &mut Plan, turn: &Turn<'_, '_>, made: &[AllocationRef]) -> bool {
    let now = turn.now();
    let holds: Vec<(Hold, Time)> = made
        .iter()
        .map(|&made| {
            let allocation = turn.allocation(made);
            let demand = turn.work(allocation.work()).ask.demand;
            (plan.hold_of(demand, allocation), allocation.estimated_end)
        })
        .collect();
    for (row, (hold, end)) in holds.iter().enumerate() {
        if !plan.is_free(hold, now, *end) {
            holds[..row].iter().for_each(|(hold, end)| plan.give(hold, now, *end));
            return false;
        }
        plan.take(hold, now, *end);
    }
    true
}

/// Whether the instances have room for all shares, whatever the plan says:
/// work that overran its estimate is still there.
fn fit_now(turn: &Turn<'_, '_>, demand: Demand, shares: &[Share]) -> bool {
    let mut copies: Vec<(InstanceRef, Instance)> = Vec::new();
    shares.iter().all(|share| {
        let known = copies.iter().position(|(instance, _)| *instance == share.instance);
        let row = known.unwrap_or_else(|| {
            copies.push((share.instance, turn.instance(share.instance).clone()));
            copies.len() - 1
        });
        let fits = copies[row].1.can_take(demand, share.tasks, share.devices);
        if fits {
            copies[row].1.take(demand, share.tasks, share.devices);
        }
        fits
    })
}
