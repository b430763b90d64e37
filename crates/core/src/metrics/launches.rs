//! Instances that were asked for: how many, and how many there were at once.

use crate::model::World;
use crate::state::{Exit, LaunchRefusal, State};

/// Counts launches, and those that were refused.
#[derive(Clone, Debug, Default)]
pub(super) struct Launches {
    pub(super) launched: u64,
    /// Most instances at once.
    pub(super) live_max: u64,
    /// Refused launches by row of the quota, and by capacity.
    refused_by_quota: Vec<u64>,
    refused_by_capacity: u64,
    /// Instances that their provider took back, or ended at their age limit.
    pub(super) reclaimed: u64,
    /// Times that an instance failed.
    pub(super) failed: u64,
    /// Times that a device broke that worked.
    pub(super) failed_devices: u64,
    /// Both by row of the fault.
    by_cause: Vec<u64>,
    refused_by_outage: u64,
    refused_by_price: u64,
    refused_by_throttle: u64,
    refused_by_budget: u64,
    /// Launches that came to nothing.
    pub(super) unready: u64,
}

impl Launches {
    pub(super) fn requested(&mut self, state: &State<'_>) {
        self.launched += 1;
        self.live_max = self.live_max.max(state.instance_count() as u64);
    }

    pub(super) fn refused(&mut self, state: &State<'_>, why: LaunchRefusal) {
        match why {
            LaunchRefusal::Quota(row) => {
                self.refused_by_quota.resize(state.world().quotas.len(), 0);
                self.refused_by_quota[row] += 1;
            }
            LaunchRefusal::Capacity => self.refused_by_capacity += 1,
            LaunchRefusal::Price => self.refused_by_price += 1,
            LaunchRefusal::Throttle => self.refused_by_throttle += 1,
            LaunchRefusal::Budget(_) => self.refused_by_budget += 1,
            LaunchRefusal::Outage => self.refused_by_outage += 1,
        }
    }

    /// A machine fails, or so many devices.
    pub(super) fn fails(&mut self, state: &State<'_>, fault: usize, count: u64) {
        self.by_cause.resize(state.world().faults.len(), 0);
        self.by_cause[fault] += count;
    }

    /// Failures of machines and devices by the name of their fault, in the order of the world.
    pub(super) fn failed_by_cause(&self, world: &World) -> Vec<(String, u64)> {
        let mut all: Vec<(String, u64)> = Vec::new();
        for (fault, &count) in world.faults.iter().zip(&self.by_cause).filter(|row| *row.1 > 0) {
            match all.iter_mut().find(|(name, _)| *name == fault.name) {
                Some((_, sum)) => *sum += count,
                None => all.push((fault.name.clone(), count)),
            }
        }
        all
    }

    pub(super) fn ended(&mut self, exit: Exit) {
        match exit {
            Exit::Reclaimed | Exit::Stopped | Exit::Expired => self.reclaimed += 1,
            Exit::NotLaunched => self.unready += 1,
            Exit::Returned | Exit::Failed | Exit::RunOver => {}
        }
    }

    /// Takes away what `earlier` added up.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        self.launched -= earlier.launched;
        for (mine, theirs) in self.refused_by_quota.iter_mut().zip(&earlier.refused_by_quota) {
            *mine -= theirs;
        }
        self.refused_by_capacity -= earlier.refused_by_capacity;
        self.refused_by_price -= earlier.refused_by_price;
        self.refused_by_throttle -= earlier.refused_by_throttle;
        self.refused_by_budget -= earlier.refused_by_budget;
        self.unready -= earlier.unready;
        self.refused_by_outage -= earlier.refused_by_outage;
        self.reclaimed -= earlier.reclaimed;
        self.failed -= earlier.failed;
        self.failed_devices -= earlier.failed_devices;
        for (mine, theirs) in self.by_cause.iter_mut().zip(&earlier.by_cause) {
            *mine -= theirs;
        }
    }

    /// Refused launches by the quota's name, or `capacity`, `max price`, `outage`, `throttle` or `budget`.
    pub(super) fn refused_by_reason(&self, world: &World) -> Vec<(String, u64)> {
        let quotas = world.quotas.iter().map(|quota| quota.name.clone());
        let by_quota = quotas.zip(self.refused_by_quota.iter().copied());
        let others = [
            ("capacity", self.refused_by_capacity),
            ("max price", self.refused_by_price),
            ("outage", self.refused_by_outage),
            ("throttle", self.refused_by_throttle),
            ("budget", self.refused_by_budget),
        ];
        let all = by_quota.chain(others.map(|(name, count)| (name.to_owned(), count)));
        all.filter(|&(_, count)| count > 0).collect()
    }
}
