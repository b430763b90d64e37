//! The difference in cost between two policies as controllers take it apart: volume, mix and price
//! of what was bought, and what the terms of the account change. Whole nano-dollars that sum.

use std::collections::BTreeMap;

use crate::experiment::measurement::Measurement;
use crate::experiment::spending::ProductSpending;

/// Effects of one product. With c its cost at list prices, q its quantity, Q that of all products of
/// its service at its provider, before (0) and now (1):
///
/// - volume = c0 (Q1 / Q0 - 1): the same mix at the same prices, but more or less of it;
/// - mix = c0 q1 / q0 - c0 - volume: other products, at the prices before;
/// - price = c1 - c0 q1 / q0: the same quantity at other prices.
///
/// A product that was not bought before has no price before: its cost is mix; where nothing of its
/// service was, it is volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductEffect {
    /// What was bought under the baseline, summed over all replications.
    pub base: ProductSpending,
    /// What is bought now.
    pub now: ProductSpending,
    /// More or less is bought.
    pub volume: i128,
    /// Other products are bought.
    pub mix: i128,
    /// The same costs more or less.
    pub price: i128,
}

/// Difference in what the terms of an account change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermsEffect {
    /// Provider.
    pub provider: String,
    /// Kind of cost: `commitment`, `covered`, `discount` or `kept`.
    pub kind: String,
    /// Nano-dollars more than the baseline.
    pub nanos: i128,
}

/// All effects of a policy against the baseline, summed over the replications. They sum to the
/// difference in cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CostEffects {
    /// By provider, service and product.
    pub products: Vec<ProductEffect>,
    /// By provider and kind.
    pub terms: Vec<TermsEffect>,
}

impl CostEffects {
    /// Volume, mix, price and terms, in all.
    pub fn sums(&self) -> [i128; 4] {
        let mut sums = [0; 4];
        for one in &self.products {
            sums[0] += one.volume;
            sums[1] += one.mix;
            sums[2] += one.price;
        }
        sums[3] = self.terms.iter().map(|one| one.nanos).sum();
        sums
    }
}

/// The effects of `other` against `base`.
pub(super) fn effects(base: &[Measurement], other: &[Measurement]) -> CostEffects {
    let mut products: BTreeMap<[&str; 3], [ProductSpending; 2]> = BTreeMap::new();
    let mut services: BTreeMap<[&str; 2], [i128; 2]> = BTreeMap::new();
    let mut terms: BTreeMap<[&str; 2], i128> = BTreeMap::new();
    for (side, all) in [base, other].into_iter().enumerate() {
        for bought in all.iter().flat_map(|one| &one.spending) {
            let key = [&bought.provider, &bought.service, &bought.product].map(String::as_str);
            let none = || ProductSpending { quantity: 0, nanos: 0, ..bought.clone() };
            let sums = &mut products.entry(key).or_insert_with(|| [none(), none()])[side];
            sums.quantity += bought.quantity;
            sums.nanos += bought.nanos;
            services.entry([key[0], key[1]]).or_default()[side] += bought.quantity;
        }
        let sign = if side == 0 { -1 } else { 1 };
        for part in all.iter().flat_map(|one| &one.parts).filter(|part| is_of_terms(&part.kind)) {
            *terms.entry([&part.provider, &part.kind]).or_default() += sign * part.nanos;
        }
    }
    let effect = |([provider, service, _], [base, now]): ([&str; 3], [ProductSpending; 2])| {
        ProductEffect::of(base, now, services[&[provider, service]])
    };
    let changed = |one: &ProductEffect| [one.volume, one.mix, one.price] != [0; 3];
    let terms = terms.into_iter().filter(|(_, nanos)| *nanos != 0);
    CostEffects {
        products: products.into_iter().map(effect).filter(changed).collect(),
        terms: terms
            .map(|([provider, kind], nanos)| TermsEffect {
                provider: provider.to_owned(),
                kind: kind.to_owned(),
                nanos,
            })
            .collect(),
    }
}

/// Whether a kind of cost is none of what was bought, but of terms.
fn is_of_terms(kind: &str) -> bool {
    crate::metrics::AdjustmentKind::ALL.iter().any(|known| known.name() == kind)
}

impl ProductEffect {
    fn of(base: ProductSpending, now: ProductSpending, [before, after]: [i128; 2]) -> Self {
        let (cost, paid) = (base.nanos, now.nanos);
        let at_old_prices = match base.quantity {
            0 => paid,
            quantity => part_of(cost, now.quantity, quantity),
        };
        let volume = match before {
            0 => at_old_prices - cost,
            before => part_of(cost, after - before, before),
        };
        let (mix, price) = (at_old_prices - cost - volume, paid - at_old_prices);
        Self { base, now, volume, mix, price }
    }
}

/// `amount` times `part` over `whole`, to the nearest nano-dollar.
fn part_of(amount: i128, part: i128, whole: i128) -> i128 {
    (2 * amount * part + whole).div_euclid(2 * whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bought(product: &str, quantity: i128, nanos: i128) -> ProductSpending {
        let [provider, service] = ["aws", "machines"].map(str::to_owned);
        ProductSpending { provider, service, product: product.to_owned(), quantity, nanos }
    }

    fn effect(base: (i128, i128), now: (i128, i128), all: [i128; 2]) -> [i128; 3] {
        let found = ProductEffect::of(bought("p", base.0, base.1), bought("p", now.0, now.1), all);
        [found.volume, found.mix, found.price]
    }

    /// The schoolbook case: 100 of A at 10 and 100 of B at 20 become 60 of A at 11 and 180 of B at 19.
    /// A fifth more is bought: 200 and 400. A would have been 120 and is 60: -600; B would have been
    /// 120 and is 180: 1,200. A costs 60 more for its price, B 180 less. In all 4,080 - 3,000.
    #[test]
    fn volume_mix_and_price_are_told_apart() {
        let [a, b] = [
            effect((100, 1_000), (60, 660), [200, 240]),
            effect((100, 2_000), (180, 3_420), [200, 240]),
        ];
        assert_eq!(a, [200, -600, 60]);
        assert_eq!(b, [400, 1_200, -180]);
        assert_eq!(a.iter().chain(&b).sum::<i128>(), 660 + 3_420 - 3_000);
    }

    #[test]
    fn what_is_new_is_mix_and_a_new_service_is_volume() {
        assert_eq!(effect((0, 0), (10, 70), [100, 110]), [0, 70, 0]);
        assert_eq!(effect((0, 0), (10, 70), [0, 10]), [70, 0, 0]);
        // A product that is given up, while another takes its place; and a service that is.
        assert_eq!(effect((50, 500), (0, 0), [100, 100]), [0, -500, 0]);
        assert_eq!(effect((50, 500), (0, 0), [50, 0]), [-500, 0, 0]);
        // Machines that cost nothing before.
        assert_eq!(effect((5, 0), (5, 9), [5, 5]), [0, 0, 9]);
    }

    proptest::proptest! {
        #[test]
        fn effects_sum_to_the_difference(
            rows in proptest::collection::vec((0..1_000_i128, 0..1_000_i128, 0..1_000_i128, 0..1_000_i128), 1..6),
        ) {
            let all = [rows.iter().map(|row| row.0).sum(), rows.iter().map(|row| row.2).sum()];
            for (q0, c0, q1, c1) in rows {
                let (c0, c1) = (if q0 == 0 { 0 } else { c0 }, if q1 == 0 { 0 } else { c1 });
                let sum: i128 = effect((q0, c0), (q1, c1), all).iter().sum();
                proptest::prop_assert_eq!(sum, c1 - c0);
            }
        }
    }
}
