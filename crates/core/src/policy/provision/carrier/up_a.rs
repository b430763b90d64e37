//! UP(A): Uniform Progress that goes where spot was had most of late.

use super::{Conduct, EVERY, ON_REBALANCE, RESTART, SLACK, SpotCarrier};
use crate::model::Market;
use crate::part::{Parameter, Part, Setting, SettingKind};
use crate::policy::provision::ProvisionPart;
use crate::policy::scope::{FAMILIES, PROVIDERS, REGIONS, TYPES};
use crate::policy::spot::UpAvailability;
use crate::units::Span;

const PROBE_EVERY: Parameter = Parameter {
    name: "probe_every",
    kind: SettingKind::SpanAboveZero,
    default: Setting::Span(Span::from_secs(7200)),
    doc: "Time between two samples of one zone. A probe looks how many launches would be accepted, and costs nothing.",
};

/// Uniform Progress that goes where spot was had most of late.
pub static UP_A: ProvisionPart = Part {
    name: "up-a",
    doc: "Uniform Progress over zones: spot is tried by the share of the last five samples of a zone that had it, and left for a zone with a higher share (UP(A) of SkyNomad, NSDI 2027).",
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
            make: |zones, pace| Box::new(UpAvailability::new(zones, pace)),
            pace: settings.span(PROBE_EVERY.name).unwrap_or(Span::HOUR),
            markets: &[Market::OnDemand, Market::Spot],
            has_net: true,
        };
        Box::new(SpotCarrier::new(conduct, None, settings))
    },
};
