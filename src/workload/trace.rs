//! A workload in a file.

use std::path::PathBuf;

use crate::model::{Book, Work};
use crate::problem::Problem;
use crate::units::{Calendar, Time};

use super::held::{Held, Order};
use super::lines::Lines;
use super::mapped::MappedRows;
use super::native::NativeRows;
use super::openb::OpenbRows;
use super::reader::{Reader, Rows};
use super::swf::SwfRows;
use super::table::Table;
use super::{BoxedSource, Mapping, OpenbOptions, SwfHeader, SwfOptions, UnknownRuntime};

/// A workload in a file: plain, gzip or zstandard.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSpec {
    /// The file; `-` is standard input, of which a copy is kept.
    pub path: PathBuf,
    /// Its name in messages.
    pub shown: String,
    /// How its rows are read.
    pub format: Format,
    /// What a malformed row does.
    pub on_bad_row: OnBadRow,
    /// What a row does that arrives before its predecessor.
    pub unsorted: Unsorted,
}

/// How the rows of a trace are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Format {
    /// windtunnel's own CSV (`docs/workload.md`).
    #[default]
    Native,
    /// Standard Workload Format of the Parallel Workloads Archive.
    Swf(SwfOptions),
    /// Pod lists of Alibaba's cluster-trace-gpu-v2023.
    Openb(OpenbOptions),
    /// Any delimited text, column by column.
    Mapped(Mapping),
}

/// What a malformed row does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBadRow {
    /// It ends the reading.
    #[default]
    Fail,
    /// It is left out and counted.
    Skip,
    /// It is left out and told with its place, and so is a row whose name an
    /// earlier row has: for those who want to know all that is wrong.
    Tell,
}

/// What a row does that arrives before its predecessor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsorted {
    /// It is a malformed row.
    #[default]
    Fail,
    /// All rows are read first and sorted by arrival; rows of one instant
    /// keep their order in the file.
    Sort,
}

/// A first arrival as late as this (in 1985) on the clock of a log without a
/// beginning counts from 1970.
const SINCE_1970: i64 = 500_000_000_000_000;

impl TraceSpec {
    /// A trace in `format`, sorted, of which no row may be malformed.
    pub fn new(path: impl Into<PathBuf>, format: Format) -> Self {
        let path = path.into();
        Self {
            shown: path.display().to_string(),
            path,
            format,
            on_bad_row: OnBadRow::Fail,
            unsorted: Unsorted::Fail,
        }
    }

    /// Opens the trace, whose timestamps become times of `calendar`.
    pub(super) fn open(
        &self,
        calendar: Calendar,
        keep_names: bool,
    ) -> Result<BoxedSource, Vec<Problem>> {
        let lines = Lines::open(&self.path, &self.shown).map_err(|problem| vec![problem])?;
        Ok(match &self.format {
            Format::Native => {
                let table = Table::new(lines, b',', true, Some(b'#'));
                self.source(NativeRows::new(table, keep_names)?)
            }
            Format::Swf(options) => self.source(SwfRows::new(lines, options, keep_names)),
            Format::Openb(options) => {
                let table = Table::new(lines, b',', true, None);
                self.source(OpenbRows::new(table, options, keep_names)?)
            }
            Format::Mapped(mapping) => {
                let table = Table::new(lines, mapping.delimiter, mapping.quoting, None);
                self.source(MappedRows::new(table, mapping, calendar, keep_names)?)
            }
        })
    }

    fn source(&self, rows: impl Rows + 'static) -> BoxedSource {
        let sort = self.unsorted == Unsorted::Sort;
        let reader = Box::new(Reader::new(rows, self.on_bad_row, !sort));
        if sort { Box::new(Held::new(reader, Order::Sorted)) } else { reader }
    }

    /// The header comments of an SWF trace; those of other formats are empty.
    ///
    /// # Errors
    /// Why the file cannot be read.
    pub fn swf_header(&self) -> Result<SwfHeader, Problem> {
        match self.format {
            Format::Swf(_) => SwfHeader::read(&mut Lines::open(&self.path, &self.shown)?),
            _ => Ok(SwfHeader::default()),
        }
    }

    /// Time zero of the trace in microseconds since 1970: what an SWF header
    /// says, or the first arrival of a mapping with dates (which reads all of
    /// an unsorted trace). `None` where that is not known.
    pub fn zero_unix(&self) -> Option<i64> {
        match &self.format {
            Format::Swf(_) => {
                let header = self.swf_header().ok()?;
                let given = header.start_unix().map(|secs| secs.saturating_mul(1_000_000));
                given.or_else(|| self.first_unix().filter(|&first| first >= SINCE_1970).map(|_| 0))
            }
            Format::Mapped(mapping) if mapping.has_dates() => self.first_unix(),
            _ => None,
        }
    }

    /// The first arrival, where times count from 1970.
    fn first_unix(&self) -> Option<i64> {
        let mut source = self.open(Calendar::from_unix_micros(0), false).ok()?;
        let (mut book, mut work) = (Book::default(), Work::default());
        while source.next(&mut book, &mut work).ok()? {
            // What has no arrival stands at time zero, which is 1970 here.
            if work.arrival != Time::ZERO {
                return Some(work.arrival.micros());
            }
        }
        None
    }

    /// What the reading takes for granted.
    pub(super) fn assumptions(&self) -> Vec<String> {
        let mut told = Vec::new();
        match &self.format {
            Format::Native => {}
            Format::Swf(options) => {
                told.push(format!(
                    "Every processor of an SWF record is one task of {} milli-cores{}; all tasks of a record start together.",
                    options.cpu_per_proc,
                    if options.requested_memory { " with the memory it requested" } else { "" },
                ));
                told.push(match options.unknown_runtime {
                    UnknownRuntime::Skip => {
                        "SWF records without a runtime are left out.".to_owned()
                    }
                    UnknownRuntime::Take(span) => {
                        format!("SWF records without a runtime run for {span}.")
                    }
                });
            }
            Format::Openb(options) if options.arrivals_only => {
                told.push("Pods arrive one per second and never leave.".to_owned());
            }
            Format::Openb(_) => told.push("Pods live from creation to deletion.".to_owned()),
            Format::Mapped(_) => {
                told.push("Times of the trace without a time zone are UTC.".to_owned());
            }
        }
        if self.on_bad_row == OnBadRow::Skip {
            told.push("Malformed rows of the trace are left out and counted.".to_owned());
        }
        told
    }
}
