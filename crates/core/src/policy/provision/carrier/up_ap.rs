//! UP(AP): Uniform Progress that goes where availability costs least.

use super::{Conduct, EVERY, ON_REBALANCE, RESTART, SLACK, SpotCarrier};
use crate::model::Market;
use crate::part::{Parameter, Part, Setting, SettingKind};
use crate::policy::provision::ProvisionPart;
use crate::policy::scope::{FAMILIES, PROVIDERS, REGIONS, TYPES};
use crate::policy::spot::UpValue;
use crate::units::Span;

const PROBE_EVERY: Parameter = Parameter {
    name: "probe_every",
    kind: SettingKind::SpanAboveZero,
    default: Setting::Span(Span::from_secs(3600)),
    doc: "Time between two samples of one zone. A probe looks how many launches would be accepted, and costs nothing.",
};

/// Uniform Progress that goes where availability costs least.
pub static UP_AP: ProvisionPart = Part {
    name: "up-ap",
    doc: "Uniform Progress over zones: spot is tried by the share of all samples of a zone that had it over its price, and left where that is below nine tenths of the best (UP(AP) of SkyNomad, NSDI 2027).",
    parameters: &[
        EVERY,
        SLACK,
        RESTART,
        ON_REBALANCE,
        PROBE_EVERY,
        PROVIDERS,
        REGIONS,
        TYPES,
        FAMILIES,
    ],
    make: |settings| {
        let conduct = Conduct {
            make: |zones, pace| Box::new(UpValue::new(zones, pace)),
            pace: settings.span(PROBE_EVERY.name).unwrap_or(Span::HOUR),
            markets: &[Market::OnDemand, Market::Spot],
            has_net: true,
        };
        Box::new(SpotCarrier::new(conduct, None, settings))
    },
};
