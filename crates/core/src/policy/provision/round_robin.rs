//! Rents from the next provider in turn.

use super::ProvisionPart;
use super::demand::{OfferChoice, OnDemand, RENT, Search};
use super::ranking::{Quote, RankedOffer};
use crate::model::Provider;
use crate::part::Part;
use crate::policy::turn::Turn;
use crate::units::Id;

/// Rents from the next provider in turn.
pub static ROUND_ROBIN: ProvisionPart = Part {
    name: "round-robin",
    doc: "Rents from the next provider in turn, cheapest within it.",
    parameters: RENT,
    make: |settings| Box::new(OnDemand::new(RoundRobin::default(), settings)),
};

/// The next provider in turn, cheapest within it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RoundRobin {
    /// Row of the provider whose turn it is.
    next: usize,
}

impl OfferChoice for RoundRobin {
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        let providers = &search.ranking.providers;
        let first = providers.partition_point(|provider| provider.row() < self.next);
        let in_turn = providers[first..].iter().chain(&providers[..first]);
        in_turn.copied().find_map(|provider| search.cheapest(turn, Some(provider)))
    }

    /// The next provider's turn comes after this one.
    fn rented(&mut self, provider: Id<Provider>) {
        self.next = provider.row() + 1;
    }
}
