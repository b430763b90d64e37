//! Numbers of tasks with which a gang can run, how fast it comes on with each, and what they draw.

use super::draws::GangDraws;
use crate::model::Speedup;
use crate::units::Span;

/// The part of what a number of tasks draws by which it must be less than a mix of others, to be one that
/// is worth while: below that it is rounding.
const ROUNDING: i128 = 1_000_000;

/// A number of tasks that is worth while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GangSize {
    pub(super) tasks: u32,
    /// How fast they come on at the speed of the reference machine.
    rate: u64,
    draw: u32,
}

impl GangSize {
    const NONE: Self = Self { tasks: 0, rate: 0, draw: 0 };
}

/// More tasks than there are: how many there are then, what they do more at the speed of the reference
/// machine, and what they draw more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GangStep {
    pub(super) tasks: u32,
    pub(super) more_work: u64,
    pub(super) more_draw: u32,
}

/// Numbers of tasks with which a gang can run, how fast it comes on with each, and what they draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GangSizes {
    /// All tasks.
    whole: u32,
    speedup: Speedup,
    /// Speed of the machines, in millionths.
    speed: u32,
    draws: GangDraws,
    /// Numbers of tasks that are worth while: of others a mix of these does as much for less. What they do
    /// more grows with what they draw more, ever more slowly.
    worth: Vec<GangSize>,
}

impl GangSizes {
    /// A gang that can run with `fewest` of its `whole` tasks, at least one, on machines of `speed`, in
    /// millionths.
    pub(super) fn new(
        (fewest, whole): (u32, u32),
        speedup: Speedup,
        speed: u32,
        draws: GangDraws,
    ) -> Self {
        let mut sizes = Self { whole, speedup, speed, draws, worth: Vec::new() };
        for tasks in fewest.max(1)..=whole {
            sizes.add(tasks);
        }
        sizes
    }

    /// Adds a larger number of tasks to those that are worth while: the lower convex hull of what sizes draw
    /// over their rates (Andrew, 1979).
    fn add(&mut self, tasks: u32) {
        let rate = self.speedup.rate(tasks, self.whole);
        let size = GangSize { tasks, rate, draw: self.draws.at(tasks) };
        while let Some(&last) = self.worth.last() {
            let before = self.worth.iter().rev().nth(1).copied().unwrap_or(GangSize::NONE);
            let is_no_faster = size.rate <= last.rate;
            if is_no_faster && size.draw >= last.draw {
                return;
            }
            if !is_no_faster && !is_mixed(before, last, size) {
                break;
            }
            self.worth.pop();
        }
        self.worth.push(size);
    }

    /// Work done in a microsecond with so many tasks, in units of joint progress; none without tasks.
    pub(super) fn rate(&self, tasks: u32) -> i128 {
        i128::from(self.speedup.rate(tasks, self.whole)) * i128::from(self.speed)
    }

    /// The most work done in a microsecond.
    pub(super) fn full_rate(&self) -> i128 {
        self.rate(self.whole)
    }

    /// Number of all tasks.
    #[cfg(test)]
    pub(super) const fn whole(&self) -> u32 {
        self.whole
    }

    /// What so many tasks draw.
    pub(super) fn draw(&self, tasks: u32) -> i128 {
        self.draws.at(tasks).into()
    }

    /// Speed of the machines, in millionths.
    pub(super) const fn speed(&self) -> u32 {
        self.speed
    }

    /// Most tasks that are worth while: more are no faster.
    pub(super) fn most(&self) -> u32 {
        self.worth.last().map_or(self.whole, |size| size.tasks)
    }

    /// The gang that runs with its most tasks or not at all.
    pub(super) fn rigid(&self) -> Self {
        let worth = self.worth.last().copied().into_iter().collect();
        Self { worth, draws: self.draws.clone(), ..*self }
    }

    /// Time that so many tasks take for `work`, rounded up.
    pub(super) fn time_for(&self, work: i128, tasks: u32) -> Span {
        let (work, rate) = (work.max(0), self.rate(tasks).max(1));
        let micros = work / rate + i128::from(work % rate > 0);
        Span::from_micros(i64::try_from(micros).unwrap_or(i64::MAX / 4))
    }

    /// The next larger number of tasks that is worth while; `None` if none is.
    pub(super) fn next(&self, tasks: u32) -> Option<GangStep> {
        let row = self.worth.partition_point(|size| size.tasks <= tasks);
        let before = row.checked_sub(1).map_or(GangSize::NONE, |row| self.worth[row]);
        self.worth.get(row).map(|next| GangStep {
            tasks: next.tasks,
            more_work: next.rate - before.rate,
            more_draw: next.draw.saturating_sub(before.draw),
        })
    }
}

/// Whether `size` lies on the line from `before` to `after` or above it, but for rounding: these two in turn do
/// as much as it and draw no more.
fn is_mixed(before: GangSize, size: GangSize, after: GangSize) -> bool {
    let difference = |more: u64, less: u64| i128::from(more) - i128::from(less);
    let (run, rise) =
        (difference(after.rate, before.rate), difference(after.draw.into(), before.draw.into()));
    let along = difference(size.rate, before.rate);
    // Each is less than 2^32, and so are the products than 2^84.
    let above = difference(size.draw.into(), before.draw.into()) * run - rise * along;
    above * ROUNDING >= -i128::from(size.draw) * run
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worth(speedup: Speedup, draws: Vec<i128>) -> Vec<u32> {
        let whole = draws.len() as u32 - 1;
        let sizes = GangSizes::new((1, whole), speedup, 1_000_000, GangDraws::of(draws));
        sizes.worth.iter().map(|size| size.tasks).collect()
    }

    /// Speedups of 1, 5/3, 15/7 and 5/2. On machines of two tasks that draw 10 at any load one task does 1 for
    /// 10 and two 5/3; the third does 10/21 more for 10, and with the fourth 5/6.
    #[test]
    fn tasks_that_fill_machines_are_worth_it() {
        let speedup = Speedup::amdahl(800_000);
        assert_eq!(worth(speedup, vec![0, 1, 2, 3, 4]), [1, 2, 3, 4]);
        assert_eq!(worth(speedup, vec![0, 10, 10, 20, 20]), [2, 4]);
        // 10 for one and 15 for two: 1/10 and 1/9 per unit.
        assert_eq!(worth(speedup, vec![0, 10, 15, 25, 30]), [2, 4]);
        // 10 for one and 8 more for two: .1 and .083; the third .048 and the fourth .045.
        assert_eq!(worth(speedup, vec![0, 10, 18, 28, 36]), [1, 2, 3, 4]);
        // Four on a large machine draw less than two on small ones.
        assert_eq!(worth(speedup, vec![0, 10, 20, 30, 15]), [4]);
        assert_eq!(worth(Speedup::LINEAR, vec![0, 333, 666, 1_000]), [2, 3]);
        let third = 333_333_333;
        assert_eq!(worth(Speedup::LINEAR, vec![0, third, 2 * third, 1_000_000_000]), [3]);
        assert_eq!(worth(Speedup::amdahl(0), vec![0, 5, 5, 4]), [3]);
        assert_eq!(worth(Speedup::amdahl(0), vec![0, 5, 5, 5]), [1]);
    }
}
