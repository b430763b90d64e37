//! Machines on which tasks come on more slowly, and the rates of these tasks.

use super::{AllocationRef, InstanceRef, State};
use crate::units::Span;

/// Speed that nothing takes away, in millionths.
const WHOLE: u32 = 1_000_000;

impl State<'_> {
    /// A fault makes tasks on an instance slower from now on, or no longer. Returns whether that is
    /// new.
    pub(crate) fn set_slow(&mut self, reference: InstanceRef, fault: usize, slow: bool) -> bool {
        let slowed = &mut self.fleet.instances[reference].slowed_by;
        let at = slowed.iter().position(|&other| other as usize == fault);
        match (at, slow) {
            (None, true) => slowed.push(fault as u32),
            (Some(at), false) => {
                slowed.swap_remove(at);
            }
            (None, false) | (Some(_), true) => return false,
        }
        true
    }

    /// Speed at which the tasks of an allocation come on now, in millionths of the reference machine:
    /// that of its slowest instance, less what the worst of all faults takes away, and never nothing.
    pub fn pace(&self, allocation: AllocationRef) -> u32 {
        let target = &self.allocations[allocation];
        let machines = target.held.len();
        let faults = target.held.iter().flat_map(|held| {
            let instance = &self.fleet.instances[held.share.instance];
            instance.slowed_by.iter().map(|&fault| self.world.faults[fault as usize].effect)
        });
        let share = faults.map(|effect| effect.share_of_speed(machines)).min().unwrap_or(WHOLE);
        let pace = u64::from(target.speed) * u64::from(share) / u64::from(WHOLE);
        // A share of a speed is no more than that.
        (pace as u32).max(1)
    }

    /// Lets the started tasks of an allocation, which have not come to `total`, go on at the speed that
    /// they have now. Returns whether it is another than before.
    pub(crate) fn change_pace(&mut self, allocation: AllocationRef, total: i128) -> bool {
        let now = self.now;
        let Some(mut progress) = self.progress(allocation) else { return false };
        let rate = self.rate_of(&self.allocations[allocation], self.pace(allocation));
        if progress.rate == rate || progress.done_at(now) >= total {
            return false;
        }
        let spent = self.overhead(allocation, || now);
        let ahead = (progress.since - now).max(Span::ZERO);
        progress.set_rate(rate, now);
        self.settle_course(allocation, progress, spent, ahead);
        true
    }
}
