//! Distance of the model from what was observed: the policy as it is, replayed over a trace whose
//! waits are known, and held against them job by job.

mod billed;
mod calibration;
mod course;
mod error;
mod group;
mod held;
mod reading;
mod verdict;

use std::ops::ControlFlow;

use super::single::{self, RunFailure, RunResult, Settings};
use crate::billing::commitment::start_of;
use crate::metering::ChargePeriod;
use crate::metrics::{ChargePeriods, Summary};
use crate::model::WorkId;
use crate::policy::external::Launcher;
use crate::policy::spec::PolicySpec;
use crate::problem::Problem;
use crate::scenario::{Observed, Scenario};
use crate::sim::{Observer, RunProgress};
use crate::state::{Record, State, WorkRef};
use crate::units::{Calendar, Span, Time};
use crate::workload::Observations;

use billed::{BilledSide, ListBill, ReadBill};

pub use calibration::{Calibration, MadeOf};
pub use course::Lived;
pub use error::{ToleratedWait, WaitErrors, errors};
pub use group::WaitGroup;
pub use held::{HeldBill, HeldLine, Uncompared, UncomparedWhy};
pub use reading::{ObservedFrom, Reading};
pub use verdict::Likeness;

/// Most pieces of work that are held against what was observed.
pub const MOST_PAIRS: usize = 2_000_000;

/// Wait and runtime of a piece of work that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkLife {
    /// Time from submission to the first start.
    pub wait: Span,
    /// Time from the first start to the end, interruptions included.
    pub runtime: Span,
    /// Milli-cores that it held.
    pub cpu: u64,
}

/// A piece of work, as observed and as simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its identity.
    pub id: WorkId,
    /// Its name in the trace; empty where it has none.
    pub name: String,
    /// Row of its tenant.
    pub tenant: usize,
    /// Number of tasks.
    pub tasks: u32,
    /// Time of its submission.
    pub arrival: Time,
    /// Observed wait and runtime, where the start was observed.
    pub observed: Option<WorkLife>,
    /// Simulated wait and runtime, where the run started the work.
    pub simulated: Option<WorkLife>,
}

/// A pair whose two sides are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched<'a> {
    /// The work.
    pub pair: &'a Pair,
    /// Observed wait and runtime.
    pub observed: WorkLife,
    /// Simulated wait and runtime.
    pub simulated: WorkLife,
}

impl Matched<'_> {
    /// Simulated wait minus observed wait, in seconds.
    pub fn error_s(&self) -> f64 {
        (self.simulated.wait - self.observed.wait).secs_f64()
    }
}

/// A run held against what was observed.
#[derive(Clone, Debug)]
pub struct Backtest {
    /// All work, in the order of its identities.
    pub pairs: Vec<Pair>,
    /// Names of the tenants.
    pub tenants: Vec<String>,
    /// Pieces of work in the run whose start was not observed.
    pub unobserved: u64,
    /// Pieces of work whose start was observed, and that the run did not start.
    pub not_started: u64,
    /// Figures of the whole.
    pub readings: Vec<Reading>,
    /// The bill that was observed, beside that of the run.
    pub bill: Option<HeldBill>,
    /// Errors of the waits; `None` without observed waits.
    pub waits: Option<WaitErrors>,
    /// Errors by size, by runtime and by tenant.
    pub groups: Vec<WaitGroup>,
    /// Verdict on these errors, in one word.
    pub likeness: Likeness,
}

impl Backtest {
    /// Work whose two sides are known.
    pub fn matched(&self) -> impl Iterator<Item = Matched<'_>> {
        matched(&self.pairs)
    }

    /// Holds `pairs`, and the `summary` of their run, against what was observed; their bills are held
    /// against each other already. `cores` are the milli-cores of a world that rents nothing.
    pub fn judge(
        pairs: Vec<Pair>,
        tenants: Vec<String>,
        cores: Option<u64>,
        (summary, observed, bill): (&Summary, &Observed, Option<HeldBill>),
    ) -> Self {
        let waits = errors(matched(&pairs));
        let mut readings = reading::of_trace(&pairs, cores);
        readings.extend(reading::of_scenario(summary, observed));
        readings.extend(bill.iter().flat_map(reading::of_bill));
        let count =
            |keep: fn(&Pair) -> bool| pairs.iter().filter(|&pair| keep(pair)).count() as u64;
        Self {
            unobserved: count(|pair| pair.observed.is_none()),
            not_started: count(|pair| pair.observed.is_some() && pair.simulated.is_none()),
            groups: group::of(&pairs, &tenants),
            likeness: Likeness::of(waits.as_ref(), &readings),
            readings,
            bill,
            waits,
            pairs,
            tenants,
        }
    }
}

fn matched(pairs: &[Pair]) -> impl Iterator<Item = Matched<'_>> {
    pairs.iter().filter_map(|pair| {
        let (observed, simulated) = pair.observed.zip(pair.simulated)?;
        Some(Matched { pair, observed, simulated })
    })
}

/// Runs `policy`, whose parts in other processes the launcher starts, on the scenario and holds it against what was observed in the
/// trace and in the scenario.
///
/// # Errors
/// Failures of a run; nothing was observed, or not of this work.
pub fn backtest(
    scenario: &Scenario,
    policy: (&PolicySpec, &dyn Launcher),
    settings: Settings,
    control: &mut dyn FnMut(RunProgress) -> ControlFlow<()>,
) -> Result<(RunResult, Backtest), RunFailure> {
    let observations =
        scenario.workload.observations(scenario.calendar).map_err(RunFailure::Input)?;
    if let Some(problem) = not_observed(scenario, &observations) {
        return Err(RunFailure::Input(problem.into()));
    }
    let bill = scenario.observed.bill.as_ref().map(|file| ReadBill::of(file, &scenario.world));
    let bill = bill.transpose().map_err(|problem| RunFailure::Input(problem.into()))?;
    let settings = Settings { charges: bill.is_some(), ..settings };
    let mut bill =
        bill.map(|bill| (ChargePeriods::new(ChargePeriod::Hour, ListBill::new(bill.words)), bill));
    let mut watch =
        ObservationWatch { observations: &observations, pairs: Vec::new(), tenants: Vec::new() };
    let mut watching = (&mut watch, bill.as_mut().map(|(list, _)| list));
    let result = single::run_with(scenario, policy, settings, &mut watching, control)?;
    let ObservationWatch { mut pairs, tenants, .. } = watch;
    if pairs.len() > MOST_PAIRS {
        let message = format!("there are more than {MOST_PAIRS} pieces of work");
        let problem = Problem::with(&scenario.path, message);
        let problem = problem.hint("cut the trace with `window` or `take`");
        return Err(RunFailure::Input(problem.into()));
    }
    pairs.sort_unstable_by_key(|pair| pair.id);
    let held = bill.map(|(list, bill)| hold(scenario, &bill, (&result, list.into_inner())));
    let held = held.transpose().map_err(|problem| RunFailure::Input(problem.into()))?;
    let facts = (&result.summary, &scenario.observed, held);
    let judged = Backtest::judge(pairs, tenants, scenario.owned_cores(), facts);
    Ok((result, judged))
}

/// What is wrong where nothing was observed, or not of this work.
fn not_observed(scenario: &Scenario, observations: &Observations) -> Option<Problem> {
    let refuse =
        |message: String, hint: &str| Some(Problem::with(&scenario.path, message).hint(hint));
    if observations.is_empty() && scenario.observed.is_empty() {
        let rows = match observations.missing() {
            0 => String::new(),
            rows => format!(": none of its {rows} rows has a wait"),
        };
        return refuse(
            format!("nothing was observed of this workload{rows}"),
            "an SWF log has waits in field 3; map `wait` or `start` of a table, give a native trace \
             `observed_wait_s`, or the scenario an `[observed]` table (docs/backtest.md)",
        );
    }
    let step = scenario.workload.distortion()?;
    refuse(
        format!("what was observed is not of this workload. {}", step.description()),
        "a backtest needs the work as it was; remove that transformation",
    )
}

/// Holds the bill of a run, settled or at list prices, against the one that was observed.
fn hold(
    scenario: &Scenario,
    bill: &ReadBill,
    (run, list): (&RunResult, ListBill),
) -> Result<HeldBill, Problem> {
    let run = match &run.bill {
        Some(settled) => BilledSide::of_settled(settled, bill.words),
        None => list.side(),
    };
    let providers = scenario.world.providers.rows().iter();
    let known: Vec<&str> = providers.map(|provider| provider.name.as_str()).collect();
    HeldBill::of(&bill.side, &run, &known).ok_or_else(|| {
        let instant = |hour: i64| Calendar::from_unix_micros(0).format(start_of(hour));
        let [bill, run] =
            [&bill.side.hours, &run.hours].map(|hours| [hours.start, hours.end].map(instant));
        let message = format!(
            "no clock hour is of both the observed bill, from {} to {}, and the run, from {} to {}",
            bill[0], bill[1], run[0], run[1]
        );
        Problem::with(&scenario.path, message)
            .hint("a run begins at `start`, and a trace without dates has none of its own")
    })
}

/// Notes what becomes of each piece of work, beside what was observed of it.
struct ObservationWatch<'a> {
    observations: &'a Observations,
    pairs: Vec<Pair>,
    tenants: Vec<String>,
}

impl ObservationWatch<'_> {
    fn note(&mut self, state: &State<'_>, work: WorkRef) {
        // One too many says that there were too many.
        if self.pairs.len() > MOST_PAIRS {
            return;
        }
        let live = state.work(work);
        let cpu = u64::from(live.ask.demand.cpu) * u64::from(live.ask.tasks);
        let ran = live.first_start().map_or(Span::ZERO, |start| state.now() - start);
        self.pairs.push(Pair {
            id: live.id,
            name: state.name(work).to_owned(),
            tenant: live.ask.tenant.row(),
            tasks: live.ask.tasks,
            arrival: live.arrival,
            // Work without an end is observed for as long as the run goes on.
            observed: self.observations.get(live.id).map(|seen| WorkLife {
                wait: seen.wait,
                runtime: seen.runtime.unwrap_or(ran),
                cpu: seen.cpu,
            }),
            simulated: live.first_start().map(|start| WorkLife {
                wait: start - live.arrival,
                runtime: ran,
                cpu,
            }),
        });
    }
}

impl Observer for ObservationWatch<'_> {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Finished(work) | Record::Refused { work, .. } | Record::Unfinished(work) =
            *record
        {
            self.note(state, work);
        }
    }

    fn ends(&mut self, state: &State<'_>) {
        let tenants = state.book().tenants().rows();
        self.tenants = tenants.iter().map(|tenant| tenant.name.clone()).collect();
    }
}

#[cfg(test)]
mod tests;
