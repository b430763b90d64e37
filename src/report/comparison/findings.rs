//! What a comparison found, as data: `findings` of `compare.json`, which the
//! sentences of `words/compare.txt` are made from.

use serde::Serialize;

use super::super::words::{Said, said};
use super::Comparison;
use crate::experiment::statistics::Verdict;
use crate::experiment::{Chance, Change, HALF_A_CENT, Repetition, SERVICE, Standing, Wide};
use crate::metrics::METRICS;
use crate::units::Money;

/// Assumptions that are named.
const NAMED: usize = 2;
/// Metrics of service that are named for one policy.
const SERVICES_NAMED: usize = 2;
/// Other policies of which it is said why they are not taken.
const OTHERS_NAMED: usize = 2;

/// What follows from a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Advice {
    /// A policy is ahead of the baseline.
    Take,
    /// A policy serves better for the same money.
    FreeWin,
    /// None is.
    Keep,
    /// The two scenarios do not have the same work.
    None,
}

#[derive(Clone, Debug, Serialize)]
struct Findings {
    advice: Advice,
    policy: String,
    baseline: String,
    replications: u32,
    /// Whether there was chance, so that differences are shown or not.
    judged: bool,
    confidence: f64,
    /// Whether no policy differs from the baseline in work, promises or cost.
    all_alike: bool,
    /// Whether the choice did the work that the baseline did.
    same_work: bool,
    money: Option<Costs>,
    /// Work finished now and under the baseline, where the choice is shown to do more.
    finished: Option<Moved>,
    /// The promises of the policy, or of the baseline where it is kept.
    promises: Vec<Promised>,
    better: Vec<Moved>,
    worse: Vec<Moved>,
    others: Vec<Other>,
    /// Policies of which nothing is said.
    more_others: usize,
    moves: Vec<Moves>,
    moves_more: usize,
    /// Replications that the moved assumptions were tried in.
    moves_replications: u32,
    unfit: Vec<String>,
    sure: Sure,
}

/// The leading cost of the choice and of the baseline.
#[derive(Clone, Debug, Serialize)]
struct Costs {
    metric: &'static str,
    label: &'static str,
    now: f64,
    was: f64,
    difference: f64,
    low: Option<f64>,
    high: Option<f64>,
    /// Whether it is shown to cost less; none where neither is shown.
    less: Option<bool>,
    /// Whether the difference is within half a cent.
    same: bool,
    /// Whether the metric is of a month.
    monthly: bool,
    /// Seconds of arrivals that a month is scaled from, where anything is rented.
    arrivals_s: Option<f64>,
    /// Whether machines that stand all along are scaled from all their time.
    standing: bool,
}

/// A metric under a policy and under the baseline.
#[derive(Clone, Debug, Serialize)]
struct Moved {
    label: &'static str,
    unit: &'static str,
    now: f64,
    was: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Promised {
    words: String,
    before: u32,
    after: u32,
    change: &'static str,
}

/// Another policy, and why it is not taken.
#[derive(Clone, Debug, Serialize)]
struct Other {
    name: String,
    why: Why,
    /// What it costs more than the choice in the leading cost, where that compares.
    dearer: Option<f64>,
    finished: Option<Moved>,
    lost: Vec<String>,
    gained: Vec<String>,
    better: Vec<Moved>,
    /// Interval of the change in the leading cost, where it excludes zero and Holm does not.
    hidden: Option<[f64; 2]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Why {
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
    /// Nothing speaks for it.
    Nothing,
}

#[derive(Clone, Debug, Serialize)]
struct Moves {
    assumption: String,
    /// Dollars more (or less) that the choice saves.
    by: f64,
}

/// What the answer rests on.
#[derive(Clone, Debug, Serialize)]
struct Sure {
    chance: &'static str,
    repetition: String,
    /// Whether a precision was asked for and not reached.
    precise: Option<bool>,
    /// What was not as narrow as was asked for, and whether more replications could help.
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

impl Comparison<'_> {
    /// What was found, in words.
    pub(super) fn said(&self) -> Said {
        let mut said = said(include_str!("../words/compare.txt"), &self.findings());
        said.cautions.extend(self.cautions.iter().cloned());
        said
    }

    /// What was found, as data.
    pub(super) fn findings(&self) -> impl Serialize {
        let (base, choice) = (self.many.baseline, self.choice());
        let standing = self.decision.map(|decision| decision.chosen());
        let advice = match self.decision {
            None => Advice::None,
            Some(_) if choice == base => Advice::Keep,
            Some(decision) if decision.chosen().free_win => Advice::FreeWin,
            Some(_) => Advice::Take,
        };
        let alike = |one: &Standing| {
            one.work.is_none()
                && one.cost.is_none()
                && one.rows(Change::Even).len() == one.promises.len()
        };
        let standings = self.decision.map_or(&[][..], |decision| &decision.standings);
        let others: Vec<Other> = self.others(standings);
        let sensitivity = self.decision.map(|decision| &decision.sensitivity);
        let least = if self.many.comparable() { HALF_A_CENT } else { 0.0 };
        let moves: Vec<Moves> = sensitivity
            .into_iter()
            .flat_map(|found| &found.influences)
            .filter(|one| one.moved().abs() > least)
            .map(|one| Moves { assumption: one.assumption.clone(), by: one.moved() })
            .collect();
        Findings {
            advice,
            policy: self.name(choice),
            baseline: self.name(base),
            replications: self.many.replications,
            judged: self.is_judged(),
            confidence: self.many.judging.confidence,
            all_alike: standings.iter().all(alike),
            same_work: self.many.policies[choice].comparable,
            money: self.money(choice),
            finished: self
                .moved("finished", choice)
                .filter(|_| standing.is_some_and(|one| one.work == Some(true))),
            promises: standing.map_or(Vec::new(), |standing| self.promised(standing)),
            better: self.services(choice, true),
            worse: self.services(choice, false),
            more_others: others.len().saturating_sub(OTHERS_NAMED),
            others: others.into_iter().take(OTHERS_NAMED).collect(),
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
    fn moved(&self, key: &str, row: usize) -> Option<Moved> {
        let metric = METRICS.iter().find(|metric| metric.key == key)?;
        let (now, was) = (self.mean(metric, row)?, self.mean(metric, self.many.baseline)?);
        Some(Moved { label: metric.label, unit: metric.unit, now, was })
    }

    /// What of the service a policy is shown to make better, or worse.
    fn services(&self, row: usize, better: bool) -> Vec<Moved> {
        let shown = |key: &&&str| self.many.shown(row, key) == Some(better);
        let differs = |one: &Moved| {
            super::figure(one.unit, Some(one.now)) != super::figure(one.unit, Some(one.was))
        };
        let moved = SERVICE.iter().filter(shown).filter_map(|key| self.moved(key, row));
        moved.filter(differs).take(SERVICES_NAMED).collect()
    }

    fn money(&self, row: usize) -> Option<Costs> {
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
        Some(Costs {
            metric: metric.key,
            label: metric.label,
            now,
            was,
            difference,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            less: self.many.shown(row, metric.key),
            same: difference.abs() < HALF_A_CENT,
            monthly: metric.key == "cost_monthly",
            arrivals_s: rented.then(|| self.arrivals_s()),
            standing: self.rows.iter().any(|row| stands(row) != Money::ZERO),
        })
    }

    /// Mean time over which work arrived under the baseline.
    fn arrivals_s(&self) -> f64 {
        let all = &self.many.policies[self.many.baseline].measurements;
        all.iter().map(|one| one.arrivals_s).sum::<f64>() / all.len().max(1) as f64
    }

    fn promised(&self, standing: &Standing) -> Vec<Promised> {
        let objectives = self.rows.first().map_or(&[][..], |row| row.objectives);
        let one = |(promise, objective): (&crate::experiment::Promise, &super::ObjectiveResult)| {
            let change = match promise.change {
                Change::Gained => "gained",
                Change::Lost => "lost",
                Change::Even => "even",
            };
            let words = format!("{} {}", objective.label, objective.text);
            Promised { words, before: promise.before, after: promise.after, change }
        };
        standing.promises.iter().zip(objectives).map(one).collect()
    }

    /// The policies that are not taken, those first that most speaks for.
    fn others(&self, standings: &[Standing]) -> Vec<Other> {
        let skipped = [self.many.baseline, self.choice()];
        let rows = (0..standings.len()).filter(|row| !skipped.contains(row));
        let mut others: Vec<Other> = rows.map(|row| self.other(row, &standings[row])).collect();
        let rank = |other: &Other| match other.why {
            Why::AsGood => 0,
            Why::Behind => 1,
            Why::ServesBetter => 2,
            Why::Loses => 3,
            Why::LeavesWork => 4,
            Why::Hidden => 5,
            Why::Nothing => 6,
        };
        others.sort_by_key(rank);
        others.retain(|other| other.why != Why::Nothing);
        others
    }

    fn other(&self, row: usize, standing: &Standing) -> Other {
        let choice = self.choice();
        let words = |change: Change| -> Vec<String> {
            let of = |(at, promised): (usize, Promised)| {
                (standing.promises[at].change == change).then_some(promised.words)
            };
            self.promised(standing).into_iter().enumerate().filter_map(of).collect()
        };
        let (gained, lost) = (words(Change::Gained), words(Change::Lost));
        let metric = self.leading(row);
        let compares = self.many.policies[row].comparable && self.many.policies[choice].comparable;
        let dearer = self
            .mean(metric, row)
            .zip(self.mean(metric, choice))
            .map(|(mine, chosen)| mine - chosen)
            .filter(|_| compares);
        let chosen = self.decision.map(|decision| decision.chosen());
        let ties = chosen.is_some_and(|chosen| chosen.balance() == standing.balance());
        let better = self.services(row, true);
        let hidden = self.hidden(row);
        let why = match () {
            () if standing.work == Some(false) => Why::LeavesWork,
            () if standing.is_ahead() && ties && dearer.is_some_and(|by| by < HALF_A_CENT) => {
                Why::AsGood
            }
            () if standing.is_ahead() => Why::Behind,
            () if !lost.is_empty()
                && (standing.cost == Some(true)
                    || !gained.is_empty()
                    || standing.work == Some(true)) =>
            {
                Why::Loses
            }
            () if standing.cost.is_none() && lost.is_empty() && !better.is_empty() => {
                Why::ServesBetter
            }
            () if hidden.is_some() => Why::Hidden,
            () => Why::Nothing,
        };
        let finished = self.moved("finished", row).filter(|_| standing.work.is_some());
        Other { name: self.name(row), why, dearer, finished, lost, gained, better, hidden }
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

    fn sure(&self) -> Sure {
        let many = self.many;
        let repetition = match many.repetition {
            // Some of those that were spread, where a precision was reached.
            Repetition::Windows { of, taken, .. } if many.replications < taken => {
                format!("{} ({} of {of})", many.repetition.told(), many.replications)
            }
            Repetition::Windows { .. } | Repetition::Seeds { .. } | Repetition::Blocks { .. } => {
                many.repetition.told()
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
            precise: many.precise,
            wide: many.wide.iter().map(wide_words).collect(),
            hopeless: many.wide.iter().all(Wide::is_hopeless),
            precision: many.judging.precision,
            calibration: self.calibration.map(str::to_owned),
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

    /// What common random numbers saved: how many times the replications would
    /// have been needed without; median, least and most over the judged metrics.
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

/// The metric and the policy: `wait, mean of today`.
fn wide_words(wide: &Wide) -> String {
    format!("{} of {}", METRICS[wide.metric].label, wide.policy)
}
