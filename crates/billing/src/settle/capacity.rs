//! Capacity that is kept: the machines that run in it, within an hour.

use crate::reservation::CapacityReservation;
use crate::terms::AccountTerms;
use crate::units::{Id, IdVec, Span, Time};
use crate::usage::{Product, UsageUnit};

use super::line::{OpenLine, ProductLine};

/// What may run in what is kept.
#[derive(Debug, Default)]
pub(super) struct KeptCapacity {
    /// By reservation: the products that run in it, and the reservations of the same kind before it.
    products: Vec<Vec<Id<Product>>>,
    earlier: Vec<Vec<Id<CapacityReservation>>>,
    /// By product, whether it runs in any.
    keeps: Vec<bool>,
    changes: Vec<(Time, i128)>,
}

impl KeptCapacity {
    /// Looks up what was added since it was last called.
    pub(super) fn update(&mut self, terms: &AccountTerms, products: &IdVec<Product>) {
        let known = [self.products.len(), self.keeps.len()];
        if known == [terms.reservations.len(), products.len()] {
            return;
        }
        self.products.resize_with(terms.reservations.len(), Vec::new);
        self.earlier.resize_with(terms.reservations.len(), Vec::new);
        self.keeps.resize(products.len(), false);
        let provider = |kept: &CapacityReservation| &products[kept.product].provider;
        for (id, kept) in terms.reservations.iter() {
            let is_new = id.row() >= known[0];
            if is_new {
                let before = terms.reservations.iter().take(id.row());
                let alike = before.filter(|(_, other)| {
                    other.account == kept.account
                        && other.matching == kept.matching
                        && provider(other) == provider(kept)
                });
                self.earlier[id.row()].extend(alike.map(|(other, _)| other));
            }
            for (row, product) in products.iter().skip(if is_new { 0 } else { known[1] }) {
                if product.unit == UsageUnit::Hour
                    && product.provider == *provider(kept)
                    && kept.matching.covers(product)
                {
                    self.products[id.row()].push(row);
                    self.keeps[row.row()] = true;
                }
            }
        }
    }

    /// Whether machines of the product run in kept capacity.
    pub(super) fn keeps(&self, product: Id<Product>) -> bool {
        self.keeps[product.row()]
    }

    /// Machine-microseconds of a reservation in which nothing runs, from `from` until `until`.
    /// Machines that run in an earlier one of the same kind do not run in this. A line whose
    /// quantity is not that of whole machines is spread evenly over its time, in billionths of a
    /// machine.
    pub(super) fn idle<'l>(
        &mut self,
        id: Id<CapacityReservation>,
        terms: &AccountTerms,
        [from, until]: [Time; 2],
        lines_of: impl Fn(Id<Product>) -> &'l [ProductLine],
        lines: &'l [OpenLine],
    ) -> i128 {
        let Self { products, earlier, changes, .. } = self;
        changes.clear();
        let mut add = |from: Time, until: Time, quantity: i128, whole: Span| {
            let micros = i128::from(whole.micros());
            if from < until && micros > 0 {
                let level = quantity.saturating_mul(PARTS) / micros;
                changes.extend([(from, level), (until, -level)]);
            }
        };
        let kept = &terms.reservations[id];
        for known in products[id.row()].iter().flat_map(|product| lines_of(*product)) {
            if known.account == kept.account {
                let line = &lines[known.row as usize];
                let whole = line.until - line.from;
                add(line.from.max(from), line.until.min(until), line.quantity, whole);
            }
        }
        for other in earlier[id.row()].iter().map(|other| &terms.reservations[*other]) {
            let machines = -i128::from(other.machines);
            add(other.from.max(from), other.until.min(until), machines, Span::from_micros(1));
        }
        changes.sort_unstable();
        let whole = i128::from(kept.machines) * PARTS;
        let (mut idle, mut level, mut last) = (0, 0_i128, from);
        for (at, change) in changes.drain(..).chain([(until, 0)]) {
            idle += (whole - level.max(0)).max(0) * i128::from((at - last).micros());
            level += change;
            last = at;
        }
        idle / PARTS
    }
}

/// Parts that a machine is counted in.
const PARTS: i128 = 1_000_000_000;
