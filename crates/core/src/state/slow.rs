//! Machines on which tasks come on more slowly, and the rates of these tasks.

use super::devices::strike;
use super::transfers::{WHOLE, stretched};
use super::{AllocationRef, InstanceRef, Progress, State};
use crate::units::Span;

impl State<'_> {
    /// A fault of some devices, or of all, makes tasks on an instance slower from now on, or no longer.
    /// Returns whether that is new: not where others of its devices do.
    pub(crate) fn set_slow(
        &mut self,
        reference: InstanceRef,
        (fault, devices): (usize, u32),
        slow: bool,
    ) -> bool {
        let slowed = &mut self.fleet.instances[reference].slowed_by;
        let before = slowed.len();
        strike(slowed, (fault, devices), slow);
        slowed.len() != before
    }

    /// Speed at which the tasks of an allocation come on now, in millionths of the reference machine:
    /// that of its slowest instance, less what the worst of all faults takes away, and never nothing.
    pub fn pace(&self, allocation: AllocationRef) -> u32 {
        let target = &self.allocations[allocation];
        let machines = target.held.len();
        let faults = target.held.iter().flat_map(|held| {
            let instance = &self.fleet.instances[held.share.instance];
            instance.slowed_by.iter().map(|&(fault, _)| self.world.faults[fault as usize].effect)
        });
        let share = faults.map(|effect| effect.share_of_speed(machines)).min().unwrap_or(WHOLE);
        let pace = u64::from(target.speed) * u64::from(share) / u64::from(WHOLE);
        // A share of a speed is no more than that.
        (pace as u32).max(1)
    }

    /// Lets the started tasks of an allocation, which are to come to `total`, and their data go on at the
    /// speed that they have now. Returns whether it is another than before.
    pub(crate) fn change_pace(&mut self, allocation: AllocationRef, total: i128) -> bool {
        let now = self.now;
        let Some(mut progress) = self.progress(allocation) else { return false };
        let rate = self.rate_of(&self.allocations[allocation], self.pace(allocation));
        // Who has nothing left to do may read its input still.
        if progress.since <= now && progress.done_at(now) >= total {
            return self.change_network(allocation, progress.eta(total)).is_some();
        }
        let network = self.change_network(allocation, None);
        if progress.rate == rate && network.is_none() {
            return false;
        }
        let spent = self.overhead(allocation, || now);
        let ahead = (progress.since - now).max(Span::ZERO);
        let restore = self.left_to_restore(allocation).min(ahead);
        progress.set_rate(rate, now);
        let restore = match network {
            Some(shares) => self.put_off(allocation, &mut progress, restore, shares),
            None => restore,
        };
        self.settle_course(allocation, progress, spent, restore);
        true
    }

    /// The network of tasks that have not done their work goes from one share of its speed to another:
    /// what they read before they compute, for `restore` after their input, and the checkpoints that
    /// they write take as much longer or shorter from now on. Returns the time that replaces `restore`.
    fn put_off(
        &self,
        allocation: AllocationRef,
        progress: &mut Progress,
        restore: Span,
        (before, share): (u32, u32),
    ) -> Span {
        let (now, since) = (self.now, progress.since);
        let (from, to) = self.restore_shares(allocation, (before, share));
        let restore = stretched(restore, from, to);
        if since > now {
            let read = self.input_read(allocation).max(now);
            progress.since = read.saturating_add(restore);
        }
        let checkpoint = self.checkpoint(self.allocations[allocation].work());
        if let (Some(cycle), Some(checkpoint)) = (progress.cycle, checkpoint) {
            let write = stretched(checkpoint.write, WHOLE, share);
            progress.cycle = Some(match since > now {
                true => cycle.put_off(progress.since - since, write),
                false => cycle.going_on(now, write, (before, share)),
            });
        }
        restore
    }
}
