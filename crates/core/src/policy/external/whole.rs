//! A whole policy in another process.

use std::collections::{BTreeMap, BTreeSet};

use super::message::{self, Action, Question};
use super::place::share;
use super::session::{Session, SharedSession};
use super::{Launcher, outbox};
use crate::model::{Manner, Offer};
use crate::policy::Policy;
use crate::policy::spec::{External, PolicyPart};
use crate::policy::turn::{Trigger, Turn};
use crate::state::{
    InstanceRef, LaunchRefusal, Needs, Record, Refusal, RefusalReason, State, WorkRef,
};
use crate::units::{Id, Time};

/// Answers at one moment that asked for a refused launch, after which the run stops.
const MOST_REFUSED: u32 = 1_000;

/// A whole policy in another process: asked once per decision, and again at
/// once where a launch of its answer was refused.
#[derive(Debug)]
pub struct ExternalPolicy {
    session: SharedSession,
}

impl ExternalPolicy {
    /// Starts `who` as the policy called `name`.
    pub fn new(who: &External, name: &str, launcher: &dyn Launcher) -> Self {
        Self { session: Session::start(who, PolicyPart::Whole, name, launcher) }
    }
}

impl Policy for ExternalPolicy {
    fn needs(&self) -> Needs {
        Needs { follows: true, ..Needs::default() }
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.session.borrow_mut().record(state, record);
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        let session = &mut *self.session.borrow_mut();
        session.begin(triggers, turn);
        let mut asked: Vec<message::TriggerMessage> =
            triggers.iter().map(|&trigger| trigger_message(session, turn, trigger)).collect();
        let mut ended = BTreeSet::new();
        for _ in 0..MOST_REFUSED {
            let Some(answer) = session.ask(turn, &Question::Decide { triggers: asked }) else {
                return;
            };
            let mut doing = Doing { session, turn, ended: &mut ended, rented: BTreeMap::new() };
            let Some(refused) = doing.all(&answer.actions) else { return };
            if refused.is_empty() {
                return;
            }
            let refused = refused.into_iter().map(|(offer, why)| {
                message::TriggerMessage::LaunchRefused(outbox::launch_refused(turn, offer, why))
            });
            asked = refused.collect();
        }
        let what = format!("had a launch refused {MOST_REFUSED} times at one moment");
        session.fail(turn, &what, "after `launch_refused`, rent something else or nothing");
    }
}

fn trigger_message(
    session: &Session,
    state: &State<'_>,
    trigger: Trigger,
) -> message::TriggerMessage {
    let ordinal = |instance: InstanceRef| state.instance(instance).ordinal;
    match trigger {
        Trigger::Begins => message::TriggerMessage::Begins,
        Trigger::Arrived(work) => message::TriggerMessage::Arrived(session.outbox.works.of(work)),
        Trigger::Eligible(work, why) => message::TriggerMessage::Eligible {
            work: session.outbox.works.of(work),
            why: why.name().to_owned(),
        },
        Trigger::Freed(work) => message::TriggerMessage::Freed(session.outbox.works.of(work)),
        Trigger::Resumed(work) => message::TriggerMessage::Resumed(session.outbox.works.of(work)),
        Trigger::Cancelled(work) => {
            message::TriggerMessage::Cancelled(session.outbox.works.of(work))
        }
        Trigger::Ready(instance) => message::TriggerMessage::Ready(ordinal(instance)),
        Trigger::Idle(instance) => message::TriggerMessage::Idle(ordinal(instance)),
        Trigger::Draining(instance) => message::TriggerMessage::Draining(ordinal(instance)),
        Trigger::AtRisk(instance) => message::TriggerMessage::AtRisk(ordinal(instance)),
        Trigger::Lost(offer) => {
            message::TriggerMessage::Lost(state.world().offers[offer].name.clone())
        }
        Trigger::PricesChanged => message::TriggerMessage::PricesChanged,
        Trigger::Timer => message::TriggerMessage::Timer,
        Trigger::Acted => message::TriggerMessage::Acted,
    }
}

/// One answer in the making.
struct Doing<'d, 'a, 'w> {
    session: &'d mut Session,
    turn: &'d mut Turn<'a, 'w>,
    /// Work that was turned away at this moment.
    ended: &'d mut BTreeSet<WorkRef>,
    /// Instances that were rented in this answer, by the name given to each; `None` if the launch
    /// was refused.
    rented: BTreeMap<String, Option<InstanceRef>>,
}

/// Result of an action.
enum ActionResult {
    Yes,
    /// Legal, but there was nothing to be had.
    Refused(Id<Offer>, LaunchRefusal),
    Illegal(Refusal),
    /// The session has failed already.
    Failed,
}

impl Doing<'_, '_, '_> {
    /// Does what the answer says. Returns the launches that were refused, or
    /// nothing where the session failed.
    fn all(&mut self, actions: &[Action]) -> Option<Vec<(Id<Offer>, LaunchRefusal)>> {
        let mut refused = Vec::new();
        for (row, action) in actions.iter().enumerate() {
            match self.one(action) {
                ActionResult::Yes => {}
                ActionResult::Refused(offer, why) => refused.push((offer, why)),
                ActionResult::Illegal(refusal) => {
                    let shown = serde_json::to_string(action).expect("an action is plain data");
                    let what = format!(
                        "does something illegal: action {} of {}, `{}`: {refusal}",
                        row + 1,
                        actions.len(),
                        shown.chars().take(200).collect::<String>()
                    );
                    self.session.fail(self.turn, &what, "docs/policy.md has the rules of actions");
                    return None;
                }
                ActionResult::Failed => return None,
            }
        }
        Some(refused)
    }

    fn one(&mut self, action: &Action) -> ActionResult {
        match action {
            Action::Place { work, on } => self.place(*work, on),
            Action::Rent { offer, name } => self.rent(offer, name.as_deref()),
            Action::Release { instance } => {
                let Some(instance) = self.session.instance(self.turn, *instance) else {
                    return ActionResult::Failed;
                };
                done(self.turn.release(instance))
            }
            Action::Preempt { allocation } => {
                match self.session.outbox.allocations.find(*allocation) {
                    Some(allocation) => done(self.turn.preempt(allocation)),
                    None => ActionResult::Illegal(Refusal::AllocationGone),
                }
            }
            Action::Migrate { allocation, on, live } => self.migrate(*allocation, on, *live),
            Action::Refuse { work } => self.refuse(*work),
            Action::Wake { at } => done(self.turn.wake(Time::from_micros(*at))),
        }
    }

    fn place(&mut self, number: u64, on: &[message::ShareMessage]) -> ActionResult {
        let Some(work) = self.session.work(self.turn, number) else { return ActionResult::Failed };
        if self.ended.contains(&work) {
            return ActionResult::Illegal(Refusal::WorkGone);
        }
        self.shrink(work, on);
        let opened = self.turn.open(work);
        for asked in on {
            let instance = match self.instance(asked) {
                Ok(Some(instance)) => instance,
                // The launch was refused: there is nothing to place it on.
                Ok(None) => {
                    self.turn.abandon(opened);
                    self.make_whole(work);
                    return ActionResult::Yes;
                }
                Err(done) => {
                    self.turn.abandon(opened);
                    return done;
                }
            };
            let most = self.turn.work(work).waiting;
            let added = share(self.turn, (work, most), instance, asked)
                .and_then(|share| self.turn.add(opened, share));
            if let Err(refusal) = added {
                self.turn.abandon(opened);
                return ActionResult::Illegal(refusal);
            }
        }
        done(self.turn.commit(opened))
    }

    /// A gang that lost its place starts with as many tasks as are placed, if it can go on with these.
    fn shrink(&mut self, work: WorkRef, on: &[message::ShareMessage]) {
        let placed: u64 = on.iter().map(|share| u64::from(share.tasks)).sum();
        let allowed = self.turn.fewest_tasks(work)..=self.turn.whole_tasks(work);
        let tasks = u32::try_from(placed).ok().filter(|tasks| allowed.contains(tasks));
        let live = self.turn.work(work);
        if let Some(tasks) = tasks.filter(|_| live.ask.gang && live.placed + live.done == 0) {
            self.turn.resize(work, tasks).expect("it waits, and goes on with so many");
        }
    }

    /// A gang that did not start asks for all of its tasks again.
    fn make_whole(&mut self, work: WorkRef) {
        if self.turn.work(work).ask.gang {
            let whole = self.turn.whole_tasks(work);
            self.turn.resize(work, whole).expect("it waits");
        }
    }

    fn migrate(&mut self, number: u64, on: &[message::ShareMessage], live: bool) -> ActionResult {
        let Some(allocation) = self.session.outbox.allocations.find(number) else {
            return ActionResult::Illegal(Refusal::AllocationGone);
        };
        let target = self.turn.allocation(allocation);
        let (work, most) = (target.work(), target.tasks);
        let mut shares = Vec::new();
        for asked in on {
            let instance = match self.instance(asked) {
                Ok(Some(instance)) => instance,
                // It boots at best: nothing moves there.
                Ok(None) => return ActionResult::Illegal(Refusal::NotReady),
                Err(done) => return done,
            };
            match share(self.turn, (work, most), instance, asked) {
                Ok(share) => shares.push(share),
                Err(refusal) => return ActionResult::Illegal(refusal),
            }
        }
        let manner = if live { Manner::Live } else { Manner::Cold };
        done(self.turn.migrate(allocation, &shares, manner))
    }

    /// The instance of a share, by its number or by the name that this answer gave it; `None` if
    /// its launch was refused.
    fn instance(
        &mut self,
        asked: &message::ShareMessage,
    ) -> Result<Option<InstanceRef>, ActionResult> {
        let hint = "a share has `instance`, or `rented`, a name given by `rent` before it";
        match (asked.instance, &asked.rented) {
            (Some(number), None) => {
                self.session.instance(self.turn, number).map(Some).ok_or(ActionResult::Failed)
            }
            (None, Some(name)) if self.rented.contains_key(name) => Ok(self.rented[name]),
            (None, Some(name)) => {
                let what = format!(
                    "places work on `{}`, which this answer has not rented",
                    crate::problem::clip(name)
                );
                self.session.fail(self.turn, &what, hint);
                Err(ActionResult::Failed)
            }
            _ => {
                self.session.fail(self.turn, "places work on no instance, or on two", hint);
                Err(ActionResult::Failed)
            }
        }
    }

    fn rent(&mut self, name: &str, given: Option<&str>) -> ActionResult {
        let Some(offer) = self.session.offer(self.turn, name) else { return ActionResult::Failed };
        let (rented, done) = match self.turn.rent(offer) {
            Ok(instance) => (Some(instance), ActionResult::Yes),
            Err(Refusal::Launch(why)) => (None, ActionResult::Refused(offer, why)),
            Err(refusal) => return ActionResult::Illegal(refusal),
        };
        if let Some(given) = given {
            self.rented.insert(given.to_owned(), rented);
        }
        done
    }

    fn refuse(&mut self, number: u64) -> ActionResult {
        let Some(work) = self.session.work(self.turn, number) else { return ActionResult::Failed };
        if self.turn.work(work).first_start().is_some() {
            return ActionResult::Illegal(Refusal::HasStarted);
        }
        if !self.ended.insert(work) {
            return ActionResult::Illegal(Refusal::WorkGone);
        }
        done(self.turn.refuse(work, RefusalReason::Policy))
    }
}

fn done(result: Result<(), Refusal>) -> ActionResult {
    result.map_or_else(ActionResult::Illegal, |()| ActionResult::Yes)
}
