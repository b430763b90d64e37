//! Space of settings: a scenario read with many edits of its single values, and the traces that
//! these scenarios share.

use std::collections::BTreeSet;

use super::runner::share_inputs;
use super::single::RunFailure;
use crate::problem::{Problem, Problems};
use crate::scenario::Scenario;
use crate::units::Calendar;
use crate::workload::{TraceSpec, WorkloadInput};

/// Problems that are shown; a wrong key is wrong at every point.
const MOST_PROBLEMS: usize = 20;
/// Traces that are kept in memory; when points have more, the others are read in every run.
const MOST_TRACES: usize = 2;

/// Reads `scenario` with each of many edits, so that nothing runs where one is wrong; the
/// scenario with the first.
///
/// # Errors
/// Every problem of all of them, each once, up to a limit.
pub(super) fn check_all(
    edits: impl IntoIterator<Item = Vec<(String, String)>>,
    scenario: &Scenario,
) -> Result<Scenario, Problems> {
    let mut first = None;
    let mut all: Vec<Problem> = Vec::new();
    for edits in edits {
        match scenario.edited(&edits) {
            Ok(edited) => first = first.or(Some(edited)),
            Err(problems) => all.extend(problems),
        }
        // The same thing is wrong at many points; values differ, keys do not.
        let mut seen = BTreeSet::new();
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
        _ => Err(all.into()),
    }
}

/// Traces that were read, for scenarios that have the same.
#[derive(Default)]
pub(super) struct TraceCache {
    loaded: Vec<(TraceSpec, Calendar, WorkloadInput)>,
}

impl TraceCache {
    /// Cache with the trace that a scenario has read already.
    pub(super) fn of(scenario: &Scenario) -> Self {
        let input = &scenario.workload.input;
        let loaded = match input {
            WorkloadInput::Shared(shared) => {
                vec![(shared.trace.clone(), scenario.calendar, input.clone())]
            }
            WorkloadInput::Trace(_) | WorkloadInput::Synthetic(_) => Vec::new(),
        };
        Self { loaded }
    }

    /// Gives the scenario its trace, which is read where it is not known.
    ///
    /// # Errors
    /// Problems with the trace.
    pub(super) fn fill(&mut self, scenario: &mut Scenario) -> Result<(), RunFailure> {
        let Some(trace) = scenario.workload.input.trace().cloned() else { return Ok(()) };
        let calendar = scenario.calendar;
        let known = self.loaded.iter().find(|known| known.0 == trace && known.1 == calendar);
        if let Some((_, _, input)) = known {
            scenario.workload.input = input.clone();
        } else if self.loaded.len() < MOST_TRACES {
            share_inputs(scenario)?;
            self.loaded.push((trace, calendar, scenario.workload.input.clone()));
        }
        Ok(())
    }
}
