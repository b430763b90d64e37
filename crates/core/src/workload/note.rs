//! Rows of a trace that became no work, or other work than they say, counted by why.

use serde::Serialize;

/// Reason that a row was left out, or assumption that was made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowNote {
    /// Left out: nothing says how long it ran.
    NoRuntime,
    /// Left out: it has no processors.
    NoProcessors,
    /// Left out, as the options want it: it ran for no time.
    RanForNoTime,
    /// Left out, as the options want it: it was cancelled.
    Cancelled,
    /// Left out: it is part of a job that has a row of its own.
    Part,
    /// Left out: a later row is the last attempt at the same job.
    Attempt,
    /// Left out: the work had not started when the log was written, or never did.
    NeverRan,
    /// Left out: the work had not ended when the log was written.
    NotEnded,
    /// Left out: it ended before the trace begins.
    EndedBefore,
    /// Left out: the filter of the scenario wants it.
    Filtered,
    /// Kept: it has no arrival, so it is there when the trace begins.
    AliveAtStart,
    /// Kept: one component of a job of several, taken as a job of its own.
    Component,
    /// Kept: its GPUs do not divide by its nodes, so each node gives an equal part of them.
    UnevenGpus,
    /// Kept: it ran until it was requeued, and the log has no later run of it.
    Requeued,
    /// Kept: it says that it ran for another time than from its start to its end.
    OtherElapsed,
    /// Kept: it started before it was eligible, so it arrives when it was submitted.
    LateEligible,
    /// Kept: it started before it arrives, so how long it waited is not known.
    EarlyStart,
    /// Kept: its memory is written as 0, or for each of no cores, and is taken as that.
    NoMemory,
    /// Kept: it holds parts of GPUs that other work shares, which are not modelled.
    SharedGpus,
    /// Kept: it holds devices, licences or other resources that are not modelled.
    OtherResources,
    /// Kept: it asks for nothing, so any number of such work runs at once.
    Sizeless,
}

impl RowNote {
    /// Every note, in the order of reports.
    pub const ALL: [Self; 21] = [
        Self::NoRuntime,
        Self::NoProcessors,
        Self::RanForNoTime,
        Self::Cancelled,
        Self::Part,
        Self::Attempt,
        Self::NeverRan,
        Self::NotEnded,
        Self::EndedBefore,
        Self::Filtered,
        Self::AliveAtStart,
        Self::Component,
        Self::UnevenGpus,
        Self::Requeued,
        Self::OtherElapsed,
        Self::LateEligible,
        Self::EarlyStart,
        Self::NoMemory,
        Self::SharedGpus,
        Self::OtherResources,
        Self::Sizeless,
    ];

    /// Whether the row became no work.
    pub const fn left_out(self) -> bool {
        match self {
            Self::NoRuntime
            | Self::NoProcessors
            | Self::RanForNoTime
            | Self::Cancelled
            | Self::Part
            | Self::Attempt
            | Self::NeverRan
            | Self::NotEnded
            | Self::EndedBefore
            | Self::Filtered => true,
            Self::AliveAtStart
            | Self::Component
            | Self::UnevenGpus
            | Self::Requeued
            | Self::OtherElapsed
            | Self::LateEligible
            | Self::EarlyStart
            | Self::NoMemory
            | Self::SharedGpus
            | Self::OtherResources
            | Self::Sizeless => false,
        }
    }

    /// The note in words, to stand behind a number of rows.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoRuntime => "left out: without a runtime",
            Self::NoProcessors => "left out: without processors",
            Self::RanForNoTime => "left out: ran for no time",
            Self::Cancelled => "left out: cancelled",
            Self::Part => "left out: part of a job that has a row of its own",
            Self::Attempt => "left out: an earlier attempt at a job that was tried again",
            Self::NeverRan => "left out: never started",
            Self::NotEnded => "left out: not ended when the log was written",
            Self::EndedBefore => "left out: ended before the trace begins",
            Self::Filtered => "left out: by `where` or `where_not`",
            Self::AliveAtStart => "kept: without an arrival, so alive when the trace begins",
            Self::Sizeless => {
                "kept: asks for no cores, memory or GPUs, so any number of them run at once"
            }
            Self::Component => {
                "kept: a component of a heterogeneous job, as a job that may start without the others"
            }
            Self::UnevenGpus => {
                "kept: its GPUs do not divide by its nodes, so each node gives an equal part of them"
            }
            Self::Requeued => "kept: ran until it was requeued, and has no later run in the log",
            Self::OtherElapsed => {
                "kept: `Elapsed`, which is taken, is not the time from `Start` to `End`"
            }
            Self::LateEligible => {
                "kept: started before it was eligible, so it arrives when it was submitted"
            }
            Self::EarlyStart => "kept: started before it arrives, so its wait is not known",
            Self::NoMemory => {
                "kept: its memory is written as 0 or `?`, or for each of no cores, so it asks for none (in Slurm 0 may be all of a node)"
            }
            Self::SharedGpus => {
                "kept: without its parts of shared GPUs (`gres/shard`, `gres/mps`), which are not modelled"
            }
            Self::OtherResources => {
                "kept: without its devices, licences and other resources than cores, memory and GPUs, which are not modelled"
            }
        }
    }
}

/// Number of rows for each [`RowNote`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowNotes {
    counts: [u64; RowNote::ALL.len()],
}

impl RowNotes {
    /// Counts `rows` more.
    pub(super) fn add(&mut self, note: RowNote, rows: u64) {
        self.counts[note as usize] += rows;
    }

    /// Rows of this note.
    pub const fn get(&self, note: RowNote) -> u64 {
        self.counts[note as usize]
    }

    /// Rows that became no work.
    pub fn left_out(&self) -> u64 {
        let left_out = RowNote::ALL.into_iter().filter(|note| note.left_out());
        left_out.map(|note| self.get(note)).sum()
    }

    /// Every note that some row has, with the number of such rows.
    pub fn rows(&self) -> impl Iterator<Item = (RowNote, u64)> {
        RowNote::ALL.into_iter().map(|note| (note, self.get(note))).filter(|&(_, rows)| rows > 0)
    }
}

impl Serialize for RowNotes {
    /// A map from the note to its number of rows.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.rows())
    }
}

/// The notes on one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NoteSet(u32);

impl NoteSet {
    /// The set of one note.
    pub(super) const fn of(note: RowNote) -> Self {
        Self(1 << note as u32)
    }

    /// Adds `note` where `holds`.
    pub(super) fn note(&mut self, note: RowNote, holds: bool) {
        self.0 |= u32::from(holds) << note as u32;
    }

    /// The notes of the set, each once.
    pub(super) fn iter(self) -> impl Iterator<Item = RowNote> {
        RowNote::ALL.into_iter().filter(move |&note| self.0 & Self::of(note).0 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_counted_by_kind() {
        let mut notes = RowNotes::default();
        for (row, note) in RowNote::ALL.into_iter().enumerate() {
            assert_eq!(note as usize, row);
            notes.add(note, row as u64);
        }
        assert_eq!(notes.left_out(), (0..10).sum::<u64>());
        // No row has the first note, which was added 0 times.
        assert_eq!(notes.rows().count(), RowNote::ALL.len() - 1);
        let json = serde_json::to_string(&notes).expect("a map");
        assert!(json.starts_with("{\"no_processors\":1,\"ran_for_no_time\":2"), "{json}");
    }
}
