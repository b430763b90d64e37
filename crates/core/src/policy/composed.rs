//! The composed policy: one part per question, asked in a fixed order.

mod explain;
pub mod fits;
mod kept;
mod leaving;
mod retries;
mod shrink;
mod timetable;

use rustc_hash::FxHashSet;

use super::backfill::{Backfill, Pass};
use super::checkpoint::CheckpointRule;
use super::external::{self, Launcher};
use super::place::{self, Place};
use super::preempt::Preempt;
use super::provision::{CappedProvision, Provision, Provisioned};
use super::queue::Queue;
use super::recover;
use super::release::Release;
use super::spec::{PolicyPart, PolicySpec};
use super::start::{Rent, WorkStarter};
use super::turn::{Trigger, Turn};
use super::{Policy, preempt};
use crate::model::{Offer, Rules, Tenant, World};
use crate::state::{
    AllocationRef, CheckpointPlan, Needs, Record, RefusalReason, Share, State, WaitReason, Why,
    WorkRef,
};
use crate::units::{Demand, Id, Span, Time};

use super::due::{Alarm, Due};
use fits::Feasibility;
use kept::KeptWork;
use leaving::Leavers;
use retries::{AfterLoss, Retries};
use timetable::Timetable;

/// Work that is alike to a provision part: demand, rules, tasks that stay together, and the tenant where
/// that pays.
type AlikeWork = (Demand, Id<Rules>, u32, Option<Id<Tenant>>);

/// Policy composed of one part per question. At each decision: held work whose time has come joins, the
/// provision part reacts, late work is turned away, the queue is served in order, others may overtake a head that does not fit, what
/// is beyond the queue's limit is turned away, the provision part reviews, idle instances go back.
///
/// An arrival that finds nobody waiting is placed without entering the queue.
#[derive(Debug)]
pub struct Composed {
    fits: Feasibility,
    queue_limit: Option<u32>,
    patience: Option<Due<WorkRef>>,
    overflow: Option<Due<WorkRef>>,
    /// Work that has waited long enough to overflow, and for which nothing could
    /// be rented when that was last tried.
    overdue: Vec<WorkRef>,
    /// Work like this was not rented for when that was last tried.
    unrentable: FxHashSet<AlikeWork>,
    /// Instances were given back or work was preempted since that was tried.
    acted: bool,
    queue: Queue,
    place: Box<dyn Place>,
    /// The place part may place a part of a gang. One in another process answers for all of it.
    joins: bool,
    backfill: Option<Box<dyn Backfill>>,
    provision: Box<dyn Provision>,
    preempt: Option<Box<dyn Preempt>>,
    release: Option<Box<dyn Release>>,
    checkpoint: Option<Box<dyn CheckpointRule>>,
    shift: Option<Timetable>,
    recover: Option<Retries>,
    /// Work that waits for instances that were stopped with its tasks.
    kept: KeptWork,
    leavers: Option<Leavers>,
    /// Gangs that lost their place start again with fewer tasks.
    shrinks: bool,
    /// Work that is tried again at this decision.
    retried: Vec<WorkRef>,
    outside: ExternalParts,
    /// Work that arrived at this decision and joined the queue.
    joined: Vec<WorkRef>,
    /// Work that was served first and did not fit, since when no room has come.
    blocked: Option<(WorkRef, WaitReason)>,
    /// Times that actions had made room for others when that was found.
    room_made: u64,
    /// The backfill part knows all but what has joined since.
    informed: bool,
    /// Time of the last decision that placed something, if that may yield by now.
    placed: Option<Time>,
    yielded: Vec<WorkRef>,
    later: Alarm,
}

/// Parts that other processes decide instead, and all their sessions: those of
/// the place, backfill and provision parts as well.
#[derive(Debug, Default)]
struct ExternalParts {
    sessions: Vec<external::SharedSession>,
    preempt: Option<external::ExternalPreempt>,
    admit: Option<external::ExternalAdmit>,
    order: Option<external::ExternalOrder>,
}

impl Composed {
    /// The parts that `spec` names; `launcher` starts those that other
    /// processes decide.
    pub fn new(spec: &PolicySpec, launcher: &dyn Launcher) -> Self {
        let mut outside = ExternalParts::default();
        let mut start = |part: PolicyPart| {
            let who = spec.external.get(&part)?;
            let session = external::Session::start(who, part, &spec.name, launcher);
            outside.sessions.push(session.clone());
            Some(session)
        };
        let [preempt, admit, order, place, backfill, provision, release] =
            PolicyPart::OUTSIDE.map(&mut start);
        let preempts = preempt.is_some();
        outside.preempt = preempt.map(external::ExternalPreempt::new);
        outside.admit = admit.map(external::ExternalAdmit::new);
        outside.order = order.map(external::ExternalOrder::new);
        let backfill: Option<Box<dyn Backfill>> = match backfill {
            None => spec.backfill.build(),
            Some(session) => Some(Box::new(external::ExternalBackfill::new(session))),
        };
        let provision: Box<dyn Provision> = match provision {
            None => spec.provision.build(),
            Some(session) => Box::new(external::ExternalProvision::new(session)),
        };
        let provision: Box<dyn Provision> = match spec.cap.build() {
            None => provision,
            Some(cap) => Box::new(CappedProvision::new(provision, cap)),
        };
        let release: Option<Box<dyn Release>> = match release {
            None if provision.keeps_all() => None,
            None => spec.release.build(),
            Some(session) => Some(Box::new(external::ExternalRelease::new(session))),
        };
        let for_all = backfill.as_ref().is_some_and(|part| part.rents_for_all());
        let overflow =
            provision.overflow_after().filter(|&after| after > Span::ZERO || for_all).map(Due::new);
        Self {
            fits: Feasibility::new(provision.reach(), spec.placed()),
            queue_limit: spec.admit.queue_limit,
            patience: spec.admit.patience.map(Due::new),
            overflow,
            overdue: Vec::new(),
            unrentable: FxHashSet::default(),
            acted: false,
            queue: match outside.order {
                None => Queue::new(spec.order.build()),
                Some(_) => Queue::by_score(),
            },
            joins: place.is_none(),
            place: match place {
                None => place::build(spec),
                Some(session) => {
                    place::narrowed(Box::new(external::ExternalPlace::new(session)), spec)
                }
            },
            backfill,
            provision,
            preempt: if preempts { None } else { spec.preempt.build() },
            release,
            checkpoint: spec.checkpoint.build(),
            shift: spec.shift.build().map(Timetable::new),
            shrinks: spec.recover.build().is_some_and(|rule| rule.shrink),
            leavers: spec.recover.build().as_ref().and_then(Leavers::new),
            recover: spec.recover.build().map(Retries::new),
            kept: KeptWork::new(
                spec.recover.build().map_or(recover::STOPPED_FOR_DEFAULT, |rule| rule.stopped_for),
            ),
            retried: Vec::new(),
            outside,
            joined: Vec::new(),
            blocked: None,
            room_made: 0,
            informed: false,
            placed: None,
            yielded: Vec::new(),
            later: Alarm::default(),
        }
    }
}

impl Policy for Composed {
    fn needs(&self) -> Needs {
        let backfill = self.backfill.as_ref().is_some_and(|part| part.needs_ends());
        let follows = !self.outside.sessions.is_empty();
        let (ends, apart) = (backfill || self.preempt.is_some(), self.preempts());
        let tenants = self.release.as_ref().is_some_and(|part| part.needs_tenants())
            || self.provision.needs_tenants();
        Needs { ends, follows, apart, tenants, ..self.place.needs() }
    }

    fn uses(&mut self, world: &World, offer: Id<Offer>) -> bool {
        self.fits.has_any(world, offer)
    }

    fn queue(&self) -> Option<&Queue> {
        Some(&self.queue)
    }

    fn is_built_in(&self) -> bool {
        self.outside.sessions.is_empty()
    }

    fn checkpoints(&mut self, state: &State<'_>, allocation: AllocationRef) -> CheckpointPlan {
        let Some(rule) = &self.checkpoint else { return CheckpointPlan::default() };
        CheckpointPlan { every: rule.every(state, allocation), on_notice: rule.on_notice() }
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        for session in &self.outside.sessions {
            session.borrow_mut().record(state, record);
        }
        if let Record::Finished(work) | Record::Refused { work, .. } = *record {
            self.queue.forget(work);
        }
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        if self.has_nothing_to_serve(triggers, turn) {
            self.react(triggers, turn);
            self.blocked = None;
            self.provision.review(turn);
            self.release(turn);
        } else {
            self.decide_all(triggers, turn);
        }
    }
}

impl Composed {
    /// Whether tasks are done while nobody waits, so that of all parts only those of provision and
    /// release may have to act. Half of all decisions of a system that keeps up are so.
    #[inline(always)]
    fn has_nothing_to_serve(&self, triggers: &[Trigger], turn: &Turn<'_, '_>) -> bool {
        matches!(triggers, [Trigger::Freed(_)])
            && self.queue.is_empty()
            && self.shift.is_none()
            && self.recover.is_none()
            && self.kept.is_empty()
            && self.preempt.is_none()
            && self.outside.sessions.is_empty()
            && !turn.explaining()
    }

    #[inline(never)]
    fn decide_all(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        for session in &self.outside.sessions {
            session.borrow_mut().begin(triggers, turn);
        }
        let placed = self.placed.take();
        let changed = self.take_in(triggers, turn);
        if let Some(leavers) = &mut self.leavers {
            leavers.decide(triggers, turn, &mut *self.place, &mut *self.provision);
        }
        let room_made = turn.room_made();
        self.react(triggers, turn);
        if changed || placed.is_some() || turn.room_made() != room_made {
            self.blocked = None;
        }
        if !self.queue.is_empty() || !self.joined.is_empty() {
            self.serve_all(turn);
        }
        self.placed = placed.filter(|&placed| placed == turn.now());
        if self.preempts() && turn.new_allocations().next().is_some() {
            self.placed = Some(turn.now());
            if let Some(head) = self.queue.head()
                && self.is_to_ask_again(turn, head)
            {
                turn.ask_again();
            }
        }
        let room_made = turn.room_made();
        self.provision.review(turn);
        if turn.room_made() != room_made && !self.queue.is_empty() {
            turn.ask_again();
        }
        self.release(turn);
        if turn.explaining() {
            self.explain(turn);
        }
    }

    /// Lets the provision part act on what has happened. Work that it carries and has placed waits no
    /// more.
    fn react(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        self.provision.react(triggers, turn);
        if self.queue.aside() > 0 {
            for allocation in turn.new_allocations() {
                self.queue.drop_aside(turn.allocation(allocation).work());
            }
        }
    }

    /// Gives back what is not needed.
    fn release(&mut self, turn: &mut Turn<'_, '_>) {
        if let Some(release) = &mut self.release {
            release.decide(turn, &mut *self.provision, &mut *self.place);
        }
    }

    /// Takes in what happened; arrivals that can run some day are to be
    /// served. Returns whether room may have come.
    fn take_in(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) -> bool {
        let mut changed = false;
        self.joined.clear();
        if let Some(shift) = &mut self.shift
            && shift.keep_time(turn, &mut self.queue, &mut self.joined)
        {
            (self.blocked, self.informed) = (None, false);
            changed = true;
        }
        changed |= self.try_again(turn);
        for &trigger in triggers {
            if let Trigger::Arrived(work) = trigger {
                self.arrived(turn, work);
            } else {
                self.hear(turn, trigger);
                changed = true;
            }
        }
        if let Some(admit) = &mut self.outside.admit {
            admit.filter(turn, &mut self.joined, self.queue.len());
        }
        if let Some(order) = &mut self.outside.order {
            order.score(turn, &self.joined, &mut self.queue);
        }
        changed
    }

    /// Takes in work that arrives; it is to be served unless it can never run, is carried or is held.
    #[inline(always)]
    fn arrived(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        if !self.fits.ever(turn, work) {
            refuse(turn, work, RefusalReason::NeverFits);
        } else if self.provision.carries(turn, work) {
            self.queue.set_aside(work);
        } else if !self.is_held(turn, work) {
            self.joined.push(work);
        }
    }

    /// Takes in what happened but for arrivals.
    fn hear(&mut self, turn: &mut Turn<'_, '_>, trigger: Trigger) {
        match trigger {
            Trigger::Eligible(work, why) => {
                if turn.is_alive(work) && turn.pending(work).is_some() {
                    self.recover(turn, work, why);
                }
            }
            Trigger::Resumed(work) => self.resumed(turn, work),
            Trigger::Cancelled(work) => {
                self.queue.remove(work);
                self.queue.drop_aside(work);
                self.kept.forget(work);
                self.queue.forget(work);
                if let Some(recover) = &mut self.recover {
                    recover.forget(work);
                }
                self.blocked = None;
            }
            Trigger::Begins => {
                if let Some(shift) = &mut self.shift {
                    shift.begin(turn);
                }
                self.provision.begin(turn);
            }
            Trigger::Acted => self.acted = true,
            Trigger::Freed(work) => {
                if let Some(recover) = &mut self.recover
                    && !turn.is_alive(work)
                {
                    recover.forget(work);
                }
                // Spread over zones, tasks that are done leave room for others of the same work.
                self.acted |= turn.is_alive(work) && self.queue.contains(work);
            }
            Trigger::Timer => self.acted |= self.provision.may_rent_more(turn),
            Trigger::Arrived(_)
            | Trigger::Ready(_)
            | Trigger::Idle(_)
            | Trigger::Draining(_)
            | Trigger::AtRisk(_)
            | Trigger::Lost(_)
            | Trigger::PricesChanged => {}
        }
    }

    /// Holds work that arrives, if it is to start later.
    fn is_held(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) -> bool {
        let Some(shift) = &mut self.shift else { return false };
        shift.hold(turn, &mut self.queue, work)
    }

    /// Serves those who wait, and arrivals.
    fn serve_all(&mut self, turn: &mut Turn<'_, '_>) {
        if !self.queue.is_empty() {
            self.turn_late_work_away(turn);
        }
        self.serve_arrivals(turn);
        while !self.queue.is_empty() {
            self.serve(turn);
            self.overflow(turn);
            self.turn_late_work_away(turn);
            // Work that started, overflowed or left may have made room for others.
            if self.blocked.is_some() && self.room_made == turn.room_made() {
                break;
            }
            self.blocked = None;
        }
        self.keep_to_the_limit(turn);
    }

    /// Serves arrivals while nobody waits; the others join the queue.
    fn serve_arrivals(&mut self, turn: &mut Turn<'_, '_>) {
        if self.joined.len() > 1 {
            self.joined.sort_by_cached_key(|&work| self.queue.key(turn, work));
        }
        let mut served = 0;
        while self.queue.is_empty() && served < self.joined.len() {
            let work = self.joined[served];
            match self.start(turn, work, false) {
                None => served += 1,
                reason => {
                    self.blocked = reason.map(|reason| (work, reason));
                    self.room_made = turn.room_made();
                    self.informed = false;
                    self.queue.push(turn, work);
                }
            }
        }
        self.joined.drain(..served);
        for &work in &self.joined {
            self.queue.push(turn, work);
            // Time in which work was held is none of its patience.
            if let Some(patience) = &mut self.patience {
                patience.push(turn.now(), work);
            }
            if let Some(overflow) = &mut self.overflow {
                overflow.push(turn.waits_since(work), work);
            }
        }
    }

    /// Serves the queue in order until somebody does not fit; then others may overtake. If
    /// everybody holds a reservation, whoever can start by the plan starts before anything is
    /// rented or taken for the first.
    fn serve(&mut self, turn: &mut Turn<'_, '_>) {
        self.queue.rescore(turn);
        let plans = self.backfill.as_ref().is_some_and(|part| part.plans_all());
        let mut joined_only = self.blocked.is_some() && self.informed;
        let (mut filled, mut room_made) = (false, turn.room_made());
        while let Some(head) = self.queue.head() {
            if self.blocked.is_some_and(|(work, _)| work == head) {
                break;
            }
            joined_only = false;
            let planned = plans && self.queue.len() > 1;
            if planned && !filled {
                room_made = turn.room_made();
                self.fill(turn, false);
                filled = true;
                continue;
            }
            let waiting = turn.work(head).waiting;
            let Some(reason) = self.start(turn, head, planned) else {
                self.queue.remove(head);
                if let Some(backfill) = &mut self.backfill {
                    backfill.precede(turn, head);
                }
                // Instances that were rented for it may hold whoever did not fit before.
                self.blocked = None;
                filled = false;
                continue;
            };
            self.blocked = Some((head, reason));
            // Since the first of those was tried who wait.
            self.room_made = if filled { room_made } else { turn.room_made() };
            filled &= turn.work(head).waiting == waiting;
        }
        // Work that waits alone has a reservation too, which whoever comes must keep.
        self.informed = self.queue.len() > usize::from(!plans);
        if self.informed && !filled {
            self.fill(turn, joined_only);
        }
    }

    /// Lets others overtake the first; `joined_only`: nothing but work that joined is
    /// new to the part.
    fn fill(&mut self, turn: &mut Turn<'_, '_>, joined_only: bool) {
        let Some(backfill) = &mut self.backfill else { return };
        let (place, provision) = (&mut *self.place, &mut *self.provision);
        let joined = joined_only.then_some(&*self.joined);
        let queue = &mut self.queue;
        backfill.fill(&mut Pass { turn, place, provision, queue, joined });
    }

    /// Lets `work` overtake on instances that were rented since others were let.
    fn retry(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        let Some(backfill) = &mut self.backfill else { return };
        let (place, provision) = (&mut *self.place, &mut *self.provision);
        let (queue, joined) = (&mut self.queue, Some(&[work][..]));
        backfill.retry(&mut Pass { turn, place, provision, queue, joined });
    }

    /// Places all waiting tasks of `work`, on instances that are there, rented
    /// for it, or taken from others; or says why it waits on. Work that is `planned`
    /// has not been let start on those that are there.
    fn start(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        planned: bool,
    ) -> Option<WaitReason> {
        let waiting = turn.work(work).waiting;
        let mut starter = WorkStarter { place: &mut *self.place, provision: &mut *self.provision };
        let all = |place: &mut dyn Place, turn: &mut Turn<'_, '_>| {
            !planned && place::place_all(place, turn, work)
        };
        let reason = match starter.start(turn, work, Rent::Wherever, all) {
            Ok(()) | Err(Provisioned::Rented) => return None,
            Err(Provisioned::Later(at)) => {
                self.later.set(turn, at);
                WaitReason::OverflowLater
            }
            Err(Provisioned::None(reason)) => reason,
        };
        let is_lacking = matches!(reason, WaitReason::NothingToRent | WaitReason::OverBudget);
        if self.joins && is_lacking && self.complete(turn, work, planned) {
            return None;
        }
        if self.shrinks && self.start_smaller(turn, work, planned) {
            return None;
        }
        self.make_room(turn, work);
        if turn.work(work).waiting == 0 {
            return None;
        }
        // The work is smaller now, as some of its tasks were placed.
        if turn.work(work).waiting != waiting && self.queue.contains(work) {
            self.queue.push(turn, work);
        }
        Some(reason)
    }

    /// Places a gang partly on what is there and rents the rest; where it is `planned`, only
    /// if that leaves the reservations of others alone.
    fn complete(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, planned: bool) -> bool {
        let mut backfill = self.backfill.as_mut().filter(|_| planned);
        let mut allowed = |turn: &Turn<'_, '_>, shares: &[Share]| {
            backfill.as_mut().is_none_or(|part| part.spares(turn, work, shares))
        };
        self.provision.complete(turn, work, &mut *self.place, &mut allowed)
    }

    /// Whether something placed in this turn could be made to yield to `head`, which waits on.
    fn is_to_ask_again(&self, turn: &Turn<'_, '_>, head: WorkRef) -> bool {
        match &self.preempt {
            Some(kind) => preempt::is_to_ask_again(&**kind, turn, head),
            // Only a part in another process knows what would yield.
            None => self.outside.preempt.is_some(),
        }
    }

    /// Whether running work may have to yield.
    fn preempts(&self) -> bool {
        self.preempt.is_some() || self.outside.preempt.is_some()
    }

    /// Places tasks of `work` where others yield, if they do; those wait again.
    fn make_room(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        let (place, yielded) = (&mut *self.place, &mut self.yielded);
        match (&mut self.outside.preempt, &self.preempt) {
            (Some(outside), _) => outside.make_room(place, turn, work, yielded),
            (None, None) => return,
            (None, Some(kind)) => preempt::make_room(&**kind, place, turn, work, yielded),
        }
        for at in 0..self.yielded.len() {
            self.take_back(turn, self.yielded[at]);
        }
    }

    /// Work that came back is served, waits, or is given up, as the recover part says of what its
    /// provider or a failure took.
    fn recover(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, why: Why) {
        let is_lost = match why {
            Why::Interrupted | Why::Failed => true,
            Why::Arrived | Why::Preempted | Why::Migrated => false,
        };
        let carried = self.provision.carries(turn, work);
        if is_lost && !carried && self.kept.holds(turn, &mut self.queue, work) {
            return;
        }
        match is_lost && !carried {
            true => self.lost(turn, work),
            false => self.take_back(turn, work),
        }
    }

    /// Work that lost its place, and does not wait for a stopped instance, is served, waits, or is given
    /// up.
    fn lost(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        let after = match &mut self.recover {
            Some(recover) => recover.lost(turn, &mut self.fits, &mut self.queue, work),
            None => AfterLoss::Served,
        };
        match after {
            AfterLoss::Served => self.take_back(turn, work),
            AfterLoss::Held | AfterLoss::GivenUp => {}
        }
    }

    /// Serves work again whose time has come. Returns whether anything changed.
    fn try_again(&mut self, turn: &mut Turn<'_, '_>) -> bool {
        if self.recover.is_none() && self.kept.is_empty() {
            return false;
        }
        let mut retried = std::mem::take(&mut self.retried);
        self.kept.keep_time(turn, &mut self.queue, &mut retried);
        let mut any = !retried.is_empty();
        for work in retried.drain(..) {
            self.lost(turn, work);
        }
        if let Some(recover) = &mut self.recover {
            any |= recover.keep_time(turn, &mut self.queue, &mut retried);
        }
        for work in retried.drain(..) {
            if turn.pending(work).is_some() {
                self.take_back(turn, work);
                if let Some(overflow) = &mut self.overflow {
                    overflow.push(turn.waits_since(work), work);
                }
            }
        }
        self.retried = retried;
        if any {
            // What nothing could be rented for may have more to choose from.
            (self.blocked, self.informed, self.acted) = (None, false, true);
        }
        any
    }

    /// Tasks of work go on where they were stopped. Others that another stopped instance keeps wait on,
    /// and what else waits is served.
    fn resumed(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        (self.blocked, self.informed) = (None, false);
        let waits = turn.is_alive(work) && turn.pending(work).is_some();
        if waits && self.queue.is_aside(work) && turn.is_kept(work) {
            return;
        }
        self.kept.forget(work);
        self.queue.remove(work);
        self.queue.drop_aside(work);
        if waits {
            self.take_back(turn, work);
        }
    }

    /// Work whose tasks wait again joins the queue, or takes its place there anew.
    fn take_back(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        if self.provision.carries(turn, work) {
            self.queue.set_aside(work);
            return;
        }
        // Paused by the shift part, which holds it.
        if self.queue.is_aside(work) {
            return;
        }
        let joins = !self.queue.contains(work);
        if joins
            && let Some(shift) = &mut self.shift
            && shift.hold_again(turn, &mut self.queue, work)
        {
            return;
        }
        self.queue.push(turn, work);
        let since = turn.waits_since(work);
        if let Some(overflow) = &mut self.overflow
            && joins
            && since == turn.now()
        {
            overflow.push(since, work);
        }
    }

    /// Rents for work that has waited long enough, wherever it stands in the queue. Under
    /// greedy backfilling all has, as nobody there is kept from anything by the first.
    fn overflow(&mut self, turn: &mut Turn<'_, '_>) {
        let Some(overflow) = &mut self.overflow else { return };
        // Work for which nothing could be rented before gets something now only if something
        // went.
        let mut kept = if std::mem::take(&mut self.acted) { 0 } else { self.overdue.len() };
        let mut next = kept;
        let queue = &self.queue;
        let waits = |turn: &Turn<'_, '_>, since, work| {
            queue.contains(work) && turn.waits_since(work) == since
        };
        while let Some(work) = overflow.next(turn, waits) {
            self.overdue.push(work);
        }
        self.unrentable.clear();
        let before = turn.room_made();
        while next < self.overdue.len() {
            let work = self.overdue[next];
            next += 1;
            // Overdue work may have started meanwhile, and may wait anew.
            if turn.room_made() != before && self.queue.contains(work) {
                self.retry(turn, work);
            }
            let due = |due: &Due<_>| due.due(turn.waits_since(work)) > turn.now();
            if !self.queue.contains(work) || self.overflow.as_ref().is_some_and(due) {
                continue;
            }
            let live = turn.work(work);
            let payer = turn.caps_tenants().then_some(live.ask.tenant);
            let (waiting, alike) =
                (live.waiting, (live.ask.demand, live.ask.rules, live.together(), payer));
            let unrentable = live.placed == 0 && self.unrentable.contains(&alike);
            if !unrentable && self.provision.supply(turn, work) == Provisioned::Rented {
                self.queue.remove(work);
                self.blocked = None;
            } else {
                if turn.work(work).waiting != waiting {
                    self.queue.push(turn, work);
                }
                if turn.work(work).placed == 0 {
                    self.unrentable.insert(alike);
                }
                self.overdue[kept] = work;
                kept += 1;
            }
        }
        self.overdue.truncate(kept);
        // Those that were served in their turn are not waited for here.
        if self.overdue.len() > 2 * self.queue.len() + 64 {
            self.overdue.retain(|&work| self.queue.contains(work));
        }
    }

    /// Turns away what has waited longer than the policy's patience and was never placed.
    fn turn_late_work_away(&mut self, turn: &mut Turn<'_, '_>) {
        let Some(patience) = &mut self.patience else { return };
        let queue = &mut self.queue;
        while let Some(work) =
            patience.next(turn, |turn, _, work| queue.contains(work) && is_untouched(turn, work))
        {
            refuse(turn, work, RefusalReason::Patience);
            queue.remove(work);
            self.blocked = None;
        }
    }

    /// Turns away arrivals, the latest first, while more wait than may.
    fn keep_to_the_limit(&mut self, turn: &mut Turn<'_, '_>) {
        let Some(limit) = self.queue_limit else { return };
        if self.queue.len() <= limit as usize {
            return;
        }
        self.joined.sort_by_key(|&work| turn.work(work).tie());
        while self.queue.len() > limit as usize
            && let Some(work) = self.joined.pop()
        {
            if self.queue.contains(work) && is_untouched(turn, work) {
                refuse(turn, work, RefusalReason::QueueFull);
                self.queue.remove(work);
                self.blocked = None;
            }
        }
    }
}

/// Whether no task was ever placed.
fn is_untouched(turn: &Turn<'_, '_>, work: WorkRef) -> bool {
    let live = turn.work(work);
    let waits = turn.pending(work).is_some_and(|wait| wait.why == Why::Arrived);
    waits && live.placed == 0 && live.done == 0
}

fn refuse(turn: &mut Turn<'_, '_>, work: WorkRef, reason: RefusalReason) {
    turn.refuse(work, reason).expect("waiting work is alive");
}
