//! Changes of the world that come whatever a policy does, in order of time: of each offer the next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::{CapacityCursor, Offer, PriceCursor, World};
use crate::units::{Id, Rate, Time};

/// A quantity of an offer over time: its next change, and what it is then.
pub(super) trait OfferCourse {
    /// What it is.
    type Value;

    /// The course of `offer` after `started`, in a run of that seed.
    fn of(offer: &Offer, seed: u64, started: Time) -> Self;

    /// Time of the next change, if there is one.
    fn next_change(&self, offer: &Offer) -> Option<Time>;

    /// Whether changes come for ever from here on.
    fn is_endless(&self, offer: &Offer) -> bool;

    /// Goes on to the next change; what it is then.
    fn advance(&mut self, offer: &Offer) -> Self::Value;
}

impl OfferCourse for CapacityCursor {
    type Value = Option<u32>;

    fn of(offer: &Offer, seed: u64, started: Time) -> Self {
        Self::new(&offer.capacity, seed, started)
    }

    fn next_change(&self, offer: &Offer) -> Option<Time> {
        self.next_change(&offer.capacity)
    }

    fn is_endless(&self, offer: &Offer) -> bool {
        self.is_endless(&offer.capacity)
    }

    fn advance(&mut self, offer: &Offer) -> Option<u32> {
        self.advance(&offer.capacity);
        self.capacity(&offer.capacity)
    }
}

impl OfferCourse for PriceCursor {
    type Value = Rate;

    fn of(offer: &Offer, seed: u64, started: Time) -> Self {
        Self::new(&offer.price, seed, started)
    }

    fn next_change(&self, offer: &Offer) -> Option<Time> {
        self.next_change(&offer.price)
    }

    fn is_endless(&self, offer: &Offer) -> bool {
        self.is_endless(&offer.price)
    }

    fn advance(&mut self, offer: &Offer) -> Rate {
        self.advance(&offer.price);
        self.rate(&offer.price)
    }
}

/// The changes of one quantity that are still to come: the next of each offer, by time and then by
/// offer.
#[derive(Debug)]
pub(super) struct OfferChanges<C> {
    next: BinaryHeap<Reverse<(Time, Id<Offer>)>>,
    courses: Vec<C>,
    /// Offers with a change to come whose changes end some time.
    ending: usize,
}

impl<C> Default for OfferChanges<C> {
    /// Nothing changes.
    fn default() -> Self {
        Self { next: BinaryHeap::new(), courses: Vec::new(), ending: 0 }
    }
}

impl<C: OfferCourse> OfferChanges<C> {
    /// Changes in a world after `started`, in a run of that seed.
    pub(super) fn after(world: &World, seed: u64, started: Time) -> Self {
        let offers = world.offers.rows().iter();
        let courses = offers.map(|offer| C::of(offer, seed, started)).collect();
        let mut all = Self { courses, ..Self::default() };
        world.offers.ids().for_each(|offer| all.expect(world, offer));
        all
    }

    /// Time of the next change.
    pub(super) fn at(&self) -> Option<Time> {
        self.next.peek().map(|Reverse((at, _))| *at)
    }

    /// Whether there is a change to come of an offer whose changes end some time.
    pub(super) fn come_to_an_end(&self) -> bool {
        self.ending > 0
    }

    /// The course of an offer.
    pub(super) fn course(&self, offer: Id<Offer>) -> &C {
        &self.courses[offer.row()]
    }

    /// The offer of the next change, which is over with this, and what the quantity is then.
    pub(super) fn pop(&mut self, world: &World) -> Option<(Id<Offer>, C::Value)> {
        let Reverse((_, offer)) = self.next.pop()?;
        let (course, facts) = (&mut self.courses[offer.row()], &world.offers[offer]);
        self.ending -= usize::from(!course.is_endless(facts));
        let value = course.advance(facts);
        self.expect(world, offer);
        Some((offer, value))
    }

    fn expect(&mut self, world: &World, offer: Id<Offer>) {
        let (course, facts) = (&self.courses[offer.row()], &world.offers[offer]);
        if let Some(at) = course.next_change(facts) {
            self.next.push(Reverse((at, offer)));
            self.ending += usize::from(!course.is_endless(facts));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Work;
    use crate::policy::{Policy, Trigger, Turn};
    use crate::sim::Run;
    use crate::state::testing::{Plan, world};
    use crate::units::{Demand, Rate, Span};
    use crate::workload::WorkList;

    #[test]
    fn changes_come_by_time_and_then_by_offer() {
        let mut world = world(&[Plan::default(), Plan { name: "b", ..Plan::default() }]);
        for (row, seconds) in [(0, [10, 20, 30]), (1, [20, 25, 30])] {
            let changes = seconds.map(|at| (Time::from_secs(at), Rate::ZERO));
            world.offers[Id::new(row)].price.changes = changes.to_vec();
        }
        let mut changes = OfferChanges::<PriceCursor>::after(&world, 1, Time::from_secs(10));
        let mut seen = Vec::new();
        while let Some(at) = changes.at() {
            let (offer, _) = changes.pop(&world).expect("there is one");
            seen.push((at, offer.row()));
        }
        let want = [(20, 0), (20, 1), (25, 1), (30, 0), (30, 1)];
        assert_eq!(seen, want.map(|(at, row)| (Time::from_secs(at), row)));
    }

    /// Offers with new prices, at each time at which it is told of any.
    #[derive(Debug, Default)]
    struct Heard(Vec<(Time, Vec<usize>)>);

    impl Policy for Heard {
        fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
            let told = triggers.iter().filter(|trigger| **trigger == Trigger::PricesChanged);
            for _ in told {
                let offers = turn.repriced().iter().map(|offer| offer.row()).collect();
                self.0.push((turn.now(), offers));
            }
        }
    }

    #[test]
    fn one_trigger_tells_of_all_new_prices_of_an_instant() {
        let mut world = world(&[Plan::default(), Plan { name: "b", ..Plan::default() }]);
        for (row, seconds) in [(0, [10, 30]), (1, [20, 30])] {
            let changes = seconds.map(|at| (Time::from_secs(at), Rate::ZERO));
            world.offers[Id::new(row)].price.changes = changes.to_vec();
        }
        let work = Work::job(0, Time::from_secs(40), Demand::default(), Span::ZERO);
        let (mut source, mut heard) = (WorkList::new(vec![work]), Heard::default());
        Run::new(&world, &mut source).policy(&mut heard).run().expect("it runs");
        let want = [(10, vec![0]), (20, vec![1]), (30, vec![0, 1])];
        assert_eq!(heard.0, want.map(|(at, rows)| (Time::from_secs(at), rows)));
    }
}
