//! Conservative: whoever delays no reservation; everybody holds one (Mu'alem
//! and Feitelson, TPDS 2001).

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::plan::{Hold, Plan};
use super::{Backfill, Pass, Started};
use crate::model::Spread;
use crate::policy::queue::Queued;
use crate::policy::turn::Turn;
use crate::state::{AllocationRef, Instance, InstanceRef, Share, WorkRef};
use crate::units::{Demand, Span, Time};

/// A reservation for everybody, made in queue order for all tasks together and
/// moved forward, in the same order, when room comes sooner than estimated.
/// Only where estimates overran are all reservations made anew, and may be later.
///
/// A decision costs the queue's length times the number of running and
/// reserved pieces of work: in a scalar pool exactly, in others about so, for
/// of each instance only the periods that a stay spans are looked at.
#[derive(Debug, Default)]
pub struct Conservative {
    /// Reserved starts.
    promised: FxHashMap<WorkRef, Time>,
    queued: Vec<Queued>,
    /// Speed of the slowest instance type, in millionths.
    slowest: u32,
}

impl Backfill for Conservative {
    fn needs_ends(&self) -> bool {
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
        let (mut plan, held) = self.keep_promises(pass.turn);
        self.promised.clear();
        for (one, held) in self.queued.iter().zip(held) {
            let length = length(one.estimate, self.slowest);
            let until = |start: Time| start.saturating_add(length);
            if let Some((start, hold)) = &held {
                plan.give(hold, *start, until(*start));
            }
            let Some((start, hold)) = plan.earliest(pass.turn, one.work, until) else { continue };
            if start > pass.turn.now() || !begin(pass, &mut plan, one.work, &hold) {
                plan.take(&hold, start, until(start));
                self.promised.insert(one.work, start);
            }
        }
    }

    fn promise(&self, work: WorkRef) -> Option<Time> {
        self.promised.get(&work).copied()
    }
}

impl Conservative {
    /// The plan with every promise in it. Where one cannot be kept, none is.
    fn keep_promises(&self, turn: &Turn<'_, '_>) -> (Plan, Vec<Option<(Time, Hold)>>) {
        let mut plan = Plan::new(turn);
        let mut held = Vec::with_capacity(self.queued.len());
        for one in &self.queued {
            let Some(&promised) = self.promised.get(&one.work) else {
                held.push(None);
                continue;
            };
            let start = promised.max(turn.now());
            let until = start.saturating_add(length(one.estimate, self.slowest));
            let Some(hold) = plan.hold(turn, one.work, start, until) else {
                return (Plan::new(turn), vec![None; self.queued.len()]);
            };
            plan.take(&hold, start, until);
            held.push(Some((start, hold)));
        }
        (plan, held)
    }
}

/// How long work is planned to run.
fn length(estimate: Span, slowest: u32) -> Span {
    if estimate == Span::MAX {
        return Span::MAX;
    }
    let run = i128::from(estimate.micros()) * 1_000_000 / i128::from(slowest);
    Span::from_micros(i64::try_from(run).unwrap_or(i64::MAX))
}

/// Starts work now, where the place part likes it if that leaves every
/// reservation alone, otherwise where the plan has room for it. What it then
/// holds is taken out of the plan.
fn begin(pass: &mut Pass<'_, '_, '_, '_>, plan: &mut Plan, work: WorkRef, hold: &Hold) -> bool {
    let started = pass.start_if(work, |turn, made| book(plan, turn, made)) == Started::Yes;
    let Hold::Shares(demand, shares) = hold else { return started };
    // A start on the planned instances may break a spread, which the plan does not know.
    let spread = pass.turn.rules(pass.turn.work(work).ask.rules).spread;
    if started || spread != Spread::None || !fit_now(pass.turn, *demand, shares) {
        return started;
    }
    let placed = pass.turn.attempt(|turn| {
        let before = turn.work(work).allocations.len();
        turn.place(work, shares).ok()?;
        book(plan, turn, &turn.work(work).allocations[before..]).then_some(())
    });
    if placed.is_some() {
        pass.queue.remove(work);
    }
    placed.is_some()
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
