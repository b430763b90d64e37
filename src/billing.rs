//! Usage becomes charges: an incremental meter per instance, whose parts sum
//! to the billed amount exactly.

use crate::model::Billing;
use crate::units::{Money, Rate, Span, Time};

/// A whole instance, in the millionths that shares are counted in.
pub const WHOLE: u32 = 1_000_000;

/// Pico-dollar microseconds per hour in one nano-dollar.
const PER_NANO: i128 = 1_000 * 3_600_000_000;

/// Meters one instance from request to release, and splits its cost over the
/// work on it.
///
/// At every instant the price goes to the allocations in proportion to their
/// dominant shares (the largest share of any resource that each holds); what
/// no share covers is idle. Where dominant shares add up to more than the
/// whole, each is scaled down by their sum. The split is kept as the value of
/// a full share since the request, so that a change costs constant time
/// however many allocations there are. All products are exact integers; parts
/// are rounded down to a nano-dollar and idle takes the remainder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    since: Time,
    last: Time,
    rate: Rate,
    /// Sum of the dominant shares held, in millionths.
    held: u64,
    /// Pico-dollar microseconds per hour that a full share has cost so far.
    full_share: i128,
    /// Pico-dollar microseconds per hour of the whole instance so far.
    accrued: i128,
    /// Accrued when the instance became ready.
    boot: i128,
    /// Sum of the parts charged to work.
    charged: Money,
}

/// The value of a full share at some moment, by which the cost since then is
/// told. In words of eight bytes, because there is one per live allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CostMark {
    high: i64,
    low: u64,
}

impl CostMark {
    const fn new(full_share: i128) -> Self {
        Self { high: (full_share >> 64) as i64, low: full_share as u64 }
    }

    const fn full_share(self) -> i128 {
        (self.high as i128) << 64 | self.low as i128
    }
}

/// A bill for one instance: its parts sum to the amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bill {
    /// Amount by the provider's rule, from request to release.
    pub amount: Money,
    /// Before the instance was ready.
    pub boot: Money,
    /// Ready but held by no work, and what the billing rule adds by rounding up.
    pub idle: Money,
    /// Billed time: rounded up to the granularity, at least the minimum.
    pub billed: Span,
}

impl Meter {
    /// Starts at the request, at the price of that moment.
    pub const fn start(now: Time, rate: Rate) -> Self {
        Self {
            since: now,
            last: now,
            rate,
            held: 0,
            full_share: 0,
            accrued: 0,
            boot: 0,
            charged: Money::ZERO,
        }
    }

    /// Time at which the instance was requested.
    pub const fn since(&self) -> Time {
        self.since
    }

    /// The price now.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    fn advance(&mut self, now: Time) {
        let accrued = self.rate.accrue(now - self.last);
        self.last = now;
        if accrued == 0 {
            return;
        }
        self.accrued += accrued;
        self.full_share += if self.held <= u64::from(WHOLE) {
            accrued
        } else {
            // Rounded up, as what is charged is rounded down: whole nano-dollars stay whole.
            let held = i128::from(self.held);
            (accrued * i128::from(WHOLE) + held - 1) / held
        };
    }

    /// The instance became ready: what accrued so far was boot.
    pub fn ready(&mut self, now: Time) {
        self.advance(now);
        self.boot = self.accrued;
    }

    /// It is not ready after all.
    pub fn unready(&mut self) {
        self.boot = 0;
    }

    /// The price changed.
    pub fn reprice(&mut self, now: Time, rate: Rate) {
        self.advance(now);
        self.rate = rate;
    }

    /// An allocation takes `share` millionths; returns the mark from which its
    /// cost counts.
    pub fn take(&mut self, now: Time, share: u32) -> CostMark {
        self.advance(now);
        self.held += u64::from(share);
        CostMark::new(self.full_share)
    }

    /// The allocation gives its share back; returns what it cost since `mark`.
    pub fn give(&mut self, now: Time, share: u32, mark: CostMark) -> Money {
        self.advance(now);
        self.held -= u64::from(share);
        // One division for both: the share in millionths, and nano-dollars.
        let used = (self.full_share - mark.full_share()) * i128::from(share);
        let part = match used {
            0 => Money::ZERO,
            used => Money::from_nanos(used / (i128::from(WHOLE) * PER_NANO)),
        };
        self.charged += part;
        part
    }

    /// Money that the instance has accrued until `now`, before rounding rules.
    pub fn so_far(&self, now: Time) -> Money {
        Money::from_accrued(self.accrued + self.rate.accrue(now - self.last))
    }

    /// The bill if the instance is released now. All shares must be given back.
    pub fn bill(&mut self, now: Time, rule: Billing) -> Bill {
        self.advance(now);
        assert!(self.held == 0, "an instance is billed after its work has left");
        let lifetime = now - self.since;
        let billed = rule.billed(lifetime);
        let amount = Money::from_accrued(self.accrued + self.rate.accrue(billed - lifetime));
        let boot = floor(self.boot);
        Bill { amount, boot, idle: amount - boot - self.charged, billed }
    }
}

fn floor(accrued: i128) -> Money {
    Money::from_nanos(accrued / PER_NANO)
}

impl Billing {
    /// `lifetime` rounded up to the granularity, at least the minimum.
    pub fn billed(self, lifetime: Span) -> Span {
        let step = self.granularity.micros().max(1);
        let lifetime = lifetime.micros();
        let steps = lifetime.div_euclid(step) + i64::from(lifetime.rem_euclid(step) != 0);
        Span::from_micros(steps * step).max(self.minimum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PER_SECOND: Billing =
        Billing { granularity: Span::from_secs(1), minimum: Span::from_secs(60) };
    const DOLLAR: Rate = Rate::from_picos(3_600_000_000_000_000); // one dollar per second

    #[test]
    fn billed_time_follows_the_rule() {
        // AWS: 59 s is billed as 60 s, 61 s as 61 s, 60.000001 s as 61 s.
        let cases = [(59_000_000, 60), (61_000_000, 61), (60_000_001, 61), (0, 60)];
        for (micros, secs) in cases {
            assert_eq!(PER_SECOND.billed(Span::from_micros(micros)), Span::from_secs(secs));
        }
    }

    #[test]
    fn parts_sum_to_the_bill() {
        let mut meter = Meter::start(Time::ZERO, DOLLAR);
        meter.ready(Time::from_secs(10));
        let mark = meter.take(Time::from_secs(20), WHOLE / 4);
        let part = meter.give(Time::from_secs(40), WHOLE / 4, mark);
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
        let first = meter.take(Time::ZERO, 800_000);
        let second = meter.take(Time::ZERO, 800_000);
        assert_eq!(meter.give(Time::from_secs(10), 800_000, first).dollars(), 5.0);
        // Alone for 10 s more: 0.8 of 10 s on top of its 5 s.
        assert_eq!(meter.give(Time::from_secs(20), 800_000, second).dollars(), 13.0);
        let bill = meter.bill(Time::from_secs(20), Billing { minimum: Span::ZERO, ..PER_SECOND });
        assert_eq!(bill.idle.dollars(), 2.0);
    }

    #[test]
    fn equal_parts_of_whole_nanos_are_whole() {
        // Three of 0.7 pay a dollar each of three seconds, however often the price is set.
        for steps in [1, 3] {
            let mut meter = Meter::start(Time::ZERO, DOLLAR);
            let marks = [(); 3].map(|()| meter.take(Time::ZERO, 700_000));
            for step in 1..=steps {
                meter.reprice(Time::from_secs(3 * step / steps), DOLLAR);
            }
            let parts = marks.map(|mark| meter.give(Time::from_secs(3), 700_000, mark).nanos());
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
