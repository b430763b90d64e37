//! Work that lost its place: how often, until when it waits, and until when it keeps to some places.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::Feasibility;
use crate::model::{Rules, WorkId};
use crate::policy::due::Alarm;
use crate::policy::queue::Queue;
use crate::policy::recover::RecoverRule;
use crate::policy::turn::Turn;
use crate::state::{DecisionNote, RefusalReason, StartPromise, Wait, WaitReason, WorkRef};
use crate::units::{Id, Time};

/// What becomes of work that lost its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterLoss {
    /// It is to be served.
    Served,
    /// It waits, put aside.
    Held,
    /// It is given up.
    GivenUp,
}

/// Follows the recover part.
#[derive(Debug)]
pub(super) struct Retries {
    rule: RecoverRule,
    /// Times that work has lost its place, and the last of them.
    losses: FxHashMap<WorkRef, (u32, Time)>,
    /// Work that was given up at this decision, of which more may have been lost.
    given_up: Vec<WorkRef>,
    /// Rules of work that keeps to some places for a while, as they were, and until when.
    rules: FxHashMap<WorkRef, (Id<Rules>, Time)>,
    /// When work is to be tried again, or (`true`) may run anywhere again.
    due: BTreeSet<(Time, bool, (Time, WorkId), WorkRef)>,
    alarm: Alarm,
}

impl Retries {
    pub(super) fn new(rule: RecoverRule) -> Self {
        let (losses, rules) = (FxHashMap::default(), FxHashMap::default());
        let (due, given_up) = (BTreeSet::new(), Vec::new());
        Self { rule, losses, rules, given_up, due, alarm: Alarm::default() }
    }

    /// Work has ended: another may have its place in memory.
    pub(super) fn forget(&mut self, work: WorkRef) {
        self.losses.remove(&work);
        self.rules.remove(&work);
    }

    /// Work has lost its place to its provider or a failure, and waits.
    pub(super) fn lost(
        &mut self,
        turn: &mut Turn<'_, '_>,
        fits: &mut Feasibility,
        queue: &mut Queue,
        work: WorkRef,
    ) -> AfterLoss {
        if self.given_up.contains(&work) {
            return AfterLoss::GivenUp;
        }
        let (now, rule) = (turn.now(), self.rule);
        // Tasks that lose their places at one moment count once.
        let (times, last) = self.losses.entry(work).or_insert((1, now));
        *times += u32::from(*last != now);
        *last = now;
        let times = *times;
        let live = turn.work(work);
        let (tie, last, whole) = (live.tie(), live.last_offer, live.placed + live.done == 0);
        if whole && rule.gives_up(times) {
            turn.refuse(work, RefusalReason::Retries).expect("nothing of it runs or is done");
            queue.remove(work);
            self.forget(work);
            self.given_up.push(work);
            return AfterLoss::GivenUp;
        }
        let before = self.rules.get(&work).map_or(live.ask.rules, |&(before, _)| before);
        let rules = &turn.book().all_rules()[before];
        let narrowed = last.and_then(|last| rule.narrowed(turn.world(), rules, last));
        if let Some(narrowed) = narrowed {
            turn.set_rules(work, &narrowed);
            match fits.ever(turn, work) {
                true => {
                    let until = now.saturating_add(rule.lasts());
                    self.rules.insert(work, (before, until));
                    self.expect(turn, (until, true, tie, work));
                    if turn.explaining()
                        && let (Some(from), Some(only)) = (last, rule.place().only())
                    {
                        turn.note(work, DecisionNote::KeptTo { from, only, until });
                    }
                }
                false => {
                    turn.restore_rules(work, before);
                    self.rules.remove(&work);
                }
            }
        }
        let wait = rule.wait(times);
        let until = now.saturating_add(wait);
        if until <= now || !whole {
            return AfterLoss::Served;
        }
        queue.remove(work);
        queue.set_aside(work);
        turn.promise(work, StartPromise::Withdrawn);
        self.expect(turn, (until, false, tie, work));
        if turn.explaining() {
            turn.note(work, DecisionNote::Waits(Wait::of(WaitReason::BackingOff)));
        }
        AfterLoss::Held
    }

    fn expect(&mut self, turn: &mut Turn<'_, '_>, due: (Time, bool, (Time, WorkId), WorkRef)) {
        self.alarm.set(turn, due.0);
        self.due.insert(due);
    }

    /// Work that is to be tried again now is added to `served`; whose time in some places is over may run
    /// anywhere. Returns whether there was any of that.
    pub(super) fn keep_time(
        &mut self,
        turn: &mut Turn<'_, '_>,
        queue: &mut Queue,
        served: &mut Vec<WorkRef>,
    ) -> bool {
        self.given_up.clear();
        let mut any = false;
        while let Some(&due @ (at, widens, tie, work)) = self.due.first() {
            if at > turn.now() {
                self.alarm.set(turn, at);
                break;
            }
            self.due.remove(&due);
            let is_it = turn.is_alive(work) && turn.work(work).tie() == tie;
            any |= is_it;
            if is_it && !widens && queue.is_aside(work) {
                queue.drop_aside(work);
                served.push(work);
            }
            if is_it
                && widens
                && let Some(&(rules, until)) = self.rules.get(&work)
                && until <= at
            {
                turn.restore_rules(work, rules);
                self.rules.remove(&work);
            }
        }
        any
    }
}
