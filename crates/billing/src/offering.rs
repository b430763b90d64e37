//! Offerings: commitments that an account can buy, in whole units.

use crate::account::Account;
use crate::commitment::{Benefit, Commitment, start_of};
use crate::currency::{Currency, Exchange};
use crate::purchase::UnitCosts;
use crate::units::{Id, Money};

/// A commitment that can be bought, by the unit: one reserved machine, or one step of spending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offering {
    /// Name, as what is bought of it is called.
    pub name: String,
    /// Currency of all its prices; `None` is the dollar.
    pub currency: Option<Id<Currency>>,
    /// Provider that sells it.
    pub provider: String,
    /// Account that would buy it.
    pub owner: Id<Account>,
    /// Accounts that would have its benefit: this one and all below it.
    pub scope: Id<Account>,
    /// Clock hours of its term.
    pub hours: i64,
    /// Benefit of one unit.
    pub benefit: Benefit,
    /// Paid for one unit when it is bought.
    pub upfront: Money,
    /// Paid for one unit in each clock hour of the term, used or not.
    pub hourly: Money,
}

impl Offering {
    /// So many units of it, bought at the beginning of that clock hour since 1970.
    pub fn buy(&self, units: u64, hour: i64) -> Commitment {
        let times = |money: Money| Money::from_nanos(money.nanos() * i128::from(units));
        let benefit = match &self.benefit {
            Benefit::Reserved { matching, weight } => Benefit::Reserved {
                matching: matching.clone(),
                weight: weight.saturating_mul(units),
            },
            Benefit::Spending { hourly, rates } => {
                Benefit::Spending { hourly: times(*hourly), rates: rates.clone() }
            }
        };
        Commitment {
            currency: self.currency,
            name: self.name.clone(),
            provider: self.provider.clone(),
            owner: self.owner,
            scope: self.scope,
            from: start_of(hour),
            until: start_of(hour + self.hours),
            bought: start_of(hour),
            benefit,
            upfront: times(self.upfront),
            hourly: times(self.hourly),
        }
    }

    /// The same in dollars, at what its currency is worth.
    pub fn in_dollars(&self, worth: Exchange) -> Self {
        Self {
            currency: None,
            benefit: self.benefit.in_dollars(worth),
            upfront: worth.amount(self.upfront),
            hourly: worth.amount(self.hourly),
            ..self.clone()
        }
    }

    /// Costs of a unit, where an hour of the use that one unit covers costs so much on demand. What is
    /// paid by the hour is due whether the unit is used or not, so all of it is committed.
    pub fn unit_costs(&self, on_demand: Money) -> UnitCosts {
        let hours = u64::try_from(self.hours).unwrap_or(0);
        UnitCosts { committed: self.cost(), used: Money::ZERO, on_demand, hours }
    }

    /// Cost of one unit in all its term.
    pub fn cost(&self) -> Money {
        self.upfront + Money::from_nanos(self.hourly.nanos() * i128::from(self.hours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitment::Matching;

    #[test]
    fn units_are_bought_together_and_cost_so_many_times_as_much() {
        let usd = |cents: i128| Money::from_nanos(cents * 10_000_000);
        let mut accounts = crate::account::Accounts::default();
        let owner = accounts.add("a", None);
        let offering = Offering {
            name: "m5, a year".into(),
            currency: None,
            provider: "aws".into(),
            owner,
            scope: owner,
            hours: 8_760,
            benefit: Benefit::Reserved { matching: Matching::default(), weight: 4_000 },
            upfront: usd(10_000),
            hourly: usd(3),
        };
        assert_eq!(offering.cost(), usd(10_000 + 3 * 8_760));
        let three = offering.buy(3, 100);
        assert_eq!((three.upfront, three.hourly), (usd(30_000), usd(9)));
        assert_eq!(three.benefit.of_an_hour(), 12_000 * 3_600_000_000);
        assert_eq!((three.hours(), three.holds_in(99), three.holds_in(100)), (8_760, false, true));
        assert_eq!((100..8_860).map(|hour| three.amortised(hour)).sum::<Money>(), usd(108_840));
    }
}
