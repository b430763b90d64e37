//! Renting the missing part of a gang that fits only partly on what is there.

use super::{Mix, OnDemand, Site};
use crate::model::Spread;
use crate::policy::place::Place;
use crate::policy::provision::Allowed;
use crate::policy::provision::ranking::OfferRanking;
use crate::policy::turn::Turn;
use crate::state::{AllocationRef, OfferSet, Share, WorkRef};

/// A gang that is being placed where `place` picks within `reach`.
struct Joining<'j, 'a> {
    work: WorkRef,
    ranking: &'j OfferRanking,
    place: &'j mut dyn Place,
    allowed: &'j mut Allowed<'a>,
    reach: OfferSet,
    /// Shares that it holds of instances that were there.
    taken: Vec<Share>,
    /// Ordinal of the first instance that was rented for it.
    rented_from: u32,
}

impl OnDemand {
    /// Places a gang where `place` picks, rents what is missing in the same site, and
    /// starts it, or does nothing. If that fails in one site, another is tried.
    pub(super) fn rent_missing(
        &mut self,
        turn: &mut Turn<'_, '_>,
        ranking: &OfferRanking,
        work: WorkRef,
        (place, allowed): (&mut dyn Place, &mut Allowed<'_>),
    ) -> bool {
        let reach = turn.take_reach();
        let mut gang = Joining {
            work,
            ranking,
            place,
            allowed,
            reach,
            taken: Vec::new(),
            rented_from: u32::MAX,
        };
        let done = loop {
            let Some(first) = gang.place.pick(turn, work, &gang.reach) else { break false };
            let offer = turn.instance(first.instance).offer;
            let mut mixes = [Mix::Many, Mix::Fewest].into_iter();
            if mixes.any(|mix| self.join(turn, &mut gang, first, mix)) {
                break true;
            }
            if turn.stop_reason().is_some() || !turn.pass_site(work, offer, &mut gang.reach) {
                break false;
            }
        };
        turn.put_reach(gang.reach);
        done
    }

    /// The same in the site of the `first` share.
    fn join(
        &mut self,
        turn: &mut Turn<'_, '_>,
        gang: &mut Joining<'_, '_>,
        first: Share,
        mix: Mix,
    ) -> bool {
        let (work, ranking) = (gang.work, gang.ranking);
        let offer = turn.instance(first.instance).offer;
        let mut site = Site { chosen: turn.site(work, offer), ..Site::default() };
        let mut weighed = None;
        let joined = turn.attempt(|turn| {
            let opened = turn.open(work);
            gang.taken.clear();
            gang.rented_from = u32::MAX;
            gang.take(turn, opened, Some(first));
            weighed = turn.explaining().then(|| {
                let mut there: Vec<_> = gang.taken.iter().map(|share| share.instance).collect();
                there.sort_unstable();
                there.dedup();
                self.weigh(turn, ranking, work, Some((&site, there.len() as u32)))
            });
            while turn.work(work).waiting > 0 {
                if !self.add_missing(turn, (ranking, work, opened), (mix, &mut site)) {
                    turn.abandon(opened);
                    return None;
                }
                let rented = self.rented.iter().map(|&(one, _)| turn.instance(one).ordinal);
                gang.rented_from = rented.fold(gang.rented_from, u32::min);
                gang.take(turn, opened, None);
            }
            turn.commit(opened).ok()?;
            (gang.allowed)(turn, &gang.taken).then_some(())
        });
        if joined.is_some() {
            self.pass_on(turn);
            if let Some(weighed) = weighed {
                self.explain(turn, work, &weighed);
            }
        }
        joined.is_some()
    }

    /// Rents for all tasks of the gang that are not in `opened` yet or, where zones
    /// matter, for the next. Returns whether it did.
    fn add_missing(
        &mut self,
        turn: &mut Turn<'_, '_>,
        (ranking, work, opened): (&OfferRanking, WorkRef, AllocationRef),
        (mix, site): (Mix, &mut Site),
    ) -> bool {
        let spread = turn.rules(turn.work(work).ask.rules).spread;
        let (left, whole) = match spread {
            Spread::Zones | Spread::EvenZones => (self.left(turn).min(1), false),
            Spread::None | Spread::Instances => (self.left(turn), true),
        };
        let missing = self.rent(turn, ranking, work, (mix, site, left));
        if self.rented.is_empty() || whole && missing > 0 {
            return false;
        }
        self.fill(turn, work, opened)
    }
}

impl Joining<'_, '_> {
    /// Adds tasks on instances that are there, `first` and as many as fit after it.
    fn take(&mut self, turn: &mut Turn<'_, '_>, opened: AllocationRef, first: Option<Share>) {
        let mut next = first;
        while turn.work(self.work).waiting > 0
            && let Some(share) =
                next.take().or_else(|| self.place.pick(turn, self.work, &self.reach))
            && turn.add(opened, share).is_ok()
        {
            if turn.instance(share.instance).ordinal < self.rented_from {
                self.taken.push(share);
            }
        }
    }
}
