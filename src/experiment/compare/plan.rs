//! Number and kind of replications of a scenario, and the part of them that is counted.

use super::super::replication::Repetition;
use super::super::runner::{RunRequest, Runner, RunnerFailure, is_synthetic};
use super::super::setting_range;
use super::super::statistics::steady::mser5;
use super::Arm;
use crate::metrics::{Bucket, Series, Summary};
use crate::problem::Problem;
use crate::scenario::Scenario;
use crate::units::{Span, Time};
use crate::workload::{Transform, WorkloadInput};

/// Replications where the work is drawn from distributions.
const SEEDS: u32 = 20;
/// Replications of a trace before it is known whether anything is random.
const TRACE_SEEDS: u32 = 10;
/// Most windows that are taken without being asked for.
const MOST_WINDOWS: u32 = 30;
/// Windows below which a trace is too short to be cut.
const FEWEST_WINDOWS: u32 = 3;
/// Pilot runs of each policy whose course is averaged,
const PILOTS: u32 = 10;
/// and as many where those do not settle: the course of a busy queue wanders for so long that
/// ten of a stable one seem not to in 3 of 100 cases.
const MORE_PILOTS: u32 = 40;
/// Work has stopped where nothing arrives for this share of the run,
const LONG_SILENCE: f64 = 0.05;
/// and for so many times the usual gap between arrivals.
const MANY_GAPS: f64 = 20.0;
const DAY: Span = Span::from_secs(86_400);
const WEEK: Span = Span::from_secs(7 * 86_400);

/// Settings that the user asks for; the rest follows from the scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Number of replications, at least 1, or with a precision the most of them.
    pub replications: Option<u32>,
    /// Length of the windows, more than zero; a trace that is no longer than that is taken in one piece.
    pub window: Option<Span>,
    /// Length of the part that is played before each window, or left out at the start; zero or more.
    pub warm_up: Option<Span>,
    /// Length of the blocks that are drawn, more than zero.
    pub resample: Option<Span>,
}

/// Repetition of a scenario and the number of its replications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepetitionPlan {
    /// The repetition: seeds, windows or blocks.
    pub repetition: Repetition,
    /// Number of replications, at most.
    pub replications: u32,
}

/// Failure of an experiment that plans its own replications.
#[derive(Debug)]
pub enum ExperimentFailure {
    /// A setting that is out of its range, or does not go together with the scenario.
    Problem(Problem),
    /// A run failed, of the experiment or of the pilot before it.
    Runs(RunnerFailure),
}

/// Plans the replications of the first side's scenario, which hold for all
/// sides. A scenario about the steady state costs pilot runs of each side.
///
/// # Errors
/// See [`ExperimentFailure`].
pub fn plan(
    runner: &Runner<'_>,
    sides: &[Arm<'_>],
    asked: Asked,
) -> Result<RepetitionPlan, ExperimentFailure> {
    let scenario = sides[0].scenario;
    let problem = |message: &str, hint: &str| {
        Err(ExperimentFailure::Problem(Problem::with(&scenario.path, message).hint(hint)))
    };
    if let Some(problem) = setting_range::of_asked(&asked, scenario) {
        return Err(ExperimentFailure::Problem(problem));
    }
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
        return Ok(RepetitionPlan { repetition: Repetition::Blocks { length }, replications });
    }
    let windows = windows(scenario, asked);
    match (asked.window, windows) {
        (Some(width), None) if is_whole(scenario, width) => {}
        (Some(width), None) => {
            return problem(
                "the workload cannot be cut into such windows",
                &uncut(scenario, width),
            );
        }
        (Some(_), Some(windows)) => return Ok(windows.plan(count)),
        (None, Some(windows)) if windows.of >= FEWEST_WINDOWS && !scenario.steady_state => {
            return Ok(windows.plan(count));
        }
        (None, _) => {}
    }
    let warm_up = match asked.warm_up {
        Some(warm_up) => warm_up,
        None if scenario.steady_state => pilot(runner, sides)?,
        None => Span::ZERO,
    };
    let usual = if is_synthetic(scenario) { SEEDS } else { TRACE_SEEDS };
    let replications = count.unwrap_or(usual);
    Ok(RepetitionPlan { repetition: Repetition::Seeds { warm_up }, replications })
}

/// The windows that a trace can be cut into.
#[derive(Clone, Copy)]
struct TraceWindows {
    first: Time,
    width: Span,
    warm_up: Span,
    of: u32,
}

impl TraceWindows {
    /// So many of them, or all that there are.
    fn plan(self, count: Option<u32>) -> RepetitionPlan {
        let Self { first, width, warm_up, of } = self;
        let taken = count.unwrap_or(MOST_WINDOWS).min(of);
        let repetition = Repetition::Windows { first, width, warm_up, of, taken, stride: 1 };
        RepetitionPlan { repetition, replications: taken }
    }
}

/// The windows that the trace can be cut into; `None` if it cannot be cut. Transformations that
/// count or deal out work see all of it, so a workload that has any is not cut.
fn windows(scenario: &Scenario, asked: Asked) -> Option<TraceWindows> {
    let WorkloadInput::Shared(trace) = &scenario.workload.input else { return None };
    let whole = |step: &Transform| {
        !matches!(
            step,
            Transform::Keep(_)
                | Transform::ScaleRuntimes(_)
                | Transform::ScaleSizes { .. }
                | Transform::Begin(_)
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
    (of >= 2).then_some(TraceWindows { first, width, warm_up, of })
}

/// Whether a window of `width` holds all of the work, as `Span::MAX` always does.
fn is_whole(scenario: &Scenario, width: Span) -> bool {
    width == Span::MAX || spread(scenario).is_some_and(|spread| width >= spread)
}

/// Hint for work that cannot be cut into windows of `width`.
fn uncut(scenario: &Scenario, width: Span) -> String {
    match spread(scenario) {
        Some(spread) => format!(
            "two windows of {width} and a warm-up do not fit the {spread} of the trace: give shorter ones, or \
             `--window whole` for all of it in one piece"
        ),
        None => "windows are cut from a trace that is held in memory; `--window whole` takes all work in one piece"
            .to_owned(),
    }
}

/// Time from the first arrival of a trace that is held in memory to its last, whatever is made of
/// it.
fn spread(scenario: &Scenario) -> Option<Span> {
    let WorkloadInput::Shared(trace) = &scenario.workload.input else { return None };
    trace.arrivals().map(|(first, last)| last - first)
}

/// Time from the first arrival of a trace to its last; `None` if that is not known before it is
/// played.
fn extent(scenario: &Scenario) -> Option<Span> {
    let begins = |step: &Transform| matches!(step, Transform::Begin(_));
    let as_it_is = scenario.workload.transforms.iter().all(begins);
    spread(scenario).filter(|_| as_it_is)
}

/// The warm-up of the steady state: MSER-5 on the number of waiting jobs and on
/// the allocated cores, and of all of these the longest. One run's queue is so
/// skewed that a single late burst would decide, so as Welch has it, the series
/// is first averaged over several runs, time by time.
fn pilot(runner: &Runner<'_>, sides: &[Arm<'_>]) -> Result<Span, ExperimentFailure> {
    let repetition = Repetition::Seeds { warm_up: Span::ZERO };
    let scenario = sides[0].scenario;
    let runs: &[u32] = if is_synthetic(scenario) { &[PILOTS, MORE_PILOTS] } else { &[1] };
    let mut longest = Span::ZERO;
    for side in sides {
        let mut exhibits = Vec::new();
        let mut settled = None;
        for &runs in runs {
            let rows = exhibits.len() as u32..runs;
            let cells: Vec<RunRequest<'_>> = rows.map(|row| side.cell(repetition, row)).collect();
            exhibits.extend(runner.exhibit(&cells).map_err(ExperimentFailure::Runs)?);
            let end = goes_on(scenario, exhibits.iter().map(|one| &one.result.summary))
                .map_err(ExperimentFailure::Problem)?;
            let series: Vec<&Series> = exhibits.iter().map(|one| &one.result.series).collect();
            settled = settles(&series, end);
            if settled.is_some() {
                break;
            }
        }
        let until = settled.ok_or_else(|| {
            let message = "the run is too short to find a steady state in it";
            let hint = "let it go on for longer, give `--warm-up`, or leave `steady_state` out";
            ExperimentFailure::Problem(Problem::with(&scenario.path, message).hint(hint))
        })?;
        longest = longest.max(until);
    }
    Ok(longest)
}

/// Time at which the start of these runs stops mattering: to their queues and to the cores
/// allocated.
fn settles(series: &[&Series], end: Time) -> Option<Span> {
    let mut longest = Span::ZERO;
    for of in [|bucket: &Bucket| bucket.waiting, |bucket: &Bucket| bucket.allocated[0]] {
        let averaged = averaged(series, end, of);
        let dropped = mser5(&averaged.means).ok()?;
        let until = averaged.start - Time::ZERO
            + Span::from_micros(averaged.width.micros() * dropped as i64);
        longest = longest.max(until);
    }
    Some(longest)
}

/// The horizon of a scenario whose work arrives until then.
fn goes_on<'a>(
    scenario: &Scenario,
    runs: impl Iterator<Item = &'a Summary>,
) -> Result<Time, Problem> {
    let problem = |message: String, hint: &str| {
        Err(Problem::with(&scenario.path, message).hint(hint.to_owned()))
    };
    let Some(horizon) = scenario.horizon else {
        let message = "a steady state needs a `horizon` until which work arrives".to_owned();
        return problem(message, "set `horizon`, or leave `steady_state` out");
    };
    for run in runs {
        let whole = horizon.secs_f64();
        let silence = whole - run.arrivals_s;
        let gap = run.arrivals_s / run.work.submitted.max(1) as f64;
        if silence > whole * LONG_SILENCE && silence > gap * MANY_GAPS {
            let last = Span::from_secs_f64(run.arrivals_s).unwrap_or(Span::ZERO);
            let message = format!(
                "`steady_state` needs work that goes on to the horizon of {horizon}, and the last \
                 arrives after {last}"
            );
            let hint = "let the workload span the horizon, or leave `steady_state` out";
            return problem(message, hint);
        }
    }
    Ok(Time::ZERO + horizon)
}

/// A number over time, averaged over runs.
struct Averaged {
    start: Time,
    width: Span,
    means: Vec<f64>,
}

/// The mean over runs of `of` per unit of time, in steps of the coarsest series;
/// widths are powers of two of each other. Steps that not every run has are left out.
fn averaged(series: &[&Series], end: Time, of: fn(&Bucket) -> i128) -> Averaged {
    let width = series.iter().map(|one| one.width()).max().unwrap_or(Span::ZERO);
    let start = series.iter().map(|one| one.start()).min().unwrap_or(Time::ZERO);
    let in_steps = |one: &&Series| -> Vec<f64> {
        let merge = (width.micros() / one.width().micros().max(1)).max(1) as usize;
        let buckets: Vec<_> = one.buckets().filter(|(at, ..)| *at < end).collect();
        let mean = |step: &[(Time, Span, &Bucket)]| {
            let span: i64 = step.iter().map(|(_, span, _)| span.micros()).sum();
            let sum: i128 = step.iter().map(|(.., bucket)| of(bucket)).sum();
            sum as f64 / span.max(1) as f64
        };
        buckets.chunks(merge).map(mean).collect()
    };
    let all: Vec<Vec<f64>> = series.iter().map(in_steps).collect();
    let shortest = all.iter().map(Vec::len).min().unwrap_or(0);
    let mean = |at: usize| all.iter().map(|one| one[at]).sum::<f64>() / all.len() as f64;
    Averaged { start, width, means: (0..shortest).map(mean).collect() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::experiment::{NoCache, NoProgress};
    use crate::policy::external::NoLauncher;

    /// M/M/10 at 80 %, whose work stops after `span`.
    fn planned(seed: u64, span: &str) -> Result<RepetitionPlan, ExperimentFailure> {
        let text = format!(
            "question = \"?\"\nseed = {seed}\nsteady_state = true\nhorizon = \"30 d\"\n\
             [workload.synthetic]\nspan = \"{span}\"\narrivals = {{ per_hour = 8 }}\n\
             class.a = {{ runtime = \"exponential(mean=1 h)\", vcpus = 1, memory = \"1 GiB\" }}\n\
             [cluster.c]\nnodes = 10\nshape = {{ vcpus = 1, memory = \"2 GiB\" }}\n\
             cost = \"0.05 USD/h\"\n[policy.p]\npreset = \"batch-fcfs\"\n"
        );
        let base = Path::new(env!("CARGO_MANIFEST_DIR"));
        let scenario = Scenario::parse(&text, "a.toml", base, &[]).expect("a scenario");
        let policy = &scenario.policies[0];
        let side = Arm { name: "p", scenario: &scenario, policy };
        let (cache, watch) = (&NoCache, &NoProgress);
        let runner = Runner { cache, watch, audit: false, launcher: &NoLauncher };
        plan(&runner, &[side], Asked::default())
    }

    /// One run of this queue is too skewed for MSER-5 in about every second case, ten runs in
    /// one of twenty: the minimum of 9033000 lies in the last six of 126 batches.
    #[test]
    fn a_stable_queue_has_a_steady_state() {
        for seed in [1, 101, 201, 301, 401, 501, 9_033_000] {
            let plan = planned(seed, "30 d").expect("it is stable");
            let warm_up = plan.repetition.warm_up();
            assert!(warm_up > Span::ZERO && warm_up < Span::from_secs(15 * 86_400), "{warm_up}");
        }
    }

    #[test]
    fn work_that_stops_early_has_none() {
        match planned(1, "20 d") {
            Err(ExperimentFailure::Problem(problem)) => {
                let shown = problem.to_string();
                assert!(shown.contains("goes on to the horizon of 30 d"), "{shown}");
            }
            other => panic!("{other:?}"),
        }
    }
}
