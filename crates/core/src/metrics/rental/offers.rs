//! Offers for rent on which some of the work could run.

use crate::model::{Market, Offer, World};
use crate::state::{LiveWork, State};
use crate::units::{Demand, Id};

/// Finds the offers that some of the work may and could run on: its rules allow them, and they hold
/// the least that any of the work asks for of each resource.
#[derive(Debug, Default)]
pub(super) struct WorkableOffers {
    /// Number of rules that were looked at, which are those of the first rows.
    rules: usize,
    /// Whether the rules of some work allow each offer, by row.
    allowed: Vec<bool>,
    /// The least amount of each resource that is asked for; `None` before the first piece of work.
    least: Option<Demand>,
}

impl WorkableOffers {
    /// Looks at a piece of work that was submitted.
    pub(super) fn submitted(&mut self, state: &State<'_>, live: &LiveWork) {
        let ask = live.ask;
        self.asked(ask.demand);
        let offers = &state.world().offers;
        self.allowed.resize(offers.len(), false);
        while self.rules <= ask.rules.row() {
            let rules = state.rules(Id::new(self.rules as u32));
            for (offer, allowed) in offers.ids().zip(&mut self.allowed) {
                *allowed = *allowed || rules.allows(offer);
            }
            self.rules += 1;
        }
    }

    fn asked(&mut self, demand: Demand) {
        let known = self.least.unwrap_or(demand);
        let gpus = known.gpus.min(demand.gpus);
        self.least = Some(Demand {
            cpu: known.cpu.min(demand.cpu),
            memory: known.memory.min(demand.memory),
            gpus,
            gpu_share: u16::from(gpus > 0),
            exclusive: false,
        });
    }

    /// The offers, in their order.
    pub(super) fn found(&self, world: &World) -> Vec<Id<Offer>> {
        let Some(least) = self.least else { return Vec::new() };
        let is_workable = |&(offer, &allowed): &(Id<Offer>, &bool)| {
            let rented = world.offers[offer].market != Market::Owned;
            allowed && rented && world.type_of(offer).shape.holds(least) > 0
        };
        world.offers.ids().zip(&self.allowed).filter(is_workable).map(|(offer, _)| offer).collect()
    }
}
