//! Order, identity and malformed rows: the parts that all readers of traces share.

use crate::model::{Interner, Work, WorkId};
use crate::problem::{Problem, clip};
use crate::units::Time;

use super::note::NoteSet;
use super::seen::SeenNames;
use super::table::Bad;
use super::{Observation, OnBadRow, RowNote, RowNotes, Source};

/// Reads one row after the other.
pub(super) trait Rows: Send {
    /// Fills `work` (all but its id) from the next row.
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<ReadRow, Bad>;

    /// A problem with the row last read.
    fn problem(&self, message: String) -> Problem;

    /// Rows passed over so far because the filter wants it.
    fn filtered(&self) -> u64 {
        0
    }

    /// Whether rows may say when their work started.
    fn is_observed(&self) -> bool {
        false
    }

    /// Observation of the row last read, which came to `work`; `None` if the row does not say its
    /// start.
    fn observed(&self, work: &Work) -> Result<Option<Observation>, Bad> {
        let _ = work;
        Ok(None)
    }
}

impl Rows for Box<dyn Rows> {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<ReadRow, Bad> {
        (**self).next(book, work)
    }

    fn problem(&self, message: String) -> Problem {
        (**self).problem(message)
    }

    fn filtered(&self) -> u64 {
        (**self).filtered()
    }

    fn is_observed(&self) -> bool {
        (**self).is_observed()
    }

    fn observed(&self, work: &Work) -> Result<Option<Observation>, Bad> {
        (**self).observed(work)
    }
}

/// Result of reading one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadRow {
    /// A piece of work.
    Filled,
    /// A piece of work that has its identity in the file.
    Identified,
    /// A piece of work with an assumption made about it.
    Noted(NoteSet),
    /// No work; the row is left out for this reason.
    Dropped(RowNote),
    /// No more rows.
    End,
}

/// Most problems with skipped rows that are kept.
const KEPT_PROBLEMS: usize = 5;
/// Most problems that are kept where the rows are read to find problems.
const TOLD_PROBLEMS: usize = 20;

/// A trace as a source.
pub(super) struct Reader<R> {
    rows: R,
    on_bad_row: OnBadRow,
    /// Whether a row must not arrive before the one read before it.
    ordered: bool,
    /// Whether work that asks for nothing stays so.
    sizeless: bool,
    row: u64,
    last: Time,
    skipped: u64,
    notes: RowNotes,
    problems: Vec<Problem>,
    /// Names so far, where repeated ones are told.
    seen: SeenNames,
}

impl<R: Rows> Reader<R> {
    pub(super) fn new(rows: R, on_bad_row: OnBadRow, ordered: bool) -> Self {
        Self {
            rows,
            on_bad_row,
            ordered,
            sizeless: false,
            row: 0,
            last: Time::from_micros(i64::MIN),
            skipped: 0,
            notes: RowNotes::default(),
            problems: Vec::new(),
            seen: SeenNames::default(),
        }
    }

    /// The same reader; `sizeless` says whether work that asks for nothing stays so.
    pub(super) fn telling_sizeless(self, sizeless: bool) -> Self {
        Self { sizeless, ..self }
    }

    fn bad_row(&mut self, problem: Problem) -> Result<(), Problem> {
        if self.on_bad_row == OnBadRow::Fail {
            return Err(problem);
        }
        self.skipped += 1;
        let kept = if self.on_bad_row == OnBadRow::Tell { TOLD_PROBLEMS } else { KEPT_PROBLEMS };
        if self.problems.len() < kept {
            self.problems.push(problem);
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> &R {
        &self.rows
    }

    /// Observation of the work last read; `None` where that is malformed and may be.
    pub(super) fn observed(&mut self, work: &Work) -> Result<Option<Observation>, Problem> {
        match self.rows.observed(work) {
            Ok(found) => Ok(found),
            Err(Bad::File(problem)) => Err(problem),
            Err(Bad::Row(problem)) => self.bad_row(problem).map(|()| None),
        }
    }

    /// A row whose name another row has, where that is to be told.
    fn repeated(&mut self, work: &Work) -> Option<Problem> {
        if self.on_bad_row != OnBadRow::Tell || !self.seen.again(&work.name) {
            return None;
        }
        let message = format!("an earlier row is called `{}` too", clip(&work.name));
        Some(self.rows.problem(message).hint("names of work must differ, or be left out"))
    }

    fn too_early(&self, arrival: Time) -> Problem {
        let message = format!(
            "the row arrives at {} s, before its predecessor at {} s",
            arrival.secs_f64(),
            self.last.secs_f64()
        );
        self.rows.problem(message).hint("`unsorted = \"sort\"` reads all rows first and sorts them")
    }
}

impl<R: Rows> Source for Reader<R> {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem> {
        loop {
            let ordinal = self.row;
            self.row += 1;
            match self.rows.next(book, work) {
                Ok(ReadRow::End) => return Ok(false),
                Ok(ReadRow::Dropped(note)) => self.notes.add(note, 1),
                Ok(found) => {
                    if self.ordered && work.arrival < self.last {
                        let problem = self.too_early(work.arrival);
                        self.bad_row(problem)?;
                        continue;
                    }
                    self.last = work.arrival;
                    if let Some(problem) = self.repeated(work) {
                        self.bad_row(problem)?;
                        continue;
                    }
                    let demand = &work.ask.demand;
                    if self.sizeless && (demand.cpu, demand.memory, demand.gpus) == (0, 0, 0) {
                        self.notes.add(RowNote::Sizeless, 1);
                    }
                    match found {
                        ReadRow::Identified => {}
                        ReadRow::Noted(notes) => {
                            for note in notes.iter() {
                                self.notes.add(note, 1);
                            }
                            work.id = WorkId { source: 0, ordinal };
                        }
                        ReadRow::Filled | ReadRow::Dropped(_) | ReadRow::End => {
                            work.id = WorkId { source: 0, ordinal };
                        }
                    }
                    return Ok(true);
                }
                Err(Bad::File(problem)) => return Err(problem),
                Err(Bad::Row(problem)) => self.bad_row(problem)?,
            }
        }
    }

    fn skipped(&self) -> u64 {
        self.skipped
    }

    fn notes(&self) -> RowNotes {
        let mut notes = self.notes;
        notes.add(RowNote::Filtered, self.rows.filtered());
        notes
    }

    fn skips(&self) -> &[Problem] {
        &self.problems
    }
}
