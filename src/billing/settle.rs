//! Usage becomes amounts: at list price, when an instance is released. Discounts that are known
//! only at the end of an hour or of a month would be settled here.

use super::PER_NANO;
use super::usage::InstanceUsage;
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

/// The bill of an instance that is released at the end of `usage`, of which work was charged
/// `charged`. Time that the rule adds is charged at the last price. Boot is rounded down to a
/// nano-dollar; idle time takes what rounding leaves.
pub(super) fn at_list(usage: &InstanceUsage, charged: Money, rule: Billing) -> Bill {
    let released = usage.last();
    let lifetime = released - usage.since();
    let billed = rule.billed(lifetime);
    let amount = Money::from_accrued(usage.accrued_at(released + (billed - lifetime)));
    let boot = whole_nanos(usage.boot());
    Bill { amount, boot, idle: amount - boot - charged, billed }
}

/// Whole nano-dollars of what accrued.
pub(super) fn whole_nanos(accrued: i128) -> Money {
    Money::from_nanos(accrued / PER_NANO)
}
