//! How much faster more tasks of a gang come on.

/// Millionths in one.
const ONE: u32 = 1_000_000;

/// Speedup of a gang by the number of its tasks, by Amdahl's law: a part of its work can be divided
/// among them, the rest takes as long with however many. The default is linear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Speedup {
    /// The part that cannot be divided, in millionths of the time that one task takes.
    serial: u32,
}

impl Speedup {
    /// Twice as fast with twice the tasks.
    pub const LINEAR: Self = Self { serial: 0 };

    /// Of work of which this part can be divided, in millionths, at most all.
    pub const fn amdahl(parallel: u32) -> Self {
        Self { serial: ONE - if parallel < ONE { parallel } else { ONE } }
    }

    /// The part that can be divided, in millionths.
    pub const fn parallel(self) -> u32 {
        ONE - self.serial
    }

    /// Whether it is linear.
    pub const fn is_linear(self) -> bool {
        self.serial == 0
    }

    /// Rate of `tasks` of a gang of `whole`, as a whole number: their number where speedup is linear, else
    /// the speedup `n / (n s + p)` (Amdahl, 1967) in millionths, rounded down, or in a coarser unit that
    /// keeps the rate of all below 2^32.
    pub fn rate(self, tasks: u32, whole: u32) -> u64 {
        if self.is_linear() {
            return tasks.into();
        }
        let unit = ONE.min(u32::MAX / (self.of(whole, 1) as u32 + 1));
        self.of(tasks, unit)
    }

    /// Speedup of `tasks` in this part of one, rounded down. It is no more than their number and than
    /// a million.
    fn of(self, tasks: u32, unit: u32) -> u64 {
        let tasks = u128::from(tasks);
        let time = tasks * u128::from(self.serial) + u128::from(self.parallel());
        // No tasks take no time where nothing can be divided.
        (tasks * u128::from(ONE) * u128::from(unit) / time.max(1)) as u64
    }

    /// The least time of all tasks together that a gang can take which may go on with `fewest` of its
    /// `whole` tasks, as the number of tasks that would hold it for as long as all of them take: a
    /// smaller gang takes longer, by less than it is smaller. In millionths, rounded down.
    pub fn least_held(self, fewest: u32, whole: u32) -> u64 {
        let time =
            |tasks: u32| u128::from(tasks) * u128::from(self.serial) + u128::from(self.parallel());
        // fewest S(whole) / S(fewest), where n / S(n) is that time.
        (u128::from(whole) * u128::from(ONE) * time(fewest) / time(whole)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With four fifths of the work divided, 4 tasks are 2.5 times as fast, 16 are 4 times; and no
    /// number is more than 5 times.
    #[test]
    fn the_rest_takes_as_long_with_however_many() {
        let speedup = Speedup::amdahl(800_000);
        let rates = [1, 2, 4, 16].map(|tasks| speedup.rate(tasks, 16));
        assert_eq!(rates, [1_000_000, 1_666_666, 2_500_000, 4_000_000]);
        assert_eq!(speedup.rate(u32::MAX, u32::MAX), 4_999_999);
        assert_eq!([1, 7].map(|tasks| Speedup::amdahl(0).rate(tasks, 7)), [1_000_000; 2]);
        assert_eq!([1, 7].map(|tasks| Speedup::LINEAR.rate(tasks, 7)), [1, 7]);
        assert_eq!(Speedup::amdahl(1_000_000), Speedup::default());
        assert_eq!(Speedup::amdahl(2_000_000).parallel(), 1_000_000);
    }

    /// Rates times the fastest machine fit in 64 bits, and the unit is fine where that leaves room.
    #[test]
    fn rates_of_the_largest_gangs_fit() {
        for parallel in [0, 1, 500_000, 999_900, 999_999] {
            let speedup = Speedup::amdahl(parallel);
            for whole in [1, 2, 1_000, 1_000_000, u32::MAX] {
                assert!(speedup.rate(whole, whole) <= u32::MAX.into(), "{parallel} {whole}");
            }
        }
        // 4,000 tasks, a speedup of 3,984: in millionths. 1,000,000 of them, 500,000: in 8,589ths.
        let speedup = Speedup::amdahl(999_999);
        assert_eq!(speedup.rate(1, 4_000), 1_000_000);
        assert_eq!(speedup.rate(1, 1_000_000), 8_589);
    }

    /// Rates grow with the number of tasks, each by no more than the one before it, but for the
    /// rounding; and who is held least is the smallest gang.
    #[test]
    fn speedup_is_concave() {
        for parallel in (0..=ONE).step_by(50_000) {
            let speedup = Speedup::amdahl(parallel);
            let rates: Vec<u64> = (0..=64).map(|tasks| speedup.rate(tasks, 64)).collect();
            for three in rates.windows(3) {
                assert!(three[0] <= three[1] && three[1] <= three[2]);
                assert!(three[2] - three[1] <= three[1] - three[0] + 1, "{parallel}");
            }
            let least = speedup.least_held(1, 64);
            for tasks in 1..=64_u64 {
                let held = tasks * u64::from(ONE) * rates[64] / rates[tasks as usize];
                assert!(least <= held + 1, "{parallel}: {tasks}");
            }
        }
    }

    /// 4 tasks at 2.5 for an hour, or one for 2.5 hours.
    #[test]
    fn small_gangs_hold_less() {
        assert_eq!(Speedup::amdahl(800_000).least_held(1, 4), 2_500_000);
        assert_eq!(Speedup::amdahl(800_000).least_held(4, 4), 4_000_000);
        assert_eq!(Speedup::LINEAR.least_held(1, 4), 4_000_000);
    }
}
