//! Responses: what each number of units of one offering saves in each replication, the units of all
//! others held.

use std::ops::Range;

use super::claims::{NEAR, OfferingClaim, apply};
use super::course::{HourCourse, SavedChange, touched};
use super::futures::Futures;
use super::lot_sums::LotSums;

/// Values of each number of units.
#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) offering: usize,
    /// Units that are bought together: 1, unless there would be too many numbers to try.
    pub(super) lot: u64,
    /// Largest number of lots: more cover nothing more.
    pub(super) lots: usize,
    /// By replication and number of lots, dollars that need not be paid.
    saved: Vec<f64>,
    /// The same of units that are used, times hours; empty where others are held.
    used: Vec<f64>,
    /// Cost of a lot.
    pub(super) cost: f64,
}

/// Numbers of units that are tried in all replications together: what 16 MiB hold.
const MOST: usize = 1 << 21;

/// Which of the claims of others come before those of the offering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseTurn {
    /// Those that a biller applies before.
    Own,
    /// All: it has what others leave.
    Last,
}

impl Futures {
    /// Units of an offering that the demand of an hour takes, where it takes the most.
    pub(super) fn most(&self, offering: usize) -> f64 {
        let mut most = 0.0_f64;
        self.needs(offering, 0..self.hours[offering], |need, _| most = most.max(need));
        most
    }

    /// Visits the units of an offering that hours take in all replications, and how often.
    pub(super) fn needs(
        &self,
        offering: usize,
        hours: Range<usize>,
        mut visit: impl FnMut(f64, usize),
    ) {
        let own: Vec<OfferingClaim> = self.own(offering);
        for replication in 0..self.replications {
            for era in self.eras(replication, hours.clone()) {
                for (hours, times) in self.visits(era) {
                    for hour in hours {
                        let row = self.row(replication, hour);
                        let need: f64 = own.iter().map(|claim| row[claim.good] * claim.per).sum();
                        visit(need * era.factor, times);
                    }
                }
            }
        }
    }

    /// The claims of an offering, in order.
    pub(super) fn own(&self, offering: usize) -> Vec<OfferingClaim> {
        self.claims.iter().copied().filter(|claim| claim.offering == offering).collect()
    }

    /// The response of an offering, the units of all others held.
    pub(super) fn response(
        &self,
        offering: usize,
        most: f64,
        units: &[u64],
        turn: ResponseTurn,
    ) -> Response {
        let most = most.ceil().min(1e15) as u64;
        let lot = most.div_ceil((MOST / self.replications).max(64) as u64).max(1);
        let lots = most.div_ceil(lot) as usize;
        let mut held = units.to_vec();
        held[offering] = 0;
        let alone = held.iter().all(|units| *units == 0);
        let mut response = Response {
            offering,
            lot,
            lots,
            saved: Vec::with_capacity(self.replications * (lots + 1)),
            used: Vec::new(),
            cost: self.bought(offering, lot),
        };
        let mut saved = LotSums::new(lots, lot);
        let mut used = LotSums::new(lots, lot);
        for replication in 0..self.replications {
            self.sweep(offering, &held, turn, replication, [&mut saved, &mut used]);
            saved.conclude(&mut response.saved);
            if alone {
                used.conclude(&mut response.used);
            }
        }
        response
    }

    fn sweep(
        &self,
        offering: usize,
        held: &[u64],
        turn: ResponseTurn,
        replication: usize,
        [saved, used]: [&mut LotSums; 2],
    ) {
        let own = self.own(offering);
        let mut left = vec![0.0; self.goods];
        let full: Vec<f64> = held.iter().map(|units| *units as f64).collect();
        let mut purse = full.clone();
        let mut course = HourCourse::default();
        for era in self.eras(replication, 0..self.hours[offering]) {
            let first = self.claims.iter().position(|claim| claim.offering == offering);
            let (before, behind) = match turn {
                ResponseTurn::Last => (self.holding(held, era).collect(), Vec::new()),
                ResponseTurn::Own => {
                    let first = first.unwrap_or(self.claims.len());
                    let holds = |claim: &&OfferingClaim| {
                        held[claim.offering] > 0 && era.from < self.hours[claim.offering]
                    };
                    let before: Vec<OfferingClaim> =
                        self.claims[..first].iter().filter(holds).copied().collect();
                    let is_own =
                        |claim: &&OfferingClaim| claim.offering == offering || holds(claim);
                    let behind = self.claims[first..].iter().filter(is_own).copied().collect();
                    (before, touched(behind, offering, held.len(), self.goods))
                }
            };
            let is_last = behind.iter().all(|claim| claim.offering == offering);
            for (hours, times) in self.visits(era) {
                let times = times as f64;
                for hour in hours {
                    for (left, quantity) in left.iter_mut().zip(self.row(replication, hour)) {
                        *left = quantity * era.factor;
                    }
                    if !before.is_empty() {
                        purse.copy_from_slice(&full);
                        apply(&before, &mut left, &mut purse);
                    }
                    if is_last {
                        self.serve(&own, &left, times, [saved, used]);
                    } else {
                        if before.is_empty() {
                            purse.copy_from_slice(&full);
                        }
                        course.follow(self, &behind, offering, [&left, &purse], |at, piece| {
                            match piece {
                                SavedChange::Slope(slope) => saved.bend(at, times * slope),
                                SavedChange::Value(value) => saved.jump(at, times * value),
                            }
                        });
                    }
                }
            }
        }
    }

    /// What is left is the offering's alone: one claim after the other.
    #[inline]
    fn serve(
        &self,
        own: &[OfferingClaim],
        left: &[f64],
        times: f64,
        [saved, used]: [&mut LotSums; 2],
    ) {
        let (mut at, mut slope) = (0.0, 0.0);
        for claim in own {
            let quantity = left[claim.good];
            if quantity <= 0.0 {
                continue;
            }
            let need = quantity * claim.per;
            if need < NEAR {
                saved.jump(at, times * quantity * self.prices[claim.good]);
                continue;
            }
            let next = times * self.prices[claim.good] / claim.per;
            if next != slope {
                saved.bend(at, next - slope);
                slope = next;
            }
            at += need;
        }
        if at > 0.0 {
            saved.bend(at, -slope);
            used.bend(0.0, times);
            used.bend(at, -times);
        }
    }
}

impl Response {
    /// Number of replications.
    pub(super) fn replications(&self) -> usize {
        self.saved.len() / (self.lots + 1)
    }

    /// What so many lots save in a replication, before what they cost.
    pub(super) fn saved(&self, replication: usize, lots: usize) -> f64 {
        self.saved[replication * (self.lots + 1) + lots.min(self.lots)]
    }

    /// What they save more than they cost.
    pub(super) fn net(&self, replication: usize, lots: usize) -> f64 {
        self.saved(replication, lots) - self.cost * lots as f64
    }

    /// Units that are used, times hours.
    pub(super) fn used(&self, replication: usize, lots: usize) -> f64 {
        self.used[replication * (self.lots + 1) + lots.min(self.lots)]
    }

    /// Mean of what they save more than they cost.
    pub(super) fn mean(&self, lots: usize) -> f64 {
        let all = (0..self.replications()).map(|replication| self.net(replication, lots));
        all.sum::<f64>() / self.replications() as f64
    }

    /// Differences of savings that are none.
    pub(super) fn noise(&self) -> f64 {
        let all = (0..self.replications()).map(|replication| self.saved(replication, self.lots));
        1e-10 * all.fold(0.0, |most: f64, saved| most.max(saved.abs()))
    }

    /// The fewest lots of those with the largest mean saving.
    pub(super) fn cheapest(&self) -> usize {
        let noise = self.noise();
        self.best((0..=self.lots).map(|lots| self.mean(lots)), noise)
    }

    fn best(&self, savings: impl Iterator<Item = f64>, noise: f64) -> usize {
        let mut best = (0, 0.0);
        for (lots, saving) in savings.enumerate().skip(1) {
            if saving > best.1 + noise {
                best = (lots, saving);
            }
        }
        best.0
    }

    /// Mean over replications of the largest saving in each.
    pub(super) fn clairvoyant(&self) -> f64 {
        let best = |replication| {
            (0..=self.lots).map(|lots| self.net(replication, lots)).fold(0.0, f64::max)
        };
        let all: f64 = (0..self.replications()).map(best).sum();
        all / self.replications() as f64
    }

    /// Replications in which so many lots save more than they cost.
    pub(super) fn pays(&self, lots: usize) -> usize {
        let noise = self.noise();
        (0..self.replications()).filter(|row| self.net(*row, lots) > noise).count()
    }

    /// Replications in which the last of so many lots does.
    pub(super) fn last_pays(&self, lots: usize) -> usize {
        let noise = self.noise();
        let last = |row| self.net(row, lots) - self.net(row, lots - 1);
        (0..self.replications()).filter(|row| last(*row) > noise).count()
    }

    /// The most lots up to `lots` whose last pays with at least that probability.
    pub(super) fn prudent(&self, lots: usize, confidence: f64) -> usize {
        let least = crate::units::rank::share_of(confidence, self.replications() as u64);
        let pays = |lots: &usize| self.last_pays(*lots) as u128 >= least;
        (1..=lots).rev().find(pays).unwrap_or(0)
    }
}
