//! Work waits for clean electricity (Wiesner and others, Let's Wait Awhile, Middleware 2021).

use super::ShiftPart;
use super::awaiter::{Awaiter, FORECAST, INTERRUPT, MARGIN, SLACK};
use super::signal::AwaitedQuantity;
use crate::part::{Parameter, Part, Setting, SettingKind};

pub(super) const REGIONS: Parameter = Parameter {
    name: "regions",
    kind: SettingKind::Regions,
    default: Setting::Unset("all that it may use"),
    doc: "Regions and clusters whose grids count, as `provider/region`: their mean, where there are several.",
};

/// Waits for the hours of least carbon that leave time enough.
pub static WAIT_AWHILE: ShiftPart = Part {
    name: "wait-awhile",
    doc: "Work waits for the time of least grid carbon that its deadline leaves.",
    parameters: &[INTERRUPT, FORECAST, SLACK, MARGIN, REGIONS],
    make: |settings| {
        let regions = settings.names(REGIONS.name).to_vec();
        Some(Box::new(Awaiter::new(
            AwaitedQuantity::Carbon { regions },
            settings.flag(INTERRUPT.name),
            settings,
        )))
    },
};
