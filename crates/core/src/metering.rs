//! Usage becomes charges, in four steps, one file each.
//!
//! - `usage`: what was used. Time of an instance at the prices of its moments, from its
//!   request on, and how much of it was boot; the share of an instance that tasks hold.
//! - `rate`: the provider's rule. Time that is billed for a lifetime.
//! - `settle`: usage becomes amounts. Today at once and at list price: nothing that is
//!   known later, at the end of an hour or of a month, changes an amount.
//! - `split`: the amount of an instance goes to the tasks on it, by metered share.
//!
//! [`ChargePeriod`] says at which moments of the calendar charges are cut. [`SpendingLedger`] adds up
//! what providers charge and tenants cause, and tells of it at any moment.
//!
//! A [`Meter`] is all of it for one instance. **Invariant:** the parts of a bill sum to it, as
//! whole nano-dollars, and so do the pieces of a part that is cut at clock hours or days.

mod ledger;
mod period;
mod rate;
mod settle;
mod split;
mod usage;

pub use ledger::{SpendingCourse, SpendingLedger};
pub use period::ChargePeriod;
pub use settle::{Bill, MeterReading};
pub use split::WHOLE;
pub use usage::ShareUsage;

use split::ShareMeter;
use usage::InstanceUsage;

use crate::model::Billing;
use crate::units::{Money, Rate, Time};

/// Pico-dollar microseconds per hour in one nano-dollar.
pub(crate) const PER_NANO: i128 = 1_000 * 3_600_000_000;

/// Meters one instance from request to release, and splits its cost over the work on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    usage: InstanceUsage,
    shares: ShareMeter,
}

impl Meter {
    /// Starts at the request, at the price of that moment, of an instance that is ready.
    pub const fn start(now: Time, rate: Rate) -> Self {
        Self { usage: InstanceUsage::start(now, rate), shares: ShareMeter::new() }
    }

    /// Time at which the instance was requested.
    pub const fn since(&self) -> Time {
        self.usage.since()
    }

    /// Price of the instance now.
    pub const fn rate(&self) -> Rate {
        self.usage.rate()
    }

    fn advance(&mut self, now: Time) {
        let accrued = self.usage.advance(now);
        if accrued != 0 {
            self.shares.add(accrued);
        }
    }

    /// The instance became ready: what accrued so far was boot.
    pub fn ready(&mut self, now: Time) {
        self.advance(now);
        self.usage.ready();
    }

    /// The instance boots: all that accrues until it is ready is boot, also what has accrued.
    pub fn boots(&mut self) {
        self.usage.boots();
    }

    /// The price changed.
    pub fn reprice(&mut self, now: Time, rate: Rate) {
        self.advance(now);
        self.usage.reprice(rate);
    }

    /// Tasks take `share` millionths, whose cost counts from now on.
    pub fn take(&mut self, now: Time, share: u32) -> ShareUsage {
        self.advance(now);
        self.shares.take(share)
    }

    /// Tasks give the share back; returns its cost.
    pub fn give(&mut self, now: Time, share: ShareUsage) -> Money {
        self.advance(now);
        self.shares.give(share)
    }

    /// Money that the instance has accrued until `now`, before rounding rules.
    pub fn so_far(&self, now: Time) -> Money {
        Money::from_accrued(self.usage.accrued_at(now))
    }

    /// The meter as it stands at `at`, which is no earlier than its last change. Reading it
    /// changes nothing, so a bill is the same however often its meter is read.
    pub fn read(&self, at: Time) -> MeterReading {
        let (accrued, boot) = (self.usage.accrued_at(at), self.usage.boot_at(at));
        let full_share = self.shares.full_share_with(self.usage.accrued_since_last(at));
        MeterReading { accrued, boot, full_share, charged: self.shares.charged() }
    }

    /// The bill if the instance is released now. All shares must be given back.
    pub fn bill(&mut self, now: Time, rule: Billing) -> Bill {
        self.advance(now);
        assert!(self.shares.is_empty(), "an instance is billed after its work has left");
        settle::at_list(&self.usage, self.shares.charged(), rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    const PER_SECOND: Billing =
        Billing { granularity: Span::from_secs(1), minimum: Span::from_secs(60) };
    const DOLLAR: Rate = Rate::from_picos(3_600_000_000_000_000); // one dollar per second

    #[test]
    fn parts_sum_to_the_bill() {
        let mut meter = Meter::start(Time::ZERO, DOLLAR);
        meter.boots();
        meter.ready(Time::from_secs(10));
        let share = meter.take(Time::from_secs(20), WHOLE / 4);
        let part = meter.give(Time::from_secs(40), share);
        assert_eq!(part.dollars(), 5.0); // a quarter of 20 s
        let bill = meter.bill(Time::from_secs(50), PER_SECOND);
        assert_eq!(bill.amount.dollars(), 60.0); // the minimum
        assert_eq!(bill.boot.dollars(), 10.0);
        assert_eq!(bill.idle.dollars(), 45.0); // 60 - 10 - 5
    }

    #[test]
    fn shares_beyond_the_whole_are_scaled_down() {
        // 0.8 and 0.8 of the dominant resource: each pays half of the time together.
        let mut meter = Meter::start(Time::ZERO, DOLLAR);
        let [first, second] = [(); 2].map(|()| meter.take(Time::ZERO, 800_000));
        assert_eq!(meter.give(Time::from_secs(10), first).dollars(), 5.0);
        // Alone for 10 s more: 0.8 of 10 s on top of its 5 s.
        assert_eq!(meter.give(Time::from_secs(20), second).dollars(), 13.0);
        let bill = meter.bill(Time::from_secs(20), Billing { minimum: Span::ZERO, ..PER_SECOND });
        assert_eq!(bill.idle.dollars(), 2.0);
    }

    #[test]
    fn equal_parts_of_whole_nanos_are_whole() {
        // Three of 0.7 pay a dollar each of three seconds, however often the price is set.
        for steps in [1, 3] {
            let mut meter = Meter::start(Time::ZERO, DOLLAR);
            let shares = [(); 3].map(|()| meter.take(Time::ZERO, 700_000));
            for step in 1..=steps {
                meter.reprice(Time::from_secs(3 * step / steps), DOLLAR);
            }
            let parts = shares.map(|share| meter.give(Time::from_secs(3), share).nanos());
            assert_eq!(parts, [1_000_000_000; 3]);
            assert_eq!(meter.bill(Time::from_secs(3), PER_SECOND).amount.nanos(), 60_000_000_000);
        }
    }

    #[test]
    fn a_price_change_holds_from_its_moment() {
        let mut meter = Meter::start(Time::ZERO, DOLLAR);
        meter.reprice(Time::from_secs(30), DOLLAR.scaled(500_000));
        assert_eq!(meter.so_far(Time::from_secs(50)).dollars(), 40.0);
        // Rounding up and the minimum are charged at the last price.
        let bill = meter.bill(Time::from_secs(50), PER_SECOND);
        assert_eq!(bill.amount.dollars(), 45.0); // 30 + 20/2 + 10/2
    }
}
