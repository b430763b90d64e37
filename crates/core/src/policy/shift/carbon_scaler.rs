//! The number of machines of work follows the carbon of the grid (Hanafy and others, CarbonScaler, 2023).

use super::awaiter::{Awaiter, FORECAST, MARGIN, SLACK};
use super::schedule::{GangPiece, GangSchedule, GangSizes, cost_of};
use super::signal::AwaitedQuantity;
use super::wait_awhile::REGIONS;
use super::{ShiftPart, ShiftPlan, ShiftRule};
use crate::model::StepPath;
use crate::part::{Parameter, Part, Setting, SettingKind};
use crate::state::{State, WorkRef};
use crate::units::{Span, Time};

const RESTART: Parameter = Parameter {
    name: "restart",
    kind: SettingKind::Span,
    default: Setting::Unset("estimated"),
    doc: "Time in which tasks that start do nothing, by which it is weighed whether another number of them is worth it. Estimated: the time in which 999 of 1,000 boots are over, where they take longest.",
};

/// Runs gangs with as many tasks as are worth it.
pub static CARBON_SCALER: ShiftPart = Part {
    name: "carbon-scaler",
    doc: "Work that resumes runs when there is least grid carbon, and gangs with `min_tasks` with the more tasks the cleaner the grid is.",
    parameters: &[FORECAST, SLACK, MARGIN, RESTART, REGIONS],
    make: |settings| {
        let regions = settings.names(REGIONS.name).to_vec();
        let carbon = AwaitedQuantity::Carbon { regions };
        Some(Box::new(CarbonScaler {
            awaiter: Awaiter::new(carbon, true, settings),
            restart: settings.span(RESTART.name),
            planner: GangPlanner::default(),
        }))
    },
};

/// Holds work as `wait-awhile` does where it pauses, and decides with how many of its tasks a gang runs.
#[derive(Debug)]
struct CarbonScaler {
    awaiter: Awaiter,
    restart: Option<Span>,
    planner: GangPlanner,
}

impl ShiftRule for CarbonScaler {
    fn begin(&mut self, state: &State<'_>) {
        self.awaiter.begin(state);
        self.planner.restart = self.restart.unwrap_or_else(|| self.awaiter.boot());
    }

    fn plan(&mut self, state: &State<'_>, work: WorkRef, rest: Option<Span>) -> ShiftPlan {
        let live = state.work(work);
        let fewest = state.min_tasks(work).filter(|_| live.ask.keeps_progress());
        let Some(fewest) = fewest else { return self.awaiter.plan(state, work, rest) };
        let whole = state.whole_tasks(work);
        let sizes = GangSizes { fewest, whole, speedup: state.speedup(work) };
        let running = if live.placed > 0 { live.ask.tasks } else { 0 };
        let Some(run) = rest.map(|rest| self.awaiter.run_of(rest)) else {
            // Nothing is known of the rest.
            let tasks = if running > 0 { running } else { whole };
            return ShiftPlan { start: state.now(), pause: None, tasks: Some(tasks) };
        };
        match self.awaiter.foresee(state, work, run) {
            Some(end) => {
                let window = (state.now(), end);
                self.planner.plan(&self.awaiter.foreseen, window, &sizes, run, running)
            }
            None => self.planner.late(state.now(), &sizes, run, running),
        }
    }
}

/// Plans for one gang at a time.
#[derive(Debug, Default)]
struct GangPlanner {
    /// Time in which tasks that start do nothing.
    restart: Span,
    schedule: GangSchedule,
    /// What would be if nothing changed at the first chance.
    other: GangSchedule,
}

impl GangPlanner {
    /// Plan for a gang of which `running` tasks run now, and that all of its tasks would do in `run`,
    /// well before `end`.
    fn plan(
        &mut self,
        path: &StepPath,
        (now, end): (Time, Time),
        sizes: &GangSizes,
        run: Span,
        running: u32,
    ) -> ShiftPlan {
        let (mut at, mut tasks, mut work) = (now, running, sizes.work_of(run));
        let next = loop {
            self.schedule.fill(path, (at, end), sizes, work);
            let next = self.schedule.pieces[0];
            let stays =
                next.tasks == tasks || self.is_to_stay(path, (next, end), sizes, work, tasks);
            match (stays, tasks, next.tasks) {
                // The gang waits on.
                (true, 0, _) => at = next.until,
                (true, _, _) => {
                    let done = at + sizes.time_for(work, tasks);
                    break GangPiece { tasks, until: next.until.min(done), ..next };
                }
                // It pauses, and is planned as one that waits.
                (false, _, 0) => (at, tasks) = (next.until, 0),
                (false, _, _) if self.fits(&next, end, sizes, work) => break next,
                // There is no time left to start again after it.
                (false, _, _) => break GangPiece { tasks: sizes.whole, ..next },
            }
        };
        work -= i128::from((next.until - next.from).micros()) * sizes.rate(next.tasks);
        // With all tasks it runs to its end. With fewer it is looked at when it should be done, and if it
        // has to start, when only all of them could do the rest: it may wait for machines until then.
        let latest = Time::from_micros(end.micros() - run.micros());
        let pause = match (next.tasks == sizes.whole, next.tasks == running) {
            (true, _) => (work > 0).then_some(next.until),
            (false, true) => Some(next.until),
            (false, false) => Some(next.until.min(latest)),
        };
        ShiftPlan { start: next.from, pause, tasks: Some(next.tasks) }
    }

    /// Whether it is better to go on with as many `tasks` as there are until the first piece of the
    /// schedule is over, and to think again then. It needs less of the quantity, as each start of tasks
    /// counts; and after that there is time enough for the rest, should they start again.
    fn is_to_stay(
        &mut self,
        path: &StepPath,
        (next, end): (GangPiece, Time),
        sizes: &GangSizes,
        work: i128,
        tasks: u32,
    ) -> bool {
        let done = match tasks {
            0 => next.until,
            _ => next.until.min(next.from + sizes.time_for(work, tasks)),
        };
        let made = i128::from((done - next.from).micros()) * sizes.rate(tasks);
        let left = (work - made).max(0);
        if done + sizes.time_for(left, sizes.whole) > end {
            return false;
        }
        self.other.fill(path, (done, end), sizes, left);
        let stay = cost_of(path, &GangPiece { until: done, tasks, ..next })
            + self.other.cost(path, tasks, self.restart);
        stay < self.schedule.cost(path, tasks, self.restart)
    }

    /// Whether all tasks could do what is left of `work` before `end` if they started when `next` is
    /// over, at whose begin its tasks start.
    fn fits(&self, next: &GangPiece, end: Time, sizes: &GangSizes, work: i128) -> bool {
        let worked = (next.until - next.from - self.restart).max(Span::ZERO);
        let left = work - i128::from(worked.micros()) * sizes.rate(next.tasks);
        next.tasks == sizes.whole || next.until + sizes.time_for(left, sizes.whole) <= end
    }

    /// Plan for a gang that has no time to choose: all of its tasks, unless those that run are done
    /// earlier without another start.
    fn late(&self, now: Time, sizes: &GangSizes, run: Span, running: u32) -> ShiftPlan {
        let goes_on = sizes.time_for(sizes.work_of(run), running);
        let is_better = running > 0 && goes_on <= self.restart.saturating_add(run);
        let tasks = if is_better { running } else { sizes.whole };
        ShiftPlan { start: now, pause: None, tasks: Some(tasks) }
    }
}
