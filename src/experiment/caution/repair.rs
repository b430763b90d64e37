//! Cautions about what is broken: work that waits for it in vain, and repairs that take no time.

use super::CautionedRun;
use crate::model::{Fault, FaultDomain, FaultEffect, FaultTimes, Market, Offer};
use crate::problem::clip;
use crate::units::Id;

/// Work was left waiting for GPUs that nobody repairs.
pub(super) fn devices(run: &CautionedRun<'_>) -> Option<String> {
    let left = run.facts.lacking;
    if left == 0 {
        return None;
    }
    let mut told = format!(
        "{} left {left} {} of work waiting until the end for GPUs that are broken and not repaired.",
        clip(run.name),
        pieces(left)
    );
    let world = &run.scenario.world;
    let hit = |fault: &Fault, is_meant: &dyn Fn(&Id<Offer>) -> bool| {
        fault.effect == FaultEffect::Devices && fault.offers.iter().any(is_meant)
    };
    let any = |is_meant: &dyn Fn(&Id<Offer>) -> bool| {
        world.faults.iter().any(|fault| hit(fault, is_meant))
    };
    let is_owned = |offer: &Id<Offer>| world.offers[*offer].market == Market::Owned;
    let reach = run.policy.reach();
    if any(&is_owned) {
        told += " Those of an owned machine work again when the failure is over: a row of its trace without `until` never is.";
    }
    if any(&|offer| reach.rents(world, *offer)) {
        told += " Those of a rented machine are broken until it is given back: a fleet (`provision.static`) keeps it, \
                 `release` gives back what is idle.";
    }
    Some(told)
}

/// Work was left waiting for machines that nobody repairs.
pub(super) fn machines(run: &CautionedRun<'_>) -> Option<String> {
    let left = run.facts.lacking_machines;
    (left > 0).then(|| {
        format!(
            "{} left {left} {} of work waiting until the end, while machines that could hold tasks of it had failed and were \
             not repaired: a row of a trace of failures without `until` is never over.",
            clip(run.name),
            pieces(left)
        )
    })
}

/// Owned GPUs that break and work again in the same instant.
pub(super) fn at_once(runs: &[CautionedRun<'_>]) -> Vec<String> {
    let Some(run) = runs.first() else { return Vec::new() };
    let world = &run.scenario.world;
    let is_owned = |offer: &Id<Offer>| world.offers[*offer].market == Market::Owned;
    let takes_no_time = |fault: &&Fault| {
        fault.effect == FaultEffect::Devices
            && fault.offers.iter().any(is_owned)
            && match &fault.times {
                FaultTimes::Drawn { repair, .. } => repair.mean() == Some(0.0),
                FaultTimes::Listed(_) | FaultTimes::Periods(_) => false,
            }
    };
    let told = |fault: &Fault| {
        let what = match fault.domain {
            FaultDomain::Device => "a GPU",
            FaultDomain::Machines(_) | FaultDomain::Slots { .. } | FaultDomain::Share(_) => "GPUs",
        };
        format!(
            "`{}` breaks {what} of owned machines for no time, as it has no `repair`: work on them fails and starts again in \
             the same instant, and never ends where its runtime is longer than every life.",
            clip(&fault.name)
        )
    };
    world.faults.iter().filter(takes_no_time).map(told).collect()
}

const fn pieces(count: u64) -> &'static str {
    if count == 1 { "piece" } else { "pieces" }
}
