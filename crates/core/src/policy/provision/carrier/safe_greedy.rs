//! Greedy with a safety net (Wu et al., NSDI 2024).

use super::{CARRY_ZONED, Conduct, SpotCarrier, ZoneOrder};
use crate::model::Market;
use crate::part::Part;
use crate::policy::provision::ProvisionPart;
use crate::policy::spot::SafeGreedy;
use crate::units::Span;

/// Rents each job spot while there is time, then on demand.
pub static SAFE_GREEDY: ProvisionPart = Part {
    name: "safe-greedy",
    doc: "Rents each job spot where there is any, waits where there is none, and takes on demand when its deadline can only just be kept (Wu et al., NSDI 2024).",
    parameters: CARRY_ZONED,
    make: |settings| {
        let conduct = Conduct {
            make: |_, _| Box::new(SafeGreedy::default()),
            pace: Span::ZERO,
            markets: &[Market::OnDemand, Market::Spot],
            has_net: true,
        };
        Box::new(SpotCarrier::new(conduct, Some(ZoneOrder::new(settings)), settings))
    },
};
