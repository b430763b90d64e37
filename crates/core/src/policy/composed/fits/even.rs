//! Number of tasks that spread evenly over zones.

/// Room of one zone that could hold tasks of some work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ZoneRoom {
    /// Tasks that owned instances hold.
    owned: u64,
    /// Tasks that rented instances hold.
    rented: u64,
    /// Tasks that one rented instance holds, at most.
    each: u64,
}

impl ZoneRoom {
    pub(super) fn add_owned(&mut self, tasks: u64) {
        self.owned = self.owned.saturating_add(tasks);
    }

    pub(super) fn add_rented(&mut self, each: u64, tasks: u64) {
        self.rented = self.rented.saturating_add(tasks);
        self.each = self.each.max(each);
    }

    /// Whether owned instances of the zone hold any task.
    pub(super) fn is_owned(&self) -> bool {
        self.owned > 0
    }

    /// Number of tasks that the zone holds in all.
    pub(super) fn holds(&self) -> u64 {
        self.owned.saturating_add(self.rented)
    }

    /// Instances to rent in the zone for `tasks` tasks, which are no more than it holds.
    fn instances(&self, tasks: u64) -> u64 {
        tasks.saturating_sub(self.owned).div_ceil(self.each.max(1))
    }
}

/// Most tasks that lie in `zones`, no zone with more than one above another, on so many
/// rented instances.
pub(super) fn most(zones: &[ZoneRoom], instances: u64) -> u64 {
    let Some(fewest) = zones.iter().map(ZoneRoom::holds).min() else { return 0 };
    // Each zone has as many as the fullest one holds, and some have one more.
    let (mut fits, mut beyond) =
        (0_u64, (zones.len() as u64).saturating_mul(fewest.saturating_add(1)));
    while beyond - fits > 1 {
        let tasks = fits + (beyond - fits) / 2;
        if lies(zones, instances, tasks) { fits = tasks } else { beyond = tasks }
    }
    fits
}

/// Whether `tasks` tasks lie in `zones` so.
fn lies(zones: &[ZoneRoom], instances: u64, tasks: u64) -> bool {
    let (each, more) = (tasks / zones.len() as u64, (tasks % zones.len() as u64) as usize);
    if zones.iter().any(|zone| zone.holds() < each) {
        return false;
    }
    let least = zones.iter().fold(0_u64, |sum, zone| sum.saturating_add(zone.instances(each)));
    let able = zones.iter().filter(|zone| zone.holds() > each);
    let mut added: Vec<u64> =
        able.map(|zone| zone.instances(each + 1) - zone.instances(each)).collect();
    added.sort_unstable();
    added.len() >= more
        && added[..more].iter().fold(least, |sum, &one| sum.saturating_add(one)) <= instances
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rented(each: u64, instances: u64) -> ZoneRoom {
        ZoneRoom { owned: 0, rented: each * instances, each }
    }

    #[test]
    fn zones_differ_by_one_task_at_most() {
        let owned = ZoneRoom { owned: 3, ..ZoneRoom::default() };
        let cases = [
            // One machine for two zones, then one each, and a second for one of them.
            (vec![rented(4, 9); 2], 1, 1),
            (vec![rented(4, 9); 2], 2, 8),
            (vec![rented(4, 9); 2], 3, 9),
            (vec![rented(4, 9); 2], 0, 0),
            // A zone without room keeps all others at one.
            (vec![rented(4, 9), ZoneRoom::default(), rented(1, 1)], 9, 2),
            // 3 owned in one, 2 rented in the other: 3 and 2, then the other has no room.
            (vec![owned, rented(1, 2)], 9, 5),
            (vec![owned, rented(1, 2)], 1, 3),
            (vec![owned, owned], 0, 6),
            (vec![], 9, 0),
            (vec![rented(u64::MAX, 1)], 1, u64::MAX - 1),
        ];
        for (zones, instances, want) in cases {
            assert_eq!(most(&zones, instances), want, "{zones:?} {instances}");
        }
    }
}
