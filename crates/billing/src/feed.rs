//! Usage of any length, handed to the biller hour by hour.
//!
//! Time is cut at clock hours: of a quantity each hour has the part that falls on it, so that the
//! parts sum to it. What is counted and not timed stays whole, in the hour in which it begins. The
//! feed holds what still runs, and nothing else.

use crate::charge::BilledCharge;
use crate::commitment::{hour_of, start_of};
use crate::settle::{Biller, OutOfOrder};
use crate::units::Time;
use crate::usage::{UsageLine, UsageUnit};

/// Usage that runs over the hour that comes next.
#[derive(Debug, Default)]
pub struct Feed {
    running: Vec<UsageLine>,
    hour: Option<i64>,
}

impl Feed {
    /// Takes usage of any length; the hours before it are billed.
    ///
    /// # Errors
    /// It begins in an hour before that of usage that was taken before.
    pub fn take(
        &mut self,
        usage: UsageLine,
        biller: &mut Biller,
        out: &mut impl FnMut(BilledCharge),
    ) -> Result<(), OutOfOrder> {
        let hour = hour_of(usage.from);
        if self.hour.is_some_and(|now| hour < now) {
            return Err(OutOfOrder);
        }
        self.advance(hour, biller, out)?;
        self.running.push(usage);
        Ok(())
    }

    /// Bills all that is left, and commitments until the hour of that number.
    pub fn finish(&mut self, until: i64, biller: &mut Biller, out: &mut impl FnMut(BilledCharge)) {
        let over = |usage: &UsageLine| hour_after(usage.until).max(hour_of(usage.from) + 1);
        let last = self.running.iter().map(over).max();
        let ended = last.map(|last| self.advance(last, biller, out));
        debug_assert!(ended.is_none_or(|ended| ended.is_ok()), "hours come in order");
        biller.finish(until, out);
    }

    /// The hour that comes next; `None` before the first usage.
    pub fn hour(&self) -> Option<i64> {
        self.hour
    }

    /// The clock comes to the beginning of that hour: what is before it is billed.
    ///
    /// # Errors
    /// None where hours come in order.
    pub fn advance(
        &mut self,
        hour: i64,
        biller: &mut Biller,
        out: &mut impl FnMut(BilledCharge),
    ) -> Result<(), OutOfOrder> {
        while let Some(now) = self.hour.filter(|now| *now < hour && !self.running.is_empty()) {
            let end = start_of(now + 1);
            for usage in &self.running {
                let is_time = biller.products()[usage.product].unit == UsageUnit::Hour;
                let line = if is_time { within(usage, start_of(now), end) } else { Some(*usage) };
                if let Some(line) = line {
                    biller.take(line, out)?;
                }
            }
            self.running.retain(|usage| {
                usage.until > end && biller.products()[usage.product].unit == UsageUnit::Hour
            });
            self.hour = Some(now + 1);
        }
        if self.hour.is_some() {
            biller.advance(hour, out);
        }
        self.hour = Some(hour);
        Ok(())
    }
}

/// Number of the first clock hour that begins at `at` or later.
pub fn hour_after(at: Time) -> i64 {
    let hour = hour_of(at);
    if start_of(hour) < at { hour + 1 } else { hour }
}

/// The part of usage that falls on that hour; `None` where none does.
fn within(usage: &UsageLine, start: Time, end: Time) -> Option<UsageLine> {
    let (from, until) = (usage.from.max(start), usage.until.min(end));
    let whole = i128::from((usage.until - usage.from).micros());
    if whole == 0 {
        return Some(*usage);
    }
    let part = |at: Time| usage.quantity * i128::from((at - usage.from).micros()) / whole;
    let quantity = part(until) - part(from);
    let amount = usage.amount_of(part(from), part(until));
    (from < until).then_some(UsageLine { from, until, quantity, amount, ..*usage })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charge::Purpose;
    use crate::terms::AccountTerms;
    use crate::units::{Money, Rate};
    use crate::usage::{LinePrices, Product, Sale, Service};

    fn product(unit: UsageUnit) -> Product {
        Product {
            currency: String::new(),
            provider: "aws".into(),
            service: Service::Compute,
            region: String::new(),
            zone: String::new(),
            family: String::new(),
            size: String::new(),
            system: String::new(),
            tenancy: String::new(),
            sale: Sale::OnDemand,
            unit,
            weight: 1_000,
        }
    }

    #[test]
    fn time_is_cut_at_clock_hours_and_counts_are_not() {
        let mut terms = AccountTerms::default();
        let account = terms.accounts.add("a", None);
        let mut biller = Biller::new(terms);
        let [timed, counted] =
            [UsageUnit::Hour, UsageUnit::Request].map(|unit| biller.product(product(unit)));
        let mut feed = Feed::default();
        let mut charges = Vec::new();
        let line = |number, product, from, until, quantity| UsageLine {
            number,
            account,
            product,
            from: Time::from_secs(from),
            until: Time::from_secs(until),
            quantity,
            list: Rate::from_picos(1_000_000_000_000),
            contracted: Rate::from_picos(1_000_000_000_000),
            prices: LinePrices::OfMonth,
            amount: None,
        };
        let mut take = |line| {
            feed.take(line, &mut biller, &mut |charge| charges.push(charge)).expect("in order");
        };
        take(line(1, timed, 1_800, 9_000, 7_200_000_000));
        take(line(2, counted, 1_900, 9_000, 5_000_000));
        take(line(3, timed, 14_400, 14_400 + 60, 60_000_000));
        feed.finish(0, &mut biller, &mut |charge| charges.push(charge));
        let told: Vec<_> = charges
            .iter()
            .map(|charge| match charge.purpose {
                Purpose::Usage { origin: crate::charge::Origin::Line(line), .. } => {
                    (line, charge.from, charge.quantity)
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let at = Time::from_secs;
        assert_eq!(
            told,
            [
                (1, at(1_800), 1_800_000_000),
                (2, at(1_900), 5_000_000),
                (1, at(3_600), 3_600_000_000),
                (1, at(7_200), 1_800_000_000),
                (3, at(14_400), 60_000_000),
            ]
        );
        let billed: Money = charges.iter().map(|charge| charge.billed).sum();
        assert_eq!(billed.nanos(), 2_000_000_000 + 5_000_000_000 + 16_666_667);
    }
}
