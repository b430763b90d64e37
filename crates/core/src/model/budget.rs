//! Budgets: what may be spent in a period, and when somebody is told of it.

use std::fmt;

use super::Provider;
use crate::units::{Calendar, Id, Money, Span, Time};

/// Budget: money that somebody means to spend in each period, at list prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Name in the scenario.
    pub name: String,
    /// Spending that counts.
    pub of: BudgetScope,
    /// Money for one period, above zero.
    pub limit: Money,
    /// Period, after which it is there anew.
    pub period: BudgetPeriod,
    /// Shares of the limit in millionths, ascending: somebody is told when so much is spent.
    pub alert_at: Vec<u32>,
    /// The same of the forecast for the whole period.
    pub forecast_at: Vec<u32>,
}

/// Spending that counts for a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BudgetScope {
    /// All of it.
    Total,
    /// What one provider charges: its instances, and data that leaves it.
    Provider(Id<Provider>),
    /// What the work of the tenant of that name is charged: its shares of instances and its data.
    /// Boots and idle time are nobody's.
    Tenant(String),
}

/// Period of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetPeriod {
    /// The whole run.
    Run,
    /// Stretches of the clock of this length in UTC, as [`Calendar::stretch`] has them: clock hours,
    /// days from midnight, weeks from Monday.
    Clock(Span),
    /// Months of the calendar in UTC.
    Month,
}

impl BudgetPeriod {
    /// Periods that have a name, the shortest first.
    pub const NAMED: [(&str, Self); 5] = [
        ("hour", Self::Clock(Span::HOUR)),
        ("day", Self::Clock(Span::from_secs(86_400))),
        ("week", Self::Clock(Span::from_secs(7 * 86_400))),
        ("month", Self::Month),
        ("run", Self::Run),
    ];

    /// Beginning and end of the period that holds `at`; `None` for the run, and outside of the years
    /// that a calendar has.
    pub fn holding(self, calendar: Calendar, at: Time) -> Option<(Time, Time)> {
        match self {
            Self::Run => None,
            Self::Clock(length) => Some(calendar.stretch(length, at)),
            Self::Month => calendar.month(at),
        }
    }
}

impl fmt::Display for BudgetPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMED.into_iter().find(|(_, period)| period == self);
        match (named, self) {
            (Some((name, _)), _) => f.write_str(name),
            (None, Self::Clock(length)) => length.fmt(f),
            (None, Self::Run | Self::Month) => Ok(()),
        }
    }
}

impl Budget {
    /// `millionths` of the limit, rounded up to a nano-dollar.
    pub fn part(&self, millionths: u32) -> Money {
        let nanos = self.limit.nanos() * i128::from(millionths) + 999_999;
        Money::from_nanos(nanos.div_euclid(1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_lie_on_the_calendar() {
        // The run starts at 2028-02-28T22:30:00Z, a Monday; 2028 is a leap year.
        let calendar = Calendar::from_unix_micros(1_835_389_800_000_000);
        let minutes = |minutes: i64| Time::from_secs(60 * minutes);
        let day = 1_440;
        let clock = |secs| BudgetPeriod::Clock(Span::from_secs(secs));
        for (period, at, from, until) in [
            (clock(3_600), 0, -30, 30),
            (clock(3_600), 30, 30, 90),
            (clock(86_400), 89, -1_350, 90),
            (clock(7 * 86_400), 0, -1_350, 90 + 6 * day),
            (BudgetPeriod::Month, 0, 90 - 28 * day, 90 + day),
            (BudgetPeriod::Month, 90 + day, 90 + day, 90 + 32 * day),
        ] {
            let found = period.holding(calendar, minutes(at));
            assert_eq!(found, Some((minutes(from), minutes(until))), "{period:?} {at}");
        }
        assert_eq!(BudgetPeriod::Run.holding(calendar, Time::ZERO), None);
    }

    #[test]
    fn parts_of_a_limit_are_rounded_up() {
        let budget = Budget {
            name: String::new(),
            of: BudgetScope::Total,
            limit: Money::from_nanos(3),
            period: BudgetPeriod::Run,
            alert_at: Vec::new(),
            forecast_at: Vec::new(),
        };
        let parts = [500_000, 1_000_000, 333_333].map(|share| budget.part(share).nanos());
        assert_eq!(parts, [2, 3, 1]);
    }
}
