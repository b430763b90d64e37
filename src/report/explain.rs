//! `explain.csv`: why work waits and starts, each cause written when it changes.

mod census;
mod news;

use std::collections::BTreeMap;
use std::io;

use rustc_hash::FxHashMap;

use self::census::Census;
pub use self::census::Holder;
use self::news::News;
use super::jobs::{identity, label};
use super::sheet::{Sheet, TextCells};
use crate::experiment::{limited, obstacle, refusal, rejection, unused};
use crate::model::{Offer, Rules};
use crate::policy::spec::PolicySpec;
use crate::sim::Observer;
use crate::state::{
    AllocationRef, DecisionNote, ExpectedCost, LaunchRefusal, OfferRejection, Record,
    RefusalReason, State, Wait, WaitReason, WorkRef,
};
use crate::units::{Demand, Id, Span, Time};

/// The columns, in order.
pub(super) const COLUMNS: [&str; 28] = [
    "time_s",
    "job",
    "note",
    "offer",
    "why",
    "cost_usd",
    "instances",
    "there",
    "tasks",
    "room",
    "resource",
    "wanted",
    "free",
    "best",
    "held",
    "broken",
    "down",
    "holders",
    "largest",
    "ahead",
    "first",
    "promised_s",
    "first_promised_s",
    "rents_s",
    "until_s",
    "lost_s",
    "source",
    "ordinal",
];

/// Note of a row on work that lost its place and is kept to some.
pub const KEPT_TO: &str = "kept to";

/// Facts known, and last written, of one piece of work.
#[derive(Clone, Debug, Default)]
struct WorkSoFar {
    /// Wait that the policy noted last.
    noted: Option<Wait>,
    /// Where it was kept to at this instant after it had lost its place: the offer that it had, how it
    /// is to lie to that, and until when.
    kept_to: Option<(Id<Offer>, &'static str, Time)>,
    /// Cause that was written last and still holds.
    written: Option<Written>,
    /// Reason against each offer that was written last, and instances that it was weighed for.
    rejected: BTreeMap<Id<Offer>, (OfferRejection, Option<u32>)>,
    /// Tasks that started at this instant, what let the first of them, and when they are
    /// to end by the estimate.
    started: Option<(u32, String, Option<Time>)>,
    /// The work is on the list of those that are looked at when the clock moves.
    listed: bool,
}

/// A cause to wait that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    reason: WaitReason,
    /// No other work was before it.
    next: bool,
    /// Work that held the most then, where this work was next.
    most: Option<WorkRef>,
    /// What was free, held, broken and down then, where that was counted.
    amounts: Option<[i64; 4]>,
    /// Moment of the writing, and moment since which the work has waited.
    at: Time,
    since: Time,
    /// Rows of the wait so far.
    rows: u32,
}

/// Rows of a wait beyond which failures and repairs are told the rarer, the longer it lasts.
const FEW: u32 = 32;

impl Written {
    /// Whether it is time to look again at who holds the most: the longer work has
    /// waited, the later, so that the rows of a wait grow with its logarithm.
    fn is_due(&self, now: Time) -> bool {
        (now - self.at).micros() >= (self.at - self.since).micros() / 8
    }

    /// Whether the work that held the most holds nothing any more, or, where `work` was next, a machine that
    /// could hold it, or a GPU of one, failed or works again, and it is time to look again.
    fn is_stale(&self, state: &State<'_>, work: WorkRef, failed: &[Option<Time>]) -> bool {
        let could_hold = |(offer, _): (Id<Offer>, _)| state.could_hold(work, offer);
        let offers = state.world().offers.ids().zip(failed);
        let mut changed = offers.filter(|(_, changed)| changed.is_some_and(|at| at > self.at));
        let is_due = self.is_due(state.now());
        is_due && self.is_over(state)
            || (is_due || self.rows < FEW) && self.next && changed.any(could_hold)
    }

    /// Whether the work that held the most holds nothing any more.
    fn is_over(&self, state: &State<'_>) -> bool {
        let holds = |work| state.is_alive(work) && !state.work(work).allocations.is_empty();
        self.most.is_some_and(|work| !holds(work))
    }
}

/// Writes `explain.csv`. When the clock moves, a row is written for work that waits from then on
/// and did not, waits for another reason, or has become the first of the queue. One is also
/// written for the first of the queue when the work that held the most has ended, or when machines that
/// could hold it, or GPUs of them, fail or work again. The row says
/// what the work wants, what is free of that, who holds the rest, who is served before it, and
/// what is promised. Between these rows it says when work starts and is stopped, which offers
/// were turned down, and, for work that fits nowhere, what speaks against each offer. Needs a run
/// with `Options::explain`.
#[derive(Debug)]
pub struct ExplainCsv<W: io::Write> {
    sheet: Sheet<W>,
    /// Facts told of each piece of work, by its slot.
    works_so_far: Vec<WorkSoFar>,
    /// Work to which something happened at this instant.
    listed: Vec<WorkRef>,
    news: News,
    /// Counts made at this instant, by what is asked.
    counted: FxHashMap<(Id<Rules>, Demand), Census>,
    /// Policy that decides, if known.
    policy: Option<PolicySpec>,
    /// Reason why the last launch was refused, if it was; by offer.
    refused: Vec<Option<LaunchRefusal>>,
    /// Last time at which a machine of an offer, or a GPU of one, failed or worked again, if one did.
    failed: Vec<Option<Time>>,
    /// Whether any did at this instant.
    fails: bool,
}

/// A row; what does not apply is empty.
#[derive(Default)]
struct ExplainRow<'r> {
    work: Option<WorkRef>,
    note: &'static str,
    offer: Option<Id<Offer>>,
    why: &'r str,
    expected: Option<ExpectedCost>,
    tasks: Option<u32>,
    census: Option<&'r Census>,
    wait: Option<Wait>,
    /// Time at which the tasks of a start are to end by the estimate, or at which work may run anywhere again.
    until: Option<Time>,
    /// Progress of each task that has to be made again after a preemption.
    lost: Option<Span>,
}

impl<W: io::Write> ExplainCsv<W> {
    /// Writes to `out`, which need not be buffered.
    pub fn new(out: W, cells: TextCells) -> Self {
        Self {
            sheet: Sheet::new(out, cells, COLUMNS),
            works_so_far: Vec::new(),
            listed: Vec::new(),
            news: News::default(),
            counted: FxHashMap::default(),
            refused: Vec::new(),
            failed: Vec::new(),
            fails: false,
            policy: None,
        }
    }

    /// The same of a run of `policy`, whose limits are told of work that fits nowhere.
    pub fn under(self, policy: &PolicySpec) -> Self {
        Self { policy: Some(policy.clone()), ..self }
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// The first error of the writer during the run.
    pub fn finish(self) -> io::Result<W> {
        self.sheet.finish()
    }

    fn list(&mut self, work: WorkRef) {
        if !std::mem::replace(&mut self.works_so_far[work.slot()].listed, true) {
            self.listed.push(work);
        }
    }

    fn noted(&mut self, state: &State<'_>, work: WorkRef, note: DecisionNote) {
        let told = &mut self.works_so_far[work.slot()];
        match note {
            // The state says whether instances boot.
            DecisionNote::Waits(Wait { reason: WaitReason::Booting, .. }) => {}
            DecisionNote::Waits(wait) => {
                let before = told.noted.replace(wait);
                let before = before.map(|before| (before.reason, before.first.is_none()));
                let stale =
                    told.written.is_some_and(|written| written.is_stale(state, work, &self.failed));
                if before != Some((wait.reason, wait.first.is_none())) || stale {
                    self.list(work);
                }
            }
            DecisionNote::OfferRejected { offer, why, expected } => {
                let reason = (why, expected.map(|one| one.instances));
                if told.rejected.insert(offer, reason) != Some(reason) {
                    let words = match why {
                        OfferRejection::NotAllowed => obstacle(state, work, offer),
                        OfferRejection::TooSmall => obstacle(state, work, offer),
                        _ => None,
                    };
                    let note = note_of(why);
                    let why = &words.unwrap_or_else(|| rejection(state, why));
                    self.about(state, work, note, offer, why, expected);
                }
            }
            DecisionNote::KeptTo { from, only, until } => {
                told.kept_to = Some((from, only, until));
                self.list(work);
            }
            DecisionNote::OfferChosen { offer, expected } => {
                told.rejected.clear();
                self.about(state, work, "offer rented", offer, "", Some(expected));
            }
        }
    }

    /// A row about an offer.
    fn about(
        &mut self,
        state: &State<'_>,
        work: WorkRef,
        note: &'static str,
        offer: Id<Offer>,
        why: &str,
        expected: Option<ExpectedCost>,
    ) {
        let (work, offer) = (Some(work), Some(offer));
        self.row(state, &ExplainRow { work, note, offer, why, expected, ..ExplainRow::default() });
    }

    fn row(&mut self, state: &State<'_>, row: &ExplainRow<'_>) {
        let sheet = &mut self.sheet;
        sheet.time(Some(state.now()));
        match row.work {
            Some(work) => label(sheet, state, work),
            None => sheet.empty(),
        }
        sheet.word(row.note);
        sheet.text(row.offer.map_or("", |offer| &state.world().offers[offer].name));
        sheet.text(row.why);
        match row.expected {
            Some(ExpectedCost { cost, instances, there }) => {
                sheet.money(cost);
                sheet.whole(instances);
                sheet.whole(there);
            }
            None => (0..3).for_each(|_| sheet.empty()),
        }
        match row.tasks {
            Some(tasks) => sheet.whole(tasks),
            None => sheet.empty(),
        }
        counts(sheet, state, row);
        let wait = row.wait;
        match wait {
            Some(wait) => sheet.whole(wait.ahead),
            None => sheet.empty(),
        }
        match wait.and_then(|wait| wait.first).filter(|&first| state.is_alive(first)) {
            Some(first) => label(sheet, state, first),
            None => sheet.empty(),
        }
        sheet.time(wait.and_then(|wait| wait.promised));
        sheet.time(wait.and_then(|wait| wait.first_promised));
        sheet.time(wait.and_then(|wait| wait.rents));
        sheet.time(row.until);
        sheet.span(row.lost);
        identity(sheet, state, row.work);
        sheet.end_row();
    }

    /// Writes what speaks against each offer, for work that fits none.
    fn refused_everywhere(&mut self, state: &State<'_>, work: WorkRef) {
        let policy = self.policy.take();
        for offer in state.world().offers.ids() {
            let closed = policy.as_ref().and_then(|policy| unused(state.world(), policy, offer));
            if let Some(why) = closed {
                self.about(state, work, "offer ruled out", offer, &why, None);
                continue;
            }
            let limit = || policy.as_ref().and_then(|one| limited(state, one, work, offer));
            let why = obstacle(state, work, offer).or_else(limit);
            let why = why.unwrap_or_else(|| "no room for all that must run at once".to_owned());
            self.about(state, work, "offer not taken", offer, &why, None);
        }
        self.policy = policy;
    }

    fn started(&mut self, state: &State<'_>, allocation: AllocationRef) {
        let target = state.allocation(allocation);
        let work = target.work();
        let told = &mut self.works_so_far[work.slot()];
        let waited = told.written.is_some();
        let known = state.work(work).ask.estimate.is_some();
        let until = Some(target.estimated_end).filter(|_| known);
        let started = told.started.get_or_insert_with(|| {
            let mut why = if waited { self.news.cause(state, allocation) } else { String::new() };
            let whole = state.whole_tasks(work);
            if state.work(work).ask.gang && target.tasks < whole {
                let comma = if why.is_empty() { "" } else { ", " };
                why += &format!("{comma}with fewer than its {whole} tasks");
            }
            (0, why, until)
        });
        started.0 += target.tasks;
        started.2 = started.2.max(until);
        self.list(work);
    }

    /// Writes that tasks were preempted or lost their instances at this instant, and then started; what work waits for
    /// after this is news.
    fn tell_changes(&mut self, state: &State<'_>, work: WorkRef) {
        for one in self.news.preempted(work) {
            let (work, tasks) = (Some(work), Some(one.tasks));
            let (why, lost) = (&one.to.unwrap_or_default(), Some(one.lost));
            let note = one.ending.name();
            let row = ExplainRow { work, note, why, tasks, lost, ..ExplainRow::default() };
            self.row(state, &row);
        }
        if let Some((from, why, until)) = self.works_so_far[work.slot()].kept_to.take() {
            let (work, offer, until) = (Some(work), Some(from), Some(until));
            let note = KEPT_TO;
            self.row(state, &ExplainRow { work, note, offer, why, until, ..ExplainRow::default() });
        }
        let told = &mut self.works_so_far[work.slot()];
        let Some((tasks, why, until)) = told.started.take() else { return };
        told.written = None;
        told.rejected.clear();
        let (work, tasks) = (Some(work), Some(tasks));
        self.row(
            state,
            &ExplainRow { work, note: "starts", why: &why, tasks, until, ..ExplainRow::default() },
        );
    }

    /// Lists the work whose wait is to be told anew, where machines or GPUs failed or work again at this
    /// instant: the policy need not have been asked about it.
    fn look_again(&mut self, state: &State<'_>) {
        if !std::mem::take(&mut self.fails) {
            return;
        }
        for work in state.all_pending() {
            let told = self.works_so_far.get(work.slot()).and_then(|told| told.written);
            if told.is_some_and(|known| known.next && known.is_stale(state, work, &self.failed)) {
                self.list(work);
            }
        }
    }

    /// Writes why work waits from now on, if that is news.
    fn tell_wait(&mut self, state: &State<'_>, work: WorkRef) {
        let told = &mut self.works_so_far[work.slot()];
        let Some((reason, tasks)) = cause(state, work, told.noted) else { return };
        let wait = told.noted;
        let next = wait.is_none_or(|wait| wait.first.is_none());
        let same = |known: &Written| (known.reason, known.next) == (reason, next);
        let known = told.written;
        if known.is_some_and(|known| same(&known) && !known.is_stale(state, work, &self.failed)) {
            return;
        }
        let at = state.now();
        let (since, rows) = known.map_or((at, 0), |known| (known.since, known.rows));
        let ask = state.work(work).ask;
        let census = (reason != WaitReason::Booting).then(|| {
            let counted = self.counted.entry((ask.rules, ask.demand));
            counted.or_insert_with(|| Census::new(state, work)).clone()
        });
        let amounts = census.as_ref().map(Census::amounts);
        if known.is_some_and(|one| same(&one) && !one.is_over(state) && one.amounts == amounts) {
            return;
        }
        let most = census.as_ref().and_then(|census| census.most).filter(|_| next);
        let written = Written { reason, next, most, amounts, at, since, rows: rows + 1 };
        self.works_so_far[work.slot()].written = Some(written);
        let row = ExplainRow {
            work: Some(work),
            note: "waits",
            why: reason.name(),
            tasks: Some(tasks),
            census: census.as_ref(),
            wait: wait.filter(|_| census.is_some()),
            ..ExplainRow::default()
        };
        self.row(state, &row);
    }
}

/// Note of a row for an offer that was not taken for this reason: offers that could never be, by
/// the work or by the policy, are no candidates.
const fn note_of(why: OfferRejection) -> &'static str {
    match why {
        OfferRejection::NotAllowed
        | OfferRejection::TooSmall
        | OfferRejection::Owned
        | OfferRejection::Market
        | OfferRejection::Scope => "offer ruled out",
        OfferRejection::Launch(_)
        | OfferRejection::TooFew(_)
        | OfferRejection::MaxInstances(_)
        | OfferRejection::Apart
        | OfferRejection::Dearer => "offer not taken",
    }
}

/// Reason why `work` waits, and how many of its tasks; `None` if all have started.
fn cause(state: &State<'_>, work: WorkRef, noted: Option<Wait>) -> Option<(WaitReason, u32)> {
    let live = state.work(work);
    if live.waiting > 0 {
        let said = noted.map_or(WaitReason::Unsaid, |wait| wait.reason);
        return Some((said, live.waiting));
    }
    let placed = live.allocations.iter().map(|&one| state.allocation(one));
    let booting: u32 = placed.filter(|one| one.started().is_none()).map(|one| one.tasks).sum();
    (booting > 0).then_some((WaitReason::Booting, booting))
}

/// The cells of what was counted.
fn counts<W: io::Write>(sheet: &mut Sheet<W>, state: &State<'_>, row: &ExplainRow<'_>) {
    let (Some(census), Some(work)) = (row.census, row.work) else {
        (0..10).for_each(|_| sheet.empty());
        return;
    };
    let resource = census.resource;
    let asked = resource.asked(state.work(work).ask.demand);
    sheet.whole(census.room);
    sheet.word(resource.unit());
    sheet.decimal(i128::from(asked) * i128::from(row.tasks.unwrap_or(0)), 3);
    sheet.decimal(i128::from(census.free), 3);
    sheet.decimal(i128::from(census.best), 3);
    sheet.decimal(i128::from(census.held), 3);
    sheet.decimal(i128::from(census.broken), 3);
    sheet.decimal(i128::from(census.down), 3);
    sheet.whole(census.holders as u64);
    match census.largest.is_empty() {
        true => sheet.empty(),
        false => sheet.text(&serde_json::to_string(&census.largest).unwrap_or_default()),
    }
}

impl<W: io::Write> Observer for ExplainCsv<W> {
    fn begins(&mut self, state: &State<'_>) {
        self.refused = vec![None; state.world().offers.len()];
        self.failed = vec![None; state.world().offers.len()];
    }

    fn elapse(&mut self, state: &State<'_>, _: Time, _: Time) {
        self.look_again(state);
        let mut listed = std::mem::take(&mut self.listed);
        listed.retain(|&work| state.is_alive(work));
        for &work in &listed {
            self.works_so_far[work.slot()].listed = false;
            self.tell_changes(state, work);
            self.tell_wait(state, work);
        }
        listed.clear();
        self.listed = listed;
        self.counted.clear();
        self.news.clear();
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Submitted(work) => {
                let slot = work.slot();
                if self.works_so_far.len() <= slot {
                    self.works_so_far.resize(slot + 1, WorkSoFar::default());
                }
                self.works_so_far[slot] = WorkSoFar::default();
                self.list(work);
            }
            Record::Noted(work, note) => self.noted(state, work, note),
            Record::Placed(allocation) => self.list(state.allocation(allocation).work()),
            Record::Started(allocation) => self.started(state, allocation),
            Record::Stopped { allocation, ending, .. } if ending.waits_again() => {
                let work = state.allocation(allocation).work();
                self.tell_changes(state, work);
                // The work that takes its place is known when the clock moves.
                self.works_so_far[work.slot()].written = None;
                self.list(work);
            }
            Record::Finished(work) | Record::Unfinished(work) => self.tell_changes(state, work),
            Record::Refused { work, reason } => {
                self.tell_changes(state, work);
                if reason == RefusalReason::NeverFits {
                    self.refused_everywhere(state, work);
                }
            }
            Record::Requested(instance) => {
                self.refused[state.instance(instance).offer.row()] = None;
            }
            Record::LaunchRefused { offer, why }
                if self.refused[offer.row()].replace(why) != Some(why) =>
            {
                let (why, offer) = (&refusal(state, why), Some(offer));
                let row =
                    ExplainRow { note: "launch refused", offer, why, ..ExplainRow::default() };
                self.row(state, &row);
            }
            Record::Devices { instance, .. }
            | Record::Failed { instance, .. }
            | Record::Repaired(instance) => {
                let offer = state.instance(instance).offer;
                self.failed[offer.row()] = Some(state.now());
                self.fails = true;
            }
            Record::Stopped { .. }
            | Record::LaunchRefused { .. }
            | Record::Ready(_)
            | Record::Draining { .. }
            | Record::Outage { .. }
            | Record::Slowed { .. }
            | Record::Restarted { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::Released { .. }
            | Record::Charged(_) => (),
        }
        self.news.record(state, record);
    }
}
