//! Document of one run.

use serde::Serialize;

use super::super::budgets;
use super::super::chargeback::ChargebackReport;
use super::super::chart::{BUDGETS, Chart, OBJECTIVES};
use super::super::document::{Document, Section, SectionPlace, unquoted};
use super::super::words::{Statements, render};
use super::{ObjectiveResult, RunReport, breakdown, tables};

/// Files of a run, each with what it holds.
const FILES: [(&str, &str); 6] = [
    ("jobs.csv", "every job"),
    ("instances.csv", "every instance"),
    ("charges.csv", "every charge"),
    ("timeseries.csv", "queue, use and cost over time"),
    ("summary.json", "all of it for programs"),
    ("scenario.toml", "the scenario"),
];

/// Facts that are said of a run first.
#[derive(Clone, Debug, Serialize)]
struct RunFindings<'a> {
    policy: &'a str,
    seed: u64,
    cost: f64,
    monthly: Option<f64>,
    /// Seconds that what is rented in a month is scaled from.
    period_s: f64,
    /// Whether those seconds are the time over which work arrived.
    arrivals: bool,
    rents: bool,
    /// Providers that are paid, the dearest first.
    providers: Vec<ProviderShare<'a>>,
    submitted: u64,
    finished: u64,
    refused: u64,
    reasons: Vec<RefusedFor<'a>>,
    unfinished: u64,
    drained: bool,
    /// Number of promises.
    all: usize,
    broken: Vec<BrokenPromise<'a>>,
    assumptions: usize,
}

#[derive(Clone, Debug, Serialize)]
struct ProviderShare<'a> {
    name: &'a str,
    share: f64,
}

#[derive(Clone, Debug, Serialize)]
struct RefusedFor<'a> {
    name: &'a str,
    count: u64,
}

#[derive(Clone, Debug, Serialize)]
struct BrokenPromise<'a> {
    words: String,
    label: &'a str,
    unit: &'a str,
    value: Option<f64>,
    bound: f64,
}

impl RunReport {
    fn findings(&self) -> RunFindings<'_> {
        let (summary, work) = (&self.summary, &self.summary.work);
        let total = summary.cost.total.dollars();
        let mut paid: Vec<_> = summary.cost.by_provider.iter().collect();
        paid.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let providers = paid.into_iter().filter(|_| total > 0.0);
        let broken = |one: &&ObjectiveResult| !one.met;
        RunFindings {
            policy: &self.recipe.policy,
            seed: self.recipe.seed,
            cost: total,
            monthly: summary.monthly(),
            period_s: summary.rent_s(),
            arrivals: summary.period_s.is_none() && summary.arrivals_s > 0.0,
            rents: summary.cost.total != summary.cost.standing,
            providers: providers
                .map(|(name, part)| ProviderShare { name, share: part.dollars() / total })
                .collect(),
            submitted: work.submitted,
            finished: work.finished,
            refused: work.refused,
            reasons: work
                .refused_by_reason
                .iter()
                .map(|(name, count)| RefusedFor { name, count: *count })
                .collect(),
            unfinished: work.unfinished,
            drained: summary.drained,
            all: self.objectives.len(),
            broken: self
                .objectives
                .iter()
                .filter(broken)
                .map(|one| BrokenPromise {
                    words: format!("{} {}", one.label, one.text),
                    label: &one.label,
                    unit: &one.unit,
                    value: one.value,
                    bound: one.bound,
                })
                .collect(),
            assumptions: self.assumptions.len(),
        }
    }

    fn statements(&self) -> Statements {
        let mut said = render(include_str!("../words/run.txt"), &self.findings());
        said.cautions.extend(self.cautions.iter().cloned());
        said
    }

    /// The document; `charts` are those of the run, in order.
    pub fn document(&self, charts: Vec<Chart>) -> Document {
        let (said, summary) = (self.statements(), &self.summary);
        let mut document = Document::titled(self.recipe.question.as_deref(), &self.recipe.scenario);
        document.about = format!(
            "Scenario {}, policy {}, seed {}, {} to {} UTC",
            unquoted(&self.recipe.scenario_words()),
            unquoted(&self.recipe.policy),
            self.recipe.seed,
            to_the_minute(&summary.started),
            to_the_minute(&summary.ended)
        );
        document.answer = said.answer;
        document.cautions = said.cautions;
        document.left_out(self);
        document.assumptions.clone_from(&self.assumptions);
        document.cards = tables::cards(self);
        document.made_by(&self.recipe);
        document.recipe.push(("event hash".to_owned(), format!("`{}`", self.fingerprint)));
        document.files = FILES.map(|(name, what)| (name.to_owned(), what)).to_vec();
        if self.daily.is_some() {
            document.files.insert(3, ("days.csv".to_owned(), "cost by day"));
        }
        if self.chargeback.is_some() {
            document.files.insert(3, ("chargeback.csv".to_owned(), "who has to pay what"));
        }
        if !self.alerts.rules.is_empty() {
            document.files.insert(3, ("alerts.csv".to_owned(), "every alert"));
        }
        if !self.budgets.is_empty() {
            document.files.insert(3, ("budgets.csv".to_owned(), "budgets by period"));
        }
        let (promised, charts) = named(charts, |name| name == OBJECTIVES);
        let (planned, charts) = named(charts, |name| name == BUDGETS);
        let (grouped, charts) = named(charts, |name| name.starts_with("waits-by-"));
        let (hours, charts) = named(charts, |name| name.starts_with("hours-"));
        let (moved, charts) = named(charts, |name| name == "moved");
        let (categories, charts) = named(charts, |name| name == "cost-by-category");
        let (tenants, charts) = named(charts, |name| name == "cost-by-tenant");
        let (committed, over_time) =
            named(charts, |name| name == "commitments" || name == "cost-by-service");
        let objectives = Section::new("Objectives", SectionPlace::Front);
        document.add(objectives.tables(tables::objectives(self)).charts(promised));
        if let Some(budgets) = budgets::section(&self.budgets, self.calendar) {
            document.add(budgets.charts(planned));
        }
        if let Some(alerts) = self.alerts.section() {
            document.add(alerts);
        }
        document.add(Section::new("Over time", SectionPlace::Page).charts(over_time));
        let mut times = Section::of(tables::times(summary), SectionPlace::Front);
        if !summary.percentiles_exact {
            times = times.note("Percentiles are at most 0.1 % too high.");
        }
        document.add(times);
        document.add(breakdown::waits(summary).charts(grouped));
        let shared = self.chargeback.as_ref().and_then(ChargebackReport::section);
        let mut costs = tables::costs(&summary.cost);
        costs.retain(|table| shared.is_none() || table.title != tables::BY_TENANT);
        let cost = Section::new("Cost", SectionPlace::Front).tables(costs);
        document.add(cost.charts(categories));
        if let Some(shared) = shared {
            document.add(shared.charts(tenants));
        }
        if let Some(bill) = &self.bill {
            document.add(bill.section().charts(committed));
        }
        if let Some(daily) = &self.daily {
            document.add(daily.section());
        }
        document.add(
            Section::new("Work and resources", SectionPlace::Front).tables(
                [tables::work(summary), tables::resources(summary)]
                    .into_iter()
                    .chain(tables::energy(summary)),
            ),
        );
        let rows = Section::new("Own and rented hours", SectionPlace::Page);
        document.add(rows.tables([breakdown::hours(summary)]).charts(hours));
        let paths = Section::new("Data moved", SectionPlace::Page);
        let paths = paths.tables([breakdown::moved(&summary.moved)]).charts(moved);
        document.add(breakdown::left_out(paths, summary.moved.len(), "path"));
        document
    }
}

/// `2026-03-02 09:15` of `2026-03-02T09:15:30.123456Z`.
pub(in crate::report) fn to_the_minute(date: &str) -> String {
    let (day, time) = date.split_once('T').unwrap_or((date, ""));
    format!("{day} {}", time.get(..5).unwrap_or(time)).trim_end().to_owned()
}

/// Charts by whether their name is one of those that `is` says, each in order.
fn named(charts: Vec<Chart>, is: impl Fn(&str) -> bool) -> (Vec<Chart>, Vec<Chart>) {
    charts.into_iter().partition(|chart| is(&chart.name))
}
