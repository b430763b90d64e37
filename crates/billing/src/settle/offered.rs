//! What can be bought while usage comes in: how many units of it each hour had use for, and what is
//! bought of it.

use std::ops::ControlFlow;

use crate::charge::Origin;
use crate::commitment::{Benefit, Commitment, CommitmentStage, hour_of};
use crate::offering::Offering;
use crate::purchase::Purchaser;
use crate::rate;
use crate::terms::AccountTerms;
use crate::units::{Id, IdVec, Money};

use super::coverage::{Coverages, ProductCoverage};
use super::hour::Hour;
use super::spending;

/// All offerings.
#[derive(Debug, Default)]
pub(super) struct Offered {
    offerings: IdVec<Offering>,
    /// By offering.
    rows: Vec<OfferedUnits>,
}

/// What is known of an offering.
#[derive(Debug)]
struct OfferedUnits {
    purchaser: Purchaser,
    coverage: Id<ProductCoverage>,
    bought: Vec<Id<Commitment>>,
    /// The first of these whose term is not over. Terms are of one length.
    running: usize,
    /// Units that the last hour had use for; `None` before the first.
    demand: Option<u64>,
}

impl Offered {
    pub(super) fn offer(
        &mut self,
        offering: Offering,
        purchaser: Purchaser,
        coverage: Id<ProductCoverage>,
    ) -> Id<Offering> {
        let (bought, running, demand) = (Vec::new(), 0, None);
        self.rows.push(OfferedUnits { purchaser, coverage, bought, running, demand });
        self.offerings.push(offering)
    }

    pub(super) fn offerings(&self) -> &IdVec<Offering> {
        &self.offerings
    }

    pub(super) fn bought(&self, offering: Id<Offering>) -> &[Id<Commitment>] {
        &self.rows[offering.row()].bought
    }

    pub(super) fn demand(&self, offering: Id<Offering>) -> u64 {
        self.rows[offering.row()].demand.unwrap_or(0)
    }

    /// What is bought at the beginning of that hour, from the demand until then.
    pub(super) fn decide(&mut self, now: i64) -> Vec<(Id<Offering>, Commitment)> {
        let mut bought = Vec::new();
        for ((id, offering), row) in self.offerings.iter().zip(&mut self.rows) {
            let units = row.demand.map_or(0, |demand| row.purchaser.decide(demand));
            if units > 0 {
                bought.push((id, offering.buy(units, now)));
            }
        }
        bought
    }

    /// A commitment was bought of that offering.
    pub(super) fn add(&mut self, offering: Id<Offering>, commitment: Id<Commitment>) {
        self.rows[offering.row()].bought.push(commitment);
    }

    /// Counts the units that the hour had use for, once it is covered.
    pub(super) fn count(
        &mut self,
        hour: &Hour,
        terms: &AccountTerms,
        coverages: &Coverages,
        now: i64,
    ) {
        for (row, offering) in self.rows.iter_mut().zip(self.offerings.rows()) {
            let over = |id: &&Id<Commitment>| hour_of(terms.commitments[**id].until) <= now;
            row.running += row.bought[row.running..].iter().take_while(over).count();
            row.demand = Some(row.units(offering, hour, terms, coverages, now));
        }
    }
}

impl OfferedUnits {
    /// Units that the hour has use for: what is used of those that were bought, and what is left of
    /// lines that they would cover. Each offering looks at all that is left for it.
    fn units(
        &self,
        offering: &Offering,
        hour: &Hour,
        terms: &AccountTerms,
        coverages: &Coverages,
        now: i64,
    ) -> u64 {
        let worth = terms.exchange(offering.currency, now);
        let zonal = offering.benefit.stage() == CommitmentStage::Zonal;
        let mut amount: i128 = self.bought[self.running..].iter().map(|id| hour.used(*id)).sum();
        coverages.reach(self.coverage, hour.touched(), |known| {
            let lines = hour.lines_of(known.product);
            for line in &lines[hour.drained(known.product) as usize..] {
                let (account, line) = (line.account, &hour.lines[line.row as usize]);
                let idle = matches!(line.origin, Origin::Reservation(_));
                if (idle && zonal) || !terms.accounts.within(account, offering.scope) {
                    continue;
                }
                let left = line.quantity - line.covered;
                amount = amount.saturating_add(match known.price {
                    None => left.saturating_mul(i128::from(known.weight)),
                    Some(plan) => {
                        let plan = plan.in_dollars(worth);
                        let (_, price) = spending::price_of(plan, line.list, line.contracted);
                        rate::amount(left, line.unit, price).nanos()
                    }
                });
            }
            ControlFlow::Continue(())
        });
        let units = match &offering.benefit {
            Benefit::Reserved { .. } => amount.checked_div(offering.benefit.of_an_hour()),
            Benefit::Spending { hourly, .. } => worth.units(*hourly, Money::from_nanos(amount)),
        };
        units.map_or(0, |units| u64::try_from(units).unwrap_or(u64::MAX))
    }
}
