//! Buys where on-demand use has cost what a unit does, without any forecast.

use super::window::RankWindow;
use super::{Purchase, PurchasePart, UnitCosts, UnitDemand};
use crate::part::Part;

/// Buys a unit once the use within a term that none of its units covered has cost more than it
/// would have saved.
///
/// Wang, Li and Liang, "To Reserve or Not to Reserve: Optimal Online Multi-Instance Acquisition in
/// IaaS Clouds" (arXiv 1305.5608): a bill of at most `2 - alpha` times the least that is possible
/// with all of the future known. Their costs are an upfront payment of 1, `p` for an hour on
/// demand, and `alpha p` for an hour in which a reserved unit is used. In [`UnitCosts`]:
///
/// - 1 is `committed`, all that is paid whether the unit is used or not, so also what is paid by
///   the hour over its term;
/// - `p = on_demand / committed`, and `alpha = used / on_demand`, which is 0 where use costs nothing
///   more;
/// - their threshold `beta = 1 / (1 - alpha)` on `p` times the hours that are not covered is
///   `committed / (on_demand - used)` hours.
///
/// Theirs knows the demand of an hour before it buys for it. Here a unit holds from the next hour,
/// so each one that is bought may cost one hour on demand more: `(1 - alpha) p` beside the bound.
pub static ONLINE: PurchasePart = Part {
    name: "online",
    doc: "Buys a unit once use within a term that a unit more would have covered has cost on demand what a unit costs in its term.",
    parameters: &[],
    make: |_| {
        Box::new(|costs, _| Box::new(Online::new(costs, costs.most_idle_use(costs.hours, 0))))
    },
};

/// The rule, exact, in steps of the logarithm of the term for an hour, however much is bought.
///
/// At the end of hour `t` the paper buys while `#{i in (t - term, t]: d_i > x_i} > most`, and each
/// unit adds one to `x_i` of all hours in `(t - term, t + term]`: to those that it covers, and to
/// those before, which have been counted. So `x_i` is what was held in hour `i`, and all that was
/// bought since its beginning: any unit that was bought in hour `i` or later counts for it while it
/// is in the window. With `B_i` for all that was bought before the end of hour `i`, and `B` for all
/// until now, `d_i > x_i` says `d_i - held_i + B_i > B`. The left side is known when the hour ends
/// and does not change; buying until `most` are left above `B` lifts `B` to their order statistic.
#[derive(Debug)]
pub(super) struct Online {
    most: u64,
    bought: i128,
    window: RankWindow,
}

impl Online {
    /// Buys where more than `most` hours within a term are not covered.
    pub(super) fn new(costs: UnitCosts, most: u64) -> Self {
        Self { most, bought: 0, window: RankWindow::new(costs.hours.max(1)) }
    }
}

impl Purchase for Online {
    fn decide(&mut self, now: UnitDemand) -> u64 {
        let [demand, held] = [now.demand, now.held].map(i128::from);
        self.window.push(demand - held + self.bought);
        let level = self.window.beyond(self.most).unwrap_or(self.bought);
        let units = u64::try_from(level - self.bought).unwrap_or(0);
        self.bought += i128::from(units);
        units
    }
}
