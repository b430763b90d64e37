//! Rents what is cheapest while budgets have room for it, and gives back what is used least while they
//! have not.

use std::cmp::Reverse;

use super::capped::CappedProvision;
use super::demand::{OfferChoice, OnDemand, RENT, Search};
use super::ranking::{Quote, RankedOffer};
use super::{Allowed, Provision, ProvisionPart, Provisioned, Reach};
use crate::model::{Market, Offer, WorkKind};
use crate::part::Part;
use crate::policy::due::Alarm;
use crate::policy::place::Place;
use crate::policy::turn::{Trigger, Turn};
use crate::state::{
    AllocationRef, BudgetStanding, Instance, InstanceRef, SpendingCap, WaitReason, WorkRef,
};
use crate::units::{Id, Money, Span, Time};

/// How far ahead budgets are kept where the policy has no cap of its own.
const AHEAD: SpendingCap = SpendingCap { ahead: Span::HOUR };

/// Rents what is cheapest while budgets have room for it; gives back what is used least while they have
/// not.
pub static BUDGET_GREEDY: ProvisionPart = Part {
    name: "budget-greedy",
    doc: "Rents the lowest price per hour of what fits and can be had, under a cap as the part `cap` `budget` is, an hour ahead unless that part says otherwise. Where what is spent of a budget in all or of a provider, with what everything costs in the time ahead, passes it, the instance that is used least goes, and its jobs wait again (see budgets.md).",
    parameters: RENT,
    make: |settings| {
        let rent = Box::new(OnDemand::new(LowestPrice, settings));
        let rent = CappedProvision::new(rent, AHEAD);
        Box::new(BudgetGreedy { rent, alarm: Alarm::default() })
    },
};

/// The lowest price per hour; ties go to the lower expected cost, then to the fewest instances, then to
/// the lower offer id.
#[derive(Clone, Copy, Debug)]
struct LowestPrice;

impl OfferChoice for LowestPrice {
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        let price = |(one, quote): &(&RankedOffer, Quote)| {
            (one.rate, quote.cost, quote.instances, one.offer)
        };
        search.quotes(turn).min_by_key(price)
    }

    fn weighs_price(&self) -> bool {
        false
    }
}

/// Rents under a cap, and gives back to keep it.
#[derive(Debug)]
pub(super) struct BudgetGreedy {
    rent: CappedProvision,
    /// Rings when a budget will be passed.
    alarm: Alarm,
}

impl BudgetGreedy {
    /// Gives instances back while a budget is passed and there are any to give back.
    fn keep_budgets(turn: &mut Turn<'_, '_>, rent: &mut CappedProvision) {
        let rows = turn.budgets().count();
        for row in 0..rows {
            while let Some(standing) = turn.budget(row)
                && turn.is_overcommitted(&standing)
                && let Some(instance) = least_used(turn, &standing, rent)
            {
                empty(turn, instance);
                turn.release(instance).expect("a rented, empty instance can be given back");
            }
        }
    }
}

/// The rented instance whose charges count for the budget that is used least, and may go: of equals the dearest,
/// then the youngest. Virtual machines stay.
fn least_used(
    turn: &Turn<'_, '_>,
    standing: &BudgetStanding<'_>,
    rent: &mut CappedProvision,
) -> Option<InstanceRef> {
    let counts = |&(_, one): &(InstanceRef, &Instance)| {
        one.market != Market::Owned
            && one.phase.takes_work()
            && turn.counts_for(standing, one.offer, None)
    };
    let rank = |one: &Instance| (one.used(), Reverse(one.meter().rate()), Reverse(one.ordinal));
    let mut all: Vec<_> = turn.instances().filter(counts).collect();
    all.sort_unstable_by_key(|&(_, one)| rank(one));
    all.into_iter().map(|(reference, _)| reference).find(|&one| can_go(turn, one, rent))
}

/// Whether any rented instance lives whose charges count for the budget.
fn rents_for(turn: &Turn<'_, '_>, standing: &BudgetStanding<'_>) -> bool {
    let world = turn.world();
    let counts = |&offer: &Id<Offer>| {
        world.offers[offer].market != Market::Owned
            && turn.offer(offer).live > 0
            && turn.counts_for(standing, offer, None)
    };
    world.offers.ids().any(|offer| counts(&offer))
}

/// Whether only jobs are on an instance, and none that another part carries.
fn can_go(turn: &Turn<'_, '_>, instance: InstanceRef, rent: &mut CappedProvision) -> bool {
    let mut tenants = Vec::new();
    turn.tenants(instance, &mut tenants);
    !rent.keeps(turn, instance)
        && tenants.iter().all(|&one| turn.work(turn.allocation(one).work()).kind == WorkKind::Job)
}

/// Takes all tasks off an instance.
fn empty(turn: &mut Turn<'_, '_>, instance: InstanceRef) {
    let mut tenants: Vec<AllocationRef> = Vec::new();
    turn.tenants(instance, &mut tenants);
    for one in tenants {
        turn.preempt(one).expect("what holds an instance can be preempted");
    }
}

impl Provision for BudgetGreedy {
    fn reach(&self) -> Reach {
        self.rent.reach()
    }

    fn overflow_after(&self) -> Option<Span> {
        self.rent.overflow_after()
    }

    fn weighs_price(&self) -> bool {
        self.rent.weighs_price()
    }

    fn needs_tenants(&self) -> bool {
        true
    }

    fn begin(&mut self, turn: &mut Turn<'_, '_>) {
        self.rent.begin(turn);
    }

    fn react(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        self.rent.react(triggers, turn);
    }

    fn review(&mut self, turn: &mut Turn<'_, '_>) {
        Self::keep_budgets(turn, &mut self.rent);
        // Who could give nothing back need not look.
        let could = |standing: &BudgetStanding<'_>| rents_for(turn, standing);
        let next: Option<Time> =
            turn.budgets().filter(could).filter_map(|one| turn.overcommits_at(&one)).min();
        if let Some(at) = next {
            self.alarm.set(turn, at);
        }
    }

    fn supply(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) -> Provisioned {
        self.rent.supply(turn, work)
    }

    fn complete(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        place: &mut dyn Place,
        allowed: &mut Allowed<'_>,
    ) -> bool {
        self.rent.complete(turn, work, place, allowed)
    }

    fn quote(&mut self, turn: &Turn<'_, '_>, work: WorkRef, tasks: u32) -> Option<Money> {
        self.rent.quote(turn, work, tasks)
    }

    fn lack(&self, turn: &Turn<'_, '_>, work: WorkRef) -> WaitReason {
        self.rent.lack(turn, work)
    }

    fn may_rent_more(&mut self, turn: &Turn<'_, '_>) -> bool {
        self.rent.may_rent_more(turn)
    }
}
