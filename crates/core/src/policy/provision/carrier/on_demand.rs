//! On demand from the first moment on.

use super::{CARRY, Conduct, SpotCarrier};
use crate::model::Market;
use crate::part::Part;
use crate::policy::provision::ProvisionPart;
use crate::policy::spot::OnDemandOnly;
use crate::units::Span;

/// Rents each job on demand.
pub static ON_DEMAND: ProvisionPart = Part {
    name: "on-demand",
    doc: "Rents each job its own instances on demand, where it is cheapest: what the other spot policies are measured by.",
    parameters: CARRY,
    make: |settings| {
        let conduct = Conduct {
            make: |_, _| Box::new(OnDemandOnly),
            pace: Span::ZERO,
            markets: &[Market::OnDemand],
            has_net: false,
        };
        Box::new(SpotCarrier::new(conduct, None, settings))
    },
};
