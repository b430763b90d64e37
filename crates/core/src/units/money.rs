//! Exact money. Charges are whole nano-dollars; prices are whole pico-dollars
//! per hour, so that every published price and any discount of it is exact.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use super::Span;

/// US dollars, held as whole nano-dollars, so that sums are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i128);

/// A price in dollars per hour, held as whole pico-dollars per hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(i64);

/// Pico-dollar microseconds per hour in one nano-dollar.
const PER_NANO: i128 = 1_000 * 3_600_000_000;

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// `nanos` nano-dollars.
    pub const fn from_nanos(nanos: i128) -> Self {
        Self(nanos)
    }

    /// Whole nano-dollars.
    pub const fn nanos(self) -> i128 {
        self.0
    }

    /// Dollars, for reports.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Money for `used` (pico-dollar microseconds per hour, see [`Rate::accrue`]), rounded half
    /// up to a nano-dollar.
    pub const fn from_accrued(used: i128) -> Self {
        Self((used + PER_NANO / 2).div_euclid(PER_NANO))
    }

    /// `bytes` at `nanos_per_gib`, rounded half up to a nano-dollar.
    pub const fn for_bytes(bytes: i64, nanos_per_gib: i64) -> Self {
        let gib = 1_i128 << 30;
        Self((bytes as i128 * nanos_per_gib as i128 + gib / 2).div_euclid(gib))
    }

    /// Dollars and all nine decimals, exact: `12.345000000`.
    pub fn exact(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        format!("{sign}{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
    }
}

impl Rate {
    /// No price: free of charge.
    pub const ZERO: Self = Self(0);

    /// `picos` pico-dollars per hour.
    pub const fn from_picos(picos: i64) -> Self {
        Self(picos)
    }

    /// Whole pico-dollars per hour.
    pub const fn picos(self) -> i64 {
        self.0
    }

    /// Dollars per hour, for reports and scores.
    pub fn dollars_per_hour(self) -> f64 {
        self.0 as f64 / 1e12
    }

    /// Reads a decimal such as `3.0620`: not negative, at most 12 decimals,
    /// at most 9,000,000 dollars.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return None;
        }
        let value: rust_decimal::Decimal = text.parse().ok()?;
        let value = value.normalize();
        let decimals = u32::try_from(12 - i64::from(value.scale())).ok()?;
        let picos = value.mantissa().checked_mul(10_i128.pow(decimals))?;
        let picos = i64::try_from(picos).ok()?;
        (0..=9_000_000_000_000_000_000).contains(&picos).then_some(Self(picos))
    }

    /// The amount that `used` accrues, in pico-dollar microseconds per hour:
    /// exact, so that any split of a period sums to the whole.
    pub const fn accrue(self, used: Span) -> i128 {
        self.0 as i128 * used.micros() as i128
    }

    /// The charge for `used` alone, rounded half up to a nano-dollar.
    pub const fn charge(self, used: Span) -> Money {
        Money::from_accrued(self.accrue(used))
    }

    /// This price times `millionths` / 1,000,000, rounded half up to a pico-dollar per hour.
    pub const fn scaled(self, millionths: i64) -> Self {
        let scaled = (self.0 as i128 * millionths as i128 + 500_000).div_euclid(1_000_000);
        Self(scaled as i64)
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    /// Dollars and cents with thousands separators: `$1,234.50`. Amounts under
    /// a dollar keep four decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        if 0 < nanos && nanos < 1_000_000_000 {
            return write!(f, "{sign}$0.{:04}", (nanos + 50_000) / 100_000);
        }
        let cents = (nanos + 5_000_000) / 10_000_000;
        let mut dollars = (cents / 100).to_string();
        let mut at = dollars.len();
        while at > 3 {
            at -= 3;
            dollars.insert(at, ',');
        }
        write!(f, "{sign}${dollars}.{:02}", cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_exactly() {
        let cases = [
            ("3.0620", Some(3_062_000_000_000)),
            ("0.254060696", Some(254_060_696_000)),
            ("0", Some(0)),
            ("-1", None),
            ("1e3", None),
            ("0.0000000000001", None),
            ("99999999", None),
            ("x", None),
        ];
        for (text, want) in cases {
            assert_eq!(Rate::parse(text).map(Rate::picos), want, "{text}");
        }
    }

    #[test]
    fn any_split_of_a_period_sums_to_the_whole() {
        let rate = Rate::from_picos(254_060_696_123);
        let whole = rate.accrue(Span::from_micros(7_777_777));
        let parts = rate.accrue(Span::from_micros(1)) + rate.accrue(Span::from_micros(7_777_776));
        assert_eq!(whole, parts);
        // 1 $/h for 90 min = 1.50 $.
        let charge = Rate::from_picos(1_000_000_000_000).charge(Span::from_secs(5_400));
        assert_eq!(charge, Money::from_nanos(1_500_000_000));
    }

    #[test]
    fn money_reads_like_a_bill() {
        let cases = [
            (0, "$0.00"),
            (1_234_500_000_000, "$1,234.50"),
            (-5_000_000, "-$0.0050"),
            (999_996_000_000, "$1,000.00"),
        ];
        for (nanos, want) in cases {
            assert_eq!(Money(nanos).to_string(), want);
        }
        assert_eq!(Money(-1_000_000_001).exact(), "-1.000000001");
    }

    #[test]
    fn bytes_round_half_up() {
        // 1 GiB at 0.09 $/GiB.
        assert_eq!(Money::for_bytes(1 << 30, 90_000_000).nanos(), 90_000_000);
        assert_eq!(Money::for_bytes(1, 90_000_000).nanos(), 0);
    }
}
