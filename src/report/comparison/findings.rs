//! Findings of a comparison as data: `findings` of `compare.json`, which the sentences of
//! `words/compare.txt` are made from.

use serde::Serialize;

use super::super::words::{Statements, render};
use super::ComparisonReport;
use super::money::{LeadingCosts, MovedMonth};
use super::other::{Other, WhyNot};
use super::sure::{Sure, TooFew};
use crate::experiment::{
    Assessment, HALF_A_CENT, NEAR, Promise, PromiseChange, SERVICE, WorkRatio, work_ratio,
};
use crate::metrics::Metric;

/// Assumptions that are named.
const NAMED: usize = 2;
/// Metrics of service that are named for one policy.
const SERVICES_NAMED: usize = 2;
/// Other policies that are named with a reason why they are not taken, besides those that do the
/// same as the baseline.
const OTHERS_NAMED: usize = 2;

/// Advice that follows from a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Advice {
    /// A policy is ahead of the baseline.
    Take,
    /// A policy serves better for the same money.
    FreeWin,
    /// No policy is ahead of the baseline.
    Keep,
    /// The two scenarios do not have the same work.
    None,
}

#[derive(Clone, Debug, Serialize)]
struct ComparisonFindings {
    advice: Advice,
    policy: String,
    baseline: String,
    replications: u32,
    /// Policies that were compared.
    policies: usize,
    /// Whether there was chance, so that differences are judged.
    judged: bool,
    confidence: f64,
    /// Number of objectives.
    objectives: usize,
    /// Share of the choice's cost within which another counts as as cheap.
    near_share: f64,
    /// Whether no policy differs from the baseline in work, promises or cost.
    all_alike: bool,
    /// Policies that more replications would tell from the baseline, which is kept for want of
    /// them.
    too_few: Option<TooFew>,
    /// Whether the choice did the work that the baseline did.
    same_work: bool,
    money: Option<LeadingCosts>,
    /// Cost of a month, where that is not the cost that leads.
    month: Option<MovedMonth>,
    /// Verdicts that Holm's correction is made for.
    verdicts: usize,
    /// Work finished now and under the baseline, where the choice is shown to do more.
    finished: Option<ChangedMetric>,
    /// The same in hours, where that says much more: `8.3 times the GPU-hours`.
    finished_hours: Option<String>,
    /// The policy whose work the choice does least of, where it is shown to do less.
    does_less: Option<DoesLess>,
    /// The promises of the policy, or of the baseline where it is kept.
    promises: Vec<Promised>,
    better: Vec<ChangedMetric>,
    worse: Vec<ChangedMetric>,
    others: Vec<Other>,
    /// Number of policies that nothing is said of.
    more_others: usize,
    /// Whether any of the others seems dearer or cheaper, and no verdict shows it.
    hides: bool,
    moves: Vec<SensitivityMove>,
    moves_more: usize,
    /// Replications that the moved assumptions were tried in.
    moves_replications: u32,
    unfit: Vec<String>,
    sure: Sure,
}

/// A policy that does more than the choice.
#[derive(Clone, Debug, Serialize)]
struct DoesLess {
    policy: String,
    /// Ratio of the choice's hours to those of the policy: `12.0 % of the GPU-hours`.
    hours: String,
}

/// A metric under a policy and under the baseline.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ChangedMetric {
    pub(super) label: &'static str,
    pub(super) unit: &'static str,
    pub(super) now: f64,
    pub(super) was: f64,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Promised {
    pub(super) words: String,
    /// Whether the mean keeps it.
    pub(super) kept: bool,
    /// Whether the baseline's mean does.
    pub(super) kept_before: bool,
    /// Replications that keep it under the baseline, and under the policy.
    pub(super) before: u32,
    pub(super) after: u32,
    /// `gained`, `lost`, `more often` or `less often` where the means stay on their side, or `even`.
    pub(super) change: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct SensitivityMove {
    assumption: String,
    /// Dollars more (or less) that the choice saves.
    by: f64,
}

impl ComparisonReport<'_> {
    /// Findings in words.
    pub(super) fn statements(&self) -> Statements {
        let mut said = render(include_str!("../words/compare.txt"), &self.findings());
        said.cautions.extend(self.cautions.iter().cloned());
        said
    }

    /// Findings as data.
    pub(super) fn findings(&self) -> impl Serialize {
        let (base, choice) = (self.many.baseline, self.choice());
        let standing = self.decision.map(|decision| decision.chosen());
        let advice = match self.decision {
            None => Advice::None,
            Some(_) if choice == base => Advice::Keep,
            Some(decision) if decision.chosen().free_win => Advice::FreeWin,
            Some(_) => Advice::Take,
        };
        let moves = |row: usize| self.month(row).is_some_and(|month| month.moves);
        let alike = |(row, one): (usize, &Assessment)| {
            one.work.is_none()
                && one.cost.is_none()
                && !moves(row)
                && one.rows(PromiseChange::Even).len() == one.promises.len()
        };
        let standings = self.decision.map_or(&[][..], |decision| &decision.assessments);
        let (same, mut others): (Vec<Other>, Vec<Other>) =
            self.others(standings).into_iter().partition(|other| other.why == WhyNot::Same);
        let more = others.split_off(others.len().min(OTHERS_NAMED));
        others.extend(same);
        let sensitivity = self.decision.map(|decision| &decision.sensitivity);
        let least = if self.many.comparable() { HALF_A_CENT } else { 0.0 };
        let moves: Vec<SensitivityMove> = sensitivity
            .into_iter()
            .flat_map(|found| &found.influences)
            .filter(|one| one.moved().abs() > least)
            .map(|one| SensitivityMove { assumption: one.assumption.clone(), by: one.moved() })
            .collect();
        ComparisonFindings {
            advice,
            policy: self.name(choice),
            baseline: self.name(base),
            replications: self.many.replications,
            judged: self.is_judged(),
            confidence: self.many.judging.confidence,
            objectives: self.rows.first().map_or(0, |row| row.objectives.len()),
            near_share: self.many.judging.margin.unwrap_or(NEAR),
            all_alike: standings.iter().enumerate().all(alike),
            policies: standings.len(),
            too_few: self.too_few().filter(|_| advice == Advice::Keep),
            same_work: self.many.policies[choice].comparable,
            money: self.money(choice),
            month: self.month(choice),
            verdicts: self.family(),
            finished: self.finished(choice, standing, true),
            finished_hours: self
                .hours(base, choice)
                .filter(|_| standing.is_some_and(|one| one.work == Some(true))),
            does_less: self.does_less(choice).filter(|_| self.decision.is_some()),
            promises: standing.map_or(Vec::new(), |standing| self.promised(standing)),
            better: self.services(choice, true),
            worse: self.services(choice, false),
            more_others: more.iter().map(|other| other.names.len()).sum(),
            hides: others.iter().any(|other| other.why == WhyNot::Hidden),
            others,
            moves_more: moves.len().saturating_sub(NAMED),
            moves: moves.into_iter().take(NAMED).collect(),
            moves_replications: sensitivity.map_or(0, |found| found.replications),
            unfit: sensitivity.map_or(Vec::new(), |found| found.unfit.clone()),
            sure: self.sure(),
        }
    }

    /// Row of the policy that is taken: the baseline where nothing was decided.
    pub(super) fn choice(&self) -> usize {
        self.decision.map_or(self.many.baseline, |decision| decision.choice)
    }

    pub(super) fn name(&self, row: usize) -> String {
        self.many.policies[row].name.clone()
    }

    /// The value of a metric under a policy, and what it is under the baseline.
    fn moved(&self, key: &str, row: usize) -> Option<ChangedMetric> {
        let metric = Metric::named(key)?;
        let (now, was) = (self.mean(metric, row)?, self.mean(metric, self.many.baseline)?);
        Some(ChangedMetric { label: metric.label, unit: metric.unit, now, was })
    }

    /// Work finished under a policy and the baseline, where it is shown to do more, or less if not
    /// only `more` counts, and the two can be told apart.
    pub(super) fn finished(
        &self,
        row: usize,
        standing: Option<&Assessment>,
        more: bool,
    ) -> Option<ChangedMetric> {
        let work = standing?.work?;
        let moved = self.moved("finished", row).filter(|_| work || !more)?;
        let shown = |value: f64| super::figure(moved.unit, Some(value));
        (shown(moved.now) != shown(moved.was)).then_some(moved)
    }

    /// Ratio of a policy's hours to those of another, where that says more than the jobs do.
    pub(super) fn hours(&self, base: usize, row: usize) -> Option<String> {
        let found = work_ratio(self.many, base, row).filter(|found| found.unit != "jobs")?;
        Some(ratio_words(found))
    }

    /// The policy whose work the choice does least of; `None` if it does no less than any.
    fn does_less(&self, choice: usize) -> Option<DoesLess> {
        let rows = (0..self.many.policies.len()).filter(|&row| row != choice);
        let ratio = |row: usize| Some((row, work_ratio(self.many, row, choice)?));
        let less = rows.filter_map(ratio).filter(|(_, found)| found.ratio < 1.0);
        let (row, found) = less.min_by(|(_, a), (_, b)| a.ratio.total_cmp(&b.ratio))?;
        Some(DoesLess { policy: self.name(row), hours: ratio_words(found) })
    }

    /// Metrics of the service that a policy is shown to make better, or worse.
    pub(super) fn services(&self, row: usize, better: bool) -> Vec<ChangedMetric> {
        let shown = |key: &&&str| self.many.shown(row, key) == Some(better);
        let differs = |one: &ChangedMetric| {
            super::figure(one.unit, Some(one.now)) != super::figure(one.unit, Some(one.was))
        };
        let moved = SERVICE.iter().filter(shown).filter_map(|key| self.moved(key, row));
        moved.filter(differs).take(SERVICES_NAMED).collect()
    }
    /// Verdicts that are corrected together.
    pub(super) fn family(&self) -> usize {
        let contrasts = self.many.policies.iter().flat_map(|one| one.contrasts.iter().flatten());
        contrasts.filter(|contrast| contrast.adjusted_p.is_some()).count()
    }

    pub(super) fn promised(&self, standing: &Assessment) -> Vec<Promised> {
        let objectives = self.rows.first().map_or(&[][..], |row| row.objectives);
        let one = |(promise, objective): (&Promise, &super::ObjectiveResult)| {
            let change = match promise.change {
                PromiseChange::Gained => "gained",
                PromiseChange::Lost => "lost",
                PromiseChange::MoreOften => "more often",
                PromiseChange::LessOften => "less often",
                PromiseChange::Even => "even",
            };
            let words = format!("{} {}", objective.label, objective.text);
            let &Promise { before, after, kept, kept_before, .. } = promise;
            Promised { words, kept, kept_before, before, after, change }
        };
        standing.promises.iter().zip(objectives).map(one).collect()
    }
}

/// `12.0 % of the GPU-hours`, `8.3 times the GPU-hours`.
fn ratio_words(found: WorkRatio) -> String {
    let WorkRatio { unit, ratio } = found;
    match ratio < 2.0 {
        true => format!("{:.1} % of the {unit}", ratio * 100.0),
        false => format!("{ratio:.1} times the {unit}"),
    }
}
