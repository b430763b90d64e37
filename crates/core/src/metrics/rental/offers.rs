//! Offers for rent on which some of the work could run.

use crate::model::{Market, Offer, World};
use crate::state::{LiveWork, ResolvedRules, State};
use crate::units::{Demand, Id};

/// Most needs that are remembered for one set of rules, so that memory and the time for a piece of
/// work have a bound.
const MOST_NEEDS: usize = 16;

/// Finds the offers that some piece of the work may and could run on: its rules allow them, and
/// they hold a task of it.
#[derive(Debug, Default)]
pub(super) struct WorkableOffers {
    /// Offers for rent on which none of the work so far could run, in their order; `None` before
    /// the first piece.
    left: Option<Vec<Id<Offer>>>,
    /// Needs that were looked at, by the row of their rules; none is within another of the same
    /// rules.
    needs: Vec<Vec<Need>>,
}

/// Amounts that a task must find on an instance: milli-cores, MiB and devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Need([u64; 3]);

impl Need {
    fn of(demand: Demand) -> Self {
        Self([demand.cpu.into(), demand.memory.into(), demand.gpus.into()])
    }

    /// Whether every instance that has room for `other` has room for this.
    fn is_within(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(mine, other)| *mine <= other)
    }
}

impl WorkableOffers {
    /// Looks at a piece of work that was submitted.
    pub(super) fn submitted(&mut self, state: &State<'_>, live: &LiveWork) {
        let rules = live.ask.rules;
        self.asked(state.world(), rules.row(), state.rules(rules), live.ask.demand);
    }

    fn asked(&mut self, world: &World, row: usize, rules: &ResolvedRules, demand: Demand) {
        let need = Need::of(demand);
        if self.needs.get(row).is_some_and(|known| known.iter().any(|one| one.is_within(need))) {
            return;
        }
        let left = self.left.get_or_insert_with(|| rented(world).collect());
        left.retain(|&offer| !rules.allows(offer) || world.type_of(offer).shape.holds(demand) == 0);
        if self.needs.len() <= row {
            self.needs.resize(row + 1, Vec::new());
        }
        let known = &mut self.needs[row];
        known.retain(|one| !need.is_within(*one));
        if known.len() < MOST_NEEDS {
            known.push(need);
        }
    }

    /// The offers, in their order.
    pub(super) fn found(&self, world: &World) -> Vec<Id<Offer>> {
        let Some(left) = &self.left else { return Vec::new() };
        rented(world).filter(|offer| left.binary_search(offer).is_err()).collect()
    }
}

fn rented(world: &World) -> impl Iterator<Item = Id<Offer>> + '_ {
    world.offers.ids().filter(|&offer| world.offers[offer].market != Market::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ask, Filter, Rules};
    use crate::state::Needs;
    use crate::state::testing::{Plan, demand, shape, start, submit, world};

    /// Names of the offers on which some of the work could run, of one that is small, one with a
    /// GPU, one with much memory and one that is owned.
    fn found(work: &[(Demand, &[&str])]) -> Vec<String> {
        let plan = |name, cpu, memory, gpus| Plan {
            name,
            shape: shape(cpu, memory, gpus),
            market: Market::OnDemand,
            price: "1",
            ..Plan::default()
        };
        let plans = [
            plan("small", 2_000, 1_024, 0),
            plan("gpu", 2_000, 1_024, 1),
            plan("large", 8_000, 65_536, 0),
            Plan { market: Market::Owned, ..plan("own", 8_000, 65_536, 8) },
        ];
        let world = world(&plans);
        let mut state = start(&world, Needs::default());
        let mut offers = WorkableOffers::default();
        for (ordinal, (demand, only)) in work.iter().enumerate() {
            let types = Filter {
                allowed: only.iter().map(|&name| name.into()).collect(),
                ..Filter::default()
            };
            let rules = state.book_mut().rules(&Rules { offers: types, ..Rules::default() });
            let ask = Ask { demand: *demand, rules, ..Ask::default() };
            let work = submit(&mut state, ordinal as u64, ask);
            offers.submitted(&state, state.work(work));
        }
        let names = offers.found(&world).into_iter().map(|offer| world.offers[offer].name.clone());
        names.collect()
    }

    #[test]
    fn needs_of_one_piece_are_not_held_to_those_of_another() {
        let (gpu, cores) = (demand(1_000, 512, 1, 1_000), demand(4_000, 512, 0, 0));
        assert!(found(&[]).is_empty());
        assert_eq!(found(&[(gpu, &[])]), ["gpu"]);
        assert_eq!(found(&[(cores, &[])]), ["large"]);
        // The small one has no GPU, and too few cores for the work that needs none.
        assert_eq!(found(&[(gpu, &[]), (cores, &[])]), ["gpu", "large"]);
        assert_eq!(found(&[(gpu, &[]), (cores, &["small"])]), ["gpu"]);
        assert_eq!(found(&[(cores, &[]), (demand(500, 0, 0, 0), &["gpu"])]), ["gpu", "large"]);
    }

    #[test]
    fn needs_beyond_those_remembered_are_looked_at_all_the_same() {
        // Each with more cores and less memory than the one before: none is within another.
        let many = (0..100).map(|row| (demand(9_000 + row, 70_000 - row, 0, 0), &[][..]));
        let mut work: Vec<_> = many.collect();
        assert!(found(&work).is_empty());
        work.push((demand(2_000, 1_024, 0, 0), &[]));
        assert_eq!(found(&work), ["small", "gpu", "large"]);
    }
}
