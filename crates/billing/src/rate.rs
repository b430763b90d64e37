//! The price of usage: amounts at a price per unit, and the provider's rule, by which a stretch of
//! time that an instance ran becomes time that is billed.

use crate::units::{Money, Rate, Span};
use crate::usage::{Sale, UsageUnit};

/// Pico-dollars in a nano-dollar.
const PICOS: i128 = 1_000;

/// Amount for `quantity` of a unit at `price`, rounded half up to a nano-dollar. It is exact for
/// quantities up to 10^25; no amount is more than 10^36 nano-dollars.
#[inline]
pub fn amount(quantity: i128, unit: UsageUnit, price: Rate) -> Money {
    match (u64::try_from(quantity), u64::try_from(price.picos())) {
        // One multiplication of machine words: the product leaves room for the half.
        (Ok(quantity), Ok(picos)) => {
            let half = (PICOS * unit.whole() / 2).unsigned_abs();
            let product = u128::from(quantity) * u128::from(picos) + half;
            Money::from_nanos(over(product, unit))
        }
        (Ok(_) | Err(_), Ok(_) | Err(_)) => large_amount(quantity, unit, price),
    }
}

/// The same of quantities beyond a machine word, and of amounts below nothing.
#[cold]
fn large_amount(quantity: i128, unit: UsageUnit, price: Rate) -> Money {
    let per_nano = PICOS * unit.whole();
    let picos = i128::from(price.picos());
    let nanos = match quantity.checked_mul(picos).and_then(|x| x.checked_add(per_nano / 2)) {
        Some(product) => product.div_euclid(per_nano),
        // Whole nano-dollars of each pico-dollar of the price first: exact, and far smaller.
        None => {
            let (whole, rest) = (quantity.div_euclid(per_nano), quantity.rem_euclid(per_nano));
            let rest = (rest * picos + per_nano / 2).div_euclid(per_nano);
            whole.saturating_mul(picos).saturating_add(rest).clamp(-MOST, MOST)
        }
    };
    Money::from_nanos(nanos)
}

/// Largest amount, in nano-dollars: a hundred of them still have a sum.
const MOST: i128 = 10_i128.pow(36);

/// `product` over the pico-dollars of a nano-dollar and the quantity of a unit, rounded down. The
/// twos are taken out first, for then most fit a machine word.
#[inline]
fn over(product: u128, unit: UsageUnit) -> i128 {
    let halved = |twos: u32| u64::try_from(product >> twos).ok();
    let short = match unit {
        UsageUnit::Hour => halved(HOUR_TWOS).map(|short| short / HOUR_ODD),
        UsageUnit::Gigabyte | UsageUnit::GigabyteMonth | UsageUnit::Request => {
            halved(MILLION_TWOS).map(|short| short / MILLION_ODD)
        }
    };
    let divided = || (product / (PICOS * unit.whole()).unsigned_abs()) as i128;
    short.map_or_else(divided, i128::from)
}

/// 1,000 times the microseconds of an hour are 2^13 times this.
const HOUR_TWOS: u32 = 13;
const HOUR_ODD: u64 = 439_453_125;

/// 1,000 times a million are 2^9 times this.
const MILLION_TWOS: u32 = 9;
const MILLION_ODD: u64 = 1_953_125;

/// Amount of the part of a line between two quantities of it: the parts of a line, one after the
/// other, sum to the amount of the line.
#[inline]
pub fn part(from: i128, until: i128, unit: UsageUnit, price: Rate) -> Money {
    match from {
        0 => amount(until, unit, price),
        from => amount(until, unit, price) - amount(from, unit, price),
    }
}

/// Part of an amount, of at least nothing, that falls between two quantities of a whole: the parts, one
/// after the other, sum to it.
pub(crate) fn portion(amount: Money, [from, until]: [i128; 2], whole: i128) -> Money {
    let [amount, whole] = [amount.nanos(), whole].map(i128::unsigned_abs);
    let of = |part: i128| share(amount, part.unsigned_abs(), whole).0 as i128;
    match (from, until.unsigned_abs() == whole) {
        (0, true) => Money::from_nanos(amount as i128),
        (0, false) => Money::from_nanos(of(until)),
        _ => Money::from_nanos(of(until) - of(from)),
    }
}

/// Quantity of a unit that an amount pays for at a price of more than nothing, rounded down.
pub(crate) fn quantity(amount: Money, unit: UsageUnit, price: Rate) -> i128 {
    let per_nano = (PICOS * unit.whole()).unsigned_abs();
    let picos = u128::from(price.picos().unsigned_abs());
    share(amount.nanos().unsigned_abs(), per_nano, picos).0 as i128
}

/// `amount` times `part` over `whole`, rounded down, and what is left over; exact at any size. All
/// are at least nothing, `whole` is more, and the result fits.
pub(crate) fn share(amount: u128, part: u128, whole: u128) -> (u128, u128) {
    if let (Ok(amount), Ok(part), Ok(whole)) =
        (u64::try_from(amount), u64::try_from(part), u64::try_from(whole))
        && let Some(product) = amount.checked_mul(part)
    {
        return (u128::from(product / whole), u128::from(product % whole));
    }
    if let Some(product) = amount.checked_mul(part) {
        let quotient = product / whole;
        return (quotient, product - quotient * whole);
    }
    // Bit by bit: the quotient and the rest of `amount` times the bits of `part` so far.
    let (of_amount, rest_of_amount) = (amount / whole, amount % whole);
    let (mut quotient, mut rest) = (0_u128, 0_u128);
    // Twice `rest`, or both rests together, over `whole`.
    let carried = |a: u128, b: u128| match a >= whole - b {
        true => (1, a - (whole - b)),
        false => (0, a + b),
    };
    for bit in (0..u128::BITS - part.leading_zeros()).rev() {
        let (carry, twice) = carried(rest, rest);
        (quotient, rest) = (2 * quotient + carry, twice);
        if part >> bit & 1 == 1 {
            let (carry, both) = carried(rest, rest_of_amount);
            (quotient, rest) = (quotient + of_amount + carry, both);
        }
    }
    (quotient, rest)
}

/// An amount of which many parts are asked: [`share`] with what the divisions have in common.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Proportion {
    amount: u128,
    whole: u128,
    /// The amount over the whole in parts of 2^64, rounded down, where both are machine words.
    fraction: Option<u128>,
}

impl Proportion {
    /// Of `amount` over `whole`, which is more than nothing.
    pub(crate) fn new(amount: u128, whole: u128) -> Self {
        let fits = amount <= u128::from(u64::MAX) && whole <= u128::from(u64::MAX);
        Self { amount, whole, fraction: fits.then(|| (amount << 64) / whole) }
    }

    /// The amount times `part`, which is no more than the whole, over the whole, rounded down, and what
    /// is left over.
    #[inline]
    pub(crate) fn of(self, part: u128) -> (u128, u128) {
        let Some(fraction) = self.fraction else {
            return share(self.amount, part, self.whole);
        };
        // As the fraction is rounded down, this is the quotient or one less.
        let (high, low) = (fraction >> 64, u128::from(fraction as u64));
        let (word, part) = (|number: u128| u128::from(number as u64), u128::from(part as u64));
        let quotient = word(high) * part + ((low * part) >> 64);
        let rest = word(self.amount) * part - word(quotient) * word(self.whole);
        match rest < self.whole {
            true => (quotient, rest),
            false => (quotient + 1, rest - self.whole),
        }
    }
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
    fn amounts_are_exact_at_any_size() {
        let prices = [0, 1, 7, 1_000_000_007, 96_000_000_000, 9_000_000_000_000_000_000];
        let most = 10_i128.pow(25);
        let quantities = [0, 1, 999, 3_600_000_000, 123_456_789_012, 10_i128.pow(18) + 1, most];
        for unit in UsageUnit::ALL {
            for (price, quantity) in
                prices.iter().flat_map(|price| quantities.map(|quantity| (*price, quantity)))
            {
                // By long division, digit by digit of base 10,000.
                let per = 1_000 * unit.whole();
                let mut digits = Vec::new();
                let mut left = quantity;
                while left > 0 {
                    digits.push(left % 10_000);
                    left /= 10_000;
                }
                let (mut quotient, mut rest) = (0, 0);
                for digit in digits.iter().rev() {
                    let value = rest * 10_000 + digit * i128::from(price);
                    (quotient, rest) = (quotient * 10_000 + value / per, value % per);
                }
                let wanted = quotient + i128::from(2 * rest >= per);
                let found = amount(quantity, unit, Rate::from_picos(price));
                assert_eq!(found.nanos(), wanted, "{quantity} {unit:?} {price}");
            }
        }
        let beyond = amount(10_i128.pow(37), UsageUnit::Request, Rate::from_picos(prices[5]));
        assert_eq!(beyond.nanos(), MOST);
        assert_eq!(1 << HOUR_TWOS, PICOS * UsageUnit::Hour.whole() / i128::from(HOUR_ODD));
        assert_eq!(1 << MILLION_TWOS, PICOS * UsageUnit::Request.whole() / i128::from(MILLION_ODD));
    }

    #[test]
    fn shares_are_exact_at_any_size() {
        let large = 10_u128.pow(30);
        assert_eq!(share(7, 3, 2), (10, 1));
        assert_eq!(share(large + 1, large, large), (large + 1, 0));
        assert_eq!(share(large - 1, large - 1, large), (large - 2, 1)); // (l - 1)^2 = l (l - 2) + 1
        assert_eq!(share(u128::MAX, 5, u128::MAX), (5, 0));
        assert_eq!(share(u128::MAX - 1, u128::MAX - 1, u128::MAX), (u128::MAX - 2, 1));
        assert_eq!(share(3 * large + 5, 2 * large, 6 * large), (large + 1, 4 * large));
    }

    #[test]
    fn parts_of_a_proportion_are_shares() {
        let most = u128::from(u64::MAX);
        let numbers = [1, 2, 3, 7, 1_000_000_007, most / 3, most - 1, most, most + 1, 10 * most];
        for (amount, whole) in numbers.iter().flat_map(|a| numbers.map(|whole| (*a, whole))) {
            let proportion = Proportion::new(amount, whole);
            let parts = numbers.into_iter().chain([0, whole - 1, whole / 2]);
            for part in parts.filter(|part| *part <= whole) {
                let wanted = share(amount, part, whole);
                assert_eq!(proportion.of(part), wanted, "{amount} {part} {whole}");
            }
        }
    }

    #[test]
    fn parts_of_a_line_sum_to_it() {
        let price = Rate::from_picos(333_333_333_333);
        let whole = 3_600_000_000;
        let cuts = [0, 1, 7, 1_200_000_001, 3_599_999_999, whole];
        let sum: Money =
            cuts.windows(2).map(|cut| part(cut[0], cut[1], UsageUnit::Hour, price)).sum();
        assert_eq!(sum, amount(whole, UsageUnit::Hour, price));
        assert_eq!(sum.nanos(), 333_333_333);
    }
}
