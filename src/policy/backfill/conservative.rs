//! Conservative: whoever delays no reservation; everybody holds one (Mu'alem
//! and Feitelson, TPDS 2001).

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::plan::{Hold, Plan};
use super::{Backfill, Failed, Pass, is_known};
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
/// In other pools it costs about the number of reservations times that of running and
/// reserved pieces of work, for of each instance only the periods that a stay spans are
/// looked at. So no more than a number of them are made there; the rest of the queue has
/// none and starts where it delays none.
#[derive(Debug, Default)]
pub struct Conservative {
    /// What is reserved for whom.
    promised: FxHashMap<WorkRef, Stays>,
    queued: Vec<Queued>,
    /// What is reserved when a pass begins, in queue order.
    held: Vec<Held>,
    plan: Plan,
    /// In the last pass a reservation was moved or used, so that others may begin sooner.
    moved: bool,
    /// Most pieces of work that are given a reservation, but in a scalar pool.
    most: usize,
    /// What cannot start now of those that have none.
    failed: Failed,
    /// Speed of the slowest instance type, in millionths.
    slowest: u32,
}

/// What is reserved for work, the earliest first.
type Stays = SmallVec<[Stay; 1]>;

/// A reservation: what is held, from when to when.
#[derive(Clone, Debug)]
struct Stay {
    start: Time,
    until: Time,
    hold: Hold,
}

/// The work that a reservation is for.
#[derive(Debug)]
struct Held {
    work: WorkRef,
    stay: Stay,
}

impl Backfill for Conservative {
    fn needs_ends(&self) -> bool {
        true
    }

    fn plans_all(&self) -> bool {
        true
    }

    fn fill(&mut self, pass: &mut Pass<'_, '_, '_, '_>) {
        let kept = self.prepare(pass);
        // What could not begin sooner in the last pass cannot until something is moved.
        let mut settled = kept && pass.joined.is_some() && !self.moved;
        self.moved = false;
        let given = self.held.chunk_by(|a, b| a.work == b.work).count();
        let most = if self.plan.is_scalar() { usize::MAX } else { self.most };
        let (mut left, mut without) = (most.saturating_sub(given), 0);
        let (plan, mut held) = (&mut self.plan, self.held.as_slice());
        for &one in &self.queued {
            if pass.turn.is_halted() {
                return;
            }
            let mine;
            let count = held.iter().take_while(|held| held.work == one.work).count();
            (mine, held) = held.split_at(count);
            let length = length(one.estimate, self.slowest);
            let before = mine.iter().map(|held| (held.stay.start, held.stay.hold.tasks()));
            let stays = if stays(pass.turn, plan, one, length, mine, settled) {
                mine.iter().map(|held| held.stay.clone()).collect()
            } else if count == 0 && left == 0 {
                start_now(pass, plan, one, length, &mut self.failed);
                without += u64::from(pass.turn.work(one.work).waiting > 0);
                Stays::new()
            } else {
                if count > 0 {
                    self.failed.clear();
                }
                let stays = advance(pass, plan, one, length, mine);
                let after = stays.iter().map(|stay| (stay.start, stay.hold.tasks()));
                self.moved |= count > 0 && !before.eq(after);
                settled &= !self.moved;
                left -= usize::from(count == 0 && !stays.is_empty());
                left += usize::from(count > 0 && stays.is_empty());
                stays
            };
            if !stays.is_empty() {
                self.promised.insert(one.work, stays);
            }
        }
        pass.turn.count_unreserved(without);
    }

    fn promise(&self, work: WorkRef) -> Option<Time> {
        let start = self.promised.get(&work)?[0].start;
        is_known(start).then_some(start)
    }
}

impl Conservative {
    /// No more than `most` pieces of work are given a reservation, but in a scalar pool.
    pub fn new(most: u32) -> Self {
        Self { most: most as usize, ..Self::default() }
    }

    /// Lists who waits, and plans with what they were promised. Returns whether that can be kept.
    fn prepare(&mut self, pass: &mut Pass<'_, '_, '_, '_>) -> bool {
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
        let kept = self.keep_promises(pass);
        if !kept {
            self.held.clear();
            self.plan.restart(pass);
        }
        self.plan.index();
        self.promised.clear();
        self.failed.clear();
        kept
    }

    /// Makes a plan with every promise in it. Returns whether each can be kept.
    fn keep_promises(&mut self, pass: &mut Pass<'_, '_, '_, '_>) -> bool {
        self.held.clear();
        self.plan.restart(pass);
        let (turn, place) = (&*pass.turn, &mut *pass.place);
        for &one in &self.queued {
            if turn.is_halted() {
                break;
            }
            let (work, length) = (one.work, length(one.estimate, self.slowest));
            for stay in self.promised.get(&work).into_iter().flatten() {
                let start = stay.start.max(turn.now());
                let until = length.end(start, stay.until);
                let mut hold = Some(stay.hold.clone());
                if hold.as_ref().is_some_and(|hold| !self.plan.is_free(hold, start, until)) {
                    self.plan.admit(turn, place, work);
                    let tasks = hold.map_or(0, |hold| hold.tasks());
                    hold = self.plan.hold(turn, work, (tasks, tasks), start, until);
                }
                let Some(hold) = hold else { return false };
                self.plan.take(&hold, start, until);
                self.held.push(Held { work, stay: Stay { start, until, hold } });
            }
        }
        true
    }
}

/// Whether it is certain that what is reserved for the tasks of `one` stays as it is.
/// Where others are `settled`, nobody can begin sooner than at the last pass.
fn stays(
    turn: &Turn<'_, '_>,
    plan: &Plan,
    one: Queued,
    length: Length,
    mine: &[Held],
    settled: bool,
) -> bool {
    let now = turn.now();
    let tasks: u32 = mine.iter().map(|held| held.stay.hold.tasks()).sum();
    if tasks != one.tasks || mine.iter().any(|held| held.stay.start == now) {
        return false;
    }
    match mine {
        _ if settled && plan.is_scalar() => true,
        [held] => plan.is_earliest(one.together, length.span(), now, held.stay.start),
        _ => false,
    }
}

/// Gives back what is reserved for `one`, if anything, starts now what can start by the
/// plan, and reserves for the others, no later than before.
fn advance(
    pass: &mut Pass<'_, '_, '_, '_>,
    plan: &mut Plan,
    one: Queued,
    length: Length,
    mine: &[Held],
) -> Stays {
    let (live, mut stays) = (pass.turn.work(one.work), Stays::new());
    let (together, mut waiting) = (live.together(), live.waiting);
    plan.admit(pass.turn, pass.place, one.work);
    match length {
        Length::Known(_) => {
            for Held { stay, .. } in mine {
                plan.give(&stay.hold, stay.start, stay.until);
            }
        }
        // Each moves by itself, and ends no later: who comes behind it counts on that.
        Length::Unknown => {
            for Held { stay, .. } in mine {
                plan.give(&stay.hold, stay.start, stay.until);
                let tasks = stay.hold.tasks().min(waiting);
                waiting -= tasks;
                let tasks = (together.min(tasks), tasks);
                reserve(pass, plan, one.work, tasks, (length, Some(stay.until)), &mut stays);
            }
        }
    }
    reserve(pass, plan, one.work, (together, waiting), (length, None), &mut stays);
    stays.sort_by_key(|stay| stay.start);
    stays
}

/// Starts tasks now that can start by the plan, and reserves for the others of them. Where
/// it is not known when they will end, they leave all alone that is reserved already, but
/// for what comes after `until`.
fn reserve(
    pass: &mut Pass<'_, '_, '_, '_>,
    plan: &mut Plan,
    work: WorkRef,
    (together, mut left): (u32, u32),
    (length, until): (Length, Option<Time>),
    stays: &mut Stays,
) {
    let now = pass.turn.now();
    while left > 0 {
        let tasks = (together, left);
        let Some((start, mut hold)) = plan.earliest(pass.turn, work, tasks, length.span(), until)
        else {
            break;
        };
        let reserved = hold.tasks();
        left -= reserved;
        let free_until = length.free_until(start, until);
        let until = length.end(start, until.unwrap_or_else(|| plan.last()));
        if start == now {
            let begun = begin(pass, plan, work, &hold, free_until);
            if begun == reserved {
                continue;
            }
            let rest = (reserved - begun, reserved - begun);
            if begun > 0 {
                let Some(less) = plan.hold(pass.turn, work, rest, now, until) else {
                    continue;
                };
                hold = less;
            }
        }
        plan.take(&hold, start, until);
        stays.push(Stay { start, until, hold });
    }
}

/// Starts now what can start by the plan of work that is given no reservation.
fn start_now(
    pass: &mut Pass<'_, '_, '_, '_>,
    plan: &mut Plan,
    one: Queued,
    length: Length,
    failed: &mut Failed,
) {
    let (now, until) = (pass.turn.now(), pass.turn.now().saturating_add(length.span()));
    plan.admit(pass.turn, pass.place, one.work);
    loop {
        let live = pass.turn.work(one.work);
        let (demand, rules, tasks) = (live.ask.demand, live.ask.rules, live.together());
        let left = live.waiting;
        if left == 0 || failed.predicts(demand, rules, tasks, one.estimate) {
            return;
        }
        let Some(hold) = plan.hold(pass.turn, one.work, (tasks, left), now, until) else {
            failed.forbidden(demand, rules, tasks, one.estimate);
            return;
        };
        if begin(pass, plan, one.work, &hold, length.free_until(now, None)) < hold.tasks() {
            return;
        }
    }
}

/// How long work is planned to run.
#[derive(Clone, Copy, Debug)]
enum Length {
    Known(Span),
    /// Longer than all that is planned when it is reserved for.
    Unknown,
}

impl Length {
    /// As long as what it takes must be free.
    const fn span(self) -> Span {
        match self {
            Self::Known(length) => length,
            Self::Unknown => Span::MAX,
        }
    }

    /// Until when, beyond its own end, it must find free what it takes: where it was
    /// reserved `until` some time, until then.
    fn free_until(self, start: Time, until: Option<Time>) -> Time {
        match self {
            Self::Known(_) => start,
            Self::Unknown => until.unwrap_or(Time::MAX),
        }
    }

    /// When work that starts at `start` is planned to end. An end that is not known is no
    /// earlier than `last`, nor than that of the same work once it runs.
    fn end(self, start: Time, last: Time) -> Time {
        match self {
            Self::Known(length) => start.saturating_add(length),
            Self::Unknown => start.saturating_add(UNKNOWN_RUN).max(last),
        }
    }
}

fn length(estimate: Span, slowest: u32) -> Length {
    if estimate == Span::MAX {
        return Length::Unknown;
    }
    let run = i128::from(estimate.micros()) * 1_000_000 / i128::from(slowest);
    Length::Known(Span::from_micros(i64::try_from(run).unwrap_or(i64::MAX)))
}

/// Starts the tasks of `hold` now, where the place part likes it if that leaves every
/// reservation alone, until its end and at least until `until`, otherwise where the plan
/// has room for it. What they then hold is taken out of the plan. Returns how many have
/// started.
fn begin(
    pass: &mut Pass<'_, '_, '_, '_>,
    plan: &mut Plan,
    work: WorkRef,
    hold: &Hold,
    until: Time,
) -> u32 {
    let before = pass.turn.work(work).waiting;
    pass.start_if(work, hold.tasks(), |turn, made| book(plan, turn, made, until));
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
        book(plan, turn, &turn.work(work).allocations[before..], until).then_some(())
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
/// estimated ends and `until`; otherwise the plan stays as it is.
fn book(plan: &mut Plan, turn: &Turn<'_, '_>, made: &[AllocationRef], until: Time) -> bool {
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
        if !plan.is_free(hold, now, until.max(*end)) {
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
