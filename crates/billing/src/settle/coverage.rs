//! Which products commitments cover. Commitments that are for the same products share what is known
//! of them, and a product that is first named is held only against those that may be for it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::commitment::{Benefit, Matching, PlanPrice};
use crate::parts::MachinePart;
use crate::units::{Id, IdVec};
use crate::usage::Product;

/// A product that something covers, and its price under a plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct CoveredProduct {
    pub(super) weight: u64,
    pub(super) product: Id<Product>,
    pub(super) price: Option<PlanPrice>,
}

impl CoveredProduct {
    const fn key(&self) -> (u64, Id<Product>) {
        (self.weight, self.product)
    }
}

/// What some commitments of a provider cover.
#[derive(Debug)]
pub(super) struct ProductCoverage {
    provider: String,
    /// The benefit, of nothing.
    benefit: Benefit,
    products: Vec<CoveredProduct>,
    /// Whether one was added since they were sorted.
    is_unsorted: bool,
}

/// A word that all products have that a rule is for: the rarest that it names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum CoverageWord {
    Size(String),
    Family(String),
    Region(String),
    Any,
}

impl CoverageWord {
    /// One of these is a word of any product that the rule is for.
    fn of(matching: &Matching) -> Vec<Self> {
        match (&matching.size, &matching.families, &matching.region) {
            (Some(size), _, _) => vec![Self::Size(size.clone())],
            (None, Some(families), _) => families.iter().cloned().map(Self::Family).collect(),
            (None, None, Some(region)) => vec![Self::Region(region.clone())],
            (None, None, None) => vec![Self::Any],
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Coverages {
    rows: IdVec<ProductCoverage>,
    ids: BTreeMap<(String, Benefit), Id<ProductCoverage>>,
    /// By provider and word, those of which a rule has it.
    by_word: BTreeMap<(String, CoverageWord), Vec<Id<ProductCoverage>>>,
    unsorted: Vec<Id<ProductCoverage>>,
    /// By product, whether anything covers it.
    covered: Vec<bool>,
    /// Products that are parts of machines.
    parts: BTreeMap<Id<Product>, MachinePart>,
}

impl Coverages {
    /// The coverage of a benefit at that provider.
    pub(super) fn of(
        &mut self,
        provider: &str,
        benefit: &Benefit,
        products: &IdVec<Product>,
    ) -> Id<ProductCoverage> {
        let benefit = benefit.of_nothing();
        let key = (provider.to_owned(), benefit);
        if let Some(known) = self.ids.get(&key) {
            return *known;
        }
        let (provider, benefit) = key.clone();
        let id = Id::new(self.rows.len() as u32);
        for word in words(&benefit) {
            self.by_word.entry((provider.clone(), word)).or_default().push(id);
        }
        self.rows.push(ProductCoverage {
            provider,
            benefit,
            products: Vec::new(),
            is_unsorted: false,
        });
        self.ids.insert(key, id);
        for (row, product) in products.iter() {
            self.know(id, row, product);
        }
        id
    }

    /// Whether nothing that was added is covered by a benefit at that provider.
    pub(super) fn is_idle(&self, provider: &str, benefit: &Benefit) -> bool {
        let known = self.ids.get(&(provider.to_owned(), benefit.of_nothing()));
        known.is_none_or(|id| self.rows[*id].products.is_empty())
    }

    /// A product is added, as the one of that id, which may be a part of a machine: plans are for it as
    /// they are for the machine.
    pub(super) fn product(&mut self, id: Id<Product>, product: &Product, of: Option<MachinePart>) {
        self.covered.push(false);
        let mut candidates = self.candidates(product);
        if let Some(of) = of {
            candidates.extend(self.candidates(&of.machine));
            candidates.sort_unstable();
            candidates.dedup();
            self.parts.insert(id, of);
        }
        for coverage in candidates {
            self.know(coverage, id, product);
        }
    }

    /// The part of a machine that a product is, if it is one.
    pub(super) fn part_of(&self, product: Id<Product>) -> Option<&MachinePart> {
        self.parts.get(&product)
    }

    /// Those that may be for the product, in order.
    fn candidates(&self, product: &Product) -> Vec<Id<ProductCoverage>> {
        let words = [
            CoverageWord::Size(product.size.clone()),
            CoverageWord::Family(product.family.clone()),
            CoverageWord::Region(product.region.clone()),
            CoverageWord::Any,
        ];
        let of_machines = product.machine_family();
        let words =
            words.into_iter().chain(of_machines.map(|of| CoverageWord::Family(of.to_owned())));
        let of = |word| self.by_word.get(&(product.provider.clone(), word));
        let mut found: Vec<Id<ProductCoverage>> = words.filter_map(of).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Notes a product, where it is covered.
    fn know(&mut self, id: Id<ProductCoverage>, row: Id<Product>, product: &Product) {
        let coverage = &mut self.rows[id];
        let of = self.parts.get(&row);
        if product.provider != coverage.provider || !coverage.benefit.covers_sold(product, of) {
            return;
        }
        let price = coverage.benefit.price_sold(product, of);
        let weight = product.weight;
        coverage.products.push(CoveredProduct { weight, product: row, price });
        if !std::mem::replace(&mut coverage.is_unsorted, true) {
            self.unsorted.push(id);
        }
        self.covered[row.row()] = true;
    }

    /// Sorts what was added, the smallest first.
    pub(super) fn sort(&mut self) {
        for id in self.unsorted.drain(..) {
            let coverage = &mut self.rows[id];
            coverage.products.sort_by_key(CoveredProduct::key);
            coverage.is_unsorted = false;
        }
    }

    /// Whether anything covers it.
    pub(super) fn is_covered(&self, product: Id<Product>) -> bool {
        self.covered[product.row()]
    }

    /// Visits those of `touched` that are covered, the smallest first, as `touched` is.
    pub(super) fn reach(
        &self,
        id: Id<ProductCoverage>,
        touched: &[(u64, Id<Product>)],
        mut visit: impl FnMut(CoveredProduct) -> ControlFlow<()>,
    ) {
        let all = self.rows[id].products.as_slice();
        // Who stops early has not looked at the rest of either list. Of lists of unlike lengths the
        // shorter is walked, and the places in the other are searched.
        const FEW: usize = 16;
        if all.len() * FEW < touched.len() {
            let mut found = all.iter().filter(|known| touched.binary_search(&known.key()).is_ok());
            _ = found.try_for_each(|known| visit(*known));
        } else if touched.len() * FEW < all.len() {
            let find = |key| all.binary_search_by_key(key, CoveredProduct::key).ok();
            let mut found = touched.iter().filter_map(find);
            _ = found.try_for_each(|place| visit(all[place]));
        } else {
            let mut rest = all.iter().peekable();
            let mut found = touched.iter().filter_map(|key| {
                while rest.next_if(|known| known.key() < *key).is_some() {}
                rest.next_if(|known| known.key() == *key)
            });
            _ = found.try_for_each(|known| visit(*known));
        }
    }
}

/// Words by which the products of a benefit are found.
fn words(benefit: &Benefit) -> Vec<CoverageWord> {
    let mut words: Vec<CoverageWord> = match benefit {
        Benefit::Reserved { matching, .. } => CoverageWord::of(matching),
        Benefit::Spending { rates, .. } => {
            rates.iter().flat_map(|rate| CoverageWord::of(&rate.matching)).collect()
        }
    };
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitment::PlanRate;
    use crate::units::Money;
    use crate::usage::{Sale, Service, UsageUnit};

    fn product(family: &str, size: &str) -> Product {
        Product {
            currency: String::new(),
            provider: "aws".into(),
            service: Service::Compute,
            region: "here".into(),
            zone: "here-a".into(),
            family: family.into(),
            size: size.into(),
            system: "linux".into(),
            tenancy: "default".into(),
            sale: Sale::OnDemand,
            unit: UsageUnit::Hour,
            weight: 1_000,
        }
    }

    #[test]
    fn a_product_meets_only_what_may_be_for_it() {
        let mut coverages = Coverages::default();
        let products = IdVec::default();
        let of_family =
            |name: &str| Matching { families: Some(vec![name.into()]), ..Matching::default() };
        for weight in 0..1_000 {
            // Ten times each family, of other amounts: they are for the same products.
            let matching = of_family(&format!("m{}", weight / 10));
            coverages.of("aws", &Benefit::Reserved { matching, weight }, &products);
        }
        assert_eq!(coverages.rows.len(), 100);
        let rate = |matching| PlanRate { matching, price: PlanPrice::Share(500_000) };
        let small = Matching { size: Some("m7.small".into()), ..Matching::default() };
        let rates = vec![rate(of_family("m7")), rate(small), rate(of_family("m8"))];
        let plan = Benefit::Spending { hourly: Money::ZERO, rates };
        let plan = coverages.of("aws", &plan, &products);
        let here = Matching { region: Some("here".into()), ..Matching::default() };
        let here = Benefit::Reserved { matching: here, weight: 1 };
        let here = coverages.of("aws", &here, &products);
        let all = Benefit::Reserved { matching: Matching::default(), weight: 1 };
        let any = coverages.of("aws", &all, &products);
        let other = coverages.of("gcp", &all, &products);
        let found = coverages.candidates(&product("m7", "m7.small"));
        assert_eq!(found, [Id::new(7), plan, here, any]);
        assert!(!found.contains(&other));
        assert_eq!(coverages.candidates(&product("x", "x.small")), [here, any]);
    }
}
