//! Machines that are taken apart: their usage is that of so many cores and so many GiB, which sum to it.

use crate::commitment::Benefit;
use crate::parts::{MachineParts, PART_WORDS};
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

/// A part of a machine.
#[derive(Clone, Debug)]
pub(super) struct MachinePart {
    pub(super) machine: Product,
    pub(super) made: MachineParts,
    /// Its place among the parts.
    pub(super) part: usize,
}

/// Why a machine is not taken apart, though something is committed of its cores or memory, which
/// does not cover it then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeptWhole {
    /// What it is made of, or the price of a core and a GiB there, is not known.
    Unknown,
    /// A commitment of whole machines is for it too.
    Committed,
    /// It is priced by the quantity of the month.
    Tiered,
}

impl KeptWhole {
    /// The same in words.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Unknown => {
                "of how many whole cores and GiB it is, or what they cost there, is not known"
            }
            Self::Committed => "a commitment of whole machines is for it too",
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
        let products = [0, 1].map(|part| {
            let of = MachinePart { machine: whole.clone(), made, part };
            self.add_product(whole.part(PART_WORDS[part]), Some(of))
        });
        self.apart[machine.row()] = Some(ApartMachine { products, made });
    }

    /// Machines that are not taken apart, though something is committed of their cores or memory.
    pub fn kept_whole(&self) -> Vec<(&Product, KeptWhole)> {
        let all = self.products.iter().filter(|(id, _)| self.apart[id.row()].is_none());
        all.filter_map(|(id, product)| Some((product, self.why_whole(id, product)?))).collect()
    }

    fn why_whole(&self, id: Id<Product>, product: &Product) -> Option<KeptWhole> {
        let parts = PART_WORDS.map(|word| product.part(word));
        let mut held = self.terms.commitments.rows().iter().filter(|held| match held.benefit {
            Benefit::Reserved { .. } => held.provider == product.provider,
            Benefit::Spending { .. } => false,
        });
        if !held.clone().any(|held| parts.iter().any(|part| held.covers(part))) {
            return None;
        }
        Some(match held.any(|held| held.covers(product)) {
            _ if self.tiers.tables_of(id).is_some() => KeptWhole::Tiered,
            true => KeptWhole::Committed,
            false => KeptWhole::Unknown,
        })
    }
}
