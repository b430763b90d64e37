//! Numbers of tasks with which a gang can run, and how fast it comes on with each.

use crate::model::Speedup;
use crate::units::Span;

/// Numbers of tasks with which a gang can run, and how fast it comes on with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GangSizes {
    /// Fewest tasks, at least one.
    pub(super) fewest: u32,
    /// All of them.
    pub(super) whole: u32,
    pub(super) speedup: Speedup,
    /// Speed of the machines, in millionths.
    pub(super) speed: u32,
}

impl GangSizes {
    /// Work done in a microsecond with so many tasks, in units of joint progress; none without tasks.
    pub(super) fn rate(&self, tasks: u32) -> i128 {
        i128::from(self.speedup.rate(tasks, self.whole)) * i128::from(self.speed)
    }

    /// Most tasks that are worth while: more are no faster.
    pub(super) fn most(&self) -> u32 {
        self.first(|rate| rate >= self.rate(self.whole)).unwrap_or(self.whole)
    }

    /// The gang that runs with its most tasks or not at all.
    pub(super) fn rigid(&self) -> Self {
        Self { fewest: self.most(), ..*self }
    }

    /// The fewest tasks whose rate is such, if those of more are too.
    fn first(&self, is_such: impl Fn(i128) -> bool) -> Option<u32> {
        let (mut below, mut above) = (self.fewest, self.whole.saturating_add(1));
        while below < above {
            let middle = u32::midpoint(below, above);
            match is_such(self.rate(middle)) {
                true => above = middle,
                false => below = middle + 1,
            }
        }
        (below <= self.whole).then_some(below)
    }

    /// Time that so many tasks take for `work`, rounded up.
    pub(super) fn time_for(&self, work: i128, tasks: u32) -> Span {
        let (work, rate) = (work.max(0), self.rate(tasks).max(1));
        let micros = work / rate + i128::from(work % rate > 0);
        Span::from_micros(i64::try_from(micros).unwrap_or(i64::MAX / 4))
    }

    /// The next larger number of tasks that is worth while, and what it does more at the speed of the
    /// reference machine; `None` if none does. The first is the fewest. Where speedup is linear all tasks
    /// are worth as much as the first.
    pub(super) fn next(&self, tasks: u32) -> Option<(u32, u64)> {
        let rate = |tasks: u32| self.speedup.rate(tasks, self.whole);
        let next = match self.speedup.is_linear() {
            true => Some(self.whole),
            false => Some((tasks + 1).max(self.fewest)),
        };
        let grows = |next: &u32| *next <= self.whole && rate(*next) > rate(tasks);
        // Rates of very large gangs are rounded: some tasks more make the next step.
        let next = next.filter(grows).or_else(|| self.first(|found| found > self.rate(tasks)));
        next.map(|next| (next, rate(next) - rate(tasks)))
    }
}
