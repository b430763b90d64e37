//! Reasons against each offer, for those who ask.

use super::demand::OnDemand;
use super::ranking::OfferRanking;
use crate::model::Offer;
use crate::policy::turn::Turn;
use crate::state::{DecisionNote, LaunchRefusal, OfferRejection, WorkRef};
use crate::units::{Id, Money};

/// An offer, what speaks against it before anything is rented, and its cost.
pub(super) type Weighed = (Id<Offer>, Option<OfferRejection>, Money);

impl OnDemand {
    /// Reason why each offer would not be taken; `None` if another may just be better.
    pub(super) fn weigh(
        &self,
        turn: &Turn<'_, '_>,
        shelf: &OfferRanking,
        work: WorkRef,
    ) -> Vec<Weighed> {
        let live = turn.work(work);
        let (world, ask, tasks) = (turn.world(), live.ask, live.waiting);
        let (rules, left) = (turn.rules(ask.rules), self.left(turn));
        let mut quotes = vec![None; world.offers.len()];
        for one in &shelf.candidates {
            quotes[one.offer.row()] = Some((one, one.quote(&ask, tasks).cost));
        }
        let weigh = |(offer, facts): (Id<Offer>, &Offer)| {
            let Some((one, cost)) = quotes[offer.row()] else {
                let why = if !self.reach.scope.admits(world, offer) {
                    OfferRejection::Scope
                } else if !rules.allows(offer) {
                    OfferRejection::NotAllowed
                } else if !self.reach.is_open(facts.market) {
                    OfferRejection::Market
                } else {
                    OfferRejection::TooSmall
                };
                return (offer, Some(why), Money::ZERO);
            };
            let needed = if ask.gang { u64::from(one.instances(tasks)) } else { 1 };
            let (room, limit) = turn.launch_room(offer);
            let refused = match (room < needed, self.reach.max_instances) {
                (true, _) => {
                    let why = limit.unwrap_or(LaunchRefusal::Capacity);
                    Some(match room {
                        0 => OfferRejection::Launch(why),
                        _ => OfferRejection::TooFew(why),
                    })
                }
                (false, Some(most)) if left < needed => Some(OfferRejection::MaxInstances(most)),
                (false, _) => None,
            };
            (offer, refused, cost)
        };
        world.offers.iter().map(weigh).collect()
    }

    /// Notes what was chosen and why nothing else was; once for work for which
    /// nothing can be rented, however often that is tried.
    pub(super) fn explain(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, weighed: &[Weighed]) {
        if self.rented.is_empty() && self.explained.replace(work) == Some(work) {
            return;
        }
        let chosen: Vec<_> = self.rented.iter().map(|&(one, _)| turn.instance(one).offer).collect();
        for &(offer, why, cost) in weighed {
            let note = if chosen.contains(&offer) {
                DecisionNote::OfferChosen { offer, cost }
            } else {
                let why = why.unwrap_or(OfferRejection::Dearer);
                DecisionNote::OfferRejected { offer, why, cost }
            };
            turn.note(work, note);
        }
    }
}
