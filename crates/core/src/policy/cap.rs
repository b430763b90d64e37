//! Cap part: what a policy does not rent, for its budgets' sake.

use crate::part::{Parameter, Part, PartSettings, PartSpec, Setting, SettingKind};
use crate::state::SpendingCap;
use crate::units::Span;

/// A row of [`PARTS`].
pub type CapPart = Part<Option<SpendingCap>>;
/// A cap part with its settings.
pub type CapSpec = PartSpec<Option<SpendingCap>>;

/// Every cap part.
pub static PARTS: &[&CapPart] = &[&NONE, &BUDGET];

/// Budgets are watched only.
pub static NONE: CapPart =
    Part { name: "none", doc: "Budgets are watched only.", parameters: &[], make: |_| None };

/// Launches for which a budget has no room are refused.
pub static BUDGET: CapPart = Part {
    name: "budget",
    doc: "A launch is refused where a budget (`[[budget]]`) that it counts for is used up, or would be passed by what is spent, what everything costs in the time ahead, and the launch (see budgets.md).",
    parameters: &[AHEAD],
    make: |settings| Some(ahead(settings)),
};

/// How far ahead budgets are kept.
const AHEAD: Parameter = Parameter {
    name: "ahead",
    kind: SettingKind::Span,
    default: Setting::Span(Span::HOUR),
    doc: "Time for which everything that runs, and the launch, is taken to go on, or to the end of the period where that is earlier.",
};

/// The cap of these settings.
fn ahead(settings: &PartSettings) -> SpendingCap {
    SpendingCap { ahead: settings.span(AHEAD.name).unwrap_or(Span::ZERO) }
}
