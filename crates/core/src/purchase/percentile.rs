//! Buys up to a quantile of the demand.

use super::window::RankWindow;
use super::{Purchase, PurchasePart, UnitCosts, UnitDemand, WINDOW, every, hours, is_last_of};
use crate::part::{Parameter, Part};

const EVERY: Parameter = every(7);

/// Every so often, buys up to the level that would have been cheapest over the hours that it looks
/// back on.
///
/// The newsvendor's rule: committing to `L` units costs `c L` per hour and what lies above them 1
/// per unit, so the best `L` is the least that at most the share `c` of the hours lies above.
pub static PERCENTILE: PurchasePart = Part {
    name: "percentile",
    doc: "Every so often, buys up to the level of demand that would have been cheapest over a window.",
    parameters: &[WINDOW, EVERY],
    make: |settings| {
        let [window, every] = [WINDOW, EVERY].map(|of| hours(settings, of.name));
        let percentile = move |costs| Percentile { costs, demand: RankWindow::new(window), every };
        Box::new(move |costs, _| Box::new(percentile(costs)))
    },
};

#[derive(Debug)]
struct Percentile {
    costs: UnitCosts,
    demand: RankWindow,
    every: u64,
}

impl Purchase for Percentile {
    fn decide(&mut self, now: UnitDemand) -> u64 {
        self.demand.push(now.demand.into());
        if !is_last_of(now.hour, self.every) {
            return 0;
        }
        let most = self.costs.most_idle_use(self.demand.len(), 0);
        let level = self.demand.beyond(most).unwrap_or(0);
        (level as u64).saturating_sub(now.kept)
    }
}
