//! Reads the scenario at every point, and runs it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::super::compare::{Arm, Asked, ExperimentFailure, plan};
use super::super::measurement::Measurement;
use super::super::replication::Repetition;
use super::super::runner::{ProgressWatch, RunRequest, Runner, RunnerFailure, is_drawn};
use super::super::setting_range;
use super::super::single::RunFailure;
use super::super::space::{TraceCache, check_all};
use super::axis::Axis;
use super::design::{Design, SweepPoint};
use super::table::{Sweep, SweepRun};
use crate::policy::spec::PolicySpec;
use crate::problem::{Problem, Problems};
use crate::scenario::{Scenario, concerns};
use crate::sim::RunProgress;

/// Runs that are held in memory in full at once; of the others only what a sweep shows.
const BATCH: usize = 512;
/// Replications where nothing else is said: fewer than of a comparison, for there are many points.
const USUAL: u32 = 5;

/// Plan of a sweep: its axes, its points and its replications.
#[derive(Clone, Debug)]
pub struct SweepPlan {
    /// Axes that are varied.
    pub axes: Vec<Axis>,
    /// Design by which points were chosen.
    pub design: Design,
    /// The points.
    pub points: Vec<SweepPoint>,
    /// Rows of the policies in the scenario; at least one.
    pub policies: Vec<usize>,
    /// The repetition: seeds, windows or blocks.
    pub repetition: Repetition,
    /// Runs per point and policy; at least 1.
    pub replications: u32,
}

/// Reads the scenario at every point, so that nothing runs where one is wrong;
/// the scenario at the first point.
///
/// # Errors
/// Every problem of every point, each once, up to a limit.
pub fn check(
    axes: &[Axis],
    points: &[SweepPoint],
    scenario: &Scenario,
) -> Result<Scenario, Problems> {
    check_all(points.iter().map(|point| point.edits(axes)), scenario)
}

/// Repetition of the scenario, and the number of replications, at the first point, and so at all of
/// them: as a comparison of its policies would, but fewer times unless `asked` says how often, and
/// once where two seeds do the same under every policy.
///
/// # Errors
/// See [`ExperimentFailure`].
pub fn repetition(
    runner: &Runner<'_>,
    first: &Scenario,
    axes: &[Axis],
    policies: &[usize],
    asked: Option<u32>,
) -> Result<(Repetition, u32), ExperimentFailure> {
    if let Some(problem) = setting_range::of_rows(first, policies) {
        return Err(ExperimentFailure::Problem(problem));
    }
    let side = |&row: &usize| {
        let policy = &first.policies[row];
        Arm { name: &policy.name, scenario: first, policy }
    };
    let sides: Vec<Arm<'_>> = policies.iter().map(side).collect();
    let often = asked.or(first.replications);
    // Windows are spread over the trace for as many as there will be.
    let spread = Some(often.unwrap_or(USUAL));
    let planned = plan(runner, &sides, Asked { replications: spread, ..Asked::default() })?;
    match planned.repetition {
        // Windows of one trace are not those of another.
        Repetition::Windows { .. } if !axes.iter().any(moves_work) => {
            return Ok((planned.repetition, planned.replications));
        }
        Repetition::Seeds { .. } | Repetition::Windows { .. } | Repetition::Blocks { .. } => {}
    }
    let repetition = Repetition::Seeds { warm_up: planned.repetition.warm_up() };
    if let Some(often) = often {
        return Ok((repetition, often));
    }
    let keys = axes.iter().map(|axis| axis.key.as_str());
    let is_random = is_drawn(first, keys) || differs(runner, &sides, repetition)?;
    Ok((repetition, if is_random { USUAL } else { 1 }))
}

/// Whether an axis may change the pieces of work or their arrivals.
fn moves_work(axis: &Axis) -> bool {
    let root = axis.key.split('.').next().unwrap_or_default();
    ["workload", "start", "horizon"].contains(&root)
}

/// Whether two seeds differ under any of the policies.
fn differs(
    runner: &Runner<'_>,
    sides: &[Arm<'_>],
    repetition: Repetition,
) -> Result<bool, ExperimentFailure> {
    let cells: Vec<RunRequest<'_>> =
        sides.iter().flat_map(|side| [0, 1].map(|seed| side.cell(repetition, seed))).collect();
    let pilot = runner.measure(&cells).map_err(ExperimentFailure::Runs)?;
    Ok(pilot.chunks(2).any(|pair| pair[0].fingerprint != pair[1].fingerprint))
}

/// Does all runs: every policy at every point under the same seeds. Settings that only another
/// policy would notice are not run again.
///
/// # Errors
/// Those of [`Runner::measure`], and problems with the scenario at a point if files that it names
/// changed since [`check`].
pub fn sweep(
    runner: &Runner<'_>,
    plan: SweepPlan,
    first: &Scenario,
) -> Result<Sweep, SweepFailure> {
    let wrong = setting_range::of_rows(first, &plan.policies);
    let none = (plan.replications == 0)
        .then(|| Problem::with(&first.path, "there must be at least one replication"));
    if let Some(problem) = wrong.or(none) {
        return Err(SweepFailure::Problems(problem.into()));
    }
    let replications = plan.replications as usize;
    let per_point = plan.policies.len() * replications;
    runner.watch.expect(plan.points.len() * per_point);
    let whole = BatchWatch(runner.watch);
    let runner = Runner { watch: &whole, ..*runner };
    let mut traces = TraceCache::of(first);
    let mut known = KnownRuns::default();
    let mut runs: Vec<SweepRun> = Vec::new();
    // Measurements at the first point, by replication.
    let mut first_done: Vec<Measurement> = Vec::new();
    for points in plan.points.chunks(BATCH.div_ceil(per_point).max(1)) {
        let mut scenarios = Vec::new();
        for point in points {
            let edited = first.edited(&point.edits(&plan.axes));
            let mut scenario = edited.map_err(SweepFailure::Problems)?;
            traces.fill(&mut scenario).map_err(SweepFailure::Input)?;
            scenarios.push(scenario);
        }
        let mut cells = Vec::new();
        // Start in `runs` of the runs of each point and policy; new runs start at its end.
        let mut places = Vec::new();
        for (point, scenario) in points.iter().zip(&scenarios) {
            for &row in &plan.policies {
                let policy = &scenario.policies[row];
                let own = runs.len() + places.len() * replications;
                let at = known.place(&plan.axes, point, (row, policy), own);
                places.push(at);
                if at == own {
                    let repetition = plan.repetition;
                    let cell =
                        |replication| RunRequest { scenario, policy, repetition, replication };
                    cells.extend((0..plan.replications).map(cell));
                }
            }
        }
        let measured = runner.measure(&cells).map_err(SweepFailure::Runs)?;
        if first_done.is_empty() {
            first_done = measured[..replications].to_vec();
        }
        let mut new = cells.iter().zip(measured).map(|(cell, one)| {
            let same_work = first_done[cell.replication as usize].same_work(&one);
            SweepRun::of(cell.seed(), same_work, one, cell.repetition)
        });
        for at in places {
            if at == runs.len() {
                runs.extend(new.by_ref().take(replications));
            } else {
                runs.extend_from_within(at..at + replications);
                (0..replications).for_each(|_| whole.done());
            }
        }
    }
    let name = |&row: &usize| first.policies[row].name.clone();
    let concerns = |row: &usize| {
        let policy = name(row);
        plan.axes.iter().map(|axis| concerns(first, &policy, &axis.key)).collect()
    };
    Ok(Sweep {
        policies: plan.policies.iter().map(name).collect(),
        concerns: plan.policies.iter().map(concerns).collect(),
        baseline: plan.policies.iter().position(|&row| row == first.baseline),
        objectives: first.objectives.clone(),
        repetition: plan.repetition,
        replications: plan.replications,
        axes: plan.axes,
        design: plan.design,
        points: plan.points,
        runs,
    })
}

/// Runs by what makes them: the values of all axes but those of policies with
/// the row of a policy, and what the others make of it.
#[derive(Default)]
struct KnownRuns {
    alike: BTreeMap<(Vec<String>, usize), PolicyRuns>,
}

/// Starts of the runs of each make of a policy.
type PolicyRuns = Vec<(PolicySpec, usize)>;

impl KnownRuns {
    /// Start of the runs that are made alike; `own` where there are none yet.
    fn place(
        &mut self,
        axes: &[Axis],
        point: &SweepPoint,
        (row, policy): (usize, &PolicySpec),
        own: usize,
    ) -> usize {
        let levels = axes.iter().zip(&point.levels);
        let others = levels.filter(|(axis, _)| !axis.key.starts_with("policy."));
        let texts = others.map(|(_, level)| level.text.clone()).collect();
        let alike = self.alike.entry((texts, row)).or_default();
        if let Some((_, at)) = alike.iter().find(|(other, _)| other == policy) {
            return *at;
        }
        alike.push((policy.clone(), own));
        own
    }
}

/// Failure of a sweep.
#[derive(Debug)]
pub enum SweepFailure {
    /// The scenario at a point is wrong.
    Problems(Problems),
    /// The trace of the scenario cannot be read.
    Input(RunFailure),
    /// A run failed.
    Runs(RunnerFailure),
}

/// Passes on all but the number of runs, which was said for all batches at once.
struct BatchWatch<'a>(&'a dyn ProgressWatch);

impl ProgressWatch for BatchWatch<'_> {
    fn step(&self, progress: RunProgress) -> ControlFlow<()> {
        self.0.step(progress)
    }

    fn done(&self) {
        self.0.done();
    }
}
