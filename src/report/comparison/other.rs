//! The policies that are not taken, and why, as data.

use serde::Serialize;

use super::ComparisonReport;
use super::findings::{ChangedMetric, Promised};
use super::money::{MovedMonth, per};
use crate::experiment::{Assessment, HALF_A_CENT, NEAR, PromiseChange};
use crate::metrics::Metric;

/// Other policies, and why they are not taken.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Other {
    /// Several where all of what is said is the same.
    pub(super) names: Vec<String>,
    pub(super) why: WhyNot,
    /// Month or hour that its leading cost is per: ` per month`.
    pub(super) per: &'static str,
    /// Its leading cost less the baseline's.
    pub(super) change: f64,
    /// Excess of its leading cost over that of the choice, where the two compare.
    pub(super) dearer: Option<f64>,
    pub(super) finished: Option<ChangedMetric>,
    /// Ratio of its hours to the baseline's, where that says more than the jobs do.
    pub(super) hours: Option<String>,
    pub(super) lost: Vec<String>,
    pub(super) gained: Vec<String>,
    /// Promises that it keeps in more, or in fewer, replications than the baseline, while the means
    /// stay on their side of the bound.
    pub(super) more_often: Vec<String>,
    pub(super) less_often: Vec<String>,
    /// Promises that its mean keeps and the baseline's breaks.
    pub(super) keeps: Vec<String>,
    pub(super) better: Vec<ChangedMetric>,
    pub(super) worse: Vec<ChangedMetric>,
    /// Interval of the change in the leading cost, where it excludes zero and Holm does not.
    pub(super) hidden: Option<[f64; 2]>,
    /// Cost of its month, where that is not the cost that leads.
    pub(super) month: Option<MovedMonth>,
    /// Interval of the change in the leading cost, where there was chance.
    pub(super) interval: Option<[f64; 2]>,
    /// Whether it is shown to cost less or more than the baseline; `None` if neither is shown.
    pub(super) less: Option<bool>,
    /// Whether its leading cost is within the margin of the choice's, or within 1 % without one.
    pub(super) near: bool,
    /// Whether its leading cost is that of the choice: of a month, to half a cent.
    pub(super) same_as_choice: bool,
    /// Whether its leading cost is the baseline's: of a month, to half a cent.
    pub(super) same: bool,
    /// The first promise that it keeps in fewer replications than the choice, where it keeps none in
    /// more.
    pub(super) seldomer: Option<Seldomer>,
    /// Whether the policy could rent nothing that any of the work fits on.
    pub(super) idle: bool,
    /// Policies with the same results because they could rent nothing.
    pub(super) rents_nothing: Vec<String>,
    /// Promises that its mean breaks; and those of them that the mean of the choice keeps.
    pub(super) broken: Vec<String>,
    pub(super) only_kept_by_choice: Vec<String>,
}

/// A promise that is kept less often than under the choice.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Seldomer {
    words: String,
    /// Replications that keep it.
    own: u32,
    of_choice: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WhyNot {
    /// The policy leaves work undone.
    LeavesWork,
    /// The policy costs less or gains promises, but loses others or keeps them less often.
    Loses,
    /// The policy is ahead of the baseline too, and gains as many promises for as much, or nearly
    /// so.
    AsGood,
    /// The policy is ahead of the baseline too, and dearer or gains less.
    Behind,
    /// The policy serves better at no difference in cost that is shown.
    ServesBetter,
    /// The interval of the cost excludes zero, but not when corrected for many questions at once.
    Hidden,
    /// Nothing speaks for the policy; said if the baseline is kept.
    Nothing,
    /// The policy comes out as the baseline does, in all metrics; said if that is kept.
    Same,
    /// The policy comes out as the choice does, in all metrics.
    SameAsChoice,
}

impl ComparisonReport<'_> {
    /// The policies that are not taken, those first that most speaks for.
    pub(super) fn others(&self, standings: &[Assessment]) -> Vec<Other> {
        let skipped = [self.many.baseline, self.choice()];
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for row in (0..standings.len()).filter(|row| !skipped.contains(row)) {
            match groups.iter_mut().find(|group| self.many.is_same(group[0], row)) {
                Some(group) => group.push(row),
                None => groups.push(vec![row]),
            }
        }
        let wait = Metric::named("wait_mean");
        let wait = |row: usize| wait.and_then(|metric| self.mean(metric, row));
        let other = |group: Vec<usize>| {
            // Policies that come out alike are one under several names.
            let (idle, mut named): (Vec<usize>, Vec<usize>) =
                group.iter().partition(|&&row| self.rents_nothing(row));
            let rents_nothing = match named.is_empty() {
                true => Vec::new(),
                false => idle.iter().map(|&row| self.name(row)).collect(),
            };
            if named.is_empty() {
                named = idle;
            }
            let names = named.iter().map(|&row| self.name(row)).collect();
            let idle = self.rents_nothing(group[0]) && rents_nothing.is_empty();
            let other =
                Other { names, idle, rents_nothing, ..self.other(group[0], &standings[group[0]]) };
            (other, wait(group[0]).unwrap_or(f64::INFINITY))
        };
        let mut all: Vec<(Other, f64)> = groups.into_iter().map(other).collect();
        let rank = |other: &Other| match other.why {
            WhyNot::AsGood | WhyNot::SameAsChoice => 0,
            WhyNot::Behind => 1,
            WhyNot::ServesBetter => 2,
            WhyNot::Loses => 3,
            WhyNot::LeavesWork => 4,
            WhyNot::Hidden => 5,
            WhyNot::Nothing => 6,
            WhyNot::Same => 7,
        };
        // The nearest first: who breaks fewest promises, then who costs least; of those that serve
        // better, who waits least.
        all.sort_by(|(a, of_a), (b, of_b)| {
            let further = match a.why {
                WhyNot::ServesBetter => of_a.total_cmp(of_b),
                _ => a.change.total_cmp(&b.change),
            };
            rank(a).cmp(&rank(b)).then(a.broken.len().cmp(&b.broken.len())).then(further)
        });
        let mut others: Vec<Other> = all.into_iter().map(|(other, _)| other).collect();
        // The reader wants to know how far off the others are where the baseline is kept.
        if skipped[0] != skipped[1] {
            others.retain(|other| !matches!(other.why, WhyNot::Nothing | WhyNot::Same));
        }
        // Policies that leave work undone, or do as well for as much, are told of together.
        others.dedup_by(|other, first| {
            let alike = other.same_as_choice == first.same_as_choice
                && other.seldomer.is_none()
                && first.seldomer.is_none();
            let same = other.why == first.why
                && match first.why {
                    WhyNot::AsGood => alike,
                    WhyNot::LeavesWork => true,
                    WhyNot::Loses
                    | WhyNot::Behind
                    | WhyNot::ServesBetter
                    | WhyNot::Hidden
                    | WhyNot::Nothing
                    | WhyNot::Same
                    | WhyNot::SameAsChoice => false,
                };
            if same {
                first.names.append(&mut other.names);
            }
            same
        });
        others
    }

    /// Whether a policy could rent nothing that any of the work fits on.
    fn rents_nothing(&self, row: usize) -> bool {
        let mut runs = self.many.policies[row].measurements.iter();
        runs.all(|run| run.facts.rentals.can_rent_for_none())
    }

    pub(super) fn other(&self, row: usize, standing: &Assessment) -> Other {
        let choice = self.choice();
        let words = |change: PromiseChange| -> Vec<String> {
            let of = |(at, promised): (usize, Promised)| {
                (standing.promises[at].change == change).then_some(promised.words)
            };
            self.promised(standing).into_iter().enumerate().filter_map(of).collect()
        };
        let gained = words(PromiseChange::Gained);
        let [more_often, less_often] =
            [PromiseChange::MoreOften, PromiseChange::LessOften].map(words);
        let chosen = self.decision.map(|decision| decision.chosen());
        let promised = self.promised(standing);
        let of_those = |wanted: &dyn Fn(usize, &Promised) -> bool| -> Vec<String> {
            let all = promised.iter().enumerate().filter(|(at, one)| wanted(*at, one));
            all.map(|(_, one)| one.words.clone()).collect()
        };
        // A mean that breaks what the baseline's keeps counts, whatever chance had to do with it.
        let lost = of_those(&|_, one| one.kept_before && !one.kept);
        let broken = of_those(&|_, one| !one.kept);
        let kept_by_choice = |at: usize| chosen.is_some_and(|chosen| chosen.promises[at].kept);
        let only_kept_by_choice = of_those(&|at, one| !one.kept && kept_by_choice(at));
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
        let gains = |one: &Assessment| (one.kept_more(), one.balance());
        let ties = chosen.is_some_and(|chosen| gains(chosen) == gains(standing));
        let margin = self.many.judging.margin.unwrap_or(NEAR);
        let cost = self.mean(metric, choice).map_or(0.0, f64::abs);
        let near = dearer.is_some_and(|by| by.abs() <= margin * cost);
        let [better, worse] = [true, false].map(|better| self.services(row, better));
        let hidden = self.hidden(row);
        let least = if is_monthly { HALF_A_CENT } else { f64::MIN_POSITIVE };
        let why = match () {
            () if self.many.is_same(self.many.baseline, row) => WhyNot::Same,
            () if self.many.is_same(choice, row) => WhyNot::SameAsChoice,
            () if standing.work == Some(false) => WhyNot::LeavesWork,
            () if standing.is_ahead() && ties && (near || dearer.is_some_and(|by| by < least)) => {
                WhyNot::AsGood
            }
            () if standing.is_ahead() => WhyNot::Behind,
            () if !(lost.is_empty() && less_often.is_empty())
                && (standing.cost == Some(true)
                    || !(gained.is_empty() && more_often.is_empty())
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
            more_often,
            less_often,
            keeps,
            better,
            worse,
            hidden,
            month: self.month(row),
            interval,
            less: self.many.shown(row, metric.key),
            near,
            same_as_choice: dearer.is_some_and(|by| by.abs() < least),
            seldomer: chosen.and_then(|chosen| seldomer(&promised, chosen)),
            idle: self.rents_nothing(row),
            rents_nothing: Vec::new(),
            same: if is_monthly { change.abs() < HALF_A_CENT } else { change == 0.0 },
            broken,
            only_kept_by_choice,
        }
    }
}

fn seldomer(promised: &[Promised], chosen: &Assessment) -> Option<Seldomer> {
    let pairs = || promised.iter().zip(&chosen.promises);
    if pairs().any(|(own, chosen)| own.after > chosen.after) {
        return None;
    }
    let (own, chosen) = pairs().find(|(own, chosen)| own.after < chosen.after)?;
    Some(Seldomer { words: own.words.clone(), own: own.after, of_choice: chosen.after })
}
