//! The order in which commitments are applied to the usage of an hour.

use std::cmp::Reverse;
use std::ops::ControlFlow;

use crate::account::Account;
use crate::commitment::{Benefit, Commitment, CommitmentStage, PlanPrice};
use crate::terms::{AccountTerms, Sharing};
use crate::units::Id;
use crate::usage::Product;

/// A commitment at its turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) commitment: Id<Commitment>,
    /// Whether only the account that bought it has its turn, or all of its scope.
    pub(super) own: bool,
    /// Whether it is a plan like the one before it in its round: the same prices for the same
    /// accounts.
    pub(super) is_twin: bool,
}

impl Step {
    /// Whether it is the turn of that account.
    pub(super) fn serves(
        self,
        held: &Commitment,
        account: Id<Account>,
        terms: &AccountTerms,
    ) -> bool {
        match self.own {
            true => account == held.owner,
            false => terms.accounts.within(account, held.scope),
        }
    }
}

/// Place of a round among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RoundKey {
    stage: CommitmentStage,
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

/// A product that a commitment covers, and its price under a plan.
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

/// All rounds, in order, and the products of each commitment, the smallest first.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    rounds: Vec<Round>,
    /// By commitment.
    products: Vec<Vec<CoveredProduct>>,
    /// Whether a product was added since they were sorted.
    is_unsorted: bool,
    /// By product, whether any commitment covers it.
    covered: Vec<bool>,
}

impl Rounds {
    pub(super) fn of(terms: &AccountTerms) -> Self {
        let steps =
            terms.commitments.iter().flat_map(|(id, commitment)| steps(terms, id, commitment));
        let mut keyed: Vec<(RoundKey, Step)> = steps.collect();
        keyed.sort_by_key(|(key, step)| (*key, step.commitment));
        let rounds = keyed
            .chunk_by(|a, b| a.0 == b.0)
            .map(|group| Round { steps: twins_together(terms, group.iter().map(|row| row.1)) });
        Self {
            rounds: rounds.collect(),
            products: terms.commitments.iter().map(|_| Vec::new()).collect(),
            is_unsorted: false,
            covered: Vec::new(),
        }
    }

    /// A product is added, as the one of that number.
    pub(super) fn product(&mut self, terms: &AccountTerms, row: usize, product: &Product) {
        let id = Id::new(row as u32);
        let mut covered = false;
        for (commitment, held) in terms.commitments.iter() {
            if held.covers(product) {
                let (weight, price) = (product.weight, held.plan_price(product));
                let known = CoveredProduct { weight, product: id, price };
                self.products[commitment.row()].push(known);
                covered = true;
            }
        }
        self.is_unsorted |= covered;
        self.covered.push(covered);
    }

    /// Sorts what was added.
    pub(super) fn sort(&mut self) {
        if std::mem::take(&mut self.is_unsorted) {
            for products in &mut self.products {
                products.sort_by_key(CoveredProduct::key);
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Round> {
        self.rounds.iter()
    }

    /// Visits those of `touched` that a commitment covers, the smallest first, as `touched` is.
    pub(super) fn reach(
        &self,
        commitment: Id<Commitment>,
        touched: &[(u64, Id<Product>)],
        mut visit: impl FnMut(CoveredProduct) -> ControlFlow<()>,
    ) {
        let all = self.products[commitment.row()].as_slice();
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

    /// Whether any commitment covers it.
    pub(super) fn is_covered(&self, product: Id<Product>) -> bool {
        self.covered[product.row()]
    }
}

/// The steps of a round, plans that are alike next to each other.
fn twins_together(terms: &AccountTerms, steps: impl Iterator<Item = Step>) -> Vec<Step> {
    let alike = |a: Step, b: Step| {
        let [one, other] = [a, b].map(|step| &terms.commitments[step.commitment]);
        let whom = |held: &Commitment| if a.own { held.owner } else { held.scope };
        match (&one.benefit, &other.benefit) {
            (Benefit::Spending { rates, .. }, Benefit::Spending { rates: others, .. }) => {
                whom(one) == whom(other) && one.provider == other.provider && rates == others
            }
            (Benefit::Reserved { .. }, _) | (_, Benefit::Reserved { .. }) => false,
        }
    };
    let mut kinds: Vec<Vec<Step>> = Vec::new();
    for step in steps {
        match kinds.iter_mut().find(|kind| alike(kind[0], step)) {
            Some(kind) => kind.push(Step { is_twin: true, ..step }),
            None => kinds.push(vec![step]),
        }
    }
    kinds.concat()
}

/// Turns of a commitment.
fn steps(
    terms: &AccountTerms,
    id: Id<Commitment>,
    commitment: &Commitment,
) -> impl Iterator<Item = (RoundKey, Step)> + use<> {
    let any = RoundKey {
        stage: commitment.stage(),
        longest_first: Reverse(0),
        narrowest_first: Reverse(0),
        others: false,
    };
    let step = |own| Step { commitment: id, own, is_twin: false };
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
