//! Findings of a comparison as data: `findings` of `compare.json`, which the sentences of
//! `words/compare.txt` are made from.

use std::cmp::Ordering;

use serde::Serialize;

use super::super::words::{Statements, render};
use super::ComparisonReport;
use crate::experiment::statistics::Verdict;
use crate::experiment::{
    Assessment, Chance, HALF_A_CENT, Measurement, PromiseChange, Repetition, SERVICE, Wide,
    WorkRatio, work_ratio,
};
use crate::metrics::{METRICS, Metric};
use crate::units::Money;

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

/// Policies that seem to differ from the baseline, and too few replications to tell.
#[derive(Clone, Debug, Serialize)]
struct TooFew {
    policies: Vec<String>,
    /// Replications that would show it four times in five, if differences go on as they have.
    enough: u32,
}

/// A policy that does more than the choice.
#[derive(Clone, Debug, Serialize)]
struct DoesLess {
    policy: String,
    /// Ratio of the choice's hours to those of the policy: `12.0 % of the GPU-hours`.
    hours: String,
}

/// The leading cost of the choice and of the baseline.
#[derive(Clone, Debug, Serialize)]
struct LeadingCosts {
    metric: &'static str,
    label: &'static str,
    now: f64,
    was: f64,
    difference: f64,
    low: Option<f64>,
    high: Option<f64>,
    /// Whether it is shown to cost less; none where neither is shown.
    less: Option<bool>,
    /// Whether the interval excludes zero, and the corrected verdict does not.
    hidden: bool,
    /// Whether there is no difference: of a month, to half a cent.
    same: bool,
    /// Whether the metric is a cost per month.
    monthly: bool,
    /// Useful hour that the metric is a cost of otherwise: `GPU-hour`, `core-hour`.
    hour: &'static str,
    /// Seconds that a month of rent is scaled from, where anything is rented.
    period_s: Option<f64>,
    /// Whether those seconds are the time over which work arrived, for nothing says what time the
    /// work stands for.
    arrivals: bool,
    /// Whether machines that stand all along are scaled from all their time.
    standing: bool,
}

/// A month of a policy and of the baseline, which did other work.
#[derive(Clone, Debug, Serialize)]
struct MovedMonth {
    now: f64,
    was: f64,
    difference: f64,
    low: Option<f64>,
    high: Option<f64>,
    /// Whether the difference is shown: its interval excludes zero, or nothing is random.
    moves: bool,
}

/// A metric under a policy and under the baseline.
#[derive(Clone, Debug, Serialize)]
struct ChangedMetric {
    label: &'static str,
    unit: &'static str,
    now: f64,
    was: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Promised {
    words: String,
    /// Whether the mean keeps it.
    kept: bool,
    /// Replications that keep it under the baseline, and under the policy.
    before: u32,
    after: u32,
    change: &'static str,
}

/// Other policies, and why they are not taken.
#[derive(Clone, Debug, Serialize)]
struct Other {
    /// Several where all of what is said is the same.
    names: Vec<String>,
    why: WhyNot,
    /// Month or hour that its leading cost is per: ` per month`.
    per: &'static str,
    /// Its leading cost less the baseline's.
    change: f64,
    /// Excess of its leading cost over that of the choice, where the two compare.
    dearer: Option<f64>,
    finished: Option<ChangedMetric>,
    /// Ratio of its hours to the baseline's, where that says more than the jobs do.
    hours: Option<String>,
    lost: Vec<String>,
    gained: Vec<String>,
    /// Promises that its mean keeps and the baseline's breaks.
    keeps: Vec<String>,
    better: Vec<ChangedMetric>,
    worse: Vec<ChangedMetric>,
    /// Interval of the change in the leading cost, where it excludes zero and Holm does not.
    hidden: Option<[f64; 2]>,
    /// Cost of its month, where that is not the cost that leads.
    month: Option<MovedMonth>,
    /// Interval of the change in the leading cost, where there was chance.
    interval: Option<[f64; 2]>,
    /// Whether it is shown to cost less than the baseline; none where neither is shown.
    less: Option<bool>,
    /// Whether its leading cost is the baseline's: of a month, to half a cent.
    same: bool,
    /// Promises that its mean breaks.
    broken: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum WhyNot {
    /// It leaves work undone.
    LeavesWork,
    /// It costs less or gains promises, but loses others.
    Loses,
    /// It is ahead of the baseline too, and gains as many promises for as much.
    AsGood,
    /// It is ahead of the baseline too, and dearer or gains less.
    Behind,
    /// It serves better at no difference in cost that is shown.
    ServesBetter,
    /// Its interval of the cost excludes zero, which many questions at once do not.
    Hidden,
    /// Nothing speaks for it; said where the baseline is kept.
    Nothing,
    /// It comes out as the baseline does, in all that is measured; said where that is kept.
    Same,
}

#[derive(Clone, Debug, Serialize)]
struct SensitivityMove {
    assumption: String,
    /// Dollars more (or less) that the choice saves.
    by: f64,
}

/// Facts that the answer rests on.
#[derive(Clone, Debug, Serialize)]
struct Sure {
    chance: &'static str,
    repetition: String,
    /// All windows of the trace, where not all of them were meant to be taken.
    windows: Option<u32>,
    /// Whether the precision asked for was reached; none where none was asked for.
    precise: Option<bool>,
    /// Metrics whose intervals stayed wider than was asked for; and whether more replications
    /// could help none of them.
    wide: Vec<String>,
    hopeless: bool,
    precision: Option<f64>,
    calibration: Option<String>,
    assumptions: usize,
    comparable: bool,
    /// Of two scenarios: names, keys that differ and whether the work is the same.
    between: Option<Scenarios>,
    pairing: Option<[f64; 3]>,
}

#[derive(Clone, Debug, Serialize)]
struct Scenarios {
    names: [String; 2],
    keys: usize,
    same_work: bool,
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
        let metric = METRICS.iter().find(|metric| metric.key == key)?;
        let (now, was) = (self.mean(metric, row)?, self.mean(metric, self.many.baseline)?);
        Some(ChangedMetric { label: metric.label, unit: metric.unit, now, was })
    }

    /// Work finished under a policy and the baseline, where it is shown to do more, or less if not
    /// only `more` counts, and the two can be told apart.
    fn finished(
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
    fn hours(&self, base: usize, row: usize) -> Option<String> {
        let found = work_ratio(self.many, base, row).filter(|found| found.unit != "jobs")?;
        Some(ratio_words(found))
    }

    /// The policy whose work the choice does least of; none where it does no less than any.
    fn does_less(&self, choice: usize) -> Option<DoesLess> {
        let rows = (0..self.many.policies.len()).filter(|&row| row != choice);
        let ratio = |row: usize| Some((row, work_ratio(self.many, row, choice)?));
        let less = rows.filter_map(ratio).filter(|(_, found)| found.ratio < 1.0);
        let (row, found) = less.min_by(|(_, a), (_, b)| a.ratio.total_cmp(&b.ratio))?;
        Some(DoesLess { policy: self.name(row), hours: ratio_words(found) })
    }

    /// Metrics of the service that a policy is shown to make better, or worse.
    fn services(&self, row: usize, better: bool) -> Vec<ChangedMetric> {
        let shown = |key: &&&str| self.many.shown(row, key) == Some(better);
        let differs = |one: &ChangedMetric| {
            super::figure(one.unit, Some(one.now)) != super::figure(one.unit, Some(one.was))
        };
        let moved = SERVICE.iter().filter(shown).filter_map(|key| self.moved(key, row));
        moved.filter(differs).take(SERVICES_NAMED).collect()
    }

    fn money(&self, row: usize) -> Option<LeadingCosts> {
        let metric = self.leading(row);
        let (now, was) = (self.mean(metric, row)?, self.mean(metric, self.many.baseline)?);
        let contrast = self.many.contrast(row, metric.key);
        let difference = contrast.map_or(0.0, |contrast| contrast.difference());
        let interval = contrast
            .and_then(|contrast| contrast.paired)
            .filter(|paired| self.is_judged() && paired.interval.half_width > HALF_A_CENT)
            .map(|paired| paired.interval);
        let stands = |row: &super::PolicyResult<'_>| row.summary.cost.standing;
        let rented = self.rows.iter().any(|row| stands(row) != row.summary.cost.total);
        Some(LeadingCosts {
            metric: metric.key,
            label: metric.label,
            now,
            was,
            difference,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            less: self.many.shown(row, metric.key),
            hidden: self.hidden(row).is_some(),
            same: match metric.key {
                "cost_monthly" => difference.abs() < HALF_A_CENT,
                _ => difference == 0.0,
            },
            monthly: metric.key == "cost_monthly",
            hour: if metric.key == "cost_per_gpu_hour" { "GPU-hour" } else { "core-hour" },
            period_s: rented.then(|| self.period_s()),
            arrivals: self.measured_before().iter().any(|one| one.of_arrivals),
            standing: self.rows.iter().any(|row| stands(row) != Money::ZERO),
        })
    }

    /// Cost of a month of a policy that did not do the baseline's work.
    fn month(&self, row: usize) -> Option<MovedMonth> {
        let contrast = self.many.months(row).filter(|_| self.leading(row).key != "cost_monthly")?;
        let paired = contrast.paired.filter(|_| self.is_judged());
        let difference = contrast.difference();
        let excludes = paired.is_none_or(|paired| paired.interval.excludes(0.0));
        let interval = paired
            .map(|paired| paired.interval)
            .filter(|interval| interval.half_width > HALF_A_CENT);
        Some(MovedMonth {
            now: contrast.mean,
            was: contrast.base,
            difference,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            moves: excludes && difference.abs() >= HALF_A_CENT,
        })
    }

    /// Verdicts that are corrected together.
    fn family(&self) -> usize {
        let contrasts = self.many.policies.iter().flat_map(|one| one.contrasts.iter().flatten());
        contrasts.filter(|contrast| contrast.adjusted_p.is_some()).count()
    }

    fn measured_before(&self) -> &[Measurement] {
        &self.many.policies[self.many.baseline].measurements
    }

    /// Mean time that the work of a replication stands for.
    fn period_s(&self) -> f64 {
        let all = self.measured_before();
        all.iter().map(|one| one.rent_s).sum::<f64>() / all.len().max(1) as f64
    }

    fn promised(&self, standing: &Assessment) -> Vec<Promised> {
        let objectives = self.rows.first().map_or(&[][..], |row| row.objectives);
        let one = |(promise, objective): (&crate::experiment::Promise, &super::ObjectiveResult)| {
            let change = match promise.change {
                PromiseChange::Gained => "gained",
                PromiseChange::Lost => "lost",
                PromiseChange::Even => "even",
            };
            let words = format!("{} {}", objective.label, objective.text);
            let &crate::experiment::Promise { before, after, kept, .. } = promise;
            Promised { words, kept, before, after, change }
        };
        standing.promises.iter().zip(objectives).map(one).collect()
    }

    /// The policies that are not taken, those first that most speaks for.
    fn others(&self, standings: &[Assessment]) -> Vec<Other> {
        let skipped = [self.many.baseline, self.choice()];
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for row in (0..standings.len()).filter(|row| !skipped.contains(row)) {
            match groups.iter_mut().find(|group| self.many.is_same(group[0], row)) {
                Some(group) => group.push(row),
                None => groups.push(vec![row]),
            }
        }
        let wait = METRICS.iter().find(|metric| metric.key == "wait_mean");
        let wait = |row: usize| wait.and_then(|metric| self.mean(metric, row));
        let other = |group: Vec<usize>| {
            let names = group.iter().map(|&row| self.name(row)).collect();
            let other = Other { names, ..self.other(group[0], &standings[group[0]]) };
            (other, wait(group[0]).unwrap_or(f64::INFINITY))
        };
        let mut all: Vec<(Other, f64)> = groups.into_iter().map(other).collect();
        let rank = |other: &Other| match other.why {
            WhyNot::AsGood => 0,
            WhyNot::Behind => 1,
            WhyNot::ServesBetter => 2,
            WhyNot::Loses => 3,
            WhyNot::LeavesWork => 4,
            WhyNot::Hidden => 5,
            WhyNot::Nothing => 6,
            WhyNot::Same => 7,
        };
        // Of those that serve better the one that waits least comes first.
        all.sort_by(|(a, of_a), (b, of_b)| {
            let waits = of_a.total_cmp(of_b);
            let serve = a.why == WhyNot::ServesBetter;
            let costs = a.change.total_cmp(&b.change);
            let further = match a.why {
                WhyNot::Nothing => costs,
                _ if serve => waits,
                _ => Ordering::Equal,
            };
            rank(a).cmp(&rank(b)).then(further)
        });
        let mut others: Vec<Other> = all.into_iter().map(|(other, _)| other).collect();
        // The reader wants to know how far off the others are where the baseline is kept.
        if skipped[0] != skipped[1] {
            others.retain(|other| !matches!(other.why, WhyNot::Nothing | WhyNot::Same));
        }
        // Policies that leave work undone, or do as well as the choice, are told of together.
        others.dedup_by(|other, first| {
            let same =
                other.why == first.why && matches!(first.why, WhyNot::LeavesWork | WhyNot::AsGood);
            if same {
                first.names.append(&mut other.names);
            }
            same
        });
        others
    }

    fn other(&self, row: usize, standing: &Assessment) -> Other {
        let choice = self.choice();
        let words = |change: PromiseChange| -> Vec<String> {
            let of = |(at, promised): (usize, Promised)| {
                (standing.promises[at].change == change).then_some(promised.words)
            };
            self.promised(standing).into_iter().enumerate().filter_map(of).collect()
        };
        let (gained, lost) = (words(PromiseChange::Gained), words(PromiseChange::Lost));
        let keeps = self.newly_kept(row).map(|one| format!("{} {}", one.label, one.text)).collect();
        let metric = self.leading(row);
        let is_monthly = metric.key == "cost_monthly";
        let compares = match is_monthly {
            true => self.many.policies[choice].comparable,
            false => self.leading(choice).key == metric.key,
        };
        let dearer = self
            .mean(metric, row)
            .zip(self.mean(metric, choice))
            .map(|(mine, chosen)| mine - chosen)
            .filter(|_| compares);
        let chosen = self.decision.map(|decision| decision.chosen());
        let ties = chosen.is_some_and(|chosen| chosen.balance() == standing.balance());
        let [better, worse] = [true, false].map(|better| self.services(row, better));
        let hidden = self.hidden(row);
        let least = if is_monthly { HALF_A_CENT } else { f64::MIN_POSITIVE };
        let why = match () {
            () if self.many.is_same(self.many.baseline, row) => WhyNot::Same,
            () if standing.work == Some(false) => WhyNot::LeavesWork,
            () if standing.is_ahead() && ties && dearer.is_some_and(|by| by < least) => {
                WhyNot::AsGood
            }
            () if standing.is_ahead() => WhyNot::Behind,
            () if !lost.is_empty()
                && (standing.cost == Some(true)
                    || !gained.is_empty()
                    || standing.work == Some(true)) =>
            {
                WhyNot::Loses
            }
            () if standing.cost.is_none() && lost.is_empty() && !better.is_empty() => {
                WhyNot::ServesBetter
            }
            () if hidden.is_some() => WhyNot::Hidden,
            () => WhyNot::Nothing,
        };
        let finished = self.finished(row, Some(standing), false);
        let hours = self.hours(self.many.baseline, row).filter(|_| standing.work.is_some());
        let broken = self.promised(standing).into_iter().filter(|promise| !promise.kept);
        let broken = broken.map(|promise| promise.words).collect();
        let contrast = self.many.contrast(row, metric.key);
        let interval = contrast
            .and_then(|contrast| contrast.paired)
            .filter(|paired| self.is_judged() && paired.interval.half_width > HALF_A_CENT)
            .map(|paired| [paired.interval.low, paired.interval.high]);
        let (names, per) = (vec![self.name(row)], per(metric));
        let change = contrast.map_or(0.0, |one| one.difference());
        Other {
            names,
            why,
            per,
            change,
            dearer,
            finished,
            hours,
            lost,
            gained,
            keeps,
            better,
            worse,
            hidden,
            month: self.month(row),
            interval,
            less: self.many.shown(row, metric.key),
            same: if is_monthly { change.abs() < HALF_A_CENT } else { change == 0.0 },
            broken,
        }
    }

    /// The interval of the leading cost, where it excludes zero and the verdict does not.
    fn hidden(&self, row: usize) -> Option<[f64; 2]> {
        let metric = self.leading(row);
        let contrast = self.many.contrast(row, metric.key).filter(|_| self.is_judged())?;
        let paired = contrast.paired.filter(|paired| paired.interval.excludes(0.0))?;
        let small = contrast.verdict == Some(Verdict::EquivalentWithinMargin)
            || contrast.difference().abs() < HALF_A_CENT && metric.key == "cost_monthly";
        let is_hidden = self.many.shown(row, metric.key).is_none() && !small;
        is_hidden.then_some([paired.interval.low, paired.interval.high])
    }

    /// The policies that seem to differ from the baseline in what decides, and how many
    /// replications would show it; none where there is no such policy, or no number of
    /// replications within reach.
    fn too_few(&self) -> Option<TooFew> {
        let enough = |row: usize| self.enough(row).map(|enough| (self.name(row), enough));
        let rows = (0..self.many.policies.len()).filter(|&row| row != self.many.baseline);
        let hidden: Vec<(String, u32)> = rows.filter_map(enough).collect();
        let enough = hidden.iter().map(|&(_, enough)| enough).max()?;
        let policies = hidden.into_iter().map(|(name, _)| name).collect();
        Some(TooFew { policies, enough })
    }

    /// The promises that a policy's mean keeps and the baseline's breaks.
    fn newly_kept(&self, row: usize) -> impl Iterator<Item = &super::ObjectiveResult> {
        let standings = self.decision.map_or(&[][..], |decision| &decision.assessments);
        let kept = move |row: usize| {
            let promises = standings.get(row).map_or(&[][..], |standing| &standing.promises);
            promises.iter().map(|promise| promise.kept)
        };
        let promises = self.rows.first().map_or(&[][..], |row| row.objectives);
        let pairs = kept(self.many.baseline).zip(kept(row)).zip(promises);
        pairs.filter(|((before, after), _)| !before && *after).map(|(_, objective)| objective)
    }

    /// Replications that would show of a policy what its intervals say and its verdicts, for
    /// all their company, do not: that it costs less, or that it keeps promises which the
    /// baseline's mean breaks. That it costs more would not let it be taken.
    fn enough(&self, row: usize) -> Option<u32> {
        let gained = self.newly_kept(row).map(|objective| objective.metric.as_str());
        let cost = self.leading(row).key;
        let by = |key: &str| self.many.contrast(row, key).map(|one| one.difference());
        // At one cost, a policy may be taken for its waits.
        let free = by("cost_monthly").is_some_and(|by| by.abs() < HALF_A_CENT)
            && by("wait_mean").is_some_and(|by| by < 0.0);
        let waits = free.then_some("wait_mean");
        let keys: Vec<&str> = std::iter::once(cost).chain(gained).chain(waits).collect();
        let family = self.family();
        let alpha = 1.0 - self.many.judging.confidence;
        let hidden = keys.into_iter().filter(|key| self.many.shown(row, key).is_none());
        let enough = hidden.filter_map(|key| {
            let contrast = self.many.contrast(row, key).filter(|_| self.is_judged())?;
            let paired = contrast.paired.filter(|_| contrast.adjusted_p.is_some())?;
            let dearer = key == cost && contrast.difference() > 0.0;
            let slight = key == "cost_monthly" && contrast.difference().abs() < HALF_A_CENT;
            let seems = paired.p <= alpha && !slight && !dearer;
            paired.enough(alpha / family.max(1) as f64).filter(|_| seems)
        });
        enough.min().filter(|&enough| enough > self.many.replications)
    }

    fn sure(&self) -> Sure {
        let many = self.many;
        let repetition = match many.repetition {
            // Some of those that were spread, where a precision was reached.
            Repetition::Windows { of, taken, .. } if many.replications < taken => {
                format!("{} ({} of {of})", many.repetition.description(), many.replications)
            }
            Repetition::Windows { .. } | Repetition::Seeds { .. } | Repetition::Blocks { .. } => {
                many.repetition.description()
            }
        };
        Sure {
            chance: match many.chance {
                Chance::None => "none",
                Chance::Unknown => "unknown",
                Chance::Workload => "workload",
                Chance::OneTrace => "one trace",
                Chance::Resampled => "resampled",
            },
            repetition,
            windows: many.repetition.left_of(),
            precise: many.precise,
            wide: many.wide.iter().map(wide_words).collect(),
            hopeless: many.wide.iter().all(Wide::is_hopeless),
            precision: many.judging.precision,
            calibration: self.calibration.map(|calibrated| calibrated.text.clone()),
            assumptions: self.assumptions().len(),
            comparable: many.comparable(),
            between: self.between.map(|between| Scenarios {
                names: between.names.clone(),
                keys: between.differences.len(),
                same_work: between.same_work,
            }),
            pairing: self.saved_by_pairing(),
        }
    }

    /// Saving by common random numbers: how many times the replications would have been needed
    /// without; median, least and most over the judged metrics.
    pub(super) fn saved_by_pairing(&self) -> Option<[f64; 3]> {
        let one_work = self.between.is_none_or(|between| between.same_work);
        if !self.is_judged() || !one_work {
            return None;
        }
        let mut ratios: Vec<f64> = Vec::new();
        for policy in &self.many.policies {
            let contrasts = policy.contrasts.iter().flatten();
            let judged = contrasts.filter(|contrast| contrast.verdict.is_some());
            ratios.extend(judged.filter_map(|contrast| contrast.paired?.variance_ratio));
        }
        ratios.sort_by(f64::total_cmp);
        Some([ratios.get(ratios.len() / 2).copied()?, *ratios.first()?, *ratios.last()?])
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

/// Month or hour that a leading cost is per: ` per month`.
fn per(metric: &Metric) -> &'static str {
    match metric.key {
        "cost_monthly" => " per month",
        "cost_per_gpu_hour" => " per useful GPU-hour",
        _ => " per useful core-hour",
    }
}

/// The metric and the policy: `wait, mean of today`.
fn wide_words(wide: &Wide) -> String {
    format!("{} of {}", METRICS[wide.metric].label, wide.policy)
}
