//! Alerts: times in which a signal was beyond a threshold, found exactly, at no grid of time.

mod signal;
mod trail;

#[cfg(test)]
mod tests;

pub use signal::{Signal, SignalKind};

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::fact::Fact;
use crate::sim::Observer;
use crate::state::{Record, State, WorkRef};
use crate::units::{Span, Time};
use trail::{Trail, TrailSum};

/// Most alerts that are kept one by one; all are counted.
pub const MOST_ALERTS: usize = 10_000;

/// Rule: an alert begins when the signal has been beyond the threshold for long enough, and ends when
/// it no longer is.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRule {
    /// Name in reports.
    pub name: String,
    /// What is looked at.
    pub signal: Signal,
    /// Whether values above the threshold are beyond it, or those below.
    pub above: bool,
    /// Threshold in the signal's unit, taken to a millionth.
    pub threshold: f64,
    /// How long the signal must have been beyond it without a break.
    pub lasting: Span,
    /// Windows, ending now, over which it is taken: the mean of a level, the number of what is
    /// counted. All of them must be beyond the threshold. Without windows the level of the moment is
    /// taken.
    pub over: Vec<Span>,
}

/// An alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alert {
    /// Row of its rule.
    pub rule: usize,
    /// When it began.
    pub from: Time,
    /// When it ended, or the run did.
    pub until: Time,
    /// The value furthest beyond the threshold since the signal got beyond it; of several windows
    /// that of the first.
    pub worst: f64,
    /// Whether it was over before the run.
    pub over: bool,
}

/// Alerts of one rule in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlertCount {
    /// Number of alerts.
    pub alerts: u64,
    /// Time in which there was one.
    pub time: Span,
}

/// Watches the signals of rules. A rule costs time at each move of the clock; without rules nothing
/// is watched.
#[derive(Debug, Default)]
pub struct Alerts {
    rules: Vec<RuleWatch>,
    /// Alerts that end before are left out: the end of a warm-up.
    counted_from: Option<Time>,
    log: Vec<Alert>,
    counts: Vec<AlertCount>,
    /// The oldest wait, where a rule looks at it.
    oldest: Option<OldestWait>,
}

impl Alerts {
    /// Watches `rules`, of which those of budgets come last and are watched with the budgets; alerts that
    /// end before `counted_from` are left out.
    pub fn new(rules: &[AlertRule], counted_from: Option<Time>) -> Self {
        let is_watched = |rule: &&AlertRule| rule.signal.kind() != SignalKind::Budget;
        Self {
            rules: rules.iter().filter(is_watched).map(RuleWatch::new).collect(),
            counted_from,
            log: Vec::new(),
            counts: vec![AlertCount::default(); rules.len()],
            oldest: rules
                .iter()
                .any(|rule| rule.signal == Signal::OldestWait)
                .then(OldestWait::default),
        }
    }

    /// The alerts in order of their beginning, as far as they are kept, and the counts by rule.
    pub fn into_log(mut self) -> (Vec<Alert>, Vec<AlertCount>) {
        self.log.sort_by_key(|alert| (alert.from, alert.rule));
        (self.log, self.counts)
    }

    /// Adds an alert that was found elsewhere.
    pub fn add(&mut self, alert: Alert) {
        self.note(Some(alert));
    }

    fn note(&mut self, alert: Option<Alert>) {
        let counted_from = self.counted_from;
        let counts = |alert: &Alert| counted_from.is_none_or(|from| alert.until > from);
        let Some(alert) = alert.filter(counts) else { return };
        let count = &mut self.counts[alert.rule];
        count.alerts += 1;
        count.time += alert.until - alert.from;
        if self.log.len() < MOST_ALERTS {
            self.log.push(alert);
        }
    }
}

/// One rule, and how its signal stands.
#[derive(Debug)]
struct RuleWatch {
    rule: AlertRule,
    /// The threshold in millionths.
    limit: i128,
    trails: Vec<Trail>,
    /// Since when the signal has been beyond, and its worst value since.
    beyond: Option<(Time, f64)>,
}

/// Times of a stretch in which a signal is beyond its threshold, and its values at their ends.
#[derive(Clone, Copy, Debug)]
struct BeyondStretch {
    from: Time,
    until: Time,
    values: [f64; 2],
}

impl RuleWatch {
    fn new(rule: &AlertRule) -> Self {
        Self {
            limit: libm::round(rule.threshold * 1e6) as i128,
            trails: rule.over.iter().map(|&width| Trail::new(width)).collect(),
            rule: rule.clone(),
            beyond: None,
        }
    }

    /// Distance beyond the threshold of a value, in millionths of its denominator: above 0 where it
    /// is beyond.
    fn excess(&self, [over, under]: TrailSum) -> i128 {
        let excess = over * 1_000_000 - self.limit * under;
        if self.rule.above { excess } else { -excess }
    }

    /// Sums and their growth, as values: what is counted has a denominator of one.
    fn as_value(&self, sum: TrailSum) -> TrailSum {
        match self.rule.signal.kind() {
            SignalKind::Count => [sum[0], 1],
            SignalKind::Level | SignalKind::Age | SignalKind::Share | SignalKind::Budget => sum,
        }
    }

    /// The alert that ends at `until`, the row of the rule being `rule`.
    fn ended(&mut self, rule: usize, until: Time, over: bool) -> Option<Alert> {
        let (since, worst) = self.beyond.take()?;
        let from = since + self.rule.lasting;
        (from < until).then_some(Alert { rule, from, until, worst, over })
    }

    /// Takes in a stretch from `from` to `until`, of which the signal was beyond for a part. Returns
    /// the alerts that end with it.
    fn stretch(
        &mut self,
        rule: usize,
        (from, until): (Time, Time),
        part: Option<BeyondStretch>,
    ) -> [Option<Alert>; 2] {
        let Some(part) = part.filter(|part| part.from < part.until) else {
            return [self.ended(rule, from, true), None];
        };
        let before = if from < part.from { self.ended(rule, from, true) } else { None };
        let worse = |a: f64, b: f64| if self.rule.above { a.max(b) } else { a.min(b) };
        let worst = worse(part.values[0], part.values[1]);
        let (since, so_far) = self.beyond.unwrap_or((part.from, worst));
        self.beyond = Some((since, worse(so_far, worst)));
        let after = if part.until < until { self.ended(rule, part.until, true) } else { None };
        [before, after]
    }

    /// The part of a stretch in which the windows' sums, which grow evenly, are all beyond.
    fn part(&self, from: Time, until: Time) -> Option<BeyondStretch> {
        let span = i128::from((until - from).micros());
        let (mut low, mut high) = (0, span);
        for trail in &self.trails {
            let excess = self.excess(self.as_value(trail.sum));
            let slope = self.excess(match self.rule.signal.kind() {
                SignalKind::Level => trail.slope(),
                SignalKind::Age | SignalKind::Count | SignalKind::Share | SignalKind::Budget => {
                    [0, 0]
                }
            });
            match slope.signum() {
                1 if excess < 0 => low = low.max((-excess + slope - 1) / slope),
                -1 if excess > 0 => high = high.min((excess - slope - 1) / -slope),
                0 if excess > 0 => {}
                1 => {}
                _ => return None,
            }
        }
        let first = self.trails.first()?;
        let at = |micros: i128| {
            let span = Span::from_micros(i64::try_from(micros.min(span)).unwrap_or(i64::MAX));
            let [over, under] = self.as_value(first.after(span));
            (from + span, over as f64 / under as f64)
        };
        let ((from, begins), (until, ends)) = (at(low.min(high)), at(high));
        Some(BeyondStretch { from, until, values: [begins, ends] })
    }

    /// Moves on while the state holds still; `found` hears the alerts that end.
    fn elapse(
        &mut self,
        rule: usize,
        state: &State<'_>,
        (from, to): (Time, Time),
        oldest: Option<Time>,
        found: &mut dyn FnMut(Option<Alert>),
    ) {
        let (kind, level) = (self.rule.signal.kind(), self.rule.signal.level(state));
        if self.trails.is_empty() {
            let part = match kind {
                SignalKind::Level => {
                    let value = level[0] as f64 / level[1] as f64;
                    let beyond = BeyondStretch { from, until: to, values: [value; 2] };
                    (self.excess(level) > 0).then_some(beyond)
                }
                SignalKind::Age => oldest.and_then(|since| {
                    let limit = Span::from_micros(i64::try_from(self.limit).unwrap_or(i64::MAX));
                    let begins = since.saturating_add(limit).max(from);
                    let values = [begins, to].map(|at| (at - since).secs_f64());
                    (begins < to).then_some(BeyondStretch { from: begins, until: to, values })
                }),
                SignalKind::Count | SignalKind::Share | SignalKind::Budget => None,
            };
            self.stretch(rule, (from, to), part).into_iter().for_each(found);
            return;
        }
        if kind == SignalKind::Level {
            self.trails.iter_mut().for_each(|trail| trail.set(from, level));
        }
        let mut now = from;
        while now < to {
            self.trails.iter_mut().for_each(|trail| trail.leave(now));
            let next = self.trails.iter().filter_map(Trail::next).min();
            let next = next.map_or(to, |next| next.min(to));
            let part = self.part(now, next);
            self.stretch(rule, (now, next), part).into_iter().for_each(&mut *found);
            self.trails.iter_mut().for_each(|trail| trail.pass(next - now));
            now = next;
        }
    }
}

/// The work that has waited longest, found in a heap of all waits that began.
#[derive(Debug, Default)]
struct OldestWait {
    waits: BinaryHeap<Reverse<(Time, WorkRef)>>,
}

impl OldestWait {
    /// Tasks of `work` may wait from now on, or go on to.
    fn waits(&mut self, state: &State<'_>, work: WorkRef) {
        let Some(since) = state.waits_still(work) else { return };
        self.waits.push(Reverse((since, work)));
        // Those that wait no longer are thrown out when they are more than half.
        if self.waits.len() > 2 * (state.totals().waiting as usize).max(32) {
            let still = |&Reverse((since, work)): &Reverse<(Time, WorkRef)>| {
                state.waits_still(work) == Some(since)
            };
            let mut all = std::mem::take(&mut self.waits).into_vec();
            all.retain(still);
            all.sort_unstable();
            all.dedup();
            self.waits = all.into();
        }
    }

    /// Since when the first of the work that waits has done so.
    fn since(&mut self, state: &State<'_>) -> Option<Time> {
        while let Some(&Reverse((since, work))) = self.waits.peek() {
            if state.waits_still(work) == Some(since) {
                return Some(since);
            }
            self.waits.pop();
        }
        None
    }
}

impl Observer for Alerts {
    fn watches(&self) -> bool {
        !self.rules.is_empty()
    }

    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        let oldest = self.oldest.as_mut().and_then(|oldest| oldest.since(state));
        let mut rules = std::mem::take(&mut self.rules);
        for (row, watch) in rules.iter_mut().enumerate() {
            watch.elapse(row, state, (from, to), oldest, &mut |alert| self.note(alert));
        }
        self.rules = rules;
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        let fact = Fact::of(state, record);
        let waits = match fact {
            Fact::Submitted(work, _) => Some(work),
            Fact::Stopped { stopped, .. } => Some(stopped.work()),
            Fact::Placed(_)
            | Fact::Started(..)
            | Fact::Finished(..)
            | Fact::Refused(..)
            | Fact::Unfinished(_)
            | Fact::Requested(..)
            | Fact::Ready(..)
            | Fact::Draining(..)
            | Fact::Failed(..)
            | Fact::Repaired(..)
            | Fact::Outage(..)
            | Fact::Slowed { .. }
            | Fact::Devices { .. }
            | Fact::Restarted(..)
            | Fact::GivenUp { .. }
            | Fact::Migrates(..)
            | Fact::AtRisk(..)
            | Fact::Released { .. }
            | Fact::Charged(..)
            | Fact::LaunchRefused(..)
            | Fact::Noted => None,
        };
        if let (Some(oldest), Some(work)) = (&mut self.oldest, waits) {
            oldest.waits(state, work);
        }
        for watch in &mut self.rules {
            let counted = watch.rule.signal.counted(state, fact);
            watch.trails.iter_mut().for_each(|trail| trail.count(state.now(), counted));
        }
    }

    fn ends(&mut self, state: &State<'_>) {
        for row in 0..self.rules.len() {
            let alert = self.rules[row].ended(row, state.now(), false);
            self.note(alert);
        }
    }
}
