//! Work waits for low prices.

use super::ShiftPart;
use super::awaiter::{Awaiter, FORECAST, INTERRUPT, MARGIN, SLACK};
use super::signal::AwaitedQuantity;
use crate::part::Part;

/// Waits for the hours of the lowest prices that leave time enough.
pub static PRICE_AWARE: ShiftPart = Part {
    name: "price-aware",
    doc: "Work waits for the time of the lowest prices that its deadline leaves. Prices that are drawn are not foreseen.",
    parameters: &[INTERRUPT, FORECAST, SLACK, MARGIN],
    make: |settings| {
        Some(Box::new(Awaiter::new(
            AwaitedQuantity::Price,
            settings.flag(INTERRUPT.name),
            settings,
        )))
    },
};
