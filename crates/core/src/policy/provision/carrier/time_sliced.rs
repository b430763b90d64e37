//! Greedy in each slice of the time until the deadline (Wu et al., NSDI 2024).

use super::zone_order::ZONE_ORDER;
use super::{Conduct, EVERY, ON_REBALANCE, RESTART, SLACK, SpotCarrier, ZoneOrder};
use crate::model::Market;
use crate::part::{Parameter, Part, Setting, SettingKind};
use crate::policy::provision::ProvisionPart;
use crate::policy::scope::{FAMILIES, PROVIDERS, REGIONS, TYPES};
use crate::policy::spot::TimeSliced;
use crate::units::Span;

const SLICE: Parameter = Parameter {
    name: "slice",
    kind: SettingKind::SpanAboveZero,
    default: Setting::Span(Span::HOUR),
    doc: "Length of a slice.",
};

/// Greedy in each slice of the time until the deadline.
pub static TIME_SLICED: ProvisionPart = Part {
    name: "time-sliced",
    doc: "Cuts the time until the deadline and the work into slices alike, and goes through each as safe-greedy would (Wu et al., NSDI 2024).",
    parameters: &[
        EVERY,
        SLACK,
        RESTART,
        ON_REBALANCE,
        SLICE,
        ZONE_ORDER,
        PROVIDERS,
        REGIONS,
        TYPES,
        FAMILIES,
    ],
    make: |settings| {
        let conduct = Conduct {
            make: |_, slice| Box::new(TimeSliced::new(slice)),
            pace: settings.span(SLICE.name).unwrap_or(Span::HOUR),
            markets: &[Market::OnDemand, Market::Spot],
            has_net: true,
        };
        Box::new(SpotCarrier::new(conduct, Some(ZoneOrder::new(settings)), settings))
    },
};
