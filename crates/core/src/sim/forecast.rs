//! What will be out in the run of a seed, whatever its policy does.

use super::faults::{FaultEvent, FaultMachines, Faults};
use crate::halt;
use crate::model::World;
use crate::units::Time;
use crate::units::stream::fnv1a;
use crate::weather::FaultRibbon;

/// Failures and repairs between two looks at whether to end.
const LOOK_EVERY: u64 = 1 << 12;

/// What will be out from `from` to `until` in the run of `seed`: outages, and owned machines that fail by
/// themselves. Rented machines fail only while somebody holds them. `None` if it was asked to end.
pub fn fault_ribbon(world: &World, seed: u64, (from, until): (Time, Time)) -> Option<FaultRibbon> {
    let keys: Vec<u64> =
        world.offers.rows().iter().map(|offer| fnv1a(offer.name.as_bytes())).collect();
    let mut faults = Faults::after(world, seed, from, &keys);
    let mut ribbon = FaultRibbon::new(from);
    // Faults that hold each slot of each offer down.
    let mut holds: Vec<Vec<u32>> =
        world.offers.rows().iter().map(|offer| vec![0; offer.running_at_start as usize]).collect();
    let mut machines = |ribbon: &mut FaultRibbon, now: Time, struck: FaultMachines, fails: bool| {
        let slots = &mut holds[struck.offer.row()];
        let all = slots.len() as u32;
        let last = struck.first.saturating_add(struck.slots).min(all);
        for slot in struck.first..last {
            let held = &mut slots[slot as usize];
            *held = if fails { *held + 1 } else { *held - 1 };
            if *held == u32::from(fails) {
                ribbon.machine(now, (struck.offer, slot), all, fails);
            }
        }
    };
    let mut looks = 0_u64;
    while let Some(now) = faults.at().filter(|&at| at < until) {
        let share = |fault: usize| world.faults[fault].domain.share();
        match faults.pop(world)? {
            FaultEvent::Fails { machines: Some(struck), .. } => {
                machines(&mut ribbon, now, struck, true);
            }
            FaultEvent::Returns { machines: Some(struck), .. } => {
                machines(&mut ribbon, now, struck, false);
            }
            FaultEvent::Fails { fault, machines: None, .. } => {
                ribbon.outage(now, fault, share(fault), true);
            }
            FaultEvent::Returns { fault, machines: None } => {
                ribbon.outage(now, fault, share(fault), false);
            }
        }
        looks += 1;
        if looks.is_multiple_of(LOOK_EVERY) && halt::asked() {
            return None;
        }
    }
    ribbon.end(until);
    Some(ribbon)
}
