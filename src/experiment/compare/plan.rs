//! How often and how a scenario is repeated, and what of it is counted.

use super::super::lab::{Cell, Lab, LabFailure, is_synthetic};
use super::super::replication::Repetition;
use super::super::statistics::steady::mser5;
use super::Side;
use crate::problem::Problem;
use crate::scenario::Scenario;
use crate::units::{Span, Time};
use crate::workload::{Input, Transform};

/// Replications where the work is drawn from distributions.
const SEEDS: u32 = 20;
/// Replications of a trace before it is known whether anything is random.
const TRACE_SEEDS: u32 = 10;
/// Most windows that are taken without being asked for.
const MOST_WINDOWS: u32 = 30;
/// Windows below which a trace is too short to be cut.
const FEWEST_WINDOWS: u32 = 3;
const DAY: Span = Span::from_secs(86_400);
const WEEK: Span = Span::from_secs(7 * 86_400);

/// What the user asks for; the rest follows from the scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// How many replications, or at most how many with a precision.
    pub replications: Option<u32>,
    /// Windows of this length.
    pub window: Option<Span>,
    /// Played before each window, or left out at the start.
    pub warm_up: Option<Span>,
    /// Blocks of this length.
    pub resample: Option<Span>,
}

/// How a scenario is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What differs between replications.
    pub repetition: Repetition,
    /// How many, at most.
    pub replications: u32,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum NoPlan {
    /// What is asked for does not go together with the scenario.
    Problem(Problem),
    /// The pilot runs failed.
    Lab(LabFailure),
}

/// Plans the replications of the first side's scenario, which hold for all
/// sides. A scenario about the steady state costs a pilot run of each side.
///
/// # Errors
/// See [`NoPlan`].
pub fn plan(lab: &Lab<'_>, sides: &[Side<'_>], asked: Asked) -> Result<Plan, NoPlan> {
    let scenario = sides[0].scenario;
    let problem = |message: &str, hint: &str| {
        Err(NoPlan::Problem(Problem::with(&scenario.path, message).hint(hint)))
    };
    let count = asked.replications.or(scenario.replications);
    if asked.window.is_some() && asked.resample.is_some() {
        return problem("windows and blocks cannot be had at once", "choose one of them");
    }
    if let Some(length) = asked.resample {
        if is_synthetic(scenario) {
            let hint = "more seeds say the same and more; leave `--resample` out";
            return problem("there is no trace to put together anew", hint);
        }
        if let Some(span) = extent(scenario)
            && span.micros() / length.micros().max(1) < 2
        {
            let message = format!("blocks of {length} cannot be drawn from a trace of {span}");
            let hint =
                "a block must be shorter than half of the trace, such as `--resample \"1 d\"`";
            return problem(&message, hint);
        }
        let replications = count.unwrap_or(SEEDS);
        return Ok(Plan { repetition: Repetition::Blocks { length }, replications });
    }
    let windows = windows(scenario, asked);
    match (asked.window, windows) {
        (Some(_), None) => {
            let hint = "windows are cut from a trace that is held in memory, and there must be two at least";
            return problem("the workload cannot be cut into such windows", hint);
        }
        (Some(_), Some(windows)) => return Ok(windows.plan(count)),
        (None, Some(windows)) if windows.of >= FEWEST_WINDOWS && !scenario.steady_state => {
            return Ok(windows.plan(count));
        }
        (None, _) => {}
    }
    let warm_up = match asked.warm_up {
        Some(warm_up) => warm_up,
        None if scenario.steady_state => pilot(lab, sides)?,
        None => Span::ZERO,
    };
    let usual = if is_synthetic(scenario) { SEEDS } else { TRACE_SEEDS };
    let replications = count.unwrap_or(usual);
    Ok(Plan { repetition: Repetition::Seeds { warm_up }, replications })
}

/// The windows that a trace can be cut into.
#[derive(Clone, Copy)]
struct Windows {
    first: Time,
    width: Span,
    warm_up: Span,
    of: u32,
}

impl Windows {
    /// So many of them, or all that there are.
    fn plan(self, count: Option<u32>) -> Plan {
        let Self { first, width, warm_up, of } = self;
        let taken = count.unwrap_or(MOST_WINDOWS).min(of);
        let repetition = Repetition::Windows { first, width, warm_up, of, taken, stride: 1 };
        Plan { repetition, replications: taken }
    }
}

/// The windows that the trace can be cut into; none where it cannot. Transformations that count or deal out work see all of it, so a
/// workload that has any is not cut.
fn windows(scenario: &Scenario, asked: Asked) -> Option<Windows> {
    let Input::Shared(trace) = &scenario.workload.input else { return None };
    let whole = |step: &Transform| {
        !matches!(
            step,
            Transform::Keep(_) | Transform::ScaleRuntimes(_) | Transform::ScaleSizes { .. }
        )
    };
    if scenario.workload.transforms.iter().any(whole) || scenario.horizon.is_some() {
        return None;
    }
    let (first, last) = trace.arrivals()?;
    let width = asked.window.unwrap_or(WEEK);
    let warm_up = asked.warm_up.unwrap_or(DAY.min(width));
    let room = (last - first).micros() - warm_up.micros();
    let of = u32::try_from(room.div_euclid(width.micros().max(1))).ok()?;
    (of >= 2).then_some(Windows { first, width, warm_up, of })
}

/// From the first arrival of a trace to its last; none where that is not known
/// before it is played.
fn extent(scenario: &Scenario) -> Option<Span> {
    let Input::Shared(trace) = &scenario.workload.input else { return None };
    let (first, last) = trace.arrivals().filter(|_| scenario.workload.transforms.is_empty())?;
    Some(last - first)
}

/// The warm-up of the steady state: MSER-5 on the number of waiting jobs and
/// on the allocated cores, one pilot run per policy, and of all of these the longest.
fn pilot(lab: &Lab<'_>, sides: &[Side<'_>]) -> Result<Span, NoPlan> {
    let repetition = Repetition::Seeds { warm_up: Span::ZERO };
    let cells: Vec<Cell<'_>> = sides.iter().map(|side| side.cell(repetition, 0)).collect();
    let scenario = sides[0].scenario;
    let mut longest = Span::ZERO;
    for exhibit in lab.exhibit(&cells).map_err(NoPlan::Lab)? {
        let series = &exhibit.result.series;
        let mean = |sum: i128, span: Span| sum as f64 / span.micros().max(1) as f64;
        let waiting: Vec<f64> =
            series.buckets().map(|(_, span, bucket)| mean(bucket.waiting, span)).collect();
        let busy: Vec<f64> =
            series.buckets().map(|(_, span, bucket)| mean(bucket.allocated[0], span)).collect();
        for values in [waiting, busy] {
            let dropped = mser5(&values).map_err(|_| {
                let message = "the run is too short to find a steady state in it";
                let hint = "let it go on for longer, give `--warm-up`, or leave `steady_state` out";
                NoPlan::Problem(Problem::with(&scenario.path, message).hint(hint))
            })?;
            let until = series.start() - Time::ZERO
                + Span::from_micros(series.width().micros() * dropped as i64);
            longest = longest.max(until);
        }
    }
    Ok(longest)
}
