//! How much commitments covered, and how much of them was used, by clock hour.

use std::collections::{BTreeMap, BTreeSet};

use crate::billing::charge::{BilledCharge, Origin, Purpose};
use crate::billing::commitment::hour_of;
use crate::billing::settle::Biller;
use crate::billing::usage::{Product, Sale, Service};
use crate::units::Money;

/// Commitments in some clock hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitmentUse {
    /// Machines that are covered, before commitments.
    pub covered: Money,
    /// Machines that could be and are not.
    pub uncovered: Money,
    /// Cost of commitments that covers use.
    pub used: Money,
    /// Cost of commitments that nobody used.
    pub unused: Money,
}

/// The same, hour by hour.
#[derive(Clone, Debug, Default)]
pub struct CommitmentCourse {
    hours: BTreeMap<i64, CommitmentUse>,
    /// Providers at which commitments are held, and the number of commitments that they were looked
    /// up for.
    holders: (usize, BTreeSet<String>),
}

impl CommitmentUse {
    /// Adds other hours.
    fn add(&mut self, other: Self) {
        self.covered += other.covered;
        self.uncovered += other.uncovered;
        self.used += other.used;
        self.unused += other.unused;
    }

    /// Share of what could be covered that is, of on-demand machines of providers at which
    /// commitments are held; `None` of nothing.
    pub fn coverage(&self) -> Option<f64> {
        super::charge_tally::share(self.covered, self.uncovered)
    }

    /// Share of what commitments cost that covers use; `None` of nothing.
    pub fn utilisation(&self) -> Option<f64> {
        super::charge_tally::share(self.used, self.unused)
    }
}

impl CommitmentCourse {
    /// Adds a charge of that biller.
    pub(super) fn add(&mut self, charge: &BilledCharge, biller: &Biller) {
        let held = &biller.terms().commitments;
        if self.holders.0 != held.len() {
            let names = held.iter().map(|(_, held)| held.provider.clone());
            self.holders = (held.len(), names.collect());
        }
        let could = |product: &Product| {
            product.service == Service::Compute
                && product.sale == Sale::OnDemand
                && self.holders.1.contains(&product.provider)
        };
        let mut found = CommitmentUse::default();
        match charge.purpose {
            Purpose::Usage { origin: Origin::Line(_), product } => {
                if could(&biller.products()[product]) {
                    found.uncovered = charge.contracted;
                }
            }
            Purpose::Covered { product, origin, .. } => {
                let is_use = matches!(origin, Origin::Line(_));
                if is_use && could(&biller.products()[product]) {
                    found.covered = charge.contracted;
                }
                found.used = charge.effective;
            }
            Purpose::Unused(_) => found.unused = charge.effective,
            Purpose::Usage { origin: Origin::Reservation(_), .. }
            | Purpose::Upfront(_)
            | Purpose::Fee(_)
            | Purpose::SustainedUse(_)
            | Purpose::Credit(_) => {}
        }
        if found != CommitmentUse::default() {
            self.hours.entry(hour_of(charge.from)).or_default().add(found);
        }
    }

    /// Sums of so many clock hours each, counted from 1970, with the first hour of each.
    pub fn steps(&self, hours: i64) -> Vec<(i64, CommitmentUse)> {
        let mut steps: BTreeMap<i64, CommitmentUse> = BTreeMap::new();
        for (hour, one) in &self.hours {
            steps.entry(hour.div_euclid(hours) * hours).or_default().add(*one);
        }
        steps.into_iter().collect()
    }
}
