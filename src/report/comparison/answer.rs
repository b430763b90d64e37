//! The answer in one paragraph: what to do, and why.

use std::fmt::Write as _;

use super::super::figure::{amount, clean, difference, figure, rounded};
use super::Comparison;
use crate::experiment::statistics::{Interval, Verdict};
use crate::experiment::{Change, Decision, HALF_A_CENT, Influence, Promise, Saving, Standing};
use crate::metrics::METRICS;

/// `95 %`, `97.5 %`.
pub(super) fn percent(value: f64) -> String {
    format!("{} %", amount(value * 100.0))
}

/// Assumptions named in the paragraph.
const NAMED: usize = 3;
/// Metrics of service named for one policy.
const SERVICES_NAMED: usize = 2;
/// What users of a system notice.
const SERVICE: [&str; 6] =
    ["deadlines_met", "wait_mean", "wait_p95", "wait_max", "turnaround_mean", "slowdown_mean"];

impl Comparison<'_> {
    /// The paragraph that a comparison opens with; empty where nothing was decided.
    pub fn answer(&self) -> String {
        let Some(decision) = self.decision else { return String::new() };
        let (choice, base) = (decision.choice, self.many.baseline);
        let mut said = vec![self.choice(decision)];
        if choice != base {
            said.push(self.more_work(decision));
            said.push(self.money(decision));
            said.push(self.promises(decision.chosen()));
            said.push(self.served(choice));
            said.push(self.as_good(decision));
        }
        for row in (0..self.many.policies.len()).filter(|&row| row != base && row != choice) {
            if let Some(standing) = decision.standings.get(row) {
                said.push(self.passed_over(row, standing));
            }
        }
        said.push(self.unit_costs(choice));
        said.push(self.assumptions(decision));
        said.push(self.basis());
        said.retain(|sentence| !sentence.is_empty());
        said.join(" ")
    }

    pub(super) fn name(&self, row: usize) -> String {
        let name = clean(&self.many.policies[row].name);
        // Names of two scenarios have a colon of their own.
        if self.between.is_some() { format!("`{name}`") } else { name }
    }

    fn choice(&self, decision: &Decision) -> String {
        let base = self.name(self.many.baseline);
        if decision.choice != self.many.baseline {
            return format!("Take {} instead of {base}.", self.name(decision.choice));
        }
        let same = |one: &Standing| {
            one.work.is_none()
                && one.cost.is_none()
                && one.rows(Change::Even).len() == one.promises.len()
        };
        match decision.standings.iter().all(same) {
            true if self.is_judged() => format!(
                "Keep {base}: no difference shown in the work done, the promises kept or the cost."
            ),
            true => format!(
                "Keep {base}: the others do as much work, keep the same promises and cost the same."
            ),
            false => format!(
                "Keep {base}: no other policy that does the work {} more promises than it loses, or \
                 as many for less.",
                if self.is_judged() { "is shown to gain" } else { "gains" }
            ),
        }
    }

    /// The value of a metric under a policy, and what it is under the baseline.
    fn moved(&self, key: &str, row: usize) -> Option<(&'static str, String, String)> {
        let metric = METRICS.iter().find(|metric| metric.key == key)?;
        let value = |row| Some(figure(metric.unit, Some(self.mean(metric, row)?)));
        Some((metric.label, value(row)?, value(self.many.baseline)?))
    }

    fn more_work(&self, decision: &Decision) -> String {
        match (decision.chosen().work, self.moved("finished", decision.choice)) {
            (Some(true), Some((_, now, was))) => {
                format!("It finishes {now} of the work (was {was}).")
            }
            _ => String::new(),
        }
    }

    /// The others that gain as many promises, among which the choice is not one
    /// of what was shown.
    fn as_good(&self, decision: &Decision) -> String {
        let chosen = decision.chosen();
        let ties = |row: &usize| {
            *row != decision.choice
                && decision.standings[*row].is_ahead()
                && decision.standings[*row].balance() == chosen.balance()
        };
        let rows: Vec<usize> = (0..decision.standings.len()).filter(ties).collect();
        let names = rows.iter().map(|&row| self.name(row)).collect::<Vec<_>>().join(", ");
        let cents = |row| self.monthly(row).map(|dollars| libm::round(dollars * 100.0));
        let same = rows.iter().all(|&row| cents(row) == cents(decision.choice));
        match (rows.is_empty(), same) {
            (true, _) => String::new(),
            (false, true) => format!("As many promises at the same cost: {names}."),
            (false, false) => format!(
                "Also ahead of {}, and on average dearer than {}: {names}.",
                self.name(self.many.baseline),
                self.name(decision.choice)
            ),
        }
    }

    fn monthly(&self, row: usize) -> Option<f64> {
        self.mean(METRICS.iter().find(|metric| metric.key == "cost_monthly")?, row)
    }

    /// What speaks for a policy that is not taken, and why it is not.
    fn passed_over(&self, row: usize, standing: &Standing) -> String {
        let name = self.name(row);
        let cheaper = standing.cost == Some(true);
        if standing.work == Some(false) {
            let Some((_, now, was)) = self.moved("finished", row) else { return String::new() };
            let although = match self.moved("cost_per_core_hour", row) {
                Some((label, now, was)) if cheaper => {
                    format!(", although its {label} is {now} (was {was})")
                }
                _ => String::new(),
            };
            return format!(
                "{name} leaves work undone and is not an answer{although}: it finishes {now} of the \
                 work, {} {was}.",
                self.name(self.many.baseline)
            );
        }
        let [mut gained, lost] =
            [Change::Gained, Change::Lost].map(|change| self.listed(standing, change));
        if let Some((_, now, was)) = self.moved("finished", row).filter(|_| standing.work.is_some())
        {
            let comma = if gained.is_empty() { "" } else { ", " };
            gained = format!("{now} of the work finished (was {was}){comma}{gained}");
        }
        if !standing.is_ahead() && !lost.is_empty() && (cheaper || !gained.is_empty()) {
            let good = match (cheaper, gained.is_empty()) {
                (true, true) => "costs less".to_owned(),
                (true, false) => format!("costs less and gains {gained}"),
                (false, _) => format!("gains {gained}"),
            };
            return format!("{name} {good}, but loses {lost}.");
        }
        let said = [self.hidden_by_correction(row), self.served_for_as_much(row, standing)];
        said.join(" ").trim().to_owned()
    }

    /// Where the interval of the leading cost excludes zero and the verdict does not.
    fn hidden_by_correction(&self, row: usize) -> String {
        if !self.is_judged() {
            return String::new();
        }
        let key = match self.many.policies[row].comparable {
            true => "cost_monthly",
            false => "cost_per_core_hour",
        };
        let Some(contrast) = self.many.contrast(row, key) else { return String::new() };
        let excludes = contrast.paired.is_some_and(|paired| paired.interval.excludes(0.0));
        let hidden = excludes && self.many.shown(row, key).is_none();
        let small = contrast.verdict == Some(Verdict::EquivalentWithinMargin)
            || contrast.difference().abs() < HALF_A_CENT && key == "cost_monthly";
        let Some(paired) = contrast.paired.filter(|_| hidden && !small) else {
            return String::new();
        };
        let label = METRICS.iter().find(|one| one.key == key).map_or("", |one| one.label);
        format!(
            "The {} interval of the change in {label} under {}, {}, excludes zero, but of so many \
             verdicts at once (Holm) that shows no difference.",
            percent(self.many.judging.confidence),
            self.name(row),
            ends(&paired.interval),
        )
    }

    /// What of the service a policy is shown to make better, or worse; empty
    /// where nothing of it is.
    fn services(&self, row: usize, better: bool) -> String {
        let word = |key: &&str| {
            let (label, now, was) = self.moved(key, row).filter(|(_, now, was)| now != was)?;
            Some(format!("{label} {now} (was {was})"))
        };
        let shown = |key: &&&str| self.many.shown(row, key) == Some(better);
        let all: Vec<String> = SERVICE.iter().filter(shown).filter_map(word).collect();
        match all.len().saturating_sub(SERVICES_NAMED) {
            0 => all.join(", "),
            more => format!("{}, and {more} more like it", all[..SERVICES_NAMED].join(", ")),
        }
    }

    /// What the choice does for the service.
    fn served(&self, row: usize) -> String {
        let [better, worse] = [true, false].map(|better| self.services(row, better));
        match (better.is_empty(), worse.is_empty()) {
            (true, true) => String::new(),
            (false, true) => format!("It is better in {better}."),
            (true, false) => format!("It is worse in {worse}."),
            (false, false) => format!("It is better in {better}; worse in {worse}."),
        }
    }

    /// What another policy does for the service for as much money.
    fn served_for_as_much(&self, row: usize, standing: &Standing) -> String {
        let better = self.services(row, true);
        if standing.cost.is_some() || !standing.rows(Change::Lost).is_empty() || better.is_empty() {
            return String::new();
        }
        let cost = match self.is_judged() {
            true => "at no difference in cost that is shown",
            false => "at the same cost",
        };
        format!("{} is better in {better}, {cost}.", self.name(row))
    }

    fn money(&self, decision: &Decision) -> String {
        if !self.many.policies[decision.choice].comparable {
            return "The two did not do the same work, so what is saved in all cannot be said."
                .to_owned();
        }
        let Some(saving) = decision.saving else { return String::new() };
        let costs_more = saving.monthly < 0.0;
        let (way, more) = if costs_more { ("costs", " more") } else { ("saves", "") };
        let dollars = |value: f64| figure("USD", Some(value.abs()));
        let basis = self.scaled_from();
        match decision.chosen().cost {
            Some(_) => format!(
                "It {way} {}{more} per month{}, {}{more} per year, {basis}.",
                dollars(saving.monthly),
                self.interval(&saving),
                dollars(saving.monthly * 12.0),
            ),
            None if self.is_judged() && saving.interval.is_some_and(|one| one.half_width > 0.0) => {
                format!(
                    "No difference in cost is shown: on average it {way} {}{more} per month{}, {basis}.",
                    dollars(saving.monthly),
                    self.interval(&saving),
                )
            }
            None => "It costs the same.".to_owned(),
        }
    }

    /// Of the change: (95 % interval of the change: −$2.00 to −$1.00).
    fn interval(&self, saving: &Saving) -> String {
        let Some(of) = saving.interval else { return String::new() };
        let change = Interval { mean: -of.mean, low: -of.high, high: -of.low, ..of };
        let confidence = percent(self.many.judging.confidence);
        format!(" ({confidence} interval of the change: {})", ends(&change))
    }

    /// What a month was scaled from.
    fn scaled_from(&self) -> String {
        let stands = |row: &super::PolicyResult<'_>| row.summary.cost.standing;
        let owned = self.rows.iter().any(|row| stands(row) != crate::units::Money::ZERO);
        let rented = self.rows.iter().any(|row| stands(row) != row.summary.cost.total);
        let arrivals = rounded(self.arrivals_s());
        match (owned, rented) {
            (true, false) => "scaled from the time that machines were paid for".to_owned(),
            (true, true) => {
                format!(
                    "scaled from {arrivals} of arrivals, machines that stay from all their time"
                )
            }
            _ => format!("scaled from {arrivals} of arrivals"),
        }
    }

    /// Mean time over which work arrived under the baseline.
    fn arrivals_s(&self) -> f64 {
        let all = &self.many.policies[self.many.baseline].measurements;
        all.iter().map(|one| one.arrivals_s).sum::<f64>() / all.len().max(1) as f64
    }

    /// A promise and how often it is kept: `cost <= 6000 USD (kept in 25 of 30, now 17)`.
    fn promise(&self, row: usize, promise: &Promise) -> String {
        let objectives = self.rows.first().map_or(&[][..], |row| row.objectives);
        let Some(objective) = objectives.get(row) else { return String::new() };
        let told = format!("{} {}", objective.label, objective.text);
        match self.many.replications {
            1 => told,
            all => {
                format!("{told} (kept in {} of {all}, now in {})", promise.before, promise.after)
            }
        }
    }

    fn listed(&self, standing: &Standing, change: Change) -> String {
        let rows = standing.rows(change);
        let word = |&row: &usize| self.promise(row, &standing.promises[row]);
        rows.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    fn promises(&self, standing: &Standing) -> String {
        if standing.promises.is_empty() {
            return String::new();
        }
        let [gained, lost] =
            [Change::Gained, Change::Lost].map(|change| self.listed(standing, change));
        let mut said = match (gained.is_empty(), lost.is_empty()) {
            (true, true) => "No promise is gained or lost.".to_owned(),
            (false, true) => format!("Promises gained: {gained}; none lost."),
            (true, false) => format!("Promises lost: {lost}; none gained."),
            (false, false) => format!("Promises gained: {gained}; lost: {lost}."),
        };
        let moved = |row: &usize| standing.promises[*row].before != standing.promises[*row].after;
        let even = standing.rows(Change::Even).into_iter().filter(moved);
        let even: Vec<String> =
            even.map(|row| self.promise(row, &standing.promises[row])).collect();
        if !even.is_empty() {
            write!(
                said,
                " Kept more or less often, which chance could have made: {}.",
                even.join(", ")
            )
            .expect("a string takes everything");
        }
        said
    }

    fn unit_costs(&self, row: usize) -> String {
        let base = self.many.baseline;
        let keys = ["cost_per_job", "cost_per_core_hour", "cost_per_gpu_hour", "savings_rate"];
        let mut said = Vec::new();
        for metric in keys.iter().filter_map(|key| METRICS.iter().find(|one| one.key == *key)) {
            let Some(value) = self.mean(metric, row) else { continue };
            let mut words = format!("{} {}", metric.label, figure(metric.unit, Some(value)));
            if row != base
                && let Some(from) = self.mean(metric, base)
            {
                write!(words, " (was {})", figure(metric.unit, Some(from)))
                    .expect("a string takes everything");
            }
            said.push(words);
        }
        let mut said = said.join(", ");
        if let Some(first) = said.get_mut(0..1) {
            first.make_ascii_uppercase();
            said.push('.');
        }
        said
    }

    fn assumptions(&self, decision: &Decision) -> String {
        let found = &decision.sensitivity;
        let word = |one: &Influence| {
            let moved = figure("USD", Some(one.moved().abs()));
            let dearer = decision.saving.is_some_and(|saving| saving.monthly < 0.0);
            let way = match (dearer, one.moved() < 0.0) {
                (false, true) => "less saved",
                (false, false) => "more saved",
                (true, true) => "more to pay",
                (true, false) => "less to pay",
            };
            let per = if decision.saving.is_some() { "month" } else { "useful hour" };
            format!("{} ({moved} {way} per {per})", one.assumption)
        };
        let least = if decision.saving.is_some() { HALF_A_CENT } else { 0.0 };
        let seen = |one: &&Influence| one.moved().abs() > least;
        let named: Vec<String> =
            found.influences.iter().filter(seen).take(NAMED).map(word).collect();
        let from = match found.replications {
            all if all == self.many.replications => String::new(),
            1 => ", from the first replication".to_owned(),
            few => format!(", from the first {few} replications"),
        };
        let mut said = match named.is_empty() {
            true => String::new(),
            false => format!("What moves this most{from}: {}.", named.join("; ")),
        };
        if !found.unfit.is_empty() {
            let all = found.unfit.join(", or with ");
            write!(
                said,
                " With {all} less of the work gets done, so what that costs says nothing."
            )
            .expect("a string takes everything");
        }
        said.trim_start().to_owned()
    }
}

/// `−$2.00 to −$1.00`.
fn ends(change: &Interval) -> String {
    format!("{} to {}", difference("USD", change.low), difference("USD", change.high))
}
