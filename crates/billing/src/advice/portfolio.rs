//! Portfolios: which offerings together.

use super::futures::Futures;
use super::response::{Response, ResponseTurn};

/// Units of all offerings, and what other numbers of each would save.
#[derive(Clone, Debug)]
pub(super) struct FoundPortfolio {
    /// Units of each offering.
    pub(super) units: Vec<u64>,
    /// By offering, its response to the units of all others.
    pub(super) responses: Vec<Response>,
    /// Whether no other number of units of any single offering saves more in the mean.
    pub(super) is_settled: bool,
}

/// Most times that all offerings are looked at again.
const CYCLES: usize = 20;

/// Offerings of which all are set anew whenever one changes. Of more, those that are held, and the
/// one that saves the most on what is left then.
const FEW: usize = 8;

/// Searches for units that save the most together, from none.
pub(super) fn search(futures: &Futures, most: &[f64], alone: &[Response]) -> FoundPortfolio {
    // The way is found on a sample of the hours; where it ends is found on all of them.
    let sample = futures.sampled();
    let few = worthwhile(futures, alone);
    let mut units = vec![0; most.len()];
    while let Some((offering, best)) = next(&sample, most, &few, &units) {
        units[offering] = best;
    }
    for _ in 0..CYCLES {
        if !shift(&sample, most, &few, &mut units)
            && pass(&sample, most, few.iter().copied(), &mut units) == 0.0
        {
            break;
        }
    }
    settle(futures, most, units, alone)
}

/// Offerings that save anything alone, without those that are like another and cost more.
fn worthwhile(futures: &Futures, alone: &[Response]) -> Vec<usize> {
    let shape = |offering: usize| {
        let goods = futures.own(offering).into_iter().map(|claim| (claim.good, claim.per));
        (futures.hours[offering], goods.collect::<Vec<_>>())
    };
    let mut few: Vec<(usize, _)> = Vec::new();
    for response in alone.iter().filter(|response| response.cheapest() > 0) {
        let (offering, own) = (response.offering, shape(response.offering));
        match few.iter_mut().find(|(_, other)| *other == own) {
            Some((like, _)) if futures.costs[offering] < futures.costs[*like] => *like = offering,
            Some(_) => {}
            None => few.push((offering, own)),
        }
    }
    few.into_iter().map(|(offering, _)| offering).collect()
}

/// Sets the units of one offering after the other to the best number, those of all others held;
/// returns what that saves more in the mean.
fn pass(
    futures: &Futures,
    most: &[f64],
    few: impl Iterator<Item = usize>,
    units: &mut [u64],
) -> f64 {
    let set = |offering: usize| {
        let response = futures.response(offering, most[offering], units, ResponseTurn::Own);
        response.improve(units)
    };
    few.map(set).sum()
}

/// What one covers may be better left to others: takes other units of each, sets the others anew and
/// itself last, and keeps what saves more. Returns whether anything does.
fn shift(futures: &Futures, most: &[f64], few: &[usize], units: &mut Vec<u64>) -> bool {
    let mut is_better = false;
    for (place, offering) in few.iter().copied().enumerate() {
        if units[offering] == 0 {
            continue;
        }
        let response = futures.response(offering, most[offering], units, ResponseTurn::Own);
        let now = (units[offering] / response.lot) as usize;
        let mut shifts = vec![0, now / 2, now - 1, now + 1];
        shifts.dedup();
        for lots in shifts.into_iter().filter(|lots| *lots <= response.lots) {
            let lost = response.mean(now) - response.mean(lots);
            let mut others = units.clone();
            others[offering] = lots as u64 * response.lot;
            let order = few[place + 1..].iter().chain(&few[..=place]).copied();
            let gain = match few.len() <= FEW {
                true => pass(futures, most, order, &mut others),
                false => {
                    let rest: Vec<usize> = order.clone().filter(|row| *row != offering).collect();
                    let new = next(futures, most, &rest, &others).map(|(new, _)| new);
                    let order = order.filter(|row| units[*row] > 0 || new == Some(*row));
                    pass(futures, most, order, &mut others)
                }
            };
            if gain > lost + response.noise() {
                (*units, is_better) = (others, true);
                break;
            }
        }
    }
    is_better
}

/// Sets the units of one offering after the other until none changes.
fn settle(
    futures: &Futures,
    most: &[f64],
    mut units: Vec<u64>,
    alone: &[Response],
) -> FoundPortfolio {
    let mut responses = alone.to_vec();
    // Offerings whose response is that to the units of all others.
    let mut is_known = vec![units.iter().all(|units| *units == 0); most.len()];
    for turn in 0..CYCLES * most.len() {
        let offering = turn % most.len();
        if is_known[offering] {
            continue;
        }
        let response = futures.response(offering, most[offering], &units, ResponseTurn::Own);
        if response.improve(&mut units) > 0.0 {
            is_known.fill(false);
        }
        is_known[offering] = true;
        responses[offering] = response;
    }
    FoundPortfolio { units, responses, is_settled: is_known.iter().all(|known| *known) }
}

impl Response {
    /// Sets its units to the best number, and returns what that saves more in the mean.
    fn improve(&self, units: &mut [u64]) -> f64 {
        let (now, best) = ((units[self.offering] / self.lot) as usize, self.cheapest());
        let more = self.mean(best) - self.mean(now);
        if more <= self.noise() {
            return 0.0;
        }
        units[self.offering] = best as u64 * self.lot;
        more
    }
}

/// The offering that saves the most in a year of its term on what is left, and its units.
fn next(futures: &Futures, most: &[f64], few: &[usize], units: &[u64]) -> Option<(usize, u64)> {
    let mut best: Option<(f64, usize, u64)> = None;
    for offering in few.iter().copied().filter(|offering| units[*offering] == 0) {
        let response = futures.response(offering, most[offering], units, ResponseTurn::Last);
        let lots = response.cheapest();
        let saving = response.mean(lots) / futures.years(offering);
        if lots > 0 && best.is_none_or(|(most, ..)| saving > most) {
            best = Some((saving, offering, lots as u64 * response.lot));
        }
    }
    best.map(|(_, offering, units)| (offering, units))
}
