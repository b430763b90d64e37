//! The split of an instance's cost over the work on it, by metered share.
//!
//! At every instant the price goes to the allocations in proportion to their dominant shares
//! (the largest share of any resource that each holds); the part that no share covers is idle. If
//! dominant shares add up to more than the whole, each is scaled down by their sum. The split is
//! kept as the value of a full share since the request, so that a change costs constant time
//! however many allocations there are. All products are exact integers; parts are rounded down
//! to a nano-dollar.

use super::{PER_NANO, ShareUsage};
use crate::units::Money;

/// A whole instance, in the millionths that shares are counted in.
pub const WHOLE: u32 = 1_000_000;

/// A nano-dollar in the unit of [`value_of`]: one division for both, the share in millionths and
/// nano-dollars.
const SHARE_NANO: u64 = WHOLE as u64 * PER_NANO as u64;

/// Value of a full share of one instance, and what its work was charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ShareMeter {
    /// Sum of the dominant shares held, in millionths.
    held: u64,
    /// Pico-dollar microseconds per hour that a full share has cost so far.
    full_share: i128,
    /// Sum of the parts charged to work.
    charged: Money,
}

/// The value of a full share at some moment, by which the cost since then is
/// told. In words of eight bytes, because there is one per live allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CostMark {
    high: i64,
    low: u64,
}

impl CostMark {
    pub(super) const fn new(full_share: i128) -> Self {
        Self { high: (full_share >> 64) as i64, low: full_share as u64 }
    }

    const fn full_share(self) -> i128 {
        (self.high as i128) << 64 | self.low as i128
    }
}

impl ShareMeter {
    pub(super) const fn new() -> Self {
        Self { held: 0, full_share: 0, charged: Money::ZERO }
    }

    /// The instance has accrued more while the shares were as they are.
    #[inline]
    pub(super) fn add(&mut self, accrued: i128) {
        self.full_share += self.of_full_share(accrued);
    }

    /// Part of `accrued` that a full share costs.
    #[inline]
    fn of_full_share(&self, accrued: i128) -> i128 {
        if self.held <= u64::from(WHOLE) {
            return accrued;
        }
        // Rounded up, as what is charged is rounded down: whole nano-dollars stay whole.
        let held = i128::from(self.held);
        (accrued * i128::from(WHOLE) + held - 1) / held
    }

    /// Part of a price that a full share costs, rounded down.
    pub(super) fn of_full_share_down(&self, price: i128) -> i128 {
        let (held, whole) = (i128::from(self.held), i128::from(WHOLE));
        if held <= whole { price } else { price * whole / held }
    }

    /// Value of a full share until the last change.
    pub(super) const fn full_share(&self) -> i128 {
        self.full_share
    }

    /// Gives a share to tasks.
    pub(super) fn take(&mut self, millionths: u32) -> ShareUsage {
        self.held += u64::from(millionths);
        ShareUsage { millionths, mark: CostMark::new(self.full_share) }
    }

    /// Takes a share back; returns what it cost.
    pub(super) fn give(&mut self, share: ShareUsage) -> Money {
        self.held -= u64::from(share.millionths);
        let part = cost_of(share, self.full_share);
        self.charged += part;
        part
    }

    /// Value of a full share when the instance will have accrued more.
    pub(super) fn full_share_with(&self, accrued: i128) -> i128 {
        self.full_share + self.of_full_share(accrued)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Sum of the parts charged to work.
    pub(super) fn charged(&self) -> Money {
        self.charged
    }
}

/// Cost of a share until the moment at which a full share was worth `full_share`, rounded down.
#[inline]
pub(super) fn cost_of(share: ShareUsage, full_share: i128) -> Money {
    let value = value_of(share, full_share);
    // Little fits in a word, and nothing does: that divides many times faster.
    let nanos = match u64::try_from(value) {
        Ok(value) => i128::from(value / SHARE_NANO),
        Err(_) => value / i128::from(SHARE_NANO),
    };
    Money::from_nanos(nanos)
}

/// Cost of a share, rounded up to a nano-dollar.
pub(super) fn cost_rounded_up(share: ShareUsage, full_share: i128) -> Money {
    let per_nano = i128::from(SHARE_NANO);
    Money::from_nanos((value_of(share, full_share) + per_nano - 1) / per_nano)
}

/// Cost of a share in millionths of a pico-dollar microsecond per hour.
#[inline]
pub(super) fn value_of(share: ShareUsage, full_share: i128) -> i128 {
    (full_share - share.mark.full_share()) * i128::from(share.millionths)
}
