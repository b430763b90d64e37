//! Reasons against each offer, for those who ask.

use super::demand::{OnDemand, Site};
use super::ranking::OfferRanking;
use crate::model::{Market, Offer};
use crate::policy::turn::Turn;
use crate::state::{DecisionNote, ExpectedCost, LaunchRefusal, OfferRejection, WorkRef};
use crate::units::Id;

/// An offer, and what speaks against it before anything is rented.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighed {
    offer: Id<Offer>,
    why: Option<OfferRejection>,
    /// Expected cost; `None` of an offer that is no candidate.
    expected: Option<ExpectedCost>,
}

impl OnDemand {
    /// Reason why each offer would not be taken; `None` if another may just be better. `joined` is of
    /// a gang that is there in part: its site, and its instances.
    pub(super) fn weigh(
        &self,
        turn: &Turn<'_, '_>,
        ranking: &OfferRanking,
        work: WorkRef,
        joined: Option<(&Site, u32)>,
    ) -> Vec<Weighed> {
        let live = turn.work(work);
        let (world, ask, tasks) = (turn.world(), live.ask, live.waiting);
        let (rules, left) = (turn.rules(ask.rules), self.left(turn));
        let mut quotes = vec![None; world.offers.len()];
        for one in &ranking.candidates {
            let quote = one.quote(&ask, tasks);
            let (cost, instances) = (quote.cost, quote.instances);
            let there = joined.map_or(0, |(_, there)| there);
            quotes[one.offer.row()] = Some(ExpectedCost { cost, instances, there });
        }
        let weigh = |(offer, facts): (Id<Offer>, &Offer)| {
            let Some(expected) = quotes[offer.row()] else {
                let why = if facts.market == Market::Owned {
                    OfferRejection::Owned
                } else if !self.reach.scope.admits(world, offer) {
                    OfferRejection::Scope
                } else if !rules.allows(offer) {
                    OfferRejection::NotAllowed
                } else if !self.reach.is_open(facts.market) {
                    OfferRejection::Market
                } else {
                    OfferRejection::TooSmall
                };
                return Weighed { offer, why: Some(why), expected: None };
            };
            let needed = if ask.gang { u64::from(expected.instances) } else { 1 };
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
            let apart = joined.filter(|(site, _)| !site.admits(turn.site(work, offer)));
            let why = apart.map(|_| OfferRejection::Apart).or(refused);
            Weighed { offer, why, expected: Some(expected) }
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
        for &Weighed { offer, why, expected } in weighed {
            let taken = expected.filter(|_| chosen.contains(&offer));
            let note = match taken {
                Some(expected) => DecisionNote::OfferChosen { offer, expected },
                None => {
                    let why = why.unwrap_or(OfferRejection::Dearer);
                    DecisionNote::OfferRejected { offer, why, expected }
                }
            };
            turn.note(work, note);
        }
    }
}
