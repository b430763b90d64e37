//! Hours of work: what was of use, what was thrown away, and what checkpoints took.

#[cfg(test)]
mod tests;

use crate::state::Ending;
use crate::units::Demand;

/// Adds up progress times demand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WorkHours {
    /// Milli-cores, MiB, milli-GPUs by millionths of a microsecond.
    useful: [i128; 3],
    lost: [i128; 3],
    overhead: [i128; 3],
    pub(super) preemptions: u64,
    pub(super) interruptions: u64,
    pub(super) failures: u64,
    pub(super) migrations: u64,
}

/// Amounts that make one of each unit in which progress is told.
const PER_UNIT: [f64; 3] = [1e3, 1024.0, 1e3];

impl WorkHours {
    /// An allocation has ended of which so many such tasks made so much each.
    #[inline(always)]
    pub(super) fn stopped(
        &mut self,
        tasks: u32,
        demand: &Demand,
        ending: Ending,
        [useful, lost, overhead]: [i128; 3],
    ) {
        match ending {
            Ending::Preempted => self.preemptions += 1,
            Ending::Interrupted | Ending::Hibernated => self.interruptions += 1,
            Ending::Failed => self.failures += 1,
            Ending::Migrated => self.migrations += 1,
            Ending::Done | Ending::Cancelled | Ending::RunOver => {}
        }
        self.add(tasks, demand, [useful, lost, overhead]);
    }

    /// So many tasks made so much each.
    #[inline(always)]
    pub(super) fn add(&mut self, tasks: u32, demand: &Demand, [useful, lost, overhead]: [i128; 3]) {
        let amounts = [demand.cpu, demand.memory, demand.gpu_milli()];
        for (at, amount) in amounts.into_iter().enumerate() {
            if amount == 0 {
                continue;
            }
            let tasks = i128::from(u64::from(amount) * u64::from(tasks));
            self.useful[at] += useful * tasks;
            if lost != 0 {
                self.lost[at] += lost * tasks;
            }
            if overhead != 0 {
                self.overhead[at] += overhead * tasks;
            }
        }
    }

    /// Takes away what `earlier` added up.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        for at in 0..3 {
            self.useful[at] -= earlier.useful[at];
            self.lost[at] -= earlier.lost[at];
            self.overhead[at] -= earlier.overhead[at];
        }
        self.preemptions -= earlier.preemptions;
        self.interruptions -= earlier.interruptions;
        self.failures -= earlier.failures;
        self.migrations -= earlier.migrations;
    }

    /// Core-hours, GiB-hours and GPU-hours that were of use.
    pub(super) fn useful_hours(&self) -> [f64; 3] {
        hours(self.useful)
    }

    /// The same of those that were thrown away.
    pub(super) fn lost_hours(&self) -> [f64; 3] {
        hours(self.lost)
    }

    /// The same of those in which tasks read and wrote checkpoints.
    pub(super) fn overhead_hours(&self) -> [f64; 3] {
        hours(self.overhead)
    }
}

fn hours(integrals: [i128; 3]) -> [f64; 3] {
    std::array::from_fn(|at| integrals[at] as f64 / 1e6 / 3.6e9 / PER_UNIT[at])
}
