//! Measurement of one replication, between its warm-up and its cool-down.

use super::oracle::{Case, Measure};
use super::station::UNIT;
use super::systems::Systems;
use crate::metrics::Histogram;
use crate::sim::Observer;
use crate::state::{Record, State, WorkRef};
use crate::units::{Money, Time};

/// A sum and how much was summed.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: i128,
    count: i128,
}

impl Mean {
    fn add(&mut self, value: i128) {
        self.sum += value;
        self.count += 1;
    }

    fn value(self) -> f64 {
        self.sum as f64 / self.count as f64
    }
}

/// Measures work whose ordinal lies within a window, and the live world while
/// that work arrives.
#[derive(Clone, Debug)]
pub struct WindowWatch {
    first: u64,
    last: u64,
    /// Limits in units of time, by `Measure::WaitBeyond` and `Measure::TurnaroundBeyond`.
    wait_limit: f64,
    turnaround_limit: f64,
    alive_limit: u32,
    down_limit: u32,
    keeps_turnarounds: bool,
    wait: Mean,
    wait_by_priority: [Mean; 2],
    late_starts: Mean,
    turnaround: Mean,
    late_ends: Mean,
    refused: Mean,
    turnarounds: Histogram,
    open: bool,
    alive: i128,
    /// Integrals over the window, and its length, in microseconds.
    alive_area: i128,
    crowded: i128,
    waiting_area: i128,
    elapsed: i128,
    down_area: i128,
    much_down: i128,
    billed: Money,
    instances: i128,
    /// Progress that counts, in millionths of a microsecond, over the whole run.
    useful: i128,
    /// Systems of machines, pieces of work that are over, stops that cost progress, and that progress
    /// in millionths of a microsecond, over the whole run.
    systems: Systems,
    over: i128,
    setbacks: Mean,
    /// The latest moment.
    now: Time,
    /// Integral of work alive less the turnarounds, over the whole run.
    little: i128,
}

impl WindowWatch {
    /// A watch for a replication of `case` with `jobs` pieces of work: the first twentieth and the
    /// last fiftieth are not measured.
    pub fn new(case: &Case, jobs: u64) -> Self {
        let (mut wait_limit, mut turnaround_limit, mut alive_limit) = (0.0, 0.0, 0);
        let (mut down_limit, mut keeps_turnarounds) = (0, false);
        let mut systems = Systems::default();
        for answer in &case.answers {
            match answer.measure {
                Measure::WaitBeyond(limit) => wait_limit = limit,
                Measure::TurnaroundBeyond(limit) => turnaround_limit = limit,
                Measure::TurnaroundQuantile(_) => keeps_turnarounds = true,
                Measure::AliveBeyond(limit) => alive_limit = limit,
                Measure::DownBeyond(limit) => down_limit = limit,
                Measure::UpFor { machines, limit } => systems = Systems::new(machines, limit),
                Measure::Wait
                | Measure::WaitOf(_)
                | Measure::Turnaround
                | Measure::Refused
                | Measure::Waiting
                | Measure::Alive
                | Measure::Bill
                | Measure::Down
                | Measure::Progress
                | Measure::Setbacks
                | Measure::LostEach => {}
            }
        }
        Self {
            first: jobs / 20,
            last: jobs - jobs / 50,
            wait_limit,
            turnaround_limit,
            alive_limit,
            down_limit,
            keeps_turnarounds,
            wait: Mean::default(),
            wait_by_priority: [Mean::default(); 2],
            late_starts: Mean::default(),
            turnaround: Mean::default(),
            late_ends: Mean::default(),
            refused: Mean::default(),
            turnarounds: Histogram::default(),
            open: false,
            alive: 0,
            alive_area: 0,
            crowded: 0,
            waiting_area: 0,
            elapsed: 0,
            down_area: 0,
            much_down: 0,
            billed: Money::ZERO,
            instances: 0,
            useful: 0,
            systems,
            over: 0,
            setbacks: Mean::default(),
            now: Time::ZERO,
            little: 0,
        }
    }

    /// Measured value of `measure`.
    pub fn value(&self, measure: Measure) -> f64 {
        let unit = UNIT.micros() as f64;
        let share = |area: i128| area as f64 / self.elapsed as f64;
        match measure {
            Measure::Wait => self.wait.value() / unit,
            Measure::WaitOf(priority) => {
                self.wait_by_priority[usize::from(priority)].value() / unit
            }
            Measure::WaitBeyond(_) => self.late_starts.value(),
            Measure::Turnaround => self.turnaround.value() / unit,
            Measure::TurnaroundBeyond(_) => self.late_ends.value(),
            Measure::TurnaroundQuantile(fraction) => {
                let at = self.turnarounds.percentiles(&[fraction])[0];
                at.map_or(f64::NAN, |micros| micros as f64 / unit)
            }
            Measure::Refused => self.refused.value(),
            Measure::Waiting => share(self.waiting_area),
            Measure::Alive => share(self.alive_area),
            Measure::AliveBeyond(_) => share(self.crowded),
            Measure::Down => share(self.down_area),
            Measure::DownBeyond(_) => share(self.much_down),
            Measure::Progress => share(self.useful) / 1e6,
            Measure::UpFor { .. } => self.systems.mean(self.now) / unit,
            Measure::Setbacks => self.setbacks.count as f64 / self.over as f64,
            Measure::LostEach => self.setbacks.value() / 1e6 / unit,
            Measure::Bill => self.billed.dollars() / self.instances as f64,
        }
    }

    /// Whether the work alive, integrated over time, is the sum of turnarounds
    /// to the microsecond.
    pub fn is_balanced(&self) -> bool {
        self.little == 0 && self.alive == 0
    }

    fn ended(&mut self, state: &State<'_>, work: WorkRef, refused: bool) {
        let live = state.work(work);
        let turnaround = i128::from((state.now() - live.arrival).micros());
        self.alive -= 1;
        self.over += 1;
        self.little -= turnaround;
        if !(self.first..self.last).contains(&live.id.ordinal) {
            return;
        }
        self.refused.add(i128::from(refused));
        let Some(start) = live.first_start().filter(|_| !refused) else { return };
        let wait = i128::from((start - live.arrival).micros());
        let unit = UNIT.micros() as f64;
        self.wait.add(wait);
        self.wait_by_priority[usize::from(live.ask.priority > 0)].add(wait);
        self.late_starts.add(i128::from(wait as f64 > self.wait_limit * unit));
        self.turnaround.add(turnaround);
        self.late_ends.add(i128::from(turnaround as f64 > self.turnaround_limit * unit));
        if self.keeps_turnarounds {
            self.turnarounds.add(turnaround as u64);
        }
    }
}

impl Observer for WindowWatch {
    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        let span = i128::from((to - from).micros());
        self.now = to;
        self.little += self.alive * span;
        if self.open {
            self.elapsed += span;
            self.alive_area += self.alive * span;
            self.waiting_area += i128::from(state.totals().waiting) * span;
            if self.alive > i128::from(self.alive_limit) {
                self.crowded += span;
            }
            let down = i128::from(state.totals().down);
            self.down_area += down * span;
            if down > i128::from(self.down_limit) {
                self.much_down += span;
            }
        }
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Submitted(work) => {
                self.alive += 1;
                self.open = (self.first..self.last).contains(&state.work(work).id.ordinal);
            }
            Record::Finished(work) => self.ended(state, work, false),
            Record::Refused { work, .. } | Record::Unfinished(work) => {
                self.ended(state, work, true);
            }
            Record::Released { amount, .. } => {
                self.billed += amount;
                self.instances += 1;
            }
            Record::Stopped { useful, lost, .. } => {
                self.useful += useful;
                if lost > 0 {
                    self.setbacks.add(lost);
                }
            }
            Record::Failed { instance, .. } => {
                self.systems.change(state.now(), state.instance(instance).slot, true);
            }
            Record::Repaired(instance) => {
                self.systems.change(state.now(), state.instance(instance).slot, false);
            }
            Record::Placed(_)
            | Record::Started(_)
            | Record::Requested(_)
            | Record::Ready(_)
            | Record::Draining { .. }
            | Record::Outage { .. }
            | Record::Slowed { .. }
            | Record::Devices { .. }
            | Record::Restarted { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::Charged(_)
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => {}
        }
    }
}
