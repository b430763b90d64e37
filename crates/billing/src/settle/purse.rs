//! What is left of a commitment within an hour.

use crate::commitment::Commitment;
use crate::rate::Proportion;
use crate::units::Money;

/// Benefit of a commitment in this hour: thousandths of units, times microseconds, or
/// nano-dollars; and what it costs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Purse {
    pub(super) whole: i128,
    pub(super) used: i128,
    pub(super) cost: Money,
    /// Of the cost, without its sign, over the whole.
    proportion: Proportion,
    /// Cost of what is used.
    pub(super) given: Money,
}

impl Purse {
    /// That of an hour in which nothing is used yet, of a commitment in dollars that holds in it.
    pub(super) fn full(commitment: &Commitment, now: i64) -> Self {
        let whole = commitment.benefit.of_an_hour();
        let cost = commitment.amortised(now);
        let of = [cost.nanos().unsigned_abs(), whole.max(1).unsigned_abs()];
        let proportion = Proportion::new(of[0], of[1]);
        Self { whole, used: 0, cost, proportion, given: Money::ZERO }
    }

    pub(super) const fn left(self) -> i128 {
        self.whole - self.used
    }

    /// Uses so much of it; returns the cost of that part. All parts, and what is unused, sum to
    /// the cost of the hour.
    #[inline]
    pub(super) fn spend(&mut self, amount: i128) -> Money {
        self.used += amount;
        let part = self.proportion.of(self.used.unsigned_abs()).0 as i128;
        let nanos = if self.cost < Money::ZERO { -part } else { part };
        let before = std::mem::replace(&mut self.given, Money::from_nanos(nanos));
        self.given - before
    }
}
