//! Currencies other than the dollar: what a unit of one is worth, by date. Prices in one become
//! prices in dollars in each clock hour, at what it is worth as the hour begins.

use crate::commitment::start_of;
use crate::rate;
use crate::units::{Money, Rate, Time};

/// A currency, and what it was worth over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    /// Its code, such as `EUR`.
    pub code: String,
    /// From when on a unit was worth so much; rising, and at least one.
    pub worth: Vec<(Time, Exchange)>,
}

/// Dollars that a unit of a currency is worth, in millionths of a millionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exchange(i64);

/// Parts of a dollar that worth is counted in.
const PARTS: i128 = 1_000_000_000_000;

/// Pico-dollars in a nano-dollar.
const PICOS: i128 = 1_000;

/// Largest price, in pico-dollars.
const MOST: i128 = 9_000_000_000_000_000_000;

impl Currency {
    /// What it is worth in the clock hour of that number; before the first date, what it is then.
    pub fn in_hour(&self, hour: i64) -> Exchange {
        let at = start_of(hour);
        let later = self.worth.partition_point(|(from, _)| *from <= at);
        self.worth.get(later.saturating_sub(1)).map_or(Exchange::DOLLAR, |(_, worth)| *worth)
    }

    /// Whether it is known what it was worth in the clock hour of that number.
    pub fn is_known(&self, hour: i64) -> bool {
        self.worth.first().is_some_and(|(from, _)| *from <= start_of(hour))
    }
}

impl Exchange {
    /// A dollar.
    pub const DOLLAR: Self = Self(PARTS as i64);

    /// So many millionths of a millionth of a dollar; `None` of nothing, and of less.
    pub const fn from_picos(picos: i64) -> Option<Self> {
        if picos > 0 { Some(Self(picos)) } else { None }
    }

    /// Millionths of a millionth of a dollar.
    pub const fn picos(self) -> i64 {
        self.0
    }

    /// A price in dollars, rounded half up to a pico-dollar; no more than 9,000,000 dollars.
    pub fn price(self, price: Rate) -> Rate {
        if self == Self::DOLLAR {
            return price;
        }
        let picos = over(i128::from(price.picos()) * i128::from(self.0), PARTS);
        Rate::from_picos(picos.min(MOST) as i64)
    }

    /// An amount in dollars, rounded to a nano-dollar, halves away from nothing.
    pub fn amount(self, amount: Money) -> Money {
        shared(amount, i128::from(self.0), PARTS)
    }

    /// The most units of so much each that are worth no more than an amount of dollars, as
    /// [`Exchange::amount`] rounds; neither is less than nothing. `None` of units of nothing.
    pub fn units(self, unit: Money, dollars: Money) -> Option<i128> {
        if self == Self::DOLLAR {
            return dollars.nanos().checked_div(unit.nanos());
        }
        // So many that amounts, and a half of a nano-dollar that is rounded down, are less than one more.
        let parts = dollars.nanos().saturating_mul(PARTS).saturating_add(PARTS / 2 - 1);
        parts.checked_div(unit.nanos().saturating_mul(i128::from(self.0)))
    }

    /// The price that became this price in dollars, to a billionth of a unit: the very same, where it
    /// has no more than nine decimals and a unit is worth a thousandth of a dollar at least.
    pub fn price_back(self, dollars: Rate) -> Rate {
        if self == Self::DOLLAR {
            return dollars;
        }
        let nanos = over(i128::from(dollars.picos()) * PARTS / PICOS, i128::from(self.0));
        Rate::from_picos((nanos * PICOS).min(MOST) as i64)
    }

    /// The amount that is worth so many dollars, to a billionth of a unit.
    pub fn amount_back(self, dollars: Money) -> Money {
        shared(dollars, PARTS, i128::from(self.0))
    }
}

/// An amount times `part` over `whole`, at any size.
fn shared(amount: Money, part: i128, whole: i128) -> Money {
    let [part, whole] = [part, whole].map(i128::unsigned_abs);
    let (nanos, rest) = rate::share(amount.nanos().unsigned_abs(), part, whole);
    let nanos = (nanos + u128::from(2 * rest >= whole)) as i128;
    Money::from_nanos(nanos * amount.nanos().signum())
}

/// `number` over `whole`, rounded half up.
const fn over(number: i128, whole: i128) -> i128 {
    (number + whole / 2).div_euclid(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worth(picos: i64) -> Exchange {
        Exchange::from_picos(picos).expect("it is more than nothing")
    }

    #[test]
    fn prices_are_worth_what_the_date_says() {
        let euro = Currency {
            code: "EUR".into(),
            worth: vec![
                (start_of(10), worth(1_080_000_000_000)),
                (start_of(20), worth(1_100_000_000_000)),
            ],
        };
        // 0.10 euros at 1.08 and 1.10 dollars.
        let tenth = Rate::from_picos(100_000_000_000);
        let in_hour = |hour| euro.in_hour(hour).price(tenth).picos();
        assert_eq!([9, 10, 19].map(in_hour), [108_000_000_000; 3]);
        assert_eq!([20, 21].map(in_hour), [110_000_000_000; 2]);
        assert_eq!([9, 10].map(|hour| euro.is_known(hour)), [false, true]);
        assert_eq!(Exchange::from_picos(0), None);
    }

    #[test]
    fn amounts_are_rounded_and_prices_come_back() {
        // 1.000000001 x 1.5 = 1.5000000015, and less than nothing likewise.
        let half = worth(1_500_000_000_000);
        let amount = |nanos| half.amount(Money::from_nanos(nanos)).nanos();
        assert_eq!([1_000_000_001, -1_000_000_001].map(amount), [1_500_000_002, -1_500_000_002]);
        for picos in [6_400_000_000, 998_877_665_544, 1_000_000_000_000, 1_337_000_000_001] {
            for nanos in [0, 1, 96_000_000, 123_456_789, 9_000_000_000_000] {
                let price = Rate::from_picos(nanos * 1_000);
                let exchange = worth(picos);
                assert_eq!(exchange.price_back(exchange.price(price)), price, "{picos} {nanos}");
            }
        }
        // At 1.0833333 each, all that was bought is used: neither one more nor one less.
        let third = worth(1_083_333_300_000);
        for nanos in [1, 3, 1_000_000] {
            for count in [1, 2, 3, 1_000, 999_999] {
                let dollars = third.amount(Money::from_nanos(nanos * count));
                let units =
                    |more| third.units(Money::from_nanos(nanos), dollars + Money::from_nanos(more));
                assert_eq!(units(0), Some(count), "{nanos} {count}");
                assert!(units(-1) < Some(count) && units(0) <= units(1));
            }
        }
        assert_eq!(third.units(Money::ZERO, third.amount(Money::from_nanos(5))), None);
        // 13.5 dollars are 9 units of 1.50.
        assert_eq!(half.amount_back(Money::from_nanos(13_500_000_000)).nanos(), 9_000_000_000);
    }
}
