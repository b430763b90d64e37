//! Rents the lowest expected cost of the job.

use super::ProvisionPart;
use super::demand::{OfferChoice, OnDemand, RENT, Search};
use super::ranking::{Quote, RankedOffer};
use crate::part::Part;
use crate::policy::turn::Turn;

/// Rents the lowest expected cost of the job.
pub static CHEAPEST: ProvisionPart = Part {
    name: "cheapest",
    doc: "Rents the lowest expected cost of the job: instances, boot and data. Work without an estimate is priced as one hour.",
    parameters: RENT,
    make: |settings| Box::new(OnDemand::new(Cheapest, settings)),
};

/// The lowest expected cost of the job: instances for the estimate and the boot, and moving its
/// data. One hour where there is no estimate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cheapest;

impl OfferChoice for Cheapest {
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        search.cheapest(turn, None)
    }
}
