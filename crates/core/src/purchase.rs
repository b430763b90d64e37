//! Policies that buy commitments while usage comes in: at the end of each clock hour, from the
//! demand so far alone. One policy per file.
//!
//! Demand is counted in whole units of one thing that can be bought: those that the hour had use for. What is bought holds from the next hour on, for the term of the offering.

mod costs;
mod ladder;
mod layers;
mod online;
mod online_randomised;
mod percentile;
mod window;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;

use crate::part::{Parameter, Part, PartSettings, PartSpec, Setting, SettingKind};
use crate::units::Span;

pub use costs::UnitCosts;
pub use ladder::LADDER;
pub use layers::LAYERS;
pub use online::ONLINE;
pub use online_randomised::ONLINE_RANDOMISED;
pub use percentile::PERCENTILE;

/// Makes a policy for one offering, of what a unit costs and a number that is drawn evenly from 0
/// up to 1, which is left out.
pub type PurchaseMaker = Box<dyn Fn(UnitCosts, f64) -> Box<dyn Purchase>>;
/// A row of [`PARTS`].
pub type PurchasePart = Part<PurchaseMaker>;
/// A purchasing policy with its settings.
pub type PurchaseSpec = PartSpec<PurchaseMaker>;

/// Every purchasing policy.
pub static PARTS: &[&PurchasePart] =
    &[&NONE, &PERCENTILE, &LAYERS, &ONLINE, &ONLINE_RANDOMISED, &LADDER];

/// Nothing is bought.
pub static NONE: PurchasePart = Part {
    name: "none",
    doc: "Nothing is bought.",
    parameters: &[],
    make: |_| Box::new(|_, _| Box::new(NoPurchase)),
};

/// How long a policy looks back.
pub(crate) const WINDOW: Parameter = Parameter {
    name: "window",
    kind: SettingKind::SpanAboveZero,
    default: Setting::Span(Span::from_secs(30 * 24 * 3_600)),
    doc: "How far it looks back.",
};

/// How often a policy decides.
const fn every(days: i64) -> Parameter {
    Parameter {
        name: "every",
        kind: SettingKind::SpanAboveZero,
        default: Setting::Span(Span::from_secs(days * 24 * 3_600)),
        doc: "How often it decides, the first time after so long.",
    }
}

/// Decides how many units of one offering to buy.
pub trait Purchase: fmt::Debug + Send + Sync {
    /// Units to buy at the end of a clock hour. Asked in each hour, in order.
    fn decide(&mut self, now: UnitDemand) -> u64;
}

/// Units in one clock hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitDemand {
    /// Number of the hour, from 0.
    pub hour: u64,
    /// Units that the hour had use for.
    pub demand: u64,
    /// Units that were held in it.
    pub held: u64,
    /// Those of them that are held in the next hour too.
    pub kept: u64,
}

#[derive(Debug)]
struct NoPurchase;

impl Purchase for NoPurchase {
    fn decide(&mut self, _: UnitDemand) -> u64 {
        0
    }
}

/// A policy, and the units of one offering that it has bought.
#[derive(Debug)]
pub struct Purchaser {
    policy: Box<dyn Purchase>,
    /// Clock hours of a term.
    term: u64,
    hour: u64,
    held: u64,
    /// Last hours of the terms that are running, and units.
    ends: VecDeque<(u64, u64)>,
}

impl Purchaser {
    /// Who buys at these costs by that policy. `draw` lies evenly in 0 up to 1, which is left out; a
    /// policy that draws nothing does not look at it.
    pub fn new(policy: &PurchaseSpec, costs: UnitCosts, draw: f64) -> Self {
        let policy = (policy.build())(costs, draw);
        Self { policy, term: costs.hours, hour: 0, held: 0, ends: VecDeque::new() }
    }

    /// Units to buy at the end of a clock hour that had use for `demand` of them. Hours follow each
    /// other, also those without demand.
    pub fn decide(&mut self, demand: u64) -> u64 {
        let (hour, held) = (self.hour, self.held);
        let over = self.ends.pop_front_if(|(last, _)| *last <= hour).map_or(0, |(_, units)| units);
        let kept = held - over;
        let units = self.policy.decide(UnitDemand { hour, demand, held, kept });
        let units = units.min(u64::MAX - kept);
        if units > 0 && self.term > 0 {
            self.ends.push_back((hour.saturating_add(self.term), units));
            self.held = kept + units;
        } else {
            self.held = kept;
        }
        self.hour += 1;
        units
    }
}

/// A span in clock hours, rounded up, at least one.
fn hours(settings: &PartSettings, name: &str) -> u64 {
    const HOUR: i64 = 3_600_000_000;
    let micros = settings.span(name).unwrap_or(Span::ZERO).micros();
    (micros / HOUR + i64::from(micros % HOUR > 0)).max(1).unsigned_abs()
}

/// Whether the hour of that number is the last of a stretch of `every`.
const fn is_last_of(hour: u64, every: u64) -> bool {
    (hour + 1).is_multiple_of(every)
}
