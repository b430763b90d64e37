//! Progress of running tasks, as a value.

use super::CheckpointCycle;
use crate::units::{Span, Time};

/// Progress of tasks that have come equally far. Amounts are per task, or of all tasks of a gang
/// together that can go on with fewer (`State::joint_tasks`), in millionths of a microsecond on the
/// reference machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Progress made before `since`.
    pub done: i128,
    /// Part of it that stays whatever happens to the tasks.
    pub saved: i128,
    /// Progress made in a microsecond: the speed in millionths of the reference machine.
    pub rate: u64,
    /// Time from which it grows at that rate; it may lie ahead, while input is read.
    pub since: Time,
    /// Checkpoints that the tasks write; `None` if they write none.
    pub cycle: Option<CheckpointCycle>,
    /// Progress at the beginning of a write that was under way at `since`.
    begun: i128,
}

impl Progress {
    /// Progress of tasks that go on from what they have saved.
    pub const fn from_saved(saved: i128, rate: u64, since: Time) -> Self {
        Self { done: saved, saved, rate, since, cycle: None, begun: saved }
    }

    /// The same of tasks that have made so much more than they have saved.
    #[must_use]
    pub const fn carrying(self, more: i128) -> Self {
        Self { done: self.done + more, ..self }
    }

    /// The same of tasks that write checkpoints. The cycle begins no later than the progress.
    #[must_use]
    pub const fn writing(self, cycle: Option<CheckpointCycle>) -> Self {
        Self { cycle, ..self }
    }

    /// Progress made until `now`.
    pub fn done_at(&self, now: Time) -> i128 {
        self.done + i128::from(self.computed(now).micros()) * i128::from(self.rate)
    }

    /// Time computed since `since`.
    fn computed(&self, now: Time) -> Span {
        match &self.cycle {
            Some(cycle) if now > self.since => cycle.computed_between(self.since, now),
            Some(_) | None => (now - self.since).max(Span::ZERO),
        }
    }

    /// Time since `since` in which the tasks stood still to write checkpoints.
    pub fn stood(&self, now: Time) -> Span {
        (now - self.since).max(Span::ZERO) - self.computed(now)
    }

    /// Progress that stays whatever happens to the tasks at `now`.
    pub fn saved_at(&self, now: Time) -> i128 {
        let Some(cycle) = self.cycle.filter(|_| now > self.since) else { return self.saved };
        match cycle.last_written(now) {
            Some(begun) if begun >= self.since => self.saved.max(self.done_at(begun)),
            Some(begun) if cycle.last_written(self.since) != Some(begun) => {
                self.saved.max(self.begun)
            }
            Some(_) | None => self.saved,
        }
    }

    /// Counts what was made until `now` as done.
    pub fn settle(&mut self, now: Time) {
        if now <= self.since {
            return;
        }
        let begun = self.cycle.and_then(|cycle| cycle.last_begun(now));
        let begun = begun.filter(|&begun| begun >= self.since);
        let begun = begun.map_or(self.begun, |begun| self.done_at(begun));
        (self.done, self.saved) = (self.done_at(now), self.saved_at(now));
        (self.begun, self.since) = (begun, now);
    }

    /// Goes on at another rate from `now` on.
    pub fn set_rate(&mut self, rate: u64, now: Time) {
        self.settle(now);
        self.rate = rate;
    }

    /// Saves what was made until `now`.
    pub fn save(&mut self, now: Time) {
        self.settle(now);
        self.saved = self.done;
    }

    /// Falls back to what was saved. Returns what is lost.
    pub fn fall_back(&mut self, now: Time) -> i128 {
        self.settle(now);
        let lost = self.done - self.saved;
        (self.done, self.begun) = (self.saved, self.saved);
        lost
    }

    /// Time at which it comes to `total` at this rate, rounded up to a microsecond: `since` if it
    /// has got there. `None` if it stands still before that.
    #[inline(always)]
    pub fn eta(&self, total: i128) -> Option<Time> {
        let left = (total - self.done).max(0);
        (left == 0 || self.rate > 0).then(|| match &self.cycle {
            Some(cycle) if left > 0 => cycle.after(self.since, span_at(left, self.rate)),
            Some(_) | None => self.since.saturating_add(span_at(left, self.rate)),
        })
    }

    /// Whether it comes to `total` at `at`, as [`Progress::eta`] has it.
    #[inline(always)]
    pub fn comes_to(&self, total: i128, at: Time) -> bool {
        let (left, rate) = (total - self.done, i128::from(self.rate));
        // There is just time for it: found by multiplying, many times faster than by dividing.
        let possible = i128::from((at - self.since).micros()) * rate;
        let just = 0 <= left && left <= possible && possible - rate < left;
        just && self.cycle.is_none() || self.eta(total) == Some(at)
    }
}

/// Time for `work` on the reference machine at a speed in millionths, rounded up: whoever
/// runs as long as estimated ends when the estimate says.
pub fn run_length(work: Span, speed: u32) -> Span {
    span_at(i128::from(work.micros()) * 1_000_000, speed.into())
}

/// `left / speed`, rounded up; most of it fits in a word, which divides several times faster.
#[inline(always)]
pub(super) fn span_at(left: i128, speed: u64) -> Span {
    let speed = speed.max(1);
    if let Ok(left) = u64::try_from(left) {
        return span_of(left.div_ceil(speed));
    }
    let speed = i128::from(speed);
    span_of(left.div_euclid(speed) + i128::from(left.rem_euclid(speed) > 0))
}

fn span_of(micros: impl TryInto<i64>) -> Span {
    Span::from_micros(micros.try_into().unwrap_or(i64::MAX / 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Checkpoint;

    const fn at(micros: i64) -> Time {
        Time::from_micros(micros)
    }

    /// Half as fast again as the reference machine, from 100 us on.
    const FAST: Progress = Progress::from_saved(0, 1_500_000, at(100));

    #[test]
    fn progress_grows_from_its_start_on() {
        let done = [0, 100, 101, 110].map(|now| FAST.done_at(at(now)));
        assert_eq!(done, [0, 0, 1_500_000, 15_000_000]);
        let resumed = Progress { done: 7, saved: 7, ..FAST };
        assert_eq!(resumed.done_at(at(101)), 1_500_007);
    }

    #[test]
    fn settling_changes_no_progress_and_no_end() {
        for now in [0, 100, 105, 400] {
            let mut settled = FAST;
            settled.settle(at(now));
            assert_eq!(settled.done_at(at(500)), FAST.done_at(at(500)));
            assert_eq!(settled.eta(1_000_000_000), FAST.eta(1_000_000_000));
            assert_eq!(settled.since, at(now.max(100)));
        }
    }

    #[test]
    fn a_rate_changes_in_the_middle() {
        let mut slowed = FAST;
        slowed.set_rate(500_000, at(110));
        // 10 us at 1.5 and 10 us at 0.5.
        assert_eq!(slowed.done_at(at(120)), 20_000_000);
        assert_eq!(slowed.eta(20_000_000), Some(at(120)));
        slowed.set_rate(0, at(120));
        assert_eq!(slowed.done_at(at(1_000)), 20_000_000);
        assert_eq!((slowed.eta(20_000_001), slowed.eta(20_000_000)), (None, Some(at(120))));
        // Before it starts, nothing is made at the old rate.
        let mut early = FAST;
        early.set_rate(1_000_000, at(50));
        assert_eq!(early.done_at(at(110)), 10_000_000);
    }

    #[test]
    fn what_is_saved_is_kept_and_the_rest_is_lost() {
        let mut one = FAST;
        assert_eq!(one.fall_back(at(110)), 15_000_000);
        assert_eq!((one.done, one.saved, one.since), (0, 0, at(110)));
        one.save(at(120));
        assert_eq!((one.done, one.saved), (15_000_000, 15_000_000));
        assert_eq!(one.fall_back(at(122)), 3_000_000);
        assert_eq!((one.done_at(at(122)), one.saved), (15_000_000, 15_000_000));
        assert_eq!(one.fall_back(at(122)), 0);
    }

    /// 30 us of computing and 10 us of writing, at 1.5.
    fn writing(blocking: bool) -> Progress {
        let checkpoint = Checkpoint { blocking, ..Checkpoint::blocking(Span::from_micros(10)) };
        let cycle = CheckpointCycle::new(Span::from_micros(30), checkpoint, FAST.since);
        FAST.writing(Some(cycle))
    }

    #[test]
    fn progress_is_saved_when_a_write_is_over() {
        let told = |one: Progress, now| {
            let (done, saved) = (one.done_at(at(now)), one.saved_at(at(now)));
            (done / 1_500_000, saved / 1_500_000, one.stood(at(now)).micros())
        };
        let blocks = [90, 130, 139, 140, 170, 180].map(|now| told(writing(true), now));
        assert_eq!(
            blocks,
            [(0, 0, 0), (30, 0, 0), (30, 0, 9), (30, 30, 10), (60, 30, 10), (60, 60, 20)]
        );
        let goes_on = [130, 139, 140, 170, 180].map(|now| told(writing(false), now));
        assert_eq!(goes_on, [(30, 0, 0), (39, 0, 0), (40, 30, 0), (70, 30, 0), (80, 70, 0)]);
        let mut failed = writing(false);
        assert_eq!(failed.fall_back(at(179)), 49 * 1_500_000);
        assert_eq!((failed.done, failed.saved), (30 * 1_500_000, 30 * 1_500_000));
    }

    #[test]
    fn settling_changes_nothing_of_what_is_written() {
        for blocking in [true, false] {
            let one = writing(blocking);
            let moments = (90..300).step_by(7);
            for (first, second) in moments.clone().flat_map(|now| [(now, now + 3), (now, now + 31)])
            {
                let mut settled = one;
                settled.settle(at(first));
                settled.settle(at(second));
                for later in (second..300).map(at) {
                    assert_eq!(settled.done_at(later), one.done_at(later));
                    assert_eq!(settled.saved_at(later), one.saved_at(later), "{second} {later:?}");
                }
                for total in
                    (0..400_000_000).step_by(7_500_001).filter(|&total| total > settled.done)
                {
                    assert_eq!(settled.eta(total), one.eta(total), "{settled:?}");
                }
            }
        }
    }

    #[test]
    fn what_a_write_saves_does_not_change_with_the_rate_after_it_began() {
        let mut slowed = writing(false);
        slowed.set_rate(500_000, at(135));
        assert_eq!(slowed.saved_at(at(140)), 45_000_000);
        assert_eq!(slowed.done_at(at(140)), 55_000_000);
        // 5 us at 1.5 and 35 us at 0.5 after the write began.
        assert_eq!(slowed.saved_at(at(180)), 45_000_000 + 7_500_000 + 17_500_000);
    }

    #[test]
    fn tasks_end_after_what_they_write_before() {
        for (total, end) in [(1, 101), (45_000_000, 130), (45_000_001, 141), (90_000_000, 170)] {
            let one = writing(true);
            assert_eq!(one.eta(total), Some(at(end)), "{total}");
            for now in 95..200 {
                assert_eq!(one.comes_to(total, at(now)), now == end, "{total} at {now}");
            }
        }
        assert_eq!(writing(false).eta(45_000_001), Some(at(131)));
    }

    #[test]
    fn nothing_ends_before_it_is_done() {
        for (total, end) in
            [(0, 100), (1, 101), (1_500_000, 101), (1_500_001, 102), (3_000_000, 102)]
        {
            assert_eq!(FAST.eta(total), Some(at(end)), "{total}");
            assert!(FAST.done_at(at(end)) >= total);
        }
        // Tasks that have made more than there is have ended.
        let over = Progress { done: 9, ..FAST };
        assert_eq!(over.eta(8), Some(at(100)));
        assert_eq!(FAST.eta(i128::MAX), Some(at(100 + i64::MAX / 4)));
        assert_eq!(run_length(Span::from_micros(3), 2_000_000), Span::from_micros(2));
    }

    #[test]
    fn what_is_multiplied_ends_when_what_is_divided_does() {
        let far = [i128::from(u64::MAX), i128::from(u64::MAX) + 9, i128::MAX / 2];
        for (rate, done) in [0, 1, 3, 1_500_000].into_iter().flat_map(|rate| [(rate, 0), (rate, 9)])
        {
            let one = Progress { rate, done, ..FAST };
            for total in (-20..40).chain([1_499_999, 1_500_000, 4_500_001]).chain(far) {
                let end = one.eta(total);
                let near = end.map_or(100, |end| end.micros());
                for micros in (80..140).chain(near.saturating_sub(2)..=near.saturating_add(2)) {
                    let comes = one.comes_to(total, at(micros));
                    assert_eq!(comes, end == Some(at(micros)), "{one:?} to {total} at {micros}");
                }
            }
        }
    }
}
