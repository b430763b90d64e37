//! Buys the layers of the demand that have been used for long enough.

use super::window::RankWindow;
use super::{Purchase, PurchasePart, UnitCosts, UnitDemand, WINDOW, hours};
use crate::part::{Parameter, Part, Setting, SettingKind};

const MARGIN: Parameter = Parameter {
    name: "margin",
    kind: SettingKind::Count(0, 100),
    default: Setting::Count(0),
    doc: "Percentage points of the hours by which a layer must be used more than at break-even.",
};

/// In each hour, buys the layers of demand that are worth it: the k-th unit, where it would have
/// been used in more of the hours of a whole window than it costs hours on demand.
///
/// Layer k is used in the hours whose demand is k or more, so no layer is used more than one below
/// it, and those that are worth it are the first ones. Without a margin that is the level of
/// `percentile`; but each layer is bought as soon as any whole window says so, and stays bought.
pub static LAYERS: PurchasePart = Part {
    name: "layers",
    doc: "In each hour, buys the layers of demand that were used for more than break-even, once a window has passed.",
    parameters: &[WINDOW, MARGIN],
    make: |settings| {
        let window = hours(settings, WINDOW.name);
        let margin = settings.count(MARGIN.name).unwrap_or(0);
        let layers = move |costs| Layers { costs, demand: RankWindow::new(window), window, margin };
        Box::new(move |costs, _| Box::new(layers(costs)))
    },
};

#[derive(Debug)]
struct Layers {
    costs: UnitCosts,
    demand: RankWindow,
    window: u64,
    margin: u64,
}

impl Purchase for Layers {
    fn decide(&mut self, now: UnitDemand) -> u64 {
        self.demand.push(now.demand.into());
        if self.demand.len() < self.window {
            return 0;
        }
        // The layer above a level is used in the hours that lie above it.
        let most = self.costs.most_idle_use(self.window, self.margin);
        let worth = self.demand.beyond(most).unwrap_or(0);
        (worth as u64).saturating_sub(now.kept)
    }
}
