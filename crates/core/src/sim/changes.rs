//! Changes of the world that are known ahead, in order of time: of each offer the next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::{Offer, World};
use crate::units::{Id, Time};

/// Quantity of an offer that changes over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changing {
    /// Price of an instance.
    Price,
    /// Most instances at once.
    Capacity,
}

impl Changing {
    /// Time of the change in that row of an offer's path; `None` behind the last.
    fn at(self, offer: &Offer, row: usize) -> Option<Time> {
        match self {
            Self::Price => offer.price.changes.get(row).map(|&(at, _)| at),
            Self::Capacity => offer.capacity.changes.get(row).map(|&(at, _)| at),
        }
    }

    /// Row of the first change of an offer after `started`.
    fn first(self, offer: &Offer, started: Time) -> usize {
        match self {
            Self::Price => offer.price.changes.partition_point(|&(at, _)| at <= started),
            Self::Capacity => offer.capacity.changes.partition_point(|&(at, _)| at <= started),
        }
    }
}

/// The changes of one quantity that are still to come: the next of each offer, by time and then by
/// offer.
#[derive(Debug)]
pub(super) struct OfferChanges {
    what: Changing,
    next: BinaryHeap<Reverse<(Time, Id<Offer>)>>,
    /// Row of the next change of each offer.
    rows: Vec<usize>,
}

impl OfferChanges {
    /// Changes of `what` in a world after `started`.
    pub(super) fn after(world: &World, started: Time, what: Changing) -> Self {
        let rows = world.offers.rows().iter().map(|offer| what.first(offer, started)).collect();
        let mut all = Self { what, next: BinaryHeap::new(), rows };
        world.offers.ids().for_each(|offer| all.expect(world, offer));
        all
    }

    /// Time of the next change.
    pub(super) fn at(&self) -> Option<Time> {
        self.next.peek().map(|Reverse((at, _))| *at)
    }

    /// The offer of the next one, which is over with this, and the row in its path.
    pub(super) fn pop(&mut self, world: &World) -> Option<(Id<Offer>, usize)> {
        let Reverse((_, offer)) = self.next.pop()?;
        let row = self.rows[offer.row()];
        self.rows[offer.row()] += 1;
        self.expect(world, offer);
        Some((offer, row))
    }

    fn expect(&mut self, world: &World, offer: Id<Offer>) {
        if let Some(at) = self.what.at(&world.offers[offer], self.rows[offer.row()]) {
            self.next.push(Reverse((at, offer)));
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
        let mut changes = OfferChanges::after(&world, Time::from_secs(10), Changing::Price);
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
