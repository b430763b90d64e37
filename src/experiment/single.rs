//! One run of one policy of a scenario, with everything that is shown of it.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::chargeback::{self, Chargeback};
use super::purchasing::Purchasing;
use super::settlement::{SettledRun, Settlement};
use super::spending::{self, ProductSpending};
use crate::metrics::{
    Alert, AlertCount, Alerts, BrokenLaw, BudgetHistory, Budgets, Collector, HashTrace, Histogram,
    Laws, Measures, RentWatch, Rentals, Series, SpendingTally, Summary, WholeMachines, WindowSum,
    WindowValue, Windows, budget_rules,
};
use crate::model::Offer;
use crate::policy::external::{Launcher, NoLauncher};
use crate::policy::spec::PolicySpec;
use crate::policy::{self, Policy};
use crate::problem::{Problem, Problems, clip};
use crate::purchase;
use crate::scenario::{NamedSource, Objective, Scenario, UnknownName};
use crate::sim::{self, Failure, Observer, Options, Outcome, RunProgress};
use crate::units::{Id, Money, Span, Time};
use crate::workload::{RowNotes, Source};

/// Settings of a run of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Seed of every random stream.
    pub seed: u64,
    /// All laws are watched, not only the cheap ones.
    pub audit: bool,
    /// Reasons of the policy are kept.
    pub explain: bool,
    /// Charges on the terms of the scenario are kept.
    pub charges: bool,
    /// Names of work are kept, for files.
    pub names: bool,
    /// Length of the start of a run that is not counted; zero counts everything.
    pub warm_up: Span,
    /// End of a window, from the start, after which no more of its work arrives: utilisation and
    /// the mean queue are those of the time before.
    pub until: Option<Span>,
}

impl Settings {
    /// A plain run under this seed.
    pub const fn seeded(seed: u64) -> Self {
        Self {
            seed,
            audit: false,
            explain: false,
            charges: false,
            names: false,
            warm_up: Span::ZERO,
            until: None,
        }
    }
}

/// Results of a run, with everything that is shown of it.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// The numbers.
    pub summary: Summary,
    /// The numbers over time.
    pub series: Series,
    /// The waits, for a chart of their distribution.
    pub waits: Histogram,
    /// Hash of the canonical records.
    pub fingerprint: String,
    /// The same along the run.
    pub hash_trace: HashTrace,
    /// Rows of the workload that could not be read and were skipped.
    pub skipped_rows: u64,
    /// Rows of the workload that became no work, or other work than they say.
    pub notes: RowNotes,
    /// Names in the rules of work that nothing here has.
    pub unknown_names: Vec<UnknownName>,
    /// Values of the windows of each objective that is of windows, by objective.
    pub windows: Vec<Vec<WindowValue>>,
    /// Value that each objective is held to; `None` where there is nothing to measure.
    pub promised: Vec<Option<f64>>,
    /// Alerts in order of their beginning, as far as they are kept one by one.
    pub alerts: Vec<Alert>,
    /// Alerts by rule.
    pub alert_counts: Vec<AlertCount>,
    /// The budgets of the world over the run.
    pub budgets: Vec<BudgetHistory>,
    /// Counts of the work that the policy can and cannot rent for.
    pub rentals: Rentals,
    /// Counts of the work that has its machines alone.
    pub whole: WholeMachines,
    /// Offers for rent on which some of the work could run.
    pub workable: Vec<Id<Offer>>,
    /// The bill on the terms of the scenario, where it says any.
    pub bill: Option<Arc<SettledRun>>,
    /// The cost by who caused it, where the run is counted from its beginning.
    pub chargeback: Option<Chargeback>,
    /// What was bought, at list prices.
    pub spending: Vec<ProductSpending>,
}

/// Failure of a run, which gives no result.
#[derive(Clone, Debug)]
pub enum RunFailure {
    /// The workload cannot be opened, or a part of the policy is a row of the user's own, which
    /// only a policy of [`Scenario::add_policy`] may have.
    Input(Problems),
    /// The run could not go on.
    Sim(Failure),
    /// A law was broken: a bug of windtunnel.
    Law(BrokenLaw),
}

/// Runs `policy` on the scenario's workload and world; `extra` watches too.
/// Starts no processes: see [`run_with`].
///
/// # Errors
/// See [`RunFailure`].
pub fn run(
    scenario: &Scenario,
    policy: &PolicySpec,
    settings: Settings,
    extra: &mut dyn Observer,
    control: &mut dyn FnMut(RunProgress) -> ControlFlow<()>,
) -> Result<RunResult, RunFailure> {
    run_with(scenario, (policy, &NoLauncher), settings, extra, control)
}

/// Runs `policy`, whose parts in other processes the launcher starts, on the
/// scenario's workload and world; `extra` watches too.
///
/// # Errors
/// See [`RunFailure`].
pub fn run_with(
    scenario: &Scenario,
    policy: (&PolicySpec, &dyn Launcher),
    settings: Settings,
    extra: &mut dyn Observer,
    control: &mut dyn FnMut(RunProgress) -> ControlFlow<()>,
) -> Result<RunResult, RunFailure> {
    let horizon = scenario.horizon.map(|horizon| Time::ZERO + horizon);
    let warm = Time::ZERO + settings.warm_up;
    let collector = match settings.warm_up {
        Span::ZERO => Collector::default(),
        _ => Collector::starting(warm),
    };
    let collector = match settings.until {
        Some(until) => collector.ending(Time::ZERO + until),
        None => collector,
    };
    // A window is as long as it is, whatever the whole trace stands for.
    let period = settings.until.or(scenario.period).map(|period| period - settings.warm_up);
    let collector = match period {
        Some(period) if period > Span::ZERO => collector.scaled_to_months_of(period),
        Some(_) | None => collector,
    };
    let laws = Laws::new(settings.audit);
    let rents = RentWatch::new(policy.0);
    let mut measures = Measures { collector, laws, rents, ..Measures::default() };
    let from = (settings.warm_up > Span::ZERO).then_some(warm);
    let until = settings.until.map(|until| Time::ZERO + until);
    let mut windows = Windows::new(watched(&scenario.objectives), from, until);
    let mut alerts = Alerts::new(&scenario.alerts, from);
    let mut budgets = Budgets::of(&scenario.world.budgets);
    let mut settlement = settlement_of(scenario, policy.0, settings.seed)
        .map(|settlement| settlement.counting_from(from))
        .map(|one| if settings.charges { one.keeping_charges() } else { one });
    let others: Vec<&mut dyn Observer> =
        vec![extra, &mut windows, &mut alerts, &mut budgets, &mut settlement];
    let run = |source: &mut dyn Source, policy: &mut dyn Policy, options: &Options| {
        measures.run(&scenario.world, source, policy, options, others, control)
    };
    let (outcome, reading) = simulate(scenario, policy, settings, horizon, run);
    let Measures { mut collector, series, laws, fingerprint, rents, mut spending, names } =
        measures;
    if let Some(broken) = laws.broken() {
        return Err(RunFailure::Law(broken.clone()));
    }
    let outcome = outcome?;
    if settings.warm_up > Span::ZERO {
        let mut before = (Collector::default(), SpendingTally::default());
        // The policy is to see what it buys, as before.
        let mut buyer = settlement_of(scenario, policy.0, settings.seed)
            .filter(|_| !policy.0.commit.is(&purchase::NONE));
        let mut watched = (&mut before, &mut buyer);
        let run = |source: &mut dyn Source, policy: &mut dyn Policy, options: &Options| {
            sim::run(&scenario.world, source, policy, options, &mut watched, control)
        };
        simulate(scenario, policy, settings, Some(warm), run).0?;
        collector = collector.without(&before.0);
        spending = spending.without(&before.1);
    }
    let mut summary = collector.summary(&scenario.world, &names.tenants, &outcome);
    if spending.total() != summary.cost.total {
        let law = "what is bought costs what the run costs";
        return Err(unequal(law, spending.total(), summary.cost.total));
    }
    let bill = settlement.map(|settlement| settle(settlement, from.is_none(), &mut summary));
    let bill = bill.transpose()?.map(Arc::new);
    let listed = || chargeback::listed(&spending, &names, &scenario.world);
    let chargeback = charged_back(listed, bill.as_deref(), from.is_none(), &summary)?;
    let own = scenario.alerts.len() - budget_rules(&scenario.world.budgets).len();
    budgets.tell(&mut alerts, own);
    let (alerts, alert_counts) = alerts.into_log();
    let is_watched = !scenario.alerts.is_empty();
    summary.alerts = is_watched.then(|| alert_counts.iter().map(|count| count.alerts).sum());
    let mut of_windows = windows.into_values().into_iter();
    let of_each = |one: &Objective| match one.window {
        Some(_) => of_windows.next().unwrap_or_default(),
        None => Vec::new(),
    };
    let windows: Vec<Vec<WindowValue>> = scenario.objectives.iter().map(of_each).collect();
    let promised = scenario.objectives.iter().zip(&windows);
    let promised = promised.map(|(one, windows)| one.value(&summary, windows)).collect();
    Ok(RunResult {
        summary,
        windows,
        promised,
        alerts,
        alert_counts,
        budgets: budgets.into_histories(),
        waits: collector.waits().clone(),
        series,
        fingerprint: fingerprint.hex(),
        hash_trace: fingerprint.hash_trace().clone(),
        skipped_rows: reading.skipped,
        notes: reading.notes,
        unknown_names: reading.unknown_names,
        workable: rents.workable(&scenario.world),
        whole: rents.whole(),
        rentals: rents.found(),
        bill,
        chargeback,
        spending: spending::products(&spending, &scenario.world),
    })
}

/// The law by which two amounts are the same, which is broken.
fn unequal(law: &'static str, one: Money, other: Money) -> RunFailure {
    let found = format!("{} and {}", one.exact(), other.exact());
    RunFailure::Law(BrokenLaw { at: Time::ZERO, law, found })
}

/// The cost of a run by who caused it, which sums to the cost; `None` where the run is not counted
/// from its beginning.
fn charged_back(
    listed: impl FnOnce() -> Chargeback,
    bill: Option<&SettledRun>,
    is_whole: bool,
    summary: &Summary,
) -> Result<Option<Chargeback>, RunFailure> {
    if !is_whole {
        return Ok(None);
    }
    let (chargeback, cost) = match bill {
        None => (listed(), summary.cost.total),
        Some(bill) => (bill.chargeback.clone(), bill.bill.total.effective),
    };
    match chargeback.broken(cost) {
        None => Ok(Some(chargeback)),
        Some(broken) => Err(RunFailure::Law(broken)),
    }
}

/// The settlement of a run, where its scenario has terms or one of its policies commits: then the
/// costs of all are settled alike.
fn settlement_of(scenario: &Scenario, policy: &PolicySpec, seed: u64) -> Option<Settlement> {
    let buys = !policy.commit.is(&purchase::NONE);
    let sale = scenario.sale.as_ref().filter(|_| scenario.is_settled())?;
    let purchasing =
        buys.then(|| Purchasing::new(sale.offerings.clone(), policy.commit.clone(), seed));
    Some(Settlement::new(sale).buying(purchasing))
}

/// Settles the costs of a run. Where it counts from the beginning, five laws hold: at list prices its
/// bill is what it costs; data is paid for as long as it is kept; work is metered hour by hour as it is charged when it ends; nothing
/// is given back beyond what was billed; and each commitment costs what it covers and what of it is not used.
fn settle(
    settlement: Settlement,
    is_whole: bool,
    summary: &mut Summary,
) -> Result<SettledRun, RunFailure> {
    let run = settlement.finish();
    let (list, total) = (run.list, summary.cost.total);
    if is_whole && list != total {
        let law = "the usage that is billed costs at list prices what the run costs";
        return Err(unequal(law, list, total));
    }
    let caused = summary.cost.by_tenant.iter().map(|(_, amount)| *amount).sum();
    if is_whole && run.metered_for_work != caused {
        let law = "work is metered by the hour as it is charged";
        return Err(unequal(law, run.metered_for_work, caused));
    }
    if is_whole && run.data.0 != run.data.1 {
        let law = "data is paid for as long as it is kept";
        let found = format!("{} and {} millionths of GB-months", run.data.0, run.data.1);
        return Err(RunFailure::Law(BrokenLaw { at: Time::ZERO, law, found }));
    }
    if let Some([given, billed]) = run.excess_credit.filter(|_| is_whole) {
        return Err(unequal("no credit is more than what was billed", given, billed));
    }
    let terms = run.biller.terms();
    for (held, commitment) in terms.commitments.iter().filter(|_| is_whole) {
        let sums = run.bill.commitments.get(&held).copied().unwrap_or_default();
        let (spread, cost) =
            (sums.used + sums.unused, terms.cost_of(commitment, run.hours.clone()));
        if spread != cost {
            let law = "a commitment costs what it covers and what of it is not used";
            return Err(unequal(law, spread, cost));
        }
    }
    summary.settle(run.settled.clone());
    Ok(run)
}

/// The quantities that the objectives of windows are about, with the lengths of their windows.
fn watched(objectives: &[Objective]) -> impl Iterator<Item = (WindowSum, Span)> {
    objectives.iter().filter_map(|one| Some((one.metric.window?, one.window?.width)))
}

/// The longest simulated time of a run: a run has no more windows than a million.
fn max_simulated(scenario: &Scenario) -> Span {
    let most = |(_, width): (WindowSum, Span)| {
        Span::from_micros(width.micros().saturating_mul(Windows::MOST))
    };
    let all = watched(&scenario.objectives).map(most);
    all.fold(scenario.limits.max_simulated, Span::min)
}

/// Notes from reading the work, besides the work itself.
#[derive(Debug, Default)]
struct ReadingNotes {
    skipped: u64,
    notes: RowNotes,
    unknown_names: Vec<UnknownName>,
}

/// Runs a policy up to `horizon`; returns the outcome, and notes on reading the work.
fn simulate(
    scenario: &Scenario,
    policy: (&PolicySpec, &dyn Launcher),
    settings: Settings,
    horizon: Option<Time>,
    run: impl FnOnce(&mut dyn Source, &mut dyn Policy, &Options) -> Result<Outcome, Failure>,
) -> (Result<Outcome, RunFailure>, ReadingNotes) {
    if let Some((part, row)) = policy.0.own_part() {
        let name = clip(&policy.0.name);
        let message = format!("policy `{name}`: its {} part `{row}` is a Rust type", part.name());
        let hint = "add the policy with `Scenario::add_policy`, a version and a closure that builds it: \
                    `move || policy::build(&spec)`";
        let problem = Problem::with(&scenario.path, message).hint(hint);
        return (Err(RunFailure::Input(problem.into())), ReadingNotes::default());
    }
    let context = scenario.context(settings.seed, settings.names);
    let mut source = match scenario.workload.open(&context) {
        Ok(source) => NamedSource::new(source, &scenario.world),
        Err(problems) => return (Err(RunFailure::Input(problems)), ReadingNotes::default()),
    };
    let options = Options {
        seed: settings.seed,
        horizon,
        explain: settings.explain,
        max_events: scenario.limits.max_events,
        max_alive: scenario.limits.max_alive as usize,
        max_jobs: scenario.limits.max_jobs,
        max_simulated: Some(max_simulated(scenario)),
        ..Options::default()
    };
    let mut decides = policy::build_with(policy.0, policy.1);
    let outcome = run(&mut source, decides.as_mut(), &options);
    let reading = ReadingNotes {
        skipped: source.skipped(),
        notes: source.notes(),
        unknown_names: source.unknown(),
    };
    (outcome.map_err(RunFailure::Sim), reading)
}
