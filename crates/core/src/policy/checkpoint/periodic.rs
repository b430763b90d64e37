//! A checkpoint after a fixed time.

use super::{CheckpointPart, CheckpointRule};
use crate::part::{Parameter, Part, Setting, SettingKind};
use crate::state::{AllocationRef, State};
use crate::units::Span;

const EVERY: Parameter = Parameter {
    name: "every",
    kind: SettingKind::SpanAboveZero,
    default: Setting::Span(Span::HOUR),
    doc: "How long tasks compute from the end of a checkpoint to the beginning of the next.",
};

/// A checkpoint whenever tasks have computed for a fixed time.
pub static PERIODIC: CheckpointPart = Part {
    name: "periodic",
    doc: "A checkpoint is written whenever tasks have computed for a fixed time.",
    parameters: &[EVERY],
    make: |settings| settings.span(EVERY.name).map(|every| Box::new(Periodic { every }) as _),
};

#[derive(Debug)]
struct Periodic {
    every: Span,
}

impl CheckpointRule for Periodic {
    fn every(&self, _: &State<'_>, _: AllocationRef) -> Option<Span> {
        Some(self.every)
    }
}
