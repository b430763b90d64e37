//! Futures: the coverable demand of each hour of the horizon, and what units of offerings cover of
//! it together.

use std::iter::StepBy;
use std::ops::Range;

use super::claims::{self, OfferingClaim, apply};
use super::demand::MONTH_HOURS;
use super::{AdviceError, AdviceInput};

/// Consecutive hours of the horizon in which demand has one factor and the same offerings hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Era {
    pub(super) from: usize,
    pub(super) until: usize,
    pub(super) factor: f64,
}

/// Hours of all replications together that are enough to find a way.
const SAMPLE: usize = 15_000;

/// Distances of hours of a sample: none has a part in common with days or weeks.
const STEPS: [usize; 7] = [1, 5, 11, 17, 29, 47, 79];

/// Fewest hours of a window that are left of it.
const LEAST: usize = 24;

/// All futures.
#[derive(Clone, Debug)]
pub(super) struct Futures {
    pub(super) replications: usize,
    window: usize,
    /// Of so many hours of the window one stands for all.
    pub(super) step: usize,
    pub(super) horizon: usize,
    /// Number of goods that anything covers, and the contracted price of each.
    pub(super) goods: usize,
    pub(super) prices: Vec<f64>,
    /// By replication and hour of the window, a row of goods.
    rows: Vec<f64>,
    factors: Vec<Vec<f64>>,
    /// All claims on them, in order.
    pub(super) claims: Vec<OfferingClaim>,
    /// By offering, the hours in which it is judged: its term, or the horizon, if that is shorter.
    pub(super) hours: Vec<usize>,
    /// By offering, the cost of one unit in one hour of its term, in dollars.
    pub(super) costs: Vec<f64>,
}

/// What units of offerings do in one replication.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    /// What the demand costs without any, and what is left to be paid for it, in dollars.
    pub(super) demand: f64,
    pub(super) left: f64,
    /// By offering, the units that are used, times hours.
    pub(super) used: Vec<f64>,
}

impl Futures {
    pub(super) fn of(input: &AdviceInput) -> Result<Self, AdviceError> {
        let (demand, growth) = (input.demand, input.growth);
        if demand.replications == 0 || demand.hours == 0 || input.horizon == 0 {
            return Err(AdviceError::NoTime);
        }
        let steps = super::DemandGrowth::steps(input.horizon);
        let short = |row: &Vec<f64>| row.len() < steps;
        let rows = growth.normals.len();
        if growth.spread > 0.0
            && (rows < demand.replications
                || growth.normals[..demand.replications].iter().any(short))
        {
            return Err(AdviceError::FewNormals);
        }
        if !(growth.growth > -1.0 && growth.growth.is_finite() && growth.spread >= 0.0) {
            return Err(AdviceError::NoGrowth);
        }
        let mut claims = claims::claims(demand, input.terms, input.account, input.offerings);
        let mut covered: Vec<usize> = claims.iter().map(|claim| claim.good).collect();
        covered.sort_unstable();
        covered.dedup();
        for claim in &mut claims {
            claim.good = covered.partition_point(|good| *good < claim.good);
        }
        let mut rows = Vec::with_capacity(covered.len() * demand.replications * demand.hours);
        for at in 0..demand.replications * demand.hours {
            rows.extend(covered.iter().map(|good| demand.quantities[*good][at]));
        }
        let factors = (0..demand.replications).map(|row| growth.factors(row, input.horizon));
        let hours = |offering: &crate::offering::Offering| {
            usize::try_from(offering.hours).unwrap_or(0).min(input.horizon)
        };
        let cost = |offering: &crate::offering::Offering| {
            offering.cost().nanos() as f64 / 1e9 / offering.hours.max(1) as f64
        };
        Ok(Self {
            replications: demand.replications,
            window: demand.hours,
            step: 1,
            horizon: input.horizon,
            goods: covered.len(),
            prices: covered.iter().map(|good| claims::dollars(demand.goods[*good])).collect(),
            rows,
            factors: factors.collect(),
            claims,
            hours: input.offerings.iter().map(hours).collect(),
            costs: input.offerings.iter().map(cost).collect(),
        })
    }

    /// Hours of the horizon, cut where demand grows or a term ends.
    pub(super) fn eras(&self, replication: usize, hours: Range<usize>) -> Vec<Era> {
        let factors = &self.factors[replication];
        let mut cuts: Vec<usize> = (1..factors.len())
            .filter(|month| factors[*month] != factors[*month - 1])
            .map(|month| month * MONTH_HOURS)
            .chain(self.hours.iter().copied())
            .filter(|cut| hours.contains(cut))
            .chain([hours.start, hours.end])
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        let era = |cut: &[usize]| Era {
            from: cut[0],
            until: cut[1],
            factor: factors[cut[0] / MONTH_HOURS],
        };
        cuts.windows(2).map(era).collect()
    }

    /// The hours of the window that the hours of an era are, and how often each of them.
    pub(super) fn visits(
        &self,
        era: Era,
    ) -> impl Iterator<Item = (StepBy<Range<usize>>, usize)> + use<> {
        let (window, step, from) = (self.window, self.step, era.from % self.window);
        let (all, rest) = ((era.until - era.from) / window, (era.until - era.from) % window);
        let end = from + rest;
        let parts = match end <= window {
            true => [(0..from, all), (from..end, all + 1), (end..window, all)],
            false => {
                let over = end - window;
                [(0..over, all + 1), (over..from, all), (from..window, all + 1)]
            }
        };
        parts.into_iter().filter(|(_, times)| *times > 0).map(move |(hours, times)| {
            ((hours.start.next_multiple_of(step)..hours.end).step_by(step), times * step)
        })
    }

    /// The same futures by a sample of their hours, where there are many of them.
    pub(super) fn sampled(&self) -> Self {
        let eras = (0..self.replications).flat_map(|row| self.eras(row, 0..self.horizon));
        let hours: usize =
            eras.flat_map(|era| self.visits(era)).map(|(hours, _)| hours.len()).sum();
        let wanted = hours.div_ceil(SAMPLE);
        let fits = |step: &usize| *step == 1 || step * LEAST <= self.window;
        let mut step = 1;
        for next in STEPS.into_iter().filter(fits) {
            if step < wanted {
                step = next;
            }
        }
        Self { step, ..self.clone() }
    }

    /// Quantities of an hour of the window, by good.
    pub(super) fn row(&self, replication: usize, hour: usize) -> &[f64] {
        &self.rows[(replication * self.window + hour) * self.goods..][..self.goods]
    }

    /// Claims of those that hold in the era.
    pub(super) fn holding<'a>(
        &'a self,
        units: &'a [u64],
        era: Era,
    ) -> impl Iterator<Item = OfferingClaim> + 'a {
        let holds = move |offering: usize| units[offering] > 0 && era.from < self.hours[offering];
        self.claims.iter().copied().filter(move |claim| holds(claim.offering))
    }

    /// What so many units of each offering do in a replication, over the horizon.
    pub(super) fn tally(&self, replication: usize, units: &[u64]) -> Tally {
        let mut tally = Tally { used: vec![0.0; units.len()], ..Tally::default() };
        let mut left = vec![0.0; self.goods];
        let full: Vec<f64> = units.iter().map(|units| *units as f64).collect();
        for era in self.eras(replication, 0..self.horizon) {
            let claims: Vec<OfferingClaim> = self.holding(units, era).collect();
            let mut purse = full.clone();
            let value =
                |left: &[f64]| left.iter().zip(&self.prices).map(|(a, b)| a * b).sum::<f64>();
            for (hours, times) in self.visits(era) {
                let times = times as f64;
                for hour in hours {
                    for (left, quantity) in left.iter_mut().zip(self.row(replication, hour)) {
                        *left = quantity * era.factor;
                    }
                    tally.demand += times * value(&left);
                    purse.copy_from_slice(&full);
                    apply(&claims, &mut left, &mut purse);
                    tally.left += times * value(&left);
                    for claim in &claims {
                        // Once each: what is counted is full again.
                        let (purse, full) = (&mut purse[claim.offering], full[claim.offering]);
                        tally.used[claim.offering] += times * (full - *purse);
                        *purse = full;
                    }
                }
            }
        }
        tally
    }

    /// Cost of so many units of an offering in all the hours in which it is judged.
    pub(super) fn bought(&self, offering: usize, units: u64) -> f64 {
        units as f64 * self.costs[offering] * self.hours[offering] as f64
    }

    /// Years in which an offering is judged.
    pub(super) fn years(&self, offering: usize) -> f64 {
        self.hours[offering] as f64 / 8_760.0
    }
}
