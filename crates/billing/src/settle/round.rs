//! The order in which commitments are applied to the usage of an hour.

use std::cmp::Reverse;

use crate::commitment::{Benefit, Commitment, Stage};
use crate::terms::{Sharing, Terms};
use crate::units::Id;
use crate::usage::Product;

/// A commitment at its turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) commitment: Id<Commitment>,
    /// Whether only the account that bought it has its turn, or all of its scope.
    pub(super) own: bool,
}

/// Place of a round among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RoundKey {
    stage: Stage,
    longest_first: Reverse<i64>,
    narrowest_first: Reverse<u32>,
    others: bool,
}

/// Commitments that are applied together: reservations one after the other, plans by what they
/// save.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) steps: Vec<Step>,
}

/// All rounds, in order, and the products of each commitment, the smallest first.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    keyed: Vec<(RoundKey, Step)>,
    rounds: Vec<Round>,
    /// By commitment: weight and product.
    products: Vec<Vec<(u64, Id<Product>)>>,
    /// By product, whether any commitment covers it.
    covered: Vec<bool>,
}

impl Rounds {
    pub(super) fn of(terms: &Terms) -> Self {
        let keyed =
            terms.commitments.iter().flat_map(|(id, commitment)| steps(terms, id, commitment));
        Self {
            keyed: keyed.collect(),
            rounds: Vec::new(),
            products: terms.commitments.iter().map(|_| Vec::new()).collect(),
            covered: Vec::new(),
        }
    }

    /// Puts the rounds into order.
    pub(super) fn sort(&mut self) {
        self.keyed.sort_by_key(|(key, step)| (*key, step.commitment));
        for group in self.keyed.chunk_by(|a, b| a.0 == b.0) {
            self.rounds.push(Round { steps: group.iter().map(|(_, step)| *step).collect() });
        }
    }

    /// A product is added, as the one of that number.
    pub(super) fn product(&mut self, terms: &Terms, row: usize, product: &Product) {
        let id = Id::new(row as u32);
        let mut covered = false;
        for (commitment, held) in terms.commitments.iter() {
            if held.covers(product) {
                let products = &mut self.products[commitment.row()];
                let place = products.partition_point(|known| *known < (product.weight, id));
                products.insert(place, (product.weight, id));
                covered = true;
            }
        }
        self.covered.push(covered);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Round> {
        self.rounds.iter()
    }

    /// Products of a commitment, the smallest first.
    pub(super) fn products(&self, commitment: Id<Commitment>) -> &[(u64, Id<Product>)] {
        &self.products[commitment.row()]
    }

    /// Whether any commitment covers it.
    pub(super) fn is_covered(&self, product: Id<Product>) -> bool {
        self.covered[product.row()]
    }
}

/// Turns of a commitment.
fn steps(
    terms: &Terms,
    id: Id<Commitment>,
    commitment: &Commitment,
) -> impl Iterator<Item = (RoundKey, Step)> + use<> {
    let any = RoundKey {
        stage: commitment.stage(),
        longest_first: Reverse(0),
        narrowest_first: Reverse(0),
        others: false,
    };
    let step = |own| Step { commitment: id, own };
    let turns = match terms.sharing(id) {
        Sharing::OwnerFirst => {
            [Some((any, step(true))), Some((RoundKey { others: true, ..any }, step(false)))]
        }
        Sharing::NarrowestFirst => {
            let longest = match commitment.benefit {
                Benefit::Reserved { .. } => 0,
                Benefit::Spending { .. } => commitment.hours(),
            };
            let depth = terms.accounts.depth(commitment.scope);
            let key = RoundKey {
                longest_first: Reverse(longest),
                narrowest_first: Reverse(depth),
                ..any
            };
            [Some((key, step(false))), None]
        }
    };
    turns.into_iter().flatten()
}
