//! A workload in a file.

use std::path::PathBuf;

use crate::model::{Interner, Work};
use crate::problem::{Problem, Problems};
use crate::units::{Calendar, Time};

use super::buffered::{Buffered, HandOverOrder};
use super::format::{Beginning, ColumnNames, FormatSpec};
use super::lines::Lines;
use super::reader::{Reader, Rows};
use super::table::TextTable;
use super::{BoxedSource, RowFilter};

/// A workload in a file: plain, gzip or zstandard.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSpec {
    /// The file; `-` is standard input, a copy of which is kept.
    pub path: PathBuf,
    /// Its name in messages.
    pub shown: String,
    /// Format that its rows are read in.
    pub format: FormatSpec,
    /// Effect of a malformed row.
    pub on_bad_row: OnBadRow,
    /// Effect of a row that arrives before its predecessor.
    pub unsorted: Unsorted,
    /// Rows that are read; all must let a row pass.
    pub filters: Vec<RowFilter>,
    /// Work keeps no name: it is called by its row.
    pub nameless: bool,
}

/// Effect of a malformed row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBadRow {
    /// The row ends the reading.
    #[default]
    Fail,
    /// The row is left out and counted.
    Skip,
    /// The row is left out and told with its place, and so is a row whose name an earlier row has:
    /// for those who want to know all problems.
    Tell,
}

/// Effect of a row that arrives before its predecessor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsorted {
    /// The row counts as malformed.
    #[default]
    Fail,
    /// All rows are read first and sorted by arrival; rows of one instant
    /// keep their order in the file.
    Sort,
    /// The row is handed over as it comes: for those who want to know of it.
    Keep,
}

impl TraceSpec {
    /// A trace in `format`, sorted and without malformed rows.
    pub fn new(path: impl Into<PathBuf>, format: FormatSpec) -> Self {
        let path = path.into();
        Self {
            shown: path.display().to_string(),
            path,
            format,
            on_bad_row: OnBadRow::Fail,
            unsorted: Unsorted::Fail,
            filters: Vec::new(),
            nameless: false,
        }
    }

    /// Opens the trace, whose timestamps become times of `calendar`. Work that
    /// asks for nothing is counted where it is `sizeless` for good.
    pub(super) fn open(
        &self,
        calendar: Calendar,
        keep_names: bool,
        sizeless: bool,
    ) -> Result<BoxedSource, Problems> {
        let keep_names = keep_names && !self.nameless;
        let sort = self.unsorted == Unsorted::Sort;
        let reader = self.reader(calendar, keep_names)?.telling_sizeless(sizeless);
        let reader = Box::new(reader);
        Ok(if sort { Box::new(Buffered::new(reader, HandOverOrder::Sorted)) } else { reader })
    }

    /// A reader of its rows.
    pub(super) fn reader(
        &self,
        calendar: Calendar,
        keep_names: bool,
    ) -> Result<Reader<Box<dyn Rows>>, Problems> {
        let rows = self.format.build().0.rows(self, calendar, keep_names)?;
        Ok(Reader::new(rows, self.on_bad_row, self.unsorted == Unsorted::Fail))
    }

    /// Its lines.
    pub(super) fn lines(&self) -> Result<Lines, Problem> {
        Lines::open(&self.path, &self.shown)
    }

    /// Its rows as fields.
    pub(super) fn table(&self) -> Result<TextTable, Problems> {
        let layout = self.format.build().0.layout();
        let lines = self.lines()?;
        let table = TextTable::new(lines, layout.delimiter, layout.quoting, layout.comment);
        match layout.names {
            ColumnNames::Header => Ok(table.keeping(&self.filters, true)),
            ColumnNames::Numbers => Ok(table.keeping(&self.filters, false)),
            ColumnNames::Fields(fields) => {
                table.keeping_fields(&self.filters, fields).map_err(Problems::from)
            }
        }
    }

    /// Whether no row arrives before its predecessor; malformed rows aside.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_sorted(&self) -> Result<bool, Problems> {
        let as_it_is =
            Self { on_bad_row: OnBadRow::Skip, unsorted: Unsorted::Keep, ..self.clone() };
        let mut source = as_it_is.open(Calendar::from_unix_micros(0), false, false)?;
        let (mut book, mut work) = (Interner::default(), Work::default());
        let mut last = Time::from_micros(i64::MIN);
        while source.next(&mut book, &mut work)? {
            if work.arrival < last {
                return Ok(false);
            }
            last = work.arrival;
        }
        Ok(true)
    }

    /// Beginning of a scenario for the trace.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn beginning(&self) -> Result<Beginning, Problem> {
        self.format.build().0.beginning(self)
    }

    /// Time zero of the trace in microseconds since 1970: what the file says, or its first arrival
    /// where that is a date (which reads all of an unsorted trace). `None` where that is not known.
    pub fn zero_unix(&self) -> Option<i64> {
        self.format.build().0.zero_unix(self)
    }

    /// The first arrival, where times count from 1970.
    pub(super) fn first_unix(&self) -> Option<i64> {
        let mut source = self.open(Calendar::from_unix_micros(0), false, false).ok()?;
        let (mut book, mut work) = (Interner::default(), Work::default());
        while source.next(&mut book, &mut work).ok()? {
            // Work without an arrival stands at time zero, which is 1970 here.
            if work.arrival != Time::ZERO {
                return Some(work.arrival.micros());
            }
        }
        None
    }

    /// Assumptions that the reading makes.
    pub(super) fn assumptions(&self) -> Vec<String> {
        let mut told = self.format.build().0.assumptions();
        if self.on_bad_row == OnBadRow::Skip {
            told.push("Malformed rows of the trace are left out and counted.".to_owned());
        }
        told
    }
}
