//! Promises of providers, and what they give back where these are not kept.

use serde::Deserialize;

use super::{RuleSource, millionths};
use crate::units::Span;

/// What a provider gives back for a month in which a service was there for less than it promised.
#[derive(Clone, Debug, Deserialize)]
pub struct SlaRow {
    /// The provider.
    pub provider: String,
    /// The service, by its word.
    pub service: String,
    /// What was not there.
    pub scope: SlaScope,
    /// Shares of the month, falling, and the share of its charges that is given back below each.
    pub steps: Vec<(f64, f64)>,
    free_hour_after: Option<u32>,
    /// Whether spot machines are left out.
    #[serde(default)]
    pub not_spot: bool,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: RuleSource,
}

/// What a promise is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlaScope {
    /// The machine itself: it is not there when its zone is not.
    Instance,
    /// All zones of a region.
    Region,
}

impl SlaRow {
    /// Share of its charges that is given back for a month of which a service was not there for so
    /// much, in millionths.
    pub fn credit(&self, down: Span, month: Span) -> u32 {
        let up = i128::from((month - down).micros()) * 1_000_000;
        let below = |share: f64| up < i128::from(millionths(share)) * i128::from(month.micros());
        let met = self.steps.iter().take_while(|(share, _)| below(*share));
        met.last().map_or(0, |(_, credit)| millionths(*credit))
    }

    /// How long in one piece a machine may be away within a clock hour that is charged still.
    pub fn free_hour_after(&self) -> Option<Span> {
        self.free_hour_after.map(|secs| Span::from_secs(i64::from(secs)))
    }
}
