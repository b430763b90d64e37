//! Tiers: the price of a quantity follows from all that the organisation used since the beginning
//! of the month, product by product in order of time. Each step holds for its part alone.

use std::collections::BTreeMap;

use crate::account::Account;
use crate::charge::{Charge, Purpose};
use crate::rate;
use crate::terms::{Terms, TierTable};
use crate::units::{Id, IdVec};
use crate::usage::Product;

use super::hour::OpenLine;

/// Quantities of the month.
#[derive(Debug, Default)]
pub(super) struct TierCounts {
    /// By product.
    tables: Vec<Option<Id<TierTable>>>,
    counts: BTreeMap<(Id<TierTable>, Id<Account>), i128>,
}

impl TierCounts {
    pub(super) fn product(&mut self, terms: &Terms, product: &Product) {
        let matches = |table: &TierTable| {
            table.provider == product.provider && table.matching.covers(product)
        };
        self.tables.push(terms.tiers.find(matches));
    }

    pub(super) fn table_of(&self, product: Id<Product>) -> Option<Id<TierTable>> {
        self.tables[product.row()]
    }

    /// The month is over.
    pub(super) fn clear(&mut self) {
        self.counts.clear();
    }

    /// Gives the charges of what is not covered of a line, one for each step that it reaches into.
    pub(super) fn charge(
        &mut self,
        terms: &Terms,
        products: &IdVec<Product>,
        table: Id<TierTable>,
        line: &OpenLine,
        out: &mut impl FnMut(Charge),
    ) {
        let root = terms.accounts.root(line.account);
        let before = self.counts.entry((table, root)).or_default();
        let (unit, mut at) = (products[line.product].unit, *before);
        let end = at + line.quantity - line.covered;
        *before = end;
        let steps = &terms.tiers[table].steps;
        for (number, (up_to, price)) in steps.iter().enumerate() {
            let last = number + 1 == steps.len();
            let until = if last { end } else { end.min(*up_to) };
            if at >= until {
                continue;
            }
            let amount = rate::part(at, until, unit, *price);
            out(Charge {
                purpose: Purpose::Usage { origin: line.origin, product: line.product },
                account: line.account,
                from: line.from,
                until: line.until,
                quantity: until - at,
                list_price: *price,
                contracted_price: *price,
                list: amount,
                contracted: amount,
                effective: amount,
                billed: amount,
            });
            at = until;
        }
    }
}
