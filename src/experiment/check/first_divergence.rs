//! The first thing that happened otherwise than in the baseline: the trails of
//! both runs say between which records it lies, their logs say where.

use std::cell::Cell;
use std::ops::ControlFlow;

use serde::Serialize;

use super::super::compare::RepetitionPlan;
use super::super::event_log::{EventLog, EventLogEntry, RecordRange};
use super::super::runner::{Runner, RunnerFailure};
use super::super::single::{self, RunFailure, Settings};
use super::{Baseline, Trial};
use crate::policy::spec::PolicySpec;
use crate::scenario::Scenario;
use crate::sim::Failure;

/// First record at which a run and its baseline differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstDivergence {
    /// The replication, from 0.
    pub replication: u32,
    /// Its seed.
    pub seed: u64,
    /// Record up to which all are the same.
    #[serde(rename = "same_up_to_record")]
    pub agreed: u64,
    /// Record at which they are the same no more: the bracket, or the record itself.
    #[serde(rename = "differs_by_record")]
    pub parted: u64,
    /// Record of the baseline's side, where it could be run again and did not end there.
    #[serde(rename = "baseline")]
    pub base: Option<EventLogEntry>,
    /// Record of the run now, unless the run ended there.
    pub now: Option<EventLogEntry>,
    /// Reason for which there is no baseline's side, or nothing to see in it.
    pub caution: Option<String>,
}

/// One side that can be run again: gives the records of a stretch.
pub type Replay<'a, E> =
    &'a mut dyn FnMut(RecordRange, &mut dyn FnMut(EventLogEntry)) -> Result<(), E>;

/// The first replication in which another thing happened, and the records
/// between which it did.
pub fn bracket(trial: &Trial<'_>, baseline: &Baseline) -> Option<FirstDivergence> {
    let runs = trial.runs.iter().zip(&baseline.trail).enumerate();
    let (replication, (agreed, parted)) = runs
        .into_iter()
        .find_map(|(at, (run, then))| Some((at as u32, then.divergence(&run.trail)?)))?;
    let seed = trial.tested.scenario.seed.wrapping_add(u64::from(replication));
    let (base, now, caution) = (None, None, None);
    Some(FirstDivergence { replication, seed, agreed, parted, base, now, caution })
}

/// Gives the records of one run to `sink`, and ends it behind the last of them.
///
/// # Errors
/// See [`RunnerFailure`].
pub fn replay(
    runner: &Runner<'_>,
    (scenario, policy): (&Scenario, &PolicySpec),
    (plan, replication): (&RepetitionPlan, u32),
    stretch: RecordRange,
    sink: &mut dyn FnMut(EventLogEntry),
) -> Result<(), RunnerFailure> {
    let over = Cell::new(false);
    let mut log = EventLog::new(stretch, &over, sink);
    let seed = plan.repetition.seed(scenario, replication);
    let settings = Settings { explain: stretch.reasons, names: true, ..Settings::seeded(seed) };
    let repeated = plan.repetition.scenario(scenario, replication);
    let decides = (policy, runner.launcher);
    let result = single::run_with(&repeated, decides, settings, &mut log, &mut |progress| {
        if over.get() { ControlFlow::Break(()) } else { runner.watch.step(progress) }
    });
    match result {
        Ok(_) => Ok(()),
        Err(RunFailure::Sim(Failure::Interrupted { .. })) if over.get() => Ok(()),
        Err(failure) => {
            let failure = Box::new(failure);
            Err(RunnerFailure::Run { policy: policy.name.clone(), seed, failure })
        }
    }
}

/// Looks the first difference up in the records of both sides. Whether there is one:
/// otherwise the base is not what made the baseline.
///
/// # Errors
/// Errors of either side.
pub fn look_up<E>(
    parting: &mut FirstDivergence,
    base: Replay<'_, E>,
    now: Replay<'_, E>,
) -> Result<bool, E> {
    let bracket = RecordRange { from: parting.agreed + 1, until: parting.parted, reasons: false };
    let hashes = |side: Replay<'_, E>| -> Result<Vec<[u8; 16]>, E> {
        let mut hashes = Vec::new();
        side(bracket, &mut |step| {
            let hash = blake3::hash(format!("{} {}", step.time_us, step.what).as_bytes());
            let mut short = [0; 16];
            short.copy_from_slice(&hash.as_bytes()[..16]);
            hashes.push(short);
        })?;
        Ok(hashes)
    };
    let (ours, theirs) = (hashes(now)?, hashes(base)?);
    let same = ours.iter().zip(&theirs).take_while(|(one, other)| one == other).count();
    if same == ours.len() && same == theirs.len() {
        return Ok(false);
    }
    parting.agreed += same as u64;
    parting.parted = parting.agreed + 1;
    parting.base = only(base, parting.parted)?;
    parting.now = only(now, parting.parted)?;
    Ok(true)
}

/// The record with this number, with what could be seen and the reasons; `None` if the run ends
/// before it.
///
/// # Errors
/// Errors of the side.
pub fn only<E>(side: Replay<'_, E>, record: u64) -> Result<Option<EventLogEntry>, E> {
    let mut found = None;
    side(RecordRange { from: record, until: record, reasons: true }, &mut |step| {
        found.get_or_insert(step);
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(record: u64, what: &str) -> EventLogEntry {
        EventLogEntry {
            record,
            time_us: record as i64,
            date: String::new(),
            what: what.to_owned(),
            work: None,
            seen: None,
            reasons: Vec::new(),
        }
    }

    /// Checks where two logs of letters part whose first `agreed` letters are known to be the same.
    #[track_caller]
    fn check(base: &str, now: &str, agreed: u64, want: (u64, Option<&str>, Option<&str>)) {
        let side = |text: &str, stretch: RecordRange, sink: &mut dyn FnMut(EventLogEntry)| {
            for (at, letter) in text.chars().enumerate() {
                let record = at as u64 + 1;
                if (stretch.from..=stretch.until).contains(&record) {
                    sink(step(record, &letter.to_string()));
                }
            }
            Ok::<(), ()>(())
        };
        let parted = base.len().max(now.len()) as u64;
        let mut parting = FirstDivergence {
            replication: 0,
            seed: 1,
            agreed,
            parted,
            base: None,
            now: None,
            caution: None,
        };
        look_up(
            &mut parting,
            &mut |stretch, sink| side(base, stretch, sink),
            &mut |stretch, sink| side(now, stretch, sink),
        )
        .expect("nothing fails");
        let what = |step: &Option<EventLogEntry>| step.as_ref().map(|step| step.what.clone());
        let found = (parting.parted, what(&parting.base), what(&parting.now));
        assert_eq!(found, (want.0, want.1.map(str::to_owned), want.2.map(str::to_owned)));
    }

    #[test]
    fn the_first_difference_is_found() {
        check("abcd", "abxd", 0, (3, Some("c"), Some("x")));
        check("abcd", "abxd", 2, (3, Some("c"), Some("x")));
        check("ab", "abc", 1, (3, None, Some("c")));
        check("abc", "a", 0, (2, Some("b"), None));
        check("abc", "abc", 0, (3, None, None));
    }
}
