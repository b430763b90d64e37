//! Machines in systems that stand a few failures, and how long a system is up from when all its machines
//! are.

use crate::units::Time;

/// Systems of as many machines each, by slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Systems {
    /// Machines of each; 0 where nobody asks.
    size: u32,
    /// Machines that may be down.
    limit: u32,
    all: Vec<System>,
    /// Time from when all machines of a system were up to its failure, in microseconds, summed.
    time: i128,
    failures: i128,
}

#[derive(Clone, Copy, Debug)]
struct System {
    down: u32,
    /// Time from which it is up, all its machines at first; `None` from its failure until all are again.
    since: Option<Time>,
}

impl Systems {
    pub(super) fn new(size: u32, limit: u32) -> Self {
        Self { size, limit, ..Self::default() }
    }

    /// The machine in this slot failed, or works again.
    pub(super) fn change(&mut self, now: Time, slot: u32, fails: bool) {
        let Some(row) = slot.checked_div(self.size) else { return };
        let row = row as usize;
        if self.all.len() <= row {
            self.all.resize(row + 1, System { down: 0, since: Some(Time::ZERO) });
        }
        let system = &mut self.all[row];
        system.down = if fails { system.down + 1 } else { system.down - 1 };
        if system.down == 0 && system.since.is_none() {
            system.since = Some(now);
        } else if system.down > self.limit
            && let Some(since) = system.since.take()
        {
            self.time += i128::from((now - since).micros());
            self.failures += 1;
        }
    }

    /// Microseconds that a system is up in the mean. What was up at the end counts with its time.
    pub(super) fn mean(&self, end: Time) -> f64 {
        let still = self.all.iter().filter_map(|system| system.since);
        let still: i128 = still.map(|since| i128::from((end - since).micros())).sum();
        (self.time + still) as f64 / self.failures as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two of three: down from 5 to 7 and from 8 on alone, with another from 10 on, so it failed after
    /// 10 s. All are up again at 20, and then one is down at the end, at 26: 16 s in all, one failure.
    #[test]
    fn times_are_those_by_hand() {
        let mut systems = Systems::new(3, 1);
        let at = Time::from_secs;
        let changes = [(5, 3, true), (7, 3, false), (8, 4, true), (10, 5, true), (12, 3, true)];
        let repairs = [(15, 4, false), (18, 3, false), (20, 5, false), (25, 3, true)];
        for (secs, slot, fails) in changes.into_iter().chain(repairs) {
            systems.change(at(secs), slot, fails);
        }
        // The first system never failed: all 26 s count.
        assert_eq!(systems.mean(at(26)), (10.0 + 6.0 + 26.0) * 1e6);
    }
}
