//! How a scenario is repeated: under other seeds, over other windows of its
//! trace, or over the trace put together anew.

use std::borrow::Cow;

use crate::model::PricePath;
use crate::scenario::Scenario;
use crate::units::{Calendar, Span, Time};
use crate::workload::Transform;

/// What differs from one replication to the next. Replication `k` has the seed
/// of the scenario plus `k`; the first is the scenario as it stands, except
/// with windows and blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// The seed only.
    Seeds {
        /// What comes before is not counted; zero counts everything.
        warm_up: Span,
    },
    /// Disjoint windows of the trace, one after the other.
    Windows {
        /// First arrival of the trace.
        first: Time,
        /// Length of what counts.
        width: Span,
        /// Played before each window and not counted.
        warm_up: Span,
    },
    /// Blocks of the trace, drawn with replacement.
    Blocks {
        /// Length of a block.
        length: Span,
    },
}

impl Repetition {
    /// The scenario of replication `index`.
    pub fn scenario<'a>(&self, scenario: &'a Scenario, index: u32) -> Cow<'a, Scenario> {
        match *self {
            Self::Seeds { .. } => Cow::Borrowed(scenario),
            Self::Windows { first, width, warm_up } => {
                let from = first + Span::from_micros(width.micros() * i64::from(index));
                let to = from + warm_up + width;
                let mut scenario = starting_at(scenario, from);
                let window = Transform::Window { from, to, shift: true };
                scenario.workload.transforms.insert(0, window);
                Cow::Owned(scenario)
            }
            Self::Blocks { length } => {
                let mut scenario = scenario.clone();
                scenario.workload.transforms.push(Transform::Resample { block: length });
                Cow::Owned(scenario)
            }
        }
    }

    /// The seed of replication `index`.
    pub fn seed(&self, scenario: &Scenario, index: u32) -> u64 {
        scenario.seed.wrapping_add(u64::from(index))
    }

    /// What comes before is not counted.
    pub fn warm_up(&self) -> Span {
        match *self {
            Self::Seeds { warm_up } | Self::Windows { warm_up, .. } => warm_up,
            Self::Blocks { .. } => Span::ZERO,
        }
    }

    /// What differs between replications, in words.
    pub fn told(&self) -> String {
        match *self {
            Self::Seeds { warm_up: Span::ZERO } => "one seed each".to_owned(),
            Self::Seeds { warm_up } => format!("one seed each, the first {warm_up} not counted"),
            Self::Windows { width, warm_up, .. } => format!(
                "disjoint windows of {width} of the trace, each after a warm-up of {warm_up}"
            ),
            Self::Blocks { length } => {
                format!("the trace put together anew from blocks of {length} of itself")
            }
        }
    }
}

/// The scenario with its clock started at `from`: dates and prices stay what
/// they are on the calendar. Its work is not moved.
fn starting_at(scenario: &Scenario, from: Time) -> Scenario {
    let mut scenario = scenario.clone();
    let micros = scenario.calendar.unix_micros(from);
    scenario.calendar = Calendar::from_unix_micros(micros);
    scenario.world.calendar = scenario.calendar;
    for offer in scenario.world.offers.rows_mut() {
        let first = offer.price.at(from);
        let later = offer.price.changes.iter().filter(|&&(at, _)| at > from);
        let changes = later.map(|&(at, rate)| (Time::ZERO + (at - from), rate)).collect();
        offer.price = PricePath { first, changes, list: offer.price.list };
    }
    scenario
}
