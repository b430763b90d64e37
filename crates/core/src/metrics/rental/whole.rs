//! Work that has its machines alone, and what of it ran on many more rented machines than own ones.

use serde::{Deserialize, Serialize};

use crate::model::{Market, World};
use crate::state::{Allocation, LiveWork, State};
use crate::units::Demand;

/// Times as many rented machines as own ones from which work is counted as scattered.
const SCATTERED: u32 = 2;

/// Counts of work that has its machines alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeMachines {
    /// Pieces of it of which a machine could hold several tasks.
    pub sharing: u64,
    /// Starts on more than twice as many rented machines as the same tasks take of the own ones.
    pub scattered: u64,
    /// The start of these that took most machines.
    pub widest: Option<ScatteredStart>,
}

/// A start on many more rented machines than own ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScatteredStart {
    /// Rented machines that it took.
    pub rented: u32,
    /// Own machines that would hold the same tasks.
    pub own: u32,
    /// Name of the offer of the first of them.
    pub offer: String,
    /// Name of the offer for rent whose instances hold most tasks of it.
    pub largest: String,
}

impl WholeMachines {
    /// Looks at a piece of work that was submitted.
    #[inline]
    pub(super) fn submitted(&mut self, world: &World, live: &LiveWork) {
        if live.ask.demand.exclusive {
            self.sharing += u64::from(most(world, live.ask.demand, true) > 1);
        }
    }

    /// Looks at tasks that were placed.
    #[inline]
    pub(super) fn placed(&mut self, state: &State<'_>, placed: &Allocation) {
        let demand = state.work(placed.work()).ask.demand;
        if demand.exclusive {
            self.placed_alone(state, placed, demand);
        }
    }

    fn placed_alone(&mut self, state: &State<'_>, placed: &Allocation, demand: Demand) {
        let world = state.world();
        let offer = |at: usize| state.instance(placed.held[at].share.instance).offer;
        let is_rented = |at: &usize| world.offers[offer(*at)].market != Market::Owned;
        let mut rented = (0..placed.held.len()).filter(is_rented);
        let Some(first) = rented.next() else { return };
        let tasks: u32 = rented.clone().chain([first]).map(|at| placed.held[at].share.tasks).sum();
        let rented = 1 + rented.count() as u32;
        let each = most(world, demand, false);
        if each == 0 || rented <= SCATTERED * tasks.div_ceil(each) {
            return;
        }
        self.scattered += 1;
        if self.widest.as_ref().is_none_or(|widest| widest.rented < rented) {
            let holds = |id| world.type_of(id).shape.holds(demand);
            let sold = world.offers.iter().filter(|(_, facts)| facts.market != Market::Owned);
            let largest = sold.min_by_key(|&(id, _)| (std::cmp::Reverse(holds(id)), id));
            self.widest = Some(ScatteredStart {
                rented,
                own: tasks.div_ceil(each),
                offer: world.offers[offer(first)].name.to_string(),
                largest: largest.map_or_else(String::new, |(_, facts)| facts.name.to_string()),
            });
        }
    }
}

/// Most tasks that one machine holds, of the own ones or of those for rent too.
fn most(world: &World, demand: Demand, for_rent: bool) -> u32 {
    let counted = world.offers.iter().filter(|(_, facts)| match facts.market {
        Market::Owned => true,
        Market::OnDemand | Market::Spot => for_rent,
    });
    counted.map(|(offer, _)| world.type_of(offer).shape.holds(demand)).max().unwrap_or(0)
}
