//! Rents from all offers evenly.

use super::ProvisionPart;
use super::demand::{OfferChoice, OnDemand, RENT, Search};
use super::ranking::{Quote, RankedOffer};
use crate::part::Part;
use crate::policy::turn::Turn;

/// Rents from all offers evenly.
pub static DIVERSIFIED: ProvisionPart = Part {
    name: "diversified",
    doc: "Rents instance by instance from the offer of which fewest are rented, then the lowest expected cost, so that the loss of one pool takes little.",
    parameters: RENT,
    make: |settings| Box::new(OnDemand::new(Diversified, settings)),
};

/// The offer with the fewest instances, then the lowest cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Diversified;

impl OfferChoice for Diversified {
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        let live = |one: &RankedOffer| turn.offer(one.offer).live;
        let key = |&(one, quote): &(&RankedOffer, Quote)| {
            (live(one), quote.cost, quote.instances, one.offer)
        };
        search.quotes(turn).min_by_key(key)
    }

    fn rents_singly(&self) -> bool {
        true
    }
}
