//! Charges: the lines of a bill.

use crate::account::Account;
use crate::commitment::Commitment;
use crate::reservation::CapacityReservation;
use crate::units::{Id, Money, Rate, Time};
use crate::usage::Product;

/// Use that a charge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The line of usage of that number.
    Line(u64),
    /// Reserved capacity that nobody used.
    Reservation(Id<CapacityReservation>),
}

/// What a charge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Use at its price.
    Usage {
        /// The use.
        origin: Origin,
        /// The product.
        product: Id<Product>,
    },
    /// Use that a commitment covers.
    Covered {
        /// The use.
        origin: Origin,
        /// The product.
        product: Id<Product>,
        /// What covers it.
        by: Id<Commitment>,
    },
    /// A commitment, or the part of one, that nobody used in that hour.
    Unused(Id<Commitment>),
    /// What is paid for a commitment at its beginning.
    Upfront(Id<Commitment>),
    /// What is paid for a commitment in that hour.
    Fee(Id<Commitment>),
    /// What is taken off for sustained use in a month.
    SustainedUse(Id<Product>),
    /// What a provider gives back for time in which a service was not there.
    Credit(Id<Product>),
}

/// Line of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BilledCharge {
    /// Its purpose.
    pub purpose: Purpose,
    /// Account that it falls on.
    pub account: Id<Account>,
    /// Beginning of its period.
    pub from: Time,
    /// End of its period.
    pub until: Time,
    /// Quantity, in millionths of the unit of the product. Of a commitment, so much of it: thousandths
    /// of units times microseconds, or nano-dollars.
    pub quantity: i128,
    /// List price per unit.
    pub list_price: Rate,
    /// Negotiated price per unit.
    pub contracted_price: Rate,
    /// Amount at list price.
    pub list: Money,
    /// Amount at the negotiated price, before commitments.
    pub contracted: Money,
    /// Amount with what was paid for commitments spread over what they cover.
    pub effective: Money,
    /// Amount that is to be paid for this line. The sum of all is the bill.
    pub billed: Money,
}

impl Purpose {
    /// Its word in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usage { origin: Origin::Line(_), .. } => "usage",
            Self::Usage { origin: Origin::Reservation(_), .. } => "unused-reservation",
            Self::Covered { .. } => "covered",
            Self::Unused(_) => "unused-commitment",
            Self::Upfront(_) => "upfront",
            Self::Fee(_) => "fee",
            Self::SustainedUse(_) => "sustained-use",
            Self::Credit(_) => "service-credit",
        }
    }

    /// The product and the commitment that it names.
    pub const fn names(self) -> (Option<Id<Product>>, Option<Id<Commitment>>) {
        match self {
            Self::Usage { product, .. } | Self::SustainedUse(product) | Self::Credit(product) => {
                (Some(product), None)
            }
            Self::Covered { product, by, .. } => (Some(product), Some(by)),
            Self::Unused(held) | Self::Upfront(held) | Self::Fee(held) => (None, Some(held)),
        }
    }

    /// The use that it is for; `None` of what is no use.
    pub const fn origin(self) -> Option<Origin> {
        match self {
            Self::Usage { origin, .. } | Self::Covered { origin, .. } => Some(origin),
            Self::Unused(_)
            | Self::Upfront(_)
            | Self::Fee(_)
            | Self::SustainedUse(_)
            | Self::Credit(_) => None,
        }
    }

    /// The reserved capacity that nobody used.
    pub const fn reservation(self) -> Option<Id<CapacityReservation>> {
        match self {
            Self::Usage { origin: Origin::Reservation(kept), .. }
            | Self::Covered { origin: Origin::Reservation(kept), .. } => Some(kept),
            Self::Usage { origin: Origin::Line(_), .. }
            | Self::Covered { origin: Origin::Line(_), .. }
            | Self::Unused(_)
            | Self::Upfront(_)
            | Self::Fee(_)
            | Self::SustainedUse(_)
            | Self::Credit(_) => None,
        }
    }
}
