//! How much to commit: what a policy uses on demand in many futures, and what offerings of
//! commitments would do to its cost.

use std::collections::BTreeMap;

use super::replication::Repetition;
use super::runner::{RunRequest, Runner, RunnerFailure};
use super::settlement::{Settlement, UncoveredUse};
use super::single::{self, Settings};
use crate::billing::account::Account;
use crate::billing::advice::{AdviceInput, CommitmentAdvice, DemandGrowth, FutureDemand, advise};
use crate::billing::offering::Offering;
use crate::billing::usage::{Product, UsageUnit};
use crate::problem::Problem;
use crate::scenario::{BillingTerms, Scenario};
use crate::units::{Distribution, Id, IdVec, Money, Rate, Span, Stream};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CommitPlan {
    /// Row of the policy in the scenario.
    pub policy: usize,
    /// Futures, each a run with a seed of its own; at least 1.
    pub replications: u32,
    /// Years that are looked ahead; that of the longest term where it is `None`.
    pub years: Option<u32>,
    /// Growth of the demand in a year, as a share; more than -1.
    pub growth: f64,
    /// Standard deviation of the logarithm of the demand after a year; 0 or more.
    pub spread: f64,
    /// Probability with which the last unit is to pay for itself where one is prudent.
    pub confidence: f64,
}

/// What there is to commit to, and how much.
#[derive(Clone, Debug)]
pub struct CommitStudy {
    /// Name of the policy.
    pub policy: String,
    /// What can be bought.
    pub offerings: Vec<Offering>,
    /// Whether those are shipped, for the scenario names none.
    pub shipped: bool,
    /// What was asked.
    pub plan: CommitPlan,
    /// Clock hours of the window that is repeated.
    pub window: usize,
    /// Whether the window is a part of a day, or whole days.
    pub is_short: bool,
    /// Clock hours that are looked ahead.
    pub horizon: usize,
    /// Mean cost of a year of what could be covered, at today's demand, in dollars.
    pub coverable: f64,
    /// The advice.
    pub advice: CommitmentAdvice,
}

/// Why there is no advice.
#[derive(Debug)]
pub enum CommitFailure {
    /// The scenario asks for nothing that can be advised on.
    Problem(Problem),
    /// A run failed.
    Runs(RunnerFailure),
}

/// Hours of a year of a term.
const YEAR: usize = 8_760;

/// One future: its uses, and the products that they name.
struct Future {
    uses: Vec<UncoveredUse>,
    products: IdVec<Product>,
    /// Seconds that its work stands for.
    rent_s: f64,
}

/// Runs the policy in each future, and says how much to commit.
///
/// # Errors
/// See [`CommitFailure`].
pub fn commit(
    runner: &Runner<'_>,
    scenario: &Scenario,
    plan: &CommitPlan,
) -> Result<CommitStudy, CommitFailure> {
    let policy = &scenario.policies[plan.policy];
    let terms = scenario.sale.clone().unwrap_or_else(BillingTerms::none);
    let settlement = Settlement::new(&terms).keeping_uncovered();
    let account = settlement.account();
    let (offerings, shipped) = offerings(scenario, plan.policy, &settlement);
    if offerings.is_empty() {
        let message =
            "there is nothing to commit to: no offering is known of who the policy rents from";
        let hint = "say what is for sale: `[[offering]]` with `provider`, `years`, and `discount` or `type`";
        return Err(CommitFailure::Problem(Problem::with(&scenario.path, message).hint(hint)));
    }
    let repetition = Repetition::Seeds { warm_up: Span::ZERO };
    let cells: Vec<RunRequest<'_>> = (0..plan.replications)
        .map(|replication| RunRequest { scenario, policy, repetition, replication })
        .collect();
    let futures = runner.each(&cells, |cell| {
        let mut settlement = Settlement::new(&terms).keeping_uncovered();
        let settings = Settings { audit: runner.audit, ..Settings::seeded(cell.seed()) };
        let decides = (cell.policy, runner.launcher);
        let mut go_on = |progress| runner.watch.step(progress);
        let run = single::run_with(scenario, decides, settings, &mut settlement, &mut go_on);
        let run = run.map_err(|failure| RunnerFailure::Run {
            policy: cell.policy.name.clone(),
            seed: cell.seed(),
            failure: Box::new(failure),
        })?;
        let settled = settlement.finish();
        Ok(Future {
            uses: settled.uncovered,
            products: settled.biller.products().clone(),
            rent_s: run.summary.rent_s(),
        })
    });
    let futures = futures.map_err(CommitFailure::Runs)?;
    let (window, is_short) = window(&futures);
    let (demand, coverable) = demand(&futures, &offerings, window);
    if coverable == 0.0 {
        let message = "there is nothing to cover: no use on demand that an offering covers";
        let hint =
            "commitments cover machines that are rented on demand, and no spot and no owned ones";
        return Err(CommitFailure::Problem(Problem::with(&scenario.path, message).hint(hint)));
    }
    let longest = offerings.iter().map(|offering| offering.hours as usize).max().unwrap_or(YEAR);
    let horizon = plan.years.map_or(longest, |years| years as usize * YEAR);
    let growth = DemandGrowth {
        growth: plan.growth,
        spread: plan.spread,
        normals: normals(scenario.seed, plan, horizon),
    };
    let input = AdviceInput {
        demand: &demand,
        growth: &growth,
        horizon,
        terms: settlement.terms(),
        account,
        offerings: &offerings,
        confidence: plan.confidence,
    };
    let advice = advise(&input).map_err(|error| {
        CommitFailure::Problem(Problem::with(&scenario.path, error.to_string()))
    })?;
    Ok(CommitStudy {
        policy: policy.name.clone(),
        offerings,
        shipped,
        plan: *plan,
        window,
        is_short,
        horizon,
        coverable,
        advice,
    })
}

/// What can be bought, and whether that is what is shipped: plans of the providers that the policy
/// may rent from.
fn offerings(scenario: &Scenario, policy: usize, settlement: &Settlement) -> (Vec<Offering>, bool) {
    if let Some(sale) = scenario.sale.as_ref().filter(|sale| !sale.offerings.is_empty()) {
        return (sale.offerings.clone(), false);
    }
    let world = &scenario.world;
    let providers: Vec<&str> = scenario
        .rentable(&[policy])
        .into_iter()
        .map(|offer| {
            let zone = &world.zones[world.offers[offer].zone];
            world.providers[world.regions[zone.region].provider].name.as_str()
        })
        .collect();
    let owner: Id<Account> = settlement.account();
    let scope = settlement.terms().accounts.root(owner);
    let plans = crate::billing::rules::shipped().plan.iter();
    let plans = plans.filter(|plan| providers.contains(&plan.provider.as_str()));
    (plans.map(|plan| plan.offering(owner, scope)).collect(), true)
}

/// Clock hours of the window that is repeated: what the work of a run stands for, in whole days, or
/// in hours where it is less than one; and whether it is.
fn window(futures: &[Future]) -> (usize, bool) {
    const DAY: f64 = 24.0;
    let mean = futures.iter().map(|one| one.rent_s / 3_600.0).sum::<f64>() / futures.len() as f64;
    match mean < DAY {
        true => ((mean.ceil() as usize).max(1), true),
        false => ((mean / DAY).round() as usize * 24, false),
    }
}

/// Demand in the window, with the cost of a year of it. Use after the window is added to that of its
/// beginning, for windows follow each other. A product has the mean of its prices.
fn demand(futures: &[Future], offerings: &[Offering], window: usize) -> (FutureDemand, f64) {
    let sold: Vec<_> = offerings.iter().map(|offering| offering.buy(1, 0)).collect();
    let mut known: BTreeMap<Product, (Id<Product>, ProductSums)> = BTreeMap::new();
    let mut products = IdVec::default();
    let mut uses: Vec<(usize, UncoveredUse, Id<Product>)> = Vec::new();
    for (row, future) in futures.iter().enumerate() {
        let mut mapped: BTreeMap<Id<Product>, Option<Product>> = BTreeMap::new();
        for one in &future.uses {
            let product = mapped.entry(one.product).or_insert_with(|| {
                let product = &future.products[one.product];
                let is_sold = sold.iter().any(|sold| sold.covers(product));
                is_sold.then(|| product.clone())
            });
            let Some(product) = product else { continue };
            let (id, sums) = known
                .entry(product.clone())
                .or_insert_with(|| (products.push(product.clone()), ProductSums::default()));
            sums.quantity += one.quantity;
            sums.list += one.list;
            sums.contracted += one.contracted;
            uses.push((row, *one, *id));
        }
    }
    let mut demand = FutureDemand::new(products, futures.len(), window);
    let prices: BTreeMap<Id<Product>, [Rate; 2]> =
        known.values().map(|(id, sums)| (*id, sums.prices())).collect();
    for (row, one, id) in &uses {
        demand.add([*row, one.hour % window], *id, one.quantity, prices[id]);
    }
    let paid: f64 = known.values().map(|(_, sums)| sums.contracted.dollars()).sum();
    (demand, paid / futures.len() as f64 * YEAR as f64 / window as f64)
}

/// Use of a product in all futures.
#[derive(Clone, Copy, Debug, Default)]
struct ProductSums {
    quantity: i128,
    list: Money,
    contracted: Money,
}

impl ProductSums {
    /// List price and negotiated price per hour.
    fn prices(&self) -> [Rate; 2] {
        let whole = UsageUnit::Hour.whole();
        [self.list, self.contracted].map(|money| {
            let picos = money.nanos() * 1_000 * whole / self.quantity.max(1);
            Rate::from_picos(i64::try_from(picos).unwrap_or(i64::MAX))
        })
    }
}

/// Standard normals of the growth of each future.
fn normals(seed: u64, plan: &CommitPlan, horizon: usize) -> Vec<Vec<f64>> {
    let Ok(normal) = Distribution::normal(0.0, 1.0) else { return Vec::new() };
    let future = |future: u32| {
        let mut stream = Stream::of(seed, "growth of demand", u64::from(future));
        (0..DemandGrowth::steps(horizon)).map(|_| normal.sample(&mut stream)).collect()
    };
    (0..plan.replications).map(future).collect()
}
