//! Lines of usage of a clock hour that is not settled yet.

use crate::account::Account;
use crate::charge::Origin;
use crate::rate;
use crate::units::{Id, Money, Rate, Time};
use crate::usage::{Product, UsageLine, UsageUnit};

/// Use of one product within the hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenLine {
    pub(super) origin: Origin,
    pub(super) account: Id<Account>,
    pub(super) product: Id<Product>,
    pub(super) from: Time,
    pub(super) until: Time,
    pub(super) unit: UsageUnit,
    pub(super) quantity: i128,
    pub(super) list: Rate,
    pub(super) contracted: Rate,
    /// Quantity that is covered.
    pub(super) covered: i128,
    /// First and last of its pieces.
    pub(super) pieces: Option<[u32; 2]>,
    /// Place of its amounts, where they are not its quantity at its prices.
    pub(super) amounts: Option<u32>,
}

/// What all of a line costs, where that was rounded as a part of something larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineAmounts {
    /// At its list price.
    pub(super) list: Money,
    /// At its contracted price.
    pub(super) contracted: Money,
}

impl LineAmounts {
    /// Those of a line whose amount at its list price somebody else has rounded.
    #[inline]
    pub(super) fn of(line: &UsageLine, unit: UsageUnit) -> Option<Self> {
        let list = line.amount?;
        let contracted = match line.list == line.contracted {
            true => list,
            false => rate::amount(line.quantity, unit, line.contracted),
        };
        Some(Self { list, contracted })
    }
}

/// A line of a product, and its account.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProductLine {
    pub(super) row: u32,
    pub(super) account: Id<Account>,
}

/// Lines of a product that follow each other at the same prices.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineRun {
    pub(super) list: Rate,
    pub(super) contracted: Rate,
    /// Place of the line behind the last.
    pub(super) until: u32,
}
