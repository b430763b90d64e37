//! Rents where most could be launched.

use super::ProvisionPart;
use super::demand::{OfferChoice, OnDemand, RENT, Search};
use super::ranking::{Quote, RankedOffer};
use crate::part::Part;
use crate::policy::turn::Turn;

/// Rents where most could be launched.
pub static CAPACITY_OPTIMISED: ProvisionPart = Part {
    name: "capacity-optimised",
    doc: "Rents from the deepest pool: the offer of which most launches would be accepted now for each that the job needs, then the lowest expected cost (as EC2 Fleet's strategy of that name).",
    parameters: RENT,
    make: |settings| Box::new(OnDemand::new(CapacityOptimised, settings)),
};

/// The deepest pool, then the lowest cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct CapacityOptimised;

impl OfferChoice for CapacityOptimised {
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        let key = |&(one, quote): &(&RankedOffer, Quote)| {
            (std::cmp::Reverse(depth(turn, one, quote)), quote.cost, quote.instances, one.offer)
        };
        search.quotes(turn).min_by_key(key)
    }
}

/// Launches that would be accepted now over those that are needed, in thousandths, rounded down;
/// `u64::MAX` where there is no limit.
pub(super) fn depth(turn: &Turn<'_, '_>, one: &RankedOffer, quote: Quote) -> u64 {
    let room = turn.launch_room(one.offer).0;
    if room == u64::MAX {
        return room;
    }
    room.saturating_mul(1_000) / u64::from(quote.instances.max(1))
}
