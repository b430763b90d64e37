//! Conservative: whoever delays no reservation; everybody holds one (Mu'alem
//! and Feitelson, TPDS 2001).

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::availability::{AvailabilityProfile, ReservedResources};
use super::booking::{begin, join};
use super::length::{Length, length};
use super::{Backfill, BackfillPart, FOREVER, Failed, Pass, StartAttempt, is_known};
use crate::part::{Parameter, Part, Setting, SettingKind};
use crate::policy::queue::Queued;
use crate::policy::turn::Turn;
use crate::state::{Share, StartPromise, WorkRef};
use crate::units::Time;

const RESERVATIONS: Parameter = Parameter {
    name: "reservations",
    kind: SettingKind::Count(1, u32::MAX as u64),
    default: Setting::Count(1_000),
    doc: "Most jobs that hold one where instances differ or can be rented; the others start only \
          where they delay none. Where all work is alike everybody holds one.",
};

/// Whoever delays no reservation; every waiting job holds one.
pub static CONSERVATIVE: BackfillPart = Part {
    name: "conservative",
    doc: "Whoever delays no reservation; every waiting job holds one.",
    parameters: &[RESERVATIONS],
    make: |settings| {
        let most = settings.count(RESERVATIONS.name).unwrap_or(u64::MAX);
        Some(Box::new(Conservative::new(u32::try_from(most).unwrap_or(u32::MAX))))
    },
};

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
    /// Reservations by work.
    promised: FxHashMap<WorkRef, ReservedStays>,
    /// Waiting work, in queue order, with its planned run.
    queued: Vec<(Queued, Length)>,
    /// Reservations when a pass begins, in queue order.
    held: Vec<PriorReservation>,
    /// Rows of what is reserved but cannot be kept where it was.
    adrift: Vec<usize>,
    plan: AvailabilityProfile,
    /// A reservation was moved or used in the last pass, so that others may begin sooner.
    moved: bool,
    /// Most pieces of work that are given a reservation, but in a scalar pool.
    most: usize,
    /// Work without a reservation that cannot start now.
    failed: Failed,
    /// Work that cannot start now where others keep an instance for longer.
    unjoined: Failed,
}

/// Reservations of one piece of work, the earliest first.
type ReservedStays = SmallVec<[ReservedStay; 1]>;

/// A reservation: what is held, from when to when.
#[derive(Clone, Debug)]
struct ReservedStay {
    start: Time,
    until: Time,
    hold: ReservedResources,
}

/// The work that a reservation is for.
#[derive(Debug)]
struct PriorReservation {
    work: WorkRef,
    stay: ReservedStay,
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
        // Work that could not begin sooner in the last pass cannot until something is moved.
        let mut settled = kept && pass.joined.is_some() && !self.moved;
        self.moved = false;
        let given = self.held.chunk_by(|a, b| a.work == b.work).count();
        let most = if self.plan.is_scalar() { usize::MAX } else { self.most };
        let (mut left, mut without) = (most.saturating_sub(given), 0);
        let (plan, mut held) = (&mut self.plan, self.held.as_slice());
        for &(one, length) in &self.queued {
            if pass.turn.is_halted() {
                return;
            }
            let mine;
            let count = held.iter().take_while(|held| held.work == one.work).count();
            (mine, held) = held.split_at(count);
            let before = mine.iter().map(|held| (held.stay.start, held.stay.hold.tasks()));
            if stays(pass.turn, plan, one, length, mine, settled) {
                let stays = mine.iter().map(|held| held.stay.clone()).collect();
                self.promised.insert(one.work, stays);
                continue;
            }
            let stays = if count == 0 && left == 0 {
                start_joined(pass, plan, (one, length), &mut self.unjoined);
                start_now(pass, plan, (one, length), &mut self.failed);
                without += u64::from(pass.turn.work(one.work).waiting > 0);
                ReservedStays::new()
            } else {
                if count > 0 {
                    self.failed.clear();
                    self.unjoined.room_changed();
                }
                start_joined(pass, plan, (one, length), &mut self.unjoined);
                let stays = advance(pass, plan, one, length, mine);
                let after = stays.iter().map(|stay| (stay.start, stay.hold.tasks()));
                self.moved |= count > 0 && !before.eq(after);
                settled &= !self.moved;
                left -= usize::from(count == 0 && !stays.is_empty());
                left += usize::from(count > 0 && stays.is_empty());
                stays
            };
            publish(pass.turn, one.work, &stays);
            if !stays.is_empty() {
                self.promised.insert(one.work, stays);
            }
        }
        pass.turn.planned();
        pass.turn.count_unreserved(without);
    }

    fn spares(&mut self, turn: &Turn<'_, '_>, work: WorkRef, shares: &[Share]) -> bool {
        let own = self.promised.get(&work).into_iter().flatten();
        own.clone().for_each(|stay| self.plan.give(&stay.hold, stay.start, stay.until));
        let live = turn.work(work);
        let ends = live.allocations.iter().map(|&one| turn.allocation(one).estimated_end);
        let until = ends.max().unwrap_or(FOREVER);
        let hold = self.plan.hold_of_shares(live.ask.demand, shares);
        let free = self.plan.is_free(&hold, turn.now(), until);
        own.for_each(|stay| self.plan.take(&stay.hold, stay.start, stay.until));
        free
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
        self.queued.clear();
        let queued = &mut self.queued;
        let turn = &*pass.turn;
        pass.queue.visit(turn, None, &mut |one| {
            queued.push((one, length(turn, one)));
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
        self.unjoined.clear();
        kept
    }

    /// Makes a plan with every promise in it. Returns whether each can be kept.
    fn keep_promises(&mut self, pass: &mut Pass<'_, '_, '_, '_>) -> bool {
        self.held.clear();
        self.plan.restart(pass);
        let (turn, place) = (&*pass.turn, &mut *pass.place);
        for &(Queued { work, tasks, .. }, length) in &self.queued {
            for ReservedStay { start, until, hold } in
                self.promised.remove(&work).into_iter().flatten()
            {
                // A gang that is planned with another number of its tasks since has left the queue.
                if turn.gang_tasks(work) > 0 && hold.tasks() != tasks {
                    continue;
                }
                let start = start.max(turn.now());
                let stay = ReservedStay { start, until: length.end(start, until), hold };
                self.held.push(PriorReservation { work, stay });
            }
        }
        self.adrift.clear();
        for (row, PriorReservation { stay, .. }) in self.held.iter().enumerate() {
            if self.plan.is_free(&stay.hold, stay.start, stay.until) {
                self.plan.take(&stay.hold, stay.start, stay.until);
            } else {
                self.adrift.push(row);
            }
        }
        // Counted tasks all find instances in the order of their starts, for nothing that has
        // been taken begins later; in another order some may not.
        let held = &mut self.held;
        self.adrift.sort_by_key(|&row| held[row].stay.start);
        for &row in &self.adrift {
            if turn.is_halted() {
                break;
            }
            let PriorReservation { work, stay } = &mut held[row];
            let tasks = stay.hold.tasks();
            self.plan.admit(turn, place, *work);
            let hold = self.plan.hold(turn, *work, (tasks, tasks), stay.start, stay.until);
            let Some(hold) = hold else { return false };
            self.plan.take(&hold, stay.start, stay.until);
            stay.hold = hold;
        }
        true
    }
}

/// Promises the next waiting tasks of `work` what is reserved for them.
fn publish(turn: &mut Turn<'_, '_>, work: WorkRef, stays: &ReservedStays) {
    if turn.work(work).waiting > 0 {
        let start = stays.first().map(|stay| stay.start).filter(|&start| is_known(start));
        turn.promise(work, StartPromise::by(start));
    }
}

/// Whether the reservations `mine` of the tasks of `one` certainly stay as they are. Nobody can
/// begin sooner than at the last pass if others are `settled`.
fn stays(
    turn: &Turn<'_, '_>,
    plan: &AvailabilityProfile,
    one: Queued,
    length: Length,
    mine: &[PriorReservation],
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

/// Gives back what is reserved for `one`, if anything, reservation after reservation, starts
/// now what can start by the plan, and reserves for the others, no later than before.
fn advance(
    pass: &mut Pass<'_, '_, '_, '_>,
    plan: &mut AvailabilityProfile,
    one: Queued,
    length: Length,
    mine: &[PriorReservation],
) -> ReservedStays {
    let mut stays = ReservedStays::new();
    let live = pass.turn.work(one.work);
    let (together, mut waiting) = (live.together(), live.waiting);
    plan.admit(pass.turn, pass.place, one.work);
    // Reservations move one by one, as that of a job of one task would.
    for PriorReservation { stay, .. } in mine {
        plan.give(&stay.hold, stay.start, stay.until);
        let tasks = stay.hold.tasks().min(waiting);
        waiting -= tasks;
        let (tasks, until) = ((together.min(tasks), tasks), length.latest(stay.until));
        reserve(pass, plan, one.work, tasks, (length, until), &mut stays);
        waiting = waiting.min(unreserved(pass.turn, one.work, &stays));
    }
    reserve(pass, plan, one.work, (together, waiting), (length, None), &mut stays);
    stays.sort_by_key(|stay| stay.start);
    stays
}

/// Starts tasks now that can start by the plan, and reserves for the others of them. If it is not
/// known when they will end, they leave all alone that is reserved already, but for what comes
/// after `until`.
fn reserve(
    pass: &mut Pass<'_, '_, '_, '_>,
    plan: &mut AvailabilityProfile,
    work: WorkRef,
    (together, mut left): (u32, u32),
    (length, until): (Length, Option<Time>),
    stays: &mut ReservedStays,
) {
    let now = pass.turn.now();
    while left > 0 {
        let tasks = (together, left);
        let Some((start, hold)) = plan.earliest(pass.turn, work, tasks, length.span(), until)
        else {
            break;
        };
        if start == now {
            let begun = begin(pass, plan, work, &hold, length.free_until(start, until));
            left = left.saturating_sub(begun).min(unreserved(pass.turn, work, stays));
            if begun > 0 {
                continue;
            }
        }
        left -= hold.tasks();
        let until = length.end(start, until.unwrap_or_else(|| plan.last()));
        plan.take(&hold, start, until);
        stays.push(ReservedStay { start, until, hold });
    }
}

/// Waiting tasks of `work` that hold none of these reservations.
fn unreserved(turn: &Turn<'_, '_>, work: WorkRef, stays: &ReservedStays) -> u32 {
    let reserved: u32 = stays.iter().map(|stay| stay.hold.tasks()).sum();
    turn.work(work).waiting.saturating_sub(reserved)
}

/// Starts tasks of `one` now where others keep an instance for longer than they run.
fn start_joined(
    pass: &mut Pass<'_, '_, '_, '_>,
    plan: &mut AvailabilityProfile,
    (one, length): (Queued, Length),
    failed: &mut Failed,
) {
    let work = one.work;
    if !pass.place.joins(pass.turn, work) || failed.predicts(pass.turn, pass.place, work) {
        return;
    }
    let until = length.free_until(pass.turn.now(), None);
    match join(pass, plan, (work, one.tasks), until) {
        StartAttempt::Yes => failed.room_changed(),
        StartAttempt::NoRoom => failed.unfit(pass.turn, pass.place, work),
        StartAttempt::Forbidden { owned } => {
            failed.forbidden(pass.turn, pass.place, (work, owned));
        }
    }
}

/// Starts now what can start by the plan of work that is given no reservation.
fn start_now(
    pass: &mut Pass<'_, '_, '_, '_>,
    plan: &mut AvailabilityProfile,
    (one, length): (Queued, Length),
    failed: &mut Failed,
) {
    let (now, until) = (pass.turn.now(), pass.turn.now().saturating_add(length.span()));
    plan.admit(pass.turn, pass.place, one.work);
    loop {
        let live = pass.turn.work(one.work);
        let (tasks, left) = (live.together(), live.waiting);
        if left == 0 || failed.predicts(pass.turn, pass.place, one.work) {
            return;
        }
        let Some(hold) = plan.hold(pass.turn, one.work, (tasks, left), now, until) else {
            failed.forbidden(pass.turn, pass.place, (one.work, true));
            return;
        };
        if begin(pass, plan, one.work, &hold, length.free_until(now, None)) < hold.tasks() {
            return;
        }
    }
}
