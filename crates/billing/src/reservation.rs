//! Reserved capacity: machines that are kept for an account, and paid for whether they run or not.

use crate::account::Account;
use crate::commitment::Matching;
use crate::currency::Currency;
use crate::units::{Id, Rate, Time};
use crate::usage::Product;

/// Machines of one kind that are kept for an account in one zone. What runs in them is billed as
/// it would be without them; what does not run is a charge at the same price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapacityReservation {
    /// Name, as charges tell it.
    pub name: String,
    /// Currency of its prices; `None` is the dollar.
    pub currency: Option<Id<Currency>>,
    /// Account that pays for what is not used, and whose machines run in it.
    pub account: Id<Account>,
    /// The machines that run in it.
    pub matching: Matching,
    /// The product that is kept.
    pub product: Id<Product>,
    /// Number of machines.
    pub machines: u64,
    /// From when on they are kept.
    pub from: Time,
    /// Time of their release.
    pub until: Time,
    /// List price per machine and hour.
    pub price: Rate,
    /// Negotiated price per machine and hour.
    pub contracted: Rate,
}
