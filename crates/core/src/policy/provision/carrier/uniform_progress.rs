//! Uniform Progress (Wu et al., NSDI 2024).

use super::{CARRY_ZONED, Conduct, SpotCarrier, ZoneOrder};
use crate::model::Market;
use crate::part::Part;
use crate::policy::provision::ProvisionPart;
use crate::policy::spot::UniformProgress;
use crate::units::Span;

/// Rents each job spot, and on demand when it is behind even progress.
pub static UNIFORM_PROGRESS: ProvisionPart = Part {
    name: "uniform-progress",
    doc: "Rents each job spot where there is any; where there is none it waits while it is ahead of even progress towards its deadline, and takes on demand when it is behind, until it is two restarts ahead again (Wu et al., NSDI 2024).",
    parameters: CARRY_ZONED,
    make: |settings| {
        let conduct = Conduct {
            make: |_, _| Box::new(UniformProgress),
            pace: Span::ZERO,
            markets: &[Market::OnDemand, Market::Spot],
            has_net: true,
        };
        Box::new(SpotCarrier::new(conduct, Some(ZoneOrder::new(settings)), settings))
    },
};
