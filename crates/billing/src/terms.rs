//! Terms on which accounts are billed: who they are, what they hold, and what each provider's
//! rules are.

use crate::account::Accounts;
use crate::commitment::{Commitment, Matching};
use crate::reservation::CapacityReservation;
use crate::rules::BillingRules;
use crate::units::{Id, IdVec, Rate};
use crate::usage::Product;

/// Order in which accounts have the benefit of commitments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// The account that bought it first, then all others of its scope.
    #[default]
    OwnerFirst,
    /// All accounts of a scope alike; commitments of narrower scopes first, and of plans those of
    /// a longer term before.
    NarrowestFirst,
}

/// Prices by the quantity that an organisation has used since the beginning of the month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierTable {
    /// Name, as charges tell it.
    pub name: String,
    /// Provider that it holds at.
    pub provider: String,
    /// The products that count together.
    pub matching: Matching,
    /// Quantity up to which a price holds, in millionths of a unit, and the price per unit;
    /// rising. What is beyond the last costs the last price.
    pub steps: Vec<(i128, Rate)>,
}

/// Discount for what is used for much of a month: share of the month, in millionths, up to which
/// a share of the price is paid, in millionths too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SustainedUse {
    /// Name, as charges tell it.
    pub name: String,
    /// Provider that it holds at.
    pub provider: String,
    /// The products that have it.
    pub matching: Matching,
    /// Steps, rising; the last goes to 1,000,000.
    pub steps: Vec<(u32, u32)>,
}

/// A discount on list prices that an organisation has negotiated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Provider that gives it.
    pub provider: String,
    /// The products.
    pub matching: Matching,
    /// Share of the list price that is paid, in millionths.
    pub paid: i64,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct AccountTerms {
    /// The accounts.
    pub accounts: Accounts,
    /// What they hold.
    pub commitments: IdVec<Commitment>,
    /// Capacity that is kept for them.
    pub reservations: IdVec<CapacityReservation>,
    /// Tiers. A product has the first table that matches it.
    pub tiers: IdVec<TierTable>,
    /// Discounts for sustained use. A product has the first that matches it.
    pub sustained: IdVec<SustainedUse>,
    /// Discounts; the first that matches a product counts.
    pub negotiated: Vec<Negotiated>,
    /// Order of each provider; one that is not listed has [`Sharing::OwnerFirst`].
    pub sharing: Vec<(String, Sharing)>,
}

impl AccountTerms {
    /// No accounts and no commitments, with these rules.
    pub fn by(rules: &BillingRules) -> Self {
        let mut terms = Self::default();
        terms.add(rules);
        terms
    }

    /// Adds rules behind those that are there.
    pub fn add(&mut self, rules: &BillingRules) {
        self.sharing.extend(rules.sharing_orders());
        for table in rules.tiers() {
            self.tiers.push(table);
        }
        for discount in rules.sustained_use() {
            self.sustained.push(discount);
        }
    }

    /// Share of its list price that is paid for a product, in millionths.
    pub(crate) fn paid(&self, product: &Product) -> i64 {
        let holds =
            |row: &&Negotiated| row.provider == product.provider && row.matching.covers(product);
        self.negotiated.iter().find(holds).map_or(1_000_000, |row| row.paid)
    }

    /// Order in which the accounts of a commitment have its benefit.
    pub(crate) fn sharing(&self, commitment: Id<Commitment>) -> Sharing {
        let provider = &self.commitments[commitment].provider;
        let found = self.sharing.iter().find(|(name, _)| name == provider);
        found.map_or_else(Sharing::default, |(_, sharing)| *sharing)
    }
}
