//! Limits on the places of a part: what renting would cost, and what others keep.

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
    refused: bool,
}

impl<'l> CostLimit<'l> {
    /// No limit.
    pub(super) fn none() -> Self {
        Self { provision: None, tasks: 0, most: None, refused: false }
    }

    /// Limit by the cost at which `provision` would rent for `tasks` tasks.
    pub fn new(provision: &'l mut dyn Provision, tasks: u32) -> Self {
        Self { provision: Some(provision), tasks, most: None, refused: false }
    }

    /// The most that all tasks may cost; `None` without a limit.
    fn most(&mut self, turn: &Turn<'_, '_>, work: WorkRef) -> Option<Money> {
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
        let admits = self.most(turn, work).is_none_or(|most| cost <= part(most));
        self.refused |= !admits;
        admits
    }

    /// Whether a place was left out for its cost.
    pub fn has_refused(&self) -> bool {
        self.refused
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

    fn joins(&self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        self.part.joins(turn, work)
    }

    fn pick_joined(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        reach: &OfferSet,
        _: &mut CostLimit<'_>,
    ) -> Option<Share> {
        self.part.pick_joined(turn, work, reach, &mut self.limit)
    }

    fn takes(&mut self, turn: &Turn<'_, '_>, work: WorkRef, share: Share) -> bool {
        let cost = self.part.extra_cost(turn, work, share);
        self.part.takes(turn, work, share) && self.limit.admits(turn, work, (cost, share.tasks))
    }

    fn extra_cost(&self, turn: &Turn<'_, '_>, work: WorkRef, share: Share) -> Money {
        self.part.extra_cost(turn, work, share)
    }
}

/// A part that picks only where others keep the instance for longer.
#[derive(Debug)]
pub struct JoinedPlace<'p> {
    /// The place part that picks.
    pub part: &'p mut dyn Place,
}

impl Place for JoinedPlace<'_> {
    fn needs(&self) -> Needs {
        self.part.needs()
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Option<Share> {
        self.part.pick_joined(turn, work, reach, &mut CostLimit::none())
    }
}
