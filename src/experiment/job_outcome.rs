//! Outcome of each piece of work, so that two runs over the same work can be held against each
//! other job by job.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::WorkId;
use crate::sim::Observer;
use crate::state::{Record, State, WorkRef};
use crate::units::Time;

/// Most pieces of work whose outcomes are kept.
pub const MAX_JOB_OUTCOMES: usize = 2_000_000;

/// Outcome of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobOutcome {
    /// Done, in time where it had a deadline.
    Done,
    /// Done after its deadline.
    Late,
    /// Turned away.
    Refused,
    /// Alive when the run ended.
    Unfinished,
}

impl JobOutcome {
    /// All outcomes, the best first.
    pub const ALL: [Self; 4] = [Self::Done, Self::Late, Self::Refused, Self::Unfinished];

    /// The words of reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done in time",
            Self::Late => "done late",
            Self::Refused => "refused",
            Self::Unfinished => "unfinished",
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::Done => 'd',
            Self::Late => 'l',
            Self::Refused => 'r',
            Self::Unfinished => 'u',
        }
    }

    fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|fate| fate.letter() == letter)
    }
}

/// Outcomes of all work of a run in order of identity, as runs of one outcome:
/// `3d1l` is three pieces of work done in time and then one done late. Two runs
/// over the same work have as many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOutcomes(String);

impl JobOutcomes {
    fn of(fates: impl IntoIterator<Item = JobOutcome>) -> Self {
        let mut runs: Vec<(u64, JobOutcome)> = Vec::new();
        for fate in fates {
            match runs.last_mut() {
                Some((count, last)) if *last == fate => *count += 1,
                _ => runs.push((1, fate)),
            }
        }
        let word = |(count, fate): &(u64, JobOutcome)| format!("{count}{}", fate.letter());
        Self(runs.iter().map(word).collect())
    }

    /// The outcomes one by one, up to the first that is malformed.
    pub fn iter(&self) -> impl Iterator<Item = JobOutcome> + '_ {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
            let count: usize = rest[..end].parse().ok()?;
            let letter = rest[end..].chars().next()?;
            rest = &rest[end + letter.len_utf8()..];
            Some(std::iter::repeat_n(JobOutcome::of_letter(letter)?, count))
        })
        .flatten()
    }

    /// Number of pieces of work that went from one outcome to another; unchanged ones are not
    /// listed.
    pub fn changes(&self, to: &Self) -> Vec<(JobOutcome, JobOutcome, u64)> {
        let mut counts = BTreeMap::new();
        for (from, to) in self.iter().zip(to.iter()).filter(|(from, to)| from != to) {
            *counts.entry((from, to)).or_insert(0) += 1;
        }
        counts.into_iter().map(|((from, to), count)| (from, to, count)).collect()
    }
}

/// Watches a run and notes what became of its work.
#[derive(Debug)]
pub(super) struct JobOutcomeWatch {
    from: Time,
    names: bool,
    ended: Vec<(WorkId, JobOutcome, String)>,
    overflowed: bool,
}

impl JobOutcomeWatch {
    /// Watch of the work that arrives at `from` or later; with `names`, where they are wanted.
    pub(super) fn new(from: Time, names: bool) -> Self {
        Self { from, names, ended: Vec::new(), overflowed: false }
    }

    /// The outcomes and, where they were wanted, the names in the same order. `None` if there was
    /// more work than can be kept.
    pub(super) fn finish(mut self) -> Option<(JobOutcomes, Vec<String>)> {
        if self.overflowed {
            return None;
        }
        self.ended.sort_unstable();
        let fates = JobOutcomes::of(self.ended.iter().map(|row| row.1));
        let names = match self.names {
            true => self.ended.into_iter().map(|row| row.2).collect(),
            false => Vec::new(),
        };
        Some((fates, names))
    }

    fn note(&mut self, state: &State<'_>, work: WorkRef, fate: JobOutcome) {
        let live = state.work(work);
        if live.arrival < self.from || self.overflowed {
            return;
        }
        if self.ended.len() == MAX_JOB_OUTCOMES {
            self.overflowed = true;
            self.ended = Vec::new();
            return;
        }
        let name = match (self.names, state.name(work), live.id.source) {
            (false, ..) => String::new(),
            (true, "", 0) => live.id.ordinal.to_string(),
            (true, "", source) => format!("{source}/{}", live.id.ordinal),
            (true, name, 0) => name.to_owned(),
            (true, name, source) => format!("{source}/{name}"),
        };
        self.ended.push((live.id, fate, name));
    }
}

impl Observer for JobOutcomeWatch {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Finished(work) => {
                let deadline = state.work(work).ask.deadline;
                let late = deadline.is_some_and(|deadline| state.now() > deadline);
                self.note(state, work, if late { JobOutcome::Late } else { JobOutcome::Done });
            }
            Record::Refused { work, .. } => self.note(state, work, JobOutcome::Refused),
            Record::Unfinished(work) => self.note(state, work, JobOutcome::Unfinished),
            Record::Submitted(_)
            | Record::Placed(_)
            | Record::Started(_)
            | Record::Stopped { .. }
            | Record::Requested(_)
            | Record::Ready(_)
            | Record::Draining { .. }
            | Record::Failed { .. }
            | Record::Repaired(_)
            | Record::Outage { .. }
            | Record::Slowed { .. }
            | Record::Devices { .. }
            | Record::Restarted { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::Released { .. }
            | Record::Charged(_)
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use JobOutcome::{Done, Late, Refused};

    #[test]
    fn fates_are_written_as_runs_and_read_again() {
        let fates = JobOutcomes::of([Done, Done, Late, Refused, Done]);
        assert_eq!(fates.0, "2d1l1r1d");
        assert_eq!(fates.iter().collect::<Vec<_>>(), [Done, Done, Late, Refused, Done]);
        assert_eq!(JobOutcomes("2d9".to_owned()).iter().count(), 2);
        assert_eq!(JobOutcomes("x".to_owned()).iter().count(), 0);
    }

    #[test]
    fn changes_are_counted_by_kind() {
        let (from, to) = (JobOutcomes("3d2l".to_owned()), JobOutcomes("1d1l2d1l".to_owned()));
        assert_eq!(from.changes(&to), [(Done, Late, 1), (Late, Done, 1)]);
        assert_eq!(from.changes(&from), []);
    }
}
