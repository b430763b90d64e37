//! The answer: which policy to take, what it saves, which promises it gains
//! and loses, and what that rests on.
//!
//! A policy is taken only for what is shown. It must do the work that the
//! baseline does; then promises count, each gained or lost, and where these are
//! even those that are kept more often; then cost. Of those that are ahead, one
//! whose mean keeps a promise comes before one whose mean breaks it. The baseline
//! stays where no other is shown to be ahead of it.

use std::cmp::Ordering;

use super::compare::{Arm, Comparison, HALF_A_CENT, least_difference};
use super::cost::leading_cost;
use super::measurement::Measurement;
use super::runner::{Runner, RunnerFailure};
use super::sensitivity::{Sensitivity, sensitivity};
use super::statistics::multiple::holm;
use super::statistics::promise::same_share;
use super::statistics::{Interval, paired};
use crate::metrics::{Direction, METRICS, Metric};
use crate::scenario::Objective;

/// Share of the baseline's work that a policy must do more, if no margin is
/// given, for that to speak for it: what a horizon cuts off differs by a little.
const MORE: f64 = 0.01;

/// Share of a cost within which two costs are one for all practical ends, if no margin is given.
pub const NEAR: f64 = 0.01;

/// Metrics of service: what users of a system notice.
pub const SERVICE: [&str; 6] =
    ["deadlines_met", "wait_p95", "wait_mean", "wait_max", "turnaround_mean", "slowdown_mean"];

/// Change of a promise against the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromiseChange {
    /// The policy's mean keeps it and the baseline's does not, and that it is kept better is shown.
    Gained,
    /// The policy's mean breaks it and the baseline's does not, and there is reason to take that
    /// for more than chance.
    Lost,
    /// Kept in more replications than under the baseline, and that is shown, while both means keep
    /// it, or both still break it.
    MoreOften,
    /// Kept in fewer replications, and that is shown, while the means are on one side of the bound.
    LessOften,
    /// None of these is shown.
    Even,
}

/// A promise under a policy and under the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Replications in which the baseline kept it.
    pub before: u32,
    /// Replications in which the policy kept it.
    pub after: u32,
    /// Whether the policy's mean over the replications keeps the promise, which is what "kept"
    /// means.
    pub kept: bool,
    /// Whether the baseline's mean keeps the promise.
    pub kept_before: bool,
    /// Change of the promise against the baseline.
    pub change: PromiseChange,
}

/// Assessment of a policy against the baseline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assessment {
    /// Whether the policy is shown to do more (`Some(true)`) or less of the work.
    pub work: Option<bool>,
    /// Promises by objective.
    pub promises: Vec<Promise>,
    /// Whether the policy is shown to cost less (`Some(true)`) or more: per month, or per useful
    /// hour if the work differs.
    pub cost: Option<bool>,
    /// Whether the mean of that cost is higher than the baseline's, by half a cent or more of
    /// dollars, shown or not.
    pub dearer: bool,
    /// Whether the policy serves better for the same money: see `serves_for_nothing`.
    pub free_win: bool,
}

/// A saving with its interval, where chance was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saving {
    /// Dollars per month less than the baseline; negative where it costs more.
    pub monthly: f64,
    /// Interval of the saving; `None` if it is no wider than a cent.
    pub interval: Option<Interval>,
}

/// Decision of a comparison: the policy to take, with the reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Row of the policy to take; the baseline's if no policy is shown to be better.
    pub choice: usize,
    /// Assessment of each policy against the baseline, which stands even with itself.
    pub assessments: Vec<Assessment>,
    /// Saving of the choice; `None` if the work done differs, and costs cannot be compared.
    pub saving: Option<Saving>,
    /// Assumptions that move the saving (or the difference in cost per useful hour, where costs
    /// cannot be compared).
    pub sensitivity: Sensitivity,
}

impl Assessment {
    /// Standing of the policy against the baseline, to be compared number by number: promises gained
    /// less promises lost, where more work done counts as one gained; then promises kept more often
    /// less those kept less often.
    pub fn balance(&self) -> [i64; 2] {
        let net = |more, less| self.count(more) - self.count(less);
        [
            net(PromiseChange::Gained, PromiseChange::Lost) + i64::from(self.work == Some(true)),
            net(PromiseChange::MoreOften, PromiseChange::LessOften),
        ]
    }

    /// Promises that the policy's mean keeps less those that the baseline's does, shown or not; more
    /// work done counts as one.
    pub fn kept_more(&self) -> i64 {
        let one = |promise: &Promise| i64::from(promise.kept) - i64::from(promise.kept_before);
        self.promises.iter().map(one).sum::<i64>() + i64::from(self.work == Some(true))
    }

    /// Whether the policy is shown to be ahead of the baseline. A policy that does less of the work
    /// is not, whatever it costs, nor one whose means keep fewer promises. To keep promises more
    /// often is worth no higher cost: not even a higher mean that is not shown to be, for one odd
    /// replication can hide any difference from a test of means.
    pub fn is_ahead(&self) -> bool {
        let [net, often] = self.balance();
        let ahead = match (net.signum(), often.signum()) {
            (1, _) => true,
            (0, 1) => self.cost != Some(false) && !self.dearer,
            (0, 0) => self.cost == Some(true),
            _ => false,
        };
        self.work != Some(false) && self.kept_more() >= 0 && ahead
    }

    /// Rows of the objectives whose promises change in this way.
    pub fn rows(&self, change: PromiseChange) -> Vec<usize> {
        let is = |row: &usize| self.promises[*row].change == change;
        (0..self.promises.len()).filter(is).collect()
    }

    fn count(&self, change: PromiseChange) -> i64 {
        self.rows(change).len() as i64
    }
}

impl Decision {
    /// Assessment of the choice.
    pub fn chosen(&self) -> &Assessment {
        &self.assessments[self.choice]
    }
}

/// Decides.
///
/// # Errors
/// See [`RunnerFailure`]: assumptions are moved in runs of their own.
pub fn decide(
    runner: &Runner<'_>,
    sides: &[Arm<'_>],
    comparison: &Comparison,
) -> Result<Decision, RunnerFailure> {
    let base = comparison.baseline;
    let standings = standings(comparison, &sides[base].scenario.objectives);
    let choice = choose(comparison, &standings);
    let comparable = comparison.policies[choice].comparable;
    // A free win saves nothing that an assumption could move.
    let sensitivity = match standings[choice].is_ahead() {
        false => Sensitivity::default(),
        true => sensitivity(
            runner,
            [&sides[base], &sides[choice]],
            comparison.repetition,
            comparison.replications,
            |a, b| match comparable {
                true if !a.same_work(b) => None,
                true => by("cost_monthly", a, b),
                false => by(per_hour(comparison), a, b),
            },
        )?,
    };
    Ok(Decision { choice, saving: saving(comparison, choice), assessments: standings, sensitivity })
}

/// Value of `a` less that of `b` in the metric called `key`; `None` if either has no value.
fn by(key: &str, a: &Measurement, b: &Measurement) -> Option<f64> {
    Some(a.metric(key)? - b.metric(key)?)
}

/// Leading cost where the work differs: the cost per useful core-hour, or per useful GPU-hour where
/// no core does anything.
fn per_hour(comparison: &Comparison) -> &'static str {
    let cores = mean(comparison, comparison.baseline, "cost_per_core_hour");
    leading_cost(false, cores.is_some())
}

fn mean(comparison: &Comparison, row: usize, key: &str) -> Option<f64> {
    comparison.mean(row, METRICS.iter().position(|metric| metric.key == key)?)
}

fn saving(comparison: &Comparison, row: usize) -> Option<Saving> {
    let contrast = comparison.contrast(row, "cost_monthly")?;
    let turned = |of: Interval| Interval { mean: -of.mean, low: -of.high, high: -of.low, ..of };
    let paired = contrast.paired.filter(|_| comparison.is_judged());
    // An interval narrower than a cent is a point: bills are rounded.
    let wide = |of: &Interval| of.half_width >= HALF_A_CENT;
    Some(Saving {
        // Nothing is saved where nothing differs, not minus nothing.
        monthly: 0.0 - contrast.difference(),
        interval: paired.map(|paired| turned(paired.interval)).filter(wide),
    })
}

fn standings(comparison: &Comparison, objectives: &[Objective]) -> Vec<Assessment> {
    let rows = 0..comparison.policies.len();
    let tallies: Vec<Vec<PromiseTally>> = rows
        .clone()
        .map(|row| {
            let tally = |one| PromiseTally::of(comparison, row, one);
            objectives.iter().enumerate().map(tally).collect()
        })
        .collect();
    // Evidence for a policy is corrected for the number of chances to be lucky.
    let others = tallies.iter().enumerate().filter(|&(row, _)| row != comparison.baseline);
    let family: Vec<f64> = others.flat_map(|(_, all)| all.iter().map(|one| one.p)).collect();
    let mut adjusted = holm(&family).into_iter();
    let standing = |row: usize| {
        if row == comparison.baseline {
            let even = |tally: &PromiseTally| tally.promise(PromiseChange::Even);
            let promises = tallies[row].iter().map(even).collect();
            return Assessment { promises, ..Assessment::default() };
        }
        let promise = |(tally, objective): (&PromiseTally, &Objective)| {
            let adjusted_p = adjusted.next().unwrap_or(1.0);
            tally.promise(tally.change(comparison, row, objective, adjusted_p))
        };
        let cost = comparison.shown(row, leading(comparison, row));
        let promises = tallies[row].iter().zip(objectives).map(promise).collect();
        let dearer = comparison
            .contrast(row, leading(comparison, row))
            .is_some_and(|contrast| contrast.difference() >= HALF_A_CENT);
        let work = work(comparison, row);
        let standing = Assessment { work, promises, cost, dearer, free_win: false };
        Assessment { free_win: serves_for_nothing(comparison, row, &standing), ..standing }
    };
    rows.map(standing).collect()
}

/// The cost that leads: of a month, or where the policy in `row` did not do the
/// baseline's work that of a useful hour.
pub fn leading(comparison: &Comparison, row: usize) -> &'static str {
    match comparison.policies[row].comparable {
        true => leading_cost(true, true),
        false => per_hour(comparison),
    }
}

/// Whether a policy that is not ahead is better in some [`SERVICE`], worse in
/// none, keeps every promise that the baseline keeps, does its work and costs the
/// same: to half a cent, or with an interval within [`NEAR`] of the baseline's cost.
fn serves_for_nothing(comparison: &Comparison, row: usize, standing: &Assessment) -> bool {
    let same_cost = comparison.contrast(row, "cost_monthly").is_some_and(|contrast| {
        let by = contrast.difference();
        let interval = contrast.paired.filter(|_| comparison.is_judged()).map(|one| one.interval);
        let (low, high) = interval.map_or((by, by), |interval| (interval.low, interval.high));
        let near = (NEAR * contrast.base.abs()).max(HALF_A_CENT);
        match comparison.is_judged() {
            true => -near <= low && high <= near,
            false => by.abs() < HALF_A_CENT,
        }
    });
    let is = |better: bool| SERVICE.iter().any(|key| comparison.shown(row, key) == Some(better));
    let even = standing.work.is_none() && standing.balance() == [0, 0];
    let keeps = standing.promises.iter().all(|one| one.kept || !one.kept_before);
    let keeps = keeps && standing.rows(PromiseChange::LessOften).is_empty();
    even && keeps && standing.cost.is_none() && same_cost && is(true) && !is(false)
}

/// An amount of work that a run did.
type Amount = fn(&Measurement) -> f64;

/// Amounts of work that are counted, jobs first.
const COUNTED: [(&str, Amount); 3] = [
    ("jobs", |one| one.done.finished as f64),
    ("core-hours", |one| one.done.core_hours),
    ("GPU-hours", |one| one.done.gpu_hours),
];

/// Whether a policy does clearly more or less of the work: the worst of jobs, core-hours and
/// GPU-hours, for a few large jobs may be most of it. The interval decides, not the corrected
/// verdict: what is left undone must not hide behind the number of questions.
fn work(comparison: &Comparison, row: usize) -> Option<bool> {
    let margin = comparison.judging.margin;
    let contrast = comparison.contrast(row, "finished")?;
    let interval = contrast.paired.filter(|_| comparison.is_judged()).map(|one| one.interval);
    let by = contrast.difference();
    let (low, high) = interval.map_or((by, by), |interval| (interval.low, interval.high));
    let jobs = beyond((low, high), contrast.base, margin.unwrap_or(0.0), margin.unwrap_or(MORE));
    let hours = COUNTED[1..].iter().map(|(_, of)| done(comparison, comparison.baseline, row, *of));
    let hours = hours.filter(|_| !comparison.policies[row].comparable);
    let all: Vec<bool> = hours.chain([jobs]).flatten().collect();
    all.into_iter().min()
}

/// Whether the policy in `row` is shown to do more or less than the one in `base` by so much that
/// it matters.
fn done(comparison: &Comparison, base: usize, row: usize, of: Amount) -> Option<bool> {
    let all =
        |row: usize| -> Vec<f64> { comparison.policies[row].measurements.iter().map(of).collect() };
    let (a, b) = (all(base), all(row));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let by = mean(&b) - mean(&a);
    let paired = paired(&a, &b, comparison.judging.confidence);
    let interval = paired.filter(|_| comparison.is_judged()).map(|one| one.interval);
    let (low, high) = interval.map_or((by, by), |interval| (interval.low, interval.high));
    let margin = comparison.judging.margin.unwrap_or(MORE);
    beyond((low, high), mean(&a), margin, margin)
}

/// Whether a difference lies below (`Some(false)`) or above (`Some(true)`) the part of `base` that
/// does not matter.
fn beyond((low, high): (f64, f64), base: f64, less: f64, more: f64) -> Option<bool> {
    match () {
        () if high < -less * base => Some(false),
        () if low > more * base => Some(true),
        () => None,
    }
}

/// Ratio of one policy's work to that of another: by jobs, or where that tells much less of a
/// difference, by the core-hours or the GPU-hours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorkRatio {
    /// `jobs`, `core-hours` or `GPU-hours`.
    pub unit: &'static str,
    /// Mean of the policy over the mean of the other.
    pub ratio: f64,
}

/// Ratio of the work of the policy in `row` to that of the one in `base`: by jobs, or by hours that
/// tell clearly more of a difference; `None` if no difference is shown.
pub fn work_ratio(comparison: &Comparison, base: usize, row: usize) -> Option<WorkRatio> {
    let ratio = |&(unit, of): &(&'static str, Amount)| {
        done(comparison, base, row, of)?;
        let sum = |row: usize| comparison.policies[row].measurements.iter().map(of).sum::<f64>();
        let ratio = sum(row) / sum(base);
        (ratio.is_finite() && ratio > 0.0).then_some(WorkRatio { unit, ratio })
    };
    let size = |one: &WorkRatio| libm::log(one.ratio).abs();
    // A tenth tells of hours what jobs do not.
    let first = COUNTED.iter().filter_map(ratio);
    first.reduce(|best, one| if size(&one) > size(&best) + 0.1 { one } else { best })
}

/// Whether the mean of the policy in `row` keeps an objective, which has its row in the scenario.
fn keeps(comparison: &Comparison, row: usize, (at, objective): (usize, &Objective)) -> bool {
    let mean = comparison.promised(row, at, objective);
    mean.is_some_and(|value| objective.kept(value))
}

/// A promise, replication by replication.
struct PromiseTally {
    before: u32,
    after: u32,
    /// Whether the mean keeps the promise.
    kept: bool,
    /// Whether the baseline's mean keeps the promise.
    kept_before: bool,
    /// p-value of "both keep it as often".
    p: f64,
}

impl PromiseTally {
    fn of(comparison: &Comparison, row: usize, (at, objective): (usize, &Objective)) -> Self {
        let kept = |one: &Measurement| {
            one.promised(at, objective).is_some_and(|value| objective.kept(value))
        };
        let base = &comparison.policies[comparison.baseline].measurements;
        let pairs = base.iter().zip(&comparison.policies[row].measurements);
        let pairs: Vec<(bool, bool)> = pairs.map(|(a, b)| (kept(a), kept(b))).collect();
        let count = |which: fn(&(bool, bool)) -> bool| {
            pairs.iter().filter(|pair| which(pair)).count() as u32
        };
        let (lost, gained) = (count(|&(a, b)| a && !b), count(|&(a, b)| !a && b));
        Self {
            before: count(|&(a, _)| a),
            after: count(|&(_, b)| b),
            kept: keeps(comparison, row, (at, objective)),
            kept_before: keeps(comparison, comparison.baseline, (at, objective)),
            p: same_share(u64::from(lost), u64::from(gained)),
        }
    }

    fn promise(&self, change: PromiseChange) -> Promise {
        let &Self { before, after, kept, kept_before, .. } = self;
        Promise { before, after, kept, kept_before, change }
    }

    /// Change of the promise. It is lost as soon as there is reason to fear so: the mean is on the
    /// other side of its bound, unless it is kept as often as before and the verdict on the metric
    /// is not `worse`. It is gained only if that is shown: the mean is on the right side now, and
    /// the verdict on the metric is better or it is kept in more replications (McNemar), with all
    /// promises of all policies corrected for. While the mean stays on its side, replications only
    /// say how often it is kept; that it is less often is said without correction.
    fn change(
        &self,
        comparison: &Comparison,
        row: usize,
        objective: &Objective,
        adjusted_p: f64,
    ) -> PromiseChange {
        if !comparison.is_judged() {
            return match self.after.cmp(&self.before) {
                Ordering::Less => PromiseChange::Lost,
                Ordering::Equal => PromiseChange::Even,
                Ordering::Greater => PromiseChange::Gained,
            };
        }
        let alpha = 1.0 - comparison.judging.confidence;
        let shown = match objective.window {
            None => comparison.shown(row, objective.metric.key),
            Some(_) => None,
        };
        let (fewer, more) = (self.after < self.before, self.after > self.before);
        let [less_often, more_often] = [fewer && self.p <= alpha, more && adjusted_p <= alpha];
        match (self.kept_before, self.kept) {
            (true, false) if fewer || shown == Some(false) => PromiseChange::Lost,
            (false, true) if more_often || shown == Some(true) => PromiseChange::Gained,
            (true, false) => PromiseChange::Even,
            _ if less_often => PromiseChange::LessOften,
            (false, true) => PromiseChange::Even,
            (true, true) | (false, false) if more_often => PromiseChange::MoreOften,
            (true, true) | (false, false) => PromiseChange::Even,
        }
    }
}

/// Row of the policy to take: of those that are shown to be ahead the one whose means keep most
/// promises, and among those the one that gains most, then the one that costs least, to half a cent
/// a month; of those that cost the same the one that keeps its promises in most replications, then
/// the one with the better service, metric by metric; the first of equals. If none is ahead, it is
/// the free win that is better in most metrics of service, then the one with the shortest mean
/// wait.
fn choose(comparison: &Comparison, standings: &[Assessment]) -> usize {
    let ahead: Vec<usize> = (0..standings.len()).filter(|&row| standings[row].is_ahead()).collect();
    let same = ahead.iter().all(|&row| comparison.policies[row].comparable);
    let key = if same { "cost_monthly" } else { per_hour(comparison) };
    let cost = |row: usize| mean(comparison, row, key).unwrap_or(f64::INFINITY);
    let gains = |row: usize| (standings[row].kept_more(), standings[row].balance());
    let most = ahead.iter().map(|&row| gains(row)).max();
    let ahead: Vec<usize> = ahead.into_iter().filter(|&row| Some(gains(row)) == most).collect();
    let least = ahead.iter().map(|&row| cost(row)).fold(f64::INFINITY, f64::min);
    let metric = Metric::named(key).expect("a cost is a metric");
    let same =
        |row: usize| cost(row) <= least || cost(row) - least < least_difference(metric, least);
    let best = ahead.into_iter().filter(|&row| same(row)).min_by(|&a, &b| {
        let often = |row: usize| kept_in(&standings[row]);
        often(b).cmp(&often(a)).then_with(|| by_service(comparison, a, b))
    });
    best.or_else(|| free_win(comparison, standings)).unwrap_or(comparison.baseline)
}

/// Replications in which promises are kept, summed over the promises.
fn kept_in(standing: &Assessment) -> u64 {
    standing.promises.iter().map(|promise| u64::from(promise.after)).sum()
}

/// The better mean first, of the first metric of [`SERVICE`] in which two policies differ.
fn by_service(comparison: &Comparison, a: usize, b: usize) -> Ordering {
    let order = |key: &&str| {
        let metric = Metric::named(key)?;
        let (a, b) = (mean(comparison, a, key)?, mean(comparison, b, key)?);
        Some(match metric.better {
            Direction::Higher => b.total_cmp(&a),
            Direction::Lower | Direction::Neutral => a.total_cmp(&b),
        })
    };
    let orders = SERVICE.iter().filter_map(order);
    orders.fold(Ordering::Equal, Ordering::then)
}

fn free_win(comparison: &Comparison, standings: &[Assessment]) -> Option<usize> {
    let better =
        |row: usize| SERVICE.iter().filter(|key| comparison.shown(row, key) == Some(true)).count();
    let wait = |row: usize| mean(comparison, row, "wait_mean").unwrap_or(f64::INFINITY);
    let free = (0..standings.len()).filter(|&row| standings[row].free_win);
    free.min_by(|&a, &b| better(b).cmp(&better(a)).then(wait(a).total_cmp(&wait(b))))
}

#[cfg(test)]
mod tests;
