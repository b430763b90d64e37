//! Event log of a run, record by record, in words: the log in which the first difference between
//! two runs is looked up.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::model::{Offer, WorkId};
use crate::policy::Trigger;
use crate::sim::Observer;
use crate::state::{
    AllocationRef, DecisionNote, Ending, Exit, ExpectedCost, InstanceRef, LaunchRefusal,
    OfferRejection, Record, State, Wait, WaitReason, WorkRef,
};
use crate::units::{Id, Time};

/// Waiting work that is named of what could be seen.
const MOST_NAMED: usize = 8;
/// Instances that are named of one placement.
const MOST_HELD: usize = 6;
/// Reasons that are kept of the decisions since the last record.
const MOST_REASONS: usize = 200;

/// One record of a run. Record `n` is the `n`-th that enters the trail of the
/// run's hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventLogEntry {
    /// Number of the record, from 1.
    pub record: u64,
    /// Time of the record, in microseconds since the run's start.
    pub time_us: i64,
    /// Time of the record, as a date.
    pub date: String,
    /// The event, in words.
    pub what: String,
    /// The work that it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<String>,
    /// View that the policy had as it was last asked, where reasons are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<PolicyView>,
    /// The policy's reasons since the record before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<EntryReason>,
}

/// View that a policy had as it was asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyView {
    /// Triggers of the turn: `1 arrived, 2 freed`.
    pub triggers: String,
    /// Waiting pieces of work.
    pub waiting: u64,
    /// The first of them by submission.
    pub queue: Vec<String>,
    /// Running instances.
    pub running: u64,
    /// Booting instances.
    pub booting: u64,
    /// Free milli-cores of running instances.
    pub free_cpu_milli: i64,
    /// Free MiB of running instances.
    pub free_memory_mib: i64,
    /// Free milli-GPUs of running instances.
    pub free_gpu_milli: i64,
}

/// A reason of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryReason {
    /// Time of the reason, in microseconds since the run's start.
    pub time_us: i64,
    /// The work that it is about.
    pub work: String,
    /// The reason.
    pub why: String,
}

/// Range of records that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordRange {
    /// The first, from 1.
    pub from: u64,
    /// The last.
    pub until: u64,
    /// Records come with the policy's view and its reasons.
    pub reasons: bool,
}

/// Offers that are out of the question for a piece of work, for one reason.
#[derive(Debug, Default)]
struct RuledOut {
    /// Time at which that was said last.
    said: Time,
    offers: BTreeSet<Id<Offer>>,
}

/// Gives the records of a stretch to `sink`, in order.
#[derive(Debug)]
pub struct EventLog<'a, F> {
    stretch: RecordRange,
    sink: F,
    /// Set as soon as the stretch is over.
    over: &'a Cell<bool>,
    record: u64,
    seen: Option<PolicyView>,
    reasons: Vec<EntryReason>,
    /// By work and reason, the offers that were out of the question.
    ruled_out: BTreeMap<(String, String), RuledOut>,
    /// The reasons have gone into a record.
    told: bool,
    /// By waiting work: what the policy said of it last, and the time at which it did.
    waits: FxHashMap<WorkRef, (Time, Wait)>,
}

impl<'a, F: FnMut(EventLogEntry)> EventLog<'a, F> {
    /// A log that gives the records of `stretch` to `sink` and sets `over` after the last. Reasons
    /// need a run with `Options::explain`.
    pub fn new(stretch: RecordRange, over: &'a Cell<bool>, sink: F) -> Self {
        let waits = FxHashMap::default();
        Self {
            stretch,
            sink,
            over,
            record: 0,
            seen: None,
            reasons: Vec::new(),
            ruled_out: BTreeMap::new(),
            told: false,
            waits,
        }
    }

    /// Whether the next record is wanted with its reasons.
    fn explains_next(&self) -> bool {
        let wanted = self.stretch.from..=self.stretch.until;
        self.stretch.reasons && wanted.contains(&(self.record + 1))
    }

    /// The reasons since the record before, and why those wait of whom nothing was
    /// said since then: nothing was decided about them, and what was said last holds. What says most
    /// comes first; see [`EntryReason::rank`].
    fn all_reasons(&self, state: &State<'_>) -> Vec<EntryReason> {
        let mut all = self.reasons.clone();
        for ((work, words), RuledOut { said, offers }) in &self.ruled_out {
            let offer = offers.first().map(|&offer| &state.world().offers[offer].name);
            let why = match (offers.len(), offer) {
                (1, Some(name)) => format!("{name} not taken: {words}"),
                (count, _) => format!("{count} offers not taken: {words}"),
            };
            all.push(EntryReason { time_us: said.micros(), work: work.clone(), why });
        }
        // Of a single record it is looked up what was decided of any work, not of the first alone.
        let most = if self.stretch.from == self.stretch.until { MOST_REASONS } else { MOST_NAMED };
        for work in waiting(state, most) {
            let Some((at, wait)) = self.waits.get(&work) else { continue };
            let name = label(state, work);
            if !all.iter().any(|one| one.work == name) {
                let why = waits(state, wait);
                all.push(EntryReason { time_us: at.micros(), work: name, why });
            }
        }
        all.sort_by_key(EntryReason::rank);
        all
    }

    fn note(&mut self, state: &State<'_>, work: WorkRef, note: DecisionNote) {
        let why = match note {
            DecisionNote::Waits(wait) => waits(state, &wait),
            DecisionNote::OfferRejected { offer, why, expected: None } => {
                let key = (label(state, work), rejection(state, why));
                let ruled_out = self.ruled_out.entry(key).or_default();
                ruled_out.said = state.now();
                ruled_out.offers.insert(offer);
                return;
            }
            DecisionNote::OfferRejected { offer, why, expected: Some(expected) } => {
                let (name, cost) = (&state.world().offers[offer].name, expected_words(expected));
                format!("{name} not taken{cost}: {}", rejection(state, why))
            }
            DecisionNote::KeptTo { from, only, until } => {
                let from = &state.world().offers[from].name;
                let until = until.micros() as f64 / 1e6;
                format!("until {until} s only {only} {from} (`recover`)")
            }
            DecisionNote::OfferChosen { offer, expected } => {
                format!("{} chosen{}", state.world().offers[offer].name, expected_words(expected))
            }
        };
        let work = label(state, work);
        // The latest reason of a kind stands for those before it.
        let known = self.reasons.iter().any(|one| one.work == work && one.why == why);
        if known {
            return;
        }
        self.reasons.push(EntryReason { time_us: state.now().micros(), work, why });
        if self.reasons.len() > MOST_REASONS {
            // The oldest of those that say least.
            let rank = |at: usize| self.reasons[at].rank();
            let least = (0..self.reasons.len()).max_by_key(|&at| (rank(at), Reverse(at)));
            least.map(|at| self.reasons.remove(at));
        }
    }
}

impl<F: FnMut(EventLogEntry)> Observer for EventLog<'_, F> {
    fn asks(&mut self, state: &State<'_>, triggers: &[Trigger]) {
        if std::mem::take(&mut self.told) {
            self.reasons.clear();
            self.ruled_out.clear();
        }
        self.seen = self.explains_next().then(|| policy_view(state, triggers));
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Noted(work, note) = *record {
            if let DecisionNote::Waits(wait) = note
                && self.stretch.reasons
                && self.record < self.stretch.until
            {
                self.waits.insert(work, (state.now(), wait));
            }
            if self.explains_next() {
                self.note(state, work, note);
            }
            return;
        }
        self.record += 1;
        if let Record::Placed(allocation) = *record {
            self.waits.remove(&state.allocation(allocation).work());
        }
        if self.record < self.stretch.from || self.over.get() {
            return;
        }
        if self.record > self.stretch.until {
            self.over.set(true);
            return;
        }
        let now = state.now();
        // Every decision of a turn tells the reasons again; another record tells them only if it is
        // the first since that turn.
        let telling = is_decision(record) || !self.told;
        let (what, work) = words(state, record);
        self.told = true;
        let reasons = if telling { self.all_reasons(state) } else { Vec::new() };
        (self.sink)(EventLogEntry {
            record: self.record,
            time_us: now.micros(),
            date: state.world().calendar.format(now),
            what,
            work: work.map(|work| label(state, work)),
            seen: self.seen.clone().filter(|_| telling),
            reasons,
        });
    }
}

/// Whether the record tells of an action that the policy took or tried.
fn is_decision(record: &Record) -> bool {
    match record {
        Record::Placed(_)
        | Record::Started(_)
        | Record::Requested(_)
        | Record::Refused { .. }
        | Record::LaunchRefused { .. }
        | Record::Released { exit: Exit::Returned, .. }
        | Record::Migrates { begins: true, .. }
        | Record::Stopped { ending: Ending::Preempted | Ending::Migrated, .. } => true,
        Record::Submitted(_)
        | Record::Stopped {
            ending:
                Ending::Done
                | Ending::Interrupted
                | Ending::Hibernated
                | Ending::Failed
                | Ending::Cancelled
                | Ending::RunOver,
            ..
        }
        | Record::Finished(_)
        | Record::Unfinished(_)
        | Record::Ready(_)
        | Record::Draining { .. }
        | Record::Failed { .. }
        | Record::Repaired(_)
        | Record::Outage { .. }
        | Record::Slowed { .. }
        | Record::Devices { .. }
        | Record::Restarted { .. }
        | Record::GivenUp { .. }
        | Record::Migrates { begins: false, .. }
        | Record::AtRisk { .. }
        | Record::Released {
            exit:
                Exit::Reclaimed
                | Exit::Stopped
                | Exit::Expired
                | Exit::Failed
                | Exit::NotLaunched
                | Exit::RunOver,
            ..
        }
        | Record::Charged(_)
        | Record::Noted(..) => false,
    }
}

/// The first of the work that waits, by submission, and no more than `most`.
fn waiting(state: &State<'_>, most: usize) -> Vec<WorkRef> {
    let mut waiting: Vec<WorkRef> =
        state.works().filter(|(_, live)| live.waiting > 0).map(|(work, _)| work).collect();
    waiting.sort_by_key(|&work| state.work(work).tie());
    waiting.truncate(most);
    waiting
}

fn policy_view(state: &State<'_>, triggers: &[Trigger]) -> PolicyView {
    let totals = state.totals();
    PolicyView {
        triggers: counted(triggers),
        waiting: totals.waiting,
        queue: waiting(state, MOST_NAMED).into_iter().map(|work| label(state, work)).collect(),
        running: totals.running,
        booting: totals.booting,
        free_cpu_milli: totals.capacity.cpu - totals.allocated.cpu,
        free_memory_mib: totals.capacity.memory - totals.allocated.memory,
        free_gpu_milli: totals.capacity.gpu - totals.allocated.gpu,
    }
}

/// Number of triggers of each kind, in words.
fn counted(triggers: &[Trigger]) -> String {
    let kind = |trigger: &Trigger| match trigger {
        Trigger::Begins => "the run begins",
        Trigger::Arrived(_) => "arrived",
        Trigger::Eligible(..) => "eligible",
        Trigger::Freed(_) => "freed",
        Trigger::Resumed(_) => "resumed",
        Trigger::Cancelled(_) => "cancelled",
        Trigger::Ready(_) => "ready",
        Trigger::Idle(_) => "idle",
        Trigger::Draining(_) => "taken back soon",
        Trigger::AtRisk(_) => "may be taken back soon",
        Trigger::Lost(_) => "lost",
        Trigger::PricesChanged => "prices changed",
        Trigger::Timer => "timer",
        Trigger::Acted => "acted",
    };
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for trigger in triggers {
        match kinds.iter_mut().find(|(known, _)| *known == kind(trigger)) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind(trigger), 1)),
        }
    }
    let shown: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    shown.join(", ")
}

/// Words for a record, and the work that it is about.
fn words(state: &State<'_>, record: &Record) -> (String, Option<WorkRef>) {
    let of = |work: WorkRef| label(state, work);
    match *record {
        Record::Submitted(work) => (format!("{} is submitted", of(work)), Some(work)),
        Record::Placed(allocation) => {
            let work = state.allocation(allocation).work();
            (format!("{} is placed on {}", of(work), held(state, allocation)), Some(work))
        }
        Record::Started(allocation) => {
            let work = state.allocation(allocation).work();
            let with = with(state, allocation);
            (format!("{} starts{with} on {}", of(work), held(state, allocation)), Some(work))
        }
        Record::Stopped { allocation, ending, useful, lost, overhead } => {
            let work = state.allocation(allocation).work();
            let how = match ending {
                Ending::Done => "stops, done",
                Ending::Preempted => "is taken off its instances",
                Ending::Interrupted => "loses an instance to the provider",
                Ending::Hibernated => "is hibernated with its instance",
                Ending::Failed => "fails",
                Ending::Migrated => "leaves for other instances",
                Ending::Cancelled => "is cancelled",
                Ending::RunOver => "stops as the run ends",
            };
            let mut progress = format!("useful {useful}, lost {lost}");
            if overhead > 0 {
                progress += &format!(", {overhead} for checkpoints");
            }
            (format!("{} {how} ({progress})", of(work)), Some(work))
        }
        Record::Finished(work) => (format!("{} is finished", of(work)), Some(work)),
        Record::Refused { work, reason } => {
            (format!("{} is turned away: {}", of(work), reason.name()), Some(work))
        }
        Record::Unfinished(work) => (format!("{} is left unfinished", of(work)), Some(work)),
        Record::Requested(instance) => (format!("{} is requested", place(state, instance)), None),
        Record::Ready(instance) => (format!("{} is ready", place(state, instance)), None),
        Record::Draining { instance, until } => {
            let until = state.world().calendar.format(until);
            (format!("{} is taken back at {until}", place(state, instance)), None)
        }
        Record::AtRisk { instance, until } => {
            let until = state.world().calendar.format(until);
            (format!("{} may be warned at {until}", place(state, instance)), None)
        }
        Record::Failed { instance, fault } => {
            let name = &state.world().faults[fault].name;
            (format!("{} fails: {name}", place(state, instance)), None)
        }
        Record::Repaired(instance) => (format!("{} works again", place(state, instance)), None),
        Record::Outage { fault, begins } => {
            let how = if begins { "begins" } else { "is over" };
            (format!("outage {how}: {}", state.world().faults[fault].name), None)
        }
        Record::Migrates { allocation, begins } => {
            let work = state.allocation(allocation).work();
            let how = if begins { "is being copied" } else { "is no longer copied" };
            (format!("{} {how} to other instances", of(work)), Some(work))
        }
        Record::Slowed { instance, fault, begins } => {
            let how = if begins { "is slower" } else { "is no longer slower" };
            let name = &state.world().faults[fault].name;
            (format!("{} {how}: {name}", place(state, instance)), None)
        }
        Record::Devices { instance, fault, devices, breaks } => {
            let how = if breaks { "breaks" } else { "no longer breaks" };
            let name = &state.world().faults[fault].name;
            let (place, devices) = (place(state, instance), numbers(devices));
            (format!("{name} {how} GPU {devices} of {place}"), None)
        }
        Record::Restarted { instance, was } => {
            (format!("{} is instance {was} again, which was stopped", place(state, instance)), None)
        }
        Record::GivenUp { work, tasks, useful, lost } => {
            let what = format!("tasks {tasks}, useful {useful}, lost {lost}");
            (format!("{} leaves its stopped instance ({what})", of(work)), Some(work))
        }
        Record::Released { instance, billed, amount, exit } => {
            let how = match exit {
                Exit::Returned => "is given back",
                Exit::Reclaimed => "is taken back by its provider",
                Exit::Stopped => "is stopped by its provider, which keeps it",
                Exit::Expired => "is ended by its provider at its age limit",
                Exit::Failed => "is gone, as it failed",
                Exit::NotLaunched => "never became ready",
                Exit::RunOver => "is still there as the run ends",
            };
            let bill = format!("{billed} billed, {amount}");
            (format!("{} {how} ({bill})", place(state, instance)), None)
        }
        Record::Charged(charge) => {
            let (amount, kind) = (charge.amount, charge.kind.name());
            let on = place(state, charge.instance);
            (format!("{amount} is charged for {kind} on {on}"), charge.work)
        }
        Record::LaunchRefused { offer, why } => {
            let name = &state.world().offers[offer].name;
            (format!("a launch of {name} is refused: {}", refusal(state, why)), None)
        }
        // Notes are no records of the trail.
        Record::Noted(work, _) => (String::new(), Some(work)),
    }
}

/// Offer, slot and launch: a name that means the same in every run.
fn place(state: &State<'_>, instance: InstanceRef) -> String {
    let instance = state.instance(instance);
    let offer = &state.world().offers[instance.offer].name;
    match instance.launch {
        0 => format!("{offer} #{}", instance.slot),
        launch => format!("{offer} #{}.{launch}", instance.slot),
    }
}

/// With how many of its tasks a gang goes on, if not with all.
fn with(state: &State<'_>, allocation: AllocationRef) -> String {
    let target = state.allocation(allocation);
    let whole = state.gang_tasks(target.work());
    let fewer = target.tasks < whole;
    if fewer { format!(" with {} of its {whole} tasks", target.tasks) } else { String::new() }
}

fn held(state: &State<'_>, allocation: AllocationRef) -> String {
    let held = &state.allocation(allocation).held;
    let mut text = String::new();
    for (at, one) in held.iter().take(MOST_HELD).enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        let place = place(state, one.share.instance);
        // Writing to a string never fails.
        let _ = write!(text, "{comma}{place}");
        if one.share.tasks > 1 {
            let _ = write!(text, " ({} tasks)", one.share.tasks);
        }
        if one.share.devices != 0 {
            let _ = write!(text, " (GPU {})", numbers(one.share.devices));
        }
    }
    if held.len() > MOST_HELD {
        let _ = write!(text, " and {} more", held.len() - MOST_HELD);
    }
    text
}

/// Work by its name, or by its number in its source.
fn label(state: &State<'_>, work: WorkRef) -> String {
    match (state.work(work).id, state.name(work)) {
        (WorkId { source: 0, ordinal }, "") => format!("job {ordinal}"),
        (WorkId { source: 0, .. }, name) => name.to_owned(),
        (WorkId { source, ordinal }, "") => format!("job {source}/{ordinal}"),
        (WorkId { source, .. }, name) => format!("{source}/{name}"),
    }
}

/// Reason of a wait, and the time from which there may be rented for the work.
fn waits(state: &State<'_>, wait: &Wait) -> String {
    let reason = wait.reason.name();
    let Some(rents) = wait.rents else { return format!("waits: {reason}") };
    let from = state.world().calendar.format(rents);
    match wait.reason {
        WaitReason::OverflowLater => format!("waits: {reason}, which it may from {from} on"),
        WaitReason::NoRoom
        | WaitReason::InOrder
        | WaitReason::Behind
        | WaitReason::Reserved
        | WaitReason::NothingToRent
        | WaitReason::OverBudget
        | WaitReason::ForSpot
        | WaitReason::Shifted
        | WaitReason::BackingOff
        | WaitReason::Stopped
        | WaitReason::Booting
        | WaitReason::Unsaid => {
            format!("waits: {reason}; not yet to rent for, which is allowed from {from} on")
        }
    }
}

fn expected_words(expected: ExpectedCost) -> String {
    let ExpectedCost { cost, instances, there } = expected;
    let noun = if instances == 1 { "instance" } else { "instances" };
    match there {
        0 => format!(", expected cost {cost} for {instances} {noun}"),
        _ => format!(", expected cost {cost} for {instances} of {} instances", instances + there),
    }
}

/// Reason against an offer that lost by its score.
const DEARER: &str = "the policy prefers another offer";

/// Reason for which an offer was not taken, in words.
pub(crate) fn rejection(state: &State<'_>, why: OfferRejection) -> String {
    match why {
        OfferRejection::NotAllowed => "the job's rules do not allow it".to_owned(),
        OfferRejection::TooSmall => "no instance of it is large enough".to_owned(),
        OfferRejection::Scope => "not among what the policy rents".to_owned(),
        OfferRejection::Owned => "an own machine, which is not rented".to_owned(),
        OfferRejection::Market => "the policy does not rent from its market".to_owned(),
        OfferRejection::Launch(why) => refusal(state, why),
        OfferRejection::TooFew(why) => {
            format!(
                "{} has no room for all instances that the job needs at once",
                limit(state, why)
            )
        }
        OfferRejection::MaxInstances(most) => {
            let instances = if most == 1 { "instance" } else { "instances" };
            format!("the policy rents at most {most} {instances} at once (`max_instances`)")
        }
        OfferRejection::Apart => {
            "it lies apart from the instances that hold the job's other tasks".to_owned()
        }
        OfferRejection::Dearer => DEARER.to_owned(),
    }
}

/// Limit that refused a launch, in words.
pub(crate) fn limit(state: &State<'_>, why: LaunchRefusal) -> String {
    match why {
        LaunchRefusal::Quota(row) => format!("quota {}", state.world().quotas[row].name),
        LaunchRefusal::Capacity => "its capacity".to_owned(),
        LaunchRefusal::Price => {
            "its price, above the highest that is paid (`max_price`)".to_owned()
        }
        LaunchRefusal::Outage => "an outage".to_owned(),
        LaunchRefusal::Throttle => "the rate of launches (`throttle`)".to_owned(),
        LaunchRefusal::Budget(row) => format!("budget {}", state.world().budgets[row].name),
    }
}

/// Reason for which a launch was refused, in words.
pub(crate) fn refusal(state: &State<'_>, why: LaunchRefusal) -> String {
    match why {
        LaunchRefusal::Quota(row) => {
            format!("quota used up: {}", state.world().quotas[row].name)
        }
        LaunchRefusal::Capacity => "the offer has no capacity left".to_owned(),
        LaunchRefusal::Price => {
            "its price is above the highest that is paid (`max_price`)".to_owned()
        }
        LaunchRefusal::Outage => "nothing of the offer is launched during an outage".to_owned(),
        LaunchRefusal::Throttle => {
            "launches in the region come faster than they are let through (`throttle`)".to_owned()
        }
        LaunchRefusal::Budget(row) => {
            format!("budget without room for it: {}", state.world().budgets[row].name)
        }
    }
}

impl EventLogEntry {
    /// Time of the record.
    pub fn at(&self) -> Time {
        Time::from_micros(self.time_us)
    }
}

impl EntryReason {
    /// Rank by what it tells, from 0: what was chosen, why work waits, which offers were weighed and
    /// lost, which could not be had, and then what was out of the question.
    pub fn rank(&self) -> u8 {
        match self.why.as_str() {
            why if why.starts_with("waits: ") => 1,
            why if !why.contains(" not taken") => 0,
            why if why.ends_with(DEARER) => 2,
            why if why.contains(" not taken, expected cost ") => 3,
            _ => 4,
        }
    }

    /// Time of the reason.
    pub fn at(&self) -> Time {
        Time::from_micros(self.time_us)
    }
}
/// Numbers of the devices of a bit set, as text: `0+3`.
pub(crate) fn numbers(devices: u32) -> String {
    let devices = (0..32).filter(|bit| devices >> bit & 1 == 1);
    devices.map(|bit: u32| bit.to_string()).collect::<Vec<_>>().join("+")
}
