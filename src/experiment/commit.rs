//! How much to commit: what a policy uses on demand in many futures, and what offerings of
//! commitments would do to its cost.

use std::collections::BTreeMap;

use super::replication::Repetition;
use super::runner::{RunRequest, Runner, RunnerFailure};
use super::settlement::{SettledRun, Settlement};
use super::single::{self, Settings};
use crate::billing::account::Account;
use crate::billing::advice::{AdviceInput, CommitmentAdvice, DemandGrowth, FutureDemand, advise};
use crate::billing::charge::{BilledCharge, Origin, Purpose};
use crate::billing::commitment::{Commitment, hour_of, start_of};
use crate::billing::currency::Exchange;
use crate::billing::offering::Offering;
use crate::billing::parts::MachinePart;
use crate::billing::rules::shipped;
use crate::billing::settle::Biller;
use crate::billing::terms::{AccountTerms, SustainedUse};
use crate::billing::usage::{LinePrices, Product, UsageLine, UsageUnit};
use crate::problem::Problem;
use crate::scenario::product_of;
use crate::scenario::{BillingTerms, Scenario};
use crate::units::{Distribution, Id, IdVec, Money, Rate, Span, Stream, Time};

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
    /// Facts that a reader must know.
    pub notes: Vec<CommitNote>,
    /// Clock hours that are looked ahead.
    pub horizon: usize,
    /// Mean cost of a year of what could be covered, at today's demand, in dollars.
    pub coverable: f64,
    /// The advice.
    pub advice: CommitmentAdvice,
}

/// Something that bears on the advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitNote {
    /// The window is no week, so that it has not the course of one.
    Short,
    /// The beginning counts, though the scenario leaves it out.
    SteadyState,
    /// A table of the terms matches nothing that can be used.
    Idle(Problem),
    /// Offerings of that name cover nothing that can be rented.
    CoversNothing(String),
    /// The account that is billed has no benefit of offerings of that name.
    NoBenefit(String),
    /// A commitment of that name that is held does not hold as the run begins.
    NotHeld(String),
    /// Commitments that are held go on: so many.
    Held(usize),
    /// Offerings in that currency, and what it is worth as the run begins.
    Foreign(String, Exchange),
    /// A provider that takes something off for sustained use of what an offering covers.
    Sustained(String),
    /// An offering whose term is longer than what is looked ahead.
    Longer(String),
    /// An offering that is bought, and whose term is shorter than that.
    Shorter(String),
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

/// One future: its charges without any commitment.
struct Future {
    run: SettledRun,
    /// Seconds that its work stands for, and that its run took.
    rent_s: f64,
    took_s: f64,
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
    let mut terms = scenario.sale.clone().unwrap_or_else(BillingTerms::none);
    let settlement = Settlement::new(&terms);
    let account = settlement.account();
    // What is held covers once the window is known.
    let held = std::mem::take(&mut terms.terms.commitments);
    let (offerings, shipped) = offerings(scenario, plan.policy, &settlement);
    let begins = hour_of(Time::from_micros(scenario.calendar.unix_micros(Time::ZERO)));
    let (offerings, foreign) = in_dollars(&offerings, &terms.terms, begins);
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
        let mut settlement = Settlement::new(&terms).keeping_charges();
        let settings = Settings { audit: runner.audit, ..Settings::seeded(cell.seed()) };
        let decides = (cell.policy, runner.launcher);
        let mut go_on = |progress| runner.watch.step(progress);
        let run = single::run_with(scenario, decides, settings, &mut settlement, &mut go_on);
        let run = run.map_err(|failure| RunnerFailure::Run {
            policy: cell.policy.name.clone(),
            seed: cell.seed(),
            failure: Box::new(failure),
        })?;
        Ok(Future {
            run: settlement.finish(),
            rent_s: run.summary.rent_s(),
            took_s: run.summary.simulated_s,
        })
    });
    let futures = futures.map_err(CommitFailure::Runs)?;
    let window = window(&futures);
    if let Some(problem) = too_long(scenario, &futures, window) {
        return Err(CommitFailure::Problem(problem));
    }
    let (held, mut notes) = held_at(&terms.terms, &held, begins, window);
    notes.extend(foreign);
    // Demand is of what was taken apart already.
    let holding = AccountTerms { commitments: held, parts: BTreeMap::new(), ..terms.terms.clone() };
    let (demand, coverable) = demand(&futures, (&offerings, &holding, account), window);
    if coverable == 0.0 {
        let message = "there is nothing to cover: no use on demand that an offering covers";
        let hint = "commitments cover machines that are rented on demand, and no spot and no owned ones; those of cores and memory cover machines that are taken apart (docs/money.md); `validate` tells what matches nothing";
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
    let sold = sold_to(scenario, plan.policy, &terms.terms);
    notes.extend(noted(scenario, &sold, &offerings, horizon, window));
    let accounts = &terms.terms.accounts;
    let elsewhere = offerings.iter().filter(|one| !accounts.within(account, one.scope));
    notes.extend(elsewhere.map(|one| CommitNote::NoBenefit(one.name.clone())));
    let bought = offerings.iter().zip(&advice.cheapest.holdings);
    let shorter = bought.filter(|(one, held)| held.units > 0 && (one.hours as usize) < horizon);
    notes.extend(shorter.map(|(one, _)| CommitNote::Shorter(one.name.clone())));
    Ok(CommitStudy {
        policy: policy.name.clone(),
        offerings,
        shipped,
        plan: *plan,
        window,
        notes,
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
    let plans = shipped().plan.iter();
    let plans = plans.filter(|plan| providers.contains(&plan.provider.as_str()));
    (plans.map(|plan| plan.offering(owner, scope)).collect(), true)
}

/// Clock hours of the window that is repeated: what the work of a run stands for, in whole days where
/// it is within a twentieth of that, and else in whole hours.
fn window(futures: &[Future]) -> usize {
    const DAY: f64 = 24.0;
    let mean = futures.iter().map(|one| one.rent_s / 3_600.0).sum::<f64>() / futures.len() as f64;
    let days = libm::round(mean / DAY) * DAY;
    match (mean - days).abs() <= mean / 20.0 {
        true => days as usize,
        false => (libm::round(mean) as usize).max(1),
    }
}

/// A problem where runs take more than twice as long as their work stands for: windows that follow
/// each other would have more at once than any run.
fn too_long(scenario: &Scenario, futures: &[Future], window: usize) -> Option<Problem> {
    let longest = futures.iter().map(|one| one.took_s / 3_600.0).fold(0.0, f64::max);
    (longest > 2.0 * window as f64 + 1.0).then(|| {
        let message = format!(
            "the work stands for {window} h, and a run of it takes {} h",
            libm::ceil(longest)
        );
        let hint = "say how long it is the work of: `workload.period`; or simulate for longer";
        Problem::with(&scenario.path, message).hint(hint)
    })
}

/// The offerings in dollars, at what their currencies are worth in that clock hour; and what is said of it.
fn in_dollars(
    offerings: &[Offering],
    terms: &AccountTerms,
    begins: i64,
) -> (Vec<Offering>, Vec<CommitNote>) {
    let mut notes = Vec::new();
    let in_dollars = |offering: &Offering| {
        let worth = terms.exchange(offering.currency, begins);
        if let Some(currency) = offering.currency {
            let code = terms.currencies[currency].code.clone();
            let note = CommitNote::Foreign(code, worth);
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        offering.in_dollars(worth)
    };
    (offerings.iter().map(in_dollars).collect(), notes)
}

/// What is held in that clock hour, in dollars of that hour, for the whole window from it on; and what is said of it.
fn held_at(
    terms: &AccountTerms,
    held: &IdVec<Commitment>,
    begins: i64,
    window: usize,
) -> (IdVec<Commitment>, Vec<CommitNote>) {
    let (mut kept, mut notes) = (IdVec::default(), Vec::new());
    for (_, commitment) in held.iter() {
        if !commitment.holds_in(begins) {
            notes.push(CommitNote::NotHeld(commitment.name.clone()));
            continue;
        }
        let mut commitment = terms.in_dollars(commitment, begins).into_owned();
        (commitment.from, commitment.until) = (start_of(0), start_of(window as i64));
        kept.push(commitment);
    }
    if !kept.is_empty() {
        notes.push(CommitNote::Held(kept.len()));
    }
    (kept, notes)
}

/// What the policy may rent on these terms, machines that are taken apart by their parts.
fn sold_to(scenario: &Scenario, policy: usize, terms: &AccountTerms) -> Vec<SoldProduct> {
    let offers = scenario.rentable(&[policy]).into_iter();
    let sold = offers.flat_map(|offer| {
        let product = product_of(&scenario.world, offer);
        match terms.parts_of(&product) {
            Some(made) => Vec::from(
                MachinePart::both(&product, made).map(|part| (part.product(), Some(part))),
            ),
            None => vec![(product, None)],
        }
    });
    sold.collect()
}

/// What a reader must know of the offerings and the window.
fn noted(
    scenario: &Scenario,
    products: &[SoldProduct],
    offerings: &[Offering],
    horizon: usize,
    window: usize,
) -> Vec<CommitNote> {
    let sustained: Vec<_> = shipped().sustained_use().collect();
    let mut notes: Vec<CommitNote> =
        scenario.idle_terms.iter().cloned().map(CommitNote::Idle).collect();
    if window < 168 {
        notes.push(CommitNote::Short);
    }
    if scenario.steady_state {
        notes.push(CommitNote::SteadyState);
    }
    for offering in offerings {
        let unit = offering.buy(1, 0);
        let covered = || {
            let all =
                products.iter().filter(|(product, of)| unit.covers_sold(product, of.as_ref()));
            all.map(|(product, _)| product)
        };
        if covered().next().is_none() {
            notes.push(CommitNote::CoversNothing(offering.name.clone()));
        }
        if offering.hours as usize > horizon {
            notes.push(CommitNote::Longer(offering.name.clone()));
        }
        let less = |product: &Product| {
            let has = |row: &&SustainedUse| {
                row.provider == product.provider && row.matching.covers(product)
            };
            sustained.iter().find(has).is_some()
        };
        let provider = CommitNote::Sustained(offering.provider.clone());
        if covered().any(less) && !notes.contains(&provider) {
            notes.push(provider);
        }
    }
    notes
}

/// Demand in the window that nothing held covers, with the cost of a year of it. Use after the window
/// is added to that of its beginning, for windows follow each other. A product has the mean of its
/// prices.
fn demand(
    futures: &[Future],
    (offerings, holding, account): (&[Offering], &AccountTerms, Id<Account>),
    window: usize,
) -> (FutureDemand, f64) {
    let sold: Vec<_> = offerings.iter().map(|offering| offering.buy(1, 0)).collect();
    let held: Vec<_> = holding.commitments.iter().map(|(_, held)| held.clone()).collect();
    let mut known: BTreeMap<SoldProduct, (Id<Product>, ProductSums)> = BTreeMap::new();
    let mut products: IdVec<Product> = IdVec::default();
    let mut parts: BTreeMap<Id<Product>, MachinePart> = BTreeMap::new();
    let mut used: Vec<BTreeMap<(usize, Id<Product>), i128>> = Vec::new();
    for future in futures {
        let mut hours = BTreeMap::new();
        let SettledRun { charges, biller, hours: of_run, .. } = &future.run;
        for one in charges {
            let Purpose::Usage { origin: Origin::Line(_), product } = one.purpose else { continue };
            let (product, of) = (&biller.products()[product], biller.part_of(product));
            if !sold.iter().chain(&held).any(|sold| sold.covers_sold(product, of)) {
                continue;
            }
            let (id, sums) = known.entry((product.clone(), of.cloned())).or_insert_with(|| {
                let id = products.push(product.clone());
                parts.extend(of.map(|of| (id, of.clone())));
                (id, ProductSums::default())
            });
            sums.quantity += one.quantity;
            sums.list += one.list;
            sums.contracted += one.contracted;
            let hour = (hour_of(one.from) - of_run.start) as usize % window;
            *hours.entry((hour, *id)).or_default() += one.quantity;
        }
        used.push(hours);
    }
    let prices: BTreeMap<Id<Product>, [Rate; 2]> =
        known.values().map(|(id, sums)| (*id, sums.prices())).collect();
    let is_sold: Vec<bool> = products
        .iter()
        .map(|(id, product)| sold.iter().any(|sold| sold.covers_sold(product, parts.get(&id))))
        .collect();
    let mut demand = FutureDemand::new(products.clone(), futures.len(), window);
    parts.iter().for_each(|(&id, of)| demand.part(id, of.clone()));
    let mut coverable = 0.0;
    for (row, hours) in used.iter().enumerate() {
        for ((hour, id), quantity) in
            uncovered(holding, account, (&products, &parts), &prices, hours)
        {
            if is_sold[id.row()] && quantity > 0 {
                demand.add([row, hour], id, quantity, prices[&id]);
                let hours = quantity as f64 / UsageUnit::Hour.whole() as f64;
                coverable += hours * prices[&id][1].picos() as f64 / 1e12;
            }
        }
    }
    (demand, coverable / futures.len() as f64 * YEAR as f64 / window as f64)
}

/// What nothing held covers, by hour of the window and product, of what is used in each.
fn uncovered(
    holding: &AccountTerms,
    account: Id<Account>,
    (products, parts): (&IdVec<Product>, &BTreeMap<Id<Product>, MachinePart>),
    prices: &BTreeMap<Id<Product>, [Rate; 2]>,
    hours: &BTreeMap<(usize, Id<Product>), i128>,
) -> BTreeMap<(usize, Id<Product>), i128> {
    if holding.commitments.is_empty() {
        return hours.clone();
    }
    let mut biller = Biller::new(holding.clone());
    for (id, product) in products.iter() {
        match parts.get(&id) {
            Some(of) => biller.part(of.clone()),
            None => biller.product(product.clone()),
        };
    }
    let mut left = BTreeMap::new();
    let mut keep = |charge: BilledCharge| {
        if let Purpose::Usage { origin: Origin::Line(_), product } = charge.purpose {
            *left.entry((hour_of(charge.from) as usize, product)).or_default() += charge.quantity;
        }
    };
    for (number, (&(hour, product), &quantity)) in (1..).zip(hours) {
        let [list, contracted] = prices[&product];
        let (from, until) = (start_of(hour as i64), start_of(hour as i64 + 1));
        let line = UsageLine {
            number,
            account,
            product,
            from,
            until,
            quantity,
            list,
            contracted,
            prices: LinePrices::Own,
            amount: None,
        };
        let taken = biller.take(line, &mut keep);
        debug_assert!(taken.is_ok(), "hours come in order");
    }
    biller.finish(0, &mut keep);
    left
}

/// A product, and the part of a machine that it is, if it is one.
type SoldProduct = (Product, Option<MachinePart>);

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
