//! What the terms of an account change in the costs of a run, added up charge by charge.

use std::collections::{BTreeMap, BTreeSet};

use crate::billing::charge::{BilledCharge, Origin, Purpose};
use crate::billing::commitment::Commitment;
use crate::billing::settle::Biller;
use crate::billing::usage::{Product, Sale, Service};
use crate::metrics::{Adjustment, AdjustmentKind, Settled};
use crate::units::{Id, Money};

/// Sums of charges, by row of the product and of the commitment. Names come in at the end.
#[derive(Debug, Default)]
pub(super) struct ChargeTally {
    products: Vec<ProductTally>,
    /// Cost of each commitment that belongs to no product, for nobody used it.
    unused: Vec<Money>,
}

/// Sums of the charges for one product.
#[derive(Clone, Copy, Debug, Default)]
struct ProductTally {
    /// What its use costs at list prices.
    list: Money,
    /// Negotiated prices and discounts of a month, less the list price.
    discount: Money,
    /// What is given back, less than nothing.
    credit: Money,
    /// List price of what commitments cover.
    covered: Money,
    /// Cost of what covers it.
    commitment: Money,
    /// Cost of capacity that is kept and does not run.
    kept: Money,
    /// What is covered, and what is not, before commitments.
    contracted: [Money; 2],
}

impl ChargeTally {
    /// What machines and data that moves cost at list prices.
    pub(super) fn list(&self, biller: &Biller) -> Money {
        let all = biller.products().rows().iter().zip(&self.products);
        let metered = all.filter(|(product, _)| kept_kind(product.service).is_none());
        metered.map(|(_, tally)| tally.list).sum()
    }

    /// What is given back for a product, and what its use that nothing covered was billed at, where the
    /// former is more.
    pub(super) fn excess_credit(&self) -> Option<[Money; 2]> {
        let of_each = self.products.iter().map(|sums| {
            let billed = sums.list - sums.covered + sums.discount;
            [Money::ZERO - sums.credit, billed]
        });
        of_each.into_iter().find(|&[given, billed]| given > billed.max(Money::ZERO))
    }

    /// Adds a charge: what it costs with what was paid for commitments spread over what they cover,
    /// beside its list price.
    pub(super) fn add(&mut self, charge: &BilledCharge) {
        match charge.purpose {
            Purpose::Usage { origin: Origin::Line(_), product } => {
                let sums = self.product(product);
                sums.list += charge.list;
                sums.discount += charge.effective - charge.list;
                sums.contracted[1] += charge.contracted;
            }
            Purpose::Covered { origin: Origin::Line(_), product, .. } => {
                let sums = self.product(product);
                sums.list += charge.list;
                sums.covered += charge.list;
                sums.commitment += charge.effective;
                sums.contracted[0] += charge.contracted;
            }
            Purpose::Usage { origin: Origin::Reservation(_), product } => {
                self.product(product).kept += charge.effective;
            }
            Purpose::Covered { origin: Origin::Reservation(_), product, .. } => {
                self.product(product).commitment += charge.effective;
            }
            Purpose::Unused(held) | Purpose::Upfront(held) | Purpose::Fee(held) => {
                *row(&mut self.unused, held.row()) += charge.effective;
            }
            Purpose::SustainedUse(product) => self.product(product).discount += charge.effective,
            Purpose::Credit(product) => self.product(product).credit += charge.effective,
        }
    }

    fn product(&mut self, product: Id<Product>) -> &mut ProductTally {
        row(&mut self.products, product.row())
    }

    /// What the terms change. `utilisation` is the share of what is paid for commitments that was used.
    pub(super) fn settled(&self, biller: &Biller, utilisation: Option<f64>) -> Settled {
        let mut sums: BTreeMap<(&str, Option<String>, AdjustmentKind, bool), Money> =
            BTreeMap::new();
        let commitments = &biller.terms().commitments;
        let holders: BTreeSet<&str> =
            commitments.iter().map(|(_, held)| held.provider.as_str()).collect();
        let mut contracted = [Money::ZERO; 2];
        for (product, tally) in biller.products().rows().iter().zip(&self.products) {
            let provider = product.provider.as_str();
            let region = match product.region == product.provider {
                true => product.region.clone(),
                false => format!("{provider}/{}", product.region),
            };
            let of_machines = product.service == Service::Compute;
            let listed = kept_kind(product.service).map(|kind| (kind, tally.list));
            let discount = match product.service == Service::Transfer {
                true => AdjustmentKind::Tiers,
                false => AdjustmentKind::Discount,
            };
            let changed = [
                (AdjustmentKind::Commitment, tally.commitment),
                (AdjustmentKind::Covered, -tally.covered),
                (discount, tally.discount),
                (AdjustmentKind::Kept, tally.kept),
                (AdjustmentKind::Credit, tally.credit),
            ];
            for (kind, amount) in changed.into_iter().chain(listed) {
                *sums.entry((provider, Some(region.clone()), kind, of_machines)).or_default() +=
                    amount;
            }
            let is_machine = product.service == Service::Compute && product.sale == Sale::OnDemand;
            if is_machine && holders.contains(provider) {
                contracted[0] += tally.contracted[0];
                contracted[1] += tally.contracted[1];
            }
        }
        for ((_, held), amount) in commitments.iter().zip(&self.unused) {
            let Commitment { provider, .. } = held;
            *sums.entry((provider, None, AdjustmentKind::Commitment, true)).or_default() += *amount;
        }
        sums.retain(|_, amount| *amount != Money::ZERO);
        let adjustments = sums.into_iter().map(|(key, amount)| {
            let (provider, region, kind, of_machines) = key;
            Adjustment { provider: provider.to_owned(), region, kind, of_machines, amount }
        });
        let [covered, uncovered] = contracted;
        let coverage = share(covered, uncovered);
        Settled { adjustments: adjustments.collect(), utilisation, coverage }
    }
}

/// Kind of cost of what is no part of a run's costs at list prices but is kept, or had, beside it.
const fn kept_kind(service: Service) -> Option<AdjustmentKind> {
    match service {
        Service::ObjectStorage => Some(AdjustmentKind::Storage),
        Service::BlockStorage => Some(AdjustmentKind::Disk),
        Service::Address => Some(AdjustmentKind::Address),
        Service::Compute
        | Service::Serverless
        | Service::License
        | Service::Transfer
        | Service::LoadBalancer => None,
    }
}

/// The row of that number, which may be new.
fn row<T: Clone + Default>(rows: &mut Vec<T>, number: usize) -> &mut T {
    if rows.len() <= number {
        rows.resize(number + 1, T::default());
    }
    &mut rows[number]
}

/// Share of `part` in it and the rest; `None` of nothing.
pub(super) fn share(part: Money, rest: Money) -> Option<f64> {
    (part + rest > Money::ZERO).then(|| part.dollars() / (part + rest).dollars())
}
