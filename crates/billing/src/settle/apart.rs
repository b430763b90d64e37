//! Machines that are taken apart: their usage is that of so many cores and so many GiB, which sum to it.

use crate::commitment::{Benefit, Matching};
use crate::parts::{MachinePart, MachineParts, PART_WORDS};
use crate::units::Id;
use crate::usage::Product;

use super::Biller;

/// A machine that is taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct ApartMachine {
    /// Its cores and its memory.
    pub(super) products: [Id<Product>; 2],
    pub(super) made: MachineParts,
}

/// Why a machine is not taken apart, though something is committed of its cores or memory, which
/// does not cover it then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeptWhole {
    /// What it is made of, or the price of a core and a GiB there, is not known.
    Unknown,
    /// Whole machines of its family are committed in its region, of whatever zone, account and time.
    Committed,
    /// It is priced by the quantity of the month.
    Tiered,
}

impl KeptWhole {
    /// The same in words.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Unknown => {
                "of how many whole cores and GiB it is, or what they cost there, is not known, or whole machines of its family are for sale there"
            }
            Self::Committed => "whole machines of its family are committed in its region too",
            Self::Tiered => "it is priced by the quantity of the month",
        }
    }
}

impl Biller {
    /// Adds the parts of a machine that is taken apart.
    pub(super) fn take_apart(&mut self, machine: Id<Product>) {
        let whole = self.products[machine].clone();
        if self.tiers.tables_of(machine).is_some() {
            return;
        }
        let Some(made) = self.terms.parts_of(&whole) else { return };
        let products = MachinePart::both(&whole, made).map(|part| self.part(part));
        self.apart[machine.row()] = Some(ApartMachine { products, made });
    }

    /// Adds a part of a machine, of which usage is the machine's.
    pub fn part(&mut self, part: MachinePart) -> Id<Product> {
        self.add_product(part.product(), Some(part))
    }

    /// The part of a machine that a product is, if it is one.
    pub fn part_of(&self, product: Id<Product>) -> Option<&MachinePart> {
        self.coverages.part_of(product)
    }

    /// Machines that are not taken apart, though something is committed of their cores or memory.
    pub fn kept_whole(&self) -> Vec<(&Product, KeptWhole)> {
        let all = self.products.iter().filter(|(id, _)| self.apart[id.row()].is_none());
        all.filter_map(|(id, product)| Some((product, self.why_whole(id, product)?))).collect()
    }

    fn why_whole(&self, id: Id<Product>, product: &Product) -> Option<KeptWhole> {
        let parts = PART_WORDS.map(|word| product.part(word));
        let held = self.terms.commitments.rows().iter().filter_map(|held| match &held.benefit {
            Benefit::Reserved { matching, .. } => Some((&held.provider, matching)),
            Benefit::Spending { .. } => None,
        });
        let mut held = held.filter(|(provider, _)| **provider == product.provider);
        let of_parts = |matching: &Matching| parts.iter().any(|part| matching.covers(part));
        if !held.clone().any(|(_, matching)| of_parts(matching)) {
            return None;
        }
        let of_machines = |matching: &Matching| {
            let family = Some(product.family.as_str());
            let of_size = |size: &str| size.split_once('-').map(|(family, _)| family) == family;
            !of_parts(matching)
                && matching.region.as_ref().is_none_or(|region| *region == product.region)
                && (matching.families.iter().flatten().any(|name| Some(name.as_str()) == family)
                    || matching.size.as_deref().is_some_and(of_size))
        };
        Some(match held.any(|(_, matching)| of_machines(matching)) {
            _ if self.tiers.tables_of(id).is_some() => KeptWhole::Tiered,
            true => KeptWhole::Committed,
            false => KeptWhole::Unknown,
        })
    }
}
