//! Renting under a cap: launches for which a budget has no room are refused, whatever part rents.

use super::{Allowed, Provision, Provisioned, Reach};
use crate::model::Offer;
use crate::policy::due::Alarm;
use crate::policy::place::Place;
use crate::policy::turn::{Trigger, Turn};
use crate::state::{InstanceRef, SpendingCap, WaitReason, WorkRef};
use crate::units::{Id, Money, Span, Time};

/// A provision part whose launches the budgets cap.
#[derive(Debug)]
pub struct CappedProvision {
    inner: Box<dyn Provision>,
    cap: SpendingCap,
    /// Rings when a period begins, for those who wait for it.
    alarm: Alarm,
    /// Periods that had begun when it was last asked.
    begun: u64,
}

impl CappedProvision {
    /// `inner` under a cap.
    pub fn new(inner: Box<dyn Provision>, cap: SpendingCap) -> Self {
        Self { inner, cap, alarm: Alarm::default(), begun: 0 }
    }

    /// Rents for `work`, as `how` does, with its tenant as who pays.
    fn rent_for<T>(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        how: impl FnOnce(&mut dyn Provision, &mut Turn<'_, '_>) -> T,
    ) -> T {
        turn.rent_for(Some(work));
        let done = how(&mut *self.inner, turn);
        turn.rent_for(None);
        done
    }
}

/// First moment at which budgets have room for a launch that `work` lacks now, as far as can be seen;
/// `None` where they never will, and where they have.
pub(super) fn budgets_open(turn: &Turn<'_, '_>, reach: &Reach, work: WorkRef) -> Option<Time> {
    turn.cap()?;
    let tenant = Some(turn.work(work).ask.tenant);
    let opens = |(offer, needed)| turn.cap_opens_at(offer, tenant, needed);
    short_offers(turn, reach, work).into_iter().filter_map(opens).min()
}

/// Offers that `work` could use if budgets had room for as many launches as it needs, with that number.
fn short_offers(turn: &Turn<'_, '_>, reach: &Reach, work: WorkRef) -> Vec<(Id<Offer>, u64)> {
    let live = turn.work(work);
    let (world, tenant) = (turn.world(), live.ask.tenant);
    let usable = |&offer: &Id<Offer>| reach.supplies(world, offer) && turn.could_hold(work, offer);
    let needed = |offer: Id<Offer>| {
        let each = world.type_of(offer).shape.holds(live.ask.demand).max(1);
        let needed = if live.ask.gang { u64::from(live.waiting.div_ceil(each)) } else { 1 };
        (offer, needed)
    };
    let is_short = |&(offer, needed): &(Id<Offer>, u64)| {
        turn.cap_room_for(offer, Some(tenant)).is_some_and(|(room, _)| room < needed)
    };
    world.offers.ids().filter(usable).map(needed).filter(is_short).collect()
}

impl Provision for CappedProvision {
    fn reach(&self) -> Reach {
        self.inner.reach()
    }

    fn overflow_after(&self) -> Option<Span> {
        self.inner.overflow_after()
    }

    fn weighs_price(&self) -> bool {
        self.inner.weighs_price()
    }

    fn follows_instances(&self) -> bool {
        self.inner.follows_instances()
    }

    fn keeps_all(&self) -> bool {
        self.inner.keeps_all()
    }

    fn keeps(&self, turn: &Turn<'_, '_>, instance: InstanceRef) -> bool {
        self.inner.keeps(turn, instance)
    }

    fn carries(&mut self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        self.inner.carries(turn, work)
    }

    fn needs_tenants(&self) -> bool {
        self.inner.needs_tenants()
    }

    fn begin(&mut self, turn: &mut Turn<'_, '_>) {
        if turn.cap().is_none() {
            turn.set_cap(self.cap);
        }
        self.inner.begin(turn);
    }

    fn react(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        self.inner.react(triggers, turn);
    }

    fn review(&mut self, turn: &mut Turn<'_, '_>) {
        self.inner.review(turn);
    }

    fn supply(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) -> Provisioned {
        let done = self.rent_for(turn, work, |inner, turn| inner.supply(turn, work));
        if done != Provisioned::None(WaitReason::NothingToRent) || turn.cap().is_none() {
            return done;
        }
        if let Some(at) = budgets_open(turn, &self.inner.reach(), work) {
            self.alarm.set(turn, at);
        }
        Provisioned::None(self.lack(turn, work))
    }

    fn complete(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        place: &mut dyn Place,
        allowed: &mut Allowed<'_>,
    ) -> bool {
        self.rent_for(turn, work, |inner, turn| inner.complete(turn, work, place, allowed))
    }

    fn quote(&mut self, turn: &Turn<'_, '_>, work: WorkRef, tasks: u32) -> Option<Money> {
        self.inner.quote(turn, work, tasks)
    }

    fn lack(&self, turn: &Turn<'_, '_>, work: WorkRef) -> WaitReason {
        match short_offers(turn, &self.inner.reach(), work).is_empty() {
            true => WaitReason::NothingToRent,
            false => WaitReason::OverBudget,
        }
    }

    fn may_rent_more(&mut self, turn: &Turn<'_, '_>) -> bool {
        let begun = turn.periods_begun();
        std::mem::replace(&mut self.begun, begun) != begun
    }
}
