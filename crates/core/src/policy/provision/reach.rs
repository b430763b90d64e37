//! Offers that a provision part may rent, as data.

use crate::model::{Market, Offer, World};
use crate::policy::scope::OfferScope;
use crate::units::Id;

/// Offers that a provision part may rent. It rents for work that fits nowhere, and places that
/// itself; or it rents whatever waits, and work goes there as the place part says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Markets from which it rents for work; empty if it rents for no work.
    pub markets: Vec<Market>,
    /// Offers of these markets that it rents for work.
    pub scope: OfferScope,
    /// Most rented instances at once.
    pub max_instances: Option<u32>,
    /// Offers by name, and how many of each it rents at most whatever waits.
    pub fleets: Vec<(String, u32)>,
    /// Offers of which it rents at most so many each whatever waits.
    pub pool: Option<(OfferScope, u32)>,
}

impl Reach {
    /// Reach that leaves out nothing that is for rent.
    pub fn anything() -> Self {
        Self { markets: vec![Market::OnDemand, Market::Spot], ..Self::default() }
    }

    /// Whether it rents for work that fits nowhere.
    pub fn rents_for_work(&self) -> bool {
        !self.markets.is_empty()
    }

    /// Whether it rents for work on `market`.
    pub fn is_open(&self, market: Market) -> bool {
        market != Market::Owned && self.markets.contains(&market)
    }

    /// Whether it rents `offer` for work.
    pub fn supplies(&self, world: &World, offer: Id<Offer>) -> bool {
        self.is_open(world.offers[offer].market) && self.scope.admits(world, offer)
    }

    /// Most instances of `offer` that it rents whatever waits.
    pub fn fleet(&self, world: &World, offer: Id<Offer>) -> u64 {
        let facts = &world.offers[offer];
        if facts.market == Market::Owned {
            return 0;
        }
        let named = self.fleets.iter().filter(|(name, _)| *name == facts.name);
        let named: u64 = named.map(|&(_, count)| u64::from(count)).sum();
        let pool = self.pool.as_ref().filter(|(scope, _)| scope.admits(world, offer));
        named + pool.map_or(0, |&(_, count)| u64::from(count))
    }

    /// Whether it rents anything whatever waits.
    pub fn has_fleet(&self) -> bool {
        !self.fleets.is_empty() || self.pool.is_some()
    }

    /// Whether it ever rents `offer`.
    pub fn rents(&self, world: &World, offer: Id<Offer>) -> bool {
        self.supplies(world, offer) || self.fleet(world, offer) > 0
    }
}
