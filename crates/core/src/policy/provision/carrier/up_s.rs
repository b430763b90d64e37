//! UP(S): Uniform Progress that goes to the cheapest zone elsewhere.

use super::{CARRY, Conduct, SpotCarrier};
use crate::model::Market;
use crate::part::Part;
use crate::policy::provision::ProvisionPart;
use crate::policy::spot::UpCheapest;
use crate::units::Span;

/// Uniform Progress that goes to the cheapest spot of another region.
pub static UP_S: ProvisionPart = Part {
    name: "up-s",
    doc: "Uniform Progress over zones: spot is tried by price, the region held last comes last (UP(S) of SkyNomad, NSDI 2027).",
    parameters: CARRY,
    make: |settings| {
        let conduct = Conduct {
            make: |_, _| Box::new(UpCheapest::default()),
            pace: Span::ZERO,
            markets: &[Market::OnDemand, Market::Spot],
            has_net: true,
        };
        Box::new(SpotCarrier::new(conduct, None, settings))
    },
};
