//! Spot, whatever becomes of the deadline.

use super::{CARRY_ZONED, Conduct, SpotCarrier, ZoneOrder};
use crate::model::Market;
use crate::part::Part;
use crate::policy::provision::ProvisionPart;
use crate::policy::spot::SpotOnly;
use crate::units::Span;

/// Rents each job on spot alone.
pub static SPOT: ProvisionPart = Part {
    name: "spot",
    doc: "Rents each job its own spot instances, and waits where no zone has any, whatever becomes of its deadline.",
    parameters: CARRY_ZONED,
    make: |settings| {
        let conduct = Conduct {
            make: |_, _| Box::new(SpotOnly),
            pace: Span::ZERO,
            markets: &[Market::Spot],
            has_net: false,
        };
        Box::new(SpotCarrier::new(conduct, Some(ZoneOrder::new(settings)), settings))
    },
};
