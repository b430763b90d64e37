//! Usage becomes amounts: at list price, when an instance is released, or before that for a
//! charge period that is over. Discounts that are known only at the end of an hour or of a month
//! would be settled here.
//!
//! Amounts of a period are differences of amounts since the request, each rounded down: so the
//! pieces of a charge sum to it, and none is negative.

use super::PER_NANO;
use super::split::{cost_of, cost_rounded_up};
use super::usage::{InstanceUsage, ShareUsage};
use crate::model::Billing;
use crate::units::{Money, Span};

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

/// The bill of an instance that is released at the end of `usage`, for which work was charged
/// `charged`. Time that the rule adds is charged at the last price. Boot is rounded down to a
/// nano-dollar; idle time takes what rounding leaves.
pub(super) fn at_list(usage: &InstanceUsage, charged: Money, rule: Billing) -> Bill {
    let released = usage.last();
    let lifetime = released - usage.since();
    let billed = rule.billed(lifetime);
    let amount = Money::from_accrued(usage.accrued_at(released + (billed - lifetime)));
    let boot = whole_nanos(usage.boot_at(released));
    Bill { amount, boot, idle: amount - boot - charged, billed }
}

/// Whole nano-dollars of what accrued.
pub(super) fn whole_nanos(accrued: i128) -> Money {
    Money::from_nanos(accrued / PER_NANO)
}

/// A meter as it stands at some moment of the life of its instance: amounts since the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeterReading {
    pub(super) accrued: i128,
    pub(super) boot: i128,
    pub(super) full_share: i128,
    pub(super) charged: Money,
}

impl MeterReading {
    /// Cost of a share of the instance until then; nothing of one that was taken later.
    pub fn share(&self, share: ShareUsage) -> Money {
        cost_of(share, self.full_share).max(Money::ZERO)
    }

    /// The same, rounded up to a nano-dollar.
    pub fn share_rounded_up(&self, share: ShareUsage) -> Money {
        cost_rounded_up(share, self.full_share)
    }

    /// Cost of the boot until then.
    pub fn boot(&self) -> Money {
        whole_nanos(self.boot)
    }

    /// Cost of idle time until then, where the shares that are in use cost `in_use`, each
    /// rounded up: no more than what the bill will have as idle, however the shares are rounded
    /// in the end.
    pub fn idle(&self, in_use: Money) -> Money {
        (whole_nanos(self.accrued) - self.boot() - self.charged - in_use).max(Money::ZERO)
    }
}
