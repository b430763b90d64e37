//! A checkpoint after a fixed time.

use super::{CheckpointPart, CheckpointRule, ON_WARNING, writes_on_notice};
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
    parameters: &[EVERY, ON_WARNING],
    make: |settings| {
        let on_notice = writes_on_notice(settings);
        settings.span(EVERY.name).map(|every| Box::new(Periodic { every, on_notice }) as _)
    },
};

#[derive(Debug)]
struct Periodic {
    every: Span,
    on_notice: bool,
}

impl CheckpointRule for Periodic {
    fn every(&self, _: &State<'_>, _: AllocationRef) -> Option<Span> {
        Some(self.every)
    }

    fn on_notice(&self) -> bool {
        self.on_notice
    }
}
