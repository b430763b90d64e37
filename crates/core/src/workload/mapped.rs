//! Reading any delimited text by a mapping.

mod bound;
mod guess;
mod mapping;
mod names;
mod recognise;

use crate::model::{Ask, Interner, Speedup, Work, WorkKind};
use crate::problem::{Problem, Problems};
use crate::units::{Calendar, Demand, MAX_GPUS, Span, Time, WHOLE_GPU};

use super::date::DefaultTimeZone;
use super::names::{Names, text};
use super::native::{amdahl, flag};
use super::note::NoteSet;
use super::number::{BadValue, Rounding, integer, scaled, within_reach};
use super::openb::read_models;
use super::reader::{ReadRow, Rows};
use super::table::{Bad, TextTable};
use super::written::{Per, duration, is_missing, memory};
use super::{ColumnUnit, Field, Observation, RowNote};

use bound::{BoundColumn, bind};
pub use mapping::MAPPED;
use mapping::Mapping;

/// Rows of a mapped table.
struct MappedRows {
    table: TextTable,
    bounds: Vec<BoundColumn>,
    kind: WorkKind,
    calendar: Calendar,
    keep_names: bool,
    gpus_per_task: Option<u8>,
    zone: DefaultTimeZone,
    names: Names,
    /// Fields per row; 0 until the first row says.
    width: usize,
    /// Whether the first row has been moved to already (there is no header).
    pending: bool,
    /// Values of the row last read.
    cells: Cells,
}

/// Values in the cells of one row.
#[derive(Clone, Copy, Default)]
struct Cells {
    arrival: Option<Time>,
    start: Option<Time>,
    end: Option<Time>,
    runtime: Option<Span>,
    wait: Option<Span>,
    /// Tasks that each task of the row becomes, for its GPUs.
    parts: Option<u32>,
    /// The memory is that of each core.
    per_core: bool,
}

impl MappedRows {
    /// Reads the header of `table`, if there is one, and finds the columns.
    fn new(
        mut table: TextTable,
        mapping: &Mapping,
        calendar: Calendar,
        keep_names: bool,
    ) -> Result<Self, Problems> {
        let zone = DefaultTimeZone::named(mapping.time_zone.as_deref(), table.shown())?;
        let pending = !mapping.has_header;
        let any = table.advance().map_err(Bad::into_problem)?;
        if !any && mapping.has_header {
            return Err(
                Problem::with(table.shown(), "the file is empty; a header is needed").into()
            );
        }
        Ok(Self {
            bounds: bind(mapping, &table)?,
            width: table.len(),
            pending: pending && any,
            table,
            kind: mapping.kind,
            calendar,
            keep_names,
            gpus_per_task: mapping.gpus_per_task,
            zone,
            names: Names::default(),
            cells: Cells::default(),
        })
    }

    fn cell(
        &mut self,
        at: usize,
        book: &mut Interner,
        work: &mut Work,
        cells: &mut Cells,
    ) -> Result<(), BadValue> {
        let bound = &self.bounds[at];
        let cell = match bound.index {
            Some(index) => self.table.trimmed(index),
            None => &bound.constant,
        };
        if is_missing(cell) || bound.none.iter().any(|none| none == cell) {
            return Ok(());
        }
        let ask = &mut work.ask;
        match bound.field {
            Field::Id if self.keep_names => work.name.push_str(text(cell)?),
            Field::Id => {}
            Field::Arrival => cells.arrival = Some(bound.time(cell, self.calendar, &self.zone)?),
            Field::Start => cells.start = Some(bound.time(cell, self.calendar, &self.zone)?),
            Field::End => cells.end = Some(bound.time(cell, self.calendar, &self.zone)?),
            Field::Deadline => ask.deadline = Some(bound.time(cell, self.calendar, &self.zone)?),
            Field::Wait => cells.wait = Some(bound.observed_span(cell)?),
            Field::Runtime => cells.runtime = Some(bound.span(cell)?),
            Field::Estimate if is_unlimited(cell) => {}
            Field::Estimate => ask.estimate = Some(bound.span(cell)?),
            Field::Tasks => ask.tasks = bound.size::<u32>(cell)?.max(1),
            Field::MinTasks => work.min_tasks = bound.size(cell)?,
            Field::ParallelFraction => {
                work.speedup = amdahl(bound.number(cell, Rounding::Nearest)?)?;
            }
            Field::Cpu => ask.demand.cpu = bound.cores(cell)?,
            Field::Memory => (ask.demand.memory, cells.per_core) = bound.memory(cell)?,
            Field::Gpus => {
                let (each, parts) = divided(bound.gpu_milli(cell)?, self.gpus_per_task);
                set_gpus(&mut ask.demand, each)?;
                cells.parts = Some(parts).filter(|&parts| parts > 1);
            }
            Field::GpuShare => match bound.gpu_milli(cell)? {
                share if share <= WHOLE_GPU.into() => ask.demand.gpu_share = share as u16,
                _ => return Err("is more than a whole GPU"),
            },
            Field::Exclusive => ask.demand.exclusive = flag(cell)?,
            Field::Priority => {
                let value = integer(cell)?;
                ask.priority = i32::try_from(value).map_err(|_| "is too large")?;
            }
            Field::Tenant => ask.tenant = self.names.tenant(book, cell)?,
            Field::Home => ask.home = self.names.home(book, cell)?,
            Field::Input => ask.input = bound.bytes(cell)?,
            Field::Output => ask.output = bound.bytes(cell)?,
            Field::GpuModels => ask.rules = read_models(&mut self.names, book, cell)?,
        }
        Ok(())
    }

    fn refuse(&self, at: usize, reason: BadValue) -> Bad {
        let bound = &self.bounds[at];
        Bad::Row(match bound.index {
            Some(index) => self.table.problem(index, bound.field.name(), reason),
            None => {
                self.table.row_problem(format!("{}: the constant {reason}", bound.field.name()))
            }
        })
    }

    /// Checks the conditions between the cells of a row, and fills in what follows from them.
    fn settle(&self, work: &mut Work, cells: &Cells) -> Result<ReadRow, BadValue> {
        let machine = self.kind == WorkKind::VirtualMachine;
        let ended = cells.end.is_some_and(|end| end <= Time::ZERO);
        let row = match cells.arrival {
            Some(_) => ReadRow::Filled,
            None if machine && ended => return Ok(ReadRow::Dropped(RowNote::EndedBefore)),
            None if machine => ReadRow::Noted(NoteSet::of(RowNote::AliveAtStart)),
            None => return Err("the row has no arrival"),
        };
        // Work that was there before the trace is there when it begins.
        work.arrival = cells.arrival.unwrap_or(Time::ZERO);
        let runtime = match (cells.runtime, cells.end) {
            (Some(runtime), _) => Some(runtime),
            (None, Some(end)) => {
                let start = cells.started(work.arrival).unwrap_or(work.arrival);
                if end < start {
                    return Err("the row ends before it starts");
                }
                Some(end - start)
            }
            (None, None) if machine => None,
            (None, None) => return Err("the row has no runtime"),
        };
        work.body = self.kind.body(runtime);
        if cells.per_core {
            let cores = work.ask.demand.cpu.div_ceil(1_000).max(1);
            let memory = work.ask.demand.memory.checked_mul(cores);
            work.ask.demand.memory = memory.ok_or("the row has too much memory")?;
        }
        if let Some(parts) = cells.parts {
            let demand = &mut work.ask.demand;
            work.ask.tasks =
                work.ask.tasks.checked_mul(parts).ok_or("the row has too many tasks")?;
            work.min_tasks = work.min_tasks.saturating_mul(parts);
            demand.cpu = demand.cpu.div_ceil(parts);
            demand.memory = demand.memory.div_ceil(parts);
        }
        match (work.ask.demand.gpus, work.ask.demand.gpu_share) {
            (0, _) => work.ask.demand.gpu_share = 0,
            (_, 0) => work.ask.demand.gpu_share = WHOLE_GPU,
            _ => {}
        }
        Ok(row)
    }
}

/// Thousandths of a GPU per task, and the number of equal tasks that `milli` thousandths are
/// divided into: each with the largest number of whole devices, at most `most`, that divides them.
/// One task where `milli` is small enough, or no whole number of devices.
fn divided(milli: u32, most: Option<u8>) -> (u32, u32) {
    let (whole, most) = (u32::from(WHOLE_GPU), most.map_or(u32::MAX, u32::from));
    let gpus = milli / whole;
    if !milli.is_multiple_of(whole) || gpus <= most {
        return (milli, 1);
    }
    let each = (1..=most).rev().find(|each| gpus.is_multiple_of(*each)).unwrap_or(1);
    (each * whole, gpus / each)
}

/// Millionths of a GPU as thousandths: the nearest, but at least one of something. A value within
/// half a thousandth of one of `n` equal parts of a device is that part, rounded down, so that `n`
/// of them fit on it.
fn thousandths(millionths: i64) -> i64 {
    const WHOLE: i64 = 1_000_000;
    if millionths % 1_000 == 0 || millionths >= WHOLE {
        return (millionths + 500) / 1_000;
    }
    let parts = (WHOLE + millionths / 2) / millionths;
    let is_part = (millionths * parts - WHOLE).abs() <= 500 * parts;
    let nearest = if is_part { 1_000 / parts } else { (millionths + 500) / 1_000 };
    nearest.max(1)
}

/// `milli` thousandths of a GPU: whole devices, or a share of one.
fn set_gpus(demand: &mut Demand, milli: u32) -> Result<(), BadValue> {
    let whole = u32::from(WHOLE_GPU);
    let (gpus, share) = match milli {
        0 => (0, 0),
        _ if milli.is_multiple_of(whole) => (milli / whole, whole),
        _ if milli < whole => (1, milli),
        _ => return Err("is neither a whole number of GPUs nor a share of one"),
    };
    if gpus > u32::from(MAX_GPUS) {
        return Err("is more than the 32 GPUs that one instance may have");
    }
    demand.gpus = gpus as u8;
    demand.gpu_share = share as u16;
    Ok(())
}

impl Rows for MappedRows {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<ReadRow, Bad> {
        if !std::mem::take(&mut self.pending) && !self.table.advance()? {
            return Ok(ReadRow::End);
        }
        if self.table.len() != self.width {
            let (found, wanted) = (self.table.len(), self.width);
            let message = format!("the row has {found} fields, the first row has {wanted}");
            return Err(Bad::Row(self.table.row_problem(message)));
        }
        work.name.clear();
        (work.ask, work.min_tasks, work.speedup) = (Ask::default(), 0, Speedup::LINEAR);
        let mut cells = Cells::default();
        for at in 0..self.bounds.len() {
            if let Err(reason) = self.cell(at, book, work, &mut cells) {
                return Err(self.refuse(at, reason));
            }
        }
        let settled = self.settle(work, &cells);
        let row = settled.map_err(|reason| Bad::Row(self.table.row_problem(reason)))?;
        self.cells = cells;
        Ok(row)
    }

    fn problem(&self, message: String) -> Problem {
        self.table.row_problem(message)
    }

    fn filtered(&self) -> u64 {
        self.table.filtered()
    }

    fn is_observed(&self) -> bool {
        let has = |field| self.bounds.iter().any(|bound| bound.field == field);
        has(Field::Wait) || has(Field::Start) || has(Field::Runtime) && has(Field::End)
    }

    fn observed(&self, work: &Work) -> Result<Option<Observation>, Bad> {
        let ended = self.cells.runtime.and(self.cells.end).zip(work.body.length());
        let ended = ended.map(|(end, runtime)| end - runtime);
        let start = self.cells.started(work.arrival).or(ended);
        let wait = start.map(|start| start - work.arrival);
        // Negative waits are marks of what is not known, or clocks that disagree.
        let wait = wait.filter(|&wait| wait >= Span::ZERO);
        Ok(wait.map(|wait| Observation::of(work, wait)))
    }
}

impl Cells {
    /// Observed start of the work.
    fn started(&self, arrival: Time) -> Option<Time> {
        let wait = self.wait.filter(|&wait| wait >= Span::ZERO);
        self.start.or(wait.map(|wait| arrival.saturating_add(wait)))
    }
}

impl BoundColumn {
    /// A point in time.
    fn time(
        &self,
        cell: &[u8],
        calendar: Calendar,
        zone: &DefaultTimeZone,
    ) -> Result<Time, BadValue> {
        let unix = match self.unit {
            ColumnUnit::Timestamp => zone.instant(cell)?,
            _ => self.number(cell, Rounding::Nearest)?,
        };
        let dated = matches!(
            self.unit,
            ColumnUnit::Timestamp
                | ColumnUnit::UnixSeconds
                | ColumnUnit::UnixMillis
                | ColumnUnit::UnixMicros
        );
        let micros = if dated {
            let start = calendar.unix_micros(Time::ZERO);
            unix.checked_sub(start).ok_or("lies more than 3,000 years away")?
        } else {
            unix
        };
        within_reach(micros).map(Time::from_micros)
    }

    /// A length of time, at least 0.
    fn span(&self, cell: &[u8]) -> Result<Span, BadValue> {
        match within_reach(self.micros(cell)?)? {
            micros @ 0.. => Ok(Span::from_micros(micros)),
            _ => Err("must not be negative"),
        }
    }

    /// A length of time that may be negative.
    fn observed_span(&self, cell: &[u8]) -> Result<Span, BadValue> {
        within_reach(self.micros(cell)?).map(Span::from_micros)
    }

    /// A length of time: a number in the column's unit, or one that names its own.
    fn micros(&self, cell: &[u8]) -> Result<i64, BadValue> {
        let number = self.number(cell, Rounding::Nearest);
        let written = cell.iter().any(|byte| *byte == b':' || byte.is_ascii_alphabetic());
        if number.is_err() && written { duration(cell).or(number) } else { number }
    }

    /// Milli-cores; `100m` are a hundred, whatever the column's unit.
    fn cores(&self, cell: &[u8]) -> Result<u32, BadValue> {
        match cell.strip_suffix(b"m") {
            Some(milli) => {
                let milli = scaled(milli, 1, 1.0, Rounding::Up)?;
                u32::try_from(milli).map_err(|_| "is no number of milli-cores")
            }
            None => self.size(cell),
        }
    }

    /// MiB, and whether they are those of each core.
    fn memory(&self, cell: &[u8]) -> Result<(u32, bool), BadValue> {
        let cell = cell.strip_prefix(b">").unwrap_or(cell);
        if !has_suffix(cell) {
            return Ok((self.size(cell)?, false));
        }
        let (bytes, per) = memory(cell)?.ok_or("is not an amount of memory")?;
        let mib = u32::try_from((bytes as u64).div_ceil(1 << 20)).map_err(|_| "is too large")?;
        Ok((mib, per == Per::Core))
    }

    /// Bytes.
    fn bytes(&self, cell: &[u8]) -> Result<i64, BadValue> {
        if !has_suffix(cell) {
            return self.size(cell);
        }
        memory(cell)?.map(|(bytes, _)| bytes).ok_or("is not an amount of data")
    }

    /// A size, at least 0, rounded up. A leading `>`, as in the size buckets
    /// of the Azure VM traces, is passed over.
    fn size<T: TryFrom<i64>>(&self, cell: &[u8]) -> Result<T, BadValue> {
        let cell = cell.strip_prefix(b">").unwrap_or(cell);
        let value = self.number(cell, Rounding::Up)?;
        if value < 0 {
            return Err("must not be negative");
        }
        T::try_from(value).map_err(|_| "is too large")
    }

    /// Thousandths of a GPU; see [`thousandths`].
    fn gpu_milli(&self, cell: &[u8]) -> Result<u32, BadValue> {
        let cell = cell.strip_prefix(b">").unwrap_or(cell);
        let millionths = scaled(cell, self.times * 1_000, self.scale, Rounding::Nearest)?;
        if millionths < 0 {
            return Err("must not be negative");
        }
        u32::try_from(thousandths(millionths)).map_err(|_| "is too large")
    }

    fn number(&self, cell: &[u8], rounding: Rounding) -> Result<i64, BadValue> {
        let value = scaled(cell, self.times, self.scale, rounding)?;
        Ok(match rounding {
            Rounding::Up => {
                value.div_euclid(self.over) + i64::from(value.rem_euclid(self.over) > 0)
            }
            Rounding::Nearest => value.div_euclid(self.over),
        })
    }
}

/// Whether an amount names its own unit: it ends with a letter, and is no plain number.
fn has_suffix(cell: &[u8]) -> bool {
    cell.first().is_some_and(u8::is_ascii_digit) && cell.last().is_some_and(u8::is_ascii_alphabetic)
}

/// Whether a limit on the runtime says that there is none.
fn is_unlimited(cell: &[u8]) -> bool {
    let spelt: [&[u8]; 3] = [b"UNLIMITED", b"Partition_Limit", b"INFINITE"];
    spelt.iter().any(|known| cell.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests;
