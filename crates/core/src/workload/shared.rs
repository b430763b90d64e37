//! A trace that is read once and shared by many runs.

use std::sync::Arc;

use crate::model::{Interner, Work};
use crate::problem::{Problem, Problems};
use crate::units::Time;

use super::trace::TraceSpec;
use super::{BoxedSource, OpenContext, RowNotes, Source, WorkloadInput, WorkloadSpec};

/// All work of a trace, before defaults and transformations.
#[derive(Clone, Debug)]
pub struct SharedTrace {
    /// The trace it was read from.
    pub trace: TraceSpec,
    works: Vec<Work>,
    book: Interner,
    skipped: u64,
    notes: RowNotes,
    skips: Vec<Problem>,
}

impl PartialEq for SharedTrace {
    /// The book follows from the work.
    fn eq(&self, other: &Self) -> bool {
        self.trace == other.trace && self.works == other.works
    }
}

impl WorkloadSpec {
    /// The same workload with its trace in memory, to be opened many times. A
    /// trace of more than `most` rows stays a file, and so does what is not a trace.
    ///
    /// # Errors
    /// Everything that is wrong with the header of the file, or its first
    /// malformed row.
    pub fn share(&self, context: &OpenContext, most: usize) -> Result<Self, Problems> {
        let WorkloadInput::Trace(trace) = &self.input else { return Ok(self.clone()) };
        let mut source =
            trace.open(self.clock(context.calendar), context.keep_names, self.is_sizeless())?;
        let (mut works, mut book, mut work) = (Vec::new(), Interner::default(), Work::default());
        while source.next(&mut book, &mut work)? {
            if works.len() == most {
                return Ok(self.clone());
            }
            works.push(work.clone());
        }
        let shared = SharedTrace {
            trace: trace.clone(),
            works,
            book,
            skipped: source.skipped(),
            notes: source.notes(),
            skips: source.skips().to_vec(),
        };
        Ok(Self { input: WorkloadInput::Shared(Arc::new(shared)), ..self.clone() })
    }
}

impl SharedTrace {
    /// First and last arrival on the trace's own clock; `None` without work.
    pub fn arrivals(&self) -> Option<(Time, Time)> {
        self.works.first().zip(self.works.last()).map(|(first, last)| (first.arrival, last.arrival))
    }

    /// A stream over the work, from the beginning.
    pub(super) fn open(self: &Arc<Self>) -> BoxedSource {
        Box::new(SharedReading { shared: Arc::clone(self), next: 0 })
    }
}

struct SharedReading {
    shared: Arc<SharedTrace>,
    next: usize,
}

impl Source for SharedReading {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem> {
        if self.next == 0 {
            book.absorb(&self.shared.book);
        }
        let Some(held) = self.shared.works.get(self.next) else { return Ok(false) };
        self.next += 1;
        // Field by field, so that the name keeps its buffer.
        work.name.clone_from(&held.name);
        (work.id, work.arrival, work.ask, work.body) = (held.id, held.arrival, held.ask, held.body);
        (work.min_tasks, work.speedup) = (held.min_tasks, held.speedup);
        Ok(true)
    }

    fn skipped(&self) -> u64 {
        self.shared.skipped
    }

    fn notes(&self) -> RowNotes {
        self.shared.notes
    }

    fn skips(&self) -> &[Problem] {
        &self.shared.skips
    }
}
