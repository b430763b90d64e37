//! Admit part: who is let in.

use crate::part::{Parameter, Part, PartSettings, Setting, SettingKind};
use crate::units::Span;

/// Refuses what is beyond its limits.
pub static LIMITS: Part<AdmitSpec> = Part {
    name: "limits",
    doc: "Refuses what is beyond its limits; written `admit = { queue_limit = 100 }`.",
    parameters: &[QUEUE_LIMIT, PATIENCE],
    make: AdmitSpec::new,
};

const QUEUE_LIMIT: Parameter = Parameter {
    name: "queue_limit",
    kind: SettingKind::Count(0, u32::MAX as u64),
    default: Setting::Unset("none"),
    doc: "Most jobs waiting; an arrival beyond is refused.",
};
const PATIENCE: Parameter = Parameter {
    name: "patience",
    kind: SettingKind::Span,
    default: Setting::Unset("none"),
    doc: "Longest wait; a job still waiting then is refused.",
};

/// Limits of those who are let in. They apply together; what is not let in ends as refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmitSpec {
    /// Most jobs waiting; an arrival beyond is refused. A job that can start at
    /// once never counts as waiting.
    pub queue_limit: Option<u32>,
    /// Longest wait; a job still waiting then is refused.
    pub patience: Option<Span>,
}

impl AdmitSpec {
    fn new(settings: &PartSettings) -> Self {
        let most = settings.count(QUEUE_LIMIT.name);
        Self {
            queue_limit: most.map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
            patience: settings.span(PATIENCE.name),
        }
    }
}
