//! A workload in a file.

use std::path::PathBuf;

use crate::model::{Interner, Work};
use crate::problem::Problem;
use crate::units::{Calendar, Time};

use super::buffered::{Buffered, HandOverOrder};
use super::lines::Lines;
use super::mapped::MappedRows;
use super::native::NativeRows;
use super::openb::OpenbRows;
use super::reader::{Reader, Rows};
use super::sacct::{SacctRows, attempts};
use super::swf::{self, SwfRows};
use super::table::TextTable;
use super::{
    BoxedSource, Mapping, OpenbOptions, RowFilter, SacctOptions, SwfHeader, SwfOptions,
    UnknownRuntime,
};

/// A workload in a file: plain, gzip or zstandard.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSpec {
    /// The file; `-` is standard input, of which a copy is kept.
    pub path: PathBuf,
    /// Its name in messages.
    pub shown: String,
    /// Format that its rows are read in.
    pub format: Format,
    /// Effect of a malformed row.
    pub on_bad_row: OnBadRow,
    /// Effect of a row that arrives before its predecessor.
    pub unsorted: Unsorted,
    /// Rows that are read; all must let a row pass. No filter reads SWF.
    pub filters: Vec<RowFilter>,
    /// Work keeps no name: it is called by its row.
    pub nameless: bool,
}

/// Format of the rows of a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Format {
    /// windtunnel's own CSV (`docs/workload.md`).
    #[default]
    Native,
    /// Standard Workload Format of the Parallel Workloads Archive.
    Swf(SwfOptions),
    /// Pod lists of Alibaba's cluster-trace-gpu-v2023.
    Openb(OpenbOptions),
    /// Accounting logs of Slurm, as `sacct --parsable2` writes them.
    Sacct(SacctOptions),
    /// Any delimited text, column by column.
    Mapped(Mapping),
}

/// Effect of a malformed row.
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

/// Effect of a row that arrives before its predecessor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsorted {
    /// It is a malformed row.
    #[default]
    Fail,
    /// All rows are read first and sorted by arrival; rows of one instant
    /// keep their order in the file.
    Sort,
    /// It is handed over as it comes: for those who want to know of it.
    Keep,
}

/// A first arrival as late as this (in 1985) on the clock of a log without a
/// beginning counts from 1970.
const SINCE_1970: i64 = 500_000_000_000_000;

impl TraceSpec {
    /// A trace in `format`, sorted and without malformed rows.
    pub fn new(path: impl Into<PathBuf>, format: Format) -> Self {
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
    ) -> Result<BoxedSource, Vec<Problem>> {
        let keep_names = keep_names && !self.nameless;
        Ok(match &self.format {
            Format::Native => self.source(NativeRows::new(self.table()?, keep_names)?, sizeless),
            Format::Swf(options) => {
                self.source(SwfRows::new(self.table()?, options, keep_names), sizeless)
            }
            Format::Openb(options) => {
                self.source(OpenbRows::new(self.table()?, options, keep_names)?, sizeless)
            }
            Format::Sacct(options) => {
                self.source(self.accounting(options, calendar, keep_names)?, sizeless)
            }
            Format::Mapped(mapping) => self
                .source(MappedRows::new(self.table()?, mapping, calendar, keep_names)?, sizeless),
        })
    }

    fn lines(&self) -> Result<Lines, Vec<Problem>> {
        Lines::open(&self.path, &self.shown).map_err(|problem| vec![problem])
    }

    /// Its rows as fields.
    pub(super) fn table(&self) -> Result<TextTable, Vec<Problem>> {
        let (delimiter, quoting, comment, has_header) = match &self.format {
            Format::Native => (b',', true, Some(b'#'), true),
            Format::Openb(_) => (b',', true, None, true),
            Format::Swf(_) => (b' ', false, Some(b';'), false),
            Format::Sacct(options) => (options.delimiter, false, None, true),
            Format::Mapped(mapping) => {
                (mapping.delimiter, mapping.quoting, None, mapping.has_header)
            }
        };
        let table = TextTable::new(self.lines()?, delimiter, quoting, comment);
        if let Format::Swf(_) = &self.format {
            let named = table.keeping_fields(&self.filters, &swf::FILTERED);
            return named.map_err(|problem| vec![problem]);
        }
        Ok(table.keeping(&self.filters, has_header))
    }

    pub(super) fn accounting(
        &self,
        options: &SacctOptions,
        calendar: Calendar,
        keep_names: bool,
    ) -> Result<SacctRows, Vec<Problem>> {
        let attempts = attempts(self.table()?)?;
        SacctRows::new(self.table()?, options, attempts, calendar, keep_names)
    }

    fn source(&self, rows: impl Rows + 'static, sizeless: bool) -> BoxedSource {
        let sort = self.unsorted == Unsorted::Sort;
        let ordered = self.unsorted == Unsorted::Fail;
        let reader = Reader::new(rows, self.on_bad_row, ordered).telling_sizeless(sizeless);
        let reader = Box::new(reader);
        if sort { Box::new(Buffered::new(reader, HandOverOrder::Sorted)) } else { reader }
    }

    /// Whether no row arrives before its predecessor; malformed rows aside.
    ///
    /// # Errors
    /// Why the file cannot be read.
    pub fn is_sorted(&self) -> Result<bool, Vec<Problem>> {
        let as_it_is =
            Self { on_bad_row: OnBadRow::Skip, unsorted: Unsorted::Keep, ..self.clone() };
        let mut source = as_it_is.open(Calendar::from_unix_micros(0), false, false)?;
        let (mut book, mut work) = (Interner::default(), Work::default());
        let mut last = Time::from_micros(i64::MIN);
        while source.next(&mut book, &mut work).map_err(|problem| vec![problem])? {
            if work.arrival < last {
                return Ok(false);
            }
            last = work.arrival;
        }
        Ok(true)
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
            Format::Sacct(_) => self.first_unix(),
            Format::Mapped(mapping) if mapping.has_dates() => self.first_unix(),
            _ => None,
        }
    }

    /// The first arrival, where times count from 1970.
    fn first_unix(&self) -> Option<i64> {
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
            Format::Sacct(options) => {
                told.push("A job of the accounting log is a gang of one task per node.".to_owned());
                told.push(zone_words(options.time_zone.as_deref()));
                if !options.at_submit {
                    told.push("Jobs arrive when they were eligible to start.".to_owned());
                }
                if !options.gpu_models {
                    told.push("GPU models of the accounting log are not asked for.".to_owned());
                }
            }
            Format::Mapped(mapping) => told.push(zone_words(mapping.time_zone.as_deref())),
        }
        if self.on_bad_row == OnBadRow::Skip {
            told.push("Malformed rows of the trace are left out and counted.".to_owned());
        }
        told
    }
}

fn zone_words(zone: Option<&str>) -> String {
    format!("Times of the trace without a time zone are {}.", zone.unwrap_or("UTC"))
}
