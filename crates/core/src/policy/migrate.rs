//! Where the tasks of an allocation would go if they moved: what the parts that move tasks share.

use super::place::{self, Place};
use super::turn::Turn;
use crate::state::{AllocationRef, Ending, InstanceRef, Phase, Share};

/// Finds shares for all tasks of some allocations, one after the other, on instances that are ready
/// and are none of `away`: those that the place part picks when the tasks have left. `None` where
/// those of any find no room. Nothing has happened afterwards.
pub(super) fn shares_elsewhere(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    allocations: &[AllocationRef],
    away: &[InstanceRef],
) -> Option<Vec<Vec<Share>>> {
    let mut found = None;
    turn.attempt(|turn| {
        for &instance in away {
            turn.shut(instance);
        }
        let all = allocations.iter().map(|&allocation| place_again(place, turn, allocation));
        found = all.collect();
        None::<()>
    });
    found
}

fn place_again(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    allocation: AllocationRef,
) -> Option<Vec<Share>> {
    let work = turn.allocation(allocation).work();
    // Who waits has found no room, and would be placed beside these.
    if turn.work(work).waiting > 0 {
        return None;
    }
    let before = turn.new_allocations().count();
    turn.end(allocation, Ending::Migrated);
    if !place::place_all(place, turn, work) {
        return None;
    }
    let new = turn.new_allocations().skip(before);
    let shares: Vec<Share> =
        new.flat_map(|one| turn.allocation(one).held.iter().map(|held| held.share)).collect();
    let is_ready = |share: &Share| turn.instance(share.instance).phase == Phase::Running;
    shares.iter().all(is_ready).then_some(shares)
}
