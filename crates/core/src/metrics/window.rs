//! Metrics of each window of the clock by itself, for what is promised of every window.

use super::ChargePeriods;
use super::exposures::Exposures;
use super::fact::Fact;
use super::recovery::Recoveries;
use crate::metering::ChargePeriod;
use crate::sim::Observer;
use crate::state::{LiveWork, Record, State, TimeIntegrals, WorkRef};
use crate::units::{Calendar, Span, Time};

/// Quantity that can be told of each window by itself, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowSum {
    /// Charges, cut at clock hours or days and counted where they begin.
    Cost,
    /// Allocated over running cores, integrated over the window.
    UtilisationCpu,
    /// The same of GPUs.
    UtilisationGpu,
    /// Running over running and broken instances, integrated over the window.
    Availability,
    /// Finished over all work that ended in the window.
    Finished,
    /// Work that met its deadline over all that ended in the window and had one.
    DeadlinesMet,
    /// Work that met no incident in the window over all that ran in it.
    Security,
    /// Longest recovery of those that ended in the window.
    LongestRecovery,
    /// Progress thrown away in the window, in core-hours.
    LostCoreHours,
    /// The same in GPU-hours.
    LostGpuHours,
}

impl WindowSum {
    const fn is_integral(self) -> bool {
        match self {
            Self::UtilisationCpu | Self::UtilisationGpu | Self::Availability => true,
            Self::Cost | Self::Finished | Self::DeadlinesMet | Self::LongestRecovery => false,
            Self::Security | Self::LostCoreHours | Self::LostGpuHours => false,
        }
    }

    /// Numerator and denominator of an integral; nothing of what is none.
    const fn of_areas(self, areas: &TimeIntegrals) -> [i128; 2] {
        match self {
            Self::UtilisationCpu => [areas.allocated[0], areas.capacity[0]],
            Self::UtilisationGpu => [areas.allocated[2], areas.capacity[2]],
            Self::Availability => [areas.running, areas.running + areas.down],
            Self::Cost | Self::Finished | Self::DeadlinesMet | Self::LongestRecovery => [0, 0],
            Self::Security | Self::LostCoreHours | Self::LostGpuHours => [0, 0],
        }
    }

    /// Value in the metric's unit of a window with these sums; `None` if it has nothing to show.
    fn value(self, [over, under]: [i128; 2]) -> Option<f64> {
        let any = under > 0;
        match self {
            Self::Cost => Some(over as f64 / 1e9),
            // Milli-cores or milli-GPUs by millionths of a microsecond.
            Self::LostCoreHours | Self::LostGpuHours => Some(over as f64 / 1e9 / 3.6e9),
            Self::LongestRecovery => any.then_some(over as f64 / 1e6),
            Self::UtilisationCpu
            | Self::UtilisationGpu
            | Self::Availability
            | Self::Security
            | Self::Finished
            | Self::DeadlinesMet => any.then(|| over as f64 / under as f64),
        }
    }
}

/// Value of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowValue {
    /// Start of the window, not before that of the run.
    pub from: Time,
    /// Value in the metric's unit.
    pub value: f64,
}

/// Sums of one quantity over windows of equal width. Windows begin on the clock in UTC: hours at
/// whole hours, days at midnight, weeks on Monday. What happens at the very end of a window belongs
/// to it.
#[derive(Clone, Debug)]
struct WindowSums {
    of: WindowSum,
    width: Span,
    /// Windows that begin before this are left out: the end of a warm-up.
    counted_from: Option<Time>,
    /// Of integrals, windows that begin at this or later are left out.
    until: Option<Time>,
    calendar: Calendar,
    /// Start of the run, and number of the window that holds it.
    began: Time,
    first: i64,
    /// End of the current window, and the state's integrals at its start.
    end: Time,
    closed: TimeIntegrals,
    /// Place of the current window among those of the run.
    place: usize,
    /// Numerator and denominator of each window.
    sums: Vec<[i128; 2]>,
    recoveries: Recoveries,
    /// Work that ran in the current window, where that is counted and there are incidents.
    exposures: Option<Exposures>,
}

impl WindowSums {
    fn new(of: WindowSum, width: Span, counted_from: Option<Time>, until: Option<Time>) -> Self {
        Self {
            of,
            width,
            counted_from,
            until,
            calendar: Calendar::from_unix_micros(0),
            began: Time::ZERO,
            first: 0,
            end: Time::ZERO,
            closed: TimeIntegrals::default(),
            place: 0,
            sums: Vec::new(),
            recoveries: Recoveries::default(),
            exposures: None,
        }
    }

    /// Start of a window by its place among those of the run.
    fn start(&self, place: usize) -> Time {
        self.calendar.stretch_start(self.width, self.first + place as i64)
    }

    /// Number of the window that holds `at`.
    fn number(&self, at: Time) -> i64 {
        self.calendar.stretch_number(self.width, at)
    }

    /// Ends the current window, in which integrals are taken up to `at`.
    fn close(&mut self, state: &State<'_>, at: Time) {
        if self.of.is_integral() {
            let areas = state.areas_at(at);
            self.sums[self.place] = self.of.of_areas(&areas.minus(&self.closed));
            self.closed = areas;
        }
        if let Some(exposures) = &self.exposures {
            self.sums[self.place] = exposures.counts();
        }
    }

    /// Adds to the window at `place`.
    fn add(&mut self, place: usize, [over, under]: [i128; 2]) {
        if self.sums.len() <= place {
            self.sums.resize(place + 1, [0, 0]);
        }
        self.sums[place][0] += over;
        self.sums[place][1] += under;
    }

    /// So many tasks of work each lost so much progress.
    fn loses(&mut self, live: &LiveWork, tasks: u32, lost: i128) {
        let amount = match self.of {
            WindowSum::LostCoreHours => live.ask.demand.cpu,
            WindowSum::LostGpuHours => live.ask.demand.gpu_milli(),
            WindowSum::Cost
            | WindowSum::UtilisationCpu
            | WindowSum::UtilisationGpu
            | WindowSum::Availability
            | WindowSum::Security
            | WindowSum::Finished
            | WindowSum::DeadlinesMet
            | WindowSum::LongestRecovery => 0,
        };
        let held = i128::from(u64::from(amount) * u64::from(tasks));
        self.now([lost * held, 0]);
    }

    /// Adds to the current window.
    fn now(&mut self, amounts: [i128; 2]) {
        self.add(self.place, amounts);
    }

    fn counts(&self, live: &LiveWork) -> bool {
        self.counted_from.is_none_or(|from| live.arrival >= from)
    }

    /// Work that counts ended, done or not.
    fn ended(&mut self, now: Time, live: &LiveWork, done: bool) {
        match (self.of, live.ask.deadline) {
            _ if !self.counts(live) => {}
            (WindowSum::Finished, _) => self.now([i128::from(done), 1]),
            (WindowSum::DeadlinesMet, Some(deadline)) => {
                self.now([i128::from(done && now <= deadline), 1]);
            }
            (
                WindowSum::DeadlinesMet
                | WindowSum::Cost
                | WindowSum::UtilisationCpu
                | WindowSum::UtilisationGpu
                | WindowSum::Availability
                | WindowSum::Security
                | WindowSum::LongestRecovery
                | WindowSum::LostCoreHours
                | WindowSum::LostGpuHours,
                _,
            ) => {}
        }
    }

    /// Work that counts recovered, or did not until it ended.
    fn recovered(&mut self, live: &LiveWork, took: Option<Span>) {
        let Some(took) = took.filter(|_| self.of == WindowSum::LongestRecovery) else { return };
        if self.counts(live) {
            let sums = &mut self.sums[self.place];
            *sums = [sums[0].max(i128::from(took.micros())), 1];
        }
    }

    /// Values of the windows that count and have one.
    fn values(&self) -> Vec<WindowValue> {
        let value = |(place, &sums): (usize, &[i128; 2])| {
            let start = self.start(place);
            let late = self.of.is_integral() && self.until.is_some_and(|until| start >= until);
            if late || self.counted_from.is_some_and(|counted| start < counted) {
                return None;
            }
            let value = self.of.value(sums)?;
            Some(WindowValue { from: start.max(self.began), value })
        };
        self.sums.iter().enumerate().filter_map(value).collect()
    }
}

impl Observer for WindowSums {
    fn begins(&mut self, state: &State<'_>) {
        self.calendar = state.world().calendar;
        self.began = state.now();
        self.first = self.number(self.began);
        self.end = self.start(1);
        self.sums = vec![[0, 0]];
        if self.of == WindowSum::Security && Exposures::are_possible(state) {
            self.exposures = Some(Exposures::starting(self.counted_from.unwrap_or(Time::MIN)));
        }
    }

    fn elapse(&mut self, state: &State<'_>, _from: Time, to: Time) {
        while self.end < to {
            self.close(state, self.end);
            self.place += 1;
            self.end = self.start(self.place + 1);
            self.add(self.place, [0, 0]);
            if let Some(exposures) = &mut self.exposures {
                exposures.begin_anew(state);
            }
        }
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        match Fact::of(state, record) {
            Fact::Charged(charge, ..) if self.of == WindowSum::Cost => {
                let place = self.number(charge.from) - self.first;
                self.add(usize::try_from(place).unwrap_or(0), [charge.amount.nanos(), 0]);
            }
            Fact::Started(_, started, live) => {
                let took = self.recoveries.started(state, started.work());
                self.recovered(live, took);
                // What starts at the very end of a window ran in the next.
                if let Some(exposures) = self.exposures.as_mut().filter(|_| state.now() < self.end)
                {
                    exposures.started(state, started, live);
                }
            }
            Fact::GivenUp { live, tasks, lost, .. } => self.loses(live, tasks, lost),
            Fact::Stopped { stopped, live, tasks, ending, lost, .. } => {
                self.recoveries.stopped(state.now(), stopped.work(), ending);
                self.loses(live, tasks, lost);
            }
            Fact::Outage(fault, begins) => {
                let Some(exposures) = &mut self.exposures else { return };
                // An incident that begins at the very end of a window was not on in it.
                let exposes = state.world().faults[fault].effect.exposes();
                if begins && exposes && state.now() == self.end {
                    exposures.opens(fault);
                } else {
                    exposures.fault(state, fault, begins);
                }
            }
            Fact::Finished(_, live) => self.ended(state.now(), live, true),
            Fact::Refused(live, _) | Fact::Unfinished(live) => {
                self.ended(state.now(), live, false);
            }
            Fact::Submitted(..)
            | Fact::Placed(_)
            | Fact::Requested(..)
            | Fact::Ready(..)
            | Fact::Draining(..)
            | Fact::Failed(..)
            | Fact::Repaired(..)
            | Fact::Slowed { .. }
            | Fact::Devices { .. }
            | Fact::Restarted(..)
            | Fact::Migrates(..)
            | Fact::AtRisk(..)
            | Fact::Released { .. }
            | Fact::Charged(..)
            | Fact::LaunchRefused(..)
            | Fact::Noted => {}
        }
    }

    fn undone(&mut self, state: &State<'_>, work: WorkRef, _left: Option<Span>) {
        let took = self.recoveries.undone(state.now(), work);
        self.recovered(state.work(work), took);
    }

    fn ends(&mut self, state: &State<'_>) {
        self.close(state, state.now());
    }
}

/// QuantityWatch of one quantity; charges come to it cut.
#[derive(Debug)]
enum QuantityWatch {
    Plain(Box<WindowSums>),
    Cut(Box<ChargePeriods<WindowSums>>),
}

impl QuantityWatch {
    fn observer(&mut self) -> &mut dyn Observer {
        match self {
            Self::Plain(watch) => watch.as_mut(),
            Self::Cut(watch) => watch.as_mut(),
        }
    }
}

/// Watches quantities window by window. Takes memory by the number of windows, and time by it and by
/// the records of the run; for costs also by what is alive at each clock hour or midnight.
#[derive(Debug, Default)]
pub struct Windows {
    watches: Vec<QuantityWatch>,
}

impl Windows {
    /// Most windows of a run.
    pub const MOST: i64 = 1_000_000;

    /// Watches these quantities over windows of these widths; of costs whole hours. Work that arrives
    /// and windows that begin before `counted_from` are left out; of integrals also windows that
    /// begin at `until` or later.
    pub fn new(
        of: impl IntoIterator<Item = (WindowSum, Span)>,
        counted_from: Option<Time>,
        until: Option<Time>,
    ) -> Self {
        let watch = |(sum, width): (WindowSum, Span)| {
            let watch = WindowSums::new(sum, width, counted_from, until);
            let is_days = width.micros() % ChargePeriod::Day.span().micros() == 0;
            let period = if is_days { ChargePeriod::Day } else { ChargePeriod::Hour };
            match sum == WindowSum::Cost {
                true => QuantityWatch::Cut(Box::new(ChargePeriods::new(period, watch))),
                false => QuantityWatch::Plain(Box::new(watch)),
            }
        };
        Self { watches: of.into_iter().map(watch).collect() }
    }

    /// The values of each quantity, in order.
    pub fn into_values(self) -> Vec<Vec<WindowValue>> {
        let values = |watch| match watch {
            QuantityWatch::Plain(watch) => watch.values(),
            QuantityWatch::Cut(watch) => watch.into_inner().values(),
        };
        self.watches.into_iter().map(values).collect()
    }
}

impl Observer for Windows {
    fn watches(&self) -> bool {
        !self.watches.is_empty()
    }

    fn begins(&mut self, state: &State<'_>) {
        self.watches.iter_mut().for_each(|watch| watch.observer().begins(state));
    }

    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        self.watches.iter_mut().for_each(|watch| watch.observer().elapse(state, from, to));
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.watches.iter_mut().for_each(|watch| watch.observer().record(state, record));
    }

    fn undone(&mut self, state: &State<'_>, work: WorkRef, left: Option<Span>) {
        self.watches.iter_mut().for_each(|watch| watch.observer().undone(state, work, left));
    }

    fn ends(&mut self, state: &State<'_>) {
        self.watches.iter_mut().for_each(|watch| watch.observer().ends(state));
    }
}
