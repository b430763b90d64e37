//! Tiers: the price of a quantity follows from all that the organisation used since the beginning
//! of the month, product by product in order of time. Each step holds for its part alone.

use crate::account::Account;
use crate::commitment::hour_of;
use crate::rate;
use crate::terms::{AccountTerms, TierTable};
use crate::units::Id;
use crate::usage::{LinePrices, Product, UsageLine, UsageUnit};

use super::line::LineAmounts;

/// Quantities of the month.
#[derive(Debug, Default)]
pub(super) struct TierCounts {
    /// By product: its table with the first of those that count with it, and the share of its prices
    /// that is paid, in millionths.
    tables: Vec<Option<[Id<TierTable>; 2]>>,
    paid: Vec<i64>,
    /// By first table of those that count together, and account at the top of a tree.
    counts: Vec<Vec<i128>>,
}

impl TierCounts {
    pub(super) fn product(&mut self, terms: &AccountTerms, product: &Product) {
        let table = terms.tiers.find(|table| table.covers(product)).and_then(|table| {
            let TierTable { provider, name, matching, unit, .. } = &terms.tiers[table];
            let alike = |other: &TierTable| {
                other.provider == *provider
                    && other.name == *name
                    && other.matching.services == matching.services
                    && other.unit == *unit
            };
            terms.tiers.find(alike).map(|first| [table, first])
        });
        self.tables.push(table);
        self.paid.push(terms.paid(product));
    }

    /// The table of a product, with the first of those that count with it.
    pub(super) fn tables_of(&self, product: Id<Product>) -> Option<[Id<TierTable>; 2]> {
        self.tables[product.row()]
    }

    /// Share of its list price that is paid for a product, in millionths.
    pub(super) fn paid_of(&self, product: Id<Product>) -> i64 {
        self.paid[product.row()]
    }

    /// The month is over.
    pub(super) fn clear(&mut self) {
        self.counts.clear();
    }

    fn count(&mut self, first: Id<TierTable>, root: Id<Account>) -> &mut i128 {
        if self.counts.len() <= first.row() {
            self.counts.resize_with(first.row() + 1, Vec::new);
        }
        let counts = &mut self.counts[first.row()];
        if counts.len() <= root.row() {
            counts.resize(root.row() + 1, 0);
        }
        &mut counts[root.row()]
    }

    /// Gives the parts of a line, one for each step that it reaches into: each has the price of its
    /// step. What a commitment covers of them counts in the month like all that is used. Beside its
    /// table goes the first of those that count with it.
    pub(super) fn split(
        &mut self,
        terms: &AccountTerms,
        [table, first]: [Id<TierTable>; 2],
        line: &UsageLine,
        unit: UsageUnit,
        mut take: impl FnMut(&UsageLine, LineAmounts),
    ) {
        let (root, share) = (terms.accounts.root(line.account), self.paid_of(line.product));
        let before = self.count(first, root);
        let start = *before;
        let (mut at, end) = (start, start + line.quantity);
        *before = end;
        let TierTable { steps, currency, .. } = &terms.tiers[table];
        let worth = terms.exchange(*currency, hour_of(line.from));
        // The last one holds beyond its end too.
        let first = steps.partition_point(|(up_to, _)| *up_to <= at);
        let first = first.min(steps.len().saturating_sub(1));
        for (number, (up_to, price)) in steps.iter().enumerate().skip(first) {
            let last = number + 1 == steps.len();
            let until = if last { end } else { end.min(*up_to) };
            if at >= until {
                break;
            }
            let price = worth.price(*price);
            let contracted = match share {
                1_000_000 => price,
                share => price.scaled(share),
            };
            let (list, listed) = match line.prices {
                LinePrices::PaidOfMonth => (line.list, at - start),
                LinePrices::Own | LinePrices::OfMonth => (price, at),
            };
            // Rounded from where the month, or the line, began: lines that follow each other at one
            // price sum to the amount of the whole.
            let quantity = until - at;
            let amount = |from, price| rate::part(from, from + quantity, unit, price);
            let paid = amount(at, contracted);
            let list_amount = match line.amount_of(at - start, until - start) {
                Some(amount) => amount,
                None if (list, listed) == (contracted, at) => paid,
                None => amount(listed, list),
            };
            let part = UsageLine { quantity, list, contracted, amount: None, ..*line };
            take(&part, LineAmounts { list: list_amount, contracted: paid });
            at = until;
        }
    }
}
