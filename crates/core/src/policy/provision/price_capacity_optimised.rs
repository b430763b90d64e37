//! Rents the cheapest of the offers that are deep enough.

use super::ProvisionPart;
use super::capacity_optimised::depth;
use super::demand::{OfferChoice, OnDemand, RENT, Search};
use super::ranking::{Quote, RankedOffer};
use crate::part::Part;
use crate::policy::turn::Turn;

/// Depth from which on more is no better: sixteen times what is needed.
const DEEP: u32 = 4;

/// Rents the cheapest of the offers that are deep enough.
pub static PRICE_CAPACITY_OPTIMISED: ProvisionPart = Part {
    name: "price-capacity-optimised",
    doc: "Rents the lowest expected cost among the deepest pools. Depth, as of `capacity-optimised`, counts in doublings: as much as the job needs, twice, four, eight and sixteen times or more (as EC2 Fleet's strategy of that name, whose buckets are not published).",
    parameters: RENT,
    make: |settings| Box::new(OnDemand::new(PriceCapacityOptimised, settings)),
};

/// The lowest cost in the top bucket of depth.
#[derive(Clone, Copy, Debug)]
pub(super) struct PriceCapacityOptimised;

/// Doublings of what is needed, from 0 to [`DEEP`].
fn bucket(depth: u64) -> u32 {
    (depth / 1_000).checked_ilog2().unwrap_or(0).min(DEEP)
}

impl OfferChoice for PriceCapacityOptimised {
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        let key = |&(one, quote): &(&RankedOffer, Quote)| {
            let bucket = bucket(depth(turn, one, quote));
            (std::cmp::Reverse(bucket), quote.cost, quote.instances, one.offer)
        };
        search.quotes(turn).min_by_key(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_in_doublings() {
        let table = [(0, 0), (999, 0), (1_999, 0), (2_000, 1), (7_999, 2), (8_000, 3), (15_999, 3)];
        assert_eq!(table.map(|(depth, _)| bucket(depth)), table.map(|(_, bucket)| bucket));
        assert_eq!([16_000, 64_000, u64::MAX].map(bucket), [4; 3]);
    }
}
