//! Terms on which accounts are billed: who they are, what they hold, and what each provider's
//! rules are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::account::Accounts;
use crate::commitment::{Commitment, Matching, hour_of};
use crate::currency::{Currency, Exchange};
use crate::parts::MachineParts;
use crate::reservation::CapacityReservation;
use crate::rules::BillingRules;
use crate::units::{Id, IdVec, Money, Rate};
use crate::usage::{Product, Sale, Service, UsageUnit};

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

/// Prices by the quantity that an organisation has used since the beginning of the month. Tables of
/// one provider, name, service and unit count together: what has used up the steps of one has those of
/// the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierTable {
    /// Name, as charges tell it.
    pub name: String,
    /// Currency of its prices; `None` is the dollar.
    pub currency: Option<Id<Currency>>,
    /// Provider that it holds at.
    pub provider: String,
    /// The products that count together.
    pub matching: Matching,
    /// Unit in which they are sold.
    pub unit: UsageUnit,
    /// Quantity up to which a price holds, in millionths of a unit, and the price per unit;
    /// rising. What is beyond the last costs the last price.
    pub steps: Vec<(i128, Rate)>,
}

impl TierTable {
    /// Whether the prices of a product are by this table.
    pub fn covers(&self, product: &Product) -> bool {
        self.provider == product.provider
            && self.unit == product.unit
            && self.matching.covers(product)
    }
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
    /// Currencies that prices are in, but for the dollar.
    pub currencies: IdVec<Currency>,
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
    /// Machines on Linux that are taken apart into cores and memory, by provider, region and type: what is
    /// committed of these covers them, and of whole machines nothing does.
    pub parts: BTreeMap<(String, String, String), MachineParts>,
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
    pub fn paid(&self, product: &Product) -> i64 {
        let holds =
            |row: &&Negotiated| row.provider == product.provider && row.matching.prices(product);
        self.negotiated.iter().find(holds).map_or(1_000_000, |row| row.paid)
    }

    /// What a machine of that product is taken apart into, if it is.
    pub fn parts_of(&self, product: &Product) -> Option<MachineParts> {
        let Product { provider, region, size, .. } = product;
        let is_plain = product.service == Service::Compute
            && product.unit == UsageUnit::Hour
            && product.sale == Sale::OnDemand
            && (product.system.as_str(), product.tenancy.as_str()) == ("linux", "default");
        if self.parts.is_empty() || !is_plain {
            return None;
        }
        self.parts.get(&(provider.clone(), region.clone(), size.clone())).copied()
    }

    /// The currency of that code; `None` of the dollar.
    pub fn currency(&self, code: &str) -> Option<Id<Currency>> {
        self.currencies.find(|currency| currency.code == code)
    }

    /// What a unit of a currency is worth in the clock hour of that number.
    pub fn exchange(&self, currency: Option<Id<Currency>>, hour: i64) -> Exchange {
        currency.map_or(Exchange::DOLLAR, |currency| self.currencies[currency].in_hour(hour))
    }

    /// The commitment with the amounts of that clock hour in dollars: what was paid at its beginning at
    /// what its currency was worth then.
    pub fn in_dollars<'c>(&self, commitment: &'c Commitment, hour: i64) -> Cow<'c, Commitment> {
        let Some(currency) = commitment.currency else { return Cow::Borrowed(commitment) };
        let worth = |hour| self.currencies[currency].in_hour(hour);
        let mut in_dollars = commitment.clone();
        in_dollars.currency = None;
        in_dollars.upfront = worth(hour_of(commitment.bought)).amount(commitment.upfront);
        in_dollars.hourly = worth(hour).amount(commitment.hourly);
        in_dollars.benefit = commitment.benefit.in_dollars(worth(hour));
        Cow::Owned(in_dollars)
    }

    /// What the clock hours of a stretch that belong to its term cost of a commitment, in dollars.
    pub fn cost_of(&self, commitment: &Commitment, stretch: Range<i64>) -> Money {
        match commitment.currency {
            None => commitment.cost_of(stretch),
            Some(_) => stretch
                .filter(|hour| commitment.holds_in(*hour))
                .map(|hour| self.in_dollars(commitment, hour).amortised(hour))
                .sum(),
        }
    }

    /// Order in which the accounts of a commitment have its benefit.
    pub(crate) fn sharing(&self, commitment: Id<Commitment>) -> Sharing {
        let provider = &self.commitments[commitment].provider;
        let found = self.sharing.iter().find(|(name, _)| name == provider);
        found.map_or_else(Sharing::default, |(_, sharing)| *sharing)
    }
}
