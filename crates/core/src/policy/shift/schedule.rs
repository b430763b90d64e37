//! How many tasks of a gang run when, so that its work is done with the least of a quantity.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::sizes::{GangSizes, GangStep};
use crate::model::StepPath;
use crate::units::{Span, Time};

/// A shorter piece is none: it is what rounding left of one.
const LEAST_PIECE: Span = Span::from_micros(1_000);

/// A stretch of time with one number of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GangPiece {
    pub(super) from: Time,
    pub(super) until: Time,
    /// Number of tasks; 0 if the gang waits.
    pub(super) tasks: u32,
}

/// A step of the path, and how many tasks run in it.
#[derive(Clone, Copy, Debug)]
struct PathStep {
    from: Time,
    until: Time,
    /// The quantity that a unit of what tasks draw causes in a microsecond.
    value: i64,
    tasks: u32,
}

/// More tasks in a step of the path.
#[derive(Clone, Copy, Debug)]
struct Growth {
    row: usize,
    value: i64,
    more: GangStep,
}

impl Growth {
    /// Work per quantity, as a fraction; its numerator is greater than zero.
    fn worth(&self) -> (i128, i128) {
        (self.more.more_work.into(), i128::from(self.more.more_draw) * i128::from(self.value))
    }
}

impl Ord for Growth {
    /// More work per quantity is greater, and of equals the earlier.
    fn cmp(&self, other: &Self) -> Ordering {
        let ((work, cost), (other_work, other_cost)) = (self.worth(), other.worth());
        // Less than 2^32 times 2^32 times 2^63: it fits.
        let by_worth = (work * other_cost).cmp(&(other_work * cost));
        by_worth.then_with(|| other.row.cmp(&self.row))
    }
}

impl PartialOrd for Growth {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Growth {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Growth {}

/// Numbers of tasks over time, reused from one plan to the next.
#[derive(Debug, Default)]
pub(super) struct GangSchedule {
    steps: Vec<PathStep>,
    growths: BinaryHeap<Growth>,
    /// Without gaps from the begin of the window to its end.
    pub(super) pieces: Vec<GangPiece>,
}

impl GangSchedule {
    /// Gives `work` its tasks between `now` and `until`, which all of them can do in that time: tasks more,
    /// up to the next number that is worth while, where they do the most work per quantity of `path` that they
    /// cause; of equals the earliest (Hanafy and others, CarbonScaler, 2023, where each task more is worth
    /// while). No numbers of tasks over time need less of the quantity: in each step the least for so much
    /// work is convex. Returns whether there is time for all of the work.
    pub(super) fn fill(
        &mut self,
        path: &StepPath,
        (now, until): (Time, Time),
        sizes: &GangSizes,
        work: i128,
    ) -> bool {
        self.cut(path, now, until);
        self.growths.clear();
        for row in 0..self.steps.len() {
            self.offer(sizes, row);
        }
        let mut left = work;
        let mut part = None;
        while left > 0
            && let Some(best) = self.growths.pop()
        {
            let step = &mut self.steps[best.row];
            let length = step.until - step.from;
            let more_work = i128::from(best.more.more_work) * i128::from(sizes.speed());
            let micros = left / more_work + i128::from(left % more_work > 0);
            let needed = Span::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
            if needed < length && length - needed >= LEAST_PIECE {
                part = Some((best.row, best.more.tasks, needed));
                break;
            }
            step.tasks = best.more.tasks;
            left -= i128::from(length.micros()) * more_work;
            self.offer(sizes, best.row);
        }
        self.join(part);
        left <= 0 || part.is_some()
    }

    /// Cuts the window where the path changes.
    fn cut(&mut self, path: &StepPath, now: Time, until: Time) {
        self.steps.clear();
        let mut last = (now, path.at(now));
        for &(at, value) in path.between(now, until).iter().chain([&(until, 0)]) {
            let (from, before) = last;
            self.steps.push(PathStep { from, until: at, value: before.max(0), tasks: 0 });
            last = (at, value);
        }
    }

    /// More tasks can run in a step.
    fn offer(&mut self, sizes: &GangSizes, row: usize) {
        let PathStep { value, tasks, .. } = self.steps[row];
        if let Some(more) = sizes.next(tasks) {
            self.growths.push(Growth { row, value, more });
        }
    }

    /// Makes pieces of the steps. In one of them so many tasks run for only a part of it: the end where
    /// more run after it than in its rest, else the begin.
    fn join(&mut self, part: Option<(usize, u32, Span)>) {
        self.pieces.clear();
        for row in 0..self.steps.len() {
            let PathStep { from, until, tasks, .. } = self.steps[row];
            match part.filter(|&(in_row, ..)| in_row == row) {
                None => self.add(from, until, tasks),
                Some((_, more, length)) => {
                    let grows = self.steps.get(row + 1).is_some_and(|next| next.tasks > tasks);
                    let first = if grows { until - from - length } else { length };
                    let (early, late) = if grows { (tasks, more) } else { (more, tasks) };
                    self.add(from, from + first, early);
                    self.add(from + first, until, late);
                }
            }
        }
    }

    fn add(&mut self, from: Time, until: Time, tasks: u32) {
        match self.pieces.last_mut() {
            Some(last) if last.tasks == tasks => last.until = until,
            Some(_) | None => self.pieces.push(GangPiece { from, until, tasks }),
        }
    }
}

/// The quantity that the tasks of a piece cause.
pub(super) fn cost_of(path: &StepPath, sizes: &GangSizes, piece: &GangPiece) -> i128 {
    sizes.draw(piece.tasks) * (path.integral(piece.until) - path.integral(piece.from))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::draws::GangDraws;
    use super::super::slots::Slots;
    use super::super::starts::GangStarts;
    use super::*;
    use crate::model::Speedup;

    const fn hours(hours: i64) -> Time {
        Time::from_secs(3_600 * hours)
    }

    const fn span(hours: i64) -> Span {
        Span::from_secs(3_600 * hours)
    }

    /// Speedups of 1, 5/3, 15/7 and 5/2, in whole millionths.
    const FOUR_FIFTHS: Speedup = Speedup::amdahl(800_000);

    /// Gangs of so many tasks at the least and in all, of which each draws as much.
    fn even(fewest: u32, whole: u32, speedup: Speedup) -> GangSizes {
        GangSizes::new((fewest, whole), speedup, 1_000_000, GangDraws::even(whole))
    }

    /// Work that all tasks do in `run`.
    fn work_of(sizes: &GangSizes, run: Span) -> i128 {
        i128::from(run.micros()) * sizes.full_rate()
    }

    /// An hour of each value from 0 on.
    fn hourly(values: &[i64]) -> StepPath {
        StepPath::known(values[0], (0..).map(hours).zip(values.iter().copied()))
    }

    /// Pieces with tasks: from, until and how many, in microseconds.
    fn plan(values: &[i64], sizes: &GangSizes, run: Span) -> Vec<(i64, i64, u32)> {
        let mut schedule = GangSchedule::default();
        let window = (hours(0), hours(values.len() as i64));
        schedule.fill(&hourly(values), window, sizes, work_of(sizes, run));
        let pieces = schedule.pieces.iter().filter(|piece| piece.tasks > 0);
        pieces.map(|piece| (piece.from.micros(), piece.until.micros(), piece.tasks)).collect()
    }

    /// Work per carbon of the tasks from the first on is 1, .67, .48 and .36 where the value is 1; at 2 it
    /// is half of that, at 3 a third.
    #[test]
    fn tasks_run_where_they_do_most_per_carbon() {
        const HOUR: i64 = 3_600_000_000;
        let values = [5, 3, 9, 1, 4, 2, 7];
        let four = even(1, 4, FOUR_FIFTHS);
        // 2.5 hours of one task: 1.67 at 3, and the rest at 5, where the first does .5 and the third at 3
        // only .48.
        let one = plan(&values, &four, span(1));
        assert_eq!(one, [(3 * HOUR, 4 * HOUR, 2), (5 * HOUR, 5 * HOUR + 3_000_002_400, 1)]);
        // 5 hours: 2.5 at 3, one at 5 and at 1 (.333333 and a third), and then the second at 5 for the .5
        // that are left, at its begin.
        let part = 5 * HOUR + 2_700_002_701;
        let two = plan(&values, &four, span(2));
        let whole = (3 * HOUR, 4 * HOUR, 4);
        assert_eq!(two, [(HOUR, 2 * HOUR, 1), whole, (5 * HOUR, part, 2), (part, 6 * HOUR, 1)]);
        // No fewer than three do .71 each at 3 and .357142 at 5, and the fourth at 3 .357143.
        let three = even(3, 4, FOUR_FIFTHS);
        assert_eq!(plan(&values, &three, span(1)), [whole]);
        // Nobody more helps where nothing is divided.
        let none = even(1, 4, Speedup::amdahl(0));
        let alone = [(HOUR, 2 * HOUR, 1), (3 * HOUR, 4 * HOUR, 1), (5 * HOUR, 6 * HOUR, 1)];
        assert_eq!(plan(&values, &none, span(3)), alone);
        // What causes nothing is taken whole, and of equals the earliest.
        assert_eq!(plan(&[2, 0, 2], &four, span(1)), [(HOUR, 2 * HOUR, 4)]);
        assert_eq!(plan(&[2, 2, 2, 2], &none, span(2)), [(0, 2 * HOUR, 1)]);
    }

    /// A part of a step lies beside what runs after it.
    #[test]
    fn a_part_of_a_step_joins_what_follows() {
        const HOUR: i64 = 3_600_000_000;
        let linear = even(1, 4, Speedup::LINEAR);
        let run = Span::from_secs(5_400);
        assert_eq!(plan(&[2, 1, 3], &linear, run), [(HOUR / 2, 2 * HOUR, 4)]);
        assert_eq!(plan(&[3, 1, 2], &linear, run), [(HOUR, 5 * HOUR / 2, 4)]);
    }

    /// The least cost of all numbers of tasks by hours, where one of them has another number for a part of
    /// it: the corners of the linear programme, one of which is the best.
    fn least(values: &[i64], (fewest, sizes): &(u32, GangSizes), work: i128) -> f64 {
        let choices: Vec<u32> = std::iter::once(0).chain(*fewest..=sizes.whole()).collect();
        let draw = |tasks: u32| sizes.draw(tasks) as f64;
        let hour = span(1).micros() as f64;
        let mut least = f64::INFINITY;
        let all = choices.len().pow(values.len() as u32);
        for number in 0..all {
            let tasks =
                |row: usize| choices[number / choices.len().pow(row as u32) % choices.len()];
            let (mut done, mut cost) = (0.0, 0.0);
            for (row, &value) in values.iter().enumerate() {
                done += sizes.rate(tasks(row)) as f64 * hour;
                cost += draw(tasks(row)) * value as f64 * hour;
            }
            let left = work as f64 - done;
            if left <= 0.0 {
                least = least.min(cost);
                continue;
            }
            for (row, &value) in values.iter().enumerate() {
                for &more in choices.iter().filter(|&&more| more > tasks(row)) {
                    let gain = (sizes.rate(more) - sizes.rate(tasks(row))) as f64;
                    let time = left / gain;
                    if time <= hour {
                        let added = (draw(more) - draw(tasks(row))) * value as f64 * time;
                        least = least.min(cost + added);
                    }
                }
            }
        }
        least
    }

    type Instance = (Vec<i64>, (u32, GangSizes), Span);

    /// An hour of each value, a gang with its fewest tasks, and how long all of them would run. Machines take
    /// one to three tasks, and draw so many percent of their full power at no load.
    fn instance() -> impl Strategy<Value = Instance> {
        let values = prop::collection::vec(0..9_i64, 1..5);
        let sizes = (1..4_u32, 0..3_u32, 0..=20_u32);
        let machines = (1..=3_u32, 0..=100_i128);
        (values, sizes, machines, 1..=100_i64).prop_map(
            |(values, (fewest, more, parallel), (each, idle), share)| {
                let (speedup, whole) = (Speedup::amdahl(50_000 * parallel), fewest + more);
                let of_one =
                    |tasks: u32| 6 * idle + (600 - 6 * idle) * i128::from(tasks) / i128::from(each);
                let rest = |tasks: u32| if tasks > 0 { of_one(tasks) } else { 0 };
                let power =
                    |tasks: u32| i128::from(tasks / each) * of_one(each) + rest(tasks % each);
                let draws = GangDraws::of((0..=whole).map(power).collect());
                let run = Span::from_secs(36 * share * values.len() as i64);
                (values, (fewest, GangSizes::new((fewest, whole), speedup, 1_000_000, draws)), run)
            },
        )
    }

    /// What the greedy plan needs, and what it does.
    fn filled(values: &[i64], sizes: &GangSizes, work: i128) -> (f64, i128) {
        let mut schedule = GangSchedule::default();
        let path = hourly(values);
        schedule.fill(&path, (hours(0), hours(values.len() as i64)), sizes, work);
        let made = |piece: &GangPiece| {
            i128::from((piece.until - piece.from).micros()) * sizes.rate(piece.tasks)
        };
        let done = schedule.pieces.iter().map(made).sum();
        (GangStarts::FREE.cost(&path, sizes, &schedule.pieces) as f64, done)
    }

    proptest! {
        /// The greedy plan needs no more than any other, and does the work: on machines that tasks share, and
        /// that draw power without load, too.
        #[test]
        fn no_other_plan_needs_less((values, sizes, run) in instance()) {
            let work = work_of(&sizes.1, run);
            let (cost, done) = filled(&values, &sizes.1, work);
            // More by no more than the least piece and a microsecond.
            let most = work + sizes.1.full_rate() * 1_001;
            prop_assert!((work..=most).contains(&done), "{done} of {work}");
            let least = least(&values, &sizes, work);
            // Speedups are whole millionths.
            prop_assert!(cost <= least * (1.0 + 1e-5) + 1e9, "{cost} and {least}");
            // And than all tasks together where the path is lowest.
            let (rigid, _) = filled(&values, &sizes.1.rigid(), work);
            prop_assert!(cost <= rigid * (1.0 + 1e-5) + 1e9, "{cost} and {rigid}");
        }

        /// Where speedup is linear and each task draws as much, all run in the pieces that work takes that
        /// pauses.
        #[test]
        fn linear_speedup_is_to_run_in_pieces((values, (fewest, sizes), run) in instance()) {
            let linear = even(fewest, sizes.whole(), Speedup::LINEAR);
            let (path, window) = (hourly(&values), (hours(0), hours(values.len() as i64)));
            let mut schedule = GangSchedule::default();
            schedule.fill(&path, window, &linear, work_of(&linear, run));
            let mut pieces = schedule.pieces.iter().filter(|piece| piece.tasks > 0);
            let first = pieces.next().expect("it runs");
            let (begin, end, only) = Slots::default().first(&path, window, run);
            prop_assert_eq!((first.from, first.until, first.tasks), (begin, end, linear.whole()));
            prop_assert_eq!(pieces.next().is_none(), only);
        }
    }
}
