//! The price of usage: amounts at a price per unit, and the provider's rule, by which a stretch of
//! time that an instance ran becomes time that is billed.

use crate::units::{Money, Rate, Span};
use crate::usage::{Sale, Unit};

/// Pico-dollars in a nano-dollar.
const PICOS: i128 = 1_000;

/// Amount for `quantity` of a unit at `price`, rounded half up to a nano-dollar.
pub fn amount(quantity: i128, unit: Unit, price: Rate) -> Money {
    let per_nano = PICOS * unit.whole();
    Money::from_nanos((quantity * i128::from(price.picos()) + per_nano / 2).div_euclid(per_nano))
}

/// Amount of the part of a line between two quantities of it: the parts of a line, one after the
/// other, sum to the amount of the line.
pub fn part(from: i128, until: i128, unit: Unit, price: Rate) -> Money {
    amount(until, unit, price) - amount(from, unit, price)
}

/// Who ended an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The customer.
    Customer,
    /// The provider, who took it back.
    Provider,
}

/// Rule by which the time that an instance ran is billed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeRule {
    /// Billed in steps of this, at least a microsecond.
    pub granularity: Span,
    /// Shortest billed time of each start.
    pub minimum: Span,
    /// What is not billed of a spot instance that its provider takes back within this time of its
    /// start: nothing is. `None` where there is no such rule.
    pub free_if_taken_within: Option<Span>,
}

impl TimeRule {
    /// Time that is billed for an instance that ran for `lifetime`, from start to end.
    pub fn billed(&self, lifetime: Span, sale: Sale, ended_by: EndedBy) -> Span {
        let taken = match (sale, ended_by) {
            (Sale::Spot, EndedBy::Provider) => self.free_if_taken_within,
            (Sale::Spot, EndedBy::Customer) | (Sale::OnDemand | Sale::Block, _) => None,
        };
        if taken.is_some_and(|within| lifetime < within) {
            return Span::from_micros(0);
        }
        let step = self.granularity.micros().max(1);
        let steps =
            lifetime.micros().div_euclid(step) + i64::from(lifetime.micros().rem_euclid(step) != 0);
        Span::from_micros(steps * step).max(self.minimum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(granularity: i64, minimum: i64, free: Option<i64>) -> TimeRule {
        TimeRule {
            granularity: Span::from_secs(granularity),
            minimum: Span::from_secs(minimum),
            free_if_taken_within: free.map(Span::from_secs),
        }
    }

    #[test]
    fn time_is_billed_by_the_rules_of_providers() {
        use {EndedBy::*, Sale::*};
        let aws = rule(1, 60, Some(3_600));
        let suse = rule(3_600, 0, None);
        let google = rule(1, 60, Some(60));
        for (rule, lifetime, sale, ended_by, billed) in [
            (&aws, 59, OnDemand, Customer, 60),
            (&aws, 61, OnDemand, Customer, 61),
            (&aws, 30, OnDemand, Customer, 60),
            (&suse, 61 * 60, OnDemand, Customer, 7_200),
            (&aws, 3_599, Spot, Provider, 0),
            (&aws, 3_601, Spot, Provider, 3_601),
            (&aws, 3_599, Spot, Customer, 3_599),
            (&aws, 3_599, OnDemand, Provider, 3_599),
            (&suse, 3_599, Spot, Provider, 3_600),
            (&google, 59, Spot, Provider, 0),
            (&google, 61, Spot, Provider, 61),
            (&google, 59, Spot, Customer, 60),
        ] {
            let found = rule.billed(Span::from_secs(lifetime), sale, ended_by);
            assert_eq!(found, Span::from_secs(billed), "{lifetime} s {sale:?} by {ended_by:?}");
        }
    }

    #[test]
    fn parts_of_a_line_sum_to_it() {
        let price = Rate::from_picos(333_333_333_333);
        let whole = 3_600_000_000;
        let cuts = [0, 1, 7, 1_200_000_001, 3_599_999_999, whole];
        let sum: Money = cuts.windows(2).map(|cut| part(cut[0], cut[1], Unit::Hour, price)).sum();
        assert_eq!(sum, amount(whole, Unit::Hour, price));
        assert_eq!(sum.nanos(), 333_333_333);
    }
}
