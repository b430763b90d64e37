//! Buys in small steps towards a share of the demand.

use std::collections::VecDeque;

use super::{Purchase, PurchasePart, UnitDemand, WINDOW, every, hours, is_last_of};
use crate::part::{Parameter, Part, PartSettings, Setting, SettingKind};

const EVERY: Parameter = every(30);

const STEPS: Parameter = Parameter {
    name: "steps",
    kind: SettingKind::Count(1, 1_000),
    default: Setting::Count(12),
    doc: "The part of what is missing that is bought at a time, rounded up: one over this.",
};

const COVERAGE: Parameter = Parameter {
    name: "coverage",
    kind: SettingKind::Count(0, 100),
    default: Setting::Count(80),
    doc: "Percent of the demand that are to be covered: the target is the fewest units that do.",
};

const UTILISATION: Parameter = Parameter {
    name: "utilisation",
    kind: SettingKind::Count(0, 100),
    default: Setting::Count(95),
    doc: "Percent of what is held that must be used at the least.",
};

/// Every month, buys a twelfth of what is missing to a share of the demand, as long as what is held
/// would be used.
///
/// Over the hours that it looks back on, `L` units cover the sum of `min(d, L)`. The target is the
/// least `L` that covers the wanted share of all demand, or the largest of which the wanted share
/// is used, where that is less. Terms then begin, and end, month after month.
pub static LADDER: PurchasePart = Part {
    name: "ladder",
    doc: "Every so often, buys a part of what is missing to a share of the demand.",
    parameters: &[WINDOW, EVERY, STEPS, COVERAGE, UTILISATION],
    make: |settings| {
        let ladder = Ladder::new(settings);
        Box::new(move |_, _| Box::new(ladder.clone()))
    },
};

#[derive(Clone, Debug)]
struct Ladder {
    window: u64,
    every: u64,
    steps: u64,
    coverage: u64,
    utilisation: u64,
    demand: VecDeque<u64>,
}

impl Ladder {
    fn new(settings: &PartSettings) -> Self {
        let [window, every] = [WINDOW, EVERY].map(|of| hours(settings, of.name));
        let count = |of: Parameter| settings.count(of.name).unwrap_or(0);
        let [steps, coverage, utilisation] = [STEPS, COVERAGE, UTILISATION].map(count);
        Self { window, every, steps, coverage, utilisation, demand: VecDeque::new() }
    }
}

impl Purchase for Ladder {
    /// Sorts the window when it decides: `n log n` once every so often.
    fn decide(&mut self, now: UnitDemand) -> u64 {
        if self.demand.len() as u64 == self.window {
            self.demand.pop_front();
        }
        self.demand.push_back(now.demand);
        if !is_last_of(now.hour, self.every) {
            return 0;
        }
        let levels = WindowLevels::of(&self.demand);
        let target = levels.covering(self.coverage).min(levels.used(self.utilisation));
        target.saturating_sub(now.kept).div_ceil(self.steps)
    }
}

/// Demand of some hours in rising order.
#[derive(Debug)]
struct WindowLevels {
    sorted: Vec<u64>,
    /// Sums of the first ones.
    sums: Vec<u128>,
}

impl WindowLevels {
    fn of(demand: &VecDeque<u64>) -> Self {
        let mut sorted: Vec<u64> = demand.iter().copied().collect();
        sorted.sort_unstable();
        let mut sum = 0;
        let sums = std::iter::once(0).chain(sorted.iter().map(|demand| {
            sum += u128::from(*demand);
            sum
        }));
        Self { sums: sums.collect(), sorted }
    }

    /// Unit-hours that so many units would have covered.
    fn covered(&self, units: u64) -> u128 {
        let below = self.sorted.partition_point(|demand| *demand < units);
        let above = (self.sorted.len() - below) as u128;
        self.sums[below] + above * u128::from(units)
    }

    /// The least units that cover so many percent of all demand.
    fn covering(&self, percent: u64) -> u64 {
        let all = self.sums.last().copied().unwrap_or(0);
        self.least(|units| self.covered(units) * 100 >= all * u128::from(percent))
    }

    /// The most units of which so many percent are used. The share falls with each unit.
    fn used(&self, percent: u64) -> u64 {
        let hours = self.sorted.len() as u128;
        let too_many = |units: u64| {
            self.covered(units) * 100 < u128::from(units) * hours * u128::from(percent)
        };
        self.least(|units| units == u64::MAX || too_many(units + 1))
    }

    /// The least units of which `enough` holds, up to the largest demand, where it holds of all
    /// beyond them.
    fn least(&self, enough: impl Fn(u64) -> bool) -> u64 {
        let (mut low, mut high) = (0, self.sorted.last().copied().unwrap_or(0));
        while low < high {
            let middle = low + (high - low) / 2;
            if enough(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}
