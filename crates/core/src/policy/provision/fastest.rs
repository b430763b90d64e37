//! Rents the earliest expected end of the job.

use super::ProvisionPart;
use super::demand::{OfferChoice, OnDemand, RENT, Search};
use super::ranking::{Quote, RankedOffer};
use crate::part::Part;
use crate::policy::turn::Turn;

/// Rents the earliest expected end of the job.
pub static FASTEST: ProvisionPart = Part {
    name: "fastest",
    doc: "Rents the earliest expected end: boot, data and runtime.",
    parameters: RENT,
    make: |settings| Box::new(OnDemand::new(Fastest, settings)),
};

/// The earliest expected end: boot, data, estimate over speed. Ties go to the lower cost, then to
/// the fewest instances, then to the lower offer id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fastest;

impl OfferChoice for Fastest {
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        search
            .quotes(turn)
            .min_by_key(|(one, quote)| (quote.end, quote.cost, quote.instances, one.offer))
    }

    fn weighs_price(&self) -> bool {
        false
    }
}
