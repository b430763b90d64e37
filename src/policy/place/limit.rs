//! Limit on the cost of a place: what renting would cost.

use super::Place;
use crate::model::Offer;
use crate::policy::provision::Provision;
use crate::policy::turn::Turn;
use crate::state::{Needs, OfferSet, Share, WorkRef};
use crate::units::{Id, Money};

/// Most that places of one piece of work may cost. The provision part is asked for it
/// once, when a place costs something, as most cost nothing.
#[derive(Debug)]
pub struct CostLimit<'l> {
    provision: Option<&'l mut dyn Provision>,
    /// Tasks that it is for: those that waited when the search began.
    tasks: u32,
    most: Option<Money>,
}

impl<'l> CostLimit<'l> {
    /// No limit.
    pub(super) fn none() -> Self {
        Self { provision: None, tasks: 0, most: None }
    }

    /// Limit by the cost at which `provision` would rent for `tasks` tasks.
    pub fn new(provision: &'l mut dyn Provision, tasks: u32) -> Self {
        Self { provision: Some(provision), tasks, most: None }
    }

    /// The most that all tasks may cost; none without a limit.
    pub fn most(&mut self, turn: &Turn<'_, '_>, work: WorkRef) -> Option<Money> {
        if let Some(provision) = self.provision.take() {
            self.most = provision.quote(turn, work, self.tasks);
        }
        self.most
    }

    /// Whether `cost` for `tasks` tasks is no more than their part of it.
    pub(super) fn admits(
        &mut self,
        turn: &Turn<'_, '_>,
        work: WorkRef,
        (cost, tasks): (Money, u32),
    ) -> bool {
        if cost <= Money::ZERO {
            return true;
        }
        let part = |most: Money| most.nanos() * i128::from(tasks);
        let cost = cost.nanos() * i128::from(self.tasks);
        self.most(turn, work).is_none_or(|most| cost <= part(most))
    }
}

/// A part that picks nothing beyond a limit.
#[derive(Debug)]
pub struct LimitedPlace<'p, 'l> {
    /// The place part that picks.
    pub part: &'p mut dyn Place,
    /// The limit on what it picks.
    pub limit: CostLimit<'l>,
}

impl Place for LimitedPlace<'_, '_> {
    fn needs(&self) -> Needs {
        self.part.needs()
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Option<Share> {
        self.part.pick_below(turn, work, reach, &mut self.limit)
    }

    fn admits(&mut self, turn: &Turn<'_, '_>, work: WorkRef, offer: Id<Offer>) -> bool {
        self.part.admits(turn, work, offer)
    }

    fn weighs(&self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        self.part.weighs(turn, work)
    }
}
