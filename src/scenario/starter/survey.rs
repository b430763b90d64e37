//! Survey of what a trace asks for, read once to its end, so that a scenario for it runs.

use crate::model::{Interner, Work};
use crate::problem::{Problem, Problems};
use crate::units::Calendar;
use crate::workload::{
    Defaults, Observations, OnBadRow, OpenContext, Stats, TraceSpec, Unsorted, WorkloadInput,
    WorkloadSpec,
};

/// Survey of what a trace holds.
#[derive(Debug)]
pub(super) struct TraceSurvey {
    pub(super) stats: Stats,
    /// Load while work arrives.
    pub(super) load: ArrivalLoad,
    /// Whether a row arrives before its predecessor.
    pub(super) unsorted: bool,
    /// Problem of the first malformed row.
    pub(super) first_bad: Option<Problem>,
    /// Whether waits were observed.
    pub(super) waits: bool,
}

/// Amounts that work asks for from the first to the last arrival, if nobody waits and what runs on
/// after that is left out: means over that time, 0 where all arrives at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ArrivalLoad {
    pub(super) cores: f64,
    pub(super) gib: f64,
    pub(super) gpus: f64,
}

/// Reads the trace; work that asks for no CPU or memory gets `cpu` milli-cores
/// and `memory` MiB.
///
/// # Errors
/// It cannot be read, has no work, or more malformed rows than others.
pub(super) fn survey(
    trace: &TraceSpec,
    (cpu, memory): (Option<u32>, Option<u32>),
) -> Result<TraceSurvey, Problems> {
    let mut trace = TraceSpec { on_bad_row: OnBadRow::Skip, ..trace.clone() };
    let unsorted = !trace.is_sorted()?;
    trace.unsorted = if unsorted { Unsorted::Sort } else { Unsorted::Fail };
    let calendar = Calendar::from_unix_micros(trace.zero_unix().unwrap_or(0));
    let spec = WorkloadSpec {
        input: WorkloadInput::Trace(trace.clone()),
        defaults: Defaults { cpu, memory, ..Defaults::default() },
        transforms: Vec::new(),
    };
    let (stats, load, first_bad) = read(&spec, calendar)?;
    let shown = &trace.shown;
    if stats.count == 0 || stats.skipped > stats.count {
        let bad = stats.skipped;
        let all = stats.count + bad;
        let problem =
            Problem::with(shown, format!("{bad} of its {all} rows cannot be read as work"));
        let hint = "describe its columns in a scenario (docs/workload.md)";
        let mut problems = vec![problem.hint(hint)];
        problems.extend(first_bad);
        return Err(problems.into());
    }
    let observed = spec.observations(calendar).unwrap_or_else(|_| Observations::default());
    Ok(TraceSurvey { stats, load, unsorted, first_bad, waits: !observed.is_empty() })
}

fn read(
    spec: &WorkloadSpec,
    calendar: Calendar,
) -> Result<(Stats, ArrivalLoad, Option<Problem>), Problems> {
    let context = OpenContext { seed: 1, calendar, keep_names: true, capacity: None };
    let mut source = spec.open(&context)?;
    let mut stats = Stats::of(source.as_mut(), &mut Interner::default()).map_err(Problems::from)?;
    let first_bad = source.skips().first().cloned();
    let load = arrival_load(spec, &context, &mut stats)?;
    Ok((stats, load, first_bad))
}

/// The load while work arrives. What work without an end holds until then is added to `stats`.
fn arrival_load(
    spec: &WorkloadSpec,
    context: &OpenContext,
    stats: &mut Stats,
) -> Result<ArrivalLoad, Problems> {
    let window = (stats.last_arrival_s - stats.first_arrival_s) / 3_600.0;
    let mut load = ArrivalLoad::default();
    let mut source = spec.open(context)?;
    let (mut book, mut work) = (Interner::default(), Work::default());
    while source.next(&mut book, &mut work).map_err(Problems::from)? {
        let (length, demand) = (work.body.length(), work.ask.demand);
        let left = (stats.last_arrival_s - work.arrival.secs_f64()) / 3_600.0;
        let hours = length.map_or(left, |length| left.min(length.secs_f64() / 3_600.0));
        let task_hours = hours * f64::from(work.ask.tasks);
        let core_hours = task_hours * f64::from(demand.cpu) / 1_000.0;
        let gib_hours = task_hours * f64::from(demand.memory) / 1_024.0;
        let gpu_hours = task_hours * f64::from(demand.gpu_milli()) / 1_000.0;
        if length.is_none() {
            stats.core_hours += core_hours;
            stats.gib_hours += gib_hours;
            stats.gpu_hours += gpu_hours;
        }
        if window > 0.0 {
            load.cores += core_hours / window;
            load.gib += gib_hours / window;
            load.gpus += gpu_hours / window;
        }
    }
    Ok(load)
}
