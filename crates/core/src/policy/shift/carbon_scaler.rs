//! The number of machines of work follows the carbon of the grid (Hanafy and others, CarbonScaler, 2023).

use super::awaiter::{Awaiter, FORECAST, MARGIN, SLACK};
use super::draws::GangDraws;
use super::schedule::{GangPiece, GangSchedule, cost_of};
use super::signal::AwaitedQuantity;
use super::sizes::GangSizes;
use super::starts::GangStarts;
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
    doc: "Time in which tasks that start do nothing, which each plan makes up for. Estimated: the time in which 999 of 1,000 boots are over, where they take longest.",
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
        self.planner.margin = self.awaiter.margin();
    }

    fn plan(&mut self, state: &State<'_>, work: WorkRef, rest: Option<Span>) -> ShiftPlan {
        let live = state.work(work);
        let fewest = state.min_tasks(work).filter(|_| live.ask.keeps_progress());
        let Some(fewest) = fewest else { return self.awaiter.plan(state, work, rest) };
        let (whole, speedup) = (state.whole_tasks(work), state.speedup(work));
        let draws = GangDraws::expected(state, work);
        let sizes = GangSizes::new((fewest, whole), speedup, self.awaiter.speed(), draws);
        let running = if live.placed > 0 { live.ask.tasks } else { 0 };
        let Some((rest, left)) = rest.zip(state.left_of_estimate(work)) else {
            // Nothing is known of the rest.
            let tasks = if running > 0 { running } else { sizes.most() };
            return ShiftPlan { start: state.now(), pause: None, tasks: Some(tasks) };
        };
        let run = self.awaiter.run_of(rest);
        let gang = PlannedGang { sizes, run, left, running };
        match self.awaiter.foresee(state, work, run, self.planner.margin_of_start()) {
            Some(end) => self.planner.plan(&self.awaiter.foreseen, (state.now(), end), &gang),
            None => self.planner.late(state.now(), &gang),
        }
    }
}

/// A gang as it is when it is planned.
#[derive(Clone, Debug)]
struct PlannedGang {
    sizes: GangSizes,
    /// Time that all of its tasks take for the rest, rounded up.
    run: Span,
    /// The rest, in units of joint progress: nothing of it is rounded.
    left: i128,
    /// Number of its tasks that run now.
    running: u32,
}

/// Plans for one gang at a time.
#[derive(Debug, Default)]
struct GangPlanner {
    /// Time in which tasks that start do nothing.
    restart: Span,
    /// Time before the deadline that is left for a start.
    margin: Span,
    schedule: GangSchedule,
    /// What would be if nothing changed at the first chance.
    other: GangSchedule,
}

impl GangPlanner {
    /// Plan for a gang whose rest all of its tasks would do well before `end`.
    fn plan(&mut self, path: &StepPath, (now, end): (Time, Time), gang: &PlannedGang) -> ShiftPlan {
        let PlannedGang { sizes, left, running, .. } = gang;
        let (mut at, mut starts) = (now, GangStarts { running: *running, restart: self.restart });
        // Each start is counted, also the one for which the margin is.
        let over = end + self.margin_of_start();
        let next = loop {
            let cost = self.schedule.lay(path, (at, over), sizes, *left, &starts);
            let next = self.schedule.pieces[0];
            let tasks = starts.running;
            let stays =
                next.tasks == tasks || self.stays(path, (next, end, over), gang, starts, cost);
            match (stays, tasks, next.tasks) {
                // The gang waits on.
                (true, 0, _) => at = next.until,
                (true, _, _) => {
                    let done = at + sizes.time_for(*left, tasks);
                    break GangPiece { tasks, until: next.until.min(done), ..next };
                }
                // It pauses, and is planned as one that waits.
                (false, _, 0) => (at, starts.running) = (next.until, 0),
                (false, ..) if self.is_in_time((next, end), gang) => break next,
                // There is no time left to start again after it.
                (false, ..) => break GangPiece { tasks: sizes.most(), ..next },
            }
        };
        let made = i128::from((next.until - next.from).micros()) * sizes.rate(next.tasks);
        // With its most tasks it runs to its end. With fewer it is looked at when it should be done, and if
        // it has to start, when only the most could do the rest: it may wait for machines until then.
        let goes_on = next.from == now && next.tasks == *running;
        let pause = match (next.tasks >= sizes.most(), goes_on) {
            (true, _) => (*left > made).then_some(next.until),
            (false, true) => Some(next.until),
            (false, false) => Some(next.until.min(self.latest(end, gang))),
        };
        ShiftPlan { start: next.from, pause, tasks: Some(next.tasks) }
    }

    /// Time of a start that the margin leaves.
    fn margin_of_start(&self) -> Span {
        self.restart.min(self.margin)
    }

    /// Time of a start for which the margin leaves none.
    fn beyond_margin(&self) -> Span {
        (self.restart - self.margin).max(Span::ZERO)
    }

    /// When its most tasks have to start for the rest of a gang.
    fn latest(&self, end: Time, gang: &PlannedGang) -> Time {
        let run = gang.run.saturating_add(self.beyond_margin());
        Time::from_micros(end.micros().saturating_sub(run.micros()))
    }

    /// Whether it is better to go on with as many tasks as there are until the first piece of the
    /// schedule is over, and to think again then. It needs less of the quantity, in which each start is
    /// counted; and after that there is time enough for the rest, if they go on or the most start.
    fn stays(
        &mut self,
        path: &StepPath,
        (next, end, over): (GangPiece, Time, Time),
        gang: &PlannedGang,
        starts: GangStarts,
        cost: i128,
    ) -> bool {
        let (sizes, tasks) = (&gang.sizes, starts.running);
        let done = match tasks {
            0 => next.until,
            _ => next.until.min(next.from + sizes.time_for(gang.left, tasks)),
        };
        let made = i128::from((done - next.from).micros()) * sizes.rate(tasks);
        let left = (gang.left - made).max(0);
        let goes_on = tasks > 0 && done + sizes.time_for(left, tasks) <= over;
        let most_start = done + sizes.time_for(left, sizes.most()) + self.beyond_margin();
        if !goes_on && most_start > end {
            return false;
        }
        let other = self.other.lay(path, (done, over), sizes, left, &starts);
        cost_of(path, sizes, &GangPiece { until: done, tasks, ..next }) + other < cost
    }

    /// Whether the rest is done in time where tasks start with the piece `next`: if they go on after it,
    /// or if the most start then, where that is later than they had to start at once.
    fn is_in_time(&self, (next, end): (GangPiece, Time), gang: &PlannedGang) -> bool {
        let PlannedGang { sizes, left, .. } = gang;
        let worked = (next.until - next.from - self.restart).max(Span::ZERO);
        let left = left - i128::from(worked.micros()) * sizes.rate(next.tasks);
        let goes_on = next.until + sizes.time_for(left, next.tasks) <= end + self.margin;
        let most_start = next.until + sizes.time_for(left, sizes.most()) + self.beyond_margin();
        let has_time = next.from < self.latest(end, gang) && (goes_on || most_start <= end);
        next.tasks >= sizes.most() || has_time
    }

    /// Plan for a gang that has no time to choose: its most tasks, unless those that run are done earlier
    /// without another start.
    fn late(&self, now: Time, gang: &PlannedGang) -> ShiftPlan {
        let PlannedGang { sizes, run, left, running } = gang;
        let goes_on = sizes.time_for(*left, *running);
        let is_better = *running > 0 && goes_on <= self.restart.saturating_add(*run);
        let tasks = if is_better { *running } else { sizes.most() };
        ShiftPlan { start: now, pause: None, tasks: Some(tasks) }
    }
}
