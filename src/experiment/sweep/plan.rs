//! Reads the scenario at every point, and runs it.

use std::ops::ControlFlow;

use super::super::lab::{Cell, Lab, LabFailure, Watch, is_synthetic, share_inputs};
use super::super::replication::Repetition;
use super::super::single::RunFailure;
use super::axis::Axis;
use super::design::{Design, Point};
use super::table::{Run, Sweep};
use crate::problem::Problem;
use crate::scenario::Scenario;
use crate::sim::Progress;
use crate::units::{Calendar, Span};
use crate::workload::{Input, TraceSpec};

/// Runs that are held in memory in full at once; of the others only what a sweep shows.
const BATCH: usize = 512;
/// Problems that are shown; a wrong key is wrong at every point.
const MOST_PROBLEMS: usize = 20;
/// Traces that are kept in memory; when points have more, the others are read in every run.
const MOST_TRACES: usize = 2;
/// Replications where runs differ by their seeds.
const SEEDS: u32 = 5;

const REPETITION: Repetition = Repetition::Seeds { warm_up: Span::ZERO };

/// Reads the scenario with some of its single values edited.
pub type Open<'a> = &'a dyn Fn(&[(String, String)]) -> Result<Scenario, Vec<Problem>>;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is varied.
    pub axes: Vec<Axis>,
    /// How points were chosen.
    pub design: Design,
    /// The points.
    pub points: Vec<Point>,
    /// Rows of the policies.
    pub policies: Vec<usize>,
    /// Runs per point and policy.
    pub replications: u32,
}

/// Reads the scenario at every point, so that nothing runs where one is wrong;
/// the scenario at the first point.
///
/// # Errors
/// Every problem of every point, each once, up to a limit.
pub fn check(axes: &[Axis], points: &[Point], open: Open<'_>) -> Result<Scenario, Vec<Problem>> {
    let mut first = None;
    let mut all: Vec<Problem> = Vec::new();
    for point in points {
        match open(&point.edits(axes)) {
            Ok(scenario) => first = first.or(Some(scenario)),
            Err(problems) => all.extend(problems),
        }
        // The same thing is wrong at many points; values differ, keys do not.
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|problem| {
            seen.insert((
                problem.line,
                problem.column,
                problem.message.clone(),
                problem.hint.clone(),
            ))
        });
        if all.len() > MOST_PROBLEMS {
            all.truncate(MOST_PROBLEMS);
            break;
        }
    }
    match first {
        Some(first) if all.is_empty() => Ok(first),
        _ => Err(all),
    }
}

/// How often to repeat a scenario: several times where its work is drawn from
/// distributions or where two seeds differ under one of the policies, else once.
///
/// # Errors
/// As [`Lab::measure`].
pub fn replications(
    lab: &Lab<'_>,
    scenario: &Scenario,
    policies: &[usize],
) -> Result<u32, LabFailure> {
    if is_synthetic(scenario) {
        return Ok(SEEDS);
    }
    let cell = |&policy: &usize, replication| Cell {
        scenario,
        policy: &scenario.policies[policy],
        repetition: REPETITION,
        replication,
    };
    let cells: Vec<Cell<'_>> =
        policies.iter().flat_map(|policy| [cell(policy, 0), cell(policy, 1)]).collect();
    let pilot = lab.measure(&cells)?;
    let differs = pilot.chunks(2).any(|pair| pair[0].fingerprint != pair[1].fingerprint);
    Ok(if differs { SEEDS } else { 1 })
}

/// Does all runs: every policy at every point under the same seeds.
///
/// # Errors
/// As [`Lab::measure`]; and what is wrong with the scenario at a point, where
/// its files changed since [`check`].
pub fn sweep(lab: &Lab<'_>, plan: Plan, open: Open<'_>) -> Result<Sweep, SweepFailure> {
    let per_point = plan.policies.len() * plan.replications as usize;
    let whole = Whole(lab.watch);
    lab.watch.expect(plan.points.len() * per_point);
    let lab = Lab { watch: &whole, ..*lab };
    let mut pantry = Pantry::default();
    let mut runs = Vec::new();
    let mut names = None;
    for points in plan.points.chunks(BATCH.div_ceil(per_point).max(1)) {
        let mut scenarios = Vec::new();
        for point in points {
            let mut scenario = open(&point.edits(&plan.axes)).map_err(SweepFailure::Problems)?;
            pantry.stock(&mut scenario).map_err(SweepFailure::Input)?;
            scenarios.push(scenario);
        }
        let cells = cells(&scenarios, &plan);
        let measured = lab.measure(&cells).map_err(SweepFailure::Lab)?;
        runs.extend(cells.iter().zip(measured).map(|(cell, one)| Run::of(cell.seed(), one)));
        names = names.or_else(|| scenarios.into_iter().next());
    }
    let first = names.ok_or_else(|| SweepFailure::Problems(Vec::new()))?;
    let name = |&row: &usize| first.policies[row].name.clone();
    Ok(Sweep {
        policies: plan.policies.iter().map(name).collect(),
        baseline: plan.policies.iter().position(|&row| row == first.baseline),
        objectives: first.objectives.clone(),
        replications: plan.replications,
        axes: plan.axes,
        design: plan.design,
        points: plan.points,
        runs,
    })
}

/// Why there is no sweep.
#[derive(Debug)]
pub enum SweepFailure {
    /// The scenario at a point is wrong.
    Problems(Vec<Problem>),
    /// Its trace cannot be read.
    Input(RunFailure),
    /// A run failed.
    Lab(LabFailure),
}

fn cells<'a>(scenarios: &'a [Scenario], plan: &Plan) -> Vec<Cell<'a>> {
    let mut cells = Vec::new();
    for scenario in scenarios {
        for &policy in &plan.policies {
            let policy = &scenario.policies[policy];
            let cell = |replication| Cell { scenario, policy, repetition: REPETITION, replication };
            cells.extend((0..plan.replications).map(cell));
        }
    }
    cells
}

/// Traces that were read, for points that have the same.
#[derive(Default)]
struct Pantry {
    shelves: Vec<(TraceSpec, Calendar, Input)>,
}

impl Pantry {
    fn stock(&mut self, scenario: &mut Scenario) -> Result<(), RunFailure> {
        let Some(trace) = scenario.workload.input.trace().cloned() else { return Ok(()) };
        let calendar = scenario.calendar;
        let known = self.shelves.iter().find(|shelf| shelf.0 == trace && shelf.1 == calendar);
        if let Some((_, _, input)) = known {
            scenario.workload.input = input.clone();
        } else if self.shelves.len() < MOST_TRACES {
            share_inputs(scenario)?;
            self.shelves.push((trace, calendar, scenario.workload.input.clone()));
        }
        Ok(())
    }
}

/// Passes on all but the number of runs, which was said for all batches at once.
struct Whole<'a>(&'a dyn Watch);

impl Watch for Whole<'_> {
    fn step(&self, progress: Progress) -> ControlFlow<()> {
        self.0.step(progress)
    }

    fn done(&self) {
        self.0.done();
    }
}
