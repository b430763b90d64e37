//! What will be out in the run of a seed, whatever its policy does.

use super::faults::{FaultEvent, FaultMachines, Faults};
use crate::halt;
use crate::model::World;
use crate::state::strike;
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
    let slots = world.offers.rows().iter().map(|offer| offer.running_at_start as usize);
    let mut slots: Vec<Vec<StruckMachine>> =
        slots.map(|all| vec![StruckMachine::default(); all]).collect();
    let mut machines = |ribbon: &mut FaultRibbon,
                        now: Time,
                        (fault, struck): (usize, FaultMachines),
                        fails: bool| {
        let gpus = world.gpus_of(struck.offer);
        let slots = &mut slots[struck.offer.row()];
        let all = slots.len() as u32;
        let last = struck.first.saturating_add(struck.slots).min(all);
        for slot in struck.first..last {
            let target = &mut slots[slot as usize];
            let before = target.out(gpus);
            let effect = world.faults[fault].effect;
            if effect.stops_machines() {
                target.down = if fails { target.down + 1 } else { target.down - 1 };
            } else if effect.breaks_devices() {
                strike(&mut target.broken_by, (fault, struck.devices), fails);
            }
            let share = target.out(gpus) - before;
            if share != 0.0 {
                ribbon.machine(now, (struck.offer, slot), all, share);
            }
        }
    };
    let mut looks = 0_u64;
    while let Some(now) = faults.at().filter(|&at| at < until) {
        let share = |fault: usize| world.faults[fault].domain.share();
        match faults.pop(world)? {
            FaultEvent::Fails { fault, machines: Some(struck), .. } => {
                machines(&mut ribbon, now, (fault, struck), true);
            }
            FaultEvent::Returns { fault, machines: Some(struck) } => {
                machines(&mut ribbon, now, (fault, struck), false);
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

/// What holds an owned machine, or parts of it.
#[derive(Clone, Debug, Default)]
struct StruckMachine {
    /// Faults that hold it down.
    down: u32,
    /// Rows of the faults that break devices of it, each with those.
    broken_by: Vec<(u32, u32)>,
}

impl StruckMachine {
    /// Share of the machine, of `gpus` devices, that is out, from 0 to 1.
    fn out(&self, gpus: u32) -> f64 {
        if self.down > 0 {
            return 1.0;
        }
        let broken = self.broken_by.iter().fold(0, |broken, &(_, devices)| broken | devices);
        let all = 1_u64.checked_shl(gpus).map_or(u64::MAX, |next| next - 1);
        f64::from((u64::from(broken) & all).count_ones()) / f64::from(gpus.max(1))
    }
}
