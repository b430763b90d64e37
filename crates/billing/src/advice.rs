//! Advice: how much to commit.
//!
//! Given what an account will use on demand in replications of the future ([`FutureDemand`],
//! [`DemandGrowth`]) and what it can buy ([`Offering`]), [`advise`] says how many units of each
//! offering cost the least in the mean, alone and together, and how sure that is.
//!
//! **Cost.** In replication *r* with *n* units of an offering with a term of *T* hours
//!
//! > cost_r(n) = n·c·T + Σ_h left_r,h(n)
//!
//! where *c* is what one unit costs in one hour of its term, its upfront payment spread evenly, and
//! left_r,h(n) what is left to be paid at contracted prices in hour *h*, after the units have
//! covered what a biller lets them cover. The saving is cost_r(0) - cost_r(n). All are of the goods
//! that the offering covers, or that any of several does; nothing else changes.
//!
//! An offering is judged over its term from hour 0 of the horizon. A term that is longer than the
//! horizon is judged over the horizon alone, for its part of the cost. It is bought once: what
//! comes after a shorter term counts for nothing. Figures are per year of 8,760 hours.
//!
//! **Order.** Offerings cover hours in the order in which a [`Biller`](crate::settle::Biller)
//! applies commitments; a test holds that costs are those of its bills. What the account holds
//! already is taken off the demand before, whatever its place in that order would be. Demand is of
//! one account; lines of an hour are one for each product, in the order of products. Discounts for
//! sustained use and tiers are not in it: prices are those that demand says.
//!
//! **Portfolio.** From none, the offering that saves the most in a year of its own term on the
//! demand that is left is added, until none saves. Then units of one are set anew to the best
//! number, those of all others held and in the biller's order; or some are taken from one or added to
//! it, and others set anew; as long as the saving of the whole horizon grows. What saves nothing
//! alone, or costs more than another like it, takes no part in that, and of more than 15,000 hours
//! a sample stands for all. At the end the units of every offering are set anew on all hours until
//! none changes. That is a local optimum: no other number of units of a single offering saves more,
//! but a change of two at once may. Tests hold how far it is off in small worlds.

mod claims;
mod course;
mod demand;
mod figure;
mod futures;
mod lot_sums;
mod portfolio;
mod response;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::account::Account;
use crate::offering::Offering;
use crate::terms::AccountTerms;
use crate::units::Id;
use crate::units::rank::nearest_rank;

pub use demand::{DemandGrowth, FutureDemand, MONTH_HOURS};
pub use figure::{Expected, PayChance};

use futures::{Futures, Tally};
use response::{Response, ResponseTurn};

/// What advice is asked for.
#[derive(Clone, Copy, Debug)]
pub struct AdviceInput<'a> {
    /// The demand.
    pub demand: &'a FutureDemand,
    /// Its growth.
    pub growth: &'a DemandGrowth,
    /// Clock hours over which the window of the demand is repeated.
    pub horizon: usize,
    /// Accounts, and the order in which they have the benefit of commitments.
    pub terms: &'a AccountTerms,
    /// The account whose demand it is.
    pub account: Id<Account>,
    /// What can be bought. What does not cover the account is of no use.
    pub offerings: &'a [Offering],
    /// Probability with which the last unit shall pay for itself where one is prudent.
    pub confidence: f64,
}

/// Why there is no advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdviceError {
    /// There is no replication, no hour of demand, or no hour of the horizon.
    NoTime,
    /// A replication has fewer normals than its growth has steps.
    FewNormals,
    /// Growth is not more than -1, or its spread is less than 0.
    NoGrowth,
}

impl fmt::Display for AdviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTime => "there is no hour of demand to commit for",
            Self::FewNormals => "there are fewer normals than months of growth",
            Self::NoGrowth => "growth is to be more than -100 %, and its spread not less than 0",
        })
    }
}

impl std::error::Error for AdviceError {}

/// How much to commit.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitmentAdvice {
    /// By offering, what it does alone.
    pub offerings: Vec<OfferingAdvice>,
    /// Which of them together, for the least mean cost.
    pub cheapest: PortfolioAdvice,
    /// The same with fewer units: of each, the cheapest units of all others held, only as many as
    /// have a last unit that pays for itself with the probability asked for.
    pub prudent: PortfolioAdvice,
    /// Whether the search ended at a local optimum, and not because it took too long.
    pub is_settled: bool,
}

/// What an offering does alone.
#[derive(Clone, Debug, PartialEq)]
pub struct OfferingAdvice {
    /// Hours over which it is judged; 0 where it covers nothing.
    pub hours: usize,
    /// Units that are tried together: 1, or more where demand takes millions.
    pub lot: u64,
    /// The fewest units with the least mean cost.
    pub cheapest: UnitsOutcome,
    /// The most units, up to those, of which the last pays for itself with the probability asked for.
    pub prudent: UnitsOutcome,
    /// Mean over replications of the largest saving in each, dollars per year: what could be saved by
    /// who knew the future.
    pub clairvoyant: f64,
    /// That less the mean saving of the cheapest.
    pub regret: f64,
    /// Outcomes from no unit to a fifth more than demand ever takes.
    pub curve: Vec<UnitsPoint>,
    /// By month of the horizon, the units that the demand of an hour takes.
    pub levels: Vec<DemandLevels>,
}

/// What a number of units does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UnitsOutcome {
    /// The units.
    pub units: u64,
    /// What they cost and what is left to be paid, dollars per year.
    pub cost: Expected,
    /// What they save, dollars per year.
    pub saving: Expected,
    /// Share of the demand that they cover, by its contracted price.
    pub coverage: Expected,
    /// Share of what is bought that is used.
    pub utilisation: Expected,
    /// Probability that they cost less over their term than what they cover; `None` of no units.
    pub pays: Option<PayChance>,
    /// The same for the last unit.
    pub last_pays: Option<PayChance>,
}

/// Point of a curve over units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitsPoint {
    /// The units.
    pub units: u64,
    /// Mean saving, dollars per year.
    pub saving: f64,
    /// Mean coverage.
    pub coverage: f64,
    /// Mean utilisation; 0 of no units.
    pub utilisation: f64,
    /// Probability that they pay for themselves; `None` of no units.
    pub pays: Option<PayChance>,
}

/// Percentiles of the levels of demand.
pub const LEVELS: [f64; 9] = [0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0];

/// Units that the demand of an hour takes, over the hours of a month and all replications.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DemandLevels {
    /// Mean.
    pub mean: f64,
    /// At the nearest ranks of [`LEVELS`].
    pub at: [f64; 9],
}

/// Offerings together.
#[derive(Clone, Debug, PartialEq)]
pub struct PortfolioAdvice {
    /// What is bought, by offering.
    pub holdings: Vec<Holding>,
    /// What they cost and what is left to be paid, dollars per year of the horizon.
    pub cost: Expected,
    /// What they save, dollars per year of the horizon.
    pub saving: Expected,
    /// Share of the demand that they cover, by its contracted price.
    pub coverage: Expected,
    /// Probability that they save anything; `None` of none.
    pub pays: Option<PayChance>,
}

/// Units of an offering among others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holding {
    /// The units.
    pub units: u64,
    /// Share of what is bought that is used.
    pub utilisation: Expected,
    /// What is lost without them, the cheapest units of all others held, dollars per year of its term.
    pub saving: Expected,
    /// Probability that these pay for themselves; `None` of no units.
    pub pays: Option<PayChance>,
    /// The same for the last unit.
    pub last_pays: Option<PayChance>,
}

/// Says how much to commit.
///
/// # Errors
/// There is no time, there are too few normals, or growth is out of range.
pub fn advise(input: &AdviceInput) -> Result<CommitmentAdvice, AdviceError> {
    let futures = Futures::of(input)?;
    let none = vec![0; input.offerings.len()];
    let most: Vec<f64> = (0..none.len()).map(|offering| futures.most(offering)).collect();
    let respond =
        |offering: usize| futures.response(offering, most[offering], &none, ResponseTurn::Own);
    let alone: Vec<Response> = (0..none.len()).map(respond).collect();
    let found = portfolio::search(&futures, &most, &alone);
    let fewer = found.responses.iter().map(|response| {
        let lots = found.units[response.offering] / response.lot;
        response.prudent(lots as usize, input.confidence) as u64 * response.lot
    });
    Ok(CommitmentAdvice {
        offerings: alone.iter().map(|one| of_offering(&futures, one, input.confidence)).collect(),
        cheapest: together(&futures, &found.units, &found.responses),
        prudent: together(&futures, &fewer.collect::<Vec<u64>>(), &found.responses),
        is_settled: found.is_settled,
    })
}

fn of_offering(futures: &Futures, response: &Response, confidence: f64) -> OfferingAdvice {
    let years = futures.years(response.offering);
    let best = response.cheapest();
    let prudent = response.prudent(best, confidence);
    let clairvoyant = per(response.clairvoyant(), years);
    let points = 59;
    let most = (response.lots * 6).div_ceil(5);
    let mut grid: Vec<usize> = (0..=points).map(|point| (most * point).div_ceil(points)).collect();
    grid.extend([best, prudent]);
    grid.sort_unstable();
    grid.dedup();
    OfferingAdvice {
        hours: if response.lots == 0 { 0 } else { futures.hours[response.offering] },
        lot: response.lot,
        cheapest: outcome(futures, response, best),
        prudent: outcome(futures, response, prudent),
        clairvoyant,
        regret: clairvoyant - per(response.mean(best), years),
        curve: grid.into_iter().map(|lots| point(futures, response, lots)).collect(),
        levels: levels(futures, response.offering),
    }
}

/// `amount` over `years`; nothing of no years.
fn per(amount: f64, years: f64) -> f64 {
    if years > 0.0 { amount / years } else { 0.0 }
}

fn outcome(futures: &Futures, response: &Response, lots: usize) -> UnitsOutcome {
    let (years, rows) = (futures.years(response.offering), 0..response.replications());
    let demand = |row| response.saved(row, response.lots);
    let over = |of: fn(&Futures, &Response, usize, usize) -> f64| {
        Expected::of(rows.clone().map(|row| of(futures, response, row, lots)))
    };
    let has_any = lots > 0;
    let chance = |hits: usize| PayChance::of(hits, response.replications());
    UnitsOutcome {
        units: lots as u64 * response.lot,
        cost: Expected::of(
            rows.clone().map(|row| per(demand(row) - response.net(row, lots), years)),
        ),
        saving: Expected::of(rows.clone().map(|row| per(response.net(row, lots), years))),
        coverage: over(coverage),
        utilisation: over(utilisation),
        pays: has_any.then(|| chance(response.pays(lots))),
        last_pays: has_any.then(|| chance(response.last_pays(lots))),
    }
}

fn coverage(_: &Futures, response: &Response, row: usize, lots: usize) -> f64 {
    per(response.saved(row, lots), response.saved(row, response.lots))
}

fn utilisation(futures: &Futures, response: &Response, row: usize, lots: usize) -> f64 {
    let bought = (lots as u64 * response.lot) as f64 * futures.hours[response.offering] as f64;
    per(response.used(row, lots), bought)
}

fn point(futures: &Futures, response: &Response, lots: usize) -> UnitsPoint {
    let rows = response.replications();
    let mean = |of: fn(&Futures, &Response, usize, usize) -> f64| {
        (0..rows).map(|row| of(futures, response, row, lots)).sum::<f64>() / rows as f64
    };
    UnitsPoint {
        units: lots as u64 * response.lot,
        saving: per(response.mean(lots), futures.years(response.offering)),
        coverage: mean(coverage),
        utilisation: mean(utilisation),
        pays: (lots > 0).then(|| PayChance::of(response.pays(lots), rows)),
    }
}

/// Levels of demand in units of an offering, by month of the horizon.
fn levels(futures: &Futures, offering: usize) -> Vec<DemandLevels> {
    let months = (0..futures.horizon).step_by(MONTH_HOURS);
    months
        .map(|from| {
            let mut needs: Vec<(f64, u64)> = Vec::new();
            let until = (from + MONTH_HOURS).min(futures.horizon);
            futures.needs(offering, from..until, |need, times| needs.push((need, times as u64)));
            needs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            let count: u64 = needs.iter().map(|(_, times)| times).sum();
            let sum: f64 = needs.iter().map(|(need, times)| need * *times as f64).sum();
            let mut rows = needs.iter();
            let (mut value, mut seen) = (0.0, 0);
            let at = LEVELS.map(|share| {
                let rank = nearest_rank(share, count);
                while seen < rank {
                    let Some((need, times)) = rows.next() else { break };
                    (value, seen) = (*need, seen + times);
                }
                value
            });
            DemandLevels { mean: sum / count as f64, at }
        })
        .collect()
}

fn together(futures: &Futures, units: &[u64], responses: &[Response]) -> PortfolioAdvice {
    let tallies: Vec<Tally> =
        (0..futures.replications).map(|row| futures.tally(row, units)).collect();
    let years = futures.horizon as f64 / 8_760.0;
    let bought: f64 = (0..units.len()).map(|row| futures.bought(row, units[row])).sum();
    let savings: Vec<f64> =
        tallies.iter().map(|tally| tally.demand - tally.left - bought).collect();
    let noise = tallies.iter().fold(0.0, |most: f64, tally| most.max(tally.demand)) * 1e-10;
    let holding = |response: &Response| {
        let (offering, count) = (response.offering, response.replications());
        let held = units[offering];
        let lots = (held / response.lot) as usize;
        let (years, hours) = (futures.years(offering), futures.hours[offering] as f64);
        let used = tallies.iter().map(|tally| per(tally.used[offering], held as f64 * hours));
        Holding {
            units: held,
            utilisation: Expected::of(used),
            saving: Expected::of((0..count).map(|row| per(response.net(row, lots), years))),
            pays: (held > 0).then(|| PayChance::of(response.pays(lots), count)),
            last_pays: (held > 0).then(|| PayChance::of(response.last_pays(lots), count)),
        }
    };
    let wins = savings.iter().filter(|saving| **saving > noise).count();
    PortfolioAdvice {
        holdings: responses.iter().map(holding).collect(),
        cost: Expected::of(tallies.iter().map(|tally| (tally.left + bought) / years)),
        saving: Expected::of(savings.iter().map(|saving| saving / years)),
        coverage: Expected::of(
            tallies.iter().map(|tally| per(tally.demand - tally.left, tally.demand)),
        ),
        pays: units.iter().any(|units| *units > 0).then(|| PayChance::of(wins, tallies.len())),
    }
}
