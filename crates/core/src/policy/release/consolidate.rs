//! Moves tasks together, so that instances become empty and are given back.

use super::idle::{AFTER, IdleRelease};
use super::{Release, ReleasePart};
use crate::model::{Manner, Market};
use crate::part::{Parameter, Part, Setting, SettingKind};
use crate::policy::migrate::shares_elsewhere;
use crate::policy::place::Place;
use crate::policy::provision::Provision;
use crate::policy::turn::Turn;
use crate::state::{AllocationRef, Instance, InstanceRef, Phase, Share};
use crate::units::{Span, Time};

const EVERY: Parameter = Parameter {
    name: "every",
    kind: SettingKind::SpanAboveZero,
    default: Setting::Span(Span::from_secs(600)),
    doc: "Time from a look at what could move to the next, at the earliest.",
};
const MANNER: Parameter = Parameter {
    name: "manner",
    kind: SettingKind::Word(&["migrate", "live-migrate"]),
    default: Setting::Word("live-migrate"),
    doc: "Tasks stand still while they move (`migrate`), or compute while they are copied.",
};

/// Tasks are moved together, and instances that have been idle for a time are given back.
pub static CONSOLIDATE: ReleasePart = Part {
    name: "consolidate",
    doc: "As `idle`; and while nobody waits, all tasks of the rented instance that is used least move to others that are used, if all of them fit there.",
    parameters: &[AFTER, EVERY, MANNER],
    make: |settings| {
        let idle = IdleRelease::new(settings.span(AFTER.name).unwrap_or(Span::ZERO));
        let every = settings.span(EVERY.name).unwrap_or(Span::HOUR);
        let manner = match settings.word(MANNER.name) {
            "migrate" => Manner::Cold,
            _ => Manner::Live,
        };
        Some(Box::new(Consolidation { idle, every, manner, next: None }))
    },
};

/// Instances that are looked at at once, those that are used least.
const MOST_TRIED: usize = 8;

/// Moves tasks together. It looks when something happens, and no more often than it is to: whatever
/// makes room ends or starts work.
#[derive(Debug)]
pub struct Consolidation {
    idle: IdleRelease,
    every: Span,
    manner: Manner,
    /// Time of the next look; `None` before the first.
    next: Option<Time>,
}

impl Release for Consolidation {
    fn decide(
        &mut self,
        turn: &mut Turn<'_, '_>,
        provision: &mut dyn Provision,
        place: &mut dyn Place,
    ) {
        self.idle.give_back(turn, provision);
        let now = turn.now();
        if turn.totals().waiting > 0 || self.next.is_some_and(|next| now < next) {
            return;
        }
        self.next = Some(now.saturating_add(self.every));
        for instance in least_used(turn, provision) {
            if self.empty(turn, provision, place, instance) {
                return;
            }
        }
    }

    fn needs_tenants(&self) -> bool {
        true
    }
}

impl Consolidation {
    /// Moves all tasks off an instance, if all of them may move and fit elsewhere, and stay for longer
    /// than that takes by their estimates. Returns whether they do.
    fn empty(
        &self,
        turn: &mut Turn<'_, '_>,
        provision: &mut dyn Provision,
        place: &mut dyn Place,
        instance: InstanceRef,
    ) -> bool {
        let mut tenants = Vec::new();
        turn.tenants(instance, &mut tenants);
        let mut may_move = |&one: &AllocationRef| {
            let target = turn.allocation(one);
            let alone = target.held.iter().all(|held| held.share.instance == instance);
            alone && turn.can_migrate(one) && !provision.carries(turn, target.work())
        };
        if !tenants.iter().all(&mut may_move) {
            return false;
        }
        let Some(found) = shares_elsewhere(place, turn, &tenants, &[instance]) else {
            return false;
        };
        let is_worth_it = |(&one, shares): (&AllocationRef, &Vec<Share>)| {
            let time = turn.migration_cost(one, shares, self.manner).time();
            let stays = turn.allocation(one).estimated_end > turn.now().saturating_add(time);
            stays && shares.iter().all(|share| is_used(turn.instance(share.instance)))
        };
        if !tenants.iter().zip(&found).all(is_worth_it) {
            return false;
        }
        for (&one, shares) in tenants.iter().zip(&found) {
            turn.migrate(one, shares, self.manner).expect("there was room a moment ago");
        }
        true
    }
}

/// Whether an instance is kept anyway: it is owned, or holds work.
const fn is_used(instance: &Instance) -> bool {
    match instance.market {
        Market::Owned => true,
        Market::OnDemand | Market::Spot => instance.allocations > 0,
    }
}

/// Rented instances that hold work and could be given back, those that are used least first.
fn least_used(turn: &Turn<'_, '_>, provision: &dyn Provision) -> Vec<InstanceRef> {
    let could_go = |&(reference, instance): &(InstanceRef, &Instance)| {
        instance.market != Market::Owned
            && instance.phase == Phase::Running
            && instance.allocations > 0
            && !provision.keeps(turn, reference)
    };
    let mut rows: Vec<_> = turn
        .instances()
        .filter(could_go)
        .map(|(reference, instance)| (instance.used(), instance.ordinal, reference))
        .collect();
    rows.sort_unstable_by_key(|&(used, ordinal, _)| (used, ordinal));
    rows.into_iter().take(MOST_TRIED).map(|(.., reference)| reference).collect()
}
