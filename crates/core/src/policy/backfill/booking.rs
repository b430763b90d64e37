//! Starts that leave every reservation in a plan alone.

use super::availability::{AvailabilityProfile, ReservedResources};
use super::{Pass, StartAttempt, start_tasks};
use crate::model::Spread;
use crate::policy::place::JoinedPlace;
use crate::policy::start::Rent;
use crate::policy::turn::Turn;
use crate::state::{AllocationRef, Instance, InstanceRef, Share, WorkRef};
use crate::units::{Demand, Time};

/// Starts the tasks of `hold` now, where the place part likes it if that leaves every reservation
/// alone, until its end and at least until `until`, otherwise where the plan has room for it. The
/// resources that they then hold are taken out of the plan. Returns how many have started.
pub(super) fn begin(
    pass: &mut Pass<'_, '_, '_, '_>,
    plan: &mut AvailabilityProfile,
    work: WorkRef,
    hold: &ReservedResources,
    until: Time,
) -> u32 {
    let before = pass.turn.work(work).waiting;
    pass.start(work, Rent::Instead, |place, turn| {
        let most = hold.tasks().saturating_sub(before - turn.work(work).waiting);
        let outcome =
            start_tasks(place, turn, (work, most), &mut |turn, made| book(plan, turn, made, until));
        let ReservedResources::Shares(demand, shares) = hold else { return outcome };
        // A start on the planned instances may break a spread where the plan does not know it.
        let ask = &turn.work(work).ask;
        let spreads = match turn.rules(ask.rules).spread {
            Spread::None => true,
            Spread::Instances | Spread::Zones => ask.gang,
            Spread::EvenZones => false,
        };
        if turn.work(work).waiting < before
            || !spreads
            || !fit_now(turn, *demand, shares)
            || !shares.iter().all(|&share| place.takes(turn, work, share))
        {
            return outcome;
        }
        let placed = turn.attempt(|turn| {
            let before = turn.work(work).allocations.len();
            if turn.work(work).ask.gang {
                turn.place(work, shares).ok()?;
            } else {
                shares.iter().try_for_each(|&share| turn.place(work, &[share])).ok()?;
            }
            book(plan, turn, &turn.work(work).allocations[before..], until).then_some(())
        });
        if placed.is_some() { StartAttempt::Yes } else { outcome }
    });
    before - pass.turn.work(work).waiting
}

/// Starts up to `most` waiting tasks now where others keep an instance for longer than they run,
/// which the plan does not count on, if that leaves every reservation alone.
pub(super) fn join(
    pass: &mut Pass<'_, '_, '_, '_>,
    plan: &mut AvailabilityProfile,
    (work, most): (WorkRef, u32),
    until: Time,
) -> StartAttempt {
    pass.start(work, Rent::Never, |part, turn| {
        let place = &mut JoinedPlace { part };
        start_tasks(place, turn, (work, most), &mut |turn, made| book(plan, turn, made, until))
    })
}

/// Takes what the allocations hold out of the plan, if it is free until their
/// estimated ends and `until`; otherwise the plan stays as it is.
fn book(
    plan: &mut AvailabilityProfile,
    turn: &Turn<'_, '_>,
    made: &[AllocationRef],
    until: Time,
) -> bool {
    let now = turn.now();
    let holds: Vec<(ReservedResources, Time)> = made
        .iter()
        .map(|&made| {
            let allocation = turn.allocation(made);
            let demand = turn.work(allocation.work()).ask.demand;
            (plan.hold_of(demand, allocation), allocation.estimated_end)
        })
        .collect();
    for (row, (hold, end)) in holds.iter().enumerate() {
        if !plan.is_free(hold, now, until.max(*end)) {
            holds[..row].iter().for_each(|(hold, end)| plan.give(hold, now, *end));
            return false;
        }
        plan.take(hold, now, *end);
    }
    true
}

/// Whether the instances have room for all shares, whatever the plan says:
/// work that overran its estimate is still there.
fn fit_now(turn: &Turn<'_, '_>, demand: Demand, shares: &[Share]) -> bool {
    let mut copies: Vec<(InstanceRef, Instance)> = Vec::new();
    shares.iter().all(|share| {
        let known = copies.iter().position(|(instance, _)| *instance == share.instance);
        let row = known.unwrap_or_else(|| {
            copies.push((share.instance, turn.instance(share.instance).clone()));
            copies.len() - 1
        });
        let fits = copies[row].1.can_take(demand, share.tasks, share.devices);
        if fits {
            copies[row].1.take(demand, share.tasks, share.devices);
        }
        fits
    })
}
