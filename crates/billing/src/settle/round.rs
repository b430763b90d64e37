//! The order in which commitments are applied to the usage of an hour.

use std::cmp::Reverse;

use crate::account::Account;
use crate::commitment::{Benefit, Commitment, CommitmentStage};
use crate::terms::{AccountTerms, Sharing};
use crate::units::Id;

use super::coverage::ProductCoverage;

/// A commitment at its turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) commitment: Id<Commitment>,
    /// What it covers.
    pub(super) coverage: Id<ProductCoverage>,
    /// Whether only the account that bought it has its turn, or all of its scope.
    pub(super) own: bool,
    /// Whether it is a plan like the one before it in its round: the same prices for the same
    /// accounts.
    pub(super) is_twin: bool,
}

impl Step {
    /// Whether it is the turn of that account.
    #[inline]
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
#[derive(Debug)]
pub(super) struct Round {
    key: RoundKey,
    pub(super) steps: Vec<Step>,
}

/// All rounds, in order.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    rounds: Vec<Round>,
}

impl Rounds {
    /// A commitment is added, the last of the terms, with what it covers.
    pub(super) fn buy(
        &mut self,
        terms: &AccountTerms,
        id: Id<Commitment>,
        coverage: Id<ProductCoverage>,
    ) {
        for (key, step) in steps(terms, id, coverage) {
            let at = self.rounds.binary_search_by_key(&key, |round| round.key);
            let at = at.unwrap_or_else(|at| {
                self.rounds.insert(at, Round { key, steps: Vec::new() });
                at
            });
            add_step(terms, &mut self.rounds[at].steps, step);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Round> {
        self.rounds.iter()
    }
}

/// Adds a step to those of a round. A plan stands behind those of the same prices, in the same currency,
/// for the same accounts.
fn add_step(terms: &AccountTerms, steps: &mut Vec<Step>, step: Step) {
    let whom = |step: &Step| {
        let held = &terms.commitments[step.commitment];
        (if step.own { held.owner } else { held.scope }, held.currency)
    };
    let alike = |other: &Step| other.coverage == step.coverage && whom(other) == whom(&step);
    let last = match terms.commitments[step.commitment].benefit {
        Benefit::Reserved { .. } => None,
        Benefit::Spending { .. } => steps.iter().rposition(alike),
    };
    match last {
        Some(last) => steps.insert(last + 1, Step { is_twin: true, ..step }),
        None => steps.push(step),
    }
}

/// Turns of a commitment.
fn steps(
    terms: &AccountTerms,
    id: Id<Commitment>,
    coverage: Id<ProductCoverage>,
) -> impl Iterator<Item = (RoundKey, Step)> + use<> {
    let commitment = &terms.commitments[id];
    let any = RoundKey {
        stage: commitment.stage(),
        longest_first: Reverse(0),
        narrowest_first: Reverse(0),
        others: false,
    };
    let step = |own| Step { commitment: id, coverage, own, is_twin: false };
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
