//! windtunnel's own CSV: every field of a piece of work, losslessly, both ways.

mod cells;
mod column;
mod writer;

use crate::model::{Ask, Checkpoint, Interner, Rules, Speedup, Work, WorkId, WorkKind};
use crate::part::Part;
use crate::problem::{Problem, Problems, clip, did_you_mean};
use crate::units::{Calendar, Demand, Id, MAX_GPUS, Span, Time, WHOLE_GPU};

pub use column::NativeColumn;
pub use writer::{NativeWriter, used_columns};

use super::format::{ColumnNames, Format, FormatReader, ReadFormat, TextLayout};
use super::names::{Names, text};
use super::number::{BadValue, Rounding, integer, scaled, seconds, unsigned};
use super::reader::{ReadRow, Rows};
use super::recognise::{FileHead, Recognised};
use super::table::{Bad, TextTable};
use super::{Observation, TraceSpec};

/// windtunnel's own format.
pub static NATIVE: Format = Format {
    part: Part {
        name: "native",
        doc: "windtunnel's own CSV (see workload.md).",
        parameters: &[],
        make: |_| FormatReader(Box::new(NativeFormat)),
    },
    beside: &[],
    sample: "id,arrival_s,runtime_s,vcpus\na,0,5,1\nb,1.5,7,2\n",
    recognise: |head| {
        let runs = RUNS.iter().any(|column| head.has(column.name()));
        (runs && head.has(NativeColumn::Arrival.name()) && head.delimiter == b',')
            .then(recognised)
            .ok_or(None)
    },
};

/// Columns of the length of work: each row has a value in exactly one.
const RUNS: [NativeColumn; 2] = [NativeColumn::Runtime, NativeColumn::Lifetime];

/// Recognises what is nearly a native trace: read as one it says which column is missing.
pub(super) fn recognise_nearly(head: &FileHead) -> Option<Recognised> {
    let known = RUNS.into_iter().chain([NativeColumn::Arrival]);
    known.into_iter().any(|column| head.has(column.name())).then(recognised)
}

fn recognised() -> Recognised {
    let why = "The header is that of a native trace.".to_owned();
    Recognised { format: NATIVE.spec(), why, is_told: false }
}

/// Native traces.
#[derive(Debug)]
struct NativeFormat;

impl ReadFormat for NativeFormat {
    fn layout(&self) -> TextLayout {
        TextLayout {
            delimiter: b',',
            quoting: true,
            comment: Some(b'#'),
            names: ColumnNames::Header,
        }
    }

    fn rows(
        &self,
        trace: &TraceSpec,
        _calendar: Calendar,
        keep_names: bool,
    ) -> Result<Box<dyn Rows>, Problems> {
        Ok(Box::new(NativeRows::new(trace.table()?, keep_names)?))
    }
}

/// Rows of a native trace.
pub(super) struct NativeRows {
    table: TextTable,
    columns: Vec<NativeColumn>,
    names: Names,
    keep_names: bool,
    /// The cells of the current row that make its rules.
    key: Vec<u8>,
    /// The work of a row in which all optional cells are empty.
    blank: Ask,
    checkpoint: CheckpointCells,
}

/// Cells of the current row that say what a checkpoint costs.
#[derive(Clone, Copy, Debug, Default)]
struct CheckpointCells {
    write: Option<Span>,
    blocking: Option<bool>,
    restore: Option<Span>,
}

/// The cell of a lifetime or runtime without an end.
const FOREVER: &[u8] = b"forever";

impl NativeRows {
    /// Reads the header of `table`.
    pub(super) fn new(mut table: TextTable, keep_names: bool) -> Result<Self, Problems> {
        if !table.advance().map_err(Bad::into_problem)? {
            let problem = Problem::with(table.shown(), "the file is empty; a header is needed");
            return Err(problem.into());
        }
        let columns = header(&table)?;
        Ok(Self {
            table,
            columns,
            names: Names::default(),
            keep_names,
            key: Vec::new(),
            blank: Ask::default(),
            checkpoint: CheckpointCells::default(),
        })
    }

    /// Reads the cell of `column` into `work`.
    #[inline]
    fn cell(
        &mut self,
        index: usize,
        column: NativeColumn,
        book: &mut Interner,
        work: &mut Work,
    ) -> Result<(), BadValue> {
        use NativeColumn as C;
        let raw = self.table.get(index);
        let cell = match (raw.first(), raw.last()) {
            // Mostly there is nothing to trim.
            (Some(b'!'..), Some(b'!'..)) => raw,
            _ => raw.trim_ascii(),
        };
        if cell.is_empty() && (raw.is_empty() || !column.is_text()) {
            return Ok(());
        }
        let ask = &mut work.ask;
        match column {
            C::Id => work.name.push_str(text(raw)?),
            C::Source => work.id.source = unsigned(cell)?,
            C::Ordinal => work.id.ordinal = unsigned(cell)?,
            C::Arrival => work.arrival = Time::from_micros(seconds(cell)?),
            C::Runtime | C::Lifetime => {
                if work.body.length() != UNSET {
                    return Err("stands beside another: a row has one runtime or lifetime");
                }
                let kind = match column {
                    C::Lifetime => WorkKind::VirtualMachine,
                    _ => WorkKind::Job,
                };
                work.body = kind.body(span(cell)?);
            }
            C::Estimate => ask.estimate = span(cell)?,
            C::Deadline => ask.deadline = Some(Time::from_micros(seconds(cell)?)),
            C::Tasks => ask.tasks = at_least_one(cell)?,
            C::MinTasks => work.min_tasks = at_least_one(cell)?,
            C::ParallelFraction => {
                work.speedup = amdahl(scaled(cell, 1_000_000, 1.0, Rounding::Nearest)?)?
            }
            C::Gang => ask.gang = flag(cell)?,
            C::CpuMilli => ask.demand.cpu = unsigned(cell)?,
            C::Vcpus => ask.demand.cpu = cores(cell)?,
            C::Memory => ask.demand.memory = unsigned(cell)?,
            C::Gpus => ask.demand.gpus = gpus(cell)?,
            C::GpuShare => ask.demand.gpu_share = share(cell)?,
            C::Exclusive => ask.demand.exclusive = flag(cell)?,
            C::Priority => {
                ask.priority = i32::try_from(integer(cell)?).map_err(|_| "is too large")?;
            }
            C::Tenant => ask.tenant = self.names.tenant(book, raw)?,
            C::Home => ask.home = self.names.home(book, raw)?,
            C::Input => ask.input = unsigned(cell)?,
            C::Output => ask.output = unsigned(cell)?,
            C::Resumes => ask.resumes = flag(cell)?,
            C::CheckpointWrite => self.checkpoint.write = Some(wait(cell)?),
            C::CheckpointBlocking => self.checkpoint.blocking = Some(flag(cell)?),
            C::CheckpointRestore => self.checkpoint.restore = Some(wait(cell)?),
            C::ObservedWait => {
                wait(cell)?;
            }
            _ => {
                self.key.push(column as u8);
                self.key.extend_from_slice(&(raw.len() as u32).to_le_bytes());
                self.key.extend_from_slice(raw);
            }
        }
        Ok(())
    }

    /// The rules of the current row; some cell of them is not empty.
    fn rules(&mut self, book: &mut Interner) -> Result<Id<Rules>, Bad> {
        let (table, columns) = (&self.table, &self.columns);
        self.names.rules(book, &self.key, || {
            let mut rules = Rules::default();
            for (index, &column) in columns.iter().enumerate() {
                cells::read(column, table.get(index), &mut rules)
                    .map_err(|reason| Bad::Row(table.problem(index, column.name(), reason)))?;
            }
            Ok(rules)
        })
    }

    /// The checkpoint of the current row.
    fn checkpoint(&self) -> Result<Option<Checkpoint>, Problem> {
        let CheckpointCells { write, blocking, restore } = self.checkpoint;
        let beside = [
            (blocking.is_some(), NativeColumn::CheckpointBlocking),
            (restore.is_some(), NativeColumn::CheckpointRestore),
        ];
        if write.is_none()
            && let Some((_, column)) = beside.iter().find(|(is_there, _)| *is_there)
        {
            let message = format!("the row has {} but no checkpoint_write_s", column.name());
            return Err(self.table.row_problem(message));
        }
        let (blocking, restore) = (blocking.unwrap_or(true), restore.unwrap_or(Span::ZERO));
        Ok(write.map(|write| Checkpoint { write, blocking, restore }))
    }

    /// Checks the conditions between the cells of a row, and fills in what follows from them.
    fn settle(&self, work: &mut Work) -> Result<(), Problem> {
        if work.body.length() == UNSET {
            return Err(self.table.row_problem("the row has neither runtime_s nor lifetime_s"));
        }
        if work.arrival == NEVER {
            return Err(self.table.row_problem("the row has no arrival_s"));
        }
        let Demand { gpus, gpu_share, .. } = &mut work.ask.demand;
        match (*gpus, *gpu_share) {
            (0, 1..) => Err(self.table.row_problem("the row has gpu_share_milli but no gpus")),
            (1.., 0) => {
                *gpu_share = WHOLE_GPU;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Marks of cells not seen yet; no cell reads as either.
const UNSET: Option<Span> = Some(Span::from_micros(-1));
const NEVER: Time = Time::MIN;

impl Rows for NativeRows {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<ReadRow, Bad> {
        if !self.table.advance()? {
            return Ok(ReadRow::End);
        }
        if self.table.len() != self.columns.len() {
            let (found, wanted) = (self.table.len(), self.columns.len());
            let message = format!("the row has {found} fields, the header has {wanted}");
            return Err(Bad::Row(self.table.row_problem(message)));
        }
        work.name.clear();
        work.id = WorkId::default();
        work.arrival = NEVER;
        (work.ask, work.min_tasks, work.speedup) = (self.blank, 0, Speedup::LINEAR);
        work.body = WorkKind::Job.body(UNSET);
        self.key.clear();
        self.checkpoint = CheckpointCells::default();
        let mut identified = false;
        for index in 0..self.columns.len() {
            let column = self.columns[index];
            if column == NativeColumn::Id && !self.keep_names {
                continue;
            }
            identified |= column == NativeColumn::Ordinal && !self.table.get(index).is_empty();
            if let Err(reason) = self.cell(index, column, book, work) {
                return Err(Bad::Row(self.table.problem(index, column.name(), reason)));
            }
        }
        self.settle(work).map_err(Bad::Row)?;
        if !self.key.is_empty() {
            work.ask.rules = self.rules(book)?;
        }
        let checkpoint = self.checkpoint().map_err(Bad::Row)?;
        work.ask.checkpoint = checkpoint.map(|checkpoint| book.checkpoint(checkpoint));
        Ok(if identified { ReadRow::Identified } else { ReadRow::Filled })
    }

    fn problem(&self, message: String) -> Problem {
        self.table.row_problem(message)
    }

    fn filtered(&self) -> u64 {
        self.table.filtered()
    }

    fn is_observed(&self) -> bool {
        self.columns.contains(&NativeColumn::ObservedWait)
    }

    fn observed(&self, work: &Work) -> Result<Option<Observation>, Bad> {
        let column = NativeColumn::ObservedWait;
        let index = self.columns.iter().position(|&known| known == column);
        let Some(index) = index.filter(|&index| !self.table.trimmed(index).is_empty()) else {
            return Ok(None);
        };
        let refused = |reason| Bad::Row(self.table.problem(index, column.name(), reason));
        let wait = wait(self.table.trimmed(index)).map_err(refused)?;
        Ok(Some(Observation::of(work, wait)))
    }
}

/// The columns that the current row of `table` names.
fn header(table: &TextTable) -> Result<Vec<NativeColumn>, Problems> {
    let mut columns = Vec::new();
    let mut problems = Vec::new();
    for index in 0..table.len() {
        let name = String::from_utf8_lossy(table.trimmed(index)).into_owned();
        let place = |message: String| Problem::at(table.shown(), table.line(), 0, message);
        match NativeColumn::parse(&name) {
            Some(column) if columns.contains(&column) => {
                problems.push(place(format!("column `{name}` is there twice")));
            }
            Some(column) => columns.push(column),
            None => {
                let known = NativeColumn::ALL.iter().map(|column| column.name());
                let problem = place(format!("unknown column `{}`", clip(&name)));
                problems.push(match did_you_mean(&name, known) {
                    Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
                    None => problem
                        .hint("docs/workload.md lists the columns; other files need a mapping"),
                });
            }
        }
    }
    let has = |column| columns.contains(&column);
    let missing = |message| Problem::at(table.shown(), table.line(), 0, message);
    if !has(NativeColumn::Arrival) {
        problems.push(missing("column `arrival_s` is missing"));
    }
    if !has(NativeColumn::Runtime) && !has(NativeColumn::Lifetime) {
        problems.push(missing(
            "column `runtime_s` (jobs) or `lifetime_s` (virtual machines) is missing",
        ));
    }
    if has(NativeColumn::CpuMilli) && has(NativeColumn::Vcpus) {
        problems.push(missing("columns `cpu_milli` and `vcpus` say the same thing"));
    }
    if has(NativeColumn::Source) && !has(NativeColumn::Ordinal) {
        problems.push(missing("column `source` needs column `ordinal`"));
    }
    if problems.is_empty() { Ok(columns) } else { Err(problems.into()) }
}

fn span(cell: &[u8]) -> Result<Option<Span>, BadValue> {
    if cell == FOREVER {
        return Ok(None);
    }
    wait(cell).map(Some)
}

fn wait(cell: &[u8]) -> Result<Span, BadValue> {
    match seconds(cell)? {
        micros @ 0.. => Ok(Span::from_micros(micros)),
        _ => Err("must not be negative"),
    }
}

fn at_least_one(cell: &[u8]) -> Result<u32, BadValue> {
    match unsigned(cell)? {
        0 => Err("must be at least 1"),
        tasks => Ok(tasks),
    }
}

/// Cores with at most three decimals, as milli-cores.
fn cores(cell: &[u8]) -> Result<u32, BadValue> {
    let micros = seconds(cell)?;
    if micros < 0 {
        return Err("must not be negative");
    }
    if micros % 1_000 != 0 {
        return Err("has more than three decimals");
    }
    u32::try_from(micros / 1_000).map_err(|_| "is too large")
}

fn gpus(cell: &[u8]) -> Result<u8, BadValue> {
    match unsigned(cell)? {
        gpus if gpus <= MAX_GPUS => Ok(gpus),
        _ => Err("is more than the 32 GPUs that one instance may have"),
    }
}

fn share(cell: &[u8]) -> Result<u16, BadValue> {
    match unsigned(cell)? {
        share if share <= WHOLE_GPU => Ok(share),
        _ => Err("is more than the 1,000 milli-shares of a GPU"),
    }
}

/// Amdahl's law for the part that can be divided, in millionths.
pub(super) fn amdahl(parallel: i64) -> Result<Speedup, BadValue> {
    match u32::try_from(parallel) {
        Ok(parallel @ 0..=1_000_000) => Ok(Speedup::amdahl(parallel)),
        Ok(_) | Err(_) => Err("is no fraction from 0 to 1"),
    }
}

pub(super) fn flag(cell: &[u8]) -> Result<bool, BadValue> {
    match cell {
        b"true" | b"1" | b"yes" => Ok(true),
        b"false" | b"0" | b"no" => Ok(false),
        _ => Err("is neither `true` nor `false`"),
    }
}

#[cfg(test)]
mod tests;
